/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_HTTP_CLIENT_H
#define MCX_IO_HTTP_CLIENT_H

/*
 * One HTTPS exchange (libcurl), GET or POST. TLS 1.2 or later, the server's certificate and name are always verified,
 * no redirects, no proxy, no other protocol, bounded answer and time.
 *
 * Entity tags (RFC 9110 8.8.3) stand without quotation marks and without W/: they only ever serve If-None-Match, which
 * compares weakly.
 */

#include <mcx/bytes.h>

#define MCX_HTTP_ETAG_MAX 128 /* octets, with NUL; a longer one of an answer counts as none */

struct mcx_http_call {
    const char *url;          /* https only */
    const char *ca_file;      /* PEM file of the trust anchors */
    const char *bearer;       /* access token, or NULL */
    const char *accept;       /* media type */
    const char *content_type; /* of `body`, which is posted; NULL = GET */
    struct mcx_bytes body;
    const char *known_etag; /* If-None-Match; NULL or "" = none */
    uint32_t timeout_ms;    /* the whole exchange */
    size_t max_reply;       /* octets */
};

/** An answer; its body may hold keys and is wiped by mcx_http_reply_clear(). */
struct mcx_http_reply {
    int status;
    char etag[MCX_HTTP_ETAG_MAX]; /* "" = none */
    uint8_t *body;
    size_t len;
    size_t cap;
    char detail[256]; /* on MCX_E_IO: what the library says, for a person */
};
void mcx_http_reply_clear(struct mcx_http_reply *reply);

/**
 * Send and wait for the answer.
 *
 * @param[out] out  zeroed by the caller; `detail` is also set on errors
 * @retval MCX_E_AUTH   the server's certificate or name did not verify
 * @retval MCX_E_SPACE  the answer is larger than `max_reply`
 * @retval MCX_E_IO     anything else that kept an answer from coming
 * @retval MCX_E_ARG    `known_etag` is none
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_http_exchange(struct mcx_http_reply *out, const struct mcx_http_call *call);

#endif
