/* SPDX-License-Identifier: Apache-2.0 */
/* Affiliation (TS 24.379 9.2.2.2.3, 9.2.2.3.3): a PUBLISH names all groups of a client; members only. */
#include "proc/mcptt_group.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SECONDS = 3600, DEFAULT_MAX = 16 };

static mcx_err respond(struct mgrp_step *s, const struct msrv_verdict *v, uint32_t expires)
{
    struct mcx_mgrp_action *a = mgrp_action(s, MCX_MGRP_RESPOND);
    char line[512];

    a->code = v->code;
    a->reason = v->reason;
    a->session_expires = expires;
    if (v->warning != MCX_WARN_NONE &&
        mcx_warning_write(line, sizeof line, s->grp->config.server->host, v->warning, v->warning_reason) == MCX_OK) {
        a->headers = mgrp_text(s->grp, "%s", line);
    }
    return MCX_OK;
}

static mcx_err refuse(struct mgrp_step *s, uint16_t code, const char *reason, enum mcx_warning warning,
                      const char *user, const char *group)
{
    static const struct mcx_refusal unreadable = { "the publication cannot be read", "TS 24.379 9.3.1" };
    static const struct mcx_refusal no_memory = { "out of memory", "" };
    const struct mcx_refusal *why = code == 400 ? &unreadable : code == 500 ? &no_memory : NULL;
    struct msrv_verdict v = { code, reason, warning, NULL };

    MCX_TRY(respond(s, &v, 0));
    mgrp_note_refused(s, "affiliation-refused", user, group, &v, why);
    return MCX_OK;
}

static bool is_listed(const struct mcx_affiliation *list, const char *group)
{
    for (size_t i = 0; i < list->num_groups; i++) {
        if (strcmp(list->group[i].group, group) == 0 && list->group[i].status != MCX_AFFILIATION_DEAFFILIATING) {
            return true;
        }
    }
    return false;
}

/* Groups that are not in the list are left, and their running calls with them. */
static size_t leave_others(struct mgrp_step *s, const char *user, const struct mcx_affiliation *list)
{
    size_t left = 0;

    for (size_t i = 0; i < s->grp->num_groups; i++) {
        struct mgrp_group *g = s->grp->groups[i];
        struct mgrp_member *m = mgrp_find_member(g, user);

        if (m == NULL || m->affiliated_until <= s->in->now_ms || is_listed(list, g->head.uri)) {
            continue;
        }
        m->affiliated_until = 0;
        left++;
        if (g->session != NULL && mgrp_leg_of(g->session, user) != NULL) {
            mgrp_dismiss(s->grp, mgrp_leg_of(g->session, user));
        }
    }
    return left;
}

static size_t enter(struct mgrp_step *s, const char *user, const struct mcx_affiliation *list, uint64_t until)
{
    size_t entered = 0;

    for (size_t i = 0; i < list->num_groups; i++) {
        struct mgrp_group *g = mgrp_find_group(s->grp, list->group[i].group);
        struct mgrp_member *m = g != NULL ? mgrp_find_member(g, user) : NULL;

        if (m == NULL || !is_listed(list, g->head.uri)) {
            continue;
        }
        entered += m->affiliated_until <= s->in->now_ms ? 1 : 0;
        m->affiliated_until = until;
        mgrp_late_entry(s, g, m);
    }
    return entered;
}

/* Every group must be there and have him as a member; one that has not, refuses all. @return the offending one */
static const char *find_refused(const struct mgrp_step *s, const char *user, const struct mcx_affiliation *list,
                                enum mcx_warning *warning)
{
    for (size_t i = 0; i < list->num_groups; i++) {
        const struct mgrp_group *g = mgrp_find_group(s->grp, list->group[i].group);

        if (list->group[i].status == MCX_AFFILIATION_DEAFFILIATING) {
            continue;
        }
        if (g == NULL || mgrp_find_member(g, user) == NULL) {
            *warning = g == NULL ? MCX_WARN_NO_GROUP_DOCUMENT : MCX_WARN_NOT_A_MEMBER;
            return list->group[i].group;
        }
    }
    return NULL;
}

static mcx_err publish(struct mgrp_step *s, const struct mcx_msrv_user *user, struct mcx_affiliation *list,
                       uint32_t expires)
{
    static const struct msrv_verdict ok = { 200, "OK", MCX_WARN_NONE, NULL };
    size_t most = s->grp->config.max_affiliations != 0 ? s->grp->config.max_affiliations : DEFAULT_MAX;
    enum mcx_warning warning = MCX_WARN_NONE;
    const char *refused;
    size_t entered, left;

    if (strcmp(list->mcptt_id, user->mcptt_id) != 0) {
        return refuse(s, 403, "Forbidden", MCX_WARN_USER_UNKNOWN, user->mcptt_id, "");
    }
    refused = find_refused(s, user->mcptt_id, list, &warning);
    if (refused != NULL) {
        return refuse(s, warning == MCX_WARN_NOT_A_MEMBER ? 403 : 404,
                      warning == MCX_WARN_NOT_A_MEMBER ? "Forbidden" : "Not Found", warning, user->mcptt_id, refused);
    }
    if (list->num_groups > most) {
        return refuse(s, 486, "Busy Here", MCX_WARN_TOO_MANY_AFFILIATIONS, user->mcptt_id, "");
    }
    left = leave_others(s, user->mcptt_id, list);
    MCX_TRY(respond(s, &ok, expires));
    entered = expires == 0 ? 0 : enter(s, user->mcptt_id, list, s->in->now_ms + (uint64_t)expires * 1000);
    if (left > 0) {
        mgrp_note(s, "deaffiliated", user->mcptt_id, "", mgrp_text(s->grp, "from %zu groups", left), NULL);
    }
    if (entered > 0) {
        mgrp_note(s, "affiliated", user->mcptt_id, list->num_groups > 0 ? list->group[0].group : "",
                  mgrp_text(s->grp, "to %zu more groups", entered), NULL);
    }
    return MCX_OK;
}

/* Without a body what was published before holds on (RFC 3903 4.1, refresh), or is removed (4.5). */
static void list_present(struct mcx_affiliation *list, const struct mgrp_step *s, const struct mcx_msrv_user *user,
                         bool keep)
{
    memcpy(list->mcptt_id, user->mcptt_id, sizeof list->mcptt_id);
    for (size_t i = 0; keep && i < s->grp->num_groups && list->num_groups < MCX_AFFILIATION_MAX; i++) {
        const struct mgrp_group *g = s->grp->groups[i];
        const struct mgrp_member *m = mgrp_find_member(g, user->mcptt_id);

        if (m != NULL && m->affiliated_until > s->in->now_ms) {
            memcpy(list->group[list->num_groups++].group, g->head.uri, sizeof g->head.uri);
        }
    }
}

mcx_err mgrp_publish(struct mgrp_step *s)
{
    const struct mcx_msrv_sip *sip = s->in->sip;
    uint32_t cap = s->grp->config.max_affiliation_s != 0 ? s->grp->config.max_affiliation_s : DEFAULT_SECONDS;
    uint32_t expires = sip->expires < 0 || sip->expires > (int64_t)cap ? cap : (uint32_t)sip->expires;
    const struct mcx_msrv_user *user = msrv_identify(s->grp->config.srv, sip, s->in->now_ms);
    struct mcx_affiliation *list;
    const struct mcx_mime_part *part = NULL;
    struct mcx_mime mime;
    mcx_err err;

    if (user == NULL) {
        return refuse(s, 404, "Not Found", MCX_WARN_USER_UNKNOWN, "", "");
    }
    list = calloc(1, sizeof *list);
    if (list == NULL) {
        return refuse(s, 500, "Server Internal Error", MCX_WARN_NONE, user->mcptt_id, "");
    }
    if (sip->body.len == 0) {
        list_present(list, s, user, expires != 0);
        err = MCX_OK;
    } else {
        err = mcx_mime_read(&mime, sip->content_type, sip->body, NULL);
        part = err == MCX_OK ? mcx_mime_find(&mime, MCX_TYPE_PIDF) : NULL;
        err = part == NULL ? MCX_E_FORMAT : mcx_affiliation_read(list, part->body, NULL);
    }
    if (err == MCX_OK && expires == 0) {
        list->num_groups = 0;
    }
    err = err != MCX_OK ? refuse(s, 400, "Bad Request", MCX_WARN_NONE, user->mcptt_id, "")
                        : publish(s, user, list, expires);
    free(list);
    return err;
}
