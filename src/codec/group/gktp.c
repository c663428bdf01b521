/* SPDX-License-Identifier: Apache-2.0 */
/* The GKTP document: I_MESSAGEs in hexadecimal, by kind of key and temporary group (TS 24.481 7.7). */
#include "codec/group/group_int.h"

#include <string.h>

#include <mcx/seam.h>
#include <mcx/text.h>

#define CLAUSE "TS 24.481 7.7"

static const char *const uri[] = { NS_GKTP };
static const struct mcx_xml_ns ns = { uri, 1 };

/* What the reader needs on its way. */
struct walk {
    mcx_err (*each)(void *arg, const struct mcx_gktp *gktp);
    void *arg;
    struct mcx_gktp gktp;
    uint8_t message[MCX_GKTP_MAX];
    bool stopped; /* by `each`, whose answer is handed through as it is */
};

/* xs:hexBinary: white space at the ends falls away, inside it is an error. Whatever is none leaves an empty message. */
static void read_message(struct walk *w, const struct mcx_xml_node *node)
{
    struct mcx_bytes text;
    size_t len = 0;

    if (mcx_xml_text(&text, node) != MCX_OK ||
        mcx_hex_read(w->message, sizeof w->message, &len, mcx_bytes_trim(text)) != MCX_OK) {
        len = 0;
    }
    w->gktp.message = mcx_bytes(w->message, len);
}

static mcx_err read_payload(struct walk *w, const struct mcx_xml_node *node)
{
    struct mcx_bytes value;
    mcx_err err = MCX_OK;

    w->gktp.id = mcx_xml_attr(&value, node, "", "id") ? (const char *)value.p : ""; /* NUL-terminated in the tree */
    w->gktp.activation = 0;
    if (mcx_xml_attr(&value, node, "", "activationtime") &&
        mcx_datetime_read(&w->gktp.activation, mcx_bytes_trim(value)) != MCX_OK) {
        w->gktp.activation = 0; /* a hint only: what is signed decides */
    }
    read_message(w, node);
    err = w->each(w->arg, &w->gktp);
    w->stopped = err != MCX_OK;
    return err;
}

static mcx_err read_payloads(struct walk *w, const struct mcx_xml_node *parent, const char *temporary)
{
    const struct mcx_xml_node *node = mcx_xml_first_of(parent, ns, "GKTP");

    w->gktp.temporary = temporary;
    for (; node != NULL; node = mcx_xml_next_of(node, ns, "GKTP")) {
        MCX_TRY(read_payload(w, node));
    }
    return MCX_OK;
}

static mcx_err read_kind(struct walk *w, enum mcx_gktp_kind kind, const struct mcx_xml_node *parent)
{
    const struct mcx_xml_node *node = mcx_xml_first_of(parent, ns, "on-network-regrouped-GKTPs");
    char temporary[MCX_GROUP_URI_MAX];

    w->gktp.kind = kind;
    MCX_TRY(read_payloads(w, parent, ""));
    for (; node != NULL; node = mcx_xml_next_of(node, ns, "on-network-regrouped-GKTPs")) {
        MCX_TRY(group_uri_attr(temporary, sizeof temporary, node, "temporary-MCPTT-group-ID"));
        MCX_TRY(read_payloads(w, node, temporary));
    }
    return MCX_OK;
}

static mcx_err read_root(struct walk *w, const struct mcx_xml_node *root)
{
    const struct mcx_xml_node *gmk = NULL;
    const struct mcx_xml_node *mkfc = NULL;

    if (!mcx_xml_is(root, ns, "GKTPs")) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_xml_child(&gmk, root, ns, "GMK-GKTPs"));
    MCX_TRY(mcx_xml_child(&mkfc, root, ns, "MKFC-GKTPs"));
    if (gmk != NULL) {
        MCX_TRY(read_kind(w, MCX_GKTP_GMK, gmk));
    }
    return mkfc == NULL ? MCX_OK : read_kind(w, MCX_GKTP_MKFC, mkfc);
}

mcx_err mcx_gktp_read(struct mcx_bytes xml, mcx_err (*each)(void *arg, const struct mcx_gktp *gktp), void *arg,
                      struct mcx_refusal *why)
{
    struct walk w = { .each = each, .arg = arg };
    struct mcx_xml *doc = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_xml_read_max(&doc, xml, MCX_GROUP_DOC_MAX, why));
    err = read_root(&w, mcx_xml_root(doc));
    mcx_xml_free(doc);
    if (err != MCX_OK && !w.stopped) {
        return mcx_refuse(why, err, "not a GKTP document, or a temporary group without its identity", CLAUSE);
    }
    return err;
}

/* Which elements of the document are open. */
struct place {
    bool in_kind;
    bool kind_done[2];
    enum mcx_gktp_kind kind;
    char temporary[MCX_GROUP_URI_MAX];
};

static void leave_temporary(struct mcx_xml_wr *wr, struct place *at)
{
    if (at->temporary[0] != '\0') {
        mcx_xml_wr_close(wr);
        at->temporary[0] = '\0';
    }
}

static void leave_kind(struct mcx_xml_wr *wr, struct place *at)
{
    if (at->in_kind) {
        leave_temporary(wr, at);
        mcx_xml_wr_close(wr);
        at->kind_done[at->kind] = true;
        at->in_kind = false;
    }
}

static mcx_err enter(struct mcx_xml_wr *wr, struct place *at, const struct mcx_gktp *gktp)
{
    const char *temporary = gktp->temporary == NULL ? "" : gktp->temporary;

    if (!at->in_kind || at->kind != gktp->kind) {
        leave_kind(wr, at);
        if (at->kind_done[gktp->kind] || (gktp->kind == MCX_GKTP_GMK && at->kind_done[MCX_GKTP_MKFC])) {
            return MCX_E_ARG; /* not grouped as the schema has it */
        }
        mcx_xml_wr_open(wr, gktp->kind == MCX_GKTP_GMK ? "mgktp:GMK-GKTPs" : "mgktp:MKFC-GKTPs");
        at->in_kind = true;
        at->kind = gktp->kind;
    }
    if (strcmp(temporary, at->temporary) == 0) {
        return MCX_OK;
    }
    if (temporary[0] == '\0') {
        return MCX_E_ARG; /* payloads of the group itself come first */
    }
    leave_temporary(wr, at);
    MCX_TRY(group_uri(at->temporary, sizeof at->temporary, mcx_bytes_str(temporary)));
    mcx_xml_wr_open(wr, "mgktp:on-network-regrouped-GKTPs");
    mcx_xml_wr_attr(wr, "temporary-MCPTT-group-ID", at->temporary);
    return MCX_OK;
}

static mcx_err put_payload(struct mcx_xml_wr *wr, struct place *at, const struct mcx_gktp *gktp)
{
    char when[MCX_DATETIME_LEN + 1];

    if (gktp->message.len == 0 || gktp->message.len > MCX_GKTP_MAX || gktp->id == NULL || gktp->id[0] == '\0') {
        return MCX_E_ARG;
    }
    MCX_TRY(enter(wr, at, gktp));
    mcx_xml_wr_open(wr, "mgktp:GKTP");
    mcx_xml_wr_attr(wr, "id", gktp->id);
    if (gktp->activation != 0) {
        MCX_TRY(mcx_datetime_write(when, gktp->activation));
        mcx_xml_wr_attr(wr, "activationtime", when);
    }
    mcx_xml_wr_hex(wr, gktp->message);
    mcx_xml_wr_close(wr);
    return wr->err;
}

mcx_err mcx_gktp_write(char **out, size_t *len, bool (*next)(void *arg, struct mcx_gktp *gktp), void *arg)
{
    struct mcx_xml_wr wr = { .max = MCX_GROUP_DOC_MAX };
    struct place at = { 0 };
    struct mcx_gktp gktp = { 0 };
    mcx_err err = MCX_OK;

    mcx_xml_wr_open(&wr, "mgktp:GKTPs");
    mcx_xml_wr_attr(&wr, "xmlns:mgktp", NS_GKTP);
    while (next(arg, &gktp)) {
        MCX_GO(err, put_payload(&wr, &at, &gktp));
        gktp = (struct mcx_gktp){ 0 };
    }
    leave_kind(&wr, &at);
    mcx_xml_wr_close(&wr);
    err = group_hand_over(out, len, &wr);
out:
    mcx_xml_wr_clear(&wr);
    return err;
}
