/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floor control of a call: the participant's state machine (TS 24.380 6.2.4) between the talk button, the floor control
 * line and the microphone. Messages are SRTCP under the CSK of the registration; plain ones count only where the group
 * document says so, and then only from the server's address.
 */
#define _GNU_SOURCE
#include "ue.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <mcx/floor_participant.h>

#include "drops.h"
#include "io/rtp_socket.h"

struct ue_talk_timer {
    struct mcx_timer timer;
    struct ue_talk *talk;
    enum mcx_fpart_timer which;
};

struct ue_talk {
    struct ue_talk_config config;
    struct mcx_rtp_socket *socket;
    struct mcx_watch watch;
    struct ue_talk_timer timers[MCX_FP_NUM_TIMERS];
    uint64_t refused; /* of the last call */
    struct ue_drops drops;
    /* of the present call */
    struct mcx_fpart *part; /* NULL = no call with floor control */
    struct mcx_channel *channel;
    uint32_t plain_ssrc;
    struct sockaddr_storage remote;
    socklen_t remote_len;
};

static mcx_err step(struct ue_talk *t, struct mcx_fpart_in in);

/* ---- sent ---- */

static mcx_err message_send(struct ue_talk *t, const struct mcx_floor_msg *msg)
{
    uint8_t plain[MCX_FLOOR_MSG_MAX];
    uint8_t sealed[MCX_RTP_SOCKET_MTU];
    struct mcx_wr plain_wr = mcx_wr(plain, sizeof plain);
    struct mcx_wr sealed_wr = mcx_wr(sealed, sizeof sealed);
    struct mcx_control *control = t->channel == NULL ? NULL : mcx_channel_sender(t->channel);
    struct mcx_floor_msg own = *msg;

    if (t->channel != NULL && control == NULL) {
        return MCX_E_NOKEY;
    }
    own.ssrc = control == NULL ? t->plain_ssrc : mcx_control_ssrc(control);
    MCX_TRY(mcx_floor_write(&plain_wr, &own));
    if (control != NULL) {
        MCX_TRY(mcx_control_protect(control, &sealed_wr, mcx_wr_done(&plain_wr)));
        plain_wr = sealed_wr;
    }
    return mcx_rtp_socket_send(t->socket, MCX_RTP, (const struct sockaddr *)&t->remote, t->remote_len,
                               mcx_wr_done(&plain_wr));
}

/* ---- told ---- */

static void sentence_of(char *out, size_t cap, const struct mcx_fpart_action *a, const char *talker)
{
    const char *text = a->text == NULL ? "" : a->text;

    switch (a->note) {
    case MCX_FP_NOTE_IDLE: (void)snprintf(out, cap, "Nobody speaks"); break;
    case MCX_FP_NOTE_TAKEN: (void)snprintf(out, cap, "%s speaks", talker[0] == '\0' ? "Somebody" : talker); break;
    case MCX_FP_NOTE_GRANTED: (void)snprintf(out, cap, "You have the floor: speak"); break;
    case MCX_FP_NOTE_DENIED: (void)snprintf(out, cap, "You do not get the floor: %s", text); break;
    case MCX_FP_NOTE_REVOKED: (void)snprintf(out, cap, "The floor was taken from you: %s", text); break;
    case MCX_FP_NOTE_QUEUED: (void)snprintf(out, cap, "You wait for the floor"); break;
    case MCX_FP_NOTE_RELEASED: (void)snprintf(out, cap, "You have given the floor back"); break;
    case MCX_FP_NOTE_NO_ANSWER: (void)snprintf(out, cap, "The server does not answer about the floor"); break;
    }
}

static void tell(struct ue_talk *t, const struct mcx_fpart_action *a)
{
    char talker[MCX_MCPTT_VALUE_MAX] = "";
    char sentence[MCX_MCPTT_VALUE_MAX + 64];

    if (mcx_bytes_cstr(talker, sizeof talker, a->talker) != MCX_OK) {
        talker[0] = '\0';
    }
    sentence_of(sentence, sizeof sentence, a, talker);
    ue_report(t->config.json, "floor", sentence, "{s:s, s:s, s:i, s:i, s:i, s:i, s:b}", "state",
              mcx_fpart_note_name(a->note), "talker", talker, "position", (int)a->position, "cause", (int)a->cause,
              "duration_s", (int)a->duration_s, "indicator", (int)a->indicator, "may_request", (int)a->may_request);
    if (a->note == MCX_FP_NOTE_TAKEN && t->config.on_talker != NULL) {
        t->config.on_talker(t->config.arg, talker);
    }
    if (t->config.on_note != NULL) {
        t->config.on_note(t->config.arg, a->note);
    }
}

/* ---- the machine ---- */

static void on_timer(void *arg)
{
    struct ue_talk_timer *timer = arg;

    (void)step(timer->talk, (struct mcx_fpart_in){ .event = MCX_FP_TIMER, .timer = timer->which });
}

static void act(struct ue_talk *t, const struct mcx_fpart_action *a)
{
    mcx_err err = MCX_OK;

    switch (a->act) {
    case MCX_FP_SEND: err = message_send(t, &a->msg); break;
    case MCX_FP_TALK: t->config.on_mic(t->config.arg, true); break;
    case MCX_FP_STOP_TALK: t->config.on_mic(t->config.arg, false); break;
    case MCX_FP_START_TIMER:
        err = mcx_timer_start(&t->timers[a->timer].timer, a->delay_ms, on_timer, &t->timers[a->timer]);
        break;
    case MCX_FP_STOP_TIMER: mcx_timer_stop(&t->timers[a->timer].timer); break;
    case MCX_FP_TELL: tell(t, a); break;
    }
    if (err != MCX_OK && err != MCX_E_IO) { /* a datagram that is lost is sent again */
        ue_complain("floor control", err, NULL);
    }
}

/* @retval MCX_E_STATE no row: dropped */
static mcx_err step(struct ue_talk *t, struct mcx_fpart_in in)
{
    struct mcx_fpart_out out = { .num = 0 };

    in.now_ms = mcx_clock_mono_ms();
    if (t->part == NULL) {
        return MCX_E_STATE;
    }
    MCX_TRY(mcx_fpart_step(t->part, &in, &out));
    for (size_t i = 0; i < out.num; i++) {
        act(t, &out.action[i]);
    }
    return MCX_OK;
}

/* ---- received ---- */

static bool from_server(const struct ue_talk *t, const struct sockaddr_storage *from)
{
    return memcmp(from, &t->remote, t->remote_len) == 0;
}

/* The next message of a datagram, in clear (TS 24.380 8.1.1); with NULL for the channel there is one alone. */
static mcx_err message_open(struct ue_talk *t, struct mcx_wr *plain, struct mcx_rd *rd, struct mcx_refusal *why)
{
    struct mcx_bytes all;

    if (t->channel != NULL) {
        return mcx_channel_take(t->channel, plain, rd, why);
    }
    MCX_TRY(mcx_rd_take(rd, rd->len, &all));
    return mcx_wr_put(plain, all);
}

static mcx_err message_take(struct ue_talk *t, struct mcx_rd *rd, struct mcx_refusal *why)
{
    uint8_t buf[MCX_RTP_SOCKET_MTU];
    struct mcx_wr plain = mcx_wr(buf, sizeof buf);
    struct mcx_floor_msg msg;

    MCX_TRY(message_open(t, &plain, rd, why));
    MCX_TRY(mcx_floor_read(&msg, mcx_wr_done(&plain), why));
    if (step(t, (struct mcx_fpart_in){ .event = MCX_FP_RX, .msg = &msg }) != MCX_OK) {
        return mcx_refuse(why, MCX_E_STATE, "the message does not fit the state of the floor", "TS 24.380 6.2.4");
    }
    return MCX_OK;
}

static mcx_err call_check(const struct ue_talk *t, const struct sockaddr_storage *from, struct mcx_refusal *why)
{
    if (t->part == NULL) {
        return mcx_refuse(why, MCX_E_STATE, "no call with floor control is open", "TS 24.380 6.2.4.2");
    }
    if (t->channel == NULL && !from_server(t, from)) {
        return mcx_refuse(why, MCX_E_POLICY, "a message in clear that is not from the server", "TS 24.380 6.2.4");
    }
    return MCX_OK;
}

/* A datagram may hold several messages (TS 24.380 8.1.1). */
static void datagram_take(struct ue_talk *t, struct mcx_bytes datagram, const struct sockaddr_storage *from)
{
    struct mcx_rd rd = mcx_rd(datagram);
    size_t left = 0;

    do {
        struct mcx_refusal why = { 0 };
        mcx_err err = call_check(t, from, &why);

        left = rd.len;
        err = err == MCX_OK ? message_take(t, &rd, &why) : err;
        if (err != MCX_OK) {
            ue_drops_add(&t->drops, err, &why);
        }
    } while (rd.len > 0 && rd.len < left); /* else its end cannot be found */
}

static void on_ready(void *arg)
{
    struct ue_talk *t = arg;
    uint8_t buf[MCX_RTP_SOCKET_MTU];

    for (;;) {
        struct sockaddr_storage from = { 0 };
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_rtp_socket_recv(t->socket, MCX_RTP, &wr, &from);

        if (err == MCX_E_STATE || err == MCX_E_IO) {
            return;
        }
        if (err == MCX_OK) {
            datagram_take(t, mcx_wr_done(&wr), &from);
        } else {
            ue_drops_add(&t->drops, err, &ue_drop_too_long);
        }
    }
}

/* ---- the user, and media ---- */

void ue_talk_push(struct ue_talk *t)
{
    (void)step(t, (struct mcx_fpart_in){ .event = MCX_FP_PUSH });
}

void ue_talk_release(struct ue_talk *t)
{
    (void)step(t, (struct mcx_fpart_in){ .event = MCX_FP_RELEASE });
}

void ue_talk_ask_position(struct ue_talk *t)
{
    (void)step(t, (struct mcx_fpart_in){ .event = MCX_FP_ASK_POSITION });
}

void ue_talk_heard(struct ue_talk *t)
{
    (void)step(t, (struct mcx_fpart_in){ .event = MCX_FP_RTP });
}

void ue_talk_set_priority(struct ue_talk *t, uint8_t priority, uint16_t indicator)
{
    if (t->part != NULL) {
        mcx_fpart_set_priority(t->part, priority, indicator);
    }
}

/* ---- one call ---- */

mcx_err ue_address_read(struct sockaddr_storage *out, socklen_t *len, const char *address, uint16_t port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    char service[8];

    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        return MCX_E_FORMAT; /* names are not looked up: the server gives its address */
    }
    memset(out, 0, sizeof *out);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return MCX_OK;
}

mcx_err ue_talk_start(struct ue_talk *t, const struct ue_talk_params *params)
{
    const struct mcx_fpart_config config = { .priority = params->priority,
                                             .queueing = params->queueing,
                                             .indicator = params->indicator };
    const struct mcx_rng rng = mcx_rng_system();

    ue_talk_stop(t);
    MCX_TRY(ue_address_read(&t->remote, &t->remote_len, params->address, params->port));
    MCX_TRY(mcx_rng_fill(&rng, &t->plain_ssrc, sizeof t->plain_ssrc));
    MCX_TRY(mcx_fpart_new(&t->part, &config));
    t->channel = params->channel;
    ue_drops_tell(&t->drops);
    (void)step(t, (struct mcx_fpart_in){ .event = MCX_FP_CALL_STARTED,
                                         .implicit_request = params->implicit_request,
                                         .granted = params->granted });
    return MCX_OK;
}

void ue_talk_stop(struct ue_talk *t)
{
    if (t->part == NULL) {
        return;
    }
    (void)step(t, (struct mcx_fpart_in){ .event = MCX_FP_CALL_RELEASING });
    (void)step(t, (struct mcx_fpart_in){ .event = MCX_FP_CALL_RELEASED });
    for (size_t i = 0; i < MCX_FP_NUM_TIMERS; i++) {
        mcx_timer_stop(&t->timers[i].timer);
    }
    mcx_fpart_free(t->part);
    t->part = NULL;
    t->channel = NULL;
    t->refused = ue_drops_total(&t->drops);
    ue_drops_tell(&t->drops);
}

uint64_t ue_talk_refused(const struct ue_talk *t)
{
    return t->refused;
}

/* ---- life ---- */

mcx_err ue_talk_new(struct ue_talk **out, const struct ue_talk_config *config)
{
    struct ue_talk *t = calloc(1, sizeof *t);
    mcx_err err = MCX_OK;

    if (t == NULL) {
        return MCX_E_NOMEM;
    }
    t->config = *config;
    t->drops = ue_drops("floor", config->json);
    t->watch.fd = -1;
    for (size_t i = 0; i < MCX_FP_NUM_TIMERS; i++) {
        t->timers[i].talk = t;
        t->timers[i].which = (enum mcx_fpart_timer)i;
    }
    MCX_GO(err, mcx_rtp_socket_open(&t->socket, config->address, 0, 0));
    t->watch = (struct mcx_watch){ mcx_rtp_socket_fd(t->socket, MCX_RTP), on_ready, t };
    MCX_GO(err, mcx_loop_watch(&t->watch));
    *out = t;
    return MCX_OK;
out:
    t->watch.fd = -1;
    ue_talk_free(t);
    return err;
}

void ue_talk_free(struct ue_talk *t)
{
    if (t == NULL) {
        return;
    }
    ue_talk_stop(t);
    for (size_t i = 0; i < MCX_FP_NUM_TIMERS; i++) {
        mcx_timer_clear(&t->timers[i].timer);
    }
    if (t->watch.fd >= 0) {
        mcx_loop_unwatch(&t->watch);
    }
    mcx_rtp_socket_close(t->socket);
    free(t);
}

uint16_t ue_talk_port(const struct ue_talk *t)
{
    return mcx_rtp_socket_port(t->socket, MCX_RTP);
}
