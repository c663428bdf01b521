/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_GMS_WORKERS_H
#define MCX_IO_GMS_WORKERS_H

/*
 * Processes that make payloads of group keys (src/gms/payload.h): the parent gives jobs and takes results, one message
 * each on a socket of records. A worker opens the key store by itself, into locked memory of its own, and closes
 * everything else it has inherited. One that dies, or that has had work for MCX_GMS_WORKERS_HANG_MS and gives nothing
 * back, is replaced; what it had in hand is lost, and whoever keeps the queue gives it out again.
 */

#include "gms/payload.h"

#define MCX_GMS_WORKERS_MAX     64
#define MCX_GMS_WORKERS_DEPTH   4     /* jobs in the hands of one worker: it never waits for the parent */
#define MCX_GMS_WORKERS_HANG_MS 10000 /* a payload takes some milliseconds, the start of a worker less than a second   \
                                       */

struct mcx_gms_workers;

struct mcx_gms_workers_config {
    size_t num; /* 0 = as many as there are processors */
    const char *store;
    const char *store_key;
    uint64_t min_serial; /* of the key store: an older one is refused */
    struct mcx_log log;
};

/** @retval MCX_E_IO no process or socket (errno says why) @retval MCX_E_NOMEM */
MCX_MUST_CHECK mcx_err mcx_gms_workers_new(struct mcx_gms_workers **out, const struct mcx_gms_workers_config *config);
/** Ends the workers and waits for them. */
void mcx_gms_workers_free(struct mcx_gms_workers *workers);
/** The key store has changed: workers without a job are replaced at once, the others when theirs are done. */
void mcx_gms_workers_renew(struct mcx_gms_workers *workers, uint64_t min_serial);
/** Jobs that can be given now, and those that are in hand. */
size_t mcx_gms_workers_room(const struct mcx_gms_workers *workers);
size_t mcx_gms_workers_busy(const struct mcx_gms_workers *workers);
/** @retval MCX_E_SPACE no room @retval MCX_E_IO the worker has just died */
MCX_MUST_CHECK mcx_err mcx_gms_workers_give(struct mcx_gms_workers *workers, const struct mcx_gms_job *job);
/**
 * Wait for results, at most so long, and hand out those that are there, at most `max`.
 *
 * @return how many jobs were lost with a worker that died
 */
size_t mcx_gms_workers_wait(struct mcx_gms_workers *workers, int timeout_ms, size_t max,
                            void (*each)(void *arg, const struct mcx_gms_result *result), void *arg);

#endif
