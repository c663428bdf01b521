/* SPDX-License-Identifier: Apache-2.0 */
/* The group call of a client: tables, actions, and the step (TS 24.379 10.1.1.2, 10.1.2.2). */
#include "proc/groupcall_priv.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/floor_msg.h>

#include "proc/sentence.h"

/* CHOICE "gc-priority": what is asked for by call type when nothing is configured. */
static const uint8_t default_priority[MCX_GC_NUM_TYPES] = { 5, 255, 254 };

static const uint16_t indicators[MCX_GC_NUM_TYPES] = { MCX_FI_NORMAL, MCX_FI_EMERGENCY, MCX_FI_IMMINENT };

/* ---- actions ---- */

/* One step under way. */
struct run {
    struct mcx_groupcall *gc;
    const struct mcx_groupcall_in *in;
    struct mcx_groupcall_actions *out;
    struct gc_found found;
};

/* The longest row adds five (test); MCX_GC_MAX_ACTIONS is a bound for those to come. */
static struct mcx_groupcall_action *add(struct run *r, enum mcx_groupcall_act act)
{
    struct mcx_groupcall_action *a = &r->out->list[r->out->num < MCX_GC_MAX_ACTIONS - 1 ? r->out->num++ : r->out->num];

    *a = (struct mcx_groupcall_action){ .act = act, .dialog = r->gc->call.dialog };
    return a;
}

static void timer_start(struct run *r, enum mcx_groupcall_timer timer)
{
    uint32_t ms = r->gc->config.timer_ms[timer];
    struct mcx_groupcall_action *a = add(r, MCX_GC_START_TIMER);

    a->timer = timer;
    a->delay_ms = ms == 0 ? mcx_groupcall_timer_info(timer)->default_ms : ms;
}

static void timer_stop(struct run *r, enum mcx_groupcall_timer timer)
{
    add(r, MCX_GC_STOP_TIMER)->timer = timer;
}

/* The strings are copied, since the call may be forgotten before the action is read. */
static struct mcx_groupcall_action *tell(struct run *r, enum mcx_groupcall_note note, enum mcx_groupcall_cause cause,
                                         const char *text)
{
    struct mcx_groupcall *gc = r->gc;
    struct mcx_groupcall_action *a = add(r, MCX_GC_TELL);

    memcpy(gc->told_group, gc->call.group, sizeof gc->told_group);
    memcpy(gc->told_caller, gc->call.caller, sizeof gc->told_caller);
    proc_say(gc->sentence, sizeof gc->sentence, text, gc->told_group);
    a->note = note;
    a->cause = cause;
    a->sentence = gc->sentence;
    a->group = gc->told_group;
    a->caller = gc->told_caller;
    a->session = gc->call.session;
    a->type = gc->call.type;
    a->key_id = gc->call.protect_media ? gc->call.key_id : 0;
    a->why = r->found.why;
    return a;
}

static void tell_cause(struct run *r, enum mcx_groupcall_note note, enum mcx_groupcall_cause cause)
{
    const struct gc_cause_row *row = gc_cause_row(cause);

    tell(r, note, cause, row->sentence)->code = row->code;
}

static void send_refusal(struct run *r, uint16_t code, const char *phrase)
{
    struct mcx_groupcall_action *a = add(r, MCX_GC_SEND_REFUSAL);

    a->dialog = r->in->dialog;
    a->code = code;
    a->phrase = phrase;
}

static struct mcx_groupcall_media *media_action(struct run *r, enum mcx_groupcall_act act)
{
    struct gc_call *call = &r->gc->call;
    struct mcx_groupcall_media *m = &add(r, act)->media;

    m->group = call->key_group;
    m->protect_media = call->protect_media;
    m->protect_floor = call->protect_floor;
    m->amrwb = call->amrwb;
    m->queueing = call->agreed.queueing;
    m->priority = gc_priority(r->gc, call->type);
    m->indicator = indicators[call->type];
    return m;
}

static void media_start(struct run *r)
{
    struct gc_call *call = &r->gc->call;
    struct mcx_groupcall_media *m = media_action(r, MCX_GC_START_MEDIA);
    bool asked = call->ours && call->offered.implicit_request;

    m->address = call->address;
    m->port = call->port;
    m->floor_address = call->floor_address;
    m->floor_port = call->floor_port;
    m->granted = call->ours && call->agreed.granted;
    m->implicit_request = asked && (call->agreed.implicit_request || m->granted); /* TS 24.380 14.3.5 */
    m->request_floor = asked && !m->implicit_request;
}

static void send_offer(struct run *r, enum mcx_groupcall_act act, enum mcx_groupcall_type type)
{
    struct mcx_groupcall_action *a = add(r, act);

    a->sdp = mcx_bytes(r->gc->sdp, r->gc->sdp_len);
    a->group = r->gc->call.group;
    a->session = r->gc->call.session;
    a->type = type;
    a->before = r->gc->call.type;
}

static void send_ok(struct run *r)
{
    add(r, MCX_GC_SEND_OK)->sdp = mcx_bytes(r->gc->sdp, r->gc->sdp_len);
}

/* ---- rows: calling and joining ---- */

static void call_start(struct run *r)
{
    (void)media_action(r, MCX_GC_LISTEN); /* media may overtake the answer (RFC 3264 5.1) */
    send_offer(r, MCX_GC_SEND_INVITE, r->gc->call.type);
    timer_start(r, MCX_GC_TIMER_ANSWER);
    tell(r, MCX_GC_NOTE_CALLING, MCX_GC_CAUSE_NONE,
         r->gc->call.session == MCX_SESSION_CHAT ? "Joining {}" : "Calling {}");
}

static void call_impossible(struct run *r)
{
    tell_cause(r, MCX_GC_NOTE_REFUSED, r->found.cause);
}

static void nothing(struct run *r)
{
    (void)r;
}

static void established(struct run *r)
{
    media_start(r);
    tell(r, MCX_GC_NOTE_ESTABLISHED, MCX_GC_CAUSE_NONE,
         r->gc->call.protect_media ? "You are in the call of {}; only its members can hear it"
                                   : "You are in the call of {}, which is NOT protected");
}

static void call_answered(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_ANSWER);
    r->gc->call.type = r->found.type;
    established(r);
}

static void answer_bad(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_ANSWER);
    add(r, MCX_GC_STOP_MEDIA);
    add(r, MCX_GC_SEND_BYE);
    tell_cause(r, MCX_GC_NOTE_REFUSED, MCX_GC_CAUSE_BAD_ANSWER);
}

static void call_refused(struct run *r)
{
    struct mcx_groupcall_action *a = NULL;

    timer_stop(r, MCX_GC_TIMER_ANSWER);
    add(r, MCX_GC_STOP_MEDIA);
    a = tell(r, MCX_GC_NOTE_REFUSED, MCX_GC_CAUSE_REFUSED, gc_peer_sentence(r->in->code, r->in->warning));
    a->code = r->in->code;
    a->warning = r->in->warning;
}

static void call_lost(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_ANSWER);
    add(r, MCX_GC_STOP_MEDIA);
    tell_cause(r, MCX_GC_NOTE_REFUSED, MCX_GC_CAUSE_LOST);
}

static void cancel_as(struct run *r, enum mcx_groupcall_cause cause)
{
    timer_stop(r, MCX_GC_TIMER_ANSWER);
    add(r, MCX_GC_STOP_MEDIA);
    add(r, MCX_GC_SEND_CANCEL);
    timer_start(r, MCX_GC_TIMER_CANCEL);
    tell_cause(r, MCX_GC_NOTE_ENDED, cause);
}

static void cancel_by_user(struct run *r)
{
    cancel_as(r, MCX_GC_CAUSE_CANCELLED);
}

static void cancel_by_timer(struct run *r)
{
    cancel_as(r, MCX_GC_CAUSE_NO_ANSWER);
}

static void cancel_crossed(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_CANCEL);
    add(r, MCX_GC_SEND_BYE);
}

static void cancel_done(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_CANCEL);
}

/* ---- rows: invited ---- */

static void invite_answered(struct run *r)
{
    send_ok(r);
    established(r);
}

static void invite_refused(struct run *r)
{
    const struct gc_cause_row *row = gc_cause_row(r->found.cause);

    send_refusal(r, row->code, row->phrase);
    tell_cause(r, MCX_GC_NOTE_REFUSED, r->found.cause);
}

static void second_call(struct run *r)
{
    const struct gc_cause_row *row = gc_cause_row(MCX_GC_CAUSE_BUSY);

    send_refusal(r, row->code, row->phrase);
}

/* ---- rows: in the call ---- */

static void type_set(struct run *r, enum mcx_groupcall_type type)
{
    static const char *const sentences[MCX_GC_NUM_TYPES] = { "The call of {} is a normal one again",
                                                             "The call of {} is an EMERGENCY call now",
                                                             "The call of {} is an IMMINENT PERIL call now" };
    bool changed = r->gc->call.type != type;

    r->gc->call.type = type;
    (void)media_action(r, MCX_GC_SET_TYPE);
    if (changed) {
        tell(r, MCX_GC_NOTE_TYPE, MCX_GC_CAUSE_NONE, sentences[type]);
    }
}

static void change_start(struct run *r)
{
    send_offer(r, MCX_GC_SEND_REINVITE, r->gc->call.wanted);
    timer_start(r, MCX_GC_TIMER_ANSWER);
}

static void change_wait(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_ANSWER);
    timer_start(r, MCX_GC_TIMER_AGAIN);
    if (r->in->retry_ms != 0) {
        r->out->list[r->out->num - 1].delay_ms = r->in->retry_ms;
    }
}

static void change_again(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_AGAIN);
    change_start(r);
}

static void change_dropped(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_AGAIN);
}

static void change_done(struct run *r)
{
    timer_stop(r, MCX_GC_TIMER_ANSWER);
    memcpy(r->gc->call.caller, r->gc->own_id, sizeof r->gc->call.caller);
    type_set(r, r->found.type);
}

static void change_refused(struct run *r)
{
    struct mcx_groupcall_action *a = NULL;

    timer_stop(r, MCX_GC_TIMER_ANSWER);
    a = tell(r, MCX_GC_NOTE_NOT_CHANGED, MCX_GC_CAUSE_REFUSED,
             "The server did not allow it; the call of {} goes on as it was");
    a->code = r->in->code;
    a->warning = r->in->warning;
}

static void offer_answered(struct run *r)
{
    send_ok(r);
    type_set(r, r->found.type);
}

static void offer_refused(struct run *r)
{
    send_refusal(r, 488, "Not Acceptable Here");
    tell(r, MCX_GC_NOTE_OFFER_REFUSED, r->found.cause, "A change of the call of {} was refused; it goes on as it was")
        ->code = 488;
}

static void offer_crossed(struct run *r)
{
    send_refusal(r, 491, "Request Pending"); /* RFC 3261 14.2 */
}

static void call_end(struct run *r, bool bye, enum mcx_groupcall_cause cause)
{
    if (r->gc->state == MCX_GC_CHANGING || r->gc->state == MCX_GC_WAITING) {
        timer_stop(r, r->gc->state == MCX_GC_CHANGING ? MCX_GC_TIMER_ANSWER : MCX_GC_TIMER_AGAIN);
    }
    add(r, MCX_GC_STOP_MEDIA);
    if (bye) {
        add(r, MCX_GC_SEND_BYE);
    }
    tell_cause(r, MCX_GC_NOTE_ENDED, cause);
}

static void end_by_user(struct run *r)
{
    call_end(r, true, MCX_GC_CAUSE_LEFT);
}

static void end_by_server(struct run *r)
{
    call_end(r, false, MCX_GC_CAUSE_RELEASED);
}

static void end_by_loss(struct run *r)
{
    call_end(r, false, MCX_GC_CAUSE_LOST);
}

static void end_by_silence(struct run *r)
{
    call_end(r, true, MCX_GC_CAUSE_NO_ANSWER);
}

static void end_by_answer(struct run *r)
{
    call_end(r, true, MCX_GC_CAUSE_BAD_ANSWER);
}

/* ---- tables ---- */

#define TIMER(t)  MCX_GC_TIMER, MCX_GC_TIMER_##t
#define ANY_TIMER MCX_GC_NUM_TIMERS

/* Events from outside that must be checked before a row can be chosen. Nothing else makes their results. */
static const struct check {
    enum mcx_groupcall_state state;
    enum mcx_groupcall_event event;
    enum mcx_groupcall_event (*check)(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                      struct gc_found *found);
} checks[] = {
    { MCX_GC_IDLE, MCX_GC_USER_CALL, gc_check_call },
    { MCX_GC_IDLE, MCX_GC_RX_INVITE, gc_check_invite },
    { MCX_GC_CALLING, MCX_GC_RX_OK, gc_check_ok },
    { MCX_GC_IN_CALL, MCX_GC_USER_CHANGE, gc_check_change },
    { MCX_GC_IN_CALL, MCX_GC_RX_OFFER, gc_check_offer },
    { MCX_GC_CHANGING, MCX_GC_RX_OK, gc_check_ok },
    { MCX_GC_CHANGING, MCX_GC_RX_FAILURE, gc_check_failure },
    { MCX_GC_WAITING, MCX_GC_TIMER, gc_check_again },
    { MCX_GC_WAITING, MCX_GC_USER_CHANGE, gc_check_change },
    { MCX_GC_WAITING, MCX_GC_RX_OFFER, gc_check_offer },
};

static const struct row {
    enum mcx_groupcall_state state;
    enum mcx_groupcall_event event;
    enum mcx_groupcall_timer timer; /* when the event is TIMER */
    enum mcx_groupcall_state next;
    void (*act)(struct run *r);
    const char *what;
} rows[] = {
    /* calling, joining, coming back (TS 24.379 10.1.1.2.1.1, 10.1.1.2.4, 10.1.2.2.1.1) */
    { MCX_GC_IDLE, MCX_GC_CALL_READY, ANY_TIMER, MCX_GC_CALLING, call_start, "ready to receive, INVITE without a key" },
    { MCX_GC_IDLE, MCX_GC_CALL_IMPOSSIBLE, ANY_TIMER, MCX_GC_IDLE, call_impossible,
      "nothing is sent; tell the user why" },
    { MCX_GC_CALLING, MCX_GC_RX_PROGRESS, ANY_TIMER, MCX_GC_CALLING, nothing, "" },
    { MCX_GC_CALLING, MCX_GC_OK_GOOD, ANY_TIMER, MCX_GC_IN_CALL, call_answered, "start media and floor control" },
    { MCX_GC_CALLING, MCX_GC_OK_BAD, ANY_TIMER, MCX_GC_IDLE, answer_bad, "stop media, BYE" },
    { MCX_GC_CALLING, MCX_GC_RX_FAILURE, ANY_TIMER, MCX_GC_IDLE, call_refused, "stop media, plain sentence" },
    { MCX_GC_CALLING, MCX_GC_RX_LOST, ANY_TIMER, MCX_GC_IDLE, call_lost, "stop media, plain sentence" },
    { MCX_GC_CALLING, MCX_GC_USER_LEAVE, ANY_TIMER, MCX_GC_CANCELLING, cancel_by_user, "stop media, CANCEL" },
    { MCX_GC_CALLING, TIMER(ANSWER), MCX_GC_CANCELLING, cancel_by_timer, "stop media, CANCEL" },
    { MCX_GC_CALLING, MCX_GC_RX_INVITE, ANY_TIMER, MCX_GC_CALLING, second_call, "486 to the INVITE" },
    { MCX_GC_CANCELLING, MCX_GC_RX_OK, ANY_TIMER, MCX_GC_IDLE, cancel_crossed, "BYE: the answer crossed the CANCEL" },
    { MCX_GC_CANCELLING, MCX_GC_RX_FAILURE, ANY_TIMER, MCX_GC_IDLE, cancel_done, "487 as expected" },
    { MCX_GC_CANCELLING, MCX_GC_RX_LOST, ANY_TIMER, MCX_GC_IDLE, cancel_done, "" },
    { MCX_GC_CANCELLING, TIMER(CANCEL), MCX_GC_IDLE, nothing, "give up waiting" },
    { MCX_GC_CANCELLING, MCX_GC_RX_INVITE, ANY_TIMER, MCX_GC_CANCELLING, second_call, "486 to the INVITE" },
    /* invited (TS 24.379 10.1.1.2.1.2, 6.2.3.1.2) */
    { MCX_GC_IDLE, MCX_GC_INVITE_GOOD, ANY_TIMER, MCX_GC_IN_CALL, invite_answered,
      "200, start media and floor control" },
    { MCX_GC_IDLE, MCX_GC_INVITE_BAD, ANY_TIMER, MCX_GC_IDLE, invite_refused, "response of the table of causes" },
    /* in the call: call type (10.1.1.2.1.3 to 10.1.1.2.1.6), end (10.1.1.2.3, 10.1.2.2.3) */
    { MCX_GC_IN_CALL, MCX_GC_CHANGE_READY, ANY_TIMER, MCX_GC_CHANGING, change_start, "re-INVITE with the indication" },
    { MCX_GC_IN_CALL, MCX_GC_OFFER_GOOD, ANY_TIMER, MCX_GC_IN_CALL, offer_answered,
      "200, new priority and indication" },
    { MCX_GC_IN_CALL, MCX_GC_OFFER_BAD, ANY_TIMER, MCX_GC_IN_CALL, offer_refused, "488, the call goes on" },
    { MCX_GC_IN_CALL, MCX_GC_USER_LEAVE, ANY_TIMER, MCX_GC_IDLE, end_by_user, "stop media, BYE" },
    { MCX_GC_IN_CALL, MCX_GC_RX_BYE, ANY_TIMER, MCX_GC_IDLE, end_by_server, "stop media" },
    { MCX_GC_IN_CALL, MCX_GC_RX_LOST, ANY_TIMER, MCX_GC_IDLE, end_by_loss, "stop media" },
    { MCX_GC_IN_CALL, MCX_GC_RX_INVITE, ANY_TIMER, MCX_GC_IN_CALL, second_call, "486 to the other INVITE" },
    { MCX_GC_CHANGING, MCX_GC_RX_PROGRESS, ANY_TIMER, MCX_GC_CHANGING, nothing, "" },
    { MCX_GC_CHANGING, MCX_GC_OK_GOOD, ANY_TIMER, MCX_GC_IN_CALL, change_done, "new priority and indication" },
    { MCX_GC_CHANGING, MCX_GC_OK_BAD, ANY_TIMER, MCX_GC_IDLE, end_by_answer, "stop media, BYE" },
    { MCX_GC_CHANGING, MCX_GC_RX_FAILURE, ANY_TIMER, MCX_GC_IN_CALL, change_refused, "the call goes on as it was" },
    { MCX_GC_CHANGING, MCX_GC_CHANGE_FATAL, ANY_TIMER, MCX_GC_IDLE, end_by_silence, "408 or 481: stop media, BYE" },
    { MCX_GC_CHANGING, MCX_GC_CHANGE_CROSSED, ANY_TIMER, MCX_GC_WAITING, change_wait,
      "491: wait, so that the other one comes first (RFC 3261 14.1)" },
    { MCX_GC_CHANGING, TIMER(ANSWER), MCX_GC_IDLE, end_by_silence, "stop media, BYE" },
    { MCX_GC_CHANGING, MCX_GC_RX_OFFER, ANY_TIMER, MCX_GC_CHANGING, offer_crossed, "491" },
    { MCX_GC_CHANGING, MCX_GC_USER_LEAVE, ANY_TIMER, MCX_GC_IDLE, end_by_user, "stop media, BYE" },
    { MCX_GC_CHANGING, MCX_GC_RX_BYE, ANY_TIMER, MCX_GC_IDLE, end_by_server, "stop media" },
    { MCX_GC_CHANGING, MCX_GC_RX_LOST, ANY_TIMER, MCX_GC_IDLE, end_by_loss, "stop media" },
    { MCX_GC_CHANGING, MCX_GC_RX_INVITE, ANY_TIMER, MCX_GC_CHANGING, second_call, "486 to the other INVITE" },
    { MCX_GC_WAITING, MCX_GC_CHANGE_READY, ANY_TIMER, MCX_GC_CHANGING, change_again, "re-INVITE again" },
    { MCX_GC_WAITING, MCX_GC_CHANGE_NEEDLESS, ANY_TIMER, MCX_GC_IN_CALL, nothing, "the call is of that type now" },
    { MCX_GC_WAITING, MCX_GC_USER_CHANGE, ANY_TIMER, MCX_GC_IN_CALL, change_dropped, "back to the type that the call has" },
    { MCX_GC_WAITING, MCX_GC_OFFER_GOOD, ANY_TIMER, MCX_GC_WAITING, offer_answered, "200, new priority and indication" },
    { MCX_GC_WAITING, MCX_GC_OFFER_BAD, ANY_TIMER, MCX_GC_WAITING, offer_refused, "488, the call goes on" },
    { MCX_GC_WAITING, MCX_GC_USER_LEAVE, ANY_TIMER, MCX_GC_IDLE, end_by_user, "stop media, BYE" },
    { MCX_GC_WAITING, MCX_GC_RX_BYE, ANY_TIMER, MCX_GC_IDLE, end_by_server, "stop media" },
    { MCX_GC_WAITING, MCX_GC_RX_LOST, ANY_TIMER, MCX_GC_IDLE, end_by_loss, "stop media" },
    { MCX_GC_WAITING, MCX_GC_RX_INVITE, ANY_TIMER, MCX_GC_WAITING, second_call, "486 to the other INVITE" },
};

static const struct row *find_row(enum mcx_groupcall_state state, enum mcx_groupcall_event event,
                                  enum mcx_groupcall_timer timer)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].state == state && rows[i].event == event && (event != MCX_GC_TIMER || rows[i].timer == timer)) {
            return &rows[i];
        }
    }
    return NULL;
}

static const struct check *find_check(enum mcx_groupcall_state state, enum mcx_groupcall_event event)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].state == state && checks[i].event == event) {
            return &checks[i];
        }
    }
    return NULL;
}

bool mcx_groupcall_row(struct mcx_groupcall_row *out, size_t n)
{
    if (n >= sizeof rows / sizeof rows[0]) {
        return false;
    }
    out->state = mcx_groupcall_state_name(rows[n].state);
    out->event = rows[n].event == MCX_GC_TIMER ? mcx_groupcall_timer_info(rows[n].timer)->name
                                               : mcx_groupcall_event_name(rows[n].event);
    out->next = mcx_groupcall_state_name(rows[n].next);
    out->what = rows[n].what;
    return true;
}

/* ---- the step ---- */

/* The one place where the state changes. Becoming idle forgets the call, whatever the row. */
static void state_set(struct mcx_groupcall *gc, enum mcx_groupcall_state next)
{
    gc->state = next;
    if (next == MCX_GC_IDLE) {
        memset(&gc->call, 0, sizeof gc->call);
    }
}

static bool of_this_call(const struct mcx_groupcall *gc, const struct mcx_groupcall_in *in)
{
    switch (in->event) {
    case MCX_GC_USER_CALL:
    case MCX_GC_USER_CHANGE:
    case MCX_GC_USER_LEAVE:
    case MCX_GC_RX_INVITE: return true;
    default: return gc->state != MCX_GC_IDLE && in->dialog == gc->call.dialog;
    }
}

mcx_err mcx_groupcall_step(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                           struct mcx_groupcall_actions *out)
{
    struct run r = { .gc = gc, .in = in, .out = out };
    const struct check *check = NULL;
    const struct row *row = NULL;
    enum mcx_groupcall_event event = in->event;

    out->num = 0;
    if (event > MCX_GC_TIMER) {
        return MCX_E_ARG;
    }
    if (!of_this_call(gc, in)) {
        return MCX_E_STATE;
    }
    check = find_check(gc->state, event);
    if (check != NULL) {
        event = check->check(gc, in, &r.found);
    }
    row = find_row(gc->state, event, in->timer);
    if (row == NULL) {
        return MCX_E_STATE;
    }
    row->act(&r);
    state_set(gc, row->next);
    return MCX_OK;
}

/* ---- affiliation ---- */

static char *affiliation_find(struct mcx_groupcall *gc, struct mcx_bytes group)
{
    for (size_t i = 0; i < MCX_GC_AFFILIATIONS_MAX; i++) {
        if (mcx_bytes_is(group, gc->affiliated[i])) {
            return gc->affiliated[i];
        }
    }
    return NULL;
}

mcx_err mcx_groupcall_affiliate(struct mcx_groupcall *gc, struct mcx_bytes group, bool affiliated)
{
    char *at = NULL;

    if (group.len == 0) {
        return MCX_E_ARG;
    }
    at = affiliation_find(gc, group);
    if (!affiliated) {
        if (at != NULL) {
            at[0] = '\0';
        }
        return MCX_OK;
    }
    at = at != NULL ? at : affiliation_find(gc, mcx_bytes(NULL, 0));
    return at == NULL ? MCX_E_SPACE : mcx_bytes_cstr(at, MCX_GC_URI_MAX, group);
}

/* Who is affiliated to a group is it to the temporary group that it is part of (TS 24.379 9.2.1.1). */
bool mcx_groupcall_is_affiliated(const struct mcx_groupcall *gc, struct mcx_bytes group)
{
    for (size_t i = 0; i < MCX_GC_AFFILIATIONS_MAX; i++) {
        const struct mcx_group_info *info = NULL;

        if (gc->affiliated[i][0] == '\0') {
            continue;
        }
        if (mcx_bytes_is(group, gc->affiliated[i])) {
            return true;
        }
        info = mcx_group_keys_info(gc->config.keys, gc->affiliated[i]);
        if (info != NULL && group.len != 0 && mcx_bytes_is(group, info->temporary)) {
            return true;
        }
    }
    return false;
}

/* ---- life ---- */

static mcx_err copy_string(char *out, size_t cap, const char *text, const char **member)
{
    MCX_TRY(mcx_bytes_cstr(out, cap, mcx_bytes_str(text)));
    *member = out;
    return out[0] == '\0' ? MCX_E_ARG : MCX_OK;
}

static mcx_err config_take(struct mcx_groupcall *gc, const struct mcx_groupcall_config *config)
{
    gc->config = *config;
    if (config->keys == NULL || config->audio_port == 0 || config->floor_port == 0) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < MCX_GC_NUM_TYPES; i++) {
        gc->config.priority[i] = config->priority[i] == 0 ? default_priority[i] : config->priority[i];
    }
    MCX_TRY(copy_string(gc->own_id, sizeof gc->own_id, config->own_id, &gc->config.own_id));
    return copy_string(gc->local_address, sizeof gc->local_address, config->local_address, &gc->config.local_address);
}

mcx_err mcx_groupcall_new(struct mcx_groupcall **out, const struct mcx_groupcall_config *config)
{
    struct mcx_groupcall *gc = calloc(1, sizeof *gc);

    if (gc == NULL) {
        return MCX_E_NOMEM;
    }
    if (config_take(gc, config) != MCX_OK) {
        free(gc);
        return MCX_E_ARG;
    }
    *out = gc;
    return MCX_OK;
}

void mcx_groupcall_free(struct mcx_groupcall *gc)
{
    free(gc);
}

void mcx_groupcall_set_keys(struct mcx_groupcall *gc, const struct mcx_group_keys *keys)
{
    gc->config.keys = keys;
}

void mcx_groupcall_set_csk(struct mcx_groupcall *gc, bool has_csk)
{
    gc->config.has_csk = has_csk;
}

enum mcx_groupcall_state mcx_groupcall_state(const struct mcx_groupcall *gc)
{
    return gc->state;
}

const char *mcx_groupcall_group(const struct mcx_groupcall *gc)
{
    return gc->call.group;
}
