/* SPDX-License-Identifier: Apache-2.0 */
#include "support/floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOR_BEGIN = 1000 };

struct mcx_fsrv_config floor_config(void)
{
    struct mcx_fsrv_config config = {
        .queueing = true, .max_queue = 2, .pre_empt_from = 200, .pre_empt_emergency = true
    };

    config.timer_ms[MCX_FS_T9] = 5000;
    return config;
}

void floor_open(struct floor_bench *b, const struct mcx_fsrv_config *config)
{
    memset(b, 0, sizeof *b);
    b->now = FLOOR_BEGIN;
    if (mcx_fsrv_new(&b->srv, config) != MCX_OK) {
        abort();
    }
}

void floor_close(struct floor_bench *b)
{
    mcx_fsrv_free(b->srv);
}

static void append(struct floor_bench *b, const char *text)
{
    size_t len = strlen(b->said);

    snprintf(b->said + len, sizeof b->said - len, "%s%s", len > 0 ? " " : "", text);
}

static void append_message(struct floor_bench *b, const struct mcx_fsrv_action *a)
{
    static const char *const names[16] = { "request", "granted",  "taken", "deny", "release", "idle", "revoke", "",
                                           "",        "position", "ack",   "",     "",        "",     "",       "" };
    const struct mcx_floor_msg *m = &a->msg;
    char text[256];
    size_t n = 0;

    n = (size_t)snprintf(text, sizeof text, "%s%c%u", names[m->type], a->act == MCX_FS_SEND ? '>' : '*',
                         (unsigned)a->id);
    if ((m->present & MCX_FF(MCX_FF_CAUSE)) != 0) {
        n += (size_t)snprintf(text + n, sizeof text - n, ":%u", (unsigned)m->cause);
    }
    if ((m->present & MCX_FF(MCX_FF_DURATION)) != 0) {
        n += (size_t)snprintf(text + n, sizeof text - n, ":%us", (unsigned)m->duration);
    }
    if ((m->present & MCX_FF(MCX_FF_QUEUE_INFO)) != 0) {
        n += (size_t)snprintf(text + n, sizeof text - n, ":%u/%u", (unsigned)m->queue_position,
                              (unsigned)m->queue_priority);
    }
    if ((m->present & MCX_FF(MCX_FF_GRANTED_PARTY)) != 0) {
        snprintf(text + n, sizeof text - n, ":%.*s", (int)m->granted_party.len, (const char *)m->granted_party.p);
    }
    append(b, text);
}

static void append_actions(struct floor_bench *b, const struct mcx_fsrv_out *out)
{
    char text[128];

    for (size_t i = 0; i < out->num; i++) {
        const struct mcx_fsrv_action *a = &out->action[i];

        switch (a->act) {
        case MCX_FS_SEND:
        case MCX_FS_SEND_OTHERS: append_message(b, a); break;
        case MCX_FS_FORWARD:
            snprintf(text, sizeof text, "fwd=%u", (unsigned)a->id);
            append(b, text);
            break;
        case MCX_FS_INACTIVE: append(b, "inactive"); break;
        case MCX_FS_NOTE: break; /* every one follows a message */
        }
    }
    b->most_actions = out->num > b->most_actions ? out->num : b->most_actions;
}

static void write_log(struct floor_bench *b, const char *said)
{
    size_t len = strlen(b->log);

    if (said[0] != '\0') {
        snprintf(b->log + len, sizeof b->log - len, "%u %s\n", (unsigned)(b->now - FLOOR_BEGIN), said);
    }
}

static void step(struct floor_bench *b, struct mcx_fsrv_in *in)
{
    static struct mcx_fsrv_out out;
    size_t said = strlen(b->said);

    in->now_ms = b->now;
    b->err = mcx_fsrv_step(b->srv, in, &out);
    append_actions(b, &out);
    write_log(b, b->said + said + (b->said[said] == ' '));
    for (size_t i = 0; i < out.num_rows && b->num_rows < sizeof b->row / sizeof b->row[0]; i++) {
        b->row[b->num_rows++] = out.row[i];
    }
}

static void wait(struct floor_bench *b, uint64_t ms)
{
    uint64_t until = b->now + ms;
    struct mcx_fsrv_in in = { .event = MCX_FS_TICK };

    b->err = MCX_OK;
    while (mcx_fsrv_deadline(b->srv) <= until) {
        b->now = mcx_fsrv_deadline(b->srv) > b->now ? mcx_fsrv_deadline(b->srv) : b->now;
        step(b, &in);
        if (b->err != MCX_OK) {
            return;
        }
    }
    b->now = until;
}

/* Media twice a second. */
static void talk(struct floor_bench *b, unsigned id, uint64_t ms)
{
    uint64_t until = b->now + ms;
    struct mcx_fsrv_in in = { .event = MCX_FS_RTP, .id = id, .ssrc = id };

    while (b->now < until) {
        step(b, &in);
        wait(b, until - b->now < 500 ? until - b->now : 500);
    }
}

static uint16_t call_type(char c)
{
    return c == 'E' ? MCX_FI_EMERGENCY : c == 'I' ? MCX_FI_IMMINENT : c == 'B' ? MCX_FI_BROADCAST : MCX_FI_NORMAL;
}

static void join(struct floor_bench *b, unsigned id, const char *flags, unsigned max)
{
    char name[32];
    struct mcx_fsrv_participant p = { .id = id, .mcptt_id = name, .max_priority = (uint8_t)max };
    struct mcx_fsrv_in in = { .event = MCX_FS_JOIN, .participant = &p };

    snprintf(name, sizeof name, "sip:u%u@example.org", id);
    p.queueing = strchr(flags, 'q') == NULL;
    p.receive_only = strchr(flags, 'r') != NULL;
    p.privacy = strchr(flags, 'p') != NULL;
    in.implicit_request = strchr(flags, 'i') != NULL;
    step(b, &in);
}

static void receive(struct floor_bench *b, const char *what, unsigned id, const char *rest)
{
    static const struct {
        const char *name;
        enum mcx_floor_type type;
        bool ack;
    } types[] = {
        { "req", MCX_FLOOR_REQUEST, false },     { "rel", MCX_FLOOR_RELEASE, false },
        { "rel!", MCX_FLOOR_RELEASE, true },     { "pos", MCX_FLOOR_QUEUE_POSITION_REQUEST, false },
        { "ack", MCX_FLOOR_ACK, false },         { "idle", MCX_FLOOR_IDLE, false },
        { "granted", MCX_FLOOR_GRANTED, false },
    };
    struct mcx_floor_msg msg = { .type = MCX_FLOOR_REQUEST };
    struct mcx_fsrv_in in = { .event = MCX_FS_RX, .id = id, .msg = &msg };
    unsigned priority = 0;
    char type = '\0';

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(what, types[i].name) == 0) {
            msg.type = types[i].type;
            msg.ack_wanted = types[i].ack;
        }
    }
    if (sscanf(rest, "%u %c", &priority, &type) >= 1) {
        msg.present |= MCX_FF(MCX_FF_PRIORITY);
        msg.priority = (uint8_t)priority;
    }
    if (type != '\0') {
        msg.present |= MCX_FF(MCX_FF_INDICATOR);
        msg.indicator = call_type(type);
    }
    step(b, &in);
}

void floor_say(struct floor_bench *b, const char *line)
{
    char what[16] = "", arg[16] = "";
    int used = 0;
    unsigned n = 0;
    unsigned max = 100;
    struct mcx_fsrv_in in = { .event = MCX_FS_END };

    b->said[0] = '\0';
    b->num_rows = 0;
    sscanf(line, " %15s %n", what, &used);
    line += used;
    if (sscanf(line, "%u %n", &n, &used) == 1) {
        line += used;
    }
    if (strcmp(what, "join") == 0) {
        if (sscanf(line, "%15[iqrp-] %u", arg, &max) < 1) {
            arg[0] = '\0';
        }
        join(b, n, arg, max);
    } else if (strcmp(what, "wait") == 0) {
        wait(b, n);
    } else if (strcmp(what, "talk") == 0) {
        talk(b, n, strtoul(line, NULL, 10));
    } else if (strcmp(what, "leave") == 0) {
        in = (struct mcx_fsrv_in){ .event = MCX_FS_LEAVE, .id = n };
        step(b, &in);
    } else if (strcmp(what, "rtp") == 0) {
        in = (struct mcx_fsrv_in){ .event = MCX_FS_RTP, .id = n, .ssrc = 0xabcd0000u + n };
        step(b, &in);
    } else if (strcmp(what, "call") == 0) {
        in = (struct mcx_fsrv_in){ .event = MCX_FS_CALL_TYPE, .indicator = call_type(line[0]) };
        step(b, &in);
    } else if (strcmp(what, "ready") == 0) {
        in.event = MCX_FS_READY;
        step(b, &in);
    } else if (strcmp(what, "end") == 0) {
        step(b, &in);
    } else {
        receive(b, what, n, line);
    }
}

bool floor_took(const struct floor_bench *b, size_t n)
{
    for (size_t i = 0; i < b->num_rows; i++) {
        if (b->row[i] == n) {
            return true;
        }
    }
    return false;
}

void floor_script(struct floor_bench *b, const char *script, bool without_last)
{
    char line[64];

    while (script != NULL) {
        const char *end = strchr(script, ';');

        snprintf(line, sizeof line, "%.*s", (int)(end != NULL ? (size_t)(end - script) : strlen(script)), script);
        if (end == NULL && without_last) {
            return;
        }
        floor_say(b, line);
        script = end != NULL ? end + 1 : NULL;
    }
}
