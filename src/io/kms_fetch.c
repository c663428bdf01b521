/* SPDX-License-Identifier: Apache-2.0 */
#include "io/kms_fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <mcx/secret.h>

#include "io/fetch_int.h"
#include "io/http_client.h"
#include "io/store_file.h"

#define TIMEOUT_MS 20000

/* One run of the procedure. */
struct run {
    const struct mcx_kms_fetch *fetch;
    struct mcx_kms_fetched *out;
    struct mcx_rng rng;
    struct mcx_file token; /* NUL-terminated: mcx_file_read() keeps an octet for it */
    struct mcx_kmsc *kmsc;
    struct mcx_http_reply reply;
};

static mcx_err fail(struct mcx_kms_fetched *out, mcx_err err, const char *reason, const char *clause)
{
    out->why = (struct mcx_refusal){ reason, clause };
    return err;
}

static mcx_err fail_file(struct mcx_kms_fetched *out, mcx_err err, const char *reason, const char *path)
{
    fetch_detail_file(out->detail, sizeof out->detail, err, path);
    return fail(out, err, reason, "");
}

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

/* One POST. A lost answer is for the procedure, which may try again; what it must not try again is an error. */
static mcx_err exchange(struct run *r, const struct mcx_kmsc_out *do_post, struct mcx_kmsc_in *in)
{
    const struct mcx_http_call call = { .url = do_post->url,
                                        .ca_file = r->fetch->ca_file,
                                        .bearer = (const char *)r->token.p,
                                        .accept = "application/xml",
                                        .content_type = "application/xml",
                                        .body = do_post->body,
                                        .timeout_ms = TIMEOUT_MS,
                                        .max_reply = MCX_KMSDOC_MAX };
    mcx_err err = MCX_OK;

    mcx_http_reply_clear(&r->reply);
    err = mcx_http_exchange(&r->reply, &call);
    if (err != MCX_OK && err != MCX_E_IO) {
        r->out->operation = do_post->operation;
        fetch_detail(r->out->detail, sizeof r->out->detail, r->reply.detail);
        return err == MCX_E_AUTH
                   ? fail(r->out, err, "the TLS certificate of the server did not verify against the authority given", "TS 33.180 D.1")
               : err == MCX_E_SPACE ? fail(r->out, err, "the answer is larger than a KMS document may be", "")
                                    : fail(r->out, err, mcx_err_name(err), "");
    }
    *in = (struct mcx_kmsc_in){ .event = err == MCX_OK ? MCX_KMSC_ANSWER : MCX_KMSC_LOST,
                                .now = now(),
                                .status = r->reply.status,
                                .body = mcx_bytes(r->reply.body, r->reply.len) };
    return MCX_OK;
}

static mcx_err given_up(struct run *r, const struct mcx_kmsc_out *step)
{
    fetch_detail(r->out->detail, sizeof r->out->detail,
                 step->kms_error_msg != NULL ? step->kms_error_msg : r->reply.detail);
    r->out->operation = step->operation;
    r->out->kms_error = step->kms_error;
    return fail(r->out, step->err, step->why.reason == NULL ? mcx_err_name(step->err) : step->why.reason,
                step->why.clause == NULL ? "" : step->why.clause);
}

static mcx_err run(struct run *r)
{
    struct mcx_kmsc_in in = { .event = MCX_KMSC_START, .now = now() };
    struct mcx_kmsc_out step = { 0 };

    for (;;) {
        mcx_err err = mcx_kmsc_step(r->kmsc, &in, &step);

        if (err != MCX_OK) {
            return fail(r->out, err, mcx_err_name(err), "");
        }
        switch (step.action) {
        case MCX_KMSC_DONE: return MCX_OK;
        case MCX_KMSC_FAILED: return given_up(r, &step);
        case MCX_KMSC_POST: MCX_TRY(exchange(r, &step, &in)); break;
        case MCX_KMSC_WAIT:
            if (r->fetch->on_wait != NULL) {
                r->fetch->on_wait(step.operation, r->reply.detail, step.wait_ms);
            }
            fetch_wait(step.wait_ms);
            in = (struct mcx_kmsc_in){ .event = MCX_KMSC_TIMER, .now = now() };
            break;
        }
    }
}

static mcx_err prepare(struct run *r, struct mcx_store *store)
{
    const struct mcx_kmsc_config config = { .url = r->fetch->url,
                                            .kms_uri = r->fetch->kms_uri,
                                            .user_uri = r->fetch->user,
                                            .at_time = r->fetch->at_time,
                                            .time = r->fetch->time,
                                            .init_only = r->fetch->init_only,
                                            .retry = MCX_KMSC_RETRY_DEFAULT };
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    if (access(r->fetch->ca_file, R_OK) != 0) {
        return fail_file(r->out, MCX_E_IO, "the file of the TLS authority cannot be read", r->fetch->ca_file);
    }
    err = fetch_token(&r->token, r->fetch->token_file, &why);
    if (err != MCX_OK) {
        return fail_file(r->out, err, why.reason == NULL ? mcx_err_name(err) : why.reason, r->fetch->token_file);
    }
    err = mcx_kmsc_new(&r->kmsc, &config, store, &r->rng);
    return err == MCX_OK ? MCX_OK
                         : fail(r->out, err,
                                err == MCX_E_ARG ? "the URL is not https://HOST:PORT without a path, or a URI is empty"
                                                 : mcx_err_name(err),
                                "");
}

mcx_err mcx_kms_fetch_into(struct mcx_kms_fetched *out, const struct mcx_kms_fetch *fetch, struct mcx_store *store)
{
    struct run r = { .fetch = fetch, .out = out, .rng = mcx_rng_system() };
    mcx_err err = MCX_OK;

    *out = (struct mcx_kms_fetched){ 0 };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return fail(out, MCX_E_NOMEM, "the HTTP library cannot be started", "");
    }
    MCX_GO(err, prepare(&r, store));
    err = run(&r);
    out->num_key_sets = mcx_kmsc_num_key_sets(r.kmsc);
    out->num_certs = mcx_kmsc_num_certs(r.kmsc);
out:
    mcx_http_reply_clear(&r.reply);
    mcx_kmsc_free(r.kmsc);
    mcx_file_clear(&r.token);
    curl_global_cleanup();
    return err;
}

/* The store of the file, or an empty one when there is none yet but a key for it. */
static mcx_err open_or_new(struct mcx_kms_fetched *out, struct mcx_store **store, const char *path,
                           const char *key_file)
{
    uint8_t key[MCX_FILE_KEY_LEN];
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        err = mcx_file_read_key(key, key_file);
        mcx_wipe(key, sizeof key);
        return err == MCX_OK ? mcx_store_new(store)
                             : fail_file(out, err,
                                         "no key of 64 hex digits with mode 0600 for the key store; make one: "
                                         "(umask 077; openssl rand -hex 32 >FILE)",
                                         key_file);
    }
    err = mcx_store_file_read(store, path, key_file, 0, &why);
    return err == MCX_OK ? MCX_OK : fail_file(out, err, why.reason == NULL ? mcx_err_name(err) : why.reason, path);
}

mcx_err mcx_kms_fetch_file(struct mcx_kms_fetched *out, struct mcx_store **store, const struct mcx_kms_fetch *fetch,
                           const char *store_file, const char *store_key_file)
{
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_refusal why = { 0 };
    int lock = -1;
    mcx_err err = mcx_store_file_lock(&lock, store_file);

    *out = (struct mcx_kms_fetched){ 0 };
    if (err != MCX_OK) {
        return fail_file(out, err, "the key store cannot be locked", store_file);
    }
    MCX_GO(err, open_or_new(out, store, store_file, store_key_file));
    MCX_GO(err, mcx_kms_fetch_into(out, fetch, *store));
    err = mcx_store_file_write(store_file, store_key_file, *store, &rng, &why);
    if (err != MCX_OK) {
        err = fail_file(out, err, why.reason == NULL ? mcx_err_name(err) : why.reason, store_file);
    }
out:
    mcx_store_file_unlock(lock);
    return err;
}
