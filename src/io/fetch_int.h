/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_FETCH_INT_H
#define MCX_IO_FETCH_INT_H

/* What the clients that fetch over HTTPS have in common (kms_fetch.c, group_fetch.c). */
#include <mcx/bytes.h>

#include "io/file.h"

/** Octets of a peer for a terminal: no control characters; cut where `out` ends. */
void fetch_detail(char *out, size_t cap, const char *text);
/** A path, and what the system says where `err` is MCX_E_IO. */
void fetch_detail_file(char *out, size_t cap, mcx_err err, const char *path);
/** Access token on one line of a file of mode 0600, NUL-terminated. @retval as mcx_file_read() @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err fetch_token(struct mcx_file *token, const char *path, struct mcx_refusal *why);
void fetch_wait(uint64_t ms);

#endif
