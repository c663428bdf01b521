/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and verifying (RFC 6507 5.2). */
#include "crypto/eccsi/eccsi_internal.h"

#include <string.h>

mcx_err mcx_eccsi_sign_with(uint8_t sig[MCX_ECCSI_SIG_LEN], const struct mcx_eccsi_key *key, struct mcx_bytes msg,
                            const struct mcx_p256_scalar *j, const uint8_t point_j[MCX_P256_POINT_LEN])
{
    const uint8_t *r = point_j + 1; /* the whole x coordinate: it may be q or more */
    struct mcx_p256_scalar ssk;
    struct mcx_p256_scalar d; /* HE + r * SSK */
    struct mcx_p256_scalar t;
    uint8_t he[HASH_LEN];
    uint64_t zero = 0;
    mcx_err err = MCX_E_RNG;

    if (!mcx_p256_is_x(r)) {
        return MCX_E_RNG;
    }
    if (!mcx_p256_scalar_read(&ssk, key->ssk)) {
        return MCX_E_ARG;
    }
    MCX_GO(err, mcx_eccsi_he(he, key->hs, r, msg));
    mcx_p256_scalar_reduce(&t, r);
    mcx_p256_scalar_mul(&d, &t, &ssk);
    mcx_p256_scalar_reduce(&t, he);
    mcx_p256_scalar_add(&d, &d, &t);
    zero = mcx_p256_scalar_is_zero(&d);
    MCX_CT_PUBLIC(&zero, sizeof zero); /* true once in 2^256; then this j is thrown away */
    if (zero != 0) {
        err = MCX_E_RNG;
        goto out;
    }
    mcx_p256_scalar_inverse(&d, &d);
    mcx_p256_scalar_mul(&d, &d, j);
    memcpy(sig, r, 32);
    mcx_p256_scalar_write(sig + 32, &d);
    memcpy(sig + 64, key->pvt, sizeof key->pvt);
    MCX_CT_PUBLIC(sig, MCX_ECCSI_SIG_LEN); /* a signature is sent to everybody */
out:
    mcx_p256_scalar_clear(&ssk);
    mcx_p256_scalar_clear(&d);
    mcx_p256_scalar_clear(&t);
    return err;
}

/* A nonce that does not do turns up once in 2^255 signatures. */
#define MAX_NONCES 16

mcx_err mcx_eccsi_sign(uint8_t sig[MCX_ECCSI_SIG_LEN], const struct mcx_eccsi_key *key, struct mcx_bytes msg,
                       const struct mcx_rng *rng)
{
    struct mcx_p256 *own = NULL;
    const struct mcx_p256 *curve = key->curve;
    struct mcx_p256_scalar j = { 0 };
    uint8_t point[MCX_P256_POINT_LEN];
    mcx_err err = MCX_OK;

    if (curve == NULL) {
        MCX_TRY(mcx_p256_new(&own));
        curve = own;
    }
    for (size_t i = 0; i < MAX_NONCES; i++) {
        MCX_GO(err, mcx_eccsi_draw(&j, rng));
        MCX_GO(err, mcx_p256_mul_base(point, curve, &j));
        MCX_CT_PUBLIC(point, sizeof point); /* J: whoever verifies computes it */
        err = mcx_eccsi_sign_with(sig, key, msg, &j, point);
        if (err != MCX_E_RNG) {
            break;
        }
    }
out:
    mcx_p256_scalar_clear(&j);
    mcx_wipe(point, sizeof point);
    mcx_p256_free(own);
    return err;
}

mcx_err mcx_eccsi_verify_equation(const struct mcx_p256 *curve, const uint8_t he[HASH_LEN], const uint8_t r[32],
                                  const uint8_t s[32], const struct mcx_p256_point *y)
{
    struct mcx_p256_point *point = NULL;
    struct mcx_p256_scalar k;
    struct mcx_p256_scalar a;
    struct mcx_p256_scalar b;
    uint8_t octets[MCX_P256_POINT_LEN];
    mcx_err err = MCX_OK;

    if (!mcx_p256_is_x(r) || !mcx_p256_scalar_read(&k, s)) {
        return MCX_E_AUTH; /* RFC 6507 does not ask for the range of s: docs/DEVIATIONS.md "eccsi-s-range" */
    }
    mcx_p256_scalar_reduce(&a, he);
    mcx_p256_scalar_mul(&a, &a, &k); /* J = [s * HE]G + [s * r]Y */
    mcx_p256_scalar_reduce(&b, r);
    mcx_p256_scalar_mul(&b, &b, &k);
    MCX_GO(err, mcx_p256_point_new(&point, curve));
    MCX_GO(err, mcx_p256_mul2_vartime(point, curve, &a, &b, y));
    if (mcx_p256_point_is_infinity(point, curve)) {
        err = MCX_E_AUTH;
        goto out;
    }
    MCX_GO(err, mcx_p256_point_write(octets, curve, point));
    err = mcx_ct_equal(octets + 1, r, 32) ? MCX_OK : MCX_E_AUTH;
out:
    mcx_p256_point_free(point);
    return err;
}

mcx_err mcx_eccsi_verify(const struct mcx_eccsi_kms *kms, struct mcx_bytes uid, struct mcx_bytes msg,
                         const uint8_t sig[MCX_ECCSI_SIG_LEN])
{
    const uint8_t *pvt = sig + 64;
    struct mcx_p256_point *y = NULL;
    uint8_t hs[HASH_LEN];
    uint8_t he[HASH_LEN];
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_p256_point_new(&y, kms->curve));
    MCX_GO(err, mcx_eccsi_hs(hs, kms->octets, uid, pvt));
    MCX_GO(err, mcx_eccsi_y(y, kms, hs, pvt)); /* PVT comes from the wire: checked first */
    MCX_GO(err, mcx_eccsi_he(he, hs, sig, msg));
    MCX_GO(err, mcx_eccsi_verify_equation(kms->curve, he, sig, sig + 32, y));
out:
    mcx_p256_point_free(y);
    return err;
}
