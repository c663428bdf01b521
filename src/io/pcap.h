/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_PCAP_H
#define MCX_IO_PCAP_H

/* A capture file (libpcap format, raw IP) of datagrams that a program of ours received or sent. */

#include <sys/socket.h>

#include <mcx/bytes.h>

struct mcx_pcap;
/** Makes or empties the file, mode 0600. @retval MCX_E_IO errno says why @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_pcap_open(struct mcx_pcap **out, const char *path);
/** NULL is allowed. */
void mcx_pcap_close(struct mcx_pcap *pcap);
/** One datagram with the IP and UDP headers that belong to it, stamped with the wall clock. @retval MCX_E_IO */
MCX_MUST_CHECK mcx_err mcx_pcap_udp(struct mcx_pcap *pcap, const struct sockaddr *from, const struct sockaddr *to,
                                    struct mcx_bytes datagram);

#endif
