/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ec/pairing.h"

/* Digit by digit from the lowest: 3 becomes -1 and carries. */
void mcx_pair_digits(signed char digit[MCX_PAIR_DIGITS])
{
    int carry = 0;

    for (int i = 0; i < MCX_PAIR_DIGITS; i++) {
        int bit = 2 * i;
        int d = (int)((mcx_mont_q.m[bit / MCX_LIMB_BITS] >> (bit % MCX_LIMB_BITS)) & 3) + carry;

        carry = d > 2;
        digit[i] = (signed char)(carry ? d - 4 : d);
    }
}

/* What one evaluation needs of R. */
struct at {
    struct mcx_fp x;       /* -Rx */
    struct mcx_fp xx;      /* Rx^2 */
    struct mcx_fp over[4]; /* x^j / Ry */
};

static void prepare(struct at *at, const struct mcx_ec *r)
{
    mcx_fp_neg(&at->x, &r->x);
    mcx_fp_sqr(&at->xx, &r->x);
    mcx_fp_inv(&at->over[0], &r->y); /* 0 for R = (0,0): then w is meaningless and R fails the check of 6.2.2 */
    for (int j = 1; j < 4; j++) {
        mcx_fp_mul(&at->over[j], &at->over[j - 1], &at->x);
    }
}

/* g := A(x)/y + i B(x); the coefficients used */
static int eval(struct mcx_pf *g, const struct mcx_fp *coef, int digit, const struct at *at)
{
    if (digit == 2) { /* B = x^2 + b1 x + b0 */
        mcx_fp_mul(&g->b, &coef[1], &at->x);
        mcx_fp_add(&g->b, &g->b, &at->xx);
        mcx_fp_add(&g->b, &g->b, &coef[0]);
        mcx_fp_dot4(&g->a, coef + 2, at->over);
        return 6;
    }
    mcx_fp_add(&g->b, &coef[0], &at->x); /* B = x + b0 */
    if (digit == 0) {
        mcx_fp_dot3(&g->a, coef + 1, at->over);
        return 4;
    }
    mcx_fp_dot4(&g->a, coef + 1, at->over);
    return 5;
}

void mcx_pair_table_eval(struct mcx_fp *w, const struct mcx_pair_table *table, const struct mcx_ec *r)
{
    signed char digit[MCX_PAIR_DIGITS];
    const struct mcx_fp *coef = table->coef;
    struct mcx_pf v, g;
    struct at at;

    mcx_pair_digits(digit);
    prepare(&at, r);
    mcx_fp_set_one(&v.b); /* the tangent at K */
    mcx_fp_dot2(&v.a, &coef[0], &at.over[0], &coef[1], &at.over[1]);
    coef += 2;
    for (int i = MCX_PAIR_DIGITS - 2; i >= 0; i--) {
        mcx_pf_sqr(&v, &v);
        mcx_pf_sqr(&v, &v);
        coef += eval(&g, coef, i == 0 ? 0 : digit[i], &at);
        mcx_pf_mul(&v, &v, &g);
    }
    mcx_pf_sqr(&v, &v);
    mcx_pf_sqr(&v, &v); /* (p + 1) / q = 4 */
    mcx_pf_value(w, &v);
    mcx_wipe(&v, sizeof v);
    mcx_wipe(&g, sizeof g);
    mcx_wipe(&at, sizeof at);
}
