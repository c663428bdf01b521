/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_FLOOR_SERVER_INT_H
#define MCX_FLOOR_SERVER_INT_H

/* What the files of the floor control server share. */
#include <mcx/floor_server.h>

/* States of the arbitration logic (TS 24.380 6.3.4). */
enum fs_state { G_START_STOP, G_INITIALISING, G_IDLE, G_TAKEN, G_REVOKE, G_RELEASING };
#define FS_NUM_STATES 6

/* States towards one participant (6.3.5). Only the last but one is kept for each: the others follow from the state of
 * the arbitration and from who talks, so that a message to 500 participants does not touch 500 of them. */
enum fs_user_state {
    U_START_STOP,
    U_INITIATING,
    U_IDLE,
    U_TAKEN,
    U_PERMITTED,
    U_REVOKE,
    U_SENDS_MEDIA,
    U_RELEASING,
};
#define FS_NUM_USER_STATES 8

/* How urgent a request is before its priority counts. */
enum fs_rank { FS_NORMAL, FS_IMMINENT, FS_EMERGENCY };

struct fs_user {
    uint32_t id;
    uint8_t max_priority;
    bool queueing;
    bool receive_only;
    bool privacy;
    bool ssrc_known;
    uint32_t ssrc;        /* of his last media */
    uint64_t retry_at;    /* T9: no request is granted before */
    bool sends_media;     /* U: not permitted but sends media, with what follows */
    bool sent_since;      /* media since the last look of T8 */
    unsigned num_revokes; /* Floor Revokes sent to him in this state */
    uint64_t t8_at;
    struct fs_user *prev, *next; /* those of this state, the first T8 first: all have the same length */
    char mcptt_id[];
};

/* A request that waits, or that was granted. */
struct fs_wish {
    struct fs_user *user;
    bool front; /* it pre-empts (6.3.4.4.7) */
    enum fs_rank rank;
    uint8_t priority;
    uint64_t age; /* counts up */
};

struct mcx_fsrv {
    struct mcx_fsrv_config config; /* timer_ms, max_count: as they are, UINT32_MAX = off */
    enum fs_state state;
    uint16_t indicator;
    struct fs_user **slot; /* open addressing by id; a power of two */
    size_t num_slots;
    size_t num_users;
    struct fs_wish *queue; /* config.max_queue and one to pre-empt */
    size_t num_queue;
    uint64_t next_age;
    struct fs_wish talk; /* talk.user: the talker */
    unsigned revoke_cause;
    unsigned c7, c20;
    uint16_t sequence;
    uint64_t at[MCX_FS_NUM_TIMERS]; /* UINT64_MAX = not running */
    struct fs_user *first_sender, *last_sender;
    uint32_t trail_id; /* who talked last, and until when what comes late is not held against him */
    uint64_t trail_until;
};

/* One step under way. */
struct fs_run {
    struct mcx_fsrv *srv;
    const struct mcx_fsrv_in *in;
    struct mcx_fsrv_out *out;
    struct fs_user *user; /* whom the event is about */
    bool implicit;        /* the request came with the INVITE */
    mcx_err err;          /* MCX_E_BUG: one table relies on a row that the other has not */
};

/* Events of the arbitration; before them the numbers of the timers. */
enum fs_event {
    EV_START = MCX_FS_NUM_TIMERS,
    EV_READY,
    EV_REQUEST,
    EV_RELEASE,
    EV_MEDIA,
    EV_ACK,
    EV_LEFT,
    EV_ALONE,
    EV_EMPTY,
    EV_CALL_TYPE,
    EV_END,
};
/* Events at the interface towards a participant. */
enum fs_user_event { UE_JOIN, UE_LEAVE, UE_REQUEST, UE_RELEASE, UE_POSITION, UE_ACK, UE_RTP, UE_T8, UE_NONE };

/* Condition of a row. */
struct fs_guard {
    bool (*holds)(const struct fs_run *r);
    const char *name;
};
#define ALWAYS   { NULL, NULL }
#define IF(f, s) { f, s }
bool fs_holds(const struct fs_guard *guard, const struct fs_run *r);
void fs_name_event(struct mcx_fsrv_row *out, const char *event, const struct fs_guard *when);

/* ---- floor_server_rules.c ---- */
struct fs_wish fs_wish_of(const struct fs_run *r);
bool fs_if_implicit(const struct fs_run *r);
bool fs_if_alone(const struct fs_run *r);
bool fs_if_receive_only(const struct fs_run *r);
bool fs_if_retry_later(const struct fs_run *r);
bool fs_if_pre_empts(const struct fs_run *r);
bool fs_if_queued(const struct fs_run *r);
bool fs_if_queueing(const struct fs_run *r);
bool fs_if_queue_full(const struct fs_run *r);
bool fs_if_may_wait(const struct fs_run *r);
bool fs_if_someone_waits(const struct fs_run *r);

/* ---- floor_server_call.c: the arbitration ---- */
/** @retval MCX_E_STATE no row: discarded (6.3.4.1) */
mcx_err fs_arbitrate(struct fs_run *r, int event);
bool fs_row(struct mcx_fsrv_row *out, size_t n);
/** What both tables do. */
void fs_nothing(struct fs_run *r);
void fs_queue_request(struct fs_run *r);
void fs_deny_receive_only(struct fs_run *r);
void fs_deny_retry_after(struct fs_run *r);
void fs_deny_another_talks(struct fs_run *r);
void fs_deny_queue_full(struct fs_run *r);

/* ---- floor_server_user.c: towards a participant ---- */
struct fs_user_row;
/** NULL: no row. */
const struct fs_user_row *fs_find_user_row(const struct fs_run *r, enum fs_user_state state, enum fs_user_event event);
mcx_err fs_take_user_row(struct fs_run *r, const struct fs_user_row *row);
bool fs_user_row(struct mcx_fsrv_row *out, size_t n);

/* ---- floor_server_users.c: participants and queue ---- */
struct fs_user *fs_user_find(const struct mcx_fsrv *srv, uint32_t id);
/** A participant that is not yet in the call. @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err fs_user_new(struct fs_user **out, const struct mcx_fsrv_participant *participant);
/** Room for one more. @retval MCX_E_SPACE @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err fs_users_reserve(struct mcx_fsrv *srv);
void fs_user_add(struct mcx_fsrv *srv, struct fs_user *user);
/** Out of table, queue and list; freed. */
void fs_user_remove(struct mcx_fsrv *srv, struct fs_user *user);
enum fs_user_state fs_user_state(const struct mcx_fsrv *srv, const struct fs_user *user);
/** In and out of "not permitted but sends media". */
void fs_sender_add(struct mcx_fsrv *srv, struct fs_user *user, uint64_t t8_at);
void fs_sender_remove(struct mcx_fsrv *srv, struct fs_user *user);

enum fs_rank fs_rank_of(uint16_t indicator);
/** Position from 1; 0 = not in the queue. */
size_t fs_queue_position(const struct mcx_fsrv *srv, const struct fs_user *user);
void fs_queue_remove(struct mcx_fsrv *srv, const struct fs_user *user);
/** Put in by front, rank, priority and age; a request that is there already only goes up. */
void fs_queue_put(struct mcx_fsrv *srv, struct fs_wish wish);
/** The call is no longer that urgent: no request is more so, and the order is made anew. */
void fs_queue_cap(struct mcx_fsrv *srv, enum fs_rank rank);

/* ---- floor_server_act.c: what is sent ---- */
void fs_note(struct fs_run *r, const char *note, uint32_t id, unsigned cause);
void fs_send_granted(struct fs_run *r);
void fs_send_taken(struct fs_run *r, const struct fs_user *to); /* NULL: to all but the talker */
void fs_send_idle(struct fs_run *r, const struct fs_user *to);  /* NULL: to all */
void fs_send_deny(struct fs_run *r, unsigned cause);
void fs_send_revoke(struct fs_run *r, const struct fs_user *to, unsigned cause);
void fs_send_position(struct fs_run *r);
void fs_send_ack(struct fs_run *r);
void fs_forward(struct fs_run *r, uint32_t id);
void fs_inactive(struct fs_run *r);
/** Row `n` of mcx_fsrv_row() is taken. */
void fs_took(struct fs_run *r, size_t n);

void fs_timer_start(struct fs_run *r, enum mcx_fsrv_timer timer);
void fs_timer_stop(struct fs_run *r, enum mcx_fsrv_timer timer);
void fs_timers_stop(struct fs_run *r);
/** now + length of the timer; UINT64_MAX when it is off. */
uint64_t fs_timer_end(const struct fs_run *r, enum mcx_fsrv_timer timer);

#endif
