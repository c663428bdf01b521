/* SPDX-License-Identifier: Apache-2.0 */
#include "gms/pace.h"

static bool is_due(uint64_t *at, uint64_t mono_ms, uint64_t every_ms)
{
    if (mono_ms < *at) {
        return false;
    }
    *at = mono_ms + every_ms;
    return true;
}

bool mcx_gms_pace_look(struct mcx_gms_pace *pace, uint64_t mono_ms)
{
    return is_due(&pace->look_at, mono_ms, MCX_GMS_LOOK_MS);
}

bool mcx_gms_pace_tick(struct mcx_gms_pace *pace, uint64_t mono_ms)
{
    return is_due(&pace->tick_at, mono_ms, MCX_GMS_TICK_MS);
}

bool mcx_gms_pace_log(struct mcx_gms_pace *pace, uint64_t mono_ms)
{
    return is_due(&pace->log_at, mono_ms, MCX_GMS_LOG_MS);
}

void mcx_gms_pace_hurry_look(struct mcx_gms_pace *pace)
{
    pace->look_at = 0;
}

void mcx_gms_pace_hurry_tick(struct mcx_gms_pace *pace)
{
    pace->tick_at = 0;
}

void mcx_gms_pace_looked(struct mcx_gms_pace *pace)
{
    pace->waits = true;
}

void mcx_gms_pace_ticked(struct mcx_gms_pace *pace, bool succeeded)
{
    pace->waits = pace->waits && !succeeded;
}
