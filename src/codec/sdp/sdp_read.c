/* SPDX-License-Identifier: Apache-2.0 */
/* Session description: lines, levels, m= and c= (RFC 4566 5, 9). */
#include "codec/sdp/sdp_line.h"

#include <string.h>

#include <mcx/text.h>

/* The letters of RFC 4566 5; a description with any other must be ignored as a whole. */
static const char SESSION_LETTERS[] = "vosiuepcbtrzka";
static const char MEDIA_LETTERS[] = "micbka";

bool mcx_sdp_line_next(struct mcx_rd *rd, struct mcx_bytes *line)
{
    const uint8_t *end = NULL;
    struct mcx_bytes taken = { 0 };
    size_t with_end = 0;

    if (rd->len == 0) {
        return false;
    }
    end = memchr(rd->p, '\n', rd->len);
    with_end = end == NULL ? rd->len : (size_t)(end - rd->p) + 1;
    if (mcx_rd_take(rd, with_end, &taken) != MCX_OK) {
        return false;
    }
    if (end != NULL) {
        taken.len--;
        taken.len -= taken.len > 0 && taken.p[taken.len - 1] == '\r';
    }
    *line = taken;
    return true;
}

bool mcx_sdp_cut(struct mcx_bytes *rest, char sep, struct mcx_bytes *word)
{
    struct mcx_rd rd = mcx_rd(*rest);
    const uint8_t *at = rest->len == 0 ? NULL : memchr(rest->p, sep, rest->len);
    size_t n = at == NULL ? rest->len : (size_t)(at - rest->p);
    struct mcx_bytes gone = { 0 };

    if (rest->len == 0 || mcx_rd_take(&rd, n, word) != MCX_OK) {
        return false;
    }
    if (at != NULL && mcx_rd_take(&rd, 1, &gone) != MCX_OK) {
        return false;
    }
    *rest = mcx_bytes(rd.p, rd.len);
    return true;
}

static bool alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool mcx_sdp_host_ok(struct mcx_bytes host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (!alnum(host.p[i]) && host.p[i] != '.' && host.p[i] != ':' && host.p[i] != '-') {
            return false;
        }
    }
    return host.len > 0 && host.len <= 255;
}

bool mcx_sdp_attr_next(struct mcx_rd *rd, struct mcx_bytes *name, struct mcx_bytes *value)
{
    struct mcx_bytes line = { 0 };

    while (mcx_sdp_line_next(rd, &line)) {
        struct mcx_bytes letter = { 0 };

        if (!mcx_sdp_cut(&line, '=', &letter) || !mcx_bytes_is(letter, "a")) {
            continue;
        }
        *name = mcx_bytes(line.p, 0);
        (void)mcx_sdp_cut(&line, ':', name);
        *value = line;
        return true;
    }
    return false;
}

struct mcx_bytes mcx_sdp_fmtp(const struct mcx_sdp_media *media, struct mcx_bytes fmt)
{
    struct mcx_rd rd = mcx_rd(media->section);
    struct mcx_bytes name = { 0 };
    struct mcx_bytes value = { 0 };

    while (mcx_sdp_attr_next(&rd, &name, &value)) {
        struct mcx_bytes word = { 0 };

        if (mcx_bytes_is(name, "fmtp") && mcx_sdp_cut(&value, ' ', &word) && mcx_bytes_equal(word, fmt)) {
            return mcx_bytes_trim(value);
        }
    }
    return mcx_bytes(NULL, 0);
}

/* c=IN IP4 192.0.2.1/127 (RFC 4566 5.7) */
static mcx_err conn_read(struct mcx_sdp_conn *out, struct mcx_bytes value)
{
    struct mcx_sdp_conn v = { .value = value };
    struct mcx_bytes rest = value;
    struct mcx_bytes net = { 0 };
    struct mcx_bytes type = { 0 };

    if (!mcx_sdp_cut(&rest, ' ', &net) || !mcx_bytes_is(net, "IN") || !mcx_sdp_cut(&rest, ' ', &type) ||
        !mcx_sdp_cut(&rest, '/', &v.host) || !mcx_sdp_host_ok(v.host)) {
        return MCX_E_FORMAT;
    }
    v.ip6 = mcx_bytes_is(type, "IP6");
    if (!v.ip6 && !mcx_bytes_is(type, "IP4")) {
        return MCX_E_FORMAT;
    }
    *out = v;
    return MCX_OK;
}

static bool too_many_formats(struct mcx_bytes formats)
{
    struct mcx_bytes word = { 0 };
    size_t num = 0;

    while (num <= MCX_SDP_MAX_FORMATS && mcx_sdp_cut(&formats, ' ', &word)) {
        num++;
    }
    return num > MCX_SDP_MAX_FORMATS;
}

/* m=audio 49170 RTP/AVP 97 (RFC 4566 5.14) */
static mcx_err media_read(struct mcx_sdp_media *out, struct mcx_bytes value)
{
    struct mcx_sdp_media v = { 0 };
    uint64_t port = 0;

    if (!mcx_sdp_cut(&value, ' ', &v.type) || v.type.len == 0 || !mcx_sdp_cut(&value, ' ', &v.port_text) ||
        !mcx_sdp_cut(&value, ' ', &v.proto) || v.proto.len == 0 || value.len == 0) {
        return MCX_E_FORMAT;
    }
    if (memchr(v.port_text.p, '/', v.port_text.len) != NULL) {
        return MCX_E_UNSUP; /* several ports for one medium */
    }
    MCX_TRY(mcx_dec_read(&port, 65535, v.port_text));
    if (too_many_formats(value)) {
        return MCX_E_SPACE;
    }
    v.port = (uint16_t)port;
    v.formats = value;
    *out = v;
    return MCX_OK;
}

/* What has been read so far; `level` is the section that lines go to. */
struct reader {
    struct mcx_sdp sdp;
    struct mcx_sdp_media *media; /* NULL at session level */
    uint32_t seen;               /* bit per letter, of the present level */
    uint32_t session_seen;
    const uint8_t *section_start;
    struct mcx_refusal *why;
};

static uint32_t letter_bit(uint8_t letter)
{
    return UINT32_C(1) << (letter - 'a');
}

static void section_close(struct reader *r, const uint8_t *end)
{
    struct mcx_bytes section = mcx_bytes(r->section_start, (size_t)(end - r->section_start));

    if (r->media == NULL) {
        r->sdp.session = section;
        r->session_seen = r->seen;
    } else {
        r->media->section = section;
    }
    r->section_start = end;
    r->seen = 0;
}

static mcx_err media_open(struct reader *r, const uint8_t *start, struct mcx_bytes value)
{
    mcx_err err = MCX_OK;

    if (r->sdp.num_media == MCX_SDP_MAX_MEDIA) {
        return mcx_refuse(r->why, MCX_E_SPACE, "the SDP has more media than are supported", "RFC 4566 5.14");
    }
    section_close(r, start);
    r->media = &r->sdp.media[r->sdp.num_media++];
    err = media_read(r->media, value);
    if (err == MCX_E_UNSUP) {
        return mcx_refuse(r->why, err, "several ports in one m= line", "RFC 4566 5.14");
    }
    if (err == MCX_E_SPACE) {
        return mcx_refuse(r->why, err, "more formats in one m= line than are supported", "RFC 4566 5.14");
    }
    if (err != MCX_OK) {
        return mcx_refuse(r->why, err, "malformed m= line", "RFC 4566 5.14");
    }
    return MCX_OK;
}

/* Obligatory lines, and c=, may stand once at their level. */
static bool single(uint8_t letter)
{
    return strchr("vosc", letter) != NULL;
}

static mcx_err line_take(struct reader *r, const uint8_t *start, uint8_t letter, struct mcx_bytes value)
{
    const char *letters = r->media == NULL ? SESSION_LETTERS : MEDIA_LETTERS;

    if (letter == 'm') {
        return media_open(r, start, value);
    }
    if (strchr(letters, letter) == NULL) {
        return mcx_refuse(r->why, MCX_E_FORMAT, "an SDP line of unknown type or at the wrong level", "RFC 4566 5");
    }
    if (single(letter) && (r->seen & letter_bit(letter)) != 0) {
        return mcx_refuse(r->why, MCX_E_FORMAT, "an SDP line that may stand once stands twice", "RFC 4566 5");
    }
    if ((letter == 'v') != (r->media == NULL && r->seen == 0)) {
        return mcx_refuse(r->why, MCX_E_FORMAT, "the SDP does not start with v=", "RFC 4566 5.1");
    }
    if (letter == 'c' && (r->seen & letter_bit('a')) != 0) { /* mcx_sdp_rewrite() goes forward only */
        return mcx_refuse(r->why, MCX_E_FORMAT, "a c= line below an a= line", "RFC 4566 5");
    }
    r->seen |= letter_bit(letter);
    switch (letter) {
    case 'v':
        return mcx_bytes_is(value, "0") ? MCX_OK
                                        : mcx_refuse(r->why, MCX_E_UNSUP, "unknown SDP version", "RFC 4566 5.1");
    case 'o': r->sdp.origin = value; return MCX_OK;
    case 'c':
        if (conn_read(r->media == NULL ? &r->sdp.conn : &r->media->conn, value) != MCX_OK) {
            return mcx_refuse(r->why, MCX_E_FORMAT, "malformed c= line", "RFC 4566 5.7");
        }
        return MCX_OK;
    default: return MCX_OK;
    }
}

static mcx_err lines_read(struct reader *r)
{
    struct mcx_rd rd = mcx_rd(r->sdp.text);
    struct mcx_bytes line = { 0 };
    const uint8_t *start = rd.p;

    while (mcx_sdp_line_next(&rd, &line)) {
        struct mcx_bytes letter = { 0 };

        if (memchr(line.p, '\0', line.len) != NULL || memchr(line.p, '\r', line.len) != NULL) {
            return mcx_refuse(r->why, MCX_E_FORMAT, "an octet that SDP forbids", "RFC 4566 9");
        }
        if (!mcx_sdp_cut(&line, '=', &letter) || letter.len != 1 || letter.p[0] < 'a' || letter.p[0] > 'z' ||
            letter.p + 1 == line.p) { /* a letter alone: no '=' was cut */
            return mcx_refuse(r->why, MCX_E_FORMAT, "an SDP line that is not letter=value", "RFC 4566 5");
        }
        MCX_TRY(line_take(r, start, letter.p[0], line));
        start = rd.p;
    }
    section_close(r, start);
    return MCX_OK;
}

mcx_err mcx_sdp_read(struct mcx_sdp *out, struct mcx_bytes text, struct mcx_refusal *why)
{
    struct reader r = { .sdp = { .text = text }, .section_start = text.p, .why = why };
    uint32_t must = letter_bit('v') | letter_bit('o') | letter_bit('s') | letter_bit('t');

    if (text.len > MCX_SDP_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, "the SDP is too long", "");
    }
    if (text.len == 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "the SDP is empty", "RFC 4566 5");
    }
    MCX_TRY(lines_read(&r));
    if ((r.session_seen & must) != must) {
        return mcx_refuse(why, MCX_E_FORMAT, "an obligatory SDP line is absent", "RFC 4566 5");
    }
    *out = r.sdp;
    return MCX_OK;
}

const struct mcx_sdp_conn *mcx_sdp_conn(const struct mcx_sdp *sdp, size_t media)
{
    const struct mcx_sdp_conn *own = &sdp->media[media].conn;

    return own->host.len > 0 ? own : &sdp->conn;
}
