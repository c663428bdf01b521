/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GMS_KEY_H
#define MCX_GMS_KEY_H

/*
 * A group key as the GMS keeps it (TS 33.180 5.7.1): GMK or MKFC, its identifier and the RAND that all members get.
 *
 * At rest: version 1 | nonce 12 | AES-256-GCM of (key 16 | RAND 16) | tag 16, with "mcxgmkey", type and identifier as
 * additional authenticated data, so that a record cannot be put in the place of another.
 */

#include <mcx/ident.h>

#define MCX_GMS_SEAL_KEY_LEN 32
#define MCX_GMS_RAND_LEN     16
#define MCX_GMS_SEALED_LEN   (1 + 12 + MCX_KEY_LEN + MCX_GMS_RAND_LEN + 16)

/** A secret as a whole; wipe with mcx_gms_key_clear(). */
struct mcx_gms_key {
    enum mcx_key_type type; /* MCX_KEY_GMK or MCX_KEY_MKFC */
    uint32_t key_id;        /* GMK-ID, MKFC-ID */
    struct mcx_key key;
    uint8_t rand[MCX_GMS_RAND_LEN];
};
void mcx_gms_key_clear(struct mcx_gms_key *key);

/** Draw key, identifier and RAND. @retval MCX_E_ARG another type @retval MCX_E_RNG; `out` is wiped on error */
MCX_MUST_CHECK mcx_err mcx_gms_key_draw(struct mcx_gms_key *out, enum mcx_key_type type, const struct mcx_rng *rng);
/** @retval MCX_E_RNG @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_gms_key_seal(uint8_t out[MCX_GMS_SEALED_LEN], const struct mcx_gms_key *key,
                                        const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN], const struct mcx_rng *rng);
/**
 * Open the sealed form of the key that is known to have this type and identifier.
 *
 * @param[out] out  wiped on error
 * @retval MCX_E_TRUNC @retval MCX_E_TRAILING @retval MCX_E_UNSUP  not of the form above
 * @retval MCX_E_AUTH  another seal key, altered, or the record of another key
 */
MCX_MUST_CHECK mcx_err mcx_gms_key_open(struct mcx_gms_key *out, struct mcx_bytes sealed, enum mcx_key_type type,
                                        uint32_t key_id, const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN]);

#endif
