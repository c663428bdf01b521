/* SPDX-License-Identifier: Apache-2.0 */
/* The media relay over loopback: octet for octet, only from the named address, counted, captured. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/relay.h"

struct world {
    struct mcx_relay *relay;
    struct mcx_relay_call *call;
    struct mcx_msrv_line line;
    int caller, callee, stranger;
    uint16_t caller_port, callee_port;
    struct mcx_timer stop;
    struct mcx_relay_stats stats;
    char path[64];
};

static int udp(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void say(int fd, uint16_t to, const void *data, size_t len)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&a, sizeof a), (ssize_t)len);
}

static ssize_t hear(int fd, void *buf, size_t len)
{
    return recv(fd, buf, len, 0);
}

static void time_up(void *arg)
{
    (void)arg;
    mcx_loop_stop();
}

static void run_a_little(struct world *w)
{
    assert_int_equal(mcx_timer_start(&w->stop, 30, time_up, NULL), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
}

static void open_world(struct world *w, bool symmetric, bool capture)
{
    struct mcx_relay_config config = { .address = "127.0.0.1", .symmetric = symmetric };
    uint16_t port;

    memset(w, 0, sizeof *w);
    if (capture) {
        int fd;

        strcpy(w->path, "/tmp/mcx-relay-XXXXXX");
        fd = mkstemp(w->path);
        assert_true(fd >= 0);
        close(fd);
        config.capture = w->path;
    }
    assert_int_equal(mcx_loop_open(64), MCX_OK);
    assert_int_equal(mcx_relay_new(&w->relay, &config), MCX_OK);
    w->caller = udp(&w->caller_port);
    w->callee = udp(&w->callee_port);
    w->stranger = udp(&port);
    w->line.rtcp = true;
    strcpy(w->line.remote.host, "127.0.0.1");
    w->line.remote.port = w->caller_port;
    assert_int_equal(mcx_relay_open(&w->call, w->relay, &w->line, 1), MCX_OK);
    assert_true(w->line.local[0].port % 2 == 0 && w->line.local[1].port % 2 == 0);
    assert_int_equal(w->line.local[0].rtcp_port, w->line.local[0].port + 1);
    assert_string_equal(w->line.local[1].host, "127.0.0.1");
}

static void callee_answers(struct world *w)
{
    struct mcx_msrv_line line = w->line;

    line.remote.port = w->callee_port;
    assert_int_equal(mcx_relay_peer(w->call, MCX_MSRV_CALLEE, &line, 1), MCX_OK);
}

static void close_world(struct world *w)
{
    mcx_relay_close(w->call, &w->stats);
    mcx_relay_free(w->relay);
    mcx_timer_clear(&w->stop);
    close(w->caller);
    close(w->callee);
    close(w->stranger);
    mcx_loop_close();
}

static void both_ways_untouched(void **state)
{
    uint8_t sent[1400], got[2048];
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t)(i * 7);
    }
    open_world(&w, false, false);
    say(w.caller, w.line.local[0].port, sent, 100); /* nobody has answered yet */
    run_a_little(&w);
    callee_answers(&w);
    say(w.caller, w.line.local[0].port, sent, sizeof sent);
    say(w.callee, w.line.local[1].port, sent + 1, 33);
    run_a_little(&w);
    assert_int_equal(hear(w.callee, got, sizeof got), sizeof sent);
    assert_memory_equal(got, sent, sizeof sent);
    assert_int_equal(hear(w.callee, got, sizeof got), -1);
    assert_int_equal(hear(w.caller, got, sizeof got), 33);
    assert_memory_equal(got, sent + 1, 33);
    close_world(&w);
    assert_int_equal(w.stats.packets[0], 1);
    assert_int_equal(w.stats.octets[0], sizeof sent);
    assert_int_equal(w.stats.dropped[0], 1);
    assert_int_equal(w.stats.packets[1], 1);
    assert_int_equal(w.stats.dropped[1], 0);
}

static void only_from_the_named_address(void **state)
{
    uint8_t got[64];
    struct world w;

    (void)state;
    open_world(&w, false, false);
    callee_answers(&w);
    say(w.stranger, w.line.local[0].port, "intruder", 8);
    say(w.callee, w.line.local[0].port, "wrong side", 10);
    run_a_little(&w);
    assert_int_equal(hear(w.callee, got, sizeof got), -1);
    close_world(&w);
    assert_int_equal(w.stats.dropped[0], 2);
}

static void symmetric_latches_once(void **state)
{
    uint8_t got[64];
    struct world w;

    (void)state;
    open_world(&w, true, false);
    callee_answers(&w);
    say(w.stranger, w.line.local[0].port, "first", 5); /* the caller, seen from behind a translator */
    run_a_little(&w);
    say(w.caller, w.line.local[0].port, "second", 6);
    say(w.callee, w.line.local[1].port, "back", 4);
    run_a_little(&w);
    assert_int_equal(hear(w.callee, got, sizeof got), 5);
    assert_int_equal(hear(w.callee, got, sizeof got), -1);
    assert_int_equal(hear(w.stranger, got, sizeof got), 4);
    close_world(&w);
    assert_int_equal(w.stats.dropped[0], 1);
}

static void a_closed_side_is_not_latched(void **state)
{
    uint8_t got[64];
    struct world w;
    struct mcx_msrv_line line;

    (void)state;
    open_world(&w, true, false);
    callee_answers(&w);
    line = w.line;
    line.remote.port = 0;
    assert_int_equal(mcx_relay_peer(w.call, MCX_MSRV_CALLEE, &line, 1), MCX_OK);
    say(w.stranger, w.line.local[1].port, "x", 1);
    say(w.caller, w.line.local[0].port, "y", 1);
    run_a_little(&w);
    assert_int_equal(hear(w.caller, got, sizeof got), -1);
    assert_int_equal(hear(w.stranger, got, sizeof got), -1);
    close_world(&w);
    assert_int_equal(w.stats.dropped[0] + w.stats.dropped[1], 2);
}

static void a_refused_medium_gets_nothing(void **state)
{
    uint8_t got[64];
    struct world w;
    struct mcx_msrv_line line;

    (void)state;
    open_world(&w, false, false);
    line = w.line;
    line.remote.port = 0;
    assert_int_equal(mcx_relay_peer(w.call, MCX_MSRV_CALLEE, &line, 1), MCX_OK);
    say(w.caller, w.line.local[0].port, "x", 1);
    run_a_little(&w);
    assert_int_equal(hear(w.callee, got, sizeof got), -1);
    strcpy(line.remote.host, "host.example.org"); /* names are not looked up */
    line.remote.port = 9;
    assert_int_equal(mcx_relay_peer(w.call, MCX_MSRV_CALLEE, &line, 1), MCX_E_ARG);
    close_world(&w);
}

static void capture_has_both_sides(void **state)
{
    uint8_t file[512];
    uint32_t word;
    struct world w;
    size_t n;
    FILE *f;

    (void)state;
    open_world(&w, false, true);
    callee_answers(&w);
    say(w.caller, w.line.local[0].port, "payload", 7);
    run_a_little(&w);
    close_world(&w);
    f = fopen(w.path, "rb");
    n = fread(file, 1, sizeof file, f);
    fclose(f);
    unlink(w.path);
    assert_int_equal(n, 24 + 2 * (16 + 20 + 8 + 7)); /* in and out */
    memcpy(&word, file, 4);
    assert_int_equal(word, 0xa1b2c3d4);
    assert_int_equal(file[40], 0x45);
    assert_int_equal((file[60] << 8) + file[61], w.caller_port);
    assert_int_equal((file[62] << 8) + file[63], w.line.local[0].port);
    assert_memory_equal(file + 68, "payload", 7);
    assert_int_equal((file[24 + 51 + 36] << 8) + file[24 + 51 + 37], w.line.local[1].port);
    assert_int_equal((file[24 + 51 + 38] << 8) + file[24 + 51 + 39], w.callee_port);
    assert_memory_equal(file + 24 + 51 + 44, "payload", 7);
}

static bool only_callee(void *arg, enum mcx_msrv_side side, uint32_t ssrc)
{
    *(uint32_t *)arg = ssrc;
    return side == MCX_MSRV_CALLEE;
}

/* TS 24.380 6.3.5: RTP of the one who holds the floor, RTCP of both */
static void who_does_not_hold_the_floor_is_not_heard(void **state)
{
    static const uint8_t rtp[12] = { 0x80, 97, 0, 1, 0, 0, 0, 0, 0xca, 0xfe, 0xba, 0xbe };
    static const uint8_t version1[12] = { 0x40, 97, 0, 1, 0, 0, 0, 0, 0xca, 0xfe, 0xba, 0xbe };
    uint32_t asked = 0;
    uint8_t got[64];
    struct world w;

    (void)state;
    open_world(&w, false, false);
    callee_answers(&w);
    mcx_relay_gate(w.call, only_callee, &asked);
    say(w.stranger, w.line.local[0].port, rtp, sizeof rtp);
    run_a_little(&w);
    assert_int_equal(asked, 0); /* the floor hears of no stranger */
    say(w.caller, w.line.local[0].port, rtp, sizeof rtp);
    run_a_little(&w);
    assert_int_equal(asked, 0xcafebabe);
    assert_int_equal(hear(w.callee, got, sizeof got), -1);
    say(w.callee, w.line.local[1].port, version1, sizeof version1);
    say(w.callee, w.line.local[1].port, rtp, 11);
    run_a_little(&w);
    assert_int_equal(hear(w.caller, got, sizeof got), -1);
    say(w.callee, w.line.local[1].port, rtp, sizeof rtp);
    run_a_little(&w);
    assert_int_equal(hear(w.caller, got, sizeof got), sizeof rtp);
    assert_memory_equal(got, rtp, sizeof rtp);
    mcx_relay_gate(w.call, NULL, NULL);
    say(w.caller, w.line.local[0].port, rtp, sizeof rtp);
    run_a_little(&w);
    assert_int_equal(hear(w.callee, got, sizeof got), sizeof rtp);
    close_world(&w);
    assert_int_equal(w.stats.refused[0], 1);
    assert_int_equal(w.stats.refused[1], 2);
    assert_int_equal(w.stats.dropped[0], 1);
    assert_int_equal(w.stats.packets[0], 1);
    assert_int_equal(w.stats.packets[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_untouched),    cmocka_unit_test(only_from_the_named_address),
        cmocka_unit_test(symmetric_latches_once), cmocka_unit_test(a_closed_side_is_not_latched),
        cmocka_unit_test(a_refused_medium_gets_nothing),
        cmocka_unit_test(capture_has_both_sides),
        cmocka_unit_test(who_does_not_hold_the_floor_is_not_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
