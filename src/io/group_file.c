/* SPDX-License-Identifier: Apache-2.0 */
#include "io/group_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <mcx/secret.h>

#include "io/file.h"
#include "io/store_file.h"

mcx_err mcx_group_file_name(char *out, size_t cap, const char *store_path)
{
    int n = snprintf(out, cap, "%s.groups", store_path);

    return n >= 0 && (size_t)n < cap ? MCX_OK : MCX_E_SPACE;
}

mcx_err mcx_group_file_read(struct mcx_group_keys **out, const char *path, const char *key_file, uint64_t min_serial,
                            bool may_lack, struct mcx_refusal *why)
{
    uint8_t key[MCX_STORE_KEY_LEN] = { 0 };
    struct mcx_file file = { 0 };
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_store_file_key(key, key_file, why));
    err = mcx_file_read(&file, path, MCX_STORE_MAX, true);
    if (err == MCX_OK) {
        err = mcx_group_keys_open(out, mcx_bytes(file.p, file.len), key, min_serial, why);
    } else if (err == MCX_E_IO && errno == ENOENT && may_lack) {
        err = mcx_group_keys_new(out);
    } else if (err == MCX_E_POLICY) {
        err = mcx_refuse(why, err, "the file of group keys must belong to this user and have mode 0600", "");
    } else if (err == MCX_E_SPACE) { /* the file is not read at all */
        err = mcx_refuse(why, err, "the file of group keys is larger than 1 MiB", "");
    } else if (err == MCX_E_IO) {
        err = mcx_refuse(why, err, "the file of group keys cannot be read", "");
    }
    mcx_file_clear(&file);
    mcx_wipe(key, sizeof key);
    return err;
}

mcx_err mcx_group_file_write(const char *path, const char *key_file, struct mcx_group_keys *keys,
                             const struct mcx_rng *rng, struct mcx_refusal *why)
{
    uint8_t key[MCX_STORE_KEY_LEN] = { 0 };
    uint8_t *sealed = NULL;
    size_t len = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_store_file_key(key, key_file, why));
    err = mcx_group_keys_seal(&sealed, &len, keys, key, rng);
    if (err == MCX_OK) {
        err = mcx_file_replace(path, mcx_bytes(sealed, len), 0600);
        if (err != MCX_OK) {
            err = mcx_refuse(why, err, "the file of group keys cannot be written", "");
        }
    }
    free(sealed);
    mcx_wipe(key, sizeof key);
    return err;
}
