/* SPDX-License-Identifier: Apache-2.0 */
/* Keys over their time at the database of the GMS: how early a successor is begun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/gms_lab.h"

/* A group of many members, whose URIs begin as the group is called. */
struct crowd {
    const char *name;
    size_t num;
    size_t at;
};

static bool next_of_crowd(void *arg, struct mcx_group_member *m)
{
    static char id[64];
    struct crowd *c = arg;

    if (c->at == c->num) {
        return false;
    }
    (void)snprintf(id, sizeof id, "sip:%s%05zu@example.org", c->name, c->at++);
    *m = (struct mcx_group_member){ .mcptt_id = id, .display_name = "" };
    return true;
}

static void crowd_group(struct lab *l, const char *uri, const char *name, size_t num)
{
    struct crowd c = { .name = name, .num = num };

    lab_group(l, uri, (struct mcx_gmsdb_members){ next_of_crowd, &c }, false, NULL);
}

static void note_expiry(void *arg, const struct mcx_gmsdb_key *k)
{
    *(uint64_t *)arg = k->expiry;
}

/* Of the latest key of a group. */
static uint64_t expiry_of(struct lab *l, const char *group)
{
    uint64_t expiry = 0;

    assert_int_equal(mcx_gmsdb_keys(l->db, group, note_expiry, &expiry), MCX_OK);
    return expiry;
}

struct plans {
    uint64_t latest; /* activation */
    uint64_t num;
};

static void note_plan(void *arg, const struct mcx_gmsdb_progress *p)
{
    struct plans *plans = arg;

    plans->latest = p->activation > plans->latest ? p->activation : plans->latest;
    plans->num++;
}

#define LIFETIME 100000
#define SLOW_US  1000000 /* a payload */
#define CROWD    5000
/* a tenth of the lifetime, the window, ten thousand payloads and half as many, a second */
#define LEAD (LIFETIME / 10 + WINDOW + 3 * CROWD + 1)

/* Two large groups, and a slow machine: both successors can be made and fetched before the keys expire. */
static void ahead_of_expiry(void **state)
{
    struct plans plans = { .latest = 0 };
    uint64_t expiry = 0;
    struct lab l;

    (void)state;
    lab_begin(&l);
    l.policy.timing.key_lifetime_s = LIFETIME;
    mcx_gmsdb_close(l.db);
    lab_open(&l);
    crowd_group(&l, FIRE, "fire", CROWD);
    crowd_group(&l, POLICE, "police", CROWD);
    lab_settle(&l);
    expiry = expiry_of(&l, FIRE);
    assert_true(expiry > l.now_ms / 1000 + LIFETIME);
    assert_int_equal(mcx_gmsdb_set_speed(l.db, SLOW_US), MCX_OK);
    l.now_ms = 1000 * (expiry - LEAD - 1);
    lab_tick(&l);
    assert_int_equal(lab_work(&l, 1), 0);
    l.now_ms = 1000 * (expiry_of(&l, POLICE) - LEAD);
    lab_tick(&l);
    assert_int_equal(mcx_gmsdb_progress(l.db, note_plan, &plans), MCX_OK);
    assert_int_equal(plans.num, 2);
    assert_true(plans.latest <= expiry);
    lab_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ahead_of_expiry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
