/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_FAKE_H
#define MCX_TESTS_FAKE_H

#include <mcx/seam.h>

/** A generator that gives out a list of octets, then fails; or counts from a seed (a plain LCG, tests only). */
struct fake_rng {
    struct mcx_bytes script; /* given out first, in order */
    uint64_t seed;           /* after the script: pseudo-random octets; 0 = fail instead */
    size_t num_calls;
    size_t fail_at; /* n-th call (from 1) fails; 0 = none */
};
struct mcx_rng fake_rng(struct fake_rng *state);

#endif
