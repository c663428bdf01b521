/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that a KMS refuses: the answer of docs/DEVIATIONS.md "kms-error-codes", a reason in the log, no key octet
 * out, nothing recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/kms_fake.h"

#define P "/keymanagement/identity/v1/"

static struct kms_fake f;

static int set_up(void **state)
{
    (void)state;
    kms_fake_init(&f, 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kms_fake_clear(&f);
    return 0;
}

static struct mcx_kms_in good(const char *target, const char *body)
{
    return (struct mcx_kms_in){ .method = mcx_bytes_str("POST"),
                                .target = mcx_bytes_str(target),
                                .body = mcx_bytes_str(body),
                                .auth = { .present = true, .mcptt_id = KMS_FAKE_USER },
                                .peer = "192.0.2.1",
                                .unix_ms = KMS_FAKE_NOW * 1000 };
}

static void assert_refused(const char *name, const struct mcx_kms_in *in, int want, bool with_body)
{
    struct mcx_kms_answer a;
    size_t refusals = f.num_refusals;

    mcx_kms_handle(f.core, &a, in);
    if (a.status != want) {
        print_error("%s: %d, %s\n", name, a.status, f.last_reason);
    }
    assert_int_equal(a.status, want);
    assert_int_equal(a.num_key_sets, 0);
    assert_int_equal(f.num_audit, 0);
    assert_int_equal(f.num_audit_calls, 0);
    assert_int_equal(f.num_refusals, refusals + 1);
    assert_true(f.last_reason[0] != '\0');
    assert_true((a.xml != NULL) == with_body);
    if (a.xml != NULL) {
        struct mcx_kmsdoc *doc = NULL;

        assert_int_equal(mcx_kmsdoc_read(&doc, mcx_bytes(a.xml, a.xml_len), NULL, NULL), MCX_OK);
        assert_int_equal(doc->kind, MCX_KMSDOC_ERROR);
        assert_int_equal(doc->error_code, want);
        assert_null(strstr(a.xml, "KmsKeySet"));
        mcx_kmsdoc_free(doc);
    }
    assert_true((a.www_authenticate != NULL) == (want == 401 || !in->auth.present || in->auth.err != MCX_OK));
    mcx_kms_answer_clear(&a);
}

static void methods(void **state)
{
    static const char *const rows[] = { "GET", "HEAD", "PUT", "DELETE", "post", "?", "" };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_in in = good(P "keyprov", "");
        struct mcx_kms_answer a;

        in.method = mcx_bytes_str(rows[i]);
        mcx_kms_handle(f.core, &a, &in);
        assert_int_equal(a.status, 405);
        assert_true(a.allow_post);
        assert_null(a.xml);
        mcx_kms_answer_clear(&a);
    }
    assert_int_equal(f.num_audit_calls, 0);
}

static void tokens(void **state)
{
    static const struct {
        const char *name;
        bool present;
        mcx_err err;
        int status;
    } rows[] = {
        { "no token", false, MCX_OK, 401 },        { "malformed", true, MCX_E_FORMAT, 401 },
        { "unknown key", true, MCX_E_NOKEY, 401 }, { "bad signature", true, MCX_E_AUTH, 401 },
        { "expired", true, MCX_E_EXPIRED, 401 },   { "wrong scope", true, MCX_E_POLICY, 403 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_in in = good(P "keyprov", kms_fake_request(P "keyprov", (struct kms_fake_body){ 0 }));

        in.auth = (struct mcx_kms_auth){ .present = rows[i].present, .err = rows[i].err, .why = { "test", "" } };
        assert_refused(rows[i].name, &in, rows[i].status, false);
        in.target = mcx_bytes_str("/elsewhere"); /* without a token nobody learns which paths there are */
        assert_refused(rows[i].name, &in, rows[i].status, false);
    }
}

static void unknown_user(void **state)
{
    struct mcx_kms_in in = good(P "init", "");

    (void)state;
    in.auth.mcptt_id = "sip:stranger@mcx.example.net";
    assert_refused("unknown user", &in, 403, true);
    in.body = mcx_bytes_str(kms_fake_request(P "init", (struct kms_fake_body){ 0 }));
    assert_refused("unknown user asks for another", &in, 403, true);
}

static void paths(void **state)
{
    static const struct {
        const char *target;
        int status;
    } rows[] = {
        { "/", 404 },
        { P "nothing", 404 },
        { P "keyprov/a/b/c", 404 },
        { P "keyprov//", 404 },
        { P "keyprov/sip%3Aunit07%40mcx.example.net%2FED529D4000000000", 403 }, /* one segment: another URI */
        { P "keyprov/%00", 400 },
        { P "keyprov/sip%3Aunit07%40mcx.example.net/ED529D400000000", 400 },
        { P "keyprov/sip%3Aunit07%40mcx.example.net/ED529D40000000000", 400 },
        { P "keyprov/SIP%3Aunit07%40mcx.example.net", 403 }, /* byte for byte */
        { P "keyprov/sip%3Aunit08%40mcx.example.net", 403 },
        { P "keyprov/sip%3Aunit08%40mcx.example.net/ED529D4000000000", 403 },
        { P "certcache/x", 400 },
        { P "cert/kms9.partner.example", 404 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_in in = good(rows[i].target, "");
        bool parsed = rows[i].status == 403 || strstr(rows[i].target, "cert/") != NULL;

        assert_refused(rows[i].target, &in, rows[i].status, parsed);
    }
    struct mcx_kms_in in = good(P "lookup/sip%3Aunit07%40mcx.example.net", "");

    assert_refused("lookup", &in, 501, true);
    in.target = mcx_bytes_str(P "redirect");
    assert_refused("redirect", &in, 501, true);
}

static void bodies(void **state)
{
    static const struct {
        const char *name;
        struct kms_fake_body body;
        int status;
    } rows[] = {
        { "foreign UserUri", { .user_uri = KMS_FAKE_OTHER }, 403 },
        { "UserUri in other case", { .user_uri = "sip:UNIT07@mcx.example.net" }, 403 },
        { "another KMS", { .kms_uri = "kms2.mcx.example.net" }, 400 },
        { "KmsUri in other case", { .kms_uri = "KMS1.mcx.example.net" }, 400 },
        { "six seconds old", { .time = KMS_FAKE_NOW - 6 }, 400 },
        { "six seconds ahead", { .time = KMS_FAKE_NOW + 6 }, 400 },
        { "yesterday", { .time = KMS_FAKE_NOW - 86400 }, 400 },
        { "other operation", { .client_req_url = "https://kms1.mcx.example.net" P "init" }, 400 },
        { "other argument", { .client_req_url = P "keyprov/sip%3Aunit07%40mcx.example.net" }, 400 },
        { "no URL", { .client_req_url = "keyprov" }, 400 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_in in = good(P "keyprov", kms_fake_request(P "keyprov", rows[i].body));

        assert_refused(rows[i].name, &in, rows[i].status, true);
    }
}

/* User A asks for keys of B by path, by UserUri, by both. */
static void keys_of_another(void **state)
{
    static const char theirs[] = P "keyprov/sip%3Aunit08%40mcx.example.net";
    static const char mine[] = P "keyprov/sip%3Aunit07%40mcx.example.net";
    struct mcx_kms_in in = good(theirs, kms_fake_request(theirs, (struct kms_fake_body){ 0 }));

    (void)state;
    assert_refused("by path", &in, 403, true);
    in = good(mine, kms_fake_request(mine, (struct kms_fake_body){ .user_uri = KMS_FAKE_OTHER }));
    assert_refused("by UserUri", &in, 403, true);
    in = good(theirs, kms_fake_request(theirs, (struct kms_fake_body){ .user_uri = KMS_FAKE_OTHER }));
    assert_refused("by both", &in, 403, true);
}

static void hostile_xml(void **state)
{
    static const char *const rows[] = {
        "<",
        "hello",
        "<KmsRequest/>",
        "<KmsRequest xmlns=\"" MCX_KMS_NS "\"/>",
        "<KmsResponse xmlns=\"" MCX_KMS_NS "\"/>",
        "<!DOCTYPE KmsRequest [<!ENTITY x \"sip:unit08@mcx.example.net\">]><KmsRequest xmlns=\"" MCX_KMS_NS
        "\"><UserUri>&x;</UserUri></KmsRequest>",
        "<!DOCTYPE KmsRequest SYSTEM \"http://192.0.2.1/x.dtd\"><KmsRequest xmlns=\"" MCX_KMS_NS "\"/>",
        "<?xml version=\"1.0\"?><KmsRequest xmlns=\"" MCX_KMS_NS "\"><UserUri>&lol;</UserUri></KmsRequest>",
        "<SignedKmsRequest xmlns=\"" MCX_KMS_NS "\"><KmsRequest Id=\"x\"/></SignedKmsRequest>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_in in = good(P "keyprov", rows[i]);

        assert_refused(rows[i], &in, 400, false);
    }
}

static void deep_and_large_xml(void **state)
{
    const size_t cap = 2 * MCX_KMS_BODY_MAX;
    char *text = calloc(1, cap);
    struct mcx_kms_in in = { 0 };
    size_t n = 0;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < 200; i++) {
        n += (size_t)snprintf(text + n, cap - n, "<a>");
    }
    for (size_t i = 0; i < 200; i++) {
        n += (size_t)snprintf(text + n, cap - n, "</a>");
    }
    in = good(P "keyprov", text);
    assert_refused("deep", &in, 400, false);
    n = (size_t)snprintf(text, cap, "%s", kms_fake_request(P "keyprov", (struct kms_fake_body){ 0 }));
    memset(text + n, ' ', MCX_KMS_BODY_MAX + 1 - n);
    text[MCX_KMS_BODY_MAX + 1] = '\0';
    in = good(P "keyprov", text);
    assert_refused("large", &in, 400, false);
    free(text);
}

/* The largest body still serves, so that the refusal above is the bound and not something else. */
static void largest_body(void **state)
{
    char *text = calloc(1, MCX_KMS_BODY_MAX + 1);
    const char *request = kms_fake_request(P "init", (struct kms_fake_body){ 0 });
    struct mcx_kms_in in = { 0 };
    struct mcx_kms_answer a;

    (void)state;
    assert_non_null(text);
    memset(text, ' ', MCX_KMS_BODY_MAX);
    memcpy(text, request, strlen(request));
    in = good(P "init", text);
    mcx_kms_handle(f.core, &a, &in);
    assert_int_equal(a.status, 200);
    mcx_kms_answer_clear(&a);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods),      cmocka_unit_test(tokens),
        cmocka_unit_test(unknown_user), cmocka_unit_test(paths),
        cmocka_unit_test(bodies),       cmocka_unit_test(keys_of_another),
        cmocka_unit_test(hostile_xml),  cmocka_unit_test(deep_and_large_xml),
        cmocka_unit_test(largest_body),
    };

    return cmocka_run_group_tests_name("kms requests refused", tests, set_up, tear_down);
}
