/* SPDX-License-Identifier: Apache-2.0 */
/* RIFF WAVE files, as far as speech needs them: PCM, 16 kHz, one channel, 16 bits; little endian. */
#define _POSIX_C_SOURCE 200809L
#include "io/audio.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RIFF_HEADER_LEN    12
#define CHUNK_HEADER_LEN   8
#define FMT_LEN_MIN        16
#define FMT_LEN_EXTENSIBLE 40
#define FORM_PCM           1
#define FORM_EXTENSIBLE    0xfffe
#define SAMPLE_OCTETS      2
#define HEADER_LEN         (RIFF_HEADER_LEN + CHUNK_HEADER_LEN + FMT_LEN_MIN + CHUNK_HEADER_LEN)
#define BLOCK_SAMPLES      1024
#define SYNC_SAMPLES       MCX_AMRWB_CLOCK_HZ /* the header follows once a second */
#define DATA_LEN_MAX       (UINT32_MAX - HEADER_LEN)

struct mcx_wav_reader {
    FILE *f;
    size_t num_samples;
    size_t num_left;
};

struct mcx_wav_writer {
    FILE *f;
    uint32_t data_len;
    uint32_t synced_len;
};

static mcx_err rd_le(struct mcx_rd *rd, size_t n, uint32_t *out)
{
    struct mcx_bytes b;
    uint32_t v = 0;

    MCX_TRY(mcx_rd_take(rd, n, &b));
    for (size_t i = 0; i < n; i++) {
        v |= (uint32_t)b.p[i] << (8 * i);
    }
    *out = v;
    return MCX_OK;
}

static mcx_err read_exact(FILE *f, uint8_t *out, size_t len)
{
    if (fread(out, 1, len, f) == len) {
        return MCX_OK;
    }
    return ferror(f) ? MCX_E_IO : MCX_E_TRUNC;
}

/* Name of a chunk and its length. */
static mcx_err read_chunk(char name[4], uint32_t *len, FILE *f)
{
    uint8_t buf[CHUNK_HEADER_LEN];
    struct mcx_rd rd = mcx_rd(mcx_bytes(buf, sizeof buf));

    MCX_TRY(read_exact(f, buf, sizeof buf));
    MCX_TRY(mcx_rd_copy(&rd, (uint8_t *)name, 4));
    return rd_le(&rd, 4, len);
}

/* Chunks are padded to an even length. The target is checked, for fseek() goes past the end without a word. */
static mcx_err skip(FILE *f, uint32_t len, long file_len)
{
    long at = ftell(f);
    long to = at + (long)len + (long)(len & 1);

    if (at < 0) {
        return MCX_E_IO;
    }
    if (to > file_len) {
        return MCX_E_TRUNC;
    }
    return fseek(f, to, SEEK_SET) == 0 ? MCX_OK : MCX_E_IO;
}

static mcx_err check_fmt(struct mcx_rd rd, struct mcx_refusal *why)
{
    uint32_t form = 0;
    uint32_t channels = 0;
    uint32_t rate = 0;
    uint32_t skipped = 0;
    uint32_t bits = 0;

    MCX_TRY(rd_le(&rd, 2, &form));
    MCX_TRY(rd_le(&rd, 2, &channels));
    MCX_TRY(rd_le(&rd, 4, &rate));
    MCX_TRY(rd_le(&rd, 4, &skipped)); /* octets a second */
    MCX_TRY(rd_le(&rd, 2, &skipped)); /* octets a sample */
    MCX_TRY(rd_le(&rd, 2, &bits));
    if (form == FORM_EXTENSIBLE) { /* extension length, valid bits, speakers, then the form again */
        MCX_TRY(rd_le(&rd, 4, &skipped));
        MCX_TRY(rd_le(&rd, 4, &skipped));
        MCX_TRY(rd_le(&rd, 2, &form));
    }
    if (form != FORM_PCM) {
        return mcx_refuse(why, MCX_E_UNSUP, "the WAV file is compressed: convert it to 16 bit PCM", "");
    }
    if (rate != MCX_AMRWB_CLOCK_HZ) {
        return mcx_refuse(why, MCX_E_UNSUP, "the WAV file has another sampling rate: convert it to 16000 Hz", "");
    }
    if (channels != 1) {
        return mcx_refuse(why, MCX_E_UNSUP, "the WAV file has several channels: convert it to one", "");
    }
    if (bits != 8 * SAMPLE_OCTETS) {
        return mcx_refuse(why, MCX_E_UNSUP, "the WAV file does not have 16 bits a sample: convert it", "");
    }
    return MCX_OK;
}

static mcx_err read_fmt(FILE *f, uint32_t len, long file_len, struct mcx_refusal *why)
{
    uint8_t buf[FMT_LEN_EXTENSIBLE];
    size_t part = len < sizeof buf ? len : sizeof buf;

    if (len < FMT_LEN_MIN) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(read_exact(f, buf, part));
    MCX_TRY(check_fmt(mcx_rd(mcx_bytes(buf, part)), why));
    return skip(f, len - (uint32_t)part, file_len);
}

/* Up to the first sample. */
static mcx_err read_header(struct mcx_wav_reader *wav, long file_len, struct mcx_refusal *why)
{
    uint8_t riff[RIFF_HEADER_LEN];
    char name[4];
    uint32_t len = 0;
    bool have_fmt = false;

    MCX_TRY(read_exact(wav->f, riff, sizeof riff));
    if (memcmp(riff, "RIFF", 4) != 0 || memcmp(riff + 8, "WAVE", 4) != 0) {
        return MCX_E_FORMAT;
    }
    for (;;) {
        MCX_TRY(read_chunk(name, &len, wav->f));
        if (memcmp(name, "data", 4) == 0) {
            break;
        }
        if (memcmp(name, "fmt ", 4) == 0) {
            MCX_TRY(read_fmt(wav->f, len, file_len, why));
            have_fmt = true;
        } else {
            MCX_TRY(skip(wav->f, len, file_len));
        }
    }
    if (!have_fmt || len % SAMPLE_OCTETS != 0) {
        return MCX_E_FORMAT;
    }
    if (file_len - ftell(wav->f) < (long)len) {
        return MCX_E_TRUNC;
    }
    wav->num_samples = len / SAMPLE_OCTETS;
    wav->num_left = wav->num_samples;
    return MCX_OK;
}

static mcx_err measure(long *len, FILE *f)
{
    if (fseek(f, 0, SEEK_END) != 0) {
        return MCX_E_IO;
    }
    *len = ftell(f);
    return *len >= 0 && fseek(f, 0, SEEK_SET) == 0 ? MCX_OK : MCX_E_IO;
}

mcx_err mcx_wav_open(struct mcx_wav_reader **out, const char *path, struct mcx_refusal *why)
{
    struct mcx_wav_reader *wav = calloc(1, sizeof *wav);
    long file_len = 0;
    mcx_err err = MCX_E_IO;

    if (wav == NULL) {
        return MCX_E_NOMEM;
    }
    (void)mcx_refuse(why, MCX_E_FORMAT, "the file is not a complete WAV file", "");
    wav->f = fopen(path, "rb");
    if (wav->f == NULL) {
        (void)mcx_refuse(why, MCX_E_IO, "the file cannot be opened", "");
        goto out;
    }
    MCX_GO(err, measure(&file_len, wav->f));
    MCX_GO(err, read_header(wav, file_len, why));
    *out = wav;
    return MCX_OK;
out:
    mcx_wav_close(wav);
    return err;
}

void mcx_wav_close(struct mcx_wav_reader *wav)
{
    if (wav == NULL) {
        return;
    }
    if (wav->f != NULL) {
        (void)fclose(wav->f);
    }
    free(wav);
}

size_t mcx_wav_num_samples(const struct mcx_wav_reader *wav)
{
    return wav->num_samples;
}

mcx_err mcx_wav_read(int16_t *pcm, size_t max, size_t *num, struct mcx_wav_reader *wav)
{
    uint8_t buf[BLOCK_SAMPLES * SAMPLE_OCTETS];
    size_t done = 0;
    size_t want = max < wav->num_left ? max : wav->num_left;

    while (done < want) {
        size_t n = want - done < BLOCK_SAMPLES ? want - done : BLOCK_SAMPLES;

        if (read_exact(wav->f, buf, n * SAMPLE_OCTETS) != MCX_OK) {
            return MCX_E_IO; /* the length was checked when the file was opened */
        }
        for (size_t i = 0; i < n; i++) {
            pcm[done + i] = (int16_t)(uint16_t)(buf[2 * i] | buf[2 * i + 1] << 8);
        }
        done += n;
    }
    wav->num_left -= done;
    *num = done;
    return MCX_OK;
}

static void put_le(uint8_t *p, size_t n, uint32_t v)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static mcx_err write_header(struct mcx_wav_writer *wav)
{
    uint8_t h[HEADER_LEN];

    memcpy(h, "RIFF....WAVEfmt ", 16);
    put_le(h + 4, 4, HEADER_LEN - CHUNK_HEADER_LEN + wav->data_len);
    put_le(h + 16, 4, FMT_LEN_MIN);
    put_le(h + 20, 2, FORM_PCM);
    put_le(h + 22, 2, 1);
    put_le(h + 24, 4, MCX_AMRWB_CLOCK_HZ);
    put_le(h + 28, 4, MCX_AMRWB_CLOCK_HZ * SAMPLE_OCTETS);
    put_le(h + 32, 2, SAMPLE_OCTETS);
    put_le(h + 34, 2, 8 * SAMPLE_OCTETS);
    memcpy(h + 36, "data", 4);
    put_le(h + 40, 4, wav->data_len);
    if (fseek(wav->f, 0, SEEK_SET) != 0 || fwrite(h, 1, sizeof h, wav->f) != sizeof h ||
        fseek(wav->f, 0, SEEK_END) != 0 || fflush(wav->f) != 0) {
        return MCX_E_IO;
    }
    wav->synced_len = wav->data_len;
    return MCX_OK;
}

mcx_err mcx_wav_create(struct mcx_wav_writer **out, const char *path)
{
    struct mcx_wav_writer *wav = calloc(1, sizeof *wav);
    int fd = -1;

    if (wav == NULL) {
        return MCX_E_NOMEM;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    wav->f = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (wav->f == NULL || write_header(wav) != MCX_OK) {
        if (wav->f != NULL) {
            (void)fclose(wav->f);
        } else if (fd >= 0) {
            (void)close(fd);
        }
        free(wav);
        return MCX_E_IO;
    }
    *out = wav;
    return MCX_OK;
}

mcx_err mcx_wav_write(struct mcx_wav_writer *wav, const int16_t *pcm, size_t num)
{
    uint8_t buf[BLOCK_SAMPLES * SAMPLE_OCTETS];

    if (num > (DATA_LEN_MAX - wav->data_len) / SAMPLE_OCTETS) {
        return MCX_E_SPACE;
    }
    while (num > 0) {
        size_t n = num < BLOCK_SAMPLES ? num : BLOCK_SAMPLES;

        for (size_t i = 0; i < n; i++) {
            put_le(buf + 2 * i, 2, (uint16_t)pcm[i]);
        }
        if (fwrite(buf, SAMPLE_OCTETS, n, wav->f) != n) {
            return MCX_E_IO;
        }
        wav->data_len += (uint32_t)(n * SAMPLE_OCTETS);
        pcm += n;
        num -= n;
    }
    if (wav->data_len - wav->synced_len >= SYNC_SAMPLES * SAMPLE_OCTETS) {
        return write_header(wav);
    }
    return MCX_OK;
}

mcx_err mcx_wav_finish(struct mcx_wav_writer *wav)
{
    mcx_err err;

    if (wav == NULL) {
        return MCX_OK;
    }
    err = write_header(wav);
    if (fclose(wav->f) != 0) {
        err = MCX_E_IO;
    }
    free(wav);
    return err;
}
