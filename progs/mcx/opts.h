/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROGS_OPTS_H
#define MCX_PROGS_OPTS_H

#include <stdbool.h>
#include <stddef.h>

/* One option of a command, and where it goes: a value, a flag, or a list of values when it may be repeated. */
struct cmd_opt {
    const char *name;
    const char **value; /* with `num`: an array */
    bool *flag;
    size_t *num; /* values so far */
    size_t max;
};
#define CMD_OPTS_MAX 16

/** "mcx COMMAND: WHAT; 'mcx COMMAND --help' explains". @return EXIT_USAGE */
int cmd_usage_error(const char *command, const char *what);
/** Read the options after argv[0]; a table ends with a NULL name. @return EXIT_DONE, or EXIT_USAGE after saying why */
int cmd_opts_read(const char *command, const struct cmd_opt *opts, int argc, char **argv);

#endif
