/* SPDX-License-Identifier: Apache-2.0 */
/* What a floor request is worth, and the conditions that both tables ask for (TS 24.380 4.1.1.4, 6.3.4.3.3, 6.3.5.4.4).
 */
#include "proc/floor_server_int.h"

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
    uint8_t asked = 0;

    if (r->implicit) {
        asked = (uint8_t)(r->srv->config.pre_empt_from - 1); /* an INVITE does not pre-empt (6.3.5.2.2) */
    } else if (has(r->in->msg, MCX_FF_PRIORITY)) {
        asked = r->in->msg->priority;
    }
    return asked < r->user->max_priority ? asked : r->user->max_priority;
}

struct fs_wish fs_wish_of(const struct fs_run *r)
{
    return (struct fs_wish){ .user = r->user, .rank = asked_rank(r), .priority = asked_priority(r) };
}

bool fs_if_implicit(const struct fs_run *r)
{
    return r->implicit && !r->user->receive_only;
}

bool fs_if_alone(const struct fs_run *r)
{
    return r->srv->num_users == 1;
}

bool fs_if_receive_only(const struct fs_run *r)
{
    return r->user->receive_only;
}

bool fs_if_retry_later(const struct fs_run *r)
{
    return r->in->now_ms < r->user->retry_at;
}

bool fs_if_queued(const struct fs_run *r)
{
    return fs_queue_position(r->srv, r->user) != 0;
}

/* 4.1.1.4: more urgent, or of a priority that pre-empts and that is higher than the talker's. One place beyond the
 * queue's length is for whom this is true, so that nobody is revoked for nothing. */
bool fs_if_pre_empts(const struct fs_run *r)
{
    const struct mcx_fsrv *srv = r->srv;
    struct fs_wish wish = fs_wish_of(r);

    if (!fs_if_queued(r) && srv->num_queue > srv->config.max_queue) {
        return false;
    }
    if (wish.rank != srv->talk.rank) {
        return wish.rank > srv->talk.rank && srv->config.pre_empt_emergency;
    }
    return wish.priority > srv->talk.priority && wish.priority >= srv->config.pre_empt_from;
}

bool fs_if_queueing(const struct fs_run *r)
{
    return r->srv->config.queueing && r->user->queueing;
}

bool fs_if_queue_full(const struct fs_run *r)
{
    return fs_if_queueing(r) && r->srv->num_queue >= r->srv->config.max_queue;
}

bool fs_if_may_wait(const struct fs_run *r)
{
    return fs_if_queueing(r) && !fs_if_queue_full(r);
}

bool fs_if_someone_waits(const struct fs_run *r)
{
    return r->srv->num_queue > 0 && !fs_if_alone(r);
}
