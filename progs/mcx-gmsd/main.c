/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-gmsd: the group management server. One table of subcommands, one table of options. */
#include "mcx-gmsd/gmsd.h"

#include <mcx/text.h>

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_FETCH_WINDOW  30
#define DEFAULT_URGENT_WINDOW 5
#define DEFAULT_LIFETIME      7776000 /* 90 days */
#define DEFAULT_REKEY         2592000 /* 30 days, the key period of the examples of TS 33.180 D.3 */
#define DEFAULT_REFUSALS      60
#define DEFAULT_CONNECTIONS   512
#define DEFAULT_PER_PEER      128
#define DEFAULT_ADMIN_SCOPE   "mcx:group_administration"

static const struct command {
    const char *name;
    int (*run)(const struct options *o);
    const char *help;
} commands[] = {
    { "init", cmd_init, "--dir DIR --gms-uri URI --seal-key FILE                      make a GMS" },
    { "run", cmd_run,
      "--dir DIR --seal-key FILE --store FILE --store-key FILE --listen ADDR:PORT --tls-cert PEM --tls-key PEM\n"
      "         --jwks FILE [--token-iss I] [--token-aud A] [--token-scope S ...] [--token-skew S]\n"
      "         [--admin-scope S] [--admin MCPTT-ID ...] [--mcptt-server URI ...] [--workers N]\n"
      "         [--fetch-window S] [--urgent-window S] [--rekey-every S] [--key-lifetime S] [--sakke-to-self]\n"
      "         [--sip-listen TRANSPORT:ADDR:PORT]\n"
      "         [--kms-url https://HOST:PORT --kms-uri URI --kms-ca PEM --kms-token FILE]\n"
      "         [--refusals PER_MINUTE_AND_ADDRESS] [--connections N] [--connections-per-peer N]\n"
      "         [--ready-file FILE] [-t]                                     serve; -t only checks" },
    { "audit", cmd_audit, "list --dir DIR [--json]                                      who changed what" },
};
#define NUM_COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *f)
{
    fputs("usage: mcx-gmsd COMMAND [options]\n\n", f);
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        fprintf(f, "  %-6s %s\n", commands[i].name, commands[i].help);
    }
    fputs("\nThe key store is the GMS's own, filled from its KMS with --kms-url, ahead of each key period, or by\n"
          "'mcx kms fetch'; it is read anew when it changes, and at SIGHUP.\n"
          "Groups are administered with 'mcx group'. A seal key file holds 64 hex digits and has mode 0600.\n"
          "Exit codes: 0 done, 1 refused by a check, 2 usage, 3 environment. SIGTERM ends 'run' cleanly, SIGUSR1 logs\n"
          "how many answers of each kind were given. 0 lifts the limit of --refusals and --connections-per-peer, and\n"
          "switches --rekey-every and --key-lifetime off; --workers 0 is as many as there are processors.\n",
          f);
}

enum { TEXT, NUMBER, LIST };

/* Options that take a value: where it goes. */
static const struct value {
    const char *name;
    int kind;
    size_t at;     /* offset in struct options */
    size_t num_at; /* LIST: offset of the count */
    uint64_t max;  /* NUMBER: largest value; LIST: how many */
} values[] = {
#define T(name, member)                                                                                                \
    {                                                                                                                  \
        name, TEXT, offsetof(struct options, member), 0, 0                                                             \
    }
#define N(name, member, max)                                                                                           \
    {                                                                                                                  \
        name, NUMBER, offsetof(struct options, member), 0, max                                                         \
    }
#define L(name, member, num, max)                                                                                      \
    {                                                                                                                  \
        name, LIST, offsetof(struct options, member), offsetof(struct options, num), max                               \
    }
    T("dir", dir),
    T("gms-uri", gms_uri),
    T("seal-key", seal_key),
    T("store", store),
    T("store-key", store_key),
    T("kms-url", kms_url),
    T("kms-uri", kms_uri),
    T("kms-ca", kms_ca),
    T("kms-token", kms_token),
    T("listen", listen),
    T("sip-listen", sip_listen),
    T("tls-cert", tls_cert),
    T("tls-key", tls_key),
    T("jwks", jwks),
    T("token-iss", token_iss),
    T("token-aud", token_aud),
    L("token-scope", token_scopes, num_scopes, MAX_SCOPES),
    N("token-skew", token_skew, 3600),
    T("admin-scope", admin_scope),
    L("admin", admins, num_admins, MAX_ADMINS),
    L("mcptt-server", mcptt_servers, num_mcptt_servers, MCX_GMSDB_MAX_SERVERS),
    N("workers", workers, 64),
    N("fetch-window", fetch_window, 604800),
    N("urgent-window", urgent_window, 604800),
    N("rekey-every", rekey_every, UINT32_MAX),
    N("key-lifetime", key_lifetime, UINT32_MAX),
    N("refusals", refusals, 1000000),
    N("connections", connections, 65536),
    N("connections-per-peer", connections_per_peer, 65536),
    T("ready-file", ready_file),
};
#define NUM_VALUES (sizeof values / sizeof values[0])
#define OPT_JSON   (int)(NUM_VALUES + 256)
#define OPT_SELF   (int)(NUM_VALUES + 257)

static int take_value(struct options *o, const struct value *v, const char *text)
{
    char *base = (char *)o;
    uint64_t n = 0;
    size_t num = 0;

    if (v->kind == TEXT) {
        memcpy(base + v->at, &text, sizeof text);
        return EXIT_DONE;
    }
    if (v->kind == NUMBER) {
        if (mcx_dec_read(&n, v->max, mcx_bytes_str(text)) != MCX_OK) {
            fprintf(stderr, "mcx-gmsd: --%s wants a number up to %llu\n", v->name, (unsigned long long)v->max);
            return EXIT_USAGE;
        }
        memcpy(base + v->at, &n, sizeof n);
        return EXIT_DONE;
    }
    memcpy(&num, base + v->num_at, sizeof num);
    if (num == v->max) {
        fprintf(stderr, "mcx-gmsd: --%s stands too often\n", v->name);
        return EXIT_USAGE;
    }
    memcpy(base + v->at + num * sizeof text, &text, sizeof text);
    num++;
    memcpy(base + v->num_at, &num, sizeof num);
    return EXIT_DONE;
}

static int read_options(struct options *o, int argc, char **argv)
{
    struct option longopts[NUM_VALUES + 3] = { { 0 } };
    int c = 0;

    for (size_t i = 0; i < NUM_VALUES; i++) {
        longopts[i] = (struct option){ values[i].name, required_argument, NULL, (int)i + 256 };
    }
    longopts[NUM_VALUES] = (struct option){ "json", no_argument, NULL, OPT_JSON };
    longopts[NUM_VALUES + 1] = (struct option){ "sakke-to-self", no_argument, NULL, OPT_SELF };
    while ((c = getopt_long(argc, argv, "t", longopts, NULL)) != -1) {
        if (c == 't') {
            o->check_only = true;
        } else if (c == OPT_JSON) {
            o->json = true;
        } else if (c == OPT_SELF) {
            o->sakke_to_self = true;
        } else if (c < 256 || take_value(o, &values[c - 256], optarg) != EXIT_DONE) {
            return usage_error("wrong option");
        }
    }
    for (; optind < argc; optind++) {
        if (o->num_words == MAX_WORDS) {
            return usage_error("too many arguments");
        }
        o->word[o->num_words++] = argv[optind];
    }
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct options o = { .fetch_window = DEFAULT_FETCH_WINDOW,
                         .urgent_window = DEFAULT_URGENT_WINDOW,
                         .key_lifetime = DEFAULT_LIFETIME,
                         .rekey_every = DEFAULT_REKEY,
                         .refusals = DEFAULT_REFUSALS,
                         .connections = DEFAULT_CONNECTIONS,
                         .connections_per_peer = DEFAULT_PER_PEER,
                         .admin_scope = DEFAULT_ADMIN_SCOPE,
                         .token_skew = MCX_TOKEN_SKEW_S };

    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("mcx-gmsd " MCX_VERSION);
        return EXIT_DONE;
    }
    (void)umask(077);
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        int rc = EXIT_DONE;

        if (strcmp(argv[1], commands[i].name) != 0) {
            continue;
        }
        if (argc > 2 && strcmp(argv[2], "--help") == 0) {
            usage(stdout);
            return EXIT_DONE;
        }
        rc = read_options(&o, argc - 1, argv + 1);
        rc = rc == EXIT_DONE ? harden() : rc;
        return rc == EXIT_DONE ? commands[i].run(&o) : rc;
    }
    return usage_error("no such command");
}
