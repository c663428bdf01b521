/* SPDX-License-Identifier: Apache-2.0 */
#include "io/audio.h"

#include <stdlib.h>
#include <string.h>

#include <opencore-amrwb/dec_if.h>
#include <vo-amrwbenc/enc_if.h>

/* Both libraries use the storage format of RFC 4867 5.3: one octet 0 | FT 4 | Q 1 | 00, then the bits. */
#define STORED_MAX        (1 + MCX_AMRWB_OCTETS_MAX)
#define STORED_TYPE_SHIFT 3
#define STORED_TYPE_MASK  0x0f
#define STORED_QUALITY    0x04

struct mcx_audio_encoder {
    void *state;
    uint8_t mode;
};

struct mcx_audio_decoder {
    void *state;
};

mcx_err mcx_audio_encoder_new(struct mcx_audio_encoder **out)
{
    struct mcx_audio_encoder *enc = calloc(1, sizeof *enc);

    if (enc == NULL) {
        return MCX_E_NOMEM;
    }
    enc->state = E_IF_init();
    if (enc->state == NULL) {
        free(enc);
        return MCX_E_NOMEM;
    }
    enc->mode = MCX_AUDIO_MODE;
    *out = enc;
    return MCX_OK;
}

void mcx_audio_encoder_free(struct mcx_audio_encoder *enc)
{
    if (enc != NULL) {
        E_IF_exit(enc->state);
        free(enc);
    }
}

mcx_err mcx_audio_encoder_set_mode(struct mcx_audio_encoder *enc, uint16_t mode_set, uint8_t cmr)
{
    uint8_t mode = cmr < MCX_AUDIO_MODE ? cmr : MCX_AUDIO_MODE;

    while (mode > 0 && (mode_set >> mode & 1) == 0) {
        mode--;
    }
    while (mode < MCX_AUDIO_MODE && (mode_set >> mode & 1) == 0) { /* none that low: the lowest there is */
        mode++;
    }
    if ((mode_set >> mode & 1) == 0) {
        return MCX_E_ARG;
    }
    enc->mode = mode;
    return MCX_OK;
}

mcx_err mcx_audio_encode(struct mcx_amrwb_frame *out, struct mcx_audio_encoder *enc, const int16_t pcm[MCX_AUDIO_FRAME])
{
    static const int no_dtx = 0;
    uint8_t stored[STORED_MAX] = { 0 };
    struct mcx_rd rd;
    struct mcx_amrwb_frame frame = { 0 };
    uint8_t head = 0;
    size_t num_bits = 0;
    int len = E_IF_encode(enc->state, enc->mode, pcm, stored, no_dtx);

    if (len <= 0 || len > STORED_MAX) {
        return MCX_E_BUG;
    }
    rd = mcx_rd(mcx_bytes(stored, (size_t)len));
    MCX_TRY(mcx_rd_u8(&rd, &head));
    frame.ft = (head >> STORED_TYPE_SHIFT) & STORED_TYPE_MASK;
    frame.quality = (head & STORED_QUALITY) != 0;
    MCX_TRY(mcx_amrwb_num_bits(&num_bits, frame.ft));
    MCX_TRY(mcx_rd_copy(&rd, frame.bits, (num_bits + 7) / 8));
    *out = frame;
    return mcx_rd_end(&rd);
}

mcx_err mcx_audio_decoder_new(struct mcx_audio_decoder **out)
{
    struct mcx_audio_decoder *dec = calloc(1, sizeof *dec);

    if (dec == NULL) {
        return MCX_E_NOMEM;
    }
    dec->state = D_IF_init();
    if (dec->state == NULL) {
        free(dec);
        return MCX_E_NOMEM;
    }
    *out = dec;
    return MCX_OK;
}

void mcx_audio_decoder_free(struct mcx_audio_decoder *dec)
{
    if (dec != NULL) {
        D_IF_exit(dec->state);
        free(dec);
    }
}

mcx_err mcx_audio_decode(int16_t pcm[MCX_AUDIO_FRAME], struct mcx_audio_decoder *dec,
                         const struct mcx_amrwb_frame *frame)
{
    uint8_t stored[STORED_MAX] = { 0 };
    uint8_t ft = frame->quality ? frame->ft : MCX_AMRWB_FT_LOST;
    size_t num_bits = 0;

    MCX_TRY(mcx_amrwb_num_bits(&num_bits, ft));
    stored[0] = (uint8_t)(ft << STORED_TYPE_SHIFT | STORED_QUALITY);
    memcpy(stored + 1, frame->bits, (num_bits + 7) / 8);
    D_IF_decode(dec->state, stored, pcm, _good_frame);
    return MCX_OK;
}

static mcx_err code_frames(struct mcx_wav_writer *out, struct mcx_wav_reader *in, struct mcx_audio_encoder *enc,
                           struct mcx_audio_decoder *dec)
{
    for (;;) {
        int16_t pcm[MCX_AUDIO_FRAME] = { 0 };
        struct mcx_amrwb_frame frame;
        size_t num = 0;

        MCX_TRY(mcx_wav_read(pcm, MCX_AUDIO_FRAME, &num, in));
        if (num == 0) {
            return MCX_OK;
        }
        MCX_TRY(mcx_audio_encode(&frame, enc, pcm));
        MCX_TRY(mcx_audio_decode(pcm, dec, &frame));
        MCX_TRY(mcx_wav_write(out, pcm, MCX_AUDIO_FRAME));
    }
}

mcx_err mcx_audio_code_file(const char *out_path, const char *in_path, struct mcx_refusal *why)
{
    struct mcx_wav_reader *in = NULL;
    struct mcx_wav_writer *wav = NULL;
    struct mcx_audio_encoder *enc = NULL;
    struct mcx_audio_decoder *dec = NULL;
    mcx_err err;
    mcx_err finish_err;

    MCX_GO(err, mcx_wav_open(&in, in_path, why));
    MCX_GO(err, mcx_audio_encoder_new(&enc));
    MCX_GO(err, mcx_audio_decoder_new(&dec));
    MCX_GO(err, mcx_wav_create(&wav, out_path));
    MCX_GO(err, code_frames(wav, in, enc, dec));
out:
    finish_err = mcx_wav_finish(wav);
    mcx_audio_encoder_free(enc);
    mcx_audio_decoder_free(dec);
    mcx_wav_close(in);
    return err != MCX_OK ? err : finish_err;
}
