/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_SAKKE_INT_H
#define MCX_CRYPTO_SAKKE_INT_H

/* What the files of this directory share. */

#include <mcx/sakke.h>

#include "crypto/ec/comb.h"
#include "crypto/ec/curve.h"

struct mcx_sakke_kms {
    struct mcx_ted z;
    struct mcx_ted_comb *comb; /* of Z; NULL without tables */
};

/** r := HashToIntegerRange(SSV || uid, q) (RFC 6508 5.1) */
MCX_MUST_CHECK mcx_err mcx_sakke_hash_r(struct mcx_fq *r, const struct mcx_key *ssv, struct mcx_bytes uid);
/** mask := HashToIntegerRange(w, 2^128), w hashed as 128 octets (RFC 6508 5.1, 6.2) */
MCX_MUST_CHECK mcx_err mcx_sakke_hash_mask(uint8_t mask[MCX_KEY_LEN], const struct mcx_fp *w);
/** point := [r]([b]P + Z) = [r b]P + [r]Z */
void mcx_sakke_point_r(struct mcx_ted *point, const struct mcx_sakke_kms *kms, const struct mcx_fq *r,
                       const struct mcx_fq *b);
#endif
