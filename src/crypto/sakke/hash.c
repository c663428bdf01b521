/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/sakke/sakke_int.h"

#include "crypto/sym/sym.h"

/*
 * RFC 6508 5.1:  A = SHA256(s);  h = 32 zero octets;  l times: h = SHA256(h), v = v || SHA256(h || A)
 * and v mod n, with l = ceil(lg(n) / 256).
 */
#define BLOCKS_MAX 4

static mcx_err expand(uint8_t *v, size_t blocks, const struct mcx_bytes *parts, size_t num)
{
    uint8_t a[MCX_SHA256_LEN];
    uint8_t h[MCX_SHA256_LEN] = { 0 };
    mcx_err err = mcx_sha256(a, parts, num);

    for (size_t i = 0; i < blocks && err == MCX_OK; i++) {
        struct mcx_bytes in[2] = { mcx_bytes(h, sizeof h), mcx_bytes(a, sizeof a) };

        err = mcx_sha256(h, in, 1);
        if (err == MCX_OK) {
            err = mcx_sha256(v + i * MCX_SHA256_LEN, in, 2);
        }
    }
    mcx_wipe(a, sizeof a);
    return err;
}

mcx_err mcx_sakke_hash_r(struct mcx_fq *r, const struct mcx_key *ssv, struct mcx_bytes uid)
{
    struct mcx_bytes parts[2] = { mcx_bytes(ssv->octet, sizeof ssv->octet), uid };
    uint8_t v[BLOCKS_MAX * MCX_SHA256_LEN] = { 0 }; /* lg(q) = 1022; defined also when hashing fails */
    mcx_err err = expand(v, BLOCKS_MAX, parts, 2);

    mcx_fq_reduce(r, mcx_bytes(v, sizeof v));
    mcx_wipe(v, sizeof v);
    return err;
}

mcx_err mcx_sakke_hash_mask(uint8_t mask[MCX_KEY_LEN], const struct mcx_fp *w)
{
    uint8_t octets[MCX_BN_OCTETS] = { 0 };
    struct mcx_bytes part = mcx_bytes(octets, sizeof octets);
    uint8_t v[MCX_SHA256_LEN] = { 0 };
    mcx_err err;

    mcx_fp_write(octets, w);
    err = expand(v, 1, &part, 1);
    for (size_t i = 0; i < MCX_KEY_LEN; i++) {
        mask[i] = v[MCX_SHA256_LEN - MCX_KEY_LEN + i]; /* mod 2^128 */
    }
    mcx_wipe(octets, sizeof octets);
    mcx_wipe(v, sizeof v);
    return err;
}
