/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_GROUP_KEYS_H
#define MCX_GROUP_KEYS_H

/*
 * The group keys of a user: which GMKs he holds, for which groups, from when to when (TS 33.180 5.7; TS 33.179 7.3).
 *
 * A GMK comes in an I_MESSAGE of the group management server (GMS) and nobody else's counts. It is bound to the groups
 * that its signed key parameters name; without any, to the group in whose document it stood. Several may be active for
 * one group: the one with the latest activation time is used to send, all are used to receive. A key that was revoked
 * or has expired is wiped but stays known by its GMK-ID and T, so that a replay cannot bring it back; when room is
 * needed, the one with the oldest T is forgotten first.
 *
 * T of the messages about one GMK has to rise: with the T of the last one, only a revocation and further groups count.
 *
 * Group keys outlive a run of the program: sealed like the key store (<mcx/store.h>), under the same store key.
 */

#include <mcx/imessage.h>
#include <mcx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_GROUP_KEYS_MAX       512 /* keys held; and groups of which something is known */
#define MCX_GROUP_KEY_GROUPS_MAX MCX_IMESSAGE_GROUPS_MAX
#define MCX_GROUP_CLOCK_SKEW_S   60 /* a receiver takes a key this much before its activation */

/** One GMK (or MKFC). A secret as a whole; borrowed from mcx_group_keys until its next change. */
struct mcx_group_key {
    enum mcx_key_type type; /* MCX_KEY_GMK, MCX_KEY_MKFC */
    struct mcx_key key;
    uint32_t key_id; /* GMK-ID; of a MKFC its MKFC-ID */
    uint32_t guk_id; /* own GUK-ID; of a MKFC its MKFC-ID */
    uint8_t rand[MCX_IMESSAGE_RAND_MAX];
    size_t rand_len;
    bool rcc;
    uint16_t roc_rate;
    uint64_t activation; /* Unix seconds, never 0: the time of T when the parameters say 0 */
    uint64_t expiry;     /* Unix seconds; 0 = never */
    struct mcx_ntp time; /* T of the latest message about it */
    bool revoked;        /* key is wiped then */
    bool expired;        /* found expired by mcx_group_keys_expire(); key is wiped then */
    char *gms;           /* URI of the signer */
    char *user;          /* own MCPTT ID, which the GUK-ID is made of */
    char *group[MCX_GROUP_KEY_GROUPS_MAX];
    size_t num_groups;
};

struct mcx_group_keys;
MCX_MUST_CHECK mcx_err mcx_group_keys_new(struct mcx_group_keys **out);
/** Wipes; NULL is allowed. */
void mcx_group_keys_free(struct mcx_group_keys *keys);

/** What accepting a message changed. */
enum mcx_group_key_change {
    MCX_GK_SAME, /* the identical message again: nothing */
    MCX_GK_NEW,
    MCX_GK_UPDATED, /* T, times or groups of a key that is held; or a key that had expired, valid again */
    MCX_GK_REVOKED,
};

/**
 * Take in an accepted message (mcx_imessage_open() with `initiator` = the configured GMS and allowed_types GMK, MKFC
 *, `ignore_status` and `ignore_expiry`, which leave the revocation and the end of the key to here).
 *
 * @param[in] gms    URI of the GMS of this user; the initiator must be it, octet for octet
 * @param[in] group  group, or temporary group, in whose GKTP document the message stood
 * The parameters, when they name groups, replace the groups of the key; without any, `group` is added to them.
 * A revocation counts whatever key it carries, and also for a GMK-ID that was not known. An end that has passed counts
 * for a key that is held: it is wiped.
 *
 * @param[out] change  written on success; anything but MCX_GK_SAME is to be sealed
 * @retval MCX_E_ARG      `gms` or `group` is empty or too long
 * @retval MCX_E_POLICY   signed by somebody else, another key type, the parameters name other groups, a revoked key
 * again, the GMK-ID is held with another key, RAND, SRTP policy, GMS or user, or no usable streams
 * @retval MCX_E_REPLAY   older T than the last about this GMK-ID, or the same T with other times
 * @retval MCX_E_EXPIRED  its expiry has passed, and it was not held
 * @retval MCX_E_SPACE    MCX_GROUP_KEYS_MAX keys that are neither revoked nor expired, or as many groups
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_group_keys_accept(struct mcx_group_keys *keys, enum mcx_group_key_change *change,
                                             const struct mcx_imessage *msg, const char *gms, const char *group,
                                             struct mcx_ntp now, struct mcx_refusal *why);
/** Unbind all keys from a group (deleted, left, or a temporary group torn down), wipe those without one, and forget its
 * documents. @return how many were wiped */
size_t mcx_group_keys_drop_group(struct mcx_group_keys *keys, const char *group);
/** Wipe what has expired. @return how many */
size_t mcx_group_keys_expire(struct mcx_group_keys *keys, struct mcx_ntp now);

/**
 * The key to send with: usable, latest activation (TS 33.179 7.3.1), ties by latest T.
 *
 * @retval MCX_E_NOKEY   none is held for this group   @retval MCX_E_EXPIRED all have expired or are not active yet
 * @retval MCX_E_POLICY  all are revoked
 */
MCX_MUST_CHECK mcx_err mcx_group_keys_send(const struct mcx_group_key **out, const struct mcx_group_keys *keys,
                                           enum mcx_key_type type, const char *group, struct mcx_ntp now,
                                           struct mcx_refusal *why);
/** The key of a GMK-ID for receiving in this group: not revoked, not expired, active but for MCX_GROUP_CLOCK_SKEW_S.
 * @retval as above */
MCX_MUST_CHECK mcx_err mcx_group_keys_receive(const struct mcx_group_key **out, const struct mcx_group_keys *keys,
                                              const char *group, uint32_t gmk_id, struct mcx_ntp now,
                                              struct mcx_refusal *why);
/** Next activation or expiry after `now` of a key that is in use, Unix seconds; UINT64_MAX = none. */
uint64_t mcx_group_keys_next_change(const struct mcx_group_keys *keys, struct mcx_ntp now);
size_t mcx_group_keys_num(const struct mcx_group_keys *keys);
/** Borrowed until the next change. */
const struct mcx_group_key *mcx_group_keys_at(const struct mcx_group_keys *keys, size_t i);

/**
 * Sealed form, as of <mcx/store.h> with the magic "mcxgroup"; what the XCAP client remembers of a document rides along.
 * Files of it: src/io/group_file.h.
 *
 * @param[out] out  octets on the heap; release with free() @retval as mcx_store_seal()
 */
MCX_MUST_CHECK mcx_err mcx_group_keys_seal(uint8_t **out, size_t *len, struct mcx_group_keys *keys,
                                           const uint8_t key[MCX_STORE_KEY_LEN], const struct mcx_rng *rng);
/** @retval as mcx_store_open() */
MCX_MUST_CHECK mcx_err mcx_group_keys_open(struct mcx_group_keys **out, struct mcx_bytes sealed,
                                           const uint8_t key[MCX_STORE_KEY_LEN], uint64_t min_serial,
                                           struct mcx_refusal *why);
uint64_t mcx_group_keys_serial(const struct mcx_group_keys *keys);

/** What is known of a group besides its keys, from its group document. Strings are never NULL on reading. */
struct mcx_group_info {
    const char *group;
    const char *etag_group; /* of the group document; "" = none */
    const char *etag_gktp;
    bool protect_media; /* absent in the document means true (TS 24.481 7.2.8) */
    bool protect_floor;
    bool multicast_floor;
    const char *temporary; /* temporary group that this one is part of; "" = none */
};
/** Copied, in place of what was known of that group; NULL is "".
 * @retval MCX_E_ARG no group, or a string of MCX_KMSDOC_URI_MAX octets or more, or not UTF-8 @retval MCX_E_SPACE
 * @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_group_keys_put_info(struct mcx_group_keys *keys, const struct mcx_group_info *info);
/** NULL when nothing is known. Borrowed until the next change. */
const struct mcx_group_info *mcx_group_keys_info(const struct mcx_group_keys *keys, const char *group);
size_t mcx_group_keys_num_info(const struct mcx_group_keys *keys);
const struct mcx_group_info *mcx_group_keys_info_at(const struct mcx_group_keys *keys, size_t i);

#ifdef __cplusplus
}
#endif

#endif
