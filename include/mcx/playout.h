/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PLAYOUT_H
#define MCX_PLAYOUT_H

/*
 * The jitter buffer of a recorder: frames in order, holes concealed, on the stream's own clock.
 *
 * Time is what the timestamps of the newest packet say, not what a clock on the wall says. So the same packets in
 * the same order always give the same frames, however long the machine stood still between two of them. A frame
 * is given out when the stream has gone on by the delay, or at the end; that is how far a packet may be overtaken.
 */

#include <mcx/jitter.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mcx_playout_stats {
    uint64_t received;   /* packets that were played or wait for it */
    uint64_t late;       /* came when their place had been played */
    uint64_t duplicates; /* were there already */
    uint64_t lost;       /* sequence numbers that never came */
    uint64_t concealed;  /* frames given out as NO_DATA */
};

struct mcx_playout;
/** @param[in] hear  takes each frame, NO_DATA where one is missing @retval MCX_E_ARG as mcx_jitter_new() */
MCX_MUST_CHECK mcx_err mcx_playout_new(struct mcx_playout **out, uint32_t delay_ms,
                                       void (*hear)(void *arg, const struct mcx_amrwb_frame *frame), void *arg);
void mcx_playout_free(struct mcx_playout *p);
/** One authentic packet. Another SSRC ends the stream and begins one. @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_playout_put(struct mcx_playout *p, const struct mcx_amrwb_payload *payload, uint32_t ssrc,
                                       uint16_t seq, uint32_t ts);
/** Gives out all that is held. */
void mcx_playout_end(struct mcx_playout *p);
struct mcx_playout_stats mcx_playout_stats(const struct mcx_playout *p);

#ifdef __cplusplus
}
#endif

#endif
