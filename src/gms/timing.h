/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GMS_TIMING_H
#define MCX_GMS_TIMING_H

/*
 * When a new group key becomes active: never before every reachable member could fetch it (TS 33.180 5.7), so the
 * payloads have to be there one fetch window before. A plan that turns out too tight is made anew with a later time.
 */

#include <stdbool.h>
#include <stdint.h>

struct mcx_gms_timing {
    uint32_t fetch_window_s;  /* members hear of the key and fetch it; creation and periodic re-keying */
    uint32_t urgent_window_s; /* the same after a removal or the loss of a device: shorter */
    uint32_t key_lifetime_s;  /* from activation to expiry; 0 = no expiry */
    uint32_t rekey_every_s;   /* periodic re-keying; 0 = none */
};

#define MCX_GMS_DEFAULT_US_PER_PAYLOAD 10000 /* before anything was measured */

/** Microseconds of work, in seconds rounded up. */
uint64_t mcx_gms_expected_s(uint64_t num_jobs, uint64_t us_per_payload);
/** The window that an event of this urgency leaves to the members. */
uint64_t mcx_gms_window_s(const struct mcx_gms_timing *timing, bool urgent);
/**
 * Activation time for payloads whose making starts now: window, the work and half as much again, and one second for
 * every time the plan has failed before, doubled each time.
 */
uint64_t mcx_gms_activation(const struct mcx_gms_timing *timing, bool urgent, uint64_t now_s, uint64_t expected_s,
                            uint32_t tries);
/** How long before a key expires its successor is begun: a tenth of the lifetime, and what the plan will ask for. */
uint64_t mcx_gms_lead_s(const struct mcx_gms_timing *timing, uint64_t expected_s);
/** All payloads are there: is enough time left to show them? */
bool mcx_gms_in_time(const struct mcx_gms_timing *timing, bool urgent, uint64_t now_s, uint64_t activation_s);
/** Expiry of a key that becomes active then; 0 = never. */
uint64_t mcx_gms_expiry(const struct mcx_gms_timing *timing, uint64_t activation_s);

#endif
