/* SPDX-License-Identifier: Apache-2.0 */
/* Common header and CS ID map (RFC 3830 6.1, RFC 4563 5, RFC 6043 6.1). */
#include <mcx/mikey.h>

#define V_BIT        0x80
#define S_BIT        0x80
#define SESSION_ROC  10 /* SSRC 4, ROC 4, SEQ 2 (RFC 6043 6.1.1) */
#define MAX_POLICIES 127

mcx_err mcx_mikey_map_srtp_read(struct mcx_mikey_map_srtp *out, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_map_srtp v = { 0 };

    MCX_TRY(mcx_rd_u8(&r, &v.policy_no));
    MCX_TRY(mcx_rd_u32(&r, &v.ssrc));
    MCX_TRY(mcx_rd_u32(&r, &v.roc));
    *out = v;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_map_srtp_write(struct mcx_wr *wr, const struct mcx_mikey_map_srtp *v)
{
    MCX_TRY(mcx_wr_u8(wr, v->policy_no));
    MCX_TRY(mcx_wr_u32(wr, v->ssrc));
    return mcx_wr_u32(wr, v->roc);
}

mcx_err mcx_mikey_map_generic_read(struct mcx_mikey_map_generic *out, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_mikey_map_generic v = { 0 };
    uint8_t s_p = 0;

    MCX_TRY(mcx_rd_u8(&r, &v.cs_id));
    MCX_TRY(mcx_rd_u8(&r, &v.prot_type));
    MCX_TRY(mcx_rd_u8(&r, &s_p));
    v.s = (s_p & S_BIT) != 0;
    MCX_TRY(mcx_rd_take(&r, s_p & (uint8_t)~S_BIT, &v.policies));
    MCX_TRY(mcx_rd_vec16(&r, &v.session));
    MCX_TRY(mcx_rd_vec8(&r, &v.spi));
    if (v.s && v.session.len < SESSION_ROC) {
        return MCX_E_FORMAT;
    }
    *out = v;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_map_generic_write(struct mcx_wr *wr, const struct mcx_mikey_map_generic *v)
{
    if (v->policies.len > MAX_POLICIES || (v->s && v->session.len < SESSION_ROC)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, v->cs_id));
    MCX_TRY(mcx_wr_u8(wr, v->prot_type));
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)((v->s ? S_BIT : 0) | v->policies.len)));
    MCX_TRY(mcx_wr_put(wr, v->policies));
    MCX_TRY(mcx_wr_vec16(wr, v->session));
    return mcx_wr_vec8(wr, v->spi);
}

/* Go over `num` blocks so that the length of the map becomes known. */
static mcx_err map_skip(uint8_t map_type, uint8_t num, struct mcx_rd *rd)
{
    struct mcx_mikey_map_srtp srtp;
    struct mcx_mikey_map_generic generic;

    switch (map_type) {
    case MCX_MIKEY_MAP_EMPTY: /* no octets; RFC 4563 5 has no crypto sessions beside it */
        return num == 0 ? MCX_OK : MCX_E_FORMAT;
    case MCX_MIKEY_MAP_SRTP_ID:
        for (uint8_t i = 0; i < num; i++) {
            MCX_TRY(mcx_mikey_map_srtp_read(&srtp, rd));
        }
        return MCX_OK;
    case MCX_MIKEY_MAP_GENERIC:
        for (uint8_t i = 0; i < num; i++) {
            MCX_TRY(mcx_mikey_map_generic_read(&generic, rd));
        }
        return MCX_OK;
    default: return MCX_E_UNSUP;
    }
}

mcx_err mcx_mikey_hdr_read(struct mcx_mikey_hdr *out, uint8_t *next, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_rd map;
    struct mcx_mikey_hdr v = { 0 };
    uint8_t np = 0;
    uint8_t v_prf = 0;

    MCX_TRY(mcx_rd_u8(&r, &v.version));
    if (v.version != MCX_MIKEY_VERSION) {
        return MCX_E_UNSUP;
    }
    MCX_TRY(mcx_rd_u8(&r, &v.data_type));
    MCX_TRY(mcx_rd_u8(&r, &np));
    MCX_TRY(mcx_rd_u8(&r, &v_prf));
    v.v = (v_prf & V_BIT) != 0;
    v.prf = v_prf & (uint8_t)~V_BIT;
    MCX_TRY(mcx_rd_u32(&r, &v.csb_id));
    MCX_TRY(mcx_rd_u8(&r, &v.num_cs));
    MCX_TRY(mcx_rd_u8(&r, &v.map_type));
    map = r;
    MCX_TRY(map_skip(v.map_type, v.num_cs, &map));
    MCX_TRY(mcx_rd_take(&r, r.len - map.len, &v.map));
    *out = v;
    *next = np;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_hdr_write(struct mcx_wr *wr, const struct mcx_mikey_hdr *v, uint8_t next)
{
    struct mcx_rd map = mcx_rd(v->map);

    if (v->version != MCX_MIKEY_VERSION || v->v || (v->prf & V_BIT) != 0 ||
        map_skip(v->map_type, v->num_cs, &map) != MCX_OK || map.len != 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, v->version));
    MCX_TRY(mcx_wr_u8(wr, v->data_type));
    MCX_TRY(mcx_wr_u8(wr, next));
    MCX_TRY(mcx_wr_u8(wr, v->prf));
    MCX_TRY(mcx_wr_u32(wr, v->csb_id));
    MCX_TRY(mcx_wr_u8(wr, v->num_cs));
    MCX_TRY(mcx_wr_u8(wr, v->map_type));
    return mcx_wr_put(wr, v->map);
}
