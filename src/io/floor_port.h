/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_FLOOR_PORT_H
#define MCX_IO_FLOOR_PORT_H

/*
 * The floor control server of one call at its socket (TS 24.380 6.3, 13): datagrams of the participants, each under his
 * CSK, in; Floor Granted, Taken and the rest, under each one's CSK, out. One socket a call, whatever the number of
 * participants: who sent is told by the address that his SDP gave, and proved by the key.
 *
 * On a protected call nothing is sent or taken in the clear; what is dropped is reported with its reason.
 */

#include <mcx/channel.h>
#include <mcx/floor_server.h>

#include "io/relay.h"

struct mcx_floor_port_config {
    struct mcx_relay *relay;     /* ports, address, capture */
    struct mcx_fsrv_config floor;
    bool protect;                /* false only by the group document (TS 24.481 7.2.8) */
    /** Where messages to and from a participant are protected; NULL = nothing can be sent to him now. */
    struct mcx_channel *(*channel)(void *arg, const char *mcptt_id);
    void (*on_note)(void *arg, const char *note, const char *mcptt_id, unsigned cause);
    void (*on_inactive)(void *arg); /* T4; the port is not to be closed in it */
    void (*on_drop)(void *arg, const char *mcptt_id, const struct mcx_refusal *why); /* "" = of nobody in the call */
    void *arg;
};
struct mcx_floor_stats {
    uint64_t received, sent; /* messages */
    uint64_t dropped;        /* datagrams from elsewhere, not authentic, plain, replayed, malformed */
};

struct mcx_floor_port;
/** @retval MCX_E_IO no port is free @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_floor_port_open(struct mcx_floor_port **out, const struct mcx_floor_port_config *config);
/** NULL is allowed; `stats` may be NULL. */
void mcx_floor_port_close(struct mcx_floor_port *port, struct mcx_floor_stats *stats);
uint16_t mcx_floor_port_number(const struct mcx_floor_port *port);
/** He takes part; again for one who is there: he has another address. @retval MCX_E_ARG @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_floor_port_join(struct mcx_floor_port *port, const struct mcx_fsrv_participant *who,
                                           const char *host, uint16_t number, bool implicit_request);
void mcx_floor_port_leave(struct mcx_floor_port *port, uint32_t id);
void mcx_floor_port_call_type(struct mcx_floor_port *port, uint16_t indicator);
/** MCPTT ID of `id`, "" = he is not in floor control. Valid until he leaves. */
const char *mcx_floor_port_user(const struct mcx_floor_port *port, uint32_t id);
/** A media packet of `id` has come. @return whether it is to be passed on */
bool mcx_floor_port_media(struct mcx_floor_port *port, uint32_t id, uint32_t ssrc);

#endif
