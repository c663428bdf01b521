/* SPDX-License-Identifier: Apache-2.0 */
#include "media/replay.h"

_Static_assert(REPLAY_WINDOW == 128, "two words; the shift below moves between two");

bool mcx_replay_check(const struct replay *replay, uint64_t index)
{
    uint64_t age = 0;

    if (!replay->started || index > replay->top) {
        return true;
    }
    age = replay->top - index;
    return age < REPLAY_WINDOW && (replay->seen[age / 64] >> (age % 64) & 1) == 0;
}

/* seen := seen << n, as one 128-bit number */
static void shift(struct replay *replay, uint64_t n)
{
    if (n >= REPLAY_WINDOW) {
        replay->seen[0] = 0;
        replay->seen[1] = 0;
        return;
    }
    if (n >= 64) {
        replay->seen[1] = replay->seen[0];
        replay->seen[0] = 0;
        n -= 64;
    }
    if (n > 0) {
        replay->seen[1] = replay->seen[1] << n | replay->seen[0] >> (64 - n);
        replay->seen[0] <<= n;
    }
}

void mcx_replay_mark(struct replay *replay, uint64_t index)
{
    uint64_t age = 0;

    if (!replay->started || index > replay->top) {
        shift(replay, replay->started ? index - replay->top : REPLAY_WINDOW);
        replay->top = index;
        replay->started = true;
    }
    age = replay->top - index;
    replay->seen[age / 64] |= UINT64_C(1) << (age % 64);
}
