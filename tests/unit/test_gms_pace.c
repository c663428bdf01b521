/* SPDX-License-Identifier: Apache-2.0 */
/* src/gms/pace: looks, ticks and lines of progress on a clock of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gms/pace.h"

#define START 12345678

/* What the queue does in a turn, with a database that counts. */
struct turns {
    struct mcx_gms_pace pace;
    bool database_fails, store_fails;
    unsigned looks, taken, ticks, lines; /* `taken`: the last look that a tick took */
};

static void turn(struct turns *t, uint64_t mono_ms)
{
    if (mcx_gms_pace_look(&t->pace, mono_ms) && !t->store_fails) {
        t->looks++;
        mcx_gms_pace_looked(&t->pace);
    }
    if (!mcx_gms_pace_tick(&t->pace, mono_ms)) {
        return;
    }
    t->lines += mcx_gms_pace_log(&t->pace, mono_ms) ? 1 : 0;
    t->ticks++;
    if (t->pace.waits && !t->database_fails) {
        assert_int_equal(t->looks, t->taken + 1);
        t->taken = t->looks;
    }
    mcx_gms_pace_ticked(&t->pace, !t->database_fails);
}

static void everything_is_due_at_first(void **state)
{
    static const uint64_t clock[] = { 0, 1, START, UINT64_MAX / 2 };

    (void)state;
    for (size_t i = 0; i < sizeof clock / sizeof clock[0]; i++) {
        struct turns t = { 0 };

        turn(&t, clock[i]);
        turn(&t, clock[i]);
        assert_int_equal(t.taken, 1);
        assert_int_equal(t.ticks, 1);
        assert_int_equal(t.lines, 1);
    }
}

static void each_at_its_time(void **state)
{
    struct turns t = { 0 };

    (void)state;
    for (uint64_t ms = 0; ms < 20000; ms++) {
        turn(&t, ms);
    }
    assert_int_equal(t.looks, 4);
    assert_int_equal(t.taken, 4);
    assert_int_equal(t.ticks, 40);
    assert_int_equal(t.lines, 10);
}

/* A look in a turn without a tick: the next tick takes it, and only once. */
static void out_of_step(void **state)
{
    (void)state;
    for (uint64_t step = 1; step < MCX_GMS_TICK_MS; step += 7) {
        struct turns t = { 0 };

        turn(&t, START);
        mcx_gms_pace_hurry_look(&t.pace);
        turn(&t, START + step);
        assert_int_equal(t.looks, 2);
        assert_int_equal(t.taken, 1);
        assert_true(t.pace.waits);
        turn(&t, START + MCX_GMS_TICK_MS - 1);
        assert_int_equal(t.taken, 1);
        turn(&t, START + MCX_GMS_TICK_MS);
        assert_int_equal(t.taken, 2);
        assert_false(t.pace.waits);
        for (uint64_t ms = 1000; ms < 60000; ms += step) {
            turn(&t, START + ms); /* proves in each tick that no look was left out */
        }
        turn(&t, START + 60000 + MCX_GMS_TICK_MS);
        assert_int_equal(t.taken, t.looks);
        assert_true(t.looks > 10);
    }
}

static void a_failed_tick_keeps_it(void **state)
{
    struct turns t = { .database_fails = true };

    (void)state;
    turn(&t, START);
    turn(&t, START + MCX_GMS_TICK_MS);
    assert_int_equal(t.ticks, 2);
    assert_true(t.pace.waits);
    assert_int_equal(t.taken, 0);
    t.database_fails = false;
    turn(&t, START + 2 * MCX_GMS_TICK_MS);
    assert_int_equal(t.ticks, 3);
    assert_int_equal(t.taken, 1);
    assert_false(t.pace.waits);
}

static void a_failed_look_sees_nothing(void **state)
{
    struct turns t = { .store_fails = true };

    (void)state;
    turn(&t, START);
    assert_false(t.pace.waits);
    assert_int_equal(t.ticks, 1);
    t.store_fails = false;
    turn(&t, START + MCX_GMS_LOOK_MS - 1);
    assert_int_equal(t.looks, 0);
    turn(&t, START + MCX_GMS_LOOK_MS);
    assert_int_equal(t.looks, 1);
}

static void in_a_hurry(void **state)
{
    static const uint64_t clock[] = { 0, START };

    (void)state;
    for (size_t i = 0; i < sizeof clock / sizeof clock[0]; i++) {
        struct turns t = { 0 };

        turn(&t, clock[i]);
        mcx_gms_pace_hurry_look(&t.pace);
        turn(&t, clock[i]);
        assert_int_equal(t.looks, 2);
        assert_int_equal(t.ticks, 1);
        mcx_gms_pace_hurry_tick(&t.pace);
        turn(&t, clock[i]);
        assert_int_equal(t.looks, 2);
        assert_int_equal(t.ticks, 2);
        assert_int_equal(t.taken, 2);
        assert_int_equal(t.lines, 1);
        turn(&t, clock[i] + MCX_GMS_TICK_MS - 1);
        assert_int_equal(t.ticks, 2);
    }
}

/* The machine was asleep: one of each, and then the old pace. */
static void jumps(void **state)
{
    const uint64_t later = START + (UINT64_C(1) << 40);
    struct turns t = { 0 };

    (void)state;
    turn(&t, START);
    turn(&t, later);
    turn(&t, later + 1);
    assert_int_equal(t.taken, 2);
    assert_int_equal(t.ticks, 2);
    assert_int_equal(t.lines, 2);
    turn(&t, later + MCX_GMS_TICK_MS);
    assert_int_equal(t.ticks, 3);
    assert_int_equal(t.looks, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_due_at_first),
        cmocka_unit_test(each_at_its_time),
        cmocka_unit_test(out_of_step),
        cmocka_unit_test(a_failed_tick_keeps_it),
        cmocka_unit_test(a_failed_look_sees_nothing),
        cmocka_unit_test(in_a_hurry),
        cmocka_unit_test(jumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
