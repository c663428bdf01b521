/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_CONTROL_PORT_H
#define MCX_IO_CONTROL_PORT_H

/*
 * A socket of control messages under client-server keys (TS 24.380 13; TS 33.180 9.4.6): what floor control of a call
 * and a pre-established session have in common. One out of the ports of the relay, and in its capture.
 */

#include <mcx/channel.h>

#include "io/relay.h"

struct mcx_control_port {
    struct mcx_relay *relay;
    void (*on_datagram)(void *arg, const struct sockaddr_storage *from, struct mcx_bytes datagram);
    void *arg; /* the port is not to be closed in it */
    struct mcx_rtp_socket *socket;
    struct sockaddr_storage local;
    struct mcx_watch watch;
    bool watched;
};

/** Opens a zeroed port of which the first three are set; it is to be closed also on error. @retval MCX_E_IO no port is
 * free @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_control_port_open(struct mcx_control_port *port);
/** A zeroed port is allowed. */
void mcx_control_port_close(struct mcx_control_port *port);
uint16_t mcx_control_port_number(const struct mcx_control_port *port);
MCX_MUST_CHECK mcx_err mcx_control_port_send(struct mcx_control_port *port, const struct sockaddr_storage *to,
                                             struct mcx_bytes datagram);

/** What becomes of the messages in a datagram. */
struct mcx_control_take {
    struct mcx_channel *(*channel)(void *arg); /* gives NULL: nothing can be opened now */
    void (*message)(void *arg, struct mcx_bytes message);
    void (*refused)(void *arg, mcx_err err, struct mcx_bytes rest, const struct mcx_refusal *why);
    void *arg;
};
/** Opens one after the other, as far as it can be told where each ends. */
void mcx_control_port_take(const struct mcx_control_take *take, struct mcx_bytes datagram);

#endif
