/* SPDX-License-Identifier: Apache-2.0 */
#include "gms/xcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUID_MAX 64

/* One request on its way. */
struct job {
    struct mcx_gms_xcap *xcap;
    const struct mcx_gms_xcap_in *in;
    struct mcx_gms_answer *out;
    enum mcx_gms_document document;
    char group[MCX_GROUP_URI_MAX];
    struct mcx_refusal why;
};

void mcx_gms_xcap_init(struct mcx_gms_xcap *xcap, const struct mcx_gms_xcap_config *config)
{
    *xcap = (struct mcx_gms_xcap){ .config = *config, .refusals = { .per_minute = config->refusals_per_minute } };
}

static int refuse(struct job *j, int status, const char *reason, const char *clause)
{
    j->why = (struct mcx_refusal){ reason, clause };
    return status;
}

static const char *skip(const char *p, const char *of)
{
    return p + strspn(p, of);
}

bool mcx_gms_etag_matches(const char *if_none_match, const char *etag)
{
    const char *p = if_none_match;
    size_t len = strlen(etag);

    if (p == NULL) {
        return false;
    }
    p = skip(p, " \t,");
    if (strcmp(p, "*") == 0) {
        return true;
    }
    while (*p != '\0') {
        const char *end = NULL;

        p += strncmp(p, "W/", 2) == 0 ? 2 : 0;
        end = *p == '"' ? strchr(p + 1, '"') : NULL;
        if (end == NULL) {
            return false; /* not an entity tag: the whole header is nothing */
        }
        if ((size_t)(end - p) == len + 1 && memcmp(p + 1, etag, len) == 0) {
            return true;
        }
        p = skip(end + 1, " \t,");
    }
    return false;
}

static int check_token(struct job *j)
{
    if (!j->in->has_token) {
        j->out->www_authenticate = "Bearer";
        return refuse(j, 401, "the request has no access token", "TS 33.180 B.4");
    }
    if (j->in->token_err == MCX_E_POLICY) {
        j->out->www_authenticate = "Bearer error=\"insufficient_scope\"";
        /* 403 would say "no member" (TS 24.481 6.3.3), at which a client wipes its keys of the group */
        return refuse(j, 401, j->in->token_why.reason, j->in->token_why.clause);
    }
    if (j->in->token_err != MCX_OK) {
        j->out->www_authenticate = "Bearer error=\"invalid_token\"";
        return refuse(j, 401, j->in->token_why.reason != NULL ? j->in->token_why.reason : "the token is not good",
                      j->in->token_why.clause);
    }
    return 0;
}

static int check_path(struct job *j)
{
    char auid[AUID_MAX];
    size_t len = strcspn(j->in->target, "?#"); /* no node selector and no query here */

    if (j->in->target[len] != '\0' ||
        mcx_xcap_path_read(auid, sizeof auid, j->group, sizeof j->group, mcx_bytes(j->in->target, len)) != MCX_OK) {
        return refuse(j, 404, "no path of a document here", "RFC 4825 6.2");
    }
    if (strcmp(auid, MCX_AUID_GROUP) == 0) {
        j->document = MCX_GMS_DOC_GROUP;
    } else if (strcmp(auid, MCX_AUID_GKTP) == 0) {
        j->document = MCX_GMS_DOC_GKTP;
    } else {
        return refuse(j, 404, "no such application usage", "RFC 4825 5");
    }
    return 0;
}

static bool is_server(const struct job *j)
{
    const struct mcx_gms_xcap_config *c = &j->xcap->config;

    for (size_t i = 0; i < c->num_servers; i++) {
        if (strcmp(c->servers[i], j->in->user) == 0) {
            return true;
        }
    }
    return false;
}

static int deliver(struct job *j)
{
    const struct mcx_gms_docs *docs = &j->xcap->config.docs;
    struct mcx_gms_answer *out = j->out;
    char etag[MCX_GMS_ETAG_MAX] = "";
    mcx_err err = docs->document(docs->ctx, &out->body, &out->body_len, etag, j->document, j->group, j->in->user,
                                 is_server(j), j->in->unix_ms);

    if (err == MCX_E_NOKEY) {
        return refuse(j, 404, "there is no such group", "TS 24.481 6.3.3");
    }
    if (err == MCX_E_POLICY) {
        return refuse(j, 403, "the user is no member of the group", "TS 24.481 6.3.3");
    }
    if (err == MCX_OK) {
        err = docs->delivered(docs->ctx, j->document, j->group, j->in->user, etag, j->in->unix_ms);
    }
    if (err != MCX_OK) {
        const char *trouble = docs->trouble == NULL ? NULL : docs->trouble(docs->ctx);

        return refuse(j, 503, trouble == NULL ? "the database does not answer" : trouble, "");
    }
    (void)snprintf(out->etag, sizeof out->etag, "\"%s\"", etag);
    if (mcx_gms_etag_matches(j->in->if_none_match, etag)) {
        return 304;
    }
    out->content_type = j->document == MCX_GMS_DOC_GROUP ? MCX_TYPE_GROUP : MCX_TYPE_GKTP;
    return 200;
}

static int run(struct job *j)
{
    int status = 0;

    if (strcmp(j->in->method, "GET") != 0) {
        j->out->allow = "GET";
        return refuse(j, 405, "documents are only read here; 'mcx group' changes them", "RFC 4825 8");
    }
    status = check_token(j);
    status = status == 0 ? check_path(j) : status;
    return status == 0 ? deliver(j) : status;
}

#define TOO_MANY "too many refusals for this address"

static uint32_t spend(struct mcx_gms_xcap *x, const char *peer, uint64_t mono_ms)
{
    return x->config.refusals_per_minute == 0 ? 0 : mcx_rate_take(&x->refusals, mcx_bytes_str(peer), 1, mono_ms);
}

uint32_t mcx_gms_xcap_refusal(struct mcx_gms_xcap *xcap, const char *reason, const char *peer, uint64_t mono_ms)
{
    uint32_t wait_s = spend(xcap, peer, mono_ms);

    mcx_tally_add(&xcap->tally, wait_s == 0 ? reason : TOO_MANY);
    return wait_s;
}

/* A refusal to a peer that nobody vouches for: is there budget for a proper one? */
static bool shed(struct job *j)
{
    if (j->out->status < 400 || j->in->user != NULL) {
        return false;
    }
    j->out->retry_after_s = spend(j->xcap, j->in->peer, j->in->mono_ms);
    if (j->out->retry_after_s == 0) {
        return false;
    }
    j->out->status = refuse(j, 429, TOO_MANY, "RFC 6585 4");
    j->out->www_authenticate = NULL;
    j->out->allow = NULL;
    j->out->close = true;
    return true;
}

static void log_answer(const struct job *j)
{
    char event[96];
    struct mcx_log_record rec = { .level = j->out->status < 400 ? MCX_LOG_INFO : MCX_LOG_WARN,
                                  .subsystem = "gms",
                                  .subject = j->in->user != NULL ? j->in->user : j->in->peer,
                                  .event = event,
                                  .why = j->why };

    (void)snprintf(event, sizeof event, "%s document %d", j->document == MCX_GMS_DOC_GKTP ? "GKTP" : "group",
                   j->out->status);
    mcx_log(&j->xcap->config.log, &rec);
}

void mcx_gms_xcap_handle(struct mcx_gms_xcap *xcap, struct mcx_gms_answer *out, const struct mcx_gms_xcap_in *in)
{
    struct job j = { .xcap = xcap, .in = in, .out = out };

    *out = (struct mcx_gms_answer){ 0 };
    out->status = run(&j);
    if (!shed(&j)) {
        log_answer(&j);
    }
    if (out->status != 200) {
        free(out->body);
        out->body = NULL;
        out->body_len = 0;
    }
    mcx_tally_add(&xcap->tally, j.why.reason == NULL ? "served" : j.why.reason);
}
