/* SPDX-License-Identifier: Apache-2.0 */
/* Channels whose key is replaced: which key protects, which open, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <mcx/channel.h>

static struct mcx_rng rng;

static struct mcx_control_key key(uint32_t id)
{
    struct mcx_control_key k = { .type = MCX_KEY_CSK, .key_id = UINT32_C(0x20000000) | id, .rand_len = MCX_RAND_LEN };

    memset(&k.key, (int)id, sizeof k.key);
    return k;
}

static struct mcx_channel *channel(void)
{
    struct mcx_channel *c = NULL;

    assert_int_equal(mcx_channel_new(&c), MCX_OK);
    return c;
}

static void set(struct mcx_channel *c, uint32_t id)
{
    struct mcx_control_key k = key(id);

    assert_int_equal(mcx_channel_set(c, &k, &rng), MCX_OK);
}

static uint32_t protects_with(struct mcx_channel *c)
{
    struct mcx_control *s = mcx_channel_sender(c);

    return s == NULL ? 0 : mcx_control_key_id(s) & 0xfffffff;
}

/* A message of the peer under one of its keys. */
static struct mcx_bytes message(struct mcx_control *from, uint8_t buf[128])
{
    uint8_t plain[20];
    struct mcx_wr wr = mcx_wr(plain, sizeof plain);
    struct mcx_wr out = mcx_wr(buf, 128);

    assert_int_equal(mcx_wr_u32(&wr, 0x80cc0004), MCX_OK);
    assert_int_equal(mcx_wr_u32(&wr, mcx_control_ssrc(from)), MCX_OK);
    assert_int_equal(mcx_wr_put(&wr, mcx_bytes("MCPT\0\2\5\0\r\2\x80\0", 12)), MCX_OK);
    assert_int_equal(mcx_control_protect(from, &out, mcx_wr_done(&wr)), MCX_OK);
    return mcx_wr_done(&out);
}

static mcx_err take(struct mcx_channel *c, struct mcx_bytes datagram)
{
    uint8_t plain[128];
    struct mcx_wr out = mcx_wr(plain, sizeof plain);
    struct mcx_rd rd = mcx_rd(datagram);
    struct mcx_refusal why;
    mcx_err err = mcx_channel_take(c, &out, &rd, &why);

    assert_int_equal(rd.len, err == MCX_E_TRUNC ? datagram.len : 0);
    return err;
}

static struct mcx_control *peer(uint32_t id)
{
    struct mcx_control_key k = key(id);
    struct mcx_control *c = NULL;

    assert_int_equal(mcx_control_new(&c, &k, 1, &rng), MCX_OK);
    return c;
}

static void the_old_key_opens_until_the_new_one_was_used(void **state)
{
    struct mcx_channel *c = channel();
    struct mcx_control *one = peer(1), *two = peer(2);
    struct mcx_control_key again = key(2);
    uint8_t buf[128];

    (void)state;
    assert_null(mcx_channel_sender(c));
    set(c, 1);
    assert_int_equal(protects_with(c), 1);
    assert_int_equal(take(c, message(one, buf)), MCX_OK);
    set(c, 2);
    assert_int_equal(protects_with(c), 2);
    assert_int_equal(mcx_channel_set(c, &again, &rng), MCX_E_REPLAY);
    assert_int_equal(take(c, message(one, buf)), MCX_OK);
    assert_int_equal(take(c, message(two, buf)), MCX_OK);
    assert_false(mcx_channel_has(c, key(1).key_id));
    assert_int_equal(take(c, message(one, buf)), MCX_E_NOKEY);
    mcx_control_free(one);
    mcx_control_free(two);
    mcx_channel_free(c);
}

static void a_refused_message_changes_nothing(void **state)
{
    struct mcx_channel *c = channel();
    struct mcx_control *two = peer(2);
    uint8_t buf[128];
    struct mcx_bytes m;

    (void)state;
    set(c, 1);
    set(c, 2);
    m = message(two, buf);
    buf[20] ^= 1;
    assert_int_equal(take(c, m), MCX_E_AUTH);
    assert_true(mcx_channel_has(c, key(1).key_id)); /* a forgery does not end the old key */
    assert_int_equal(take(c, mcx_bytes(buf, 3)), MCX_E_TRUNC);
    buf[0] ^= 0x40;
    assert_int_equal(take(c, m), MCX_E_FORMAT); /* nobody tries it again: nothing of the datagram is left */
    mcx_control_free(two);
    mcx_channel_free(c);
}

static void offered_key_opens_and_protects_when_accepted(void **state)
{
    struct mcx_channel *c = channel();
    struct mcx_control_key two = key(2), three = key(3);
    struct mcx_control *p = peer(4);
    uint8_t buf[128];

    (void)state;
    set(c, 1);
    assert_int_equal(mcx_channel_offer(c, &two, &rng), MCX_OK);
    assert_int_equal(protects_with(c), 1);
    assert_true(mcx_channel_has(c, two.key_id));
    assert_int_equal(mcx_channel_answered(c, 488), MCX_CHANNEL_REFUSED);
    assert_false(mcx_channel_has(c, two.key_id));
    assert_int_equal(mcx_channel_answered(c, 200), MCX_CHANNEL_TAKEN); /* there is nothing to accept */
    assert_int_equal(protects_with(c), 1);
    assert_int_equal(mcx_channel_offer(c, &two, &rng), MCX_OK);
    assert_int_equal(mcx_channel_answered(c, 200), MCX_CHANNEL_TAKEN);
    assert_int_equal(protects_with(c), 2);
    assert_true(mcx_channel_has(c, key(1).key_id));
    assert_int_equal(mcx_channel_offer(c, &three, &rng), MCX_OK);
    set(c, 4); /* an upload overtakes the offer, which the peer may have taken all the same */
    assert_true(mcx_channel_has(c, three.key_id));
    assert_int_equal(mcx_channel_answered(c, 200), MCX_CHANNEL_TAKEN);
    assert_int_equal(protects_with(c), 4);
    assert_int_equal(take(c, message(p, buf)), MCX_OK);
    assert_false(mcx_channel_has(c, three.key_id));
    mcx_control_free(p);
    mcx_channel_free(c);
}

static void use_of_an_offered_key_accepts_it(void **state)
{
    struct mcx_channel *c = channel();
    struct mcx_control_key two = key(2);
    struct mcx_control *p = peer(2);
    uint8_t buf[128];

    (void)state;
    set(c, 1);
    assert_int_equal(mcx_channel_offer(c, &two, &rng), MCX_OK);
    assert_int_equal(take(c, message(p, buf)), MCX_OK);
    assert_int_equal(protects_with(c), 2);
    assert_false(mcx_channel_has(c, key(1).key_id));
    assert_int_equal(take(c, mcx_bytes(buf, 44)), MCX_E_REPLAY);
    mcx_control_free(p);
    mcx_channel_free(c);
}

/* Offers without an answer: the peer may have taken either of the last two. */
static void unanswered_offers_go_on_opening(void **state)
{
    struct mcx_channel *c = channel();
    struct mcx_control_key two = key(2), three = key(3), four = key(4);
    struct mcx_control *p = peer(3);
    uint8_t buf[128];

    (void)state;
    set(c, 1);
    assert_int_equal(mcx_channel_offer(c, &two, &rng), MCX_OK);
    assert_int_equal(mcx_channel_offer(c, &three, &rng), MCX_OK);
    assert_true(mcx_channel_has(c, two.key_id));
    assert_int_equal(mcx_channel_offer(c, &four, &rng), MCX_OK);
    assert_false(mcx_channel_has(c, two.key_id));
    assert_int_equal(take(c, message(p, buf)), MCX_OK);
    assert_int_equal(protects_with(c), 3);
    assert_false(mcx_channel_has(c, key(1).key_id));
    assert_true(mcx_channel_has(c, four.key_id)); /* still on its way */
    assert_int_equal(mcx_channel_answered(c, 200), MCX_CHANNEL_TAKEN);
    assert_int_equal(protects_with(c), 4);
    assert_int_equal(mcx_channel_offer(c, &two, &rng), MCX_OK);
    two = key(5);
    assert_int_equal(mcx_channel_offer(c, &two, &rng), MCX_OK);
    assert_int_equal(mcx_channel_answered(c, 600),
                     MCX_CHANNEL_REFUSED); /* a refusal of the later one says nothing of the earlier */
    assert_true(mcx_channel_has(c, key(2).key_id));
    mcx_control_free(p);
    mcx_channel_free(c);
}

/* The peer may not know that we have any of the new ones: what it used last goes on opening, with the last three. */
static void what_the_peer_used_outlives_what_it_did_not(void **state)
{
    struct mcx_channel *c = channel();
    struct mcx_control *one = peer(1), *nine = peer(9);
    uint8_t buf[128];

    (void)state;
    set(c, 1);
    assert_int_equal(take(c, message(one, buf)), MCX_OK);
    for (uint32_t id = 2; id < 10; id++) {
        set(c, id);
        assert_int_equal(protects_with(c), id);
        assert_int_equal(take(c, message(one, buf)), MCX_OK);
        for (uint32_t held = 2; held < 10; held++) {
            assert_int_equal(mcx_channel_has(c, key(held).key_id), held <= id && held + 2 >= id);
        }
    }
    assert_int_equal(take(c, message(nine, buf)), MCX_OK);
    for (uint32_t id = 1; id < 9; id++) {
        assert_false(mcx_channel_has(c, key(id).key_id));
    }
    mcx_control_free(one);
    mcx_control_free(nine);
    mcx_channel_free(c);
}

static void answers(void **state)
{
    static const struct {
        unsigned code;
        enum mcx_channel_answer want;
    } answer[] = { { 200, MCX_CHANNEL_TAKEN },      { 202, MCX_CHANNEL_TAKEN },      { 400, MCX_CHANNEL_REFUSED },
                   { 403, MCX_CHANNEL_REFUSED },    { 488, MCX_CHANNEL_REFUSED },    { 603, MCX_CHANNEL_REFUSED },
                   { 0, MCX_CHANNEL_UNANSWERED },   { 302, MCX_CHANNEL_UNANSWERED }, { 408, MCX_CHANNEL_UNANSWERED },
                   { 500, MCX_CHANNEL_UNANSWERED }, { 503, MCX_CHANNEL_UNANSWERED } };

    (void)state;
    for (size_t i = 0; i < sizeof answer / sizeof answer[0]; i++) {
        struct mcx_channel *c = channel();
        struct mcx_control_key two = key(2);

        set(c, 1);
        assert_int_equal(mcx_channel_offer(c, &two, &rng), MCX_OK);
        assert_int_equal(mcx_channel_answered(c, answer[i].code), answer[i].want);
        assert_int_equal(protects_with(c), answer[i].want == MCX_CHANNEL_TAKEN ? 2 : 1);
        assert_int_equal(mcx_channel_has(c, two.key_id), answer[i].want != MCX_CHANNEL_REFUSED);
        mcx_channel_free(c);
    }
}

static void wrong_keys(void **state)
{
    struct mcx_channel *c = channel();
    struct mcx_control_key k = key(1);

    (void)state;
    k.type = MCX_KEY_GMK;
    assert_int_equal(mcx_channel_set(c, &k, &rng), MCX_E_ARG);
    assert_null(mcx_channel_sender(c));
    mcx_channel_free(c);
    mcx_channel_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_key_opens_until_the_new_one_was_used),
        cmocka_unit_test(a_refused_message_changes_nothing),
        cmocka_unit_test(offered_key_opens_and_protects_when_accepted),
        cmocka_unit_test(use_of_an_offered_key_accepts_it),
        cmocka_unit_test(unanswered_offers_go_on_opening),
        cmocka_unit_test(what_the_peer_used_outlives_what_it_did_not),
        cmocka_unit_test(answers),
        cmocka_unit_test(wrong_keys),
    };

    rng = mcx_rng_system();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
