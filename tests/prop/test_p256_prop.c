/* SPDX-License-Identifier: Apache-2.0 */
/* Scalars against OpenSSL's big numbers, points against its own multiplication, on edges and random input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "crypto/ec/p256.h"
#include "crypto/eccsi/eccsi_internal.h"
#include "support/fake.h"
#include "support/vectors.h"

static const char order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/* 0, 1, 2, small, limb edges, around q/2, q-2, q-1, q, q+1, 2^256-1 */
static const char *const edges[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "0000000000000000000000000000000000000000000000000000000000000002",
    "00000000000000000000000000000000000000000000000000000000ffffffff",
    "0000000000000000000000000000000000000000000000000000000100000000",
    "000000000000000000000000000000000000000000000000ffffffffffffffff",
    "0000000000000000000000000000000000000000000000010000000000000000",
    "0000000000000000000000000000000100000000000000000000000000000000",
    "0000000000000001000000000000000000000000000000000000000000000000",
    "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8",
    "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9",
    "8000000000000000000000000000000000000000000000000000000000000000",
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f",
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};
#define NUM_EDGES  (sizeof edges / sizeof edges[0])
#define NUM_RANDOM 200

/* The i-th input: the edges, then pseudo-random octets. */
static void input(uint8_t out[32], size_t i, const struct mcx_rng *rng)
{
    if (i < NUM_EDGES) {
        struct vec v = vec_hex(edges[i]);

        memcpy(out, v.p, 32);
        return;
    }
    assert_int_equal(mcx_rng_fill(rng, out, 32), MCX_OK);
}

static void assert_number(const struct mcx_p256_scalar *got, const BIGNUM *want, const char *what)
{
    uint8_t a[32];
    uint8_t b[32];

    mcx_p256_scalar_write(a, got);
    assert_int_equal(BN_bn2binpad(want, b, 32), 32);
    if (memcmp(a, b, 32) != 0) {
        fail_msg("%s differs", what);
    }
}

static void scalars_agree(void **state)
{
    struct fake_rng fake = { .seed = 11 };
    struct mcx_rng rng = fake_rng(&fake);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *q = NULL;
    BIGNUM *a = BN_new();
    BIGNUM *b = BN_new();
    BIGNUM *r = BN_new();

    (void)state;
    assert_true(BN_hex2bn(&q, order_hex));
    for (size_t i = 0; i < NUM_EDGES + NUM_RANDOM; i++) {
        for (size_t k = 0; k < (i < NUM_EDGES ? NUM_EDGES : 1); k++) {
            uint8_t x[32];
            uint8_t y[32];
            struct mcx_p256_scalar sx;
            struct mcx_p256_scalar sy;
            struct mcx_p256_scalar out;

            input(x, i, &rng);
            input(y, i < NUM_EDGES ? k : i, &rng);
            mcx_p256_scalar_reduce(&sx, x);
            mcx_p256_scalar_reduce(&sy, y);
            assert_true(BN_nnmod(a, BN_bin2bn(x, 32, a), q, ctx));
            assert_true(BN_nnmod(b, BN_bin2bn(y, 32, b), q, ctx));
            assert_number(&sx, a, "reduce");
            mcx_p256_scalar_add(&out, &sx, &sy);
            assert_true(BN_mod_add(r, a, b, q, ctx));
            assert_number(&out, r, "add");
            mcx_p256_scalar_mul(&out, &sx, &sy);
            assert_true(BN_mod_mul(r, a, b, q, ctx));
            assert_number(&out, r, "mul");
            out = sx; /* in place */
            mcx_p256_scalar_mul(&out, &out, &out);
            assert_true(BN_mod_sqr(r, a, q, ctx));
            assert_number(&out, r, "square in place");
        }
    }
    BN_free(a);
    BN_free(b);
    BN_free(r);
    BN_free(q);
    BN_CTX_free(ctx);
}

static void inverse_agrees(void **state)
{
    struct fake_rng fake = { .seed = 12 };
    struct mcx_rng rng = fake_rng(&fake);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *q = NULL;
    BIGNUM *a = BN_new();
    BIGNUM *r = BN_new();

    (void)state;
    assert_true(BN_hex2bn(&q, order_hex));
    for (size_t i = 0; i < NUM_EDGES + NUM_RANDOM; i++) {
        uint8_t x[32];
        struct mcx_p256_scalar sx;

        input(x, i, &rng);
        mcx_p256_scalar_reduce(&sx, x);
        assert_true(BN_nnmod(a, BN_bin2bn(x, 32, a), q, ctx));
        mcx_p256_scalar_inverse(&sx, &sx);
        if (BN_is_zero(a)) {
            assert_true(mcx_p256_scalar_is_zero(&sx) != 0);
            continue;
        }
        assert_non_null(BN_mod_inverse(r, a, q, ctx));
        assert_number(&sx, r, "inverse");
    }
    BN_free(a);
    BN_free(r);
    BN_free(q);
    BN_CTX_free(ctx);
}

/* read takes 1 .. q-1 and nothing else; upper_half gives max(k, q-k) and says which */
static void ranges(void **state)
{
    struct fake_rng fake = { .seed = 13 };
    struct mcx_rng rng = fake_rng(&fake);
    BIGNUM *q = NULL;
    BIGNUM *a = BN_new();
    BIGNUM *r = BN_new();

    (void)state;
    assert_true(BN_hex2bn(&q, order_hex));
    for (size_t i = 0; i < NUM_EDGES + NUM_RANDOM; i++) {
        uint8_t x[32];
        uint8_t half[32];
        struct mcx_p256_scalar k;
        bool in_range = false;

        input(x, i, &rng);
        assert_non_null(BN_bin2bn(x, 32, a));
        in_range = !BN_is_zero(a) && BN_cmp(a, q) < 0;
        assert_int_equal(mcx_p256_scalar_read(&k, x), in_range);
        if (!in_range) {
            assert_true(mcx_p256_scalar_is_zero(&k) != 0);
            continue;
        }
        assert_number(&k, a, "read");
        assert_true(BN_sub(r, q, a));
        assert_int_equal(mcx_p256_scalar_upper_half(half, &k) != 0, BN_cmp(a, r) < 0);
        assert_true(half[0] >= 0x7f); /* no leading zero ever reaches OpenSSL */
        assert_true(BN_bn2binpad(BN_cmp(a, r) < 0 ? r : a, x, 32) == 32);
        assert_memory_equal(half, x, 32);
    }
    BN_free(a);
    BN_free(r);
    BN_free(q);
}

static void base_multiples_agree(void **state)
{
    struct fake_rng fake = { .seed = 14 };
    struct mcx_rng rng = fake_rng(&fake);
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *p = EC_POINT_new(group);
    BIGNUM *a = BN_new();
    struct mcx_p256 *curve = NULL;

    (void)state;
    assert_int_equal(mcx_p256_new(&curve), MCX_OK);
    for (size_t i = 0; i < NUM_EDGES + NUM_RANDOM; i++) {
        uint8_t x[32];
        uint8_t got[MCX_P256_POINT_LEN];
        uint8_t want[MCX_P256_POINT_LEN];
        struct mcx_p256_scalar k;

        input(x, i, &rng);
        if (!mcx_p256_scalar_read(&k, x)) { /* out of range, k is zero then */
            assert_int_equal(mcx_p256_mul_base(got, curve, &k), MCX_E_BUG);
            continue;
        }
        assert_non_null(BN_bin2bn(x, 32, a));
        assert_true(EC_POINT_mul(group, p, a, NULL, NULL, NULL));
        assert_int_equal(EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, want, sizeof want, NULL),
                         sizeof want);
        assert_int_equal(mcx_p256_mul_base(got, curve, &k), MCX_OK);
        assert_memory_equal(got, want, sizeof got);
    }
    mcx_p256_free(curve);
    BN_free(a);
    EC_POINT_free(p);
    EC_GROUP_free(group);
}

/* Keys made by a KMS pass the user's check, and what they sign is verified: messages and identities of all sizes. */
static void round_trips(void **state)
{
    static uint8_t text[3000];
    struct fake_rng fake = { .seed = 15 };
    struct mcx_rng rng = fake_rng(&fake);

    (void)state;
    for (size_t i = 0; i < 40; i++) {
        struct mcx_eccsi_master master;
        struct mcx_eccsi_kms *kms = NULL;
        struct mcx_eccsi_key key;
        struct mcx_bytes uid = mcx_bytes(text, 1 + i * 7);
        struct mcx_bytes msg = mcx_bytes(text + 300, i * 67);
        uint8_t kpak[MCX_ECCSI_POINT_LEN];
        uint8_t ssk[MCX_ECCSI_SSK_LEN];
        uint8_t pvt[MCX_ECCSI_POINT_LEN];
        uint8_t sig[MCX_ECCSI_SIG_LEN];

        assert_int_equal(mcx_rng_fill(&rng, text, sizeof text), MCX_OK);
        assert_int_equal(mcx_eccsi_master_generate(&master, &rng), MCX_OK);
        assert_int_equal(mcx_eccsi_master_public(kpak, &master), MCX_OK);
        assert_int_equal(mcx_eccsi_kms_new(&kms, kpak), MCX_OK);
        assert_int_equal(mcx_eccsi_extract(ssk, pvt, &master, uid, &rng), MCX_OK);
        assert_int_equal(mcx_eccsi_key_init(&key, kms, uid, ssk, pvt), MCX_OK);
        assert_int_equal(mcx_eccsi_sign(sig, &key, msg, &rng), MCX_OK);
        assert_int_equal(mcx_eccsi_verify(kms, uid, msg, sig), MCX_OK);
        assert_memory_equal(sig + 64, pvt, sizeof pvt);
        mcx_eccsi_key_clear(&key);
        mcx_eccsi_kms_free(kms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_agree),        cmocka_unit_test(inverse_agrees), cmocka_unit_test(ranges),
        cmocka_unit_test(base_multiples_agree), cmocka_unit_test(round_trips),
    };

    return cmocka_run_group_tests_name("p256 properties", tests, NULL, NULL);
}
