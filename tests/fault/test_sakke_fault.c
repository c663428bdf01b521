/* SPDX-License-Identifier: Apache-2.0 */
/* Generator and memory that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/sakke.h>

#include "support/fake.h"
#include "support/vectors.h"

/* Draws that do not fit 2 .. q-1 are rejected, not reduced; the two top bits of a draw do not count. */
static void rejection(void **state)
{
    struct vec q = vec_get("rfc6509-sakke-params.txt", NULL, "q");
    uint8_t script[6 * MCX_SAKKE_MASTER_LEN] = { 0 };
    uint8_t *draw = script;
    struct fake_rng fake = { .script = { script, sizeof script } };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_sakke_master master;

    (void)state;
    draw += MCX_SAKKE_MASTER_LEN; /* 0 */
    draw[MCX_SAKKE_MASTER_LEN - 1] = 1;
    draw += MCX_SAKKE_MASTER_LEN; /* 1 */
    memcpy(draw, q.p, q.len);
    draw += MCX_SAKKE_MASTER_LEN; /* q */
    memset(draw, 0xff, MCX_SAKKE_MASTER_LEN);
    draw += MCX_SAKKE_MASTER_LEN; /* 2^1022 - 1 */
    memcpy(draw, q.p, q.len);
    draw[0] |= 0xc0;
    draw[MCX_SAKKE_MASTER_LEN - 1]--;
    assert_int_equal(mcx_sakke_master_generate(&master, &rng), MCX_OK); /* q - 1 */
    assert_int_equal(fake.num_calls, 5);
    draw[0] &= 0x3f;
    assert_memory_equal(master.z, draw, sizeof master.z);
}

static void generator_fails(void **state)
{
    struct mcx_sakke_master untouched;
    struct mcx_sakke_master master;

    (void)state;
    memset(&untouched, 0x5a, sizeof untouched);
    for (size_t n = 1; n <= 4; n++) {
        static const uint8_t zeros[4 * MCX_SAKKE_MASTER_LEN];
        struct fake_rng fake = { .script = { zeros, sizeof zeros }, .fail_at = n };
        struct mcx_rng rng = fake_rng(&fake);

        master = untouched;
        assert_int_equal(mcx_sakke_master_generate(&master, &rng), MCX_E_RNG);
        assert_int_equal(fake.num_calls, n);
        assert_memory_equal(&master, &untouched, sizeof master);
    }
}

static mcx_err stuck_fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return MCX_OK;
}

/* A generator that gives zeros for ever does not hang us. */
static void generator_stuck(void **state)
{
    struct mcx_rng rng = { stuck_fill, NULL };
    struct mcx_sakke_master master;

    (void)state;
    assert_int_equal(mcx_sakke_master_generate(&master, &rng), MCX_E_RNG);
}

/* No memory for an identifier as long as half the address space. */
static void no_memory(void **state)
{
    struct vec z = vec_get("rfc6508-sakke.txt", NULL, "Z");
    struct vec k = vec_get("rfc6508-sakke.txt", NULL, "RSK");
    struct mcx_sakke_kms *kms = NULL;
    struct mcx_sakke_rsk *rsk = NULL;

    (void)state;
    assert_int_equal(mcx_sakke_kms_new(&kms, z.p, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_sakke_rsk_new(&rsk, k.p, kms, mcx_bytes(k.p, SIZE_MAX / 2), MCX_SAKKE_TABLES_NONE),
                     MCX_E_NOMEM);
    assert_null(rsk);
    mcx_sakke_kms_free(kms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejection),
        cmocka_unit_test(generator_fails),
        cmocka_unit_test(generator_stuck),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
