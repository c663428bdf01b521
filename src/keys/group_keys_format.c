/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed form of group keys (src/keys/sealed.h), and inside it:
 *
 *   keys    number 2; each: type 1 | flags 1 (1 = revoked, 2 = expired, 4 = RCCm3) | key 16 | key_id 4 | guk_id 4 |
 *           length of RAND 1, RAND | roc_rate 2 | activation 8 | expiry 8 | T 8 + 4 | strings gms, user |
 *           number of groups 1, strings
 *   groups  number 2; each: flags 1 (1 = protect media, 2 = protect floor, 4 = multicast floor) |
 *           strings group, etag_group, etag_gktp, temporary
 */
#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>

#include "keys/group_keys_int.h"
#include "keys/sealed.h"

#define GROUP_KEYS_VERSION 1

static const struct sealed_form form = {
    .magic = "mcxgroup",
    .version = GROUP_KEYS_VERSION,
    .too_large = "the file of group keys is larger than 1 MiB",
    .cut = "the file of group keys is cut short",
    .other = "the file holds no group keys",
    .version_other = "the file of group keys has another format version",
    .altered = "the group keys were sealed under another key, or altered",
    .malformed = "the contents of the file of group keys are malformed",
    .older = "the file of group keys is older than the one seen before",
};

enum { KEY_REVOKED = 1, KEY_EXPIRED = 2, KEY_RCC = 4 };
enum { INFO_MEDIA = 1, INFO_FLOOR = 2, INFO_MULTICAST = 4 };

static mcx_err put_key(struct mcx_wr *wr, const struct mcx_group_key *key)
{
    unsigned flags = (key->revoked ? KEY_REVOKED : 0) | (key->expired ? KEY_EXPIRED : 0) | (key->rcc ? KEY_RCC : 0);

    MCX_TRY(mcx_wr_u8(wr, (uint8_t)key->type));
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)flags));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(key->key.octet, sizeof key->key.octet)));
    MCX_TRY(mcx_wr_u32(wr, key->key_id));
    MCX_TRY(mcx_wr_u32(wr, key->guk_id));
    MCX_TRY(mcx_wr_vec8(wr, mcx_bytes(key->rand, key->rand_len)));
    MCX_TRY(mcx_wr_u16(wr, key->roc_rate));
    MCX_TRY(mcx_wr_u64(wr, key->activation));
    MCX_TRY(mcx_wr_u64(wr, key->expiry));
    MCX_TRY(mcx_wr_u64(wr, key->time.sec));
    MCX_TRY(mcx_wr_u32(wr, key->time.frac));
    MCX_TRY(mcx_sealed_put_string(wr, key->gms));
    MCX_TRY(mcx_sealed_put_string(wr, key->user));
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)key->num_groups));
    for (size_t i = 0; i < key->num_groups; i++) {
        MCX_TRY(mcx_sealed_put_string(wr, key->group[i]));
    }
    return MCX_OK;
}

static mcx_err take_groups(struct mcx_group_key *key, struct mcx_rd *rd)
{
    uint8_t num = 0;

    MCX_TRY(mcx_rd_u8(rd, &num));
    if (num > MCX_GROUP_KEY_GROUPS_MAX) {
        return MCX_E_FORMAT;
    }
    for (size_t i = 0; i < num; i++) {
        MCX_TRY(mcx_sealed_take_string(&key->group[i], rd));
        if (key->group[i] == NULL) {
            return MCX_E_FORMAT;
        }
        key->num_groups++;
    }
    return MCX_OK;
}

static mcx_err take_kind(struct mcx_group_key *key, struct mcx_rd *rd)
{
    uint8_t type = 0;
    uint8_t flags = 0;

    MCX_TRY(mcx_rd_u8(rd, &type));
    MCX_TRY(mcx_rd_u8(rd, &flags));
    if ((type != MCX_KEY_GMK && type != MCX_KEY_MKFC) || flags > (KEY_REVOKED | KEY_EXPIRED | KEY_RCC)) {
        return MCX_E_FORMAT;
    }
    key->type = type == MCX_KEY_GMK ? MCX_KEY_GMK : MCX_KEY_MKFC;
    key->revoked = (flags & KEY_REVOKED) != 0;
    key->expired = (flags & KEY_EXPIRED) != 0;
    key->rcc = (flags & KEY_RCC) != 0;
    return MCX_OK;
}

static mcx_err take_key(struct mcx_group_key *key, struct mcx_rd *rd)
{
    struct mcx_bytes rand;

    MCX_TRY(take_kind(key, rd));
    MCX_TRY(mcx_rd_copy(rd, key->key.octet, sizeof key->key.octet));
    MCX_TRY(mcx_rd_u32(rd, &key->key_id));
    MCX_TRY(mcx_rd_u32(rd, &key->guk_id));
    MCX_TRY(mcx_rd_vec8(rd, &rand));
    memcpy(key->rand, rand.p, rand.len);
    key->rand_len = rand.len;
    MCX_TRY(mcx_rd_u16(rd, &key->roc_rate));
    MCX_TRY(mcx_rd_u64(rd, &key->activation));
    MCX_TRY(mcx_rd_u64(rd, &key->expiry));
    MCX_TRY(mcx_rd_u64(rd, &key->time.sec));
    MCX_TRY(mcx_rd_u32(rd, &key->time.frac));
    MCX_TRY(mcx_sealed_take_string(&key->gms, rd));
    MCX_TRY(mcx_sealed_take_string(&key->user, rd));
    MCX_TRY(take_groups(key, rd));
    return key->gms != NULL && key->user != NULL && rand.len > 0 ? MCX_OK : MCX_E_FORMAT;
}

static mcx_err take_keys(struct mcx_group_keys *keys, struct mcx_rd *rd)
{
    uint16_t num = 0;

    MCX_TRY(mcx_rd_u16(rd, &num));
    if (num > MCX_GROUP_KEYS_MAX) {
        return MCX_E_FORMAT;
    }
    for (uint16_t i = 0; i < num; i++) {
        struct mcx_group_key *key = NULL;
        mcx_err err;

        MCX_TRY(mcx_group_keys_room(keys));
        key = &keys->keys[keys->num_keys];
        err = take_key(key, rd);
        err = err == MCX_OK && mcx_group_key_find(keys, key->key_id) != NULL ? MCX_E_FORMAT : err;
        if (err != MCX_OK) {
            mcx_group_key_clear(key); /* it is not counted yet */
            return err;
        }
        mcx_group_keys_added(keys);
    }
    return MCX_OK;
}

static mcx_err put_info(struct mcx_wr *wr, const struct mcx_group_info *info)
{
    unsigned flags = (info->protect_media ? INFO_MEDIA : 0) | (info->protect_floor ? INFO_FLOOR : 0) |
                     (info->multicast_floor ? INFO_MULTICAST : 0);

    MCX_TRY(mcx_wr_u8(wr, (uint8_t)flags));
    MCX_TRY(mcx_sealed_put_string(wr, info->group));
    MCX_TRY(mcx_sealed_put_string(wr, info->etag_group));
    MCX_TRY(mcx_sealed_put_string(wr, info->etag_gktp));
    return mcx_sealed_put_string(wr, info->temporary);
}

static mcx_err take_info(struct mcx_group_keys *keys, struct mcx_rd *rd)
{
    struct mcx_group_info info = { 0 };
    char *s[4] = { NULL, NULL, NULL, NULL };
    uint8_t flags = 0;
    mcx_err err = mcx_rd_u8(rd, &flags);

    for (size_t i = 0; i < 4 && err == MCX_OK; i++) {
        err = mcx_sealed_take_string(&s[i], rd);
    }
    info.group = s[0];
    info.etag_group = s[1];
    info.etag_gktp = s[2];
    info.temporary = s[3];
    info.protect_media = (flags & INFO_MEDIA) != 0;
    info.protect_floor = (flags & INFO_FLOOR) != 0;
    info.multicast_floor = (flags & INFO_MULTICAST) != 0;
    err = err == MCX_OK && flags > (INFO_MEDIA | INFO_FLOOR | INFO_MULTICAST) ? MCX_E_FORMAT : err;
    err = err == MCX_OK ? mcx_group_keys_put_info(keys, &info) : err;
    for (size_t i = 0; i < 4; i++) {
        free(s[i]);
    }
    return err;
}

static mcx_err take_all(void *ctx, struct mcx_rd *rd)
{
    struct mcx_group_keys *keys = ctx;
    uint16_t num = 0;

    MCX_TRY(take_keys(keys, rd));
    MCX_TRY(mcx_rd_u16(rd, &num));
    for (uint16_t i = 0; i < num; i++) {
        MCX_TRY(take_info(keys, rd));
    }
    return MCX_OK;
}

static mcx_err put_all(struct mcx_wr *wr, const struct mcx_group_keys *keys)
{
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)keys->num_keys));
    for (size_t i = 0; i < keys->num_keys; i++) {
        MCX_TRY(put_key(wr, &keys->keys[i]));
    }
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)keys->num_infos));
    for (size_t i = 0; i < keys->num_infos; i++) {
        MCX_TRY(put_info(wr, &keys->infos[i]));
    }
    return MCX_OK;
}

/* An upper bound of what put_all() writes. */
static size_t plain_bound(const struct mcx_group_keys *keys)
{
    size_t n = 4;

    for (size_t i = 0; i < keys->num_keys; i++) {
        const struct mcx_group_key *key = &keys->keys[i];

        n += sizeof *key + mcx_sealed_string_len(key->gms) + mcx_sealed_string_len(key->user);
        for (size_t k = 0; k < key->num_groups; k++) {
            n += mcx_sealed_string_len(key->group[k]);
        }
    }
    for (size_t i = 0; i < keys->num_infos; i++) {
        const struct mcx_group_info *info = &keys->infos[i];

        n += 1 + mcx_sealed_string_len(info->group) + mcx_sealed_string_len(info->etag_group) +
             mcx_sealed_string_len(info->etag_gktp) + mcx_sealed_string_len(info->temporary);
    }
    return n;
}

mcx_err mcx_group_keys_seal(uint8_t **out, size_t *len, struct mcx_group_keys *keys,
                            const uint8_t key[MCX_STORE_KEY_LEN], const struct mcx_rng *rng)
{
    size_t bound = plain_bound(keys);
    struct mcx_wr plain = { 0 };
    mcx_err err = MCX_OK;

    if (bound > 2 * MCX_STORE_MAX) { /* what is written is shorter */
        return MCX_E_SPACE;
    }
    plain = mcx_wr(mcx_secret_alloc(bound), bound);
    if (plain.p == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_GO(err, put_all(&plain, keys));
    MCX_GO(err, mcx_sealed_write(out, len, &form, keys->serial + 1, mcx_wr_done(&plain), key, rng));
    keys->serial++;
out:
    mcx_secret_free(plain.p);
    return err;
}

mcx_err mcx_group_keys_open(struct mcx_group_keys **out, struct mcx_bytes sealed, const uint8_t key[MCX_STORE_KEY_LEN],
                            uint64_t min_serial, struct mcx_refusal *why)
{
    struct mcx_group_keys *keys = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_group_keys_new(&keys));
    err = mcx_sealed_read(&keys->serial, &form, sealed, key, min_serial, take_all, keys, why);
    if (err != MCX_OK) {
        mcx_group_keys_free(keys);
        return err;
    }
    *out = keys;
    return MCX_OK;
}
