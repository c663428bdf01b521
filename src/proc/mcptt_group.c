/* SPDX-License-Identifier: Apache-2.0 */
/* Group calls of the MCPTT server: INVITE, media, and the step. */
#define _POSIX_C_SOURCE 200809L
#include "proc/mcptt_group.h"

#include <stdlib.h>
#include <string.h>

/* ---- an INVITE of a member ---- */

static mcx_err keep_offer(struct mgrp_leg *leg, const struct mgrp_request *request)
{
    const struct mcx_mime_part *part = mcx_mime_find(&request->mime, MCX_TYPE_SDP);

    leg->offer = strndup((const char *)part->body.p, part->body.len);
    return leg->offer != NULL ? MCX_OK : MCX_E_NOMEM;
}

static void refuse_call(struct mgrp_step *s, const struct mgrp_request *request, const char *user,
                        const struct msrv_verdict *v, const struct mcx_refusal *why)
{
    mgrp_reject(s, s->in->leg, v);
    mgrp_note_refused(s, "group-call-refused", user, request->group, v, why);
}

/* Into the session of the group, or a new one. */
static struct msrv_verdict enter(struct mgrp_step *s, const struct mgrp_request *request, struct mgrp_group *group,
                                 const char *user, struct mcx_refusal *why)
{
    static const struct msrv_verdict no_memory = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };
    static const struct msrv_verdict not_acceptable = { 488, "Not Acceptable Here", MCX_WARN_NONE, NULL };
    static const struct msrv_verdict nobody = { 480, "Temporarily Unavailable", MCX_WARN_NONE, NULL };
    struct mcx_mgrp_peer peer;
    struct mcx_sdp_amrwb amrwb;
    struct mgrp_leg *old;
    bool fresh = group->session == NULL;

    if (mgrp_read_media(&peer, &amrwb, &request->mime, group->session, why) != MCX_OK) {
        return not_acceptable;
    }
    *why = (struct mcx_refusal){ "no other member can be called", "TS 24.379 10.1.1.4.2" };
    if (fresh && group->head.kind == MCX_GROUP_PREARRANGED && !mgrp_somebody_else(s, group, user)) {
        return nobody;
    }
    *why = (struct mcx_refusal){ "no memory, or no random octets, for a session", "TS 24.379 10.1.1.4.2" };
    if (fresh && mgrp_new_session(s, group, user) != MCX_OK) {
        return no_memory;
    }
    s->session = group->session;
    if (fresh) {
        s->session->amrwb = amrwb;
        (void)!mcx_bytes_cstr(s->session->resource_priority, MGRP_RESOURCE, s->in->sip->resource_priority);
        mgrp_set_type(s->session, request);
    }
    old = mgrp_leg_of(s->session, user);
    if (old != NULL) { /* he comes anew: his radio was restarted, or our invitation crossed his */
        mgrp_dismiss(s->grp, old);
    }
    s->leg = mgrp_add_leg(s->session, s->in->leg, user, MGRP_WAITING);
    if (s->leg == NULL || keep_offer(s->leg, request) != MCX_OK) {
        if (s->leg != NULL) {
            mgrp_remove_leg(s->grp, s->session, s->leg);
        }
        mgrp_look_whether_enough(s);
        return no_memory;
    }
    s->leg->peer = peer;
    return MSRV_PASS;
}

static void open_media(struct mgrp_step *s)
{
    struct mcx_mgrp_action *a = mgrp_action(s, MCX_MGRP_MEDIA_OPEN);

    a->protect_floor = s->session->protect_floor;
    a->indicator = mgrp_indicator_of(s->session);
    a->hang_s = s->session->group->head.hang_s;
    a->group = s->session->group->head.uri;
}

static mcx_err invited(struct mgrp_step *s)
{
    static const struct msrv_verdict bad_request = { 400, "Bad Request", MCX_WARN_NONE, NULL };
    const struct mcx_msrv_user *caller = NULL;
    struct mgrp_group *group = NULL;
    struct mgrp_request request;
    struct msrv_verdict v;
    struct mcx_refusal why = { "the body cannot be read", "TS 24.379 F.1" };
    bool fresh;

    if (mgrp_find_leg(s, s->in->leg)) {
        return MCX_E_STATE;
    }
    if (mgrp_read_request(&request, s->in->sip) != MCX_OK) {
        refuse_call(s, &request, "", &bad_request, &why);
        return MCX_OK;
    }
    v = mgrp_check_invite(s, &request, &caller, &group);
    if (v.code != 0) {
        refuse_call(s, &request, caller != NULL ? caller->mcptt_id : "", &v, NULL);
        return MCX_OK;
    }
    fresh = group->session == NULL;
    v = enter(s, &request, group, caller->mcptt_id, &why);
    if (v.code != 0) {
        refuse_call(s, &request, caller->mcptt_id, &v, &why);
        return MCX_OK;
    }
    mgrp_find_member(group, caller->mcptt_id)->left = 0;
    if (fresh) {
        mgrp_note(s, "group-call-setup", caller->mcptt_id, group->head.uri,
                  mgrp_text(s->grp, "session %s, %s", s->session->identity,
                            s->session->emergency  ? "emergency"
                            : s->session->imminent ? "imminent-peril"
                                                   : "normal"),
                  NULL);
        open_media(s);
        return MCX_OK;
    }
    mgrp_change_type(s, &request, s->in->leg, caller->mcptt_id);
    if (s->session->media_ready) {
        mgrp_answer_waiting(s);
    }
    return MCX_OK;
}

/* ---- media ---- */

static mcx_err media_ready(struct mgrp_step *s)
{
    struct mgrp_session *session = s->session;

    if (session->media_ready || session->group == NULL) {
        return MCX_E_STATE;
    }
    session->media = s->in->media;
    session->media_ready = true;
    if (!session->prearranged || session->num_legs > 1) {
        mgrp_answer_waiting(s);
    }
    for (size_t i = 0; session->prearranged && i < session->group->num_members; i++) {
        mgrp_late_entry(s, session->group, &session->group->members[i]);
    }
    mgrp_look_whether_enough(s);
    return MCX_OK;
}

static mcx_err media_failed(struct mgrp_step *s)
{
    if (s->session->media_ready || s->session->group == NULL) {
        return MCX_E_STATE;
    }
    mgrp_end_session(s, s->session, "no ports for media and floor control");
    return MCX_OK;
}

/* ---- step ---- */

/* One leg or session a tick: the caller steps again until the deadline lies ahead. */
static mcx_err tick(struct mgrp_step *s)
{
    for (size_t i = 0; i < s->grp->cap_sessions; i++) {
        struct mgrp_session *session = s->grp->sessions[i];

        for (size_t k = 0; session != NULL && k < session->num_legs; k++) {
            if (session->legs[k].deadline_ms <= s->in->now_ms) {
                s->session = session;
                s->leg = &session->legs[k];
                return mgrp_run_row(s, MGRP_IN_TIMEOUT);
            }
        }
        if (session != NULL && session->group != NULL && session->deadline_ms <= s->in->now_ms) {
            mgrp_end_session(s, session, "longest duration reached");
            return MCX_OK;
        }
    }
    return MCX_OK;
}

uint64_t mcx_mgrp_deadline(const struct mcx_mgrp *grp)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < grp->cap_sessions; i++) {
        const struct mgrp_session *session = grp->sessions[i];

        first = session != NULL && session->deadline_ms < first ? session->deadline_ms : first;
        for (size_t k = 0; session != NULL && k < session->num_legs; k++) {
            first = session->legs[k].deadline_ms < first ? session->legs[k].deadline_ms : first;
        }
    }
    return first;
}

static mcx_err group_gone(struct mgrp_step *s)
{
    struct mgrp_group *group = mgrp_find_group(s->grp, s->in->user);

    if (group == NULL) {
        return MCX_E_STATE;
    }
    mgrp_drop_group(s, group, "the group is no more");
    return MCX_OK;
}

static mcx_err registered(struct mgrp_step *s)
{
    for (size_t i = 0; i < s->grp->num_groups; i++) {
        struct mgrp_member *m = mgrp_find_member(s->grp->groups[i], s->in->user);

        if (m != NULL) {
            mgrp_late_entry(s, s->grp->groups[i], m);
        }
    }
    return MCX_OK;
}

static mcx_err at_session(struct mgrp_step *s)
{
    s->session = mgrp_find_session(s->grp, s->in->session);
    if (s->session == NULL) {
        return MCX_E_STATE;
    }
    switch (s->in->event) {
    case MCX_MGRP_EV_MEDIA_READY: return media_ready(s);
    case MCX_MGRP_EV_MEDIA_FAILED: return media_failed(s);
    default: break;
    }
    if (s->session->group == NULL) {
        return MCX_E_STATE;
    }
    mgrp_end_session(s, s->session, "nobody has talked for long");
    return MCX_OK;
}

static mcx_err at_leg(struct mgrp_step *s, enum mgrp_event event)
{
    return mgrp_find_leg(s, s->in->leg) ? mgrp_run_row(s, event) : MCX_E_STATE;
}

static mcx_err handle(struct mgrp_step *s)
{
    switch (s->in->event) {
    case MCX_MGRP_EV_GROUP: return mgrp_take_document(s);
    case MCX_MGRP_EV_GROUP_GONE: return group_gone(s);
    case MCX_MGRP_EV_REGISTERED: return registered(s);
    case MCX_MGRP_EV_PUBLISH: return mgrp_publish(s);
    case MCX_MGRP_EV_INVITE: return invited(s);
    case MCX_MGRP_EV_ACKED: return at_leg(s, MGRP_IN_ACKED);
    case MCX_MGRP_EV_ANSWER: return at_leg(s, MGRP_IN_ANSWER);
    case MCX_MGRP_EV_OFFER: return at_leg(s, MGRP_IN_OFFER);
    case MCX_MGRP_EV_UNTOLD: return at_leg(s, MGRP_IN_UNTOLD);
    case MCX_MGRP_EV_GONE: return at_leg(s, MGRP_IN_GONE);
    case MCX_MGRP_EV_TICK: return tick(s);
    case MCX_MGRP_EV_MORE: return MCX_OK;
    default: return at_session(s);
    }
}

mcx_err mcx_mgrp_step(struct mcx_mgrp *grp, const struct mcx_mgrp_in *in, struct mcx_mgrp_out *out)
{
    struct mgrp_step s = { grp, in, out, NULL, NULL };
    mcx_err err;

    out->num = 0;
    out->more = false;
    out->why = (struct mcx_refusal){ "", "" };
    grp->text.len = 0;
    err = handle(&s);
    mgrp_drain(&s);
    mgrp_sweep(grp);
    return err;
}

size_t mcx_mgrp_num_sessions(const struct mcx_mgrp *grp)
{
    return grp->num_sessions;
}

size_t mcx_mgrp_num_participants(const struct mcx_mgrp *grp, uint32_t session)
{
    const struct mgrp_session *found = mgrp_find_session(grp, session);
    size_t n = 0;

    for (size_t i = 0; found != NULL && i < found->num_legs; i++) {
        n += found->legs[i].state == MGRP_ACTIVE ? 1 : 0;
    }
    return n;
}

mcx_err mcx_mgrp_new(struct mcx_mgrp **out, const struct mcx_mgrp_config *config, const struct mcx_rng *rng)
{
    struct mcx_mgrp *grp;

    if (config->srv == NULL || config->server == NULL || config->max_sessions == 0) {
        return MCX_E_ARG;
    }
    grp = calloc(1, sizeof *grp);
    if (grp == NULL) {
        return MCX_E_NOMEM;
    }
    grp->config = *config;
    grp->rng = *rng;
    grp->cap_sessions = 2 * (config->max_sessions + config->max_sessions / 8 + 1); /* those that end take room too */
    grp->sessions = calloc(grp->cap_sessions, sizeof(struct mgrp_session *));
    grp->arena = malloc(MGRP_ARENA);
    grp->text = mcx_wr(grp->arena, MGRP_ARENA);
    if (grp->sessions == NULL || grp->arena == NULL) {
        mcx_mgrp_free(grp);
        return MCX_E_NOMEM;
    }
    *out = grp;
    return MCX_OK;
}

void mcx_mgrp_free(struct mcx_mgrp *grp)
{
    if (grp == NULL) {
        return;
    }
    for (size_t i = 0; grp->sessions != NULL && i < grp->cap_sessions; i++) {
        mgrp_free_session(grp->sessions[i]);
    }
    for (size_t i = 0; i < grp->num_groups; i++) {
        mgrp_free_group(grp->groups[i]);
    }
    free(grp->sessions);
    free(grp->arena);
    free(grp);
}
