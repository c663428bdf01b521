/* SPDX-License-Identifier: Apache-2.0 */
/* The provider seam: limits, refusals, and that nothing is left in an output that was refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <openssl/err.h>

#include "crypto/sym/sym.h"

static const uint8_t zero[512];
static const uint8_t key16[16] = "0123456789abcde";
static const uint8_t kek[32] = "key encryption key of thirty-two";

static void gcm_bad_arguments(void **state)
{
    struct mcx_gcm *gcm = NULL;

    (void)state;
    assert_int_equal(mcx_gcm_new(&gcm, mcx_bytes(key16, 15), 12), MCX_E_ARG);
    assert_int_equal(mcx_gcm_new(&gcm, mcx_bytes(kek, 24), 12), MCX_E_ARG);
    assert_int_equal(mcx_gcm_new(&gcm, mcx_bytes(key16, 16), 8), MCX_E_ARG);
    assert_null(gcm);
    mcx_gcm_free(NULL);
}

/* Every bit of nonce, associated data, ciphertext and tag is covered; the text of a refused packet is gone. */
static void gcm_flips(void **state)
{
    struct {
        uint8_t nonce[12], aad[12], text[20], tag[MCX_GCM_TAG_LEN];
    } good = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 0 } }, bad;
    struct mcx_gcm *gcm = NULL;
    uint8_t out[sizeof good.text];

    (void)state;
    assert_int_equal(mcx_gcm_new(&gcm, mcx_bytes(key16, 16), sizeof good.nonce), MCX_OK);
    assert_int_equal(mcx_gcm_seal(gcm, good.text, good.tag, good.nonce, mcx_bytes(good.aad, sizeof good.aad),
                                  mcx_bytes(good.text, sizeof good.text)),
                     MCX_OK);
    for (size_t bit = 0; bit < 8 * sizeof good; bit++) {
        bad = good;
        ((uint8_t *)&bad)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(out, 0xee, sizeof out);
        assert_int_equal(mcx_gcm_open(gcm, out, bad.nonce, mcx_bytes(bad.aad, sizeof bad.aad),
                                      mcx_bytes(bad.text, sizeof bad.text), bad.tag),
                         MCX_E_AUTH);
        assert_memory_equal(out, zero, sizeof out);
    }
    /* a refusal leaves the context as good as before */
    assert_int_equal(mcx_gcm_open(gcm, out, good.nonce, mcx_bytes(good.aad, sizeof good.aad),
                                  mcx_bytes(good.text, sizeof good.text), good.tag),
                     MCX_OK);
    assert_int_equal(out[0], 5);
    mcx_gcm_free(gcm);
}

static void wrap_every_length(void **state)
{
    uint8_t text[80];
    uint8_t wrapped[96];
    uint8_t back[96];
    size_t len = 0;
    size_t back_len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(i * 7);
    }
    for (size_t n = 1; n <= sizeof text; n++) {
        for (int pad = 0; pad < 2; pad++) {
            assert_int_equal(mcx_kw256_wrap(wrapped, sizeof wrapped, &len, kek, pad, mcx_bytes(text, n)), MCX_OK);
            assert_int_equal(len, (n + 7) / 8 * 8 + 8);
            assert_int_equal(mcx_kw256_unwrap(back, n, &back_len, kek, mcx_bytes(wrapped, len)), MCX_OK);
            assert_int_equal(back_len, n);
            assert_memory_equal(back, text, n);
            assert_int_equal(mcx_kw256_unwrap(back, n - 1, &back_len, kek, mcx_bytes(wrapped, len)), MCX_E_SPACE);
        }
    }
}

static void wrap_refusals(void **state)
{
    uint8_t wrapped[48];
    uint8_t out[64];
    size_t len = 7;

    (void)state;
    assert_int_equal(mcx_kw256_wrap(wrapped, sizeof wrapped, &len, kek, false, mcx_bytes(zero, 0)), MCX_E_ARG);
    assert_int_equal(mcx_kw256_wrap(wrapped, 39, &len, kek, false, mcx_bytes(zero, 32)), MCX_E_SPACE);
    assert_int_equal(len, 7);
    assert_int_equal(mcx_kw256_wrap(wrapped, 40, &len, kek, false, mcx_bytes(zero, 32)), MCX_OK);
    for (size_t cut = 0; cut < 40; cut++) {
        memset(out, 0xee, sizeof out);
        assert_int_equal(mcx_kw256_unwrap(out, sizeof out, &len, kek, mcx_bytes(wrapped, cut)), MCX_E_AUTH);
        assert_memory_equal(out, zero, sizeof out);
    }
    for (size_t bit = 0; bit < 320; bit++) {
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(out, 0xee, sizeof out);
        assert_int_equal(mcx_kw256_unwrap(out, sizeof out, &len, kek, mcx_bytes(wrapped, 40)), MCX_E_AUTH);
        assert_memory_equal(out, zero, sizeof out);
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(mcx_kw256_unwrap(out, sizeof out, &len, kek, mcx_bytes(wrapped, 40)), MCX_OK);
}

/* TLS reads the same queue: what we refuse must not look like an error of a connection. */
static int error_queue_is_empty(void **state)
{
    (void)state;
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gcm_bad_arguments, error_queue_is_empty),
        cmocka_unit_test_teardown(gcm_flips, error_queue_is_empty),
        cmocka_unit_test_teardown(wrap_every_length, error_queue_is_empty),
        cmocka_unit_test_teardown(wrap_refusals, error_queue_is_empty),
    };

    return cmocka_run_group_tests_name("sym", tests, NULL, NULL);
}
