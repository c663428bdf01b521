/* SPDX-License-Identifier: Apache-2.0 */
#include <mcx/playout.h>

#include <stdlib.h>

#define FRAME_TS       MCX_AMRWB_FRAME_SAMPLES
#define SAMPLES_PER_MS (MCX_AMRWB_FRAME_SAMPLES / MCX_AMRWB_FRAME_MS)
#define HALF_TS        UINT32_C(0x80000000)
#define HALF_SEQ       0x8000
#define CLOCK_START    (UINT64_C(1) << 33) /* so that what was overtaken by the first packet is not below zero */
#define SEQ_START      (UINT64_C(1) << 32)

/* `clock` counts samples and never runs back; sequence numbers are kept without their wrap. */
struct mcx_playout {
    struct mcx_jitter *jitter;
    uint32_t delay_ms;
    void (*hear)(void *arg, const struct mcx_amrwb_frame *frame);
    void *arg;
    uint32_t ssrc;
    uint64_t clock; /* of the newest packet */
    uint64_t end;   /* of its last frame's start */
    uint32_t newest_ts;
    uint16_t newest_seq;
    uint64_t first;  /* lowest and highest sequence number */
    uint64_t newest; /* 0 = no packet yet */
    uint64_t taken;  /* packets of this stream that were not repeated */
    struct mcx_playout_stats stats;
};

mcx_err mcx_playout_new(struct mcx_playout **out, uint32_t delay_ms,
                        void (*hear)(void *arg, const struct mcx_amrwb_frame *frame), void *arg)
{
    struct mcx_playout *p = calloc(1, sizeof *p);
    mcx_err err = MCX_E_NOMEM;

    if (p == NULL) {
        return err;
    }
    err = mcx_jitter_new(&p->jitter, delay_ms);
    if (err != MCX_OK) {
        free(p);
        return err;
    }
    p->delay_ms = delay_ms;
    p->hear = hear;
    p->arg = arg;
    *out = p;
    return MCX_OK;
}

void mcx_playout_free(struct mcx_playout *p)
{
    if (p == NULL) {
        return;
    }
    mcx_jitter_free(p->jitter);
    free(p);
}

static void play(struct mcx_playout *p, uint64_t now_ms)
{
    struct mcx_amrwb_frame frame;
    uint64_t concealed = mcx_jitter_stats(p->jitter).concealed;

    while (mcx_jitter_get(&frame, p->jitter, now_ms)) {
        p->hear(p->arg, &frame);
    }
    p->stats.concealed += mcx_jitter_stats(p->jitter).concealed - concealed;
}

void mcx_playout_end(struct mcx_playout *p)
{
    play(p, p->end / SAMPLES_PER_MS + p->delay_ms);
}

static uint64_t lost(const struct mcx_playout *p)
{
    uint64_t expected = p->newest == 0 ? 0 : p->newest - p->first + 1;

    return expected > p->taken ? expected - p->taken : 0;
}

static mcx_err stream_begin(struct mcx_playout *p, uint32_t ssrc, uint16_t seq, uint32_t ts)
{
    struct mcx_jitter *fresh = NULL;

    MCX_TRY(mcx_jitter_new(&fresh, p->delay_ms));
    mcx_playout_end(p);
    p->stats.lost += lost(p);
    mcx_jitter_free(p->jitter);
    p->jitter = fresh;
    p->ssrc = ssrc;
    p->clock = CLOCK_START;
    p->end = CLOCK_START;
    p->newest_ts = ts;
    p->newest_seq = seq;
    p->newest = SEQ_START + seq;
    p->first = p->newest;
    p->taken = 0;
    return MCX_OK;
}

/* The stream has gone on to this packet. */
static void stream_advance(struct mcx_playout *p, uint16_t ahead, uint32_t ts)
{
    uint32_t step = ts - p->newest_ts;

    if (step >= HALF_TS || step % FRAME_TS != 0) {
        mcx_playout_end(p); /* the sender has jumped: what is held has no place in the new count */
    }
    p->clock += step < HALF_TS ? step : FRAME_TS;
    p->newest_ts = ts;
    p->newest += ahead;
    p->newest_seq = (uint16_t)(p->newest_seq + ahead);
}

/* What became of the packet that the buffer has just got. */
static void classify(struct mcx_playout *p, struct mcx_jitter_stats before)
{
    struct mcx_jitter_stats after = mcx_jitter_stats(p->jitter);

    if (after.repeated != before.repeated) {
        p->stats.duplicates++;
        return;
    }
    p->taken++;
    if (after.late != before.late) {
        p->stats.late++;
    } else {
        p->stats.received++;
    }
}

mcx_err mcx_playout_put(struct mcx_playout *p, const struct mcx_amrwb_payload *payload, uint32_t ssrc, uint16_t seq,
                        uint32_t ts)
{
    uint16_t ahead = (uint16_t)(seq - p->newest_seq);
    uint64_t frames_end = 0;
    struct mcx_jitter_stats before;

    if (p->newest == 0 || ssrc != p->ssrc) {
        MCX_TRY(stream_begin(p, ssrc, seq, ts));
        ahead = 0;
    } else if (ahead != 0 && ahead < HALF_SEQ) {
        stream_advance(p, ahead, ts);
    } else if (p->newest - (uint16_t)-ahead < p->first) {
        p->first = p->newest - (uint16_t)-ahead;
    }
    play(p, p->clock / SAMPLES_PER_MS); /* before the packet goes in: a far one would push the others out */
    before = mcx_jitter_stats(p->jitter);
    mcx_jitter_put(p->jitter, payload, seq, ts, p->clock / SAMPLES_PER_MS);
    classify(p, before);
    frames_end = p->clock + (payload->num_frames == 0 ? 0 : (payload->num_frames - 1) * FRAME_TS);
    p->end = frames_end > p->end ? frames_end : p->end;
    return MCX_OK;
}

struct mcx_playout_stats mcx_playout_stats(const struct mcx_playout *p)
{
    struct mcx_playout_stats stats = p->stats;

    stats.lost += lost(p);
    return stats;
}
