/* SPDX-License-Identifier: Apache-2.0 */
/* Documents for members (TS 24.481 7.2, 7.7), what they have of them, and what an operator sees. */
#include "io/gmsdb_int.h"

#include "crypto/sym/sym.h"

#include <mcx/text.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETAG_OCTETS 16

/* From columns at `c`: uri, display name, kind, media, floor, multicast, participants, priority. */
static void read_head(struct mcx_group_head *h, sqlite3_stmt *s, int c)
{
    *h = (struct mcx_group_head){ .kind = mcx_gmsdb_num(s, c + 2) == 0 ? MCX_GROUP_PREARRANGED : MCX_GROUP_CHAT,
                                  .protect_media = mcx_gmsdb_num(s, c + 3) != 0,
                                  .protect_floor = mcx_gmsdb_num(s, c + 4) != 0,
                                  .multicast_floor = mcx_gmsdb_num(s, c + 5) != 0,
                                  .max_participants = (uint32_t)mcx_gmsdb_num(s, c + 6),
                                  .priority = (uint8_t)mcx_gmsdb_num(s, c + 7) };
    (void)snprintf(h->uri, sizeof h->uri, "%s", mcx_gmsdb_text(s, c));
    (void)snprintf(h->display_name, sizeof h->display_name, "%s", mcx_gmsdb_text(s, c + 1));
}

static void read_member(struct mcx_group_member *m, sqlite3_stmt *s)
{
    *m = (struct mcx_group_member){ .mcptt_id = mcx_gmsdb_text(s, 0),
                                    .display_name = mcx_gmsdb_text(s, 1),
                                    .priority = (uint8_t)mcx_gmsdb_num(s, 2),
                                    .receive_only = mcx_gmsdb_num(s, 3) != 0 };
}

/* Rows for a writer that asks for one after the other. */
struct rows {
    sqlite3_stmt *s;
    mcx_err err;
    const char *user;
};

static bool next_row(struct rows *r)
{
    bool more = false;

    r->err = mcx_gmsdb_row(r->s, &more);
    return r->err == MCX_OK && more;
}

static bool next_member(void *arg, struct mcx_group_member *out)
{
    struct rows *r = arg;

    if (!next_row(r)) {
        return false;
    }
    read_member(out, r->s);
    return true;
}

static bool next_gktp(void *arg, struct mcx_gktp *out)
{
    struct rows *r = arg;

    if (!next_row(r)) {
        return false;
    }
    *out =
        (struct mcx_gktp){ .kind = mcx_gmsdb_num(r->s, 0) == MCX_KEY_GMK ? MCX_GKTP_GMK : MCX_GKTP_MKFC,
                           .id = r->user,
                           .temporary = mcx_gmsdb_text(r->s, 1),
                           .activation = mcx_gmsdb_num(r->s, 2),
                           .message = mcx_bytes(sqlite3_column_blob(r->s, 3), (size_t)sqlite3_column_bytes(r->s, 3)) };
    return true;
}

/* The parts of a temporary group, copied. */
struct parts {
    char uri[MCX_GMSDB_MAX_CONSTITUENTS][MCX_GMS_URI_MAX];
    const char *p[MCX_GMSDB_MAX_CONSTITUENTS];
    size_t num;
};

/* The regrouped element: once the key of the temporary group is there for all (TS 24.481 6.3.14). */
static mcx_err read_regrouped(struct mcx_gmsdb *db, struct mcx_group_head *head, struct parts *parts, uint64_t group)
{
    sqlite3_stmt *s = NULL;
    uint64_t temporary = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_TEMPORARY_SHOWN, "i", group));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    if (!more) {
        return MCX_OK;
    }
    temporary = mcx_gmsdb_num(s, 0);
    (void)snprintf(head->temporary, sizeof head->temporary, "%s", mcx_gmsdb_text(s, 1));
    (void)snprintf(head->requestor, sizeof head->requestor, "%s", mcx_gmsdb_text(s, 2));
    MCX_TRY(mcx_gmsdb_reset(s));
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_CONSTITUENTS, "i", temporary));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more && parts->num < MCX_GMSDB_MAX_CONSTITUENTS) {
        (void)snprintf(parts->uri[parts->num], sizeof parts->uri[0], "%s", mcx_gmsdb_text(s, 0));
        parts->p[parts->num] = parts->uri[parts->num];
        parts->num++;
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    MCX_TRY(mcx_gmsdb_reset(s));
    return MCX_OK;
}

static mcx_err group_document(struct mcx_gmsdb *db, char **xml, size_t *len, char etag[MCX_GMSDB_ETAG_MAX],
                              uint64_t group)
{
    struct mcx_group_head head;
    struct rows rows = { 0 };
    struct parts *parts = NULL;
    struct mcx_group_doc_params params = { .head = &head, .next = next_member, .arg = &rows };
    bool more = false;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_bind(db, &rows.s, Q_GROUP_HEAD, "i", group));
    MCX_TRY(mcx_gmsdb_row(rows.s, &more));
    if (!more) {
        return MCX_E_NOKEY;
    }
    read_head(&head, rows.s, 1);
    (void)snprintf(etag, MCX_GMSDB_ETAG_MAX, "g%" PRIu64 "-%" PRIu64, mcx_gmsdb_num(rows.s, 0),
                   mcx_gmsdb_num(rows.s, 11));
    MCX_TRY(mcx_gmsdb_reset(rows.s));
    if (xml == NULL) {
        return MCX_OK;
    }
    parts = calloc(1, sizeof *parts);
    err = parts == NULL ? MCX_E_NOMEM : MCX_OK;
    MCX_GO(err, err);
    MCX_GO(err, read_regrouped(db, &head, parts, group));
    params.constituents = parts->p;
    params.num_constituents = parts->num;
    MCX_GO(err, mcx_gmsdb_bind(db, &rows.s, Q_MEMBERS, "i", group));
    MCX_GO(err, mcx_group_doc_write(xml, len, &params));
    err = rows.err;
    if (err != MCX_OK) {
        free(*xml);
    }
out:
    free(parts);
    return err;
}

/* The entity tag is a hash: whatever a member would see otherwise has another one. */
static mcx_err gktp_document(struct mcx_gmsdb *db, char **xml, size_t *len, char etag[MCX_GMSDB_ETAG_MAX],
                             uint64_t group, const char *user, uint64_t now_ms)
{
    uint8_t hash[MCX_SHA256_LEN];
    struct rows rows = { .user = user };
    struct mcx_bytes text;
    char *own = NULL;
    size_t own_len = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_bind(db, &rows.s, Q_GKTP, "iti", group, user, now_ms / 1000));
    MCX_TRY(mcx_gktp_write(&own, &own_len, next_gktp, &rows));
    text = mcx_bytes(own, own_len);
    MCX_GO(err, rows.err);
    MCX_GO(err, mcx_sha256(hash, &text, 1));
    MCX_GO(err, mcx_hex_write(etag, MCX_GMSDB_ETAG_MAX, mcx_bytes(hash, ETAG_OCTETS)));
    if (xml != NULL) {
        *xml = own;
        *len = own_len;
        own = NULL;
    }
out:
    free(own);
    return err;
}

static mcx_err document(struct mcx_gmsdb *db, char **xml, size_t *len, char etag[MCX_GMSDB_ETAG_MAX],
                        enum mcx_gmsdb_document document, uint64_t *id, const char *group, const char *user,
                        bool server, uint64_t now_ms)
{
    uint64_t there = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gmsdb_group_id(db, id, group, NULL));
    if (!server) {
        err = mcx_gmsdb_int(db, &there, Q_MEMBER, "it", *id, user);
        if (err != MCX_OK) {
            return err == MCX_E_NOKEY ? MCX_E_POLICY : err;
        }
    }
    return document == MCX_GMSDB_GROUP ? group_document(db, xml, len, etag, *id)
                                       : gktp_document(db, xml, len, etag, *id, user, now_ms);
}

mcx_err mcx_gmsdb_document(struct mcx_gmsdb *db, char **xml, size_t *len, char etag[MCX_GMSDB_ETAG_MAX],
                           enum mcx_gmsdb_document which, const char *group, const char *user, bool server,
                           uint64_t now_ms)
{
    uint64_t id = 0;

    MCX_TRY(mcx_gmsdb_do(db, Q_BEGIN_READ, ""));
    return mcx_gmsdb_end(db, document(db, xml, len, etag, which, &id, group, user, server, now_ms));
}

/* Payloads count as fetched only when the document is still the one that was handed out. */
static mcx_err delivered(struct mcx_gmsdb *db, enum mcx_gmsdb_document which, const char *group, const char *user,
                         const char *etag, uint64_t now_ms)
{
    char present[MCX_GMSDB_ETAG_MAX] = "";
    uint64_t id = 0;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, NULL));
    MCX_TRY(mcx_gmsdb_do(db, Q_DELIVERED, "tiiti", user, id, (uint64_t)which, etag, now_ms));
    if (which != MCX_GMSDB_GKTP) {
        return MCX_OK;
    }
    MCX_TRY(gktp_document(db, NULL, NULL, present, id, user, now_ms));
    return strcmp(present, etag) == 0 ? mcx_gmsdb_do(db, Q_GKTP_FETCHED, "iti", id, user, now_ms) : MCX_OK;
}

mcx_err mcx_gmsdb_delivered(struct mcx_gmsdb *db, enum mcx_gmsdb_document which, const char *group, const char *user,
                            const char *etag, uint64_t now_ms)
{
    MCX_TRY(mcx_gmsdb_begin(db));
    return mcx_gmsdb_end(db, delivered(db, which, group, user, etag, now_ms));
}

/* What an operator sees */

mcx_err mcx_gmsdb_groups(struct mcx_gmsdb *db, const char *only,
                         void (*each)(void *arg, const struct mcx_gmsdb_group *group), void *arg)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_GROUPS, "t", only == NULL ? "" : only));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more) {
        struct mcx_gmsdb_group g;

        read_head(&g.head, s, 1);
        g.is_temporary = mcx_gmsdb_num(s, 9) != 0;
        g.num_members = mcx_gmsdb_num(s, 12);
        (void)snprintf(g.head.requestor, sizeof g.head.requestor, "%s", mcx_gmsdb_text(s, 10));
        (void)snprintf(g.head.temporary, sizeof g.head.temporary, "%s", mcx_gmsdb_text(s, 13));
        each(arg, &g);
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_group_members(struct mcx_gmsdb *db, const char *group,
                                void (*each)(void *arg, const struct mcx_group_member *member), void *arg)
{
    struct mcx_group_member m;
    sqlite3_stmt *s = NULL;
    uint64_t id = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, NULL));
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_MEMBERS, "i", id));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more) {
        read_member(&m, s);
        each(arg, &m);
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_keys(struct mcx_gmsdb *db, const char *group,
                       void (*each)(void *arg, const struct mcx_gmsdb_key *key), void *arg)
{
    static const char *const states[] = { "preparing", "published", "revoked", "retired", "abandoned" };
    sqlite3_stmt *s = NULL;
    uint64_t id = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, NULL));
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_VIEW_KEYS, "i", id));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more) {
        const struct mcx_gmsdb_key key = { .type = (enum mcx_key_type)mcx_gmsdb_num(s, 0),
                                           .key_id = (uint32_t)mcx_gmsdb_num(s, 1),
                                           .state = states[mcx_gmsdb_num(s, 2)], /* CHECK of the schema */
                                           .cause = mcx_gmsdb_text(s, 3),
                                           .activation = mcx_gmsdb_num(s, 4),
                                           .expiry = mcx_gmsdb_num(s, 5),
                                           .created_ms = mcx_gmsdb_num(s, 6),
                                           .num_fetched = mcx_gmsdb_num(s, 7),
                                           .num_members = mcx_gmsdb_num(s, 8) };

        each(arg, &key);
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_lacking(struct mcx_gmsdb *db, const char *group,
                          void (*each)(void *arg, const struct mcx_gmsdb_lack *lack), void *arg)
{
    sqlite3_stmt *s = NULL;
    uint64_t id = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_group_id(db, &id, group, NULL));
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_VIEW_LACKING, "i", id));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more) {
        const struct mcx_gmsdb_lack lack = { .member = mcx_gmsdb_text(s, 0),
                                             .type = (enum mcx_key_type)mcx_gmsdb_num(s, 1),
                                             .key_id = (uint32_t)mcx_gmsdb_num(s, 2),
                                             .reason = mcx_gmsdb_text(s, 3) };

        each(arg, &lack);
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_progress(struct mcx_gmsdb *db, void (*each)(void *arg, const struct mcx_gmsdb_progress *progress),
                           void *arg)
{
    static const char *const kinds[] = { "issue", "update", "revoke" };
    sqlite3_stmt *s = NULL;
    uint64_t speed = 0;
    bool more = false;

    MCX_TRY(mcx_gmsdb_int(db, &speed, Q_SPEED, ""));
    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_VIEW_PROGRESS, ""));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more) {
        const struct mcx_gmsdb_progress p = { .type = (enum mcx_key_type)mcx_gmsdb_num(s, 0),
                                              .key_id = (uint32_t)mcx_gmsdb_num(s, 1),
                                              .kind = kinds[mcx_gmsdb_num(s, 2)], /* CHECK of the schema */
                                              .group = mcx_gmsdb_text(s, 3),
                                              .activation = mcx_gmsdb_num(s, 4),
                                              .total = mcx_gmsdb_num(s, 5),
                                              .done = mcx_gmsdb_num(s, 6),
                                              .failed = mcx_gmsdb_num(s, 7),
                                              .left_s = mcx_gms_expected_s(mcx_gmsdb_num(s, 8), speed) };

        each(arg, &p);
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    return MCX_OK;
}

mcx_err mcx_gmsdb_audits(struct mcx_gmsdb *db, void (*each)(void *arg, const struct mcx_gmsdb_audit *audit), void *arg)
{
    sqlite3_stmt *s = NULL;
    bool more = false;

    MCX_TRY(mcx_gmsdb_bind(db, &s, Q_AUDITS, ""));
    MCX_TRY(mcx_gmsdb_row(s, &more));
    while (more) {
        const struct mcx_gmsdb_audit a = { .seq = mcx_gmsdb_num(s, 0),
                                           .time_ms = mcx_gmsdb_num(s, 1),
                                           .who = mcx_gmsdb_text(s, 2),
                                           .event = mcx_gmsdb_text(s, 3),
                                           .group = mcx_gmsdb_text(s, 4),
                                           .subject = mcx_gmsdb_text(s, 5) };

        each(arg, &a);
        MCX_TRY(mcx_gmsdb_row(s, &more));
    }
    return MCX_OK;
}
