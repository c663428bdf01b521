/* SPDX-License-Identifier: Apache-2.0 */
/* Whole group calls of one machine on a fake clock; the test is the server (TS 24.379 10.1.1.2, 10.1.2.2). */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/floor_msg.h>
#include <mcx/groupcall.h>

#include "support/held_keys.h"

#define CALLER "sip:bob@lab.example.org"
#define GMK    0x01234567u

static struct mcx_group_keys *keys;
static struct mcx_groupcall *gc;
static struct mcx_groupcall_actions acts;
static size_t most_actions;

static void start(bool with_key)
{
    const struct mcx_groupcall_config config = { .own_id = HELD_USER,
                                                 .has_csk = true,
                                                 .local_address = "192.0.2.1",
                                                 .audio_port = 40000,
                                                 .floor_port = 40002,
                                                 .amrwb = { .payload_type = 97, .mode_set = 0x1ff } };
    struct mcx_groupcall_config c = config;

    assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
    if (with_key) {
        held_key_give(keys, HELD_ONE, GMK, HELD_TIME - 10, 0, 0, false);
    }
    c.keys = keys;
    assert_int_equal(mcx_groupcall_new(&gc, &c), MCX_OK);
}

static void end(void)
{
    mcx_groupcall_free(gc);
    mcx_group_keys_free(keys);
}

static mcx_err step(struct mcx_groupcall_in in)
{
    mcx_err err = MCX_OK;

    in.now = held_now(HELD_TIME);
    err = mcx_groupcall_step(gc, &in, &acts);
    most_actions = acts.num > most_actions ? acts.num : most_actions;
    return err;
}

static const struct mcx_groupcall_action *action(enum mcx_groupcall_act act)
{
    for (size_t i = 0; i < acts.num; i++) {
        if (acts.list[i].act == act) {
            return &acts.list[i];
        }
    }
    return NULL;
}

static enum mcx_groupcall_cause told(enum mcx_groupcall_note note)
{
    const struct mcx_groupcall_action *a = action(MCX_GC_TELL);

    assert_non_null(a);
    assert_int_equal(a->note, note);
    return a->cause;
}

static mcx_err call(const char *group, enum mcx_groupcall_type type, bool request)
{
    return step((struct mcx_groupcall_in){ .event = MCX_GC_USER_CALL,
                                           .dialog = 7,
                                           .group = mcx_bytes_str(group),
                                           .session = MCX_SESSION_PREARRANGED,
                                           .type = type,
                                           .request_floor = request });
}

/* A description of the server's. */
static struct mcx_bytes server_sdp(const char *fmtp)
{
    static uint8_t text[2048];
    struct mcx_wr wr = mcx_wr(text, sizeof text);
    const struct mcx_sdp_params params = { .session_id = 1,
                                           .session_version = 1,
                                           .address = "192.0.2.9",
                                           .audio_port = 50000,
                                           .amrwb = { .payload_type = 97, .mode_set = 0x1ff },
                                           .floor_port = 50002,
                                           .floor_fmtp = fmtp };

    assert_int_equal(mcx_sdp_offer_write(&wr, &params), MCX_OK);
    return mcx_wr_done(&wr);
}

static struct mcx_bytes text_replaced(struct mcx_bytes sdp, const char *what, const char *with)
{
    static char out[2048];
    const char *at = strstr((const char *)sdp.p, what);
    int before = 0;

    assert_non_null(at);
    before = (int)(at - (const char *)sdp.p);
    (void)snprintf(out, sizeof out, "%.*s%s%.*s", before, (const char *)sdp.p, with,
                   (int)(sdp.len - (size_t)before - strlen(what)), at + strlen(what));
    return mcx_bytes_str(out);
}

static mcx_err answer_with(struct mcx_bytes sdp)
{
    return step((struct mcx_groupcall_in){ .event = MCX_GC_RX_OK, .dialog = 7, .sdp = sdp });
}

static void call_up(bool request, const char *fmtp)
{
    start(true);
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, request), MCX_OK);
    assert_int_equal(answer_with(server_sdp(fmtp)), MCX_OK);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);
}

static struct mcx_mcptt_info invitation_info(const char *group)
{
    struct mcx_mcptt_info info = { .session = MCX_SESSION_PREARRANGED };

    assert_int_equal(mcx_mcptt_set(&info.calling_group, MCX_MCPTT_URI, mcx_bytes_str(group)), MCX_OK);
    assert_int_equal(mcx_mcptt_set(&info.calling_user, MCX_MCPTT_URI, mcx_bytes_str(CALLER)), MCX_OK);
    return info;
}

static mcx_err invite(const struct mcx_mcptt_info *info, struct mcx_bytes sdp)
{
    return step((struct mcx_groupcall_in){ .event = MCX_GC_RX_INVITE, .dialog = 8, .sdp = sdp, .info = info });
}

/* ---- calling ---- */

static void a_prearranged_call(void **state)
{
    const struct mcx_groupcall_action *a = NULL;
    struct mcx_sdp sdp;
    struct mcx_bytes fmtp = { 0 };
    size_t line = 0;

    (void)state;
    start(true);
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, true), MCX_OK);
    assert_int_equal(acts.list[0].act, MCX_GC_LISTEN); /* ready before the answer */
    assert_string_equal(acts.list[0].media.group, HELD_ONE);
    assert_true(acts.list[0].media.protect_media && acts.list[0].media.protect_floor);
    a = action(MCX_GC_SEND_INVITE);
    assert_string_equal(a->group, HELD_ONE);
    assert_int_equal(a->session, MCX_SESSION_PREARRANGED);
    assert_int_equal(mcx_sdp_read(&sdp, a->sdp, NULL), MCX_OK);
    assert_null(memmem(a->sdp.p, a->sdp.len, "key-mgmt", 8));
    assert_true(mcx_sdp_floor(&line, &fmtp, &sdp));
    assert_true(mcx_bytes_is(fmtp, "mc_queueing;mc_priority=5;mc_granted;mc_implicit_request"));
    assert_int_equal(action(MCX_GC_START_TIMER)->delay_ms, 40000);

    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_RX_PROGRESS, .dialog = 7, .code = 183 }), MCX_OK);
    assert_int_equal(answer_with(server_sdp("mc_queueing;mc_priority=3;mc_granted")), MCX_OK);
    a = action(MCX_GC_START_MEDIA);
    assert_string_equal(a->media.address, "192.0.2.9");
    assert_int_equal(a->media.port, 50000);
    assert_string_equal(a->media.floor_address, "192.0.2.9");
    assert_int_equal(a->media.floor_port, 50002);
    assert_true(a->media.queueing && a->media.implicit_request && a->media.granted);
    assert_int_equal(a->media.priority, 3); /* not above what was agreed */
    assert_int_equal(a->media.indicator, MCX_FI_NORMAL);
    a = action(MCX_GC_TELL);
    assert_int_equal(a->note, MCX_GC_NOTE_ESTABLISHED);
    assert_int_equal(a->key_id, GMK);
    assert_string_equal(a->caller, HELD_USER);
    assert_string_equal(mcx_groupcall_group(gc), HELD_ONE);

    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_USER_LEAVE }), MCX_OK);
    assert_int_equal(acts.list[0].act, MCX_GC_STOP_MEDIA);
    assert_non_null(action(MCX_GC_SEND_BYE));
    assert_int_equal(told(MCX_GC_NOTE_ENDED), MCX_GC_CAUSE_LEFT);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
    assert_string_equal(mcx_groupcall_group(gc), "");
    end();
}

/* The INVITE was a Floor Request only if the answer says so (TS 24.380 6.2.1, 14.3.5); if not, it is asked for now. */
static void an_implicit_request_is_agreed(void **state)
{
    static const struct {
        const char *fmtp;
        bool request, implicit, ask;
    } cases[] = {
        { "mc_queueing;mc_implicit_request", true, true, false },
        { "mc_queueing;mc_granted", true, true, false },
        { "mc_queueing", true, false, true },
        { "mc_queueing;mc_implicit_request", false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mcx_groupcall_action *a = NULL;

        start(true);
        assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, cases[i].request), MCX_OK);
        assert_int_equal(answer_with(server_sdp(cases[i].fmtp)), MCX_OK);
        a = action(MCX_GC_START_MEDIA);
        assert_int_equal(a->media.implicit_request, cases[i].implicit);
        assert_int_equal(a->media.request_floor, cases[i].ask);
        end();
    }
}

static void a_chat_group_is_joined(void **state)
{
    (void)state;
    start(true);
    assert_int_equal(
        step((struct mcx_groupcall_in){
            .event = MCX_GC_USER_CALL, .dialog = 7, .group = mcx_bytes_str(HELD_ONE), .session = MCX_SESSION_CHAT }),
        MCX_OK);
    assert_int_equal(action(MCX_GC_SEND_INVITE)->session, MCX_SESSION_CHAT);
    assert_int_equal(answer_with(server_sdp("mc_queueing;mc_priority=5")), MCX_OK);
    assert_false(action(MCX_GC_START_MEDIA)->media.implicit_request);
    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_RX_BYE, .dialog = 7 }), MCX_OK);
    assert_int_equal(told(MCX_GC_NOTE_ENDED), MCX_GC_CAUSE_RELEASED);
    assert_null(action(MCX_GC_SEND_BYE));
    end();
}

/* The heart of it: no message leaves without a key, and the reason has its clause. */
static void no_usable_key_no_call(void **state)
{
    static const enum mcx_groupcall_cause want[] = { MCX_GC_CAUSE_NO_KEY, MCX_GC_CAUSE_KEY_EXPIRED,
                                                     MCX_GC_CAUSE_KEY_EXPIRED, MCX_GC_CAUSE_KEY_REVOKED };

    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        const struct mcx_groupcall_action *a = NULL;

        start(false);
        if (kind == 1) {
            held_key_give(keys, HELD_ONE, GMK, HELD_TIME + 600, 0, 0, false); /* not active yet */
        } else if (kind == 2) {
            held_key_give(keys, HELD_ONE, GMK, HELD_TIME - 600, HELD_TIME + 5, 0, false);
        } else if (kind == 3) {
            held_key_give(keys, HELD_ONE, GMK, HELD_TIME - 600, 0, 0, false);
            held_key_give(keys, HELD_ONE, GMK, HELD_TIME - 600, 0, 1, true);
        }
        {
            struct mcx_groupcall_in in = { .event = MCX_GC_USER_CALL,
                                           .dialog = 7,
                                           .now = held_now(HELD_TIME + (kind == 2 ? 6 : 0)),
                                           .group = mcx_bytes_str(HELD_ONE),
                                           .session = MCX_SESSION_PREARRANGED };

            assert_int_equal(mcx_groupcall_step(gc, &in, &acts), MCX_OK);
        }
        assert_int_equal(acts.num, 1); /* nothing but the sentence */
        assert_int_equal(told(MCX_GC_NOTE_REFUSED), want[kind]);
        a = action(MCX_GC_TELL);
        assert_string_not_equal(a->why.reason, "");
        assert_string_not_equal(a->why.clause, "");
        assert_non_null(strstr(a->sentence, HELD_ONE));
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
        end();
    }
}

static void what_the_group_document_says(void **state)
{
    (void)state;
    start(false);
    held_info_give(keys, HELD_ONE, false, false, ""); /* protect-media false: no key is needed */
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
    assert_false(action(MCX_GC_LISTEN)->media.protect_media);
    assert_int_equal(answer_with(server_sdp("mc_queueing;mc_priority=5")), MCX_OK);
    assert_false(action(MCX_GC_START_MEDIA)->media.protect_media);
    assert_false(action(MCX_GC_START_MEDIA)->media.protect_floor);
    assert_int_equal(action(MCX_GC_TELL)->key_id, 0);
    assert_non_null(strstr(action(MCX_GC_TELL)->sentence, "NOT protected"));
    end();

    start(false);
    held_info_give(keys, HELD_ONE, true, true, "");
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
    assert_int_equal(told(MCX_GC_NOTE_REFUSED), MCX_GC_CAUSE_NO_KEY);
    end();
}

static void floor_control_without_a_csk(void **state)
{
    struct mcx_groupcall_config config = { .own_id = HELD_USER,
                                           .local_address = "192.0.2.1",
                                           .audio_port = 40000,
                                           .floor_port = 40002,
                                           .amrwb = { .payload_type = 97, .mode_set = 0x1ff } };

    (void)state;
    assert_int_equal(mcx_group_keys_new(&keys), MCX_OK);
    held_key_give(keys, HELD_ONE, GMK, HELD_TIME - 10, 0, 0, false);
    config.keys = keys;
    assert_int_equal(mcx_groupcall_new(&gc, &config), MCX_OK);
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
    assert_int_equal(acts.num, 1);
    assert_int_equal(told(MCX_GC_NOTE_REFUSED), MCX_GC_CAUSE_NO_CSK);
    mcx_groupcall_set_csk(gc, true); /* the server has got it meanwhile */
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_CALLING);
    end();
}

static void a_regrouped_group_uses_the_temporary_key(void **state)
{
    struct mcx_mcptt_info info = invitation_info(HELD_BOTH);

    (void)state;
    start(true);
    held_info_give(keys, HELD_ONE, true, true, HELD_BOTH);
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
    assert_int_equal(told(MCX_GC_NOTE_REFUSED), MCX_GC_CAUSE_NO_KEY); /* the own GMK does not count now */
    held_key_give(keys, HELD_BOTH, 0x0bbbbbbbu, HELD_TIME - 10, 0, 0, false);
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
    assert_string_equal(action(MCX_GC_SEND_INVITE)->group, HELD_ONE);
    assert_string_equal(action(MCX_GC_LISTEN)->media.group, HELD_BOTH);
    assert_int_equal(answer_with(server_sdp("mc_queueing;mc_priority=5")), MCX_OK);
    assert_int_equal(action(MCX_GC_TELL)->key_id, 0x0bbbbbbbu);
    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_USER_LEAVE }), MCX_OK);

    /* affiliated to the constituent is affiliated to the temporary group */
    assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(HELD_ONE), true), MCX_OK);
    assert_true(mcx_groupcall_is_affiliated(gc, mcx_bytes_str(HELD_BOTH)));
    assert_int_equal(invite(&info, server_sdp("mc_queueing;mc_priority=5")), MCX_OK);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);
    assert_string_equal(action(MCX_GC_START_MEDIA)->media.group, HELD_BOTH);
    end();
}

static void answers_that_cannot_be_used(void **state)
{
    static const char *const bad_fmtp[] = { "mc_priority=6", "mc_granted", "mc_priority=0" };

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct mcx_bytes sdp;

        start(true);
        assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
        if (i < 3) {
            sdp = server_sdp(bad_fmtp[i]);
        } else {
            sdp = text_replaced(server_sdp("mc_queueing"), i == 3 ? "m=application 50002" : "m=audio 50000",
                                i == 3 ? "m=application 0" : "m=audio 0");
        }
        assert_int_equal(answer_with(sdp), MCX_OK);
        assert_int_equal(told(MCX_GC_NOTE_REFUSED), MCX_GC_CAUSE_BAD_ANSWER);
        assert_non_null(action(MCX_GC_SEND_BYE));
        assert_non_null(action(MCX_GC_STOP_MEDIA));
        assert_null(action(MCX_GC_START_MEDIA));
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
        end();
    }
}

static void refusals_of_the_server(void **state)
{
    static const struct {
        uint16_t code;
        unsigned warning;
        const char *words;
    } rows[] = { { 403, 116, "not a member" },
                 { 403, 120, "not affiliated" },
                 { 404, 113, "no group" },
                 { 486, 122, "is full" },
                 { 599, 0, "failed" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(true);
        assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
        assert_int_equal(
            step((struct mcx_groupcall_in){
                .event = MCX_GC_RX_FAILURE, .dialog = 7, .code = rows[i].code, .warning = rows[i].warning }),
            MCX_OK);
        assert_int_equal(told(MCX_GC_NOTE_REFUSED), MCX_GC_CAUSE_REFUSED);
        assert_non_null(strstr(action(MCX_GC_TELL)->sentence, rows[i].words));
        assert_int_equal(action(MCX_GC_TELL)->code, rows[i].code);
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
        end();
    }
}

static void cancelled_lost_or_never_answered(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        start(true);
        assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
        if (kind == 3) {
            assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_RX_LOST, .dialog = 7 }), MCX_OK);
            assert_int_equal(told(MCX_GC_NOTE_REFUSED), MCX_GC_CAUSE_LOST);
        } else {
            struct mcx_groupcall_in in = { .event = kind == 0 ? MCX_GC_TIMER : MCX_GC_USER_LEAVE,
                                           .dialog = 7,
                                           .timer = MCX_GC_TIMER_ANSWER };

            assert_int_equal(step(in), MCX_OK);
            assert_non_null(action(MCX_GC_SEND_CANCEL));
            assert_int_equal(mcx_groupcall_state(gc), MCX_GC_CANCELLING);
            in.event = kind == 0 ? MCX_GC_TIMER : kind == 1 ? MCX_GC_RX_FAILURE : MCX_GC_RX_OK;
            in.timer = MCX_GC_TIMER_CANCEL;
            in.code = 487;
            assert_int_equal(step(in), MCX_OK);
            assert_int_equal(action(MCX_GC_SEND_BYE) != NULL, kind == 2); /* the answer crossed the CANCEL */
        }
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
        end();
    }
}

/* ---- invited ---- */

static void an_invitation(void **state)
{
    struct mcx_mcptt_info info = invitation_info(HELD_ONE);
    const struct mcx_groupcall_action *a = NULL;
    struct mcx_sdp sdp;

    (void)state;
    info.emergency = MCX_MCPTT_TRUE;
    start(true);
    assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(HELD_ONE), true), MCX_OK);
    assert_int_equal(invite(&info, server_sdp("mc_queueing;mc_priority=200")), MCX_OK);
    a = action(MCX_GC_SEND_OK);
    assert_int_equal(a->dialog, 8);
    assert_int_equal(mcx_sdp_read(&sdp, a->sdp, NULL), MCX_OK);
    assert_null(memmem(a->sdp.p, a->sdp.len, "key-mgmt", 8));
    a = action(MCX_GC_START_MEDIA);
    assert_int_equal(a->media.priority, 200);
    assert_int_equal(a->media.indicator, MCX_FI_EMERGENCY);
    assert_false(a->media.granted || a->media.implicit_request);
    a = action(MCX_GC_TELL);
    assert_int_equal(a->type, MCX_GC_EMERGENCY);
    assert_string_equal(a->caller, CALLER);
    end();
}

static void invitations_that_are_refused(void **state)
{
    static const struct {
        enum mcx_groupcall_cause cause;
        uint16_t code;
    } want[] = { { MCX_GC_CAUSE_NOT_AFFILIATED, 403 }, { MCX_GC_CAUSE_NOT_GROUP_CALL, 488 },
                 { MCX_GC_CAUSE_NOT_GROUP_CALL, 488 }, { MCX_GC_CAUSE_SDP, 488 },
                 { MCX_GC_CAUSE_KEY_IN_SDP, 488 },     { MCX_GC_CAUSE_MEDIA, 488 },
                 { MCX_GC_CAUSE_NO_KEY, 488 },         { MCX_GC_CAUSE_NOT_GROUP_CALL, 488 } };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        struct mcx_mcptt_info info = invitation_info(i == 1 ? "" : HELD_ONE);
        struct mcx_bytes sdp = server_sdp("mc_queueing");

        start(i != 6);
        if (i != 0) {
            assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(HELD_ONE), true), MCX_OK);
        }
        if (i == 2) {
            info.session = MCX_SESSION_PRIVATE;
        } else if (i == 3) {
            sdp = mcx_bytes_str("nonsense");
        } else if (i == 4) {
            sdp = text_replaced(sdp, "m=audio", "a=key-mgmt:mikey AQ==\r\nm=audio");
        } else if (i == 5) {
            sdp = text_replaced(sdp, "m=application 50002", "m=application 0");
        }
        assert_int_equal(invite(i == 7 ? NULL : &info, sdp), MCX_OK);
        assert_int_equal(action(MCX_GC_SEND_REFUSAL)->code, want[i].code);
        assert_int_equal(action(MCX_GC_SEND_REFUSAL)->dialog, 8);
        assert_int_equal(told(MCX_GC_NOTE_REFUSED), want[i].cause);
        assert_string_not_equal(action(MCX_GC_TELL)->why.reason, "");
        assert_null(action(MCX_GC_START_MEDIA));
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
        end();
    }
}

static void busy_while_in_a_call(void **state)
{
    struct mcx_mcptt_info info = invitation_info(HELD_ONE);

    (void)state;
    call_up(false, "mc_queueing");
    assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(HELD_ONE), true), MCX_OK);
    assert_int_equal(invite(&info, server_sdp("mc_queueing")), MCX_OK);
    assert_int_equal(acts.num, 1);
    assert_int_equal(acts.list[0].code, 486);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);
    end();
}

/* ---- in the call ---- */

static mcx_err change(enum mcx_groupcall_type type)
{
    return step((struct mcx_groupcall_in){ .event = MCX_GC_USER_CHANGE, .type = type });
}

static void upgraded_and_back(void **state)
{
    const struct mcx_groupcall_action *a = NULL;

    (void)state;
    call_up(false, "mc_queueing;mc_priority=5");
    assert_int_equal(change(MCX_GC_NORMAL), MCX_E_STATE); /* it is that already */
    assert_int_equal(change(MCX_GC_EMERGENCY), MCX_OK);
    a = action(MCX_GC_SEND_REINVITE);
    assert_int_equal(a->type, MCX_GC_EMERGENCY);
    assert_non_null(memmem(a->sdp.p, a->sdp.len, "mc_priority=255", 15));
    assert_null(memmem(a->sdp.p, a->sdp.len, "key-mgmt", 8));
    assert_int_equal(answer_with(server_sdp("mc_queueing;mc_priority=255")), MCX_OK);
    a = action(MCX_GC_SET_TYPE);
    assert_int_equal(a->media.priority, 255);
    assert_int_equal(a->media.indicator, MCX_FI_EMERGENCY);
    assert_int_equal(action(MCX_GC_TELL)->note, MCX_GC_NOTE_TYPE);
    assert_int_equal(action(MCX_GC_TELL)->type, MCX_GC_EMERGENCY);
    assert_null(action(MCX_GC_STOP_MEDIA)); /* keys and media stay as they are */

    assert_int_equal(change(MCX_GC_NORMAL), MCX_OK);
    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_RX_FAILURE, .dialog = 7, .code = 403 }), MCX_OK);
    assert_int_equal(told(MCX_GC_NOTE_NOT_CHANGED), MCX_GC_CAUSE_REFUSED);
    assert_int_equal(action(MCX_GC_TELL)->type, MCX_GC_EMERGENCY);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);
    end();
}

/* The 200 says what the call is (TS 24.379 6.2.8.1.4): who comes into an emergency, or asks for less, learns of it. */
static void the_answer_says_what_the_call_is(void **state)
{
    struct mcx_mcptt_info info = invitation_info(HELD_ONE);
    struct mcx_groupcall_in in = { .event = MCX_GC_RX_OK, .dialog = 7, .info = &info };

    (void)state;
    info.emergency = MCX_MCPTT_TRUE;
    in.sdp = server_sdp("mc_queueing;mc_priority=5");
    start(true);
    assert_int_equal(call(HELD_ONE, MCX_GC_NORMAL, false), MCX_OK);
    assert_int_equal(step(in), MCX_OK);
    assert_int_equal(action(MCX_GC_START_MEDIA)->media.indicator, MCX_FI_EMERGENCY);
    assert_int_equal(action(MCX_GC_TELL)->type, MCX_GC_EMERGENCY);

    assert_int_equal(change(MCX_GC_IMMINENT_PERIL), MCX_OK);
    assert_int_equal(action(MCX_GC_SEND_REINVITE)->before, MCX_GC_EMERGENCY);
    assert_int_equal(step(in), MCX_OK); /* it stays what it is */
    assert_int_equal(action(MCX_GC_SET_TYPE)->media.indicator, MCX_FI_EMERGENCY);
    assert_null(action(MCX_GC_TELL));
    end();
}

static void a_change_that_ends_the_call(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        struct mcx_groupcall_in in = { .event = MCX_GC_RX_FAILURE, .dialog = 7, .code = kind == 0 ? 481 : 408 };

        call_up(false, "mc_queueing;mc_priority=5");
        assert_int_equal(change(MCX_GC_IMMINENT_PERIL), MCX_OK);
        if (kind == 2) {
            in = (struct mcx_groupcall_in){ .event = MCX_GC_TIMER, .dialog = 7, .timer = MCX_GC_TIMER_ANSWER };
        } else if (kind == 3) {
            in = (struct mcx_groupcall_in){ .event = MCX_GC_RX_OK, .dialog = 7, .sdp = mcx_bytes_str("nonsense") };
        }
        assert_int_equal(step(in), MCX_OK);
        assert_non_null(action(MCX_GC_SEND_BYE));
        assert_int_equal(told(MCX_GC_NOTE_ENDED), kind == 3 ? MCX_GC_CAUSE_BAD_ANSWER : MCX_GC_CAUSE_NO_ANSWER);
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
        end();
    }
}

static void the_server_changes_the_type(void **state)
{
    struct mcx_mcptt_info info = invitation_info(HELD_ONE);
    struct mcx_groupcall_in in = { .event = MCX_GC_RX_OFFER, .dialog = 7, .info = &info };

    (void)state;
    call_up(false, "mc_queueing;mc_priority=5");
    info.emergency = MCX_MCPTT_TRUE;
    in.sdp = server_sdp("mc_queueing;mc_priority=255");
    assert_int_equal(step(in), MCX_OK);
    assert_int_equal(acts.list[0].act, MCX_GC_SEND_OK);
    assert_int_equal(action(MCX_GC_SET_TYPE)->media.indicator, MCX_FI_EMERGENCY);
    assert_int_equal(action(MCX_GC_SET_TYPE)->media.priority, 255);
    assert_string_equal(action(MCX_GC_TELL)->caller, CALLER);
    info.emergency = MCX_MCPTT_UNSET; /* says nothing: stays */
    assert_int_equal(step(in), MCX_OK);
    assert_null(action(MCX_GC_TELL));
    assert_int_equal(action(MCX_GC_SET_TYPE)->media.indicator, MCX_FI_EMERGENCY);
    info.emergency = MCX_MCPTT_FALSE;
    assert_int_equal(step(in), MCX_OK);
    assert_int_equal(action(MCX_GC_SET_TYPE)->media.indicator, MCX_FI_NORMAL);

    /* media that would move elsewhere, or cannot be read: 488, and the call goes on as it was */
    in.sdp = text_replaced(server_sdp("mc_queueing"), "m=audio 50000", "m=audio 50008");
    assert_int_equal(step(in), MCX_OK);
    assert_int_equal(action(MCX_GC_SEND_REFUSAL)->code, 488);
    assert_int_equal(told(MCX_GC_NOTE_OFFER_REFUSED), MCX_GC_CAUSE_MEDIA);
    assert_string_equal(action(MCX_GC_TELL)->why.clause, "RFC 3264 8.3");
    in.sdp = mcx_bytes_str("nonsense");
    assert_int_equal(step(in), MCX_OK);
    assert_int_equal(action(MCX_GC_SEND_REFUSAL)->code, 488);
    assert_int_equal(told(MCX_GC_NOTE_OFFER_REFUSED), MCX_GC_CAUSE_SDP);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);

    /* both at once: the other side comes first, then we try again */
    assert_int_equal(change(MCX_GC_EMERGENCY), MCX_OK);
    assert_int_equal(step(in), MCX_OK);
    assert_int_equal(action(MCX_GC_SEND_REFUSAL)->code, 491);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_CHANGING);
    end();
}

static mcx_err crossed(uint32_t retry_ms)
{
    return step((struct mcx_groupcall_in){
        .event = MCX_GC_RX_FAILURE, .dialog = 7, .code = 491, .retry_ms = retry_ms });
}

static mcx_err again(void)
{
    return step((struct mcx_groupcall_in){ .event = MCX_GC_TIMER, .dialog = 7, .timer = MCX_GC_TIMER_AGAIN });
}

/* RFC 3261 14.1: an emergency that met a re-INVITE of the server is not lost. */
static void a_change_that_crossed_is_tried_again(void **state)
{
    struct mcx_mcptt_info info = { .session = MCX_SESSION_PREARRANGED };
    struct mcx_groupcall_in offer = { .event = MCX_GC_RX_OFFER, .dialog = 7, .info = &info };

    (void)state;
    call_up(false, "mc_queueing;mc_priority=5");
    assert_int_equal(change(MCX_GC_EMERGENCY), MCX_OK);
    assert_int_equal(crossed(1230), MCX_OK);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_WAITING);
    assert_int_equal(action(MCX_GC_START_TIMER)->timer, MCX_GC_TIMER_AGAIN);
    assert_int_equal(action(MCX_GC_START_TIMER)->delay_ms, 1230);
    assert_null(action(MCX_GC_TELL));

    offer.sdp = server_sdp("mc_queueing;mc_priority=255"); /* theirs comes first */
    info.imminent_peril = MCX_MCPTT_TRUE;
    assert_int_equal(step(offer), MCX_OK);
    assert_non_null(action(MCX_GC_SEND_OK));
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_WAITING);
    assert_int_equal(again(), MCX_OK);
    assert_int_equal(action(MCX_GC_SEND_REINVITE)->type, MCX_GC_EMERGENCY);
    assert_int_equal(crossed(0), MCX_OK); /* the dialog is busy */
    assert_int_equal(action(MCX_GC_START_TIMER)->delay_ms, 200);

    info.emergency = MCX_MCPTT_TRUE; /* another member was quicker */
    assert_int_equal(step(offer), MCX_OK);
    assert_int_equal(again(), MCX_OK);
    assert_null(action(MCX_GC_SEND_REINVITE));
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);
    end();
}

static void a_change_that_waits_ends_with_the_wish_or_the_call(void **state)
{
    (void)state;
    call_up(false, "mc_queueing;mc_priority=5");
    assert_int_equal(change(MCX_GC_EMERGENCY), MCX_OK);
    assert_int_equal(crossed(100), MCX_OK);
    assert_int_equal(change(MCX_GC_NORMAL), MCX_OK); /* no longer wanted */
    assert_int_equal(action(MCX_GC_STOP_TIMER)->timer, MCX_GC_TIMER_AGAIN);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);
    assert_int_equal(again(), MCX_E_STATE);

    assert_int_equal(change(MCX_GC_EMERGENCY), MCX_OK);
    for (int i = 1; i < 8; i++) {
        assert_int_equal(crossed(100), MCX_OK);
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_WAITING);
        assert_int_equal(again(), MCX_OK);
    }
    assert_int_equal(crossed(100), MCX_OK); /* enough */
    assert_int_equal(told(MCX_GC_NOTE_NOT_CHANGED), MCX_GC_CAUSE_REFUSED);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);

    assert_int_equal(change(MCX_GC_EMERGENCY), MCX_OK);
    assert_int_equal(crossed(100), MCX_OK);
    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_RX_BYE, .dialog = 7 }), MCX_OK);
    assert_int_equal(action(MCX_GC_STOP_TIMER)->timer, MCX_GC_TIMER_AGAIN);
    assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IDLE);
    end();
}

/* ---- everything else is dropped ---- */

static void events_without_a_row_change_nothing(void **state)
{
    (void)state;
    for (int event = 0; event < MCX_GC_NUM_EVENTS; event++) {
        struct mcx_groupcall_in in = { .event = (enum mcx_groupcall_event)event, .dialog = 99 };

        call_up(false, "mc_queueing");
        if (event > MCX_GC_TIMER) {
            assert_int_equal(step(in), MCX_E_ARG);
        } else if (event > MCX_GC_RX_INVITE) {
            assert_int_equal(step(in), MCX_E_STATE); /* another dialog */
        }
        assert_int_equal(mcx_groupcall_state(gc), MCX_GC_IN_CALL);
        end();
    }
    start(true);
    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_USER_LEAVE }), MCX_E_STATE);
    assert_int_equal(step((struct mcx_groupcall_in){ .event = MCX_GC_RX_BYE }), MCX_E_STATE);
    assert_int_equal(acts.num, 0);
    end();
}

static void affiliations_are_bounded(void **state)
{
    char group[64];

    (void)state;
    start(true);
    for (unsigned i = 0; i < MCX_GC_AFFILIATIONS_MAX; i++) {
        (void)snprintf(group, sizeof group, "sip:g%u@lab.example.org", i);
        assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(group), true), MCX_OK);
        assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(group), true), MCX_OK); /* again: no second place */
    }
    assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(HELD_ONE), true), MCX_E_SPACE);
    assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(group), false), MCX_OK);
    assert_false(mcx_groupcall_is_affiliated(gc, mcx_bytes_str(group)));
    assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(HELD_ONE), true), MCX_OK);
    assert_true(mcx_groupcall_is_affiliated(gc, mcx_bytes_str(HELD_ONE)));
    assert_false(mcx_groupcall_is_affiliated(gc, mcx_bytes_str("")));
    assert_int_equal(mcx_groupcall_affiliate(gc, mcx_bytes_str(""), true), MCX_E_ARG);
    end();
}

static void actions_of_a_step_are_bounded(void **state)
{
    (void)state;
    assert_true(most_actions <= 5); /* of all the tests above */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prearranged_call),
        cmocka_unit_test(an_implicit_request_is_agreed),
        cmocka_unit_test(a_chat_group_is_joined),
        cmocka_unit_test(no_usable_key_no_call),
        cmocka_unit_test(what_the_group_document_says),
        cmocka_unit_test(floor_control_without_a_csk),
        cmocka_unit_test(a_regrouped_group_uses_the_temporary_key),
        cmocka_unit_test(answers_that_cannot_be_used),
        cmocka_unit_test(refusals_of_the_server),
        cmocka_unit_test(cancelled_lost_or_never_answered),
        cmocka_unit_test(an_invitation),
        cmocka_unit_test(invitations_that_are_refused),
        cmocka_unit_test(busy_while_in_a_call),
        cmocka_unit_test(upgraded_and_back),
        cmocka_unit_test(the_answer_says_what_the_call_is),
        cmocka_unit_test(a_change_that_ends_the_call),
        cmocka_unit_test(the_server_changes_the_type),
        cmocka_unit_test(a_change_that_crossed_is_tried_again),
        cmocka_unit_test(a_change_that_waits_ends_with_the_wish_or_the_call),
        cmocka_unit_test(events_without_a_row_change_nothing),
        cmocka_unit_test(affiliations_are_bounded),
        cmocka_unit_test(actions_of_a_step_are_bounded),
    };

    return cmocka_run_group_tests_name("group call", tests, NULL, NULL);
}
