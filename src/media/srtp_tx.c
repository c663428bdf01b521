/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/rtp.h>
#include <mcx/srtp.h>

#include <stdlib.h>
#include <string.h>

#include "media/srtp_packet.h"
#include "media/srtp_params.h"

struct mcx_srtp_tx {
    struct srtp_cipher rtp;
    struct srtp_cipher rtcp;
    struct srtp_tail tail;
    bool rtp_started;
    bool rtcp_started;
    uint32_t first_roc;
    uint32_t rtp_ssrc;
    uint32_t rtcp_ssrc;
    uint64_t rtp_index; /* the last one used, when rtp_started */
    uint64_t rtcp_next; /* SRTCP_INDEX_MAX + 1 when none is left */
};

mcx_err mcx_srtp_tx_new(struct mcx_srtp_tx **out, const struct mcx_srtp_params *params)
{
    struct mcx_srtp_tx *tx = calloc(1, sizeof *tx);
    mcx_err err;

    if (tx == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_GO(err, mcx_srtp_tail_init(&tx->tail, params));
    MCX_GO(err, mcx_srtp_cipher_derive(&tx->rtp, params->master, SRTP_LABEL_RTP_KEY, SRTP_LABEL_RTP_SALT));
    MCX_GO(err, mcx_srtp_cipher_derive(&tx->rtcp, params->master, SRTP_LABEL_RTCP_KEY, SRTP_LABEL_RTCP_SALT));
    *out = tx;
    return MCX_OK;
out:
    mcx_srtp_tx_free(tx);
    return err;
}

void mcx_srtp_tx_free(struct mcx_srtp_tx *tx)
{
    if (tx == NULL) {
        return;
    }
    mcx_srtp_cipher_clear(&tx->rtp);
    mcx_srtp_cipher_clear(&tx->rtcp);
    free(tx);
}

mcx_err mcx_srtp_tx_set_roc(struct mcx_srtp_tx *tx, uint32_t roc)
{
    if (tx->rtp_started) {
        return MCX_E_STATE;
    }
    tx->first_roc = roc;
    return MCX_OK;
}

mcx_err mcx_srtp_tx_set_rtcp_index(struct mcx_srtp_tx *tx, uint32_t index)
{
    if (tx->rtcp_started) {
        return MCX_E_STATE;
    }
    if (index > SRTCP_INDEX_MAX) {
        return MCX_E_ARG;
    }
    tx->rtcp_next = index;
    return MCX_OK;
}

/* 2^48 SRTP or 2^31 SRTCP packets, whichever comes first, end the life of the master key (RFC 3711 9.2). */
static bool spent(const struct mcx_srtp_tx *tx)
{
    return (tx->rtp_started && tx->rtp_index == SRTP_INDEX_MAX) || tx->rtcp_next > SRTCP_INDEX_MAX;
}

/* The index only ever grows, so that no nonce is used twice whatever the caller does with SEQ (RFC 7714 10.1). */
static mcx_err next_index(uint64_t *index, const struct mcx_srtp_tx *tx, uint32_t ssrc, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - (uint16_t)tx->rtp_index);

    if (spent(tx)) {
        return MCX_E_STATE;
    }
    if (!tx->rtp_started) {
        *index = (uint64_t)tx->first_roc << 16 | seq;
        return MCX_OK;
    }
    if (ssrc != tx->rtp_ssrc || ahead == 0 || ahead >= 0x8000 || ahead > SRTP_INDEX_MAX - tx->rtp_index) {
        return MCX_E_STATE;
    }
    *index = tx->rtp_index + ahead;
    return MCX_OK;
}

mcx_err mcx_srtp_protect(struct mcx_srtp_tx *tx, struct mcx_wr *out, struct mcx_bytes packet)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct mcx_wr wr = *out;
    struct srtp_parts parts = { 0 };
    size_t hdr_len = 0;
    uint32_t ssrc = 0;
    uint16_t seq = 0;
    uint64_t index = 0;

    if (mcx_rtp_header_len(&hdr_len, &ssrc, &seq, packet) != MCX_OK) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_rd_take(&rd, hdr_len, &parts.clear));
    MCX_TRY(mcx_rd_take(&rd, rd.len, &parts.body));
    MCX_TRY(next_index(&index, tx, ssrc, seq));
    if (wr.cap - wr.len < packet.len ||
        wr.cap - wr.len - packet.len < SRTP_TAG_LEN + mcx_srtp_tail_len(&tx->tail, seq)) {
        return MCX_E_SPACE;
    }
    tx->rtp_started = true; /* used up from here on, even if the provider fails half-way */
    tx->rtp_ssrc = ssrc;
    tx->rtp_index = index;
    MCX_TRY(mcx_srtp_seal(&tx->rtp, wr.p + wr.len, &parts, ssrc, index));
    wr.len += packet.len + SRTP_TAG_LEN;
    MCX_TRY(mcx_wr_put(&wr, mcx_bytes(tx->tail.mki, tx->tail.mki_len)));
    if (mcx_srtp_tail_has_roc(&tx->tail, seq)) {
        MCX_TRY(mcx_wr_u32(&wr, (uint32_t)(index >> 16)));
    }
    *out = wr;
    return MCX_OK;
}

mcx_err mcx_srtcp_protect(struct mcx_srtp_tx *tx, struct mcx_wr *out, struct mcx_bytes packet)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct mcx_wr wr = *out;
    struct srtp_parts parts = { 0 };
    uint32_t ssrc = 0;
    uint32_t index = (uint32_t)tx->rtcp_next;

    if (mcx_srtcp_clear_read(&parts.clear, &ssrc, &rd) != MCX_OK) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_rd_take(&rd, rd.len, &parts.body));
    if (spent(tx) || (tx->rtcp_started && ssrc != tx->rtcp_ssrc)) {
        return MCX_E_STATE;
    }
    if (wr.cap - wr.len < packet.len ||
        wr.cap - wr.len - packet.len < SRTP_TAG_LEN + SRTCP_WORD_LEN + tx->tail.mki_len) {
        return MCX_E_SPACE;
    }
    tx->rtcp_started = true;
    tx->rtcp_ssrc = ssrc;
    tx->rtcp_next++;
    MCX_TRY(mcx_srtcp_seal(&tx->rtcp, wr.p + wr.len, &parts, ssrc, index));
    wr.len += packet.len + SRTP_TAG_LEN + SRTCP_WORD_LEN;
    MCX_TRY(mcx_wr_put(&wr, mcx_bytes(tx->tail.mki, tx->tail.mki_len)));
    *out = wr;
    return MCX_OK;
}
