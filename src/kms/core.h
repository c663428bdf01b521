/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KMS_CORE_H
#define MCX_KMS_CORE_H

/*
 * The KMS without I/O (TS 33.180 5.3, D.2, D.3): an HTTP request whose token has been verified goes in, the
 * answer comes out. Time, randomness, the user store and the vault are passed in.
 *
 * Checks, in this order (docs/DEVIATIONS.md "kms-check-order"): method, token, path, body size, XML, KmsUri, Time,
 * ClientReqUrl, UserUri and the URI of the path against the identities of the token's user, budget. The token decides;
 * URIs in path and body are wishes. A key set leaves only after its audit record has been committed.
 */

#include <mcx/kmsdoc.h>
#include <mcx/seam.h>

#include "base/rate.h"
#include "base/tally.h"
#include "kms/vault.h"

#define MCX_KMS_BODY_MAX         65536
#define MCX_KMS_MAX_IDENTITIES   16 /* of one user */
#define MCX_KMS_MAX_EXTERNAL     64
#define MCX_KMS_REQUEST_ID_LEN   16
#define MCX_KMS_TIME_TOLERANCE_S 5 /* TS 33.180 D.2.2, docs/DEVIATIONS.md "kms-time" */

/** The URIs that a user may have keys for. */
struct mcx_kms_identities {
    size_t num;
    char uri[MCX_KMS_MAX_IDENTITIES][MCX_VAULT_URI_MAX];
};

/** Who got which key set: never keys. */
struct mcx_kms_audit {
    const char *request_id;
    const char *mcptt_id;
    const char *user_uri;
    const uint8_t *uid; /* MCX_UID_LEN */
    uint64_t period_no;
    uint64_t unix_ms;
};

/** Where users, External certificates and audit records are kept. */
struct mcx_kms_store {
    void *ctx;
    /** @retval MCX_E_NOKEY  nobody has this mcptt_id @retval MCX_E_IO */
    mcx_err (*identities)(void *ctx, struct mcx_kms_identities *out, const char *mcptt_id);
    /** CacheNum, and `each` with the XML of every External certificate; an error of `each` ends it. */
    mcx_err (*external)(void *ctx, uint64_t *cache_num, mcx_err (*each)(void *arg, struct mcx_bytes xml), void *arg);
    /** All records or none; on the disk when it returns MCX_OK. */
    mcx_err (*audit)(void *ctx, const struct mcx_kms_audit *rec, size_t num);
};

struct mcx_kms_config {
    const struct mcx_vault *vault;
    const struct mcx_kms_cert *root; /* own certificate, Role Root */
    struct mcx_kms_store store;
    struct mcx_rng rng;
    struct mcx_log log;
    uint64_t time_tolerance_s;
    uint32_t key_sets_per_minute; /* of one user */
    uint32_t
        refusals_per_minute; /* to one peer address without a good token; beyond: 429, not logged. 0 = any number */
};

struct mcx_kms_core;
/** Borrows what `config` points to. @retval MCX_E_STATE the certificate is not of this vault @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_kms_core_new(struct mcx_kms_core **out, const struct mcx_kms_config *config);
void mcx_kms_core_free(struct mcx_kms_core *core);

/** What the check of the bearer token said. */
struct mcx_kms_auth {
    bool present;
    mcx_err err; /* MCX_E_POLICY: genuine, but without scope */
    struct mcx_refusal why;
    const char *mcptt_id; /* of a good token */
};

struct mcx_kms_in {
    struct mcx_bytes method;
    struct mcx_bytes target;
    struct mcx_bytes body;
    struct mcx_kms_auth auth;
    const char *peer; /* for the log, when there is no good token */
    uint64_t unix_ms;
    uint64_t mono_ms;
};

/** Clear with mcx_kms_answer_clear(), which wipes: the XML may hold keys. */
struct mcx_kms_answer {
    int status;                   /* HTTP status = ErrorCode: docs/DEVIATIONS.md "kms-error-codes" */
    const char *www_authenticate; /* value, or NULL */
    bool allow_post;
    bool close;             /* end the connection */
    uint32_t retry_after_s; /* 0: none */
    char request_id[MCX_KMS_REQUEST_ID_LEN + 1];
    char *xml; /* KmsResponse, or NULL */
    size_t xml_len;
    size_t num_key_sets;
};
void mcx_kms_answer_clear(struct mcx_kms_answer *answer);

/**
 * Answer one request. There is always an answer; it is logged, except that a peer address which has had more refusals
 * than its budget allows gets a bare 429 (RFC 6585 4) which is only counted. A good token is served whatever else
 * comes from its address, so nobody behind one address can lock the others out.
 */
void mcx_kms_handle(struct mcx_kms_core *core, struct mcx_kms_answer *out, const struct mcx_kms_in *in);

/** Answers by reason of refusal; "served" for those that were none. */
const struct mcx_tally *mcx_kms_tally(const struct mcx_kms_core *core);

#endif
