/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GMS_PAYLOAD_H
#define MCX_GMS_PAYLOAD_H

/*
 * One member's payload of a group key: the I_MESSAGE of TS 33.180 E.1.2 with the key parameters of E.6.
 *
 * Payloads are independent of each other, so they are made by worker processes: a job goes in, a result comes out, each
 * as octets on a socket between processes of one program. A job holds the key: whoever has its octets wipes them.
 */

#include <mcx/imessage.h>

#include "gms/key.h"

#define MCX_GMS_GROUPS_MAX 15  /* of one key: so many URIs of the greatest length fit the key parameters */
#define MCX_GMS_URI_MAX    256 /* with the NUL */
#define MCX_GMS_JOB_MAX    (MCX_GMS_GROUPS_MAX * MCX_GMS_URI_MAX + 2048) /* octets of a job */
#define MCX_GMS_RESULT_MAX (MCX_IMESSAGE_MAX + 2048)
#define MCX_GMS_REASON_MAX 160

/** What to make. Strings are borrowed. */
struct mcx_gms_job {
    uint64_t id;
    struct mcx_gms_key key;
    uint64_t t_ms;       /* time stamp: Unix milliseconds */
    uint64_t activation; /* Unix seconds */
    uint64_t expiry;     /* 0 = never */
    uint32_t status;     /* 1 = valid, 0 = revoked (E.6.9) */
    bool sakke_to_self;
    const char *gms; /* signs */
    const char *member;
    size_t num_groups;
    const char *group[MCX_GMS_GROUPS_MAX];
};

/** What came of it: a message, or a reason. Views and strings are borrowed. */
struct mcx_gms_result {
    uint64_t id;
    uint64_t t_ms;
    mcx_err err;
    char reason[MCX_GMS_REASON_MAX]; /* of a failure */
    char kms[MCX_GMS_URI_MAX];       /* KMS of the member: whose key periods count */
    struct mcx_bytes message;
};

/**
 * Make a payload. A failure is a result too.
 *
 * @param[out] out      `message` points into `buf`
 * @param[in]  buf_cap  MCX_IMESSAGE_MAX
 */
void mcx_gms_payload_make(struct mcx_gms_result *out, uint8_t *buf, size_t buf_cap, const struct mcx_gms_job *job,
                          const struct mcx_keyring *ring, const struct mcx_rng *rng);
/** A failure that a later attempt may cure without anybody's help: memory, randomness. */
bool mcx_gms_result_is_passing(const struct mcx_gms_result *result);

/** Octets between the processes. @retval MCX_E_SPACE @retval MCX_E_ARG a string is too long */
MCX_MUST_CHECK mcx_err mcx_gms_job_write(struct mcx_wr *wr, const struct mcx_gms_job *job);
/** Strings are copied to `strings`. @retval MCX_E_TRUNC @retval MCX_E_FORMAT @retval MCX_E_TRAILING */
struct mcx_gms_job_strings {
    char gms[MCX_GMS_URI_MAX];
    char member[MCX_GMS_URI_MAX];
    char group[MCX_GMS_GROUPS_MAX][MCX_GMS_URI_MAX];
};
MCX_MUST_CHECK mcx_err mcx_gms_job_read(struct mcx_gms_job *out, struct mcx_gms_job_strings *strings,
                                        struct mcx_bytes in);
MCX_MUST_CHECK mcx_err mcx_gms_result_write(struct mcx_wr *wr, const struct mcx_gms_result *result);
/** `message` points into `in`. */
MCX_MUST_CHECK mcx_err mcx_gms_result_read(struct mcx_gms_result *out, struct mcx_bytes in);

#endif
