/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_P256_H
#define MCX_CRYPTO_EC_P256_H

/*
 * NIST P-256: points by OpenSSL, scalars modulo the group order q by ourselves.
 *
 * The scalars are fixed width and constant time (p256_scalar.c), as they carry KSAK, SSK and nonces. Points come
 * in two sorts: mcx_p256_mul_base() is for secret scalars; every function on `struct mcx_p256_point` is for
 * public data and says _vartime where it multiplies.
 */

#include <stdbool.h>

#include <mcx/secret.h>

#define MCX_P256_SCALAR_LEN 32
#define MCX_P256_POINT_LEN  65 /* 04 || x || y */

#if defined(__SIZEOF_INT128__) && !defined(MCX_LIMB32)
typedef uint64_t mcx_p256_limb;
#define MCX_P256_LIMBS 4
#else
typedef uint32_t mcx_p256_limb;
#define MCX_P256_LIMBS 8
#endif

/** A number 0 .. q-1, least significant limb first. */
struct mcx_p256_scalar {
    mcx_p256_limb l[MCX_P256_LIMBS];
};

/** Read 32 octets, big endian. False, and zero, unless 1 <= in < q. Constant time but for the verdict. */
bool mcx_p256_scalar_read(struct mcx_p256_scalar *out, const uint8_t in[MCX_P256_SCALAR_LEN]);
/** out := in mod q */
void mcx_p256_scalar_reduce(struct mcx_p256_scalar *out, const uint8_t in[MCX_P256_SCALAR_LEN]);
void mcx_p256_scalar_write(uint8_t out[MCX_P256_SCALAR_LEN], const struct mcx_p256_scalar *a);
/** out := a + b mod q */
void mcx_p256_scalar_add(struct mcx_p256_scalar *out, const struct mcx_p256_scalar *a, const struct mcx_p256_scalar *b);
/** out := a * b mod q */
void mcx_p256_scalar_mul(struct mcx_p256_scalar *out, const struct mcx_p256_scalar *a, const struct mcx_p256_scalar *b);
/** out := 1 / a mod q; 0 for a = 0 */
void mcx_p256_scalar_inverse(struct mcx_p256_scalar *out, const struct mcx_p256_scalar *a);
/** All ones when a = 0. */
uint64_t mcx_p256_scalar_is_zero(const struct mcx_p256_scalar *a);
/** out := the larger of a and q - a, as octets; all ones is returned when that is q - a. `a` is not 0. */
uint64_t mcx_p256_scalar_upper_half(uint8_t out[MCX_P256_SCALAR_LEN], const struct mcx_p256_scalar *a);
void mcx_p256_scalar_clear(struct mcx_p256_scalar *a);

/** The group. Read-only after creation, so that several threads may use one. */
struct mcx_p256;
MCX_MUST_CHECK mcx_err mcx_p256_new(struct mcx_p256 **out);
/** Another of the same, much cheaper to make. */
MCX_MUST_CHECK mcx_err mcx_p256_dup(struct mcx_p256 **out, const struct mcx_p256 *curve);
void mcx_p256_free(struct mcx_p256 *curve);

/**
 * out := [k]G, k secret and not 0. Constant time in k as far as tests/ct/README-eccsi.md says.
 *
 * @param[out] out  04 || x || y; unchanged on error
 * @retval MCX_E_NOMEM  @retval MCX_E_BUG k is 0
 */
MCX_MUST_CHECK mcx_err mcx_p256_mul_base(uint8_t out[MCX_P256_POINT_LEN], const struct mcx_p256 *curve,
                                         const struct mcx_p256_scalar *k);

/** A public point, or infinity. */
struct mcx_p256_point;
MCX_MUST_CHECK mcx_err mcx_p256_point_new(struct mcx_p256_point **out, const struct mcx_p256 *curve);
void mcx_p256_point_free(struct mcx_p256_point *p);
/** @retval MCX_E_POINT not 04 || x || y on the curve */
MCX_MUST_CHECK mcx_err mcx_p256_point_read(struct mcx_p256_point *out, const struct mcx_p256 *curve,
                                           const uint8_t in[MCX_P256_POINT_LEN]);
/** @retval MCX_E_POINT infinity */
MCX_MUST_CHECK mcx_err mcx_p256_point_write(uint8_t out[MCX_P256_POINT_LEN], const struct mcx_p256 *curve,
                                            const struct mcx_p256_point *p);
bool mcx_p256_point_is_infinity(const struct mcx_p256_point *p, const struct mcx_p256 *curve);
/** out := a + b */
MCX_MUST_CHECK mcx_err mcx_p256_add(struct mcx_p256_point *out, const struct mcx_p256 *curve,
                                    const struct mcx_p256_point *a, const struct mcx_p256_point *b);
/** out := [k]p; all public */
MCX_MUST_CHECK mcx_err mcx_p256_mul_vartime(struct mcx_p256_point *out, const struct mcx_p256 *curve,
                                            const struct mcx_p256_scalar *k, const struct mcx_p256_point *p);
/** out := [j]G + [k]p; all public */
MCX_MUST_CHECK mcx_err mcx_p256_mul2_vartime(struct mcx_p256_point *out, const struct mcx_p256 *curve,
                                             const struct mcx_p256_scalar *j, const struct mcx_p256_scalar *k,
                                             const struct mcx_p256_point *p);

/** G as 04 || x || y, what RFC 6507 5.1.1 hashes. */
extern const uint8_t mcx_p256_g[MCX_P256_POINT_LEN];
/** r is an x coordinate that a point other than infinity may have, and not 0: 1 <= r < p. Public. */
bool mcx_p256_is_x(const uint8_t r[MCX_P256_SCALAR_LEN]);

#endif
