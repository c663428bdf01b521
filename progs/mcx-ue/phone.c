/* SPDX-License-Identifier: Apache-2.0 */
/* The phone: the private call's state machine between SIP, media and the user. */
#include "preest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"

/* Signals reach the loop without an argument; a process has one phone. */
static struct ue_phone *the_phone;

static void step(struct ue_phone *ph, const struct mcx_privcall_in *in);

/* ---- the end ---- */

static void on_unregistered(void *arg)
{
    (void)arg;
    mcx_loop_stop();
}

static void finish(struct ue_phone *ph, int code)
{
    if (ph->finishing) {
        return;
    }
    ph->finishing = true;
    ph->exit_code = code;
    if (ph->link.reg == NULL) {
        mcx_loop_stop();
        return;
    }
    if (ph->preest != NULL) {
        ue_preest_end(ph->preest);
    }
    mcx_sip_reg_end(ph->link.reg, on_unregistered, ph);
    ph->link.reg = NULL;
}

/* Called whenever the line has become free. */
static void line_free(struct ue_phone *ph)
{
    const struct ue_options *o = ph->options;

    if (ph->quitting || o->command == UE_CALL) {
        finish(ph, ph->refused ? EXIT_REFUSED : EXIT_DONE);
    } else if (o->num_calls != 0 && ph->num_calls >= o->num_calls) {
        finish(ph, EXIT_DONE);
    }
}

/* ---- the user ---- */

static void user_says(struct ue_phone *ph, enum mcx_privcall_event event)
{
    struct mcx_privcall_in in = { .event = event };

    step(ph, &in);
}

static void on_answer_after(void *arg)
{
    struct ue_phone *ph = arg;

    user_says(ph, ph->options->reject ? MCX_PC_USER_REJECT : MCX_PC_USER_ACCEPT);
}

static void on_hangup_after(void *arg)
{
    user_says(arg, MCX_PC_USER_HANGUP);
}

static void on_line(void *arg, char *line)
{
    struct ue_phone *ph = arg;

    if (strcmp(line, "y") == 0) {
        user_says(ph, MCX_PC_USER_ACCEPT);
    } else if (strcmp(line, "n") == 0) {
        user_says(ph, MCX_PC_USER_REJECT);
    } else if (strcmp(line, "h") == 0) {
        user_says(ph, MCX_PC_USER_HANGUP);
    } else if (strcmp(line, "push") == 0) {
        ue_phone_talk(ph, true);
    } else if (strcmp(line, "release") == 0) {
        ue_phone_talk(ph, false);
    } else if (strcmp(line, "position") == 0) {
        ue_talk_ask_position(ph->talk);
    } else if (line[0] != '\0') {
        fprintf(stderr, "mcx-ue: not a command: %s; 'mcx-ue --help' lists them\n", line);
    }
}

static void ask_user(struct ue_phone *ph)
{
    const struct ue_options *o = ph->options;

    if (o->reject || o->has_answer_after) {
        if (mcx_timer_start(&ph->user_timer, o->answer_after_ms, on_answer_after, ph) != MCX_OK) {
            user_says(ph, MCX_PC_USER_REJECT);
        }
    }
}

static void on_signal(int sig)
{
    struct ue_phone *ph = the_phone;

    (void)sig;
    if (ph->quitting) {
        mcx_loop_stop(); /* the second time: at once, without waiting for the server */
        return;
    }
    ph->quitting = true;
    if (mcx_privcall_state(ph->pc) == MCX_PC_IDLE) {
        finish(ph, ph->refused && ph->num_calls == 0 ? EXIT_REFUSED : EXIT_DONE);
        return;
    }
    user_says(ph, MCX_PC_USER_HANGUP);
}

/* ---- SIP to the machine ---- */

/* What the machine cannot be told while its actions are being carried out comes right after them. */
static void later(struct ue_phone *ph, enum mcx_privcall_event event, uint64_t dialog)
{
    if (ph->num_later < UE_MAX_LATER) {
        ph->later[ph->num_later++] = (struct mcx_privcall_in){ .event = event, .dialog = dialog };
    }
}

static void on_timer(void *arg)
{
    struct ue_timer *t = arg;
    struct mcx_privcall_in in = { .event = MCX_PC_TIMER, .timer = t->which, .dialog = t->dialog };

    step(t->phone, &in);
}

/* ---- actions ---- */

static void tell(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    const char *name = mcx_privcall_note_name(a->note);
    char key_id[9];

    (void)snprintf(key_id, sizeof key_id, "%08x", (unsigned)a->key_id);
    switch (a->note) {
    case MCX_PC_NOTE_VERIFIED:
        ue_report(ph->options->json, name, a->sentence, "{s:s, s:s, s:s}", "initiator", a->peer, "kms", a->kms,
                  "key_id", key_id);
        break;
    case MCX_PC_NOTE_ESTABLISHED:
        ph->num_calls++;
        ue_report(ph->options->json, name, a->sentence, "{s:s, s:s, s:b, s:b}", "peer", a->peer, "key_id", key_id,
                  "secure", (int)(a->key_id != 0), "floor_control", (int)ph->floor_control);
        break;
    case MCX_PC_NOTE_REFUSED:
        ph->refused = true;
        ue_report(ph->options->json, name, a->sentence, "{s:s, s:s, s:s, s:s, s:i, s:i}", "peer", a->peer, "cause",
                  mcx_privcall_cause_name(a->cause), "reason", a->why.reason == NULL ? "" : a->why.reason, "clause",
                  a->why.clause == NULL ? "" : a->why.clause, "code", (int)a->code, "warning", (int)a->warning);
        break;
    case MCX_PC_NOTE_ENDED:
        ph->refused = ph->refused || a->cause == MCX_PC_CAUSE_NO_ANSWER || a->cause == MCX_PC_CAUSE_LOST;
        ue_report(ph->options->json, name, a->sentence, "{s:s, s:s}", "peer", a->peer, "cause",
                  mcx_privcall_cause_name(a->cause));
        break;
    default: ue_report(ph->options->json, name, a->sentence, "{s:s}", "peer", a->peer); break;
    }
}

static void media_listen(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    mcx_err err = ue_voice_listen(ph->voice, &a->media);

    if (err != MCX_OK) {
        ue_complain("media cannot be received", err, NULL);
        later(ph, MCX_PC_USER_HANGUP, a->dialog);
    }
}

static void media_start(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    mcx_err err = ue_voice_start(ph->voice, &a->media);

    ph->media_open = err == MCX_OK;
    err = err == MCX_OK ? ue_phone_floor_start(ph, &a->media) : err;
    if (err != MCX_OK) {
        ue_complain("media cannot be started", err, NULL);
        later(ph, MCX_PC_USER_HANGUP, a->dialog);
        return;
    }
    if (ph->options->hangup_after_ms != 0) {
        (void)!mcx_timer_start(&ph->user_timer, ph->options->hangup_after_ms, on_hangup_after, ph);
    }
}

static void media_stop(struct ue_phone *ph)
{
    struct ue_voice_counts c = { 0 };

    mcx_timer_stop(&ph->user_timer);
    ue_phone_floor_stop(ph);
    ue_voice_stop(ph->voice);
    if (!ph->media_open) {
        return; /* nobody has answered */
    }
    ph->media_open = false;
    c = ue_voice_counts(ph->voice);
    ue_report(ph->options->json, "media", NULL, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sent", (json_int_t)c.sent,
              "received", (json_int_t)c.received, "late", (json_int_t)c.late, "lost", (json_int_t)c.lost, "duplicates",
              (json_int_t)c.duplicates, "concealed", (json_int_t)c.concealed, "refused", (json_int_t)c.refused,
              "floor_refused", (json_int_t)ue_talk_refused(ph->talk));
}

static void timer_start(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    struct ue_timer *t = &ph->timers[a->timer];

    t->dialog = a->dialog;
    if (mcx_timer_start(&t->timer, a->delay_ms, on_timer, t) != MCX_OK) {
        ue_complain("a timer cannot be started", MCX_E_NOMEM, NULL);
    }
}

static void act(struct ue_phone *ph, const struct mcx_privcall_action *a)
{
    mcx_err err = MCX_OK;

    switch (a->act) {
    case MCX_PC_SEND_INVITE: err = ue_send_invite(ph, a); break;
    case MCX_PC_SEND_RINGING: err = ue_send_ringing(ph, a); break;
    case MCX_PC_SEND_OK: err = ue_send_ok(ph, a); break;
    case MCX_PC_SEND_REFUSAL: err = ue_send_refusal(ph, a); break;
    case MCX_PC_SEND_CANCEL: ue_send_hangup(ph, a); break;
    case MCX_PC_SEND_BYE:
        if (ph->preest == NULL || !ue_preest_leave(ph->preest, a->dialog)) {
            ue_send_hangup(ph, a);
        }
        break;
    case MCX_PC_SEND_CONNECT_ACK: err = ue_preest_acknowledge(ph->preest, a); break;
    case MCX_PC_LISTEN: media_listen(ph, a); break;
    case MCX_PC_START_MEDIA: media_start(ph, a); break;
    case MCX_PC_STOP_MEDIA: media_stop(ph); break;
    case MCX_PC_START_TIMER: timer_start(ph, a); break;
    case MCX_PC_STOP_TIMER: mcx_timer_stop(&ph->timers[a->timer].timer); break;
    case MCX_PC_TELL: tell(ph, a); break;
    }
    if (err != MCX_OK) {
        ue_complain("a SIP message cannot be sent", err, NULL);
        later(ph, MCX_PC_RX_LOST, a->dialog);
    }
}

/* Between calls only: a call that is being set up goes on with the keys that it began with. */
static void keys_take(struct ue_phone *ph)
{
    if (ph->fresh_keys && mcx_privcall_state(ph->pc) == MCX_PC_IDLE) {
        ph->fresh_keys = false;
        ue_keys_renew(ph->keys, ph->pc);
    }
}

static void on_fresh_keys(void *arg)
{
    struct ue_phone *ph = arg;

    ph->fresh_keys = true;
    keys_take(ph);
}

/* What follows from the state that a step has led to. */
static void after_step(struct ue_phone *ph, enum mcx_privcall_state before)
{
    enum mcx_privcall_state now = mcx_privcall_state(ph->pc);

    if (now == MCX_PC_ALERTING && before != now) {
        ask_user(ph);
    }
    if (now == MCX_PC_IDLE && before != now) {
        keys_take(ph);
        mcx_timer_stop(&ph->user_timer);
        ue_report(ph->options->json, "idle", NULL, "{s:b}", "keys_wiped", (int)!mcx_privcall_holds_key(ph->pc));
        line_free(ph);
    }
}

static void step_one(struct ue_phone *ph, struct mcx_privcall_in in)
{
    enum mcx_privcall_state before = mcx_privcall_state(ph->pc);
    struct mcx_privcall_actions *actions = &ph->actions;

    in.now = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    mcx_privcall_set_csk(ph->pc, ue_link_has_csk(&ph->link));
    if (mcx_privcall_step(ph->pc, &in, actions) != MCX_OK) {
        return; /* no row: dropped */
    }
    for (size_t i = 0; i < actions->num; i++) {
        act(ph, &actions->list[i]);
    }
    after_step(ph, before);
}

static void step(struct ue_phone *ph, const struct mcx_privcall_in *in)
{
    if (ph->stepping) {
        later(ph, in->event, in->dialog);
        return;
    }
    ph->stepping = true;
    step_one(ph, *in);
    while (ph->num_later > 0) {
        struct mcx_privcall_in next = ph->later[0];

        ph->num_later--;
        memmove(&ph->later[0], &ph->later[1], ph->num_later * sizeof ph->later[0]);
        step_one(ph, next);
    }
    ph->stepping = false;
}

void ue_phone_step(struct ue_phone *ph, const struct mcx_privcall_in *in)
{
    step(ph, in);
}

/* ---- registration, start, run ---- */

static void write_ready_file(struct ue_phone *ph)
{
    char text[512];
    int n = snprintf(text, sizeof text, "{\"id\":\"%s\",\"audio_port\":%u,\"floor_port\":%u,\"control_port\":%u}\n",
                     ph->options->id, (unsigned)ue_voice_audio_port(ph->voice), (unsigned)ue_talk_port(ph->talk),
                     ph->preest != NULL ? (unsigned)ue_preest_control_port(ph->preest) : 0);

    if (n < 0 || (size_t)n >= sizeof text ||
        mcx_file_replace(ph->options->ready_file, mcx_bytes(text, (size_t)n), 0644) != MCX_OK) {
        ue_complain("the ready file cannot be written", MCX_E_IO, NULL);
    }
}

void ue_phone_ready(struct ue_phone *ph)
{
    if (ph->options->ready_file != NULL && !ph->ready) {
        write_ready_file(ph);
    }
    ph->ready = true;
}

static void registered(struct ue_phone *ph)
{
    ue_report(ph->options->json, "registered", "You are registered", "{s:s, s:s}", "id", ph->options->id, "server",
              ph->options->server);
    if (ph->preest != NULL) {
        ue_preest_start(ph->preest);
    } else {
        ue_phone_ready(ph);
    }
    if (ph->options->command == UE_REGISTER) {
        finish(ph, EXIT_DONE);
    } else if (ph->options->command == UE_CALL) {
        struct mcx_privcall_in in = {
            .event = MCX_PC_USER_CALL,
            .dialog = ++ph->link.last_dialog,
            .callee = mcx_bytes_str(ph->options->to),
            .commencement = ph->options->commencement,
            .floor = !ph->options->no_floor,
            .request_floor = ph->options->play != NULL,
        };

        ph->caller = true;
        step(ph, &in);
        if (mcx_privcall_state(ph->pc) == MCX_PC_IDLE) {
            line_free(ph); /* there was no key */
        }
    }
}

static void on_registration(void *arg, uint16_t code, const struct mcx_sip_msg *response)
{
    struct ue_phone *ph = arg;

    if (ph->finishing) {
        return;
    }
    if (code == 200) {
        if (!ph->registered) {
            ph->registered = true;
            registered(ph);
        } else if (ph->link.off) {
            ue_report(ph->options->json, "registered", "You are registered again", "{s:s, s:s}", "id", ph->options->id,
                      "server", ph->options->server);
        }
        return;
    }
    ph->refused = true;
    ue_registration_refused(&ph->link, code, response);
    if (mcx_privcall_state(ph->pc) == MCX_PC_IDLE) {
        finish(ph, code == 0 ? EXIT_ENVIRONMENT : EXIT_REFUSED);
    }
}

static mcx_err machine_new(struct ue_phone *ph)
{
    const struct ue_options *o = ph->options;
    struct mcx_privcall_config config = {
        .own_id = o->id,
        .ring = ue_keys_ring(ph->keys),
        .replay = ue_keys_replay(ph->keys),
        .started = ue_keys_started(ph->keys),
        .rng = mcx_rng_system(),
        .manual = o->manual,
        .allow_clear = o->allow_clear,
        .local_address = ph->link.local_address,
        .audio_port = ue_voice_audio_port(ph->voice),
        .floor_port = ue_talk_port(ph->talk),
        .amrwb = { .payload_type = AMRWB_PAYLOAD_TYPE, .mode_set = 0x1ff },
        .savp = o->savp,
        .key_mgmt_level = o->key_mgmt_level,
    };

    memcpy(config.timer_ms, o->timer_ms, sizeof config.timer_ms);
    for (size_t i = 0; i < MCX_PC_NUM_TIMERS; i++) {
        ph->timers[i].phone = ph;
        ph->timers[i].which = (enum mcx_privcall_timer)i;
    }
    return mcx_privcall_new(&ph->pc, &config);
}

static mcx_err setup(struct ue_phone *ph, struct mcx_refusal *why)
{
    struct ue_voice_config voice = { .address = ph->link.local_address,
                                     .play = ph->options->play,
                                     .record = ph->options->record,
                                     .json = ph->options->json,
                                     .on_played = ue_phone_played,
                                     .on_heard = ue_phone_heard,
                                     .arg = ph };

    MCX_TRY(ue_link_address(&ph->link, why));
    MCX_TRY(ue_voice_new(&ph->voice, &voice, why));
    MCX_TRY(ue_phone_floor_new(ph));
    MCX_TRY(machine_new(ph));
    if (ph->options->preestablished) {
        MCX_TRY(ue_preest_new(&ph->preest, ph));
    }
    MCX_TRY(ue_link_open(&ph->link, ue_phone_invited, why));
    ue_keys_watch(ph->keys, on_fresh_keys, ph);
    MCX_TRY(ue_console_open(&ph->console, on_line, ph));
    return ue_link_register(&ph->link, on_registration);
}

static void teardown(struct ue_phone *ph)
{
    ue_keys_unwatch(ph->keys);
    for (size_t i = 0; i < MCX_PC_NUM_TIMERS; i++) {
        mcx_timer_clear(&ph->timers[i].timer);
    }
    mcx_timer_clear(&ph->user_timer);
    ue_console_close(ph->console);
    mcx_timer_clear(&ph->linger);
    ue_link_close(&ph->link);
    ue_preest_free(ph->preest);
    mcx_privcall_free(ph->pc);
    if (!ue_voice_free(ph->voice)) {
        ue_complain("the recording could not be written completely", MCX_E_IO, NULL);
        ph->exit_code = EXIT_ENVIRONMENT;
    }
    ue_talk_free(ph->talk);
}

int ue_phone_run(const struct ue_options *options, struct ue_keys *keys)
{
    static struct ue_phone phone; /* large buffers; one phone a process */
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;

    phone = (struct ue_phone){ .options = options,
                               .keys = keys,
                               .link = { .options = options, .keys = keys, .owner = &phone },
                               .exit_code = EXIT_ENVIRONMENT };
    the_phone = &phone;
    if (mcx_loop_open(64) != MCX_OK) {
        ue_complain("the event loop cannot be started", MCX_E_IO, NULL);
        return EXIT_ENVIRONMENT;
    }
    err = setup(&phone, &why);
    if (err != MCX_OK) {
        ue_complain("cannot start", err, &why);
    } else if (!phone.finishing) {
        (void)!mcx_loop_run(on_signal);
    }
    teardown(&phone);
    mcx_loop_close();
    return phone.exit_code;
}
