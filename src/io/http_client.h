/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_HTTP_CLIENT_H
#define MCX_IO_HTTP_CLIENT_H

/*
 * One HTTPS POST (libcurl). TLS 1.2 or later, the server's certificate and name are always verified, no
 * redirects, no proxy, no other protocol, bounded answer and time.
 */

#include <mcx/bytes.h>

struct mcx_http_post {
    const char *url;     /* https only */
    const char *ca_file; /* PEM file of the trust anchors */
    const char *bearer;  /* access token, or NULL */
    const char *content_type;
    struct mcx_bytes body;
    uint32_t timeout_ms; /* the whole exchange */
    size_t max_answer;   /* octets */
};

/** An answer; its body may hold keys and is wiped by mcx_http_answer_clear(). */
struct mcx_http_answer {
    int status;
    uint8_t *body;
    size_t len;
    size_t cap;
    char detail[256]; /* on MCX_E_IO: what the library says, for a person */
};
void mcx_http_answer_clear(struct mcx_http_answer *answer);

/**
 * POST and wait for the answer.
 *
 * @param[out] out  zeroed by the caller; `detail` is also set on errors
 * @retval MCX_E_AUTH   the server's certificate or name did not verify
 * @retval MCX_E_SPACE  the answer is larger than `max_answer`
 * @retval MCX_E_IO     anything else that kept an answer from coming
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_http_post(struct mcx_http_answer *out, const struct mcx_http_post *post);

#endif
