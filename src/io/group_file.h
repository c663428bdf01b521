/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GROUP_FILE_H
#define MCX_IO_GROUP_FILE_H

/*
 * Group keys as a file of mode 0600, under the store key, replaced atomically: after a crash it is the old one or the
 * new one. A program that changes it holds its lock from reading to writing: mcx_store_file_lock() of the same path.
 */

#include <mcx/group_keys.h>

/** Name of the file beside a key store: "<store>.groups". @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_group_file_name(char *out, size_t cap, const char *store_path);
/** Read and open. A file that is not there gives an empty set of keys when `may_lack`. @retval as mcx_store_file_read()
 */
MCX_MUST_CHECK mcx_err mcx_group_file_read(struct mcx_group_keys **out, const char *path, const char *key_file,
                                           uint64_t min_serial, bool may_lack, struct mcx_refusal *why);
/** Seal and replace. @retval as mcx_store_file_write() */
MCX_MUST_CHECK mcx_err mcx_group_file_write(const char *path, const char *key_file, struct mcx_group_keys *keys,
                                            const struct mcx_rng *rng, struct mcx_refusal *why);

#endif
