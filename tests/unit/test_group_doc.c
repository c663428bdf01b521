/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of group management: what is written reads back, and what other people write is read (TS 24.481 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/group_doc.h>

#define GROUP "sip:group1@example.org"
#define TEMP  "sip:tmp7@example.org"
#define ALICE "sip:alice@example.org"
#define LONG  10000

/* ---- the group document ---- */

struct members {
    size_t num;
    size_t at;
    char id[64];
    char last[64];
    char name[64];
    unsigned priority;
    bool receive_only;
    mcx_err answer;
};

static bool next_member(void *arg, struct mcx_group_member *member)
{
    struct members *m = arg;

    if (m->at == m->num) {
        return false;
    }
    (void)snprintf(m->id, sizeof m->id, "sip:user%05zu@example.org", m->at++);
    *member = (struct mcx_group_member){ .mcptt_id = m->id,
                                         .display_name = m->at % 2 == 0 ? "Jo & <Co>" : "",
                                         .priority = (uint8_t)(m->at % 8),
                                         .receive_only = m->at % 3 == 0 };
    return true;
}

static mcx_err take_member(void *arg, const struct mcx_group_member *member)
{
    struct members *m = arg;

    m->num++;
    (void)snprintf(m->last, sizeof m->last, "%s", member->mcptt_id);
    (void)snprintf(m->name, sizeof m->name, "%s", member->display_name);
    m->priority = member->priority;
    m->receive_only = member->receive_only;
    return m->answer;
}

static void group_reads_back(void **state)
{
    const struct mcx_group_head head = { .uri = GROUP,
                                         .display_name = "Fire \"East\" & Co",
                                         .kind = MCX_GROUP_PREARRANGED,
                                         .protect_media = true,
                                         .protect_floor = false,
                                         .multicast_floor = true,
                                         .max_participants = 12,
                                         .hang_s = 45,
                                         .priority = 7,
                                         .temporary = TEMP,
                                         .requestor = ALICE };
    const char *const parts[] = { GROUP, "sip:group2@example.org" };
    struct members give = { .num = 6 };
    struct members got = { 0 };
    const struct mcx_group_doc_params params = { &head, next_member, &give, parts, 2 };
    struct mcx_group_head back;
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_group_doc_write(&xml, &len, &params), MCX_OK);
    assert_non_null(strstr(xml, "<mcpttgi:constituent-MCPTT-group-ID>sip:group2@example.org<"));
    assert_int_equal(mcx_group_doc_read(&back, mcx_bytes(xml, len), take_member, &got, NULL), MCX_OK);
    assert_memory_equal(&back, &head, sizeof head);
    assert_int_equal(got.num, 6);
    assert_string_equal(got.last, "sip:user00005@example.org");
    assert_string_equal(got.name, "Jo & <Co>");
    assert_int_equal(got.priority, 6);
    assert_true(got.receive_only);
    free(xml);
}

static void long_group(void **state)
{
    const struct mcx_group_head head = {
        .uri = GROUP, .kind = MCX_GROUP_CHAT, .protect_media = true, .protect_floor = true
    };
    struct members give = { .num = LONG };
    struct members got = { 0 };
    const struct mcx_group_doc_params params = { .head = &head, .next = next_member, .arg = &give };
    struct mcx_group_head back;
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_group_doc_write(&xml, &len, &params), MCX_OK);
    assert_int_equal(mcx_group_doc_read(&back, mcx_bytes(xml, len), take_member, &got, NULL), MCX_OK);
    assert_int_equal(got.num, LONG);
    assert_int_equal(back.kind, MCX_GROUP_CHAT);
    free(xml);
}

/* on-network-hang-timer, an xs:duration: T4 of floor control (TS 24.380 11.1.3). */
static void hang_timer(void **state)
{
    static const struct {
        const char *text;
        uint32_t want; /* 0 = refused */
    } cases[] = {
        { "PT30S", 30 },
        { " PT1M30S ", 90 },
        { "PT1H", 3600 },
        { "P1D", 86400 },
        { "P0DT5S", 5 },
        { "PT2.75S", 2 },
        { "PT0S", UINT32_MAX },
        { "PT0.4S", UINT32_MAX },
        { "PT86400S", 86400 },
        { "PT86401S", 0 },
        { "P1DT1S", 0 },
        { "", 0 },
        { "P", 0 },
        { "PT", 0 },
        { "P1DT", 0 },
        { "30", 0 },
        { "T30S", 0 },
        { "PT30", 0 },
        { "PTS", 0 },
        { "P30S", 0 },
        { "PT1D", 0 },
        { "PT5S5S", 0 },
        { "PT5S1M", 0 },
        { "P1M", 0 },
        { "P1Y", 0 },
        { "-PT5S", 0 },
        { "PT-5S", 0 },
        { "PT.5S", 0 },
        { "PT5.S", 0 },
        { "PT1.5M", 0 },
        { "PT5s", 0 },
        { "PT5S ;", 0 },
        { "P T5S", 0 },
        { "PT99999999999999999999S", 0 },
        { "PTT5S", 0 },
    };
    char xml[2048];
    struct mcx_group_head head;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mcx_err err = MCX_OK;

        (void)snprintf(xml, sizeof xml,
                       "<group xmlns='urn:oma:xml:poc:list-service' xmlns:x='urn:oma:xml:xdm:extensions' "
                       "xmlns:m='urn:3gpp:ns:mcpttGroupInfo:1.0'><list-service uri='sip:group1@example.org'>"
                       "<list/><x:supported-services><x:service enabler='urn:urn-7:3gpp-service.ims.icsi.mcptt'>"
                       "<x:group-media><m:mcptt-speech/></x:group-media></x:service></x:supported-services>"
                       "<m:on-network-hang-timer>%s</m:on-network-hang-timer></list-service></group>",
                       cases[i].text);
        err = mcx_group_doc_read(&head, mcx_bytes_str(xml), NULL, NULL, NULL);
        if (err != (cases[i].want == 0 ? MCX_E_FORMAT : MCX_OK) || (err == MCX_OK && head.hang_s != cases[i].want)) {
            fail_msg("%s: %s, %u", cases[i].text, mcx_err_name(err), (unsigned)head.hang_s);
        }
    }
}

/* Other prefixes, another order, elements of OMA and of nobody: as other people's servers write it. */
static void foreign_group(void **state)
{
    static const char xml[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<o:group xmlns:o='urn:oma:xml:poc:list-service' xmlns:r='urn:ietf:params:xml:ns:resource-lists'\n"
        "  xmlns:x='urn:oma:xml:xdm:extensions' xmlns:m='urn:3gpp:ns:mcpttGroupInfo:1.0' xmlns:z='urn:z'>\n"
        " <o:list-service z:k='1' uri=' sip:group1@example.org '>\n"
        "  <m:protect-media> 0 </m:protect-media><z:more><z:deep/></z:more>\n"
        "  <x:supported-services>\n"
        "   <x:service enabler='urn:urn-7:3gpp-service.ims.icsi.mcdata.sds'/>\n"
        "   <x:service enabler='urn:urn-7:3gpp-service.ims.icsi.mcptt'><x:group-media><m:mcptt-speech/></x:group-media>"
        "</x:service></x:supported-services>\n"
        "  <o:max-participant-count>4</o:max-participant-count><o:invite-members>1</o:invite-members>\n"
        "  <o:list><o:entry uri='tel:+15551234'><r:display-name>Unit 7</r:display-name><m:on-network-recvonly/>"
        "<m:user-priority>255</m:user-priority><m:participant-type>x</m:participant-type></o:entry>"
        "<o:external anchor='http://192.0.2.1/'/></o:list>\n"
        "  <o:display-name xml:lang='en-us'>East</o:display-name><o:display-name xml:lang='fr'>Est</o:display-name>\n"
        " </o:list-service></o:group>\n";
    struct members got = { 0 };
    struct mcx_group_head head;

    (void)state;
    assert_int_equal(mcx_group_doc_read(&head, mcx_bytes_str(xml), take_member, &got, NULL), MCX_OK);
    assert_string_equal(head.uri, GROUP);
    assert_string_equal(head.display_name, "East");
    assert_int_equal(head.kind, MCX_GROUP_PREARRANGED);
    assert_int_equal(head.max_participants, 4);
    assert_int_equal(head.hang_s, 0);
    assert_false(head.protect_media);
    assert_true(head.protect_floor); /* absent means true */
    assert_false(head.multicast_floor);
    assert_string_equal(head.temporary, "");
    assert_int_equal(got.num, 1);
    assert_string_equal(got.last, "tel:+15551234");
    assert_string_equal(got.name, "Unit 7");
    assert_int_equal(got.priority, 255);
    assert_true(got.receive_only);
    assert_int_equal(mcx_group_doc_read(&head, mcx_bytes_str(xml), NULL, NULL, NULL), MCX_OK);
    got.answer = MCX_E_POLICY;
    assert_int_equal(mcx_group_doc_read(&head, mcx_bytes_str(xml), take_member, &got, NULL), MCX_E_POLICY);
}

/* ---- the GKTP document ---- */

struct payloads {
    const struct mcx_gktp *list;
    size_t num;
    size_t at;
    mcx_err answer;
    struct {
        enum mcx_gktp_kind kind;
        char id[64];
        char temporary[64];
        uint64_t activation;
        size_t len;
        uint8_t first;
    } got[16];
};

static bool next_payload(void *arg, struct mcx_gktp *gktp)
{
    struct payloads *p = arg;

    if (p->at == p->num) {
        return false;
    }
    *gktp = p->list[p->at++];
    return true;
}

static mcx_err take_payload(void *arg, const struct mcx_gktp *gktp)
{
    struct payloads *p = arg;

    if (p->at < sizeof p->got / sizeof p->got[0]) {
        p->got[p->at].kind = gktp->kind;
        (void)snprintf(p->got[p->at].id, sizeof p->got[0].id, "%s", gktp->id);
        (void)snprintf(p->got[p->at].temporary, sizeof p->got[0].temporary, "%s", gktp->temporary);
        p->got[p->at].activation = gktp->activation;
        p->got[p->at].len = gktp->message.len;
        p->got[p->at].first = gktp->message.len > 0 ? gktp->message.p[0] : 0;
    }
    p->at++;
    return p->answer;
}

static void payloads_read_back(void **state)
{
    static const uint8_t octets[] = { 0x01, 0x1a, 0x05, 0xff };
    const struct mcx_bytes message = { octets, sizeof octets };
    const struct mcx_gktp list[] = {
        { MCX_GKTP_GMK, ALICE, "", UINT64_C(1772625600), message },
        { MCX_GKTP_GMK, "sip:bob@example.org", NULL, 0, message },
        { MCX_GKTP_GMK, ALICE, TEMP, 0, message },
        { MCX_GKTP_GMK, ALICE, "sip:tmp8@example.org", 0, message },
        { MCX_GKTP_MKFC, ALICE, "", 0, message },
        { MCX_GKTP_MKFC, ALICE, TEMP, 0, message },
    };
    struct payloads give = { .list = list, .num = sizeof list / sizeof list[0] };
    struct payloads got = { 0 };
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_gktp_write(&xml, &len, next_payload, &give), MCX_OK);
    assert_non_null(strstr(xml, "activationtime=\"2026-03-04T12:00:00Z\">011A05FF<"));
    assert_int_equal(mcx_gktp_read(mcx_bytes(xml, len), take_payload, &got, NULL), MCX_OK);
    assert_int_equal(got.at, give.num);
    for (size_t i = 0; i < give.num; i++) {
        assert_int_equal(got.got[i].kind, list[i].kind);
        assert_string_equal(got.got[i].id, list[i].id);
        assert_string_equal(got.got[i].temporary, list[i].temporary == NULL ? "" : list[i].temporary);
        assert_true(got.got[i].activation == list[i].activation);
        assert_int_equal(got.got[i].len, sizeof octets);
    }
    free(xml);
}

static void no_payload(void **state)
{
    struct payloads none = { 0 };
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(mcx_gktp_write(&xml, &len, next_payload, &none), MCX_OK);
    assert_int_equal(mcx_gktp_read(mcx_bytes(xml, len), take_payload, &none, NULL), MCX_OK);
    assert_int_equal(none.at, 0);
    free(xml);
}

static void payloads_are_written_grouped(void **state)
{
    static const uint8_t octets[] = { 1 };
    static const struct {
        const char *name;
        struct mcx_gktp list[3];
    } rows[] = {
        { "own after temporary",
          { { MCX_GKTP_GMK, ALICE, TEMP, 0, { octets, 1 } }, { MCX_GKTP_GMK, ALICE, "", 0, { octets, 1 } } } },
        { "GMK after MKFC",
          { { MCX_GKTP_MKFC, ALICE, "", 0, { octets, 1 } }, { MCX_GKTP_GMK, ALICE, "", 0, { octets, 1 } } } },
        { "no id", { { MCX_GKTP_GMK, ALICE, "", 0, { octets, 1 } }, { MCX_GKTP_GMK, "", "", 0, { octets, 1 } } } },
        { "no message",
          { { MCX_GKTP_GMK, ALICE, "", 0, { octets, 1 } }, { MCX_GKTP_GMK, ALICE, "", 0, { NULL, 0 } } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct payloads give = { .list = rows[i].list, .num = 2 };
        char *xml = NULL;
        size_t len = 0;

        if (mcx_gktp_write(&xml, &len, next_payload, &give) != MCX_E_ARG || xml != NULL) {
            fail_msg("written: %s", rows[i].name);
        }
    }
}

struct many {
    size_t at;
    uint8_t octets[800]; /* about what an I_MESSAGE of a GMK has */
    char id[64];
};

static bool next_of_many(void *arg, struct mcx_gktp *gktp)
{
    struct many *m = arg;

    if (m->at == LONG) {
        return false;
    }
    (void)snprintf(m->id, sizeof m->id, "sip:user%05zu@example.org", m->at++);
    *gktp = (struct mcx_gktp){ MCX_GKTP_GMK, m->id, "", 0, { m->octets, sizeof m->octets } };
    return true;
}

static void ten_thousand_payloads(void **state)
{
    static struct many give;
    struct payloads got = { 0 };
    char *xml = NULL;
    size_t len = 0;

    (void)state;
    memset(give.octets, 0xa5, sizeof give.octets);
    assert_int_equal(mcx_gktp_write(&xml, &len, next_of_many, &give), MCX_OK);
    assert_int_equal(mcx_gktp_read(mcx_bytes(xml, len), take_payload, &got, NULL), MCX_OK);
    assert_int_equal(got.at, LONG);
    free(xml);
}

/* Digits of either case, white space, what is no hexadecimal, and elements and attributes of nobody. */
static void foreign_payloads(void **state)
{
    static const char xml[] =
        "<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0' xmlns:z='urn:z' z:a='1'>\n"
        " <z:what>x</z:what><GMK-GKTPs z:b='2'>\n"
        "  <z:on-network-regrouped-GKTPs/>\n"
        "  <on-network-regrouped-GKTPs temporary-MCPTT-group-ID='sip:tmp7@example.org'><GKTP id='e'>0A</GKTP>"
        "<anyExt/></on-network-regrouped-GKTPs>\n"
        "  <GKTP id='a' z:c='3'>\n   011A05ff\n  </GKTP>\n"
        "  <GKTP id='b'>011</GKTP>"                          /* odd */
        "<GKTP id='c'>01 1A</GKTP>"                          /* white space inside */
        "<GKTP id='d'>01xy</GKTP>"                           /* no digits */
        "<GKTP id=''></GKTP>"                                /* nothing */
        "<GKTP>0b<z:e/></GKTP>"                              /* a child */
        "<z:GKTP id='f'>01</z:GKTP>"                         /* another namespace */
        "<GKTP id='g' activationtime='tomorrow'>AbCd</GKTP>" /* a hint that is none */
        "<GKTP id='h' activationtime='2026-03-04T12:00:00.5+00:00'><!-- c -->0<![CDATA[C]]></GKTP>"
        "  <anyExt><GKTP id='i'>01</GKTP></anyExt></GMK-GKTPs></GKTPs>";
    static const struct {
        const char *id;
        size_t len;
        uint8_t first;
        uint64_t activation;
    } want[] = { { "a", 4, 0x01, 0 }, { "b", 0, 0, 0 }, { "c", 0, 0, 0 },    { "d", 0, 0, 0 },
                 { "", 0, 0, 0 },     { "", 0, 0, 0 },  { "g", 2, 0xab, 0 }, { "h", 1, 0x0c, UINT64_C(1772625600) },
                 { "e", 1, 0x0a, 0 } };
    struct payloads got = { 0 };

    (void)state;
    assert_int_equal(mcx_gktp_read(mcx_bytes_str(xml), take_payload, &got, NULL), MCX_OK);
    assert_int_equal(got.at, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < got.at; i++) {
        assert_string_equal(got.got[i].id, want[i].id);
        assert_int_equal(got.got[i].len, want[i].len);
        assert_int_equal(got.got[i].first, want[i].first);
        assert_true(got.got[i].activation == want[i].activation);
    }
    assert_string_equal(got.got[8].temporary, TEMP);
    got = (struct payloads){ .answer = MCX_E_NOMEM };
    assert_int_equal(mcx_gktp_read(mcx_bytes_str(xml), take_payload, &got, NULL), MCX_E_NOMEM);
    assert_int_equal(got.at, 1);
}

static void over_long_payload(void **state)
{
    size_t cap = 2 * MCX_GKTP_MAX + 256;
    char *xml = malloc(cap);
    struct payloads got = { 0 };
    int n = snprintf(xml, cap, "<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'><MKFC-GKTPs><GKTP id='a'>");

    (void)state;
    memset(xml + n, '0', 2 * MCX_GKTP_MAX + 2);
    (void)snprintf(xml + n + 2 * MCX_GKTP_MAX + 2, cap - (size_t)n - 2 * MCX_GKTP_MAX - 2,
                   "</GKTP><GKTP id='b'>00</GKTP></MKFC-GKTPs></GKTPs>");
    assert_int_equal(mcx_gktp_read(mcx_bytes_str(xml), take_payload, &got, NULL), MCX_OK);
    assert_int_equal(got.at, 2);
    assert_int_equal(got.got[0].len, 0);
    assert_int_equal(got.got[1].len, 1);
    free(xml);
}

/* ---- XCAP ---- */

struct changes {
    size_t num;
    char text[512];
    mcx_err answer;
};

static mcx_err take_change(void *arg, const struct mcx_xcap_change *change)
{
    struct changes *c = arg;
    size_t n = strlen(c->text);

    c->num++;
    (void)snprintf(c->text + n, sizeof c->text - n, "%s|%s|%s;", change->sel, change->new_etag, change->previous_etag);
    return c->answer;
}

static void diff_reads_back(void **state)
{
    const struct mcx_xcap_change list[] = { { "/a/global/byGroupID/g", "2", "1" },
                                            { "a/global/byGroupID/h", "", "x&y" },
                                            { "a/global/byGroupID/i", "n", NULL } };
    struct changes got = { 0 };
    uint8_t buf[1024];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_wr small = mcx_wr(buf, 16);
    char root[64];

    (void)state;
    assert_int_equal(mcx_xcap_diff_write(&wr, "https://gms.example.org/", list, 3), MCX_OK);
    assert_int_equal(mcx_xcap_diff_read(root, sizeof root, mcx_wr_done(&wr), take_change, &got, NULL), MCX_OK);
    assert_string_equal(root, "https://gms.example.org/");
    assert_string_equal(got.text, "a/global/byGroupID/g|2|1;a/global/byGroupID/h||x&y;a/global/byGroupID/i|n|;");
    got.answer = MCX_E_STATE;
    assert_int_equal(mcx_xcap_diff_read(root, sizeof root, mcx_wr_done(&wr), take_change, &got, NULL), MCX_E_STATE);
    assert_int_equal(mcx_xcap_diff_write(&small, "https://gms.example.org/", list, 3), MCX_E_SPACE);
    assert_int_equal(small.len, 0);
}

static void foreign_diff(void **state)
{
    static const char xml[] =
        "<d:xcap-diff xmlns:d='urn:ietf:params:xml:ns:xcap-diff' xcap-root='http://xcap.example.org/root/'>\n"
        "<d:document new-etag='7ahggs' sel='tests/users/sip:joe@example.org/index' previous-etag='8a77f8d'>"
        "<d:add sel='*'><foo xmlns=''/></d:add></d:document>"
        "<d:element sel='x'/><d:attribute sel='y'/><d:document sel='gone'/></d:xcap-diff>";
    struct changes got = { 0 };
    char root[64];

    (void)state;
    assert_int_equal(mcx_xcap_diff_read(root, sizeof root, mcx_bytes_str(xml), take_change, &got, NULL), MCX_OK);
    assert_string_equal(got.text, "tests/users/sip:joe@example.org/index|7ahggs|8a77f8d;gone||;");
}

static mcx_err take_uri(void *arg, const char *uri)
{
    struct changes *c = arg;
    size_t n = strlen(c->text);

    c->num++;
    (void)snprintf(c->text + n, sizeof c->text - n, "%s;", uri);
    return c->answer;
}

static void list_reads_back(void **state)
{
    const char *const uris[] = { "/a/global/byGroupID/g%25", "b/global/byGroupID/h" };
    static const char nested[] = "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'><list><list>"
                                 "<entry uri='x'><display-name>n</display-name></entry></list><external anchor='e'/>"
                                 "<entry uri='y'/></list><list><entry uri='z'/></list></resource-lists>";
    struct changes got = { 0 };
    uint8_t buf[512];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    assert_int_equal(mcx_xcap_list_write(&wr, uris, 2), MCX_OK);
    assert_int_equal(mcx_xcap_list_read(mcx_wr_done(&wr), take_uri, &got, NULL), MCX_OK);
    assert_string_equal(got.text, "a/global/byGroupID/g%25;b/global/byGroupID/h;");
    got = (struct changes){ 0 };
    assert_int_equal(mcx_xcap_list_read(mcx_bytes_str(nested), take_uri, &got, NULL), MCX_OK);
    assert_string_equal(got.text, "x;y;z;");
    got = (struct changes){ .answer = MCX_E_NOMEM };
    assert_int_equal(mcx_xcap_list_read(mcx_bytes_str(nested), take_uri, &got, NULL), MCX_E_NOMEM);
    assert_int_equal(got.num, 1);
}

static void paths(void **state)
{
    static const struct {
        const char *group, *path;
    } rows[] = {
        { GROUP, "/org.openmobilealliance.groups/global/byGroupID/sip:group1@example.org" },
        { "sip:a/b?c=d&e#f@example.org;x=1",
          "/org.openmobilealliance.groups/global/byGroupID/sip:a%2Fb%3Fc=d&e%23f@example.org;x=1" },
        { "sip:%41\"<>[]@example.org",
          "/org.openmobilealliance.groups/global/byGroupID/sip:%2541%22%3C%3E%5B%5D@example.org" },
        { "sip:\xc3\xa9@example.org", "/org.openmobilealliance.groups/global/byGroupID/sip:%C3%A9@example.org" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[MCX_XCAP_PATH_MAX], auid[64], group[MCX_GROUP_URI_MAX];

        assert_int_equal(mcx_xcap_path_write(path, sizeof path, MCX_AUID_GROUP, rows[i].group), MCX_OK);
        assert_string_equal(path, rows[i].path);
        assert_int_equal(mcx_xcap_path_read(auid, sizeof auid, group, sizeof group, mcx_bytes_str(path)), MCX_OK);
        assert_string_equal(auid, MCX_AUID_GROUP);
        assert_string_equal(group, rows[i].group);
        assert_int_equal(mcx_xcap_path_read(auid, sizeof auid, group, sizeof group, mcx_bytes_str(path + 1)), MCX_OK);
        assert_string_equal(group, rows[i].group);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_reads_back),
        cmocka_unit_test(long_group),
        cmocka_unit_test(hang_timer),
        cmocka_unit_test(foreign_group),
        cmocka_unit_test(payloads_read_back),
        cmocka_unit_test(no_payload),
        cmocka_unit_test(payloads_are_written_grouped),
        cmocka_unit_test(ten_thousand_payloads),
        cmocka_unit_test(foreign_payloads),
        cmocka_unit_test(over_long_payload),
        cmocka_unit_test(diff_reads_back),
        cmocka_unit_test(foreign_diff),
        cmocka_unit_test(list_reads_back),
        cmocka_unit_test(paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
