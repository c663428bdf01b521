/* SPDX-License-Identifier: Apache-2.0 */
/* The floor control server: its two tables, what their rows do, and the step (TS 24.380 6.3.4, 6.3.5). */
#include "proc/floor_server_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    FS_QUEUE = 16,      /* requests that wait, when the configuration names no number */
    FS_QUEUE_MAX = 250, /* a position is one octet, and 254 and 255 mean something else (8.2.3.5) */
    FS_PRE_EMPT = 255,
    FS_TRAIL_MS = 300, /* docs/DEVIATIONS.md "floor-trailing-media" */
};

/* TS 24.380 11.1.3 and 11.2.3. T7 and T9 have no number there: docs/DEVIATIONS.md. */
static const struct mcx_fsrv_timer_info timers[MCX_FS_NUM_TIMERS] = {
    [MCX_FS_T1] = { "T1", 4000, 0, "end of RTP media: the talker sends nothing any more" },
    [MCX_FS_T2] = { "T2", 30000, 0, "stop talking: longest talk burst, from its first media on" },
    [MCX_FS_T3] = { "T3", 3000, 0, "stop talking grace: how long a revoked talker is still heard" },
    [MCX_FS_T4] = { "T4", 30000, 0, "inactivity: nobody has spoken for so long" },
    [MCX_FS_T7] = { "T7", 4000, 10, "Floor Idle is sent again" },
    [MCX_FS_T8] = { "T8", 1000, 3, "Floor Revoke is sent again" },
    [MCX_FS_T9] = { "T9", 0, 0, "retry-after: no request after a talk burst that was too long" },
    [MCX_FS_T20] = { "T20", 1000, 3, "Floor Granted is sent again" },
};

const struct mcx_fsrv_timer_info *mcx_fsrv_timer_info(enum mcx_fsrv_timer timer)
{
    return &timers[timer];
}

static const char *const state_names[FS_NUM_STATES] = {
    [G_START_STOP] = "Start-stop", [G_INITIALISING] = "G: Floor Initialising", [G_IDLE] = "G: Floor Idle",
    [G_TAKEN] = "G: Floor Taken",  [G_REVOKE] = "G: pending Floor Revoke",     [G_RELEASING] = "Releasing",
};
static const char *const user_state_names[FS_NUM_USER_STATES] = {
    [U_START_STOP] = "Start-stop",
    [U_INITIATING] = "U: not permitted and initiating",
    [U_IDLE] = "U: not permitted and Floor Idle",
    [U_TAKEN] = "U: not permitted and Floor Taken",
    [U_PERMITTED] = "U: permitted",
    [U_REVOKE] = "U: pending Floor Revoke",
    [U_SENDS_MEDIA] = "U: not permitted but sends media",
    [U_RELEASING] = "Releasing",
};

/* Events of the arbitration; the first eight are the timers. */
enum event {
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
    EV_END
};
static const char *const event_names[] = {
    "T1",
    "T2",
    "T3",
    "T4",
    "T7",
    "T8",
    "T9",
    "T20",
    "call started",
    "ready",
    "Floor Request",
    "Floor Release",
    "media",
    "Floor Ack",
    "talker left",
    "talker alone",
    "all left",
    "call type",
    "call ends",
};
/* Events at the interface towards a participant. */
enum user_event { UE_JOIN, UE_LEAVE, UE_REQUEST, UE_RELEASE, UE_POSITION, UE_ACK, UE_RTP, UE_T8, UE_NONE };
static const char *const user_event_names[] = {
    "joins", "leaves", "Floor Request", "Floor Release", "Floor Queue Position Request", "Floor Ack", "media", "T8"
};

/* ---- what a request is worth (4.1.1.4) ---- */

static bool has(const struct mcx_floor_msg *msg, enum mcx_floor_field field)
{
    return (msg->present & MCX_FF(field)) != 0;
}

/* Nobody is more urgent than the call is (docs/DEVIATIONS.md "floor-rank"). */
static enum fs_rank asked_rank(const struct fs_run *r)
{
    enum fs_rank of_call = fs_rank_of(r->srv->indicator);
    enum fs_rank asked = FS_NORMAL;

    if (r->implicit) {
        return of_call;
    }
    asked = has(r->in->msg, MCX_FF_INDICATOR) ? fs_rank_of(r->in->msg->indicator) : FS_NORMAL;
    return asked < of_call ? asked : of_call;
}

static uint8_t asked_priority(const struct fs_run *r)
{
    uint8_t asked = r->implicit || !has(r->in->msg, MCX_FF_PRIORITY) ? 0 : r->in->msg->priority;

    return asked < r->user->max_priority ? asked : r->user->max_priority;
}

static struct fs_wish wish_of(const struct fs_run *r)
{
    return (struct fs_wish){ .user = r->user, .rank = asked_rank(r), .priority = asked_priority(r) };
}

/* ---- guards: the first row whose guard holds is taken ---- */

static bool temporary_group(const struct fs_run *r)
{
    return r->srv->config.temporary_group;
}

static bool implicit(const struct fs_run *r)
{
    return r->implicit && !r->user->receive_only;
}

static bool alone(const struct fs_run *r)
{
    return r->srv->num_users == 1;
}

static bool receive_only(const struct fs_run *r)
{
    return r->user->receive_only;
}

static bool retry_later(const struct fs_run *r)
{
    return r->in->now_ms < r->user->retry_at;
}

static bool grantable(const struct fs_run *r)
{
    return !alone(r) && !receive_only(r) && !retry_later(r);
}

static bool from_talker(const struct fs_run *r)
{
    return r->user == r->srv->talk.user;
}

static bool queued(const struct fs_run *r)
{
    return fs_queue_position(r->srv, r->user) != 0;
}

/* 4.1.1.4: more urgent, or of a priority that pre-empts and that is higher than the talker's. One place beyond the
 * queue's length is for whom this is true, so that nobody is revoked for nothing. */
static bool pre_empts(const struct fs_run *r)
{
    const struct mcx_fsrv *srv = r->srv;
    struct fs_wish wish = wish_of(r);

    if (!queued(r) && srv->num_queue > srv->config.max_queue) {
        return false;
    }
    if (wish.rank != srv->talk.rank) {
        return wish.rank > srv->talk.rank && srv->config.pre_empt_emergency;
    }
    return wish.priority > srv->talk.priority && wish.priority >= srv->config.pre_empt_from;
}

static bool queueing(const struct fs_run *r)
{
    return r->srv->config.queueing && r->user->queueing;
}

static bool queue_full(const struct fs_run *r)
{
    return queueing(r) && r->srv->num_queue >= r->srv->config.max_queue;
}

static bool may_wait(const struct fs_run *r)
{
    return queueing(r) && !queue_full(r);
}

static bool someone_waits(const struct fs_run *r)
{
    return r->srv->num_queue > 0 && !alone(r);
}

static bool below_c7(const struct fs_run *r)
{
    return r->srv->c7 < timers[MCX_FS_T7].max_count;
}

static bool below_c20(const struct fs_run *r)
{
    return r->srv->c20 < timers[MCX_FS_T20].max_count;
}

static bool trailing(const struct fs_run *r)
{
    return r->user->id == r->srv->trail_id && r->in->now_ms < r->srv->trail_until;
}

static bool sends_on(const struct fs_run *r)
{
    return r->user->sent_since && r->user->num_revokes < timers[MCX_FS_T8].max_count;
}

static bool sends_on_and_on(const struct fs_run *r)
{
    return r->user->sent_since;
}

static bool call_not_begun(const struct fs_run *r)
{
    return r->srv->state == G_START_STOP;
}

static bool first_temporary(const struct fs_run *r)
{
    return call_not_begun(r) && temporary_group(r);
}

static bool first_implicit(const struct fs_run *r)
{
    return call_not_begun(r) && implicit(r);
}

static bool initialising(const struct fs_run *r)
{
    return r->srv->state == G_INITIALISING;
}

static bool initialising_implicit(const struct fs_run *r)
{
    return initialising(r) && implicit(r) && may_wait(r);
}

static bool nobody_speaks(const struct fs_run *r)
{
    return r->srv->state == G_IDLE;
}

static bool idle_implicit(const struct fs_run *r)
{
    return nobody_speaks(r) && implicit(r);
}

static bool somebody_speaks(const struct fs_run *r)
{
    return r->srv->state == G_TAKEN || r->srv->state == G_REVOKE;
}

static bool taken_pre_empts(const struct fs_run *r)
{
    return somebody_speaks(r) && implicit(r) && pre_empts(r);
}

static bool taken_implicit(const struct fs_run *r)
{
    return somebody_speaks(r) && implicit(r) && may_wait(r);
}

struct guard {
    bool (*holds)(const struct fs_run *r);
    const char *name;
};
#define ALWAYS                                                                                                         \
    {                                                                                                                  \
        NULL, NULL                                                                                                     \
    }
#define IF(f, s)                                                                                                       \
    {                                                                                                                  \
        f, s                                                                                                           \
    }

/* ---- what the arbitration does ---- */

/* The burst is over: whoever talked has no permission any more. */
static void end_talk(struct fs_run *r)
{
    struct mcx_fsrv *srv = r->srv;
    struct fs_user *talker = srv->talk.user;

    if (talker == NULL) {
        return;
    }
    if (srv->state == G_REVOKE && srv->revoke_cause == MCX_REVOKE_TOO_LONG &&
        srv->config.timer_ms[MCX_FS_T9] != UINT32_MAX) {
        talker->retry_at = fs_timer_end(r, MCX_FS_T9);
    }
    srv->trail_id = talker->id;
    srv->trail_until = r->in->now_ms + FS_TRAIL_MS;
    srv->talk = (struct fs_wish){ 0 };
}

/* 6.3.4.4.2. Who listens is told who speaks; the media may come before the Floor Granted has arrived. */
static void grant(struct fs_run *r, struct fs_wish wish)
{
    struct mcx_fsrv *srv = r->srv;

    end_talk(r);
    fs_timers_stop(r);
    fs_queue_remove(srv, wish.user);
    fs_sender_remove(srv, wish.user);
    srv->talk = wish;
    fs_forward(r, wish.user->id);
    fs_send_granted(r);
    fs_send_taken(r, NULL);
    fs_timer_start(r, MCX_FS_T1);
    fs_note(r, "floor-granted", wish.user->id, 0);
}

static void grant_request(struct fs_run *r)
{
    grant(r, wish_of(r));
}

static void grant_head(struct fs_run *r)
{
    grant(r, r->srv->queue[0]);
    r->srv->c20 = 1;
    fs_timer_start(r, MCX_FS_T20); /* he does not wait for an answer: the first may be lost */
}

static void become_idle(struct fs_run *r)
{
    fs_timers_stop(r);
    fs_send_idle(r, NULL);
    r->srv->c7 = 1;
    fs_timer_start(r, MCX_FS_T7);
    fs_timer_start(r, MCX_FS_T4);
}

/* Whoever waits here is alone in the call. */
static void deny_the_last(struct fs_run *r)
{
    struct fs_user *about = r->user;

    if (r->srv->num_queue > 0) {
        r->user = r->srv->queue[0].user;
        fs_queue_remove(r->srv, r->user);
        fs_send_deny(r, MCX_DENY_ALONE);
        r->user = about;
    }
}

/* 6.3.4.3.2 */
static void end_burst(struct fs_run *r)
{
    end_talk(r);
    fs_forward(r, 0);
    deny_the_last(r);
    become_idle(r);
    fs_note(r, "floor-idle", 0, 0);
}

/* 6.3.4.5.2 */
static void revoke(struct fs_run *r, unsigned cause)
{
    struct mcx_fsrv *srv = r->srv;

    fs_timers_stop(r);
    srv->revoke_cause = cause;
    fs_send_revoke(r, srv->talk.user, cause);
    fs_timer_start(r, MCX_FS_T3);
    fs_timer_start(r, MCX_FS_T8);
    fs_note(r, "floor-revoked", srv->talk.user->id, cause);
}

static void put_in_queue(struct fs_run *r, bool front)
{
    struct fs_wish wish = wish_of(r);

    wish.front = front;
    fs_queue_put(r->srv, wish);
    fs_note(r, "floor-queued", r->user->id, 0);
    if (queueing(r)) {
        fs_send_position(r); /* 6.3.4.4.7 2f: to who negotiated it */
    }
}

static void revoke_for_request(struct fs_run *r)
{
    revoke(r, MCX_REVOKE_PRE_EMPTED);
    put_in_queue(r, true);
}

static void queue_in_front(struct fs_run *r)
{
    put_in_queue(r, true);
}

static void queue_request(struct fs_run *r)
{
    put_in_queue(r, false);
}

static void revoke_too_long(struct fs_run *r)
{
    revoke(r, MCX_REVOKE_TOO_LONG);
}

static void revoke_alone(struct fs_run *r)
{
    revoke(r, MCX_REVOKE_ALONE);
}

static void revoke_again(struct fs_run *r)
{
    fs_send_revoke(r, r->srv->talk.user, r->srv->revoke_cause);
    fs_timer_start(r, MCX_FS_T8);
}

static void deny_alone(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_ALONE);
}

static void deny_receive_only(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_RECEIVE_ONLY);
}

static void deny_retry_after(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_RETRY_AFTER);
}

static void deny_another_talks(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_ANOTHER_TALKS);
}

static void deny_queue_full(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_QUEUE_FULL);
}

static void nothing(struct fs_run *r)
{
    (void)r;
}

static void idle_again(struct fs_run *r)
{
    fs_send_idle(r, NULL);
    r->srv->c7++;
    fs_timer_start(r, MCX_FS_T7);
}

static void inactive(struct fs_run *r)
{
    fs_inactive(r);
    fs_timer_start(r, MCX_FS_T4);
}

static void granted_again(struct fs_run *r)
{
    fs_send_granted(r);
}

static void granted_repeat(struct fs_run *r)
{
    fs_send_granted(r);
    r->srv->c20++;
    fs_timer_start(r, MCX_FS_T20);
}

static void arrived(struct fs_run *r)
{
    fs_timer_stop(r, MCX_FS_T20);
}

static void note_ssrc(struct fs_run *r)
{
    r->user->ssrc = r->in->ssrc;
    r->user->ssrc_known = true;
    fs_timer_start(r, MCX_FS_T1);
}

static void talks(struct fs_run *r)
{
    if (r->srv->at[MCX_FS_T2] == UINT64_MAX) {
        fs_timer_start(r, MCX_FS_T2);
    }
    note_ssrc(r);
    arrived(r);
}

static void set_call_type(struct fs_run *r)
{
    struct mcx_fsrv *srv = r->srv;
    enum fs_rank rank = fs_rank_of(r->in->indicator);

    srv->indicator = r->in->indicator;
    srv->talk.rank = srv->talk.rank > rank ? rank : srv->talk.rank;
    fs_queue_cap(srv, rank);
}

static void stop(struct fs_run *r)
{
    fs_timers_stop(r);
    r->srv->num_queue = 0;
    r->srv->talk = (struct fs_wish){ 0 };
    while (r->srv->first_sender != NULL) {
        fs_sender_remove(r->srv, r->srv->first_sender);
    }
}

static void stop_forwarding(struct fs_run *r)
{
    fs_forward(r, 0);
    stop(r);
}

#define TO_IDLE "Floor Idle to all; T4, T7"
#define TO_NEXT "Floor Granted to the head of the queue, Floor Taken to all others; T1, T20"

static const struct row {
    enum fs_state state;
    int event; /* enum mcx_fsrv_timer or enum event */
    struct guard when;
    enum fs_state next;
    void (*act)(struct fs_run *r);
    const char *what;
} rows[] = {
    /* 6.3.4.2 */
    { G_START_STOP, EV_START, IF(temporary_group, "temporary group"), G_INITIALISING, nothing, "" },
    { G_START_STOP, EV_START, IF(implicit, "implicit request"), G_TAKEN, grant_request, "Floor Granted to him; T1" },
    { G_START_STOP, EV_START, ALWAYS, G_IDLE, become_idle, TO_IDLE },
    /* 6.3.4.3 */
    { G_IDLE, EV_REQUEST, IF(alone, "alone in the call"), G_IDLE, deny_alone, "Floor Deny #3" },
    { G_IDLE, EV_REQUEST, IF(receive_only, "receive only"), G_IDLE, deny_receive_only, "Floor Deny #5" },
    { G_IDLE, EV_REQUEST, IF(retry_later, "before T9"), G_IDLE, deny_retry_after, "Floor Deny #4" },
    { G_IDLE, EV_REQUEST, ALWAYS, G_TAKEN, grant_request, "Floor Granted to him, Floor Taken to all others; T1" },
    { G_IDLE, MCX_FS_T7, IF(below_c7, "C7 below its limit"), G_IDLE, idle_again, "Floor Idle to all; C7 + 1, T7" },
    { G_IDLE, MCX_FS_T7, ALWAYS, G_IDLE, nothing, "" },
    { G_IDLE, MCX_FS_T4, ALWAYS, G_IDLE, inactive, "the call may be released; T4" },
    { G_IDLE, EV_CALL_TYPE, ALWAYS, G_IDLE, set_call_type, "Floor Indicator from now on" },
    { G_IDLE, EV_EMPTY, ALWAYS, G_START_STOP, stop, "" },
    { G_IDLE, EV_END, ALWAYS, G_RELEASING, stop, "" },
    /* 6.3.4.4 */
    { G_TAKEN, EV_MEDIA, ALWAYS, G_TAKEN, talks, "T2 unless it runs; T1 anew, no T20" },
    { G_TAKEN, EV_REQUEST, IF(from_talker, "of the talker"), G_TAKEN, granted_again,
      "Floor Granted again, with what is left of T2" },
    { G_TAKEN, EV_REQUEST, IF(pre_empts, "pre-empts"), G_REVOKE, revoke_for_request,
      "Floor Revoke #4 to the talker; he waits in front of all; T3, T8" },
    { G_TAKEN, EV_RELEASE, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_TAKEN, EV_RELEASE, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { G_TAKEN, EV_LEFT, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_TAKEN, EV_LEFT, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { G_TAKEN, MCX_FS_T1, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_TAKEN, MCX_FS_T1, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { G_TAKEN, MCX_FS_T2, ALWAYS, G_REVOKE, revoke_too_long, "Floor Revoke #2 to the talker; T3, T8" },
    { G_TAKEN, EV_ALONE, ALWAYS, G_REVOKE, revoke_alone, "Floor Revoke #1 to the talker; T3, T8" },
    { G_TAKEN, MCX_FS_T20, IF(below_c20, "C20 below its limit"), G_TAKEN, granted_repeat,
      "Floor Granted again; C20 + 1, T20" },
    { G_TAKEN, MCX_FS_T20, ALWAYS, G_TAKEN, nothing, "" },
    { G_TAKEN, EV_ACK, ALWAYS, G_TAKEN, arrived, "no T20" },
    { G_TAKEN, EV_CALL_TYPE, ALWAYS, G_TAKEN, set_call_type, "Floor Indicator from now on" },
    { G_TAKEN, EV_EMPTY, ALWAYS, G_START_STOP, stop_forwarding, "" },
    { G_TAKEN, EV_END, ALWAYS, G_RELEASING, stop_forwarding, "media of nobody" },
    /* 6.3.4.5 */
    { G_REVOKE, EV_MEDIA, ALWAYS, G_REVOKE, note_ssrc, "T1 anew" },
    { G_REVOKE, EV_REQUEST, ALWAYS, G_REVOKE, queue_in_front, "he waits in front, by priority" },
    { G_REVOKE, EV_RELEASE, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_REVOKE, EV_RELEASE, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { G_REVOKE, EV_LEFT, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_REVOKE, EV_LEFT, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { G_REVOKE, MCX_FS_T1, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_REVOKE, MCX_FS_T1, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { G_REVOKE, MCX_FS_T3, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_REVOKE, MCX_FS_T3, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { G_REVOKE, MCX_FS_T8, ALWAYS, G_REVOKE, revoke_again, "Floor Revoke again; T8" },
    { G_REVOKE, EV_CALL_TYPE, ALWAYS, G_REVOKE, set_call_type, "Floor Indicator from now on" },
    { G_REVOKE, EV_EMPTY, ALWAYS, G_START_STOP, stop_forwarding, "" },
    { G_REVOKE, EV_END, ALWAYS, G_RELEASING, stop_forwarding, "media of nobody" },
    /* 6.3.4.8 */
    { G_INITIALISING, EV_READY, IF(someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { G_INITIALISING, EV_READY, ALWAYS, G_IDLE, become_idle, TO_IDLE },
    { G_INITIALISING, EV_CALL_TYPE, ALWAYS, G_INITIALISING, set_call_type, "Floor Indicator from now on" },
    { G_INITIALISING, EV_EMPTY, ALWAYS, G_START_STOP, stop, "" },
    { G_INITIALISING, EV_END, ALWAYS, G_RELEASING, stop, "" },
    /* 6.3.4.7 */
    { G_RELEASING, EV_EMPTY, ALWAYS, G_START_STOP, stop, "" },
};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

static bool holds(const struct guard *guard, const struct fs_run *r)
{
    return guard->holds == NULL || guard->holds(r);
}

/* What has no row is discarded (6.3.4.1). */
static mcx_err arbitrate(struct fs_run *r, int event)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].state == r->srv->state && rows[i].event == event && holds(&rows[i].when, r)) {
            rows[i].act(r);
            r->srv->state = rows[i].next;
            return MCX_OK;
        }
    }
    return MCX_E_STATE;
}

/* ---- what is done towards one participant ---- */

/* The interface hands on only what the arbitration has a row for. */
static void ask(struct fs_run *r, int event)
{
    if (arbitrate(r, event) != MCX_OK) {
        r->err = MCX_E_BUG;
    }
}

static void ask_start(struct fs_run *r)
{
    ask(r, EV_START);
}

static void ask_request(struct fs_run *r)
{
    ask(r, EV_REQUEST);
}

static void ask_release(struct fs_run *r)
{
    ask(r, EV_RELEASE);
}

static void ask_media(struct fs_run *r)
{
    ask(r, EV_MEDIA);
}

static void ask_ack(struct fs_run *r)
{
    ask(r, EV_ACK);
}

static void tell_idle(struct fs_run *r)
{
    fs_queue_remove(r->srv, r->user);
    fs_send_idle(r, r->user);
}

static void tell_taken(struct fs_run *r)
{
    fs_queue_remove(r->srv, r->user);
    fs_send_taken(r, r->user);
}

static void tell_taken_and_ask(struct fs_run *r)
{
    fs_send_taken(r, r->user);
    ask(r, EV_REQUEST);
}

static void tell_taken_and_queue(struct fs_run *r)
{
    fs_send_taken(r, r->user);
    queue_request(r);
}

static void out_of_queue(struct fs_run *r)
{
    fs_queue_remove(r->srv, r->user);
}

static void send_no_permission(struct fs_run *r)
{
    r->user->num_revokes++;
    fs_send_revoke(r, r->user, MCX_REVOKE_NO_PERMISSION);
    fs_sender_add(r->srv, r->user, fs_timer_end(r, MCX_FS_T8));
}

static void catch_sender(struct fs_run *r)
{
    r->user->num_revokes = 0;
    send_no_permission(r);
    fs_note(r, "floor-media-without-permission", r->user->id, MCX_REVOKE_NO_PERMISSION);
}

static void watch_sender(struct fs_run *r)
{
    fs_sender_add(r->srv, r->user, fs_timer_end(r, MCX_FS_T8));
}

static void sender_sends(struct fs_run *r)
{
    r->user->sent_since = true;
}

static void forgive_sender(struct fs_run *r)
{
    fs_sender_remove(r->srv, r->user);
}

static void forgive_tell_idle(struct fs_run *r)
{
    fs_sender_remove(r->srv, r->user);
    tell_idle(r);
}

static void forgive_tell_taken(struct fs_run *r)
{
    fs_sender_remove(r->srv, r->user);
    tell_taken(r);
}

static void take_request(struct fs_run *r);
static void leave(struct fs_run *r);

static const struct user_row {
    enum fs_user_state state;
    enum user_event event;
    struct guard when;
    enum fs_user_state next;
    void (*act)(struct fs_run *r);
    const char *what;
} user_rows[] = {
    /* 6.3.5.2 */
    { U_START_STOP, UE_JOIN, IF(first_temporary, "first, temporary group"), U_INITIATING, ask_start, "arbitration" },
    { U_START_STOP, UE_JOIN, IF(first_implicit, "first, implicit request"), U_PERMITTED, ask_start, "arbitration" },
    { U_START_STOP, UE_JOIN, IF(call_not_begun, "first"), U_IDLE, ask_start, "arbitration" },
    { U_START_STOP, UE_JOIN, IF(initialising_implicit, "initialising, implicit request, place in the queue"),
      U_INITIATING, queue_request, "in the queue, Queue Position Info" },
    { U_START_STOP, UE_JOIN, IF(initialising, "initialising"), U_INITIATING, nothing, "" },
    { U_START_STOP, UE_JOIN, IF(idle_implicit, "nobody speaks, implicit request"), U_PERMITTED, ask_request,
      "arbitration" },
    { U_START_STOP, UE_JOIN, IF(nobody_speaks, "nobody speaks"), U_IDLE, tell_idle, "Floor Idle to him" },
    { U_START_STOP, UE_JOIN, IF(taken_pre_empts, "somebody speaks, implicit request that pre-empts"), U_TAKEN,
      tell_taken_and_ask, "Floor Taken to him, arbitration" },
    { U_START_STOP, UE_JOIN, IF(taken_implicit, "somebody speaks, implicit request, place in the queue"), U_TAKEN,
      tell_taken_and_queue, "Floor Taken to him; in the queue, Queue Position Info" },
    { U_START_STOP, UE_JOIN, IF(somebody_speaks, "somebody speaks"), U_TAKEN, tell_taken, "Floor Taken to him" },
    /* 6.3.5.3 */
    { U_IDLE, UE_REQUEST, IF(grantable, "may have the floor"), U_PERMITTED, ask_request, "arbitration" },
    { U_IDLE, UE_REQUEST, ALWAYS, U_IDLE, ask_request, "arbitration" },
    { U_IDLE, UE_RELEASE, ALWAYS, U_IDLE, tell_idle, "Floor Idle to him" },
    { U_IDLE, UE_RTP, IF(trailing, "right after his burst"), U_IDLE, nothing, "" },
    { U_IDLE, UE_RTP, ALWAYS, U_SENDS_MEDIA, catch_sender, "Floor Revoke #3; T8" },
    { U_IDLE, UE_ACK, ALWAYS, U_IDLE, nothing, "" },
    { U_IDLE, UE_LEAVE, ALWAYS, U_START_STOP, leave, "" },
    /* 6.3.5.4 */
    { U_TAKEN, UE_REQUEST, IF(receive_only, "receive only"), U_TAKEN, deny_receive_only, "Floor Deny #5" },
    { U_TAKEN, UE_REQUEST, IF(retry_later, "before T9"), U_TAKEN, deny_retry_after, "Floor Deny #4" },
    { U_TAKEN, UE_REQUEST, IF(pre_empts, "pre-empts"), U_TAKEN, ask_request, "arbitration" },
    { U_TAKEN, UE_REQUEST, IF(queued, "waits already"), U_TAKEN, queue_request,
      "goes up if it is more urgent now; Queue Position Info" },
    { U_TAKEN, UE_REQUEST, IF(queue_full, "queue full"), U_TAKEN, deny_queue_full, "Floor Deny #7" },
    { U_TAKEN, UE_REQUEST, IF(queueing, "queueing negotiated"), U_TAKEN, queue_request,
      "in the queue, Queue Position Info" },
    { U_TAKEN, UE_REQUEST, ALWAYS, U_TAKEN, deny_another_talks, "Floor Deny #1" },
    { U_TAKEN, UE_RELEASE, ALWAYS, U_TAKEN, tell_taken, "out of the queue, Floor Taken to him" },
    { U_TAKEN, UE_POSITION, ALWAYS, U_TAKEN, fs_send_position, "Queue Position Info; 254 when he does not wait" },
    { U_TAKEN, UE_RTP, IF(trailing, "right after his burst"), U_TAKEN, nothing, "" },
    { U_TAKEN, UE_RTP, ALWAYS, U_SENDS_MEDIA, catch_sender, "Floor Revoke #3; T8" },
    { U_TAKEN, UE_ACK, ALWAYS, U_TAKEN, nothing, "" },
    { U_TAKEN, UE_LEAVE, ALWAYS, U_START_STOP, leave, "out of the queue; arbitration" },
    /* 6.3.5.5 */
    { U_PERMITTED, UE_REQUEST, ALWAYS, U_PERMITTED, ask_request, "arbitration" },
    { U_PERMITTED, UE_RELEASE, IF(someone_waits, "somebody waits"), U_TAKEN, ask_release, "arbitration" },
    { U_PERMITTED, UE_RELEASE, ALWAYS, U_IDLE, ask_release, "arbitration" },
    { U_PERMITTED, UE_RTP, ALWAYS, U_PERMITTED, ask_media, "arbitration" },
    { U_PERMITTED, UE_ACK, ALWAYS, U_PERMITTED, ask_ack, "arbitration" },
    { U_PERMITTED, UE_LEAVE, ALWAYS, U_START_STOP, leave, "arbitration" },
    /* 6.3.5.6 */
    { U_REVOKE, UE_RELEASE, IF(someone_waits, "somebody waits"), U_TAKEN, ask_release, "arbitration" },
    { U_REVOKE, UE_RELEASE, ALWAYS, U_IDLE, ask_release, "arbitration" },
    { U_REVOKE, UE_RTP, ALWAYS, U_REVOKE, ask_media, "arbitration" },
    { U_REVOKE, UE_ACK, ALWAYS, U_REVOKE, nothing, "" },
    { U_REVOKE, UE_LEAVE, ALWAYS, U_START_STOP, leave, "arbitration" },
    /* 6.3.5.7 */
    { U_SENDS_MEDIA, UE_RTP, ALWAYS, U_SENDS_MEDIA, sender_sends, "" },
    { U_SENDS_MEDIA, UE_T8, IF(sends_on, "he sends on"), U_SENDS_MEDIA, send_no_permission,
      "Floor Revoke #3 again; T8" },
    { U_SENDS_MEDIA, UE_T8, IF(sends_on_and_on, "he sends on, told often enough"), U_SENDS_MEDIA, watch_sender, "T8" },
    { U_SENDS_MEDIA, UE_T8, IF(nobody_speaks, "he has stopped, nobody speaks"), U_IDLE, forgive_sender, "" },
    { U_SENDS_MEDIA, UE_T8, ALWAYS, U_TAKEN, forgive_sender, "" },
    { U_SENDS_MEDIA, UE_RELEASE, IF(nobody_speaks, "nobody speaks"), U_IDLE, forgive_tell_idle, "Floor Idle to him" },
    { U_SENDS_MEDIA, UE_RELEASE, ALWAYS, U_TAKEN, forgive_tell_taken, "out of the queue, Floor Taken to him" },
    { U_SENDS_MEDIA, UE_REQUEST, IF(nobody_speaks, "nobody speaks"), U_IDLE, take_request, "then as in that state" },
    { U_SENDS_MEDIA, UE_REQUEST, ALWAYS, U_TAKEN, take_request, "then as in that state" },
    { U_SENDS_MEDIA, UE_POSITION, ALWAYS, U_SENDS_MEDIA, fs_send_position,
      "Queue Position Info; 254 when he does not wait" },
    { U_SENDS_MEDIA, UE_ACK, ALWAYS, U_SENDS_MEDIA, nothing, "" },
    { U_SENDS_MEDIA, UE_LEAVE, ALWAYS, U_START_STOP, leave, "out of the queue; arbitration" },
    /* 6.3.5.10 */
    { U_INITIATING, UE_REQUEST, IF(receive_only, "receive only"), U_INITIATING, deny_receive_only, "Floor Deny #5" },
    { U_INITIATING, UE_REQUEST, IF(queued, "waits already"), U_INITIATING, queue_request,
      "goes up if it is more urgent now; Queue Position Info" },
    { U_INITIATING, UE_REQUEST, IF(queue_full, "queue full"), U_INITIATING, deny_queue_full, "Floor Deny #7" },
    { U_INITIATING, UE_REQUEST, IF(queueing, "queueing negotiated"), U_INITIATING, queue_request,
      "in the queue, Queue Position Info" },
    { U_INITIATING, UE_REQUEST, ALWAYS, U_INITIATING, deny_another_talks, "Floor Deny #1" },
    { U_INITIATING, UE_RELEASE, ALWAYS, U_INITIATING, out_of_queue, "out of the queue" },
    { U_INITIATING, UE_POSITION, ALWAYS, U_INITIATING, fs_send_position,
      "Queue Position Info; 254 when he does not wait" },
    { U_INITIATING, UE_ACK, ALWAYS, U_INITIATING, nothing, "" },
    { U_INITIATING, UE_LEAVE, ALWAYS, U_START_STOP, leave, "out of the queue; arbitration" },
    /* 6.3.5.9 */
    { U_RELEASING, UE_ACK, ALWAYS, U_RELEASING, nothing, "" },
    { U_RELEASING, UE_LEAVE, ALWAYS, U_START_STOP, leave, "" },
};
#define NUM_USER_ROWS (sizeof user_rows / sizeof user_rows[0])

static const struct user_row *find_user_row(const struct fs_run *r, enum fs_user_state state, enum user_event event)
{
    for (size_t i = 0; i < NUM_USER_ROWS; i++) {
        if (user_rows[i].state == state && user_rows[i].event == event && holds(&user_rows[i].when, r)) {
            return &user_rows[i];
        }
    }
    return NULL;
}

/* That it asks shows that it does not go on sending: docs/DEVIATIONS.md "floor-request-ends-media". */
static void take_request(struct fs_run *r)
{
    const struct user_row *row = NULL;

    fs_sender_remove(r->srv, r->user);
    row = find_user_row(r, fs_user_state(r->srv, r->user), UE_REQUEST);
    row->act(r); /* a request has rows in both states */
}

/* Step 1 and step 2 of the release (6.3.3) at once: the caller says only that he is gone. */
static void leave(struct fs_run *r)
{
    struct mcx_fsrv *srv = r->srv;
    bool talked = from_talker(r);

    fs_user_remove(srv, r->user);
    r->user = NULL;
    if (srv->num_users == 0) {
        ask(r, EV_EMPTY);
    } else if (talked) {
        ask(r, EV_LEFT);
    } else if (srv->num_users == 1 && srv->state == G_TAKEN) {
        ask(r, EV_ALONE);
    }
}

static void name_event(char *out, size_t cap, const char *event, const struct guard *when)
{
    size_t len = strlen(event);

    memset(out, 0, cap);
    memcpy(out, event, len);
    if (when->name != NULL) {
        memcpy(out + len, ", ", 2);
        strncpy(out + len + 2, when->name, cap - len - 3);
    }
}

bool mcx_fsrv_row(struct mcx_fsrv_row *out, size_t n)
{
    if (n < NUM_ROWS) {
        out->state = state_names[rows[n].state];
        out->next = state_names[rows[n].next];
        out->what = rows[n].what;
        name_event(out->event, sizeof out->event, event_names[rows[n].event], &rows[n].when);
        return true;
    }
    n -= NUM_ROWS;
    if (n >= NUM_USER_ROWS) {
        return false;
    }
    out->state = user_state_names[user_rows[n].state];
    out->next = user_state_names[user_rows[n].next];
    out->what = user_rows[n].what;
    name_event(out->event, sizeof out->event, user_event_names[user_rows[n].event], &user_rows[n].when);
    return true;
}

size_t mcx_fsrv_num_arbitration_rows(void)
{
    return NUM_ROWS;
}

/* ---- the step ---- */

static enum user_event event_of(const struct mcx_floor_msg *msg)
{
    switch (msg->type) {
    case MCX_FLOOR_REQUEST: return UE_REQUEST;
    case MCX_FLOOR_RELEASE: return UE_RELEASE;
    case MCX_FLOOR_QUEUE_POSITION_REQUEST: return UE_POSITION;
    case MCX_FLOOR_ACK: return UE_ACK;
    default: return UE_NONE; /* what a server sends, or what is not implemented */
    }
}

static mcx_err take_user_row(struct fs_run *r, const struct user_row *row)
{
    row->act(r);
    if (r->user != NULL && row->act != take_request && fs_user_state(r->srv, r->user) != row->next) {
        return MCX_E_BUG; /* the table does not say what happens */
    }
    return r->err;
}

static mcx_err user_step(struct fs_run *r, enum user_event event)
{
    const struct user_row *row = NULL;

    r->user = fs_user_find(r->srv, r->in->id);
    if (r->user == NULL) {
        return MCX_E_STATE;
    }
    row = find_user_row(r, fs_user_state(r->srv, r->user), event);
    if (row == NULL) {
        return MCX_E_STATE;
    }
    if (event != UE_ACK && r->in->event == MCX_FS_RX && r->in->msg->ack_wanted) {
        fs_send_ack(r); /* 6.3.5.3.7, 6.3.5.4.5, 6.3.5.5.3 */
    }
    return take_user_row(r, row);
}

static mcx_err join_step(struct fs_run *r)
{
    const struct mcx_fsrv_participant *participant = r->in->participant;
    const struct user_row *row = NULL;
    mcx_err err = MCX_OK;

    if (participant == NULL || participant->id == 0 || participant->mcptt_id == NULL) {
        return MCX_E_ARG;
    }
    if (fs_user_find(r->srv, participant->id) != NULL) {
        return MCX_E_STATE;
    }
    MCX_TRY(fs_user_new(&r->user, participant));
    r->implicit = r->in->implicit_request;
    row = find_user_row(r, U_START_STOP, UE_JOIN);
    err = row != NULL ? fs_users_reserve(r->srv) : MCX_E_STATE;
    if (err != MCX_OK) {
        free(r->user);
        return err;
    }
    fs_user_add(r->srv, r->user);
    return take_user_row(r, row);
}

/* The first timer that is over; one a step, so that what a step does stays bounded. */
static mcx_err tick_step(struct fs_run *r)
{
    struct mcx_fsrv *srv = r->srv;
    struct fs_user *sender = srv->first_sender;
    int first = 0;

    for (int i = 1; i < MCX_FS_NUM_TIMERS; i++) {
        first = srv->at[i] < srv->at[first] ? i : first;
    }
    if (sender != NULL && sender->t8_at < srv->at[first] && sender->t8_at <= r->in->now_ms) {
        r->user = sender;
        return take_user_row(r, find_user_row(r, U_SENDS_MEDIA, UE_T8));
    }
    if (srv->at[first] > r->in->now_ms) {
        return MCX_OK;
    }
    fs_timer_stop(r, (enum mcx_fsrv_timer)first);
    return arbitrate(r, first);
}

mcx_err mcx_fsrv_step(struct mcx_fsrv *srv, const struct mcx_fsrv_in *in, struct mcx_fsrv_out *out)
{
    struct fs_run r = { .srv = srv, .in = in, .out = out };

    out->num = 0;
    switch (in->event) {
    case MCX_FS_JOIN: return join_step(&r);
    case MCX_FS_LEAVE: return user_step(&r, UE_LEAVE);
    case MCX_FS_RX: return user_step(&r, event_of(in->msg));
    case MCX_FS_RTP: return user_step(&r, UE_RTP);
    case MCX_FS_READY: return arbitrate(&r, EV_READY);
    case MCX_FS_CALL_TYPE: return arbitrate(&r, EV_CALL_TYPE);
    case MCX_FS_TICK: return tick_step(&r);
    case MCX_FS_END: return arbitrate(&r, EV_END);
    default: return MCX_E_ARG;
    }
}

uint64_t mcx_fsrv_deadline(const struct mcx_fsrv *srv)
{
    uint64_t first = srv->first_sender != NULL ? srv->first_sender->t8_at : UINT64_MAX;

    for (int i = 0; i < MCX_FS_NUM_TIMERS; i++) {
        first = srv->at[i] < first ? srv->at[i] : first;
    }
    return first;
}

bool mcx_fsrv_may_talk(const struct mcx_fsrv *srv, uint32_t id)
{
    return srv->talk.user != NULL && srv->talk.user->id == id;
}

uint32_t mcx_fsrv_talker(const struct mcx_fsrv *srv)
{
    return srv->talk.user != NULL ? srv->talk.user->id : 0;
}

size_t mcx_fsrv_num_waiting(const struct mcx_fsrv *srv)
{
    return srv->num_queue;
}

size_t mcx_fsrv_position(const struct mcx_fsrv *srv, uint32_t id)
{
    const struct fs_user *user = fs_user_find(srv, id);

    return user != NULL ? fs_queue_position(srv, user) : 0;
}

const char *mcx_fsrv_state(const struct mcx_fsrv *srv)
{
    return state_names[srv->state];
}

const char *mcx_fsrv_participant_state(const struct mcx_fsrv *srv, uint32_t id)
{
    const struct fs_user *user = fs_user_find(srv, id);

    return user_state_names[user != NULL ? fs_user_state(srv, user) : U_START_STOP];
}

/* ---- life ---- */

static void config_take(struct mcx_fsrv *srv, const struct mcx_fsrv_config *config)
{
    srv->config = *config;
    srv->config.max_queue = config->max_queue == 0 ? FS_QUEUE : config->max_queue;
    srv->config.pre_empt_from = config->pre_empt_from == 0 ? FS_PRE_EMPT : config->pre_empt_from;
    srv->indicator = config->indicator == 0 ? MCX_FI_NORMAL : config->indicator;
    for (int i = 0; i < MCX_FS_NUM_TIMERS; i++) {
        uint32_t ms = config->timer_ms[i] == 0 ? timers[i].default_ms : config->timer_ms[i];

        srv->config.timer_ms[i] = ms == 0 ? UINT32_MAX : ms;
        srv->at[i] = UINT64_MAX;
    }
}

mcx_err mcx_fsrv_new(struct mcx_fsrv **out, const struct mcx_fsrv_config *config)
{
    struct mcx_fsrv *srv = NULL;

    if (config->max_queue > FS_QUEUE_MAX) {
        return MCX_E_ARG;
    }
    srv = calloc(1, sizeof *srv);
    if (srv == NULL) {
        return MCX_E_NOMEM;
    }
    config_take(srv, config);
    srv->queue = calloc(srv->config.max_queue + 1, sizeof srv->queue[0]);
    if (srv->queue == NULL) {
        free(srv);
        return MCX_E_NOMEM;
    }
    *out = srv;
    return MCX_OK;
}

void mcx_fsrv_free(struct mcx_fsrv *srv)
{
    if (srv == NULL) {
        return;
    }
    for (size_t i = 0; i < srv->num_slots; i++) {
        free(srv->slot[i]);
    }
    free(srv->slot);
    free(srv->queue);
    free(srv);
}
