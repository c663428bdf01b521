/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CHANNEL_H
#define MCX_CHANNEL_H

/*
 * A control channel whose key is replaced from time to time (TS 33.180 5.4 upload, 5.8 download): which key protects
 * what is sent, and which keys may open what arrives. Both ends use it.
 *
 *   set       our side received the key: it protects from now on. The peer may not know yet that we have it, or that
 * its own key has not got through: what protected before, and what was offered, go on opening until the peer has used
 * the new one. Three of these are kept, the one that the peer used last always among them offer     our side made the
 * key, which is on its way to the peer: it opens only. That the peer has said yes, or a message under it, makes it the
 * one that protects; that he has said no forgets it; where no answer comes, the peer may have it, so it goes on opening
 * beside one later offer
 *
 * So both sides have a key in common whichever answers are lost, and nothing is ever sent without one. Keys that are no
 * longer needed are wiped at once.
 */

#include <mcx/control.h>

#ifdef __cplusplus
extern "C" {
#endif

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
enum mcx_channel_answer {
    MCX_CHANNEL_TAKEN,
    MCX_CHANNEL_REFUSED,
    MCX_CHANNEL_UNANSWERED, /* the peer may have it or not: offer another key */
};
/** The SIP answer to what carried the last offer: 2xx, or no (4xx but 408, 6xx). Without an answer of the peer's own (0
 * = none at all; also 408, 3xx and 5xx, which a proxy gives) he may have it. */
enum mcx_channel_answer mcx_channel_answered(struct mcx_channel *channel, unsigned code);
/** What protects messages of ours; NULL = no key yet. Valid until the channel is changed. */
struct mcx_control *mcx_channel_sender(struct mcx_channel *channel);
/** One of its keys has this identifier. */
bool mcx_channel_has(const struct mcx_channel *channel, uint32_t key_id);
/** Take the next message off a datagram, under whichever key its MKI names; without such a key, and where no MKI can be
 * read (not version 2), all of the datagram is given up. @retval as mcx_control_take() */
MCX_MUST_CHECK mcx_err mcx_channel_take(struct mcx_channel *channel, struct mcx_wr *out, struct mcx_rd *datagram,
                                        struct mcx_refusal *why);

#ifdef __cplusplus
}
#endif

#endif
