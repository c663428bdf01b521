/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server changes in a description that passes through it (TS 24.379 6.3.2.1, 6.3.3.1): addresses and ports,
 * and what it says of floor control itself (TS 24.380 14).
 * The text is copied in runs; only the octets of an address or a port are left out and written anew.
 */
#include "codec/sdp/sdp_line.h"

#include <stdio.h>
#include <string.h>

/* Copying stands at `at`; everything before it is in `wr`. */
struct copy {
    struct mcx_wr wr;
    const uint8_t *at;
};

static mcx_err copy_to(struct copy *c, const uint8_t *to)
{
    MCX_TRY(mcx_wr_put(&c->wr, mcx_bytes(c->at, (size_t)(to - c->at))));
    c->at = to;
    return MCX_OK;
}

/* Write `text` in the place of `old`, which lies at or after c->at. */
static mcx_err swap(struct copy *c, struct mcx_bytes old, const char *text)
{
    MCX_TRY(copy_to(c, old.p));
    MCX_TRY(mcx_wr_str(&c->wr, text));
    c->at = old.p + old.len;
    return MCX_OK;
}

static mcx_err conn_text(char *out, size_t cap, const char *address)
{
    int n = snprintf(out, cap, "IN %s %s", strchr(address, ':') != NULL ? "IP6" : "IP4", address);

    return n > 0 && (size_t)n < cap ? MCX_OK : MCX_E_ARG;
}

static const struct mcx_sdp_replace *replace_for(const struct mcx_sdp_replace *replace, size_t num, size_t media)
{
    for (size_t i = 0; i < num; i++) {
        if (replace[i].media == media) {
            return &replace[i];
        }
    }
    return NULL;
}

/* The one address for the session's c= line, or NULL when it has to stay. A refused medium uses no address. */
static const char *session_address(const struct mcx_sdp *sdp, const struct mcx_sdp_replace *replace, size_t num)
{
    const char *address = NULL;

    if (sdp->conn.host.len == 0) {
        return NULL;
    }
    for (size_t i = 0; i < sdp->num_media; i++) {
        const struct mcx_sdp_replace *r = replace_for(replace, num, i);

        if (sdp->media[i].conn.host.len > 0 || sdp->media[i].port == 0 || (r != NULL && r->port == 0)) {
            continue;
        }
        if (r == NULL || (address != NULL && strcmp(address, r->address) != 0)) {
            return NULL;
        }
        address = r->address;
    }
    return address;
}

/* A c= line goes below m= and i= (RFC 4566 9). Copies up to that place and writes it. */
static mcx_err conn_insert(struct copy *c, const struct mcx_sdp_media *media, const char *conn)
{
    struct mcx_rd rd = mcx_rd(media->section);
    struct mcx_bytes line = { 0 };
    const uint8_t *place = rd.p;
    bool ended = false;

    while (mcx_sdp_line_next(&rd, &line) && (line.p[0] == 'm' || line.p[0] == 'i')) {
        place = rd.p;
    }
    MCX_TRY(copy_to(c, place));
    ended = place[-1] == '\n'; /* the last line of the text may lack its end */
    MCX_TRY(mcx_wr_str(&c->wr, ended ? "c=" : "\r\nc="));
    MCX_TRY(mcx_wr_str(&c->wr, conn));
    return mcx_wr_str(&c->wr, "\r\n");
}

static mcx_err rtcp_swap(struct copy *c, const struct mcx_sdp_media *media, uint16_t port)
{
    struct mcx_rd rd = mcx_rd(media->section);
    struct mcx_bytes name = { 0 };
    struct mcx_bytes value = { 0 };
    char text[8];

    (void)snprintf(text, sizeof text, "%u", (unsigned)port);
    while (mcx_sdp_attr_next(&rd, &name, &value)) {
        if (mcx_bytes_is(name, "rtcp") && value.len > 0) {
            return swap(c, value, text); /* RFC 3605: with an address or without */
        }
    }
    return MCX_OK;
}

static bool is_floor_fmtp(struct mcx_bytes line)
{
    struct mcx_bytes word = { 0 };

    return mcx_sdp_cut(&line, ' ', &word) && mcx_bytes_is(word, "a=fmtp:MCPTT");
}

/* Our line at the end of the section, in the place of all that are there. */
static mcx_err floor_swap(struct copy *c, const struct mcx_sdp_media *media, const char *fmtp)
{
    struct mcx_rd rd = mcx_rd(media->section);
    struct mcx_bytes line = { 0 };

    while (mcx_sdp_line_next(&rd, &line)) {
        if (is_floor_fmtp(line)) {
            MCX_TRY(copy_to(c, line.p));
            c->at = rd.p;
        }
    }
    MCX_TRY(copy_to(c, media->section.p + media->section.len));
    if (fmtp[0] == '\0') {
        return MCX_OK;
    }
    if (c->wr.p[c->wr.len - 1] != '\n') {
        MCX_TRY(mcx_wr_str(&c->wr, "\r\n"));
    }
    MCX_TRY(mcx_wr_str(&c->wr, "a=fmtp:MCPTT "));
    MCX_TRY(mcx_wr_str(&c->wr, fmtp));
    return mcx_wr_str(&c->wr, "\r\n");
}

static mcx_err media_rewrite(struct copy *c, const struct mcx_sdp_media *media, const struct mcx_sdp_replace *r,
                             bool insert_conn)
{
    char port[8];
    char conn[96];

    (void)snprintf(port, sizeof port, "%u", (unsigned)r->port);
    MCX_TRY(swap(c, media->port_text, port));
    if (r->port == 0) {
        return MCX_OK;
    }
    MCX_TRY(conn_text(conn, sizeof conn, r->address));
    if (media->conn.host.len > 0) {
        MCX_TRY(swap(c, media->conn.value, conn));
    } else if (insert_conn) {
        MCX_TRY(conn_insert(c, media, conn));
    }
    if (r->floor_fmtp != NULL) { /* of a floor control line, which has no RTCP */
        return floor_swap(c, media, r->floor_fmtp);
    }
    return r->rtcp_port != 0 ? rtcp_swap(c, media, r->rtcp_port) : MCX_OK;
}

static bool replace_ok(const struct mcx_sdp *sdp, const struct mcx_sdp_replace *replace, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        const struct mcx_sdp_replace *r = &replace[i];

        if (r->media >= sdp->num_media || replace_for(replace, num, r->media) != r) {
            return false;
        }
        if (r->port != 0 && (r->address == NULL || !mcx_sdp_host_ok(mcx_bytes_str(r->address)) ||
                             strlen(r->address) > 64)) {
            return false;
        }
    }
    return true;
}

mcx_err mcx_sdp_rewrite(struct mcx_wr *out, const struct mcx_sdp *sdp, const struct mcx_sdp_replace *replace,
                        size_t num)
{
    struct copy c = { .wr = *out, .at = sdp->text.p };
    const char *session = NULL;
    char conn[96];

    if (!replace_ok(sdp, replace, num)) {
        return MCX_E_ARG;
    }
    session = session_address(sdp, replace, num);
    if (session != NULL) {
        MCX_TRY(conn_text(conn, sizeof conn, session));
        MCX_TRY(swap(&c, sdp->conn.value, conn));
    }
    for (size_t i = 0; i < sdp->num_media; i++) {
        const struct mcx_sdp_replace *r = replace_for(replace, num, i);

        if (r != NULL && sdp->media[i].port != 0) {
            MCX_TRY(media_rewrite(&c, &sdp->media[i], r, session == NULL));
        }
    }
    MCX_TRY(copy_to(&c, sdp->text.p + sdp->text.len));
    *out = c.wr;
    return MCX_OK;
}
