/* SPDX-License-Identifier: Apache-2.0 */
#include "mcx-gmsd/gmsd.h"

#include "io/file.h"
#include "io/store_file.h"

#include <mcx/secret.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define JWKS_MAX 65536

int usage_error(const char *what)
{
    fprintf(stderr, "mcx-gmsd: %s; 'mcx-gmsd --help' explains\n", what);
    return EXIT_USAGE;
}

int environment_error(const char *what, mcx_err err)
{
    if (err == MCX_E_POLICY) {
        fprintf(stderr,
                "mcx-gmsd: %s can be read by others, or belongs to another user than runs this program; run: "
                "chmod 600 %s, or chown\n",
                what, what);
    } else {
        fprintf(stderr, "mcx-gmsd: %s: %s\n", what,
                err == MCX_E_IO && errno != 0 ? strerror(errno) : mcx_err_name(err));
    }
    return EXIT_ENVIRONMENT;
}

mcx_err db_path(char out[PATH_LEN], const struct options *o)
{
    int n = snprintf(out, PATH_LEN, "%s/%s", o->dir, DB_NAME);

    return n > 0 && n < PATH_LEN ? MCX_OK : MCX_E_SPACE;
}

int seal_read(uint8_t **out, const struct options *o)
{
    mcx_err err = MCX_OK;

    if (o->seal_key == NULL) {
        return usage_error("--seal-key is missing");
    }
    errno = 0;
    *out = mcx_secret_alloc(MCX_GMS_SEAL_KEY_LEN);
    err = *out == NULL ? MCX_E_NOMEM : mcx_file_read_key(*out, o->seal_key);
    if (err == MCX_OK) {
        return EXIT_DONE;
    }
    mcx_secret_free(*out);
    *out = NULL;
    return err == MCX_E_FORMAT ? environment_error("the seal key file has to hold 64 hex digits", err)
                               : environment_error(o->seal_key, err);
}

int db_open(struct mcx_gmsdb **out, const struct options *o, const uint8_t *seal_key)
{
    struct mcx_gmsdb_policy policy = { .seal_key = seal_key,
                                       .rng = mcx_rng_system(),
                                       .timing = { .fetch_window_s = (uint32_t)o->fetch_window,
                                                   .urgent_window_s = (uint32_t)o->urgent_window,
                                                   .key_lifetime_s = (uint32_t)o->key_lifetime,
                                                   .rekey_every_s = (uint32_t)o->rekey_every },
                                       .sakke_to_self = o->sakke_to_self,
                                       .num_mcptt_servers = o->num_mcptt_servers };
    char path[PATH_LEN];
    mcx_err err = MCX_OK;

    if (o->dir == NULL) {
        return usage_error("--dir is missing");
    }
    if (db_path(path, o) != MCX_OK) {
        return usage_error("--dir is too long");
    }
    memcpy(policy.mcptt_server, o->mcptt_servers, sizeof policy.mcptt_server);
    errno = 0;
    err = mcx_gmsdb_open(out, path, &policy);
    if (err == MCX_OK) {
        return EXIT_DONE;
    }
    if (err == MCX_E_UNSUP) {
        return environment_error("the database was made by another version of this program", err);
    }
    if (err == MCX_E_AUTH) {
        return environment_error("the group keys do not open with this seal key", err);
    }
    fprintf(stderr, "mcx-gmsd: cannot open %s; 'mcx-gmsd init' makes one\n", path);
    return EXIT_ENVIRONMENT;
}

int store_open(struct mcx_store **out, const struct options *o)
{
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    if (o->store == NULL || o->store_key == NULL) {
        return usage_error("--store and --store-key are missing");
    }
    err = mcx_store_file_read(out, o->store, o->store_key, 0, &why);
    if (err == MCX_OK) {
        return EXIT_DONE;
    }
    fprintf(stderr, "mcx-gmsd: %s: %s; 'mcx kms fetch' fills it\n", o->store,
            why.reason != NULL ? why.reason : mcx_err_name(err));
    return EXIT_ENVIRONMENT;
}

int jwks_open(struct mcx_jwks **out, const struct options *o)
{
    struct mcx_file f = { 0 };
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_file_read(&f, o->jwks, JWKS_MAX, false);

    if (err != MCX_OK) {
        return environment_error(o->jwks, err);
    }
    err = mcx_jwks_read(out, mcx_bytes(f.p, f.len), &why);
    mcx_file_clear(&f);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx-gmsd: %s: %s\n", o->jwks, why.reason == NULL ? mcx_err_name(err) : why.reason);
        return EXIT_ENVIRONMENT;
    }
    return EXIT_DONE;
}

/* TS 33.180 B.4.2.2: the scope of a group management client. */
static const char *const user_scopes[] = { "3gpp:mcptt:group_management_server" };

struct mcx_token_policy user_policy(const struct options *o)
{
    return (struct mcx_token_policy){ .iss = o->token_iss,
                                      .aud = o->token_aud,
                                      .scopes = o->num_scopes > 0 ? o->token_scopes : user_scopes,
                                      .num_scopes = o->num_scopes > 0 ? o->num_scopes : 1,
                                      .skew_s = o->token_skew };
}

int harden(void)
{
    struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
        return environment_error("core dumps cannot be switched off", MCX_E_IO);
    }
    return EXIT_DONE;
}

struct mcx_log gmsd_log(void)
{
    static enum mcx_log_level level = MCX_LOG_INFO;

    return (struct mcx_log){ mcx_log_stderr, &level };
}

void log_plain(enum mcx_log_level level, const char *subject, const char *event)
{
    const struct mcx_log log = gmsd_log();
    const struct mcx_log_record rec = { .level = level, .subsystem = "gms", .subject = subject, .event = event };

    mcx_log(&log, &rec);
}
