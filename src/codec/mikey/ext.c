/* SPDX-License-Identifier: Apache-2.0 */
/* General extension (RFC 3830 6.15). */
#include <mcx/mikey.h>

mcx_err mcx_mikey_ext_read(struct mcx_mikey_ext *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_ext v = { 0 };
    uint8_t np = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &v.type));
    MCX_TRY(mcx_rd_vec16(&r, &v.data));
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_ext_write(struct mcx_wr *wr, const struct mcx_mikey_ext *v, uint8_t next)
{
    MCX_TRY(mcx_wr_u8(wr, next));
    MCX_TRY(mcx_wr_u8(wr, v->type));
    return mcx_wr_vec16(wr, v->data);
}
