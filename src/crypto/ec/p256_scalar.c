/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers modulo q, the order of P-256. Fixed width, no branch and no address that depends on a value.
 *
 * Multiplication is Montgomery's with R = 2^256; numbers are kept in plain form outside, since a signature
 * needs three products and one inverse. The inverse is a^(q-2): the exponent is public.
 */
#include "crypto/ec/p256.h"

#define LIMBS MCX_P256_LIMBS

typedef mcx_p256_limb limb;
#if MCX_P256_LIMBS == 4
__extension__ typedef unsigned __int128 dlimb;
#define LIMB_BITS     64
#define WORDS(hi, lo) (UINT64_C(hi) << 32 | UINT64_C(lo))
#else
typedef uint64_t dlimb;
#define LIMB_BITS     32
#define WORDS(hi, lo) UINT32_C(lo), UINT32_C(hi)
#endif

/* q = 2^256 - 2^224 + 2^192 - ... (FIPS 186-4 D.1.2.3) */
static const limb order[LIMBS] = { WORDS(0xF3B9CAC2, 0xFC632551), WORDS(0xBCE6FAAD, 0xA7179E84),
                                   WORDS(0xFFFFFFFF, 0xFFFFFFFF), WORDS(0xFFFFFFFF, 0x00000000) };
/* R^2 mod q */
static const limb r_squared[LIMBS] = { WORDS(0x83244C95, 0xBE79EEA2), WORDS(0x4699799C, 0x49BD6FA6),
                                       WORDS(0x2845B239, 0x2B6BEC59), WORDS(0x66E12D94, 0xF3D95620) };
/* -1/q mod 2^64; its low half serves 32-bit limbs */
#define ORDER_NEG_INVERSE ((limb)UINT64_C(0xccd1c8aaee00bc4f))

/* r := mask ? b : a, mask all ones or zero */
static void select_limbs(limb r[LIMBS], uint64_t mask, const limb a[LIMBS], const limb b[LIMBS])
{
    limb m = (limb)mcx_ct_barrier(mask);

    for (size_t i = 0; i < LIMBS; i++) {
        r[i] = (limb)((a[i] & ~m) | (b[i] & m));
    }
}

/* r := a - b, returns the borrow, 0 or 1 */
static limb sub_limbs(limb r[LIMBS], const limb a[LIMBS], const limb b[LIMBS])
{
    limb borrow = 0;

    for (size_t i = 0; i < LIMBS; i++) {
        dlimb d = (dlimb)a[i] - b[i] - borrow;

        r[i] = (limb)d;
        borrow = (limb)(d >> LIMB_BITS) & 1;
    }
    return borrow;
}

/* r := carry * 2^256 + a, less q once when that is not below q; the input is below 2q */
static void reduce_once(limb r[LIMBS], const limb a[LIMBS], limb carry)
{
    limb d[LIMBS];
    limb borrow = sub_limbs(d, a, order);
    uint64_t keep = 0 - (uint64_t)(borrow & ~carry & 1); /* a < q: nothing to take off */

    select_limbs(r, keep, d, a);
}

/* r := a * b / R mod q (Montgomery), a and b below q */
static void mont_mul(limb r[LIMBS], const limb a[LIMBS], const limb b[LIMBS])
{
    limb t[LIMBS + 2] = { 0 };

    for (size_t i = 0; i < LIMBS; i++) {
        dlimb acc = 0;
        limb m = 0;

        for (size_t j = 0; j < LIMBS; j++) { /* t += a * b[i] */
            acc = (dlimb)a[j] * b[i] + t[j] + (limb)(acc >> LIMB_BITS);
            t[j] = (limb)acc;
        }
        acc = (dlimb)t[LIMBS] + (limb)(acc >> LIMB_BITS);
        t[LIMBS] = (limb)acc;
        t[LIMBS + 1] = (limb)(acc >> LIMB_BITS);
        m = (limb)(t[0] * ORDER_NEG_INVERSE);
        acc = (dlimb)m * order[0] + t[0];
        for (size_t j = 1; j < LIMBS; j++) { /* t := (t + m * q) / 2^LIMB_BITS */
            acc = (dlimb)m * order[j] + t[j] + (limb)(acc >> LIMB_BITS);
            t[j - 1] = (limb)acc;
        }
        acc = (dlimb)t[LIMBS] + (limb)(acc >> LIMB_BITS);
        t[LIMBS - 1] = (limb)acc;
        t[LIMBS] = (limb)(t[LIMBS + 1] + (limb)(acc >> LIMB_BITS));
    }
    reduce_once(r, t, t[LIMBS]);
    mcx_wipe(t, sizeof t);
}

static void limbs_read(limb out[LIMBS], const uint8_t in[MCX_P256_SCALAR_LEN])
{
    for (size_t i = 0; i < LIMBS; i++) {
        const uint8_t *p = in + MCX_P256_SCALAR_LEN - (i + 1) * sizeof(limb);
        limb v = 0;

        for (size_t k = 0; k < sizeof(limb); k++) {
            v = (limb)(v << 8 | p[k]);
        }
        out[i] = v;
    }
}

static void limbs_write(uint8_t out[MCX_P256_SCALAR_LEN], const limb a[LIMBS])
{
    for (size_t i = 0; i < MCX_P256_SCALAR_LEN; i++) {
        size_t bit = 8 * (MCX_P256_SCALAR_LEN - 1 - i);

        out[i] = (uint8_t)(a[bit / LIMB_BITS] >> bit % LIMB_BITS);
    }
}

uint64_t mcx_p256_scalar_is_zero(const struct mcx_p256_scalar *a)
{
    uint64_t any = 0;

    for (size_t i = 0; i < LIMBS; i++) {
        any |= a->l[i];
    }
    return mcx_ct_is_zero_mask(any);
}

bool mcx_p256_scalar_read(struct mcx_p256_scalar *out, const uint8_t in[MCX_P256_SCALAR_LEN])
{
    struct mcx_p256_scalar d;
    uint64_t ok = 0;

    limbs_read(out->l, in);
    ok = 0 - (uint64_t)sub_limbs(d.l, out->l, order); /* a borrow: in < q */
    ok &= ~mcx_p256_scalar_is_zero(out);
    mcx_p256_scalar_clear(&d);
    MCX_CT_PUBLIC(&ok, sizeof ok); /* whether a number is in range: callers refuse it or draw another */
    if (ok == 0) {
        mcx_p256_scalar_clear(out);
    }
    return ok != 0;
}

void mcx_p256_scalar_reduce(struct mcx_p256_scalar *out, const uint8_t in[MCX_P256_SCALAR_LEN])
{
    limb a[LIMBS];

    limbs_read(a, in); /* 2^256 < 2q */
    reduce_once(out->l, a, 0);
    mcx_wipe(a, sizeof a);
}

void mcx_p256_scalar_write(uint8_t out[MCX_P256_SCALAR_LEN], const struct mcx_p256_scalar *a)
{
    limbs_write(out, a->l);
}

void mcx_p256_scalar_add(struct mcx_p256_scalar *out, const struct mcx_p256_scalar *a, const struct mcx_p256_scalar *b)
{
    limb sum[LIMBS];
    limb carry = 0;

    for (size_t i = 0; i < LIMBS; i++) {
        dlimb s = (dlimb)a->l[i] + b->l[i] + carry;

        sum[i] = (limb)s;
        carry = (limb)(s >> LIMB_BITS);
    }
    reduce_once(out->l, sum, carry);
    mcx_wipe(sum, sizeof sum);
}

void mcx_p256_scalar_mul(struct mcx_p256_scalar *out, const struct mcx_p256_scalar *a, const struct mcx_p256_scalar *b)
{
    limb t[LIMBS];

    mont_mul(t, a->l, b->l);        /* ab/R */
    mont_mul(out->l, t, r_squared); /* ab */
    mcx_wipe(t, sizeof t);
}

/* q - 2. A constant: the loop of the inverse may branch on it and use it as an index. */
static const uint8_t exponent[MCX_P256_SCALAR_LEN] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
};

static size_t exponent_digit(size_t i)
{
    return i % 2 == 0 ? exponent[i / 2] >> 4 : exponent[i / 2] & 15;
}

void mcx_p256_scalar_inverse(struct mcx_p256_scalar *out, const struct mcx_p256_scalar *a)
{
    static const limb one[LIMBS] = { 1 };
    limb power[16][LIMBS]; /* a^i R for i = 1 .. 15 */
    limb acc[LIMBS];

    mont_mul(power[1], a->l, r_squared);
    for (size_t i = 2; i < 16; i++) {
        mont_mul(power[i], power[i - 1], power[1]);
    }
    for (size_t i = 0; i < LIMBS; i++) {
        acc[i] = power[exponent_digit(0)][i];
    }
    for (size_t d = 1; d < 64; d++) {
        for (size_t i = 0; i < 4; i++) {
            mont_mul(acc, acc, acc);
        }
        if (exponent_digit(d) != 0) {
            mont_mul(acc, acc, power[exponent_digit(d)]);
        }
    }
    mont_mul(out->l, acc, one);
    mcx_wipe(acc, sizeof acc);
    mcx_wipe(power, sizeof power);
}

uint64_t mcx_p256_scalar_upper_half(uint8_t out[MCX_P256_SCALAR_LEN], const struct mcx_p256_scalar *a)
{
    limb neg[LIMBS];
    limb d[LIMBS];
    uint64_t take_neg = 0;

    (void)sub_limbs(neg, order, a->l);
    take_neg = 0 - (uint64_t)sub_limbs(d, a->l, neg); /* a borrow: a < q - a */
    select_limbs(d, take_neg, a->l, neg);
    limbs_write(out, d);
    mcx_wipe(neg, sizeof neg);
    mcx_wipe(d, sizeof d);
    return take_neg;
}

void mcx_p256_scalar_clear(struct mcx_p256_scalar *a)
{
    mcx_wipe(a, sizeof *a);
}
