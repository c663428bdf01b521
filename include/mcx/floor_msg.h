/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_FLOOR_MSG_H
#define MCX_FLOOR_MSG_H

/*
 * The RTCP APP messages of TS 24.380 clause 8: floor control (name MCPT, 8.2) and pre-established session call
 * control (name MCPC, 8.3). One message is one RTCP APP packet, never part of a compound packet (8.1.1).
 *
 *   V=2 P=0 subtype 5 bits | PT 204 | length, words - 1 | SSRC of the sender | name | fields
 *   field: ID | length, one octet below ID 192, two from 192 on | value | zero padding to a multiple of 4
 *
 * Bit 4 of the subtype asks for an acknowledgement. The reader takes fields in any order, ignores their padding, and
 * steps over those that it does not know or that do not belong in the message; the writer puts them in the order of the
 * tables, pads with zeros, and refuses a field that the message may not have. Nothing here is secret and nothing is protected: <mcx/control.h> puts SRTCP around it.
 */

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_FLOOR_MSG_MAX   1400 /* octets of one message, so that a datagram with protection passes an Ethernet */
#define MCX_FLOOR_LIST_MAX  16   /* entries of the list fields 15, 16, 18, 20, 22, and of queued users (8.2.5) */

/** Subtypes of MCPT (table 8.2.2.1-1). */
enum mcx_floor_type {
    MCX_FLOOR_REQUEST = 0,
    MCX_FLOOR_GRANTED = 1,
    MCX_FLOOR_TAKEN = 2,
    MCX_FLOOR_DENY = 3,
    MCX_FLOOR_RELEASE = 4,
    MCX_FLOOR_IDLE = 5,
    MCX_FLOOR_REVOKE = 6,
    MCX_FLOOR_REVOKE_REQUEST = 7, /* R19 */
    MCX_FLOOR_QUEUE_POSITION_REQUEST = 8,
    MCX_FLOOR_QUEUE_POSITION_INFO = 9,
    MCX_FLOOR_ACK = 10,
    MCX_FLOOR_MEDIA_FLOW_CONTROL = 11,   /* R17 */
    MCX_FLOOR_QUEUED = 14,               /* R17 Queued Cancel, R18 Queued Floor Requests: docs/DEVIATIONS.md */
    MCX_FLOOR_RELEASE_MULTI_TALKER = 15, /* R15 */
};
/** "floor-request", ...; NULL for a subtype that names no message. */
const char *mcx_floor_type_name(enum mcx_floor_type type);
/** Clause that defines the message; NULL as above. */
const char *mcx_floor_type_clause(enum mcx_floor_type type);
/** Bits of the fields that the message may have; the queued users of Floor Granted apart. */
uint32_t mcx_floor_type_fields(enum mcx_floor_type type);

/** Field IDs (table 8.2.3.1-2); bit `1 << id` of mcx_floor_msg.present. */
enum mcx_floor_field {
    MCX_FF_PRIORITY = 0,
    MCX_FF_DURATION = 1,
    MCX_FF_CAUSE = 2,
    MCX_FF_QUEUE_INFO = 3,
    MCX_FF_GRANTED_PARTY = 4,
    MCX_FF_PERMISSION = 5,
    MCX_FF_USER_ID = 6,
    MCX_FF_QUEUE_SIZE = 7,
    MCX_FF_SEQUENCE = 8,
    MCX_FF_QUEUED_USER = 9,
    MCX_FF_SOURCE = 10,
    MCX_FF_TRACK_INFO = 11,
    MCX_FF_MESSAGE_TYPE = 12,
    MCX_FF_INDICATOR = 13,
    MCX_FF_SSRC = 14,
    MCX_FF_GRANTED_USERS = 15,
    MCX_FF_SSRCS = 16,
    MCX_FF_FUNCTIONAL_ALIAS = 17,
    MCX_FF_FUNCTIONAL_ALIASES = 18,
    MCX_FF_LOCATION = 19,
    MCX_FF_LOCATIONS = 20,
    MCX_FF_QUEUED_PURPOSE = 21,
    MCX_FF_QUEUED_USERS = 22,
    MCX_FF_RESPONSE_STATE = 23,
    MCX_FF_MEDIA_FLOW = 24,
    MCX_FF_REVOKE_USER = 25,
};
#define MCX_FF(field) (UINT32_C(1) << (field))

/** Floor Indicator (8.2.3.15). */
#define MCX_FI_NORMAL     0x8000u
#define MCX_FI_BROADCAST  0x4000u
#define MCX_FI_SYSTEM     0x2000u
#define MCX_FI_EMERGENCY  0x1000u
#define MCX_FI_IMMINENT   0x0800u
#define MCX_FI_QUEUEING   0x0400u
#define MCX_FI_DUAL       0x0200u
#define MCX_FI_TEMPORARY  0x0100u
#define MCX_FI_MULTI      0x0080u

/** Reject Cause of Floor Deny (8.2.6.2) and, a list of its own, of Floor Revoke (8.2.10.2). */
enum mcx_floor_deny_cause {
    MCX_DENY_ANOTHER_TALKS = 1,
    MCX_DENY_INTERNAL = 2,
    MCX_DENY_ALONE = 3,
    MCX_DENY_RETRY_AFTER = 4,
    MCX_DENY_RECEIVE_ONLY = 5,
    MCX_DENY_NO_RESOURCES = 6,
    MCX_DENY_QUEUE_FULL = 7,
    MCX_DENY_OTHER = 255,
};
enum mcx_floor_revoke_cause {
    MCX_REVOKE_ALONE = 1,
    MCX_REVOKE_TOO_LONG = 2,
    MCX_REVOKE_NO_PERMISSION = 3,
    MCX_REVOKE_PRE_EMPTED = 4,
    MCX_REVOKE_NO_RESOURCES = 6,
    MCX_REVOKE_BY_CLIENT = 7, /* R19 */
    MCX_REVOKE_OTHER = 255,
};
/** Plain words for a cause; never NULL. */
const char *mcx_floor_deny_text(unsigned cause);
const char *mcx_floor_revoke_text(unsigned cause);

#define MCX_QUEUE_NOT_QUEUED 254u /* position of Queue Info: the client is not in the queue (8.2.3.5) */
#define MCX_QUEUE_UNKNOWN    255u /* not known or not disclosed */

/** Source (8.2.3.12). */
enum mcx_floor_source {
    MCX_SOURCE_PARTICIPANT = 0,
    MCX_SOURCE_PARTICIPATING = 1,
    MCX_SOURCE_CONTROLLING = 2,
    MCX_SOURCE_NON_CONTROLLING = 3,
};

/** A user in the queue, off-network (8.2.5): SSRC, Queued User ID and Queue Info. */
struct mcx_floor_queued {
    uint32_t ssrc;
    struct mcx_bytes user;
    uint8_t position;
    uint8_t priority;
};

/** One MCPT message. Views borrow from the octets that were read. Fields count when their bit of `present` is set. */
struct mcx_floor_msg {
    enum mcx_floor_type type;
    bool ack_wanted;
    uint32_t ssrc; /* of the sender of the message */
    uint32_t present;
    uint8_t priority;
    uint16_t duration; /* seconds */
    uint16_t cause;
    struct mcx_bytes cause_text; /* UTF-8, may be empty */
    uint8_t queue_position;
    uint8_t queue_priority;
    struct mcx_bytes granted_party;
    uint16_t permission; /* 1 = the floor may be requested */
    struct mcx_bytes user_id;
    uint16_t queue_size;
    uint16_t sequence;
    struct mcx_bytes queued_user;
    uint16_t source;
    uint8_t track_queueing;       /* Track Info: queueing capability */
    struct mcx_bytes track_type;  /* participant type */
    struct mcx_bytes track_refs;  /* one or more participant references of 4 octets */
    uint8_t acked_type;           /* Message Type: subtype acknowledged, without the bit 0x10 */
    uint16_t indicator;
    uint32_t granted_ssrc;        /* SSRC (to R17), Audio SSRC of Granted Participant (R18) */
    struct mcx_bytes granted_user[MCX_FLOOR_LIST_MAX];
    size_t num_granted_users;
    uint32_t list_ssrc[MCX_FLOOR_LIST_MAX];
    size_t num_ssrcs;
    struct mcx_bytes functional_alias;
    struct mcx_bytes alias[MCX_FLOOR_LIST_MAX];
    size_t num_aliases;
    struct mcx_bytes location; /* type octet and value (8.2.3.21) */
    struct mcx_bytes list_location[MCX_FLOOR_LIST_MAX];
    size_t num_locations;
    uint16_t queued_purpose;
    struct mcx_bytes list_queued_user[MCX_FLOOR_LIST_MAX];
    size_t num_list_queued_users;
    uint16_t response_state;
    uint16_t media_flow;
    struct mcx_bytes revoke_user;
    struct mcx_floor_queued queued[MCX_FLOOR_LIST_MAX]; /* Floor Granted, off-network */
    size_t num_queued;
};

/**
 * Read one message.
 *
 * @param[out] out  unchanged on error
 * @retval MCX_E_TRUNC    shorter than its length says, or a field past the end
 * @retval MCX_E_TRAILING octets after the length
 * @retval MCX_E_FORMAT   not version 2, padding bit, PT other than 204, another name, a field of a wrong length, a field
 *                        twice, text that is no UTF-8
 * @retval MCX_E_UNSUP    a subtype that names no message, or that cannot ask for an acknowledgement and does
 * @retval MCX_E_SPACE    a list longer than MCX_FLOOR_LIST_MAX
 */
MCX_MUST_CHECK mcx_err mcx_floor_read(struct mcx_floor_msg *out, struct mcx_bytes packet, struct mcx_refusal *why);
/** Append one message. @retval MCX_E_ARG a field that this message may not have, or a value that does not fit
 * @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_floor_write(struct mcx_wr *out, const struct mcx_floor_msg *msg);

/* ---- MCPC: pre-established session call control (8.3) ---- */

enum mcx_mcpc_type { MCX_MCPC_CONNECT = 0, MCX_MCPC_DISCONNECT = 1, MCX_MCPC_ACK = 2 };
enum mcx_mcpc_field {
    MCX_PF_MEDIA_STREAMS = 0,
    MCX_PF_SESSION = 1,
    MCX_PF_WARNING = 2,
    MCX_PF_GROUP = 3,
    MCX_PF_ANSWER_STATE = 4,
    MCX_PF_INVITING_USER = 5,
    MCX_PF_REASON = 6,
    MCX_PF_REASON_CAUSE = 7,
    MCX_PF_INVITED_USER = 8,
    MCX_PF_IMESSAGE = 9, /* bit of `present`; on the wire ID 192 */
};
/** Session type of MCPTT Session Identity. */
enum mcx_mcpc_session { MCX_MCPC_NO_SESSION = 0, MCX_MCPC_PRIVATE = 1, MCX_MCPC_PREARRANGED = 3, MCX_MCPC_CHAT = 4 };
/** Reason Code of Acknowledgement (8.3.3.9). */
enum mcx_mcpc_reason {
    MCX_MCPC_ACCEPTED = 0,
    MCX_MCPC_BUSY = 1,
    MCX_MCPC_NOT_ACCEPTED = 2,
    MCX_MCPC_IMESSAGE_FAILED = 3,
    MCX_MCPC_INTEGRITY_FAILED = 4,
    MCX_MCPC_DECRYPTION_FAILED = 5,
};
struct mcx_mcpc_msg {
    enum mcx_mcpc_type type;
    bool ack_wanted;
    uint32_t ssrc;
    uint32_t present; /* bits of mcx_mcpc_field */
    uint8_t media_line;   /* number of the m= line, from 1; 0 = none */
    uint8_t control_line;
    enum mcx_mcpc_session session_type;
    struct mcx_bytes session; /* SIP URI */
    struct mcx_bytes warning;
    struct mcx_bytes group;
    uint16_t answer_state; /* 1 = confirmed */
    struct mcx_bytes inviting_user;
    struct mcx_bytes invited_user;
    uint16_t reason;
    struct mcx_bytes reason_cause;
    struct mcx_bytes imessage; /* the MIKEY message, raw octets (docs/DEVIATIONS.md "mcpc-imessage") */
};
const char *mcx_mcpc_type_name(enum mcx_mcpc_type type);
const char *mcx_mcpc_type_clause(enum mcx_mcpc_type type);
#define MCX_MCPC_IMESSAGE_MAX 8192 /* octets of the PCK I_MESSAGE, over MCX_FLOOR_MSG_MAX */
/** As mcx_floor_read() and _write(), for the name MCPC. */
MCX_MUST_CHECK mcx_err mcx_mcpc_read(struct mcx_mcpc_msg *out, struct mcx_bytes packet, struct mcx_refusal *why);
MCX_MUST_CHECK mcx_err mcx_mcpc_write(struct mcx_wr *out, const struct mcx_mcpc_msg *msg);

/** Name of an RTCP APP packet (octets 8 to 11) as a view of 4 octets, after a look at version and PT; to tell MCPT, MCPC
 * and MCMC apart. @retval MCX_E_TRUNC @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_app_name(struct mcx_bytes *name, struct mcx_bytes packet);

/* ---- fields as they stand on the wire, for tools ---- */

struct mcx_app_field {
    unsigned id;
    struct mcx_bytes value;
    struct mcx_bytes padding; /* should be zero; the readers ignore it (8.2.3.1) */
};
/** Next field after the first 12 octets. @retval MCX_E_TRUNC it goes past the end */
MCX_MUST_CHECK mcx_err mcx_app_field_next(struct mcx_app_field *out, struct mcx_rd *rd);
struct mcx_app_field_info {
    const char *name;
    const char *clause;
};
/** By the ID on the wire; NULL for an unknown one. */
const struct mcx_app_field_info *mcx_floor_field_info(unsigned id);
const struct mcx_app_field_info *mcx_mcpc_field_info(unsigned id);

#ifdef __cplusplus
}
#endif

#endif
