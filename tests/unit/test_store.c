/* SPDX-License-Identifier: Apache-2.0 */
/* The key store: what it keeps and for how long, its sealed form, and every way in which that form is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/store.h>

#include "support/fake.h"

static const uint8_t key[MCX_STORE_KEY_LEN] = { 1, 2, 3 };

/* period of a week from 345600 on; 6582 = 2026-02-27T00:00:00Z to 2026-03-06T00:00:00Z */
#define PERIOD     6582
#define PERIOD_END UINT64_C(1772755200)

static struct mcx_kms_cert make_cert(const char *kms_uri, const char *cert_uri, enum mcx_kms_role role)
{
    static char *domains[] = { "a.example.org", "b.example.org" };
    struct mcx_kms_cert cert = { .role = role,
                                 .kms_uri = (char *)kms_uri,
                                 .cert_uri = (char *)cert_uri,
                                 .issuer = "issuer",
                                 .valid_from = 5,
                                 .valid_to = 6,
                                 .period = { 604800, 345600 },
                                 .domains = domains,
                                 .num_domains = 2 };

    memset(cert.pub_enc_key, 4, sizeof cert.pub_enc_key);
    memset(cert.pub_auth_key, 5, sizeof cert.pub_auth_key);
    return cert;
}

static struct mcx_kms_key_set make_set(uint64_t period_no, uint8_t fill)
{
    struct mcx_kms_key_set set = { .kms_uri = "kms.example.org",
                                   .cert_uri = "cert1.kms.example.org",
                                   .user_uri = "sip:alice@example.org",
                                   .valid_from = 7,
                                   .valid_to = 8,
                                   .period_no = period_no };

    memset(set.uid, fill, sizeof set.uid);
    memset(set.rsk, fill, sizeof set.rsk);
    memset(set.ssk, fill, sizeof set.ssk);
    memset(set.pvt, fill, sizeof set.pvt);
    return set;
}

static struct mcx_store *make_store(void)
{
    struct mcx_kms_cert root = make_cert("kms.example.org", "cert1.kms.example.org", MCX_KMS_ROOT);
    struct mcx_kms_cert other = make_cert("kms.example.com", NULL, MCX_KMS_EXTERNAL);
    struct mcx_store_home home = { "kms.example.org", true, 17, 1234 };
    struct mcx_store *store = NULL;

    assert_int_equal(mcx_store_new(&store), MCX_OK);
    assert_int_equal(mcx_store_put_cert(store, &root), MCX_OK);
    assert_int_equal(mcx_store_put_cert(store, &other), MCX_OK);
    assert_int_equal(mcx_store_put_home(store, &home), MCX_OK);
    for (uint64_t n = 0; n < 3; n++) {
        struct mcx_kms_key_set set = make_set(PERIOD - n, (uint8_t)(10 + n));

        assert_int_equal(mcx_store_put_key_set(store, &set), MCX_OK);
    }
    return store;
}

static void seal(uint8_t **out, size_t *len, struct mcx_store *store, uint64_t seed)
{
    struct fake_rng state = { .seed = seed };
    struct mcx_rng rng = fake_rng(&state);

    assert_int_equal(mcx_store_seal(out, len, store, key, &rng), MCX_OK);
}

static void sealed_and_opened_again(void **state)
{
    struct mcx_store *store = make_store();
    struct mcx_store *again = NULL;
    uint8_t *sealed = NULL;
    size_t len = 0;

    (void)state;
    seal(&sealed, &len, store, 1);
    assert_int_equal(mcx_store_serial(store), 1);
    assert_int_equal(mcx_store_open(&again, mcx_bytes(sealed, len), key, 1, NULL), MCX_OK);
    assert_int_equal(mcx_store_serial(again), 1);
    assert_int_equal(mcx_store_num_homes(again), 1);
    assert_string_equal(mcx_store_home(again, 0)->kms_uri, "kms.example.org");
    assert_true(mcx_store_home(again, 0)->has_cache);
    assert_int_equal(mcx_store_home(again, 0)->cache_num, 17);
    assert_int_equal(mcx_store_home(again, 0)->last_fetch, 1234);
    assert_int_equal(mcx_store_num_certs(again), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct mcx_kms_cert *a = mcx_store_cert(store, i);
        const struct mcx_kms_cert *b = mcx_store_cert(again, i);

        assert_int_equal(a->role, b->role);
        assert_string_equal(a->kms_uri, b->kms_uri);
        assert_int_equal(a->cert_uri == NULL, b->cert_uri == NULL);
        assert_string_equal(b->issuer, "issuer");
        assert_int_equal(b->valid_from, 5);
        assert_int_equal(b->valid_to, 6);
        assert_int_equal(b->period.length, 604800);
        assert_int_equal(b->period.offset, 345600);
        assert_memory_equal(a->pub_enc_key, b->pub_enc_key, sizeof a->pub_enc_key);
        assert_memory_equal(a->pub_auth_key, b->pub_auth_key, sizeof a->pub_auth_key);
        assert_int_equal(b->num_domains, 2);
        assert_string_equal(b->domains[1], "b.example.org");
    }
    assert_int_equal(mcx_store_num_key_sets(again), 3);
    for (uint64_t n = 0; n < 3; n++) {
        struct mcx_kms_key_set want = make_set(PERIOD - n, (uint8_t)(10 + n));
        const struct mcx_kms_key_set *set =
            mcx_store_find_key_set(again, "kms.example.org", "sip:alice@example.org", PERIOD - n);

        assert_non_null(set);
        assert_string_equal(set->cert_uri, want.cert_uri);
        assert_null(set->issuer);
        assert_int_equal(set->valid_from, 7);
        assert_int_equal(set->valid_to, 8);
        assert_memory_equal(set->uid, want.uid, sizeof want.uid);
        assert_memory_equal(set->rsk, want.rsk, sizeof want.rsk);
        assert_memory_equal(set->ssk, want.ssk, sizeof want.ssk);
        assert_memory_equal(set->pvt, want.pvt, sizeof want.pvt);
    }
    mcx_store_free(again);
    mcx_store_free(store);
    free(sealed);
}

static void each_sealing_has_its_own_nonce_and_serial(void **state)
{
    struct mcx_store *store = make_store();
    uint8_t *a = NULL;
    uint8_t *b = NULL;
    size_t a_len = 0;
    size_t b_len = 0;

    (void)state;
    seal(&a, &a_len, store, 1);
    seal(&b, &b_len, store, 2);
    assert_int_equal(mcx_store_serial(store), 2);
    assert_int_equal(a_len, b_len);
    assert_memory_not_equal(a + 18, b + 18, 12);
    assert_memory_not_equal(a + 30, b + 30, a_len - 30);
    mcx_store_free(store);
    free(a);
    free(b);
}

/* No key octet may be found in what lies on the disk. */
static void sealed_form_hides_the_keys(void **state)
{
    struct mcx_store *store = make_store();
    uint8_t *sealed = NULL;
    size_t len = 0;
    uint8_t run[16];

    (void)state;
    seal(&sealed, &len, store, 1);
    memset(run, 10, sizeof run);
    for (size_t i = 0; i + sizeof run <= len; i++) {
        assert_true(memcmp(sealed + i, run, sizeof run) != 0);
        assert_true(memcmp(sealed + i, "sip:alice@exampl", sizeof run) != 0);
    }
    mcx_store_free(store);
    free(sealed);
}

static void altered_forms_are_refused(void **state)
{
    struct mcx_store *store = make_store();
    struct mcx_store *out = NULL;
    struct mcx_refusal why = { 0 };
    uint8_t other[MCX_STORE_KEY_LEN] = { 9 };
    uint8_t *sealed = NULL;
    size_t len = 0;

    (void)state;
    seal(&sealed, &len, store, 1);
    assert_int_equal(mcx_store_open(&out, mcx_bytes(sealed, len), other, 0, &why), MCX_E_AUTH);
    assert_string_equal(why.reason, "the key store was sealed under another key, or altered");
    for (size_t i = 0; i < len; i++) {
        mcx_err want = i < 8 ? MCX_E_FORMAT : i < 10 ? MCX_E_UNSUP : MCX_E_AUTH;

        sealed[i] ^= 0x10;
        assert_int_equal(mcx_store_open(&out, mcx_bytes(sealed, len), key, 0, NULL), want);
        sealed[i] ^= 0x10;
    }
    for (size_t n = 0; n < len; n++) {
        mcx_err want = n < 46 ? MCX_E_TRUNC : MCX_E_AUTH;

        assert_int_equal(mcx_store_open(&out, mcx_bytes(sealed, n), key, 0, NULL), want);
    }
    assert_int_equal(mcx_store_open(&out, mcx_bytes(sealed, len), key, 2, &why), MCX_E_REPLAY);
    assert_string_equal(why.reason, "the key store is older than the one seen before");
    assert_null(out);
    mcx_store_free(store);
    free(sealed);
}

static void same_names_replace(void **state)
{
    struct mcx_store *store = make_store();
    struct mcx_kms_cert cert = make_cert("kms.example.org", "cert1.kms.example.org", MCX_KMS_ROOT);
    struct mcx_kms_key_set set = make_set(PERIOD, 99);
    struct mcx_store_home home = { "kms.example.org", true, 18, 2000 };

    (void)state;
    cert.valid_from = 50;
    assert_int_equal(mcx_store_put_cert(store, &cert), MCX_OK);
    assert_int_equal(mcx_store_num_certs(store), 2);
    assert_int_equal(mcx_store_find_cert(store, "kms.example.org")->valid_from, 50);
    assert_int_equal(mcx_store_put_key_set(store, &set), MCX_OK);
    assert_int_equal(mcx_store_num_key_sets(store), 3);
    assert_int_equal(mcx_store_find_key_set(store, set.kms_uri, set.user_uri, PERIOD)->ssk[0], 99);
    assert_int_equal(mcx_store_put_home(store, &home), MCX_OK);
    assert_int_equal(mcx_store_num_homes(store), 1);
    assert_int_equal(mcx_store_home(store, 0)->cache_num, 18);
    mcx_store_free(store);
}

/* What a home KMS said about itself is not replaced by what another KMS says about it. */
static void foreign_word_on_a_home_is_ignored(void **state)
{
    struct mcx_store *store = make_store();
    struct mcx_kms_cert cert = make_cert("kms.example.org", "cert1.kms.example.org", MCX_KMS_EXTERNAL);

    (void)state;
    cert.pub_enc_key[1] = 77;
    assert_int_equal(mcx_store_put_cert(store, &cert), MCX_OK);
    cert.cert_uri = "cert9.kms.example.org";
    assert_int_equal(mcx_store_put_cert(store, &cert), MCX_OK);
    assert_int_equal(mcx_store_num_certs(store), 2);
    assert_int_equal(mcx_store_find_cert(store, "kms.example.org")->pub_enc_key[1], 4);
    mcx_store_free(store);
}

static void revoked_certificate_is_not_found(void **state)
{
    struct mcx_store *store = make_store();
    struct mcx_kms_cert cert = make_cert("kms.example.com", NULL, MCX_KMS_EXTERNAL);

    (void)state;
    assert_non_null(mcx_store_find_cert(store, "kms.example.com"));
    cert.revoked = true;
    assert_int_equal(mcx_store_put_cert(store, &cert), MCX_OK);
    assert_null(mcx_store_find_cert(store, "kms.example.com"));
    mcx_store_free(store);
}

static size_t expire_at(struct mcx_store *store, uint64_t unix_s)
{
    return mcx_store_expire(store, mcx_ntp_from_unix_ms(unix_s * 1000));
}

static void expiry(void **state)
{
    static const uint8_t zero[MCX_ECCSI_SSK_LEN];
    struct mcx_store *store = make_store();
    const struct mcx_kms_key_set *set = NULL;

    (void)state;
    /* inside the period: the two earlier ones lose their SSK, once */
    assert_int_equal(expire_at(store, PERIOD_END - 1), 2);
    assert_int_equal(expire_at(store, PERIOD_END - 1), 0);
    set = mcx_store_find_key_set(store, "kms.example.org", "sip:alice@example.org", PERIOD);
    assert_false(set->open_only);
    set = mcx_store_find_key_set(store, "kms.example.org", "sip:alice@example.org", PERIOD - 1);
    assert_true(set->open_only);
    assert_memory_equal(set->ssk, zero, sizeof zero);
    assert_int_equal(set->rsk[0], 11);

    /* the next period begins: the oldest goes at once, the SSK stays for the skew */
    assert_int_equal(expire_at(store, PERIOD_END + 300), 1);
    assert_int_equal(mcx_store_num_key_sets(store), 2);
    assert_int_equal(expire_at(store, PERIOD_END + 301), 1);
    set = mcx_store_find_key_set(store, "kms.example.org", "sip:alice@example.org", PERIOD);
    assert_true(set->open_only);

    /* long after: nothing is left */
    assert_int_equal(expire_at(store, PERIOD_END + UINT64_C(30) * 604800), 2);
    assert_int_equal(mcx_store_num_key_sets(store), 0);
    mcx_store_free(store);
}

static void bounded(void **state)
{
    struct mcx_store *store = NULL;
    struct mcx_kms_key_set set = make_set(0, 1);

    (void)state;
    assert_int_equal(mcx_store_new(&store), MCX_OK);
    for (uint64_t i = 0; i < MCX_STORE_MAX_KEY_SETS; i++) {
        set.period_no = i;
        assert_int_equal(mcx_store_put_key_set(store, &set), MCX_OK);
    }
    set.period_no = MCX_STORE_MAX_KEY_SETS;
    assert_int_equal(mcx_store_put_key_set(store, &set), MCX_E_SPACE);
    for (uint64_t i = 0; i < MCX_STORE_MAX_CERTS; i++) {
        char uri[32];
        struct mcx_kms_cert cert;

        (void)snprintf(uri, sizeof uri, "kms%u.example.org", (unsigned)i);
        cert = make_cert(uri, NULL, MCX_KMS_EXTERNAL);
        assert_int_equal(mcx_store_put_cert(store, &cert), MCX_OK);
    }
    {
        struct mcx_kms_cert cert = make_cert("one.too.many", NULL, MCX_KMS_EXTERNAL);

        assert_int_equal(mcx_store_put_cert(store, &cert), MCX_E_SPACE);
    }
    mcx_store_free(store);
}

static void failing_generator_changes_nothing(void **state)
{
    struct fake_rng fake = { .seed = 1, .fail_at = 1 };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_store *store = make_store();
    uint8_t *sealed = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_store_seal(&sealed, &len, store, key, &rng), MCX_E_RNG);
    assert_null(sealed);
    assert_int_equal(mcx_store_serial(store), 0);
    mcx_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_and_opened_again),
        cmocka_unit_test(each_sealing_has_its_own_nonce_and_serial),
        cmocka_unit_test(sealed_form_hides_the_keys),
        cmocka_unit_test(altered_forms_are_refused),
        cmocka_unit_test(same_names_replace),
        cmocka_unit_test(foreign_word_on_a_home_is_ignored),
        cmocka_unit_test(revoked_certificate_is_not_found),
        cmocka_unit_test(expiry),
        cmocka_unit_test(bounded),
        cmocka_unit_test(failing_generator_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
