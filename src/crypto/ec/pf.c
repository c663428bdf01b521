/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ec/pf.h"

#include <string.h>

#define WINDOW     4
#define NUM_POWERS (1 << WINDOW)

void mcx_pf_set_one(struct mcx_pf *r)
{
    memset(r, 0, sizeof *r);
    mcx_fp_set_one(&r->a);
}

/* (a + ib)(c + id) = (ac - bd) + i (ad + bc): four products, two reductions */
void mcx_pf_mul(struct mcx_pf *r, const struct mcx_pf *x, const struct mcx_pf *y)
{
    struct mcx_fp minus_b, a;

    mcx_fp_neg(&minus_b, &x->b);
    mcx_fp_dot2(&a, &x->a, &y->a, &minus_b, &y->b);
    mcx_fp_dot2(&r->b, &x->a, &y->b, &x->b, &y->a);
    r->a = a;
}

/* (a + ib)(1 + it) = (a - bt) + i (b + at) */
void mcx_pf_mul_one(struct mcx_pf *r, const struct mcx_pf *x, const struct mcx_fp *t)
{
    struct mcx_fp at, bt;

    mcx_fp_mul(&at, &x->a, t);
    mcx_fp_mul(&bt, &x->b, t);
    mcx_fp_sub(&r->a, &x->a, &bt);
    mcx_fp_add(&r->b, &x->b, &at);
}

/* (a + ib)^2 = (a + b)(a - b) + i 2ab */
void mcx_pf_sqr(struct mcx_pf *r, const struct mcx_pf *x)
{
    struct mcx_fp s, d;

    mcx_fp_add(&s, &x->a, &x->b);
    mcx_fp_sub(&d, &x->a, &x->b);
    mcx_fp_mul(&r->b, &x->a, &x->b);
    mcx_fp_dbl(&r->b, &r->b);
    mcx_fp_mul(&r->a, &s, &d);
}

/* Fixed windows of 4 bits over all 1024; the whole table is read for each, masked. */
void mcx_pf_pow(struct mcx_pf *r, const struct mcx_fp *t, const struct mcx_scalar *k)
{
    struct mcx_pf power[NUM_POWERS];
    struct mcx_pf pick;
    struct mcx_pf acc;

    mcx_pf_set_one(&power[0]);
    mcx_pf_set_one(&power[1]);
    power[1].b = *t;
    for (int i = 2; i < NUM_POWERS; i++) {
        mcx_pf_mul(&power[i], &power[i - 1], &power[1]);
    }
    mcx_pf_set_one(&acc);
    for (int bit = MCX_BN_BITS - WINDOW; bit >= 0; bit -= WINDOW) {
        mcx_limb digit = (k->v[bit / MCX_LIMB_BITS] >> (bit % MCX_LIMB_BITS)) & (NUM_POWERS - 1);

        for (int i = 0; i < WINDOW; i++) {
            mcx_pf_sqr(&acc, &acc);
        }
        pick = power[0];
        for (int i = 1; i < NUM_POWERS; i++) {
            mcx_limb hit = (mcx_limb)mcx_ct_is_zero_mask(digit ^ (mcx_limb)i);

            mcx_fp_cmov(&pick.a, &power[i].a, hit);
            mcx_fp_cmov(&pick.b, &power[i].b, hit);
        }
        mcx_pf_mul(&acc, &acc, &pick);
    }
    *r = acc;
    mcx_wipe(&acc, sizeof acc);
    mcx_wipe(&pick, sizeof pick);
}

void mcx_pf_value(struct mcx_fp *r, const struct mcx_pf *x)
{
    struct mcx_fp inverse;

    mcx_fp_inv(&inverse, &x->a);
    mcx_fp_mul(r, &x->b, &inverse);
    mcx_wipe(&inverse, sizeof inverse);
}
