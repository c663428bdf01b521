/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_FLOOR_PARTICIPANT_H
#define MCX_FLOOR_PARTICIPANT_H

/*
 * The floor participant of an MCPTT client, on-network (TS 24.380 6.2.4), as a state machine without I/O: one for each call
 * with floor control, group or private.
 *
 * Events: the talk button, messages of the floor control server (already authenticated and read), RTP, timers. Actions:
 * send a message, open or close the microphone, start or stop a timer, tell the user.
 */

#include <mcx/floor_msg.h>

#ifdef __cplusplus
extern "C" {
#endif

enum mcx_fpart_state {
    MCX_FP_START_STOP,
    MCX_FP_NO_PERMISSION,     /* U: has no permission */
    MCX_FP_PENDING_REQUEST,   /* U: pending request */
    MCX_FP_HAS_PERMISSION,    /* U: has permission */
    MCX_FP_PENDING_RELEASE,   /* U: pending release */
    MCX_FP_QUEUED,            /* U: queued */
    MCX_FP_TERMINATED,        /* releasing: the call is ending */
};
#define MCX_FP_NUM_STATES 7

enum mcx_fpart_event {
    MCX_FP_CALL_STARTED,      /* the call is up; in.implicit_request, in.granted as negotiated */
    MCX_FP_CALL_RELEASING,    /* step 1 of the release (6.2.2) */
    MCX_FP_CALL_RELEASED,     /* step 2 */
    MCX_FP_PUSH,              /* talk button pressed; while a release is pending: asks when that is over */
    MCX_FP_RELEASE,           /* talk button released; in the queue: gives up its place */
    MCX_FP_ASK_POSITION,      /* the user wants to know his place in the queue */
    MCX_FP_RTP,               /* media of somebody else arrived and authenticated */
    MCX_FP_RX,                /* a message: in.msg */
    MCX_FP_TIMER,             /* in.timer */
};

/** Timers and counters of TS 24.380 11.1.1, 11.2.1: data, see mcx_fpart_timer_info(). */
enum mcx_fpart_timer {
    MCX_FP_T100, /* Floor Release */
    MCX_FP_T101, /* Floor Request */
    MCX_FP_T103, /* end of RTP media */
    MCX_FP_T104, /* Floor Queue Position Request */
    MCX_FP_T132, /* queued granted user action */
};
#define MCX_FP_NUM_TIMERS 5
struct mcx_fpart_timer_info {
    const char *name;
    uint32_t default_ms;
    uint32_t max_count; /* of its counter; 0 = none */
    const char *meaning;
};
const struct mcx_fpart_timer_info *mcx_fpart_timer_info(enum mcx_fpart_timer timer);

struct mcx_fpart_in {
    enum mcx_fpart_event event;
    uint64_t now_ms;
    const struct mcx_floor_msg *msg;
    enum mcx_fpart_timer timer;
    bool implicit_request; /* CALL_STARTED: the INVITE counted as a Floor Request (mc_implicit_request) */
    bool granted;          /* CALL_STARTED: and the answer granted it (mc_granted) */
};

enum mcx_fpart_act {
    MCX_FP_SEND,        /* msg; its SSRC is for the sender to fill in */
    MCX_FP_TALK,        /* open the microphone: send media */
    MCX_FP_STOP_TALK,
    MCX_FP_START_TIMER, /* timer, delay_ms; replaces a running one */
    MCX_FP_STOP_TIMER,
    MCX_FP_TELL,        /* note and what follows */
};
enum mcx_fpart_note {
    MCX_FP_NOTE_IDLE,     /* nobody speaks */
    MCX_FP_NOTE_TAKEN,    /* talker (may be empty), granted_ssrc, may_request */
    MCX_FP_NOTE_GRANTED,  /* duration_s; 0 = no limit told */
    MCX_FP_NOTE_DENIED,   /* cause, text */
    MCX_FP_NOTE_REVOKED,  /* cause, text */
    MCX_FP_NOTE_QUEUED,   /* position, priority */
    MCX_FP_NOTE_RELEASED, /* own talk burst is over */
    MCX_FP_NOTE_NO_ANSWER,/* the server did not answer a request or release */
};
const char *mcx_fpart_note_name(enum mcx_fpart_note note);

/** Borrowed until the next step. */
struct mcx_fpart_action {
    enum mcx_fpart_act act;
    struct mcx_floor_msg msg;
    enum mcx_fpart_timer timer;
    uint32_t delay_ms;
    enum mcx_fpart_note note;
    struct mcx_bytes talker;
    uint32_t granted_ssrc;
    bool may_request;
    uint16_t indicator;
    uint16_t duration_s;
    unsigned cause;
    const char *text;
    uint8_t position, priority;
};
#define MCX_FP_MAX_ACTIONS 8
struct mcx_fpart_out {
    struct mcx_fpart_action action[MCX_FP_MAX_ACTIONS];
    size_t num;
    size_t row; /* which has been taken: mcx_fpart_row(); unchanged on an error */
};

struct mcx_fpart_config {
    uint8_t priority;   /* asked for in Floor Request; 0 = normal */
    bool queueing;      /* negotiated */
    uint16_t indicator; /* call type for the Floor Indicator: MCX_FI_NORMAL, _EMERGENCY, ... */
    bool confirm_grant; /* a grant after queueing waits for PUSH (T132); else it opens the microphone at once, since
                         * letting the button go in the queue gives the place up */
    uint32_t timer_ms[MCX_FP_NUM_TIMERS]; /* 0 = default */
};

struct mcx_fpart;
MCX_MUST_CHECK mcx_err mcx_fpart_new(struct mcx_fpart **out, const struct mcx_fpart_config *config);
void mcx_fpart_free(struct mcx_fpart *part);
/** Change of priority and call type in the call (emergency, imminent peril). */
void mcx_fpart_set_priority(struct mcx_fpart *part, uint8_t priority, uint16_t indicator);
/** One event. @retval MCX_E_STATE it has no row in this state: dropped, nothing has changed */
MCX_MUST_CHECK mcx_err mcx_fpart_step(struct mcx_fpart *part, const struct mcx_fpart_in *in, struct mcx_fpart_out *out);
enum mcx_fpart_state mcx_fpart_state(const struct mcx_fpart *part);

struct mcx_fpart_row {
    const char *clause; /* what follows 6.2.4.; "" = ours, see docs/DEVIATIONS.md */
    const char *state, *event, *next;
    const char *condition; /* "" = none */
    const char *what;
};
/** Row `n` of the transition table. @return false past the end */
bool mcx_fpart_row(struct mcx_fpart_row *out, size_t n);

#ifdef __cplusplus
}
#endif

#endif
