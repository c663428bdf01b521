/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the private call, and its timers as data. */
#include <mcx/privcall.h>

static const char *const states[MCX_PC_NUM_STATES] = {
    "idle", "calling", "ringing", "cancelling", "alerting", "in-call"
};

static const char *const events[MCX_PC_NUM_EVENTS] = {
    "user-call", "user-accept", "user-reject",     "user-hangup", "rx-invite",     "rx-progress",
    "rx-ok",     "rx-failure",  "rx-cancel",       "rx-bye",      "rx-lost",       "rx-connect",
    "timer",     "call-ready",  "call-impossible", "invite-auto", "invite-manual", "invite-bad",
    "ok-good",   "ok-bad",      "connect-good",    "connect-bad",
};

static const char *const notes[] = {
    "calling", "verified", "unprotected", "ringing", "established", "refused", "ended"
};

/* CHOICE "pc-timers": TS 24.379 numbers none of them for a client. */
static const struct mcx_privcall_timer_info timers[MCX_PC_NUM_TIMERS] = {
    { "answer", 120000, "the caller waits for an answer, then cancels" },
    { "ring", 60000, "the callee's user is asked, then 480 is answered" },
    { "cancel", 32000, "final response after CANCEL; 64 * T1 of RFC 3261 9.1" },
    { "duration", 0, "longest call, then BYE; 0 = no limit" },
};

const char *mcx_privcall_state_name(enum mcx_privcall_state state)
{
    return (unsigned)state < MCX_PC_NUM_STATES ? states[state] : "?";
}

const char *mcx_privcall_event_name(enum mcx_privcall_event event)
{
    return (unsigned)event < MCX_PC_NUM_EVENTS ? events[event] : "?";
}

const char *mcx_privcall_note_name(enum mcx_privcall_note note)
{
    return (unsigned)note < sizeof notes / sizeof notes[0] ? notes[note] : "?";
}

const struct mcx_privcall_timer_info *mcx_privcall_timer_info(enum mcx_privcall_timer timer)
{
    return &timers[timer];
}
