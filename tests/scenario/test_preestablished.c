/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over a pre-established session at the participating function (TS 24.380 9.3): every row, and what has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <mcx/preestablished.h>

static const uint32_t defaults[MCX_PE_NUM_TIMERS];
static const uint8_t key_message[] = { 0x01, 0x1a, 0x05, 0x01 };

static struct mcx_preest *pe;
static struct mcx_preest_out out;

static int setup(void **state)
{
    (void)state;
    memset(&out, 0, sizeof out);
    return mcx_preest_new(&pe, defaults) == MCX_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    mcx_preest_free(pe);
    return 0;
}

static mcx_err give(enum mcx_preest_event event)
{
    struct mcx_preest_call call = { .session = "sip:s1@mcptt.example.org",
                                    .inviting_user = "sip:alice@example.org",
                                    .imessage = mcx_bytes(key_message, sizeof key_message),
                                    .media_line = 1,
                                    .control_line = 2 };
    struct mcx_preest_in in = { .event = event, .call = &call };

    return mcx_preest_step(pe, &in, &out);
}

static mcx_err give_message(enum mcx_mcpc_type type, unsigned reason, bool with_reason)
{
    struct mcx_mcpc_msg msg = { .type = type, .reason = (uint16_t)reason };
    struct mcx_preest_in in = { .event = MCX_PE_RX, .msg = &msg };

    msg.present = with_reason ? 1u << MCX_PF_REASON : 0;
    return mcx_preest_step(pe, &in, &out);
}

static mcx_err give_timer(enum mcx_preest_timer timer)
{
    struct mcx_preest_in in = { .event = MCX_PE_TIMER, .timer = timer };

    return mcx_preest_step(pe, &in, &out);
}

static void expect_send(enum mcx_mcpc_type type)
{
    assert_int_equal(out.num, 2);
    assert_int_equal(out.action[0].act, MCX_PE_SEND);
    assert_int_equal(out.action[0].msg.type, type);
    assert_true(out.action[0].msg.ack_wanted);
    assert_int_equal(out.action[1].act, MCX_PE_START_TIMER);
    assert_int_equal(out.action[1].timer, type == MCX_MCPC_CONNECT ? MCX_PE_T55 : MCX_PE_T56);
    assert_int_equal(out.action[1].delay_ms, 2000);
}

/* What is sent can be written, and says what the call has. */
static void expect_connect(void)
{
    const struct mcx_mcpc_msg *msg = &out.action[0].msg;

    expect_send(MCX_MCPC_CONNECT);
    assert_int_equal(msg->present, 1u << MCX_PF_SESSION | 1u << MCX_PF_MEDIA_STREAMS | 1u << MCX_PF_INVITING_USER |
                                       1u << MCX_PF_IMESSAGE);
    assert_true(mcx_bytes_is(msg->session, "sip:s1@mcptt.example.org"));
    assert_true(mcx_bytes_is(msg->inviting_user, "sip:alice@example.org"));
    assert_true(mcx_bytes_equal(msg->imessage, mcx_bytes(key_message, sizeof key_message)));
    assert_int_equal(msg->session_type, MCX_MCPC_PRIVATE);
    assert_int_equal(msg->media_line, 1);
    assert_int_equal(msg->control_line, 2);
}

static void a_call_and_its_end(void **state)
{
    (void)state;
    assert_int_equal(give(MCX_PE_SETUP), MCX_OK);
    expect_connect();
    assert_int_equal(mcx_preest_state(pe), MCX_PE_CONNECTING);
    assert_int_equal(give_message(MCX_MCPC_ACK, MCX_MCPC_ACCEPTED, true), MCX_OK);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_IN_USE);
    assert_int_equal(out.num, 2);
    assert_int_equal(out.action[0].act, MCX_PE_STOP_TIMER);
    assert_int_equal(out.action[1].act, MCX_PE_OPEN);
    assert_int_equal(give(MCX_PE_RELEASE), MCX_OK);
    expect_send(MCX_MCPC_DISCONNECT);
    assert_int_equal(give_message(MCX_MCPC_ACK, MCX_MCPC_ACCEPTED, true), MCX_OK);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_NOT_IN_USE);
    assert_int_equal(give(MCX_PE_SETUP), MCX_OK); /* and again */
    expect_connect();
}

static void a_refusal_reaches_the_caller(void **state)
{
    static const struct {
        enum mcx_mcpc_reason reason;
        uint16_t code;
        unsigned warning;
    } refusals[] = {
        { MCX_MCPC_BUSY, 486, 0 },
        { MCX_MCPC_NOT_ACCEPTED, 488, 0 },
        { MCX_MCPC_IMESSAGE_FAILED, 488, 136 },
        { MCX_MCPC_INTEGRITY_FAILED, 488, 0 },
        { (enum mcx_mcpc_reason)99, 488, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        uint16_t code = 0;
        unsigned warning = 0;

        assert_int_equal(give(MCX_PE_SETUP), MCX_OK);
        assert_int_equal(give_message(MCX_MCPC_ACK, refusals[i].reason, true), MCX_OK);
        assert_int_equal(mcx_preest_state(pe), MCX_PE_NOT_IN_USE);
        assert_int_equal(out.action[1].act, MCX_PE_FAILED);
        assert_int_equal(out.action[1].reason, refusals[i].reason);
        mcx_preest_response(&code, &warning, out.action[1].no_answer, out.action[1].reason);
        assert_int_equal(code, refusals[i].code);
        assert_int_equal(warning, refusals[i].warning);
    }
}

static void nobody_answers(void **state)
{
    uint16_t code = 0;
    unsigned warning = 0;

    (void)state;
    assert_int_equal(give(MCX_PE_SETUP), MCX_OK);
    for (uint32_t n = 1; n < mcx_preest_timer_info(MCX_PE_T55)->max_count; n++) {
        assert_int_equal(give_timer(MCX_PE_T55), MCX_OK);
        expect_connect(); /* the very same message: it costs the client no second decapsulation */
    }
    assert_int_equal(give_timer(MCX_PE_T55), MCX_OK);
    assert_int_equal(out.num, 1);
    assert_int_equal(out.action[0].act, MCX_PE_FAILED);
    assert_true(out.action[0].no_answer);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_NOT_IN_USE);
    mcx_preest_response(&code, &warning, true, MCX_MCPC_ACCEPTED);
    assert_int_equal(code, 480);
    assert_int_equal(warning, 0);
}

static void disconnect_is_repeated(void **state)
{
    (void)state;
    assert_int_equal(give(MCX_PE_SETUP), MCX_OK);
    assert_int_equal(give_message(MCX_MCPC_ACK, MCX_MCPC_ACCEPTED, true), MCX_OK);
    assert_int_equal(give(MCX_PE_RELEASE), MCX_OK);
    for (uint32_t n = 1; n < mcx_preest_timer_info(MCX_PE_T56)->max_count; n++) {
        assert_int_equal(give_timer(MCX_PE_T56), MCX_OK);
        expect_send(MCX_MCPC_DISCONNECT);
    }
    assert_int_equal(give_timer(MCX_PE_T56), MCX_OK);
    assert_int_equal(out.num, 0);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_NOT_IN_USE);
}

static void the_caller_gives_up(void **state)
{
    (void)state;
    assert_int_equal(give(MCX_PE_SETUP), MCX_OK);
    assert_int_equal(give(MCX_PE_RELEASE), MCX_OK);
    assert_int_equal(out.num, 3);
    assert_int_equal(out.action[0].act, MCX_PE_STOP_TIMER);
    assert_int_equal(out.action[1].msg.type, MCX_MCPC_DISCONNECT);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_DISCONNECTING);
    assert_int_equal(give_message(MCX_MCPC_ACK, MCX_MCPC_NOT_ACCEPTED, true), MCX_OK);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_NOT_IN_USE);
}

static void what_has_no_row_changes_nothing(void **state)
{
    char longest[MCX_PREEST_URI_MAX + 1];
    struct mcx_preest_call call = { .session = longest, .inviting_user = "sip:a@example.org" };
    struct mcx_preest_in in = { .event = MCX_PE_SETUP, .call = &call };

    (void)state;
    assert_int_equal(give_message(MCX_MCPC_ACK, MCX_MCPC_ACCEPTED, true), MCX_E_STATE);
    assert_int_equal(give(MCX_PE_RELEASE), MCX_E_STATE);
    assert_int_equal(give_timer(MCX_PE_T55), MCX_E_STATE);
    assert_int_equal(give(MCX_PE_ACCEPTED), MCX_E_ARG);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(mcx_preest_step(pe, &in, &out), MCX_E_SPACE);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_NOT_IN_USE);
    assert_int_equal(give(MCX_PE_SETUP), MCX_OK);
    assert_int_equal(give(MCX_PE_SETUP), MCX_E_STATE);
    assert_int_equal(give_message(MCX_MCPC_CONNECT, MCX_MCPC_ACCEPTED, true), MCX_E_STATE);
    assert_int_equal(give_message(MCX_MCPC_ACK, MCX_MCPC_ACCEPTED, false), MCX_E_STATE);
    assert_int_equal(give_timer(MCX_PE_T56), MCX_E_STATE);
    assert_int_equal(mcx_preest_state(pe), MCX_PE_CONNECTING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_and_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_reaches_the_caller, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(disconnect_is_repeated, setup, teardown),
        cmocka_unit_test_setup_teardown(the_caller_gives_up, setup, teardown),
        cmocka_unit_test_setup_teardown(what_has_no_row_changes_nothing, setup, teardown),
    };

    return cmocka_run_group_tests_name("calls over a pre-established session", tests, NULL, NULL);
}
