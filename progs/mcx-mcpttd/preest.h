/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_MCPTTD_PREEST_H
#define MCX_MCPTTD_PREEST_H

/* The daemon's pre-established sessions: one a user at most, kept with his registration. */

#include "mcx-mcpttd/daemon.h"

int md_preest_open(struct md_preest **out, struct md_daemon *d);
/** After the SIP layer. NULL is allowed. */
void md_preest_close(struct md_preest *p);
/** @return false = does not set up a session */
bool md_preest_invite(struct md_preest *p, struct mcx_sip_call *sip, const struct mcx_sip_msg *msg);
/** The call of this leg, over the session of its callee; md_call_event() follows. @return false = it goes by INVITE */
bool md_preest_connect(struct md_preest *p, struct md_leg *leg, const struct mcx_msrv_action *a);
/** The call of this leg is over. */
void md_preest_release(struct md_leg *leg);
/** Registrations may have ended: their sessions end with them, soon. */
void md_preest_check(struct md_preest *p);
/** BYE to everybody, without waiting. */
void md_preest_hang_up(struct md_preest *p);

#endif
