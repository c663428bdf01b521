/* SPDX-License-Identifier: Apache-2.0 */
/* Key parameters: the MCData Protected Payload around them and the table inside (TS 33.180 8.5.4, E.6). */
#include <mcx/mikey.h>

#define GROUP_IEI  0x7B /* MC group ID (TS 24.282 15.2.14) */
#define INNER_IEI  0x00 /* CHOICE: as in all published messages; ignored when read */
#define FIELDS_LEN 15   /* key type, status, activation, expiry */

bool mcx_mikey_kp_is_protected(struct mcx_bytes ext_data)
{
    return ext_data.len > 0 && (ext_data.p[0] & MCX_MIKEY_KP_PROTECTED) != 0;
}

mcx_err mcx_mikey_kp_frame_read(struct mcx_mikey_kp_frame *out, struct mcx_bytes ext_data)
{
    struct mcx_rd rd = mcx_rd(ext_data);
    struct mcx_rd inner;
    struct mcx_mikey_kp_frame v = { 0 };
    struct mcx_bytes sealed;
    uint8_t iei = 0;

    if (!mcx_mikey_kp_is_protected(ext_data)) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_rd_u8(&rd, &v.msg_type));
    MCX_TRY(mcx_rd_u40(&rd, &v.date));
    MCX_TRY(mcx_rd_u32(&rd, &v.payload_id));
    MCX_TRY(mcx_rd_u8(&rd, &v.seq));
    MCX_TRY(mcx_rd_u8(&rd, &v.alg));
    MCX_TRY(mcx_rd_take(&rd, MCX_MIKEY_KP_IV_LEN, &v.iv));
    MCX_TRY(mcx_rd_u32(&rd, &v.dppk_id));
    v.head = mcx_bytes(ext_data.p, ext_data.len - rd.len);
    MCX_TRY(mcx_rd_u8(&rd, &iei));
    MCX_TRY(mcx_rd_vec16(&rd, &sealed));
    MCX_TRY(mcx_rd_end(&rd));
    if (sealed.len < MCX_MIKEY_KP_TAG_LEN) {
        return MCX_E_FORMAT;
    }
    inner = mcx_rd(sealed);
    MCX_TRY(mcx_rd_take(&inner, sealed.len - MCX_MIKEY_KP_TAG_LEN, &v.ciphertext));
    MCX_TRY(mcx_rd_take(&inner, MCX_MIKEY_KP_TAG_LEN, &v.tag));
    *out = v;
    return MCX_OK;
}

mcx_err mcx_mikey_kp_frame_write(struct mcx_wr *wr, const struct mcx_mikey_kp_frame *v, size_t inner_len)
{
    if ((v->msg_type & MCX_MIKEY_KP_PROTECTED) == 0 || v->iv.len != MCX_MIKEY_KP_IV_LEN ||
        inner_len > MCX_MIKEY_KP_MAX) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, v->msg_type));
    MCX_TRY(mcx_wr_u40(wr, v->date));
    MCX_TRY(mcx_wr_u32(wr, v->payload_id));
    MCX_TRY(mcx_wr_u8(wr, v->seq));
    MCX_TRY(mcx_wr_u8(wr, v->alg));
    MCX_TRY(mcx_wr_put(wr, v->iv));
    MCX_TRY(mcx_wr_u32(wr, v->dppk_id));
    MCX_TRY(mcx_wr_u8(wr, INNER_IEI));
    return mcx_wr_u16(wr, (uint16_t)(inner_len + MCX_MIKEY_KP_TAG_LEN));
}

mcx_err mcx_mikey_kp_group_read(struct mcx_bytes *uri, struct mcx_rd *rd)
{
    struct mcx_rd r = *rd;
    struct mcx_bytes v;
    uint8_t iei = 0;

    MCX_TRY(mcx_rd_u8(&r, &iei));
    if (iei != GROUP_IEI) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_rd_vec16(&r, &v));
    *uri = v;
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_mikey_kp_group_write(struct mcx_wr *wr, struct mcx_bytes uri)
{
    if (uri.len == 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, GROUP_IEI));
    return mcx_wr_vec16(wr, uri);
}

static mcx_err groups_check(struct mcx_bytes groups, uint8_t num)
{
    struct mcx_rd rd = mcx_rd(groups);
    struct mcx_bytes uri;

    for (uint8_t i = 0; i < num; i++) {
        MCX_TRY(mcx_mikey_kp_group_read(&uri, &rd));
    }
    return mcx_rd_end(&rd);
}

static mcx_err fields_read(struct mcx_mikey_key_params *out, struct mcx_rd *rd)
{
    MCX_TRY(mcx_rd_u8(rd, &out->key_type));
    MCX_TRY(mcx_rd_u32(rd, &out->status));
    MCX_TRY(mcx_rd_u40(rd, &out->activation));
    return mcx_rd_u40(rd, &out->expiry);
}

/*
 * E.6.1 calls the parameters an element of type 6: identifier and length may stand before them. Taken for such a head
 * only when the length spans the rest exactly and the key type then is the expected one (TS 33.180 E.6.1).
 */
static struct mcx_rd without_ie_head(struct mcx_bytes plain, uint8_t key_type)
{
    struct mcx_rd rd = mcx_rd(plain);
    struct mcx_bytes content;
    uint8_t iei = 0;

    if (mcx_rd_u8(&rd, &iei) == MCX_OK && mcx_rd_vec16(&rd, &content) == MCX_OK && rd.len == 0 &&
        content.len >= FIELDS_LEN && content.p[0] == key_type) {
        return mcx_rd(content);
    }
    return mcx_rd(plain);
}

static mcx_err body_read(struct mcx_mikey_key_params *out, struct mcx_rd *rd)
{
    struct mcx_bytes field;
    struct mcx_rd sub;

    MCX_TRY(fields_read(out, rd));
    MCX_TRY(mcx_rd_vec16(rd, &out->text));
    if (rd->len == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_rd_vec16(rd, &field));
    sub = mcx_rd(field);
    MCX_TRY(mcx_rd_u8(&sub, &out->num_groups));
    MCX_TRY(mcx_rd_take(&sub, sub.len, &out->groups));
    out->has_groups = true;
    return groups_check(out->groups, out->num_groups); /* what follows is reserved (E.6.1) */
}

mcx_err mcx_mikey_key_params_read(struct mcx_mikey_key_params *out, struct mcx_bytes plain, uint8_t key_type)
{
    struct mcx_rd rd = without_ie_head(plain, key_type);
    struct mcx_mikey_key_params v = { 0 };

    MCX_TRY(body_read(&v, &rd));
    *out = v;
    return MCX_OK;
}

mcx_err mcx_mikey_key_params_write(struct mcx_wr *wr, const struct mcx_mikey_key_params *v)
{
    size_t mark;

    if (groups_check(v->groups, v->num_groups) != MCX_OK || (!v->has_groups && v->num_groups > 0)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, v->key_type));
    MCX_TRY(mcx_wr_u32(wr, v->status));
    MCX_TRY(mcx_wr_u40(wr, v->activation));
    MCX_TRY(mcx_wr_u40(wr, v->expiry));
    MCX_TRY(mcx_wr_vec16(wr, v->text));
    if (!v->has_groups) {
        return MCX_OK;
    }
    MCX_TRY(mcx_wr_begin16(wr, &mark));
    MCX_TRY(mcx_wr_u8(wr, v->num_groups));
    MCX_TRY(mcx_wr_put(wr, v->groups));
    return mcx_wr_end16(wr, mark);
}

mcx_err mcx_mikey_key_params_clear_read(struct mcx_mikey_key_params *out, struct mcx_bytes ext_data)
{
    struct mcx_mikey_key_params v = { 0 };
    struct mcx_rd rd = mcx_rd(ext_data);

    switch (ext_data.len) {
    case FIELDS_LEN: MCX_TRY(fields_read(&v, &rd)); break;
    case 17:
    case 20: MCX_TRY(body_read(&v, &rd)); break;
    default: return MCX_E_FORMAT;
    }
    *out = v;
    return MCX_OK;
}
