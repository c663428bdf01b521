/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_KMSDB_SCHEMA_H
#define MCX_IO_KMSDB_SCHEMA_H

/* Version in PRAGMA user_version. A change of the schema raises it and adds an upgrade from the one before. */
#define KMSDB_VERSION      1
#define KMSDB_VERSION_TEXT "1"

static const char kmsdb_schema[] =
    "CREATE TABLE kms (" /* one row: this KMS */
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " cert_xml BLOB NOT NULL,"              /* KmsCertificate, Role Root: TS 33.180 D.3.2.2 */
    " cache_num INTEGER NOT NULL DEFAULT 0" /* CacheNum of the External certificates: D.3.5.1 */
    ") STRICT;"
    "CREATE TABLE account (" /* what a token names: TS 33.180 B.4 */
    " id INTEGER PRIMARY KEY,"
    " mcptt_id TEXT NOT NULL UNIQUE,"
    " kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2)," /* user, server, gms: TS 33.180 5.3.2 */
    " created_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE identity ("         /* a URI that keys are issued for: P1 of the UID, F.2.1 */
    " uri TEXT PRIMARY KEY NOT NULL," /* octet by octet, no case folding */
    " account INTEGER NOT NULL REFERENCES account (id),"
    " created_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX identity_account ON identity (account);"
    "CREATE TABLE external ("          /* External certificates: TS 33.180 D.2.5 */
    " name TEXT PRIMARY KEY NOT NULL," /* CertUri: the same one replaces, 5.3.5 */
    " xml BLOB NOT NULL"               /* bare KmsCertificate */
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE audit (" /* one row a key set issued; never keys */
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " time_ms INTEGER NOT NULL,"
    " request_id TEXT NOT NULL,"
    " mcptt_id TEXT NOT NULL,"                     /* who asked */
    " user_uri TEXT NOT NULL,"                     /* for which identity */
    " uid BLOB NOT NULL CHECK (length(uid) = 32)," /* F.2.1 */
    " period_no INTEGER NOT NULL"                  /* P5 */
    ") STRICT;"
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
    "PRAGMA user_version = " KMSDB_VERSION_TEXT ";";

#endif
