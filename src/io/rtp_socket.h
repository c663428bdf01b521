/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_RTP_SOCKET_H
#define MCX_IO_RTP_SOCKET_H

/*
 * A pair of UDP sockets for RTP and RTCP on an even port and the odd one above it (RFC 3550 11). They never block;
 * an event loop watches their descriptors, with libre: fd_listen(mcx_rtp_socket_fd(s, MCX_RTP), FD_READ, ...).
 * After a wake-up call mcx_rtp_socket_recv() until MCX_E_STATE.
 */

#include <sys/socket.h>

#include <mcx/bytes.h>

enum mcx_rtp_channel { MCX_RTP, MCX_RTCP };

/** Largest datagram that is received; longer ones are dropped. */
#define MCX_RTP_SOCKET_MTU 2048

struct mcx_rtp_socket;
/**
 * Bind both on `address`, an IPv4 or IPv6 literal.
 *
 * @param[in] port_min  even; the first free pair from here to `port_max` is taken. 0 = any free pair
 * @retval MCX_E_ARG  no address literal, odd `port_min` or an empty range
 * @retval MCX_E_IO   no pair is free; errno of the last try
 */
MCX_MUST_CHECK mcx_err mcx_rtp_socket_open(struct mcx_rtp_socket **out, const char *address, uint16_t port_min,
                                           uint16_t port_max);
void mcx_rtp_socket_close(struct mcx_rtp_socket *s);
int mcx_rtp_socket_fd(const struct mcx_rtp_socket *s, enum mcx_rtp_channel channel);
/** The port that was bound; that of RTCP is one more. */
uint16_t mcx_rtp_socket_port(const struct mcx_rtp_socket *s, enum mcx_rtp_channel channel);

/** One datagram. A full queue drops it, as the network would. @retval MCX_E_IO errno says why */
MCX_MUST_CHECK mcx_err mcx_rtp_socket_send(struct mcx_rtp_socket *s, enum mcx_rtp_channel channel,
                                           const struct sockaddr *to, socklen_t to_len, struct mcx_bytes datagram);
/**
 * One datagram, put behind what `out` holds.
 *
 * @param[out] from  may be NULL
 * @retval MCX_E_STATE none is waiting
 * @retval MCX_E_SPACE longer than the room in `out` or than MCX_RTP_SOCKET_MTU; it is gone
 * @retval MCX_E_IO    errno says why; the socket stays usable
 */
MCX_MUST_CHECK mcx_err mcx_rtp_socket_recv(struct mcx_rtp_socket *s, enum mcx_rtp_channel channel, struct mcx_wr *out,
                                           struct sockaddr_storage *from);

#endif
