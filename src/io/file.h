/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_FILE_H
#define MCX_IO_FILE_H

/*
 * Whole small files: read with a bound, written so that a crash leaves the old file or the new one.
 * Secret files have mode 0600 and are refused when others could read them.
 */

#include <sys/types.h>

#include <mcx/bytes.h>

/** Contents of a file in locked memory; clear with mcx_file_clear(). */
struct mcx_file {
    uint8_t *p;
    size_t len;
};
void mcx_file_clear(struct mcx_file *f);

/**
 * Read a whole regular file of at most `max` octets.
 *
 * @param[in] secret  refuse it when anybody but the user of this process owns it, or may read or write it
 * @retval MCX_E_IO      cannot be opened or read (errno says why)
 * @retval MCX_E_SPACE   longer than `max`
 * @retval MCX_E_POLICY  `secret`, and its owner or mode is wrong
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_file_read(struct mcx_file *out, const char *path, size_t max, bool secret);

/** Everybody may read, write or execute it. For files that a library reads itself; false when there is none. */
bool mcx_file_is_open_to_all(const char *path);

/** Replace a file atomically: written beside it, synchronised, renamed. @retval MCX_E_IO errno says why */
MCX_MUST_CHECK mcx_err mcx_file_replace(const char *path, struct mcx_bytes data, mode_t mode);
/** As mcx_file_replace(), but the file must not exist yet (MCX_E_IO, errno EEXIST). */
MCX_MUST_CHECK mcx_err mcx_file_create(const char *path, struct mcx_bytes data, mode_t mode);

/** A key of 32 octets: 64 hex digits and optional white space in a file of mode 0600. @retval MCX_E_FORMAT or above */
#define MCX_FILE_KEY_LEN 32
MCX_MUST_CHECK mcx_err mcx_file_read_key(uint8_t key[MCX_FILE_KEY_LEN], const char *path);

#endif
