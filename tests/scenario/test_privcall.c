/* SPDX-License-Identifier: Apache-2.0 */
/* Whole private calls between two machines on a fake clock: every way a call can go
 * (TS 24.379 11.1.1.2.1, 11.1.2, 11.1.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc/privcall_priv.h"
#include "support/phones.h"

static struct wire w;

static void manual_bob(struct mcx_privcall_config *config, bool alice)
{
    config->manual = !alice;
}

/* What Alice's INVITE carried, for tests that look at it later. */
static struct wire_msg kept;
static bool keep_invite(struct wire *wire, struct wire_msg *msg, void *arg)
{
    (void)wire;
    (void)arg;
    if (msg->in.event == MCX_PC_RX_INVITE) {
        kept = *msg;
    }
    return true;
}

static enum mcx_privcall_state state_of(const struct phone *p)
{
    return mcx_privcall_state(p->pc);
}

static void want_open(void)
{
    assert_int_equal(state_of(&w.alice), MCX_PC_IN_CALL);
    assert_int_equal(state_of(&w.bob), MCX_PC_IN_CALL);
    assert_true(w.alice.media && w.bob.media);
}

/* Both idle; no octet of key material, not even a copy in another place of the machine. */
static void want_over(const struct mcx_key *pck)
{
    struct phone *both[] = { &w.alice, &w.bob };

    for (size_t i = 0; i < 2; i++) {
        const struct mcx_privcall *pc = both[i]->pc;

        assert_int_equal(state_of(both[i]), MCX_PC_IDLE);
        assert_false(both[i]->media);
        assert_false(both[i]->listening);
        assert_false(mcx_privcall_holds_key(pc));
        for (size_t t = 0; t < MCX_PC_NUM_TIMERS; t++) {
            assert_int_equal(both[i]->timer_ms[t], 0);
        }
        for (size_t k = 0; pck != NULL && k + MCX_KEY_LEN <= sizeof *pc; k++) {
            assert_memory_not_equal((const uint8_t *)pc + k, pck->octet, MCX_KEY_LEN);
        }
    }
}

static void call_auto(void)
{
    wire_setup(&w, NULL);
    w.passing = keep_invite;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    want_open();
}

static void keys_of_both_directions(void **state)
{
    struct mcx_imessage_policy policy = { .initiator = mcx_bytes_str(ALICE_ID) };
    struct mcx_imessage msg = { 0 };
    struct mcx_srtp_master master;
    size_t at = 0;
    size_t len = 0;
    struct vec v;

    (void)state;
    call_auto();
    v = imessage_of(kept.sdp, kept.sdp_len, &at, &len);
    assert_int_equal(mcx_imessage_open(&msg, vec_bytes(&v), w.bob.ring, NULL, w.now, &policy, NULL), MCX_OK);
    assert_int_equal(msg.key_id >> 28, 1); /* PCK */
    for (uint8_t cs = 0; cs < 2; cs++) {   /* 0 = what the caller sends, 1 = what the callee sends */
        const struct phone *sender = cs == 0 ? &w.alice : &w.bob;

        assert_int_equal(mcx_srtp_master_derive(&master, &msg.key, cs, msg.key_id, mcx_bytes(msg.rand, msg.rand_len)),
                         MCX_OK);
        assert_memory_equal(&sender->tx, &master, sizeof master);
        assert_memory_equal(&sender->peer->rx, &master, sizeof master);
    }
    assert_memory_not_equal(&w.alice.tx, &w.alice.rx, sizeof w.alice.tx);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(w.alice.mki[i], (msg.key_id >> (24 - 8 * i)) & 0xff);
    }
    assert_memory_equal(w.alice.mki, w.bob.mki, 4);
    assert_memory_equal(&w.alice.early_rx, &w.bob.tx, sizeof w.bob.tx); /* ready before the answer */
    assert_string_equal(w.alice.media_address, "192.0.2.2");
    assert_string_equal(w.bob.media_address, "192.0.2.1");
    assert_int_equal(w.alice.media_is.port, 50000);
    assert_int_equal(w.bob.media_is.port, 40000);
    assert_int_equal(w.alice.media_is.floor_port, 50010);
    assert_int_equal(w.bob.media_is.floor_port, 40010);
    assert_int_equal(w.alice.media_is.roc_rate, 0);

    assert_true(mcx_privcall_holds_key(w.alice.pc) && mcx_privcall_holds_key(w.bob.pc));
    assert_int_equal(phone_user(&w, &w.alice, MCX_PC_USER_HANGUP), MCX_OK);
    want_over(&msg.key);
    mcx_imessage_clear(&msg);
    wire_clear(&w);
}

static void bye_from_either_side(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct phone *ends = side == 0 ? &w.alice : &w.bob;

        call_auto();
        assert_int_equal(phone_user(&w, ends, MCX_PC_USER_HANGUP), MCX_OK);
        want_over(NULL);
        assert_int_equal(ends->num_byes, 1);
        assert_int_equal(ends->peer->num_byes, 0);
        assert_int_equal(ends->cause, MCX_PC_CAUSE_HANGUP);
        assert_int_equal(ends->peer->cause, MCX_PC_CAUSE_PEER_HANGUP);
        wire_clear(&w);
    }
}

static void without_floor_control(void **state)
{
    (void)state;
    wire_setup(&w, NULL);
    w.passing = keep_invite;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, false), MCX_OK);
    want_open();
    assert_null(strstr(kept.sdp, "m=application"));
    assert_int_equal(w.alice.media_is.floor_port, 0);
    assert_int_equal(w.bob.media_is.floor_port, 0);
    assert_true(w.bob.protected_media);
    wire_clear(&w);
}

/* What the server makes of the floor lines that pass: TS 24.380 14.3.3, 14.3.5. */
static const char *floor_line;
static bool floor_by_server(struct wire *wire, struct wire_msg *msg, void *arg)
{
    char *at = NULL;

    (void)keep_invite(wire, msg, arg);
    msg->sdp[msg->sdp_len] = '\0';
    at = strstr(msg->sdp, "m=application");
    if (at != NULL) {
        (void)snprintf(at, sizeof msg->sdp - (size_t)(at - msg->sdp), "%s", floor_line);
        msg->sdp_len = strlen(msg->sdp);
    }
    return true;
}

static void floor_control_as_negotiated(void **state)
{
    struct mcx_privcall_in call = {
        .event = MCX_PC_USER_CALL, .dialog = 900, .floor = true, .callee = mcx_bytes_str(BOB_ID)
    };

    (void)state;
    for (int round = 0; round < 3; round++) {
        bool answered = round == 1; /* else the INVITE was none (TS 24.380 14.3.5) */

        wire_setup(&w, NULL);
        w.passing = floor_by_server;
        floor_line = answered ? "m=application 3000 udp MCPTT\r\nc=IN IP4 192.0.2.9\r\n"
                                "a=fmtp:MCPTT mc_queueing;mc_priority=3;mc_granted;mc_implicit_request\r\n"
                              : "m=application 3000 udp MCPTT\r\nc=IN IP4 192.0.2.9\r\na=fmtp:MCPTT mc_priority=3\r\n";
        call.request_floor = round > 0;
        assert_int_equal(phone_give(&w, &w.alice, &call), MCX_OK);
        want_open();
        for (int i = 0; i < 2; i++) {
            const struct phone *p = i == 0 ? &w.alice : &w.bob;

            assert_string_equal(p->floor_address, "192.0.2.9");
            assert_int_equal(p->media_is.floor_port, 3000);
            assert_int_equal(p->media_is.priority, 3);
            assert_int_equal(p->media_is.queueing, answered);
            assert_int_equal(p->media_is.implicit_request, answered && i == 0); /* nothing to Bob */
            assert_int_equal(p->media_is.granted, answered && i == 0);
        }
        wire_clear(&w);
    }
}

/* The offer, before a server has touched it (TS 24.380 14.2). */
static void floor_offer(void **state)
{
    struct mcx_privcall_in call = {
        .event = MCX_PC_USER_CALL, .dialog = 900, .floor = true, .request_floor = true, .callee = mcx_bytes_str(BOB_ID)
    };

    (void)state;
    wire_setup(&w, NULL);
    w.passing = keep_invite;
    assert_int_equal(phone_give(&w, &w.alice, &call), MCX_OK);
    assert_non_null(strstr(kept.sdp, "a=fmtp:MCPTT mc_queueing;mc_priority=5;mc_granted;mc_implicit_request\r\n"));
    wire_clear(&w);
    call_auto();
    assert_non_null(strstr(kept.sdp, "a=fmtp:MCPTT mc_queueing;mc_priority=5;mc_granted\r\n"));
    wire_clear(&w);
}

static void alice_without_csk(struct mcx_privcall_config *config, bool alice)
{
    config->has_csk = !alice;
}

static void bob_without_csk(struct mcx_privcall_config *config, bool alice)
{
    config->has_csk = alice;
}

/* TS 33.180 9.4.6: floor control only under a CSK; the call comes about all the same (TS 24.379 11.1.2). */
static void no_floor_control_without_csk(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        wire_setup(&w, side == 0 ? alice_without_csk : bob_without_csk);
        w.passing = keep_invite;
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
        want_open();
        assert_int_equal(strstr(kept.sdp, "m=application") != NULL, side == 1);
        assert_int_equal(w.alice.media_is.floor_port, 0);
        assert_int_equal(w.bob.media_is.floor_port, 0);
        wire_clear(&w);
    }
}

static void floor_line_that_cannot_be_read(void **state)
{
    (void)state;
    wire_setup(&w, NULL);
    w.passing = floor_by_server;
    floor_line = "m=application 3000 udp MCPTT\r\na=fmtp:MCPTT mc_priority=256\r\n";
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    want_over(NULL);
    assert_int_equal(w.bob.sent_code, 488);
    assert_string_equal(w.bob.reason, "malformed attribute of the floor control line");
    wire_clear(&w);
}

static void manual_accept(void **state)
{
    (void)state;
    wire_setup(&w, NULL);
    assert_int_equal(phone_call(&w, MCX_PC_MANUAL, true), MCX_OK);
    assert_int_equal(state_of(&w.alice), MCX_PC_RINGING);
    assert_int_equal(state_of(&w.bob), MCX_PC_ALERTING);
    assert_int_equal(w.bob.num_ringings, 1);
    assert_false(w.alice.media || w.bob.media);
    assert_int_equal(w.bob.timer_ms[MCX_PC_TIMER_RING], 60000);
    w.now.sec += 20;
    assert_int_equal(phone_user(&w, &w.bob, MCX_PC_USER_ACCEPT), MCX_OK);
    want_open();
    assert_memory_equal(&w.alice.tx, &w.bob.rx, sizeof w.alice.tx);
    wire_clear(&w);
}

static void manual_reject(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(state_of(&w.bob), MCX_PC_ALERTING); /* the callee's setting decides */
    assert_int_equal(phone_user(&w, &w.bob, MCX_PC_USER_REJECT), MCX_OK);
    want_over(NULL);
    assert_int_equal(w.bob.sent_code, 480);
    assert_int_equal(w.bob.sent_warning, MCX_WARN_USER_DECLINED);
    assert_int_equal(w.alice.cause, MCX_PC_CAUSE_DECLINED);
    assert_string_equal(w.alice.sentence, BOB_ID " declined the call");
    wire_clear(&w);
}

static void force_auto_overrides_the_setting(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    assert_int_equal(phone_call(&w, MCX_PC_FORCE_AUTO, true), MCX_OK);
    want_open();
    wire_clear(&w);
}

static void nobody_answers(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_timer(&w, &w.bob, MCX_PC_TIMER_RING), MCX_OK);
    want_over(NULL);
    assert_int_equal(w.bob.sent_code, 480);
    assert_int_equal(w.bob.sent_warning, MCX_WARN_NONE);
    assert_string_equal(w.alice.sentence, BOB_ID " did not answer");
    wire_clear(&w);
}

static void caller_cancels(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_user(&w, &w.alice, MCX_PC_USER_HANGUP), MCX_OK);
    want_over(NULL);
    assert_int_equal(w.alice.num_cancels, 1);
    assert_int_equal(w.bob.num_refusals, 0); /* the 487 is the transaction layer's */
    assert_int_equal(w.bob.cause, MCX_PC_CAUSE_CANCELLED);
    wire_clear(&w);
}

static void caller_loses_patience(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_timer(&w, &w.alice, MCX_PC_TIMER_ANSWER), MCX_OK);
    want_over(NULL);
    assert_int_equal(w.alice.cause, MCX_PC_CAUSE_NO_ANSWER);
    wire_clear(&w);
}

static bool lose_cancel(struct wire *wire, struct wire_msg *msg, void *arg)
{
    (void)wire;
    (void)arg;
    return msg->in.event != MCX_PC_RX_CANCEL;
}

static void answer_crosses_the_cancel(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    w.passing = lose_cancel;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_user(&w, &w.alice, MCX_PC_USER_HANGUP), MCX_OK);
    assert_int_equal(state_of(&w.alice), MCX_PC_CANCELLING);
    assert_false(mcx_privcall_holds_key(w.alice.pc)); /* the keys went with the CANCEL */
    assert_false(w.alice.listening);
    assert_int_equal(phone_user(&w, &w.bob, MCX_PC_USER_ACCEPT), MCX_OK);
    want_over(NULL);
    assert_int_equal(w.alice.num_byes, 1);
    wire_clear(&w);
}

static void cancel_without_final_response(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    w.passing = lose_cancel;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(phone_user(&w, &w.alice, MCX_PC_USER_HANGUP), MCX_OK);
    assert_int_equal(phone_timer(&w, &w.alice, MCX_PC_TIMER_CANCEL), MCX_OK);
    assert_int_equal(state_of(&w.alice), MCX_PC_IDLE);
    wire_clear(&w);
}

static void busy_in_every_state_but_idle(void **state)
{
    (void)state;
    wire_setup(&w, manual_bob);
    w.passing = keep_invite;
    for (int stage = 0; stage < 2; stage++) {
        struct mcx_privcall_in second = { .event = MCX_PC_RX_INVITE, .dialog = 77 };
        enum mcx_privcall_state before = MCX_PC_IDLE;

        assert_int_equal(stage == 0 ? phone_call(&w, MCX_PC_AUTO, true) : phone_user(&w, &w.bob, MCX_PC_USER_ACCEPT),
                         MCX_OK);
        before = state_of(&w.bob);
        second.sdp = mcx_bytes(kept.sdp, kept.sdp_len);
        second.calling_user = mcx_bytes_str(ALICE_ID);
        assert_int_equal(phone_give(&w, &w.bob, &second), MCX_OK);
        assert_int_equal(w.bob.sent_code, 486);
        assert_int_equal(w.bob.num_refusals, (unsigned)stage + 1);
        assert_int_equal(state_of(&w.bob), before);
        assert_int_equal(phone_give(&w, &w.alice, &second), MCX_OK);
        assert_int_equal(w.alice.sent_code, 486);
    }
    want_open();
    wire_clear(&w);
}

static void connection_is_lost(void **state)
{
    (void)state;
    for (int when = 0; when < 3; when++) {
        struct mcx_privcall_in lost = { .event = MCX_PC_RX_LOST };

        wire_setup(&w, when == 2 ? NULL : manual_bob);
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
        lost.dialog = w.alice.dialog;
        assert_int_equal(phone_give(&w, &w.alice, &lost), MCX_OK);
        lost.dialog = w.bob.dialog;
        assert_int_equal(phone_give(&w, &w.bob, &lost), MCX_OK);
        want_over(NULL);
        assert_int_equal(w.alice.cause, MCX_PC_CAUSE_LOST);
        wire_clear(&w);
    }
}

static void short_duration(struct mcx_privcall_config *config, bool alice)
{
    (void)alice;
    config->timer_ms[MCX_PC_TIMER_DURATION] = 5000;
    config->timer_ms[MCX_PC_TIMER_ANSWER] = UINT32_MAX; /* off */
}

static void longest_call(void **state)
{
    (void)state;
    wire_setup(&w, short_duration);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    assert_int_equal(w.alice.timer_ms[MCX_PC_TIMER_DURATION], 5000);
    assert_int_equal(phone_timer(&w, &w.alice, MCX_PC_TIMER_DURATION), MCX_OK);
    assert_int_equal(w.alice.cause, MCX_PC_CAUSE_DURATION);
    want_over(NULL);
    wire_clear(&w);
}

/* An event of another dialog, or one that the state does not know, is dropped. */
static void events_out_of_place(void **state)
{
    struct mcx_privcall_in in = { .event = MCX_PC_RX_BYE };

    (void)state;
    call_auto();
    in.dialog = w.alice.dialog + 5;
    assert_int_equal(phone_give(&w, &w.alice, &in), MCX_E_STATE);
    in.dialog = w.alice.dialog;
    in.event = MCX_PC_RX_CANCEL;
    assert_int_equal(phone_give(&w, &w.alice, &in), MCX_E_STATE);
    in.event = MCX_PC_INVITE_AUTO; /* only a check makes these */
    assert_int_equal(phone_give(&w, &w.alice, &in), MCX_E_ARG);
    in.event = MCX_PC_USER_CALL;
    assert_int_equal(phone_give(&w, &w.alice, &in), MCX_E_STATE);
    want_open();
    assert_int_equal(phone_user(&w, &w.alice, MCX_PC_USER_HANGUP), MCX_OK);
    in.event = MCX_PC_RX_OK;
    assert_int_equal(phone_give(&w, &w.alice, &in), MCX_E_STATE);
    wire_clear(&w);
}

/* A second call after the first has new keys and a new PCK-ID. */
static void every_call_has_its_own_key(void **state)
{
    struct mcx_srtp_master first;
    uint8_t mki[4];

    (void)state;
    call_auto();
    first = w.alice.tx;
    memcpy(mki, w.alice.mki, sizeof mki);
    assert_int_equal(phone_user(&w, &w.bob, MCX_PC_USER_HANGUP), MCX_OK);
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    want_open();
    assert_memory_not_equal(&first, &w.alice.tx, sizeof first);
    assert_memory_not_equal(mki, w.alice.mki, sizeof mki);
    wire_clear(&w);
}

static const char *bad_answer;
static bool spoil_answer(struct wire *wire, struct wire_msg *msg, void *arg)
{
    (void)wire;
    (void)arg;
    if (msg->in.event == MCX_PC_RX_OK) {
        msg->sdp_len = (size_t)snprintf(msg->sdp, sizeof msg->sdp, "%s", bad_answer);
    }
    return true;
}

static void answers_that_cannot_be_used(void **state)
{
#define HEAD  "v=0\r\no=-\r\ns=-\r\nt=0 0\r\n"
#define AUDIO HEAD "c=IN IP4 192.0.2.2\r\nm=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\n"
#define FLOOR "m=application 9 udp MCPTT\r\na=fmtp:MCPTT "
    static const char *const answers[] = {
        "",
        "nonsense",
        HEAD,
        HEAD "c=IN IP4 192.0.2.2\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\n",
        HEAD "m=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\n",
        HEAD "c=IN IP4 192.0.2.2\r\nm=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\na=fmtp:97 octet-align=1\r\n",
        HEAD "c=IN IP4 192.0.2.2\r\nm=video 9 RTP/AVP 31\r\nm=audio 9 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000\r\n",
        AUDIO FLOOR "mc_priority=6\r\n",                  /* more than was asked for */
        AUDIO FLOOR "mc_implicit_request;mc_granted\r\n", /* the floor, which was not asked for */
        AUDIO FLOOR "mc_priority=0\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        wire_setup(&w, NULL);
        w.passing = spoil_answer;
        bad_answer = answers[i];
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
        want_over(NULL);
        assert_int_equal(w.alice.cause, MCX_PC_CAUSE_BAD_ANSWER);
        assert_int_equal(w.alice.num_byes, 1);
        wire_clear(&w);
    }
}

static bool key_mgmt_in_answer(struct wire *wire, struct wire_msg *msg, void *arg)
{
    (void)wire;
    (void)arg;
    if (msg->in.event == MCX_PC_RX_OK) {
        msg->sdp_len +=
            (size_t)snprintf(msg->sdp + msg->sdp_len, sizeof msg->sdp - msg->sdp_len, "a=key-mgmt:mikey \r\n");
    }
    return true;
}

static void key_mgmt_in_the_answer_is_ignored(void **state)
{
    (void)state;
    wire_setup(&w, NULL);
    w.passing = key_mgmt_in_answer;
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, false), MCX_OK);
    want_open();
    wire_clear(&w);
}

static void no_key_no_call(void **state)
{
    (void)state;
    wire_setup(&w, NULL);
    w.now.sec += 604800; /* the next key period: no key set */
    assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
    want_over(NULL);
    assert_int_equal(w.alice.cause, MCX_PC_CAUSE_NO_KEY);
    assert_int_equal(w.bob.num_notes, 0);
    assert_non_null(strstr(w.alice.sentence, "fetch keys"));
    wire_clear(&w);
}

/* Whichever random draw fails: no INVITE, no key. */
static void random_draws_fail(void **state)
{
    size_t draws = 0;

    (void)state;
    call_auto();
    draws = w.alice.rng.num_calls;
    wire_clear(&w);
    assert_true(draws >= 3);
    for (size_t n = 1; n <= draws; n++) {
        wire_setup(&w, NULL);
        w.alice.rng.fail_at = n;
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
        want_over(NULL);
        assert_int_equal(w.alice.cause, MCX_PC_CAUSE_INTERNAL);
        assert_int_equal(w.bob.num_notes, 0);
        wire_clear(&w);
    }
}

static void commencement_table(void **state)
{
    static const struct {
        enum mcx_answer_mode answer, priv;
        bool manual;
        enum mcx_answer_mode want;
    } rows[] = {
        { MCX_ANSWER_UNSET, MCX_ANSWER_AUTO, false, MCX_ANSWER_AUTO },
        { MCX_ANSWER_UNSET, MCX_ANSWER_AUTO, true, MCX_ANSWER_AUTO },
        { MCX_ANSWER_AUTO, MCX_ANSWER_UNSET, false, MCX_ANSWER_AUTO },
        { MCX_ANSWER_AUTO, MCX_ANSWER_UNSET, true, MCX_ANSWER_MANUAL },
        { MCX_ANSWER_MANUAL, MCX_ANSWER_UNSET, false, MCX_ANSWER_MANUAL },
        { MCX_ANSWER_MANUAL, MCX_ANSWER_UNSET, true, MCX_ANSWER_MANUAL },
        { MCX_ANSWER_UNSET, MCX_ANSWER_MANUAL, false, MCX_ANSWER_MANUAL },
        { MCX_ANSWER_AUTO, MCX_ANSWER_MANUAL, false, MCX_ANSWER_MANUAL },
        { MCX_ANSWER_MANUAL, MCX_ANSWER_AUTO, true, MCX_ANSWER_AUTO },
        { MCX_ANSWER_UNSET, MCX_ANSWER_UNSET, false, MCX_ANSWER_AUTO },
        { MCX_ANSWER_UNSET, MCX_ANSWER_UNSET, true, MCX_ANSWER_MANUAL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(mcx_privcall_commence(rows[i].answer, rows[i].priv, rows[i].manual), rows[i].want);
    }
}

static void what_the_caller_reads(void **state)
{
    static const struct {
        uint16_t code;
        unsigned warning;
        enum mcx_privcall_cause cause;
        const char *sentence;
    } rows[] = {
        { 488, 136, MCX_PC_CAUSE_PEER_AUTH, "The phone of " BOB_ID " could not verify that the call comes from you" },
        { 488, 0, MCX_PC_CAUSE_PEER_REFUSED, "could not agree" },
        { 480, 110, MCX_PC_CAUSE_DECLINED, BOB_ID " declined the call" },
        { 486, 0, MCX_PC_CAUSE_BUSY, BOB_ID " is busy" },
        { 404, 141, MCX_PC_CAUSE_PEER_REFUSED, "register first" },
        { 404, 0, MCX_PC_CAUSE_PEER_REFUSED, "no phone is registered" },
        { 403, 127, MCX_PC_CAUSE_PEER_REFUSED, "may not be called" },
        { 403, 199, MCX_PC_CAUSE_PEER_REFUSED, "does not allow" },
        { 699, 0, MCX_PC_CAUSE_PEER_REFUSED, "The call to " BOB_ID " failed" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_privcall_in in = { .event = MCX_PC_RX_FAILURE, .code = rows[i].code, .warning = rows[i].warning };

        wire_setup(&w, manual_bob);
        assert_int_equal(phone_call(&w, MCX_PC_AUTO, true), MCX_OK);
        in.dialog = w.alice.dialog;
        assert_int_equal(phone_give(&w, &w.alice, &in), MCX_OK);
        assert_int_equal(state_of(&w.alice), MCX_PC_IDLE);
        assert_false(mcx_privcall_holds_key(w.alice.pc));
        assert_int_equal(w.alice.cause, rows[i].cause);
        assert_non_null(strstr(w.alice.sentence, rows[i].sentence));
        wire_clear(&w);
    }
}

/* One row for a state and an event. */
static void no_row_stands_twice(void **state)
{
    struct mcx_privcall_row row, other;
    size_t n = 0;

    (void)state;
    for (n = 0; mcx_privcall_row(&row, n); n++) {
        for (size_t k = 0; k < n; k++) {
            assert_true(mcx_privcall_row(&other, k));
            assert_false(strcmp(other.state, row.state) == 0 && strcmp(other.event, row.event) == 0);
        }
    }
    assert_true(n > 30);
}

static void wrong_configurations(void **state)
{
    struct mcx_privcall_config config = { 0 };
    struct mcx_privcall *pc = NULL;

    (void)state;
    assert_int_equal(mcx_privcall_new(&pc, &config), MCX_E_ARG);
    assert_null(pc);
    mcx_privcall_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_both_directions),
        cmocka_unit_test(bye_from_either_side),
        cmocka_unit_test(without_floor_control),
        cmocka_unit_test(floor_control_as_negotiated),
        cmocka_unit_test(floor_offer),
        cmocka_unit_test(no_floor_control_without_csk),
        cmocka_unit_test(floor_line_that_cannot_be_read),
        cmocka_unit_test(manual_accept),
        cmocka_unit_test(manual_reject),
        cmocka_unit_test(force_auto_overrides_the_setting),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(caller_cancels),
        cmocka_unit_test(caller_loses_patience),
        cmocka_unit_test(answer_crosses_the_cancel),
        cmocka_unit_test(cancel_without_final_response),
        cmocka_unit_test(busy_in_every_state_but_idle),
        cmocka_unit_test(connection_is_lost),
        cmocka_unit_test(longest_call),
        cmocka_unit_test(events_out_of_place),
        cmocka_unit_test(every_call_has_its_own_key),
        cmocka_unit_test(answers_that_cannot_be_used),
        cmocka_unit_test(key_mgmt_in_the_answer_is_ignored),
        cmocka_unit_test(no_key_no_call),
        cmocka_unit_test(random_draws_fail),
        cmocka_unit_test(commencement_table),
        cmocka_unit_test(what_the_caller_reads),
        cmocka_unit_test(no_row_stands_twice),
        cmocka_unit_test(wrong_configurations),
    };

    return cmocka_run_group_tests_name("private call", tests, NULL, NULL);
}
