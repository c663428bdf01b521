/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GROUP_FETCH_H
#define MCX_IO_GROUP_FETCH_H

/*
 * The group management client at work (TS 24.481 6.3.3): the procedure of mcx/gmc.h over HTTPS, and its result in the
 * sealed file of group keys. It waits for its answers; a program that must not wait runs it in a process of its own.
 */

#include <mcx/gmc.h>

struct mcx_group_fetch {
    const char *url;  /* https://HOST:PORT of the GMS */
    const char *gms;  /* URI of the GMS */
    const char *user; /* own MCPTT ID */
    const char *const *groups;
    size_t num_groups;
    const char *token_file; /* read anew at each fetch; mode 0600 */
    const char *ca_file;
    /** A try has failed and another follows; may be NULL. `detail` is for a person and may be empty. */
    void (*on_wait)(const char *group, const char *detail, uint64_t wait_ms);
};

struct mcx_group_fetched {
    struct mcx_gmc_group *groups; /* what became of each; also after a failure, NULL before the first request */
    size_t num_groups;
    size_t num_expired; /* keys wiped because their time was over */
    /* of a failure */
    struct mcx_refusal why; /* always has a reason */
    int status;             /* HTTP status; 0 = none */
    char detail[512];       /* file, system error or text of the library, without control characters; may be empty */
};
void mcx_group_fetched_clear(struct mcx_group_fetched *fetched);

/**
 * Run the procedure on keys in memory.
 *
 * @param[out] out  release with mcx_group_fetched_clear(), also after a failure
 * @retval MCX_E_ARG  as mcx_gmc_new()
 * @retval others     as the procedure, the HTTP client and the token file give them
 */
MCX_MUST_CHECK mcx_err mcx_group_fetch_into(struct mcx_group_fetched *out, const struct mcx_group_fetch *fetch,
                                            const struct mcx_keyring *ring, struct mcx_group_keys *keys);
/**
 * The same with the key sets of a key store, on a file of group keys under its lock: the file is replaced in one step,
 * also after a failure with what was accepted before it. One that does not exist is made.
 *
 * @param[out] keys  what the file now holds; the caller frees it, also after a failure
 */
MCX_MUST_CHECK mcx_err mcx_group_fetch_file(struct mcx_group_fetched *out, struct mcx_group_keys **keys,
                                            const struct mcx_group_fetch *fetch, const char *store_file,
                                            const char *store_key_file, const char *groups_file);

#endif
