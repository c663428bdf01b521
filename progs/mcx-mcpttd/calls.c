/* SPDX-License-Identifier: Apache-2.0 */
/* SIP and relay on one side, the state machine on the other: events in, actions out. */
#include "mcx-mcpttd/groups.h"
#include "mcx-mcpttd/preest.h"
#include "mcx-mcpttd/private_floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void step(struct md_daemon *d, const struct mcx_msrv_in *in);

static struct md_call *find_call(const struct md_daemon *d, uint32_t id)
{
    struct md_call *c = d->calls;

    while (c != NULL && c->id != id) {
        c = c->next;
    }
    return c;
}

static struct md_call *new_call(struct md_daemon *d)
{
    struct md_call *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return NULL;
    }
    do {
        d->last_id++;
    } while (d->last_id == 0 || find_call(d, d->last_id) != NULL);
    c->id = d->last_id;
    for (size_t side = 0; side < 2; side++) {
        c->leg[side] = (struct md_leg){ .d = d, .call = c, .side = side == 0 ? MCX_MSRV_CALLER : MCX_MSRV_CALLEE };
    }
    c->next = d->calls;
    d->calls = c;
    return c;
}

static void relay_gone(struct md_daemon *d, struct md_call *c)
{
    struct mcx_relay_stats st;

    md_floor_close(c);
    if (c->relay == NULL) {
        return;
    }
    mcx_relay_close(c->relay, &st);
    c->relay = NULL;
    md_journal(d->s, "relay-closed",
               json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "call", (json_int_t)c->id, "caller_packets",
                         (json_int_t)st.packets[0], "caller_octets", (json_int_t)st.octets[0], "callee_packets",
                         (json_int_t)st.packets[1], "callee_octets", (json_int_t)st.octets[1], "caller_dropped",
                         (json_int_t)st.dropped[0], "callee_dropped", (json_int_t)st.dropped[1],
                         "caller_refused", (json_int_t)st.refused[0], "callee_refused", (json_int_t)st.refused[1]));
}

/* Calls without a leg are history. */
static void sweep(struct md_daemon *d)
{
    struct md_call **at = &d->calls;

    while (*at != NULL) {
        struct md_call *c = *at;

        if (c->leg[0].sip == NULL && c->leg[1].sip == NULL && c->leg[1].session == NULL) {
            relay_gone(d, c);
            *at = c->next;
            free(c);
        } else {
            at = &c->next;
        }
    }
}

void md_free_calls(struct md_daemon *d)
{
    for (struct md_call *c = d->calls; c != NULL; c = c->next) {
        c->leg[0].sip = c->leg[1].sip = NULL;
        c->leg[1].session = NULL;
    }
    sweep(d);
}

/* ---- events that wait ---- */

static struct md_event *enqueue(struct md_daemon *d, enum mcx_msrv_event event, const struct md_leg *leg)
{
    struct md_event *e;

    if (d->num_queued == MD_MAX_EVENTS) { /* a step has at most 8 actions, each causes one event at most */
        return NULL;
    }
    e = &d->queue[d->num_queued++];
    memset(e, 0, sizeof *e);
    e->event = event;
    e->call = leg->call->id;
    e->side = leg->side;
    return e;
}

static void gone(struct md_leg *leg)
{
    leg->sip = NULL;
    (void)enqueue(leg->d, MCX_MSRV_EV_GONE, leg);
}

/* ---- events of a leg ---- */

static void on_leg_closed(struct md_leg *leg, const struct mcx_sip_call_event *ev)
{
    struct md_daemon *d = leg->d;
    struct mcx_msrv_sip sip;
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_GONE, .call = leg->call->id, .side = leg->side };

    if (d->busy) { /* our own doing, nothing to read in it */
        gone(leg);
        return;
    }
    leg->sip = NULL;
    if (ev->msg != NULL) {
        md_view(&sip, d->s, ev->msg);
        in.sip = &sip;
        if (ev->why == MCX_SIP_BY_REJECT) {
            in.event = MCX_MSRV_EV_REJECT;
        }
    }
    step(d, &in);
}

static void on_leg(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct md_leg *leg = arg;
    struct mcx_msrv_sip sip;
    struct mcx_msrv_in in = { .call = leg->call->id, .side = leg->side, .sip = &sip };

    (void)call;
    switch (ev->event) {
    case MCX_SIP_CLOSED: on_leg_closed(leg, ev); return;
    case MCX_SIP_PROGRESS: in.event = MCX_MSRV_EV_PROGRESS; break;
    case MCX_SIP_ANSWERED: in.event = MCX_MSRV_EV_ANSWER; break;
    case MCX_SIP_ACKED: in.event = MCX_MSRV_EV_ACKED; break;
    case MCX_SIP_CHANGED:
    case MCX_SIP_UNCHANGED:
    case MCX_SIP_OFFER: /* changing a session is not offered: the layer answers 488, the call goes on */
    default: return;
    }
    md_view(&sip, leg->d->s, ev->msg);
    step(leg->d, &in);
}

/* ---- actions ---- */

static struct mcx_sip_content content_of(const struct mcx_msrv_action *a)
{
    return (struct mcx_sip_content){ .headers = a->headers,
                                     .contact_params = a->contact_params,
                                     .contact_user = a->contact_user,
                                     .content_type = a->content_type,
                                     .body = a->body };
}

static void do_invite(struct md_daemon *d, struct md_call *c, const struct mcx_msrv_action *a)
{
    struct md_leg *leg = &c->leg[MCX_MSRV_CALLEE];
    struct mcx_sip_invite inv = { .uri = a->uri,
                                  .from = a->from,
                                  .to = a->to,
                                  .next_hop = a->next_hop,
                                  .session_expires = a->session_expires,
                                  .content = content_of(a),
                                  .handler = on_leg,
                                  .arg = leg };

    if (md_preest_connect(d->preest, leg, a)) {
        return;
    }
    memcpy(inv.route, a->route, sizeof inv.route);
    if (mcx_sip_call_new(&leg->sip, d->sip, &inv) != MCX_OK) {
        gone(leg);
    }
}

static void do_relay_open(struct md_daemon *d, struct md_call *c, const struct mcx_msrv_action *a)
{
    struct md_event *e = enqueue(d, MCX_MSRV_EV_RELAY_FAILED, &c->leg[MCX_MSRV_CALLER]);

    if (e == NULL) {
        return;
    }
    memcpy(e->lines, a->lines, sizeof e->lines);
    e->num_lines = a->num_lines;
    if (a->floor && md_floor_open(c, d, a->indicator, &e->lines[a->floor_line]) != MCX_OK) {
        return;
    }
    if (mcx_relay_open(&c->relay, d->relay, e->lines, e->num_lines) != MCX_OK) {
        return;
    }
    if (a->floor) {
        md_floor_gate(c);
    }
    e->event = MCX_MSRV_EV_RELAY_READY;
}

/* Refusals are counted by what was refused and why. */
static void count_note(struct md_daemon *d, const struct mcx_msrv_action *a)
{
    char name[MCX_TALLY_NAME];

    if (strcmp(a->note, "register-refused") == 0 || strcmp(a->note, "call-refused") == 0 ||
        strcmp(a->note, "call-ended") == 0 || strcmp(a->note, "floor-control-refused") == 0) {
        (void)snprintf(name, sizeof name, "%s: %s", a->note, a->text);
    } else {
        (void)snprintf(name, sizeof name, "%s", a->note);
    }
    mcx_tally_add(&d->tally, name);
}

static void do_note(struct md_daemon *d, const struct mcx_msrv_action *a)
{
    json_t *o = json_object();

    count_note(d, a);
    if (a->call == 0) {
        (void)json_object_set_new(o, "user", md_clean(a->caller));
    } else {
        (void)json_object_set_new(o, "caller", md_clean(a->caller));
        (void)json_object_set_new(o, "callee", md_clean(a->callee));
        (void)json_object_set_new(o, "call", json_integer((json_int_t)a->call));
    }
    if (a->code != 0) {
        (void)json_object_set_new(o, "code", json_integer(a->code));
    }
    if (a->warning != MCX_WARN_NONE) {
        (void)json_object_set_new(o, "warning", json_integer((json_int_t)a->warning));
    }
    if (a->text != NULL && a->text[0] != '\0') {
        (void)json_object_set_new(o, "text", md_clean(a->text));
    }
    md_journal(d->s, a->note, o);
    if (a->call == 0 && strcmp(a->note, "registered") == 0) {
        md_groups_registered(d->groups, a->caller);
    }
}

/* A response that cannot be sent: the peer's transaction or connection is gone, its CLOSED event follows. */
static void do_leg(struct md_leg *leg, const struct mcx_msrv_action *a)
{
    struct mcx_sip_content content = content_of(a);
    mcx_err err = MCX_OK;

    if (leg->session != NULL) { /* a callee's leg is only ever hung up */
        md_preest_release(leg);
        gone(leg);
        return;
    }
    if (leg->sip == NULL) {
        return;
    }
    switch (a->act) {
    case MCX_MSRV_PROGRESS: err = mcx_sip_call_progress(leg->sip, a->code, a->reason, &content); break;
    case MCX_MSRV_ANSWER: err = mcx_sip_call_answer(leg->sip, &content); break;
    case MCX_MSRV_REJECT: err = mcx_sip_call_reject(leg->sip, a->code, a->reason, &content); break;
    default: mcx_sip_call_hangup(leg->sip, &content); break;
    }
    if (err != MCX_OK && a->act == MCX_MSRV_ANSWER && leg->sip != NULL) {
        mcx_sip_call_hangup(leg->sip, NULL);
    }
}

/* ---- messages ---- */

static void delivery_free(struct md_delivery *m)
{
    struct md_delivery **at = &m->d->deliveries;

    while (*at != m) {
        at = &(*at)->next;
    }
    *at = m->next;
    free(m);
}

void md_free_deliveries(struct md_daemon *d)
{
    while (d->deliveries != NULL) {
        delivery_free(d->deliveries);
    }
}

static void on_delivered(void *arg, const struct mcx_sip_msg *response)
{
    struct md_delivery *m = arg;
    struct md_daemon *d = m->d;
    struct mcx_msrv_sip sip;
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_DELIVERED, .user = m->user };

    delivery_free(m);
    if (response != NULL) {
        md_view(&sip, d->s, response);
        in.sip = &sip;
    }
    step(d, &in);
}

/* One that cannot be sent is made anew by the state machine after its wait. */
static void do_message(struct md_daemon *d, const struct mcx_msrv_action *a)
{
    struct md_delivery *m = calloc(1, sizeof *m);
    struct mcx_sip_request request = { .method = "MESSAGE",
                                       .uri = a->uri,
                                       .from = a->from,
                                       .to = a->to,
                                       .next_hop = a->next_hop,
                                       .content = content_of(a),
                                       .done = on_delivered,
                                       .arg = m };

    memcpy(request.route, a->route, sizeof request.route);
    if (m != NULL) {
        *m = (struct md_delivery){ .next = d->deliveries, .d = d, .user = a->caller };
        d->deliveries = m;
    }
    if (m == NULL || mcx_sip_send(d->sip, &request) != MCX_OK) {
        if (m != NULL) {
            delivery_free(m);
        }
        md_journal(d->s, "message-not-sent", json_pack("{s:o}", "user", md_clean(a->caller)));
    }
}

static void do_action(struct md_daemon *d, const struct mcx_msrv_action *a)
{
    struct md_call *c = a->call != 0 ? find_call(d, a->call) : NULL;
    struct mcx_sip_content content = content_of(a);

    if (a->act == MCX_MSRV_NOTE) {
        do_note(d, a);
        return;
    }
    if (a->act == MCX_MSRV_MESSAGE) {
        do_message(d, a);
        return;
    }
    if (a->act == MCX_MSRV_RESPOND) {
        if (mcx_sip_respond(d->sip, d->request, a->code, a->reason, &content) != MCX_OK) {
            md_journal(d->s, "response-not-sent", NULL);
        }
        return;
    }
    if (c == NULL) {
        return;
    }
    switch (a->act) {
    case MCX_MSRV_INVITE: do_invite(d, c, a); break;
    case MCX_MSRV_RELAY_OPEN: do_relay_open(d, c, a); break;
    case MCX_MSRV_RELAY_PEER:
        if (c->relay == NULL || mcx_relay_peer(c->relay, a->side, a->lines, a->num_lines) != MCX_OK) {
            md_journal(d->s, "media-address-unusable", json_pack("{s:I}", "call", (json_int_t)c->id));
        }
        break;
    case MCX_MSRV_RELAY_CLOSE: relay_gone(d, c); break;
    case MCX_MSRV_FLOOR_JOIN: md_floor_join(c, a->side, &a->talker); break;
    case MCX_MSRV_FLOOR_CLOSE: md_floor_close(c); break;
    default: do_leg(&c->leg[a->side], a); break;
    }
}

static void on_deadline(void *arg)
{
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_TICK };

    step(arg, &in);
}

static void arm(struct md_daemon *d)
{
    uint64_t at = mcx_msrv_deadline(d->srv);
    uint64_t now = mcx_clock_mono_ms();

    if (at == UINT64_MAX) {
        mcx_timer_stop(&d->deadline);
    } else if (mcx_timer_start(&d->deadline, at > now ? at - now : 0, on_deadline, d) != MCX_OK) {
        md_journal(d->s, "out-of-memory", NULL);
    }
}

static void one_step(struct md_daemon *d, const struct mcx_msrv_in *in)
{
    struct mcx_msrv_in timed = *in;
    mcx_err err;

    timed.now_ms = mcx_clock_mono_ms();
    timed.wall = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    d->busy = true;
    err = mcx_msrv_step(d->srv, &timed, &d->out); /* an event that came too late is refused and has no actions */
    if (err != MCX_OK && in->event == MCX_MSRV_EV_INVITE && d->out.num == 0) {
        d->out.action[0] = (struct mcx_msrv_action){
            .act = MCX_MSRV_REJECT, .call = in->call, .code = 500, .reason = "Server Internal Error", .headers = ""
        };
        d->out.num = 1;
    }
    for (size_t i = 0; i < d->out.num; i++) {
        do_action(d, &d->out.action[i]);
    }
    d->busy = false;
}

static void step(struct md_daemon *d, const struct mcx_msrv_in *in)
{
    one_step(d, in);
    while (d->num_queued > 0) {
        struct md_event e = d->queue[0];
        struct mcx_msrv_in next = {
            .event = e.event, .call = e.call, .side = e.side, .lines = e.lines, .num_lines = e.num_lines
        };

        d->num_queued--;
        memmove(d->queue, d->queue + 1, d->num_queued * sizeof d->queue[0]);
        one_step(d, &next);
    }
    sweep(d);
    arm(d);
    md_preest_check(d->preest);
    if (d->stopping && d->calls == NULL && md_groups_idle(d->groups)) {
        mcx_loop_stop();
    }
}

void md_call_event(struct md_leg *leg, enum mcx_msrv_event event, const struct mcx_msrv_sip *sip)
{
    const struct mcx_msrv_in in = { .event = event, .call = leg->call->id, .side = leg->side, .sip = sip };

    step(leg->d, &in);
}

/* ---- from the SIP layer ---- */

void md_on_invite(void *arg, struct mcx_sip_call *sip, const struct mcx_sip_msg *msg)
{
    struct md_daemon *d = arg;
    struct mcx_sip_content later = { .headers = "Retry-After: 10\r\n" };
    struct mcx_msrv_sip view;
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_INVITE, .sip = &view };
    struct md_call *c;

    if (md_preest_invite(d->preest, sip, msg) || md_groups_invite(d->groups, sip, msg)) {
        return;
    }
    c = d->stopping ? NULL : new_call(d);
    if (c == NULL) {
        (void)!mcx_sip_call_reject(sip, 503, "Service Unavailable", &later);
        return;
    }
    c->leg[MCX_MSRV_CALLER].sip = sip;
    mcx_sip_call_handler(sip, on_leg, &c->leg[MCX_MSRV_CALLER]);
    md_view(&view, d->s, msg);
    in.call = c->id;
    step(d, &in);
}

bool md_on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    struct md_daemon *d = arg;
    struct mcx_msrv_sip view;
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_REGISTER, .sip = &view };

    (void)sip;
    if (mcx_bytes_is(msg->method, "PUBLISH")) {
        return md_groups_publish(d->groups, msg);
    }
    if (!mcx_bytes_is(msg->method, "REGISTER")) {
        return false;
    }
    md_view(&view, d->s, msg);
    d->request = msg;
    step(d, &in);
    d->request = NULL;
    return true;
}
