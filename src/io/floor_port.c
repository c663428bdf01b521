/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/floor_port.h"

#include <stdlib.h>
#include <string.h>

#include "io/addr.h"
#include "io/control_port.h"

struct user {
    uint32_t id;
    char *mcptt_id;
    struct sockaddr_storage addr;
};

struct mcx_floor_port {
    struct mcx_floor_port_config config;
    struct mcx_control_port port;
    struct mcx_fsrv *srv;
    struct user *users;
    size_t num, cap;
    uint32_t ssrc; /* of unprotected messages */
    struct mcx_timer timer;
    uint64_t armed_ms; /* when it fires; UINT64_MAX = it does not run */
    struct mcx_floor_stats stats;
    struct mcx_fsrv_out out;
};

static struct user *find_user(const struct mcx_floor_port *p, uint32_t id)
{
    for (size_t i = 0; i < p->num; i++) {
        if (p->users[i].id == id) {
            return &p->users[i];
        }
    }
    return NULL;
}

static void drop(struct mcx_floor_port *p, const char *mcptt_id, const struct mcx_refusal *why)
{
    p->stats.dropped++;
    if (p->config.on_drop != NULL) {
        p->config.on_drop(p->config.arg, mcptt_id, why);
    }
}

/* ---- out ---- */

static mcx_err make_datagram(struct mcx_wr *out, struct mcx_floor_port *p, const struct user *to,
                             struct mcx_floor_msg *msg)
{
    uint8_t plain[MCX_FLOOR_MSG_MAX];
    struct mcx_wr wr = mcx_wr(plain, sizeof plain);
    struct mcx_channel *channel;
    struct mcx_control *control;

    if (!p->config.protect) {
        msg->ssrc = p->ssrc;
        return mcx_floor_write(out, msg);
    }
    channel = p->config.channel(p->config.arg, to->mcptt_id);
    control = channel != NULL ? mcx_channel_sender(channel) : NULL;
    if (control == NULL) {
        return MCX_E_NOKEY;
    }
    msg->ssrc = mcx_control_ssrc(control);
    MCX_TRY(mcx_floor_write(&wr, msg));
    return mcx_control_protect(control, out, mcx_wr_done(&wr));
}

static void send_to(struct mcx_floor_port *p, const struct user *to, const struct mcx_floor_msg *msg)
{
    uint8_t buf[MCX_RTP_SOCKET_MTU];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_floor_msg own = *msg;

    if (make_datagram(&wr, p, to, &own) != MCX_OK) {
        drop(p, to->mcptt_id, &(struct mcx_refusal){ "a message of ours could not be protected", "TS 24.380 13" });
        return;
    }
    if (mcx_control_port_send(&p->port, &to->addr, mcx_wr_done(&wr)) == MCX_OK) {
        p->stats.sent++;
    }
}

static void carry_out(struct mcx_floor_port *p, const struct mcx_fsrv_action *a)
{
    const struct user *u = find_user(p, a->id);

    switch (a->act) {
    case MCX_FS_SEND:
        if (u != NULL) {
            send_to(p, u, &a->msg);
        }
        break;
    case MCX_FS_SEND_OTHERS:
        for (size_t i = 0; i < p->num; i++) {
            if (p->users[i].id != a->id) {
                send_to(p, &p->users[i], &a->msg);
            }
        }
        break;
    case MCX_FS_INACTIVE: p->config.on_inactive(p->config.arg); break;
    case MCX_FS_NOTE: p->config.on_note(p->config.arg, a->note, u != NULL ? u->mcptt_id : "", a->cause); break;
    case MCX_FS_FORWARD: /* asked packet by packet */
    default: break;
    }
}

static void on_deadline(void *arg);

static void arm(struct mcx_floor_port *p)
{
    uint64_t at = mcx_fsrv_deadline(p->srv);
    uint64_t now;

    if (at == p->armed_ms) { /* most packets change nothing */
        return;
    }
    p->armed_ms = at;
    if (at == UINT64_MAX) {
        mcx_timer_stop(&p->timer);
        return;
    }
    now = mcx_clock_mono_ms();
    if (mcx_timer_start(&p->timer, at > now ? at - now : 0, on_deadline, p) != MCX_OK) {
        p->armed_ms = UINT64_MAX;
        drop(p, "", &(struct mcx_refusal){ "no memory for a timer", "" });
    }
}

static mcx_err step(struct mcx_floor_port *p, struct mcx_fsrv_in *in)
{
    mcx_err err;

    in->now_ms = mcx_clock_mono_ms();
    p->out.num = 0;
    err = mcx_fsrv_step(p->srv, in, &p->out);
    for (size_t i = 0; i < p->out.num; i++) {
        carry_out(p, &p->out.action[i]);
    }
    arm(p);
    return err;
}

static void on_deadline(void *arg)
{
    struct mcx_floor_port *p = arg;
    struct mcx_fsrv_in in = { .event = MCX_FS_TICK };

    p->armed_ms = UINT64_MAX;
    (void)!step(p, &in); /* a tick that comes early has no row */
}

/* ---- in ---- */

static void take_message(struct mcx_floor_port *p, const struct user *u, struct mcx_bytes message)
{
    struct mcx_refusal why = { 0 };
    struct mcx_floor_msg msg;
    struct mcx_fsrv_in in = { .event = MCX_FS_RX, .id = u->id, .msg = &msg };

    if (mcx_floor_read(&msg, message, &why) != MCX_OK) {
        drop(p, u->mcptt_id, &why);
        return;
    }
    p->stats.received++;
    if (step(p, &in) != MCX_OK) {
        drop(p, u->mcptt_id,
             &(struct mcx_refusal){ "the message does not fit the state of the floor", "TS 24.380 6.3.4.1" });
    }
}

/* Whose datagram is being taken. */
struct sender {
    struct mcx_floor_port *port;
    const struct user *user;
};

static struct mcx_channel *channel_of(void *arg)
{
    const struct sender *s = arg;

    return s->port->config.channel(s->port->config.arg, s->user->mcptt_id);
}

static void take_opened(void *arg, struct mcx_bytes message)
{
    const struct sender *s = arg;

    take_message(s->port, s->user, message);
}

/* Why a message of his was not opened; one in clear is told from noise. */
static void drop_sealed(void *arg, mcx_err err, struct mcx_bytes rest, const struct mcx_refusal *why)
{
    const struct mcx_refusal clear = { "a message in clear, and the call is protected", "TS 24.380 13" };
    const struct sender *s = arg;
    struct mcx_floor_msg msg;

    (void)err;
    drop(s->port, s->user->mcptt_id, mcx_floor_read(&msg, rest, NULL) == MCX_OK ? &clear : why);
}

static void take_protected(struct mcx_floor_port *p, const struct user *u, struct mcx_bytes datagram)
{
    struct sender sender = { p, u };
    const struct mcx_control_take take = { channel_of, take_opened, drop_sealed, &sender };

    mcx_control_port_take(&take, datagram);
}

static void on_datagram(void *arg, const struct sockaddr_storage *from, struct mcx_bytes datagram)
{
    struct mcx_floor_port *p = arg;

    for (size_t i = 0; i < p->num; i++) {
        if (!mcx_addr_equal(&p->users[i].addr, from)) {
            continue;
        }
        if (p->config.protect) {
            take_protected(p, &p->users[i], datagram);
        } else {
            take_message(p, &p->users[i], datagram);
        }
        return;
    }
    drop(p, "", &(struct mcx_refusal){ "it came from no participant's address", "" });
}

/* ---- participants ---- */

static mcx_err add_user(struct mcx_floor_port *p, uint32_t id, const char *mcptt_id,
                        const struct sockaddr_storage *addr)
{
    struct user u = { .id = id, .addr = *addr };

    if (p->num == p->cap) {
        size_t cap = p->cap == 0 ? 8 : p->cap * 2;
        struct user *more = realloc(p->users, cap * sizeof *more);

        if (more == NULL) {
            return MCX_E_NOMEM;
        }
        p->users = more;
        p->cap = cap;
    }
    u.mcptt_id = strdup(mcptt_id);
    if (u.mcptt_id == NULL) {
        return MCX_E_NOMEM;
    }
    p->users[p->num++] = u;
    return MCX_OK;
}

static void remove_user(struct mcx_floor_port *p, uint32_t id)
{
    struct user *u = find_user(p, id);

    if (u != NULL) {
        free(u->mcptt_id);
        *u = p->users[--p->num];
    }
}

mcx_err mcx_floor_port_join(struct mcx_floor_port *port, const struct mcx_fsrv_participant *who, const char *host,
                            uint16_t number, bool implicit_request)
{
    struct mcx_fsrv_in in = { .event = MCX_FS_JOIN, .participant = who, .id = who->id,
                              .implicit_request = implicit_request };
    struct sockaddr_storage addr;
    struct user *known = find_user(port, who->id);
    mcx_err err;

    MCX_TRY(mcx_addr_make(&addr, host, number));
    if (addr.ss_family != port->port.local.ss_family) {
        return MCX_E_ARG; /* the socket is of one family */
    }
    if (known != NULL) {
        known->addr = addr;
        return MCX_OK;
    }
    MCX_TRY(add_user(port, who->id, who->mcptt_id, &addr));
    err = step(port, &in);
    if (err != MCX_OK) {
        remove_user(port, who->id);
    }
    return err;
}

void mcx_floor_port_leave(struct mcx_floor_port *port, uint32_t id)
{
    struct mcx_fsrv_in in = { .event = MCX_FS_LEAVE, .id = id };

    if (find_user(port, id) != NULL) {
        remove_user(port, id);
        (void)!step(port, &in);
    }
}

void mcx_floor_port_call_type(struct mcx_floor_port *port, uint16_t indicator)
{
    struct mcx_fsrv_in in = { .event = MCX_FS_CALL_TYPE, .indicator = indicator };

    (void)!step(port, &in);
}

const char *mcx_floor_port_user(const struct mcx_floor_port *port, uint32_t id)
{
    const struct user *u = find_user(port, id);

    return u != NULL ? u->mcptt_id : "";
}

bool mcx_floor_port_media(struct mcx_floor_port *port, uint32_t id, uint32_t ssrc)
{
    struct mcx_fsrv_in in = { .event = MCX_FS_RTP, .id = id, .ssrc = ssrc };

    return step(port, &in) == MCX_OK && mcx_fsrv_may_talk(port->srv, id);
}

/* ---- life ---- */

uint16_t mcx_floor_port_number(const struct mcx_floor_port *port)
{
    return mcx_control_port_number(&port->port);
}

mcx_err mcx_floor_port_open(struct mcx_floor_port **out, const struct mcx_floor_port_config *config)
{
    struct mcx_floor_port *p = calloc(1, sizeof *p);
    struct mcx_rng rng = mcx_rng_system();
    mcx_err err = MCX_OK;

    if (p == NULL) {
        return MCX_E_NOMEM;
    }
    p->config = *config;
    p->armed_ms = UINT64_MAX;
    p->port = (struct mcx_control_port){ .relay = config->relay, .on_datagram = on_datagram, .arg = p };
    MCX_GO(err, mcx_rng_fill(&rng, &p->ssrc, sizeof p->ssrc));
    MCX_GO(err, mcx_fsrv_new(&p->srv, &config->floor));
    MCX_GO(err, mcx_control_port_open(&p->port));
    *out = p;
    return MCX_OK;
out:
    mcx_floor_port_close(p, NULL);
    return err;
}

void mcx_floor_port_close(struct mcx_floor_port *port, struct mcx_floor_stats *stats)
{
    if (port == NULL) {
        return;
    }
    if (stats != NULL) {
        *stats = port->stats;
    }
    mcx_timer_clear(&port->timer);
    mcx_control_port_close(&port->port);
    while (port->num > 0) {
        remove_user(port, port->users[0].id);
    }
    free(port->users);
    mcx_fsrv_free(port->srv);
    free(port);
}
