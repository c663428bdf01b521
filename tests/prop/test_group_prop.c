/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group keys and media over random histories: the key to send with is the one that a search by the rule
 * (usable, latest activation) finds; whatever came and went, each key that is held is found by its identifier, and no
 * other; and whatever is lost, repeated or overtaken on the way, each packet that arrives is heard once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/group_media.h>

#include "keys/group_keys_int.h"
#include "support/fake.h"
#include "support/group.h"
#include "support/srtp_pair.h"

#define NUM_KEYS     6
#define NUM_SPEAKERS 5
#define NUM_PACKETS  400
#define NUM_IDS      600 /* more than are held */

static struct fake_rng rng_state = { .seed = 11 };

static unsigned draw(unsigned below)
{
    struct mcx_rng rng = fake_rng(&rng_state);
    uint32_t v = 0;

    assert_int_equal(mcx_rng_fill(&rng, &v, sizeof v), MCX_OK);
    return (unsigned)(v >> 8) % below;
}

/* What the model knows of a key; times are after GROUP_T0. */
struct model {
    unsigned activation, expiry, t;
    bool revoked;
};

static uint32_t model_send(const struct model *m, unsigned now)
{
    const struct model *best = NULL;

    for (size_t i = 0; i < NUM_KEYS; i++) {
        bool usable = !m[i].revoked && m[i].activation <= now && now < m[i].expiry;

        if (usable && (best == NULL || m[i].activation > best->activation ||
                       (m[i].activation == best->activation && m[i].t > best->t))) {
            best = &m[i];
        }
    }
    return best == NULL ? 0 : (uint32_t)(best - m) + 1;
}

static void choice_is_the_rule(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        struct mcx_group_keys *keys = NULL;
        struct model model[NUM_KEYS] = { 0 };

        assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
        for (unsigned i = 0; i < NUM_KEYS; i++) {
            struct mcx_imessage m = group_msg("sip:alice@example.org", i + 1, i);
            enum mcx_group_key_change change;

            model[i] = (struct model){ 10 + draw(4) * 10, 30 + draw(5) * 10, i, draw(4) == 0 };
            m.activation = GROUP_T0 + model[i].activation;
            m.expiry = GROUP_T0 + model[i].expiry;
            m.key_status = !model[i].revoked;
            assert_int_equal(group_accept(keys, &change, &m, 0, NULL), MCX_OK);
        }
        for (unsigned now = 0; now < 90; now += 5) {
            const struct mcx_group_key *key = NULL;
            mcx_err err = mcx_group_keys_send(&key, keys, MCX_KEY_GMK, GROUP_FIRE, group_time(now), NULL);

            assert_int_equal(err == MCX_OK ? key->key_id : 0, model_send(model, now));
            if (draw(5) == 0) {
                (void)mcx_group_keys_expire(keys, group_time(now)); /* changes nothing but what is kept */
            }
        }
        mcx_group_keys_free(keys);
    }
}

static uint32_t id_of(unsigned n)
{
    return n % 2 == 0 ? n : (n * 0x9E3779B9u) & 0x0fffffffu; /* side by side, and all over */
}

static void found_as_held(const struct mcx_group_keys *keys)
{
    size_t num = 0;

    for (size_t i = 0; i < mcx_group_keys_num(keys); i++) {
        const struct mcx_group_key *key = mcx_group_keys_at(keys, i);

        assert_ptr_equal(mcx_group_key_find(keys, key->key_id), key);
    }
    for (unsigned n = 0; n < NUM_IDS; n++) {
        const struct mcx_group_key *key = mcx_group_key_find(keys, id_of(n));

        assert_true(key == NULL || key->key_id == id_of(n));
        num += key != NULL;
    }
    assert_int_equal(num, mcx_group_keys_num(keys));
}

static void seal_and_open(struct mcx_group_keys **keys)
{
    static const uint8_t store_key[MCX_STORE_KEY_LEN] = { 1 };
    struct mcx_rng rng = fake_rng(&rng_state);
    uint8_t *sealed = NULL;
    size_t len = 0;

    assert_int_equal(mcx_group_keys_seal(&sealed, &len, *keys, store_key, &rng), MCX_OK);
    mcx_group_keys_free(*keys);
    assert_int_equal(mcx_group_keys_open(keys, mcx_bytes(sealed, len), store_key, 0, NULL), MCX_OK);
    free(sealed);
}

/* Mostly new keys until the set is full, then a dead one has to go for each. */
static void each_key_is_found(void **state)
{
    struct mcx_group_keys *keys = NULL;
    size_t most = 0;

    (void)state;
    assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
    for (unsigned t = 0; t < 4000; t++) {
        struct mcx_imessage m = group_msg("sip:alice@example.org", id_of(draw(NUM_IDS)), t);
        enum mcx_group_key_change change;
        mcx_err err = MCX_OK;

        group_msg_bind(&m, draw(50) == 0 ? GROUP_RESCUE : GROUP_FIRE);
        m.key_status = draw(4) != 0;
        err = mcx_group_keys_accept(keys, &change, &m, GROUP_GMS, m.groups[0], group_time(t), NULL);
        assert_true(err == MCX_OK || err == MCX_E_POLICY || err == MCX_E_SPACE); /* a revoked one again; no room */
        if (draw(100) == 0) {
            (void)mcx_group_keys_drop_group(keys, GROUP_RESCUE);
        }
        if (draw(2000) == 0) {
            (void)mcx_group_keys_drop_group(keys, GROUP_FIRE);
        }
        if (draw(500) == 0) {
            seal_and_open(&keys);
        }
        most = mcx_group_keys_num(keys) > most ? mcx_group_keys_num(keys) : most;
        found_as_held(keys);
    }
    assert_int_equal(most, MCX_GROUP_KEYS_MAX);
    mcx_group_keys_free(keys);
}

static void each_packet_once(void **state)
{
    static struct packet sent[NUM_PACKETS];
    struct mcx_rng rng = fake_rng(&rng_state);
    struct mcx_imessage m = group_msg("sip:listener@example.org", GROUP_GMK_ID, 0);
    struct mcx_group_keys *keys = group_keys_with(&m);
    struct mcx_group_rx *rx = NULL;
    struct mcx_group_tx *tx[NUM_SPEAKERS];
    uint16_t seq[NUM_SPEAKERS];
    bool heard[NUM_PACKETS] = { false };

    (void)state;
    assert_int_equal(mcx_group_rx_new(&rx, keys, GROUP_FIRE, NULL), MCX_OK);
    for (unsigned i = 0; i < NUM_SPEAKERS; i++) {
        char user[] = "sip:speaker0@example.org";
        struct mcx_group_keys *own = NULL;

        user[11] = (char)('0' + i);
        m = group_msg(user, GROUP_GMK_ID, 0);
        own = group_keys_with(&m);
        assert_int_equal(mcx_group_tx_new(&tx[i], own, GROUP_FIRE, group_time(1), &rng, NULL), MCX_OK);
        mcx_group_keys_free(own); /* a sender keeps what it needs */
        seq[i] = (uint16_t)(65536 - draw(40));
    }
    for (unsigned n = 0; n < NUM_PACKETS; n++) {
        unsigned i = draw(NUM_SPEAKERS);
        struct packet plain = packet_rtp(mcx_group_tx_ssrc(tx[i]), seq[i]++, 20);
        struct mcx_wr wr = mcx_wr(sent[n].p, sizeof sent[n].p);

        assert_int_equal(mcx_group_tx_protect(tx[i], &wr, packet_bytes(&plain)), MCX_OK);
        sent[n].len = wr.len;
    }
    for (unsigned n = 0; n < 4 * NUM_PACKETS; n++) {
        unsigned at = n / 4 + draw(30); /* some never, some often, none later than the window */
        struct mcx_group_speaker speaker;
        struct packet out;
        struct mcx_wr wr = mcx_wr(out.p, sizeof out.p);

        at = at < NUM_PACKETS ? at : NUM_PACKETS - 1;
        assert_int_equal(mcx_group_rx_open(rx, &wr, &speaker, packet_bytes(&sent[at]), group_time(1), NULL),
                         heard[at] ? MCX_E_REPLAY : MCX_OK);
        heard[at] = true;
    }
    assert_int_equal(mcx_group_rx_counts(rx).refused, 0);
    assert_int_equal(mcx_group_rx_counts(rx).derived, NUM_SPEAKERS);
    for (unsigned i = 0; i < NUM_SPEAKERS; i++) {
        mcx_group_tx_free(tx[i]);
    }
    mcx_group_rx_free(rx);
    mcx_group_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choice_is_the_rule),
        cmocka_unit_test(each_key_is_found),
        cmocka_unit_test(each_packet_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
