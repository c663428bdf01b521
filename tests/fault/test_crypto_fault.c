/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation inside OpenSSL fails, for every n: an error comes back, outputs are unchanged or wiped, and
 * the next call works. (Each operation runs once undisturbed before, as OpenSSL cannot start without memory.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "crypto/sym/sym.h"
#include "support/failing_provider.h"
#include "support/fake.h"
#include "support/vectors.h"

#include <mcx/eccsi.h>
#include <mcx/ident.h>

static const uint8_t untouched[256] = { 0 };
static const uint8_t octets[64] = "thirty-two octets and some more, for keys, texts and additional";
static struct vec kpak, uid, ssk, pvt, ksak;
static struct mcx_gcm *gcm;
static struct mcx_eccsi_kms *kms;
static struct mcx_eccsi_key key;
static uint8_t sig[MCX_ECCSI_SIG_LEN];

/* Each writes what it makes to `out` (256 octets, zero before) and releases the rest. */
static mcx_err do_sha256(uint8_t *out)
{
    struct mcx_bytes part = mcx_bytes(octets, sizeof octets);

    return mcx_sha256(out, &part, 1);
}

static mcx_err do_hmac(uint8_t *out)
{
    struct mcx_bytes part = mcx_bytes(octets, sizeof octets);

    return mcx_hmac_sha256(out, mcx_bytes(octets, 16), &part, 1);
}

static mcx_err do_ctr(uint8_t *out)
{
    static const struct mcx_key k = { { 1 } };

    return mcx_aes128_ctr_stream(out, 40, &k, octets);
}

static mcx_err do_gcm_new(uint8_t *out)
{
    struct mcx_gcm *g = NULL;
    mcx_err err = mcx_gcm_new(&g, mcx_bytes(octets, 16), 12);

    out[0] = g != NULL;
    mcx_gcm_free(g);
    return err;
}

static mcx_err do_gcm_seal(uint8_t *out)
{
    return mcx_gcm_seal(gcm, out, out + 64, octets, mcx_bytes(octets, 12), mcx_bytes(octets, 50));
}

static mcx_err do_wrap(uint8_t *out)
{
    size_t len = 0;

    return mcx_kw256_wrap(out, 72, &len, octets, true, mcx_bytes(octets, 32));
}

static mcx_err do_unwrap(uint8_t *out)
{
    static const char wrapped[] = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";
    struct vec kek = vec_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    struct vec in = vec_hex(wrapped);
    size_t len = 0;

    return mcx_kw256_unwrap(out, 32, &len, kek.p, vec_bytes(&in));
}

static mcx_err do_passphrase(uint8_t *out)
{
    return mcx_passphrase_key(out, mcx_bytes_str("passphrase"), octets);
}

static mcx_err do_uid(uint8_t *out)
{
    static const struct mcx_key_period period = { 100, 0 };

    return mcx_uid(out, mcx_bytes_str("sip:a@example.org"), mcx_bytes_str("kms.example.org"), &period, 3);
}

static mcx_err do_srtp_master(uint8_t *out)
{
    static const struct mcx_key tgk = { { 1 } };
    struct mcx_srtp_master m = { 0 };
    mcx_err err = mcx_srtp_master_derive(&m, &tgk, 0, 1, mcx_bytes(octets, 16));

    memcpy(out, &m, sizeof m);
    return err;
}

static mcx_err do_guk_id(uint8_t *out)
{
    static const struct mcx_key gmk = { { 1 } };
    uint32_t id = 0;
    mcx_err err = mcx_guk_id(&id, 5, &gmk, mcx_bytes_str("sip:a@example.org"));

    memcpy(out, &id, sizeof id);
    return err;
}

static mcx_err do_dpck(uint8_t *out)
{
    static const struct mcx_key dppk = { { 1 } };
    struct mcx_key k = { { 0 } };
    mcx_err err = mcx_dpck(&k, &dppk, 5);

    memcpy(out, &k, sizeof k);
    return err;
}

static mcx_err do_kms_new(uint8_t *out)
{
    struct mcx_eccsi_kms *k = NULL;
    mcx_err err = mcx_eccsi_kms_new(&k, kpak.p);

    out[0] = k != NULL;
    mcx_eccsi_kms_free(k);
    return err;
}

static mcx_err do_extract(uint8_t *out)
{
    struct fake_rng fake = { .seed = 3 };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_eccsi_master master;

    memcpy(master.ksak, ksak.p, sizeof master.ksak);
    return mcx_eccsi_extract(out, out + 32, &master, vec_bytes(&uid), &rng);
}

static mcx_err do_key_init(uint8_t *out)
{
    struct mcx_eccsi_key k = { .hs = { 0 } };
    mcx_err err = mcx_eccsi_key_init(&k, kms, vec_bytes(&uid), ssk.p, pvt.p);

    memcpy(out, k.ssk, sizeof k.ssk);
    mcx_eccsi_key_clear(&k);
    return err;
}

static mcx_err do_sign(uint8_t *out)
{
    struct fake_rng fake = { .seed = 3 };
    struct mcx_rng rng = fake_rng(&fake);

    return mcx_eccsi_sign(out, &key, mcx_bytes(octets, sizeof octets), &rng);
}

static mcx_err do_verify(uint8_t *out)
{
    (void)out;
    return mcx_eccsi_verify(kms, vec_bytes(&uid), mcx_bytes(octets, sizeof octets), sig);
}

static mcx_err do_self_test(uint8_t *out)
{
    (void)out;
    return mcx_eccsi_self_test();
}

static const struct {
    const char *name;
    mcx_err (*run)(uint8_t *out);
    size_t max; /* allocations to try; 0 = all */
} rows[] = {
    { "sha256", do_sha256, 0 },     { "hmac", do_hmac, 0 },
    { "ctr", do_ctr, 0 },           { "gcm new", do_gcm_new, 0 },
    { "gcm seal", do_gcm_seal, 0 }, { "wrap", do_wrap, 0 },
    { "unwrap", do_unwrap, 0 },     { "passphrase", do_passphrase, 4 },
    { "uid", do_uid, 0 },           { "srtp master", do_srtp_master, 0 },
    { "guk-id", do_guk_id, 0 },     { "dpck", do_dpck, 0 },
    { "kms new", do_kms_new, 0 },   { "extract", do_extract, 0 },
    { "key init", do_key_init, 0 }, { "sign", do_sign, 0 },
    { "verify", do_verify, 0 },     { "self-test", do_self_test, 0 },
};

/* Run with the n-th allocation refused; true when the operation got through without reaching it. */
static bool disturbed_run(size_t row, size_t n, const uint8_t want[256])
{
    uint8_t out[256] = { 0 };
    mcx_err err = MCX_OK;
    bool reached = false;

    num_allocs = 0;
    fail_at = n;
    err = rows[row].run(out);
    reached = num_allocs >= n;
    fail_at = 0;
    ERR_clear_error();
    if (err == MCX_OK) { /* not reached, or OpenSSL did without */
        assert_memory_equal(out, want, sizeof out);
    } else {
        if (!reached || (err != MCX_E_NOMEM && err != MCX_E_BUG)) {
            fail_msg("%s, allocation %zu: %s", rows[row].name, n, mcx_err_name(err));
        }
        assert_memory_equal(out, untouched, sizeof out); /* unchanged or wiped */
    }
    return !reached;
}

static void every_allocation(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        uint8_t want[256] = { 0 };
        uint8_t again[256] = { 0 };
        size_t n = 1;

        assert_int_equal(rows[row].run(want), MCX_OK);
        while ((rows[row].max == 0 || n <= rows[row].max) && !disturbed_run(row, n, want)) {
            n++;
            assert_true(n < 2000);
        }
        assert_int_equal(rows[row].run(again), MCX_OK);
        assert_memory_equal(again, want, sizeof want);
    }
}

static int set_up(void **state)
{
    static const char sets[] = "identities-kms-vectors.txt";
    struct fake_rng fake = { .seed = 3 };
    struct mcx_rng rng = fake_rng(&fake);

    (void)state;
    ksak = vec_hex("0000000000000000000000000000000000000000000000000000000000012345");
    kpak = vec_get(sets, "kms-rfc", "KPAK");
    uid = vec_get(sets, "keyset-3", "UID");
    ssk = vec_get(sets, "keyset-3", "SSK");
    pvt = vec_get(sets, "keyset-3", "PVT");
    assert_int_equal(mcx_gcm_new(&gcm, mcx_bytes(octets, 16), 12), MCX_OK);
    assert_int_equal(mcx_eccsi_kms_new(&kms, kpak.p), MCX_OK);
    assert_int_equal(mcx_eccsi_key_init(&key, kms, vec_bytes(&uid), ssk.p, pvt.p), MCX_OK);
    assert_int_equal(mcx_eccsi_sign(sig, &key, mcx_bytes(octets, sizeof octets), &rng), MCX_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mcx_gcm_free(gcm);
    mcx_eccsi_key_clear(&key);
    mcx_eccsi_kms_free(kms);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_allocation, set_up, tear_down),
    };

    if (!failing_provider()) {
        return 1;
    }
    return cmocka_run_group_tests_name("crypto faults", tests, NULL, NULL);
}
