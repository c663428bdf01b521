/* SPDX-License-Identifier: Apache-2.0 */
/* Group calls of the MCPTT server: the transition table of a leg, and what is still to be done at each. */
#define _POSIX_C_SOURCE 200809L
#include "proc/mcptt_group.h"

#include <stdlib.h>

enum { NO_ANSWER_MS = 60000 };

static const char *const state_names[] = { "waiting", "offered", "to-call", "called", "active", "leaving" };

static const char *const event_names[] = { "answer", "acked", "re-offer", "untold", "gone", "timeout" };

static mcx_err take_answer(struct mgrp_step *s);
static mcx_err take_ack(struct mgrp_step *s);
static mcx_err take_offer(struct mgrp_step *s);
static mcx_err refuse_offer(struct mgrp_step *s);
static mcx_err offer_again(struct mgrp_step *s);
static mcx_err late_answer(struct mgrp_step *s);
static mcx_err drop_leg(struct mgrp_step *s);
static mcx_err give_up(struct mgrp_step *s);
static mcx_err look_at_affiliation(struct mgrp_step *s);

static const struct row {
    enum mgrp_state state;
    enum mgrp_event event;
    enum mgrp_state next; /* unless the action has chosen another */
    mcx_err (*act)(struct mgrp_step *s);
    const char *what;
} rows[] = {
    { MGRP_WAITING, MGRP_IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_OFFERED, MGRP_IN_ACKED, MGRP_ACTIVE, take_ack, "he takes part: media and floor control know him" },
    { MGRP_OFFERED, MGRP_IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_TO_CALL, MGRP_IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_CALLED, MGRP_IN_ANSWER, MGRP_ACTIVE, take_answer,
      "he takes part; the first answer lets those who wait have theirs (10.1.1.4.2)" },
    { MGRP_CALLED, MGRP_IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_CALLED, MGRP_IN_TIMEOUT, MGRP_LEAVING, give_up, "CANCEL" },
    { MGRP_ACTIVE, MGRP_IN_OFFER, MGRP_ACTIVE, take_offer, "200; a new call type is told to all (10.1.1.4.4)" },
    { MGRP_ACTIVE, MGRP_IN_UNTOLD, MGRP_ACTIVE, offer_again, "re-INVITE once more (RFC 3261 14.1)" },
    { MGRP_ACTIVE, MGRP_IN_GONE, MGRP_LEAVING, drop_leg, "he left; the session ends when too few remain (6.3.8.1)" },
    { MGRP_ACTIVE, MGRP_IN_TIMEOUT, MGRP_ACTIVE, look_at_affiliation, "BYE when his affiliation has ended (6.3.8.2)" },
    { MGRP_LEAVING, MGRP_IN_ANSWER, MGRP_LEAVING, late_answer, "BYE: the answer crossed the CANCEL" },
    { MGRP_LEAVING, MGRP_IN_OFFER, MGRP_LEAVING, refuse_offer, "488" },
    { MGRP_LEAVING, MGRP_IN_UNTOLD, MGRP_LEAVING, NULL, "nothing" },
    { MGRP_LEAVING, MGRP_IN_ACKED, MGRP_LEAVING, NULL, "nothing" },
    { MGRP_LEAVING, MGRP_IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

bool mcx_mgrp_row(struct mcx_mgrp_row *row, size_t i)
{
    if (i >= NUM_ROWS) {
        return false;
    }
    *row = (struct mcx_mgrp_row){ state_names[rows[i].state], event_names[rows[i].event], state_names[rows[i].next],
                                  rows[i].what };
    return true;
}

/* ---- events at a leg ---- */

static const char *group_of(const struct mgrp_step *s)
{
    return s->session->group != NULL ? s->session->group->head.uri : "";
}

static void join(struct mgrp_step *s)
{
    const struct mgrp_member *m = mgrp_find_member(s->session->group, s->leg->mcptt_id);
    struct mcx_mgrp_action *a = mgrp_action(s, MCX_MGRP_JOIN);

    a->leg = s->leg->id;
    a->peer = s->leg->peer;
    a->peer.mcptt_id = mgrp_text(s->grp, "%s", s->leg->mcptt_id);
    a->peer.max_priority = mgrp_floor_priority(s->session, s->leg);
    a->peer.receive_only = m == NULL || m->receive_only;
    s->leg->deadline_ms = m != NULL ? m->affiliated_until : s->in->now_ms;
    if (!s->leg->joined) {
        mgrp_note(s, "group-joined", s->leg->mcptt_id, s->session->group->head.uri, "", NULL);
    }
    s->leg->joined = true;
    mgrp_tell_type(s, s->leg); /* it may have changed since his INVITE or his 200 */
}

static mcx_err take_answer(struct mgrp_step *s)
{
    struct mcx_refusal why = { "", "" };
    struct mcx_sdp_amrwb amrwb;
    struct mcx_mime mime;
    mcx_err err = mcx_mime_read(&mime, s->in->sip->content_type, s->in->sip->body, &why);

    err = err == MCX_OK ? mgrp_read_media(&s->leg->peer, &amrwb, &mime, s->session, &why) : err;
    s->leg->peer.implicit_request = false; /* means nothing in an answer */
    if (err != MCX_OK) {
        mgrp_note_refused(s, "group-answer-refused", s->leg->mcptt_id, group_of(s), NULL, &why);
        s->leg->state = MGRP_ACTIVE;
        mgrp_dismiss(s->grp, s->leg);
        mgrp_look_whether_enough(s);
        return MCX_OK;
    }
    join(s);
    if (!s->session->answered) {
        mgrp_answer_waiting(s);
    }
    return MCX_OK;
}

static mcx_err take_ack(struct mgrp_step *s)
{
    join(s);
    return MCX_OK;
}

static mcx_err reject_offer(struct mgrp_step *s, const struct msrv_verdict *v, const struct mcx_refusal *why)
{
    mgrp_reject(s, s->leg->id, v);
    mgrp_note_refused(s, "group-offer-refused", s->leg->mcptt_id, group_of(s), v, why);
    return MCX_OK;
}

static const struct msrv_verdict not_acceptable = { 488, "Not Acceptable Here", MCX_WARN_NONE, NULL };

static mcx_err refuse_offer(struct mgrp_step *s)
{
    return reject_offer(s, &not_acceptable, &(struct mcx_refusal){ "the call is over for him", "RFC 3261 14.2" });
}

/* re-INVITE: a new call type, or new addresses. */
static mcx_err take_offer(struct mgrp_step *s)
{
    const struct mgrp_member *m = mgrp_find_member(s->session->group, s->leg->mcptt_id);
    struct mcx_mgrp_peer peer;
    struct mgrp_request request;
    const struct mcx_mime_part *sdp;
    struct mcx_sdp_amrwb amrwb;
    struct mcx_mgrp_action *a;
    struct msrv_verdict v;
    struct mcx_refusal why = { "the body cannot be read", "TS 24.379 F.1" };

    if (mgrp_read_request(&request, s->in->sip) != MCX_OK && request.mime.num == 0) {
        return reject_offer(s, &not_acceptable, &why);
    }
    v = m != NULL && m->user != NULL ? mgrp_check_type(&request, m->user) : MSRV_PASS;
    if (v.code != 0) {
        return reject_offer(s, &v, NULL);
    }
    if (mgrp_read_media(&peer, &amrwb, &request.mime, s->session, &why) != MCX_OK) {
        return reject_offer(s, &not_acceptable, &why);
    }
    sdp = mcx_mime_find(&request.mime, MCX_TYPE_SDP);
    peer.implicit_request = false;
    s->leg->peer = peer;
    mgrp_change_type(s, &request, s->leg->id, s->leg->mcptt_id);
    a = mgrp_action(s, MCX_MGRP_ANSWER);
    MCX_TRY(mgrp_fill_answer(a, s, s->leg, sdp->body));
    join(s);
    return MCX_OK;
}

static mcx_err offer_again(struct mgrp_step *s)
{
    mgrp_mark(s->grp, s->leg, MGRP_DO_OFFER);
    return MCX_OK;
}

static mcx_err late_answer(struct mgrp_step *s)
{
    mgrp_mark(s->grp, s->leg, MGRP_DO_HANGUP);
    return MCX_OK;
}

static mcx_err give_up(struct mgrp_step *s)
{
    mgrp_dismiss(s->grp, s->leg);
    mgrp_look_whether_enough(s);
    return MCX_OK;
}

static mcx_err look_at_affiliation(struct mgrp_step *s)
{
    const struct mgrp_member *m = mgrp_find_member(s->session->group, s->leg->mcptt_id);

    if (m != NULL && m->affiliated_until > s->in->now_ms) {
        s->leg->deadline_ms = m->affiliated_until;
        return MCX_OK;
    }
    mgrp_dismiss(s->grp, s->leg);
    mgrp_look_whether_enough(s);
    return MCX_OK;
}

/* Out of media and floor control, at once: not only when his BYE is answered. */
static void part(struct mgrp_step *s, const char *text)
{
    const struct mgrp_group *group = s->session->group;

    if (s->leg->joined) {
        mgrp_action(s, MCX_MGRP_PART)->leg = s->leg->id;
        mgrp_note(s, "group-left", s->leg->mcptt_id, group != NULL ? group->head.uri : "", text, NULL);
    }
    s->leg->joined = false;
}

static mcx_err drop_leg(struct mgrp_step *s)
{
    struct mgrp_session *session = s->session;
    struct mgrp_member *m = session->group != NULL ? mgrp_find_member(session->group, s->leg->mcptt_id) : NULL;

    part(s, "");
    if (m != NULL && s->in->sip != NULL && s->leg->state != MGRP_LEAVING) { /* he said so himself: BYE, or a refusal */
        m->left = session->id;
    }
    mgrp_remove_leg(s->grp, session, s->leg);
    s->leg = NULL;
    mgrp_look_whether_enough(s);
    return MCX_OK;
}

mcx_err mgrp_run_row(struct mgrp_step *s, enum mgrp_event event)
{
    enum mgrp_state before = (enum mgrp_state)s->leg->state;

    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].state == before && rows[i].event == event) {
            mcx_err err = rows[i].act != NULL ? rows[i].act(s) : MCX_OK;

            if (err == MCX_OK && s->leg != NULL && s->leg->state == before) {
                s->leg->state = (uint8_t)rows[i].next;
            }
            return err;
        }
    }
    return MCX_E_STATE;
}

/* ---- what is still to be done ---- */

static mcx_err call_leg(struct mgrp_step *s)
{
    uint32_t wait = s->grp->config.server->no_answer_ms;

    MCX_TRY(mgrp_fill_invite(mgrp_action(s, MCX_MGRP_INVITE), s, s->leg, false));
    s->leg->state = MGRP_CALLED;
    s->leg->deadline_ms = s->in->now_ms + (wait != 0 ? wait : NO_ANSWER_MS);
    return MCX_OK;
}

static mcx_err answer_leg(struct mgrp_step *s)
{
    MCX_TRY(mgrp_fill_answer(mgrp_action(s, MCX_MGRP_ANSWER), s, s->leg, mcx_bytes_str(s->leg->offer)));
    free(s->leg->offer);
    s->leg->offer = NULL;
    s->leg->state = MGRP_OFFERED;
    return MCX_OK;
}

static void refuse_leg(struct mgrp_step *s)
{
    static const struct msrv_verdict v = { 480, "Temporarily Unavailable", MCX_WARN_NONE, NULL };
    static const struct mcx_refusal why = { "the call has ended, or he called anew", "TS 24.379 6.3.8.1" };

    if (s->leg->offer != NULL) { /* he waited; else he was to be called and knows nothing */
        mgrp_reject(s, s->leg->id, &v);
        mgrp_note_refused(s, "group-call-refused", s->leg->mcptt_id, group_of(s), &v, &why);
    }
    mgrp_remove_leg(s->grp, s->session, s->leg);
}

static void do_marks(struct mgrp_step *s)
{
    uint8_t todo = s->leg->todo;
    size_t before = s->out->num;
    mcx_err err = MCX_OK;

    mgrp_unmark(s->grp, s->leg);
    if (todo & MGRP_DO_REFUSE) {
        refuse_leg(s);
        return;
    }
    if (todo & MGRP_DO_HANGUP) {
        part(s, "removed");
        mgrp_action(s, MCX_MGRP_HANGUP)->leg = s->leg->id;
        return;
    }
    if (todo & MGRP_DO_CALL) {
        err = call_leg(s);
    } else if (todo & MGRP_DO_ANSWER) {
        err = answer_leg(s);
    } else if (todo & MGRP_DO_OFFER) {
        err = mgrp_fill_invite(mgrp_action(s, MCX_MGRP_OFFER), s, s->leg, true);
    }
    if (err != MCX_OK) { /* he left the group meanwhile, or what he offered cannot be answered */
        s->out->num = before;
        mgrp_dismiss(s->grp, s->leg);
    }
}

void mgrp_drain(struct mgrp_step *s)
{
    struct mcx_mgrp *grp = s->grp;

    for (size_t i = 0; i < grp->cap_sessions && grp->num_todo > 0; i++) {
        struct mgrp_session *session = grp->sessions[i];

        for (size_t k = 0; session != NULL && k < session->num_legs;) {
            size_t legs = session->num_legs;

            if (session->legs[k].todo != 0) {
                if (s->out->num + MGRP_PER_MARK > MCX_MGRP_MAX_ACTIONS) {
                    s->out->more = true;
                    return;
                }
                s->session = session;
                s->leg = &session->legs[k];
                do_marks(s);
            }
            k += session->num_legs == legs && session->legs[k].todo == 0 ? 1 : 0;
        }
    }
}
