/* SPDX-License-Identifier: Apache-2.0 */
/* What the floor control server sends (TS 24.380 8.2), and its timers. A message is for one or for all but one. */
#include "proc/floor_server_int.h"

/* The longest row adds six (test); MCX_FSRV_MAX_ACTIONS is a bound for those to come. */
static struct mcx_fsrv_action *add(struct fs_run *r, enum mcx_fsrv_act act, uint32_t id)
{
    struct mcx_fsrv_out *out = r->out;
    struct mcx_fsrv_action *a = &out->action[out->num < MCX_FSRV_MAX_ACTIONS - 1 ? out->num++ : out->num];

    *a = (struct mcx_fsrv_action){ .act = act, .id = id };
    return a;
}

static struct mcx_floor_msg *message(struct fs_run *r, enum mcx_fsrv_act act, uint32_t id, enum mcx_floor_type type)
{
    const struct mcx_fsrv *srv = r->srv;
    struct mcx_floor_msg *msg = &add(r, act, id)->msg;

    msg->type = type;
    msg->present = MCX_FF(MCX_FF_INDICATOR);
    msg->indicator = (uint16_t)(srv->indicator | (srv->config.queueing ? MCX_FI_QUEUEING : 0));
    return msg;
}

static void cause_set(struct mcx_floor_msg *msg, unsigned cause)
{
    msg->present |= MCX_FF(MCX_FF_CAUSE);
    msg->cause = (uint16_t)cause;
}

/* Every Floor Taken and Floor Idle has a number of its own (8.2.3.10), so that what overtakes can be told. */
static void sequence_set(struct fs_run *r, struct mcx_floor_msg *msg)
{
    msg->present |= MCX_FF(MCX_FF_SEQUENCE);
    msg->sequence = ++r->srv->sequence;
}

void fs_note(struct fs_run *r, const char *note, uint32_t id, unsigned cause)
{
    struct mcx_fsrv_action *a = add(r, MCX_FS_NOTE, id);

    a->note = note;
    a->cause = cause;
}

/* What is left of T2, whole seconds; T2 starts with the first media (6.3.4.4.5). */
static void duration_set(const struct fs_run *r, struct mcx_floor_msg *msg)
{
    const struct mcx_fsrv *srv = r->srv;
    uint64_t at = srv->at[MCX_FS_T2];
    uint64_t left = srv->config.timer_ms[MCX_FS_T2];

    if (left == UINT32_MAX) {
        return;
    }
    if (at != UINT64_MAX) {
        left = at > r->in->now_ms ? at - r->in->now_ms : 0;
    }
    msg->present |= MCX_FF(MCX_FF_DURATION);
    msg->duration = (uint16_t)(left / 1000 < UINT16_MAX ? left / 1000 : UINT16_MAX);
}

void fs_send_granted(struct fs_run *r)
{
    const struct fs_wish *talk = &r->srv->talk;
    struct mcx_floor_msg *msg = message(r, MCX_FS_SEND, talk->user->id, MCX_FLOOR_GRANTED);

    duration_set(r, msg);
    msg->present |= MCX_FF(MCX_FF_PRIORITY);
    msg->priority = talk->priority;
}

void fs_send_taken(struct fs_run *r, const struct fs_user *to)
{
    const struct fs_user *talker = r->srv->talk.user;
    struct mcx_floor_msg *msg =
        message(r, to != NULL ? MCX_FS_SEND : MCX_FS_SEND_OTHERS, to != NULL ? to->id : talker->id, MCX_FLOOR_TAKEN);

    if (!talker->privacy) {
        msg->present |= MCX_FF(MCX_FF_GRANTED_PARTY);
        msg->granted_party = mcx_bytes_str(talker->mcptt_id);
    }
    msg->present |= MCX_FF(MCX_FF_PERMISSION);
    msg->permission = (r->srv->indicator & MCX_FI_BROADCAST) != 0 ? 0 : 1; /* 6.3.4.4.2 3d */
    sequence_set(r, msg);
    if (talker->ssrc_known) {
        msg->present |= MCX_FF(MCX_FF_SSRC);
        msg->granted_ssrc = talker->ssrc;
    }
}

void fs_send_idle(struct fs_run *r, const struct fs_user *to)
{
    sequence_set(r, message(r, to != NULL ? MCX_FS_SEND : MCX_FS_SEND_OTHERS, to != NULL ? to->id : 0, MCX_FLOOR_IDLE));
}

void fs_send_deny(struct fs_run *r, unsigned cause)
{
    cause_set(message(r, MCX_FS_SEND, r->user->id, MCX_FLOOR_DENY), cause);
    fs_note(r, "floor-denied", r->user->id, cause);
}

void fs_send_revoke(struct fs_run *r, const struct fs_user *to, unsigned cause)
{
    cause_set(message(r, MCX_FS_SEND, to->id, MCX_FLOOR_REVOKE), cause);
}

void fs_send_position(struct fs_run *r)
{
    const struct mcx_fsrv *srv = r->srv;
    struct mcx_floor_msg *msg = message(r, MCX_FS_SEND, r->user->id, MCX_FLOOR_QUEUE_POSITION_INFO);
    size_t n = fs_queue_position(srv, r->user);

    msg->present |= MCX_FF(MCX_FF_QUEUE_INFO);
    msg->queue_position = n != 0 ? (uint8_t)n : MCX_QUEUE_NOT_QUEUED;
    msg->queue_priority = n != 0 ? srv->queue[n - 1].priority : 0;
}

void fs_send_ack(struct fs_run *r)
{
    struct mcx_floor_msg *msg = message(r, MCX_FS_SEND, r->user->id, MCX_FLOOR_ACK);

    msg->present = MCX_FF(MCX_FF_SOURCE) | MCX_FF(MCX_FF_MESSAGE_TYPE);
    msg->source = MCX_SOURCE_CONTROLLING;
    msg->acked_type = (uint8_t)r->in->msg->type;
}

void fs_forward(struct fs_run *r, uint32_t id)
{
    (void)add(r, MCX_FS_FORWARD, id);
}

void fs_inactive(struct fs_run *r)
{
    (void)add(r, MCX_FS_INACTIVE, 0);
}

void fs_took(struct fs_run *r, size_t n)
{
    struct mcx_fsrv_out *out = r->out;

    if (out->num_rows <
        MCX_FSRV_MAX_ROWS) { /* two of the interface's, when one leads to another, and the arbitration's */
        out->row[out->num_rows++] = n;
    }
}

/* ---- timers ---- */

uint64_t fs_timer_end(const struct fs_run *r, enum mcx_fsrv_timer timer)
{
    uint32_t ms = r->srv->config.timer_ms[timer];

    if (ms == UINT32_MAX) {
        return timer == MCX_FS_T3 ? r->in->now_ms : UINT64_MAX; /* no grace, or never */
    }
    return r->in->now_ms + ms;
}

void fs_timer_start(struct fs_run *r, enum mcx_fsrv_timer timer)
{
    r->srv->at[timer] = fs_timer_end(r, timer);
}

void fs_timer_stop(struct fs_run *r, enum mcx_fsrv_timer timer)
{
    r->srv->at[timer] = UINT64_MAX;
}

void fs_timers_stop(struct fs_run *r)
{
    for (int i = 0; i < MCX_FS_NUM_TIMERS; i++) {
        fs_timer_stop(r, (enum mcx_fsrv_timer)i);
    }
}
