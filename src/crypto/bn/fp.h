/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_BN_FP_H
#define MCX_CRYPTO_BN_FP_H

/*
 * The field F_p of SAKKE: mont.h with p bound, so that curve code reads like the paper.
 * Elements are in Montgomery form and fully reduced. Constant time throughout; outputs may alias inputs.
 */

#include <string.h>

#include "crypto/bn/mont.h"

struct mcx_fp {
    mcx_limb v[MCX_BN_LIMBS];
};

/** r := a + b */
static inline void mcx_fp_add(struct mcx_fp *r, const struct mcx_fp *a, const struct mcx_fp *b)
{
    mcx_mont_add(r->v, a->v, b->v, &mcx_mont_p);
}

/** r := 2 a */
static inline void mcx_fp_dbl(struct mcx_fp *r, const struct mcx_fp *a)
{
    mcx_mont_add(r->v, a->v, a->v, &mcx_mont_p);
}

/** r := a - b */
static inline void mcx_fp_sub(struct mcx_fp *r, const struct mcx_fp *a, const struct mcx_fp *b)
{
    mcx_mont_sub(r->v, a->v, b->v, &mcx_mont_p);
}

/** r := -a */
static inline void mcx_fp_neg(struct mcx_fp *r, const struct mcx_fp *a)
{
    const struct mcx_fp zero = { { 0 } };

    mcx_mont_sub(r->v, zero.v, a->v, &mcx_mont_p);
}

/** r := a b */
static inline void mcx_fp_mul(struct mcx_fp *r, const struct mcx_fp *a, const struct mcx_fp *b)
{
    mcx_mont_mul(r->v, a->v, b->v, &mcx_mont_p);
}

/** r := a^2 */
static inline void mcx_fp_sqr(struct mcx_fp *r, const struct mcx_fp *a)
{
    mcx_mont_sqr(r->v, a->v, &mcx_mont_p);
}

/** r := 1/a, and 0 for 0 */
static inline void mcx_fp_inv(struct mcx_fp *r, const struct mcx_fp *a)
{
    mcx_mont_inv(r->v, a->v, &mcx_mont_p);
}

/** r := a b + c d */
static inline void mcx_fp_dot2(struct mcx_fp *r, const struct mcx_fp *a, const struct mcx_fp *b, const struct mcx_fp *c,
                               const struct mcx_fp *d)
{
    mcx_mont_dot2(r->v, (const mcx_limb *const[]){ a->v, c->v }, (const mcx_limb *const[]){ b->v, d->v }, &mcx_mont_p);
}

/** r := a[0] b[0] + a[1] b[1] + a[2] b[2] */
static inline void mcx_fp_dot3(struct mcx_fp *r, const struct mcx_fp a[3], const struct mcx_fp b[3])
{
    mcx_mont_dot3(r->v, (const mcx_limb *const[]){ a[0].v, a[1].v, a[2].v },
                  (const mcx_limb *const[]){ b[0].v, b[1].v, b[2].v }, &mcx_mont_p);
}

/** r := a[0] b[0] + .. + a[3] b[3] */
static inline void mcx_fp_dot4(struct mcx_fp *r, const struct mcx_fp a[4], const struct mcx_fp b[4])
{
    mcx_mont_dot4(r->v, (const mcx_limb *const[]){ a[0].v, a[1].v, a[2].v, a[3].v },
                  (const mcx_limb *const[]){ b[0].v, b[1].v, b[2].v, b[3].v }, &mcx_mont_p);
}

static inline void mcx_fp_set_one(struct mcx_fp *r)
{
    memcpy(r->v, mcx_mont_p.one, sizeof r->v);
}

/** r := a where mask is all ones */
static inline void mcx_fp_cmov(struct mcx_fp *r, const struct mcx_fp *a, mcx_limb mask)
{
    mcx_mont_cmov(r->v, a->v, mask);
}

/** r := -r where mask is all ones */
static inline void mcx_fp_cneg(struct mcx_fp *r, mcx_limb mask)
{
    struct mcx_fp t;

    mcx_fp_neg(&t, r);
    mcx_fp_cmov(r, &t, mask);
}

/** All ones or 0. */
static inline mcx_limb mcx_fp_is_zero(const struct mcx_fp *a)
{
    return mcx_mont_is_zero(a->v);
}

/** All ones or 0. */
static inline mcx_limb mcx_fp_equal(const struct mcx_fp *a, const struct mcx_fp *b)
{
    return mcx_mont_equal(a->v, b->v);
}

/** 128 octets, big endian; all ones when the number is below p, else 0 (and r is not to be used). */
static inline mcx_limb mcx_fp_read(struct mcx_fp *r, const uint8_t in[MCX_BN_OCTETS])
{
    mcx_limb below = mcx_mont_read(r->v, in, &mcx_mont_p);

    mcx_mont_enter(r->v, r->v, &mcx_mont_p);
    return below;
}

/** Always 128 octets: leading zeros stay (RFC 6508 4). */
static inline void mcx_fp_write(uint8_t out[MCX_BN_OCTETS], const struct mcx_fp *a)
{
    struct mcx_fp t;

    mcx_mont_leave(t.v, a->v, &mcx_mont_p);
    mcx_mont_write(out, t.v);
    mcx_wipe(&t, sizeof t);
}

#endif
