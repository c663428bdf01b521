/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key store. The input is taken as it stands, which only reaches the head; then as the plain contents, sealed here
 * under the key that opens them: what is accepted must survive being sealed and opened again, and expiry.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/store.h>

#include "crypto/sym/sym.h"

#define HEAD_LEN  30 /* "mcxstore" | version 2 | serial 8 | nonce 12 */
#define NONCE_LEN 12
#define MAX       65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[MCX_STORE_KEY_LEN] = { 1 };

static mcx_err zero_fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return MCX_OK;
}

static void seal_again(struct mcx_store *store)
{
    const struct mcx_rng rng = { zero_fill, NULL };
    struct mcx_store *again = NULL;
    uint8_t *sealed = NULL;
    size_t len = 0;

    if (mcx_store_seal(&sealed, &len, store, key, &rng) != MCX_OK) {
        return; /* larger than a store may be */
    }
    if (mcx_store_open(&again, mcx_bytes(sealed, len), key, mcx_store_serial(store), NULL) != MCX_OK ||
        mcx_store_num_certs(again) != mcx_store_num_certs(store) ||
        mcx_store_num_key_sets(again) != mcx_store_num_key_sets(store) ||
        mcx_store_num_homes(again) != mcx_store_num_homes(store)) {
        abort();
    }
    mcx_store_free(again);
    free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t sealed[HEAD_LEN + MAX + MCX_GCM_TAG_LEN];
    struct mcx_store *store = NULL;
    struct mcx_gcm *gcm = NULL;

    if (mcx_store_open(&store, mcx_bytes(data, size), key, 0, NULL) == MCX_OK) {
        mcx_store_free(store);
    }
    if (size > MAX) {
        return 0;
    }
    memset(sealed, 0, HEAD_LEN);
    memcpy(sealed, "mcxstore", 8);
    sealed[9] = MCX_STORE_VERSION;
    if (mcx_gcm_new(&gcm, mcx_bytes(key, sizeof key), NONCE_LEN) != MCX_OK ||
        mcx_gcm_seal(gcm, sealed + HEAD_LEN, sealed + HEAD_LEN + size, sealed + HEAD_LEN - NONCE_LEN,
                     mcx_bytes(sealed, HEAD_LEN), mcx_bytes(data, size)) != MCX_OK) {
        abort();
    }
    mcx_gcm_free(gcm);
    store = NULL;
    if (mcx_store_open(&store, mcx_bytes(sealed, HEAD_LEN + size + MCX_GCM_TAG_LEN), key, 0, NULL) == MCX_OK) {
        seal_again(store);
        (void)mcx_store_expire(store, mcx_ntp_from_unix_ms(UINT64_C(1772625600000)));
        seal_again(store);
        mcx_store_free(store);
    }
    return 0;
}
