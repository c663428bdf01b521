/* SPDX-License-Identifier: Apache-2.0 */
#include "io/kmsdb.h"

#include "io/kmsdb_schema.h"
#include "io/sqlite.h"

#include <stdlib.h>
#include <string.h>

#define BUSY_MS 5000

enum {
    Q_BEGIN,
    Q_BEGIN_READ,
    Q_COMMIT,
    Q_ROLLBACK,
    Q_CERT_SET,
    Q_CERT,
    Q_CACHE_NUM,
    Q_CACHE_NUM_UP,
    Q_IDENTITIES,
    Q_ACCOUNT,
    Q_ACCOUNT_ADD,
    Q_ACCOUNT_SIZE,
    Q_ACCOUNT_DROP_EMPTY,
    Q_OWNER,
    Q_IDENTITY_ADD,
    Q_IDENTITY_DROP,
    Q_USERS,
    Q_EXTERNAL,
    Q_EXTERNAL_COUNT,
    Q_EXTERNAL_PUT,
    Q_AUDIT_ADD,
    Q_AUDITS,
    NUM_QUERIES
};

/* Every statement of this program, prepared when the database is opened. */
static const char *const sql[NUM_QUERIES] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_BEGIN_READ] = "BEGIN",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_CERT_SET] = "INSERT INTO kms (id, cert_xml) VALUES (1, ?1)",
    [Q_CERT] = "SELECT cert_xml FROM kms WHERE id = 1",
    [Q_CACHE_NUM] = "SELECT cache_num FROM kms WHERE id = 1",
    [Q_CACHE_NUM_UP] = "UPDATE kms SET cache_num = cache_num + 1 WHERE id = 1",
    [Q_IDENTITIES] = "SELECT i.uri FROM identity i JOIN account a ON a.id = i.account WHERE a.mcptt_id = ?1 "
                     "ORDER BY i.created_ms, i.uri",
    [Q_ACCOUNT] = "SELECT id, kind FROM account WHERE mcptt_id = ?1",
    [Q_ACCOUNT_ADD] = "INSERT INTO account (mcptt_id, kind, created_ms) VALUES (?1, ?2, ?3)",
    [Q_ACCOUNT_SIZE] = "SELECT count(*) FROM identity WHERE account = ?1",
    [Q_ACCOUNT_DROP_EMPTY] = "DELETE FROM account WHERE id NOT IN (SELECT account FROM identity)",
    [Q_OWNER] = "SELECT account FROM identity WHERE uri = ?1",
    [Q_IDENTITY_ADD] = "INSERT INTO identity (uri, account, created_ms) VALUES (?1, ?2, ?3)",
    [Q_IDENTITY_DROP] = "DELETE FROM identity WHERE uri = ?1",
    [Q_USERS] = "SELECT i.uri, a.mcptt_id, a.kind FROM identity i JOIN account a ON a.id = i.account ORDER BY i.uri",
    [Q_EXTERNAL] = "SELECT xml FROM external ORDER BY name",
    [Q_EXTERNAL_COUNT] = "SELECT count(*) FROM external WHERE name <> ?1",
    [Q_EXTERNAL_PUT] = "INSERT INTO external (name, xml) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET xml = ?2",
    [Q_AUDIT_ADD] = "INSERT INTO audit (time_ms, request_id, mcptt_id, user_uri, uid, period_no) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_AUDITS] = "SELECT seq, time_ms, request_id, mcptt_id, user_uri, uid, period_no FROM audit ORDER BY seq",
};

struct mcx_kmsdb {
    sqlite3 *sqlite;
    sqlite3_stmt *stmt[NUM_QUERIES];
};

const char *mcx_kmsdb_kind_name(enum mcx_kmsdb_kind kind)
{
    static const char *const names[] = { "user", "server", "gms" };

    return (unsigned)kind < 3 ? names[kind] : "unknown";
}

static int64_t as_int(uint64_t v)
{
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

/* A statement ready for its first step. */
static sqlite3_stmt *fresh(struct mcx_kmsdb *db, int q)
{
    sqlite3_stmt *s = db->stmt[q];

    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return s;
}

static mcx_err bind_text(sqlite3_stmt *s, int at, const char *text)
{
    return sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC) == SQLITE_OK ? MCX_OK : MCX_E_NOMEM;
}

static mcx_err bind_blob(sqlite3_stmt *s, int at, struct mcx_bytes b)
{
    return sqlite3_bind_blob64(s, at, b.p, b.len, SQLITE_STATIC) == SQLITE_OK ? MCX_OK : MCX_E_NOMEM;
}

static mcx_err bind_int(sqlite3_stmt *s, int at, uint64_t v)
{
    return sqlite3_bind_int64(s, at, as_int(v)) == SQLITE_OK ? MCX_OK : MCX_E_NOMEM;
}

/* Run a statement that gives no rows. */
static mcx_err finish(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    (void)sqlite3_reset(s);
    return rc == SQLITE_ROW ? MCX_E_BUG : mcx_sqlite_err(rc);
}

static mcx_err begin(struct mcx_kmsdb *db)
{
    return finish(fresh(db, Q_BEGIN));
}

/* Commit when all went well, else roll back and pass the first error on. */
static mcx_err end(struct mcx_kmsdb *db, mcx_err err)
{
    if (err == MCX_OK) {
        err = finish(fresh(db, Q_COMMIT));
    }
    if (err != MCX_OK && sqlite3_get_autocommit(db->sqlite) == 0 && finish(fresh(db, Q_ROLLBACK)) != MCX_OK) {
        return MCX_E_IO;
    }
    return err;
}

/* First column of the one row. @retval MCX_E_NOKEY no row */
static mcx_err one_int(sqlite3_stmt *s, int64_t *out)
{
    int rc = sqlite3_step(s);

    if (rc == SQLITE_ROW) {
        *out = sqlite3_column_int64(s, 0);
    }
    (void)sqlite3_reset(s);
    return rc == SQLITE_DONE ? MCX_E_NOKEY : mcx_sqlite_err(rc);
}

static const char *text_of(sqlite3_stmt *s, int column)
{
    const unsigned char *p = sqlite3_column_text(s, column);

    return p == NULL ? "" : (const char *)p;
}

static mcx_err check_version(sqlite3 *sqlite)
{
    sqlite3_stmt *s = NULL;
    int64_t version = 0;
    mcx_err err = mcx_sqlite_err(sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &s, NULL));

    if (err == MCX_OK) {
        err = one_int(s, &version);
    }
    (void)sqlite3_finalize(s);
    if (err == MCX_OK && version != KMSDB_VERSION) {
        return MCX_E_UNSUP;
    }
    return err;
}

static mcx_err prepare_all(struct mcx_kmsdb *db)
{
    for (int q = 0; q < NUM_QUERIES; q++) {
        MCX_TRY(
            mcx_sqlite_err(sqlite3_prepare_v3(db->sqlite, sql[q], -1, SQLITE_PREPARE_PERSISTENT, &db->stmt[q], NULL)));
    }
    return MCX_OK;
}

mcx_err mcx_kmsdb_open(struct mcx_kmsdb **out, const char *path)
{
    struct mcx_kmsdb *db = calloc(1, sizeof *db);
    mcx_err err = db == NULL ? MCX_E_NOMEM : MCX_OK;

    MCX_GO(err, err);
    MCX_GO(err, mcx_sqlite_open(&db->sqlite, path, SQLITE_OPEN_READWRITE, BUSY_MS));
    MCX_GO(err, check_version(db->sqlite));
    MCX_GO(err, prepare_all(db));
    *out = db;
    db = NULL;
out:
    mcx_kmsdb_close(db);
    return err;
}

void mcx_kmsdb_close(struct mcx_kmsdb *db)
{
    if (db == NULL) {
        return;
    }
    for (int q = 0; q < NUM_QUERIES; q++) {
        (void)sqlite3_finalize(db->stmt[q]);
    }
    (void)sqlite3_close(db->sqlite);
    free(db);
}

static mcx_err set_cert(const char *path, struct mcx_bytes xml)
{
    struct mcx_kmsdb *db = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_kmsdb_open(&db, path));
    MCX_GO(err, bind_blob(fresh(db, Q_CERT_SET), 1, xml));
    MCX_GO(err, finish(db->stmt[Q_CERT_SET]));
out:
    mcx_kmsdb_close(db);
    return err;
}

mcx_err mcx_kmsdb_create(const char *path, struct mcx_bytes cert_xml)
{
    sqlite3 *sqlite = NULL;
    mcx_err err = mcx_sqlite_open(&sqlite, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, BUSY_MS);

    if (err == MCX_OK) { /* fails when the tables are there already */
        err = mcx_sqlite_exec(sqlite, "BEGIN EXCLUSIVE");
    }
    if (err == MCX_OK) {
        err = mcx_sqlite_exec(sqlite, kmsdb_schema);
    }
    if (err == MCX_OK) {
        err = mcx_sqlite_exec(sqlite, "COMMIT");
    }
    (void)sqlite3_close(sqlite);
    return err == MCX_OK ? set_cert(path, cert_xml) : err;
}

mcx_err mcx_kmsdb_cert(struct mcx_kmsdb *db, mcx_err (*each)(void *arg, struct mcx_bytes xml), void *arg)
{
    sqlite3_stmt *s = fresh(db, Q_CERT);
    int rc = sqlite3_step(s);
    mcx_err err = rc == SQLITE_DONE ? MCX_E_IO : mcx_sqlite_err(rc);

    if (rc == SQLITE_ROW) {
        const void *p = sqlite3_column_blob(s, 0);

        err = each(arg, mcx_bytes(p, (size_t)sqlite3_column_bytes(s, 0)));
    }
    (void)sqlite3_reset(s);
    return err;
}

/* The account's id; made when new. */
static mcx_err account_of(struct mcx_kmsdb *db, int64_t *id, enum mcx_kmsdb_kind kind, const char *mcptt_id,
                          uint64_t unix_ms)
{
    sqlite3_stmt *s = fresh(db, Q_ACCOUNT);
    int64_t have = 0;
    int rc = 0;

    MCX_TRY(bind_text(s, 1, mcptt_id));
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(s, 0);
        have = sqlite3_column_int64(s, 1);
    }
    (void)sqlite3_reset(s);
    if (rc == SQLITE_ROW) {
        return have == (int64_t)kind ? MCX_OK : MCX_E_POLICY;
    }
    MCX_TRY(mcx_sqlite_err(rc));
    s = fresh(db, Q_ACCOUNT_ADD);
    MCX_TRY(bind_text(s, 1, mcptt_id));
    MCX_TRY(bind_int(s, 2, (uint64_t)kind));
    MCX_TRY(bind_int(s, 3, unix_ms));
    MCX_TRY(finish(s));
    *id = sqlite3_last_insert_rowid(db->sqlite);
    return MCX_OK;
}

static mcx_err identity_add(struct mcx_kmsdb *db, int64_t account, const char *uri, uint64_t unix_ms)
{
    sqlite3_stmt *s = fresh(db, Q_OWNER);
    int64_t v = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(bind_text(s, 1, uri));
    err = one_int(s, &v);
    if (err != MCX_E_NOKEY) {
        return err != MCX_OK ? err : v == account ? MCX_OK : MCX_E_POLICY;
    }
    s = fresh(db, Q_ACCOUNT_SIZE);
    MCX_TRY(bind_int(s, 1, (uint64_t)account));
    MCX_TRY(one_int(s, &v));
    if (v >= MCX_KMS_MAX_IDENTITIES) {
        return MCX_E_SPACE;
    }
    s = fresh(db, Q_IDENTITY_ADD);
    MCX_TRY(bind_text(s, 1, uri));
    MCX_TRY(bind_int(s, 2, (uint64_t)account));
    MCX_TRY(bind_int(s, 3, unix_ms));
    return finish(s);
}

mcx_err mcx_kmsdb_user_add(struct mcx_kmsdb *db, enum mcx_kmsdb_kind kind, const char *user_uri, const char *mcptt_id,
                           uint64_t unix_ms)
{
    int64_t account = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(begin(db));
    MCX_GO(err, account_of(db, &account, kind, mcptt_id, unix_ms));
    MCX_GO(err, identity_add(db, account, user_uri, unix_ms));
out:
    return end(db, err);
}

mcx_err mcx_kmsdb_user_remove(struct mcx_kmsdb *db, const char *user_uri)
{
    sqlite3_stmt *s = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(begin(db));
    s = fresh(db, Q_IDENTITY_DROP);
    MCX_GO(err, bind_text(s, 1, user_uri));
    MCX_GO(err, finish(s));
    err = sqlite3_changes(db->sqlite) == 0 ? MCX_E_NOKEY : MCX_OK;
    MCX_GO(err, err);
    MCX_GO(err, finish(fresh(db, Q_ACCOUNT_DROP_EMPTY)));
out:
    return end(db, err);
}

mcx_err mcx_kmsdb_users(struct mcx_kmsdb *db, void (*each)(void *arg, const struct mcx_kmsdb_user *user), void *arg)
{
    sqlite3_stmt *s = fresh(db, Q_USERS);
    int rc = 0;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct mcx_kmsdb_user u = { text_of(s, 0), text_of(s, 1),
                                    mcx_kmsdb_kind_name((enum mcx_kmsdb_kind)sqlite3_column_int(s, 2)) };

        each(arg, &u);
    }
    (void)sqlite3_reset(s);
    return mcx_sqlite_err(rc);
}

mcx_err mcx_kmsdb_external_add(struct mcx_kmsdb *db, const char *name, struct mcx_bytes xml)
{
    sqlite3_stmt *s = NULL;
    int64_t others = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(begin(db));
    s = fresh(db, Q_EXTERNAL_COUNT);
    MCX_GO(err, bind_text(s, 1, name));
    MCX_GO(err, one_int(s, &others));
    err = others >= MCX_KMS_MAX_EXTERNAL ? MCX_E_SPACE : MCX_OK;
    MCX_GO(err, err);
    s = fresh(db, Q_EXTERNAL_PUT);
    MCX_GO(err, bind_text(s, 1, name));
    MCX_GO(err, bind_blob(s, 2, xml));
    MCX_GO(err, finish(s));
    MCX_GO(err, finish(fresh(db, Q_CACHE_NUM_UP)));
out:
    return end(db, err);
}

mcx_err mcx_kmsdb_audits(struct mcx_kmsdb *db, void (*each)(void *arg, const struct mcx_kmsdb_audit *audit), void *arg)
{
    sqlite3_stmt *s = fresh(db, Q_AUDITS);
    int rc = 0;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct mcx_kmsdb_audit a = { .seq = (uint64_t)sqlite3_column_int64(s, 0),
                                     .rec = { .unix_ms = (uint64_t)sqlite3_column_int64(s, 1),
                                              .request_id = text_of(s, 2),
                                              .mcptt_id = text_of(s, 3),
                                              .user_uri = text_of(s, 4),
                                              .uid = sqlite3_column_blob(s, 5),
                                              .period_no = (uint64_t)sqlite3_column_int64(s, 6) } };

        each(arg, &a);
    }
    (void)sqlite3_reset(s);
    return mcx_sqlite_err(rc);
}

/* The interface of the core. */

static mcx_err store_identities(void *ctx, struct mcx_kms_identities *out, const char *mcptt_id)
{
    struct mcx_kmsdb *db = ctx;
    sqlite3_stmt *s = fresh(db, Q_IDENTITIES);
    int rc = 0;
    mcx_err err = MCX_OK;

    out->num = 0;
    MCX_TRY(bind_text(s, 1, mcptt_id));
    while (err == MCX_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        err = out->num == MCX_KMS_MAX_IDENTITIES
                  ? MCX_E_SPACE
                  : mcx_bytes_cstr(out->uri[out->num], sizeof out->uri[0], mcx_bytes_str(text_of(s, 0)));
        out->num += err == MCX_OK ? 1 : 0;
    }
    (void)sqlite3_reset(s);
    MCX_TRY(err);
    MCX_TRY(mcx_sqlite_err(rc));
    return out->num == 0 ? MCX_E_NOKEY : MCX_OK;
}

static mcx_err store_external(void *ctx, uint64_t *cache_num, mcx_err (*each)(void *arg, struct mcx_bytes xml),
                              void *arg)
{
    struct mcx_kmsdb *db = ctx;
    sqlite3_stmt *s = NULL;
    int64_t num = 0;
    int rc = SQLITE_DONE;
    mcx_err err = MCX_OK;

    MCX_TRY(finish(fresh(db, Q_BEGIN_READ))); /* the number and the certificates of one moment */
    MCX_GO(err, one_int(fresh(db, Q_CACHE_NUM), &num));
    s = fresh(db, Q_EXTERNAL);
    while (err == MCX_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const void *p = sqlite3_column_blob(s, 0);

        err = each(arg, mcx_bytes(p, (size_t)sqlite3_column_bytes(s, 0)));
    }
    (void)sqlite3_reset(s);
    err = err == MCX_OK ? mcx_sqlite_err(rc) : err;
    *cache_num = (uint64_t)num;
out:
    return end(db, err);
}

static mcx_err store_audit(void *ctx, const struct mcx_kms_audit *rec, size_t num)
{
    struct mcx_kmsdb *db = ctx;
    mcx_err err = MCX_OK;

    MCX_TRY(begin(db));
    for (size_t i = 0; i < num; i++) {
        sqlite3_stmt *s = fresh(db, Q_AUDIT_ADD);

        MCX_GO(err, bind_int(s, 1, rec[i].unix_ms));
        MCX_GO(err, bind_text(s, 2, rec[i].request_id));
        MCX_GO(err, bind_text(s, 3, rec[i].mcptt_id));
        MCX_GO(err, bind_text(s, 4, rec[i].user_uri));
        MCX_GO(err, bind_blob(s, 5, mcx_bytes(rec[i].uid, MCX_UID_LEN)));
        MCX_GO(err, bind_int(s, 6, rec[i].period_no));
        MCX_GO(err, finish(s));
    }
out:
    return end(db, err);
}

struct mcx_kms_store mcx_kmsdb_store(struct mcx_kmsdb *db)
{
    return (struct mcx_kms_store){ db, store_identities, store_external, store_audit };
}
