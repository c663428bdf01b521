/* SPDX-License-Identifier: Apache-2.0 */
/* The replay cache against a list that is gone through from end to end (RFC 3830 5.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "keys/imessage_int.h"
#include "support/fake.h"

#define SKEW      50
#define NUM_STEPS 20000
#define NUM_MADE  64 /* messages under way at a time */
#define CAPACITY  7

/* A message as far as the cache looks at it. */
struct made {
    uint8_t octets[8];
    struct mcx_mikey_sakke_msg msg;
    struct mcx_ntp time;
};

/* The slow model: everything that was ever taken in. */
struct kept {
    struct made what;
    uint64_t until;
};
static struct kept kept[256];
static size_t num_kept;

static struct fake_rng source = { .seed = 1 };

static uint64_t draw(uint64_t below)
{
    struct mcx_rng rng = fake_rng(&source);
    uint8_t octets[8];
    uint64_t v = 0;

    assert_int_equal(mcx_rng_fill(&rng, octets, sizeof octets), MCX_OK);
    for (size_t i = 0; i < sizeof octets; i++) {
        v = v << 8 | octets[i];
    }
    return v % below;
}

static const char *const users[] = { "sip:a@example.org", "sip:b@example.org" };
static const char *const kmss[] = { "kms1.example.org", "kms2.example.org" };

static void make(struct made *m, uint64_t now)
{
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < sizeof m->octets; i++) {
        m->octets[i] = (uint8_t)draw(256);
    }
    m->time = (struct mcx_ntp){ now - draw(SKEW), (uint32_t)draw(3) };
    m->msg.hdr.csb_id = 0x10000000 | (uint32_t)draw(4);
    m->msg.id_i = mcx_bytes_str(users[draw(2)]);
    m->msg.kms_i = mcx_bytes_str(kmss[draw(2)]);
}

static bool same_key(const struct made *a, const struct made *b)
{
    return a->msg.hdr.csb_id == b->msg.hdr.csb_id && mcx_bytes_equal(a->msg.id_i, b->msg.id_i) &&
           mcx_bytes_equal(a->msg.kms_i, b->msg.kms_i);
}

static bool earlier(struct mcx_ntp a, struct mcx_ntp b)
{
    return a.sec < b.sec || (a.sec == b.sec && a.frac < b.frac);
}

static mcx_err model_check(const struct made *m, uint64_t now)
{
    for (size_t i = 0; i < num_kept; i++) {
        const struct kept *k = &kept[i];

        if (k->until >= now && (memcmp(k->what.octets, m->octets, sizeof m->octets) == 0 ||
                                (same_key(&k->what, m) && earlier(m->time, k->what.time)))) {
            return MCX_E_REPLAY;
        }
    }
    return MCX_OK;
}

static bool newest_of_key(size_t n)
{
    for (size_t i = n + 1; i < num_kept; i++) {
        if (same_key(&kept[i].what, &kept[n].what)) {
            return false;
        }
    }
    return true;
}

static mcx_err model_add(const struct made *m, uint64_t now)
{
    size_t live = 0, keys = 0;
    bool held = false;

    for (size_t i = 0; i < num_kept; i++) {
        if (kept[i].until >= now) {
            live++;
            keys += newest_of_key(i);
            held = held || same_key(&kept[i].what, m);
        }
    }
    if (live >= CAPACITY || (keys >= CAPACITY && !held)) {
        return MCX_E_SPACE;
    }
    kept[num_kept].what = *m;
    kept[num_kept++].until = m->time.sec + SKEW;
    return MCX_OK;
}

static void test_against_model(void **state)
{
    static struct made made[NUM_MADE];
    struct mcx_replay *replay = NULL;
    uint64_t now = 1000;
    size_t refused = 0, full = 0, taken = 0;

    (void)state;
    assert_int_equal(mcx_replay_new(&replay, CAPACITY), MCX_OK);
    for (size_t i = 0; i < NUM_MADE; i++) {
        make(&made[i], now);
    }
    for (size_t step = 0; step < NUM_STEPS; step++) {
        struct made *m = &made[draw(NUM_MADE)];
        struct mcx_ntp t = { now += draw(4) == 0 ? draw(30) : 0, 0 };
        mcx_err err;

        if (m->time.sec + SKEW < now || draw(3) == 0) { /* T is looked at first: no message as old gets here */
            make(m, now);
        }
        m->msg.signed_octets = mcx_bytes(m->octets, sizeof m->octets);
        err = mcx_imessage_seen_check(replay, &m->msg, m->time, NULL);
        assert_int_equal(err, model_check(m, now));
        if (err != MCX_OK) {
            refused++;
            continue;
        }
        err = mcx_imessage_seen_add(replay, &m->msg, m->time, m->time.sec + SKEW, t, NULL);
        assert_int_equal(err, model_add(m, now));
        full += err == MCX_E_SPACE;
        taken += err == MCX_OK;
        if (num_kept > 200) { /* the oldest have ended long since */
            memmove(kept, kept + num_kept - 50, 50 * sizeof kept[0]);
            num_kept = 50;
        }
    }
    assert_true(refused > 100 && full > 100 && taken > 100);
    mcx_replay_free(replay);
}

/* What was kept for long is not forgotten sooner because a later message of the same key asks for less. */
static void test_longer_of_both(void **state)
{
    struct mcx_replay *replay = NULL;
    struct made first, second, old;

    (void)state;
    assert_int_equal(mcx_replay_new(&replay, 2), MCX_OK);
    make(&first, 1000);
    second = first;
    old = first;
    second.octets[0] ^= 1;
    old.octets[0] ^= 2;
    first.time.sec = 1000;
    second.time.sec = 1010;
    old.time.sec = 1005;
    first.msg.signed_octets = mcx_bytes(first.octets, sizeof first.octets);
    second.msg.signed_octets = mcx_bytes(second.octets, sizeof second.octets);
    old.msg.signed_octets = mcx_bytes(old.octets, sizeof old.octets);
    assert_int_equal(mcx_imessage_seen_add(replay, &first.msg, first.time, 9000, first.time, NULL), MCX_OK);
    assert_int_equal(mcx_imessage_seen_add(replay, &second.msg, second.time, 1060, second.time, NULL), MCX_OK);
    make(&first, 2000); /* full: makes the cache look for what has ended */
    first.msg.hdr.csb_id = 0x1fffffff;
    first.msg.signed_octets = mcx_bytes(first.octets, sizeof first.octets);
    assert_int_equal(mcx_imessage_seen_add(replay, &first.msg, first.time, 2050, (struct mcx_ntp){ 2000, 0 }, NULL),
                     MCX_OK);
    assert_int_equal(mcx_imessage_seen_check(replay, &old.msg, old.time, NULL), MCX_E_REPLAY);
    mcx_replay_free(replay);
}

static void test_many(void **state)
{
    struct mcx_replay *replay = NULL;
    struct mcx_refusal why = { "", "" };
    struct made m;

    (void)state;
    assert_int_equal(mcx_replay_new(&replay, 0), MCX_E_ARG);
    assert_int_equal(mcx_replay_new(&replay, SIZE_MAX), MCX_E_ARG);
    assert_int_equal(mcx_replay_new(&replay, 50000), MCX_OK);
    make(&m, 1000);
    m.msg.signed_octets = mcx_bytes(m.octets, sizeof m.octets);
    for (uint32_t i = 0; i <= 50000; i++) {
        m.msg.hdr.csb_id = i;
        m.octets[0] = (uint8_t)(i >> 16);
        m.octets[1] = (uint8_t)(i >> 8);
        m.octets[2] = (uint8_t)i;
        assert_int_equal(mcx_imessage_seen_add(replay, &m.msg, m.time, 2000, (struct mcx_ntp){ 1000, 0 }, &why),
                         i < 50000 ? MCX_OK : MCX_E_SPACE);
    }
    assert_string_equal(why.reason, "the replay cache is full");
    for (uint32_t i = 0; i < 50000; i += 777) {
        m.octets[0] = (uint8_t)(i >> 16);
        m.octets[1] = (uint8_t)(i >> 8);
        m.octets[2] = (uint8_t)i;
        assert_int_equal(mcx_imessage_seen_check(replay, &m.msg, m.time, NULL), MCX_E_REPLAY);
    }
    mcx_replay_free(replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_longer_of_both),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
