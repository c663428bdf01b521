/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_BYTES_H
#define MCX_BYTES_H

/*
 * Borrowed views, the read cursor and the write cursor.
 *
 * All octets from a network are read through `struct mcx_rd`. mcx_rd_take() holds the only comparison of a
 * length with what is left; nothing else does pointer arithmetic on input. On error a read leaves the cursor
 * and its output unchanged. Integers are big endian.
 *
 * `struct mcx_wr` writes into the caller's buffer and never past it: MCX_E_SPACE leaves it unchanged.
 * Lengths that are known only later are reserved first and patched after.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mcx/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A view that borrows somebody else's octets. */
struct mcx_bytes {
    const uint8_t *p;
    size_t len;
};

/** What is left to read. */
struct mcx_rd {
    const uint8_t *p;
    size_t len;
};

/** Caller's buffer with `len` of `cap` octets written. */
struct mcx_wr {
    uint8_t *p;
    size_t len;
    size_t cap;
};

struct mcx_bytes mcx_bytes(const void *p, size_t len);
/** View of a NUL-terminated string without its terminator; NULL gives an empty view. */
struct mcx_bytes mcx_bytes_str(const char *s);
/** Equal length and octets. Not constant time: for public data only (secrets: mcx_ct_equal). */
bool mcx_bytes_equal(struct mcx_bytes a, struct mcx_bytes b);
/** Compare with a string constant, octet by octet; public data only. */
bool mcx_bytes_is(struct mcx_bytes a, const char *s);
/** As mcx_bytes_is, ASCII letters without regard to case. */
bool mcx_bytes_is_nocase(struct mcx_bytes a, const char *s);
/** Without ASCII white space (SP HT CR LF) at both ends. */
struct mcx_bytes mcx_bytes_trim(struct mcx_bytes b);
/** Copy into a C string of `cap` octets. @retval MCX_E_SPACE too long @retval MCX_E_FORMAT contains a NUL octet */
MCX_MUST_CHECK mcx_err mcx_bytes_cstr(char *out, size_t cap, struct mcx_bytes b);

struct mcx_rd mcx_rd(struct mcx_bytes b);
/** Take `n` octets as a view into the input. @retval MCX_E_TRUNC fewer are left */
MCX_MUST_CHECK mcx_err mcx_rd_take(struct mcx_rd *rd, size_t n, struct mcx_bytes *out);
MCX_MUST_CHECK mcx_err mcx_rd_u8(struct mcx_rd *rd, uint8_t *out);
MCX_MUST_CHECK mcx_err mcx_rd_u16(struct mcx_rd *rd, uint16_t *out);
MCX_MUST_CHECK mcx_err mcx_rd_u32(struct mcx_rd *rd, uint32_t *out);
MCX_MUST_CHECK mcx_err mcx_rd_u40(struct mcx_rd *rd, uint64_t *out);
MCX_MUST_CHECK mcx_err mcx_rd_u64(struct mcx_rd *rd, uint64_t *out);
/** A vector with a one-octet, or two-octet, length before it. */
MCX_MUST_CHECK mcx_err mcx_rd_vec8(struct mcx_rd *rd, struct mcx_bytes *out);
MCX_MUST_CHECK mcx_err mcx_rd_vec16(struct mcx_rd *rd, struct mcx_bytes *out);
/** Copy exactly `n` octets out. */
MCX_MUST_CHECK mcx_err mcx_rd_copy(struct mcx_rd *rd, uint8_t *out, size_t n);
/** @retval MCX_E_TRAILING octets are left */
MCX_MUST_CHECK mcx_err mcx_rd_end(const struct mcx_rd *rd);

struct mcx_wr mcx_wr(uint8_t *buf, size_t cap);
/** What has been written. */
struct mcx_bytes mcx_wr_done(const struct mcx_wr *wr);
MCX_MUST_CHECK mcx_err mcx_wr_put(struct mcx_wr *wr, struct mcx_bytes b);
MCX_MUST_CHECK mcx_err mcx_wr_str(struct mcx_wr *wr, const char *s);
MCX_MUST_CHECK mcx_err mcx_wr_u8(struct mcx_wr *wr, uint8_t v);
MCX_MUST_CHECK mcx_err mcx_wr_u16(struct mcx_wr *wr, uint16_t v);
MCX_MUST_CHECK mcx_err mcx_wr_u32(struct mcx_wr *wr, uint32_t v);
/** Low 40 bits of `v`. @retval MCX_E_ARG v does not fit */
MCX_MUST_CHECK mcx_err mcx_wr_u40(struct mcx_wr *wr, uint64_t v);
MCX_MUST_CHECK mcx_err mcx_wr_u64(struct mcx_wr *wr, uint64_t v);
/** Length octet(s), then the octets. @retval MCX_E_ARG longer than the length can say */
MCX_MUST_CHECK mcx_err mcx_wr_vec8(struct mcx_wr *wr, struct mcx_bytes b);
MCX_MUST_CHECK mcx_err mcx_wr_vec16(struct mcx_wr *wr, struct mcx_bytes b);
/** Reserve `n` octets (zero for now) and give their address for the caller to fill. */
MCX_MUST_CHECK mcx_err mcx_wr_space(struct mcx_wr *wr, size_t n, uint8_t **out);
/** Write a two-octet length of zero and remember where; close with mcx_wr_end16(). */
MCX_MUST_CHECK mcx_err mcx_wr_begin16(struct mcx_wr *wr, size_t *mark);
/** Patch the length reserved at `mark` with the number of octets written since. @retval MCX_E_ARG over 65535 */
MCX_MUST_CHECK mcx_err mcx_wr_end16(struct mcx_wr *wr, size_t mark);

#ifdef __cplusplus
}
#endif

#endif
