/* SPDX-License-Identifier: Apache-2.0 */
/* mcx-kmsd: the key management server. One table of subcommands, one table of options. */
#include "mcx-kmsd/kmsd.h"

#include "io/token.h"
#include "kms/core.h"

#include <mcx/text.h>

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_PERIOD      2592000 /* 30 days, as in the examples of TS 33.180 D.3 */
#define DEFAULT_RATE        120
#define DEFAULT_REFUSALS    60
#define DEFAULT_CONNECTIONS 512
#define DEFAULT_PER_PEER    128

static const struct command {
    const char *name;
    int (*run)(const struct options *o);
    const char *help;
} commands[] = {
    { "init", cmd_init,
      "--dir DIR --kms-uri URI (--seal-key FILE | --seal-passphrase FILE) --domain D [--domain ...]\n"
      "           [--period S --offset S] [--cert-uri URI] [--issuer NAME]     make a KMS" },
    { "run", cmd_run,
      "--dir DIR (--seal-key FILE | --seal-passphrase FILE) --listen ADDR:PORT --tls-cert PEM --tls-key PEM\n"
      "           --jwks FILE [--token-iss I] [--token-aud A] [--token-scope S ...] [--token-skew S]\n"
      "           [--time-tolerance S] [--rate KEYSETS_PER_MINUTE_AND_USER]\n"
      "           [--refusals PER_MINUTE_AND_ADDRESS] [--connections N] [--connections-per-peer N]\n"
      "           [--user NAME] [--ready-file FILE] [-t]                       serve; -t only checks" },
    { "user", cmd_user,
      "add --dir DIR --user-uri URI --mcptt-id URI | list --dir DIR [--json] |\n"
      "           remove --dir DIR --user-uri URI                              users and their URIs" },
    { "server", cmd_server, "add --dir DIR --user-uri URI --mcptt-id URI [--kind server|gms]  servers are users too" },
    { "external", cmd_external, "add --dir DIR CERT.xml                                trust another KMS" },
    { "cert", cmd_cert, "--dir DIR                                             print the own KmsCertificate" },
    { "audit", cmd_audit, "list --dir DIR [--json]                               who was issued what" },
};
#define NUM_COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *f)
{
    fputs("usage: mcx-kmsd COMMAND [options]\n\n", f);
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].help);
    }
    fputs(
        "\nA seal key file holds 64 hex digits, a passphrase file a line of text; both have mode 0600.\n"
        "Exit codes: 0 done, 1 refused by a check, 2 usage, 3 environment. SIGTERM ends 'run' cleanly, SIGUSR1\n"
        "logs how many answers of each kind were given. 0 lifts the limit of --refusals and --connections-per-peer.\n",
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
    T("seal-key", seal_key),
    T("seal-passphrase", seal_passphrase),
    T("kms-uri", kms_uri),
    T("cert-uri", cert_uri),
    T("issuer", issuer),
    L("domain", domains, num_domains, MCX_KMSDOC_MAX_DOMAINS),
    N("period", period, UINT32_MAX),
    N("offset", offset, UINT32_MAX),
    T("listen", listen),
    T("tls-cert", tls_cert),
    T("tls-key", tls_key),
    T("jwks", jwks),
    T("token-iss", token_iss),
    T("token-aud", token_aud),
    L("token-scope", token_scopes, num_scopes, MAX_SCOPES),
    N("token-skew", token_skew, 3600),
    N("time-tolerance", time_tolerance, 3600),
    N("rate", rate, 1000000),
    N("refusals", refusals, 1000000),
    N("connections", connections, 65536),
    N("connections-per-peer", connections_per_peer, 65536),
    T("user", user),
    T("ready-file", ready_file),
    T("user-uri", user_uri),
    T("mcptt-id", mcptt_id),
    T("kind", kind),
};
#define NUM_VALUES (sizeof values / sizeof values[0])
#define OPT_JSON   (int)(NUM_VALUES + 256)

static int take_value(struct options *o, const struct value *v, const char *text)
{
    char *base = (char *)o;

    if (v->kind == TEXT) {
        memcpy(base + v->at, &text, sizeof text);
        return EXIT_DONE;
    }
    if (v->kind == NUMBER) {
        uint64_t n = 0;

        if (mcx_dec_read(&n, v->max, mcx_bytes_str(text)) != MCX_OK) {
            fprintf(stderr, "mcx-kmsd: --%s wants a number up to %llu\n", v->name, (unsigned long long)v->max);
            return EXIT_USAGE;
        }
        memcpy(base + v->at, &n, sizeof n);
        return EXIT_DONE;
    }
    size_t num = 0;

    memcpy(&num, base + v->num_at, sizeof num);
    if (num == v->max) {
        fprintf(stderr, "mcx-kmsd: --%s stands too often\n", v->name);
        return EXIT_USAGE;
    }
    memcpy(base + v->at + num * sizeof text, &text, sizeof text);
    num++;
    memcpy(base + v->num_at, &num, sizeof num);
    return EXIT_DONE;
}

static int read_options(struct options *o, int argc, char **argv)
{
    struct option longopts[NUM_VALUES + 2] = { { 0 } };
    int c = 0;

    for (size_t i = 0; i < NUM_VALUES; i++) {
        longopts[i] = (struct option){ values[i].name, required_argument, NULL, (int)i + 256 };
    }
    longopts[NUM_VALUES] = (struct option){ "json", no_argument, NULL, OPT_JSON };
    while ((c = getopt_long(argc, argv, "t", longopts, NULL)) != -1) {
        if (c == 't') {
            o->check_only = true;
        } else if (c == OPT_JSON) {
            o->json = true;
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
    struct options o = { .period = DEFAULT_PERIOD,
                         .rate = DEFAULT_RATE,
                         .refusals = DEFAULT_REFUSALS,
                         .connections = DEFAULT_CONNECTIONS,
                         .connections_per_peer = DEFAULT_PER_PEER,
                         .token_skew = MCX_TOKEN_SKEW_S,
                         .time_tolerance = MCX_KMS_TIME_TOLERANCE_S };

    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("mcx-kmsd " MCX_VERSION);
        return EXIT_DONE;
    }
    (void)umask(077);
    for (size_t i = 0; i < NUM_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) {
            continue;
        }
        if (argc > 2 && strcmp(argv[2], "--help") == 0) {
            usage(stdout);
            return EXIT_DONE;
        }
        int rc = read_options(&o, argc - 1, argv + 1);

        rc = rc == EXIT_DONE ? harden() : rc;
        return rc == EXIT_DONE ? commands[i].run(&o) : rc;
    }
    return usage_error("no such command");
}
