/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_KEYS_STORE_INT_H
#define MCX_KEYS_STORE_INT_H

/* The key store in memory; shared by store.c (what it holds) and store_format.c (its sealed form). */

#include <mcx/store.h>

struct mcx_store {
    uint64_t serial;
    struct mcx_store_home *homes;
    size_t num_homes;
    struct mcx_kms_cert *certs;
    size_t num_certs;
    struct mcx_kms_key_set *sets; /* locked memory */
    size_t num_sets;
    size_t cap_sets;
};

#endif
