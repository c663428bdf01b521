/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the MCPTT server: a transition table, and what each transition does. */
#include "proc/mcptt_server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

enum { NO_ANSWER_MS = 60000 };

enum state { ST_FREE, ST_RELAY, ST_CALLING, ST_ALERTING, ST_CANCELLING, ST_ACTIVE, ST_RELEASING };
static const char *const state_names[] = {
    "free", "relay", "calling", "alerting", "cancelling", "active", "releasing"
};

/* Events of the table: those of the interface, with the side in them. */
enum event {
    IN_RELAY_READY,
    IN_RELAY_FAILED,
    IN_PROGRESS,
    IN_ANSWER,
    IN_REJECT,
    IN_CALLER_GONE,
    IN_CALLEE_GONE,
    IN_TIMEOUT,
    IN_ACKED,
    IN_INACTIVE,
    NUM_IN,
};
static const char *const event_names[] = { "relay-ready", "relay-failed", "progress", "answer", "reject",
                                           "caller-gone", "callee-gone",  "timeout",  "acked",  "inactive" };

struct step {
    struct mcx_msrv *srv;
    struct msrv_call *call;
    const struct mcx_msrv_in *in;
    struct mcx_msrv_out *out;
};

static mcx_err invite_callee(struct step *s);
static mcx_err refuse_no_relay(struct step *s);
static mcx_err forget(struct step *s);
static mcx_err pass_progress(struct step *s);
static mcx_err answer_caller(struct step *s);
static mcx_err pass_refusal(struct step *s);
static mcx_err callee_lost(struct step *s);
static mcx_err cancel_callee(struct step *s);
static mcx_err no_answer(struct step *s);
static mcx_err hang_up_late_answer(struct step *s);
static mcx_err hang_up_other(struct step *s);
static mcx_err call_expired(struct step *s);
static mcx_err floor_begins(struct step *s);
static mcx_err nobody_speaks(struct step *s);
static mcx_err leg_gone(struct step *s);

static const struct row {
    enum state state;
    enum event event;
    enum state next;
    mcx_err (*act)(struct step *s);
    const char *what;
} rows[] = {
    /* 11.1.1.4.2: the relay's ports go into the offer to the callee */
    { ST_RELAY, IN_RELAY_READY, ST_CALLING, invite_callee, "INVITE to the callee with the relay's ports" },
    { ST_RELAY, IN_RELAY_FAILED, ST_FREE, refuse_no_relay, "500 to the caller" },
    { ST_RELAY, IN_CALLER_GONE, ST_FREE, forget, "close the relay" },
    /* the caller gets his 200 only after the callee's (11.1.1.4.2) */
    { ST_CALLING, IN_PROGRESS, ST_ALERTING, pass_progress, "18x to the caller" },
    { ST_CALLING, IN_ANSWER, ST_ACTIVE, answer_caller, "200 to the caller with the relay's ports" },
    { ST_CALLING, IN_REJECT, ST_FREE, pass_refusal, "the same refusal to the caller, close the relay" },
    { ST_CALLING, IN_CALLEE_GONE, ST_FREE, callee_lost, "480 to the caller, close the relay" },
    { ST_CALLING, IN_CALLER_GONE, ST_CANCELLING, cancel_callee, "CANCEL to the callee, close the relay" },
    { ST_CALLING, IN_TIMEOUT, ST_CANCELLING, no_answer, "480 to the caller, CANCEL to the callee, close the relay" },
    { ST_ALERTING, IN_PROGRESS, ST_ALERTING, pass_progress, "18x to the caller" },
    { ST_ALERTING, IN_ANSWER, ST_ACTIVE, answer_caller, "200 to the caller with the relay's ports" },
    { ST_ALERTING, IN_REJECT, ST_FREE, pass_refusal, "the same refusal to the caller, close the relay" },
    { ST_ALERTING, IN_CALLEE_GONE, ST_FREE, callee_lost, "480 to the caller, close the relay" },
    { ST_ALERTING, IN_CALLER_GONE, ST_CANCELLING, cancel_callee, "CANCEL to the callee, close the relay" },
    { ST_ALERTING, IN_TIMEOUT, ST_CANCELLING, no_answer, "480 to the caller, CANCEL to the callee, close the relay" },
    { ST_CANCELLING, IN_PROGRESS, ST_CANCELLING, leg_gone, "nothing" },
    { ST_CANCELLING, IN_ANSWER, ST_CANCELLING, hang_up_late_answer, "BYE: the answer crossed the CANCEL" },
    { ST_CANCELLING, IN_REJECT, ST_FREE, leg_gone, "nothing" },
    { ST_CANCELLING, IN_CALLEE_GONE, ST_FREE, leg_gone, "nothing" },
    { ST_CANCELLING, IN_CALLER_GONE, ST_CANCELLING, leg_gone, "nothing" },
    /* TS 24.380 6.3.2.2, 6.3.4 */
    { ST_ACTIVE, IN_ACKED, ST_ACTIVE, floor_begins, "with floor control caller and callee take part in it" },
    { ST_ACTIVE, IN_INACTIVE, ST_RELEASING, nobody_speaks, "BYE to both sides, close the relay" },
    /* 11.1.3: BYE of either side */
    { ST_ACTIVE, IN_CALLER_GONE, ST_RELEASING, hang_up_other, "BYE to the other side, close the relay" },
    { ST_ACTIVE, IN_CALLEE_GONE, ST_RELEASING, hang_up_other, "BYE to the other side, close the relay" },
    { ST_ACTIVE, IN_TIMEOUT, ST_RELEASING, call_expired,
      "BYE with private-call-expiry to both sides, close the relay" },
    { ST_RELEASING, IN_CALLER_GONE, ST_RELEASING, leg_gone, "nothing" },
    { ST_RELEASING, IN_CALLEE_GONE, ST_RELEASING, leg_gone, "nothing" },
};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

bool mcx_msrv_row(struct mcx_msrv_row *row, size_t i)
{
    if (i >= NUM_ROWS) {
        return false;
    }
    *row = (struct mcx_msrv_row){ state_names[rows[i].state], event_names[rows[i].event], state_names[rows[i].next],
                                  rows[i].what };
    return true;
}

/* ---- strings and actions ---- */

const char *msrv_text(struct mcx_msrv *srv, const char *format, ...)
{
    char *at = (char *)srv->text.p + srv->text.len;
    size_t room = srv->text.cap - srv->text.len;
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(at, room, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room) {
        return NULL;
    }
    srv->text.len += (size_t)n + 1;
    return at;
}

struct mcx_msrv_action *msrv_action(struct mcx_msrv_out *out, enum mcx_msrv_act act, uint32_t call)
{
    struct mcx_msrv_action *a;

    if (out->num == MCX_MSRV_MAX_ACTIONS) {
        return NULL;
    }
    a = &out->action[out->num++];
    memset(a, 0, sizeof *a);
    a->act = act;
    a->call = call;
    a->headers = "";
    return a;
}

const char *msrv_warning(struct mcx_msrv *srv, const struct msrv_verdict *verdict)
{
    char line[512];

    if (verdict->warning == MCX_WARN_NONE ||
        mcx_warning_write(line, sizeof line, srv->config->host, verdict->warning, verdict->warning_reason) != MCX_OK) {
        return "";
    }
    return msrv_text(srv, "%s", line);
}

static mcx_err note(struct step *s, const char *what, const char *text, uint16_t code, enum mcx_warning warning)
{
    const struct msrv_hop *hop = &s->call->hop;
    struct mcx_msrv_action *act = msrv_action(s->out, MCX_MSRV_NOTE, s->call->id);

    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->note = what;
    act->text = text;
    act->code = code;
    act->warning = warning;
    act->caller = hop->caller != NULL ? hop->caller->mcptt_id : "";
    act->callee = msrv_text(s->srv, "%s", hop->callee_id); /* the call may be free before this is read */
    return act->callee != NULL ? MCX_OK : MCX_E_BUG;
}

static mcx_err reject_caller(struct step *s, const struct msrv_verdict *v)
{
    struct mcx_msrv_action *act = msrv_action(s->out, MCX_MSRV_REJECT, s->call->id);

    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->side = MCX_MSRV_CALLER;
    act->code = v->code;
    act->reason = v->reason;
    act->headers = msrv_warning(s->srv, v);
    s->call->alive[MCX_MSRV_CALLER] = false;
    return act->headers != NULL ? MCX_OK : MCX_E_BUG;
}

static mcx_err close_relay(struct step *s)
{
    if (s->call->relay) {
        s->call->relay = false;
        return msrv_action(s->out, MCX_MSRV_RELAY_CLOSE, s->call->id) != NULL ? MCX_OK : MCX_E_BUG;
    }
    return MCX_OK;
}

static mcx_err hang_up(struct step *s, enum mcx_msrv_side side, const char *type, struct mcx_bytes body)
{
    struct mcx_msrv_action *act;

    if (!s->call->alive[side]) {
        return MCX_OK;
    }
    act = msrv_action(s->out, MCX_MSRV_HANGUP, s->call->id);
    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->side = side;
    act->content_type = body.len > 0 ? type : NULL;
    act->body = body;
    return MCX_OK;
}

/* ---- calls ---- */

static struct msrv_call *find_call(const struct mcx_msrv *srv, uint32_t id)
{
    for (size_t i = 0; i < srv->cap_calls; i++) {
        if (srv->calls[i].used && srv->calls[i].id == id) {
            return &srv->calls[i];
        }
    }
    return NULL;
}

static struct msrv_call *free_slot(const struct mcx_msrv *srv)
{
    for (size_t i = 0; i < srv->cap_calls; i++) {
        if (!srv->calls[i].used) {
            return &srv->calls[i];
        }
    }
    return NULL;
}

static void release(struct msrv_call *call)
{
    free(call->sdp);
    memset(call, 0, sizeof *call);
}

size_t mcx_msrv_num_calls(const struct mcx_msrv *srv)
{
    size_t n = 0;

    for (size_t i = 0; i < srv->cap_calls; i++) {
        n += srv->calls[i].used ? 1 : 0;
    }
    return n;
}

static size_t calls_of(const struct mcx_msrv *srv, const struct mcx_msrv_user *user, const struct msrv_call *except)
{
    size_t n = 0;

    for (size_t i = 0; user != NULL && i < srv->cap_calls; i++) {
        const struct msrv_call *c = &srv->calls[i];

        if (c->used && c != except && c->state != ST_CANCELLING && c->state != ST_RELEASING &&
            (c->hop.caller == user || c->hop.callee == user)) {
            n++;
        }
    }
    return n;
}

uint64_t mcx_msrv_deadline(const struct mcx_msrv *srv)
{
    uint64_t first = msrv_csk_deadline(srv);

    for (size_t i = 0; i < srv->cap_calls; i++) {
        if (srv->calls[i].used && srv->calls[i].deadline_ms < first) {
            first = srv->calls[i].deadline_ms;
        }
    }
    return first;
}

/* ---- a new INVITE through the three roles ---- */

static mcx_err new_session_id(struct mcx_msrv *srv, char id[MSRV_ID])
{
    uint8_t octets[8];

    MCX_TRY(mcx_rng_fill(&srv->rng, octets, sizeof octets));
    return mcx_hex_write(id, MSRV_ID, mcx_bytes(octets, sizeof octets));
}

static struct msrv_verdict through_roles(struct step *s, const struct mcx_mime *mime)
{
    static const struct msrv_verdict server_error = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };
    static const struct msrv_verdict not_acceptable = { 488, "Not Acceptable Here", MCX_WARN_NONE, NULL };
    struct mcx_msrv *srv = s->srv;
    struct msrv_hop *hop = &s->call->hop;
    const struct mcx_msrv_user *caller = msrv_identify(srv, s->in->sip, s->in->now_ms);
    struct msrv_load load = { .calls = mcx_msrv_num_calls(srv) - 1,
                              .max_calls = srv->config->max_calls,
                              .caller_calls = calls_of(srv, caller, s->call) };
    char session_id[MSRV_ID] = "";
    struct msrv_verdict v = msrv_opf(hop, caller, s->in->sip, mime, &load);

    if (v.code != 0) {
        return v;
    }
    if (new_session_id(srv, session_id) != MCX_OK) {
        return server_error;
    }
    v = msrv_cf(hop, session_id);
    if (v.code != 0) {
        return v;
    }
    hop->callee = msrv_user(srv, mcx_bytes_str(hop->callee_id));
    hop->callee_calls = calls_of(srv, hop->callee, s->call);
    hop->callee_registered = hop->callee != NULL && msrv_registered(srv, hop->callee, s->in->now_ms);
    v = msrv_tpf(hop);
    if (v.code != 0) {
        return v;
    }
    switch (msrv_read_offer(s->call, mime)) {
    case MCX_OK: return MSRV_PASS;
    case MCX_E_NOMEM: return server_error;
    default: return not_acceptable;
    }
}

static mcx_err open_relay(struct step *s)
{
    struct mcx_msrv_action *act = msrv_action(s->out, MCX_MSRV_RELAY_OPEN, s->call->id);
    const char *why;

    if (act == NULL) {
        return MCX_E_BUG;
    }
    memcpy(act->lines, s->call->lines, sizeof act->lines);
    act->num_lines = s->call->num_lines;
    why = msrv_floor_decide(s->srv, s->call, s->in->now_ms);
    act->floor = s->call->floor.served;
    act->floor_line = s->call->floor.line;
    act->indicator = msrv_floor_indicator(s->call);
    s->call->relay = true;
    s->call->state = ST_RELAY;
    MCX_TRY(note(s, "call-setup", msrv_text(s->srv, "session %s", s->call->hop.session_id), 0, MCX_WARN_NONE));
    return why != NULL ? note(s, "floor-control-refused", why, 0, MCX_WARN_NONE) : MCX_OK;
}

static mcx_err refuse_invite(struct step *s, const struct msrv_verdict *v)
{
    const char *text = v->warning != MCX_WARN_NONE ? mcx_warning_text(v->warning) : v->reason;
    mcx_err err;

    if (v->warning_reason != NULL) {
        text = v->warning_reason; /* what the Warning is due to */
    }
    MCX_TRY(reject_caller(s, v));
    err = note(s, "call-refused", text, v->code, v->warning);
    release(s->call);
    return err;
}

static mcx_err new_call(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out)
{
    static const struct msrv_verdict bad_body = { 400, "Bad Request", MCX_WARN_NONE, NULL };
    static const struct msrv_verdict no_room = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };
    struct msrv_call none = { .id = in->call };
    struct step s = { srv, free_slot(srv), in, out };
    struct msrv_verdict v;
    struct mcx_mime mime;

    if (find_call(srv, in->call) != NULL) {
        return MCX_E_STATE;
    }
    if (s.call == NULL) {
        s.call = &none;
        return refuse_invite(&s, &no_room);
    }
    s.call->used = true;
    s.call->id = in->call;
    s.call->alive[MCX_MSRV_CALLER] = true;
    s.call->deadline_ms = UINT64_MAX;
    if (mcx_mime_read(&mime, in->sip->content_type, in->sip->body, NULL) != MCX_OK) {
        return refuse_invite(&s, &bad_body);
    }
    if (in->sip->resource_priority.len > 0 &&
        mcx_bytes_cstr(s.call->resource_priority, sizeof s.call->resource_priority, in->sip->resource_priority) !=
            MCX_OK) {
        return refuse_invite(&s, &bad_body);
    }
    v = through_roles(&s, &mime);
    return v.code != 0 ? refuse_invite(&s, &v) : open_relay(&s);
}

/* ---- towards the callee ---- */

static const char *answer_word(enum mcx_answer_mode mode)
{
    return mode == MCX_ANSWER_AUTO ? "Auto" : "Manual";
}

static const char *invite_headers(struct step *s)
{
    const struct msrv_hop *hop = &s->call->hop;
    bool forced = hop->priv_answer != MCX_ANSWER_UNSET;
    bool priority = s->call->resource_priority[0] != '\0';

    return msrv_text(s->srv, "%sP-Asserted-Service: %s\r\nP-Asserted-Identity: <%s>\r\n%s: %s\r\n%s%s%s",
                     MCX_MCPTT_ACCEPT_CONTACT, MCX_MCPTT_SERVICE, s->srv->config->controlling_psi,
                     forced ? "Priv-Answer-Mode" : "Answer-Mode", answer_word(forced ? hop->priv_answer : hop->answer),
                     priority ? "Resource-Priority: " : "", priority ? s->call->resource_priority : "",
                     priority ? "\r\n" : "");
}

static mcx_err fill_invite(struct mcx_msrv_action *act, struct step *s)
{
    struct msrv_call *call = s->call;
    enum mcx_answer_mode answer =
        call->hop.priv_answer != MCX_ANSWER_UNSET ? call->hop.priv_answer : call->hop.answer;
    const struct msrv_binding *b = msrv_binding(s->srv, call->hop.callee);
    struct mcx_mime mime = { .num = 2 };
    struct mcx_sdp sdp;

    MCX_TRY(mcx_sdp_read(&sdp, mcx_bytes(call->sdp, call->sdp_len), NULL));
    mime.part[0].type = mcx_bytes_str(MCX_TYPE_SDP);
    MCX_TRY(msrv_write_sdp(&mime.part[0].body, s->srv, call, &sdp, MCX_MSRV_CALLEE));
    mime.part[1].type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO);
    MCX_TRY(msrv_write_info(&mime.part[1].body, s->srv, &call->hop));
    MCX_TRY(msrv_write_parts(act, s->srv, &mime));
    act->side = MCX_MSRV_CALLEE;
    act->uri = b->contact;
    act->from = s->srv->config->controlling_psi;
    act->to = msrv_public_id(call->hop.callee);
    act->next_hop = b->num_path == 0 ? b->flow : NULL;
    for (size_t i = 0; i < b->num_path; i++) {
        act->route[i] = b->path[i];
    }
    act->session_expires = s->srv->config->session_expires;
    act->caller = call->hop.caller->mcptt_id;
    act->callee = call->hop.callee->mcptt_id;
    act->automatic = answer == MCX_ANSWER_AUTO;
    act->headers = invite_headers(s);
    act->contact_params = MCX_MCPTT_CONTACT_PARAMS ";isfocus";
    act->contact_user = call->hop.session_id;
    return act->headers != NULL ? MCX_OK : MCX_E_SPACE;
}

static mcx_err invite_callee(struct step *s)
{
    uint32_t wait = s->srv->config->no_answer_ms != 0 ? s->srv->config->no_answer_ms : NO_ANSWER_MS;
    struct mcx_msrv_action *act;
    size_t before = s->out->num;

    if (s->in->num_lines != s->call->num_lines) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < s->in->num_lines; i++) {
        memcpy(s->call->lines[i].local, s->in->lines[i].local, sizeof s->in->lines[i].local);
    }
    act = msrv_action(s->out, MCX_MSRV_INVITE, s->call->id);
    if (act == NULL || fill_invite(act, s) != MCX_OK) {
        s->out->num = before;
        s->call->state = ST_FREE;
        return refuse_no_relay(s);
    }
    s->call->alive[MCX_MSRV_CALLEE] = true;
    s->call->deadline_ms = s->in->now_ms + wait;
    return MCX_OK;
}

static mcx_err refuse_no_relay(struct step *s)
{
    static const struct msrv_verdict v = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };

    MCX_TRY(reject_caller(s, &v));
    MCX_TRY(close_relay(s));
    return note(s, "call-refused", "no ports for the media relay", v.code, v.warning);
}

static mcx_err forget(struct step *s)
{
    s->call->alive[MCX_MSRV_CALLER] = false;
    MCX_TRY(close_relay(s));
    return note(s, "call-ended", "caller gave up", 0, MCX_WARN_NONE);
}

/* ---- while the callee is called ---- */

static mcx_err pass_progress(struct step *s)
{
    const struct mcx_msrv_sip *sip = s->in->sip;
    struct mcx_msrv_action *act = msrv_action(s->out, MCX_MSRV_PROGRESS, s->call->id);

    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->side = MCX_MSRV_CALLER;
    act->code = sip->code > 100 && sip->code < 200 ? sip->code : 183;
    act->reason = act->code == 180 ? "Ringing" : "Session Progress";
    act->contact_params = MCX_MCPTT_CONTACT_PARAMS ";isfocus";
    act->contact_user = s->call->hop.session_id;
    return note(s, "call-ringing", "", act->code, MCX_WARN_NONE);
}

static mcx_err peer_of(struct step *s, const struct mcx_sdp *answer)
{
    struct mcx_msrv_action *act = msrv_action(s->out, MCX_MSRV_RELAY_PEER, s->call->id);

    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->side = MCX_MSRV_CALLEE;
    memcpy(act->lines, s->call->lines, sizeof act->lines);
    act->num_lines = s->call->num_lines;
    return msrv_take_remotes(act->lines, act->num_lines, answer);
}

/* The callee may refuse floor control; then there is none for the caller either. */
static mcx_err take_floor(struct step *s, const struct mcx_sdp *answer)
{
    bool served = s->call->floor.served;

    MCX_TRY(msrv_floor_answer(s->call, answer));
    if (!served || s->call->floor.served) {
        return MCX_OK;
    }
    if (msrv_action(s->out, MCX_MSRV_FLOOR_CLOSE, s->call->id) == NULL) {
        return MCX_E_BUG;
    }
    return note(s, "floor-control-refused", "the callee wants none", 0, MCX_WARN_NONE);
}

static mcx_err fill_answer(struct step *s)
{
    struct mcx_mime mime;
    struct mcx_mime sent = { .num = 1 };
    struct mcx_msrv_action *act;
    const struct mcx_mime_part *part;
    struct mcx_sdp sdp;

    MCX_TRY(mcx_mime_read(&mime, s->in->sip->content_type, s->in->sip->body, NULL));
    part = mcx_mime_find(&mime, MCX_TYPE_SDP);
    if (part == NULL) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_sdp_read(&sdp, part->body, NULL));
    MCX_TRY(peer_of(s, &sdp));
    MCX_TRY(take_floor(s, &sdp));
    act = msrv_action(s->out, MCX_MSRV_ANSWER, s->call->id);
    if (act == NULL) {
        return MCX_E_BUG;
    }
    sent.part[0].type = mcx_bytes_str(MCX_TYPE_SDP);
    MCX_TRY(msrv_write_sdp(&sent.part[0].body, s->srv, s->call, &sdp, MCX_MSRV_CALLER));
    MCX_TRY(msrv_write_parts(act, s->srv, &sent));
    act->side = MCX_MSRV_CALLER;
    act->code = 200;
    act->reason = "OK";
    act->headers = msrv_text(s->srv, "P-Asserted-Identity: <%s>\r\n", s->srv->config->controlling_psi);
    act->contact_params = MCX_MCPTT_CONTACT_PARAMS ";isfocus";
    act->contact_user = s->call->hop.session_id;
    return act->headers != NULL ? MCX_OK : MCX_E_SPACE;
}

static mcx_err answer_caller(struct step *s)
{
    static const struct msrv_verdict v = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };
    uint32_t limit = s->srv->config->max_call_ms;
    size_t before = s->out->num;

    if (fill_answer(s) != MCX_OK) { /* the callee answered with something that is no answer */
        s->out->num = before;
        s->call->state = ST_RELEASING;
        MCX_TRY(reject_caller(s, &v));
        MCX_TRY(hang_up(s, MCX_MSRV_CALLEE, NULL, mcx_bytes(NULL, 0)));
        MCX_TRY(close_relay(s));
        s->call->deadline_ms = UINT64_MAX;
        return note(s, "call-refused", "answer of the callee is unusable", v.code, v.warning);
    }
    s->call->deadline_ms = limit != 0 ? s->in->now_ms + limit : UINT64_MAX;
    return note(s, "call-answered", "", 200, MCX_WARN_NONE);
}

/* The callee's refusal goes back as it is, Warning and KMS redirect body too. */
static mcx_err pass_refusal(struct step *s)
{
    const struct mcx_msrv_sip *sip = s->in->sip;
    struct mcx_msrv_action *act = msrv_action(s->out, MCX_MSRV_REJECT, s->call->id);
    struct mcx_bytes text = mcx_bytes(NULL, 0);
    unsigned warning = 0;
    const char *headers = "";

    if (act == NULL) {
        return MCX_E_BUG;
    }
    for (size_t i = 0; i < sip->num_warnings && headers != NULL; i++) {
        headers = msrv_text(s->srv, "%sWarning: %.*s\r\n", headers, (int)sip->warning[i].len,
                            (const char *)sip->warning[i].p);
    }
    if (sip->num_warnings > 0 && mcx_warning_read(&warning, &text, sip->warning[0]) != MCX_OK) {
        warning = 0;
    }
    act->side = MCX_MSRV_CALLER;
    act->code = sip->code >= 300 && sip->code < 700 ? sip->code : 500;
    act->reason = msrv_text(s->srv, "%.*s", (int)sip->reason.len, (const char *)sip->reason.p);
    act->headers = headers;
    if (sip->body.len > 0) {
        act->content_type = msrv_text(s->srv, "%.*s", (int)sip->content_type.len, (const char *)sip->content_type.p);
        act->body = sip->body;
    }
    if (act->headers == NULL || act->reason == NULL) {
        return MCX_E_SPACE;
    }
    s->call->alive[MCX_MSRV_CALLER] = s->call->alive[MCX_MSRV_CALLEE] = false;
    MCX_TRY(close_relay(s));
    return note(s, "call-refused", act->reason, act->code, (enum mcx_warning)warning);
}

static mcx_err callee_lost(struct step *s)
{
    static const struct msrv_verdict v = { 480, "Temporarily Unavailable", MCX_WARN_NONE, NULL };

    s->call->alive[MCX_MSRV_CALLEE] = false;
    MCX_TRY(reject_caller(s, &v));
    MCX_TRY(close_relay(s));
    return note(s, "call-refused", "callee cannot be reached", v.code, v.warning);
}

static mcx_err cancel_callee(struct step *s)
{
    s->call->alive[MCX_MSRV_CALLER] = false;
    s->call->deadline_ms = UINT64_MAX;
    MCX_TRY(hang_up(s, MCX_MSRV_CALLEE, NULL, mcx_bytes(NULL, 0)));
    MCX_TRY(close_relay(s));
    return note(s, "call-ended", "cancelled by the caller", 487, MCX_WARN_NONE);
}

static mcx_err no_answer(struct step *s)
{
    static const struct msrv_verdict v = { 480, "Temporarily Unavailable", MCX_WARN_NONE, NULL };

    s->call->deadline_ms = UINT64_MAX;
    MCX_TRY(reject_caller(s, &v));
    MCX_TRY(hang_up(s, MCX_MSRV_CALLEE, NULL, mcx_bytes(NULL, 0)));
    MCX_TRY(close_relay(s));
    return note(s, "call-refused", "no answer", v.code, v.warning);
}

static mcx_err hang_up_late_answer(struct step *s)
{
    return hang_up(s, MCX_MSRV_CALLEE, NULL, mcx_bytes(NULL, 0));
}

/* ---- the end ---- */

static mcx_err hang_up_other(struct step *s)
{
    enum mcx_msrv_side other = s->in->side == MCX_MSRV_CALLER ? MCX_MSRV_CALLEE : MCX_MSRV_CALLER;
    const struct mcx_msrv_sip *sip = s->in->sip;
    const char *type = NULL;
    struct mcx_bytes body = mcx_bytes(NULL, 0);

    if (sip != NULL && sip->body.len > 0) { /* release-reason goes along */
        type = msrv_text(s->srv, "%.*s", (int)sip->content_type.len, (const char *)sip->content_type.p);
        body = type != NULL ? sip->body : body;
    }
    s->call->alive[s->in->side] = false;
    s->call->deadline_ms = UINT64_MAX;
    MCX_TRY(hang_up(s, other, type, body));
    MCX_TRY(close_relay(s));
    return note(s, "call-ended", s->in->side == MCX_MSRV_CALLER ? "released by the caller" : "released by the callee",
                0, MCX_WARN_NONE);
}

static mcx_err call_expired(struct step *s)
{
    struct mcx_wr *text = &s->srv->text;
    struct mcx_wr wr = mcx_wr(text->p + text->len, text->cap - text->len);
    struct mcx_mcptt_info info;

    memset(&info, 0, sizeof info);
    info.release = MCX_RELEASE_PRIVATE_CALL_EXPIRY;
    MCX_TRY(mcx_mcptt_info_write(&wr, &info));
    text->len += wr.len;
    s->call->deadline_ms = UINT64_MAX;
    MCX_TRY(hang_up(s, MCX_MSRV_CALLER, MCX_TYPE_MCPTT_INFO, mcx_wr_done(&wr)));
    MCX_TRY(hang_up(s, MCX_MSRV_CALLEE, MCX_TYPE_MCPTT_INFO, mcx_wr_done(&wr)));
    MCX_TRY(close_relay(s));
    return note(s, "call-ended", "longest duration reached", 0, MCX_WARN_NONE);
}

/* ---- floor control ---- */

static mcx_err floor_join(struct step *s, enum mcx_msrv_side side)
{
    struct mcx_msrv_action *act = msrv_action(s->out, MCX_MSRV_FLOOR_JOIN, s->call->id);

    if (act == NULL) {
        return MCX_E_BUG;
    }
    act->side = side;
    msrv_floor_talker(&act->talker, s->call, side);
    return MCX_OK;
}

/* The caller first: his INVITE may be a Floor Request. */
static mcx_err floor_begins(struct step *s)
{
    if (!s->call->floor.served || s->call->floor.joined) {
        return MCX_OK;
    }
    s->call->floor.joined = true;
    MCX_TRY(floor_join(s, MCX_MSRV_CALLER));
    return floor_join(s, MCX_MSRV_CALLEE);
}

static mcx_err nobody_speaks(struct step *s)
{
    s->call->deadline_ms = UINT64_MAX;
    MCX_TRY(hang_up(s, MCX_MSRV_CALLER, NULL, mcx_bytes(NULL, 0)));
    MCX_TRY(hang_up(s, MCX_MSRV_CALLEE, NULL, mcx_bytes(NULL, 0)));
    MCX_TRY(close_relay(s));
    return note(s, "call-ended", "nobody speaks", 0, MCX_WARN_NONE);
}

static mcx_err leg_gone(struct step *s)
{
    if (s->in->event == MCX_MSRV_EV_GONE || s->in->event == MCX_MSRV_EV_REJECT) {
        s->call->alive[s->in->side] = false;
    }
    return MCX_OK;
}

/* ---- step ---- */

static const struct row *find_row(unsigned state, enum event event)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].state == state && rows[i].event == event) {
            return &rows[i];
        }
    }
    return NULL;
}

/* No room for what has to be sent: the call ends, on both sides. */
static void abort_call(struct step *s)
{
    static const struct msrv_verdict v = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };
    bool caller = s->call->alive[MCX_MSRV_CALLER];
    mcx_err err = MCX_OK;

    s->out->num = 0;
    s->srv->text.len = 0;
    if (caller && s->call->state == ST_ACTIVE) {
        err = hang_up(s, MCX_MSRV_CALLER, NULL, mcx_bytes(NULL, 0));
    } else if (caller) {
        err = reject_caller(s, &v);
    }
    if (err == MCX_OK) {
        err = hang_up(s, MCX_MSRV_CALLEE, NULL, mcx_bytes(NULL, 0));
    }
    if (err == MCX_OK) {
        err = close_relay(s);
    }
    if (err == MCX_OK) {
        err = note(s, "call-ended", "out of room", v.code, v.warning);
    }
    release(s->call);
}

static mcx_err run_row(struct step *s, enum event event)
{
    const struct row *row = find_row(s->call->state, event);
    unsigned before = s->call->state;
    mcx_err err;

    if (row == NULL) {
        return MCX_E_STATE;
    }
    err = row->act(s);
    if (err != MCX_OK) {
        abort_call(s);
        return err;
    }
    if (s->call->state == before) { /* an action that fails by itself has chosen another state */
        s->call->state = row->next;
    }
    if (s->call->state == ST_FREE || (!s->call->alive[0] && !s->call->alive[1])) {
        release(s->call);
    }
    return MCX_OK;
}

static mcx_err to_event(enum event *out, const struct mcx_msrv_in *in)
{
    switch (in->event) {
    case MCX_MSRV_EV_PROGRESS: *out = IN_PROGRESS; return MCX_OK;
    case MCX_MSRV_EV_ANSWER: *out = IN_ANSWER; return MCX_OK;
    case MCX_MSRV_EV_REJECT: *out = IN_REJECT; return MCX_OK;
    case MCX_MSRV_EV_GONE: *out = in->side == MCX_MSRV_CALLER ? IN_CALLER_GONE : IN_CALLEE_GONE; return MCX_OK;
    case MCX_MSRV_EV_ACKED: *out = IN_ACKED; return MCX_OK;
    case MCX_MSRV_EV_INACTIVE: *out = IN_INACTIVE; return MCX_OK;
    case MCX_MSRV_EV_RELAY_READY: *out = IN_RELAY_READY; return MCX_OK;
    case MCX_MSRV_EV_RELAY_FAILED: *out = IN_RELAY_FAILED; return MCX_OK;
    default: return MCX_E_ARG;
    }
}

/* One call a tick: the caller steps again until the deadline lies ahead. */
static mcx_err tick(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out)
{
    for (size_t i = 0; i < srv->cap_calls; i++) {
        struct step s = { srv, &srv->calls[i], in, out };

        if (srv->calls[i].used && srv->calls[i].deadline_ms <= in->now_ms) {
            return run_row(&s, IN_TIMEOUT);
        }
    }
    return msrv_csk_tick(srv, in, out);
}

mcx_err mcx_msrv_step(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out)
{
    struct step s = { srv, NULL, in, out };
    enum event event = NUM_IN;

    out->num = 0;
    srv->text.len = 0;
    switch (in->event) {
    case MCX_MSRV_EV_REGISTER: return msrv_register(srv, in, out);
    case MCX_MSRV_EV_INVITE: return new_call(srv, in, out);
    case MCX_MSRV_EV_TICK: return tick(srv, in, out);
    case MCX_MSRV_EV_DELIVERED: return msrv_csk_delivered(srv, in, out);
    default: break;
    }
    MCX_TRY(to_event(&event, in));
    s.call = find_call(srv, in->call);
    return s.call == NULL ? MCX_E_STATE : run_row(&s, event);
}

mcx_err mcx_msrv_new(struct mcx_msrv **out, const struct mcx_msrv_config *config, const struct mcx_rng *rng)
{
    struct mcx_msrv *srv;

    if (config->max_calls == 0 || config->host == NULL || config->controlling_psi == NULL ||
        (config->server_id != NULL && config->ring == NULL)) {
        return MCX_E_ARG;
    }
    srv = calloc(1, sizeof *srv);
    if (srv == NULL) {
        return MCX_E_NOMEM;
    }
    srv->config = config;
    srv->rng = *rng;
    srv->cap_calls = config->max_calls + config->max_calls / 8 + 2; /* the reserve for emergencies, one to refuse in */
    srv->calls = calloc(srv->cap_calls, sizeof *srv->calls);
    srv->bindings = calloc(config->num_users + 1, sizeof *srv->bindings);
    srv->arena = malloc(MSRV_ARENA);
    srv->text = mcx_wr(srv->arena, MSRV_ARENA);
    if (srv->calls == NULL || srv->bindings == NULL || srv->arena == NULL || msrv_csk_init(srv) != MCX_OK) {
        mcx_msrv_free(srv);
        return MCX_E_NOMEM;
    }
    *out = srv;
    return MCX_OK;
}

void mcx_msrv_free(struct mcx_msrv *srv)
{
    if (srv == NULL) {
        return;
    }
    for (size_t i = 0; srv->calls != NULL && i < srv->cap_calls; i++) {
        free(srv->calls[i].sdp);
    }
    for (size_t i = 0; srv->bindings != NULL && i < srv->config->num_users; i++) {
        msrv_csk_drop(&srv->bindings[i]);
    }
    mcx_replay_free(srv->replay);
    free(srv->calls);
    free(srv->bindings);
    free(srv->arena);
    free(srv);
}
