/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTTD_H
#define MCX_MCPTTD_H

/* The parts of mcx-mcpttd: settings, the journal, and the daemon that joins SIP, calls and relay. */

#include <jansson.h>

#include <mcx/floor_server.h>
#include <mcx/mcptt_server.h>
#include <mcx/store.h>

#include "io/relay.h"
#include "io/sip.h"
#include "io/token.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

#define MD_MAX_SCOPES   8
#define MD_MAX_PROXIES  16
#define MD_MAX_MAY_CALL 64
#define MD_MAX_GROUPS   256

/** Settings, from options and the configuration file. Strings are owned. */
struct md_settings {
    struct mcx_sip_listen listen[MCX_SIP_MAX_LISTEN];
    size_t num_listen;
    char *host, *controlling_psi;
    char *tls_cert, *tls_key, *tls_ca;
    char *jwks, *token_iss, *token_aud;
    const char *scopes[MD_MAX_SCOPES];
    size_t num_scopes;
    struct mcx_msrv_user *users;
    size_t num_users;
    char *media_address;
    uint16_t media_min, media_max;
    bool symmetric_rtp;
    char *capture;
    char *store, *store_key, *server_id;
    char *trusted[MD_MAX_PROXIES]; /* addresses */
    size_t num_trusted;
    uint32_t max_calls, max_fds, peer_rate, total_rate, no_answer_s, max_call_s, session_expires_s, max_expires_s,
        csk_lifetime_s;
    char *group_docs[MD_MAX_GROUPS];
    size_t num_group_docs;
    char *groups[MD_MAX_GROUPS]; /* URIs, followed at the group management server */
    size_t num_groups;
    char *gms_url, *gms_token, *gms_ca, *gms_uri, *gms_sip;
    uint32_t gms_poll_s;
    struct mcx_fsrv_config floor; /* of every call */
    char *ready_file;
    bool json, check_only;
};

/** One setting by its option name; `value` may be NULL for a switch. Complains on standard error. */
int md_set(struct md_settings *s, const char *name, const char *value);
/** A configuration file: a JSON object whose members are option names. */
int md_load(struct md_settings *s, const char *path);
void md_defaults(struct md_settings *s);
/** What has to be there, and fits together. */
int md_check(struct md_settings *s);
void md_settings_clear(struct md_settings *s);
void md_usage(void);
/** "mcx-mcpttd: what: why" on standard error. @return rc */
int md_complain(int rc, const char *what, const char *why);

/** Printable ASCII as it is, any other octet as '?': what a peer wrote may go to a terminal. */
json_t *md_clean(const char *text);
/** One line on standard output: JSON, or words. `members` is taken. */
void md_journal(const struct md_settings *s, const char *event, json_t *members);

/** 'mcx-mcpttd fetch-groups': the process that fetches. @return exit code */
int md_gms_process(const struct md_settings *s);

struct md_daemon;
/** Files, keys, sockets; says on standard error what is wrong. */
int md_open(struct md_daemon **out, const struct md_settings *s);
/** Serve until SIGTERM or SIGINT. */
int md_run(struct md_daemon *d);
void md_close(struct md_daemon *d);

#endif
