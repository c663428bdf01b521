/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No memory for the affiliation that a client publishes: he is told 500 and the operator why, nothing has changed, and the
 * same publication is taken afterwards. In sanitized builds, where malloc cannot be replaced, it is taken at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/mcptt_group.h>

#include "support/failing_malloc.h"
#include "support/fake.h"

#define ALICE  "sip:alice@example.org"
#define SOURCE "sip:192.0.2.10:5060"

static struct mcx_msrv_user user = { .mcptt_id = ALICE };
static const struct mcx_msrv_config server = {
    .host = "cf.example.org", .controlling_psi = "sip:mcptt-cf@example.org", .users = &user, .num_users = 1, .max_calls = 1
};
static struct mcx_mgrp_out out;

static void enrol(struct mcx_msrv *srv)
{
    static struct mcx_msrv_out done;
    struct mcx_msrv_sip sip = { .to = mcx_bytes_str(ALICE),
                                .source = mcx_bytes_str(SOURCE),
                                .contact = mcx_bytes_str(SOURCE),
                                .expires = 600 };
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_REGISTER, .now_ms = 1, .sip = &sip };

    assert_int_equal(mcx_msrv_step(srv, &in, &done), MCX_OK);
}

static void publish(struct mcx_mgrp *grp)
{
    static struct mcx_affiliation list = { .mcptt_id = ALICE, .client_id = "radio-1" };
    static uint8_t xml[4096];
    struct mcx_wr wr = mcx_wr(xml, sizeof xml);
    struct mcx_msrv_sip sip = { .source = mcx_bytes_str(SOURCE),
                                .service = mcx_bytes_str(MCX_MCPTT_SERVICE),
                                .content_type = mcx_bytes_str(MCX_TYPE_PIDF),
                                .expires = 600 };
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_PUBLISH, .now_ms = 1, .sip = &sip };
    size_t at = fail_at;

    fail_at = 0;
    assert_int_equal(mcx_affiliation_write(&wr, &list), MCX_OK);
    sip.body = mcx_wr_done(&wr);
    num_allocs = 0;
    fail_at = at;
    assert_int_equal(mcx_mgrp_step(grp, &in, &out), MCX_OK);
    fail_at = 0;
    assert_true(out.num > 0);
    assert_int_equal(out.action[0].act, MCX_MGRP_RESPOND);
}

static void no_memory_for_a_publication(void **state)
{
    struct fake_rng fake = { .seed = 1 };
    const struct mcx_rng rng = fake_rng(&fake);
    struct mcx_msrv *srv = NULL;
    struct mcx_mgrp *grp = NULL;
    struct mcx_mgrp_config config = { .server = &server, .max_sessions = 1 };

    (void)state;
    assert_int_equal(mcx_msrv_new(&srv, &server, &rng), MCX_OK);
    config.srv = srv;
    assert_int_equal(mcx_mgrp_new(&grp, &config, &rng), MCX_OK);
    enrol(srv);
#ifndef SANITIZED
    fail_at = 1;
    publish(grp);
    assert_int_equal(out.action[0].code, 500);
    assert_int_equal(out.num, 2);
    assert_int_equal(out.action[1].act, MCX_MGRP_NOTE);
    assert_string_equal(out.action[1].note, "affiliation-refused");
    assert_string_equal(out.action[1].text, "out of memory");
#endif
    publish(grp);
    assert_int_equal(out.action[0].code, 200);
    mcx_mgrp_free(grp);
    mcx_msrv_free(srv);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_memory_for_a_publication) };

    return cmocka_run_group_tests_name("group calls without memory", tests, NULL, NULL);
}
