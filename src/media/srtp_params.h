/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MEDIA_SRTP_PARAMS_H
#define MCX_MEDIA_SRTP_PARAMS_H

/* What follows the tag, and how a protected packet is taken apart. */

#include <mcx/srtp.h>

#include "media/srtp_packet.h"

/** MKI and RCCm3 of a context. */
struct srtp_tail {
    uint8_t mki[MCX_SRTP_MKI_MAX];
    size_t mki_len;
    uint16_t roc_rate;
};
/** @retval MCX_E_ARG the MKI has not 0, 4 or 8 octets */
MCX_MUST_CHECK mcx_err mcx_srtp_tail_init(struct srtp_tail *out, const struct mcx_srtp_params *params);
/** RCCm3: the packet of every R-th sequence number ends with the ROC (RFC 4771 2). */
bool mcx_srtp_tail_has_roc(const struct srtp_tail *tail, uint16_t seq);
size_t mcx_srtp_tail_len(const struct srtp_tail *tail, uint16_t seq);

/** First 8 octets of an RTCP packet, whose last four are the SSRC. @retval MCX_E_TRUNC @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_srtcp_clear_read(struct mcx_bytes *clear, uint32_t *ssrc, struct mcx_rd *rd);

/** A received packet; views. Nothing in it is authentic yet. */
struct srtp_in {
    struct srtp_parts parts;
    uint32_t ssrc;
    uint16_t seq;  /* SRTP */
    uint32_t word; /* SRTCP: E and index */
    struct mcx_bytes mki;
    bool has_roc;
    uint32_t roc;
};
MCX_MUST_CHECK mcx_err mcx_srtp_in_read(struct srtp_in *out, const struct srtp_tail *tail, struct mcx_bytes packet,
                                        struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_srtcp_in_read(struct srtp_in *out, const struct srtp_tail *tail, struct mcx_bytes packet,
                                         struct mcx_refusal *why);

#endif
