/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points of P-256 by OpenSSL.
 *
 * A secret scalar k goes in as the larger of k and q - k, and y is negated afterwards where that was q - k. It
 * is never below 2^254 then, so that the conversion to OpenSSL's number, which drops leading zeros, does the
 * same work for every k.
 */
#include "crypto/ec/p256.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#define COORD MCX_P256_SCALAR_LEN /* octets of a coordinate */

struct mcx_p256 {
    EC_GROUP *group;
};

struct mcx_p256_point {
    EC_POINT *p;
};

const uint8_t mcx_p256_g[MCX_P256_POINT_LEN] = {
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
    0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce,
    0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

/* The prime of the field, p = 2^256 - 2^224 + 2^192 + 2^96 - 1 */
static const uint8_t prime[COORD] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

/* Of arguments in range only memory can be lacking. OpenSSL's notes are taken away: they are nobody's business. */
static mcx_err no_memory(void)
{
    ERR_clear_error();
    return MCX_E_NOMEM;
}

/* Takes over `group`, which may be NULL. */
static mcx_err p256_of(struct mcx_p256 **out, EC_GROUP *group)
{
    struct mcx_p256 *curve = OPENSSL_zalloc(sizeof *curve);

    if (curve == NULL || group == NULL) {
        EC_GROUP_free(group);
        OPENSSL_free(curve);
        return no_memory();
    }
    curve->group = group;
    *out = curve;
    return MCX_OK;
}

mcx_err mcx_p256_new(struct mcx_p256 **out)
{
    return p256_of(out, EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
}

mcx_err mcx_p256_dup(struct mcx_p256 **out, const struct mcx_p256 *curve)
{
    return p256_of(out, EC_GROUP_dup(curve->group));
}

void mcx_p256_free(struct mcx_p256 *curve)
{
    if (curve != NULL) {
        EC_GROUP_free(curve->group);
        OPENSSL_free(curve);
    }
}

/* y := mask ? p - y : y; y is not 0 on this curve */
static void negate_if(uint8_t y[COORD], uint64_t mask)
{
    uint8_t m = (uint8_t)mcx_ct_barrier(mask);
    unsigned borrow = 0;

    for (size_t i = COORD; i-- > 0;) {
        unsigned d = (unsigned)prime[i] - y[i] - borrow;

        borrow = d >> 31;
        y[i] = (uint8_t)((y[i] & (uint8_t)~m) | ((uint8_t)d & m));
    }
}

/* 04 || x || y of a point other than infinity */
static int point_octets(uint8_t out[MCX_P256_POINT_LEN], const EC_GROUP *group, const EC_POINT *p, BN_CTX *ctx)
{
    BIGNUM *x = NULL;
    BIGNUM *y = NULL;
    int ok = 0;

    BN_CTX_start(ctx);
    x = BN_CTX_get(ctx);
    y = BN_CTX_get(ctx);
    ok = y != NULL && EC_POINT_get_affine_coordinates(group, p, x, y, ctx) &&
         BN_bn2binpad(x, out + 1, COORD) == COORD && BN_bn2binpad(y, out + 1 + COORD, COORD) == COORD;
    BN_CTX_end(ctx);
    out[0] = 0x04;
    return ok;
}

mcx_err mcx_p256_mul_base(uint8_t out[MCX_P256_POINT_LEN], const struct mcx_p256 *curve,
                          const struct mcx_p256_scalar *k)
{
    uint8_t octets[MCX_P256_SCALAR_LEN];
    uint8_t point[MCX_P256_POINT_LEN];
    uint64_t negate = mcx_p256_scalar_upper_half(octets, k);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new();
    EC_POINT *p = EC_POINT_new(curve->group);
    uint64_t zero = mcx_p256_scalar_is_zero(k);
    mcx_err err = MCX_E_NOMEM; /* of a k in range only memory can be lacking */

    MCX_CT_PUBLIC(&zero, sizeof zero); /* callers draw or read k as not 0 */
    if (zero != 0) {
        err = MCX_E_BUG;
        goto out;
    }
    if (ctx == NULL || n == NULL || p == NULL) {
        goto out;
    }
    BN_set_flags(n, BN_FLG_CONSTTIME);
    if (BN_bin2bn(octets, sizeof octets, n) != NULL && EC_POINT_mul(curve->group, p, n, NULL, NULL, ctx) &&
        point_octets(point, curve->group, p, ctx)) {
        negate_if(point + 1 + COORD, negate);
        memcpy(out, point, sizeof point);
        err = MCX_OK;
    }
out:
    EC_POINT_clear_free(p);
    BN_clear_free(n);
    BN_CTX_free(ctx);
    mcx_wipe(octets, sizeof octets);
    mcx_wipe(point, sizeof point);
    return err == MCX_E_NOMEM ? no_memory() : err;
}

mcx_err mcx_p256_point_new(struct mcx_p256_point **out, const struct mcx_p256 *curve)
{
    struct mcx_p256_point *p = OPENSSL_zalloc(sizeof *p);

    if (p == NULL) {
        return no_memory();
    }
    p->p = EC_POINT_new(curve->group);
    if (p->p == NULL) {
        mcx_p256_point_free(p);
        return no_memory();
    }
    *out = p;
    return MCX_OK;
}

void mcx_p256_point_free(struct mcx_p256_point *p)
{
    if (p != NULL) {
        EC_POINT_free(p->p);
        OPENSSL_free(p);
    }
}

/*
 * OpenSSL says "not on curve" also when it lacked memory for the check: look through what it noted. Takes its
 * notes away, as a peer's bad point must not show up as an error of somebody's TLS connection.
 */
static mcx_err point_error(bool only_ours)
{
    mcx_err err = MCX_E_POINT;
    unsigned long e = 0;

    while (only_ours && (e = ERR_get_error()) != 0) {
        if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) {
            err = MCX_E_NOMEM;
        }
    }
    return err;
}

mcx_err mcx_p256_point_read(struct mcx_p256_point *out, const struct mcx_p256 *curve,
                            const uint8_t in[MCX_P256_POINT_LEN])
{
    bool only_ours = ERR_peek_error() == 0;
    mcx_err err = MCX_OK;

    if (in[0] != 0x04) { /* OpenSSL also takes the hybrid forms 06 and 07 */
        return MCX_E_POINT;
    }
    (void)ERR_set_mark();
    /* checks that x and y are below p and that the point is on the curve */
    if (!EC_POINT_oct2point(curve->group, out->p, in, MCX_P256_POINT_LEN, NULL)) {
        err = point_error(only_ours);
    }
    (void)ERR_pop_to_mark();
    return err;
}

mcx_err mcx_p256_point_write(uint8_t out[MCX_P256_POINT_LEN], const struct mcx_p256 *curve,
                             const struct mcx_p256_point *p)
{
    uint8_t point[MCX_P256_POINT_LEN];
    BN_CTX *ctx = NULL;
    int ok = 0;

    if (EC_POINT_is_at_infinity(curve->group, p->p)) {
        return MCX_E_POINT;
    }
    ctx = BN_CTX_new();
    if (ctx == NULL) {
        return no_memory();
    }
    ok = point_octets(point, curve->group, p->p, ctx);
    BN_CTX_free(ctx);
    if (!ok) {
        return no_memory();
    }
    memcpy(out, point, sizeof point);
    return MCX_OK;
}

bool mcx_p256_point_is_infinity(const struct mcx_p256_point *p, const struct mcx_p256 *curve)
{
    return EC_POINT_is_at_infinity(curve->group, p->p) != 0;
}

mcx_err mcx_p256_add(struct mcx_p256_point *out, const struct mcx_p256 *curve, const struct mcx_p256_point *a,
                     const struct mcx_p256_point *b)
{
    return EC_POINT_add(curve->group, out->p, a->p, b->p, NULL) ? MCX_OK : no_memory();
}

/* out := [j]G + [k]p, `j` may be NULL */
static mcx_err mul_vartime(EC_POINT *out, const struct mcx_p256 *curve, const struct mcx_p256_scalar *j,
                           const struct mcx_p256_scalar *k, const EC_POINT *p)
{
    uint8_t octets[MCX_P256_SCALAR_LEN] = { 0 };
    BIGNUM *a = NULL;
    BIGNUM *b = NULL;
    int ok = 1;

    mcx_p256_scalar_write(octets, k);
    b = BN_bin2bn(octets, sizeof octets, NULL);
    if (j != NULL) {
        mcx_p256_scalar_write(octets, j);
        a = BN_bin2bn(octets, sizeof octets, NULL);
        ok = a != NULL;
    }
    ok = ok && b != NULL && EC_POINT_mul(curve->group, out, a, p, b, NULL);
    BN_free(a);
    BN_free(b);
    return ok ? MCX_OK : no_memory(); /* every argument is in range: only memory can lack */
}

mcx_err mcx_p256_mul_vartime(struct mcx_p256_point *out, const struct mcx_p256 *curve, const struct mcx_p256_scalar *k,
                             const struct mcx_p256_point *p)
{
    return mul_vartime(out->p, curve, NULL, k, p->p);
}

mcx_err mcx_p256_mul2_vartime(struct mcx_p256_point *out, const struct mcx_p256 *curve, const struct mcx_p256_scalar *j,
                              const struct mcx_p256_scalar *k, const struct mcx_p256_point *p)
{
    return mul_vartime(out->p, curve, j, k, p->p);
}

bool mcx_p256_is_x(const uint8_t r[MCX_P256_SCALAR_LEN])
{
    uint8_t any = 0;

    for (size_t i = 0; i < COORD; i++) {
        any |= r[i];
    }
    return any != 0 && memcmp(r, prime, COORD) < 0; /* r is part of a signature: public */
}
