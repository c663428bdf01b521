/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GMSDB_SCHEMA_H
#define MCX_IO_GMSDB_SCHEMA_H

/* Version in PRAGMA user_version. A change of the schema raises it and adds a row to `gmsdb_upgrades`. */
#define GMSDB_VERSION      4
#define GMSDB_VERSION_TEXT "4"

static const char gmsdb_schema[] =
    "CREATE TABLE gms (" /* one row: this GMS */
    " id INTEGER PRIMARY KEY CHECK (id = 1),"
    " uri TEXT NOT NULL,"                     /* signs the payloads: TS 33.180 7.3.1 */
    " seal_check BLOB NOT NULL,"              /* a key of zeros: does the seal key fit? */
    " us_per_payload INTEGER NOT NULL,"       /* measured, of all workers together */
    " latest_etag INTEGER NOT NULL DEFAULT 0" /* entity tags of documents never come back */
    ") STRICT;"
    "CREATE TABLE grp ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " uri TEXT NOT NULL UNIQUE," /* octet by octet */
    " display_name TEXT NOT NULL,"
    " kind INTEGER NOT NULL CHECK (kind IN (0, 1))," /* prearranged, chat: TS 24.481 7.2 */
    " protect_media INTEGER NOT NULL,"
    " protect_floor INTEGER NOT NULL,"
    " multicast_floor INTEGER NOT NULL," /* then there is a MKFC too */
    " max_participants INTEGER NOT NULL,"
    " priority INTEGER NOT NULL,"
    " temporary INTEGER NOT NULL," /* formed of others: TS 24.481 6.3.14 */
    " requestor TEXT NOT NULL,"    /* of a temporary group */
    " etag INTEGER NOT NULL,"      /* of the group document */
    " gktp_etag INTEGER NOT NULL," /* rises with every change of the GKTP document */
    " created_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE constituent ("
    " temporary INTEGER NOT NULL REFERENCES grp (id) ON DELETE CASCADE,"
    " grp INTEGER NOT NULL REFERENCES grp (id),"
    " PRIMARY KEY (temporary, grp)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX constituent_grp ON constituent (grp);"
    "CREATE TABLE member ("
    " grp INTEGER NOT NULL REFERENCES grp (id) ON DELETE CASCADE,"
    " uri TEXT NOT NULL," /* MCPTT ID; of any KMS domain */
    " display_name TEXT NOT NULL,"
    " priority INTEGER NOT NULL,"
    " receive_only INTEGER NOT NULL,"
    " added_ms INTEGER NOT NULL,"
    " PRIMARY KEY (grp, uri)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX member_uri ON member (uri);"
    "CREATE TABLE gkey ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " type INTEGER NOT NULL CHECK (type IN (0, 4)),"         /* GMK, MKFC */
    " key_id INTEGER NOT NULL,"                              /* GMK-ID: never used twice */
    " sealed BLOB NOT NULL,"                                 /* src/gms/key.h */
    " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4)," /* enum mcx_gmsdb_key_state */
    " urgent INTEGER NOT NULL,"                              /* after a removal: the short window */
    " cause TEXT NOT NULL,"
    " activation INTEGER NOT NULL," /* Unix seconds, as shown to members */
    " expiry INTEGER NOT NULL,"     /* 0 = never */
    " created_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL DEFAULT 0," /* revoked or retired */
    " UNIQUE (type, key_id)"
    ") STRICT;"
    "CREATE TABLE gkey_group (" /* which groups a key serves: TS 33.180 5.7.1 */
    " gkey INTEGER NOT NULL REFERENCES gkey (id),"
    " grp INTEGER NOT NULL REFERENCES grp (id) ON DELETE CASCADE,"
    " successor INTEGER REFERENCES gkey (id)," /* takes over when it becomes active */
    " revoke INTEGER NOT NULL DEFAULT 0,"      /* then this one is revoked, else retired */
    " ended INTEGER NOT NULL DEFAULT 0,"       /* milliseconds: serves the group no more; its revocation is shown */
    " PRIMARY KEY (gkey, grp)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX gkey_group_grp ON gkey_group (grp);"
    "CREATE INDEX gkey_group_successor ON gkey_group (successor) WHERE successor IS NOT NULL;"
    "CREATE TABLE round (" /* one making of payloads of a key */
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " gkey INTEGER NOT NULL REFERENCES gkey (id),"
    " kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2)," /* enum mcx_gmsdb_round_kind */
    " state INTEGER NOT NULL CHECK (state IN (0, 1, 2)),"  /* making, shown, given up */
    " activation INTEGER NOT NULL,"
    " expiry INTEGER NOT NULL,"
    " status INTEGER NOT NULL CHECK (status IN (0, 1))," /* TS 33.180 E.6.9 */
    " groups TEXT NOT NULL,"                             /* group ids, one a line: E.6.3 */
    " t_min_ms INTEGER NOT NULL,"                        /* T of its payloads is not before */
    " tries INTEGER NOT NULL DEFAULT 0,"                 /* plans that turned out too tight */
    " started_ms INTEGER NOT NULL,"
    " shown_ms INTEGER NOT NULL DEFAULT 0,"
    " rank INTEGER NOT NULL DEFAULT 2" /* in the queue: enum rank */
    ") STRICT;"
    "CREATE INDEX round_open ON round (id) WHERE state = 0;"
    "CREATE INDEX round_gkey ON round (gkey);"
    "CREATE TABLE job (" /* the queue */
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " round INTEGER NOT NULL REFERENCES round (id) ON DELETE CASCADE,"
    " member TEXT NOT NULL,"
    " state INTEGER NOT NULL CHECK (state IN (0, 1, 2))," /* waiting, done, failed */
    " error TEXT NOT NULL DEFAULT '',"
    " rank INTEGER NOT NULL DEFAULT 2,"  /* of its round */
    " tries INTEGER NOT NULL DEFAULT 0," /* that failed for no reason known */
    " UNIQUE (round, member)"
    ") STRICT;"
    "CREATE INDEX job_waiting ON job (rank, id) WHERE state = 0;"
    "CREATE INDEX job_state ON job (round, state);"
    "CREATE TABLE payload ("
    " round INTEGER NOT NULL REFERENCES round (id) ON DELETE CASCADE,"
    " member TEXT NOT NULL,"
    " gkey INTEGER NOT NULL REFERENCES gkey (id),"
    " message BLOB NOT NULL,"                 /* I_MESSAGE: encrypted to the member */
    " kms TEXT NOT NULL,"                     /* of the member */
    " t_ms INTEGER NOT NULL,"                 /* its T, Unix milliseconds */
    " fetched_ms INTEGER NOT NULL DEFAULT 0," /* by the member with his token */
    " PRIMARY KEY (round, member)"
    ") STRICT;"
    "CREATE INDEX payload_member ON payload (gkey, member);"
    "CREATE INDEX payload_of ON payload (member);"
    "CREATE TABLE delivery (" /* what a member has of each document */
    " member TEXT NOT NULL,"
    " grp INTEGER NOT NULL REFERENCES grp (id) ON DELETE CASCADE,"
    " document INTEGER NOT NULL CHECK (document IN (0, 1))," /* group, GKTP */
    " etag TEXT NOT NULL,"
    " time_ms INTEGER NOT NULL,"
    " PRIMARY KEY (member, grp, document)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX delivery_grp ON delivery (grp);";

static const char gmsdb_schema_audit[] =
    "CREATE TABLE audit (" /* one row an event; never keys */
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " time_ms INTEGER NOT NULL,"
    " who TEXT NOT NULL," /* administrator, or '' for the server itself */
    " event TEXT NOT NULL,"
    " grp TEXT NOT NULL,"
    " subject TEXT NOT NULL" /* member, key identifier */
    ") STRICT;"
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;"
    "PRAGMA user_version = " GMSDB_VERSION_TEXT ";";

/* What takes a database of version i to version i + 1; version 0 was never released. */
static const char *const gmsdb_upgrades[GMSDB_VERSION] = {
    NULL,
    "BEGIN EXCLUSIVE;"
    "ALTER TABLE round ADD COLUMN rank INTEGER NOT NULL DEFAULT 2;"
    "ALTER TABLE job ADD COLUMN rank INTEGER NOT NULL DEFAULT 2;"
    "DROP INDEX job_waiting;"
    "CREATE INDEX job_waiting ON job (rank, id) WHERE state = 0;"
    "PRAGMA user_version = 2;"
    "COMMIT;",
    "BEGIN EXCLUSIVE;"
    "ALTER TABLE job ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;"
    "PRAGMA user_version = 3;"
    "COMMIT;",
    "BEGIN EXCLUSIVE;"
    "CREATE INDEX payload_of ON payload (member);"
    "PRAGMA user_version = 4;"
    "COMMIT;",
};

/* What one change needs while it is made; in a file of its own, so that it is as good for a large group. */
static const char gmsdb_scratch[] = "CREATE TEMP TABLE newcomer (uri TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"
                                    "CREATE TEMP TABLE guk (id INTEGER PRIMARY KEY, uri TEXT NOT NULL) STRICT;";

#endif
