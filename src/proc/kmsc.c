/* SPDX-License-Identifier: Apache-2.0 */
/* The order of requests to the KMS, their text, and when a request is made again (TS 33.180 5.3, D.2). */
#include "proc/kmsc_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>

static const char *const operation[KMSC_NUM_STEPS] = { "init", "keyprov", "keyprov", "certcache" };

static char *copy_string(const char *s)
{
    char *copy = s == NULL ? NULL : malloc(strlen(s) + 1);

    if (copy != NULL) {
        memcpy(copy, s, strlen(s) + 1);
    }
    return copy;
}

static bool is_uri(const char *s)
{
    return s != NULL && s[0] != '\0' && strlen(s) < MCX_KMSDOC_URI_MAX;
}

static bool is_base_url(const char *s)
{
    return is_uri(s) && strncmp(s, "https://", 8) == 0 && s[8] != '\0' && s[8] != '/' && strpbrk(s, "?#@ ") == NULL;
}

mcx_err mcx_kmsc_new(struct mcx_kmsc **out, const struct mcx_kmsc_config *config, struct mcx_store *store,
                     const struct mcx_rng *rng)
{
    struct mcx_kmsc *k = NULL;
    mcx_err err = MCX_OK;

    if (!is_base_url(config->url) || !is_uri(config->kms_uri) || !is_uri(config->user_uri) ||
        (config->client_id != NULL && !is_uri(config->client_id))) {
        return MCX_E_ARG;
    }
    k = calloc(1, sizeof *k);
    if (k == NULL) {
        return MCX_E_NOMEM;
    }
    k->base = copy_string(config->url);
    k->kms_uri = copy_string(config->kms_uri);
    k->user_uri = copy_string(config->user_uri);
    k->client_id = copy_string(config->client_id);
    k->at_time = config->at_time;
    k->time = config->time;
    k->init_only = config->init_only;
    k->retry = config->retry;
    k->store = store;
    k->rng = rng;
    if (k->base == NULL || k->kms_uri == NULL || k->user_uri == NULL ||
        (k->client_id == NULL) != (config->client_id == NULL)) {
        err = MCX_E_NOMEM;
        goto out;
    }
    if (k->base[strlen(k->base) - 1] == '/') {
        k->base[strlen(k->base) - 1] = '\0';
    }
    MCX_GO(err, mcx_keyring_new(&k->ring, MCX_SAKKE_TABLES_NONE)); /* each key is used once, for its check */
    *out = k;
    k = NULL;
out:
    mcx_kmsc_free(k);
    return err;
}

void mcx_kmsc_free(struct mcx_kmsc *k)
{
    if (k == NULL) {
        return;
    }
    mcx_keyring_free(k->ring);
    mcx_kmsdoc_free(k->answer);
    if (k->body != NULL) {
        mcx_kmsdoc_text_free(k->body, k->body_len);
    }
    free(k->base);
    free(k->kms_uri);
    free(k->user_uri);
    free(k->client_id);
    free(k);
}

size_t mcx_kmsc_num_key_sets(const struct mcx_kmsc *k)
{
    return k->num_key_sets;
}

size_t mcx_kmsc_num_certs(const struct mcx_kmsc *k)
{
    return k->num_certs;
}

/* Percent-encoded as one path segment (RFC 3986 2.3): only unreserved characters stay. */
static mcx_err put_segment(struct mcx_wr *wr, const char *s)
{
    static const char keep[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *s != '\0'; s++) {
        char escaped[4];

        if (strchr(keep, *s) != NULL) {
            MCX_TRY(mcx_wr_u8(wr, (uint8_t)*s));
            continue;
        }
        (void)snprintf(escaped, sizeof escaped, "%%%02X", (unsigned)(unsigned char)*s);
        MCX_TRY(mcx_wr_str(wr, escaped));
    }
    return MCX_OK;
}

static mcx_err put_path(struct mcx_wr *wr, const struct mcx_kmsc *k)
{
    const struct mcx_store_home *home = mcx_store_find_home(k->store, k->kms_uri);
    char text[32];

    MCX_TRY(mcx_wr_str(wr, operation[k->step]));
    if (k->step == KMSC_KEYPROV_NEXT || (k->step == KMSC_KEYPROV && k->at_time)) {
        MCX_TRY(mcx_wr_str(wr, "/"));
        MCX_TRY(put_segment(wr, k->user_uri));
        (void)snprintf(text, sizeof text, "/%016" PRIX64, mcx_ntp_to_wire(k->asked_for));
        return mcx_wr_str(wr, text);
    }
    if (k->step == KMSC_CERTCACHE && home != NULL && home->has_cache) {
        (void)snprintf(text, sizeof text, "/%" PRIu64, home->cache_num);
        return mcx_wr_str(wr, text);
    }
    return MCX_OK;
}

static mcx_err make_url(struct mcx_kmsc *k)
{
    struct mcx_wr wr = mcx_wr((uint8_t *)k->url, sizeof k->url - 1);

    MCX_TRY(mcx_wr_str(&wr, k->base));
    MCX_TRY(mcx_wr_str(&wr, MCX_KMSC_PATH));
    MCX_TRY(put_path(&wr, k));
    k->url[wr.len] = '\0';
    return MCX_OK;
}

static mcx_err make_request(struct mcx_kmsc *k, struct mcx_ntp now)
{
    struct mcx_kms_request req = { 0 };

    if (k->step == KMSC_KEYPROV) {
        k->asked_for = k->at_time ? k->time : now;
    }
    MCX_TRY(make_url(k));
    k->request_time = mcx_ntp_to_unix_ms(now) / 1000;
    req.user_uri = k->user_uri;
    req.kms_uri = k->kms_uri;
    req.time = k->request_time;
    req.client_id = k->client_id;
    req.client_req_url = k->url;
    if (k->body != NULL) {
        mcx_kmsdoc_text_free(k->body, k->body_len);
        k->body = NULL;
    }
    return mcx_kms_request_write(&k->body, &k->body_len, &req);
}

static mcx_err post(struct mcx_kmsc *k, struct mcx_ntp now, struct mcx_kmsc_out *out)
{
    MCX_TRY(make_request(k, now));
    out->action = MCX_KMSC_POST;
    out->url = k->url;
    out->body = mcx_bytes(k->body, k->body_len);
    out->operation = operation[k->step];
    return MCX_OK;
}

static mcx_err give_up(struct mcx_kmsc *k, struct mcx_kmsc_out *out, mcx_err err)
{
    k->over = true;
    out->action = MCX_KMSC_FAILED;
    out->operation = operation[k->step];
    out->err = err;
    return MCX_OK;
}

mcx_err mcx_kmsc_wait_ms(uint64_t *out, const struct mcx_kmsc_retry *retry, uint32_t num_failures,
                         const struct mcx_rng *rng)
{
    uint64_t wait = retry->first_ms;
    uint32_t r = 0;

    for (uint32_t i = 0; i < num_failures && wait < retry->max_ms; i++) {
        wait *= 2;
    }
    wait = wait > retry->max_ms ? retry->max_ms : wait;
    MCX_TRY(mcx_rng_fill(rng, &r, sizeof r));
    *out = wait - r % (wait / 2 + 1);
    return MCX_OK;
}

/* A lost answer or a 5xx: again after a while, so long as the policy has tries left. */
static mcx_err try_again(struct mcx_kmsc *k, struct mcx_kmsc_out *out, mcx_err err)
{
    if (k->tries >= k->retry.num) {
        return give_up(k, out, err);
    }
    MCX_TRY(mcx_kmsc_wait_ms(&out->wait_ms, &k->retry, k->tries, k->rng));
    k->tries++;
    k->waiting = true;
    out->action = MCX_KMSC_WAIT;
    out->operation = operation[k->step];
    out->err = err;
    return MCX_OK;
}

/* After this step: the next one that has something to ask for, or the end. */
static mcx_err advance(struct mcx_kmsc *k, struct mcx_ntp now, struct mcx_kmsc_out *out)
{
    k->tries = 0;
    k->step++;
    if (k->step == KMSC_KEYPROV_NEXT &&
        (k->at_time || !mcx_kmsc_next_is_due(k->store, k->kms_uri, k->user_uri, now, &k->asked_for))) {
        k->step++;
    }
    if (k->step < KMSC_NUM_STEPS && !k->init_only) {
        return post(k, now, out);
    }
    (void)mcx_store_expire(k->store, now);
    k->over = true;
    out->action = MCX_KMSC_DONE;
    return MCX_OK;
}

static mcx_err refused_by_kms(struct mcx_kmsc *k, const struct mcx_kmsc_in *in, struct mcx_kmsc_out *out)
{
    bool has_error = k->answer != NULL && k->answer->kind == MCX_KMSDOC_ERROR;

    out->kms_error = has_error ? k->answer->error_code : in->status;
    out->kms_error_msg = has_error ? k->answer->error_msg : NULL;
    if (in->status >= 500) {
        (void)mcx_refuse(&out->why, MCX_E_IO, "the KMS failed", "");
        return try_again(k, out, MCX_E_IO);
    }
    if (k->step == KMSC_KEYPROV_NEXT) { /* it may not give keys ahead: the present ones are here */
        *out = (struct mcx_kmsc_out){ 0 };
        return advance(k, in->now, out);
    }
    (void)mcx_refuse(&out->why, MCX_E_POLICY, "the KMS refused the request", "TS 33.180 D.3.1");
    return give_up(k, out, MCX_E_POLICY);
}

static mcx_err on_answer(struct mcx_kmsc *k, const struct mcx_kmsc_in *in, struct mcx_kmsc_out *out)
{
    mcx_err err = MCX_OK;

    mcx_kmsdoc_free(k->answer);
    k->answer = NULL;
    err = mcx_kmsdoc_read(&k->answer, in->body, NULL, &out->why);
    if (err == MCX_E_NOMEM) {
        return err;
    }
    if (in->status < 200 || in->status > 299 || (err == MCX_OK && k->answer->kind == MCX_KMSDOC_ERROR)) {
        return refused_by_kms(k, in, out);
    }
    if (err == MCX_OK) {
        err = mcx_kmsc_accept(k, k->answer, in->now, &out->why);
    }
    mcx_kmsdoc_free(k->answer); /* it may hold keys */
    k->answer = NULL;
    if (err != MCX_OK) {
        return err == MCX_E_NOMEM ? err : give_up(k, out, err);
    }
    return advance(k, in->now, out);
}

mcx_err mcx_kmsc_step(struct mcx_kmsc *k, const struct mcx_kmsc_in *in, struct mcx_kmsc_out *out)
{
    *out = (struct mcx_kmsc_out){ 0 };
    if (k->over || k->started != (in->event != MCX_KMSC_START) || k->waiting != (in->event == MCX_KMSC_TIMER)) {
        return MCX_E_STATE;
    }
    switch (in->event) {
    case MCX_KMSC_START: k->started = true; return post(k, in->now, out);
    case MCX_KMSC_TIMER: k->waiting = false; return post(k, in->now, out);
    case MCX_KMSC_LOST:
        (void)mcx_refuse(&out->why, MCX_E_IO, "no answer from the KMS", "");
        return try_again(k, out, MCX_E_IO);
    default: return on_answer(k, in, out);
    }
}
