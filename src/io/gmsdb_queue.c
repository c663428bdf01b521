/* SPDX-License-Identifier: Apache-2.0 */
/* The queue: one job for each payload. A job is done when its payload is in the database, so it can be done twice. */
#include "io/gmsdb_int.h"

#include <string.h>

/* Group ids of a round, one a line, in the caller's copy. */
static mcx_err split_groups(struct mcx_gms_job *job, char *text)
{
    char *rest = text;

    job->num_groups = 0;
    while (rest != NULL && *rest != '\0') {
        char *end = strchr(rest, '\n');

        if (job->num_groups == MCX_GMS_GROUPS_MAX) {
            return MCX_E_SPACE;
        }
        if (end != NULL) {
            *end = '\0';
        }
        job->group[job->num_groups++] = rest;
        rest = end == NULL ? NULL : end + 1;
    }
    return MCX_OK;
}

static mcx_err hand_out(struct mcx_gmsdb *db, sqlite3_stmt *s, struct mcx_gms_job *job, uint64_t now_ms,
                        mcx_err (*each)(void *arg, const struct mcx_gms_job *job), void *arg)
{
    char groups[MCX_GMS_GROUPS_MAX * MCX_GMS_URI_MAX];
    struct mcx_bytes sealed = mcx_bytes(sqlite3_column_blob(s, 9), (size_t)sqlite3_column_bytes(s, 9));
    mcx_err err = MCX_OK;

    job->id = mcx_gmsdb_num(s, 0);
    job->member = mcx_gmsdb_text(s, 1);
    job->t_ms = mcx_gmsdb_num(s, 2) > now_ms ? mcx_gmsdb_num(s, 2) : now_ms;
    job->activation = mcx_gmsdb_num(s, 3);
    job->expiry = mcx_gmsdb_num(s, 4);
    job->status = (uint32_t)mcx_gmsdb_num(s, 5);
    job->sakke_to_self = db->policy.sakke_to_self;
    job->gms = db->uri;
    MCX_TRY(mcx_bytes_cstr(groups, sizeof groups, mcx_bytes_str(mcx_gmsdb_text(s, 6))));
    MCX_TRY(split_groups(job, groups));
    if (job->num_groups == 0 || job->member[0] == '\0') {
        return MCX_E_NOMEM; /* an unbound key, or nobody's: only text that SQLite had no memory for looks so */
    }
    MCX_TRY(mcx_gms_key_open(&job->key, sealed, (enum mcx_key_type)mcx_gmsdb_num(s, 7), (uint32_t)mcx_gmsdb_num(s, 8),
                             db->policy.seal_key));
    err = each(arg, job);
    mcx_gms_key_clear(&job->key);
    return err;
}

/* Where jobs go, and how many more. */
struct outlet {
    size_t left;
    uint64_t now_ms;
    mcx_err (*each)(void *arg, const struct mcx_gms_job *job);
    void *arg;
};

static mcx_err hand_out_rank(struct mcx_gmsdb *db, uint64_t *after, uint64_t rank, struct outlet *to)
{
    struct mcx_gms_job *job = NULL;
    sqlite3_stmt *s = NULL;
    bool more = false;
    mcx_err done = MCX_OK;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_JOB_NEXT, "iii", *after, (uint64_t)to->left, rank));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_OK;
    }
    job = mcx_secret_alloc(sizeof *job);
    err = job == NULL ? MCX_E_NOMEM : MCX_OK;
    while (err == MCX_OK && more) {
        err = hand_out(db, s, job, to->now_ms, to->each, to->arg);
        if (err == MCX_OK) {
            *after = job->id;
            to->left--;
            err = mcx_gmsdb_row(s, &more);
        }
    }
    mcx_secret_free(job);
    done = mcx_gmsdb_reset(s);
    return err != MCX_OK ? err : done;
}

mcx_err mcx_gmsdb_jobs(struct mcx_gmsdb *db, struct mcx_gmsdb_cursor *cursor, size_t max, uint64_t now_ms,
                       mcx_err (*each)(void *arg, const struct mcx_gms_job *job), void *arg)
{
    struct outlet to = { max, now_ms, each, arg };

    for (size_t rank = 0; rank < MCX_GMSDB_RANKS && to.left > 0; rank++) {
        MCX_TRY(hand_out_rank(db, &cursor->after[rank], rank, &to));
    }
    return MCX_OK;
}

static mcx_err late(struct mcx_gmsdb *db, uint64_t key, uint64_t round, const char *member, uint64_t now_ms)
{
    uint64_t etag = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_PAYLOADS_OLDER, "iit", key, round, member));
    MCX_TRY(mcx_gmsdb_do(db, Q_ETAG_NEXT, "i", now_ms));
    MCX_TRY(mcx_gmsdb_int(db, &etag, Q_ETAG, ""));
    return mcx_gmsdb_do(db, Q_KEY_TOUCH, "ii", key, etag);
}

/* OpenSSL does not tell a lack of memory from other failures: both are MCX_E_BUG. */
#define BUG_TRIES 3

static mcx_err failed(struct mcx_gmsdb *db, const struct mcx_gms_result *r, uint64_t tries)
{
    if (mcx_gms_result_is_passing(r)) {
        return MCX_OK;
    }
    if (r->err == MCX_E_BUG && tries + 1 < BUG_TRIES) {
        return mcx_gmsdb_do(db, Q_JOB_TRIED, "i", r->id);
    }
    return mcx_gmsdb_do(db, Q_JOB_END, "iit", r->id, (uint64_t)JOB_FAILED, r->reason);
}

static mcx_err one_result(struct mcx_gmsdb *db, const struct mcx_gms_result *r, uint64_t now_ms)
{
    char member[MCX_GMS_URI_MAX];
    sqlite3_stmt *s = NULL;
    uint64_t round = 0;
    uint64_t key = 0;
    uint64_t state = 0;
    uint64_t tries = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_JOB_ROUND, "i", r->id));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_OK; /* the round was given up */
    }
    round = mcx_gmsdb_num(s, 0);
    key = mcx_gmsdb_num(s, 1);
    state = mcx_gmsdb_num(s, 2);
    tries = mcx_gmsdb_num(s, 5);
    if (r->t_ms < mcx_gmsdb_num(s, 3)) {
        MCX_TRY(mcx_gmsdb_reset(s));
        return MCX_OK; /* of an earlier plan of this round: its times are others */
    }
    MCX_TRY(mcx_bytes_cstr(member, sizeof member, mcx_bytes_str(mcx_gmsdb_text(s, 4))));
    MCX_TRY(mcx_gmsdb_reset(s));
    if (r->err != MCX_OK) {
        return failed(db, r, tries);
    }
    MCX_TRY(mcx_gmsdb_do(db, Q_PAYLOAD_ADD, "itibti", round, member, key, r->message, r->kms, r->t_ms));
    MCX_TRY(mcx_gmsdb_do(db, Q_JOB_END, "iit", r->id, (uint64_t)JOB_DONE, ""));
    return state == ROUND_SHOWN ? late(db, key, round, member, now_ms) : MCX_OK;
}

mcx_err mcx_gmsdb_results(struct mcx_gmsdb *db, const struct mcx_gms_result *results, size_t num, uint64_t now_ms)
{
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_begin(db));
    for (size_t i = 0; i < num && err == MCX_OK; i++) {
        err = one_result(db, &results[i], now_ms);
    }
    return mcx_gmsdb_end(db, err);
}

mcx_err mcx_gmsdb_retry(struct mcx_gmsdb *db)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, mcx_gmsdb_do(db, Q_JOBS_RETRY, ""));
}
