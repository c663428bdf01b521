/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GROUPCALL_H
#define MCX_GROUPCALL_H

/*
 * Group call of an MCPTT client, on demand (TS 24.379 10.1.1.2 prearranged, 10.1.2.2 chat; TS 33.180 5.7, 7.4.2), as a
 * state machine without I/O: one line, which holds at most one group session.
 *
 * No key travels with the call. The group management server has handed the GMK to the members before, so the session
 * description carries none; what is asked here before anybody is called, and before an invitation is answered, is
 * whether the user holds a key of the group that he may send with. A group whose document says protect-media, or of
 * which nothing is known, is never called in clear: the user is told why, and no message leaves.
 *
 * The program gives events (the user, SIP, timers) and carries out the actions in their order. Media follow the keys
 * by <mcx/group_media.h>, the talk button by <mcx/floor_participant.h>; this machine says when, where and under what.
 *
 * State table: docs/STATE-MACHINES.md.
 */

#include <mcx/group_keys.h>
#include <mcx/mcptt.h>
#include <mcx/sdp.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_GC_AFFILIATIONS_MAX 16 /* groups that a user is affiliated to at once */
#define MCX_GC_URI_MAX          512

struct mcx_groupcall;

enum mcx_groupcall_state {
    MCX_GC_IDLE,
    MCX_GC_CALLING,    /* INVITE sent: originating, joining, or coming back */
    MCX_GC_CANCELLING, /* CANCEL sent, the final response is awaited */
    MCX_GC_IN_CALL,
    MCX_GC_CHANGING, /* in the call, re-INVITE for another call type sent */
    MCX_GC_WAITING,  /* in the call, that re-INVITE met another one and is to be sent again */
};
#define MCX_GC_NUM_STATES 6

enum mcx_groupcall_event {
    /* the user */
    MCX_GC_USER_CALL,   /* group, session, type: call, join, or join what is running already */
    MCX_GC_USER_CHANGE, /* type: emergency, imminent peril, or back to normal */
    MCX_GC_USER_LEAVE,
    /* SIP */
    MCX_GC_RX_INVITE,
    MCX_GC_RX_PROGRESS,
    MCX_GC_RX_OK,      /* to INVITE or re-INVITE */
    MCX_GC_RX_FAILURE, /* 300 and above, to either */
    MCX_GC_RX_OFFER,   /* re-INVITE of the server */
    MCX_GC_RX_BYE,
    MCX_GC_RX_LOST, /* no response, connection broken, session timer */
    MCX_GC_TIMER,
    /* made by the machine itself when it has checked one of the above; not to be given in */
    MCX_GC_CALL_READY,
    MCX_GC_CALL_IMPOSSIBLE,
    MCX_GC_INVITE_GOOD,
    MCX_GC_INVITE_BAD,
    MCX_GC_OK_GOOD,
    MCX_GC_OK_BAD,
    MCX_GC_OFFER_GOOD,
    MCX_GC_OFFER_BAD,
    MCX_GC_CHANGE_READY,
    MCX_GC_CHANGE_FATAL,    /* the answer to the re-INVITE says that there is no call */
    MCX_GC_CHANGE_CROSSED,  /* it is 491 */
    MCX_GC_CHANGE_NEEDLESS, /* the call is of that type meanwhile */
};
#define MCX_GC_NUM_EVENTS 23

enum mcx_groupcall_timer {
    MCX_GC_TIMER_ANSWER, /* final response to INVITE or re-INVITE */
    MCX_GC_TIMER_CANCEL, /* final response after CANCEL */
    MCX_GC_TIMER_AGAIN,  /* re-INVITE that met another one */
};
#define MCX_GC_NUM_TIMERS 3
struct mcx_groupcall_timer_info {
    const char *name;
    uint32_t default_ms;
    const char *meaning;
};
const struct mcx_groupcall_timer_info *mcx_groupcall_timer_info(enum mcx_groupcall_timer timer);

/** Call type: changes priority and indication, never keys (TS 24.379 4.6). */
enum mcx_groupcall_type { MCX_GC_NORMAL, MCX_GC_EMERGENCY, MCX_GC_IMMINENT_PERIL };
#define MCX_GC_NUM_TYPES 3
const char *mcx_groupcall_type_name(enum mcx_groupcall_type type);

/** Why a call does not come about, or ends. One table maps each to a response and a sentence: groupcall_cause.c. */
enum mcx_groupcall_cause {
    MCX_GC_CAUSE_NONE,
    /* before calling, and on an invitation: the keys */
    MCX_GC_CAUSE_NO_KEY,
    MCX_GC_CAUSE_KEY_EXPIRED, /* expired, or not active yet */
    MCX_GC_CAUSE_KEY_REVOKED,
    MCX_GC_CAUSE_NO_CSK, /* floor control must be protected and there is no key with the server */
    /* on an invitation */
    MCX_GC_CAUSE_BUSY,
    MCX_GC_CAUSE_NOT_GROUP_CALL,
    MCX_GC_CAUSE_NOT_AFFILIATED,
    MCX_GC_CAUSE_SDP,
    MCX_GC_CAUSE_KEY_IN_SDP,
    MCX_GC_CAUSE_MEDIA,
    MCX_GC_CAUSE_INTERNAL,
    /* endings */
    MCX_GC_CAUSE_LEFT,
    MCX_GC_CAUSE_RELEASED,
    MCX_GC_CAUSE_LOST,
    MCX_GC_CAUSE_CANCELLED,
    MCX_GC_CAUSE_NO_ANSWER,
    /* caller */
    MCX_GC_CAUSE_BAD_ANSWER,
    MCX_GC_CAUSE_REFUSED,
};
const char *mcx_groupcall_cause_name(enum mcx_groupcall_cause cause);

/** One event. Only the fields of its kind are looked at; views are needed during the call only. */
struct mcx_groupcall_in {
    enum mcx_groupcall_event event;
    uint64_t dialog; /* number that the program gives to a SIP dialog; USER_CALL and RX_INVITE bring a new one */
    struct mcx_ntp now;
    /* USER_CALL, USER_CHANGE */
    struct mcx_bytes group;
    enum mcx_mcptt_session session; /* MCX_SESSION_PREARRANGED, _CHAT */
    enum mcx_groupcall_type type;
    bool request_floor; /* USER_CALL: the INVITE is to count as a Floor Request (TS 24.379 6.4) */
    /* RX_INVITE, RX_OFFER, RX_OK */
    struct mcx_bytes sdp;
    const struct mcx_mcptt_info *info; /* RX_INVITE, RX_OFFER, RX_OK: mcptt-info; NULL = none */
    /* RX_FAILURE */
    uint16_t code;
    unsigned warning;  /* code in the Warning text, 0 = none */
    uint32_t retry_ms; /* 491: how long to wait, by RFC 3261 14.1; 0 = not sent, the dialog was busy */
    /* TIMER */
    enum mcx_groupcall_timer timer;
};

enum mcx_groupcall_act {
    MCX_GC_SEND_INVITE,   /* sdp, group, session, type */
    MCX_GC_SEND_REINVITE, /* the same, within the dialog */
    MCX_GC_SEND_OK,       /* 200 with sdp, to INVITE or re-INVITE */
    MCX_GC_SEND_REFUSAL,  /* code, phrase; of a re-INVITE the call goes on */
    MCX_GC_SEND_CANCEL,
    MCX_GC_SEND_BYE,
    MCX_GC_LISTEN,      /* media, of which address and ports are not known yet */
    MCX_GC_START_MEDIA, /* media and floor; goes on with what LISTEN has made */
    MCX_GC_SET_TYPE,    /* media.priority and .indicator for the floor participant */
    MCX_GC_STOP_MEDIA,
    MCX_GC_START_TIMER, /* timer, delay_ms; replaces a running one */
    MCX_GC_STOP_TIMER,
    MCX_GC_TELL, /* note and what follows it */
};

enum mcx_groupcall_note {
    MCX_GC_NOTE_CALLING,
    MCX_GC_NOTE_ESTABLISHED, /* called, joined or invited: see caller */
    MCX_GC_NOTE_TYPE,        /* the call is of another type now */
    MCX_GC_NOTE_NOT_CHANGED, /* the server did not allow the change: the call goes on as it was */
    MCX_GC_NOTE_REFUSED,     /* the call does not come about */
    MCX_GC_NOTE_ENDED,
    MCX_GC_NOTE_OFFER_REFUSED, /* a re-INVITE of the server: the call goes on as it was */
};
const char *mcx_groupcall_note_name(enum mcx_groupcall_note note);

/** Where media go and how. Borrowed from the machine until its next step. */
struct mcx_groupcall_media {
    const char *group;  /* whose GMK protects the media: of a regrouped group the temporary one */
    bool protect_media; /* false: the group document says that media are not protected */
    bool protect_floor;
    const char *address;
    uint16_t port;
    const char *floor_address;
    uint16_t floor_port;
    struct mcx_sdp_amrwb amrwb;
    bool queueing;         /* negotiated */
    uint8_t priority;      /* highest that may be asked for in a Floor Request; 0 = default */
    uint16_t indicator;    /* Floor Indicator of the call type (TS 24.380 8.2.3.15) */
    bool implicit_request; /* START_MEDIA: the INVITE was a Floor Request (TS 24.380 6.2.1) */
    bool granted;
    bool request_floor; /* START_MEDIA: it was to be one and was not; the floor is to be asked for now */
};

struct mcx_groupcall_action {
    enum mcx_groupcall_act act;
    uint64_t dialog;
    struct mcx_bytes sdp;
    const char *group;
    enum mcx_mcptt_session session;
    enum mcx_groupcall_type type;
    enum mcx_groupcall_type before; /* SEND_REINVITE: what the call is until now */
    uint16_t code;
    const char *phrase;
    struct mcx_groupcall_media media;
    enum mcx_groupcall_timer timer;
    uint32_t delay_ms;
    /* TELL */
    enum mcx_groupcall_note note;
    enum mcx_groupcall_cause cause;
    const char *sentence; /* plain words for the user */
    const char *caller;   /* who called, as the network says; own identity when it was the user himself */
    unsigned warning;
    uint32_t key_id;        /* ESTABLISHED: GMK-ID that is sent with at present; 0 = in clear */
    struct mcx_refusal why; /* REFUSED: may be empty */
};
#define MCX_GC_MAX_ACTIONS 8
struct mcx_groupcall_actions {
    struct mcx_groupcall_action list[MCX_GC_MAX_ACTIONS];
    size_t num;
};

/** Strings are copied; the keys are borrowed, see mcx_groupcall_set_keys(). */
struct mcx_groupcall_config {
    const char *own_id; /* MCPTT ID */
    const struct mcx_group_keys *keys;
    bool has_csk; /* with the server, see mcx_groupcall_set_csk() */
    const char *local_address;
    uint16_t audio_port;
    uint16_t floor_port;
    struct mcx_sdp_amrwb amrwb;           /* to offer */
    uint8_t priority[MCX_GC_NUM_TYPES];   /* floor priority to ask for by call type; 0 = default, see docs/DEVIATIONS.md
                                             "gc-priority" */
    uint32_t timer_ms[MCX_GC_NUM_TIMERS]; /* 0 = default */
};

/** @retval MCX_E_ARG @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_groupcall_new(struct mcx_groupcall **out, const struct mcx_groupcall_config *config);
void mcx_groupcall_free(struct mcx_groupcall *gc);
/** Other keys from now on. Allowed in every state: a call goes on under the keys that there are. */
void mcx_groupcall_set_keys(struct mcx_groupcall *gc, const struct mcx_group_keys *keys);
/** Whether there is a CSK with the server from now on: counts for calls that begin (TS 33.180 9.4.6). */
void mcx_groupcall_set_csk(struct mcx_groupcall *gc, bool has_csk);
/** The user is affiliated to `group` now, or no longer (TS 24.379 9.2.1.2). @retval MCX_E_SPACE @retval MCX_E_ARG */
MCX_MUST_CHECK mcx_err mcx_groupcall_affiliate(struct mcx_groupcall *gc, struct mcx_bytes group, bool affiliated);
bool mcx_groupcall_is_affiliated(const struct mcx_groupcall *gc, struct mcx_bytes group);

/**
 * One event.
 *
 * @param[out] out  actions, in their order; none when the result is an error
 * @retval MCX_E_STATE  the event does not fit the state or belongs to another dialog: dropped, nothing has changed
 * @retval MCX_E_ARG    an event that only the machine makes
 */
MCX_MUST_CHECK mcx_err mcx_groupcall_step(struct mcx_groupcall *gc, const struct mcx_groupcall_in *in,
                                          struct mcx_groupcall_actions *out);
enum mcx_groupcall_state mcx_groupcall_state(const struct mcx_groupcall *gc);
/** Group of the present call; "" when idle. */
const char *mcx_groupcall_group(const struct mcx_groupcall *gc);

/** The tables, for documentation and logs. */
struct mcx_groupcall_row {
    const char *state, *event, *next, *what;
};
/** Row `n` of the transition table. @return false past the end */
bool mcx_groupcall_row(struct mcx_groupcall_row *out, size_t n);
const char *mcx_groupcall_state_name(enum mcx_groupcall_state state);
const char *mcx_groupcall_event_name(enum mcx_groupcall_event event);

#ifdef __cplusplus
}
#endif

#endif
