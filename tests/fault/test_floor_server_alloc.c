/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails while a floor control server is made and people join, for every n: MCX_E_NOMEM, nothing has
 * changed, nothing leaks, and the same step works afterwards. In sanitized builds, where malloc cannot be replaced,
 * nothing fails, and the calls only go through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <mcx/floor_server.h>

#include "support/failing_malloc.h"

enum { NUM_USERS = 20 };

static struct mcx_fsrv_out out;

static mcx_err join(struct mcx_fsrv *srv, uint32_t id)
{
    struct mcx_fsrv_participant p = { .id = id, .mcptt_id = "sip:u@example.org" };
    struct mcx_fsrv_in in = { .event = MCX_FS_JOIN, .now_ms = 1, .participant = &p };

    return mcx_fsrv_step(srv, &in, &out);
}

/* One try, with what fails asked for again. @return how often something failed */
static size_t call_with(size_t n)
{
    struct mcx_fsrv_config config = { 0 };
    struct mcx_fsrv *srv = NULL;
    size_t num_failed = 0;
    mcx_err err = MCX_OK;

    num_allocs = 0;
    fail_at = n;
    while ((err = mcx_fsrv_new(&srv, &config)) != MCX_OK) {
        assert_int_equal(err, MCX_E_NOMEM);
        assert_null(srv);
        num_failed++;
    }
    for (uint32_t id = 1; id <= NUM_USERS; id++) {
        uint64_t deadline = mcx_fsrv_deadline(srv);

        while ((err = join(srv, id)) != MCX_OK) {
            assert_int_equal(err, MCX_E_NOMEM);
            assert_int_equal(out.num, 0);
            assert_string_equal(mcx_fsrv_participant_state(srv, id), "Start-stop");
            assert_true(mcx_fsrv_deadline(srv) == deadline);
            num_failed++;
        }
        assert_string_equal(mcx_fsrv_participant_state(srv, id), "U: not permitted and Floor Idle");
    }
    fail_at = 0;
    mcx_fsrv_free(srv);
    return num_failed;
}

static void every_allocation_may_fail(void **state)
{
    size_t total = 0;

    (void)state;
    assert_int_equal(call_with(0), 0);
    total = num_allocs;
    for (size_t n = 1; n <= total; n++) {
        assert_int_equal(call_with(n), 1);
    }
#ifndef SANITIZED
    assert_true(total > 2 + NUM_USERS);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };

    return cmocka_run_group_tests_name("floor control server without memory", tests, NULL, NULL);
}
