/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TEXT_H
#define MCX_TEXT_H

/*
 * Hexadecimal and base64 (RFC 4648 4), strict, without table look-ups: constant time in the octets, so
 * that keys may pass through. The length and the position of an illegal character are public.
 */

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Write 2 * in.len lower-case digits and a NUL. @retval MCX_E_SPACE cap < 2 * in.len + 1 */
MCX_MUST_CHECK mcx_err mcx_hex_write(char *out, size_t cap, struct mcx_bytes in);
/** As mcx_hex_write, upper case (xs:hexBinary canonical form). */
MCX_MUST_CHECK mcx_err mcx_hex_write_upper(char *out, size_t cap, struct mcx_bytes in);
/** Even number of digits of either case, nothing else. @retval MCX_E_FORMAT @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_hex_read(uint8_t *out, size_t cap, size_t *out_len, struct mcx_bytes in);
/** Exactly `n` octets in 2 * n digits. @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_hex_read_exact(uint8_t *out, size_t n, struct mcx_bytes in);

/** Octets of base64 for `n` octets, without the NUL. */
#define MCX_BASE64_LEN(n) ((((n) + 2) / 3) * 4)
/** Standard alphabet with padding and a NUL. @retval MCX_E_SPACE cap < MCX_BASE64_LEN(in.len) + 1 */
MCX_MUST_CHECK mcx_err mcx_base64_write(char *out, size_t cap, struct mcx_bytes in);
/** Standard alphabet, padding required, no white space, zero pad bits. @retval MCX_E_FORMAT @retval MCX_E_SPACE */
MCX_MUST_CHECK mcx_err mcx_base64_read(uint8_t *out, size_t cap, size_t *out_len, struct mcx_bytes in);

/** Decimal digits only, no sign, no more than `max`. @retval MCX_E_FORMAT */
MCX_MUST_CHECK mcx_err mcx_dec_read(uint64_t *out, uint64_t max, struct mcx_bytes in);

/** Well-formed UTF-8 without NUL. */
bool mcx_utf8_ok(struct mcx_bytes in);
/** For a terminal: what is left is well-formed UTF-8. Control characters (C0, DEL, C1) and octets that are no UTF-8
 * become '?'; cut before the character that does not fit any more. `cap` is at least 1. */
void mcx_text_plain(char *out, size_t cap, const char *text);

#ifdef __cplusplus
}
#endif

#endif
