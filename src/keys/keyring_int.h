/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KEYS_KEYRING_INT_H
#define MCX_KEYS_KEYRING_INT_H

/* What the parts of src/keys/ see of a keyring. */
#include <mcx/keyring.h>

/** A KMS certificate with its prepared public keys. */
struct mcx_ring_cert {
    struct mcx_kms_cert doc;
    struct mcx_sakke_kms *sakke;
    struct mcx_eccsi_kms *eccsi;
};

/** A key set of our own. */
struct mcx_ring_set {
    const struct mcx_ring_cert *cert;
    char *user_uri;
    uint64_t period_no;
    uint8_t uid[MCX_UID_LEN];
    struct mcx_sakke_rsk *rsk;
    struct mcx_eccsi_key *signing; /* secret memory; NULL once the SSK is gone */
};

struct mcx_keyring {
    enum mcx_sakke_tables tables;
    struct mcx_ring_cert **certs; /* in order of arrival */
    size_t num_certs;
    struct mcx_ring_set **sets;
    size_t num_sets;
};

/** Newest certificate of a KMS that may be used at `unix_s`; NULL when there is none. */
const struct mcx_ring_cert *mcx_ring_cert_of(const struct mcx_keyring *ring, struct mcx_bytes kms_uri, uint64_t unix_s);
/** Whether any certificate of this KMS is held, usable or not. */
bool mcx_ring_knows_kms(const struct mcx_keyring *ring, struct mcx_bytes kms_uri);
/** Certificate whose domain list fits `uri` best, else the Root; NULL when there is neither (TS 33.180 D.3.2). */
const struct mcx_ring_cert *mcx_ring_cert_for(const struct mcx_keyring *ring, struct mcx_bytes uri, uint64_t unix_s);
/**
 * Whether that KMS may vouch for `uri`: it has the longest matching domain of all KMSs held, or nobody claims the
 * domain and it is a home KMS without a domain list: docs/DEVIATIONS.md "mikey-domain".
 */
bool mcx_ring_is_responsible(const struct mcx_keyring *ring, const struct mcx_ring_cert *cert, struct mcx_bytes uri);
/** Key set of a user under a KMS (empty = any) and period; NULL when there is none. */
const struct mcx_ring_set *mcx_ring_set_of(const struct mcx_keyring *ring, struct mcx_bytes user_uri,
                                           struct mcx_bytes kms_uri, uint64_t period_no);

#endif
