/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_PHONE_H
#define MCX_UE_PHONE_H

/* What phone.c (machine, user, media) and sip.c (messages) share. */
#include "ue.h"

#include <jansson.h>

#include "io/sip.h"

#define LINGER_MS          300 /* between the last packet and the BYE */
#define AMRWB_PAYLOAD_TYPE 97
#define UE_MAX_LATER       8
#define UE_ADDRESS_MAX     64
#define UE_URI_MAX         512
#define UE_BODY_MAX        32768

/** One SIP dialog, from its INVITE to its CLOSED event. */
struct ue_leg {
    struct ue_leg *next;
    struct ue_phone *phone;
    struct mcx_sip_call *call;
    uint64_t dialog;
};

struct ue_timer {
    struct mcx_timer timer;
    struct ue_phone *phone;
    enum mcx_privcall_timer which;
    uint64_t dialog;
};

struct ue_phone {
    const struct ue_options *options;
    struct mcx_privcall *pc;
    struct ue_keys *keys;
    bool fresh_keys; /* are in the store, to be taken when the line is free */
    struct ue_voice *voice;
    struct mcx_sip *sip;
    struct mcx_sip_reg *reg;
    struct ue_leg *legs;
    uint64_t last_dialog;
    char local_address[UE_ADDRESS_MAX];
    char psi[UE_URI_MAX];
    char registrar[UE_URI_MAX];
    struct ue_timer timers[MCX_PC_NUM_TIMERS];
    struct mcx_timer user_timer;
    struct mcx_watch terminal;
    struct mcx_privcall_actions actions;
    struct mcx_privcall_in later[UE_MAX_LATER];
    size_t num_later;
    bool stepping;
    bool media_open;
    bool caller;
    bool registered;
    bool finishing;
    bool quitting;
    bool refused;
    uint32_t num_calls;
    int exit_code;
    uint8_t body[UE_BODY_MAX];
};

void ue_phone_step(struct ue_phone *ph, const struct mcx_privcall_in *in);

/* ---- sip.c ---- */
mcx_err ue_local_address(char *out, size_t cap, const struct ue_options *options, struct mcx_refusal *why);
mcx_err ue_sip_start(struct ue_phone *ph, struct mcx_refusal *why);
mcx_err ue_sip_register(struct ue_phone *ph, void (*on_state)(void *arg, uint16_t code, const struct mcx_sip_msg *msg));
void ue_sip_stop(struct ue_phone *ph);
mcx_err ue_send_invite(struct ue_phone *ph, const struct mcx_privcall_action *a);
mcx_err ue_send_ringing(struct ue_phone *ph, const struct mcx_privcall_action *a);
mcx_err ue_send_ok(struct ue_phone *ph, const struct mcx_privcall_action *a);
mcx_err ue_send_refusal(struct ue_phone *ph, const struct mcx_privcall_action *a);
/** Code of the first Warning; 0 when there is none. */
unsigned ue_warning_of(const struct mcx_sip_msg *msg);
/** BYE or CANCEL, as the dialog demands. */
void ue_send_hangup(struct ue_phone *ph, const struct mcx_privcall_action *a);

#endif
