/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ec/curve.h"

mcx_limb mcx_ec_read(struct mcx_ec *r, const uint8_t in[MCX_EC_POINT_LEN])
{
    mcx_limb form = (mcx_limb)mcx_ct_is_zero_mask(in[0] ^ UINT64_C(4));
    mcx_limb below = mcx_fp_read(&r->x, in + 1) & mcx_fp_read(&r->y, in + 1 + MCX_BN_OCTETS);
    struct mcx_fp left, right, three_x;

    mcx_fp_sqr(&left, &r->y);
    mcx_fp_sqr(&right, &r->x);
    mcx_fp_mul(&right, &right, &r->x);
    mcx_fp_dbl(&three_x, &r->x);
    mcx_fp_add(&three_x, &three_x, &r->x);
    mcx_fp_sub(&right, &right, &three_x);
    return form & below & mcx_fp_equal(&left, &right);
}

void mcx_ec_write(uint8_t out[MCX_EC_POINT_LEN], const struct mcx_ec *a)
{
    out[0] = 0x04;
    mcx_fp_write(out + 1, &a->x);
    mcx_fp_write(out + 1 + MCX_BN_OCTETS, &a->y);
}

/*
 * a = -3:  d = Z^2, c = Y^2, b = X c, m = 3 (X - d)(X + d)
 *          X' = m^2 - 8b,  Z' = (Y + Z)^2 - c - d = 2YZ,  Y' = m (4b - X') - 8c^2
 * Tangent: y - Y/Z^3 - m/(2YZ) (x - X/Z^2), times Z' d:  sy = Z' d,  at -x: sx = m d,  s0 = m X - 2c
 */
void mcx_jac_dbl(struct mcx_jac *t, struct mcx_line *tangent)
{
    struct mcx_fp b, c, d, m, u, v;

    mcx_fp_sqr(&d, &t->z);
    mcx_fp_sqr(&c, &t->y);
    mcx_fp_mul(&b, &t->x, &c);
    mcx_fp_sub(&u, &t->x, &d);
    mcx_fp_add(&v, &t->x, &d);
    mcx_fp_mul(&u, &u, &v);
    mcx_fp_dbl(&m, &u);
    mcx_fp_add(&m, &m, &u);

    mcx_fp_mul(&tangent->sx, &m, &d);
    mcx_fp_mul(&tangent->s0, &m, &t->x);
    mcx_fp_dbl(&u, &c);
    mcx_fp_sub(&tangent->s0, &tangent->s0, &u);

    mcx_fp_add(&t->z, &t->y, &t->z);
    mcx_fp_sqr(&t->z, &t->z);
    mcx_fp_sub(&t->z, &t->z, &c);
    mcx_fp_sub(&t->z, &t->z, &d);
    mcx_fp_mul(&tangent->sy, &t->z, &d);

    mcx_fp_dbl(&b, &b);
    mcx_fp_dbl(&b, &b); /* 4b */
    mcx_fp_sqr(&t->x, &m);
    mcx_fp_dbl(&u, &b);
    mcx_fp_sub(&t->x, &t->x, &u);

    mcx_fp_sub(&b, &b, &t->x);
    mcx_fp_mul(&t->y, &m, &b);
    mcx_fp_sqr(&c, &c);
    mcx_fp_dbl(&c, &c);
    mcx_fp_dbl(&c, &c);
    mcx_fp_dbl(&c, &c);
    mcx_fp_sub(&t->y, &t->y, &c);
}

/*
 * h = Ax Z^2 - X, r = Ay Z^3 - Y:  Z' = Z h,  X' = r^2 - h^3 - 2 X h^2,  Y' = r (X h^2 - X') - Y h^3
 * Line: y - Ay - r/Z' (x - Ax), times Z':  sy = Z',  at -x: sx = r,  s0 = r Ax - Z' Ay
 */
void mcx_jac_add(struct mcx_jac *t, struct mcx_line *line, const struct mcx_ec *a)
{
    struct mcx_fp h, r, u, v;

    mcx_fp_sqr(&u, &t->z);
    mcx_fp_mul(&h, &a->x, &u);
    mcx_fp_sub(&h, &h, &t->x);
    mcx_fp_mul(&u, &u, &t->z);
    mcx_fp_mul(&r, &a->y, &u);
    mcx_fp_sub(&r, &r, &t->y);
    mcx_fp_mul(&t->z, &t->z, &h);

    line->sy = t->z;
    line->sx = r;
    mcx_fp_mul(&u, &t->z, &a->y);
    mcx_fp_mul(&line->s0, &r, &a->x);
    mcx_fp_sub(&line->s0, &line->s0, &u);

    mcx_fp_sqr(&u, &h);
    mcx_fp_mul(&v, &u, &t->x); /* X h^2 */
    mcx_fp_mul(&h, &h, &u);    /* h^3 */
    mcx_fp_sqr(&t->x, &r);
    mcx_fp_sub(&t->x, &t->x, &h);
    mcx_fp_sub(&t->x, &t->x, &v);
    mcx_fp_sub(&t->x, &t->x, &v);
    mcx_fp_sub(&v, &v, &t->x);
    mcx_fp_mul(&v, &v, &r);
    mcx_fp_mul(&u, &t->y, &h);
    mcx_fp_sub(&t->y, &v, &u);
}

/* Bit i of q, and of 3q: the non-adjacent form of q is (3q - q) / 2 written bit by bit. */
static int q_bit(int i)
{
    return (int)((mcx_mont_q.m[i / MCX_LIMB_BITS] >> (i % MCX_LIMB_BITS)) & 1);
}

int mcx_q_naf(int i)
{
    mcx_limb carry = 0;
    int word = (i + 1) / MCX_LIMB_BITS;

    for (int j = 0; j <= word; j++) {
        mcx_dlimb t = (mcx_dlimb)mcx_mont_q.m[j] * 3 + carry;

        if (j == word) {
            int three = (int)(((mcx_limb)t >> ((i + 1) % MCX_LIMB_BITS)) & 1);

            return three - q_bit(i + 1);
        }
        carry = (mcx_limb)(t >> MCX_LIMB_BITS);
    }
    return 0;
}

/*
 * Jacobian additions go wrong only when both points are equal. For A of order q, 2q or 4q no multiple kA met
 * on the way (1 < k < q) is A or -A but the last, which is -A or A just before the sum O; orders 2 and 4 are
 * excluded first: y = 0, x^2 = -3. So Z = 0 at the end exactly when [q]A = O.
 */
mcx_limb mcx_ec_in_subgroup(const struct mcx_ec *a)
{
    struct mcx_ec minus = *a;
    struct mcx_jac t = { a->x, a->y, { { 0 } } };
    struct mcx_line line;
    struct mcx_fp u, three;
    mcx_limb small = mcx_fp_is_zero(&a->y);

    mcx_fp_set_one(&t.z);
    mcx_fp_dbl(&three, &t.z);
    mcx_fp_add(&three, &three, &t.z);
    mcx_fp_sqr(&u, &a->x);
    mcx_fp_add(&u, &u, &three);
    small |= mcx_fp_is_zero(&u);

    mcx_fp_neg(&minus.y, &a->y);
    for (int i = MCX_Q_NAF_LEN - 2; i >= 0; i--) {
        int digit = mcx_q_naf(i);

        mcx_jac_dbl(&t, &line);
        if (digit != 0) {
            mcx_jac_add(&t, &line, digit > 0 ? a : &minus);
        }
    }
    small = ~small & mcx_fp_is_zero(&t.z);
    mcx_wipe(&t, sizeof t);
    mcx_wipe(&line, sizeof line);
    mcx_wipe(&minus, sizeof minus);
    mcx_wipe(&u, sizeof u);
    return small;
}
