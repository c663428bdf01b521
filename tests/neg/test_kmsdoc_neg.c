/* SPDX-License-Identifier: Apache-2.0 */
/* KMS documents that are refused, forms that are accepted besides our own, and our schema in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#include <mcx/kmsdoc.h>

#include "support/vectors.h"

#define VECTORS  "identities-kms-vectors.txt"
#define TEXT_MAX 32768

static char text[TEXT_MAX];

static void load(const char *name)
{
    assert_true(vec_text(text, sizeof text, VECTORS, "xml", name));
}

/* Replace the first `from` by `to`; it has to be there. */
static void replace(const char *from, const char *to)
{
    static char changed[TEXT_MAX];
    const char *at = strstr(text, from);

    if (at == NULL) {
        fail_msg("not in the document: %s", from);
    }
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    strcpy(text, changed);
}

static mcx_err read_text(struct mcx_kmsdoc **doc, const uint8_t *trk, struct mcx_refusal *why)
{
    *doc = NULL;
    return mcx_kmsdoc_read(doc, mcx_bytes_str(text), trk, why);
}

struct row {
    const char *document, *from, *to;
    mcx_err want;
};

static void check_rows(const struct row *rows, size_t num, const uint8_t *trk)
{
    for (size_t i = 0; i < num; i++) {
        struct mcx_kmsdoc *doc = NULL;
        struct mcx_refusal why = { 0 };
        mcx_err err;

        load(rows[i].document);
        replace(rows[i].from, rows[i].to);
        err = read_text(&doc, trk, &why);
        if (err != rows[i].want || (err != MCX_OK && (doc != NULL || why.reason == NULL))) {
            fail_msg("%s: %s -> %s: %s, not %s (%s)", rows[i].document, rows[i].from, rows[i].to, mcx_err_name(err),
                     mcx_err_name(rows[i].want), why.reason == NULL ? "" : why.reason);
        }
        mcx_kmsdoc_free(doc);
    }
}

static void refused(void **state)
{
    static const struct row rows[] = {
        /* before anything else */
        { "init", "<KmsResponse", "<!DOCTYPE KmsResponse><KmsResponse", MCX_E_FORMAT },
        { "init", "<KmsResponse", "<!DOCTYPE x [<!ENTITY e \"a\">]><KmsResponse", MCX_E_FORMAT },
        { "init", "Example MC", "&e;", MCX_E_FORMAT },
        { "init", "</KmsMessage>", "", MCX_E_FORMAT },
        { "init", "<KmsMessage>",
          "<x><x><x><x><x><x><x><x><x><x><x><x><x><x><x><x/></x></x></x></x></x></x></x></x></x></x></x></x></x></x></"
          "x>"
          "<KmsMessage>",
          MCX_E_FORMAT },
        /* another document */
        { "init", "urn:3gpp:ns:mcsecKMSInterface:1.0", "urn:example:other", MCX_E_FORMAT },
        { "init", "KmsInit ", "KmsInit2 ", MCX_E_FORMAT },
        /* single-valued elements twice */
        { "init", "<UserUri>", "<UserUri>sip:a@example.org</UserUri><UserUri>", MCX_E_FORMAT },
        { "init", "<KmsMessage>", "<KmsMessage/><KmsMessage>", MCX_E_FORMAT },
        { "init", "<PubEncKey>", "<PubEncKey>04</PubEncKey><PubEncKey>", MCX_E_FORMAT },
        { "init", "<KmsDomainList>", "<KmsDomainList><KmsDomain>a</KmsDomain></KmsDomainList><KmsDomainList>",
          MCX_E_FORMAT },
        { "keyprov", "<KeyPeriodNo>", "<KeyPeriodNo>1</KeyPeriodNo><KeyPeriodNo>", MCX_E_FORMAT },
        { "keyprov", "<UserSigningKeySSK ", "<UserSigningKeySSK>00</UserSigningKeySSK><UserSigningKeySSK ",
          MCX_E_FORMAT },
        /* mandatory elements missing or empty */
        { "init", "<Time>2026-03-04T12:00:01Z</Time>", "", MCX_E_FORMAT },
        { "init", "<UserUri>sip:unit07@mcx.example.net</UserUri>", "", MCX_E_FORMAT },
        { "init", "<UserUri>sip:unit07@mcx.example.net</UserUri>", "<UserUri> </UserUri>", MCX_E_FORMAT },
        { "init", "<UserIdFormat>2</UserIdFormat>", "", MCX_E_FORMAT },
        { "init", "<UserKeyPeriod>604800</UserKeyPeriod>", "", MCX_E_FORMAT },
        { "keyprov", "<KeyPeriodNo>6582</KeyPeriodNo>", "", MCX_E_FORMAT },
        { "keyprov", "<UserID>/D2X9592XCClYUCXiS1Jjahz+v+ZHvstdHxXGvz/qaQ=</UserID>", "", MCX_E_FORMAT },
        { "error", "<ErrorCode>404</ErrorCode>", "", MCX_E_FORMAT },
        { "error", "<KmsError>", "<KmsMessage/><KmsError>", MCX_E_FORMAT },
        /* values */
        { "init", "<Time>2026-03-04T12:00:01Z", "<Time>2026-02-30T12:00:01Z", MCX_E_FORMAT },
        { "init", "<UserIdFormat>2", "<UserIdFormat>1", MCX_E_UNSUP },
        { "init", "<ParameterSet>1", "<ParameterSet>2", MCX_E_UNSUP },
        { "init", "<ParameterSet>1", "<ParameterSet>one", MCX_E_FORMAT },
        { "init", "<UserKeyPeriod>604800", "<UserKeyPeriod>0", MCX_E_FORMAT },
        { "init", "<UserKeyPeriod>604800", "<UserKeyPeriod>-1", MCX_E_FORMAT },
        { "init", "<UserKeyPeriod>604800", "<UserKeyPeriod>99999999999999999999", MCX_E_FORMAT },
        { "init", "<UserKeyOffset>345600", "<UserKeyOffset>604800", MCX_E_FORMAT },
        { "init", "<ValidFrom>2026", "<ValidFrom>2029", MCX_E_FORMAT },
        { "init", "<Revoked>false", "<Revoked>no", MCX_E_FORMAT },
        { "init", "Role=\"Root\"", "Role=\"root\"", MCX_E_FORMAT },
        { "init", "Role=\"Root\"", "Role=\"External\"", MCX_E_FORMAT },
        { "init", "<KmsDomain>mcx.example.net</KmsDomain>", "", MCX_E_FORMAT },
        { "init", "<KmsDomain>mcx.example.net", "<KmsDomain>", MCX_E_FORMAT },
        { "init", "<PubEncKey>04", "<PubEncKey>03", MCX_E_FORMAT },
        { "init", "<PubEncKey>04", "<PubEncKey>0G", MCX_E_FORMAT },
        { "init", "<PubEncKey>0459", "<PubEncKey>0", MCX_E_FORMAT },
        { "init", "<PubAuthKey>04", "<PubAuthKey>0404", MCX_E_FORMAT },
        { "certcache", "CacheNum=\"3\"", "CacheNum=\"three\"", MCX_E_FORMAT },
        { "certcache", "CacheNum=\"3\"", "CacheNum=\"-3\"", MCX_E_FORMAT },
        { "keyprov", "<UserID>/D2X", "<UserID>/D2", MCX_E_FORMAT },
        { "keyprov", "<UserID>/D2X", "<UserID>*D2X", MCX_E_FORMAT },
        { "keyprov", "<KeyPeriodNo>6582", "<KeyPeriodNo>6582x", MCX_E_FORMAT },
        { "keyprov", "<ValidFrom>2026-02-27", "<ValidFrom>2026-03-27", MCX_E_FORMAT },
        { "keyprov", ">84457CAB", ">84457CA", MCX_E_FORMAT },
        { "keyprov", ">84457CAB", ">84457CAX", MCX_E_FORMAT },
        { "keyprov", ">84457CAB",
          ">0100"
          "84457CAB",
          MCX_E_FORMAT },
        { "keyprov", ">84457CAB", "><b/>84457CAB", MCX_E_FORMAT },
        { "keyprov", "<UserPubTokenPVT xsi:type=\"KeyContentType\">04",
          "<UserPubTokenPVT xsi:type=\"KeyContentType\">02", MCX_E_FORMAT },
        { "keyprov", "xsi:type=\"KeyContentType\"", "xsi:type=\"EncKeyContentType\"", MCX_E_FORMAT },
        { "keyprov", "xsi:type=\"KeyContentType\"", "xsi:type=\"Other\"", MCX_E_FORMAT },
        { "error", "<ErrorCode>404", "<ErrorCode>99999999999", MCX_E_FORMAT },
        { "error", "<ErrorCode>404", "<ErrorCode>x", MCX_E_FORMAT },
        { "keyprov_enc", "TaApRp9O", "TaApRp9O", MCX_E_NOKEY }, /* no transport key given */
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0], NULL);
}

static void refused_when_encrypted(void **state)
{
    static const struct row rows[] = {
        { "keyprov_enc", "TaApRp9O", "TaApRp9P", MCX_E_AUTH },
        { "keyprov_enc", "ZX7rcqEr", "ZX7rcqEs", MCX_E_AUTH },
        { "keyprov_enc", "hCpdbmR3", "hCpdbmR4", MCX_E_AUTH },
        { "keyprov_enc", "TaApRp9O", "", MCX_E_AUTH },
        { "keyprov_enc", "TaApRp9OgAdFc9XyQPI8Xe76", "TaApRp9OgAdFc9XyQPI8", MCX_E_AUTH },
        { "keyprov_enc", "#kw-aes256\"", "#kw-aes128\"", MCX_E_UNSUP },
        { "keyprov_enc", "<xenc:CipherValue>TaAp", "<xenc:CipherValue>*aAp", MCX_E_FORMAT },
        { "keyprov_enc", "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#kw-aes256\"/>", "",
          MCX_E_FORMAT },
        { "keyprov_enc", "<UserDecryptKey xsi:type=\"EncKeyContentType\">",
          "<UserDecryptKey xsi:type=\"KeyContentType\">", MCX_E_FORMAT },
        /* SSK where the RSK belongs */
        { "keyprov_enc",
          "<xenc:CipherData><xenc:CipherValue>TaApRp9OgAdFc9XyQPI8Xe76AaMKxGxhoKEL5dXvCD91Cgqlq389qlCpi46Sa2BQ4kb0",
          "<xenc:CipherData><xenc:CipherValue>ZX7rcqEre+/o/lpLIBIJ0sov+igO2hM6XIa8Nfm4ywqNvHTAUT4ioA=="
          "</xenc:CipherValue></xenc:CipherData><xenc:Other><xenc:CipherValue>",
          MCX_E_FORMAT },
    };
    struct vec trk = vec_get(VECTORS, "trk-wrap", "TrK");

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0] - 1, trk.p);
    /* the last row needs its tail mended too */
    load("keyprov_enc");
    replace(rows[9].from, rows[9].to);
    replace("</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></UserDecryptKey>",
            "</xenc:CipherValue></xenc:Other></xenc:EncryptedKey></UserDecryptKey>");
    {
        struct mcx_kmsdoc *doc = NULL;

        assert_int_equal(read_text(&doc, trk.p, NULL), MCX_E_FORMAT);
    }
    /* another transport key */
    trk.p[0] ^= 1;
    load("keyprov_enc");
    {
        struct mcx_kmsdoc *doc = NULL;
        struct mcx_refusal why = { 0 };

        assert_int_equal(read_text(&doc, trk.p, &why), MCX_E_AUTH);
        assert_string_equal(why.reason, "key content is not wrapped under the transport key held");
    }
}

static void mixed_key_set_is_refused(void **state)
{
    struct vec trk = vec_get(VECTORS, "trk-wrap", "TrK");
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_refusal why = { 0 };
    char *from = NULL;
    char *to = NULL;

    (void)state;
    load("keyprov_enc");
    from = strstr(text, "<UserSigningKeySSK");
    to = strstr(text, "</UserSigningKeySSK>");
    memmove(from + 20, to, strlen(to) + 1);
    memcpy(from, "<UserSigningKeySSK >", 20);
    replace("<UserSigningKeySSK >",
            "<UserSigningKeySSK>84457CABA23DC7E08E18B8D982A3B369AC2D12A3E57BF3E39184979895ABF704");
    assert_int_equal(read_text(&doc, trk.p, &why), MCX_E_FORMAT);
    assert_string_equal(why.reason, "a key set mixes plain and encrypted keys");
}

static void rename_element(const char *from, const char *to)
{
    char open[64];
    char close[64];
    char new_open[64];
    char new_close[64];

    (void)snprintf(open, sizeof open, "<%s ", from);
    (void)snprintf(close, sizeof close, "</%s>", from);
    (void)snprintf(new_open, sizeof new_open, "<%s ", to);
    (void)snprintf(new_close, sizeof new_close, "</%s>", to);
    replace(open, new_open);
    replace(close, new_close);
}

/* One of SSK and PVT is missing: broken. Both: a key set that opens and never signs ("kms-open-only"). */
static void without_signing_key(void **state)
{
    static const uint8_t zero[MCX_ECCSI_POINT_LEN];
    struct mcx_kmsdoc *doc = NULL;

    (void)state;
    load("keyprov");
    rename_element("UserPubTokenPVT", "Other");
    assert_int_equal(read_text(&doc, NULL, NULL), MCX_E_FORMAT);
    load("keyprov");
    rename_element("UserSigningKeySSK", "Other");
    assert_int_equal(read_text(&doc, NULL, NULL), MCX_E_FORMAT);
    rename_element("UserPubTokenPVT", "Another");
    assert_int_equal(read_text(&doc, NULL, NULL), MCX_OK);
    assert_true(doc->key_sets[0].open_only);
    assert_memory_equal(doc->key_sets[0].ssk, zero, sizeof doc->key_sets[0].ssk);
    assert_memory_equal(doc->key_sets[0].pvt, zero, sizeof doc->key_sets[0].pvt);
    mcx_kmsdoc_free(doc);
}

static void too_long(void **state)
{
    size_t len = MCX_KMSDOC_MAX + 1;
    char *big = malloc(len);
    struct mcx_kmsdoc *doc = NULL;
    char name[MCX_KMSDOC_URI_MAX + 16];

    (void)state;
    load("init");
    memset(big, ' ', len);
    memcpy(big, text, strlen(text));
    assert_int_equal(mcx_kmsdoc_read(&doc, mcx_bytes(big, len), NULL, NULL), MCX_E_SPACE);
    free(big);

    memset(name, 'a', sizeof name);
    memcpy(name, "<Issuer>", 8);
    name[8 + MCX_KMSDOC_URI_MAX - 1] = '\0';
    replace("<Issuer>Example MC operator", name);
    assert_int_equal(read_text(&doc, NULL, NULL), MCX_OK);
    mcx_kmsdoc_free(doc);
    replace("<Issuer>a", "<Issuer>aa");
    assert_int_equal(read_text(&doc, NULL, NULL), MCX_E_FORMAT);
}

static void every_cut_is_refused(void **state)
{
    static const char *const names[] = { "init", "keyprov", "certcache", "error" };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        load(names[i]);
        for (size_t n = 0; n < strlen(text); n++) {
            struct mcx_kmsdoc *doc = NULL;

            assert_int_equal(mcx_kmsdoc_read(&doc, mcx_bytes(text, n), NULL, NULL), MCX_E_FORMAT);
        }
    }
}

/* What the parsed form of a changed document has to be: that of the document itself, written by us. */
static void same_as_ours(const char *name)
{
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_refusal why = { 0 };
    static char ours[TEXT_MAX];
    char *xml = NULL;
    size_t len = 0;

    if (read_text(&doc, NULL, &why) != MCX_OK) {
        fail_msg("%s: %s", name, why.reason);
    }
    assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_OK);
    assert_true(vec_text(ours, sizeof ours, VECTORS, "xml", name));
    assert_string_equal(xml, ours);
    mcx_kmsdoc_text_free(xml, len);
    mcx_kmsdoc_free(doc);
}

static void accepted_besides_our_own(void **state)
{
    static const struct {
        const char *document, *from, *to;
    } rows[] = {
        { "init", "urn:3gpp:ns:mcsecKMSInterface:1.0", "TOBEDEFINED" },
        { "init", " xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\"", "" },
        { "init", "<UserUri>sip:unit07@mcx.example.net</UserUri><KmsUri>kms1.mcx.example.net</KmsUri>",
          "<KmsUri>kms1.mcx.example.net</KmsUri><UserUri> sip:unit07@mcx.example.net\n</UserUri>" },
        { "init", "Version=\"1.1.0\"", "Version=\"7\" x:y=\"z\" xmlns:x=\"urn:example:x\"" },
        { "init", "<Issuer>", "<!-- c --><Unknown><a/></Unknown><Issuer>" },
        { "init", "<ParameterSet>1</ParameterSet>", "" },
        { "init", "<Revoked>false</Revoked>", "" },
        { "init", "<Revoked>false", "<Revoked>0" },
        { "init", " Role=\"Root\"", "" },
        { "init", "<ValidFrom>2026-01-01T00:00:00Z", "<ValidFrom>2026-01-01T00:00:00" },
        { "init", "<ValidFrom>2026-01-01T00:00:00Z", "<ValidFrom>2026-01-01T02:00:00.25+02:00" },
        { "init", "<PubEncKey>045958EF1B", "<PubEncKey>04 5958ef1B" },
        { "init", "<PubEncKey>045958EF1B", "<PubEncKey>\n5958EF1B" },
        { "init", "<PubAuthKey>0450D467", "<PubAuthKey>50D467" },
        { "init",
          "<PubAuthKey>0450D4670BDE75244F28D2838A0D25558A7A72686D4522D4C8273FB6442AEBFA93DBDD37551AFD263B5DFD617F"
          "3960C65A8C298850FF99F20366DCE7D4367217F4",
          "<PubAuthKey>BFDUZwvedSRPKNKDig0lVYp6cmhtRSLUyCc/tkQq6/qT2903VRr9Jjtd/WF/OWDGWowpiFD/mfIDZtzn1DZyF/Q=" },
        { "keyprov", " xsi:type=\"KeyContentType\"", "" },
        { "keyprov", "xsi:type=\"KeyContentType\"", "xsi:type=\"se:KeyContentType\"" },
        { "keyprov", ">84457CAB", ">000084457CAB" },
        { "keyprov", ">84457CABA23DC7E08E18B8D982A3B369AC2D12A3E57BF3E39184979895ABF704",
          ">hEV8q6I9x+COGLjZgqOzaawtEqPle/PjkYSXmJWr9wQ=" },
        { "keyprov", "<UserPubTokenPVT xsi:type=\"KeyContentType\">04758A", "<UserPubTokenPVT>758A" },
        { "keyprov", "<UserID>/D2X9592XCClYUCXiS1Jjahz+v+ZHvstdHxXGvz/qaQ=",
          "<UserID>FC3D97f79f765c20a5614097892d498da873faff991efb2d747c571afcffa9a4" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        load(rows[i].document);
        replace(rows[i].from, rows[i].to);
        same_as_ours(rows[i].document);
    }
}

static void writer_wants_what_the_schema_wants(void **state)
{
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_kms_request req = { .user_uri = "a", .kms_uri = "b", .time = 1 };
    char *xml = NULL;
    size_t len = 0;
    uint64_t keep;

    (void)state;
    assert_int_equal(mcx_kms_request_write(&xml, &len, &req), MCX_E_ARG);
    load("init");
    assert_int_equal(read_text(&doc, NULL, NULL), MCX_OK);
    keep = doc->time;
    doc->time = 0;
    assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_E_ARG);
    doc->time = keep;
    doc->num_certs = 0;
    assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_E_ARG);
    doc->num_certs = 1;
    doc->certs[0].valid_to = UINT64_MAX;
    assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_E_ARG);
    assert_null(xml);
    mcx_kmsdoc_free(doc);
}

static void quiet(void *ctx, const char *msg, ...)
{
    (void)ctx;
    (void)msg;
}

static bool valid(xmlSchema *schema, const char *xml)
{
    xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET);
    xmlSchemaValidCtxt *ctxt = xmlSchemaNewValidCtxt(schema);
    int rc;

    assert_non_null(doc);
    assert_non_null(ctxt);
    xmlSchemaSetValidErrors(ctxt, quiet, quiet, NULL);
    rc = xmlSchemaValidateDoc(ctxt, doc);
    xmlSchemaFreeValidCtxt(ctxt);
    xmlFreeDoc(doc);
    return rc == 0;
}

/* Composed documents are valid; what we write of them is valid; spoilt ones are not, so that this can fail. */
static void schema_in_both_directions(void **state)
{
    static const char *const names[] = { "req",       "init",  "keyprov",        "keyprov_enc",
                                         "certcache", "error", "signed_request", "signed_keyprov_response" };
    static const struct {
        const char *document, *from, *to;
    } bad[] = {
        { "req", "<Time>", "<Tome>" },
        { "init", "<UserIdFormat>2</UserIdFormat>", "" },
        { "init", "<PubAuthKey>04", "<PubAuthKey>0404" },
        { "keyprov", " xsi:type=\"KeyContentType\"", "" },
        { "keyprov", ">84457C", ">8445XC" },
        { "certcache", "CacheNum=\"3\"", "CacheNum=\"x\"" },
    };
    struct vec trk = vec_get(VECTORS, "trk-wrap", "TrK");
    xmlSchemaParserCtxt *parser = xmlSchemaNewParserCtxt(MCX_SOURCE_DIR "/docs/schema/mcx-kms.xsd");
    xmlSchema *schema = xmlSchemaParse(parser);

    (void)state;
    assert_non_null(schema);
    for (size_t i = 0; i < 8; i++) {
        load(names[i]);
        assert_true(valid(schema, text));
    }
    for (size_t i = 1; i < 6; i++) {
        struct mcx_kmsdoc *doc = NULL;
        char *xml = NULL;
        size_t len = 0;

        load(names[i]);
        assert_int_equal(read_text(&doc, trk.p, NULL), MCX_OK);
        assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_OK);
        assert_true(valid(schema, xml));
        mcx_kmsdoc_text_free(xml, len);
        if (doc->num_certs == 1 || doc->num_key_sets == 1) {
            doc->kind = doc->num_certs == 1 ? MCX_KMSDOC_BARE_CERT : MCX_KMSDOC_BARE_KEY_SET;
            assert_int_equal(mcx_kmsdoc_write(&xml, &len, doc), MCX_OK);
            assert_true(valid(schema, xml));
            mcx_kmsdoc_text_free(xml, len);
        }
        mcx_kmsdoc_free(doc);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        load(bad[i].document);
        replace(bad[i].from, bad[i].to);
        if (strcmp(bad[i].to, "<Tome>") == 0) {
            replace("</Time>", "</Tome>");
        }
        assert_false(valid(schema, text));
    }
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
    xmlSchemaCleanupTypes();
    xmlCleanupParser();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(refused_when_encrypted),
        cmocka_unit_test(mixed_key_set_is_refused),
        cmocka_unit_test(without_signing_key),
        cmocka_unit_test(too_long),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(accepted_besides_our_own),
        cmocka_unit_test(writer_wants_what_the_schema_wants),
        cmocka_unit_test(schema_in_both_directions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
