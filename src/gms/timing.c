/* SPDX-License-Identifier: Apache-2.0 */
#include "gms/timing.h"

#define MAX_DOUBLINGS 12
#define US_PER_S      UINT64_C(1000000)

uint64_t mcx_gms_expected_s(uint64_t num_jobs, uint64_t us_per_payload)
{
    if (us_per_payload != 0 && num_jobs > UINT64_MAX / us_per_payload - US_PER_S) {
        return UINT64_MAX / US_PER_S;
    }
    return (num_jobs * us_per_payload + US_PER_S - 1) / US_PER_S;
}

uint64_t mcx_gms_window_s(const struct mcx_gms_timing *timing, bool urgent)
{
    return urgent ? timing->urgent_window_s : timing->fetch_window_s;
}

uint64_t mcx_gms_activation(const struct mcx_gms_timing *timing, bool urgent, uint64_t now_s, uint64_t expected_s,
                            uint32_t tries)
{
    uint64_t slack = UINT64_C(1) << (tries > MAX_DOUBLINGS ? MAX_DOUBLINGS : tries);

    return now_s + mcx_gms_window_s(timing, urgent) + expected_s + expected_s / 2 + slack;
}

uint64_t mcx_gms_lead_s(const struct mcx_gms_timing *timing, uint64_t expected_s)
{
    return timing->key_lifetime_s / 10 + mcx_gms_activation(timing, false, 0, expected_s, 0);
}

bool mcx_gms_in_time(const struct mcx_gms_timing *timing, bool urgent, uint64_t now_s, uint64_t activation_s)
{
    return activation_s >= now_s + mcx_gms_window_s(timing, urgent);
}

uint64_t mcx_gms_expiry(const struct mcx_gms_timing *timing, uint64_t activation_s)
{
    return timing->key_lifetime_s == 0 ? 0 : activation_s + timing->key_lifetime_s;
}
