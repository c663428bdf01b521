/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6508 appendix A, key sets of identities-kms-vectors.txt, encapsulations of published I_MESSAGEs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <mcx/sakke.h>

#include "support/vectors.h"

#define RFC     "rfc6508-sakke.txt"
#define KEYSETS "identities-kms-vectors.txt"

static const enum mcx_sakke_tables forms[] = { MCX_SAKKE_TABLES_NONE, MCX_SAKKE_TABLES_DEFAULT };
#define NUM_FORMS (sizeof forms / sizeof forms[0])

static struct mcx_sakke_kms *kms_of(const struct vec *z, enum mcx_sakke_tables tables)
{
    struct mcx_sakke_kms *kms = NULL;

    assert_int_equal(z->len, MCX_SAKKE_POINT_LEN);
    assert_int_equal(mcx_sakke_kms_new(&kms, z->p, tables), MCX_OK);
    return kms;
}

static struct mcx_sakke_master master_of(const struct vec *z)
{
    struct mcx_sakke_master master = { { 0 } };

    assert_true(z->len <= sizeof master.z);
    memcpy(master.z + sizeof master.z - z->len, z->p, z->len);
    return master;
}

static void rfc6508_kms(void **state)
{
    struct vec z = vec_get(RFC, NULL, "z");
    struct vec public = vec_get(RFC, NULL, "Z");
    struct vec b = vec_get(RFC, NULL, "b");
    struct vec rsk = vec_get(RFC, NULL, "RSK");
    struct mcx_sakke_master master = master_of(&z);
    uint8_t out[MCX_SAKKE_POINT_LEN];

    (void)state;
    assert_int_equal(mcx_sakke_master_public(out, &master), MCX_OK);
    assert_memory_equal(out, public.p, sizeof out);
    assert_int_equal(mcx_sakke_extract(out, &master, vec_bytes(&b)), MCX_OK);
    assert_memory_equal(out, rsk.p, sizeof out);
}

static void rfc6508_encap_decap(void **state)
{
    struct vec public = vec_get(RFC, NULL, "Z");
    struct vec b = vec_get(RFC, NULL, "b");
    struct vec k = vec_get(RFC, NULL, "RSK");
    struct vec ssv = vec_get(RFC, NULL, "SSV");
    struct vec want = vec_get(RFC, NULL, "encapsulated_data");

    (void)state;
    assert_int_equal(want.len, MCX_SAKKE_SED_LEN);
    for (size_t i = 0; i < NUM_FORMS; i++) {
        struct mcx_sakke_kms *kms = kms_of(&public, forms[i]);
        struct mcx_sakke_rsk *rsk = NULL;
        uint8_t sed[MCX_SAKKE_SED_LEN];
        struct mcx_key key;

        memcpy(key.octet, ssv.p, sizeof key.octet);
        assert_int_equal(mcx_sakke_encap(sed, &key, kms, vec_bytes(&b)), MCX_OK);
        assert_memory_equal(sed, want.p, sizeof sed);
        assert_int_equal(mcx_sakke_rsk_new(&rsk, k.p, kms, vec_bytes(&b), forms[i]), MCX_OK);
        mcx_key_clear(&key);
        assert_int_equal(mcx_sakke_decap(&key, rsk, want.p), MCX_OK);
        assert_memory_equal(key.octet, ssv.p, sizeof key.octet);
        mcx_sakke_rsk_free(rsk);
        mcx_sakke_kms_free(kms);
    }
}

/* Key sets made with the RFC's z_T: extraction gives the RSK printed, and it validates for its UID only. */
static void key_sets(void **state)
{
    static const char *const sections[] = { "keyset-1", "keyset-2", "keyset-3", "keyset-4" };
    struct vec z = vec_get(KEYSETS, "kms-rfc", "z_T");
    struct vec public = vec_get(KEYSETS, "kms-rfc", "Z_T");
    struct mcx_sakke_master master = master_of(&z);
    struct mcx_sakke_kms *kms = kms_of(&public, MCX_SAKKE_TABLES_NONE);
    uint8_t out[MCX_SAKKE_POINT_LEN];

    (void)state;
    assert_int_equal(mcx_sakke_master_public(out, &master), MCX_OK);
    assert_memory_equal(out, public.p, sizeof out);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        struct vec uid = vec_get(KEYSETS, sections[i], "UID");
        struct vec k = vec_get(KEYSETS, sections[i], "RSK");
        struct mcx_sakke_rsk *rsk = NULL;

        assert_int_equal(mcx_sakke_extract(out, &master, vec_bytes(&uid)), MCX_OK);
        assert_memory_equal(out, k.p, sizeof out);
        assert_int_equal(mcx_sakke_rsk_new(&rsk, k.p, kms, vec_bytes(&uid), forms[i % NUM_FORMS]), MCX_OK);
        mcx_sakke_rsk_free(rsk);
        rsk = NULL;
        uid.p[0] ^= 1;
        assert_int_equal(mcx_sakke_rsk_new(&rsk, k.p, kms, vec_bytes(&uid), forms[i % NUM_FORMS]), MCX_E_AUTH);
        assert_null(rsk);
    }
    mcx_sakke_kms_free(kms);
}

/* Key sets of another KMS. */
static void third_party_key_sets(void **state)
{
    static const char *const sections[] = { "thirdparty-keyset-1", "thirdparty-keyset-2", "thirdparty-keyset-3",
                                            "thirdparty-keyset-4" };
    struct vec public = vec_get(KEYSETS, "thirdparty-kms", "PubEncKey");
    struct mcx_sakke_kms *kms = kms_of(&public, MCX_SAKKE_TABLES_DEFAULT);

    (void)state;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        struct vec uid = vec_get(KEYSETS, sections[i], "UID");
        struct vec k = vec_get(KEYSETS, sections[i], "RSK");
        struct mcx_sakke_rsk *rsk = NULL;

        assert_int_equal(mcx_sakke_rsk_new(&rsk, k.p, kms, vec_bytes(&uid), forms[i % NUM_FORMS]), MCX_OK);
        mcx_sakke_rsk_free(rsk);
    }
    mcx_sakke_kms_free(kms);
}

/* Opened with the receiver's key, and made again from the SSV: the same octets. */
static void open_and_remake(const struct vec *z, const struct vec *uid, const struct vec *k, const struct vec *sed,
                            const struct vec *ssv, enum mcx_sakke_tables tables)
{
    struct mcx_sakke_kms *kms = kms_of(z, tables);
    struct mcx_sakke_rsk *rsk = NULL;
    uint8_t again[MCX_SAKKE_SED_LEN];
    struct mcx_key key;

    assert_int_equal(sed->len, MCX_SAKKE_SED_LEN);
    assert_int_equal(ssv->len, MCX_KEY_LEN);
    assert_int_equal(mcx_sakke_rsk_new(&rsk, k->p, kms, vec_bytes(uid), tables), MCX_OK);
    assert_int_equal(mcx_sakke_decap(&key, rsk, sed->p), MCX_OK);
    assert_memory_equal(key.octet, ssv->p, sizeof key.octet);
    assert_int_equal(mcx_sakke_encap(again, &key, kms, vec_bytes(uid)), MCX_OK);
    assert_memory_equal(again, sed->p, sizeof again);
    mcx_sakke_rsk_free(rsk);
    mcx_sakke_kms_free(kms);
}

static void i_messages(void **state)
{
    static const char *const files[] = {
        "alea-v3-1-gmk",
        "eazon-1-pck",
        "eazon-2-gmk-nonconformant",
        "own-1-pck-default-profile",
        "own-2-pck-sakke-to-self",
        "own-3-gmk",
        "own-4-gmk-hidden-identities",
        "own-5-csk",
        "streamwide-period-15-gmk",
        "streamwide-period-1518-gmk",
        "streamwide-period-1540-gmk",
        "streamwide-period-1657-gmk",
        "streamwide-v4-1-gmk",
        "streamwide-v4-2-csk",
        "streamwide-v4-3-pck",
        "streamwide-v5-3-pck",
        "streamwide-v5-4-gmk-legacy",
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[128];
        struct vec z, uid, k, sed, ssv;

        (void)snprintf(path, sizeof path, "mikey-imessages/%s.txt", files[i]);
        z = vec_get(path, NULL, "z");
        uid = vec_get(path, NULL, "responder_uid");
        k = vec_get(path, NULL, "responder_rsk");
        sed = vec_get(path, NULL, "sakke.data");
        ssv = vec_get(path, NULL, "ssv");
        open_and_remake(&z, &uid, &k, &sed, &ssv, forms[i % NUM_FORMS]);
    }
}

static void softil(void **state)
{
    static const char file[] = "mikey-imessages/softil-2-sakke.txt";
    struct vec z = vec_get(file, NULL, "Z");
    struct vec uid = vec_get(file, NULL, "uid");
    struct vec k = vec_get(file, NULL, "rsk");
    struct vec sed = vec_get(file, NULL, "sakke_data");
    struct vec ssv = vec_get(file, NULL, "ssv");

    (void)state;
    open_and_remake(&z, &uid, &k, &sed, &ssv, MCX_SAKKE_TABLES_DEFAULT);
}

static void self_test(void **state)
{
    (void)state;
    assert_int_equal(mcx_sakke_self_test(), MCX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6508_kms), cmocka_unit_test(rfc6508_encap_decap),
        cmocka_unit_test(key_sets),    cmocka_unit_test(third_party_key_sets),
        cmocka_unit_test(i_messages),  cmocka_unit_test(softil),
        cmocka_unit_test(self_test),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
