/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamp and RAND (RFC 3830 6.6, 6.11). */
#include <mcx/mikey.h>

#define TS_NTP     1
#define TS_COUNTER 2

mcx_err mcx_mikey_t_read(struct mcx_mikey_t *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_t v = { 0 };
    uint8_t np = 0;
    uint32_t counter = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &v.ts_type));
    switch (v.ts_type) {
    case MCX_MIKEY_TS_NTP_UTC:
    case TS_NTP: MCX_TRY(mcx_rd_u64(&r, &v.value)); break;
    case TS_COUNTER:
        MCX_TRY(mcx_rd_u32(&r, &counter));
        v.value = counter;
        break;
    default: return MCX_E_UNSUP;
    }
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_t_write(struct mcx_wr *wr, const struct mcx_mikey_t *v, uint8_t next)
{
    if (v->ts_type != MCX_MIKEY_TS_NTP_UTC) { /* TS 33.180 E.1.2 */
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, next));
    MCX_TRY(mcx_wr_u8(wr, v->ts_type));
    return mcx_wr_u64(wr, v->value);
}

mcx_err mcx_mikey_rand_read(struct mcx_bytes *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_bytes v;
    uint8_t np = 0;

    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_vec8(&r, &v));
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_rand_write(struct mcx_wr *wr, struct mcx_bytes rand, uint8_t next)
{
    if (rand.len < MCX_MIKEY_RAND_MIN) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, next));
    return mcx_wr_vec8(wr, rand);
}
