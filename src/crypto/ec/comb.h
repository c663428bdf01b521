/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_COMB_H
#define MCX_CRYPTO_EC_COMB_H

/*
 * Multiplication by a secret scalar when the base is fixed: signed combs with precomputed tables.
 *
 * An odd k < 2^L is a sum of L signed powers of two, none of them zero; an even one is replaced by q - k, which
 * is odd, and the result is negated. With L = TEETH BLOCKS SPACING, bit positions are seen as
 *
 *     i = tooth (BLOCKS SPACING) + block SPACING + step
 *
 * and table[block] holds, for all signs of its teeth with the last one positive, the sum of
 * +-2^(tooth BLOCKS SPACING + block SPACING) times the base. So k costs SPACING - 1 doublings and SPACING BLOCKS
 * additions. Each look-up reads a whole table and selects by masks.
 */

#include "crypto/bn/fq.h"
#include "crypto/ec/pf.h"
#include "crypto/ec/ted.h"

#define MCX_COMB_TEETH   7
#define MCX_COMB_BLOCKS  8
#define MCX_COMB_SPACING 19
#define MCX_COMB_STRIDE  (MCX_COMB_BLOCKS * MCX_COMB_SPACING)
#define MCX_COMB_BITS    (MCX_COMB_TEETH * MCX_COMB_STRIDE) /* 1064; at least 1022 are needed */
#define MCX_COMB_ENTRIES (1 << (MCX_COMB_TEETH - 1))

/** Table of a point: 192 KiB. */
struct mcx_ted_comb {
    struct mcx_ted_affine entry[MCX_COMB_BLOCKS][MCX_COMB_ENTRIES];
};

/** Table of an element of PF_p; t stands for 1 + it: 64 KiB. */
struct mcx_pf_comb {
    struct mcx_fp entry[MCX_COMB_BLOCKS][MCX_COMB_ENTRIES];
};

/** Tables of public bases. */
void mcx_ted_comb_make(struct mcx_ted_comb *r, const struct mcx_ted *a);
void mcx_pf_comb_make(struct mcx_pf_comb *r, const struct mcx_fp *t);

/** One summand of mcx_ted_comb_mul(). */
struct mcx_ted_comb_term {
    const struct mcx_ted_comb *comb;
    const struct mcx_scalar *k; /* below q */
};
#define MCX_COMB_TERMS_MAX 2
/** r := sum of [k] base over `num` <= MCX_COMB_TERMS_MAX terms; constant time in k */
void mcx_ted_comb_mul(struct mcx_ted *r, const struct mcx_ted_comb_term *terms, int num);
/** r := base^k, constant time in k < q */
void mcx_pf_comb_pow(struct mcx_pf *r, const struct mcx_pf_comb *comb, const struct mcx_scalar *k);

#endif
