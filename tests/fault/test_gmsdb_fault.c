/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that the database of the GMS does, while the n-th allocation, write or draw of randomness fails, for every
 * n, and while another process holds the lock: an error with nothing changed, or the whole; nothing leaks; afterwards
 * it works, and all members see the same key under each identifier. In sanitized builds, where malloc cannot be
 * replaced, only the allocations of SQLite fail.
 */
#define _DEFAULT_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "io/gmsdb_int.h"
#include "support/failing_sqlite.h"
#include "support/fake.h"
#include "support/gms_lab.h"

#define NEWS "sip:news@example.org"
#define ERIN "sip:erin@example.org"

static struct fake_rng fake;

/* What is done */

static mcx_err op_create(struct lab *l)
{
    struct mcx_group_head head = { .uri = NEWS, .protect_media = true, .multicast_floor = true };
    const struct mcx_gmsdb_event ev = lab_hand(l);
    const struct mcx_gmsdb_members m = PEOPLE(ALICE, ERIN);

    return mcx_gmsdb_group_create(l->db, &ev, &head, &m, NULL, NULL);
}

static mcx_err op_share(struct lab *l)
{
    struct mcx_group_head head = { .uri = NEWS, .protect_media = true };
    const struct mcx_gmsdb_event ev = lab_hand(l);
    const struct mcx_gmsdb_members m = PEOPLE(ALICE, ERIN);

    return mcx_gmsdb_group_create(l->db, &ev, &head, &m, FIRE, NULL);
}

static mcx_err op_add(struct lab *l)
{
    const struct mcx_gmsdb_event ev = lab_hand(l);
    const struct mcx_gmsdb_members m = PEOPLE(CAROL, ERIN);

    return mcx_gmsdb_member_add(l->db, &ev, FIRE, &m, false, NULL);
}

static mcx_err op_remove(struct lab *l)
{
    const struct mcx_gmsdb_event ev = lab_hand(l);

    return mcx_gmsdb_member_remove(l->db, &ev, FIRE, DAVE, NULL);
}

static mcx_err op_lost(struct lab *l)
{
    const struct mcx_gmsdb_event ev = lab_hand(l);

    return mcx_gmsdb_member_remove(l->db, &ev, NULL, DAVE, NULL);
}

static mcx_err op_rekey(struct lab *l)
{
    const struct mcx_gmsdb_event ev = lab_hand(l);

    return mcx_gmsdb_rekey(l->db, &ev, FIRE, "by hand", NULL);
}

static uint32_t police_key;

static mcx_err op_revoke(struct lab *l)
{
    const struct mcx_gmsdb_event ev = lab_hand(l);

    return mcx_gmsdb_revoke(l->db, &ev, POLICE, police_key, NULL);
}

static mcx_err op_regroup(struct lab *l)
{
    const char *const parts[] = { FIRE, POLICE };
    const struct mcx_gmsdb_event ev = lab_hand(l);

    return mcx_gmsdb_regroup(l->db, &ev, BOTH, "", parts, 2, ALICE, NULL);
}

static mcx_err op_delete(struct lab *l)
{
    const struct mcx_gmsdb_event ev = lab_hand(l);

    return mcx_gmsdb_group_delete(l->db, &ev, POLICE, NULL);
}

static struct lab_batch batch;

static mcx_err op_jobs(struct lab *l)
{
    struct mcx_gmsdb_cursor from_start = { { 0 } };
    mcx_err err = MCX_OK;

    batch.lab = l;
    batch.num = 0;
    err = mcx_gmsdb_jobs(l->db, &from_start, BATCH, l->now_ms, lab_stub, &batch);
    for (size_t i = 0; i < batch.num; i++) {
        assert_non_null(strstr(batch.text[i], "|sip:")); /* for somebody, and for some group */
        assert_non_null(strstr(batch.text[i], "|" FIRE));
    }
    return err;
}

static mcx_err op_results(struct lab *l)
{
    return mcx_gmsdb_results(l->db, batch.result, batch.num, l->now_ms);
}

static mcx_err op_tick(struct lab *l)
{
    const struct mcx_gmsdb_period periods[] = {
        { "kms.example.org", l->now_ms, true },
        { "kms.example.com", l->now_ms, false },
    };

    return mcx_gmsdb_tick(l->db, l->now_ms, periods, 2, lab_note, l);
}

static mcx_err op_retry(struct lab *l)
{
    return mcx_gmsdb_retry(l->db);
}

static mcx_err op_delivered(struct lab *l)
{
    char etag[MCX_GMSDB_ETAG_MAX];
    mcx_err err = mcx_gmsdb_document(l->db, NULL, NULL, etag, MCX_GMSDB_GKTP, FIRE, ALICE, false, l->now_ms);

    return err == MCX_OK ? mcx_gmsdb_delivered(l->db, MCX_GMSDB_GKTP, FIRE, ALICE, etag, l->now_ms) : err;
}

/* What is read is whole, or there is an error: here is its hash. */
static uint64_t hash_read;

static uint64_t hash(uint64_t h, const char *text)
{
    for (; *text != '\0'; text++) {
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return (h ^ 0x100) * UINT64_C(1099511628211);
}

static mcx_err op_document(struct lab *l)
{
    static const enum mcx_gmsdb_document which[] = { MCX_GMSDB_GROUP, MCX_GMSDB_GKTP };
    char etag[MCX_GMSDB_ETAG_MAX];

    hash_read = 0;
    for (size_t i = 0; i < 2; i++) {
        char *xml = NULL;
        size_t len = 0;

        MCX_TRY(mcx_gmsdb_document(l->db, &xml, &len, etag, which[i], FIRE, ALICE, false, l->now_ms));
        hash_read = hash(hash(hash_read, xml), etag);
        free(xml);
    }
    return MCX_OK;
}

static void see_group(void *arg, const struct mcx_gmsdb_group *g)
{
    (void)arg;
    hash_read = hash(hash(hash_read, g->head.uri), g->head.display_name);
}

static void see_member(void *arg, const struct mcx_group_member *m)
{
    (void)arg;
    hash_read = hash(hash(hash_read, m->mcptt_id), m->display_name);
}

static void see_key(void *arg, const struct mcx_gmsdb_key *k)
{
    (void)arg;
    hash_read = hash(hash(hash_read, k->state), k->cause);
}

static void see_lack(void *arg, const struct mcx_gmsdb_lack *k)
{
    (void)arg;
    hash_read = hash(hash(hash_read, k->member), k->reason);
}

static void see_progress(void *arg, const struct mcx_gmsdb_progress *p)
{
    (void)arg;
    hash_read = hash(hash(hash_read, p->kind), p->group);
}

static void see_audit(void *arg, const struct mcx_gmsdb_audit *a)
{
    (void)arg;
    hash_read = hash(hash(hash(hash_read, a->who), a->event), a->subject);
}

static mcx_err op_views(struct lab *l)
{
    hash_read = 0;
    MCX_TRY(mcx_gmsdb_groups(l->db, NULL, see_group, NULL));
    MCX_TRY(mcx_gmsdb_group_members(l->db, FIRE, see_member, NULL));
    MCX_TRY(mcx_gmsdb_keys(l->db, FIRE, see_key, NULL));
    MCX_TRY(mcx_gmsdb_lacking(l->db, FIRE, see_lack, NULL));
    MCX_TRY(mcx_gmsdb_progress(l->db, see_progress, NULL));
    return mcx_gmsdb_audits(l->db, see_audit, NULL);
}

/* What is there before: see prepare(). */
enum before {
    SETTLED,  /* two groups with their keys */
    WAITING,  /* one is being re-keyed: jobs wait */
    MADE,     /* their results are there, not yet stored */
    COMPLETE, /* they are stored, not yet shown */
    SWITCH,   /* shown after a removal, and active by now */
};

static const struct op {
    const char *name;
    enum before before;
    bool draws;
    bool reads;    /* changes nothing: lock and disk do not matter */
    bool in_parts; /* several transactions */
    mcx_err (*run)(struct lab *l);
} ops[] = {
    { "create", SETTLED, true, false, false, op_create },
    { "create, sharing", SETTLED, false, false, false, op_share },
    { "add", SETTLED, false, false, false, op_add },
    { "add while keys are made", WAITING, false, false, false, op_add },
    { "remove", SETTLED, true, false, false, op_remove },
    { "remove while keys are made", WAITING, true, false, false, op_remove },
    { "lost", SETTLED, true, false, false, op_lost },
    { "rekey", SETTLED, true, false, false, op_rekey },
    { "rekey while keys are made", WAITING, true, false, false, op_rekey },
    { "revoke", SETTLED, false, false, false, op_revoke },
    { "regroup", SETTLED, true, false, false, op_regroup },
    { "delete", SETTLED, false, false, false, op_delete },
    { "jobs", WAITING, false, true, false, op_jobs },
    { "results", MADE, false, false, false, op_results },
    { "tick: show, period", COMPLETE, true, false, true, op_tick },
    { "tick: switch, period", SWITCH, true, false, true, op_tick },
    { "retry", WAITING, false, false, false, op_retry },
    { "delivered", SETTLED, false, false, false, op_delivered },
    { "documents", SETTLED, false, true, false, op_document },
    { "views", WAITING, false, true, false, op_views },
};
#define NUM_OPS (sizeof ops / sizeof ops[0])

/* The place */

static const char *const suffix[] = { "", "-wal", "-shm" };

static void open_again(struct lab *l)
{
    lab_open(l);
    assert_int_equal(sqlite3_exec(l->db->sqlite, "PRAGMA synchronous = FULL", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(l->db->sqlite, 0), SQLITE_OK);
}

static void prepare(struct lab *l, enum before before)
{
    fake = (struct fake_rng){ .seed = 1 };
    lab_begin(l);
    l->policy.timing.key_lifetime_s = 86400;
    l->policy.timing.rekey_every_s = 43200;
    mcx_gmsdb_close(l->db);
    open_again(l);
    lab_group(l, FIRE, PEOPLE(ALICE, BOB, DAVE), true, NULL);
    lab_group(l, POLICE, PEOPLE(CAROL, DAVE), false, NULL);
    lab_settle(l);
    l->now_ms += 1000 * (2 * WINDOW);
    lab_settle(l);
    police_key = (uint32_t)strtoul(lab_look(l, POLICE, CAROL).text, NULL, 16);
    if (before == SWITCH) {
        assert_int_equal(op_remove(l), MCX_OK);
        lab_settle(l);
        l->now_ms += 1000 * (URGENT + 3);
    } else if (before != SETTLED) {
        assert_int_equal(op_rekey(l), MCX_OK);
    }
    if (before == MADE || before == COMPLETE) {
        assert_int_equal(op_jobs(l), MCX_OK);
    }
    if (before == COMPLETE) {
        assert_int_equal(op_results(l), MCX_OK);
    }
    mcx_gmsdb_close(l->db);
    l->db = NULL;
}

struct image {
    char *p;
    size_t len;
};

static void image_read(struct image *im, const char *path)
{
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    im->len = (size_t)ftell(f);
    rewind(f);
    im->p = malloc(im->len);
    assert_non_null(im->p);
    assert_int_equal(fread(im->p, 1, im->len, f), im->len);
    assert_int_equal(fclose(f), 0);
}

static void image_write(const struct image *im, const struct lab *l)
{
    FILE *f = NULL;
    char path[80];

    for (size_t i = 1; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", l->path, suffix[i]);
        (void)unlink(path);
    }
    f = fopen(l->path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(im->p, 1, im->len, f), im->len);
    assert_int_equal(fclose(f), 0);
}

/* All that is in the database. */
static uint64_t content(struct lab *l)
{
    static const char *const tables[] = { "gms",   "grp", "constituent", "member",   "gkey", "gkey_group",
                                          "round", "job", "payload",     "delivery", "audit" };
    uint64_t h = 0;

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        sqlite3_stmt *s = NULL;
        char sql[64];

        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY 1, 2", tables[i]);
        assert_int_equal(sqlite3_prepare_v2(l->db->sqlite, sql, -1, &s, NULL), SQLITE_OK);
        while (sqlite3_step(s) == SQLITE_ROW) {
            for (int c = 0; c < sqlite3_column_count(s); c++) {
                const char *v = (const char *)sqlite3_column_text(s, c);

                h = hash(h, v == NULL ? "" : v);
            }
        }
        assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    }
    return h;
}

static uint64_t count(struct lab *l, const char *sql)
{
    sqlite3_stmt *s = NULL;
    uint64_t n = 0;

    assert_int_equal(sqlite3_prepare_v2(l->db->sqlite, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    n = (uint64_t)sqlite3_column_int64(s, 0);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    return n;
}

/* No key is half made: each has its groups, and while it is made, its round with a job for every member. */
static void keys_are_whole(struct lab *l)
{
    assert_int_equal(count(l, "SELECT count(*) FROM gkey k WHERE state < 2 AND NOT EXISTS "
                              "(SELECT 1 FROM gkey_group kg WHERE kg.gkey = k.id)"),
                     0);
    assert_int_equal(count(l, "SELECT count(*) FROM gkey k WHERE state = 0 AND 1 <> "
                              "(SELECT count(*) FROM round r WHERE r.gkey = k.id AND r.kind = 0 AND r.state = 0)"),
                     0);
    assert_int_equal(count(l, "SELECT count(*) FROM gkey k JOIN gkey_group kg ON kg.gkey = k.id JOIN member m "
                              "ON m.grp = kg.grp JOIN round r ON r.gkey = k.id WHERE k.state = 0 AND NOT EXISTS "
                              "(SELECT 1 FROM job j WHERE j.round = r.id AND j.member = m.uri)"),
                     0);
    assert_int_equal(count(l, "SELECT count(*) FROM job j WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM payload p "
                              "WHERE p.round = j.round AND p.member = j.member)"),
                     0);
    assert_int_equal(count(l, "SELECT count(*) FROM payload p WHERE NOT EXISTS (SELECT 1 FROM gkey_group kg "
                              "JOIN member m ON m.grp = kg.grp WHERE kg.gkey = p.gkey AND m.uri = p.member) "
                              "AND p.member <> '" LAB_SERVER "'"),
                     0);
}

/* "0abcdef0|kk..|rr..": whoever holds a key of this identifier holds this one. */
static void same_keys(struct lab *l)
{
    static const char *const groups[] = { FIRE, POLICE, NEWS, BOTH };
    static const char *const users[] = { ALICE, BOB, CAROL, DAVE, ERIN };
    static char known[64][19];
    char etag[MCX_GMSDB_ETAG_MAX];
    size_t num = 0;

    for (size_t i = 0; i < 4; i++) {
        for (size_t u = 0; u < 5; u++) {
            struct lab_seen s;

            if (mcx_gmsdb_document(l->db, NULL, NULL, etag, MCX_GMSDB_GKTP, groups[i], users[u], false, l->now_ms) !=
                MCX_OK) {
                continue;
            }
            s = lab_look(l, groups[i], users[u]);
            assert_true(s.num > 0);
            for (char *line = strtok(s.text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
                const char *bar = strchr(line, '|');
                bool there = false;

                assert_true(bar != NULL && bar - line >= 8);
                for (size_t k = 0; k < num; k++) {
                    if (memcmp(known[k], bar - 8, 8) == 0) {
                        assert_memory_equal(known[k], bar - 8, 18);
                        there = true;
                    }
                }
                if (!there) {
                    assert_true(num < 64);
                    memcpy(known[num++], bar - 8, 18);
                }
            }
        }
    }
    assert_true(num >= 2);
}

/* After the trouble: it works, and everybody gets the same. */
static void afterwards(struct lab *l, const struct op *op)
{
    const uint64_t now_ms = l->now_ms;

    if (op->before == MADE) {
        (void)op_results(l); /* they are offered again */
    }
    lab_settle(l);
    l->now_ms += 1000 * (2 * WINDOW + 10);
    lab_settle(l);
    keys_are_whole(l);
    same_keys(l);
    l->now_ms = now_ms;
}

enum trouble { ALLOC, WRITE, DRAW };

static size_t *const counts[] = { &num_allocs, &num_writes, &fake.num_calls };

static void arm(enum trouble what, size_t n)
{
    num_allocs = num_writes = fake.num_calls = 0;
    fail_at = what == ALLOC ? n : 0;
    fail_write = what == WRITE ? n : 0;
    fake.fail_at = what == DRAW ? n : 0;
}

/* One try with the n-th failing; returns what came of it, and whether so many were reached. */
static mcx_err one_try(struct lab *l, const struct op *op, enum trouble what, size_t n, bool *reached)
{
    const uint64_t before = content(l);
    mcx_err err = MCX_OK;

    hash_read = 0;
    arm(what, n);
    err = op->run(l);
    *reached = *counts[what] >= n;
    arm(what, 0);
    ERR_clear_error();
    assert_int_not_equal(sqlite3_get_autocommit(l->db->sqlite), 0); /* no transaction is left open */
    if (err != MCX_OK && !op->in_parts && content(l) != before) {
        fail_msg("%s: %s at %zu, but something has changed", op->name, mcx_err_name(err), n);
    }
    if (op->in_parts || n % 8 == 1) {
        keys_are_whole(l);
    }
    return err;
}

static void expect_error(const struct op *op, enum trouble what, size_t n, mcx_err err)
{
    static const mcx_err wanted[] = { MCX_E_NOMEM, MCX_E_IO, MCX_E_RNG };

    if (err != MCX_OK && err != wanted[what] && !(what == ALLOC && err == MCX_E_BUG)) { /* OpenSSL does not say why */
        fail_msg("%s: %s at %zu", op->name, mcx_err_name(err), n);
    }
}

/* A database as it was, with one thing that fails; then the same once more without. */
static bool failing(struct lab *l, const struct image *im, const struct op *op, enum trouble what, size_t n,
                    uint64_t whole, size_t *num_failed)
{
    long live = num_live;
    bool reached = false;
    mcx_err err = MCX_OK;

    image_write(im, l);
    open_again(l);
    err = one_try(l, op, what, n, &reached);
    expect_error(op, what, n, err);
    if (err == MCX_OK && hash_read != whole) {
        fail_msg("%s: no error at %zu, but not all of it", op->name, n);
    }
    if (err != MCX_OK) {
        *num_failed += 1;
        assert_int_equal(op->run(l), MCX_OK);
        assert_true(hash_read == whole);
    }
    if (n % 8 == 1) {
        afterwards(l, op);
    }
    mcx_gmsdb_close(l->db);
    ERR_clear_error();
    if (num_live > live) {
        fail_msg("%s: %s at %zu: %ld pieces are left", op->name, mcx_err_name(err), n, num_live - live);
    }
    return reached;
}

static void every(const struct op *op, enum trouble what, const struct fake_rng *seed)
{
    struct lab l;
    struct image im;
    size_t num_failed = 0;
    size_t n = 1;
    uint64_t whole = 0;
    bool reached = true;

    prepare(&l, op->before);
    image_read(&im, l.path);
    fake = *seed;
    l.policy.rng = fake_rng(&fake);
    open_again(&l);
    hash_read = 0;
    assert_int_equal(op->run(&l), MCX_OK);
    whole = hash_read;
    afterwards(&l, op); /* and the libraries have what they keep */
    mcx_gmsdb_close(l.db);
    for (; reached && n < 2000; n += n < 24 ? 1 : 5) {
        reached = failing(&l, &im, op, what, n, whole, &num_failed);
    }
    assert_false(reached);
    if (n > 6 && num_failed == 0) {
        fail_msg("%s: nothing has failed", op->name);
    }
    image_write(&im, &l);
    open_again(&l);
    lab_end(&l);
    free(im.p);
}

static const struct fake_rng seeded = { .seed = 5 };

static void every_allocation(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_OPS; i++) {
        every(&ops[i], ALLOC, &seeded);
    }
}

static void every_write(void **state)
{
    static const int codes[] = { SQLITE_FULL, SQLITE_IOERR_WRITE };

    (void)state;
    for (size_t i = 0; i < NUM_OPS; i++) {
        write_code = codes[i % 2];
        if (!ops[i].reads) {
            every(&ops[i], WRITE, &seeded);
        }
    }
}

static void every_draw(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_OPS; i++) {
        if (ops[i].draws) {
            every(&ops[i], DRAW, &seeded);
        }
    }
}

/* Another process writes and does not come to an end: what writes says so, what reads goes on. */
static void locked(void **state)
{
    struct lab l;
    sqlite3 *other = NULL;

    (void)state;
    for (size_t i = 0; i < NUM_OPS; i++) {
        uint64_t before = 0;

        prepare(&l, ops[i].before);
        open_again(&l);
        assert_int_equal(sqlite3_open(l.path, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        before = content(&l);
        assert_int_equal(ops[i].run(&l), ops[i].reads ? MCX_OK : MCX_E_IO);
        if (!ops[i].reads) {
            assert_string_equal(mcx_gmsdb_trouble(l.db), "database is locked");
        }
        assert_true(content(&l) == before);
        assert_int_equal(sqlite3_close(other), SQLITE_OK);
        assert_int_equal(ops[i].run(&l), MCX_OK);
        afterwards(&l, &ops[i]);
        lab_end(&l);
    }
}

/* An operator reads in the log what it was. */
static void trouble_has_a_name(void **state)
{
    struct lab l;

    (void)state;
    prepare(&l, SETTLED);
    open_again(&l);
    assert_null(mcx_gmsdb_trouble(l.db));
    write_code = SQLITE_FULL;
    arm(WRITE, 1);
    assert_int_equal(op_create(&l), MCX_E_IO);
    arm(WRITE, 0);
    assert_string_equal(mcx_gmsdb_trouble(l.db), "database or disk is full");
    assert_int_equal(op_create(&l), MCX_OK);
    assert_null(mcx_gmsdb_trouble(l.db));
    lab_end(&l);
}

/* Opening and making anew: an error, nothing left, and then it works. */
static void opened_and_made(void **state)
{
    struct mcx_gmsdb *db = NULL;
    struct lab l;
    char path[80];
    bool reached = true;

    (void)state;
    prepare(&l, SETTLED);
    for (size_t n = 1; reached; n += n < 24 ? 1 : 5) {
        long live = num_live;
        mcx_err err = MCX_OK;

        arm(ALLOC, n);
        err = mcx_gmsdb_open(&db, l.path, &l.policy);
        reached = num_allocs >= n;
        arm(ALLOC, 0);
        if (err == MCX_OK) {
            mcx_gmsdb_close(db);
        }
        ERR_clear_error();
        if ((err != MCX_OK && err != MCX_E_NOMEM && err != MCX_E_BUG) || num_live > live) {
            fail_msg("open: %s at %zu, %ld pieces left", mcx_err_name(err), n, num_live - live);
        }
    }
    (void)snprintf(path, sizeof path, "%s/new.db", l.dir);
    write_code = SQLITE_FULL;
    reached = true;
    for (size_t n = 1; reached && n < 500; n++) {
        arm(WRITE, n);
        assert_int_equal(mcx_gmsdb_create(path, GMS, lab_seal_key, &l.policy.rng), MCX_E_IO);
        (void)unlink(path);
        reached = n < 8;
    }
    arm(WRITE, 0);
    open_again(&l);
    lab_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation), cmocka_unit_test(every_write),        cmocka_unit_test(every_draw),
        cmocka_unit_test(locked),           cmocka_unit_test(trouble_has_a_name), cmocka_unit_test(opened_and_made),

    };

    failing_sqlite();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
