/* SPDX-License-Identifier: Apache-2.0 */
/* resource-lists with the called user (RFC 4826 3, RFC 5366). */
#include <mcx/mcptt.h>

#include "codec/xml/xml.h"

#define LISTS_NS "urn:ietf:params:xml:ns:resource-lists"

static const char *const ns_uris[] = { LISTS_NS };
static const struct mcx_xml_ns ns = { ns_uris, 1 };

mcx_err mcx_resource_list_write(struct mcx_wr *out, struct mcx_bytes uri)
{
    struct mcx_xml_wr wr = { 0 };
    char text[MCX_MCPTT_VALUE_MAX];
    char *xml = NULL;
    size_t len = 0;
    mcx_err err;

    MCX_TRY(mcx_bytes_cstr(text, sizeof text, uri));
    mcx_xml_wr_open(&wr, "resource-lists");
    mcx_xml_wr_attr(&wr, "xmlns", LISTS_NS);
    mcx_xml_wr_open(&wr, "list");
    mcx_xml_wr_open(&wr, "entry");
    mcx_xml_wr_attr(&wr, "uri", text);
    mcx_xml_wr_close(&wr);
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

/* Depth of nested lists is bounded by the XML reader. */
static mcx_err read_list(char uri[MCX_MCPTT_VALUE_MAX], size_t *num, const struct mcx_xml_node *list)
{
    const struct mcx_xml_node *node;
    struct mcx_bytes value;

    for (node = mcx_xml_first(list); node != NULL; node = mcx_xml_next(node)) {
        if (mcx_xml_is(node, ns, "list")) {
            MCX_TRY(read_list(uri, num, node));
        } else if (mcx_xml_is(node, ns, "entry")) {
            if (!mcx_xml_attr(&value, node, "", "uri")) {
                return MCX_E_FORMAT;
            }
            if ((*num)++ == 0) {
                MCX_TRY(mcx_bytes_cstr(uri, MCX_MCPTT_VALUE_MAX, mcx_bytes_trim(value)));
            }
        }
    }
    return MCX_OK;
}

mcx_err mcx_resource_list_read(char uri[MCX_MCPTT_VALUE_MAX], size_t *num_entries, struct mcx_bytes xml,
                               struct mcx_refusal *why)
{
    struct mcx_xml *doc = NULL;
    mcx_err err;

    if (xml.len > MCX_MCPTT_INFO_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, "resource-lists is too large", "RFC 4826 3");
    }
    MCX_TRY(mcx_xml_read(&doc, xml, why));
    *num_entries = 0;
    uri[0] = '\0';
    err = mcx_xml_is(mcx_xml_root(doc), ns, "resource-lists") ? read_list(uri, num_entries, mcx_xml_root(doc))
                                                              : MCX_E_FORMAT;
    mcx_xml_free(doc);
    if (err != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "not a resource-lists document with usable entries", "RFC 4826 3");
    }
    return MCX_OK;
}
