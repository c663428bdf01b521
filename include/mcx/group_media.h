/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GROUP_MEDIA_H
#define MCX_GROUP_MEDIA_H

/*
 * SRTP of a group call (TS 33.180 7.4.2, 7.5; media.md 2 row 1, 4, 6).
 *
 * Each speaker sends under a key of his own: derived from the GMK, the RAND it came with, and his GUK-ID, which stands in
 * the MKI beside the GMK-ID. A receiver reads both from the packet, finds the GMK among the keys of the group, derives the
 * speaker's key on demand and keeps it in a bounded cache. RCCm3 puts the ROC in the packets, so that one may join late.
 *
 * A forged MKI costs a derivation; how many of those a second are done for MKIs that never authenticated is bounded, and
 * the cache gives up unproven entries first, so that a flood cannot push out a live speaker.
 */

#include <mcx/group_keys.h>
#include <mcx/srtp.h>

/** Send context: own GUK-ID, a new random SSRC. Follows key changes: see mcx_group_tx_renew(). */
struct mcx_group_tx;
/** @retval MCX_E_NOKEY @retval MCX_E_EXPIRED @retval MCX_E_POLICY no usable key: as mcx_group_keys_send()
 * @retval MCX_E_RNG @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_group_tx_new(struct mcx_group_tx **out, const struct mcx_group_keys *keys, const char *group,
                                        struct mcx_ntp now, const struct mcx_rng *rng, struct mcx_refusal *why);
void mcx_group_tx_free(struct mcx_group_tx *tx);
uint32_t mcx_group_tx_ssrc(const struct mcx_group_tx *tx);
uint32_t mcx_group_tx_key_id(const struct mcx_group_tx *tx);
/** Switch to the key that is now the one to send with; SSRC, SEQ and ROC go on (another master key, so no nonce repeats).
 * @param[out] switched  whether it changed @retval as mcx_group_tx_new(); the context then refuses to send */
MCX_MUST_CHECK mcx_err mcx_group_tx_renew(struct mcx_group_tx *tx, bool *switched, const struct mcx_group_keys *keys,
                                          struct mcx_ntp now, struct mcx_refusal *why);
/** @retval as mcx_srtp_protect(); MCX_E_NOKEY after a renewal that found no key */
MCX_MUST_CHECK mcx_err mcx_group_tx_protect(struct mcx_group_tx *tx, struct mcx_wr *out, struct mcx_bytes packet);

struct mcx_group_rx_config {
    size_t max_speakers;       /* contexts kept, 0 = 64 */
    size_t max_ssrc;           /* streams of one speaker, 0 = 4 */
    uint32_t derivations_per_s; /* for MKIs that have not authenticated yet, 0 = 50 */
};
/** Who sent a packet. The MCPTT ID is known by recomputing its GUK-ID: mcx_guk_id(). */
struct mcx_group_speaker {
    uint32_t gmk_id, guk_id, ssrc;
};
struct mcx_group_rx_counts {
    uint64_t opened, unknown_key, refused, replayed, limited; /* limited: dropped for the bound on derivations */
    size_t speakers;                                           /* contexts held now */
};

struct mcx_group_rx;
/** `keys` is borrowed and may change between calls: a key that is gone, revoked or expired is not used from then on. */
MCX_MUST_CHECK mcx_err mcx_group_rx_new(struct mcx_group_rx **out, const struct mcx_group_keys *keys, const char *group,
                                        const struct mcx_group_rx_config *config);
void mcx_group_rx_free(struct mcx_group_rx *rx);
/** Other keys from now on; contexts of keys that are no longer good are wiped. */
void mcx_group_rx_renew(struct mcx_group_rx *rx, const struct mcx_group_keys *keys, struct mcx_ntp now);
/**
 * Authenticate and open one packet. On any error no stream state has changed.
 *
 * @retval MCX_E_NOKEY unknown GMK-ID, GUK-ID with another tag @retval MCX_E_EXPIRED @retval MCX_E_POLICY key state, or the
 *                     bound on derivations @retval as mcx_srtp_unprotect()
 */
MCX_MUST_CHECK mcx_err mcx_group_rx_open(struct mcx_group_rx *rx, struct mcx_wr *out, struct mcx_group_speaker *speaker,
                                         struct mcx_bytes packet, struct mcx_ntp now, struct mcx_refusal *why);
struct mcx_group_rx_counts mcx_group_rx_counts(const struct mcx_group_rx *rx);

#endif
