/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GMSDB_H
#define MCX_IO_GMSDB_H

/*
 * The database of a group management server (SQLite): groups, members, keys, payloads, the queue of payloads to make,
 * what each member has fetched, and the audit log. Schema: gmsdb_schema.h. Keys are sealed (src/gms/key.h).
 *
 * A key event (TS 33.180 5.7, 7.3) is one transaction: the new key, its identifier and its RAND are on the disk,
 * sealed, before the first payload is made, together with one job for each member. Payloads of a round are shown in one
 * step, when all jobs of the round have ended and the activation time still leaves the members time to fetch. So
 * whatever is killed when: after a start the same key goes on, and no member ever sees another key under the same
 * identifier.
 *
 * Several processes may have the database open, each with its own `struct mcx_gmsdb`.
 */

#include <mcx/group_doc.h>
#include <mcx/seam.h>

#include "gms/payload.h"
#include "gms/timing.h"

#define MCX_GMSDB_MAX_SERVERS      8
#define MCX_GMSDB_MAX_CONSTITUENTS 32

struct mcx_gmsdb;

/** What the events need besides the database; borrowed until mcx_gmsdb_close(). */
struct mcx_gmsdb_policy {
    const uint8_t *seal_key; /* MCX_GMS_SEAL_KEY_LEN octets; NULL: no event that draws a key may be used */
    struct mcx_rng rng;
    struct mcx_gms_timing timing;
    const char *mcptt_server[MCX_GMSDB_MAX_SERVERS]; /* get payloads of MKFCs too: they send under them */
    size_t num_mcptt_servers;
    bool sakke_to_self; /* extension 6: other servers of this GMS can open the payloads too (TS 33.180 E.5) */
};

/** Make a new database, whose keys `seal_key` will seal; the file must not hold one. @retval MCX_E_IO */
MCX_MUST_CHECK mcx_err mcx_gmsdb_create(const char *path, const char *gms_uri,
                                        const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN], const struct mcx_rng *rng);
/**
 * @retval MCX_E_IO     cannot be opened
 * @retval MCX_E_UNSUP  made by a newer version; older ones are upgraded
 * @retval MCX_E_AUTH   its keys are sealed with another seal key
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_open(struct mcx_gmsdb **out, const char *path, const struct mcx_gmsdb_policy *policy);
void mcx_gmsdb_close(struct mcx_gmsdb *db);
/** URI of this GMS, as long as `db`. */
const char *mcx_gmsdb_uri(const struct mcx_gmsdb *db);
/** For the log: why the last change could not be made ("database or disk is full"); NULL when it was. */
const char *mcx_gmsdb_trouble(const struct mcx_gmsdb *db);
/** Rises whenever a document has changed; not by what members fetch. */
uint64_t mcx_gmsdb_version(struct mcx_gmsdb *db);

/* Key events. `why` tells what was refused; nothing has changed then. */

/** Who asks, and when. */
struct mcx_gmsdb_event {
    const char *who; /* administrator; "" = the server itself */
    uint64_t now_ms;
};

/** Members come one by one: false at the end. Strings are borrowed for the call. */
struct mcx_gmsdb_members {
    bool (*next)(void *arg, struct mcx_group_member *member);
    void *arg;
};

/**
 * Make a group, with a GMK (unless nothing of it is protected) and, with `multicast_floor`, a MKFC.
 *
 * @param[in] share  URI of a group whose keys shall serve this one too (TS 33.180 5.7.1), or NULL
 * @retval MCX_E_POLICY  it exists, a member stands there twice, or `share` has no key or serves too many
 * @retval MCX_E_ARG     a URI is empty or too long
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_group_create(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev,
                                              const struct mcx_group_head *head,
                                              const struct mcx_gmsdb_members *members, const char *share,
                                              struct mcx_refusal *why);
/** Take the group and its keys away. @retval MCX_E_NOKEY no such group @retval MCX_E_POLICY part of a temporary one */
MCX_MUST_CHECK mcx_err mcx_gmsdb_group_delete(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                                              struct mcx_refusal *why);
/**
 * New members get the present keys (same GMK-ID, same RAND), or, with `rekey`, all get new keys and the newcomers
 * nothing of the old ones.
 *
 * @retval MCX_E_NOKEY no such group @retval MCX_E_POLICY somebody is a member already, or the group is a temporary one
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_member_add(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                                            const struct mcx_gmsdb_members *members, bool rekey,
                                            struct mcx_refusal *why);
/**
 * Take a member out of a group, or out of all (`group` NULL: his device is lost). The others get new keys with the
 * shortest window; the old ones are revoked when those become active, what was before them and has not expired at once.
 * After a loss so do other groups that use a key which one of his uses or has used.
 *
 * @retval MCX_E_NOKEY no such group or member
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_member_remove(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev,
                                               const char *group, const char *member, struct mcx_refusal *why);
/** New keys for the group and all that share its keys. @retval MCX_E_NOKEY no such group */
MCX_MUST_CHECK mcx_err mcx_gmsdb_rekey(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                                       const char *cause, struct mcx_refusal *why);
/** Payloads with status 0 for a key of this group. @retval MCX_E_NOKEY no such group, or the key is not its */
MCX_MUST_CHECK mcx_err mcx_gmsdb_revoke(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                                        uint32_t key_id, struct mcx_refusal *why);
/**
 * Form a temporary group of others (TS 24.481 6.3.14): its members are theirs, its GMK is new.
 *
 * @retval MCX_E_NOKEY a constituent is unknown @retval MCX_E_POLICY it is temporary, or part of another one
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_regroup(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *temporary,
                                         const char *display_name, const char *const *constituents, size_t num,
                                         const char *requestor, struct mcx_refusal *why);

/* The queue. */

/** How far the jobs have been given out. Those of a higher rank go first, whenever they come. */
#define MCX_GMSDB_RANKS 3
struct mcx_gmsdb_cursor {
    uint64_t after[MCX_GMSDB_RANKS]; /* id of the last one; 0 = from the beginning */
};
/**
 * Waiting jobs behind the cursor, at most `max`, each with its key opened; an error of `each` ends it. The cursor
 * moves on with every job that `each` has taken.
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_jobs(struct mcx_gmsdb *db, struct mcx_gmsdb_cursor *cursor, size_t max,
                                      uint64_t now_ms, mcx_err (*each)(void *arg, const struct mcx_gms_job *job),
                                      void *arg);
/** Results, in one transaction; one that nobody waits for any more is dropped. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_results(struct mcx_gmsdb *db, const struct mcx_gms_result *results, size_t num,
                                         uint64_t now_ms);
/** What mcx_gmsdb_tick() did, for the log. */
struct mcx_gmsdb_news {
    const char *event; /* "key shown", "activation moved", "key revoked", ... */
    const char *group; /* one of the groups */
    enum mcx_key_type type;
    uint32_t key_id;
    uint64_t done, total;
};
/** The first second of the present key period of a KMS: payloads for its users from before have to be made anew. */
struct mcx_gmsdb_period {
    const char *kms_uri;
    uint64_t start_ms;
    bool home; /* our own KMS: the groups get new keys at its period */
};
/**
 * Whatever is due: show rounds that are complete, or plan them anew; revoke and retire keys whose successor is
 * active; re-key by age, expiry and key period; make payloads anew for a new key period.
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_tick(struct mcx_gmsdb *db, uint64_t now_ms, const struct mcx_gmsdb_period *periods,
                                      size_t num_periods, void (*news)(void *arg, const struct mcx_gmsdb_news *n),
                                      void *arg);
/** Failed jobs of keys in use wait again: the key store has changed. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_retry(struct mcx_gmsdb *db);
/** Note how long a payload takes, all workers together. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_set_speed(struct mcx_gmsdb *db, uint64_t us_per_payload);

/* Documents. */

enum mcx_gmsdb_document { MCX_GMSDB_GROUP, MCX_GMSDB_GKTP };
#define MCX_GMSDB_ETAG_MAX 40

/**
 * A document as `user` may see it.
 *
 * @param[out] xml     heap, release with free(); may be NULL, then only the etag is wanted
 * @param[in]  server  `user` is an MCPTT server: every group document, and his own payloads of MKFCs
 * @retval MCX_E_NOKEY no such group @retval MCX_E_POLICY not a member
 */
MCX_MUST_CHECK mcx_err mcx_gmsdb_document(struct mcx_gmsdb *db, char **xml, size_t *len, char etag[MCX_GMSDB_ETAG_MAX],
                                          enum mcx_gmsdb_document document, const char *group, const char *user,
                                          bool server, uint64_t now_ms);
/** `user` has fetched the document of this etag with his token. */
MCX_MUST_CHECK mcx_err mcx_gmsdb_delivered(struct mcx_gmsdb *db, enum mcx_gmsdb_document document, const char *group,
                                           const char *user, const char *etag, uint64_t now_ms);

/* What an operator sees. Strings are borrowed for the call. */

struct mcx_gmsdb_group {
    struct mcx_group_head head;
    bool is_temporary;
    uint64_t num_members;
};
MCX_MUST_CHECK mcx_err mcx_gmsdb_groups(struct mcx_gmsdb *db, const char *only,
                                        void (*each)(void *arg, const struct mcx_gmsdb_group *group), void *arg);
MCX_MUST_CHECK mcx_err mcx_gmsdb_group_members(struct mcx_gmsdb *db, const char *group,
                                               void (*each)(void *arg, const struct mcx_group_member *member),
                                               void *arg);
struct mcx_gmsdb_key {
    enum mcx_key_type type;
    uint32_t key_id;
    const char *state; /* "preparing", "published", "revoked", "retired" */
    const char *cause;
    uint64_t activation;
    uint64_t expiry;
    uint64_t created_ms;
    uint64_t num_fetched; /* members whose shown payload was fetched */
    uint64_t num_members;
};
MCX_MUST_CHECK mcx_err mcx_gmsdb_keys(struct mcx_gmsdb *db, const char *group,
                                      void (*each)(void *arg, const struct mcx_gmsdb_key *key), void *arg);
/** A member without a key that he should have. */
struct mcx_gmsdb_lack {
    const char *member;
    enum mcx_key_type type;
    uint32_t key_id;
    const char *reason; /* "not fetched", or why no payload could be made */
};
MCX_MUST_CHECK mcx_err mcx_gmsdb_lacking(struct mcx_gmsdb *db, const char *group,
                                         void (*each)(void *arg, const struct mcx_gmsdb_lack *lack), void *arg);
struct mcx_gmsdb_progress {
    enum mcx_key_type type;
    uint32_t key_id;
    const char *kind; /* "issue", "update", "revoke" */
    const char *group;
    uint64_t total, done, failed;
    uint64_t left_s; /* of all that waits before it and of itself */
    uint64_t activation;
};
MCX_MUST_CHECK mcx_err mcx_gmsdb_progress(struct mcx_gmsdb *db,
                                          void (*each)(void *arg, const struct mcx_gmsdb_progress *progress),
                                          void *arg);
struct mcx_gmsdb_audit {
    uint64_t seq;
    uint64_t time_ms;
    const char *who;
    const char *event;
    const char *group;
    const char *subject;
};
MCX_MUST_CHECK mcx_err mcx_gmsdb_audits(struct mcx_gmsdb *db,
                                        void (*each)(void *arg, const struct mcx_gmsdb_audit *audit), void *arg);

#endif
