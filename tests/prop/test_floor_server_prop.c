/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of random calls through the floor control server. Whatever comes: at most one talker, who does not wait;
 * nobody else is passed on; numbers of Floor Taken and Floor Idle rise one by one; a step does a bounded number of
 * things; what is refused changes nothing; and every state has a way out by time alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/floor_server.h>

enum { NUM_CALLS = 3000, NUM_STEPS = 300, NUM_IDS = 8, MOST_ACTIONS = 7 };

struct world {
    uint64_t random;
    struct mcx_fsrv *srv;
    size_t max_queue;
    uint64_t now;
    bool in_call[NUM_IDS + 1];
    uint32_t forwarded;
    uint16_t sequence;
};

static struct mcx_fsrv_out out;

static uint32_t draw(struct world *w, uint32_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->random >> 33) % below;
}

static void check_message(struct world *w, const struct mcx_fsrv_action *a)
{
    const struct mcx_floor_msg *m = &a->msg;

    if (a->act == MCX_FS_SEND) {
        assert_true(a->id >= 1 && a->id <= NUM_IDS && w->in_call[a->id]);
    }
    if (m->type == MCX_FLOOR_TAKEN || m->type == MCX_FLOOR_IDLE) {
        w->sequence++;
        assert_int_equal(m->sequence, w->sequence);
    }
    if (m->type == MCX_FLOOR_GRANTED) {
        assert_int_equal(a->act, MCX_FS_SEND);
        assert_int_equal(a->id, mcx_fsrv_talker(w->srv));
    }
    if (m->type == MCX_FLOOR_TAKEN && a->act == MCX_FS_SEND_OTHERS) {
        assert_int_equal(a->id, mcx_fsrv_talker(w->srv));
    }
}

static void check(struct world *w)
{
    uint32_t talker = 0;

    assert_true(out.num <= MOST_ACTIONS);
    for (size_t i = 0; i < out.num; i++) {
        const struct mcx_fsrv_action *a = &out.action[i];

        if (a->act == MCX_FS_FORWARD) {
            w->forwarded = a->id;
        } else if (a->act == MCX_FS_SEND || a->act == MCX_FS_SEND_OTHERS) {
            check_message(w, a);
        }
    }
    talker = mcx_fsrv_talker(w->srv);
    assert_int_equal(w->forwarded, talker);
    assert_int_equal(mcx_fsrv_position(w->srv, talker), 0);
    assert_true(mcx_fsrv_num_waiting(w->srv) <= w->max_queue + 1);
    for (uint32_t id = 1; id <= NUM_IDS; id++) {
        assert_int_equal(mcx_fsrv_may_talk(w->srv, id), id == talker);
        assert_true(w->in_call[id] || mcx_fsrv_position(w->srv, id) == 0);
        assert_true(w->in_call[id] || id != talker);
    }
}

/* All that can be seen of it. */
static void look(const struct world *w, char *text, size_t cap)
{
    size_t n = (size_t)snprintf(text, cap, "%s %u %llu", mcx_fsrv_state(w->srv), (unsigned)mcx_fsrv_talker(w->srv),
                                (unsigned long long)mcx_fsrv_deadline(w->srv));

    for (uint32_t id = 1; id <= NUM_IDS; id++) {
        n += (size_t)snprintf(text + n, cap - n, " %s %zu", mcx_fsrv_participant_state(w->srv, id),
                              mcx_fsrv_position(w->srv, id));
    }
}

static mcx_err step(struct world *w, struct mcx_fsrv_in in)
{
    char before[1024], after[1024];
    mcx_err err = MCX_OK;

    look(w, before, sizeof before);
    in.now_ms = w->now;
    err = mcx_fsrv_step(w->srv, &in, &out);
    if (err == MCX_OK && in.event == MCX_FS_JOIN) {
        w->in_call[in.participant->id] = true;
    }
    if (err == MCX_OK && in.event == MCX_FS_LEAVE) {
        w->in_call[in.id] = false;
    }
    if (err == MCX_E_STATE) {
        look(w, after, sizeof after);
        assert_string_equal(before, after);
        assert_int_equal(out.num, 0);
    } else {
        assert_int_equal(err, MCX_OK);
    }
    check(w);
    return err;
}

/* Every TICK moves on: so many timers and no more can be due at once. */
static void wait(struct world *w, uint64_t ms)
{
    unsigned due = 0;
    uint64_t until = w->now + ms;

    while (mcx_fsrv_deadline(w->srv) <= until) {
        uint64_t at = mcx_fsrv_deadline(w->srv);

        due = at > w->now ? 0 : due + 1;
        assert_true(due <= MCX_FS_NUM_TIMERS + NUM_IDS);
        w->now = at > w->now ? at : w->now;
        assert_int_equal(step(w, (struct mcx_fsrv_in){ .event = MCX_FS_TICK }), MCX_OK);
    }
    w->now = until;
}

static void random_message(struct world *w, uint32_t id)
{
    static const enum mcx_floor_type types[] = {
        MCX_FLOOR_REQUEST, MCX_FLOOR_REQUEST, MCX_FLOOR_REQUEST, MCX_FLOOR_RELEASE, MCX_FLOOR_QUEUE_POSITION_REQUEST,
        MCX_FLOOR_ACK,     MCX_FLOOR_IDLE,    MCX_FLOOR_REVOKE,  MCX_FLOOR_RELEASE, MCX_FLOOR_MEDIA_FLOW_CONTROL,
    };
    static const uint16_t indicators[] = { 0, MCX_FI_NORMAL, MCX_FI_EMERGENCY, MCX_FI_IMMINENT };
    struct mcx_floor_msg msg = { .type = types[draw(w, sizeof types / sizeof types[0])] };

    msg.ack_wanted = draw(w, 2) == 0;
    msg.present = draw(w, UINT32_C(1) << 26);
    msg.priority = (uint8_t)draw(w, 256);
    msg.indicator = indicators[draw(w, 4)];
    (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_RX, .id = id, .msg = &msg });
}

static void random_join(struct world *w, uint32_t id)
{
    struct mcx_fsrv_participant p = { .id = id,
                                      .mcptt_id = "sip:u@example.org",
                                      .max_priority = (uint8_t)draw(w, 256) };

    p.queueing = draw(w, 3) != 0;
    p.receive_only = draw(w, 6) == 0;
    p.privacy = draw(w, 6) == 0;
    (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_JOIN, .participant = &p, .implicit_request = draw(w, 3) == 0 });
}

static void random_step(struct world *w)
{
    static const uint16_t types[] = { MCX_FI_NORMAL, MCX_FI_EMERGENCY, MCX_FI_IMMINENT, MCX_FI_BROADCAST };
    uint32_t id = 1 + draw(w, NUM_IDS);
    uint32_t what = draw(w, 100);

    if (what < 35) {
        random_message(w, id);
    } else if (what < 55) {
        id = mcx_fsrv_talker(w->srv) != 0 && draw(w, 4) != 0 ? mcx_fsrv_talker(w->srv) : id;
        (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_RTP, .id = id, .ssrc = id });
    } else if (what < 70) {
        random_join(w, id);
    } else if (what < 78) {
        (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_LEAVE, .id = id });
    } else if (what < 81) {
        (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_CALL_TYPE, .indicator = types[draw(w, 4)] });
    } else if (what < 82) {
        (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_READY });
    } else if (what == 82 && draw(w, 20) == 0) {
        (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_END });
    } else {
        wait(w, draw(w, 2) == 0 ? draw(w, 50) : draw(w, 8000));
    }
}

/* By time alone everybody is where he may ask again; then the call is over when all have left. */
static void find_the_way_out(struct world *w)
{
    if (strcmp(mcx_fsrv_state(w->srv), "G: Floor Initialising") == 0) {
        assert_int_equal(step(w, (struct mcx_fsrv_in){ .event = MCX_FS_READY }), MCX_OK);
    }
    wait(w, (NUM_IDS + 2) * UINT64_C(40000));
    for (uint32_t id = 1; id <= NUM_IDS; id++) {
        const char *state = mcx_fsrv_participant_state(w->srv, id);

        if (w->in_call[id] && strcmp(mcx_fsrv_state(w->srv), "Releasing") != 0) {
            assert_string_equal(state, "U: not permitted and Floor Idle");
        }
    }
    (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_END });
    assert_true(mcx_fsrv_deadline(w->srv) == UINT64_MAX);
    for (uint32_t id = 1; id <= NUM_IDS; id++) {
        (void)step(w, (struct mcx_fsrv_in){ .event = MCX_FS_LEAVE, .id = id });
    }
    assert_string_equal(mcx_fsrv_state(w->srv), "Start-stop");
}

static void random_calls_keep_what_must_hold(void **state)
{
    (void)state;
    for (unsigned call = 0; call < NUM_CALLS; call++) {
        struct world w = { .random = call + 1, .now = 5 };
        struct mcx_fsrv_config config = { .queueing = draw(&w, 4) != 0, .pre_empt_from = (uint8_t)draw(&w, 256) };

        config.max_queue = 1 + draw(&w, 4);
        config.pre_empt_emergency = draw(&w, 2) == 0;
        config.temporary_group = draw(&w, 4) == 0;
        config.timer_ms[MCX_FS_T9] = draw(&w, 3) == 0 ? 7000 : 0;
        config.timer_ms[MCX_FS_T1] = draw(&w, 3) == 0 ? 1500 : 0;
        config.timer_ms[MCX_FS_T2] = draw(&w, 3) == 0 ? 5000 : 0;
        config.timer_ms[MCX_FS_T3] = draw(&w, 4) == 0 ? UINT32_MAX : 0;
        config.max_count[MCX_FS_T8] = draw(&w, 4);
        config.max_count[MCX_FS_T20] = draw(&w, 4);
        w.max_queue = config.max_queue;
        assert_int_equal(mcx_fsrv_new(&w.srv, &config), MCX_OK);
        for (unsigned i = 0; i < NUM_STEPS; i++) {
            random_step(&w);
        }
        find_the_way_out(&w);
        mcx_fsrv_free(w.srv);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_calls_keep_what_must_hold) };

    return cmocka_run_group_tests_name("floor control server, random calls", tests, NULL, NULL);
}
