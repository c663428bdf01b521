/* SPDX-License-Identifier: Apache-2.0 */
/* The vault: key sets against the published values, the seal, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "kms/vault.h"
#include "support/kms_fake.h"
#include "support/vectors.h"

static const uint8_t seal_octets[MCX_VAULT_SEAL_KEY_LEN] = { 1, 2, 3 };
static const struct mcx_key_period month = { 2592000, 0 };

static struct mcx_vault_seal key_seal(void)
{
    return (struct mcx_vault_seal){ false, mcx_bytes(seal_octets, sizeof seal_octets) };
}

static void assert_octets(const uint8_t *got, size_t len, const char *section, const char *name)
{
    struct vec want = vec_get(KMS_FAKE_VECTORS, section, name);

    assert_int_equal(want.len, len);
    assert_memory_equal(got, want.p, len);
}

static void key_sets_of_the_vectors(void **state)
{
    static const struct {
        const char *section, *kms_uri;
        uint64_t period, offset, no;
    } rows[] = {
        { "keyset-1", "kms.example.org", 2592000, 0, 1388 },
        { "keyset-2", "kms1.mcx.example.net", 604800, 345600, 6582 },
        { "keyset-3", "kms1.mcx.example.net", 604800, 345600, 6582 },
        { "keyset-4", "kms1.mcx.example.net", 604800, 345600, 6582 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_vault *vault = kms_fake_vault(rows[i].kms_uri, rows[i].period, rows[i].offset);
        uint8_t v[KMS_FAKE_V_LEN];
        struct fake_rng rng_state = { .script = mcx_bytes(v, sizeof v) };
        struct mcx_rng rng = fake_rng(&rng_state);
        struct mcx_vault_request req = { .period_no = rows[i].no };
        struct mcx_vault_key_set set;

        assert_octets(mcx_vault_public(vault)->pub_enc_key, MCX_SAKKE_POINT_LEN, "kms-rfc", "Z_T");
        assert_octets(mcx_vault_public(vault)->pub_auth_key, MCX_ECCSI_POINT_LEN, "kms-rfc", "KPAK");
        kms_fake_scalar(v, sizeof v, rows[i].section, "v");
        assert_true(vec_text(req.user_uri, sizeof req.user_uri, KMS_FAKE_VECTORS, rows[i].section, "identity"));
        assert_int_equal(mcx_vault_issue(vault, &set, &req, &rng), MCX_OK);
        assert_octets(set.uid, sizeof set.uid, rows[i].section, "UID");
        assert_octets(set.rsk, sizeof set.rsk, rows[i].section, "RSK");
        assert_octets(set.ssk, sizeof set.ssk, rows[i].section, "SSK");
        assert_octets(set.pvt, sizeof set.pvt, rows[i].section, "PVT");
        mcx_vault_free(vault);
    }
}

static void rsk_stays_ssk_is_fresh(void **state)
{
    struct mcx_vault *vault = kms_fake_vault("kms.example.org", 2592000, 0);
    struct fake_rng rng_state = { .seed = 9 };
    struct mcx_rng rng = fake_rng(&rng_state);
    struct mcx_vault_request req = { .user_uri = "sip:user@example.org", .period_no = 1500 };
    struct mcx_vault_key_set a;
    struct mcx_vault_key_set b;

    (void)state;
    assert_int_equal(mcx_vault_issue(vault, &a, &req, &rng), MCX_OK);
    assert_int_equal(mcx_vault_issue(vault, &b, &req, &rng), MCX_OK);
    assert_memory_equal(a.rsk, b.rsk, sizeof a.rsk);
    assert_memory_not_equal(a.ssk, b.ssk, sizeof a.ssk);
    assert_memory_not_equal(a.pvt, b.pvt, sizeof a.pvt);
    req.period_no++;
    assert_int_equal(mcx_vault_issue(vault, &b, &req, &rng), MCX_OK);
    assert_memory_not_equal(a.rsk, b.rsk, sizeof a.rsk);
    mcx_vault_free(vault);
}

static void refuses_and_wipes(void **state)
{
    struct mcx_vault *vault = kms_fake_vault("kms.example.org", 2592000, 0);
    struct fake_rng rng_state = { .seed = 9, .fail_at = 1 };
    struct mcx_rng rng = fake_rng(&rng_state);
    struct mcx_vault_request req = { .user_uri = "sip:user@example.org", .period_no = 1500 };
    static const struct mcx_vault_key_set zero;
    struct mcx_vault_key_set set;

    (void)state;
    memset(&set, 0xa5, sizeof set);
    assert_int_equal(mcx_vault_issue(vault, &set, &req, &rng), MCX_E_RNG);
    assert_memory_equal(&set, &zero, sizeof set);
    req.user_uri[0] = '\0';
    assert_int_equal(mcx_vault_issue(vault, &set, &req, &rng), MCX_E_ARG);
    strcpy(req.user_uri, "sip:a b@example.org");
    assert_int_equal(mcx_vault_issue(vault, &set, &req, &rng), MCX_E_ARG);
    memset(req.user_uri, 'a', sizeof req.user_uri); /* no NUL */
    assert_int_equal(mcx_vault_issue(vault, &set, &req, &rng), MCX_E_ARG);
    mcx_vault_free(vault);
}

static size_t make_sealed(uint8_t buf[MCX_VAULT_SEALED_MAX], const struct mcx_vault_seal *seal)
{
    struct fake_rng rng_state = { .seed = 4 };
    struct mcx_rng rng = fake_rng(&rng_state);
    struct mcx_wr sealed = mcx_wr(buf, MCX_VAULT_SEALED_MAX);

    assert_int_equal(mcx_vault_create(&sealed, mcx_bytes_str("kms.example.org"), &month, seal, &rng), MCX_OK);
    return sealed.len;
}

/* Magic, version, kind, salt, period, offset, URI, nonce, ciphertext, tag: every octet matters. */
static void every_changed_octet_of_the_seal(void **state)
{
    uint8_t buf[MCX_VAULT_SEALED_MAX];
    struct mcx_vault_seal seal = key_seal();
    struct mcx_vault *vault = NULL;
    size_t len = make_sealed(buf, &seal);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        buf[i] ^= 0x01;
        assert_int_not_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &seal), MCX_OK);
        assert_null(vault);
        buf[i] ^= 0x01;
        assert_int_not_equal(mcx_vault_open(&vault, mcx_bytes(buf, i), &seal), MCX_OK);
    }
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &seal), MCX_OK);
    assert_string_equal(mcx_vault_public(vault)->kms_uri, "kms.example.org");
    mcx_vault_free(vault);
    vault = NULL;
    buf[len] = 0;
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len + 1), &seal), MCX_E_TRAILING);
}

static void other_seals(void **state)
{
    uint8_t buf[MCX_VAULT_SEALED_MAX];
    uint8_t other[MCX_VAULT_SEAL_KEY_LEN] = { 9 };
    struct mcx_vault_seal seal = key_seal();
    const struct mcx_vault_seal wrong = { false, mcx_bytes(other, sizeof other) };
    const struct mcx_vault_seal shorter = { false, mcx_bytes(other, 16) };
    const struct mcx_vault_seal words = { true, mcx_bytes_str("correct horse battery staple") };
    const struct mcx_vault_seal other_words = { true, mcx_bytes_str("correct horse battery stapler") };
    struct mcx_vault *vault = NULL;
    size_t len = make_sealed(buf, &seal);

    (void)state;
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &wrong), MCX_E_AUTH);
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &shorter), MCX_E_ARG);
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &words), MCX_E_ARG);
    len = make_sealed(buf, &words);
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &seal), MCX_E_ARG);
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &other_words), MCX_E_AUTH);
    assert_int_equal(mcx_vault_open(&vault, mcx_bytes(buf, len), &words), MCX_OK);
    mcx_vault_free(vault);
}

static void nothing_secret_in_the_sealed_form(void **state)
{
    uint8_t script[16 + MCX_SAKKE_MASTER_LEN + 32 + 12];
    struct fake_rng fill_state = { .seed = 77 };
    struct mcx_rng fill = fake_rng(&fill_state);
    struct fake_rng rng_state = { .script = mcx_bytes(script, sizeof script) };
    struct mcx_rng rng = fake_rng(&rng_state);
    struct mcx_vault_seal seal = key_seal();
    uint8_t buf[MCX_VAULT_SEALED_MAX];
    struct mcx_wr sealed = mcx_wr(buf, sizeof buf);

    (void)state;
    assert_int_equal(mcx_rng_fill(&fill, script, sizeof script), MCX_OK);
    script[16] &= 0x1f; /* below q at the first draw */
    assert_int_equal(mcx_vault_create(&sealed, mcx_bytes_str("kms.example.org"), &month, &seal, &rng), MCX_OK);
    assert_int_equal(rng_state.script.len, 0);
    for (size_t i = 16; i + 8 <= 16 + MCX_SAKKE_MASTER_LEN + 32; i++) { /* any 8 octets of z_T or KSAK */
        for (size_t k = 0; k + 8 <= sealed.len; k++) {
            assert_memory_not_equal(script + i, buf + k, 8);
        }
    }
}

static void creation_faults(void **state)
{
    struct mcx_vault_seal seal = key_seal();
    static const struct mcx_key_period bad[] = { { 0, 0 }, { 10, 10 }, { 10, 11 } };

    (void)state;
    for (size_t at = 1; at <= 4; at++) { /* salt, z_T, KSAK, nonce */
        struct fake_rng rng_state = { .seed = 5, .fail_at = at };
        struct mcx_rng rng = fake_rng(&rng_state);
        uint8_t buf[MCX_VAULT_SEALED_MAX];
        struct mcx_wr sealed = mcx_wr(buf, sizeof buf);

        assert_int_equal(mcx_vault_create(&sealed, mcx_bytes_str("kms.example.org"), &month, &seal, &rng), MCX_E_RNG);
        assert_int_equal(sealed.len, 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fake_rng rng_state = { .seed = 5 };
        struct mcx_rng rng = fake_rng(&rng_state);
        uint8_t buf[MCX_VAULT_SEALED_MAX];
        struct mcx_wr sealed = mcx_wr(buf, sizeof buf);

        assert_int_equal(mcx_vault_create(&sealed, mcx_bytes_str("kms.example.org"), &bad[i], &seal, &rng), MCX_E_ARG);
        assert_int_equal(mcx_vault_create(&sealed, mcx_bytes_str(""), &month, &seal, &rng), MCX_E_ARG);
        sealed.cap = 100;
        assert_int_equal(mcx_vault_create(&sealed, mcx_bytes_str("kms.example.org"), &month, &seal, &rng), MCX_E_SPACE);
        assert_int_equal(sealed.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_sets_of_the_vectors),
        cmocka_unit_test(rsk_stays_ssk_is_fresh),
        cmocka_unit_test(refuses_and_wipes),
        cmocka_unit_test(every_changed_octet_of_the_seal),
        cmocka_unit_test(other_seals),
        cmocka_unit_test(nothing_secret_in_the_sealed_form),
        cmocka_unit_test(creation_faults),
    };

    return cmocka_run_group_tests_name("kms vault", tests, NULL, NULL);
}
