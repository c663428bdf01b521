/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_ADDR_H
#define MCX_IO_ADDR_H

/* Socket addresses of media, IPv4 and IPv6. */

#include <sys/socket.h>

#include <mcx/bytes.h>

/** @retval MCX_E_ARG  `host` is no address literal */
MCX_MUST_CHECK mcx_err mcx_addr_make(struct sockaddr_storage *out, const char *host, uint16_t port);
socklen_t mcx_addr_len(const struct sockaddr_storage *a);
/** Family, address and port. */
bool mcx_addr_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
/** A number for tables: equal addresses have equal ones. */
uint32_t mcx_addr_hash(const struct sockaddr_storage *a);

#endif
