/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-ue: an MCPTT client for private and group calls. Self-test, keys, then phone or radio. */
#include "ue.h"

#include <stdio.h>

#include <mcx/selftest.h>

int main(int argc, char **argv)
{
    struct ue_options options;
    struct ue_keys *keys = NULL;
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
    if (options.command == UE_FETCH) {
        return ue_fetch(&options);
    }
    if (options.command == UE_FETCH_GROUPS) {
        return ue_fetch_groups(&options);
    }
    code = ue_keys_open(&keys, &options);
    if (code == EXIT_DONE) {
        code = options.command == UE_GROUP ? ue_group_run(&options, keys) : ue_phone_run(&options, keys);
        ue_keys_close(keys);
    }
    return code;
}
