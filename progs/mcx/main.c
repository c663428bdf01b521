/* SPDX-License-Identifier: Apache-2.0 */
/* mcx: one table of subcommands; each lives in a cmd_*.c of its own. */
#include "mcx/cmd.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <mcx/selftest.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
    bool keys; /* works with SAKKE and ECCSI keys: the self-test runs first */
} commands[] = {
    { "audio", cmd_audio, "AMR-WB coding of WAV files, and their comparison", false },
    { "bench", cmd_bench, "median and spread of each operation", true },
    { "floor", cmd_floor, "explain floor control messages, for laboratories", false },
    { "group", cmd_group, "group keys: fetch and list them; groups: administer them at a group management server", true },
    { "srtp", cmd_srtp, "protect and open SRTP packets in hex, for laboratories", false },
    { "kms", cmd_kms, "fetch certificates and key sets from a KMS", true },
    { "store", cmd_store, "what is in a key store", true },
    { "mikey", cmd_mikey, "make, open and explain I_MESSAGEs", false }, /* inspect needs none */
    { "token", cmd_token, "keys and access tokens for laboratories", false },
    { "uid", cmd_uid, "UID of a user in a key period", false },
    { "version", cmd_version, "print the version", false },
};

static void usage(FILE *f)
{
    fputs("usage: mcx COMMAND [options]\n\n", f);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].help);
    }
    fputs("\n'mcx COMMAND --help' explains a command. Exit codes: 0 done, 1 refused by a check, 2 usage, 3 environment.\n",
          f);
}

bool asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("mcx " MCX_VERSION);
    return EXIT_DONE;
}

bool self_test_passes(void)
{
    const char *which = NULL;

    if (mcx_crypto_self_test(&which) == MCX_OK) {
        return true;
    }
    fprintf(stderr, "mcx: self-test of %s fails: this build or machine computes wrong results; do not use it\n",
            which != NULL ? which : "the start");
    return false;
}

static int start(const struct command *command, int argc, char **argv)
{
    if (command->keys && !asks_help(argc, argv) && !self_test_passes()) {
        return EXIT_ENVIRONMENT;
    }
    return command->run(argc, argv);
}

int main(int argc, char **argv)
{
    const struct rlimit none = { 0, 0 };

    if (setrlimit(RLIMIT_CORE, &none) != 0) { /* several commands hold keys in ordinary memory */
        fputs("mcx: core dumps cannot be switched off\n", stderr);
        return EXIT_ENVIRONMENT;
    }
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return cmd_version(argc, argv);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return start(&commands[i], argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "mcx: no command '%s'; 'mcx --help' lists them\n", argv[1]);
    return EXIT_USAGE;
}
