/* SPDX-License-Identifier: Apache-2.0 */
/* The KMS core with a store in memory: what it answers and what it records (TS 33.180 D.2, D.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/keyring.h>

#include "support/kms_fake.h"
#include "support/vectors.h"

#define P "/keymanagement/identity/v1/"

/* Ask as unit07 and read the answer. */
static struct mcx_kmsdoc *ask(struct kms_fake *f, int want, const char *target, const char *body, uint64_t unix_s)
{
    struct mcx_kms_in in = { .method = mcx_bytes_str("POST"),
                             .target = mcx_bytes_str(target),
                             .body = mcx_bytes_str(body),
                             .auth = { .present = true, .mcptt_id = KMS_FAKE_USER },
                             .unix_ms = unix_s * 1000,
                             .mono_ms = 1000 };
    struct mcx_kms_answer a;
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_refusal why = { 0 };

    mcx_kms_handle(f->core, &a, &in);
    if (a.status != want) {
        print_error("%s: %d %s\n", target, a.status, f->last_reason);
    }
    assert_int_equal(a.status, want);
    assert_non_null(a.xml);
    assert_int_equal(mcx_kmsdoc_read(&doc, mcx_bytes(a.xml, a.xml_len), NULL, &why), MCX_OK);
    assert_string_equal(doc->kms_uri, KMS_FAKE_URI);
    assert_true(doc->time == unix_s);
    mcx_kms_answer_clear(&a);
    return doc;
}

static void init_gives_the_root_certificate(void **state)
{
    struct kms_fake f;
    struct mcx_kmsdoc *doc = NULL;

    (void)state;
    kms_fake_init(&f, 100);
    doc = ask(&f, 200, P "init", kms_fake_request(P "init", (struct kms_fake_body){ 0 }), KMS_FAKE_NOW);
    assert_int_equal(doc->kind, MCX_KMSDOC_INIT);
    assert_int_equal(doc->num_certs, 1);
    assert_int_equal(doc->certs[0].role, MCX_KMS_ROOT);
    assert_memory_equal(doc->certs[0].pub_enc_key, f.cert.pub_enc_key, MCX_SAKKE_POINT_LEN);
    assert_string_equal(doc->client_req_url, "https://kms1.mcx.example.net:8443" P "init");
    assert_string_equal(doc->user_uri, KMS_FAKE_USER);
    assert_int_equal(f.num_audit, 0);
    mcx_kmsdoc_free(doc);
    kms_fake_clear(&f);
}

/* Both identities, present period; RSK of the published key set; every set passes the client's checks. */
static void keyprov_gives_all_identities(void **state)
{
    struct kms_fake f;
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_keyring *ring = NULL;
    struct vec rsk = vec_get(KMS_FAKE_VECTORS, "keyset-2", "RSK");

    (void)state;
    kms_fake_init(&f, 100);
    doc = ask(&f, 200, P "keyprov", kms_fake_request(P "keyprov", (struct kms_fake_body){ 0 }), KMS_FAKE_NOW);
    assert_int_equal(doc->num_key_sets, 2);
    assert_string_equal(doc->key_sets[0].user_uri, KMS_FAKE_USER);
    assert_string_equal(doc->key_sets[1].user_uri, KMS_FAKE_ALIAS);
    assert_int_equal(doc->key_sets[0].period_no, 6582);
    assert_memory_equal(doc->key_sets[0].rsk, rsk.p, MCX_SAKKE_POINT_LEN);
    assert_true(doc->key_sets[0].valid_from == 1772150400); /* 2026-02-27T00:00:00Z */
    assert_true(doc->key_sets[0].valid_to == 1772755199);   /* 2026-03-05T23:59:59Z */
    assert_int_equal(f.num_audit, 2);
    assert_int_equal(f.num_audit_calls, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(f.audit_uri[i], doc->key_sets[i].user_uri);
        assert_memory_equal(f.audit_uid[i], doc->key_sets[i].uid, MCX_UID_LEN);
        assert_true(f.audit_period[i] == 6582);
    }
    assert_int_equal(mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(ring, &f.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_key_set(ring, &doc->key_sets[0], NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_key_set(ring, &doc->key_sets[1], NULL), MCX_OK);
    mcx_keyring_free(ring);
    mcx_kmsdoc_free(doc);
    kms_fake_clear(&f);
}

static void keyprov_of_one_uri(void **state)
{
    static const char target[] = P "keyprov/sip%3Aalias07%40mcx.example.net";
    struct kms_fake f;
    struct mcx_kmsdoc *doc = NULL;

    (void)state;
    kms_fake_init(&f, 100);
    doc = ask(&f, 200, target, kms_fake_request(target, (struct kms_fake_body){ 0 }), KMS_FAKE_NOW);
    assert_int_equal(doc->num_key_sets, 1);
    assert_string_equal(doc->key_sets[0].user_uri, KMS_FAKE_ALIAS);
    mcx_kmsdoc_free(doc);
    /* An empty body is allowed: then UserUri of the answer is the URI asked for. */
    doc = ask(&f, 200, target, "", KMS_FAKE_NOW);
    assert_int_equal(doc->num_key_sets, 1);
    assert_string_equal(doc->user_uri, KMS_FAKE_ALIAS);
    assert_string_equal(doc->client_req_url, target);
    mcx_kmsdoc_free(doc);
    kms_fake_clear(&f);
}

static void keyprov_at_a_time(void **state)
{
    static const struct {
        const char *time;
        int status;
        uint64_t period;
    } rows[] = {
        { "ED529D4000000000", 200, 6582 }, /* now */
        { "ED4B5CFF00000000", 200, 6581 }, /* 2026-02-26T23:59:59 is the last second of the period before */
        { "D6B4323200000000", 200, 5955 }, /* years ago */
        { "ED54978000000000", 200, 6583 }, /* first second of the next */
        { "ED5DD1FF00000000", 200, 6583 }, /* last second of the next */
        { "ED5DD20000000000", 403, 0 },    /* two ahead */
    };
    struct kms_fake f;

    (void)state;
    kms_fake_init(&f, 100);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char target[128];
        struct mcx_kmsdoc *doc = NULL;

        (void)snprintf(target, sizeof target, P "keyprov/sip%%3Aunit07%%40mcx.example.net/%s", rows[i].time);
        doc = ask(&f, rows[i].status, target, kms_fake_request(target, (struct kms_fake_body){ 0 }), KMS_FAKE_NOW);
        if (rows[i].status == 200) {
            assert_int_equal(doc->num_key_sets, 1);
            assert_int_equal(doc->key_sets[0].period_no, rows[i].period);
        } else {
            assert_int_equal(doc->kind, MCX_KMSDOC_ERROR);
            assert_int_equal(doc->error_code, rows[i].status);
        }
        mcx_kmsdoc_free(doc);
    }
    kms_fake_clear(&f);
}

/* The last tenth of the period brings the next one along. */
static void keyprov_prefetch_window(void **state)
{
    const uint64_t end = 1772755200; /* 2026-03-06T00:00:00Z */
    struct kms_fake f;

    (void)state;
    kms_fake_init(&f, 100);
    for (uint64_t before = 60480; before <= 60481; before++) {
        uint64_t now = end - before;
        struct mcx_kmsdoc *doc =
            ask(&f, 200, P "keyprov", kms_fake_request(P "keyprov", (struct kms_fake_body){ .time = now }), now);

        assert_int_equal(doc->num_key_sets, before == 60480 ? 4 : 2);
        assert_int_equal(doc->key_sets[1].period_no, before == 60480 ? 6583 : 6582);
        mcx_kmsdoc_free(doc);
    }
    kms_fake_clear(&f);
}

static void certificate_cache(void **state)
{
    struct kms_fake f;
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_kms_cert other;
    struct mcx_kmsdoc bare = { .kind = MCX_KMSDOC_BARE_CERT, .certs = &other, .num_certs = 1 };
    size_t len = 0;

    (void)state;
    kms_fake_init(&f, 100);
    other = f.cert;
    other.kms_uri = "kms9.partner.example";
    other.cert_uri = "cert1.kms9.partner.example";
    assert_int_equal(mcx_kmsdoc_write(&f.external[0], &len, &bare), MCX_OK);
    doc = ask(&f, 200, P "certcache", "", KMS_FAKE_NOW);
    assert_int_equal(doc->num_certs, 0);
    assert_int_equal(doc->cache_num, 0);
    mcx_kmsdoc_free(doc);
    f.num_external = 1;
    f.cache_num = 3;
    doc = ask(&f, 200, P "certcache", "", KMS_FAKE_NOW);
    assert_int_equal(doc->num_certs, 1);
    assert_int_equal(doc->cache_num, 3);
    assert_int_equal(doc->certs[0].role, MCX_KMS_EXTERNAL);
    assert_string_equal(doc->certs[0].kms_uri, "kms9.partner.example");
    mcx_kmsdoc_free(doc);
    doc = ask(&f, 200, P "certcache/3", "", KMS_FAKE_NOW); /* the client has it */
    assert_int_equal(doc->num_certs, 0);
    assert_int_equal(doc->cache_num, 3);
    mcx_kmsdoc_free(doc);
    doc = ask(&f, 200, P "certcache/2", "", KMS_FAKE_NOW);
    assert_int_equal(doc->num_certs, 1);
    mcx_kmsdoc_free(doc);
    doc = ask(&f, 200, P "certcache/4", "", KMS_FAKE_NOW); /* larger than ours: all of it */
    assert_int_equal(doc->num_certs, 1);
    mcx_kmsdoc_free(doc);
    doc = ask(&f, 200, P "cert/kms9.partner.example", "", KMS_FAKE_NOW);
    assert_int_equal(doc->num_certs, 1);
    mcx_kmsdoc_free(doc);
    doc = ask(&f, 200, P "cert/" KMS_FAKE_URI, "", KMS_FAKE_NOW);
    assert_int_equal(doc->certs[0].role, MCX_KMS_ROOT);
    mcx_kmsdoc_free(doc);
    doc = ask(&f, 404, P "cert/kms8.partner.example", "", KMS_FAKE_NOW);
    assert_int_equal(doc->error_code, 404);
    mcx_kmsdoc_free(doc);
    mcx_kmsdoc_text_free(f.external[0], len);
    kms_fake_clear(&f);
}

/* Nothing leaves without its record: an audit that fails takes the key sets back. */
static void no_record_no_keys(void **state)
{
    struct kms_fake f;
    struct mcx_kmsdoc *doc = NULL;

    (void)state;
    kms_fake_init(&f, 100);
    f.audit_err = MCX_E_IO;
    doc = ask(&f, 503, P "keyprov", kms_fake_request(P "keyprov", (struct kms_fake_body){ 0 }), KMS_FAKE_NOW);
    assert_int_equal(doc->kind, MCX_KMSDOC_ERROR);
    assert_int_equal(f.num_audit_calls, 1);
    mcx_kmsdoc_free(doc);
    f.identities_err = MCX_E_IO;
    doc = ask(&f, 503, P "init", "", KMS_FAKE_NOW);
    mcx_kmsdoc_free(doc);
    kms_fake_clear(&f);
}

/* Every draw of the generator fails once: an error, no key sets, no record. */
static void generator_faults(void **state)
{
    struct kms_fake f;
    struct mcx_kms_in in = { .method = mcx_bytes_str("POST"),
                             .target = mcx_bytes_str(P "keyprov"),
                             .auth = { .present = true, .mcptt_id = KMS_FAKE_USER },
                             .unix_ms = KMS_FAKE_NOW * 1000 };

    (void)state;
    kms_fake_init(&f, 100);
    for (size_t at = 1; at <= 4; at++) { /* request id, v of the first and of the second identity; then none fails */
        struct mcx_kms_answer a;

        f.rng_state = (struct fake_rng){ .seed = 3, .fail_at = at };
        mcx_kms_handle(f.core, &a, &in);
        assert_int_equal(a.status, at < 4 ? 500 : 200);
        assert_int_equal(a.num_key_sets, at < 4 ? 0 : 2);
        assert_int_equal(f.num_audit, at < 4 ? 0 : 2);
        assert_true(at == 4 || a.xml == NULL || strstr(a.xml, "UserDecryptKey") == NULL);
        mcx_kms_answer_clear(&a);
    }
    kms_fake_clear(&f);
}

static void budget_per_user(void **state)
{
    struct kms_fake f;
    struct mcx_kms_in in = { .method = mcx_bytes_str("POST"),
                             .target = mcx_bytes_str(P "keyprov"),
                             .auth = { .present = true, .mcptt_id = KMS_FAKE_USER },
                             .unix_ms = KMS_FAKE_NOW * 1000,
                             .mono_ms = 5000 };
    static const struct {
        const char *who;
        uint64_t mono_ms;
        int status;
    } rows[] = {
        { KMS_FAKE_USER, 5000, 200 }, /* two of six */
        { KMS_FAKE_USER, 5000, 200 },  { KMS_FAKE_USER, 5000, 200 },  { KMS_FAKE_USER, 5000, 503 },
        { KMS_FAKE_OTHER, 5000, 200 }, { KMS_FAKE_USER, 15000, 503 }, /* one is back */
        { KMS_FAKE_USER, 25000, 200 }, { KMS_FAKE_USER, 25000, 503 },
    };

    (void)state;
    kms_fake_init(&f, 6);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_answer a;

        in.auth.mcptt_id = rows[i].who;
        in.mono_ms = rows[i].mono_ms;
        mcx_kms_handle(f.core, &a, &in);
        assert_int_equal(a.status, rows[i].status);
        assert_true((a.retry_after_s > 0) == (a.status == 503));
        mcx_kms_answer_clear(&a);
    }
    kms_fake_clear(&f);
}

static uint64_t counted;
static const char *wanted;

static void look(void *arg, const char *name, uint64_t count)
{
    (void)arg;
    counted += strcmp(name, wanted) == 0 ? count : 0;
}

static uint64_t count_of(const struct kms_fake *f, const char *name)
{
    counted = 0;
    wanted = name;
    mcx_tally_each(mcx_kms_tally(f->core), look, NULL);
    return counted;
}

/* Refusals without a good token have a budget per address; a good token from there is served all the same. */
static void refusals_of_an_address(void **state)
{
    struct kms_fake f;
    struct mcx_kms_answer a;
    struct mcx_kms_in bad = { .method = mcx_bytes_str("POST"),
                              .target = mcx_bytes_str("/keymanagement/identity/v1/init"),
                              .auth = { .present = false },
                              .peer = "192.0.2.66",
                              .unix_ms = KMS_FAKE_NOW * 1000,
                              .mono_ms = 1000 };
    struct mcx_kms_in good = bad;

    (void)state;
    kms_fake_init(&f, 1000);
    for (size_t i = 0; i < 100; i++) {
        mcx_kms_handle(f.core, &a, &bad);
        assert_int_equal(a.status, i < KMS_FAKE_REFUSALS ? 401 : 429);
        assert_true((a.www_authenticate != NULL) == (i < KMS_FAKE_REFUSALS));
        assert_true(a.close == (i >= KMS_FAKE_REFUSALS) && (a.retry_after_s > 0) == a.close);
        mcx_kms_answer_clear(&a);
    }
    assert_int_equal(f.num_refusals, KMS_FAKE_REFUSALS); /* the rest is in no log */
    assert_int_equal(count_of(&f, "too many refusals for this address"), 100 - KMS_FAKE_REFUSALS);
    assert_int_equal(count_of(&f, "the request has no bearer token"), KMS_FAKE_REFUSALS);
    good.auth.present = true;
    good.auth.mcptt_id = KMS_FAKE_USER;
    mcx_kms_handle(f.core, &a, &good);
    assert_int_equal(a.status, 200);
    mcx_kms_answer_clear(&a);
    assert_int_equal(count_of(&f, "served"), 1);
    bad.peer = "192.0.2.67"; /* another address */
    mcx_kms_handle(f.core, &a, &bad);
    assert_int_equal(a.status, 401);
    mcx_kms_answer_clear(&a);
    bad.peer = "192.0.2.66"; /* and later */
    bad.mono_ms += 60000;
    mcx_kms_handle(f.core, &a, &bad);
    assert_int_equal(a.status, 401);
    mcx_kms_answer_clear(&a);
    kms_fake_clear(&f);
}

static void budget_table_overflow(void **state)
{
    static struct mcx_rate rate = { .per_minute = 60 };
    char user[32];

    (void)state;
    for (unsigned i = 0; i < 4 * MCX_RATE_SLOTS; i++) { /* more users than slots: shared, never unbounded */
        (void)snprintf(user, sizeof user, "sip:u%u@x", i);
        (void)mcx_rate_take(&rate, mcx_bytes_str(user), 60, 1000);
    }
    assert_int_not_equal(mcx_rate_take(&rate, mcx_bytes_str("sip:one-more@x"), 60, 1000), 0);
    assert_int_equal(mcx_rate_take(&rate, mcx_bytes_str("sip:one-more@x"), 60, 61000), 0);
}

static void certificate_of_another_vault(void **state)
{
    struct kms_fake f;
    struct mcx_kms_core *core = NULL;
    struct mcx_kms_cert cert;
    struct mcx_kms_config c = { .root = &cert };

    (void)state;
    kms_fake_init(&f, 1);
    c.vault = f.vault;
    cert = f.cert;
    cert.period.offset++;
    assert_int_equal(mcx_kms_core_new(&core, &c), MCX_E_STATE);
    cert = f.cert;
    cert.kms_uri = "kms2.mcx.example.net";
    assert_int_equal(mcx_kms_core_new(&core, &c), MCX_E_STATE);
    cert = f.cert;
    cert.pub_auth_key[5] ^= 1;
    assert_int_equal(mcx_kms_core_new(&core, &c), MCX_E_STATE);
    kms_fake_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_gives_the_root_certificate),
        cmocka_unit_test(keyprov_gives_all_identities),
        cmocka_unit_test(keyprov_of_one_uri),
        cmocka_unit_test(keyprov_at_a_time),
        cmocka_unit_test(keyprov_prefetch_window),
        cmocka_unit_test(certificate_cache),
        cmocka_unit_test(no_record_no_keys),
        cmocka_unit_test(generator_faults),
        cmocka_unit_test(budget_per_user),
        cmocka_unit_test(refusals_of_an_address),
        cmocka_unit_test(budget_table_overflow),
        cmocka_unit_test(certificate_of_another_vault),
    };

    return cmocka_run_group_tests_name("kms core", tests, NULL, NULL);
}
