/* SPDX-License-Identifier: Apache-2.0 */
/* AMR-WB coder and decoder, WAV files, and the comparison the demo uses. */
#define _DEFAULT_SOURCE 1 /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mcx/rtp.h>
#include <mcx/srtp.h>

#include "io/audio.h"
#include "support/srtp_pair.h"

#define NUM_FRAMES  50
#define NUM_SAMPLES (NUM_FRAMES * MCX_AUDIO_FRAME)

static char dir[] = "/tmp/mcx-audio-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[2][128];
    static size_t turn;

    turn = 1 - turn;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

/* Something like a voice: a sawtooth that glides, with pauses. */
static void make_speech(int16_t *pcm, size_t num)
{
    uint32_t phase = 0;

    for (size_t i = 0; i < num; i++) {
        phase += 600000 + (uint32_t)(i * 37 % 400000);
        pcm[i] = i / 4000 % 3 == 2 ? 0 : (int16_t)((int32_t)(phase >> 17) - 16384);
    }
}

static void write_wav(const char *path, const int16_t *pcm, size_t num)
{
    struct mcx_wav_writer *wav = NULL;

    assert_int_equal(mcx_wav_create(&wav, path), MCX_OK);
    assert_int_equal(mcx_wav_write(wav, pcm, num), MCX_OK);
    assert_int_equal(mcx_wav_finish(wav), MCX_OK);
}

static void write_octets(const char *path, const void *p, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t read_octets(uint8_t *out, size_t max, const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    assert_non_null(f);
    n = fread(out, 1, max, f);
    (void)fclose(f);
    return n;
}

static void wav_round_trip(void **state)
{
    static int16_t pcm[NUM_SAMPLES + 7];
    struct mcx_pcm back;
    struct mcx_refusal why;

    (void)state;
    make_speech(pcm, NUM_SAMPLES + 7);
    pcm[0] = INT16_MIN;
    pcm[1] = INT16_MAX;
    pcm[2] = -1;
    write_wav(path_of("a.wav"), pcm, NUM_SAMPLES + 7);
    assert_int_equal(mcx_pcm_load(&back, path_of("a.wav"), &why), MCX_OK);
    assert_int_equal(back.num, NUM_SAMPLES + 7);
    assert_memory_equal(back.p, pcm, sizeof pcm);
    mcx_pcm_clear(&back);
    write_wav(path_of("empty.wav"), pcm, 0);
    assert_int_equal(mcx_pcm_load(&back, path_of("empty.wav"), &why), MCX_OK);
    assert_int_equal(back.num, 0);
    mcx_pcm_clear(&back);
    assert_int_equal(mcx_pcm_load(&back, path_of("absent.wav"), &why), MCX_E_IO);
    assert_int_equal(mcx_wav_finish(NULL), MCX_OK);
}

/* A process that dies leaves the speech up to the last whole second. */
static void wav_unfinished(void **state)
{
    static int16_t pcm[MCX_AMRWB_CLOCK_HZ];
    struct mcx_wav_writer *wav = NULL;
    struct mcx_pcm back;

    (void)state;
    assert_int_equal(mcx_wav_create(&wav, path_of("cut.wav")), MCX_OK);
    assert_int_equal(mcx_wav_write(wav, pcm, MCX_AMRWB_CLOCK_HZ), MCX_OK);
    assert_int_equal(mcx_wav_write(wav, pcm, 100), MCX_OK);
    assert_int_equal(mcx_pcm_load(&back, path_of("cut.wav"), NULL), MCX_OK);
    assert_int_equal(back.num, MCX_AMRWB_CLOCK_HZ);
    mcx_pcm_clear(&back);
    assert_int_equal(mcx_wav_finish(wav), MCX_OK);
}

static void wav_refused(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        mcx_err want;
        const char *word;
    } rows[] = {
        { "not RIFF", 0, 'X', MCX_E_FORMAT, "complete" },       { "not WAVE", 8, 'X', MCX_E_FORMAT, "complete" },
        { "no fmt", 12, 'X', MCX_E_FORMAT, "complete" },        { "short fmt", 16, 14, MCX_E_FORMAT, "complete" },
        { "A-law", 20, 6, MCX_E_UNSUP, "compressed" },          { "stereo", 22, 2, MCX_E_UNSUP, "channels" },
        { "8192 Hz", 25, 0x20, MCX_E_UNSUP, "16000 Hz" },       { "8 bits", 34, 8, MCX_E_UNSUP, "16 bits" },
        { "fmt past the end", 18, 1, MCX_E_TRUNC, "complete" }, { "data past the end", 42, 1, MCX_E_TRUNC, "complete" },
        { "half a sample", 40, 19, MCX_E_FORMAT, "complete" },
    };
    int16_t pcm[10] = { 0 };
    uint8_t octets[128];
    size_t len;

    (void)state;
    write_wav(path_of("good.wav"), pcm, 10);
    len = read_octets(octets, sizeof octets, path_of("good.wav"));
    assert_int_equal(len, 64);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_wav_reader *wav = NULL;
        struct mcx_refusal why = { "", "" };
        uint8_t saved = octets[rows[i].at];

        octets[rows[i].at] = rows[i].value;
        write_octets(path_of("bad.wav"), octets, len);
        octets[rows[i].at] = saved;
        assert_int_equal(mcx_wav_open(&wav, path_of("bad.wav"), &why), rows[i].want);
        assert_non_null(strstr(why.reason, rows[i].word));
    }
    for (size_t n = 0; n < len; n++) {
        struct mcx_wav_reader *wav = NULL;

        write_octets(path_of("bad.wav"), octets, n);
        assert_int_equal(mcx_wav_open(&wav, path_of("bad.wav"), NULL), MCX_E_TRUNC);
    }
}

/* Chunks before and after the speech, and the extensible form. */
static void wav_with_chunks(void **state)
{
    uint8_t octets[] = "RIFF....WAVE"
                       "LIST\x03\0\0\0abc\0"
                       "fmt \x28\0\0\0\xfe\xff\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0"
                       "\x16\0\x10\0\x04\0\0\0\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
                       "data\x04\0\0\0\x01\0\xff\xff"
                       "tail\0\0\0";
    struct mcx_pcm back;

    (void)state;
    write_octets(path_of("chunks.wav"), octets, sizeof octets);
    assert_int_equal(mcx_pcm_load(&back, path_of("chunks.wav"), NULL), MCX_OK);
    assert_int_equal(back.num, 2);
    assert_int_equal(back.p[0], 1);
    assert_int_equal(back.p[1], -1);
    mcx_pcm_clear(&back);
}

/* Frames through payload, RTP and SRTP, and back: what is heard is the coded original, sample by sample. */
static void speech_through_srtp(void **state)
{
    static int16_t pcm[NUM_SAMPLES];
    static int16_t heard[NUM_SAMPLES];
    struct mcx_pcm coded;
    struct mcx_pcm recording = { heard, NUM_SAMPLES };
    struct mcx_audio_encoder *enc = NULL;
    struct mcx_audio_decoder *dec = NULL;
    struct mcx_rtp_source source = { .ssrc = PAIR_SSRC, .seq = 65530, .pt = 97, .talk_start = true };
    struct mcx_audio_match match;
    struct pair pair;

    (void)state;
    make_speech(pcm, NUM_SAMPLES);
    write_wav(path_of("spoken.wav"), pcm, NUM_SAMPLES);
    assert_int_equal(mcx_audio_code_file(path_of("coded.wav"), path_of("spoken.wav"), NULL), MCX_OK);
    assert_int_equal(mcx_pcm_load(&coded, path_of("coded.wav"), NULL), MCX_OK);
    assert_int_equal(coded.num, NUM_SAMPLES);
    assert_memory_not_equal(coded.p, pcm, sizeof pcm);

    pair_init(&pair, 4, 0, 1);
    assert_int_equal(mcx_audio_encoder_new(&enc), MCX_OK);
    assert_int_equal(mcx_audio_decoder_new(&dec), MCX_OK);
    for (size_t i = 0; i < NUM_FRAMES; i++) {
        struct mcx_amrwb_payload payload = { .cmr = MCX_AMRWB_CMR_NONE, .num_frames = 1 };
        uint8_t buf[MCX_AMRWB_PAYLOAD_MAX];
        uint8_t rtp_buf[PAIR_PACKET_MAX];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        struct mcx_wr rtp_wr = mcx_wr(rtp_buf, sizeof rtp_buf);
        struct mcx_rtp rtp;

        assert_int_equal(mcx_audio_encode(&payload.frame[0], enc, pcm + i * MCX_AUDIO_FRAME), MCX_OK);
        assert_int_equal(payload.frame[0].ft, MCX_AUDIO_MODE);
        assert_int_equal(mcx_amrwb_write(&wr, &payload, i % 2 == 0), MCX_OK);
        assert_int_equal(mcx_rtp_source_write(&source, &rtp_wr, mcx_wr_done(&wr), MCX_AUDIO_FRAME), MCX_OK);
        wr = mcx_wr(rtp_buf, sizeof rtp_buf);
        assert_int_equal(mcx_srtp_protect(pair.tx, &wr, mcx_bytes(rtp_buf, rtp_wr.len)), MCX_OK);
        rtp_wr = mcx_wr(rtp_buf, sizeof rtp_buf);
        assert_int_equal(mcx_srtp_unprotect(pair.rx, &rtp_wr, mcx_bytes(rtp_buf, wr.len), NULL), MCX_OK);
        assert_int_equal(mcx_rtp_read(&rtp, mcx_wr_done(&rtp_wr)), MCX_OK);
        assert_int_equal(mcx_amrwb_read(&payload, rtp.payload, i % 2 == 0), MCX_OK);
        assert_int_equal(mcx_audio_decode(heard + i * MCX_AUDIO_FRAME, dec, &payload.frame[0]), MCX_OK);
    }
    match = mcx_audio_compare(&coded, &recording);
    assert_true(match.complete);
    assert_int_equal(match.offset_frames, 0);
    mcx_audio_encoder_free(enc);
    mcx_audio_decoder_free(dec);
    mcx_pcm_clear(&coded);
    pair_clear(&pair);
}

static void modes(void **state)
{
    static const struct {
        uint16_t mode_set;
        uint8_t cmr, want;
    } rows[] = {
        { 0x1ff, 15, 8 }, { 0x1ff, 2, 2 }, { 0x007, 15, 2 }, { 0x007, 8, 2 }, { 0x104, 5, 2 },
        { 0x100, 0, 8 },  { 0x104, 0, 2 }, { 0x001, 8, 0 },  { 0x1ff, 0, 0 },
    };
    struct mcx_audio_encoder *enc = NULL;
    struct mcx_amrwb_frame frame;
    int16_t pcm[MCX_AUDIO_FRAME] = { 0 };

    (void)state;
    assert_int_equal(mcx_audio_encoder_new(&enc), MCX_OK);
    assert_int_equal(mcx_audio_encoder_set_mode(enc, 0, 15), MCX_E_ARG);
    assert_int_equal(mcx_audio_encoder_set_mode(enc, 0xfe00, 15), MCX_E_ARG);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(mcx_audio_encoder_set_mode(enc, rows[i].mode_set, rows[i].cmr), MCX_OK);
        assert_int_equal(mcx_audio_encode(&frame, enc, pcm), MCX_OK);
        assert_int_equal(frame.ft, rows[i].want);
    }
    mcx_audio_encoder_free(enc);
}

static void concealment(void **state)
{
    struct mcx_audio_decoder *dec = NULL;
    struct mcx_amrwb_frame frame = mcx_amrwb_no_data();
    int16_t pcm[MCX_AUDIO_FRAME];

    (void)state;
    assert_int_equal(mcx_audio_decoder_new(&dec), MCX_OK);
    assert_int_equal(mcx_audio_decode(pcm, dec, &frame), MCX_OK);
    frame.ft = MCX_AMRWB_FT_LOST;
    assert_int_equal(mcx_audio_decode(pcm, dec, &frame), MCX_OK);
    frame.ft = 3;
    frame.quality = false;
    assert_int_equal(mcx_audio_decode(pcm, dec, &frame), MCX_OK);
    frame.quality = true;
    frame.ft = 12;
    assert_int_equal(mcx_audio_decode(pcm, dec, &frame), MCX_E_UNSUP);
    mcx_audio_decoder_free(dec);
    mcx_audio_decoder_free(NULL);
    mcx_audio_encoder_free(NULL);
}

static void comparison(void **state)
{
    static int16_t a[NUM_SAMPLES];
    static int16_t b[NUM_SAMPLES + 5 * MCX_AUDIO_FRAME];
    struct mcx_pcm pa = { a, NUM_SAMPLES };
    struct mcx_pcm pb = { b, NUM_SAMPLES + 5 * MCX_AUDIO_FRAME };
    struct mcx_audio_match m;

    (void)state;
    make_speech(a, NUM_SAMPLES);
    memcpy(b + 3 * MCX_AUDIO_FRAME, a, sizeof a);
    m = mcx_audio_compare(&pa, &pb); /* three frames of silence before, two after */
    assert_int_equal(m.offset_frames, 3);
    assert_true(m.complete);
    assert_int_equal(m.compared, NUM_SAMPLES);
    b[3 * MCX_AUDIO_FRAME + 1000] ^= 1;
    m = mcx_audio_compare(&pa, &pb);
    assert_int_equal(m.offset_frames, 3);
    assert_false(m.complete);
    assert_int_equal(m.equal, NUM_SAMPLES - 1);
    pb = (struct mcx_pcm){ b + 5 * MCX_AUDIO_FRAME, NUM_SAMPLES - 2 * MCX_AUDIO_FRAME }; /* the start is missing */
    m = mcx_audio_compare(&pa, &pb);
    assert_int_equal(m.offset_frames, -2);
    assert_false(m.complete);
    assert_int_equal(m.compared, NUM_SAMPLES - 2 * MCX_AUDIO_FRAME);
    pb.num = 0;
    assert_false(mcx_audio_compare(&pa, &pb).complete);
    assert_false(mcx_audio_compare(&pb, &pa).complete); /* nothing to compare is no success */
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const names[] = { "a.wav",   "empty.wav",  "cut.wav",    "good.wav",
                                         "bad.wav", "chunks.wav", "spoken.wav", "coded.wav" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(path_of(names[i]));
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wav_round_trip),  cmocka_unit_test(wav_unfinished), cmocka_unit_test(wav_refused),
        cmocka_unit_test(wav_with_chunks), cmocka_unit_test(concealment),    cmocka_unit_test(speech_through_srtp),
        cmocka_unit_test(comparison),      cmocka_unit_test(modes),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
