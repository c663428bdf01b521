/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which group keys a user holds, and which one to use (TS 33.180 5.7). Groups and identities are compared with strcmp():
 * URIs are public; the keys themselves are compared in constant time (group_keys_accept.c).
 */
#include "keys/group_keys_int.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>
#include <mcx/text.h>

#include "keys/imessage_int.h"

#define FIRST_KEYS 8 /* room in a new set of keys */

mcx_err mcx_group_keys_new(struct mcx_group_keys **out)
{
    struct mcx_group_keys *keys = calloc(1, sizeof *keys);

    if (keys == NULL) {
        return MCX_E_NOMEM;
    }
    *out = keys;
    return MCX_OK;
}

/* Strings of an info are ours, though the public type only lends them. */
static void info_clear(struct mcx_group_info *info)
{
    free((void *)(uintptr_t)info->group);
    free((void *)(uintptr_t)info->etag_group);
    free((void *)(uintptr_t)info->etag_gktp);
    free((void *)(uintptr_t)info->temporary);
    memset(info, 0, sizeof *info);
}

void mcx_group_keys_free(struct mcx_group_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    for (size_t i = 0; i < keys->num_keys; i++) {
        mcx_group_key_clear(&keys->keys[i]);
    }
    mcx_secret_free(keys->keys);
    for (size_t i = 0; i < keys->num_infos; i++) {
        info_clear(&keys->infos[i]);
    }
    free(keys->infos);
    free(keys);
}

mcx_err mcx_group_string(char **out, const char *s)
{
    size_t len = strlen(s) + 1;
    char *copy = malloc(len);

    if (copy == NULL) {
        return MCX_E_NOMEM;
    }
    memcpy(copy, s, len);
    *out = copy;
    return MCX_OK;
}

/* The first place whose identifier is not below this one, by halving: what a forged MKI costs is bounded too. */
static size_t place_of(const struct mcx_group_keys *keys, uint32_t key_id)
{
    size_t from = 0;
    size_t to = keys->num_keys;

    while (from < to) {
        size_t middle = (from + to) / 2;

        if (keys->places[middle].key_id < key_id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

struct mcx_group_key *mcx_group_key_find(const struct mcx_group_keys *keys, uint32_t key_id)
{
    size_t i = place_of(keys, key_id);

    return i < keys->num_keys && keys->places[i].key_id == key_id ? &keys->keys[keys->places[i].at] : NULL;
}

void mcx_group_keys_added(struct mcx_group_keys *keys)
{
    const uint32_t key_id = keys->keys[keys->num_keys].key_id;
    struct mcx_group_place *place = &keys->places[place_of(keys, key_id)];

    memmove(place + 1, place, (size_t)(keys->places + keys->num_keys - place) * sizeof *place);
    *place = (struct mcx_group_place){ key_id, (uint16_t)keys->num_keys++ };
}

bool mcx_group_key_in(const struct mcx_group_key *key, const char *group)
{
    for (size_t i = 0; i < key->num_groups; i++) {
        if (strcmp(key->group[i], group) == 0) {
            return true;
        }
    }
    return false;
}

bool mcx_group_key_dead(const struct mcx_group_key *key)
{
    return key->revoked || key->expired;
}

bool mcx_group_key_over(const struct mcx_group_key *key, uint64_t unix_s)
{
    return key->expired || (key->expiry != 0 && key->expiry <= unix_s);
}

void mcx_group_key_clear(struct mcx_group_key *key)
{
    free(key->gms);
    free(key->user);
    for (size_t i = 0; i < key->num_groups; i++) {
        free(key->group[i]);
    }
    mcx_wipe(key, sizeof *key);
}

static void remove_key(struct mcx_group_keys *keys, size_t i)
{
    struct mcx_group_key *last = &keys->keys[keys->num_keys - 1];
    struct mcx_group_place *place = &keys->places[place_of(keys, keys->keys[i].key_id)];

    keys->places[place_of(keys, last->key_id)].at = (uint16_t)i;
    memmove(place, place + 1, (size_t)(keys->places + keys->num_keys - (place + 1)) * sizeof *place);
    keys->num_keys--;
    mcx_group_key_clear(&keys->keys[i]);
    if (&keys->keys[i] != last) {
        keys->keys[i] = *last;
        mcx_wipe(last, sizeof *last);
    }
}

bool mcx_group_earlier(struct mcx_ntp a, struct mcx_ntp b)
{
    return a.sec != b.sec ? a.sec < b.sec : a.frac < b.frac;
}

/* Forget the dead key of the oldest T. */
static mcx_err forget_one(struct mcx_group_keys *keys)
{
    size_t oldest = keys->num_keys;

    for (size_t i = 0; i < keys->num_keys; i++) {
        if (mcx_group_key_dead(&keys->keys[i]) &&
            (oldest == keys->num_keys || mcx_group_earlier(keys->keys[i].time, keys->keys[oldest].time))) {
            oldest = i;
        }
    }
    if (oldest == keys->num_keys) {
        return MCX_E_SPACE;
    }
    remove_key(keys, oldest);
    return MCX_OK;
}

mcx_err mcx_group_keys_room(struct mcx_group_keys *keys)
{
    size_t cap = keys->cap_keys == 0 ? FIRST_KEYS : 2 * keys->cap_keys;
    struct mcx_group_key *grown = NULL;

    if (keys->num_keys == MCX_GROUP_KEYS_MAX) {
        return forget_one(keys);
    }
    if (keys->num_keys < keys->cap_keys) {
        return MCX_OK;
    }
    grown = mcx_secret_alloc(cap * sizeof *grown);
    if (grown == NULL) {
        return MCX_E_NOMEM;
    }
    if (keys->num_keys > 0) {
        memcpy(grown, keys->keys, keys->num_keys * sizeof *grown);
    }
    mcx_secret_free(keys->keys);
    keys->keys = grown;
    keys->cap_keys = cap;
    return MCX_OK;
}

static void unbind(struct mcx_group_key *key, const char *group)
{
    for (size_t i = 0; i < key->num_groups; i++) {
        if (strcmp(key->group[i], group) == 0) {
            free(key->group[i]);
            key->group[i] = key->group[--key->num_groups];
            key->group[key->num_groups] = NULL;
            return;
        }
    }
}

size_t mcx_group_keys_drop_group(struct mcx_group_keys *keys, const char *group)
{
    size_t wiped = 0;

    for (size_t i = keys->num_keys; i > 0; i--) {
        struct mcx_group_key *key = &keys->keys[i - 1];
        bool bound = mcx_group_key_in(key, group);

        unbind(key, group);
        if (bound && key->num_groups == 0 && !mcx_group_key_dead(key)) {
            remove_key(keys, i - 1);
            wiped++;
        }
    }
    for (size_t i = 0; i < keys->num_infos; i++) {
        if (strcmp(keys->infos[i].group, group) == 0) {
            info_clear(&keys->infos[i]);
            keys->infos[i] = keys->infos[--keys->num_infos];
            break;
        }
    }
    return wiped;
}

size_t mcx_group_keys_expire(struct mcx_group_keys *keys, struct mcx_ntp now)
{
    size_t wiped = 0;

    for (size_t i = 0; i < keys->num_keys; i++) {
        struct mcx_group_key *key = &keys->keys[i];

        if (!mcx_group_key_dead(key) && mcx_group_key_over(key, mcx_unix_of(now))) {
            key->expired = true;
            mcx_key_clear(&key->key);
            wiped++;
        }
    }
    return wiped;
}

/* What keeps the keys of a group from being used. */
struct unusable {
    bool revoked, over, early;
};

static void note_unusable(struct unusable *u, const struct mcx_group_key *key, uint64_t unix_s)
{
    bool over = mcx_group_key_over(key, unix_s);

    u->revoked = u->revoked || key->revoked;
    u->over = u->over || (!key->revoked && over);
    u->early = u->early || (!key->revoked && !over);
}

static mcx_err refuse_state(struct mcx_refusal *why, const struct unusable *u)
{
    if (u->early) {
        return mcx_refuse(why, MCX_E_EXPIRED, "the key of this group is not active yet", "TS 33.180 E.6.4");
    }
    if (u->over) {
        return mcx_refuse(why, MCX_E_EXPIRED, "the key of this group has expired", "TS 33.180 E.6.10");
    }
    if (u->revoked) {
        return mcx_refuse(why, MCX_E_POLICY, "the key of this group is revoked", "TS 33.180 E.6.9");
    }
    return mcx_refuse(why, MCX_E_NOKEY, "no key of this group is held", "TS 33.180 7.3.3");
}

static bool better(const struct mcx_group_key *a, const struct mcx_group_key *b)
{
    return b == NULL || a->activation > b->activation ||
           (a->activation == b->activation && mcx_group_earlier(b->time, a->time));
}

mcx_err mcx_group_keys_send(const struct mcx_group_key **out, const struct mcx_group_keys *keys, enum mcx_key_type type,
                            const char *group, struct mcx_ntp now, struct mcx_refusal *why)
{
    const struct mcx_group_key *best = NULL;
    uint64_t unix_s = mcx_unix_of(now);
    struct unusable unusable = { false };

    for (size_t i = 0; i < keys->num_keys; i++) {
        const struct mcx_group_key *key = &keys->keys[i];

        if (key->type != type || !mcx_group_key_in(key, group)) {
            continue;
        }
        if (key->revoked || mcx_group_key_over(key, unix_s) || key->activation > unix_s) {
            note_unusable(&unusable, key, unix_s);
        } else if (better(key, best)) {
            best = key;
        }
    }
    if (best == NULL) {
        return refuse_state(why, &unusable);
    }
    *out = best;
    return MCX_OK;
}

mcx_err mcx_group_keys_receive(const struct mcx_group_key **out, const struct mcx_group_keys *keys, const char *group,
                               uint32_t gmk_id, struct mcx_ntp now, struct mcx_refusal *why)
{
    const struct mcx_group_key *key = mcx_group_key_find(keys, gmk_id);
    uint64_t unix_s = mcx_unix_of(now);
    struct unusable unusable = { false };

    if (key == NULL || !mcx_group_key_in(key, group)) {
        return refuse_state(why, &unusable);
    }
    if (key->revoked || mcx_group_key_over(key, unix_s) || key->activation > unix_s + MCX_GROUP_CLOCK_SKEW_S) {
        note_unusable(&unusable, key, unix_s);
        return refuse_state(why, &unusable);
    }
    *out = key;
    return MCX_OK;
}

static uint64_t sooner(uint64_t best, uint64_t at, uint64_t now)
{
    return at > now && at < best ? at : best;
}

uint64_t mcx_group_keys_next_change(const struct mcx_group_keys *keys, struct mcx_ntp now)
{
    uint64_t unix_s = mcx_unix_of(now);
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < keys->num_keys; i++) {
        if (!mcx_group_key_dead(&keys->keys[i])) {
            next = sooner(next, keys->keys[i].activation, unix_s);
            next = sooner(next, keys->keys[i].expiry, unix_s); /* 0 = never is before now */
        }
    }
    return next;
}

size_t mcx_group_keys_num(const struct mcx_group_keys *keys)
{
    return keys->num_keys;
}

const struct mcx_group_key *mcx_group_keys_at(const struct mcx_group_keys *keys, size_t i)
{
    return i < keys->num_keys ? &keys->keys[i] : NULL;
}

uint64_t mcx_group_keys_serial(const struct mcx_group_keys *keys)
{
    return keys->serial;
}

/* What the sealed form takes. */
static bool text_ok(const char *s)
{
    return s == NULL || (strlen(s) < MCX_KMSDOC_URI_MAX && mcx_utf8_ok(mcx_bytes_str(s)));
}

static mcx_err info_copy(struct mcx_group_info *out, const struct mcx_group_info *in)
{
    const char *from[] = { in->group, in->etag_group, in->etag_gktp, in->temporary };
    char *to[4] = { NULL, NULL, NULL, NULL };
    struct mcx_group_info v = *in;
    mcx_err err = MCX_OK;

    for (size_t i = 0; i < 4 && err == MCX_OK; i++) {
        err = mcx_group_string(&to[i], from[i] != NULL ? from[i] : "");
    }
    v.group = to[0];
    v.etag_group = to[1];
    v.etag_gktp = to[2];
    v.temporary = to[3];
    if (err != MCX_OK) {
        info_clear(&v);
        return err;
    }
    *out = v;
    return MCX_OK;
}

mcx_err mcx_group_keys_put_info(struct mcx_group_keys *keys, const struct mcx_group_info *info)
{
    struct mcx_group_info *slot = NULL;
    struct mcx_group_info *grown = NULL;
    struct mcx_group_info copy;

    if (info->group == NULL || info->group[0] == '\0' || !text_ok(info->group) || !text_ok(info->etag_group) ||
        !text_ok(info->etag_gktp) || !text_ok(info->temporary)) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < keys->num_infos; i++) {
        slot = strcmp(keys->infos[i].group, info->group) == 0 ? &keys->infos[i] : slot;
    }
    if (slot == NULL && keys->num_infos == MCX_GROUP_KEYS_MAX) {
        return MCX_E_SPACE;
    }
    MCX_TRY(info_copy(&copy, info));
    if (slot != NULL) {
        info_clear(slot);
        *slot = copy;
        return MCX_OK;
    }
    grown = realloc(keys->infos, (keys->num_infos + 1) * sizeof *grown); /* nothing secret in it */
    if (grown == NULL) {
        info_clear(&copy);
        return MCX_E_NOMEM;
    }
    keys->infos = grown;
    keys->infos[keys->num_infos++] = copy;
    return MCX_OK;
}

const struct mcx_group_info *mcx_group_keys_info(const struct mcx_group_keys *keys, const char *group)
{
    for (size_t i = 0; i < keys->num_infos; i++) {
        if (strcmp(keys->infos[i].group, group) == 0) {
            return &keys->infos[i];
        }
    }
    return NULL;
}

size_t mcx_group_keys_num_info(const struct mcx_group_keys *keys)
{
    return keys->num_infos;
}

const struct mcx_group_info *mcx_group_keys_info_at(const struct mcx_group_keys *keys, size_t i)
{
    return i < keys->num_infos ? &keys->infos[i] : NULL;
}
