/* SPDX-License-Identifier: Apache-2.0 */
/* Participants of the floor control server, and the queue of floor requests (TS 24.380 4.1.1.4, 6.3.5.4.4). */
#include "proc/floor_server_int.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 8 };

/* ---- table by id: linear probing, never more than half full ---- */

static size_t slot_of(uint32_t id, size_t num_slots)
{
    return (size_t)((id * UINT32_C(2654435769)) >> 16) & (num_slots - 1); /* 2^32 / golden ratio */
}

static void place(struct fs_user **slot, size_t num_slots, struct fs_user *user)
{
    size_t i = slot_of(user->id, num_slots);

    while (slot[i] != NULL) {
        i = (i + 1) & (num_slots - 1);
    }
    slot[i] = user;
}

struct fs_user *fs_user_find(const struct mcx_fsrv *srv, uint32_t id)
{
    if (srv->num_slots == 0) {
        return NULL;
    }
    for (size_t i = slot_of(id, srv->num_slots); srv->slot[i] != NULL; i = (i + 1) & (srv->num_slots - 1)) {
        if (srv->slot[i]->id == id) {
            return srv->slot[i];
        }
    }
    return NULL;
}

mcx_err fs_user_new(struct fs_user **out, const struct mcx_fsrv_participant *participant)
{
    size_t len = strlen(participant->mcptt_id);
    struct fs_user *user = calloc(1, sizeof *user + len + 1);

    if (user == NULL) {
        return MCX_E_NOMEM;
    }
    user->id = participant->id;
    user->max_priority = participant->max_priority;
    user->queueing = participant->queueing;
    user->receive_only = participant->receive_only;
    user->privacy = participant->privacy;
    memcpy(user->mcptt_id, participant->mcptt_id, len + 1);
    *out = user;
    return MCX_OK;
}

mcx_err fs_users_reserve(struct mcx_fsrv *srv)
{
    size_t num = srv->num_slots == 0 ? FIRST_SLOTS : srv->num_slots * 2;
    struct fs_user **slot = NULL;

    if (srv->num_users >= MCX_FSRV_MAX_PARTICIPANTS) {
        return MCX_E_SPACE;
    }
    if (2 * (srv->num_users + 1) <= srv->num_slots) {
        return MCX_OK;
    }
    slot = calloc(num, sizeof *slot);
    if (slot == NULL) {
        return MCX_E_NOMEM;
    }
    for (size_t i = 0; i < srv->num_slots; i++) {
        if (srv->slot[i] != NULL) {
            place(slot, num, srv->slot[i]);
        }
    }
    free(srv->slot);
    srv->slot = slot;
    srv->num_slots = num;
    return MCX_OK;
}

void fs_user_add(struct mcx_fsrv *srv, struct fs_user *user)
{
    place(srv->slot, srv->num_slots, user);
    srv->num_users++;
}

/* Those behind the hole are placed again, so that no search ends at it. */
static void take_out(struct mcx_fsrv *srv, const struct fs_user *user)
{
    size_t mask = srv->num_slots - 1;
    size_t i = slot_of(user->id, srv->num_slots);

    while (srv->slot[i] != user) {
        i = (i + 1) & mask;
    }
    srv->slot[i] = NULL;
    for (i = (i + 1) & mask; srv->slot[i] != NULL; i = (i + 1) & mask) {
        struct fs_user *moved = srv->slot[i];

        srv->slot[i] = NULL;
        place(srv->slot, srv->num_slots, moved);
    }
    srv->num_users--;
}

void fs_user_remove(struct mcx_fsrv *srv, struct fs_user *user)
{
    fs_queue_remove(srv, user);
    fs_sender_remove(srv, user);
    take_out(srv, user);
    if (srv->talk.user == user) {
        srv->talk = (struct fs_wish){ 0 };
    }
    free(user);
}

enum fs_user_state fs_user_state(const struct mcx_fsrv *srv, const struct fs_user *user)
{
    static const enum fs_user_state of_call[FS_NUM_STATES] = { U_START_STOP, U_INITIATING, U_IDLE,
                                                               U_TAKEN,      U_TAKEN,      U_RELEASING };

    if (user->sends_media && srv->state != G_RELEASING) {
        return U_SENDS_MEDIA;
    }
    if (user == srv->talk.user) {
        return srv->state == G_REVOKE ? U_REVOKE : U_PERMITTED;
    }
    return of_call[srv->state];
}

/* ---- those who send media without permission ---- */

void fs_sender_remove(struct mcx_fsrv *srv, struct fs_user *user)
{
    if (!user->sends_media) {
        return;
    }
    *(user->prev != NULL ? &user->prev->next : &srv->first_sender) = user->next;
    *(user->next != NULL ? &user->next->prev : &srv->last_sender) = user->prev;
    user->prev = user->next = NULL;
    user->sends_media = false;
}

void fs_sender_add(struct mcx_fsrv *srv, struct fs_user *user, uint64_t t8_at)
{
    fs_sender_remove(srv, user);
    user->sends_media = true;
    user->sent_since = false;
    user->t8_at = t8_at;
    user->prev = srv->last_sender;
    *(user->prev != NULL ? &user->prev->next : &srv->first_sender) = user;
    srv->last_sender = user;
}

/* ---- the queue ---- */

enum fs_rank fs_rank_of(uint16_t indicator)
{
    if ((indicator & MCX_FI_EMERGENCY) != 0) {
        return FS_EMERGENCY;
    }
    return (indicator & MCX_FI_IMMINENT) != 0 ? FS_IMMINENT : FS_NORMAL;
}

/* Whether `a` is served before `b`. */
static bool before(const struct fs_wish *a, const struct fs_wish *b)
{
    if (a->front != b->front) {
        return a->front;
    }
    if (a->rank != b->rank) {
        return a->rank > b->rank;
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    return a->age < b->age;
}

size_t fs_queue_position(const struct mcx_fsrv *srv, const struct fs_user *user)
{
    for (size_t i = 0; i < srv->num_queue; i++) {
        if (srv->queue[i].user == user) {
            return i + 1;
        }
    }
    return 0;
}

void fs_queue_remove(struct mcx_fsrv *srv, const struct fs_user *user)
{
    size_t n = fs_queue_position(srv, user);

    if (n != 0) {
        memmove(&srv->queue[n - 1], &srv->queue[n], (srv->num_queue - n) * sizeof srv->queue[0]);
        srv->num_queue--;
    }
}

static void insert(struct mcx_fsrv *srv, struct fs_wish wish)
{
    size_t i = srv->num_queue++;

    for (; i > 0 && before(&wish, &srv->queue[i - 1]); i--) {
        srv->queue[i] = srv->queue[i - 1];
    }
    srv->queue[i] = wish;
}

void fs_queue_put(struct mcx_fsrv *srv, struct fs_wish wish)
{
    size_t n = fs_queue_position(srv, wish.user);

    if (n != 0) {
        wish.age = srv->queue[n - 1].age;
        if (!before(&wish, &srv->queue[n - 1])) {
            return;
        }
        fs_queue_remove(srv, wish.user);
    } else {
        wish.age = srv->next_age++;
    }
    insert(srv, wish);
}

void fs_queue_cap(struct mcx_fsrv *srv, enum fs_rank rank)
{
    size_t num = srv->num_queue;

    srv->num_queue = 0;
    for (size_t i = 0; i < num; i++) {
        struct fs_wish wish = srv->queue[i];

        wish.rank = wish.rank > rank ? rank : wish.rank;
        insert(srv, wish);
    }
}
