/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/preest_port.h"

#include <stdlib.h>
#include <string.h>

#include "io/addr.h"
#include "io/control_port.h"

struct clock {
    struct mcx_preest_port *port;
    enum mcx_preest_timer which;
    struct mcx_timer timer;
};

struct mcx_preest_port {
    struct mcx_preest_port_config config;
    struct mcx_preest *machine;
    struct mcx_relay_call *media;
    struct mcx_msrv_line audio; /* remote: of the call that is being connected */
    struct mcx_control_port port;
    struct sockaddr_storage client;
    struct clock clocks[MCX_PE_NUM_TIMERS];
    struct mcx_preest_stats stats;
};

static void drop(struct mcx_preest_port *p, const char *reason)
{
    p->stats.dropped++;
    p->config.on_drop(p->config.arg, reason);
}

/* ---- out ---- */

static mcx_err make_datagram(struct mcx_wr *out, const struct mcx_preest_port *p, const struct mcx_mcpc_msg *msg)
{
    struct mcx_channel *channel = p->config.channel(p->config.arg);
    struct mcx_control *control = channel != NULL ? mcx_channel_sender(channel) : NULL;
    uint8_t plain[MCX_RTP_SOCKET_MTU];
    struct mcx_wr wr = mcx_wr(plain, sizeof plain);
    struct mcx_mcpc_msg own = *msg;

    if (control == NULL) {
        return MCX_E_NOKEY;
    }
    own.ssrc = mcx_control_ssrc(control);
    MCX_TRY(mcx_mcpc_write(&wr, &own));
    return mcx_control_protect(control, out, mcx_wr_done(&wr));
}

static mcx_err send_message(struct mcx_preest_port *p, const struct mcx_mcpc_msg *msg)
{
    uint8_t buf[MCX_RTP_SOCKET_MTU];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    MCX_TRY(make_datagram(&wr, p, msg));
    MCX_TRY(mcx_control_port_send(&p->port, &p->client, mcx_wr_done(&wr)));
    p->stats.sent++;
    return MCX_OK;
}

/* ---- the machine ---- */

static void on_clock(void *arg);

static void timer_start(struct mcx_preest_port *p, const struct mcx_preest_action *a)
{
    struct clock *clock = &p->clocks[a->timer];

    if (mcx_timer_start(&clock->timer, a->delay_ms, on_clock, clock) != MCX_OK) {
        drop(p, "no memory for a timer");
    }
}

/* Media between the client and the call, or none. */
static void media_pass(struct mcx_preest_port *p, bool pass)
{
    struct mcx_msrv_line line = p->audio;

    if (!pass) {
        line.remote = (struct mcx_msrv_port){ .port = 0 };
    }
    if (mcx_relay_peer(p->media, MCX_MSRV_CALLEE, &line, 1) != MCX_OK) {
        drop(p, "media address of a call that cannot be used");
    }
}

static mcx_err carry_out(struct mcx_preest_port *p, const struct mcx_preest_action *a)
{
    switch (a->act) {
    case MCX_PE_SEND: return send_message(p, &a->msg);
    case MCX_PE_START_TIMER: timer_start(p, a); break;
    case MCX_PE_STOP_TIMER: mcx_timer_stop(&p->clocks[a->timer].timer); break;
    case MCX_PE_OPEN:
        media_pass(p, true);
        p->config.on_open(p->config.arg);
        break;
    case MCX_PE_FAILED: p->config.on_failed(p->config.arg, a->no_answer, a->reason); break;
    }
    return MCX_OK;
}

/* Callbacks come last in every row, and may release the call: the actions are this step's own. */
static mcx_err step(struct mcx_preest_port *p, const struct mcx_preest_in *in)
{
    struct mcx_preest_out out;
    mcx_err err = mcx_preest_step(p->machine, in, &out);

    for (size_t i = 0; err == MCX_OK && i < out.num; i++) {
        if (carry_out(p, &out.action[i]) != MCX_OK) {
            drop(p, "control message that could not be sent"); /* sent again by its timer */
        }
    }
    return err;
}

static void on_clock(void *arg)
{
    const struct clock *clock = arg;
    const struct mcx_preest_in in = { .event = MCX_PE_TIMER, .timer = clock->which };

    (void)!step(clock->port, &in);
}

/* ---- in ---- */

static struct mcx_channel *channel_of(void *arg)
{
    const struct mcx_preest_port *p = arg;

    return p->config.channel(p->config.arg);
}

static void take_message(void *arg, struct mcx_bytes message)
{
    struct mcx_preest_port *p = arg;
    struct mcx_mcpc_msg msg;
    const struct mcx_preest_in in = { .event = MCX_PE_RX, .msg = &msg };

    if (mcx_mcpc_read(&msg, message, NULL) != MCX_OK) {
        drop(p, "control message that is none");
        return;
    }
    p->stats.received++;
    if (step(p, &in) == MCX_E_STATE) {
        drop(p, "control message that does not fit the state");
    }
}

static const char *why_dropped(mcx_err err)
{
    switch (err) {
    case MCX_E_REPLAY: return "control message again";
    case MCX_E_NOKEY: return "control message under another key, or plain";
    default: return "control message that is not authentic";
    }
}

static void drop_sealed(void *arg, mcx_err err, struct mcx_bytes rest, const struct mcx_refusal *why)
{
    (void)rest;
    (void)why;
    drop(arg, why_dropped(err));
}

/* Who sent it is told by the key alone. */
static void on_datagram(void *arg, const struct sockaddr_storage *from, struct mcx_bytes datagram)
{
    const struct mcx_control_take take = { channel_of, take_message, drop_sealed, arg };

    (void)from;
    mcx_control_port_take(&take, datagram);
}

/* ---- calls ---- */

/* As the machine will send it: better to know now that it fits a datagram. */
static mcx_err room_check(const struct mcx_preest_port *p, const struct mcx_preest_call *call)
{
    const size_t around = 128; /* headers of message and fields, padding, index, MKI and tag */

    if (call->imessage.len + strlen(call->session) + strlen(call->inviting_user) + around > MCX_RTP_SOCKET_MTU) {
        return MCX_E_SPACE;
    }
    if (p->config.channel(p->config.arg) == NULL || mcx_channel_sender(p->config.channel(p->config.arg)) == NULL) {
        return MCX_E_NOKEY;
    }
    return MCX_OK;
}

mcx_err mcx_preest_port_connect(struct mcx_preest_port *port, const struct mcx_preest_call *call,
                                const struct mcx_msrv_line *audio)
{
    const struct mcx_preest_in in = { .event = MCX_PE_SETUP, .call = call };

    if (mcx_preest_state(port->machine) != MCX_PE_NOT_IN_USE) {
        return MCX_E_STATE;
    }
    MCX_TRY(room_check(port, call));
    port->audio.remote = audio->remote;
    return step(port, &in);
}

void mcx_preest_port_release(struct mcx_preest_port *port)
{
    const struct mcx_preest_in in = { .event = MCX_PE_RELEASE };

    media_pass(port, false);
    (void)!step(port, &in); /* over already, when the client refused */
}

/* ---- life ---- */

uint16_t mcx_preest_port_number(const struct mcx_preest_port *port)
{
    return mcx_control_port_number(&port->port);
}

static mcx_err sockets_open(struct mcx_preest_port *p, struct mcx_msrv_line *audio, const struct mcx_msrv_port *control)
{
    MCX_TRY(mcx_relay_open(&p->media, p->config.relay, audio, 1));
    p->audio = *audio;
    MCX_TRY(mcx_control_port_open(&p->port));
    MCX_TRY(mcx_addr_make(&p->client, control->host, control->port));
    if (p->client.ss_family != p->port.local.ss_family) {
        return MCX_E_ARG; /* the sockets are of one family */
    }
    return MCX_OK;
}

mcx_err mcx_preest_port_open(struct mcx_preest_port **out, const struct mcx_preest_port_config *config,
                             struct mcx_msrv_line *audio, const struct mcx_msrv_port *control)
{
    static const uint32_t timers[MCX_PE_NUM_TIMERS] = { 0 };
    struct mcx_preest_port *p = calloc(1, sizeof *p);
    mcx_err err = MCX_OK;

    if (p == NULL) {
        return MCX_E_NOMEM;
    }
    p->config = *config;
    p->port = (struct mcx_control_port){ .relay = config->relay, .on_datagram = on_datagram, .arg = p };
    for (size_t i = 0; i < MCX_PE_NUM_TIMERS; i++) {
        p->clocks[i].port = p;
        p->clocks[i].which = (enum mcx_preest_timer)i;
    }
    MCX_GO(err, mcx_preest_new(&p->machine, timers));
    MCX_GO(err, sockets_open(p, audio, control));
    *out = p;
    return MCX_OK;
out:
    mcx_preest_port_close(p, NULL);
    return err;
}

void mcx_preest_port_close(struct mcx_preest_port *port, struct mcx_preest_stats *stats)
{
    if (port == NULL) {
        return;
    }
    for (size_t i = 0; i < MCX_PE_NUM_TIMERS; i++) {
        mcx_timer_clear(&port->clocks[i].timer);
    }
    mcx_control_port_close(&port->port);
    mcx_relay_close(port->media, &port->stats.media);
    if (stats != NULL) {
        *stats = port->stats;
    }
    mcx_preest_free(port->machine);
    free(port);
}
