/* SPDX-License-Identifier: Apache-2.0 */
/* The database of the KMS: users and their URIs, External certificates, the append-only audit log, its version. */
#define _DEFAULT_SOURCE 1 /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "io/kmsdb.h"

#define A  "sip:a@a.example"
#define A2 "sip:a2@a.example"
#define B  "sip:b@a.example"

static char dir[64];
static char path[128];
static struct mcx_kmsdb *db;

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/mcx-kmsdb-XXXXXX");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/kms.db", dir);
    return mcx_kmsdb_create(path, mcx_bytes_str("<cert/>")) == MCX_OK && mcx_kmsdb_open(&db, path) == MCX_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const suffix[] = { "", "-wal", "-shm" };

    (void)state;
    mcx_kmsdb_close(db);
    for (size_t i = 0; i < 3; i++) {
        char name[160];

        (void)snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        (void)unlink(name);
    }
    return rmdir(dir);
}

/* Straight to SQLite, as somebody with a shell would do it. */
static int raw(const char *sql)
{
    sqlite3 *s = NULL;
    int rc = sqlite3_open_v2(path, &s, SQLITE_OPEN_READWRITE, NULL);

    rc = rc == SQLITE_OK ? sqlite3_exec(s, sql, NULL, NULL, NULL) : rc;
    (void)sqlite3_close(s);
    return rc;
}

static mcx_err keep_xml(void *arg, struct mcx_bytes xml)
{
    return mcx_bytes_cstr(arg, 64, xml);
}

static void count_user(void *arg, const struct mcx_kmsdb_user *user)
{
    size_t *n = arg;

    assert_true(user->user_uri[0] != '\0' && user->mcptt_id[0] != '\0');
    (*n)++;
}

static size_t num_users(void)
{
    size_t n = 0;

    assert_int_equal(mcx_kmsdb_users(db, count_user, &n), MCX_OK);
    return n;
}

static void created_once(void **state)
{
    char xml[64];

    (void)state;
    assert_int_equal(mcx_kmsdb_cert(db, keep_xml, xml), MCX_OK);
    assert_string_equal(xml, "<cert/>");
    assert_int_equal(mcx_kmsdb_create(path, mcx_bytes_str("<other/>")), MCX_E_IO);
    assert_int_equal(mcx_kmsdb_cert(db, keep_xml, xml), MCX_OK);
    assert_string_equal(xml, "<cert/>");
}

static void other_versions_are_refused(void **state)
{
    struct mcx_kmsdb *other = NULL;

    (void)state;
    assert_int_equal(raw("PRAGMA user_version = 2"), SQLITE_OK);
    assert_int_equal(mcx_kmsdb_open(&other, path), MCX_E_UNSUP);
    assert_int_equal(raw("PRAGMA user_version = 0"), SQLITE_OK);
    assert_int_equal(mcx_kmsdb_open(&other, path), MCX_E_UNSUP);
    assert_int_equal(mcx_kmsdb_open(&other, "/nonexistent/kms.db"), MCX_E_IO);
    assert_null(other);
}

static void users_and_identities(void **state)
{
    struct mcx_kms_store s = mcx_kmsdb_store(db);
    struct mcx_kms_identities *ids = calloc(1, sizeof *ids);

    (void)state;
    assert_non_null(ids);
    assert_int_equal(s.identities(s.ctx, ids, A), MCX_E_NOKEY);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, A, A, 1), MCX_OK);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, A2, A, 2), MCX_OK);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, A2, A, 3), MCX_OK); /* nothing new */
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_SERVER, B, B, 4), MCX_OK);
    assert_int_equal(num_users(), 3);
    assert_int_equal(s.identities(s.ctx, ids, A), MCX_OK);
    assert_int_equal(ids->num, 2);
    assert_string_equal(ids->uri[0], A);
    assert_string_equal(ids->uri[1], A2);
    assert_int_equal(s.identities(s.ctx, ids, "sip:A@a.example"), MCX_E_NOKEY); /* octet by octet */
    assert_int_equal(s.identities(s.ctx, ids, A2), MCX_E_NOKEY);                /* an identity is not an account */
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, A2, B, 5), MCX_E_POLICY);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_GMS, "sip:c@a.example", B, 5), MCX_E_POLICY);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, A2, "sip:new@a.example", 5), MCX_E_POLICY);
    assert_int_equal(num_users(), 3); /* the refused ones left nothing */
    assert_int_equal(mcx_kmsdb_user_remove(db, "sip:nobody@a.example"), MCX_E_NOKEY);
    assert_int_equal(mcx_kmsdb_user_remove(db, A), MCX_OK);
    assert_int_equal(s.identities(s.ctx, ids, A), MCX_OK);
    assert_int_equal(ids->num, 1);
    assert_int_equal(mcx_kmsdb_user_remove(db, A2), MCX_OK);
    assert_int_equal(s.identities(s.ctx, ids, A), MCX_E_NOKEY);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_GMS, A, A, 6), MCX_OK); /* the account was gone, kind and all */
    free(ids);
}

static void bound_of_identities(void **state)
{
    char uri[64];

    (void)state;
    for (int i = 0; i < MCX_KMS_MAX_IDENTITIES; i++) {
        (void)snprintf(uri, sizeof uri, "sip:a%d@a.example", i);
        assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, uri, A, 1), MCX_OK);
    }
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, "sip:more@a.example", A, 1), MCX_E_SPACE);
    assert_int_equal(num_users(), MCX_KMS_MAX_IDENTITIES);
}

/* SQL in a name stays a name. */
static void hostile_names(void **state)
{
    static const char evil[] = "sip:x');DROP/**/TABLE/**/audit;--@a.example";
    struct mcx_kms_store s = mcx_kmsdb_store(db);
    struct mcx_kms_identities *ids = calloc(1, sizeof *ids);

    (void)state;
    assert_non_null(ids);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, evil, evil, 1), MCX_OK);
    assert_int_equal(s.identities(s.ctx, ids, evil), MCX_OK);
    assert_string_equal(ids->uri[0], evil);
    assert_int_equal(raw("SELECT count(*) FROM audit"), SQLITE_OK);
    free(ids);
}

struct seen {
    size_t num;
    char last[64];
    mcx_err err;
};

static mcx_err see(void *arg, struct mcx_bytes xml)
{
    struct seen *seen = arg;

    seen->num++;
    return seen->err != MCX_OK ? seen->err : mcx_bytes_cstr(seen->last, sizeof seen->last, xml);
}

static void external_certificates(void **state)
{
    struct mcx_kms_store s = mcx_kmsdb_store(db);
    struct seen seen = { 0 };
    uint64_t num = 9;
    char name[32];

    (void)state;
    assert_int_equal(s.external(s.ctx, &num, see, &seen), MCX_OK);
    assert_true(num == 0 && seen.num == 0);
    assert_int_equal(mcx_kmsdb_external_add(db, "cert1.x", mcx_bytes_str("<one/>")), MCX_OK);
    assert_int_equal(mcx_kmsdb_external_add(db, "cert1.x", mcx_bytes_str("<two/>")), MCX_OK); /* replaces */
    assert_int_equal(s.external(s.ctx, &num, see, &seen), MCX_OK);
    assert_true(num == 2 && seen.num == 1);
    assert_string_equal(seen.last, "<two/>");
    seen.err = MCX_E_FORMAT;
    assert_int_equal(s.external(s.ctx, &num, see, &seen), MCX_E_FORMAT);
    for (int i = 1; i < MCX_KMS_MAX_EXTERNAL; i++) {
        (void)snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(mcx_kmsdb_external_add(db, name, mcx_bytes_str("<x/>")), MCX_OK);
    }
    assert_int_equal(mcx_kmsdb_external_add(db, "one-more", mcx_bytes_str("<x/>")), MCX_E_SPACE);
    assert_int_equal(mcx_kmsdb_external_add(db, "c1", mcx_bytes_str("<y/>")),
                     MCX_OK); /* replacing is always possible */
    seen = (struct seen){ 0 };
    assert_int_equal(s.external(s.ctx, &num, see, &seen), MCX_OK);
    assert_int_equal(seen.num, MCX_KMS_MAX_EXTERNAL);
    assert_true(num == MCX_KMS_MAX_EXTERNAL + 2); /* each change, no refused one */
}

static void check_audit(void *arg, const struct mcx_kmsdb_audit *a)
{
    size_t *n = arg;

    (*n)++;
    assert_true(a->seq == *n);
    assert_string_equal(a->rec.request_id, "0123456789abcdef");
    assert_true(a->rec.uid[0] == *n);
    assert_true(a->rec.period_no == 6580 + *n);
}

static void audit_is_append_only(void **state)
{
    struct mcx_kms_store s = mcx_kmsdb_store(db);
    uint8_t uid[2][MCX_UID_LEN] = { { 1 }, { 2 } };
    struct mcx_kms_audit rec[2] = {
        { .request_id = "0123456789abcdef", .mcptt_id = A, .user_uri = A, .uid = uid[0], .period_no = 6581 },
        { .request_id = "0123456789abcdef", .mcptt_id = A, .user_uri = A2, .uid = uid[1], .period_no = 6582 },
    };
    size_t n = 0;

    (void)state;
    assert_int_equal(s.audit(s.ctx, rec, 2), MCX_OK);
    assert_int_not_equal(raw("DELETE FROM audit"), SQLITE_OK);
    assert_int_not_equal(raw("UPDATE audit SET mcptt_id = 'x'"), SQLITE_OK);
    rec[1].request_id = NULL; /* NOT NULL: the second of two fails, so neither stays */
    assert_int_equal(s.audit(s.ctx, rec, 2), MCX_E_IO);
    assert_int_equal(mcx_kmsdb_audits(db, check_audit, &n), MCX_OK);
    assert_int_equal(n, 2);
    rec[1].request_id = rec[0].request_id; /* and the store goes on working */
    uid[0][0] = 3;
    rec[0].period_no = 6583;
    assert_int_equal(s.audit(s.ctx, rec, 1), MCX_OK);
    n = 0;
    assert_int_equal(mcx_kmsdb_audits(db, check_audit, &n), MCX_OK);
    assert_int_equal(n, 3);
}

/* A database that cannot be written, as on a full disk or behind somebody's lock, gives an error and no record. */
static void audit_that_cannot_be_written(void **state)
{
    struct mcx_kms_store s = mcx_kmsdb_store(db);
    uint8_t uid[MCX_UID_LEN] = { 1 };
    struct mcx_kms_audit rec = { .request_id = "0123456789abcdef", .mcptt_id = A, .user_uri = A, .uid = uid };
    size_t n = 0;

    (void)state;
    assert_int_equal(raw("DROP TABLE audit"), SQLITE_OK);
    assert_int_equal(s.audit(s.ctx, &rec, 1), MCX_E_IO);
    assert_int_equal(mcx_kmsdb_audits(db, check_audit, &n), MCX_E_IO);
    assert_int_equal(n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(created_once),         TEST(other_versions_are_refused),
        TEST(users_and_identities), TEST(bound_of_identities),
        TEST(hostile_names),        TEST(external_certificates),
        TEST(audit_is_append_only), TEST(audit_that_cannot_be_written),
    };

    return cmocka_run_group_tests_name("kms database", tests, NULL, NULL);
}
