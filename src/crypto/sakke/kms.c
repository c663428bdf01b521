/* SPDX-License-Identifier: Apache-2.0 */
/* Public parameters of a KMS, and the sender (RFC 6508 6.2.1). */
#include "crypto/sakke/sakke_int.h"

#include <stdlib.h>

#include "crypto/sakke/tables.h"

mcx_err mcx_sakke_kms_new(struct mcx_sakke_kms **out, const uint8_t z_t[MCX_SAKKE_POINT_LEN],
                          enum mcx_sakke_tables tables)
{
    struct mcx_sakke_kms *kms;
    struct mcx_ec z;

    if (mcx_ec_read(&z, z_t) == 0 || mcx_ec_in_subgroup(&z) == 0) {
        return MCX_E_POINT;
    }
    kms = calloc(1, sizeof *kms);
    if (kms == NULL) {
        return MCX_E_NOMEM;
    }
    mcx_ted_from_ec(&kms->z, &z);
    if (tables != MCX_SAKKE_TABLES_NONE) {
        kms->comb = malloc(sizeof *kms->comb);
        if (kms->comb == NULL) {
            free(kms);
            return MCX_E_NOMEM;
        }
        mcx_ted_comb_make(kms->comb, &kms->z);
    }
    *out = kms;
    return MCX_OK;
}

void mcx_sakke_kms_free(struct mcx_sakke_kms *kms)
{
    if (kms != NULL) {
        free(kms->comb);
        free(kms);
    }
}

size_t mcx_sakke_kms_table_octets(const struct mcx_sakke_kms *kms)
{
    return kms->comb == NULL ? 0 : sizeof *kms->comb;
}

void mcx_sakke_point_r(struct mcx_ted *point, const struct mcx_sakke_kms *kms, const struct mcx_fq *r,
                       const struct mcx_fq *b)
{
    struct mcx_ted other;
    struct mcx_ted_cached cached;
    struct mcx_fq rb;
    struct mcx_scalar k[2];

    mcx_fq_mul(&rb, r, b);
    mcx_fq_scalar(&k[0], &rb);
    mcx_fq_scalar(&k[1], r);
    if (kms->comb != NULL) {
        mcx_ted_comb_mul(point, (struct mcx_ted_comb_term[]){ { &mcx_sakke_comb_p, &k[0] }, { kms->comb, &k[1] } }, 2);
    } else {
        mcx_ted_comb_mul(&other, &(struct mcx_ted_comb_term){ &mcx_sakke_comb_p, &k[0] }, 1);
        mcx_ted_cache(&cached, &other);
        mcx_ted_mul(point, &kms->z, &k[1]);
        mcx_ted_add(point, point, &cached);
        mcx_wipe(&other, sizeof other);
        mcx_wipe(&cached, sizeof cached);
    }
    mcx_wipe(&rb, sizeof rb);
    mcx_wipe(k, sizeof k);
}

/* power := g^r */
static void g_pow(struct mcx_pf *power, const struct mcx_fq *r)
{
    struct mcx_scalar k;

    mcx_fq_scalar(&k, r);
    mcx_pf_comb_pow(power, &mcx_sakke_comb_g, &k);
    mcx_wipe(&k, sizeof k);
}

/*
 * R as a point of E and w = b/a of the power a + ib, by one inversion: of (denominator of R) a. Neither is zero
 * unless R = O; the power has order q in PF_p, and a = 0 has order 2. All ones, or 0 for R = O.
 */
static mcx_limb make_affine(struct mcx_ec *r, struct mcx_fp *w, const struct mcx_ted *point, const struct mcx_pf *power)
{
    struct mcx_fp inverse, denominator, t;
    mcx_limb zero;

    mcx_ted_denominator(&denominator, point);
    mcx_fp_mul(&inverse, &denominator, &power->a);
    mcx_fp_inv(&inverse, &inverse);
    zero = mcx_fp_is_zero(&inverse);

    mcx_fp_mul(&t, &inverse, &power->a);
    mcx_ted_to_ec_with(r, point, &t);
    mcx_fp_mul(&t, &inverse, &denominator);
    mcx_fp_mul(w, &power->b, &t);
    mcx_wipe(&inverse, sizeof inverse);
    mcx_wipe(&denominator, sizeof denominator);
    mcx_wipe(&t, sizeof t);
    return ~zero;
}

mcx_err mcx_sakke_encap(uint8_t sed[MCX_SAKKE_SED_LEN], const struct mcx_key *key, const struct mcx_sakke_kms *kms,
                        struct mcx_bytes uid)
{
    uint8_t mask[MCX_KEY_LEN];
    struct mcx_fq b, r;
    struct mcx_ted point;
    struct mcx_pf power;
    struct mcx_ec affine;
    struct mcx_fp w;
    mcx_limb finite;
    mcx_err err;

    if (uid.len == 0) {
        return MCX_E_ARG;
    }
    mcx_fq_reduce(&b, uid);
    MCX_GO(err, mcx_sakke_hash_r(&r, key, uid));
    mcx_sakke_point_r(&point, kms, &r, &b);
    g_pow(&power, &r);
    finite = make_affine(&affine, &w, &point, &power);
    MCX_CT_PUBLIC(&finite, sizeof finite); /* R is sent in clear */
    if (finite == 0) {
        err = MCX_E_ARG; /* [uid]P = -Z (or r = 0): the identity of nobody */
        goto out;
    }
    MCX_GO(err, mcx_sakke_hash_mask(mask, &w));
    mcx_ec_write(sed, &affine);
    for (size_t i = 0; i < MCX_KEY_LEN; i++) {
        sed[MCX_SAKKE_POINT_LEN + i] = key->octet[i] ^ mask[i];
    }
out:
    mcx_wipe(mask, sizeof mask);
    mcx_wipe(&r, sizeof r);
    mcx_wipe(&point, sizeof point);
    mcx_wipe(&power, sizeof power);
    mcx_wipe(&w, sizeof w);
    return err;
}
