/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that the database of the KMS does, while the n-th allocation or write fails, for every n: an error with
 * nothing changed and no part of a row handed out, or the whole; nothing leaks; afterwards it works. In sanitized
 * builds, where malloc cannot be replaced, only the allocations of SQLite fail.
 */
#define _DEFAULT_SOURCE 1 /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/kmsdb.h"
#include "support/failing_sqlite.h"

#define ALICE  "sip:alice@example.org"
#define ALICE2 "sip:alice.second@example.org"
#define BOB    "sip:bob@example.org"
#define LONG   "sip:a.name.that.fills.more.than.the.room.that.a.row.has.for.small.values.of.text@example.org"

static char dir[64];
static char path[80];
static uint64_t rows_read; /* hash of all that was handed out; 0 = nothing */

static uint64_t hash(uint64_t h, const void *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(1099511628211);
    }
    return (h ^ 0x100) * UINT64_C(1099511628211);
}

/* No column is empty in this database: "" would be text for which there was no memory. */
static void take(const char *text)
{
    assert_true(text != NULL && text[0] != '\0');
    rows_read = hash(rows_read, text, strlen(text));
}

static mcx_err take_xml(void *arg, struct mcx_bytes xml)
{
    (void)arg;
    assert_true(xml.p != NULL && xml.len != 0);
    rows_read = hash(rows_read, xml.p, xml.len);
    return MCX_OK;
}

static void take_user(void *arg, const struct mcx_kmsdb_user *user)
{
    (void)arg;
    take(user->user_uri);
    take(user->mcptt_id);
    take(user->kind);
}

static void take_audit(void *arg, const struct mcx_kmsdb_audit *a)
{
    (void)arg;
    take(a->rec.request_id);
    take(a->rec.mcptt_id);
    take(a->rec.user_uri);
    assert_non_null(a->rec.uid);
    rows_read = hash(rows_read, a->rec.uid, MCX_UID_LEN);
}

/* What is done */

static mcx_err op_cert(struct mcx_kmsdb *db)
{
    return mcx_kmsdb_cert(db, take_xml, NULL);
}

static mcx_err op_new_account(struct mcx_kmsdb *db)
{
    return mcx_kmsdb_user_add(db, MCX_KMSDB_USER, BOB, BOB, 3);
}

static mcx_err op_second_identity(struct mcx_kmsdb *db)
{
    return mcx_kmsdb_user_add(db, MCX_KMSDB_USER, ALICE2, ALICE, 3);
}

static mcx_err op_remove(struct mcx_kmsdb *db)
{
    return mcx_kmsdb_user_remove(db, LONG);
}

static mcx_err op_users(struct mcx_kmsdb *db)
{
    return mcx_kmsdb_users(db, take_user, NULL);
}

static mcx_err op_external_add(struct mcx_kmsdb *db)
{
    return mcx_kmsdb_external_add(db, "cert2.example.com", mcx_bytes_str("<more/>"));
}

static mcx_err op_audits(struct mcx_kmsdb *db)
{
    return mcx_kmsdb_audits(db, take_audit, NULL);
}

static mcx_err op_identities(struct mcx_kmsdb *db)
{
    struct mcx_kms_store store = mcx_kmsdb_store(db);
    static struct mcx_kms_identities ids;
    mcx_err err = store.identities(store.ctx, &ids, LONG);

    for (size_t i = 0; err == MCX_OK && i < ids.num; i++) {
        take(ids.uri[i]);
    }
    return err;
}

static mcx_err op_external(struct mcx_kmsdb *db)
{
    struct mcx_kms_store store = mcx_kmsdb_store(db);
    uint64_t num = 0;
    mcx_err err = store.external(store.ctx, &num, take_xml, NULL);

    assert_true(err != MCX_OK || num == 1);
    return err;
}

static mcx_err op_audit(struct mcx_kmsdb *db)
{
    static const uint8_t uid[MCX_UID_LEN] = { 7 };
    const struct mcx_kms_audit rec[] = {
        { "0123456789abcdef", ALICE, ALICE, uid, 6581, 5 },
        { "0123456789abcdef", ALICE, LONG, uid, 6582, 5 },
    };
    struct mcx_kms_store store = mcx_kmsdb_store(db);

    return store.audit(store.ctx, rec, 2);
}

static const struct op {
    const char *name;
    bool reads; /* changes nothing: lock and disk do not matter */
    mcx_err (*run)(struct mcx_kmsdb *db);
} ops[] = {
    { "certificate", true, op_cert },
    { "new account", false, op_new_account },
    { "second identity", false, op_second_identity },
    { "remove", false, op_remove },
    { "users", true, op_users },
    { "add an External certificate", false, op_external_add },
    { "audit log", true, op_audits },
    { "identities", true, op_identities },
    { "External certificates", true, op_external },
    { "audit records", false, op_audit },
};
#define NUM_OPS (sizeof ops / sizeof ops[0])

/* The place */

static struct mcx_kmsdb *fresh(void)
{
    struct mcx_kmsdb *db = NULL;

    strcpy(dir, "/tmp/mcx-kmsdb-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/kms.db", dir);
    assert_int_equal(mcx_kmsdb_create(path, mcx_bytes_str("<cert/>")), MCX_OK);
    assert_int_equal(mcx_kmsdb_open(&db, path), MCX_OK);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_USER, ALICE, ALICE, 1), MCX_OK);
    assert_int_equal(mcx_kmsdb_user_add(db, MCX_KMSDB_SERVER, LONG, LONG, 2), MCX_OK);
    assert_int_equal(mcx_kmsdb_external_add(db, "cert1.example.com", mcx_bytes_str("<one/>")), MCX_OK);
    assert_int_equal(op_audit(db), MCX_OK);
    return db;
}

static void done(struct mcx_kmsdb *db)
{
    static const char *const suffix[] = { "", "-wal", "-shm" };
    char name[96];

    mcx_kmsdb_close(db);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        (void)unlink(name);
    }
    assert_int_equal(rmdir(dir), 0);
}

/* All that is in the database, by another connection: what is not committed is not there. */
static uint64_t content(void)
{
    static const char *const tables[] = { "kms", "account", "identity", "external", "audit" };
    uint64_t h = 0;
    sqlite3 *other = NULL;

    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        sqlite3_stmt *s = NULL;
        char sql[64];

        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1", tables[i]);
        assert_int_equal(sqlite3_prepare_v2(other, sql, -1, &s, NULL), SQLITE_OK);
        while (sqlite3_step(s) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(s); c++) {
                const void *v = sqlite3_column_blob(s, c);

                h = hash(h, v, (size_t)sqlite3_column_bytes(s, c));
            }
        }
        assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    return h;
}

static void arm(size_t alloc, size_t write)
{
    num_allocs = num_writes = 0;
    fail_at = alloc;
    fail_write = write;
}

/* One try with the n-th failing, then one without. @return whether there was an n-th */
static bool failing(const struct op *op, bool disk, size_t n, uint64_t whole, size_t *num_failed)
{
    long live = num_live;
    struct mcx_kmsdb *db = fresh();
    const uint64_t before = content();
    bool reached = false;
    mcx_err err = MCX_OK;

    rows_read = 0;
    arm(disk ? 0 : n, disk ? n : 0);
    err = op->run(db);
    reached = (disk ? num_writes : num_allocs) >= n;
    arm(0, 0);
    if (err != MCX_OK && (err != (disk ? MCX_E_IO : MCX_E_NOMEM) || content() != before)) {
        fail_msg("%s: %s at %zu, or something has changed", op->name, mcx_err_name(err), n);
    }
    if (err == MCX_OK && (rows_read != whole || (!op->reads && content() == before))) {
        fail_msg("%s: no error at %zu, but not all of it", op->name, n);
    }
    if (err != MCX_OK) {
        *num_failed += 1;
        rows_read = 0;
        assert_int_equal(op->run(db), MCX_OK);
        assert_true(rows_read == whole);
    }
    done(db);
    if (num_live > live) {
        fail_msg("%s: at %zu: %ld pieces are left", op->name, n, num_live - live);
    }
    return reached;
}

static void every(const struct op *op, bool disk)
{
    size_t num_failed = 0;
    size_t n = 1;
    uint64_t whole = 0;
    struct mcx_kmsdb *db = fresh();

    rows_read = 0;
    assert_int_equal(op->run(db), MCX_OK);
    whole = rows_read;
    done(db);
    while (failing(op, disk, n, whole, &num_failed)) {
        n += n < 24 ? 1 : 5;
        assert_true(n < 500);
    }
    if (n > 6 && num_failed == 0) {
        fail_msg("%s: nothing has failed", op->name);
    }
}

static void every_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_OPS; i++) {
        every(&ops[i], false);
    }
}

static void every_write(void **state)
{
    static const int codes[] = { SQLITE_FULL, SQLITE_IOERR_WRITE };

    (void)state;
    for (size_t i = 0; i < NUM_OPS; i++) {
        write_code = codes[i % 2];
        if (!ops[i].reads) {
            every(&ops[i], true);
        }
    }
}

/* Opening and making anew: an error, nothing left, and then it works. */
static void opened(void **state)
{
    bool reached = true;

    (void)state;
    done(fresh());
    for (size_t n = 1; reached; n += n < 24 ? 1 : 5) {
        long live = num_live;
        struct mcx_kmsdb *db = fresh();
        mcx_err err = MCX_OK;

        mcx_kmsdb_close(db);
        db = NULL;
        arm(n, 0);
        err = mcx_kmsdb_open(&db, path);
        reached = num_allocs >= n;
        arm(0, 0);
        if ((err == MCX_OK) != (db != NULL) || (err != MCX_OK && err != MCX_E_NOMEM)) {
            fail_msg("open: %s at %zu", mcx_err_name(err), n);
        }
        mcx_kmsdb_close(db);
        assert_int_equal(mcx_kmsdb_open(&db, path), MCX_OK);
        done(db);
        if (num_live > live) {
            fail_msg("open: %s at %zu: %ld pieces are left", mcx_err_name(err), n, num_live - live);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation),
        cmocka_unit_test(every_write),
        cmocka_unit_test(opened),
    };

    failing_sqlite();
    return cmocka_run_group_tests_name("kms database without memory and disk", tests, NULL, NULL);
}
