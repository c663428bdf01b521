/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_PAIRING_H
#define MCX_CRYPTO_EC_PAIRING_H

/*
 * The pairing of RFC 6508 3.2, <K, R> = f(-Rx, i Ry)^4 with f the Miller function of q K: a value in PF_p.
 * It is symmetric on the subgroup of order q. The receiver's key K takes the first place because it is the
 * point that stays.
 */

#include "crypto/ec/curve.h"
#include "crypto/ec/pf.h"

/** w := <K, R> for K of order q. Constant time in both points; R may be any point of E. */
void mcx_pairing(struct mcx_fp *w, const struct mcx_ec *k, const struct mcx_ec *r);

#endif
