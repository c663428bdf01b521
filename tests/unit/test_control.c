/* SPDX-License-Identifier: Apache-2.0 */
/* Control channels: a CSK goes up or down in an I_MESSAGE, and both ends open each other's messages with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/control.h>

#include "support/control.h"
#include "support/fake.h"
#include "support/ring.h"

#define ALICE  "sip:unit07@mcx.example.net"
#define SERVER "sip:gms1@mcx.example.net"

static const struct mcx_ntp now = { RING_OWN_TIME, 0 };

/* From `from` to `to`, whatever the direction (TS 33.180 5.4, 5.8). */
static void carried(const char *from, const char *to, uint64_t seed)
{
    static const struct mcx_imessage_policy policy = { .allowed_types = 1u << MCX_KEY_CSK };
    struct mcx_keyring *ring = ring_own(1u << 2 | 1u << 4);
    struct fake_rng state = { .seed = seed };
    struct mcx_rng rng = fake_rng(&state);
    struct mcx_control_key made = { 0 };
    struct mcx_control_key got = { 0 };
    struct mcx_imessage msg;
    uint8_t buf[MCX_IMESSAGE_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    assert_int_equal(mcx_csk_make(&made, &wr, mcx_bytes_str(from), mcx_bytes_str(to), now, ring, &rng, NULL), MCX_OK);
    assert_int_equal(made.type, MCX_KEY_CSK);
    assert_int_equal(made.key_id >> 28, 2);
    assert_int_equal(made.rand_len, MCX_RAND_LEN);
    assert_int_equal(mcx_imessage_open(&msg, mcx_wr_done(&wr), ring, NULL, now, &policy, NULL), MCX_OK);
    assert_string_equal(msg.initiator, from);
    assert_string_equal(msg.responder, to);
    assert_int_equal(mcx_control_key_of(&got, &msg), MCX_OK);
    assert_int_equal(got.key_id, made.key_id);
    assert_memory_equal(got.key.octet, made.key.octet, sizeof got.key.octet);
    assert_int_equal(got.rand_len, made.rand_len);
    assert_memory_equal(got.rand, made.rand, made.rand_len);
    mcx_imessage_clear(&msg);
    mcx_control_key_clear(&made);
    mcx_control_key_clear(&got);
    mcx_control_key_clear(NULL);
    mcx_keyring_free(ring);
}

static void upload_and_download(void **state)
{
    (void)state;
    carried(ALICE, SERVER, 1);
    carried(SERVER, ALICE, 2);
}

static void two_keys_differ(void **state)
{
    struct mcx_keyring *ring = ring_own(1u << 2);
    struct fake_rng fake = { .seed = 3 };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_control_key key[2];
    uint8_t buf[2 * MCX_IMESSAGE_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mcx_csk_make(&key[i], &wr, mcx_bytes_str(ALICE), mcx_bytes_str(SERVER), now, ring, &rng, NULL),
                         MCX_OK);
    }
    assert_true(key[0].key_id != key[1].key_id);
    assert_memory_not_equal(key[0].key.octet, key[1].key.octet, MCX_KEY_LEN);
    assert_memory_not_equal(key[0].rand, key[1].rand, MCX_RAND_LEN);
    mcx_keyring_free(ring);
}

static void both_ways(void **state)
{
    struct channel ch;

    (void)state;
    channel_init(&ch, 1);
    assert_true(mcx_control_ssrc(ch.client) != mcx_control_ssrc(ch.server));
    assert_int_equal(mcx_control_key_id(ch.client), ch.key.key_id);
    for (size_t i = 0; i < 100; i++) {
        struct datagram up = channel_message(ch.client, 20 + 4 * i);
        struct datagram down = channel_message(ch.server, 20 + 4 * i);
        struct datagram got;

        up = channel_protect(ch.client, &up);
        down = channel_protect(ch.server, &down);
        assert_int_equal(channel_take(&got, ch.server, &up), MCX_OK);
        assert_int_equal(got.len, 20 + 4 * i);
        assert_int_equal(channel_take(&got, ch.client, &down), MCX_OK);
        assert_int_equal(got.len, 20 + 4 * i);
    }
    channel_clear(&ch);
}

/* TS 24.380 8.1.1: several messages may share one datagram, each with its own trailer. */
static void several_in_a_datagram(void **state)
{
    struct channel ch;
    struct datagram all = { 0 };
    uint8_t buf[256];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_rd rd;
    uint32_t key_id = 0;

    (void)state;
    channel_init(&ch, 1);
    for (size_t i = 0; i < 3; i++) {
        struct datagram one = channel_message(ch.client, 12 + 8 * i);

        one = channel_protect(ch.client, &one);
        if (i == 1) {
            one.p[9] ^= 1; /* the second one is refused, and the third one is found all the same */
        }
        memcpy(all.p + all.len, one.p, one.len);
        all.len += one.len;
    }
    assert_int_equal(mcx_control_mki(&key_id, mcx_bytes(all.p, all.len)), MCX_OK);
    assert_int_equal(key_id, ch.key.key_id);
    rd = mcx_rd(mcx_bytes(all.p, all.len));
    assert_int_equal(mcx_control_take(ch.server, &wr, &rd, NULL), MCX_OK);
    assert_int_equal(wr.len, 12);
    assert_int_equal(mcx_control_take(ch.server, &wr, &rd, NULL), MCX_E_AUTH);
    assert_int_equal(wr.len, 12);
    assert_int_equal(mcx_control_take(ch.server, &wr, &rd, NULL), MCX_OK);
    assert_int_equal(wr.len, 12 + 28);
    assert_int_equal(rd.len, 0);
    channel_clear(&ch);
}

/* For the life of a key each end has one SSRC, and no index comes twice under it, also where a message did not fit or
 * was not taken (RFC 7714 9.1; docs/SOUNDNESS.md). */
static void no_index_twice(void **state)
{
    struct channel ch;
    struct mcx_control *end[2];

    (void)state;
    channel_init(&ch, 1);
    end[0] = ch.client;
    end[1] = ch.server;
    for (size_t side = 0; side < 2; side++) {
        uint32_t ssrc = mcx_control_ssrc(end[side]);

        for (uint32_t i = 0; i < 200; i++) {
            struct datagram plain = channel_message(end[side], 20);
            struct datagram d = channel_protect(end[side], &plain);
            struct mcx_rd rd = mcx_rd(mcx_bytes(d.p + d.len - 8, 4));
            uint8_t small[20];
            struct mcx_wr wr = mcx_wr(small, sizeof small);
            uint32_t index = 0;

            assert_int_equal(mcx_rd_u32(&rd, &index), MCX_OK);
            assert_int_equal(index, UINT32_C(0x80000000) | i); /* E, and the index */
            assert_int_equal(mcx_control_ssrc(end[side]), ssrc);
            assert_int_equal(mcx_control_protect(end[side], &wr, mcx_bytes(plain.p, plain.len)), MCX_E_SPACE);
            assert_int_equal(wr.len, 0); /* nothing left under an index that comes again */
            d.p[d.len - 10] ^= 1;
            assert_int_equal(channel_take(NULL, end[1 - side], &d), MCX_E_AUTH);
        }
    }
    channel_clear(&ch);
}

/* A client that starts again with its CSK has another SSRC, and the server takes it when it has room. */
static void a_new_context_has_a_new_ssrc(void **state)
{
    struct channel ch;
    struct mcx_control *again = NULL;
    struct mcx_rng rng = { 0 };
    struct fake_rng fake = { .seed = 99 };
    struct datagram one;
    struct datagram got;

    (void)state;
    channel_init(&ch, 2);
    rng = fake_rng(&fake);
    assert_int_equal(mcx_control_new(&again, &ch.key, 1, &rng), MCX_OK);
    assert_true(mcx_control_ssrc(again) != mcx_control_ssrc(ch.client));
    one = channel_message(ch.client, 20);
    one = channel_protect(ch.client, &one);
    assert_int_equal(channel_take(&got, ch.server, &one), MCX_OK);
    one = channel_message(again, 20);
    one = channel_protect(again, &one);
    assert_int_equal(channel_take(&got, ch.server, &one), MCX_OK);
    mcx_control_free(again);
    mcx_control_free(NULL);
    channel_clear(&ch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload_and_download), cmocka_unit_test(two_keys_differ),
        cmocka_unit_test(both_ways),           cmocka_unit_test(several_in_a_datagram),
        cmocka_unit_test(no_index_twice),      cmocka_unit_test(a_new_context_has_a_new_ssrc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
