/* SPDX-License-Identifier: Apache-2.0 */
/* mcx floor inspect: floor control and pre-established session messages, field by field, for laboratories. */
#include "mcx/cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <mcx/control.h>
#include <mcx/floor_msg.h>
#include <mcx/text.h>

#define PACKET_MAX  65535
#define MEANING_MAX 600
#define HEAD_LEN    12

static const char help[] =
    "usage: mcx floor inspect [--csk HEX --csk-id HEX --rand HEX] [--json]\n"
    "\n"
    "Explains messages of the names MCPT and MCPC (TS 24.380 8.2, 8.3). Reads datagrams from standard input, one a\n"
    "line in hex; empty lines are skipped. Without a key a line is one message in clear; with one it is one or more\n"
    "messages protected as SRTCP under it.\n"
    "  --csk     16 octets   } for laboratories only: everybody on the machine can read the arguments of a program.\n"
    "  --csk-id  4 octets    } 'mcx mikey open' prints all three as key, key_id and rand. An SPK is given in the\n"
    "  --rand    16 octets   } same way.\n"
    "  --json    one JSON object a message: status \"ok\", name, message, clause, ack_wanted, ssrc and fields (each\n"
    "            with id, field, octets, meaning, clause); or the error name, reason and clause\n"
    "Exit codes: 0 done, 1 a message was refused, 2 usage, 3 environment.\n";

struct run {
    bool json;
    struct mcx_control_key key;
    struct mcx_control *control; /* NULL = messages in clear */
};

static int usage_error(const char *what)
{
    fprintf(stderr, "mcx floor: %s; 'mcx floor --help' explains\n", what);
    return EXIT_USAGE;
}

/* ---- what a field means ---- */

static const struct {
    uint16_t bit;
    const char *word;
} indicators[] = {
    { MCX_FI_NORMAL, "normal" },       { MCX_FI_BROADCAST, "broadcast group" }, { MCX_FI_SYSTEM, "system" },
    { MCX_FI_EMERGENCY, "emergency" }, { MCX_FI_IMMINENT, "imminent peril" },   { MCX_FI_QUEUEING, "queueing" },
    { MCX_FI_DUAL, "dual floor" },     { MCX_FI_TEMPORARY, "temporary group" }, { MCX_FI_MULTI, "multi-talker" },
};

static void indicator_text(char *out, size_t cap, uint16_t value)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof indicators / sizeof indicators[0]; i++) {
        if ((value & indicators[i].bit) != 0) {
            len += (size_t)snprintf(out + len, cap - len, "%s%s", len > 0 ? ", " : "", indicators[i].word);
        }
    }
}

static void position_text(char *out, size_t cap, uint8_t position, uint8_t priority)
{
    if (position == MCX_QUEUE_NOT_QUEUED) {
        (void)snprintf(out, cap, "not queued");
    } else if (position == MCX_QUEUE_UNKNOWN) {
        (void)snprintf(out, cap, "position not known or not disclosed, priority %u", priority);
    } else {
        (void)snprintf(out, cap, "position %u, priority %u", position, priority);
    }
}

/* Values of one or two numbers; text and structures are shown as octets or as text by the caller. */
static bool floor_meaning(char *out, size_t cap, const struct mcx_floor_msg *msg, unsigned id, struct mcx_bytes v)
{
    static const char *const sources[] = { "floor participant", "participating function", "controlling function",
                                           "non-controlling function" };

    switch (id) {
    case MCX_FF_PRIORITY: (void)snprintf(out, cap, "%u", v.p[0]); return true;
    case MCX_FF_DURATION: (void)snprintf(out, cap, "%u s", msg->duration); return true;
    case MCX_FF_CAUSE:
        (void)snprintf(out, cap, "%u: %s%s%.*s", msg->cause,
                       msg->type == MCX_FLOOR_REVOKE ? mcx_floor_revoke_text(msg->cause)
                                                     : mcx_floor_deny_text(msg->cause),
                       msg->cause_text.len > 0 ? "; " : "", (int)msg->cause_text.len,
                       msg->cause_text.len > 0 ? (const char *)msg->cause_text.p : "");
        return true;
    case MCX_FF_QUEUE_INFO: position_text(out, cap, v.p[0], v.p[1]); return true;
    case MCX_FF_PERMISSION:
        (void)snprintf(out, cap, "%s", msg->permission != 0 ? "the floor may be requested" : "may not be requested");
        return true;
    case MCX_FF_SOURCE: (void)snprintf(out, cap, "%s", msg->source < 4 ? sources[msg->source] : "unknown"); return true;
    case MCX_FF_MESSAGE_TYPE: {
        const char *name = mcx_floor_type_name(msg->acked_type);

        (void)snprintf(out, cap, "acknowledges %s", name != NULL ? name : "an unknown message");
        return true;
    }
    case MCX_FF_INDICATOR: indicator_text(out, cap, msg->indicator); return true;
    default: return false;
    }
}

static bool mcpc_meaning(char *out, size_t cap, const struct mcx_mcpc_msg *msg, unsigned id)
{
    switch (id) {
    case MCX_PF_MEDIA_STREAMS:
        (void)snprintf(out, cap, "media line %u, control line %u", msg->media_line, msg->control_line);
        return true;
    case MCX_PF_SESSION:
        (void)snprintf(out, cap, "type %u, %.*s", (unsigned)msg->session_type, (int)msg->session.len,
                       (const char *)msg->session.p);
        return true;
    case MCX_PF_ANSWER_STATE:
        (void)snprintf(out, cap, "%s", msg->answer_state != 0 ? "confirmed" : "unconfirmed");
        return true;
    default: return false;
    }
}

/* Numbers and text when nothing better is known. */
static void plain_meaning(char *out, size_t cap, struct mcx_bytes v)
{
    bool printable = v.len > 2 && mcx_utf8_ok(v);

    for (size_t i = 0; printable && i < v.len; i++) {
        printable = v.p[i] >= ' ' && v.p[i] != 0x7f;
    }
    out[0] = '\0';
    if (v.len == 2) {
        (void)snprintf(out, cap, "%u", (unsigned)(v.p[0] << 8 | v.p[1]));
    } else if (printable && v.len < cap) {
        (void)snprintf(out, cap, "%.*s", (int)v.len, (const char *)v.p);
    }
}

/* ---- one message ---- */

struct message {
    bool mcpc;
    struct mcx_floor_msg floor;
    struct mcx_mcpc_msg session;
};

static mcx_err message_read(struct message *out, struct mcx_bytes packet, struct mcx_refusal *why)
{
    struct mcx_bytes name = { 0 };

    out->mcpc = mcx_app_name(&name, packet) == MCX_OK && mcx_bytes_is(name, "MCPC");
    return out->mcpc ? mcx_mcpc_read(&out->session, packet, why) : mcx_floor_read(&out->floor, packet, why);
}

static json_t *hex_of(struct mcx_bytes b)
{
    static char hex[2 * PACKET_MAX + 1];

    return mcx_hex_write(hex, sizeof hex, b) == MCX_OK ? json_string(hex) : NULL;
}

static json_t *field_of(const struct message *m, const struct mcx_app_field *f)
{
    const struct mcx_app_field_info *info = m->mcpc ? mcx_mcpc_field_info(f->id) : mcx_floor_field_info(f->id);
    bool taken =
        m->mcpc || f->id > 31 || (mcx_floor_type_fields(m->floor.type) & MCX_FF(f->id)) != 0 || m->floor.num_queued > 0;
    char text[MEANING_MAX];

    if (info == NULL || !taken ||
        !(m->mcpc ? mcpc_meaning(text, sizeof text, &m->session, f->id)
                  : floor_meaning(text, sizeof text, &m->floor, f->id, f->value))) {
        plain_meaning(text, sizeof text, f->value);
    }
    return json_pack("{s:i, s:s, s:o, s:s, s:s}", "id", (int)f->id, "field",
                     info == NULL ? "unknown field, stepped over"
                                  : (taken ? info->name : "field of another message, stepped over"),
                     "octets", hex_of(f->value), "meaning", text, "clause", info != NULL ? info->clause : "");
}

static json_t *fields_of(const struct message *m, struct mcx_bytes packet)
{
    json_t *fields = json_array();
    struct mcx_rd rd = mcx_rd(packet);
    struct mcx_bytes head;
    struct mcx_app_field f;

    if (mcx_rd_take(&rd, HEAD_LEN, &head) == MCX_OK) {
        while (rd.len > 0 && mcx_app_field_next(&f, &rd) == MCX_OK) {
            json_array_append_new(fields, field_of(m, &f));
        }
    }
    return fields;
}

static json_t *explain(const struct message *m, struct mcx_bytes packet)
{
    char ssrc[9];

    (void)snprintf(ssrc, sizeof ssrc, "%08" PRIx32, m->mcpc ? m->session.ssrc : m->floor.ssrc);
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:o}", "status", "ok", "name", m->mcpc ? "MCPC" : "MCPT",
                     "message", m->mcpc ? mcx_mcpc_type_name(m->session.type) : mcx_floor_type_name(m->floor.type),
                     "clause", m->mcpc ? mcx_mcpc_type_clause(m->session.type) : mcx_floor_type_clause(m->floor.type),
                     "ack_wanted", m->mcpc ? m->session.ack_wanted : m->floor.ack_wanted, "ssrc", ssrc, "fields",
                     fields_of(m, packet));
}

static const char *text_in(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s != NULL ? s : "";
}

static void print_plain(const json_t *o)
{
    size_t i;
    json_t *f;

    printf("%s %s, SSRC %s%s  (%s)\n", text_in(o, "name"), text_in(o, "message"), text_in(o, "ssrc"),
           json_is_true(json_object_get(o, "ack_wanted")) ? ", wants an acknowledgement" : "", text_in(o, "clause"));
    json_array_foreach(json_object_get(o, "fields"), i, f)
    {
        printf("  %3d  %-34s %s", (int)json_integer_value(json_object_get(f, "id")), text_in(f, "field"),
               text_in(f, "octets"));
        printf(text_in(f, "meaning")[0] != '\0' ? "  %s" : "%s", text_in(f, "meaning"));
        printf("  (%s)\n", text_in(f, "clause"));
    }
}

static void print_object(const struct run *run, const json_t *o)
{
    if (run->json) {
        (void)json_dumpf(o, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else {
        print_plain(o);
    }
}

static mcx_err refused(const struct run *run, mcx_err err, const struct mcx_refusal *why)
{
    if (run->json) {
        printf("{\"status\":\"%s\",\"reason\":\"%s\",\"clause\":\"%s\"}\n", mcx_err_name(err), why->reason,
               why->clause);
    } else {
        printf("error: %s: %s%s%s%s\n", mcx_err_name(err), why->reason, why->clause[0] != '\0' ? " (" : "", why->clause,
               why->clause[0] != '\0' ? ")" : "");
    }
    return err;
}

static mcx_err one_message(const struct run *run, struct mcx_bytes packet)
{
    struct message m = { 0 };
    struct mcx_refusal why = { "", "" };
    mcx_err err = message_read(&m, packet, &why);
    json_t *o;

    if (err != MCX_OK) {
        return refused(run, err, &why);
    }
    o = explain(&m, packet);
    if (o == NULL) {
        return MCX_E_NOMEM;
    }
    print_object(run, o);
    json_decref(o);
    return MCX_OK;
}

/* Several protected messages may share a datagram (TS 24.380 8.1.1). */
static mcx_err datagram(const struct run *run, struct mcx_bytes in)
{
    static uint8_t plain[PACKET_MAX];
    struct mcx_rd rd = mcx_rd(in);
    mcx_err result = MCX_OK;

    if (run->control == NULL) {
        return one_message(run, in);
    }
    do {
        struct mcx_wr wr = mcx_wr(plain, sizeof plain);
        struct mcx_refusal why = { "", "" };
        mcx_err err = mcx_control_take(run->control, &wr, &rd, &why);

        err = err == MCX_OK ? one_message(run, mcx_wr_done(&wr)) : refused(run, err, &why);
        result = err != MCX_OK ? err : result;
        if (err == MCX_E_TRUNC) {
            break; /* no end, no next one */
        }
    } while (rd.len > 0);
    return result;
}

static mcx_err one_line(const struct run *run, const char *line)
{
    static uint8_t in[PACKET_MAX];
    const struct mcx_refusal no_hex = { "the line is not a datagram in hex", "" };
    size_t len = 0;
    mcx_err err = mcx_hex_read(in, sizeof in, &len, mcx_bytes_trim(mcx_bytes_str(line)));

    return err == MCX_OK ? datagram(run, mcx_bytes(in, len)) : refused(run, err, &no_hex);
}

static int all_lines(const struct run *run)
{
    static char line[2 * PACKET_MAX + 4];
    int code = EXIT_DONE;

    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strchr(line, '\n') == NULL && !feof(stdin)) {
            fputs("mcx floor: a line is longer than any datagram\n", stderr);
            return EXIT_REFUSED;
        }
        if (line[strspn(line, " \t\r\n")] != '\0' && one_line(run, line) != MCX_OK) {
            code = EXIT_REFUSED;
        }
    }
    if (ferror(stdin) || fflush(stdout) != 0) {
        perror("mcx floor");
        return EXIT_ENVIRONMENT;
    }
    return code;
}

/* ---- options ---- */

enum { OPT_CSK = 1, OPT_CSK_ID, OPT_RAND, OPT_JSON };
#define KEY_OPTS (1u << OPT_CSK | 1u << OPT_CSK_ID | 1u << OPT_RAND)

/* The secret leaves the list of processes as soon as it has been read. */
static mcx_err read_secret(uint8_t *out, size_t len, char *arg)
{
    mcx_err err = mcx_hex_read_exact(out, len, mcx_bytes_str(arg));

    mcx_wipe(arg, strlen(arg));
    return err;
}

static mcx_err read_id(uint32_t *out, const char *arg)
{
    uint8_t id[4] = { 0 };
    struct mcx_rd rd = mcx_rd(mcx_bytes(id, sizeof id));

    MCX_TRY(mcx_hex_read_exact(id, sizeof id, mcx_bytes_str(arg)));
    return mcx_rd_u32(&rd, out);
}

static mcx_err read_opt(struct run *run, int opt)
{
    switch (opt) {
    case OPT_CSK: return read_secret(run->key.key.octet, sizeof run->key.key.octet, optarg);
    case OPT_CSK_ID: return read_id(&run->key.key_id, optarg);
    case OPT_RAND: return mcx_hex_read_exact(run->key.rand, MCX_RAND_LEN, mcx_bytes_str(optarg));
    case OPT_JSON: run->json = true; return MCX_OK;
    default: return MCX_E_ARG;
    }
}

static int open_control(struct run *run)
{
    struct mcx_rng rng = mcx_rng_system();

    run->key.type = MCX_KEY_CSK; /* an SPK has the same CS-ID */
    run->key.rand_len = MCX_RAND_LEN;
    return mcx_control_new(&run->control, &run->key, MCX_SRTP_SSRC_MAX, &rng) == MCX_OK ? EXIT_DONE : EXIT_ENVIRONMENT;
}

static int read_opts(struct run *run, int argc, char **argv)
{
    static const struct option longopts[] = {
        { "csk", required_argument, NULL, OPT_CSK },
        { "csk-id", required_argument, NULL, OPT_CSK_ID },
        { "rand", required_argument, NULL, OPT_RAND },
        { "json", no_argument, NULL, OPT_JSON },
        { NULL, 0, NULL, 0 },
    };
    unsigned seen = 0;
    int opt = 0;

    while ((opt = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
        if (read_opt(run, opt) != MCX_OK) {
            return usage_error("an option or its value is wrong");
        }
        seen |= 1u << opt;
    }
    if (optind != argc) {
        return usage_error("messages come from standard input, not as arguments");
    }
    if ((seen & KEY_OPTS) == 0) {
        return EXIT_DONE;
    }
    return (seen & KEY_OPTS) == KEY_OPTS ? open_control(run) : usage_error("--csk, --csk-id and --rand go together");
}

int cmd_floor(int argc, char **argv)
{
    struct run run = { 0 };
    int code;

    if (asks_help(argc, argv)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    if (argc < 2 || strcmp(argv[1], "inspect") != 0) {
        return usage_error("say inspect");
    }
    code = read_opts(&run, argc - 1, argv + 1);
    if (code == EXIT_DONE) {
        code = all_lines(&run);
    }
    mcx_control_free(run.control);
    mcx_control_key_clear(&run.key);
    return code;
}
