/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IDENT_INTERNAL_H
#define MCX_IDENT_INTERNAL_H

/* What src/ident shares between its files, and `mcx uid` and the tests use beside the public functions. */
#include <mcx/ident.h>

/**
 * The hash of TS 33.180 F.2.1.1 alone, without judging whether a KMS may use this period and offset.
 *
 * @retval MCX_E_ARG  empty or over-long URI
 */
MCX_MUST_CHECK mcx_err mcx_uid_hash(uint8_t uid[MCX_UID_LEN], struct mcx_bytes user_uri, struct mcx_bytes kms_uri,
                                    const struct mcx_key_period *period, uint64_t period_no);

/**
 * PRF-HMAC-SHA-256 (RFC 3830 4.1.2 with RFC 6043 6.1): key of any length, in blocks of 256 bits.
 *
 * @param[out] out    wiped on error
 * @retval MCX_E_ARG  empty key or output
 */
MCX_MUST_CHECK mcx_err mcx_mikey_prf(uint8_t *out, size_t out_len, struct mcx_bytes key, struct mcx_bytes label);

/**
 * KDF of TS 33.220 B.2: HMAC-SHA-256(key, FC || P0 || L0 || P1 || L1 || ...).
 *
 * @retval MCX_E_ARG  a parameter over 65535 octets, or more than MCX_KDF_MAX_PARAMS
 */
#define MCX_KDF_MAX_PARAMS 4
MCX_MUST_CHECK mcx_err mcx_kdf(uint8_t out[32], const struct mcx_key *key, uint8_t fc, const struct mcx_bytes *params,
                               size_t num);

#endif
