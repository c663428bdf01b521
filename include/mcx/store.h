/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_STORE_H
#define MCX_STORE_H

/*
 * The key store of an end-point: what it got from its KMSs, between runs of the program. It holds the
 * certificates of several KMSs, key sets of several users and periods, and for each home KMS the number of its
 * certificate cache. At rest it is one sealed octet string; in memory it is a secret as a whole.
 *
 *   mcx_store_open()  sealed octets -> store      mcx_store_load()  store -> keyring (checks every equation)
 *   mcx_store_seal()  store -> sealed octets      mcx_store_put_*() what the KMS client accepted
 *
 * Sealed form: "mcxstore" | version 2 octets | serial 8 | nonce 12 | AES-256-GCM ciphertext | tag 16. All that
 * stands before the ciphertext is additional authenticated data. The nonce is drawn anew at every sealing, the
 * serial rises by one. A reader that remembers the serial refuses an older file; a whole old file put back
 * between two runs cannot be told from the real one (docs/THREAT-MODEL.md).
 *
 * Files, permissions and atomic replacement: src/io/store_file.h.
 */

#include <mcx/keyring.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_STORE_KEY_LEN      32
#define MCX_STORE_VERSION      1
#define MCX_STORE_MAX          (1u << 20) /* octets of a sealed store */
#define MCX_STORE_MAX_CERTS    512
#define MCX_STORE_MAX_KEY_SETS 256
#define MCX_STORE_MAX_HOMES    16

/** A KMS that gives us keys, and what we know of its certificate cache. */
struct mcx_store_home {
    char *kms_uri;
    bool has_cache;
    uint64_t cache_num;  /* CacheNum of the last KmsCertCache */
    uint64_t last_fetch; /* Unix seconds of the last completed fetch; 0 = none */
};

struct mcx_store;

/** An empty store with serial 0. @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_store_new(struct mcx_store **out);
/** Wipe and release; NULL is allowed. */
void mcx_store_free(struct mcx_store *store);

/**
 * Keep a certificate. The same KmsUri and CertUri again replaces the old one (TS 33.180 5.3.5), but what a home
 * KMS said about itself (Role Root) is not replaced by what another KMS says about it: that one is ignored.
 *
 * @retval MCX_E_SPACE full @retval MCX_E_NOMEM @retval MCX_E_ARG no KmsUri
 */
MCX_MUST_CHECK mcx_err mcx_store_put_cert(struct mcx_store *store, const struct mcx_kms_cert *cert);
/** Keep a key set; the same KMS, user and period again replaces the old one. @retval as mcx_store_put_cert */
MCX_MUST_CHECK mcx_err mcx_store_put_key_set(struct mcx_store *store, const struct mcx_kms_key_set *set);
/** Keep what is known of a home KMS. `home` is copied. @retval as mcx_store_put_cert */
MCX_MUST_CHECK mcx_err mcx_store_put_home(struct mcx_store *store, const struct mcx_store_home *home);

uint64_t mcx_store_serial(const struct mcx_store *store);
size_t mcx_store_num_certs(const struct mcx_store *store);
size_t mcx_store_num_key_sets(const struct mcx_store *store);
size_t mcx_store_num_homes(const struct mcx_store *store);
/** Borrowed until the next put or expire. */
const struct mcx_kms_cert *mcx_store_cert(const struct mcx_store *store, size_t i);
const struct mcx_kms_key_set *mcx_store_key_set(const struct mcx_store *store, size_t i);
const struct mcx_store_home *mcx_store_home(const struct mcx_store *store, size_t i);
/** NULL when that KMS is no home of ours. */
const struct mcx_store_home *mcx_store_find_home(const struct mcx_store *store, const char *kms_uri);
/** The certificate of a KMS that is not revoked, the latest ValidFrom first; NULL when there is none. */
const struct mcx_kms_cert *mcx_store_find_cert(const struct mcx_store *store, const char *kms_uri);
/** NULL when there is none for that period. */
const struct mcx_kms_key_set *mcx_store_find_key_set(const struct mcx_store *store, const char *kms_uri,
                                                     const char *user_uri, uint64_t period_no);

/**
 * Wipe what has served (docs/DEVIATIONS.md "store-ssk-grace", "store-periods-kept"): the SSK of a period that ended
 * more than 5 minutes ago, and whole key sets older than the two periods before the present one. Sets whose certificate
 * is not held stay.
 *
 * @return how many were changed
 */
size_t mcx_store_expire(struct mcx_store *store, struct mcx_ntp now);

/**
 * Everything into a keyring, which checks every point, period and equation again. Revoked key sets are left out.
 *
 * @retval as mcx_keyring_add_cert() and mcx_keyring_add_key_set(); `ring` may then hold a part
 */
MCX_MUST_CHECK mcx_err mcx_store_load(struct mcx_keyring *ring, const struct mcx_store *store, struct mcx_refusal *why);

/**
 * Seal with the next serial, which `store` takes on success.
 *
 * @param[out] out  octets on the heap; release with free() (they are ciphertext)
 * @retval MCX_E_RNG @retval MCX_E_NOMEM @retval MCX_E_SPACE over MCX_STORE_MAX
 */
MCX_MUST_CHECK mcx_err mcx_store_seal(uint8_t **out, size_t *len, struct mcx_store *store,
                                      const uint8_t key[MCX_STORE_KEY_LEN], const struct mcx_rng *rng);
/**
 * Open a sealed store.
 *
 * @param[in] min_serial  the highest serial seen so far, 0 when none
 * @retval MCX_E_FORMAT   no key store   @retval MCX_E_UNSUP  another version of the format
 * @retval MCX_E_TRUNC    too short      @retval MCX_E_SPACE  over MCX_STORE_MAX
 * @retval MCX_E_AUTH     another key, or altered
 * @retval MCX_E_REPLAY   older than `min_serial`
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_store_open(struct mcx_store **out, struct mcx_bytes sealed,
                                      const uint8_t key[MCX_STORE_KEY_LEN], uint64_t min_serial,
                                      struct mcx_refusal *why);

#ifdef __cplusplus
}
#endif

#endif
