/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_STORE_FILE_H
#define MCX_IO_STORE_FILE_H

/*
 * The key store as a file of mode 0600, replaced atomically: after a crash it is the old one or the new one.
 * A program that changes it holds the lock from reading to writing, so that two of them do not lose each
 * other's keys. Programs that only read need no lock.
 */

#include <mcx/store.h>

/**
 * Read and open a store.
 *
 * @param[in] key_file  64 hex digits, mode 0600, owned by the user of this process
 * @param[in] min_serial  as in mcx_store_open()
 * @retval MCX_E_IO      a file cannot be read (errno says why; ENOENT: there is no store yet)
 * @retval MCX_E_POLICY  a file is open to others or owned by somebody else
 * @retval as mcx_store_open()
 */
MCX_MUST_CHECK mcx_err mcx_store_file_read(struct mcx_store **out, const char *path, const char *key_file,
                                           uint64_t min_serial, struct mcx_refusal *why);
/** Seal and replace. @retval MCX_E_IO errno says why; the old file is untouched @retval as mcx_store_seal() */
MCX_MUST_CHECK mcx_err mcx_store_file_write(const char *path, const char *key_file, struct mcx_store *store,
                                            const struct mcx_rng *rng, struct mcx_refusal *why);

/** The store key: 64 hex digits, mode 0600, owned by the user of this process. The caller wipes it.
 * @retval MCX_E_POLICY @retval MCX_E_FORMAT @retval MCX_E_IO errno says why */
MCX_MUST_CHECK mcx_err mcx_store_file_key(uint8_t key[MCX_STORE_KEY_LEN], const char *key_file,
                                          struct mcx_refusal *why);

/** Wait for and take the lock "<path>.lock". @retval MCX_E_IO errno says why */
MCX_MUST_CHECK mcx_err mcx_store_file_lock(int *lock, const char *path);
void mcx_store_file_unlock(int lock);

#endif
