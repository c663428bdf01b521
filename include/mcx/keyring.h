/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KEYRING_H
#define MCX_KEYRING_H

/*
 * What an end-point knows in memory: KMS certificates with their prepared public keys, and its own key sets,
 * each validated by the equations of RFC 6507 5.1.2 and RFC 6508 6.1.2 before it is taken in.
 * The keyring is built from documents (mcx_kmsdoc_read()) and used by mcx_imessage_make() and _open().
 */

#include <mcx/kmsdoc.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mcx_keyring;

MCX_MUST_CHECK mcx_err mcx_keyring_new(struct mcx_keyring **out, enum mcx_sakke_tables tables);
void mcx_keyring_free(struct mcx_keyring *ring);

/**
 * Take in a certificate: checks period, offset, both points; a certificate with the same CertUri (or, without
 * one, the same KmsUri) replaces the old (TS 33.180 5.3.5). Copies what it needs.
 *
 * @retval MCX_E_POINT @retval MCX_E_FORMAT @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_keyring_add_cert(struct mcx_keyring *ring, const struct mcx_kms_cert *cert,
                                            struct mcx_refusal *why);
/**
 * Take in a key set: its KMS certificate must be held; recomputes the UID, checks dates against the period
 * number, checks both key equations. Same user, KMS and period again: the newer replaces the older.
 * A set marked open_only has no SSK any more: its ECCSI equation is not checked and it never signs.
 *
 * @retval MCX_E_NOKEY no certificate @retval MCX_E_AUTH an equation or the UID does not hold
 * @retval MCX_E_POINT @retval MCX_E_EXPIRED dates contradict KeyPeriodNo, or the set is revoked (a held one is removed)
 * @retval MCX_E_FORMAT @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_keyring_add_key_set(struct mcx_keyring *ring, const struct mcx_kms_key_set *set,
                                               struct mcx_refusal *why);
/**
 * Everything in a document: certificates first, then key sets. Stops at the first that is refused; a revoked key set
 * only removes the one that is held.
 */
MCX_MUST_CHECK mcx_err mcx_keyring_add_doc(struct mcx_keyring *ring, const struct mcx_kmsdoc *doc,
                                           struct mcx_refusal *why);
/** Wipe SSKs of periods that ended before now - 5 minutes and RSKs older than the two last periods. */
void mcx_keyring_expire(struct mcx_keyring *ring, struct mcx_ntp now);

/**
 * Whether the domain list of a held certificate names the host of `uri`. A sender may fall back to its home KMS for an
 * identity that nobody claims; a server that keys whole groups would rather say that a KMS is missing.
 */
bool mcx_keyring_claims(const struct mcx_keyring *ring, struct mcx_bytes uri);

#ifdef __cplusplus
}
#endif

#endif
