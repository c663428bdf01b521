/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/jitter.h>

#include <stdlib.h>
#include <string.h>

#define FRAME_TS MCX_AMRWB_FRAME_SAMPLES

/* Slot n is for the n-th frame from the one that is played next; `head` is where that one lies. */
struct mcx_jitter {
    uint32_t delay_ms;
    bool in_spurt;
    bool played_any; /* since the spurt began */
    uint32_t next_ts;
    uint64_t next_ms;
    uint16_t newest_seq;
    size_t head;
    size_t num_held;
    size_t num_missed; /* in a row */
    bool held[MCX_JITTER_SLOTS];
    struct mcx_amrwb_frame frame[MCX_JITTER_SLOTS];
    struct mcx_jitter_stats stats;
};

mcx_err mcx_jitter_new(struct mcx_jitter **out, uint32_t delay_ms)
{
    struct mcx_jitter *jb = NULL;

    if (delay_ms > MCX_JITTER_DELAY_MAX_MS) {
        return MCX_E_ARG;
    }
    jb = calloc(1, sizeof *jb);
    if (jb == NULL) {
        return MCX_E_NOMEM;
    }
    jb->delay_ms = delay_ms;
    *out = jb;
    return MCX_OK;
}

void mcx_jitter_free(struct mcx_jitter *jb)
{
    free(jb);
}

static void start_spurt(struct mcx_jitter *jb, uint32_t ts, uint64_t now_ms)
{
    memset(jb->held, 0, sizeof jb->held);
    jb->num_held = 0;
    jb->num_missed = 0;
    jb->played_any = false;
    jb->in_spurt = true;
    jb->next_ts = ts;
    jb->next_ms = now_ms + jb->delay_ms;
    jb->stats.restarts++;
}

/*
 * The spurt was opened by a frame that had overtaken this one: play that much earlier, as long as the time for it
 * has not passed and the last slots are free.
 */
static bool move_back(struct mcx_jitter *jb, uint32_t num_frames, uint64_t now_ms)
{
    uint64_t ms = (uint64_t)num_frames * MCX_AMRWB_FRAME_MS;

    if (jb->played_any || num_frames >= MCX_JITTER_SLOTS || jb->next_ms < now_ms + ms) {
        return false;
    }
    for (size_t i = 1; i <= num_frames; i++) {
        if (jb->held[(jb->head + MCX_JITTER_SLOTS - i) % MCX_JITTER_SLOTS]) {
            return false;
        }
    }
    jb->head = (jb->head + MCX_JITTER_SLOTS - num_frames) % MCX_JITTER_SLOTS;
    jb->next_ts -= num_frames * FRAME_TS;
    jb->next_ms -= ms;
    return true;
}

static void hold(struct mcx_jitter *jb, const struct mcx_amrwb_frame *frame, size_t place)
{
    size_t at = (jb->head + place) % MCX_JITTER_SLOTS;

    if (jb->held[at]) {
        jb->stats.repeated++;
        return;
    }
    jb->frame[at] = *frame;
    jb->held[at] = true;
    jb->num_held++;
}

/* `newer`: the packet is the newest of its stream, so a timestamp far off means that the sender has jumped. */
static void put_frame(struct mcx_jitter *jb, const struct mcx_amrwb_frame *frame, uint32_t ts, bool newer,
                      uint64_t now_ms)
{
    uint32_t ahead = ts - jb->next_ts;
    uint32_t behind = jb->next_ts - ts;

    if (jb->in_spurt && ahead % FRAME_TS == 0 && ahead / FRAME_TS < MCX_JITTER_SLOTS) {
        hold(jb, frame, ahead / FRAME_TS);
        return;
    }
    if (jb->in_spurt && behind % FRAME_TS == 0 && behind / FRAME_TS < MCX_JITTER_SLOTS) {
        if (move_back(jb, behind / FRAME_TS, now_ms)) {
            hold(jb, frame, 0);
        } else {
            jb->stats.late++;
        }
        return;
    }
    if (!newer) {
        jb->stats.late++;
        return;
    }
    start_spurt(jb, ts, now_ms);
    hold(jb, frame, 0);
}

void mcx_jitter_put(struct mcx_jitter *jb, const struct mcx_amrwb_payload *payload, uint16_t seq, uint32_t ts,
                    uint64_t now_ms)
{
    uint16_t ahead = (uint16_t)(seq - jb->newest_seq);
    bool newer = jb->stats.restarts == 0 || (ahead != 0 && ahead < 0x8000);

    for (size_t i = 0; i < payload->num_frames; i++) {
        put_frame(jb, &payload->frame[i], ts + (uint32_t)i * FRAME_TS, newer, now_ms);
    }
    if (newer) {
        jb->newest_seq = seq;
    }
}

bool mcx_jitter_get(struct mcx_amrwb_frame *out, struct mcx_jitter *jb, uint64_t now_ms)
{
    if (!jb->in_spurt || now_ms < jb->next_ms) {
        return false;
    }
    if (jb->held[jb->head]) {
        *out = jb->frame[jb->head];
        jb->held[jb->head] = false;
        jb->num_held--;
        jb->num_missed = 0;
        jb->stats.played++;
    } else {
        *out = mcx_amrwb_no_data();
        jb->num_missed++;
        jb->stats.concealed++;
    }
    jb->played_any = true;
    jb->head = (jb->head + 1) % MCX_JITTER_SLOTS;
    jb->next_ts += FRAME_TS;
    jb->next_ms += MCX_AMRWB_FRAME_MS;
    if (jb->num_held == 0 && jb->num_missed >= MCX_JITTER_IDLE_FRAMES) {
        jb->in_spurt = false;
    }
    return true;
}

bool mcx_jitter_next_ms(uint64_t *at_ms, const struct mcx_jitter *jb)
{
    if (jb->in_spurt) {
        *at_ms = jb->next_ms;
    }
    return jb->in_spurt;
}

struct mcx_jitter_stats mcx_jitter_stats(const struct mcx_jitter *jb)
{
    return jb->stats;
}
