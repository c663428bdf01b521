/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wolfCrypt's SAKKE and ECCSI beside `mcx bench`; only measured, never part of what is installed.
 * usage: peer_wolfcrypt [--rounds N]; prints the JSON that bench/compare reads.
 *
 * What is held ready, by name (ours: progs/mcx/bench_sakke.c):
 *   sakke.encap.new          nothing about the recipient: the point I = [uid]P + Z is computed each time
 *   sakke.encap.cached       I, and its table where the library offers one
 *   sakke.encap.no_tables    as encap.new
 *   sakke.decap              I and the tables of I and of the RSK where the library offers them
 *   sakke.decap.no_tables    neither table; I is computed each time
 * "tables" in the output says how many octets the library asked for; 0 = this build of it offers none.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wolfssl/options.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/eccsi.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sakke.h>

#define ID_LEN         32
#define SSV_LEN        16
#define AUTH_LEN       257
#define MSG_LEN        400
#define SIG_MAX        160
#define SAMPLE_US      2000.0
#define DEFAULT_ROUNDS 11
#define MAX_ROUNDS     10000
#define MAX_REPEATS    1000000

static struct {
    WC_RNG rng;
    SakkeKey kms, plain, full; /* full: with every table on offer */
    ecc_point *rsk;
    EccsiKey eccsi_kms, eccsi;
    mp_int ssk;
    ecc_point *pvt;
    byte id[ID_LEN];
    byte ssv[SSV_LEN]; /* as sent */
    byte auth[AUTH_LEN];
    byte msg[MSG_LEN];
    byte sig[SIG_MAX];
    word32 sig_len;
    byte *point_table, *rsk_table;
    word32 point_table_len, rsk_table_len;
} s;

static int encap(SakkeKey *key, byte ssv[SSV_LEN], byte auth[AUTH_LEN])
{
    word16 auth_len = AUTH_LEN;

    return wc_MakeSakkeEncapsulatedSSV(key, WC_HASH_TYPE_SHA256, ssv, SSV_LEN, auth, &auth_len);
}

static int decap(SakkeKey *key)
{
    byte ssv[SSV_LEN];

    memcpy(ssv, s.ssv, sizeof ssv);
    return wc_DeriveSakkeSSV(key, WC_HASH_TYPE_SHA256, ssv, SSV_LEN, s.auth, AUTH_LEN);
}

static int run_public(void)
{
    return wc_MakeSakkePublicKey(&s.kms, s.full.tmp.p1);
}

static int run_extract(void)
{
    return wc_MakeSakkeRsk(&s.kms, s.id, ID_LEN, s.rsk);
}

static int run_validate(void)
{
    int valid = 0;
    int rc = wc_ValidateSakkeRsk(&s.plain, s.id, ID_LEN, s.rsk, &valid);

    return rc == 0 && valid != 1 ? -1 : rc;
}

static int run_encap_new(void)
{
    byte ssv[SSV_LEN] = { 7 };
    byte auth[AUTH_LEN];
    int rc = wc_MakeSakkePointI(&s.plain, s.id, ID_LEN);

    return rc != 0 ? rc : encap(&s.plain, ssv, auth);
}

static int run_encap_cached(void)
{
    byte ssv[SSV_LEN] = { 7 };
    byte auth[AUTH_LEN];

    return encap(&s.full, ssv, auth);
}

static int run_decap_plain(void)
{
    int rc = wc_MakeSakkePointI(&s.plain, s.id, ID_LEN);

    return rc != 0 ? rc : decap(&s.plain);
}

static int run_decap_full(void)
{
    return decap(&s.full);
}

static int run_eccsi_extract(void)
{
    return wc_MakeEccsiPair(&s.eccsi_kms, &s.rng, WC_HASH_TYPE_SHA256, s.id, ID_LEN, &s.ssk, s.pvt);
}

static int run_eccsi_validate(void)
{
    int valid = 0;
    int rc = wc_ValidateEccsiPair(&s.eccsi, WC_HASH_TYPE_SHA256, s.id, ID_LEN, &s.ssk, s.pvt, &valid);

    return rc == 0 && valid != 1 ? -1 : rc;
}

static int run_eccsi_sign(void)
{
    byte hash[64];
    byte hash_len = 0;
    int rc = wc_HashEccsiId(&s.eccsi, WC_HASH_TYPE_SHA256, s.id, ID_LEN, s.pvt, hash, &hash_len);

    s.sig_len = sizeof s.sig;
    if (rc == 0) {
        rc = wc_SetEccsiHash(&s.eccsi, hash, hash_len);
    }
    if (rc == 0) {
        rc = wc_SetEccsiPair(&s.eccsi, &s.ssk, s.pvt);
    }
    return rc != 0 ? rc : wc_SignEccsiHash(&s.eccsi, &s.rng, WC_HASH_TYPE_SHA256, s.msg, MSG_LEN, s.sig, &s.sig_len);
}

static int run_eccsi_verify(void)
{
    byte hash[64];
    byte hash_len = 0;
    int valid = 0;
    int rc = wc_HashEccsiId(&s.eccsi, WC_HASH_TYPE_SHA256, s.id, ID_LEN, s.pvt, hash, &hash_len);

    if (rc == 0) {
        rc = wc_SetEccsiHash(&s.eccsi, hash, hash_len);
    }
    if (rc == 0) {
        rc = wc_VerifyEccsiHash(&s.eccsi, WC_HASH_TYPE_SHA256, s.msg, MSG_LEN, s.sig, s.sig_len, &valid);
    }
    return rc == 0 && valid != 1 ? -1 : rc;
}

/* A client that knows Z, its identity and its RSK. */
static int make_client(SakkeKey *key)
{
    byte z[AUTH_LEN];
    word32 z_len = sizeof z;
    int rc = wc_InitSakkeKey_ex(key, 128, ECC_SAKKE_1, NULL, INVALID_DEVID);

    if (rc == 0) {
        rc = wc_ExportSakkePublicKey(&s.kms, z, &z_len, 1);
    }
    if (rc == 0) {
        rc = wc_ImportSakkePublicKey(key, z, z_len, 0);
    }
    if (rc == 0) {
        rc = wc_SetSakkeRsk(key, s.rsk, NULL, 0);
    }
    if (rc == 0) {
        rc = wc_MakeSakkePointI(key, s.id, ID_LEN);
    }
    return rc != 0 ? rc : wc_SetSakkeIdentity(key, s.id, ID_LEN);
}

/* The library says the length it wants first; 0 means that this build has no such tables. */
static int make_tables(void)
{
    int rc = wc_GenerateSakkePointITable(&s.full, NULL, &s.point_table_len);

    if (s.point_table_len > 0) {
        s.point_table = malloc(s.point_table_len);
        rc = s.point_table == NULL ? -1 : wc_GenerateSakkePointITable(&s.full, s.point_table, &s.point_table_len);
        rc = rc != 0 ? rc : wc_SetSakkePointITable(&s.full, s.point_table, s.point_table_len);
        if (rc != 0) {
            return rc;
        }
    }
    (void)wc_GenerateSakkeRskTable(&s.full, s.rsk, NULL, &s.rsk_table_len);
    if (s.rsk_table_len > 0) {
        s.rsk_table = malloc(s.rsk_table_len);
        rc = s.rsk_table == NULL ? -1 : wc_GenerateSakkeRskTable(&s.full, s.rsk, s.rsk_table, &s.rsk_table_len);
        return rc != 0 ? rc : wc_SetSakkeRsk(&s.full, s.rsk, s.rsk_table, s.rsk_table_len);
    }
    return 0;
}

static int set_up_sakke(void)
{
    int rc = wc_InitSakkeKey_ex(&s.kms, 128, ECC_SAKKE_1, NULL, INVALID_DEVID);

    if (rc == 0) {
        rc = wc_MakeSakkeKey(&s.kms, &s.rng);
    }
    s.rsk = wc_ecc_new_point();
    if (rc == 0) {
        rc = s.rsk == NULL ? -1 : run_extract();
    }
    if (rc == 0) {
        rc = make_client(&s.plain);
    }
    if (rc == 0) {
        rc = make_client(&s.full);
    }
    if (rc == 0) {
        rc = make_tables();
    }
    return rc != 0 ? rc : encap(&s.plain, s.ssv, s.auth);
}

static int set_up_eccsi(void)
{
    byte kpak[128];
    word32 kpak_len = sizeof kpak;
    int rc = wc_InitEccsiKey(&s.eccsi_kms, NULL, INVALID_DEVID);

    if (rc == 0) {
        rc = wc_InitEccsiKey(&s.eccsi, NULL, INVALID_DEVID);
    }
    if (rc == 0) {
        rc = wc_MakeEccsiKey(&s.eccsi_kms, &s.rng);
    }
    if (rc == 0) {
        rc = wc_ExportEccsiPublicKey(&s.eccsi_kms, kpak, &kpak_len, 1);
    }
    if (rc == 0) {
        rc = wc_ImportEccsiPublicKey(&s.eccsi, kpak, kpak_len, 0);
    }
    s.pvt = wc_ecc_new_point();
    if (rc == 0) {
        rc = s.pvt == NULL ? -1 : mp_init(&s.ssk);
    }
    return rc != 0 ? rc : run_eccsi_extract();
}

static struct job {
    const char *name;
    int (*run)(void);
    size_t repeats;
    double *sample;
} jobs[] = {
    { .name = "sakke.public", .run = run_public },
    { .name = "sakke.extract", .run = run_extract },
    { .name = "sakke.validate", .run = run_validate },
    { .name = "sakke.encap.new", .run = run_encap_new },
    { .name = "sakke.encap.cached", .run = run_encap_cached },
    { .name = "sakke.encap.no_tables", .run = run_encap_new },
    { .name = "sakke.decap", .run = run_decap_full },
    { .name = "sakke.decap.no_tables", .run = run_decap_plain },
    { .name = "eccsi.extract", .run = run_eccsi_extract },
    { .name = "eccsi.validate", .run = run_eccsi_validate },
    { .name = "eccsi.sign", .run = run_eccsi_sign },
    { .name = "eccsi.verify", .run = run_eccsi_verify },
};
#define NUM_JOBS (sizeof jobs / sizeof jobs[0])

/* Microseconds of one operation, or negative. */
static double sample(const struct job *job, size_t repeats)
{
    struct timespec a, b;

    (void)clock_gettime(CLOCK_MONOTONIC, &a);
    for (size_t i = 0; i < repeats; i++) {
        int rc = job->run();

        if (rc != 0) {
            fprintf(stderr, "peer_wolfcrypt: %s fails: %d\n", job->name, rc);
            return -1.0;
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &b);
    return ((double)(b.tv_sec - a.tv_sec) * 1.0e6 + (double)(b.tv_nsec - a.tv_nsec) / 1.0e3) / (double)repeats;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Warm up and find the repeats of a sample; then every round takes each operation in turn. */
static int measure(size_t rounds)
{
    for (size_t j = 0; j < NUM_JOBS; j++) {
        double us = 0.0;

        jobs[j].sample = calloc(rounds, sizeof *jobs[j].sample);
        if (jobs[j].sample == NULL) {
            return -1;
        }
        for (jobs[j].repeats = 1; jobs[j].repeats < MAX_REPEATS; jobs[j].repeats *= 2) {
            us = sample(&jobs[j], jobs[j].repeats);
            if (us < 0.0) {
                return -1;
            }
            if (us * (double)jobs[j].repeats >= SAMPLE_US) {
                break;
            }
        }
    }
    for (size_t r = 0; r < rounds; r++) {
        for (size_t j = 0; j < NUM_JOBS; j++) {
            jobs[j].sample[r] = sample(&jobs[j], jobs[j].repeats);
            if (jobs[j].sample[r] < 0.0) {
                return -1;
            }
        }
    }
    for (size_t j = 0; j < NUM_JOBS; j++) {
        qsort(jobs[j].sample, rounds, sizeof(double), by_value);
    }
    return 0;
}

static void print(size_t rounds)
{
    printf("{\"program\":\"wolfcrypt\",\"version\":\"%s\",\"rounds\":%zu,\"unit\":\"us\","
           "\"tables\":{\"point\":%u,\"rsk\":%u},\"items\":[",
           LIBWOLFSSL_VERSION_STRING, rounds, (unsigned)s.point_table_len, (unsigned)s.rsk_table_len);
    for (size_t j = 0; j < NUM_JOBS; j++) {
        const double *v = jobs[j].sample;

        printf("%s{\"name\":\"%s\",\"median\":%.4f,\"p10\":%.4f,\"p90\":%.4f,\"repeats\":%zu}", j == 0 ? "" : ",",
               jobs[j].name, v[(rounds - 1) / 2], v[(rounds - 1) / 10], v[(rounds - 1) * 9 / 10], jobs[j].repeats);
    }
    puts("]}");
}

int main(int argc, char **argv)
{
    size_t rounds = DEFAULT_ROUNDS;

    if (argc == 3 && strcmp(argv[1], "--rounds") == 0) {
        rounds = (size_t)strtoul(argv[2], NULL, 10);
    }
    if ((argc != 1 && argc != 3) || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: peer_wolfcrypt [--rounds N]\n");
        return 2;
    }
    if (wc_InitRng(&s.rng) != 0 || wc_RNG_GenerateBlock(&s.rng, s.id, sizeof s.id) != 0 || set_up_sakke() != 0 ||
        set_up_eccsi() != 0 || run_eccsi_sign() != 0) {
        fprintf(stderr, "peer_wolfcrypt: setting up fails\n");
        return 3;
    }
    if (measure(rounds) != 0) {
        return 3;
    }
    print(rounds);
    return 0;
}
