/* SPDX-License-Identifier: Apache-2.0 */
#include "media/srtp_params.h"

#include <mcx/rtp.h>

#include <string.h>

#define RTCP_VERSION      0x80
#define RTCP_VERSION_MASK 0xc0
#define ROC_LEN           4 /* RCCm3 with SP type 18 = 4 (TS 33.179 table E.2-1) */

static bool mki_len_ok(size_t len)
{
    return len == 0 || len == 4 || len == 8; /* none (laboratory), K-ID, GMK-ID || GUK-ID (TS 33.180 7.4) */
}

mcx_err mcx_srtp_tail_init(struct srtp_tail *out, const struct mcx_srtp_params *params)
{
    if (!mki_len_ok(params->mki.len)) {
        return MCX_E_ARG;
    }
    if (params->mki.len > 0) {
        memcpy(out->mki, params->mki.p, params->mki.len);
    }
    out->mki_len = params->mki.len;
    out->roc_rate = params->roc_rate;
    return MCX_OK;
}

bool mcx_srtp_tail_has_roc(const struct srtp_tail *tail, uint16_t seq)
{
    return tail->roc_rate != 0 && seq % tail->roc_rate == 0;
}

size_t mcx_srtp_tail_len(const struct srtp_tail *tail, uint16_t seq)
{
    return tail->mki_len + (mcx_srtp_tail_has_roc(tail, seq) ? ROC_LEN : 0);
}

mcx_err mcx_srtcp_clear_read(struct mcx_bytes *clear, uint32_t *ssrc, struct mcx_rd *rd)
{
    struct mcx_rd field;
    struct mcx_bytes skipped;
    uint8_t flags = 0;

    MCX_TRY(mcx_rd_take(rd, SRTCP_CLEAR_LEN, clear));
    field = mcx_rd(*clear);
    MCX_TRY(mcx_rd_u8(&field, &flags));
    MCX_TRY(mcx_rd_take(&field, 3, &skipped));
    MCX_TRY(mcx_rd_u32(&field, ssrc));
    return (flags & RTCP_VERSION_MASK) == RTCP_VERSION ? MCX_OK : MCX_E_FORMAT;
}

static mcx_err refuse_header(struct mcx_refusal *why, mcx_err err)
{
    return err == MCX_E_TRUNC ? mcx_refuse(why, err, "the packet is too short", "RFC 7714 8.2")
                              : mcx_refuse(why, err, "the version in the header is not 2", "RFC 3550 5.1");
}

/* The body is what lies between the clear part and the `tail_len` octets at the end. */
static mcx_err take_body(struct mcx_bytes *body, struct mcx_rd *rd, size_t tail_len, struct mcx_refusal *why)
{
    if (rd->len < tail_len) {
        return mcx_refuse(why, MCX_E_TRUNC, "the packet is too short", "RFC 7714 8.2");
    }
    return mcx_rd_take(rd, rd->len - tail_len, body);
}

/* header | ciphertext | tag | MKI | ROC (RFC 7714 8.2, RFC 4771 2) */
mcx_err mcx_srtp_in_read(struct srtp_in *out, const struct srtp_tail *tail, struct mcx_bytes packet,
                         struct mcx_refusal *why)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct srtp_in v = { 0 };
    size_t hdr_len = 0;
    mcx_err err = mcx_rtp_header_len(&hdr_len, &v.ssrc, &v.seq, packet);

    if (err != MCX_OK) {
        return refuse_header(why, err);
    }
    v.has_roc = mcx_srtp_tail_has_roc(tail, v.seq);
    MCX_TRY(mcx_rd_take(&rd, hdr_len, &v.parts.clear));
    MCX_TRY(take_body(&v.parts.body, &rd, SRTP_TAG_LEN + mcx_srtp_tail_len(tail, v.seq), why));
    MCX_TRY(mcx_rd_take(&rd, SRTP_TAG_LEN, &v.parts.tag));
    MCX_TRY(mcx_rd_take(&rd, tail->mki_len, &v.mki));
    if (v.has_roc) {
        MCX_TRY(mcx_rd_u32(&rd, &v.roc));
    }
    *out = v;
    return MCX_OK;
}

/* 8 octets | ciphertext | tag | E and index | MKI (RFC 7714 9.2, RFC 3711 3.4) */
mcx_err mcx_srtcp_in_read(struct srtp_in *out, const struct srtp_tail *tail, struct mcx_bytes packet,
                          struct mcx_refusal *why)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct srtp_in v = { 0 };
    mcx_err err = mcx_srtcp_clear_read(&v.parts.clear, &v.ssrc, &rd);

    if (err != MCX_OK) {
        return refuse_header(why, err);
    }
    MCX_TRY(take_body(&v.parts.body, &rd, SRTP_TAG_LEN + SRTCP_WORD_LEN + tail->mki_len, why));
    MCX_TRY(mcx_rd_take(&rd, SRTP_TAG_LEN, &v.parts.tag));
    MCX_TRY(mcx_rd_u32(&rd, &v.word));
    MCX_TRY(mcx_rd_take(&rd, tail->mki_len, &v.mki));
    *out = v;
    return MCX_OK;
}

mcx_err mcx_srtp_mki_read(struct mcx_bytes *mki, struct mcx_bytes packet, size_t mki_len, uint16_t roc_rate)
{
    struct srtp_tail tail = { .mki_len = mki_len, .roc_rate = roc_rate };
    struct srtp_in in;

    if (!mki_len_ok(mki_len)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_srtp_in_read(&in, &tail, packet, NULL));
    *mki = in.mki;
    return MCX_OK;
}

mcx_err mcx_srtcp_mki_read(struct mcx_bytes *mki, struct mcx_bytes packet, size_t mki_len)
{
    struct srtp_tail tail = { .mki_len = mki_len };
    struct srtp_in in;

    if (!mki_len_ok(mki_len)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_srtcp_in_read(&in, &tail, packet, NULL));
    *mki = in.mki;
    return MCX_OK;
}

/* The RTCP length field counts the plain packet in words, less one (RFC 3550 6.4.1, TS 24.380 8.1.2). */
mcx_err mcx_srtcp_take(struct mcx_bytes *one, struct mcx_rd *datagram, size_t mki_len)
{
    struct mcx_rd peek = *datagram;
    struct mcx_bytes skipped;
    uint16_t words = 0;

    if (!mki_len_ok(mki_len)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_rd_take(&peek, 2, &skipped));
    MCX_TRY(mcx_rd_u16(&peek, &words));
    return mcx_rd_take(datagram, ((size_t)words + 1) * 4 + SRTP_TAG_LEN + SRTCP_WORD_LEN + mki_len, one);
}
