/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/playout.h>

#define DELAY 100
#define TS0   UINT32_C(0xfffffe00) /* wraps at once */
#define SEQ0  UINT16_C(65530)
#define SSRC  UINT32_C(0x1234)
#define NUM   1000
#define AHEAD 8

static struct {
    int frame[NUM + 100]; /* number of the frame, -1 = concealed */
    size_t num;
} heard;

static void hear(void *arg, const struct mcx_amrwb_frame *f)
{
    assert_null(arg);
    assert_true(heard.num < sizeof heard.frame / sizeof heard.frame[0]);
    heard.frame[heard.num++] = f->ft == MCX_AMRWB_FT_NO_DATA ? -1 : f->bits[0] << 8 | f->bits[1];
}

static struct mcx_playout *fresh(void)
{
    struct mcx_playout *p = NULL;

    heard.num = 0;
    assert_int_equal(mcx_playout_new(&p, DELAY, hear, NULL), MCX_OK);
    return p;
}

static void put_as(struct mcx_playout *p, size_t n, uint32_t ssrc, uint32_t ts)
{
    struct mcx_amrwb_payload payload = { .cmr = MCX_AMRWB_CMR_NONE, .num_frames = 1 };

    payload.frame[0] = (struct mcx_amrwb_frame){ .ft = 2, .quality = true };
    payload.frame[0].bits[0] = (uint8_t)(n >> 8);
    payload.frame[0].bits[1] = (uint8_t)n;
    assert_int_equal(mcx_playout_put(p, &payload, ssrc, (uint16_t)(SEQ0 + n), ts), MCX_OK);
}

static void put(struct mcx_playout *p, size_t n)
{
    put_as(p, n, SSRC, TS0 + 320 * (uint32_t)n);
}

static void want(const int *frames, size_t num)
{
    assert_int_equal(heard.num, num);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(heard.frame[i], frames[i]);
    }
}

static void in_order_gives_every_frame(void **state)
{
    struct mcx_playout *p = fresh();
    struct mcx_playout_stats s;

    (void)state;
    for (size_t n = 0; n < NUM; n++) {
        put(p, n);
    }
    assert_int_equal(heard.num, NUM - 5); /* the delay */
    mcx_playout_end(p);
    mcx_playout_end(p); /* nothing more */
    assert_int_equal(heard.num, NUM);
    for (size_t n = 0; n < NUM; n++) {
        assert_int_equal(heard.frame[n], n);
    }
    s = mcx_playout_stats(p);
    assert_int_equal(s.received, NUM);
    assert_int_equal(s.late + s.lost + s.duplicates + s.concealed, 0);
    mcx_playout_free(p);
}

/* Even the first packet may be overtaken. */
static void overtaken_packets_find_their_place(void **state)
{
    static const int frames[] = { 0, 1, 2, 3, 4, 5, 6 };
    struct mcx_playout *p = fresh();

    (void)state;
    put(p, 1);
    put(p, 0);
    put(p, 5);
    put(p, 4);
    put(p, 3);
    put(p, 2);
    put(p, 6);
    mcx_playout_end(p);
    want(frames, 7);
    assert_int_equal(mcx_playout_stats(p).received, 7);
    assert_int_equal(mcx_playout_stats(p).lost, 0);
    mcx_playout_free(p);
}

static void holes_are_concealed_and_counted(void **state)
{
    static const int frames[] = { 0, -1, 2, 3, -1, -1, 6, 7, 8, 9, 10, 11 };
    struct mcx_playout *p = fresh();
    struct mcx_playout_stats s;

    (void)state;
    put(p, 0);
    put(p, 2);
    put(p, 3);
    put(p, 3);
    for (size_t n = 6; n < 12; n++) {
        put(p, n);
    }
    put(p, 4); /* its place has been played */
    mcx_playout_end(p);
    want(frames, 12);
    s = mcx_playout_stats(p);
    assert_int_equal(s.received, 9);
    assert_int_equal(s.duplicates, 1);
    assert_int_equal(s.late, 1);
    assert_int_equal(s.lost, 2); /* 1 and 5 */
    assert_int_equal(s.concealed, 3);
    mcx_playout_free(p);
}

/* A pause of the speaker, a jump of his clock, another SSRC: all that came before is heard before. */
static void breaks_lose_nothing(void **state)
{
    struct mcx_playout *p = fresh();
    int expected = 0;

    (void)state;
    put_as(p, 0, SSRC, 1000);
    put_as(p, 1, SSRC, 1320);
    put_as(p, 2, SSRC, 1320 + 16000 * 60); /* a minute later */
    put_as(p, 3, SSRC, 1640 + 16000 * 60);
    put_as(p, 4, SSRC, 77); /* back */
    put_as(p, 5, SSRC, 77 + 333);
    put_as(p, 6, SSRC + 1, 5);
    put_as(p, 7, SSRC + 1, 325);
    mcx_playout_end(p);
    for (size_t i = 0; i < heard.num; i++) {
        if (heard.frame[i] >= 0) {
            assert_int_equal(heard.frame[i], expected++);
        }
    }
    assert_int_equal(expected, 8);
    assert_int_equal(mcx_playout_stats(p).received, 8);
    assert_int_equal(mcx_playout_stats(p).lost, 0);
    mcx_playout_free(p);
}

static uint32_t lcg(uint32_t *x)
{
    *x = *x * 1664525u + 1013904223u;
    return *x >> 16;
}

/* A bad network: 5 % lost, 5 % twice, 5 % overtaken by up to four others. */
static void bad_network(void **state)
{
    for (uint32_t seed = 1; seed <= 50; seed++) {
        struct mcx_playout *p = fresh();
        struct mcx_playout_stats s;
        uint32_t x = seed;
        bool dropped[NUM] = { false };
        size_t due[NUM]; /* when it arrives */
        size_t num_dropped = 0;
        size_t num_twice = 0;

        (void)state;
        for (size_t n = 0; n < NUM; n++) {
            dropped[n] = n != 0 && n != NUM - 1 && lcg(&x) % 20 == 0;
            num_dropped += dropped[n];
            due[n] = n + (n != 0 && n + AHEAD < NUM && lcg(&x) % 20 == 0 ? 1 + lcg(&x) % 4 : 0);
        }
        for (size_t t = 0; t < NUM; t++) {
            for (size_t n = t < 4 ? 0 : t - 4; n <= t; n++) {
                if (due[n] != t || dropped[n]) {
                    continue;
                }
                put(p, n);
                if (lcg(&x) % 20 == 0) {
                    put(p, n);
                    num_twice++;
                }
            }
        }
        mcx_playout_end(p);
        assert_int_equal(heard.num, NUM);
        for (size_t n = 0; n < NUM; n++) {
            assert_int_equal(heard.frame[n], dropped[n] ? -1 : (int)n);
        }
        s = mcx_playout_stats(p);
        assert_int_equal(s.received, NUM - num_dropped);
        assert_int_equal(s.lost, num_dropped);
        assert_int_equal(s.concealed, num_dropped);
        assert_int_equal(s.duplicates, num_twice);
        assert_int_equal(s.late, 0);
        assert_true(num_dropped > 20 && num_twice > 20);
        mcx_playout_free(p);
    }
}

static void wrong_delay(void **state)
{
    struct mcx_playout *p = NULL;

    (void)state;
    assert_int_equal(mcx_playout_new(&p, MCX_JITTER_DELAY_MAX_MS + 1, hear, NULL), MCX_E_ARG);
    assert_null(p);
    mcx_playout_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_gives_every_frame),
        cmocka_unit_test(overtaken_packets_find_their_place),
        cmocka_unit_test(holes_are_concealed_and_counted),
        cmocka_unit_test(breaks_lose_nothing),
        cmocka_unit_test(bad_network),
        cmocka_unit_test(wrong_delay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
