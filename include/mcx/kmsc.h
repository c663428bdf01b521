/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KMSC_H
#define MCX_KMSC_H

/*
 * The KMS client procedure (TS 33.180 5.3, D.2): init, then keyprov, then certcache, one POST after the other.
 *
 * No I/O: mcx_kmsc_step() takes an event with the time in it and says what to do next: POST this body to this
 * URL, wait so long, done, or given up. Nothing of an answer is used before it was found to be the answer to
 * this request of this user by this KMS, and no key set is kept before both its equations hold. What is accepted
 * goes into the store that the caller passes; he writes it to disk when the procedure is done.
 *
 *   init                   the home certificate; its points, dates, period and offset are checked
 *   keyprov                key sets of the user for the present period; or of the period of a given time
 *   keyprov/{uri}/{time}   also for the next period, once the present one is in its last tenth
 *   certcache, certcache/n External certificates, all or those since the CacheNum held
 */

#include <mcx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_KMSC_PATH             "/keymanagement/identity/v1/"
#define MCX_KMSC_URL_MAX          4608
#define MCX_KMSC_TIME_TOLERANCE_S 5 /* how much older than the request an answer may be */

/** When to try again after a lost answer or a 5xx. The wait doubles from `first_ms` up to `max_ms`. */
struct mcx_kmsc_retry {
    uint32_t num;      /* tries after the first */
    uint32_t first_ms; /* each wait is drawn from half of it to all of it */
    uint32_t max_ms;
};
#define MCX_KMSC_RETRY_DEFAULT ((struct mcx_kmsc_retry){ 3, 1000, 30000 })

/** How long to wait after so many failures in a row, the last one not counted. @retval MCX_E_RNG */
MCX_MUST_CHECK mcx_err mcx_kmsc_wait_ms(uint64_t *out, const struct mcx_kmsc_retry *retry, uint32_t num_failures,
                                        const struct mcx_rng *rng);

struct mcx_kmsc_config {
    const char *url;       /* https://host[:port], without path */
    const char *kms_uri;   /* the home KMS */
    const char *user_uri;  /* UserUri of the request */
    const char *client_id; /* may be NULL */
    bool at_time;          /* fetch the period that holds `time`, not the present one */
    struct mcx_ntp time;
    bool init_only; /* only the home certificate */
    struct mcx_kmsc_retry retry;
};

enum mcx_kmsc_event { MCX_KMSC_START, MCX_KMSC_ANSWER, MCX_KMSC_LOST, MCX_KMSC_TIMER };

struct mcx_kmsc_in {
    enum mcx_kmsc_event event;
    struct mcx_ntp now;
    int status;            /* ANSWER: HTTP status */
    struct mcx_bytes body; /* ANSWER */
};

enum mcx_kmsc_action { MCX_KMSC_POST, MCX_KMSC_WAIT, MCX_KMSC_DONE, MCX_KMSC_FAILED };

struct mcx_kmsc_out {
    enum mcx_kmsc_action action;
    const char *url;       /* POST; borrowed until the next step */
    struct mcx_bytes body; /* POST */
    uint64_t wait_ms;      /* WAIT: then step with MCX_KMSC_TIMER */
    mcx_err err;           /* FAILED, and WAIT: what went wrong */
    struct mcx_refusal why;
    const char *operation;     /* POST, FAILED: "init", "keyprov", "certcache" */
    int kms_error;             /* FAILED: ErrorCode of the KMS, or the HTTP status; 0 = none */
    const char *kms_error_msg; /* ErrorMsg; may be NULL; from the KMS: not to be trusted by a terminal */
};

struct mcx_kmsc;

/**
 * @param[in] store  borrowed; takes what is accepted
 * @param[in] rng    borrowed; for the waits
 * @retval MCX_E_ARG     no https URL, or a URI is empty or too long
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_kmsc_new(struct mcx_kmsc **out, const struct mcx_kmsc_config *config,
                                    struct mcx_store *store, const struct mcx_rng *rng);
void mcx_kmsc_free(struct mcx_kmsc *kmsc);

/** @retval MCX_E_STATE the event does not fit @retval MCX_E_NOMEM @retval MCX_E_RNG */
MCX_MUST_CHECK mcx_err mcx_kmsc_step(struct mcx_kmsc *kmsc, const struct mcx_kmsc_in *in, struct mcx_kmsc_out *out);

/** How many key sets and certificates were accepted so far. */
size_t mcx_kmsc_num_key_sets(const struct mcx_kmsc *kmsc);
size_t mcx_kmsc_num_certs(const struct mcx_kmsc *kmsc);

/**
 * When to fetch again: a random point of the last tenth of the present period, so that not all clients of a KMS
 * come at once; at once when there is no key set for the present period, or when the next one is due and missing.
 *
 * @param[out] at  NTP seconds
 * @retval MCX_E_NOKEY  no certificate of that KMS in the store @retval MCX_E_RNG @retval MCX_E_ARG
 */
MCX_MUST_CHECK mcx_err mcx_kmsc_next_fetch(uint64_t *at, const struct mcx_store *store, const char *kms_uri,
                                           const char *user_uri, struct mcx_ntp now, const struct mcx_rng *rng);

#ifdef __cplusplus
}
#endif

#endif
