/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_RTP_H
#define MCX_RTP_H

/*
 * The RTP header (RFC 3550 5.1) and the state of one outgoing stream.
 *
 * A packet that is read gives views into the caller's octets. In SRTP everything before the payload is
 * authenticated but travels in the clear; mcx_rtp_header_len() tells where it ends.
 */

#include <mcx/bytes.h>
#include <mcx/seam.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_RTP_HEADER_MIN 12
#define MCX_RTP_CSRC_MAX   15

struct mcx_rtp {
    bool marker;
    uint8_t pt;            /* payload type, 7 bits */
    uint16_t seq;          /* sequence number */
    uint32_t ts;           /* timestamp in samples */
    uint32_t ssrc;         /* synchronisation source */
    struct mcx_bytes csrc; /* contributing sources, 4 octets each, at most 15 */
    bool has_ext;          /* a header extension is there (RFC 3550 5.3.1) */
    uint16_t ext_profile;  /* its 16 bits "defined by profile" */
    struct mcx_bytes ext;  /* its words, a multiple of 4 octets */
    struct mcx_bytes payload;
    uint8_t padding; /* octets of padding with their count octet; 0 = P bit clear */
};

/** Read a whole packet. @retval MCX_E_TRUNC @retval MCX_E_FORMAT version not 2, padding count 0 or too large */
MCX_MUST_CHECK mcx_err mcx_rtp_read(struct mcx_rtp *out, struct mcx_bytes packet);
/** Write a whole packet. @retval MCX_E_ARG a field that cannot be written @retval MCX_E_SPACE `out` is unchanged */
MCX_MUST_CHECK mcx_err mcx_rtp_write(struct mcx_wr *out, const struct mcx_rtp *rtp);
/**
 * Octets of header, CSRC list and extension; `ssrc` and `seq` may be NULL. Padding is not looked at: it may
 * be encrypted.
 *
 * @retval MCX_E_TRUNC @retval MCX_E_FORMAT version not 2
 */
MCX_MUST_CHECK mcx_err mcx_rtp_header_len(size_t *len, uint32_t *ssrc, uint16_t *seq, struct mcx_bytes packet);

/** One outgoing stream. */
struct mcx_rtp_source {
    uint32_t ssrc;
    uint32_t ts;
    uint16_t seq;
    uint8_t pt;
    bool talk_start; /* the next packet gets the marker bit (RFC 3551 4.1) */
};
/**
 * Random SSRC and timestamp; random SEQ below 2^15, so that the loss of the first packets cannot hide a
 * roll-over (RFC 3711 3.3.1).
 *
 * @retval MCX_E_RNG @retval MCX_E_ARG `pt` over 127
 */
MCX_MUST_CHECK mcx_err mcx_rtp_source_init(struct mcx_rtp_source *src, uint8_t pt, const struct mcx_rng *rng);
/** Write the next packet, then advance by one in SEQ and by `num_samples` in time. @retval MCX_E_SPACE unchanged */
MCX_MUST_CHECK mcx_err mcx_rtp_source_write(struct mcx_rtp_source *src, struct mcx_wr *out, struct mcx_bytes payload,
                                            uint32_t num_samples);
/** Nothing is sent for `num_samples`; the next packet opens a talk spurt. */
void mcx_rtp_source_pause(struct mcx_rtp_source *src, uint32_t num_samples);

#ifdef __cplusplus
}
#endif

#endif
