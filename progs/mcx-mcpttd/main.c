/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-mcpttd: the MCPTT server. */
#include "mcx-mcpttd/mcpttd.h"

#include <stdio.h>
#include <string.h>

/* --name VALUE, --name=VALUE, switches; the configuration file counts where it stands. */
static int read_options(struct md_settings *s, int argc, char **argv)
{
    int rc = EXIT_DONE;

    for (int i = 1; i < argc && rc == EXIT_DONE; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        bool flag = strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--symmetric-rtp") == 0;

        if (strcmp(argv[i], "-t") == 0) {
            s->check_only = true;
            continue;
        }
        if (strncmp(argv[i], "--", 2) != 0) {
            return md_complain(EXIT_USAGE, "unexpected argument; --help explains", argv[i]);
        }
        if (flag) {
            rc = md_set(s, argv[i] + 2, NULL);
            continue;
        }
        if (next == NULL) {
            return md_complain(EXIT_USAGE, "value missing, or no such option; --help explains", argv[i]);
        }
        rc = strcmp(argv[i], "--config") == 0 ? md_load(s, next) : md_set(s, argv[i] + 2, next);
        i++;
    }
    return rc;
}

static int serve(struct md_settings *s)
{
    struct md_daemon *d = NULL;
    int rc = md_check(s);

    rc = rc == EXIT_DONE ? md_open(&d, s) : rc;
    if (rc == EXIT_DONE && s->check_only) {
        puts("mcx-mcpttd: the configuration is good");
    } else if (rc == EXIT_DONE) {
        rc = md_run(d);
    }
    md_close(d);
    return rc;
}

int main(int argc, char **argv)
{
    struct md_settings s;
    bool fetch;
    int rc;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        md_usage();
        return EXIT_DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("mcx-mcpttd " MCX_VERSION);
        return EXIT_DONE;
    }
    md_defaults(&s);
    fetch = argc > 1 && strcmp(argv[1], "fetch-groups") == 0; /* started by gms.c */
    rc = fetch ? read_options(&s, argc - 1, argv + 1) : read_options(&s, argc, argv);
    rc = rc != EXIT_DONE ? rc : fetch ? md_gms_process(&s) : serve(&s);
    md_settings_clear(&s);
    return rc;
}
