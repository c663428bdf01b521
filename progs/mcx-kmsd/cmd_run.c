/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-kmsd run: the daemon. Order: configuration, files and socket, drop privilege, self-test, serve. */
#define _DEFAULT_SOURCE 1 /* initgroups */
#include "mcx-kmsd/kmsd.h"

#include "io/file.h"
#include "io/http_server.h"
#include "io/token.h"
#include "kms/core.h"

#include <mcx/selftest.h>

#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define JWKS_MAX      65536
#define IDLE_S        15
#define LIFETIME_S    120
#define HEADERS_MAX   16384
#define HTTP_BODY_MAX (4 * MCX_KMS_BODY_MAX) /* the core answers 400 over its own limit; this ends the reading */

struct daemon {
    struct mcx_vault *vault;
    struct mcx_kmsdb *db;
    struct mcx_kmsdoc *cert;
    struct mcx_kms_core *core;
    struct mcx_jwks *jwks;
    struct mcx_token_policy policy;
    struct mcx_http_server *http;
    enum mcx_log_level min_level;
    struct mcx_log log;
    struct mcx_kms_answer answer; /* of the request at hand: header values live until it is sent */
    char retry_after[16];
};

static int check_options(const struct options *o)
{
    if (o->dir == NULL || o->listen == NULL || o->tls_cert == NULL || o->tls_key == NULL || o->jwks == NULL) {
        return usage_error("run wants --dir, a seal, --listen, --tls-cert, --tls-key and --jwks");
    }
    if (mcx_file_is_open_to_all(o->tls_key)) {
        return environment_error(o->tls_key, MCX_E_POLICY);
    }
    return EXIT_DONE;
}

static int open_vault(struct daemon *d, const struct options *o)
{
    struct seal_secret seal = { 0 };
    struct mcx_file f = { 0 };
    char path[PATH_LEN];
    mcx_err err = MCX_OK;
    int rc = seal_read(&seal, o);

    if (rc != EXIT_DONE) {
        return rc;
    }
    errno = 0;
    if (dir_path(path, o, SEALED_NAME) != MCX_OK ||
        (err = mcx_file_read(&f, path, MCX_VAULT_SEALED_MAX, true)) != MCX_OK) {
        rc = environment_error(path, err);
        if (err == MCX_E_IO && errno == ENOENT) {
            fputs("mcx-kmsd: 'mcx-kmsd init' makes a KMS\n", stderr);
        }
    } else if ((err = mcx_vault_open(&d->vault, mcx_bytes(f.p, f.len), &seal.seal)) != MCX_OK) {
        rc = environment_error(err == MCX_E_AUTH  ? "the master secrets do not open with this seal key"
                               : err == MCX_E_ARG ? "the master secrets were sealed with the other kind of seal"
                                                  : path,
                               err);
    }
    mcx_file_clear(&f);
    seal_clear(&seal);
    return rc;
}

static int open_jwks(struct daemon *d, const struct options *o)
{
    struct mcx_file f = { 0 };
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_file_read(&f, o->jwks, JWKS_MAX, false);

    if (err != MCX_OK) {
        return environment_error(o->jwks, err);
    }
    err = mcx_jwks_read(&d->jwks, mcx_bytes(f.p, f.len), &why);
    mcx_file_clear(&f);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx-kmsd: %s: %s\n", o->jwks, why.reason == NULL ? mcx_err_name(err) : why.reason);
        return EXIT_ENVIRONMENT;
    }
    d->policy = (struct mcx_token_policy){
        .iss = o->token_iss,
        .aud = o->token_aud,
        .scopes = o->num_scopes > 0 ? o->token_scopes : mcx_token_kms_scopes,
        .num_scopes = o->num_scopes > 0 ? o->num_scopes : MCX_TOKEN_NUM_KMS_SCOPES,
        .skew_s = o->token_skew,
    };
    return EXIT_DONE;
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

static void to_http(struct mcx_http_answer *out, struct mcx_kms_answer *a, char retry[16])
{
    out->status = a->status;
    mcx_http_answer_header(out, "Cache-Control", "no-store");
    mcx_http_answer_header(out, "X-Request-Id", a->request_id);
    if (a->www_authenticate != NULL) {
        mcx_http_answer_header(out, "WWW-Authenticate", a->www_authenticate);
    }
    if (a->close) {
        mcx_http_answer_header(out, "Connection", "close");
    }
    if (a->allow_post) {
        mcx_http_answer_header(out, "Allow", "POST");
    }
    if (a->retry_after_s != 0) {
        (void)snprintf(retry, 16, "%u", a->retry_after_s);
        mcx_http_answer_header(out, "Retry-After", retry);
    }
    if (a->xml != NULL) {
        out->content_type = "application/xml";
        out->body = a->xml;
        out->body_len = a->xml_len;
        out->release = mcx_kmsdoc_text_free;
        a->xml = NULL; /* handed over */
        a->xml_len = 0;
    }
}

static void handle(void *ctx, struct mcx_http_answer *out, const struct mcx_http_request *req)
{
    struct daemon *d = ctx;
    struct mcx_token_claims claims = { 0 };
    struct mcx_bytes token = bearer(req->authorization);
    struct mcx_kms_in in = { .method = mcx_bytes_str(req->method),
                             .target = mcx_bytes_str(req->target),
                             .body = req->body,
                             .peer = req->peer,
                             .unix_ms = mcx_clock_unix_ms(),
                             .mono_ms = mcx_clock_mono_ms() };

    in.auth.present = token.len > 0;
    if (in.auth.present) {
        in.auth.err = mcx_token_verify(&claims, d->jwks, &d->policy, token, in.unix_ms / 1000, &in.auth.why);
        in.auth.mcptt_id = in.auth.err == MCX_OK ? claims.mcptt_id : NULL;
    }
    mcx_kms_handle(d->core, &d->answer, &in);
    to_http(out, &d->answer, d->retry_after);
}

static void count_line(void *arg, const char *name, uint64_t count)
{
    const struct daemon *d = arg;
    char event[160];
    struct mcx_log_record rec = { .level = MCX_LOG_INFO, .subsystem = "kms", .subject = "counter", .event = event };

    (void)snprintf(event, sizeof event, "%llu %s", (unsigned long long)count, name);
    mcx_log(&d->log, &rec);
}

/* At SIGUSR1 and at the end: how many answers of each kind. */
static void report(void *ctx)
{
    struct daemon *d = ctx;

    mcx_tally_each(mcx_kms_tally(d->core), count_line, d);
    count_line(d, "connections cut, too many of one address", mcx_http_server_cut(d->http));
}

static int listen_http(struct daemon *d, const struct options *o)
{
    struct mcx_http_config c = { .listen = o->listen,
                                 .tls_cert = o->tls_cert,
                                 .tls_key = o->tls_key,
                                 .limits = { .connections = (uint32_t)o->connections,
                                             .per_peer = (uint32_t)o->connections_per_peer,
                                             .idle_s = IDLE_S,
                                             .lifetime_s = LIFETIME_S,
                                             .headers_octets = HEADERS_MAX,
                                             .body_octets = HTTP_BODY_MAX },
                                 .handle = handle,
                                 .report = report,
                                 .ctx = d,
                                 .log = d->log };
    mcx_err err = MCX_OK;

    errno = 0;
    err = mcx_http_server_new(&d->http, &c);
    if (err == MCX_E_ARG) {
        return usage_error("--listen wants ADDRESS:PORT");
    }
    if (err == MCX_E_AUTH) {
        return environment_error("--tls-cert and --tls-key cannot be loaded or do not belong together", err);
    }
    return err == MCX_OK ? EXIT_DONE : environment_error(o->listen, err);
}

static int drop_privilege(const struct options *o)
{
    struct passwd *pw = NULL;

    if (o->user == NULL || geteuid() != 0) {
        return EXIT_DONE;
    }
    errno = 0;
    pw = getpwnam(o->user);
    if (pw == NULL) {
        return environment_error("--user names nobody", MCX_E_NOKEY);
    }
    if (initgroups(o->user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0 || setuid(0) == 0) {
        return environment_error("privileges cannot be dropped", MCX_E_IO);
    }
    return harden(); /* a change of user makes the process dumpable again */
}

static int open_core(struct daemon *d, const struct options *o)
{
    struct mcx_kms_config c = { .vault = d->vault,
                                .rng = mcx_rng_system(),
                                .log = d->log,
                                .time_tolerance_s = o->time_tolerance,
                                .key_sets_per_minute = (uint32_t)o->rate,
                                .refusals_per_minute = (uint32_t)o->refusals };
    int rc = db_open(&d->db, o);
    mcx_err err = MCX_OK;

    if (rc != EXIT_DONE || (rc = own_cert(&d->cert, d->db)) != EXIT_DONE) {
        return rc;
    }
    c.root = &d->cert->certs[0];
    c.store = mcx_kmsdb_store(d->db);
    err = mcx_kms_core_new(&d->core, &c);
    errno = 0;
    return err == MCX_OK ? EXIT_DONE
                         : environment_error("the certificate in the database is not of these master secrets", err);
}

static int self_test(void)
{
    const char *which = NULL;
    mcx_err err = mcx_crypto_self_test(&which);

    if (err != MCX_OK) {
        fprintf(stderr, "mcx-kmsd: self-test of %s failed (%s); do not use this build\n", which == NULL ? "?" : which,
                mcx_err_name(err));
        return EXIT_ENVIRONMENT;
    }
    return EXIT_DONE;
}

static int tell_ready(const struct daemon *d, const struct options *o)
{
    json_t *o_json = NULL;
    char *text = NULL;
    mcx_err err = MCX_OK;

    if (o->ready_file == NULL) {
        return EXIT_DONE;
    }
    o_json = json_pack("{s:i, s:s, s:i, s:s}", "pid", (int)getpid(), "listen", o->listen, "port",
                       (int)mcx_http_server_port(d->http), "kms_uri", d->cert->certs[0].kms_uri);
    text = o_json == NULL ? NULL : json_dumps(o_json, 0);
    err = text == NULL ? MCX_E_NOMEM : mcx_file_replace(o->ready_file, mcx_bytes_str(text), 0644);
    free(text);
    json_decref(o_json);
    return err == MCX_OK ? EXIT_DONE : environment_error(o->ready_file, err);
}

static int start(struct daemon *d, const struct options *o)
{
    int rc = check_options(o);

    rc = rc == EXIT_DONE ? open_vault(d, o) : rc;
    rc = rc == EXIT_DONE ? open_jwks(d, o) : rc;
    rc = rc == EXIT_DONE ? listen_http(d, o) : rc;
    rc = rc == EXIT_DONE ? drop_privilege(o) : rc;
    rc = rc == EXIT_DONE ? open_core(d, o) : rc;
    return rc == EXIT_DONE ? self_test() : rc;
}

static void log_plain(const struct daemon *d, enum mcx_log_level level, const char *event)
{
    struct mcx_log_record rec = { .level = level, .subsystem = "kms", .event = event };

    mcx_log(&d->log, &rec);
}

int cmd_run(const struct options *o)
{
    struct daemon d = { .min_level = MCX_LOG_INFO };
    struct stat st;
    int rc = EXIT_DONE;

    d.log = (struct mcx_log){ mcx_log_stderr, &d.min_level };
    rc = start(&d, o);
    if (rc == EXIT_DONE && o->check_only) {
        puts("mcx-kmsd: the configuration is good");
    } else if (rc == EXIT_DONE && (rc = tell_ready(&d, o)) == EXIT_DONE) {
        if (stat(o->tls_key, &st) == 0 && (st.st_mode & S_IRWXG) != 0) {
            log_plain(&d, MCX_LOG_WARN, "a group can read the TLS key file");
        }
        if (o->token_iss == NULL || o->token_aud == NULL) {
            log_plain(&d, MCX_LOG_WARN, "issuer or audience of tokens is not pinned (--token-iss, --token-aud)");
        }
        log_plain(&d, MCX_LOG_INFO, "serving");
        rc = mcx_http_server_run(d.http) == MCX_OK ? EXIT_DONE : EXIT_ENVIRONMENT;
        report(&d);
        log_plain(&d, MCX_LOG_INFO, "ended");
    }
    mcx_http_server_free(d.http);
    mcx_kms_core_free(d.core);
    mcx_kmsdoc_free(d.cert);
    mcx_kmsdb_close(d.db);
    mcx_jwks_free(d.jwks);
    mcx_vault_free(d.vault);
    return rc;
}
