/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/jitter.h>

#include "support/fake.h"

#define DELAY 100
#define TS0   UINT32_C(0xffffff00) /* wraps within the first frame */
#define SEQ0  UINT16_C(65533)

/* The n-th frame of a stream; its number is in its bits. */
static struct mcx_amrwb_payload numbered(size_t n)
{
    struct mcx_amrwb_payload p = { .cmr = MCX_AMRWB_CMR_NONE, .num_frames = 1 };

    p.frame[0].ft = 2;
    p.frame[0].quality = true;
    p.frame[0].bits[0] = (uint8_t)(n >> 8);
    p.frame[0].bits[1] = (uint8_t)n;
    return p;
}

static void put(struct mcx_jitter *jb, size_t n, uint64_t now_ms)
{
    struct mcx_amrwb_payload p = numbered(n);

    mcx_jitter_put(jb, &p, (uint16_t)(SEQ0 + n), TS0 + 320 * (uint32_t)n, now_ms);
}

/* Expect frame n, or NO_DATA for -1. */
static void expect(struct mcx_jitter *jb, int n, uint64_t now_ms)
{
    struct mcx_amrwb_frame got;

    assert_true(mcx_jitter_get(&got, jb, now_ms));
    if (n < 0) {
        assert_int_equal(got.ft, MCX_AMRWB_FT_NO_DATA);
        return;
    }
    assert_int_equal(got.ft, 2);
    assert_int_equal(got.bits[0] << 8 | got.bits[1], n);
}

static void expect_none(struct mcx_jitter *jb, uint64_t now_ms)
{
    struct mcx_amrwb_frame got;

    assert_false(mcx_jitter_get(&got, jb, now_ms));
}

static struct mcx_jitter *fresh(void)
{
    struct mcx_jitter *jb = NULL;

    assert_int_equal(mcx_jitter_new(&jb, MCX_JITTER_DELAY_MAX_MS + 1), MCX_E_ARG);
    assert_int_equal(mcx_jitter_new(&jb, DELAY), MCX_OK);
    return jb;
}

static void in_order(void **state)
{
    struct mcx_jitter *jb = fresh();
    uint64_t at = 0;

    (void)state;
    assert_false(mcx_jitter_next_ms(&at, jb));
    expect_none(jb, 0);
    for (size_t n = 0; n < 5; n++) {
        put(jb, n, 1000 + 20 * n);
    }
    assert_true(mcx_jitter_next_ms(&at, jb));
    assert_int_equal(at, 1000 + DELAY);
    expect_none(jb, 1000 + DELAY - 1);
    for (int n = 0; n < 5; n++) {
        expect(jb, n, 1000 + DELAY + 20 * (uint64_t)n);
        expect_none(jb, 1000 + DELAY + 20 * (uint64_t)n);
    }
    mcx_jitter_free(jb);
}

static void reordered_lost_late_repeated(void **state)
{
    struct mcx_jitter *jb = fresh();
    struct mcx_jitter_stats stats;

    (void)state;
    put(jb, 1, 0); /* overtook frame 0 */
    put(jb, 3, 5);
    put(jb, 0, 10);
    put(jb, 3, 20);
    put(jb, 5, 30);
    expect(jb, 0, 80); /* 20 ms earlier than frame 1 */
    expect(jb, 1, 100);
    expect(jb, -1, 120);
    put(jb, 2, 121);
    expect(jb, 3, 140);
    put(jb, 4, 141);
    expect(jb, 4, 160);
    expect(jb, 5, 180);
    stats = mcx_jitter_stats(jb);
    assert_int_equal(stats.played, 5);
    assert_int_equal(stats.concealed, 1);
    assert_int_equal(stats.late, 1);
    assert_int_equal(stats.repeated, 1);
    assert_int_equal(stats.restarts, 1);
    mcx_jitter_free(jb);
}

/* A stalled receiver takes what is due in one go, and nothing is lost by it. */
static void catches_up(void **state)
{
    struct mcx_jitter *jb = fresh();

    (void)state;
    for (size_t n = 0; n < 40; n++) {
        put(jb, n, 500);
    }
    for (int n = 0; n < 40; n++) {
        expect(jb, n, 2000);
    }
    mcx_jitter_free(jb);
}

static void talk_spurts(void **state)
{
    struct mcx_jitter *jb = fresh();
    uint64_t at = 0;

    (void)state;
    put(jb, 0, 0);
    expect(jb, 0, 100);
    for (uint64_t i = 1; i <= MCX_JITTER_IDLE_FRAMES; i++) {
        expect(jb, -1, 100 + 20 * i);
    }
    assert_false(mcx_jitter_next_ms(&at, jb));
    expect_none(jb, 5000);
    put(jb, 300, 6000); /* 6 s later */
    assert_true(mcx_jitter_next_ms(&at, jb));
    assert_int_equal(at, 6000 + DELAY);
    expect(jb, 300, 6000 + DELAY);
    assert_int_equal(mcx_jitter_stats(jb).restarts, 2);
    mcx_jitter_free(jb);
}

/* A long loss inside a spurt keeps the time line while later frames are held. */
static void long_loss(void **state)
{
    struct mcx_jitter *jb = fresh();

    (void)state;
    put(jb, 0, 0);
    put(jb, 20, 50);
    expect(jb, 0, 100);
    for (uint64_t i = 1; i < 20; i++) {
        expect(jb, -1, 100 + 20 * i);
    }
    expect(jb, 20, 500);
    mcx_jitter_free(jb);
}

static void timestamp_jumps(void **state)
{
    struct mcx_jitter *jb = fresh();
    struct mcx_amrwb_payload p = numbered(7);

    (void)state;
    put(jb, 0, 0);
    put(jb, 1, 20);
    mcx_jitter_put(jb, &p, (uint16_t)(SEQ0 + 2), 0x40000000, 40); /* newest, far ahead: follow it */
    expect_none(jb, 139);
    expect(jb, 7, 140);
    p = numbered(8);
    mcx_jitter_put(jb, &p, (uint16_t)(SEQ0 + 3), 0x40000000 + 320 + 7, 160); /* off the grid: follow it */
    expect(jb, 8, 260);
    put(jb, 1, 261); /* an old one does not pull back */
    assert_int_equal(mcx_jitter_stats(jb).late, 1);
    expect(jb, -1, 280);
    mcx_jitter_free(jb);
}

/* The model: what came before its time is played, in order; the rest is concealed. */
static void random_network(void **state)
{
    enum { NUM = 2000 };
    static uint64_t arrival[NUM];
    static bool lost[NUM];
    struct fake_rng seed = { .seed = 77 };
    struct mcx_rng rng = fake_rng(&seed);
    struct mcx_jitter *jb = fresh();
    size_t played = 0;

    (void)state;
    for (size_t n = 0; n < NUM; n++) {
        uint8_t r[2];

        assert_int_equal(mcx_rng_fill(&rng, r, sizeof r), MCX_OK);
        lost[n] = n > 0 && r[0] < 20;
        arrival[n] = 20 * n + (n > 0 ? r[1] % 120u : 0); /* now and then over the delay of 100 */
    }
    for (uint64_t now = 0; played < NUM; now++) {
        struct mcx_amrwb_frame got;

        for (size_t n = now < 200 ? 0 : (size_t)(now - 200) / 20; n < NUM && 20 * n <= now; n++) {
            if (!lost[n] && arrival[n] == now) {
                put(jb, n, now);
            }
        }
        while (played < NUM && mcx_jitter_get(&got, jb, now)) {
            uint64_t due = 20 * played + DELAY;

            assert_int_equal(now, due);
            if (lost[played] || arrival[played] > due) {
                assert_int_equal(got.ft, MCX_AMRWB_FT_NO_DATA);
            } else {
                assert_int_equal(got.ft, 2);
                assert_int_equal(got.bits[0] << 8 | got.bits[1], played);
            }
            played++;
        }
    }
    assert_true(mcx_jitter_stats(jb).concealed > 50);
    assert_true(mcx_jitter_stats(jb).late > 50);
    assert_int_equal(mcx_jitter_stats(jb).restarts, 1);
    mcx_jitter_free(jb);
}

static void several_frames_a_packet(void **state)
{
    struct mcx_jitter *jb = fresh();
    struct mcx_amrwb_payload p = numbered(0);

    (void)state;
    p.num_frames = 3;
    p.frame[1] = numbered(1).frame[0];
    p.frame[2] = numbered(2).frame[0];
    mcx_jitter_put(jb, &p, SEQ0, TS0, 0);
    for (int n = 0; n < 3; n++) {
        expect(jb, n, 100 + 20 * (uint64_t)n);
    }
    mcx_jitter_free(jb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),       cmocka_unit_test(reordered_lost_late_repeated),
        cmocka_unit_test(catches_up),     cmocka_unit_test(talk_spurts),
        cmocka_unit_test(long_loss),      cmocka_unit_test(timestamp_jumps),
        cmocka_unit_test(random_network), cmocka_unit_test(several_frames_a_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
