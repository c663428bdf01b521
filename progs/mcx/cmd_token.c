/* SPDX-License-Identifier: Apache-2.0 */
/* mcx token: keys and access tokens for laboratories without an identity server. */
#include "mcx/cmd.h"
#include "mcx/opts.h"

#include "io/file.h"
#include "io/token.h"

#include <mcx/seam.h>
#include <mcx/secret.h>
#include <mcx/text.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND        "token"
#define MAX_SCOPES     16
#define JWKS_MAX       65536
#define KEY_MAX        16384
#define EXPIRES_IN_S   3600
#define EXPIRES_IN_MAX UINT64_C(315360000) /* ten years */

static const char help[] =
    "usage: mcx token keygen --alg ES256|RS256 --out KEY.jwk --jwks JWKS.json\n"
    "       mcx token issue --key KEY.jwk --mcptt-id URI --iss ISSUER --aud AUDIENCE\n"
    "                       [--scope SCOPE ...] [--expires-in SECONDS]\n"
    "       mcx token verify --jwks JWKS.json [--iss ISSUER] [--aud AUDIENCE] [--scope SCOPE ...] [--token FILE]\n"
    "\n"
    "For laboratories: stands in for the identity management server of TS 33.180 annex B.\n"
    "  keygen   writes a new private key (mode 0600) and adds its public half to the JWKS\n"
    "  issue    prints a signed access token; without --scope it has both scopes of a KMS\n"
    "  verify   checks a token (standard input without --token) and prints its claims as JSON\n"
    "Exit codes: 0 done, 1 token refused, 2 usage, 3 environment.\n";

struct opts {
    const char *alg;
    const char *out;
    const char *jwks;
    const char *key;
    const char *mcptt_id;
    const char *iss;
    const char *aud;
    const char *token;
    const char *scopes[MAX_SCOPES];
    size_t num_scopes;
    uint64_t expires_in;
};

static int file_error(const char *path, mcx_err err)
{
    if (err == MCX_E_POLICY) {
        fprintf(stderr, "mcx token: %s can be read by others; run: chmod 600 %s\n", path, path);
    } else {
        fprintf(stderr, "mcx token: %s: %s\n", path, err == MCX_E_IO ? strerror(errno) : mcx_err_name(err));
    }
    return EXIT_ENVIRONMENT;
}

static int read_opts(struct opts *o, int argc, char **argv)
{
    const char *expires_in = NULL;
    const struct cmd_opt opts[] = {
        { .name = "alg", .value = &o->alg },
        { .name = "out", .value = &o->out },
        { .name = "jwks", .value = &o->jwks },
        { .name = "key", .value = &o->key },
        { .name = "mcptt-id", .value = &o->mcptt_id },
        { .name = "iss", .value = &o->iss },
        { .name = "aud", .value = &o->aud },
        { .name = "scope", .value = o->scopes, .num = &o->num_scopes, .max = MAX_SCOPES },
        { .name = "token", .value = &o->token },
        { .name = "expires-in", .value = &expires_in },
        { .name = NULL },
    };
    int rc = cmd_opts_read(COMMAND, opts, argc, argv);

    if (rc != EXIT_DONE) {
        return rc;
    }
    if (expires_in != NULL && mcx_dec_read(&o->expires_in, EXPIRES_IN_MAX, mcx_bytes_str(expires_in)) != MCX_OK) {
        return cmd_usage_error(COMMAND, "--expires-in wants seconds, at most ten years");
    }
    if (o->num_scopes == 0) {
        memcpy(o->scopes, mcx_token_kms_scopes, sizeof mcx_token_kms_scopes[0] * MCX_TOKEN_NUM_KMS_SCOPES);
        o->num_scopes = MCX_TOKEN_NUM_KMS_SCOPES;
    }
    return EXIT_DONE;
}

static int keygen(const struct opts *o)
{
    struct mcx_file old = { 0 };
    char *key = NULL;
    char *jwks = NULL;
    enum mcx_token_alg alg = MCX_TOKEN_ES256;
    int rc = EXIT_DONE;
    mcx_err err = MCX_OK;

    if (o->alg == NULL || o->out == NULL || o->jwks == NULL) {
        return cmd_usage_error(COMMAND, "keygen wants --alg, --out and --jwks");
    }
    if (strcmp(o->alg, "RS256") == 0) {
        alg = MCX_TOKEN_RS256;
    } else if (strcmp(o->alg, "ES256") != 0) {
        return cmd_usage_error(COMMAND, "--alg is ES256 or RS256");
    }
    err = mcx_file_read(&old, o->jwks, JWKS_MAX, false);
    if (err != MCX_OK && !(err == MCX_E_IO && errno == ENOENT)) {
        return file_error(o->jwks, err);
    }
    err = mcx_token_keygen(&key, &jwks, alg, mcx_bytes(old.p, old.len));
    if (err != MCX_OK) {
        fprintf(stderr, "mcx token: %s\n",
                err == MCX_E_FORMAT ? "the --jwks file is there and is no JWKS" : "no key made");
        rc = EXIT_ENVIRONMENT;
    } else if ((err = mcx_file_create(o->out, mcx_bytes_str(key), 0600)) != MCX_OK) {
        rc = file_error(o->out, err);
    } else if ((err = mcx_file_replace(o->jwks, mcx_bytes_str(jwks), 0644)) != MCX_OK) {
        rc = file_error(o->jwks, err);
    }
    mcx_token_secret_free(key);
    free(jwks);
    mcx_file_clear(&old);
    return rc;
}

static int issue(const struct opts *o)
{
    struct mcx_token_issue what = { .mcptt_id = o->mcptt_id,
                                    .iss = o->iss,
                                    .aud = o->aud,
                                    .scopes = o->scopes,
                                    .num_scopes = o->num_scopes,
                                    .now = mcx_clock_unix_ms() / 1000,
                                    .expires_in = o->expires_in };
    struct mcx_file key = { 0 };
    struct mcx_refusal why = { 0 };
    char *token = NULL;
    mcx_err err = MCX_OK;

    if (o->key == NULL || o->mcptt_id == NULL || o->iss == NULL || o->aud == NULL) {
        return cmd_usage_error(COMMAND, "issue wants --key, --mcptt-id, --iss and --aud");
    }
    err = mcx_file_read(&key, o->key, KEY_MAX, true);
    if (err != MCX_OK) {
        return file_error(o->key, err);
    }
    err = mcx_token_issue(&token, mcx_bytes(key.p, key.len), &what, &why);
    mcx_file_clear(&key);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx token: %s\n", why.reason == NULL ? mcx_err_name(err) : why.reason);
        return EXIT_ENVIRONMENT;
    }
    puts(token);
    mcx_token_secret_free(token);
    return EXIT_DONE;
}

/* The token itself, from a file or standard input; it is a credential and stays in locked memory. */
static mcx_err read_token(struct mcx_file *out, const char *path)
{
    size_t n = 0;

    if (path != NULL && strcmp(path, "-") != 0) {
        return mcx_file_read(out, path, MCX_TOKEN_MAX + 2, false);
    }
    out->p = mcx_secret_alloc(MCX_TOKEN_MAX + 2);
    if (out->p == NULL) {
        return MCX_E_NOMEM;
    }
    while (out->len < MCX_TOKEN_MAX + 2 && (n = fread(out->p + out->len, 1, MCX_TOKEN_MAX + 2 - out->len, stdin)) > 0) {
        out->len += n;
    }
    return ferror(stdin) ? MCX_E_IO : MCX_OK;
}

static int print_verdict(mcx_err err, const struct mcx_token_claims *c, const struct mcx_refusal *why)
{
    json_t *o = err == MCX_OK
                    ? json_pack("{s:s, s:s, s:I}", "status", "ok", "mcptt_id", c->mcptt_id, "exp", (json_int_t)c->exp)
                    : json_pack("{s:s, s:s}", "status", mcx_err_name(err), "reason",
                                why->reason == NULL ? mcx_err_name(err) : why->reason);

    json_dumpf(o, stdout, 0);
    putchar('\n');
    json_decref(o);
    return err == MCX_OK ? EXIT_DONE : EXIT_REFUSED;
}

static int verify(const struct opts *o)
{
    struct mcx_token_policy policy = {
        .iss = o->iss, .aud = o->aud, .scopes = o->scopes, .num_scopes = o->num_scopes, .skew_s = MCX_TOKEN_SKEW_S
    };
    struct mcx_file json = { 0 };
    struct mcx_file token = { 0 };
    struct mcx_jwks *jwks = NULL;
    struct mcx_token_claims claims = { 0 };
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;
    int rc = EXIT_DONE;

    if (o->jwks == NULL) {
        return cmd_usage_error(COMMAND, "verify wants --jwks");
    }
    if ((err = mcx_file_read(&json, o->jwks, JWKS_MAX, false)) != MCX_OK) {
        rc = file_error(o->jwks, err);
    } else if ((err = read_token(&token, o->token)) != MCX_OK) {
        rc = file_error(o->token == NULL ? "standard input" : o->token, err);
    } else if ((err = mcx_jwks_read(&jwks, mcx_bytes(json.p, json.len), &why)) != MCX_OK) {
        fprintf(stderr, "mcx token: %s: %s\n", o->jwks, why.reason == NULL ? mcx_err_name(err) : why.reason);
        rc = EXIT_ENVIRONMENT;
    } else {
        err = mcx_token_verify(&claims, jwks, &policy, mcx_bytes_trim(mcx_bytes(token.p, token.len)),
                               mcx_clock_unix_ms() / 1000, &why);
        rc = print_verdict(err, &claims, &why);
    }
    mcx_jwks_free(jwks);
    mcx_file_clear(&token);
    mcx_file_clear(&json);
    return rc;
}

int cmd_token(int argc, char **argv)
{
    struct opts o = { .expires_in = EXPIRES_IN_S };
    int rc = EXIT_DONE;

    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (asks_help(argc, argv)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    rc = read_opts(&o, argc - 1, argv + 1);
    if (rc != EXIT_DONE) {
        return rc;
    }
    if (strcmp(argv[1], "keygen") == 0) {
        return keygen(&o);
    }
    if (strcmp(argv[1], "issue") == 0) {
        return issue(&o);
    }
    if (strcmp(argv[1], "verify") == 0) {
        return verify(&o);
    }
    return cmd_usage_error(COMMAND, "the verbs are keygen, issue and verify");
}
