/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_JITTER_H
#define MCX_JITTER_H

/*
 * Play-out of AMR-WB frames in order and with a fixed delay.
 *
 * The first frame of a talk spurt is played `delay_ms` after it arrived, the others at their place after it by
 * their timestamps. What has not arrived when its time comes is given out as NO_DATA, for the decoder to conceal.
 * When nothing is left and nothing came for MCX_JITTER_IDLE_FRAMES, the spurt is over; the next frame that arrives
 * opens another. That also follows a path whose delay has grown for good.
 *
 * The owner calls mcx_jitter_get() whenever it has taken what the sockets hold and mcx_jitter_next_ms() has come;
 * as long as it returns true there is a frame to play. Time is the caller's, in milliseconds.
 */

#include <mcx/amrwb.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MCX_JITTER_SLOTS        64 /* frames held: 1.28 s */
#define MCX_JITTER_DELAY_MAX_MS 1000
#define MCX_JITTER_IDLE_FRAMES  10

struct mcx_jitter_stats {
    uint64_t played;    /* frames given out as they came */
    uint64_t concealed; /* given out as NO_DATA */
    uint64_t late;      /* came after their time */
    uint64_t repeated;  /* were there already */
    uint64_t restarts;  /* talk spurts, and jumps of the timestamp */
};

struct mcx_jitter;
/** @retval MCX_E_ARG delay over MCX_JITTER_DELAY_MAX_MS @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_jitter_new(struct mcx_jitter **out, uint32_t delay_ms);
void mcx_jitter_free(struct mcx_jitter *jb);
/** Frames of one authentic packet; another SSRC needs another buffer. */
void mcx_jitter_put(struct mcx_jitter *jb, const struct mcx_amrwb_payload *payload, uint16_t seq, uint32_t ts,
                    uint64_t now_ms);
/** The frame whose time has come; false when there is none. */
bool mcx_jitter_get(struct mcx_amrwb_frame *out, struct mcx_jitter *jb, uint64_t now_ms);
/** When mcx_jitter_get() will have a frame; false between talk spurts. */
bool mcx_jitter_next_ms(uint64_t *at_ms, const struct mcx_jitter *jb);
struct mcx_jitter_stats mcx_jitter_stats(const struct mcx_jitter *jb);

#ifdef __cplusplus
}
#endif

#endif
