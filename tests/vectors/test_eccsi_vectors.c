/* SPDX-License-Identifier: Apache-2.0 */
/* Every value of RFC 6507 appendix A, and the key sets of [kms-rfc], [keyset-*] and [thirdparty-keyset-*]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/eccsi/eccsi_internal.h"
#include "support/fake.h"
#include "support/vectors.h"

static const char rfc[] = "rfc6507-eccsi.txt";
static const char sets[] = "identities-kms-vectors.txt";

/* A printed integer as 32 octets. Some have an odd number of digits. */
static struct vec number(const char *file, const char *section, const char *name)
{
    char text[80];
    char padded[65];

    assert_true(vec_text(text, sizeof text, file, section, name));
    assert_true(strlen(text) <= 64);
    memset(padded, '0', 64 - strlen(text));
    memcpy(padded + 64 - strlen(text), text, strlen(text) + 1);
    return vec_hex(padded);
}

static void parameters(void **state)
{
    struct vec g = vec_get(rfc, NULL, "G");
    struct vec q = vec_get(rfc, NULL, "q");
    struct vec p = vec_get(rfc, NULL, "p");
    struct mcx_p256_scalar k;

    (void)state;
    assert_memory_equal(g.p, mcx_p256_g, sizeof mcx_p256_g);
    assert_false(mcx_p256_scalar_read(&k, q.p));
    assert_false(mcx_p256_is_x(p.p));
    q.p[31]--;
    assert_true(mcx_p256_scalar_read(&k, q.p));
    p.p[31]--;
    assert_true(mcx_p256_is_x(p.p));
}

struct rfc_set {
    struct vec ksak, kpak, id, v, pvt, hs, ssk, m, j, sig;
};

static struct rfc_set *rfc_read(void)
{
    struct rfc_set *x = malloc(sizeof *x);

    assert_non_null(x);
    x->ksak = number(rfc, NULL, "KSAK");
    x->kpak = vec_get(rfc, NULL, "KPAK");
    x->id = vec_get(rfc, NULL, "ID");
    x->v = number(rfc, NULL, "v");
    x->pvt = vec_get(rfc, NULL, "PVT");
    x->hs = vec_get(rfc, NULL, "HS");
    x->ssk = vec_get(rfc, NULL, "SSK");
    x->m = vec_get(rfc, NULL, "M");
    x->j = number(rfc, NULL, "j");
    x->sig = vec_get(rfc, NULL, "signature");
    return x;
}

static void rfc_key_set(void **state)
{
    struct rfc_set *x = rfc_read();
    struct fake_rng fake = { .script = vec_bytes(&x->v) };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_eccsi_master master;
    struct mcx_eccsi_kms *kms = NULL;
    struct mcx_eccsi_key key;
    uint8_t kpak[MCX_ECCSI_POINT_LEN];
    uint8_t pvt[MCX_ECCSI_POINT_LEN];
    uint8_t ssk[MCX_ECCSI_SSK_LEN];

    (void)state;
    memcpy(master.ksak, x->ksak.p, sizeof master.ksak);
    assert_int_equal(mcx_eccsi_master_public(kpak, &master), MCX_OK);
    assert_memory_equal(kpak, x->kpak.p, sizeof kpak);
    assert_int_equal(mcx_eccsi_extract(ssk, pvt, &master, vec_bytes(&x->id), &rng), MCX_OK);
    assert_memory_equal(pvt, x->pvt.p, sizeof pvt);
    assert_memory_equal(ssk, x->ssk.p, sizeof ssk);
    assert_int_equal(mcx_eccsi_kms_new(&kms, kpak), MCX_OK);
    assert_int_equal(mcx_eccsi_key_init(&key, kms, vec_bytes(&x->id), ssk, pvt), MCX_OK);
    assert_memory_equal(key.hs, x->hs.p, sizeof key.hs);
    mcx_eccsi_key_clear(&key);
    mcx_eccsi_kms_free(kms);
    free(x);
}

/* Each step of 5.2.1 and 5.2.2 */
static void rfc_steps(void **state)
{
    struct rfc_set *x = rfc_read();
    struct vec want_j = vec_get(rfc, NULL, "J");
    struct vec want_he = vec_get(rfc, NULL, "HE");
    struct vec want_y = vec_get(rfc, NULL, "Y");
    struct vec r = vec_get(rfc, NULL, "r");
    struct vec s = vec_get(rfc, NULL, "s");
    struct vec malleated = vec_get(rfc, NULL, "malleated.s");
    struct mcx_eccsi_kms *kms = NULL;
    struct mcx_p256_point *y = NULL;
    struct mcx_p256_scalar j;
    uint8_t point[MCX_P256_POINT_LEN];
    uint8_t he[32];
    uint8_t hs[32];

    (void)state;
    assert_int_equal(mcx_eccsi_kms_new(&kms, x->kpak.p), MCX_OK);
    assert_true(mcx_p256_scalar_read(&j, x->j.p));
    assert_int_equal(mcx_p256_mul_base(point, kms->curve, &j), MCX_OK);
    assert_memory_equal(point, want_j.p, sizeof point);
    assert_memory_equal(point + 1, r.p, 32);
    assert_int_equal(mcx_eccsi_hs(hs, x->kpak.p, vec_bytes(&x->id), x->pvt.p), MCX_OK);
    assert_memory_equal(hs, x->hs.p, sizeof hs);
    assert_int_equal(mcx_eccsi_he(he, hs, r.p, vec_bytes(&x->m)), MCX_OK);
    assert_memory_equal(he, want_he.p, sizeof he);
    assert_int_equal(mcx_p256_point_new(&y, kms->curve), MCX_OK);
    assert_int_equal(mcx_eccsi_y(y, kms, hs, x->pvt.p), MCX_OK);
    assert_int_equal(mcx_p256_point_write(point, kms->curve, y), MCX_OK);
    assert_memory_equal(point, want_y.p, sizeof point);
    assert_int_equal(mcx_eccsi_verify_equation(kms->curve, he, r.p, s.p, y), MCX_OK);
    assert_int_equal(mcx_eccsi_verify_equation(kms->curve, he, r.p, malleated.p, y), MCX_OK); /* q - s: J becomes -J */
    mcx_p256_point_free(y);
    mcx_eccsi_kms_free(kms);
    free(x);
}

static void rfc_sign_and_verify(void **state)
{
    struct rfc_set *x = rfc_read();
    struct fake_rng fake = { .script = vec_bytes(&x->j) };
    struct mcx_rng rng = fake_rng(&fake);
    struct vec malleated = vec_get(rfc, NULL, "malleated.s");
    struct mcx_eccsi_kms *kms = NULL;
    struct mcx_eccsi_key key;
    struct mcx_eccsi_key bare;
    uint8_t sig[MCX_ECCSI_SIG_LEN];

    (void)state;
    assert_int_equal(mcx_eccsi_kms_new(&kms, x->kpak.p), MCX_OK);
    assert_int_equal(mcx_eccsi_key_init(&key, kms, vec_bytes(&x->id), x->ssk.p, x->pvt.p), MCX_OK);
    assert_int_equal(mcx_eccsi_sign(sig, &key, vec_bytes(&x->m), &rng), MCX_OK);
    assert_memory_equal(sig, x->sig.p, sizeof sig);
    assert_int_equal(mcx_eccsi_verify(kms, vec_bytes(&x->id), vec_bytes(&x->m), sig), MCX_OK);
    memcpy(sig + 32, malleated.p, 32);
    assert_int_equal(mcx_eccsi_verify(kms, vec_bytes(&x->id), vec_bytes(&x->m), sig), MCX_OK);
    bare = key; /* without a prepared group: the same octets */
    bare.curve = NULL;
    fake.script = vec_bytes(&x->j);
    assert_int_equal(mcx_eccsi_sign(sig, &bare, vec_bytes(&x->m), &rng), MCX_OK);
    assert_memory_equal(sig, x->sig.p, sizeof sig);
    mcx_eccsi_key_clear(&bare);
    mcx_eccsi_key_clear(&key);
    mcx_eccsi_kms_free(kms);
    free(x);
}

static void check_key_set(const struct vec *kpak, const struct vec *id, const struct vec *ssk, const struct vec *pvt,
                          const struct vec *hs)
{
    struct mcx_eccsi_kms *kms = NULL;
    struct mcx_eccsi_key key;

    assert_int_equal(mcx_eccsi_kms_new(&kms, kpak->p), MCX_OK);
    assert_int_equal(mcx_eccsi_key_init(&key, kms, vec_bytes(id), ssk->p, pvt->p), MCX_OK);
    if (hs != NULL) {
        assert_memory_equal(key.hs, hs->p, sizeof key.hs);
    }
    for (size_t bit = 0; bit < 8 * (32 + 65); bit += 7) { /* a flipped bit of SSK or PVT; all bits: tests/neg */
        struct vec bad_ssk = *ssk;
        struct vec bad_pvt = *pvt;
        struct mcx_eccsi_key none = { .hs = { 1 } };

        if (bit < 256) {
            bad_ssk.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        } else {
            bad_pvt.p[bit / 8 - 32] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_not_equal(mcx_eccsi_key_init(&none, kms, vec_bytes(id), bad_ssk.p, bad_pvt.p), MCX_OK);
        assert_int_equal(none.hs[0], 1);
    }
    mcx_eccsi_key_clear(&key);
    mcx_eccsi_kms_free(kms);
}

/* KSAK and v are given: the KMS side comes out, too. */
static void check_extract(const struct vec *ksak, const struct vec *v, const struct vec *id, const struct vec *ssk,
                          const struct vec *pvt)
{
    struct fake_rng fake = { .script = vec_bytes(v) };
    struct mcx_rng rng = fake_rng(&fake);
    struct mcx_eccsi_master master;
    uint8_t got_ssk[MCX_ECCSI_SSK_LEN];
    uint8_t got_pvt[MCX_ECCSI_POINT_LEN];

    memcpy(master.ksak, ksak->p, sizeof master.ksak);
    assert_int_equal(mcx_eccsi_extract(got_ssk, got_pvt, &master, vec_bytes(id), &rng), MCX_OK);
    assert_memory_equal(got_ssk, ssk->p, sizeof got_ssk);
    assert_memory_equal(got_pvt, pvt->p, sizeof got_pvt);
}

static void own_key_sets(void **state)
{
    struct vec ksak = number(sets, "kms-rfc", "KSAK");
    struct vec kpak = vec_get(sets, "kms-rfc", "KPAK");

    (void)state;
    for (int i = 1; i <= 4; i++) {
        char section[16];
        struct vec uid;
        struct vec ssk;
        struct vec pvt;
        struct vec hs;
        struct vec v;

        (void)snprintf(section, sizeof section, "keyset-%d", i);
        uid = vec_get(sets, section, "UID");
        ssk = vec_get(sets, section, "SSK");
        pvt = vec_get(sets, section, "PVT");
        hs = vec_get(sets, section, "HS");
        v = number(sets, section, "v");
        check_key_set(&kpak, &uid, &ssk, &pvt, &hs);
        check_extract(&ksak, &v, &uid, &ssk, &pvt);
    }
}

static void kms_rfc(void **state)
{
    struct vec ksak = number(sets, "kms-rfc", "KSAK");
    struct vec kpak = vec_get(sets, "kms-rfc", "KPAK");
    struct vec id = vec_hex("323031312D30320074656C3A2B34343737303039303031323300");
    struct vec ssk = vec_get(sets, "kms-rfc", "SSK");
    struct vec pvt = vec_get(sets, "kms-rfc", "PVT");
    struct vec hs = vec_get(sets, "kms-rfc", "HS");
    struct vec v = number(sets, "kms-rfc", "v");

    (void)state;
    check_key_set(&kpak, &id, &ssk, &pvt, &hs);
    check_extract(&ksak, &v, &id, &ssk, &pvt);
}

static void third_party_key_sets(void **state)
{
    struct vec kpak = vec_get(sets, "thirdparty-kms", "PubAuthKey");

    (void)state;
    for (int i = 1; i <= 4; i++) {
        char section[32];
        struct vec uid;
        struct vec ssk;
        struct vec pvt;

        (void)snprintf(section, sizeof section, "thirdparty-keyset-%d", i);
        uid = vec_get(sets, section, "UID");
        ssk = vec_get(sets, section, "SSK");
        pvt = vec_get(sets, section, "PVT");
        check_key_set(&kpak, &uid, &ssk, &pvt, NULL);
    }
}

/* Every published I_MESSAGE whose signer can be named; the eazon ones leave the SIGN header out of what they sign. */
static void published_messages(void **state)
{
    static const char *const files[] = {
        "own-1-pck-default-profile",
        "own-2-pck-sakke-to-self",
        "own-3-gmk",
        "own-4-gmk-hidden-identities",
        "own-5-csk",
        "streamwide-v5-3-pck",
        "streamwide-v5-4-gmk-legacy",
        "streamwide-v4-1-gmk",
        "streamwide-v4-2-csk",
        "streamwide-v4-3-pck",
        "streamwide-period-15-gmk",
        "streamwide-period-1518-gmk",
        "streamwide-period-1540-gmk",
        "streamwide-period-1657-gmk",
        "alea-v3-1-gmk",
        "eazon-1-pck",
        "eazon-2-gmk-nonconformant",
        "eazon-3-pck-signature-only",
        "eazon-4-pck-signature-only",
        "eazon-5-pck-signature-only",
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char file[128];
        struct vec msg;
        struct vec kpak;
        struct vec uid;
        struct vec len;
        struct mcx_bytes covered;
        struct mcx_eccsi_kms *kms = NULL;

        (void)snprintf(file, sizeof file, "mikey-imessages/%s.txt", files[i]);
        msg = vec_get(file, NULL, "message");
        kpak = vec_get(file, NULL, "kpak");
        uid = vec_get(file, NULL, "initiator_uid");
        len = vec_get(file, NULL, "signed_length");
        assert_int_equal(len.len, 2);
        assert_true(msg.len > MCX_ECCSI_SIG_LEN);
        covered = mcx_bytes(msg.p, (size_t)len.p[0] << 8 | len.p[1]);
        assert_true(covered.len <= msg.len - MCX_ECCSI_SIG_LEN);
        msg.len -= MCX_ECCSI_SIG_LEN;
        assert_int_equal(mcx_eccsi_kms_new(&kms, kpak.p), MCX_OK);
        assert_int_equal(mcx_eccsi_verify(kms, vec_bytes(&uid), covered, msg.p + msg.len), MCX_OK);
        msg.p[20] ^= 1;
        assert_int_equal(mcx_eccsi_verify(kms, vec_bytes(&uid), covered, msg.p + msg.len), MCX_E_AUTH);
        mcx_eccsi_kms_free(kms);
    }
}

static void self_test(void **state)
{
    (void)state;
    assert_int_equal(mcx_eccsi_self_test(), MCX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters),
        cmocka_unit_test(rfc_key_set),
        cmocka_unit_test(rfc_steps),
        cmocka_unit_test(rfc_sign_and_verify),
        cmocka_unit_test(kms_rfc),
        cmocka_unit_test(own_key_sets),
        cmocka_unit_test(third_party_key_sets),
        cmocka_unit_test(published_messages),
        cmocka_unit_test(self_test),
    };

    return cmocka_run_group_tests_name("eccsi vectors", tests, NULL, NULL);
}
