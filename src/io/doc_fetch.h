/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_DOC_FETCH_H
#define MCX_IO_DOC_FETCH_H

/*
 * One round of <mcx/group_follow.h>, in a process of its own: requests on its standard input, answers on its standard
 * output. It stops after the first answer that lets nothing more be expected of the server.
 */

#include <mcx/bytes.h>
#include <mcx/group_follow.h>

#define MCX_DOC_FETCH_MAX (4u << 20) /* octets of a group document: 10,000 members of 400 octets */
#define MCX_DOC_REQUEST   (MCX_GROUP_URI_MAX + MCX_GFOLLOW_ETAG_MAX + 5)
#define MCX_DOC_HEAD_MAX  (MCX_GFOLLOW_ETAG_MAX + 9)

struct mcx_doc_request {
    uint16_t index; /* comes back in the answer */
    const char *group, *etag;
};
/** @retval MCX_E_SPACE @retval MCX_E_ARG */
MCX_MUST_CHECK mcx_err mcx_doc_request_write(struct mcx_wr *out, const struct mcx_doc_request *request);

struct mcx_doc_answer {
    uint16_t index;
    uint16_t status; /* of HTTP; 0 = none came, and the body says why, for a person; MCX_GFOLLOW_TOO_LONG */
    char etag[MCX_GFOLLOW_ETAG_MAX];
    struct mcx_bytes body;
};
/** @retval MCX_E_TRUNC not whole yet; `rd` is as before @retval MCX_E_FORMAT @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_doc_answer_read(struct mcx_doc_answer *out, struct mcx_rd *rd);

struct mcx_doc_fetch {
    const char *url; /* https://HOST:PORT */
    const char *token_file, *ca_file;
};
/** The process: until all requests are answered, or one in vain. @param[out] why  always has a reason on errors */
MCX_MUST_CHECK mcx_err mcx_doc_fetch_run(const struct mcx_doc_fetch *fetch, int in, int out, struct mcx_refusal *why);
/** Both files can be used. */
MCX_MUST_CHECK mcx_err mcx_doc_fetch_check(const struct mcx_doc_fetch *fetch, struct mcx_refusal *why);

#endif
