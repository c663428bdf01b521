/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and their members, as the group documents say (TS 24.481 7.2). */
#define _POSIX_C_SOURCE 200809L
#include "proc/mcptt_group.h"

#include <stdlib.h>
#include <string.h>

struct mgrp_group *mgrp_find_group(const struct mcx_mgrp *grp, const char *uri)
{
    for (size_t i = 0; i < grp->num_groups; i++) {
        if (strcmp(grp->groups[i]->head.uri, uri) == 0) {
            return grp->groups[i];
        }
    }
    return NULL;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct mgrp_member *)a)->mcptt_id, ((const struct mgrp_member *)b)->mcptt_id);
}

struct mgrp_member *mgrp_find_member(const struct mgrp_group *group, const char *mcptt_id)
{
    struct mgrp_member key = { .mcptt_id = (char *)(uintptr_t)mcptt_id };

    return group->num_members == 0 ? NULL
                                   : bsearch(&key, group->members, group->num_members, sizeof group->members[0], by_id);
}

size_t mgrp_affiliations_of(const struct mcx_mgrp *grp, const char *mcptt_id, uint64_t now_ms)
{
    size_t n = 0;

    for (size_t i = 0; i < grp->num_groups; i++) {
        const struct mgrp_member *m = mgrp_find_member(grp->groups[i], mcptt_id);

        n += m != NULL && m->affiliated_until > now_ms ? 1 : 0;
    }
    return n;
}

bool mcx_mgrp_is_affiliated(const struct mcx_mgrp *grp, const char *group, const char *mcptt_id, uint64_t now_ms)
{
    const struct mgrp_group *g = mgrp_find_group(grp, group);
    const struct mgrp_member *m = g != NULL ? mgrp_find_member(g, mcptt_id) : NULL;

    return m != NULL && m->affiliated_until > now_ms;
}

void mgrp_free_group(struct mgrp_group *group)
{
    if (group == NULL) {
        return;
    }
    for (size_t i = 0; i < group->num_members; i++) {
        free(group->members[i].mcptt_id);
    }
    free(group->members);
    free(group);
}

/* ---- reading ---- */

struct reading {
    const struct mcx_msrv *srv;
    struct mgrp_group *group;
    size_t cap;
};

static mcx_err take_member(void *arg, const struct mcx_group_member *in)
{
    struct reading *r = arg;
    struct mgrp_group *g = r->group;
    struct mgrp_member m = { .priority = in->priority, .receive_only = in->receive_only };

    if (g->num_members == r->cap) {
        size_t cap = r->cap == 0 ? 16 : r->cap * 2;
        struct mgrp_member *more = realloc(g->members, cap * sizeof *more);

        if (more == NULL) {
            return MCX_E_NOMEM;
        }
        g->members = more;
        r->cap = cap;
    }
    m.user = msrv_user(r->srv, mcx_bytes_str(in->mcptt_id));
    m.mcptt_id = strdup(in->mcptt_id);
    if (m.mcptt_id == NULL) {
        return MCX_E_NOMEM;
    }
    g->members[g->num_members++] = m;
    return MCX_OK;
}

static mcx_err read_document(struct mgrp_group **out, const struct mcx_mgrp *grp, const struct mcx_mgrp_in *in,
                             struct mcx_refusal *why)
{
    struct mgrp_group *g = calloc(1, sizeof *g);
    struct reading r = { grp->config.srv, g, 0 };
    mcx_err err = g == NULL ? MCX_E_NOMEM : mcx_group_doc_read(&g->head, in->body, take_member, &r, why);

    if (err == MCX_OK && in->user != NULL && strcmp(g->head.uri, in->user) != 0) {
        err = mcx_refuse(why, MCX_E_POLICY, "the document is of another group", "TS 24.481 7.2");
    }
    if (err == MCX_OK && g->num_members > 0) {
        qsort(g->members, g->num_members, sizeof g->members[0], by_id);
    }
    if (err != MCX_OK) {
        mgrp_free_group(g);
        return err;
    }
    *out = g;
    return MCX_OK;
}

/* ---- changes ---- */

/* Who is no longer a member, or whose group is regrouped, has to go (TS 24.379 6.3.8.2). */
static void dismiss_strangers(struct mcx_mgrp *grp, struct mgrp_session *session)
{
    for (size_t i = 0; i < session->num_legs; i++) {
        struct mgrp_leg *leg = &session->legs[i];
        const struct mgrp_member *m = mgrp_find_member(session->group, leg->mcptt_id);

        if (m == NULL || session->group->head.temporary[0] != '\0') {
            mgrp_dismiss(grp, leg);
        }
    }
}

static void replace_group(struct mgrp_step *s, struct mgrp_group *old, struct mgrp_group *fresh)
{
    struct mgrp_group swap = *old;

    for (size_t i = 0; i < fresh->num_members; i++) {
        const struct mgrp_member *before = mgrp_find_member(old, fresh->members[i].mcptt_id);

        if (before != NULL) {
            fresh->members[i].affiliated_until = before->affiliated_until;
            fresh->members[i].left = before->left;
        }
    }
    fresh->session = old->session;
    *old = *fresh;
    *fresh = swap;
    if (old->session != NULL && (old->head.kind == MCX_GROUP_PREARRANGED) != old->session->prearranged) {
        mgrp_end_session(s, old->session, "the group has become of another kind");
    } else if (old->session != NULL) {
        dismiss_strangers(s->grp, old->session);
    }
}

mcx_err mgrp_take_document(struct mgrp_step *s)
{
    struct mcx_mgrp *grp = s->grp;
    struct mgrp_group *fresh = NULL;
    struct mgrp_group *old;

    MCX_TRY(read_document(&fresh, grp, s->in, &s->out->why));
    old = mgrp_find_group(grp, fresh->head.uri);
    if (old == NULL && grp->num_groups == MCX_MGRP_MAX_GROUPS) {
        mgrp_free_group(fresh);
        return mcx_refuse(&s->out->why, MCX_E_SPACE, "there are too many groups", "");
    }
    mgrp_note(s, "group-changed", "", fresh->head.uri,
              mgrp_text(grp, "%zu members, %s", fresh->num_members,
                        fresh->head.kind == MCX_GROUP_CHAT ? "chat" : "prearranged"),
              NULL);
    if (old == NULL) {
        grp->groups[grp->num_groups++] = fresh;
        return MCX_OK;
    }
    replace_group(s, old, fresh);
    mgrp_free_group(fresh);
    return MCX_OK;
}

void mgrp_drop_group(struct mgrp_step *s, struct mgrp_group *group, const char *why)
{
    struct mcx_mgrp *grp = s->grp;

    mgrp_note(s, "group-changed", "", group->head.uri, why, NULL);
    if (group->session != NULL) {
        mgrp_end_session(s, group->session, why);
    }
    for (size_t i = 0; i < grp->num_groups; i++) {
        if (grp->groups[i] == group) {
            grp->groups[i] = grp->groups[--grp->num_groups];
            break;
        }
    }
    mgrp_free_group(group);
}
