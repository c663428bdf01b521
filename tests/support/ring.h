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

#define RING_OWN_TIME UINT64_C(0xed529d40) /* T of the composed messages, NTP seconds */

#endif
