/* SPDX-License-Identifier: Apache-2.0 */
/* Media and floor control of a group over loopback: who is heard, under which key, and what is dropped. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/group_relay.h"

enum { ALICE, BOB, CAROL, NUM };
static const char *const names[NUM] = { "sip:alice@example.org", "sip:bob@example.org", "sip:carol@example.org" };

static struct world {
    struct mcx_relay *relay;
    struct mcx_floor_port *floor;
    struct mcx_group_relay *media;
    struct mcx_channel *server[NUM];
    struct mcx_control *client[NUM];
    int rtp[NUM], app[NUM], stranger;
    uint16_t rtp_port[NUM], app_port[NUM];
    struct mcx_timer stop;
    char dropped[128], dropped_of[64];
    char note[64];
    struct mcx_group_stats media_stats;
    struct mcx_floor_stats floor_stats;
} w;

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

static void say(int fd, uint16_t to, struct mcx_bytes data)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    assert_int_equal(sendto(fd, data.p, data.len, 0, (struct sockaddr *)&a, sizeof a), (ssize_t)data.len);
}

static void time_up(void *arg)
{
    (void)arg;
    mcx_loop_stop();
}

static void run_a_little(void)
{
    assert_int_equal(mcx_timer_start(&w.stop, 30, time_up, NULL), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
}

static struct mcx_channel *channel_of(void *arg, const char *mcptt_id)
{
    (void)arg;
    for (size_t i = 0; i < NUM; i++) {
        if (strcmp(names[i], mcptt_id) == 0) {
            return w.server[i];
        }
    }
    return NULL;
}

static void on_note(void *arg, const char *note, const char *mcptt_id, unsigned cause)
{
    (void)arg;
    (void)mcptt_id;
    (void)cause;
    snprintf(w.note, sizeof w.note, "%s", note);
}

static void on_drop(void *arg, const char *mcptt_id, const struct mcx_refusal *why)
{
    (void)arg;
    snprintf(w.dropped, sizeof w.dropped, "%s", why->reason);
    snprintf(w.dropped_of, sizeof w.dropped_of, "%s", mcptt_id);
    assert_non_null(why->clause);
}

static void on_inactive(void *arg)
{
    (void)arg;
}

static void make_channel(size_t i)
{
    struct mcx_rng rng = mcx_rng_system();
    struct mcx_control_key key = { .type = MCX_KEY_CSK, .key_id = 0x20000000u + (uint32_t)i, .rand_len = 16 };

    assert_int_equal(mcx_rng_fill(&rng, key.key.octet, sizeof key.key.octet), MCX_OK);
    assert_int_equal(mcx_rng_fill(&rng, key.rand, key.rand_len), MCX_OK);
    assert_int_equal(mcx_channel_new(&w.server[i]), MCX_OK);
    assert_int_equal(mcx_channel_set(w.server[i], &key, &rng), MCX_OK);
    assert_int_equal(mcx_control_new(&w.client[i], &key, 1, &rng), MCX_OK);
    mcx_control_key_clear(&key);
}

static void join(size_t i, bool implicit)
{
    struct mcx_fsrv_participant who = {
        .id = (uint32_t)i + 1, .mcptt_id = names[i], .max_priority = 5, .queueing = true
    };

    assert_int_equal(mcx_group_relay_join(w.media, who.id, "127.0.0.1", w.rtp_port[i], true), MCX_OK);
    assert_int_equal(mcx_floor_port_join(w.floor, &who, "127.0.0.1", w.app_port[i], implicit), MCX_OK);
}

static int open_call(bool protect)
{
    struct mcx_relay_config relay = { .address = "127.0.0.1" };
    struct mcx_floor_port_config floor = { .floor = { .queueing = true },
                                           .protect = protect,
                                           .channel = channel_of,
                                           .on_note = on_note,
                                           .on_inactive = on_inactive,
                                           .on_drop = on_drop };
    struct mcx_group_relay_config media = { .on_drop = on_drop };
    uint16_t port;

    memset(&w, 0, sizeof w);
    assert_int_equal(mcx_loop_open(64), MCX_OK);
    assert_int_equal(mcx_relay_new(&w.relay, &relay), MCX_OK);
    floor.relay = media.relay = w.relay;
    assert_int_equal(mcx_floor_port_open(&w.floor, &floor), MCX_OK);
    media.floor = w.floor;
    assert_int_equal(mcx_group_relay_open(&w.media, &media), MCX_OK);
    w.stranger = udp(&port);
    for (size_t i = 0; i < NUM; i++) {
        make_channel(i);
        w.rtp[i] = udp(&w.rtp_port[i]);
        w.app[i] = udp(&w.app_port[i]);
        join(i, i == ALICE);
    }
    run_a_little();
    return 0;
}

static int open_world(void **state)
{
    (void)state;
    return open_call(true);
}

static int open_plain(void **state)
{
    (void)state;
    return open_call(false);
}

static int close_world(void **state)
{
    (void)state;
    mcx_group_relay_close(w.media, &w.media_stats);
    mcx_floor_port_close(w.floor, &w.floor_stats);
    mcx_relay_free(w.relay);
    mcx_timer_clear(&w.stop);
    mcx_loop_close();
    close(w.stranger);
    for (size_t i = 0; i < NUM; i++) {
        close(w.rtp[i]);
        close(w.app[i]);
        mcx_channel_free(w.server[i]);
        mcx_control_free(w.client[i]);
    }
    return 0;
}

/* The last floor message that has come for `i`, opened with the key of `key`; -1 = none that opens. */
static int last_message(size_t i, size_t key)
{
    static uint8_t plain[2048];
    uint8_t buf[2048];
    int type = -1;
    ssize_t n;

    while ((n = recv(w.app[i], buf, sizeof buf, 0)) > 0) {
        struct mcx_rd rd = mcx_rd(mcx_bytes(buf, (size_t)n));
        struct mcx_wr wr = mcx_wr(plain, sizeof plain);
        struct mcx_floor_msg msg;

        if (mcx_control_take(w.client[key], &wr, &rd, NULL) == MCX_OK &&
            mcx_floor_read(&msg, mcx_wr_done(&wr), NULL) == MCX_OK) {
            type = (int)msg.type;
        }
    }
    return type;
}

static struct mcx_bytes request(uint8_t out[2048], size_t key, enum mcx_floor_type type, bool protect)
{
    struct mcx_floor_msg msg = { .type = type, .ssrc = mcx_control_ssrc(w.client[key]) };
    uint8_t plain[256];
    struct mcx_wr wr = mcx_wr(plain, sizeof plain);
    struct mcx_wr whole = mcx_wr(out, 2048);

    assert_int_equal(mcx_floor_write(&wr, &msg), MCX_OK);
    if (!protect) {
        assert_int_equal(mcx_wr_put(&whole, mcx_wr_done(&wr)), MCX_OK);
    } else {
        assert_int_equal(mcx_control_protect(w.client[key], &whole, mcx_wr_done(&wr)), MCX_OK);
    }
    return mcx_wr_done(&whole);
}

static void ask(size_t from, struct mcx_bytes datagram)
{
    w.dropped[0] = '\0';
    say(w.app[from], mcx_floor_port_number(w.floor), datagram);
    run_a_little();
}

static const uint8_t packet[] = { 0x80, 0x61, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 };

static void talk(int fd)
{
    say(fd, mcx_group_relay_port(w.media), mcx_bytes(packet, sizeof packet));
    run_a_little();
}

static bool hears(size_t i)
{
    uint8_t buf[2048];
    ssize_t n = recv(w.rtp[i], buf, sizeof buf, 0);

    if (n > 0) {
        assert_int_equal(n, sizeof packet);
        assert_memory_equal(buf, packet, sizeof packet);
        assert_int_equal(recv(w.rtp[i], buf, sizeof buf, 0), -1);
    }
    return n > 0;
}

static void the_talker_is_heard_by_all_others(void **state)
{
    (void)state;
    assert_int_equal(last_message(ALICE, ALICE), MCX_FLOOR_GRANTED); /* her INVITE was a request */
    assert_int_equal(last_message(BOB, BOB), MCX_FLOOR_TAKEN);
    assert_int_equal(last_message(CAROL, CAROL), MCX_FLOOR_TAKEN);
    talk(w.rtp[ALICE]);
    assert_false(hears(ALICE));
    assert_true(hears(BOB));
    assert_true(hears(CAROL));
}

static void each_message_is_under_its_own_key(void **state)
{
    (void)state;
    assert_int_equal(last_message(BOB, CAROL), -1);
    assert_int_equal(last_message(CAROL, BOB), -1);
}

static void media_without_the_floor_is_dropped(void **state)
{
    (void)state;
    (void)last_message(BOB, BOB);
    talk(w.rtp[BOB]);
    assert_false(hears(ALICE));
    assert_false(hears(CAROL));
    assert_string_equal(w.dropped, "he does not hold the floor");
    assert_string_equal(w.dropped_of, names[BOB]);
    assert_int_equal(last_message(BOB, BOB), MCX_FLOOR_REVOKE); /* TS 24.380 6.3.5.5 */
}

static void media_from_elsewhere_is_dropped(void **state)
{
    struct mcx_group_stats stats;

    (void)state;
    talk(w.stranger);
    talk(w.app[ALICE]);
    assert_false(hears(BOB));
    assert_string_equal(w.dropped, "it came from no participant's address");
    assert_string_equal(w.dropped_of, "");
    say(w.rtp[ALICE], mcx_group_relay_port(w.media), mcx_bytes(packet, 11));
    run_a_little();
    assert_string_equal(w.dropped, "it is no RTP packet");
    assert_int_equal(mcx_group_relay_join(w.media, CAROL + 1, "127.0.0.1", w.rtp_port[CAROL], false), MCX_OK);
    talk(w.rtp[CAROL]);
    assert_string_equal(w.dropped, "he only listens in this call");
    mcx_group_relay_close(w.media, &stats);
    w.media = NULL;
    assert_int_equal(stats.foreign, 2);
    assert_int_equal(stats.refused, 2);
    assert_int_equal(stats.sent, 0);
}

static void bob_gets_the_floor(void **state)
{
    uint8_t buf[2048];

    (void)state;
    (void)last_message(BOB, BOB);
    ask(BOB, request(buf, BOB, MCX_FLOOR_REQUEST, true)); /* queued */
    assert_int_equal(last_message(BOB, BOB), MCX_FLOOR_QUEUE_POSITION_INFO);
    ask(ALICE, request(buf, ALICE, MCX_FLOOR_RELEASE, true));
    assert_int_equal(last_message(BOB, BOB), MCX_FLOOR_GRANTED);
    talk(w.rtp[BOB]);
    assert_true(hears(ALICE));
    assert_true(hears(CAROL));
    talk(w.rtp[ALICE]);
    assert_false(hears(BOB));
}

static void hostile_floor_messages_are_dropped(void **state)
{
    uint8_t buf[2048], copy[2048];
    struct mcx_bytes good;

    (void)state;
    (void)last_message(BOB, BOB);
    ask(BOB, request(buf, BOB, MCX_FLOOR_REQUEST, false));
    assert_string_equal(w.dropped, "a message in clear, and the call is protected");
    assert_string_equal(w.dropped_of, names[BOB]);
    ask(BOB, request(buf, CAROL, MCX_FLOOR_REQUEST, true));
    assert_string_equal(w.dropped, "no key of this channel has that identifier");
    good = request(buf, BOB, MCX_FLOOR_REQUEST, true);
    memcpy(copy, good.p, good.len);
    copy[good.len - 10] ^= 1;
    ask(BOB, mcx_bytes(copy, good.len));
    assert_string_equal(w.dropped, "the authentication tag is wrong");
    say(w.stranger, mcx_floor_port_number(w.floor), good);
    run_a_little();
    assert_string_equal(w.dropped, "it came from no participant's address");
    ask(CAROL, good); /* Bob's own message from Carol's address */
    assert_string_equal(w.dropped, "no key of this channel has that identifier");
    assert_string_equal(w.dropped_of, names[CAROL]);
    assert_int_equal(last_message(BOB, BOB), -1); /* nothing of it had an effect */
    ask(BOB, good);
    assert_string_equal(w.dropped, "");
    assert_int_equal(last_message(BOB, BOB), MCX_FLOOR_QUEUE_POSITION_INFO);
    ask(BOB, good);
    assert_string_equal(w.dropped, "the packet was seen before, or is older than the window");
}

static void who_left_is_out(void **state)
{
    struct mcx_group_stats stats = { 0 };

    (void)state;
    mcx_group_relay_part(w.media, CAROL + 1, &stats);
    mcx_floor_port_leave(w.floor, CAROL + 1);
    mcx_group_relay_part(w.media, CAROL + 1, NULL);
    talk(w.rtp[ALICE]);
    assert_false(hears(CAROL));
    assert_true(hears(BOB));
    mcx_group_relay_part(w.media, ALICE + 1, NULL); /* with the floor */
    mcx_floor_port_leave(w.floor, ALICE + 1);
    talk(w.rtp[ALICE]);
    assert_false(hears(BOB));
}

static void addresses_are_one_family_and_distinct(void **state)
{
    (void)state;
    assert_int_equal(mcx_group_relay_join(w.media, 9, "::1", 4000, true), MCX_E_ARG);
    assert_int_equal(mcx_group_relay_join(w.media, 9, "127.0.0.1", w.rtp_port[BOB], true), MCX_E_ARG);
    assert_int_equal(mcx_group_relay_join(w.media, 9, "example.org", 4000, true), MCX_E_ARG);
    assert_int_equal(mcx_group_relay_join(w.media, BOB + 1, "127.0.0.1", w.app_port[CAROL], true), MCX_OK); /* moved */
    talk(w.rtp[ALICE]);
    assert_false(hears(BOB));
    assert_true(hears(CAROL));
    for (uint32_t id = 100; id < 700; id++) { /* 600 more, in the same table */
        char host[32];

        snprintf(host, sizeof host, "127.0.%u.%u", (unsigned)(id / 250), (unsigned)(id % 250 + 1));
        assert_int_equal(mcx_group_relay_join(w.media, id, host, 9, false), MCX_OK);
    }
    talk(w.rtp[ALICE]);
    assert_true(hears(CAROL));
    for (uint32_t id = 100; id < 700; id++) {
        mcx_group_relay_part(w.media, id, NULL);
    }
    talk(w.rtp[ALICE]);
    assert_true(hears(CAROL));
}

static void a_group_without_protection_uses_plain_messages(void **state)
{
    uint8_t buf[2048];
    struct mcx_floor_msg msg;
    ssize_t n;

    (void)state;
    n = recv(w.app[ALICE], buf, sizeof buf, 0);
    assert_true(n > 0);
    assert_int_equal(mcx_floor_read(&msg, mcx_bytes(buf, (size_t)n), NULL), MCX_OK);
    ask(ALICE, request(buf, ALICE, MCX_FLOOR_RELEASE, false));
    assert_string_equal(w.dropped, "");
    ask(ALICE, mcx_bytes("junk", 4));
    assert_string_equal(w.dropped, "shorter than the header of a control message");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        T(the_talker_is_heard_by_all_others),
        T(each_message_is_under_its_own_key),
        T(media_without_the_floor_is_dropped),
        T(media_from_elsewhere_is_dropped),
        T(bob_gets_the_floor),
        T(hostile_floor_messages_are_dropped),
        T(who_left_is_out),
        T(addresses_are_one_family_and_distinct),
        cmocka_unit_test_setup_teardown(a_group_without_protection_uses_plain_messages, open_plain, close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
