/* SPDX-License-Identifier: Apache-2.0 */
/* mcx bench: median and spread of the operations that cost time, one core. */
#define _POSIX_C_SOURCE 200809L
#include "mcx/bench.h"
#include "mcx/cmd.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mcx/text.h>

/* One row for each file bench_*.c. */
static const struct {
    const struct bench_item *items;
    const struct bench_ratio *ratios; /* may be NULL */
} suites[] = {
    { bench_eccsi, bench_eccsi_ratios },
    { bench_sakke, NULL },
    { bench_srtp, NULL },
    { bench_imessage, NULL },
    { bench_group, bench_group_ratios },
    { bench_floor, NULL },
    { bench_kms, NULL },
    { bench_relay, NULL },
};

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif
#define NUM_SUITES     (sizeof suites / sizeof suites[0])
#define DEFAULT_ROUNDS 31
#define MAX_ROUNDS     10000
#define SAMPLE_NS      1.0e6 /* how long one sample should last */
#define MAX_REPEATS    10000000

struct job {
    const struct bench_item *item;
    void *state;
    size_t repeats; /* runs in one sample */
    double *sample; /* nanoseconds an operation, one a round */
};

struct bench {
    struct job *jobs;
    size_t num;
    size_t rounds;
    const char *filter; /* NULL = all */
    bool json;
};

static double now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1.0e9 + (double)t.tv_nsec;
}

/* Nanoseconds of `n` runs; negative when one fails. */
static double time_runs(const struct job *job, size_t n)
{
    double start = now_ns();

    for (size_t i = 0; i < n; i++) {
        mcx_err err = job->item->run(job->state);

        if (err != MCX_OK) {
            fprintf(stderr, "mcx bench: %s fails: %s\n", job->item->name, mcx_err_name(err));
            return -1.0;
        }
    }
    return now_ns() - start;
}

/* Warm up, and find out how many runs make a sample. */
static bool calibrate(struct job *job)
{
    double ns = 0.0;

    for (job->repeats = 1; job->repeats < MAX_REPEATS; job->repeats *= 2) {
        ns = time_runs(job, job->repeats);
        if (ns < 0.0) {
            return false;
        }
        if (ns >= SAMPLE_NS) {
            break;
        }
    }
    return true;
}

static bool measure(struct bench *b)
{
    for (size_t i = 0; i < b->num; i++) {
        if (!calibrate(&b->jobs[i])) {
            return false;
        }
    }
    for (size_t r = 0; r < b->rounds; r++) {
        for (size_t i = 0; i < b->num; i++) {
            struct job *job = &b->jobs[i];
            double ns = time_runs(job, job->repeats);

            if (ns < 0.0) {
                return false;
            }
            job->sample[r] = ns / (double)job->repeats;
        }
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The value below which `percent` of the sorted samples lie. */
static double percentile(const struct bench *b, const struct job *job, size_t percent)
{
    return job->sample[(b->rounds - 1) * percent / 100];
}

static const struct job *find_job(const struct bench *b, const char *name)
{
    for (size_t i = 0; i < b->num; i++) {
        if (strcmp(b->jobs[i].item->name, name) == 0) {
            return &b->jobs[i];
        }
    }
    return NULL;
}

/* The quotient of two medians; false when one was not measured. */
static bool quotient(const struct bench *b, const struct bench_ratio *ratio, double *out)
{
    const struct job *over = find_job(b, ratio->numerator);
    const struct job *under = find_job(b, ratio->denominator);

    if (over == NULL || under == NULL) {
        return false;
    }
    *out = percentile(b, over, 50) / percentile(b, under, 50);
    return true;
}

static void machine(char *out, size_t cap)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];

    (void)snprintf(out, cap, "unknown");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *value = strchr(line, ':');

        if (value != NULL && strncmp(line, "model name", 10) == 0) {
            value[1 + strcspn(value + 1, "\n\"\\")] = '\0';
            (void)snprintf(out, cap, "%s", value + 1 + strspn(value + 1, " "));
            break;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
}

static void print_text(const struct bench *b)
{
    char cpu[128];

    machine(cpu, sizeof cpu);
    printf("%s, %s, %zu rounds; microseconds an operation\n", cpu, COMPILER, b->rounds);
    printf("%-36s %12s %12s %12s\n", "", "median", "10 %", "90 %");
    for (size_t i = 0; i < b->num; i++) {
        const struct job *job = &b->jobs[i];

        printf("%-36s %12.3f %12.3f %12.3f\n", job->item->name, percentile(b, job, 50) / 1000.0,
               percentile(b, job, 10) / 1000.0, percentile(b, job, 90) / 1000.0);
    }
    for (size_t s = 0; s < NUM_SUITES; s++) {
        for (const struct bench_ratio *r = suites[s].ratios; r != NULL && r->numerator != NULL; r++) {
            double q = 0.0;

            if (quotient(b, r, &q)) {
                printf("%s / %s = %.2f", r->numerator, r->denominator, q);
                printf(r->goal > 0.0 ? " (goal: at most %.2f)\n" : "\n", r->goal);
            }
        }
    }
}

static void print_json(const struct bench *b)
{
    char cpu[128];
    const char *comma = "";

    machine(cpu, sizeof cpu);
    printf("{\"program\":\"mcx\",\"machine\":\"%s\",\"compiler\":\"%s\",\"rounds\":%zu,\"unit\":\"us\",\"items\":[",
           cpu, COMPILER, b->rounds);
    for (size_t i = 0; i < b->num; i++) {
        const struct job *job = &b->jobs[i];

        printf("%s{\"name\":\"%s\",\"median\":%.4f,\"p10\":%.4f,\"p90\":%.4f,\"repeats\":%zu}", i == 0 ? "" : ",",
               job->item->name, percentile(b, job, 50) / 1000.0, percentile(b, job, 10) / 1000.0,
               percentile(b, job, 90) / 1000.0, job->repeats);
    }
    fputs("],\"ratios\":[", stdout);
    for (size_t s = 0; s < NUM_SUITES; s++) {
        for (const struct bench_ratio *r = suites[s].ratios; r != NULL && r->numerator != NULL; r++) {
            double q = 0.0;

            if (quotient(b, r, &q)) {
                printf("%s{\"over\":\"%s\",\"under\":\"%s\",\"ratio\":%.4f,\"goal\":%.2f}", comma, r->numerator,
                       r->denominator, q, r->goal);
                comma = ",";
            }
        }
    }
    puts("]}");
}

static size_t count_items(void)
{
    size_t n = 0;

    for (size_t s = 0; s < NUM_SUITES; s++) {
        for (const struct bench_item *item = suites[s].items; item->name != NULL; item++) {
            n++;
        }
    }
    return n;
}

/* Choose the items and set them up. */
static mcx_err prepare(struct bench *b)
{
    b->jobs = calloc(count_items(), sizeof *b->jobs);
    if (b->jobs == NULL) {
        return MCX_E_NOMEM;
    }
    for (size_t s = 0; s < NUM_SUITES; s++) {
        for (const struct bench_item *item = suites[s].items; item->name != NULL; item++) {
            struct job *job = &b->jobs[b->num];

            if (b->filter != NULL && strstr(item->name, b->filter) == NULL) {
                continue;
            }
            b->num++;
            job->item = item;
            job->sample = calloc(b->rounds, sizeof *job->sample);
            if (job->sample == NULL) {
                return MCX_E_NOMEM;
            }
            if (item->setup != NULL) {
                MCX_TRY(item->setup(&job->state));
            }
        }
    }
    return MCX_OK;
}

static void release(struct bench *b)
{
    for (size_t i = 0; i < b->num; i++) {
        struct job *job = &b->jobs[i];

        if (job->item->teardown != NULL) {
            job->item->teardown(job->state);
        }
        free(job->sample);
    }
    free(b->jobs);
}

static int run(struct bench *b)
{
    mcx_err err = prepare(b);
    int status = EXIT_REFUSED;

    if (err != MCX_OK) {
        fprintf(stderr, "mcx bench: cannot set up %s: %s\n", b->num == 0 ? "anything" : b->jobs[b->num - 1].item->name,
                mcx_err_name(err));
        status = EXIT_ENVIRONMENT;
    } else if (b->num == 0) {
        fprintf(stderr, "mcx bench: no item has '%s' in its name; 'mcx bench --list' names them\n", b->filter);
        status = EXIT_USAGE;
    } else if (measure(b)) {
        for (size_t i = 0; i < b->num; i++) {
            qsort(b->jobs[i].sample, b->rounds, sizeof(double), by_value);
        }
        (b->json ? print_json : print_text)(b);
        status = EXIT_DONE;
    }
    release(b);
    return status;
}

static void list(void)
{
    for (size_t s = 0; s < NUM_SUITES; s++) {
        for (const struct bench_item *item = suites[s].items; item->name != NULL; item++) {
            puts(item->name);
        }
    }
}

static void usage(FILE *f)
{
    fputs("usage: mcx bench [--json] [--filter TEXT] [--rounds N] [--list]\n\n"
          "Measures each operation on one core: median, 10th and 90th percentile over N rounds\n"
          "(31 if not given). All items take their turn in every round.\n\n"
          "  --filter TEXT  only items with TEXT in their name\n"
          "  --rounds N     1 to 10000\n"
          "  --json         one JSON object\n"
          "  --list         names of the items\n\n"
          "Exit codes: 0 done, 1 an operation failed, 2 usage, 3 environment.\n",
          f);
}

int cmd_bench(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },         { "filter", required_argument, NULL, 'f' },
        { "rounds", required_argument, NULL, 'r' }, { "list", no_argument, NULL, 'l' },
        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    struct bench b = { .rounds = DEFAULT_ROUNDS };
    uint64_t n = 0;
    int c = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'j': b.json = true; break;
        case 'f': b.filter = optarg; break;
        case 'r':
            if (mcx_dec_read(&n, MAX_ROUNDS, mcx_bytes_str(optarg)) != MCX_OK || n == 0) {
                fprintf(stderr, "mcx bench: --rounds takes 1 to %d\n", MAX_ROUNDS);
                return EXIT_USAGE;
            }
            b.rounds = (size_t)n;
            break;
        case 'l': list(); return EXIT_DONE;
        case 'h': usage(stdout); return EXIT_DONE;
        default: usage(stderr); return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return run(&b);
}
