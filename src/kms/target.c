/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/target.h"

#include <mcx/text.h>

#include <string.h>

#define MAX_ARGS 2

static const struct row {
    const char *name;
    enum mcx_kms_op op;
    size_t min_args;
    size_t max_args;
    bool first_is_uri;
} rows[] = {
    { "init", MCX_KMS_OP_INIT, 0, 0, false },           /* TS 33.180 D.2.3 */
    { "keyprov", MCX_KMS_OP_KEYPROV, 0, 2, true },      /* D.2.4 */
    { "certcache", MCX_KMS_OP_CERTCACHE, 0, 1, false }, /* D.2.5 */
    { "cert", MCX_KMS_OP_CERT, 1, 1, true },            /* D.2.6 */
    { "lookup", MCX_KMS_OP_LOOKUP, 1, 1, true },        /* D.2.7 */
    { "redirect", MCX_KMS_OP_REDIRECT, 0, 0, false },   /* D.2.8 */
};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

const char *mcx_kms_op_name(enum mcx_kms_op op)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].op == op) {
            return rows[i].name;
        }
    }
    return "unknown";
}

/* Take up to the next '/'; the slash itself is dropped. False at the end of the path. */
static bool next_segment(struct mcx_rd *rd, struct mcx_bytes *out)
{
    size_t n = 0;
    struct mcx_bytes slash;

    while (n < rd->len && rd->p[n] != '/') {
        n++;
    }
    if (mcx_rd_take(rd, n, out) != MCX_OK) {
        return false;
    }
    return mcx_rd_take(rd, 1, &slash) == MCX_OK;
}

static bool starts_nocase(struct mcx_bytes in, const char *prefix)
{
    size_t n = strlen(prefix);

    return in.len >= n && mcx_bytes_is_nocase(mcx_bytes(in.p, n), prefix);
}

/* Leave the path of a URL (RFC 7230 5.3.2, absolute form); the host may be a proxy's and is not looked at. */
static struct mcx_bytes path_of(struct mcx_bytes in)
{
    static const char *const schemes[] = { "https://", "http://" };

    for (size_t i = 0; i < 2; i++) {
        if (starts_nocase(in, schemes[i])) {
            size_t at = strlen(schemes[i]);

            while (at < in.len && in.p[at] != '/') {
                at++;
            }
            return mcx_bytes(in.p + at, in.len - at);
        }
    }
    return in;
}

/* Percent-decode one segment (RFC 3986 2.1) into a C string; every escape is checked, none is passed on. */
static mcx_err decode_uri(char out[MCX_KMSDOC_URI_MAX], struct mcx_bytes in, struct mcx_refusal *why)
{
    struct mcx_rd rd = mcx_rd(in);
    size_t n = 0;
    uint8_t c = 0;

    while (mcx_rd_u8(&rd, &c) == MCX_OK) {
        struct mcx_bytes digits;

        if (c == '%' && (mcx_rd_take(&rd, 2, &digits) != MCX_OK || mcx_hex_read_exact(&c, 1, digits) != MCX_OK)) {
            return mcx_refuse(why, MCX_E_FORMAT, "a percent escape in the path is broken", "RFC 3986 2.1");
        }
        if (c < 0x21 || c == 0x7f) {
            return mcx_refuse(why, MCX_E_FORMAT, "a URI in the path has a control character or space", "RFC 3986 2");
        }
        if (n + 1 >= MCX_KMSDOC_URI_MAX) {
            return mcx_refuse(why, MCX_E_FORMAT, "a URI in the path is too long", "");
        }
        out[n++] = (char)c;
    }
    out[n] = '\0';
    if (n == 0 || !mcx_utf8_ok(mcx_bytes(out, n))) {
        return mcx_refuse(why, MCX_E_FORMAT, "a URI in the path is empty or not UTF-8", "TS 33.180 F.2.1");
    }
    return MCX_OK;
}

static mcx_err read_args(struct mcx_kms_target *t, const struct row *row, const struct mcx_bytes *arg, size_t num,
                         struct mcx_refusal *why)
{
    uint8_t wire[8];

    if (num > 0 && row->first_is_uri) {
        MCX_TRY(decode_uri(t->uri, arg[0], why));
        t->has_uri = true;
    }
    if (num > 0 && !row->first_is_uri) {
        if (mcx_dec_read(&t->num, UINT64_MAX, arg[0]) != MCX_OK) {
            return mcx_refuse(why, MCX_E_FORMAT, "the cache number in the path is not a number", "TS 33.180 D.2.5");
        }
        t->has_num = true;
    }
    if (num > 1) {
        struct mcx_rd rd = mcx_rd(mcx_bytes(wire, sizeof wire));
        uint64_t v = 0;

        if (mcx_hex_read_exact(wire, sizeof wire, arg[1]) != MCX_OK || mcx_rd_u64(&rd, &v) != MCX_OK) {
            return mcx_refuse(why, MCX_E_FORMAT, "the time in the path is not 16 hex digits", "TS 33.180 D.2.4");
        }
        t->time = mcx_ntp_from_wire(v);
        t->has_time = true;
    }
    return MCX_OK;
}

mcx_err mcx_kms_target_read(struct mcx_kms_target *out, struct mcx_bytes in, struct mcx_refusal *why)
{
    struct mcx_bytes path = path_of(in);
    const size_t prefix = sizeof MCX_KMS_PATH - 1;
    struct mcx_kms_target t = { 0 };
    struct mcx_bytes seg[1 + MAX_ARGS] = { { 0 } };
    const struct row *row = NULL;
    struct mcx_rd rd;
    size_t num = 0;
    bool more = true;

    if (path.len < prefix || !mcx_bytes_is(mcx_bytes(path.p, prefix), MCX_KMS_PATH)) {
        return mcx_refuse(why, MCX_E_NOKEY, "the path is not of the KMS interface", "TS 33.180 D.2.2");
    }
    rd = mcx_rd(mcx_bytes(path.p + prefix, path.len - prefix));
    while (more && num < 1 + MAX_ARGS) {
        more = next_segment(&rd, &seg[num]);
        num++;
    }
    for (size_t i = 0; i < NUM_ROWS && row == NULL; i++) {
        row = mcx_bytes_is(seg[0], rows[i].name) ? &rows[i] : NULL;
    }
    if (row == NULL || more || num - 1 < row->min_args || num - 1 > row->max_args) {
        return mcx_refuse(why, MCX_E_NOKEY, "no such operation", "TS 33.180 D.2");
    }
    for (size_t i = 1; i < num; i++) {
        if (seg[i].len == 0) {
            return mcx_refuse(why, MCX_E_NOKEY, "the path has an empty segment", "TS 33.180 D.2");
        }
    }
    t.op = row->op;
    MCX_TRY(read_args(&t, row, seg + 1, num - 1, why));
    *out = t;
    return MCX_OK;
}

bool mcx_kms_target_equal(const struct mcx_kms_target *a, const struct mcx_kms_target *b)
{
    return a->op == b->op && a->has_uri == b->has_uri && a->has_time == b->has_time && a->has_num == b->has_num &&
           strcmp(a->uri, b->uri) == 0 && a->time.sec == b->time.sec && a->time.frac == b->time.frac &&
           a->num == b->num;
}
