/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_CURVE_H
#define MCX_CRYPTO_EC_CURVE_H

/*
 * The SAKKE curve E: y^2 = x^3 - 3x over F_p (RFC 6509 appendix A): points as they stand in octets, and
 * Jacobian steps that also give the line functions of the pairing.
 *
 * E(F_p) is cyclic of order p + 1 = 4q; its points of order 2 and 4 are (0,0) and those with x^2 = -3.
 */

#include "crypto/bn/fp.h"
#include "crypto/bn/fq.h"

#define MCX_EC_POINT_LEN (1 + 2 * MCX_BN_OCTETS)

/** A point of E other than O. */
struct mcx_ec {
    struct mcx_fp x, y;
};

/** x = X/Z^2, y = Y/Z^3; Z = 0 is O. */
struct mcx_jac {
    struct mcx_fp x, y, z;
};

/** The function  sy y + sx x + s0  up to a factor in F_p, seen at (-x, iy): i sy y + sx x + s0. */
struct mcx_line {
    struct mcx_fp sy, sx, s0;
};

/** P of parameter set 1. */
extern const struct mcx_ec mcx_ec_p;
/** g = <P,P>, standing for 1 + ig. */
extern const struct mcx_fp mcx_ec_g;

/** 04 || x || y; all ones when x, y < p and the point is on E, else 0. Constant time. */
mcx_limb mcx_ec_read(struct mcx_ec *r, const uint8_t in[MCX_EC_POINT_LEN]);
void mcx_ec_write(uint8_t out[MCX_EC_POINT_LEN], const struct mcx_ec *a);
/** All ones when [q]A = O, else 0. Constant time in A. */
mcx_limb mcx_ec_in_subgroup(const struct mcx_ec *a);

/** T := 2T with the tangent at T. */
void mcx_jac_dbl(struct mcx_jac *t, struct mcx_line *tangent);
/** T := T + A with the line through both, for T not O, A. T = -A gives O and no line. */
void mcx_jac_add(struct mcx_jac *t, struct mcx_line *line, const struct mcx_ec *a);

/** Digit i of the non-adjacent form of q, in -1, 0, 1; i = 0 .. MCX_Q_NAF_LEN - 1. */
#define MCX_Q_NAF_LEN 1022
int mcx_q_naf(int i);

#endif
