/* SPDX-License-Identifier: Apache-2.0 */
/* The arbitration logic of a call: table and actions (TS 24.380 6.3.4). */
#include "proc/floor_server_int.h"

enum { FS_TRAIL_MS = 300 }; /* docs/DEVIATIONS.md "floor-trailing-media" */

static const char *const state_names[FS_NUM_STATES] = {
    [G_START_STOP] = "Start-stop", [G_INITIALISING] = "G: Floor Initialising", [G_IDLE] = "G: Floor Idle",
    [G_TAKEN] = "G: Floor Taken",  [G_REVOKE] = "G: pending Floor Revoke",     [G_RELEASING] = "Releasing",
};
static const char *const event_names[] = {
    [EV_START] = "call started",    [EV_READY] = "ready",        [EV_REQUEST] = "Floor Request",
    [EV_RELEASE] = "Floor Release", [EV_MEDIA] = "media",        [EV_ACK] = "Floor Ack",
    [EV_LEFT] = "talker left",      [EV_ALONE] = "talker alone", [EV_EMPTY] = "all left",
    [EV_CALL_TYPE] = "call type",   [EV_END] = "call ends",
};

static const char *event_name(int event)
{
    return event < MCX_FS_NUM_TIMERS ? mcx_fsrv_timer_info((enum mcx_fsrv_timer)event)->name : event_names[event];
}

static bool temporary_group(const struct fs_run *r)
{
    return r->srv->config.temporary_group;
}

static bool from_talker(const struct fs_run *r)
{
    return r->user == r->srv->talk.user;
}

static bool below_c7(const struct fs_run *r)
{
    return r->srv->c7 < r->srv->config.max_count[MCX_FS_T7];
}

static bool below_c20(const struct fs_run *r)
{
    return r->srv->c20 < r->srv->config.max_count[MCX_FS_T20];
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
    grant(r, fs_wish_of(r));
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
    struct fs_wish wish = fs_wish_of(r);

    wish.front = front;
    fs_queue_put(r->srv, wish);
    fs_note(r, "floor-queued", r->user->id, 0);
    if (fs_if_queueing(r)) {
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

void fs_queue_request(struct fs_run *r)
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

void fs_deny_receive_only(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_RECEIVE_ONLY);
}

void fs_deny_retry_after(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_RETRY_AFTER);
}

void fs_deny_another_talks(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_ANOTHER_TALKS);
}

void fs_deny_queue_full(struct fs_run *r)
{
    fs_send_deny(r, MCX_DENY_QUEUE_FULL);
}

void fs_nothing(struct fs_run *r)
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
    const char *clause; /* what follows 6.3.; "" = ours, docs/DEVIATIONS.md says why */
    enum fs_state state;
    int event; /* enum mcx_fsrv_timer or enum event */
    struct fs_guard when;
    enum fs_state next;
    void (*act)(struct fs_run *r);
    const char *what;
} rows[] = {
    /* 6.3.4.2 */
    { "4.2.2", G_START_STOP, EV_START, IF(temporary_group, "temporary group"), G_INITIALISING, fs_nothing, "" },
    { "4.2.2", G_START_STOP, EV_START, IF(fs_if_implicit, "implicit request"), G_TAKEN, grant_request,
      "Floor Granted to him; T1" },
    { "4.2.2", G_START_STOP, EV_START, ALWAYS, G_IDLE, become_idle, TO_IDLE },
    /* 6.3.4.3 */
    { "4.3.3", G_IDLE, EV_REQUEST, IF(fs_if_alone, "alone in the call"), G_IDLE, deny_alone, "Floor Deny #3" },
    { "4.3.3", G_IDLE, EV_REQUEST, IF(fs_if_receive_only, "receive only"), G_IDLE, fs_deny_receive_only,
      "Floor Deny #5" },
    { "", G_IDLE, EV_REQUEST, IF(fs_if_retry_later, "before T9"), G_IDLE, fs_deny_retry_after, "Floor Deny #4" },
    { "4.3.3", G_IDLE, EV_REQUEST, ALWAYS, G_TAKEN, grant_request,
      "Floor Granted to him, Floor Taken to all others; T1" },
    { "4.3.4", G_IDLE, MCX_FS_T7, IF(below_c7, "C7 below its limit"), G_IDLE, idle_again,
      "Floor Idle to all; C7 + 1, T7" },
    { "4.3.4", G_IDLE, MCX_FS_T7, ALWAYS, G_IDLE, fs_nothing, "" },
    { "4.3.5", G_IDLE, MCX_FS_T4, ALWAYS, G_IDLE, inactive, "the call may be released; T4" },
    { "", G_IDLE, EV_CALL_TYPE, ALWAYS, G_IDLE, set_call_type, "Floor Indicator from now on" },
    { "3", G_IDLE, EV_EMPTY, ALWAYS, G_START_STOP, stop, "" },
    { "4.6.2", G_IDLE, EV_END, ALWAYS, G_RELEASING, stop, "" },
    /* 6.3.4.4 */
    { "4.4.5", G_TAKEN, EV_MEDIA, ALWAYS, G_TAKEN, talks, "T2 unless it runs; T1 anew, no T20" },
    { "4.4.8", G_TAKEN, EV_REQUEST, IF(from_talker, "of the talker"), G_TAKEN, granted_again,
      "Floor Granted again, with what is left of T2" },
    { "4.4.7", G_TAKEN, EV_REQUEST, IF(fs_if_pre_empts, "pre-empts"), G_REVOKE, revoke_for_request,
      "Floor Revoke #4 to the talker; he waits in front of all; T3, T8" },
    { "4.4.6", G_TAKEN, EV_RELEASE, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "4.4.6", G_TAKEN, EV_RELEASE, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { "4.4.11", G_TAKEN, EV_LEFT, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "4.4.11", G_TAKEN, EV_LEFT, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { "4.4.3", G_TAKEN, MCX_FS_T1, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "4.4.3", G_TAKEN, MCX_FS_T1, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { "4.4.4", G_TAKEN, MCX_FS_T2, ALWAYS, G_REVOKE, revoke_too_long, "Floor Revoke #2 to the talker; T3, T8" },
    { "", G_TAKEN, EV_ALONE, ALWAYS, G_REVOKE, revoke_alone, "Floor Revoke #1 to the talker; T3, T8" },
    { "4.4.9", G_TAKEN, MCX_FS_T20, IF(below_c20, "C20 below its limit"), G_TAKEN, granted_repeat,
      "Floor Granted again; C20 + 1, T20" },
    { "4.4.10", G_TAKEN, MCX_FS_T20, ALWAYS, G_TAKEN, fs_nothing, "" },
    { "", G_TAKEN, EV_ACK, ALWAYS, G_TAKEN, arrived, "no T20" },
    { "", G_TAKEN, EV_CALL_TYPE, ALWAYS, G_TAKEN, set_call_type, "Floor Indicator from now on" },
    { "3", G_TAKEN, EV_EMPTY, ALWAYS, G_START_STOP, stop_forwarding, "" },
    { "4.6.2", G_TAKEN, EV_END, ALWAYS, G_RELEASING, stop_forwarding, "media of nobody" },
    /* 6.3.4.5 */
    { "4.5.3", G_REVOKE, EV_MEDIA, ALWAYS, G_REVOKE, note_ssrc, "T1 anew" },
    { "", G_REVOKE, EV_REQUEST, ALWAYS, G_REVOKE, queue_in_front, "he waits in front, by priority" },
    { "4.5.4", G_REVOKE, EV_RELEASE, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "4.5.4", G_REVOKE, EV_RELEASE, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { "3", G_REVOKE, EV_LEFT, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "3", G_REVOKE, EV_LEFT, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { "4.5.6", G_REVOKE, MCX_FS_T1, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "4.5.6", G_REVOKE, MCX_FS_T1, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { "4.5.5", G_REVOKE, MCX_FS_T3, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "4.5.5", G_REVOKE, MCX_FS_T3, ALWAYS, G_IDLE, end_burst, TO_IDLE },
    { "5.6.3", G_REVOKE, MCX_FS_T8, ALWAYS, G_REVOKE, revoke_again, "Floor Revoke again; T8" },
    { "", G_REVOKE, EV_CALL_TYPE, ALWAYS, G_REVOKE, set_call_type, "Floor Indicator from now on" },
    { "3", G_REVOKE, EV_EMPTY, ALWAYS, G_START_STOP, stop_forwarding, "" },
    { "4.6.2", G_REVOKE, EV_END, ALWAYS, G_RELEASING, stop_forwarding, "media of nobody" },
    /* 6.3.4.8 */
    { "4.8.4", G_INITIALISING, EV_READY, IF(fs_if_someone_waits, "somebody waits"), G_TAKEN, grant_head, TO_NEXT },
    { "4.8.4", G_INITIALISING, EV_READY, ALWAYS, G_IDLE, become_idle, TO_IDLE },
    { "", G_INITIALISING, EV_CALL_TYPE, ALWAYS, G_INITIALISING, set_call_type, "Floor Indicator from now on" },
    { "3", G_INITIALISING, EV_EMPTY, ALWAYS, G_START_STOP, stop, "" },
    { "4.6.2", G_INITIALISING, EV_END, ALWAYS, G_RELEASING, stop, "" },
    /* 6.3.4.7 */
    { "4.7.2", G_RELEASING, EV_EMPTY, ALWAYS, G_START_STOP, stop, "" },
};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

bool fs_holds(const struct fs_guard *guard, const struct fs_run *r)
{
    return guard->holds == NULL || guard->holds(r);
}

/* What has no row is discarded (6.3.4.1). */
mcx_err fs_arbitrate(struct fs_run *r, int event)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].state == r->srv->state && rows[i].event == event && fs_holds(&rows[i].when, r)) {
            fs_took(r, i);
            rows[i].act(r);
            r->srv->state = rows[i].next;
            return MCX_OK;
        }
    }
    return MCX_E_STATE;
}

bool fs_row(struct mcx_fsrv_row *out, size_t n)
{
    if (n >= NUM_ROWS) {
        return false;
    }
    out->clause = rows[n].clause;
    out->state = state_names[rows[n].state];
    out->next = state_names[rows[n].next];
    out->what = rows[n].what;
    fs_name_event(out, event_name(rows[n].event), &rows[n].when);
    return true;
}

size_t mcx_fsrv_num_arbitration_rows(void)
{
    return NUM_ROWS;
}

const char *mcx_fsrv_state(const struct mcx_fsrv *srv)
{
    return state_names[srv->state];
}
