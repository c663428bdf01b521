/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KMS_TARGET_H
#define MCX_KMS_TARGET_H

/*
 * The request target of the KMS interface (TS 33.180 D.2.2 to D.2.8): which operation, with which arguments.
 *
 * The path is split at '/' first and each argument is decoded after, so that "%2F" inside a URI stays inside
 * it. The fixed segments are taken literally: "%69nit" is no operation.
 */

#include <mcx/bytes.h>
#include <mcx/kmsdoc.h>
#include <mcx/seam.h>

#define MCX_KMS_PATH "/keymanagement/identity/v1/"

enum mcx_kms_op {
    MCX_KMS_OP_INIT,      /* D.2.3 */
    MCX_KMS_OP_KEYPROV,   /* D.2.4, with uri, and uri and time */
    MCX_KMS_OP_CERTCACHE, /* D.2.5, with the CacheNum held */
    MCX_KMS_OP_CERT,      /* D.2.6 */
    MCX_KMS_OP_LOOKUP,    /* D.2.7 */
    MCX_KMS_OP_REDIRECT,  /* D.2.8 */
};

struct mcx_kms_target {
    enum mcx_kms_op op;
    bool has_uri;
    bool has_time;
    bool has_num;
    char uri[MCX_KMSDOC_URI_MAX]; /* decoded: UTF-8 without control characters */
    struct mcx_ntp time;          /* keyprov/{uri}/{time} */
    uint64_t num;                 /* certcache/{n} */
};

/** "init", "keyprov", ...; never NULL. */
const char *mcx_kms_op_name(enum mcx_kms_op op);

/**
 * Read a request target: a path, or an http or https URL whose host is not looked at.
 *
 * @param[out] out  unchanged on error
 * @retval MCX_E_NOKEY   no such operation (answer 404)
 * @retval MCX_E_FORMAT  an operation with a malformed argument (answer 400)
 */
MCX_MUST_CHECK mcx_err mcx_kms_target_read(struct mcx_kms_target *out, struct mcx_bytes in, struct mcx_refusal *why);

/** The same operation with the same decoded arguments. */
bool mcx_kms_target_equal(const struct mcx_kms_target *a, const struct mcx_kms_target *b);

#endif
