/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SRTP_H
#define MCX_SRTP_H

/*
 * SRTP and SRTCP with AEAD_AES_128_GCM as MCPTT uses them (RFC 3711, RFC 7714, RFC 4771; TS 33.180 7.5).
 *
 * A transmit context protects one SSRC with one master key. A receive context holds one master key, found by
 * its MKI, and the state of each SSRC seen under it. State is stored only after the tag was good.
 *
 *   SRTP:  header | ciphertext | tag 16 | MKI | ROC 4 (RCCm3, when SEQ mod R = 0)
 *   SRTCP: 8 octets | ciphertext | tag 16 | E || index 4 | MKI
 */

#include <mcx/bytes.h>
#include <mcx/ident.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_SRTP_MKI_MAX       8
#define MCX_SRTP_OVERHEAD_MAX  (16 + MCX_SRTP_MKI_MAX + 4)
#define MCX_SRTCP_OVERHEAD_MAX (16 + 4 + MCX_SRTP_MKI_MAX)
#define MCX_SRTP_SSRC_MAX      1024

struct mcx_srtp_params {
    const struct mcx_srtp_master *master;
    struct mcx_bytes mki; /* 4 octets, or 8 for a group (GMK-ID || GUK-ID); 0 = none (laboratory) */
    uint16_t roc_rate;    /* R of RCCm3; 0 = no ROC in the packets */
};

struct mcx_srtp_tx;
/** @retval MCX_E_ARG the MKI has not 0, 4 or 8 octets @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_srtp_tx_new(struct mcx_srtp_tx **out, const struct mcx_srtp_params *params);
void mcx_srtp_tx_free(struct mcx_srtp_tx *tx);
/** Roll-over counter to start from, after a change of the master key (RFC 3711 3.3.1). @retval MCX_E_STATE packets were
 * already sent */
MCX_MUST_CHECK mcx_err mcx_srtp_tx_set_roc(struct mcx_srtp_tx *tx, uint32_t roc);
/** Index of the first SRTCP packet, below 2^31; laboratory and tests. @retval MCX_E_ARG @retval MCX_E_STATE as above */
MCX_MUST_CHECK mcx_err mcx_srtp_tx_set_rtcp_index(struct mcx_srtp_tx *tx, uint32_t index);
/**
 * Protect one RTP packet into `out` (in place is allowed: packet.p == out->p + out->len; otherwise the two must
 * not overlap). SEQ must grow from packet to packet, by less than 2^15.
 *
 * @retval MCX_E_FORMAT not an RTP packet @retval MCX_E_SPACE
 * @retval MCX_E_STATE  2^48 SRTP or 2^31 SRTCP packets sent, another SSRC than before, or a sequence number that
 *                      would repeat an index
 */
MCX_MUST_CHECK mcx_err mcx_srtp_protect(struct mcx_srtp_tx *tx, struct mcx_wr *out, struct mcx_bytes packet);
MCX_MUST_CHECK mcx_err mcx_srtcp_protect(struct mcx_srtp_tx *tx, struct mcx_wr *out, struct mcx_bytes packet);

/**
 * MKI of a received packet, a view into it, before any check: to find the receive context.
 *
 * @param[in] mki_len   of the class of stream: 4, or 8 for group media @param[in] roc_rate as in the context
 * @retval MCX_E_ARG @retval MCX_E_TRUNC @retval MCX_E_FORMAT
 */
MCX_MUST_CHECK mcx_err mcx_srtp_mki_read(struct mcx_bytes *mki, struct mcx_bytes packet, size_t mki_len,
                                         uint16_t roc_rate);
MCX_MUST_CHECK mcx_err mcx_srtcp_mki_read(struct mcx_bytes *mki, struct mcx_bytes packet, size_t mki_len);
/**
 * Take one protected control message off a datagram that may hold several (TS 24.380 8.1.1). Not for compound
 * RTCP, whose first length field does not tell the end.
 *
 * @retval MCX_E_TRUNC the length field points past the end
 */
MCX_MUST_CHECK mcx_err mcx_srtcp_take(struct mcx_bytes *one, struct mcx_rd *datagram, size_t mki_len);

struct mcx_srtp_rx;
/**
 * @param[in] max_ssrc streams kept under this key, 1 to MCX_SRTP_SSRC_MAX; further ones are refused
 * @retval MCX_E_ARG @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_srtp_rx_new(struct mcx_srtp_rx **out, const struct mcx_srtp_params *params, size_t max_ssrc);
void mcx_srtp_rx_free(struct mcx_srtp_rx *rx);
/** ROC to assume for the first packet of a stream that has none in it: the SSRC was heard under another master key. */
void mcx_srtp_rx_set_roc(struct mcx_srtp_rx *rx, uint32_t roc);
/** Highest SRTP index opened from an SSRC. @return false when there is none yet */
bool mcx_srtp_rx_index(const struct mcx_srtp_rx *rx, uint64_t *index, uint32_t ssrc);
/**
 * Authenticate and open one packet into `out`. On any error no state has changed and out->len is as before.
 * In place (packet.p == out->p + out->len) is allowed; a wrong tag then leaves zeros where the ciphertext was.
 *
 * @retval MCX_E_TRUNC @retval MCX_E_FORMAT too short, not RTP @retval MCX_E_NOKEY another MKI
 * @retval MCX_E_REPLAY @retval MCX_E_AUTH @retval MCX_E_SPACE
 * @retval MCX_E_POLICY too many streams, or an SRTCP packet with E = 0
 */
MCX_MUST_CHECK mcx_err mcx_srtp_unprotect(struct mcx_srtp_rx *rx, struct mcx_wr *out, struct mcx_bytes packet,
                                          struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_srtcp_unprotect(struct mcx_srtp_rx *rx, struct mcx_wr *out, struct mcx_bytes packet,
                                           struct mcx_refusal *why);

#ifdef __cplusplus
}
#endif

#endif
