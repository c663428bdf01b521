/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/control_port.h"

#include "io/addr.h"

enum { BURST = 64 };

static void on_readable(void *arg)
{
    struct mcx_control_port *p = arg;
    uint8_t buf[MCX_RTP_SOCKET_MTU];
    struct sockaddr_storage from;

    for (size_t i = 0; i < BURST; i++) {
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_rtp_socket_recv(p->socket, MCX_RTP, &wr, &from);

        if (err == MCX_E_STATE) {
            return;
        }
        if (err == MCX_OK) {
            mcx_relay_capture(p->relay, &from, &p->local, mcx_wr_done(&wr));
            p->on_datagram(p->arg, &from, mcx_wr_done(&wr));
        }
    }
}

mcx_err mcx_control_port_open(struct mcx_control_port *port)
{
    MCX_TRY(mcx_relay_socket(&port->socket, port->relay));
    MCX_TRY(mcx_addr_make(&port->local, mcx_relay_address(port->relay), mcx_control_port_number(port)));
    port->watch = (struct mcx_watch){ mcx_rtp_socket_fd(port->socket, MCX_RTP), on_readable, port };
    MCX_TRY(mcx_loop_watch(&port->watch));
    port->watched = true;
    return MCX_OK;
}

void mcx_control_port_close(struct mcx_control_port *port)
{
    if (port->watched) {
        mcx_loop_unwatch(&port->watch);
    }
    if (port->socket != NULL) {
        mcx_rtp_socket_close(port->socket);
    }
}

uint16_t mcx_control_port_number(const struct mcx_control_port *port)
{
    return mcx_rtp_socket_port(port->socket, MCX_RTP);
}

mcx_err mcx_control_port_send(struct mcx_control_port *port, const struct sockaddr_storage *to,
                              struct mcx_bytes datagram)
{
    MCX_TRY(mcx_rtp_socket_send(port->socket, MCX_RTP, (const struct sockaddr *)to, mcx_addr_len(to), datagram));
    mcx_relay_capture(port->relay, &port->local, to, datagram);
    return MCX_OK;
}

void mcx_control_port_take(const struct mcx_control_take *take, struct mcx_bytes datagram)
{
    struct mcx_rd rd = mcx_rd(datagram);

    while (rd.len > 0) {
        struct mcx_channel *channel = take->channel(take->arg);
        uint8_t plain[MCX_RTP_SOCKET_MTU];
        struct mcx_wr wr = mcx_wr(plain, sizeof plain);
        struct mcx_refusal why = { "he has no client-server key here", "TS 33.180 9.4.6" };
        struct mcx_bytes rest = mcx_bytes(rd.p, rd.len);
        mcx_err err = channel != NULL ? mcx_channel_take(channel, &wr, &rd, &why) : MCX_E_NOKEY;

        if (err == MCX_OK) {
            take->message(take->arg, mcx_wr_done(&wr));
            continue;
        }
        take->refused(take->arg, err, rest, &why);
        if (rd.len == rest.len || err == MCX_E_NOKEY) {
            return;
        }
    }
}
