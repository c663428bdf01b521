/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_GROUP_H
#define MCX_TESTS_GROUP_H

/* Opened messages of a group management server, as mcx_imessage_open() gives them; the GMK is that of [v1] of
 * media-srtp.txt. */

#include <mcx/group_keys.h>

#define GROUP_GMS    "sip:gms@example.org"
#define GROUP_FIRE   "sip:fire@example.org"
#define GROUP_RESCUE "sip:rescue@example.org"
#define GROUP_GMK_ID 0x09bf9d37u
#define GROUP_T0     1790000000u /* Unix seconds, T of the first message */

/** A GMK for a member: valid, no end, no groups named, T = GROUP_T0 + `t`. */
struct mcx_imessage group_msg(const char *member, uint32_t gmk_id, unsigned t);
void group_msg_bind(struct mcx_imessage *msg, const char *group);
struct mcx_ntp group_time(int64_t after);
/** A set of keys with that message accepted for GROUP_FIRE. */
struct mcx_group_keys *group_keys_with(const struct mcx_imessage *msg);
/** Accept for GROUP_FIRE, from GROUP_GMS, at group_time(`now`). */
mcx_err group_accept(struct mcx_group_keys *keys, enum mcx_group_key_change *change, const struct mcx_imessage *msg,
                     int64_t now, struct mcx_refusal *why);

#endif
