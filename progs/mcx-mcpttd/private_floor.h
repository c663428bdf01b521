/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTTD_PRIVATE_FLOOR_H
#define MCX_MCPTTD_PRIVATE_FLOOR_H

/* Floor control of a private call: one floor control server at one port for both sides (TS 24.380 6.3). */

#include "mcx-mcpttd/daemon.h"

/** A port for the call, written into `local` of both sides. */
mcx_err md_floor_open(struct md_call *call, struct md_daemon *d, uint16_t indicator, struct mcx_msrv_line *line);
/** From now on only who holds the floor is relayed. */
void md_floor_gate(struct md_call *call);
void md_floor_join(struct md_call *call, enum mcx_msrv_side side, const struct mcx_msrv_talker *talker);
/** Everybody is relayed again. A call without floor control is allowed. */
void md_floor_close(struct md_call *call);

#endif
