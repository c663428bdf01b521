/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails while group keys are taken in, sealed and opened, and while speech is sent and heard, for
 * every n: an error, nothing changed, nothing leaks, and it works again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/group_media.h>

#include "support/failing_malloc.h"
#include "support/failing_provider.h"
#include "support/fake.h"
#include "support/group.h"
#include "support/srtp_pair.h"

#define ALICE "sip:alice@example.org"

static size_t wanted;

/* From here on: what an operation needs is there. */
static void arm(void)
{
    num_allocs = 0;
    fail_at = wanted;
}

static const uint8_t store_key[MCX_STORE_KEY_LEN];
static struct mcx_group_keys *held; /* with one key of two groups */
static struct packet sealed_packet;
static uint8_t *sealed_keys;
static size_t sealed_len;

static mcx_err op_accept(void)
{
    static struct mcx_imessage m;
    struct mcx_group_keys *keys = NULL;
    enum mcx_group_key_change change;
    mcx_err err;

    m = group_msg(ALICE, GROUP_GMK_ID, 0);
    arm();
    MCX_GO(err, mcx_group_keys_new(&keys));
    err = group_accept(keys, &change, &m, 1, NULL);
    assert_int_equal(mcx_group_keys_num(keys), err == MCX_OK);
out:
    mcx_group_keys_free(keys);
    return err;
}

/* The held key has two groups or, when it fails, those that it had. */
static mcx_err op_update(void)
{
    static struct mcx_imessage m;
    static unsigned t = 1;
    const struct mcx_group_key *key = mcx_group_keys_at(held, 0);
    enum mcx_group_key_change change;
    mcx_err err;

    m = group_msg(ALICE, GROUP_GMK_ID, ++t);
    m.activation = GROUP_T0;
    m.expiry = GROUP_T0 + 1000 + t;
    group_msg_bind(&m, GROUP_FIRE);
    group_msg_bind(&m, GROUP_RESCUE);
    arm();
    err = group_accept(held, &change, &m, 1, NULL);
    assert_int_equal(key->expiry == m.expiry, err == MCX_OK);
    assert_int_equal(key->num_groups, 2);
    assert_string_equal(key->group[1], GROUP_RESCUE);
    return err;
}

static mcx_err op_info(void)
{
    const struct mcx_group_info info = { .group = GROUP_FIRE, .etag_gktp = "\"7\"" };
    struct mcx_group_keys *keys = NULL;
    mcx_err err;

    arm();
    MCX_GO(err, mcx_group_keys_new(&keys));
    MCX_GO(err, mcx_group_keys_put_info(keys, &info));
    err = mcx_group_keys_put_info(keys, &info);
    assert_int_equal(mcx_group_keys_num_info(keys), 1);
out:
    mcx_group_keys_free(keys);
    return err;
}

static mcx_err op_seal(void)
{
    struct fake_rng state = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&state);
    uint64_t serial = mcx_group_keys_serial(held);
    uint8_t *out = NULL;
    size_t len = 0;
    mcx_err err;

    arm();
    err = mcx_group_keys_seal(&out, &len, held, store_key, &rng);
    assert_int_equal(mcx_group_keys_serial(held) - serial, err == MCX_OK);
    assert_int_equal(out != NULL, err == MCX_OK);
    free(out);
    return err;
}

static mcx_err op_open(void)
{
    struct mcx_group_keys *keys = NULL;
    mcx_err err;

    arm();
    err = mcx_group_keys_open(&keys, mcx_bytes(sealed_keys, sealed_len), store_key, 0, NULL);
    assert_int_equal(keys != NULL, err == MCX_OK);
    mcx_group_keys_free(keys);
    return err;
}

static mcx_err op_send(void)
{
    struct fake_rng state = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&state);
    struct mcx_group_tx *tx = NULL;
    mcx_err err;

    arm();
    err = mcx_group_tx_new(&tx, held, GROUP_FIRE, group_time(1), &rng, NULL);
    assert_int_equal(tx != NULL, err == MCX_OK);
    mcx_group_tx_free(tx);
    return err;
}

static mcx_err op_hear(void)
{
    struct mcx_group_rx *rx = NULL;
    struct mcx_group_speaker speaker;
    struct packet out;
    struct mcx_wr wr = mcx_wr(out.p, sizeof out.p);
    mcx_err err;

    arm();
    MCX_GO(err, mcx_group_rx_new(&rx, held, GROUP_FIRE, NULL));
    err = mcx_group_rx_open(rx, &wr, &speaker, packet_bytes(&sealed_packet), group_time(1), NULL);
    assert_int_equal(mcx_group_rx_counts(rx).opened, err == MCX_OK);
    assert_int_equal(wr.len > 0, err == MCX_OK);
out:
    mcx_group_rx_free(rx);
    return err;
}

static const struct {
    const char *name;
    mcx_err (*run)(void);
} ops[] = {
    { "accept", op_accept }, { "update", op_update }, { "info", op_info }, { "seal", op_seal },
    { "open", op_open },     { "send", op_send },     { "hear", op_hear },
};

static void each_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        size_t total;

        assert_int_equal(ops[i].run(), MCX_OK);
        total = num_allocs;
        for (size_t n = 1; n <= total; n++) {
            mcx_err err;

            wanted = n;
            err = ops[i].run();
            wanted = fail_at = 0;
            if (err != MCX_OK && err != MCX_E_NOMEM && err != MCX_E_BUG) {
                fail_msg("%s, allocation %zu of %zu: %s", ops[i].name, n, total, mcx_err_name(err));
            }
        }
        assert_int_equal(ops[i].run(), MCX_OK);
    }
}

static int setup(void **state)
{
    static struct mcx_imessage m;
    struct fake_rng rng_state = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&rng_state);
    struct mcx_group_tx *tx = NULL;
    struct packet plain;
    struct mcx_wr wr = mcx_wr(sealed_packet.p, sizeof sealed_packet.p);

    (void)state;
    m = group_msg(ALICE, GROUP_GMK_ID, 0);
    group_msg_bind(&m, GROUP_FIRE);
    group_msg_bind(&m, GROUP_RESCUE);
    held = group_keys_with(&m);
    assert_int_equal(mcx_group_keys_seal(&sealed_keys, &sealed_len, held, store_key, &rng), MCX_OK);
    assert_int_equal(mcx_group_tx_new(&tx, held, GROUP_FIRE, group_time(1), &rng, NULL), MCX_OK);
    plain = packet_rtp(mcx_group_tx_ssrc(tx), 1, 60);
    assert_int_equal(mcx_group_tx_protect(tx, &wr, packet_bytes(&plain)), MCX_OK);
    sealed_packet.len = wr.len;
    mcx_group_tx_free(tx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(sealed_keys);
    mcx_group_keys_free(held);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(each_allocation, setup, teardown) };

    if (!failing_provider()) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
