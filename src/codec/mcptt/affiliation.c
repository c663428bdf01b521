/* SPDX-License-Identifier: Apache-2.0 */
/* Affiliation of a client to groups: PIDF (RFC 3863) with mcpttPresInfo (TS 24.379 9.3.1). */
#include <mcx/mcptt.h>

#include <string.h>

#include <mcx/seam.h>

#include "codec/xml/xml.h"

#define PIDF_NS "urn:ietf:params:xml:ns:pidf"
#define INFO_NS "urn:3gpp:ns:mcpttPresInfo:1.0"
#define PREFIX  "mcpttPI10"
#define CLAUSE  "TS 24.379 9.3.1.2"

static const char *const pidf_uris[] = { PIDF_NS };
static const char *const info_uris[] = { INFO_NS };
static const struct mcx_xml_ns pidf = { pidf_uris, 1 };
static const struct mcx_xml_ns info = { info_uris, 1 };

static const char *const status_names[] = {
    [MCX_AFFILIATION_UNSET] = "",
    [MCX_AFFILIATION_AFFILIATING] = "affiliating",
    [MCX_AFFILIATION_AFFILIATED] = "affiliated",
    [MCX_AFFILIATION_DEAFFILIATING] = "deaffiliating",
};
#define NUM_STATUS (sizeof status_names / sizeof status_names[0])

/* ---- writer ---- */

static mcx_err write_group(struct mcx_xml_wr *wr, const struct mcx_affiliation_group *g)
{
    char when[MCX_DATETIME_LEN + 1];

    if (g->group[0] == '\0' || g->status >= NUM_STATUS) {
        return MCX_E_ARG;
    }
    mcx_xml_wr_open(wr, PREFIX ":affiliation");
    mcx_xml_wr_attr(wr, "group", g->group);
    if (g->status != MCX_AFFILIATION_UNSET) {
        mcx_xml_wr_attr(wr, "status", status_names[g->status]);
    }
    if (g->expires != 0) {
        MCX_TRY(mcx_datetime_write(when, g->expires));
        mcx_xml_wr_attr(wr, "expires", when);
    }
    mcx_xml_wr_close(wr);
    return MCX_OK;
}

static mcx_err write_document(struct mcx_xml_wr *wr, const struct mcx_affiliation *a)
{
    mcx_xml_wr_open(wr, "presence");
    mcx_xml_wr_attr(wr, "xmlns", PIDF_NS);
    mcx_xml_wr_attr(wr, "xmlns:" PREFIX, INFO_NS);
    mcx_xml_wr_attr(wr, "entity", a->mcptt_id);
    mcx_xml_wr_open(wr, "tuple");
    mcx_xml_wr_attr(wr, "id", a->client_id);
    mcx_xml_wr_open(wr, "status");
    for (size_t i = 0; i < a->num_groups; i++) {
        MCX_TRY(write_group(wr, &a->group[i]));
    }
    mcx_xml_wr_close(wr);
    mcx_xml_wr_close(wr);
    mcx_xml_wr_elem(wr, PREFIX ":p-id", a->p_id[0] != '\0' ? a->p_id : NULL);
    mcx_xml_wr_close(wr);
    return MCX_OK;
}

mcx_err mcx_affiliation_write(struct mcx_wr *out, const struct mcx_affiliation *affiliation)
{
    struct mcx_xml_wr wr = { 0 };
    char *xml = NULL;
    size_t len = 0;
    mcx_err err = MCX_OK;

    if (affiliation->mcptt_id[0] == '\0' || affiliation->client_id[0] == '\0' ||
        affiliation->num_groups > MCX_AFFILIATION_MAX) {
        return MCX_E_ARG;
    }
    MCX_GO(err, write_document(&wr, affiliation));
    MCX_GO(err, mcx_xml_wr_done(&xml, &len, &wr));
    err = mcx_wr_put(out, mcx_bytes(xml, len));
    mcx_xml_text_free(xml, len);
out:
    mcx_xml_wr_clear(&wr);
    return err;
}

/* ---- reader ---- */

static mcx_err read_attr(char out[MCX_MCPTT_VALUE_MAX], const struct mcx_xml_node *node, const char *name)
{
    struct mcx_bytes value;

    if (!mcx_xml_attr(&value, node, "", name)) {
        return MCX_E_FORMAT;
    }
    value = mcx_bytes_trim(value);
    return value.len == 0 || mcx_bytes_cstr(out, MCX_MCPTT_VALUE_MAX, value) != MCX_OK ? MCX_E_FORMAT : MCX_OK;
}

static mcx_err read_status(enum mcx_affiliation_status *out, const struct mcx_xml_node *node)
{
    struct mcx_bytes value;

    if (!mcx_xml_attr(&value, node, "", "status")) {
        *out = MCX_AFFILIATION_UNSET;
        return MCX_OK;
    }
    for (size_t i = 1; i < NUM_STATUS; i++) {
        if (mcx_bytes_is(mcx_bytes_trim(value), status_names[i])) {
            *out = (enum mcx_affiliation_status)i;
            return MCX_OK;
        }
    }
    return MCX_E_FORMAT;
}

static bool has_group(const struct mcx_affiliation *a, const char *group)
{
    for (size_t i = 0; i < a->num_groups; i++) {
        if (strcmp(a->group[i].group, group) == 0) {
            return true;
        }
    }
    return false;
}

static mcx_err read_group(struct mcx_affiliation *out, const struct mcx_xml_node *node, struct mcx_refusal *why)
{
    struct mcx_affiliation_group *g = &out->group[out->num_groups];
    struct mcx_bytes when;

    if (out->num_groups == MCX_AFFILIATION_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, "affiliations to too many groups", CLAUSE);
    }
    if (read_attr(g->group, node, "group") != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "an affiliation names no usable group", CLAUSE);
    }
    if (read_status(&g->status, node) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "unknown status of an affiliation", CLAUSE);
    }
    if (mcx_xml_attr(&when, node, "", "expires") && mcx_datetime_read(&g->expires, mcx_bytes_trim(when)) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "expires of an affiliation is no time", CLAUSE);
    }
    if (has_group(out, g->group)) {
        return mcx_refuse(why, MCX_E_FORMAT, "a group comes twice", CLAUSE);
    }
    out->num_groups++;
    return MCX_OK;
}

/* <status> holds the affiliations; what other specifications put beside them is ignored (RFC 3863 4.2.1). */
static mcx_err read_tuple(struct mcx_affiliation *out, const struct mcx_xml_node *tuple, struct mcx_refusal *why)
{
    const struct mcx_xml_node *status = NULL;
    const struct mcx_xml_node *node;

    if (read_attr(out->client_id, tuple, "id") != MCX_OK || mcx_xml_child(&status, tuple, pidf, "status") != MCX_OK ||
        status == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "the tuple of a client has no id or no single status", "RFC 3863 4.1.2");
    }
    node = mcx_xml_first_of(status, info, "affiliation");
    for (; node != NULL; node = mcx_xml_next_of(node, info, "affiliation")) {
        MCX_TRY(read_group(out, node, why));
    }
    return MCX_OK;
}

static mcx_err read_p_id(struct mcx_affiliation *out, const struct mcx_xml_node *root, struct mcx_refusal *why)
{
    const struct mcx_xml_node *node = NULL;
    struct mcx_bytes text = mcx_bytes(NULL, 0);

    if (mcx_xml_child(&node, root, info, "p-id") != MCX_OK || (node != NULL && mcx_xml_text(&text, node) != MCX_OK) ||
        mcx_bytes_cstr(out->p_id, sizeof out->p_id, mcx_bytes_trim(text)) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "p-id is not one short text", CLAUSE);
    }
    return MCX_OK;
}

static mcx_err read_root(struct mcx_affiliation *out, const struct mcx_xml_node *root, struct mcx_refusal *why)
{
    const struct mcx_xml_node *tuple = NULL;

    if (!mcx_xml_is(root, pidf, "presence") || read_attr(out->mcptt_id, root, "entity") != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "not a presence document of an entity", "RFC 3863 4.1.1");
    }
    if (mcx_xml_child(&tuple, root, pidf, "tuple") != MCX_OK || tuple == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "a publication has one tuple, that of its client", CLAUSE);
    }
    MCX_TRY(read_p_id(out, root, why));
    return read_tuple(out, tuple, why);
}

mcx_err mcx_affiliation_read(struct mcx_affiliation *out, struct mcx_bytes xml, struct mcx_refusal *why)
{
    struct mcx_xml *doc = NULL;
    mcx_err err;

    if (xml.len > MCX_MCPTT_INFO_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, "presence document is too large", CLAUSE);
    }
    MCX_TRY(mcx_xml_read(&doc, xml, why));
    memset(out, 0, sizeof *out);
    err = read_root(out, mcx_xml_root(doc), why);
    if (err != MCX_OK) {
        memset(out, 0, sizeof *out);
    }
    mcx_xml_free(doc);
    return err;
}
