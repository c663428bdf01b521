/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GROUP_RELAY_H
#define MCX_IO_GROUP_RELAY_H

/*
 * Media of a group call: one socket; what the talker sends goes to all others, octet for octet (SSRC, sequence number and
 * MKI included), and what anybody else sends is dropped. Participants are told apart by the address their SDP gave.
 *
 * For each packet: one look-up of the sender, one question to floor control whether he may talk, sendmmsg() to the
 * others. Nothing is allocated. Memory: 32 KiB a session, some 400 octets a participant.
 */

#include "io/floor_port.h"

struct mcx_group_relay_config {
    struct mcx_relay *relay;
    struct mcx_floor_port *floor; /* outlives the relay */
    /** A packet was not passed on; "" = of nobody in floor control. May be NULL. */
    void (*on_drop)(void *arg, const char *mcptt_id, const struct mcx_refusal *why);
    void *arg;
};
/** Of one participant, or of all together. */
struct mcx_group_stats {
    uint64_t received; /* packets of his that were passed on */
    uint64_t sent;     /* packets that he was sent */
    uint64_t refused;  /* packets of his without the floor, or no RTP */
    uint64_t lost;     /* packets for him that the kernel did not take */
    uint64_t foreign;  /* all together: packets from unknown addresses */
};

struct mcx_group_relay;
/** @retval MCX_E_IO no port is free @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_group_relay_open(struct mcx_group_relay **out, const struct mcx_group_relay_config *config);
/** NULL is allowed; `total` may be NULL. */
void mcx_group_relay_close(struct mcx_group_relay *relay, struct mcx_group_stats *total);
uint16_t mcx_group_relay_port(const struct mcx_group_relay *relay);
/** He takes part; again for one who is there: he has another address. `talks`: he is in floor control too.
 * @retval MCX_E_ARG no address literal of our family, or one that another participant has @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_group_relay_join(struct mcx_group_relay *relay, uint32_t id, const char *host, uint16_t port,
                                            bool talks);
/** @param[out] stats  his; may be NULL */
void mcx_group_relay_part(struct mcx_group_relay *relay, uint32_t id, struct mcx_group_stats *stats);

#endif
