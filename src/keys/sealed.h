/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KEYS_SEALED_H
#define MCX_KEYS_SEALED_H

/*
 * The sealed form that every file of keys has: magic 8 | version 2 | serial 8 | nonce 12 | AES-256-GCM ciphertext |
 * tag 16 (<mcx/store.h>). And the strings inside: a length of 2 octets and UTF-8; length 0 = absent.
 */

#include <mcx/store.h>

#define SEALED_NONCE_LEN 12
#define SEALED_HEAD_LEN  (8 + 2 + 8 + SEALED_NONCE_LEN)

/** One kind of sealed file, and what is said when it is refused. */
struct sealed_form {
    char magic[9]; /* and a NUL */
    uint16_t version;
    const char *too_large, *cut, *other, *version_other, *altered, *malformed, *older;
};

/** @retval as mcx_store_seal() */
MCX_MUST_CHECK mcx_err mcx_sealed_write(uint8_t **out, size_t *len, const struct sealed_form *form, uint64_t serial,
                                        struct mcx_bytes plain, const uint8_t key[MCX_STORE_KEY_LEN],
                                        const struct mcx_rng *rng);
/**
 * Open, and give the contents to `take`, which reads all of them into `ctx`. They lie in locked memory until it
 * returns.
 *
 * @retval as mcx_store_open(); what `take` says, MCX_E_ARG as MCX_E_FORMAT
 */
MCX_MUST_CHECK mcx_err mcx_sealed_read(uint64_t *serial, const struct sealed_form *form, struct mcx_bytes sealed,
                                       const uint8_t key[MCX_STORE_KEY_LEN], uint64_t min_serial,
                                       mcx_err (*take)(void *ctx, struct mcx_rd *rd), void *ctx,
                                       struct mcx_refusal *why);

/** A string; NULL as absent. */
MCX_MUST_CHECK mcx_err mcx_sealed_put_string(struct mcx_wr *wr, const char *s);
/** A string onto the heap, NULL when absent; bounded as URIs in documents are. @retval MCX_E_FORMAT @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_sealed_take_string(char **out, struct mcx_rd *rd);
/** Octets that mcx_sealed_put_string() needs. */
size_t mcx_sealed_string_len(const char *s);

#endif
