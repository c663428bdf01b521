/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/xml/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>
#include <mcx/text.h>

static size_t bound(const struct mcx_xml_wr *wr)
{
    return wr->max == 0 ? MCX_XML_MAX : wr->max;
}

/* Room for `n` more octets and a NUL, or NULL with the error set. Old memory is wiped before it is given back. */
static char *room(struct mcx_xml_wr *wr, size_t n)
{
    size_t cap = wr->cap == 0 ? 1024 : wr->cap;
    char *p = NULL;

    if (wr->err != MCX_OK) {
        return NULL;
    }
    if (n > bound(wr) - wr->len) {
        wr->err = MCX_E_SPACE;
        return NULL;
    }
    if (wr->len + n < wr->cap) {
        return wr->p + wr->len;
    }
    while (cap <= wr->len + n) {
        cap *= 2;
    }
    p = malloc(cap);
    if (p == NULL) {
        wr->err = MCX_E_NOMEM;
        return NULL;
    }
    if (wr->len > 0) {
        memcpy(p, wr->p, wr->len);
    }
    mcx_xml_text_free(wr->p, wr->cap);
    wr->p = p;
    wr->cap = cap;
    return wr->p + wr->len;
}

static void put(struct mcx_xml_wr *wr, const void *p, size_t len)
{
    char *to = room(wr, len);

    if (to != NULL && len > 0) {
        memcpy(to, p, len);
        wr->len += len;
    }
}

static void put_str(struct mcx_xml_wr *wr, const char *s)
{
    put(wr, s, strlen(s));
}

/* The five of XML 1.0 4.6, and the white space that a reader would otherwise normalise (2.11, 3.3.3). */
static const char *escape(uint8_t c, bool in_attr)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\r': return "&#13;";
    case '\n': return in_attr ? "&#10;" : NULL;
    case '\t': return in_attr ? "&#9;" : NULL;
    default: return NULL;
    }
}

static bool is_char(uint8_t c)
{
    return c >= 0x20 || c == '\t' || c == '\n' || c == '\r'; /* XML 1.0 2.2, within UTF-8 */
}

static void put_escaped(struct mcx_xml_wr *wr, struct mcx_bytes text, bool in_attr)
{
    size_t from = 0;

    if (!mcx_utf8_ok(text)) {
        wr->err = wr->err == MCX_OK ? MCX_E_ARG : wr->err;
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        const char *e = escape(text.p[i], in_attr);

        if (!is_char(text.p[i])) {
            wr->err = wr->err == MCX_OK ? MCX_E_ARG : wr->err;
            return;
        }
        if (e != NULL) {
            put(wr, text.p + from, i - from);
            put_str(wr, e);
            from = i + 1;
        }
    }
    if (from < text.len) {
        put(wr, text.p + from, text.len - from);
    }
}

static void end_tag_head(struct mcx_xml_wr *wr)
{
    if (wr->in_tag) {
        wr->in_tag = false;
        put_str(wr, ">");
    }
}

void mcx_xml_wr_open(struct mcx_xml_wr *wr, const char *name)
{
    end_tag_head(wr);
    if (wr->depth == MCX_XML_MAX_DEPTH) {
        wr->err = wr->err == MCX_OK ? MCX_E_BUG : wr->err;
        return;
    }
    wr->open[wr->depth++] = name;
    wr->in_tag = true;
    put_str(wr, "<");
    put_str(wr, name);
}

void mcx_xml_wr_attr(struct mcx_xml_wr *wr, const char *name, const char *value)
{
    if (!wr->in_tag) {
        wr->err = wr->err == MCX_OK ? MCX_E_BUG : wr->err;
        return;
    }
    put_str(wr, " ");
    put_str(wr, name);
    put_str(wr, "=\"");
    put_escaped(wr, mcx_bytes_str(value), true);
    put_str(wr, "\"");
}

void mcx_xml_wr_close(struct mcx_xml_wr *wr)
{
    if (wr->depth == 0) {
        wr->err = wr->err == MCX_OK ? MCX_E_BUG : wr->err;
        return;
    }
    wr->depth--;
    if (wr->in_tag) {
        wr->in_tag = false;
        put_str(wr, "/>");
        return;
    }
    put_str(wr, "</");
    put_str(wr, wr->open[wr->depth]);
    put_str(wr, ">");
}

void mcx_xml_wr_text(struct mcx_xml_wr *wr, struct mcx_bytes text)
{
    end_tag_head(wr);
    put_escaped(wr, text, false);
}

void mcx_xml_wr_hex(struct mcx_xml_wr *wr, struct mcx_bytes octets)
{
    char *to = NULL;

    end_tag_head(wr);
    if (octets.len > bound(wr)) {
        wr->err = wr->err == MCX_OK ? MCX_E_SPACE : wr->err;
        return;
    }
    to = room(wr, 2 * octets.len);
    if (to != NULL) {
        wr->err = mcx_hex_write_upper(to, wr->cap - wr->len, octets);
        wr->len += wr->err == MCX_OK ? 2 * octets.len : 0;
    }
}

void mcx_xml_wr_base64(struct mcx_xml_wr *wr, struct mcx_bytes octets)
{
    char *to = NULL;

    end_tag_head(wr);
    if (octets.len > bound(wr)) {
        wr->err = wr->err == MCX_OK ? MCX_E_SPACE : wr->err;
        return;
    }
    to = room(wr, MCX_BASE64_LEN(octets.len));
    if (to != NULL) {
        wr->err = mcx_base64_write(to, wr->cap - wr->len, octets);
        wr->len += wr->err == MCX_OK ? MCX_BASE64_LEN(octets.len) : 0;
    }
}

void mcx_xml_wr_elem(struct mcx_xml_wr *wr, const char *name, const char *text)
{
    if (text != NULL) {
        mcx_xml_wr_open(wr, name);
        mcx_xml_wr_text(wr, mcx_bytes_str(text));
        mcx_xml_wr_close(wr);
    }
}

void mcx_xml_wr_elem_u64(struct mcx_xml_wr *wr, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    mcx_xml_wr_elem(wr, name, text);
}

void mcx_xml_wr_raw(struct mcx_xml_wr *wr, struct mcx_bytes xml)
{
    end_tag_head(wr);
    put(wr, xml.p, xml.len);
}

mcx_err mcx_xml_wr_done(char **xml, size_t *len, struct mcx_xml_wr *wr)
{
    mcx_err err = wr->err;
    char *end = NULL;

    if (err == MCX_OK && (wr->depth != 0 || wr->len == 0)) {
        err = MCX_E_STATE;
    }
    if (err == MCX_OK) {
        end = room(wr, 0);
        err = wr->err;
    }
    if (end == NULL) {
        mcx_xml_wr_clear(wr);
        return err;
    }
    *end = '\0';
    *xml = wr->p;
    *len = wr->len;
    *wr = (struct mcx_xml_wr){ 0 };
    return MCX_OK;
}

void mcx_xml_wr_clear(struct mcx_xml_wr *wr)
{
    mcx_xml_text_free(wr->p, wr->cap);
    *wr = (struct mcx_xml_wr){ 0 };
}

void mcx_xml_text_free(char *xml, size_t len)
{
    if (xml != NULL) {
        mcx_wipe(xml, len);
    }
    free(xml);
}
