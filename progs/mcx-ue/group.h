/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_GROUP_H
#define MCX_UE_GROUP_H

/* What group.c (machine, user, keys), group_sip.c (messages) and console.c (the user's lines) share. */
#include "link.h"

#include "io/sip_event.h"

#define UE_MAX_LATER 8
#define UE_MAX_KNOWN 64 /* MCPTT IDs that a speaker is looked for among */

struct ue_group;

struct ue_group_timer {
    struct mcx_timer timer;
    struct ue_group *group;
    enum mcx_groupcall_timer which;
    uint64_t dialog;
};

struct ue_group {
    const struct ue_options *options;
    struct ue_keys *keys;
    bool fresh_keys;
    struct ue_group_keys *group_keys;
    struct ue_group_fetch *fetch;
    struct mcx_groupcall *gc;
    struct ue_radio *radio;
    struct ue_talk *talk;
    struct ue_link link;
    struct mcx_sip_pub *pub;
    struct mcx_affiliation affiliation; /* wanted */
    struct ue_console *console;
    struct ue_group_timer timers[MCX_GC_NUM_TIMERS];
    struct mcx_groupcall_actions actions;
    struct mcx_groupcall_in later[UE_MAX_LATER];
    size_t num_later;
    bool stepping;
    bool media_open;
    bool mute; /* the keys of the present call are gone: who cannot be heard does not ask for the floor */
    char talker[MCX_MCPTT_VALUE_MAX]; /* as the server says */
    struct mcx_group_speaker speaker; /* whom we hear */
    char known[UE_MAX_KNOWN][MCX_MCPTT_VALUE_MAX];
    size_t num_known;
    bool registered;
    bool finishing;
    bool refused;
    int exit_code;
};

void ue_group_step(struct ue_group *g, const struct mcx_groupcall_in *in);
/** The server has answered about affiliations. */
void ue_group_affiliated(struct ue_group *g, uint16_t code, unsigned warning);

/* ---- group_sip.c ---- */
void ue_group_invited(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg);
mcx_err ue_group_send_invite(struct ue_group *g, const struct mcx_groupcall_action *a);
mcx_err ue_group_send_reinvite(struct ue_group *g, const struct mcx_groupcall_action *a);
mcx_err ue_group_send_ok(struct ue_group *g, const struct mcx_groupcall_action *a);
mcx_err ue_group_send_refusal(struct ue_group *g, const struct mcx_groupcall_action *a);
void ue_group_send_hangup(struct ue_group *g, const struct mcx_groupcall_action *a);
/** PUBLISH what g->affiliation says. */
mcx_err ue_group_publish(struct ue_group *g);
void ue_group_sip_close(struct ue_group *g);

/* ---- group_fetch.c ---- */
/** Fetch at once, and from now on as the options say; *out stays NULL without --gms-url. */
mcx_err ue_group_fetch_start(struct ue_group_fetch **out, struct ue_group *g);
/** Before SIP is closed. */
void ue_group_fetch_stop(struct ue_group_fetch *fetch);

#endif
