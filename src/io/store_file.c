/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* flock */
#include "io/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <mcx/secret.h>

#include "io/file.h"

mcx_err mcx_store_file_key(uint8_t key[MCX_STORE_KEY_LEN], const char *key_file, struct mcx_refusal *why)
{
    mcx_err err = mcx_file_read_key(key, key_file);

    switch (err) {
    case MCX_E_POLICY: return mcx_refuse(why, err, "the key file must belong to this user and have mode 0600", "");
    case MCX_E_FORMAT: return mcx_refuse(why, err, "the key file does not hold 64 hex digits", "");
    case MCX_E_IO: return mcx_refuse(why, err, "the key file cannot be read", "");
    default: return err;
    }
}

mcx_err mcx_store_file_read(struct mcx_store **out, const char *path, const char *key_file, uint64_t min_serial,
                            struct mcx_refusal *why)
{
    uint8_t key[MCX_STORE_KEY_LEN] = { 0 };
    struct mcx_file file = { 0 };
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_store_file_key(key, key_file, why));
    err = mcx_file_read(&file, path, MCX_STORE_MAX, true);
    if (err == MCX_E_POLICY) {
        err = mcx_refuse(why, err, "the key store must belong to this user and have mode 0600", "");
    } else if (err == MCX_E_IO) {
        err = mcx_refuse(why, err, "the key store cannot be read", "");
    }
    if (err == MCX_OK) {
        err = mcx_store_open(out, mcx_bytes(file.p, file.len), key, min_serial, why);
    }
    mcx_file_clear(&file);
    mcx_wipe(key, sizeof key);
    return err;
}

mcx_err mcx_store_file_write(const char *path, const char *key_file, struct mcx_store *store, const struct mcx_rng *rng,
                             struct mcx_refusal *why)
{
    uint8_t key[MCX_STORE_KEY_LEN] = { 0 };
    uint8_t *sealed = NULL;
    size_t len = 0;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_store_file_key(key, key_file, why));
    err = mcx_store_seal(&sealed, &len, store, key, rng);
    if (err == MCX_OK) {
        err = mcx_file_replace(path, mcx_bytes(sealed, len), 0600);
        if (err != MCX_OK) {
            err = mcx_refuse(why, err, "the key store cannot be written", "");
        }
    }
    free(sealed);
    mcx_wipe(key, sizeof key);
    return err;
}

mcx_err mcx_store_file_lock(int *lock, const char *path)
{
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%s.lock", path);
    int fd = -1;

    if (n < 0 || (size_t)n >= sizeof name) {
        errno = ENAMETOOLONG;
        return MCX_E_IO;
    }
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return MCX_E_IO;
    }
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            (void)close(fd);
            return MCX_E_IO;
        }
    }
    *lock = fd;
    return MCX_OK;
}

void mcx_store_file_unlock(int lock)
{
    (void)close(lock); /* releases the lock; the empty file stays, so that nobody locks a removed name */
}
