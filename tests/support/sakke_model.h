/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_SAKKE_MODEL_H
#define MCX_TESTS_SAKKE_MODEL_H

/*
 * RFC 6508 as it is written, slowly: OpenSSL's big numbers, affine points, an inversion a step. It shares no
 * code and no formula with src/crypto. Tests only.
 */
#include <openssl/bn.h>

#include <mcx/bytes.h>

#define MODEL_LEN 128

struct model {
    BN_CTX *ctx;
    BIGNUM *p, *q, *px, *py, *g;
};

/** An affine point; O has no coordinates. */
struct model_point {
    BIGNUM *x, *y;
    int is_o;
};

void model_init(struct model *m);
void model_clear(struct model *m);
struct model_point model_point(void);
void model_point_clear(struct model_point *a);
void model_copy(struct model_point *r, const struct model_point *a);
/** 04 || x || y */
void model_point_read(struct model_point *r, const uint8_t in[1 + 2 * MODEL_LEN]);
void model_point_write(uint8_t out[1 + 2 * MODEL_LEN], const struct model_point *a);
void model_base(struct model_point *r, const struct model *m);

void model_add(struct model_point *r, const struct model_point *a, const struct model_point *b, const struct model *m);
void model_mul(struct model_point *r, const BIGNUM *k, const struct model_point *a, const struct model *m);
/** t := b/a of (1 + ig)^k */
void model_g_pow(BIGNUM *t, const BIGNUM *k, const struct model *m);
/** w := <R, Q> by the loop of RFC 6508 3.2 */
void model_pairing(BIGNUM *w, const struct model_point *r, const struct model_point *q, const struct model *m);
/** HashToIntegerRange(s, n) (RFC 6508 5.1) */
void model_hash(BIGNUM *v, struct mcx_bytes s, const BIGNUM *n, const struct model *m);

#endif
