/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th allocation or random draw fails while a CSK or a control channel is made: an error, nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/control.h>

#include "support/failing_provider.h"
#include "support/fake.h"
#include "support/ring.h"

static mcx_err make_channel(struct mcx_rng rng)
{
    static const struct mcx_control_key key = { .type = MCX_KEY_CSK, .key_id = 0x20000001, .rand_len = 16 };
    struct mcx_control *c = NULL;
    mcx_err err = mcx_control_new(&c, &key, 4, &rng);

    assert_int_equal(err == MCX_OK, c != NULL);
    mcx_control_free(c);
    return err;
}

static struct mcx_keyring *ring;

static mcx_err make_csk(struct mcx_rng rng)
{
    static const struct mcx_control_key none;
    struct mcx_control_key key = { 0 };
    uint8_t buf[MCX_IMESSAGE_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    mcx_err err =
        mcx_csk_make(&key, &wr, mcx_bytes_str("sip:unit07@mcx.example.net"), mcx_bytes_str("sip:gms1@mcx.example.net"),
                     (struct mcx_ntp){ RING_OWN_TIME, 0 }, ring, &rng, NULL);

    assert_int_equal(err == MCX_OK, wr.len > 0);
    assert_true(err == MCX_OK || memcmp(&key, &none, sizeof key) == 0);
    mcx_control_key_clear(&key);
    return err;
}

static size_t every_allocation(mcx_err (*make)(struct mcx_rng))
{
    size_t num_failed = 0;
    struct fake_rng fake = { .seed = 1 };

    assert_int_equal(make(fake_rng(&fake)), MCX_OK); /* the provider has now loaded what it keeps */
    for (size_t n = 1;; n++) {
        mcx_err err;

        fake = (struct fake_rng){ .seed = 1 };
        num_allocs = 0;
        fail_at = n;
        err = make(fake_rng(&fake));
        fail_at = 0;
        if (num_allocs < n) { /* there is no n-th allocation */
            assert_int_equal(err, MCX_OK);
            return num_failed;
        }
        num_failed += err != MCX_OK;
    }
}

static size_t every_draw(mcx_err (*make)(struct mcx_rng))
{
    for (size_t n = 1;; n++) {
        struct fake_rng fake = { .seed = 1, .fail_at = n };
        mcx_err err = make(fake_rng(&fake));

        if (fake.num_calls < n) {
            assert_int_equal(err, MCX_OK);
            return n - 1;
        }
        assert_int_equal(err, MCX_E_RNG);
    }
}

static void allocations(void **state)
{
    (void)state;
    assert_true(every_allocation(make_channel) >= 10); /* two derivations, four ciphers */
    assert_true(every_allocation(make_csk) > 0);
}

static void draws(void **state)
{
    (void)state;
    assert_int_equal(every_draw(make_channel), 1); /* the SSRC */
    assert_int_equal(every_draw(make_csk), 4);     /* CSK, CSK-ID, RAND, j of the signature */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(allocations), cmocka_unit_test(draws) };
    int failed;

    if (!failing_provider()) {
        return 1;
    }
    ring = ring_own(1u << 2);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    mcx_keyring_free(ring);
    return failed;
}
