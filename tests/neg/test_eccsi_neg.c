/* SPDX-License-Identifier: Apache-2.0 */
/* What ECCSI has to refuse, and the defects that others shipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <openssl/err.h>

#include "crypto/eccsi/eccsi_internal.h"
#include "support/fake.h"
#include "support/vectors.h"

static const char sets[] = "identities-kms-vectors.txt";

/* [keyset-3] under the KMS of RFC 6507 appendix A, and one signature. */
struct fixture {
    struct mcx_eccsi_kms *kms;
    struct mcx_eccsi_key key;
    struct vec kpak, uid, ssk, pvt;
    struct fake_rng fake;
    struct mcx_rng rng;
    uint8_t msg[40];
    uint8_t sig[MCX_ECCSI_SIG_LEN];
};

static struct fixture fx;

static struct mcx_bytes msg(void)
{
    return mcx_bytes(fx.msg, sizeof fx.msg);
}

static int set_up(void **state)
{
    (void)state;
    memset(&fx, 0, sizeof fx);
    fx.kpak = vec_get(sets, "kms-rfc", "KPAK");
    fx.uid = vec_get(sets, "keyset-3", "UID");
    fx.ssk = vec_get(sets, "keyset-3", "SSK");
    fx.pvt = vec_get(sets, "keyset-3", "PVT");
    fx.fake.seed = 21;
    fx.rng = fake_rng(&fx.fake);
    memset(fx.msg, 0x5a, sizeof fx.msg);
    assert_int_equal(mcx_eccsi_kms_new(&fx.kms, fx.kpak.p), MCX_OK);
    assert_int_equal(mcx_eccsi_key_init(&fx.key, fx.kms, vec_bytes(&fx.uid), fx.ssk.p, fx.pvt.p), MCX_OK);
    assert_int_equal(mcx_eccsi_sign(fx.sig, &fx.key, msg(), &fx.rng), MCX_OK);
    assert_int_equal(mcx_eccsi_verify(fx.kms, vec_bytes(&fx.uid), msg(), fx.sig), MCX_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mcx_eccsi_key_clear(&fx.key);
    mcx_eccsi_kms_free(fx.kms);
    assert_int_equal(ERR_peek_error(), 0); /* a refusal leaves nothing in the queue that TLS also reads */
    return 0;
}

static mcx_err verify(const uint8_t sig[MCX_ECCSI_SIG_LEN])
{
    return mcx_eccsi_verify(fx.kms, vec_bytes(&fx.uid), msg(), sig);
}

static void flip(uint8_t *p, size_t bit)
{
    p[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void every_bit_of_a_signature(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * MCX_ECCSI_SIG_LEN; bit++) {
        flip(fx.sig, bit);
        assert_int_equal(verify(fx.sig), bit < 8 * 64 ? MCX_E_AUTH : MCX_E_POINT);
        flip(fx.sig, bit);
    }
    assert_int_equal(verify(fx.sig), MCX_OK);
}

static void every_bit_of_message_and_uid(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof fx.msg; bit++) {
        flip(fx.msg, bit);
        assert_int_equal(verify(fx.sig), MCX_E_AUTH);
        flip(fx.msg, bit);
    }
    for (size_t bit = 0; bit < 8 * fx.uid.len; bit++) {
        flip(fx.uid.p, bit);
        assert_int_equal(verify(fx.sig), MCX_E_AUTH);
        flip(fx.uid.p, bit);
    }
    assert_int_equal(mcx_eccsi_verify(fx.kms, vec_bytes(&fx.uid), mcx_bytes(fx.msg, sizeof fx.msg - 1), fx.sig),
                     MCX_E_AUTH);
    assert_int_equal(mcx_eccsi_verify(fx.kms, mcx_bytes(fx.uid.p, fx.uid.len - 1), msg(), fx.sig), MCX_E_AUTH);
}

/* Every bit of a key set: SSK, PVT and UID */
static void every_bit_of_a_key_set(void **state)
{
    struct mcx_eccsi_key key = { .hs = { 7 } };

    (void)state;
    for (size_t bit = 0; bit < 8 * (32 + 65 + 32); bit++) {
        uint8_t *at = bit < 256 ? fx.ssk.p : bit < 776 ? fx.pvt.p : fx.uid.p;
        size_t in = bit < 256 ? bit : bit < 776 ? bit - 256 : bit - 776;
        mcx_err want = bit >= 256 && bit < 776 ? MCX_E_POINT : MCX_E_AUTH;

        flip(at, in);
        assert_int_equal(mcx_eccsi_key_init(&key, fx.kms, vec_bytes(&fx.uid), fx.ssk.p, fx.pvt.p), want);
        assert_int_equal(key.hs[0], 7);
        flip(at, in);
    }
}

/* UID as 64 hexadecimal characters is another identity ("divergences met in the field", 2). */
static void hex_form_of_a_uid(void **state)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hex[64];

    (void)state;
    for (size_t i = 0; i < 32; i++) {
        hex[2 * i] = (uint8_t)digits[fx.uid.p[i] >> 4];
        hex[2 * i + 1] = (uint8_t)digits[fx.uid.p[i] & 15];
    }
    assert_int_equal(mcx_eccsi_verify(fx.kms, mcx_bytes(hex, sizeof hex), msg(), fx.sig), MCX_E_AUTH);
}

static void another_kms(void **state)
{
    struct vec other = vec_get(sets, "thirdparty-kms", "PubAuthKey");
    struct mcx_eccsi_kms *kms = NULL;

    (void)state;
    assert_int_equal(mcx_eccsi_kms_new(&kms, other.p), MCX_OK);
    assert_int_equal(mcx_eccsi_verify(kms, vec_bytes(&fx.uid), msg(), fx.sig), MCX_E_AUTH);
    mcx_eccsi_kms_free(kms);
}

/* r and s out of range (docs/DEVIATIONS.md "eccsi-s-range"). */
static void ranges_of_r_and_s(void **state)
{
    static const struct {
        size_t at; /* 0: r, 32: s */
        const char *hex;
    } rows[] = {
        { 0, "0000000000000000000000000000000000000000000000000000000000000000" },
        { 0, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff" }, /* p */
        { 0, "ffffffff00000001000000000000000000000001000000000000000000000000" }, /* p + 1 */
        { 0, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
        { 32, "0000000000000000000000000000000000000000000000000000000000000000" },
        { 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551" }, /* q */
        { 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552" },
        { 32, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t sig[MCX_ECCSI_SIG_LEN];
        struct vec v = vec_hex(rows[i].hex);

        memcpy(sig, fx.sig, sizeof sig);
        memcpy(sig + rows[i].at, v.p, 32);
        assert_int_equal(verify(sig), MCX_E_AUTH);
    }
}

/* Points that are no uncompressed points of P-256. */
static const char *const bad_points[] = {
    "040000000000000000000000000000000000000000000000000000000000000000" /* x = y = 0 */
    "0000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000000000000000000000000000" /* infinity, padded */
    "0000000000000000000000000000000000000000000000000000000000000000",
    "04ffffffff00000001000000000000000000000001000000000000000000000004" /* x = p + 5: on the curve if reduced */
    "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc",
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" /* G with y + 1 */
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f6",
    "066b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" /* hybrid form, wrong parity */
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    "076b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" /* hybrid form that is right */
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" /* compressed, with rubbish */
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
};

static void points_off_the_curve(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_points / sizeof bad_points[0]; i++) {
        struct vec bad = vec_hex(bad_points[i]);
        struct mcx_eccsi_key key = { .hs = { 7 } };
        struct mcx_eccsi_kms *kms = NULL;
        uint8_t sig[MCX_ECCSI_SIG_LEN];

        assert_int_equal(bad.len, MCX_ECCSI_POINT_LEN);
        memcpy(sig, fx.sig, sizeof sig);
        memcpy(sig + 64, bad.p, bad.len);
        assert_int_equal(verify(sig), MCX_E_POINT);
        assert_int_equal(mcx_eccsi_key_init(&key, fx.kms, vec_bytes(&fx.uid), fx.ssk.p, bad.p), MCX_E_POINT);
        assert_int_equal(mcx_eccsi_kms_new(&kms, bad.p), MCX_E_POINT);
        assert_null(kms);
    }
}

/* SSK outside 1 .. q-1 is refused, not reduced. */
static void ssk_out_of_range(void **state)
{
    static const char *const hex[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++) {
        struct vec v = vec_hex(hex[i]);
        struct mcx_eccsi_key key = { .hs = { 7 } };
        uint8_t sig[MCX_ECCSI_SIG_LEN] = { 9 };

        assert_int_equal(mcx_eccsi_key_init(&key, fx.kms, vec_bytes(&fx.uid), v.p, fx.pvt.p), MCX_E_AUTH);
        memcpy(key.ssk, v.p, sizeof key.ssk); /* filled by hand, past the check */
        assert_int_equal(mcx_eccsi_sign(sig, &key, msg(), &fx.rng), MCX_E_ARG);
        assert_int_equal(sig[0], 9);
    }
}

/* q + 0x12345 would be the KSAK of RFC 6507 appendix A if it were reduced. */
static void ksak_out_of_range(void **state)
{
    static const char *const hex[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc644896",
    };
    static const uint8_t zero[32];

    (void)state;
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++) {
        struct vec v = vec_hex(hex[i]);
        struct mcx_eccsi_master master;
        uint8_t kpak[MCX_ECCSI_POINT_LEN] = { 9 };
        uint8_t pvt[MCX_ECCSI_POINT_LEN] = { 9 };
        uint8_t ssk[MCX_ECCSI_SSK_LEN] = { 9 };

        memcpy(master.ksak, v.p, sizeof master.ksak);
        assert_int_equal(mcx_eccsi_master_public(kpak, &master), MCX_E_ARG);
        assert_int_equal(mcx_eccsi_extract(ssk, pvt, &master, vec_bytes(&fx.uid), &fx.rng), MCX_E_ARG);
        assert_int_equal(kpak[0], 9);
        assert_int_equal(pvt[0], 9);
        assert_memory_equal(ssk, zero, sizeof ssk);
    }
}

static void extract_without_identity(void **state)
{
    struct mcx_eccsi_master master = { { 1 } };
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
    uint8_t ssk[MCX_ECCSI_SSK_LEN];

    (void)state;
    assert_int_equal(mcx_eccsi_extract(ssk, pvt, &master, mcx_bytes(NULL, 0), &fx.rng), MCX_E_ARG);
}

/* Defect: one nonce for all messages of a signer object. Here nothing is prepared ahead. */
static void nonces_are_fresh(void **state)
{
    uint8_t sig[8][MCX_ECCSI_SIG_LEN];

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        size_t before = fx.fake.num_calls;

        assert_int_equal(mcx_eccsi_sign(sig[i], &fx.key, msg(), &fx.rng), MCX_OK);
        assert_int_equal(fx.fake.num_calls, before + 1);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(sig[i], sig[k], 32);
        }
    }
}

/* Defect: v reused. Two key sets of one identity have different PVTs. */
static void key_sets_are_fresh(void **state)
{
    struct vec ksak = vec_hex("0000000000000000000000000000000000000000000000000000000000012345");
    struct mcx_eccsi_master master;
    uint8_t pvt[2][MCX_ECCSI_POINT_LEN];
    uint8_t ssk[2][MCX_ECCSI_SSK_LEN];

    (void)state;
    memcpy(master.ksak, ksak.p, sizeof master.ksak);
    for (size_t i = 0; i < 2; i++) {
        struct mcx_eccsi_key key;

        assert_int_equal(mcx_eccsi_extract(ssk[i], pvt[i], &master, vec_bytes(&fx.uid), &fx.rng), MCX_OK);
        assert_int_equal(mcx_eccsi_key_init(&key, fx.kms, vec_bytes(&fx.uid), ssk[i], pvt[i]), MCX_OK);
        mcx_eccsi_key_clear(&key);
    }
    assert_memory_not_equal(pvt[0], pvt[1], sizeof pvt[0]);
    assert_memory_not_equal(ssk[0], ssk[1], sizeof ssk[0]);
}

/*
 * Defect: a number outside 1 .. q-1 taken, or reduced, as nonce. The generator gives 0, q, q + 0x34567 and
 * 2^256 - 1 before 0x34567: only the last may be used, so that the signature is that of RFC 6507 appendix A.
 */
static void nonces_out_of_range_are_drawn_again(void **state)
{
    static const char draws[] = "0000000000000000000000000000000000000000000000000000000000000000"
                                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
                                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc666ab8"
                                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                "0000000000000000000000000000000000000000000000000000000000034567";
    static const char rfc[] = "rfc6507-eccsi.txt";
    struct vec script = vec_hex(draws);
    struct vec id = vec_get(rfc, NULL, "ID");
    struct vec ssk = vec_get(rfc, NULL, "SSK");
    struct vec pvt = vec_get(rfc, NULL, "PVT");
    struct vec m = vec_get(rfc, NULL, "M");
    struct vec want = vec_get(rfc, NULL, "signature");
    struct fake_rng fake = { .script = vec_bytes(&script) };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_eccsi_key key;
    struct mcx_eccsi_master master;
    uint8_t sig[MCX_ECCSI_SIG_LEN];

    (void)state;
    assert_int_equal(mcx_eccsi_key_init(&key, fx.kms, vec_bytes(&id), ssk.p, pvt.p), MCX_OK);
    assert_int_equal(mcx_eccsi_sign(sig, &key, vec_bytes(&m), &rng), MCX_OK);
    assert_memory_equal(sig, want.p, sizeof sig);
    assert_int_equal(fake.num_calls, 5);
    fake.script = vec_bytes(&script);
    assert_int_equal(mcx_eccsi_master_generate(&master, &rng), MCX_OK);
    assert_memory_equal(master.ksak, script.p + 4 * 32, 32);
    mcx_eccsi_key_clear(&key);
}

/* A generator that is stuck is a broken generator, not an endless loop. */
static mcx_err stuck(void *ctx, uint8_t *out, size_t len)
{
    memset(out, *(const uint8_t *)ctx, len);
    return MCX_OK;
}

static void stuck_generator(void **state)
{
    static uint8_t octets[2] = { 0x00, 0xff };
    struct mcx_eccsi_master good = { { 1 } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct mcx_rng rng = { stuck, &octets[i] };
        struct mcx_eccsi_master master = { { 3 } };
        uint8_t sig[MCX_ECCSI_SIG_LEN] = { 9 };
        uint8_t pvt[MCX_ECCSI_POINT_LEN];
        uint8_t ssk[MCX_ECCSI_SSK_LEN];

        assert_int_equal(mcx_eccsi_sign(sig, &fx.key, msg(), &rng), MCX_E_RNG);
        assert_int_equal(sig[0], 9);
        assert_int_equal(mcx_eccsi_master_generate(&master, &rng), MCX_E_RNG);
        assert_int_equal(mcx_eccsi_extract(ssk, pvt, &good, vec_bytes(&fx.uid), &rng), MCX_E_RNG);
    }
}

static void generator_fails(void **state)
{
    static const uint8_t zero[32];
    struct mcx_eccsi_master good = { { 1 } };
    struct mcx_eccsi_master master = { { 3 } };
    struct fake_rng fake = { .seed = 5, .fail_at = 1 };
    struct mcx_rng rng = fake_rng(&fake);
    uint8_t sig[MCX_ECCSI_SIG_LEN] = { 9 };
    uint8_t pvt[MCX_ECCSI_POINT_LEN] = { 9 };
    uint8_t ssk[MCX_ECCSI_SSK_LEN] = { 9 };

    (void)state;
    assert_int_equal(mcx_eccsi_sign(sig, &fx.key, msg(), &rng), MCX_E_RNG);
    assert_int_equal(sig[0], 9);
    fake.num_calls = 0;
    assert_int_equal(mcx_eccsi_extract(ssk, pvt, &good, vec_bytes(&fx.uid), &rng), MCX_E_RNG);
    assert_memory_equal(ssk, zero, sizeof ssk);
    assert_int_equal(pvt[0], 9);
    fake.num_calls = 0;
    assert_int_equal(mcx_eccsi_master_generate(&master, &rng), MCX_E_RNG);
    /* the second draw, after a first that is out of range */
    fake = (struct fake_rng){ .script = { zero, 32 }, .seed = 5, .fail_at = 2 };
    assert_int_equal(mcx_eccsi_sign(sig, &fx.key, msg(), &rng), MCX_E_RNG);
    assert_int_equal(fake.num_calls, 2);
    assert_int_equal(sig[0], 9);
}

static struct mcx_p256_scalar scalar(const char *hex)
{
    struct vec v = vec_hex(hex);
    struct mcx_p256_scalar k;

    mcx_p256_scalar_reduce(&k, v.p);
    return k;
}

/* -a mod q */
static struct mcx_p256_scalar negative(const struct mcx_p256_scalar *a)
{
    struct mcx_p256_scalar minus_one = scalar("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550");
    struct mcx_p256_scalar out;

    mcx_p256_scalar_mul(&out, a, &minus_one);
    return out;
}

/* x = q + 3 is the x coordinate of a point: the first such from q on. Nobody knows its j. */
static const char wide_point[] = "04ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632554"
                                 "484f0c0fda434ef0a808458914f328715d7a545e198ac7eee31dffe861b5d23f";

/* Defect: r sent as Jx mod q. What is sent and hashed is Jx; only the arithmetic takes it modulo q. */
static void r_is_sent_unreduced(void **state)
{
    struct vec point = vec_hex(wide_point);
    struct mcx_p256_scalar j = scalar("0000000000000000000000000000000000000000000000000000000000034567");
    struct mcx_p256_scalar ssk;
    struct mcx_p256_scalar r;
    struct mcx_p256_scalar t;
    struct mcx_p256_scalar three = scalar("0000000000000000000000000000000000000000000000000000000000000003");
    uint8_t sig[MCX_ECCSI_SIG_LEN];
    uint8_t he[HASH_LEN];
    uint8_t left[32];
    uint8_t right[32];

    (void)state;
    assert_int_equal(mcx_eccsi_sign_with(sig, &fx.key, msg(), &j, point.p), MCX_OK);
    assert_memory_equal(sig, point.p + 1, 32);
    /* s * (HE + r * SSK) = j with HE over the 32 octets as sent, and r = 3 modulo q */
    assert_int_equal(mcx_eccsi_he(he, fx.key.hs, point.p + 1, msg()), MCX_OK);
    assert_true(mcx_p256_scalar_read(&ssk, fx.key.ssk));
    mcx_p256_scalar_reduce(&r, sig);
    mcx_p256_scalar_write(left, &r);
    mcx_p256_scalar_write(right, &three);
    assert_memory_equal(left, right, 32);
    mcx_p256_scalar_mul(&r, &r, &ssk);
    mcx_p256_scalar_reduce(&t, he);
    mcx_p256_scalar_add(&t, &t, &r);
    assert_true(mcx_p256_scalar_read(&r, sig + 32));
    mcx_p256_scalar_mul(&t, &t, &r);
    mcx_p256_scalar_write(left, &t);
    mcx_p256_scalar_write(right, &j);
    assert_memory_equal(left, right, 32);
}

/* The verifier takes such an r, and does not take it reduced: Y is chosen so that J is that point. */
static void r_is_verified_unreduced(void **state)
{
    struct vec octets = vec_hex(wide_point);
    struct vec he = vec_hex("1111111111111111111111111111111111111111111111111111111111111111");
    struct mcx_p256_scalar s = scalar("0000000000000000000000000000000000000000000000000000000000000005");
    struct mcx_p256_scalar r;
    struct mcx_p256_scalar a;
    struct mcx_p256_scalar b;
    struct mcx_p256_point *t = NULL;
    struct mcx_p256_point *y = NULL;
    const struct mcx_p256 *curve = fx.kms->curve;
    uint8_t s_octets[32];
    uint8_t reduced[32];

    (void)state;
    mcx_p256_scalar_write(s_octets, &s);
    mcx_p256_scalar_reduce(&r, octets.p + 1);
    mcx_p256_scalar_write(reduced, &r);
    assert_int_equal(mcx_p256_point_new(&t, curve), MCX_OK);
    assert_int_equal(mcx_p256_point_new(&y, curve), MCX_OK);
    assert_int_equal(mcx_p256_point_read(t, curve, octets.p), MCX_OK);
    mcx_p256_scalar_inverse(&r, &r);
    mcx_p256_scalar_inverse(&b, &s);
    mcx_p256_scalar_mul(&b, &b, &r); /* Y = [1 / (r s)]T - [HE / r]G */
    mcx_p256_scalar_reduce(&a, he.p);
    mcx_p256_scalar_mul(&a, &a, &r);
    a = negative(&a);
    assert_int_equal(mcx_p256_mul2_vartime(y, curve, &a, &b, t), MCX_OK);
    assert_int_equal(mcx_eccsi_verify_equation(curve, he.p, octets.p + 1, s_octets, y), MCX_OK);
    assert_int_equal(mcx_eccsi_verify_equation(curve, he.p, reduced, s_octets, y), MCX_E_AUTH);
    mcx_p256_point_free(t);
    mcx_p256_point_free(y);
}

/* s + q stands for the same number as s: with a small s it fits into 32 octets, and is refused all the same. */
static void s_is_not_reduced(void **state)
{
    struct vec he = vec_hex("2222222222222222222222222222222222222222222222222222222222222222");
    struct vec s_plus_q = vec_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632556");
    struct mcx_p256_scalar j = scalar("0000000000000000000000000000000000000000000000000000000000034567");
    struct mcx_p256_scalar s = scalar("0000000000000000000000000000000000000000000000000000000000000005");
    struct mcx_p256_scalar ssk;
    struct mcx_p256_scalar t;
    struct mcx_p256_point *y = NULL;
    const struct mcx_p256 *curve = fx.kms->curve;
    uint8_t point[MCX_P256_POINT_LEN];
    uint8_t s_octets[32];

    (void)state;
    mcx_p256_scalar_write(s_octets, &s);
    assert_int_equal(mcx_p256_mul_base(point, curve, &j), MCX_OK);
    mcx_p256_scalar_inverse(&ssk, &s); /* SSK = (j / s - HE) / r */
    mcx_p256_scalar_mul(&ssk, &ssk, &j);
    mcx_p256_scalar_reduce(&t, he.p);
    t = negative(&t);
    mcx_p256_scalar_add(&ssk, &ssk, &t);
    mcx_p256_scalar_reduce(&t, point + 1);
    mcx_p256_scalar_inverse(&t, &t);
    mcx_p256_scalar_mul(&ssk, &ssk, &t);
    assert_int_equal(mcx_p256_point_new(&y, curve), MCX_OK);
    {
        uint8_t y_octets[MCX_P256_POINT_LEN];

        assert_int_equal(mcx_p256_mul_base(y_octets, curve, &ssk), MCX_OK);
        assert_int_equal(mcx_p256_point_read(y, curve, y_octets), MCX_OK);
    }
    assert_int_equal(mcx_eccsi_verify_equation(curve, he.p, point + 1, s_octets, y), MCX_OK);
    assert_int_equal(mcx_eccsi_verify_equation(curve, he.p, point + 1, s_plus_q.p, y), MCX_E_AUTH);
    mcx_p256_point_free(y);
}

/* r = 0: the point with x = 0, which P-256 has */
static void nonce_with_r_zero(void **state)
{
    struct vec point = vec_hex("040000000000000000000000000000000000000000000000000000000000000000"
                               "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
    struct mcx_p256_scalar j = scalar("0000000000000000000000000000000000000000000000000000000000034567");
    struct mcx_p256_point *p = NULL;
    uint8_t sig[MCX_ECCSI_SIG_LEN] = { 9 };

    (void)state;
    assert_int_equal(mcx_p256_point_new(&p, fx.kms->curve), MCX_OK);
    assert_int_equal(mcx_p256_point_read(p, fx.kms->curve, point.p), MCX_OK);
    assert_int_equal(mcx_eccsi_sign_with(sig, &fx.key, msg(), &j, point.p), MCX_E_RNG);
    assert_int_equal(sig[0], 9);
    mcx_p256_point_free(p);
}

/* HE + r * SSK = 0: an SSK made for this message and nonce; the signer goes on to the next nonce. */
static void nonce_without_inverse(void **state)
{
    struct vec draws = vec_hex("0000000000000000000000000000000000000000000000000000000000034567"
                               "0000000000000000000000000000000000000000000000000000000000034568");
    struct fake_rng fake = { .script = vec_bytes(&draws) };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_p256_scalar j;
    struct mcx_p256_scalar ssk;
    struct mcx_p256_scalar t;
    struct mcx_eccsi_key key = { .hs = { 1 } };
    uint8_t point[MCX_P256_POINT_LEN];
    uint8_t he[HASH_LEN];
    uint8_t sig[MCX_ECCSI_SIG_LEN] = { 9 };

    (void)state;
    assert_true(mcx_p256_scalar_read(&j, draws.p));
    assert_int_equal(mcx_p256_mul_base(point, fx.kms->curve, &j), MCX_OK);
    assert_int_equal(mcx_eccsi_he(he, key.hs, point + 1, msg()), MCX_OK);
    mcx_p256_scalar_reduce(&t, point + 1);
    mcx_p256_scalar_inverse(&t, &t);
    mcx_p256_scalar_reduce(&ssk, he);
    mcx_p256_scalar_mul(&ssk, &ssk, &t);
    ssk = negative(&ssk); /* -HE / r */
    mcx_p256_scalar_write(key.ssk, &ssk);
    assert_int_equal(mcx_eccsi_sign_with(sig, &key, msg(), &j, point), MCX_E_RNG);
    assert_int_equal(sig[0], 9);
    assert_int_equal(mcx_eccsi_sign(sig, &key, msg(), &rng), MCX_OK);
    assert_int_equal(fake.num_calls, 2);
    assert_true(mcx_p256_scalar_read(&j, draws.p + 32));
    assert_int_equal(mcx_p256_mul_base(point, fx.kms->curve, &j), MCX_OK);
    assert_memory_equal(sig, point + 1, 32); /* the r of the second */
    mcx_eccsi_key_clear(&key);
}

/* Y at infinity: PVT = -[1/HS]KPAK. It cannot be met through a hash, so HS is chosen. */
static void y_at_infinity(void **state)
{
    struct mcx_p256_scalar hs = scalar("0000000000000000000000000000000000000000000000000000000000000007");
    struct mcx_p256_scalar k;
    struct mcx_p256_point *p = NULL;
    uint8_t pvt[MCX_P256_POINT_LEN];
    uint8_t hs_octets[HASH_LEN];

    (void)state;
    mcx_p256_scalar_write(hs_octets, &hs);
    mcx_p256_scalar_inverse(&k, &hs);
    k = negative(&k);
    assert_int_equal(mcx_p256_point_new(&p, fx.kms->curve), MCX_OK);
    assert_int_equal(mcx_p256_mul_vartime(p, fx.kms->curve, &k, fx.kms->kpak), MCX_OK);
    assert_int_equal(mcx_p256_point_write(pvt, fx.kms->curve, p), MCX_OK);
    assert_int_equal(mcx_eccsi_y(p, fx.kms, hs_octets, pvt), MCX_E_AUTH);
    mcx_p256_point_free(p);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(every_bit_of_a_signature),
        ROW(every_bit_of_message_and_uid),
        ROW(every_bit_of_a_key_set),
        ROW(hex_form_of_a_uid),
        ROW(another_kms),
        ROW(ranges_of_r_and_s),
        ROW(points_off_the_curve),
        ROW(ssk_out_of_range),
        ROW(ksak_out_of_range),
        ROW(extract_without_identity),
        ROW(nonces_are_fresh),
        ROW(key_sets_are_fresh),
        ROW(nonces_out_of_range_are_drawn_again),
        ROW(stuck_generator),
        ROW(generator_fails),
        ROW(r_is_sent_unreduced),
        ROW(r_is_verified_unreduced),
        ROW(s_is_not_reduced),
        ROW(nonce_with_r_zero),
        ROW(nonce_without_inverse),
        ROW(y_at_infinity),
    };

    return cmocka_run_group_tests_name("eccsi negative", tests, NULL, NULL);
}
