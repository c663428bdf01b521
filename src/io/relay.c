/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/relay.h"

#include <stdlib.h>
#include <string.h>

#include "io/addr.h"
#include "io/pcap.h"

#define BURST 64 /* datagrams a wake-up, so that one busy socket does not starve the rest */

struct mcx_relay {
    struct mcx_relay_config config;
    char address[MCX_MSRV_HOST_MAX];
    struct mcx_pcap *pcap;
    uint16_t next_port; /* where the next search for a free pair begins */
};

/* One socket: what it watches and where its side is. */
struct port {
    struct mcx_watch watch;
    bool watched;
    struct leg *leg;
    enum mcx_rtp_channel channel;
    struct sockaddr_storage local;
    struct sockaddr_storage remote;
    bool has_remote;
    bool latched; /* symmetric: the first packet has come */
};

struct leg {
    struct mcx_relay_call *call;
    struct leg *other;
    enum mcx_msrv_side side;
    struct mcx_rtp_socket *socket;
    struct port port[2]; /* by channel */
};

struct mcx_relay_call {
    struct mcx_relay *relay;
    struct leg leg[MCX_SDP_MAX_MEDIA][2];
    size_t num;
    bool (*may_pass)(void *arg, enum mcx_msrv_side side, uint32_t ssrc);
    void *may_pass_arg;
    struct mcx_relay_stats stats;
};

mcx_err mcx_relay_new(struct mcx_relay **out, const struct mcx_relay_config *config)
{
    struct sockaddr_storage check;
    struct mcx_relay *relay;
    mcx_err err = MCX_OK;

    if (strlen(config->address) >= MCX_MSRV_HOST_MAX || config->port_min % 2 != 0 ||
        config->port_min > config->port_max) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_addr_make(&check, config->address, 0));
    relay = calloc(1, sizeof *relay);
    if (relay == NULL) {
        return MCX_E_NOMEM;
    }
    relay->config = *config;
    memcpy(relay->address, config->address, strlen(config->address) + 1);
    relay->next_port = config->port_min;
    if (config->capture != NULL) {
        err = mcx_pcap_open(&relay->pcap, config->capture);
    }
    if (err != MCX_OK) {
        free(relay);
        return err;
    }
    *out = relay;
    return MCX_OK;
}

void mcx_relay_free(struct mcx_relay *relay)
{
    if (relay != NULL) {
        mcx_pcap_close(relay->pcap);
        free(relay);
    }
}

/* A capture that cannot be written is given up; the call is worth more. */
void mcx_relay_capture(struct mcx_relay *relay, const struct sockaddr_storage *from, const struct sockaddr_storage *to,
                       struct mcx_bytes datagram)
{
    if (relay->pcap != NULL &&
        mcx_pcap_udp(relay->pcap, (const struct sockaddr *)from, (const struct sockaddr *)to, datagram) == MCX_E_IO) {
        mcx_pcap_close(relay->pcap);
        relay->pcap = NULL;
    }
}

const char *mcx_relay_address(const struct mcx_relay *relay)
{
    return relay->address;
}

static bool may_send(struct port *port, const struct sockaddr_storage *from)
{
    if (port->leg->call->relay->config.symmetric && !port->latched && port->has_remote) {
        port->latched = true;
        port->remote = *from;
        port->has_remote = true;
    }
    return port->has_remote && mcx_addr_equal(&port->remote, from);
}

/* Before the floor is asked it must be RTP (RFC 3550 5.1). */
static bool holds_floor(const struct port *port, struct mcx_bytes datagram)
{
    const struct mcx_relay_call *call = port->leg->call;
    struct mcx_rd rd = mcx_rd(datagram);
    struct mcx_bytes head;
    uint32_t ssrc = 0;

    if (call->may_pass == NULL || port->channel != MCX_RTP) {
        return true;
    }
    return mcx_rd_take(&rd, 8, &head) == MCX_OK && head.p[0] >> 6 == 2 && mcx_rd_u32(&rd, &ssrc) == MCX_OK &&
           call->may_pass(call->may_pass_arg, port->leg->side, ssrc);
}

static void forward(struct port *port, const struct sockaddr_storage *from, struct mcx_bytes datagram)
{
    struct leg *leg = port->leg;
    struct mcx_relay_stats *stats = &leg->call->stats;
    const struct port *exit = &leg->other->port[port->channel];

    mcx_relay_capture(leg->call->relay, from, &port->local, datagram);
    if (!may_send(port, from)) {
        stats->dropped[leg->side]++;
        return;
    }
    if (!holds_floor(port, datagram)) {
        stats->refused[leg->side]++;
        return;
    }
    if (!exit->has_remote ||
        mcx_rtp_socket_send(leg->other->socket, port->channel, (const struct sockaddr *)&exit->remote,
                            mcx_addr_len(&exit->remote), datagram) != MCX_OK) {
        stats->dropped[leg->side]++;
        return;
    }
    mcx_relay_capture(leg->call->relay, &exit->local, &exit->remote, datagram);
    stats->packets[leg->side]++;
    stats->octets[leg->side] += datagram.len;
}

static void on_readable(void *arg)
{
    struct port *port = arg;
    uint8_t buf[MCX_RTP_SOCKET_MTU];
    struct sockaddr_storage from;

    for (size_t i = 0; i < BURST; i++) {
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_rtp_socket_recv(port->leg->socket, port->channel, &wr, &from);

        if (err == MCX_E_STATE) {
            return;
        }
        if (err == MCX_OK) {
            forward(port, &from, mcx_wr_done(&wr));
        }
    }
}

/* The search for free ports goes round, so that a port just given back rests for a while. */
mcx_err mcx_relay_socket(struct mcx_rtp_socket **out, struct mcx_relay *relay)
{
    const struct mcx_relay_config *c = &relay->config;
    mcx_err err = mcx_rtp_socket_open(out, relay->address, relay->next_port, c->port_max);

    if (err == MCX_E_IO && relay->next_port != c->port_min) {
        err = mcx_rtp_socket_open(out, relay->address, c->port_min, c->port_max);
    }
    if (err == MCX_OK && c->port_min != 0) {
        uint32_t next = (uint32_t)mcx_rtp_socket_port(*out, MCX_RTP) + 2;

        relay->next_port = next + 1 > c->port_max ? c->port_min : (uint16_t)next;
    }
    return err;
}

static mcx_err open_port(struct leg *leg, enum mcx_rtp_channel channel)
{
    struct port *port = &leg->port[channel];

    port->leg = leg;
    port->channel = channel;
    MCX_TRY(mcx_addr_make(&port->local, leg->call->relay->address, mcx_rtp_socket_port(leg->socket, channel)));
    port->watch = (struct mcx_watch){ mcx_rtp_socket_fd(leg->socket, channel), on_readable, port };
    MCX_TRY(mcx_loop_watch(&port->watch));
    port->watched = true;
    return MCX_OK;
}

static mcx_err open_leg(struct leg *leg, struct mcx_msrv_line *line)
{
    struct mcx_relay *relay = leg->call->relay;
    struct mcx_msrv_port *local = &line->local[leg->side];

    MCX_TRY(mcx_relay_socket(&leg->socket, relay));
    MCX_TRY(open_port(leg, MCX_RTP));
    MCX_TRY(open_port(leg, MCX_RTCP));
    memcpy(local->host, relay->address, sizeof local->host);
    local->port = mcx_rtp_socket_port(leg->socket, MCX_RTP);
    local->rtcp_port = mcx_rtp_socket_port(leg->socket, MCX_RTCP);
    return MCX_OK;
}

mcx_err mcx_relay_open(struct mcx_relay_call **out, struct mcx_relay *relay, struct mcx_msrv_line *lines, size_t num)
{
    struct mcx_relay_call *call = calloc(1, sizeof *call);
    mcx_err err = MCX_OK;

    if (call == NULL || num > MCX_SDP_MAX_MEDIA) {
        free(call);
        return call == NULL ? MCX_E_NOMEM : MCX_E_ARG;
    }
    call->relay = relay;
    call->num = num;
    for (size_t i = 0; i < num; i++) {
        for (size_t side = 0; side < 2 && lines[i].rtcp; side++) {
            struct leg *leg = &call->leg[i][side];

            leg->call = call;
            leg->side = side == 0 ? MCX_MSRV_CALLER : MCX_MSRV_CALLEE;
            leg->other = &call->leg[i][1 - side];
            MCX_GO(err, open_leg(leg, &lines[i]));
        }
    }
    MCX_GO(err, mcx_relay_peer(call, MCX_MSRV_CALLER, lines, num));
    *out = call;
    return MCX_OK;
out:
    mcx_relay_close(call, NULL);
    return err;
}

static mcx_err set_remote(struct port *port, const char *host, uint16_t number)
{
    struct sockaddr_storage addr;

    port->has_remote = false;
    port->latched = false;
    if (number == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_addr_make(&addr, host, number));
    if (addr.ss_family != port->local.ss_family) {
        return MCX_E_ARG; /* the sockets are of one family */
    }
    port->remote = addr;
    port->has_remote = true;
    return MCX_OK;
}

mcx_err mcx_relay_peer(struct mcx_relay_call *call, enum mcx_msrv_side side, const struct mcx_msrv_line *lines,
                       size_t num)
{
    if (num != call->num) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < num; i++) {
        struct leg *leg = &call->leg[i][side];
        const struct mcx_msrv_port *remote = &lines[i].remote;

        if (lines[i].rtcp) {
            MCX_TRY(set_remote(&leg->port[MCX_RTP], remote->host, remote->port));
            MCX_TRY(set_remote(&leg->port[MCX_RTCP], remote->host, remote->rtcp_port));
        }
    }
    return MCX_OK;
}

void mcx_relay_gate(struct mcx_relay_call *call, bool (*may_pass)(void *arg, enum mcx_msrv_side side, uint32_t ssrc),
                    void *arg)
{
    call->may_pass = may_pass;
    call->may_pass_arg = arg;
}

static void close_leg(struct leg *leg)
{
    for (size_t c = 0; c < 2; c++) {
        if (leg->port[c].watched) {
            mcx_loop_unwatch(&leg->port[c].watch);
        }
    }
    if (leg->socket != NULL) {
        mcx_rtp_socket_close(leg->socket);
    }
}

void mcx_relay_close(struct mcx_relay_call *call, struct mcx_relay_stats *stats)
{
    if (call == NULL) {
        return;
    }
    for (size_t i = 0; i < call->num; i++) {
        close_leg(&call->leg[i][0]);
        close_leg(&call->leg[i][1]);
    }
    if (stats != NULL) {
        *stats = call->stats;
    }
    free(call);
}
