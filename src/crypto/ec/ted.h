/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_TED_H
#define MCX_CRYPTO_EC_TED_H

/*
 * Multiples of points, on the twisted Edwards curve E': -u^2 + v^2 = 1 + u^2 v^2, to which E is isomorphic:
 *
 *     u = k x/y,  v = (x - c)/(x + c)         c = sqrt(-3), itself a square;  k = sqrt(-2c)
 *     x = c (1 + v)/(1 - v),  y = k x/u
 *
 * Its addition (Hisil, Wong, Carter, Dawson 2008, a = -1, d = 1) takes 7 products with a prepared point against
 * 10 or 11 on E, and on points of odd order it has no exceptional case: the same formula adds equal and opposite
 * points and O = (0, 1). All points here have order q or are O; whoever brings a point in has checked that
 * (docs/SOUNDNESS.md). Constant time.
 */

#include "crypto/ec/curve.h"

/** u = X/Z, v = Y/Z, uv = T/Z. */
struct mcx_ted {
    struct mcx_fp x, y, z, t;
};

/** A point prepared for being added, with Z = 1: v - u, v + u, 2uv. */
struct mcx_ted_affine {
    struct mcx_fp diff, sum, t2;
};

/** The same with any Z: Y - X, Y + X, 2T, and 2Z. */
struct mcx_ted_cached {
    struct mcx_ted_affine a;
    struct mcx_fp z2;
};

/** r := A, of order q */
void mcx_ted_from_ec(struct mcx_ted *r, const struct mcx_ec *a);
/** r := A; all ones when A is a point of E, 0 when it is O (and r is not to be used) */
mcx_limb mcx_ted_to_ec(struct mcx_ec *r, const struct mcx_ted *a);
/** The same in two parts, for who shares the inversion: the denominator (0 for O), and A given its inverse. */
void mcx_ted_denominator(struct mcx_fp *r, const struct mcx_ted *a);
void mcx_ted_to_ec_with(struct mcx_ec *r, const struct mcx_ted *a, const struct mcx_fp *inverse);
/** All ones when A = B, else 0; no inversion. B may be any point of E. */
mcx_limb mcx_ted_equal_ec(const struct mcx_ted *a, const struct mcx_ec *b);

void mcx_ted_set_zero(struct mcx_ted *r);
/** r := 2^num A, num >= 1 */
void mcx_ted_dbl(struct mcx_ted *r, const struct mcx_ted *a, int num);
void mcx_ted_cache(struct mcx_ted_cached *r, const struct mcx_ted *a);
/** r := A + B */
void mcx_ted_add(struct mcx_ted *r, const struct mcx_ted *a, const struct mcx_ted_cached *b);
void mcx_ted_add_affine(struct mcx_ted *r, const struct mcx_ted *a, const struct mcx_ted_affine *b);
/** r := -r where mask is all ones: (u, v) -> (-u, v) */
void mcx_ted_affine_cneg(struct mcx_ted_affine *r, mcx_limb mask);

/** r := [k] A, k < q; without a prepared table */
void mcx_ted_mul(struct mcx_ted *r, const struct mcx_ted *a, const struct mcx_scalar *k);

#endif
