/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_FLOOR_SERVER_H
#define MCX_FLOOR_SERVER_H

/*
 * The floor control server of one call (TS 24.380 6.3), as a state machine without I/O: the arbitration logic (6.3.4,
 * states "G: ...") and, for each participant, the interface towards him (6.3.5, states "U: ...").
 *
 * Messages come in authenticated and read, and go out as structures; who protects them under which CSK is not known here.
 * The server decides whose RTP is passed on (mcx_fsrv_may_talk()); it never sees what the RTP says.
 */

#include <mcx/floor_msg.h>
#include <mcx/seam.h>

#define MCX_FSRV_MAX_PARTICIPANTS 2000
#define MCX_FSRV_MAX_ACTIONS      16

/** Timers of TS 24.380 11.1.2: data, see mcx_fsrv_timer_info(). */
enum mcx_fsrv_timer {
    MCX_FS_T1,  /* end of RTP media */
    MCX_FS_T2,  /* stop talking: longest talk burst */
    MCX_FS_T3,  /* stop talking grace */
    MCX_FS_T4,  /* inactivity */
    MCX_FS_T7,  /* Floor Idle, sent again */
    MCX_FS_T8,  /* Floor Revoke, sent again */
    MCX_FS_T9,  /* retry-after */
    MCX_FS_T20, /* Floor Granted, sent again */
};
#define MCX_FS_NUM_TIMERS 8
struct mcx_fsrv_timer_info {
    const char *name;
    uint32_t default_ms;
    uint32_t max_count; /* of its counter C7, C20...; 0 = none */
    const char *meaning;
};
const struct mcx_fsrv_timer_info *mcx_fsrv_timer_info(enum mcx_fsrv_timer timer);

struct mcx_fsrv_config {
    bool queueing;
    size_t max_queue;         /* 0 = 16 */
    uint8_t pre_empt_from;    /* a request of at least this priority, and above the talker's, pre-empts; 0 = 255 */
    bool pre_empt_emergency;  /* an emergency request pre-empts a talker who has none */
    uint16_t indicator;       /* call type for the Floor Indicator */
    uint32_t timer_ms[MCX_FS_NUM_TIMERS]; /* 0 = default, UINT32_MAX = off */
};

/** A participant when he joins. */
struct mcx_fsrv_participant {
    uint32_t id;            /* number that the caller gives, unique in the call */
    const char *mcptt_id;   /* copied */
    uint8_t max_priority;   /* what he asks for is cut down to it */
    bool queueing;          /* negotiated */
    bool receive_only;
    bool privacy;           /* his identity is left out of Floor Taken */
};

enum mcx_fsrv_event {
    MCX_FS_JOIN,      /* participant; implicit_request: the INVITE counts as a Floor Request */
    MCX_FS_LEAVE,     /* id */
    MCX_FS_RX,        /* id, msg */
    MCX_FS_RTP,       /* id, ssrc: a media packet of the talker (others are not reported: they are dropped) */
    MCX_FS_CALL_TYPE, /* indicator: the call became, or ceased to be, an emergency or imminent-peril call */
    MCX_FS_TICK,      /* mcx_fsrv_deadline() has come */
    MCX_FS_END,       /* the call is released */
};
struct mcx_fsrv_in {
    enum mcx_fsrv_event event;
    uint64_t now_ms;
    const struct mcx_fsrv_participant *participant;
    bool implicit_request;
    uint32_t id;
    const struct mcx_floor_msg *msg;
    uint32_t ssrc;
    uint16_t indicator;
};

enum mcx_fsrv_act {
    MCX_FS_SEND,        /* msg to `id` */
    MCX_FS_SEND_OTHERS, /* msg to all but `id`; id 0 = to all. Not to those who are releasing */
    MCX_FS_FORWARD,     /* from now on pass on the RTP of `id`, to all others; 0 = of nobody */
    MCX_FS_INACTIVE,    /* T4: the call may be released */
    MCX_FS_NOTE,        /* for the log: note, id, cause */
};
struct mcx_fsrv_action {
    enum mcx_fsrv_act act;
    uint32_t id;
    struct mcx_floor_msg msg; /* SSRC is for the sender to fill in; views are good until the next step */
    const char *note;         /* "floor-granted", "floor-denied", "floor-queued", "floor-revoked", "floor-idle", ... */
    unsigned cause;
};
struct mcx_fsrv_out {
    struct mcx_fsrv_action action[MCX_FSRV_MAX_ACTIONS];
    size_t num;
};

struct mcx_fsrv;
MCX_MUST_CHECK mcx_err mcx_fsrv_new(struct mcx_fsrv **out, const struct mcx_fsrv_config *config);
void mcx_fsrv_free(struct mcx_fsrv *srv);
/**
 * One event.
 *
 * @retval MCX_E_STATE  it has no row in this state, or no such participant: dropped, nothing has changed
 * @retval MCX_E_SPACE  MCX_FSRV_MAX_PARTICIPANTS @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_fsrv_step(struct mcx_fsrv *srv, const struct mcx_fsrv_in *in, struct mcx_fsrv_out *out);
/** When to step with a TICK: milliseconds of now_ms, UINT64_MAX = never. A look costs nothing. */
uint64_t mcx_fsrv_deadline(const struct mcx_fsrv *srv);
/** Whether the RTP of `id` is to be passed on now; for the media path, once a packet. */
bool mcx_fsrv_may_talk(const struct mcx_fsrv *srv, uint32_t id);
/** The talker; 0 = nobody. */
uint32_t mcx_fsrv_talker(const struct mcx_fsrv *srv);

struct mcx_fsrv_row {
    const char *state, *event, *next, *what;
};
/** Row `n` of the two transition tables, arbitration first. @return false past the end */
bool mcx_fsrv_row(struct mcx_fsrv_row *out, size_t n);

#endif
