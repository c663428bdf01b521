/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_SDP_LINE_H
#define MCX_SDP_LINE_H

/* Lines and words of a session description; used by the files of this directory only. */
#include <mcx/sdp.h>

/** Next line without its end (CR LF or LF; the last may have none). @return false at the end */
bool mcx_sdp_line_next(struct mcx_rd *rd, struct mcx_bytes *line);
/** Cut the octets before the first `sep` off `rest` (all of it when there is none). @return false when `rest` is empty
 */
bool mcx_sdp_cut(struct mcx_bytes *rest, char sep, struct mcx_bytes *word);
/** Character set of an address literal or host name (RFC 4566 9). */
bool mcx_sdp_host_ok(struct mcx_bytes host);
/** Value of the fmtp line for format `fmt`; empty view when there is none. */
struct mcx_bytes mcx_sdp_fmtp(const struct mcx_sdp_media *media, struct mcx_bytes fmt);

#endif
