/* SPDX-License-Identifier: Apache-2.0 */
/* What a control channel refuses: plaintext, other keys, its own packets, forged, cut and repeated ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "support/control.h"
#include "support/fake.h"
#include "support/ring.h"

#define TRAILER 24 /* tag, E and index, MKI */

static struct datagram sealed(struct mcx_control *from, size_t len)
{
    struct datagram d = channel_message(from, len);

    return channel_protect(from, &d);
}

static void every_flipped_bit(void **state)
{
    struct channel ch;
    struct datagram first;

    (void)state;
    channel_init(&ch, 1);
    first = sealed(ch.client, 20);
    for (size_t bit = 0; bit < first.len * 8; bit++) {
        struct datagram d = first;
        struct datagram got;

        d.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(channel_take(&got, ch.server, &d), MCX_OK);
        assert_int_equal(got.len, 0);
    }
    assert_int_equal(channel_take(NULL, ch.server, &first), MCX_OK); /* nothing of it has moved the state */
    assert_int_equal(channel_take(NULL, ch.server, &first), MCX_E_REPLAY);
    channel_clear(&ch);
}

static void every_length(void **state)
{
    struct channel ch;
    struct datagram whole;

    (void)state;
    channel_init(&ch, 1);
    whole = sealed(ch.client, 20);
    for (size_t len = 0; len < whole.len; len++) {
        struct datagram d = whole;
        uint32_t key_id = 0;

        d.len = len;
        assert_int_equal(channel_take(NULL, ch.server, &d), MCX_E_TRUNC);
        assert_int_equal(mcx_control_mki(&key_id, mcx_bytes(d.p, d.len)), MCX_E_TRUNC);
    }
    channel_clear(&ch);
}

/* Plain messages are dropped, alone and when so many follow each other that their ends seem to be found. */
static void plaintext(void **state)
{
    struct channel ch;
    struct datagram plain;
    struct datagram many = { 0 };

    (void)state;
    channel_init(&ch, 1);
    plain = channel_message(ch.client, 20);
    assert_int_equal(channel_take(NULL, ch.server, &plain), MCX_E_TRUNC);
    for (size_t i = 0; i < 10; i++) {
        memcpy(many.p + many.len, plain.p, plain.len);
        many.len += plain.len;
    }
    assert_int_equal(channel_take(NULL, ch.server, &many), MCX_E_POLICY); /* what stands where E should be */
    channel_clear(&ch);
}

/* E = 0: plaintext with everything of a protected message but the encryption. */
static void not_encrypted(void **state)
{
    struct channel ch;
    struct datagram d;

    (void)state;
    channel_init(&ch, 1);
    d = sealed(ch.client, 20);
    d.p[20 + 16] &= 0x7f;
    assert_int_equal(channel_take(NULL, ch.server, &d), MCX_E_POLICY);
    channel_clear(&ch);
}

static void own_packets(void **state)
{
    struct channel ch;
    struct datagram d;
    struct mcx_refusal why = { "", "" };
    uint8_t buf[64];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_rd rd;

    (void)state;
    channel_init(&ch, 4);
    d = sealed(ch.server, 20);
    rd = mcx_rd(mcx_bytes(d.p, d.len));
    assert_int_equal(mcx_control_take(ch.server, &wr, &rd, &why), MCX_E_POLICY);
    assert_string_equal(why.clause, "RFC 7714 9.1");
    assert_int_equal(rd.len, 0);
    assert_int_equal(channel_take(NULL, ch.client, &d), MCX_OK);
    channel_clear(&ch);
}

static void another_key(void **state)
{
    struct channel ch;
    struct mcx_control_key key;
    struct mcx_control *other = NULL;
    struct fake_rng fake = { .seed = 8 };
    struct mcx_rng rng = fake_rng(&fake);
    struct datagram d;

    (void)state;
    channel_init(&ch, 1);
    key = ch.key;
    key.key_id++;
    assert_int_equal(mcx_control_new(&other, &key, 1, &rng), MCX_OK);
    d = sealed(other, 20);
    assert_int_equal(channel_take(NULL, ch.server, &d), MCX_E_NOKEY);
    mcx_control_free(other);
    key.key_id--;
    key.key.octet[15] ^= 1; /* the right name and a wrong key */
    assert_int_equal(mcx_control_new(&other, &key, 1, &rng), MCX_OK);
    d = sealed(other, 20);
    assert_int_equal(channel_take(NULL, ch.server, &d), MCX_E_AUTH);
    mcx_control_free(other);
    key.key.octet[15] ^= 1;
    key.rand[15] ^= 1; /* and a wrong RAND */
    assert_int_equal(mcx_control_new(&other, &key, 1, &rng), MCX_OK);
    d = sealed(other, 20);
    assert_int_equal(channel_take(NULL, ch.server, &d), MCX_E_AUTH);
    mcx_control_free(other);
    channel_clear(&ch);
}

static void one_sender_too_many(void **state)
{
    struct channel ch;
    struct mcx_control *other = NULL;
    struct fake_rng fake = { .seed = 8 };
    struct mcx_rng rng = fake_rng(&fake);
    struct datagram d;

    (void)state;
    channel_init(&ch, 1);
    assert_int_equal(mcx_control_new(&other, &ch.key, 1, &rng), MCX_OK);
    d = sealed(ch.client, 20);
    assert_int_equal(channel_take(NULL, ch.server, &d), MCX_OK);
    d = sealed(other, 20);
    assert_int_equal(channel_take(NULL, ch.server, &d), MCX_E_POLICY);
    d = sealed(ch.client, 20);
    assert_int_equal(channel_take(NULL, ch.server, &d), MCX_OK);
    mcx_control_free(other);
    channel_clear(&ch);
}

/* What may not leave: another SSRC, a message whose end the receiver could not find, one that does not fit. */
static void refused_to_send(void **state)
{
    struct channel ch;
    struct datagram d;
    uint8_t buf[20 + TRAILER];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf - 1);

    (void)state;
    channel_init(&ch, 1);
    d = channel_message(ch.server, 20);
    assert_int_equal(mcx_control_protect(ch.client, &wr, mcx_bytes(d.p, 20)), MCX_E_STATE);
    d = channel_message(ch.client, 20);
    assert_int_equal(mcx_control_protect(ch.client, &wr, mcx_bytes(d.p, 16)), MCX_E_FORMAT);
    assert_int_equal(mcx_control_protect(ch.client, &wr, mcx_bytes(d.p, 24)), MCX_E_FORMAT);
    assert_int_equal(mcx_control_protect(ch.client, &wr, mcx_bytes(d.p, 7)), MCX_E_FORMAT);
    assert_int_equal(mcx_control_protect(ch.client, &wr, mcx_bytes(d.p, 20)), MCX_E_SPACE);
    assert_int_equal(wr.len, 0);
    wr.cap++;
    assert_int_equal(mcx_control_protect(ch.client, &wr, mcx_bytes(d.p, 20)), MCX_OK);
    assert_int_equal(wr.len, sizeof buf);
    channel_clear(&ch);
}

static void keys_that_are_none(void **state)
{
    struct mcx_imessage msg = { .type = MCX_KEY_CSK, .key_id = 0x20000001, .rand_len = 16 };
    struct mcx_control_key key = { 0 };
    struct mcx_control *c = NULL;
    struct fake_rng fake = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&fake);

    (void)state;
    assert_int_equal(mcx_control_key_of(&key, &msg), MCX_OK);
    msg.no_streams = true;
    assert_int_equal(mcx_control_key_of(&key, &msg), MCX_E_POLICY);
    msg.no_streams = false;
    for (unsigned type = 0; type < MCX_NUM_KEY_TYPES; type++) {
        bool good = type == MCX_KEY_CSK || type == MCX_KEY_SPK;

        msg.type = type;
        assert_int_equal(mcx_control_key_of(&key, &msg), good ? MCX_OK : MCX_E_POLICY);
        key.type = type;
        assert_int_equal(mcx_control_new(&c, &key, 1, &rng), good ? MCX_OK : MCX_E_ARG);
        mcx_control_free(c);
        c = NULL;
    }
    key.type = MCX_KEY_CSK;
    assert_int_equal(mcx_control_new(&c, &key, 0, &rng), MCX_E_ARG);
    assert_int_equal(mcx_control_new(&c, &key, MCX_SRTP_SSRC_MAX + 1, &rng), MCX_E_ARG);
    key.rand_len = 0;
    assert_int_equal(mcx_control_new(&c, &key, 1, &rng), MCX_E_ARG);
    assert_null(c);
}

/* No key set for the sender, no KMS for the receiver: nothing is made. */
static void no_csk(void **state)
{
    struct mcx_keyring *ring = ring_own(1u << 2);
    struct fake_rng fake = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&fake);
    static const struct mcx_control_key none;
    struct mcx_control_key key = { 0 };
    uint8_t buf[MCX_IMESSAGE_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_bytes me = mcx_bytes_str("sip:unit07@mcx.example.net");
    struct mcx_bytes stranger = mcx_bytes_str("sip:unit08@mcx.example.net");
    struct mcx_refusal why = { "", "" };

    (void)state;
    assert_int_equal(mcx_csk_make(&key, &wr, stranger, me, (struct mcx_ntp){ RING_OWN_TIME, 0 }, ring, &rng, &why),
                     MCX_E_NOKEY);
    assert_string_not_equal(why.reason, "");
    assert_int_equal(
        mcx_csk_make(&key, &wr, me, mcx_bytes(NULL, 0), (struct mcx_ntp){ RING_OWN_TIME, 0 }, ring, &rng, NULL),
        MCX_E_ARG);
    wr.cap = 100;
    assert_int_equal(mcx_csk_make(&key, &wr, me, stranger, (struct mcx_ntp){ RING_OWN_TIME, 0 }, ring, &rng, NULL),
                     MCX_E_SPACE);
    assert_int_equal(wr.len, 0);
    assert_memory_equal(&key, &none, sizeof key);
    mcx_keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit),  cmocka_unit_test(every_length),
        cmocka_unit_test(plaintext),          cmocka_unit_test(not_encrypted),
        cmocka_unit_test(own_packets),        cmocka_unit_test(another_key),
        cmocka_unit_test(refused_to_send),    cmocka_unit_test(one_sender_too_many),
        cmocka_unit_test(keys_that_are_none), cmocka_unit_test(no_csk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
