/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_CODEC_XML_H
#define MCX_CODEC_XML_H

/*
 * A thin, strict layer over libxml2 for small documents that come from a peer.
 *
 * Reading: the whole document is parsed once into a tree; elements are walked with _first/_next or fetched by
 * name with _child. Refused before any of it is looked at: more than MCX_XML_MAX octets (or the caller's bound), octets
 * that are not UTF-8, a DOCTYPE (so no entities beyond the five of XML), nesting over MCX_XML_MAX_DEPTH, more than one
 * element or attribute for MCX_XML_NODE_OCTETS octets of the bound. Nothing is fetched from anywhere. Comments and processing
 * instructions are dropped, CDATA is plain text, so that the text of an element is always one view.
 * White space between elements is ignored; values are given untrimmed (mcx_bytes_trim()).
 *
 * All views and elements borrow from the document and die with it. mcx_xml_free() wipes every text and
 * attribute value before it is released; README.md says what libxml2 may leave behind.
 *
 * Writing: a buffer with escaping. Errors stick: the first one is returned by mcx_xml_wr_done(), everything
 * after it is a no-op, so that a document reads as one list of calls. Memory is wiped when it grows and on free.
 */

#include <mcx/bytes.h>

#define MCX_XML_MAX         (1u << 20)
#define MCX_XML_MAX_DEPTH   16
#define MCX_XML_NODE_OCTETS 32 /* octets of the bound for each element or attribute */
#define MCX_XML_MAX_NODES   (MCX_XML_MAX / MCX_XML_NODE_OCTETS)

#define MCX_XML_XSI "http://www.w3.org/2001/XMLSchema-instance"

struct mcx_xml;
struct mcx_xml_node; /* an element of a document */

/** Namespaces that a name may be in; "" stands for no namespace. num 0 = any. */
struct mcx_xml_ns {
    const char *const *uri;
    size_t num;
};

/**
 * Parse a document.
 *
 * @retval MCX_E_SPACE   over MCX_XML_MAX octets
 * @retval MCX_E_FORMAT  not UTF-8, not well formed, DOCTYPE, too deep, too many nodes
 * @retval MCX_E_NOMEM
 */
MCX_MUST_CHECK mcx_err mcx_xml_read(struct mcx_xml **out, struct mcx_bytes text, struct mcx_refusal *why);
/** The same for documents with long lists: at most `max` octets. @retval as mcx_xml_read() */
MCX_MUST_CHECK mcx_err mcx_xml_read_max(struct mcx_xml **out, struct mcx_bytes text, size_t max,
                                        struct mcx_refusal *why);
/** Wipe and release; NULL is allowed. */
void mcx_xml_free(struct mcx_xml *doc);

const struct mcx_xml_node *mcx_xml_root(const struct mcx_xml *doc);
/** First child element and next sibling element, NULL at the end. */
const struct mcx_xml_node *mcx_xml_first(const struct mcx_xml_node *parent);
const struct mcx_xml_node *mcx_xml_next(const struct mcx_xml_node *node);
/** Local name; never NULL. */
const char *mcx_xml_name(const struct mcx_xml_node *node);
/** Namespace URI, "" when there is none. */
const char *mcx_xml_uri(const struct mcx_xml_node *node);
/** Has this local name in one of the namespaces. */
bool mcx_xml_is(const struct mcx_xml_node *node, struct mcx_xml_ns ns, const char *local);

/**
 * The only child element of that name; `*out` is NULL when there is none.
 *
 * @retval MCX_E_FORMAT  there are two
 */
MCX_MUST_CHECK mcx_err mcx_xml_child(const struct mcx_xml_node **out, const struct mcx_xml_node *parent,
                                     struct mcx_xml_ns ns, const char *local);
/** First child of that name, then each next one: for elements that may repeat. NULL at the end. */
const struct mcx_xml_node *mcx_xml_first_of(const struct mcx_xml_node *parent, struct mcx_xml_ns ns, const char *local);
const struct mcx_xml_node *mcx_xml_next_of(const struct mcx_xml_node *node, struct mcx_xml_ns ns, const char *local);
/** All text of an element, as it stands (empty view for an empty element). @retval MCX_E_FORMAT child elements */
MCX_MUST_CHECK mcx_err mcx_xml_text(struct mcx_bytes *out, const struct mcx_xml_node *node);
/** Value of an attribute in namespace `uri` ("" = none); false when absent. */
bool mcx_xml_attr(struct mcx_bytes *out, const struct mcx_xml_node *node, const char *uri, const char *local);

/** A document being written. Start from zeroed memory, with `max` for a longer one; release with mcx_xml_wr_clear() or hand over with _done(). */
struct mcx_xml_wr {
    char *p;
    size_t len;
    size_t cap;
    size_t max; /* octets; 0 = MCX_XML_MAX */
    mcx_err err;
    bool in_tag; /* the start tag is still open for attributes */
    size_t depth;
    const char *open[MCX_XML_MAX_DEPTH];
};

/** Start an element; `name` (with prefix, if any) is a string constant that outlives the writer. */
void mcx_xml_wr_open(struct mcx_xml_wr *wr, const char *name);
/** Attribute of the element just opened (xmlns and xmlns:p too). */
void mcx_xml_wr_attr(struct mcx_xml_wr *wr, const char *name, const char *value);
void mcx_xml_wr_close(struct mcx_xml_wr *wr);
/** Text, escaped. Refuses (MCX_E_ARG) what is not UTF-8 or not a character of XML. */
void mcx_xml_wr_text(struct mcx_xml_wr *wr, struct mcx_bytes text);
/** Text of hex digits in upper case, or of base64, written in place: fit for secrets. */
void mcx_xml_wr_hex(struct mcx_xml_wr *wr, struct mcx_bytes octets);
void mcx_xml_wr_base64(struct mcx_xml_wr *wr, struct mcx_bytes octets);
/** <name>text</name>; nothing when `text` is NULL. */
void mcx_xml_wr_elem(struct mcx_xml_wr *wr, const char *name, const char *text);
void mcx_xml_wr_elem_u64(struct mcx_xml_wr *wr, const char *name, uint64_t value);
/** Insert octets that are XML already, such as the output of another writer. */
void mcx_xml_wr_raw(struct mcx_xml_wr *wr, struct mcx_bytes xml);
/**
 * Hand over the finished document, NUL-terminated; release it with mcx_xml_text_free().
 *
 * @retval MCX_E_STATE  elements are still open @retval MCX_E_ARG @retval MCX_E_NOMEM @retval MCX_E_SPACE
 */
MCX_MUST_CHECK mcx_err mcx_xml_wr_done(char **xml, size_t *len, struct mcx_xml_wr *wr);
void mcx_xml_wr_clear(struct mcx_xml_wr *wr);
/** Wipe and free. */
void mcx_xml_text_free(char *xml, size_t len);

#endif
