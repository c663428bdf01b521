/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_AUDIO_H
#define MCX_IO_AUDIO_H

/*
 * Speech: the AMR-WB coder and decoder, and WAV files of 16 kHz, one channel, 16 bits.
 *
 * The coder keeps its mode until it is told otherwise and knows no discontinuous transmission, and both ends start
 * from a fresh state. So the same samples always give the same frames, and coding and decoding a file at home gives,
 * sample by sample, what a listener hears when no packet is lost. The demo rests on that.
 */

#include <mcx/amrwb.h>

/** 23.85 kbit/s. */
#define MCX_AUDIO_MODE  MCX_AMRWB_FT_23_85
#define MCX_AUDIO_FRAME MCX_AMRWB_FRAME_SAMPLES

struct mcx_audio_encoder;
/** Starts with MCX_AUDIO_MODE. @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_audio_encoder_new(struct mcx_audio_encoder **out);
void mcx_audio_encoder_free(struct mcx_audio_encoder *enc);
/**
 * Go on in the highest mode that the session allows and the peer asks for (RFC 4867 3.3, 8.2).
 *
 * @param[in] mode_set  of the SDP: bit n = mode n
 * @param[in] cmr       of the last payload received, or MCX_AMRWB_CMR_NONE
 * @retval MCX_E_ARG    the set is empty
 */
MCX_MUST_CHECK mcx_err mcx_audio_encoder_set_mode(struct mcx_audio_encoder *enc, uint16_t mode_set, uint8_t cmr);
MCX_MUST_CHECK mcx_err mcx_audio_encode(struct mcx_amrwb_frame *out, struct mcx_audio_encoder *enc,
                                        const int16_t pcm[MCX_AUDIO_FRAME]);

struct mcx_audio_decoder;
MCX_MUST_CHECK mcx_err mcx_audio_decoder_new(struct mcx_audio_decoder **out);
void mcx_audio_decoder_free(struct mcx_audio_decoder *dec);
/** A frame without data, or damaged, is concealed. @retval MCX_E_UNSUP a reserved frame type */
MCX_MUST_CHECK mcx_err mcx_audio_decode(int16_t pcm[MCX_AUDIO_FRAME], struct mcx_audio_decoder *dec,
                                        const struct mcx_amrwb_frame *frame);

struct mcx_wav_reader;
/**
 * @retval MCX_E_IO     errno says why
 * @retval MCX_E_TRUNC  the file ends before its chunks do
 * @retval MCX_E_FORMAT no WAV file @retval MCX_E_UNSUP another rate, channel count or sample form; `why` says which
 */
MCX_MUST_CHECK mcx_err mcx_wav_open(struct mcx_wav_reader **out, const char *path, struct mcx_refusal *why);
void mcx_wav_close(struct mcx_wav_reader *wav);
size_t mcx_wav_num_samples(const struct mcx_wav_reader *wav);
/** Up to `max` samples; *num is less only at the end. @retval MCX_E_IO */
MCX_MUST_CHECK mcx_err mcx_wav_read(int16_t *pcm, size_t max, size_t *num, struct mcx_wav_reader *wav);

struct mcx_wav_writer;
/** Create or replace; readable for the owner alone, because it holds speech. @retval MCX_E_IO @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_wav_create(struct mcx_wav_writer **out, const char *path);
/** The lengths in the header follow every second, so that a killed process leaves a good file. */
MCX_MUST_CHECK mcx_err mcx_wav_write(struct mcx_wav_writer *wav, const int16_t *pcm, size_t num);
/** Complete the header and close. NULL is allowed. @retval MCX_E_IO the file is not complete */
MCX_MUST_CHECK mcx_err mcx_wav_finish(struct mcx_wav_writer *wav);

/** Encode and decode a WAV file; the last frame is filled up with silence. Errors as above. */
MCX_MUST_CHECK mcx_err mcx_audio_code_file(const char *out_path, const char *in_path, struct mcx_refusal *why);

/** Samples in memory. */
struct mcx_pcm {
    int16_t *p;
    size_t num;
};
void mcx_pcm_clear(struct mcx_pcm *pcm);
/** A whole file of at most MCX_PCM_MAX samples. @retval MCX_E_SPACE longer; and as mcx_wav_open() */
#define MCX_PCM_MAX ((size_t)MCX_AMRWB_CLOCK_HZ * 600)
MCX_MUST_CHECK mcx_err mcx_pcm_load(struct mcx_pcm *out, const char *path, struct mcx_refusal *why);

/** Where, in whole frames, a recording holds a reference best, and how much of it is the same. */
struct mcx_audio_match {
    int32_t offset_frames; /* frame of the recording that holds the first one of the reference; may be negative */
    size_t compared;       /* samples of the reference that the recording covers */
    size_t equal;          /* of these, equal ones */
    bool complete;         /* every sample of the reference is there and equal */
};
struct mcx_audio_match mcx_audio_compare(const struct mcx_pcm *reference, const struct mcx_pcm *recording);

#endif
