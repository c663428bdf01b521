/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROGS_BENCH_H
#define MCX_PROGS_BENCH_H

/*
 * What `mcx bench` measures. Each file bench_*.c exports one array of items and, if it likes, one of ratios;
 * cmd_bench.c has one row for it. An array ends with an item without a name.
 *
 * All items are set up first; then every round takes one sample of each in turn, so that a disturbance of the
 * machine does not fall on one item alone. A sample repeats `run` until it lasts about a millisecond.
 */
#include <mcx/err.h>

struct bench_item {
    const char *name;               /* "eccsi.sign": library dot operation; what --filter matches */
    mcx_err (*setup)(void **state); /* may be NULL */
    mcx_err (*run)(void *state);    /* one operation; an error ends the program */
    void (*teardown)(void *state);  /* may be NULL; also called after a setup that failed half way */
};

/** Printed when both items were measured in this run. */
struct bench_ratio {
    const char *numerator;
    const char *denominator;
    double goal; /* the quotient we want to stay below; 0 = none */
};

extern const struct bench_item bench_eccsi[];
extern const struct bench_ratio bench_eccsi_ratios[];
extern const struct bench_item bench_sakke[];
extern const struct bench_item bench_srtp[];
extern const struct bench_item bench_imessage[];
extern const struct bench_item bench_group[];
extern const struct bench_ratio bench_group_ratios[];
extern const struct bench_item bench_floor[];
extern const struct bench_item bench_kms[];
extern const struct bench_item bench_relay[];

#endif
