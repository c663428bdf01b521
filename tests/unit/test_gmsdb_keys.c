/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys over their time at the database of the GMS: how early a successor is begun, and who hears of a revocation when
 * a key serves several groups, or served them once;
 * and a key that nobody could be given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
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

/* What a member sees of a key: 0 revoked, 1 good, -1 nothing. */
static int status_for(struct lab *l, const char *group, const char *member, const char *key)
{
    struct lab_seen seen = lab_look(l, group, member);
    const char *line = strstr(seen.text, key);

    return line == NULL ? -1 : line[19] - '0';
}

static void wait_s(struct lab *l, uint64_t s)
{
    for (uint64_t i = 0; i < s; i++) {
        l->now_ms += 1000;
        lab_settle(l);
    }
}

/* Two groups with one key that is active: Alice and Bob, Carol and Dave. */
static void begin_shared(struct lab *l, char key[32])
{
    lab_begin(l);
    lab_group(l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_settle(l);
    lab_group(l, POLICE, PEOPLE(CAROL, DAVE), false, FIRE);
    lab_settle(l);
    wait_s(l, WINDOW + 5);
    lab_key_part(key, lab_look(l, FIRE, ALICE));
}

/* One group is through with the key and was never told that it is revoked; the other still has it. */
static void begin_left(struct lab *l, char key[32])
{
    struct mcx_gmsdb_event ev;

    begin_shared(l, key);
    ev = lab_hand(l);
    assert_int_equal(mcx_gmsdb_rekey(l->db, &ev, FIRE, "by hand", NULL), MCX_OK);
    wait_s(l, 2 * WINDOW);
    assert_int_equal(status_for(l, POLICE, CAROL, key), 1);
    ev = lab_hand(l);
    assert_int_equal(mcx_gmsdb_member_remove(l->db, &ev, FIRE, BOB, NULL), MCX_OK);
    wait_s(l, 3);
    assert_int_equal(status_for(l, POLICE, CAROL, key), -1);
    assert_int_equal(status_for(l, FIRE, ALICE, key), 1);
}

static void lost_after_leaving(void **state)
{
    struct mcx_gmsdb_members m;
    struct mcx_gmsdb_event ev;
    struct lab l;
    char key[32];

    (void)state;
    begin_left(&l, key);
    ev = lab_hand(&l);
    m = PEOPLE("sip:erin@example.org");
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, POLICE, &m, false, NULL), MCX_OK);
    wait_s(&l, 1);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, DAVE, NULL), MCX_OK);
    wait_s(&l, 3 * URGENT);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 0);
    assert_int_equal(status_for(&l, POLICE, "sip:erin@example.org", key), -1); /* she never had it */
    lab_end(&l);
}

/* The same when the other group is through with it too, and when an administrator revokes it. */
static void lost_after_all_left(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char key[32];

    (void)state;
    begin_left(&l, key);
    wait_s(&l, 3 * URGENT);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 0);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0); /* revoked for one is revoked for all who hold it */
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, DAVE, NULL), MCX_OK);
    wait_s(&l, 3 * URGENT);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0);
    lab_end(&l);
}

static void revoked_after_leaving(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char key[32];

    (void)state;
    begin_left(&l, key);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, (uint32_t)strtoul(key, NULL, 16), NULL), MCX_OK);
    wait_s(&l, 1);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 0);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0);
    lab_end(&l);
}

/* A lost device holds the key of the groups that share it with its user's, too. */
static void lost_with_a_shared_key(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char key[32];

    (void)state;
    begin_shared(&l, key);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, BOB, NULL), MCX_OK);
    wait_s(&l, 3 * URGENT);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 0);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0);
    assert_int_equal(lab_look(&l, POLICE, CAROL).num, 2);
    lab_end(&l);
}

/* Also where his own group has had another key for a while. */
static void lost_with_a_key_of_before(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char key[32];

    (void)state;
    begin_shared(&l, key);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, BOB, NULL), MCX_OK);
    wait_s(&l, 3 * URGENT);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 0);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 1); /* a removal from one group leaves the other its key */
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, ALICE, NULL), MCX_OK);
    wait_s(&l, 3 * URGENT);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0);
    assert_int_equal(lab_look(&l, POLICE, CAROL).num, 2);
    lab_end(&l);
}

/* Who was away hears of it also when the other group is through with the key. */
static void away_meanwhile(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char key[32];

    (void)state;
    begin_shared(&l, key);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, BOB, NULL), MCX_OK);
    wait_s(&l, 3 * URGENT);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_rekey(l.db, &ev, POLICE, "by hand", NULL), MCX_OK);
    wait_s(&l, 3 * WINDOW);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 0);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), -1);
    /* and those others too, when a device of theirs is lost later */
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, DAVE, NULL), MCX_OK);
    wait_s(&l, 3 * URGENT);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0);
    lab_end(&l);
}

/* Removals from both groups, each with a successor of its own: both have the old key until theirs, and then hear. */
static void removed_from_both(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char key[32];

    (void)state;
    begin_shared(&l, key);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, BOB, NULL), MCX_OK);
    wait_s(&l, 4);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, POLICE, DAVE, NULL), MCX_OK);
    wait_s(&l, 4);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 0);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 1);
    wait_s(&l, 4);
    assert_int_equal(status_for(&l, POLICE, CAROL, key), 0);
    lab_end(&l);
}

static void note_reason(void *arg, const struct mcx_gmsdb_lack *lack)
{
    char *text = arg;

    (void)strcat(strcat(strcat(strcat(text, lack->member), " "), lack->reason), ";");
}

/* A key for which no payload at all could be made takes over from nothing; it does when that has been mended. */
static void nobody_reached(void **state)
{
    struct mcx_gmsdb_event ev;
    char reasons[256] = "";
    struct lab l;
    char key[32];

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    wait_s(&l, 2 * WINDOW);
    lab_key_part(key, lab_look(&l, FIRE, ALICE));
    l.unreachable = "example.org";
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_rekey(l.db, &ev, FIRE, "by hand", NULL), MCX_OK);
    wait_s(&l, 4 * WINDOW);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 1);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), 1);
    assert_int_equal(mcx_gmsdb_lacking(l.db, FIRE, note_reason, reasons), MCX_OK);
    assert_non_null(strstr(reasons, ALICE " no certificate;" BOB " no certificate;"));
    lab_group(&l, POLICE, PEOPLE("sip:carol@example.com"), false, NULL); /* nor does it keep others waiting */
    wait_s(&l, 1);
    assert_int_equal(lab_look(&l, POLICE, "sip:carol@example.com").num, 1);
    l.unreachable = NULL;
    assert_int_equal(mcx_gmsdb_retry(l.db), MCX_OK);
    wait_s(&l, 3 * WINDOW);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 1);
    assert_int_equal(status_for(&l, FIRE, ALICE, key), -1);
    lab_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ahead_of_expiry),        cmocka_unit_test(lost_after_leaving),
        cmocka_unit_test(lost_after_all_left),    cmocka_unit_test(revoked_after_leaving),
        cmocka_unit_test(lost_with_a_shared_key), cmocka_unit_test(lost_with_a_key_of_before),
        cmocka_unit_test(removed_from_both),      cmocka_unit_test(away_meanwhile),
        cmocka_unit_test(nobody_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
