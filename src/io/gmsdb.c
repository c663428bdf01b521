/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, transactions, values; what all parts of gmsdb use. */
#include "io/gmsdb_int.h"

#include "io/gmsdb_schema.h"
#include "io/sqlite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS 10000

static uint64_t as_uint(int64_t v)
{
    return v < 0 ? 0 : (uint64_t)v;
}

static mcx_err from_sqlite(int rc)
{
    return (rc & 0xff) == SQLITE_CONSTRAINT ? MCX_E_POLICY : mcx_sqlite_err(rc); /* a UNIQUE: it is there already */
}

static mcx_err bind_one(sqlite3_stmt *s, int at, char type, va_list *ap)
{
    struct mcx_bytes b;
    uint64_t v = 0;

    switch (type) {
    case 'i':
        v = va_arg(*ap, uint64_t);
        return from_sqlite(sqlite3_bind_int64(s, at, v > INT64_MAX ? INT64_MAX : (int64_t)v));
    case 't': return from_sqlite(sqlite3_bind_text(s, at, va_arg(*ap, const char *), -1, SQLITE_STATIC));
    case 'b':
        b = va_arg(*ap, struct mcx_bytes);
        return from_sqlite(sqlite3_bind_blob64(s, at, b.p, b.len, SQLITE_STATIC));
    default: return MCX_E_BUG;
    }
}

static mcx_err bind_all(struct mcx_gmsdb *db, sqlite3_stmt **out, enum query q, const char *types, va_list *ap)
{
    sqlite3_stmt *s = db->stmt[q];

    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    for (int i = 0; types[i] != '\0'; i++) {
        MCX_TRY(bind_one(s, i + 1, types[i], ap));
    }
    *out = s;
    return MCX_OK;
}

mcx_err mcx_gmsdb_bind(struct mcx_gmsdb *db, sqlite3_stmt **out, enum query q, const char *types, ...)
{
    va_list ap;
    mcx_err err = MCX_OK;

    va_start(ap, types);
    err = bind_all(db, out, q, types, &ap);
    va_end(ap);
    return err;
}

static mcx_err finish(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);

    (void)sqlite3_reset(s);
    return rc == SQLITE_ROW ? MCX_E_BUG : from_sqlite(rc);
}

mcx_err mcx_gmsdb_do(struct mcx_gmsdb *db, enum query q, const char *types, ...)
{
    sqlite3_stmt *s = NULL;
    va_list ap;
    mcx_err err = MCX_OK;

    va_start(ap, types);
    err = bind_all(db, &s, q, types, &ap);
    va_end(ap);
    return err == MCX_OK ? finish(s) : err;
}

mcx_err mcx_gmsdb_int(struct mcx_gmsdb *db, uint64_t *out, enum query q, const char *types, ...)
{
    sqlite3_stmt *s = NULL;
    bool more = false;
    va_list ap;
    mcx_err err = MCX_OK;

    va_start(ap, types);
    err = bind_all(db, &s, q, types, &ap);
    va_end(ap);
    MCX_TRY(err);
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_NOKEY;
    }
    *out = mcx_gmsdb_num(s, 0);
    MCX_TRY(mcx_gmsdb_reset(s));
    return MCX_OK;
}

mcx_err mcx_gmsdb_row(sqlite3_stmt *s, bool *more)
{
    int rc = sqlite3_step(s);

    *more = rc == SQLITE_ROW;
    if (!*more) {
        (void)sqlite3_reset(s);
    }
    return from_sqlite(rc);
}

mcx_err mcx_gmsdb_reset(sqlite3_stmt *s)
{
    return from_sqlite(sqlite3_reset(s));
}

const char *mcx_gmsdb_text(sqlite3_stmt *s, int column)
{
    const unsigned char *p = sqlite3_column_text(s, column);

    return p == NULL ? "" : (const char *)p;
}

uint64_t mcx_gmsdb_num(sqlite3_stmt *s, int column)
{
    return as_uint(sqlite3_column_int64(s, column));
}

/* Which error it was is known until the next call to SQLite. */
static mcx_err note_trouble(struct mcx_gmsdb *db, mcx_err err)
{
    db->trouble = err == MCX_E_IO || err == MCX_E_NOMEM ? sqlite3_errcode(db->sqlite) : SQLITE_OK;
    return err;
}

const char *mcx_gmsdb_trouble(const struct mcx_gmsdb *db)
{
    return db->trouble == SQLITE_OK ? NULL : sqlite3_errstr(db->trouble);
}

mcx_err mcx_gmsdb_begin(struct mcx_gmsdb *db)
{
    return note_trouble(db, mcx_gmsdb_do(db, Q_BEGIN, ""));
}

mcx_err mcx_gmsdb_end(struct mcx_gmsdb *db, mcx_err err)
{
    if (err == MCX_OK) {
        err = mcx_gmsdb_do(db, Q_COMMIT, "");
    }
    (void)note_trouble(db, err);
    if (err != MCX_OK && sqlite3_get_autocommit(db->sqlite) == 0 && mcx_gmsdb_do(db, Q_ROLLBACK, "") != MCX_OK) {
        return MCX_E_IO;
    }
    return err;
}

static mcx_err open_sqlite(sqlite3 **out, const char *path, int flags)
{
    MCX_TRY(mcx_sqlite_open(out, path, flags, BUSY_MS));
    return mcx_sqlite_exec(*out, "PRAGMA temp_store = FILE");
}

static mcx_err version_of(sqlite3 *sqlite, uint64_t *version)
{
    sqlite3_stmt *s = NULL;
    mcx_err err = from_sqlite(sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &s, NULL));
    bool more = false;

    if (err == MCX_OK) {
        err = mcx_gmsdb_row(s, &more);
    }
    if (err == MCX_OK && more) {
        *version = mcx_gmsdb_num(s, 0);
    }
    (void)sqlite3_finalize(s);
    return err;
}

/* One step a version, each in a transaction of its own. */
static mcx_err upgrade(sqlite3 *sqlite)
{
    uint64_t version = 0;

    MCX_TRY(version_of(sqlite, &version));
    if (version > GMSDB_VERSION || version == 0) {
        return MCX_E_UNSUP;
    }
    for (; version < GMSDB_VERSION; version++) {
        if (gmsdb_upgrades[version] == NULL) {
            return MCX_E_UNSUP;
        }
        MCX_TRY(mcx_sqlite_exec(sqlite, gmsdb_upgrades[version]));
    }
    return MCX_OK;
}

static mcx_err prepare_all(struct mcx_gmsdb *db)
{
    for (int q = 0; q < NUM_QUERIES; q++) {
        MCX_TRY(from_sqlite(
            sqlite3_prepare_v3(db->sqlite, mcx_gmsdb_sql[q], -1, SQLITE_PREPARE_PERSISTENT, &db->stmt[q], NULL)));
    }
    return MCX_OK;
}

/* Own URI, and whether the seal key is the right one. */
static mcx_err read_own(struct mcx_gmsdb *db)
{
    struct mcx_gms_key check;
    sqlite3_stmt *s = NULL;
    bool more = false;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_GMS, ""));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_IO;
    }
    (void)snprintf(db->uri, sizeof db->uri, "%s", mcx_gmsdb_text(s, 0));
    if (db->policy.seal_key != NULL) {
        err = mcx_gms_key_open(&check, mcx_bytes(sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1)),
                               MCX_KEY_GMK, 0, db->policy.seal_key);
    }
    MCX_TRY(mcx_gmsdb_reset(s));
    return err;
}

static mcx_err open_prepared(struct mcx_gmsdb **out, const char *path)
{
    struct mcx_gmsdb *db = calloc(1, sizeof *db);
    mcx_err err = db == NULL ? MCX_E_NOMEM : MCX_OK;

    MCX_GO(err, err);
    MCX_GO(err, open_sqlite(&db->sqlite, path, SQLITE_OPEN_READWRITE));
    MCX_GO(err, upgrade(db->sqlite));
    MCX_GO(err, mcx_sqlite_exec(db->sqlite, gmsdb_scratch));
    MCX_GO(err, prepare_all(db));
    *out = db;
    db = NULL;
out:
    mcx_gmsdb_close(db);
    return err;
}

mcx_err mcx_gmsdb_open(struct mcx_gmsdb **out, const char *path, const struct mcx_gmsdb_policy *policy)
{
    struct mcx_gmsdb *db = NULL;
    mcx_err err = open_prepared(&db, path);

    if (err == MCX_OK) {
        db->policy = *policy;
        err = read_own(db);
    }
    if (err != MCX_OK) {
        mcx_gmsdb_close(db);
        return err;
    }
    *out = db;
    return MCX_OK;
}

void mcx_gmsdb_close(struct mcx_gmsdb *db)
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

mcx_err mcx_gmsdb_create(const char *path, const char *gms_uri, const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN],
                         const struct mcx_rng *rng)
{
    const struct mcx_gms_key zeros = { .type = MCX_KEY_GMK };
    uint8_t check[MCX_GMS_SEALED_LEN];
    struct mcx_gmsdb *db = NULL;
    sqlite3 *sqlite = NULL;
    mcx_err err = open_sqlite(&sqlite, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    MCX_GO(err, err);
    MCX_GO(err, mcx_sqlite_exec(sqlite, "BEGIN EXCLUSIVE")); /* fails below when the tables are there already */
    MCX_GO(err, mcx_sqlite_exec(sqlite, gmsdb_schema));
    MCX_GO(err, mcx_sqlite_exec(sqlite, gmsdb_schema_audit));
    MCX_GO(err, mcx_sqlite_exec(sqlite, "COMMIT"));
    MCX_GO(err, open_prepared(&db, path));
    MCX_GO(err, mcx_gms_key_seal(check, &zeros, seal_key, rng));
    MCX_GO(err, mcx_gmsdb_do(db, Q_GMS_SET, "tib", gms_uri, (uint64_t)MCX_GMS_DEFAULT_US_PER_PAYLOAD,
                             mcx_bytes(check, sizeof check)));
out:
    mcx_gmsdb_close(db);
    (void)sqlite3_close(sqlite);
    return err;
}

const char *mcx_gmsdb_uri(const struct mcx_gmsdb *db)
{
    return db->uri;
}

uint64_t mcx_gmsdb_version(struct mcx_gmsdb *db)
{
    uint64_t v = 0;

    return mcx_gmsdb_int(db, &v, Q_ETAG, "") == MCX_OK ? v : 0;
}

mcx_err mcx_gmsdb_set_speed(struct mcx_gmsdb *db, uint64_t us_per_payload)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, mcx_gmsdb_do(db, Q_SPEED_SET, "i", us_per_payload));
}

mcx_err mcx_gmsdb_audit(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *event, const char *group,
                        const char *subject)
{
    return mcx_gmsdb_do(db, Q_AUDIT_ADD, "itttt", ev->now_ms, ev->who, event, group, subject);
}

mcx_err mcx_gmsdb_group_id(struct mcx_gmsdb *db, uint64_t *id, const char *group, struct mcx_refusal *why)
{
    mcx_err err = mcx_gmsdb_int(db, id, Q_GROUP, "t", group);

    return err == MCX_E_NOKEY ? mcx_refuse(why, err, "there is no such group", "TS 24.481 6.3.3") : err;
}

mcx_err mcx_gmsdb_touch(struct mcx_gmsdb *db, uint64_t group, bool group_document, uint64_t now_ms)
{
    uint64_t etag = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_ETAG_NEXT, "i", now_ms));
    MCX_TRY(mcx_gmsdb_int(db, &etag, Q_ETAG, ""));
    return mcx_gmsdb_do(db, group_document ? Q_GROUP_TOUCH : Q_GROUP_TOUCH_GKTP, "ii", group, etag);
}
