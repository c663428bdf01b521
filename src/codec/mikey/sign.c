/* SPDX-License-Identifier: Apache-2.0 */
/* Signature and certificate (RFC 3830 6.5, 6.7; ECCSI: RFC 6509 4.3). */
#include <mcx/mikey.h>

#define LEN_BITS 12

mcx_err mcx_mikey_sign_read(struct mcx_mikey_sign *out, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_sign v = { 0 };
    uint16_t head = 0; /* S type 4 bits, length 12 bits; no next payload */

    MCX_TRY(mcx_rd_u16(&r, &head));
    v.s_type = (uint8_t)(head >> LEN_BITS);
    MCX_TRY(mcx_rd_take(&r, head & ((1u << LEN_BITS) - 1), &v.signature));
    *out = v;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_sign_head_write(struct mcx_wr *wr, uint8_t s_type, size_t signature_len)
{
    if (s_type > 15 || signature_len == 0 || signature_len >= 1u << LEN_BITS) {
        return MCX_E_ARG;
    }
    return mcx_wr_u16(wr, (uint16_t)((size_t)s_type << LEN_BITS | signature_len));
}

mcx_err mcx_mikey_cert_read(struct mcx_mikey_cert *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_cert v = { 0 };
    uint8_t np = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &v.cert_type));
    MCX_TRY(mcx_rd_vec16(&r, &v.data));
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}
