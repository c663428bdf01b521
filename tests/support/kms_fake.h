/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_KMS_FAKE_H
#define MCX_TESTS_KMS_FAKE_H

/* A vault with the master secrets of [kms-rfc] and a KMS core around it with a store in memory. */

#include "kms/core.h"
#include "support/fake.h"

#define KMS_FAKE_VECTORS "identities-kms-vectors.txt"
#define KMS_FAKE_V_LEN   32

/** A scalar of the vectors, whose hex has no leading zeros, as `len` octets. */
void kms_fake_scalar(uint8_t *out, size_t len, const char *section, const char *name);
/** Vault of a KMS URI and period with z_T and KSAK of [kms-rfc]. */
struct mcx_vault *kms_fake_vault(const char *kms_uri, uint64_t period, uint64_t offset);

#define KMS_FAKE_URI      "kms1.mcx.example.net"
#define KMS_FAKE_NOW      UINT64_C(1772625600) /* 2026-03-04T12:00:00Z, period 6582 of the vectors */
#define KMS_FAKE_REFUSALS 60                   /* a minute and address */
#define KMS_FAKE_USER     "sip:unit07@mcx.example.net"
#define KMS_FAKE_ALIAS    "sip:alias07@mcx.example.net"
#define KMS_FAKE_OTHER    "sip:unit08@mcx.example.net"

/** Users: unit07 with two identities, unit08 with one; each token names its user by the first identity. */
struct kms_fake {
    struct mcx_vault *vault;
    struct mcx_kms_cert cert;
    struct fake_rng rng_state;
    struct mcx_kms_core *core;
    /* store */
    size_t num_audit;
    size_t num_audit_calls;
    char audit_uri[64][64];
    uint64_t audit_period[64];
    uint8_t audit_uid[64][MCX_UID_LEN];
    mcx_err audit_err; /* what audit() answers */
    mcx_err identities_err;
    uint64_t cache_num;
    char *external[4]; /* XML, borrowed */
    size_t num_external;
    /* log */
    size_t num_refusals;
    char last_reason[128];
};
void kms_fake_init(struct kms_fake *f, uint32_t key_sets_per_minute);
void kms_fake_clear(struct kms_fake *f);

/** KmsRequest text for `target`; NULL members take the right value. Overwritten by the next call. */
struct kms_fake_body {
    const char *user_uri;
    const char *kms_uri;
    uint64_t time;
    const char *client_req_url;
};
const char *kms_fake_request(const char *target, struct kms_fake_body b);

#endif
