/* SPDX-License-Identifier: Apache-2.0 */
/* What signer, verifier and KMS share: KPAK, the two hashes, Y, drawing a scalar (RFC 6507 5.1, 5.2). */
#include "crypto/eccsi/eccsi_internal.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sym/sym.h"

mcx_err mcx_eccsi_kms_new(struct mcx_eccsi_kms **out, const uint8_t kpak[MCX_ECCSI_POINT_LEN])
{
    struct mcx_eccsi_kms *kms = calloc(1, sizeof *kms);
    mcx_err err = MCX_OK;

    if (kms == NULL) {
        return MCX_E_NOMEM;
    }
    memcpy(kms->octets, kpak, sizeof kms->octets);
    MCX_GO(err, mcx_p256_new(&kms->curve));
    MCX_GO(err, mcx_p256_point_new(&kms->kpak, kms->curve));
    MCX_GO(err, mcx_p256_point_read(kms->kpak, kms->curve, kpak));
    *out = kms;
    return MCX_OK;
out:
    mcx_eccsi_kms_free(kms);
    return err;
}

void mcx_eccsi_kms_free(struct mcx_eccsi_kms *kms)
{
    if (kms != NULL) {
        mcx_p256_point_free(kms->kpak);
        mcx_p256_free(kms->curve);
        free(kms);
    }
}

mcx_err mcx_eccsi_hs(uint8_t hs[HASH_LEN], const uint8_t kpak[MCX_ECCSI_POINT_LEN], struct mcx_bytes uid,
                     const uint8_t pvt[MCX_ECCSI_POINT_LEN])
{
    struct mcx_bytes parts[4] = {
        { mcx_p256_g, MCX_P256_POINT_LEN }, { kpak, MCX_ECCSI_POINT_LEN }, uid, { pvt, MCX_ECCSI_POINT_LEN }
    };

    return mcx_sha256(hs, parts, 4);
}

mcx_err mcx_eccsi_he(uint8_t he[HASH_LEN], const uint8_t hs[HASH_LEN], const uint8_t r[32], struct mcx_bytes msg)
{
    struct mcx_bytes parts[3] = { { hs, HASH_LEN }, { r, 32 }, msg };

    return mcx_sha256(he, parts, 3);
}

mcx_err mcx_eccsi_y(struct mcx_p256_point *y, const struct mcx_eccsi_kms *kms, const uint8_t hs[HASH_LEN],
                    const uint8_t pvt[MCX_ECCSI_POINT_LEN])
{
    struct mcx_p256_point *p = NULL;
    struct mcx_p256_scalar k;
    mcx_err err = MCX_OK;

    mcx_p256_scalar_reduce(&k, hs);
    MCX_GO(err, mcx_p256_point_new(&p, kms->curve));
    MCX_GO(err, mcx_p256_point_read(p, kms->curve, pvt));
    MCX_GO(err, mcx_p256_mul_vartime(p, kms->curve, &k, p));
    MCX_GO(err, mcx_p256_add(y, kms->curve, p, kms->kpak));
    if (mcx_p256_point_is_infinity(y, kms->curve)) { /* Y = [SSK]G, and SSK is not 0 */
        err = MCX_E_AUTH;
    }
out:
    mcx_p256_point_free(p);
    return err;
}

/* One draw in 2^32 falls outside 1 .. q-1; a generator that fails so often in a row is broken. */
#define MAX_DRAWS 16

mcx_err mcx_eccsi_draw(struct mcx_p256_scalar *out, const struct mcx_rng *rng)
{
    uint8_t octets[MCX_P256_SCALAR_LEN];
    mcx_err err = MCX_E_RNG;
    bool found = false;

    for (size_t i = 0; i < MAX_DRAWS && !found; i++) {
        MCX_GO(err, mcx_rng_fill(rng, octets, sizeof octets));
        found = mcx_p256_scalar_read(out, octets);
    }
    err = found ? MCX_OK : MCX_E_RNG;
out:
    mcx_wipe(octets, sizeof octets);
    return err;
}
