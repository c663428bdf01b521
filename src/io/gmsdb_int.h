/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GMSDB_INT_H
#define MCX_IO_GMSDB_INT_H

/* Inside of gmsdb: the statements and what all its files use. */

#include <sqlite3.h>

#include "io/gmsdb.h"

enum key_state { KEY_PREPARING, KEY_PUBLISHED, KEY_REVOKED, KEY_RETIRED, KEY_ABANDONED };
enum round_kind { ROUND_ISSUE, ROUND_UPDATE, ROUND_REVOKE };
enum round_state { ROUND_MAKING, ROUND_SHOWN, ROUND_GIVEN_UP };
/* Order in the queue: who waits, and for what. Within a rank, first come, first served. */
enum rank {
    RANK_URGENT,  /* somebody holds a key who shall not: removal, loss, revocation; and temporary groups */
    RANK_WAITING, /* somebody holds no key yet: a new group, a newcomer; or an administrator waits */
    RANK_ROUTINE, /* everybody has a good key: age, key period, expiry */
};
enum job_state { JOB_WAITING, JOB_DONE, JOB_FAILED };

enum query {
    Q_BEGIN,
    Q_BEGIN_READ,
    Q_COMMIT,
    Q_ROLLBACK,
    Q_GMS,
    Q_GMS_SET,
    Q_SPEED,
    Q_SPEED_SET,
    Q_ETAG_NEXT,
    Q_ETAG,
    Q_AUDIT_ADD,
    Q_AUDITS,
    /* groups */
    Q_GROUP,
    Q_GROUP_ADD,
    Q_GROUP_DROP,
    Q_GROUP_TOUCH,
    Q_GROUP_TOUCH_GKTP,
    Q_GROUP_HEAD,
    Q_GROUPS,
    Q_CONSTITUENT_ADD,
    Q_CONSTITUENTS,
    Q_CONSTITUENTS_TOUCH,
    Q_TEMPORARY_OF,
    Q_TEMPORARY_SHOWN,
    Q_MEMBER_ADD,
    Q_MEMBER_DROP,
    Q_MEMBER,
    Q_MEMBERS,
    Q_NEWCOMERS,
    Q_NEWCOMERS_DROP,
    Q_NEWCOMERS_KNOWN,
    Q_NEWCOMER_ADD,
    Q_MEMBERS_UNITE,
    Q_MEMBER_ELSEWHERE,
    Q_GROUPS_OF_MEMBER,
    /* keys */
    Q_KEY_ADD,
    Q_KEY_DROP,
    Q_KEY_GROUPS_DROP,
    Q_KEY_SEALED,
    Q_KEY_MEMBERS,
    Q_GUKS_DROP,
    Q_GUK_ADD,
    Q_GUK_MET,
    Q_KEY_GROUP_ADD,
    Q_KEY_GROUPS,
    Q_KEY_NUM_GROUPS,
    Q_KEYS_OF_GROUP,
    Q_KEY_PAST,
    Q_KEY_UNTOLD,
    Q_KEY_TELL,
    Q_KEY_TOLD,
    Q_KEY_LEAVE_ALL,
    Q_HELD_ELSEWHERE,
    Q_KEY_OF_ID,
    Q_KEY_STATE,
    Q_KEY_PUBLISH,
    Q_KEY_END,
    Q_KEY_SUCCEED,
    Q_KEY_INHERIT,
    Q_KEY_REVOKE_ALL,
    Q_KEY_UNBIND,
    Q_KEY_SUCCESSOR_DONE,
    Q_KEY_LEFT,
    Q_KEY_TOUCH,
    Q_KEY_CONSTITUENTS_TOUCH,
    Q_SWITCHES,
    Q_SWITCH_OTHERS,
    Q_AGED,
    Q_STALE,
    Q_STALE_JOBS,
    Q_EXPIRED,
    /* rounds and jobs */
    Q_ROUND_ADD,
    Q_ROUND_OPEN,
    Q_ROUNDS_COMPLETE,
    Q_ROUND_PLAN,
    Q_ROUND_GROUPS,
    Q_ROUND_SHOW,
    Q_ROUND_GIVE_UP,
    Q_ROUND_REPLACED,
    Q_JOB_ADD,
    Q_JOBS_ADD,
    Q_JOBS_ADD_NEW,
    Q_JOBS_ADD_PAST,
    Q_JOBS_ADD_LEFT,
    Q_JOBS_RESET,
    Q_JOBS_DROP,
    Q_JOBS_BEFORE,
    Q_JOBS_AHEAD,
    Q_JOB_NEXT,
    Q_JOB_ROUND,
    Q_JOB_END,
    Q_JOB_TRIED,
    Q_JOBS_RETRY,
    Q_MEMBER_JOBS_DROP,
    Q_MEMBER_PAYLOADS_DROP,
    Q_PAYLOAD_ADD,
    Q_PAYLOADS_DROP,
    Q_PAYLOADS_OLD,
    Q_PAYLOADS_OLDER,
    Q_KEY_ROUNDS_DROP,
    Q_KEY_T_MAX,
    /* documents */
    Q_GKTP,
    Q_GKTP_FETCHED,
    Q_DELIVERED,
    Q_DELIVERY_DROP,
    /* what an operator sees */
    Q_VIEW_KEYS,
    Q_VIEW_LACKING,
    Q_VIEW_PROGRESS,
    NUM_QUERIES
};
extern const char *const mcx_gmsdb_sql[NUM_QUERIES];

struct mcx_gmsdb {
    sqlite3 *sqlite;
    sqlite3_stmt *stmt[NUM_QUERIES];
    struct mcx_gmsdb_policy policy;
    char uri[MCX_GMS_URI_MAX];
    int trouble; /* SQLite's code for the last transaction */
};

/** A statement with its values bound: 'i' uint64_t, 't' const char *, 'b' struct mcx_bytes. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_bind(struct mcx_gmsdb *db, sqlite3_stmt **out, enum query q, const char *types, ...);
/** Run one that gives no rows. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_do(struct mcx_gmsdb *db, enum query q, const char *types, ...);
/** First column of the one row. @retval MCX_E_NOKEY no row */
MCX_MUST_CHECK mcx_err mcx_gmsdb_int(struct mcx_gmsdb *db, uint64_t *out, enum query q, const char *types, ...);
/** Next row: `*more` is false at the end, and the statement is reset. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_row(sqlite3_stmt *s, bool *more);
/**
 * Done with a row. Text that SQLite had no memory for reads as "": that is told here, or by the next row.
 *
 * @retval MCX_E_NOMEM the transaction is over then, and nothing of what was read may be used
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_reset(sqlite3_stmt *s);
const char *mcx_gmsdb_text(sqlite3_stmt *s, int column);
uint64_t mcx_gmsdb_num(sqlite3_stmt *s, int column);
MCX_MUST_CHECK mcx_err mcx_gmsdb_begin(struct mcx_gmsdb *db);
/** Commit when all went well, else roll back and pass the first error on. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_end(struct mcx_gmsdb *db, mcx_err err);

MCX_MUST_CHECK mcx_err mcx_gmsdb_audit(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *event,
                                       const char *group, const char *subject);
/** Row of a group. @retval MCX_E_NOKEY */
MCX_MUST_CHECK mcx_err mcx_gmsdb_group_id(struct mcx_gmsdb *db, uint64_t *id, const char *group,
                                          struct mcx_refusal *why);
/** New entity tags: of the group document and of the GKTP document, or of the latter alone. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_touch(struct mcx_gmsdb *db, uint64_t group, bool group_document, uint64_t now_ms);

/* Keys: gmsdb_keys.c. All inside a transaction of the caller. */

/** What a new key is for. */
struct new_key {
    enum mcx_key_type type;
    const uint64_t *group; /* rows */
    size_t num_groups;
    const char *cause;
    enum rank rank;
    bool revoke; /* the keys before it, when it takes over */
};
MCX_MUST_CHECK mcx_err mcx_gmsdb_key_new(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev,
                                         const struct new_key *what);
/** New keys of every type the group needs, for this group alone (`own`) or for all that share its present key. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_keys_new(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group,
                                          bool own, const char *cause, enum rank rank, bool revoke);
/** Let the keys of `share` serve `group` too. @retval MCX_E_POLICY none, or too many groups */
MCX_MUST_CHECK mcx_err mcx_gmsdb_keys_share(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group,
                                            uint64_t share, struct mcx_refusal *why);
/** Payloads of every key that serves the group and stays for the newcomers; new keys for all when GUK-IDs meet. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_keys_add_members(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev,
                                                  uint64_t group);
/** The group goes: keys that serve it alone end, the others lose it. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_keys_leave(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group);
MCX_MUST_CHECK mcx_err mcx_gmsdb_key_revoke(struct mcx_gmsdb *db, uint64_t key, uint64_t now_ms);
/**
 * Would two members of the groups of this GMK have the same GUK-ID, or one the same under another key in use?
 *
 * @param[in] newcomers  only those of them who came just now, with the others and each other
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_guk_meet(struct mcx_gmsdb *db, bool *meet, uint64_t key, bool newcomers);
/** One that another took over from: nothing shows it any more, but radios hold it until it expires. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_key_revoke_past(struct mcx_gmsdb *db, uint64_t key, uint64_t now_ms);

#endif
