/* SPDX-License-Identifier: Apache-2.0 */
/* Group calls of the MCPTT server: the sessions and the legs in them, as they are kept. */
#define _POSIX_C_SOURCE 200809L
#include "proc/mcptt_group.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

/* ---- legs ---- */

struct mgrp_leg *mgrp_leg_of(const struct mgrp_session *session, const char *mcptt_id)
{
    for (size_t i = 0; i < session->num_legs; i++) {
        if (session->legs[i].state != MGRP_LEAVING && strcmp(session->legs[i].mcptt_id, mcptt_id) == 0) {
            return &session->legs[i];
        }
    }
    return NULL;
}

void mgrp_mark(struct mcx_mgrp *grp, struct mgrp_leg *leg, uint8_t what)
{
    grp->num_todo += leg->todo == 0 ? 1 : 0;
    leg->todo |= what;
}

void mgrp_unmark(struct mcx_mgrp *grp, struct mgrp_leg *leg)
{
    grp->num_todo -= leg->todo != 0 ? 1 : 0;
    leg->todo = 0;
}

static void clear_leg(struct mgrp_leg *leg)
{
    free(leg->mcptt_id);
    free(leg->offer);
    memset(leg, 0, sizeof *leg);
}

struct mgrp_leg *mgrp_add_leg(struct mgrp_session *session, uint32_t id, const char *mcptt_id, enum mgrp_state state)
{
    struct mgrp_leg *leg;

    if (session->num_legs == session->cap_legs) {
        size_t cap = session->cap_legs == 0 ? 8 : session->cap_legs * 2;
        struct mgrp_leg *more = realloc(session->legs, cap * sizeof *more);

        if (more == NULL) {
            return NULL;
        }
        session->legs = more;
        session->cap_legs = cap;
    }
    leg = &session->legs[session->num_legs];
    memset(leg, 0, sizeof *leg);
    leg->id = id;
    leg->state = (uint8_t)state;
    leg->deadline_ms = UINT64_MAX;
    leg->mcptt_id = strdup(mcptt_id);
    if (leg->mcptt_id == NULL) {
        return NULL;
    }
    session->num_legs++;
    return leg;
}

void mgrp_remove_leg(struct mcx_mgrp *grp, struct mgrp_session *session, struct mgrp_leg *leg)
{
    mgrp_unmark(grp, leg);
    clear_leg(leg);
    *leg = session->legs[--session->num_legs];
}

bool mgrp_find_leg(struct mgrp_step *s, uint32_t id)
{
    for (size_t i = 0; i < s->grp->cap_sessions; i++) {
        struct mgrp_session *session = s->grp->sessions[i];

        for (size_t k = 0; session != NULL && k < session->num_legs; k++) {
            if (session->legs[k].id == id) {
                s->session = session;
                s->leg = &session->legs[k];
                return true;
            }
        }
    }
    return false;
}

uint32_t mcx_mgrp_new_leg(struct mcx_mgrp *grp)
{
    struct mgrp_step s = { .grp = grp };

    do {
        grp->last_leg++;
    } while (grp->last_leg == 0 || mgrp_find_leg(&s, grp->last_leg));
    return grp->last_leg;
}

void mgrp_dismiss(struct mcx_mgrp *grp, struct mgrp_leg *leg)
{
    if (leg->state == MGRP_LEAVING) {
        return;
    }
    mgrp_unmark(grp, leg);
    mgrp_mark(grp, leg, leg->state == MGRP_WAITING ? MGRP_DO_REFUSE : MGRP_DO_HANGUP);
    if (leg->state == MGRP_TO_CALL) { /* nothing was sent yet */
        leg->todo = MGRP_DO_REFUSE;
    }
    leg->state = MGRP_LEAVING;
    leg->deadline_ms = UINT64_MAX;
}

/* ---- sessions ---- */

struct mgrp_session *mgrp_find_session(const struct mcx_mgrp *grp, uint32_t id)
{
    for (size_t i = 0; i < grp->cap_sessions; i++) {
        if (grp->sessions[i] != NULL && grp->sessions[i]->id == id) {
            return grp->sessions[i];
        }
    }
    return NULL;
}

void mgrp_free_session(struct mgrp_session *session)
{
    if (session == NULL) {
        return;
    }
    for (size_t i = 0; i < session->num_legs; i++) {
        clear_leg(&session->legs[i]);
    }
    free(session->legs);
    free(session->initiator);
    free(session->changed_by);
    free(session);
}

void mgrp_sweep(struct mcx_mgrp *grp)
{
    for (size_t i = 0; i < grp->cap_sessions; i++) {
        struct mgrp_session *session = grp->sessions[i];

        if (session != NULL && session->group == NULL && session->num_legs == 0) {
            mgrp_free_session(session);
            grp->sessions[i] = NULL;
            grp->num_sessions--;
        }
    }
}

uint16_t mgrp_indicator_of(const struct mgrp_session *session)
{
    return session->emergency ? MCX_FI_EMERGENCY : session->imminent ? MCX_FI_IMMINENT : MCX_FI_NORMAL;
}

void mgrp_end_session(struct mgrp_step *s, struct mgrp_session *session, const char *why)
{
    struct mgrp_session *before = s->session;

    s->session = session;
    mgrp_note(s, "group-call-ended", session->initiator, session->group->head.uri, why, NULL);
    (void)mgrp_action(s, MCX_MGRP_MEDIA_CLOSE);
    session->group->session = NULL;
    session->group = NULL;
    session->deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < session->num_legs; i++) {
        session->legs[i].joined = false;
        mgrp_dismiss(s->grp, &session->legs[i]);
    }
    s->session = before;
}

/* Release policy (TS 24.379 6.3.8.1; docs/DEVIATIONS.md "group-release"). */
void mgrp_look_whether_enough(struct mgrp_step *s)
{
    struct mgrp_session *session = s->session;
    size_t in = 0, coming = 0;

    if (session->group == NULL) {
        return;
    }
    for (size_t i = 0; i < session->num_legs; i++) {
        enum mgrp_state state = (enum mgrp_state)session->legs[i].state;

        in += state == MGRP_WAITING || state == MGRP_OFFERED || state == MGRP_ACTIVE ? 1 : 0;
        coming += state == MGRP_TO_CALL || state == MGRP_CALLED ? 1 : 0;
    }
    if (session->prearranged ? in == 0 || in + coming < 2 : in == 0) {
        mgrp_end_session(s, session, session->answered ? "too few participants remain" : "nobody has answered");
    }
}

/* ---- a new session ---- */

mcx_err mgrp_new_session(struct mgrp_step *s, struct mgrp_group *group, const char *initiator)
{
    struct mcx_mgrp *grp = s->grp;
    struct mgrp_session *session = calloc(1, sizeof *session);
    uint8_t octets[8];
    size_t slot = 0;

    while (slot < grp->cap_sessions && grp->sessions[slot] != NULL) {
        slot++;
    }
    if (session == NULL || slot == grp->cap_sessions || (session->initiator = strdup(initiator)) == NULL ||
        mcx_rng_fill(&grp->rng, octets, sizeof octets) != MCX_OK ||
        mcx_hex_write(session->identity, sizeof session->identity, mcx_bytes(octets, sizeof octets)) != MCX_OK) {
        mgrp_free_session(session);
        return MCX_E_NOMEM;
    }
    do {
        grp->last_session++;
    } while (grp->last_session == 0 || mgrp_find_session(grp, grp->last_session) != NULL);
    session->id = grp->last_session;
    session->group = group;
    session->prearranged = group->head.kind == MCX_GROUP_PREARRANGED;
    session->protect_floor = group->head.protect_floor;
    session->deadline_ms =
        grp->config.server->max_call_ms != 0 ? s->in->now_ms + grp->config.server->max_call_ms : UINT64_MAX;
    grp->sessions[slot] = session;
    grp->num_sessions++;
    group->session = session;
    s->session = session;
    return MCX_OK;
}

static bool can_be_called(const struct mgrp_step *s, const struct mgrp_member *m)
{
    const struct mcx_mgrp_config *c = &s->grp->config;

    return m->affiliated_until > s->in->now_ms && m->user != NULL && msrv_registered(c->srv, m->user, s->in->now_ms);
}

bool mgrp_somebody_else(const struct mgrp_step *s, const struct mgrp_group *group, const char *caller)
{
    for (size_t i = 0; i < group->num_members; i++) {
        if (strcmp(group->members[i].mcptt_id, caller) != 0 && can_be_called(s, &group->members[i])) {
            return true;
        }
    }
    return false;
}

void mgrp_late_entry(struct mgrp_step *s, struct mgrp_group *group, struct mgrp_member *member)
{
    struct mgrp_session *session = group->session;
    size_t most = group->head.max_participants;
    struct mgrp_leg *leg;

    most = most == 0 || most > MCX_MGRP_MAX_PARTICIPANTS ? MCX_MGRP_MAX_PARTICIPANTS : most;
    if (session == NULL || !session->prearranged || !session->media_ready || session->num_legs >= most ||
        member->left == session->id || !can_be_called(s, member) || mgrp_leg_of(session, member->mcptt_id) != NULL) {
        return;
    }
    leg = mgrp_add_leg(session, mcx_mgrp_new_leg(s->grp), member->mcptt_id, MGRP_TO_CALL);
    if (leg != NULL) {
        mgrp_mark(s->grp, leg, MGRP_DO_CALL);
    }
}

/* In an emergency there is no imminent peril beside it (TS 24.379 10.1.1.4.4, 10.1.1.4.5). */
void mgrp_set_type(struct mgrp_session *session, const struct mgrp_request *request)
{
    session->emergency =
        request->emergency == MCX_MCPTT_TRUE || (request->emergency == MCX_MCPTT_UNSET && session->emergency);
    session->imminent =
        !session->emergency &&
        (request->imminent == MCX_MCPTT_TRUE || (request->imminent == MCX_MCPTT_UNSET && session->imminent));
    session->was_emergency = session->was_emergency || session->emergency;
    session->was_imminent = session->was_imminent || session->imminent;
}

void mgrp_tell_type(struct mgrp_step *s, struct mgrp_leg *leg)
{
    if (leg->told != mgrp_indicator_of(s->session)) {
        mgrp_mark(s->grp, leg, MGRP_DO_OFFER);
    }
}

/* All others are told of a new call type by re-INVITE (TS 24.379 10.1.1.4.4, 6.3.3.1.6). */
void mgrp_change_type(struct mgrp_step *s, const struct mgrp_request *request, uint32_t by_leg, const char *user)
{
    struct mgrp_session *session = s->session;
    uint16_t before = mgrp_indicator_of(session);
    struct mcx_mgrp_action *a;

    mgrp_set_type(session, request);
    if (mgrp_indicator_of(session) == before) {
        return;
    }
    free(session->changed_by);
    session->changed_by = strdup(user);
    a = mgrp_action(s, MCX_MGRP_CALL_TYPE);
    a->indicator = mgrp_indicator_of(session);
    mgrp_note(s, "group-call-type", user, session->group->head.uri,
              session->emergency  ? "emergency"
              : session->imminent ? "imminent-peril"
                                  : "normal",
              NULL);
    for (size_t i = 0; i < session->num_legs; i++) {
        if (session->legs[i].state == MGRP_ACTIVE && session->legs[i].id != by_leg) {
            mgrp_tell_type(s, &session->legs[i]);
        }
    }
}

void mgrp_answer_waiting(struct mgrp_step *s)
{
    s->session->answered = true;
    for (size_t i = 0; i < s->session->num_legs; i++) {
        if (s->session->legs[i].state == MGRP_WAITING) {
            mgrp_mark(s->grp, &s->session->legs[i], MGRP_DO_ANSWER);
        }
    }
}
