/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUK-IDs that meet (TS 33.180 5.2.3). They tell the members of a group apart, and their keys come from them: members
 * whose User Salts are equal would speak with one key. Another GMK gives other User Salts.
 */
#include "io/gmsdb_int.h"

enum who { OLD_ONES, NEWCOMERS, EVERYBODY }; /* Q_KEY_MEMBERS */

static mcx_err open_key(struct mcx_gmsdb *db, struct mcx_gms_key *out, uint64_t row)
{
    sqlite3_stmt *s = NULL;
    bool more = false;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_SEALED, "i", row));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_BUG;
    }
    err = mcx_gms_key_open(out, mcx_bytes(sqlite3_column_blob(s, 2), (size_t)sqlite3_column_bytes(s, 2)),
                           (enum mcx_key_type)mcx_gmsdb_num(s, 0), (uint32_t)mcx_gmsdb_num(s, 1), db->policy.seal_key);
    MCX_TRY(mcx_gmsdb_reset(s));
    return err;
}

/* Those who were there before have been compared with each other, and with their other keys. */
static mcx_err meet_one(struct mcx_gmsdb *db, bool *meet, uint64_t row, const struct mcx_gms_key *key, const char *uri,
                        bool old)
{
    uint8_t octets[4];
    struct mcx_wr wr = mcx_wr(octets, sizeof octets);
    uint32_t guk_id = 0;
    uint64_t met = 0;

    if (uri[0] == '\0') {
        return MCX_E_NOMEM; /* only text that SQLite had no memory for looks so */
    }
    MCX_TRY(mcx_guk_id(&guk_id, key->key_id, &key->key, mcx_bytes_str(uri)));
    MCX_TRY(mcx_wr_u32(&wr, guk_id));
    MCX_TRY(mcx_gmsdb_int(db, &met, Q_GUK_MET, "itbi", (uint64_t)guk_id, uri,
                          old ? mcx_bytes(NULL, 0) : mcx_wr_done(&wr), row));
    *meet = met != 0;
    return old ? MCX_OK : mcx_gmsdb_do(db, Q_GUK_ADD, "it", (uint64_t)guk_id, uri);
}

static mcx_err meet_all(struct mcx_gmsdb *db, bool *meet, uint64_t row, const struct mcx_gms_key *key, enum who who)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_MEMBERS, "ii", row, (uint64_t)who));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more && !*meet) {
        MCX_TRY(meet_one(db, meet, row, key, mcx_gmsdb_text(s, 0), who == OLD_ONES));
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    return mcx_gmsdb_reset(s);
}

mcx_err mcx_gmsdb_guk_meet(struct mcx_gmsdb *db, bool *meet, uint64_t key, bool newcomers)
{
    struct mcx_gms_key open;
    mcx_err err = MCX_OK;

    *meet = false;
    MCX_TRY(open_key(db, &open, key));
    if (open.type == MCX_KEY_GMK) { /* a MKFC is the same for all: TS 33.179 9.4.5 */
        MCX_GO(err, mcx_gmsdb_do(db, Q_GUKS_DROP, ""));
        MCX_GO(err, meet_all(db, meet, key, &open, newcomers ? NEWCOMERS : EVERYBODY));
        MCX_GO(err, newcomers && !*meet ? meet_all(db, meet, key, &open, OLD_ONES) : MCX_OK);
    }
out:
    mcx_gms_key_clear(&open);
    return err;
}
