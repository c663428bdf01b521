/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_SYM_H
#define MCX_CRYPTO_SYM_H

/*
 * The seam to the provider of hash, HMAC and AES (OpenSSL in sym_openssl.c). No other file under src/crypto,
 * src/ident, src/media, src/keys or src/kms calls the provider for these.
 * Functions return MCX_E_BUG when the provider fails where it must not, MCX_E_NOMEM when it lacks memory.
 */

#include <mcx/bytes.h>
#include <mcx/secret.h>

#define MCX_SHA256_LEN 32

/** SHA-256 over the concatenation of `num` parts. */
MCX_MUST_CHECK mcx_err mcx_sha256(uint8_t out[MCX_SHA256_LEN], const struct mcx_bytes *parts, size_t num);
/** HMAC-SHA-256 over the concatenation of `num` parts. */
MCX_MUST_CHECK mcx_err mcx_hmac_sha256(uint8_t out[MCX_SHA256_LEN], struct mcx_bytes key,
                                       const struct mcx_bytes *parts, size_t num);

/** AES-128-CTR key stream of `len` octets from the 16-octet initial counter block (RFC 3711 4.1.1). */
MCX_MUST_CHECK mcx_err mcx_aes128_ctr_stream(uint8_t *out, size_t len, const struct mcx_key *key,
                                             const uint8_t counter[16]);

/** AES-GCM context with its key schedule; 16- or 32-octet keys, nonces of 12 or 16 octets, 16-octet tag. */
#define MCX_GCM_TAG_LEN 16
struct mcx_gcm;
MCX_MUST_CHECK mcx_err mcx_gcm_new(struct mcx_gcm **out, struct mcx_bytes key, size_t nonce_len);
void mcx_gcm_free(struct mcx_gcm *gcm);
/** out may be in.p (in place) and gets in.len octets; tag gets 16. */
MCX_MUST_CHECK mcx_err mcx_gcm_seal(struct mcx_gcm *gcm, uint8_t *out, uint8_t tag[MCX_GCM_TAG_LEN],
                                    const uint8_t *nonce, struct mcx_bytes aad, struct mcx_bytes in);
/** @retval MCX_E_AUTH the tag is wrong; `out` is wiped */
MCX_MUST_CHECK mcx_err mcx_gcm_open(struct mcx_gcm *gcm, uint8_t *out, const uint8_t *nonce, struct mcx_bytes aad,
                                    struct mcx_bytes in, const uint8_t tag[MCX_GCM_TAG_LEN]);

/**
 * AES-256 key wrap: RFC 3394 when in.len is a multiple of 8 and `pad` is false, else RFC 5649.
 * out needs in.len rounded up to 8, plus 8.
 */
MCX_MUST_CHECK mcx_err mcx_kw256_wrap(uint8_t *out, size_t cap, size_t *out_len, const uint8_t kek[32], bool pad,
                                      struct mcx_bytes in);
/** Either form by its integrity word. @retval MCX_E_AUTH neither fits; `out` is wiped */
MCX_MUST_CHECK mcx_err mcx_kw256_unwrap(uint8_t *out, size_t cap, size_t *out_len, const uint8_t kek[32],
                                        struct mcx_bytes in);

/** Key of 32 octets from a passphrase: scrypt (RFC 7914), N = 2^15, r = 8, p = 1. */
MCX_MUST_CHECK mcx_err mcx_passphrase_key(uint8_t out[32], struct mcx_bytes passphrase, const uint8_t salt[16]);

#endif
