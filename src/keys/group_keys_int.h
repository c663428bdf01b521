/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KEYS_GROUP_KEYS_INT_H
#define MCX_KEYS_GROUP_KEYS_INT_H

/* Group keys in memory; shared by group_keys.c (what is held), group_keys_accept.c and group_keys_format.c. */

#include <mcx/group_keys.h>

/** Where the key of an identifier is. */
struct mcx_group_place {
    uint32_t key_id;
    uint16_t at;
};

struct mcx_group_keys {
    uint64_t serial;
    struct mcx_group_key *keys; /* locked memory */
    size_t num_keys, cap_keys;
    struct mcx_group_place places[MCX_GROUP_KEYS_MAX]; /* num_keys of them, by key_id: each packet of speech asks */
    struct mcx_group_info *infos; /* strings on the heap */
    size_t num_infos;
};

/** NULL when the identifier is not known. */
struct mcx_group_key *mcx_group_key_find(const struct mcx_group_keys *keys, uint32_t key_id);
bool mcx_group_key_in(const struct mcx_group_key *key, const char *group);
/** Of no use any more, now or ever: revoked or found expired. */
bool mcx_group_key_dead(const struct mcx_group_key *key);
bool mcx_group_key_over(const struct mcx_group_key *key, uint64_t unix_s);
bool mcx_group_earlier(struct mcx_ntp a, struct mcx_ntp b);
/** Wipe and release the strings. */
void mcx_group_key_clear(struct mcx_group_key *key);
/** Room for one more at `keys->keys[keys->num_keys]`, zeroed; a dead key may go for it. Pointers into the array are
 * void.
 * @retval MCX_E_SPACE @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_group_keys_room(struct mcx_group_keys *keys);
/** The key in that room, whose identifier is not known yet, is held from now on. */
void mcx_group_keys_added(struct mcx_group_keys *keys);
/** A string on the heap. @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_group_string(char **out, const char *s);

#endif
