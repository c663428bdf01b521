/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/mixed (RFC 2046 5.1), as views into the body. */
#include <mcx/mcptt.h>

#include <stdio.h>
#include <string.h>

#define BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */
#define CLAUSE       "RFC 2046 5.1"
/* Boundaries tried: each costs a pass over the parts, and nobody but an attacker fills a body with them. */
#define BOUNDARIES_MAX 32

static struct mcx_bytes after(struct mcx_bytes b, size_t n)
{
    return mcx_bytes(b.p + n, b.len - n);
}

/* First place of `c` in `b`, or b.len. */
static size_t find_octet(struct mcx_bytes b, char c)
{
    const uint8_t *at = b.len > 0 ? memchr(b.p, c, b.len) : NULL;

    return at == NULL ? b.len : (size_t)(at - b.p);
}

/* One line without its end; `b` moves past it. CRLF by the book, a bare LF from the careless. */
static struct mcx_bytes take_line(struct mcx_bytes *b)
{
    size_t n = find_octet(*b, '\n');
    struct mcx_bytes line = mcx_bytes(b->p, n);

    *b = after(*b, n < b->len ? n + 1 : n);
    if (line.len > 0 && line.p[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

/* Media type without its parameters. */
static struct mcx_bytes bare_type(struct mcx_bytes type)
{
    return mcx_bytes_trim(mcx_bytes(type.p, find_octet(type, ';')));
}

/* Next parameter `name=value` of a header value, quotes taken off; false at the end. */
static bool take_param(struct mcx_bytes *rest, struct mcx_bytes *name, struct mcx_bytes *value)
{
    size_t start = find_octet(*rest, ';');
    size_t n;

    if (start == rest->len) {
        return false;
    }
    *rest = after(*rest, start + 1);
    n = find_octet(*rest, '=');
    if (n == rest->len) {
        return false;
    }
    *name = mcx_bytes_trim(mcx_bytes(rest->p, n));
    *rest = after(*rest, n + 1);
    while (rest->len > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
        *rest = after(*rest, 1);
    }
    if (rest->len > 0 && rest->p[0] == '"') {
        *rest = after(*rest, 1);
        n = find_octet(*rest, '"');
        if (n == rest->len) {
            return false;
        }
        *value = mcx_bytes(rest->p, n);
        *rest = after(*rest, n + 1);
        return true;
    }
    n = find_octet(*rest, ';');
    *value = mcx_bytes_trim(mcx_bytes(rest->p, n));
    *rest = after(*rest, n);
    return true;
}

static mcx_err find_boundary(struct mcx_bytes *boundary, struct mcx_bytes content_type)
{
    struct mcx_bytes rest = content_type;
    struct mcx_bytes name, value;

    while (take_param(&rest, &name, &value)) {
        if (mcx_bytes_is_nocase(name, "boundary")) {
            *boundary = value;
            return value.len > 0 && value.len <= BOUNDARY_MAX ? MCX_OK : MCX_E_FORMAT;
        }
    }
    return MCX_E_FORMAT;
}

enum line_kind { LINE_OTHER, LINE_DELIMITER, LINE_CLOSE };

/* "--boundary" or "--boundary--", white space after it allowed. */
static enum line_kind kind_of(struct mcx_bytes line, struct mcx_bytes boundary)
{
    struct mcx_bytes rest;

    if (line.len < 2 + boundary.len || line.p[0] != '-' || line.p[1] != '-' ||
        memcmp(line.p + 2, boundary.p, boundary.len) != 0) {
        return LINE_OTHER;
    }
    rest = mcx_bytes_trim(after(line, 2 + boundary.len));
    if (rest.len == 0) {
        return LINE_DELIMITER;
    }
    return mcx_bytes_is(rest, "--") ? LINE_CLOSE : LINE_OTHER;
}

static mcx_err take_header(struct mcx_mime_part *part, struct mcx_bytes line)
{
    size_t n = find_octet(line, ':');
    struct mcx_bytes name = mcx_bytes_trim(mcx_bytes(line.p, n));
    struct mcx_bytes value;

    if (n == line.len) {
        return MCX_E_FORMAT;
    }
    value = mcx_bytes_trim(after(line, n + 1));
    if (mcx_bytes_is_nocase(name, "content-type") || mcx_bytes_is_nocase(name, "c")) {
        part->type = value;
    } else if (mcx_bytes_is_nocase(name, "content-disposition")) {
        part->disposition = value;
    } else if (mcx_bytes_is_nocase(name, "content-id")) {
        part->id = value;
    } else if (mcx_bytes_is_nocase(name, "content-transfer-encoding") && !mcx_bytes_is_nocase(value, "7bit") &&
               !mcx_bytes_is_nocase(value, "8bit") && !mcx_bytes_is_nocase(value, "binary")) {
        return MCX_E_UNSUP;
    }
    return MCX_OK;
}

static mcx_err split_part(struct mcx_mime_part *part, struct mcx_bytes octets)
{
    struct mcx_bytes rest = octets;

    memset(part, 0, sizeof *part);
    part->type = mcx_bytes_str("text/plain"); /* RFC 2046 5.1: a part without a type */
    while (rest.len > 0) {
        struct mcx_bytes line = take_line(&rest);

        if (line.len == 0) {
            part->body = rest;
            return MCX_OK;
        }
        MCX_TRY(take_header(part, line));
    }
    part->body = mcx_bytes(octets.p + octets.len, 0);
    return MCX_OK;
}

/* The line end before a delimiter belongs to the delimiter. */
static struct mcx_bytes without_line_end(const uint8_t *start, const uint8_t *end)
{
    struct mcx_bytes b = mcx_bytes(start, (size_t)(end - start));

    if (b.len > 0 && b.p[b.len - 1] == '\n') {
        b.len--;
        if (b.len > 0 && b.p[b.len - 1] == '\r') {
            b.len--;
        }
    }
    return b;
}

static mcx_err split(struct mcx_mime *out, struct mcx_bytes boundary, struct mcx_bytes body, struct mcx_refusal *why)
{
    struct mcx_bytes rest = body;
    const uint8_t *start = NULL;

    while (rest.len > 0) {
        const uint8_t *at = rest.p;
        enum line_kind kind = kind_of(take_line(&rest), boundary);
        mcx_err err;

        if (kind == LINE_OTHER) {
            continue;
        }
        if (start != NULL) {
            if (out->num == MCX_MIME_MAX_PARTS) {
                return mcx_refuse(why, MCX_E_UNSUP, "too many parts in a multipart body", CLAUSE);
            }
            err = split_part(&out->part[out->num], without_line_end(start, at));
            if (err == MCX_E_UNSUP) {
                return mcx_refuse(why, err, "transfer encoding of a part is not supported", "RFC 2045 6");
            }
            if (err != MCX_OK) {
                return mcx_refuse(why, err, "a header line of a part has no colon", CLAUSE);
            }
            out->num++;
        }
        start = rest.p;
        if (kind == LINE_CLOSE) {
            return out->num > 0 ? MCX_OK : mcx_refuse(why, MCX_E_FORMAT, "multipart body without a part", CLAUSE);
        }
    }
    return mcx_refuse(why, MCX_E_FORMAT, "closing boundary of a multipart body is missing", CLAUSE);
}

mcx_err mcx_mime_read(struct mcx_mime *out, struct mcx_bytes content_type, struct mcx_bytes body,
                      struct mcx_refusal *why)
{
    struct mcx_mime mime = { 0 };
    struct mcx_bytes boundary = mcx_bytes(NULL, 0);
    struct mcx_bytes type = bare_type(content_type);
    size_t slash = find_octet(type, '/');

    if (type.len == 0 && body.len == 0) {
        out->num = 0;
        return MCX_OK;
    }
    if (!mcx_bytes_is_nocase(mcx_bytes(type.p, slash), "multipart")) {
        mime.part[0] = (struct mcx_mime_part){ .type = content_type, .body = body };
        mime.num = 1;
        *out = mime;
        return MCX_OK;
    }
    if (find_boundary(&boundary, content_type) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "multipart without a usable boundary", CLAUSE);
    }
    MCX_TRY(split(&mime, boundary, body, why));
    *out = mime;
    return MCX_OK;
}

const struct mcx_mime_part *mcx_mime_find(const struct mcx_mime *mime, const char *type)
{
    for (size_t i = 0; i < mime->num; i++) {
        if (mcx_bytes_is_nocase(bare_type(mime->part[i].type), type)) {
            return &mime->part[i];
        }
    }
    return NULL;
}

static bool occurs(const struct mcx_mime *mime, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < mime->num; i++) {
        struct mcx_bytes b = mime->part[i].body;

        for (size_t k = 0; k + n <= b.len; k++) {
            if (memcmp(b.p + k, text, n) == 0) {
                return true;
            }
        }
    }
    return false;
}

static mcx_err put_header(struct mcx_wr *wr, const char *name, struct mcx_bytes value)
{
    if (value.len == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_wr_str(wr, name));
    MCX_TRY(mcx_wr_put(wr, value));
    return mcx_wr_str(wr, "\r\n");
}

static mcx_err put_part(struct mcx_wr *wr, const char *boundary, const struct mcx_mime_part *part)
{
    MCX_TRY(mcx_wr_str(wr, "--"));
    MCX_TRY(mcx_wr_str(wr, boundary));
    MCX_TRY(mcx_wr_str(wr, "\r\n"));
    MCX_TRY(put_header(wr, "Content-Type: ", part->type));
    MCX_TRY(put_header(wr, "Content-Disposition: ", part->disposition));
    MCX_TRY(put_header(wr, "Content-ID: ", part->id));
    MCX_TRY(mcx_wr_str(wr, "\r\n"));
    MCX_TRY(mcx_wr_put(wr, part->body));
    return mcx_wr_str(wr, "\r\n");
}

static mcx_err put_parts(struct mcx_wr *wr, const char *boundary, const struct mcx_mime *mime)
{
    for (size_t i = 0; i < mime->num; i++) {
        MCX_TRY(put_part(wr, boundary, &mime->part[i]));
    }
    MCX_TRY(mcx_wr_str(wr, "--"));
    MCX_TRY(mcx_wr_str(wr, boundary));
    return mcx_wr_str(wr, "--\r\n");
}

mcx_err mcx_mime_write(struct mcx_wr *out, char content_type[MCX_MIME_TYPE_MAX], const struct mcx_mime *mime)
{
    struct mcx_wr wr = *out;
    char boundary[32];
    char type[MCX_MIME_TYPE_MAX];

    if (mime->num == 0 || mime->num > MCX_MIME_MAX_PARTS) {
        return MCX_E_ARG;
    }
    if (mime->num == 1 && mime->part[0].disposition.len == 0 && mime->part[0].id.len == 0) {
        MCX_TRY(mcx_bytes_cstr(type, sizeof type, mime->part[0].type));
        MCX_TRY(mcx_wr_put(&wr, mime->part[0].body));
    } else {
        unsigned n = 0;

        do {
            if (n == BOUNDARIES_MAX) {
                return MCX_E_ARG;
            }
            (void)snprintf(boundary, sizeof boundary, "mcx-part-%u", n++);
        } while (occurs(mime, boundary));
        (void)snprintf(type, sizeof type, "multipart/mixed;boundary=\"%s\"", boundary);
        MCX_TRY(put_parts(&wr, boundary, mime));
    }
    *out = wr;
    memcpy(content_type, type, sizeof type);
    return MCX_OK;
}
