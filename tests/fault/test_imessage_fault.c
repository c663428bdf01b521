/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th random draw, the n-th allocation of ours and the n-th one of the provider fail while keyrings, replay
 * caches and I_MESSAGEs are made, for every n: an error, outputs untouched or wiped, no leak, and it works again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/failing_malloc.h"
#include "support/failing_provider.h"
#include "support/fake.h"
#include "support/ring.h"

#define OWN2 "mikey-imessages/own-2-pck-sakke-to-self.txt"


static struct mcx_kms_cert cert;
static struct mcx_kms_key_set set;
static struct mcx_keyring *ring; /* unit07 and unit08 */
static struct vec message;
static const struct mcx_ntp now = { RING_OWN_TIME, 0 };
static const struct mcx_imessage_policy strict;

static mcx_err op_keyring(void)
{
    struct mcx_keyring *r = NULL;
    mcx_err err;

    MCX_GO(err, mcx_keyring_new(&r, MCX_SAKKE_TABLES_NONE));
    MCX_GO(err, mcx_keyring_add_cert(r, &cert, NULL));
    MCX_GO(err, mcx_keyring_add_key_set(r, &set, NULL));
out:
    mcx_keyring_free(r);
    return err;
}

static mcx_err op_replay(void)
{
    struct mcx_replay *r = NULL;
    mcx_err err = mcx_replay_new(&r, 100);

    mcx_replay_free(r);
    return err;
}

static mcx_err make(struct mcx_rng rng)
{
    static const struct mcx_key key = { { 1, 2, 3 } };
    static const struct mcx_key_params kp = { .status = 1 };
    static const uint8_t rand[MCX_RAND_LEN];
    static uint8_t buf[MCX_IMESSAGE_MAX];
    struct mcx_wr out = mcx_wr(buf, sizeof buf);
    struct mcx_imessage_params p = { .type = MCX_KEY_PCK,
                                     .key = &key,
                                     .key_id = 0x10000001,
                                     .rand = mcx_bytes(rand, sizeof rand),
                                     .time = now,
                                     .from = mcx_bytes_str("sip:unit07@mcx.example.net"),
                                     .to = mcx_bytes_str("sip:unit08@mcx.example.net"),
                                     .sakke_to_self = true,
                                     .key_params = &kp };
    mcx_err err = mcx_imessage_make(&out, &p, ring, &rng, NULL);

    assert_int_equal(out.len > 0, err == MCX_OK);
    return err;
}

static mcx_err op_make(void)
{
    struct fake_rng state = { .seed = 1 };

    return make(fake_rng(&state));
}

static mcx_err op_open(void)
{
    static const struct mcx_imessage wiped;
    static struct mcx_imessage msg;
    mcx_err err = mcx_imessage_open(&msg, vec_bytes(&message), ring, NULL, now, &strict, NULL);

    assert_true(err == MCX_OK || memcmp(&msg, &wiped, sizeof msg) == 0);
    mcx_imessage_clear(&msg);
    return err;
}

static size_t every_allocation(mcx_err (*op)(void))
{
    size_t num_failed = 0;

    assert_int_equal(op(), MCX_OK); /* the provider has now loaded what it keeps */
    for (size_t n = 1;; n++) {
        mcx_err err;

        num_allocs = 0;
        fail_at = n;
        err = op();
        fail_at = 0;
        if (num_allocs < n) {
            assert_int_equal(err, MCX_OK);
            break;
        }
        num_failed += err != MCX_OK;
    }
    assert_int_equal(op(), MCX_OK);
    return num_failed;
}

static void test_keyring(void **state)
{
    (void)state;
    assert_true(every_allocation(op_keyring) > 0);
}

static void test_replay_cache(void **state)
{
    size_t n = every_allocation(op_replay);

    (void)state;
#ifndef SANITIZED
    assert_int_equal(n, 5);
#else
    assert_int_equal(n, 0); /* none of them is the provider's */
#endif
}

static void test_make(void **state)
{
    (void)state;
    assert_true(every_allocation(op_make) > 0);
}

static void test_open(void **state)
{
    (void)state;
    assert_true(every_allocation(op_open) > 0);
}

static void test_random_draws(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct fake_rng rng_state = { .seed = 1, .fail_at = n };
        mcx_err err = make(fake_rng(&rng_state));

        if (rng_state.num_calls < n) {
            assert_int_equal(err, MCX_OK);
            assert_int_equal(n, 3); /* the IV and j */
            break;
        }
        assert_int_equal(err, MCX_E_RNG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keyring), cmocka_unit_test(test_replay_cache), cmocka_unit_test(test_make),
        cmocka_unit_test(test_open),    cmocka_unit_test(test_random_draws),
    };
    int failed;

    if (!failing_provider()) {
        return 1;
    }
    cert = ring_cert_own();
    set = ring_set_own(2);
    ring = ring_own(1u << 2 | 1u << 3);
    message = vec_get(OWN2, NULL, "message");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    mcx_keyring_free(ring);
    ring_cert_clear(&cert);
    ring_set_clear(&set);
    return failed;
}
