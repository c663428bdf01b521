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

/* r := top 2^1024 + t, less m once if that is not below m; the new top */
static mcx_limb sub_once(mcx_limb *r, const mcx_limb *t, mcx_limb top, const struct mcx_mont *m)
{
    mcx_limb u[N];
    mcx_limb borrow = sub_n(u, t, m->m);
    mcx_limb keep = mcx_limb_mask(borrow & (mcx_limb)(mcx_ct_is_zero_mask(top) & 1));

    for (int i = 0; i < N; i++) {
        r[i] = (t[i] & keep) | (u[i] & ~keep);
    }
    return top - (borrow & ~keep);
}

void mcx_mont_add(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m)
{
    mcx_limb t[N];
    mcx_limb carry = add_n(t, a, b);

    (void)sub_once(r, t, carry, m); /* a + b < 2m */
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

/* w := sum of num products; 2N limbs and a top one */
static inline void dot_wide(mcx_limb *w, const mcx_limb *const *a, const mcx_limb *const *b, int num)
{
    struct column c = { 0, 0 };

    for (int k = 0; k < N; k++) {
        for (int j = 0; j < num; j++) {
            for (int i = 0; i <= k; i++) {
                column_mac(&c, a[j][i], b[j][k - i]);
            }
        }
        w[k] = column_next(&c);
    }
    for (int k = N; k < 2 * N - 1; k++) {
        for (int j = 0; j < num; j++) {
            for (int i = k - N + 1; i < N; i++) {
                column_mac(&c, a[j][i], b[j][k - i]);
            }
        }
        w[k] = column_next(&c);
    }
    w[2 * N - 1] = column_next(&c);
    w[2 * N] = (mcx_limb)c.low;
}

/* Finishes column k of a square: `mixed` holds each product of two different limbs once. */
static inline mcx_limb sqr_next(struct column *c, const struct column *mixed, const mcx_limb *a, int k)
{
    c->top += (mcx_limb)(mixed->top << 1) | (mcx_limb)(mixed->low >> (2 * MCX_LIMB_BITS - 1));
    column_add(c, mixed->low << 1);
    if (k % 2 == 0) {
        column_mac(c, a[k / 2], a[k / 2]);
    }
    return column_next(c);
}

static void sqr_wide(mcx_limb *w, const mcx_limb *a)
{
    struct column c = { 0, 0 };

    for (int k = 0; k < N; k++) {
        struct column mixed = { 0, 0 };

        for (int i = 0; i < (k + 1) / 2; i++) {
            column_mac(&mixed, a[i], a[k - i]);
        }
        w[k] = sqr_next(&c, &mixed, a, k);
    }
    for (int k = N; k < 2 * N - 1; k++) {
        struct column mixed = { 0, 0 };

        for (int i = k - N + 1; i < (k + 1) / 2; i++) {
            column_mac(&mixed, a[i], a[k - i]);
        }
        w[k] = sqr_next(&c, &mixed, a, k);
    }
    w[2 * N - 1] = (mcx_limb)c.low;
    w[2 * N] = 0;
}

/*
 * (w + u m) / 2^1024 with u chosen limb by limb so that the lower half becomes zero. For w < n m^2 that is below
 * (n m / 2^1024 + 1) m <= (n + 1) m, so that n subtractions of m are enough.
 */
static inline void redc(mcx_limb *r, const mcx_limb *w, int n, const struct mcx_mont *m)
{
    struct column c = { 0, 0 };
    mcx_limb u[N];
    mcx_limb t[N];
    mcx_limb top;

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
    top = (mcx_limb)c.low + w[2 * N];
    for (int i = 0; i < n; i++) {
        top = sub_once(i == n - 1 ? r : t, t, top, m);
    }
}

void mcx_mont_mul(mcx_limb *r, const mcx_limb *a, const mcx_limb *b, const struct mcx_mont *m)
{
    mcx_limb w[2 * N + 1];

    dot_wide(w, &a, &b, 1);
    redc(r, w, 1, m);
}

void mcx_mont_dot2(mcx_limb *r, const mcx_limb *const a[2], const mcx_limb *const b[2], const struct mcx_mont *m)
{
    mcx_limb w[2 * N + 1];

    dot_wide(w, a, b, 2);
    redc(r, w, 2, m);
}

void mcx_mont_dot3(mcx_limb *r, const mcx_limb *const a[3], const mcx_limb *const b[3], const struct mcx_mont *m)
{
    mcx_limb w[2 * N + 1];

    dot_wide(w, a, b, 3);
    redc(r, w, 2, m); /* 3 p / 2^1024 + 1 < 3 */
}

void mcx_mont_dot4(mcx_limb *r, const mcx_limb *const a[4], const mcx_limb *const b[4], const struct mcx_mont *m)
{
    mcx_limb w[2 * N + 1];

    dot_wide(w, a, b, 4);
    redc(r, w, 3, m); /* 4 p / 2^1024 + 1 < 4 */
}

void mcx_mont_sqr(mcx_limb *r, const mcx_limb *a, const struct mcx_mont *m)
{
    mcx_limb w[2 * N + 1];

    sqr_wide(w, a);
    redc(r, w, 1, m);
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
    mcx_limb w[2 * N + 1] = { 0 };

    memcpy(w, a, N * sizeof *a);
    redc(r, w, 1, m);
}
