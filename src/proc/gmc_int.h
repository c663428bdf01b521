/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROC_GMC_INT_H
#define MCX_PROC_GMC_INT_H

/* Shared by gmc.c (the order of requests, retries) and gmc_accept.c (documents and payloads). */

#include <mcx/gmc.h>

enum gmc_document { GMC_DOC_GROUP, GMC_DOC_GKTP };

struct mcx_gmc {
    char base[MCX_GMC_URL_MAX / 2]; /* without trailing slash */
    char gms[MCX_GROUP_URI_MAX];
    char user[MCX_GROUP_URI_MAX];
    struct mcx_kmsc_retry retry;
    const struct mcx_keyring *ring;
    struct mcx_group_keys *keys;
    const struct mcx_rng *rng;

    struct mcx_gmc_group *groups;
    size_t num_groups;
    size_t num_expired;
    size_t at; /* group in hand */
    enum gmc_document document;
    bool started;
    bool waiting;
    bool over;
    uint32_t tries; /* of this document so far */
    char url[MCX_GMC_URL_MAX];
    char etag[MCX_GMC_ETAG_MAX];
};

static inline struct mcx_gmc_group *gmc_now(struct mcx_gmc *g)
{
    return &g->groups[g->at];
}

/** Count a refusal, and keep it while there is room. */
void gmc_refused(struct mcx_gmc_group *group, const char *document, const char *temporary, mcx_err err,
                 const struct mcx_refusal *why);
/** Take in a document. What is refused goes into the report; errors are those of ours (MCX_E_NOMEM, MCX_E_BUG). */
MCX_MUST_CHECK mcx_err gmc_accept_group(struct mcx_gmc *g, const struct mcx_gmc_in *in);
MCX_MUST_CHECK mcx_err gmc_accept_gktp(struct mcx_gmc *g, const struct mcx_gmc_in *in);
/** The group is gone, or the user no member any more: keys and entity tags go. */
MCX_MUST_CHECK mcx_err gmc_drop(struct mcx_gmc *g, enum mcx_gmc_state state);

#endif
