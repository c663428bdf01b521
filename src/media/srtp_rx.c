/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/srtp.h>

#include <stdlib.h>

#include "media/replay.h"
#include "media/srtp_packet.h"
#include "media/srtp_params.h"

/* State of one SSRC; it comes into being with the first authentic packet. */
struct stream {
    uint32_t ssrc;
    struct replay rtp;  /* top = 65536 * ROC + s_l */
    struct replay rtcp; /* top = highest SRTCP index */
};

struct mcx_srtp_rx {
    struct srtp_cipher rtp;
    struct srtp_cipher rtcp;
    struct srtp_tail tail;
    uint32_t first_roc;
    size_t num, cap, max;
    struct stream *stream; /* grows as they are heard */
};

mcx_err mcx_srtp_rx_new(struct mcx_srtp_rx **out, const struct mcx_srtp_params *params, size_t max_ssrc)
{
    struct mcx_srtp_rx *rx = NULL;
    mcx_err err;

    if (max_ssrc == 0 || max_ssrc > MCX_SRTP_SSRC_MAX) {
        return MCX_E_ARG;
    }
    rx = calloc(1, sizeof *rx);
    if (rx == NULL) {
        return MCX_E_NOMEM;
    }
    rx->max = max_ssrc;
    MCX_GO(err, mcx_srtp_tail_init(&rx->tail, params));
    MCX_GO(err, mcx_srtp_cipher_derive(&rx->rtp, params->master, SRTP_LABEL_RTP_KEY, SRTP_LABEL_RTP_SALT));
    MCX_GO(err, mcx_srtp_cipher_derive(&rx->rtcp, params->master, SRTP_LABEL_RTCP_KEY, SRTP_LABEL_RTCP_SALT));
    *out = rx;
    return MCX_OK;
out:
    mcx_srtp_rx_free(rx);
    return err;
}

void mcx_srtp_rx_free(struct mcx_srtp_rx *rx)
{
    if (rx == NULL) {
        return;
    }
    mcx_srtp_cipher_clear(&rx->rtp);
    mcx_srtp_cipher_clear(&rx->rtcp);
    free(rx->stream);
    free(rx);
}

void mcx_srtp_rx_set_roc(struct mcx_srtp_rx *rx, uint32_t roc)
{
    rx->first_roc = roc;
}

bool mcx_srtp_rx_index(const struct mcx_srtp_rx *rx, uint64_t *index, uint32_t ssrc)
{
    for (size_t i = 0; i < rx->num; i++) {
        if (rx->stream[i].ssrc == ssrc && rx->stream[i].rtp.started) {
            *index = rx->stream[i].rtp.top;
            return true;
        }
    }
    return false;
}

static struct stream *find_stream(struct mcx_srtp_rx *rx, uint32_t ssrc)
{
    for (size_t i = 0; i < rx->num; i++) {
        if (rx->stream[i].ssrc == ssrc) {
            return &rx->stream[i];
        }
    }
    return NULL;
}

/* Only after the tag was good. The room was made before. */
static struct stream *add_stream(struct mcx_srtp_rx *rx, uint32_t ssrc)
{
    struct stream *s = &rx->stream[rx->num++];

    *s = (struct stream){ .ssrc = ssrc };
    return s;
}

/* Room for one more; before the tag was looked at, so it is doubled only when what there is has been authentic. */
static mcx_err reserve_stream(struct mcx_srtp_rx *rx)
{
    size_t cap = rx->cap == 0 ? 1 : 2 * rx->cap;
    struct stream *grown = NULL;

    if (rx->num < rx->cap) {
        return MCX_OK;
    }
    cap = cap < rx->max ? cap : rx->max;
    grown = realloc(rx->stream, cap * sizeof *grown); /* nothing secret in it */
    if (grown == NULL) {
        return MCX_E_NOMEM;
    }
    rx->stream = grown;
    rx->cap = cap;
    return MCX_OK;
}

/* RFC 3711 3.3.1: the ROC that puts the index nearest to the highest one. False when it would be -1 or 2^32. */
static bool estimate_roc(uint32_t *roc, uint64_t top, uint16_t seq)
{
    uint16_t s_l = (uint16_t)top;
    uint64_t v = top >> 16;

    if (s_l < 0x8000 && seq > s_l && seq - s_l > 0x8000) {
        if (v == 0) {
            return false;
        }
        v--;
    } else if (s_l >= 0x8000 && s_l - 0x8000 > seq) {
        v++;
    }
    *roc = (uint32_t)v;
    return v <= UINT32_MAX;
}

/*
 * A ROC in the packet is the candidate; it stands in the nonce, so a changed one fails. It cannot roll the state
 * back: an index that is not ahead of the window must lie inside it and be unseen, and there the estimate gives
 * the same ROC.
 */
static bool candidate_index(uint64_t *index, const struct mcx_srtp_rx *rx, const struct stream *s,
                            const struct srtp_in *in)
{
    uint32_t roc = rx->first_roc;

    if (in->has_roc) {
        roc = in->roc;
    } else if (s != NULL && s->rtp.started && !estimate_roc(&roc, s->rtp.top, in->seq)) {
        return false;
    }
    *index = (uint64_t)roc << 16 | in->seq;
    return s == NULL || mcx_replay_check(&s->rtp, *index);
}

static mcx_err refuse_replay(struct mcx_refusal *why)
{
    return mcx_refuse(why, MCX_E_REPLAY, "the packet was seen before, or is older than the window", "RFC 3711 3.3.2");
}

static mcx_err refuse_tag(struct mcx_refusal *why, mcx_err err)
{
    return err == MCX_E_AUTH ? mcx_refuse(why, err, "the authentication tag is wrong", "RFC 7714 8.2")
                             : mcx_refuse(why, err, "the cipher failed", "");
}

/* What can be checked before the cipher runs and does not depend on SRTP or SRTCP. */
static mcx_err check_common(struct mcx_srtp_rx *rx, const struct stream *s, const struct srtp_in *in,
                            const struct mcx_wr *out, struct mcx_refusal *why)
{
    if (!mcx_bytes_equal(in->mki, mcx_bytes(rx->tail.mki, rx->tail.mki_len))) {
        return mcx_refuse(why, MCX_E_NOKEY, "the MKI names another key", "RFC 3711 3.1");
    }
    if (s == NULL && rx->num == rx->max) {
        return mcx_refuse(why, MCX_E_POLICY, "no room for another SSRC under this key", "RFC 3711 3.2.3");
    }
    if (out->cap - out->len < in->parts.clear.len + in->parts.body.len) {
        return mcx_refuse(why, MCX_E_SPACE, "the output buffer is too small", "");
    }
    return s == NULL ? reserve_stream(rx) : MCX_OK;
}

mcx_err mcx_srtp_unprotect(struct mcx_srtp_rx *rx, struct mcx_wr *out, struct mcx_bytes packet, struct mcx_refusal *why)
{
    struct srtp_in in;
    struct stream *s = NULL;
    uint64_t index = 0;
    mcx_err err;

    MCX_TRY(mcx_srtp_in_read(&in, &rx->tail, packet, why));
    s = find_stream(rx, in.ssrc);
    MCX_TRY(check_common(rx, s, &in, out, why));
    if (!candidate_index(&index, rx, s, &in)) {
        return refuse_replay(why);
    }
    err = mcx_srtp_open(&rx->rtp, out->p + out->len, &in.parts, in.ssrc, index);
    if (err != MCX_OK) {
        return refuse_tag(why, err);
    }
    s = s != NULL ? s : add_stream(rx, in.ssrc); /* authentic: now the state may move */
    mcx_replay_mark(&s->rtp, index);
    out->len += in.parts.clear.len + in.parts.body.len;
    return MCX_OK;
}

mcx_err mcx_srtcp_unprotect(struct mcx_srtp_rx *rx, struct mcx_wr *out, struct mcx_bytes packet,
                            struct mcx_refusal *why)
{
    struct srtp_in in;
    struct stream *s = NULL;
    uint32_t index = 0;
    mcx_err err;

    MCX_TRY(mcx_srtcp_in_read(&in, &rx->tail, packet, why));
    if ((in.word & SRTCP_E_FLAG) == 0) {
        return mcx_refuse(why, MCX_E_POLICY, "the packet is not encrypted", "TS 33.180 7.5.1");
    }
    index = in.word & SRTCP_INDEX_MAX;
    s = find_stream(rx, in.ssrc);
    MCX_TRY(check_common(rx, s, &in, out, why));
    if (s != NULL && !mcx_replay_check(&s->rtcp, index)) {
        return refuse_replay(why);
    }
    err = mcx_srtcp_open(&rx->rtcp, out->p + out->len, &in.parts, in.ssrc, index);
    if (err != MCX_OK) {
        return refuse_tag(why, err);
    }
    s = s != NULL ? s : add_stream(rx, in.ssrc);
    mcx_replay_mark(&s->rtcp, index);
    out->len += in.parts.clear.len + in.parts.body.len;
    return MCX_OK;
}
