/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_AMRWB_H
#define MCX_AMRWB_H

/*
 * The RTP payload of AMR-WB speech (RFC 4867), one channel.
 *
 * A payload carries a codec mode request (CMR), a table of contents with one entry a frame, and the frames'
 * bits. The bandwidth-efficient form packs everything bit by bit; the octet-aligned form (fmtp octet-align=1)
 * starts each part on an octet. The SDP codec reads the fmtp line and refuses CRC, interleaving and robust sorting.
 *
 * A frame stands for 20 ms, 320 samples at 16 kHz. Frame types 0 to 8 are speech of 6.60 to 23.85 kbit/s, 9 is
 * comfort noise (SID), 14 a frame that was lost, 15 no data.
 */

#include <mcx/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_AMRWB_FRAME_SAMPLES  320
#define MCX_AMRWB_FRAME_MS       20
#define MCX_AMRWB_CLOCK_HZ       16000
#define MCX_AMRWB_BITS_MAX       477
#define MCX_AMRWB_OCTETS_MAX     60
#define MCX_AMRWB_NUM_FRAMES_MAX 16
/** Largest payload that mcx_amrwb_write() makes. */
#define MCX_AMRWB_PAYLOAD_MAX (1 + MCX_AMRWB_NUM_FRAMES_MAX * (1 + MCX_AMRWB_OCTETS_MAX))

#define MCX_AMRWB_FT_23_85   8
#define MCX_AMRWB_FT_SID     9
#define MCX_AMRWB_FT_LOST    14
#define MCX_AMRWB_FT_NO_DATA 15
#define MCX_AMRWB_CMR_NONE   15

struct mcx_amrwb_frame {
    uint8_t ft;                         /* frame type */
    bool quality;                       /* Q: false = the bits are damaged */
    uint8_t bits[MCX_AMRWB_OCTETS_MAX]; /* speech bits in the order of RFC 4867 4.3.3, zero after the last */
};

struct mcx_amrwb_payload {
    uint8_t cmr; /* mode 0 to 8 that the sender wants to receive, or MCX_AMRWB_CMR_NONE */
    size_t num_frames;
    struct mcx_amrwb_frame frame[MCX_AMRWB_NUM_FRAMES_MAX];
};

/** Bits of a frame type; 0 for types 14 and 15. @retval MCX_E_UNSUP types 10 to 13 and over 15 */
MCX_MUST_CHECK mcx_err mcx_amrwb_num_bits(size_t *num, uint8_t ft);
/** A frame without data, for concealment. */
struct mcx_amrwb_frame mcx_amrwb_no_data(void);

/**
 * Read a payload. A reserved CMR is read as "none" (RFC 4867 4.3.1); padding bits are ignored.
 *
 * @retval MCX_E_TRUNC
 * @retval MCX_E_TRAILING  octets after the last frame
 * @retval MCX_E_UNSUP     a reserved frame type (the whole payload is dropped, RFC 4867 4.3.2), or more than
 *                         MCX_AMRWB_NUM_FRAMES_MAX frames
 */
MCX_MUST_CHECK mcx_err mcx_amrwb_read(struct mcx_amrwb_payload *out, struct mcx_bytes payload, bool octet_align);
/** @retval MCX_E_ARG no frame, too many, a reserved type or CMR @retval MCX_E_SPACE `out` is unchanged */
MCX_MUST_CHECK mcx_err mcx_amrwb_write(struct mcx_wr *out, const struct mcx_amrwb_payload *payload, bool octet_align);

#ifdef __cplusplus
}
#endif

#endif
