/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bn/batch.h"

/* Montgomery's trick: 1/x_i = (x_0 .. x_{i-1}) (x_{i+1} .. x_n) / (x_0 .. x_n) */
void mcx_fp_inv_batch(struct mcx_fp *x, int num)
{
    struct mcx_fp before[MCX_FP_BATCH_MAX];
    struct mcx_fp rest, t;

    mcx_fp_set_one(&rest);
    for (int i = 0; i < num; i++) {
        before[i] = rest;
        mcx_fp_mul(&rest, &rest, &x[i]);
    }
    mcx_fp_inv(&rest, &rest);
    for (int i = num - 1; i >= 0; i--) {
        t = x[i];
        mcx_fp_mul(&x[i], &rest, &before[i]);
        mcx_fp_mul(&rest, &rest, &t);
    }
    mcx_wipe(before, sizeof before);
    mcx_wipe(&rest, sizeof rest);
    mcx_wipe(&t, sizeof t);
}
