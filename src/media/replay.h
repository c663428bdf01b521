/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MEDIA_REPLAY_H
#define MCX_MEDIA_REPLAY_H

/*
 * Replay window (RFC 3711 3.3.2): the highest index authenticated, and which of the REPLAY_WINDOW indices up to
 * it were seen. check before the tag is verified, mark only after.
 */

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WINDOW 128 /* RFC 3711 asks for 64 at least */

struct replay {
    uint64_t top;
    uint64_t seen[REPLAY_WINDOW / 64]; /* bit n of the whole: index top - n */
    bool started;
};

/** False when `index` was seen or is older than the window. */
bool mcx_replay_check(const struct replay *replay, uint64_t index);
/** Only after mcx_replay_check() agreed and the packet was authentic. */
void mcx_replay_mark(struct replay *replay, uint64_t index);

#endif
