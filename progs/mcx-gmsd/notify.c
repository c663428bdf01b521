/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that tells members of changes (TS 24.481 6.3.13; RFC 5875): SIP SUBSCRIBE with the paths of documents and
 * an access token, NOTIFY with xcap-diff at once and whenever an entity tag changes. It reads the database and changes
 * nothing.
 */
#include "mcx-gmsd/gmsd.h"

#include "io/loop.h"
#include "io/sip_event.h"

#include <mcx/mcptt.h>
#include <mcx/secret.h>
#include <mcx/text.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLL_MS  200 /* between two looks whether a document has changed */
#define MAX_FDS  4096
#define MAX_DOCS 128 /* of one subscription */
#define XML_MAX  60000
#define EVENT    "xcap-diff"

/* A document that somebody watches, and what he was told of it. */
struct doc {
    enum mcx_gmsdb_document which;
    char group[MCX_GROUP_URI_MAX];
    char sel[MCX_XCAP_PATH_MAX];
    char etag[MCX_GMSDB_ETAG_MAX]; /* "" = it was not there */
};

struct watch {
    struct watch *next, **prev;
    struct notifier *n;
    struct mcx_sip_watcher *watcher;
    char user[MCX_GMS_URI_MAX];
    struct doc *doc;
    size_t num;
};

struct notifier {
    const struct options *o;
    struct mcx_gmsdb *db;
    struct mcx_jwks *jwks;
    struct mcx_token_policy policy;
    struct mcx_sip *sip;
    struct mcx_timer poll;
    struct watch *watches;
    uint64_t version;
    char root[128];
    struct mcx_mcptt_info info; /* holds a token while a request is looked at */
    uint8_t xml[XML_MAX];
};

static struct notifier *running; /* the loop's signal handler has no argument */

/* What is asked for */

static bool is_server(const struct notifier *n, const char *user)
{
    for (size_t i = 0; i < n->o->num_mcptt_servers; i++) {
        if (strcmp(n->o->mcptt_servers[i], user) == 0) {
            return true;
        }
    }
    return false;
}

static mcx_err take_path(void *arg, const char *uri)
{
    struct watch *w = arg;
    struct doc *d = &w->doc[w->num];
    char auid[64];

    if (w->num == MAX_DOCS) {
        return MCX_E_SPACE;
    }
    MCX_TRY(mcx_xcap_path_read(auid, sizeof auid, d->group, sizeof d->group, mcx_bytes_str(uri)));
    if (strcmp(auid, MCX_AUID_GROUP) != 0 && strcmp(auid, MCX_AUID_GKTP) != 0) {
        return MCX_E_FORMAT;
    }
    d->which = strcmp(auid, MCX_AUID_GROUP) == 0 ? MCX_GMSDB_GROUP : MCX_GMSDB_GKTP;
    d->etag[0] = '\0';
    MCX_TRY(mcx_bytes_cstr(d->sel, sizeof d->sel, mcx_bytes_str(uri)));
    w->num++;
    return MCX_OK;
}

/* Whose token it is. @retval MCX_E_POLICY, ... as mcx_token_verify() */
static mcx_err read_user(struct notifier *n, char user[MCX_GMS_URI_MAX], const struct mcx_mime *mime,
                         struct mcx_refusal *why)
{
    const struct mcx_mime_part *part = mcx_mime_find(mime, MCX_TYPE_MCPTT_INFO);
    struct mcx_token_claims claims;
    mcx_err err = MCX_OK;

    if (part == NULL) {
        return mcx_refuse(why, MCX_E_AUTH, "the request has no access token", "TS 24.481 6.2.3");
    }
    MCX_TRY(mcx_mcptt_info_read(&n->info, part->body, why));
    err = mcx_token_verify(&claims, n->jwks, &n->policy, mcx_bytes_str(n->info.access_token),
                           mcx_clock_unix_ms() / 1000, why);
    mcx_mcptt_info_clear(&n->info);
    return err == MCX_OK ? mcx_bytes_cstr(user, MCX_GMS_URI_MAX, mcx_bytes_str(claims.mcptt_id)) : err;
}

/* Body of a SUBSCRIBE: user and documents. Returns 0 or a status. */
static uint16_t read_request(struct notifier *n, struct watch *w, const struct mcx_sip_msg *msg,
                             struct mcx_refusal *why)
{
    const struct mcx_mime_part *list = NULL;
    struct mcx_mime mime;

    if (mcx_mime_read(&mime, msg->content_type, msg->body, why) != MCX_OK) {
        return 400;
    }
    if (read_user(n, w->user, &mime, why) != MCX_OK) {
        return 403;
    }
    list = mcx_mime_find(&mime, MCX_TYPE_RESOURCE_LISTS);
    w->num = 0;
    if (list == NULL || mcx_xcap_list_read(list->body, take_path, w, why) != MCX_OK || w->num == 0) {
        (void)mcx_refuse(why, MCX_E_FORMAT, "no list of documents of this server", "RFC 5875 4.3");
        return 400;
    }
    return 0;
}

/* What there is to tell */

/* "" when it is not there for this user. */
static void etag_of(struct notifier *n, const struct watch *w, const struct doc *d, char etag[MCX_GMSDB_ETAG_MAX])
{
    if (mcx_gmsdb_document(n->db, NULL, NULL, etag, d->which, d->group, w->user, is_server(n, w->user),
                           mcx_clock_unix_ms()) != MCX_OK) {
        etag[0] = '\0';
    }
}

static void tell(struct notifier *n, struct watch *w, bool all)
{
    static struct mcx_xcap_change change[MAX_DOCS];
    static char before[MAX_DOCS][MCX_GMSDB_ETAG_MAX];
    struct mcx_wr wr = mcx_wr(n->xml, sizeof n->xml);
    struct mcx_sip_content content = { .content_type = MCX_TYPE_XCAP_DIFF };
    size_t num = 0;

    for (size_t i = 0; i < w->num; i++) {
        struct doc *d = &w->doc[i];

        memcpy(before[num], d->etag, sizeof d->etag);
        etag_of(n, w, d, d->etag);
        if (strcmp(before[num], d->etag) != 0 || (all && d->etag[0] != '\0')) {
            change[num] =
                (struct mcx_xcap_change){ .sel = d->sel, .new_etag = d->etag, .previous_etag = all ? "" : before[num] };
            num++;
        }
    }
    if (num == 0 && !all) {
        return;
    }
    if (mcx_xcap_diff_write(&wr, n->root, change, num) != MCX_OK) {
        log_plain(MCX_LOG_ERROR, w->user, "a notification could not be written");
        return;
    }
    content.body = mcx_wr_done(&wr);
    if (mcx_sip_notify(w->watcher, &content) != MCX_OK) {
        for (size_t i = 0; i < w->num; i++) {
            w->doc[i].etag[0] = '\0'; /* too many are waiting: at the next change everything is told again */
        }
    }
}

static void look(void *arg)
{
    struct notifier *n = arg;
    const uint64_t version = mcx_gmsdb_version(n->db);

    if (version != n->version) {
        n->version = version;
        for (struct watch *w = n->watches; w != NULL; w = w->next) {
            tell(n, w, false);
        }
    }
    if (mcx_timer_start(&n->poll, POLL_MS, look, n) != MCX_OK) {
        mcx_loop_stop(); /* the supervisor starts this process again */
    }
}

/* Subscriptions */

static void watch_free(struct watch *w)
{
    if (w->prev != NULL) {
        *w->prev = w->next;
        if (w->next != NULL) {
            w->next->prev = w->prev;
        }
    }
    free(w->doc);
    free(w);
}

static struct watch *watch_new(struct notifier *n)
{
    struct watch *w = calloc(1, sizeof *w);

    if (w != NULL) {
        w->n = n;
        w->doc = calloc(MAX_DOCS, sizeof *w->doc);
    }
    if (w != NULL && w->doc == NULL) {
        free(w);
        return NULL;
    }
    return w;
}

static void watch_link(struct notifier *n, struct watch *w)
{
    struct doc *shorter = realloc(w->doc, w->num * sizeof *w->doc);

    w->doc = shorter != NULL ? shorter : w->doc;
    w->next = n->watches;
    w->prev = &n->watches;
    if (w->next != NULL) {
        w->next->prev = &w->next;
    }
    n->watches = w;
}

static void log_refusal(const struct mcx_sip_msg *msg, struct mcx_refusal why)
{
    const struct mcx_log log = gmsd_log();
    const struct mcx_log_record rec = {
        .level = MCX_LOG_WARN, .subsystem = "gms", .subject = msg->source, .event = "SUBSCRIBE refused", .why = why
    };

    mcx_log(&log, &rec);
}

/* Renewed with a good token of the same user, and the same documents are told anew (RFC 6665 4.2.1.2). */
static uint16_t on_refresh(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg, bool ends)
{
    struct watch *w = arg;
    struct mcx_refusal why = { 0 };
    char user[MCX_GMS_URI_MAX] = "";
    struct mcx_mime mime;

    (void)watcher;
    if (ends) {
        return 200;
    }
    if (mcx_mime_read(&mime, msg->content_type, msg->body, &why) != MCX_OK ||
        read_user(w->n, user, &mime, &why) != MCX_OK || strcmp(user, w->user) != 0) {
        log_refusal(msg, why);
        return 403;
    }
    tell(w->n, w, true);
    return 200;
}

static void on_end(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg)
{
    (void)watcher;
    (void)msg;
    watch_free(arg);
}

static void subscribe(struct notifier *n, const struct mcx_sip_msg *msg)
{
    struct mcx_refusal why = { 0 };
    struct watch *w = watch_new(n);
    const struct mcx_sip_watch_params params = { .on_refresh = on_refresh, .on_end = on_end, .arg = w };
    uint16_t status = w == NULL ? 500 : read_request(n, w, msg, &why);

    if (status != 0) {
        log_refusal(msg, why);
        if (mcx_sip_respond(n->sip, msg, status, status == 403 ? "Forbidden" : "Bad Request", NULL) != MCX_OK) {
            log_plain(MCX_LOG_WARN, msg->source, "no answer could be sent");
        }
    } else if (mcx_sip_watcher_accept(&w->watcher, n->sip, msg, &params) == MCX_OK && w->watcher != NULL) {
        watch_link(n, w);
        tell(n, w, true);
        return;
    }
    if (w != NULL) {
        watch_free(w);
    }
}

static bool on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    struct mcx_bytes event;

    if (!mcx_bytes_is(msg->method, "SUBSCRIBE")) {
        return false;
    }
    if (!mcx_sip_event_of(msg, &event) || !mcx_bytes_is(event, EVENT)) {
        const struct mcx_sip_content allow = { .headers = "Allow-Events: " EVENT "\r\n" };

        return mcx_sip_respond(sip, msg, 489, "Bad Event", &allow) == MCX_OK;
    }
    subscribe(arg, msg);
    return true;
}

/* Set-up */

/* "tcp:127.0.0.1:5060", "tls:[::1]:5061" */
static mcx_err read_listen(struct mcx_sip_listen *out, char addr[64], const char *text)
{
    static const char *const names[] = { "udp:", "tcp:", "tls:" };
    const char *colon = strrchr(text, ':');
    const char *start = text + 4;
    uint64_t port = 0;
    size_t len = 0;

    for (int i = 0; i < 3; i++) {
        if (strncmp(text, names[i], 4) == 0) {
            out->transport = (enum mcx_sip_transport)i;
            len = colon > start ? (size_t)(colon - start) : 0;
        }
    }
    if (len >= 2 && start[0] == '[' && start[len - 1] == ']') {
        start++;
        len -= 2;
    }
    if (len == 0 || len >= 64 || mcx_dec_read(&port, 65535, mcx_bytes_str(colon + 1)) != MCX_OK) {
        return MCX_E_ARG;
    }
    memcpy(addr, start, len);
    addr[len] = '\0';
    out->addr = addr;
    out->port = (uint16_t)port;
    return MCX_OK;
}

static int open_sip(struct notifier *n, uint16_t known, int port_fd)
{
    char addr[64];
    char local[64];
    struct mcx_sip_config sip = { .agent = "mcx-gmsd/" MCX_VERSION,
                                  .user = "gms",
                                  .num_listen = 1,
                                  .tls_cert = n->o->tls_cert,
                                  .tls_key = n->o->tls_key,
                                  .on_request = on_request,
                                  .arg = n };
    struct mcx_refusal why = { 0 };
    uint16_t port = 0;
    uint8_t octets[2];

    if (read_listen(&sip.listen[0], addr, n->o->sip_listen) != MCX_OK) {
        return usage_error("--sip-listen wants tcp:ADDRESS:PORT, or udp or tls");
    }
    if (sip.listen[0].port == 0) {
        sip.listen[0].port = known; /* a restart: subscribers know the address */
    }
    errno = 0;
    if (mcx_sip_new(&n->sip, &sip, &why) != MCX_OK ||
        mcx_sip_local(n->sip, sip.listen[0].transport, local, &port) != MCX_OK) {
        return environment_error(n->o->sip_listen, MCX_E_IO);
    }
    octets[0] = (uint8_t)(port >> 8);
    octets[1] = (uint8_t)port;
    if (port_fd >= 0) {
        if (write(port_fd, octets, sizeof octets) != (ssize_t)sizeof octets) {
            return EXIT_ENVIRONMENT;
        }
        (void)close(port_fd);
    }
    return EXIT_DONE;
}

static void on_signal(int sig)
{
    (void)sig;
    while (running->watches != NULL) { /* they may subscribe anew, here or elsewhere */
        struct watch *w = running->watches;

        mcx_sip_watcher_end(w->watcher, "deactivated");
        watch_free(w);
    }
    mcx_loop_stop();
}

static int run(struct notifier *n, uint16_t known, int port_fd)
{
    int rc = EXIT_DONE;

    if (mcx_loop_open(MAX_FDS) != MCX_OK) {
        return environment_error("the event loop", MCX_E_NOMEM);
    }
    rc = open_sip(n, known, port_fd);
    if (rc == EXIT_DONE) {
        running = n;
        look(n);
        rc = mcx_loop_run(on_signal) == MCX_OK ? EXIT_DONE : EXIT_ENVIRONMENT;
    }
    mcx_timer_clear(&n->poll);
    mcx_sip_free(n->sip);
    mcx_loop_close();
    while (n->watches != NULL) {
        watch_free(n->watches);
    }
    return rc;
}

int notify_main(const struct options *o, const char *xcap_root, uint16_t known, int port_fd)
{
    struct notifier *n = calloc(1, sizeof *n);
    int rc = n == NULL ? environment_error("memory", MCX_E_NOMEM) : EXIT_DONE;

    if (rc == EXIT_DONE) {
        n->o = o;
        n->policy = user_policy(o);
        (void)snprintf(n->root, sizeof n->root, "%s", xcap_root);
        rc = db_open(&n->db, o, NULL);
    }
    rc = rc == EXIT_DONE ? jwks_open(&n->jwks, o) : rc;
    rc = rc == EXIT_DONE ? run(n, known, port_fd) : rc;
    if (n != NULL) {
        mcx_jwks_free(n->jwks);
        mcx_gmsdb_close(n->db);
    }
    free(n);
    return rc;
}

int notify_check(const struct options *o)
{
    struct notifier n = { .o = o };
    int rc = EXIT_DONE;

    if (o->sip_listen == NULL) {
        return EXIT_DONE;
    }
    if (mcx_loop_open(MAX_FDS) != MCX_OK) {
        return environment_error("the event loop", MCX_E_NOMEM);
    }
    rc = open_sip(&n, 0, -1);
    mcx_sip_free(n.sip);
    mcx_loop_close();
    return rc;
}
