/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUK-IDs that would meet (TS 33.180 5.2.3) and identifiers that were used before, with a generator that
 * draws the very keys under which they do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake.h"
#include "support/gms_lab.h"

/* Their User Salts under a key of 16 octets 11 are equal. */
#define ONE   "sip:member50599@example.org"
#define OTHER "sip:member50665@example.org"
#define BAD   0x11
#define GOOD  0x5a

/* What the generator gives for one key: key, identifier, RAND, nonce of its seal. */
#define DRAW_LEN 48
#define MAX_DRAW 16

struct draws {
    uint8_t octet[MAX_DRAW * DRAW_LEN];
    size_t num;
    struct fake_rng rng;
};

static void draw(struct draws *d, uint8_t key, uint32_t key_id)
{
    uint8_t *p = d->octet + DRAW_LEN * d->num++;

    memset(p, key, MCX_KEY_LEN);
    for (size_t i = 0; i < 4; i++) {
        p[MCX_KEY_LEN + i] = (uint8_t)(key_id >> (24 - 8 * i));
    }
    memset(p + MCX_KEY_LEN + 4, key, DRAW_LEN - MCX_KEY_LEN - 4);
}

/* From now on the draws, then whatever comes. */
static void use(struct lab *l, struct draws *d)
{
    d->rng = (struct fake_rng){ .script = mcx_bytes(d->octet, DRAW_LEN * d->num), .seed = 1 };
    l->policy.rng = fake_rng(&d->rng);
    mcx_gmsdb_close(l->db);
    lab_open(l);
}

static uint32_t guk_of(uint8_t octet, uint32_t key_id, const char *member)
{
    struct mcx_key key;
    uint32_t guk_id = 0;

    memset(key.octet, octet, sizeof key.octet);
    assert_int_equal(mcx_guk_id(&guk_id, key_id, &key, mcx_bytes_str(member)), MCX_OK);
    return guk_id;
}

/* First and last octet of the key, as the stub of the laboratory writes them. */
static void has_key(struct lab *l, const char *group, const char *member, const char *identifier, uint8_t octet)
{
    char want[32];
    char part[32];

    (void)snprintf(want, sizeof want, "%s|%02x%02x|%02x%02x", identifier, octet, octet, octet, octet);
    lab_key_part(part, lab_look(l, group, member));
    assert_memory_equal(part, want, strlen(want));
}

static void note_cause(void *arg, const struct mcx_gmsdb_key *k)
{
    (void)snprintf(arg, 64, "%s", k->cause);
}

static void cause_is(struct lab *l, const char *group, const char *want)
{
    char cause[64] = "";

    assert_int_equal(mcx_gmsdb_keys(l->db, group, note_cause, cause), MCX_OK);
    assert_string_equal(cause, want);
}

/* The premise of all tests here. */
static void they_meet(void **state)
{
    (void)state;
    assert_int_equal(guk_of(BAD, 77, ONE), guk_of(BAD, 77, OTHER));
    assert_int_not_equal(guk_of(BAD, 77, ONE), guk_of(BAD, 77, ALICE));
    assert_int_not_equal(guk_of(GOOD, 77, ONE), guk_of(GOOD, 77, OTHER));
}

static void new_group(void **state)
{
    struct draws d = { .num = 0 };
    struct lab l;

    (void)state;
    lab_begin(&l);
    draw(&d, BAD, 1);
    draw(&d, BAD, 2); /* another identifier does not help: the salts are equal */
    draw(&d, GOOD, 3);
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ALICE, ONE, OTHER), false, NULL);
    lab_settle(&l);
    has_key(&l, FIRE, ONE, "00000003", GOOD);
    has_key(&l, FIRE, OTHER, "00000003", GOOD);
    lab_end(&l);
}

static void identifier_used_before(void **state)
{
    const struct draws none = { .num = 0 };
    struct mcx_gmsdb_event ev;
    struct draws d = none;
    struct lab l;

    (void)state;
    lab_begin(&l);
    draw(&d, 0x41, 1);
    draw(&d, 0x42, 1); /* also when the key is another */
    draw(&d, 0x43, 2);
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_settle(&l);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_rekey(l.db, &ev, FIRE, "by hand", NULL), MCX_OK);
    l.now_ms += 1000 * (3 * WINDOW);
    lab_settle(&l);
    l.now_ms += 1000 * (3 * WINDOW);
    lab_settle(&l);
    has_key(&l, FIRE, ALICE, "00000002", 0x43);
    /* and not when the key of this identifier has long gone */
    d = none;
    draw(&d, 0x44, 1);
    draw(&d, 0x45, 2);
    draw(&d, 0x46, 4);
    use(&l, &d);
    lab_group(&l, POLICE, PEOPLE(CAROL), false, NULL);
    lab_settle(&l);
    has_key(&l, POLICE, CAROL, "00000004", 0x46);
    lab_end(&l);
}

static void newcomer(void **state)
{
    struct mcx_gmsdb_event ev;
    struct mcx_gmsdb_members m;
    struct draws d = { .num = 0 };
    struct lab l;

    (void)state;
    lab_begin(&l);
    draw(&d, BAD, 1);
    draw(&d, BAD, 2);
    draw(&d, GOOD, 3);
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ALICE, ONE), false, NULL);
    lab_settle(&l);
    has_key(&l, FIRE, ONE, "00000001", BAD);
    /* somebody else gets what the others have */
    ev = lab_hand(&l);
    m = PEOPLE(BOB);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    lab_settle(&l);
    has_key(&l, FIRE, BOB, "00000001", BAD);
    /* he does not: a new key for all, and for him that one alone */
    m = PEOPLE(CAROL, OTHER);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    lab_settle(&l);
    cause_is(&l, FIRE, "GUK-IDs were equal");
    has_key(&l, FIRE, OTHER, "00000003", GOOD);
    has_key(&l, FIRE, CAROL, "00000003", GOOD);
    assert_int_equal(lab_look(&l, FIRE, ONE).num, 2);
    lab_end(&l);
}

/* Two newcomers at a time, to a key that nobody has seen yet. */
static void newcomers_meet(void **state)
{
    struct mcx_gmsdb_event ev;
    struct mcx_gmsdb_members m;
    struct draws d = { .num = 0 };
    struct lab l;

    (void)state;
    lab_begin(&l);
    draw(&d, BAD, 1);
    draw(&d, GOOD, 2);
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    ev = lab_hand(&l);
    m = PEOPLE(ONE, OTHER);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    lab_settle(&l);
    has_key(&l, FIRE, ALICE, "00000002", GOOD);
    has_key(&l, FIRE, ONE, "00000002", GOOD);
    lab_end(&l);
}

static void newcomer_to_a_part(void **state)
{
    static const char *const parts[] = { FIRE, POLICE };
    struct mcx_gmsdb_event ev;
    struct mcx_gmsdb_members m;
    struct draws d = { .num = 0 };
    struct lab_seen s;
    struct lab l;

    (void)state;
    lab_begin(&l);
    draw(&d, GOOD, 1);
    draw(&d, 0x33, 2);
    draw(&d, BAD, 3);
    draw(&d, 0x44, 4);
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ALICE, ONE), false, NULL);
    lab_group(&l, POLICE, PEOPLE(BOB), false, NULL);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_regroup(l.db, &ev, BOTH, "", parts, 2, "", NULL), MCX_OK);
    lab_settle(&l);
    m = PEOPLE(OTHER);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, POLICE, &m, false, NULL), MCX_OK);
    lab_settle(&l);
    s = lab_look(&l, POLICE, OTHER);
    assert_int_equal(s.num, 2);
    assert_non_null(strstr(s.text, "00000002|3333"));
    assert_non_null(strstr(s.text, BOTH "00000004|4444"));
    lab_end(&l);
}

static void group_that_shares(void **state)
{
    struct draws d = { .num = 0 };
    struct lab l;

    (void)state;
    lab_begin(&l);
    draw(&d, BAD, 1);
    draw(&d, GOOD, 2);
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ALICE, ONE), false, NULL);
    lab_settle(&l);
    lab_group(&l, POLICE, PEOPLE(ALICE, OTHER), false, FIRE);
    lab_settle(&l);
    has_key(&l, POLICE, OTHER, "00000002", GOOD);
    assert_int_equal(lab_look(&l, FIRE, ONE).num, 2); /* the old one until the new one is active */
    cause_is(&l, FIRE, "GUK-IDs were equal");
    lab_end(&l);
}

/* Payloads with the CSB ID where an I_MESSAGE has it. */
static mcx_err stub(void *arg, const struct mcx_gms_job *job)
{
    struct lab_batch *b = arg;
    uint8_t *text = (uint8_t *)b->text[b->num];
    uint32_t guk_id = 0;

    assert_int_equal(mcx_guk_id(&guk_id, job->key.key_id, &job->key.key, mcx_bytes_str(job->member)), MCX_OK);
    for (size_t i = 0; i < 8; i++) {
        text[i] = (uint8_t)(i < 4 ? 0 : guk_id >> (24 - 8 * (i - 4)));
    }
    b->result[b->num++] = (struct mcx_gms_result){
        .id = job->id, .t_ms = job->t_ms, .kms = "kms.example.org", .message = mcx_bytes(text, 8)
    };
    return MCX_OK;
}

/* A member has the same GUK-ID under a key of another group. */
static void other_key(void **state)
{
    static struct lab_batch b;
    struct mcx_gmsdb_cursor cursor = { { 0 } };
    struct draws d = { .num = 0 };
    struct lab l;

    (void)state;
    lab_begin(&l);
    draw(&d, BAD, 1);
    draw(&d, GOOD, guk_of(BAD, 1, ALICE) ^ guk_of(GOOD, 0, ALICE));
    draw(&d, GOOD, 2);
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ALICE), false, NULL);
    b.num = 0;
    assert_int_equal(mcx_gmsdb_jobs(l.db, &cursor, BATCH, l.now_ms, stub, &b), MCX_OK);
    assert_int_equal(mcx_gmsdb_results(l.db, b.result, b.num, l.now_ms), MCX_OK);
    lab_tick(&l);
    lab_group(&l, POLICE, PEOPLE(ALICE, BOB), false, NULL);
    lab_settle(&l);
    has_key(&l, POLICE, ALICE, "00000002", GOOD);
    lab_end(&l);
}

static void note_audit(void *arg, const struct mcx_gmsdb_audit *a)
{
    *(int *)arg += strcmp(a->event, "GUK-IDs of members are equal") == 0;
}

/* In a group so large that every key has such a pair, a key is better than none; the audit log tells. */
static void cannot_be_helped(void **state)
{
    struct draws d = { .num = 0 };
    int told = 0;
    struct lab l;

    (void)state;
    lab_begin(&l);
    for (uint32_t i = 1; i <= 8; i++) {
        draw(&d, BAD, i);
    }
    use(&l, &d);
    lab_group(&l, FIRE, PEOPLE(ONE, OTHER), false, NULL);
    lab_settle(&l);
    has_key(&l, FIRE, ONE, "00000008", BAD);
    assert_int_equal(mcx_gmsdb_audits(l.db, note_audit, &told), MCX_OK);
    assert_int_equal(told, 1);
    lab_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_meet), cmocka_unit_test(new_group),         cmocka_unit_test(identifier_used_before),
        cmocka_unit_test(newcomer),  cmocka_unit_test(newcomers_meet),    cmocka_unit_test(newcomer_to_a_part),
        cmocka_unit_test(other_key), cmocka_unit_test(group_that_shares), cmocka_unit_test(cannot_be_helped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
