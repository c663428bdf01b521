/* SPDX-License-Identifier: Apache-2.0 */
/* Key events (TS 33.180 5.7, 7.3): what happens to groups and their members. Each is one transaction. */
#include "io/gmsdb_int.h"

#include <stdio.h>
#include <string.h>

/* A URI as the KMSs issue it: printable ASCII without space. */
static bool uri_ok(const char *uri)
{
    size_t len = strlen(uri);

    for (size_t i = 0; i < len; i++) {
        if (uri[i] < 0x21 || uri[i] > 0x7e) {
            return false;
        }
    }
    return len > 0 && len < MCX_GMS_URI_MAX && strchr(uri, ':') != NULL;
}

static mcx_err check_uri(const char *uri, struct mcx_refusal *why)
{
    return uri_ok(uri) ? MCX_OK
                       : mcx_refuse(why, MCX_E_ARG, "not a URI of printable characters, at most 255", "RFC 3986 2");
}

static mcx_err add_members(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group, const char *uri,
                           const struct mcx_gmsdb_members *members, bool tell, struct mcx_refusal *why)
{
    struct mcx_group_member m = { 0 };

    MCX_TRY(mcx_gmsdb_do(db, Q_NEWCOMERS_DROP, ""));
    while (members->next(members->arg, &m)) {
        mcx_err err = check_uri(m.mcptt_id, why);

        MCX_TRY(err);
        err = mcx_gmsdb_do(db, Q_MEMBER_ADD, "ittiii", group, m.mcptt_id, m.display_name, (uint64_t)m.priority,
                           (uint64_t)m.receive_only, ev->now_ms);
        if (err == MCX_E_POLICY) {
            return mcx_refuse(why, err, "somebody is a member already", "TS 24.481 7.2");
        }
        MCX_TRY(err);
        MCX_TRY(mcx_gmsdb_do(db, Q_NEWCOMER_ADD, "t", m.mcptt_id));
        if (tell) {
            MCX_TRY(mcx_gmsdb_audit(db, ev, "member added", uri, m.mcptt_id));
        }
    }
    return MCX_OK;
}

static mcx_err group_row(struct mcx_gmsdb *db, uint64_t *id, const struct mcx_gmsdb_event *ev,
                         const struct mcx_group_head *h, bool temporary, struct mcx_refusal *why)
{
    mcx_err err = check_uri(h->uri, why);

    MCX_TRY(err);
    err = mcx_gmsdb_do(db, Q_GROUP_ADD, "ttiiiiiiiti", h->uri, h->display_name, (uint64_t)h->kind,
                       (uint64_t)h->protect_media, (uint64_t)h->protect_floor, (uint64_t)h->multicast_floor,
                       (uint64_t)h->max_participants, (uint64_t)h->priority, (uint64_t)temporary, h->requestor,
                       ev->now_ms);
    if (err == MCX_E_POLICY) {
        return mcx_refuse(why, err, "there is a group with this URI", "TS 24.481 6.3.2");
    }
    MCX_TRY(err);
    *id = (uint64_t)sqlite3_last_insert_rowid(db->sqlite);
    return mcx_gmsdb_touch(db, *id, true, ev->now_ms);
}

static mcx_err create(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const struct mcx_group_head *head,
                      const struct mcx_gmsdb_members *members, const char *share, struct mcx_refusal *why)
{
    uint64_t id = 0;
    uint64_t other = 0;

    MCX_TRY(group_row(db, &id, ev, head, false, why));
    MCX_TRY(mcx_gmsdb_audit(db, ev, "group created", head->uri, ""));
    MCX_TRY(add_members(db, ev, id, head->uri, members, false, why));
    if (share == NULL) {
        return mcx_gmsdb_keys_new(db, ev, id, true, "group created", RANK_WAITING, false);
    }
    MCX_TRY(mcx_gmsdb_group_id(db, &other, share, why));
    return mcx_gmsdb_keys_share(db, ev, id, other, why);
}

mcx_err mcx_gmsdb_group_create(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev,
                               const struct mcx_group_head *head, const struct mcx_gmsdb_members *members,
                               const char *share, struct mcx_refusal *why)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, create(db, ev, head, members, share, why));
}

/* The temporary group that this one is part of; 0 = none. */
static mcx_err temporary_of(struct mcx_gmsdb *db, uint64_t *out, uint64_t group)
{
    mcx_err err = mcx_gmsdb_int(db, out, Q_TEMPORARY_OF, "i", group);

    if (err == MCX_E_NOKEY) {
        *out = 0;
        return MCX_OK;
    }
    return err;
}

static mcx_err delete_group(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                            struct mcx_refusal *why)
{
    uint64_t id = 0;
    uint64_t temporary = 0;
    uint64_t etag = 0;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, why));
    MCX_TRY(temporary_of(db, &temporary, id));
    if (temporary != 0) {
        return mcx_refuse(why, MCX_E_POLICY, "the group is part of a temporary group", "TS 24.481 6.3.15");
    }
    MCX_TRY(mcx_gmsdb_keys_leave(db, ev, id));
    MCX_TRY(mcx_gmsdb_do(db, Q_ETAG_NEXT, "i", ev->now_ms));
    MCX_TRY(mcx_gmsdb_int(db, &etag, Q_ETAG, ""));
    MCX_TRY(mcx_gmsdb_do(db, Q_CONSTITUENTS_TOUCH, "ii", id, etag)); /* of a temporary one: both elements go */
    MCX_TRY(mcx_gmsdb_do(db, Q_GROUP_DROP, "i", id));
    return mcx_gmsdb_audit(db, ev, "group deleted", group, "");
}

mcx_err mcx_gmsdb_group_delete(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                               struct mcx_refusal *why)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, delete_group(db, ev, group, why));
}

static mcx_err is_temporary(struct mcx_gmsdb *db, bool *out, uint64_t group)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_GROUP_HEAD, "i", group));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_E_BUG;
    }
    *out = mcx_gmsdb_num(s, 9) != 0;
    MCX_TRY(mcx_gmsdb_reset(s));
    return MCX_OK;
}

/* What newcomers to a constituent are to the temporary group. */
static mcx_err join_temporary(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group)
{
    uint64_t temporary = 0;
    uint64_t num = 0;

    MCX_TRY(temporary_of(db, &temporary, group));
    if (temporary == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_gmsdb_do(db, Q_NEWCOMERS_KNOWN, "i", temporary)); /* by another of its parts */
    MCX_TRY(mcx_gmsdb_int(db, &num, Q_NEWCOMERS, ""));
    if (num == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_gmsdb_do(db, Q_MEMBERS_UNITE, "ii", temporary, ev->now_ms));
    MCX_TRY(mcx_gmsdb_touch(db, temporary, true, ev->now_ms));
    return mcx_gmsdb_keys_add_members(db, ev, temporary);
}

static mcx_err member_add(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                          const struct mcx_gmsdb_members *members, bool rekey, struct mcx_refusal *why)
{
    bool temporary = false;
    uint64_t id = 0;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, why));
    MCX_TRY(is_temporary(db, &temporary, id));
    if (temporary) {
        return mcx_refuse(why, MCX_E_POLICY, "members of a temporary group are those of its parts", "TS 24.481 6.3.14");
    }
    MCX_TRY(add_members(db, ev, id, group, members, true, why));
    MCX_TRY(mcx_gmsdb_touch(db, id, true, ev->now_ms));
    MCX_TRY(rekey ? mcx_gmsdb_keys_new(db, ev, id, false, "member added", RANK_WAITING, false)
                  : mcx_gmsdb_keys_add_members(db, ev, id));
    return join_temporary(db, ev, id);
}

mcx_err mcx_gmsdb_member_add(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                             const struct mcx_gmsdb_members *members, bool rekey, struct mcx_refusal *why)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, member_add(db, ev, group, members, rekey, why));
}

#define MAX_ELSEWHERE 4096

/* A lost device has what his groups once shared with others, who still use it. */
static mcx_err keys_elsewhere(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group, const char *cause)
{
    for (int i = 0; i < MAX_ELSEWHERE; i++) {
        uint64_t other = 0;
        mcx_err err = mcx_gmsdb_int(db, &other, Q_HELD_ELSEWHERE, "i", group);

        if (err != MCX_OK) {
            return err == MCX_E_NOKEY ? MCX_OK : err;
        }
        MCX_TRY(mcx_gmsdb_keys_new(db, ev, other, false, cause, RANK_URGENT, true));
    }
    return MCX_E_BUG;
}

/* Out of one group: his payloads go, the others get keys that he never sees. */
static mcx_err drop_from(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, uint64_t group, const char *member,
                         const char *cause, bool lost)
{
    MCX_TRY(mcx_gmsdb_do(db, Q_MEMBER_JOBS_DROP, "it", group, member));
    MCX_TRY(mcx_gmsdb_do(db, Q_MEMBER_PAYLOADS_DROP, "it", group, member));
    MCX_TRY(mcx_gmsdb_do(db, Q_MEMBER_DROP, "it", group, member));
    MCX_TRY(mcx_gmsdb_do(db, Q_DELIVERY_DROP, "it", group, member));
    MCX_TRY(mcx_gmsdb_touch(db, group, true, ev->now_ms));
    MCX_TRY(mcx_gmsdb_keys_new(db, ev, group, !lost, cause, RANK_URGENT, true));
    return lost ? keys_elsewhere(db, ev, group, cause) : MCX_OK;
}

static mcx_err remove_one(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group, const char *member,
                          bool lost, struct mcx_refusal *why)
{
    const char *cause = lost ? "device lost" : "member removed";
    uint64_t id = 0;
    uint64_t there = 0;
    uint64_t temporary = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, why));
    err = mcx_gmsdb_int(db, &there, Q_MEMBER, "it", id, member);
    if (err == MCX_E_NOKEY) {
        return mcx_refuse(why, err, "not a member of the group", "TS 24.481 7.2");
    }
    MCX_TRY(err);
    MCX_TRY(mcx_gmsdb_audit(db, ev, cause, group, member));
    MCX_TRY(drop_from(db, ev, id, member, cause, lost));
    MCX_TRY(temporary_of(db, &temporary, id));
    if (temporary == 0 || mcx_gmsdb_int(db, &there, Q_MEMBER_ELSEWHERE, "it", temporary, member) == MCX_OK) {
        return MCX_OK; /* still in it by another of its parts */
    }
    return drop_from(db, ev, temporary, member, cause, lost);
}

/* A lost device: out of every group that its user is in. */
static mcx_err remove_everywhere(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *member,
                                 struct mcx_refusal *why)
{
    char group[MCX_GMS_URI_MAX];
    sqlite3_stmt *s = NULL;
    bool more = true;

    for (int i = 0; more; i++) {
        MCX_TRY(mcx_gmsdb_bind(db, &s, Q_GROUPS_OF_MEMBER, "t", member));
        MCX_TRY(mcx_gmsdb_row(s, &more));
        if (!more) {
            return i > 0 ? MCX_OK : mcx_refuse(why, MCX_E_NOKEY, "not a member of any group", "TS 24.481 7.2");
        }
        (void)snprintf(group, sizeof group, "%s", mcx_gmsdb_text(s, 0));
        MCX_TRY(mcx_gmsdb_reset(s));
        MCX_TRY(remove_one(db, ev, group, member, true, why));
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_member_remove(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group,
                                const char *member, struct mcx_refusal *why)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, group == NULL ? remove_everywhere(db, ev, member, why)
                                           : remove_one(db, ev, group, member, false, why));
}

static mcx_err rekey(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group, const char *cause,
                     struct mcx_refusal *why)
{
    uint64_t id = 0;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, why));
    return mcx_gmsdb_keys_new(db, ev, id, false, cause, RANK_WAITING, false);
}

mcx_err mcx_gmsdb_rekey(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group, const char *cause,
                        struct mcx_refusal *why)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, rekey(db, ev, group, cause, why));
}

static mcx_err revoke(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group, uint32_t key_id,
                      struct mcx_refusal *why)
{
    sqlite3_stmt *s = NULL;
    char subject[16];
    uint64_t id = 0;
    uint64_t key = 0;
    uint64_t state = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, why));
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_KEY_OF_ID, "iii", id, (uint64_t)key_id, ev->now_ms / 1000));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return mcx_refuse(why, MCX_E_NOKEY, "the group has no such key in use", "TS 33.180 E.6.9");
    }
    key = mcx_gmsdb_num(s, 0);
    state = mcx_gmsdb_num(s, 1);
    MCX_TRY(mcx_gmsdb_reset(s));
    if (state == KEY_PREPARING) {
        return mcx_refuse(why, MCX_E_STATE, "no member has this key yet; make new ones", "TS 33.180 E.6.9");
    }
    (void)snprintf(subject, sizeof subject, "%08x", (unsigned)key_id);
    MCX_TRY(mcx_gmsdb_audit(db, ev, "key revoked", group, subject));
    return state == KEY_RETIRED ? mcx_gmsdb_key_revoke_past(db, key, ev->now_ms)
                                : mcx_gmsdb_key_revoke(db, key, ev->now_ms);
}

mcx_err mcx_gmsdb_revoke(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *group, uint32_t key_id,
                         struct mcx_refusal *why)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, revoke(db, ev, group, key_id, why));
}

/* One more part of a temporary group; what protects the parts decides what protects the whole. */
static mcx_err add_constituent(struct mcx_gmsdb *db, uint64_t temporary, const char *group, struct mcx_refusal *why)
{
    uint64_t id = 0;
    uint64_t other = 0;
    bool nested = false;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, why));
    MCX_TRY(is_temporary(db, &nested, id));
    MCX_TRY(temporary_of(db, &other, id));
    if (nested || other != 0) {
        return mcx_refuse(why, MCX_E_POLICY,
                          "a group is part of one temporary group at most, and none of those is a part",
                          "TS 24.481 6.3.14");
    }
    return mcx_gmsdb_do(db, Q_CONSTITUENT_ADD, "ii", temporary, id);
}

static mcx_err regroup(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const struct mcx_group_head *head,
                       const char *const *constituents, size_t num, struct mcx_refusal *why)
{
    uint64_t id = 0;

    MCX_TRY(group_row(db, &id, ev, head, true, why));
    MCX_TRY(mcx_gmsdb_audit(db, ev, "temporary group formed", head->uri, head->requestor));
    for (size_t i = 0; i < num; i++) {
        MCX_TRY(add_constituent(db, id, constituents[i], why));
        MCX_TRY(mcx_gmsdb_audit(db, ev, "regrouped", constituents[i], head->uri));
    }
    MCX_TRY(mcx_gmsdb_do(db, Q_MEMBERS_UNITE, "ii", id, ev->now_ms));
    return mcx_gmsdb_keys_new(db, ev, id, true, "temporary group formed", RANK_URGENT, false);
}

mcx_err mcx_gmsdb_regroup(struct mcx_gmsdb *db, const struct mcx_gmsdb_event *ev, const char *temporary,
                          const char *display_name, const char *const *constituents, size_t num, const char *requestor,
                          struct mcx_refusal *why)
{
    struct mcx_group_head head = { .kind = MCX_GROUP_PREARRANGED, .protect_media = true, .protect_floor = true };

    if (num < 2 || num > MCX_GMSDB_MAX_CONSTITUENTS) {
        return mcx_refuse(why, MCX_E_ARG, "a temporary group has two to 32 parts", "TS 24.481 6.3.14");
    }
    (void)snprintf(head.display_name, sizeof head.display_name, "%s", display_name);
    (void)snprintf(head.requestor, sizeof head.requestor, "%s", requestor);
    if (snprintf(head.uri, sizeof head.uri, "%s", temporary) >= (int)sizeof head.uri) {
        return check_uri("", why);
    }
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, regroup(db, ev, &head, constituents, num, why));
}
