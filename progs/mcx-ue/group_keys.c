/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group keys of the radio: read from their sealed file, and again whenever somebody has replaced it; told when one
 * becomes active or ends. Keys that are gone from the file are gone here at the next look, in the middle of a call too.
 */
#define _GNU_SOURCE
#include "ue.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/group_file.h"

#define LOOK_MS       250 /* how often the file and the clock are looked at */
#define FILE_NAME_MAX 4096

struct ue_group_keys {
    const struct ue_options *options;
    char path[FILE_NAME_MAX];
    struct mcx_group_keys *keys;
    uint64_t serial; /* an older file is not taken */
    struct timespec modified;
    ino_t inode;
    uint64_t next_change; /* Unix seconds */
    uint64_t told;        /* Unix seconds; keys that began or ended by then have been told */
    struct mcx_timer timer;
    void (*on_change)(void *arg);
    void *arg;
};

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

/* ---- told ---- */

static void tell(const struct ue_group_keys *k, const char *status, const struct mcx_group_key *key,
                 const char *sentence)
{
    json_t *groups = json_array();
    char id[9];

    (void)snprintf(id, sizeof id, "%08x", (unsigned)key->key_id);
    for (size_t i = 0; groups != NULL && i < key->num_groups; i++) {
        (void)json_array_append_new(groups, json_string(key->group[i]));
    }
    ue_report(k->options->json, "key", sentence, "{s:s, s:s, s:s, s:o, s:I, s:I}", "status", status, "type",
              mcx_key_type_name(key->type), "key_id", id, "groups", groups, "activation", (json_int_t)key->activation,
              "expiry", (json_int_t)key->expiry);
}

static const struct mcx_group_key *find(const struct mcx_group_keys *keys, const struct mcx_group_key *like)
{
    for (size_t i = 0; i < mcx_group_keys_num(keys); i++) {
        const struct mcx_group_key *key = mcx_group_keys_at(keys, i);

        if (key->type == like->type && key->key_id == like->key_id) {
            return key;
        }
    }
    return NULL;
}

static void tell_key(const struct ue_group_keys *k, const struct mcx_group_key *before,
                     const struct mcx_group_key *after)
{
    if (before == NULL) {
        tell(k, after->revoked ? "revoked" : "new", after, after->revoked ? NULL : "A new group key has come");
    } else if (after->revoked && !before->revoked) {
        tell(k, "revoked", after, "A group key was withdrawn");
    } else if (after->activation != before->activation || after->expiry != before->expiry ||
               after->num_groups != before->num_groups) {
        tell(k, "updated", after, NULL);
    }
}

static void tell_changes(const struct ue_group_keys *k, const struct mcx_group_keys *before,
                         const struct mcx_group_keys *after)
{
    for (size_t i = 0; i < mcx_group_keys_num(after); i++) {
        const struct mcx_group_key *key = mcx_group_keys_at(after, i);

        tell_key(k, before == NULL ? NULL : find(before, key), key);
        if (!key->revoked && key->activation <= k->told && (before == NULL || find(before, key) == NULL)) {
            tell(k, "active", key, NULL); /* the others when their time comes */
        }
    }
    for (size_t i = 0; before != NULL && i < mcx_group_keys_num(before); i++) {
        const struct mcx_group_key *key = mcx_group_keys_at(before, i);

        if (find(after, key) == NULL) {
            tell(k, "gone", key, "A group key is held no longer");
        }
    }
}

static uint64_t unix_now(void)
{
    return now().sec - MCX_NTP_UNIX_OFFSET;
}

/* After what has been told, not after now: a file that is read in between must not hide that a key has begun. */
static uint64_t next_change(const struct ue_group_keys *k)
{
    return mcx_group_keys_next_change(k->keys, mcx_ntp_from_unix_ms(k->told * 1000));
}

/* Keys that have begun or ended since the last look. */
static void tell_times(struct ue_group_keys *k)
{
    uint64_t at = unix_now();

    for (size_t i = 0; i < mcx_group_keys_num(k->keys); i++) {
        const struct mcx_group_key *key = mcx_group_keys_at(k->keys, i);

        if (!key->revoked && key->activation > k->told && key->activation <= at) {
            tell(k, "active", key, "A group key is in force");
        }
        if (!key->revoked && key->expiry > k->told && key->expiry <= at) {
            tell(k, "expired", key, "A group key has ended");
        }
    }
    k->told = at;
}

/* ---- read ---- */

static bool file_changed(struct ue_group_keys *k)
{
    struct stat st;

    if (stat(k->path, &st) != 0 ||
        (st.st_ino == k->inode && memcmp(&st.st_mtim, &k->modified, sizeof k->modified) == 0)) {
        return false;
    }
    k->inode = st.st_ino;
    k->modified = st.st_mtim;
    return true;
}

static mcx_err read_file(struct ue_group_keys *k, struct mcx_refusal *why)
{
    struct mcx_group_keys *before = k->keys;
    struct mcx_group_keys *after = NULL;

    MCX_TRY(mcx_group_file_read(&after, k->path, k->options->store_key, k->serial, true, why));
    k->serial = mcx_group_keys_serial(after);
    (void)mcx_group_keys_expire(after, now());
    tell_changes(k, before, after);
    k->keys = after;
    k->next_change = next_change(k);
    if (k->on_change != NULL) {
        k->on_change(k->arg);
    }
    mcx_group_keys_free(before);
    return MCX_OK;
}

/* A key is used from its first moment and to its last, not to the next look. */
static uint64_t look_delay_ms(const struct ue_group_keys *k)
{
    uint64_t at_ms = mcx_clock_unix_ms();

    if (k->next_change > (at_ms + LOOK_MS) / 1000) {
        return LOOK_MS;
    }
    return k->next_change * 1000 > at_ms ? k->next_change * 1000 - at_ms : 0;
}

static void on_look(void *arg)
{
    struct ue_group_keys *k = arg;
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    if (file_changed(k)) {
        err = read_file(k, &why);
    }
    if (err != MCX_OK) {
        ue_complain("the group keys cannot be read again; those held stay in use", err, &why);
    }
    if (unix_now() >= k->next_change) {
        tell_times(k);
        (void)mcx_group_keys_expire(k->keys, now());
        k->next_change = next_change(k);
        k->on_change(k->arg);
    }
    if (mcx_timer_start(&k->timer, look_delay_ms(k), on_look, k) != MCX_OK) {
        ue_complain("changes of group keys will not be seen", MCX_E_NOMEM, NULL);
    }
}

/* ---- life ---- */

int ue_group_keys_open(struct ue_group_keys **out, const struct ue_options *options)
{
    struct ue_group_keys *k = calloc(1, sizeof *k);
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_E_NOMEM;

    if (k != NULL) {
        k->options = options;
        err = options->group_keys != NULL ? mcx_bytes_cstr(k->path, sizeof k->path, mcx_bytes_str(options->group_keys))
                                          : mcx_group_file_name(k->path, sizeof k->path, options->store);
    }
    if (err == MCX_OK) {
        (void)file_changed(k);
        k->told = unix_now();
        err = read_file(k, &why);
    }
    if (err != MCX_OK) {
        ue_complain("the group keys cannot be read", err, &why);
        ue_group_keys_close(k);
        return EXIT_ENVIRONMENT;
    }
    *out = k;
    return EXIT_DONE;
}

void ue_group_keys_watch(struct ue_group_keys *k, void (*on_change)(void *arg), void *arg)
{
    k->on_change = on_change;
    k->arg = arg;
    on_change(arg);
    on_look(k);
}

void ue_group_keys_unwatch(struct ue_group_keys *k)
{
    mcx_timer_clear(&k->timer);
}

void ue_group_keys_close(struct ue_group_keys *k)
{
    if (k != NULL) {
        mcx_group_keys_free(k->keys);
        free(k);
    }
}

const struct mcx_group_keys *ue_group_keys_now(const struct ue_group_keys *k)
{
    return k->keys;
}
