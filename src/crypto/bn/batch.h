/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_BN_BATCH_H
#define MCX_CRYPTO_BN_BATCH_H

#include "crypto/bn/fp.h"

#define MCX_FP_BATCH_MAX 64

/** x[i] := 1/x[i] for num <= MCX_FP_BATCH_MAX elements with one inversion; all become 0 if one is 0. */
void mcx_fp_inv_batch(struct mcx_fp *x, int num);

#endif
