/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GMS_XCAP_H
#define MCX_GMS_XCAP_H

/*
 * Documents of the GMS over XCAP (RFC 4825; TS 24.481 6.3.3, 7.2.10, 7.7) without I/O: a request whose token has been
 * verified goes in, the answer comes out.
 *
 * Checks, in this order: method, token, path, group, membership, entity tag. A member gets the group document and a
 * GKTP document with his own payloads alone; an MCPTT server every group document, and the payloads made for it. What
 * has gone out, or was there already, is recorded as delivered before the answer leaves.
 */

#include <mcx/group_doc.h>
#include <mcx/seam.h>

#include "base/rate.h"
#include "base/tally.h"

#define MCX_GMS_ETAG_MAX 40

enum mcx_gms_document { MCX_GMS_DOC_GROUP, MCX_GMS_DOC_GKTP };

/** Where the documents are. */
struct mcx_gms_docs {
    void *ctx;
    /** `*xml` on the heap. @retval MCX_E_NOKEY no such group @retval MCX_E_POLICY not a member @retval MCX_E_IO ... */
    mcx_err (*document)(void *ctx, char **xml, size_t *len, char etag[MCX_GMS_ETAG_MAX], enum mcx_gms_document document,
                        const char *group, const char *user, bool server, uint64_t now_ms);
    mcx_err (*delivered)(void *ctx, enum mcx_gms_document document, const char *group, const char *user,
                         const char *etag, uint64_t now_ms);
    const char *(*trouble)(void *ctx); /* for the log: why one of them has failed; NULL = nobody knows */
};

struct mcx_gms_xcap_config {
    struct mcx_gms_docs docs;
    const char *const *servers; /* MCPTT servers */
    size_t num_servers;
    struct mcx_log log;
    uint32_t refusals_per_minute; /* to one address without a good token; beyond: 429, not logged. 0 = any number */
};

struct mcx_gms_xcap {
    struct mcx_gms_xcap_config config;
    struct mcx_rate refusals;
    struct mcx_tally tally;
};
/** Borrows what `config` points to. */
void mcx_gms_xcap_init(struct mcx_gms_xcap *xcap, const struct mcx_gms_xcap_config *config);

struct mcx_gms_xcap_in {
    const char *method;
    const char *target;
    const char *if_none_match; /* NULL = absent */
    bool has_token;
    mcx_err token_err; /* MCX_E_POLICY: genuine, but without scope */
    struct mcx_refusal token_why;
    const char *user; /* of a good token */
    const char *peer;
    uint64_t unix_ms;
    uint64_t mono_ms;
};

/** Release the body with free(): it holds nothing that is secret from its reader, and ciphertext to anybody else. */
struct mcx_gms_answer {
    int status;
    const char *www_authenticate; /* or NULL */
    const char *allow;            /* or NULL */
    bool close;
    uint32_t retry_after_s;
    char etag[MCX_GMS_ETAG_MAX + 2]; /* with quotation marks; "" = none */
    const char *content_type;        /* or NULL */
    char *body;
    size_t body_len;
};
void mcx_gms_xcap_handle(struct mcx_gms_xcap *xcap, struct mcx_gms_answer *out, const struct mcx_gms_xcap_in *in);

/**
 * A refusal by another interface of this server to a peer that nobody vouches for: counted, and of the same budget.
 *
 * @return 0, or the seconds to wait where the budget is spent: 429, and not logged
 */
uint32_t mcx_gms_xcap_refusal(struct mcx_gms_xcap *xcap, const char *reason, const char *peer, uint64_t mono_ms);

/** If-None-Match (RFC 9110 13.1.2) names this entity tag, or any. Weak comparison. */
bool mcx_gms_etag_matches(const char *if_none_match, const char *etag);

#endif
