/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals of the private call: what the callee answers (TS 24.379 11.1.1.2.1.2, 4.4.2) and what the user
 * reads. All rows whose response is CHOICE there are collected in docs/DEVIATIONS.md under "pc-488".
 */
#include "proc/privcall_priv.h"

#define NOT_ACCEPTABLE 488, "Not Acceptable Here"
#define AUTHENTICATION NOT_ACCEPTABLE, MCX_WARN_IMESSAGE_AUTHENTICATION

static const struct pc_cause_row causes[] = {
    { MCX_PC_CAUSE_NONE, "none", 0, "", MCX_WARN_NONE, "" },
    { MCX_PC_CAUSE_AUTH, "authentication", AUTHENTICATION,
      "A call that claims to come from {} was refused: its signature or key did not verify" },
    /* TS 33.180 D.4.1: a KMS redirect response may go with it; it is not written ("pc-krr") */
    { MCX_PC_CAUSE_KMS, "unknown-kms", NOT_ACCEPTABLE, MCX_WARN_NONE,
      "A call that claims to come from {} was refused: this phone does not know the key management service" },
    { MCX_PC_CAUSE_MALFORMED, "malformed", AUTHENTICATION,
      "A call that claims to come from {} was refused: its security message is not well formed" },
    { MCX_PC_CAUSE_NOT_FOR_ME, "not-for-me", AUTHENTICATION,
      "A call that claims to come from {} was refused: its key is for somebody else, or for a time that this phone has "
      "no "
      "keys for" },
    { MCX_PC_CAUSE_STALE, "stale", AUTHENTICATION,
      "A call that claims to come from {} was refused: its security message is too old or from the future" },
    { MCX_PC_CAUSE_REPLAY, "replay", AUTHENTICATION,
      "A call that claims to come from {} was refused: its security message had been used before" },
    { MCX_PC_CAUSE_PURPOSE, "purpose", AUTHENTICATION,
      "A call that claims to come from {} was refused: its key is not for a private call, or its sender not entitled" },
    { MCX_PC_CAUSE_CALLER, "caller-mismatch", AUTHENTICATION,
      "A call that claims to come from {} was refused: it was signed by somebody else" },
    { MCX_PC_CAUSE_NO_SECURITY, "no-security", NOT_ACCEPTABLE, MCX_WARN_NONE,
      "A call that claims to come from {} was refused: it was not protected" },
    { MCX_PC_CAUSE_OTHER_PROTOCOL, "other-protocol", NOT_ACCEPTABLE, MCX_WARN_NONE,
      "A call that claims to come from {} was refused: it is protected in a way that this phone does not know" },
    { MCX_PC_CAUSE_SDP, "sdp", NOT_ACCEPTABLE, MCX_WARN_NONE,
      "A call that claims to come from {} was refused: its description cannot be read" },
    { MCX_PC_CAUSE_MEDIA, "media", NOT_ACCEPTABLE, MCX_WARN_NONE,
      "A call that claims to come from {} was refused: it has no audio that this phone can use" },
    { MCX_PC_CAUSE_BUSY, "busy", 486, "Busy Here", MCX_WARN_NONE, "{} called while this phone was busy" },
    { MCX_PC_CAUSE_DECLINED, "declined", 480, "Temporarily Unavailable", MCX_WARN_USER_DECLINED,
      "You declined the call of {}" },
    { MCX_PC_CAUSE_NO_ANSWER, "no-answer", 480, "Temporarily Unavailable", MCX_WARN_NONE, "Nobody answered in time" },
    { MCX_PC_CAUSE_INTERNAL, "internal", 500, "Server Internal Error", MCX_WARN_NONE,
      "This phone could not handle the call" },
    { MCX_PC_CAUSE_CANCELLED, "cancelled", 0, "", MCX_WARN_NONE, "The call was cancelled before it was answered" },
    { MCX_PC_CAUSE_HANGUP, "hangup", 0, "", MCX_WARN_NONE, "You ended the call with {}" },
    { MCX_PC_CAUSE_PEER_HANGUP, "peer-hangup", 0, "", MCX_WARN_NONE, "{} ended the call" },
    { MCX_PC_CAUSE_LOST, "lost", 0, "", MCX_WARN_NONE, "The connection to the server was lost or never came about" },
    { MCX_PC_CAUSE_DURATION, "duration", 0, "", MCX_WARN_NONE, "The longest time for a call is over" },
    { MCX_PC_CAUSE_NO_KEY, "no-key", 0, "", MCX_WARN_NONE,
      "There is no key for a call to {}: fetch keys from the key management service and try again" },
    { MCX_PC_CAUSE_BAD_ANSWER, "bad-answer", 0, "", MCX_WARN_NONE,
      "The answer to the call to {} cannot be used; the call was ended" },
    { MCX_PC_CAUSE_PEER_AUTH, "peer-authentication", 0, "", MCX_WARN_NONE,
      "The phone of {} could not verify that the call comes from you" },
    { MCX_PC_CAUSE_PEER_REFUSED, "peer-refused", 0, "", MCX_WARN_NONE, "The call to {} failed" },
};

/* First row that fits (TS 24.379 4.4.2, 11.1.1). */
static const struct pc_peer_row peers[] = {
    { 488, MCX_WARN_IMESSAGE_AUTHENTICATION, MCX_PC_CAUSE_PEER_AUTH,
      "The phone of {} could not verify that the call comes from you" },
    { 488, 0, MCX_PC_CAUSE_PEER_REFUSED,
      "The phone of {} refused: it could not agree with yours on the security or the audio of the call" },
    { 480, MCX_WARN_USER_DECLINED, MCX_PC_CAUSE_DECLINED, "{} declined the call" },
    { 480, 0, MCX_PC_CAUSE_NO_ANSWER, "{} did not answer" },
    { 486, MCX_WARN_MAX_PRIVATE_CALLS, MCX_PC_CAUSE_BUSY, "{} takes no more private calls at present" },
    { 486, 0, MCX_PC_CAUSE_BUSY, "{} is busy" },
    { 487, 0, MCX_PC_CAUSE_CANCELLED, "The call was cancelled before it was answered" },
    { 408, 0, MCX_PC_CAUSE_NO_ANSWER, "{} could not be reached in time" },
    { 404, MCX_WARN_USER_UNKNOWN, MCX_PC_CAUSE_PEER_REFUSED, "The server does not know you: register first" },
    { 404, 0, MCX_PC_CAUSE_PEER_REFUSED, "{} cannot be reached: no phone is registered for this identity" },
    { 403, MCX_WARN_PRIVATE_CALLS_NOT_AUTHORISED, MCX_PC_CAUSE_PEER_REFUSED,
      "You are not allowed to make private calls" },
    { 403, MCX_WARN_AUTOMATIC_NOT_AUTHORISED, MCX_PC_CAUSE_PEER_REFUSED,
      "You are not allowed to make private calls that are answered automatically" },
    { 403, MCX_WARN_MANUAL_NOT_AUTHORISED, MCX_PC_CAUSE_PEER_REFUSED,
      "You are not allowed to make private calls that the other user has to answer" },
    { 403, MCX_WARN_NOT_CALLABLE, MCX_PC_CAUSE_PEER_REFUSED, "{} may not be called in a private call" },
    { 403, MCX_WARN_FORCE_AUTO_NOT_AUTHORISED, MCX_PC_CAUSE_PEER_REFUSED, "You are not allowed to force an answer" },
    { 403, MCX_WARN_CALLEE_NOT_AUTHORISED, MCX_PC_CAUSE_PEER_REFUSED, "You are not allowed to call {}" },
    { 403, 0, MCX_PC_CAUSE_PEER_REFUSED, "The server does not allow this call" },
    { 500, 0, MCX_PC_CAUSE_PEER_REFUSED, "The server or the phone of {} could not handle the call" },
    { 503, 0, MCX_PC_CAUSE_PEER_REFUSED, "The server cannot handle calls at present" },
    { 0, 0, MCX_PC_CAUSE_PEER_REFUSED, "The call to {} failed" },
};

const struct pc_cause_row *pc_cause_row(enum mcx_privcall_cause cause)
{
    for (size_t i = 1; i < sizeof causes / sizeof causes[0]; i++) {
        if (causes[i].cause == cause) {
            return &causes[i];
        }
    }
    return &causes[0];
}

const char *mcx_privcall_cause_name(enum mcx_privcall_cause cause)
{
    return pc_cause_row(cause)->name;
}

enum mcx_mcpc_reason pc_connect_reason(enum mcx_privcall_cause cause)
{
    if (cause == MCX_PC_CAUSE_NONE) {
        return MCX_MCPC_ACCEPTED;
    }
    if (cause == MCX_PC_CAUSE_BUSY) {
        return MCX_MCPC_BUSY;
    }
    return pc_cause_row(cause)->warning == MCX_WARN_IMESSAGE_AUTHENTICATION ? MCX_MCPC_IMESSAGE_FAILED
                                                                            : MCX_MCPC_NOT_ACCEPTED;
}

enum mcx_privcall_cause pc_cause_of_open(mcx_err err)
{
    switch (err) {
    case MCX_E_AUTH:
    case MCX_E_POINT: return MCX_PC_CAUSE_AUTH;
    case MCX_E_TRUNC:
    case MCX_E_FORMAT:
    case MCX_E_TRAILING:
    case MCX_E_UNSUP: return MCX_PC_CAUSE_MALFORMED;
    case MCX_E_EXPIRED: return MCX_PC_CAUSE_STALE;
    case MCX_E_REPLAY: return MCX_PC_CAUSE_REPLAY;
    case MCX_E_NOKEY: return MCX_PC_CAUSE_NOT_FOR_ME;
    case MCX_E_POLICY: return MCX_PC_CAUSE_PURPOSE;
    default: return MCX_PC_CAUSE_INTERNAL; /* no memory, or a full replay cache, which forgets nothing live */
    }
}

const struct pc_peer_row *pc_peer_row(uint16_t code, unsigned warning)
{
    size_t i = 0;

    while (peers[i].code != 0 && (peers[i].code != code || (peers[i].warning != 0 && peers[i].warning != warning))) {
        i++;
    }
    return &peers[i];
}
