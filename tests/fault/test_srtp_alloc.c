/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th allocation of the provider fails while an SRTP context is made: an error, nothing leaks, then it works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "support/failing_provider.h"
#include "support/srtp_pair.h"

static mcx_err make_tx(const struct mcx_srtp_params *params)
{
    struct mcx_srtp_tx *tx = NULL;
    mcx_err err = mcx_srtp_tx_new(&tx, params);

    assert_int_equal(err == MCX_OK, tx != NULL);
    mcx_srtp_tx_free(tx);
    return err;
}

static mcx_err make_rx(const struct mcx_srtp_params *params)
{
    struct mcx_srtp_rx *rx = NULL;
    mcx_err err = mcx_srtp_rx_new(&rx, params, 4);

    assert_int_equal(err == MCX_OK, rx != NULL);
    mcx_srtp_rx_free(rx);
    return err;
}

static void every_allocation(mcx_err (*make)(const struct mcx_srtp_params *params))
{
    struct pair pair;
    size_t num_failed = 0;

    pair_init(&pair, 4, 0, 1); /* the provider has now loaded what it keeps */
    for (size_t n = 1;; n++) {
        mcx_err err;

        num_allocs = 0;
        fail_at = n;
        err = make(&pair.params);
        fail_at = 0;
        if (num_allocs < n) { /* there is no n-th allocation */
            assert_int_equal(err, MCX_OK);
            break;
        }
        if (err != MCX_OK) {
            assert_true(err == MCX_E_NOMEM || err == MCX_E_BUG);
            num_failed++;
        }
    }
    assert_true(num_failed >= 6); /* four derivations and two ciphers at least */
    assert_int_equal(make(&pair.params), MCX_OK);
    pair_clear(&pair);
}

static void sender(void **state)
{
    (void)state;
    every_allocation(make_tx);
}

static void receiver(void **state)
{
    (void)state;
    every_allocation(make_rx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sender),
        cmocka_unit_test(receiver),
    };

    if (!failing_provider()) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
