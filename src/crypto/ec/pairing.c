/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ec/pairing.h"

/* v := v l(-x, iy) */
static void mul_line(struct mcx_pf *v, const struct mcx_line *l, const struct mcx_ec *r)
{
    struct mcx_pf value;

    mcx_fp_mul(&value.b, &l->sy, &r->y);
    mcx_fp_mul(&value.a, &l->sx, &r->x);
    mcx_fp_add(&value.a, &value.a, &l->s0);
    mcx_pf_mul(v, v, &value);
    mcx_wipe(&value, sizeof value);
}

/* T = A, by X = x Z^2, Y = y Z^3; never for T = O */
static mcx_limb equal(const struct mcx_jac *t, const struct mcx_ec *a)
{
    struct mcx_fp zz, u;
    mcx_limb same;

    mcx_fp_sqr(&zz, &t->z);
    mcx_fp_mul(&u, &zz, &a->x);
    same = mcx_fp_equal(&u, &t->x);
    mcx_fp_mul(&zz, &zz, &t->z);
    mcx_fp_mul(&u, &zz, &a->y);
    same &= mcx_fp_equal(&u, &t->y) & ~mcx_fp_is_zero(&t->z);
    mcx_wipe(&zz, sizeof zz);
    mcx_wipe(&u, sizeof u);
    return same;
}

/*
 * Digits of q in non-adjacent form instead of the bits of q - 1: functions of vertical lines, and factors of
 * the lines, lie in F_p and are 1 in PF_p. The last addition, dK to T = -dK, has a vertical line; that T is -dK
 * says that [q]K = O (mcx_ec_in_subgroup() explains why no other addition is exceptional).
 */
mcx_limb mcx_pairing(struct mcx_fp *w, const struct mcx_ec *k, const struct mcx_ec *r)
{
    struct mcx_ec minus = *k;
    struct mcx_jac t = { k->x, k->y, { { 0 } } };
    struct mcx_line line;
    struct mcx_pf v;
    mcx_limb order_is_q;

    mcx_fp_set_one(&t.z);
    mcx_fp_neg(&minus.y, &k->y);
    mcx_pf_set_one(&v);
    for (int i = MCX_Q_NAF_LEN - 2; i >= 0; i--) {
        int digit = mcx_q_naf(i);

        mcx_jac_dbl(&t, &line);
        mcx_pf_sqr(&v, &v);
        mul_line(&v, &line, r);
        if (digit != 0 && i != 0) {
            mcx_jac_add(&t, &line, digit > 0 ? k : &minus);
            mul_line(&v, &line, r);
        }
    }
    order_is_q = equal(&t, mcx_q_naf(0) > 0 ? &minus : k);
    mcx_pf_sqr(&v, &v);
    mcx_pf_sqr(&v, &v); /* (p + 1) / q = 4 */
    mcx_pf_value(w, &v);
    mcx_wipe(&t, sizeof t);
    mcx_wipe(&v, sizeof v);
    mcx_wipe(&line, sizeof line);
    mcx_wipe(&minus, sizeof minus);
    return order_is_q;
}
