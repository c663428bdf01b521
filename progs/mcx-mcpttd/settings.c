/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of mcx-mcpttd: one table, used by the options and by the configuration file. */
#define _GNU_SOURCE
#include "mcx-mcpttd/mcpttd.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mcx/gmc.h>
#include <mcx/text.h>

#include "io/file.h"

#define CONFIG_MAX (1u << 20)

int md_complain(int rc, const char *what, const char *why)
{
    fprintf(stderr, "mcx-mcpttd: %s%s%s\n", what, why[0] != '\0' ? ": " : "", why);
    return rc;
}

static int set_text(char **at, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL) {
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    free(*at);
    *at = copy;
    return EXIT_DONE;
}

static int bad_value(const char *name, const char *form)
{
    fprintf(stderr, "mcx-mcpttd: %s wants %s\n", name, form);
    return EXIT_USAGE;
}

/* tcp:127.0.0.1:5060, tls:[::1]:5061 */
static int set_listen(struct md_settings *s, const char *value)
{
    static const char *const names[] = { "udp", "tcp", "tls" };
    static const char form[] = "udp|tcp|tls:ADDRESS:PORT, at most 8 times";
    const char *first = strchr(value, ':');
    const char *last = strrchr(value, ':');
    struct mcx_sip_listen *l = &s->listen[s->num_listen];
    struct mcx_bytes addr;
    uint64_t port = 0;
    char *copy;

    if (first == NULL || first == last || s->num_listen == MCX_SIP_MAX_LISTEN ||
        mcx_dec_read(&port, 65535, mcx_bytes_str(last + 1)) != MCX_OK) {
        return bad_value("--listen", form);
    }
    addr = mcx_bytes(first + 1, (size_t)(last - first - 1));
    if (addr.len > 2 && addr.p[0] == '[' && addr.p[addr.len - 1] == ']') {
        addr = mcx_bytes(addr.p + 1, addr.len - 2);
    }
    for (size_t i = 0; i < 3; i++) {
        if (mcx_bytes_is_nocase(mcx_bytes(value, (size_t)(first - value)), names[i])) {
            copy = strndup((const char *)addr.p, addr.len);
            if (copy == NULL) {
                return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
            }
            *l = (struct mcx_sip_listen){ (enum mcx_sip_transport)i, copy, (uint16_t)port };
            s->num_listen++;
            return EXIT_DONE;
        }
    }
    return bad_value("--listen", form);
}

/* 192.0.2.1 or 192.0.2.1:20000-29999; the range after the last colon that a dash follows */
static int set_media(struct md_settings *s, const char *value)
{
    const char *dash = strrchr(value, '-');
    const char *colon = dash == NULL ? NULL : memrchr(value, ':', (size_t)(dash - value));
    uint64_t min = 0, max = 0;
    char addr[MCX_MSRV_HOST_MAX];
    size_t len = colon != NULL ? (size_t)(colon - value) : strlen(value);

    if (colon != NULL &&
        (mcx_dec_read(&min, 65534, mcx_bytes(colon + 1, (size_t)(dash - colon - 1))) != MCX_OK || min % 2 != 0 ||
         min == 0 || mcx_dec_read(&max, 65535, mcx_bytes_str(dash + 1)) != MCX_OK || max <= min)) {
        return bad_value("--media", "ADDRESS or ADDRESS:MIN-MAX, MIN even");
    }
    if (mcx_bytes_cstr(addr, sizeof addr, mcx_bytes(value, len)) != MCX_OK) {
        return bad_value("--media", "ADDRESS or ADDRESS:MIN-MAX");
    }
    s->media_min = (uint16_t)min;
    s->media_max = (uint16_t)max;
    return set_text(&s->media_address, addr);
}

static int add_may_call(struct mcx_msrv_user *u, const char *uri)
{
    const char **list = (const char **)(uintptr_t)u->may_call;
    const char *copy = strdup(uri);

    if (list == NULL) {
        list = calloc(MD_MAX_MAY_CALL, sizeof *list);
    }
    if (list == NULL || copy == NULL || u->num_may_call == MD_MAX_MAY_CALL) {
        free((char *)(uintptr_t)copy);
        u->may_call = list;
        return bad_value("may-call", "at most 64 users");
    }
    list[u->num_may_call++] = copy;
    u->may_call = list;
    return EXIT_DONE;
}

static const struct flag {
    const char *name;
    size_t at;
} user_flags[] = {
    { "deny-private-calls", offsetof(struct mcx_msrv_user, deny_private_calls) },
    { "deny-automatic", offsetof(struct mcx_msrv_user, deny_automatic) },
    { "deny-manual", offsetof(struct mcx_msrv_user, deny_manual) },
    { "force-auto", offsetof(struct mcx_msrv_user, allow_force_auto) },
    { "deny-called", offsetof(struct mcx_msrv_user, deny_called) },
    { "no-settings", offsetof(struct mcx_msrv_user, no_settings) },
    { "emergency", offsetof(struct mcx_msrv_user, allow_emergency_group) },
    { "imminent", offsetof(struct mcx_msrv_user, allow_imminent_group) },
};

static int set_user_property(struct mcx_msrv_user *u, const char *key, const char *value)
{
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof user_flags / sizeof user_flags[0]; i++) {
        if (value == NULL && strcmp(key, user_flags[i].name) == 0) {
            *(bool *)((char *)u + user_flags[i].at) = true;
            return EXIT_DONE;
        }
    }
    if (value != NULL && strcmp(key, "answer") == 0 &&
        mcx_answer_mode_read(&u->answer, mcx_bytes_str(value)) == MCX_OK) {
        return EXIT_DONE;
    }
    if (value != NULL && strcmp(key, "public") == 0 &&
        mcx_bytes_cstr(u->public_id, sizeof u->public_id, mcx_bytes_str(value)) == MCX_OK) {
        return EXIT_DONE;
    }
    if (value != NULL && strcmp(key, "max-calls") == 0 && mcx_dec_read(&n, 1000, mcx_bytes_str(value)) == MCX_OK) {
        u->max_calls = (unsigned)n;
        return EXIT_DONE;
    }
    if (value != NULL && strcmp(key, "floor-priority") == 0 && mcx_dec_read(&n, 255, mcx_bytes_str(value)) == MCX_OK &&
        n > 0) {
        u->floor_priority = (uint8_t)n;
        return EXIT_DONE;
    }
    if (value != NULL && strcmp(key, "may-call") == 0) {
        return add_may_call(u, value);
    }
    fprintf(stderr, "mcx-mcpttd: --user: '%s' is no property, or has no such value; see --help\n", key);
    return EXIT_USAGE;
}

static int parse_user(struct mcx_msrv_user *u, char *text)
{
    char *save = NULL;
    char *word = strtok_r(text, ",", &save);
    int rc = EXIT_DONE;

    if (word == NULL || mcx_bytes_cstr(u->mcptt_id, sizeof u->mcptt_id, mcx_bytes_str(word)) != MCX_OK) {
        return bad_value("--user", "MCPTT-ID[,property...]");
    }
    for (word = strtok_r(NULL, ",", &save); word != NULL && rc == EXIT_DONE; word = strtok_r(NULL, ",", &save)) {
        char *value = strchr(word, '=');

        if (value != NULL) {
            *value++ = '\0';
        }
        rc = set_user_property(u, word, value);
    }
    return rc;
}

static int set_user(struct md_settings *s, const char *value)
{
    struct mcx_msrv_user *users = realloc(s->users, (s->num_users + 1) * sizeof *users);
    char *copy = strdup(value);
    int rc;

    if (users != NULL) {
        s->users = users;
    }
    if (users == NULL || copy == NULL) {
        free(copy);
        return md_complain(EXIT_ENVIRONMENT, "out of memory", "");
    }
    memset(&users[s->num_users], 0, sizeof *users);
    rc = parse_user(&users[s->num_users++], copy);
    free(copy);
    return rc;
}

static int set_scope(struct md_settings *s, const char *value)
{
    if (s->num_scopes == MD_MAX_SCOPES || (s->scopes[s->num_scopes] = strdup(value)) == NULL) {
        return bad_value("--token-scope", "a scope, at most 8 times");
    }
    s->num_scopes++;
    return EXIT_DONE;
}

static int set_proxy(struct md_settings *s, const char *value)
{
    if (s->num_trusted == MD_MAX_PROXIES || (s->trusted[s->num_trusted] = strdup(value)) == NULL) {
        return bad_value("--trusted-proxy", "ADDRESS:PORT or ADDRESS, at most 16 times");
    }
    s->num_trusted++;
    return EXIT_DONE;
}

static int set_group_doc(struct md_settings *s, const char *value)
{
    if (s->num_group_docs == MD_MAX_GROUPS || (s->group_docs[s->num_group_docs] = strdup(value)) == NULL) {
        return bad_value("--group-doc", "a file, at most 256 times");
    }
    s->num_group_docs++;
    return EXIT_DONE;
}

static int set_group(struct md_settings *s, const char *value)
{
    if (s->num_groups == MD_MAX_GROUPS || (s->groups[s->num_groups] = strdup(value)) == NULL) {
        return bad_value("--group", "a URI, at most 256 times");
    }
    s->num_groups++;
    return EXIT_DONE;
}

/* Of T2=30000 or C20=3 which timer it is, or whose counter. */
static bool floor_value(int *timer, uint64_t *number, char letter, uint64_t max, const char *value)
{
    const char *is = strchr(value, '=');

    if (value[0] != letter || is == NULL || mcx_dec_read(number, max, mcx_bytes_str(is + 1)) != MCX_OK) {
        return false;
    }
    for (*timer = 0; *timer < MCX_FS_NUM_TIMERS; (*timer)++) {
        const char *name = mcx_fsrv_timer_info((enum mcx_fsrv_timer)*timer)->name;

        if (mcx_bytes_is(mcx_bytes(value + 1, (size_t)(is - value - 1)), name + 1)) {
            return true;
        }
    }
    return false;
}

/* T2=30000, T4=0: milliseconds, 0 = never */
static int set_floor_timer(struct md_settings *s, const char *value)
{
    uint64_t ms = 0;
    int timer = 0;

    if (!floor_value(&timer, &ms, 'T', 86400000, value)) {
        return bad_value("--floor-timer", "T1, T2, T3, T4, T7, T8, T9 or T20, =MILLISECONDS; 0 = off");
    }
    s->floor.timer_ms[timer] = ms == 0 ? UINT32_MAX : (uint32_t)ms;
    return EXIT_DONE;
}

/* C20=3 */
static int set_floor_counter(struct md_settings *s, const char *value)
{
    uint64_t count = 0;
    int timer = 0;

    if (!floor_value(&timer, &count, 'C', 1000, value) || count == 0 ||
        mcx_fsrv_timer_info((enum mcx_fsrv_timer)timer)->max_count == 0) {
        return bad_value("--floor-counter", "C7, C8 or C20, =NUMBER from 1 to 1000");
    }
    s->floor.max_count[timer] = (uint32_t)count;
    return EXIT_DONE;
}

static int set_floor_queue(struct md_settings *s, const char *value)
{
    uint64_t places = 0;

    if (mcx_dec_read(&places, 250, mcx_bytes_str(value)) != MCX_OK) {
        return bad_value("--floor-queue", "a number of places, at most 250; 0 = no queueing");
    }
    s->floor.queueing = places != 0;
    s->floor.max_queue = places;
    return EXIT_DONE;
}

enum kind { TEXT, NUMBER, FLAG, SPECIAL };
#define TEXT_AT(member)        TEXT, offsetof(struct md_settings, member), 0, NULL
#define NUMBER_AT(member, max) NUMBER, offsetof(struct md_settings, member), max, NULL
#define FLAG_AT(member)        FLAG, offsetof(struct md_settings, member), 0, NULL
#define BY(function)           SPECIAL, 0, 0, function

static const struct setting {
    const char *name;
    const char *arg;
    const char *help;
    enum kind kind;
    size_t at;
    uint64_t max;
    int (*set)(struct md_settings *s, const char *value);
} table[] = {
    { "listen", "TRANSPORT:ADDR:PORT", "udp, tcp or tls; port 0 = any; several", BY(set_listen) },
    { "user", "MCPTT-ID[,PROPERTY...]", "a user and what he may do (below); several", BY(set_user) },
    { "host", "NAME", "own name in Warning headers (default: host name)", TEXT_AT(host) },
    { "controlling-psi", "URI", "identity of the controlling function (default sip:mcptt-cf@HOST)",
      TEXT_AT(controlling_psi) },
    { "tls-cert", "PEM", "certificate chain for listen tls", TEXT_AT(tls_cert) },
    { "tls-key", "PEM", "its key", TEXT_AT(tls_key) },
    { "tls-ca", "PEM", "who vouches for those to whom this server opens TLS connections", TEXT_AT(tls_ca) },
    { "jwks", "FILE", "keys of the identity servers; then REGISTER needs an access token", TEXT_AT(jwks) },
    { "token-iss", "ISSUER", "demanded of access tokens", TEXT_AT(token_iss) },
    { "token-aud", "AUDIENCE", "demanded of access tokens", TEXT_AT(token_aud) },
    { "token-scope", "SCOPE", "one of these must be in the token (default: those of MCPTT); several", BY(set_scope) },
    { "trusted-proxy", "ADDR[:PORT]", "its P-Asserted-Identity counts; several", BY(set_proxy) },
    { "media", "ADDR[:MIN-MAX]", "address and ports of the media relay (default: address of first listen)",
      BY(set_media) },
    { "symmetric-rtp", NULL, "send media to where they come from, not to the address in SDP", FLAG_AT(symmetric_rtp) },
    { "capture", "FILE", "laboratory: pcap file of all media that cross this server", TEXT_AT(capture) },
    { "group-doc", "FILE", "a group document (TS 24.481), read again at SIGHUP; several", BY(set_group_doc) },
    { "gms-url", "URL", "https://HOST:PORT: group documents come from there, in the place of files", TEXT_AT(gms_url) },
    { "gms-token", "FILE", "access token of this server for it, mode 0600; read at each fetch", TEXT_AT(gms_token) },
    { "gms-ca", "PEM", "who vouches for it", TEXT_AT(gms_ca) },
    { "gms-uri", "URI", "its identity, for --gms-sip", TEXT_AT(gms_uri) },
    { "gms-sip", "URI", "sip:HOST:PORT;transport=tcp: subscribe there, fetch when it tells of a change", TEXT_AT(gms_sip) },
    { "gms-poll", "SECONDS", "between two fetches (default 60; 0 = at the start and at SIGHUP)",
      NUMBER_AT(gms_poll_s, 86400) },
    { "group", "URI", "a group whose document is fetched; several", BY(set_group) },
    { "floor-timer", "NAME=MS", "T1, T2, T3, T4, T7, T8, T9, T20 of TS 24.380 11.1.3; 0 = off; several",
      BY(set_floor_timer) },
    { "floor-counter", "NAME=N", "C7, C20 of TS 24.380 11.2.3, C8 for T8: how often it is sent in all; several",
      BY(set_floor_counter) },
    { "floor-queue", "N", "requests that wait for the floor of a call, at most 250 (default 16); 0 = no queueing",
      BY(set_floor_queue) },
    { "store", "FILE", "key store of this server, checked; read again when it changes", TEXT_AT(store) },
    { "store-key", "FILE", "64 hex digits, mode 0600", TEXT_AT(store_key) },
    { "server-id", "URI", "own identity in the key store; clients then send a CSK with their registration",
      TEXT_AT(server_id) },
    { "csk-lifetime", "SECONDS", "age at which this server replaces a CSK; 0 = never (default)",
      NUMBER_AT(csk_lifetime_s, 31536000) },
    { "max-calls", "N", "calls at once (default 1000); above, 500", NUMBER_AT(max_calls, 100000) },
    { "max-fds", "N", "sockets at once: connections and 4 to 8 a call (default 8192)", NUMBER_AT(max_fds, 1000000) },
    { "peer-rate", "N", "requests a minute of one address, except a trusted proxy (default 600; 0 = any); above, 503",
      NUMBER_AT(peer_rate, 1000000) },
    { "total-rate", "N", "requests a minute of all together (default 20000; 0 = any); above, 503",
      NUMBER_AT(total_rate, 10000000) },
    { "no-answer", "SECONDS", "until an unanswered call is given up (default 60)", NUMBER_AT(no_answer_s, 3600) },
    { "max-call", "SECONDS", "longest call; 0 = no limit (default)", NUMBER_AT(max_call_s, 86400) },
    { "session-expires", "SECONDS", "session timer offered to callees, 90 or more; 0 = none (default 1800)",
      NUMBER_AT(session_expires_s, 86400) },
    { "max-expires", "SECONDS", "longest registration (default 600: renewals keep idle connections open)",
      NUMBER_AT(max_expires_s, 86400) },
    { "ready-file", "FILE", "written when listening: one JSON object with the ports", TEXT_AT(ready_file) },
    { "json", NULL, "events on standard output as JSON, one object a line", FLAG_AT(json) },
};
#define NUM_SETTINGS (sizeof table / sizeof table[0])

void md_usage(void)
{
    puts("usage: mcx-mcpttd [--config FILE] [options]\n\n"
         "MCPTT server: originating and terminating participating functions, controlling function, media relay.\n"
         "The server relays protected media; it has no key to them.\n");
    for (size_t i = 0; i < NUM_SETTINGS; i++) {
        char left[64];

        (void)snprintf(left, sizeof left, "--%s %s", table[i].name, table[i].arg != NULL ? table[i].arg : "");
        printf("  %-32s %s\n", left, table[i].help);
    }
    puts(
        "  --config FILE                    JSON object: members are the names above, lists where several are allowed\n"
        "  -t                               check settings and files, then exit\n"
        "  --help, --version\n\n"
        "Properties of a user: public=URI (public user identity, default the MCPTT ID), answer=auto|manual,\n"
        "max-calls=N (default 1), may-call=MCPTT-ID (several; default anyone), force-auto, deny-private-calls,\n"
        "deny-automatic, deny-manual, deny-called, no-settings, emergency, imminent (may make such group calls),\n"
        "floor-priority=N (1 to 255, the highest in a private call; default 254, and 255 pre-empts who speaks).\n\n"
        "SIGTERM ends the calls and the server; SIGUSR1 prints a 'counters' event, as the end does; SIGHUP reads or\n"
        "fetches the group documents and the key store again. Exit codes: 0 done, 1 refused by a check, 2 usage, 3 environment.");
}

int md_set(struct md_settings *s, const char *name, const char *value)
{
    for (size_t i = 0; i < NUM_SETTINGS; i++) {
        const struct setting *t = &table[i];
        void *at = (char *)s + t->at;
        uint64_t n = 0;

        if (strcmp(t->name, name) != 0) {
            continue;
        }
        if (t->kind == FLAG) {
            *(bool *)at = true;
            return EXIT_DONE;
        }
        if (value == NULL) {
            return bad_value(name, t->arg);
        }
        if (t->kind == SPECIAL) {
            return t->set(s, value);
        }
        if (t->kind == TEXT) {
            return set_text(at, value);
        }
        if (mcx_dec_read(&n, t->max, mcx_bytes_str(value)) != MCX_OK) {
            return bad_value(name, t->arg);
        }
        *(uint32_t *)at = (uint32_t)n;
        return EXIT_DONE;
    }
    return md_complain(EXIT_USAGE, "no such setting; --help lists them", name);
}

/* A member of the configuration: a string, a number, true, or a list of strings. */
static int set_json(struct md_settings *s, const char *name, const json_t *value)
{
    char number[32];
    int rc = EXIT_DONE;

    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value) && rc == EXIT_DONE; i++) {
            rc = json_is_string(json_array_get(value, i)) ? set_json(s, name, json_array_get(value, i))
                                                          : bad_value(name, "strings in its list");
        }
        return rc;
    }
    if (json_is_integer(value)) {
        (void)snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        return md_set(s, name, number);
    }
    if (json_is_true(value)) {
        return md_set(s, name, NULL);
    }
    return json_is_string(value) ? md_set(s, name, json_string_value(value))
                                 : bad_value(name, "a string, a number, true, or a list");
}

int md_load(struct md_settings *s, const char *path)
{
    struct mcx_file file = { 0 };
    json_error_t error;
    json_t *root = NULL;
    json_t *value = NULL;
    const char *name = NULL;
    int rc = EXIT_DONE;

    if (mcx_file_read(&file, path, CONFIG_MAX, false) != MCX_OK) {
        return md_complain(EXIT_ENVIRONMENT, path, strerror(errno));
    }
    root = json_loadb((const char *)file.p, file.len, JSON_REJECT_DUPLICATES, &error);
    mcx_file_clear(&file);
    if (!json_is_object(root)) {
        json_decref(root);
        return md_complain(EXIT_USAGE, path, root == NULL ? error.text : "not a JSON object");
    }
    json_object_foreach(root, name, value)
    {
        rc = rc == EXIT_DONE ? set_json(s, name, value) : rc;
    }
    json_decref(root);
    return rc;
}

void md_defaults(struct md_settings *s)
{
    memset(s, 0, sizeof *s);
    s->floor = (struct mcx_fsrv_config){ .queueing = true, .pre_empt_emergency = true };
    s->max_calls = 1000;
    s->max_fds = 8192;
    s->peer_rate = 600;
    s->total_rate = 20000;
    s->no_answer_s = 60;
    s->session_expires_s = 1800;
    s->gms_poll_s = 60;
    s->max_expires_s = 600; /* libre closes a connection after 900 s without a message */
}

static int set_derived(struct md_settings *s)
{
    char name[256] = "localhost";
    char psi[300];

    if (s->host == NULL) {
        (void)gethostname(name, sizeof name - 1);
        if (set_text(&s->host, name) != EXIT_DONE) {
            return EXIT_ENVIRONMENT;
        }
    }
    if (s->controlling_psi == NULL) {
        (void)snprintf(psi, sizeof psi, "sip:mcptt-cf@%.255s", s->host);
        if (set_text(&s->controlling_psi, psi) != EXIT_DONE) {
            return EXIT_ENVIRONMENT;
        }
    }
    return s->media_address != NULL ? EXIT_DONE : set_text(&s->media_address, s->listen[0].addr);
}

static int check_gms(const struct md_settings *s)
{
    bool all = s->gms_url != NULL && s->gms_token != NULL && s->gms_ca != NULL && s->num_groups > 0;
    bool none = s->gms_url == NULL && s->gms_token == NULL && s->gms_ca == NULL && s->num_groups == 0;

    if (!all && !none) {
        return md_complain(EXIT_USAGE, "--gms-url, --gms-token, --gms-ca and --group go together", "");
    }
    if (all && s->num_group_docs > 0) { /* an old file would bring back whom the server has put out */
        return md_complain(EXIT_USAGE, "groups come from --gms-url or from --group-doc, not from both", "");
    }
    if ((s->gms_sip != NULL) != (s->gms_uri != NULL) || (s->gms_sip != NULL && (!all || s->server_id == NULL))) {
        return md_complain(EXIT_USAGE, "--gms-sip needs --gms-uri, --gms-url and --server-id, and --gms-uri is for it alone",
                           "");
    }
    if (s->gms_sip != NULL && s->num_groups > MCX_GMC_GROUPS_MAX) {
        return md_complain(EXIT_USAGE, "one subscription (--gms-sip) is for 64 groups at most; without it they are polled", "");
    }
    return EXIT_DONE;
}

int md_check(struct md_settings *s)
{
    if (s->num_listen == 0) {
        return md_complain(EXIT_USAGE, "no --listen: where are clients to connect?", "");
    }
    for (size_t i = 0; i < s->num_listen; i++) {
        if (s->listen[i].transport == MCX_SIP_TLS && (s->tls_cert == NULL || s->tls_key == NULL)) {
            return md_complain(EXIT_USAGE, "--listen tls needs --tls-cert and --tls-key", "");
        }
    }
    if ((s->store == NULL) != (s->store_key == NULL)) {
        return md_complain(EXIT_USAGE, "--store and --store-key go together", "");
    }
    if (s->server_id != NULL && s->store == NULL) {
        return md_complain(EXIT_USAGE, "--server-id needs --store: the keys of that identity", "");
    }
    if (s->csk_lifetime_s != 0 && s->server_id == NULL) {
        return md_complain(EXIT_USAGE, "--csk-lifetime needs --server-id", "");
    }
    if (s->max_calls == 0 || (s->session_expires_s != 0 && s->session_expires_s < 90)) {
        return md_complain(EXIT_USAGE, "--max-calls is at least 1, --session-expires 0 or at least 90", "");
    }
    for (size_t i = 0; i < s->num_users; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(s->users[i].mcptt_id, s->users[k].mcptt_id) == 0) {
                return md_complain(EXIT_USAGE, "a user stands twice", s->users[i].mcptt_id);
            }
        }
    }
    return check_gms(s) == EXIT_DONE ? set_derived(s) : EXIT_USAGE;
}

void md_settings_clear(struct md_settings *s)
{
    for (size_t i = 0; i < NUM_SETTINGS; i++) {
        if (table[i].kind == TEXT) {
            free(*(char **)(void *)((char *)s + table[i].at));
        }
    }
    free(s->media_address);
    for (size_t i = 0; i < s->num_listen; i++) {
        free((char *)(uintptr_t)s->listen[i].addr);
    }
    for (size_t i = 0; i < s->num_scopes; i++) {
        free((char *)(uintptr_t)s->scopes[i]);
    }
    for (size_t i = 0; i < s->num_trusted; i++) {
        free(s->trusted[i]);
    }
    for (size_t i = 0; i < s->num_group_docs; i++) {
        free(s->group_docs[i]);
    }
    for (size_t i = 0; i < s->num_groups; i++) {
        free(s->groups[i]);
    }
    for (size_t i = 0; i < s->num_users; i++) {
        for (size_t k = 0; k < s->users[i].num_may_call; k++) {
            free((char *)(uintptr_t)s->users[i].may_call[k]);
        }
        free((void *)(uintptr_t)s->users[i].may_call);
    }
    free(s->users);
    memset(s, 0, sizeof *s);
}
