/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_SIP_EVENT_PRIV_H
#define MCX_IO_SIP_EVENT_PRIV_H

/* Shared by subscriber, notifier and publication. */

#include "io/sip_priv.h"

/** An Event value names this package, parameters aside. */
bool sip_event_is(const struct pl *value, const char *event);

/** A SUBSCRIBE within a subscription. @return false = it is not in one */
bool sip_watcher_request(struct mcx_sip *sip, const struct sip_msg *msg);
void sip_watchers_drop(struct mcx_sip *sip);
void sip_pubs_drop(struct mcx_sip *sip);

#endif
