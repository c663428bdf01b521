/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: the master secret, extraction by the KMS, the check by the user (RFC 6507 5.1). */
#include "crypto/eccsi/eccsi_internal.h"

#include <string.h>

mcx_err mcx_eccsi_master_generate(struct mcx_eccsi_master *out, const struct mcx_rng *rng)
{
    struct mcx_p256_scalar k;
    mcx_err err = mcx_eccsi_draw(&k, rng);

    if (err == MCX_OK) {
        mcx_p256_scalar_write(out->ksak, &k);
    }
    mcx_p256_scalar_clear(&k);
    return err;
}

void mcx_eccsi_master_clear(struct mcx_eccsi_master *master)
{
    mcx_wipe(master, sizeof *master);
}

mcx_err mcx_eccsi_master_public(uint8_t kpak[MCX_ECCSI_POINT_LEN], const struct mcx_eccsi_master *master)
{
    struct mcx_p256 *curve = NULL;
    struct mcx_p256_scalar k;
    mcx_err err = MCX_E_ARG;

    if (!mcx_p256_scalar_read(&k, master->ksak)) {
        goto out;
    }
    MCX_GO(err, mcx_p256_new(&curve));
    MCX_GO(err, mcx_p256_mul_base(kpak, curve, &k));
    MCX_CT_PUBLIC(kpak, MCX_ECCSI_POINT_LEN); /* the KMS publishes it */
out:
    mcx_p256_scalar_clear(&k);
    mcx_p256_free(curve);
    return err;
}

/* Everything of one extraction; all but the points is secret. */
struct extraction {
    struct mcx_p256_scalar ksak, v, hs, ssk;
    uint8_t kpak[MCX_ECCSI_POINT_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
};

/* PVT = [v]G, SSK = KSAK + HS * v mod q. *again is set when HS or SSK is 0 mod q. */
static mcx_err extract_once(struct extraction *x, bool *again, const struct mcx_p256 *curve, struct mcx_bytes uid,
                            const struct mcx_rng *rng)
{
    uint8_t hs[HASH_LEN];
    uint64_t zero = 0;

    MCX_TRY(mcx_eccsi_draw(&x->v, rng));
    MCX_TRY(mcx_p256_mul_base(x->pvt, curve, &x->v));
    MCX_CT_PUBLIC(x->pvt, sizeof x->pvt); /* PVT is part of every signature */
    MCX_TRY(mcx_eccsi_hs(hs, x->kpak, uid, x->pvt));
    mcx_p256_scalar_reduce(&x->hs, hs);
    mcx_p256_scalar_mul(&x->ssk, &x->hs, &x->v);
    mcx_p256_scalar_add(&x->ssk, &x->ssk, &x->ksak);
    zero = mcx_p256_scalar_is_zero(&x->hs) | mcx_p256_scalar_is_zero(&x->ssk);
    MCX_CT_PUBLIC(&zero, sizeof zero); /* true once in 2^255; then this v is thrown away */
    *again = zero != 0;
    return MCX_OK;
}

mcx_err mcx_eccsi_extract(uint8_t ssk[MCX_ECCSI_SSK_LEN], uint8_t pvt[MCX_ECCSI_POINT_LEN],
                          const struct mcx_eccsi_master *master, struct mcx_bytes uid, const struct mcx_rng *rng)
{
    struct extraction x = { 0 };
    struct mcx_p256 *curve = NULL;
    bool again = true;
    mcx_err err = MCX_E_ARG;

    if (uid.len == 0 || !mcx_p256_scalar_read(&x.ksak, master->ksak)) {
        goto out;
    }
    MCX_GO(err, mcx_p256_new(&curve));
    MCX_GO(err, mcx_p256_mul_base(x.kpak, curve, &x.ksak));
    MCX_CT_PUBLIC(x.kpak, sizeof x.kpak); /* the KMS publishes it */
    while (again) {
        MCX_GO(err, extract_once(&x, &again, curve, uid, rng));
    }
    mcx_p256_scalar_write(ssk, &x.ssk);
    memcpy(pvt, x.pvt, sizeof x.pvt);
out:
    if (err != MCX_OK) {
        mcx_wipe(ssk, MCX_ECCSI_SSK_LEN);
    }
    mcx_p256_free(curve);
    mcx_wipe(&x, sizeof x);
    return err;
}

/* KPAK = [SSK]G - [HS]PVT, checked as [SSK]G = Y with Y = [HS]PVT + KPAK (RFC 6507 5.1.2). */
static mcx_err key_check(const struct mcx_eccsi_key *key, const struct mcx_eccsi_kms *kms)
{
    struct mcx_p256_point *y = NULL;
    struct mcx_p256_scalar ssk;
    uint8_t have[MCX_ECCSI_POINT_LEN];
    uint8_t want[MCX_ECCSI_POINT_LEN];
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_p256_point_new(&y, kms->curve));
    MCX_GO(err, mcx_eccsi_y(y, kms, key->hs, key->pvt));
    MCX_GO(err, mcx_p256_point_write(want, kms->curve, y));
    if (!mcx_p256_scalar_read(&ssk, key->ssk)) {
        err = MCX_E_AUTH;
        goto out;
    }
    MCX_GO(err, mcx_p256_mul_base(have, kms->curve, &ssk));
    err = mcx_ct_equal(have, want, sizeof have) ? MCX_OK : MCX_E_AUTH;
out:
    mcx_p256_scalar_clear(&ssk);
    mcx_wipe(have, sizeof have);
    mcx_p256_point_free(y);
    return err;
}

mcx_err mcx_eccsi_key_init(struct mcx_eccsi_key *out, const struct mcx_eccsi_kms *kms, struct mcx_bytes uid,
                           const uint8_t ssk[MCX_ECCSI_SSK_LEN], const uint8_t pvt[MCX_ECCSI_POINT_LEN])
{
    struct mcx_eccsi_key key = { 0 };
    mcx_err err = MCX_OK;

    memcpy(key.ssk, ssk, sizeof key.ssk);
    memcpy(key.pvt, pvt, sizeof key.pvt);
    MCX_GO(err, mcx_eccsi_hs(key.hs, kms->octets, uid, pvt));
    MCX_GO(err, key_check(&key, kms));
    MCX_GO(err, mcx_p256_dup(&key.curve, kms->curve));
    *out = key;
    mcx_wipe(&key, sizeof key);
    return MCX_OK;
out:
    mcx_eccsi_key_clear(&key);
    return err;
}

void mcx_eccsi_key_clear(struct mcx_eccsi_key *key)
{
    if (key != NULL) {
        mcx_p256_free(key->curve);
        mcx_wipe(key, sizeof *key);
    }
}
