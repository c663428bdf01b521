/* SPDX-License-Identifier: Apache-2.0 */
/* Identities with roles (RFC 6043 6.6; roles 6 and 7 RFC 6509 4.4; roles 8 and 9 TS 33.180 E.7). */
#include <mcx/mikey.h>

const char *mcx_mikey_role_name(uint8_t role)
{
    switch (role) {
    case MCX_MIKEY_ROLE_I: return "IDRi";
    case MCX_MIKEY_ROLE_R: return "IDRr";
    case MCX_MIKEY_ROLE_KMS: return "IDRkms";
    case MCX_MIKEY_ROLE_PSK: return "IDRpsk";
    case MCX_MIKEY_ROLE_APP: return "IDRapp";
    case MCX_MIKEY_ROLE_KMS_I: return "IDRkmsi";
    case MCX_MIKEY_ROLE_KMS_R: return "IDRkmsr";
    case MCX_MIKEY_ROLE_UID_I: return "IDRuidi";
    case MCX_MIKEY_ROLE_UID_R: return "IDRuidr";
    default: return "IDR";
    }
}

mcx_err mcx_mikey_idr_read(struct mcx_mikey_idr *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_idr v = { 0 };
    uint8_t np = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &v.role));
    MCX_TRY(mcx_rd_u8(&r, &v.id_type));
    MCX_TRY(mcx_rd_vec16(&r, &v.id));
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_idr_write(struct mcx_wr *wr, const struct mcx_mikey_idr *v, uint8_t next)
{
    if (v->role < MCX_MIKEY_ROLE_I || v->role > MCX_MIKEY_ROLE_UID_R || v->id_type > MCX_MIKEY_ID_BYTES ||
        v->id.len == 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, next));
    MCX_TRY(mcx_wr_u8(wr, v->role));
    MCX_TRY(mcx_wr_u8(wr, v->id_type));
    return mcx_wr_vec16(wr, v->id);
}
