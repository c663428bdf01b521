/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_BASE_RATE_H
#define MCX_BASE_RATE_H

/*
 * Budgets per name: a user, an address. Each has a bucket that fills at a steady rate and holds one minute's worth. The
 * table is of fixed size: names beyond it share buckets, so a flood of names costs others their budget, never memory.
 */

#include <mcx/bytes.h>

#define MCX_RATE_SLOTS 1024

struct mcx_rate {
    uint32_t per_minute;
    struct mcx_rate_bucket {
        uint64_t tag;     /* hash of the name; 0 = free */
        uint64_t last_ms; /* monotonic */
        uint64_t milli;   /* thousandths of one */
    } bucket[MCX_RATE_SLOTS];
};

/** Take `num` from the bucket of `name`. Returns 0, or the seconds to wait; then nothing was taken. */
uint32_t mcx_rate_take(struct mcx_rate *rate, struct mcx_bytes name, size_t num, uint64_t mono_ms);

#endif
