/* SPDX-License-Identifier: Apache-2.0 */
/* Building the tables of comb.h from public bases. One inversion serves all entries of a block. */
#include "crypto/bn/batch.h"
#include "crypto/ec/comb.h"

#define TEETH   MCX_COMB_TEETH
#define BLOCKS  MCX_COMB_BLOCKS
#define ENTRIES MCX_COMB_ENTRIES

_Static_assert(ENTRIES <= MCX_FP_BATCH_MAX, "a block is one batch");

/* Entry i is entry i & (i - 1) with one more tooth positive: this one. */
static int lowest_bit(int i)
{
    int j = 0;

    while (((i >> j) & 1) == 0) {
        j++;
    }
    return j;
}

/* u = X/Z, v = Y/Z */
static void ted_normalise(struct mcx_ted_affine out[ENTRIES], const struct mcx_ted in[ENTRIES])
{
    struct mcx_fp inverse[ENTRIES];
    struct mcx_fp u, v;

    for (int i = 0; i < ENTRIES; i++) {
        inverse[i] = in[i].z;
    }
    mcx_fp_inv_batch(inverse, ENTRIES);
    for (int i = 0; i < ENTRIES; i++) {
        mcx_fp_mul(&u, &in[i].x, &inverse[i]);
        mcx_fp_mul(&v, &in[i].y, &inverse[i]);
        mcx_fp_sub(&out[i].diff, &v, &u);
        mcx_fp_add(&out[i].sum, &v, &u);
        mcx_fp_mul(&out[i].t2, &u, &v);
        mcx_fp_dbl(&out[i].t2, &out[i].t2);
    }
}

/* Entry 0 has all teeth but the last negative. */
static void ted_block(struct mcx_ted_affine out[ENTRIES], const struct mcx_ted tooth[TEETH])
{
    struct mcx_ted entry[ENTRIES];
    struct mcx_ted_cached twice[TEETH - 1];
    struct mcx_ted_cached c;
    struct mcx_ted t;

    entry[0] = tooth[TEETH - 1];
    for (int j = 0; j < TEETH - 1; j++) {
        mcx_ted_cache(&c, &tooth[j]);
        mcx_ted_affine_cneg(&c.a, ~(mcx_limb)0);
        mcx_ted_add(&entry[0], &entry[0], &c);
        mcx_ted_dbl(&t, &tooth[j], 1);
        mcx_ted_cache(&twice[j], &t);
    }
    for (int i = 1; i < ENTRIES; i++) {
        mcx_ted_add(&entry[i], &entry[i & (i - 1)], &twice[lowest_bit(i)]);
    }
    ted_normalise(out, entry);
}

void mcx_ted_comb_make(struct mcx_ted_comb *r, const struct mcx_ted *a)
{
    struct mcx_ted tooth[BLOCKS][TEETH];
    struct mcx_ted t = *a;

    for (int i = 0; i < TEETH * BLOCKS; i++) {
        tooth[i % BLOCKS][i / BLOCKS] = t;
        mcx_ted_dbl(&t, &t, MCX_COMB_SPACING);
    }
    for (int block = 0; block < BLOCKS; block++) {
        ted_block(r->entry[block], tooth[block]);
    }
}

/* t = b/a */
static void pf_normalise(struct mcx_fp out[ENTRIES], const struct mcx_pf in[ENTRIES])
{
    struct mcx_fp inverse[ENTRIES];

    for (int i = 0; i < ENTRIES; i++) {
        inverse[i] = in[i].a;
    }
    mcx_fp_inv_batch(inverse, ENTRIES);
    for (int i = 0; i < ENTRIES; i++) {
        mcx_fp_mul(&out[i], &in[i].b, &inverse[i]);
    }
}

static void pf_block(struct mcx_fp out[ENTRIES], const struct mcx_pf tooth[TEETH])
{
    struct mcx_pf entry[ENTRIES];
    struct mcx_pf twice[TEETH - 1];
    struct mcx_pf inverse;

    entry[0] = tooth[TEETH - 1];
    for (int j = 0; j < TEETH - 1; j++) {
        inverse = tooth[j];
        mcx_fp_neg(&inverse.b, &inverse.b); /* the conjugate, up to a factor in F_p */
        mcx_pf_mul(&entry[0], &entry[0], &inverse);
        mcx_pf_sqr(&twice[j], &tooth[j]);
    }
    for (int i = 1; i < ENTRIES; i++) {
        mcx_pf_mul(&entry[i], &entry[i & (i - 1)], &twice[lowest_bit(i)]);
    }
    pf_normalise(out, entry);
}

void mcx_pf_comb_make(struct mcx_pf_comb *r, const struct mcx_fp *base)
{
    struct mcx_pf tooth[BLOCKS][TEETH];
    struct mcx_pf t;

    mcx_pf_set_one(&t);
    t.b = *base;
    for (int i = 0; i < TEETH * BLOCKS; i++) {
        tooth[i % BLOCKS][i / BLOCKS] = t;
        for (int j = 0; j < MCX_COMB_SPACING; j++) {
            mcx_pf_sqr(&t, &t);
        }
    }
    for (int block = 0; block < BLOCKS; block++) {
        pf_block(r->entry[block], tooth[block]);
    }
}
