/* SPDX-License-Identifier: Apache-2.0 */
/* The field and the scalars against OpenSSL's big numbers: edges with each other, then random values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/bn.h>

#include "crypto/bn/batch.h"
#include "crypto/bn/fp.h"
#include "crypto/bn/fq.h"
#include "support/fake.h"
#include "support/vectors.h"

#define NUM_EDGES    16
#define NUM_RANDOM   200
#define NUM_INVERSES 60

struct field {
    const struct mcx_mont *mont;
    BIGNUM *m;
    BIGNUM *edge[NUM_EDGES];
};

static BN_CTX *ctx;
static struct fake_rng random_state = { .seed = 1024 };

static struct field make_field(const char *name, const struct mcx_mont *mont)
{
    struct vec v = vec_get("rfc6509-sakke-params.txt", NULL, name);
    struct field f = { .mont = mont, .m = BN_bin2bn(v.p, (int)v.len, NULL) };

    for (int i = 0; i < NUM_EDGES; i++) {
        f.edge[i] = BN_new();
    }
    BN_one(f.edge[1]); /* edge[0] = 0 */
    BN_set_word(f.edge[2], 2);
    for (BN_ULONG i = 0; i < 3; i++) { /* m - 1, m - 2, m - 3 */
        BN_copy(f.edge[3 + i], f.m);
        BN_sub_word(f.edge[3 + i], i + 1);
    }
    BN_rshift1(f.edge[6], f.m);
    BN_copy(f.edge[7], f.edge[6]);
    BN_add_word(f.edge[7], 1);
    BN_lshift(f.edge[8], BN_value_one(), 1021);
    BN_copy(f.edge[9], f.edge[8]); /* 2^1021 - 1: all ones */
    BN_sub_word(f.edge[9], 1);
    BN_lshift(f.edge[10], BN_value_one(), 512);
    BN_copy(f.edge[11], f.edge[10]);
    BN_sub_word(f.edge[11], 1);
    BN_lshift(f.edge[12], BN_value_one(), 64);
    BN_lshift(f.edge[13], BN_value_one(), 1024); /* 2^1024 mod m: the Montgomery form of 1 */
    BN_nnmod(f.edge[13], f.edge[13], f.m, ctx);
    BN_mod_inverse(f.edge[14], f.edge[13], f.m, ctx);  /* whose Montgomery form is 1 */
    BN_mod_sub(f.edge[15], f.m, f.edge[14], f.m, ctx); /* and -1 */
    return f;
}

static void free_field(struct field *f)
{
    for (int i = 0; i < NUM_EDGES; i++) {
        BN_free(f->edge[i]);
    }
    BN_free(f->m);
}

static BIGNUM *random_element(const struct field *f)
{
    struct mcx_rng rng = fake_rng(&random_state);
    uint8_t octets[MCX_BN_OCTETS];
    BIGNUM *r;

    assert_int_equal(mcx_rng_fill(&rng, octets, sizeof octets), MCX_OK);
    r = BN_bin2bn(octets, sizeof octets, NULL);
    BN_nnmod(r, r, f->m, ctx);
    return r;
}

static void enter(mcx_limb *r, const BIGNUM *a, const struct field *f)
{
    uint8_t octets[MCX_BN_OCTETS];

    assert_int_equal(BN_bn2binpad(a, octets, sizeof octets), sizeof octets);
    assert_true(mcx_mont_read(r, octets, f->mont) == (mcx_limb) ~(mcx_limb)0);
    mcx_mont_enter(r, r, f->mont);
}

static void expect(const mcx_limb *a, const BIGNUM *want, const struct field *f)
{
    uint8_t got_octets[MCX_BN_OCTETS];
    uint8_t want_octets[MCX_BN_OCTETS];
    mcx_limb t[MCX_BN_LIMBS];

    mcx_mont_leave(t, a, f->mont);
    mcx_mont_write(got_octets, t);
    assert_int_equal(BN_bn2binpad(want, want_octets, sizeof want_octets), sizeof want_octets);
    assert_memory_equal(got_octets, want_octets, sizeof got_octets);
}

static void check_pair(const BIGNUM *a, const BIGNUM *b, const struct field *f)
{
    mcx_limb x[MCX_BN_LIMBS], y[MCX_BN_LIMBS], r[MCX_BN_LIMBS];
    BIGNUM *want = BN_new();

    enter(x, a, f);
    enter(y, b, f);
    expect(x, a, f);
    mcx_mont_add(r, x, y, f->mont);
    BN_mod_add(want, a, b, f->m, ctx);
    expect(r, want, f);
    mcx_mont_sub(r, x, y, f->mont);
    BN_mod_sub(want, a, b, f->m, ctx);
    expect(r, want, f);
    mcx_mont_mul(r, x, y, f->mont);
    BN_mod_mul(want, a, b, f->m, ctx);
    expect(r, want, f);
    memcpy(r, x, sizeof r);
    mcx_mont_mul(r, r, r, f->mont); /* aliased */
    BN_mod_sqr(want, a, f->m, ctx);
    expect(r, want, f);
    mcx_mont_sqr(r, x, f->mont);
    expect(r, want, f);
    assert_int_equal(mcx_mont_equal(x, y) != 0, BN_cmp(a, b) == 0);
    assert_int_equal(mcx_mont_is_zero(x) != 0, BN_is_zero(a));
    memcpy(r, x, sizeof r);
    mcx_mont_cmov(r, y, 0);
    expect(r, a, f);
    mcx_mont_cmov(r, y, ~(mcx_limb)0);
    expect(r, b, f);
    BN_free(want);
}

static void check_inverse(const BIGNUM *a, const struct field *f)
{
    mcx_limb x[MCX_BN_LIMBS];
    BIGNUM *want = BN_new();

    enter(x, a, f);
    mcx_mont_inv(x, x, f->mont);
    if (!BN_is_zero(a)) {
        assert_non_null(BN_mod_inverse(want, a, f->m, ctx));
    }
    expect(x, want, f); /* 0 for 0 */
    BN_free(want);
}

/* Sums of products: four times the largest product, and mixtures. */
static void check_dots(const BIGNUM *a, const BIGNUM *b, const BIGNUM *c, const struct field *f)
{
    const BIGNUM *const value[4] = { a, b, c, a };
    struct mcx_fp x[4], y[4], r;
    BIGNUM *want = BN_new();
    BIGNUM *t = BN_new();

    for (int i = 0; i < 4; i++) {
        enter(x[i].v, value[i], f);
        enter(y[i].v, value[3 - i], f);
    }
    for (int i = 0; i < 4; i++) {
        BN_mod_mul(t, value[i], value[3 - i], f->m, ctx);
        BN_mod_add(want, want, t, f->m, ctx);
        if (i == 1) {
            mcx_fp_dot2(&r, &x[0], &y[0], &x[1], &y[1]);
            expect(r.v, want, f);
        } else if (i == 2) {
            mcx_fp_dot3(&r, x, y);
            expect(r.v, want, f);
        } else if (i == 3) {
            mcx_fp_dot4(&r, x, y);
            expect(r.v, want, f);
        }
    }
    BN_free(want);
    BN_free(t);
}

static void run_field(const struct field *f)
{
    for (int i = 0; i < NUM_EDGES; i++) {
        check_inverse(f->edge[i], f);
        for (int j = 0; j < NUM_EDGES; j++) {
            check_pair(f->edge[i], f->edge[j], f);
        }
    }
    for (int i = 0; i < NUM_RANDOM; i++) {
        BIGNUM *a = random_element(f);
        BIGNUM *b = random_element(f);

        check_pair(a, b, f);
        if (i < NUM_INVERSES) {
            check_inverse(a, f);
        }
        BN_free(a);
        BN_free(b);
    }
}

static void prime_p(void **state)
{
    struct field f = make_field("p", &mcx_mont_p);

    (void)state;
    run_field(&f);
    for (int i = 0; i < NUM_EDGES; i++) {
        for (int j = 0; j < NUM_EDGES; j++) {
            check_dots(f.edge[i], f.edge[j], f.edge[(i + j) % NUM_EDGES], &f);
        }
    }
    for (int i = 0; i < NUM_RANDOM; i++) {
        BIGNUM *a = random_element(&f);

        check_dots(a, f.edge[i % NUM_EDGES], f.edge[3], &f);
        BN_free(a);
    }
    free_field(&f);
}

static void order_q(void **state)
{
    struct field f = make_field("q", &mcx_mont_q);

    (void)state;
    run_field(&f);
    free_field(&f);
}

/* Numbers of m and above are told apart; m - 1 is the largest that passes. */
static void range(void **state)
{
    struct field f = make_field("p", &mcx_mont_p);
    uint8_t octets[MCX_BN_OCTETS];
    struct mcx_fp r;
    BIGNUM *t = BN_dup(f.m);

    (void)state;
    BN_bn2binpad(t, octets, sizeof octets);
    assert_true(mcx_fp_read(&r, octets) == 0);
    BN_add_word(t, 1);
    BN_bn2binpad(t, octets, sizeof octets);
    assert_true(mcx_fp_read(&r, octets) == 0);
    memset(octets, 0xff, sizeof octets);
    assert_true(mcx_fp_read(&r, octets) == 0);
    BN_sub_word(t, 2);
    BN_bn2binpad(t, octets, sizeof octets);
    assert_true(mcx_fp_read(&r, octets) != 0);
    BN_free(t);
    free_field(&f);
}

/* Octet strings of every length up to five blocks, all ones and random, reduced modulo q. */
static void reduce(void **state)
{
    struct field f = make_field("q", &mcx_mont_q);
    struct mcx_rng rng = fake_rng(&random_state);
    uint8_t octets[5 * MCX_BN_OCTETS];
    struct mcx_fq r;

    (void)state;
    for (size_t len = 0; len <= sizeof octets; len++) {
        BIGNUM *t;

        memset(octets, 0xff, sizeof octets);
        if (len % 2 == 1) {
            assert_int_equal(mcx_rng_fill(&rng, octets, len), MCX_OK);
        }
        mcx_fq_reduce(&r, mcx_bytes(octets, len));
        t = BN_bin2bn(octets, (int)len, NULL);
        BN_nnmod(t, t, f.m, ctx);
        expect(r.v, t, &f);
        BN_free(t);
    }
    free_field(&f);
}

static void batch(void **state)
{
    struct field f = make_field("p", &mcx_mont_p);
    struct mcx_fp x[NUM_EDGES], zero[3];

    (void)state;
    for (int i = 1; i < NUM_EDGES; i++) {
        enter(x[i].v, f.edge[i], &f);
    }
    mcx_fp_inv_batch(x + 1, NUM_EDGES - 1);
    for (int i = 1; i < NUM_EDGES; i++) {
        BIGNUM *want = BN_mod_inverse(NULL, f.edge[i], f.m, ctx);

        expect(x[i].v, want, &f);
        BN_free(want);
    }
    memcpy(zero, x + 1, sizeof zero);
    memset(&zero[1], 0, sizeof zero[1]);
    mcx_fp_inv_batch(zero, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(mcx_fp_is_zero(&zero[i]) != 0);
    }
    free_field(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prime_p), cmocka_unit_test(order_q), cmocka_unit_test(range),
        cmocka_unit_test(reduce),  cmocka_unit_test(batch),
    };
    int rc;

    ctx = BN_CTX_new();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    BN_CTX_free(ctx);
    return rc;
}
