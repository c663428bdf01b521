/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE 1 /* close_range */
#include "io/gms_workers.h"

#include "io/store_file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTART_MS 1000 /* a worker that ends at once is not started anew all the time */
#define STOP_MS    1000 /* a worker that does not end by then is killed */
#define WORKER_FD  3    /* the one descriptor that a worker keeps besides the standard ones */

struct worker {
    pid_t pid;
    int fd;
    size_t in_hand;
    bool old; /* made before the key store changed */
    uint64_t started_ms;
    uint64_t since_ms; /* with work in hand: start of it, or the last result */
};

struct mcx_gms_workers {
    struct mcx_gms_workers_config config;
    size_t num;
    struct worker worker[MCX_GMS_WORKERS_MAX];
    uint8_t buf[MCX_GMS_RESULT_MAX];
    uint8_t *job; /* locked: jobs hold keys */
};

/* The worker's side */

/* What a worker works with; jobs and the octets of one lie in locked memory. */
struct bench {
    uint8_t in[MCX_GMS_JOB_MAX];
    struct mcx_gms_job job;
    struct mcx_gms_job_strings strings;
};

static mcx_err load(struct mcx_keyring **ring, const struct mcx_gms_workers_config *c, struct mcx_refusal *why)
{
    struct mcx_store *store = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_store_file_read(&store, c->store, c->store_key, c->min_serial, why));
    MCX_GO(err, mcx_keyring_new(ring, MCX_SAKKE_TABLES_DEFAULT));
    MCX_GO(err, mcx_store_load(*ring, store, why));
out:
    mcx_store_free(store);
    return err;
}

static mcx_err work_one(struct bench *b, size_t len, const struct mcx_keyring *ring, const struct mcx_rng *rng)
{
    static uint8_t message[MCX_IMESSAGE_MAX];
    static uint8_t out[MCX_GMS_RESULT_MAX];
    struct mcx_gms_result result;
    struct mcx_wr wr = mcx_wr(out, sizeof out);

    MCX_TRY(mcx_gms_job_read(&b->job, &b->strings, mcx_bytes(b->in, len)));
    mcx_gms_payload_make(&result, message, sizeof message, &b->job, ring, rng);
    mcx_wipe(b, sizeof *b);
    MCX_TRY(mcx_gms_result_write(&wr, &result));
    return send(WORKER_FD, out, wr.len, MSG_NOSIGNAL) == (ssize_t)wr.len ? MCX_OK : MCX_E_IO;
}

static int work(const struct mcx_gms_workers_config *c)
{
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_refusal why = { 0 };
    struct mcx_keyring *ring = NULL;
    struct bench *b = mcx_secret_alloc(sizeof *b);
    mcx_err err = b == NULL ? MCX_E_NOMEM : load(&ring, c, &why);

    if (err != MCX_OK) {
        struct mcx_log_record rec = {
            .level = MCX_LOG_ERROR, .subsystem = "gms", .event = "the key store cannot be used", .err = err, .why = why
        };

        mcx_log(&c->log, &rec);
    }
    while (err == MCX_OK) {
        ssize_t n = recv(WORKER_FD, b->in, sizeof b->in, 0);

        if (n <= 0) {
            if (n < 0 && errno == EINTR) {
                continue;
            }
            break; /* the parent has closed */
        }
        err = work_one(b, (size_t)n, ring, &rng);
    }
    mcx_secret_free(b);
    mcx_keyring_free(ring);
    return err == MCX_OK ? 0 : 1;
}

static void child(const struct mcx_gms_workers_config *c, int fd, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(1);
    }
    (void)signal(SIGTERM, SIG_IGN); /* the parent ends its workers when they have finished */
    (void)signal(SIGINT, SIG_IGN);
    if (fd != WORKER_FD && dup2(fd, WORKER_FD) < 0) {
        _exit(1);
    }
    if (close_range(WORKER_FD + 1, ~0u, 0) != 0) {
        _exit(1);
    }
    _exit(work(c));
}

/* The parent's side */

static mcx_err worker_start(struct mcx_gms_workers *w, struct worker *it)
{
    const pid_t self = getpid();
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0) {
        return MCX_E_IO;
    }
    *it = (struct worker){ .fd = fd[0], .pid = fork(), .started_ms = mcx_clock_mono_ms() };
    if (it->pid == 0) {
        child(&w->config, fd[1], self);
    }
    (void)close(fd[1]);
    if (it->pid < 0) {
        (void)close(fd[0]);
        it->fd = -1;
        return MCX_E_IO;
    }
    return MCX_OK;
}

/* It ends by itself when its socket is closed, and wipes what it has; one that hangs is not waited for. */
static void worker_stop(struct worker *it, uint64_t patience_ms)
{
    const uint64_t until = mcx_clock_mono_ms() + patience_ms;

    if (it->fd >= 0) {
        (void)close(it->fd);
    }
    while (it->pid > 0 && waitpid(it->pid, NULL, WNOHANG) == 0) {
        if (mcx_clock_mono_ms() >= until) {
            (void)kill(it->pid, SIGKILL);
            while (waitpid(it->pid, NULL, 0) < 0 && errno == EINTR) {
            }
            break;
        }
        (void)poll(NULL, 0, 5);
    }
    *it = (struct worker){ .fd = -1, .started_ms = it->started_ms };
}

mcx_err mcx_gms_workers_new(struct mcx_gms_workers **out, const struct mcx_gms_workers_config *config)
{
    struct mcx_gms_workers *w = calloc(1, sizeof *w);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    mcx_err err = w == NULL ? MCX_E_NOMEM : MCX_OK;

    MCX_GO(err, err);
    w->config = *config;
    w->job = mcx_secret_alloc(MCX_GMS_JOB_MAX);
    err = w->job == NULL ? MCX_E_NOMEM : MCX_OK;
    MCX_GO(err, err);
    w->num = config->num != 0 ? config->num : processors > 0 ? (size_t)processors : 1;
    w->num = w->num > MCX_GMS_WORKERS_MAX ? MCX_GMS_WORKERS_MAX : w->num;
    for (size_t i = 0; i < w->num; i++) {
        w->worker[i].fd = -1;
    }
    for (size_t i = 0; i < w->num; i++) {
        MCX_GO(err, worker_start(w, &w->worker[i]));
    }
    *out = w;
    w = NULL;
out:
    mcx_gms_workers_free(w);
    return err;
}

void mcx_gms_workers_free(struct mcx_gms_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    for (size_t i = 0; i < workers->num; i++) {
        worker_stop(&workers->worker[i], STOP_MS);
    }
    mcx_secret_free(workers->job);
    free(workers);
}

/* Should that fail, the next wait tries again. */
static void replace(struct mcx_gms_workers *w, struct worker *it)
{
    worker_stop(it, STOP_MS);
    if (worker_start(w, it) != MCX_OK) {
        struct mcx_log_record rec = { .level = MCX_LOG_ERROR, .subsystem = "gms", .event = "no process for a worker" };

        mcx_log(&w->config.log, &rec);
    }
}

void mcx_gms_workers_renew(struct mcx_gms_workers *workers, uint64_t min_serial)
{
    workers->config.min_serial = min_serial;
    for (size_t i = 0; i < workers->num; i++) {
        workers->worker[i].old = true;
        if (workers->worker[i].in_hand == 0) {
            replace(workers, &workers->worker[i]);
        }
    }
}

static bool takes(const struct worker *it)
{
    return it->fd >= 0 && !it->old && it->in_hand < MCX_GMS_WORKERS_DEPTH;
}

size_t mcx_gms_workers_room(const struct mcx_gms_workers *workers)
{
    size_t room = 0;

    for (size_t i = 0; i < workers->num; i++) {
        room += takes(&workers->worker[i]) ? MCX_GMS_WORKERS_DEPTH - workers->worker[i].in_hand : 0;
    }
    return room;
}

size_t mcx_gms_workers_busy(const struct mcx_gms_workers *workers)
{
    size_t busy = 0;

    for (size_t i = 0; i < workers->num; i++) {
        busy += workers->worker[i].in_hand;
    }
    return busy;
}

mcx_err mcx_gms_workers_give(struct mcx_gms_workers *workers, const struct mcx_gms_job *job)
{
    struct mcx_wr wr = mcx_wr(workers->job, MCX_GMS_JOB_MAX);
    struct worker *best = NULL;
    ssize_t n = 0;
    mcx_err err = MCX_OK;

    for (size_t i = 0; i < workers->num; i++) {
        struct worker *it = &workers->worker[i];

        if (takes(it) && (best == NULL || it->in_hand < best->in_hand)) {
            best = it;
        }
    }
    if (best == NULL) {
        return MCX_E_SPACE;
    }
    err = mcx_gms_job_write(&wr, job);
    if (err == MCX_OK) {
        n = send(best->fd, wr.p, wr.len, MSG_NOSIGNAL);
    }
    mcx_wipe(workers->job, MCX_GMS_JOB_MAX);
    MCX_TRY(err);
    if (n < 0) {
        return MCX_E_IO;
    }
    best->since_ms = best->in_hand == 0 ? mcx_clock_mono_ms() : best->since_ms;
    best->in_hand++;
    return MCX_OK;
}

static size_t lose(struct mcx_gms_workers *w, struct worker *it, const char *event)
{
    size_t lost = it->in_hand;
    struct mcx_log_record rec = { .level = MCX_LOG_WARN, .subsystem = "gms", .event = event };

    mcx_log(&w->config.log, &rec);
    worker_stop(it, 0); /* the next wait replaces it */
    return lost;
}

/* One record of one worker. Returns the number of jobs lost. */
static size_t take(struct mcx_gms_workers *w, struct worker *it,
                   void (*each)(void *arg, const struct mcx_gms_result *result), void *arg)
{
    struct mcx_gms_result result;
    ssize_t n = recv(it->fd, w->buf, sizeof w->buf, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (n <= 0 || mcx_gms_result_read(&result, mcx_bytes(w->buf, (size_t)n)) != MCX_OK) {
        return lose(w, it, "a worker has ended");
    }
    it->in_hand -= it->in_hand > 0 ? 1 : 0;
    it->since_ms = mcx_clock_mono_ms();
    each(arg, &result);
    if (it->old && it->in_hand == 0) {
        replace(w, it);
    }
    return 0;
}

size_t mcx_gms_workers_wait(struct mcx_gms_workers *workers, int timeout_ms, size_t max,
                            void (*each)(void *arg, const struct mcx_gms_result *result), void *arg)
{
    struct pollfd fds[MCX_GMS_WORKERS_MAX];
    size_t lost = 0;
    size_t taken = 0;

    for (size_t i = 0; i < workers->num; i++) {
        struct worker *it = &workers->worker[i];

        if (it->fd < 0 && mcx_clock_mono_ms() >= it->started_ms + RESTART_MS) {
            replace(workers, it);
        }
        if (it->in_hand > 0 && mcx_clock_mono_ms() >= it->since_ms + MCX_GMS_WORKERS_HANG_MS) {
            lost += lose(workers, it, "a worker hangs: it is killed");
        }
        fds[i] = (struct pollfd){ .fd = it->fd, .events = POLLIN };
    }
    if (poll(fds, workers->num, timeout_ms) <= 0) {
        return lost;
    }
    for (size_t i = 0; i < workers->num && taken < max; i++) {
        if (fds[i].revents != 0) {
            lost += take(workers, &workers->worker[i], each, arg);
            taken++;
        }
    }
    return lost;
}
