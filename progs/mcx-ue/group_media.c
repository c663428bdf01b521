/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media of group calls: what the microphone takes goes out under the own key, what comes in is opened under its
 * speaker's. Several may speak at once: each stream has a decoder and a play-out of its own, and all are mixed into one
 * recording, each at its place in time.
 *
 * A stream's frames stand one behind the other as its timestamps say (RFC 3550 5.1), so that a busy machine leaves no
 * holes in what came without any; only where a stream begins is looked up on the clock.
 */
#define _GNU_SOURCE
#include "ue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <mcx/playout.h>
#include <mcx/rtp.h>

#include "drops.h"
#include "io/audio.h"
#include "io/rtp_socket.h"

#define PLAYOUT_DELAY_MS 100 /* of the stream: a packet may be overtaken by five others */
#define SPURT_END_MS     500 /* without a packet: what is held is played */
#define TICK_MS          100
#define MAX_STREAMS      16
#define MIX_FRAMES       256 /* 5.12 s that frames may still be mixed into */
#define MIX_BEHIND       150 /* frames after which they are written */
#define FRAME_TS         MCX_AMRWB_FRAME_SAMPLES

/* What one sender says. */
struct stream {
    bool used;
    struct ue_radio *radio;
    struct mcx_group_speaker speaker;
    struct mcx_audio_decoder *decoder;
    struct mcx_playout *playout; /* of the present talk spurt; NULL between two */
    uint16_t last_seq;
    uint64_t place;   /* of the next frame in the recording */
    uint32_t next_ts; /* its timestamp */
    uint64_t heard_ms;
    uint32_t told_guk;
};

/* Who was heard in a group: kept over its calls, so that nothing recorded in one of them is played again in another. */
struct listener {
    char group[MCX_GC_URI_MAX];
    struct mcx_group_rx *rx;
};

struct ue_radio {
    struct ue_radio_config config;
    struct mcx_rtp_socket *socket;
    struct mcx_watch watch;
    struct ue_mic *mic;
    struct mcx_timer tick;
    struct mcx_wav_writer *record;
    bool record_failed;
    int16_t mix[MIX_FRAMES][MCX_AUDIO_FRAME];
    uint64_t written;    /* frames in the file */
    uint64_t mixed;      /* place behind the last frame that was mixed in */
    uint64_t started_ms; /* clock of place `origin` */
    uint64_t origin;
    /* of the present call */
    bool active;
    bool protect;
    bool may_send; /* false after a renewal that found no key */
    const struct mcx_group_keys *keys;
    struct mcx_group_rx *rx; /* one of the listeners */
    struct mcx_group_tx *tx;
    struct mcx_sdp_amrwb amrwb;
    uint8_t rx_payload_type;
    struct sockaddr_storage remote;
    socklen_t remote_len;
    struct stream streams[MAX_STREAMS];
    uint32_t last_ssrc; /* whom on_speaker named last */
    uint32_t last_guk;
    uint64_t last_heard_ms;
    struct ue_radio_counts counts;
    struct ue_drops drops;
    struct listener listeners[MCX_GC_AFFILIATIONS_MAX];
    size_t next_listener; /* to be replaced when there are too many */
};

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

/* ---- the recording ---- */

static void mix_write(struct ue_radio *r, uint64_t up_to)
{
    for (; r->written < up_to; r->written++) {
        int16_t *frame = r->mix[r->written % MIX_FRAMES];

        if (r->record != NULL && mcx_wav_write(r->record, frame, MCX_AUDIO_FRAME) != MCX_OK) {
            r->record_failed = true;
        }
        memset(frame, 0, sizeof r->mix[0]);
    }
}

static uint64_t place_now(const struct ue_radio *r)
{
    return r->origin + (mcx_clock_mono_ms() - r->started_ms) / MCX_AMRWB_FRAME_MS;
}

/* Silence is written too, so that the recording keeps time. */
static void mix_advance(struct ue_radio *r)
{
    uint64_t at = place_now(r);

    if (at > MIX_BEHIND && r->written < at - MIX_BEHIND) {
        mix_write(r, at - MIX_BEHIND);
    }
}

static void mix_add(struct ue_radio *r, uint64_t place, const int16_t pcm[MCX_AUDIO_FRAME])
{
    int16_t *frame = r->mix[place % MIX_FRAMES];

    for (size_t i = 0; i < MCX_AUDIO_FRAME; i++) {
        int32_t sum = frame[i] + pcm[i];

        frame[i] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
    }
    r->mixed = place + 1 > r->mixed ? place + 1 : r->mixed;
}

/* ---- streams ---- */

/* A frame of a stream, in its order; one that cannot be decoded costs 20 ms of the recording, known as incomplete. */
static void frame_hear(void *arg, const struct mcx_amrwb_frame *frame)
{
    struct stream *s = arg;
    struct ue_radio *r = s->radio;
    int16_t pcm[MCX_AUDIO_FRAME];

    if (s->place < r->written) {
        s->place = r->written; /* its time was written already */
    } else if (s->place >= r->written + MIX_FRAMES) {
        mix_write(r, s->place + 1 - MIX_FRAMES);
    }
    if (mcx_audio_decode(pcm, s->decoder, frame) == MCX_OK) {
        mix_add(r, s->place, pcm);
    } else {
        r->record_failed = true;
    }
    s->place++;
    s->next_ts += FRAME_TS;
}

static void spurt_end(struct stream *s)
{
    struct mcx_playout_stats stats;
    struct ue_radio_counts *c = NULL;

    if (s->playout == NULL) {
        return;
    }
    c = &s->radio->counts;
    mcx_playout_end(s->playout);
    stats = mcx_playout_stats(s->playout);
    c->received += stats.received;
    c->late += stats.late;
    c->lost += stats.lost;
    c->duplicates += stats.duplicates;
    c->concealed += stats.concealed;
    mcx_playout_free(s->playout);
    s->playout = NULL;
}

/* Where a talk spurt goes: so long after the last one as the sender's clock says, or, the first time, at its arrival.
 */
static mcx_err spurt_begin(struct stream *s, uint32_t ts, bool first)
{
    struct ue_radio *r = s->radio;
    uint64_t at = place_now(r);
    uint32_t pause = (ts - s->next_ts) / FRAME_TS;

    MCX_TRY(mcx_playout_new(&s->playout, PLAYOUT_DELAY_MS, frame_hear, s));
    s->place = first ? at : s->place + pause;
    if (s->place > at + MIX_FRAMES / 4 || s->place + MIX_BEHIND < at) {
        s->place = at; /* the sender's clock is not believed that far */
    }
    s->next_ts = ts;
    return MCX_OK;
}

static void stream_end(struct stream *s)
{
    spurt_end(s);
    mcx_audio_decoder_free(s->decoder);
    *s = (struct stream){ .used = false };
}

/* Another GUK-ID under the same GMK is another speaker, whatever his SSRC; another GMK-ID is the same one re-keyed. */
static bool same_speaker(const struct mcx_group_speaker *a, const struct mcx_group_speaker *b)
{
    return a->ssrc == b->ssrc && (a->guk_id == b->guk_id || a->gmk_id != b->gmk_id);
}

static struct stream *stream_of(struct ue_radio *r, const struct mcx_group_speaker *speaker)
{
    struct stream *oldest = &r->streams[0];

    for (size_t i = 0; i < MAX_STREAMS; i++) {
        struct stream *s = &r->streams[i];

        if (s->used && same_speaker(&s->speaker, speaker)) {
            s->speaker = *speaker;
            return s;
        }
        if (!s->used || (oldest->used && s->heard_ms < oldest->heard_ms)) {
            oldest = s;
        }
    }
    stream_end(oldest);
    if (mcx_audio_decoder_new(&oldest->decoder) != MCX_OK) {
        return NULL;
    }
    oldest->used = true;
    oldest->radio = r;
    oldest->speaker = *speaker;
    return oldest;
}

/* Of several who speak at once each is told once, and whoever goes on when the last one told is silent. */
static void speaker_tell(struct ue_radio *r, struct stream *s)
{
    bool same = r->last_ssrc == s->speaker.ssrc && r->last_guk == s->speaker.guk_id;

    if (!same && s->playout != NULL && s->told_guk == s->speaker.guk_id &&
        r->last_heard_ms + SPURT_END_MS >= s->heard_ms) {
        return;
    }
    r->last_heard_ms = s->heard_ms;
    s->told_guk = s->speaker.guk_id;
    if (!same) {
        r->last_ssrc = s->speaker.ssrc;
        r->last_guk = s->speaker.guk_id;
        r->config.on_speaker(r->config.arg, &s->speaker);
    }
}

static mcx_err speech_take(struct ue_radio *r, const struct mcx_rtp *rtp, const struct mcx_amrwb_payload *frames,
                           const struct mcx_group_speaker *speaker)
{
    struct stream *s = stream_of(r, speaker);
    bool first = false;

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    first = s->heard_ms == 0;
    s->heard_ms = mcx_clock_mono_ms();
    if (rtp->marker && s->playout != NULL && (uint16_t)(rtp->seq - s->last_seq) < 0x8000) {
        spurt_end(s); /* the pause was shorter than it takes to notice one */
    }
    speaker_tell(r, s);
    if (s->playout == NULL) {
        MCX_TRY(spurt_begin(s, rtp->ts, first));
    }
    s->last_seq = rtp->seq;
    return mcx_playout_put(s->playout, frames, rtp->ssrc, rtp->seq, rtp->ts);
}

/* ---- receiving ---- */

/* Nothing of a packet is used before its tag is good (RFC 3711 3.3). */
static mcx_err packet_take(struct ue_radio *r, struct mcx_bytes datagram, struct mcx_refusal *why)
{
    uint8_t buf[MCX_RTP_SOCKET_MTU];
    struct mcx_wr plain = mcx_wr(buf, sizeof buf);
    struct mcx_group_speaker speaker = { 0 };
    struct mcx_amrwb_payload frames;
    struct mcx_rtp rtp;

    *why = (struct mcx_refusal){ 0 };
    if (!r->active) {
        return mcx_refuse(why, MCX_E_STATE, "no call is open", "TS 24.379 10.1.1");
    }
    if (r->protect) {
        MCX_TRY(mcx_group_rx_open(r->rx, &plain, &speaker, datagram, now(), why));
        datagram = mcx_wr_done(&plain);
    }
    if (mcx_rtp_read(&rtp, datagram) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "not an RTP packet", "RFC 3550 5.1");
    }
    if (rtp.pt != r->rx_payload_type) {
        return mcx_refuse(why, MCX_E_UNSUP, "another payload type than the one agreed on", "RFC 3264 6.1");
    }
    if (mcx_amrwb_read(&frames, rtp.payload, r->amrwb.octet_align) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "the speech in the packet cannot be read", "RFC 4867 4.3, 4.4");
    }
    speaker.ssrc = rtp.ssrc;
    r->config.on_heard(r->config.arg);
    return speech_take(r, &rtp, &frames, &speaker);
}

static void on_ready(void *arg)
{
    struct ue_radio *r = arg;
    uint8_t buf[MCX_RTP_SOCKET_MTU];

    for (;;) {
        struct mcx_refusal why = ue_drop_too_long;
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        mcx_err err = mcx_rtp_socket_recv(r->socket, MCX_RTP, &wr, NULL);

        if (err == MCX_E_STATE || err == MCX_E_IO) {
            return;
        }
        err = err == MCX_OK ? packet_take(r, mcx_wr_done(&wr), &why) : err;
        if (err != MCX_OK) {
            ue_drops_add(&r->drops, err, &why);
        }
        r->counts.duplicates += err == MCX_E_REPLAY;
        r->counts.unknown_key += err == MCX_E_NOKEY || err == MCX_E_EXPIRED;
        r->counts.refused += err != MCX_OK && err != MCX_E_REPLAY && err != MCX_E_NOKEY && err != MCX_E_EXPIRED;
    }
}

static void on_tick(void *arg)
{
    struct ue_radio *r = arg;
    uint64_t at = mcx_clock_mono_ms();

    on_ready(r); /* what has arrived counts before a pause does */
    for (size_t i = 0; i < MAX_STREAMS; i++) {
        if (r->streams[i].playout != NULL && r->streams[i].heard_ms + SPURT_END_MS < at) {
            spurt_end(&r->streams[i]);
        }
    }
    mix_advance(r);
    if (mcx_timer_start(&r->tick, TICK_MS, on_tick, r) != MCX_OK) {
        r->record_failed = true;
    }
}

/* ---- sending ---- */

static mcx_err on_packet(void *arg, struct mcx_bytes packet)
{
    struct ue_radio *r = arg;
    uint8_t sealed[MCX_RTP_SOCKET_MTU];
    struct mcx_wr wr = mcx_wr(sealed, sizeof sealed);

    if (r->protect) {
        mcx_err err = r->may_send ? mcx_group_tx_protect(r->tx, &wr, packet) : MCX_E_NOKEY;

        if (err != MCX_OK) { /* never in clear: the words are lost */
            r->counts.unsent++;
            return MCX_OK;
        }
        packet = mcx_wr_done(&wr);
    }
    MCX_TRY(mcx_rtp_socket_send(r->socket, MCX_RTP, (const struct sockaddr *)&r->remote, r->remote_len, packet));
    r->counts.sent++;
    return MCX_OK;
}

static void on_played(void *arg)
{
    struct ue_radio *r = arg;

    r->config.on_played(r->config.arg);
}

void ue_radio_mic(struct ue_radio *r, bool open)
{
    if (open) {
        ue_mic_open(r->mic);
    } else {
        ue_mic_close(r->mic);
    }
}

/* ---- keys ---- */

mcx_err ue_radio_set_keys(struct ue_radio *r, const struct mcx_group_keys *keys, bool *switched,
                          struct mcx_refusal *why)
{
    mcx_err err = MCX_OK;

    *switched = false;
    r->keys = keys;
    for (size_t i = 0; i < MCX_GC_AFFILIATIONS_MAX; i++) {
        if (r->listeners[i].rx != NULL) { /* what was derived from keys that are gone is wiped between calls too */
            mcx_group_rx_renew(r->listeners[i].rx, keys, now());
        }
    }
    if (!r->active || !r->protect) {
        return MCX_OK;
    }
    if (r->tx != NULL) {
        err = mcx_group_tx_renew(r->tx, switched, keys, now(), why);
        r->may_send = err == MCX_OK;
    }
    return err;
}

uint32_t ue_radio_key_id(const struct ue_radio *r)
{
    return r->tx == NULL || !r->may_send ? 0 : mcx_group_tx_key_id(r->tx);
}

/* ---- one call ---- */

static struct listener *listener_of(struct ue_radio *r, const char *group)
{
    struct listener *l = NULL;

    for (size_t i = 0; i < MCX_GC_AFFILIATIONS_MAX; i++) {
        if (r->listeners[i].rx != NULL && strcmp(r->listeners[i].group, group) == 0) {
            return &r->listeners[i];
        }
    }
    l = &r->listeners[r->next_listener];
    r->next_listener = (r->next_listener + 1) % MCX_GC_AFFILIATIONS_MAX;
    mcx_group_rx_free(l->rx);
    l->rx = NULL;
    return l;
}

static mcx_err rx_take(struct ue_radio *r, const char *group)
{
    struct listener *l = listener_of(r, group);

    if (l->rx == NULL) {
        MCX_TRY(mcx_bytes_cstr(l->group, sizeof l->group, mcx_bytes_str(group)));
        MCX_TRY(mcx_group_rx_new(&l->rx, r->keys, group, NULL));
    }
    r->rx = l->rx;
    return MCX_OK;
}

static mcx_err listen_try(struct ue_radio *r, const struct mcx_groupcall_media *media)
{
    if (media->protect_media) {
        MCX_TRY(rx_take(r, media->group));
    }
    r->protect = media->protect_media;
    r->amrwb = media->amrwb;
    r->rx_payload_type = media->amrwb.payload_type;
    memset(&r->counts, 0, sizeof r->counts);
    ue_drops_tell(&r->drops);
    r->last_ssrc = r->last_guk = 0;
    r->origin = r->mixed > r->written ? r->mixed : r->written;
    r->started_ms = mcx_clock_mono_ms();
    r->active = true;
    return mcx_timer_start(&r->tick, TICK_MS, on_tick, r);
}

mcx_err ue_radio_listen(struct ue_radio *r, const struct mcx_groupcall_media *media)
{
    mcx_err err = listen_try(r, media);

    if (err != MCX_OK) {
        ue_radio_stop(r);
    }
    return err;
}

static mcx_err start(struct ue_radio *r, const struct mcx_groupcall_media *media, struct mcx_refusal *why)
{
    const struct mcx_rng rng = mcx_rng_system();
    uint32_t ssrc = 0;

    if (!r->active) {
        MCX_TRY(listen_try(r, media));
    }
    r->amrwb = media->amrwb;
    MCX_TRY(ue_address_read(&r->remote, &r->remote_len, media->address, media->port));
    if (!r->protect) {
        return ue_mic_start(r->mic, &media->amrwb, NULL);
    }
    MCX_TRY(mcx_group_tx_new(&r->tx, r->keys, media->group, now(), &rng, why));
    r->may_send = true;
    ssrc = mcx_group_tx_ssrc(r->tx);
    mcx_group_rx_own(r->rx, ssrc);
    return ue_mic_start(r->mic, &media->amrwb, &ssrc);
}

mcx_err ue_radio_start(struct ue_radio *r, const struct mcx_groupcall_media *media, struct mcx_refusal *why)
{
    mcx_err err = start(r, media, why);

    if (err != MCX_OK) {
        ue_radio_stop(r);
    }
    return err;
}

void ue_radio_stop(struct ue_radio *r)
{
    ue_mic_stop(r->mic);
    if (r->active) {
        on_ready(r); /* what has arrived already was said before the end */
        ue_drops_tell(&r->drops);
    }
    r->active = false;
    mcx_timer_stop(&r->tick);
    for (size_t i = 0; i < MAX_STREAMS; i++) {
        stream_end(&r->streams[i]);
    }
    mix_write(r, r->mixed);
    mcx_group_tx_free(r->tx);
    r->tx = NULL;
    r->rx = NULL;
}

struct ue_radio_counts ue_radio_counts(const struct ue_radio *r)
{
    return r->counts;
}

/* ---- life ---- */

static mcx_err open_all(struct ue_radio *r, struct mcx_refusal *why)
{
    const struct ue_mic_config mic = { .play = r->config.play, .send = on_packet, .on_played = on_played, .arg = r };

    MCX_TRY(ue_mic_new(&r->mic, &mic, why));
    if (r->config.record != NULL) {
        MCX_TRY(mcx_wav_create(&r->record, r->config.record));
    }
    MCX_TRY(mcx_rtp_socket_open(&r->socket, r->config.address, 0, 0));
    r->watch = (struct mcx_watch){ mcx_rtp_socket_fd(r->socket, MCX_RTP), on_ready, r };
    return mcx_loop_watch(&r->watch);
}

mcx_err ue_radio_new(struct ue_radio **out, const struct ue_radio_config *config, struct mcx_refusal *why)
{
    struct ue_radio *r = calloc(1, sizeof *r);
    mcx_err err = MCX_OK;

    if (r == NULL) {
        return MCX_E_NOMEM;
    }
    r->config = *config;
    r->drops = ue_drops("audio", config->json);
    r->watch.fd = -1;
    err = open_all(r, why);
    if (err != MCX_OK) {
        r->watch.fd = -1;
        (void)ue_radio_free(r);
        return err;
    }
    *out = r;
    return MCX_OK;
}

bool ue_radio_free(struct ue_radio *r)
{
    bool complete = true;

    if (r == NULL) {
        return true;
    }
    if (r->mic != NULL) {
        ue_radio_stop(r);
    }
    for (size_t i = 0; i < MCX_GC_AFFILIATIONS_MAX; i++) {
        mcx_group_rx_free(r->listeners[i].rx);
    }
    ue_mic_free(r->mic);
    mcx_timer_clear(&r->tick);
    if (r->watch.fd >= 0) {
        mcx_loop_unwatch(&r->watch);
    }
    mcx_rtp_socket_close(r->socket);
    complete = mcx_wav_finish(r->record) == MCX_OK && !r->record_failed;
    free(r);
    return complete;
}

uint16_t ue_radio_port(const struct ue_radio *r)
{
    return mcx_rtp_socket_port(r->socket, MCX_RTP);
}
