/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Administration: POST /admin/v1/VERB with a JSON object, answered with one (docs/GMS-API.md). One table of verbs; each
 * reads its members, does one thing to the database and says what came of it.
 */
#include "mcx-gmsd/gmsd.h"

#include <mcx/text.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One request on its way. */
struct call {
    const struct admin *a;
    struct mcx_gmsdb_event ev;
    json_t *in;
    json_t *out;
    struct mcx_refusal why;
};

static mcx_err wrong(struct call *c, const char *what)
{
    return mcx_refuse(&c->why, MCX_E_ARG, what, "docs/GMS-API.md");
}

/* A member of the request; types have been checked: no embedded NULs, which JSON allows and a URI does not. */
static const char *text(const struct call *c, const char *name)
{
    return json_string_value(json_object_get(c->in, name));
}

static bool flag(const struct call *c, const char *name, bool otherwise)
{
    json_t *v = json_object_get(c->in, name);

    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

static uint32_t number(const struct call *c, const char *name)
{
    return (uint32_t)json_integer_value(json_object_get(c->in, name));
}

/* Types of the members of a request; whatever has another one is refused, not taken for absent. */
enum type { TEXT, FLAG, NUMBER, ARRAY };

struct typed {
    const char *name;
    enum type type;
    json_int_t max; /* NUMBER */
};

static const struct typed of_request[] = {
    { "group", TEXT, 0 },         { "member", TEXT, 0 },        { "name", TEXT, 0 },
    { "kind", TEXT, 0 },          { "share", TEXT, 0 },         { "key_id", TEXT, 0 },
    { "protect_media", FLAG, 0 }, { "protect_floor", FLAG, 0 }, { "multicast_floor", FLAG, 0 },
    { "rekey", FLAG, 0 },         { "priority", NUMBER, 255 },  { "max_participants", NUMBER, UINT32_MAX },
    { "members", ARRAY, 0 },      { "groups", ARRAY, 0 },
};
static const struct typed of_member[] = {
    { "id", TEXT, 0 },
    { "name", TEXT, 0 },
    { "priority", NUMBER, 255 },
    { "receive_only", FLAG, 0 },
};

static bool is_text(const json_t *v)
{
    const char *s = json_string_value(v);

    return s != NULL && strlen(s) == json_string_length(v) && strlen(s) < MCX_GMS_URI_MAX;
}

static bool has_type(const json_t *v, const struct typed *t)
{
    switch (t->type) {
    case TEXT: return is_text(v);
    case FLAG: return json_is_boolean(v);
    case NUMBER: return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= t->max;
    default: return json_is_array(v);
    }
}

static bool types_ok(const json_t *object, const struct typed *types, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        const json_t *v = json_object_get(object, types[i].name);

        if (v != NULL && !has_type(v, &types[i])) {
            return false;
        }
    }
    return true;
}

/* Members: "sip:alice@example.org", or {"id": ..., "name": ..., "priority": 0-255, "receive_only": bool}. */
struct list {
    json_t *array;
    size_t at;
    bool bad;
};

static bool next_member(void *arg, struct mcx_group_member *out)
{
    struct list *l = arg;
    json_t *v = json_array_get(l->array, l->at++);
    json_t *id = json_is_object(v) ? json_object_get(v, "id") : v;
    const char *name = json_string_value(json_object_get(v, "name"));

    if (v == NULL) {
        return false;
    }
    if (!is_text(id) || !types_ok(v, of_member, sizeof of_member / sizeof of_member[0])) {
        l->bad = true;
        return false;
    }
    *out = (struct mcx_group_member){ .mcptt_id = json_string_value(id),
                                      .display_name = name == NULL ? "" : name,
                                      .priority = (uint8_t)json_integer_value(json_object_get(v, "priority")),
                                      .receive_only = json_is_true(json_object_get(v, "receive_only")) };
    return true;
}

/* A list that turns bad ends early; the caller's transaction is over then, so everything is looked at before. */
static bool members_ok(json_t *array)
{
    struct list l = { .array = array };
    struct mcx_group_member m;

    while (next_member(&l, &m)) {
    }
    return !l.bad;
}

static mcx_err need_group(struct call *c, const char **group)
{
    *group = text(c, "group");
    return *group == NULL ? wrong(c, "group is missing or no URI") : MCX_OK;
}

static mcx_err need_members(struct call *c, struct list *l)
{
    *l = (struct list){ .array = json_object_get(c->in, "members") };
    if (!json_is_array(l->array) || json_array_size(l->array) == 0 || !members_ok(l->array)) {
        return wrong(c, "members is an array of MCPTT IDs, or of objects with an id");
    }
    return MCX_OK;
}

static mcx_err do_create(struct call *c)
{
    struct list list;
    struct mcx_gmsdb_members members = { next_member, &list };
    struct mcx_group_head head = { .protect_media = flag(c, "protect_media", true),
                                   .protect_floor = flag(c, "protect_floor", true),
                                   .multicast_floor = flag(c, "multicast_floor", false),
                                   .max_participants = number(c, "max_participants"),
                                   .priority = (uint8_t)number(c, "priority") };
    const char *group = NULL;
    const char *kind = text(c, "kind");
    const char *name = text(c, "name");

    MCX_TRY(need_group(c, &group));
    MCX_TRY(need_members(c, &list));
    if (kind != NULL && strcmp(kind, "chat") != 0 && strcmp(kind, "prearranged") != 0) {
        return wrong(c, "kind is prearranged or chat");
    }
    head.kind = kind != NULL && strcmp(kind, "chat") == 0 ? MCX_GROUP_CHAT : MCX_GROUP_PREARRANGED;
    (void)snprintf(head.uri, sizeof head.uri, "%s", group);
    (void)snprintf(head.display_name, sizeof head.display_name, "%s", name == NULL ? "" : name);
    return mcx_gmsdb_group_create(c->a->db, &c->ev, &head, &members, text(c, "share"), &c->why);
}

static mcx_err do_add(struct call *c)
{
    struct list list;
    struct mcx_gmsdb_members members = { next_member, &list };
    const char *group = NULL;

    MCX_TRY(need_group(c, &group));
    MCX_TRY(need_members(c, &list));
    return mcx_gmsdb_member_add(c->a->db, &c->ev, group, &members, flag(c, "rekey", false), &c->why);
}

static mcx_err do_remove(struct call *c)
{
    const char *group = NULL;
    const char *member = text(c, "member");

    MCX_TRY(need_group(c, &group));
    return member == NULL ? wrong(c, "member is missing or no URI")
                          : mcx_gmsdb_member_remove(c->a->db, &c->ev, group, member, &c->why);
}

static mcx_err do_lost(struct call *c)
{
    const char *member = text(c, "member");

    return member == NULL ? wrong(c, "member is missing or no URI")
                          : mcx_gmsdb_member_remove(c->a->db, &c->ev, NULL, member, &c->why);
}

static mcx_err do_rekey(struct call *c)
{
    const char *group = NULL;

    MCX_TRY(need_group(c, &group));
    return mcx_gmsdb_rekey(c->a->db, &c->ev, group, "re-keyed by hand", &c->why);
}

static mcx_err do_revoke(struct call *c)
{
    const char *group = NULL;
    const char *id = text(c, "key_id");
    uint8_t octets[4];

    MCX_TRY(need_group(c, &group));
    if (id == NULL || mcx_hex_read_exact(octets, sizeof octets, mcx_bytes_str(id)) != MCX_OK) {
        return wrong(c, "key_id is 8 hex digits");
    }
    return mcx_gmsdb_revoke(
        c->a->db, &c->ev, group,
        (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3], &c->why);
}

static mcx_err do_delete(struct call *c)
{
    const char *group = NULL;

    MCX_TRY(need_group(c, &group));
    return mcx_gmsdb_group_delete(c->a->db, &c->ev, group, &c->why);
}

static mcx_err do_regroup(struct call *c)
{
    const char *part[MCX_GMSDB_MAX_CONSTITUENTS];
    json_t *parts = json_object_get(c->in, "groups");
    const char *group = NULL;
    const char *name = text(c, "name");
    size_t num = json_array_size(parts);

    MCX_TRY(need_group(c, &group));
    if (num < 2 || num > MCX_GMSDB_MAX_CONSTITUENTS) {
        return wrong(c, "groups is an array of two to 32 URIs");
    }
    for (size_t i = 0; i < num; i++) {
        part[i] = json_string_value(json_array_get(parts, i));
        if (!is_text(json_array_get(parts, i))) {
            return wrong(c, "groups is an array of two to 32 URIs");
        }
    }
    return mcx_gmsdb_regroup(c->a->db, &c->ev, group, name == NULL ? "" : name, part, num, c->a->who, &c->why);
}

static mcx_err no_such_group(struct call *c)
{
    return mcx_refuse(&c->why, MCX_E_NOKEY, "there is no such group", "TS 24.481 6.3.3");
}

/* Only a temporary group: 'delete' is for the others. */
struct looked_up {
    bool found;
    bool temporary;
};

static void note_temporary(void *arg, const struct mcx_gmsdb_group *g)
{
    *(struct looked_up *)arg = (struct looked_up){ true, g->is_temporary };
}

static mcx_err do_ungroup(struct call *c)
{
    const char *group = NULL;
    struct looked_up it = { false, false };

    MCX_TRY(need_group(c, &group));
    MCX_TRY(mcx_gmsdb_groups(c->a->db, group, note_temporary, &it));
    if (!it.found) {
        return no_such_group(c);
    }
    if (!it.temporary) {
        return mcx_refuse(&c->why, MCX_E_POLICY, "not a temporary group", "TS 24.481 6.3.15");
    }
    return mcx_gmsdb_group_delete(c->a->db, &c->ev, group, &c->why);
}

/* What there is to see */

static void put_group(void *arg, const struct mcx_gmsdb_group *g)
{
    json_t *j =
        json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:I, s:i, s:b, s:s, s:s, s:I}", "group", g->head.uri, "name",
                  g->head.display_name, "kind", g->head.kind == MCX_GROUP_CHAT ? "chat" : "prearranged",
                  "protect_media", g->head.protect_media, "protect_floor", g->head.protect_floor, "multicast_floor",
                  g->head.multicast_floor, "max_participants", (json_int_t)g->head.max_participants, "priority",
                  (int)g->head.priority, "temporary", g->is_temporary, "regrouped_in", g->head.temporary, "requestor",
                  g->head.requestor, "num_members", (json_int_t)g->num_members);

    (void)json_array_append_new(arg, j);
}

static json_t *array_in(struct call *c, const char *name)
{
    json_t *array = json_array();

    return json_object_set_new(c->out, name, array) == 0 ? array : NULL;
}

static mcx_err do_list(struct call *c)
{
    return mcx_gmsdb_groups(c->a->db, NULL, put_group, array_in(c, "groups"));
}

static void put_member(void *arg, const struct mcx_group_member *m)
{
    (void)json_array_append_new(arg, json_pack("{s:s, s:s, s:i, s:b}", "id", m->mcptt_id, "name", m->display_name,
                                               "priority", (int)m->priority, "receive_only", m->receive_only));
}

static json_t *key_id_of(uint32_t id)
{
    char hex[16];

    (void)snprintf(hex, sizeof hex, "%08" PRIx32, id);
    return json_string(hex);
}

static json_t *time_of(uint64_t unix_s)
{
    char when[MCX_DATETIME_LEN + 1];

    return unix_s == 0 || mcx_datetime_write(when, unix_s) != MCX_OK ? json_null() : json_string(when);
}

static void put_key(void *arg, const struct mcx_gmsdb_key *k)
{
    (void)json_array_append_new(
        arg, json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:I}", "type", mcx_key_type_name(k->type), "key_id",
                       key_id_of(k->key_id), "state", k->state, "cause", k->cause, "activation", time_of(k->activation),
                       "expiry", time_of(k->expiry), "created", time_of(k->created_ms / 1000), "fetched",
                       (json_int_t)k->num_fetched, "members", (json_int_t)k->num_members));
}

static mcx_err do_show(struct call *c)
{
    const char *group = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(need_group(c, &group));
    MCX_TRY(mcx_gmsdb_groups(c->a->db, group, put_group, array_in(c, "groups")));
    err = mcx_gmsdb_group_members(c->a->db, group, put_member, array_in(c, "members"));
    MCX_TRY(err == MCX_E_NOKEY ? no_such_group(c) : err);
    return mcx_gmsdb_keys(c->a->db, group, put_key, array_in(c, "keys"));
}

static void put_lack(void *arg, const struct mcx_gmsdb_lack *l)
{
    (void)json_array_append_new(arg, json_pack("{s:s, s:s, s:o, s:s}", "member", l->member, "type",
                                               mcx_key_type_name(l->type), "key_id", key_id_of(l->key_id), "reason",
                                               l->reason));
}

static mcx_err do_lacking(struct call *c)
{
    const char *group = NULL;

    MCX_TRY(need_group(c, &group));
    mcx_err err = mcx_gmsdb_lacking(c->a->db, group, put_lack, array_in(c, "lacking"));

    return err == MCX_E_NOKEY ? no_such_group(c) : err;
}

static void put_job(void *arg, const struct mcx_gmsdb_progress *p)
{
    (void)json_array_append_new(arg, json_pack("{s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "type",
                                               mcx_key_type_name(p->type), "key_id", key_id_of(p->key_id), "kind",
                                               p->kind, "group", p->group, "total", (json_int_t)p->total, "done",
                                               (json_int_t)p->done, "failed", (json_int_t)p->failed, "left_s",
                                               (json_int_t)p->left_s, "activation", time_of(p->activation)));
}

static mcx_err do_jobs(struct call *c)
{
    return mcx_gmsdb_progress(c->a->db, put_job, array_in(c, "jobs"));
}

static const struct verb {
    const char *name;
    mcx_err (*run)(struct call *c);
} verbs[] = {
    { "create", do_create },   { "add", do_add },       { "remove", do_remove }, { "lost", do_lost },
    { "rekey", do_rekey },     { "revoke", do_revoke }, { "delete", do_delete }, { "regroup", do_regroup },
    { "ungroup", do_ungroup }, { "list", do_list },     { "show", do_show },     { "lacking", do_lacking },
    { "jobs", do_jobs },
};

static int status_of(mcx_err err)
{
    switch (err) {
    case MCX_OK: return 200;
    case MCX_E_ARG: return 400;
    case MCX_E_NOKEY: return 404;
    case MCX_E_POLICY:
    case MCX_E_STATE: return 409;
    default: return 503;
    }
}

static void log_verb(const struct call *c, const char *verb, mcx_err err)
{
    const struct mcx_log log = gmsd_log();
    struct mcx_log_record rec = { .level = err == MCX_OK ? MCX_LOG_INFO : MCX_LOG_WARN,
                                  .subsystem = "gms",
                                  .subject = c->a->who,
                                  .event = verb,
                                  .err = err,
                                  .why = c->why };

    if (err != MCX_OK && rec.why.reason == NULL) {
        rec.why.reason = mcx_gmsdb_trouble(c->a->db);
    }
    mcx_log(&log, &rec);
}

static mcx_err checked(struct call *c, const struct verb *v)
{
    if (c->in == NULL || c->out == NULL) {
        return wrong(c, "the body is no JSON object");
    }
    if (!types_ok(c->in, of_request, sizeof of_request / sizeof of_request[0])) {
        return wrong(c, "a member of the request has another type, or is too long or too large");
    }
    return v->run(c);
}

char *admin_refusal(mcx_err err, const char *reason)
{
    json_t *j = json_pack("{s:s, s:s}", "error", mcx_err_name(err), "reason", reason);
    char *text = json_dumps(j, JSON_COMPACT);

    json_decref(j);
    return text;
}

static int answer(struct call *c, char **json, const struct verb *v)
{
    mcx_err err = checked(c, v);

    log_verb(c, v->name, err);
    if (err != MCX_OK) {
        json_decref(c->out);
        c->out = json_pack("{s:s, s:s}", "error", mcx_err_name(err), "reason",
                           c->why.reason == NULL ? "the database does not answer" : c->why.reason);
    }
    *json = json_dumps(c->out, JSON_COMPACT);
    return status_of(err);
}

int admin_handle(const struct admin *a, char **json, const char *target, struct mcx_bytes body)
{
    struct call c = { .a = a, .ev = { a->who, a->now_ms } };
    const char *name = target + sizeof ADMIN_PATH - 1;
    int status = 404;

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) != 0) {
            continue;
        }
        c.in = json_loadb((const char *)body.p, body.len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(c.in)) {
            json_decref(c.in);
            c.in = NULL;
        }
        c.out = json_object();
        status = answer(&c, json, &verbs[i]);
        json_decref(c.in);
        json_decref(c.out);
        return status;
    }
    log_verb(&c, "no such verb", MCX_E_NOKEY);
    *json = admin_refusal(MCX_E_NOKEY, "no such verb");
    return status;
}
