/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group calls of 500 listeners at the server: a step of the floor control server, and a packet of the talker from its
 * socket through the relay to 500 sockets on loopback. 500 divided by the latter's time is the replication rate of one
 * core, the kernel's work on both sides of the loopback included.
 */
#include "mcx/bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/group_relay.h"
#include "io/loop.h"

enum { LISTENERS = 500, PACKET = 100 }; /* about a frame of AMR-WB under SRTP with MKI and ROC */

/* ---- floor control ---- */

struct floor_state {
    struct mcx_fsrv *srv;
    struct mcx_fsrv_out out;
    struct mcx_floor_msg request, release;
    uint64_t now;
};

static void floor_teardown(void *state)
{
    struct floor_state *s = state;

    if (s != NULL) {
        mcx_fsrv_free(s->srv);
    }
    free(s);
}

static mcx_err floor_setup(void **state)
{
    const struct mcx_fsrv_config config = { .queueing = true };
    struct mcx_fsrv_participant p = { .mcptt_id = "sip:user@example.org", .queueing = true };
    struct floor_state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->request.type = MCX_FLOOR_REQUEST;
    s->release.type = MCX_FLOOR_RELEASE;
    MCX_TRY(mcx_fsrv_new(&s->srv, &config));
    for (p.id = 1; p.id <= LISTENERS + 1; p.id++) {
        const struct mcx_fsrv_in in = { .event = MCX_FS_JOIN, .participant = &p };

        MCX_TRY(mcx_fsrv_step(s->srv, &in, &s->out));
    }
    return MCX_OK;
}

static mcx_err floor_rx(struct floor_state *s, const struct mcx_floor_msg *msg)
{
    const struct mcx_fsrv_in in = { .event = MCX_FS_RX, .now_ms = s->now++, .id = 7, .msg = msg };

    return mcx_fsrv_step(s->srv, &in, &s->out);
}

/* Floor Request, granted to one and told to all; Floor Release. */
static mcx_err floor_burst(void *state)
{
    struct floor_state *s = state;

    MCX_TRY(floor_rx(s, &s->request));
    return floor_rx(s, &s->release);
}

/* ---- media ---- */

struct relay_state {
    struct mcx_relay *relay;
    struct mcx_floor_port *floor;
    struct mcx_group_relay *group;
    struct sockaddr_in to;
    bool loop;
    int fd[LISTENERS + 1]; /* the talker's first */
    int num;
    struct mcx_watch last; /* when he has the packet, all have it */
};

static void relay_teardown(void *state)
{
    struct relay_state *s = state;

    if (s == NULL) {
        return;
    }
    if (s->last.ready != NULL) {
        mcx_loop_unwatch(&s->last);
    }
    mcx_group_relay_close(s->group, NULL);
    mcx_floor_port_close(s->floor, NULL);
    mcx_relay_free(s->relay);
    while (s->num > 0) {
        close(s->fd[--s->num]);
    }
    if (s->loop) {
        mcx_loop_close();
    }
    free(s);
}

static void arrived(void *arg)
{
    struct relay_state *s = arg;
    uint8_t packet[PACKET];
    ssize_t len = 0;

    while ((len = recv(s->last.fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0) {
        if (len == PACKET) {
            mcx_loop_stop();
        }
    }
}

static mcx_err listener_open(struct relay_state *s, uint16_t *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof sa;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return MCX_E_IO;
    }
    s->fd[s->num++] = fd;
    if (bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0 || getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        return MCX_E_IO;
    }
    *port = ntohs(sa.sin_port);
    return MCX_OK;
}

static mcx_err all_join(struct relay_state *s)
{
    for (uint32_t id = 1; id <= LISTENERS + 1; id++) {
        const struct mcx_fsrv_participant who = { .id = id, .mcptt_id = "sip:user@example.org" };
        uint16_t port = 0;

        MCX_TRY(listener_open(s, &port));
        MCX_TRY(mcx_floor_port_join(s->floor, &who, "127.0.0.1", port, id == 1));
        MCX_TRY(mcx_group_relay_join(s->group, id, "127.0.0.1", port, true));
    }
    return MCX_OK;
}

static void no_note(void *arg, const char *note, const char *mcptt_id, unsigned cause)
{
    (void)arg;
    (void)note;
    (void)mcptt_id;
    (void)cause;
}

static void no_drop(void *arg, const char *mcptt_id, const struct mcx_refusal *why)
{
    (void)arg;
    (void)mcptt_id;
    (void)why;
}

static mcx_err relay_setup(void **state)
{
    const struct mcx_relay_config relay = { .address = "127.0.0.1" };
    struct mcx_floor_port_config floor = { .floor = { .queueing = true }, .on_note = no_note, .on_drop = no_drop };
    struct mcx_group_relay_config group = { 0 };
    struct relay_state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    MCX_TRY(mcx_loop_open(2 * LISTENERS));
    s->loop = true;
    MCX_TRY(mcx_relay_new(&s->relay, &relay));
    floor.relay = group.relay = s->relay;
    for (int i = 0; i < MCX_FS_NUM_TIMERS; i++) {
        floor.floor.timer_ms[i] = UINT32_MAX; /* he talks as long as it is measured */
    }
    MCX_TRY(mcx_floor_port_open(&s->floor, &floor));
    group.floor = s->floor;
    MCX_TRY(mcx_group_relay_open(&s->group, &group));
    MCX_TRY(all_join(s));
    s->to = (struct sockaddr_in){ .sin_family = AF_INET,
                                  .sin_port = htons(mcx_group_relay_port(s->group)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    s->last = (struct mcx_watch){ s->fd[LISTENERS], arrived, s };
    return mcx_loop_watch(&s->last);
}

static mcx_err relay_packet(void *state)
{
    struct relay_state *s = state;
    const uint8_t packet[PACKET] = { 0x80, 97 };

    if (sendto(s->fd[0], packet, sizeof packet, 0, (struct sockaddr *)&s->to, sizeof s->to) != PACKET) {
        return MCX_E_IO;
    }
    return mcx_loop_run(NULL);
}

const struct bench_item bench_relay[] = {
    { "floor.burst_of_500", floor_setup, floor_burst, floor_teardown },
    { "group_relay.packet_to_500", relay_setup, relay_packet, relay_teardown },
    { NULL, NULL, NULL, NULL },
};
