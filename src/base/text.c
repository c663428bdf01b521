/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/secret.h>
#include <mcx/text.h>

#include <string.h>

/* All ones when lo <= c <= hi, else 0. The arguments are below 2^31, so the differences show in the sign bit. */
static uint32_t in_range(uint32_t c, uint32_t lo, uint32_t hi)
{
    uint32_t out = (c - lo) | (hi - c); /* top bit set when c is outside */

    return (uint32_t)mcx_ct_barrier((out >> 31) - 1);
}

static char hex_digit(uint32_t v, uint32_t ten)
{
    uint32_t letter = in_range(v, 10, 15);

    return (char)((letter & (v - 10 + ten)) | (~letter & (v + '0')));
}

static mcx_err hex_write(char *out, size_t cap, struct mcx_bytes in, char ten)
{
    if (in.len > (SIZE_MAX - 1) / 2 || cap < 2 * in.len + 1) {
        return MCX_E_SPACE;
    }
    for (size_t i = 0; i < in.len; i++) {
        out[2 * i] = hex_digit(in.p[i] >> 4, (uint32_t)ten);
        out[2 * i + 1] = hex_digit(in.p[i] & 15, (uint32_t)ten);
    }
    out[2 * in.len] = '\0';
    return MCX_OK;
}

mcx_err mcx_hex_write(char *out, size_t cap, struct mcx_bytes in)
{
    return hex_write(out, cap, in, 'a');
}

mcx_err mcx_hex_write_upper(char *out, size_t cap, struct mcx_bytes in)
{
    return hex_write(out, cap, in, 'A');
}

/* Value of a digit; *bad collects ones when the character is no digit. */
static uint32_t hex_value(uint8_t c, uint32_t *bad)
{
    uint32_t digit = in_range(c, '0', '9');
    uint32_t upper = in_range(c, 'A', 'F');
    uint32_t lower = in_range(c, 'a', 'f');

    *bad |= ~(digit | upper | lower);
    return (digit & (uint32_t)(c - '0')) | (upper & (uint32_t)(c - 'A' + 10)) | (lower & (uint32_t)(c - 'a' + 10));
}

mcx_err mcx_hex_read(uint8_t *out, size_t cap, size_t *out_len, struct mcx_bytes in)
{
    uint32_t bad = 0;

    if (in.len % 2 != 0) {
        return MCX_E_FORMAT;
    }
    if (in.len / 2 > cap) {
        return MCX_E_SPACE;
    }
    for (size_t i = 0; i < in.len / 2; i++) {
        uint32_t hi = hex_value(in.p[2 * i], &bad);
        uint32_t lo = hex_value(in.p[2 * i + 1], &bad);

        out[i] = (uint8_t)(hi << 4 | lo);
    }
    MCX_CT_PUBLIC(&bad, sizeof bad); /* whether the text is hex at all is public */
    if (bad != 0) {
        mcx_wipe(out, in.len / 2);
        return MCX_E_FORMAT;
    }
    *out_len = in.len / 2;
    return MCX_OK;
}

mcx_err mcx_hex_read_exact(uint8_t *out, size_t n, struct mcx_bytes in)
{
    size_t len = 0;

    if (in.len % 2 != 0 || in.len / 2 != n) {
        return MCX_E_FORMAT;
    }
    return mcx_hex_read(out, n, &len, in);
}

static char base64_digit(uint32_t v)
{
    uint32_t upper = in_range(v, 0, 25);
    uint32_t lower = in_range(v, 26, 51);
    uint32_t digit = in_range(v, 52, 61);
    uint32_t plus = in_range(v, 62, 62);
    uint32_t slash = in_range(v, 63, 63);

    return (char)((upper & (v + 'A')) | (lower & (v - 26 + 'a')) | (digit & (v - 52 + '0')) | (plus & '+') |
                  (slash & '/'));
}

mcx_err mcx_base64_write(char *out, size_t cap, struct mcx_bytes in)
{
    size_t o = 0;

    if (in.len > SIZE_MAX / 2 || cap < MCX_BASE64_LEN(in.len) + 1) {
        return MCX_E_SPACE;
    }
    for (size_t i = 0; i < in.len; i += 3) {
        size_t n = in.len - i < 3 ? in.len - i : 3;
        uint32_t v = (uint32_t)in.p[i] << 16;

        v |= n > 1 ? (uint32_t)in.p[i + 1] << 8 : 0;
        v |= n > 2 ? (uint32_t)in.p[i + 2] : 0;
        out[o++] = base64_digit(v >> 18 & 63);
        out[o++] = base64_digit(v >> 12 & 63);
        out[o++] = n > 1 ? base64_digit(v >> 6 & 63) : '=';
        out[o++] = n > 2 ? base64_digit(v & 63) : '=';
    }
    out[o] = '\0';
    return MCX_OK;
}

static uint32_t base64_value(uint8_t c, uint32_t *bad)
{
    uint32_t upper = in_range(c, 'A', 'Z');
    uint32_t lower = in_range(c, 'a', 'z');
    uint32_t digit = in_range(c, '0', '9');
    uint32_t plus = in_range(c, '+', '+');
    uint32_t slash = in_range(c, '/', '/');

    *bad |= ~(upper | lower | digit | plus | slash);
    return (upper & (uint32_t)(c - 'A')) | (lower & (uint32_t)(c - 'a' + 26)) | (digit & (uint32_t)(c - '0' + 52)) |
           (plus & 62) | (slash & 63);
}

mcx_err mcx_base64_read(uint8_t *out, size_t cap, size_t *out_len, struct mcx_bytes in)
{
    size_t pad = 0;
    size_t len = 0;
    size_t o = 0;
    uint32_t bad = 0;

    if (in.len % 4 != 0) {
        return MCX_E_FORMAT;
    }
    while (pad < 2 && pad < in.len && in.p[in.len - 1 - pad] == '=') {
        pad++;
    }
    len = in.len / 4 * 3 - pad;
    if (len > cap) {
        return MCX_E_SPACE;
    }
    for (size_t i = 0; i < in.len; i += 4) {
        size_t n = i + 4 == in.len ? 3 - pad : 3; /* octets in this quantum */
        uint32_t v = 0;

        for (size_t k = 0; k < 4; k++) {
            v = v << 6 | (k <= n ? base64_value(in.p[i + k], &bad) : 0);
        }
        out[o++] = (uint8_t)(v >> 16);
        if (n > 1) {
            out[o++] = (uint8_t)(v >> 8);
        }
        if (n > 2) {
            out[o++] = (uint8_t)v;
        }
        if (n < 3) { /* RFC 4648 3.5: pad bits are zero */
            bad |= n == 1 ? v & 0xffff : v & 0xff;
        }
    }
    MCX_CT_PUBLIC(&bad, sizeof bad); /* whether the text is base64 at all is public */
    if (bad != 0) {
        mcx_wipe(out, len);
        return MCX_E_FORMAT;
    }
    *out_len = len;
    return MCX_OK;
}

mcx_err mcx_dec_read(uint64_t *out, uint64_t max, struct mcx_bytes in)
{
    uint64_t v = 0;

    if (in.len == 0) {
        return MCX_E_FORMAT;
    }
    for (size_t i = 0; i < in.len; i++) {
        uint64_t d = (uint64_t)in.p[i] - '0';

        if (in.p[i] < '0' || d > 9 || v > (max - d) / 10 || d > max) {
            return MCX_E_FORMAT;
        }
        v = v * 10 + d;
    }
    *out = v;
    return MCX_OK;
}

/* Length of the sequence that `lead` starts, with the smallest code point it may encode; 0 = no lead octet. */
static size_t utf8_sequence(uint8_t lead, uint32_t *bits, uint32_t *min)
{
    if (lead < 0x80) {
        *bits = lead;
        *min = 1; /* no NUL */
        return 1;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        *bits = lead & 0x1f;
        *min = 0x80;
        return 2;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        *bits = lead & 0x0f;
        *min = 0x800;
        return 3;
    }
    if (lead >= 0xf0 && lead < 0xf5) {
        *bits = lead & 0x07;
        *min = 0x10000;
        return 4;
    }
    return 0;
}

/* Length of the well-formed sequence at the front, with its code point; 0 = none. */
static size_t utf8_first(uint32_t *point, struct mcx_bytes in)
{
    uint32_t v = 0;
    uint32_t min = 0;
    size_t n = in.len > 0 ? utf8_sequence(in.p[0], &v, &min) : 0;

    if (n > in.len) {
        return 0;
    }
    for (size_t k = 1; k < n; k++) {
        if ((in.p[k] & 0xc0) != 0x80) {
            return 0;
        }
        v = v << 6 | (in.p[k] & 0x3fu);
    }
    *point = v;
    return v < min || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : n;
}

bool mcx_utf8_ok(struct mcx_bytes in)
{
    uint32_t point = 0;

    for (size_t i = 0; i < in.len;) {
        size_t n = utf8_first(&point, mcx_bytes(in.p + i, in.len - i));

        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

/* A terminal takes U+0080 to U+009F for commands, as it does ESC, and their octets alone too. */
void mcx_text_plain(char *out, size_t cap, const char *text)
{
    struct mcx_bytes in = mcx_bytes_str(text);
    size_t o = 0;

    for (size_t i = 0; i < in.len;) {
        uint32_t point = 0;
        size_t n = utf8_first(&point, mcx_bytes(in.p + i, in.len - i));
        bool plain = n != 0 && point >= 0x20 && !(point >= 0x7f && point < 0xa0);

        if ((plain ? n : 1) > cap - 1 - o) {
            break;
        }
        if (plain) {
            memcpy(out + o, in.p + i, n);
        } else {
            out[o] = '?';
        }
        o += plain ? n : 1;
        i += n != 0 ? n : 1;
    }
    out[o] = '\0';
}
