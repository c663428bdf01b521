/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_RING_H
#define MCX_TESTS_RING_H

/* Keyrings, certificates and key sets made of the values in tests/vectors. */
#include <mcx/imessage.h>

#include "support/vectors.h"

/** KMS of the composed messages: kms1.mcx.example.net, home, no domain list. */
struct mcx_kms_cert ring_cert_own(void);
/** KMS that the message file names; period parameters by the file's header. */
struct mcx_kms_cert ring_cert_of(const char *file);
void ring_cert_clear(struct mcx_kms_cert *cert);
/** [keyset-2], -3, -4 (unit07, unit08, gms1) of identities-kms-vectors.txt; open_only = false. */
struct mcx_kms_key_set ring_set_own(int n);
/** Key set of the responder of a message file (RSK only), false when the file has none. */
int ring_set_responder(struct mcx_kms_key_set *set, const char *file);
void ring_set_clear(struct mcx_kms_key_set *set);

/** Home KMS and the key sets 2, 3, 4 by the bits of `sets` (1 << n). Aborts on failure. */
struct mcx_keyring *ring_own(unsigned sets);
/** Ring that can open a message file; NULL when the file has no responder key. */
struct mcx_keyring *ring_for(const char *file);
/** T of a message file. */
struct mcx_ntp ring_time(const char *file);

/** A KMS with its master secrets, for key sets of any user and period. */
struct ring_kms {
    struct mcx_kms_cert cert;
    struct mcx_sakke_master sakke;
    struct mcx_eccsi_master eccsi;
};
/** Masters of RFC 6507/6508 appendix A (seed 0: those of the composed messages), or drawn from a seed. */
struct ring_kms ring_kms_new(const char *uri, enum mcx_kms_role role, const char *domain, uint64_t seed);
void ring_kms_clear(struct ring_kms *kms);
/** Issue a key set. */
struct mcx_kms_key_set ring_issue(const struct ring_kms *kms, const char *user, uint64_t period_no);
/** Issue and take in; aborts on failure. The certificate must be in the ring. */
void ring_add(struct mcx_keyring *ring, const struct ring_kms *kms, const char *user, uint64_t period_no);
/** Period of an NTP second under this KMS. */
uint64_t ring_period(const struct ring_kms *kms, uint64_t ntp_sec);

#define RING_OWN_TIME UINT64_C(0xed529d40) /* T of the composed messages, NTP seconds */

#endif
