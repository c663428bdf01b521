/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over a pre-established session, participating function (TS 24.380 9.3). */
#include <mcx/preestablished.h>

#include <stdlib.h>
#include <string.h>

/* CHOICE "preest-timers": TS 24.380 11.1.3 was not read; the clause makes both configurable. */
static const struct mcx_preest_timer_info timers[MCX_PE_NUM_TIMERS] = {
    [MCX_PE_T55] = { "T55", 2000, 3, "Connect is sent again, C55 times in all" },
    [MCX_PE_T56] = { "T56", 2000, 3, "Disconnect is sent again, C56 times in all" },
};

const struct mcx_preest_timer_info *mcx_preest_timer_info(enum mcx_preest_timer timer)
{
    return &timers[timer];
}

struct mcx_preest {
    enum mcx_preest_state state;
    uint32_t timer_ms[MCX_PE_NUM_TIMERS];
    uint32_t sent; /* transmissions of the message that waits for its Acknowledgement */
    char session[MCX_PREEST_URI_MAX];
    char inviting_user[MCX_PREEST_URI_MAX];
    uint8_t imessage[MCX_IMESSAGE_MAX]; /* as it came: sent again it must be the same message */
    size_t imessage_len;
    uint8_t media_line, control_line;
};

struct run {
    struct mcx_preest *pe;
    const struct mcx_preest_in *in;
    struct mcx_preest_out *out;
};

/* ---- actions ---- */

static struct mcx_preest_action *add(struct run *r, enum mcx_preest_act act)
{
    struct mcx_preest_action *a = &r->out->action[r->out->num < MCX_PE_MAX_ACTIONS - 1 ? r->out->num++ : r->out->num];

    *a = (struct mcx_preest_action){ .act = act };
    return a;
}

static void timer_start(struct run *r, enum mcx_preest_timer timer)
{
    struct mcx_preest_action *a = add(r, MCX_PE_START_TIMER);

    a->timer = timer;
    a->delay_ms = r->pe->timer_ms[timer];
}

static void timer_stop(struct run *r, enum mcx_preest_timer timer)
{
    add(r, MCX_PE_STOP_TIMER)->timer = timer;
}

static struct mcx_mcpc_msg *message(struct run *r, enum mcx_mcpc_type type)
{
    struct mcx_mcpc_msg *msg = &add(r, MCX_PE_SEND)->msg;

    msg->type = type;
    msg->ack_wanted = true;
    msg->present = 1u << MCX_PF_SESSION;
    msg->session_type = MCX_MCPC_PRIVATE;
    msg->session = mcx_bytes_str(r->pe->session);
    return msg;
}

/* Table 8.3.2-1: what a private call needs. */
static void connect_send(struct run *r)
{
    const struct mcx_preest *pe = r->pe;
    struct mcx_mcpc_msg *msg = message(r, MCX_MCPC_CONNECT);

    msg->present |= 1u << MCX_PF_MEDIA_STREAMS | 1u << MCX_PF_INVITING_USER;
    msg->media_line = pe->media_line;
    msg->control_line = pe->control_line;
    msg->inviting_user = mcx_bytes_str(pe->inviting_user);
    if (pe->imessage_len != 0) {
        msg->present |= 1u << MCX_PF_IMESSAGE;
        msg->imessage = mcx_bytes(pe->imessage, pe->imessage_len);
    }
    r->pe->sent++;
    timer_start(r, MCX_PE_T55);
}

static void disconnect_send(struct run *r)
{
    (void)message(r, MCX_MCPC_DISCONNECT);
    r->pe->sent++;
    timer_start(r, MCX_PE_T56);
}

/* ---- rows ---- */

static void setup(struct run *r)
{
    r->pe->sent = 0;
    connect_send(r);
}

static void accepted(struct run *r)
{
    timer_stop(r, MCX_PE_T55);
    add(r, MCX_PE_OPEN);
}

static void refused(struct run *r)
{
    timer_stop(r, MCX_PE_T55);
    add(r, MCX_PE_FAILED)->reason = (enum mcx_mcpc_reason)r->in->msg->reason;
}

static void no_answer(struct run *r)
{
    add(r, MCX_PE_FAILED)->no_answer = true;
}

/* The client may have taken the Connect: it is told that nothing comes of it. */
static void release_early(struct run *r)
{
    timer_stop(r, MCX_PE_T55);
    r->pe->sent = 0;
    disconnect_send(r);
}

static void release(struct run *r)
{
    r->pe->sent = 0;
    disconnect_send(r);
}

static void disconnected(struct run *r)
{
    timer_stop(r, MCX_PE_T56);
}

static void nothing(struct run *r)
{
    (void)r;
}

static bool sends_left(const struct run *r)
{
    return r->pe->sent < timers[r->in->timer].max_count;
}

static bool no_sends_left(const struct run *r)
{
    return !sends_left(r);
}

#define NO_TIMER MCX_PE_NUM_TIMERS

static const struct row {
    enum mcx_preest_state state;
    enum mcx_preest_event event;
    int timer; /* when the event is TIMER */
    bool (*when)(const struct run *r);
    enum mcx_preest_state next;
    void (*act)(struct run *r);
    const char *name; /* of the event */
    const char *what;
} rows[] = {
    { MCX_PE_NOT_IN_USE, MCX_PE_SETUP, NO_TIMER, NULL, MCX_PE_CONNECTING, setup, "call for this client",
      "Connect, start T55" },
    { MCX_PE_CONNECTING, MCX_PE_ACCEPTED, NO_TIMER, NULL, MCX_PE_IN_USE, accepted, "Acknowledgement, accepted",
      "let media pass" },
    { MCX_PE_CONNECTING, MCX_PE_REFUSED, NO_TIMER, NULL, MCX_PE_NOT_IN_USE, refused, "Acknowledgement, refused",
      "the caller is told by SIP" },
    { MCX_PE_CONNECTING, MCX_PE_TIMER, MCX_PE_T55, sends_left, MCX_PE_CONNECTING, connect_send, "T55, C55 not used up",
      "the same Connect again" },
    { MCX_PE_CONNECTING, MCX_PE_TIMER, MCX_PE_T55, no_sends_left, MCX_PE_NOT_IN_USE, no_answer, "T55, C55 used up",
      "the caller is told by SIP" },
    { MCX_PE_CONNECTING, MCX_PE_RELEASE, NO_TIMER, NULL, MCX_PE_DISCONNECTING, release_early, "call released",
      "Disconnect, start T56" },
    { MCX_PE_IN_USE, MCX_PE_RELEASE, NO_TIMER, NULL, MCX_PE_DISCONNECTING, release, "call released",
      "Disconnect, start T56" },
    { MCX_PE_DISCONNECTING, MCX_PE_ACCEPTED, NO_TIMER, NULL, MCX_PE_NOT_IN_USE, disconnected,
      "Acknowledgement, accepted", "free for the next call" },
    { MCX_PE_DISCONNECTING, MCX_PE_REFUSED, NO_TIMER, NULL, MCX_PE_NOT_IN_USE, disconnected, "Acknowledgement, refused",
      "free for the next call" },
    { MCX_PE_DISCONNECTING, MCX_PE_TIMER, MCX_PE_T56, sends_left, MCX_PE_DISCONNECTING, disconnect_send,
      "T56, C56 not used up", "Disconnect again" },
    { MCX_PE_DISCONNECTING, MCX_PE_TIMER, MCX_PE_T56, no_sends_left, MCX_PE_NOT_IN_USE, nothing, "T56, C56 used up",
      "give up" },
};

static const struct row *find_row(const struct run *r, enum mcx_preest_event event)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];

        if (row->state == r->pe->state && row->event == event &&
            (event != MCX_PE_TIMER || row->timer == (int)r->in->timer) && (row->when == NULL || row->when(r))) {
            return row;
        }
    }
    return NULL;
}

static const char *const states[MCX_PE_NUM_STATES] = { "not-in-use", "connecting", "in-use", "disconnecting" };

const char *mcx_preest_state_name(enum mcx_preest_state state)
{
    return (unsigned)state < MCX_PE_NUM_STATES ? states[state] : "?";
}

bool mcx_preest_row(struct mcx_preest_row *out, size_t n)
{
    if (n >= sizeof rows / sizeof rows[0]) {
        return false;
    }
    *out = (struct mcx_preest_row){ states[rows[n].state], rows[n].name, states[rows[n].next], rows[n].what };
    return true;
}

/* ---- the step ---- */

/* A client only ever acknowledges, and says why. What else comes has no row. */
static mcx_err event_of(enum mcx_preest_event *event, const struct mcx_preest_in *in)
{
    if (in->event > MCX_PE_TIMER) {
        return MCX_E_ARG;
    }
    *event = in->event;
    if (in->event != MCX_PE_RX) {
        return MCX_OK;
    }
    if (in->msg->type != MCX_MCPC_ACK || (in->msg->present & 1u << MCX_PF_REASON) == 0) {
        return MCX_E_STATE;
    }
    *event = in->msg->reason == MCX_MCPC_ACCEPTED ? MCX_PE_ACCEPTED : MCX_PE_REFUSED;
    return MCX_OK;
}

static mcx_err call_take(struct mcx_preest *pe, const struct mcx_preest_call *call)
{
    if (call->imessage.len > sizeof pe->imessage || strlen(call->session) >= sizeof pe->session ||
        strlen(call->inviting_user) >= sizeof pe->inviting_user) {
        return MCX_E_SPACE;
    }
    (void)strcpy(pe->session, call->session);
    (void)strcpy(pe->inviting_user, call->inviting_user);
    pe->imessage_len = call->imessage.len;
    if (call->imessage.len != 0) {
        memcpy(pe->imessage, call->imessage.p, call->imessage.len);
    }
    pe->media_line = call->media_line;
    pe->control_line = call->control_line;
    return MCX_OK;
}

mcx_err mcx_preest_step(struct mcx_preest *pe, const struct mcx_preest_in *in, struct mcx_preest_out *out)
{
    struct run r = { .pe = pe, .in = in, .out = out };
    enum mcx_preest_event event = in->event;
    const struct row *row = NULL;

    out->num = 0;
    MCX_TRY(event_of(&event, in));
    row = find_row(&r, event);
    if (row == NULL) {
        return MCX_E_STATE;
    }
    if (event == MCX_PE_SETUP) {
        MCX_TRY(call_take(pe, in->call));
    }
    row->act(&r);
    pe->state = row->next;
    return MCX_OK;
}

void mcx_preest_response(uint16_t *code, unsigned *warning, bool no_answer, enum mcx_mcpc_reason reason)
{
    *warning = 0;
    if (no_answer) {
        *code = 480;
        return;
    }
    switch (reason) {
    case MCX_MCPC_BUSY: *code = 486; return;
    case MCX_MCPC_IMESSAGE_FAILED:
        *code = 488;
        *warning = 136;
        return;
    default: *code = 488; return;
    }
}

/* ---- life ---- */

mcx_err mcx_preest_new(struct mcx_preest **out, const uint32_t timer_ms[MCX_PE_NUM_TIMERS])
{
    struct mcx_preest *pe = calloc(1, sizeof *pe);

    if (pe == NULL) {
        return MCX_E_NOMEM;
    }
    for (int i = 0; i < MCX_PE_NUM_TIMERS; i++) {
        pe->timer_ms[i] = timer_ms[i] == 0 ? timers[i].default_ms : timer_ms[i];
    }
    *out = pe;
    return MCX_OK;
}

void mcx_preest_free(struct mcx_preest *pe)
{
    free(pe);
}

enum mcx_preest_state mcx_preest_state(const struct mcx_preest *pe)
{
    return pe->state;
}
