/* SPDX-License-Identifier: Apache-2.0 */
/* mcx uid: the UID that ECCSI and SAKKE know a user by (TS 33.180 F.2.1). */
#include "mcx/cmd.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <mcx/text.h>

#include "ident/ident_internal.h"

static void usage(FILE *f)
{
    fputs("usage: mcx uid --user URI --kms URI --period SECONDS --offset SECONDS --period-no N [--json]\n\n"
          "Prints the UID of a user under a KMS in one key period, 64 hex digits (TS 33.180 F.2.1).\n"
          "The URIs are hashed octet for octet: case, scheme and port count.\n\n"
          "  --user URI        UserUri of the key set: \"sip:user@example.org\"\n"
          "  --kms URI         KmsUri of the certificate: \"kms.example.org\"\n"
          "  --period SECONDS  UserKeyPeriod\n"
          "  --offset SECONDS  UserKeyOffset\n"
          "  --period-no N     KeyPeriodNo: (NTP seconds - offset) / period, rounded down\n"
          "  --json            one JSON object\n\n"
          "Exit codes: 0 done, 2 usage, 3 environment.\n",
          f);
}

struct args {
    const char *user;
    const char *kms;
    struct mcx_key_period period;
    uint64_t no;
    bool json;
};

static int print_uid(const struct args *a)
{
    uint8_t uid[MCX_UID_LEN];
    char text[2 * MCX_UID_LEN + 1];
    mcx_err err = mcx_uid_hash(uid, mcx_bytes_str(a->user), mcx_bytes_str(a->kms), &a->period, a->no);

    if (err == MCX_E_ARG) {
        fputs("mcx uid: a URI is empty or longer than 65535 octets\n", stderr);
        return EXIT_USAGE;
    }
    if (err != MCX_OK || mcx_hex_write(text, sizeof text, mcx_bytes(uid, sizeof uid)) != MCX_OK) {
        fprintf(stderr, "mcx uid: %s\n", mcx_err_name(err));
        return EXIT_ENVIRONMENT;
    }
    if (a->period.offset >= a->period.length) { /* published test values do so */
        fputs("mcx uid: warning: no KMS may use an offset that is not less than its period (TS 33.180 F.2.1.1)\n",
              stderr);
    }
    printf(a->json ? "{\"uid\":\"%s\"}\n" : "%s\n", text);
    return EXIT_DONE;
}

/* One option that is a number. */
static bool number(uint64_t *out, const char *name, const char *text)
{
    if (text == NULL || mcx_dec_read(out, UINT64_MAX, mcx_bytes_str(text)) != MCX_OK) {
        fprintf(stderr, "mcx uid: %s takes a decimal number; 'mcx uid --help' explains\n", name);
        return false;
    }
    return true;
}

int cmd_uid(int argc, char **argv)
{
    static const struct option options[] = {
        { "user", required_argument, NULL, 'u' },
        { "kms", required_argument, NULL, 'k' },
        { "period", required_argument, NULL, 'p' },
        { "offset", required_argument, NULL, 'o' },
        { "period-no", required_argument, NULL, 'n' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct args a = { 0 };
    const char *period = NULL;
    const char *offset = NULL;
    const char *no = NULL;
    int c = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'u': a.user = optarg; break;
        case 'k': a.kms = optarg; break;
        case 'p': period = optarg; break;
        case 'o': offset = optarg; break;
        case 'n': no = optarg; break;
        case 'j': a.json = true; break;
        case 'h': usage(stdout); return EXIT_DONE;
        default: usage(stderr); return EXIT_USAGE;
        }
    }
    if (optind != argc || a.user == NULL || a.kms == NULL) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!number(&a.period.length, "--period", period) || !number(&a.period.offset, "--offset", offset) ||
        !number(&a.no, "--period-no", no)) {
        return EXIT_USAGE;
    }
    if (a.period.length == 0) {
        fputs("mcx uid: --period is at least one second\n", stderr);
        return EXIT_USAGE;
    }
    return print_uid(&a);
}
