/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_EC_TED_CONST_H
#define MCX_CRYPTO_EC_TED_CONST_H

/* Constants of the isomorphism of ted.h, in Montgomery form; tests/unit/test_sakke_curve.c recomputes them. */

#include "crypto/bn/fp.h"

extern const struct mcx_fp mcx_ted_c;  /* c^2 = -3, c a square */
extern const struct mcx_fp mcx_ted_k;  /* k^2 = -2c */
extern const struct mcx_fp mcx_ted_kc; /* k c */

#endif
