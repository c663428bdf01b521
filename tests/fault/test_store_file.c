/* SPDX-License-Identifier: Apache-2.0 */
/* The key store as a file: permissions, missing files, a failed replacement, and two writers at once. */
#define _DEFAULT_SOURCE 1 /* mkdtemp, fork */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/group_file.h"
#include "io/store_file.h"

static char dir[64];
static char store_path[96];
static char key_path[96];

static void put_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/mcx-store-XXXXXX");
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(store_path, sizeof store_path, "%s/store", dir);
    (void)snprintf(key_path, sizeof key_path, "%s/key", dir);
    put_file(key_path, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600);
    return 0;
}

static int teardown(void **state)
{
    char lock[112];

    (void)state;
    (void)snprintf(lock, sizeof lock, "%s.lock", store_path);
    (void)chmod(dir, 0700);
    (void)unlink(lock);
    (void)unlink(store_path);
    (void)unlink(key_path);
    return rmdir(dir); /* fails when a temporary file was left behind */
}

/* Count one more fetch of a home KMS, under the lock; creates the store when there is none. */
static mcx_err count_up(void)
{
    struct mcx_rng rng = mcx_rng_system();
    struct mcx_store_home home = { "kms.example.org", true, 0, 0 };
    struct mcx_store *store = NULL;
    int lock = -1;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_store_file_lock(&lock, store_path));
    err = mcx_store_file_read(&store, store_path, key_path, 0, NULL);
    if (err == MCX_E_IO && errno == ENOENT) {
        err = mcx_store_new(&store);
    }
    MCX_GO(err, err);
    if (mcx_store_num_homes(store) > 0) {
        home.cache_num = mcx_store_home(store, 0)->cache_num;
    }
    home.cache_num++;
    MCX_GO(err, mcx_store_put_home(store, &home));
    MCX_GO(err, mcx_store_file_write(store_path, key_path, store, &rng, NULL));
out:
    mcx_store_free(store);
    mcx_store_file_unlock(lock);
    return err;
}

static uint64_t stored_count(uint64_t *serial)
{
    struct mcx_store *store = NULL;
    uint64_t n = 0;

    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, NULL), MCX_OK);
    n = mcx_store_home(store, 0)->cache_num;
    *serial = mcx_store_serial(store);
    mcx_store_free(store);
    return n;
}

static void written_and_read(void **state)
{
    uint64_t serial = 0;
    struct stat st;

    (void)state;
    assert_int_equal(count_up(), MCX_OK);
    assert_int_equal(stat(store_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(count_up(), MCX_OK);
    assert_int_equal(stored_count(&serial), 2);
    assert_int_equal(serial, 2);
}

static void wrong_files_are_refused(void **state)
{
    struct mcx_store *store = NULL;
    struct mcx_refusal why = { 0 };

    (void)state;
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, &why), MCX_E_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(count_up(), MCX_OK);

    assert_int_equal(chmod(store_path, 0640), 0);
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, &why), MCX_E_POLICY);
    assert_int_equal(chmod(store_path, 0600), 0);

    assert_int_equal(chmod(key_path, 0604), 0);
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, &why), MCX_E_POLICY);
    assert_string_equal(why.reason, "the key file must belong to this user and have mode 0600");

    put_file(key_path, "0001", 0600);
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, &why), MCX_E_FORMAT);

    put_file(key_path, "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600);
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, &why), MCX_E_AUTH);

    assert_int_equal(unlink(key_path), 0);
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, &why), MCX_E_IO);
    assert_null(store);
}

static void other_contents_are_refused(void **state)
{
    struct mcx_store *store = NULL;

    (void)state;
    put_file(store_path, "", 0600);
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, NULL), MCX_E_TRUNC);
    put_file(store_path, "something else that is no key store, and long enough for its head", 0600);
    assert_int_equal(mcx_store_file_read(&store, store_path, key_path, 0, NULL), MCX_E_FORMAT);
}

static void failed_write_leaves_the_old_store(void **state)
{
    struct mcx_rng rng = mcx_rng_system();
    struct mcx_store *store = NULL;
    uint64_t serial = 0;

    (void)state;
    assert_int_equal(count_up(), MCX_OK);
    assert_int_equal(mcx_store_new(&store), MCX_OK);
    assert_int_equal(mcx_store_file_write("/nonexistent/store", key_path, store, &rng, NULL), MCX_E_IO);
    mcx_store_free(store);
    assert_int_equal(stored_count(&serial), 1);
}

static void writers_take_turns(void **state)
{
    enum { WRITERS = 4, TIMES = 5 };
    pid_t pid[WRITERS];
    uint64_t serial = 0;

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        pid[i] = fork();
        assert_true(pid[i] >= 0);
        if (pid[i] == 0) {
            for (int k = 0; k < TIMES; k++) {
                if (count_up() != MCX_OK) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = 0;

        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(stored_count(&serial), WRITERS * TIMES);
    assert_int_equal(serial, WRITERS * TIMES);
}

/* Group keys lie beside the store, under its key and its rules. */
static void group_file(void **state)
{
    struct mcx_group_keys *keys = NULL;
    const struct mcx_group_info info = { .group = "sip:fire@example.org", .protect_media = true };
    struct mcx_rng rng = mcx_rng_system();
    struct mcx_refusal why = { "", "" };
    char path[128];

    (void)state;
    assert_int_equal(mcx_group_file_name(path, 8, store_path), MCX_E_SPACE);
    assert_int_equal(mcx_group_file_name(path, sizeof path, store_path), MCX_OK);
    assert_int_equal(mcx_group_file_read(&keys, path, key_path, 0, false, &why), MCX_E_IO);
    assert_int_equal(mcx_group_file_read(&keys, path, key_path, 0, true, &why), MCX_OK);
    assert_int_equal(mcx_group_keys_put_info(keys, &info), MCX_OK);
    assert_int_equal(mcx_group_file_write(path, key_path, keys, &rng, &why), MCX_OK);
    mcx_group_keys_free(keys);
    assert_int_equal(mcx_group_file_read(&keys, path, key_path, 1, true, &why), MCX_OK);
    assert_non_null(mcx_group_keys_info(keys, info.group));
    assert_int_equal(chmod(dir, 0500), 0);
    if (geteuid() != 0) { /* to root every folder is writable */
        assert_int_equal(mcx_group_file_write(path, key_path, keys, &rng, &why), MCX_E_IO);
    }
    assert_int_equal(chmod(dir, 0700), 0);
    mcx_group_keys_free(keys);
    assert_int_equal(mcx_group_file_read(&keys, path, key_path, 9, true, &why), MCX_E_REPLAY);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(mcx_group_file_read(&keys, path, key_path, 0, true, &why), MCX_E_POLICY);
    put_file(path, "mcxstore and so on, but no group keys at all, I am afraid", 0600);
    assert_int_equal(mcx_group_file_read(&keys, path, key_path, 0, true, &why), MCX_E_FORMAT);
    assert_string_equal(why.reason, "the file holds no group keys");
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_and_read, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_files_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(other_contents_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_write_leaves_the_old_store, setup, teardown),
        cmocka_unit_test_setup_teardown(writers_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(group_file, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
