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

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_FSRV_MAX_PARTICIPANTS 2000
#define MCX_FSRV_MAX_ACTIONS      16
#define MCX_FSRV_MAX_ROWS         3

/** Timers of TS 24.380 11.1.3: data, see mcx_fsrv_timer_info(). */
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
    uint32_t default_ms; /* 0 = off */
    uint32_t max_count;  /* of its counter C7, C20 (11.2.3); how often in all something is sent; 0 = none */
    const char *meaning;
};
const struct mcx_fsrv_timer_info *mcx_fsrv_timer_info(enum mcx_fsrv_timer timer);

struct mcx_fsrv_config {
    bool queueing;
    size_t max_queue;         /* 0 = 16; at most 250 */
    uint8_t pre_empt_from;    /* a request of at least this priority, and above the talker's, pre-empts; 0 = 255 */
    bool pre_empt_emergency;  /* a more urgent request pre-empts: emergency before imminent peril before normal */
    bool temporary_group;     /* begins initialising, and waits for MCX_FS_READY (6.3.4.8) */
    uint16_t indicator;       /* call type for the Floor Indicator; 0 = normal */
    uint32_t timer_ms[MCX_FS_NUM_TIMERS];  /* 0 = default, UINT32_MAX = off; T3 off: no grace */
    uint32_t max_count[MCX_FS_NUM_TIMERS]; /* 0 = default; of T7 (C7), T8 and T20 (C20): how often in all it is sent */
};

/** A participant when he joins. */
struct mcx_fsrv_participant {
    uint32_t id;            /* number that the caller gives, unique in the call, not 0 */
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
    MCX_FS_RTP,       /* id, ssrc: a media packet, whoever sent it; nobody but the talker is passed on */
    MCX_FS_READY,     /* a temporary group: all final SIP responses are there (6.3.4.8.4) */
    MCX_FS_CALL_TYPE, /* indicator: the call became, or ceased to be, an emergency or imminent-peril call */
    MCX_FS_TICK,      /* mcx_fsrv_deadline() has come; one timer a step, so look at the deadline again */
    MCX_FS_END,       /* the call is being released: each participant leaves when he is gone */
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
    MCX_FS_SEND_OTHERS, /* msg to all in the call but `id`; id 0 = to all */
    MCX_FS_FORWARD,     /* from now on pass on the RTP of `id`, to all others; 0 = of nobody */
    MCX_FS_INACTIVE,    /* T4: the call may be released */
    MCX_FS_NOTE,        /* for the log: note, id, cause */
};
struct mcx_fsrv_action {
    enum mcx_fsrv_act act;
    uint32_t id;
    struct mcx_floor_msg msg; /* SSRC is for the sender to fill in; views are good until the next step */
    const char *note;         /* "floor-granted", "-denied", "-queued", "-revoked", "-idle", "-media-without-permission" */
    unsigned cause;
};
struct mcx_fsrv_out {
    struct mcx_fsrv_action action[MCX_FSRV_MAX_ACTIONS];
    size_t num;
    size_t row[MCX_FSRV_MAX_ROWS]; /* which have been taken, in order: mcx_fsrv_row() */
    size_t num_rows;
};

struct mcx_fsrv;
MCX_MUST_CHECK mcx_err mcx_fsrv_new(struct mcx_fsrv **out, const struct mcx_fsrv_config *config);
void mcx_fsrv_free(struct mcx_fsrv *srv);
/**
 * One event.
 *
 * What it costs does not grow with the number of participants, but for the copy of a small table now and then as they join.
 *
 * @retval MCX_E_STATE  it has no row in this state, or no such participant: dropped, nothing has changed
 * @retval MCX_E_SPACE  MCX_FSRV_MAX_PARTICIPANTS, nothing has changed @retval MCX_E_NOMEM nothing has changed
 * @retval MCX_E_ARG    JOIN without a participant, his id or his MCPTT ID
 */
MCX_MUST_CHECK mcx_err mcx_fsrv_step(struct mcx_fsrv *srv, const struct mcx_fsrv_in *in, struct mcx_fsrv_out *out);
/** When to step with a TICK: milliseconds of now_ms, UINT64_MAX = never. A look costs nothing. */
uint64_t mcx_fsrv_deadline(const struct mcx_fsrv *srv);
/** Whether the RTP of `id` is to be passed on now; for the media path, once a packet. */
bool mcx_fsrv_may_talk(const struct mcx_fsrv *srv, uint32_t id);
/** The talker; 0 = nobody. */
uint32_t mcx_fsrv_talker(const struct mcx_fsrv *srv);

/** How many wait, and the place of `id` among them from 1; 0 = he does not wait. */
size_t mcx_fsrv_num_waiting(const struct mcx_fsrv *srv);
size_t mcx_fsrv_position(const struct mcx_fsrv *srv, uint32_t id);
/** State of the arbitration, "G: Floor Idle", and towards `id`, "U: permitted"; "Start-stop" for who is not in the call. */
const char *mcx_fsrv_state(const struct mcx_fsrv *srv);
const char *mcx_fsrv_participant_state(const struct mcx_fsrv *srv, uint32_t id);

/** Of several rows for one state and event the first whose condition holds is taken. */
struct mcx_fsrv_row {
    const char *clause; /* what follows 6.3.; "" = ours, see docs/DEVIATIONS.md */
    const char *state, *next, *what;
    char event[80]; /* with the condition: "Floor Request, pre-empts" */
};
/** Row `n` of the two transition tables, arbitration first. @return false past the end */
bool mcx_fsrv_row(struct mcx_fsrv_row *out, size_t n);
/** How many rows of arbitration there are. */
size_t mcx_fsrv_num_arbitration_rows(void);

#ifdef __cplusplus
}
#endif

#endif
