/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PRIVCALL_H
#define MCX_PRIVCALL_H

/*
 * On-demand private call of an MCPTT client with end-to-end security (TS 24.379 11.1.1.2.1, 11.1.2; TS 33.180 7.2),
 * originating and terminating, with and without floor control, as a state machine without I/O. A call may also come
 * over a pre-established session (TS 24.380 9.2): then the I_MESSAGE stands in the Connect message, not in an SDP.
 *
 * One machine is one line of a phone: it holds at most one call and answers "busy" to another INVITE. The program
 * gives it events (the user, SIP, timers), with the wall clock in them, and carries out the actions it appends, in
 * their order. Everything that a peer sent is checked before the state moves: an INVITE whose I_MESSAGE does not
 * verify never leaves a trace but the refusal.
 *
 * The caller makes the PCK and its I_MESSAGE; the callee verifies, compares the asserted caller with the signer,
 * opens it, and both derive the SRTP master keys: CS-ID 0 for what the caller sends, 1 for what the callee sends,
 * MKI = PCK-ID. All key material lives in one locked block that is wiped when the machine becomes idle.
 *
 * State table: docs/STATE-MACHINES.md.
 */

#include <mcx/floor_msg.h>
#include <mcx/imessage.h>
#include <mcx/mcptt.h>
#include <mcx/sdp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mcx_privcall;

enum mcx_privcall_state {
    MCX_PC_IDLE,
    MCX_PC_CALLING,    /* INVITE sent */
    MCX_PC_RINGING,    /* 18x received */
    MCX_PC_CANCELLING, /* CANCEL sent, the final response is awaited; keys are wiped already */
    MCX_PC_ALERTING,   /* verified INVITE, 180 sent, the user is asked */
    MCX_PC_IN_CALL,
};
#define MCX_PC_NUM_STATES 6

enum mcx_privcall_event {
    /* the user */
    MCX_PC_USER_CALL,
    MCX_PC_USER_ACCEPT,
    MCX_PC_USER_REJECT,
    MCX_PC_USER_HANGUP,
    /* SIP */
    MCX_PC_RX_INVITE,
    MCX_PC_RX_PROGRESS, /* 101..199 */
    MCX_PC_RX_OK,
    MCX_PC_RX_FAILURE, /* 300 and above */
    MCX_PC_RX_CANCEL,  /* the transaction layer has answered 487 */
    MCX_PC_RX_BYE,
    MCX_PC_RX_LOST,    /* no response, connection broken, session timer */
    MCX_PC_RX_CONNECT, /* MCPC Connect of a private call; its Disconnect is a RX_BYE */
    MCX_PC_TIMER,
    /* made by the machine itself when it has checked USER_CALL, RX_INVITE or RX_OK; not to be given in */
    MCX_PC_CALL_READY,
    MCX_PC_CALL_IMPOSSIBLE,
    MCX_PC_INVITE_AUTO,
    MCX_PC_INVITE_MANUAL,
    MCX_PC_INVITE_BAD,
    MCX_PC_OK_GOOD,
    MCX_PC_OK_BAD,
    MCX_PC_CONNECT_GOOD,
    MCX_PC_CONNECT_BAD,
};
#define MCX_PC_NUM_EVENTS 22

/** Timers are data: default, unit and meaning in mcx_privcall_timer_info(). */
enum mcx_privcall_timer {
    MCX_PC_TIMER_ANSWER,   /* caller waits for an answer */
    MCX_PC_TIMER_RING,     /* callee's user is asked */
    MCX_PC_TIMER_CANCEL,   /* final response after CANCEL */
    MCX_PC_TIMER_DURATION, /* longest call */
};
#define MCX_PC_NUM_TIMERS 4
struct mcx_privcall_timer_info {
    const char *name;
    uint32_t default_ms; /* 0 = off */
    const char *meaning;
};
const struct mcx_privcall_timer_info *mcx_privcall_timer_info(enum mcx_privcall_timer timer);

/** Wish of the caller (TS 24.379 11.1.1.2.1.1 12.). */
enum mcx_privcall_commencement { MCX_PC_AUTO, MCX_PC_MANUAL, MCX_PC_FORCE_AUTO };

/** Why a call does not come about, or ends. One table maps each to a response and a sentence: privcall_cause.c. */
enum mcx_privcall_cause {
    MCX_PC_CAUSE_NONE,
    /* callee: what it found (TS 24.379 11.1.1.2.1.2; docs/DEVIATIONS.md "pc-488") */
    MCX_PC_CAUSE_AUTH,
    MCX_PC_CAUSE_KMS,
    MCX_PC_CAUSE_MALFORMED,
    MCX_PC_CAUSE_NOT_FOR_ME,
    MCX_PC_CAUSE_STALE,
    MCX_PC_CAUSE_REPLAY,
    MCX_PC_CAUSE_PURPOSE,
    MCX_PC_CAUSE_CALLER,
    MCX_PC_CAUSE_NO_SECURITY,
    MCX_PC_CAUSE_OTHER_PROTOCOL,
    MCX_PC_CAUSE_SDP,
    MCX_PC_CAUSE_MEDIA,
    MCX_PC_CAUSE_BUSY,
    MCX_PC_CAUSE_DECLINED,
    MCX_PC_CAUSE_NO_ANSWER,
    MCX_PC_CAUSE_INTERNAL,
    /* endings */
    MCX_PC_CAUSE_CANCELLED,
    MCX_PC_CAUSE_HANGUP,
    MCX_PC_CAUSE_PEER_HANGUP,
    MCX_PC_CAUSE_LOST,
    MCX_PC_CAUSE_DURATION,
    /* caller */
    MCX_PC_CAUSE_NO_KEY,
    MCX_PC_CAUSE_BAD_ANSWER,
    MCX_PC_CAUSE_PEER_AUTH, /* the callee could not verify our I_MESSAGE */
    MCX_PC_CAUSE_PEER_REFUSED,
};
const char *mcx_privcall_cause_name(enum mcx_privcall_cause cause);

/** What was negotiated when a session was pre-established: where its server wants the media. */
struct mcx_privcall_session {
    const char *address;
    uint16_t port;
    struct mcx_sdp_amrwb amrwb;
};

/** One event. Only the fields of its kind are looked at; views are needed during the call only. */
struct mcx_privcall_in {
    enum mcx_privcall_event event;
    /* number that the program gives to a SIP dialog, or to a call over a pre-established session; USER_CALL, RX_INVITE
     * and RX_CONNECT bring a new one */
    uint64_t dialog;
    struct mcx_ntp now;
    /* USER_CALL */
    struct mcx_bytes callee; /* MCPTT ID */
    enum mcx_privcall_commencement commencement;
    bool floor;         /* with floor control, if there is a CSK with the server */
    bool request_floor; /* and the INVITE counts as a Floor Request (TS 24.379 6.4) */
    /* RX_INVITE, RX_OK */
    struct mcx_bytes sdp;
    /* RX_CONNECT */
    struct mcx_bytes imessage; /* field 192; empty = absent */
    const struct mcx_privcall_session *session;
    /* RX_INVITE, RX_CONNECT: the caller whom the network asserts; RX_INVITE: and the two headers */
    struct mcx_bytes calling_user;
    enum mcx_answer_mode answer_mode;
    enum mcx_answer_mode priv_answer_mode;
    /* RX_PROGRESS, RX_FAILURE */
    uint16_t code;
    unsigned warning; /* code in the Warning text, 0 = none */
    /* TIMER */
    enum mcx_privcall_timer timer;
};

enum mcx_privcall_act {
    MCX_PC_SEND_INVITE,  /* sdp, callee, commencement */
    MCX_PC_SEND_RINGING, /* 180 */
    MCX_PC_SEND_OK,      /* 200 with sdp */
    MCX_PC_SEND_REFUSAL, /* code, phrase, warning */
    MCX_PC_SEND_CANCEL,
    MCX_PC_SEND_BYE,         /* of a call over a pre-established session: leave it */
    MCX_PC_SEND_CONNECT_ACK, /* MCPC Acknowledgement with `reason` */
    MCX_PC_LISTEN,           /* media, of which address, ports and tx are not known yet: receive under rx */
    MCX_PC_START_MEDIA,      /* media; goes on with what LISTEN has made */
    MCX_PC_STOP_MEDIA,       /* after START_MEDIA or LISTEN */
    MCX_PC_START_TIMER,      /* timer, delay_ms; replaces a running one */
    MCX_PC_STOP_TIMER,       /* timer; it may have run out or never been started */
    MCX_PC_TELL,             /* note and what follows it */
};

/** What the user or an automation learns. */
enum mcx_privcall_note {
    MCX_PC_NOTE_CALLING,
    MCX_PC_NOTE_VERIFIED,    /* signature, caller and key are good */
    MCX_PC_NOTE_UNPROTECTED, /* taken under `allow_clear`: nobody vouches for the caller, anybody can listen */
    MCX_PC_NOTE_RINGING,
    MCX_PC_NOTE_ESTABLISHED,
    MCX_PC_NOTE_REFUSED, /* the call does not come about */
    MCX_PC_NOTE_ENDED,
};
const char *mcx_privcall_note_name(enum mcx_privcall_note note);

/** Where media goes and how it is protected. Borrowed from the machine until its next step. */
struct mcx_privcall_media {
    const char *address;
    uint16_t port;
    struct mcx_sdp_amrwb amrwb;
    const struct mcx_srtp_master *tx; /* NULL = no protection, only under `allow_clear` */
    const struct mcx_srtp_master *rx;
    uint8_t mki[4]; /* PCK-ID */
    uint16_t roc_rate;
    /* floor control server; as negotiated */
    const char *floor_address;
    uint16_t floor_port; /* 0 = without floor control (TS 24.379 11.1.2) */
    bool queueing;
    uint8_t priority;
    bool implicit_request;
    bool granted;
};

struct mcx_privcall_action {
    enum mcx_privcall_act act;
    uint64_t dialog;
    struct mcx_bytes sdp;
    struct mcx_bytes callee;
    enum mcx_privcall_commencement commencement;
    uint16_t code;
    const char *phrase;
    enum mcx_warning warning;
    enum mcx_mcpc_reason reason;
    struct mcx_privcall_media media;
    enum mcx_privcall_timer timer;
    uint32_t delay_ms;
    /* TELL */
    enum mcx_privcall_note note;
    enum mcx_privcall_cause cause;
    const char *sentence;   /* plain words for the user */
    const char *peer;       /* URI of the other user; before VERIFIED only what the network claims */
    const char *kms;        /* VERIFIED: KMS of the caller */
    uint32_t key_id;        /* VERIFIED, ESTABLISHED: PCK-ID, public */
    struct mcx_refusal why; /* REFUSED: may be empty */
};
#define MCX_PC_MAX_ACTIONS 12
struct mcx_privcall_actions {
    struct mcx_privcall_action list[MCX_PC_MAX_ACTIONS];
    size_t num;
};

/** Strings are copied; ring and replay cache are borrowed and shared by all calls of a process. */
struct mcx_privcall_config {
    const char *own_id; /* MCPTT ID */
    const struct mcx_keyring *ring;
    struct mcx_replay *replay;
    struct mcx_imessage_policy policy; /* `allowed_types` is set to the PCK alone */
    struct mcx_ntp started;            /* a T long before it is refused: the replay cache knows nothing of that time */
    struct mcx_rng rng;
    bool manual;      /* the user wants to be asked where the caller leaves it to him */
    bool allow_clear; /* take an offer without key-mgmt; default: security is required */
    const char *local_address;
    uint16_t audio_port;
    uint16_t floor_port;
    bool has_csk;               /* with the server; without one there is no floor control (TS 33.180 9.4.6) */
    struct mcx_sdp_amrwb amrwb; /* to offer */
    bool savp;
    enum mcx_sdp_level key_mgmt_level;
    uint32_t timer_ms[MCX_PC_NUM_TIMERS]; /* 0 = default, UINT32_MAX = off */
};
/** Floor priority of a private call (TS 24.380 12.1.2.2). */
#define MCX_PC_FLOOR_PRIORITY 5

/** @retval MCX_E_ARG @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_privcall_new(struct mcx_privcall **out, const struct mcx_privcall_config *config);
/** Wipes; NULL is allowed. */
void mcx_privcall_free(struct mcx_privcall *pc);
/** Another keyring from now on, such as one with the keys of the next period. @retval MCX_E_STATE not idle */
MCX_MUST_CHECK mcx_err mcx_privcall_set_ring(struct mcx_privcall *pc, const struct mcx_keyring *ring);
/** Whether there is a CSK with the server from now on: counts for the next offer or answer. */
void mcx_privcall_set_csk(struct mcx_privcall *pc, bool has_csk);

/**
 * One event.
 *
 * @param[out] out  actions, in their order; none when the result is an error
 * @retval MCX_E_STATE  the event does not fit the state or belongs to another dialog: dropped, nothing has changed
 * @retval MCX_E_ARG    an event that only the machine makes
 */
MCX_MUST_CHECK mcx_err mcx_privcall_step(struct mcx_privcall *pc, const struct mcx_privcall_in *in,
                                         struct mcx_privcall_actions *out);

enum mcx_privcall_state mcx_privcall_state(const struct mcx_privcall *pc);
/** Whether any octet of key material is in the machine; looks at the memory, not at a flag. */
bool mcx_privcall_holds_key(const struct mcx_privcall *pc);

/** Automatic or manual answer to an INVITE (TS 24.379 11.1.1.2.1.2). */
enum mcx_answer_mode mcx_privcall_commence(enum mcx_answer_mode answer, enum mcx_answer_mode priv, bool manual);

/** The tables, for documentation and logs. */
struct mcx_privcall_row {
    const char *state, *event, *next, *what;
};
/** Row `n` of the transition table. @return false past the end */
bool mcx_privcall_row(struct mcx_privcall_row *out, size_t n);
const char *mcx_privcall_state_name(enum mcx_privcall_state state);
const char *mcx_privcall_event_name(enum mcx_privcall_event event);

#ifdef __cplusplus
}
#endif

#endif
