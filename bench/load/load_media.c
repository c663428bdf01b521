/* SPDX-License-Identifier: Apache-2.0 */
/* Media and floor control of the load program: plain datagrams on loopback, each packet known in advance. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mcx/floor_msg.h>

#define SSRC         0x4c4f4144u
#define PAYLOAD_TYPE 97
#define SAMPLES      320 /* of AMR-WB in 20 ms */

/* Every octet follows from the number, so that a listener can tell whether it came through as it was sent. */
static void packet_make(uint8_t packet[LOAD_PACKET], unsigned n)
{
    struct mcx_wr wr = mcx_wr(packet, LOAD_PACKET);
    uint32_t filler = n * 2654435761u + 1;

    (void)!mcx_wr_u8(&wr, 0x80);
    (void)!mcx_wr_u8(&wr, PAYLOAD_TYPE);
    (void)!mcx_wr_u16(&wr, (uint16_t)n);
    (void)!mcx_wr_u32(&wr, n * SAMPLES);
    (void)!mcx_wr_u32(&wr, SSRC);
    while (wr.len < LOAD_PACKET) {
        filler = filler * 1664525u + 1013904223u;
        (void)!mcx_wr_u8(&wr, (uint8_t)(filler >> 24));
    }
}

static void take_packet(struct load_client *c, const uint8_t *p, size_t len)
{
    uint8_t want[LOAD_PACKET];
    unsigned n = 0;

    if (len == LOAD_PACKET) {
        n = (unsigned)p[2] << 8 | p[3];
        packet_make(want, n);
    }
    if (len != LOAD_PACKET || n >= c->load->sent || memcmp(p, want, LOAD_PACKET) != 0) {
        c->num_damaged++;
        return;
    }
    if ((c->seen[n / 8] & 1u << n % 8) != 0) {
        c->num_twice++;
        return;
    }
    c->seen[n / 8] |= (uint8_t)(1u << n % 8);
    c->num_received++;
}

static void on_rtp(void *arg)
{
    struct load_client *c = arg;
    uint8_t packet[2048];
    ssize_t len = 0;

    while ((len = recv(c->rtp.fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0) {
        take_packet(c, packet, (size_t)len);
    }
}

static void take_floor(struct load_client *c, struct mcx_bytes plain)
{
    struct mcx_floor_msg msg;

    c->num_floor++;
    if (c->number == 0 && mcx_floor_read(&msg, plain, NULL) == MCX_OK && msg.type == MCX_FLOOR_GRANTED) {
        load_granted(c->load);
    }
}

/* All messages of a datagram, under the CSK of this client and no other. */
static void open_floor(struct load_client *c, struct mcx_bytes datagram)
{
    struct mcx_rd rd = mcx_rd(datagram);
    uint8_t plain[MCX_FLOOR_MSG_MAX];

    while (rd.len > 0) {
        struct mcx_wr wr = mcx_wr(plain, sizeof plain);

        if (mcx_channel_take(c->channel, &wr, &rd, NULL) != MCX_OK) {
            c->num_refused++;
            return;
        }
        take_floor(c, mcx_wr_done(&wr));
    }
}

static void on_floor(void *arg)
{
    struct load_client *c = arg;
    uint8_t packet[2048];
    ssize_t len = 0;

    while ((len = recv(c->floor.fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0) {
        if (c->channel != NULL) {
            open_floor(c, mcx_bytes(packet, (size_t)len));
        } else {
            take_floor(c, mcx_bytes(packet, (size_t)len));
        }
    }
}

static mcx_err socket_open(struct mcx_watch *watch, uint16_t *port, const char *host)
{
    struct sockaddr_in sa = { .sin_family = AF_INET };
    socklen_t len = sizeof sa;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, host, &sa.sin_addr) != 1 || bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return MCX_E_IO;
    }
    watch->fd = fd;
    *port = ntohs(sa.sin_port);
    return mcx_loop_watch(watch);
}

mcx_err load_sockets_open(struct load_client *c)
{
    c->rtp = (struct mcx_watch){ .fd = -1, .ready = on_rtp, .arg = c };
    c->floor = (struct mcx_watch){ .fd = -1, .ready = on_floor, .arg = c };
    MCX_TRY(socket_open(&c->rtp, &c->rtp_port, c->load->host));
    return socket_open(&c->floor, &c->floor_port, c->load->host);
}

void load_sockets_close(struct load_client *c)
{
    struct mcx_watch *const both[] = { &c->rtp, &c->floor };

    for (size_t i = 0; i < 2; i++) {
        if (both[i]->fd >= 0) {
            mcx_loop_unwatch(both[i]);
            close(both[i]->fd);
            both[i]->fd = -1;
        }
    }
}

static mcx_err send_to(const struct load *load, int fd, uint16_t port, struct mcx_bytes packet)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };

    if (inet_pton(AF_INET, load->host, &sa.sin_addr) != 1 ||
        sendto(fd, packet.p, packet.len, 0, (struct sockaddr *)&sa, sizeof sa) != (ssize_t)packet.len) {
        return MCX_E_IO;
    }
    return MCX_OK;
}

void load_speak(struct load *load, uint64_t now_ms)
{
    uint64_t due = (now_ms - load->talk_ms) * load->options.rate / 1000 + 1;
    unsigned all = load->options.rate * load->options.seconds;
    uint8_t packet[LOAD_PACKET];

    while (load->sent < all && load->sent < due) {
        packet_make(packet, load->sent);
        load->sent++; /* counted first: a listener may have it before we go on */
        if (send_to(load, load->clients[0].rtp.fd, load->server_rtp, mcx_bytes(packet, sizeof packet)) != MCX_OK) {
            load->send_failures++;
        }
    }
}

mcx_err load_floor_request(struct load *load)
{
    struct mcx_floor_msg msg = { .type = MCX_FLOOR_REQUEST, .ssrc = SSRC, .present = MCX_FF(MCX_FF_PRIORITY) };
    struct mcx_channel *channel = load->clients[0].channel;
    uint8_t plain[MCX_FLOOR_MSG_MAX], packet[2048];
    struct mcx_wr plain_wr = mcx_wr(plain, sizeof plain), wr = mcx_wr(packet, sizeof packet);

    load->floor_requests++;
    if (channel == NULL) {
        MCX_TRY(mcx_floor_write(&wr, &msg));
    } else {
        struct mcx_control *sender = mcx_channel_sender(channel);

        msg.ssrc = mcx_control_ssrc(sender);
        MCX_TRY(mcx_floor_write(&plain_wr, &msg));
        MCX_TRY(mcx_control_protect(sender, &wr, mcx_wr_done(&plain_wr)));
    }
    return send_to(load, load->clients[0].floor.fd, load->server_floor, mcx_wr_done(&wr));
}

static uint64_t cpu_of(int pid)
{
    char path[64];
    char line[1024];
    unsigned long user = 0, system = 0;
    const char *at = NULL;
    FILE *f = NULL;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    f = fopen(path, "r");
    if (f == NULL) {
        return 0;
    }
    at = fgets(line, sizeof line, f) != NULL ? strrchr(line, ')') : NULL; /* the name may hold spaces */
    fclose(f);
    if (at == NULL || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
        return 0;
    }
    return user + system;
}

static uint64_t memory_of(int pid)
{
    char path[64];
    char line[256];
    unsigned long kib = 0;
    FILE *f = NULL;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    f = fopen(path, "r");
    while (f != NULL && kib == 0 && fgets(line, sizeof line, f) != NULL) {
        (void)sscanf(line, "VmRSS: %lu kB", &kib);
    }
    if (f != NULL) {
        fclose(f);
    }
    return kib;
}

void load_look(struct load_look *out, int pid)
{
    if (pid != 0) {
        *out = (struct load_look){ cpu_of(pid), memory_of(pid) };
    }
}
