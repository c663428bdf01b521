/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timers and counters of the floor control server (TS 24.380 11.1.3, 11.2.3): bursts and revocations on a clock,
 * each counter to its limit, each value as the operator sets it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "support/floor.h"

#define OFF UINT32_MAX
enum { DAY_MS = 86400000 };

static const struct {
    const char *name, *script, *want;
    enum mcx_fsrv_timer timer;
    uint32_t ms; /* 0 = default */
} stories[] = {
    { "pre-emption over a full queue: one place more, and those who waited go on waiting",
      "join 1;join 2;join 3;join 4 - 255;join 5 - 255;req 1;talk 1 1000;req 2 9;req 3 8;req 4 250;req 5 255;talk 1 500;"
      "rel 1;rtp 4;rel 4;rtp 2;rel 2;rtp 3;rel 3",
      "0 idle*0\n0 idle>2\n0 idle>3\n0 idle>4\n0 idle>5\n"
      "0 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n"
      "1000 position>2:1/9\n1000 position>3:2/8\n1000 revoke>1:4 position>4:1/250\n1000 deny>5:7\n"
      "1500 fwd=4 granted>4:30s taken*4:sip:u4@example.org\n"
      "1500 fwd=2 granted>2:30s taken*2:sip:u2@example.org\n"
      "1500 fwd=3 granted>3:30s taken*3:sip:u3@example.org\n"
      "1500 fwd=0 idle*0\n",
      0, 0 },
    { "T1: the talker falls silent, the floor goes to who waits and then to nobody",
      "join 1;join 2;req 1;talk 1 2000;req 2;wait 3999;wait 1;talk 2 100;wait 3900",
      "0 idle*0\n0 idle>2\n0 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n2000 position>2:1/0\n"
      "5500 fwd=2 granted>2:30s taken*2:sip:u2@example.org\n10000 fwd=0 idle*0\n",
      0, 0 },
    { "T2, T8, T3: who speaks too long is told so each second and heard for three; then his media is that of anybody",
      "join 1;join 2;req 1;req 2;talk 1 33000;rtp 2;talk 1 700",
      "0 idle*0\n0 idle>2\n0 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n0 position>2:1/0\n"
      "30000 revoke>1:2\n31000 revoke>1:2\n32000 revoke>1:2\n"
      "33000 fwd=2 granted>2:30s taken*2:sip:u2@example.org\n33500 revoke>1:3\n",
      0, 0 },
    { "T3, after a pre-emption", "join 1;join 2 - 255;req 1;talk 1 500;req 2 255;talk 1 3000;rel 1",
      "0 idle*0\n0 idle>2\n0 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n500 revoke>1:4 position>2:1/255\n"
      "1500 revoke>1:4\n2500 revoke>1:4\n3500 fwd=2 granted>2:30s taken*2:sip:u2@example.org\n"
      "3500 taken>1:sip:u2@example.org\n",
      0, 0 },
    { "T3 = 0: no grace", "join 1;join 2 - 255;req 1;talk 1 500;req 2 255;wait 0",
      "0 idle*0\n0 idle>2\n0 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n500 revoke>1:4 position>2:1/255\n"
      "500 fwd=2 granted>2:30s taken*2:sip:u2@example.org\n",
      MCX_FS_T3, OFF },
    { "T9: after a burst that was too long", "join 1;join 2;req 1;talk 1 30000;rel 1;wait 4999;req 1;wait 1;req 1",
      "0 idle*0\n0 idle>2\n0 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n30000 revoke>1:2\n"
      "30000 fwd=0 idle*0\n34000 idle*0\n34999 deny>1:4\n35000 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n",
      0, 0 },
    { "T20: a grant from the queue is sent again until there is media",
      "join 1;join 2;req 1;req 2;rel 1;wait 1500;rtp 2;wait 3000",
      "0 idle*0\n0 idle>2\n0 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n0 position>2:1/0\n"
      "0 fwd=2 granted>2:30s taken*2:sip:u2@example.org\n1000 granted>2:30s\n",
      0, 0 },
    { "T7: Floor Idle is sent again until somebody asks", "join 1;join 2;wait 9000;req 1;wait 3000",
      "0 idle*0\n0 idle>2\n4000 idle*0\n8000 idle*0\n9000 fwd=1 granted>1:30s taken*1:sip:u1@example.org\n", 0, 0 },
};

static void stories_on_a_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        struct mcx_fsrv_config config = floor_config();
        struct floor_bench b;

        config.timer_ms[stories[i].timer] = stories[i].ms != 0 ? stories[i].ms : config.timer_ms[stories[i].timer];
        floor_open(&b, &config);
        floor_script(&b, stories[i].script, false);
        if (strcmp(b.log, stories[i].want) != 0) {
            fail_msg("%s\n%s\nexpected\n%s", stories[i].name, b.log, stories[i].want);
        }
        floor_close(&b);
    }
}

/* How to see each timer at work: what leads to its start, and what is said at its end; "" = what T9 has refused. */
static const struct {
    const char *before, *want, *after;
} timers[MCX_FS_NUM_TIMERS] = {
    [MCX_FS_T1] = { "join 1;join 2;req 1", "fwd=0 idle*0", NULL },
    [MCX_FS_T2] = { "join 1;join 2;req 1;rtp 1", "revoke>1:2", NULL },
    [MCX_FS_T3] = { "join 1;join 2;req 1;leave 2", "fwd=0 idle*0", NULL },
    [MCX_FS_T4] = { "join 1", "inactive", NULL },
    [MCX_FS_T7] = { "join 1", "idle*0", NULL },
    [MCX_FS_T8] = { "join 1;join 2;req 1;leave 2", "revoke>1:1", NULL },
    [MCX_FS_T9] = { "join 1;join 2;req 1;rtp 1;wait 1;rel 1", "", "req 1" },
    [MCX_FS_T20] = { "join 1;join 2;req 1;req 2;rel 1", "granted>2", NULL },
};

static struct mcx_fsrv_config only(enum mcx_fsrv_timer timer, uint32_t ms)
{
    struct mcx_fsrv_config config = { .queueing = true };

    for (int t = 0; t < MCX_FS_NUM_TIMERS; t++) {
        config.timer_ms[t] = t == MCX_FS_T3 ? 2 * DAY_MS : OFF; /* off, T3 gives no grace */
    }
    config.timer_ms[MCX_FS_T2] = timer == MCX_FS_T9 ? 1 : OFF; /* what T9 follows */
    config.timer_ms[timer] = ms;
    return config;
}

static void ends_after(enum mcx_fsrv_timer timer, uint32_t set, uint32_t ms)
{
    struct mcx_fsrv_config config = only(timer, set);
    struct floor_bench b;
    char line[32];

    floor_open(&b, &config);
    floor_script(&b, timers[timer].before, false);
    snprintf(line, sizeof line, "wait %u", (unsigned)(ms - 1));
    floor_say(&b, line);
    assert_string_equal(b.said, "");
    if (timers[timer].after != NULL) {
        floor_say(&b, timers[timer].after);
        assert_string_equal(b.said, "deny>1:4");
    }
    floor_say(&b, "wait 1");
    if (strncmp(b.said, timers[timer].want, strlen(timers[timer].want)) != 0) {
        fail_msg("%s of %u ms: \"%s\"", mcx_fsrv_timer_info(timer)->name, (unsigned)ms, b.said);
    }
    if (timers[timer].after != NULL) {
        floor_say(&b, timers[timer].after);
        assert_int_equal(mcx_fsrv_talker(b.srv), 1);
    }
    floor_close(&b);
}

static void each_timer_is_as_long_as_set(void **state)
{
    (void)state;
    for (int t = 0; t < MCX_FS_NUM_TIMERS; t++) {
        uint32_t ms = mcx_fsrv_timer_info((enum mcx_fsrv_timer)t)->default_ms;

        if (ms != 0) {
            ends_after((enum mcx_fsrv_timer)t, 0, ms);
        }
        ends_after((enum mcx_fsrv_timer)t, 777, 777);
        ends_after((enum mcx_fsrv_timer)t, DAY_MS, DAY_MS);
    }
}

static void a_timer_that_is_off_never_ends(void **state)
{
    (void)state;
    for (int t = 0; t < MCX_FS_NUM_TIMERS; t++) {
        struct mcx_fsrv_config config = only((enum mcx_fsrv_timer)t, OFF);
        struct floor_bench b;

        floor_open(&b, &config);
        floor_script(&b, timers[t].before, false);
        floor_say(&b, "wait 86400000");
        assert_string_equal(b.said, t == MCX_FS_T3 ? "fwd=0 idle*0" : "");
        if (timers[t].after != NULL) {
            floor_say(&b, timers[t].after);
            assert_int_equal(mcx_fsrv_talker(b.srv), 1);
        }
        floor_close(&b);
    }
}

/* What is counted is sent so often in all, the first time included, and never again; the next time it counts anew. */
static const struct {
    enum mcx_fsrv_timer timer;
    const char *before, *line, *what, *again;
} counted[] = {
    { MCX_FS_T7, "join 1;join 2;req 1;rel 1", "wait 400000", "idle*0", "req 1;rel 1" },
    { MCX_FS_T20, "join 1;join 2;req 1;req 2;rel 1", "wait 400000", "granted>2", "req 1;rel 2;req 2;rel 1" },
    { MCX_FS_T8, "join 1;join 2;req 1;rtp 1;rtp 2", "talk 2 400000", "revoke>2:3", "rel 2;rtp 2" },
};

static unsigned times(const char *said, const char *what)
{
    unsigned n = 0;

    for (const char *at = strstr(said, what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

static void counts_to(size_t i, uint32_t set, uint32_t limit)
{
    enum mcx_fsrv_timer timer = counted[i].timer;
    struct mcx_fsrv_config config = only(timer, 1000);
    struct floor_bench b;

    config.max_count[timer] = set;
    floor_open(&b, &config);
    floor_script(&b, counted[i].before, false);
    for (int round = 0; round < 2; round++) {
        unsigned num = times(b.said, counted[i].what);

        assert_int_equal(num, 1);
        floor_say(&b, counted[i].line);
        num += times(b.said, counted[i].what);
        if (num != limit) {
            fail_msg("%s: sent %u times, not %u", mcx_fsrv_timer_info(timer)->name, num, (unsigned)limit);
        }
        floor_script(&b, counted[i].again, false);
    }
    floor_close(&b);
}

static void counters_go_to_their_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        counts_to(i, 0, mcx_fsrv_timer_info(counted[i].timer)->max_count);
        counts_to(i, 1, 1);
        counts_to(i, 2, 2);
        counts_to(i, 40, 40);
    }
}

/* Tables 11.1.3-1 and 11.2.3-1. */
static void defaults_are_those_of_the_tables(void **state)
{
    static const struct {
        const char *name;
        uint32_t ms, count;
    } want[MCX_FS_NUM_TIMERS] = {
        { "T1", 4000, 0 },  { "T2", 30000, 0 }, { "T3", 3000, 0 }, { "T4", 30000, 0 },
        { "T7", 4000, 10 }, { "T8", 1000, 3 },  { "T9", 0, 0 },    { "T20", 1000, 3 },
    };

    (void)state;
    for (int t = 0; t < MCX_FS_NUM_TIMERS; t++) {
        const struct mcx_fsrv_timer_info *info = mcx_fsrv_timer_info((enum mcx_fsrv_timer)t);

        assert_string_equal(info->name, want[t].name);
        assert_int_equal(info->default_ms, want[t].ms);
        assert_int_equal(info->max_count, want[t].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_on_a_clock),
        cmocka_unit_test(each_timer_is_as_long_as_set),
        cmocka_unit_test(a_timer_that_is_off_never_ends),
        cmocka_unit_test(counters_go_to_their_limit),
        cmocka_unit_test(defaults_are_those_of_the_tables),
    };

    return cmocka_run_group_tests_name("floor control server, timers and counters", tests, NULL, NULL);
}
