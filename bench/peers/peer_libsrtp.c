/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsrtp beside `mcx bench`: AEAD_AES_128_GCM with a 4-octet MKI, in place, packets of 60 and 160 octets.
 * usage: peer_libsrtp [--rounds N]; prints the JSON that bench/compare reads.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <srtp2/srtp.h>

#define HEADER_LEN     12
#define MKI_LEN        4
#define PACKET_MAX     256
#define NUM_PACKETS    4096
#define SAMPLE_RUNS    2048
#define DEFAULT_ROUNDS 31
#define MAX_ROUNDS     10000

struct job {
    const char *name;
    size_t payload_len;
    int (*run)(struct job *job); /* one operation; 0 = good */
    srtp_t tx;
    srtp_t rx;
    unsigned seq;
    size_t next;
    int sealed_len;
    unsigned char work[PACKET_MAX];
    unsigned char sealed[NUM_PACKETS][PACKET_MAX];
    double *sample;
};

static int make_session(srtp_t *out, srtp_ssrc_type_t direction)
{
    static unsigned char key_salt[28];
    static unsigned char mki[MKI_LEN];
    static srtp_master_key_t key = { key_salt, mki, MKI_LEN };
    static srtp_master_key_t *keys[1] = { &key };
    srtp_policy_t policy;

    memset(&policy, 0, sizeof policy);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    policy.ssrc.type = direction;
    policy.window_size = 128;
    policy.keys = keys;
    policy.num_master_keys = 1;
    return srtp_create(out, &policy) == srtp_err_status_ok ? 0 : -1;
}

static int protect_next(struct job *job, unsigned char *packet, int *len)
{
    packet[2] = (unsigned char)(job->seq >> 8);
    packet[3] = (unsigned char)job->seq;
    job->seq++;
    *len = (int)(HEADER_LEN + job->payload_len);
    return srtp_protect_mki(job->tx, packet, len, 1, 0) == srtp_err_status_ok ? 0 : -1;
}

static int run_protect(struct job *job)
{
    int len = 0;

    return protect_next(job, job->work, &len);
}

static int run_unprotect(struct job *job)
{
    int len = job->sealed_len;

    if (job->next == NUM_PACKETS) {
        (void)srtp_dealloc(job->rx);
        if (make_session(&job->rx, ssrc_any_inbound) != 0) {
            return -1;
        }
        job->next = 0;
    }
    memcpy(job->work, job->sealed[job->next++], (size_t)len);
    return srtp_unprotect_mki(job->rx, job->work, &len, 1) == srtp_err_status_ok ? 0 : -1;
}

static int run_context(struct job *job)
{
    srtp_t session = NULL;

    (void)job;
    return make_session(&session, ssrc_any_inbound) == 0 && srtp_dealloc(session) == srtp_err_status_ok ? 0 : -1;
}

static int set_up(struct job *job, size_t rounds)
{
    static const unsigned char header[HEADER_LEN] = { 0x80, 97, 0, 0, 0, 0, 0, 0, 0xca, 0xfe, 0xba, 0xbe };

    job->sample = calloc(rounds, sizeof *job->sample);
    if (job->sample == NULL || make_session(&job->tx, ssrc_any_outbound) != 0 ||
        make_session(&job->rx, ssrc_any_inbound) != 0) {
        return -1;
    }
    memcpy(job->work, header, HEADER_LEN);
    for (size_t i = 0; i < NUM_PACKETS; i++) {
        memcpy(job->sealed[i], header, HEADER_LEN);
        if (protect_next(job, job->sealed[i], &job->sealed_len) != 0) {
            return -1;
        }
    }
    return 0;
}

static int take_sample(struct job *job, size_t round)
{
    struct timespec a;
    struct timespec b;

    (void)clock_gettime(CLOCK_MONOTONIC, &a);
    for (size_t i = 0; i < SAMPLE_RUNS; i++) {
        if (job->run(job) != 0) {
            return -1;
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &b);
    job->sample[round] =
        ((double)(b.tv_sec - a.tv_sec) * 1.0e6 + (double)(b.tv_nsec - a.tv_nsec) / 1.0e3) / SAMPLE_RUNS;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct job jobs[] = {
    { .name = "srtp.protect-60", .payload_len = 60, .run = run_protect },
    { .name = "srtp.unprotect-60", .payload_len = 60, .run = run_unprotect },
    { .name = "srtp.protect-160", .payload_len = 160, .run = run_protect },
    { .name = "srtp.unprotect-160", .payload_len = 160, .run = run_unprotect },
    { .name = "srtp.context", .payload_len = 60, .run = run_context },
};
#define NUM_JOBS (sizeof jobs / sizeof jobs[0])

static int measure(size_t rounds)
{
    for (size_t j = 0; j < NUM_JOBS; j++) {
        if (set_up(&jobs[j], rounds) != 0 || take_sample(&jobs[j], 0) != 0) { /* the first one warms up */
            return -1;
        }
    }
    for (size_t r = 0; r < rounds; r++) {
        for (size_t j = 0; j < NUM_JOBS; j++) {
            if (take_sample(&jobs[j], r) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    size_t rounds = DEFAULT_ROUNDS;

    if (argc == 3 && strcmp(argv[1], "--rounds") == 0) {
        rounds = strtoul(argv[2], NULL, 10);
    }
    if ((argc != 1 && argc != 3) || rounds < 1 || rounds > MAX_ROUNDS) {
        fputs("usage: peer_libsrtp [--rounds N]\n", stderr);
        return 2;
    }
    if (srtp_init() != srtp_err_status_ok || measure(rounds) != 0) {
        fputs("peer_libsrtp: libsrtp failed\n", stderr);
        return 3;
    }
    printf("{\"program\":\"libsrtp\",\"unit\":\"us\",\"items\":[");
    for (size_t j = 0; j < NUM_JOBS; j++) {
        qsort(jobs[j].sample, rounds, sizeof *jobs[j].sample, by_value);
        printf("%s{\"name\":\"%s\",\"median\":%.4f,\"p10\":%.4f,\"p90\":%.4f}", j == 0 ? "" : ",", jobs[j].name,
               jobs[j].sample[(rounds - 1) / 2], jobs[j].sample[(rounds - 1) / 10],
               jobs[j].sample[(rounds - 1) * 9 / 10]);
    }
    puts("]}");
    return 0;
}
