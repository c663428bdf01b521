/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROC_KMSC_INT_H
#define MCX_PROC_KMSC_INT_H

/* Shared by kmsc.c (the order of requests, retries) and kmsc_accept.c (the checks on answers). */

#include <mcx/kmsc.h>

enum mcx_kmsc_step_no { KMSC_INIT, KMSC_KEYPROV, KMSC_KEYPROV_NEXT, KMSC_CERTCACHE, KMSC_NUM_STEPS };

struct mcx_kmsc {
    char *base; /* without trailing slash */
    char *kms_uri;
    char *user_uri;
    char *client_id;
    bool at_time;
    bool init_only;
    struct mcx_ntp time;
    struct mcx_kmsc_retry retry;
    struct mcx_store *store;
    const struct mcx_rng *rng;

    struct mcx_keyring *ring; /* every point and equation is checked here before something is kept */
    enum mcx_kmsc_step_no step;
    bool started;
    bool waiting;
    bool over;
    uint32_t tries;           /* of this step so far */
    struct mcx_ntp asked_for; /* keyprov: a time in the period wanted */
    uint64_t request_time;    /* Unix seconds written into the request */
    char url[MCX_KMSC_URL_MAX];
    char *body;
    size_t body_len;
    struct mcx_kmsdoc *answer; /* kept for the ErrorMsg that is shown */
    size_t num_key_sets;
    size_t num_certs;
};

/** The answer is to this request (TS 33.180 D.3.1); then what the step wants of it, into ring and store. */
MCX_MUST_CHECK mcx_err mcx_kmsc_accept(struct mcx_kmsc *k, const struct mcx_kmsdoc *doc, struct mcx_ntp now,
                                       struct mcx_refusal *why);
/** Head of the answer only: for an error too. */
MCX_MUST_CHECK mcx_err mcx_kmsc_check_head(const struct mcx_kmsc *k, const struct mcx_kmsdoc *doc,
                                           struct mcx_refusal *why);
/** The next period of the home KMS is due (the present one is in its last tenth) and not held. */
bool mcx_kmsc_next_is_due(const struct mcx_store *store, const char *kms_uri, const char *user_uri, struct mcx_ntp now,
                          struct mcx_ntp *start);

#endif
