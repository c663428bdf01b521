/* SPDX-License-Identifier: Apache-2.0 */
/* Command line of mcx-ue. */
#define _GNU_SOURCE
#include "ue.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

static const char HELP[] =
    "usage: mcx-ue COMMAND --id URI --server URI --store FILE --store-key FILE [options]\n"
    "\n"
    "  register   register, report, de-register\n"
    "  call       register, call --to URI, end with the call\n"
    "  answer     register, wait for calls\n"
    "  group      register, take part in group calls as standard input says\n"
    "  fetch      fetch keys from the KMS into the store; wants no server\n"
    "  fetch-groups   fetch group keys from the GMS into their file; wants no server\n"
    "\n"
    "  --id URI              your MCPTT ID, sip:alice@mcptt.example.org\n"
    "  --server URI          sip:192.0.2.1:5060;transport=tcp (or tls, udp)\n"
    "  --server-id URI       identity of the server: it gets a key for your signalling with the registration\n"
    "  --store FILE          key store ('mcx kms fetch' fills it), --store-key FILE opens it\n"
    "  --kms-url URL         https://HOST:PORT: fetch keys when they are missing, and ahead of each period; needs\n"
    "  --kms-uri URI         name of that KMS,\n"
    "  --kms-ca FILE         PEM; who may vouch for it, and --token\n"
    "  --psi URI             where calls are sent (default: sip:mcptt@ and the host of the server)\n"
    "  --ca FILE             PEM; who may vouch for the server, with transport=tls\n"
    "  --token FILE          access token for server and KMS; read anew at each fetch\n"
    "  --bind ADDRESS        local address (default: the one that reaches the server)\n"
    "  --ready-file FILE     written when registered: one JSON object\n"
    "  --json                one JSON object a line instead of sentences\n"
    "\n"
    "  --to URI              call: whom\n"
    "  --mode MODE           call: auto (default), manual, force-auto\n"
    "  --no-floor            call: without floor control, which needs --server-id at both sides\n"
    "  --key-mgmt-level L    call: session (default) or audio: where the offer carries the I_MESSAGE\n"
    "  --savp                call: offer RTP/SAVP instead of RTP/AVP\n"
    "  --answer-timeout MS   call: cancel when nobody has answered by then (default 120000)\n"
    "  --auto | --manual     answer: at once (default), or ask the user where the caller allows it\n"
    "  --pre-established     answer: set up a session ahead, over which calls come at once; needs --server-id\n"
    "  --answer-after MS     answer: accept a manual call then, without asking\n"
    "  --reject              answer: decline manual calls (implies --manual)\n"
    "  --ring-timeout MS     answer: 480 when the user has not decided by then (default 60000)\n"
    "  --calls N             answer: end after N calls (default 1, 0 = go on until a signal)\n"
    "  --allow-clear         answer: take calls that are not protected; default: refuse them\n"
    "\n"
    "  --play IN.wav         what the microphone hears: 16 kHz, one channel, 16 bits\n"
    "  --record OUT.wav      what you hear\n"
    "  --hangup-after-play   end the call when IN.wav has been played, and nobody else speaks\n"
    "  --hangup-after MS     end the call so long after it was opened\n"
    "  --max-duration S      longest call\n"
    "\n"
    "  --group-keys FILE     group: keys of the groups (default: the store's name and .groups), under --store-key;\n"
    "                        'mcx group fetch' fills it; read again whenever it has changed\n"
    "  --gms-url URL         https://HOST:PORT: fetch keys and documents of the groups at the start; needs\n"
    "  --gms-uri URI         the group management server; nobody else's keys are taken\n"
    "  --gms-ca FILE         PEM; who may vouch for it\n"
    "  --group URI           a group to fetch for; several\n"
    "  --gms-token FILE      access token for it (default: --token)\n"
    "  --gms-sip URI         sip:HOST:PORT;transport=tcp: subscribe there, and fetch when it says that something "
    "changed\n"
    "  --gms-poll SECONDS    fetch so often\n"
    "\n"
    "group reads commands: affiliate GROUP, deaffiliate GROUP, call GROUP [emergency | imminent | push], join GROUP,\n"
    "push, release, position, emergency, imminent, normal, leave, quit. IN.wav goes on where it stopped each time the\n"
    "floor is held; OUT.wav holds all speakers, mixed.\n"
    "call and answer read commands: y accepts and n declines a manual call, h hangs up; push, release, position. With\n"
    "floor control IN.wav asks for the floor by itself, and gives it back at its end. SIGINT hangs up.\n"
    "Exit codes: 0 call done, 1 refused, 2 usage, 3 environment.\n";

enum {
    OPT_ID = 256,
    OPT_SERVER,
    OPT_SERVER_ID,
    OPT_PSI,
    OPT_GROUP_KEYS,
    OPT_GROUP,
    OPT_GMS_URL,
    OPT_GMS_URI,
    OPT_GMS_CA,
    OPT_GMS_TOKEN,
    OPT_GMS_SIP,
    OPT_GMS_POLL,
    OPT_STORE,
    OPT_STORE_KEY,
    OPT_CA,
    OPT_TOKEN,
    OPT_KMS_URL,
    OPT_KMS_URI,
    OPT_KMS_CA,
    OPT_BIND,
    OPT_READY,
    OPT_JSON,
    OPT_TO,
    OPT_MODE,
    OPT_NO_FLOOR,
    OPT_LEVEL,
    OPT_SAVP,
    OPT_ANSWER_TIMEOUT,
    OPT_AUTO,
    OPT_MANUAL,
    OPT_PREESTABLISHED,
    OPT_ANSWER_AFTER,
    OPT_REJECT,
    OPT_RING_TIMEOUT,
    OPT_CALLS,
    OPT_ALLOW_CLEAR,
    OPT_PLAY,
    OPT_RECORD,
    OPT_HANGUP_PLAY,
    OPT_HANGUP_AFTER,
    OPT_MAX_DURATION,
    OPT_HELP,
    OPT_VERSION,
};

static const struct option options[] = {
    { "id", required_argument, NULL, OPT_ID },
    { "server", required_argument, NULL, OPT_SERVER },
    { "server-id", required_argument, NULL, OPT_SERVER_ID },
    { "psi", required_argument, NULL, OPT_PSI },
    { "group-keys", required_argument, NULL, OPT_GROUP_KEYS },
    { "group", required_argument, NULL, OPT_GROUP },
    { "gms-url", required_argument, NULL, OPT_GMS_URL },
    { "gms-uri", required_argument, NULL, OPT_GMS_URI },
    { "gms-ca", required_argument, NULL, OPT_GMS_CA },
    { "gms-token", required_argument, NULL, OPT_GMS_TOKEN },
    { "gms-sip", required_argument, NULL, OPT_GMS_SIP },
    { "gms-poll", required_argument, NULL, OPT_GMS_POLL },
    { "store", required_argument, NULL, OPT_STORE },
    { "store-key", required_argument, NULL, OPT_STORE_KEY },
    { "ca", required_argument, NULL, OPT_CA },
    { "token", required_argument, NULL, OPT_TOKEN },
    { "kms-url", required_argument, NULL, OPT_KMS_URL },
    { "kms-uri", required_argument, NULL, OPT_KMS_URI },
    { "kms-ca", required_argument, NULL, OPT_KMS_CA },
    { "bind", required_argument, NULL, OPT_BIND },
    { "ready-file", required_argument, NULL, OPT_READY },
    { "json", no_argument, NULL, OPT_JSON },
    { "to", required_argument, NULL, OPT_TO },
    { "mode", required_argument, NULL, OPT_MODE },
    { "no-floor", no_argument, NULL, OPT_NO_FLOOR },
    { "key-mgmt-level", required_argument, NULL, OPT_LEVEL },
    { "savp", no_argument, NULL, OPT_SAVP },
    { "answer-timeout", required_argument, NULL, OPT_ANSWER_TIMEOUT },
    { "auto", no_argument, NULL, OPT_AUTO },
    { "manual", no_argument, NULL, OPT_MANUAL },
    { "pre-established", no_argument, NULL, OPT_PREESTABLISHED },
    { "answer-after", required_argument, NULL, OPT_ANSWER_AFTER },
    { "reject", no_argument, NULL, OPT_REJECT },
    { "ring-timeout", required_argument, NULL, OPT_RING_TIMEOUT },
    { "calls", required_argument, NULL, OPT_CALLS },
    { "allow-clear", no_argument, NULL, OPT_ALLOW_CLEAR },
    { "play", required_argument, NULL, OPT_PLAY },
    { "record", required_argument, NULL, OPT_RECORD },
    { "hangup-after-play", no_argument, NULL, OPT_HANGUP_PLAY },
    { "hangup-after", required_argument, NULL, OPT_HANGUP_AFTER },
    { "max-duration", required_argument, NULL, OPT_MAX_DURATION },
    { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, OPT_VERSION },
    { NULL, 0, NULL, 0 },
};

static int complain(const char *text, const char *what)
{
    fprintf(stderr, "mcx-ue: %s%s; 'mcx-ue --help' explains\n", text, what);
    return EXIT_USAGE;
}

/* A word out of a list, as its number; -1 when it is none of them. */
static int word_of(const char *text, const char *const words[], int num)
{
    for (int i = 0; i < num; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static int number(uint32_t *out, uint64_t factor, const char *text)
{
    uint64_t v = 0;

    if (mcx_dec_read(&v, (UINT32_MAX - 1) / factor, mcx_bytes_str(text)) != MCX_OK) {
        return complain("not a number: ", text);
    }
    *out = (uint32_t)(v * factor);
    return -1;
}

/* Switches without a value. */
static void take_switch(struct ue_options *o, int opt)
{
    switch (opt) {
    case OPT_JSON: o->json = true; break;
    case OPT_NO_FLOOR: o->no_floor = true; break;
    case OPT_SAVP: o->savp = true; break;
    case OPT_AUTO: o->manual = false; break;
    case OPT_MANUAL: o->manual = true; break;
    case OPT_PREESTABLISHED: o->preestablished = true; break;
    case OPT_REJECT:
        o->reject = true;
        o->manual = true;
        break;
    case OPT_ALLOW_CLEAR: o->allow_clear = true; break;
    case OPT_HANGUP_PLAY: o->hangup_after_play = true; break;
    default: break;
    }
}

static const char **text_option(struct ue_options *o, int opt)
{
    switch (opt) {
    case OPT_ID: return &o->id;
    case OPT_SERVER: return &o->server;
    case OPT_SERVER_ID: return &o->server_id;
    case OPT_PSI: return &o->psi;
    case OPT_GROUP_KEYS: return &o->group_keys;
    case OPT_GMS_URL: return &o->gms_url;
    case OPT_GMS_URI: return &o->gms_uri;
    case OPT_GMS_CA: return &o->gms_ca;
    case OPT_GMS_TOKEN: return &o->gms_token;
    case OPT_GMS_SIP: return &o->gms_sip;
    case OPT_STORE: return &o->store;
    case OPT_STORE_KEY: return &o->store_key;
    case OPT_CA: return &o->ca;
    case OPT_TOKEN: return &o->token;
    case OPT_KMS_URL: return &o->kms_url;
    case OPT_KMS_URI: return &o->kms_uri;
    case OPT_KMS_CA: return &o->kms_ca;
    case OPT_BIND: return &o->bind;
    case OPT_READY: return &o->ready_file;
    case OPT_TO: return &o->to;
    case OPT_PLAY: return &o->play;
    case OPT_RECORD: return &o->record;
    default: return NULL;
    }
}

static int take_value(struct ue_options *o, int opt, const char *value)
{
    static const char *const modes[] = { "auto", "manual", "force-auto" };
    static const char *const levels[] = { "session", "audio" };
    int word = 0;

    switch (opt) {
    case OPT_MODE:
        word = word_of(value, modes, 3);
        o->commencement = (enum mcx_privcall_commencement)(word < 0 ? 0 : word);
        return word < 0 ? complain("unknown mode: ", value) : -1;
    case OPT_LEVEL:
        word = word_of(value, levels, 2);
        o->key_mgmt_level = (enum mcx_sdp_level)(word < 0 ? 0 : word);
        return word < 0 ? complain("unknown level: ", value) : -1;
    case OPT_ANSWER_TIMEOUT: return number(&o->timer_ms[MCX_PC_TIMER_ANSWER], 1, value);
    case OPT_RING_TIMEOUT: return number(&o->timer_ms[MCX_PC_TIMER_RING], 1, value);
    case OPT_MAX_DURATION: return number(&o->timer_ms[MCX_PC_TIMER_DURATION], 1000, value);
    case OPT_ANSWER_AFTER: o->has_answer_after = true; return number(&o->answer_after_ms, 1, value);
    case OPT_HANGUP_AFTER: return number(&o->hangup_after_ms, 1, value);
    case OPT_GMS_POLL: return number(&o->gms_poll_ms, 1000, value);
    case OPT_GROUP:
        if (o->num_groups == UE_MAX_GROUPS) {
            return complain("too many groups: ", value);
        }
        o->groups[o->num_groups++] = value;
        return -1;
    case OPT_CALLS: return number(&o->num_calls, 1, value);
    default: return -1;
    }
}

static int check_groups(const struct ue_options *o)
{
    bool any = o->gms_url != NULL || o->gms_uri != NULL || o->gms_ca != NULL || o->gms_sip != NULL ||
               o->gms_poll_ms != 0 || o->num_groups != 0 || o->command == UE_FETCH_GROUPS;

    if (o->command == UE_GROUP && o->server_id == NULL) {
        return complain("group needs --server-id URI", "");
    }
    if (any && (o->gms_url == NULL || o->gms_uri == NULL || o->gms_ca == NULL || o->num_groups == 0 ||
                (o->gms_token == NULL && o->token == NULL))) {
        return complain("--gms-url, --gms-uri, --gms-ca, --group and a token go together", "");
    }
    return -1;
}

static int check(const struct ue_options *o)
{
    bool local = o->command == UE_FETCH || o->command == UE_FETCH_GROUPS;
    bool any_kms = o->kms_url != NULL || o->kms_uri != NULL || o->kms_ca != NULL || o->command == UE_FETCH;

    if (o->id == NULL || o->store == NULL || o->store_key == NULL || (o->server == NULL && !local)) {
        return complain("--id, --server, --store and --store-key are needed", "");
    }
    if (any_kms && (o->kms_url == NULL || o->kms_uri == NULL || o->kms_ca == NULL || o->token == NULL)) {
        return complain("--kms-url, --kms-uri, --kms-ca and --token go together", "");
    }
    if (o->command == UE_CALL && o->to == NULL) {
        return complain("call needs --to URI", "");
    }
    if (o->hangup_after_play && o->play == NULL) {
        return complain("--hangup-after-play needs --play", "");
    }
    if (o->preestablished && (o->command != UE_ANSWER || o->server_id == NULL)) {
        return complain("--pre-established is for answer, and needs --server-id", "");
    }
    return check_groups(o);
}

int ue_options_read(struct ue_options *out, int argc, char **argv)
{
    static const char *const commands[] = { "register", "call", "answer", "group", "fetch", "fetch-groups" };
    struct ue_options o = { .num_calls = 1 };
    int opt = 0;
    int word = 0;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        const char **text = text_option(&o, opt);
        int code = -1;

        if (opt == '?') {
            return complain("wrong option", "");
        }
        if (opt == OPT_HELP) {
            fputs(HELP, stdout);
            return EXIT_DONE;
        }
        if (opt == OPT_VERSION) {
            puts("mcx-ue " MCX_VERSION);
            return EXIT_DONE;
        }
        if (text != NULL) {
            *text = optarg;
        }
        take_switch(&o, opt);
        code = take_value(&o, opt, optarg);
        if (code >= 0) {
            return code;
        }
    }
    if (optind != argc - 1) {
        return complain("one command is needed: register, call, answer, group or fetch", "");
    }
    word = word_of(argv[optind], commands, 6);
    if (word < 0) {
        return complain("unknown command: ", argv[optind]);
    }
    o.command = (enum ue_command)word;
    *out = o;
    return check(&o);
}
