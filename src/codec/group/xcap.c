/* SPDX-License-Identifier: Apache-2.0 */
/* What XCAP adds: paths (RFC 4825 6), xcap-diff (RFC 5874) and the list of a subscription (RFC 5875). */
#include "codec/group/group_int.h"

#include <string.h>

#include <mcx/text.h>

/* Between the AUID and the group (TS 24.481 7.2.10.2). */
#define DIRECTORY "/global/byGroupID/"

static const char *const diff_uri[] = { NS_XCAP_DIFF };
static const char *const list_uri[] = { NS_RESOURCE_LISTS };
static const struct mcx_xml_ns diff_ns = { diff_uri, 1 };
static const struct mcx_xml_ns list_ns = { list_uri, 1 };

/* pchar of RFC 3986 3.3 but for the percent sign. */
static bool stays(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL);
}

static mcx_err put_encoded(struct mcx_wr *wr, struct mcx_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char hex[3];

        if (stays(text.p[i])) {
            MCX_TRY(mcx_wr_u8(wr, text.p[i]));
            continue;
        }
        MCX_TRY(mcx_hex_write_upper(hex, sizeof hex, mcx_bytes(text.p + i, 1)));
        MCX_TRY(mcx_wr_u8(wr, '%'));
        MCX_TRY(mcx_wr_str(wr, hex));
    }
    return MCX_OK;
}

mcx_err mcx_xcap_path_write(char *out, size_t cap, const char *auid, const char *group)
{
    char path[MCX_XCAP_PATH_MAX];
    char uri[MCX_GROUP_URI_MAX];
    struct mcx_wr wr = mcx_wr((uint8_t *)path, sizeof path);

    if (group_uri(uri, sizeof uri, mcx_bytes_str(group)) != MCX_OK) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(&wr, '/'));
    MCX_TRY(mcx_wr_str(&wr, auid));
    MCX_TRY(mcx_wr_str(&wr, DIRECTORY));
    MCX_TRY(put_encoded(&wr, mcx_bytes_str(uri)));
    return mcx_bytes_cstr(out, cap, mcx_wr_done(&wr));
}

/* The last segment of a path: percent escapes are resolved, everything else must be a pchar. */
static mcx_err take_decoded(struct mcx_wr *wr, struct mcx_bytes text)
{
    struct mcx_rd rd = mcx_rd(text);
    struct mcx_bytes digits;
    uint8_t c = 0;

    while (rd.len > 0) {
        MCX_TRY(mcx_rd_u8(&rd, &c));
        if (c == '%') {
            if (mcx_rd_take(&rd, 2, &digits) != MCX_OK || mcx_hex_read_exact(&c, 1, digits) != MCX_OK) {
                return MCX_E_FORMAT;
            }
        } else if (!stays(c)) {
            return MCX_E_FORMAT;
        }
        MCX_TRY(mcx_wr_u8(wr, c));
    }
    return MCX_OK;
}

static bool is_auid(struct mcx_bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        if (!stays(b.p[i])) {
            return false;
        }
    }
    return b.len > 0;
}

mcx_err mcx_xcap_path_read(char *auid, size_t auid_cap, char *group, size_t group_cap, struct mcx_bytes path)
{
    struct mcx_rd rd = mcx_rd(path);
    char decoded[MCX_GROUP_URI_MAX];
    char uri[MCX_GROUP_URI_MAX];
    struct mcx_wr wr = mcx_wr((uint8_t *)decoded, sizeof decoded);
    struct mcx_bytes first, directory, skipped;
    const uint8_t *slash = NULL;

    if (rd.len > 0 && rd.p[0] == '/') {
        MCX_TRY(mcx_rd_take(&rd, 1, &skipped));
    }
    slash = rd.len > 0 ? memchr(rd.p, '/', rd.len) : NULL;
    if (slash == NULL || mcx_rd_take(&rd, (size_t)(slash - rd.p), &first) != MCX_OK || !is_auid(first) ||
        mcx_rd_take(&rd, strlen(DIRECTORY), &directory) != MCX_OK || !mcx_bytes_is(directory, DIRECTORY) ||
        take_decoded(&wr, mcx_bytes(rd.p, rd.len)) != MCX_OK || !mcx_utf8_ok(mcx_wr_done(&wr)) ||
        group_uri(uri, sizeof uri, mcx_wr_done(&wr)) != MCX_OK || strlen(uri) != wr.len || /* no white space around */
        first.len >= auid_cap || wr.len >= group_cap) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_bytes_cstr(auid, auid_cap, first));
    return mcx_bytes_cstr(group, group_cap, mcx_bytes_str(uri));
}

/* References in these documents are relative to the XCAP root (RFC 5874 4, RFC 5875 4.4). */
static const char *relative(const char *path)
{
    return path[0] == '/' ? path + 1 : path;
}

static const char *attr_or_empty(const struct mcx_xml_node *node, const char *local)
{
    struct mcx_bytes value;

    return mcx_xml_attr(&value, node, "", local) ? (const char *)value.p : ""; /* NUL-terminated in the tree */
}

static mcx_err read_changes(const struct mcx_xml_node *root, bool *stopped,
                            mcx_err (*each)(void *arg, const struct mcx_xcap_change *change), void *arg)
{
    const struct mcx_xml_node *node = mcx_xml_first_of(root, diff_ns, "document");

    for (; node != NULL; node = mcx_xml_next_of(node, diff_ns, "document")) {
        const struct mcx_xcap_change change = { attr_or_empty(node, "sel"), attr_or_empty(node, "new-etag"),
                                                attr_or_empty(node, "previous-etag") };
        mcx_err err = MCX_OK;

        if (change.sel[0] == '\0') {
            return MCX_E_FORMAT;
        }
        err = each(arg, &change);
        if (err != MCX_OK) {
            *stopped = true;
            return err;
        }
    }
    return MCX_OK;
}

mcx_err mcx_xcap_diff_read(char *root, size_t cap, struct mcx_bytes xml,
                           mcx_err (*each)(void *arg, const struct mcx_xcap_change *change), void *arg,
                           struct mcx_refusal *why)
{
    struct mcx_xml *doc = NULL;
    bool stopped = false;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_xml_read(&doc, xml, why));
    err = mcx_xml_is(mcx_xml_root(doc), diff_ns, "xcap-diff")
              ? group_uri_attr(root, cap, mcx_xml_root(doc), "xcap-root")
              : MCX_E_FORMAT;
    if (err == MCX_OK) {
        err = read_changes(mcx_xml_root(doc), &stopped, each, arg);
    }
    mcx_xml_free(doc);
    if (err != MCX_OK && !stopped) {
        return mcx_refuse(why, err, "not an xcap-diff with a root and selected documents", "RFC 5874 4");
    }
    return err;
}

static void put_etag(struct mcx_xml_wr *wr, const char *name, const char *etag)
{
    if (etag != NULL && etag[0] != '\0') {
        mcx_xml_wr_attr(wr, name, etag);
    }
}

mcx_err mcx_xcap_diff_write(struct mcx_wr *out, const char *root, const struct mcx_xcap_change *changes, size_t num)
{
    struct mcx_xml_wr wr = { 0 };

    mcx_xml_wr_open(&wr, "xcap-diff");
    mcx_xml_wr_attr(&wr, "xmlns", NS_XCAP_DIFF);
    mcx_xml_wr_attr(&wr, "xcap-root", root);
    for (size_t i = 0; i < num; i++) {
        mcx_xml_wr_open(&wr, "document");
        put_etag(&wr, "new-etag", changes[i].new_etag);
        mcx_xml_wr_attr(&wr, "sel", relative(changes[i].sel));
        put_etag(&wr, "previous-etag", changes[i].previous_etag);
        mcx_xml_wr_close(&wr);
    }
    mcx_xml_wr_close(&wr);
    return group_append(out, &wr);
}

/* Depth of nested lists is bounded by the XML reader. */
static mcx_err read_entries(const struct mcx_xml_node *list, bool *stopped, mcx_err (*each)(void *arg, const char *uri),
                            void *arg)
{
    char uri[MCX_XCAP_PATH_MAX];

    for (const struct mcx_xml_node *node = mcx_xml_first(list); node != NULL; node = mcx_xml_next(node)) {
        if (mcx_xml_is(node, list_ns, "list")) {
            MCX_TRY(read_entries(node, stopped, each, arg));
        } else if (mcx_xml_is(node, list_ns, "entry")) {
            mcx_err err = group_uri_attr(uri, sizeof uri, node, "uri");

            if (err == MCX_OK) {
                err = each(arg, uri);
                *stopped = err != MCX_OK;
            }
            MCX_TRY(err);
        }
    }
    return MCX_OK;
}

mcx_err mcx_xcap_list_read(struct mcx_bytes xml, mcx_err (*each)(void *arg, const char *uri), void *arg,
                           struct mcx_refusal *why)
{
    struct mcx_xml *doc = NULL;
    bool stopped = false;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_xml_read(&doc, xml, why));
    err = mcx_xml_is(mcx_xml_root(doc), list_ns, "resource-lists")
              ? read_entries(mcx_xml_root(doc), &stopped, each, arg)
              : MCX_E_FORMAT;
    mcx_xml_free(doc);
    if (err != MCX_OK && !stopped) {
        return mcx_refuse(why, err, "not a resource-lists document with usable entries", "RFC 5875 4.4");
    }
    return err;
}

mcx_err mcx_xcap_list_write(struct mcx_wr *out, const char *const *uris, size_t num)
{
    struct mcx_xml_wr wr = { 0 };

    mcx_xml_wr_open(&wr, "resource-lists");
    mcx_xml_wr_attr(&wr, "xmlns", NS_RESOURCE_LISTS);
    mcx_xml_wr_open(&wr, "list");
    for (size_t i = 0; i < num; i++) {
        mcx_xml_wr_open(&wr, "entry");
        mcx_xml_wr_attr(&wr, "uri", relative(uris[i]));
        mcx_xml_wr_close(&wr);
    }
    mcx_xml_wr_close(&wr);
    mcx_xml_wr_close(&wr);
    return group_append(out, &wr);
}
