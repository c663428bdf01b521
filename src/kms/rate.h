/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KMS_RATE_H
#define MCX_KMS_RATE_H

/*
 * Budget of key sets per user: a bucket that fills at a steady rate and holds one minute's worth. The table is of
 * fixed size; users beyond it share. Only authenticated, registered users get a bucket.
 */

#include <mcx/bytes.h>

#define MCX_KMS_RATE_SLOTS 1024

struct mcx_kms_rate {
    uint32_t per_minute;
    struct mcx_kms_bucket {
        uint64_t tag;     /* hash of the user; 0 = free */
        uint64_t last_ms; /* monotonic */
        uint64_t milli;   /* thousandths of a key set */
    } bucket[MCX_KMS_RATE_SLOTS];
};

/** Take `num` from the bucket of `user`. Returns 0, or the seconds to wait; then nothing was taken. */
uint32_t mcx_kms_rate_take(struct mcx_kms_rate *rate, struct mcx_bytes user, size_t num, uint64_t mono_ms);

#endif
