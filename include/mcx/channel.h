/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CHANNEL_H
#define MCX_CHANNEL_H

/*
 * A control channel whose key is replaced from time to time (TS 33.180 5.4 upload, 5.8 download): which key protects
 * what is sent, and which keys may open what arrives. Both ends use it.
 *
 *   set      our side made the key, or received it: it protects from now on; the one before still opens until the peer
 *            has used the new one
 *   offer    the key is on its way to the peer: it opens only; accept() (the peer has said yes) or a message under it
 *            makes it the one that protects, withdraw() (the peer has said no) forgets it; where no answer comes, the peer
 *            may have it, so it goes on opening beside one later offer
 *
 * Keys that are no longer needed are wiped at once.
 */

#include <mcx/control.h>

struct mcx_channel;

/** A channel without a key. @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_channel_new(struct mcx_channel **out);
void mcx_channel_free(struct mcx_channel *channel);
/** @retval MCX_E_REPLAY the key identifier is in the channel already @retval as mcx_control_new() */
MCX_MUST_CHECK mcx_err mcx_channel_set(struct mcx_channel *channel, const struct mcx_control_key *key,
                                       const struct mcx_rng *rng);
/** @retval as mcx_channel_set() */
MCX_MUST_CHECK mcx_err mcx_channel_offer(struct mcx_channel *channel, const struct mcx_control_key *key,
                                         const struct mcx_rng *rng);
void mcx_channel_accept(struct mcx_channel *channel);
void mcx_channel_withdraw(struct mcx_channel *channel);
/** What protects messages of ours; NULL = no key yet. Valid until the channel is changed. */
struct mcx_control *mcx_channel_sender(struct mcx_channel *channel);
/** One of its keys has this identifier. */
bool mcx_channel_has(const struct mcx_channel *channel, uint32_t key_id);
/** Take the next message off a datagram, under whichever key its MKI names; without such a key, and where no MKI can be
 * read (not version 2), all of the datagram is given up. @retval as mcx_control_take() */
MCX_MUST_CHECK mcx_err mcx_channel_take(struct mcx_channel *channel, struct mcx_wr *out, struct mcx_rd *datagram,
                                        struct mcx_refusal *why);

#endif
