/* SPDX-License-Identifier: Apache-2.0 */
/* mcx group: one table of verbs; each lives in a cmd_group_*.c of its own. */
#include "mcx/cmd.h"
#include "mcx/cmd_group.h"

#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    { "fetch", group_fetch, group_fetch_help },
    { "keys", group_keys, group_keys_help },
#define ADMIN(verb)                                                                                                    \
    {                                                                                                                  \
        verb, group_admin, group_admin_help                                                                            \
    }
    ADMIN("create"),
    ADMIN("add"),
    ADMIN("remove"),
    ADMIN("lost"),
    ADMIN("rekey"),
    ADMIN("revoke"),
    ADMIN("delete"),
    ADMIN("regroup"),
    ADMIN("ungroup"),
    ADMIN("list"),
    ADMIN("show"),
    ADMIN("lacking"),
    ADMIN("jobs"),
};
#define NUM_VERBS (sizeof verbs / sizeof verbs[0])

static void usage(FILE *f)
{
    for (size_t i = 0; i < NUM_VERBS; i++) {
        if (i == 0 || verbs[i].help != verbs[i - 1].help) {
            fprintf(f, "%s%s", i == 0 ? "" : "\n", verbs[i].help);
        }
    }
    fputs("\nExit codes: 0 done, 1 refused by a check, 2 usage, 3 environment.\n", f);
}

int cmd_group(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < NUM_VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0) {
            continue;
        }
        if (asks_help(argc, argv)) {
            fputs(verbs[i].help, stdout);
            return EXIT_DONE;
        }
        return verbs[i].run(argc - 1, argv + 1);
    }
    if (asks_help(argc, argv)) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (argc > 1) {
        fprintf(stderr, "mcx group: no verb '%s'; 'mcx group --help' lists them\n", argv[1]);
        return EXIT_USAGE;
    }
    usage(stderr);
    return EXIT_USAGE;
}
