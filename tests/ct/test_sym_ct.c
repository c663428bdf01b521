/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and texts that pass through the provider seam and the derivations, marked as secret. Key wrap is missing on
 * purpose: OpenSSL does it with table look-ups (README-eccsi.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/sym/sym.h"

#include <mcx/ident.h>

static const struct mcx_key zero_key;

static void derivations(void **state)
{
    struct mcx_key k = { { 1, 2, 3 } };
    struct mcx_key out;
    struct mcx_srtp_master m;
    uint32_t id = 0;

    (void)state;
    MCX_CT_SECRET(&k, sizeof k);
    assert_int_equal(mcx_guk_id(&id, 7, &k, mcx_bytes_str("sip:a@example.org")), MCX_OK);
    MCX_CT_PUBLIC(&id, sizeof id); /* a GUK-ID is sent in the clear */
    assert_int_not_equal(id, 7);
    assert_int_equal(mcx_dpck(&out, &k, 7), MCX_OK);
    assert_int_equal(mcx_xml_key(&out, true, &k, mcx_bytes_str("sip:a@example.org"), 7), MCX_OK);
    assert_int_equal(mcx_srtp_master_derive(&m, &k, 0, 7, mcx_bytes_str("sixteen octets..")), MCX_OK);
    MCX_CT_PUBLIC(&m, sizeof m); /* end of the test */
    assert_memory_not_equal(&m.key, &zero_key, sizeof zero_key);
}

static void ciphers(void **state)
{
    struct mcx_key k = { { 1, 2, 3 } };
    uint8_t text[48] = { 6 };
    uint8_t buf[64];
    uint8_t back[64];
    uint8_t tag[MCX_GCM_TAG_LEN];
    struct mcx_gcm *gcm = NULL;

    (void)state;
    MCX_CT_SECRET(&k, sizeof k);
    MCX_CT_SECRET(text, sizeof text);
    assert_int_equal(mcx_aes128_ctr_stream(buf, 40, &k, (const uint8_t *)"sixteen octets.."), MCX_OK);
    assert_int_equal(mcx_gcm_new(&gcm, mcx_bytes(k.octet, sizeof k.octet), 12), MCX_OK);
    assert_int_equal(
        mcx_gcm_seal(gcm, buf, tag, (const uint8_t *)"twelve octets", mcx_bytes_str("aad"), mcx_bytes(text, 40)),
        MCX_OK);
    MCX_CT_PUBLIC(buf, 40);         /* ciphertext */
    MCX_CT_PUBLIC(tag, sizeof tag); /* sent with it */
    assert_int_equal(
        mcx_gcm_open(gcm, back, (const uint8_t *)"twelve octets", mcx_bytes_str("aad"), mcx_bytes(buf, 40), tag),
        MCX_OK);
    mcx_gcm_free(gcm);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(derivations), cmocka_unit_test(ciphers) };

    return cmocka_run_group_tests_name("sym constant time", tests, NULL, NULL);
}
