/* SPDX-License-Identifier: Apache-2.0 */
#include "support/held_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(mcx_err err, const char *what)
{
    if (err != MCX_OK) {
        fprintf(stderr, "group: %s: %s\n", what, mcx_err_name(err));
        abort();
    }
}

struct mcx_ntp held_now(uint64_t unix_s)
{
    return (struct mcx_ntp){ unix_s + MCX_NTP_UNIX_OFFSET, 0 };
}

void held_key_give(struct mcx_group_keys *keys, const char *group, uint32_t gmk_id, uint64_t activation,
                   uint64_t expiry, unsigned serial, bool revoked)
{
    struct mcx_imessage msg = { .type = MCX_KEY_GMK,
                                .key_id = gmk_id,
                                .rand_len = 16,
                                .time = held_now(HELD_TIME - 1000 + serial),
                                .has_key_params = true,
                                .key_status = revoked ? 0 : 1,
                                .activation = activation,
                                .expiry = expiry,
                                .num_groups = 1,
                                .rcc = true,
                                .roc_rate = 1 };
    enum mcx_group_key_change change = MCX_GK_SAME;

    memset(msg.key.octet, (int)(gmk_id & 0xff), sizeof msg.key.octet);
    memset(msg.rand, (int)(gmk_id >> 8 & 0xff), msg.rand_len);
    need(mcx_guk_id(&msg.csb_id, gmk_id, &msg.key, mcx_bytes_str(HELD_USER)), "GUK-ID");
    (void)snprintf(msg.initiator, sizeof msg.initiator, "%s", HELD_GMS);
    (void)snprintf(msg.responder, sizeof msg.responder, "%s", HELD_USER);
    (void)snprintf(msg.groups[0], sizeof msg.groups[0], "%s", group);
    need(mcx_group_keys_accept(keys, &change, &msg, HELD_GMS, group, held_now(HELD_TIME), NULL), "key");
    mcx_imessage_clear(&msg);
}

void held_info_give(struct mcx_group_keys *keys, const char *group, bool protect_media, bool protect_floor,
                    const char *temporary)
{
    const struct mcx_group_info info = { .group = group,
                                         .etag_group = "",
                                         .etag_gktp = "",
                                         .protect_media = protect_media,
                                         .protect_floor = protect_floor,
                                         .temporary = temporary };

    need(mcx_group_keys_put_info(keys, &info), "info");
}
