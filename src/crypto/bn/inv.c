/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inversion modulo an odd m by division steps (Bernstein and Yang, "Fast constant-time gcd computation and
 * modular inversion", 2019), in constant time.
 *
 *   delta = 1, f = m, g = a
 *   step:  delta > 0 and g odd:  delta, f, g = 1 - delta, g, (g - f)/2
 *          else                  delta, f, g = 1 + delta, f, (g + (g mod 2) f)/2
 *
 * By theorem 11.2 there, floor((49 d + 57)/17) steps bring g to 0 and f to +-gcd, for d >= 46 and
 * f^2 + 4 g^2 <= 5 * 2^(2d). Here |f|, |g| < 2^1024, so d = 1024 and 2954 steps are enough (docs/SOUNDNESS.md).
 *
 * STEP_BITS steps at a time look at the low limb only and give a matrix [u v; q r], |u|+|v|, |q|+|r| <= 2^STEP_BITS:
 *   f, g <- (u f + v g, q f + r g) / 2^STEP_BITS            exact
 *   d, e <- (u d + v e, q d + r e) / 2^STEP_BITS mod m      d a = f c, e a = g c modulo m, from d = 0, e = c
 * so that d = +-c/a in the end. With c = 2^2048 mod m this is the inverse in Montgomery form.
 *
 * PORTABILITY: right shifts of negative numbers and conversions to signed types are those of gcc and clang
 * (arithmetic, two's complement).
 */
#include "crypto/bn/mont.h"

#include <string.h>

#ifdef MCX_LIMB32
typedef int32_t slimb;
typedef int64_t sdlimb;
#else
typedef int64_t slimb;
__extension__ typedef __int128 sdlimb;
#endif

#define STEP_BITS  (MCX_LIMB_BITS - 2) /* 62 or 30: digits of the signed numbers, too */
#define DIGITS     ((MCX_BN_BITS + 2 + STEP_BITS - 1) / STEP_BITS)
#define DIGIT_MASK (((mcx_limb)1 << STEP_BITS) - 1)
#define STEPS      ((49 * MCX_BN_BITS + 57) / 17)
#define ROUNDS     ((STEPS + STEP_BITS - 1) / STEP_BITS)

/* Digits of STEP_BITS bits, all but the highest in 0 .. 2^STEP_BITS - 1; the highest carries the sign. */
struct sint {
    slimb v[DIGITS];
};

struct matrix {
    slimb u, v, q, r;
};

static void unpack(struct sint *r, const mcx_limb *a)
{
    for (int i = 0; i < DIGITS; i++) {
        int bit = i * STEP_BITS;
        int word = bit / MCX_LIMB_BITS;
        int shift = bit % MCX_LIMB_BITS;
        mcx_limb t = word < MCX_BN_LIMBS ? a[word] >> shift : 0;

        if (shift > MCX_LIMB_BITS - STEP_BITS && word + 1 < MCX_BN_LIMBS) {
            t |= a[word + 1] << (MCX_LIMB_BITS - shift);
        }
        r->v[i] = (slimb)(t & DIGIT_MASK);
    }
}

/* a in 0 .. 2^1024 - 1 */
static void pack(mcx_limb *r, const struct sint *a)
{
    memset(r, 0, MCX_BN_LIMBS * sizeof *r);
    for (int i = 0; i < DIGITS; i++) {
        int bit = i * STEP_BITS;
        int word = bit / MCX_LIMB_BITS;
        int shift = bit % MCX_LIMB_BITS;

        if (word < MCX_BN_LIMBS) {
            r[word] |= (mcx_limb)a->v[i] << shift;
        }
        if (shift > MCX_LIMB_BITS - STEP_BITS && word + 1 < MCX_BN_LIMBS) {
            r[word + 1] |= (mcx_limb)a->v[i] >> (MCX_LIMB_BITS - shift);
        }
    }
}

/* STEP_BITS division steps on the low limbs of f and g. Entries are kept as two's complement in unsigned limbs. */
static slimb divsteps(struct matrix *out, slimb delta, mcx_limb f, mcx_limb g)
{
    mcx_limb u = 1, v = 0, q = 0, r = 1;

    for (int i = 0; i < STEP_BITS; i++) {
        mcx_limb odd = mcx_limb_mask(g & 1);
        mcx_limb swap = odd & mcx_limb_mask((mcx_limb)-delta >> (MCX_LIMB_BITS - 1)); /* delta > 0 */
        mcx_limb t;

        /* where swap: f, g = g, -f; delta = -delta; rows likewise */
        delta = (slimb)(((mcx_limb)delta ^ swap) - swap) + 1;
        t = f;
        f ^= (f ^ g) & swap;
        g = (g & ~swap) | ((0 - t) & swap);
        t = u;
        u ^= (u ^ q) & swap;
        q = (q & ~swap) | ((0 - t) & swap);
        t = v;
        v ^= (v ^ r) & swap;
        r = (r & ~swap) | ((0 - t) & swap);

        g = (g + (f & odd)) >> 1;
        q += u & odd;
        r += v & odd;
        u <<= 1;
        v <<= 1;
    }
    out->u = (slimb)u;
    out->v = (slimb)v;
    out->q = (slimb)q;
    out->r = (slimb)r;
    return delta;
}

static void update_fg(struct sint *f, struct sint *g, const struct matrix *t)
{
    sdlimb cf = (sdlimb)t->u * f->v[0] + (sdlimb)t->v * g->v[0];
    sdlimb cg = (sdlimb)t->q * f->v[0] + (sdlimb)t->r * g->v[0];

    cf >>= STEP_BITS; /* the low digit is zero */
    cg >>= STEP_BITS;
    for (int i = 1; i < DIGITS; i++) {
        cf += (sdlimb)t->u * f->v[i] + (sdlimb)t->v * g->v[i];
        cg += (sdlimb)t->q * f->v[i] + (sdlimb)t->r * g->v[i];
        f->v[i - 1] = (slimb)((mcx_limb)cf & DIGIT_MASK);
        g->v[i - 1] = (slimb)((mcx_limb)cg & DIGIT_MASK);
        cf >>= STEP_BITS;
        cg >>= STEP_BITS;
    }
    f->v[DIGITS - 1] = (slimb)cf;
    g->v[DIGITS - 1] = (slimb)cg;
}

/*
 * d and e stay in -2m < x < m: negative inputs count as x + m first, which makes them -m < x < m and the sum
 * |u d + v e| < 2^STEP_BITS m; then a multiple k m, -2^STEP_BITS < k <= 0, makes the low digit zero.
 */
static void update_de(struct sint *d, struct sint *e, const struct matrix *t, const struct sint *m, mcx_limb m_inv)
{
    slimb d_sign = d->v[DIGITS - 1] >> (MCX_LIMB_BITS - 1);
    slimb e_sign = e->v[DIGITS - 1] >> (MCX_LIMB_BITS - 1);
    slimb kd = (t->u & d_sign) + (t->v & e_sign);
    slimb ke = (t->q & d_sign) + (t->r & e_sign);
    sdlimb cd = (sdlimb)t->u * d->v[0] + (sdlimb)t->v * e->v[0];
    sdlimb ce = (sdlimb)t->q * d->v[0] + (sdlimb)t->r * e->v[0];

    kd -= (slimb)((m_inv * (mcx_limb)cd + (mcx_limb)kd) & DIGIT_MASK);
    ke -= (slimb)((m_inv * (mcx_limb)ce + (mcx_limb)ke) & DIGIT_MASK);
    cd = (cd + (sdlimb)m->v[0] * kd) >> STEP_BITS;
    ce = (ce + (sdlimb)m->v[0] * ke) >> STEP_BITS;
    for (int i = 1; i < DIGITS; i++) {
        cd += (sdlimb)t->u * d->v[i] + (sdlimb)t->v * e->v[i] + (sdlimb)m->v[i] * kd;
        ce += (sdlimb)t->q * d->v[i] + (sdlimb)t->r * e->v[i] + (sdlimb)m->v[i] * ke;
        d->v[i - 1] = (slimb)((mcx_limb)cd & DIGIT_MASK);
        e->v[i - 1] = (slimb)((mcx_limb)ce & DIGIT_MASK);
        cd >>= STEP_BITS;
        ce >>= STEP_BITS;
    }
    d->v[DIGITS - 1] = (slimb)cd;
    e->v[DIGITS - 1] = (slimb)ce;
}

/* r := (r where not neg, -r where neg) + (m where add) */
static void adjust(struct sint *r, slimb neg, const struct sint *m, slimb add)
{
    slimb carry = 0;

    for (int i = 0; i < DIGITS; i++) {
        slimb t = ((r->v[i] ^ neg) - neg) + (m->v[i] & add) + carry;

        if (i < DIGITS - 1) {
            carry = t >> STEP_BITS;
            t = (slimb)((mcx_limb)t & DIGIT_MASK);
        }
        r->v[i] = t;
    }
}

static slimb sign(const struct sint *a)
{
    return a->v[DIGITS - 1] >> (MCX_LIMB_BITS - 1);
}

void mcx_mont_inv(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m)
{
    struct {
        struct sint f, g, d, e;
        struct matrix t;
    } s = { 0 };
    mcx_limb m_inv = 0 - m->neg_inv;
    struct sint modulus;
    slimb delta = 1;

    unpack(&modulus, m->m);
    s.f = modulus;
    unpack(&s.g, a);
    unpack(&s.e, m->rr);
    for (int i = 0; i < ROUNDS; i++) {
        delta = divsteps(&s.t, delta, (mcx_limb)s.f.v[0] | (mcx_limb)s.f.v[1] << STEP_BITS,
                         (mcx_limb)s.g.v[0] | (mcx_limb)s.g.v[1] << STEP_BITS);
        update_de(&s.d, &s.e, &s.t, &modulus, m_inv);
        update_fg(&s.f, &s.g, &s.t);
    }
    adjust(&s.d, 0, &modulus, sign(&s.d)); /* -m < d < m */
    adjust(&s.d, sign(&s.f), &modulus, 0); /* f = -1: d is the negative of the inverse */
    adjust(&s.d, 0, &modulus, sign(&s.d)); /* 0 <= d < m */
    pack(r, &s.d);
    mcx_wipe(&s, sizeof s);
}
