/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets of the KMS interface, kind and hostile (TS 33.180 D.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "kms/target.h"

#define P "/keymanagement/identity/v1/"

static void accepted_targets(void **state)
{
    static const struct {
        const char *text;
        enum mcx_kms_op op;
        const char *uri;
    } rows[] = {
        { P "init", MCX_KMS_OP_INIT, "" },
        { "https://kms.example.org:8443" P "init", MCX_KMS_OP_INIT, "" },
        { "HTTPS://kms.example.org" P "keyprov", MCX_KMS_OP_KEYPROV, "" },
        { P "keyprov", MCX_KMS_OP_KEYPROV, "" },
        { P "keyprov/sip%3Auser%40example.org", MCX_KMS_OP_KEYPROV, "sip:user@example.org" },
        { P "keyprov/sip:user@example.org", MCX_KMS_OP_KEYPROV, "sip:user@example.org" },
        { P "keyprov/sip%3auser%2Fx%40example.org/D6B4323200000000", MCX_KMS_OP_KEYPROV, "sip:user/x@example.org" },
        { P "certcache", MCX_KMS_OP_CERTCACHE, "" },
        { P "certcache/18446744073709551615", MCX_KMS_OP_CERTCACHE, "" },
        { P "cert/kms.example.org", MCX_KMS_OP_CERT, "kms.example.org" },
        { P "lookup/sip%3Auser%40example.org", MCX_KMS_OP_LOOKUP, "sip:user@example.org" },
        { P "redirect", MCX_KMS_OP_REDIRECT, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_target t;

        assert_int_equal(mcx_kms_target_read(&t, mcx_bytes_str(rows[i].text), NULL), MCX_OK);
        assert_int_equal(t.op, rows[i].op);
        assert_string_equal(t.uri, rows[i].uri);
    }
}

static void refused_targets(void **state)
{
    static const struct {
        const char *text;
        mcx_err want;
    } rows[] = {
        { "", MCX_E_NOKEY },
        { "/", MCX_E_NOKEY },
        { "*", MCX_E_NOKEY },
        { "https://kms.example.org", MCX_E_NOKEY },
        { "keymanagement/identity/v1/init", MCX_E_NOKEY },
        { P, MCX_E_NOKEY },
        { P "init/", MCX_E_NOKEY },
        { P "init/x", MCX_E_NOKEY },
        { P "%69nit", MCX_E_NOKEY },
        { P "INIT", MCX_E_NOKEY },
        { P "init?x=1", MCX_E_NOKEY },
        { P "../v1/init", MCX_E_NOKEY },
        { P "keyprovx", MCX_E_NOKEY },
        { P "keyprov/", MCX_E_NOKEY },
        { P "keyprov//D6B4323200000000", MCX_E_NOKEY },
        { P "keyprov/sip%3Au%40x/", MCX_E_NOKEY },
        { P "keyprov/sip%3Au%40x/D6B4323200000000/", MCX_E_NOKEY },
        { P "keyprov/sip%3Au%40x/D6B4323200000000/1/2/3/4/5", MCX_E_NOKEY },
        { P "cert", MCX_E_NOKEY },
        { P "lookup", MCX_E_NOKEY },
        { P "redirect/x", MCX_E_NOKEY },
        { P "keyprov/%", MCX_E_FORMAT },
        { P "keyprov/%4", MCX_E_FORMAT },
        { P "keyprov/%zz", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%00%40x", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%0d%0a%40x", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%20%40x", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%ff%40x", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%c0%af%40x", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%40x/D6B432320000000", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%40x/D6B43232000000000", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%40x/0xB4323200000000", MCX_E_FORMAT },
        { P "keyprov/sip%3Au%40x/%44%36B4323200000000", MCX_E_FORMAT },
        { P "certcache/-1", MCX_E_FORMAT },
        { P "certcache/1x", MCX_E_FORMAT },
        { P "certcache/18446744073709551616", MCX_E_FORMAT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_kms_target t = { .num = 77 };
        struct mcx_refusal why = { 0 };
        mcx_err err = mcx_kms_target_read(&t, mcx_bytes_str(rows[i].text), &why);

        if (err != rows[i].want) {
            print_error("'%s': %s\n", rows[i].text, mcx_err_name(err));
        }
        assert_int_equal(err, rows[i].want);
        assert_non_null(why.reason);
        assert_int_equal(t.num, 77);
    }
}

static void long_uris(void **state)
{
    char text[2 * MCX_KMSDOC_URI_MAX] = P "keyprov/";
    size_t n = strlen(text);
    struct mcx_kms_target t;

    (void)state;
    memset(text + n, 'a', MCX_KMSDOC_URI_MAX - 1);
    assert_int_equal(mcx_kms_target_read(&t, mcx_bytes_str(text), NULL), MCX_OK);
    assert_int_equal(strlen(t.uri), MCX_KMSDOC_URI_MAX - 1);
    text[n + MCX_KMSDOC_URI_MAX - 1] = 'a';
    assert_int_equal(mcx_kms_target_read(&t, mcx_bytes_str(text), NULL), MCX_E_FORMAT);
}

static void compared_after_decoding(void **state)
{
    struct mcx_kms_target a;
    struct mcx_kms_target b;

    (void)state;
    assert_int_equal(mcx_kms_target_read(&a, mcx_bytes_str(P "keyprov/sip%3Au%40x/d6b4323200000000"), NULL), MCX_OK);
    assert_int_equal(mcx_kms_target_read(&b, mcx_bytes_str("http://proxy" P "keyprov/sip:u@x/D6B4323200000000"), NULL),
                     MCX_OK);
    assert_true(mcx_kms_target_equal(&a, &b));
    assert_int_equal(mcx_kms_target_read(&b, mcx_bytes_str(P "keyprov/sip:u@x/D6B4323200000001"), NULL), MCX_OK);
    assert_false(mcx_kms_target_equal(&a, &b));
    assert_int_equal(mcx_kms_target_read(&b, mcx_bytes_str(P "keyprov/sip:v@x/D6B4323200000000"), NULL), MCX_OK);
    assert_false(mcx_kms_target_equal(&a, &b));
    assert_int_equal(mcx_kms_target_read(&b, mcx_bytes_str(P "keyprov/sip:u@x"), NULL), MCX_OK);
    assert_false(mcx_kms_target_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_targets),
        cmocka_unit_test(refused_targets),
        cmocka_unit_test(long_uris),
        cmocka_unit_test(compared_after_decoding),
    };

    return cmocka_run_group_tests_name("kms target", tests, NULL, NULL);
}
