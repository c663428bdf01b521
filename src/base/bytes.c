/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/bytes.h>

#include <string.h>

struct mcx_bytes mcx_bytes(const void *p, size_t len)
{
    return (struct mcx_bytes){ p, len };
}

struct mcx_bytes mcx_bytes_str(const char *s)
{
    return (struct mcx_bytes){ (const uint8_t *)s, s == NULL ? 0 : strlen(s) };
}

bool mcx_bytes_equal(struct mcx_bytes a, struct mcx_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool mcx_bytes_is(struct mcx_bytes a, const char *s)
{
    return mcx_bytes_equal(a, mcx_bytes_str(s));
}

static uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool mcx_bytes_is_nocase(struct mcx_bytes a, const char *s)
{
    struct mcx_bytes b = mcx_bytes_str(s);

    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct mcx_bytes mcx_bytes_trim(struct mcx_bytes b)
{
    while (b.len > 0 && is_space(b.p[0])) {
        b.p++;
        b.len--;
    }
    while (b.len > 0 && is_space(b.p[b.len - 1])) {
        b.len--;
    }
    return b;
}

mcx_err mcx_bytes_cstr(char *out, size_t cap, struct mcx_bytes b)
{
    if (b.len >= cap) {
        return MCX_E_SPACE;
    }
    if (b.len > 0) {
        if (memchr(b.p, 0, b.len) != NULL) {
            return MCX_E_FORMAT;
        }
        memcpy(out, b.p, b.len);
    }
    out[b.len] = '\0';
    return MCX_OK;
}

struct mcx_rd mcx_rd(struct mcx_bytes b)
{
    return (struct mcx_rd){ b.p, b.len };
}

mcx_err mcx_rd_take(struct mcx_rd *rd, size_t n, struct mcx_bytes *out)
{
    if (n > rd->len) { /* the only bounds check on input */
        return MCX_E_TRUNC;
    }
    *out = (struct mcx_bytes){ rd->p, n };
    if (n > 0) { /* an empty cursor may hold NULL */
        rd->p += n;
        rd->len -= n;
    }
    return MCX_OK;
}

static mcx_err rd_uint(struct mcx_rd *rd, size_t n, uint64_t *out)
{
    struct mcx_bytes b;
    uint64_t v = 0;

    MCX_TRY(mcx_rd_take(rd, n, &b));
    for (size_t i = 0; i < n; i++) {
        v = v << 8 | b.p[i];
    }
    *out = v;
    return MCX_OK;
}

mcx_err mcx_rd_u8(struct mcx_rd *rd, uint8_t *out)
{
    uint64_t v;

    MCX_TRY(rd_uint(rd, 1, &v));
    *out = (uint8_t)v;
    return MCX_OK;
}

mcx_err mcx_rd_u16(struct mcx_rd *rd, uint16_t *out)
{
    uint64_t v;

    MCX_TRY(rd_uint(rd, 2, &v));
    *out = (uint16_t)v;
    return MCX_OK;
}

mcx_err mcx_rd_u32(struct mcx_rd *rd, uint32_t *out)
{
    uint64_t v;

    MCX_TRY(rd_uint(rd, 4, &v));
    *out = (uint32_t)v;
    return MCX_OK;
}

mcx_err mcx_rd_u40(struct mcx_rd *rd, uint64_t *out)
{
    return rd_uint(rd, 5, out);
}

mcx_err mcx_rd_u64(struct mcx_rd *rd, uint64_t *out)
{
    return rd_uint(rd, 8, out);
}

static mcx_err rd_vec(struct mcx_rd *rd, size_t len_octets, struct mcx_bytes *out)
{
    struct mcx_rd r = *rd; /* so that a failure leaves the cursor */
    uint64_t n;

    MCX_TRY(rd_uint(&r, len_octets, &n));
    MCX_TRY(mcx_rd_take(&r, (size_t)n, out));
    *rd = r;
    return MCX_OK;
}

mcx_err mcx_rd_vec8(struct mcx_rd *rd, struct mcx_bytes *out)
{
    return rd_vec(rd, 1, out);
}

mcx_err mcx_rd_vec16(struct mcx_rd *rd, struct mcx_bytes *out)
{
    return rd_vec(rd, 2, out);
}

mcx_err mcx_rd_copy(struct mcx_rd *rd, uint8_t *out, size_t n)
{
    struct mcx_bytes b;

    MCX_TRY(mcx_rd_take(rd, n, &b));
    if (n > 0) {
        memcpy(out, b.p, n);
    }
    return MCX_OK;
}

mcx_err mcx_rd_end(const struct mcx_rd *rd)
{
    return rd->len == 0 ? MCX_OK : MCX_E_TRAILING;
}

struct mcx_wr mcx_wr(uint8_t *buf, size_t cap)
{
    return (struct mcx_wr){ buf, 0, cap };
}

struct mcx_bytes mcx_wr_done(const struct mcx_wr *wr)
{
    return (struct mcx_bytes){ wr->p, wr->len };
}

mcx_err mcx_wr_space(struct mcx_wr *wr, size_t n, uint8_t **out)
{
    if (n > wr->cap - wr->len) {
        return MCX_E_SPACE;
    }
    *out = wr->p + wr->len;
    memset(*out, 0, n);
    wr->len += n;
    return MCX_OK;
}

mcx_err mcx_wr_put(struct mcx_wr *wr, struct mcx_bytes b)
{
    uint8_t *p;

    if (b.len == 0) {
        return MCX_OK;
    }
    MCX_TRY(mcx_wr_space(wr, b.len, &p));
    memcpy(p, b.p, b.len);
    return MCX_OK;
}

mcx_err mcx_wr_str(struct mcx_wr *wr, const char *s)
{
    return mcx_wr_put(wr, mcx_bytes_str(s));
}

static mcx_err wr_uint(struct mcx_wr *wr, size_t n, uint64_t v)
{
    uint8_t *p;

    MCX_TRY(mcx_wr_space(wr, n, &p));
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    }
    return MCX_OK;
}

mcx_err mcx_wr_u8(struct mcx_wr *wr, uint8_t v)
{
    return wr_uint(wr, 1, v);
}

mcx_err mcx_wr_u16(struct mcx_wr *wr, uint16_t v)
{
    return wr_uint(wr, 2, v);
}

mcx_err mcx_wr_u32(struct mcx_wr *wr, uint32_t v)
{
    return wr_uint(wr, 4, v);
}

mcx_err mcx_wr_u40(struct mcx_wr *wr, uint64_t v)
{
    if (v >> 40 != 0) {
        return MCX_E_ARG;
    }
    return wr_uint(wr, 5, v);
}

mcx_err mcx_wr_u64(struct mcx_wr *wr, uint64_t v)
{
    return wr_uint(wr, 8, v);
}

static mcx_err wr_vec(struct mcx_wr *wr, size_t len_octets, size_t max, struct mcx_bytes b)
{
    if (b.len > max) {
        return MCX_E_ARG;
    }
    if (wr->cap - wr->len < len_octets || wr->cap - wr->len - len_octets < b.len) {
        return MCX_E_SPACE;
    }
    MCX_TRY(wr_uint(wr, len_octets, b.len));
    return mcx_wr_put(wr, b);
}

mcx_err mcx_wr_vec8(struct mcx_wr *wr, struct mcx_bytes b)
{
    return wr_vec(wr, 1, UINT8_MAX, b);
}

mcx_err mcx_wr_vec16(struct mcx_wr *wr, struct mcx_bytes b)
{
    return wr_vec(wr, 2, UINT16_MAX, b);
}

mcx_err mcx_wr_begin16(struct mcx_wr *wr, size_t *mark)
{
    size_t at = wr->len;

    MCX_TRY(mcx_wr_u16(wr, 0));
    *mark = at;
    return MCX_OK;
}

mcx_err mcx_wr_end16(struct mcx_wr *wr, size_t mark)
{
    size_t n = wr->len - mark - 2;

    if (n > UINT16_MAX) {
        return MCX_E_ARG;
    }
    wr->p[mark] = (uint8_t)(n >> 8);
    wr->p[mark + 1] = (uint8_t)n;
    return MCX_OK;
}
