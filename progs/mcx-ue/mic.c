/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The microphone: a WAV file every 20 ms through AMR-WB into RTP packets, for as long as it is open. Closed, it stands
 * still, and goes on where it stopped; the time between shows in the timestamps (RFC 3550 5.1).
 */
#include "ue.h"

#include <stdlib.h>

#include <mcx/rtp.h>

#include "io/audio.h"
#include "io/rtp_socket.h"

#define BEHIND_MS 200 /* when the clock has jumped by more, the pace starts anew */

struct ue_mic {
    struct ue_mic_config config;
    struct mcx_timer pace;
    bool open;
    uint64_t due_ms;
    uint64_t sent;
    /* of the present call */
    struct mcx_sdp_amrwb amrwb;
    struct mcx_rtp_source source;
    struct mcx_audio_encoder *encoder;
    struct mcx_wav_reader *wav; /* NULL = nothing (more) to say */
    uint8_t cmr;                /* mode that the listeners ask for */
};

/* @retval MCX_E_TRAILING the file has been played */
static mcx_err frame_say(struct ue_mic *m)
{
    int16_t pcm[MCX_AUDIO_FRAME] = { 0 };
    struct mcx_amrwb_payload payload = { .cmr = MCX_AMRWB_CMR_NONE, .num_frames = 1 };
    uint8_t speech[MCX_AMRWB_PAYLOAD_MAX];
    uint8_t packet[MCX_RTP_SOCKET_MTU];
    struct mcx_wr speech_wr = mcx_wr(speech, sizeof speech);
    struct mcx_wr packet_wr = mcx_wr(packet, sizeof packet);
    size_t num = 0;

    MCX_TRY(mcx_wav_read(pcm, MCX_AUDIO_FRAME, &num, m->wav));
    if (num == 0) {
        return MCX_E_TRAILING;
    }
    MCX_TRY(mcx_audio_encoder_set_mode(m->encoder, m->amrwb.mode_set, m->cmr));
    MCX_TRY(mcx_audio_encode(&payload.frame[0], m->encoder, pcm));
    MCX_TRY(mcx_amrwb_write(&speech_wr, &payload, m->amrwb.octet_align));
    MCX_TRY(mcx_rtp_source_write(&m->source, &packet_wr, mcx_wr_done(&speech_wr), MCX_AMRWB_FRAME_SAMPLES));
    MCX_TRY(m->config.send(m->config.arg, mcx_wr_done(&packet_wr)));
    m->sent++;
    return MCX_OK;
}

static void on_pace(void *arg)
{
    struct ue_mic *m = arg;
    uint64_t now = mcx_clock_mono_ms();
    mcx_err err = MCX_OK;

    if (now > m->due_ms + BEHIND_MS) {
        m->due_ms = now;
    }
    while (err == MCX_OK && m->open && m->due_ms <= now) {
        err = frame_say(m);
        m->due_ms += MCX_AMRWB_FRAME_MS;
        err = err == MCX_E_IO ? MCX_OK : err; /* an unreachable peer costs a packet, as the network would */
    }
    if (!m->open || (err == MCX_OK && mcx_timer_start(&m->pace, m->due_ms - now, on_pace, m) == MCX_OK)) {
        return;
    }
    mcx_wav_close(m->wav);
    m->wav = NULL;
    m->open = false;
    if (m->config.on_played != NULL) {
        m->config.on_played(m->config.arg);
    }
}

void ue_mic_open(struct ue_mic *m)
{
    uint64_t now = mcx_clock_mono_ms();

    if (m->open || m->wav == NULL) {
        return;
    }
    if (m->due_ms != 0 && now > m->due_ms) { /* it was open before */
        mcx_rtp_source_pause(&m->source, (uint32_t)((now - m->due_ms) / MCX_AMRWB_FRAME_MS * MCX_AMRWB_FRAME_SAMPLES));
    }
    m->due_ms = now;
    m->open = true;
    on_pace(m);
}

void ue_mic_close(struct ue_mic *m)
{
    m->open = false;
    mcx_timer_stop(&m->pace);
}

void ue_mic_set_cmr(struct ue_mic *m, uint8_t cmr)
{
    m->cmr = cmr;
}

uint64_t ue_mic_sent(const struct ue_mic *m)
{
    return m->sent;
}

mcx_err ue_mic_start(struct ue_mic *m, const struct mcx_sdp_amrwb *amrwb, const uint32_t *ssrc)
{
    struct mcx_rng rng = mcx_rng_system();

    ue_mic_stop(m);
    MCX_TRY(mcx_rtp_source_init(&m->source, amrwb->payload_type, &rng));
    if (ssrc != NULL) {
        m->source.ssrc = *ssrc;
    }
    m->amrwb = *amrwb;
    m->cmr = MCX_AMRWB_CMR_NONE;
    m->due_ms = 0;
    m->sent = 0;
    MCX_TRY(mcx_audio_encoder_new(&m->encoder));
    return m->config.play == NULL ? MCX_OK : mcx_wav_open(&m->wav, m->config.play, NULL);
}

void ue_mic_stop(struct ue_mic *m)
{
    ue_mic_close(m);
    mcx_audio_encoder_free(m->encoder);
    m->encoder = NULL;
    mcx_wav_close(m->wav);
    m->wav = NULL;
}

mcx_err ue_mic_new(struct ue_mic **out, const struct ue_mic_config *config, struct mcx_refusal *why)
{
    struct mcx_wav_reader *try = NULL;
    struct ue_mic *m = NULL;

    if (config->play != NULL) { /* now, so that a wrong name does not show in the middle of a call */
        MCX_TRY(mcx_wav_open(&try, config->play, why));
        mcx_wav_close(try);
    }
    m = calloc(1, sizeof *m);
    if (m == NULL) {
        return MCX_E_NOMEM;
    }
    m->config = *config;
    *out = m;
    return MCX_OK;
}

void ue_mic_free(struct ue_mic *m)
{
    if (m == NULL) {
        return;
    }
    ue_mic_stop(m);
    mcx_timer_clear(&m->pace);
    free(m);
}
