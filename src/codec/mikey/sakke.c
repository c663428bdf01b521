/* SPDX-License-Identifier: Apache-2.0 */
/* SAKKE payload (RFC 6509 4.2). */
#include <mcx/mikey.h>

mcx_err mcx_mikey_sakke_read(struct mcx_mikey_sakke *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_sakke v = { 0 };
    uint8_t np = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &v.params));
    MCX_TRY(mcx_rd_u8(&r, &v.id_scheme));
    MCX_TRY(mcx_rd_vec16(&r, &v.sed));
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_sakke_write(struct mcx_wr *wr, const struct mcx_mikey_sakke *v, uint8_t next)
{
    if (v->params != MCX_MIKEY_SAKKE_PARAMS_1 || v->sed.len == 0 ||
        (v->id_scheme != MCX_MIKEY_ID_SCHEME_TEL && v->id_scheme != MCX_MIKEY_ID_SCHEME_UID)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, next));
    MCX_TRY(mcx_wr_u8(wr, v->params));
    MCX_TRY(mcx_wr_u8(wr, v->id_scheme));
    return mcx_wr_vec16(wr, v->sed);
}
