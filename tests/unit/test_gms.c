/* SPDX-License-Identifier: Apache-2.0 */
/* src/gms: sealed keys, times, octets between processes, documents over HTTP. */
#define _DEFAULT_SOURCE 1 /* strdup */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "gms/key.h"
#include "gms/payload.h"
#include "gms/timing.h"
#include "gms/xcap.h"

#define GROUP "sip:fire@example.org"
#define ALICE "sip:alice@example.org"

static const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN] = { 1, 2, 3 };

static void sealed_keys(void **state)
{
    struct mcx_rng rng = mcx_rng_system();
    uint8_t sealed[MCX_GMS_SEALED_LEN];
    uint8_t other[MCX_GMS_SEAL_KEY_LEN] = { 9 };
    struct mcx_gms_key key;
    struct mcx_gms_key back;
    const struct mcx_gms_key none = { 0 };
    struct mcx_bytes all = mcx_bytes(sealed, sizeof sealed);

    (void)state;
    assert_int_equal(mcx_gms_key_draw(&key, MCX_KEY_PCK, &rng), MCX_E_ARG);
    assert_int_equal(mcx_gms_key_draw(&key, MCX_KEY_MKFC, &rng), MCX_OK);
    assert_int_equal(key.key_id >> 28, 4);
    assert_int_equal(mcx_gms_key_seal(sealed, &key, seal_key, &rng), MCX_OK);
    assert_int_equal(mcx_gms_key_open(&back, all, MCX_KEY_MKFC, key.key_id, seal_key), MCX_OK);
    assert_memory_equal(&back, &key, sizeof key);
    assert_int_equal(mcx_gms_key_open(&back, all, MCX_KEY_MKFC, key.key_id ^ 1, seal_key), MCX_E_AUTH);
    assert_memory_equal(back.key.octet, none.key.octet, MCX_KEY_LEN);
    assert_int_equal(mcx_gms_key_open(&back, all, MCX_KEY_GMK, key.key_id, seal_key), MCX_E_AUTH);
    assert_int_equal(mcx_gms_key_open(&back, all, MCX_KEY_MKFC, key.key_id, other), MCX_E_AUTH);
    all.len--;
    assert_int_equal(mcx_gms_key_open(&back, all, MCX_KEY_MKFC, key.key_id, seal_key), MCX_E_TRUNC);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 0x10;
        assert_int_not_equal(
            mcx_gms_key_open(&back, mcx_bytes(sealed, sizeof sealed), MCX_KEY_MKFC, key.key_id, seal_key), MCX_OK);
        sealed[i] ^= 0x10;
    }
}

static void times(void **state)
{
    const struct mcx_gms_timing t = { .fetch_window_s = 30, .urgent_window_s = 5, .key_lifetime_s = 1000 };

    (void)state;
    assert_int_equal(mcx_gms_expected_s(0, 10000), 0);
    assert_int_equal(mcx_gms_expected_s(1, 1), 1);
    assert_int_equal(mcx_gms_expected_s(10000, 10000), 100);
    assert_true(mcx_gms_expected_s(UINT64_MAX, 2) > 0);
    /* window + work + half of it + one second, doubled at each try */
    assert_int_equal(mcx_gms_activation(&t, false, 1000, 100, 0), 1000 + 30 + 100 + 50 + 1);
    assert_int_equal(mcx_gms_activation(&t, true, 1000, 0, 0), 1000 + 5 + 1);
    assert_int_equal(mcx_gms_activation(&t, true, 1000, 0, 3), 1000 + 5 + 8);
    assert_int_equal(mcx_gms_activation(&t, true, 1000, 0, 60), 1000 + 5 + 4096);
    assert_int_equal(mcx_gms_lead_s(&t, 100), 100 + 30 + 100 + 50 + 1);
    assert_true(mcx_gms_in_time(&t, false, 1000, 1030));
    assert_false(mcx_gms_in_time(&t, false, 1000, 1029));
    assert_true(mcx_gms_in_time(&t, true, 1000, 1005));
    assert_int_equal(mcx_gms_expiry(&t, 5000), 6000);
    assert_int_equal(mcx_gms_expiry(&(struct mcx_gms_timing){ 0 }, 5000), 0);
}

static void jobs_between_processes(void **state)
{
    static uint8_t buf[MCX_GMS_JOB_MAX];
    static struct mcx_gms_job_strings strings;
    struct mcx_gms_job job = { .id = 77,
                               .t_ms = 5,
                               .activation = 6,
                               .expiry = 7,
                               .status = 1,
                               .sakke_to_self = true,
                               .gms = "sip:gms@example.org",
                               .member = ALICE,
                               .num_groups = 2,
                               .group = { GROUP, "sip:police@example.org" } };
    struct mcx_gms_job back;
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    job.key.type = MCX_KEY_GMK;
    job.key.key_id = 0x0abcdef0;
    memset(job.key.key.octet, 0x5a, MCX_KEY_LEN);
    assert_int_equal(mcx_gms_job_write(&wr, &job), MCX_OK);
    assert_int_equal(mcx_gms_job_read(&back, &strings, mcx_wr_done(&wr)), MCX_OK);
    assert_int_equal(back.id, 77);
    assert_int_equal(back.key.key_id, 0x0abcdef0);
    assert_memory_equal(back.key.key.octet, job.key.key.octet, MCX_KEY_LEN);
    assert_string_equal(back.member, ALICE);
    assert_int_equal(back.num_groups, 2);
    assert_string_equal(back.group[1], "sip:police@example.org");
    assert_true(back.sakke_to_self);
    for (size_t n = 0; n < wr.len; n++) { /* never beyond the end */
        assert_int_not_equal(mcx_gms_job_read(&back, &strings, mcx_bytes(buf, n)), MCX_OK);
        assert_true(mcx_ct_equal(back.key.key.octet, (uint8_t[MCX_KEY_LEN]){ 0 }, MCX_KEY_LEN)); /* nothing is left */
    }
}

static void results_between_processes(void **state)
{
    static uint8_t buf[MCX_GMS_RESULT_MAX];
    struct mcx_gms_result r = { .id = 3, .t_ms = 4, .err = MCX_E_NOKEY, .reason = "why", .kms = "kms.example.org" };
    struct mcx_gms_result back;
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    r.message = mcx_bytes("abc", 3);
    assert_int_equal(mcx_gms_result_write(&wr, &r), MCX_OK);
    assert_int_equal(mcx_gms_result_read(&back, mcx_wr_done(&wr)), MCX_OK);
    assert_int_equal(back.err, MCX_E_NOKEY);
    assert_string_equal(back.reason, "why");
    assert_string_equal(back.kms, "kms.example.org");
    assert_true(mcx_bytes_is(back.message, "abc"));
    for (size_t n = 0; n < wr.len; n++) {
        assert_int_not_equal(mcx_gms_result_read(&back, mcx_bytes(buf, n)), MCX_OK);
    }
}

static void entity_tags(void **state)
{
    static const struct {
        const char *header;
        bool want;
    } cases[] = {
        { NULL, false },
        { "", false },
        { "*", true },
        { "\"abc\"", true },
        { "W/\"abc\"", true },
        { "\"x\", \"abc\"", true },
        { "\"x\",W/\"abc\" ", true },
        { "abc", false },
        { "\"abcd\"", false },
        { "\"ab\"", false },
        { "\"abc", false },
        { "\"x\" junk \"abc\"", false },
        { ",,\"abc\"", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mcx_gms_etag_matches(cases[i].header, "abc"), cases[i].want);
    }
}

/* Documents */

struct shelf {
    mcx_err err;
    mcx_err delivered_err;
    unsigned num_delivered;
    bool server;
};

static mcx_err shelf_document(void *ctx, char **xml, size_t *len, char etag[MCX_GMS_ETAG_MAX],
                              enum mcx_gms_document document, const char *group, const char *user, bool server,
                              uint64_t now_ms)
{
    struct shelf *s = ctx;

    (void)now_ms;
    assert_string_equal(group, GROUP);
    assert_string_equal(user, ALICE);
    s->server = server;
    if (s->err != MCX_OK) {
        return s->err;
    }
    *xml = strdup(document == MCX_GMS_DOC_GKTP ? "<gktp/>" : "<group/>");
    *len = strlen(*xml);
    strcpy(etag, "e1");
    return MCX_OK;
}

static mcx_err shelf_delivered(void *ctx, enum mcx_gms_document document, const char *group, const char *user,
                               const char *etag, uint64_t now_ms)
{
    struct shelf *s = ctx;

    (void)document;
    (void)group;
    (void)user;
    (void)now_ms;
    assert_string_equal(etag, "e1");
    s->num_delivered++;
    return s->delivered_err;
}

#define PATH "/org.3gpp.MCPTT-GKTP/global/byGroupID/sip:fire%40example.org"

static void documents(void **state)
{
    static const struct {
        const char *method, *target, *if_none_match;
        bool has_token;
        mcx_err token_err, err, delivered_err;
        int want;
        unsigned delivered;
    } cases[] = {
        { "GET", PATH, NULL, true, MCX_OK, MCX_OK, MCX_OK, 200, 1 },
        { "GET", "/org.openmobilealliance.groups/global/byGroupID/sip%3Afire%40example.org", NULL, true, MCX_OK, MCX_OK,
          MCX_OK, 200, 1 },
        { "GET", PATH, "\"e1\"", true, MCX_OK, MCX_OK, MCX_OK, 304, 1 },
        { "GET", PATH, "\"e0\"", true, MCX_OK, MCX_OK, MCX_OK, 200, 1 },
        { "PUT", PATH, NULL, true, MCX_OK, MCX_OK, MCX_OK, 405, 0 },
        { "GET", PATH, NULL, false, MCX_OK, MCX_OK, MCX_OK, 401, 0 },
        { "GET", PATH, NULL, true, MCX_E_AUTH, MCX_OK, MCX_OK, 401, 0 },
        { "GET", PATH, NULL, true, MCX_E_EXPIRED, MCX_OK, MCX_OK, 401, 0 },
        { "GET", PATH, NULL, true, MCX_E_POLICY, MCX_OK, MCX_OK, 401, 0 },
        { "GET", PATH, NULL, true, MCX_OK, MCX_E_POLICY, MCX_OK, 403, 0 },
        { "GET", PATH, NULL, true, MCX_OK, MCX_E_NOKEY, MCX_OK, 404, 0 },
        { "GET", PATH, NULL, true, MCX_OK, MCX_E_IO, MCX_OK, 503, 0 },
        { "GET", PATH, NULL, true, MCX_OK, MCX_OK, MCX_E_IO, 503, 1 }, /* not recorded: not given */
        { "GET", PATH "?x", NULL, true, MCX_OK, MCX_OK, MCX_OK, 404, 0 },
        { "GET", PATH "/~~/group", NULL, true, MCX_OK, MCX_OK, MCX_OK, 404, 0 },
        { "GET", "/", NULL, true, MCX_OK, MCX_OK, MCX_OK, 404, 0 },
        { "GET", "/org.3gpp.other/global/byGroupID/sip:fire%40example.org", NULL, true, MCX_OK, MCX_OK, MCX_OK, 404,
          0 },
    };
    static struct mcx_gms_xcap xcap;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct shelf shelf = { .err = cases[i].err, .delivered_err = cases[i].delivered_err };
        const struct mcx_gms_xcap_config c = { .docs = { &shelf, shelf_document, shelf_delivered, NULL } };
        const struct mcx_gms_xcap_in in = { .method = cases[i].method,
                                            .target = cases[i].target,
                                            .if_none_match = cases[i].if_none_match,
                                            .has_token = cases[i].has_token,
                                            .token_err = cases[i].token_err,
                                            .user = cases[i].has_token && cases[i].token_err == MCX_OK ? ALICE : NULL,
                                            .peer = "127.0.0.1" };
        struct mcx_gms_answer a;

        mcx_gms_xcap_init(&xcap, &c);
        mcx_gms_xcap_handle(&xcap, &a, &in);
        assert_int_equal(a.status, cases[i].want);
        assert_int_equal(shelf.num_delivered, cases[i].delivered);
        assert_int_equal(a.body != NULL, a.status == 200);
        assert_int_equal(a.www_authenticate != NULL, a.status == 401);
        free(a.body);
    }
}

static void mcptt_servers_and_floods(void **state)
{
    static const char *const servers[] = { ALICE };
    struct shelf shelf = { 0 };
    struct mcx_gms_xcap_config c = { .docs = { &shelf, shelf_document, shelf_delivered, NULL },
                                     .servers = servers,
                                     .num_servers = 1,
                                     .refusals_per_minute = 2 };
    struct mcx_gms_xcap_in in = {
        .method = "GET", .target = PATH, .has_token = true, .user = ALICE, .peer = "127.0.0.1", .mono_ms = 1000
    };
    static struct mcx_gms_xcap xcap;
    struct mcx_gms_answer a;

    (void)state;
    mcx_gms_xcap_init(&xcap, &c);
    mcx_gms_xcap_handle(&xcap, &a, &in);
    assert_int_equal(a.status, 200);
    assert_true(shelf.server);
    free(a.body);
    in.has_token = false;
    in.user = NULL;
    for (int i = 0; i < 4; i++) {
        mcx_gms_xcap_handle(&xcap, &a, &in);
        assert_int_equal(a.status, i < 2 ? 401 : 429);
        assert_int_equal(a.retry_after_s != 0, i >= 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_keys),
        cmocka_unit_test(times),
        cmocka_unit_test(jobs_between_processes),
        cmocka_unit_test(results_between_processes),
        cmocka_unit_test(entity_tags),
        cmocka_unit_test(documents),
        cmocka_unit_test(mcptt_servers_and_floods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
