/* SPDX-License-Identifier: Apache-2.0 */
/* The side of the floor control server towards each participant: table and actions (TS 24.380 6.3.5). */
#include "proc/floor_server_int.h"

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

static const char *const user_event_names[] = {
    "joins", "leaves", "Floor Request", "Floor Release", "Floor Queue Position Request", "Floor Ack", "media", "T8"
};

/* ---- conditions: the first row whose condition holds is taken ---- */

static bool grantable(const struct fs_run *r)
{
    return !fs_if_alone(r) && !fs_if_receive_only(r) && !fs_if_retry_later(r);
}

static bool trailing(const struct fs_run *r)
{
    return r->user->id == r->srv->trail_id && r->in->now_ms < r->srv->trail_until;
}

static bool sends_on(const struct fs_run *r)
{
    return r->user->sent_since && r->user->num_revokes < r->srv->config.max_count[MCX_FS_T8];
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
    return call_not_begun(r) && r->srv->config.temporary_group;
}

static bool first_implicit(const struct fs_run *r)
{
    return call_not_begun(r) && fs_if_implicit(r);
}

static bool initialising(const struct fs_run *r)
{
    return r->srv->state == G_INITIALISING;
}

static bool initialising_implicit(const struct fs_run *r)
{
    return initialising(r) && fs_if_implicit(r) && fs_if_may_wait(r);
}

static bool nobody_speaks(const struct fs_run *r)
{
    return r->srv->state == G_IDLE;
}

static bool idle_implicit(const struct fs_run *r)
{
    return nobody_speaks(r) && fs_if_implicit(r);
}

static bool somebody_speaks(const struct fs_run *r)
{
    return r->srv->state == G_TAKEN || r->srv->state == G_REVOKE;
}

static bool taken_implicit(const struct fs_run *r)
{
    return somebody_speaks(r) && fs_if_implicit(r) && fs_if_may_wait(r);
}

/* ---- what is done towards one participant ---- */

/* The interface hands on only what the arbitration has a row for. */
static void ask(struct fs_run *r, int event)
{
    if (fs_arbitrate(r, event) != MCX_OK) {
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

static void tell_taken_and_queue(struct fs_run *r)
{
    fs_send_taken(r, r->user);
    fs_queue_request(r);
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

static const struct fs_user_row {
    const char *clause; /* as in the table of the arbitration */
    enum fs_user_state state;
    enum fs_user_event event;
    struct fs_guard when;
    enum fs_user_state next;
    void (*act)(struct fs_run *r);
    const char *what;
} user_rows[] = {
    /* 6.3.5.2 */
    { "5.2.2", U_START_STOP, UE_JOIN, IF(first_temporary, "first, temporary group"), U_INITIATING, ask_start,
      "arbitration" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(first_implicit, "first, implicit request"), U_PERMITTED, ask_start,
      "arbitration" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(call_not_begun, "first"), U_IDLE, ask_start, "arbitration" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(initialising_implicit, "initialising, implicit request, place in the queue"),
      U_INITIATING, fs_queue_request, "in the queue, Queue Position Info" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(initialising, "initialising"), U_INITIATING, fs_nothing, "" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(idle_implicit, "nobody speaks, implicit request"), U_PERMITTED, ask_request,
      "arbitration" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(nobody_speaks, "nobody speaks"), U_IDLE, tell_idle, "Floor Idle to him" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(taken_implicit, "somebody speaks, implicit request, place in the queue"),
      U_TAKEN, tell_taken_and_queue, "Floor Taken to him; in the queue, Queue Position Info" },
    { "5.2.2", U_START_STOP, UE_JOIN, IF(somebody_speaks, "somebody speaks"), U_TAKEN, tell_taken,
      "Floor Taken to him" },
    /* 6.3.5.3 */
    { "5.3.4", U_IDLE, UE_REQUEST, IF(grantable, "may have the floor"), U_PERMITTED, ask_request, "arbitration" },
    { "5.3.4", U_IDLE, UE_REQUEST, ALWAYS, U_IDLE, ask_request, "arbitration" },
    { "5.3.7", U_IDLE, UE_RELEASE, ALWAYS, U_IDLE, tell_idle, "Floor Idle to him" },
    { "", U_IDLE, UE_RTP, IF(trailing, "right after his burst"), U_IDLE, fs_nothing, "" },
    { "5.3.8", U_IDLE, UE_RTP, ALWAYS, U_SENDS_MEDIA, catch_sender, "Floor Revoke #3; T8" },
    { "5.3.5", U_IDLE, UE_ACK, ALWAYS, U_IDLE, fs_nothing, "" },
    { "3", U_IDLE, UE_LEAVE, ALWAYS, U_START_STOP, leave, "" },
    /* 6.3.5.4 */
    { "5.4.4", U_TAKEN, UE_REQUEST, IF(fs_if_receive_only, "receive only"), U_TAKEN, fs_deny_receive_only,
      "Floor Deny #5" },
    { "", U_TAKEN, UE_REQUEST, IF(fs_if_retry_later, "before T9"), U_TAKEN, fs_deny_retry_after, "Floor Deny #4" },
    { "5.4.4", U_TAKEN, UE_REQUEST, IF(fs_if_pre_empts, "pre-empts"), U_TAKEN, ask_request, "arbitration" },
    { "5.4.4", U_TAKEN, UE_REQUEST, IF(fs_if_queued, "waits already"), U_TAKEN, fs_queue_request,
      "goes up if it is more urgent now; Queue Position Info" },
    { "5.4.4", U_TAKEN, UE_REQUEST, IF(fs_if_queue_full, "queue full"), U_TAKEN, fs_deny_queue_full, "Floor Deny #7" },
    { "5.4.4", U_TAKEN, UE_REQUEST, IF(fs_if_queueing, "queueing negotiated"), U_TAKEN, fs_queue_request,
      "in the queue, Queue Position Info" },
    { "5.4.4", U_TAKEN, UE_REQUEST, ALWAYS, U_TAKEN, fs_deny_another_talks, "Floor Deny #1" },
    { "5.4.5", U_TAKEN, UE_RELEASE, ALWAYS, U_TAKEN, tell_taken, "out of the queue, Floor Taken to him" },
    { "5.4.7", U_TAKEN, UE_POSITION, ALWAYS, U_TAKEN, fs_send_position,
      "Queue Position Info; 254 when he does not wait" },
    { "", U_TAKEN, UE_RTP, IF(trailing, "right after his burst"), U_TAKEN, fs_nothing, "" },
    { "5.4.6", U_TAKEN, UE_RTP, ALWAYS, U_SENDS_MEDIA, catch_sender, "Floor Revoke #3; T8" },
    { "", U_TAKEN, UE_ACK, ALWAYS, U_TAKEN, fs_nothing, "" },
    { "3", U_TAKEN, UE_LEAVE, ALWAYS, U_START_STOP, leave, "out of the queue; arbitration" },
    /* 6.3.5.5 */
    { "5.5", U_PERMITTED, UE_REQUEST, ALWAYS, U_PERMITTED, ask_request, "arbitration" },
    { "5.5.3", U_PERMITTED, UE_RELEASE, IF(fs_if_someone_waits, "somebody waits"), U_TAKEN, ask_release,
      "arbitration" },
    { "5.5.3", U_PERMITTED, UE_RELEASE, ALWAYS, U_IDLE, ask_release, "arbitration" },
    { "5.5", U_PERMITTED, UE_RTP, ALWAYS, U_PERMITTED, ask_media, "arbitration" },
    { "", U_PERMITTED, UE_ACK, ALWAYS, U_PERMITTED, ask_ack, "arbitration" },
    { "3", U_PERMITTED, UE_LEAVE, ALWAYS, U_START_STOP, leave, "arbitration" },
    /* 6.3.5.6 */
    { "5.6", U_REVOKE, UE_RELEASE, IF(fs_if_someone_waits, "somebody waits"), U_TAKEN, ask_release, "arbitration" },
    { "5.6", U_REVOKE, UE_RELEASE, ALWAYS, U_IDLE, ask_release, "arbitration" },
    { "5.6", U_REVOKE, UE_RTP, ALWAYS, U_REVOKE, ask_media, "arbitration" },
    { "", U_REVOKE, UE_ACK, ALWAYS, U_REVOKE, fs_nothing, "" },
    { "3", U_REVOKE, UE_LEAVE, ALWAYS, U_START_STOP, leave, "arbitration" },
    /* 6.3.5.7 */
    { "5.7", U_SENDS_MEDIA, UE_RTP, ALWAYS, U_SENDS_MEDIA, sender_sends, "" },
    { "5.7.3", U_SENDS_MEDIA, UE_T8, IF(sends_on, "he sends on"), U_SENDS_MEDIA, send_no_permission,
      "Floor Revoke #3 again; T8" },
    { "5.7.3", U_SENDS_MEDIA, UE_T8, IF(sends_on_and_on, "he sends on, told often enough"), U_SENDS_MEDIA, watch_sender,
      "T8" },
    { "", U_SENDS_MEDIA, UE_T8, IF(nobody_speaks, "he has stopped, nobody speaks"), U_IDLE, forgive_sender, "" },
    { "", U_SENDS_MEDIA, UE_T8, ALWAYS, U_TAKEN, forgive_sender, "" },
    { "5.7.4", U_SENDS_MEDIA, UE_RELEASE, IF(nobody_speaks, "nobody speaks"), U_IDLE, forgive_tell_idle,
      "Floor Idle to him" },
    { "5.7.4", U_SENDS_MEDIA, UE_RELEASE, ALWAYS, U_TAKEN, forgive_tell_taken, "out of the queue, Floor Taken to him" },
    { "", U_SENDS_MEDIA, UE_REQUEST, IF(nobody_speaks, "nobody speaks"), U_IDLE, take_request,
      "then as in that state" },
    { "", U_SENDS_MEDIA, UE_REQUEST, ALWAYS, U_TAKEN, take_request, "then as in that state" },
    { "", U_SENDS_MEDIA, UE_POSITION, ALWAYS, U_SENDS_MEDIA, fs_send_position,
      "Queue Position Info; 254 when he does not wait" },
    { "", U_SENDS_MEDIA, UE_ACK, ALWAYS, U_SENDS_MEDIA, fs_nothing, "" },
    { "3", U_SENDS_MEDIA, UE_LEAVE, ALWAYS, U_START_STOP, leave, "out of the queue; arbitration" },
    /* 6.3.5.10 */
    { "5.10", U_INITIATING, UE_REQUEST, IF(fs_if_receive_only, "receive only"), U_INITIATING, fs_deny_receive_only,
      "Floor Deny #5" },
    { "5.10", U_INITIATING, UE_REQUEST, IF(fs_if_queued, "waits already"), U_INITIATING, fs_queue_request,
      "goes up if it is more urgent now; Queue Position Info" },
    { "5.10", U_INITIATING, UE_REQUEST, IF(fs_if_queue_full, "queue full"), U_INITIATING, fs_deny_queue_full,
      "Floor Deny #7" },
    { "5.10", U_INITIATING, UE_REQUEST, IF(fs_if_queueing, "queueing negotiated"), U_INITIATING, fs_queue_request,
      "in the queue, Queue Position Info" },
    { "5.10", U_INITIATING, UE_REQUEST, ALWAYS, U_INITIATING, fs_deny_another_talks, "Floor Deny #1" },
    { "5.10", U_INITIATING, UE_RELEASE, ALWAYS, U_INITIATING, out_of_queue, "out of the queue" },
    { "", U_INITIATING, UE_POSITION, ALWAYS, U_INITIATING, fs_send_position,
      "Queue Position Info; 254 when he does not wait" },
    { "", U_INITIATING, UE_ACK, ALWAYS, U_INITIATING, fs_nothing, "" },
    { "3", U_INITIATING, UE_LEAVE, ALWAYS, U_START_STOP, leave, "out of the queue; arbitration" },
    /* 6.3.5.9 */
    { "", U_RELEASING, UE_ACK, ALWAYS, U_RELEASING, fs_nothing, "" },
    { "5.9.2", U_RELEASING, UE_LEAVE, ALWAYS, U_START_STOP, leave, "" },
};
#define NUM_USER_ROWS (sizeof user_rows / sizeof user_rows[0])

const struct fs_user_row *fs_find_user_row(const struct fs_run *r, enum fs_user_state state, enum fs_user_event event)
{
    for (size_t i = 0; i < NUM_USER_ROWS; i++) {
        if (user_rows[i].state == state && user_rows[i].event == event && fs_holds(&user_rows[i].when, r)) {
            return &user_rows[i];
        }
    }
    return NULL;
}

/* That it asks shows that it does not go on sending: docs/DEVIATIONS.md "floor-request-ends-media". */
static void take_request(struct fs_run *r)
{
    const struct fs_user_row *row = NULL;

    fs_sender_remove(r->srv, r->user);
    row = fs_find_user_row(r, fs_user_state(r->srv, r->user), UE_REQUEST);
    fs_took(r, mcx_fsrv_num_arbitration_rows() + (size_t)(row - user_rows));
    row->act(r); /* a request has rows in both states */
}

/* Step 1 and step 2 of the release (6.3.3) at once: the caller says only that he is gone. */
static void leave(struct fs_run *r)
{
    struct mcx_fsrv *srv = r->srv;
    bool talked = r->user == srv->talk.user;

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

mcx_err fs_take_user_row(struct fs_run *r, const struct fs_user_row *row)
{
    fs_took(r, mcx_fsrv_num_arbitration_rows() + (size_t)(row - user_rows));
    row->act(r);
    if (r->user != NULL && row->act != take_request && fs_user_state(r->srv, r->user) != row->next) {
        return MCX_E_BUG; /* the table does not say what happens */
    }
    return r->err;
}

bool fs_user_row(struct mcx_fsrv_row *out, size_t n)
{
    if (n >= NUM_USER_ROWS) {
        return false;
    }
    out->clause = user_rows[n].clause;
    out->state = user_state_names[user_rows[n].state];
    out->next = user_state_names[user_rows[n].next];
    out->what = user_rows[n].what;
    fs_name_event(out, user_event_names[user_rows[n].event], &user_rows[n].when);
    return true;
}

const char *mcx_fsrv_participant_state(const struct mcx_fsrv *srv, uint32_t id)
{
    const struct fs_user *user = fs_user_find(srv, id);

    return user_state_names[user != NULL ? fs_user_state(srv, user) : U_START_STOP];
}
