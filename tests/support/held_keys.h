/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_HELD_KEYS_H
#define MCX_TESTS_HELD_KEYS_H

/* Group keys without cryptography: what an accepted message of the GMS leaves. */
#include <mcx/group_keys.h>

#define HELD_GMS  "sip:gms@lab.example.org"
#define HELD_USER "sip:alice@lab.example.org"
#define HELD_ONE  "sip:north@lab.example.org"
#define HELD_TWO  "sip:south@lab.example.org"
#define HELD_BOTH "sip:joint@lab.example.org" /* temporary group */
#define HELD_TIME UINT64_C(1800000000)        /* Unix seconds, "now" of the tests */

struct mcx_ntp held_now(uint64_t unix_s);
/** A GMK for one group, usable from `activation` to `expiry` (0 = for ever), accepted at HELD_TIME plus `serial`
 * seconds; aborts when it is not taken. `revoked`: the message withdraws the key. */
void held_key_give(struct mcx_group_keys *keys, const char *group, uint32_t gmk_id, uint64_t activation,
                   uint64_t expiry, unsigned serial, bool revoked);
/** What a group document says; aborts when it is not taken. */
void held_info_give(struct mcx_group_keys *keys, const char *group, bool protect_media, bool protect_floor,
                    const char *temporary);

#endif
