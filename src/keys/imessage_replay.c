/* SPDX-License-Identifier: Apache-2.0 */
/* Replay cache for I_MESSAGEs (RFC 3830 5.3, 5.4). */
#include "keys/imessage_int.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sym/sym.h"

/* One accepted message, or the latest T of one (initiator, CSB ID). */
struct entry {
    uint8_t name[MCX_SHA256_LEN];
    uint64_t until; /* NTP seconds */
    struct mcx_ntp time;
    uint32_t next; /* in its bucket, or among the free ones */
};

/* Hash table with chains. A name is a SHA-256 already: its first octets choose the bucket. */
struct table {
    struct entry *entries; /* as many as buckets */
    uint32_t *buckets;     /* first entry, or NONE */
    uint32_t num;
    uint32_t free;     /* first free entry, or NONE */
    uint64_t earliest; /* no entry ends before */
};
#define NONE         UINT32_MAX
#define CAPACITY_MAX (UINT32_C(1) << 24)

struct mcx_replay {
    struct table seen;   /* by hash of the signed octets */
    struct table latest; /* by hash of initiator, his KMS and CSB ID */
};

static mcx_err table_init(struct table *t, uint32_t num)
{
    t->entries = calloc(num, sizeof *t->entries);
    t->buckets = calloc(num, sizeof *t->buckets);
    if (t->entries == NULL || t->buckets == NULL) {
        return MCX_E_NOMEM;
    }
    t->num = num;
    t->earliest = UINT64_MAX;
    for (uint32_t i = 0; i < num; i++) {
        t->buckets[i] = NONE;
        t->entries[i].next = i + 1 < num ? i + 1 : NONE;
    }
    return MCX_OK;
}

mcx_err mcx_replay_new(struct mcx_replay **out, size_t capacity)
{
    struct mcx_replay *r;

    if (capacity == 0 || capacity > CAPACITY_MAX) {
        return MCX_E_ARG;
    }
    r = calloc(1, sizeof *r);
    if (r == NULL) {
        return MCX_E_NOMEM;
    }
    if (table_init(&r->seen, (uint32_t)capacity) != MCX_OK || table_init(&r->latest, (uint32_t)capacity) != MCX_OK) {
        mcx_replay_free(r);
        return MCX_E_NOMEM;
    }
    *out = r;
    return MCX_OK;
}

void mcx_replay_free(struct mcx_replay *replay)
{
    if (replay != NULL) {
        free(replay->seen.entries);
        free(replay->seen.buckets);
        free(replay->latest.entries);
        free(replay->latest.buckets);
        free(replay);
    }
}

static bool earlier(struct mcx_ntp a, struct mcx_ntp b)
{
    return a.sec < b.sec || (a.sec == b.sec && a.frac < b.frac);
}

/* The signed octets hold IDRi, T, RAND and CSB ID; the signature has more than one valid form (RFC 6507 5.2.1). */
static mcx_err seen_name(uint8_t name[MCX_SHA256_LEN], const struct mcx_mikey_sakke_msg *msg)
{
    return mcx_sha256(name, &msg->signed_octets, 1);
}

static mcx_err latest_name(uint8_t name[MCX_SHA256_LEN], const struct mcx_mikey_sakke_msg *msg)
{
    const struct mcx_bytes id = msg->id_i.p != NULL ? msg->id_i : msg->uid_i;
    const uint8_t head[] = { (uint8_t)(msg->hdr.csb_id >> 24),
                             (uint8_t)(msg->hdr.csb_id >> 16),
                             (uint8_t)(msg->hdr.csb_id >> 8),
                             (uint8_t)msg->hdr.csb_id,
                             msg->id_i.p != NULL,
                             (uint8_t)(id.len >> 8),
                             (uint8_t)id.len };
    const struct mcx_bytes parts[] = { mcx_bytes(head, sizeof head), id, msg->kms_i };

    return mcx_sha256(name, parts, sizeof parts / sizeof parts[0]);
}

static uint32_t *bucket_of(const struct table *t, const uint8_t name[MCX_SHA256_LEN])
{
    uint32_t v = (uint32_t)name[0] << 24 | (uint32_t)name[1] << 16 | (uint32_t)name[2] << 8 | name[3];

    return &t->buckets[v % t->num];
}

static struct entry *find(const struct table *t, const uint8_t name[MCX_SHA256_LEN])
{
    for (uint32_t i = *bucket_of(t, name); i != NONE; i = t->entries[i].next) {
        if (memcmp(t->entries[i].name, name, MCX_SHA256_LEN) == 0) { /* public */
            return &t->entries[i];
        }
    }
    return NULL;
}

/* Entries whose time has passed become free. */
static void purge(struct table *t, uint64_t now)
{
    t->earliest = UINT64_MAX;
    for (uint32_t b = 0; b < t->num; b++) {
        uint32_t *link = &t->buckets[b];

        while (*link != NONE) {
            struct entry *e = &t->entries[*link];
            uint32_t at = *link;

            if (e->until < now) {
                *link = e->next;
                e->next = t->free;
                t->free = at;
                continue;
            }
            t->earliest = e->until < t->earliest ? e->until : t->earliest;
            link = &e->next;
        }
    }
}

/* Whether there is an entry of that name or room for one. A full table is gone through only when that frees some. */
static bool has_room(struct table *t, const uint8_t name[MCX_SHA256_LEN], uint64_t now)
{
    if (t->free == NONE && t->earliest < now) {
        purge(t, now);
    }
    return t->free != NONE || find(t, name) != NULL;
}

/* After has_room(). An entry of that name is kept for as long as either asks. */
static void put(struct table *t, const struct entry *entry)
{
    struct entry *e = find(t, entry->name);
    uint64_t until = e != NULL && e->until > entry->until ? e->until : entry->until;
    uint32_t next;

    if (e == NULL) {
        uint32_t *bucket = bucket_of(t, entry->name);

        e = &t->entries[t->free];
        next = *bucket;
        *bucket = t->free;
        t->free = e->next;
    } else {
        next = e->next;
    }
    *e = *entry;
    e->next = next;
    e->until = until;
    t->earliest = until < t->earliest ? until : t->earliest;
}

mcx_err mcx_imessage_seen_check(const struct mcx_replay *replay, const struct mcx_mikey_sakke_msg *msg,
                                struct mcx_ntp time, struct mcx_refusal *why)
{
    uint8_t name[MCX_SHA256_LEN];
    const struct entry *e;

    if (replay == NULL) {
        return MCX_OK;
    }
    MCX_TRY(seen_name(name, msg));
    if (find(&replay->seen, name) != NULL) {
        return mcx_refuse(why, MCX_E_REPLAY, "the message has been accepted before", "RFC 3830 5.4");
    }
    MCX_TRY(latest_name(name, msg));
    e = find(&replay->latest, name);
    if (e != NULL && earlier(time, e->time)) {
        return mcx_refuse(why, MCX_E_REPLAY, "a later message with the same key identifier has been accepted",
                          "RFC 3830 5.4");
    }
    return MCX_OK;
}

mcx_err mcx_imessage_seen_add(struct mcx_replay *replay, const struct mcx_mikey_sakke_msg *msg, struct mcx_ntp time,
                              uint64_t until, struct mcx_ntp now, struct mcx_refusal *why)
{
    struct entry seen = { .until = until, .time = time };
    struct entry latest = { .until = until, .time = time };

    if (replay == NULL) {
        return MCX_OK;
    }
    MCX_TRY(seen_name(seen.name, msg));
    MCX_TRY(latest_name(latest.name, msg));
    if (!has_room(&replay->seen, seen.name, now.sec) || !has_room(&replay->latest, latest.name, now.sec)) {
        return mcx_refuse(why, MCX_E_SPACE, "the replay cache is full", "RFC 3830 5.4");
    }
    put(&replay->seen, &seen);
    put(&replay->latest, &latest);
    return MCX_OK;
}
