/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake.h"

#include <string.h>

static mcx_err fake_fill(void *ctx, uint8_t *out, size_t len)
{
    struct fake_rng *s = ctx;

    s->num_calls++;
    if (s->fail_at != 0 && s->num_calls == s->fail_at) {
        return MCX_E_RNG;
    }
    for (size_t i = 0; i < len; i++) {
        if (s->script.len > 0) {
            out[i] = *s->script.p++;
            s->script.len--;
        } else if (s->seed != 0) {
            s->seed = s->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            out[i] = (uint8_t)(s->seed >> 56);
        } else {
            return MCX_E_RNG;
        }
    }
    return MCX_OK;
}

struct mcx_rng fake_rng(struct fake_rng *state)
{
    return (struct mcx_rng){ fake_fill, state };
}
