/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of MCPTT call control: mcptt-info, resource-lists, multipart, Warning, commencement mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <mcx/mcptt.h>

static char buf[16384];

static struct mcx_wr room(void)
{
    return mcx_wr((uint8_t *)buf, sizeof buf);
}

#define HEAD                                                                                                           \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<mcpttinfo xmlns=\"urn:3gpp:ns:mcpttInfo:1.0\">\n  <mcptt-Params>\n"
#define TAIL "  </mcptt-Params>\n</mcpttinfo>\n"

static mcx_err read_info(struct mcx_mcptt_info *info, const char *xml)
{
    struct mcx_refusal why = { "", "" };

    return mcx_mcptt_info_read(info, mcx_bytes_str(xml), &why);
}

static void info_of_the_first_invite(void **state)
{
    static struct mcx_mcptt_info info;

    (void)state;
    assert_int_equal(read_info(&info, HEAD "<session-type>private</session-type>\n<mcptt-client-id type=\"Normal\">"
                                           "<mcpttString>urn:uuid:2f6b8c4e</mcpttString></mcptt-client-id>" TAIL),
                     MCX_OK);
    assert_int_equal(info.session, MCX_SESSION_PRIVATE);
    assert_int_equal(info.client_id.form, MCX_MCPTT_STRING);
    assert_string_equal(info.client_id.text, "urn:uuid:2f6b8c4e");
    assert_int_equal(info.calling_user.form, MCX_MCPTT_ABSENT);
}

static void info_in_any_order_and_with_strangers(void **state)
{
    static struct mcx_mcptt_info info;

    (void)state;
    assert_int_equal(
        read_info(&info, "<x:mcpttinfo xmlns:x='urn:3gpp:ns:mcpttInfo:1.0'><x:mcptt-Params>"
                         "<x:anyExt><x:release-reason>authentication of the MIKEY-SAKE I_MESSAGE failed"
                         "</x:release-reason><x:end-to-end-security>1</x:end-to-end-security><x:new/></x:anyExt>"
                         "<x:later-release a='b'><x:y/></x:later-release>"
                         "<x:emergency-ind type='Normal'><x:mcpttBoolean> true </x:mcpttBoolean></x:emergency-ind>"
                         "<x:mcptt-calling-user-id><x:mcpttURI>\n sip:alice@a.example.org </x:mcpttURI>"
                         "</x:mcptt-calling-user-id><x:mcptt-request-uri>sip:bob@b.example.org</x:mcptt-request-uri>"
                         "<x:session-type>private</x:session-type></x:mcptt-Params></x:mcpttinfo>"),
        MCX_OK);
    assert_int_equal(info.release, MCX_RELEASE_AUTHENTICATION_FAILED);
    assert_int_equal(info.end_to_end_security, MCX_MCPTT_TRUE);
    assert_int_equal(info.emergency, MCX_MCPTT_TRUE);
    assert_string_equal(info.calling_user.text, "sip:alice@a.example.org");
    assert_int_equal(info.request_uri.form, MCX_MCPTT_URI); /* bare text of old clients */
    assert_string_equal(info.request_uri.text, "sip:bob@b.example.org");
}

static void info_refused(void **state)
{
    static const struct {
        const char *name, *xml;
    } rows[] = {
        { "not XML", "v=0\r\n" },
        { "another root", "<resource-lists xmlns='urn:3gpp:ns:mcpttInfo:1.0'/>" },
        { "no namespace", "<mcpttinfo><mcptt-Params/></mcpttinfo>" },
        { "twice", HEAD "<session-type>private</session-type><session-type>chat</session-type>" TAIL },
        { "twice, once in anyExt",
          HEAD "<mcptt-client-id><mcpttString>a</mcpttString></mcptt-client-id><anyExt><mcptt-client-id><mcpttString>a"
               "</mcpttString></mcptt-client-id></anyExt>" TAIL },
        { "boolean", HEAD "<emergency-ind type='Normal'><mcpttBoolean>yes</mcpttBoolean></emergency-ind>" TAIL },
        { "unknown form",
          HEAD "<mcptt-request-uri type='Hidden'><mcpttURI>sip:b@x</mcpttURI></mcptt-request-uri>" TAIL },
        { "DTD", "<!DOCTYPE m [<!ENTITY e 'x'>]>" HEAD "<session-type>&e;</session-type>" TAIL },
        { "children in a string", HEAD "<session-type><b>private</b></session-type>" TAIL },
    };
    static struct mcx_mcptt_info info;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (read_info(&info, rows[i].xml) != MCX_E_FORMAT) {
            fail_msg("%s", rows[i].name);
        }
    }
    memset(buf, 'x', sizeof buf);
    memcpy(buf, HEAD "<mc-org>", strlen(HEAD "<mc-org>"));
    memcpy(buf + 1000, "</mc-org>" TAIL, sizeof "</mc-org>" TAIL);
    assert_int_equal(read_info(&info, buf), MCX_E_FORMAT); /* longer than its field */
}

static void encrypted_values(void **state)
{
    static struct mcx_mcptt_info info;
    struct mcx_wr wr = room();

    (void)state;
    assert_int_equal(read_info(&info,
                               HEAD "<mcptt-calling-user-id type='Encrypted'><e:EncryptedData "
                                    "xmlns:e='http://www.w3.org/2001/04/xmlenc#'/></mcptt-calling-user-id>" TAIL),
                     MCX_OK);
    assert_int_equal(info.calling_user.form, MCX_MCPTT_ENCRYPTED);
    assert_int_equal(mcx_mcptt_info_write(&wr, &info), MCX_E_ARG);
    assert_int_equal(read_info(&info, HEAD "<alert-ind type='Encrypted'><x/></alert-ind>" TAIL), MCX_E_UNSUP);
}

static void info_round_trip_in_schema_order(void **state)
{
    static const char *const order[] = { "mcptt-access-token",
                                         "session-type",
                                         "mcptt-request-uri",
                                         "mcptt-calling-user-id",
                                         "mcptt-called-party-id",
                                         "mcptt-calling-group-id",
                                         "emergency-ind",
                                         "alert-ind",
                                         "imminentperil-ind",
                                         "broadcast-ind",
                                         "mc-org",
                                         "floor-state",
                                         "associated-group-id",
                                         "originated-by",
                                         "mcptt-client-id",
                                         "alert-ind-rcvd",
                                         "anyExt" };
    static struct mcx_mcptt_info in, out;
    struct mcx_wr wr = room();
    const char *at = buf;

    (void)state;
    memset(&in, 0, sizeof in);
    strcpy(in.access_token, "aa.bb.cc");
    in.session = MCX_SESSION_FIRST_TO_ANSWER;
    assert_int_equal(mcx_mcptt_set(&in.request_uri, MCX_MCPTT_URI, mcx_bytes_str("sip:b@x?a=1&b=<2>")), MCX_OK);
    in.calling_user = in.called_party = in.calling_group = in.request_uri;
    in.emergency = in.alert = in.imminent_peril = in.broadcast = in.alert_received = MCX_MCPTT_FALSE;
    strcpy(in.mc_org, "org");
    strcpy(in.floor_state, "floor-taken");
    assert_int_equal(mcx_mcptt_set(&in.associated_group, MCX_MCPTT_URI, mcx_bytes_str("sip:g@x")), MCX_OK);
    in.originated_by = in.client_id = in.request_uri;
    in.release = MCX_RELEASE_NOT_SELECTED;
    in.end_to_end_security = MCX_MCPTT_TRUE;
    assert_int_equal(mcx_mcptt_info_write(&wr, &in), MCX_OK);
    buf[wr.len] = '\0';
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        char tag[64] = "<";

        strcat(tag, order[i]);
        at = strstr(at, tag);
        if (at == NULL) {
            fail_msg("%s missing or out of order", order[i]);
        }
    }
    assert_int_equal(read_info(&out, buf), MCX_OK);
    assert_memory_equal(&in, &out, sizeof in);
}

static void resource_list(void **state)
{
    struct mcx_wr wr = room();
    struct mcx_refusal why;
    char uri[MCX_MCPTT_VALUE_MAX];
    size_t num = 7;

    (void)state;
    assert_int_equal(mcx_resource_list_write(&wr, mcx_bytes_str("sip:bob@mcptt.example.org")), MCX_OK);
    assert_int_equal(mcx_resource_list_read(uri, &num, mcx_wr_done(&wr), &why), MCX_OK);
    assert_int_equal(num, 1);
    assert_string_equal(uri, "sip:bob@mcptt.example.org");
    assert_int_equal(
        mcx_resource_list_read(uri, &num,
                               mcx_bytes_str("<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'>"
                                             "<list><entry uri='a:1'/><list><entry uri='a:2'/></list></list>"
                                             "<list><entry uri='a:3'><display-name>x</display-name></entry>"
                                             "</list></resource-lists>"),
                               &why),
        MCX_OK);
    assert_int_equal(num, 3);
    assert_string_equal(uri, "a:1");
    assert_int_equal(mcx_resource_list_read(uri, &num, mcx_bytes_str("<resource-lists/>"), &why), MCX_E_FORMAT);
}

static void resource_lists_with_many_entries(void **state)
{
    static const char *const paths[] = { "org.openmobilealliance.groups/global/byGroupID/sip%3Ag%40example.org",
                                         "org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Ag%40example.org" };
    const struct mcx_bytes in[] = { mcx_bytes_str(paths[0]), mcx_bytes_str(paths[1]) };
    static struct mcx_bytes many[MCX_RESOURCE_MAX_ENTRIES + 1];
    char out[2][MCX_MCPTT_VALUE_MAX];
    struct mcx_wr wr = room();
    struct mcx_refusal why;
    size_t num = 0;

    (void)state;
    assert_int_equal(mcx_resource_list_write_all(&wr, in, 2), MCX_OK);
    assert_int_equal(mcx_resource_list_read_all(out, &num, 2, mcx_wr_done(&wr), &why), MCX_OK);
    assert_int_equal(num, 2);
    assert_string_equal(out[0], paths[0]);
    assert_string_equal(out[1], paths[1]);
    assert_int_equal(mcx_resource_list_read_all(out, &num, 1, mcx_wr_done(&wr), &why), MCX_E_SPACE);
    assert_int_equal(mcx_resource_list_write_all(&wr, in, 0), MCX_E_ARG);
    assert_int_equal(mcx_resource_list_write_all(&wr, many, MCX_RESOURCE_MAX_ENTRIES + 1), MCX_E_SPACE);
}

static void mkfc_payloads_are_skipped(void **state)
{
    static struct mcx_mcptt_info info;

    (void)state;
    assert_int_equal(read_info(&info, HEAD "<session-type>prearranged</session-type>"
                                           "<MKFC-GKTPs xmlns:k='urn:3gpp:ns:mcpttGKTP:1.0'>"
                                           "<k:GKTP id='sip:a@example.org'>011A</k:GKTP></MKFC-GKTPs>"
                                           "<mcptt-client-id><mcpttString>a</mcpttString></mcptt-client-id>" TAIL),
                     MCX_OK);
    assert_int_equal(info.session, MCX_SESSION_PREARRANGED);
    assert_string_equal(info.client_id.text, "a");
}

#define PIDF                                                                                                           \
    "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:m='urn:3gpp:ns:mcpttPresInfo:1.0' entity='sip:a@example.org'>"
#define TUPLE(groups) "<tuple id='urn:uuid:1'><status>" groups "</status></tuple>"
#define GROUP(n)      "<m:affiliation group='sip:g" n "@example.org'/>"

static mcx_err read_affiliation(struct mcx_affiliation *out, const char *xml)
{
    struct mcx_refusal why = { "", "" };

    return mcx_affiliation_read(out, mcx_bytes_str(xml), &why);
}

static void affiliation_is_read(void **state)
{
    static struct mcx_affiliation a;

    (void)state;
    assert_int_equal(
        read_affiliation(&a, PIDF "<m:p-id> 7a </m:p-id><tuple id='urn:uuid:1'><status><basic>open</basic>" GROUP("1")
                                  "<m:affiliation group='sip:g2@example.org' status='affiliated' "
                                  "expires='2026-03-04T12:00:00Z' client='urn:uuid:1'><m:later/></m:affiliation>"
                                  "</status><contact>sip:a@example.org</contact></tuple><note>x</note></presence>"),
        MCX_OK);
    assert_string_equal(a.mcptt_id, "sip:a@example.org");
    assert_string_equal(a.client_id, "urn:uuid:1");
    assert_string_equal(a.p_id, "7a");
    assert_int_equal(a.num_groups, 2);
    assert_string_equal(a.group[0].group, "sip:g1@example.org");
    assert_int_equal(a.group[0].status, MCX_AFFILIATION_UNSET);
    assert_int_equal(a.group[0].expires, 0);
    assert_int_equal(a.group[1].status, MCX_AFFILIATION_AFFILIATED);
    assert_int_equal(a.group[1].expires, 1772625600);
    assert_int_equal(read_affiliation(&a, PIDF TUPLE("") "</presence>"), MCX_OK); /* leaves all groups */
    assert_int_equal(a.num_groups, 0);
}

static void affiliation_refused(void **state)
{
    static const struct {
        const char *name, *xml;
    } rows[] = {
        { "another root", "<x/>" },
        { "another namespace", "<presence entity='sip:a@example.org'>" TUPLE("") "</presence>" },
        { "no entity", "<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='1'><status/></tuple></presence>" },
        { "no tuple", PIDF "</presence>" },
        { "two tuples", PIDF TUPLE("") TUPLE("") "</presence>" },
        { "no id", PIDF "<tuple><status/></tuple></presence>" },
        { "no status", PIDF "<tuple id='1'/></presence>" },
        { "a group twice", PIDF TUPLE(GROUP("1") GROUP("1")) "</presence>" },
        { "no group", PIDF TUPLE("<m:affiliation/>") "</presence>" },
        { "empty group", PIDF TUPLE("<m:affiliation group=' '/>") "</presence>" },
        { "status", PIDF TUPLE("<m:affiliation group='g' status='maybe'/>") "</presence>" },
        { "time", PIDF TUPLE("<m:affiliation group='g' expires='soon'/>") "</presence>" },
        { "p-id twice", PIDF TUPLE("") "<m:p-id>1</m:p-id><m:p-id>2</m:p-id></presence>" },
    };
    static struct mcx_affiliation a;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (read_affiliation(&a, rows[i].xml) != MCX_E_FORMAT) {
            fail_msg("%s", rows[i].name);
        }
    }
    len = (size_t)snprintf(buf, sizeof buf, PIDF "<tuple id='1'><status>");
    for (unsigned i = 0; i <= MCX_AFFILIATION_MAX; i++) {
        len += (size_t)snprintf(buf + len, sizeof buf - len, "<m:affiliation group='sip:%u@example.org'/>", i);
    }
    snprintf(buf + len, sizeof buf - len, "</status></tuple></presence>");
    assert_int_equal(read_affiliation(&a, buf), MCX_E_SPACE);
    assert_int_equal(a.num_groups, 0);
}

static void affiliation_round_trip(void **state)
{
    static struct mcx_affiliation in, out;
    struct mcx_wr wr = room();
    struct mcx_refusal why;

    (void)state;
    assert_int_equal(mcx_affiliation_write(&wr, &in), MCX_E_ARG);
    strcpy(in.mcptt_id, "sip:a&b@example.org");
    strcpy(in.client_id, "urn:uuid:1");
    strcpy(in.p_id, "p<1>");
    in.num_groups = 2;
    assert_int_equal(mcx_affiliation_write(&wr, &in), MCX_E_ARG); /* groups without a name */
    strcpy(in.group[0].group, "sip:g1@example.org");
    strcpy(in.group[1].group, "sip:g2@example.org");
    in.group[1].status = MCX_AFFILIATION_DEAFFILIATING;
    in.group[1].expires = 1772625600;
    assert_int_equal(mcx_affiliation_write(&wr, &in), MCX_OK);
    assert_int_equal(mcx_affiliation_read(&out, mcx_wr_done(&wr), &why), MCX_OK);
    assert_memory_equal(&in, &out, sizeof in);
    wr = mcx_wr((uint8_t *)buf, 100);
    assert_int_equal(mcx_affiliation_write(&wr, &in), MCX_E_SPACE);
    assert_int_equal(wr.len, 0);
}

#define TYPE "multipart/mixed;boundary=\"b1\""
#define BODY                                                                                                           \
    "preamble\r\n--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\na=--b1\r\n\r\n--b1 \r\n"                          \
    "c: application/vnd.3gpp.mcptt-info+xml\r\nContent-Disposition: render\r\nContent-ID: <1@x>\r\n\r\n<x/>\r\n"       \
    "--b1--\r\nepilogue --b1\r\n"

static void multipart_is_split(void **state)
{
    struct mcx_mime mime;
    struct mcx_refusal why;
    const struct mcx_mime_part *part;

    (void)state;
    assert_int_equal(mcx_mime_read(&mime, mcx_bytes_str(TYPE), mcx_bytes_str(BODY), &why), MCX_OK);
    assert_int_equal(mime.num, 2);
    part = mcx_mime_find(&mime, MCX_TYPE_SDP);
    assert_non_null(part);
    assert_true(mcx_bytes_is(part->body, "v=0\r\na=--b1\r\n"));
    part = mcx_mime_find(&mime, MCX_TYPE_MCPTT_INFO);
    assert_true(mcx_bytes_is(part->body, "<x/>"));
    assert_true(mcx_bytes_is(part->disposition, "render"));
    assert_true(mcx_bytes_is(part->id, "<1@x>"));
    assert_null(mcx_mime_find(&mime, MCX_TYPE_RESOURCE_LISTS));
}

static void multipart_forms(void **state)
{
    static const struct {
        const char *name, *type, *body;
        mcx_err want;
        size_t num;
    } rows[] = {
        { "one bare part", "application/sdp", "v=0\r\n", MCX_OK, 1 },
        { "nothing", "", "", MCX_OK, 0 },
        { "bare LF", "Multipart/Mixed; boundary=b1", "--b1\nContent-Type: a/b\n\nx\n--b1--", MCX_OK, 1 },
        { "spaces around", "multipart/mixed ; x=y ; boundary=\"b1\" ; z", "--b1\r\n\r\nx\r\n--b1--\r\n", MCX_OK, 1 },
        { "empty part", TYPE, "--b1\r\n\r\n--b1--\r\n", MCX_OK, 1 },
        { "no boundary", "multipart/mixed", BODY, MCX_E_FORMAT, 0 },
        { "empty boundary", "multipart/mixed;boundary=\"\"", BODY, MCX_E_FORMAT, 0 },
        { "boundary of 71",
          "multipart/mixed;boundary=aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaab", BODY,
          MCX_E_FORMAT, 0 },
        { "open quote", "multipart/mixed;boundary=\"b1", BODY, MCX_E_FORMAT, 0 },
        { "not closed", TYPE, "--b1\r\nContent-Type: a/b\r\n\r\nx\r\n", MCX_E_FORMAT, 0 },
        { "another boundary", TYPE, "--b2\r\n\r\nx\r\n--b2--\r\n", MCX_E_FORMAT, 0 },
        { "longer boundary is another", TYPE, "--b11\r\n\r\nx\r\n--b11--\r\n", MCX_E_FORMAT, 0 },
        { "closed at once", TYPE, "--b1--\r\n", MCX_E_FORMAT, 0 },
        { "header without colon", TYPE, "--b1\r\nnonsense\r\n\r\nx\r\n--b1--\r\n", MCX_E_FORMAT, 0 },
        { "base64", TYPE, "--b1\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b1--\r\n", MCX_E_UNSUP, 0 },
        { "binary", TYPE, "--b1\r\nContent-Transfer-Encoding: BINARY\r\n\r\nx\r\n--b1--\r\n", MCX_OK, 1 },
        { "nine parts", TYPE, "--b1\n\n--b1\n\n--b1\n\n--b1\n\n--b1\n\n--b1\n\n--b1\n\n--b1\n\n--b1\n\n--b1--\n",
          MCX_E_UNSUP, 0 },
    };
    struct mcx_refusal why;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_mime mime = { .num = 0 };
        mcx_err err = mcx_mime_read(&mime, mcx_bytes_str(rows[i].type), mcx_bytes_str(rows[i].body), &why);

        if (err != rows[i].want || mime.num != rows[i].num) {
            fail_msg("%s: %s, %zu parts", rows[i].name, mcx_err_name(err), mime.num);
        }
    }
}

static void multipart_round_trip_avoids_the_boundary(void **state)
{
    struct mcx_mime in = { .num = 2 };
    struct mcx_mime out;
    struct mcx_wr wr = room();
    struct mcx_refusal why;
    char type[MCX_MIME_TYPE_MAX];

    (void)state;
    in.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str("application/sdp"),
                                         .body = mcx_bytes_str("mcx-part-0\r\n--mcx-part-1") };
    in.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str("a/b"),
                                         .disposition = mcx_bytes_str("recipient-list"),
                                         .body = mcx_bytes_str("") };
    assert_int_equal(mcx_mime_write(&wr, type, &in), MCX_OK);
    assert_string_equal(type, "multipart/mixed;boundary=\"mcx-part-2\"");
    assert_int_equal(mcx_mime_read(&out, mcx_bytes_str(type), mcx_wr_done(&wr), &why), MCX_OK);
    assert_int_equal(out.num, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(mcx_bytes_equal(in.part[i].body, out.part[i].body));
        assert_true(mcx_bytes_equal(in.part[i].type, out.part[i].type));
        assert_true(mcx_bytes_equal(in.part[i].disposition, out.part[i].disposition));
    }
    wr = mcx_wr((uint8_t *)buf, 40);
    assert_int_equal(mcx_mime_write(&wr, type, &in), MCX_E_SPACE);
    assert_int_equal(wr.len, 0);
}

/* Each boundary tried costs a pass over the parts: a body full of them is refused, not searched for ever longer. */
static void multipart_gives_up_on_boundaries(void **state)
{
    static char body[16 * 500];
    struct mcx_mime in = { .num = 2 };
    struct mcx_wr wr = room();
    char type[MCX_MIME_TYPE_MAX];
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        n += (size_t)snprintf(body + n, sizeof body - n, "mcx-part-%u\n", i);
    }
    in.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str("a/b"), .body = mcx_bytes(body, n) };
    in.part[1] = (struct mcx_mime_part){ .type = mcx_bytes_str("a/c"), .body = mcx_bytes_str("") };
    assert_int_equal(mcx_mime_write(&wr, type, &in), MCX_E_ARG);
    assert_int_equal(wr.len, 0);
}

static void warnings(void **state)
{
    char line[160];
    struct mcx_bytes text;
    unsigned code = 0;

    (void)state;
    assert_int_equal(
        mcx_warning_write(line, sizeof line, "client7.example.org", MCX_WARN_IMESSAGE_AUTHENTICATION, NULL), MCX_OK);
    assert_string_equal(
        line, "Warning: 399 client7.example.org \"136 authentication of the MIKEY-SAKE I_MESSAGE failed\"\r\n");
    assert_int_equal(mcx_warning_read(&code, &text, mcx_bytes(line + 9, strlen(line) - 11)), MCX_OK);
    assert_int_equal(code, 136);
    assert_true(mcx_bytes_is(text, "authentication of the MIKEY-SAKE I_MESSAGE failed"));
    assert_int_equal(mcx_warning_read(&code, &text, mcx_bytes_str("399 \"no number\"")), MCX_OK);
    assert_int_equal(code, 0);
    assert_int_equal(mcx_warning_read(&code, &text, mcx_bytes_str("399 x 110 y")), MCX_E_FORMAT);
    assert_int_equal(mcx_warning_read(&code, &text, mcx_bytes_str("399 x \"")), MCX_E_FORMAT);
    assert_int_equal(mcx_warning_write(line, sizeof line, "a", MCX_WARN_FUNCTION_NOT_ALLOWED, "x\"y"), MCX_E_ARG);
    assert_int_equal(mcx_warning_write(line, sizeof line, "a", (enum mcx_warning)135, NULL), MCX_E_ARG);
    assert_int_equal(mcx_warning_write(line, 30, "a", MCX_WARN_USER_DECLINED, NULL), MCX_E_SPACE);
}

static void answer_modes(void **state)
{
    enum mcx_answer_mode mode = MCX_ANSWER_UNSET;

    (void)state;
    assert_int_equal(mcx_answer_mode_read(&mode, mcx_bytes_str("Auto")), MCX_OK);
    assert_int_equal(mode, MCX_ANSWER_AUTO);
    assert_int_equal(mcx_answer_mode_read(&mode, mcx_bytes_str(" manual ;require")), MCX_OK);
    assert_int_equal(mode, MCX_ANSWER_MANUAL);
    assert_int_equal(mcx_answer_mode_read(&mode, mcx_bytes_str("Automatic")), MCX_OK);
    assert_int_equal(mode, MCX_ANSWER_AUTO);
    assert_int_equal(mcx_answer_mode_read(&mode, mcx_bytes_str("")), MCX_E_FORMAT);
    assert_int_equal(mcx_answer_mode_read(&mode, mcx_bytes_str("autoo")), MCX_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_of_the_first_invite),
        cmocka_unit_test(info_in_any_order_and_with_strangers),
        cmocka_unit_test(info_refused),
        cmocka_unit_test(encrypted_values),
        cmocka_unit_test(info_round_trip_in_schema_order),
        cmocka_unit_test(resource_list),
        cmocka_unit_test(resource_lists_with_many_entries),
        cmocka_unit_test(mkfc_payloads_are_skipped),
        cmocka_unit_test(affiliation_is_read),
        cmocka_unit_test(affiliation_refused),
        cmocka_unit_test(affiliation_round_trip),
        cmocka_unit_test(multipart_is_split),
        cmocka_unit_test(multipart_forms),
        cmocka_unit_test(multipart_round_trip_avoids_the_boundary),
        cmocka_unit_test(multipart_gives_up_on_boundaries),
        cmocka_unit_test(warnings),
        cmocka_unit_test(answer_modes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
