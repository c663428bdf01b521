/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_ECCSI_INTERNAL_H
#define MCX_CRYPTO_ECCSI_INTERNAL_H

/* The steps of RFC 6507 that its tests want to see one by one. */
#include <mcx/eccsi.h>

#include "crypto/ec/p256.h"

#define HASH_LEN 32

/** KPAK with the group it lives in. */
struct mcx_eccsi_kms {
    struct mcx_p256 *curve;
    struct mcx_p256_point *kpak;
    uint8_t octets[MCX_ECCSI_POINT_LEN];
};

/** HS = SHA-256(G || KPAK || ID || PVT) (RFC 6507 5.1.1). */
MCX_MUST_CHECK mcx_err mcx_eccsi_hs(uint8_t hs[HASH_LEN], const uint8_t kpak[MCX_ECCSI_POINT_LEN], struct mcx_bytes uid,
                                    const uint8_t pvt[MCX_ECCSI_POINT_LEN]);
/** HE = SHA-256(HS || r || M); r is the whole of Jx, N octets, never reduced modulo q (RFC 6507 5.2.1). */
MCX_MUST_CHECK mcx_err mcx_eccsi_he(uint8_t he[HASH_LEN], const uint8_t hs[HASH_LEN], const uint8_t r[32],
                                    struct mcx_bytes msg);
/** Y = [HS]PVT + KPAK (RFC 6507 5.2.2). @retval MCX_E_POINT PVT @retval MCX_E_AUTH Y is infinity */
MCX_MUST_CHECK mcx_err mcx_eccsi_y(struct mcx_p256_point *y, const struct mcx_eccsi_kms *kms,
                                   const uint8_t hs[HASH_LEN], const uint8_t pvt[MCX_ECCSI_POINT_LEN]);

/** A scalar drawn from 1 .. q-1 by rejection. */
MCX_MUST_CHECK mcx_err mcx_eccsi_draw(struct mcx_p256_scalar *out, const struct mcx_rng *rng);

/**
 * r and s of a message for the nonce j and the point J = [j]G. Constant time in SSK and j.
 *
 * @retval MCX_E_RNG  this j does not do: r = 0 or HE + r * SSK = 0; draw another
 */
MCX_MUST_CHECK mcx_err mcx_eccsi_sign_with(uint8_t sig[MCX_ECCSI_SIG_LEN], const struct mcx_eccsi_key *key,
                                           struct mcx_bytes msg, const struct mcx_p256_scalar *j,
                                           const uint8_t point_j[MCX_P256_POINT_LEN]);
/** x([s]([HE]G + [r]Y)) = r mod p (RFC 6507 5.2.2). @retval MCX_E_AUTH */
MCX_MUST_CHECK mcx_err mcx_eccsi_verify_equation(const struct mcx_p256 *curve, const uint8_t he[HASH_LEN],
                                                 const uint8_t r[32], const uint8_t s[32],
                                                 const struct mcx_p256_point *y);

#endif
