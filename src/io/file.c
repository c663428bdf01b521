/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* O_CLOEXEC, mkstemp, fchmod */
#include "io/file.h"

#include <mcx/secret.h>
#include <mcx/text.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 256

void mcx_file_clear(struct mcx_file *f)
{
    mcx_secret_free(f->p);
    f->p = NULL;
    f->len = 0;
}

static mcx_err check_stat(int fd, size_t max, bool secret, size_t *size)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return MCX_E_IO;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return MCX_E_IO;
    }
    if (secret && ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0 || st.st_uid != geteuid())) {
        return MCX_E_POLICY;
    }
    if (st.st_size < 0 || (uintmax_t)st.st_size > max) {
        return MCX_E_SPACE;
    }
    *size = (size_t)st.st_size;
    return MCX_OK;
}

static mcx_err read_all(int fd, uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, out, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return MCX_E_IO;
        }
        out += n;
        len -= (size_t)n;
    }
    return MCX_OK;
}

mcx_err mcx_file_read(struct mcx_file *out, const char *path, size_t max, bool secret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct mcx_file f = { 0 };
    mcx_err err = MCX_OK;

    if (fd < 0) {
        return MCX_E_IO;
    }
    MCX_GO(err, check_stat(fd, max, secret, &f.len));
    f.p = mcx_secret_alloc(f.len + 1);
    err = f.p == NULL ? MCX_E_NOMEM : read_all(fd, f.p, f.len);
out:
    (void)close(fd);
    if (err != MCX_OK) {
        mcx_file_clear(&f);
        return err;
    }
    *out = f;
    return MCX_OK;
}

static mcx_err write_all(int fd, struct mcx_bytes data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.p, data.len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return MCX_E_IO;
        }
        data.p += n;
        data.len -= (size_t)n;
    }
    return MCX_OK;
}

/* The new name is on the disk only when its directory is. */
static mcx_err sync_dir_of(const char *path)
{
    char copy[PATH_MAX];
    int fd = -1;
    mcx_err err = MCX_OK;

    (void)snprintf(copy, sizeof copy, "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return MCX_E_IO;
    }
    err = fsync(fd) == 0 ? MCX_OK : MCX_E_IO;
    (void)close(fd);
    return err;
}

static mcx_err write_beside(const char *path, struct mcx_bytes data, mode_t mode, bool must_be_new)
{
    char tmp[PATH_MAX];
    int n = snprintf(tmp, sizeof tmp, "%s.XXXXXX", path);
    int fd = -1;
    mcx_err err = MCX_E_IO;

    if (n < 0 || (size_t)n >= sizeof tmp) {
        errno = ENAMETOOLONG;
        return MCX_E_IO;
    }
    fd = mkstemp(tmp); /* mode 0600 */
    if (fd < 0) {
        return MCX_E_IO;
    }
    if (write_all(fd, data) == MCX_OK && fchmod(fd, mode) == 0 && fsync(fd) == 0) {
        err = (must_be_new ? link(tmp, path) : rename(tmp, path)) == 0 ? MCX_OK : MCX_E_IO;
    }
    if (err != MCX_OK || must_be_new) {
        int keep = errno;

        (void)unlink(tmp);
        errno = keep;
    }
    (void)close(fd);
    return err == MCX_OK ? sync_dir_of(path) : err;
}

bool mcx_file_is_open_to_all(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & S_IRWXO) != 0;
}

mcx_err mcx_file_replace(const char *path, struct mcx_bytes data, mode_t mode)
{
    return write_beside(path, data, mode, false);
}

mcx_err mcx_file_create(const char *path, struct mcx_bytes data, mode_t mode)
{
    return write_beside(path, data, mode, true);
}

mcx_err mcx_file_read_key(uint8_t key[MCX_FILE_KEY_LEN], const char *path)
{
    struct mcx_file f = { 0 };
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_file_read(&f, path, KEY_FILE_MAX, true));
    err = mcx_hex_read_exact(key, MCX_FILE_KEY_LEN, mcx_bytes_trim(mcx_bytes(f.p, f.len)));
    mcx_file_clear(&f);
    return err;
}
