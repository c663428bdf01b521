/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/group_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/addr.h"

enum { BATCH = 16, ROUNDS = 8, RTP_HEADER = 12, MAX_SEND = 1024, SOCKET_BUFFER = 4 << 20 };

struct listener {
    uint32_t id;
    bool talks;
    struct sockaddr_storage addr;
    struct mcx_group_stats stats;
};

struct mcx_group_relay {
    struct mcx_group_relay_config config;
    struct mcx_rtp_socket *socket;
    struct sockaddr_storage local;
    struct mcx_watch watch;
    bool watched;
    struct listener *list;
    struct mmsghdr *send; /* one each, same index; all with the iovec below */
    size_t num, cap;
    struct iovec packet;
    uint32_t *table; /* index + 1 by address, open addressing; a power of two */
    size_t table_len;
    struct mcx_group_stats total;
    /* receiving */
    uint8_t buf[BATCH][MCX_RTP_SOCKET_MTU];
    struct iovec iov[BATCH];
    struct sockaddr_storage from[BATCH];
    struct mmsghdr in[BATCH];
};

/* ---- the table of addresses ---- */

static struct listener *by_address(const struct mcx_group_relay *r, const struct sockaddr_storage *addr)
{
    for (size_t i = mcx_addr_hash(addr); r->table_len > 0; i++) {
        uint32_t at = r->table[i & (r->table_len - 1)];

        if (at == 0) {
            return NULL;
        }
        if (mcx_addr_equal(&r->list[at - 1].addr, addr)) {
            return &r->list[at - 1];
        }
    }
    return NULL;
}

/* After any change of the list: at most half full, so that a search ends. Also the headers, which point into the list. */
static void index_all(struct mcx_group_relay *r)
{
    memset(r->table, 0, r->table_len * sizeof r->table[0]);
    for (size_t k = 0; k < r->num; k++) {
        size_t i = mcx_addr_hash(&r->list[k].addr);

        while (r->table[i & (r->table_len - 1)] != 0) {
            i++;
        }
        r->table[i & (r->table_len - 1)] = (uint32_t)k + 1;
        memset(&r->send[k], 0, sizeof r->send[k]);
        r->send[k].msg_hdr.msg_name = &r->list[k].addr;
        r->send[k].msg_hdr.msg_namelen = mcx_addr_len(&r->list[k].addr);
        r->send[k].msg_hdr.msg_iov = &r->packet;
        r->send[k].msg_hdr.msg_iovlen = 1;
    }
}

static mcx_err grow(struct mcx_group_relay *r)
{
    size_t cap = r->cap == 0 ? 8 : r->cap * 2;
    struct listener *list = realloc(r->list, cap * sizeof *list);
    struct mmsghdr *send;
    uint32_t *table;

    r->list = list != NULL ? list : r->list;
    send = realloc(r->send, cap * sizeof *send);
    r->send = send != NULL ? send : r->send;
    table = realloc(r->table, 2 * cap * sizeof *table);
    r->table = table != NULL ? table : r->table;
    if (list == NULL || send == NULL || table == NULL) {
        index_all(r);
        return MCX_E_NOMEM;
    }
    r->cap = cap;
    r->table_len = 2 * cap;
    index_all(r);
    return MCX_OK;
}

static struct listener *by_id(const struct mcx_group_relay *r, uint32_t id)
{
    for (size_t i = 0; i < r->num; i++) {
        if (r->list[i].id == id) {
            return &r->list[i];
        }
    }
    return NULL;
}

mcx_err mcx_group_relay_join(struct mcx_group_relay *relay, uint32_t id, const char *host, uint16_t port, bool talks)
{
    struct listener *known = by_id(relay, id);
    struct sockaddr_storage addr;
    struct listener *other;

    MCX_TRY(mcx_addr_make(&addr, host, port));
    other = by_address(relay, &addr);
    if (port == 0 || addr.ss_family != relay->local.ss_family || (other != NULL && other != known)) {
        return MCX_E_ARG;
    }
    if (known == NULL && relay->num == relay->cap) {
        MCX_TRY(grow(relay));
    }
    if (known == NULL) {
        known = &relay->list[relay->num++];
        *known = (struct listener){ .id = id };
    }
    known->talks = talks;
    known->addr = addr;
    index_all(relay);
    return MCX_OK;
}

void mcx_group_relay_part(struct mcx_group_relay *relay, uint32_t id, struct mcx_group_stats *stats)
{
    struct listener *known = by_id(relay, id);

    if (known == NULL) {
        return;
    }
    if (stats != NULL) {
        *stats = known->stats;
    }
    *known = relay->list[--relay->num];
    index_all(relay);
}

/* ---- packets ---- */

/* To those from `first` up to `end`; who cannot be sent to is passed over. */
static void send_range(struct mcx_group_relay *r, size_t first, size_t end)
{
    int fd = mcx_rtp_socket_fd(r->socket, MCX_RTP);

    while (first < end) {
        size_t n = end - first < MAX_SEND ? end - first : MAX_SEND;
        int sent = sendmmsg(fd, &r->send[first], (unsigned)n, MSG_DONTWAIT);

        for (int i = 0; i < sent; i++) {
            r->list[first + (size_t)i].stats.sent++;
        }
        r->total.sent += sent > 0 ? (uint64_t)sent : 0;
        first += sent > 0 ? (size_t)sent : 0;
        if (sent <= 0) {
            r->list[first].stats.lost++;
            r->total.lost++;
            first++;
        }
    }
}

static void capture_copies(struct mcx_group_relay *r, size_t except)
{
    for (size_t i = 0; i < r->num; i++) {
        if (i != except) {
            mcx_relay_capture(r->config.relay, &r->local, &r->list[i].addr,
                              mcx_bytes(r->packet.iov_base, r->packet.iov_len));
        }
    }
}

static void drop(struct mcx_group_relay *r, struct listener *l, const char *reason, const char *clause)
{
    const struct mcx_refusal why = { reason, clause };

    if (l != NULL) {
        l->stats.refused++;
        r->total.refused++;
    } else {
        r->total.foreign++;
    }
    if (r->config.on_drop != NULL) {
        r->config.on_drop(r->config.arg, l != NULL ? mcx_floor_port_user(r->config.floor, l->id) : "", &why);
    }
}

static void take_packet(struct mcx_group_relay *r, const struct sockaddr_storage *from, uint8_t *p, size_t len)
{
    struct listener *l = by_address(r, from);
    size_t at;
    uint32_t ssrc;

    mcx_relay_capture(r->config.relay, from, &r->local, mcx_bytes(p, len));
    if (l == NULL) {
        drop(r, NULL, "it came from no participant's address", "");
        return;
    }
    at = (size_t)(l - r->list);
    if (len < RTP_HEADER || p[0] >> 6 != 2) {
        drop(r, l, "it is no RTP packet", "RFC 3550 5.1");
        return;
    }
    if (!l->talks) {
        drop(r, l, "he only listens in this call", "TS 24.380 6.3.5.7");
        return;
    }
    ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
    if (!mcx_floor_port_media(r->config.floor, l->id, ssrc)) {
        drop(r, l, "he does not hold the floor", "TS 24.380 6.3.5.7");
        return;
    }
    l->stats.received++;
    r->total.received++;
    r->packet = (struct iovec){ p, len };
    send_range(r, 0, at);
    send_range(r, at + 1, r->num);
    capture_copies(r, at);
}

static void on_readable(void *arg)
{
    struct mcx_group_relay *r = arg;
    int fd = mcx_rtp_socket_fd(r->socket, MCX_RTP);

    for (size_t round = 0; round < ROUNDS; round++) {
        int n;

        for (size_t i = 0; i < BATCH; i++) {
            r->iov[i] = (struct iovec){ r->buf[i], sizeof r->buf[i] };
            r->in[i].msg_hdr = (struct msghdr){ .msg_name = &r->from[i],
                                                .msg_namelen = sizeof r->from[i],
                                                .msg_iov = &r->iov[i],
                                                .msg_iovlen = 1 };
        }
        n = recvmmsg(fd, r->in, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            if ((r->in[i].msg_hdr.msg_flags & MSG_TRUNC) == 0) {
                take_packet(r, &r->from[i], r->buf[i], r->in[i].msg_len);
            }
        }
        if (n < BATCH) {
            return;
        }
    }
}

/* ---- life ---- */

uint16_t mcx_group_relay_port(const struct mcx_group_relay *relay)
{
    return mcx_rtp_socket_port(relay->socket, MCX_RTP);
}

mcx_err mcx_group_relay_open(struct mcx_group_relay **out, const struct mcx_group_relay_config *config)
{
    struct mcx_group_relay *r = calloc(1, sizeof *r);
    int size = SOCKET_BUFFER;
    mcx_err err = MCX_OK;
    int fd;

    if (r == NULL) {
        return MCX_E_NOMEM;
    }
    r->config = *config;
    MCX_GO(err, grow(r));
    MCX_GO(err, mcx_relay_socket(&r->socket, config->relay));
    fd = mcx_rtp_socket_fd(r->socket, MCX_RTP);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* the kernel cuts it to what it allows */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    MCX_GO(err, mcx_addr_make(&r->local, mcx_relay_address(config->relay), mcx_group_relay_port(r)));
    r->watch = (struct mcx_watch){ fd, on_readable, r };
    MCX_GO(err, mcx_loop_watch(&r->watch));
    r->watched = true;
    *out = r;
    return MCX_OK;
out:
    mcx_group_relay_close(r, NULL);
    return err;
}

void mcx_group_relay_close(struct mcx_group_relay *relay, struct mcx_group_stats *total)
{
    if (relay == NULL) {
        return;
    }
    if (total != NULL) {
        *total = relay->total;
    }
    if (relay->watched) {
        mcx_loop_unwatch(&relay->watch);
    }
    if (relay->socket != NULL) {
        mcx_rtp_socket_close(relay->socket);
    }
    free(relay->list);
    free(relay->send);
    free(relay->table);
    free(relay);
}
