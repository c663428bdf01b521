/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-established session call control, MCPC (TS 24.380 8.3). */
#include "codec/floor/app.h"

#define MCPC_NUM_FIELDS 10
#define MCPC_IMESSAGE   192 /* PCK I_MESSAGE, with a length of two octets */

static mcx_err read_streams(void *member, struct mcx_rd *value)
{
    struct mcx_mcpc_msg *msg = member;

    MCX_TRY(mcx_rd_u8(value, &msg->media_line));
    return mcx_rd_u8(value, &msg->control_line);
}

static mcx_err write_streams(struct mcx_wr *out, const void *member)
{
    const struct mcx_mcpc_msg *msg = member;

    MCX_TRY(mcx_wr_u8(out, msg->media_line));
    return mcx_wr_u8(out, msg->control_line);
}

static mcx_err read_session(void *member, struct mcx_rd *value)
{
    struct mcx_mcpc_msg *msg = member;
    uint8_t type = 0;

    MCX_TRY(mcx_rd_u8(value, &type));
    msg->session_type = type;
    return mcx_app_text_read(&msg->session, value);
}

static mcx_err write_session(struct mcx_wr *out, const void *member)
{
    const struct mcx_mcpc_msg *msg = member;

    if ((unsigned)msg->session_type > UINT8_MAX) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(out, (uint8_t)msg->session_type));
    return mcx_app_text_write(out, &msg->session);
}

/* Raw octets (docs/DEVIATIONS.md "mcpc-imessage"). */
static mcx_err read_octets(void *member, struct mcx_rd *value)
{
    return mcx_rd_take(value, value->len, member);
}

static mcx_err write_octets(struct mcx_wr *out, const void *member)
{
    return mcx_wr_put(out, *(const struct mcx_bytes *)member);
}

#define AT(member)   offsetof(struct mcx_mcpc_msg, member)
#define U16(member)  2, 2, AT(member), mcx_app_u16_read, mcx_app_u16_write
#define TEXT(member) 1, UINT8_MAX, AT(member), mcx_app_text_read, mcx_app_text_write

/* Table of 8.3.3: index = bit of `present`. */
static const struct app_field fields[MCPC_NUM_FIELDS] = {
    { 0, { "Media Streams", "TS 24.380 8.3.3" }, 2, 2, 0, read_streams, write_streams },
    { 1, { "MCPTT Session Identity", "TS 24.380 8.3.3" }, 1, UINT8_MAX, 0, read_session, write_session },
    { 2, { "Warning Text", "TS 24.380 8.3.3" }, TEXT(warning) },
    { 3, { "MCPTT Group Identity", "TS 24.380 8.3.3" }, TEXT(group) },
    { 4, { "Answer State", "TS 24.380 8.3.3" }, U16(answer_state) },
    { 5, { "Inviting MCPTT User Identity", "TS 24.380 8.3.3" }, TEXT(inviting_user) },
    { 6, { "Reason Code", "TS 24.380 8.3.3" }, U16(reason) },
    { 7, { "Reason Cause", "TS 24.380 8.3.3" }, TEXT(reason_cause) },
    { 8, { "Invited MCPTT User Identity", "TS 24.380 8.3.3" }, TEXT(invited_user) },
    { MCPC_IMESSAGE,
      { "PCK I_MESSAGE", "TS 24.380 8.3.3" },
      1,
      MCX_MCPC_IMESSAGE_MAX,
      AT(imessage),
      read_octets,
      write_octets },
};

/* Fields in the order of 8.3.4 to 8.3.6 ("mcpc-fields"). */
static const struct app_message messages[APP_SUBTYPES] = {
    [MCX_MCPC_CONNECT] = { "connect",
                           "TS 24.380 8.3.4",
                           true,
                           8,
                           { MCX_PF_SESSION, MCX_PF_GROUP, MCX_PF_MEDIA_STREAMS, MCX_PF_WARNING, MCX_PF_ANSWER_STATE,
                             MCX_PF_INVITING_USER, MCX_PF_INVITED_USER, MCX_PF_IMESSAGE } },
    [MCX_MCPC_DISCONNECT] = { "disconnect", "TS 24.380 8.3.5", true, 1, { MCX_PF_SESSION } },
    [MCX_MCPC_ACK] = { "acknowledgement", "TS 24.380 8.3.6", false, 2, { MCX_PF_REASON, MCX_PF_REASON_CAUSE } },
};

static const struct app_protocol mcpc = { "MCPC", messages, fields, MCPC_NUM_FIELDS };

const char *mcx_mcpc_type_name(enum mcx_mcpc_type type)
{
    return (unsigned)type < APP_SUBTYPES ? messages[type].name : NULL;
}

const char *mcx_mcpc_type_clause(enum mcx_mcpc_type type)
{
    return (unsigned)type < APP_SUBTYPES ? messages[type].clause : NULL;
}

const struct mcx_app_field_info *mcx_mcpc_field_info(unsigned id)
{
    size_t i = mcx_app_field_find(&mcpc, id);

    return i < MCPC_NUM_FIELDS ? &fields[i].info : NULL;
}

static mcx_err take_field(struct mcx_mcpc_msg *msg, const struct mcx_app_field *f, struct mcx_refusal *why)
{
    size_t i = mcx_app_field_find(&mcpc, f->id);

    if (i == MCPC_NUM_FIELDS || !mcx_app_may_have(&messages[msg->type], i)) {
        return MCX_OK; /* stepped over (8.1.4) */
    }
    if ((msg->present & MCX_FF(i)) != 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "a field is there twice", fields[i].info.clause);
    }
    msg->present |= MCX_FF(i);
    return mcx_app_value_read(msg, &fields[i], f->value, why);
}

mcx_err mcx_mcpc_read(struct mcx_mcpc_msg *out, struct mcx_bytes packet, struct mcx_refusal *why)
{
    struct mcx_mcpc_msg msg = { 0 };
    struct app_head head = { 0 };
    struct mcx_rd rd;

    MCX_TRY(mcx_app_head_read(&head, &rd, &mcpc, packet, why));
    msg.type = head.type;
    msg.ack_wanted = head.ack_wanted;
    msg.ssrc = head.ssrc;
    while (rd.len > 0) {
        struct mcx_app_field f = { 0 };

        if (mcx_app_field_next(&f, &rd) != MCX_OK) {
            return mcx_refuse(why, MCX_E_TRUNC, "a field goes past the end of the message", "TS 24.380 8.3.3");
        }
        MCX_TRY(take_field(&msg, &f, why));
    }
    *out = msg;
    return MCX_OK;
}

static bool fields_ok(const struct mcx_mcpc_msg *msg)
{
    uint32_t mask = 0;

    for (size_t i = 0; i < messages[msg->type].num; i++) {
        mask |= MCX_FF(messages[msg->type].fields[i]);
    }
    return (msg->present & ~mask) == 0;
}

mcx_err mcx_mcpc_write(struct mcx_wr *out, const struct mcx_mcpc_msg *msg)
{
    const struct app_head head = { (uint8_t)msg->type, msg->ack_wanted, msg->ssrc };
    struct mcx_wr wr = *out;
    size_t mark = 0;

    if ((unsigned)msg->type >= APP_SUBTYPES || !fields_ok(msg)) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_app_head_write(&wr, &mark, &mcpc, &head));
    for (size_t i = 0; i < messages[msg->type].num; i++) {
        size_t field = messages[msg->type].fields[i];

        if ((msg->present & MCX_FF(field)) != 0) {
            MCX_TRY(mcx_app_field_write(&wr, &fields[field], msg));
        }
    }
    MCX_TRY(mcx_app_end(&wr, mark, MCX_FLOOR_MSG_MAX + MCX_MCPC_IMESSAGE_MAX));
    *out = wr;
    return MCX_OK;
}
