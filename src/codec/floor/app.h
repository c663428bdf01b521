/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CODEC_FLOOR_APP_H
#define MCX_CODEC_FLOOR_APP_H

/* What MCPT and MCPC share: the RTCP APP header, the frame of a field, and tables that describe fields and messages. */
#include <mcx/floor_msg.h>

#define APP_SUBTYPES 16 /* the low four bits; bit 4 asks for an acknowledgement */

/** One kind of field. `at` is where the member lies in the structure of the message, or 0 for fields of several
 * members. */
struct app_field {
    unsigned id; /* on the wire */
    struct mcx_app_field_info info;
    size_t min, max; /* octets of the value */
    size_t at;
    mcx_err (*read)(void *member, struct mcx_rd *value);
    mcx_err (*write)(struct mcx_wr *out, const void *member);
};

#define APP_MESSAGE_FIELDS 13
/** One kind of message: which fields, in the order in which they are written. NULL name = no such message. */
struct app_message {
    const char *name;
    const char *clause;
    bool may_ask_ack;
    size_t num;
    uint8_t fields[APP_MESSAGE_FIELDS]; /* indices of the table of fields */
};

/** A kind of packet. */
struct app_protocol {
    const char *name;                   /* octets 8 to 11 */
    const struct app_message *messages; /* APP_SUBTYPES */
    const struct app_field *fields;
    size_t num_fields;
};

/** Header, checked; the fields are left in `rd`. */
struct app_head {
    uint8_t type;
    bool ack_wanted;
    uint32_t ssrc;
};
MCX_MUST_CHECK mcx_err mcx_app_head_read(struct app_head *out, struct mcx_rd *rd, const struct app_protocol *protocol,
                                         struct mcx_bytes packet, struct mcx_refusal *why);
/** `mark` is for mcx_app_end(). @retval MCX_E_ARG no such message, or one that cannot ask for an acknowledgement */
MCX_MUST_CHECK mcx_err mcx_app_head_write(struct mcx_wr *out, size_t *mark, const struct app_protocol *protocol,
                                          const struct app_head *head);
/** Close the packet: its length. @retval MCX_E_ARG longer than `max` */
MCX_MUST_CHECK mcx_err mcx_app_end(struct mcx_wr *out, size_t mark, size_t max);

/** Index in the table of fields; `num_fields` for an unknown one. */
size_t mcx_app_field_find(const struct app_protocol *protocol, unsigned id);
bool mcx_app_may_have(const struct app_message *message, size_t index);
/** Value into the member(s) of `msg`. */
MCX_MUST_CHECK mcx_err mcx_app_value_read(void *msg, const struct app_field *field, struct mcx_bytes value,
                                          struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_app_field_write(struct mcx_wr *out, const struct app_field *field, const void *msg);

/* Members. */
mcx_err mcx_app_u16_read(void *member, struct mcx_rd *value);
mcx_err mcx_app_u16_write(struct mcx_wr *out, const void *member);
/** UTF-8; the least length is that of the table. */
mcx_err mcx_app_text_read(void *member, struct mcx_rd *value);
mcx_err mcx_app_text_write(struct mcx_wr *out, const void *member);

#endif
