/* SPDX-License-Identifier: Apache-2.0 */
/* Group calls: SIP, media and floor control on one side, the state machine of <mcx/mcptt_group.h> on the other. */
#define _GNU_SOURCE
#include "mcx-mcpttd/groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/group_relay.h"
#include "io/sip_event.h"
#include "proc/mcptt_server.h"

enum { BUSY_MS = 200 }; /* until a dialog is asked again whether its last INVITE is done */
enum { MAX_EVENTS = MCX_MGRP_MAX_ACTIONS + 4 }; /* an action causes one event at most, and they go before the next step */

/* One SIP dialog of a member. */
struct leg {
    struct leg *next;
    struct md_groups *g;
    uint32_t id;
    struct mcx_sip_call *sip; /* NULL = gone */
    bool ended;               /* told to end at shutdown */
    struct mcx_timer again;   /* a re-INVITE is owed */
};

struct session {
    struct session *next;
    struct md_groups *g;
    uint32_t id;
    char *group;
    struct mcx_floor_port *floor;
    struct mcx_group_relay *media;
    struct mcx_tally drops; /* datagrams that were not taken, by reason */
    bool closing;
};

struct event {
    enum mcx_mgrp_event event;
    uint32_t leg, session;
    struct mcx_mgrp_media media;
};

/* What a user has published is known by its tag, until it is over (RFC 3903 6). */
struct publication {
    char etag[MCX_SIP_ETAG_MAX];
    uint64_t until_ms;
};

struct md_groups {
    struct md_daemon *d;
    struct mcx_mgrp *grp;
    struct mcx_mgrp_config config;
    struct leg *legs;
    struct session *sessions;
    struct publication *publications;  /* of the users, same index */
    const struct mcx_sip_msg *request; /* the PUBLISH being answered */
    struct publication *publication;   /* and whose it is */
    struct mcx_mgrp_out out;
    bool busy;
    struct event queue[MAX_EVENTS];
    size_t num_queued;
    struct mcx_timer deadline;
};

static void step(struct md_groups *g, const struct mcx_mgrp_in *in);

static struct leg *find_leg(const struct md_groups *g, uint32_t id)
{
    struct leg *leg = g->legs;

    while (leg != NULL && leg->id != id) {
        leg = leg->next;
    }
    return leg;
}

static struct session *find_session(const struct md_groups *g, uint32_t id)
{
    struct session *s = g->sessions;

    while (s != NULL && s->id != id) {
        s = s->next;
    }
    return s;
}

static struct leg *new_leg(struct md_groups *g, uint32_t id)
{
    struct leg *leg = calloc(1, sizeof *leg);

    if (leg != NULL) {
        *leg = (struct leg){ .next = g->legs, .g = g, .id = id };
        g->legs = leg;
    }
    return leg;
}

static void sweep(struct md_groups *g)
{
    struct leg **at = &g->legs;

    while (*at != NULL) {
        struct leg *leg = *at;

        if (leg->sip == NULL) {
            *at = leg->next;
            mcx_timer_clear(&leg->again);
            free(leg);
        } else {
            at = &leg->next;
        }
    }
}

static void enqueue(struct md_groups *g, const struct event *e)
{
    if (g->num_queued < MAX_EVENTS) {
        g->queue[g->num_queued++] = *e;
    }
}

static void gone(struct leg *leg)
{
    leg->sip = NULL;
    enqueue(leg->g, &(struct event){ .event = MCX_MGRP_EV_GONE, .leg = leg->id });
}

/* ---- events of a leg ---- */

static void on_again(void *arg)
{
    const struct leg *leg = arg;

    step(leg->g, &(struct mcx_mgrp_in){ .event = MCX_MGRP_EV_UNTOLD, .leg = leg->id });
}

/* What he is to be told then is decided then. Without memory for a timer, floor control tells him. */
static void offer_later(struct leg *leg, uint32_t ms)
{
    (void)!mcx_timer_start(&leg->again, ms, on_again, leg);
}

static void on_leg(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct leg *leg = arg;
    struct md_groups *g = leg->g;
    struct mcx_msrv_sip sip;
    struct mcx_mgrp_in in = { .leg = leg->id, .sip = &sip };

    switch (ev->event) {
    case MCX_SIP_ANSWERED: in.event = MCX_MGRP_EV_ANSWER; break;
    case MCX_SIP_ACKED: in.event = MCX_MGRP_EV_ACKED; break;
    case MCX_SIP_OFFER: in.event = MCX_MGRP_EV_OFFER; break;
    case MCX_SIP_CLOSED:
        if (g->busy) { /* our own doing */
            gone(leg);
            return;
        }
        leg->sip = NULL;
        in.event = MCX_MGRP_EV_GONE;
        break;
    case MCX_SIP_UNCHANGED:
        if (ev->msg->code == 491) {
            offer_later(leg, mcx_sip_call_glare_ms(call));
        }
        return;
    case MCX_SIP_PROGRESS:
    case MCX_SIP_CHANGED:
    default: return;
    }
    if (ev->msg != NULL) {
        md_view(&sip, g->d->s, ev->msg);
    } else {
        in.sip = NULL;
    }
    step(g, &in);
}

/* ---- the log ---- */

static void note(struct md_groups *g, const char *event, const char *text, json_t *members)
{
    char name[MCX_TALLY_NAME];

    (void)snprintf(name, sizeof name, "%s%s%s", event, text[0] != '\0' ? ": " : "", text);
    mcx_tally_add(&g->d->tally, name);
    md_journal(g->d->s, event, members);
}

static void do_note(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    bool refusal = strstr(a->note, "-refused") != NULL || strcmp(a->note, "group-call-ended") == 0;
    json_t *o = json_object();

    if (a->user[0] != '\0') {
        (void)json_object_set_new(o, "user", md_clean(a->user));
    }
    if (a->group[0] != '\0') {
        (void)json_object_set_new(o, "group", md_clean(a->group));
    }
    if (a->session != 0) {
        (void)json_object_set_new(o, "session", json_integer((json_int_t)a->session));
    }
    if (a->code != 0) {
        (void)json_object_set_new(o, "code", json_integer(a->code));
    }
    if (a->warning != MCX_WARN_NONE) {
        (void)json_object_set_new(o, "warning", json_integer((json_int_t)a->warning));
    }
    if (a->text[0] != '\0') {
        (void)json_object_set_new(o, "text", md_clean(a->text));
    }
    if (a->clause[0] != '\0') {
        (void)json_object_set_new(o, "clause", json_string(a->clause));
    }
    note(g, a->note, refusal ? a->text : "", o);
}

/* ---- media and floor control ---- */

static struct mcx_channel *channel_of(void *arg, const char *mcptt_id)
{
    const struct session *s = arg;

    return mcx_msrv_channel(s->g->d->srv, mcptt_id, mcx_clock_mono_ms());
}

static bool has_channel(void *arg, const char *mcptt_id)
{
    const struct md_groups *g = arg;
    struct mcx_channel *channel = mcx_msrv_channel(g->d->srv, mcptt_id, mcx_clock_mono_ms());

    return channel != NULL && mcx_channel_sender(channel) != NULL;
}

static void on_floor_note(void *arg, const char *what, const char *mcptt_id, unsigned cause)
{
    const struct session *s = arg;
    json_t *o = json_pack("{s:I}", "session", (json_int_t)s->id);

    (void)json_object_set_new(o, "group", md_clean(s->group));
    if (mcptt_id[0] != '\0') {
        (void)json_object_set_new(o, "user", md_clean(mcptt_id));
    }
    if (cause != 0) {
        (void)json_object_set_new(o, "cause", json_integer((json_int_t)cause));
    }
    note(s->g, what, "", o);
}

/* All are counted; the first of a kind in a call has a line in the log, so that a flood has no more. */
static void drop(struct session *s, const char *what, const char *mcptt_id, const struct mcx_refusal *why)
{
    char name[MCX_TALLY_NAME];
    json_t *o = NULL;

    (void)snprintf(name, sizeof name, "%s: %s", what, why->reason);
    mcx_tally_add(&s->g->d->tally, name);
    if (mcx_tally_add(&s->drops, name) != 1) {
        return;
    }
    o = json_pack("{s:I, s:s, s:s, s:s}", "session", (json_int_t)s->id, "what", what, "reason", why->reason, "clause",
                  why->clause);
    (void)json_object_set_new(o, "group", md_clean(s->group));
    if (mcptt_id[0] != '\0') {
        (void)json_object_set_new(o, "user", md_clean(mcptt_id));
    }
    md_journal(s->g->d->s, "group-dropped", o);
}

static void on_floor_drop(void *arg, const char *mcptt_id, const struct mcx_refusal *why)
{
    drop(arg, "floor", mcptt_id, why);
}

static void on_media_drop(void *arg, const char *mcptt_id, const struct mcx_refusal *why)
{
    drop(arg, "media", mcptt_id, why);
}

static void on_inactive(void *arg);

static mcx_err open_session(struct session *s, const struct mcx_mgrp_action *a)
{
    struct md_daemon *d = s->g->d;
    struct mcx_floor_port_config floor = { .relay = d->relay,
                                           .floor = d->s->floor,
                                           .protect = a->protect_floor,
                                           .channel = channel_of,
                                           .on_note = on_floor_note,
                                           .on_inactive = on_inactive,
                                           .on_drop = on_floor_drop,
                                           .arg = s };
    struct mcx_group_relay_config media = { .relay = d->relay, .on_drop = on_media_drop, .arg = s };

    floor.floor.indicator = a->indicator;
    if (a->hang_s != 0) { /* TS 24.380 table 11.1.3-1: T4 is the group's */
        floor.floor.timer_ms[MCX_FS_T4] = a->hang_s == UINT32_MAX ? UINT32_MAX : a->hang_s * 1000;
    }
    MCX_TRY(mcx_floor_port_open(&s->floor, &floor));
    media.floor = s->floor;
    return mcx_group_relay_open(&s->media, &media);
}

static void count_drop(void *arg, const char *name, uint64_t count)
{
    (void)json_object_set_new(arg, name, json_integer((json_int_t)count));
}

static void close_session(struct md_groups *g, struct session *s)
{
    struct mcx_group_stats media = { 0 };
    struct mcx_floor_stats floor = { 0 };
    struct session **at = &g->sessions;
    json_t *drops = json_object();

    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    mcx_group_relay_close(s->media, &media);
    mcx_floor_port_close(s->floor, &floor);
    mcx_tally_each(&s->drops, count_drop, drops);
    md_journal(g->d->s, "group-media-closed",
               json_pack("{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "session", (json_int_t)s->id, "group",
                         md_clean(s->group), "received", (json_int_t)media.received, "sent", (json_int_t)media.sent,
                         "refused", (json_int_t)media.refused, "lost", (json_int_t)media.lost, "foreign",
                         (json_int_t)media.foreign, "floor_received", (json_int_t)floor.received, "floor_sent",
                         (json_int_t)floor.sent, "floor_dropped", (json_int_t)floor.dropped, "drops", drops));
    free(s->group);
    free(s);
}

static void do_media_open(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    struct session *s = calloc(1, sizeof *s);
    struct event e = { .event = MCX_MGRP_EV_MEDIA_FAILED, .session = a->session };

    if (s != NULL) {
        *s = (struct session){ .next = g->sessions, .g = g, .id = a->session, .group = strdup(a->group) };
        g->sessions = s;
    }
    if (s != NULL && s->group != NULL && open_session(s, a) == MCX_OK) {
        e.event = MCX_MGRP_EV_MEDIA_READY;
        e.media.rtp_port = mcx_group_relay_port(s->media);
        e.media.floor_port = mcx_floor_port_number(s->floor);
        (void)snprintf(e.media.host, sizeof e.media.host, "%s", mcx_relay_address(g->d->relay));
    }
    enqueue(g, &e);
}

/* Without media and floor control he is no participant: BYE. */
static void unreachable(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    struct leg *leg = find_leg(g, a->leg);

    note(g, "media-address-unusable", "",
         json_pack("{s:o, s:s, s:s}", "user", md_clean(a->peer.mcptt_id), "text",
                   "an address that this server cannot send to", "clause", "RFC 4566 5.7"));
    if (leg != NULL && leg->sip != NULL) {
        mcx_sip_call_hangup(leg->sip, NULL);
    }
}

static void do_join(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    struct session *s = find_session(g, a->session);
    const struct mcx_mgrp_peer *p = &a->peer;
    struct mcx_fsrv_participant who = { .id = a->leg,
                                        .mcptt_id = p->mcptt_id,
                                        .max_priority = p->max_priority,
                                        .queueing = p->queueing,
                                        .receive_only = p->receive_only };
    bool talks = p->floor_port != 0 && !p->receive_only;
    mcx_err err = MCX_E_STATE;

    if (s != NULL) {
        err = mcx_group_relay_join(s->media, a->leg, p->host, p->rtp_port, talks);
    }
    if (err == MCX_OK && p->floor_port != 0) {
        err = mcx_floor_port_join(s->floor, &who, p->floor_host, p->floor_port, p->implicit_request);
    }
    if (err != MCX_OK) {
        unreachable(g, a);
    }
}

static void do_part(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    struct session *s = find_session(g, a->session);
    struct mcx_group_stats st = { 0 };

    if (s == NULL) {
        return;
    }
    mcx_floor_port_leave(s->floor, a->leg);
    mcx_group_relay_part(s->media, a->leg, &st);
    md_journal(g->d->s, "group-media",
               json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "session", (json_int_t)s->id, "leg", (json_int_t)a->leg,
                         "received", (json_int_t)st.received, "sent", (json_int_t)st.sent, "refused",
                         (json_int_t)st.refused, "lost", (json_int_t)st.lost));
}

/* ---- SIP ---- */

static struct mcx_sip_content content_of(const struct mcx_mgrp_action *a)
{
    return (struct mcx_sip_content){ .headers = a->headers,
                                     .contact_params = a->contact_params,
                                     .contact_user = a->contact_user,
                                     .content_type = a->content_type,
                                     .body = a->body };
}

static void do_invite(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    struct leg *leg = new_leg(g, a->leg);
    struct mcx_sip_invite inv = { .uri = a->uri,
                                  .from = a->from,
                                  .to = a->to,
                                  .next_hop = a->next_hop,
                                  .session_expires = a->session_expires,
                                  .content = content_of(a),
                                  .handler = on_leg,
                                  .arg = leg };

    if (leg == NULL) {
        enqueue(g, &(struct event){ .event = MCX_MGRP_EV_GONE, .leg = a->leg });
        return;
    }
    memcpy(inv.route, a->route, sizeof inv.route);
    if (mcx_sip_call_new(&leg->sip, g->d->sip, &inv) != MCX_OK) {
        gone(leg);
    }
}

static void do_leg(struct leg *leg, const struct mcx_mgrp_action *a)
{
    struct mcx_sip_content content = content_of(a);
    mcx_err err = MCX_OK;

    if (leg == NULL || leg->sip == NULL) {
        return;
    }
    switch (a->act) {
    case MCX_MGRP_ANSWER: err = mcx_sip_call_answer(leg->sip, &content); break;
    case MCX_MGRP_REJECT: err = mcx_sip_call_reject(leg->sip, a->code, a->reason, &content); break;
    case MCX_MGRP_OFFER:
        if (mcx_sip_call_reinvite(leg->sip, &content) == MCX_E_STATE) {
            offer_later(leg, BUSY_MS);
        }
        break;
    default: mcx_sip_call_hangup(leg->sip, &content); break;
    }
    if (err != MCX_OK && a->act == MCX_MGRP_ANSWER && leg->sip != NULL) {
        mcx_sip_call_hangup(leg->sip, NULL);
    }
}

static void do_respond(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    struct mcx_sip_content content = content_of(a);
    struct publication *p = g->publication;
    mcx_err err = a->code == 200 ? mcx_sip_publish_answer(g->d->sip, g->request, p->etag, a->session_expires)
                                 : mcx_sip_respond(g->d->sip, g->request, a->code, a->reason, &content);

    if (err == MCX_OK && a->code == 200) {
        p->until_ms = mcx_clock_mono_ms() + (uint64_t)a->session_expires * 1000;
    }
    if (err != MCX_OK) {
        md_journal(g->d->s, "response-not-sent", NULL);
    }
}

static void do_action(struct md_groups *g, const struct mcx_mgrp_action *a)
{
    struct session *s = find_session(g, a->session);

    switch (a->act) {
    case MCX_MGRP_RESPOND: do_respond(g, a); break;
    case MCX_MGRP_INVITE: do_invite(g, a); break;
    case MCX_MGRP_MEDIA_OPEN: do_media_open(g, a); break;
    case MCX_MGRP_MEDIA_CLOSE:
        if (s != NULL) {
            s->closing = true;
        }
        break;
    case MCX_MGRP_JOIN: do_join(g, a); break;
    case MCX_MGRP_PART: do_part(g, a); break;
    case MCX_MGRP_CALL_TYPE:
        if (s != NULL) {
            mcx_floor_port_call_type(s->floor, a->indicator);
        }
        break;
    case MCX_MGRP_NOTE: do_note(g, a); break;
    default: do_leg(find_leg(g, a->leg), a); break;
    }
}

/* ---- steps ---- */

static void on_deadline(void *arg)
{
    step(arg, &(struct mcx_mgrp_in){ .event = MCX_MGRP_EV_TICK });
}

static void arm(struct md_groups *g)
{
    uint64_t at = mcx_mgrp_deadline(g->grp);
    uint64_t now = mcx_clock_mono_ms();

    if (at == UINT64_MAX) {
        mcx_timer_stop(&g->deadline);
    } else if (mcx_timer_start(&g->deadline, at > now ? at - now : 0, on_deadline, g) != MCX_OK) {
        md_journal(g->d->s, "out-of-memory", NULL);
    }
}

/* Sessions are closed here and not in the middle: floor control may be on the stack. */
static void close_ended(struct md_groups *g)
{
    for (struct session *s = g->sessions, *next = NULL; s != NULL; s = next) {
        next = s->next;
        if (s->closing) {
            close_session(g, s);
        }
    }
}

static mcx_err one_step(struct md_groups *g, const struct mcx_mgrp_in *in)
{
    struct mcx_mgrp_in timed = *in;
    mcx_err err;

    timed.now_ms = mcx_clock_mono_ms();
    g->busy = true;
    err = mcx_mgrp_step(g->grp, &timed, &g->out);
    for (size_t i = 0; i < g->out.num; i++) {
        do_action(g, &g->out.action[i]);
    }
    g->busy = false;
    return err;
}

/* What is left, until nothing is: queued events first, then the marks of the machine. */
static void go_on(struct md_groups *g)
{
    while (g->num_queued > 0 || g->out.more) {
        struct mcx_mgrp_in next = { .event = MCX_MGRP_EV_MORE };

        if (g->num_queued > 0) {
            struct event e = g->queue[0];

            next = (struct mcx_mgrp_in){ .event = e.event, .leg = e.leg, .session = e.session, .media = e.media };
            g->num_queued--;
            memmove(g->queue, g->queue + 1, g->num_queued * sizeof g->queue[0]);
        }
        (void)!one_step(g, &next);
    }
    sweep(g);
    arm(g);
}

static void step(struct md_groups *g, const struct mcx_mgrp_in *in)
{
    (void)!one_step(g, in); /* what came too late is refused and has no actions */
    go_on(g);
    close_ended(g);
    if (g->d->stopping && g->d->calls == NULL && g->legs == NULL) {
        mcx_loop_stop();
    }
}

static void end_inactive(void *arg)
{
    struct md_groups *g = arg;

    go_on(g);
    close_ended(g);
}

static void on_inactive(void *arg)
{
    struct session *s = arg;

    enqueue(s->g, &(struct event){ .event = MCX_MGRP_EV_INACTIVE, .session = s->id });
    if (!s->g->busy && mcx_timer_start(&s->g->deadline, 0, end_inactive, s->g) != MCX_OK) {
        md_journal(s->g->d->s, "out-of-memory", NULL);
    }
}

/* ---- from the daemon ---- */

bool md_groups_invite(struct md_groups *g, struct mcx_sip_call *sip, const struct mcx_sip_msg *msg)
{
    struct mcx_sip_content later = { .headers = "Retry-After: 10\r\n" };
    struct mcx_msrv_sip view;
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_INVITE, .sip = &view };
    struct leg *leg;

    md_view(&view, g->d->s, msg);
    if (!mcx_mgrp_is_group_call(&view)) {
        return false;
    }
    leg = g->d->stopping ? NULL : new_leg(g, mcx_mgrp_new_leg(g->grp));
    if (leg == NULL) {
        (void)!mcx_sip_call_reject(sip, 503, "Service Unavailable", &later);
        return true;
    }
    leg->sip = sip;
    in.leg = leg->id;
    mcx_sip_call_handler(sip, on_leg, leg);
    step(g, &in);
    return true;
}

static bool matches(const struct publication *p, struct mcx_bytes if_match)
{
    return mcx_clock_mono_ms() < p->until_ms && mcx_bytes_is(if_match, p->etag);
}

/* Affiliation: RFC 3903 here, what it says in the machine. */
bool md_groups_publish(struct md_groups *g, const struct mcx_sip_msg *msg)
{
    struct mcx_sip_publish_view pub;
    struct mcx_msrv_sip view;
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_PUBLISH, .sip = &view };
    const struct mcx_msrv_user *user;

    if (mcx_sip_publish_read(&pub, msg) != MCX_OK || !mcx_bytes_is(pub.event, "presence")) {
        return mcx_sip_respond(g->d->sip, msg, 489, "Bad Event",
                               &(struct mcx_sip_content){ .headers = "Allow-Events: presence\r\n" }) == MCX_OK;
    }
    md_view(&view, g->d->s, msg);
    view.expires = pub.expires;
    user = msrv_identify(g->d->srv, &view, mcx_clock_mono_ms());
    g->publication = user != NULL ? &g->publications[user - g->d->s->users] : NULL;
    if (user != NULL && pub.if_match.len > 0 && !matches(g->publication, pub.if_match)) {
        return mcx_sip_respond(g->d->sip, msg, 412, "Conditional Request Failed", NULL) == MCX_OK;
    }
    if (pub.if_match.len == 0 && msg->body.len == 0) { /* nothing is there that it could renew */
        return mcx_sip_respond(g->d->sip, msg, 400, "Invalid Request", NULL) == MCX_OK;
    }
    g->request = msg;
    step(g, &in);
    g->request = NULL;
    return true;
}

void md_groups_registered(struct md_groups *g, const char *mcptt_id)
{
    step(g, &(struct mcx_mgrp_in){ .event = MCX_MGRP_EV_REGISTERED, .user = mcptt_id });
}

bool md_groups_hang_up(struct md_groups *g)
{
    for (bool again = true; again;) {
        again = false;
        for (struct leg *leg = g->legs; leg != NULL; leg = leg->next) {
            if (leg->sip != NULL && !leg->ended) {
                leg->ended = true;
                mcx_sip_call_hangup(leg->sip, NULL);
                again = true; /* the list may have changed */
                break;
            }
        }
    }
    return g->legs != NULL;
}

bool md_groups_idle(const struct md_groups *g)
{
    return g->legs == NULL;
}

/* ---- documents ---- */

static int complain_of_document(const char *file, const struct mcx_refusal *why)
{
    char text[256];

    (void)snprintf(text, sizeof text, "no group document that can be used: %s (%s)",
                   why->reason != NULL ? why->reason : "", why->clause != NULL ? why->clause : "");
    return md_complain(EXIT_REFUSED, file, text);
}

int md_groups_load(struct md_groups *g)
{
    const struct md_settings *s = g->d->s;
    int rc = EXIT_DONE;

    for (size_t i = 0; i < s->num_group_docs; i++) {
        struct mcx_file file = { 0 };
        struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_GROUP };
        mcx_err err = mcx_file_read(&file, s->group_docs[i], MCX_GROUP_DOC_MAX, false);

        if (err != MCX_OK) {
            rc = md_complain(EXIT_ENVIRONMENT, s->group_docs[i], strerror(errno));
            continue;
        }
        in.body = mcx_bytes(file.p, file.len);
        err = one_step(g, &in);
        mcx_file_clear(&file);
        if (err != MCX_OK) {
            rc = complain_of_document(s->group_docs[i], &g->out.why);
        }
        go_on(g);
    }
    close_ended(g);
    return rc;
}

mcx_err md_groups_document(struct md_groups *g, const char *group, struct mcx_bytes xml, struct mcx_refusal *why)
{
    mcx_err err = one_step(g, &(struct mcx_mgrp_in){ .event = MCX_MGRP_EV_GROUP, .user = group, .body = xml });

    *why = g->out.why;
    go_on(g);
    close_ended(g);
    return err;
}

void md_groups_gone(struct md_groups *g, const char *group)
{
    step(g, &(struct mcx_mgrp_in){ .event = MCX_MGRP_EV_GROUP_GONE, .user = group });
}

int md_groups_open(struct md_groups **out, struct md_daemon *d)
{
    struct md_groups *g = calloc(1, sizeof *g);
    struct mcx_rng rng = mcx_rng_system();

    if (g == NULL) {
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    *out = g;
    g->d = d;
    g->config = (struct mcx_mgrp_config){ .srv = d->srv,
                                          .server = &d->config,
                                          .max_sessions = d->s->max_calls,
                                          .max_affiliation_s = d->s->max_expires_s,
                                          .has_channel = has_channel,
                                          .arg = g };
    g->publications = calloc(d->s->num_users + 1, sizeof *g->publications);
    if (g->publications == NULL || mcx_mgrp_new(&g->grp, &g->config, &rng) != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    return md_groups_load(g);
}

void md_groups_close(struct md_groups *g)
{
    if (g == NULL) {
        return;
    }
    mcx_timer_clear(&g->deadline);
    while (g->sessions != NULL) {
        close_session(g, g->sessions);
    }
    for (struct leg *leg = g->legs; leg != NULL; leg = leg->next) {
        leg->sip = NULL;
    }
    sweep(g);
    mcx_mgrp_free(g->grp);
    free(g->publications);
    free(g);
}
