/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private call that reaches the callee over his pre-established session (TS 24.380 9.2.2): the wire plays the server,
 * which takes the I_MESSAGE out of the caller's offer and puts it into a Connect message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "support/phones.h"

static struct wire w;

static const struct mcx_privcall_session session = {
    .address = "192.0.2.9",
    .port = 30000,
    .amrwb = { .payload_type = 98, .octet_align = true, .mode_set = 0x104 },
};

/* What the server, or somebody in its place, makes of the offer. */
struct connect {
    bool without_key;
    size_t flip; /* octet of the I_MESSAGE, from 1 */
    const char *caller;
};

static struct vec message; /* lives as long as the event */

static bool to_connect(struct wire *wire, struct wire_msg *msg, void *arg)
{
    const struct connect *c = arg;
    size_t at = 0;
    size_t len = 0;

    (void)wire;
    if (msg->in.event != MCX_PC_RX_INVITE) {
        return true;
    }
    message = imessage_of(msg->sdp, msg->sdp_len, &at, &len);
    if (c->flip != 0) {
        message.p[c->flip - 1] ^= 1;
    }
    msg->in.event = MCX_PC_RX_CONNECT;
    msg->in.imessage = c->without_key ? (struct mcx_bytes){ 0 } : vec_bytes(&message);
    msg->in.session = &session;
    msg->sdp_len = 0;
    if (c->caller != NULL) {
        (void)strcpy(msg->caller, c->caller);
    }
    return true;
}

static void setup(struct connect *c, void (*edit)(struct mcx_privcall_config *config, bool alice))
{
    wire_setup(&w, edit);
    w.passing = to_connect;
    w.arg = c;
}

static void a_call_over_the_session(void **state)
{
    struct connect c = { 0 };
    struct mcx_privcall_in bye = { .event = MCX_PC_RX_BYE };

    (void)state;
    setup(&c, NULL);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.bob.num_connect_acks, 1);
    assert_int_equal(w.bob.sent_reason, MCX_MCPC_ACCEPTED);
    assert_int_equal(w.bob.num_oks, 0);
    assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IN_CALL);
    assert_true((w.bob.notes & 1u << MCX_PC_NOTE_VERIFIED) != 0);
    /* media as the session has it, under the caller's key */
    assert_string_equal(w.bob.media_address, session.address);
    assert_int_equal(w.bob.media_is.port, session.port);
    assert_int_equal(w.bob.media_is.floor_port, 0);
    assert_memory_equal(&w.bob.media_is.amrwb, &session.amrwb, sizeof session.amrwb);
    assert_true(w.alice.listening);
    assert_memory_equal(&w.bob.tx, &w.alice.early_rx, sizeof w.bob.tx);
    /* Disconnect */
    bye.dialog = w.bob.dialog;
    assert_int_equal(phone_give(&w, &w.bob, &bye), MCX_OK);
    assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IDLE);
    assert_false(mcx_privcall_holds_key(w.bob.pc));
    wire_clear(&w);
}

static void the_user_leaves(void **state)
{
    struct connect c = { 0 };

    (void)state;
    setup(&c, NULL);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, false), MCX_OK);
    assert_int_equal(phone_user(&w, &w.bob, MCX_PC_USER_HANGUP), MCX_OK);
    assert_int_equal(w.bob.num_byes, 1);
    assert_false(mcx_privcall_holds_key(w.bob.pc));
    wire_clear(&w);
}

static void refused(struct connect *c, enum mcx_mcpc_reason reason, enum mcx_privcall_cause cause)
{
    setup(c, NULL);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.bob.num_connect_acks, 1);
    assert_int_equal(w.bob.sent_reason, reason);
    assert_int_equal(w.bob.cause, cause);
    assert_int_equal(w.bob.note, MCX_PC_NOTE_REFUSED);
    assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IDLE);
    assert_false(w.bob.media);
    assert_false(mcx_privcall_holds_key(w.bob.pc));
    wire_clear(&w);
}

static void what_fails_is_refused_with_its_reason(void **state)
{
    (void)state;
    refused(&(struct connect){ .flip = 400 }, MCX_MCPC_IMESSAGE_FAILED, MCX_PC_CAUSE_AUTH);
    refused(&(struct connect){ .caller = GMS_ID }, MCX_MCPC_IMESSAGE_FAILED, MCX_PC_CAUSE_CALLER);
    refused(&(struct connect){ .flip = 1 }, MCX_MCPC_IMESSAGE_FAILED, MCX_PC_CAUSE_MALFORMED);
    refused(&(struct connect){ .without_key = true }, MCX_MCPC_NOT_ACCEPTED, MCX_PC_CAUSE_NO_SECURITY);
}

static void a_replayed_connect(void **state)
{
    struct connect c = { 0 };
    struct mcx_privcall_in in = { .event = MCX_PC_RX_CONNECT, .dialog = 77, .session = &session };

    (void)state;
    setup(&c, NULL);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_user(&w, &w.bob, MCX_PC_USER_HANGUP), MCX_OK);
    in.imessage = vec_bytes(&message);
    in.calling_user = mcx_bytes_str(ALICE_ID);
    assert_int_equal(phone_give(&w, &w.bob, &in), MCX_OK);
    assert_int_equal(w.bob.sent_reason, MCX_MCPC_IMESSAGE_FAILED);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_REPLAY);
    wire_clear(&w);
}

static void a_second_connect_finds_the_line_busy(void **state)
{
    struct connect c = { 0 };
    struct mcx_privcall_in in = { .event = MCX_PC_RX_CONNECT, .dialog = 78, .session = &session };

    (void)state;
    setup(&c, NULL);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    in.imessage = vec_bytes(&message);
    in.calling_user = mcx_bytes_str(ALICE_ID);
    assert_int_equal(phone_give(&w, &w.bob, &in), MCX_OK);
    assert_int_equal(w.bob.sent_reason, MCX_MCPC_BUSY);
    assert_int_equal(mcx_privcall_state(w.bob.pc), MCX_PC_IN_CALL);
    assert_true(w.bob.media);
    wire_clear(&w);
}

static void allow_clear(struct mcx_privcall_config *config, bool alice)
{
    config->allow_clear = !alice;
}

static void unprotected_where_the_policy_allows_it(void **state)
{
    struct connect c = { .without_key = true };

    (void)state;
    setup(&c, allow_clear);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.bob.sent_reason, MCX_MCPC_ACCEPTED);
    assert_false(w.bob.protected_media);
    assert_true((w.bob.notes & 1u << MCX_PC_NOTE_UNPROTECTED) != 0);
    wire_clear(&w);
}

static void no_session(void **state)
{
    struct mcx_privcall_in in = { .event = MCX_PC_RX_CONNECT, .dialog = 79 };

    (void)state;
    wire_setup(&w, NULL);
    assert_int_equal(phone_give(&w, &w.bob, &in), MCX_OK);
    assert_int_equal(w.bob.sent_reason, MCX_MCPC_NOT_ACCEPTED);
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_INTERNAL);
    wire_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_over_the_session),
        cmocka_unit_test(the_user_leaves),
        cmocka_unit_test(what_fails_is_refused_with_its_reason),
        cmocka_unit_test(a_replayed_connect),
        cmocka_unit_test(a_second_connect_finds_the_line_busy),
        cmocka_unit_test(unprotected_where_the_policy_allows_it),
        cmocka_unit_test(no_session),
    };

    return cmocka_run_group_tests_name("private call over a pre-established session", tests, NULL, NULL);
}
