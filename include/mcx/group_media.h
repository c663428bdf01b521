/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GROUP_MEDIA_H
#define MCX_GROUP_MEDIA_H

/*
 * SRTP of a group call (TS 33.180 7.4.2, 7.5; TS 24.380 13.1).
 *
 * Each speaker sends under a key of his own: derived from the GMK, the RAND it came with, and his GUK-ID, which stands
 * in the MKI beside the GMK-ID. A receiver reads both from the packet, finds the GMK among the keys of the group,
 * derives the speaker's key on demand and keeps it in a bounded cache. RCCm3 puts the ROC in the packets, so that one
 * may join late.
 *
 * When the GMK changes in a call, SSRC, SEQ and ROC of a sender go on (RFC 3711 3.3.1: the ROC is not reset): the index
 * only grows, so that no nonce repeats even if the old key comes into use again. Receivers take packets under every
 * good key of the group and follow the MKI. Where a packet carries no ROC, they go on from the one of the same SSRC.
 *
 * A forged MKI costs a derivation; how many of those a second are done for MKIs that never authenticated is bounded.
 * The cache gives up entries that never authenticated first; then, only for one that has just authenticated, a speaker
 * who was silent for MCX_GROUP_IDLE_S; never a live one. A speaker who was given up has no replay list any more:
 * `max_speakers` should be the number of those who talk in a call.
 *
 * The replay lists are in the receiver: keep it from one call of a group to the next, for as long as the keys live.
 * With a new one, whatever was recorded of an earlier call under the same GMK opens again.
 */

#include <mcx/group_keys.h>
#include <mcx/srtp.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_GROUP_SPEAKERS_MAX 65536
#define MCX_GROUP_IDLE_S       60 /* CHOICE: a speaker silent for so long may be given up */

/** Send context: own GUK-ID, a new random SSRC. */
struct mcx_group_tx;
/**
 * @retval MCX_E_NOKEY @retval MCX_E_EXPIRED @retval MCX_E_POLICY  no usable key: as mcx_group_keys_send()
 * @retval MCX_E_ARG   no group @retval MCX_E_RNG @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_group_tx_new(struct mcx_group_tx **out, const struct mcx_group_keys *keys, const char *group,
                                        struct mcx_ntp now, const struct mcx_rng *rng, struct mcx_refusal *why);
/** Wipes; NULL is allowed. */
void mcx_group_tx_free(struct mcx_group_tx *tx);
uint32_t mcx_group_tx_ssrc(const struct mcx_group_tx *tx);
/** GMK-ID in use; after a renewal that found no key, that of the last one. */
uint32_t mcx_group_tx_key_id(const struct mcx_group_tx *tx);
/**
 * Switch to the key that is now the one to send with; due whenever keys have changed and at
 * mcx_group_keys_next_change().
 *
 * @param[out] switched  whether it changed
 * @retval as mcx_group_tx_new(); the context then refuses to send until a renewal succeeds
 */
MCX_MUST_CHECK mcx_err mcx_group_tx_renew(struct mcx_group_tx *tx, bool *switched, const struct mcx_group_keys *keys,
                                          struct mcx_ntp now, struct mcx_refusal *why);
/**
 * As mcx_srtp_protect(): SEQ goes on also over a change of the key.
 *
 * @retval MCX_E_NOKEY  a renewal found no key
 * @retval MCX_E_STATE  another SSRC than mcx_group_tx_ssrc(), or as mcx_srtp_protect() @retval as mcx_srtp_protect()
 */
MCX_MUST_CHECK mcx_err mcx_group_tx_protect(struct mcx_group_tx *tx, struct mcx_wr *out, struct mcx_bytes packet);

struct mcx_group_rx_config {
    size_t max_speakers;        /* contexts kept, 0 = 64; at most MCX_GROUP_SPEAKERS_MAX */
    size_t max_ssrc;            /* streams of one speaker, 0 = 256; each time he joins he has a new one */
    uint32_t derivations_per_s; /* for MKIs that have not authenticated yet, 0 = 500; about 6 us each */
};
/** Who sent a packet. The MCPTT ID is known by recomputing its GUK-ID: mcx_guk_id(). */
struct mcx_group_speaker {
    uint32_t gmk_id, guk_id, ssrc;
};
struct mcx_group_rx_counts {
    uint64_t opened;
    uint64_t unknown_key; /* GMK-ID not held, revoked, expired or not active yet; GUK-ID with another tag */
    uint64_t refused;     /* malformed, wrong tag, no room */
    uint64_t replayed;
    uint64_t limited; /* dropped for the bound on derivations */
    uint64_t derived; /* keys derived so far */
    size_t speakers;  /* contexts held now, those that never authenticated included */
};

struct mcx_group_rx;
/**
 * `keys` is borrowed and may change between calls: a key that is gone, revoked or expired is not used from then on.
 *
 * @param[in] config  NULL = defaults @retval MCX_E_ARG no group, or a bound too high @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_group_rx_new(struct mcx_group_rx **out, const struct mcx_group_keys *keys, const char *group,
                                        const struct mcx_group_rx_config *config);
/** Wipes; NULL is allowed. */
void mcx_group_rx_free(struct mcx_group_rx *rx);
/** Other keys from now on; contexts of keys that are gone, revoked or expired are wiped. Due as mcx_group_tx_renew() is.
 */
void mcx_group_rx_renew(struct mcx_group_rx *rx, const struct mcx_group_keys *keys, struct mcx_ntp now);
/** We send under this SSRC (mcx_group_tx_ssrc()): under our own GUK-ID it is refused from now on, in later calls too;
 * the last 256 are remembered. */
void mcx_group_rx_own(struct mcx_group_rx *rx, uint32_t ssrc);
/**
 * Authenticate and open one packet, in place if wanted as mcx_srtp_unprotect(). On any error no stream state has
 * changed.
 *
 * @param[out] speaker  written on success
 * @retval MCX_E_NOKEY unknown GMK-ID, GUK-ID with another tag @retval MCX_E_EXPIRED @retval MCX_E_POLICY key state, our own
 *                     speech, the bound on derivations, or no room for another live speaker @retval as mcx_srtp_unprotect()
 */
MCX_MUST_CHECK mcx_err mcx_group_rx_open(struct mcx_group_rx *rx, struct mcx_wr *out, struct mcx_group_speaker *speaker,
                                         struct mcx_bytes packet, struct mcx_ntp now, struct mcx_refusal *why);
struct mcx_group_rx_counts mcx_group_rx_counts(const struct mcx_group_rx *rx);

#ifdef __cplusplus
}
#endif

#endif
