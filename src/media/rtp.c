/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/rtp.h>

#define VERSION      0x80 /* V = 2 in the top two bits (RFC 3550 5.1) */
#define VERSION_MASK 0xc0
#define PADDING      0x20
#define EXTENSION    0x10
#define CSRC_COUNT   0x0f
#define MARKER       0x80
#define PT_MASK      0x7f

struct fixed {
    uint8_t flags;
    uint8_t marker_pt;
};

/* RFC 3550 5.1 and 5.3.1, everything before the payload */
static mcx_err read_header(struct mcx_rtp *out, struct fixed *fixed, struct mcx_rd *rd)
{
    uint16_t num_words = 0;

    MCX_TRY(mcx_rd_u8(rd, &fixed->flags));
    if ((fixed->flags & VERSION_MASK) != VERSION) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_rd_u8(rd, &fixed->marker_pt));
    MCX_TRY(mcx_rd_u16(rd, &out->seq));
    MCX_TRY(mcx_rd_u32(rd, &out->ts));
    MCX_TRY(mcx_rd_u32(rd, &out->ssrc));
    MCX_TRY(mcx_rd_take(rd, (size_t)(fixed->flags & CSRC_COUNT) * 4, &out->csrc));
    out->has_ext = (fixed->flags & EXTENSION) != 0;
    if (out->has_ext) {
        MCX_TRY(mcx_rd_u16(rd, &out->ext_profile));
        MCX_TRY(mcx_rd_u16(rd, &num_words));
        MCX_TRY(mcx_rd_take(rd, (size_t)num_words * 4, &out->ext));
    }
    out->marker = (fixed->marker_pt & MARKER) != 0;
    out->pt = fixed->marker_pt & PT_MASK;
    return MCX_OK;
}

mcx_err mcx_rtp_read(struct mcx_rtp *out, struct mcx_bytes packet)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct mcx_rtp v = { 0 };
    struct fixed fixed;
    struct mcx_bytes rest;

    MCX_TRY(read_header(&v, &fixed, &rd));
    if ((fixed.flags & PADDING) != 0) { /* the last octet counts the padding, itself included */
        if (rd.len == 0) {
            return MCX_E_TRUNC;
        }
        v.padding = rd.p[rd.len - 1];
        if (v.padding == 0 || v.padding > rd.len) {
            return MCX_E_FORMAT;
        }
    }
    MCX_TRY(mcx_rd_take(&rd, rd.len - v.padding, &v.payload));
    MCX_TRY(mcx_rd_take(&rd, v.padding, &rest));
    *out = v;
    return mcx_rd_end(&rd);
}

mcx_err mcx_rtp_header_len(size_t *len, uint32_t *ssrc, uint16_t *seq, struct mcx_bytes packet)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct mcx_rtp v = { 0 };
    struct fixed fixed;

    MCX_TRY(read_header(&v, &fixed, &rd));
    *len = packet.len - rd.len;
    if (ssrc != NULL) {
        *ssrc = v.ssrc;
    }
    if (seq != NULL) {
        *seq = v.seq;
    }
    return MCX_OK;
}

static mcx_err write_padding(struct mcx_wr *out, uint8_t num)
{
    uint8_t *p = NULL;

    if (num == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_wr_space(out, num, &p));
    p[num - 1] = num;
    return MCX_OK;
}

static mcx_err write_all(struct mcx_wr *out, const struct mcx_rtp *rtp)
{
    uint8_t flags =
        (uint8_t)(VERSION | (rtp->padding != 0 ? PADDING : 0) | (rtp->has_ext ? EXTENSION : 0) | (rtp->csrc.len / 4));

    MCX_TRY(mcx_wr_u8(out, flags));
    MCX_TRY(mcx_wr_u8(out, (uint8_t)((rtp->marker ? MARKER : 0) | rtp->pt)));
    MCX_TRY(mcx_wr_u16(out, rtp->seq));
    MCX_TRY(mcx_wr_u32(out, rtp->ts));
    MCX_TRY(mcx_wr_u32(out, rtp->ssrc));
    MCX_TRY(mcx_wr_put(out, rtp->csrc));
    if (rtp->has_ext) {
        MCX_TRY(mcx_wr_u16(out, rtp->ext_profile));
        MCX_TRY(mcx_wr_u16(out, (uint16_t)(rtp->ext.len / 4)));
        MCX_TRY(mcx_wr_put(out, rtp->ext));
    }
    MCX_TRY(mcx_wr_put(out, rtp->payload));
    return write_padding(out, rtp->padding);
}

mcx_err mcx_rtp_write(struct mcx_wr *out, const struct mcx_rtp *rtp)
{
    struct mcx_wr wr = *out; /* so that a failure leaves the cursor */

    if (rtp->pt > PT_MASK || rtp->csrc.len % 4 != 0 || rtp->csrc.len / 4 > MCX_RTP_CSRC_MAX) {
        return MCX_E_ARG;
    }
    if (rtp->has_ext ? rtp->ext.len % 4 != 0 || rtp->ext.len / 4 > UINT16_MAX : rtp->ext.len != 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(write_all(&wr, rtp));
    *out = wr;
    return MCX_OK;
}

mcx_err mcx_rtp_source_init(struct mcx_rtp_source *src, uint8_t pt, const struct mcx_rng *rng)
{
    struct mcx_rtp_source v = { .pt = pt, .talk_start = true };

    if (pt > PT_MASK) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_rng_fill(rng, &v.ssrc, sizeof v.ssrc));
    MCX_TRY(mcx_rng_fill(rng, &v.ts, sizeof v.ts));
    MCX_TRY(mcx_rng_fill(rng, &v.seq, sizeof v.seq));
    v.seq &= 0x7fff; /* RFC 3711 3.3.1 */
    *src = v;
    return MCX_OK;
}

mcx_err mcx_rtp_source_write(struct mcx_rtp_source *src, struct mcx_wr *out, struct mcx_bytes payload,
                             uint32_t num_samples)
{
    struct mcx_rtp rtp = {
        .marker = src->talk_start,
        .pt = src->pt,
        .seq = src->seq,
        .ts = src->ts,
        .ssrc = src->ssrc,
        .payload = payload,
    };

    MCX_TRY(mcx_rtp_write(out, &rtp));
    src->talk_start = false;
    src->seq++;
    src->ts += num_samples;
    return MCX_OK;
}

void mcx_rtp_source_pause(struct mcx_rtp_source *src, uint32_t num_samples)
{
    src->ts += num_samples;
    src->talk_start = true;
}
