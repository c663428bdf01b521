/* SPDX-License-Identifier: Apache-2.0 */
/* The joint self-test passes, and says what is wrong when the provider has no algorithms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include <mcx/selftest.h>

static void passes(void **state)
{
    const char *which = "something";

    (void)state;
    assert_int_equal(mcx_crypto_self_test(&which), MCX_OK);
    assert_null(which);
    assert_int_equal(mcx_crypto_self_test(NULL), MCX_OK);
}

static void fails_without_algorithms(void **state)
{
    OSSL_LIB_CTX *empty = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *none = OSSL_PROVIDER_load(empty, "null");
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(empty);
    const char *which = NULL;
    mcx_err err = mcx_crypto_self_test(&which);

    (void)state;
    (void)OSSL_LIB_CTX_set0_default(before);
    assert_non_null(none);
    assert_int_equal(err, MCX_E_BUG);
    assert_string_equal(which, "SHA-256");
    OSSL_PROVIDER_unload(none);
    OSSL_LIB_CTX_free(empty);
    ERR_clear_error();
    assert_int_equal(mcx_crypto_self_test(&which), MCX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(passes), cmocka_unit_test(fails_without_algorithms) };

    return cmocka_run_group_tests_name("crypto self-test", tests, NULL, NULL);
}
