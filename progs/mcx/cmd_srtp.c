/* SPDX-License-Identifier: Apache-2.0 */
/* mcx srtp: protects and opens single packets, for laboratories. */
#include "mcx/cmd.h"

#include <mcx/group_media.h>
#include <mcx/rtp.h>
#include <mcx/srtp.h>
#include <mcx/text.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MAX  65535
#define NUM_SENDERS 64

static const char help[] =
    "usage: mcx srtp protect|unprotect --master-key HEX --master-salt HEX [--mki HEX] [--roc N] [--rcc]\n"
    "                                  [--rtcp] [--index N] [--json]\n"
    "       mcx srtp protect --gmk HEX --gmk-id HEX --rand HEX --user URI|--guk-id HEX [--roc N] [--rcc]\n"
    "                                  [--rtcp] [--index N] [--json]\n"
    "       mcx srtp unprotect --gmk HEX --gmk-id HEX --rand HEX [--rcc] [--json]\n"
    "\n"
    "Reads packets from standard input, one a line in hex, and prints one line for each: the packet that came out,\n"
    "or 'error: NAME'. Empty lines are skipped. AEAD_AES_128_GCM; several SSRCs may be mixed.\n"
    "  --master-key   16 octets   } for laboratories only: everybody on the machine can read the arguments of a\n"
    "  --master-salt  12 octets   } program. 'mcx mikey open' prints both.\n"
    "  --gmk          16 octets   } of a group; the key of each speaker is derived from his GUK-ID, which is in the\n"
    "                             } packets that are opened\n"
    "  --gmk-id       4 octets    }\n"
    "  --rand         16 octets   }\n"
    "  --user URI     MCPTT ID of the speaker, whose GUK-ID is derived from it and the GMK\n"
    "  --guk-id       4 octets, in place of --user\n"
    "  --mki          4 or 8 octets, as in the packets\n"
    "  --roc N        roll-over counter of the first packet\n"
    "  --rcc          every packet ends with the roll-over counter (RFC 4771, RCCm3 with R = 1)\n"
    "  --rtcp         SRTCP instead of SRTP\n"
    "  --index N      index of the first SRTCP packet that is protected (0)\n"
    "  --json         one JSON object a line: status \"ok\" and packet, and of a group guk_id and ssrc; or the error "
    "name,\n"
    "                 reason and clause\n"
    "Exit codes: 0 done, 1 a packet was refused, 2 usage, 3 environment.\n";

/* A sender protects one SSRC, so there is one for each that turns up. */
struct sender {
    uint32_t ssrc;
    struct mcx_srtp_tx *tx;
};

struct run {
    bool protect;
    bool rtcp;
    bool json;
    bool group;
    uint32_t roc;
    uint32_t index;
    struct mcx_srtp_master master;
    uint8_t mki[MCX_SRTP_MKI_MAX];
    struct mcx_srtp_params params;
    struct sender sender[NUM_SENDERS];
    size_t num_senders;
    struct mcx_srtp_rx *rx;
    struct mcx_imessage gmk; /* as one that brought it; its csb_id is the GUK-ID of who speaks */
    const char *user;
    struct mcx_group_keys *group_keys;
    struct mcx_group_rx *group_rx;
    struct mcx_group_speaker speaker; /* of the last packet */
};

static int usage_error(const char *what)
{
    fprintf(stderr, "mcx srtp: %s; 'mcx srtp --help' explains\n", what);
    return EXIT_USAGE;
}

static mcx_err read_u32(uint32_t *out, uint64_t max, const char *arg)
{
    uint64_t v = 0;

    MCX_TRY(mcx_dec_read(&v, max, mcx_bytes_str(arg)));
    *out = (uint32_t)v;
    return MCX_OK;
}

/* The secret leaves the list of processes as soon as it has been read. */
static mcx_err read_secret(uint8_t *out, size_t len, char *arg)
{
    mcx_err err = mcx_hex_read_exact(out, len, mcx_bytes_str(arg));

    mcx_wipe(arg, strlen(arg));
    return err;
}

enum {
    OPT_KEY = 1,
    OPT_SALT,
    OPT_MKI,
    OPT_ROC,
    OPT_RCC,
    OPT_RTCP,
    OPT_INDEX,
    OPT_JSON,
    OPT_GMK,
    OPT_GMK_ID,
    OPT_RAND,
    OPT_USER,
    OPT_GUK_ID
};
#define GROUP_KEY     (1u << OPT_GMK | 1u << OPT_GMK_ID | 1u << OPT_RAND)
#define GROUP_SPEAKER (1u << OPT_USER | 1u << OPT_GUK_ID)
#define GROUP_MORE    (1u << OPT_RCC | 1u << OPT_JSON)
#define GROUP_SPEAKS  (GROUP_MORE | 1u << OPT_ROC | 1u << OPT_RTCP | 1u << OPT_INDEX)

static mcx_err read_id(uint32_t *out, const char *arg)
{
    uint8_t id[4] = { 0 };
    struct mcx_rd rd = mcx_rd(mcx_bytes(id, sizeof id));

    MCX_TRY(mcx_hex_read_exact(id, sizeof id, mcx_bytes_str(arg)));
    return mcx_rd_u32(&rd, out);
}

static int read_opt(struct run *run, int opt, unsigned *seen)
{
    mcx_err err = MCX_OK;

    *seen |= 1u << opt;
    switch (opt) {
    case OPT_KEY: err = read_secret(run->master.key.octet, sizeof run->master.key.octet, optarg); break;
    case OPT_SALT: err = read_secret(run->master.salt, sizeof run->master.salt, optarg); break;
    case OPT_MKI: err = mcx_hex_read(run->mki, sizeof run->mki, &run->params.mki.len, mcx_bytes_str(optarg)); break;
    case OPT_ROC: err = read_u32(&run->roc, UINT32_MAX, optarg); break;
    case OPT_RCC: run->params.roc_rate = 1; break;
    case OPT_RTCP: run->rtcp = true; break;
    case OPT_INDEX: err = read_u32(&run->index, INT32_MAX, optarg); break;
    case OPT_JSON: run->json = true; break;
    case OPT_GMK: err = read_secret(run->gmk.key.octet, sizeof run->gmk.key.octet, optarg); break;
    case OPT_GMK_ID: err = read_id(&run->gmk.key_id, optarg); break;
    case OPT_USER: run->user = optarg; break;
    case OPT_GUK_ID: err = read_id(&run->gmk.csb_id, optarg); break;
    case OPT_RAND: err = mcx_hex_read_exact(run->gmk.rand, MCX_RAND_LEN, mcx_bytes_str(optarg)); break;
    default: return EXIT_USAGE;
    }
    return err == MCX_OK ? EXIT_DONE : EXIT_USAGE;
}

/* The three of the key, of a speaker one more, and nothing else but what may be added. */
static int group_opts_check(const struct run *run, unsigned seen)
{
    unsigned speaker = seen & GROUP_SPEAKER;
    bool one = speaker != 0 && (speaker & (speaker - 1)) == 0;
    unsigned may = run->protect ? GROUP_KEY | GROUP_SPEAKER | GROUP_SPEAKS : GROUP_KEY | GROUP_MORE;

    if ((seen & GROUP_KEY) != GROUP_KEY || (seen & ~may) != 0 || run->protect != one) {
        return usage_error("--gmk, --gmk-id and --rand go together: to protect with --user or --guk-id, to unprotect "
                           "with --rcc and --json alone");
    }
    return EXIT_DONE;
}

static int read_opts(struct run *run, int argc, char **argv)
{
    static const struct option longopts[] = {
        { "master-key", required_argument, NULL, OPT_KEY },
        { "master-salt", required_argument, NULL, OPT_SALT },
        { "mki", required_argument, NULL, OPT_MKI },
        { "roc", required_argument, NULL, OPT_ROC },
        { "rcc", no_argument, NULL, OPT_RCC },
        { "rtcp", no_argument, NULL, OPT_RTCP },
        { "index", required_argument, NULL, OPT_INDEX },
        { "json", no_argument, NULL, OPT_JSON },
        { "gmk", required_argument, NULL, OPT_GMK },
        { "gmk-id", required_argument, NULL, OPT_GMK_ID },
        { "rand", required_argument, NULL, OPT_RAND },
        { "user", required_argument, NULL, OPT_USER },
        { "guk-id", required_argument, NULL, OPT_GUK_ID },
        { NULL, 0, NULL, 0 },
    };
    unsigned seen = 0;
    int opt = 0;

    run->params.master = &run->master;
    run->params.mki.p = run->mki;
    while ((opt = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
        if (read_opt(run, opt, &seen) != EXIT_DONE) {
            return usage_error("an option or its value is wrong");
        }
    }
    if (optind != argc) {
        return usage_error("packets come from standard input, not as arguments");
    }
    run->group = (seen & (GROUP_KEY | GROUP_SPEAKER)) != 0;
    if (run->group) {
        return group_opts_check(run, seen);
    }
    if ((seen & 1u << OPT_KEY) == 0 || (seen & 1u << OPT_SALT) == 0) {
        return usage_error("--master-key and --master-salt are needed");
    }
    return EXIT_DONE;
}

/* SSRC of a packet; 0 for one that is too short, which the codec then refuses. */
static uint32_t ssrc_of(bool rtcp, struct mcx_bytes packet)
{
    struct mcx_rd rd = mcx_rd(packet);
    struct mcx_bytes skipped;
    uint32_t ssrc = 0;

    if (mcx_rd_take(&rd, rtcp ? 4 : 8, &skipped) != MCX_OK || mcx_rd_u32(&rd, &ssrc) != MCX_OK) {
        return 0;
    }
    return ssrc;
}

static mcx_err find_sender(struct mcx_srtp_tx **out, struct run *run, uint32_t ssrc)
{
    struct sender *s = &run->sender[run->num_senders];

    for (size_t i = 0; i < run->num_senders; i++) {
        if (run->sender[i].ssrc == ssrc) {
            *out = run->sender[i].tx;
            return MCX_OK;
        }
    }
    if (run->num_senders == NUM_SENDERS) {
        return MCX_E_POLICY;
    }
    MCX_TRY(mcx_srtp_tx_new(&s->tx, &run->params));
    s->ssrc = ssrc;
    run->num_senders++;
    MCX_TRY(mcx_srtp_tx_set_roc(s->tx, run->roc));
    MCX_TRY(mcx_srtp_tx_set_rtcp_index(s->tx, run->index));
    *out = s->tx;
    return MCX_OK;
}

static mcx_err convert(struct mcx_wr *out, struct run *run, struct mcx_bytes packet, struct mcx_refusal *why)
{
    struct mcx_srtp_tx *tx = NULL;

    if (run->group && !run->protect) {
        return mcx_group_rx_open(run->group_rx, out, &run->speaker, packet, run->gmk.time, why);
    }
    if (!run->protect) {
        return run->rtcp ? mcx_srtcp_unprotect(run->rx, out, packet, why)
                         : mcx_srtp_unprotect(run->rx, out, packet, why);
    }
    (void)mcx_refuse(why, MCX_OK, "the packet cannot be protected", "");
    MCX_TRY(find_sender(&tx, run, ssrc_of(run->rtcp, packet)));
    return run->rtcp ? mcx_srtcp_protect(tx, out, packet) : mcx_srtp_protect(tx, out, packet);
}

static void print_result(const struct run *run, mcx_err err, const char *hex, const struct mcx_refusal *why)
{
    if (run->json && err == MCX_OK && run->group && !run->protect) {
        printf("{\"status\":\"ok\",\"packet\":\"%s\",\"guk_id\":\"%08" PRIx32 "\",\"ssrc\":\"%08" PRIx32 "\"}\n", hex,
               run->speaker.guk_id, run->speaker.ssrc);
    } else if (run->json && err == MCX_OK) {
        printf("{\"status\":\"ok\",\"packet\":\"%s\"}\n", hex);
    } else if (run->json) {
        printf("{\"status\":\"%s\",\"reason\":\"%s\",\"clause\":\"%s\"}\n", mcx_err_name(err), why->reason,
               why->clause);
    } else if (err == MCX_OK) {
        puts(hex);
    } else {
        printf("error: %s\n", mcx_err_name(err));
    }
}

static mcx_err one_line(struct run *run, const char *line)
{
    static uint8_t in[PACKET_MAX];
    static uint8_t out[PACKET_MAX + MCX_SRTP_OVERHEAD_MAX];
    static char hex[2 * sizeof out + 1];
    struct mcx_wr wr = mcx_wr(out, sizeof out);
    struct mcx_refusal why = { "the line is not a packet in hex", "" };
    size_t len = 0;
    mcx_err err = mcx_hex_read(in, sizeof in, &len, mcx_bytes_trim(mcx_bytes_str(line)));

    if (err == MCX_OK) {
        err = convert(&wr, run, mcx_bytes(in, len), &why);
    }
    if (err == MCX_OK) {
        err = mcx_hex_write(hex, sizeof hex, mcx_wr_done(&wr));
    }
    print_result(run, err, hex, &why);
    return err;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

static int all_lines(struct run *run)
{
    static char line[2 * PACKET_MAX + 4];
    int code = EXIT_DONE;

    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strchr(line, '\n') == NULL && !feof(stdin)) {
            fputs("mcx srtp: a line is longer than any packet\n", stderr);
            return EXIT_REFUSED;
        }
        if (!is_blank(line) && one_line(run, line) != MCX_OK) {
            code = EXIT_REFUSED;
        }
    }
    if (ferror(stdin) || fflush(stdout) != 0) {
        perror("mcx srtp");
        return EXIT_ENVIRONMENT;
    }
    return code;
}

static void run_clear(struct run *run)
{
    for (size_t i = 0; i < run->num_senders; i++) {
        mcx_srtp_tx_free(run->sender[i].tx);
    }
    mcx_srtp_rx_free(run->rx);
    mcx_srtp_master_clear(&run->master);
    mcx_group_rx_free(run->group_rx);
    mcx_group_keys_free(run->group_keys);
    mcx_imessage_clear(&run->gmk);
}

/* A listener who got the GMK at any time, from anybody: no clock and no limits. */
static int listen_to_group(struct run *run)
{
    static const char anybody[] = "sip:laboratory";
    const struct mcx_group_rx_config config = { .max_speakers = 4096, .derivations_per_s = UINT32_MAX };
    enum mcx_group_key_change change;

    run->gmk.rand_len = MCX_RAND_LEN;
    run->gmk.rcc = run->params.roc_rate != 0;
    run->gmk.roc_rate = run->params.roc_rate;
    run->gmk.time = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    memcpy(run->gmk.initiator, anybody, sizeof anybody);
    memcpy(run->gmk.responder, anybody, sizeof anybody);
    if (mcx_group_keys_new(&run->group_keys) != MCX_OK ||
        mcx_group_keys_accept(run->group_keys, &change, &run->gmk, anybody, anybody, run->gmk.time, NULL) != MCX_OK ||
        mcx_group_rx_new(&run->group_rx, run->group_keys, anybody, &config) != MCX_OK) {
        return EXIT_ENVIRONMENT;
    }
    return all_lines(run);
}

static int with_master_key(struct run *run)
{
    mcx_err err = mcx_srtp_rx_new(&run->rx, &run->params, MCX_SRTP_SSRC_MAX);

    if (err != MCX_OK) {
        return err == MCX_E_ARG ? usage_error("the MKI has 4 or 8 octets") : EXIT_ENVIRONMENT;
    }
    mcx_srtp_rx_set_roc(run->rx, run->roc);
    return all_lines(run);
}

/* MKI = GMK-ID || GUK-ID; the GUK-ID stands in the place of the CSB ID (TS 33.180 7.4.2, 7.5.1). */
static mcx_err speaker_key(struct run *run)
{
    struct mcx_wr wr = mcx_wr(run->mki, sizeof run->mki);

    if (run->user != NULL) {
        MCX_TRY(mcx_guk_id(&run->gmk.csb_id, run->gmk.key_id, &run->gmk.key, mcx_bytes_str(run->user)));
    }
    MCX_TRY(mcx_wr_u32(&wr, run->gmk.key_id));
    MCX_TRY(mcx_wr_u32(&wr, run->gmk.csb_id));
    run->params.mki = mcx_wr_done(&wr);
    return mcx_srtp_master_derive(&run->master, &run->gmk.key, mcx_cs_ids(MCX_KEY_GMK).id[0], run->gmk.csb_id,
                                  mcx_bytes(run->gmk.rand, MCX_RAND_LEN));
}

static int with_gmk(struct run *run)
{
    enum mcx_key_type type;

    if (mcx_key_id_type(&run->gmk.type, run->gmk.key_id) != MCX_OK || run->gmk.type != MCX_KEY_GMK) {
        return usage_error("the first digit of --gmk-id is 0");
    }
    if (!run->protect) {
        return listen_to_group(run);
    }
    if (run->user == NULL && (mcx_key_id_type(&type, run->gmk.csb_id) != MCX_OK || type != MCX_KEY_GMK)) {
        return usage_error("the first digit of --guk-id is that of the GMK-ID");
    }
    return speaker_key(run) == MCX_OK ? with_master_key(run) : EXIT_ENVIRONMENT;
}

int cmd_srtp(int argc, char **argv)
{
    struct run run = { 0 };
    int code;

    if (asks_help(argc, argv)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (argc < 2 || (strcmp(argv[1], "protect") != 0 && strcmp(argv[1], "unprotect") != 0)) {
        return usage_error("say protect or unprotect");
    }
    run.protect = strcmp(argv[1], "protect") == 0;
    code = read_opts(&run, argc - 1, argv + 1);
    if (code == EXIT_DONE) {
        code = run.group ? with_gmk(&run) : with_master_key(&run);
    }
    run_clear(&run);
    return code;
}
