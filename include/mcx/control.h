/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CONTROL_H
#define MCX_CONTROL_H

/*
 * Control channels between client and server: one CSK (client and participating function), or SPK (between servers), and
 * what is protected with it as SRTCP: floor control and pre-established session messages (TS 33.180 9.4.6; TS 24.380
 * 13.1).
 *
 * The client makes the CSK and sends it in an I_MESSAGE to the server's identity at registration (TS 33.180 5.4); the
 * server may replace it by a key download (5.8). Both ends have the same SRTCP master key; what keeps their nonces apart
 * is the SSRC, so each end has one SSRC and one index for the life of the key, and a packet under our own SSRC is refused.
 */

#include <mcx/imessage.h>
#include <mcx/srtp.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A key of a control channel and what its SRTCP keys are derived from. Secret. */
struct mcx_control_key {
    enum mcx_key_type type; /* MCX_KEY_CSK, MCX_KEY_SPK */
    struct mcx_key key;
    uint32_t key_id;
    uint8_t rand[MCX_IMESSAGE_RAND_MAX];
    size_t rand_len;
};
void mcx_control_key_clear(struct mcx_control_key *key);
/** Key, identifier and RAND of an accepted message. @retval MCX_E_POLICY no CSK or SPK, or no streams */
MCX_MUST_CHECK mcx_err mcx_control_key_of(struct mcx_control_key *out, const struct mcx_imessage *msg);

/**
 * Make a CSK and its I_MESSAGE: from the user to the server (upload, TS 33.180 5.4), or from the server to the user
 * (download, 5.8).
 *
 * @param[out] message  written octets appended; unchanged on error
 * @retval as mcx_imessage_make()
 */
MCX_MUST_CHECK mcx_err mcx_csk_make(struct mcx_control_key *out, struct mcx_wr *message, struct mcx_bytes from,
                                    struct mcx_bytes to, struct mcx_ntp now, const struct mcx_keyring *ring,
                                    const struct mcx_rng *rng, struct mcx_refusal *why);

/** The SRTCP contexts of one end of a channel. */
struct mcx_control;
/**
 * Draws an SSRC, so that a key taken up again (restart, second context) repeats no nonce.
 *
 * @param[in] max_ssrc  senders accepted under the key, 1 to MCX_SRTP_SSRC_MAX; a client and its server need 1
 * @retval MCX_E_RNG (own SSRC) @retval MCX_E_NOMEM @retval MCX_E_ARG  no CSK or SPK, or max_ssrc
 */
MCX_MUST_CHECK mcx_err mcx_control_new(struct mcx_control **out, const struct mcx_control_key *key, size_t max_ssrc,
                                       const struct mcx_rng *rng);
void mcx_control_free(struct mcx_control *control);
/** SSRC for the header of every message of ours under this key. */
uint32_t mcx_control_ssrc(const struct mcx_control *control);
uint32_t mcx_control_key_id(const struct mcx_control *control);
/** Protect one message, whose SSRC must be mcx_control_ssrc(). @retval MCX_E_STATE another SSRC, or 2^31 packets
 * @retval MCX_E_FORMAT no RTCP packet of just that length @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_control_protect(struct mcx_control *control, struct mcx_wr *out, struct mcx_bytes message);
/**
 * Take the next message off a datagram (which may hold several, TS 24.380 8.1.1), authenticate and open it. Plaintext
 * is never taken. The cursor is moved past it also when it is refused, unless its end cannot be found.
 *
 * @retval MCX_E_TRUNC  its end cannot be found @retval MCX_E_NOKEY another key @retval MCX_E_REPLAY @retval MCX_E_AUTH
 * @retval MCX_E_FORMAT not version 2 @retval MCX_E_SPACE
 * @retval MCX_E_POLICY under our own SSRC, E = 0, or one sender too many
 */
MCX_MUST_CHECK mcx_err mcx_control_take(struct mcx_control *control, struct mcx_wr *out, struct mcx_rd *datagram,
                                        struct mcx_refusal *why);
/** MKI (CSK-ID) of the first message of a datagram, before any check, to find the channel. @retval MCX_E_TRUNC
 * @retval MCX_E_FORMAT not version 2 */
MCX_MUST_CHECK mcx_err mcx_control_mki(uint32_t *key_id, struct mcx_bytes datagram);

#ifdef __cplusplus
}
#endif

#endif
