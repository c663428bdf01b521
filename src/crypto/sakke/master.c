/* SPDX-License-Identifier: Apache-2.0 */
/* The KMS: master secret, public key, extraction (RFC 6508 6.1.1). */
#include "crypto/sakke/sakke_int.h"

#include "crypto/sakke/tables.h"

/* q has 1022 bits: two bits of the first octet are cleared, and 0.6 of all draws fit. */
#define TOP_OCTET_BITS 0x3f
#define DRAWS_MAX      256 /* a generator that fails so often, with chance 0.4^256, is broken */

/* All ones when 2 <= z < q, else 0. */
static mcx_limb read_master(struct mcx_fq *z, const struct mcx_sakke_master *master)
{
    mcx_limb below = mcx_fq_read(z, master->z);
    uint64_t high = 0;

    for (size_t i = 0; i < MCX_SAKKE_MASTER_LEN - 1; i++) {
        high |= master->z[i];
    }
    high |= master->z[MCX_SAKKE_MASTER_LEN - 1] & 0xfeU;
    return below & ~(mcx_limb)mcx_ct_is_zero_mask(high);
}

mcx_err mcx_sakke_master_generate(struct mcx_sakke_master *out, const struct mcx_rng *rng)
{
    struct mcx_sakke_master draw;
    struct mcx_fq z;
    mcx_limb fits = 0;
    mcx_err err = MCX_E_RNG;

    for (int i = 0; i < DRAWS_MAX && fits == 0; i++) {
        MCX_GO(err, mcx_rng_fill(rng, draw.z, sizeof draw.z));
        draw.z[0] &= TOP_OCTET_BITS;
        fits = read_master(&z, &draw);
        MCX_CT_PUBLIC(&fits, sizeof fits); /* a rejected draw is not used */
    }
    err = fits == 0 ? MCX_E_RNG : MCX_OK;
    if (err == MCX_OK) {
        *out = draw;
    }
out:
    mcx_sakke_master_clear(&draw);
    mcx_wipe(&z, sizeof z);
    return err;
}

void mcx_sakke_master_clear(struct mcx_sakke_master *master)
{
    mcx_wipe(master, sizeof *master);
}

/* out := [k]P; all ones unless that is O */
static mcx_limb mul_base(uint8_t out[MCX_SAKKE_POINT_LEN], const struct mcx_fq *k)
{
    struct mcx_ted sum;
    struct mcx_ec affine;
    struct mcx_scalar scalar;
    mcx_limb finite;

    mcx_fq_scalar(&scalar, k);
    mcx_ted_comb_mul(&sum, &(struct mcx_ted_comb_term){ &mcx_sakke_comb_p, &scalar }, 1);
    finite = mcx_ted_to_ec(&affine, &sum);
    mcx_ec_write(out, &affine);
    mcx_wipe(&scalar, sizeof scalar);
    mcx_wipe(&sum, sizeof sum);
    mcx_wipe(&affine, sizeof affine);
    return finite;
}

mcx_err mcx_sakke_master_public(uint8_t z_t[MCX_SAKKE_POINT_LEN], const struct mcx_sakke_master *master)
{
    struct mcx_fq z;
    mcx_limb fits = read_master(&z, master);

    MCX_CT_PUBLIC(&fits, sizeof fits); /* the verdict */
    if (fits == 0) {
        mcx_wipe(&z, sizeof z);
        return MCX_E_ARG;
    }
    (void)mul_base(z_t, &z); /* 0 < z < q: not O */
    mcx_wipe(&z, sizeof z);
    MCX_CT_PUBLIC(z_t, MCX_SAKKE_POINT_LEN); /* the public key */
    return MCX_OK;
}

mcx_err mcx_sakke_extract(uint8_t rsk[MCX_SAKKE_POINT_LEN], const struct mcx_sakke_master *master, struct mcx_bytes uid)
{
    struct mcx_fq z, x;
    mcx_limb ok = read_master(&z, master);

    mcx_fq_reduce(&x, uid);
    mcx_fq_add(&x, &x, &z);
    ok &= ~mcx_fq_is_zero(&x);
    MCX_CT_PUBLIC(&ok, sizeof ok); /* the verdict */
    if (uid.len == 0 || ok == 0) {
        mcx_wipe(&z, sizeof z);
        mcx_wipe(&x, sizeof x);
        mcx_wipe(rsk, MCX_SAKKE_POINT_LEN);
        return MCX_E_ARG;
    }
    mcx_fq_inv(&x, &x);
    (void)mul_base(rsk, &x); /* an inverse is not zero: not O */
    mcx_wipe(&z, sizeof z);
    mcx_wipe(&x, sizeof x);
    return MCX_OK;
}
