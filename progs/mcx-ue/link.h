/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_LINK_H
#define MCX_UE_LINK_H

/* The line to the MCPTT server: SIP, registration, dialogs. What phone and group radio share. */
#include "ue.h"

#include <mcx/channel.h>

#include "io/sip.h"

#define SESSION_EXPIRES_S 1800
#define UE_ADDRESS_MAX    64
#define UE_URI_MAX        512
#define UE_BODY_MAX       32768

/** One SIP dialog, from its INVITE to its CLOSED event. */
struct ue_leg {
    struct ue_leg *next;
    struct ue_link *link;
    struct mcx_sip_call *call;
    uint64_t dialog;
};

struct ue_link {
    const struct ue_options *options;
    struct ue_keys *keys; /* needed where options name a server identity */
    void *owner;          /* phone or group radio; argument of what SIP calls */
    struct mcx_sip *sip;
    struct mcx_sip_reg *reg;
    void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *msg);
    bool registered;    /* once */
    bool off;           /* and not any more */
    uint16_t off_code;  /* told */
    struct ue_csk *csk; /* NULL = no server identity */
    struct ue_leg *legs;
    uint64_t last_dialog;
    char local_address[UE_ADDRESS_MAX];
    char psi[UE_URI_MAX];
    char registrar[UE_URI_MAX];
    uint8_t body[UE_BODY_MAX];
};

/** Local address towards the server; before media are opened. */
mcx_err ue_link_address(struct ue_link *link, struct mcx_refusal *why);
/** @param[in] on_invite  gets `link` as its argument */
mcx_err ue_link_open(struct ue_link *link,
                     void (*on_invite)(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg),
                     struct mcx_refusal *why);
/**
 * Registers, with a new CSK where options name a server identity.
 *
 * @param[in] on_state  gets `link->owner`: the first answer, or its lack; then 200 each time. What comes in between, a
 * refusal or a server that has gone, is told here, and tried again; calls whose server is another by then end.
 */
mcx_err ue_link_register(struct ue_link *link,
                         void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *msg));
void ue_link_close(struct ue_link *link);
/** The control channel with the server, with a key as soon as the registration is through; NULL = no server identity.
 */
struct mcx_channel *ue_link_channel(const struct ue_link *link);
/** There is a CSK that the server has. */
bool ue_link_has_csk(const struct ue_link *link);

struct ue_leg *ue_leg_new(struct ue_link *link, uint64_t dialog);
/** NULL = gone. */
struct ue_leg *ue_leg_find(struct ue_link *link, uint64_t dialog);
void ue_leg_free(struct ue_leg *leg);

/** Code of the first Warning; 0 when there is none. */
unsigned ue_warning_of(const struct mcx_sip_msg *msg);
/** View of the SDP in a body; empty when there is none, which the machine refuses. */
struct mcx_bytes ue_sdp_of(const struct mcx_sip_msg *msg, struct mcx_mime *mime);
/** Complain of a registration that did not come about. */
void ue_registration_refused(const struct ue_link *link, uint16_t code, const struct mcx_sip_msg *response);

#endif
