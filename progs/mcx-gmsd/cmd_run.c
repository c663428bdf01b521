/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcx-gmsd run: checks, then starts one process for each job and looks after them. This one holds the seal key and does
 * nothing else: no network, no database.
 *
 *   serve   HTTPS: documents for members, administration      (one event loop)
 *   queue   payloads, key periods, activation                 (parent of the workers)
 *   notify  SIP: changes of documents                         (with --sip-listen)
 *   keys    its own keys, from its KMS                        (with --kms-url)
 */
#define _DEFAULT_SOURCE 1 /* sigaction */
#include "mcx-gmsd/gmsd.h"

#include "io/file.h"

#include <mcx/secret.h>
#include <mcx/selftest.h>
#include <mcx/store.h>

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTART_MS 1000 /* a process that ends by itself is not started again sooner */

enum process { SERVE, QUEUE, NOTIFY, KEYS, NUM_PROCESSES };

struct supervisor {
    const struct options *o;
    uint8_t *seal_key;
    char gms[MCX_GMS_URI_MAX];
    pid_t pid[NUM_PROCESSES];
    uint64_t started_ms[NUM_PROCESSES];
    uint16_t port;
    uint16_t sip_port;
    char root[128]; /* XCAP root as notifications name it */
};

/* Checks */

static int check_options(const struct options *o)
{
    if (o->dir == NULL || o->listen == NULL || o->tls_cert == NULL || o->tls_key == NULL || o->jwks == NULL) {
        return usage_error(
            "run wants --dir, --seal-key, --store, --store-key, --listen, --tls-cert, --tls-key, --jwks");
    }
    if ((o->kms_url == NULL) != (o->kms_uri == NULL) || (o->kms_url == NULL) != (o->kms_ca == NULL) ||
        (o->kms_url == NULL) != (o->kms_token == NULL)) {
        return usage_error("--kms-url, --kms-uri, --kms-ca and --kms-token go together");
    }
    if (o->key_lifetime != 0 && o->key_lifetime < 10 * (o->fetch_window + 1)) {
        return usage_error("--key-lifetime is at least ten times --fetch-window");
    }
    if (o->rekey_every != 0 && o->rekey_every <= o->fetch_window) {
        return usage_error("--rekey-every is more than --fetch-window");
    }
    if (mcx_file_is_open_to_all(o->tls_key)) {
        return environment_error(o->tls_key, MCX_E_POLICY);
    }
    return EXIT_DONE;
}

static int holds_keys(bool *held, const struct options *o, const char *gms)
{
    struct mcx_store *store = NULL;
    int rc = EXIT_DONE;

    *held = false;
    if (o->kms_url != NULL && o->store != NULL && access(o->store, F_OK) != 0) {
        return EXIT_DONE; /* not fetched yet */
    }
    rc = store_open(&store, o);
    for (size_t i = 0; rc == EXIT_DONE && i < mcx_store_num_key_sets(store); i++) {
        *held = *held || strcmp(mcx_store_key_set(store, i)->user_uri, gms) == 0;
    }
    mcx_store_free(store);
    return rc;
}

/* The GMS can sign only what its own key set is for. With those of an earlier period it serves what it has meanwhile.
 */
static int check_store(const struct options *o, const char *gms)
{
    bool held = false;
    int rc = holds_keys(&held, o, gms);

    if (rc != EXIT_DONE || held) {
        return rc;
    }
    if (o->kms_url != NULL) {
        return o->check_only ? EXIT_DONE : keys_fill(o, gms);
    }
    fprintf(stderr, "mcx-gmsd: %s holds no key set of %s; 'mcx kms fetch --user %s' fetches one\n", o->store, gms, gms);
    return EXIT_ENVIRONMENT;
}

/* Everything is opened and closed again: the processes open it for themselves. */
static int check(struct supervisor *s)
{
    struct mcx_gmsdb *db = NULL;
    const char *which = NULL;
    int rc = db_open(&db, s->o, s->seal_key);

    if (rc == EXIT_DONE) {
        (void)snprintf(s->gms, sizeof s->gms, "%s", mcx_gmsdb_uri(db));
    }
    mcx_gmsdb_close(db);
    rc = rc == EXIT_DONE ? check_store(s->o, s->gms) : rc;
    if (rc == EXIT_DONE && mcx_crypto_self_test(&which) != MCX_OK) {
        fprintf(stderr, "mcx-gmsd: self-test of %s failed; do not use this build\n", which == NULL ? "?" : which);
        return EXIT_ENVIRONMENT;
    }
    return rc;
}

/* Processes */

static void child_signals(void)
{
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child_main(const struct supervisor *s, enum process what, int port_fd)
{
    child_signals();
    switch (what) {
    case SERVE: return serve_main(s->o, s->seal_key, port_fd);
    case QUEUE: return queue_main(s->o, s->seal_key);
    case NOTIFY: return notify_main(s->o, s->root, s->sip_port, port_fd);
    default: mcx_secret_free(s->seal_key); return keys_main(s->o, s->gms);
    }
}

/* A child never outlives this process: it would go on without anybody who looks after it. */
static int start(struct supervisor *s, enum process what, int port_fd)
{
    const pid_t self = getpid();
    pid_t pid = fork();

    if (pid < 0) {
        return environment_error("no process", MCX_E_IO);
    }
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self) {
            _exit(EXIT_ENVIRONMENT);
        }
        exit(child_main(s, what, port_fd));
    }
    s->pid[what] = pid;
    s->started_ms[what] = mcx_clock_mono_ms();
    return EXIT_DONE;
}

/* A process that listens: its port, or its exit code when it could not start. */
static int start_listening(struct supervisor *s, enum process what, uint16_t *out)
{
    uint8_t port[2] = { 0, 0 };
    int status = 0;
    int fd[2];
    int rc = EXIT_DONE;
    ssize_t n = 0;

    if (pipe(fd) != 0) {
        return environment_error("no pipe", MCX_E_IO);
    }
    rc = start(s, what, fd[1]);
    (void)close(fd[1]);
    if (rc == EXIT_DONE) {
        do {
            n = read(fd[0], port, sizeof port);
        } while (n < 0 && errno == EINTR);
    }
    (void)close(fd[0]);
    if (rc == EXIT_DONE && n != (ssize_t)sizeof port) {
        (void)waitpid(s->pid[what], &status, 0);
        s->pid[what] = 0;
        return WIFEXITED(status) && WEXITSTATUS(status) != EXIT_DONE ? WEXITSTATUS(status) : EXIT_ENVIRONMENT;
    }
    *out = (uint16_t)(port[0] << 8 | port[1]);
    return rc;
}

/* The notifier names the address that the server really has. */
static int start_notifying(struct supervisor *s)
{
    const char *colon = strrchr(s->o->listen, ':');

    if (s->o->sip_listen == NULL) {
        return EXIT_DONE;
    }
    (void)snprintf(s->root, sizeof s->root, "https://%.*s:%u/", (int)(colon - s->o->listen), s->o->listen,
                   (unsigned)s->port);
    return start_listening(s, NOTIFY, &s->sip_port);
}

static int tell_ready(const struct supervisor *s)
{
    json_t *j = NULL;
    char *text = NULL;
    mcx_err err = MCX_OK;

    if (s->o->ready_file == NULL) {
        return EXIT_DONE;
    }
    j = json_pack("{s:i, s:s, s:i, s:i, s:i}", "pid", (int)getpid(), "listen", s->o->listen, "port", (int)s->port,
                  "serve", (int)s->pid[SERVE], "queue", (int)s->pid[QUEUE]);
    if (j != NULL && s->o->sip_listen != NULL) {
        (void)json_object_set_new(j, "sip", json_integer(s->sip_port));
        (void)json_object_set_new(j, "notify", json_integer(s->pid[NOTIFY]));
    }
    if (j != NULL && s->o->kms_url != NULL) {
        (void)json_object_set_new(j, "keys", json_integer(s->pid[KEYS]));
    }
    text = j == NULL ? NULL : json_dumps(j, 0);
    err = text == NULL ? MCX_E_NOMEM : mcx_file_replace(s->o->ready_file, mcx_bytes_str(text), 0644);
    free(text);
    json_decref(j);
    return err == MCX_OK ? EXIT_DONE : environment_error(s->o->ready_file, err);
}

static void to_all(const struct supervisor *s, int signal)
{
    for (int i = 0; i < NUM_PROCESSES; i++) {
        if (s->pid[i] > 0) {
            (void)kill(s->pid[i], signal);
        }
    }
}

static const char *const has_ended[NUM_PROCESSES] = {
    [SERVE] = "the serving process has ended",
    [QUEUE] = "the queue process has ended; it starts again",
    [NOTIFY] = "the notifying process has ended; it starts again",
    [KEYS] = "the process that fetches keys has ended; it starts again",
};

/* The server holds the address: without it there is no point. The queue starts again, and goes on where it was. */
static int reaped(struct supervisor *s, pid_t pid)
{
    if (pid == s->pid[SERVE]) {
        s->pid[SERVE] = 0;
        log_plain(MCX_LOG_ERROR, NULL, has_ended[SERVE]);
        return EXIT_ENVIRONMENT;
    }
    for (int i = QUEUE; i < NUM_PROCESSES; i++) {
        if (pid != s->pid[i]) {
            continue;
        }
        log_plain(MCX_LOG_ERROR, NULL, has_ended[i]);
        if (mcx_clock_mono_ms() < s->started_ms[i] + RESTART_MS) {
            (void)usleep(RESTART_MS * 1000);
        }
        return start(s, (enum process)i, -1);
    }
    return EXIT_DONE;
}

static int watch(struct supervisor *s, const sigset_t *set)
{
    for (;;) {
        int number = 0;
        int rc = EXIT_DONE;
        pid_t pid = 0;

        if (sigwait(set, &number) != 0) {
            return environment_error("signals", MCX_E_IO);
        }
        if (number == SIGTERM || number == SIGINT) {
            return EXIT_DONE;
        }
        if (number == SIGHUP && s->pid[QUEUE] > 0) {
            (void)kill(s->pid[QUEUE], SIGHUP);
        }
        if (number == SIGUSR1 && s->pid[SERVE] > 0) {
            (void)kill(s->pid[SERVE], SIGUSR1);
        }
        while (rc == EXIT_DONE && (pid = waitpid(-1, NULL, WNOHANG)) > 0) {
            rc = reaped(s, pid);
        }
        if (rc != EXIT_DONE) {
            return rc;
        }
    }
}

static void end_all(struct supervisor *s)
{
    to_all(s, SIGTERM);
    for (int i = 0; i < NUM_PROCESSES; i++) {
        while (s->pid[i] > 0 && waitpid(s->pid[i], NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

static int supervise(struct supervisor *s)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
    sigset_t set;
    int rc = EXIT_DONE;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)sigaddset(&set, numbers[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return environment_error("signals", MCX_E_IO);
    }
    rc = start_listening(s, SERVE, &s->port);
    rc = rc == EXIT_DONE ? start(s, QUEUE, -1) : rc;
    rc = rc == EXIT_DONE ? start_notifying(s) : rc;
    rc = rc == EXIT_DONE && s->o->kms_url != NULL ? start(s, KEYS, -1) : rc;
    rc = rc == EXIT_DONE ? tell_ready(s) : rc;
    if (rc == EXIT_DONE) {
        log_plain(MCX_LOG_INFO, NULL, "serving");
        rc = watch(s, &set);
    }
    end_all(s);
    log_plain(MCX_LOG_INFO, NULL, "ended");
    return rc;
}

int cmd_run(const struct options *o)
{
    struct supervisor s = { .o = o };
    int rc = check_options(o);

    rc = rc == EXIT_DONE ? seal_read(&s.seal_key, o) : rc;
    rc = rc == EXIT_DONE ? check(&s) : rc;
    if (o->check_only) {
        rc = rc == EXIT_DONE ? serve_check(o) : rc;
        rc = rc == EXIT_DONE ? notify_check(o) : rc;
        if (rc == EXIT_DONE) {
            puts("mcx-gmsd: the configuration is good");
        }
    } else if (rc == EXIT_DONE) {
        if (o->token_iss == NULL || o->token_aud == NULL) {
            log_plain(MCX_LOG_WARN, NULL, "issuer or audience of tokens is not pinned (--token-iss, --token-aud)");
        }
        rc = supervise(&s);
    }
    mcx_secret_free(s.seal_key);
    return rc;
}
