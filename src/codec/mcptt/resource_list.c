/* SPDX-License-Identifier: Apache-2.0 */
/* resource-lists: the called user (RFC 4826 3, RFC 5366), the documents of a subscription (RFC 5875 4.3). */
#include <mcx/mcptt.h>

#include <string.h>

#include "codec/xml/xml.h"

#define LISTS_NS "urn:ietf:params:xml:ns:resource-lists"

static const char *const ns_uris[] = { LISTS_NS };
static const struct mcx_xml_ns ns = { ns_uris, 1 };

static void write_entry(struct mcx_xml_wr *wr, struct mcx_bytes uri)
{
    char text[MCX_MCPTT_VALUE_MAX];
    mcx_err err = mcx_bytes_cstr(text, sizeof text, uri);

    if (err != MCX_OK) {
        wr->err = wr->err == MCX_OK ? err : wr->err;
        return;
    }
    mcx_xml_wr_open(wr, "entry");
    mcx_xml_wr_attr(wr, "uri", text);
    mcx_xml_wr_close(wr);
}

mcx_err mcx_resource_list_write_all(struct mcx_wr *out, const struct mcx_bytes *uris, size_t num)
{
    struct mcx_xml_wr wr = { 0 };
    char *xml = NULL;
    size_t len = 0;
    mcx_err err;

    if (num == 0 || num > MCX_RESOURCE_MAX_ENTRIES) {
        return num == 0 ? MCX_E_ARG : MCX_E_SPACE;
    }
    mcx_xml_wr_open(&wr, "resource-lists");
    mcx_xml_wr_attr(&wr, "xmlns", LISTS_NS);
    mcx_xml_wr_open(&wr, "list");
    for (size_t i = 0; i < num; i++) {
        write_entry(&wr, uris[i]);
    }
    mcx_xml_wr_close(&wr);
    mcx_xml_wr_close(&wr);
    err = mcx_xml_wr_done(&xml, &len, &wr);
    if (err == MCX_OK) {
        err = mcx_wr_put(out, mcx_bytes(xml, len));
        mcx_xml_text_free(xml, len);
    }
    mcx_xml_wr_clear(&wr);
    return err;
}

mcx_err mcx_resource_list_write(struct mcx_wr *out, struct mcx_bytes uri)
{
    return mcx_resource_list_write_all(out, &uri, 1);
}

struct entries {
    char (*uris)[MCX_MCPTT_VALUE_MAX];
    size_t cap; /* how many are kept */
    size_t num; /* how many there are */
};

/* Depth of nested lists is bounded by the XML reader. */
static mcx_err read_list(struct entries *out, const struct mcx_xml_node *list)
{
    const struct mcx_xml_node *node;
    struct mcx_bytes value;

    for (node = mcx_xml_first(list); node != NULL; node = mcx_xml_next(node)) {
        if (mcx_xml_is(node, ns, "list")) {
            MCX_TRY(read_list(out, node));
        } else if (mcx_xml_is(node, ns, "entry")) {
            if (!mcx_xml_attr(&value, node, "", "uri")) {
                return MCX_E_FORMAT;
            }
            if (out->num < out->cap) {
                MCX_TRY(mcx_bytes_cstr(out->uris[out->num], MCX_MCPTT_VALUE_MAX, mcx_bytes_trim(value)));
            }
            out->num++;
        }
    }
    return MCX_OK;
}

static mcx_err read_lists(struct entries *out, struct mcx_bytes xml, struct mcx_refusal *why)
{
    struct mcx_xml *doc = NULL;
    mcx_err err;

    if (xml.len > MCX_MCPTT_INFO_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, "resource-lists is too large", "RFC 4826 3");
    }
    MCX_TRY(mcx_xml_read(&doc, xml, why));
    err = mcx_xml_is(mcx_xml_root(doc), ns, "resource-lists") ? read_list(out, mcx_xml_root(doc)) : MCX_E_FORMAT;
    mcx_xml_free(doc);
    if (err != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "not a resource-lists document with usable entries", "RFC 4826 3");
    }
    return MCX_OK;
}

mcx_err mcx_resource_list_read(char uri[MCX_MCPTT_VALUE_MAX], size_t *num_entries, struct mcx_bytes xml,
                               struct mcx_refusal *why)
{
    char first[1][MCX_MCPTT_VALUE_MAX] = { "" };
    struct entries e = { first, 1, 0 };

    MCX_TRY(read_lists(&e, xml, why));
    memcpy(uri, first[0], sizeof first[0]);
    *num_entries = e.num;
    return MCX_OK;
}

mcx_err mcx_resource_list_read_all(char (*uris)[MCX_MCPTT_VALUE_MAX], size_t *num, size_t cap, struct mcx_bytes xml,
                                   struct mcx_refusal *why)
{
    struct entries e = { uris, cap, 0 };

    MCX_TRY(read_lists(&e, xml, why));
    if (e.num > cap) {
        return mcx_refuse(why, MCX_E_SPACE, "resource-lists has too many entries", "RFC 4826 3");
    }
    *num = e.num;
    return MCX_OK;
}
