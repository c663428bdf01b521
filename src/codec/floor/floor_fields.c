/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of MCPT (TS 24.380 8.2.3), read and write of each side by side. */
#include "codec/floor/floor_fields.h"

#include <mcx/text.h>

/* ---- of fixed length ---- */

/* Value in the first octet, the second is spare. */
static mcx_err read_u8(void *member, struct mcx_rd *value)
{
    uint8_t spare = 0;

    MCX_TRY(mcx_rd_u8(value, member));
    return mcx_rd_u8(value, &spare);
}

static mcx_err write_u8(struct mcx_wr *out, const void *member)
{
    MCX_TRY(mcx_wr_u8(out, *(const uint8_t *)member));
    return mcx_wr_u8(out, 0);
}

/* Message Type: the subtype without its acknowledgement bit is what was acknowledged. */
static mcx_err read_acked(void *member, struct mcx_rd *value)
{
    MCX_TRY(read_u8(member, value));
    *(uint8_t *)member &= APP_SUBTYPES - 1;
    return MCX_OK;
}

static mcx_err write_acked(struct mcx_wr *out, const void *member)
{
    return *(const uint8_t *)member < APP_SUBTYPES ? write_u8(out, member) : MCX_E_ARG;
}

static mcx_err read_queue_info(void *member, struct mcx_rd *value)
{
    struct mcx_floor_msg *msg = member;

    MCX_TRY(mcx_rd_u8(value, &msg->queue_position));
    return mcx_rd_u8(value, &msg->queue_priority);
}

static mcx_err write_queue_info(struct mcx_wr *out, const void *member)
{
    const struct mcx_floor_msg *msg = member;

    MCX_TRY(mcx_wr_u8(out, msg->queue_position));
    return mcx_wr_u8(out, msg->queue_priority);
}

/* SSRC and 16 spare bits (8.2.3.16). */
static mcx_err read_ssrc(void *member, struct mcx_rd *value)
{
    uint16_t spare = 0;

    MCX_TRY(mcx_rd_u32(value, member));
    return mcx_rd_u16(value, &spare);
}

static mcx_err write_ssrc(struct mcx_wr *out, const void *member)
{
    MCX_TRY(mcx_wr_u32(out, *(const uint32_t *)member));
    return mcx_wr_u16(out, 0);
}

/* ---- of variable length ---- */

static mcx_err read_cause(void *member, struct mcx_rd *value)
{
    struct mcx_floor_msg *msg = member;

    MCX_TRY(mcx_rd_u16(value, &msg->cause));
    return mcx_app_text_read(&msg->cause_text, value);
}

static mcx_err write_cause(struct mcx_wr *out, const void *member)
{
    const struct mcx_floor_msg *msg = member;

    MCX_TRY(mcx_wr_u16(out, msg->cause));
    return mcx_app_text_write(out, &msg->cause_text);
}

/* The participant type is padded to a multiple of 4; then come one or more references of 4 octets (8.2.3.13). */
static mcx_err read_track_info(void *member, struct mcx_rd *value)
{
    struct mcx_floor_msg *msg = member;
    struct mcx_bytes skipped;

    MCX_TRY(mcx_rd_u8(value, &msg->track_queueing));
    MCX_TRY(mcx_rd_vec8(value, &msg->track_type));
    MCX_TRY(mcx_rd_take(value, (4 - msg->track_type.len % 4) % 4, &skipped));
    MCX_TRY(mcx_rd_take(value, value->len, &msg->track_refs));
    return msg->track_refs.len > 0 && msg->track_refs.len % 4 == 0 ? MCX_OK : MCX_E_FORMAT;
}

static mcx_err write_track_info(struct mcx_wr *out, const void *member)
{
    const struct mcx_floor_msg *msg = member;
    uint8_t *zeros = NULL;

    if (msg->track_refs.len == 0 || msg->track_refs.len % 4 != 0) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(out, msg->track_queueing));
    MCX_TRY(mcx_wr_vec8(out, msg->track_type));
    MCX_TRY(mcx_wr_space(out, (4 - msg->track_type.len % 4) % 4, &zeros));
    return mcx_wr_put(out, msg->track_refs);
}

/* Octets after the type (8.2.3.21); that of the altitude is docs/DEVIATIONS.md "floor-location". */
static const uint8_t location_len[] = { [0] = 0, [1] = 7, [2] = 5, [3] = 3, [4] = 2, [5] = 1, [6] = 6, [7] = 2 };

static mcx_err take_location(struct mcx_bytes *out, struct mcx_rd *rd)
{
    struct mcx_rd peek = *rd;
    uint8_t type = 0;

    MCX_TRY(mcx_rd_u8(&peek, &type));
    if (type >= sizeof location_len) {
        return MCX_E_FORMAT;
    }
    return mcx_rd_take(rd, 1 + (size_t)location_len[type], out);
}

static mcx_err read_location(void *member, struct mcx_rd *value)
{
    return take_location(member, value);
}

static mcx_err put_location(struct mcx_wr *out, struct mcx_bytes location)
{
    struct mcx_rd rd = mcx_rd(location);
    struct mcx_bytes whole = { 0 };

    return take_location(&whole, &rd) == MCX_OK && rd.len == 0 ? mcx_wr_put(out, location) : MCX_E_ARG;
}

static mcx_err write_location(struct mcx_wr *out, const void *member)
{
    return put_location(out, *(const struct mcx_bytes *)member);
}

/* ---- lists: a count, then the entries ---- */

static mcx_err read_count(size_t *num, struct mcx_rd *value)
{
    uint8_t count = 0;

    MCX_TRY(mcx_rd_u8(value, &count));
    if (count > MCX_FLOOR_LIST_MAX) {
        return MCX_E_SPACE;
    }
    *num = count;
    return MCX_OK;
}

static mcx_err write_count(struct mcx_wr *out, size_t num)
{
    return num <= MCX_FLOOR_LIST_MAX ? mcx_wr_u8(out, (uint8_t)num) : MCX_E_ARG;
}

static mcx_err read_names(struct mcx_bytes *list, size_t *num, struct mcx_rd *value)
{
    MCX_TRY(read_count(num, value));
    for (size_t i = 0; i < *num; i++) {
        MCX_TRY(mcx_rd_vec8(value, &list[i]));
        if (list[i].len == 0 || !mcx_utf8_ok(list[i])) {
            return MCX_E_FORMAT;
        }
    }
    return MCX_OK;
}

static mcx_err write_names(struct mcx_wr *out, const struct mcx_bytes *list, size_t num)
{
    MCX_TRY(write_count(out, num));
    for (size_t i = 0; i < num; i++) {
        if (list[i].len == 0 || !mcx_utf8_ok(list[i])) {
            return MCX_E_ARG;
        }
        MCX_TRY(mcx_wr_vec8(out, list[i]));
    }
    return MCX_OK;
}

#define NAMES(field, list, num)                                                                                        \
    static mcx_err read_##field(void *member, struct mcx_rd *value)                                                    \
    {                                                                                                                  \
        struct mcx_floor_msg *msg = member;                                                                            \
                                                                                                                       \
        return read_names(msg->list, &msg->num, value);                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static mcx_err write_##field(struct mcx_wr *out, const void *member)                                               \
    {                                                                                                                  \
        const struct mcx_floor_msg *msg = member;                                                                      \
                                                                                                                       \
        return write_names(out, msg->list, msg->num);                                                                  \
    }

NAMES(granted_users, granted_user, num_granted_users)
NAMES(aliases, alias, num_aliases)
NAMES(queued_users, list_queued_user, num_list_queued_users)

/* Count, one spare octet, SSRCs: docs/DEVIATIONS.md "floor-ssrc-list". */
static mcx_err read_ssrcs(void *member, struct mcx_rd *value)
{
    struct mcx_floor_msg *msg = member;
    uint8_t spare = 0;

    MCX_TRY(read_count(&msg->num_ssrcs, value));
    MCX_TRY(mcx_rd_u8(value, &spare));
    for (size_t i = 0; i < msg->num_ssrcs; i++) {
        MCX_TRY(mcx_rd_u32(value, &msg->list_ssrc[i]));
    }
    return MCX_OK;
}

static mcx_err write_ssrcs(struct mcx_wr *out, const void *member)
{
    const struct mcx_floor_msg *msg = member;

    MCX_TRY(write_count(out, msg->num_ssrcs));
    MCX_TRY(mcx_wr_u8(out, 0));
    for (size_t i = 0; i < msg->num_ssrcs; i++) {
        MCX_TRY(mcx_wr_u32(out, msg->list_ssrc[i]));
    }
    return MCX_OK;
}

static mcx_err read_locations(void *member, struct mcx_rd *value)
{
    struct mcx_floor_msg *msg = member;

    MCX_TRY(read_count(&msg->num_locations, value));
    for (size_t i = 0; i < msg->num_locations; i++) {
        MCX_TRY(take_location(&msg->list_location[i], value));
    }
    return MCX_OK;
}

static mcx_err write_locations(struct mcx_wr *out, const void *member)
{
    const struct mcx_floor_msg *msg = member;

    MCX_TRY(write_count(out, msg->num_locations));
    for (size_t i = 0; i < msg->num_locations; i++) {
        MCX_TRY(put_location(out, msg->list_location[i]));
    }
    return MCX_OK;
}

#define AT(member)  offsetof(struct mcx_floor_msg, member)
#define U8(member)  2, 2, AT(member), read_u8, write_u8
#define U16(member) 2, 2, AT(member), mcx_app_u16_read, mcx_app_u16_write
#define ID(member)  1, UINT8_MAX, AT(member), mcx_app_text_read, mcx_app_text_write
#define LIST(name)  1, UINT8_MAX, 0, read_##name, write_##name

/* Table 8.2.3.1-2: index = ID. */
const struct app_field mcx_floor_fields[MCX_FLOOR_NUM_FIELDS] = {
    { MCX_FF_PRIORITY, { "Floor Priority", "TS 24.380 8.2.3.2" }, U8(priority) },
    { MCX_FF_DURATION, { "Duration", "TS 24.380 8.2.3.3" }, U16(duration) },
    { MCX_FF_CAUSE, { "Reject Cause", "TS 24.380 8.2.3.4" }, 2, UINT8_MAX, 0, read_cause, write_cause },
    { MCX_FF_QUEUE_INFO, { "Queue Info", "TS 24.380 8.2.3.5" }, 2, 2, 0, read_queue_info, write_queue_info },
    { MCX_FF_GRANTED_PARTY, { "Granted Party's Identity", "TS 24.380 8.2.3.6" }, ID(granted_party) },
    { MCX_FF_PERMISSION, { "Permission to Request the Floor", "TS 24.380 8.2.3.7" }, U16(permission) },
    { MCX_FF_USER_ID, { "User ID", "TS 24.380 8.2.3.8" }, ID(user_id) },
    { MCX_FF_QUEUE_SIZE, { "Queue Size", "TS 24.380 8.2.3.9" }, U16(queue_size) },
    { MCX_FF_SEQUENCE, { "Message Sequence Number", "TS 24.380 8.2.3.10" }, U16(sequence) },
    { MCX_FF_QUEUED_USER, { "Queued User ID", "TS 24.380 8.2.3.11" }, ID(queued_user) },
    { MCX_FF_SOURCE, { "Source", "TS 24.380 8.2.3.12" }, U16(source) },
    { MCX_FF_TRACK_INFO, { "Track Info", "TS 24.380 8.2.3.13" }, 6, UINT8_MAX, 0, read_track_info, write_track_info },
    { MCX_FF_MESSAGE_TYPE, { "Message Type", "TS 24.380 8.2.3.14" }, 2, 2, AT(acked_type), read_acked, write_acked },
    { MCX_FF_INDICATOR, { "Floor Indicator", "TS 24.380 8.2.3.15" }, U16(indicator) },
    { MCX_FF_SSRC,
      { "Audio SSRC of Granted Participant", "TS 24.380 8.2.3.16" },
      6,
      6,
      AT(granted_ssrc),
      read_ssrc,
      write_ssrc },
    { MCX_FF_GRANTED_USERS, { "List of Granted Users", "TS 24.380 8.2.3.17" }, LIST(granted_users) },
    { MCX_FF_SSRCS, { "List of SSRCs", "TS 24.380 8.2.3.18" }, LIST(ssrcs) },
    { MCX_FF_FUNCTIONAL_ALIAS, { "Functional Alias", "TS 24.380 8.2.3.19" }, ID(functional_alias) },
    { MCX_FF_FUNCTIONAL_ALIASES, { "List of Functional Aliases", "TS 24.380 8.2.3.20" }, LIST(aliases) },
    { MCX_FF_LOCATION,
      { "Location", "TS 24.380 8.2.3.21" },
      1,
      UINT8_MAX,
      AT(location),
      read_location,
      write_location },
    { MCX_FF_LOCATIONS, { "List of Locations", "TS 24.380 8.2.3.22" }, LIST(locations) },
    { MCX_FF_QUEUED_PURPOSE, { "Queued Floor Requests Purpose", "TS 24.380 8.2.3.23" }, U16(queued_purpose) },
    { MCX_FF_QUEUED_USERS, { "List of Queued Users", "TS 24.380 8.2.3.24" }, LIST(queued_users) },
    { MCX_FF_RESPONSE_STATE, { "Response State", "TS 24.380 8.2.3.25" }, U16(response_state) },
    { MCX_FF_MEDIA_FLOW, { "Media Flow Control Indicator", "TS 24.380 8.2.3.26" }, U16(media_flow) },
    { MCX_FF_REVOKE_USER, { "Floor Revoke Request User ID", "TS 24.380 8.2.3.27" }, ID(revoke_user) },
};
