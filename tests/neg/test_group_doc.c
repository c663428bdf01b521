/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of group management that are refused: each with a sentence, and nothing of the caller's is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/group_doc.h>

#define HEAD                                                                                                           \
    "<group xmlns='urn:oma:xml:poc:list-service' xmlns:rl='urn:ietf:params:xml:ns:resource-lists' "                    \
    "xmlns:x='urn:oma:xml:xdm:extensions' xmlns:m='urn:3gpp:ns:mcpttGroupInfo:1.0'>"
#define SERVICES                                                                                                       \
    "<x:supported-services><x:service enabler='urn:urn-7:3gpp-service.ims.icsi.mcptt'><x:group-media>"                 \
    "<m:mcptt-speech/></x:group-media></x:service></x:supported-services>"
#define GROUP(inside) HEAD "<list-service uri='sip:g@example.org'>" SERVICES inside "</list-service></group>"

static const struct {
    const char *name, *xml;
    mcx_err want;
} groups[] = {
    { "control: accepted", GROUP(""), MCX_OK },
    { "empty", "", MCX_E_FORMAT },
    { "a DOCTYPE", "<!DOCTYPE group>" GROUP(""), MCX_E_FORMAT },
    { "another root", "<list-service xmlns='urn:oma:xml:poc:list-service' uri='sip:g@example.org'/>", MCX_E_FORMAT },
    { "another namespace", "<group xmlns='urn:z'><list-service uri='sip:g@example.org'/></group>", MCX_E_FORMAT },
    { "no list-service", HEAD "</group>", MCX_E_FORMAT },
    { "two list-services",
      HEAD "<list-service uri='sip:g@example.org'>" SERVICES
           "</list-service><list-service uri='sip:h@example.org'>" SERVICES "</list-service></group>",
      MCX_E_FORMAT },
    { "no URI", HEAD "<list-service>" SERVICES "</list-service></group>", MCX_E_FORMAT },
    { "empty URI", HEAD "<list-service uri='  '>" SERVICES "</list-service></group>", MCX_E_FORMAT },
    { "white space in the URI", HEAD "<list-service uri='sip:g h@example.org'>" SERVICES "</list-service></group>",
      MCX_E_FORMAT },
    { "no service", HEAD "<list-service uri='sip:g@example.org'/></group>", MCX_E_UNSUP },
    { "another service",
      HEAD "<list-service uri='sip:g@example.org'><x:supported-services><x:service enabler='urn:urn-7:3gpp-service.ims."
           "icsi.mcvideo'><x:group-media><m:mcptt-speech/></x:group-media></x:service></x:supported-services>"
           "</list-service></group>",
      MCX_E_UNSUP },
    { "no speech",
      HEAD "<list-service uri='sip:g@example.org'><x:supported-services><x:service enabler='urn:urn-7:3gpp-service.ims."
           "icsi.mcptt'><x:group-media/></x:service></x:supported-services></list-service></group>",
      MCX_E_UNSUP },
    { "protect-media that is no boolean", GROUP("<m:protect-media>no</m:protect-media>"), MCX_E_FORMAT },
    { "protect-media empty", GROUP("<m:protect-media/>"), MCX_E_FORMAT },
    { "protect-media twice", GROUP("<m:protect-media>true</m:protect-media><m:protect-media>false</m:protect-media>"),
      MCX_E_FORMAT },
    { "protect-media with a child", GROUP("<m:protect-media>false<m:x/></m:protect-media>"), MCX_E_FORMAT },
    { "floor protection that is no boolean",
      GROUP("<m:protect-floor-control-signalling>False</m:protect-floor-control-signalling>"), MCX_E_FORMAT },
    { "a priority over 255", GROUP("<m:on-network-group-priority>256</m:on-network-group-priority>"), MCX_E_FORMAT },
    { "a negative count", GROUP("<m:on-network-max-participant-count>-1</m:on-network-max-participant-count>"),
      MCX_E_FORMAT },
    { "regrouped without an identity",
      GROUP("<m:on-network-regrouped temporary-MCPTT-group-requestor='sip:a@example.org'/>"), MCX_E_FORMAT },
    { "regrouped without a requestor", GROUP("<m:on-network-regrouped temporary-MCPTT-group-ID='sip:t@example.org'/>"),
      MCX_E_FORMAT },
    { "two lists", GROUP("<list/><list/>"), MCX_E_FORMAT },
    { "an entry without URI", GROUP("<list><entry/></list>"), MCX_E_FORMAT },
    { "a priority of a member over 255",
      GROUP("<list><entry uri='sip:a@example.org'><m:user-priority>300</m:user-priority></entry></list>"),
      MCX_E_FORMAT },
};

static void group_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        struct mcx_group_head head;
        struct mcx_group_head before;
        struct mcx_refusal why = { 0 };
        mcx_err err;

        memset(&head, 0x55, sizeof head);
        before = head;
        err = mcx_group_doc_read(&head, mcx_bytes_str(groups[i].xml), NULL, NULL, &why);
        if (err != groups[i].want) {
            fail_msg("%s: %s", groups[i].name, mcx_err_name(err));
        }
        if (err != MCX_OK) {
            assert_memory_equal(&head, &before, sizeof head);
            assert_non_null(why.reason);
        }
    }
}

static void long_values(void **state)
{
    static const char *const forms[] = {
        HEAD "<list-service uri='%s'>" SERVICES "</list-service></group>",
        GROUP("<display-name>%s</display-name>"),
        GROUP("<list><entry uri='%s'/></list>"),
        GROUP("<m:on-network-regrouped temporary-MCPTT-group-ID='%s' temporary-MCPTT-group-requestor='a'/>"),
    };
    char value[MCX_GROUP_URI_MAX + 1];
    char xml[4096];
    struct mcx_group_head head;

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        memset(value, 'a', sizeof value);
        value[MCX_GROUP_URI_MAX] = '\0';
        (void)snprintf(xml, sizeof xml, forms[i], value);
        assert_int_equal(mcx_group_doc_read(&head, mcx_bytes_str(xml), NULL, NULL, NULL), MCX_E_SPACE);
        value[MCX_GROUP_URI_MAX - 1] = '\0';
        (void)snprintf(xml, sizeof xml, forms[i], value);
        assert_int_equal(mcx_group_doc_read(&head, mcx_bytes_str(xml), NULL, NULL, NULL), MCX_OK);
    }
}

static void too_large(void **state)
{
    size_t len = (size_t)MCX_GROUP_DOC_MAX + 1;
    char *big = calloc(1, len);
    struct mcx_group_head head;

    (void)state;
    assert_non_null(big);
    assert_int_equal(mcx_group_doc_read(&head, mcx_bytes(big, len), NULL, NULL, NULL), MCX_E_SPACE);
    assert_int_equal(mcx_gktp_read(mcx_bytes(big, len), NULL, NULL, NULL), MCX_E_SPACE);
    free(big);
}

static mcx_err count_payload(void *arg, const struct mcx_gktp *gktp)
{
    (void)gktp;
    (*(size_t *)arg)++;
    return MCX_OK;
}

static void payload_documents(void **state)
{
#define GKTPS(inside) "<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'>" inside "</GKTPs>"
    static const struct {
        const char *name, *xml;
        mcx_err want;
    } rows[] = {
        { "control: accepted", GKTPS("<GMK-GKTPs/>"), MCX_OK },
        { "another root", "<GMK-GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'/>", MCX_E_FORMAT },
        { "no namespace", "<GKTPs><GMK-GKTPs/></GKTPs>", MCX_E_FORMAT },
        { "GMK-GKTPs twice", GKTPS("<GMK-GKTPs/><GMK-GKTPs/>"), MCX_E_FORMAT },
        { "MKFC-GKTPs twice", GKTPS("<MKFC-GKTPs/><MKFC-GKTPs/>"), MCX_E_FORMAT },
        { "a temporary group without identity", GKTPS("<GMK-GKTPs><on-network-regrouped-GKTPs/></GMK-GKTPs>"),
          MCX_E_FORMAT },
        { "an entity", "<!DOCTYPE a [<!ENTITY e '01'>]>" GKTPS("<GMK-GKTPs><GKTP id='a'>&e;</GKTP></GMK-GKTPs>"),
          MCX_E_FORMAT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t num = 0;
        struct mcx_refusal why = { 0 };
        mcx_err err = mcx_gktp_read(mcx_bytes_str(rows[i].xml), count_payload, &num, &why);

        if (err != rows[i].want || (err != MCX_OK && why.reason == NULL) || num != 0) {
            fail_msg("%s: %s", rows[i].name, mcx_err_name(err));
        }
    }
}

static mcx_err no_change(void *arg, const struct mcx_xcap_change *change)
{
    (void)arg;
    (void)change;
    return MCX_OK;
}

static mcx_err no_uri(void *arg, const char *uri)
{
    (void)arg;
    (void)uri;
    return MCX_OK;
}

static void diffs_and_lists(void **state)
{
#define DIFF  "<xcap-diff xmlns='urn:ietf:params:xml:ns:xcap-diff'"
#define LISTS "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'>"
    static const char *const diffs[] = { "",
                                         "<xcap-diff xcap-root='r'/>",
                                         DIFF "/>",
                                         DIFF " xcap-root=''/>",
                                         DIFF " xcap-root='r'><document/></xcap-diff>",
                                         DIFF " xcap-root='rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr'/>" };
    static const char *const lists[] = { "", "<resource-lists/>", LISTS "<list><entry/></list></resource-lists>",
                                         LISTS "<list><entry uri='a b'/></list></resource-lists>" };
    char root[32];

    (void)state;
    for (size_t i = 0; i < sizeof diffs / sizeof diffs[0]; i++) {
        struct mcx_refusal why = { 0 };

        assert_int_not_equal(mcx_xcap_diff_read(root, sizeof root, mcx_bytes_str(diffs[i]), no_change, NULL, &why),
                             MCX_OK);
        assert_non_null(why.reason);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct mcx_refusal why = { 0 };

        assert_int_equal(mcx_xcap_list_read(mcx_bytes_str(lists[i]), no_uri, NULL, &why), MCX_E_FORMAT);
        assert_non_null(why.reason);
    }
}

static void paths(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "/a",
        "//global/byGroupID/g",
        "/a/global/byGroupID",
        "/a/global/byGroupID/",
        "/a/global/bygroupid/g",
        "/a/users/byGroupID/g",
        "/a/global/byGroupID/g/h",
        "/a/global/byGroupID/g?h",
        "/a/global/byGroupID/g#h",
        "/a/global/byGroupID/g%",
        "/a/global/byGroupID/g%2",
        "/a/global/byGroupID/g%2x",
        "/a/global/byGroupID/g%00",
        "/a/global/byGroupID/g%20h",
        "/a/global/byGroupID/%0Ag",
        "/a/global/byGroupID/%20",
        "/a/global/byGroupID/g%ff",
        "/a/global/byGroupID/g\xc3\xa9",
        "/a%41/global/byGroupID/g",
        "https://gms.example.org/a/global/byGroupID/g",
        "/aaaaaaaaaaaaaaaa/global/byGroupID/g",
        "/a/global/byGroupID/gggggggggggggggg",
        "/../a/global/byGroupID/g",
    };
    char path[MCX_XCAP_PATH_MAX];
    char long_uri[2 * MCX_GROUP_URI_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char auid[16] = "x", group[16] = "y";

        if (mcx_xcap_path_read(auid, sizeof auid, group, sizeof group, mcx_bytes_str(rows[i])) != MCX_E_FORMAT ||
            strcmp(auid, "x") != 0 || strcmp(group, "y") != 0) {
            fail_msg("accepted: %s", rows[i]);
        }
    }
    memset(long_uri, 'a', sizeof long_uri);
    long_uri[sizeof long_uri - 1] = '\0';
    assert_int_equal(mcx_xcap_path_write(path, sizeof path, MCX_AUID_GROUP, long_uri), MCX_E_ARG);
    assert_int_equal(mcx_xcap_path_write(path, sizeof path, MCX_AUID_GROUP, ""), MCX_E_ARG);
    assert_int_equal(mcx_xcap_path_write(path, sizeof path, MCX_AUID_GROUP, "a b"), MCX_E_ARG);
    assert_int_equal(mcx_xcap_path_write(path, 20, MCX_AUID_GROUP, "sip:g@example.org"), MCX_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_documents),   cmocka_unit_test(long_values),     cmocka_unit_test(too_large),
        cmocka_unit_test(payload_documents), cmocka_unit_test(diffs_and_lists), cmocka_unit_test(paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
