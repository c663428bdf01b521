/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver: validation of an RSK (RFC 6508 6.1.2) and decapsulation (6.2.2). */
#include "crypto/sakke/sakke_int.h"

#include <string.h>

#include "crypto/ec/pairing.h"

struct mcx_sakke_rsk {
    struct mcx_ec k;
    struct mcx_fq b;
    const struct mcx_sakke_kms *kms;
    struct mcx_pair_table *lines; /* secret as K; NULL without tables */
    size_t uid_len;
    uint8_t uid[]; /* hashed as it is, used as a scalar modulo q */
};

/* w := <K, point>; all ones, or 0 where K turns out not to have order q */
static mcx_limb pair_with(struct mcx_fp *w, const struct mcx_sakke_rsk *rsk, const struct mcx_ec *point)
{
    if (rsk->lines == NULL) {
        return mcx_pairing(w, &rsk->k, point);
    }
    mcx_pair_table_eval(w, rsk->lines, point);
    return ~(mcx_limb)0; /* known since the table was made */
}

/* <[b]P + Z, K> = g, and K has order q (RFC 6508 6.1.2) */
static mcx_err check_rsk(const struct mcx_sakke_rsk *rsk)
{
    struct mcx_fq one;
    struct mcx_ted point;
    struct mcx_ec affine;
    struct mcx_fp w;
    mcx_limb ok;

    memcpy(one.v, mcx_mont_q.one, sizeof one.v);
    mcx_sakke_point_r(&point, rsk->kms, &one, &rsk->b);
    ok = mcx_ted_to_ec(&affine, &point);
    ok &= pair_with(&w, rsk, &affine);
    ok &= mcx_fp_equal(&w, &mcx_ec_g);
    mcx_wipe(&w, sizeof w);
    MCX_CT_PUBLIC(&ok, sizeof ok); /* the verdict */
    return ok == 0 ? MCX_E_AUTH : MCX_OK;
}

/* K on the curve, with its lines where they are wanted; then the equation. */
static mcx_err take_key(struct mcx_sakke_rsk *rsk, const uint8_t octets[MCX_SAKKE_POINT_LEN],
                        enum mcx_sakke_tables tables)
{
    mcx_limb ok = mcx_ec_read(&rsk->k, octets);

    MCX_CT_PUBLIC(&ok, sizeof ok); /* the verdict */
    if (ok == 0) {
        return MCX_E_POINT;
    }
    if (tables != MCX_SAKKE_TABLES_NONE) {
        rsk->lines = mcx_secret_alloc(sizeof *rsk->lines);
        if (rsk->lines == NULL) {
            return MCX_E_NOMEM;
        }
        ok = mcx_pair_table_make(rsk->lines, &rsk->k);
        MCX_CT_PUBLIC(&ok, sizeof ok); /* the verdict */
    }
    return ok == 0 ? MCX_E_AUTH : check_rsk(rsk);
}

mcx_err mcx_sakke_rsk_new(struct mcx_sakke_rsk **out, const uint8_t rsk_octets[MCX_SAKKE_POINT_LEN],
                          const struct mcx_sakke_kms *kms, struct mcx_bytes uid, enum mcx_sakke_tables tables)
{
    struct mcx_sakke_rsk *rsk;
    mcx_err err;

    if (uid.len == 0) {
        return MCX_E_ARG;
    }
    rsk = mcx_secret_alloc(sizeof *rsk + uid.len);
    if (rsk == NULL) {
        return MCX_E_NOMEM;
    }
    rsk->kms = kms;
    rsk->uid_len = uid.len;
    memcpy(rsk->uid, uid.p, uid.len);
    mcx_fq_reduce(&rsk->b, uid);
    err = take_key(rsk, rsk_octets, tables);
    if (err != MCX_OK) {
        mcx_sakke_rsk_free(rsk);
        return err;
    }
    *out = rsk;
    return MCX_OK;
}

void mcx_sakke_rsk_free(struct mcx_sakke_rsk *rsk)
{
    if (rsk != NULL) {
        mcx_secret_free(rsk->lines);
        mcx_secret_free(rsk);
    }
}

size_t mcx_sakke_rsk_table_octets(const struct mcx_sakke_rsk *rsk)
{
    return rsk->lines == NULL ? 0 : sizeof *rsk->lines;
}

mcx_err mcx_sakke_decap(struct mcx_key *key, const struct mcx_sakke_rsk *rsk, const uint8_t sed[MCX_SAKKE_SED_LEN])
{
    uint8_t mask[MCX_KEY_LEN] = { 0 };
    struct mcx_key ssv = { { 0 } };
    struct mcx_ec point_r;
    struct mcx_ted test;
    struct mcx_fp w;
    struct mcx_fq r;
    mcx_limb same;
    mcx_err err;

    mcx_key_clear(key);
    if (mcx_ec_read(&point_r, sed) == 0) {
        return MCX_E_POINT;
    }
    (void)pair_with(&w, rsk, &point_r);
    MCX_GO(err, mcx_sakke_hash_mask(mask, &w));
    for (size_t i = 0; i < MCX_KEY_LEN; i++) {
        ssv.octet[i] = sed[MCX_SAKKE_POINT_LEN + i] ^ mask[i];
    }
    MCX_GO(err, mcx_sakke_hash_r(&r, &ssv, mcx_bytes(rsk->uid, rsk->uid_len)));
    mcx_sakke_point_r(&test, rsk->kms, &r, &rsk->b);
    same = mcx_ted_equal_ec(&test, &point_r);
    MCX_CT_PUBLIC(&same, sizeof same); /* the verdict */
    if (same == 0) {
        err = MCX_E_AUTH;
        goto out;
    }
    *key = ssv;
out:
    mcx_key_clear(&ssv);
    mcx_wipe(mask, sizeof mask);
    mcx_wipe(&w, sizeof w);
    mcx_wipe(&r, sizeof r);
    mcx_wipe(&test, sizeof test);
    return err;
}
