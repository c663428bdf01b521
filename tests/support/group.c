/* SPDX-License-Identifier: Apache-2.0 */
#include "support/group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

struct mcx_ntp group_time(int64_t after)
{
    return (struct mcx_ntp){ MCX_NTP_UNIX_OFFSET + (uint64_t)((int64_t)GROUP_T0 + after), 0 };
}

struct mcx_imessage group_msg(const char *member, uint32_t gmk_id, unsigned t)
{
    struct mcx_imessage m = { 0 };

    m.type = MCX_KEY_GMK;
    must(mcx_hex_read_exact(m.key.octet, MCX_KEY_LEN, mcx_bytes_str("fcfe65cd967c58d260b603ccb9a887a9")) == MCX_OK);
    must(mcx_hex_read_exact(m.rand, 16, mcx_bytes_str("6819e679461120e10ac458cce67b8024")) == MCX_OK);
    m.rand_len = 16;
    m.key_id = gmk_id;
    must(mcx_guk_id(&m.csb_id, gmk_id, &m.key, mcx_bytes_str(member)) == MCX_OK);
    m.time = group_time((int64_t)t);
    must(strlen(member) < sizeof m.responder);
    memcpy(m.initiator, GROUP_GMS, sizeof GROUP_GMS);
    memcpy(m.responder, member, strlen(member) + 1);
    m.rcc = true;
    m.roc_rate = 1;
    m.has_key_params = true;
    m.key_status = 1;
    return m;
}

void group_msg_bind(struct mcx_imessage *msg, const char *group)
{
    must(msg->num_groups < MCX_IMESSAGE_GROUPS_MAX && strlen(group) < MCX_KMSDOC_URI_MAX);
    memcpy(msg->groups[msg->num_groups++], group, strlen(group) + 1);
}

mcx_err group_accept(struct mcx_group_keys *keys, enum mcx_group_key_change *change, const struct mcx_imessage *msg,
                     int64_t now, struct mcx_refusal *why)
{
    return mcx_group_keys_accept(keys, change, msg, GROUP_GMS, GROUP_FIRE, group_time(now), why);
}

struct mcx_group_keys *group_keys_with(const struct mcx_imessage *msg)
{
    struct mcx_group_keys *keys = NULL;
    enum mcx_group_key_change change;

    must(mcx_group_keys_new(&keys) == MCX_OK);
    must(group_accept(keys, &change, msg, 0, NULL) == MCX_OK && change == MCX_GK_NEW);
    return keys;
}
