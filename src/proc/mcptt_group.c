/* SPDX-License-Identifier: Apache-2.0 */
/* Group calls of the MCPTT server: sessions, the legs in them, and what is still to be done at each leg. */
#define _POSIX_C_SOURCE 200809L
#include "proc/mcptt_group.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

enum { NO_ANSWER_MS = 60000 };

static const char *const state_names[] = { "waiting", "offered", "to-call", "called", "active", "leaving" };

/* Events at a leg. */
enum event { IN_ANSWER, IN_ACKED, IN_OFFER, IN_GONE, IN_TIMEOUT };
static const char *const event_names[] = { "answer", "acked", "re-offer", "gone", "timeout" };

static mcx_err take_answer(struct mgrp_step *s);
static mcx_err take_ack(struct mgrp_step *s);
static mcx_err take_offer(struct mgrp_step *s);
static mcx_err refuse_offer(struct mgrp_step *s);
static mcx_err late_answer(struct mgrp_step *s);
static mcx_err drop_leg(struct mgrp_step *s);
static mcx_err give_up(struct mgrp_step *s);
static mcx_err look_at_affiliation(struct mgrp_step *s);

static const struct row {
    enum mgrp_state state;
    enum event event;
    enum mgrp_state next; /* unless the action has chosen another */
    mcx_err (*act)(struct mgrp_step *s);
    const char *what;
} rows[] = {
    { MGRP_WAITING, IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_OFFERED, IN_ACKED, MGRP_ACTIVE, take_ack, "he takes part: media and floor control know him" },
    { MGRP_OFFERED, IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_TO_CALL, IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_CALLED, IN_ANSWER, MGRP_ACTIVE, take_answer,
      "he takes part; the first answer lets those who wait have theirs (10.1.1.4.2)" },
    { MGRP_CALLED, IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
    { MGRP_CALLED, IN_TIMEOUT, MGRP_LEAVING, give_up, "CANCEL" },
    { MGRP_ACTIVE, IN_OFFER, MGRP_ACTIVE, take_offer, "200; a new call type is told to all (10.1.1.4.4)" },
    { MGRP_ACTIVE, IN_GONE, MGRP_LEAVING, drop_leg, "he left; the session ends when too few remain (6.3.8.1)" },
    { MGRP_ACTIVE, IN_TIMEOUT, MGRP_ACTIVE, look_at_affiliation, "BYE when his affiliation has ended (6.3.8.2)" },
    { MGRP_LEAVING, IN_ANSWER, MGRP_LEAVING, late_answer, "BYE: the answer crossed the CANCEL" },
    { MGRP_LEAVING, IN_OFFER, MGRP_LEAVING, refuse_offer, "488" },
    { MGRP_LEAVING, IN_ACKED, MGRP_LEAVING, NULL, "nothing" },
    { MGRP_LEAVING, IN_GONE, MGRP_LEAVING, drop_leg, "forget him" },
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

static void unmark(struct mcx_mgrp *grp, struct mgrp_leg *leg)
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

/* May move the legs. */
static struct mgrp_leg *add_leg(struct mgrp_session *session, uint32_t id, const char *mcptt_id, enum mgrp_state state)
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

static void remove_leg(struct mcx_mgrp *grp, struct mgrp_session *session, struct mgrp_leg *leg)
{
    unmark(grp, leg);
    clear_leg(leg);
    *leg = session->legs[--session->num_legs];
}

static bool find_leg(struct mgrp_step *s, uint32_t id)
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
    } while (grp->last_leg == 0 || find_leg(&s, grp->last_leg));
    return grp->last_leg;
}

void mgrp_dismiss(struct mcx_mgrp *grp, struct mgrp_leg *leg)
{
    if (leg->state == MGRP_LEAVING) {
        return;
    }
    unmark(grp, leg);
    mgrp_mark(grp, leg, leg->state == MGRP_WAITING ? MGRP_DO_REFUSE : MGRP_DO_HANGUP);
    if (leg->state == MGRP_TO_CALL) { /* nothing was sent yet */
        leg->todo = MGRP_DO_REFUSE;
    }
    leg->state = MGRP_LEAVING;
    leg->deadline_ms = UINT64_MAX;
}

/* ---- sessions ---- */

static struct mgrp_session *find_session(const struct mcx_mgrp *grp, uint32_t id)
{
    for (size_t i = 0; i < grp->cap_sessions; i++) {
        if (grp->sessions[i] != NULL && grp->sessions[i]->id == id) {
            return grp->sessions[i];
        }
    }
    return NULL;
}

static void free_session(struct mgrp_session *session)
{
    if (session == NULL) {
        return;
    }
    for (size_t i = 0; i < session->num_legs; i++) {
        clear_leg(&session->legs[i]);
    }
    free(session->legs);
    free(session->initiator);
    free(session);
}

/* An ended session is forgotten with its last leg. */
static void sweep(struct mcx_mgrp *grp)
{
    for (size_t i = 0; i < grp->cap_sessions; i++) {
        struct mgrp_session *session = grp->sessions[i];

        if (session != NULL && session->group == NULL && session->num_legs == 0) {
            free_session(session);
            grp->sessions[i] = NULL;
            grp->num_sessions--;
        }
    }
}

static uint16_t indicator_of(const struct mgrp_session *session)
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
static void look_whether_enough(struct mgrp_step *s)
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

static mcx_err new_session(struct mgrp_step *s, struct mgrp_group *group, const char *initiator)
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
        free_session(session);
        return MCX_E_NOMEM;
    }
    do {
        grp->last_session++;
    } while (grp->last_session == 0 || find_session(grp, grp->last_session) != NULL);
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

static bool somebody_else(const struct mgrp_step *s, const struct mgrp_group *group, const char *caller)
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
    leg = add_leg(session, mcx_mgrp_new_leg(s->grp), member->mcptt_id, MGRP_TO_CALL);
    if (leg != NULL) {
        mgrp_mark(s->grp, leg, MGRP_DO_CALL);
    }
}

static void set_type(struct mgrp_session *session, const struct mgrp_request *request)
{
    session->emergency = request->emergency == MCX_MCPTT_TRUE ||
                         (request->emergency == MCX_MCPTT_UNSET && session->emergency);
    session->imminent =
        request->imminent == MCX_MCPTT_TRUE || (request->imminent == MCX_MCPTT_UNSET && session->imminent);
}

/* All others are told of a new call type by re-INVITE (TS 24.379 10.1.1.4.4, 6.3.3.1.6). */
static void change_type(struct mgrp_step *s, const struct mgrp_request *request, uint32_t by_leg, const char *user)
{
    struct mgrp_session *session = s->session;
    uint16_t before = indicator_of(session);
    struct mcx_mgrp_action *a;

    set_type(session, request);
    if (indicator_of(session) == before) {
        return;
    }
    a = mgrp_action(s, MCX_MGRP_CALL_TYPE);
    a->indicator = indicator_of(session);
    mgrp_note(s, "group-call-type", user, session->group->head.uri,
              session->emergency ? "emergency" : session->imminent ? "imminent-peril" : "normal", NULL);
    for (size_t i = 0; i < session->num_legs; i++) {
        if (session->legs[i].state == MGRP_ACTIVE && session->legs[i].id != by_leg) {
            mgrp_mark(s->grp, &session->legs[i], MGRP_DO_OFFER);
        }
    }
}

/* ---- an INVITE of a member ---- */

static mcx_err keep_offer(struct mgrp_leg *leg, const struct mgrp_request *request)
{
    const struct mcx_mime_part *part = mcx_mime_find(&request->mime, MCX_TYPE_SDP);

    leg->offer = strndup((const char *)part->body.p, part->body.len);
    return leg->offer != NULL ? MCX_OK : MCX_E_NOMEM;
}

static void refuse_call(struct mgrp_step *s, const struct mgrp_request *request, const char *user,
                        const struct msrv_verdict *v, const char *text)
{
    mgrp_reject(s, s->in->leg, v);
    mgrp_note(s, "group-call-refused", user, request->group,
              v->warning != MCX_WARN_NONE ? mcx_warning_text(v->warning) : text, v);
}

/* Into the session of the group, or a new one. */
static struct msrv_verdict enter(struct mgrp_step *s, const struct mgrp_request *request, struct mgrp_group *group,
                                 const char *user, const char **text)
{
    static const struct msrv_verdict no_memory = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };
    static const struct msrv_verdict not_acceptable = { 488, "Not Acceptable Here", MCX_WARN_NONE, NULL };
    static const struct msrv_verdict nobody = { 480, "Temporarily Unavailable", MCX_WARN_NONE, NULL };
    struct mcx_mgrp_peer peer;
    struct mcx_sdp_amrwb amrwb;
    struct mgrp_leg *old;
    bool fresh = group->session == NULL;

    *text = "the offer is unusable";
    if (mgrp_read_media(&peer, &amrwb, &request->mime, true) != MCX_OK ||
        (!fresh && amrwb.payload_type != group->session->amrwb.payload_type)) {
        return not_acceptable;
    }
    *text = "no other member can be called";
    if (fresh && group->head.kind == MCX_GROUP_PREARRANGED && !somebody_else(s, group, user)) {
        return nobody;
    }
    *text = "out of memory";
    if (fresh && new_session(s, group, user) != MCX_OK) {
        return no_memory;
    }
    s->session = group->session;
    if (fresh) {
        s->session->amrwb = amrwb;
        (void)!mcx_bytes_cstr(s->session->resource_priority, MGRP_RESOURCE, s->in->sip->resource_priority);
        set_type(s->session, request);
    }
    old = mgrp_leg_of(s->session, user);
    if (old != NULL) { /* he comes anew: his radio was restarted, or our invitation crossed his */
        mgrp_dismiss(s->grp, old);
    }
    s->leg = add_leg(s->session, s->in->leg, user, MGRP_WAITING);
    if (s->leg == NULL || keep_offer(s->leg, request) != MCX_OK) {
        if (s->leg != NULL) {
            remove_leg(s->grp, s->session, s->leg);
        }
        look_whether_enough(s);
        return no_memory;
    }
    s->leg->peer = peer;
    return MSRV_PASS;
}

static void open_media(struct mgrp_step *s)
{
    struct mcx_mgrp_action *a = mgrp_action(s, MCX_MGRP_MEDIA_OPEN);

    a->protect_floor = s->session->protect_floor;
    a->indicator = indicator_of(s->session);
    a->group = s->session->group->head.uri;
}

static void answer_waiting(struct mgrp_step *s)
{
    s->session->answered = true;
    for (size_t i = 0; i < s->session->num_legs; i++) {
        if (s->session->legs[i].state == MGRP_WAITING) {
            mgrp_mark(s->grp, &s->session->legs[i], MGRP_DO_ANSWER);
        }
    }
}

static mcx_err invited(struct mgrp_step *s)
{
    static const struct msrv_verdict bad_request = { 400, "Bad Request", MCX_WARN_NONE, NULL };
    const struct mcx_msrv_user *caller = NULL;
    struct mgrp_group *group = NULL;
    struct mgrp_request request;
    struct msrv_verdict v;
    const char *text = "";
    bool fresh;

    if (find_leg(s, s->in->leg)) {
        return MCX_E_STATE;
    }
    if (mgrp_read_request(&request, s->in->sip) != MCX_OK) {
        refuse_call(s, &request, "", &bad_request, "unreadable body");
        return MCX_OK;
    }
    v = mgrp_check_invite(s, &request, &caller, &group);
    fresh = v.code == 0 && group->session == NULL;
    v = v.code == 0 ? enter(s, &request, group, caller->mcptt_id, &text) : v;
    if (v.code != 0) {
        refuse_call(s, &request, caller != NULL ? caller->mcptt_id : "", &v, v.reason == NULL ? text : v.reason);
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
    change_type(s, &request, s->in->leg, caller->mcptt_id);
    if (s->session->media_ready) {
        answer_waiting(s);
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
        answer_waiting(s);
    }
    for (size_t i = 0; session->prearranged && i < session->group->num_members; i++) {
        mgrp_late_entry(s, session->group, &session->group->members[i]);
    }
    look_whether_enough(s);
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

/* ---- events at a leg ---- */

static void join(struct mgrp_step *s)
{
    const struct mgrp_member *m = mgrp_find_member(s->session->group, s->leg->mcptt_id);
    struct mcx_mgrp_action *a = mgrp_action(s, MCX_MGRP_JOIN);

    a->leg = s->leg->id;
    a->peer = s->leg->peer;
    a->peer.mcptt_id = mgrp_text(s->grp, "%s", s->leg->mcptt_id);
    a->peer.max_priority = m != NULL ? m->priority : 0;
    a->peer.receive_only = m == NULL || m->receive_only;
    s->leg->deadline_ms = m != NULL ? m->affiliated_until : s->in->now_ms;
    if (!s->leg->joined) {
        mgrp_note(s, "group-joined", s->leg->mcptt_id, s->session->group->head.uri, "", NULL);
    }
    s->leg->joined = true;
}

static mcx_err take_answer(struct mgrp_step *s)
{
    struct mcx_sdp_amrwb amrwb;
    struct mcx_mime mime;

    if (mcx_mime_read(&mime, s->in->sip->content_type, s->in->sip->body, NULL) != MCX_OK ||
        mgrp_read_media(&s->leg->peer, &amrwb, &mime, false) != MCX_OK ||
        amrwb.payload_type != s->session->amrwb.payload_type) {
        s->leg->state = MGRP_ACTIVE;
        mgrp_dismiss(s->grp, s->leg);
        look_whether_enough(s);
        return MCX_OK;
    }
    join(s);
    if (!s->session->answered) {
        answer_waiting(s);
    }
    return MCX_OK;
}

static mcx_err take_ack(struct mgrp_step *s)
{
    join(s);
    return MCX_OK;
}

static void reject_offer(struct mgrp_step *s, const struct msrv_verdict *v)
{
    mgrp_reject(s, s->leg->id, v);
}

static mcx_err refuse_offer(struct mgrp_step *s)
{
    static const struct msrv_verdict v = { 488, "Not Acceptable Here", MCX_WARN_NONE, NULL };

    reject_offer(s, &v);
    return MCX_OK;
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

    if (mgrp_read_request(&request, s->in->sip) != MCX_OK && request.mime.num == 0) {
        return refuse_offer(s);
    }
    v = m != NULL && m->user != NULL ? mgrp_check_type(&request, m->user) : MSRV_PASS;
    if (v.code != 0) {
        reject_offer(s, &v);
        return MCX_OK;
    }
    if (mgrp_read_media(&peer, &amrwb, &request.mime, true) != MCX_OK ||
        amrwb.payload_type != s->session->amrwb.payload_type) {
        return refuse_offer(s);
    }
    sdp = mcx_mime_find(&request.mime, MCX_TYPE_SDP);
    peer.implicit_request = false;
    s->leg->peer = peer;
    change_type(s, &request, s->leg->id, s->leg->mcptt_id);
    a = mgrp_action(s, MCX_MGRP_ANSWER);
    MCX_TRY(mgrp_fill_answer(a, s, s->leg, sdp->body));
    join(s);
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
    look_whether_enough(s);
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
    look_whether_enough(s);
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
    remove_leg(s->grp, session, s->leg);
    s->leg = NULL;
    look_whether_enough(s);
    return MCX_OK;
}

static mcx_err run_row(struct mgrp_step *s, enum event event)
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

    if (s->leg->offer != NULL) { /* he waited; else he was to be called and knows nothing */
        mgrp_reject(s, s->leg->id, &v);
    }
    remove_leg(s->grp, s->session, s->leg);
}

static void do_marks(struct mgrp_step *s)
{
    uint8_t todo = s->leg->todo;
    size_t before = s->out->num;
    mcx_err err = MCX_OK;

    unmark(s->grp, s->leg);
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

/* Marks become actions as long as there is room for those of one more. */
static void drain(struct mgrp_step *s)
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
                return run_row(s, IN_TIMEOUT);
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
    s->session = find_session(s->grp, s->in->session);
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

static mcx_err at_leg(struct mgrp_step *s, enum event event)
{
    return find_leg(s, s->in->leg) ? run_row(s, event) : MCX_E_STATE;
}

static mcx_err handle(struct mgrp_step *s)
{
    switch (s->in->event) {
    case MCX_MGRP_EV_GROUP: return mgrp_take_document(s);
    case MCX_MGRP_EV_GROUP_GONE: return group_gone(s);
    case MCX_MGRP_EV_REGISTERED: return registered(s);
    case MCX_MGRP_EV_PUBLISH: return mgrp_publish(s);
    case MCX_MGRP_EV_INVITE: return invited(s);
    case MCX_MGRP_EV_ACKED: return at_leg(s, IN_ACKED);
    case MCX_MGRP_EV_ANSWER: return at_leg(s, IN_ANSWER);
    case MCX_MGRP_EV_OFFER: return at_leg(s, IN_OFFER);
    case MCX_MGRP_EV_GONE: return at_leg(s, IN_GONE);
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
    grp->text.len = 0;
    err = handle(&s);
    drain(&s);
    sweep(grp);
    return err;
}

size_t mcx_mgrp_num_sessions(const struct mcx_mgrp *grp)
{
    return grp->num_sessions;
}

size_t mcx_mgrp_num_participants(const struct mcx_mgrp *grp, uint32_t session)
{
    const struct mgrp_session *found = find_session(grp, session);
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
        free_session(grp->sessions[i]);
    }
    for (size_t i = 0; i < grp->num_groups; i++) {
        mgrp_free_group(grp->groups[i]);
    }
    free(grp->sessions);
    free(grp->arena);
    free(grp);
}
