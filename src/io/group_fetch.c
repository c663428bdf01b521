/* SPDX-License-Identifier: Apache-2.0 */
#include "io/group_fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/fetch_int.h"
#include "io/group_file.h"
#include "io/http_client.h"
#include "io/store_file.h"

#define TIMEOUT_MS 20000

/* One run of the procedure. */
struct run {
    const struct mcx_group_fetch *fetch;
    struct mcx_group_fetched *out;
    struct mcx_rng rng;
    struct mcx_file token;
    struct mcx_gmc *gmc;
    struct mcx_http_reply reply;
};

void mcx_group_fetched_clear(struct mcx_group_fetched *fetched)
{
    free(fetched->groups);
    *fetched = (struct mcx_group_fetched){ 0 };
}

static mcx_err fail(struct mcx_group_fetched *out, mcx_err err, const struct mcx_refusal *why)
{
    out->why = *why;
    if (out->why.reason == NULL) {
        out->why = (struct mcx_refusal){ mcx_err_name(err), "" };
    }
    return err;
}

static mcx_err fail_with(struct mcx_group_fetched *out, mcx_err err, const char *reason, const char *clause)
{
    const struct mcx_refusal why = { reason, clause };

    return fail(out, err, &why);
}

static mcx_err fail_file(struct mcx_group_fetched *out, mcx_err err, const struct mcx_refusal *why, const char *path)
{
    fetch_detail_file(out->detail, sizeof out->detail, err, path);
    return fail(out, err, why);
}

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

/* One GET. A lost answer is for the procedure, which may try again; what it must not try again is an error. */
static mcx_err exchange(struct run *r, const struct mcx_gmc_out *get, struct mcx_gmc_in *in)
{
    const struct mcx_http_call call = { .url = get->url,
                                        .ca_file = r->fetch->ca_file,
                                        .bearer = (const char *)r->token.p,
                                        .accept = get->accept,
                                        .known_etag = get->etag,
                                        .timeout_ms = TIMEOUT_MS,
                                        .max_reply = MCX_GROUP_DOC_MAX };
    mcx_err err = MCX_OK;

    mcx_http_reply_clear(&r->reply);
    err = mcx_http_exchange(&r->reply, &call);
    if (err != MCX_OK && err != MCX_E_IO && err != MCX_E_SPACE) {
        fetch_detail(r->out->detail, sizeof r->out->detail, r->reply.detail);
        return err == MCX_E_AUTH
                   ? fail_with(r->out, err,
                               "the TLS certificate of the server did not verify against the authority given",
                               "TS 33.180 6.1.1")
                   : fail_with(r->out, err, mcx_err_name(err), "");
    }
    *in = (struct mcx_gmc_in){ .event = err == MCX_E_IO ? MCX_GMC_LOST : MCX_GMC_ANSWER,
                               .too_long = err == MCX_E_SPACE,
                               .now = now(),
                               .status = r->reply.status,
                               .etag = r->reply.etag,
                               .body = mcx_bytes(r->reply.body, r->reply.len) };
    return MCX_OK;
}

static mcx_err run(struct run *r)
{
    struct mcx_gmc_in in = { .event = MCX_GMC_START, .now = now() };
    struct mcx_gmc_out step = { 0 };

    for (;;) {
        mcx_err err = mcx_gmc_step(r->gmc, &in, &step);

        if (err != MCX_OK) {
            return fail_with(r->out, err, mcx_err_name(err), "");
        }
        switch (step.action) {
        case MCX_GMC_DONE: return MCX_OK;
        case MCX_GMC_FAILED:
            fetch_detail(r->out->detail, sizeof r->out->detail, r->reply.detail);
            r->out->status = step.status;
            return fail(r->out, step.err, &step.why);
        case MCX_GMC_GET: MCX_TRY(exchange(r, &step, &in)); break;
        case MCX_GMC_WAIT:
            if (r->fetch->on_wait != NULL) {
                r->fetch->on_wait(step.group, r->reply.detail, step.wait_ms);
            }
            fetch_wait(step.wait_ms);
            in = (struct mcx_gmc_in){ .event = MCX_GMC_TIMER, .now = now() };
            break;
        }
    }
}

static mcx_err prepare(struct run *r, const struct mcx_keyring *ring, struct mcx_group_keys *keys)
{
    const struct mcx_gmc_config config = { .url = r->fetch->url,
                                           .gms = r->fetch->gms,
                                           .user = r->fetch->user,
                                           .groups = r->fetch->groups,
                                           .num_groups = r->fetch->num_groups,
                                           .retry = MCX_KMSC_RETRY_DEFAULT };
    struct mcx_refusal why = { "the file of the TLS authority cannot be read", "" };
    mcx_err err = MCX_OK;

    if (access(r->fetch->ca_file, R_OK) != 0) {
        return fail_file(r->out, MCX_E_IO, &why, r->fetch->ca_file);
    }
    why = (struct mcx_refusal){ 0 };
    err = fetch_token(&r->token, r->fetch->token_file, &why);
    if (err != MCX_OK) {
        return fail_file(r->out, err, &why, r->fetch->token_file);
    }
    err = mcx_gmc_new(&r->gmc, &config, ring, keys, &r->rng);
    return err == MCX_OK
               ? MCX_OK
               : fail_with(r->out, err,
                           err == MCX_E_ARG ? "the URL is not https://HOST:PORT without a path, a URI is no URI, "
                                              "or there is no group, one twice, or too many"
                                            : mcx_err_name(err),
                           "");
}

static mcx_err report(struct run *r)
{
    size_t num = mcx_gmc_num_groups(r->gmc);

    r->out->groups = calloc(num, sizeof *r->out->groups);
    if (r->out->groups == NULL) {
        return fail_with(r->out, MCX_E_NOMEM, mcx_err_name(MCX_E_NOMEM), "");
    }
    for (size_t i = 0; i < num; i++) {
        r->out->groups[i] = *mcx_gmc_group(r->gmc, i);
    }
    r->out->num_groups = num;
    r->out->num_expired = mcx_gmc_num_expired(r->gmc);
    return MCX_OK;
}

mcx_err mcx_group_fetch_into(struct mcx_group_fetched *out, const struct mcx_group_fetch *fetch,
                             const struct mcx_keyring *ring, struct mcx_group_keys *keys)
{
    struct run r = { .fetch = fetch, .out = out, .rng = mcx_rng_system() };
    mcx_err err = MCX_OK;
    mcx_err told = MCX_OK;

    *out = (struct mcx_group_fetched){ 0 };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return fail_with(out, MCX_E_NOMEM, "the HTTP library cannot be started", "");
    }
    MCX_GO(err, prepare(&r, ring, keys));
    err = run(&r);
    told = report(&r);
    err = err != MCX_OK ? err : told;
out:
    mcx_http_reply_clear(&r.reply);
    mcx_gmc_free(r.gmc);
    mcx_file_clear(&r.token);
    curl_global_cleanup();
    return err;
}

static mcx_err load_ring(struct mcx_group_fetched *out, struct mcx_keyring **ring, const char *store_file,
                         const char *key_file)
{
    struct mcx_store *store = NULL;
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_store_file_read(&store, store_file, key_file, 0, &why);

    if (err == MCX_OK) {
        err = mcx_keyring_new(ring, MCX_SAKKE_TABLES_NONE); /* a few messages are opened, none is made */
    }
    if (err == MCX_OK) {
        err = mcx_store_load(*ring, store, &why);
    }
    mcx_store_free(store);
    return err == MCX_OK ? MCX_OK : fail_file(out, err, &why, store_file);
}

mcx_err mcx_group_fetch_file(struct mcx_group_fetched *out, struct mcx_group_keys **keys,
                             const struct mcx_group_fetch *fetch, const char *store_file, const char *store_key_file,
                             const char *groups_file)
{
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_refusal why = { "the file of group keys cannot be locked", "" };
    struct mcx_keyring *ring = NULL;
    int lock = -1;
    mcx_err err = MCX_OK;
    mcx_err written = MCX_OK;

    *out = (struct mcx_group_fetched){ 0 };
    err = mcx_store_file_lock(&lock, groups_file);
    if (err != MCX_OK) {
        return fail_file(out, err, &why, groups_file);
    }
    MCX_GO(err, load_ring(out, &ring, store_file, store_key_file));
    why = (struct mcx_refusal){ 0 };
    err = mcx_group_file_read(keys, groups_file, store_key_file, 0, true, &why);
    if (err != MCX_OK) {
        err = fail_file(out, err, &why, groups_file);
        goto out;
    }
    err = mcx_group_fetch_into(out, fetch, ring, *keys);
    if (out->groups == NULL) {
        goto out; /* not a single request was made */
    }
    why = (struct mcx_refusal){ 0 };
    written = mcx_group_file_write(groups_file, store_key_file, *keys, &rng, &why);
    if (written != MCX_OK) {
        err = fail_file(out, written, &why, groups_file);
    }
out:
    mcx_keyring_free(ring);
    mcx_store_file_unlock(lock);
    return err;
}
