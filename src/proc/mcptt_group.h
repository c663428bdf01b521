/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROC_MCPTT_GROUP_H
#define MCX_PROC_MCPTT_GROUP_H

/* Inside of the group calls of the MCPTT server: groups, sessions, legs. */

#include <mcx/floor_msg.h>
#include <mcx/mcptt_group.h>

#include "proc/mcptt_server.h"

#define MGRP_ARENA      262144 /* octets for the strings of one step's actions */
#define MGRP_RESOURCE   64     /* of a Resource-Priority that is passed on */
#define MGRP_PER_MARK   3      /* actions that one mark causes at most */

/** A member of a group; sorted by MCPTT ID. */
struct mgrp_member {
    char *mcptt_id;
    const struct mcx_msrv_user *user; /* NULL = served elsewhere: cannot be reached from here */
    uint64_t affiliated_until;        /* 0 = not */
    uint32_t left;                    /* session that he left himself: he is not invited into it again */
    uint8_t priority;
    bool receive_only;
};

struct mgrp_group {
    struct mcx_group_head head;
    struct mgrp_member *members;
    size_t num_members;
    struct mgrp_session *session; /* the running one */
};

/** States of a leg. */
enum mgrp_state {
    MGRP_WAITING, /* he called; the media are not there yet, or nobody has answered */
    MGRP_OFFERED, /* he got his 200 */
    MGRP_TO_CALL, /* to be invited */
    MGRP_CALLED,  /* INVITE sent */
    MGRP_ACTIVE,
    MGRP_LEAVING, /* told to go */
    MGRP_NUM_STATES,
};
/** What is still to be done at a leg. */
enum { MGRP_DO_CALL = 1, MGRP_DO_HANGUP = 2, MGRP_DO_OFFER = 4, MGRP_DO_ANSWER = 8, MGRP_DO_REFUSE = 16 };
/** Events at a leg. */
enum mgrp_event { MGRP_IN_ANSWER, MGRP_IN_ACKED, MGRP_IN_OFFER, MGRP_IN_UNTOLD, MGRP_IN_GONE, MGRP_IN_TIMEOUT };

struct mgrp_leg {
    uint32_t id;
    uint8_t state; /* enum mgrp_state */
    uint8_t todo;
    bool joined;   /* a JOIN action was given */
    uint16_t told; /* call type that he was told last, as a Floor Indicator */
    uint64_t deadline_ms; /* CALLED: no answer; ACTIVE: end of the affiliation */
    char *mcptt_id;
    char *offer; /* WAITING: his SDP, NUL-terminated */
    struct mcx_mgrp_peer peer; /* mcptt_id is filled in when it is given out */
};

struct mgrp_session {
    uint32_t id;
    struct mgrp_group *group; /* NULL = the session has ended, its legs are going */
    char identity[MSRV_ID];   /* user part of the session identity (TS 24.379 4.5) */
    char *initiator;          /* MCPTT ID */
    char *changed_by;         /* MCPTT ID of who set the present call type; NULL = the initiator */
    char resource_priority[MGRP_RESOURCE];
    bool media_ready, answered, prearranged, protect_floor;
    bool emergency, imminent;
    bool was_emergency, was_imminent; /* ever: then its end is said too */
    uint64_t deadline_ms;
    struct mcx_sdp_amrwb amrwb; /* one payload type for all, since packets are not rewritten */
    struct mcx_mgrp_media media;
    struct mgrp_leg *legs;
    size_t num_legs, cap_legs;
};

struct mcx_mgrp {
    struct mcx_mgrp_config config;
    struct mcx_rng rng;
    struct mgrp_group *groups[MCX_MGRP_MAX_GROUPS];
    size_t num_groups;
    struct mgrp_session **sessions;
    size_t cap_sessions, num_sessions;
    uint32_t last_leg, last_session;
    size_t num_todo;
    uint8_t *arena;
    struct mcx_wr text;
};

/** One step under way. */
struct mgrp_step {
    struct mcx_mgrp *grp;
    const struct mcx_mgrp_in *in;
    struct mcx_mgrp_out *out;
    struct mgrp_session *session;
    struct mgrp_leg *leg; /* good until legs are added or removed */
};

/** An INVITE or re-INVITE, read. */
struct mgrp_request {
    struct mcx_mime mime;
    enum mcx_mcptt_session type;
    char group[MCX_MCPTT_VALUE_MAX];
    enum mcx_mcptt_bool emergency, imminent;
};

/* ---- strings and actions (mcptt_group_out.c) ---- */
const char *mgrp_text(struct mcx_mgrp *grp, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The next action; there is always room, see MGRP_PER_MARK. */
struct mcx_mgrp_action *mgrp_action(struct mgrp_step *s, enum mcx_mgrp_act act);
void mgrp_note(struct mgrp_step *s, const char *what, const char *user, const char *group, const char *text,
               const struct msrv_verdict *v);
/** The same for a refusal; without `why` as the response says it. */
void mgrp_note_refused(struct mgrp_step *s, const char *what, const char *user, const char *group,
                       const struct msrv_verdict *v, const struct mcx_refusal *why);
/** REJECT with Warning. */
void mgrp_reject(struct mgrp_step *s, uint32_t leg, const struct msrv_verdict *v);
/** The highest priority that he may ask the floor with. */
uint8_t mgrp_floor_priority(const struct mgrp_session *session, const struct mgrp_leg *leg);
mcx_err mgrp_fill_invite(struct mcx_mgrp_action *act, struct mgrp_step *s, struct mgrp_leg *leg, bool renew);
mcx_err mgrp_fill_answer(struct mcx_mgrp_action *act, struct mgrp_step *s, struct mgrp_leg *leg,
                         struct mcx_bytes offer);

/* ---- groups (mcptt_group_docs.c) ---- */
struct mgrp_group *mgrp_find_group(const struct mcx_mgrp *grp, const char *uri);
struct mgrp_member *mgrp_find_member(const struct mgrp_group *group, const char *mcptt_id);
mcx_err mgrp_take_document(struct mgrp_step *s);
void mgrp_drop_group(struct mgrp_step *s, struct mgrp_group *group, const char *why);
void mgrp_free_group(struct mgrp_group *group);
size_t mgrp_affiliations_of(const struct mcx_mgrp *grp, const char *mcptt_id, uint64_t now_ms);

/* ---- affiliation (mcptt_group_affil.c) ---- */
mcx_err mgrp_publish(struct mgrp_step *s);

/* ---- what an INVITE must hold (mcptt_group_check.c) ---- */
mcx_err mgrp_read_request(struct mgrp_request *out, const struct mcx_msrv_sip *sip);
struct msrv_verdict mgrp_check_invite(struct mgrp_step *s, const struct mgrp_request *request,
                                      const struct mcx_msrv_user **caller, struct mgrp_group **group);
/** May he have the call type that he asks for? */
struct msrv_verdict mgrp_check_type(const struct mgrp_request *request, const struct mcx_msrv_user *user);
/** Media of an offer or answer: where he is, what he can, and that it fits the session if there is one. */
mcx_err mgrp_read_media(struct mcx_mgrp_peer *out, struct mcx_sdp_amrwb *amrwb, const struct mcx_mime *mime,
                        const struct mgrp_session *session, struct mcx_refusal *why);

/* ---- sessions and the legs in them (mcptt_group_session.c) ---- */
struct mgrp_leg *mgrp_leg_of(const struct mgrp_session *session, const char *mcptt_id);
/** Sets session and leg of the step. */
bool mgrp_find_leg(struct mgrp_step *s, uint32_t id);
/** May move the legs of the session; NULL = no memory. */
struct mgrp_leg *mgrp_add_leg(struct mgrp_session *session, uint32_t id, const char *mcptt_id, enum mgrp_state state);
/** Moves the last leg of the session into its place. */
void mgrp_remove_leg(struct mcx_mgrp *grp, struct mgrp_session *session, struct mgrp_leg *leg);
void mgrp_mark(struct mcx_mgrp *grp, struct mgrp_leg *leg, uint8_t what);
void mgrp_unmark(struct mcx_mgrp *grp, struct mgrp_leg *leg);
/** Has to go: BYE, CANCEL, or a refusal when he still waits. */
void mgrp_dismiss(struct mcx_mgrp *grp, struct mgrp_leg *leg);
/** Whoever waits may have his 200. */
void mgrp_answer_waiting(struct mgrp_step *s);

struct mgrp_session *mgrp_find_session(const struct mcx_mgrp *grp, uint32_t id);
mcx_err mgrp_new_session(struct mgrp_step *s, struct mgrp_group *group, const char *initiator);
/** Is there a member besides the caller whom an INVITE would reach? */
bool mgrp_somebody_else(const struct mgrp_step *s, const struct mgrp_group *group, const char *caller);
/** Invite a member into the running session if that is due. */
void mgrp_late_entry(struct mgrp_step *s, struct mgrp_group *group, struct mgrp_member *member);
uint16_t mgrp_indicator_of(const struct mgrp_session *session);
/** A re-INVITE, unless he knows of the present call type. */
void mgrp_tell_type(struct mgrp_step *s, struct mgrp_leg *leg);
void mgrp_set_type(struct mgrp_session *session, const struct mgrp_request *request);
/** The same, and all others are told of it. */
void mgrp_change_type(struct mgrp_step *s, const struct mgrp_request *request, uint32_t by_leg, const char *user);
void mgrp_look_whether_enough(struct mgrp_step *s);
void mgrp_end_session(struct mgrp_step *s, struct mgrp_session *session, const char *why);
/** Ended sessions are forgotten with their last leg. */
void mgrp_sweep(struct mcx_mgrp *grp);
void mgrp_free_session(struct mgrp_session *session);

/* ---- transition table of a leg (mcptt_group_leg.c) ---- */
/** At the leg of the step. */
mcx_err mgrp_run_row(struct mgrp_step *s, enum mgrp_event event);
/** Marks become actions as long as there is room for those of one more. */
void mgrp_drain(struct mgrp_step *s);

#endif
