/* SPDX-License-Identifier: Apache-2.0 */
/* mcx audio: what the demo needs to show that the heard speech is the spoken one. */
#include "mcx/cmd.h"

#include "io/audio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: mcx audio code IN.wav OUT.wav\n"
    "       mcx audio compare REFERENCE.wav RECORDING.wav [--json]\n"
    "\n"
    "WAV files have 16000 Hz, one channel and 16 bits.\n"
    "  code     encodes and decodes a file with AMR-WB at 23.85 kbit/s: what a listener hears when nothing is lost\n"
    "  compare  finds the reference in the recording, in whole frames of 20 ms, and counts the samples that are equal\n"
    "Exit codes: 0 done, 1 the recording does not hold every sample of the reference, 2 usage, 3 environment.\n";

static int usage_error(const char *what)
{
    fprintf(stderr, "mcx audio: %s; 'mcx audio --help' explains\n", what);
    return EXIT_USAGE;
}

static int file_error(const char *path, mcx_err err, const struct mcx_refusal *why)
{
    fprintf(stderr, "mcx audio: %s: %s%s%s\n", path, why->reason, err == MCX_E_IO ? ": " : "",
            err == MCX_E_IO ? strerror(errno) : "");
    return EXIT_ENVIRONMENT;
}

static int code(const char *in, const char *out)
{
    struct mcx_refusal why = { "the coded file cannot be written", "" };
    mcx_err err = mcx_audio_code_file(out, in, &why);

    return err == MCX_OK ? EXIT_DONE : file_error(in, err, &why);
}

static void print_match(const struct mcx_audio_match *m, size_t num_reference, size_t num_recording, bool json)
{
    if (json) {
        printf("{\"status\":\"%s\",\"offset_frames\":%ld,\"reference_samples\":%zu,\"recording_samples\":%zu,"
               "\"compared_samples\":%zu,\"equal_samples\":%zu}\n",
               m->complete ? "ok" : "differs", (long)m->offset_frames, num_reference, num_recording, m->compared,
               m->equal);
        return;
    }
    printf("%zu of %zu samples are equal; the recording holds the reference %ld ms after its start\n", m->equal,
           num_reference, (long)m->offset_frames * MCX_AMRWB_FRAME_MS);
}

static int compare(const char *reference_path, const char *recording_path, bool json)
{
    struct mcx_pcm reference = { NULL, 0 };
    struct mcx_pcm recording = { NULL, 0 };
    struct mcx_refusal why = { "", "" };
    struct mcx_audio_match m;
    int result = EXIT_REFUSED;
    mcx_err err = mcx_pcm_load(&reference, reference_path, &why);

    if (err != MCX_OK) {
        return file_error(reference_path, err, &why);
    }
    err = mcx_pcm_load(&recording, recording_path, &why);
    if (err != MCX_OK) {
        result = file_error(recording_path, err, &why);
        goto out;
    }
    m = mcx_audio_compare(&reference, &recording);
    print_match(&m, reference.num, recording.num, json);
    result = m.complete ? EXIT_DONE : EXIT_REFUSED;
out:
    mcx_pcm_clear(&reference);
    mcx_pcm_clear(&recording);
    return result;
}

int cmd_audio(int argc, char **argv)
{
    bool json = false;

    if (asks_help(argc, argv)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (argc == 5 && strcmp(argv[4], "--json") == 0) {
        json = true;
        argc--;
    }
    if (argc != 4) {
        return usage_error("two files are needed");
    }
    if (strcmp(argv[1], "code") == 0 && !json) {
        return code(argv[2], argv[3]);
    }
    if (strcmp(argv[1], "compare") == 0) {
        return compare(argv[2], argv[3], json);
    }
    return usage_error("say code or compare");
}
