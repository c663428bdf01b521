/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GMS_PACE_H
#define MCX_GMS_PACE_H

/*
 * When the queue looks at the key periods, when it tells the database what is due (a tick), and when it logs. The two
 * have times of their own: what a look has seen waits until a tick has taken it. All times are of the monotonic clock,
 * in milliseconds; a pace of zeros has everything due.
 */

#include <stdbool.h>
#include <stdint.h>

#define MCX_GMS_TICK_MS 500  /* between two ticks */
#define MCX_GMS_LOOK_MS 5000 /* between two looks at key periods and the key store */
#define MCX_GMS_LOG_MS  2000 /* between two lines of progress */

struct mcx_gms_pace {
    uint64_t look_at, tick_at, log_at;
    bool waits; /* what the last look has seen, for a tick */
};

/** Is it due? Then the next one is set, counted from now: what a jump of the clock left out is not made up for. */
bool mcx_gms_pace_look(struct mcx_gms_pace *pace, uint64_t mono_ms);
bool mcx_gms_pace_tick(struct mcx_gms_pace *pace, uint64_t mono_ms);
bool mcx_gms_pace_log(struct mcx_gms_pace *pace, uint64_t mono_ms);
/** The next one is due at once. */
void mcx_gms_pace_hurry_look(struct mcx_gms_pace *pace);
void mcx_gms_pace_hurry_tick(struct mcx_gms_pace *pace);
/** A look has succeeded: what it has seen waits. */
void mcx_gms_pace_looked(struct mcx_gms_pace *pace);
/** A tick has ended: if it succeeded, it has taken what waited. */
void mcx_gms_pace_ticked(struct mcx_gms_pace *pace, bool succeeded);

#endif
