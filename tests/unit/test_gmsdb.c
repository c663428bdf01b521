/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key events of group.md 6 at the database of the GMS, with a stub in the place of the workers: what is drawn, who gets
 * a payload with which key, when it is shown, and that a plan which is too tight is made anew.
 */
#define _DEFAULT_SOURCE 1 /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/gmsdb.h"

#define GMS    "sip:gms@example.org"
#define FIRE   "sip:fire@example.org"
#define POLICE "sip:police@example.org"
#define BOTH   "sip:both@example.org"
#define ALICE  "sip:alice@example.org"
#define BOB    "sip:bob@example.org"
#define CAROL  "sip:carol@example.org"
#define DAVE   "sip:dave@example.org"
#define SERVER "sip:mcptt@example.org"
#define WINDOW 30
#define URGENT 5
#define BATCH  64

static const uint8_t seal_key[MCX_GMS_SEAL_KEY_LEN] = { 7 };

/* A GMS with a clock of its own. */
struct lab {
    char dir[32];
    char path[64];
    struct mcx_gmsdb_policy policy;
    struct mcx_gmsdb *db;
    uint64_t now_ms;
    const char *unreachable; /* part of the URI of members who get no payload */
    char events[4096];       /* of the last ticks */
    uint64_t made;
};

static const char *const *names;
static size_t name_at;

static bool next_name(void *arg, struct mcx_group_member *m)
{
    (void)arg;
    if (names[name_at] == NULL) {
        return false;
    }
    *m = (struct mcx_group_member){ .mcptt_id = names[name_at++], .display_name = "" };
    return true;
}

static struct mcx_gmsdb_members people(const char *const *list)
{
    names = list;
    name_at = 0;
    return (struct mcx_gmsdb_members){ next_name, NULL };
}
#define PEOPLE(...) people((const char *const[]){ __VA_ARGS__, NULL })

static void lab_open(struct lab *l)
{
    assert_int_equal(mcx_gmsdb_open(&l->db, l->path, &l->policy), MCX_OK);
}

static void lab_begin(struct lab *l)
{
    const struct mcx_rng rng = mcx_rng_system();

    *l = (struct lab){ .now_ms = UINT64_C(1700000000000) };
    strcpy(l->dir, "/tmp/gmsdb.XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    (void)snprintf(l->path, sizeof l->path, "%s/gms.db", l->dir);
    l->policy = (struct mcx_gmsdb_policy){ .seal_key = seal_key,
                                           .rng = rng,
                                           .timing = { .fetch_window_s = WINDOW, .urgent_window_s = URGENT },
                                           .mcptt_server = { SERVER },
                                           .num_mcptt_servers = 1 };
    assert_int_equal(mcx_gmsdb_create(l->path, GMS, seal_key, &rng), MCX_OK);
    lab_open(l);
}

static void lab_end(struct lab *l)
{
    char path[80];
    static const char *const ends[] = { "", "-wal", "-shm" };

    mcx_gmsdb_close(l->db);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", l->path, ends[i]);
        (void)unlink(path);
    }
    (void)rmdir(l->dir);
}

static struct mcx_gmsdb_event by_hand(const struct lab *l)
{
    return (struct mcx_gmsdb_event){ "sip:admin@example.org", l->now_ms };
}

static void make_group(struct lab *l, const char *uri, struct mcx_gmsdb_members m, bool mkfc, const char *share)
{
    struct mcx_group_head head = { .protect_media = true, .protect_floor = true, .multicast_floor = mkfc };
    const struct mcx_gmsdb_event ev = by_hand(l);

    strcpy(head.uri, uri);
    assert_int_equal(mcx_gmsdb_group_create(l->db, &ev, &head, &m, share, NULL), MCX_OK);
}

/* The stub: a payload tells what it was made of. */
struct batch {
    struct lab *lab;
    struct mcx_gms_result result[BATCH];
    char text[BATCH][1200];
    size_t num;
};

static mcx_err stub(void *arg, const struct mcx_gms_job *job)
{
    struct batch *b = arg;
    struct mcx_gms_result *r = &b->result[b->num];
    char *text = b->text[b->num++];
    int n = snprintf(text, sizeof b->text[0], "%08x|%02x%02x|%02x%02x|%u|%llu|%s|%s|%s", (unsigned)job->key.key_id,
                     job->key.key.octet[0], job->key.key.octet[15], job->key.rand[0], job->key.rand[15],
                     (unsigned)job->status, (unsigned long long)job->activation, job->member, job->group[0],
                     job->num_groups > 1 ? job->group[1] : "");

    *r = (struct mcx_gms_result){ .id = job->id, .t_ms = job->t_ms };
    b->lab->made++;
    if (b->lab->unreachable != NULL && strstr(job->member, b->lab->unreachable) != NULL) {
        r->err = MCX_E_NOKEY;
        strcpy(r->reason, "no certificate");
        return MCX_OK;
    }
    strcpy(r->kms, "kms.example.org");
    r->message = mcx_bytes(text, (size_t)n);
    return MCX_OK;
}

static size_t work(struct lab *l, size_t max)
{
    static struct batch b;
    struct mcx_gmsdb_cursor from_start = { { 0 } };

    b.lab = l;
    b.num = 0;
    assert_int_equal(mcx_gmsdb_jobs(l->db, &from_start, max, l->now_ms, stub, &b), MCX_OK);
    assert_int_equal(mcx_gmsdb_results(l->db, b.result, b.num, l->now_ms), MCX_OK);
    return b.num;
}

static void note(void *arg, const struct mcx_gmsdb_news *n)
{
    struct lab *l = arg;
    size_t len = strlen(l->events);

    (void)snprintf(l->events + len, sizeof l->events - len, "%s;", n->event);
}

static void tick(struct lab *l)
{
    l->events[0] = '\0';
    assert_int_equal(mcx_gmsdb_tick(l->db, l->now_ms, NULL, 0, note, l), MCX_OK);
}

static void settle(struct lab *l)
{
    do {
        while (work(l, BATCH) > 0) {
        }
        tick(l);
    } while (work(l, BATCH) > 0);
    tick(l);
}

/* Payloads that a member sees, one a line as the stub wrote them. */
struct seen {
    char text[4096];
    size_t num;
};

static mcx_err take(void *arg, const struct mcx_gktp *g)
{
    struct seen *s = arg;
    size_t len = strlen(s->text);

    s->num++;
    (void)snprintf(s->text + len, sizeof s->text - len, "%s%s%.*s\n", g->kind == MCX_GKTP_MKFC ? "mkfc " : "",
                   g->temporary, (int)g->message.len, (const char *)g->message.p);
    return MCX_OK;
}

static struct seen look(struct lab *l, const char *group, const char *user)
{
    char etag[MCX_GMSDB_ETAG_MAX];
    struct seen s = { .num = 0 };
    char *xml = NULL;
    size_t len = 0;

    assert_int_equal(
        mcx_gmsdb_document(l->db, &xml, &len, etag, MCX_GMSDB_GKTP, group, user, strcmp(user, SERVER) == 0, l->now_ms),
        MCX_OK);
    assert_int_equal(mcx_gktp_read(mcx_bytes(xml, len), take, &s, NULL), MCX_OK);
    free(xml);
    return s;
}

/* "0abcdef0|kk..|rr..|" of the one payload: identifier, key and RAND. */
static void key_part(char out[32], struct seen s)
{
    assert_int_equal(s.num, 1);
    memcpy(out, s.text, 18);
    out[18] = '\0';
}

static unsigned status_of(struct seen s)
{
    return (unsigned)(s.text[19] - '0');
}

static void created(void **state)
{
    struct lab l;
    char alice[32];
    char bob[32];
    char etag[MCX_GMSDB_ETAG_MAX];

    (void)state;
    lab_begin(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    tick(&l);
    assert_int_equal(look(&l, FIRE, ALICE).num, 0);
    assert_int_equal(work(&l, 1), 1);
    tick(&l);
    assert_int_equal(look(&l, FIRE, ALICE).num, 0); /* not before all are there */
    settle(&l);
    key_part(alice, look(&l, FIRE, ALICE));
    key_part(bob, look(&l, FIRE, BOB));
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
    ev = by_hand(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
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
    make_group(&l, POLICE, PEOPLE(CAROL), false, NULL); /* nothing of what was refused has stayed */
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
    ev = by_hand(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    settle(&l);
    l.made = 0;
    m = PEOPLE(CAROL);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    settle(&l);
    assert_int_equal(l.made, 1); /* for the newcomer alone */
    key_part(alice, look(&l, FIRE, ALICE));
    key_part(carol, look(&l, FIRE, CAROL));
    assert_string_equal(alice, carol);
    /* the past stays closed */
    m = PEOPLE(DAVE);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, true, NULL), MCX_OK);
    settle(&l);
    key_part(dave, look(&l, FIRE, DAVE));
    assert_string_not_equal(alice, dave);
    assert_int_equal(look(&l, FIRE, ALICE).num, 2); /* both until the switch */
    l.now_ms += 1000 * (2 * WINDOW + 10);
    settle(&l);
    key_part(alice, look(&l, FIRE, ALICE));
    assert_string_equal(alice, dave);
    lab_end(&l);
}

static void removed(void **state)
{
    struct mcx_gmsdb_event ev;
    struct seen s;
    struct lab l;
    char old[32];
    char now[32];

    (void)state;
    lab_begin(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB, DAVE), true, NULL);
    settle(&l);
    s = look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 2);
    assert_non_null(strstr(s.text, "mkfc 4"));
    assert_int_equal(look(&l, FIRE, SERVER).num, 1); /* MKFC alone */
    memcpy(old, s.text, 18);
    l.now_ms += 1000 * (WINDOW + 5);
    ev = by_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, DAVE, NULL), MCX_OK);
    settle(&l);
    s = look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 4); /* old and new of both, until the switch */
    l.now_ms += 1000 * (URGENT + 3);
    settle(&l); /* the switch: payloads of the revocation */
    s = look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 4);
    assert_memory_equal(s.text, old, 18); /* same identifier and RAND */
    assert_int_equal(status_of(s), 0);
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
    ev = by_hand(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, DAVE), false, NULL);
    make_group(&l, POLICE, PEOPLE(BOB, DAVE), false, NULL);
    settle(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, NULL, DAVE, NULL), MCX_OK);
    settle(&l);
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GKTP, FIRE, DAVE, false, l.now_ms),
                     MCX_E_POLICY);
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GKTP, POLICE, DAVE, false, l.now_ms),
                     MCX_E_POLICY);
    l.now_ms += 1000 * (URGENT + WINDOW + 5);
    settle(&l);
    assert_int_equal(look(&l, POLICE, BOB).num, 2);
    assert_int_equal(status_of(look(&l, POLICE, BOB)), 0);
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
    ev = by_hand(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB, DAVE), false, NULL);
    assert_int_equal(work(&l, 2), 2);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, DAVE, NULL), MCX_OK);
    settle(&l);
    key_part(alice, look(&l, FIRE, ALICE));
    assert_int_equal(l.made, 4); /* two for nothing */
    lab_end(&l);
}

static void too_late(void **state)
{
    struct lab l;
    struct seen s;
    char key[32];
    uint64_t first = 0;
    uint64_t second = 0;

    (void)state;
    lab_begin(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    assert_int_equal(work(&l, BATCH), 2);
    l.now_ms += 1000 * 60; /* the making took longer than planned */
    tick(&l);
    assert_non_null(strstr(l.events, "activation moved"));
    assert_int_equal(look(&l, FIRE, ALICE).num, 0);
    first = l.now_ms / 1000;
    settle(&l);
    s = look(&l, FIRE, ALICE);
    key_part(key, s);
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
    make_group(&l, FIRE, PEOPLE(ALICE, BOB, CAROL), false, NULL);
    for (int i = 0; i < 3; i++) { /* between any two steps: what is open is as if killed */
        mcx_gmsdb_close(l.db);
        lab_open(&l);
        assert_int_equal(work(&l, 1), 1);
    }
    mcx_gmsdb_close(l.db);
    lab_open(&l);
    settle(&l);
    key_part(alice, look(&l, FIRE, ALICE));
    key_part(bob, look(&l, FIRE, BOB));
    assert_string_equal(alice, bob);
    assert_int_equal(l.made, 3);
    lab_end(&l);
}

static void revoked(void **state)
{
    struct mcx_gmsdb_event ev;
    struct seen before;
    struct lab l;

    (void)state;
    lab_begin(&l);
    ev = by_hand(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    settle(&l);
    before = look(&l, FIRE, ALICE);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, (uint32_t)strtoul(before.text, NULL, 16), NULL), MCX_OK);
    assert_int_equal(status_of(look(&l, FIRE, ALICE)), 1);
    settle(&l);
    assert_int_equal(status_of(look(&l, FIRE, ALICE)), 0);
    assert_memory_equal(look(&l, FIRE, ALICE).text, before.text, 18);
    assert_int_equal(mcx_gmsdb_revoke(l.db, &ev, FIRE, (uint32_t)strtoul(before.text, NULL, 16), NULL), MCX_E_NOKEY);
    lab_end(&l);
}

/* One key for two groups; a removal from one splits them (TS 33.180 5.7.1). */
static void shared(void **state)
{
    struct mcx_gmsdb_event ev;
    struct seen s;
    struct lab l;
    char fire[32];
    char police[32];

    (void)state;
    lab_begin(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB, DAVE), false, NULL);
    settle(&l);
    make_group(&l, POLICE, PEOPLE(CAROL, DAVE), false, FIRE);
    settle(&l);
    key_part(fire, look(&l, FIRE, ALICE));
    key_part(police, look(&l, POLICE, CAROL));
    assert_string_equal(fire, police);
    s = look(&l, FIRE, ALICE);
    assert_non_null(strstr(s.text, FIRE));
    assert_non_null(strstr(s.text, POLICE)); /* both ids in the key parameters */
    ev = by_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, DAVE, NULL), MCX_OK);
    settle(&l);
    l.now_ms += 1000 * (URGENT + 5);
    settle(&l);
    s = look(&l, POLICE, DAVE); /* he keeps the key of the other group, which names that one alone now */
    key_part(police, s);
    assert_string_equal(fire, police);
    assert_int_equal(status_of(s), 1);
    assert_null(strstr(s.text, FIRE));
    s = look(&l, FIRE, ALICE); /* revoked for those of this group alone, and the new one */
    assert_int_equal(s.num, 2);
    assert_int_equal(status_of(s), 0);
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
    struct seen s;
    struct lab l;
    char etag[MCX_GMSDB_ETAG_MAX];
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    lab_begin(&l);
    ev = by_hand(&l);
    make_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    make_group(&l, POLICE, PEOPLE(BOB, CAROL), false, NULL);
    settle(&l);
    l.made = 0;
    assert_int_equal(mcx_gmsdb_regroup(l.db, &ev, BOTH, "Both", parts, 2, ALICE, NULL), MCX_OK);
    settle(&l);
    assert_int_equal(l.made, 3); /* Bob is in both */
    s = look(&l, FIRE, ALICE);
    assert_int_equal(s.num, 2);
    assert_non_null(strstr(s.text, "\n" BOTH));
    s = look(&l, POLICE, CAROL);
    assert_int_equal(s.num, 2);
    assert_int_equal(mcx_gmsdb_document(l.db, &xml, &len, etag, MCX_GMSDB_GROUP, FIRE, ALICE, false, l.now_ms), MCX_OK);
    assert_int_equal(mcx_group_doc_read(&head, mcx_bytes(xml, len), NULL, NULL, NULL), MCX_OK);
    assert_string_equal(head.temporary, BOTH);
    assert_string_equal(head.requestor, ALICE);
    free(xml);
    /* a newcomer to a part is one of the whole */
    m = PEOPLE(DAVE);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    settle(&l);
    assert_int_equal(look(&l, FIRE, DAVE).num, 2);
    assert_int_equal(mcx_gmsdb_group_delete(l.db, &ev, BOTH, NULL), MCX_OK);
    assert_int_equal(look(&l, FIRE, DAVE).num, 1);
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
    make_group(&l, FIRE, PEOPLE(ALICE, BOB), false, NULL);
    settle(&l);
    key_part(first, look(&l, FIRE, ALICE));
    /* a new key period of another KMS: payloads anew, the key the same */
    l.now_ms += 1000 * 3600;
    other.start_ms = l.now_ms;
    l.made = 0;
    assert_int_equal(mcx_gmsdb_tick(l.db, l.now_ms, &other, 1, note, &l), MCX_OK);
    settle(&l);
    assert_int_equal(l.made, 2);
    key_part(again, look(&l, FIRE, ALICE));
    assert_string_equal(first, again);
    assert_int_equal(mcx_gmsdb_tick(l.db, l.now_ms, &other, 1, note, &l), MCX_OK);
    assert_int_equal(work(&l, BATCH), 0);
    /* of our own: new keys, with a future activation, the old ones beside them */
    home.start_ms = l.now_ms;
    assert_int_equal(mcx_gmsdb_tick(l.db, l.now_ms, &home, 1, note, &l), MCX_OK);
    settle(&l);
    assert_int_equal(look(&l, FIRE, ALICE).num, 2);
    l.now_ms += 1000 * (2 * WINDOW + 10);
    settle(&l);
    key_part(again, look(&l, FIRE, ALICE));
    assert_string_not_equal(first, again);
    /* by age */
    l.now_ms += 1000 * UINT64_C(86400);
    settle(&l);
    assert_int_equal(look(&l, FIRE, ALICE).num, 2);
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
    make_group(&l, FIRE, PEOPLE(ALICE, BOB, CAROL), false, NULL);
    settle(&l); /* shown to those who can be reached */
    assert_int_equal(mcx_gmsdb_document(l.db, NULL, NULL, etag, MCX_GMSDB_GKTP, FIRE, ALICE, false, l.now_ms), MCX_OK);
    assert_int_equal(mcx_gmsdb_delivered(l.db, MCX_GMSDB_GKTP, FIRE, ALICE, etag, l.now_ms), MCX_OK);
    assert_int_equal(mcx_gmsdb_delivered(l.db, MCX_GMSDB_GKTP, FIRE, BOB, "old", l.now_ms), MCX_OK);
    assert_int_equal(mcx_gmsdb_lacking(l.db, FIRE, count_lack, text), MCX_OK);
    assert_string_equal(text, BOB " not fetched;" CAROL " no certificate;");
    /* a certificate has come */
    l.unreachable = NULL;
    assert_int_equal(mcx_gmsdb_retry(l.db), MCX_OK);
    settle(&l);
    assert_int_equal(look(&l, FIRE, CAROL).num, 1);
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
    assert_int_not_equal(mcx_gmsdb_create(l.path, GMS, seal_key, &l.policy.rng), MCX_OK);
    assert_string_equal(mcx_gmsdb_uri(l.db), GMS);
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
    static struct batch b;
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
    make_group(&l, FIRE, crowd, false, NULL);
    make_group(&l, POLICE, PEOPLE(ALICE, BOB, DAVE), false, NULL);
    settle(&l);
    key_part(old, look(&l, FIRE, "sip:member09999@example.org"));
    l.now_ms += 1000 * UINT64_C(86500);
    tick(&l);
    b.lab = &l;
    b.num = 0;
    assert_int_equal(mcx_gmsdb_jobs(l.db, &cursor, 4, l.now_ms, stub, &b), MCX_OK);
    assert_int_equal(mcx_gmsdb_results(l.db, b.result, b.num, l.now_ms), MCX_OK);
    ev = by_hand(&l);
    m = PEOPLE(CAROL);
    assert_int_equal(mcx_gmsdb_member_add(l.db, &ev, FIRE, &m, false, NULL), MCX_OK);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, POLICE, DAVE, NULL), MCX_OK);
    /* the same cursor goes on: first the removal, then the newcomer, with the key that the others have now */
    b.num = 0;
    assert_int_equal(mcx_gmsdb_jobs(l.db, &cursor, 3, l.now_ms, stub, &b), MCX_OK);
    assert_non_null(strstr(b.text[0], ALICE "|" POLICE));
    assert_non_null(strstr(b.text[1], BOB "|" POLICE));
    assert_non_null(strstr(b.text[2], CAROL "|" FIRE));
    assert_int_equal(mcx_gmsdb_results(l.db, b.result, b.num, l.now_ms), MCX_OK);
    tick(&l);
    assert_string_equal(l.events, "payloads shown;key shown;");
    key_part(carol, look(&l, FIRE, CAROL));
    assert_string_equal(carol, old);
    assert_true(work(&l, BATCH) == BATCH); /* the large one goes on */
    settle(&l);
    assert_int_equal(look(&l, FIRE, CAROL).num, 2); /* and has a payload for her too */
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
    make_group(&l, FIRE, many, false, NULL);
    l.now_ms += 1000;
    for (size_t n = BATCH; n > 0;) {
        size_t used = 0;

        n = work(&l, BATCH);
        used = mallinfo2().uordblks - before;
        most = used > most ? used : most;
    }
    tick(&l);
    assert_string_equal(l.events, "key shown;");
    assert_int_equal(l.made, MANY);
    print_message("%d payloads, at most %zu KiB of heap\n", MANY, most >> 10);
    assert_true(most < HEAP_BOUND);
    key_part(first, look(&l, FIRE, "sip:member00000@example.org"));
    key_part(last, look(&l, FIRE, "sip:member09999@example.org"));
    assert_string_equal(first, last);
    ev = by_hand(&l);
    assert_int_equal(mcx_gmsdb_member_remove(l.db, &ev, FIRE, "sip:member05000@example.org", NULL), MCX_OK);
    settle(&l);
    assert_int_equal(l.made, MANY + 2 * (MANY - 1)); /* the first key was not active yet: revoked at once */
    lab_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created),      cmocka_unit_test(refused),          cmocka_unit_test(added),
        cmocka_unit_test(removed),      cmocka_unit_test(lost_device),      cmocka_unit_test(removed_early),
        cmocka_unit_test(too_late),     cmocka_unit_test(killed),           cmocka_unit_test(revoked),
        cmocka_unit_test(shared),       cmocka_unit_test(regrouped),        cmocka_unit_test(by_age_and_period),
        cmocka_unit_test(lacking),      cmocka_unit_test(seal_and_version), cmocka_unit_test(ten_thousand),
        cmocka_unit_test(urgent_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
