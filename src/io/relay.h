/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_RELAY_H
#define MCX_IO_RELAY_H

/*
 * The media relay of the MCPTT server: datagrams from one side of a call go to the other, octet for octet.
 *
 * It holds no key and reads no more of a packet than its SSRC. Every RTP medium has a socket pair (RTP and RTCP) towards
 * each side; datagram lines are not relayed. A packet is taken only from the address and port that the side's SDP named; with `symmetric` the first packet that reaches a
 * port fixes the address instead (clients behind address translation).
 */

#include <mcx/mcptt_server.h>

#include "io/loop.h"
#include "io/rtp_socket.h"

struct mcx_relay_config {
    const char *address;         /* numeric; goes into the SDP */
    uint16_t port_min, port_max; /* 0 = any */
    bool symmetric;
    const char *capture; /* laboratory: pcap file of all that comes in and goes out; NULL = none */
};
/** What one side sent. */
struct mcx_relay_stats {
    uint64_t packets[2]; /* forwarded, by MCX_MSRV_CALLER and _CALLEE as sender */
    uint64_t octets[2];
    uint64_t dropped[2]; /* from elsewhere, or while the other side had no address yet */
    uint64_t refused[2]; /* RTP of who did not hold the floor */
};

struct mcx_relay;
/** @retval MCX_E_ARG address or port range @retval MCX_E_IO the capture file (errno says why) @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_relay_new(struct mcx_relay **out, const struct mcx_relay_config *config);
void mcx_relay_free(struct mcx_relay *relay);
/** A pair of ports out of the relay's range, for those who relay otherwise. @retval MCX_E_IO none is free */
MCX_MUST_CHECK mcx_err mcx_relay_socket(struct mcx_rtp_socket **out, struct mcx_relay *relay);
const char *mcx_relay_address(const struct mcx_relay *relay);
/** Into the capture file, if there is one. */
void mcx_relay_capture(struct mcx_relay *relay, const struct sockaddr_storage *from, const struct sockaddr_storage *to,
                       struct mcx_bytes datagram);

struct mcx_relay_call;
/**
 * Ports for a call, watched from now on.
 *
 * @param[in,out] lines  `local` of both sides is filled in; `remote` is the caller's
 * @retval MCX_E_IO  no port is free @retval MCX_E_ARG an address is not numeric @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_relay_open(struct mcx_relay_call **out, struct mcx_relay *relay, struct mcx_msrv_line *lines,
                                      size_t num);
/** Where the media of `side` are; port 0 = nowhere. @retval MCX_E_ARG */
MCX_MUST_CHECK mcx_err mcx_relay_peer(struct mcx_relay_call *call, enum mcx_msrv_side side,
                                      const struct mcx_msrv_line *lines, size_t num);
/** Ask before RTP of a side is passed on (floor control); NULL = all of it is. RTCP passes in any case. */
void mcx_relay_gate(struct mcx_relay_call *call, bool (*may_pass)(void *arg, enum mcx_msrv_side side, uint32_t ssrc),
                    void *arg);
/** NULL is allowed; `stats` may be NULL. */
void mcx_relay_close(struct mcx_relay_call *call, struct mcx_relay_stats *stats);

#endif
