/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MEDIA_SRTP_PACKET_H
#define MCX_MEDIA_SRTP_PACKET_H

/* Session keys, nonces and the cipher step of one SRTP or SRTCP packet; no state, no MKI. */

#include <mcx/ident.h>

#include "crypto/sym/sym.h"

#define SRTP_NONCE_LEN    12 /* RFC 7714 8.1 */
#define SRTP_TAG_LEN      MCX_GCM_TAG_LEN
#define SRTP_KDF_SALT_LEN 14 /* RFC 3711 4.3 */
#define SRTP_INDEX_MAX    ((UINT64_C(1) << 48) - 1)
#define SRTCP_CLEAR_LEN   8 /* first RTCP header with the SSRC (RFC 7714 9.2) */
#define SRTCP_WORD_LEN    4
#define SRTCP_INDEX_MAX   UINT32_C(0x7fffffff)
#define SRTCP_E_FLAG      UINT32_C(0x80000000)

/* Labels of RFC 3711 4.3.1 and 4.3.2; 1 and 4 (authentication keys) are not used with GCM. */
enum srtp_label {
    SRTP_LABEL_RTP_KEY = 0,
    SRTP_LABEL_RTP_SALT = 2,
    SRTP_LABEL_RTCP_KEY = 3,
    SRTP_LABEL_RTCP_SALT = 5,
};

/** Session key, as key schedule, and session salt. */
struct srtp_cipher {
    struct mcx_gcm *gcm;
    uint8_t salt[MCX_SRTP_SALT_LEN];
};

/** A packet taken apart; views. `tag` only when it is opened. */
struct srtp_parts {
    struct mcx_bytes clear;
    struct mcx_bytes body;
    struct mcx_bytes tag;
};

/** AES-CM key derivation with rate 0 (RFC 3711 4.3.1, 4.3.3). */
MCX_MUST_CHECK mcx_err mcx_srtp_kdf(uint8_t *out, size_t len, const struct mcx_key *key,
                                    const uint8_t salt[SRTP_KDF_SALT_LEN], enum srtp_label label);
MCX_MUST_CHECK mcx_err mcx_srtp_cipher_init(struct srtp_cipher *out, struct mcx_bytes session_key,
                                            const uint8_t session_salt[MCX_SRTP_SALT_LEN]);
MCX_MUST_CHECK mcx_err mcx_srtp_cipher_derive(struct srtp_cipher *out, const struct mcx_srtp_master *master,
                                              enum srtp_label key_label, enum srtp_label salt_label);
void mcx_srtp_cipher_clear(struct srtp_cipher *cipher);

void mcx_srtp_nonce(uint8_t nonce[SRTP_NONCE_LEN], const struct srtp_cipher *cipher, uint32_t ssrc, uint64_t index);
void mcx_srtcp_nonce(uint8_t nonce[SRTP_NONCE_LEN], const struct srtp_cipher *cipher, uint32_t ssrc, uint32_t index);

/** out := clear | ciphertext | tag; `out` may be clear.p when the body follows it there. */
MCX_MUST_CHECK mcx_err mcx_srtp_seal(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in,
                                     uint32_t ssrc, uint64_t index);
/** out := clear | plaintext. @retval MCX_E_AUTH only the octets after the clear part were written, with zero */
MCX_MUST_CHECK mcx_err mcx_srtp_open(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in,
                                     uint32_t ssrc, uint64_t index);
/** out := clear | ciphertext | tag | E and index. */
MCX_MUST_CHECK mcx_err mcx_srtcp_seal(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in,
                                      uint32_t ssrc, uint32_t index);
MCX_MUST_CHECK mcx_err mcx_srtcp_open(struct srtp_cipher *cipher, uint8_t *out, const struct srtp_parts *in,
                                      uint32_t ssrc, uint32_t index);

#endif
