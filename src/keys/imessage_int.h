/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KEYS_IMESSAGE_INT_H
#define MCX_KEYS_IMESSAGE_INT_H

/* Shared by the maker and the opener of I_MESSAGEs. */
#include <mcx/imessage.h>
#include <mcx/mikey.h>

#include "keys/keyring_int.h"

/** What TS 33.180 E.2 to E.4 say for one kind of key. */
struct mcx_key_profile {
    bool explicit_policy;         /* crypto sessions and SP are always written */
    bool group_field;             /* key parameters have the field of MC group IDs */
    struct mcx_mikey_suite suite; /* default profile */
};
/** Never NULL for a valid type. */
const struct mcx_key_profile *mcx_key_profile(enum mcx_key_type type);

/** Unix seconds of a time stamp; 0 for one before 1970. */
uint64_t mcx_unix_of(struct mcx_ntp t);

/** @retval MCX_E_REPLAY seen before, or older than the latest of the same key */
MCX_MUST_CHECK mcx_err mcx_imessage_seen_check(const struct mcx_replay *replay, const struct mcx_mikey_sakke_msg *msg,
                                               struct mcx_ntp time, struct mcx_refusal *why);
/** Remember an authenticated message until `until` (NTP seconds). @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_imessage_seen_add(struct mcx_replay *replay, const struct mcx_mikey_sakke_msg *msg,
                                             struct mcx_ntp time, uint64_t until, struct mcx_ntp now,
                                             struct mcx_refusal *why);

/** An I_MESSAGE on its way through the receiver algorithm. Candidates are few: see MCX_OPEN_MAX. */
#define MCX_OPEN_MAX 8
struct mcx_opening {
    const struct mcx_keyring *ring;
    const struct mcx_imessage_policy *policy;
    struct mcx_ntp now;
    struct mcx_refusal *why;
    struct mcx_mikey_sakke_msg msg;
    struct mcx_ntp time;
    const struct mcx_ring_set *sets[MCX_OPEN_MAX]; /* key sets that may open it, likeliest first */
    size_t num_sets;
    bool own;
    const struct mcx_ring_cert *kms_i;
    uint8_t uids[MCX_OPEN_MAX][MCX_UID_LEN]; /* UIDs that may have signed it */
    size_t num_uids;
    size_t signer; /* index of the one that has */
};
/** Who it is for, who it is from, and who may vouch for him (TS 33.180 5.2.2 to 5.2.8). */
MCX_MUST_CHECK mcx_err mcx_open_responder(struct mcx_opening *o);
MCX_MUST_CHECK mcx_err mcx_open_initiator(struct mcx_opening *o);
/** Step 10: key type, policy, SAKKE parameters. Fills type, rcc, roc_rate, no_streams. */
MCX_MUST_CHECK mcx_err mcx_open_policy(struct mcx_opening *o, struct mcx_imessage *out);
/** Step 12: key identifier against SPI, key parameters. `out->key` is there. */
MCX_MUST_CHECK mcx_err mcx_open_key(struct mcx_opening *o, struct mcx_imessage *out);

#endif
