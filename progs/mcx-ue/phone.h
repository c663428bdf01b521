/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_PHONE_H
#define MCX_UE_PHONE_H

/* What phone.c (machine, user, media) and sip.c (messages) share. */
#include "link.h"

#include <jansson.h>

#define LINGER_MS          300 /* between the last packet and the BYE */
#define AMRWB_PAYLOAD_TYPE 97
#define UE_MAX_LATER       8

struct ue_preest;

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
    struct ue_talk *talk;
    struct ue_console *console;
    struct ue_link link;
    struct ue_preest *preest; /* NULL = without */
    struct ue_timer timers[MCX_PC_NUM_TIMERS];
    struct mcx_timer user_timer;
    struct mcx_timer linger; /* between the end of the file and the end of the call */
    struct mcx_privcall_actions actions;
    struct mcx_privcall_in later[UE_MAX_LATER];
    size_t num_later;
    bool stepping;
    bool media_open;
    bool floor_control; /* of the present call */
    bool to_say;        /* the file has not been played to its end */
    bool held_back;     /* the user has let the talk button go: the file does not ask by itself any more */
    bool caller;
    bool registered;
    bool ready;
    bool finishing;
    bool quitting;
    bool refused;
    uint32_t num_calls;
    int exit_code;
};

void ue_phone_step(struct ue_phone *ph, const struct mcx_privcall_in *in);
/** Everything that was asked for is there: the ready file, once. */
void ue_phone_ready(struct ue_phone *ph);

/* ---- phone_floor.c ---- */
mcx_err ue_phone_floor_new(struct ue_phone *ph);
/** Media have been started: floor control, or the microphone where there is none. */
mcx_err ue_phone_floor_start(struct ue_phone *ph, const struct mcx_privcall_media *media);
/** The caller is ready. */
void ue_phone_acked(struct ue_phone *ph);
/** The talk button. */
void ue_phone_talk(struct ue_phone *ph, bool pressed);
void ue_phone_played(void *arg); /* `arg` of both is the phone */
void ue_phone_heard(void *arg);
void ue_phone_floor_stop(struct ue_phone *ph);

/* ---- sip.c ---- */
/** A new INVITE; `arg` is the link. */
void ue_phone_invited(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg);
mcx_err ue_send_invite(struct ue_phone *ph, const struct mcx_privcall_action *a);
mcx_err ue_send_ringing(struct ue_phone *ph, const struct mcx_privcall_action *a);
mcx_err ue_send_ok(struct ue_phone *ph, const struct mcx_privcall_action *a);
mcx_err ue_send_refusal(struct ue_phone *ph, const struct mcx_privcall_action *a);
/** BYE or CANCEL, as the dialog demands. */
void ue_send_hangup(struct ue_phone *ph, const struct mcx_privcall_action *a);

#endif
