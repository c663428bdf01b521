/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation and the n-th random draw fail while a call is made and while one comes in, for every n: the
 * machine is idle again, nothing of a key is left, the other side is not said to have forged anything, and the next
 * call works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/failing_provider.h"
#include "support/phones.h"

static struct mcx_keyring *alice_ring, *bob_ring;
static const struct mcx_ntp now = { RING_OWN_TIME, 0 };
static char offer[16384];
static size_t offer_len;

/* A machine of its own for every try, since a replay cache remembers what was verified. */
struct machine {
    struct mcx_replay *replay;
    struct fake_rng rng;
    struct mcx_privcall *pc;
    struct mcx_privcall_actions actions;
    mcx_err err;
};

static void setup(struct machine *m, bool alice, size_t draw_fails_at)
{
    struct mcx_privcall_config config = {
        .own_id = alice ? ALICE_ID : BOB_ID,
        .ring = alice ? alice_ring : bob_ring,
        .local_address = "192.0.2.1",
        .audio_port = 40000,
        .amrwb = { .payload_type = 97, .mode_set = 0x1ff },
    };

    memset(m, 0, sizeof *m);
    m->rng = (struct fake_rng){ .seed = 3, .fail_at = draw_fails_at };
    assert_int_equal(mcx_replay_new(&m->replay, 4), MCX_OK);
    config.replay = m->replay;
    config.rng = fake_rng(&m->rng);
    assert_int_equal(mcx_privcall_new(&m->pc, &config), MCX_OK);
}

static void clear(struct machine *m)
{
    mcx_privcall_free(m->pc);
    mcx_replay_free(m->replay);
}

static void step(struct machine *m, bool alice, size_t n)
{
    struct mcx_privcall_in in = { .now = now, .dialog = 1 };

    if (alice) {
        in.event = MCX_PC_USER_CALL;
        in.callee = mcx_bytes_str(BOB_ID);
    } else {
        in.event = MCX_PC_RX_INVITE;
        in.calling_user = mcx_bytes_str(ALICE_ID);
        in.sdp = mcx_bytes(offer, offer_len);
        in.priv_answer_mode = MCX_ANSWER_AUTO;
    }
    num_allocs = 0;
    fail_at = n;
    m->err = mcx_privcall_step(m->pc, &in, &m->actions);
    fail_at = 0;
}

/* True when the call has come about. */
static bool came_about(const struct machine *m, bool alice)
{
    bool refused = false;

    assert_int_equal(m->err, MCX_OK);
    if (mcx_privcall_state(m->pc) == (alice ? MCX_PC_CALLING : MCX_PC_IN_CALL)) {
        return true;
    }
    assert_int_equal(mcx_privcall_state(m->pc), MCX_PC_IDLE);
    assert_false(mcx_privcall_holds_key(m->pc));
    for (size_t i = 0; i < m->actions.num; i++) {
        const struct mcx_privcall_action *a = &m->actions.list[i];

        assert_true(a->act == MCX_PC_TELL || (!alice && a->act == MCX_PC_SEND_REFUSAL && a->code == 500));
        if (a->act == MCX_PC_TELL) {
            assert_int_equal(a->note, MCX_PC_NOTE_REFUSED);
            assert_string_equal(mcx_privcall_cause_name(a->cause), "internal");
            refused = true;
        }
    }
    assert_true(refused);
    return false;
}

static void every_allocation(bool alice)
{
    size_t num_failed = 0;

    for (size_t n = 1;; n++) {
        struct machine m;
        bool done;

        setup(&m, alice, 0);
        step(&m, alice, n);
        done = num_allocs < n;
        num_failed += !came_about(&m, alice);
        assert_true(!done || mcx_privcall_state(m.pc) != MCX_PC_IDLE);
        if (!done && alice && mcx_privcall_state(m.pc) == MCX_PC_IDLE) {
            step(&m, alice, 0);
            assert_true(came_about(&m, alice));
        }
        clear(&m);
        if (done) {
            break;
        }
    }
    assert_true(num_failed > 20);
}

static void test_outgoing(void **state)
{
    (void)state;
    every_allocation(true);
}

static void test_incoming(void **state)
{
    (void)state;
    every_allocation(false);
}

static void test_random_draws(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct machine m;
        bool made;

        setup(&m, true, n);
        step(&m, true, 0);
        made = came_about(&m, true);
        assert_int_equal(made, m.rng.num_calls < n);
        clear(&m);
        if (made) {
            assert_int_equal(n, 5); /* PCK, PCK-ID, RAND, j */
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outgoing),
        cmocka_unit_test(test_incoming),
        cmocka_unit_test(test_random_draws),
    };
    struct machine m;
    int failed;

    if (!failing_provider()) {
        return 1;
    }
    alice_ring = ring_own(1u << 2);
    bob_ring = ring_own(1u << 3);
    setup(&m, true, 0);
    step(&m, true, 0);
    for (size_t i = 0; i < m.actions.num; i++) {
        const struct mcx_privcall_action *a = &m.actions.list[i];

        if (a->act == MCX_PC_SEND_INVITE && a->sdp.len <= sizeof offer) {
            memcpy(offer, a->sdp.p, a->sdp.len);
            offer_len = a->sdp.len;
        }
    }
    clear(&m);
    failed = cmocka_run_group_tests_name("private call, faults", tests, NULL, NULL);
    mcx_keyring_free(alice_ring);
    mcx_keyring_free(bob_ring);
    return failed;
}
