/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_CHILD_H
#define MCX_IO_CHILD_H

/*
 * A process of this program's own that fetches over HTTPS, while the loop goes on here: the same program with other
 * arguments. What it finds it writes to its standard output; the end of that is its end.
 */

#include <mcx/bytes.h>

#include "io/loop.h"

struct mcx_child {
    int pid; /* 0 = none */
    struct mcx_watch output;
};
/**
 * Run this program with other arguments; before the first use set `output.fd` to -1.
 *
 * @param[in] input  what it finds on its standard input; empty = nothing
 * @retval MCX_E_IO @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_child_start(struct mcx_child *child, const char *const argv[], struct mcx_bytes input);
/** Have `ready` called when it has said something, or ended. */
MCX_MUST_CHECK mcx_err mcx_child_watch(struct mcx_child *child, void (*ready)(void *arg), void *arg);
/** Take what it has written. @param[out] len  0 = nothing yet @return true when it has closed its output */
bool mcx_child_read(const struct mcx_child *child, uint8_t *buf, size_t cap, size_t *len);
/** Wait for its end. @return its exit code; -1 = a signal ended it */
int mcx_child_end(struct mcx_child *child);
/** End it, if it is watched. */
void mcx_child_stop(struct mcx_child *child);

#endif
