/* SPDX-License-Identifier: Apache-2.0 */
/* Curve, pairing and SAKKE against the slow model of support/sakke_model.h; with and without tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <mcx/sakke.h>

#include "crypto/ec/comb.h"
#include "crypto/ec/pairing.h"
#include "crypto/ec/ted_const.h"
#include "crypto/sakke/tables.h"
#include "support/fake.h"
#include "support/sakke_model.h"
#include "support/vectors.h"

static const enum mcx_sakke_tables forms[] = { MCX_SAKKE_TABLES_NONE, MCX_SAKKE_TABLES_DEFAULT };
static struct model m;
static struct fake_rng random_state = { .seed = 6508 };

static BIGNUM *random_scalar(void)
{
    struct mcx_rng rng = fake_rng(&random_state);
    uint8_t octets[MODEL_LEN];
    BIGNUM *k;

    assert_int_equal(mcx_rng_fill(&rng, octets, sizeof octets), MCX_OK);
    k = BN_bin2bn(octets, sizeof octets, NULL);
    BN_nnmod(k, k, m.q, m.ctx);
    return k;
}

static void scalar_of(struct mcx_scalar *r, const BIGNUM *k)
{
    uint8_t octets[MODEL_LEN];

    assert_int_equal(BN_bn2binpad(k, octets, sizeof octets), sizeof octets);
    assert_true(mcx_mont_read(r->v, octets, &mcx_mont_q) != 0);
}

static void expect_fp(const struct mcx_fp *a, const BIGNUM *want)
{
    uint8_t got_octets[MODEL_LEN];
    uint8_t want_octets[MODEL_LEN];

    mcx_fp_write(got_octets, a);
    assert_int_equal(BN_bn2binpad(want, want_octets, sizeof want_octets), sizeof want_octets);
    assert_memory_equal(got_octets, want_octets, sizeof got_octets);
}

static void expect_point(const struct mcx_ted *got, const struct model_point *want)
{
    uint8_t octets[MCX_EC_POINT_LEN];
    struct mcx_ec a, b;

    if (want->is_o) {
        assert_true(mcx_ted_to_ec(&a, got) == 0);
        return;
    }
    assert_true(mcx_ted_to_ec(&a, got) != 0);
    expect_fp(&a.x, want->x);
    expect_fp(&a.y, want->y);
    model_point_write(octets, want);
    assert_true(mcx_ec_read(&b, octets) != 0);
    assert_true(mcx_ted_equal_ec(got, &b) != 0);
    mcx_fp_neg(&b.y, &b.y);
    assert_true(mcx_ted_equal_ec(got, &b) == 0);
}

/* c^2 = -3, c a square, k^2 = -2c, and the product. */
static void constants(void **state)
{
    BIGNUM *c = BN_new();
    BIGNUM *k = BN_new();
    BIGNUM *t = BN_new();
    uint8_t octets[MODEL_LEN];

    (void)state;
    mcx_fp_write(octets, &mcx_ted_c);
    BN_bin2bn(octets, sizeof octets, c);
    mcx_fp_write(octets, &mcx_ted_k);
    BN_bin2bn(octets, sizeof octets, k);
    BN_mod_sqr(t, c, m.p, m.ctx);
    BN_add_word(t, 3);
    assert_int_equal(BN_cmp(t, m.p), 0);
    assert_int_equal(BN_kronecker(c, m.p, m.ctx), 1);
    BN_mod_sqr(t, k, m.p, m.ctx);
    BN_mod_add(t, t, c, m.p, m.ctx);
    BN_mod_add(t, t, c, m.p, m.ctx);
    assert_true(BN_is_zero(t));
    BN_mod_mul(t, k, c, m.p, m.ctx);
    expect_fp(&mcx_ted_kc, t);
    expect_fp(&mcx_ec_g, m.g);
    expect_fp(&mcx_ec_p.x, m.px);
    expect_fp(&mcx_ec_p.y, m.py);
    BN_free(c);
    BN_free(k);
    BN_free(t);
}

/* Both multiplications and the power of g for one scalar. */
static void check_scalar(const BIGNUM *k)
{
    struct model_point base = model_point();
    struct model_point want = model_point();
    struct mcx_scalar scalar;
    struct mcx_ted p, got;
    struct mcx_pf power;
    struct mcx_fp w;
    BIGNUM *t = BN_new();

    model_base(&base, &m);
    model_mul(&want, k, &base, &m);
    scalar_of(&scalar, k);
    mcx_ted_from_ec(&p, &mcx_ec_p);
    mcx_ted_mul(&got, &p, &scalar);
    expect_point(&got, &want);
    mcx_ted_comb_mul(&got, &(struct mcx_ted_comb_term){ &mcx_sakke_comb_p, &scalar }, 1);
    expect_point(&got, &want);

    model_g_pow(t, k, &m);
    mcx_pf_comb_pow(&power, &mcx_sakke_comb_g, &scalar);
    mcx_pf_value(&w, &power);
    expect_fp(&w, t);
    BN_free(t);
    model_point_clear(&base);
    model_point_clear(&want);
}

/* Small, large and all-ones scalars: everything that an incomplete addition would stumble over. */
static void edge_scalars(void **state)
{
    BIGNUM *k = BN_new();

    (void)state;
    for (BN_ULONG i = 0; i < 4; i++) {
        BN_set_word(k, i);
        check_scalar(k);
        BN_copy(k, m.q);
        BN_sub_word(k, i + 1);
        check_scalar(k);
    }
    BN_lshift(k, BN_value_one(), 1021);
    check_scalar(k);
    BN_sub_word(k, 1);
    check_scalar(k);
    BN_rshift1(k, m.q);
    check_scalar(k);
    BN_free(k);
}

/*
 * The combs against plain multiplication. 48 scalars look up 912 entries in each block of 64, so that every entry
 * of the tables made during the build is used.
 */
static void comb_tables(void **state)
{
    struct mcx_ted p, a, b;

    (void)state;
    mcx_ted_from_ec(&p, &mcx_ec_p);
    for (int i = 0; i < 48; i++) {
        BIGNUM *k = random_scalar();
        struct mcx_scalar scalar;
        struct mcx_ec want;

        scalar_of(&scalar, k);
        mcx_ted_mul(&a, &p, &scalar);
        mcx_ted_comb_mul(&b, &(struct mcx_ted_comb_term){ &mcx_sakke_comb_p, &scalar }, 1);
        assert_true(mcx_ted_to_ec(&want, &a) != 0);
        assert_true(mcx_ted_equal_ec(&b, &want) != 0);
        if (i < 2) {
            check_scalar(k);
        }
        BN_free(k);
    }
}

/* <aP, bP> = g^(ab), both forms and the loop of the RFC. */
static void pairing(void **state)
{
    static struct mcx_pair_table table;

    (void)state;
    for (int i = 0; i < 2; i++) {
        BIGNUM *ka = random_scalar();
        BIGNUM *kb = random_scalar();
        BIGNUM *w = BN_new();
        BIGNUM *want = BN_new();
        struct model_point a = model_point();
        struct model_point b = model_point();
        struct model_point base = model_point();
        uint8_t octets[MCX_EC_POINT_LEN];
        struct mcx_ec ea, eb;
        struct mcx_fp got;

        if (i == 0) {
            BN_one(ka); /* K = P */
        }
        model_base(&base, &m);
        model_mul(&a, ka, &base, &m);
        model_mul(&b, kb, &base, &m);
        model_pairing(w, &b, &a, &m);
        BN_mod_mul(ka, ka, kb, m.q, m.ctx);
        model_g_pow(want, ka, &m);
        assert_int_equal(BN_cmp(w, want), 0);

        model_point_write(octets, &a);
        assert_true(mcx_ec_read(&ea, octets) != 0);
        model_point_write(octets, &b);
        assert_true(mcx_ec_read(&eb, octets) != 0);
        assert_true(mcx_ec_in_subgroup(&ea) != 0);
        assert_true(mcx_pairing(&got, &ea, &eb) != 0);
        expect_fp(&got, want);
        assert_true(mcx_pair_table_make(&table, &ea) != 0);
        mcx_pair_table_eval(&got, &table, &eb);
        expect_fp(&got, want);
        BN_free(ka);
        BN_free(kb);
        BN_free(w);
        BN_free(want);
        model_point_clear(&a);
        model_point_clear(&b);
        model_point_clear(&base);
    }
}

/* The digits, put together again, give q. */
static void digits_of_q(void **state)
{
    signed char digit[MCX_PAIR_DIGITS];
    BIGNUM *sum = BN_new();

    (void)state;
    mcx_pair_digits(digit);
    for (int i = MCX_PAIR_DIGITS - 1; i >= 0; i--) {
        BN_lshift(sum, sum, 2);
        if (digit[i] < 0) {
            BN_sub_word(sum, 1);
        } else {
            BN_add_word(sum, (BN_ULONG)digit[i]);
        }
    }
    assert_int_equal(BN_cmp(sum, m.q), 0);
    BN_zero(sum);
    for (int i = MCX_Q_NAF_LEN - 1; i >= 0; i--) {
        BN_lshift1(sum, sum);
        if (mcx_q_naf(i) < 0) {
            BN_sub_word(sum, 1);
        } else {
            BN_add_word(sum, (BN_ULONG)mcx_q_naf(i));
        }
    }
    assert_int_equal(BN_cmp(sum, m.q), 0);
    BN_free(sum);
}

/* What the model makes of (z, uid, ssv). */
struct expected {
    uint8_t z_t[MCX_SAKKE_POINT_LEN], rsk[MCX_SAKKE_POINT_LEN], sed[MCX_SAKKE_SED_LEN];
};

static void model_sakke(struct expected *out, const BIGNUM *z, struct mcx_bytes uid, const struct mcx_key *ssv)
{
    struct model_point p = model_point();
    struct model_point t = model_point();
    struct model_point zt = model_point();
    BIGNUM *b = BN_bin2bn(uid.p, (int)uid.len, NULL);
    BIGNUM *x = BN_new();
    BIGNUM *r = BN_new();
    BIGNUM *two_128 = BN_new();
    uint8_t *hashed = malloc(sizeof ssv->octet + uid.len);
    uint8_t w[MODEL_LEN];
    uint8_t mask[MCX_KEY_LEN];

    assert_non_null(hashed);
    model_base(&p, &m);
    model_mul(&zt, z, &p, &m);
    model_point_write(out->z_t, &zt);
    BN_mod_add(x, b, z, m.q, m.ctx);
    assert_non_null(BN_mod_inverse(x, x, m.q, m.ctx));
    model_mul(&t, x, &p, &m);
    model_point_write(out->rsk, &t);

    memcpy(hashed, ssv->octet, sizeof ssv->octet);
    memcpy(hashed + sizeof ssv->octet, uid.p, uid.len);
    model_hash(r, mcx_bytes(hashed, sizeof ssv->octet + uid.len), m.q, &m);
    BN_nnmod(b, b, m.q, m.ctx); /* [b]P */
    model_mul(&t, b, &p, &m);
    model_add(&t, &t, &zt, &m);
    model_mul(&t, r, &t, &m);
    model_point_write(out->sed, &t);
    model_g_pow(x, r, &m);
    assert_int_equal(BN_bn2binpad(x, w, sizeof w), sizeof w); /* always 128 octets */
    BN_lshift(two_128, BN_value_one(), 128);
    model_hash(x, mcx_bytes(w, sizeof w), two_128, &m);
    assert_int_equal(BN_bn2binpad(x, mask, sizeof mask), sizeof mask);
    for (size_t i = 0; i < MCX_KEY_LEN; i++) {
        out->sed[MCX_SAKKE_POINT_LEN + i] = mask[i] ^ ssv->octet[i];
    }
    free(hashed);
    BN_free(b);
    BN_free(x);
    BN_free(r);
    BN_free(two_128);
    model_point_clear(&p);
    model_point_clear(&t);
    model_point_clear(&zt);
}

static void check_sakke(const BIGNUM *z, struct mcx_bytes uid, const struct mcx_key *ssv)
{
    struct mcx_sakke_master master;
    struct expected want;
    uint8_t point[MCX_SAKKE_POINT_LEN];

    model_sakke(&want, z, uid, ssv);
    assert_int_equal(BN_bn2binpad(z, master.z, sizeof master.z), sizeof master.z);
    assert_int_equal(mcx_sakke_master_public(point, &master), MCX_OK);
    assert_memory_equal(point, want.z_t, sizeof point);
    assert_int_equal(mcx_sakke_extract(point, &master, uid), MCX_OK);
    assert_memory_equal(point, want.rsk, sizeof point);
    for (size_t i = 0; i < 2; i++) {
        struct mcx_sakke_kms *kms = NULL;
        struct mcx_sakke_rsk *rsk = NULL;
        uint8_t sed[MCX_SAKKE_SED_LEN];
        struct mcx_key key;

        assert_int_equal(mcx_sakke_kms_new(&kms, want.z_t, forms[i]), MCX_OK);
        assert_int_equal(mcx_sakke_encap(sed, ssv, kms, uid), MCX_OK);
        assert_memory_equal(sed, want.sed, sizeof sed);
        assert_int_equal(mcx_sakke_rsk_new(&rsk, want.rsk, kms, uid, forms[i]), MCX_OK);
        assert_int_equal(mcx_sakke_decap(&key, rsk, sed), MCX_OK);
        assert_memory_equal(key.octet, ssv->octet, sizeof key.octet);
        assert_int_equal(mcx_sakke_kms_table_octets(kms) > 0, i == 1);
        assert_int_equal(mcx_sakke_rsk_table_octets(rsk) > 0, i == 1);
        mcx_sakke_rsk_free(rsk);
        mcx_sakke_kms_free(kms);
    }
}

/* Identifiers of up to 300 octets: from 128 on they exceed q (raw RFC 6509 strings) and are hashed unreduced. */
static void whole_scheme(void **state)
{
    static const size_t lengths[] = { 32, 128, 300 };
    struct mcx_rng rng = fake_rng(&random_state);
    uint8_t uid[300];
    struct mcx_key ssv;

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        BIGNUM *z = random_scalar();

        assert_int_equal(mcx_rng_fill(&rng, uid, sizeof uid), MCX_OK);
        assert_int_equal(mcx_rng_fill(&rng, &ssv, sizeof ssv), MCX_OK);
        uid[0] |= 0x80;
        check_sakke(z, mcx_bytes(uid, lengths[i]), &ssv);
        BN_free(z);
    }
}

/* Tiny and extreme values; here the points added to each other are equal, opposite or close. */
static void exceptional(void **state)
{
    static const uint8_t one = 1, zero = 0;
    const struct mcx_key null_ssv = { { 0 } };
    struct mcx_key full_ssv;
    uint8_t q_minus_1[MODEL_LEN];
    BIGNUM *z = BN_new();
    BIGNUM *t = BN_dup(m.q);

    (void)state;
    memset(&full_ssv, 0xff, sizeof full_ssv);
    BN_set_word(z, 2);
    check_sakke(z, mcx_bytes(&one, 1), &null_ssv);  /* b + z = 3 */
    check_sakke(z, mcx_bytes(&zero, 1), &full_ssv); /* [b]P = O */
    BN_sub_word(t, 1);
    BN_bn2binpad(t, q_minus_1, sizeof q_minus_1);
    check_sakke(z, mcx_bytes(q_minus_1, sizeof q_minus_1), &null_ssv); /* b + z = 1: RSK = P */
    check_sakke(t, mcx_bytes(&zero, 1), &null_ssv);                    /* Z = -P: RSK = -P */
    BN_copy(z, m.q);
    BN_sub_word(z, 2);
    check_sakke(z, mcx_bytes(&one, 1), &full_ssv); /* b + z = -1 */
    BN_free(z);
    BN_free(t);
}

/* w with a leading zero octet is hashed as 128 octets all the same (RFC 6508 4): found by search. */
static void leading_zero(void **state)
{
    static const char uid[] = "identity";
    BIGNUM *z = random_scalar();
    BIGNUM *r = BN_new();
    uint8_t hashed[MCX_KEY_LEN + sizeof uid - 1] = { 0 };
    struct mcx_key ssv = { { 0 } };
    uint8_t w[MODEL_LEN] = { 1 };

    (void)state;
    memcpy(hashed + MCX_KEY_LEN, uid, sizeof uid - 1);
    for (unsigned i = 0; w[0] != 0; i++) {
        struct mcx_scalar scalar;
        struct mcx_pf power;
        struct mcx_fp value;

        assert_true(i < 20000);
        hashed[0] = (uint8_t)(i >> 8);
        hashed[1] = (uint8_t)i;
        model_hash(r, mcx_bytes(hashed, sizeof hashed), m.q, &m);
        scalar_of(&scalar, r);
        mcx_pf_comb_pow(&power, &mcx_sakke_comb_g, &scalar);
        mcx_pf_value(&value, &power);
        mcx_fp_write(w, &value);
    }
    memcpy(ssv.octet, hashed, sizeof ssv.octet);
    check_sakke(z, mcx_bytes(uid, sizeof uid - 1), &ssv);
    BN_free(z);
    BN_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants),   cmocka_unit_test(digits_of_q),  cmocka_unit_test(edge_scalars),
        cmocka_unit_test(comb_tables), cmocka_unit_test(pairing),      cmocka_unit_test(whole_scheme),
        cmocka_unit_test(exceptional), cmocka_unit_test(leading_zero),
    };
    int rc;

    model_init(&m);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    model_clear(&m);
    return rc;
}
