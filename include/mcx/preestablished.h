/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PREESTABLISHED_H
#define MCX_PREESTABLISHED_H

/*
 * Calls over a pre-established session, at the participating function (TS 24.380 9.3), as a state machine without I/O:
 * one for each session that a client has set up ahead (TS 24.379 8).
 *
 * A private call with automatic commencement reaches the client as an MCPC Connect on the control channel of the
 * session: who calls, and the PCK I_MESSAGE of the caller's offer in field 192, octet for octet. The client verifies it
 * and answers with an Acknowledgement; only reason 0 lets media pass. Connect and Disconnect are repeated, unchanged,
 * until they are acknowledged or their counter is used up.
 */

#include <mcx/floor_msg.h>
#include <mcx/imessage.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_PREEST_URI_MAX 512
/** User part of the public service identity to which clients send the INVITE that sets one up (TS 24.379 8.2.1;
 * docs/DEVIATIONS.md "preest-psi"). */
#define MCX_PREEST_PSI_USER "pre-established"

enum mcx_preest_state {
    MCX_PE_NOT_IN_USE,
    MCX_PE_CONNECTING, /* Connect sent, its Acknowledgement is awaited */
    MCX_PE_IN_USE,
    MCX_PE_DISCONNECTING, /* Disconnect sent */
};
#define MCX_PE_NUM_STATES 4
const char *mcx_preest_state_name(enum mcx_preest_state state);

enum mcx_preest_event {
    MCX_PE_SETUP,   /* a call for this client: connect */
    MCX_PE_RX,      /* authenticated message of the client: msg */
    MCX_PE_RELEASE, /* the call is over, or was given up by its caller */
    MCX_PE_TIMER,   /* timer */
    /* made by the machine itself from a message; not to be given in */
    MCX_PE_ACCEPTED,
    MCX_PE_REFUSED,
};

/** Data: see mcx_preest_timer_info(). */
enum mcx_preest_timer {
    MCX_PE_T55, /* Connect */
    MCX_PE_T56, /* Disconnect */
};
#define MCX_PE_NUM_TIMERS 2
struct mcx_preest_timer_info {
    const char *name;
    uint32_t default_ms;
    uint32_t max_count; /* transmissions in all: C55, C56 */
    const char *meaning;
};
const struct mcx_preest_timer_info *mcx_preest_timer_info(enum mcx_preest_timer timer);

/** A private call that comes in. Everything is copied. */
struct mcx_preest_call {
    const char *session;              /* URI of the MCPTT session */
    const char *inviting_user;        /* MCPTT ID of the caller */
    struct mcx_bytes imessage;        /* of the caller's offer; empty = none was in it */
    uint8_t media_line, control_line; /* m= lines of the session's description, from 1; 0 = none */
};

struct mcx_preest_in {
    enum mcx_preest_event event;
    const struct mcx_preest_call *call;
    const struct mcx_mcpc_msg *msg;
    enum mcx_preest_timer timer;
};

enum mcx_preest_act {
    MCX_PE_SEND,        /* msg; its SSRC is for the sender to fill in */
    MCX_PE_START_TIMER, /* timer, delay_ms; replaces a running one */
    MCX_PE_STOP_TIMER,
    MCX_PE_OPEN,   /* accepted: let media pass */
    MCX_PE_FAILED, /* the call does not come about: reason, or no answer */
};
struct mcx_preest_action {
    enum mcx_preest_act act;
    struct mcx_mcpc_msg msg; /* views are good until the next step */
    enum mcx_preest_timer timer;
    uint32_t delay_ms;
    bool no_answer;
    enum mcx_mcpc_reason reason;
};
#define MCX_PE_MAX_ACTIONS 4
struct mcx_preest_out {
    struct mcx_preest_action action[MCX_PE_MAX_ACTIONS];
    size_t num;
};

struct mcx_preest;
/** @param[in] timer_ms 0 = default @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_preest_new(struct mcx_preest **out, const uint32_t timer_ms[MCX_PE_NUM_TIMERS]);
void mcx_preest_free(struct mcx_preest *pe);
/**
 * One event.
 *
 * @retval MCX_E_STATE  no row for it in this state: dropped, nothing has changed
 * @retval MCX_E_ARG    an event that only the machine makes
 * @retval MCX_E_SPACE  SETUP: a URI or the I_MESSAGE is too long; nothing has changed
 */
MCX_MUST_CHECK mcx_err mcx_preest_step(struct mcx_preest *pe, const struct mcx_preest_in *in,
                                       struct mcx_preest_out *out);
enum mcx_preest_state mcx_preest_state(const struct mcx_preest *pe);
/** SIP response for the caller, by what the client said (docs/DEVIATIONS.md "preest-response"). `warning` is 136 when
 * he could not verify the I_MESSAGE, else 0. */
void mcx_preest_response(uint16_t *code, unsigned *warning, bool no_answer, enum mcx_mcpc_reason reason);

struct mcx_preest_row {
    const char *state, *event, *next, *what;
};
/** Row `n` of the transition table. @return false past the end */
bool mcx_preest_row(struct mcx_preest_row *out, size_t n);

#ifdef __cplusplus
}
#endif

#endif
