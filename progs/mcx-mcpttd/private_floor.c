/* SPDX-License-Identifier: Apache-2.0 */
/* Floor control of a private call (TS 24.380 6.3): its port, its two participants, whose media pass. */
#include "mcx-mcpttd/private_floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/floor_port.h"

struct md_floor {
    struct md_daemon *d;
    struct md_call *call;
    struct mcx_floor_port *port;
    struct mcx_timer end; /* the port is not to be closed while it is on the stack */
    struct mcx_tally drops;
};

static uint32_t id_of(enum mcx_msrv_side side)
{
    return (uint32_t)side + 1;
}

static struct mcx_channel *channel_of(void *arg, const char *mcptt_id)
{
    const struct md_floor *f = arg;

    return mcx_msrv_channel(f->d->srv, mcptt_id, mcx_clock_mono_ms());
}

static void on_note(void *arg, const char *what, const char *mcptt_id, unsigned cause)
{
    const struct md_floor *f = arg;
    json_t *o = json_pack("{s:I}", "call", (json_int_t)f->call->id);

    if (mcptt_id[0] != '\0') {
        (void)json_object_set_new(o, "user", md_clean(mcptt_id));
    }
    if (cause != 0) {
        (void)json_object_set_new(o, "cause", json_integer((json_int_t)cause));
    }
    mcx_tally_add(&f->d->tally, what);
    md_journal(f->d->s, what, o);
}

/* All are counted; the first of a kind in a call has a line in the log. */
static void drop(struct md_floor *f, const char *what, const char *mcptt_id, const struct mcx_refusal *why)
{
    char name[MCX_TALLY_NAME];
    json_t *o = NULL;

    (void)snprintf(name, sizeof name, "%s: %s", what, why->reason);
    mcx_tally_add(&f->d->tally, name);
    if (mcx_tally_add(&f->drops, name) != 1) {
        return;
    }
    o = json_pack("{s:I, s:s, s:s, s:s}", "call", (json_int_t)f->call->id, "what", what, "reason", why->reason,
                  "clause", why->clause);
    if (mcptt_id[0] != '\0') {
        (void)json_object_set_new(o, "user", md_clean(mcptt_id));
    }
    md_journal(f->d->s, "call-dropped", o);
}

static void on_drop(void *arg, const char *mcptt_id, const struct mcx_refusal *why)
{
    drop(arg, "floor", mcptt_id, why);
}

static void end_inactive(void *arg)
{
    struct md_floor *f = arg;

    md_call_event(&f->call->leg[MCX_MSRV_CALLER], MCX_MSRV_EV_INACTIVE, NULL);
}

static void on_inactive(void *arg)
{
    struct md_floor *f = arg;

    if (mcx_timer_start(&f->end, 0, end_inactive, f) != MCX_OK) {
        md_journal(f->d->s, "out-of-memory", NULL);
    }
}

mcx_err md_floor_open(struct md_call *call, struct md_daemon *d, uint16_t indicator, struct mcx_msrv_line *line)
{
    struct md_floor *f = calloc(1, sizeof *f);
    struct mcx_floor_port_config config = { .relay = d->relay,
                                            .floor = d->s->floor,
                                            .protect = true,
                                            .channel = channel_of,
                                            .on_note = on_note,
                                            .on_inactive = on_inactive,
                                            .on_drop = on_drop,
                                            .arg = f };
    const char *address = mcx_relay_address(d->relay);

    if (f == NULL) {
        return MCX_E_NOMEM;
    }
    *f = (struct md_floor){ .d = d, .call = call };
    call->floor = f;
    config.floor.indicator = indicator;
    MCX_TRY(mcx_floor_port_open(&f->port, &config));
    for (size_t side = 0; side < 2; side++) {
        MCX_TRY(mcx_bytes_cstr(line->local[side].host, sizeof line->local[side].host, mcx_bytes_str(address)));
        line->local[side].port = mcx_floor_port_number(f->port);
    }
    return MCX_OK;
}

static bool may_pass(void *arg, enum mcx_msrv_side side, uint32_t ssrc)
{
    struct md_floor *f = arg;

    if (mcx_floor_port_media(f->port, id_of(side), ssrc)) {
        return true;
    }
    drop(f, "media", mcx_floor_port_user(f->port, id_of(side)),
         &(struct mcx_refusal){ "he does not hold the floor", "TS 24.380 6.3.5.7" });
    return false;
}

void md_floor_gate(struct md_call *call)
{
    mcx_relay_gate(call->relay, may_pass, call->floor);
}

void md_floor_join(struct md_call *call, enum mcx_msrv_side side, const struct mcx_msrv_talker *talker)
{
    const struct mcx_fsrv_participant who = { .id = id_of(side),
                                              .mcptt_id = talker->mcptt_id,
                                              .max_priority = talker->max_priority,
                                              .queueing = talker->queueing };

    if (call->floor == NULL || mcx_floor_port_join(call->floor->port, &who, talker->at.host, talker->at.port,
                                                   talker->implicit_request) != MCX_OK) {
        md_journal(call->leg[side].d->s, "media-address-unusable",
                   json_pack("{s:I, s:o}", "call", (json_int_t)call->id, "user", md_clean(talker->mcptt_id)));
    }
}

static void count_drop(void *arg, const char *name, uint64_t count)
{
    (void)json_object_set_new(arg, name, json_integer((json_int_t)count));
}

void md_floor_close(struct md_call *call)
{
    struct md_floor *f = call->floor;
    struct mcx_floor_stats st = { 0 };
    json_t *drops = NULL;

    if (f == NULL) {
        return;
    }
    call->floor = NULL;
    if (call->relay != NULL) {
        mcx_relay_gate(call->relay, NULL, NULL);
    }
    mcx_floor_port_close(f->port, &st);
    mcx_timer_clear(&f->end);
    drops = json_object();
    mcx_tally_each(&f->drops, count_drop, drops);
    md_journal(f->d->s, "floor-closed",
               json_pack("{s:I, s:I, s:I, s:I, s:o}", "call", (json_int_t)call->id, "received",
                         (json_int_t)st.received, "sent", (json_int_t)st.sent, "dropped", (json_int_t)st.dropped,
                         "drops", drops));
    free(f);
}
