/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, for every n, while a KMS document is read, written and copied and while a key store is
 * sealed and opened: an error or the whole right result, never a part of it; nothing leaks; the next call works.
 * In sanitized builds, where malloc cannot be replaced, only the allocations of libxml2 fail.
 */
#define _DEFAULT_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxml/parser.h>
#include <libxml/xmlmemory.h>

#include <openssl/err.h>

#include <mcx/store.h>

#include "support/failing_malloc.h"
#include "support/fake.h"
#include "support/vectors.h"

#ifdef SANITIZED
static void *counted_malloc(size_t n)
{
    return refuse() ? NULL : malloc(n);
}
static void *counted_realloc(void *p, size_t n)
{
    return refuse() ? NULL : realloc(p, n);
}
static char *counted_strdup(const char *s)
{
    return refuse() ? NULL : strdup(s);
}
static void replace_allocator(void)
{
    assert_int_equal(xmlMemSetup(free, counted_malloc, counted_realloc, counted_strdup), 0);
}
#else
static void replace_allocator(void)
{
}
#endif

#define WRONG MCX_E_TRAILING /* what no function here returns: a part instead of the whole */

static char text[32768];
static const char *expected; /* what a read document has to write */

static mcx_err read_and_write(void)
{
    struct mcx_kmsdoc *doc = NULL;
    char *xml = NULL;
    size_t len = 0;
    struct vec trk = { 32, { 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                             16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 } };
    mcx_err err = mcx_kmsdoc_read(&doc, mcx_bytes_str(text), trk.p, NULL);

    if (err == MCX_OK) {
        err = mcx_kmsdoc_write(&xml, &len, doc);
    }
    if (err == MCX_OK && (expected == NULL || strcmp(xml, expected) != 0)) {
        err = WRONG;
    }
    if (xml != NULL) {
        mcx_kmsdoc_text_free(xml, len);
    }
    mcx_kmsdoc_free(doc);
    return err;
}

static struct mcx_kmsdoc *certs;
static struct mcx_kmsdoc *keys;

static mcx_err fill_and_seal(void)
{
    static const uint8_t key[MCX_STORE_KEY_LEN] = { 1 };
    struct fake_rng fake = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_store_home home = { certs->kms_uri, true, 1, 2 };
    struct mcx_store *store = NULL;
    struct mcx_store *again = NULL;
    uint8_t *sealed = NULL;
    size_t len = 0;
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_store_new(&store));
    MCX_GO(err, mcx_store_put_cert(store, &certs->certs[0]));
    MCX_GO(err, mcx_store_put_key_set(store, &keys->key_sets[0]));
    MCX_GO(err, mcx_store_put_key_set(store, &keys->key_sets[0]));
    MCX_GO(err, mcx_store_put_home(store, &home));
    MCX_GO(err, mcx_store_seal(&sealed, &len, store, key, &rng));
    MCX_GO(err, mcx_store_open(&again, mcx_bytes(sealed, len), key, 1, NULL));
    if (mcx_store_num_certs(again) != 1 || mcx_store_num_key_sets(again) != 1 || mcx_store_num_homes(again) != 1) {
        err = WRONG;
    }
out:
    mcx_store_free(store);
    mcx_store_free(again);
    free(sealed);
    ERR_clear_error(); /* each of its entries owns pieces of memory */
    return err;
}

static mcx_err failing(mcx_err (*work)(void), size_t n)
{
    mcx_err err;

    num_allocs = 0;
    fail_at = n;
    err = work();
    fail_at = 0;
    return err;
}

static void every_allocation(const char *what, mcx_err (*work)(void))
{
    size_t num_failed = 0;

    assert_int_equal(work(), MCX_OK); /* the libraries have now loaded what they keep */
    for (size_t n = 1;; n++) {
        mcx_err err = failing(work, n); /* once for what the libraries keep about their errors */
        long before = num_live;

        err = failing(work, n);
        if (err == WRONG || num_live != before) {
            fail_msg("%s: allocation %zu: %s, %ld pieces left", what, n, mcx_err_name(err), num_live - before);
        }
        if (num_allocs < n) {
            break;
        }
        num_failed += err != MCX_OK;
        assert_int_equal(work(), MCX_OK);
    }
    if (num_allocs > 1) {
        assert_true(num_failed > 0);
    }
}

/* The libraries print nothing: with a message could come a piece of the document, and in it a key. */
static void documents(void **state)
{
    FILE *silence = tmpfile();
    int keep = dup(STDERR_FILENO);

    static const char *const names[] = { "init", "keyprov", "certcache", "error" };
    static char ours[32768];

    (void)state;
    assert_non_null(silence);
    assert_true(dup2(fileno(silence), STDERR_FILENO) >= 0);
    for (size_t i = 0; i < 4; i++) {
        assert_true(vec_text(text, sizeof text, "identities-kms-vectors.txt", "xml", names[i]));
        strcpy(ours, text);
        expected = ours;
        every_allocation(names[i], read_and_write);
    }
    assert_int_equal(lseek(fileno(silence), 0, SEEK_END), 0);
    assert_true(dup2(keep, STDERR_FILENO) >= 0);
    assert_int_equal(close(keep), 0);
    assert_int_equal(fclose(silence), 0);
}

static void key_store(void **state)
{
    (void)state;
    assert_true(vec_text(text, sizeof text, "identities-kms-vectors.txt", "xml", "init"));
    assert_int_equal(mcx_kmsdoc_read(&certs, mcx_bytes_str(text), NULL, NULL), MCX_OK);
    assert_true(vec_text(text, sizeof text, "identities-kms-vectors.txt", "xml", "keyprov"));
    assert_int_equal(mcx_kmsdoc_read(&keys, mcx_bytes_str(text), NULL, NULL), MCX_OK);
    every_allocation("store", fill_and_seal);
    mcx_kmsdoc_free(certs);
    mcx_kmsdoc_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(key_store),
    };

    replace_allocator();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
