/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key events (TS 33.180 5.7, 7.3) at the database of the GMS, with a stub in the place of the workers: what is drawn,
 * who gets a payload with which key, when it is shown, and that a plan which is too tight is made anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "support/gms_lab.h"

static void created(void **state)
{
    struct lab l;
    char alice[32];
    char bob[32];
    char etag[MCX_GMSDB_ETAG_MAX];

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_tick(&l);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 0);
    assert_int_equal(lab_work(&l, 1), 1);
    lab_tick(&l);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 0); /* not before all are there */
    lab_settle(&l);
    lab_key_part(alice, lab_look(&l, FIRE, ALICE));
    lab_key_part(bob, lab_look(&l, FIRE, BOB));
    assert_string_equal(alice, bob); /* same identifier, key and RAND */
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GKTP, FIRE, CAROL, false, l.now_ms),
                     MCX_E_POLICY);
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GROUP, POLICE, ALICE, false, l.now_ms),
                     MCX_E_NOKEY);
    lab_end(&l);
}

static void refused(void **state)
{
    struct mcx_group_head head = { .protect_media = true };
    struct mcx_gmsdb_members m;
    struct mcx_gmsdb_event ev;
    struct mcx_refusal why = { 0 };
    const char *const one[] = { FIRE };
    const char *const parts[] = { FIRE, POLICE };
    const char *const unknown[] = { FIRE, "sip:none@example.org" };
    struct lab l;

    (void)state;
    lab_begin(&l);
    ev = lab_hand(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    strcpy(head.uri, FIRE);
    m = PEOPLE(ALICE);
    assert_int_equal(mcx_gmsdb_group_create(l.db, &ev, &head, &m, NULL, &why), MCX_E_POLICY);
    strcpy(head.uri, POLICE);
    m = PEOPLE(ALICE, ALICE);
    assert_int_equal(mcx_gmsdb_group_create(l.db, &ev, &head, &m, NULL, &why), MCX_E_POLICY);
    m = PEOPLE("sip:a b@example.org");
    assert_int_equal(mcx_gmsdb_group_create(l.db, &ev, &head, &m, NULL, &why), MCX_E_ARG);
    m = PEOPLE(ALICE);
    assert_int_equal(mcx_gmsdb_group_create(l.db, &ev, &head, &m, BOTH, &why), MCX_E_NOKEY);
    m = PEOPLE(ALICE);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, &why), MCX_E_POLICY);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, CAROL, &why), MCX_E_NOKEY);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, CAROL, &why), MCX_E_NOKEY);
    assert_int_equal(mcx_gmsdb_rekey(l.db, &ev, POLICE, "x", &why), MCX_E_NOKEY);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, 1, &why), MCX_E_NOKEY);
    assert_int_equal(mcx_gmsdb_group_delete(l.db, &ev, POLICE, &why), MCX_E_NOKEY);
    assert_int_equal(mcx_gmsdb_regroup(l.db, &ev, BOTH, "", one, 1, ALICE, &why), MCX_E_ARG);
    assert_int_equal(mcx_gmsdb_regroup(l.db, &ev, BOTH, "", unknown, 2, ALICE, &why), MCX_E_NOKEY);
    lab_group(&l, POLICE, PEOPLE(CAROL), false, NULL); /* nothing of what was refused has stayed */
    assert_int_equal(mcx_gmsdb_regroup(l.db, &ev, BOTH, "", parts, 2, ALICE, &why), MCX_OK);
    assert_int_equal(mcx_gmsdb_group_delete(l.db, &ev, FIRE, &why), MCX_E_POLICY);
    m = PEOPLE(DAVE);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, BOTH, &m, false, &why), MCX_E_POLICY);
    assert_int_equal(mcx_gmsdb_regroup(l.db, &ev, "sip:more@example.org", "", parts, 2, ALICE, &why), MCX_E_POLICY);
    lab_end(&l);
}

static void added(void **state)
{
    struct mcx_gmsdb_members m;
    struct mcx_gmsdb_event ev;
    struct lab l;
    char alice[32];
    char carol[32];
    char dave[32];

    (void)state;
    lab_begin(&l);
    ev = lab_hand(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_settle(&l);
    l.made = 0;
    m = PEOPLE(CAROL);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    lab_settle(&l);
    assert_int_equal(l.made, 1); /* for the newcomer alone */
    lab_key_part(alice, lab_look(&l, FIRE, ALICE));
    lab_key_part(carol, lab_look(&l, FIRE, CAROL));
    assert_string_equal(alice, carol);
    /* the past stays closed */
    m = PEOPLE(DAVE);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, true, NULL), MCX_OK);
    lab_settle(&l);
    lab_key_part(dave, lab_look(&l, FIRE, DAVE));
    assert_string_not_equal(alice, dave);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 2); /* both until the switch */
    l.now_ms += 1000 * (2 * WINDOW + 10);
    lab_settle(&l);
    lab_key_part(alice, lab_look(&l, FIRE, ALICE));
    assert_string_equal(alice, dave);
    lab_end(&l);
}

static void removed(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab_seen s;
    struct lab l;
    char old[32];
    char now[32];

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB, DAVE), true, NULL);
    lab_settle(&l);
    s = lab_look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 2);
    assert_non_null(strstr(s.text, "mkfc 4"));
    assert_int_equal(lab_look(&l, FIRE, LAB_SERVER).num, 1); /* MKFC alone */
    memcpy(old, s.text, 18);
    l.now_ms += 1000 * (WINDOW + 5);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, DAVE, NULL), MCX_OK);
    lab_settle(&l);
    s = lab_look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 4); /* old and new of both, until the switch */
    l.now_ms += 1000 * (URGENT + 3);
    lab_settle(&l); /* the switch: payloads of the revocation */
    s = lab_look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 4);
    assert_memory_equal(s.text, old, 18); /* same identifier and RAND */
    assert_int_equal(lab_status(s), 0);
    memcpy(now, strchr(s.text, '\n') + 1, 18);
    assert_memory_not_equal(now, old, 18);
    lab_end(&l);
}

static void lost_device(void **state)
{
    struct mcx_gmsdb_event ev;
    char etag[MCX_GMSDB_ETAG_MAX];
    struct lab l;

    (void)state;
    lab_begin(&l);
    ev = lab_hand(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, DAVE), false, NULL);
    lab_group(&l, POLICE, PEOPLE(BOB, DAVE), false, NULL);
    lab_settle(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, DAVE, NULL), MCX_OK);
    lab_settle(&l);
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GKTP, FIRE, DAVE, false, l.now_ms),
                     MCX_E_POLICY);
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GKTP, POLICE, DAVE, false, l.now_ms),
                     MCX_E_POLICY);
    l.now_ms += 1000 * (URGENT + WINDOW + 5);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, POLICE, BOB).num, 2);
    assert_int_equal(lab_status(lab_look(&l, POLICE, BOB)), 0);
    lab_end(&l);
}

/* An ordinary re-key, then a loss: the key before the last is revoked too, for those who had it. */
static void lost_after_a_rekey(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab_seen s;
    struct mcx_gmsdb_members carol;
    struct lab l;
    char first[32];

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB, DAVE), false, NULL);
    lab_settle(&l);
    lab_key_part(first, lab_look(&l, FIRE, ALICE));
    l.now_ms += 1000 * (WINDOW + 5);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_rekey(l.db, &ev, FIRE, "", NULL), MCX_OK);
    lab_settle(&l);
    l.now_ms += 1000 * (3 * WINDOW);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 1); /* nothing shows the first any more */
    ev = lab_hand(&l);
    carol = PEOPLE(CAROL);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &carol, false, NULL), MCX_OK);
    lab_settle(&l);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, DAVE, NULL), MCX_OK);
    lab_settle(&l);
    l.now_ms += 1000 * (URGENT + 3);
    lab_settle(&l);
    s = lab_look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 3);
    assert_memory_equal(s.text, first, 18);
    assert_int_equal(lab_status(s), 0);
    s = lab_look(&l, FIRE, CAROL); /* she came later: not the first */
    assert_int_equal(s.num, 2);
    assert_null(strstr(s.text, first));
    lab_end(&l);
}

/* An administrator may revoke a key that another took over from, once. */
static void revoked_after_its_time(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char first[32];
    uint32_t id;

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_settle(&l);
    lab_key_part(first, lab_look(&l, FIRE, ALICE));
    id = (uint32_t)strtoul(first, NULL, 16);
    l.now_ms += 1000 * (WINDOW + 5);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_rekey(l.db, &ev, FIRE, "", NULL), MCX_OK);
    lab_settle(&l);
    l.now_ms += 1000 * (3 * WINDOW);
    lab_settle(&l);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, id, NULL), MCX_OK);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, BOB).num, 2);
    assert_int_equal(lab_status(lab_look(&l, FIRE, BOB)), 0);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, id, NULL), MCX_E_NOKEY);
    lab_end(&l);
}

/* A removal while the keys are still being made: nobody has seen them, so they are replaced and never shown. */
static void removed_early(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char alice[32];

    (void)state;
    lab_begin(&l);
    ev = lab_hand(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB, DAVE), false, NULL);
    assert_int_equal(lab_work(&l, 2), 2);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, DAVE, NULL), MCX_OK);
    lab_settle(&l);
    lab_key_part(alice, lab_look(&l, FIRE, ALICE));
    assert_int_equal(l.made, 4); /* two for nothing */
    lab_end(&l);
}

static void too_late(void **state)
{
    struct lab l;
    struct lab_seen s;
    char key[32];
    uint64_t first = 0;
    uint64_t second = 0;

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    assert_int_equal(lab_work(&l, BATCH), 2);
    l.now_ms += 1000 * 60; /* the making took longer than planned */
    lab_tick(&l);
    assert_non_null(strstr(l.events, "activation moved"));
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 0);
    first = l.now_ms / 1000;
    lab_settle(&l);
    s = lab_look(&l, FIRE, ALICE);
    lab_key_part(key, s);
    second = strtoull(s.text + 21, NULL, 10);
    assert_true(second >= first + WINDOW);
    assert_int_equal(l.made, 4);
    lab_end(&l);
}

static void killed(void **state)
{
    struct lab l;
    char alice[32];
    char bob[32];

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB, CAROL), false, NULL);
    for (int i = 0; i < 3; i++) { /* between any two steps: what is open is as if killed */
        mcx_gmsdb_close(l.db);
        lab_open(&l);
        assert_int_equal(lab_work(&l, 1), 1);
    }
    mcx_gmsdb_close(l.db);
    lab_open(&l);
    lab_settle(&l);
    lab_key_part(alice, lab_look(&l, FIRE, ALICE));
    lab_key_part(bob, lab_look(&l, FIRE, BOB));
    assert_string_equal(alice, bob);
    assert_int_equal(l.made, 3);
    lab_end(&l);
}

static void revoked(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab_seen before;
    struct lab l;

    (void)state;
    lab_begin(&l);
    ev = lab_hand(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_settle(&l);
    before = lab_look(&l, FIRE, ALICE);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, (uint32_t)strtoul(before.text, NULL, 16), NULL), MCX_OK);
    assert_int_equal(lab_status(lab_look(&l, FIRE, ALICE)), 1);
    lab_settle(&l);
    assert_int_equal(lab_status(lab_look(&l, FIRE, ALICE)), 0);
    assert_memory_equal(lab_look(&l, FIRE, ALICE).text, before.text, 18);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, (uint32_t)strtoul(before.text, NULL, 16), NULL), MCX_E_NOKEY);
    lab_end(&l);
}

/* One key for two groups; a removal from one splits them (TS 33.180 5.7.1). */
static void shared(void **state)
{
    struct mcx_gmsdb_event ev;
    struct lab_seen s;
    struct lab l;
    char fire[32];
    char police[32];

    (void)state;
    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB, DAVE), false, NULL);
    lab_settle(&l);
    lab_group(&l, POLICE, PEOPLE(CAROL, DAVE), false, FIRE);
    lab_settle(&l);
    lab_key_part(fire, lab_look(&l, FIRE, ALICE));
    lab_key_part(police, lab_look(&l, POLICE, CAROL));
    assert_string_equal(fire, police);
    s = lab_look(&l, FIRE, ALICE);
    assert_non_null(strstr(s.text, FIRE));
    assert_non_null(strstr(s.text, POLICE)); /* both ids in the key parameters */
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, DAVE, NULL), MCX_OK);
    lab_settle(&l);
    l.now_ms += 1000 * (URGENT + 5);
    lab_settle(&l);
    s = lab_look(&l, POLICE, DAVE); /* he keeps the key of the other group, which names that one alone now */
    lab_key_part(police, s);
    assert_string_equal(fire, police);
    assert_int_equal(lab_status(s), 1);
    assert_null(strstr(s.text, FIRE));
    s = lab_look(&l, FIRE, ALICE); /* revoked for those of this group alone, and the new one */
    assert_int_equal(s.num, 2);
    assert_int_equal(lab_status(s), 0);
    assert_memory_equal(s.text, fire, 18);
    /* a re-keying of a group that shares is one for all that share */
    lab_end(&l);
}

static void regrouped(void **state)
{
    const char *const parts[] = { FIRE, POLICE };
    struct mcx_gmsdb_members m;
    struct mcx_gmsdb_event ev;
    struct mcx_group_head head;
    struct lab_seen s;
    struct lab l;
    char etag[MCX_GMSDB_ETAG_MAX];
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    lab_begin(&l);
    ev = lab_hand(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_group(&l, POLICE, PEOPLE(BOB, CAROL), false, NULL);
    lab_settle(&l);
    l.made = 0;
    assert_int_equal(mcx_gmsdb_regroup(l.db, &ev, BOTH, "Both", parts, 2, ALICE, NULL), MCX_OK);
    lab_settle(&l);
    assert_int_equal(l.made, 3); /* Bob is in both */
    s = lab_look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 2);
    assert_non_null(strstr(s.text, "\n" BOTH));
    s = lab_look(&l, POLICE, CAROL);
    assert_int_equal(s.num, 2);
    assert_int_equal(mcx_gmsdb_document(l.db, &xml, &len, etag, MCX_GMSDB_GROUP, FIRE, ALICE, false, l.now_ms), MCX_OK);
    assert_int_equal(mcx_group_doc_read(&head, mcx_bytes(xml, len), NULL, NULL, NULL), MCX_OK);
    assert_string_equal(head.temporary, BOTH);
    assert_string_equal(head.requestor, ALICE);
    free(xml);
    /* a newcomer to a part is one of the whole */
    m = PEOPLE(DAVE);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, DAVE).num, 2);
    assert_int_equal(mcx_gmsdb_group_delete(l.db, &ev, BOTH, NULL), MCX_OK);
    assert_int_equal(lab_look(&l, FIRE, DAVE).num, 1);
    assert_int_equal(mcx_gmsdb_document(l.db, &xml, &len, etag, MCX_GMSDB_GROUP, FIRE, ALICE, false, l.now_ms), MCX_OK);
    assert_int_equal(mcx_group_doc_read(&head, mcx_bytes(xml, len), NULL, NULL, NULL), MCX_OK);
    assert_string_equal(head.temporary, "");
    free(xml);
    lab_end(&l);
}

static void by_age_and_period(void **state)
{
    struct mcx_gmsdb_period home = { .kms_uri = "kms.example.org", .home = true };
    struct mcx_gmsdb_period other = { .kms_uri = "kms.example.org" };
    struct lab l;
    char first[32];
    char again[32];

    (void)state;
    lab_begin(&l);
    l.policy.timing.rekey_every_s = 86400;
    mcx_gmsdb_close(l.db);
    lab_open(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    lab_settle(&l);
    lab_key_part(first, lab_look(&l, FIRE, ALICE));
    /* a new key period of another KMS: payloads anew, the key the same */
    l.now_ms += 1000 * 3600;
    other.start_ms = l.now_ms;
    l.made = 0;
    assert_int_equal(mcx_gmsdb_tick(l.db, l.now_ms, &other, 1, lab_note, &l), MCX_OK);
    lab_settle(&l);
    assert_int_equal(l.made, 2);
    lab_key_part(again, lab_look(&l, FIRE, ALICE));
    assert_string_equal(first, again);
    assert_int_equal(mcx_gmsdb_tick(l.db, l.now_ms, &other, 1, lab_note, &l), MCX_OK);
    assert_int_equal(lab_work(&l, BATCH), 0);
    /* of our own: new keys, with a future activation, the old ones beside them */
    home.start_ms = l.now_ms;
    assert_int_equal(mcx_gmsdb_tick(l.db, l.now_ms, &home, 1, lab_note, &l), MCX_OK);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 2);
    l.now_ms += 1000 * (2 * WINDOW + 10);
    lab_settle(&l);
    lab_key_part(again, lab_look(&l, FIRE, ALICE));
    assert_string_not_equal(first, again);
    /* by age */
    l.now_ms += 1000 * UINT64_C(86400);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 2);
    lab_end(&l);
}

static void count_lack(void *arg, const struct mcx_gmsdb_lack *lack)
{
    char *text = arg;

    (void)strcat(strcat(strcat(strcat(text, lack->member), " "), lack->reason), ";");
}

static void lacking(void **state)
{
    char etag[MCX_GMSDB_ETAG_MAX];
    char text[512] = "";
    struct lab l;

    (void)state;
    lab_begin(&l);
    l.unreachable = "carol";
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB, CAROL), false, NULL);
    lab_settle(&l); /* shown to those who can be reached */
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GKTP, FIRE, ALICE, false, l.now_ms), MCX_OK);
    assert_int_equal(mcx_gmsdb_delivered(l.db, MCX_GMSDB_GKTP, FIRE, ALICE, etag, l.now_ms), MCX_OK);
    assert_int_equal(mcx_gmsdb_delivered(l.db, MCX_GMSDB_GKTP, FIRE, BOB, "old", l.now_ms), MCX_OK);
    assert_int_equal(mcx_gmsdb_lacking(l.db, FIRE, count_lack, text), MCX_OK);
    assert_string_equal(text, BOB " not fetched;" CAROL " no certificate;");
    /* a certificate has come */
    l.unreachable = NULL;
    assert_int_equal(mcx_gmsdb_retry(l.db), MCX_OK);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, CAROL).num, 1);
    lab_end(&l);
}

/* MCX_E_BUG may be a lack of memory in OpenSSL: tried again, three times in all. */
static void tried_again(void **state)
{
    char text[512] = "";
    struct lab l;

    (void)state;
    lab_begin(&l);
    l.unreachable = "carol";
    l.failure = MCX_E_BUG;
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB, CAROL), false, NULL);
    assert_int_equal(lab_work(&l, BATCH), 3);
    assert_int_equal(lab_work(&l, BATCH), 1);
    lab_tick(&l);
    assert_int_equal(lab_look(&l, FIRE, ALICE).num, 0); /* not shown without her yet */
    l.unreachable = NULL;
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, CAROL).num, 1);
    lab_group(&l, POLICE, PEOPLE(ALICE, CAROL), false, NULL);
    l.unreachable = "carol";
    l.made = 0;
    lab_settle(&l);
    assert_int_equal(l.made, 4); /* one, and three that failed */
    assert_int_equal(mcx_gmsdb_lacking(l.db, POLICE, count_lack, text), MCX_OK);
    assert_string_equal(text, ALICE " not fetched;" CAROL " no certificate;");
    lab_end(&l);
}

static void seal_and_version(void **state)
{
    static const uint8_t other[MCX_GMS_SEAL_KEY_LEN] = { 8 };
    struct mcx_gmsdb *db = NULL;
    struct lab l;

    (void)state;
    lab_begin(&l);
    l.policy.seal_key = other;
    assert_int_equal(mcx_gmsdb_open(&db, l.path, &l.policy), MCX_E_AUTH);
    assert_int_not_equal(mcx_gmsdb_create(l.path, GMS, lab_seal_key, &l.policy.rng), MCX_OK);
    assert_string_equal(mcx_gmsdb_uri(l.db), GMS);
    lab_end(&l);
}

/* A database as older versions had it, in the middle of a round: what tells the versions apart is taken away. */
#define AS_OF_3 "DROP INDEX payload_of;"
#define AS_OF_2 AS_OF_3 "ALTER TABLE job DROP COLUMN tries;"
#define AS_OF_1                                                                                                        \
    AS_OF_2 "DROP INDEX job_waiting;"                                                                                  \
            "ALTER TABLE job DROP COLUMN rank;"                                                                        \
            "ALTER TABLE round DROP COLUMN rank;"                                                                      \
            "CREATE INDEX job_waiting ON job (id) WHERE state = 0;"
static const char *const older[] = { AS_OF_1 "PRAGMA user_version = 1;", AS_OF_2 "PRAGMA user_version = 2;",
                                     AS_OF_3 "PRAGMA user_version = 3;" };

static void set_version(struct lab *l, const char *sql)
{
    sqlite3 *sqlite = NULL;

    assert_int_equal(sqlite3_open(l->path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

static void upgraded_from(const char *version)
{
    struct mcx_gmsdb_event ev;
    struct lab l;
    char alice[32];
    char bob[32];

    lab_begin(&l);
    lab_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    assert_int_equal(lab_work(&l, 1), 1);
    mcx_gmsdb_close(l.db);
    set_version(&l, version);
    lab_open(&l);
    lab_settle(&l); /* the round that was under way goes on */
    assert_int_equal(l.made, 2);
    lab_key_part(alice, lab_look(&l, FIRE, ALICE));
    lab_key_part(bob, lab_look(&l, FIRE, BOB));
    assert_string_equal(alice, bob);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_rekey(l.db, &ev, FIRE, "by hand", NULL), MCX_OK);
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, BOB).num, 2);
    mcx_gmsdb_close(l.db);
    lab_open(&l); /* and it is of the new version now */
    lab_end(&l);
}

static void upgraded(void **state)
{
    struct mcx_gmsdb *none = NULL;
    struct lab l;

    (void)state;
    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++) {
        upgraded_from(older[i]);
    }
    lab_begin(&l);
    set_version(&l, "PRAGMA user_version = 5");
    assert_int_equal(mcx_gmsdb_open(&none, l.path, &l.policy), MCX_E_UNSUP);
    set_version(&l, "PRAGMA user_version = 0");
    assert_int_equal(mcx_gmsdb_open(&none, l.path, &l.policy), MCX_E_UNSUP);
    lab_end(&l);
}

/* 10,000 members: every payload once, and memory that does not grow with their number. */
#define MANY       10000
#define HEAP_BOUND (6u << 20) /* SQLite's page cache of 2 MB, statements, one batch */

static size_t many_at;

static bool next_of_many(void *arg, struct mcx_group_member *m)
{
    static char id[64];

    (void)arg;
    if (many_at == MANY) {
        return false;
    }
    (void)snprintf(id, sizeof id, "sip:member%05zu@example.org", many_at++);
    *m = (struct mcx_group_member){ .mcptt_id = id, .display_name = "" };
    return true;
}

/* A large periodic re-keying is under way: whoever waits, and whoever shall hear no more, does not stand behind it. */
#define CROWD 1000

static void urgent_first(void **state)
{
    struct mcx_gmsdb_cursor cursor = { { 0 } };
    static struct lab_batch b;
    struct mcx_gmsdb_members crowd = { next_of_many, NULL };
    struct mcx_gmsdb_members m;
    struct mcx_gmsdb_event ev;
    struct lab l;
    char old[32];
    char carol[32];

    (void)state;
    lab_begin(&l);
    l.policy.timing.rekey_every_s = 86400;
    mcx_gmsdb_close(l.db);
    lab_open(&l);
    many_at = MANY - CROWD;
    lab_group(&l, FIRE, crowd, false, NULL);
    lab_group(&l, POLICE, PEOPLE(ALICE, BOB, DAVE), false, NULL);
    lab_settle(&l);
    lab_key_part(old, lab_look(&l, FIRE, "sip:member09999@example.org"));
    l.now_ms += 1000 * UINT64_C(86500);
    lab_tick(&l);
    b.lab = &l;
    b.num = 0;
    assert_int_equal(mcx_gmsdb_jobs(l.db, &cursor, 4, l.now_ms, lab_stub, &b), MCX_OK);
    assert_int_equal(mcx_gmsdb_results(l.db, b.result, b.num, l.now_ms), MCX_OK);
    ev = lab_hand(&l);
    m = PEOPLE(CAROL);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, POLICE, DAVE, NULL), MCX_OK);
    /* the same cursor goes on: first the removal, then the newcomer, with the key that the others have now */
    b.num = 0;
    assert_int_equal(mcx_gmsdb_jobs(l.db, &cursor, 3, l.now_ms, lab_stub, &b), MCX_OK);
    assert_non_null(strstr(b.text[0], ALICE "|" POLICE));
    assert_non_null(strstr(b.text[1], BOB "|" POLICE));
    assert_non_null(strstr(b.text[2], CAROL "|" FIRE));
    assert_int_equal(mcx_gmsdb_results(l.db, b.result, b.num, l.now_ms), MCX_OK);
    lab_tick(&l);
    assert_string_equal(l.events, "payloads shown;key shown;");
    lab_key_part(carol, lab_look(&l, FIRE, CAROL));
    assert_string_equal(carol, old);
    assert_true(lab_work(&l, BATCH) == BATCH); /* the large one goes on */
    lab_settle(&l);
    assert_int_equal(lab_look(&l, FIRE, CAROL).num, 2); /* and has a payload for her too */
    lab_end(&l);
}

static void ten_thousand(void **state)
{
    const struct mcx_gmsdb_members many = { next_of_many, NULL };
    struct mcx_gmsdb_event ev;
    struct lab l;
    size_t before = 0;
    size_t most = 0;
    char first[32];
    char last[32];

    (void)state;
    lab_begin(&l);
    before = mallinfo2().uordblks;
    many_at = 0;
    lab_group(&l, FIRE, many, false, NULL);
    l.now_ms += 1000;
    for (size_t n = BATCH; n > 0;) {
        size_t used = 0;

        n = lab_work(&l, BATCH);
        used = mallinfo2().uordblks - before;
        most = used > most ? used : most;
    }
    lab_tick(&l);
    assert_string_equal(l.events, "key shown;");
    assert_int_equal(l.made, MANY);
    print_message("%d payloads, at most %zu KiB of heap\n", MANY, most >> 10);
    assert_true(most < HEAP_BOUND);
    lab_key_part(first, lab_look(&l, FIRE, "sip:member00000@example.org"));
    lab_key_part(last, lab_look(&l, FIRE, "sip:member09999@example.org"));
    assert_string_equal(first, last);
    ev = lab_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, "sip:member05000@example.org", NULL), MCX_OK);
    lab_settle(&l);
    assert_int_equal(l.made, MANY + 2 * (MANY - 1)); /* the first key was not active yet: revoked at once */
    lab_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created),
        cmocka_unit_test(refused),
        cmocka_unit_test(added),
        cmocka_unit_test(removed),
        cmocka_unit_test(lost_device),
        cmocka_unit_test(lost_after_a_rekey),
        cmocka_unit_test(revoked_after_its_time),
        cmocka_unit_test(removed_early),
        cmocka_unit_test(too_late),
        cmocka_unit_test(killed),
        cmocka_unit_test(revoked),
        cmocka_unit_test(shared),
        cmocka_unit_test(regrouped),
        cmocka_unit_test(by_age_and_period),
        cmocka_unit_test(lacking),
        cmocka_unit_test(seal_and_version),
        cmocka_unit_test(ten_thousand),
        cmocka_unit_test(urgent_first),
        cmocka_unit_test(upgraded),
        cmocka_unit_test(tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
