/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of groups and rounds of payloads (TS 33.180 5.7.1). Everything here runs inside a transaction. */
#include "io/gmsdb_int.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_KEYS   64 /* of one group that are not ended */
#define DRAW_TRIES 8  /* an identifier of 28 random bits is hardly ever taken */
#define ANY_TYPE   255
#define STATUS_OK  1
#define MS         UINT64_C(1000)

struct ids {
    uint64_t id[MAX_KEYS];
    uint64_t state[MAX_KEYS];
    uint64_t activation[MAX_KEYS];
    uint64_t type[MAX_KEYS];
    size_t num;
};

/* Which of the keys that have not ended. */
enum which {
    ALL,
    STAYING, /* no other takes over */
    TRUSTED, /* not those that will be revoked: in use until another takes over */
};

static mcx_err keys_of(struct mcx_gmsdb *db, struct ids *out, uint64_t group, uint64_t except, uint64_t type,
                       enum which which)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    out->num = 0;
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEYS_OF_GROUP, "iiii", group, except, type, (uint64_t)which));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more && out->num < MAX_KEYS) {
        out->id[out->num] = mcx_gmsdb_num(s, 0);
        out->state[out->num] = mcx_gmsdb_num(s, 1);
        out->activation[out->num] = mcx_gmsdb_num(s, 2);
        out->type[out->num] = mcx_gmsdb_num(s, 3);
        out->num++;
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    MCX_TRY(mcx_gmsdb_reset(s));
    return more ? MCX_E_SPACE : MCX_OK;
}

/* Groups that share the present key of this type of a group. */
static mcx_err groups_of(struct mcx_gmsdb *db, uint64_t *out, size_t *num, size_t max, uint64_t group, uint64_t type)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    *num = 0;
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_GROUPS, "ii", group, type));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more && *num < max) {
        out[(*num)++] = mcx_gmsdb_num(s, 0);
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    MCX_TRY(mcx_gmsdb_reset(s));
    return more ? MCX_E_SPACE : MCX_OK;
}

/* Rounds */

struct round_what {
    enum round_kind kind;
    enum rank rank;
    uint64_t status;
    uint64_t left; /* for this group alone, which the key serves no more; 0 = for those that it serves */
};

/* T of a payload is later than that of every one before: a receiver takes an older one for a replay (RFC 3830 5.4). */
static mcx_err t_min(struct mcx_gmsdb *db, uint64_t *out, uint64_t key, uint64_t now_ms)
{
    uint64_t t = 0;

    MCX_TRY(mcx_gmsdb_int(db, &t, Q_KEY_T_MAX, "i", key));
    *out = t + 1 > now_ms ? t + 1 : now_ms;
    return MCX_OK;
}

static mcx_err round_new(struct mcx_gmsdb *db, uint64_t *round, uint64_t key, const struct round_what *what,
                         uint64_t now_ms)
{
    sqlite3_stmt *s = NULL;
    uint64_t activation = 0;
    uint64_t expiry = 0;
    uint64_t t = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_STATE, "i", key));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_BUG;
    }
    activation = mcx_gmsdb_num(s, 1);
    expiry = mcx_gmsdb_num(s, 2);
    MCX_TRY(mcx_gmsdb_reset(s));
    MCX_TRY(t_min(db, &t, key, now_ms));
    MCX_TRY(mcx_gmsdb_do(db, Q_ROUND_ADD, "iiiiiiiii", key, (uint64_t)what->kind, activation, expiry, what->status,
                         what->left, t, now_ms, (uint64_t)what->rank));
    *round = (uint64_t)sqlite3_last_insert_rowid(db->sqlite);
    return MCX_OK;
}

/* A job for every member of the groups of the key, and for the MCPTT servers, who send under a MKFC. */
static mcx_err jobs_for_all(struct mcx_gmsdb *db, uint64_t round, uint64_t key, uint64_t type)
{
    MCX_TRY(mcx_gmsdb_do(db, Q_JOBS_ADD, "ii", round, key));
    for (size_t i = 0; type == MCX_KEY_MKFC && i < db->policy.num_mcptt_servers; i++) {
        MCX_TRY(mcx_gmsdb_do(db, Q_JOB_ADD, "it", round, db->policy.mcptt_server[i]));
    }
    return MCX_OK;
}

/* Set the activation time by what is to be done until then: what stands before it in the queue, and itself. */
static mcx_err plan(struct mcx_gmsdb *db, uint64_t round, bool urgent, uint64_t tries, uint64_t now_ms, uint64_t t)
{
    const struct mcx_gms_timing *timing = &db->policy.timing;
    uint64_t waiting = 0;
    uint64_t speed = 0;
    uint64_t activation = 0;

    MCX_TRY(mcx_gmsdb_int(db, &waiting, Q_JOBS_BEFORE, "i", round));
    MCX_TRY(mcx_gmsdb_int(db, &speed, Q_SPEED, ""));
    activation = mcx_gms_activation(timing, urgent, now_ms / MS, mcx_gms_expected_s(waiting, speed), (uint32_t)tries);
    return mcx_gmsdb_do(db, Q_ROUND_PLAN, "iiiii", round, activation, mcx_gms_expiry(timing, activation), tries, t);
}

/* A key that nobody has seen yet serves other groups, or other members, than when its round began: begin again. */
static mcx_err refill(struct mcx_gmsdb *db, uint64_t key, uint64_t now_ms)
{
    sqlite3_stmt *s = NULL;
    uint64_t round = 0;
    uint64_t urgent = 0;
    uint64_t type = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_int(db, &round, Q_ROUND_OPEN, "ii", key, (uint64_t)ROUND_ISSUE));
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_STATE, "i", key));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_BUG;
    }
    urgent = mcx_gmsdb_num(s, 3);
    type = mcx_gmsdb_num(s, 4);
    MCX_TRY(mcx_gmsdb_reset(s));
    MCX_TRY(mcx_gmsdb_do(db, Q_PAYLOADS_DROP, "i", round));
    MCX_TRY(mcx_gmsdb_do(db, Q_JOBS_DROP, "i", round));
    MCX_TRY(mcx_gmsdb_do(db, Q_ROUND_GROUPS, "ii", round, key));
    MCX_TRY(jobs_for_all(db, round, key, type));
    return plan(db, round, urgent != 0, 0, now_ms, now_ms + 1); /* what is in a worker's hands has an older T */
}

/* New payloads for all members of a key that is in use: other groups, or revoked. */
static mcx_err remake(struct mcx_gmsdb *db, uint64_t key, uint64_t type, const struct round_what *what, uint64_t now_ms)
{
    uint64_t round = 0;

    MCX_TRY(round_new(db, &round, key, what, now_ms));
    return jobs_for_all(db, round, key, type);
}

/* A group that the key serves no more: its members hold it still. */
static mcx_err tell_left(struct mcx_gmsdb *db, uint64_t key, uint64_t group, enum rank rank, uint64_t now_ms)
{
    const struct round_what revoke = { ROUND_REVOKE, rank, 0, group };
    uint64_t round = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_TELL, "ii", key, group));
    MCX_TRY(round_new(db, &round, key, &revoke, now_ms));
    return mcx_gmsdb_do(db, Q_JOBS_ADD_LEFT, "iii", round, key, group);
}

/* Groups that another key took over in without a revocation. */
static mcx_err tell_untold(struct mcx_gmsdb *db, uint64_t key, enum rank rank, uint64_t now_ms)
{
    for (;;) {
        uint64_t group = 0;
        mcx_err err = mcx_gmsdb_int(db, &group, Q_KEY_UNTOLD, "i", key);

        if (err != MCX_OK) {
            return err == MCX_E_NOKEY ? MCX_OK : err;
        }
        MCX_TRY(tell_left(db, key, group, rank, now_ms));
    }
}

mcx_err mcx_gmsdb_key_revoke(struct mcx_gmsdb *db, uint64_t key, uint64_t now_ms)
{
    const struct round_what revoke = { ROUND_REVOKE, RANK_URGENT, 0, 0 };
    sqlite3_stmt *s = NULL;
    uint64_t type = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_STATE, "i", key));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_BUG;
    }
    type = mcx_gmsdb_num(s, 4);
    MCX_TRY(mcx_gmsdb_reset(s));
    MCX_TRY(mcx_gmsdb_do(db, Q_ROUND_GIVE_UP, "i", key)); /* updates under way have no purpose any more */
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_REVOKE_ALL, "i", key));
    MCX_TRY(tell_untold(db, key, RANK_URGENT, now_ms));
    return remake(db, key, type, &revoke, now_ms);
}

/* Those who came after its end never had it, and shall not get it with its revocation. */
mcx_err mcx_gmsdb_key_revoke_past(struct mcx_gmsdb *db, uint64_t key, uint64_t now_ms)
{
    const struct round_what revoke = { ROUND_REVOKE, RANK_WAITING, 0, 0 }; /* the new key goes first */
    uint64_t round = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_REVOKE_ALL, "i", key));
    MCX_TRY(tell_untold(db, key, RANK_WAITING, now_ms));
    MCX_TRY(round_new(db, &round, key, &revoke, now_ms));
    MCX_TRY(mcx_gmsdb_do(db, Q_JOBS_ADD_PAST, "ii", round, key));
    return mcx_gmsdb_do(db, Q_KEY_END, "iii", key, (uint64_t)KEY_REVOKED, now_ms);
}

static mcx_err key_end(struct mcx_gmsdb *db, uint64_t key, enum key_state state, uint64_t now_ms)
{
    uint64_t etag = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_ETAG_NEXT, "i", now_ms));
    MCX_TRY(mcx_gmsdb_int(db, &etag, Q_ETAG, ""));
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_TOUCH, "ii", key, etag));
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_END, "iii", key, (uint64_t)state, now_ms));
    return mcx_gmsdb_do(db, Q_KEY_ROUNDS_DROP, "i", key);
}

/* New keys */

/* A key nobody has seen does not take this group any more; without any group it is nothing. */
static mcx_err abandon(struct mcx_gmsdb *db, uint64_t key, uint64_t group, uint64_t successor, bool revoke,
                       uint64_t now_ms)
{
    uint64_t left = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_INHERIT, "iiii", key, group, successor, (uint64_t)revoke));
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_UNBIND, "ii", key, group));
    MCX_TRY(mcx_gmsdb_int(db, &left, Q_KEY_NUM_GROUPS, "i", key));
    return left == 0 ? key_end(db, key, KEY_ABANDONED, now_ms) : refill(db, key, now_ms);
}

/* The keys of the group give way to the new one; one that waits for its time and is to be revoked goes at once. */
static mcx_err supersede(struct mcx_gmsdb *db, uint64_t group, uint64_t key, const struct new_key *what,
                         uint64_t now_ms)
{
    struct ids old;

    MCX_TRY(keys_of(db, &old, group, key, what->type, ALL));
    for (size_t i = 0; i < old.num; i++) {
        uint64_t num = 0;

        if (old.state[i] == KEY_PREPARING) {
            MCX_TRY(abandon(db, old.id[i], group, key, what->revoke, now_ms));
            continue;
        }
        MCX_TRY(mcx_gmsdb_do(db, Q_KEY_SUCCEED, "iiii", old.id[i], group, key, (uint64_t)what->revoke));
        MCX_TRY(mcx_gmsdb_int(db, &num, Q_KEY_NUM_GROUPS, "i", old.id[i]));
        if (what->revoke && num == 1 && old.activation[i] > now_ms / MS) {
            MCX_TRY(mcx_gmsdb_key_revoke(db, old.id[i], now_ms));
        }
    }
    return MCX_OK;
}

/* Whoever is to be shut out had the keys before the present one too. @retval MCX_E_NOKEY no more of them */
static mcx_err revoke_one_past(struct mcx_gmsdb *db, uint64_t group, uint64_t type, uint64_t now_ms)
{
    sqlite3_stmt *s = NULL;
    uint64_t key = 0;
    uint64_t state = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_PAST, "iii", group, type, now_ms / MS));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_NOKEY;
    }
    key = mcx_gmsdb_num(s, 0);
    state = mcx_gmsdb_num(s, 1);
    MCX_TRY(mcx_gmsdb_reset(s));
    return state == KEY_RETIRED ? mcx_gmsdb_key_revoke_past(db, key, now_ms)
                                : tell_left(db, key, group, RANK_WAITING, now_ms);
}

static mcx_err revoke_past(struct mcx_gmsdb *db, uint64_t group, uint64_t type, uint64_t now_ms)
{
    mcx_err err = MCX_OK;

    while (err == MCX_OK) {
        err = revoke_one_past(db, group, type, now_ms);
    }
    return err == MCX_E_NOKEY ? MCX_OK : err;
}

/* Draw and store, sealed. An identifier is never used twice: UNIQUE says whether it was. */
static mcx_err key_add(struct mcx_gmsdb *db, uint64_t *id, uint32_t *key_id, const struct mcx_gmsdb_event *ev,
                       const struct new_key *what)
{
    uint8_t sealed[MCX_GMS_SEALED_LEN];
    struct mcx_gms_key key;
    mcx_err err = mcx_gms_key_draw(&key, what->type, &db->policy.rng);

    err = err == MCX_OK ? mcx_gms_key_seal(sealed, &key, db->policy.seal_key, &db->policy.rng) : err;
    *key_id = key.key_id;
    mcx_gms_key_clear(&key);
    MCX_TRY(err);
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_ADD, "iibiti", (uint64_t)what->type, (uint64_t)*key_id,
                         mcx_bytes(sealed, sizeof sealed), (uint64_t)(what->rank == RANK_URGENT), what->cause,
                         ev->now_ms));
    *id = (uint64_t)sqlite3_last_insert_rowid(db->sqlite);
    for (size_t i = 0; i < what->num_groups; i++) {
        MCX_TRY(mcx_gmsdb_do(db, Q_KEY_GROUP_ADD, "ii", *id, what->group[i]));
    }
    return MCX_OK;
}

static mcx_err key_forget(struct mcx_gmsdb *db, uint64_t id)
{
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_GROUPS_DROP, "i", id));
    return mcx_gmsdb_do(db, Q_KEY_DROP, "i", id);
}

/* A key under which no GUK-IDs meet; in groups beyond some 20,000 there may be none, then whatever came last. */
static mcx_err key_draw(struct mcx_gmsdb *db, uint64_t *id, uint32_t *key_id, bool *meet,
                        const struct mcx_gmsdb_event *ev, const struct new_key *what)
{
    mcx_err err = MCX_E_POLICY;

    *meet = false;
    for (int i = 0; i < DRAW_TRIES && (err == MCX_E_POLICY || *meet); i++) {
        if (*meet) {
            MCX_TRY(key_forget(db, *id));
        }
        *meet = false;
        err = key_add(db, id, key_id, ev, what);
        if (err == MCX_OK) {
            MCX_TRY(mcx_gmsdb_guk_meet(db, meet, *id, false));
        }
    }
    return err == MCX_E_POLICY ? MCX_E_RNG : err;
}

static mcx_err audit_key(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *event, uint64_t group,
                         uint32_t key_id)
{
    sqlite3_stmt *s = NULL;
    char uri[MCX_GMS_URI_MAX] = "";
    char subject[16];
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_GROUP_HEAD, "i", group));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (more) {
        (void)snprintf(uri, sizeof uri, "%s", mcx_gmsdb_text(s, 1));
        MCX_TRY(mcx_gmsdb_reset(s));
    }
    (void)snprintf(subject, sizeof subject, "%08" PRIx32, key_id);
    return mcx_gmsdb_audit(db, ev, event, uri, subject);
}

mcx_err mcx_gmsdb_key_new(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const struct new_key *what)
{
    const struct round_what issue = { ROUND_ISSUE, what->rank, STATUS_OK, 0 };
    uint32_t key_id = 0;
    uint64_t key = 0;
    uint64_t round = 0;
    bool meet = false;

    MCX_TRY(key_draw(db, &key, &key_id, &meet, ev, what));
    for (size_t i = 0; i < what->num_groups; i++) {
        MCX_TRY(audit_key(db, ev, what->type == MCX_KEY_GMK ? "new GMK" : "new MKFC", what->group[i], key_id));
        if (meet) {
            MCX_TRY(audit_key(db, ev, "GUK-IDs of members are equal", what->group[i], key_id));
        }
    }
    for (size_t i = 0; i < what->num_groups; i++) {
        MCX_TRY(supersede(db, what->group[i], key, what, ev->now_ms));
        if (what->revoke) {
            MCX_TRY(revoke_past(db, what->group[i], (uint64_t)what->type, ev->now_ms));
        }
    }
    MCX_TRY(round_new(db, &round, key, &issue, ev->now_ms));
    MCX_TRY(jobs_for_all(db, round, key, what->type));
    return plan(db, round, what->rank == RANK_URGENT, 0, ev->now_ms, ev->now_ms);
}

/* Which types of keys a group needs (TS 24.481 7.2: protect-media, require-multicast-floor-control-signalling). */
static mcx_err needs(struct mcx_gmsdb *db, bool *gmk, bool *mkfc, uint64_t group)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_GROUP_HEAD, "i", group));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_BUG;
    }
    *gmk = mcx_gmsdb_num(s, 4) != 0;
    *mkfc = mcx_gmsdb_num(s, 6) != 0;
    MCX_TRY(mcx_gmsdb_reset(s));
    return MCX_OK;
}

/* The group itself, first, and those that share its present key. */
static mcx_err sharing(struct mcx_gmsdb *db, uint64_t *out, size_t *num, uint64_t group, enum mcx_key_type type)
{
    bool there = false;

    MCX_TRY(groups_of(db, out, num, MCX_GMS_GROUPS_MAX, group, (uint64_t)type));
    for (size_t i = 0; i < *num; i++) {
        there = there || out[i] == group;
    }
    if (!there) {
        out[0] = group; /* it has none */
        *num = 1;
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_keys_new(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group, bool own,
                           const char *cause, enum rank rank, bool revoke)
{
    uint64_t groups[MCX_GMS_GROUPS_MAX] = { group };
    bool wanted[2] = { false, false };
    static const enum mcx_key_type types[2] = { MCX_KEY_GMK, MCX_KEY_MKFC };

    MCX_TRY(needs(db, &wanted[0], &wanted[1], group));
    for (size_t i = 0; i < 2; i++) {
        struct new_key what = {
            .type = types[i], .group = groups, .num_groups = 1, .cause = cause, .rank = rank, .revoke = revoke
        };

        if (!wanted[i]) {
            continue;
        }
        groups[0] = group;
        if (!own) {
            MCX_TRY(sharing(db, groups, &what.num_groups, group, types[i]));
        }
        MCX_TRY(mcx_gmsdb_key_new(db, ev, &what));
    }
    return MCX_OK;
}

#define GUKS_MET "GUK-IDs were equal" /* cause of new keys */

/* A new key for the group and all that it was to share one with. */
static mcx_err share_anew(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group, uint64_t share,
                          enum mcx_key_type type)
{
    uint64_t groups[MCX_GMS_GROUPS_MAX] = { 0 };
    struct new_key what = { .type = type, .group = groups, .cause = GUKS_MET, .rank = RANK_WAITING };

    MCX_TRY(groups_of(db, groups, &what.num_groups, MCX_GMS_GROUPS_MAX - 1, share, (uint64_t)type));
    groups[what.num_groups++] = group;
    return mcx_gmsdb_key_new(db, ev, &what);
}

static mcx_err share_one(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group, uint64_t share,
                         const struct ids *keys, size_t at, struct mcx_refusal *why)
{
    const struct round_what update = { ROUND_UPDATE, RANK_WAITING, STATUS_OK, 0 };
    const uint64_t key = keys->id[at];
    uint64_t num = 0;
    bool meet = false;

    MCX_TRY(mcx_gmsdb_int(db, &num, Q_KEY_NUM_GROUPS, "i", key));
    if (num >= MCX_GMS_GROUPS_MAX) {
        return mcx_refuse(why, MCX_E_POLICY, "a key can serve no more groups", "TS 33.180 E.6.3");
    }
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_GROUP_ADD, "ii", key, group));
    MCX_TRY(mcx_gmsdb_guk_meet(db, &meet, key, true));
    if (meet) {
        MCX_TRY(mcx_gmsdb_do(db, Q_KEY_UNBIND, "ii", key, group));
        return share_anew(db, ev, group, share, (enum mcx_key_type)keys->type[at]);
    }
    return keys->state[at] == KEY_PREPARING ? refill(db, key, ev->now_ms)
                                            : remake(db, key, keys->type[at], &update, ev->now_ms);
}

/* A group takes the keys of those types only that it needs: the others would outlive a removal. */
mcx_err mcx_gmsdb_keys_share(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group, uint64_t share,
                             struct mcx_refusal *why)
{
    struct ids keys;
    bool shared[2] = { false, false };
    bool gmk = false;
    bool mkfc = false;

    MCX_TRY(needs(db, &gmk, &mkfc, group));
    MCX_TRY(keys_of(db, &keys, share, 0, ANY_TYPE, STAYING));
    for (size_t i = 0; i < keys.num; i++) {
        bool *wanted = keys.type[i] == MCX_KEY_GMK ? &gmk : &mkfc;

        if (*wanted || shared[keys.type[i] == MCX_KEY_MKFC]) {
            MCX_TRY(share_one(db, ev, group, share, &keys, i, why));
            shared[keys.type[i] == MCX_KEY_MKFC] = true;
            *wanted = false;
        }
    }
    if (gmk || mkfc) {
        return mcx_refuse(why, MCX_E_POLICY, "the group whose keys are to be shared lacks one that this one needs",
                          "TS 33.180 5.7.1");
    }
    return MCX_OK;
}

/* One more round of payloads, or more in the one under way. */
static mcx_err give_newcomers(struct mcx_gmsdb *db, uint64_t key, uint64_t state, uint64_t now_ms)
{
    const struct round_what update = { ROUND_UPDATE, RANK_WAITING, STATUS_OK, 0 };
    uint64_t round = 0;

    if (state == KEY_PREPARING) {
        MCX_TRY(mcx_gmsdb_int(db, &round, Q_ROUND_OPEN, "ii", key, (uint64_t)ROUND_ISSUE));
    } else {
        MCX_TRY(round_new(db, &round, key, &update, now_ms));
    }
    return mcx_gmsdb_do(db, Q_JOBS_ADD_NEW, "i", round);
}

mcx_err mcx_gmsdb_keys_add_members(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group)
{
    struct ids keys;
    bool meet = false;

    MCX_TRY(keys_of(db, &keys, group, 0, ANY_TYPE, TRUSTED));
    for (size_t i = 0; i < keys.num && !meet; i++) {
        MCX_TRY(mcx_gmsdb_guk_meet(db, &meet, keys.id[i], true));
    }
    if (meet) {
        return mcx_gmsdb_keys_new(db, ev, group, false, GUKS_MET, RANK_WAITING, false);
    }
    for (size_t i = 0; i < keys.num; i++) {
        MCX_TRY(give_newcomers(db, keys.id[i], keys.state[i], ev->now_ms));
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_keys_leave(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group)
{
    const struct round_what update = { ROUND_UPDATE, RANK_ROUTINE, STATUS_OK, 0 };
    struct ids keys;

    MCX_TRY(keys_of(db, &keys, group, 0, ANY_TYPE, ALL));
    for (size_t i = 0; i < keys.num; i++) {
        uint64_t num = 0;

        MCX_TRY(mcx_gmsdb_int(db, &num, Q_KEY_NUM_GROUPS, "i", keys.id[i]));
        if (num <= 1) {
            MCX_TRY(key_end(db, keys.id[i], KEY_RETIRED, ev->now_ms));
            continue;
        }
        MCX_TRY(mcx_gmsdb_do(db, Q_KEY_UNBIND, "ii", keys.id[i], group));
        MCX_TRY(keys.state[i] == KEY_PREPARING ? refill(db, keys.id[i], ev->now_ms)
                                               : remake(db, keys.id[i], keys.type[i], &update, ev->now_ms));
    }
    return MCX_OK;
}

/* What time brings */

/* The split of a shared key: one group has a successor, the others go on with it. */
static mcx_err split(struct mcx_gmsdb *db, uint64_t key, uint64_t group, bool revoke, uint64_t now_ms)
{
    const struct round_what update = { ROUND_UPDATE, RANK_ROUTINE, STATUS_OK, 0 };
    uint64_t type = 0;
    sqlite3_stmt *s = NULL;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_STATE, "i", key));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_BUG;
    }
    type = mcx_gmsdb_num(s, 4);
    MCX_TRY(mcx_gmsdb_reset(s));
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_SUCCESSOR_DONE, "iii", key, group, now_ms));
    MCX_TRY(remake(db, key, type, &update, now_ms));
    return revoke ? tell_left(db, key, group, RANK_URGENT, now_ms) : MCX_OK;
}

/* The last groups are through with it; revocations that others are still to hear of stay in their documents. */
static mcx_err retire(struct mcx_gmsdb *db, uint64_t key, uint64_t now_ms)
{
    uint64_t etag = 0;
    uint64_t told = 0;

    MCX_TRY(mcx_gmsdb_int(db, &told, Q_KEY_TOLD, "i", key));
    if (told == 0) {
        return key_end(db, key, KEY_RETIRED, now_ms);
    }
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_LEAVE_ALL, "ii", key, now_ms));
    MCX_TRY(mcx_gmsdb_do(db, Q_ETAG_NEXT, "i", now_ms));
    MCX_TRY(mcx_gmsdb_int(db, &etag, Q_ETAG, ""));
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_TOUCH, "ii", key, etag));
    return mcx_gmsdb_do(db, Q_KEY_END, "iii", key, (uint64_t)KEY_REVOKED, now_ms);
}

/* One key whose successor is active. @retval MCX_E_NOKEY none is left */
static mcx_err one_switch(struct mcx_gmsdb *db, uint64_t now_ms)
{
    sqlite3_stmt *s = NULL;
    uint64_t key = 0;
    uint64_t group = 0;
    uint64_t successor = 0;
    uint64_t others = 0;
    bool revoke = false;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_SWITCHES, "ii", now_ms / MS, (uint64_t)db->policy.timing.fetch_window_s));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_NOKEY;
    }
    key = mcx_gmsdb_num(s, 0);
    group = mcx_gmsdb_num(s, 1);
    successor = mcx_gmsdb_num(s, 2);
    revoke = mcx_gmsdb_num(s, 3) != 0;
    MCX_TRY(mcx_gmsdb_reset(s));
    MCX_TRY(mcx_gmsdb_int(db, &others, Q_SWITCH_OTHERS, "iii", key, group, successor));
    if (others > 0) {
        return split(db, key, group, revoke, now_ms);
    }
    return revoke ? mcx_gmsdb_key_revoke(db, key, now_ms) : retire(db, key, now_ms);
}

/* A round whose jobs have all ended. */
struct complete {
    uint64_t round;
    uint64_t key;
    enum round_kind kind;
    uint64_t activation;
    uint64_t expiry;
    uint64_t tries;
    bool urgent;
    char group[MCX_GMS_URI_MAX];
    struct mcx_gmsdb_news news;
};

static mcx_err next_complete(struct mcx_gmsdb *db, struct complete *c)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_ROUNDS_COMPLETE, ""));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_NOKEY;
    }
    c->round = mcx_gmsdb_num(s, 0);
    c->key = mcx_gmsdb_num(s, 1);
    c->kind = (enum round_kind)mcx_gmsdb_num(s, 2);
    c->activation = mcx_gmsdb_num(s, 3);
    c->expiry = mcx_gmsdb_num(s, 4);
    c->tries = mcx_gmsdb_num(s, 5);
    c->urgent = mcx_gmsdb_num(s, 6) != 0;
    (void)snprintf(c->group, sizeof c->group, "%s", mcx_gmsdb_text(s, 9));
    c->news = (struct mcx_gmsdb_news){ .group = c->group,
                                       .type = (enum mcx_key_type)mcx_gmsdb_num(s, 7),
                                       .key_id = (uint32_t)mcx_gmsdb_num(s, 8),
                                       .done = mcx_gmsdb_num(s, 10),
                                       .total = mcx_gmsdb_num(s, 11) };
    MCX_TRY(mcx_gmsdb_reset(s));
    return MCX_OK;
}

/* Too late for the members to fetch it: everything once more, with the same identifier and newer T. */
static mcx_err plan_again(struct mcx_gmsdb *db, const struct complete *c, uint64_t now_ms)
{
    MCX_TRY(mcx_gmsdb_do(db, Q_PAYLOADS_DROP, "i", c->round));
    MCX_TRY(mcx_gmsdb_do(db, Q_JOBS_RESET, "i", c->round));
    return plan(db, c->round, c->urgent, c->tries + 1, now_ms, now_ms + 1);
}

static mcx_err show(struct mcx_gmsdb *db, struct complete *c, uint64_t now_ms)
{
    uint64_t etag = 0;
    uint64_t left = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_ROUND_SHOW, "ii", c->round, now_ms));
    MCX_TRY(mcx_gmsdb_do(db, Q_PAYLOADS_OLD, "ii", c->key, c->round));
    MCX_TRY(mcx_gmsdb_do(db, Q_ROUND_REPLACED, "i", c->round));
    MCX_TRY(mcx_gmsdb_do(db, Q_ETAG_NEXT, "i", now_ms));
    MCX_TRY(mcx_gmsdb_int(db, &etag, Q_ETAG, ""));
    MCX_TRY(mcx_gmsdb_do(db, Q_KEY_TOUCH, "ii", c->key, etag));
    c->news.event = c->kind == ROUND_UPDATE ? "payloads shown" : "revocation shown";
    if (c->kind == ROUND_ISSUE) {
        c->news.event = "key shown";
        MCX_TRY(mcx_gmsdb_do(db, Q_KEY_CONSTITUENTS_TOUCH, "ii", c->key, etag)); /* now they are regrouped */
        return mcx_gmsdb_do(db, Q_KEY_PUBLISH, "iii", c->key, c->activation, c->expiry);
    }
    if (c->kind == ROUND_REVOKE) {
        MCX_TRY(mcx_gmsdb_int(db, &left, Q_KEY_LEFT, "i", c->key));
        return left > 0 ? MCX_OK : mcx_gmsdb_do(db, Q_KEY_END, "iii", c->key, (uint64_t)KEY_REVOKED, now_ms);
    }
    return MCX_OK;
}

static mcx_err one_round(struct mcx_gmsdb *db, struct complete *c, uint64_t now_ms)
{
    MCX_TRY(next_complete(db, c));
    if (c->kind == ROUND_ISSUE && !mcx_gms_in_time(&db->policy.timing, c->urgent, now_ms / MS, c->activation)) {
        c->news.event = "activation moved: too little time was left";
        return plan_again(db, c, now_ms);
    }
    return show(db, c, now_ms);
}

#define KEEP_REVOKED_MS (UINT64_C(30) * 86400 * MS) /* a member who was away hears of a revocation so long */

static mcx_err one_expired(struct mcx_gmsdb *db, uint64_t now_ms)
{
    uint64_t key = 0;

    MCX_TRY(
        mcx_gmsdb_int(db, &key, Q_EXPIRED, "ii", now_ms / MS, now_ms > KEEP_REVOKED_MS ? now_ms - KEEP_REVOKED_MS : 0));
    return key_end(db, key, KEY_RETIRED, now_ms);
}

/* When keys are too old. */
struct aging {
    uint64_t home_start_ms;
    uint64_t ahead; /* what expires by then gives way now, Unix seconds */
};

/* Keys that expire together are made one after another, behind what waits already: all of it has to fit. */
static mcx_err look_ahead(struct mcx_gmsdb *db, uint64_t *ahead, uint64_t now_ms)
{
    uint64_t jobs = 0;
    uint64_t speed = 0;

    MCX_TRY(mcx_gmsdb_int(db, &jobs, Q_JOBS_AHEAD, ""));
    MCX_TRY(mcx_gmsdb_int(db, &speed, Q_SPEED, ""));
    *ahead = now_ms / MS + mcx_gms_lead_s(&db->policy.timing, mcx_gms_expected_s(jobs, speed));
    return MCX_OK;
}

/* One group whose key is old, near its end or of the key period before: docs/DEVIATIONS.md "gms-period". */
static mcx_err one_aged(struct mcx_gmsdb *db, uint64_t now_ms, const struct aging *aging)
{
    const struct mcx_gms_timing *timing = &db->policy.timing;
    const struct mcx_gmsdb_event ev = { "", now_ms };
    sqlite3_stmt *s = NULL;
    uint64_t group = 0;
    char cause[16];
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_AGED, "iiii", now_ms / MS, (uint64_t)timing->rekey_every_s, aging->ahead,
                           aging->home_start_ms));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_NOKEY;
    }
    group = mcx_gmsdb_num(s, 0);
    (void)snprintf(cause, sizeof cause, "%s", mcx_gmsdb_text(s, 1));
    MCX_TRY(mcx_gmsdb_reset(s));
    return mcx_gmsdb_keys_new(db, &ev, group, false, cause, RANK_ROUTINE, false);
}

/* One key with payloads of an earlier key period of this KMS. */
static mcx_err one_stale(struct mcx_gmsdb *db, uint64_t now_ms, const struct mcx_gmsdb_period *period)
{
    const struct round_what update = { ROUND_UPDATE, RANK_ROUTINE, STATUS_OK, 0 };
    uint64_t key = 0;
    uint64_t round = 0;

    MCX_TRY(mcx_gmsdb_int(db, &key, Q_STALE, "ti", period->kms_uri, period->start_ms));
    MCX_TRY(round_new(db, &round, key, &update, now_ms));
    return mcx_gmsdb_do(db, Q_STALE_JOBS, "iiti", round, key, period->kms_uri, period->start_ms);
}

typedef mcx_err (*due)(struct mcx_gmsdb *db, uint64_t now_ms, const void *arg);

/* Each thing that is due in a transaction of its own, until nothing is; bounded, the rest is done at the next tick. */
#define MAX_DUE 256

static mcx_err each_due(struct mcx_gmsdb *db, due work, uint64_t now_ms, const void *arg)
{
    for (int i = 0; i < MAX_DUE; i++) {
        mcx_err err = MCX_OK;

        MCX_TRY(mcx_gmsdb_begin(db));
        err = mcx_gmsdb_end(db, work(db, now_ms, arg));
        if (err != MCX_OK) {
            return err == MCX_E_NOKEY ? MCX_OK : err;
        }
    }
    return MCX_OK;
}

static mcx_err due_switch(struct mcx_gmsdb *db, uint64_t now_ms, const void *arg)
{
    (void)arg;
    return one_switch(db, now_ms);
}

static mcx_err due_expired(struct mcx_gmsdb *db, uint64_t now_ms, const void *arg)
{
    (void)arg;
    return one_expired(db, now_ms);
}

static mcx_err due_aged(struct mcx_gmsdb *db, uint64_t now_ms, const void *arg)
{
    return one_aged(db, now_ms, arg);
}

static mcx_err due_stale(struct mcx_gmsdb *db, uint64_t now_ms, const void *arg)
{
    return one_stale(db, now_ms, arg);
}

static mcx_err show_complete(struct mcx_gmsdb *db, uint64_t now_ms,
                             void (*news)(void *arg, const struct mcx_gmsdb_news *n), void *arg)
{
    for (int i = 0; i < MAX_DUE; i++) {
        struct complete c;
        mcx_err err = MCX_OK;

        MCX_TRY(mcx_gmsdb_begin(db));
        err = mcx_gmsdb_end(db, one_round(db, &c, now_ms));
        if (err != MCX_OK) {
            return err == MCX_E_NOKEY ? MCX_OK : err;
        }
        news(arg, &c.news);
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_tick(struct mcx_gmsdb *db, uint64_t now_ms, const struct mcx_gmsdb_period *periods,
                       size_t num_periods, void (*news)(void *arg, const struct mcx_gmsdb_news *n), void *arg)
{
    struct aging aging = { 0, 0 };

    MCX_TRY(show_complete(db, now_ms, news, arg));
    MCX_TRY(each_due(db, due_switch, now_ms, NULL));
    MCX_TRY(each_due(db, due_expired, now_ms, NULL));
    for (size_t i = 0; i < num_periods; i++) {
        aging.home_start_ms = periods[i].home ? periods[i].start_ms : aging.home_start_ms;
    }
    MCX_TRY(look_ahead(db, &aging.ahead, now_ms));
    MCX_TRY(each_due(db, due_aged, now_ms, &aging));
    for (size_t i = 0; i < num_periods; i++) {
        MCX_TRY(each_due(db, due_stale, now_ms, &periods[i]));
    }
    return MCX_OK;
}
