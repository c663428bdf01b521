/* SPDX-License-Identifier: Apache-2.0 */
/* The process that keeps the queue: hands jobs to workers, puts results away, does what is due. */
#define _DEFAULT_SOURCE 1 /* sigaction */
#include "mcx-gmsd/gmsd.h"

#include "gms/pace.h"
#include "io/gms_workers.h"
#include "io/store_file.h"

#include <mcx/store.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BATCH       64  /* results of one transaction; with MCX_GMS_WORKERS_DEPTH the bound of this process's memory */
#define FLUSH_MS    50  /* a result waits no longer */
#define IDLE_MS     100 /* between two looks for work */
#define DRAIN_MS    5000
#define MAX_PERIODS 64

static volatile sig_atomic_t stop;
static volatile sig_atomic_t renew;

static void on_stop(int signal)
{
    (void)signal;
    stop = 1;
}

static void on_renew(int signal)
{
    (void)signal;
    renew = 1;
}

/* A result that waits for the next transaction. */
struct kept {
    struct mcx_gms_result result;
    uint8_t message[MCX_IMESSAGE_MAX];
};

struct queue {
    const struct options *o;
    struct mcx_gmsdb *db;
    struct mcx_gms_workers *workers;
    struct mcx_log log;
    struct mcx_gmsdb_cursor cursor; /* jobs up to here have been given out */
    bool again;                     /* some of them were lost: once all are back, from the beginning */
    struct kept *kept;
    struct mcx_gms_result flat[BATCH];
    size_t num_kept;
    uint64_t kept_since;
    struct mcx_gms_pace pace;
    /* key periods of the KMSs that the store knows */
    struct mcx_store *store;
    struct stat seen;
    struct mcx_gmsdb_period period[MAX_PERIODS];
    size_t num_periods;
    /* how fast it goes: a stretch of work */
    uint64_t stretch_since;
    uint64_t stretch_num;
};

/* Keys and periods */

static void read_periods(struct queue *q, uint64_t now_ms)
{
    const uint64_t now = mcx_ntp_from_unix_ms(now_ms).sec;

    q->num_periods = 0;
    for (size_t i = 0; i < mcx_store_num_certs(q->store) && q->num_periods < MAX_PERIODS; i++) {
        const struct mcx_kms_cert *c = mcx_store_cert(q->store, i);
        uint64_t no = 0;
        uint64_t start = 0;
        uint64_t end = 0;

        if (!c->revoked && mcx_period_no(&no, &c->period, now) == MCX_OK &&
            mcx_period_bounds(&start, &end, &c->period, no) == MCX_OK && start > MCX_NTP_UNIX_OFFSET) {
            q->period[q->num_periods++] = (struct mcx_gmsdb_period){
                .kms_uri = c->kms_uri,
                .start_ms = (start - MCX_NTP_UNIX_OFFSET) * 1000,
                .home = mcx_store_find_home(q->store, c->kms_uri) != NULL,
            };
        }
    }
}

static void log_not_reloaded(const struct queue *q, mcx_err err, const struct mcx_refusal *why)
{
    const struct mcx_log_record rec = {
        .level = MCX_LOG_ERROR,
        .subsystem = "gms",
        .event = err == MCX_E_REPLAY ? "the key store is older than the one in use; going on with what is known"
                                     : "the key store cannot be read; going on with what is known",
        .err = err,
        .why = *why
    };

    mcx_log(&q->log, &rec);
}

/* The key store was replaced: workers read it anew, and what failed may go now. */
static mcx_err reload(struct queue *q)
{
    const struct options *o = q->o;
    struct mcx_refusal why = { 0 };
    struct mcx_store *store = NULL;
    struct stat st;
    mcx_err err = stat(o->store, &st) == 0 ? MCX_OK : MCX_E_IO;

    renew = 0;
    if (err == MCX_OK) {
        err = mcx_store_file_read(&store, o->store, o->store_key, mcx_store_serial(q->store), &why);
    }
    if (err != MCX_OK) {
        log_not_reloaded(q, err, &why);
        return MCX_OK;
    }
    mcx_store_free(q->store);
    q->store = store;
    q->seen = st;
    mcx_gms_workers_renew(q->workers, mcx_store_serial(store));
    log_plain(MCX_LOG_INFO, NULL, "key store read anew");
    return mcx_gmsdb_retry(q->db);
}

static bool store_changed(const struct queue *q)
{
    struct stat st;

    return renew != 0 || (stat(q->o->store, &st) == 0 &&
                          (st.st_ino != q->seen.st_ino || st.st_mtim.tv_sec != q->seen.st_mtim.tv_sec ||
                           st.st_mtim.tv_nsec != q->seen.st_mtim.tv_nsec));
}

/* Log */

/* 7412 -> "7,412" */
static void grouped(char out[32], uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t at = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

static void log_progress(void *arg, const struct mcx_gmsdb_progress *p)
{
    char event[128];
    char done[32];
    char total[32];

    (void)arg;
    if (p->done + p->failed == p->total) {
        return; /* complete, or waits for somebody to mend what failed */
    }
    grouped(done, p->done + p->failed);
    grouped(total, p->total);
    (void)snprintf(event, sizeof event, "%s %08" PRIx32 ": %s of %s, %" PRIu64 " s left", p->kind, p->key_id, done,
                   total, p->left_s);
    log_plain(MCX_LOG_INFO, p->group, event);
}

static void log_news(void *arg, const struct mcx_gmsdb_news *n)
{
    char event[128];

    (void)arg;
    (void)snprintf(event, sizeof event, "%s %08" PRIx32 ": %s, %" PRIu64 " of %" PRIu64 " members",
                   mcx_key_type_name(n->type), n->key_id, n->event, n->done, n->total);
    log_plain(n->done == n->total ? MCX_LOG_INFO : MCX_LOG_WARN, n->group, event);
}

/* Results */

static void keep(void *arg, const struct mcx_gms_result *r)
{
    struct queue *q = arg;
    struct kept *k = &q->kept[q->num_kept++]; /* at most BATCH are asked for */

    k->result = *r;
    memcpy(k->message, r->message.p, r->message.len); /* the reader has bounded it */
    k->result.message.p = k->message;
    q->again = q->again || (r->err != MCX_OK && mcx_gms_result_is_passing(r));
}

static mcx_err flush(struct queue *q, uint64_t now_ms)
{
    if (q->num_kept == 0) {
        return MCX_OK;
    }
    for (size_t i = 0; i < q->num_kept; i++) {
        q->flat[i] = q->kept[i].result;
    }
    MCX_TRY(mcx_gmsdb_results(q->db, q->flat, q->num_kept, now_ms));
    q->stretch_num += q->num_kept;
    q->num_kept = 0;
    mcx_gms_pace_hurry_tick(&q->pace); /* a round may be complete */
    return MCX_OK;
}

#define STRETCH_MIN 32 /* fewer say nothing */

/* The end of a stretch of work: how long a payload took. */
static mcx_err measure(struct queue *q, uint64_t mono_ms)
{
    uint64_t us = 0;

    if (q->stretch_num < STRETCH_MIN) {
        return MCX_OK;
    }
    us = (mono_ms - q->stretch_since) * 1000 / q->stretch_num;
    q->stretch_num = 0;
    q->stretch_since = mono_ms;
    return mcx_gmsdb_set_speed(q->db, us > 0 ? us : 1);
}

/* Work */

static mcx_err give(void *arg, const struct mcx_gms_job *job)
{
    struct queue *q = arg;
    mcx_err err = mcx_gms_workers_give(q->workers, job);

    if (err == MCX_E_IO || err == MCX_E_ARG || err == MCX_E_SPACE) {
        q->again = true; /* the worker has died: somebody else will do it */
        err = MCX_OK;
    }
    return err;
}

static mcx_err hand_out(struct queue *q, uint64_t now_ms, uint64_t mono_ms)
{
    const size_t room = mcx_gms_workers_room(q->workers);
    const bool idle = mcx_gms_workers_busy(q->workers) == 0 && q->num_kept == 0;

    if (idle) {
        q->cursor = (struct mcx_gmsdb_cursor){ { 0 } }; /* whatever waits now, waits to be given out */
        q->again = false;
        MCX_TRY(measure(q, mono_ms));
        q->stretch_since = mono_ms;
        q->stretch_num = 0;
    }
    if (q->again || room == 0 || stop != 0) {
        return MCX_OK;
    }
    return mcx_gmsdb_jobs(q->db, &q->cursor, room, now_ms, give, q);
}

static mcx_err look(struct queue *q, uint64_t now_ms)
{
    if (store_changed(q)) {
        MCX_TRY(reload(q));
    }
    read_periods(q, now_ms);
    mcx_gms_pace_looked(&q->pace);
    return MCX_OK;
}

static mcx_err tick(struct queue *q, uint64_t now_ms)
{
    const size_t num_periods = q->pace.waits ? q->num_periods : 0;
    mcx_err err = mcx_gmsdb_tick(q->db, now_ms, q->period, num_periods, log_news, NULL);

    mcx_gms_pace_ticked(&q->pace, err == MCX_OK);
    return err;
}

static mcx_err due(struct queue *q, uint64_t now_ms, uint64_t mono_ms)
{
    if (mcx_gms_pace_look(&q->pace, mono_ms)) {
        MCX_TRY(look(q, now_ms));
    }
    if (!mcx_gms_pace_tick(&q->pace, mono_ms)) {
        return MCX_OK;
    }
    if (mcx_gms_pace_log(&q->pace, mono_ms)) {
        MCX_TRY(mcx_gmsdb_progress(q->db, log_progress, NULL));
    }
    return tick(q, now_ms);
}

static mcx_err turn(struct queue *q)
{
    const uint64_t now_ms = mcx_clock_unix_ms();
    const uint64_t mono_ms = mcx_clock_mono_ms();
    const bool had_none = q->num_kept == 0;
    size_t lost = 0;

    MCX_TRY(hand_out(q, now_ms, mono_ms));
    lost = mcx_gms_workers_wait(q->workers, mcx_gms_workers_busy(q->workers) > 0 ? FLUSH_MS : IDLE_MS,
                                BATCH - q->num_kept, keep, q);
    q->again = q->again || lost > 0;
    if (had_none) {
        q->kept_since = mono_ms;
    }
    if (q->num_kept == BATCH || mono_ms >= q->kept_since + FLUSH_MS || mcx_gms_workers_busy(q->workers) == 0) {
        MCX_TRY(flush(q, now_ms));
    }
    if (renew != 0) {
        mcx_gms_pace_hurry_look(&q->pace);
    }
    return due(q, now_ms, mono_ms);
}

static void drain(struct queue *q)
{
    const uint64_t until = mcx_clock_mono_ms() + DRAIN_MS;

    while (mcx_gms_workers_busy(q->workers) > 0 && mcx_clock_mono_ms() < until && q->num_kept < BATCH) {
        (void)mcx_gms_workers_wait(q->workers, FLUSH_MS, BATCH - q->num_kept, keep, q);
    }
    if (flush(q, mcx_clock_unix_ms()) != MCX_OK) {
        log_plain(MCX_LOG_ERROR, NULL, "the last payloads were not stored; they will be made again");
    }
}

static void catch_signals(void)
{
    struct sigaction stopping = { .sa_handler = on_stop };
    struct sigaction renewing = { .sa_handler = on_renew };

    (void)sigaction(SIGTERM, &stopping, NULL);
    (void)sigaction(SIGINT, &stopping, NULL);
    (void)sigaction(SIGHUP, &renewing, NULL);
}

/* A failure of the database (a full disk) is told, and tried again: what is committed stays right. */
static void run(struct queue *q)
{
    while (stop == 0) {
        mcx_err err = turn(q);

        if (err != MCX_OK) {
            const struct mcx_log_record rec = { .level = MCX_LOG_ERROR,
                                                .subsystem = "gms",
                                                .event = "the queue stands still for a second",
                                                .err = err,
                                                .why = { mcx_gmsdb_trouble(q->db), NULL } };

            mcx_log(&q->log, &rec);
            (void)mcx_gms_workers_wait(q->workers, 1000, BATCH - q->num_kept, keep, q);
        }
    }
    drain(q);
}

int queue_main(const struct options *o, const uint8_t *seal_key)
{
    struct queue q = { .o = o, .log = gmsd_log() };
    struct mcx_gms_workers_config c = {
        .num = (size_t)o->workers, .store = o->store, .store_key = o->store_key, .log = q.log
    };
    int rc = db_open(&q.db, o, seal_key);

    rc = rc == EXIT_DONE ? store_open(&q.store, o) : rc;
    c.min_serial = rc == EXIT_DONE ? mcx_store_serial(q.store) : 0;
    if (rc == EXIT_DONE && (stat(o->store, &q.seen) != 0 || (q.kept = calloc(BATCH, sizeof *q.kept)) == NULL ||
                            mcx_gms_workers_new(&q.workers, &c) != MCX_OK)) {
        rc = environment_error("no workers", MCX_E_IO);
    }
    if (rc == EXIT_DONE) {
        catch_signals();
        if (mcx_gmsdb_retry(q.db) != MCX_OK) {
            log_plain(MCX_LOG_ERROR, NULL, "what has failed is not tried again");
        }
        run(&q);
    }
    mcx_gms_workers_free(q.workers);
    mcx_store_free(q.store);
    free(q.kept);
    mcx_gmsdb_close(q.db);
    return rc;
}
