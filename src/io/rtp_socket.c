/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE 1 /* SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "io/rtp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUM_CHANNELS   2
#define ANY_PORT_TRIES 64

struct mcx_rtp_socket {
    int fd[NUM_CHANNELS];
    uint16_t port;
};

static mcx_err read_address(struct sockaddr_storage *out, socklen_t *len, const char *address)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof v4);
        *len = sizeof v4;
        return MCX_OK;
    }
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof v6);
        *len = sizeof v6;
        return MCX_OK;
    }
    return MCX_E_ARG;
}

/* Both families keep the port at the same place; the headers name it twice. */
static in_port_t *port_field(struct sockaddr_storage *sa)
{
    if (sa->ss_family == AF_INET6) {
        return &((struct sockaddr_in6 *)(void *)sa)->sin6_port;
    }
    return &((struct sockaddr_in *)(void *)sa)->sin_port;
}

/* A bound socket; `port` 0 becomes the one the kernel chose. -1 on failure. */
static int bind_one(struct sockaddr_storage sa, socklen_t len, uint16_t *port)
{
    int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    *port_field(&sa) = htons(*port);
    if (bind(fd, (struct sockaddr *)&sa, len) != 0 || getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return -1;
    }
    *port = ntohs(*port_field(&sa));
    return fd;
}

static void close_fds(struct mcx_rtp_socket *s)
{
    int saved = errno;

    for (size_t i = 0; i < NUM_CHANNELS; i++) {
        if (s->fd[i] >= 0) {
            (void)close(s->fd[i]);
            s->fd[i] = -1;
        }
    }
    errno = saved;
}

/* RFC 3550 11: RTP on an even port, RTCP on the next */
static bool bind_pair(struct mcx_rtp_socket *s, const struct sockaddr_storage *sa, socklen_t len, uint16_t port)
{
    uint16_t odd = 0;

    s->fd[MCX_RTP] = bind_one(*sa, len, &port);
    if (s->fd[MCX_RTP] < 0) {
        return false;
    }
    if (port % 2 != 0) { /* of the kernel's choice: its lower neighbour will do */
        close_fds(s);
        port--;
        s->fd[MCX_RTP] = bind_one(*sa, len, &port);
    }
    odd = (uint16_t)(port + 1);
    s->fd[MCX_RTCP] = s->fd[MCX_RTP] >= 0 ? bind_one(*sa, len, &odd) : -1;
    if (s->fd[MCX_RTCP] < 0) {
        close_fds(s);
        return false;
    }
    s->port = port;
    return true;
}

static bool bind_in_range(struct mcx_rtp_socket *s, const struct sockaddr_storage *sa, socklen_t len, uint16_t port_min,
                          uint16_t port_max)
{
    if (port_min == 0) {
        for (size_t i = 0; i < ANY_PORT_TRIES; i++) {
            if (bind_pair(s, sa, len, 0)) {
                return true;
            }
        }
        return false;
    }
    for (uint32_t port = port_min; port + 1 <= port_max; port += 2) {
        if (bind_pair(s, sa, len, (uint16_t)port)) {
            return true;
        }
    }
    return false;
}

mcx_err mcx_rtp_socket_open(struct mcx_rtp_socket **out, const char *address, uint16_t port_min, uint16_t port_max)
{
    struct mcx_rtp_socket *s = NULL;
    struct sockaddr_storage sa;
    socklen_t len = 0;

    MCX_TRY(read_address(&sa, &len, address));
    if (port_min % 2 != 0 || (port_min != 0 && port_max <= port_min)) {
        return MCX_E_ARG;
    }
    s = calloc(1, sizeof *s);
    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    s->fd[MCX_RTP] = -1;
    s->fd[MCX_RTCP] = -1;
    if (!bind_in_range(s, &sa, len, port_min, port_max)) {
        free(s);
        return MCX_E_IO;
    }
    *out = s;
    return MCX_OK;
}

void mcx_rtp_socket_close(struct mcx_rtp_socket *s)
{
    if (s != NULL) {
        close_fds(s);
        free(s);
    }
}

int mcx_rtp_socket_fd(const struct mcx_rtp_socket *s, enum mcx_rtp_channel channel)
{
    return s->fd[channel];
}

uint16_t mcx_rtp_socket_port(const struct mcx_rtp_socket *s, enum mcx_rtp_channel channel)
{
    return (uint16_t)(s->port + (channel == MCX_RTCP ? 1 : 0));
}

mcx_err mcx_rtp_socket_send(struct mcx_rtp_socket *s, enum mcx_rtp_channel channel, const struct sockaddr *to,
                            socklen_t to_len, struct mcx_bytes datagram)
{
    ssize_t n = sendto(s->fd[channel], datagram.p, datagram.len, MSG_NOSIGNAL, to, to_len);

    if (n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
        return MCX_OK;
    }
    return MCX_E_IO;
}

mcx_err mcx_rtp_socket_recv(struct mcx_rtp_socket *s, enum mcx_rtp_channel channel, struct mcx_wr *out,
                            struct sockaddr_storage *from)
{
    struct sockaddr_storage sender;
    socklen_t len = sizeof sender;
    size_t room = out->cap - out->len;
    ssize_t n = 0;

    room = room < MCX_RTP_SOCKET_MTU ? room : MCX_RTP_SOCKET_MTU;
    n = recvfrom(s->fd[channel], out->p + out->len, room, MSG_TRUNC, (struct sockaddr *)&sender, &len);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? MCX_E_STATE : MCX_E_IO;
    }
    if ((size_t)n > room) { /* MSG_TRUNC: the true length */
        return MCX_E_SPACE;
    }
    out->len += (size_t)n;
    if (from != NULL) {
        *from = sender;
    }
    return MCX_OK;
}
