/* SPDX-License-Identifier: Apache-2.0 */
/* What SAKKE must refuse: bad points, wrong orders, altered data, wrong identities, values out of range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/sakke.h>

#include "crypto/ec/pairing.h"
#include "crypto/sakke/sakke_int.h"
#include "support/vectors.h"

#define RFC "rfc6508-sakke.txt"

static const enum mcx_sakke_tables forms[] = { MCX_SAKKE_TABLES_NONE, MCX_SAKKE_TABLES_DEFAULT };

static struct {
    struct vec z, uid, rsk, sed, ssv, p, q;
    struct mcx_sakke_kms *kms;
    struct mcx_sakke_rsk *opener[2]; /* without and with tables */
    struct mcx_ec two;               /* (0, 0), of order 2 */
    struct mcx_ec four;              /* a point of order 4 */
} f;

static void expect_decap(const uint8_t sed[MCX_SAKKE_SED_LEN], mcx_err want)
{
    static const struct mcx_key wiped;

    for (size_t i = 0; i < 2; i++) {
        struct mcx_key key;

        memset(&key, 0x5a, sizeof key);
        assert_int_equal(mcx_sakke_decap(&key, f.opener[i], sed), want);
        assert_memory_equal(&key, &wiped, sizeof key);
    }
}

/* a + b, both affine and different */
static struct mcx_ec sum(const struct mcx_ec *a, const struct mcx_ec *b)
{
    struct mcx_jac t = { a->x, a->y, { { 0 } } };
    struct mcx_line line;
    struct mcx_fp inverse, square;
    struct mcx_ec r;

    mcx_fp_set_one(&t.z);
    mcx_jac_add(&t, &line, b);
    mcx_fp_inv(&inverse, &t.z);
    mcx_fp_sqr(&square, &inverse);
    mcx_fp_mul(&r.x, &t.x, &square);
    mcx_fp_mul(&square, &square, &inverse);
    mcx_fp_mul(&r.y, &t.y, &square);
    return r;
}

/*
 * y^2 = x^3 - 3x with x^2 = -3: y^2 = -6x. Square roots are powers (p + 1)/4 = q; of the two roots of -3 one gives
 * a y.
 */
static struct mcx_fp power_q(const struct mcx_fp *a)
{
    struct mcx_fp r;

    mcx_fp_set_one(&r);
    for (int i = MCX_BN_BITS - 1; i >= 0; i--) {
        mcx_fp_sqr(&r, &r);
        if (((mcx_mont_q.m[i / MCX_LIMB_BITS] >> (i % MCX_LIMB_BITS)) & 1) != 0) {
            mcx_fp_mul(&r, &r, a);
        }
    }
    return r;
}

static struct mcx_ec order_four(void)
{
    uint8_t octets[MCX_EC_POINT_LEN];
    struct mcx_fp three, six;
    struct mcx_ec r, check;

    mcx_fp_set_one(&three);
    mcx_fp_dbl(&six, &three);
    mcx_fp_add(&three, &three, &six);
    mcx_fp_dbl(&six, &three);
    mcx_fp_neg(&three, &three);
    r.x = power_q(&three);
    for (int i = 0; i < 2; i++) {
        mcx_fp_neg(&r.x, &r.x);
        mcx_fp_mul(&r.y, &six, &r.x);
        mcx_fp_neg(&r.y, &r.y);
        r.y = power_q(&r.y);
        mcx_ec_write(octets, &r);
        if (mcx_ec_read(&check, octets) != 0) {
            return r;
        }
    }
    fail_msg("no point of order 4");
    return r;
}

static void flipped_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < MCX_SAKKE_SED_LEN; i += i >= MCX_SAKKE_POINT_LEN ? 3 : 11) {
        uint8_t sed[MCX_SAKKE_SED_LEN];

        memcpy(sed, f.sed.p, sizeof sed);
        sed[i] ^= (uint8_t)(1U << (i % 8));
        expect_decap(sed, i < MCX_SAKKE_POINT_LEN ? MCX_E_POINT : MCX_E_AUTH);
    }
}

static void forms_of_r(void **state)
{
    static const uint8_t first[] = { 0, 2, 3, 5, 6, 7, 0x84, 0xff };
    uint8_t sed[MCX_SAKKE_SED_LEN];

    (void)state;
    memcpy(sed, f.sed.p, sizeof sed);
    for (size_t i = 0; i < sizeof first; i++) {
        sed[0] = first[i];
        expect_decap(sed, MCX_E_POINT);
    }
    memset(sed, 0, sizeof sed); /* "infinity" */
    expect_decap(sed, MCX_E_POINT);
    sed[0] = 4; /* (0, 0) is on the curve, of order 2 */
    expect_decap(sed, MCX_E_AUTH);
    memset(sed + 1, 0xff, sizeof sed - 1);
    expect_decap(sed, MCX_E_POINT);
}

/* x + p and y + p stand for the same residues and are refused; (p, p) for (0, 0) is the simplest. */
static void not_reduced(void **state)
{
    uint8_t sed[MCX_SAKKE_SED_LEN] = { 4 };

    (void)state;
    memcpy(sed + 1, f.p.p, MCX_BN_OCTETS);
    expect_decap(sed, MCX_E_POINT);
    memset(sed + 1, 0, MCX_BN_OCTETS);
    memcpy(sed + 1 + MCX_BN_OCTETS, f.p.p, MCX_BN_OCTETS);
    expect_decap(sed, MCX_E_POINT);
}

/*
 * R plus a point of order 2 or 4 has the same w, so that SSV comes out right; the check of R must refuse it, and
 * with it anything outside the subgroup.
 */
static void outside_subgroup(void **state)
{
    uint8_t sed[MCX_SAKKE_SED_LEN];
    const struct mcx_ec *small[2] = { &f.two, &f.four };
    struct mcx_ec r, k;

    (void)state;
    assert_true(mcx_ec_read(&r, f.sed.p) != 0);
    assert_true(mcx_ec_read(&k, f.rsk.p) != 0);
    for (int i = 0; i < 2; i++) {
        struct mcx_ec other = sum(&r, small[i]);
        struct mcx_fp w, w_other;

        assert_true(mcx_ec_in_subgroup(&other) == 0);
        assert_true(mcx_ec_in_subgroup(small[i]) == 0);
        assert_true(mcx_pairing(&w, &k, &r) != 0);
        assert_true(mcx_pairing(&w_other, &k, &other) != 0);
        assert_true(mcx_fp_equal(&w, &w_other) != 0); /* so only the check can tell */
        memcpy(sed, f.sed.p, sizeof sed);
        mcx_ec_write(sed, &other);
        expect_decap(sed, MCX_E_AUTH);
        mcx_ec_write(sed, small[i]);
        expect_decap(sed, MCX_E_AUTH);
    }
}

/* -R with an H that gives the right SSV: only y tells it from R. */
static void opposite(void **state)
{
    uint8_t sed[MCX_SAKKE_SED_LEN];
    uint8_t mask[MCX_KEY_LEN];
    struct mcx_ec r, k;
    struct mcx_fp w;

    (void)state;
    assert_true(mcx_ec_read(&r, f.sed.p) != 0);
    assert_true(mcx_ec_read(&k, f.rsk.p) != 0);
    for (int i = 0; i < 2; i++) {
        assert_true(mcx_pairing(&w, &k, &r) != 0);
        assert_int_equal(mcx_sakke_hash_mask(mask, &w), MCX_OK);
        mcx_ec_write(sed, &r);
        for (size_t j = 0; j < MCX_KEY_LEN; j++) {
            sed[MCX_SAKKE_POINT_LEN + j] = f.ssv.p[j] ^ mask[j];
        }
        if (i == 0) {
            assert_memory_equal(sed, f.sed.p, sizeof sed); /* the construction is right */
        }
        mcx_fp_neg(&r.y, &r.y);
    }
    expect_decap(sed, MCX_E_AUTH);
}

/* Another point with the y of `r`: x'^2 + x x' + x^2 - 3 = 0. Not for every r is there one. */
static bool same_y(struct mcx_ec *out, const struct mcx_ec *r)
{
    uint8_t octets[MCX_EC_POINT_LEN];
    struct mcx_fp one, two, four, d;

    mcx_fp_set_one(&one);
    mcx_fp_dbl(&two, &one);
    mcx_fp_dbl(&four, &two);
    mcx_fp_sqr(&d, &r->x);
    mcx_fp_sub(&d, &four, &d); /* (12 - 3x^2) = 3(4 - x^2) */
    mcx_fp_add(&one, &two, &one);
    mcx_fp_mul(&d, &d, &one);
    d = power_q(&d);
    mcx_fp_sub(&d, &d, &r->x);
    mcx_fp_inv(&two, &two);
    mcx_fp_mul(&out->x, &d, &two);
    out->y = r->y;
    mcx_ec_write(octets, out);
    return mcx_ec_read(out, octets) != 0;
}

/* The y of R with another x, and an H that gives the right SSV: only x tells it from R. */
static void same_y_other_x(void **state)
{
    struct mcx_key ssv = { { 0 } };
    uint8_t sed[MCX_SAKKE_SED_LEN];
    uint8_t mask[MCX_KEY_LEN];
    struct mcx_ec r, k, other;
    struct mcx_fp w;
    bool found = false;

    (void)state;
    assert_true(mcx_ec_read(&k, f.rsk.p) != 0);
    for (unsigned i = 0; i < 64 && !found; i++) {
        ssv.octet[0] = (uint8_t)i;
        assert_int_equal(mcx_sakke_encap(sed, &ssv, f.kms, vec_bytes(&f.uid)), MCX_OK);
        assert_true(mcx_ec_read(&r, sed) != 0);
        found = same_y(&other, &r);
    }
    assert_true(found);
    assert_true(mcx_fp_equal(&other.x, &r.x) == 0);
    (void)mcx_pairing(&w, &k, &other);
    assert_int_equal(mcx_sakke_hash_mask(mask, &w), MCX_OK);
    mcx_ec_write(sed, &other);
    for (size_t j = 0; j < MCX_KEY_LEN; j++) {
        sed[MCX_SAKKE_POINT_LEN + j] = ssv.octet[j] ^ mask[j];
    }
    expect_decap(sed, MCX_E_AUTH);
}

static void wrong_public_key(void **state)
{
    uint8_t z[MCX_SAKKE_POINT_LEN];
    const struct mcx_ec *small[2] = { &f.two, &f.four };
    struct mcx_ec point;

    (void)state;
    assert_true(mcx_ec_read(&point, f.z.p) != 0);
    for (size_t i = 0; i < 2; i++) {
        struct mcx_sakke_kms *kms = NULL;
        struct mcx_ec other = sum(&point, small[i]);

        memcpy(z, f.z.p, sizeof z);
        z[200] ^= 4;
        assert_int_equal(mcx_sakke_kms_new(&kms, z, forms[i]), MCX_E_POINT);
        mcx_ec_write(z, &other);
        assert_int_equal(mcx_sakke_kms_new(&kms, z, forms[i]), MCX_E_POINT);
        mcx_ec_write(z, small[i]);
        assert_int_equal(mcx_sakke_kms_new(&kms, z, forms[i]), MCX_E_POINT);
        assert_null(kms);
    }
}

static void expect_rsk(const uint8_t rsk_octets[MCX_SAKKE_POINT_LEN], struct mcx_bytes uid, mcx_err want)
{
    for (size_t i = 0; i < 2; i++) {
        struct mcx_sakke_rsk *rsk = NULL;

        assert_int_equal(mcx_sakke_rsk_new(&rsk, rsk_octets, f.kms, uid, forms[i]), want);
        assert_null(rsk);
    }
}

static void wrong_rsk(void **state)
{
    uint8_t octets[MCX_SAKKE_POINT_LEN];
    const struct mcx_ec *small[2] = { &f.two, &f.four };
    struct mcx_ec point;

    (void)state;
    memcpy(octets, f.rsk.p, sizeof octets);
    octets[1] ^= 1;
    expect_rsk(octets, vec_bytes(&f.uid), MCX_E_POINT);
    memcpy(octets, f.rsk.p, sizeof octets);
    octets[0] = 2;
    expect_rsk(octets, vec_bytes(&f.uid), MCX_E_POINT);
    expect_rsk(f.z.p, vec_bytes(&f.uid), MCX_E_AUTH);
    expect_rsk(f.rsk.p, mcx_bytes(f.uid.p, f.uid.len - 1), MCX_E_AUTH);
    expect_rsk(f.rsk.p, mcx_bytes(NULL, 0), MCX_E_ARG);

    assert_true(mcx_ec_read(&point, f.rsk.p) != 0);
    for (int i = 0; i < 2; i++) {
        struct mcx_ec other = sum(&point, small[i]);

        mcx_ec_write(octets, &other);
        expect_rsk(octets, vec_bytes(&f.uid), MCX_E_AUTH);
        mcx_ec_write(octets, small[i]);
        expect_rsk(octets, vec_bytes(&f.uid), MCX_E_AUTH);
    }
    mcx_fp_neg(&point.y, &point.y);
    mcx_ec_write(octets, &point);
    expect_rsk(octets, vec_bytes(&f.uid), MCX_E_AUTH);
}

/* An encapsulation to somebody else of the same KMS. */
static void wrong_identity(void **state)
{
    uint8_t sed[MCX_SAKKE_SED_LEN];
    struct mcx_key key;

    (void)state;
    memcpy(&key, f.ssv.p, sizeof key);
    assert_int_equal(mcx_sakke_encap(sed, &key, f.kms, mcx_bytes_str("somebody else")), MCX_OK);
    expect_decap(sed, MCX_E_AUTH);
    memset(sed, 0x5a, sizeof sed);
    assert_int_equal(mcx_sakke_encap(sed, &key, f.kms, mcx_bytes(NULL, 0)), MCX_E_ARG);
    assert_int_equal(sed[0], 0x5a);
}

static void put(struct mcx_sakke_master *master, const uint8_t *value, int add)
{
    memcpy(master->z, value, sizeof master->z);
    for (size_t i = sizeof master->z; i-- > 0 && add != 0;) {
        int v = master->z[i] + add;

        master->z[i] = (uint8_t)v;
        add = v < 0 ? -1 : v > 255;
    }
}

static void master_range(void **state)
{
    static const uint8_t zero[MCX_SAKKE_MASTER_LEN];
    uint8_t all_ones[MCX_SAKKE_MASTER_LEN];
    uint8_t point[MCX_SAKKE_POINT_LEN];
    struct mcx_sakke_master master;
    const struct {
        const uint8_t *base;
        int add;
        mcx_err want;
    } cases[] = {
        { zero, 0, MCX_E_ARG },  { zero, 1, MCX_E_ARG },  { zero, 2, MCX_OK },        { f.q.p, -1, MCX_OK },
        { f.q.p, 0, MCX_E_ARG }, { f.q.p, 1, MCX_E_ARG }, { all_ones, 0, MCX_E_ARG },
    };

    (void)state;
    memset(all_ones, 0xff, sizeof all_ones);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(&master, cases[i].base, cases[i].add);
        assert_int_equal(mcx_sakke_master_public(point, &master), cases[i].want);
        assert_int_equal(mcx_sakke_extract(point, &master, vec_bytes(&f.uid)), cases[i].want);
        assert_int_equal(mcx_sakke_extract(point, &master, mcx_bytes(NULL, 0)), MCX_E_ARG);
    }
}

/* uid = -z_T: no RSK exists, [uid]P + Z = O, nothing can be encapsulated. */
static void impossible_identity(void **state)
{
    static const uint8_t zero[MCX_SAKKE_MASTER_LEN];
    static const uint8_t blank[MCX_SAKKE_POINT_LEN];
    struct mcx_sakke_master master, uid;
    uint8_t point[MCX_SAKKE_POINT_LEN];
    uint8_t sed[MCX_SAKKE_SED_LEN];
    struct mcx_key key = { { 1 } };

    (void)state;
    put(&master, zero, 2);
    put(&uid, f.q.p, -2);
    memset(point, 0x5a, sizeof point);
    assert_int_equal(mcx_sakke_extract(point, &master, mcx_bytes(uid.z, sizeof uid.z)), MCX_E_ARG);
    assert_memory_equal(point, blank, sizeof point);
    assert_int_equal(mcx_sakke_master_public(point, &master), MCX_OK);
    for (size_t i = 0; i < 2; i++) {
        struct mcx_sakke_kms *kms = NULL;
        struct mcx_sakke_rsk *rsk = NULL;

        assert_int_equal(mcx_sakke_kms_new(&kms, point, forms[i]), MCX_OK);
        assert_int_equal(mcx_sakke_encap(sed, &key, kms, mcx_bytes(uid.z, sizeof uid.z)), MCX_E_ARG);
        assert_int_equal(mcx_sakke_rsk_new(&rsk, point, kms, mcx_bytes(uid.z, sizeof uid.z), forms[i]), MCX_E_AUTH);
        mcx_sakke_kms_free(kms);
    }
}

static int set_up(void **state)
{
    (void)state;
    f.z = vec_get(RFC, NULL, "Z");
    f.uid = vec_get(RFC, NULL, "b");
    f.rsk = vec_get(RFC, NULL, "RSK");
    f.sed = vec_get(RFC, NULL, "encapsulated_data");
    f.ssv = vec_get(RFC, NULL, "SSV");
    f.p = vec_get("rfc6509-sakke-params.txt", NULL, "p");
    f.q = vec_get("rfc6509-sakke-params.txt", NULL, "q");
    f.four = order_four();
    if (mcx_sakke_kms_new(&f.kms, f.z.p, MCX_SAKKE_TABLES_DEFAULT) != MCX_OK) {
        return -1;
    }
    for (size_t i = 0; i < 2; i++) {
        if (mcx_sakke_rsk_new(&f.opener[i], f.rsk.p, f.kms, vec_bytes(&f.uid), forms[i]) != MCX_OK) {
            return -1;
        }
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mcx_sakke_rsk_free(f.opener[0]);
    mcx_sakke_rsk_free(f.opener[1]);
    mcx_sakke_kms_free(f.kms);
    mcx_sakke_rsk_free(NULL);
    mcx_sakke_kms_free(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_bits),     cmocka_unit_test(forms_of_r),       cmocka_unit_test(not_reduced),
        cmocka_unit_test(outside_subgroup), cmocka_unit_test(wrong_public_key), cmocka_unit_test(wrong_rsk),
        cmocka_unit_test(wrong_identity),   cmocka_unit_test(master_range),     cmocka_unit_test(impossible_identity),
        cmocka_unit_test(opposite),         cmocka_unit_test(same_y_other_x),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
