/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IMESSAGE_H
#define MCX_IMESSAGE_H

/*
 * The MIKEY-SAKKE I_MESSAGE as TS 33.180 annex E profiles it: one signed message that carries one key to one
 * identity. mcx_imessage_make() builds it, mcx_imessage_open() goes through the receiver algorithm in its
 * order: parse, header rules, time, replay, identities, signature, and only then decapsulation.
 */

#include <mcx/ident.h>
#include <mcx/keyring.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_IMESSAGE_MAX        8192
#define MCX_RAND_LEN            16
#define MCX_IMESSAGE_RAND_MAX   255
#define MCX_IMESSAGE_GROUPS_MAX 16 /* CHOICE: MC group IDs of one key; they share the 4096 octets of the parameters */

/** Optional type 7 extension: key parameters (TS 33.180 E.6). */
struct mcx_key_params {
    uint32_t status;                /* bit 0: 1 = valid */
    uint64_t activation;            /* Unix seconds; 0 = time stamp of the message */
    uint64_t expiry;                /* Unix seconds; 0 = never */
    struct mcx_bytes text;          /* UTF-8, may be empty */
    const struct mcx_bytes *groups; /* MC group IDs the key serves (TS 33.180 5.7.1); GMK, MKFC, MuSiK only */
    size_t num_groups; /* at most MCX_IMESSAGE_GROUPS_MAX, together within MCX_MIKEY_KP_MAX; else MCX_E_ARG */
};

/** What to put into a message. All views are borrowed. */
struct mcx_imessage_params {
    enum mcx_key_type type;
    const struct mcx_key *key;
    uint32_t key_id;           /* GMK: the GMK-ID; the GUK-ID is derived from `to` */
    struct mcx_bytes rand;     /* 16 octets */
    struct mcx_ntp time;       /* T payload; fixes the key periods of both sides */
    struct mcx_bytes from;     /* initiator URI, a user URI of a key set in the ring */
    struct mcx_bytes from_kms; /* may be empty: any KMS under which the ring holds a key set of `from` */
    struct mcx_bytes to;       /* responder URI */
    struct mcx_bytes to_kms;   /* may be empty: the certificate whose domain list fits `to`, else the Root */
    bool hide_identities;      /* roles 8 and 9 (E.7) */
    bool sakke_to_self;        /* extension 6 (E.5) */
    const struct mcx_key_params *key_params; /* NULL = no extension 7 */
    /* CSK, SPK, MSCCK, MuSiK, PCK: write crypto sessions and policy out (#CS > 0, GENERIC-ID, SP) instead of leaving
     * both to the default profile; GMK and MKFC always have them: docs/DEVIATIONS.md "mikey-emission". */
    bool explicit_policy;
};

/**
 * Build, sign and self-check a message.
 *
 * Order of the random draws, for reproducible vectors: the IV of the key parameters (16 octets, only with
 * `key_params`), then whatever mcx_eccsi_sign() draws.
 *
 * @param[out] out  written octets appended; unchanged on error
 * @retval MCX_E_NOKEY   no key set for `from` in the period of `time`, or no certificate for `to`
 * @retval MCX_E_EXPIRED a certificate is revoked or past its end
 * @retval MCX_E_ARG @retval MCX_E_SPACE @retval MCX_E_RNG @retval MCX_E_NOMEM
 * @retval MCX_E_BUG     the new message did not pass its own check
 */
MCX_MUST_CHECK mcx_err mcx_imessage_make(struct mcx_wr *out, const struct mcx_imessage_params *params,
                                         const struct mcx_keyring *ring, const struct mcx_rng *rng,
                                         struct mcx_refusal *why);

/**
 * Messages accepted before (RFC 3830 5.3, 5.4): the hash of the signed octets, which hold IDRi, T, RAND and CSB ID,
 * and never the signature, which has more than one valid form; and for each (initiator, CSB ID) the latest T.
 * Bounded, and empty after a start: what was accepted before it has to be kept out by T (RFC 3830 5.4). A look costs
 * the same however many entries there are. A cache belongs to one thread at a time.
 */
struct mcx_replay;
/**
 * @param[in] capacity  entries, about 140 octets each; a full cache refuses new messages rather than forget a live one
 * @retval MCX_E_ARG    0, or more than 2^24
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_replay_new(struct mcx_replay **out, size_t capacity);
void mcx_replay_free(struct mcx_replay *replay);

#define MCX_SKEW_ANY UINT32_MAX
/** Receiver policy. Zeroed = strict defaults of docs/DEVIATIONS.md; each flag widens what is accepted and is logged. */
struct mcx_imessage_policy {
    uint32_t allowed_types;       /* bit n = key type n may arrive here; 0 = all */
    uint32_t future_skew_s;       /* 0 = 300 */
    struct mcx_ntp started;       /* a T long before it is refused: the replay cache is of later; 0 = any */
    uint32_t past_skew_s;         /* 0 = 3600; MCX_SKEW_ANY = any age whose period has a key set (GMK, announcements) */
    struct mcx_bytes initiator;   /* URI in the signalling, must agree with IDRi or IDRuidi (E.7); empty = unknown */
    bool accept_short_sign;       /* mikey_accept_short_sign: SIGN header left out of the signed octets */
    bool accept_clear_key_params; /* mikey_accept_clear_key_parameters */
    bool accept_role3_kms;        /* mikey_accept_role3_kms */
    bool period_neighbours;       /* mikey_period_neighbours: diagnostic, any neighbouring period */
    bool ignore_status;           /* mikey_status_strict off: key status 0 does not refuse */
    bool ignore_expiry;           /* the caller judges the end of the key: mcx_group_keys_accept() */
    bool accept_own;              /* open messages of our own user to somebody else, by extension 6 (E.5) */
};

/** An accepted message. Holds secrets: clear with mcx_imessage_clear(). */
struct mcx_imessage {
    enum mcx_key_type type;
    struct mcx_key key;
    uint32_t key_id; /* GMK: the GMK-ID */
    uint32_t csb_id; /* as on the wire: the GUK-ID for a GMK */
    uint8_t rand[MCX_IMESSAGE_RAND_MAX];
    size_t rand_len;
    struct mcx_ntp time;
    char initiator[MCX_KMSDOC_URI_MAX]; /* "" when hidden and not known from the signalling */
    char responder[MCX_KMSDOC_URI_MAX]; /* own URI, also when hidden; with `own` the peer's, "" when hidden */
    char kms_initiator[MCX_KMSDOC_URI_MAX];
    char kms_responder[MCX_KMSDOC_URI_MAX];
    uint8_t initiator_uid[MCX_UID_LEN];
    bool own;          /* our own user is the initiator and extension 6 gave the key (policy accept_own) */
    bool no_streams;   /* SRTP-ID map: the key is good, its streams are not usable (RFC 3830 6.1.1) */
    bool rcc;          /* SP selects RCCm3, or the default profile of the key type does */
    uint16_t roc_rate; /* R of RFC 4771 when rcc, else 0 */
    bool has_key_params;
    uint32_t key_status;
    uint64_t activation, expiry; /* Unix seconds, 0 as in mcx_key_params */
    size_t num_groups; /* MC group IDs, in the order of the message; a message with more than fit is refused */
    char groups[MCX_IMESSAGE_GROUPS_MAX][MCX_KMSDOC_URI_MAX];
};
void mcx_imessage_clear(struct mcx_imessage *msg);

/**
 * Open a message (RFC 3830 5.3, RFC 6509 2.2.2, TS 33.180 5.2): nothing of it is used before the signature is
 * verified, nothing is decapsulated before that, and on any error `out` is wiped.
 *
 * A message to somebody else is refused, also when our own user has sent it, unless `accept_own` is set and it has
 * extension 6. Where the ring can open both the main payload and extension 6, they must agree.
 *
 * @param[in,out] replay  may be NULL (laboratory tools only)
 * @param[in]     now     wall clock; decides skew
 * @retval MCX_E_TRUNC @retval MCX_E_FORMAT @retval MCX_E_TRAILING @retval MCX_E_UNSUP  malformed or not supported,
 *                        more than MCX_IMESSAGE_GROUPS_MAX group IDs among it
 * @retval MCX_E_EXPIRED  T outside the skew   @retval MCX_E_REPLAY
 * @retval MCX_E_NOKEY    not for an identity of the ring, unknown KMS, or no key set for the period of T
 * @retval MCX_E_POLICY   key type not allowed here, KMS not responsible for the initiator, key revoked
 * @retval MCX_E_AUTH @retval MCX_E_POINT  signature, decapsulation or key parameters failed
 * @retval MCX_E_SPACE    the replay cache is full
 * @retval MCX_E_NOMEM @retval MCX_E_BUG  of the cryptography; nothing is known about the message then
 */
MCX_MUST_CHECK mcx_err mcx_imessage_open(struct mcx_imessage *out, struct mcx_bytes message,
                                         const struct mcx_keyring *ring, struct mcx_replay *replay, struct mcx_ntp now,
                                         const struct mcx_imessage_policy *policy, struct mcx_refusal *why);

#ifdef __cplusplus
}
#endif

#endif
