/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GMC_H
#define MCX_GMC_H

/*
 * The group management client (TS 24.481 6.3; TS 33.180 5.7): for each group the group document, then the GKTP
 * document, each fetched only when it has changed, and the keys out of it.
 *
 * No I/O: mcx_gmc_step() takes an event with the time in it and says what to do next: GET this document, wait so long,
 * done, or given up. Of a GKTP document the payloads with one's own MCPTT ID are opened; when there is none, all that
 * are addressed to oneself. A payload counts only when the configured GMS has signed it, when its key opens, and when
 * its signed parameters name the group (or temporary group) under which it stood. One that fails is left out and
 * reported; the keys held before stay. What is accepted goes into the caller's mcx_group_keys; he writes it to disk
 * when the procedure is over, also when it was given up half way.
 *
 *   200  taken in; its entity tag is kept only when all of the document was
 *   304  nothing new; not asked for while a key of the group is held that another GMS has signed
 *   403  no member of the group, or no more: keys only bound to it are wiped; reported as a refusal
 *   404  of the group document: there is no such group, likewise; of the GKTP document: there is no key to fetch
 *   401  the access token does not serve: the procedure is given up
 *
 * Messages may be of any age for which a key set is held: what protects against old ones is the time of the last
 * message about each GMK-ID, which mcx_group_keys keeps over restarts.
 *
 * Keys that are held for another user of the same file are not touched: his groups are reported as unreadable.
 *
 * For the SIP side: the body of a subscription to changes, and what a notification makes necessary.
 */

#include <mcx/group_doc.h>
#include <mcx/group_keys.h>
#include <mcx/kmsc.h>
#include <mcx/mcptt.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_GMC_GROUPS_MAX   64
#define MCX_GMC_PAYLOADS_MAX 64 /* own payloads of a document; more are refused */
#define MCX_GMC_REFUSALS_MAX 8  /* of a group that are told one by one */
#define MCX_GMC_URL_MAX      2048
#define MCX_GMC_ETAG_MAX     128

struct mcx_gmc_config {
    const char *url;           /* https://host[:port], without path: the XCAP root */
    const char *gms;           /* URI of the GMS that signs */
    const char *user;          /* own MCPTT ID */
    const char *const *groups; /* copied */
    size_t num_groups;         /* 1 .. MCX_GMC_GROUPS_MAX */
    struct mcx_kmsc_retry retry;
};

enum mcx_gmc_event { MCX_GMC_START, MCX_GMC_ANSWER, MCX_GMC_LOST, MCX_GMC_TIMER };

struct mcx_gmc_in {
    enum mcx_gmc_event event;
    struct mcx_ntp now;
    int status;            /* ANSWER: HTTP status */
    const char *etag;      /* ANSWER: without marks; NULL or "" = none */
    struct mcx_bytes body; /* ANSWER */
    bool too_long;         /* ANSWER: `body` was given up, being longer than MCX_GROUP_DOC_MAX */
};

enum mcx_gmc_action { MCX_GMC_GET, MCX_GMC_WAIT, MCX_GMC_DONE, MCX_GMC_FAILED };

struct mcx_gmc_out {
    enum mcx_gmc_action action;
    const char *url;    /* GET; borrowed until the next step */
    const char *accept; /* GET: media type */
    const char *etag;   /* GET: for If-None-Match; "" = none; borrowed until the next step */
    uint64_t wait_ms;   /* WAIT: then step with MCX_GMC_TIMER */
    mcx_err err;        /* FAILED, and WAIT: what went wrong */
    struct mcx_refusal why;
    const char *group; /* GET, WAIT, FAILED: about this group */
    int status;        /* FAILED, WAIT: HTTP status; 0 = none */
};

enum mcx_gmc_state {
    MCX_GMC_PENDING,    /* not reached */
    MCX_GMC_CURRENT,    /* everything was taken in, or was known */
    MCX_GMC_PARTLY,     /* something was refused, or keys are missing */
    MCX_GMC_GONE,       /* there is no such group, or no more */
    MCX_GMC_NO_MEMBER,  /* the user is no member, or no more */
    MCX_GMC_UNREADABLE, /* a document could not be fetched or read; what is held stays */
};
const char *mcx_gmc_state_name(enum mcx_gmc_state state);

/** A payload, or a document, that was not taken. */
struct mcx_gmc_refusal {
    const char *document; /* "group", "gktp", or of a payload "gmk", "mkfc" */
    char temporary[MCX_GROUP_URI_MAX];
    mcx_err err;
    struct mcx_refusal why;
};
/** What became of a group. */
struct mcx_gmc_group {
    char group[MCX_GROUP_URI_MAX];
    enum mcx_gmc_state state;
    bool protect_media;
    char temporary[MCX_GROUP_URI_MAX]; /* the temporary group it is part of; "" = none */
    size_t num_new, num_updated, num_revoked, num_same;
    size_t num_others; /* payloads for somebody else */
    size_t num_wiped;  /* keys, with the group or a temporary group */
    size_t num_refused;
    struct mcx_gmc_refusal refusal[MCX_GMC_REFUSALS_MAX]; /* the first of them */
};

struct mcx_gmc;

/**
 * @param[in] ring  borrowed; certificates and key sets of the user
 * @param[in] keys  borrowed; takes what is accepted
 * @param[in] rng   borrowed; for the waits
 * @retval MCX_E_ARG  no https URL, a URI is empty or too long, no group or too many, or a group twice
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_gmc_new(struct mcx_gmc **out, const struct mcx_gmc_config *config,
                                   const struct mcx_keyring *ring, struct mcx_group_keys *keys,
                                   const struct mcx_rng *rng);
void mcx_gmc_free(struct mcx_gmc *gmc);

/** @retval MCX_E_STATE the event does not fit @retval MCX_E_NOMEM @retval MCX_E_RNG @retval MCX_E_BUG */
MCX_MUST_CHECK mcx_err mcx_gmc_step(struct mcx_gmc *gmc, const struct mcx_gmc_in *in, struct mcx_gmc_out *out);

/** One for each group of the configuration, in its order. */
size_t mcx_gmc_num_groups(const struct mcx_gmc *gmc);
const struct mcx_gmc_group *mcx_gmc_group(const struct mcx_gmc *gmc, size_t i);
/** Keys that expired and were wiped at the end. */
size_t mcx_gmc_num_expired(const struct mcx_gmc *gmc);

/* ---- SIP: SUBSCRIBE and NOTIFY of Event xcap-diff (TS 24.481 6.3.13; RFC 5875) ---- */

/**
 * Body of a SUBSCRIBE: the group document and the GKTP document of each group, and the access token.
 *
 * @param[out] content_type  for the Content-Type of the request
 * @retval MCX_E_ARG  a URI or the token does not serve @retval MCX_E_SPACE @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_gmc_subscribe_write(struct mcx_wr *out, char content_type[MCX_MIME_TYPE_MAX],
                                               const char *const *groups, size_t num_groups, const char *access_token);

/** Groups with a document that has to be fetched. */
struct mcx_gmc_changes {
    size_t num;
    char group[MCX_GMC_GROUPS_MAX][MCX_GROUP_URI_MAX];
};
/**
 * Which groups a NOTIFY makes it necessary to fetch: those with a document whose entity tag is not the one that is
 * held, or that is gone and was held. Other documents, and groups beyond MCX_GMC_GROUPS_MAX, are left out.
 *
 * @retval MCX_E_FORMAT @retval MCX_E_SPACE @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_gmc_notify_read(struct mcx_gmc_changes *out, struct mcx_bytes xml,
                                           const struct mcx_group_keys *keys, struct mcx_refusal *why);

#ifdef __cplusplus
}
#endif

#endif
