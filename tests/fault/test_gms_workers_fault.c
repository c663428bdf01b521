/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that make payloads, while the n-th allocation fails, in the parent at the start or in the worker; while
 * one is killed with jobs in hand, has no key store, or cannot be started: every job comes back as a payload, as a
 * failure that may pass, or as lost; nothing leaks, no process stays.
 */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/gms_workers.h"
#include "io/store_file.h"
#include "support/failing_malloc.h"
#include "support/phones.h"

static char dir[] = "/tmp/workers.XXXXXX";
static char store[64], store_key[64], away[64];
static char events[1024]; /* of the parent's log */

static void note_event(void *ctx, const struct mcx_log_record *rec)
{
    size_t len = strlen(events);

    (void)ctx;
    (void)snprintf(events + len, sizeof events - len, "%s;", rec->event);
}

static struct mcx_gms_workers_config config(size_t num)
{
    return (struct mcx_gms_workers_config){
        .num = num, .store = store, .store_key = store_key, .log = { note_event, NULL }
    };
}

static int make_store(void **state)
{
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_kms_cert cert = ring_cert_own();
    struct mcx_kms_key_set set = ring_set_own(4);
    char domain[] = "mcx.example.net";
    char *domains[] = { domain };
    struct mcx_store_home home = { .kms_uri = cert.kms_uri };
    struct mcx_refusal why = { 0 };
    struct mcx_store *s = NULL;
    FILE *f = NULL;

    (void)state;
    (void)umask(077);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(store, sizeof store, "%s/store", dir);
    (void)snprintf(store_key, sizeof store_key, "%s/key", dir);
    (void)snprintf(away, sizeof away, "%s/away", dir);
    f = fopen(store_key, "w");
    assert_non_null(f);
    assert_int_equal(fprintf(f, "%064d\n", 7), 65);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(mcx_store_new(&s), MCX_OK);
    cert.domains = domains;
    cert.num_domains = 1;
    assert_int_equal(mcx_store_put_cert(s, &cert), MCX_OK);
    cert.domains = NULL;
    cert.num_domains = 0;
    assert_int_equal(mcx_store_put_key_set(s, &set), MCX_OK);
    assert_int_equal(mcx_store_put_home(s, &home), MCX_OK);
    assert_int_equal(mcx_store_file_write(store, store_key, s, &rng, &why), MCX_OK);
    mcx_store_free(s);
    ring_cert_clear(&cert);
    ring_set_clear(&set);
    return 0;
}

static int drop_store(void **state)
{
    (void)state;
    (void)unlink(store);
    (void)unlink(store_key);
    return rmdir(dir);
}

/* Job number `id`, for a member of the domain of the key store. */
static struct mcx_gms_job job_of(uint64_t id)
{
    struct mcx_gms_job job = { .id = id,
                               .key = { .type = MCX_KEY_GMK, .key_id = 77 },
                               .t_ms = (RING_OWN_TIME - MCX_NTP_UNIX_OFFSET) * 1000,
                               .status = 1,
                               .gms = GMS_ID,
                               .member = ALICE_ID,
                               .num_groups = 1,
                               .group = { "sip:fire@mcx.example.net" } };

    memset(job.key.key.octet, 1, sizeof job.key.key.octet);
    return job;
}

struct back {
    unsigned made; /* a bit for each id */
    unsigned num, num_failed;
    mcx_err err; /* of the last one */
};

static void take(void *arg, const struct mcx_gms_result *r)
{
    struct back *b = arg;

    b->num++;
    b->err = r->err;
    b->made |= r->err == MCX_OK ? 1u << r->id : 0;
    b->num_failed += r->err != MCX_OK;
    assert_true(r->err != MCX_OK || r->message.len > 100);
}

static void no_process_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* One worker, one job, the n-th allocation failing in the parent until it has started, and from then on in the worker.
 */
static bool one_run(size_t n, struct back *b, bool *started)
{
    const struct mcx_gms_workers_config c = config(1);
    const struct mcx_gms_job job = job_of(1);
    struct mcx_gms_workers *w = NULL;
    size_t lost = 0;
    mcx_err err = MCX_OK;

    *b = (struct back){ .num = 0 };
    events[0] = '\0';
    num_allocs = 0;
    fail_at = n;
    err = mcx_gms_workers_new(&w, &c);
    fail_at = 0;
    *started = err == MCX_OK;
    if (err != MCX_OK) {
        assert_int_equal(err, MCX_E_NOMEM);
        assert_null(w);
        return false;
    }
    err = mcx_gms_workers_give(w, &job);
    assert_true(err == MCX_OK || err == MCX_E_IO); /* the worker has just ended */
    for (int i = 0; i < 600 && b->num + lost == 0 && strstr(events, "ended") == NULL; i++) {
        lost += mcx_gms_workers_wait(w, 100, 1, take, b);
    }
    assert_int_equal(b->num + lost, err == MCX_OK ? 1 : 0);
    assert_int_equal(mcx_gms_workers_busy(w), 0);
    mcx_gms_workers_free(w);
    return b->num == 1 && b->err == MCX_OK;
}

/* The failures that end a worker come first; of the many that OpenSSL survives, and of those in a payload, every 7th.
 */
#define DENSE      200
#define STRIDE     7
#define CLEAN_RUNS 100 /* in a row: beyond the last allocation */

static void every_allocation(void **state)
{
    struct back b;
    bool started = false;
    unsigned clean = 0, at_start = 0, ended = 0, failed = 0;
    long before = 0;

    (void)state;
    assert_true(one_run(0, &b, &started)); /* the libraries have now loaded what they keep */
    before = num_live;
    for (size_t n = 1; clean < CLEAN_RUNS; n += n < DENSE ? 1 : STRIDE) {
        bool good = one_run(n, &b, &started);

        clean = good && n >= DENSE ? clean + 1 : 0;
        at_start += !started;
        ended += started && b.num == 0;
        failed += b.num_failed;
        if (b.num_failed > 0 && b.err != MCX_E_NOMEM && b.err != MCX_E_RNG && b.err != MCX_E_BUG) {
            fail_msg("allocation %zu of the worker: %s, for which nobody tries again", n, mcx_err_name(b.err));
        }
        if (num_live != before) {
            fail_msg("allocation %zu: %ld pieces left", n, num_live - before);
        }
        no_process_is_left();
    }
    print_message("%u starts refused, %u workers ended, %u payloads failed\n", at_start, ended, failed);
#ifndef SANITIZED
    assert_true(at_start > 0 && ended > 0 && failed > 0);
#endif
}

/* Children of this process. */
static size_t children(pid_t out[MCX_GMS_WORKERS_MAX])
{
    char path[64];
    size_t num = 0;
    FILE *f = NULL;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    f = fopen(path, "r");
    assert_non_null(f);
    while (num < MCX_GMS_WORKERS_MAX && fscanf(f, "%d", &out[num]) == 1) {
        num++;
    }
    (void)fclose(f);
    return num;
}

static void give_all(struct mcx_gms_workers *w, uint64_t first, uint64_t last)
{
    for (uint64_t id = first; id <= last; id++) {
        const struct mcx_gms_job job = job_of(id);

        assert_int_equal(mcx_gms_workers_give(w, &job), MCX_OK);
    }
}

/* Until so many jobs have come back, or are lost. */
static size_t await(struct mcx_gms_workers *w, struct back *b, size_t num)
{
    size_t lost = 0;

    for (int i = 0; i < 1200 && b->num + lost < num; i++) {
        lost += mcx_gms_workers_wait(w, 100, 8, take, b);
    }
    assert_int_equal(b->num + lost, num);
    return lost;
}

/* Until one can take work again. */
static void await_room(struct mcx_gms_workers *w, size_t room)
{
    struct back none = { .num = 0 };

    for (int i = 0; i < 1200 && mcx_gms_workers_room(w) < room; i++) {
        assert_int_equal(mcx_gms_workers_wait(w, 100, 8, take, &none), 0);
    }
    assert_int_equal(mcx_gms_workers_room(w), room);
    assert_int_equal(none.num, 0);
}

static void killed_with_jobs(void **state)
{
    const struct mcx_gms_workers_config c = config(2);
    struct mcx_gms_workers *w = NULL;
    struct mcx_gms_job job = job_of(9);
    struct back b = { .num = 0 };
    pid_t pid[MCX_GMS_WORKERS_MAX];
    pid_t now[MCX_GMS_WORKERS_MAX];

    (void)state;
    events[0] = '\0';
    assert_int_equal(mcx_gms_workers_new(&w, &c), MCX_OK);
    assert_int_equal(children(pid), 2);
    assert_int_equal(kill(pid[0], SIGSTOP), 0); /* so it has all of its jobs when it dies */
    give_all(w, 1, 2 * MCX_GMS_WORKERS_DEPTH);
    assert_int_equal(mcx_gms_workers_room(w), 0);
    assert_int_equal(mcx_gms_workers_give(w, &job), MCX_E_SPACE);
    assert_int_equal(kill(pid[0], SIGKILL), 0);
    assert_int_equal(await(w, &b, 2 * MCX_GMS_WORKERS_DEPTH), MCX_GMS_WORKERS_DEPTH);
    assert_string_equal(events, "a worker has ended;");
    assert_int_equal(b.num_failed, 0);
    await_room(w, 2 * MCX_GMS_WORKERS_DEPTH); /* another in its place */
    assert_int_equal(children(now), 2);
    assert_true(now[0] != pid[0] && now[1] != pid[0]);
    for (uint64_t id = 1; id <= 2 * MCX_GMS_WORKERS_DEPTH; id++) { /* as whoever keeps the queue does */
        if ((b.made & 1u << id) == 0) {
            give_all(w, id, id);
        }
    }
    assert_int_equal(await(w, &b, 2 * MCX_GMS_WORKERS_DEPTH), 0);
    assert_int_equal(b.made, 0x1fe);
    mcx_gms_workers_free(w);
    no_process_is_left();
}

static void without_a_store(void **state)
{
    const struct mcx_gms_workers_config c = config(1);
    struct mcx_gms_workers *w = NULL;
    struct back b = { .num = 0 };

    (void)state;
    events[0] = '\0';
    assert_int_equal(rename(store, away), 0);
    assert_int_equal(mcx_gms_workers_new(&w, &c), MCX_OK);
    for (int i = 0; i < 600 && strstr(events, "a worker has ended;") == NULL; i++) {
        assert_int_equal(mcx_gms_workers_wait(w, 100, 8, take, &b), 0);
    }
    assert_non_null(strstr(events, "a worker has ended;"));
    assert_int_equal(rename(away, store), 0);
    await_room(w, MCX_GMS_WORKERS_DEPTH);
    give_all(w, 1, 1);
    if (await(w, &b, 1) == 1) { /* to one that had started without it */
        await_room(w, MCX_GMS_WORKERS_DEPTH);
        give_all(w, 1, 1);
        assert_int_equal(await(w, &b, 1), 0);
    }
    assert_int_equal(b.made, 2);
    mcx_gms_workers_free(w);
    no_process_is_left();
}

/* No descriptor is left for a socket. */
static struct rlimit take_descriptors(void)
{
    struct rlimit was;
    struct rlimit none;
    int next = dup(0);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    assert_true(next > 0);
    assert_int_equal(close(next), 0);
    none = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = was.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    return was;
}

static void without_descriptors(void **state)
{
    const struct mcx_gms_workers_config c = config(2);
    struct mcx_gms_workers *w = NULL;
    struct back b = { .num = 0 };
    struct rlimit was = take_descriptors();
    pid_t pid[MCX_GMS_WORKERS_MAX];
    long before = num_live;

    (void)state;
    events[0] = '\0';
    assert_int_equal(mcx_gms_workers_new(&w, &c), MCX_E_IO);
    assert_null(w);
    no_process_is_left();
    assert_int_equal(num_live, before);
    /* and when one that has died is to be replaced */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(
        mcx_gms_workers_new(
            &w, &(struct mcx_gms_workers_config){ .num = 1, .store = store, .store_key = store_key, .log = c.log }),
        MCX_OK);
    assert_int_equal(children(pid), 1);
    assert_int_equal(kill(pid[0], SIGKILL), 0);
    for (int i = 0; i < 600 && strstr(events, "ended") == NULL; i++) {
        assert_int_equal(mcx_gms_workers_wait(w, 100, 8, take, &b), 0);
    }
    was = take_descriptors();
    for (int i = 0; i < 600 && strstr(events, "no process for a worker;") == NULL; i++) {
        assert_int_equal(mcx_gms_workers_wait(w, 100, 8, take, &b), 0);
    }
    assert_non_null(strstr(events, "no process for a worker;"));
    assert_int_equal(mcx_gms_workers_room(w), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    await_room(w, MCX_GMS_WORKERS_DEPTH);
    give_all(w, 1, 1);
    assert_int_equal(await(w, &b, 1), 0);
    assert_int_equal(b.made, 2);
    mcx_gms_workers_free(w);
    no_process_is_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_with_jobs),
        cmocka_unit_test(without_a_store),
        cmocka_unit_test(without_descriptors),
        cmocka_unit_test(every_allocation),
    };

    return cmocka_run_group_tests(tests, make_store, drop_store);
}
