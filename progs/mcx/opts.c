/* SPDX-License-Identifier: Apache-2.0 */
#include "mcx/opts.h"

#include "mcx/cmd.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>

int cmd_usage_error(const char *command, const char *what)
{
    fprintf(stderr, "mcx %s: %s; 'mcx %s --help' explains\n", command, what, command);
    return EXIT_USAGE;
}

static int take(const char *command, const struct cmd_opt *opt)
{
    if (opt->flag != NULL) {
        *opt->flag = true;
    } else if (opt->num == NULL) {
        *opt->value = optarg;
    } else if (*opt->num < opt->max) {
        opt->value[(*opt->num)++] = optarg;
    } else {
        char what[64];

        (void)snprintf(what, sizeof what, "--%s too many times", opt->name);
        return cmd_usage_error(command, what);
    }
    return EXIT_DONE;
}

int cmd_opts_read(const char *command, const struct cmd_opt *opts, int argc, char **argv)
{
    struct option longopts[CMD_OPTS_MAX + 1] = { { NULL, 0, NULL, 0 } };
    int at = 0;
    int c = 0;

    for (size_t i = 0; opts[i].name != NULL; i++) {
        assert(i < CMD_OPTS_MAX);
        longopts[i] = (struct option){ opts[i].name, opts[i].flag != NULL ? no_argument : required_argument, NULL, 0 };
    }
    optind = 1;
    while ((c = getopt_long(argc, argv, "", longopts, &at)) != -1) {
        int rc = c == 0 ? take(command, &opts[at]) : cmd_usage_error(command, "wrong option");

        if (rc != EXIT_DONE) {
            return rc;
        }
    }
    return optind == argc ? EXIT_DONE : cmd_usage_error(command, "an argument too many");
}
