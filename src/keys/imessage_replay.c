/* SPDX-License-Identifier: Apache-2.0 */
/* Replay cache for I_MESSAGEs (RFC 3830 5.3, 5.4). */
#include "keys/imessage_int.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sym/sym.h"

/* One accepted message, and the latest T of one (initiator, CSB ID). Free when `until` is 0. */
struct entry {
    uint8_t name[MCX_SHA256_LEN];
    uint64_t until; /* NTP seconds */
    struct mcx_ntp time;
};

struct mcx_replay {
    size_t capacity;
    struct entry *seen;   /* by hash of the signed octets */
    struct entry *latest; /* by hash of initiator, his KMS and CSB ID */
};

mcx_err mcx_replay_new(struct mcx_replay **out, size_t capacity)
{
    struct mcx_replay *r;

    if (capacity == 0) {
        return MCX_E_ARG;
    }
    r = calloc(1, sizeof *r);
    if (r == NULL) {
        return MCX_E_NOMEM;
    }
    r->capacity = capacity;
    r->seen = calloc(capacity, sizeof *r->seen);
    r->latest = calloc(capacity, sizeof *r->latest);
    if (r->seen == NULL || r->latest == NULL) {
        mcx_replay_free(r);
        return MCX_E_NOMEM;
    }
    *out = r;
    return MCX_OK;
}

void mcx_replay_free(struct mcx_replay *replay)
{
    if (replay != NULL) {
        free(replay->seen);
        free(replay->latest);
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

static const struct entry *find(const struct entry *entries, size_t num, const uint8_t name[MCX_SHA256_LEN])
{
    for (size_t i = 0; i < num; i++) {
        if (entries[i].until != 0 && memcmp(entries[i].name, name, MCX_SHA256_LEN) == 0) { /* public */
            return &entries[i];
        }
    }
    return NULL;
}

/* An entry of that name, or a free one, or one whose time has passed; NULL when there is none. */
static struct entry *place(struct entry *entries, size_t num, const uint8_t name[MCX_SHA256_LEN], uint64_t now)
{
    struct entry *spare = NULL;

    for (size_t i = 0; i < num; i++) {
        if (entries[i].until != 0 && memcmp(entries[i].name, name, MCX_SHA256_LEN) == 0) {
            return &entries[i];
        }
        if (spare == NULL && (entries[i].until == 0 || entries[i].until < now)) {
            spare = &entries[i];
        }
    }
    return spare;
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
    if (find(replay->seen, replay->capacity, name) != NULL) {
        return mcx_refuse(why, MCX_E_REPLAY, "the message has been accepted before", "RFC 3830 5.4");
    }
    MCX_TRY(latest_name(name, msg));
    e = find(replay->latest, replay->capacity, name);
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
    struct entry *seen_at, *latest_at;

    if (replay == NULL) {
        return MCX_OK;
    }
    MCX_TRY(seen_name(seen.name, msg));
    MCX_TRY(latest_name(latest.name, msg));
    seen_at = place(replay->seen, replay->capacity, seen.name, now.sec);
    latest_at = place(replay->latest, replay->capacity, latest.name, now.sec);
    if (seen_at == NULL || latest_at == NULL) {
        return mcx_refuse(why, MCX_E_SPACE, "the replay cache is full", "RFC 3830 5.4");
    }
    *seen_at = seen;
    *latest_at = latest;
    return MCX_OK;
}
