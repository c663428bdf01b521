/* SPDX-License-Identifier: Apache-2.0 */
/* Causes in words. Floor Deny and Floor Revoke have a list each (TS 24.380 8.2.6.2, 8.2.10.2). */
#include <mcx/floor_msg.h>

const char *mcx_floor_deny_text(unsigned cause)
{
    switch (cause) {
    case MCX_DENY_ANOTHER_TALKS: return "another user has the floor";
    case MCX_DENY_INTERNAL: return "internal error of the server";
    case MCX_DENY_ALONE: return "nobody else is in the call";
    case MCX_DENY_RETRY_AFTER: return "asked again too soon";
    case MCX_DENY_RECEIVE_ONLY: return "this user may only listen";
    case MCX_DENY_NO_RESOURCES: return "no resources";
    case MCX_DENY_QUEUE_FULL: return "the queue is full";
    default: return "other reason";
    }
}

const char *mcx_floor_revoke_text(unsigned cause)
{
    switch (cause) {
    case MCX_REVOKE_ALONE: return "nobody else is in the call";
    case MCX_REVOKE_TOO_LONG: return "spoke too long";
    case MCX_REVOKE_NO_PERMISSION: return "sent media without the floor";
    case MCX_REVOKE_PRE_EMPTED: return "pre-empted by a higher priority";
    case MCX_REVOKE_NO_RESOURCES: return "no resources";
    case MCX_REVOKE_BY_CLIENT: return "revoked by another user";
    default: return "other reason";
    }
}
