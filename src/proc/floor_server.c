/* SPDX-License-Identifier: Apache-2.0 */
/* The floor control server: timers, the step, life. Its tables are in floor_server_call.c and floor_server_user.c. */
#include "proc/floor_server_int.h"

#include <stdlib.h>
#include <string.h>

enum {
    FS_QUEUE = 16,      /* requests that wait, when the configuration names no number */
    FS_QUEUE_MAX = 250, /* a position is one octet, and 254 and 255 mean something else (8.2.3.5) */
    FS_PRE_EMPT = 255,
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

void fs_name_event(struct mcx_fsrv_row *out, const char *event, const struct fs_guard *when)
{
    size_t len = strlen(event);

    memset(out->event, 0, sizeof out->event);
    memcpy(out->event, event, len);
    if (when->name != NULL) {
        memcpy(out->event + len, ", ", 2);
        strncpy(out->event + len + 2, when->name, sizeof out->event - len - 3);
    }
}

bool mcx_fsrv_row(struct mcx_fsrv_row *out, size_t n)
{
    size_t num = mcx_fsrv_num_arbitration_rows();

    return n < num ? fs_row(out, n) : fs_user_row(out, n - num);
}

/* ---- the step ---- */

static enum fs_user_event event_of(const struct mcx_floor_msg *msg)
{
    switch (msg->type) {
    case MCX_FLOOR_REQUEST: return UE_REQUEST;
    case MCX_FLOOR_RELEASE: return UE_RELEASE;
    case MCX_FLOOR_QUEUE_POSITION_REQUEST: return UE_POSITION;
    case MCX_FLOOR_ACK: return UE_ACK;
    default: return UE_NONE; /* only a server sends it, or a later release defines it: no row (6.3.4.1) */
    }
}

static mcx_err user_step(struct fs_run *r, enum fs_user_event event)
{
    const struct fs_user_row *row = NULL;

    r->user = fs_user_find(r->srv, r->in->id);
    if (r->user == NULL) {
        return MCX_E_STATE;
    }
    row = fs_find_user_row(r, fs_user_state(r->srv, r->user), event);
    if (row == NULL) {
        return MCX_E_STATE;
    }
    if (event != UE_ACK && r->in->event == MCX_FS_RX && r->in->msg->ack_wanted) {
        fs_send_ack(r); /* 6.3.5.3.7, 6.3.5.4.5, 6.3.5.5.3 */
    }
    return fs_take_user_row(r, row);
}

static mcx_err join_step(struct fs_run *r)
{
    const struct mcx_fsrv_participant *participant = r->in->participant;
    const struct fs_user_row *row = NULL;
    mcx_err err = MCX_OK;

    if (participant == NULL || participant->id == 0 || participant->mcptt_id == NULL) {
        return MCX_E_ARG;
    }
    if (fs_user_find(r->srv, participant->id) != NULL) {
        return MCX_E_STATE;
    }
    MCX_TRY(fs_user_new(&r->user, participant));
    r->implicit = r->in->implicit_request;
    row = fs_find_user_row(r, U_START_STOP, UE_JOIN);
    err = row != NULL ? fs_users_reserve(r->srv) : MCX_E_STATE;
    if (err != MCX_OK) {
        free(r->user);
        return err;
    }
    fs_user_add(r->srv, r->user);
    return fs_take_user_row(r, row);
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
        return fs_take_user_row(r, fs_find_user_row(r, U_SENDS_MEDIA, UE_T8));
    }
    if (srv->at[first] > r->in->now_ms) {
        return MCX_OK;
    }
    fs_timer_stop(r, (enum mcx_fsrv_timer)first);
    return fs_arbitrate(r, first);
}

mcx_err mcx_fsrv_step(struct mcx_fsrv *srv, const struct mcx_fsrv_in *in, struct mcx_fsrv_out *out)
{
    struct fs_run r = { .srv = srv, .in = in, .out = out };

    out->num = 0;
    out->num_rows = 0;
    switch (in->event) {
    case MCX_FS_JOIN: return join_step(&r);
    case MCX_FS_LEAVE: return user_step(&r, UE_LEAVE);
    case MCX_FS_RX: return user_step(&r, event_of(in->msg));
    case MCX_FS_RTP: return user_step(&r, UE_RTP);
    case MCX_FS_READY: return fs_arbitrate(&r, EV_READY);
    case MCX_FS_CALL_TYPE: return fs_arbitrate(&r, EV_CALL_TYPE);
    case MCX_FS_TICK: return tick_step(&r);
    case MCX_FS_END: return fs_arbitrate(&r, EV_END);
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
        srv->config.max_count[i] = config->max_count[i] == 0 ? timers[i].max_count : config->max_count[i];
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
