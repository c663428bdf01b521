/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTT_SERVER_H
#define MCX_MCPTT_SERVER_H

/*
 * The MCPTT server's part of a private call (TS 24.379 6.3, 11.1.1.3, 11.1.1.4), as one state machine without I/O.
 *
 * Three roles stand one behind the other in one process: the originating participating function (O-PF) checks the
 * caller, the controlling function (CF) owns the session, the terminating participating function (T-PF) checks the
 * callee and knows how he answers. Each is a function from one INVITE to the next (`src/proc/mcptt_roles.c`), so that
 * they can move to hosts of their own. Around them a call has two SIP dialogs, its legs, and a relay for the media.
 *
 *   mcx_msrv_step()  one event with the time in it -> actions for SIP, relay and log
 *
 * The server never sees a PCK or a GMK: key-mgmt lines and SRTP pass untouched. What it shares with each client is a CSK
 * (TS 33.180 5.4), made by the client and sent with its registration: it protects floor control and nothing else.
 *
 * Floor control of a call is the server's own (TS 24.380 6.3): the floor control line of either side leads to it. Where
 * one of the two has no CSK it could not be protected: the line is refused, and the call goes on without.
 * Strings of actions live until the next step.
 */

#include <mcx/channel.h>
#include <mcx/mcptt.h>
#include <mcx/sdp.h>
#include <mcx/seam.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_MSRV_MAX_ACTIONS  8
#define MCX_MSRV_MAX_PATH     4
#define MCX_MSRV_MAX_WARNINGS 4
#define MCX_MSRV_HOST_MAX     64
#define MCX_MSRV_FLOOR_PRIORITY 254 /* below what pre-empts, see struct mcx_fsrv_config */

/** What a user may do and how he answers (user profile, service settings). */
struct mcx_msrv_user {
    char mcptt_id[MCX_MCPTT_VALUE_MAX];
    char public_id[MCX_MCPTT_VALUE_MAX]; /* public user identity of SIP; "" = same as mcptt_id */
    bool deny_private_calls;             /* 403 with 107 */
    bool deny_automatic;                 /* 125 */
    bool deny_manual;                    /* 126 */
    bool allow_force_auto;               /* else 143 */
    bool deny_called;                    /* 127 */
    bool no_settings;                    /* no Answer-Mode Indication received: 480 with 146 */
    enum mcx_answer_mode answer;         /* Answer-Mode Indication; UNSET = manual */
    unsigned max_calls;                  /* private calls at once, 486 with 124; 0 = 1 */
    const char *const *may_call;         /* MCPTT IDs, else 144; NULL = anyone */
    size_t num_may_call;
    bool allow_emergency_group; /* may make a group call an emergency one (else 403), and end that */
    bool allow_imminent_group;  /* likewise imminent peril */
    uint8_t floor_priority;     /* highest in a private call; 0 = MCX_MSRV_FLOOR_PRIORITY */
};

/** Check of an access token; fills the MCPTT ID in it. See src/io/token.h. */
struct mcx_msrv_authoriser {
    mcx_err (*check)(void *ctx, char mcptt_id[MCX_MCPTT_VALUE_MAX], struct mcx_bytes token, uint64_t now_ms,
                     struct mcx_refusal *why);
    void *ctx;
};

struct mcx_msrv_config {
    const char *host;                  /* in Warning and in session identities */
    const char *controlling_psi;       /* public service identity of the controlling function */
    const struct mcx_msrv_user *users; /* kept, not copied */
    size_t num_users;
    const struct mcx_msrv_authoriser *authoriser; /* NULL = users are known by their public identity alone */
    const char *server_id;          /* own identity, to which clients send their CSK; NULL = none is taken */
    const struct mcx_keyring *ring; /* keys of server_id; kept, not copied */
    struct mcx_ntp started;         /* a CSK made long before it is refused */
    bool no_queueing;               /* of floor requests: mc_queueing is not agreed to (TS 24.380 14.3.3) */
    uint32_t csk_lifetime_s;        /* after that the server makes a new CSK (5.8); 0 = never */
    size_t max_calls;                             /* more get 500; emergency calls may exceed it by an eighth */
    uint32_t max_expires_s;                       /* of a registration; 0 = 3600 */
    uint32_t no_answer_ms;                        /* 0 = 60000 */
    uint32_t max_call_ms;                         /* 0 = no limit */
    uint32_t session_expires;                     /* RFC 4028, offered to the callee; 0 = none */
};

/** What the roles look at in a SIP message. Views, empty when absent. */
struct mcx_msrv_sip {
    struct mcx_bytes from, to;            /* URIs */
    struct mcx_bytes source;              /* connection it came by, as a URI */
    bool trusted;                         /* from a proxy whose P-Asserted-Identity counts */
    struct mcx_bytes asserted, preferred; /* identity URIs */
    struct mcx_bytes service;             /* P-Asserted-Service, else P-Preferred-Service */
    struct mcx_bytes answer_mode, priv_answer_mode;
    struct mcx_bytes resource_priority;
    struct mcx_bytes contact;                 /* URI; "*" in a REGISTER that removes all */
    int64_t expires;                          /* REGISTER: parameter of Contact, else Expires; -1 = none */
    struct mcx_bytes path[MCX_MSRV_MAX_PATH]; /* URIs */
    size_t num_path;
    uint16_t code; /* of a response */
    struct mcx_bytes reason;
    struct mcx_bytes warning[MCX_MSRV_MAX_WARNINGS]; /* whole values */
    size_t num_warnings;
    struct mcx_bytes content_type, body;
};

/** A medium: two ports of ours towards each side, and where that side's media are. */
struct mcx_msrv_port {
    char host[MCX_MSRV_HOST_MAX];
    uint16_t port;
    uint16_t rtcp_port; /* 0 = none */
};
struct mcx_msrv_line {
    size_t media;                  /* m= line */
    bool rtcp;                     /* RTP: relayed, has a second port; else a datagram line, which never is */
    struct mcx_msrv_port local[2]; /* filled by the relay; [0] faces the caller, [1] the callee */
    struct mcx_msrv_port remote;   /* of the side that the action names */
};

enum mcx_msrv_side { MCX_MSRV_CALLER = 0, MCX_MSRV_CALLEE = 1 };

enum mcx_msrv_event {
    MCX_MSRV_EV_REGISTER,    /* sip; no call */
    MCX_MSRV_EV_INVITE,      /* sip; `call` is a number that the I/O layer has not in use */
    MCX_MSRV_EV_PROGRESS,    /* callee: 1xx */
    MCX_MSRV_EV_ANSWER,      /* callee: 2xx */
    MCX_MSRV_EV_REJECT,      /* callee: 300 and above */
    MCX_MSRV_EV_ACKED,       /* caller: ACK of his 200 */
    MCX_MSRV_EV_INACTIVE,    /* floor control: nobody has spoken for T4 */
    MCX_MSRV_EV_GONE,        /* a leg ended: CANCEL, BYE (sip has its body), failure (sip is NULL) */
    MCX_MSRV_EV_RELAY_READY, /* lines with their local ports */
    MCX_MSRV_EV_RELAY_FAILED,
    MCX_MSRV_EV_TICK,      /* mcx_msrv_deadline() has come */
    MCX_MSRV_EV_DELIVERED, /* user, sip: the final response to a MESSAGE, NULL = none came */
};
struct mcx_msrv_in {
    enum mcx_msrv_event event;
    uint64_t now_ms;
    struct mcx_ntp wall; /* wall clock: how old a key message is */
    uint32_t call;
    enum mcx_msrv_side side;
    const struct mcx_msrv_sip *sip;
    const char *user; /* MCPTT ID */
    const struct mcx_msrv_line *lines;
    size_t num_lines;
};

enum mcx_msrv_act {
    MCX_MSRV_RESPOND,    /* to the REGISTER of this step */
    MCX_MSRV_INVITE,     /* open the callee's leg */
    MCX_MSRV_PROGRESS,   /* 1xx to the caller */
    MCX_MSRV_ANSWER,     /* 200 to the caller */
    MCX_MSRV_REJECT,     /* final refusal to the caller */
    MCX_MSRV_HANGUP,     /* end a leg: CANCEL or BYE */
    MCX_MSRV_RELAY_OPEN, /* lines: media, rtcp, remote of the caller; floor: lines[floor_line] leads to a floor control
                          * server, and only who holds the floor is relayed */
    MCX_MSRV_RELAY_PEER, /* lines: remote of `side`; port 0 = closed */
    MCX_MSRV_RELAY_CLOSE, /* floor control too */
    MCX_MSRV_FLOOR_JOIN,  /* talker of `side` takes part in floor control */
    MCX_MSRV_FLOOR_CLOSE, /* no floor control after all: everybody is relayed */
    MCX_MSRV_MESSAGE, /* a SIP MESSAGE to the user `caller`: a new CSK (TS 33.180 5.8) */
    MCX_MSRV_NOTE, /* for the event log */
};
/** A participant of floor control, as negotiated (TS 24.380 14). */
struct mcx_msrv_talker {
    const char *mcptt_id;
    struct mcx_msrv_port at; /* his end of the control channel */
    uint8_t max_priority;
    bool queueing, implicit_request;
};
struct mcx_msrv_action {
    enum mcx_msrv_act act;
    uint32_t call;
    enum mcx_msrv_side side;
    uint16_t code;
    const char *reason;
    const char *headers;        /* complete lines, "" = none */
    const char *contact_params; /* NULL = none */
    const char *contact_user;   /* session identity; NULL = the server's own */
    const char *content_type;   /* NULL = no body */
    struct mcx_bytes body;
    /* INVITE, MESSAGE */
    const char *uri, *from, *to, *next_hop;
    const char *route[MCX_MSRV_MAX_PATH];
    uint32_t session_expires;
    bool automatic; /* INVITE: the callee answers without asking; `caller` and `callee` as in a NOTE */
    /* RELAY */
    struct mcx_msrv_line lines[MCX_SDP_MAX_MEDIA];
    size_t num_lines;
    bool floor;        /* OPEN */
    size_t floor_line; /* in `lines` */
    uint16_t indicator; /* call type for the Floor Indicator */
    struct mcx_msrv_talker talker;
    /* NOTE: "registered", "register-refused", "deregistered", "call-setup", "call-refused", "call-ringing",
     * "call-answered", "call-ended", "floor-control-refused", "csk-replaced", "csk-not-taken", "csk-not-made"; caller and
     * callee are MCPTT IDs, "" when unknown; text says why */
    const char *note, *caller, *callee, *text;
    enum mcx_warning warning;
};
struct mcx_msrv_out {
    struct mcx_msrv_action action[MCX_MSRV_MAX_ACTIONS];
    size_t num;
};

struct mcx_msrv;
/** `config` and what it points to must outlive the server. @retval MCX_E_ARG @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_msrv_new(struct mcx_msrv **out, const struct mcx_msrv_config *config,
                                    const struct mcx_rng *rng);
void mcx_msrv_free(struct mcx_msrv *srv);
/**
 * Handle one event; `out` gets what to do, in order.
 *
 * @retval MCX_E_STATE  the event does not fit the state of the call, or there is no such call; nothing changed
 * @retval MCX_E_SPACE  a message too large to be sent on; the call was ended, do the actions in `out` all the same
 */
MCX_MUST_CHECK mcx_err mcx_msrv_step(struct mcx_msrv *srv, const struct mcx_msrv_in *in, struct mcx_msrv_out *out);
/** When to step with a TICK: milliseconds of now_ms, UINT64_MAX = never. */
uint64_t mcx_msrv_deadline(const struct mcx_msrv *srv);
size_t mcx_msrv_num_calls(const struct mcx_msrv *srv);
/** Registrations that have not expired at `now_ms`. */
size_t mcx_msrv_num_bindings(const struct mcx_msrv *srv, uint64_t now_ms);

/* ---- client-server keys (TS 33.180 5.4, 5.8, 9.4.6) ---- */

/**
 * The control channel of a registered user, with the CSK of his registration; gone with it (de-registration, expiry).
 * Valid until the next step.
 *
 * @return NULL = not registered, or without CSK: nothing can be protected for him, so nothing is sent to him
 */
struct mcx_channel *mcx_msrv_channel(const struct mcx_msrv *srv, const char *mcptt_id, uint64_t now_ms);
/** MCPTT ID of the registered user one of whose CSKs has this identifier (the MKI of what arrived); NULL = nobody. No two
 * users have the same: a registration with an identifier in use is refused. */
const char *mcx_msrv_csk_user(const struct mcx_msrv *srv, uint32_t key_id, uint64_t now_ms);

/** One row of a call's transition table, for docs/STATE-MACHINES.md and tests. */
struct mcx_msrv_row {
    const char *state, *event, *next, *what;
};
/** @return false past the end */
bool mcx_msrv_row(struct mcx_msrv_row *row, size_t i);

#ifdef __cplusplus
}
#endif

#endif
