/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_LOOP_H
#define MCX_IO_LOOP_H

/*
 * The event loop of the SIP programs (libre's). One loop a process; everything runs on its thread.
 * Order: mcx_loop_open, make the SIP stack and sockets, mcx_loop_run, free them, mcx_loop_close.
 */

#include <stdint.h>

#include <mcx/err.h>

/** @param[in] max_fds sockets and files that the loop may watch at once; more connections are refused */
MCX_MUST_CHECK mcx_err mcx_loop_open(int max_fds);
/** Run until mcx_loop_stop(). `on_signal` (may be NULL) is called for SIGINT and SIGTERM, in the loop's thread. */
MCX_MUST_CHECK mcx_err mcx_loop_run(void (*on_signal)(int sig));
void mcx_loop_stop(void);
/** Releases the loop. */
void mcx_loop_close(void);

/** One-shot timer; restarting replaces, stopping a stopped one is allowed. Zero it before first use. */
struct mcx_timer {
    void *impl;
    void (*fire)(void *arg);
    void *arg;
};
MCX_MUST_CHECK mcx_err mcx_timer_start(struct mcx_timer *timer, uint64_t delay_ms, void (*fire)(void *arg), void *arg);
void mcx_timer_stop(struct mcx_timer *timer);
/** Stop and release. */
void mcx_timer_clear(struct mcx_timer *timer);

/** A descriptor under watch; the caller's storage, in place until mcx_loop_unwatch(). */
struct mcx_watch {
    int fd;
    void (*ready)(void *arg);
    void *arg;
};
/** Call `ready` whenever `fd` has something to read. @retval MCX_E_IO more descriptors than the loop may watch */
MCX_MUST_CHECK mcx_err mcx_loop_watch(struct mcx_watch *watch);
/** Before the descriptor is closed. */
void mcx_loop_unwatch(const struct mcx_watch *watch);

#endif
