/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ec/ted.h"

#include <stdbool.h>
#include <string.h>

#include "crypto/ec/ted_const.h"

/* Z = y (x + c), X = k x (x + c), Y = y (x - c), T = X Y / Z = k x (x - c) */
void mcx_ted_from_ec(struct mcx_ted *r, const struct mcx_ec *a)
{
    struct mcx_fp plus, minus, kx;

    mcx_fp_add(&plus, &a->x, &mcx_ted_c);
    mcx_fp_sub(&minus, &a->x, &mcx_ted_c);
    mcx_fp_mul(&kx, &mcx_ted_k, &a->x);
    mcx_fp_mul(&r->z, &a->y, &plus);
    mcx_fp_mul(&r->x, &kx, &plus);
    mcx_fp_mul(&r->y, &a->y, &minus);
    mcx_fp_mul(&r->t, &kx, &minus);
}

/* x = c (Z + Y) / (Z - Y),  y = k c (Z + Y) Z / ((Z - Y) X) */
void mcx_ted_denominator(struct mcx_fp *r, const struct mcx_ted *a)
{
    mcx_fp_sub(r, &a->z, &a->y);
    mcx_fp_mul(r, r, &a->x);
}

void mcx_ted_to_ec_with(struct mcx_ec *r, const struct mcx_ted *a, const struct mcx_fp *inverse)
{
    struct mcx_fp sum;

    mcx_fp_add(&sum, &a->z, &a->y);
    mcx_fp_mul(&sum, &sum, inverse);
    mcx_fp_mul(&r->x, &sum, &a->x);
    mcx_fp_mul(&r->x, &r->x, &mcx_ted_c);
    mcx_fp_mul(&r->y, &sum, &a->z);
    mcx_fp_mul(&r->y, &r->y, &mcx_ted_kc);
}

mcx_limb mcx_ted_to_ec(struct mcx_ec *r, const struct mcx_ted *a)
{
    struct mcx_fp inverse;
    mcx_limb zero;

    mcx_ted_denominator(&inverse, a);
    mcx_fp_inv(&inverse, &inverse);
    mcx_ted_to_ec_with(r, a, &inverse);
    zero = mcx_fp_is_zero(&inverse);
    mcx_wipe(&inverse, sizeof inverse);
    return ~zero;
}

/* The equations of mcx_ted_to_ec() times their denominators; O fails the first: 0 = 2c is false. */
mcx_limb mcx_ted_equal_ec(const struct mcx_ted *a, const struct mcx_ec *b)
{
    struct mcx_fp sum, diff, left, right;
    mcx_limb same;

    mcx_fp_add(&sum, &a->z, &a->y);
    mcx_fp_sub(&diff, &a->z, &a->y);
    mcx_fp_mul(&left, &b->x, &diff);
    mcx_fp_mul(&right, &sum, &mcx_ted_c);
    same = mcx_fp_equal(&left, &right);
    mcx_fp_mul(&left, &b->y, &diff);
    mcx_fp_mul(&left, &left, &a->x);
    mcx_fp_mul(&right, &sum, &a->z);
    mcx_fp_mul(&right, &right, &mcx_ted_kc);
    return same & mcx_fp_equal(&left, &right);
}

void mcx_ted_set_zero(struct mcx_ted *r)
{
    memset(r, 0, sizeof *r);
    mcx_fp_set_one(&r->y);
    mcx_fp_set_one(&r->z);
}

/*
 * E = (X + Y)^2 - A - B, F = G - C, G = B - A, H = -A - B with A = X^2, B = Y^2, C = 2Z^2; the result is
 * (EF, GH, FG, EH). T is not read, and only the last doubling has to make it.
 */
static void dbl(struct mcx_ted *r, const struct mcx_ted *p, bool with_t)
{
    struct mcx_fp a, b, c, e, f, g, h;

    mcx_fp_sqr(&a, &p->x);
    mcx_fp_sqr(&b, &p->y);
    mcx_fp_sqr(&c, &p->z);
    mcx_fp_dbl(&c, &c);
    mcx_fp_add(&e, &p->x, &p->y);
    mcx_fp_sqr(&e, &e);
    mcx_fp_add(&h, &a, &b);
    mcx_fp_sub(&e, &e, &h);
    mcx_fp_neg(&h, &h);
    mcx_fp_sub(&g, &b, &a);
    mcx_fp_sub(&f, &g, &c);
    mcx_fp_mul(&r->x, &e, &f);
    mcx_fp_mul(&r->y, &g, &h);
    mcx_fp_mul(&r->z, &f, &g);
    if (with_t) {
        mcx_fp_mul(&r->t, &e, &h);
    }
}

void mcx_ted_dbl(struct mcx_ted *r, const struct mcx_ted *a, int num)
{
    dbl(r, a, num == 1);
    for (int i = 2; i <= num; i++) {
        dbl(r, r, i == num);
    }
}

void mcx_ted_cache(struct mcx_ted_cached *r, const struct mcx_ted *a)
{
    mcx_fp_sub(&r->a.diff, &a->y, &a->x);
    mcx_fp_add(&r->a.sum, &a->y, &a->x);
    mcx_fp_dbl(&r->a.t2, &a->t);
    mcx_fp_dbl(&r->z2, &a->z);
}

/*
 * A = (Y1 - X1)(Y2 - X2), B = (Y1 + X1)(Y2 + X2), C = 2 T1 T2, D = 2 Z1 Z2:
 * E = B - A, F = D - C, G = D + C, H = B + A
 */
static void add_with(struct mcx_ted *r, const struct mcx_ted *p, const struct mcx_ted_affine *q, const struct mcx_fp *d)
{
    struct mcx_fp a, b, c, e, f, g, h;

    mcx_fp_sub(&a, &p->y, &p->x);
    mcx_fp_mul(&a, &a, &q->diff);
    mcx_fp_add(&b, &p->y, &p->x);
    mcx_fp_mul(&b, &b, &q->sum);
    mcx_fp_mul(&c, &p->t, &q->t2);
    mcx_fp_sub(&e, &b, &a);
    mcx_fp_sub(&f, d, &c);
    mcx_fp_add(&g, d, &c);
    mcx_fp_add(&h, &b, &a);
    mcx_fp_mul(&r->x, &e, &f);
    mcx_fp_mul(&r->y, &g, &h);
    mcx_fp_mul(&r->t, &e, &h);
    mcx_fp_mul(&r->z, &f, &g);
}

void mcx_ted_add(struct mcx_ted *r, const struct mcx_ted *p, const struct mcx_ted_cached *q)
{
    struct mcx_fp d;

    mcx_fp_mul(&d, &p->z, &q->z2);
    add_with(r, p, &q->a, &d);
}

void mcx_ted_add_affine(struct mcx_ted *r, const struct mcx_ted *p, const struct mcx_ted_affine *q)
{
    struct mcx_fp d;

    mcx_fp_dbl(&d, &p->z);
    add_with(r, p, q, &d);
}

void mcx_ted_affine_cneg(struct mcx_ted_affine *r, mcx_limb mask)
{
    struct mcx_fp old = r->diff;

    mcx_fp_cmov(&r->diff, &r->sum, mask);
    mcx_fp_cmov(&r->sum, &old, mask);
    mcx_fp_cneg(&r->t2, mask);
}

/* r := B where mask */
static void cached_cmov(struct mcx_ted_cached *r, const struct mcx_ted_cached *b, mcx_limb mask)
{
    mcx_fp_cmov(&r->a.diff, &b->a.diff, mask);
    mcx_fp_cmov(&r->a.sum, &b->a.sum, mask);
    mcx_fp_cmov(&r->a.t2, &b->a.t2, mask);
    mcx_fp_cmov(&r->z2, &b->z2, mask);
}

#define WINDOW        4
#define NUM_MULTIPLES (1 << (WINDOW - 1))

/*
 * Signed digits -8 .. 7 of 4 bits: those of k + 888...8 (256 digits, below 2^1024 for k < q < 2^1022), each
 * less 8. table[0] is O, table[i] = iA for i up to 8.
 */
static void recode(mcx_limb digits[MCX_BN_LIMBS], const struct mcx_scalar *k)
{
    mcx_limb carry = 0;

    for (int i = 0; i < MCX_BN_LIMBS; i++) {
        mcx_dlimb t = (mcx_dlimb)k->v[i] + (mcx_limb)UINT64_C(0x8888888888888888) + carry;

        digits[i] = (mcx_limb)t;
        carry = (mcx_limb)(t >> MCX_LIMB_BITS);
    }
}

static void make_multiples(struct mcx_ted_cached table[NUM_MULTIPLES + 1], const struct mcx_ted *a)
{
    struct mcx_ted t;

    mcx_ted_set_zero(&t);
    mcx_ted_cache(&table[0], &t);
    mcx_ted_cache(&table[1], a);
    t = *a;
    for (int i = 2; i <= NUM_MULTIPLES; i++) {
        mcx_ted_add(&t, &t, &table[1]);
        mcx_ted_cache(&table[i], &t);
    }
    mcx_wipe(&t, sizeof t);
}

static void add_digit(struct mcx_ted *r, const struct mcx_ted_cached table[NUM_MULTIPLES + 1], mcx_limb digit)
{
    struct mcx_ted_cached pick = table[0];
    mcx_limb negative = mcx_limb_mask(((digit >> 3) & 1) ^ 1); /* digit - 8 < 0 */
    mcx_limb size = ((digit - 8) ^ negative) - negative;

    for (int i = 1; i <= NUM_MULTIPLES; i++) {
        cached_cmov(&pick, &table[i], (mcx_limb)mcx_ct_is_zero_mask(size ^ (mcx_limb)i));
    }
    mcx_ted_affine_cneg(&pick.a, negative);
    mcx_ted_add(r, r, &pick);
    mcx_wipe(&pick, sizeof pick);
}

void mcx_ted_mul(struct mcx_ted *r, const struct mcx_ted *a, const struct mcx_scalar *k)
{
    struct mcx_ted_cached table[NUM_MULTIPLES + 1];
    mcx_limb digits[MCX_BN_LIMBS];

    make_multiples(table, a);
    recode(digits, k);
    mcx_ted_set_zero(r);
    for (int bit = MCX_BN_BITS - WINDOW; bit >= 0; bit -= WINDOW) {
        mcx_ted_dbl(r, r, WINDOW);
        add_digit(r, table, (digits[bit / MCX_LIMB_BITS] >> (bit % MCX_LIMB_BITS)) & 15);
    }
    mcx_wipe(digits, sizeof digits);
    mcx_wipe(table, sizeof table);
}
