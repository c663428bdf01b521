/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcx-group-load: one speaker and N listeners against a running mcx-mcpttd. See bench/README.md.
 *
 * All clients live in this process: one SIP stack, two UDP sockets each. The phases follow each other: all register,
 * all affiliate, the call is set up, the speaker asks for the floor and speaks, what is on its way arrives, all leave.
 */
#define _GNU_SOURCE
#include "load.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <mcx/seam.h>

enum {
    EXIT_LOST = 1,
    EXIT_USAGE = 2,
    EXIT_ENVIRONMENT = 3,
    WINDOW = 32,   /* requests on their way at once */
    MAX_TRIES = 3, /* of one request of one client */
    RETRY_MS = 200,
    ROLL_CALL_MS = 20,
    FLOOR_MS = 500, /* between Floor Requests */
    MAX_FLOOR = 5,
    DRAIN_MS = 1000, /* what is on its way after the last packet */
    LEAVE_MS = 500,
};

static void pump(void *arg);

static void later(struct load *load, uint64_t ms)
{
    if (mcx_timer_start(&load->pump, ms, pump, load) != MCX_OK) {
        load_fail(load, "out of memory");
    }
}

void load_fail(struct load *load, const char *what)
{
    if (!load->failed) {
        load->failed = true;
        load->failure = what;
        mcx_loop_stop();
    }
}

void load_reached(struct load_client *c, enum load_state state)
{
    if (c->state == state) {
        return; /* answered and acknowledged */
    }
    c->state = state;
    c->tries = 0;
    c->load->under_way -= c->load->under_way > 0 ? 1 : 0;
    c->load->done++;
    later(c->load, 0);
}

void load_retry(struct load_client *c, enum load_state back_to, const char *what, uint16_t code)
{
    struct load *load = c->load;

    c->state = back_to;
    load->under_way -= load->under_way > 0 ? 1 : 0;
    load->retries++;
    if (++c->tries >= MAX_TRIES) {
        fprintf(stderr, "mcx-group-load: %s of %s: %u\n", what, c->uri, (unsigned)code);
        load_fail(load, "a request was refused again and again");
        return;
    }
    load->next = c->number < load->next ? c->number : load->next;
    later(load, RETRY_MS);
}

void load_granted(struct load *load)
{
    load->granted = true;
    if (load->phase == LOAD_FLOOR) {
        later(load, 0);
    }
}

/* ---- phases ---- */

/* Begin with the next clients that stand at `from`, as many as the window lets. */
static void begin_more(struct load *load, enum load_state from, mcx_err (*begin)(struct load_client *c), unsigned end)
{
    for (; load->next < end && load->under_way < WINDOW; load->next++) {
        struct load_client *c = &load->clients[load->next];

        if (c->state != from) {
            continue;
        }
        load->under_way++;
        if (begin(c) != MCX_OK) {
            load_fail(load, "a request cannot be sent");
            return;
        }
    }
}

static void enter(struct load *load, enum load_phase phase)
{
    load->phase = phase;
    load->next = 0;
    load->under_way = 0;
    load->done = 0;
    later(load, 0);
}

static void speak(void *arg)
{
    struct load *load = arg;

    load_speak(load, mcx_clock_mono_ms());
    if (load->sent == load->options.rate * load->options.seconds) {
        load->phase = LOAD_DRAIN;
        later(load, DRAIN_MS);
    } else if (mcx_timer_start(&load->tick, 1, speak, load) != MCX_OK) {
        load_fail(load, "out of memory");
    }
}

static void begin_talk(struct load *load)
{
    load->phase = LOAD_TALK;
    load->talk_ms = mcx_clock_mono_ms();
    load_look(&load->look[LOAD_AT_TALK], load->options.server_pid);
    speak(load);
}

/* Whom floor control has told something takes part: his answer may have overtaken our ACK. */
static bool all_take_part(const struct load *load)
{
    for (unsigned i = 0; i < load->num_clients; i++) {
        if (load->clients[i].num_floor == 0) {
            return false;
        }
    }
    return true;
}

static void ask_for_floor(struct load *load)
{
    if (!all_take_part(load)) {
        later(load, ROLL_CALL_MS);
    } else if (load->granted) {
        begin_talk(load);
    } else if (load->floor_requests == MAX_FLOOR) {
        load_fail(load, "the floor was not granted");
    } else if (load_floor_request(load) != MCX_OK) {
        load_fail(load, "the Floor Request cannot be sent");
    } else {
        later(load, FLOOR_MS);
    }
}

static void leave_all(struct load *load)
{
    load_look(&load->look[LOAD_AT_END], load->options.server_pid);
    load->phase = LOAD_LEAVE;
    for (unsigned i = load->num_clients; i-- > 0;) {
        if (load->clients[i].call != NULL) {
            mcx_sip_call_hangup(load->clients[i].call, NULL);
        }
    }
    later(load, LEAVE_MS);
}

static void pump(void *arg)
{
    struct load *load = arg;
    unsigned all = load->num_clients;

    switch (load->phase) {
    case LOAD_REGISTER:
        begin_more(load, LOAD_NEW, load_register, all);
        if (load->done == all) {
            enter(load, LOAD_AFFILIATE);
        }
        break;
    case LOAD_AFFILIATE:
        begin_more(load, LOAD_REGISTERED, load_publish, all);
        if (load->done == all) {
            load->call_ms = mcx_clock_mono_ms();
            load_look(&load->look[LOAD_AT_CALL], load->options.server_pid);
            enter(load, LOAD_CALL);
        }
        break;
    case LOAD_CALL: /* prearranged: number 0 calls, the server invites all others */
        begin_more(load, LOAD_AFFILIATED, load_invite, load->options.chat ? all : 1);
        if (load->done == all) {
            enter(load, LOAD_FLOOR);
        }
        break;
    case LOAD_FLOOR: ask_for_floor(load); break;
    case LOAD_TALK: break;
    case LOAD_DRAIN: leave_all(load); break;
    case LOAD_LEAVE: mcx_loop_stop(); break;
    }
}

static void too_long(void *arg)
{
    load_fail(arg, "it took longer than --limit");
}

/* ---- report ---- */

static double cpu_s(const struct load *load, int from, int to)
{
    uint64_t before = load->look[from].cpu, after = load->look[to].cpu;

    return after > before ? (double)(after - before) / (double)sysconf(_SC_CLK_TCK) : 0.0;
}

/* What the members and the call cost the server. */
static json_t *costs(const struct load *load)
{
    return json_pack("{s:f,s:f,s:I,s:I,s:I,s:I}", "register_cpu_s", cpu_s(load, LOAD_AT_START, LOAD_AT_CALL),
                     "setup_cpu_s", cpu_s(load, LOAD_AT_CALL, LOAD_AT_TALK), "kib_at_start",
                     (json_int_t)load->look[LOAD_AT_START].kib, "kib_affiliated",
                     (json_int_t)load->look[LOAD_AT_CALL].kib, "kib_in_call", (json_int_t)load->look[LOAD_AT_TALK].kib,
                     "kib_at_end", (json_int_t)load->look[LOAD_AT_END].kib);
}

static int report(const struct load *load)
{
    static const char *const phases[] = { "register", "affiliate", "call", "floor", "talk", "drain", "leave" };
    uint64_t min = UINT64_MAX, max = 0, lost = 0, damaged = 0, twice = 0, floor = 0, refused = 0;
    json_t *out = NULL;

    for (unsigned i = 1; i < load->num_clients; i++) {
        const struct load_client *c = &load->clients[i];

        min = c->num_received < min ? c->num_received : min;
        max = c->num_received > max ? c->num_received : max;
        lost += load->sent - c->num_received;
        damaged += c->num_damaged;
        twice += c->num_twice;
        floor += c->num_floor;
        refused += c->num_refused;
    }
    out = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:o}", "listeners",
                    (json_int_t)load->options.listeners, "sent", (json_int_t)load->sent, "received_min",
                    (json_int_t)min, "received_max", (json_int_t)max, "lost", (json_int_t)lost, "damaged",
                    (json_int_t)damaged, "twice", (json_int_t)twice, "floor_messages", (json_int_t)floor,
                    "floor_refused", (json_int_t)refused, "retries", (json_int_t)load->retries, "floor_requests",
                    (json_int_t)load->floor_requests, "register_s", (double)(load->call_ms - load->start_ms) / 1000,
                    "setup_s", (double)(load->talk_ms - load->call_ms) / 1000, "server_cpu_s",
                    cpu_s(load, LOAD_AT_TALK, LOAD_AT_END), "server", costs(load));
    if (out == NULL) {
        return EXIT_ENVIRONMENT;
    }
    if (load->failed) {
        (void)json_object_set_new(out, "failure", json_string(load->failure));
        (void)json_object_set_new(out, "phase", json_string(phases[load->phase]));
        (void)json_object_set_new(out, "through", json_integer(load->done));
    }
    json_dumpf(out, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(out);
    return load->failed || lost > 0 || damaged > 0 || twice > 0 || refused > 0 ? EXIT_LOST : EXIT_SUCCESS;
}

/* ---- start ---- */

static int usage(void)
{
    fputs("usage: mcx-group-load --server sip:ADDR:PORT;transport=tcp --group URI --domain DOMAIN [--listeners 500]\n"
          "       [--rate 50] [--seconds 5] [--limit 60] [--server-pid PID] [--chat] [--server-id URI]\n"
          "       mcx-group-load --make-store FILE --store-key FILE --server-id URI --domain DOMAIN\n"
          "users are sip:u0@DOMAIN, who speaks, to sip:uN@DOMAIN; see bench/README.md\n",
          stderr);
    return EXIT_USAGE;
}

static bool number(unsigned *out, const char *text, unsigned max)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 10);

    *out = (unsigned)n;
    return *end == '\0' && n >= 1 && n <= max;
}

static bool options_read(struct load_options *o, int argc, char **argv)
{
    static const struct option names[] = {
        { "server", required_argument, NULL, 's' },
        { "group", required_argument, NULL, 'g' },
        { "domain", required_argument, NULL, 'd' },
        { "listeners", required_argument, NULL, 'n' },
        { "rate", required_argument, NULL, 'r' },
        { "seconds", required_argument, NULL, 't' },
        { "limit", required_argument, NULL, 'l' },
        { "server-pid", required_argument, NULL, 'p' },
        { "chat", no_argument, NULL, 'c' },
        { "server-id", required_argument, NULL, 'i' },
        { "make-store", required_argument, NULL, 'm' },
        { "store-key", required_argument, NULL, 'k' },
        { NULL, 0, NULL, 0 },
    };
    unsigned pid = 0;
    bool ok = true;

    *o = (struct load_options){ .listeners = 500, .rate = 50, .seconds = 5, .limit = 60 };
    for (int c = 0; ok && (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 's': o->server = optarg; break;
        case 'g': o->group = optarg; break;
        case 'd': o->domain = optarg; break;
        case 'n': ok = number(&o->listeners, optarg, 1999); break;
        case 'r': ok = number(&o->rate, optarg, 1000); break;
        case 't': ok = number(&o->seconds, optarg, 600); break;
        case 'l': ok = number(&o->limit, optarg, 3600); break;
        case 'p': ok = number(&pid, optarg, 1u << 22); break;
        case 'c': o->chat = true; break;
        case 'i': o->server_id = optarg; break;
        case 'm': o->make_store = optarg; break;
        case 'k': o->store_key = optarg; break;
        default: ok = false;
        }
    }
    o->server_pid = (int)pid;
    if (o->make_store != NULL) {
        return ok && optind == argc && o->store_key != NULL && o->server_id != NULL && o->domain != NULL;
    }
    return ok && optind == argc && o->server != NULL && o->group != NULL && o->domain != NULL &&
           o->rate * o->seconds <= LOAD_MAX_PACKETS;
}

static mcx_err clients_make(struct load *load)
{
    size_t seen = load->options.rate * load->options.seconds / 8 + 1;

    load->num_clients = load->options.listeners + 1;
    load->clients = calloc(load->num_clients, sizeof load->clients[0]);
    if (load->clients == NULL) {
        return MCX_E_NOMEM;
    }
    for (unsigned i = 0; i < load->num_clients; i++) {
        struct load_client *c = &load->clients[i];

        c->load = load;
        c->number = i;
        c->rtp.fd = c->floor.fd = -1;
        snprintf(c->uri, sizeof c->uri, "sip:u%u@%s", i, load->options.domain);
        c->seen = calloc(1, seen);
        if (c->seen == NULL) {
            return MCX_E_NOMEM;
        }
    }
    return MCX_OK;
}

static void clients_free(struct load *load)
{
    for (unsigned i = 0; load->clients != NULL && i < load->num_clients; i++) {
        load_sockets_close(&load->clients[i]);
        free(load->clients[i].seen);
        mcx_channel_free(load->clients[i].channel);
    }
    free(load->clients);
}

static mcx_err start(struct load *load, struct mcx_refusal *why)
{
    if (sscanf(load->options.server, "sip:%63[0-9.]", load->host) != 1) {
        return mcx_refuse(why, MCX_E_ARG, "--server is not sip:ADDRESS:PORT", "");
    }
    MCX_TRY(clients_make(load));
    if (load->options.server_id != NULL) {
        MCX_TRY(load_keys_new(&load->keys, load->options.domain));
    }
    for (unsigned i = 0; i < load->num_clients; i++) {
        if (load_sockets_open(&load->clients[i]) != MCX_OK) {
            return mcx_refuse(why, MCX_E_IO, "not so many sockets can be opened", "");
        }
    }
    MCX_TRY(load_sip_start(load, why));
    MCX_TRY(mcx_timer_start(&load->limit, load->options.limit * UINT64_C(1000), too_long, load));
    load_look(&load->look[LOAD_AT_START], load->options.server_pid);
    load->start_ms = load->call_ms = load->talk_ms = mcx_clock_mono_ms();
    enter(load, LOAD_REGISTER);
    return MCX_OK;
}

static int make_store(const struct load_options *o)
{
    struct mcx_refusal why = { "", "" };
    struct load_keys *keys = NULL;
    mcx_err err = load_keys_new(&keys, o->domain);

    err = err == MCX_OK ? load_keys_store(keys, o->server_id, o->make_store, o->store_key, &why) : err;
    load_keys_free(keys);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx-group-load: the key store cannot be made: %s %s\n", mcx_err_name(err), why.reason);
    }
    return err == MCX_OK ? EXIT_SUCCESS : EXIT_ENVIRONMENT;
}

static void interrupted(int sig)
{
    (void)sig;
    mcx_loop_stop();
}

int main(int argc, char **argv)
{
    static struct load load;
    struct mcx_refusal why = { "out of memory", "" };
    struct rlimit fds;
    int rc = EXIT_ENVIRONMENT;

    if (!options_read(&load.options, argc, argv)) {
        return usage();
    }
    if (load.options.make_store != NULL) {
        return make_store(&load.options);
    }
    if (getrlimit(RLIMIT_NOFILE, &fds) == 0) {
        fds.rlim_cur = fds.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &fds);
    }
    if (mcx_loop_open((int)(2 * load.options.listeners + 64)) != MCX_OK) {
        return EXIT_ENVIRONMENT;
    }
    if (start(&load, &why) == MCX_OK) {
        (void)!mcx_loop_run(interrupted);
        rc = report(&load);
    } else {
        fprintf(stderr, "mcx-group-load: %s\n", why.reason);
    }
    mcx_timer_clear(&load.pump);
    mcx_timer_clear(&load.limit);
    mcx_timer_clear(&load.tick);
    mcx_sip_free(load.sip);
    clients_free(&load);
    load_keys_free(load.keys);
    mcx_loop_close();
    return rc;
}
