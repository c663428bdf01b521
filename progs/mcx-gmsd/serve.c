/* SPDX-License-Identifier: Apache-2.0 */
/* The process that serves HTTPS: documents (src/gms/xcap.h) and administration (admin.c). */
#include "mcx-gmsd/gmsd.h"

#include "gms/xcap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define IDLE_S      30
#define LIFETIME_S  600
#define HEADERS_MAX 16384
#define BODY_MAX    (4u << 20) /* 10,000 members of a new group */

struct server {
    const struct options *o;
    struct mcx_gmsdb *db;
    struct mcx_jwks *jwks;
    struct mcx_token_policy users;
    struct mcx_token_policy admins;
    struct mcx_gms_xcap *xcap;
    struct mcx_http_server *http;
    struct mcx_gms_answer answer; /* of the request at hand: header values live until it is sent */
    char retry_after[16];
};

static mcx_err doc_get(void *ctx, char **xml, size_t *len, char etag[MCX_GMS_ETAG_MAX], enum mcx_gms_document document,
                       const char *group, const char *user, bool server, uint64_t now_ms)
{
    return mcx_gmsdb_document(ctx, xml, len, etag, document == MCX_GMS_DOC_GROUP ? MCX_GMSDB_GROUP : MCX_GMSDB_GKTP,
                              group, user, server, now_ms);
}

static mcx_err doc_delivered(void *ctx, enum mcx_gms_document document, const char *group, const char *user,
                             const char *etag, uint64_t now_ms)
{
    return mcx_gmsdb_delivered(ctx, document == MCX_GMS_DOC_GROUP ? MCX_GMSDB_GROUP : MCX_GMSDB_GKTP, group, user, etag,
                               now_ms);
}

static const char *doc_trouble(void *ctx)
{
    return mcx_gmsdb_trouble(ctx);
}

/* "Bearer b64token" (RFC 6750 2.1); empty when it is of another scheme. */
static struct mcx_bytes bearer(const char *authorization)
{
    static const char scheme[] = "Bearer ";

    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) {
        return mcx_bytes(NULL, 0);
    }
    return mcx_bytes_trim(mcx_bytes_str(authorization + sizeof scheme - 1));
}

static void free_body(char *body, size_t len)
{
    (void)len;
    free(body);
}

static void give_body(struct mcx_http_answer *out, const char *type, char *body, size_t len)
{
    if (body != NULL) {
        out->content_type = type;
        out->body = body;
        out->body_len = len;
        out->release = free_body;
    }
}

static void retry_after(struct server *s, struct mcx_http_answer *out, uint32_t seconds)
{
    (void)snprintf(s->retry_after, sizeof s->retry_after, "%" PRIu32, seconds);
    mcx_http_answer_header(out, "Retry-After", s->retry_after);
}

static void handle_document(struct server *s, struct mcx_http_answer *out, const struct mcx_http_request *req,
                            struct mcx_bytes token)
{
    struct mcx_token_claims claims = { 0 };
    struct mcx_gms_answer *a = &s->answer;
    struct mcx_gms_xcap_in in = { .method = req->method,
                                  .target = req->target,
                                  .if_none_match = req->if_none_match,
                                  .has_token = token.len > 0,
                                  .peer = req->peer,
                                  .unix_ms = mcx_clock_unix_ms(),
                                  .mono_ms = mcx_clock_mono_ms() };

    if (in.has_token) {
        in.token_err = mcx_token_verify(&claims, s->jwks, &s->users, token, in.unix_ms / 1000, &in.token_why);
        in.user = in.token_err == MCX_OK ? claims.mcptt_id : NULL;
    }
    mcx_gms_xcap_handle(s->xcap, a, &in);
    out->status = a->status;
    mcx_http_answer_header(out, "Cache-Control", "no-store");
    if (a->www_authenticate != NULL) {
        mcx_http_answer_header(out, "WWW-Authenticate", a->www_authenticate);
    }
    if (a->allow != NULL) {
        mcx_http_answer_header(out, "Allow", a->allow);
    }
    if (a->close) {
        mcx_http_answer_header(out, "Connection", "close");
    }
    if (a->etag[0] != '\0') {
        mcx_http_answer_header(out, "ETag", a->etag);
    }
    if (a->retry_after_s != 0) {
        retry_after(s, out, a->retry_after_s);
    }
    give_body(out, a->content_type, a->body, a->body_len);
}

/* Returns the status that is given: of refusals beyond the budget of an address 429, and nothing in the log. */
static int refuse_admin(struct server *s, struct mcx_http_answer *out, const char *peer, int status,
                        struct mcx_refusal why)
{
    const struct mcx_log log = gmsd_log();
    struct mcx_log_record rec = {
        .level = MCX_LOG_WARN, .subsystem = "gms", .subject = peer, .event = "administration refused", .why = why
    };
    const uint32_t wait_s = mcx_gms_xcap_refusal(s->xcap, why.reason, peer, mcx_clock_mono_ms());

    if (wait_s == 0) {
        mcx_log(&log, &rec);
        return status;
    }
    retry_after(s, out, wait_s);
    mcx_http_answer_header(out, "Connection", "close");
    return 429;
}

/* A token with the scope of administration, or of somebody who is configured. Returns 0 or a status. */
static int authorise(struct server *s, struct mcx_token_claims *claims, struct mcx_bytes token,
                     struct mcx_http_answer *out, const char *peer)
{
    const uint64_t now = mcx_clock_unix_ms() / 1000;
    struct mcx_refusal why = { "the request has no access token", "RFC 6750 2.1" };
    mcx_err err = token.len == 0 ? MCX_E_AUTH : mcx_token_verify(claims, s->jwks, &s->admins, token, now, &why);
    int status = 0;

    if (err == MCX_E_POLICY && mcx_token_verify(claims, s->jwks, &s->users, token, now, &why) == MCX_OK) {
        for (size_t i = 0; i < s->o->num_admins; i++) {
            err = strcmp(claims->mcptt_id, s->o->admins[i]) == 0 ? MCX_OK : err;
        }
        why.reason = "no administrator";
    }
    if (err == MCX_OK) {
        return 0;
    }
    status = refuse_admin(s, out, peer, err == MCX_E_POLICY ? 403 : 401, why);
    if (status != 429) {
        mcx_http_answer_header(out, "WWW-Authenticate",
                               err == MCX_E_POLICY ? "Bearer error=\"insufficient_scope\"" : "Bearer");
    }
    return status;
}

static char *admin_reason(int status)
{
    switch (status) {
    case 401: return admin_refusal(MCX_E_AUTH, "no good access token");
    case 403: return admin_refusal(MCX_E_POLICY, "no administrator");
    case 405: return admin_refusal(MCX_E_UNSUP, "administration is POST");
    default: return admin_refusal(MCX_E_POLICY, "too many refusals for this address");
    }
}

static void handle_admin(struct server *s, struct mcx_http_answer *out, const struct mcx_http_request *req,
                         struct mcx_bytes token)
{
    struct mcx_token_claims claims = { 0 };
    struct admin a = { .db = s->db, .who = claims.mcptt_id, .now_ms = mcx_clock_unix_ms() };
    char *json = NULL;

    mcx_http_answer_header(out, "Cache-Control", "no-store");
    if (strcmp(req->method, "POST") != 0) {
        mcx_http_answer_header(out, "Allow", "POST");
        out->status =
            refuse_admin(s, out, req->peer, 405, (struct mcx_refusal){ "administration is POST", "docs/GMS-API.md" });
    } else {
        out->status = authorise(s, &claims, token, out, req->peer);
    }
    if (out->status == 0) {
        out->status = admin_handle(&a, &json, req->target, req->body);
    } else {
        json = admin_reason(out->status);
    }
    give_body(out, "application/json", json, json == NULL ? 0 : strlen(json));
}

static void handle(void *ctx, struct mcx_http_answer *out, const struct mcx_http_request *req)
{
    struct server *s = ctx;
    struct mcx_bytes token = bearer(req->authorization);

    if (strncmp(req->target, ADMIN_PATH, sizeof ADMIN_PATH - 1) == 0) {
        handle_admin(s, out, req, token);
    } else {
        handle_document(s, out, req, token);
    }
}

static void count_line(void *arg, const char *name, uint64_t count)
{
    char event[160];

    (void)arg;
    (void)snprintf(event, sizeof event, "%" PRIu64 " %s", count, name);
    log_plain(MCX_LOG_INFO, "counter", event);
}

static void report(void *ctx)
{
    struct server *s = ctx;

    mcx_tally_each(&s->xcap->tally, count_line, NULL);
    count_line(NULL, "connections cut, too many of one address", mcx_http_server_cut(s->http));
}

static int open_tokens(struct server *s)
{
    s->users = user_policy(s->o);
    s->admins = s->users;
    s->admins.scopes = &s->o->admin_scope;
    s->admins.num_scopes = 1;
    return jwks_open(&s->jwks, s->o);
}

static int listen_http(struct server *s)
{
    struct mcx_http_config c = { .listen = s->o->listen,
                                 .tls_cert = s->o->tls_cert,
                                 .tls_key = s->o->tls_key,
                                 .limits = { .connections = (uint32_t)s->o->connections,
                                             .per_peer = (uint32_t)s->o->connections_per_peer,
                                             .idle_s = IDLE_S,
                                             .lifetime_s = LIFETIME_S,
                                             .headers_octets = HEADERS_MAX,
                                             .body_octets = BODY_MAX },
                                 .handle = handle,
                                 .report = report,
                                 .ctx = s,
                                 .log = gmsd_log() };
    mcx_err err = MCX_OK;

    errno = 0;
    err = mcx_http_server_new(&s->http, &c);
    if (err == MCX_E_ARG) {
        return usage_error("--listen wants ADDRESS:PORT");
    }
    if (err == MCX_E_AUTH) {
        return environment_error("--tls-cert and --tls-key cannot be loaded or do not belong together", err);
    }
    return err == MCX_OK ? EXIT_DONE : environment_error(s->o->listen, err);
}

static int open_xcap(struct server *s)
{
    const struct mcx_gms_xcap_config c = { .docs = { s->db, doc_get, doc_delivered, doc_trouble },
                                           .servers = s->o->mcptt_servers,
                                           .num_servers = s->o->num_mcptt_servers,
                                           .log = gmsd_log(),
                                           .refusals_per_minute = (uint32_t)s->o->refusals };

    s->xcap = malloc(sizeof *s->xcap);
    if (s->xcap == NULL) {
        return environment_error("memory", MCX_E_NOMEM);
    }
    mcx_gms_xcap_init(s->xcap, &c);
    return EXIT_DONE;
}

static int tell_port(const struct server *s, int fd)
{
    const uint16_t port = mcx_http_server_port(s->http);
    const uint8_t octets[2] = { (uint8_t)(port >> 8), (uint8_t)port };
    const bool ok = write(fd, octets, sizeof octets) == (ssize_t)sizeof octets;

    (void)close(fd);
    return ok ? EXIT_DONE : EXIT_ENVIRONMENT;
}

int serve_main(const struct options *o, const uint8_t *seal_key, int port_fd)
{
    struct server s = { .o = o };
    int rc = db_open(&s.db, o, seal_key);

    rc = rc == EXIT_DONE ? open_tokens(&s) : rc;
    rc = rc == EXIT_DONE ? open_xcap(&s) : rc;
    rc = rc == EXIT_DONE ? listen_http(&s) : rc;
    rc = rc == EXIT_DONE ? tell_port(&s, port_fd) : rc;
    if (rc == EXIT_DONE) {
        rc = mcx_http_server_run(s.http) == MCX_OK ? EXIT_DONE : EXIT_ENVIRONMENT;
        report(&s);
    }
    mcx_http_server_free(s.http);
    mcx_jwks_free(s.jwks);
    free(s.xcap);
    mcx_gmsdb_close(s.db);
    return rc;
}

int serve_check(const struct options *o)
{
    struct server s = { .o = o };
    int rc = open_tokens(&s);

    rc = rc == EXIT_DONE ? listen_http(&s) : rc;
    mcx_http_server_free(s.http);
    mcx_jwks_free(s.jwks);
    return rc;
}
