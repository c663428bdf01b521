/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on standard input, one command each: read as they come, bounded, never waited for. */
#define _GNU_SOURCE
#include "ue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 1024

struct ue_console {
    struct mcx_watch watch;
    char line[LINE_MAX_OCTETS];
    size_t len;
    bool skipping; /* the rest of a line that is too long */
    void (*on_line)(void *arg, char *line);
    void *arg;
};

static void octet_take(struct ue_console *c, char octet)
{
    if (octet != '\n') {
        if (c->len < sizeof c->line - 1) {
            c->line[c->len++] = octet;
        } else {
            c->skipping = true;
        }
        return;
    }
    c->line[c->len] = '\0';
    if (!c->skipping) {
        c->on_line(c->arg, c->line);
    }
    c->len = 0;
    c->skipping = false;
}

static void on_ready(void *arg)
{
    struct ue_console *c = arg;
    char buf[512];
    ssize_t n = read(STDIN_FILENO, buf, sizeof buf);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        octet_take(c, buf[i]);
    }
    if (n <= 0) { /* nobody will say anything any more; the radio goes on */
        mcx_loop_unwatch(&c->watch);
        c->watch.fd = -1;
    }
}

mcx_err ue_console_open(struct ue_console **out, void (*on_line)(void *arg, char *line), void *arg)
{
    struct ue_console *c = calloc(1, sizeof *c);
    mcx_err err = MCX_OK;

    if (c == NULL) {
        return MCX_E_NOMEM;
    }
    c->on_line = on_line;
    c->arg = arg;
    c->watch = (struct mcx_watch){ STDIN_FILENO, on_ready, c };
    err = mcx_loop_watch(&c->watch);
    if (err != MCX_OK) { /* a plain file or /dev/null cannot be watched: there is no console then */
        c->watch.fd = -1;
    }
    *out = c;
    return MCX_OK;
}

void ue_console_close(struct ue_console *c)
{
    if (c != NULL && c->watch.fd >= 0) {
        mcx_loop_unwatch(&c->watch);
    }
    free(c);
}
