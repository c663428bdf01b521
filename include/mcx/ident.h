/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IDENT_H
#define MCX_IDENT_H

/*
 * Identities, key periods, key identifiers and the derivations around them (TS 33.180 5.2, F.1, F.2; MIKEY 4.1).
 *
 * A UID binds a user's URI to a KMS, and to one key period of that KMS; ECCSI and SAKKE know users only by
 * it. A key identifier (K-ID) has its key type in the four top bits. A GMK-ID is never sent bare: each member
 * has a GUK-ID made from it, his URI and the GMK.
 */

#include <mcx/bytes.h>
#include <mcx/seam.h>
#include <mcx/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_UID_LEN 32

/** UserKeyPeriod and UserKeyOffset of a KMS certificate, seconds; valid when 0 < length and offset < length. */
struct mcx_key_period {
    uint64_t length;
    uint64_t offset;
};

/** Period number that holds `ntp_sec` (TS 33.180 F.2.1.1). @retval MCX_E_ARG invalid period, or time before offset */
MCX_MUST_CHECK mcx_err mcx_period_no(uint64_t *no, const struct mcx_key_period *period, uint64_t ntp_sec);
/** First second of period `no` and the first of the next, NTP seconds. @retval MCX_E_ARG overflow or invalid period */
MCX_MUST_CHECK mcx_err mcx_period_bounds(uint64_t *start, uint64_t *end, const struct mcx_key_period *period,
                                         uint64_t no);

/**
 * UID = SHA-256(00 || "MIKEY-SAKKE-UID" || L0 || user || L1 || kms || L2 || period || L3 || offset || L4 || no || L5),
 * integers in the fewest octets (TS 33.180 F.2.1.1).
 *
 * @retval MCX_E_ARG  empty or over-long URI, invalid period
 */
MCX_MUST_CHECK mcx_err mcx_uid(uint8_t uid[MCX_UID_LEN], struct mcx_bytes user_uri, struct mcx_bytes kms_uri,
                               const struct mcx_key_period *period, uint64_t period_no);

/** Purpose tags (TS 33.180 table G-1). */
enum mcx_key_type {
    MCX_KEY_GMK = 0,
    MCX_KEY_PCK = 1,
    MCX_KEY_CSK = 2,
    MCX_KEY_SPK = 3,
    MCX_KEY_MKFC = 4,
    MCX_KEY_MSCCK = 5,
    MCX_KEY_MUSIK = 6,
};
#define MCX_NUM_KEY_TYPES 7
/** "gmk", "pck", ... ; NULL for a number that names no key type. */
const char *mcx_key_type_name(enum mcx_key_type type);
/** Accepts also "msck" for the MSCCK. @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_key_type_read(enum mcx_key_type *out, struct mcx_bytes name);
/** Type in the four top bits of a key identifier. @retval MCX_E_UNSUP tags 7 to 15 */
MCX_MUST_CHECK mcx_err mcx_key_id_type(enum mcx_key_type *out, uint32_t key_id);
/** Draw a K and a K-ID with the tag of `type`. @retval MCX_E_RNG */
MCX_MUST_CHECK mcx_err mcx_key_generate(struct mcx_key *key, uint32_t *key_id, enum mcx_key_type type,
                                        const struct mcx_rng *rng);

/** GUK-ID of `user_uri` from a GMK-ID, or the GMK-ID from a GUK-ID: the same function (TS 33.180 5.2.3, F.1.3). */
MCX_MUST_CHECK mcx_err mcx_guk_id(uint32_t *out, uint32_t id, const struct mcx_key *gmk, struct mcx_bytes user_uri);

/** DPCK of a DPPK and its DPPK-ID (TS 33.180 F.1.5, FC 53). */
MCX_MUST_CHECK mcx_err mcx_dpck(struct mcx_key *dpck, const struct mcx_key *dppk, uint32_t dppk_id);
/** XML confidentiality (FC 51) or integrity (FC 52) key from an XPK (TS 33.180 F.1.4). */
MCX_MUST_CHECK mcx_err mcx_xml_key(struct mcx_key *out, bool integrity, const struct mcx_key *xpk,
                                   struct mcx_bytes user_uri, uint32_t xpk_id);

/** SRTP master key and salt of one crypto session. Secret. */
#define MCX_SRTP_SALT_LEN 12
struct mcx_srtp_master {
    struct mcx_key key;
    uint8_t salt[MCX_SRTP_SALT_LEN];
};
void mcx_srtp_master_clear(struct mcx_srtp_master *master);
/**
 * TEK and salt from a TGK (RFC 3830 4.1.3 with PRF-HMAC-SHA-256 of RFC 6043 6.1; TS 33.180 7.4).
 *
 * @param[in] cs_id   0/1 private call initiator/receiver, 4 group, 6 CSK and SPK, 7 MuSiK (TS 33.180 table E.1.3-1)
 * @param[in] csb_id  K-ID, or the GUK-ID of the member who transmits
 * @param[in] rand    RAND of the I_MESSAGE that brought the key, 1 .. 255 octets
 */
MCX_MUST_CHECK mcx_err mcx_srtp_master_derive(struct mcx_srtp_master *out, const struct mcx_key *tgk, uint8_t cs_id,
                                              uint32_t csb_id, struct mcx_bytes rand);

/** CS-IDs of MCPTT for a key type; `num` is 1 or 2 (TS 33.180 table E.1.3-1; MKFC, MSCCK: docs/DEVIATIONS.md). */
struct mcx_cs_ids {
    size_t num;
    uint8_t id[2];
};
struct mcx_cs_ids mcx_cs_ids(enum mcx_key_type type);

#ifdef __cplusplus
}
#endif

#endif
