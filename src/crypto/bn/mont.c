/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bn/mont.h"

#include <string.h>

#define N MCX_BN_LIMBS

static mcx_limb add_n(mcx_limb *r, const mcx_limb *a, const mcx_limb *b)
{
    mcx_limb carry = 0;

    for (int i = 0; i < N; i++) {
        mcx_dlimb t = (mcx_dlimb)a[i] + b[i] + carry;

        r[i] = (mcx_limb)t;
        carry = (mcx_limb)(t >> MCX_LIMB_BITS);
    }
    return carry;
}

static mcx_limb sub_n(mcx_limb *r, const mcx_limb *a, const mcx_limb *b)
{
    mcx_limb borrow = 0;

    for (int i = 0; i < N; i++) {
        mcx_dlimb t = (mcx_dlimb)a[i] - b[i] - borrow;

        r[i] = (mcx_limb)t;
        borrow = (mcx_limb)(t >> MCX_LIMB_BITS) & 1;
    }
    return borrow;
}

/* r := r + (a where mask), result modulo 2^1024 */
static void add_masked(mcx_limb *r, const mcx_limb *a, mcx_limb mask)
{
    mcx_limb carry = 0;

    for (int i = 0; i < N; i++) {
        mcx_dlimb t = (mcx_dlimb)r[i] + (a[i] & mask) + carry;

        r[i] = (mcx_limb)t;
        carry = (mcx_limb)(t >> MCX_LIMB_BITS);
    }
}

/* r := top 2^1024 + t, less m once if that is not below m; exact for numbers below 2m */
static void sub_once(mcx_limb *r, const mcx_limb *t, mcx_limb top, const struct mcx_mont *m)
{
    mcx_limb u[N];
    mcx_limb borrow = sub_n(u, t, m->m);
    mcx_limb keep = mcx_limb_mask(borrow & (top ^ 1));

    for (int i = 0; i < N; i++) {
        r[i] = (t[i] & keep) | (u[i] & ~keep);
    }
}

void mcx_mont_add(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m)
{
    mcx_limb t[N];
    mcx_limb carry = add_n(t, a, b);

    sub_once(r, t, carry, m);
}

void mcx_mont_sub(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m)
{
    mcx_limb borrow = sub_n(r, a, b);

    add_masked(r, m->m, mcx_limb_mask(borrow));
}

/*
 * Products are summed column by column (product scanning): one column is a sum of at most 2N products and is
 * held in three limbs. This shape compiles well with gcc and clang alike; Karatsuba over it does not pay in C.
 */
struct column {
    mcx_dlimb low;
    mcx_limb top;
};

static inline void column_add(struct column *c, mcx_dlimb t)
{
    c->low += t;
    c->top += (mcx_limb)(c->low < t);
}

static inline void column_mac(struct column *c, mcx_limb a, mcx_limb b)
{
    column_add(c, (mcx_dlimb)a * b);
}

/* The finished limb; the rest is carried into the next column. */
static inline mcx_limb column_next(struct column *c)
{
    mcx_limb limb = (mcx_limb)c->low;

    c->low = (c->low >> MCX_LIMB_BITS) | ((mcx_dlimb)c->top << MCX_LIMB_BITS);
    c->top = 0;
    return limb;
}

void mcx_mont_mul_wide(mcx_limb *w, const mcx_limb *a, const mcx_limb *b)
{
    struct column c = { 0, 0 };

    for (int k = 0; k < N; k++) {
        for (int i = 0; i <= k; i++) {
            column_mac(&c, a[i], b[k - i]);
        }
        w[k] = column_next(&c);
    }
    for (int k = N; k < 2 * N - 1; k++) {
        for (int i = k - N + 1; i < N; i++) {
            column_mac(&c, a[i], b[k - i]);
        }
        w[k] = column_next(&c);
    }
    w[2 * N - 1] = (mcx_limb)c.low;
}

/* Each product of two different limbs once, the sum of a column doubled. */
static void sqr_wide(mcx_limb *w, const mcx_limb *a)
{
    struct column c = { 0, 0 };

    for (int k = 0; k < 2 * N - 1; k++) {
        struct column mixed = { 0, 0 };

        for (int i = k < N ? 0 : k - N + 1; 2 * i < k; i++) {
            column_mac(&mixed, a[i], a[k - i]);
        }
        c.top += (mcx_limb)(mixed.top << 1) | (mcx_limb)(mixed.low >> (2 * MCX_LIMB_BITS - 1));
        column_add(&c, mixed.low << 1);
        if (k % 2 == 0) {
            column_mac(&c, a[k / 2], a[k / 2]);
        }
        w[k] = column_next(&c);
    }
    w[2 * N - 1] = (mcx_limb)c.low;
}

void mcx_mont_add_wide(mcx_limb *w, const mcx_limb *v, const struct mcx_mont *m)
{
    mcx_limb carry = 0;

    for (int i = 0; i < 2 * N; i++) {
        mcx_dlimb t = (mcx_dlimb)w[i] + v[i] + carry;

        w[i] = (mcx_limb)t;
        carry = (mcx_limb)(t >> MCX_LIMB_BITS);
    }
    sub_once(w + N, w + N, carry, m);
}

void mcx_mont_sub_wide(mcx_limb *w, const mcx_limb *v, const struct mcx_mont *m)
{
    mcx_limb borrow = 0;

    for (int i = 0; i < 2 * N; i++) {
        mcx_dlimb t = (mcx_dlimb)w[i] - v[i] - borrow;

        w[i] = (mcx_limb)t;
        borrow = (mcx_limb)(t >> MCX_LIMB_BITS) & 1;
    }
    add_masked(w + N, m->m, mcx_limb_mask(borrow));
}

/*
 * w + u m with u chosen limb by limb so that the lower half becomes zero; the upper half is the result. It is
 * below 2m because w and u m both are below m 2^1024, so that one subtraction is enough.
 */
void mcx_mont_redc(mcx_limb *r, const mcx_limb *w, const struct mcx_mont *m)
{
    struct column c = { 0, 0 };
    mcx_limb u[N];
    mcx_limb t[N];

    for (int k = 0; k < N; k++) {
        column_add(&c, w[k]);
        for (int i = 0; i < k; i++) {
            column_mac(&c, u[i], m->m[k - i]);
        }
        u[k] = (mcx_limb)c.low * m->neg_inv;
        column_mac(&c, u[k], m->m[0]);
        (void)column_next(&c);
    }
    for (int k = N; k < 2 * N - 1; k++) {
        column_add(&c, w[k]);
        for (int i = k - N + 1; i < N; i++) {
            column_mac(&c, u[i], m->m[k - i]);
        }
        t[k - N] = column_next(&c);
    }
    column_add(&c, w[2 * N - 1]);
    t[N - 1] = column_next(&c);
    sub_once(r, t, (mcx_limb)c.low, m);
}

void mcx_mont_mul(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m)
{
    mcx_limb w[2 * N];

    mcx_mont_mul_wide(w, a, b);
    mcx_mont_redc(r, w, m);
}

void mcx_mont_sqr(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m)
{
    mcx_limb w[2 * N];

    sqr_wide(w, a);
    mcx_mont_redc(r, w, m);
}

void mcx_mont_inv(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m)
{
    mcx_limb acc[N];

    /* m - 2: m is odd and its lowest limb is larger than 2 */
    memcpy(acc, m->one, sizeof acc);
    for (int i = MCX_BN_BITS - 1; i >= 0; i--) {
        mcx_limb e = m->m[i / MCX_LIMB_BITS] - (i < MCX_LIMB_BITS ? 2 : 0);

        mcx_mont_sqr(acc, acc, m);
        if (((e >> (i % MCX_LIMB_BITS)) & 1) != 0) { /* the modulus is public */
            mcx_mont_mul(acc, acc, a, m);
        }
    }
    memcpy(r, acc, sizeof acc);
    mcx_wipe(acc, sizeof acc);
}

void mcx_mont_cmov(mcx_limb *r, const mcx_limb *a, mcx_limb mask)
{
    for (int i = 0; i < N; i++) {
        r[i] ^= (r[i] ^ a[i]) & mask;
    }
}

mcx_limb mcx_mont_is_zero(const mcx_limb *a)
{
    mcx_limb any = 0;

    for (int i = 0; i < N; i++) {
        any |= a[i];
    }
    return (mcx_limb)mcx_ct_is_zero_mask(any);
}

mcx_limb mcx_mont_equal(const mcx_limb *a, const mcx_limb *b)
{
    mcx_limb any = 0;

    for (int i = 0; i < N; i++) {
        any |= a[i] ^ b[i];
    }
    return (mcx_limb)mcx_ct_is_zero_mask(any);
}

mcx_limb mcx_mont_read(mcx_limb *r, const uint8_t in[MCX_BN_OCTETS], const struct mcx_mont *m)
{
    mcx_limb t[N];

    memset(r, 0, N * sizeof *r);
    for (int i = 0; i < MCX_BN_OCTETS; i++) {
        int bit = 8 * (MCX_BN_OCTETS - 1 - i);

        r[bit / MCX_LIMB_BITS] |= (mcx_limb)in[i] << (bit % MCX_LIMB_BITS);
    }
    return mcx_limb_mask(sub_n(t, r, m->m));
}

void mcx_mont_write(uint8_t out[MCX_BN_OCTETS], const mcx_limb *a)
{
    for (int i = 0; i < MCX_BN_OCTETS; i++) {
        int bit = 8 * (MCX_BN_OCTETS - 1 - i);

        out[i] = (uint8_t)(a[bit / MCX_LIMB_BITS] >> (bit % MCX_LIMB_BITS));
    }
}

void mcx_mont_enter(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m)
{
    mcx_mont_mul(r, a, m->rr, m);
}

void mcx_mont_leave(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m)
{
    mcx_limb w[2 * N] = { 0 };

    memcpy(w, a, N * sizeof *a);
    mcx_mont_redc(r, w, m);
}
