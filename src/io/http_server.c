/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* sigaction, strsep */
#include "io/http_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128
#define DRAIN_S 2 /* answers under way at SIGTERM */

#define NUM_SIGNALS 3

struct mcx_http_server {
    struct mcx_http_config config;
    struct event_base *base;
    struct evhttp *http;
    struct evhttp_bound_socket *bound;
    struct evconnlistener *listener; /* owned by evhttp */
    struct event *signals[NUM_SIGNALS];
    SSL_CTX *tls;
    int slot; /* SSL ex data: struct conn */
    uint32_t num_conns;
    struct conn *conns;
    uint64_t num_cut;
    uint16_t port;
    bool stopping;
};

/* Lives from SSL_new to SSL_free, which is when evhttp drops the connection. */
struct conn {
    struct conn *next, **prev;
    struct mcx_http_server *server;
    struct bufferevent *bev; /* evhttp's */
    struct event *deadline;
    uint8_t peer[8]; /* IPv4 address, or the first half of an IPv6 one: what one customer of a network has */
    bool admitted;
};

void mcx_http_answer_header(struct mcx_http_answer *answer, const char *name, const char *value)
{
    if (answer->num_headers < MCX_HTTP_MAX_HEADERS) {
        answer->header[answer->num_headers++] = (struct mcx_http_header){ name, value };
    }
}

static void log_event(const struct mcx_http_server *s, enum mcx_log_level level, const char *subject, const char *event)
{
    struct mcx_log_record rec = { .level = level, .subsystem = "http", .subject = subject, .event = event };

    mcx_log(&s->config.log, &rec);
}

/* TLS */

static SSL_CTX *tls_new(const struct mcx_http_config *c)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (tls == NULL) {
        return NULL;
    }
    (void)SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 || /* TS 33.310 6.2 */
        SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_use_certificate_chain_file(tls, c->tls_cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, c->tls_key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(tls) != 1) {
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}

static void conn_free(struct conn *c)
{
    struct mcx_http_server *s = c->server;

    if (c->deadline != NULL) {
        event_free(c->deadline);
    }
    *c->prev = c->next;
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    s->num_conns--;
    if (s->listener != NULL && !s->stopping) {
        (void)evconnlistener_enable(s->listener);
    }
    if (s->stopping && s->num_conns == 0) {
        (void)event_base_loopbreak(s->base);
    }
    free(c);
}

static void ssl_freed(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent;
    (void)ad;
    (void)idx;
    (void)argl;
    (void)argp;
    if (ptr != NULL) {
        conn_free(ptr);
    }
}

static bool peer_of(uint8_t out[8], evutil_socket_t fd)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    struct sockaddr_storage addr;
    struct sockaddr_in a4;
    struct sockaddr_in6 a6;
    socklen_t len = sizeof addr;

    memset(out, 0, 8);
    if (getpeername(fd, (struct sockaddr *)&addr, &len) != 0) {
        return false;
    }
    if (addr.ss_family == AF_INET) {
        memcpy(&a4, &addr, sizeof a4);
        memcpy(out, &a4.sin_addr, 4);
        return true;
    }
    memcpy(&a6, &addr, sizeof a6);
    if (memcmp(&a6.sin6_addr, mapped, sizeof mapped) == 0) {
        memcpy(out, (const uint8_t *)&a6.sin6_addr + sizeof mapped, 4);
    } else {
        memcpy(out, &a6.sin6_addr, 8);
    }
    return true;
}

/* evhttp gives the socket only after it has asked for the bufferevent: so this is the first turn of the loop after. */
static bool admit(struct conn *c)
{
    const struct mcx_http_server *s = c->server;
    uint32_t same = 0;

    c->admitted = true;
    if (!peer_of(c->peer, bufferevent_getfd(c->bev))) {
        return false;
    }
    for (const struct conn *o = s->conns; o != NULL; o = o->next) {
        same += o->admitted && memcmp(o->peer, c->peer, sizeof c->peer) == 0 ? 1 : 0;
    }
    return s->config.limits.per_peer == 0 || same <= s->config.limits.per_peer;
}

/* A connection too many, or one that has lived too long, is cut at the socket; evhttp sees the end and frees it. */
static void deadline_passed(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    struct timeval after = { (time_t)c->server->config.limits.lifetime_s, 0 };

    (void)fd;
    (void)what;
    if (!c->admitted) {
        if (admit(c) && evtimer_add(c->deadline, &after) == 0) {
            return;
        }
        c->server->num_cut++;
    }
    (void)shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
}

static struct conn *conn_new(struct mcx_http_server *s)
{
    struct conn *c = calloc(1, sizeof *c);
    struct timeval now = { 0, 0 };

    if (c == NULL) {
        return NULL;
    }
    c->server = s;
    c->next = s->conns;
    c->prev = &s->conns;
    if (c->next != NULL) {
        c->next->prev = &c->next;
    }
    s->conns = c;
    s->num_conns++;
    c->deadline = evtimer_new(s->base, deadline_passed, c);
    if (c->deadline == NULL || evtimer_add(c->deadline, &now) != 0) {
        conn_free(c);
        return NULL;
    }
    return c;
}

/*
 * evhttp asks for the bufferevent of a new connection. Were NULL returned, it would go on without TLS: then it is
 * better to die.
 */
static struct bufferevent *accept_tls(struct event_base *base, void *arg)
{
    struct mcx_http_server *s = arg;
    struct conn *c = conn_new(s);
    SSL *ssl = c == NULL ? NULL : SSL_new(s->tls);

    if (ssl == NULL || SSL_set_ex_data(ssl, s->slot, c) != 1 ||
        (c->bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)) ==
            NULL) {
        log_event(s, MCX_LOG_ERROR, NULL, "no memory for a TLS connection; ending rather than serving in clear");
        abort();
    }
    bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
    if (s->num_conns >= s->config.limits.connections) {
        (void)evconnlistener_disable(s->listener);
        log_event(s, MCX_LOG_WARN, NULL, "as many connections as allowed; new ones wait");
    }
    return c->bev;
}

/* Requests */

static const char *method_name(struct evhttp_request *req)
{
    static const struct {
        enum evhttp_cmd_type type;
        const char *name;
    } names[] = { { EVHTTP_REQ_POST, "POST" },   { EVHTTP_REQ_GET, "GET" },         { EVHTTP_REQ_HEAD, "HEAD" },
                  { EVHTTP_REQ_PUT, "PUT" },     { EVHTTP_REQ_DELETE, "DELETE" },   { EVHTTP_REQ_OPTIONS, "OPTIONS" },
                  { EVHTTP_REQ_TRACE, "TRACE" }, { EVHTTP_REQ_CONNECT, "CONNECT" }, { EVHTTP_REQ_PATCH, "PATCH" } };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].type == evhttp_request_get_command(req)) {
            return names[i].name;
        }
    }
    return "?";
}

/* The only value of a header; NULL when it is absent or repeated. */
static const char *single_header(struct evhttp_request *req, const char *name)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
    struct evkeyval *h = NULL;
    const char *value = NULL;

    for (h = headers->tqh_first; h != NULL; h = h->next.tqe_next) {
        if (strcasecmp(h->key, name) == 0) {
            if (value != NULL) {
                return NULL;
            }
            value = h->value;
        }
    }
    return value;
}

static void release_body(const void *data, size_t len, void *arg)
{
    struct mcx_http_answer *a = arg;

    (void)data;
    (void)len;
    a->release(a->body, a->body_len);
    free(a);
}

/* Hand the body over by reference: no copy stays behind in a buffer that nobody wipes. */
static mcx_err body_to(struct evbuffer *out, const struct mcx_http_answer *answer)
{
    struct mcx_http_answer *keep = NULL;

    if (answer->release == NULL) {
        return evbuffer_add(out, answer->body, answer->body_len) == 0 ? MCX_OK : MCX_E_NOMEM;
    }
    keep = malloc(sizeof *keep);
    if (keep != NULL) {
        *keep = *answer;
        if (evbuffer_add_reference(out, answer->body, answer->body_len, release_body, keep) == 0) {
            return MCX_OK;
        }
    }
    free(keep);
    answer->release(answer->body, answer->body_len);
    return MCX_E_NOMEM;
}

static void send_answer(struct evhttp_request *req, const struct mcx_http_answer *answer)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    struct evbuffer *body = evbuffer_new();
    int status = answer->status;
    bool ok = body != NULL;

    for (size_t i = 0; i < answer->num_headers; i++) {
        ok = evhttp_add_header(headers, answer->header[i].name, answer->header[i].value) == 0 && ok;
    }
    if (answer->content_type != NULL) {
        ok = evhttp_add_header(headers, "Content-Type", answer->content_type) == 0 && ok;
    }
    if (answer->body_len > 0 && body != NULL) {
        ok = body_to(body, answer) == MCX_OK && ok;
    } else if (answer->body_len > 0 && answer->release != NULL) {
        answer->release(answer->body, answer->body_len);
    }
    if (!ok) {
        evhttp_send_error(req, 500, NULL);
    } else {
        evhttp_send_reply(req, status, NULL, body);
    }
    if (body != NULL) {
        evbuffer_free(body);
    }
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct mcx_http_server *s = arg;
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    size_t len = evbuffer_get_length(in);
    unsigned char *body = len == 0 ? NULL : evbuffer_pullup(in, -1);
    char *peer = NULL;
    ev_uint16_t port = 0;
    struct mcx_http_request r = { .method = method_name(req),
                                  .target = evhttp_request_get_uri(req),
                                  .authorization = single_header(req, "Authorization"),
                                  .if_none_match = single_header(req, "If-None-Match"),
                                  .body = mcx_bytes(body, body == NULL ? 0 : len) };
    struct mcx_http_answer answer = { 0 };

    if (len > 0 && body == NULL) {
        evhttp_send_error(req, 500, NULL);
        return;
    }
    evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer, &port);
    r.peer = peer == NULL ? "" : peer;
    if (s->stopping) {
        mcx_http_answer_header(&answer, "Connection", "close");
    }
    s->config.handle(s->config.ctx, &answer, &r);
    send_answer(req, &answer);
}

/* Set-up */

/* "127.0.0.1:8443" or "[::1]:8443". */
static mcx_err split_address(char host[64], ev_uint16_t *port, const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    char *rest = NULL;
    unsigned long v = 0;

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= 64 || colon[1] < '0' || colon[1] > '9') {
        return MCX_E_ARG;
    }
    v = strtoul(colon + 1, &rest, 10);
    if (*rest != '\0' || v > 65535) {
        return MCX_E_ARG;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    *port = (ev_uint16_t)v;
    return MCX_OK;
}

static uint16_t bound_port(evutil_socket_t fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;

    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
        return 0;
    }
    /* sin_port and sin6_port lie at the same place */
    return (uint16_t)(((uint8_t *)&addr)[2] << 8 | ((uint8_t *)&addr)[3]);
}

static mcx_err http_new(struct mcx_http_server *s)
{
    const struct mcx_http_limits *l = &s->config.limits;
    const int on = 1;
    char host[64];
    ev_uint16_t port = 0;

    MCX_TRY(split_address(host, &port, s->config.listen));
    s->base = event_base_new();
    s->http = s->base == NULL ? NULL : evhttp_new(s->base);
    if (s->http == NULL) {
        return MCX_E_NOMEM;
    }
    evhttp_set_bevcb(s->http, accept_tls, s);
    evhttp_set_gencb(s->http, on_request, s);
    evhttp_set_timeout(s->http, (int)l->idle_s);
    evhttp_set_max_headers_size(s->http, (ev_ssize_t)l->headers_octets);
    evhttp_set_max_body_size(s->http, (ev_ssize_t)l->body_octets);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_POST | EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                            EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
    s->bound = evhttp_bind_socket_with_handle(s->http, host, port);
    if (s->bound == NULL) {
        return MCX_E_IO;
    }
    s->listener = evhttp_bound_socket_get_listener(s->bound);
    s->port = bound_port(evhttp_bound_socket_get_fd(s->bound));
    /* Accepted sockets inherit it: head and body are two TLS records, and the second must not wait for an ACK. */
    return setsockopt(evhttp_bound_socket_get_fd(s->bound), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 ? MCX_OK
                                                                                                           : MCX_E_IO;
}

static void stop_now(evutil_socket_t fd, short what, void *arg)
{
    struct mcx_http_server *s = arg;
    struct timeval drain = { DRAIN_S, 0 };

    (void)fd;
    (void)what;
    if (s->stopping) {
        return;
    }
    s->stopping = true;
    evhttp_del_accept_socket(s->http, s->bound);
    s->bound = NULL;
    s->listener = NULL;
    if (s->num_conns == 0) {
        (void)event_base_loopbreak(s->base);
    } else {
        (void)event_base_loopexit(s->base, &drain);
    }
}

static void report_now(evutil_socket_t fd, short what, void *arg)
{
    struct mcx_http_server *s = arg;

    (void)fd;
    (void)what;
    if (s->config.report != NULL) {
        s->config.report(s->config.ctx);
    }
}

static mcx_err catch_signals(struct mcx_http_server *s)
{
    static const int numbers[NUM_SIGNALS] = { SIGTERM, SIGINT, SIGUSR1 };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    if (sigaction(SIGPIPE, &ignore, NULL) != 0) {
        return MCX_E_IO;
    }
    for (size_t i = 0; i < NUM_SIGNALS; i++) {
        s->signals[i] = evsignal_new(s->base, numbers[i], numbers[i] == SIGUSR1 ? report_now : stop_now, s);
        if (s->signals[i] == NULL || event_add(s->signals[i], NULL) != 0) {
            return MCX_E_NOMEM;
        }
    }
    return MCX_OK;
}

mcx_err mcx_http_server_new(struct mcx_http_server **out, const struct mcx_http_config *config)
{
    struct mcx_http_server *s = calloc(1, sizeof *s);
    mcx_err err = s == NULL ? MCX_E_NOMEM : MCX_OK;

    MCX_GO(err, err);
    s->config = *config;
    s->slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, ssl_freed);
    s->tls = tls_new(config);
    err = s->tls == NULL ? MCX_E_AUTH : MCX_OK;
    MCX_GO(err, err);
    MCX_GO(err, http_new(s));
    MCX_GO(err, catch_signals(s));
    *out = s;
    s = NULL;
out:
    mcx_http_server_free(s);
    return err;
}

uint16_t mcx_http_server_port(const struct mcx_http_server *server)
{
    return server->port;
}

uint64_t mcx_http_server_cut(const struct mcx_http_server *server)
{
    return server->num_cut;
}

mcx_err mcx_http_server_run(struct mcx_http_server *server)
{
    return event_base_dispatch(server->base) < 0 ? MCX_E_IO : MCX_OK;
}

void mcx_http_server_free(struct mcx_http_server *server)
{
    if (server == NULL) {
        return;
    }
    server->stopping = true;
    server->listener = NULL;
    for (size_t i = 0; i < NUM_SIGNALS; i++) {
        if (server->signals[i] != NULL) {
            event_free(server->signals[i]);
        }
    }
    if (server->http != NULL) {
        evhttp_free(server->http); /* drops the connections, and with them every struct conn */
    }
    if (server->base != NULL) {
        event_base_free(server->base);
    }
    SSL_CTX_free(server->tls);
    free(server);
}
