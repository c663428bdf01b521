/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_DROPS_H
#define MCX_UE_DROPS_H

/*
 * Datagrams that were not taken, by reason and clause: the first of each kind is told at once, how many there were at
 * the end of the call. So a flood costs the log two lines a kind.
 */
#include <stdbool.h>
#include <stdint.h>

#include <mcx/err.h>

#define UE_DROPS_KINDS 24 /* one more is counted as "other reasons" */

struct ue_drops {
    const char *line; /* where they came in: "audio", "floor" */
    bool json;
    struct ue_drop {
        struct mcx_refusal why;
        uint64_t count;
    } kind[UE_DROPS_KINDS + 1];
    size_t num;
};
/** For what mcx_rtp_socket_recv() says MCX_E_SPACE of. */
extern const struct mcx_refusal ue_drop_too_long;
/** Without drops. `line` is a constant. */
struct ue_drops ue_drops(const char *line, bool json);
/** @param[in] why  its strings are constants; without a reason, `err` is named */
void ue_drops_add(struct ue_drops *drops, mcx_err err, const struct mcx_refusal *why);
uint64_t ue_drops_total(const struct ue_drops *drops);
/** A call begins or ends: how many of each kind there were; from here on there are none. */
void ue_drops_tell(struct ue_drops *drops);

#endif
