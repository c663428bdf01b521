/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP library cannot be started: nothing is asked for, and the reason is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/group_fetch.h"

/* In place of the library's own. */
int curl_global_init(long flags);
int curl_global_init(long flags)
{
    (void)flags;
    return 2; /* CURLE_FAILED_INIT */
}

static void not_started(void **state)
{
    const struct mcx_group_fetch fetch = { .gms = "sip:gms@example.org" };
    struct mcx_group_fetched out;

    (void)state;
    assert_int_equal(mcx_group_fetch_into(&out, &fetch, NULL, NULL), MCX_E_NOMEM);
    assert_string_equal(out.why.reason, "the HTTP library cannot be started");
    assert_null(out.groups);
    mcx_group_fetched_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(not_started) };

    return cmocka_run_group_tests_name("group keys are not fetched", tests, NULL, NULL);
}
