/* SPDX-License-Identifier: Apache-2.0 */
/* Taking in a group key, or news about one (TS 33.180 5.7, E.6). What strcmp() compares are URIs, which are public. */
#include "keys/group_keys_int.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/mikey.h>
#include <mcx/secret.h>

#include "keys/imessage_int.h"

struct accepting {
    struct mcx_group_keys *keys;
    const struct mcx_imessage *msg;
    const char *gms, *group;
    uint64_t unix_s;
    uint64_t activation;
    bool revocation;
    struct mcx_refusal *why;
};

/* Groups of a key; borrowed, each once. */
struct names {
    const char *name[MCX_GROUP_KEY_GROUPS_MAX];
    size_t num;
};

static bool names_has(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->num; i++) {
        if (strcmp(names->name[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static mcx_err names_add(struct names *names, const char *name)
{
    if (names_has(names, name)) {
        return MCX_OK;
    }
    if (names->num == MCX_GROUP_KEY_GROUPS_MAX) {
        return MCX_E_SPACE;
    }
    names->name[names->num++] = name;
    return MCX_OK;
}

/* What the message says, after what is held. */
static mcx_err names_of(struct names *names, const struct accepting *a, const struct mcx_group_key *held)
{
    names->num = 0;
    for (size_t i = 0; held != NULL && i < held->num_groups; i++) {
        MCX_TRY(names_add(names, held->group[i]));
    }
    for (size_t i = 0; i < a->msg->num_groups; i++) {
        MCX_TRY(names_add(names, a->msg->groups[i]));
    }
    return a->msg->num_groups == 0 ? names_add(names, a->group) : MCX_OK; /* no binding given: that of the document */
}

static mcx_err source_check(const struct accepting *a)
{
    const struct mcx_imessage *m = a->msg;
    bool bound = m->num_groups == 0;

    if (m->type != MCX_KEY_GMK && m->type != MCX_KEY_MKFC) {
        return mcx_refuse(a->why, MCX_E_POLICY, "the key is no group key", "TS 33.180 5.7.1");
    }
    if (m->own || strcmp(m->initiator, a->gms) != 0) {
        return mcx_refuse(a->why, MCX_E_POLICY, "the group key is not signed by the group management server",
                          "TS 33.180 5.7.1");
    }
    for (size_t i = 0; i < m->num_groups; i++) {
        bound = bound || strcmp(m->groups[i], a->group) == 0;
    }
    if (!bound) {
        return mcx_refuse(a->why, MCX_E_POLICY, "the group key is for other groups", "TS 33.180 E.6.3");
    }
    if (m->no_streams) {
        return mcx_refuse(a->why, MCX_E_POLICY, "the crypto sessions of the group key are not usable",
                          "TS 33.180 E.2.1");
    }
    return MCX_OK;
}

static bool ended(const struct accepting *a)
{
    return a->msg->expiry != 0 && a->msg->expiry <= a->unix_s;
}

static mcx_err expiry_check(const struct accepting *a)
{
    if (ended(a)) {
        return mcx_refuse(a->why, MCX_E_EXPIRED, "the group key has expired", "TS 33.180 E.6.10");
    }
    return MCX_OK;
}

/* Replaces the groups of a key; nothing has changed on error. */
static mcx_err set_groups(struct mcx_group_key *key, const struct names *names)
{
    char *copy[MCX_GROUP_KEY_GROUPS_MAX] = { NULL };
    mcx_err err = MCX_OK;

    for (size_t i = 0; i < names->num && err == MCX_OK; i++) {
        err = mcx_group_string(&copy[i], names->name[i]);
    }
    for (size_t i = 0; i < MCX_GROUP_KEY_GROUPS_MAX; i++) {
        char *unused = err == MCX_OK ? key->group[i] : copy[i];

        key->group[i] = err == MCX_OK ? copy[i] : key->group[i];
        free(unused);
    }
    key->num_groups = err == MCX_OK ? names->num : key->num_groups;
    return err;
}

static void set_times(struct mcx_group_key *key, const struct accepting *a)
{
    key->time = a->msg->time;
    key->activation = a->activation;
    key->expiry = a->msg->expiry;
}

static void revoke(struct mcx_group_key *key, const struct accepting *a)
{
    key->time = a->msg->time;
    key->revoked = true;
    mcx_key_clear(&key->key);
}

/* A new key with its strings, all but the secret. */
static mcx_err describe(struct mcx_group_key *key, const struct accepting *a)
{
    const struct mcx_imessage *m = a->msg;
    struct names names;

    key->type = m->type;
    key->key_id = m->key_id;
    key->guk_id = m->csb_id;
    memcpy(key->rand, m->rand, m->rand_len);
    key->rand_len = m->rand_len;
    key->rcc = m->rcc;
    key->roc_rate = m->roc_rate;
    set_times(key, a);
    MCX_TRY(names_of(&names, a, NULL));
    MCX_TRY(mcx_group_string(&key->gms, m->initiator));
    MCX_TRY(mcx_group_string(&key->user, m->responder));
    return set_groups(key, &names);
}

static mcx_err add(struct accepting *a, enum mcx_group_key_change *change)
{
    struct mcx_group_key key = { 0 };
    mcx_err err = a->revocation ? MCX_OK : expiry_check(a);

    MCX_TRY(err);
    err = describe(&key, a);
    err = err == MCX_OK ? mcx_group_keys_room(a->keys) : err;
    if (err != MCX_OK) {
        mcx_group_key_clear(&key);
        return err == MCX_E_SPACE ? mcx_refuse(a->why, err, "too many group keys are held", "") : err;
    }
    if (a->revocation) {
        revoke(&key, a);
    }
    a->keys->keys[a->keys->num_keys] = key;
    if (!a->revocation) { /* the secret goes to locked memory and nowhere else */
        a->keys->keys[a->keys->num_keys].key = a->msg->key;
    }
    mcx_group_keys_added(a->keys);
    *change = a->revocation ? MCX_GK_REVOKED : MCX_GK_NEW;
    return MCX_OK;
}

/* The first message about a GMK-ID fixes what every later one has to repeat: docs/DEVIATIONS.md "group-key-update". */
static mcx_err identity_check(const struct accepting *a, const struct mcx_group_key *held)
{
    const struct mcx_imessage *m = a->msg;

    if (held->revoked) {
        return mcx_refuse(a->why, MCX_E_POLICY, "the group key was revoked", "TS 33.180 E.6.9");
    }
    if (!held->expired && !mcx_ct_equal(held->key.octet, m->key.octet, MCX_KEY_LEN)) {
        return mcx_refuse(a->why, MCX_E_POLICY, "another key under an identifier that is held", "TS 33.180 5.2.3");
    }
    if (!mcx_bytes_equal(mcx_bytes(held->rand, held->rand_len), mcx_bytes(m->rand, m->rand_len)) ||
        held->rcc != m->rcc || held->roc_rate != m->roc_rate || held->guk_id != m->csb_id) {
        return mcx_refuse(a->why, MCX_E_POLICY, "the group key is held with another RAND or SRTP policy",
                          "TS 33.180 7.4.2");
    }
    return MCX_OK;
}

static mcx_err repeat(const struct accepting *a, struct mcx_group_key *held, enum mcx_group_key_change *change)
{
    struct names names;

    if (a->activation != held->activation || a->msg->expiry != held->expiry) {
        return mcx_refuse(a->why, MCX_E_REPLAY, "other times of the group key under the same time stamp",
                          "RFC 3830 5.4");
    }
    MCX_TRY(names_of(&names, a, held));
    *change = names.num == held->num_groups ? MCX_GK_SAME : MCX_GK_UPDATED;
    return names.num == held->num_groups ? MCX_OK : set_groups(held, &names);
}

static mcx_err update(const struct accepting *a, struct mcx_group_key *held, enum mcx_group_key_change *change)
{
    struct names names;

    MCX_TRY(names_of(&names, a, a->msg->num_groups == 0 ? held : NULL));
    MCX_TRY(set_groups(held, &names));
    set_times(held, a);
    held->expired = ended(a);
    if (held->expired) { /* the server has brought its end forward, and it came too late to say so in time */
        mcx_key_clear(&held->key);
    } else {
        held->key = a->msg->key;
    }
    *change = MCX_GK_UPDATED;
    return MCX_OK;
}

static mcx_err known(const struct accepting *a, struct mcx_group_key *held, enum mcx_group_key_change *change)
{
    enum mcx_group_key_change done = MCX_GK_SAME;
    mcx_err err = MCX_OK;

    if (strcmp(held->gms, a->msg->initiator) != 0 || strcmp(held->user, a->msg->responder) != 0) {
        return mcx_refuse(a->why, MCX_E_POLICY, "the group key is held from another server or for another user",
                          "TS 33.180 5.7.1");
    }
    if (mcx_group_earlier(a->msg->time, held->time)) {
        return mcx_refuse(a->why, MCX_E_REPLAY, "older than the last message about this group key", "RFC 3830 5.4");
    }
    if (a->revocation) {
        *change = held->revoked ? MCX_GK_SAME : MCX_GK_REVOKED;
        revoke(held, a);
        return MCX_OK;
    }
    MCX_TRY(identity_check(a, held));
    err = mcx_group_earlier(held->time, a->msg->time) ? update(a, held, &done) : repeat(a, held, &done);
    if (err == MCX_E_SPACE) {
        return mcx_refuse(a->why, err, "too many groups of one key", "");
    }
    MCX_TRY(err);
    *change = done;
    return MCX_OK;
}

static bool uri_ok(const char *uri)
{
    return uri[0] != '\0' && strlen(uri) < MCX_KMSDOC_URI_MAX;
}

mcx_err mcx_group_keys_accept(struct mcx_group_keys *keys, enum mcx_group_key_change *change,
                              const struct mcx_imessage *msg, const char *gms, const char *group, struct mcx_ntp now,
                              struct mcx_refusal *why)
{
    struct accepting a = {
        .keys = keys,
        .msg = msg,
        .gms = gms,
        .group = group,
        .unix_s = mcx_unix_of(now),
        .activation = msg->activation != 0 ? msg->activation : mcx_unix_of(msg->time),
        .revocation = msg->has_key_params && (msg->key_status & MCX_MIKEY_KP_VALID) == 0,
        .why = why,
    };
    struct mcx_group_key *held = NULL;

    if (!uri_ok(gms) || !uri_ok(group)) {
        return MCX_E_ARG;
    }
    MCX_TRY(source_check(&a));
    held = mcx_group_key_find(keys, msg->key_id);
    return held == NULL ? add(&a, change) : known(&a, held, change);
}
