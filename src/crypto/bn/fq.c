/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bn/fq.h"

#include <string.h>

/* Horner in base 2^1024 over blocks of 128 octets, the first one short. */
void mcx_fq_reduce(struct mcx_fq *r, struct mcx_bytes in)
{
    struct mcx_fq sum = { { 0 } };
    struct mcx_fq part;
    uint8_t block[MCX_BN_OCTETS];
    size_t take = in.len % sizeof block;

    while (in.len > 0) {
        take = take == 0 ? sizeof block : take;
        memset(block, 0, sizeof block);
        memcpy(block + sizeof block - take, in.p, take);
        (void)mcx_fq_read(&part, block); /* any 1024-bit number: mcx_mont_enter() reduces it */
        mcx_mont_enter(sum.v, sum.v, &mcx_mont_q);
        mcx_fq_add(&sum, &sum, &part);
        in.p += take;
        in.len -= take;
        take = 0;
    }
    *r = sum;
    mcx_wipe(&sum, sizeof sum);
    mcx_wipe(&part, sizeof part);
    mcx_wipe(block, sizeof block);
}
