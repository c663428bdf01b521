/* SPDX-License-Identifier: Apache-2.0 */
/* Public parameters of a KMS, and the sender (RFC 6508 6.2.1). */
#include "crypto/sakke/sakke_int.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/ec/pf.h"

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
    kms->z = z;
    kms->tables = tables;
    mcx_ted_from_ec(&kms->z_ted, &z);
    *out = kms;
    return MCX_OK;
}

void mcx_sakke_kms_free(struct mcx_sakke_kms *kms)
{
    free(kms);
}

size_t mcx_sakke_kms_table_octets(const struct mcx_sakke_kms *kms)
{
    (void)kms;
    return 0;
}

void mcx_sakke_point_r(struct mcx_ted *point, const struct mcx_sakke_kms *kms, const struct mcx_fq *r,
                       const struct mcx_fq *b)
{
    struct mcx_ted p;
    struct mcx_fq rb;
    struct mcx_scalar k[2];

    mcx_fq_mul(&rb, r, b);
    mcx_fq_scalar(&k[0], &rb);
    mcx_fq_scalar(&k[1], r);
    mcx_ted_from_ec(&p, &mcx_ec_p);
    mcx_ted_mul(point, (struct mcx_ted_term[]){ { &p, &k[0] }, { &kms->z_ted, &k[1] } }, 2);
    mcx_wipe(&rb, sizeof rb);
    mcx_wipe(k, sizeof k);
}

void mcx_sakke_g_pow(struct mcx_fp *w, const struct mcx_sakke_kms *kms, const struct mcx_fq *r)
{
    struct mcx_scalar k;
    struct mcx_pf power;

    (void)kms;
    mcx_fq_scalar(&k, r);
    mcx_pf_pow(&power, &mcx_ec_g, &k);
    mcx_pf_value(w, &power);
    mcx_wipe(&k, sizeof k);
    mcx_wipe(&power, sizeof power);
}

mcx_err mcx_sakke_encap(uint8_t sed[MCX_SAKKE_SED_LEN], const struct mcx_key *key, const struct mcx_sakke_kms *kms,
                        struct mcx_bytes uid)
{
    uint8_t result[MCX_SAKKE_SED_LEN];
    uint8_t mask[MCX_KEY_LEN];
    struct mcx_fq b, r;
    struct mcx_ted point;
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
    finite = mcx_ted_to_ec(&affine, &point);
    MCX_CT_PUBLIC(&finite, sizeof finite); /* R is sent in clear */
    if (finite == 0) {
        err = MCX_E_ARG; /* [uid]P = -Z: no key can be encapsulated to this identity */
        goto out;
    }
    mcx_ec_write(result, &affine);
    mcx_sakke_g_pow(&w, kms, &r);
    MCX_GO(err, mcx_sakke_hash_mask(mask, &w));
    for (size_t i = 0; i < MCX_KEY_LEN; i++) {
        result[MCX_SAKKE_POINT_LEN + i] = key->octet[i] ^ mask[i];
    }
    memcpy(sed, result, sizeof result);
out:
    mcx_wipe(mask, sizeof mask);
    mcx_wipe(&r, sizeof r);
    mcx_wipe(&point, sizeof point);
    mcx_wipe(&w, sizeof w);
    return err;
}
