/* SPDX-License-Identifier: Apache-2.0 */
/* The XML layer: what is refused before anything is looked at, walking, and writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "codec/xml/xml.h"

static mcx_err read_str(struct mcx_xml **out, const char *text)
{
    return mcx_xml_read(out, mcx_bytes_str(text), NULL);
}

static void refused_documents(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        { "empty", "" },
        { "no element", "<?xml version=\"1.0\"?>" },
        { "doctype", "<!DOCTYPE a><a/>" },
        { "internal entity", "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>" },
        { "external entity", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>" },
        { "parameter entity", "<!DOCTYPE a [<!ENTITY % e SYSTEM \"http://192.0.2.1/x\">%e;]><a/>" },
        { "undeclared entity", "<a>&e;</a>" },
        { "unclosed", "<a><b></a>" },
        { "second root", "<a/><b/>" },
        { "text after root", "<a/>x" },
        { "attribute twice", "<a x='1' x='2'/>" },
        { "unbound prefix", "<p:a/>" },
        { "control character", "<a>\x01</a>" },
        { "control character by reference", "<a>&#1;</a>" },
        { "not UTF-8", "<a>\xff</a>" },
        { "other encoding", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>x</a>" },
        { "UTF-7", "<?xml version=\"1.0\" encoding=\"UTF-7\"?><a>x</a>" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_xml *doc = NULL;
        struct mcx_refusal why = { 0 };

        if (mcx_xml_read(&doc, mcx_bytes_str(rows[i].text), &why) != MCX_E_FORMAT || doc != NULL ||
            why.reason == NULL) {
            fail_msg("accepted: %s", rows[i].name);
        }
    }
}

static void doctype_is_named(void **state)
{
    struct mcx_xml *doc = NULL;
    struct mcx_refusal why = { 0 };

    (void)state;
    assert_int_equal(mcx_xml_read(&doc, mcx_bytes_str("<!DOCTYPE a><a/>"), &why), MCX_E_FORMAT);
    assert_string_equal(why.reason, "XML with a DOCTYPE");
}

static mcx_err read_nested(size_t depth)
{
    char text[512] = "";
    struct mcx_xml *doc = NULL;
    mcx_err err;

    for (size_t i = 0; i < depth; i++) {
        strcat(text, "<a>");
    }
    for (size_t i = 0; i < depth; i++) {
        strcat(text, "</a>");
    }
    err = read_str(&doc, text);
    mcx_xml_free(doc);
    return err;
}

static void bounds(void **state)
{
    size_t len = MCX_XML_MAX + 1;
    char *big = malloc(len);
    struct mcx_xml *doc = NULL;

    (void)state;
    assert_int_equal(read_nested(MCX_XML_MAX_DEPTH), MCX_OK);
    assert_int_equal(read_nested(MCX_XML_MAX_DEPTH + 1), MCX_E_FORMAT);

    memset(big, ' ', len);
    memcpy(big, "<a/>", 4);
    assert_int_equal(mcx_xml_read(&doc, mcx_bytes(big, len), NULL), MCX_E_SPACE);
    assert_int_equal(mcx_xml_read(&doc, mcx_bytes(big, len - 1), NULL), MCX_OK);
    mcx_xml_free(doc);

    doc = NULL;
    memcpy(big, "<a>", 3);
    for (size_t i = 0; i < MCX_XML_MAX_NODES; i++) { /* with the root: one too many */
        memcpy(big + 3 + 4 * i, "<b/>", 4);
    }
    memcpy(big + 3 + (size_t)4 * MCX_XML_MAX_NODES, "</a>", 4);
    assert_int_equal(mcx_xml_read(&doc, mcx_bytes(big, len - 1), NULL), MCX_E_FORMAT);
    free(big);
}

/* A caller with long lists names his own bound, for reading and for writing. */
static void other_bounds(void **state)
{
    static const char small[] = "<a><b/><b/><b/></a>"; /* 4 elements: 128 octets of bound */
    size_t len = MCX_XML_MAX + 1;
    char *big = malloc(len);
    struct mcx_xml *doc = NULL;
    struct mcx_xml_wr wr = { .max = 4 };
    char *text = NULL;

    (void)state;
    memset(big, ' ', len);
    memcpy(big, "<a/>", 4);
    assert_int_equal(mcx_xml_read_max(&doc, mcx_bytes(big, len), len, NULL), MCX_OK);
    mcx_xml_free(doc);
    free(big);
    doc = NULL;
    assert_int_equal(mcx_xml_read_max(&doc, mcx_bytes_str(small), sizeof small - 2, NULL), MCX_E_SPACE);
    assert_int_equal(mcx_xml_read_max(&doc, mcx_bytes_str(small), 127, NULL), MCX_E_FORMAT);
    assert_int_equal(mcx_xml_read_max(&doc, mcx_bytes_str(small), 128, NULL), MCX_OK);
    mcx_xml_free(doc);
    mcx_xml_wr_open(&wr, "a");
    mcx_xml_wr_close(&wr);
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_OK);
    mcx_xml_text_free(text, len);
    wr = (struct mcx_xml_wr){ .max = 4 };
    mcx_xml_wr_open(&wr, "ab");
    mcx_xml_wr_close(&wr);
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_E_SPACE);
}

static void every_cut_is_refused(void **state)
{
    static const char text[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a x=\"1\"><b>t&amp;u</b><!-- c --></a>";

    (void)state;
    for (size_t n = 0; n < sizeof text - 1; n++) {
        struct mcx_xml *doc = NULL;

        assert_int_equal(mcx_xml_read(&doc, mcx_bytes(text, n), NULL), MCX_E_FORMAT);
    }
}

static void walking(void **state)
{
    static const char *const uri[] = { "urn:a", "" };
    const struct mcx_xml_ns ns = { uri, 2 };
    const struct mcx_xml_ns any = { NULL, 0 };
    const struct mcx_xml_node *n = NULL;
    struct mcx_xml *doc = NULL;
    struct mcx_bytes v;

    (void)state;
    assert_int_equal(read_str(&doc, "<r xmlns='urn:a' xmlns:p='urn:p' p:k='v&lt;' k='w'>\n <one> a&amp;b<!-- c -->c"
                                    "<![CDATA[<d>]]>&#65; </one><two/><two/><p:one>q</p:one><n xmlns=''>"
                                    "x<m/></n></r>"),
                     MCX_OK);
    assert_true(mcx_xml_is(mcx_xml_root(doc), ns, "r"));
    assert_int_equal(mcx_xml_child(&n, mcx_xml_root(doc), ns, "one"), MCX_OK);
    assert_int_equal(mcx_xml_text(&v, n), MCX_OK);
    assert_true(mcx_bytes_is(v, " a&bc<d>A "));
    assert_int_equal(mcx_xml_child(&n, mcx_xml_root(doc), any, "one"), MCX_E_FORMAT);
    assert_int_equal(mcx_xml_child(&n, mcx_xml_root(doc), ns, "two"), MCX_E_FORMAT);
    assert_int_equal(mcx_xml_child(&n, mcx_xml_root(doc), ns, "three"), MCX_OK);
    assert_null(n);
    n = mcx_xml_first_of(mcx_xml_root(doc), ns, "two");
    assert_non_null(n);
    assert_int_equal(mcx_xml_text(&v, n), MCX_OK);
    assert_int_equal(v.len, 0);
    n = mcx_xml_next_of(n, ns, "two");
    assert_non_null(n);
    assert_null(mcx_xml_next_of(n, ns, "two"));
    assert_int_equal(mcx_xml_child(&n, mcx_xml_root(doc), ns, "n"), MCX_OK);
    assert_string_equal(mcx_xml_uri(n), "");
    assert_int_equal(mcx_xml_text(&v, n), MCX_E_FORMAT);
    assert_true(mcx_xml_attr(&v, mcx_xml_root(doc), "urn:p", "k"));
    assert_true(mcx_bytes_is(v, "v<"));
    assert_true(mcx_xml_attr(&v, mcx_xml_root(doc), "", "k"));
    assert_true(mcx_bytes_is(v, "w"));
    assert_false(mcx_xml_attr(&v, mcx_xml_root(doc), "urn:a", "k"));
    mcx_xml_free(doc);
}

static void written_text_reads_back(void **state)
{
    static const char value[] = " <&>\"'\r\n\t\xc3\xa9\xf0\x9f\x94\x91 ]]> ";
    struct mcx_xml_wr wr = { 0 };
    struct mcx_xml *doc = NULL;
    struct mcx_bytes v;
    char *text = NULL;
    size_t len = 0;

    (void)state;
    mcx_xml_wr_open(&wr, "a");
    mcx_xml_wr_attr(&wr, "k", value);
    mcx_xml_wr_text(&wr, mcx_bytes_str(value));
    mcx_xml_wr_close(&wr);
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_OK);
    assert_int_equal(strlen(text), len);
    assert_int_equal(mcx_xml_read(&doc, mcx_bytes(text, len), NULL), MCX_OK);
    assert_int_equal(mcx_xml_text(&v, mcx_xml_root(doc)), MCX_OK);
    assert_true(mcx_bytes_is(v, value));
    assert_true(mcx_xml_attr(&v, mcx_xml_root(doc), "", "k"));
    assert_true(mcx_bytes_is(v, value));
    mcx_xml_free(doc);
    mcx_xml_text_free(text, len);
}

static void written_elements(void **state)
{
    static const uint8_t octets[] = { 0x00, 0xab, 0xff };
    struct mcx_xml_wr wr = { 0 };
    char *text = NULL;
    size_t len = 0;

    (void)state;
    mcx_xml_wr_open(&wr, "a");
    mcx_xml_wr_elem(&wr, "none", NULL);
    mcx_xml_wr_elem_u64(&wr, "n", UINT64_MAX);
    mcx_xml_wr_open(&wr, "h");
    mcx_xml_wr_hex(&wr, mcx_bytes(octets, 3));
    mcx_xml_wr_close(&wr);
    mcx_xml_wr_open(&wr, "b");
    mcx_xml_wr_base64(&wr, mcx_bytes(octets, 3));
    mcx_xml_wr_close(&wr);
    mcx_xml_wr_raw(&wr, mcx_bytes_str("<raw/>"));
    mcx_xml_wr_open(&wr, "e");
    mcx_xml_wr_close(&wr);
    mcx_xml_wr_close(&wr);
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_OK);
    assert_string_equal(text, "<a><n>18446744073709551615</n><h>00ABFF</h><b>AKv/</b><raw/><e/></a>");
    mcx_xml_text_free(text, len);
}

static void writer_refuses(void **state)
{
    struct mcx_xml_wr wr = { 0 };
    char *text = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_E_STATE);
    mcx_xml_wr_open(&wr, "a");
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_E_STATE);
    mcx_xml_wr_elem(&wr, "a", "\x01");
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_E_ARG);
    mcx_xml_wr_elem(&wr, "a", "\xc0\x80");
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_E_ARG);
    mcx_xml_wr_close(&wr);
    assert_int_equal(mcx_xml_wr_done(&text, &len, &wr), MCX_E_BUG);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_documents),
        cmocka_unit_test(doctype_is_named),
        cmocka_unit_test(bounds),
        cmocka_unit_test(other_bounds),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(walking),
        cmocka_unit_test(written_text_reads_back),
        cmocka_unit_test(written_elements),
        cmocka_unit_test(writer_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
