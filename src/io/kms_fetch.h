/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_KMS_FETCH_H
#define MCX_IO_KMS_FETCH_H

/*
 * The KMS client at work (TS 33.180 5.3): the procedure of mcx/kmsc.h over HTTPS, and its result in the sealed key
 * store. It waits for its answers; a program that must not wait runs it in a process of its own.
 */

#include <mcx/kmsc.h>

struct mcx_kms_fetch {
    const char *url; /* https://HOST:PORT */
    const char *kms_uri;
    const char *user;       /* UserUri */
    const char *token_file; /* read anew at each fetch; mode 0600 */
    const char *ca_file;
    bool at_time; /* the period that holds `time`, not the present one */
    struct mcx_ntp time;
    bool init_only;
    /** A try has failed and another follows; may be NULL. `detail` is for a person and may be empty. */
    void (*on_wait)(const char *operation, const char *detail, uint64_t wait_ms);
};

struct mcx_kms_fetched {
    size_t num_key_sets; /* accepted */
    size_t num_certs;
    /* of a failure */
    struct mcx_refusal why; /* always has a reason */
    const char *operation;  /* "init", "keyprov", "certcache"; NULL = none of them */
    int kms_error;          /* ErrorCode or HTTP status; 0 = none */
    char detail[512];       /* file, system error or text of the KMS, without control characters; may be empty */
};

/**
 * Run the procedure on a store in memory.
 *
 * @retval MCX_E_ARG  `url` is no https://HOST:PORT, or a URI is empty
 * @retval others     as the procedure, the HTTP client and the token file give them
 */
MCX_MUST_CHECK mcx_err mcx_kms_fetch_into(struct mcx_kms_fetched *out, const struct mcx_kms_fetch *fetch,
                                          struct mcx_store *store);
/**
 * The same on a store file, under its lock: it is replaced in one step, or stays as it was. One that does not exist
 * is made.
 *
 * @param[out] store  what the file now holds; the caller frees it, also after a failure
 */
MCX_MUST_CHECK mcx_err mcx_kms_fetch_file(struct mcx_kms_fetched *out, struct mcx_store **store,
                                          const struct mcx_kms_fetch *fetch, const char *store_file,
                                          const char *store_key_file);

#endif
