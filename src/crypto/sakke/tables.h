/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CRYPTO_SAKKE_TABLES_H
#define MCX_CRYPTO_SAKKE_TABLES_H

/* Fixed-base tables of P (192 KiB) and g (64 KiB), constants computed during the build (cmake/gen_sakke_tables.c). */

#include "crypto/ec/comb.h"

extern const struct mcx_ted_comb mcx_sakke_comb_p;
extern const struct mcx_pf_comb mcx_sakke_comb_g;

#endif
