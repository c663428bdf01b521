/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The whole input lies ready: nobody has to write while the other reads. */
static mcx_err input_open(int *fd, struct mcx_bytes input)
{
    ssize_t n = 0;

    *fd = input.len == 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : memfd_create("input", MFD_CLOEXEC);
    for (size_t done = 0; *fd >= 0 && done < input.len; done += (size_t)n) {
        n = write(*fd, input.p + done, input.len - done);
        if (n <= 0) {
            break;
        }
    }
    if (*fd < 0 || n < 0 || (input.len > 0 && lseek(*fd, 0, SEEK_SET) != 0)) {
        return MCX_E_IO;
    }
    return MCX_OK;
}

static void close_all(const int *fd, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (fd[i] >= 0) {
            (void)close(fd[i]);
        }
    }
}

static int spawn(pid_t *pid, const char *const argv[], int input, int output)
{
    posix_spawn_file_actions_t files;
    int rc = posix_spawn_file_actions_init(&files);

    if (rc != 0) {
        return rc;
    }
    rc = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    rc = rc != 0 ? rc : posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    rc = rc != 0 ? rc : posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    rc = rc != 0 ? rc : posix_spawn(pid, "/proc/self/exe", &files, NULL, (char *const *)argv, environ);
    (void)posix_spawn_file_actions_destroy(&files);
    return rc;
}

mcx_err mcx_child_start(struct mcx_child *c, const char *const argv[], struct mcx_bytes input)
{
    int fd[3] = { -1, -1, -1 }; /* of the pipe to read and to write, input */
    pid_t pid = 0;

    if (pipe2(fd, O_CLOEXEC) != 0 || input_open(&fd[2], input) != MCX_OK || spawn(&pid, argv, fd[2], fd[1]) != 0) {
        close_all(fd, 3);
        return MCX_E_IO;
    }
    close_all(fd + 1, 2);
    c->pid = pid;
    c->output.fd = fd[0];
    return MCX_OK;
}

bool mcx_child_read(const struct mcx_child *c, uint8_t *buf, size_t cap, size_t *len)
{
    ssize_t n = read(c->output.fd, buf, cap);

    *len = n > 0 ? (size_t)n : 0;
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

int mcx_child_end(struct mcx_child *c)
{
    int status = 0;
    pid_t got = 0;

    (void)close(c->output.fd);
    c->output.fd = -1;
    do {
        got = waitpid(c->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    c->pid = 0;
    return got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

mcx_err mcx_child_watch(struct mcx_child *c, void (*ready)(void *arg), void *arg)
{
    c->output.ready = ready;
    c->output.arg = arg;
    return mcx_loop_watch(&c->output);
}

void mcx_child_stop(struct mcx_child *c)
{
    if (c->pid != 0) {
        mcx_loop_unwatch(&c->output);
        (void)kill(c->pid, SIGTERM);
        (void)mcx_child_end(c);
    }
}
