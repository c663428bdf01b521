/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROGS_KMSD_H
#define MCX_PROGS_KMSD_H

#include <mcx/kmsdoc.h>

#include "io/kmsdb.h"
#include "kms/vault.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

#define MAX_WORDS  4
#define MAX_SCOPES 16
#define PATH_LEN   1024

/* All options of all subcommands; each subcommand says which it wants. */
struct options {
    const char *dir;
    const char *seal_key;
    const char *seal_passphrase;
    const char *kms_uri;
    const char *cert_uri;
    const char *issuer;
    const char *domains[MCX_KMSDOC_MAX_DOMAINS];
    size_t num_domains;
    uint64_t period;
    uint64_t offset;
    const char *listen;
    const char *tls_cert;
    const char *tls_key;
    const char *jwks;
    const char *token_iss;
    const char *token_aud;
    const char *token_scopes[MAX_SCOPES];
    size_t num_scopes;
    uint64_t token_skew;
    uint64_t time_tolerance;
    uint64_t rate;
    uint64_t refusals;
    uint64_t connections;
    uint64_t connections_per_peer;
    const char *user;
    const char *ready_file;
    const char *user_uri;
    const char *mcptt_id;
    const char *kind;
    bool json;
    bool check_only;
    const char *word[MAX_WORDS]; /* verbs and file names, in order */
    size_t num_words;
};

int cmd_init(const struct options *o);
int cmd_run(const struct options *o);
int cmd_user(const struct options *o);
int cmd_server(const struct options *o);
int cmd_external(const struct options *o);
int cmd_cert(const struct options *o);
int cmd_audit(const struct options *o);

/* One line on standard error; returns the exit code. */
int usage_error(const char *what);
int environment_error(const char *what, mcx_err err);
int refused(const char *what);

/* DIR/NAME */
mcx_err dir_path(char out[PATH_LEN], const struct options *o, const char *name);
#define DB_NAME     "kms.db"
#define SEALED_NAME "master.sealed"

/* The seal's secret from --seal-key or --seal-passphrase; clear with seal_clear(). Returns an exit code. */
struct seal_secret {
    struct mcx_vault_seal seal;
    uint8_t *p; /* locked memory */
};
int seal_read(struct seal_secret *out, const struct options *o);
void seal_clear(struct seal_secret *s);

/* Open the database of --dir; prints what is wrong. Returns an exit code. */
int db_open(struct mcx_kmsdb **out, const struct options *o);
/* Own certificate from the database; free with mcx_kmsdoc_free(). Returns an exit code. */
int own_cert(struct mcx_kmsdoc **out, struct mcx_kmsdb *db);

/* A URI as this KMS issues it: printable ASCII without space (RFC 3986 2; NFKC leaves it as it is). */
bool uri_ok(const char *uri);
/* Host of a URI lies in one of the domains, on label boundaries. */
bool uri_in_domains(const char *uri, char *const *domains, size_t num);

/* No core dump, no debugger of the same user. Returns an exit code. */
int harden(void);

#endif
