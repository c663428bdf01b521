/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTTD_GROUPS_H
#define MCX_MCPTTD_GROUPS_H

/* The daemon's group calls: affiliation, sessions, media, floor control. */

#include <mcx/mcptt_group.h>

#include "mcx-mcpttd/daemon.h"

/** After the state machine of the calls and the loop are there; reads the group documents. Says what is wrong. */
int md_groups_open(struct md_groups **out, struct md_daemon *d);
/** After the SIP layer. NULL is allowed. */
void md_groups_close(struct md_groups *g);
/** The group documents once more; a file that cannot be used leaves its group as it was. */
int md_groups_load(struct md_groups *g);
/** A document of this group that was fetched. @retval as mcx_mgrp_step(); then the group is as it was */
mcx_err md_groups_document(struct md_groups *g, const char *group, struct mcx_bytes xml, struct mcx_refusal *why);
void md_groups_gone(struct md_groups *g, const char *group);
/** @return false = no call to a group */
bool md_groups_invite(struct md_groups *g, struct mcx_sip_call *sip, const struct mcx_sip_msg *msg);
bool md_groups_publish(struct md_groups *g, const struct mcx_sip_msg *msg);
void md_groups_registered(struct md_groups *g, const char *mcptt_id);
/** BYE to everybody. @return some have still to answer */
bool md_groups_hang_up(struct md_groups *g);
bool md_groups_idle(const struct md_groups *g);

/* ---- gms.c: documents of the group management server ---- */

/** After the groups; *out stays NULL without --gms-url. Says what is wrong. */
int md_gms_open(struct md_gms **out, struct md_daemon *d);
/** Before the groups and the loop. NULL is allowed. */
void md_gms_close(struct md_gms *g);
/** All documents once more, at once. NULL is allowed. */
void md_gms_fetch(struct md_gms *g);
/** The body of a NOTIFY of the group management server. */
void md_gms_notified(struct md_gms *g, struct mcx_bytes xml);

/* ---- gms_sub.c: subscription at the group management server ---- */

struct md_gms_sub;
/** After md_gms_open(); *out stays NULL without --gms-sip. Says what is wrong. */
int md_gms_sub_open(struct md_gms_sub **out, struct md_daemon *d);
/** Before the SIP layer. NULL is allowed. */
void md_gms_sub_close(struct md_gms_sub *w);

#endif
