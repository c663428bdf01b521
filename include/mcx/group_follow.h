/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GROUP_FOLLOW_H
#define MCX_GROUP_FOLLOW_H

/*
 * The documents of the groups that an MCPTT server serves, as it follows them at the group management server (TS 24.481
 * 6.3.3, 6.3.13). No I/O; documents are fetched in rounds, one round at a time:
 *
 *   mcx_gfollow_deadline()  when a round is to begin: at once, at the next poll, or after a wait that doubles
 *   mcx_gfollow_begin()     which documents to GET; with If-None-Match: mcx_gfollow_etag()
 *   mcx_gfollow_answer()    what an answer means
 *   mcx_gfollow_end()       the round is over
 *
 *   200  a document to take, unless it has the entity tag that is held
 *   304  nothing new
 *   404  the group is gone
 *   403  this server may not read it: nothing changes; nor when the document is too long
 *   else, or no answer: the round breaks off and another follows
 *
 * What is held is never given up for an answer that cannot be used. Group documents hold no key.
 */

#include <mcx/group_doc.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_GFOLLOW_GROUPS_MAX 256
#define MCX_GFOLLOW_ETAG_MAX   128
#define MCX_GFOLLOW_ROOT_MAX   512 /* XCAP root in an xcap-diff, with NUL */

struct mcx_gfollow_config {
    const char *const *groups; /* URIs; copied */
    size_t num_groups;         /* 1 .. MCX_GFOLLOW_GROUPS_MAX */
    uint32_t poll_ms;          /* between rounds for all; 0 = only when asked */
    uint32_t first_retry_ms;   /* the first wait after a round that broke off */
    uint32_t max_retry_ms;
};

struct mcx_gfollow;
/** @retval MCX_E_ARG no group or too many, one twice, a URI too long @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_gfollow_new(struct mcx_gfollow **out, const struct mcx_gfollow_config *config);
void mcx_gfollow_free(struct mcx_gfollow *follow);

/** All documents are due now, whatever failed before. */
void mcx_gfollow_ask(struct mcx_gfollow *follow);
/**
 * Of a NOTIFY of Event xcap-diff (RFC 5875 4): the documents with another entity tag than what is held are due, those
 * that are gone too. After a failure they wait for the round that follows it.
 *
 * @param[out] num  how many @retval MCX_E_FORMAT @retval MCX_E_SPACE @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_gfollow_notified(struct mcx_gfollow *follow, size_t *num, struct mcx_bytes xml,
                                            struct mcx_refusal *why);
/** When to begin a round; 0 = now, UINT64_MAX = not before something is due, or while one is running. */
uint64_t mcx_gfollow_deadline(const struct mcx_gfollow *follow);
/** Begin a round. @param[out] due  groups to fetch @return how many; 0 = it is not time */
size_t mcx_gfollow_begin(struct mcx_gfollow *follow, uint16_t due[MCX_GFOLLOW_GROUPS_MAX], uint64_t now_ms);
const char *mcx_gfollow_group(const struct mcx_gfollow *follow, size_t i);
/** Entity tag of what is held; "" = nothing is, or it has none. */
const char *mcx_gfollow_etag(const struct mcx_gfollow *follow, size_t i);

enum mcx_gfollow_verdict {
    MCX_GFOLLOW_SAME,
    MCX_GFOLLOW_TAKE,    /* then mcx_gfollow_taken(), unless the document cannot be used */
    MCX_GFOLLOW_GONE,    /* it was held, and is no more */
    MCX_GFOLLOW_REFUSED, /* what is held stays */
    MCX_GFOLLOW_AGAIN,   /* nothing can be fetched for now: end the round as failed */
};
/** In place of a status: the document was given up, being too long. */
#define MCX_GFOLLOW_TOO_LONG 1
/** @param[in] etag  of the answer; "" = none @param[out] why  of REFUSED and AGAIN */
enum mcx_gfollow_verdict mcx_gfollow_answer(struct mcx_gfollow *follow, size_t i, int status, const char *etag,
                                            struct mcx_refusal *why);
/** The document of the last answer about this group is in force. */
void mcx_gfollow_taken(struct mcx_gfollow *follow, size_t i, const char *etag);
/** The round is over; what was not answered is due again. @return milliseconds until it is tried; 0 = it has not failed */
uint64_t mcx_gfollow_end(struct mcx_gfollow *follow, bool failed, uint64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
