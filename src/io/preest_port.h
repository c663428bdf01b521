/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_PREEST_PORT_H
#define MCX_IO_PREEST_PORT_H

/*
 * One pre-established session of a client at its sockets (TS 24.380 9.3, 13): the control channel, under his CSK, on
 * which calls are connected; and the media ports that he has agreed to, which pass nothing while no call uses them.
 *
 * A call joins its own relay to the side of the session that does not face the client. Who sent a control message is
 * told by the key alone: what is plain, or under another key, is dropped and counted.
 */

#include <mcx/channel.h>
#include <mcx/preestablished.h>

#include "io/relay.h"

struct mcx_preest_port_config {
    struct mcx_relay *relay;            /* ports, address, capture */
    struct mcx_channel *(*channel)(void *arg); /* of the client; NULL = nothing can be sent now */
    void (*on_open)(void *arg);         /* he takes the call; media pass from now on */
    /** He does not, or does not answer. */
    void (*on_failed)(void *arg, bool no_answer, enum mcx_mcpc_reason reason);
    void (*on_drop)(void *arg, const char *reason); /* a constant */
    void *arg; /* the port is not to be closed in any of them */
};
struct mcx_preest_stats {
    uint64_t received, sent; /* control messages */
    uint64_t dropped;        /* control: not authentic, plain, replayed, malformed, out of place */
    struct mcx_relay_stats media; /* caller = the client, callee = the calls */
};

struct mcx_preest_port;
/**
 * @param[in,out] audio  remote: the client's; `local` is filled in: [MCX_MSRV_CALLER] faces the client,
 *                       [MCX_MSRV_CALLEE] the calls
 * @retval MCX_E_IO no port is free @retval MCX_E_ARG an address of another family @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_preest_port_open(struct mcx_preest_port **out, const struct mcx_preest_port_config *config,
                                            struct mcx_msrv_line *audio, const struct mcx_msrv_port *control);
/** NULL is allowed; `stats` may be NULL. */
void mcx_preest_port_close(struct mcx_preest_port *port, struct mcx_preest_stats *stats);
uint16_t mcx_preest_port_number(const struct mcx_preest_port *port);
/**
 * Connect the client to a call, whose media are at `audio->remote`; `on_open` or `on_failed` follows.
 *
 * @retval MCX_E_STATE in use @retval MCX_E_NOKEY no CSK @retval MCX_E_SPACE too long for one datagram
 */
MCX_MUST_CHECK mcx_err mcx_preest_port_connect(struct mcx_preest_port *port, const struct mcx_preest_call *call,
                                               const struct mcx_msrv_line *audio);
/** The call is over, or was given up: Disconnect, media stop. */
void mcx_preest_port_release(struct mcx_preest_port *port);

#endif
