/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_BN_FQ_H
#define MCX_CRYPTO_BN_FQ_H

/* Scalars of SAKKE: integers modulo q, the order of P, in Montgomery form. Constant time. */

#include <mcx/bytes.h>

#include "crypto/bn/mont.h"

struct mcx_fq {
    mcx_limb v[MCX_BN_LIMBS];
};

/** A scalar as an ordinary integer below q, for the digits of a multiplication. */
struct mcx_scalar {
    mcx_limb v[MCX_BN_LIMBS];
};

/** r := a + b */
static inline void mcx_fq_add(struct mcx_fq *r, const struct mcx_fq *a, const struct mcx_fq *b)
{
    mcx_mont_add(r->v, a->v, b->v, &mcx_mont_q);
}

/** r := a b */
static inline void mcx_fq_mul(struct mcx_fq *r, const struct mcx_fq *a, const struct mcx_fq *b)
{
    mcx_mont_mul(r->v, a->v, b->v, &mcx_mont_q);
}

/** r := 1/a, and 0 for 0 */
static inline void mcx_fq_inv(struct mcx_fq *r, const struct mcx_fq *a)
{
    mcx_mont_inv(r->v, a->v, &mcx_mont_q);
}

/** All ones or 0. */
static inline mcx_limb mcx_fq_is_zero(const struct mcx_fq *a)
{
    return mcx_mont_is_zero(a->v);
}

static inline void mcx_fq_scalar(struct mcx_scalar *r, const struct mcx_fq *a)
{
    mcx_mont_leave(r->v, a->v, &mcx_mont_q);
}

/** 128 octets, big endian; all ones when the number is below q, else 0 (and r is not to be used). */
static inline mcx_limb mcx_fq_read(struct mcx_fq *r, const uint8_t in[MCX_BN_OCTETS])
{
    mcx_limb below = mcx_mont_read(r->v, in, &mcx_mont_q);

    mcx_mont_enter(r->v, r->v, &mcx_mont_q);
    return below;
}

/** r := in mod q, a big-endian number of any length; constant time in the octets, not in the length. */
void mcx_fq_reduce(struct mcx_fq *r, struct mcx_bytes in);

#endif
