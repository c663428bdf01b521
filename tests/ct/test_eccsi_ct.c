/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECCSI with its secrets marked: KSAK, v, SSK and j. Under valgrind a branch or an address that depends on one of
 * them is an error (README-eccsi.md); run alone it is a plain round trip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <mcx/eccsi.h>

#include "support/fake.h"

/* A generator whose octets are secret. */
static mcx_err secret_fill(void *ctx, uint8_t *out, size_t len)
{
    const struct mcx_rng *inner = ctx;
    mcx_err err = inner->fill(inner->ctx, out, len);

    MCX_CT_SECRET(out, len);
    return err;
}

static void whole_life_of_a_key(void **state)
{
    struct fake_rng fake = { .seed = 31 };
    struct mcx_rng inner = fake_rng(&fake);
    const struct mcx_rng rng = { secret_fill, &inner };
    struct mcx_bytes uid = mcx_bytes_str("thirty-two octets of identifiers");
    struct mcx_bytes msg = mcx_bytes_str("a message");
    struct mcx_eccsi_master master;
    struct mcx_eccsi_kms *kms = NULL;
    struct mcx_eccsi_key key;
    uint8_t kpak[MCX_ECCSI_POINT_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
    uint8_t ssk[MCX_ECCSI_SSK_LEN];
    uint8_t sig[MCX_ECCSI_SIG_LEN];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(mcx_eccsi_master_generate(&master, &rng), MCX_OK);
        MCX_CT_SECRET(&master, sizeof master);
        assert_int_equal(mcx_eccsi_master_public(kpak, &master), MCX_OK);
        assert_int_equal(mcx_eccsi_extract(ssk, pvt, &master, uid, &rng), MCX_OK);
        assert_int_equal(mcx_eccsi_kms_new(&kms, kpak), MCX_OK);
        MCX_CT_SECRET(ssk, sizeof ssk);
        assert_int_equal(mcx_eccsi_key_init(&key, kms, uid, ssk, pvt), MCX_OK);
        MCX_CT_SECRET(key.ssk, sizeof key.ssk);
        assert_int_equal(mcx_eccsi_sign(sig, &key, msg, &rng), MCX_OK);
        assert_int_equal(mcx_eccsi_verify(kms, uid, msg, sig), MCX_OK);
        mcx_eccsi_key_clear(&key);
        mcx_eccsi_kms_free(kms);
        mcx_eccsi_master_clear(&master);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(whole_life_of_a_key) };

    return cmocka_run_group_tests_name("eccsi constant time", tests, NULL, NULL);
}
