/* SPDX-License-Identifier: Apache-2.0 */
/* Media of a call: a WAV file every 20 ms through AMR-WB, RTP and SRTP to the peer, and the way back. */
#include "ue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <mcx/playout.h>
#include <mcx/rtp.h>
#include <mcx/srtp.h>

#include "drops.h"
#include "io/audio.h"
#include "io/rtp_socket.h"

#define MAX_SSRC         2   /* the peer, and once more after it restarted its stream */
#define PLAYOUT_DELAY_MS 100 /* of the stream: a packet may be overtaken by five others */

struct ue_voice {
    struct ue_voice_config config;
    struct mcx_rtp_socket *audio;
    struct mcx_watch audio_watch;
    struct mcx_wav_writer *record;
    bool record_failed;
    struct ue_mic *mic;
    struct ue_voice_counts counts;
    struct ue_drops drops;
    /* of the present call */
    bool active;
    struct mcx_sdp_amrwb amrwb;
    struct sockaddr_storage remote;
    socklen_t remote_len;
    struct mcx_srtp_tx *tx; /* NULL with `active`: not protected */
    struct mcx_srtp_rx *rx;
    struct mcx_audio_decoder *decoder;
    struct mcx_playout *playout;
    uint8_t rx_payload_type; /* what we have said that we take */
};

/* ---- receiving ---- */

/* A frame that cannot be decoded or written costs 20 ms of the recording, which is then known as incomplete. */
static void frame_hear(void *arg, const struct mcx_amrwb_frame *frame)
{
    struct ue_voice *v = arg;
    int16_t pcm[MCX_AUDIO_FRAME];
    mcx_err err = mcx_audio_decode(pcm, v->decoder, frame);

    if (err == MCX_OK && v->record != NULL) {
        err = mcx_wav_write(v->record, pcm, MCX_AUDIO_FRAME);
    }
    v->record_failed = v->record_failed || err != MCX_OK;
}

/* Nothing of a packet is used before its tag is good (RFC 3711 3.3). */
static mcx_err packet_take(struct ue_voice *v, struct mcx_bytes datagram, struct mcx_refusal *why)
{
    uint8_t buf[MCX_RTP_SOCKET_MTU];
    struct mcx_wr plain = mcx_wr(buf, sizeof buf);
    struct mcx_amrwb_payload frames;
    struct mcx_rtp rtp;

    *why = (struct mcx_refusal){ 0 };
    if (!v->active) {
        return mcx_refuse(why, MCX_E_STATE, "no call is open", "TS 24.379 11.1.3");
    }
    if (v->rx != NULL) {
        MCX_TRY(mcx_srtp_unprotect(v->rx, &plain, datagram, why));
        datagram = mcx_wr_done(&plain);
    }
    if (mcx_rtp_read(&rtp, datagram) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "not an RTP packet", "RFC 3550 5.1");
    }
    if (rtp.pt != v->rx_payload_type) {
        return mcx_refuse(why, MCX_E_UNSUP, "another payload type than the one agreed on", "RFC 3264 6.1");
    }
    if (mcx_amrwb_read(&frames, rtp.payload, v->amrwb.octet_align) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "the speech in the packet cannot be read", "RFC 4867 4.3, 4.4");
    }
    ue_mic_set_cmr(v->mic, frames.cmr);
    v->config.on_heard(v->config.arg);
    return mcx_playout_put(v->playout, &frames, rtp.ssrc, rtp.seq, rtp.ts);
}

static void on_audio(void *arg)
{
    struct ue_voice *v = arg;
    uint8_t buf[MCX_RTP_SOCKET_MTU];

    for (;;) {
        struct mcx_refusal why = ue_drop_too_long;
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_rtp_socket_recv(v->audio, MCX_RTP, &wr, NULL);

        if (err == MCX_E_STATE || err == MCX_E_IO) {
            return;
        }
        err = err == MCX_OK ? packet_take(v, mcx_wr_done(&wr), &why) : err;
        v->counts.duplicates += err == MCX_E_REPLAY;
        v->counts.refused += err != MCX_OK && err != MCX_E_REPLAY;
        if (err != MCX_OK) {
            ue_drops_add(&v->drops, err, &why);
        }
    }
}

/* ---- sending ---- */

static void on_played(void *arg)
{
    struct ue_voice *v = arg;

    v->config.on_played(v->config.arg);
}

static mcx_err on_packet(void *arg, struct mcx_bytes packet)
{
    struct ue_voice *v = arg;
    uint8_t sealed[MCX_RTP_SOCKET_MTU];
    struct mcx_wr wr = mcx_wr(sealed, sizeof sealed);

    if (v->tx != NULL) {
        MCX_TRY(mcx_srtp_protect(v->tx, &wr, packet));
        packet = mcx_wr_done(&wr);
    }
    return mcx_rtp_socket_send(v->audio, MCX_RTP, (const struct sockaddr *)&v->remote, v->remote_len, packet);
}

void ue_voice_mic(struct ue_voice *v, bool open)
{
    if (!open) {
        ue_mic_close(v->mic);
    } else if (v->active) {
        ue_mic_open(v->mic);
    }
}

/* ---- one call ---- */

static struct mcx_srtp_params srtp_params(const struct mcx_privcall_media *media, const struct mcx_srtp_master *master)
{
    return (struct mcx_srtp_params){ .master = master,
                                     .mki = mcx_bytes(media->mki, sizeof media->mki),
                                     .roc_rate = media->roc_rate };
}

static mcx_err listen_try(struct ue_voice *v, const struct mcx_privcall_media *media)
{
    if (media->rx != NULL) {
        struct mcx_srtp_params params = srtp_params(media, media->rx);

        MCX_TRY(mcx_srtp_rx_new(&v->rx, &params, MAX_SSRC));
    }
    MCX_TRY(mcx_audio_decoder_new(&v->decoder));
    MCX_TRY(mcx_playout_new(&v->playout, PLAYOUT_DELAY_MS, frame_hear, v));
    if (v->config.record != NULL && v->record == NULL) {
        MCX_TRY(mcx_wav_create(&v->record, v->config.record));
    }
    v->amrwb = media->amrwb;
    v->rx_payload_type = media->amrwb.payload_type;
    memset(&v->counts, 0, sizeof v->counts);
    ue_drops_tell(&v->drops);
    v->active = true;
    return MCX_OK;
}

mcx_err ue_voice_listen(struct ue_voice *v, const struct mcx_privcall_media *media)
{
    mcx_err err = listen_try(v, media);

    if (err != MCX_OK) {
        ue_voice_stop(v);
    }
    return err;
}

static mcx_err start(struct ue_voice *v, const struct mcx_privcall_media *media)
{
    if (!v->active) {
        MCX_TRY(listen_try(v, media));
    }
    v->amrwb = media->amrwb;
    MCX_TRY(ue_address_read(&v->remote, &v->remote_len, media->address, media->port));
    if (media->tx != NULL) {
        struct mcx_srtp_params params = srtp_params(media, media->tx);

        MCX_TRY(mcx_srtp_tx_new(&v->tx, &params));
    }
    return ue_mic_start(v->mic, &media->amrwb, NULL);
}

/* The file holds the call that has just ended; the next one replaces it. */
static void record_finish(struct ue_voice *v)
{
    if (mcx_wav_finish(v->record) != MCX_OK) {
        v->record_failed = true;
    }
    v->record = NULL;
}

mcx_err ue_voice_start(struct ue_voice *v, const struct mcx_privcall_media *media)
{
    mcx_err err = start(v, media);

    if (err != MCX_OK) {
        ue_voice_stop(v);
    }
    return err;
}

static void counts_take(struct ue_voice *v)
{
    struct mcx_playout_stats stats = mcx_playout_stats(v->playout);

    v->counts.sent = ue_mic_sent(v->mic);
    v->counts.received = stats.received;
    v->counts.late = stats.late;
    v->counts.lost = stats.lost;
    v->counts.concealed = stats.concealed;
    v->counts.duplicates += stats.duplicates;
}

void ue_voice_stop(struct ue_voice *v)
{
    if (v->active) {
        on_audio(v); /* what has arrived already was said before the end */
        mcx_playout_end(v->playout);
        counts_take(v);
        ue_drops_tell(&v->drops);
        record_finish(v);
    }
    v->active = false;
    ue_mic_stop(v->mic);
    mcx_srtp_tx_free(v->tx);
    mcx_srtp_rx_free(v->rx);
    mcx_audio_decoder_free(v->decoder);
    mcx_playout_free(v->playout);
    v->playout = NULL;
    v->tx = NULL;
    v->rx = NULL;
    v->decoder = NULL;
}

/* ---- life ---- */

/* The recording is made now, so that a wrong name does not show in the middle of a call. */
static mcx_err files_open(struct ue_voice *v, struct mcx_refusal *why)
{
    const struct ue_mic_config mic = {
        .play = v->config.play, .send = on_packet, .on_played = v->config.on_played == NULL ? NULL : on_played, .arg = v
    };

    MCX_TRY(ue_mic_new(&v->mic, &mic, why));
    return v->config.record == NULL ? MCX_OK : mcx_wav_create(&v->record, v->config.record);
}

static mcx_err socket_open(struct ue_voice *v)
{
    MCX_TRY(mcx_rtp_socket_open(&v->audio, v->config.address, 0, 0));
    v->audio_watch = (struct mcx_watch){ mcx_rtp_socket_fd(v->audio, MCX_RTP), on_audio, v };
    return mcx_loop_watch(&v->audio_watch);
}

mcx_err ue_voice_new(struct ue_voice **out, const struct ue_voice_config *config, struct mcx_refusal *why)
{
    struct ue_voice *v = calloc(1, sizeof *v);
    mcx_err err = MCX_OK;

    if (v == NULL) {
        return MCX_E_NOMEM;
    }
    v->config = *config;
    v->drops = ue_drops("audio", config->json);
    v->audio_watch.fd = -1;
    MCX_GO(err, files_open(v, why));
    MCX_GO(err, socket_open(v));
    *out = v;
    return MCX_OK;
out:
    (void)ue_voice_free(v);
    return err;
}

bool ue_voice_free(struct ue_voice *v)
{
    bool complete = true;

    if (v == NULL) {
        return true;
    }
    if (v->mic != NULL) {
        ue_voice_stop(v);
    }
    ue_mic_free(v->mic);
    if (v->audio_watch.fd >= 0) {
        mcx_loop_unwatch(&v->audio_watch);
    }
    mcx_rtp_socket_close(v->audio);
    record_finish(v);
    complete = !v->record_failed;
    free(v);
    return complete;
}

uint16_t ue_voice_audio_port(const struct ue_voice *v)
{
    return mcx_rtp_socket_port(v->audio, MCX_RTP);
}

struct ue_voice_counts ue_voice_counts(const struct ue_voice *v)
{
    return v->counts;
}
