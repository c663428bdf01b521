/* SPDX-License-Identifier: Apache-2.0 */
/* The group document: OMA list-service with the MCPTT extension (TS 24.481 7.2). */
#include "codec/group/group_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

#define CLAUSE "TS 24.481 7.2"
/* The MCPTT ICSI, as <service enabler> (TS 24.481 7.2.8). */
#define ENABLER "urn:urn-7:3gpp-service.ims.icsi.mcptt"

enum { MAX_HANG_S = 86400 };

static const char *const oma_uri[] = { NS_LIST_SERVICE };
static const char *const info_uri[] = { NS_GROUP_INFO };
static const char *const ext_uri[] = { NS_EXTENSIONS };
/* display-name of an entry belongs to RFC 4826; the list-service has one of its own namespace */
static const char *const name_uri[] = { NS_RESOURCE_LISTS, NS_LIST_SERVICE };
static const struct mcx_xml_ns oma = { oma_uri, 1 };
static const struct mcx_xml_ns info = { info_uri, 1 };
static const struct mcx_xml_ns ext = { ext_uri, 1 };
static const struct mcx_xml_ns name_ns = { name_uri, 2 };

static mcx_err child_bool(bool *out, const struct mcx_xml_node *parent, struct mcx_xml_ns ns, const char *local)
{
    const struct mcx_xml_node *node = NULL;
    struct mcx_bytes text;

    MCX_TRY(mcx_xml_child(&node, parent, ns, local));
    if (node == NULL) {
        return MCX_OK;
    }
    MCX_TRY(mcx_xml_text(&text, node));
    return group_bool(out, text);
}

static mcx_err child_number(uint64_t *out, uint64_t max, const struct mcx_xml_node *parent, struct mcx_xml_ns ns,
                            const char *local)
{
    const struct mcx_xml_node *node = NULL;
    struct mcx_bytes text;

    MCX_TRY(mcx_xml_child(&node, parent, ns, local));
    if (node == NULL) {
        return MCX_OK;
    }
    MCX_TRY(mcx_xml_text(&text, node));
    return mcx_dec_read(out, max, mcx_bytes_trim(text));
}

static mcx_err child_name(char *out, size_t cap, const struct mcx_xml_node *parent)
{
    const struct mcx_xml_node *node = mcx_xml_first_of(parent, name_ns, "display-name"); /* one for each language */
    struct mcx_bytes text;

    if (node == NULL) {
        return MCX_OK;
    }
    MCX_TRY(mcx_xml_text(&text, node));
    return mcx_bytes_cstr(out, cap, mcx_bytes_trim(text));
}

static bool child_present(const struct mcx_xml_node *parent, const char *local)
{
    return mcx_xml_first_of(parent, info, local) != NULL;
}

/* An MCPTT group has the MCPTT service with speech (7.2.8). */
static bool has_mcptt(const struct mcx_xml_node *service_list)
{
    const struct mcx_xml_node *service = mcx_xml_first_of(service_list, ext, "service");

    for (; service != NULL; service = mcx_xml_next_of(service, ext, "service")) {
        const struct mcx_xml_node *media = mcx_xml_first_of(service, ext, "group-media");
        struct mcx_bytes enabler;

        if (media != NULL && mcx_xml_attr(&enabler, service, "", "enabler") &&
            mcx_bytes_is(mcx_bytes_trim(enabler), ENABLER) && child_present(media, "mcptt-speech")) {
            return true;
        }
    }
    return false;
}

/* docs/DEVIATIONS.md "group-invite-members": the MCPTT element before that of OMA; absent means chat. */
static mcx_err read_kind(struct mcx_group_head *head, const struct mcx_xml_node *service)
{
    bool invite = false;

    MCX_TRY(child_bool(&invite, service, oma, "invite-members"));
    MCX_TRY(child_bool(&invite, service, info, "on-network-invite-members"));
    head->kind = invite ? MCX_GROUP_PREARRANGED : MCX_GROUP_CHAT;
    return MCX_OK;
}

static mcx_err read_numbers(struct mcx_group_head *head, const struct mcx_xml_node *service)
{
    uint64_t count = 0;
    uint64_t priority = 0;

    MCX_TRY(child_number(&count, UINT32_MAX, service, oma, "max-participant-count"));
    MCX_TRY(child_number(&count, UINT32_MAX, service, info, "on-network-max-participant-count"));
    MCX_TRY(child_number(&priority, UINT8_MAX, service, info, "on-network-group-priority"));
    head->max_participants = (uint32_t)count;
    head->priority = (uint8_t)priority;
    return MCX_OK;
}

/* T4 of floor control in this group (TS 24.380 11.1.3). */
static mcx_err read_hang_timer(struct mcx_group_head *head, const struct mcx_xml_node *service)
{
    const struct mcx_xml_node *node = NULL;
    struct mcx_bytes text;
    uint64_t seconds = 0;

    MCX_TRY(mcx_xml_child(&node, service, info, "on-network-hang-timer"));
    if (node == NULL) {
        return MCX_OK;
    }
    MCX_TRY(mcx_xml_text(&text, node));
    MCX_TRY(group_duration(&seconds, MAX_HANG_S, text));
    head->hang_s = seconds == 0 ? UINT32_MAX : (uint32_t)seconds;
    return MCX_OK;
}

static void put_hang_timer(struct mcx_xml_wr *wr, const struct mcx_group_head *head)
{
    char text[sizeof "PT4294967295S"];

    if (head->hang_s != 0) {
        (void)snprintf(text, sizeof text, "PT%uS", head->hang_s == UINT32_MAX ? 0u : (unsigned)head->hang_s);
        mcx_xml_wr_elem(wr, "mcpttgi:on-network-hang-timer", text);
    }
}

static mcx_err read_protection(struct mcx_group_head *head, const struct mcx_xml_node *service)
{
    head->protect_media = true; /* absent means true (7.2.8) */
    head->protect_floor = true;
    MCX_TRY(child_bool(&head->protect_media, service, info, "protect-media"));
    MCX_TRY(child_bool(&head->protect_floor, service, info, "protect-floor-control-signalling"));
    head->multicast_floor = child_present(service, "require-multicast-floor-control-signalling");
    return MCX_OK;
}

static mcx_err read_regrouped(struct mcx_group_head *head, const struct mcx_xml_node *service)
{
    const struct mcx_xml_node *node = NULL;

    MCX_TRY(mcx_xml_child(&node, service, info, "on-network-regrouped"));
    if (node == NULL) {
        return MCX_OK;
    }
    MCX_TRY(group_uri_attr(head->temporary, sizeof head->temporary, node, "temporary-MCPTT-group-ID"));
    return group_uri_attr(head->requestor, sizeof head->requestor, node, "temporary-MCPTT-group-requestor");
}

static mcx_err read_head(struct mcx_group_head *head, const struct mcx_xml_node *service)
{
    MCX_TRY(group_uri_attr(head->uri, sizeof head->uri, service, "uri"));
    MCX_TRY(child_name(head->display_name, sizeof head->display_name, service));
    MCX_TRY(read_kind(head, service));
    MCX_TRY(read_numbers(head, service));
    MCX_TRY(read_hang_timer(head, service));
    MCX_TRY(read_protection(head, service));
    return read_regrouped(head, service);
}

/* What the reader of the list needs on its way. */
struct list {
    mcx_err (*each)(void *arg, const struct mcx_group_member *member);
    void *arg;
    bool stopped; /* by `each`, whose answer is handed through as it is */
};

static mcx_err read_entry(struct list *list, const struct mcx_xml_node *entry)
{
    char uri[MCX_GROUP_URI_MAX];
    char name[MCX_GROUP_URI_MAX] = "";
    uint64_t priority = 0;
    struct mcx_group_member member = { .mcptt_id = uri, .display_name = name };
    mcx_err err = MCX_OK;

    MCX_TRY(group_uri_attr(uri, sizeof uri, entry, "uri"));
    MCX_TRY(child_name(name, sizeof name, entry));
    MCX_TRY(child_number(&priority, UINT8_MAX, entry, info, "user-priority"));
    member.priority = (uint8_t)priority;
    member.receive_only = child_present(entry, "on-network-recvonly");
    if (list->each == NULL) {
        return MCX_OK;
    }
    err = list->each(list->arg, &member);
    list->stopped = err != MCX_OK;
    return err;
}

static mcx_err read_list(struct list *list, const struct mcx_xml_node *service)
{
    const struct mcx_xml_node *node = NULL;

    MCX_TRY(mcx_xml_child(&node, service, oma, "list"));
    if (node == NULL) {
        return MCX_OK;
    }
    for (node = mcx_xml_first_of(node, oma, "entry"); node != NULL; node = mcx_xml_next_of(node, oma, "entry")) {
        MCX_TRY(read_entry(list, node));
    }
    return MCX_OK;
}

static int by_octets(const void *a, const void *b)
{
    const struct mcx_bytes *x = a;
    const struct mcx_bytes *y = b;
    int c = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);

    return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* Which of the two entries would count (RFC 4826 3.1: each URI once)? Of so many that comparing them all would cost. */
static mcx_err check_once(const struct mcx_xml_node *service, struct mcx_refusal *why)
{
    const struct mcx_xml_node *node = mcx_xml_first_of(service, oma, "list");
    const struct mcx_xml_node *first = node == NULL ? NULL : mcx_xml_first_of(node, oma, "entry");
    struct mcx_bytes *uri = NULL;
    size_t num = 0;
    bool once = true;

    for (node = first; node != NULL; node = mcx_xml_next_of(node, oma, "entry")) {
        num++;
    }
    uri = calloc(num + 1, sizeof *uri);
    if (uri == NULL) {
        return MCX_E_NOMEM;
    }
    num = 0;
    for (node = first; node != NULL; node = mcx_xml_next_of(node, oma, "entry")) {
        if (mcx_xml_attr(&uri[num], node, "", "uri")) { /* one without is refused in its turn */
            uri[num] = mcx_bytes_trim(uri[num]);
            num++;
        }
    }
    qsort(uri, num, sizeof *uri, by_octets);
    for (size_t i = 1; i < num; i++) {
        once = once && by_octets(&uri[i - 1], &uri[i]) != 0;
    }
    free(uri);
    return once ? MCX_OK : mcx_refuse(why, MCX_E_FORMAT, "a member stands twice in the group document", CLAUSE);
}

static mcx_err read_service(struct mcx_group_head *head, struct list *list, const struct mcx_xml_node *root,
                            struct mcx_refusal *why)
{
    const struct mcx_xml_node *service = NULL;
    const struct mcx_xml_node *supported = NULL;
    mcx_err err = MCX_OK;

    if (!mcx_xml_is(root, oma, "group") || mcx_xml_child(&service, root, oma, "list-service") != MCX_OK ||
        service == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "not a group document with one list-service", CLAUSE);
    }
    if (mcx_xml_child(&supported, service, ext, "supported-services") != MCX_OK || supported == NULL ||
        !has_mcptt(supported)) {
        return mcx_refuse(why, MCX_E_UNSUP, "the group has no MCPTT service with speech", "TS 24.481 7.2.8");
    }
    err = read_head(head, service);
    if (err != MCX_OK) {
        return mcx_refuse(why, err, "an element of the group document has no usable value", CLAUSE);
    }
    MCX_TRY(check_once(service, why));
    err = read_list(list, service);
    if (err != MCX_OK && !list->stopped) {
        return mcx_refuse(why, err, "an entry of the group's list has no usable value", CLAUSE);
    }
    return err;
}

mcx_err mcx_group_doc_read(struct mcx_group_head *out, struct mcx_bytes xml,
                           mcx_err (*each)(void *arg, const struct mcx_group_member *member), void *arg,
                           struct mcx_refusal *why)
{
    struct mcx_group_head head = { 0 };
    struct list list = { each, arg, false };
    struct mcx_xml *doc = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_xml_read_max(&doc, xml, MCX_GROUP_DOC_MAX, why));
    err = read_service(&head, &list, mcx_xml_root(doc), why);
    mcx_xml_free(doc);
    if (err == MCX_OK) {
        *out = head;
    }
    return err;
}

static void put_bool(struct mcx_xml_wr *wr, const char *name, bool value)
{
    mcx_xml_wr_elem(wr, name, value ? "true" : "false");
}

static void put_empty(struct mcx_xml_wr *wr, const char *name)
{
    mcx_xml_wr_open(wr, name);
    mcx_xml_wr_close(wr);
}

static void put_entry(struct mcx_xml_wr *wr, const struct mcx_group_member *member)
{
    mcx_xml_wr_open(wr, "entry");
    mcx_xml_wr_attr(wr, "uri", member->mcptt_id);
    mcx_xml_wr_elem(wr, "rl:display-name",
                    member->display_name == NULL || member->display_name[0] == '\0' ? NULL : member->display_name);
    if (member->receive_only) {
        put_empty(wr, "mcpttgi:on-network-recvonly");
    }
    mcx_xml_wr_elem_u64(wr, "mcpttgi:user-priority", member->priority);
    mcx_xml_wr_close(wr);
}

static void put_list(struct mcx_xml_wr *wr, const struct mcx_group_doc_params *params)
{
    struct mcx_group_member member = { 0 };

    mcx_xml_wr_open(wr, "list");
    while (wr->err == MCX_OK && params->next(params->arg, &member)) {
        put_entry(wr, &member);
        member = (struct mcx_group_member){ 0 };
    }
    mcx_xml_wr_close(wr);
}

static void put_services(struct mcx_xml_wr *wr)
{
    mcx_xml_wr_open(wr, "oxe:supported-services");
    mcx_xml_wr_open(wr, "oxe:service");
    mcx_xml_wr_attr(wr, "enabler", ENABLER);
    mcx_xml_wr_open(wr, "oxe:group-media");
    put_empty(wr, "mcpttgi:mcptt-speech");
    mcx_xml_wr_close(wr);
    mcx_xml_wr_close(wr);
    mcx_xml_wr_close(wr);
}

static void put_protection(struct mcx_xml_wr *wr, const struct mcx_group_head *head)
{
    mcx_xml_wr_elem_u64(wr, "mcpttgi:on-network-group-priority", head->priority);
    put_bool(wr, "mcpttgi:protect-media", head->protect_media);
    put_bool(wr, "mcpttgi:protect-floor-control-signalling", head->protect_floor);
    if (head->multicast_floor) {
        put_empty(wr, "mcpttgi:require-multicast-floor-control-signalling");
    }
}

static void put_regrouped(struct mcx_xml_wr *wr, const struct mcx_group_doc_params *params)
{
    const struct mcx_group_head *head = params->head;

    mcx_xml_wr_open(wr, "mcpttgi:on-network-regrouped");
    mcx_xml_wr_attr(wr, "temporary-MCPTT-group-ID", head->temporary);
    mcx_xml_wr_attr(wr, "temporary-MCPTT-group-requestor", head->requestor);
    mcx_xml_wr_open(wr, "mcpttgi:constituent-MCPTT-group-IDs");
    for (size_t i = 0; i < params->num_constituents; i++) {
        mcx_xml_wr_elem(wr, "mcpttgi:constituent-MCPTT-group-ID", params->constituents[i]);
    }
    mcx_xml_wr_close(wr);
    put_protection(wr, head);
    mcx_xml_wr_close(wr);
}

static void put_group(struct mcx_xml_wr *wr, const struct mcx_group_doc_params *params)
{
    const struct mcx_group_head *head = params->head;

    mcx_xml_wr_open(wr, "group");
    mcx_xml_wr_attr(wr, "xmlns", NS_LIST_SERVICE);
    mcx_xml_wr_attr(wr, "xmlns:rl", NS_RESOURCE_LISTS);
    mcx_xml_wr_attr(wr, "xmlns:oxe", NS_EXTENSIONS);
    mcx_xml_wr_attr(wr, "xmlns:mcpttgi", NS_GROUP_INFO);
    mcx_xml_wr_open(wr, "list-service");
    mcx_xml_wr_attr(wr, "uri", head->uri);
    mcx_xml_wr_elem(wr, "display-name", head->display_name[0] == '\0' ? NULL : head->display_name);
    put_list(wr, params);
    put_services(wr);
    put_bool(wr, "mcpttgi:on-network-invite-members", head->kind == MCX_GROUP_PREARRANGED);
    if (head->max_participants != 0) {
        mcx_xml_wr_elem_u64(wr, "mcpttgi:on-network-max-participant-count", head->max_participants);
    }
    put_hang_timer(wr, head);
    put_protection(wr, head);
    if (head->temporary[0] != '\0') {
        put_regrouped(wr, params);
    }
    mcx_xml_wr_close(wr);
    mcx_xml_wr_close(wr);
}

mcx_err mcx_group_doc_write(char **out, size_t *len, const struct mcx_group_doc_params *params)
{
    struct mcx_xml_wr wr = { .max = MCX_GROUP_DOC_MAX };

    if (params->head->uri[0] == '\0' || (params->head->temporary[0] != '\0' && params->head->requestor[0] == '\0')) {
        return MCX_E_ARG;
    }
    put_group(&wr, params);
    return group_hand_over(out, len, &wr);
}
