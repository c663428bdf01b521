/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-ue: an MCPTT client for private calls. Self-test, keys, then the phone. */
#include "ue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mcx/selftest.h>
#include <mcx/store.h>

#include "io/store_file.h"

#define REPLAY_CAPACITY 4096

static mcx_err keys_load(struct mcx_keyring *ring, const struct ue_options *options)
{
    struct mcx_refusal why = { 0 };
    struct mcx_store *store = NULL;
    mcx_err err = mcx_store_file_read(&store, options->store, options->store_key, 0, &why);

    if (err == MCX_E_IO) {
        fprintf(stderr, "mcx-ue: key store %s: %s; 'mcx kms fetch' makes it\n", options->store, strerror(errno));
        return err;
    }
    if (err == MCX_OK) {
        (void)mcx_store_expire(store, mcx_ntp_from_unix_ms(mcx_clock_unix_ms()));
        err = mcx_store_load(ring, store, &why);
    }
    if (err != MCX_OK) {
        ue_complain("the key store cannot be used", err, &why);
    }
    mcx_store_free(store);
    return err;
}

static int run(const struct ue_options *options, struct ue_phone_keys *keys)
{
    if (mcx_keyring_new(&keys->ring, MCX_SAKKE_TABLES_DEFAULT) != MCX_OK ||
        mcx_replay_new(&keys->replay, REPLAY_CAPACITY) != MCX_OK) {
        ue_complain("no memory for keys", MCX_E_NOMEM, NULL);
        return EXIT_ENVIRONMENT;
    }
    if (keys_load(keys->ring, options) != MCX_OK) {
        return EXIT_ENVIRONMENT;
    }
    return ue_phone_run(options, keys);
}

int main(int argc, char **argv)
{
    struct ue_options options;
    struct ue_phone_keys keys = { 0 };
    const char *which = "";
    mcx_err err = MCX_OK;
    int code = ue_options_read(&options, argc, argv);

    if (code >= 0) {
        return code;
    }
    err = mcx_crypto_self_test(&which);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx-ue: the self-test of %s failed: this build is not to be used\n", which);
        return EXIT_ENVIRONMENT;
    }
    code = run(&options, &keys);
    mcx_replay_free(keys.replay);
    mcx_keyring_free(keys.ring);
    return code;
}
