/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTT_GROUP_H
#define MCX_MCPTT_GROUP_H

/*
 * The MCPTT server's part of group calls (TS 24.379 9.2.2, 10.1.1, 10.1.2), as one state machine without I/O: who is
 * affiliated to which group, who takes part in which session, who has to be invited and who has to go.
 *
 *   mcx_mgrp_step()  one event with the time in it -> actions for SIP, media and log, in batches
 *
 * Groups come as documents (<mcx/group_doc.h>), registrations and users from the server of <mcx/mcptt_server.h>. A
 * session has any number of legs, so a step does not carry out everything at once: while mcx_mgrp_out.more is set, step
 * again with MCX_MGRP_EV_MORE. What waits is kept as marks at the participants, an octet each, never as a queue.
 *
 * Memory: a member of a group takes his MCPTT ID and 40 octets, a participant of a session 210 octets. An offer is kept
 * only for the one who started a call, until he is answered. Strings of actions live until the next step.
 *
 * Who talks is not decided here: a JOIN action tells the floor control server (<mcx/floor_server.h>) all about a
 * participant. Nor is there any key: media are protected under the members' group key, which no server has.
 */

#include <mcx/group_doc.h>
#include <mcx/mcptt_server.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_MGRP_MAX_ACTIONS      16
#define MCX_MGRP_MAX_GROUPS       1024
#define MCX_MGRP_MAX_PARTICIPANTS 2000 /* of one session, whatever its document says */

struct mcx_mgrp_config {
    struct mcx_msrv *srv;              /* registrations; must outlive this */
    const struct mcx_msrv_config *server; /* its configuration: host, PSI, time limits */
    size_t max_sessions;               /* more get 500; emergency calls may exceed it by an eighth */
    uint32_t max_affiliation_s;        /* 0 = 3600 */
    size_t max_affiliations;           /* of a user; more get 486 with 102; 0 = 16 */
    size_t max_group_calls;            /* of a user; more get 486 with 103; 0 = 4 */
    bool (*has_channel)(void *arg, const char *mcptt_id); /* a CSK of his is there; NULL = do not ask */
    void *arg;
};

enum mcx_mgrp_event {
    MCX_MGRP_EV_GROUP,        /* body: a group document, new or changed; user: its group, NULL = the one it names */
    MCX_MGRP_EV_GROUP_GONE,   /* user: URI of a group that is no more */
    MCX_MGRP_EV_REGISTERED,   /* user: MCPTT ID of who has just registered */
    MCX_MGRP_EV_PUBLISH,      /* sip; answered in the same step */
    MCX_MGRP_EV_INVITE,       /* leg, sip */
    MCX_MGRP_EV_ACKED,        /* leg: ACK to our 2xx */
    MCX_MGRP_EV_ANSWER,       /* leg, sip: 2xx to our INVITE */
    MCX_MGRP_EV_OFFER,        /* leg, sip: re-INVITE; answered in the same step */
    MCX_MGRP_EV_UNTOLD,       /* leg: MCX_MGRP_OFFER could not be sent, or met his own (491), and may be sent again now */
    MCX_MGRP_EV_GONE,         /* leg: ended, refused, broken */
    MCX_MGRP_EV_MEDIA_READY,  /* session, media */
    MCX_MGRP_EV_MEDIA_FAILED, /* session */
    MCX_MGRP_EV_INACTIVE,     /* session: T4 of floor control ran out */
    MCX_MGRP_EV_TICK,         /* mcx_mgrp_deadline() has come */
    MCX_MGRP_EV_MORE,         /* go on with what is left */
};
/** Our own ports of a session. */
struct mcx_mgrp_media {
    char host[MCX_MSRV_HOST_MAX];
    uint16_t rtp_port, floor_port;
};
struct mcx_mgrp_in {
    enum mcx_mgrp_event event;
    uint64_t now_ms;
    uint32_t leg;     /* of mcx_mgrp_new_leg() */
    uint32_t session;
    const char *user;
    const struct mcx_msrv_sip *sip;
    struct mcx_bytes body;
    struct mcx_mgrp_media media;
};

enum mcx_mgrp_act {
    MCX_MGRP_RESPOND,     /* to the PUBLISH of this step */
    MCX_MGRP_INVITE,      /* open leg `leg` */
    MCX_MGRP_ANSWER,      /* 200 to an INVITE or re-INVITE */
    MCX_MGRP_REJECT,
    MCX_MGRP_HANGUP,      /* CANCEL or BYE */
    MCX_MGRP_OFFER,       /* re-INVITE: the type of the call has changed */
    MCX_MGRP_MEDIA_OPEN,  /* session, protect_floor, indicator; answer with MEDIA_READY or _FAILED */
    MCX_MGRP_MEDIA_CLOSE, /* session */
    MCX_MGRP_JOIN,        /* session, peer: he takes part from now on */
    MCX_MGRP_PART,        /* session, leg */
    MCX_MGRP_CALL_TYPE,   /* session, indicator */
    MCX_MGRP_NOTE,        /* for the log */
};
/** A participant, for media and floor control. */
struct mcx_mgrp_peer {
    const char *mcptt_id;
    char host[MCX_MSRV_HOST_MAX];
    uint16_t rtp_port;
    char floor_host[MCX_MSRV_HOST_MAX];
    uint16_t floor_port; /* 0 = he has no floor control: he only listens */
    uint8_t max_priority; /* floor priority: the lower of what he says and what the group document allows */
    bool queueing, implicit_request, receive_only;
};
struct mcx_mgrp_action {
    enum mcx_mgrp_act act;
    uint32_t session, leg;
    /* SIP */
    uint16_t code;
    const char *reason;
    const char *headers;
    const char *contact_params, *contact_user;
    const char *content_type;
    struct mcx_bytes body;
    const char *uri, *from, *to, *next_hop;
    const char *route[MCX_MSRV_MAX_PATH];
    uint32_t session_expires;
    /* media */
    struct mcx_mgrp_peer peer;
    bool protect_floor;
    uint16_t indicator; /* MCX_FI_* of <mcx/floor_msg.h> */
    uint32_t hang_s;    /* of the group document: T4 of floor control; 0 = none told, UINT32_MAX = it does not run */
    /* NOTE: "affiliated", "deaffiliated", "affiliation-refused", "group-changed", "group-call-setup", "group-call-refused",
     * "group-answer-refused", "group-offer-refused", "group-call-type", "group-joined", "group-left",
     * "group-call-ended"; strings are "" where unknown. `clause` goes with refusals */
    const char *note, *user, *group, *text, *clause;
    enum mcx_warning warning;
};
struct mcx_mgrp_out {
    struct mcx_mgrp_action action[MCX_MGRP_MAX_ACTIONS];
    size_t num;
    bool more;
    struct mcx_refusal why; /* of a document that was refused; its strings are "" else */
};

struct mcx_mgrp;
/** @retval MCX_E_ARG @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_mgrp_new(struct mcx_mgrp **out, const struct mcx_mgrp_config *config, const struct mcx_rng *rng);
void mcx_mgrp_free(struct mcx_mgrp *grp);
/** A number for a leg that somebody opens towards us; 0 is no number. */
uint32_t mcx_mgrp_new_leg(struct mcx_mgrp *grp);
/** Whether this INVITE is for a group: session-type prearranged or chat (10.1.1.3.1.1, 10.1.2.3.1.1). */
bool mcx_mgrp_is_group_call(const struct mcx_msrv_sip *sip);
/**
 * One event; `out` gets what to do, in order.
 *
 * @retval MCX_E_STATE   the event does not fit, or there is no such leg or session; nothing has changed
 * @retval MCX_E_FORMAT  GROUP: not a usable document (also MCX_E_UNSUP, MCX_E_SPACE); the group stays as it was
 * @retval MCX_E_POLICY  GROUP: the document of another group
 */
MCX_MUST_CHECK mcx_err mcx_mgrp_step(struct mcx_mgrp *grp, const struct mcx_mgrp_in *in, struct mcx_mgrp_out *out);
/** When to step with a TICK; UINT64_MAX = never. */
uint64_t mcx_mgrp_deadline(const struct mcx_mgrp *grp);
size_t mcx_mgrp_num_sessions(const struct mcx_mgrp *grp);
size_t mcx_mgrp_num_participants(const struct mcx_mgrp *grp, uint32_t session);
/** Whether a member is affiliated at `now_ms`. */
bool mcx_mgrp_is_affiliated(const struct mcx_mgrp *grp, const char *group, const char *mcptt_id, uint64_t now_ms);

/** One row of the transition table of a participant's leg, for docs/STATE-MACHINES.md and tests. */
struct mcx_mgrp_row {
    const char *state, *event, *next, *what;
};
/** @return false past the end */
bool mcx_mgrp_row(struct mcx_mgrp_row *row, size_t i);

#ifdef __cplusplus
}
#endif

#endif
