/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-established sessions (TS 24.379 8.2.2, 8.4.2; TS 24.380 9.3). To the machine of the calls a callee who is reached
 * over his session looks like one who answers an INVITE: his Acknowledgement becomes the answer or the refusal.
 */
#include "mcx-mcpttd/preest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

#include "io/preest_port.h"
#include "proc/mcptt_preest.h"

enum { SDP_MAX = 16384 };

struct md_session {
    struct md_session *next;
    struct md_preest *owner;
    const struct mcx_msrv_user *user;
    struct mcx_sip_call *sip;
    struct mcx_preest_port *port;
    struct mcx_msrv_line audio;
    struct mcx_sdp_amrwb amrwb;
    uint8_t media_line, control_line;
    char id[MSRV_ID];
    /* of the call that uses it */
    struct md_leg *leg;
    uint8_t answer[SDP_MAX];
    size_t answer_len;
};

struct md_preest {
    struct md_daemon *d;
    struct md_session *sessions;
    struct mcx_timer check;
};

static void note(const struct md_session *s, const char *event, json_t *members)
{
    struct md_daemon *d = s->owner->d;

    (void)json_object_set_new(members, "user", md_clean(s->user->mcptt_id));
    mcx_tally_add(&d->tally, event);
    md_journal(d->s, event, members);
}

/* ---- from the sockets ---- */

static struct mcx_channel *channel_of(void *arg)
{
    const struct md_session *s = arg;

    return mcx_msrv_channel(s->owner->d->srv, s->user->mcptt_id, mcx_clock_mono_ms());
}

static void on_open(void *arg)
{
    struct md_session *s = arg;
    const struct mcx_msrv_sip answer = { .code = 200,
                                         .content_type = mcx_bytes_str(MCX_TYPE_SDP),
                                         .body = mcx_bytes(s->answer, s->answer_len) };

    note(s, "connect-acknowledged",
         json_pack("{s:I, s:i}", "call", (json_int_t)s->leg->call->id, "reason", (int)MCX_MCPC_ACCEPTED));
    md_call_event(s->leg, MCX_MSRV_EV_ANSWER, &answer);
}

static const char *phrase_of(uint16_t code)
{
    switch (code) {
    case 480: return "Temporarily Unavailable";
    case 486: return "Busy Here";
    default: return "Not Acceptable Here";
    }
}

/* The value of a Warning header, as it would come in a response. */
static struct mcx_bytes warning_value(char *out, size_t cap, const struct md_session *s, unsigned warning)
{
    static const char name[] = "Warning: ";

    if (warning == 0 || mcx_warning_write(out, cap, s->owner->d->s->host, (enum mcx_warning)warning, NULL) != MCX_OK ||
        strncmp(out, name, sizeof name - 1) != 0) {
        return mcx_bytes(NULL, 0);
    }
    return mcx_bytes_trim(mcx_bytes_str(out + sizeof name - 1));
}

static void on_failed(void *arg, bool no_answer, enum mcx_mcpc_reason reason)
{
    struct md_session *s = arg;
    struct md_leg *leg = s->leg;
    struct mcx_msrv_sip refusal = { .num_warnings = 0 };
    unsigned warning = 0;
    char line[256];

    mcx_preest_response(&refusal.code, &warning, no_answer, reason);
    refusal.reason = mcx_bytes_str(phrase_of(refusal.code));
    refusal.warning[0] = warning_value(line, sizeof line, s, warning);
    refusal.num_warnings = refusal.warning[0].len != 0 ? 1 : 0;
    if (no_answer) {
        note(s, "connect-unanswered", json_pack("{s:I}", "call", (json_int_t)leg->call->id));
    } else {
        note(s, "connect-acknowledged",
             json_pack("{s:I, s:i}", "call", (json_int_t)leg->call->id, "reason", (int)reason));
    }
    s->leg = NULL;
    leg->session = NULL;
    md_call_event(leg, MCX_MSRV_EV_REJECT, &refusal);
}

static void on_drop(void *arg, const char *reason)
{
    const struct md_session *s = arg;

    mcx_tally_add(&s->owner->d->tally, reason);
}

/* ---- the end of a session ---- */

static void session_free(struct md_session *s)
{
    struct md_session **at = &s->owner->sessions;
    struct mcx_preest_stats st = { 0 };

    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    mcx_preest_port_close(s->port, &st);
    note(s, "preestablished-ended",
         json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "session", s->id, "received", (json_int_t)st.received, "sent",
                   (json_int_t)st.sent, "dropped", (json_int_t)st.dropped, "client_packets",
                   (json_int_t)st.media.packets[0], "call_packets", (json_int_t)st.media.packets[1], "media_dropped",
                   (json_int_t)(st.media.dropped[0] + st.media.dropped[1])));
    free(s);
}

/* A call that used it ends with it (TS 24.379 8.4.2). */
static void session_end(struct md_session *s, const struct mcx_sip_msg *bye)
{
    struct md_leg *leg = s->leg;
    struct mcx_msrv_sip sip;

    s->leg = NULL;
    if (bye != NULL) {
        md_view(&sip, s->owner->d->s, bye);
    }
    if (leg != NULL) {
        leg->session = NULL;
        md_call_event(leg, MCX_MSRV_EV_GONE, bye != NULL ? &sip : NULL);
    }
    session_free(s);
}

static void on_sip(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct md_session *s = arg;

    switch (ev->event) {
    case MCX_SIP_CLOSED:
        session_end(s, ev->why == MCX_SIP_BY_BYE ? ev->msg : NULL);
        break;
    case MCX_SIP_OFFER: /* what was agreed on stays */
        (void)!mcx_sip_call_reject(call, 488, "Not Acceptable Here", NULL);
        break;
    default: break;
    }
}

/* Its ports go at once, whether or not the client has confirmed the dialog. */
static void session_hang_up(struct md_session *s)
{
    struct mcx_sip_call *sip = s->sip;

    mcx_sip_call_handler(sip, NULL, NULL);
    mcx_sip_call_hangup(sip, NULL);
    session_end(s, NULL);
}

static struct md_session *session_of(const struct md_preest *p, const char *mcptt_id)
{
    struct md_session *s = p->sessions;

    while (s != NULL && strcmp(s->user->mcptt_id, mcptt_id) != 0) {
        s = s->next;
    }
    return s;
}

static void check_now(void *arg)
{
    struct md_preest *p = arg;

    for (bool again = true; again;) {
        again = false;
        for (struct md_session *s = p->sessions; s != NULL; s = s->next) {
            if (channel_of(s) == NULL) {
                session_hang_up(s);
                again = true; /* the list has changed */
                break;
            }
        }
    }
}

void md_preest_check(struct md_preest *p)
{
    bool any = false;

    for (struct md_session *s = p->sessions; s != NULL; s = s->next) {
        any = any || channel_of(s) == NULL;
    }
    if (any && mcx_timer_start(&p->check, 0, check_now, p) != MCX_OK) { /* a session may be on the stack */
        md_journal(p->d->s, "out-of-memory", NULL);
    }
}

void md_preest_hang_up(struct md_preest *p)
{
    while (p->sessions != NULL) {
        session_hang_up(p->sessions);
    }
}

/* ---- setting one up ---- */

static uint64_t sdp_id(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms()).sec;
}

static mcx_err session_fill(struct md_session *s, const struct msrv_preest_setup *setup)
{
    struct md_daemon *d = s->owner->d;
    struct mcx_rng rng = mcx_rng_system();
    struct mcx_preest_port_config port = { .relay = d->relay,
                                           .channel = channel_of,
                                           .on_open = on_open,
                                           .on_failed = on_failed,
                                           .on_drop = on_drop,
                                           .arg = s };
    struct mcx_wr sdp = mcx_wr(s->answer, sizeof s->answer);
    struct mcx_sip_content content = { .contact_params = MCX_MCPTT_CONTACT_PARAMS,
                                       .contact_user = s->id,
                                       .content_type = MCX_TYPE_SDP };
    uint8_t octets[8];

    s->audio = setup->audio;
    s->amrwb = setup->amrwb;
    s->media_line = setup->media_line;
    s->control_line = setup->control_line;
    MCX_TRY(mcx_rng_fill(&rng, octets, sizeof octets));
    MCX_TRY(mcx_hex_write(s->id, sizeof s->id, mcx_bytes(octets, sizeof octets)));
    MCX_TRY(mcx_preest_port_open(&s->port, &port, &s->audio, &setup->control));
    MCX_TRY(msrv_preest_answer(&sdp, setup, mcx_relay_address(d->relay), s->audio.local[MCX_MSRV_CALLER].port,
                               mcx_preest_port_number(s->port), sdp_id()));
    content.body = mcx_wr_done(&sdp);
    return mcx_sip_call_answer(s->sip, &content);
}

static void refuse(struct md_preest *p, struct mcx_sip_call *sip, const struct msrv_verdict *v)
{
    struct mcx_sip_content content = { 0 };
    char line[512];

    if (v->warning != MCX_WARN_NONE &&
        mcx_warning_write(line, sizeof line, p->d->s->host, v->warning, v->warning_reason) == MCX_OK) {
        content.headers = line;
    }
    mcx_tally_add(&p->d->tally, "preestablished-refused");
    md_journal(p->d->s, "preestablished-refused",
               json_pack("{s:i, s:i, s:s}", "code", (int)v->code, "warning", (int)v->warning, "text",
                         v->warning_reason != NULL ? v->warning_reason : v->reason));
    (void)!mcx_sip_call_reject(sip, v->code, v->reason, &content);
}

/* One a user: a client that was started again does not know of the one before ("preest-one"). */
static struct md_session *session_new(struct md_preest *p, const struct mcx_msrv_user *user)
{
    struct md_session *old = session_of(p, user->mcptt_id);
    struct md_session *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    if (old != NULL) {
        session_hang_up(old);
    }
    *s = (struct md_session){ .next = p->sessions, .owner = p, .user = user };
    p->sessions = s;
    return s;
}

bool md_preest_invite(struct md_preest *p, struct mcx_sip_call *sip, const struct mcx_sip_msg *msg)
{
    static const struct msrv_verdict no_room = { 500, "Server Internal Error", MCX_WARN_NONE, NULL };
    struct msrv_preest_setup setup;
    struct mcx_msrv_sip view;
    struct msrv_verdict v;
    struct md_session *s;

    if (!msrv_preest_is(msg->ruri)) {
        return false;
    }
    md_view(&view, p->d->s, msg);
    v = p->d->stopping ? no_room : msrv_preest_read(&setup, p->d->srv, &view, mcx_clock_mono_ms());
    if (v.code != 0) {
        refuse(p, sip, &v);
        return true;
    }
    s = session_new(p, setup.user);
    if (s == NULL) {
        refuse(p, sip, &no_room);
        return true;
    }
    s->sip = sip;
    if (session_fill(s, &setup) != MCX_OK) {
        session_free(s);
        refuse(p, sip, &no_room);
        return true;
    }
    mcx_sip_call_handler(sip, on_sip, s);
    note(s, "preestablished",
         json_pack("{s:s, s:i}", "session", s->id, "control_port", (int)mcx_preest_port_number(s->port)));
    return true;
}

/* ---- calls ---- */

static mcx_err connect_call(struct md_session *s, const struct mcx_msrv_action *a)
{
    struct msrv_preest_offer offer;
    struct mcx_wr answer = mcx_wr(s->answer, sizeof s->answer);
    char session[MCX_PREEST_URI_MAX];
    struct mcx_preest_call call = { .session = session,
                                    .inviting_user = a->caller,
                                    .media_line = s->media_line,
                                    .control_line = s->control_line };
    int n = snprintf(session, sizeof session, "sip:%s@%s", a->contact_user, s->owner->d->s->host);

    if (n < 0 || (size_t)n >= sizeof session) {
        return MCX_E_SPACE;
    }
    MCX_TRY(msrv_preest_offer_read(&offer, &s->amrwb, mcx_bytes_str(a->content_type), a->body));
    MCX_TRY(msrv_preest_offer_answer(&answer, &offer, &s->amrwb, &s->audio.local[MCX_MSRV_CALLEE], sdp_id()));
    s->answer_len = answer.len;
    call.imessage = mcx_bytes(offer.imessage, offer.imessage_len);
    return mcx_preest_port_connect(s->port, &call, &offer.audio);
}

bool md_preest_connect(struct md_preest *p, struct md_leg *leg, const struct mcx_msrv_action *a)
{
    struct md_session *s = a->automatic ? session_of(p, a->callee) : NULL;

    if (s == NULL || s->leg != NULL || connect_call(s, a) != MCX_OK) {
        return false;
    }
    s->leg = leg;
    leg->session = s;
    note(s, "connect", json_pack("{s:I, s:s}", "call", (json_int_t)leg->call->id, "session", s->id));
    return true;
}

void md_preest_release(struct md_leg *leg)
{
    struct md_session *s = leg->session;

    leg->session = NULL;
    s->leg = NULL;
    mcx_preest_port_release(s->port);
}

/* ---- life ---- */

int md_preest_open(struct md_preest **out, struct md_daemon *d)
{
    struct md_preest *p = calloc(1, sizeof *p);

    if (p == NULL) {
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    p->d = d;
    *out = p;
    return EXIT_DONE;
}

void md_preest_close(struct md_preest *p)
{
    if (p == NULL) {
        return;
    }
    mcx_timer_clear(&p->check);
    while (p->sessions != NULL) {
        session_free(p->sessions);
    }
    free(p);
}
