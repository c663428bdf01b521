/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_PREEST_H
#define MCX_UE_PREEST_H

/* The client's pre-established session (TS 24.379 8.2.1, TS 24.380 9.2): set up after registration, kept until the end. */
#include "phone.h"

struct ue_preest;
MCX_MUST_CHECK mcx_err ue_preest_new(struct ue_preest **out, struct ue_phone *ph);
/** After the SIP layer. NULL is allowed. */
void ue_preest_free(struct ue_preest *p);
/** Set it up; from now on it is set up again whenever it ends. */
void ue_preest_start(struct ue_preest *p);
/** BYE, for good. */
void ue_preest_end(struct ue_preest *p);
/** The answer to the Connect at hand. */
mcx_err ue_preest_acknowledge(struct ue_preest *p, const struct mcx_privcall_action *a);
/** Leave the call by a BYE of the session. @return false = no call of the session */
bool ue_preest_leave(struct ue_preest *p, uint64_t dialog);
uint16_t ue_preest_control_port(const struct ue_preest *p);

#endif
