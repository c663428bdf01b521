/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ec/pf.h"

#include <string.h>

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

void mcx_pf_value(struct mcx_fp *r, const struct mcx_pf *x)
{
    struct mcx_fp inverse;

    mcx_fp_inv(&inverse, &x->a);
    mcx_fp_mul(r, &x->b, &inverse);
    mcx_wipe(&inverse, sizeof inverse);
}
