/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_BN_MONT_H
#define MCX_CRYPTO_BN_MONT_H

/*
 * 1024-bit arithmetic modulo an odd number m, in Montgomery form: a is held as a 2^1024 mod m.
 *
 * Width is fixed: N limbs of 64 bits, or of 32 bits with -DMCX_LIMB32 (machines without a 64x64->128
 * multiplication), least significant limb first. Both forms hold the same integers and give the same octets.
 * Everything is constant time in the values; moduli and lengths are public. Outputs may alias inputs.
 *
 * Where a formula sums products, mcx_mont_dot*() does so before the one reduction.
 *
 * Callers use fp.h and fq.h, which bind the modulus and the element type. What a faster back end replaces is
 * mont.c: no other file knows limbs (besides inv.c, which is built on the same type).
 */

#include <stdint.h>

#include <mcx/secret.h>

#ifdef MCX_LIMB32
typedef uint32_t mcx_limb;
typedef uint64_t mcx_dlimb;
#define MCX_LIMB_BITS 32
#define MCX_L64(x)    (uint32_t) UINT64_C(x), (uint32_t)(UINT64_C(x) >> 32)
#else
typedef uint64_t mcx_limb;
__extension__ typedef unsigned __int128 mcx_dlimb;
#define MCX_LIMB_BITS 64
#define MCX_L64(x)    UINT64_C(x)
#endif

#define MCX_BN_BITS   1024
#define MCX_BN_OCTETS (MCX_BN_BITS / 8)
#define MCX_BN_LIMBS  (MCX_BN_BITS / MCX_LIMB_BITS)

struct mcx_mont {
    mcx_limb m[MCX_BN_LIMBS];
    mcx_limb one[MCX_BN_LIMBS]; /* 2^1024 mod m */
    mcx_limb rr[MCX_BN_LIMBS];  /* 2^2048 mod m */
    mcx_limb neg_inv;           /* -1/m mod 2^MCX_LIMB_BITS */
};

extern const struct mcx_mont mcx_mont_p;
extern const struct mcx_mont mcx_mont_q;

/** All ones or zero, wide as a limb. */
static inline mcx_limb mcx_limb_mask(mcx_limb bit)
{
    return (mcx_limb)(0 - (mcx_limb)mcx_ct_barrier(bit));
}

/** r := a + b mod m */
void mcx_mont_add(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m);
/** r := a - b mod m */
void mcx_mont_sub(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m);
/** r := a b / 2^1024 mod m, for any a < 2^1024 and b < m */
void mcx_mont_mul(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m);
/** r := (a0 b0 + a1 b1 + ..) / 2^1024 mod m: products of reduced numbers under one reduction; m = p only */
void mcx_mont_dot2(mcx_limb *r, const mcx_limb *const a[2], const mcx_limb *const b[2], const struct mcx_mont *m);
void mcx_mont_dot3(mcx_limb *r, const mcx_limb *const a[3], const mcx_limb *const b[3], const struct mcx_mont *m);
void mcx_mont_dot4(mcx_limb *r, const mcx_limb *const a[4], const mcx_limb *const b[4], const struct mcx_mont *m);
/** r := a^2 / 2^1024 mod m */
void mcx_mont_sqr(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m);
/** r := 1/a mod m, and 0 for 0; a and r in Montgomery form, a < m (inv.c) */
void mcx_mont_inv(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m);

/** r := a where mask is all ones, else unchanged */
void mcx_mont_cmov(mcx_limb *r, const mcx_limb *a, mcx_limb mask);
/** All ones when a is zero, else 0. */
mcx_limb mcx_mont_is_zero(const mcx_limb *a);
/** All ones when a = b, else 0. */
mcx_limb mcx_mont_equal(const mcx_limb *a, const mcx_limb *b);

/** Read 128 octets, big endian, without reduction; all ones when the number is below m, else 0. */
mcx_limb mcx_mont_read(mcx_limb *r, const uint8_t in[MCX_BN_OCTETS], const struct mcx_mont *m);
void mcx_mont_write(uint8_t out[MCX_BN_OCTETS], const mcx_limb *a);
/** r := a 2^1024 mod m, for any a < 2^1024 */
void mcx_mont_enter(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m);
/** r := a / 2^1024 mod m */
void mcx_mont_leave(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m);

#endif
