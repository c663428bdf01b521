/* SPDX-License-Identifier: Apache-2.0 */
#include "mcx-kmsd/kmsd.h"

#include "io/file.h"

#include <mcx/secret.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define PASSPHRASE_MAX 1024

int usage_error(const char *what)
{
    fprintf(stderr, "mcx-kmsd: %s; 'mcx-kmsd --help' explains\n", what);
    return EXIT_USAGE;
}

int environment_error(const char *what, mcx_err err)
{
    if (err == MCX_E_POLICY) {
        fprintf(stderr,
                "mcx-kmsd: %s can be read by others, or belongs to another user than runs this program; run: "
                "chmod 600 %s, or chown\n",
                what, what);
    } else {
        fprintf(stderr, "mcx-kmsd: %s: %s\n", what,
                err == MCX_E_IO && errno != 0 ? strerror(errno) : mcx_err_name(err));
    }
    return EXIT_ENVIRONMENT;
}

int refused(const char *what)
{
    fprintf(stderr, "mcx-kmsd: refused: %s\n", what);
    return EXIT_REFUSED;
}

mcx_err dir_path(char out[PATH_LEN], const struct options *o, const char *name)
{
    int n = snprintf(out, PATH_LEN, "%s/%s", o->dir, name);

    return n > 0 && n < PATH_LEN ? MCX_OK : MCX_E_SPACE;
}

int seal_read(struct seal_secret *out, const struct options *o)
{
    struct mcx_file f = { 0 };
    struct mcx_bytes text;
    mcx_err err = MCX_OK;

    if ((o->seal_key == NULL) == (o->seal_passphrase == NULL)) {
        return usage_error("give one of --seal-key and --seal-passphrase");
    }
    if (o->seal_key != NULL) {
        out->p = mcx_secret_alloc(MCX_VAULT_SEAL_KEY_LEN);
        err = out->p == NULL ? MCX_E_NOMEM : mcx_file_read_key(out->p, o->seal_key);
        if (err != MCX_OK) {
            seal_clear(out);
            return err == MCX_E_FORMAT ? environment_error("the seal key file has to hold 64 hex digits", err)
                                       : environment_error(o->seal_key, err);
        }
        out->seal = (struct mcx_vault_seal){ false, mcx_bytes(out->p, MCX_VAULT_SEAL_KEY_LEN) };
        return EXIT_DONE;
    }
    err = mcx_file_read(&f, o->seal_passphrase, PASSPHRASE_MAX, true);
    if (err != MCX_OK) {
        return environment_error(o->seal_passphrase, err);
    }
    text = mcx_bytes_trim(mcx_bytes(f.p, f.len));
    out->p = f.p;
    out->seal = (struct mcx_vault_seal){ true, text };
    if (text.len == 0) {
        seal_clear(out);
        return environment_error("the passphrase file is empty", MCX_E_FORMAT);
    }
    return EXIT_DONE;
}

void seal_clear(struct seal_secret *s)
{
    mcx_secret_free(s->p);
    *s = (struct seal_secret){ 0 };
}

int db_open(struct mcx_kmsdb **out, const struct options *o)
{
    char path[PATH_LEN];
    mcx_err err = MCX_OK;

    if (o->dir == NULL) {
        return usage_error("--dir is missing");
    }
    if (dir_path(path, o, DB_NAME) != MCX_OK) {
        return usage_error("--dir is too long");
    }
    errno = 0;
    err = mcx_kmsdb_open(out, path);
    if (err == MCX_OK) {
        return EXIT_DONE;
    }
    if (err == MCX_E_UNSUP) {
        return environment_error("the database was made by another version of this program", err);
    }
    fprintf(stderr, "mcx-kmsd: cannot open %s; 'mcx-kmsd init' makes one\n", path);
    return EXIT_ENVIRONMENT;
}

static mcx_err read_cert(void *arg, struct mcx_bytes xml)
{
    struct mcx_kmsdoc **doc = arg;

    return mcx_kmsdoc_read(doc, xml, NULL, NULL);
}

int own_cert(struct mcx_kmsdoc **out, struct mcx_kmsdb *db)
{
    mcx_err err = mcx_kmsdb_cert(db, read_cert, out);

    if (err == MCX_OK && (*out)->num_certs != 1) {
        mcx_kmsdoc_free(*out);
        *out = NULL;
        err = MCX_E_FORMAT;
    }
    errno = 0;
    return err == MCX_OK ? EXIT_DONE : environment_error("the database holds no valid certificate of this KMS", err);
}

bool uri_ok(const char *uri)
{
    size_t n = 0;

    for (; uri[n] != '\0'; n++) {
        if (uri[n] < 0x21 || uri[n] > 0x7e) {
            return false;
        }
    }
    return n > 0 && n < MCX_VAULT_URI_MAX;
}

/* "sip:user@host:port;params", "user@host", "sip:host", "host": the host. */
static struct mcx_bytes host_of(const char *uri)
{
    const char *at = strrchr(uri, '@');
    const char *host = at != NULL ? at + 1 : uri;
    const char *scheme = at == NULL ? strchr(host, ':') : NULL;

    if (scheme != NULL && (scheme[1] < '0' || scheme[1] > '9')) {
        host = scheme + 1; /* no port: a scheme */
    }
    return mcx_bytes(host, strcspn(host, ":;?/"));
}

bool uri_in_domains(const char *uri, char *const *domains, size_t num)
{
    struct mcx_bytes host = host_of(uri);

    for (size_t i = 0; i < num; i++) {
        size_t len = strlen(domains[i]);

        if (host.len >= len && strncasecmp((const char *)host.p + host.len - len, domains[i], len) == 0 &&
            (host.len == len || host.p[host.len - len - 1] == '.')) {
            return true;
        }
    }
    return false;
}

int harden(void)
{
    struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
        return environment_error("core dumps cannot be switched off", MCX_E_IO);
    }
    return EXIT_DONE;
}
