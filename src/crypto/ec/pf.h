/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_PF_H
#define MCX_CRYPTO_EC_PF_H

/*
 * F_p^2 = F_p[i], i^2 = -1, and PF_p, its nonzero elements up to factors in F_p (RFC 6508 2.1): a + ib stands
 * for b/a, and an element of F_p written alone, t, stands for 1 + it. Constant time.
 */

#include "crypto/bn/fp.h"

/** a + ib */
struct mcx_pf {
    struct mcx_fp a, b;
};

/** r := 1 */
void mcx_pf_set_one(struct mcx_pf *r);
/** r := x y */
void mcx_pf_mul(struct mcx_pf *r, const struct mcx_pf *x, const struct mcx_pf *y);
/** r := x (1 + it) */
void mcx_pf_mul_one(struct mcx_pf *r, const struct mcx_pf *x, const struct mcx_fp *t);
/** r := x^2 */
void mcx_pf_sqr(struct mcx_pf *r, const struct mcx_pf *x);
/** r := b/a, and 0 for a = 0 */
void mcx_pf_value(struct mcx_fp *r, const struct mcx_pf *x);

#endif
