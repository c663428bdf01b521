/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SRTP_H
#define MCX_SRTP_H

/*
 * SRTP and SRTCP with AEAD_AES_128_GCM as MCPTT uses them (RFC 3711, RFC 7714, RFC 4771; media.md 3-6).
 *
 * A transmit context protects one SSRC with one master key. A receive context holds one master key, found by
 * its MKI, and the state of each SSRC seen under it. State is stored only after the tag was good.
 *
 *   SRTP:  header | ciphertext | tag 16 | MKI | ROC 4 (RCCm3, when SEQ mod R = 0)
 *   SRTCP: 8 octets | ciphertext | tag 16 | E || index 4 | MKI
 */

#include <mcx/bytes.h>
#include <mcx/ident.h>

#define MCX_SRTP_MKI_MAX 8
#define MCX_SRTP_OVERHEAD_MAX (16 + MCX_SRTP_MKI_MAX + 4)
#define MCX_SRTCP_OVERHEAD_MAX (16 + 4 + MCX_SRTP_MKI_MAX)

struct mcx_srtp_params {
    const struct mcx_srtp_master *master;
    struct mcx_bytes mki; /* 4 octets, or 8 for a group (GMK-ID || GUK-ID); 0 = none (laboratory) */
    uint16_t roc_rate;    /* R of RCCm3; 0 = no ROC in the packets */
};

struct mcx_srtp_tx;
MCX_MUST_CHECK mcx_err mcx_srtp_tx_new(struct mcx_srtp_tx **out, const struct mcx_srtp_params *params);
void mcx_srtp_tx_free(struct mcx_srtp_tx *tx);
/** Roll-over counter to start from; laboratory and tests. @retval MCX_E_STATE packets were already sent */
MCX_MUST_CHECK mcx_err mcx_srtp_tx_set_roc(struct mcx_srtp_tx *tx, uint32_t roc);
/**
 * Protect one RTP packet into `out` (in place is allowed: packet.p == out->p + out->len).
 *
 * @retval MCX_E_FORMAT not an RTP packet @retval MCX_E_SPACE @retval MCX_E_STATE 2^48 packets sent, or a sequence
 *         number that would repeat an index
 */
MCX_MUST_CHECK mcx_err mcx_srtp_protect(struct mcx_srtp_tx *tx, struct mcx_wr *out, struct mcx_bytes packet);
MCX_MUST_CHECK mcx_err mcx_srtcp_protect(struct mcx_srtp_tx *tx, struct mcx_wr *out, struct mcx_bytes packet);

struct mcx_srtp_rx;
/** @param[in] max_ssrc streams kept under this key; further ones are refused */
MCX_MUST_CHECK mcx_err mcx_srtp_rx_new(struct mcx_srtp_rx **out, const struct mcx_srtp_params *params,
                                       size_t max_ssrc);
void mcx_srtp_rx_free(struct mcx_srtp_rx *rx);
/** ROC to assume for the first packet of a stream; laboratory and tests. */
void mcx_srtp_rx_set_roc(struct mcx_srtp_rx *rx, uint32_t roc);
/**
 * Authenticate and open one packet into `out`. On any error no state has changed and `out` is unchanged.
 *
 * @retval MCX_E_TRUNC @retval MCX_E_FORMAT too short, not RTP @retval MCX_E_NOKEY another MKI
 * @retval MCX_E_REPLAY @retval MCX_E_AUTH @retval MCX_E_SPACE @retval MCX_E_POLICY too many streams
 */
MCX_MUST_CHECK mcx_err mcx_srtp_unprotect(struct mcx_srtp_rx *rx, struct mcx_wr *out, struct mcx_bytes packet,
                                          struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_srtcp_unprotect(struct mcx_srtp_rx *rx, struct mcx_wr *out, struct mcx_bytes packet,
                                           struct mcx_refusal *why);

#endif
