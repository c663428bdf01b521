/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_HTTP_SERVER_H
#define MCX_IO_HTTP_SERVER_H

/*
 * An HTTPS server for our daemons: libevent's evhttp on OpenSSL bufferevents, TLS 1.2 or later, one event loop.
 *
 * It parses and bounds; it decides nothing. Each complete request goes to one handler, which fills an answer at
 * once. A body with secrets in it is handed over with its release function and never copied by us.
 */

#include <stddef.h>
#include <stdint.h>

#include <mcx/bytes.h>
#include <mcx/seam.h>

struct mcx_http_request {
    const char *method;        /* "POST"; "?" when unknown */
    const char *target;        /* as it stood in the request line */
    const char *peer;          /* address */
    const char *authorization; /* value, or NULL; also NULL when the header stands there twice */
    const char *if_none_match; /* the same */
    struct mcx_bytes body;
};

#define MCX_HTTP_MAX_HEADERS 8

struct mcx_http_answer {
    int status;
    struct mcx_http_header {
        const char *name;
        const char *value; /* copied before the handler's caller returns */
    } header[MCX_HTTP_MAX_HEADERS];
    size_t num_headers;
    const char *content_type; /* NULL without a body */
    char *body;               /* owned by the answer when `release` is set */
    size_t body_len;
    void (*release)(char *body, size_t len); /* called once, when the octets have been sent or given up */
};
/** One more header; surplus ones are dropped (there is room for all that are used). */
void mcx_http_answer_header(struct mcx_http_answer *answer, const char *name, const char *value);

struct mcx_http_limits {
    uint32_t connections; /* at a time; further ones wait in the backlog */
    uint32_t per_peer;    /* of one address (IPv6: one /64) at a time; further ones are cut; 0 = as many as there are */
    uint32_t idle_s;      /* without an octet */
    uint32_t lifetime_s;  /* of a connection */
    uint32_t headers_octets; /* request line and headers */
    uint32_t body_octets;    /* hard bound of the parser (answer 413) */
};

struct mcx_http_config {
    const char *listen;   /* "ADDR:PORT", "[ADDR6]:PORT"; port 0 takes a free one */
    const char *tls_cert; /* PEM chain */
    const char *tls_key;  /* PEM */
    struct mcx_http_limits limits;
    void (*handle)(void *ctx, struct mcx_http_answer *out, const struct mcx_http_request *req);
    void (*report)(void *ctx); /* at SIGUSR1 */
    void *ctx;
    struct mcx_log log;
};

struct mcx_http_server;

/**
 * Load the TLS files and listen. Nothing is accepted before mcx_http_server_run().
 *
 * @retval MCX_E_ARG   malformed address
 * @retval MCX_E_AUTH  the TLS certificate and key cannot be loaded or do not fit
 * @retval MCX_E_IO    cannot listen (errno says why)
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_http_server_new(struct mcx_http_server **out, const struct mcx_http_config *config);
/** Port that is really bound. */
uint16_t mcx_http_server_port(const struct mcx_http_server *server);
/** How many connections were cut because their peer had too many. */
uint64_t mcx_http_server_cut(const struct mcx_http_server *server);
/** Serve until SIGTERM or SIGINT; then stop listening, let answers under way go out, and return. */
MCX_MUST_CHECK mcx_err mcx_http_server_run(struct mcx_http_server *server);
void mcx_http_server_free(struct mcx_http_server *server);

#endif
