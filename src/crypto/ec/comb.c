/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ec/comb.h"

#define TEETH      MCX_COMB_TEETH
#define BLOCKS     MCX_COMB_BLOCKS
#define ENTRIES    MCX_COMB_ENTRIES
#define COMB_LIMBS ((MCX_COMB_BITS + MCX_LIMB_BITS - 1) / MCX_LIMB_BITS)

/* Sign bits of a scalar (1 = plus), and whether the whole is to be negated. */
struct recoded {
    mcx_limb bit[COMB_LIMBS];
    mcx_limb negate;
};

/* What one look-up needs. */
struct digit {
    mcx_limb index;
    mcx_limb negate;
};

/* k = sum of s_i 2^i, s_i = 2 b_i - 1: b = (k + 2^L - 1)/2 = (k >> 1) + 2^(L-1) for odd k */
static void recode(struct recoded *r, const struct mcx_scalar *k)
{
    mcx_limb odd[MCX_BN_LIMBS];
    mcx_limb borrow = 0;

    r->negate = mcx_limb_mask((k->v[0] & 1) ^ 1);
    for (int i = 0; i < MCX_BN_LIMBS; i++) {
        mcx_dlimb t = (mcx_dlimb)mcx_mont_q.m[i] - k->v[i] - borrow;

        borrow = (mcx_limb)(t >> MCX_LIMB_BITS) & 1;
        odd[i] = ((mcx_limb)t & r->negate) | (k->v[i] & ~r->negate);
    }
    for (int i = 0; i < COMB_LIMBS; i++) {
        mcx_limb low = i < MCX_BN_LIMBS ? odd[i] >> 1 : 0;

        r->bit[i] = low | (i + 1 < MCX_BN_LIMBS ? odd[i + 1] << (MCX_LIMB_BITS - 1) : 0);
    }
    r->bit[(MCX_COMB_BITS - 1) / MCX_LIMB_BITS] |= (mcx_limb)1 << ((MCX_COMB_BITS - 1) % MCX_LIMB_BITS);
    mcx_wipe(odd, sizeof odd);
}

/* The last tooth gives the sign; the others are taken relative to it. */
static struct digit digit_at(const struct recoded *r, int block, int step)
{
    struct digit d = { 0, 0 };
    int bit = block * MCX_COMB_SPACING + step;

    for (int tooth = 0; tooth < TEETH; tooth++, bit += MCX_COMB_STRIDE) {
        d.index |= ((r->bit[bit / MCX_LIMB_BITS] >> (bit % MCX_LIMB_BITS)) & 1) << tooth;
    }
    d.negate = mcx_limb_mask((d.index >> (TEETH - 1)) ^ 1);
    d.index = (d.index ^ d.negate) & (ENTRIES - 1);
    d.negate ^= r->negate;
    return d;
}

/* out := table[index], reading all of it; entries are `limbs` limbs */
static void lookup(void *out, const void *table, int limbs, mcx_limb index)
{
    const mcx_limb *from = table;
    mcx_limb *to = out;

    memset(to, 0, (size_t)limbs * sizeof *to);
    for (int i = 0; i < ENTRIES; i++, from += limbs) {
        mcx_limb hit = (mcx_limb)mcx_ct_is_zero_mask(index ^ (mcx_limb)i);

        for (int j = 0; j < limbs; j++) {
            to[j] |= from[j] & hit;
        }
    }
}

static void add_entry(struct mcx_ted *r, const struct mcx_ted_affine table[ENTRIES], struct digit d)
{
    struct mcx_ted_affine pick;

    lookup(&pick, table, sizeof pick / sizeof(mcx_limb), d.index);
    mcx_ted_affine_cneg(&pick, d.negate);
    mcx_ted_add_affine(r, r, &pick);
    mcx_wipe(&pick, sizeof pick);
}

void mcx_ted_comb_mul(struct mcx_ted *r, const struct mcx_ted_comb_term *terms, int num)
{
    struct recoded k[MCX_COMB_TERMS_MAX];

    for (int j = 0; j < num; j++) {
        recode(&k[j], terms[j].k);
    }
    mcx_ted_set_zero(r);
    for (int step = MCX_COMB_SPACING - 1; step >= 0; step--) {
        mcx_ted_dbl(r, r, 1);
        for (int j = 0; j < num; j++) {
            for (int block = 0; block < BLOCKS; block++) {
                add_entry(r, terms[j].comb->entry[block], digit_at(&k[j], block, step));
            }
        }
    }
    mcx_wipe(k, sizeof k);
}

/* (a + ib)(1 + it) = (a - bt) + i (b + at); the inverse of 1 + it in PF_p is 1 - it */
static void mul_entry(struct mcx_pf *r, const struct mcx_fp table[ENTRIES], struct digit d)
{
    struct mcx_fp t;

    lookup(&t, table, sizeof t / sizeof(mcx_limb), d.index);
    mcx_fp_cneg(&t, d.negate);
    mcx_pf_mul_one(r, r, &t);
    mcx_wipe(&t, sizeof t);
}

void mcx_pf_comb_pow(struct mcx_pf *r, const struct mcx_pf_comb *comb, const struct mcx_scalar *k)
{
    struct recoded digits;

    recode(&digits, k);
    mcx_pf_set_one(r);
    for (int step = MCX_COMB_SPACING - 1; step >= 0; step--) {
        mcx_pf_sqr(r, r);
        for (int block = 0; block < BLOCKS; block++) {
            mul_entry(r, comb->entry[block], digit_at(&digits, block, step));
        }
    }
    mcx_wipe(&digits, sizeof digits);
}
