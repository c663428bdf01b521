/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_PAIRING_H
#define MCX_CRYPTO_EC_PAIRING_H

/*
 * The pairing of RFC 6508 3.2, <K, R> = f(-Rx, i Ry)^4 with f the Miller function of q K: a value in PF_p.
 * It is symmetric on the subgroup of order q. The receiver's key K takes the first place because it is the
 * point that stays.
 */

#include "crypto/ec/curve.h"
#include "crypto/ec/pf.h"

/**
 * w := <K, R>. Constant time in both points; R may be any point of E.
 * All ones when K has order q, else 0 (and w is not to be used).
 */
mcx_limb mcx_pairing(struct mcx_fp *w, const struct mcx_ec *k, const struct mcx_ec *r);

/*
 * The same with everything that depends on K alone done before: radix 4, digits d = -1, 0, 1, 2 of q,
 *
 *     v <- v^4 G(-Rx, i Ry)      G with divisor 4(T) + d(K) + vertical ones - (4T + dK) - ..,  T <- 4T + dK
 *
 * G = y B(x) + A(x) is scaled so that B is monic. Divided by Ry, which lies in F_p, its value at (-Rx, i Ry) is
 * A(-Rx)/Ry + i B(-Rx). The table holds the coefficients, lowest first, B before A:
 *
 *     d = 0      b0          a0 a1 a2
 *     d = +-1    b0          a0 a1 a2 a3
 *     d = 2      b0 b1       a0 a1 a2 a3
 *
 * first of all the tangent at K, a0 a1 (B = 1), for the leading digit, which is 2. The last digit is taken as 0:
 * there the line through 4T and dK is vertical.
 */
#define MCX_PAIR_DIGITS 511
#define MCX_PAIR_COEFS  (2 + 129 * 4 + 242 * 5 + 139 * 6)

/** 320 KiB that are as secret as K. */
struct mcx_pair_table {
    struct mcx_fp coef[MCX_PAIR_COEFS];
};

/** Constant time in K. All ones when K has order q, else 0 (and r is not to be used). */
mcx_limb mcx_pair_table_make(struct mcx_pair_table *r, const struct mcx_ec *k);
/** w := <K, R>. Constant time in K and R; R may be any point of E. */
void mcx_pair_table_eval(struct mcx_fp *w, const struct mcx_pair_table *table, const struct mcx_ec *r);
/** Digits of q in radix 4, lowest first: -1, 0, 1, 2. */
void mcx_pair_digits(signed char digit[MCX_PAIR_DIGITS]);

#endif
