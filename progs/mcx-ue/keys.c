/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the phone: read from the sealed store, and with --kms-url fetched from the KMS (TS 33.180 5.3), the
 * next period ahead. A fetch waits for its answers, so a process of its own runs it ('mcx-ue fetch'); media go on.
 * The store is read again when that has ended, and the new keyring is taken when no call is open.
 */
#include "ue.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/kms_fetch.h"
#include "io/store_file.h"

#define REPLAY_CAPACITY 4096
#define TICK_MS         60000 /* the wall clock is looked at so often: it may be set, or the machine may sleep */
#define MIN_WAIT_S      1

struct ue_keys {
    const struct ue_options *options;
    struct mcx_keyring *ring;
    struct mcx_replay *replay;
    struct mcx_ntp started;
    uint64_t serial; /* of the store last read: an older one is not taken */
    json_t *periods;
    uint64_t next_fetch; /* NTP seconds */
    uint32_t num_failures;
    struct mcx_timer timer;
    struct mcx_child child; /* fetches */
    void (*on_fresh)(void *arg);
    void *arg;
};

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

static void report(const struct ue_keys *k, const char *status, const char *sentence)
{
    char when[MCX_DATETIME_LEN + 1] = "";

    if (mcx_datetime_write(when, k->next_fetch - MCX_NTP_UNIX_OFFSET) != MCX_OK) {
        when[0] = '\0';
    }
    ue_report(k->options->json, "keys", sentence, "{s:s, s:O, s:s}", "status", status, "periods", k->periods,
              "next_fetch", when);
}

/* ---- the store ---- */

/* What the store holds for the user of this phone: numbers of key periods, never keys. */
static json_t *periods_of(const struct mcx_store *store, const struct ue_options *o)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < mcx_store_num_key_sets(store); i++) {
        const struct mcx_kms_key_set *set = mcx_store_key_set(store, i);

        if (strcmp(set->user_uri, o->id) == 0 && !set->revoked) {
            (void)json_array_append_new(list, json_integer((json_int_t)set->period_no));
        }
    }
    return list;
}

/* @retval MCX_E_NOKEY  a fetch is needed before there is anything to call with */
static mcx_err plan(struct ue_keys *k, const struct mcx_store *store)
{
    const struct ue_options *o = k->options;
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_ntp at = now();

    MCX_TRY(mcx_kmsc_next_fetch(&k->next_fetch, store, o->kms_uri, o->id, at, &rng));
    if (k->next_fetch < at.sec + MIN_WAIT_S) {
        const struct mcx_kms_cert *cert = mcx_store_find_cert(store, o->kms_uri);
        uint64_t no = 0;

        if (cert == NULL || mcx_period_no(&no, &cert->period, at.sec) != MCX_OK ||
            mcx_store_find_key_set(store, o->kms_uri, o->id, no) == NULL) {
            return MCX_E_NOKEY;
        }
        k->next_fetch = at.sec + MIN_WAIT_S;
    }
    return MCX_OK;
}

/* @retval MCX_E_NOKEY as plan(), with --kms-url only; then `out` is not set */
static mcx_err ring_read(struct ue_keys *k, struct mcx_keyring **out, struct mcx_refusal *why)
{
    const struct ue_options *o = k->options;
    struct mcx_keyring *ring = NULL;
    struct mcx_store *store = NULL;
    mcx_err err = mcx_store_file_read(&store, o->store, o->store_key, k->serial, why);

    if (err != MCX_OK) {
        return err;
    }
    (void)mcx_store_expire(store, now());
    if (o->kms_url != NULL) {
        MCX_GO(err, plan(k, store));
    }
    MCX_GO(err, mcx_keyring_new(&ring, MCX_SAKKE_TABLES_DEFAULT));
    MCX_GO(err, mcx_store_load(ring, store, why));
    k->serial = mcx_store_serial(store);
    json_decref(k->periods);
    k->periods = periods_of(store, o);
    *out = ring;
    ring = NULL;
out:
    mcx_keyring_free(ring);
    mcx_store_free(store);
    return err;
}

/* ---- the process that fetches ---- */

static mcx_err fetch_start(struct ue_keys *k)
{
    const struct ue_options *o = k->options;
    const char *argv[] = { "mcx-ue",      "fetch",      "--id",      o->id,      "--store",   o->store,
                           "--store-key", o->store_key, "--kms-url", o->kms_url, "--kms-uri", o->kms_uri,
                           "--kms-ca",    o->kms_ca,    "--token",   o->token,   "--json",    NULL };

    return mcx_child_start(&k->child, argv, mcx_bytes(NULL, 0));
}

/* ---- while the phone runs ---- */

static void on_tick(void *arg);

static void schedule(struct ue_keys *k)
{
    uint64_t at = now().sec;
    uint64_t wait = k->next_fetch > at ? (k->next_fetch - at) * 1000 : 0;

    if (mcx_timer_start(&k->timer, wait < TICK_MS ? wait : TICK_MS, on_tick, k) != MCX_OK) {
        ue_complain("keys will not be fetched ahead", MCX_E_NOMEM, NULL);
    }
}

/* The wait grows as it does within the procedure; the keys that are held stay in use. */
static void failed(struct ue_keys *k)
{
    const struct mcx_kmsc_retry policy = MCX_KMSC_RETRY_DEFAULT;
    const struct mcx_rng rng = mcx_rng_system();
    uint64_t wait = 0;

    if (mcx_kmsc_wait_ms(&wait, &policy, k->num_failures, &rng) != MCX_OK) {
        wait = policy.max_ms;
    }
    k->num_failures++;
    k->next_fetch = now().sec + (wait + 999) / 1000;
    report(k, "failed",
           "New keys could not be fetched from the KMS; the ones you have stay in use while they are "
           "valid, and it is tried again soon");
    schedule(k);
}

static void on_output(void *arg)
{
    struct ue_keys *k = arg;

    if (!ue_child_drain(&k->child, false)) {
        return;
    }
    mcx_loop_unwatch(&k->child.output);
    if (mcx_child_end(&k->child) != EXIT_DONE) {
        failed(k);
        return;
    }
    k->on_fresh(k->arg);
}

static void on_tick(void *arg)
{
    struct ue_keys *k = arg;
    struct mcx_ntp at = now();

    mcx_keyring_expire(k->ring, at);
    if (at.sec < k->next_fetch) {
        schedule(k);
        return;
    }
    if (fetch_start(k) != MCX_OK) {
        failed(k);
        return;
    }
    if (mcx_child_watch(&k->child, on_output, k) != MCX_OK) {
        (void)mcx_child_end(&k->child); /* waits for it: rare, and better than to leave it */
        failed(k);
    }
}

void ue_keys_watch(struct ue_keys *k, void (*on_fresh)(void *arg), void *arg)
{
    if (k->options->kms_url == NULL) {
        return;
    }
    k->on_fresh = on_fresh;
    k->arg = arg;
    report(k, "ok", NULL);
    schedule(k);
}

void ue_keys_renew(struct ue_keys *k, struct mcx_privcall *pc)
{
    struct mcx_refusal why = { 0 };
    struct mcx_keyring *ring = NULL;
    mcx_err err = ring_read(k, &ring, &why);

    if (err == MCX_OK && pc != NULL) {
        err = mcx_privcall_set_ring(pc, ring);
    }
    if (err != MCX_OK) {
        mcx_keyring_free(ring);
        ue_complain("the new keys cannot be used", err, &why);
        failed(k);
        return;
    }
    mcx_keyring_free(k->ring);
    k->ring = ring;
    k->num_failures = 0;
    report(k, "ok", "New keys are in use");
    schedule(k);
}

/* ---- life ---- */

static int complain_store(const struct ue_keys *k, mcx_err err, const struct mcx_refusal *why)
{
    if (err == MCX_E_IO) {
        fprintf(stderr, "mcx-ue: key store %s: %s; 'mcx kms fetch' makes it\n", k->options->store, strerror(errno));
    } else {
        ue_complain("the key store cannot be used", err, why);
    }
    return EXIT_ENVIRONMENT;
}

/* If material is missing, the key management client asks the KMS for it (TS 24.379 11.1.1.2.1.1). */
static int fill(struct ue_keys *k)
{
    struct mcx_refusal why = { 0 };
    mcx_err err = ring_read(k, &k->ring, &why);
    int code = EXIT_DONE;

    if (k->options->kms_url != NULL && (err == MCX_E_NOKEY || (err == MCX_E_IO && errno == ENOENT))) {
        if (fetch_start(k) != MCX_OK) {
            ue_complain("keys cannot be fetched", MCX_E_IO, NULL);
            return EXIT_ENVIRONMENT;
        }
        while (!ue_child_drain(&k->child, false)) {
        }
        code = mcx_child_end(&k->child);
        if (code != EXIT_DONE) {
            return code < 0 ? EXIT_ENVIRONMENT : code; /* it has said why */
        }
        err = ring_read(k, &k->ring, &why);
    }
    return err == MCX_OK ? EXIT_DONE : complain_store(k, err, &why);
}

int ue_keys_open(struct ue_keys **out, const struct ue_options *options)
{
    struct ue_keys *k = calloc(1, sizeof *k);
    int code = EXIT_ENVIRONMENT;

    if (k == NULL || mcx_replay_new(&k->replay, REPLAY_CAPACITY) != MCX_OK) {
        ue_complain("no memory for keys", MCX_E_NOMEM, NULL);
        ue_keys_close(k);
        return code;
    }
    k->options = options;
    k->started = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    k->child.output.fd = -1;
    code = fill(k);
    if (code != EXIT_DONE) {
        ue_keys_close(k);
        return code;
    }
    *out = k;
    return EXIT_DONE;
}

void ue_keys_unwatch(struct ue_keys *k)
{
    mcx_timer_clear(&k->timer);
    mcx_child_stop(&k->child);
}

void ue_keys_close(struct ue_keys *k)
{
    if (k == NULL) {
        return;
    }
    mcx_replay_free(k->replay);
    mcx_keyring_free(k->ring);
    json_decref(k->periods);
    free(k);
}

const struct mcx_keyring *ue_keys_ring(const struct ue_keys *k)
{
    return k->ring;
}

struct mcx_replay *ue_keys_replay(const struct ue_keys *k)
{
    return k->replay;
}

struct mcx_ntp ue_keys_started(const struct ue_keys *k)
{
    return k->started;
}

/* ---- mcx-ue fetch ---- */

static void on_wait(const char *operation, const char *detail, uint64_t wait_ms)
{
    fprintf(stderr, "mcx-ue: %s: no usable answer of the KMS%s%s; again in %llu ms\n", operation,
            detail[0] == '\0' ? "" : ": ", detail, (unsigned long long)wait_ms);
}

static void complain_fetch(const struct mcx_kms_fetched *f)
{
    fprintf(stderr, "mcx-ue: keys cannot be fetched: %s%s%s", f->operation == NULL ? "" : f->operation,
            f->operation == NULL ? "" : ": ", f->why.reason);
    if (f->kms_error != 0) {
        fprintf(stderr, "; error %d", f->kms_error);
    }
    fprintf(stderr, "%s%s\n", f->detail[0] == '\0' ? "" : "; ", f->detail);
}

int ue_fetch(const struct ue_options *o)
{
    const struct mcx_kms_fetch fetch = { .url = o->kms_url,
                                         .kms_uri = o->kms_uri,
                                         .user = o->id,
                                         .token_file = o->token,
                                         .ca_file = o->kms_ca,
                                         .on_wait = on_wait };
    struct ue_keys keys = { .options = o };
    struct mcx_kms_fetched fetched;
    struct mcx_store *store = NULL;
    mcx_err err = mcx_kms_fetch_file(&fetched, &store, &fetch, o->store, o->store_key);

    if (err == MCX_OK) {
        keys.periods = periods_of(store, o);
        err = plan(&keys, store);
        report(&keys, "ok", "The keys are in the store");
        json_decref(keys.periods);
    } else {
        complain_fetch(&fetched);
    }
    mcx_store_free(store);
    return err == MCX_OK                              ? EXIT_DONE
           : err == MCX_E_ARG                         ? EXIT_USAGE
           : err <= MCX_E_TRUNC || err == MCX_E_SPACE ? EXIT_REFUSED
                                                      : EXIT_ENVIRONMENT;
}
