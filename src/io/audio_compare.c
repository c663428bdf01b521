/* SPDX-License-Identifier: Apache-2.0 */
#include "io/audio.h"

#include <stdlib.h>
#include <string.h>

void mcx_pcm_clear(struct mcx_pcm *pcm)
{
    free(pcm->p);
    *pcm = (struct mcx_pcm){ NULL, 0 };
}

mcx_err mcx_pcm_load(struct mcx_pcm *out, const char *path, struct mcx_refusal *why)
{
    struct mcx_wav_reader *wav = NULL;
    struct mcx_pcm pcm = { NULL, 0 };
    size_t num = 0;
    mcx_err err;

    MCX_GO(err, mcx_wav_open(&wav, path, why));
    num = mcx_wav_num_samples(wav);
    if (num > MCX_PCM_MAX) {
        err = mcx_refuse(why, MCX_E_SPACE, "the WAV file is longer than ten minutes", "");
        goto out;
    }
    pcm.p = calloc(num + 1, sizeof *pcm.p);
    if (pcm.p == NULL) {
        err = mcx_refuse(why, MCX_E_NOMEM, "no memory for the samples", "");
        goto out;
    }
    MCX_GO(err, mcx_wav_read(pcm.p, num, &pcm.num, wav));
    *out = pcm;
    pcm.p = NULL;
out:
    free(pcm.p);
    mcx_wav_close(wav);
    return err;
}

static bool frame_equal(const int16_t *a, const int16_t *b)
{
    return memcmp(a, b, MCX_AUDIO_FRAME * sizeof *a) == 0;
}

/* Part of the reference that lies inside the recording when it starts `offset` frames into it. */
struct overlap {
    size_t in_reference;
    size_t in_recording;
    size_t num;
};

static struct overlap overlap_at(const struct mcx_pcm *reference, const struct mcx_pcm *recording, int32_t offset)
{
    struct overlap o = { 0, 0, 0 };
    size_t shift = (size_t)(offset < 0 ? -offset : offset) * MCX_AUDIO_FRAME;
    size_t left_reference = 0;
    size_t left_recording = 0;

    if (offset < 0) {
        o.in_reference = shift;
    } else {
        o.in_recording = shift;
    }
    left_reference = reference->num > o.in_reference ? reference->num - o.in_reference : 0;
    left_recording = recording->num > o.in_recording ? recording->num - o.in_recording : 0;
    o.num = left_reference < left_recording ? left_reference : left_recording;
    return o;
}

static size_t equal_frames(const struct mcx_pcm *reference, const struct mcx_pcm *recording, int32_t offset)
{
    struct overlap o = overlap_at(reference, recording, offset);
    size_t num = 0;

    for (size_t i = 0; i + MCX_AUDIO_FRAME <= o.num; i += MCX_AUDIO_FRAME) {
        num += frame_equal(reference->p + o.in_reference + i, recording->p + o.in_recording + i) ? 1 : 0;
    }
    return num;
}

struct mcx_audio_match mcx_audio_compare(const struct mcx_pcm *reference, const struct mcx_pcm *recording)
{
    struct mcx_audio_match m = { 0, 0, 0, false };
    int32_t first = -(int32_t)(reference->num / MCX_AUDIO_FRAME);
    int32_t last = (int32_t)(recording->num / MCX_AUDIO_FRAME);
    size_t best = equal_frames(reference, recording, 0);
    struct overlap o;

    for (int32_t offset = first; offset <= last; offset++) {
        size_t num = equal_frames(reference, recording, offset);

        if (num > best) {
            best = num;
            m.offset_frames = offset;
        }
    }
    o = overlap_at(reference, recording, m.offset_frames);
    m.compared = o.num;
    for (size_t i = 0; i < o.num; i++) {
        m.equal += reference->p[o.in_reference + i] == recording->p[o.in_recording + i] ? 1 : 0;
    }
    m.complete = m.equal == reference->num && reference->num > 0;
    return m;
}
