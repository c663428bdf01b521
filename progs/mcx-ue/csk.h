/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_UE_CSK_H
#define MCX_UE_CSK_H

/* The client-server key (TS 33.180 5.4, 5.8): made here for each registration, replaced by the server. */
#include "link.h"

#define UE_CSK_MAX 4096 /* octets of its I_MESSAGE */

struct ue_csk;
/** `link` has its options and keys. */
MCX_MUST_CHECK mcx_err ue_csk_new(struct ue_csk **out, const struct ue_link *link);
void ue_csk_free(struct ue_csk *csk);
/** A new key, which opens from now on and protects when the server has taken it; its I_MESSAGE is appended. */
MCX_MUST_CHECK mcx_err ue_csk_make(struct ue_csk *csk, struct mcx_wr *message, struct mcx_refusal *why);
/** A key is on its way to the server. */
bool ue_csk_pending(const struct ue_csk *csk);
/** The registration that carried it has this answer, 0 = none. @return false = the server may have the key or not: the
 * next registration has to carry another */
bool ue_csk_uploaded(struct ue_csk *csk, uint16_t code);
/** The server has answered 200 and says that it holds none. */
void ue_csk_lost(struct ue_csk *csk);
/** A SIP request outside dialogs; answers a MESSAGE with a key. @return false = something else */
bool ue_csk_request(struct ue_csk *csk, struct mcx_sip *sip, const struct mcx_sip_msg *msg);
struct mcx_channel *ue_csk_channel(struct ue_csk *csk);

#endif
