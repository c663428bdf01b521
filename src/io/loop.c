/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/loop.h"

#include "io/libre.h"
#define DEBUG_MODULE "mcx"
#define DEBUG_LEVEL  3
#include <re_dbg.h>

mcx_err mcx_loop_open(int max_fds)
{
    if (libre_init() != 0) {
        return MCX_E_NOMEM;
    }
    dbg_init(DBG_ERR, DBG_NONE); /* the reasons reach us as results */
    if (fd_setsize(max_fds) != 0) {
        libre_close();
        return MCX_E_NOMEM;
    }
    return MCX_OK;
}

mcx_err mcx_loop_run(void (*on_signal)(int sig))
{
    return re_main(on_signal) == 0 ? MCX_OK : MCX_E_IO;
}

void mcx_loop_stop(void)
{
    re_cancel();
}

void mcx_loop_close(void)
{
    libre_close();
    tmr_debug();
    mem_debug();
}

static void fired(void *arg)
{
    struct mcx_timer *timer = arg;

    timer->fire(timer->arg);
}

mcx_err mcx_timer_start(struct mcx_timer *timer, uint64_t delay_ms, void (*fire)(void *arg), void *arg)
{
    if (timer->impl == NULL) {
        struct tmr *tmr = mem_zalloc(sizeof *tmr, NULL);

        if (tmr == NULL) {
            return MCX_E_NOMEM;
        }
        tmr_init(tmr);
        timer->impl = tmr;
    }
    timer->fire = fire;
    timer->arg = arg;
    tmr_start(timer->impl, delay_ms, fired, timer);
    return MCX_OK;
}

void mcx_timer_stop(struct mcx_timer *timer)
{
    if (timer->impl != NULL) {
        tmr_cancel(timer->impl);
    }
}

void mcx_timer_clear(struct mcx_timer *timer)
{
    mcx_timer_stop(timer);
    timer->impl = mem_deref(timer->impl);
}

static void readable(int flags, void *arg)
{
    struct mcx_watch *watch = arg;

    (void)flags;
    watch->ready(watch->arg);
}

mcx_err mcx_loop_watch(struct mcx_watch *watch)
{
    return fd_listen(watch->fd, FD_READ, readable, watch) == 0 ? MCX_OK : MCX_E_IO;
}

void mcx_loop_unwatch(const struct mcx_watch *watch)
{
    fd_close(watch->fd);
}
