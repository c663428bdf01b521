/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROGS_GMSD_H
#define MCX_PROGS_GMSD_H

#include "io/gmsdb.h"
#include "io/http_server.h"
#include "io/token.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

#define MAX_WORDS  2
#define MAX_SCOPES 16
#define MAX_ADMINS 16
#define PATH_LEN   1024
#define DB_NAME    "gms.db"

/* All options of all subcommands. */
struct options {
    const char *dir;
    const char *gms_uri;
    const char *seal_key;
    const char *store;
    const char *store_key;
    const char *kms_url; /* NULL = the operator fills the store */
    const char *kms_uri;
    const char *kms_ca;
    const char *kms_token;
    const char *listen;
    const char *sip_listen; /* NULL = members are not notified */
    const char *tls_cert;
    const char *tls_key;
    const char *jwks;
    const char *token_iss;
    const char *token_aud;
    const char *token_scopes[MAX_SCOPES];
    size_t num_scopes;
    const char *admin_scope;
    const char *admins[MAX_ADMINS];
    size_t num_admins;
    const char *mcptt_servers[MCX_GMSDB_MAX_SERVERS];
    size_t num_mcptt_servers;
    const char *ready_file;
    uint64_t token_skew;
    uint64_t workers;
    uint64_t fetch_window;
    uint64_t urgent_window;
    uint64_t key_lifetime;
    uint64_t rekey_every;
    uint64_t refusals;
    uint64_t connections;
    uint64_t connections_per_peer;
    bool sakke_to_self;
    bool json;
    bool check_only;
    const char *word[MAX_WORDS];
    size_t num_words;
};

int cmd_init(const struct options *o);
int cmd_run(const struct options *o);
int cmd_audit(const struct options *o);

/* One line on standard error; returns the exit code. */
int usage_error(const char *what);
int environment_error(const char *what, mcx_err err);

/* DIR/gms.db */
mcx_err db_path(char out[PATH_LEN], const struct options *o);
/* The seal key in locked memory; free with mcx_secret_free(). Returns an exit code. */
int seal_read(uint8_t **out, const struct options *o);
/* Open the database of --dir; `seal_key` may be NULL. Prints what is wrong. Returns an exit code. */
int db_open(struct mcx_gmsdb **out, const struct options *o, const uint8_t *seal_key);
/* The key store of the GMS itself. Returns an exit code. */
struct mcx_store;
int store_open(struct mcx_store **out, const struct options *o);
int harden(void);
/* Keys of the identity servers. Returns an exit code. */
int jwks_open(struct mcx_jwks **out, const struct options *o);
/* What the token of a member has to say; borrows from `o`. */
struct mcx_token_policy user_policy(const struct options *o);
struct mcx_log gmsd_log(void);
void log_plain(enum mcx_log_level level, const char *subject, const char *event);

/* The processes of `mcx-gmsd run`. Each returns an exit code. */

/* Serves HTTPS until SIGTERM; writes its port, two octets, to `port_fd`. */
int serve_main(const struct options *o, const uint8_t *seal_key, int port_fd);
/* Only looks whether it could. */
int serve_check(const struct options *o);
/* Makes payloads and does what is due until SIGTERM; SIGHUP: the key store has changed. */
int queue_main(const struct options *o, const uint8_t *seal_key);
/* Tells subscribers of changes, over SIP, until SIGTERM; writes its port as above unless `port_fd` is negative.
 * `known`: the port it had before, 0 = none. */
int notify_main(const struct options *o, const char *xcap_root, uint16_t known, int port_fd);
/* Only looks whether it could. */
int notify_check(const struct options *o);
/* Fetches the server's own keys, ahead of each key period, until SIGTERM; tells its parent with SIGHUP. */
int keys_main(const struct options *o, const char *gms);
/* Fetches them now, in a process of its own. */
int keys_fill(const struct options *o, const char *gms);

/* The administration interface: a request to /admin/v1/ and its answer as JSON. */
#define ADMIN_PATH "/admin/v1/"
struct admin {
    struct mcx_gmsdb *db;
    const char *who; /* authorised */
    uint64_t now_ms;
};
/* Returns the HTTP status; `*json` is on the heap. */
int admin_handle(const struct admin *a, char **json, const char *target, struct mcx_bytes body);
/* The JSON object of a refusal, on the heap; NULL without memory. */
char *admin_refusal(mcx_err err, const char *reason);

#endif
