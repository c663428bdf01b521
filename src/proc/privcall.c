/* SPDX-License-Identifier: Apache-2.0 */
/* The private call: tables, actions, and the step (TS 24.379 11.1.1.2.1, 11.1.3). */
#include "proc/privcall_priv.h"
#include "proc/sentence.h"

#include <stdlib.h>
#include <string.h>

/* ---- actions ---- */

/* One step under way. */
struct run {
    struct mcx_privcall *pc;
    const struct mcx_privcall_in *in;
    struct mcx_privcall_actions *out;
    struct pc_found found;
};

/* The longest row adds six (test); MCX_PC_MAX_ACTIONS is a bound for those to come. */
static struct mcx_privcall_action *add(struct run *r, enum mcx_privcall_act act)
{
    struct mcx_privcall_action *a = &r->out->list[r->out->num < MCX_PC_MAX_ACTIONS - 1 ? r->out->num++ : r->out->num];

    *a = (struct mcx_privcall_action){ .act = act, .dialog = r->pc->call.dialog };
    return a;
}

static void timer_start(struct run *r, enum mcx_privcall_timer timer)
{
    uint32_t ms = r->pc->config.timer_ms[timer];
    struct mcx_privcall_action *a = NULL;

    ms = ms == 0 ? mcx_privcall_timer_info(timer)->default_ms : ms;
    if (ms == 0 || ms == UINT32_MAX) {
        return;
    }
    a = add(r, MCX_PC_START_TIMER);
    a->timer = timer;
    a->delay_ms = ms;
}

static void timer_stop(struct run *r, enum mcx_privcall_timer timer)
{
    add(r, MCX_PC_STOP_TIMER)->timer = timer;
}

/* The strings are copied, since the call may be wiped before the action is read. */
static struct mcx_privcall_action *tell(struct run *r, enum mcx_privcall_note note, enum mcx_privcall_cause cause,
                                        const char *text)
{
    struct mcx_privcall *pc = r->pc;
    struct mcx_privcall_action *a = add(r, MCX_PC_TELL);
    char *sentence = pc->sentence[pc->num_sentences];

    pc->num_sentences = pc->num_sentences < PC_MAX_SENTENCES - 1 ? pc->num_sentences + 1 : pc->num_sentences;
    if (pc->call.peer[0] != '\0') {
        memcpy(pc->told_peer, pc->call.peer, sizeof pc->told_peer);
        memcpy(pc->told_kms, pc->call.peer_kms, sizeof pc->told_kms);
    }
    proc_say(sentence, sizeof pc->sentence[0], text, pc->told_peer);
    a->note = note;
    a->cause = cause;
    a->sentence = sentence;
    a->peer = pc->told_peer;
    a->kms = pc->told_kms;
    a->key_id = pc->call.key_id;
    a->why = r->found.why;
    return a;
}

static void tell_cause(struct run *r, enum mcx_privcall_note note, enum mcx_privcall_cause cause)
{
    const struct pc_cause_row *row = pc_cause_row(cause);
    struct mcx_privcall_action *a = tell(r, note, cause, row->sentence);

    a->code = row->code;
    a->warning = row->warning;
}

static void send_refusal(struct run *r, enum mcx_privcall_cause cause)
{
    const struct pc_cause_row *row = pc_cause_row(cause);
    struct mcx_privcall_action *a = add(r, MCX_PC_SEND_REFUSAL);

    a->dialog = r->in->event == MCX_PC_RX_INVITE ? r->in->dialog : r->pc->call.dialog;
    a->code = row->code;
    a->phrase = row->phrase;
    a->warning = row->warning;
}

static struct mcx_privcall_media *media_action(struct run *r, enum mcx_privcall_act act)
{
    struct pc_call *call = &r->pc->call;
    struct mcx_privcall_media *m = &add(r, act)->media;

    m->amrwb = call->amrwb;
    m->rx = call->secure ? &r->pc->secret->rx : NULL;
    for (size_t i = 0; i < sizeof m->mki; i++) {
        m->mki[i] = (uint8_t)(call->key_id >> (24 - 8 * i)); /* MKI = PCK-ID (TS 33.180 7.4.1) */
    }
    m->roc_rate = call->roc_rate;
    return m;
}

static void media_start(struct run *r)
{
    struct pc_call *call = &r->pc->call;
    struct mcx_privcall_media *m = media_action(r, MCX_PC_START_MEDIA);

    m->address = call->remote_address;
    m->port = call->remote_port;
    m->tx = call->secure ? &r->pc->secret->tx : NULL;
    m->floor_address = call->floor_address;
    m->floor_port = call->floor_port;
    m->queueing = call->agreed.queueing;
    m->priority = call->agreed.priority;
    m->implicit_request = call->offered.implicit_request && /* TS 24.380 14.3.5 */
                          (call->agreed.implicit_request || call->agreed.granted);
    m->granted = call->agreed.granted;
    timer_start(r, MCX_PC_TIMER_DURATION);
}

/* ---- rows ---- */

static void call_start(struct run *r)
{
    struct mcx_privcall_action *a = NULL;

    (void)media_action(r, MCX_PC_LISTEN); /* media may overtake the answer (RFC 4567 4.1.2, RFC 3264 5.1) */
    a = add(r, MCX_PC_SEND_INVITE);
    a->sdp = mcx_bytes(r->pc->sdp, r->pc->sdp_len);
    a->callee = mcx_bytes_str(r->pc->call.peer);
    a->commencement = r->in->commencement;
    timer_start(r, MCX_PC_TIMER_ANSWER);
    tell(r, MCX_PC_NOTE_CALLING, MCX_PC_CAUSE_NONE, "Calling {}, with end-to-end security");
}

static void call_impossible(struct run *r)
{
    if (mcx_bytes_cstr(r->pc->told_peer, sizeof r->pc->told_peer, r->in->callee) != MCX_OK) {
        r->pc->told_peer[0] = '\0';
    }
    tell_cause(r, MCX_PC_NOTE_REFUSED, r->found.cause);
}

static void ringing(struct run *r)
{
    if (r->pc->state == MCX_PC_CALLING) {
        tell(r, MCX_PC_NOTE_RINGING, MCX_PC_CAUSE_NONE, "The phone of {} rings");
    }
}

static void caller_connected(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_ANSWER);
    media_start(r);
    tell(r, MCX_PC_NOTE_ESTABLISHED, MCX_PC_CAUSE_NONE, "{} has answered; only your two phones can hear the call");
}

static void answer_bad(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_ANSWER);
    add(r, MCX_PC_STOP_MEDIA);
    add(r, MCX_PC_SEND_BYE);
    tell_cause(r, MCX_PC_NOTE_REFUSED, MCX_PC_CAUSE_BAD_ANSWER);
}

static void call_refused(struct run *r)
{
    const struct pc_peer_row *row = pc_peer_row(r->in->code, r->in->warning);
    struct mcx_privcall_action *a = NULL;

    timer_stop(r, MCX_PC_TIMER_ANSWER);
    add(r, MCX_PC_STOP_MEDIA);
    a = tell(r, MCX_PC_NOTE_REFUSED, row->cause, row->sentence);
    a->code = r->in->code;
    a->warning = (enum mcx_warning)r->in->warning;
}

static void call_lost(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_ANSWER);
    add(r, MCX_PC_STOP_MEDIA);
    tell_cause(r, MCX_PC_NOTE_REFUSED, MCX_PC_CAUSE_LOST);
}

/* The keys go with the CANCEL: an answer that crosses it is ended, not used. */
static void cancel_as(struct run *r, enum mcx_privcall_cause cause)
{
    timer_stop(r, MCX_PC_TIMER_ANSWER);
    add(r, MCX_PC_STOP_MEDIA);
    add(r, MCX_PC_SEND_CANCEL);
    timer_start(r, MCX_PC_TIMER_CANCEL);
    tell_cause(r, MCX_PC_NOTE_ENDED, cause);
    mcx_wipe(r->pc->secret, sizeof *r->pc->secret);
}

static void cancel_by_user(struct run *r)
{
    cancel_as(r, MCX_PC_CAUSE_CANCELLED);
}

static void cancel_by_timer(struct run *r)
{
    cancel_as(r, MCX_PC_CAUSE_NO_ANSWER);
}

static void cancel_crossed(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_CANCEL);
    add(r, MCX_PC_SEND_BYE);
}

static void cancel_done(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_CANCEL);
}

static void nothing(struct run *r)
{
    (void)r;
}

/* Who called, as far as the network claims to know. */
static void told_peer_set(struct run *r)
{
    if (mcx_bytes_cstr(r->pc->told_peer, sizeof r->pc->told_peer, r->in->calling_user) != MCX_OK) {
        r->pc->told_peer[0] = '\0';
    }
}

static void invite_refused(struct run *r)
{
    told_peer_set(r);
    send_refusal(r, r->found.cause);
    tell_cause(r, MCX_PC_NOTE_REFUSED, r->found.cause);
}

static void callee_verified(struct run *r)
{
    if (r->pc->call.secure) {
        tell(r, MCX_PC_NOTE_VERIFIED, MCX_PC_CAUSE_NONE, "The call comes from {}: signature and key are good");
    } else {
        tell(r, MCX_PC_NOTE_UNPROTECTED, MCX_PC_CAUSE_NONE, "The call claims to come from {} and is NOT protected");
    }
}

static void callee_open(struct run *r)
{
    media_start(r);
    tell(r, MCX_PC_NOTE_ESTABLISHED, MCX_PC_CAUSE_NONE, "The call with {} is open");
}

static void callee_connected(struct run *r)
{
    struct mcx_privcall_action *a = add(r, MCX_PC_SEND_OK);

    a->sdp = mcx_bytes(r->pc->sdp, r->pc->sdp_len);
    callee_open(r);
}

static void invite_answered(struct run *r)
{
    callee_verified(r);
    callee_connected(r);
}

static void invite_alerts(struct run *r)
{
    callee_verified(r);
    add(r, MCX_PC_SEND_RINGING);
    timer_start(r, MCX_PC_TIMER_RING);
    tell(r, MCX_PC_NOTE_RINGING, MCX_PC_CAUSE_NONE, "{} calls: accept or decline");
}

static void user_accepted(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_RING);
    callee_connected(r);
}

static void alerting_refused(struct run *r, enum mcx_privcall_cause cause)
{
    timer_stop(r, MCX_PC_TIMER_RING);
    send_refusal(r, cause);
    tell_cause(r, MCX_PC_NOTE_REFUSED, cause);
}

static void user_declined(struct run *r)
{
    alerting_refused(r, MCX_PC_CAUSE_DECLINED);
}

static void user_absent(struct run *r)
{
    alerting_refused(r, MCX_PC_CAUSE_NO_ANSWER);
}

static void alerting_cancelled(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_RING);
    tell_cause(r, MCX_PC_NOTE_ENDED, MCX_PC_CAUSE_CANCELLED);
}

static void alerting_lost(struct run *r)
{
    timer_stop(r, MCX_PC_TIMER_RING);
    tell_cause(r, MCX_PC_NOTE_ENDED, MCX_PC_CAUSE_LOST);
}

/* End of an open call (TS 24.379 11.1.3). */
static void call_end(struct run *r, bool bye, enum mcx_privcall_cause cause)
{
    add(r, MCX_PC_STOP_MEDIA);
    timer_stop(r, MCX_PC_TIMER_DURATION);
    if (bye) {
        add(r, MCX_PC_SEND_BYE);
    }
    tell_cause(r, MCX_PC_NOTE_ENDED, cause);
}

static void end_by_user(struct run *r)
{
    call_end(r, true, MCX_PC_CAUSE_HANGUP);
}

static void end_by_peer(struct run *r)
{
    call_end(r, false, MCX_PC_CAUSE_PEER_HANGUP);
}

static void end_by_loss(struct run *r)
{
    call_end(r, false, MCX_PC_CAUSE_LOST);
}

static void end_by_duration(struct run *r)
{
    call_end(r, true, MCX_PC_CAUSE_DURATION);
}

static void second_call(struct run *r)
{
    send_refusal(r, MCX_PC_CAUSE_BUSY);
}

/* ---- rows of a pre-established session (TS 24.380 9.2.2) ---- */

static void connect_acknowledge(struct run *r, enum mcx_privcall_cause cause)
{
    struct mcx_privcall_action *a = add(r, MCX_PC_SEND_CONNECT_ACK);

    a->dialog = r->in->dialog;
    a->reason = pc_connect_reason(cause);
}

static void connect_accepted(struct run *r)
{
    callee_verified(r);
    connect_acknowledge(r, MCX_PC_CAUSE_NONE);
    callee_open(r);
}

static void connect_refused(struct run *r)
{
    struct mcx_privcall_action *a = NULL;

    told_peer_set(r);
    connect_acknowledge(r, r->found.cause);
    a = tell(r, MCX_PC_NOTE_REFUSED, r->found.cause, pc_cause_row(r->found.cause)->sentence);
    a->reason = pc_connect_reason(r->found.cause);
}

static void second_connect(struct run *r)
{
    connect_acknowledge(r, MCX_PC_CAUSE_BUSY);
}

/* ---- tables ---- */

#define TIMER(t)  MCX_PC_TIMER, MCX_PC_TIMER_##t
#define ANY_TIMER MCX_PC_NUM_TIMERS

/* Events from outside that must be checked before a row can be chosen. Nothing else makes their results. */
static const struct check {
    enum mcx_privcall_state state;
    enum mcx_privcall_event event;
    enum mcx_privcall_event (*check)(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct pc_found *found);
} checks[] = {
    { MCX_PC_IDLE, MCX_PC_USER_CALL, pc_check_call },     { MCX_PC_IDLE, MCX_PC_RX_INVITE, pc_check_invite },
    { MCX_PC_IDLE, MCX_PC_RX_CONNECT, pc_check_connect }, { MCX_PC_CALLING, MCX_PC_RX_OK, pc_check_ok },
    { MCX_PC_RINGING, MCX_PC_RX_OK, pc_check_ok },
};

static const struct row {
    enum mcx_privcall_state state;
    enum mcx_privcall_event event;
    enum mcx_privcall_timer timer; /* when the event is TIMER */
    enum mcx_privcall_state next;
    void (*act)(struct run *r);
    const char *what;
} rows[] = {
    /* caller (TS 24.379 11.1.1.2.1.1) */
    { MCX_PC_IDLE, MCX_PC_CALL_READY, ANY_TIMER, MCX_PC_CALLING, call_start,
      "ready to receive, INVITE with the I_MESSAGE" },
    { MCX_PC_IDLE, MCX_PC_CALL_IMPOSSIBLE, ANY_TIMER, MCX_PC_IDLE, call_impossible, "tell the user why" },
    { MCX_PC_CALLING, MCX_PC_RX_PROGRESS, ANY_TIMER, MCX_PC_RINGING, ringing, "tell the user" },
    { MCX_PC_CALLING, MCX_PC_OK_GOOD, ANY_TIMER, MCX_PC_IN_CALL, caller_connected, "start media under the PCK" },
    { MCX_PC_CALLING, MCX_PC_OK_BAD, ANY_TIMER, MCX_PC_IDLE, answer_bad, "stop media, BYE, wipe keys" },
    { MCX_PC_CALLING, MCX_PC_RX_FAILURE, ANY_TIMER, MCX_PC_IDLE, call_refused,
      "stop media, plain sentence, wipe keys" },
    { MCX_PC_CALLING, MCX_PC_RX_LOST, ANY_TIMER, MCX_PC_IDLE, call_lost, "stop media, plain sentence, wipe keys" },
    { MCX_PC_CALLING, MCX_PC_USER_HANGUP, ANY_TIMER, MCX_PC_CANCELLING, cancel_by_user,
      "stop media, CANCEL, wipe keys" },
    { MCX_PC_CALLING, TIMER(ANSWER), MCX_PC_CANCELLING, cancel_by_timer, "stop media, CANCEL, wipe keys" },
    { MCX_PC_CALLING, MCX_PC_RX_INVITE, ANY_TIMER, MCX_PC_CALLING, second_call, "486 to the other INVITE" },
    { MCX_PC_RINGING, MCX_PC_RX_PROGRESS, ANY_TIMER, MCX_PC_RINGING, ringing, "nothing new" },
    { MCX_PC_RINGING, MCX_PC_OK_GOOD, ANY_TIMER, MCX_PC_IN_CALL, caller_connected, "start media under the PCK" },
    { MCX_PC_RINGING, MCX_PC_OK_BAD, ANY_TIMER, MCX_PC_IDLE, answer_bad, "stop media, BYE, wipe keys" },
    { MCX_PC_RINGING, MCX_PC_RX_FAILURE, ANY_TIMER, MCX_PC_IDLE, call_refused,
      "stop media, plain sentence, wipe keys" },
    { MCX_PC_RINGING, MCX_PC_RX_LOST, ANY_TIMER, MCX_PC_IDLE, call_lost, "stop media, plain sentence, wipe keys" },
    { MCX_PC_RINGING, MCX_PC_USER_HANGUP, ANY_TIMER, MCX_PC_CANCELLING, cancel_by_user,
      "stop media, CANCEL, wipe keys" },
    { MCX_PC_RINGING, TIMER(ANSWER), MCX_PC_CANCELLING, cancel_by_timer, "stop media, CANCEL, wipe keys" },
    { MCX_PC_RINGING, MCX_PC_RX_INVITE, ANY_TIMER, MCX_PC_RINGING, second_call, "486 to the other INVITE" },
    { MCX_PC_CANCELLING, MCX_PC_RX_OK, ANY_TIMER, MCX_PC_IDLE, cancel_crossed, "BYE: the answer crossed the CANCEL" },
    { MCX_PC_CANCELLING, MCX_PC_RX_FAILURE, ANY_TIMER, MCX_PC_IDLE, cancel_done, "487 as expected" },
    { MCX_PC_CANCELLING, MCX_PC_RX_LOST, ANY_TIMER, MCX_PC_IDLE, cancel_done, "" },
    { MCX_PC_CANCELLING, TIMER(CANCEL), MCX_PC_IDLE, nothing, "give up waiting" },
    { MCX_PC_CANCELLING, MCX_PC_RX_INVITE, ANY_TIMER, MCX_PC_CANCELLING, second_call, "486 to the other INVITE" },
    /* callee (TS 24.379 11.1.1.2.1.2, 6.2.3.1.1, 6.2.3.2.1) */
    { MCX_PC_IDLE, MCX_PC_INVITE_BAD, ANY_TIMER, MCX_PC_IDLE, invite_refused, "response of the table of causes" },
    { MCX_PC_IDLE, MCX_PC_INVITE_AUTO, ANY_TIMER, MCX_PC_IN_CALL, invite_answered, "200, start media under the PCK" },
    { MCX_PC_IDLE, MCX_PC_INVITE_MANUAL, ANY_TIMER, MCX_PC_ALERTING, invite_alerts, "180, ask the user" },
    { MCX_PC_ALERTING, MCX_PC_USER_ACCEPT, ANY_TIMER, MCX_PC_IN_CALL, user_accepted, "200, start media under the PCK" },
    { MCX_PC_ALERTING, MCX_PC_USER_REJECT, ANY_TIMER, MCX_PC_IDLE, user_declined, "480 with Warning 110, wipe keys" },
    { MCX_PC_ALERTING, MCX_PC_USER_HANGUP, ANY_TIMER, MCX_PC_IDLE, user_declined, "480 with Warning 110, wipe keys" },
    { MCX_PC_ALERTING, TIMER(RING), MCX_PC_IDLE, user_absent, "480, wipe keys" },
    { MCX_PC_ALERTING, MCX_PC_RX_CANCEL, ANY_TIMER, MCX_PC_IDLE, alerting_cancelled,
      "487 by the layer below, wipe keys" },
    { MCX_PC_ALERTING, MCX_PC_RX_LOST, ANY_TIMER, MCX_PC_IDLE, alerting_lost, "wipe keys" },
    { MCX_PC_ALERTING, MCX_PC_RX_INVITE, ANY_TIMER, MCX_PC_ALERTING, second_call, "486 to the other INVITE" },
    /* callee, over a pre-established session (TS 24.380 9.2.2; TS 24.379 11.1.1.2.2.2) */
    { MCX_PC_IDLE, MCX_PC_CONNECT_BAD, ANY_TIMER, MCX_PC_IDLE, connect_refused,
      "Acknowledgement: 3 when the I_MESSAGE fails, else 2" },
    { MCX_PC_IDLE, MCX_PC_CONNECT_GOOD, ANY_TIMER, MCX_PC_IN_CALL, connect_accepted,
      "Acknowledgement 0, start media under the PCK" },
    { MCX_PC_CALLING, MCX_PC_RX_CONNECT, ANY_TIMER, MCX_PC_CALLING, second_connect, "Acknowledgement 1 to the other" },
    { MCX_PC_RINGING, MCX_PC_RX_CONNECT, ANY_TIMER, MCX_PC_RINGING, second_connect, "Acknowledgement 1 to the other" },
    { MCX_PC_CANCELLING, MCX_PC_RX_CONNECT, ANY_TIMER, MCX_PC_CANCELLING, second_connect,
      "Acknowledgement 1 to the other" },
    { MCX_PC_ALERTING, MCX_PC_RX_CONNECT, ANY_TIMER, MCX_PC_ALERTING, second_connect,
      "Acknowledgement 1 to the other" },
    { MCX_PC_IN_CALL, MCX_PC_RX_CONNECT, ANY_TIMER, MCX_PC_IN_CALL, second_connect, "Acknowledgement 1 to the other" },
    /* both (TS 24.379 11.1.3) */
    { MCX_PC_IN_CALL, MCX_PC_USER_HANGUP, ANY_TIMER, MCX_PC_IDLE, end_by_user, "stop media, BYE, wipe keys" },
    { MCX_PC_IN_CALL, MCX_PC_RX_BYE, ANY_TIMER, MCX_PC_IDLE, end_by_peer, "stop media, wipe keys" },
    { MCX_PC_IN_CALL, MCX_PC_RX_LOST, ANY_TIMER, MCX_PC_IDLE, end_by_loss, "stop media, wipe keys" },
    { MCX_PC_IN_CALL, TIMER(DURATION), MCX_PC_IDLE, end_by_duration, "stop media, BYE, wipe keys" },
    { MCX_PC_IN_CALL, MCX_PC_RX_INVITE, ANY_TIMER, MCX_PC_IN_CALL, second_call, "486 to the other INVITE" },
};

static const struct row *find_row(enum mcx_privcall_state state, enum mcx_privcall_event event,
                                  enum mcx_privcall_timer timer)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].state == state && rows[i].event == event && (event != MCX_PC_TIMER || rows[i].timer == timer)) {
            return &rows[i];
        }
    }
    return NULL;
}

static const struct check *find_check(enum mcx_privcall_state state, enum mcx_privcall_event event)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].state == state && checks[i].event == event) {
            return &checks[i];
        }
    }
    return NULL;
}

bool mcx_privcall_row(struct mcx_privcall_row *out, size_t n)
{
    if (n >= sizeof rows / sizeof rows[0]) {
        return false;
    }
    out->state = mcx_privcall_state_name(rows[n].state);
    out->event = rows[n].event == MCX_PC_TIMER ? mcx_privcall_timer_info(rows[n].timer)->name
                                               : mcx_privcall_event_name(rows[n].event);
    out->next = mcx_privcall_state_name(rows[n].next);
    out->what = rows[n].what;
    return true;
}

/* ---- the step ---- */

void pc_wipe(struct mcx_privcall *pc)
{
    mcx_wipe(pc->secret, sizeof *pc->secret);
    mcx_wipe(&pc->call, sizeof pc->call);
    pc->sdp_len = 0;
}

/* The one place where the state changes. Becoming idle forgets the call, whatever the row. */
static void state_set(struct mcx_privcall *pc, enum mcx_privcall_state next)
{
    pc->state = next;
    if (next == MCX_PC_IDLE) {
        pc_wipe(pc);
    }
}

static bool of_this_call(const struct mcx_privcall *pc, const struct mcx_privcall_in *in)
{
    switch (in->event) {
    case MCX_PC_USER_CALL:
    case MCX_PC_USER_ACCEPT:
    case MCX_PC_USER_REJECT:
    case MCX_PC_USER_HANGUP:
    case MCX_PC_RX_INVITE:
    case MCX_PC_RX_CONNECT: return true;
    default: return pc->state != MCX_PC_IDLE && in->dialog == pc->call.dialog;
    }
}

mcx_err mcx_privcall_step(struct mcx_privcall *pc, const struct mcx_privcall_in *in, struct mcx_privcall_actions *out)
{
    struct run r = { .pc = pc, .in = in, .out = out };
    const struct check *check = NULL;
    const struct row *row = NULL;
    enum mcx_privcall_event event = in->event;

    out->num = 0;
    if (event > MCX_PC_TIMER) {
        return MCX_E_ARG;
    }
    if (!of_this_call(pc, in)) {
        return MCX_E_STATE;
    }
    pc->num_sentences = 0;
    check = find_check(pc->state, event);
    if (check != NULL) {
        event = check->check(pc, in, &r.found);
    }
    row = find_row(pc->state, event, in->timer);
    if (row == NULL) {
        return MCX_E_STATE;
    }
    row->act(&r);
    state_set(pc, row->next);
    return MCX_OK;
}

/* ---- life ---- */

static mcx_err copy_string(char *out, size_t cap, const char *text, const char **member)
{
    MCX_TRY(mcx_bytes_cstr(out, cap, mcx_bytes_str(text)));
    *member = out;
    return out[0] == '\0' ? MCX_E_ARG : MCX_OK;
}

static mcx_err config_take(struct mcx_privcall *pc, const struct mcx_privcall_config *config)
{
    pc->config = *config;
    if (config->ring == NULL || config->replay == NULL || config->rng.fill == NULL || config->audio_port == 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(copy_string(pc->own_id, sizeof pc->own_id, config->own_id, &pc->config.own_id));
    return copy_string(pc->local_address, sizeof pc->local_address, config->local_address, &pc->config.local_address);
}

mcx_err mcx_privcall_new(struct mcx_privcall **out, const struct mcx_privcall_config *config)
{
    struct mcx_privcall *pc = calloc(1, sizeof *pc);
    mcx_err err = MCX_E_NOMEM;

    if (pc == NULL) {
        return MCX_E_NOMEM;
    }
    pc->secret = mcx_secret_alloc(sizeof *pc->secret);
    if (pc->secret == NULL) {
        goto out;
    }
    err = config_take(pc, config);
    if (err != MCX_OK) {
        err = MCX_E_ARG;
        goto out;
    }
    *out = pc;
    return MCX_OK;
out:
    mcx_privcall_free(pc);
    return err;
}

void mcx_privcall_free(struct mcx_privcall *pc)
{
    if (pc == NULL) {
        return;
    }
    mcx_secret_free(pc->secret);
    free(pc);
}

mcx_err mcx_privcall_set_ring(struct mcx_privcall *pc, const struct mcx_keyring *ring)
{
    if (pc->state != MCX_PC_IDLE) {
        return MCX_E_STATE;
    }
    pc->config.ring = ring;
    return MCX_OK;
}

void mcx_privcall_set_csk(struct mcx_privcall *pc, bool has_csk)
{
    pc->config.has_csk = has_csk;
}

enum mcx_privcall_state mcx_privcall_state(const struct mcx_privcall *pc)
{
    return pc->state;
}

bool mcx_privcall_holds_key(const struct mcx_privcall *pc)
{
    const uint8_t *p = (const uint8_t *)pc->secret;
    uint8_t any = 0;

    for (size_t i = 0; i < sizeof *pc->secret; i++) {
        any |= p[i];
    }
    return any != 0;
}
