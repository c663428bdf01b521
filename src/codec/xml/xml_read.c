/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xml/xml.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <libxml/tree.h>

#include <mcx/secret.h>
#include <mcx/text.h>

/* An element is libxml2's node under another name; the document owns the tree. */
struct mcx_xml {
    xmlDoc *doc;
};

/* Bounds kept while the parser runs; reached through the parser context's private pointer. */
struct bounds {
    size_t depth;
    size_t nodes;
    size_t max_nodes;
    const char *broken; /* the sentence for the refusal, NULL while all is well */
    bool no_memory;     /* libxml2 may go on without a node then, and say so only to the handler of errors */
};

static const xmlNode *tree(const struct mcx_xml_node *node)
{
    return (const xmlNode *)node;
}

static const struct mcx_xml_node *elem(const xmlNode *node)
{
    return (const struct mcx_xml_node *)node;
}

static void stop(xmlParserCtxt *ctxt, const char *reason)
{
    struct bounds *b = ctxt->_private;

    if (b->broken == NULL) {
        b->broken = reason;
    }
    xmlStopParser(ctxt);
}

static void start_element(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri, int num_ns,
                          const xmlChar **ns, int num_attr, int num_defaulted, const xmlChar **attr)
{
    xmlParserCtxt *ctxt = ctx;
    struct bounds *b = ctxt->_private;

    b->depth++;
    b->nodes += 1 + (size_t)num_ns + (size_t)num_attr;
    if (b->depth > MCX_XML_MAX_DEPTH) {
        stop(ctxt, "XML nested too deeply");
        return;
    }
    if (b->nodes > b->max_nodes) {
        stop(ctxt, "too many XML elements and attributes");
        return;
    }
    xmlSAX2StartElementNs(ctx, local, prefix, uri, num_ns, ns, num_attr, num_defaulted, attr);
}

static void end_element(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxt *ctxt = ctx;
    struct bounds *b = ctxt->_private;

    b->depth--;
    xmlSAX2EndElementNs(ctx, local, prefix, uri);
}

/* The parser calls this when it has read the name after <!DOCTYPE, before it looks at any declaration. */
static void doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    stop(ctx, "XML with a DOCTYPE");
}

/*
 * Left to itself, libxml2 prints some errors (memory) to standard error with a piece of the document around the
 * place: that may be a key. With a handler of ours it prints nothing.
 */
#if LIBXML_VERSION < 21200
typedef xmlError *error_ptr;
#else
typedef const xmlError *error_ptr;
#endif

static void on_parser_error(void *ctx, error_ptr error)
{
    struct bounds *b = ((xmlParserCtxt *)ctx)->_private;

    b->no_memory = b->no_memory || error->code == XML_ERR_NO_MEMORY;
}

static void on_thread_error(void *ctx, error_ptr error)
{
    struct bounds *b = ctx;

    b->no_memory = b->no_memory || error->code == XML_ERR_NO_MEMORY;
}

static void wipe_text(xmlDoc *doc, xmlChar *text)
{
    /* short strings shared by the dictionary are names and blanks, never values of ours */
    if (text != NULL && (doc->dict == NULL || xmlDictOwns(doc->dict, text) == 0)) {
        mcx_wipe(text, strlen((const char *)text));
    }
}

static void wipe_attributes(xmlDoc *doc, xmlNode *node)
{
    for (xmlAttr *a = node->properties; a != NULL; a = a->next) {
        for (xmlNode *t = a->children; t != NULL; t = t->next) {
            wipe_text(doc, t->content);
        }
    }
}

/* Every node below the document, without recursion. */
static void wipe_tree(xmlDoc *doc)
{
    xmlNode *node = doc->children;

    while (node != NULL) {
        if (node->type == XML_ELEMENT_NODE) {
            wipe_attributes(doc, node);
        } else {
            wipe_text(doc, node->content);
        }
        if (node->type == XML_ELEMENT_NODE && node->children != NULL) {
            node = node->children;
            continue;
        }
        while (node != NULL && node->next == NULL) {
            node = node->parent == (xmlNode *)doc ? NULL : node->parent;
        }
        node = node == NULL ? NULL : node->next;
    }
}

static void free_doc(xmlDoc *doc)
{
    if (doc != NULL) {
        wipe_tree(doc);
        xmlFreeDoc(doc);
    }
}

/* The octets were found to be UTF-8; a declaration that says otherwise would make two readers differ. */
static bool encoding_ok(const xmlDoc *doc)
{
    return doc->encoding == NULL || mcx_bytes_is_nocase(mcx_bytes_str((const char *)doc->encoding), "UTF-8") ||
           mcx_bytes_is_nocase(mcx_bytes_str((const char *)doc->encoding), "US-ASCII");
}

/* `text` is NUL-terminated and stays where it is: the parser reads it in place and makes no copy of it. */
static mcx_err parse_quietly(xmlDoc **out, const char *text, struct bounds *bounds, struct mcx_refusal *why)
{
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    xmlParserInput *input = NULL;
    mcx_err err = MCX_E_NOMEM;

    if (ctxt == NULL) {
        xmlResetLastError();
        return MCX_E_NOMEM;
    }
    (void)xmlCtxtUseOptions(ctxt, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    ctxt->_private = bounds;
    ctxt->sax->startElementNs = start_element;
    ctxt->sax->endElementNs = end_element;
    ctxt->sax->internalSubset = doctype;
    ctxt->sax->serror = on_parser_error;
    ctxt->sax->comment = NULL;
    ctxt->sax->processingInstruction = NULL;
    input = xmlNewStringInputStream(ctxt, (const xmlChar *)text);
    if (input == NULL) {
        goto out;
    }
    if (inputPush(ctxt, input) < 0) {
        xmlFreeInputStream(input);
        goto out;
    }
    (void)xmlParseDocument(ctxt);
    if (bounds->no_memory || ctxt->errNo == XML_ERR_NO_MEMORY) {
        err = MCX_E_NOMEM;
    } else if (bounds->broken != NULL) {
        err = mcx_refuse(why, MCX_E_FORMAT, bounds->broken, "");
    } else if (ctxt->wellFormed == 0 || ctxt->nsWellFormed == 0 || ctxt->myDoc == NULL) {
        err = mcx_refuse(why, MCX_E_FORMAT, "XML that is not well formed", "");
    } else if (!encoding_ok(ctxt->myDoc)) {
        err = mcx_refuse(why, MCX_E_FORMAT, "XML declared in another encoding than UTF-8", "");
    } else {
        *out = ctxt->myDoc;
        ctxt->myDoc = NULL;
        err = MCX_OK;
    }
out:
    free_doc(ctxt->myDoc);
    ctxt->myDoc = NULL;
    xmlFreeParserCtxt(ctxt);
    xmlResetLastError(); /* may name an element of the document */
    return err;
}

/* Errors without a parser context go to a handler of the thread; whoever has set one gets it back. */
static mcx_err parse(xmlDoc **out, const char *text, size_t max, struct mcx_refusal *why)
{
    xmlStructuredErrorFunc handler = xmlStructuredError;
    void *handler_ctx = xmlStructuredErrorContext;
    struct bounds bounds = { .max_nodes = max / MCX_XML_NODE_OCTETS };
    mcx_err err;

    xmlSetStructuredErrorFunc(&bounds, on_thread_error);
    err = parse_quietly(out, text, &bounds, why);
    xmlSetStructuredErrorFunc(handler_ctx, handler);
    return err;
}

mcx_err mcx_xml_read(struct mcx_xml **out, struct mcx_bytes text, struct mcx_refusal *why)
{
    return mcx_xml_read_max(out, text, MCX_XML_MAX, why);
}

mcx_err mcx_xml_read_max(struct mcx_xml **out, struct mcx_bytes text, size_t max, struct mcx_refusal *why)
{
    struct mcx_xml *doc = NULL;
    char *copy = NULL;
    mcx_err err = MCX_OK;

    if (text.len > max) {
        return mcx_refuse(why, MCX_E_SPACE, "XML document larger than its bound", "");
    }
    if (!mcx_utf8_ok(text)) {
        return mcx_refuse(why, MCX_E_FORMAT, "XML document is not UTF-8", "");
    }
    doc = calloc(1, sizeof *doc);
    copy = malloc(text.len + 1);
    if (doc == NULL || copy == NULL) {
        err = MCX_E_NOMEM;
        goto out;
    }
    if (text.len > 0) {
        memcpy(copy, text.p, text.len);
    }
    copy[text.len] = '\0';
    MCX_GO(err, parse(&doc->doc, copy, max, why));
    *out = doc;
    doc = NULL;
out:
    if (copy != NULL) {
        mcx_wipe(copy, text.len);
    }
    free(copy);
    free(doc);
    return err;
}

void mcx_xml_free(struct mcx_xml *doc)
{
    if (doc == NULL) {
        return;
    }
    free_doc(doc->doc);
    free(doc);
}

static const xmlNode *skip_to_element(const xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node;
}

const struct mcx_xml_node *mcx_xml_root(const struct mcx_xml *doc)
{
    return elem(xmlDocGetRootElement(doc->doc));
}

const struct mcx_xml_node *mcx_xml_first(const struct mcx_xml_node *parent)
{
    return elem(skip_to_element(tree(parent)->children));
}

const struct mcx_xml_node *mcx_xml_next(const struct mcx_xml_node *node)
{
    return elem(skip_to_element(tree(node)->next));
}

const char *mcx_xml_name(const struct mcx_xml_node *node)
{
    return (const char *)tree(node)->name;
}

const char *mcx_xml_uri(const struct mcx_xml_node *node)
{
    const xmlNs *ns = tree(node)->ns;

    return ns == NULL || ns->href == NULL ? "" : (const char *)ns->href;
}

bool mcx_xml_is(const struct mcx_xml_node *node, struct mcx_xml_ns ns, const char *local)
{
    const char *uri = mcx_xml_uri(node);

    if (strcmp(mcx_xml_name(node), local) != 0) {
        return false;
    }
    for (size_t i = 0; i < ns.num; i++) {
        if (strcmp(uri, ns.uri[i]) == 0) {
            return true;
        }
    }
    return ns.num == 0;
}

static const struct mcx_xml_node *seek(const struct mcx_xml_node *node, struct mcx_xml_ns ns, const char *local)
{
    while (node != NULL && !mcx_xml_is(node, ns, local)) {
        node = mcx_xml_next(node);
    }
    return node;
}

const struct mcx_xml_node *mcx_xml_first_of(const struct mcx_xml_node *parent, struct mcx_xml_ns ns, const char *local)
{
    return seek(mcx_xml_first(parent), ns, local);
}

const struct mcx_xml_node *mcx_xml_next_of(const struct mcx_xml_node *node, struct mcx_xml_ns ns, const char *local)
{
    return seek(mcx_xml_next(node), ns, local);
}

mcx_err mcx_xml_child(const struct mcx_xml_node **out, const struct mcx_xml_node *parent, struct mcx_xml_ns ns,
                      const char *local)
{
    const struct mcx_xml_node *found = mcx_xml_first_of(parent, ns, local);

    if (found != NULL && mcx_xml_next_of(found, ns, local) != NULL) {
        return MCX_E_FORMAT;
    }
    *out = found;
    return MCX_OK;
}

mcx_err mcx_xml_text(struct mcx_bytes *out, const struct mcx_xml_node *node)
{
    const xmlNode *text = tree(node)->children;

    if (text == NULL) {
        *out = mcx_bytes("", 0);
        return MCX_OK;
    }
    /* the parser joins adjacent text, so anything after it is an element */
    if (text->type != XML_TEXT_NODE || text->next != NULL) {
        return MCX_E_FORMAT;
    }
    *out = mcx_bytes_str((const char *)text->content);
    return MCX_OK;
}

bool mcx_xml_attr(struct mcx_bytes *out, const struct mcx_xml_node *node, const char *uri, const char *local)
{
    for (const xmlAttr *a = tree(node)->properties; a != NULL; a = a->next) {
        const char *ns = a->ns == NULL || a->ns->href == NULL ? "" : (const char *)a->ns->href;
        const xmlNode *text = a->children;

        if (strcmp(ns, uri) != 0 || strcmp((const char *)a->name, local) != 0) {
            continue;
        }
        *out = text == NULL ? mcx_bytes("", 0) : mcx_bytes_str((const char *)text->content);
        return true;
    }
    return false;
}
