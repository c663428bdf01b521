/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of the KMS interface: the composed documents of [xml] give the values of [keyset-2], and write back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/kmsdoc.h>

#include "support/vectors.h"

#define FILE_NAME "identities-kms-vectors.txt"

/* Unix seconds of the dates printed in the documents */
#define T_2026_01_01     UINT64_C(1767225600)
#define T_2028_12_31_END UINT64_C(1861919999)
#define T_2026_02_27     UINT64_C(1772150400)
#define T_2026_03_05_END UINT64_C(1772755199)
#define T_NOW            UINT64_C(1772625600)

static struct mcx_kmsdoc *read_vector(const char *name, const uint8_t *trk)
{
    static char text[32768];
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_refusal why = { 0 };

    assert_true(vec_text(text, sizeof text, FILE_NAME, "xml", name));
    if (mcx_kmsdoc_read(&doc, mcx_bytes_str(text), trk, &why) != MCX_OK) {
        fail_msg("%s: %s", name, why.reason == NULL ? "no reason" : why.reason);
    }
    return doc;
}

static void check_head(const struct mcx_kmsdoc *doc, const char *operation)
{
    char url[128] = "https://kms1.mcx.example.net/keymanagement/identity/v1/";

    strcat(url, operation);
    assert_string_equal(doc->user_uri, "sip:unit07@mcx.example.net");
    assert_string_equal(doc->kms_uri, "kms1.mcx.example.net");
    assert_int_equal(doc->time, T_NOW + 1);
    assert_string_equal(doc->kms_id, "kms1-node1");
    assert_string_equal(doc->client_req_url, url);
}

static void check_cert(const struct mcx_kms_cert *cert)
{
    struct vec z = vec_get(FILE_NAME, "kms-rfc", "Z_T");
    struct vec kpak = vec_get(FILE_NAME, "kms-rfc", "KPAK");

    assert_string_equal(cert->issuer, "Example MC operator");
    assert_int_equal(cert->valid_from, T_2026_01_01);
    assert_int_equal(cert->valid_to, T_2028_12_31_END);
    assert_false(cert->revoked);
    assert_int_equal(cert->period.length, 604800);
    assert_int_equal(cert->period.offset, 345600);
    assert_int_equal(z.len, sizeof cert->pub_enc_key);
    assert_memory_equal(cert->pub_enc_key, z.p, z.len);
    assert_int_equal(kpak.len, sizeof cert->pub_auth_key);
    assert_memory_equal(cert->pub_auth_key, kpak.p, kpak.len);
    assert_int_equal(cert->num_domains, 1);
    assert_string_equal(cert->domains[0], "mcx.example.net");
}

static void check_key_set(const struct mcx_kms_key_set *set)
{
    struct vec uid = vec_get(FILE_NAME, "keyset-2", "UID");
    struct vec rsk = vec_get(FILE_NAME, "keyset-2", "RSK");
    struct vec ssk = vec_get(FILE_NAME, "keyset-2", "SSK");
    struct vec pvt = vec_get(FILE_NAME, "keyset-2", "PVT");

    assert_string_equal(set->user_uri, "sip:unit07@mcx.example.net");
    assert_string_equal(set->kms_uri, "kms1.mcx.example.net");
    assert_string_equal(set->cert_uri, "cert1.kms1.mcx.example.net");
    assert_int_equal(set->period_no, 6582);
    assert_int_equal(set->valid_from, T_2026_02_27);
    assert_int_equal(set->valid_to, T_2026_03_05_END);
    assert_false(set->revoked);
    assert_memory_equal(set->uid, uid.p, sizeof set->uid);
    assert_int_equal(rsk.len, sizeof set->rsk);
    assert_memory_equal(set->rsk, rsk.p, rsk.len);
    assert_memory_equal(set->ssk, ssk.p, sizeof set->ssk);
    assert_memory_equal(set->pvt, pvt.p, sizeof set->pvt);
}

static void init(void **state)
{
    struct mcx_kmsdoc *doc = read_vector("init", NULL);

    (void)state;
    assert_int_equal(doc->kind, MCX_KMSDOC_INIT);
    check_head(doc, "init");
    assert_int_equal(doc->num_certs, 1);
    assert_int_equal(doc->certs[0].role, MCX_KMS_ROOT);
    assert_string_equal(doc->certs[0].cert_uri, "cert1.kms1.mcx.example.net");
    assert_string_equal(doc->certs[0].kms_uri, "kms1.mcx.example.net");
    check_cert(&doc->certs[0]);
    mcx_kmsdoc_free(doc);
}

static void key_provisioning(void **state)
{
    static const char *const names[] = { "keyprov", "keyprov_enc", "signed_keyprov_response" };
    struct vec trk = vec_get(FILE_NAME, "trk-wrap", "TrK");

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mcx_kmsdoc *doc = read_vector(names[i], i == 0 ? NULL : trk.p);

        assert_int_equal(doc->kind, MCX_KMSDOC_KEYPROV);
        check_head(doc, "keyprov");
        assert_int_equal(doc->num_key_sets, 1);
        check_key_set(&doc->key_sets[0]);
        mcx_kmsdoc_free(doc);
    }
}

static void certificate_cache(void **state)
{
    struct mcx_kmsdoc *doc = read_vector("certcache", NULL);

    (void)state;
    assert_int_equal(doc->kind, MCX_KMSDOC_CERTCACHE);
    check_head(doc, "certcache");
    assert_int_equal(doc->cache_num, 3);
    assert_int_equal(doc->num_certs, 1);
    assert_int_equal(doc->certs[0].role, MCX_KMS_EXTERNAL);
    assert_string_equal(doc->certs[0].kms_uri, "kms9.partner.example");
    check_cert(&doc->certs[0]);
    mcx_kmsdoc_free(doc);
}

static void error_response(void **state)
{
    struct mcx_kmsdoc *doc = read_vector("error", NULL);

    (void)state;
    assert_int_equal(doc->kind, MCX_KMSDOC_ERROR);
    check_head(doc, "cert/kms7.unknown.example");
    assert_int_equal(doc->error_code, 404);
    assert_string_equal(doc->error_msg, "no certificate held for this KMS URI");
    mcx_kmsdoc_free(doc);
}

static void request(void **state)
{
    static char text[32768];
    struct mcx_kms_request *req = NULL;
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    assert_true(vec_text(text, sizeof text, FILE_NAME, "xml", "req"));
    assert_int_equal(mcx_kms_request_read(&req, mcx_bytes_str(text), NULL), MCX_OK);
    assert_string_equal(req->user_uri, "sip:unit07@mcx.example.net");
    assert_string_equal(req->kms_uri, "kms1.mcx.example.net");
    assert_int_equal(req->time, T_NOW);
    assert_string_equal(req->client_id, "kmc-A1");
    assert_string_equal(req->device_id, "dev-0007");
    assert_string_equal(req->client_req_url, "https://kms1.mcx.example.net/keymanagement/identity/v1/init");
    assert_int_equal(mcx_kms_request_write(&xml, &len, req), MCX_OK);
    assert_string_equal(xml, text); /* the composed documents are in the order and form that we write */
    mcx_kmsdoc_text_free(xml, len);
    mcx_kms_request_free(req);

    req = NULL;
    assert_true(vec_text(text, sizeof text, FILE_NAME, "xml", "signed_request"));
    assert_int_equal(mcx_kms_request_read(&req, mcx_bytes_str(text), NULL), MCX_E_UNSUP);
    assert_null(req);
}

/* What we write is, octet for octet, the composed document; so the parsed forms agree too. */
static void written_again(void **state)
{
    static const char *const names[] = { "init", "keyprov", "certcache", "error" };
    static char text[32768];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct mcx_kmsdoc *doc = read_vector(names[i], NULL);
        char *xml = NULL;
        size_t len = 0;

        assert_true(vec_text(text, sizeof text, FILE_NAME, "xml", names[i]));
        assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_OK);
        assert_string_equal(xml, text);
        mcx_kmsdoc_text_free(xml, len);
        mcx_kmsdoc_free(doc);
    }
}

/* An encrypted answer is written plainly; the same key set comes back. */
static void decrypted_is_written_plainly(void **state)
{
    struct vec trk = vec_get(FILE_NAME, "trk-wrap", "TrK");
    struct mcx_kmsdoc *doc = read_vector("keyprov_enc", trk.p);
    struct mcx_kmsdoc *again = NULL;
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_OK);
    assert_int_equal(mcx_kmsdoc_read(&again, mcx_bytes(xml, len), NULL, NULL), MCX_OK);
    check_key_set(&again->key_sets[0]);
    mcx_kmsdoc_free(again);
    mcx_kmsdoc_text_free(xml, len);
    mcx_kmsdoc_free(doc);
}

static void bare_documents(void **state)
{
    struct mcx_kmsdoc *init_doc = read_vector("init", NULL);
    struct mcx_kmsdoc *keys_doc = read_vector("keyprov", NULL);
    struct mcx_kmsdoc *again = NULL;
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    init_doc->kind = MCX_KMSDOC_BARE_CERT;
    assert_int_equal(mcx_kmsdoc_write(&xml, &len, init_doc), MCX_OK);
    assert_int_equal(mcx_kmsdoc_read(&again, mcx_bytes(xml, len), NULL, NULL), MCX_OK);
    assert_int_equal(again->kind, MCX_KMSDOC_BARE_CERT);
    check_cert(&again->certs[0]);
    mcx_kmsdoc_free(again);
    mcx_kmsdoc_text_free(xml, len);

    again = NULL;
    keys_doc->kind = MCX_KMSDOC_BARE_KEY_SET;
    assert_int_equal(mcx_kmsdoc_write(&xml, &len, keys_doc), MCX_OK);
    assert_int_equal(mcx_kmsdoc_read(&again, mcx_bytes(xml, len), NULL, NULL), MCX_OK);
    assert_int_equal(again->kind, MCX_KMSDOC_BARE_KEY_SET);
    check_key_set(&again->key_sets[0]);
    mcx_kmsdoc_free(again);
    mcx_kmsdoc_text_free(xml, len);
    mcx_kmsdoc_free(init_doc);
    mcx_kmsdoc_free(keys_doc);
}

static void copies_are_deep(void **state)
{
    struct mcx_kmsdoc *doc = read_vector("init", NULL);
    struct mcx_kmsdoc *keys = read_vector("keyprov", NULL);
    struct mcx_kms_cert cert;
    struct mcx_kms_key_set set;

    (void)state;
    assert_int_equal(mcx_kms_cert_copy(&cert, &doc->certs[0]), MCX_OK);
    assert_int_equal(mcx_kms_key_set_copy(&set, &keys->key_sets[0]), MCX_OK);
    mcx_kmsdoc_free(doc);
    mcx_kmsdoc_free(keys);
    check_cert(&cert);
    check_key_set(&set);
    mcx_kms_cert_clear(&cert);
    mcx_kms_key_set_clear(&set);
}

/* [trk-wrap]: both algorithms, points with and without 04, base64 and hex. */
static void wrapped_forms(void **state)
{
    static const struct {
        const char *rsk, *ssk, *pvt;
    } rows[] = { { "RSK_kwp", "SSK_kw", "PVT_kwp" }, { "RSK_x_y_kw", "SSK_kwp", "PVT_x_y_kw" } };
    struct vec trk = vec_get(FILE_NAME, "trk-wrap", "TrK");
    static const char frame[] =
        "<KmsKeySet xmlns='urn:3gpp:ns:mcsecKMSInterface:1.0' xmlns:x='http://www.w3.org/2001/04/xmlenc#'>"
        "<KmsUri>kms1.mcx.example.net</KmsUri><CertUri>cert1.kms1.mcx.example.net</CertUri>"
        "<UserUri>sip:unit07@mcx.example.net</UserUri>"
        "<UserID>fc3d97f79f765c20a5614097892d498da873faff991efb2d747c571afcffa9a4</UserID>"
        "<ValidFrom>2026-02-27T00:00:00</ValidFrom><ValidTo>2026-03-06T00:59:59.5+01:00</ValidTo>"
        "<KeyPeriodNo>6582</KeyPeriodNo>"
        "<UserDecryptKey>%s%s%s</UserDecryptKey><UserSigningKeySSK>%s%s%s</UserSigningKeySSK>"
        "<UserPubTokenPVT>%s%s%s</UserPubTokenPVT></KmsKeySet>";
    static const char head[] = "<x:EncryptedKey><x:EncryptionMethod "
                               "Algorithm='http://www.w3.org/2001/04/xmlenc#kw-aes256'/><x:CipherData><x:CipherValue>";
    static const char tail[] = "</x:CipherValue></x:CipherData></x:EncryptedKey>";

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char rsk[1024];
        char ssk[1024];
        char pvt[1024];
        char text[8192];
        struct mcx_kmsdoc *doc = NULL;
        struct mcx_refusal why = { 0 };

        assert_true(vec_text(rsk, sizeof rsk, FILE_NAME, "trk-wrap", rows[i].rsk));
        assert_true(vec_text(ssk, sizeof ssk, FILE_NAME, "trk-wrap", rows[i].ssk));
        assert_true(vec_text(pvt, sizeof pvt, FILE_NAME, "trk-wrap", rows[i].pvt));
        (void)snprintf(text, sizeof text, frame, head, rsk, tail, head, ssk, tail, head, pvt, tail);
        if (mcx_kmsdoc_read(&doc, mcx_bytes_str(text), trk.p, &why) != MCX_OK) {
            fail_msg("%s", why.reason);
        }
        check_key_set(&doc->key_sets[0]);
        mcx_kmsdoc_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init),
        cmocka_unit_test(key_provisioning),
        cmocka_unit_test(certificate_cache),
        cmocka_unit_test(error_response),
        cmocka_unit_test(request),
        cmocka_unit_test(written_again),
        cmocka_unit_test(decrypted_is_written_plainly),
        cmocka_unit_test(bare_documents),
        cmocka_unit_test(copies_are_deep),
        cmocka_unit_test(wrapped_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
