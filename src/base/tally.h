/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_BASE_TALLY_H
#define MCX_BASE_TALLY_H

/*
 * Counters by name, for daemons: how often each refusal was given. A table of fixed size; names beyond it are counted
 * as "other". A name is copied, cut when long, and anything but printable ASCII in it becomes '?'.
 */

#include <stddef.h>
#include <stdint.h>

#define MCX_TALLY_ROWS 64
#define MCX_TALLY_NAME 80 /* with the NUL */

struct mcx_tally {
    struct mcx_tally_row {
        char name[MCX_TALLY_NAME];
        uint64_t count;
    } row[MCX_TALLY_ROWS + 1]; /* the last one is "other" */
    size_t num;
};

/** @return how often it was added by now, with this time */
uint64_t mcx_tally_add(struct mcx_tally *tally, const char *name);
/** Every row that is not zero, in the order of first appearance. */
void mcx_tally_each(const struct mcx_tally *tally, void (*each)(void *arg, const char *name, uint64_t count),
                    void *arg);

#endif
