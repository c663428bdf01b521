/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that looks after the server's own keys (TS 33.180 5.3, 7.3.3.1): it asks the KMS for those of the next
 * period ahead, and puts them into the sealed store. It has no group key and no database.
 */
#define _DEFAULT_SOURCE 1 /* kill */
#include "mcx-gmsd/gmsd.h"

#include "io/kms_fetch.h"
#include "io/store_file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_S 60 /* the wall clock is looked at so often: it may be set, or the machine may sleep */

static void on_wait(const char *operation, const char *detail, uint64_t wait_ms)
{
    char event[640];

    (void)snprintf(event, sizeof event, "%s: no usable answer of the KMS%s%s; again in %llu ms", operation,
                   detail[0] == '\0' ? "" : ": ", detail, (unsigned long long)wait_ms);
    log_plain(MCX_LOG_WARN, "keys", event);
}

static void log_failure(const struct mcx_kms_fetched *f, mcx_err err)
{
    const struct mcx_log log = gmsd_log();
    char event[640];
    struct mcx_log_record rec = {
        .level = MCX_LOG_ERROR, .subsystem = "gms", .subject = "keys", .event = event, .err = err, .why = f->why
    };

    (void)snprintf(event, sizeof event, "own keys cannot be fetched: %s%s%s%s%s",
                   f->operation == NULL ? "" : f->operation, f->operation == NULL ? "" : ": ", f->why.reason,
                   f->detail[0] == '\0' ? "" : ": ", f->detail);
    mcx_log(&log, &rec);
}

static mcx_err fetch(const struct options *o, const char *gms)
{
    const struct mcx_kms_fetch f = { .url = o->kms_url,
                                     .kms_uri = o->kms_uri,
                                     .user = gms,
                                     .token_file = o->kms_token,
                                     .ca_file = o->kms_ca,
                                     .on_wait = on_wait };
    struct mcx_kms_fetched fetched;
    struct mcx_store *store = NULL;
    mcx_err err = mcx_kms_fetch_file(&fetched, &store, &f, o->store, o->store_key);
    char event[96];

    mcx_store_free(store);
    if (err != MCX_OK) {
        log_failure(&fetched, err);
        return err;
    }
    (void)snprintf(event, sizeof event, "own keys fetched: %zu key sets and %zu certificates", fetched.num_key_sets,
                   fetched.num_certs);
    log_plain(MCX_LOG_INFO, "keys", event);
    return MCX_OK;
}

/* When the next fetch is due; now, where the store does not tell. */
static uint64_t next_fetch(const struct options *o, const char *gms)
{
    const struct mcx_ntp now = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_refusal why = { 0 };
    struct mcx_store *store = NULL;
    uint64_t at = now.sec;

    if (mcx_store_file_read(&store, o->store, o->store_key, 0, &why) != MCX_OK ||
        mcx_kmsc_next_fetch(&at, store, o->kms_uri, gms, now, &rng) != MCX_OK) {
        at = now.sec;
    }
    mcx_store_free(store);
    return at;
}

static void sleep_until(uint64_t ntp_s)
{
    for (;;) {
        const uint64_t now = mcx_ntp_from_unix_ms(mcx_clock_unix_ms()).sec;

        if (now >= ntp_s) {
            return;
        }
        (void)sleep(ntp_s - now > LOOK_S ? LOOK_S : (unsigned)(ntp_s - now));
    }
}

/* The wait grows as it does within the procedure; the keys that are held stay in use. */
static void wait_after_failure(uint32_t num_failures)
{
    const struct mcx_kmsc_retry policy = MCX_KMSC_RETRY_DEFAULT;
    const struct mcx_rng rng = mcx_rng_system();
    uint64_t ms = 0;

    if (mcx_kmsc_wait_ms(&ms, &policy, num_failures, &rng) != MCX_OK) {
        ms = policy.max_ms;
    }
    (void)sleep((unsigned)(ms / 1000 + 1));
}

int keys_main(const struct options *o, const char *gms)
{
    uint32_t num_failures = 0;

    for (;;) {
        sleep_until(next_fetch(o, gms));
        if (fetch(o, gms) != MCX_OK) {
            wait_after_failure(num_failures++);
            continue;
        }
        num_failures = 0;
        (void)kill(getppid(), SIGHUP); /* the queue reads them */
        (void)sleep(1);                /* a KMS that hands out nothing new is not asked all the time */
    }
}

static int exit_code(mcx_err err)
{
    if (err == MCX_OK) {
        return EXIT_DONE;
    }
    if (err == MCX_E_ARG) {
        return EXIT_USAGE;
    }
    return err <= MCX_E_TRUNC || err == MCX_E_SPACE ? EXIT_REFUSED : EXIT_ENVIRONMENT;
}

int keys_fill(const struct options *o, const char *gms)
{
    int status = 0;
    pid_t pid = -1;

    if (o->store_key == NULL) {
        return usage_error("--store and --store-key are missing");
    }
    pid = fork(); /* the supervisor itself has no network */
    if (pid == 0) {
        _exit(exit_code(fetch(o, gms)));
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_ENVIRONMENT;
}
