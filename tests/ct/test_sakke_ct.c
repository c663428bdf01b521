/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SAKKE with its secrets marked undefined: under valgrind (scripts/check-ct) a branch or an address that depends
 * on z_T, an RSK, an SSV or on anything derived from them is an error. What a function hands to the public is
 * marked public here, where it leaves; the verdicts are marked where they are made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/sakke.h>

#include "support/fake.h"

static const char uid_text[] = "an identity of thirty-two octets";
static const uint8_t ssv[MCX_KEY_LEN] = { 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static struct mcx_bytes uid(void)
{
    return mcx_bytes(uid_text, sizeof uid_text - 1);
}

static mcx_err secret_fill(void *ctx, uint8_t *out, size_t len)
{
    struct mcx_rng inner = fake_rng(ctx);
    mcx_err err = inner.fill(inner.ctx, out, len);

    MCX_CT_SECRET(out, len);
    return err;
}

static void make_keys(uint8_t z_t[MCX_SAKKE_POINT_LEN], uint8_t rsk[MCX_SAKKE_POINT_LEN])
{
    struct fake_rng state = { .seed = 20 };
    struct mcx_rng rng = { secret_fill, &state };
    struct mcx_sakke_master master;

    assert_int_equal(mcx_sakke_master_generate(&master, &rng), MCX_OK);
    assert_int_equal(mcx_sakke_master_public(z_t, &master), MCX_OK);
    assert_int_equal(mcx_sakke_extract(rsk, &master, uid()), MCX_OK);
    mcx_sakke_master_clear(&master);
}

static void all_operations(enum mcx_sakke_tables tables)
{
    uint8_t z_t[MCX_SAKKE_POINT_LEN];
    uint8_t rsk_octets[MCX_SAKKE_POINT_LEN];
    uint8_t sed[MCX_SAKKE_SED_LEN];
    struct mcx_sakke_kms *kms = NULL;
    struct mcx_sakke_rsk *rsk = NULL;
    struct mcx_key key;

    make_keys(z_t, rsk_octets);
    assert_int_equal(mcx_sakke_kms_new(&kms, z_t, tables), MCX_OK);

    memcpy(key.octet, ssv, sizeof ssv);
    MCX_CT_SECRET(&key, sizeof key);
    assert_int_equal(mcx_sakke_encap(sed, &key, kms, uid()), MCX_OK);
    MCX_CT_PUBLIC(sed, sizeof sed); /* it is sent in clear */

    MCX_CT_SECRET(rsk_octets, sizeof rsk_octets);
    assert_int_equal(mcx_sakke_rsk_new(&rsk, rsk_octets, kms, uid(), tables), MCX_OK);
    mcx_key_clear(&key);
    assert_int_equal(mcx_sakke_decap(&key, rsk, sed), MCX_OK);
    MCX_CT_PUBLIC(&key, sizeof key); /* the test compares it */
    assert_memory_equal(key.octet, ssv, sizeof ssv);

    sed[MCX_SAKKE_SED_LEN - 1] ^= 1;
    assert_int_equal(mcx_sakke_decap(&key, rsk, sed), MCX_E_AUTH);
    mcx_sakke_rsk_free(rsk);
    mcx_sakke_kms_free(kms);
}

static void without_tables(void **state)
{
    (void)state;
    all_operations(MCX_SAKKE_TABLES_NONE);
}

static void with_tables(void **state)
{
    (void)state;
    all_operations(MCX_SAKKE_TABLES_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_tables),
        cmocka_unit_test(with_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
