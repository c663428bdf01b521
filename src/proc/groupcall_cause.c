/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals of the group call: what is answered, and what the user reads. The responses to an invitation are collected
 * in docs/DEVIATIONS.md under "gc-refusals"; Warning codes are those of TS 24.379 table 4.4.2-2.
 */
#include "proc/groupcall_priv.h"

#define NOT_ACCEPTABLE 488, "Not Acceptable Here"

static const struct gc_cause_row causes[] = {
    { MCX_GC_CAUSE_NONE, "none", 0, "", "" },
    { MCX_GC_CAUSE_NO_KEY, "no-key", NOT_ACCEPTABLE,
      "There is no key for {}, and without one its calls would be heard by anybody: ask for the group's keys" },
    { MCX_GC_CAUSE_KEY_EXPIRED, "key-not-valid", NOT_ACCEPTABLE,
      "The keys for {} have expired or are not active yet; nothing is sent without a key that is" },
    { MCX_GC_CAUSE_KEY_REVOKED, "key-revoked", NOT_ACCEPTABLE,
      "The keys for {} have been withdrawn; nothing is sent without a key" },
    { MCX_GC_CAUSE_NO_CSK, "no-control-key", NOT_ACCEPTABLE,
      "Floor control of {} has to be protected, and there is no key with the server to do it" },
    { MCX_GC_CAUSE_BUSY, "busy", 486, "Busy Here", "{} called while this radio was in a call" },
    { MCX_GC_CAUSE_NOT_GROUP_CALL, "not-a-group-call", NOT_ACCEPTABLE,
      "An invitation that names no group was refused" },
    { MCX_GC_CAUSE_NOT_AFFILIATED, "not-affiliated", 403, "Forbidden",
      "An invitation to {} was refused: you are not affiliated to it" },
    { MCX_GC_CAUSE_SDP, "sdp", NOT_ACCEPTABLE, "An invitation to {} was refused: its description cannot be read" },
    { MCX_GC_CAUSE_KEY_IN_SDP, "key-in-sdp", NOT_ACCEPTABLE,
      "An invitation to {} was refused: it brings a key, and keys of a group come from its management server alone" },
    { MCX_GC_CAUSE_MEDIA, "media", NOT_ACCEPTABLE,
      "An invitation to {} was refused: it has no audio and floor control that this radio can use" },
    { MCX_GC_CAUSE_INTERNAL, "internal", 500, "Server Internal Error", "This radio could not handle the call" },
    { MCX_GC_CAUSE_LEFT, "left", 0, "", "You left the call of {}" },
    { MCX_GC_CAUSE_RELEASED, "released", 0, "", "The server ended the call of {}" },
    { MCX_GC_CAUSE_LOST, "lost", 0, "", "The connection to the server was lost or never came about" },
    { MCX_GC_CAUSE_CANCELLED, "cancelled", 0, "", "The call was cancelled before it was answered" },
    { MCX_GC_CAUSE_NO_ANSWER, "no-answer", 0, "", "The server did not answer in time" },
    { MCX_GC_CAUSE_BAD_ANSWER, "bad-answer", 0, "", "The answer to the call to {} cannot be used; the call was ended" },
    { MCX_GC_CAUSE_REFUSED, "refused", 0, "", "The call to {} failed" },
};

static const struct peer_row {
    uint16_t code;    /* 0 = any */
    unsigned warning; /* 0 = any */
    const char *sentence;
} peers[] = {
    { 403, 103, "You are in as many group calls at once as you may be" },
    { 403, 106, "You are not allowed to join the chat group {}" },
    { 403, 108, "You are not allowed to make chat group calls" },
    { 403, 109, "You are not allowed to make prearranged group calls" },
    { 404, 113, "There is no group {}" },
    { 403, 114, "The server could not learn who is in the group {}" },
    { 403, 115, "The group {} is disabled" },
    { 403, 116, "You are not a member of {}" },
    { 404, 117, "{} is a prearranged group: call it, do not join it" },
    { 404, 118, "{} is a chat group: join it, do not call it" },
    { 403, 119, "You are not allowed to start a call of {}" },
    { 403, 120, "You are not affiliated to {}" },
    { 403, 121, "You are not allowed to join the call of {}" },
    { 486, 122, "The call of {} is full" },
    { 403, 148, "{} is joined with other groups for now: call the joint group" },
    { 404, 0, "{} cannot be reached" },
    { 403, 0, "The server does not allow this call" },
    { 480, 0, "Nobody of {} can be reached" },
    { 486, 0, "{} is busy" },
    { 487, 0, "The call was cancelled before it was answered" },
    { 488, 0, "The server could not agree on the audio of the call" },
    { 500, 0, "The server could not handle the call" },
    { 503, 0, "The server cannot handle calls at present" },
    { 0, 0, "The call to {} failed" },
};

const struct gc_cause_row *gc_cause_row(enum mcx_groupcall_cause cause)
{
    for (size_t i = 1; i < sizeof causes / sizeof causes[0]; i++) {
        if (causes[i].cause == cause) {
            return &causes[i];
        }
    }
    return &causes[0];
}

const char *mcx_groupcall_cause_name(enum mcx_groupcall_cause cause)
{
    return gc_cause_row(cause)->name;
}

const char *gc_peer_sentence(uint16_t code, unsigned warning)
{
    size_t i = 0;

    while (peers[i].code != 0 && (peers[i].code != code || (peers[i].warning != 0 && peers[i].warning != warning))) {
        i++;
    }
    return peers[i].sentence;
}

/* ---- names, timers ---- */

static const char *const states[MCX_GC_NUM_STATES] = { "idle", "calling", "cancelling", "in-call", "changing", "waiting" };

static const char *const events[MCX_GC_NUM_EVENTS] = {
    "user-call",  "user-change", "user-leave", "rx-invite",  "rx-progress", "rx-ok",           "rx-failure",
    "rx-offer",   "rx-bye",      "rx-lost",    "timer",      "call-ready",  "call-impossible", "invite-good",
    "invite-bad", "ok-good",     "ok-bad",     "offer-good", "offer-bad",   "change-ready",    "change-fatal",
    "change-crossed", "change-needless",
};

static const char *const notes[] = { "calling", "established", "type", "not-changed", "refused", "ended", "offer-refused" };
static const char *const types[MCX_GC_NUM_TYPES] = { "normal", "emergency", "imminent-peril" };

/* CHOICE "gc-timers": TS 24.379 numbers none of them for a client. */
static const struct mcx_groupcall_timer_info timers[MCX_GC_NUM_TIMERS] = {
    { "answer", 40000, "final response to INVITE or re-INVITE, then CANCEL or BYE" },
    { "cancel", 32000, "final response after CANCEL; 64 * T1 of RFC 3261 9.1" },
    { "again", 200, "until a re-INVITE is tried again; after 491 as RFC 3261 14.1 has it" },
};

const char *mcx_groupcall_state_name(enum mcx_groupcall_state state)
{
    return (unsigned)state < MCX_GC_NUM_STATES ? states[state] : "?";
}

const char *mcx_groupcall_event_name(enum mcx_groupcall_event event)
{
    return (unsigned)event < MCX_GC_NUM_EVENTS ? events[event] : "?";
}

const char *mcx_groupcall_note_name(enum mcx_groupcall_note note)
{
    return (unsigned)note < sizeof notes / sizeof notes[0] ? notes[note] : "?";
}

const char *mcx_groupcall_type_name(enum mcx_groupcall_type type)
{
    return (unsigned)type < MCX_GC_NUM_TYPES ? types[type] : "?";
}

const struct mcx_groupcall_timer_info *mcx_groupcall_timer_info(enum mcx_groupcall_timer timer)
{
    return &timers[timer];
}
