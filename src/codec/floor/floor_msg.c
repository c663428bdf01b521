/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of MCPT (TS 24.380 8.2.2, 8.2.4 to 8.2.17). */
#include <string.h>

#include "codec/floor/floor_fields.h"

#define QUEUE                                                                                                          \
    MCX_FLOOR_NUM_FIELDS /* in Floor Granted, off-network: SSRC, Queued User ID, Queue Info of each queued user */

#define F(field) MCX_FF_##field

/* Table 8.2.2.1-1; fields in the order of 8.2.4 to 8.2.17. Those of 7, 11, 14, 15: docs/DEVIATIONS.md
 * "floor-late-messages". */
static const struct app_message messages[APP_SUBTYPES] = {
    [MCX_FLOOR_REQUEST] = { "floor-request",
                            "TS 24.380 8.2.4",
                            false,
                            6,
                            { F(PRIORITY), F(USER_ID), F(TRACK_INFO), F(INDICATOR), F(FUNCTIONAL_ALIAS),
                              F(LOCATION) } },
    [MCX_FLOOR_GRANTED] = { "floor-granted",
                            "TS 24.380 8.2.5",
                            true,
                            8,
                            { F(DURATION), F(SSRC), F(PRIORITY), F(USER_ID), F(QUEUE_SIZE), QUEUE, F(TRACK_INFO),
                              F(INDICATOR) } },
    [MCX_FLOOR_TAKEN] = { "floor-taken",
                          "TS 24.380 8.2.9",
                          true,
                          13,
                          { F(GRANTED_PARTY), F(PERMISSION), F(USER_ID), F(SEQUENCE), F(TRACK_INFO), F(INDICATOR),
                            F(SSRC), F(FUNCTIONAL_ALIAS), F(GRANTED_USERS), F(SSRCS), F(FUNCTIONAL_ALIASES),
                            F(LOCATION), F(LOCATIONS) } },
    [MCX_FLOOR_DENY] = { "floor-deny",
                         "TS 24.380 8.2.6",
                         true,
                         4,
                         { F(CAUSE), F(USER_ID), F(TRACK_INFO), F(INDICATOR) } },
    [MCX_FLOOR_RELEASE] = { "floor-release", "TS 24.380 8.2.7", true, 3, { F(USER_ID), F(TRACK_INFO), F(INDICATOR) } },
    [MCX_FLOOR_IDLE] = { "floor-idle", "TS 24.380 8.2.8", true, 3, { F(SEQUENCE), F(TRACK_INFO), F(INDICATOR) } },
    [MCX_FLOOR_REVOKE] = { "floor-revoke", "TS 24.380 8.2.10", false, 3, { F(CAUSE), F(TRACK_INFO), F(INDICATOR) } },
    [MCX_FLOOR_REVOKE_REQUEST] = { "floor-revoke-request",
                                   "TS 24.380 8.2.17",
                                   false,
                                   3,
                                   { F(REVOKE_USER), F(TRACK_INFO), F(INDICATOR) } },
    [MCX_FLOOR_QUEUE_POSITION_REQUEST] = { "floor-queue-position-request",
                                           "TS 24.380 8.2.11",
                                           false,
                                           2,
                                           { F(USER_ID), F(TRACK_INFO) } },
    [MCX_FLOOR_QUEUE_POSITION_INFO] = { "floor-queue-position-info",
                                        "TS 24.380 8.2.12",
                                        true,
                                        6,
                                        { F(USER_ID), F(SSRC), F(QUEUED_USER), F(QUEUE_INFO), F(TRACK_INFO),
                                          F(INDICATOR) } },
    [MCX_FLOOR_ACK] = { "floor-ack", "TS 24.380 8.2.13", false, 3, { F(SOURCE), F(MESSAGE_TYPE), F(TRACK_INFO) } },
    [MCX_FLOOR_MEDIA_FLOW_CONTROL] = { "unicast-media-flow-control",
                                       "TS 24.380 8.2.16",
                                       true,
                                       2,
                                       { F(MEDIA_FLOW), F(TRACK_INFO) } },
    [MCX_FLOOR_QUEUED] = { "queued-floor-requests",
                           "TS 24.380 8.2.15",
                           true,
                           4,
                           { F(QUEUED_PURPOSE), F(QUEUED_USERS), F(RESPONSE_STATE), F(TRACK_INFO) } },
    [MCX_FLOOR_RELEASE_MULTI_TALKER] = { "floor-release-multi-talker",
                                         "TS 24.380 8.2.14",
                                         false,
                                         5,
                                         { F(USER_ID), F(FUNCTIONAL_ALIAS), F(SSRC), F(TRACK_INFO), F(INDICATOR) } },
};

static const struct app_protocol mcpt = { "MCPT", messages, mcx_floor_fields, MCX_FLOOR_NUM_FIELDS };

const char *mcx_floor_type_name(enum mcx_floor_type type)
{
    return (unsigned)type < APP_SUBTYPES ? messages[type].name : NULL;
}

const char *mcx_floor_type_clause(enum mcx_floor_type type)
{
    return (unsigned)type < APP_SUBTYPES ? messages[type].clause : NULL;
}

uint32_t mcx_floor_type_fields(enum mcx_floor_type type)
{
    uint32_t mask = 0;

    for (size_t i = 0; (unsigned)type < APP_SUBTYPES && i < messages[type].num; i++) {
        mask |= messages[type].fields[i] == QUEUE ? 0 : MCX_FF(messages[type].fields[i]);
    }
    return mask;
}

const struct mcx_app_field_info *mcx_floor_field_info(unsigned id)
{
    return id < MCX_FLOOR_NUM_FIELDS ? &mcx_floor_fields[id].info : NULL;
}

/* ---- queued users of Floor Granted ---- */

/* An entry that is being read: what of it has been there. */
struct entry {
    bool user;
    bool info;
};

static mcx_err refuse_entry(struct mcx_refusal *why, const char *reason)
{
    return mcx_refuse(why, MCX_E_FORMAT, reason, "TS 24.380 8.2.5");
}

static mcx_err entry_end(const struct mcx_floor_msg *msg, const struct entry *entry, struct mcx_refusal *why)
{
    if (msg->num_queued > 0 && !(entry->user && entry->info)) {
        return refuse_entry(why, "a queued user lacks its identity or its place");
    }
    return MCX_OK;
}

static mcx_err entry_begin(struct mcx_floor_msg *msg, struct entry *entry, struct mcx_bytes value,
                           struct mcx_refusal *why)
{
    struct mcx_floor_msg one;

    MCX_TRY(entry_end(msg, entry, why));
    if (msg->num_queued == MCX_FLOOR_LIST_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, "more queued users than are taken", "TS 24.380 8.2.5");
    }
    MCX_TRY(mcx_app_value_read(&one, &mcx_floor_fields[MCX_FF_SSRC], value, why));
    msg->queued[msg->num_queued++] = (struct mcx_floor_queued){ .ssrc = one.granted_ssrc };
    *entry = (struct entry){ 0 };
    return MCX_OK;
}

static mcx_err entry_part(struct mcx_floor_msg *msg, struct entry *entry, const struct mcx_app_field *f,
                          struct mcx_refusal *why)
{
    bool *seen = f->id == MCX_FF_QUEUED_USER ? &entry->user : &entry->info;
    struct mcx_floor_queued *q;
    struct mcx_floor_msg one;

    if (msg->num_queued == 0 || *seen) {
        return refuse_entry(why, "a queued user has no SSRC before it, or a part twice");
    }
    MCX_TRY(mcx_app_value_read(&one, &mcx_floor_fields[f->id], f->value, why));
    *seen = true;
    q = &msg->queued[msg->num_queued - 1];
    if (f->id == MCX_FF_QUEUED_USER) {
        q->user = one.queued_user;
    } else {
        q->position = one.queue_position;
        q->priority = one.queue_priority;
    }
    return MCX_OK;
}

static mcx_err write_queue(struct mcx_wr *out, const struct mcx_floor_msg *msg)
{
    static const uint8_t parts[] = { MCX_FF_SSRC, MCX_FF_QUEUED_USER, MCX_FF_QUEUE_INFO };

    for (size_t i = 0; i < msg->num_queued; i++) {
        const struct mcx_floor_queued *q = &msg->queued[i];
        const struct mcx_floor_msg one = { .granted_ssrc = q->ssrc,
                                           .queued_user = q->user,
                                           .queue_position = q->position,
                                           .queue_priority = q->priority };

        for (size_t j = 0; j < sizeof parts; j++) {
            MCX_TRY(mcx_app_field_write(out, &mcx_floor_fields[parts[j]], &one));
        }
    }
    return MCX_OK;
}

/* ---- messages ---- */

/* The first SSRC of Floor Granted is that of the talker, each later one begins a queued user ("floor-granted-queue").
 */
static bool of_queue(const struct mcx_floor_msg *msg, unsigned id)
{
    return msg->type == MCX_FLOOR_GRANTED && (id == MCX_FF_QUEUED_USER || id == MCX_FF_QUEUE_INFO ||
                                              (id == MCX_FF_SSRC && (msg->present & MCX_FF(MCX_FF_SSRC)) != 0));
}

static mcx_err take_field(struct mcx_floor_msg *msg, struct entry *entry, const struct mcx_app_field *f,
                          struct mcx_refusal *why)
{
    size_t i = mcx_app_field_find(&mcpt, f->id);

    if (of_queue(msg, f->id)) {
        return f->id == MCX_FF_SSRC ? entry_begin(msg, entry, f->value, why) : entry_part(msg, entry, f, why);
    }
    if (i == MCX_FLOOR_NUM_FIELDS || !mcx_app_may_have(&messages[msg->type], i)) {
        return MCX_OK; /* stepped over (8.1.4; "floor-field-elsewhere") */
    }
    if ((msg->present & MCX_FF(i)) != 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "a field is there twice", mcx_floor_fields[i].info.clause);
    }
    msg->present |= MCX_FF(i);
    return mcx_app_value_read(msg, &mcx_floor_fields[i], f->value, why);
}

mcx_err mcx_floor_read(struct mcx_floor_msg *out, struct mcx_bytes packet, struct mcx_refusal *why)
{
    struct mcx_floor_msg msg = { 0 };
    struct entry entry = { 0 };
    struct app_head head = { 0 };
    struct mcx_rd rd;

    MCX_TRY(mcx_app_head_read(&head, &rd, &mcpt, packet, why));
    msg.type = head.type;
    msg.ack_wanted = head.ack_wanted;
    msg.ssrc = head.ssrc;
    while (rd.len > 0) {
        struct mcx_app_field f = { 0 };

        if (mcx_app_field_next(&f, &rd) != MCX_OK) {
            return mcx_refuse(why, MCX_E_TRUNC, "a field goes past the end of the message", "TS 24.380 8.2.3.1");
        }
        MCX_TRY(take_field(&msg, &entry, &f, why));
    }
    MCX_TRY(entry_end(&msg, &entry, why));
    *out = msg;
    return MCX_OK;
}

static bool fields_ok(const struct mcx_floor_msg *msg)
{
    return (msg->present & ~mcx_floor_type_fields(msg->type)) == 0 && msg->num_queued <= MCX_FLOOR_LIST_MAX &&
           (msg->num_queued == 0 || (msg->type == MCX_FLOOR_GRANTED && (msg->present & MCX_FF(MCX_FF_SSRC)) != 0));
}

mcx_err mcx_floor_write(struct mcx_wr *out, const struct mcx_floor_msg *msg)
{
    const struct app_head head = { (uint8_t)msg->type, msg->ack_wanted, msg->ssrc };
    struct mcx_wr wr = *out;
    size_t mark = 0;

    if ((unsigned)msg->type >= APP_SUBTYPES || !fields_ok(msg)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_app_head_write(&wr, &mark, &mcpt, &head));
    for (size_t i = 0; i < messages[msg->type].num; i++) {
        size_t field = messages[msg->type].fields[i];

        if (field == QUEUE) {
            MCX_TRY(write_queue(&wr, msg));
        } else if ((msg->present & MCX_FF(field)) != 0) {
            MCX_TRY(mcx_app_field_write(&wr, &mcx_floor_fields[field], msg));
        }
    }
    MCX_TRY(mcx_app_end(&wr, mark, MCX_FLOOR_MSG_MAX));
    *out = wr;
    return MCX_OK;
}
