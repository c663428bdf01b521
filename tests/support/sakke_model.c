/* SPDX-License-Identifier: Apache-2.0 */
#include "support/sakke_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "support/vectors.h"

/* Nothing here may fail. */
static void must(int ok)
{
    if (!ok) {
        fprintf(stderr, "sakke model: OpenSSL failed\n");
        abort();
    }
}

static BIGNUM *param(const char *name)
{
    struct vec v = vec_get("rfc6509-sakke-params.txt", NULL, name);

    return BN_bin2bn(v.p, (int)v.len, NULL);
}

void model_init(struct model *m)
{
    m->ctx = BN_CTX_new();
    m->p = param("p");
    m->q = param("q");
    m->px = param("Px");
    m->py = param("Py");
    m->g = param("g");
}

void model_clear(struct model *m)
{
    BN_free(m->p);
    BN_free(m->q);
    BN_free(m->px);
    BN_free(m->py);
    BN_free(m->g);
    BN_CTX_free(m->ctx);
}

struct model_point model_point(void)
{
    return (struct model_point){ BN_new(), BN_new(), 1 };
}

void model_point_clear(struct model_point *a)
{
    BN_free(a->x);
    BN_free(a->y);
}

void model_copy(struct model_point *r, const struct model_point *a)
{
    must(BN_copy(r->x, a->x) != NULL && BN_copy(r->y, a->y) != NULL);
    r->is_o = a->is_o;
}

void model_point_read(struct model_point *r, const uint8_t in[1 + 2 * MODEL_LEN])
{
    must(BN_bin2bn(in + 1, MODEL_LEN, r->x) != NULL && BN_bin2bn(in + 1 + MODEL_LEN, MODEL_LEN, r->y) != NULL);
    r->is_o = 0;
}

void model_point_write(uint8_t out[1 + 2 * MODEL_LEN], const struct model_point *a)
{
    out[0] = 4;
    must(BN_bn2binpad(a->x, out + 1, MODEL_LEN) == MODEL_LEN &&
         BN_bn2binpad(a->y, out + 1 + MODEL_LEN, MODEL_LEN) == MODEL_LEN);
}

void model_base(struct model_point *r, const struct model *m)
{
    must(BN_copy(r->x, m->px) != NULL && BN_copy(r->y, m->py) != NULL);
    r->is_o = 0;
}

static void mod_mul(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, const struct model *m)
{
    must(BN_mod_mul(r, a, b, m->p, m->ctx));
}

static void mod_sub(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, const struct model *m)
{
    must(BN_mod_sub(r, a, b, m->p, m->ctx));
}

static void mod_add(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, const struct model *m)
{
    must(BN_mod_add(r, a, b, m->p, m->ctx));
}

static void mod_div(BIGNUM *r, const BIGNUM *a, const BIGNUM *b, const struct model *m)
{
    BIGNUM *t = BN_mod_inverse(NULL, b, m->p, m->ctx);

    must(t != NULL);
    mod_mul(r, a, t, m);
    BN_free(t);
}

/* l := 3 (x^2 - 1) / 2y */
static void tangent(BIGNUM *l, const struct model_point *a, const struct model *m)
{
    BIGNUM *num = BN_new();
    BIGNUM *den = BN_new();

    mod_mul(num, a->x, a->x, m);
    must(BN_sub_word(num, 1) && BN_mul_word(num, 3) && BN_nnmod(num, num, m->p, m->ctx));
    mod_add(den, a->y, a->y, m);
    mod_div(l, num, den, m);
    BN_free(num);
    BN_free(den);
}

/* l := (by - ay) / (bx - ax) */
static void chord(BIGNUM *l, const struct model_point *a, const struct model_point *b, const struct model *m)
{
    BIGNUM *num = BN_new();
    BIGNUM *den = BN_new();

    mod_sub(num, b->y, a->y, m);
    mod_sub(den, b->x, a->x, m);
    mod_div(l, num, den, m);
    BN_free(num);
    BN_free(den);
}

/* r := the third point of the line with slope l through a and b, negated */
static void third(struct model_point *r, const BIGNUM *l, const struct model_point *a, const struct model_point *b,
                  const struct model *m)
{
    BIGNUM *x = BN_new();
    BIGNUM *y = BN_new();

    mod_mul(x, l, l, m);
    mod_sub(x, x, a->x, m);
    mod_sub(x, x, b->x, m);
    mod_sub(y, a->x, x, m);
    mod_mul(y, y, l, m);
    mod_sub(y, y, a->y, m);
    must(BN_copy(r->x, x) != NULL && BN_copy(r->y, y) != NULL);
    r->is_o = 0;
    BN_free(x);
    BN_free(y);
}

void model_add(struct model_point *r, const struct model_point *a, const struct model_point *b, const struct model *m)
{
    BIGNUM *l = BN_new();

    if (a->is_o) {
        model_copy(r, b);
    } else if (b->is_o) {
        model_copy(r, a);
    } else if (BN_cmp(a->x, b->x) != 0) {
        chord(l, a, b, m);
        third(r, l, a, b, m);
    } else if (BN_cmp(a->y, b->y) != 0 || BN_is_zero(a->y)) {
        r->is_o = 1;
    } else {
        tangent(l, a, m);
        third(r, l, a, b, m);
    }
    BN_free(l);
}

void model_mul(struct model_point *r, const BIGNUM *k, const struct model_point *a, const struct model *m)
{
    struct model_point sum = model_point();

    for (int i = BN_num_bits(k) - 1; i >= 0; i--) {
        model_add(&sum, &sum, &sum, m);
        if (BN_is_bit_set(k, i)) {
            model_add(&sum, &sum, a, m);
        }
    }
    model_copy(r, &sum);
    model_point_clear(&sum);
}

/* (a + ib) := (a + ib)(c + id) */
static void mul_i(BIGNUM *a, BIGNUM *b, const BIGNUM *c, const BIGNUM *d, const struct model *m)
{
    BIGNUM *ac = BN_new();
    BIGNUM *bd = BN_new();
    BIGNUM *ad = BN_new();
    BIGNUM *bc = BN_new();

    mod_mul(ac, a, c, m);
    mod_mul(bd, b, d, m);
    mod_mul(ad, a, d, m);
    mod_mul(bc, b, c, m);
    mod_sub(a, ac, bd, m);
    mod_add(b, ad, bc, m);
    BN_free(ac);
    BN_free(bd);
    BN_free(ad);
    BN_free(bc);
}

void model_g_pow(BIGNUM *t, const BIGNUM *k, const struct model *m)
{
    BIGNUM *a = BN_new();
    BIGNUM *b = BN_new();

    must(BN_one(a));
    for (int i = BN_num_bits(k) - 1; i >= 0; i--) {
        mul_i(a, b, a, b, m);
        if (BN_is_bit_set(k, i)) {
            mul_i(a, b, BN_value_one(), m->g, m);
        }
    }
    mod_div(t, b, a, m);
    BN_free(a);
    BN_free(b);
}

/* v := v ( l (Qx + Cx) - Cy + i Qy ) */
static void times_line(BIGNUM *a, BIGNUM *b, const BIGNUM *l, const struct model_point *c, const struct model_point *q,
                       const struct model *m)
{
    BIGNUM *t = BN_new();

    mod_add(t, q->x, c->x, m);
    mod_mul(t, t, l, m);
    mod_sub(t, t, c->y, m);
    mul_i(a, b, t, q->y, m);
    BN_free(t);
}

void model_pairing(BIGNUM *w, const struct model_point *r, const struct model_point *q, const struct model *m)
{
    struct model_point c = model_point();
    BIGNUM *n = BN_dup(m->q);
    BIGNUM *l = BN_new();
    BIGNUM *a = BN_new();
    BIGNUM *b = BN_new();

    must(BN_one(a) && BN_sub_word(n, 1));
    model_copy(&c, r);
    for (int i = BN_num_bits(n) - 2; i >= 0; i--) {
        tangent(l, &c, m);
        mul_i(a, b, a, b, m);
        times_line(a, b, l, &c, q, m);
        third(&c, l, &c, &c, m);
        if (BN_is_bit_set(n, i)) {
            chord(l, &c, r, m);
            times_line(a, b, l, &c, q, m);
            third(&c, l, &c, r, m);
        }
    }
    mul_i(a, b, a, b, m);
    mul_i(a, b, a, b, m);
    mod_div(w, b, a, m);
    BN_free(a);
    BN_free(b);
    BN_free(l);
    BN_free(n);
    model_point_clear(&c);
}

void model_hash(BIGNUM *v, struct mcx_bytes s, const BIGNUM *n, const struct model *m)
{
    unsigned char a[SHA256_DIGEST_LENGTH];
    unsigned char block[2 * SHA256_DIGEST_LENGTH] = { 0 }; /* h || A */
    unsigned char out[4 * SHA256_DIGEST_LENGTH];
    BIGNUM *n_less_1 = BN_dup(n);
    int l;

    must(BN_sub_word(n_less_1, 1));
    l = (BN_num_bits(n_less_1) + 255) / 256; /* ceil(lg(n) / 256) */
    must(l <= 4);
    (void)SHA256(s.p, s.len, a);
    memcpy(block + sizeof a, a, sizeof a);
    for (int i = 0; i < l; i++) {
        (void)SHA256(block, SHA256_DIGEST_LENGTH, a);
        memcpy(block, a, sizeof a);
        (void)SHA256(block, sizeof block, out + i * SHA256_DIGEST_LENGTH);
    }
    must(BN_bin2bn(out, l * SHA256_DIGEST_LENGTH, v) != NULL && BN_nnmod(v, v, n, m->ctx));
    BN_free(n_less_1);
}
