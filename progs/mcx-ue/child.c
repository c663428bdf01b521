/* SPDX-License-Identifier: Apache-2.0 */
/* A process of this program's own that fetches, while media go on here; the end of its output is its end. */
#define _GNU_SOURCE
#include "ue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

mcx_err ue_child_start(struct ue_child *c, const char *const argv[])
{
    posix_spawn_file_actions_t files;
    int ends[2] = { -1, -1 };
    int rc = posix_spawn_file_actions_init(&files);

    if (rc != 0) {
        return MCX_E_NOMEM;
    }
    rc = pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
    rc = rc != 0 ? rc : posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    rc = rc != 0 ? rc : posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    rc = rc != 0 ? rc : posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    rc = rc != 0 ? rc : posix_spawn(&c->pid, "/proc/self/exe", &files, NULL, (char *const *)argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    if (ends[1] >= 0) {
        (void)close(ends[1]);
    }
    if (rc != 0) {
        c->pid = 0;
        if (ends[0] >= 0) {
            (void)close(ends[0]);
        }
        return MCX_E_IO;
    }
    c->output.fd = ends[0];
    return MCX_OK;
}

bool ue_child_drain(const struct ue_child *c, bool forward)
{
    char buf[4096];
    ssize_t n = read(c->output.fd, buf, sizeof buf);

    if (n > 0 && forward) {
        (void)!fwrite(buf, 1, (size_t)n, stdout);
        fflush(stdout);
    }
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

int ue_child_end(struct ue_child *c)
{
    int status = 0;
    pid_t got = 0;

    (void)close(c->output.fd);
    c->output.fd = -1;
    do {
        got = waitpid(c->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    c->pid = 0;
    return got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_ENVIRONMENT;
}

mcx_err ue_child_watch(struct ue_child *c, void (*ready)(void *arg), void *arg)
{
    c->output.ready = ready;
    c->output.arg = arg;
    return mcx_loop_watch(&c->output);
}

void ue_child_stop(struct ue_child *c)
{
    if (c->pid != 0) {
        mcx_loop_unwatch(&c->output);
        (void)kill(c->pid, SIGTERM); /* files are replaced in one step or not at all */
        (void)ue_child_end(c);
    }
}
