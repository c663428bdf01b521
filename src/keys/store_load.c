/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/store_int.h"

mcx_err mcx_store_load(struct mcx_keyring *ring, const struct mcx_store *store, struct mcx_refusal *why)
{
    for (size_t i = 0; i < store->num_certs; i++) {
        MCX_TRY(mcx_keyring_add_cert(ring, &store->certs[i], why));
    }
    for (size_t i = 0; i < store->num_sets; i++) {
        if (!store->sets[i].revoked) {
            MCX_TRY(mcx_keyring_add_key_set(ring, &store->sets[i], why));
        }
    }
    return MCX_OK;
}
