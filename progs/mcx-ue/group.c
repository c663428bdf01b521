/* SPDX-License-Identifier: Apache-2.0 */
/* The group radio: the group call's state machine between SIP, media, floor control, keys and the user's commands. */
#define _GNU_SOURCE
#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "io/file.h"

#define AMRWB_PAYLOAD_TYPE 97

/* Signals reach the loop without an argument; a process has one radio. */
static struct ue_group *the_group;

static void later(struct ue_group *g, struct mcx_groupcall_in in)
{
    if (g->num_later < UE_MAX_LATER) {
        g->later[g->num_later++] = in;
    }
}

/* ---- the end ---- */

static void on_unregistered(void *arg)
{
    (void)arg;
    mcx_loop_stop();
}

static void finish(struct ue_group *g, int code)
{
    if (g->finishing) {
        return;
    }
    g->finishing = true;
    g->exit_code = code;
    if (mcx_groupcall_state(g->gc) != MCX_GC_IDLE) {
        struct mcx_groupcall_in in = { .event = MCX_GC_USER_LEAVE };

        ue_group_step(g, &in);
    }
    ue_group_sip_close(g);
    if (g->link.reg == NULL) {
        mcx_loop_stop();
        return;
    }
    mcx_sip_reg_end(g->link.reg, on_unregistered, g);
    g->link.reg = NULL;
}

static void on_signal(int sig)
{
    (void)sig;
    if (the_group->finishing) {
        mcx_loop_stop(); /* the second time: at once, without waiting for the server */
        return;
    }
    finish(the_group, EXIT_DONE);
}

/* ---- who speaks ---- */

static void know(struct ue_group *g, const char *mcptt_id)
{
    for (size_t i = 0; i < g->num_known; i++) {
        if (strcmp(g->known[i], mcptt_id) == 0) {
            return;
        }
    }
    if (mcptt_id[0] != '\0' && g->num_known < UE_MAX_KNOWN) {
        (void)snprintf(g->known[g->num_known++], sizeof g->known[0], "%s", mcptt_id);
    }
}

/* The GUK-ID is made of GMK-ID, GMK and MCPTT ID: whoever's comes out right is the speaker (TS 33.180 5.2.3, F.1.3). */
static const char *name_of(const struct ue_group *g, const struct mcx_group_speaker *speaker)
{
    const struct mcx_group_key *key = NULL;
    uint32_t guk_id = 0;

    for (size_t i = 0; i < mcx_group_keys_num(ue_group_keys_now(g->group_keys)); i++) {
        const struct mcx_group_key *k = mcx_group_keys_at(ue_group_keys_now(g->group_keys), i);

        key = k->type == MCX_KEY_GMK && !k->revoked && k->key_id == speaker->gmk_id ? k : key;
    }
    for (size_t i = 0; key != NULL && i < g->num_known; i++) {
        if (mcx_guk_id(&guk_id, key->key_id, &key->key, mcx_bytes_str(g->known[i])) == MCX_OK &&
            guk_id == speaker->guk_id) {
            return g->known[i];
        }
    }
    return "";
}

static void tell_speaker(struct ue_group *g)
{
    const char *name = name_of(g, &g->speaker);
    bool other = name[0] != '\0' && g->talker[0] != '\0' && strcmp(name, g->talker) != 0;
    char sentence[2 * MCX_MCPTT_VALUE_MAX + 64];
    char guk_id[9];
    char key_id[9];
    char ssrc[9];

    (void)snprintf(guk_id, sizeof guk_id, "%08x", (unsigned)g->speaker.guk_id);
    (void)snprintf(key_id, sizeof key_id, "%08x", (unsigned)g->speaker.gmk_id);
    (void)snprintf(ssrc, sizeof ssrc, "%08x", (unsigned)g->speaker.ssrc);
    if (other) {
        (void)snprintf(sentence, sizeof sentence, "You hear %s, although the server names %s", name, g->talker);
    } else {
        (void)snprintf(sentence, sizeof sentence, "You hear %s", name[0] == '\0' ? "somebody" : name);
    }
    ue_report(g->options->json, "speaker", sentence, "{s:s, s:s, s:s, s:s, s:s}", "mcptt_id", name, "claimed",
              g->talker, "guk_id", guk_id, "key_id", key_id, "ssrc", ssrc);
}

static void on_speaker(void *arg, const struct mcx_group_speaker *speaker)
{
    struct ue_group *g = arg;

    g->speaker = *speaker;
    tell_speaker(g);
}

/* The server says who speaks; what he says of himself by his key is in the packets. */
static void on_talker(void *arg, const char *mcptt_id)
{
    struct ue_group *g = arg;
    bool unnamed = g->speaker.guk_id != 0 && name_of(g, &g->speaker)[0] == '\0';

    (void)snprintf(g->talker, sizeof g->talker, "%s", mcptt_id);
    know(g, mcptt_id);
    if (unnamed && name_of(g, &g->speaker)[0] != '\0') {
        tell_speaker(g);
    }
}

/* ---- media and floor ---- */

static void on_heard(void *arg)
{
    struct ue_group *g = arg;

    ue_talk_heard(g->talk);
}

static void on_mic(void *arg, bool open)
{
    struct ue_group *g = arg;

    ue_radio_mic(g->radio, open);
}

static void on_played(void *arg)
{
    struct ue_group *g = arg;

    ue_report(g->options->json, "played", "All of the file has been spoken", "{}");
}

static void media_listen(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    mcx_err err = ue_radio_listen(g->radio, &a->media);

    if (err != MCX_OK) {
        ue_complain("media cannot be received", err, NULL);
        later(g, (struct mcx_groupcall_in){ .event = MCX_GC_USER_LEAVE, .dialog = a->dialog });
    }
}

static mcx_err media_try(struct ue_group *g, const struct mcx_groupcall_media *m, struct mcx_refusal *why)
{
    const struct ue_talk_params talk = { .address = m->floor_address,
                                         .port = m->floor_port,
                                         .channel = m->protect_floor ? ue_link_channel(&g->link) : NULL,
                                         .priority = m->priority,
                                         .queueing = m->queueing,
                                         .indicator = m->indicator,
                                         .implicit_request = m->implicit_request,
                                         .granted = m->granted };

    MCX_TRY(ue_radio_start(g->radio, m, why));
    g->media_open = true;
    MCX_TRY(ue_talk_start(g->talk, &talk));
    if (m->request_floor) {
        ue_talk_push(g->talk);
    }
    return MCX_OK;
}

static void media_start(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    struct mcx_refusal why = { 0 };
    mcx_err err = media_try(g, &a->media, &why);

    if (err != MCX_OK) {
        ue_complain("media cannot be started", err, &why);
        later(g, (struct mcx_groupcall_in){ .event = MCX_GC_USER_LEAVE, .dialog = a->dialog });
    }
}

static void media_stop(struct ue_group *g)
{
    struct ue_radio_counts c;

    ue_talk_stop(g->talk);
    ue_radio_stop(g->radio);
    g->speaker = (struct mcx_group_speaker){ 0 };
    g->talker[0] = '\0';
    g->mute = false;
    if (!g->media_open) {
        return; /* nobody has answered */
    }
    g->media_open = false;
    c = ue_radio_counts(g->radio);
    ue_report(g->options->json, "media", NULL, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sent",
              (json_int_t)c.sent, "unsent", (json_int_t)c.unsent, "received", (json_int_t)c.received, "late",
              (json_int_t)c.late, "lost", (json_int_t)c.lost, "duplicates", (json_int_t)c.duplicates, "concealed",
              (json_int_t)c.concealed, "refused", (json_int_t)c.refused, "unknown_key", (json_int_t)c.unknown_key,
              "floor_refused", (json_int_t)ue_talk_refused(g->talk));
}

/* ---- keys ---- */

static void refused(struct ue_group *g, const char *group, const char *cause, const char *sentence,
                    const struct mcx_refusal *why)
{
    ue_report(g->options->json, "refused", sentence, "{s:s, s:s, s:s, s:s, s:i, s:i}", "group", group, "cause", cause,
              "reason", why->reason == NULL ? "" : why->reason, "clause", why->clause == NULL ? "" : why->clause,
              "code", 0, "warning", 0);
}

/* The file has changed, or one of its keys begins or ends; a call goes on with what there is now. */
static void on_group_keys(void *arg)
{
    struct ue_group *g = arg;
    const struct mcx_group_keys *keys = ue_group_keys_now(g->group_keys);
    struct mcx_refusal why = { 0 };
    bool switched = false;
    bool could_send = ue_radio_key_id(g->radio) != 0;
    mcx_err err = ue_radio_set_keys(g->radio, keys, &switched, &why);
    char key_id[9];

    mcx_groupcall_set_keys(g->gc, keys);
    (void)snprintf(key_id, sizeof key_id, "%08x", (unsigned)ue_radio_key_id(g->radio));
    g->mute = err != MCX_OK && (g->mute || could_send);
    if (g->mute && could_send) {
        ue_talk_release(g->talk);
        refused(g, mcx_groupcall_group(g->gc), "no-key",
                "There is no key to speak with any more; what you say is not sent", &why);
    } else if (switched) {
        ue_report(g->options->json, "key", "From now on you speak under another key", "{s:s, s:s}", "status", "in-use",
                  "key_id", key_id);
    }
}

static void keys_take(struct ue_group *g)
{
    if (g->fresh_keys && mcx_groupcall_state(g->gc) == MCX_GC_IDLE) {
        g->fresh_keys = false;
        ue_keys_renew(g->keys, NULL);
    }
}

static void on_fresh_keys(void *arg)
{
    struct ue_group *g = arg;

    g->fresh_keys = true;
    keys_take(g);
}

/* ---- actions ---- */

static void tell_refused(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    g->refused = true;
    ue_report(g->options->json, "refused", a->sentence, "{s:s, s:s, s:s, s:s, s:i, s:i}", "group", a->group, "cause",
              mcx_groupcall_cause_name(a->cause), "reason", a->why.reason == NULL ? "" : a->why.reason, "clause",
              a->why.clause == NULL ? "" : a->why.clause, "code", (int)a->code, "warning", (int)a->warning);
}

static void tell(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    const char *type = mcx_groupcall_type_name(a->type);
    bool json = g->options->json;
    char key_id[9];
    char event[32];

    (void)snprintf(key_id, sizeof key_id, "%08x", (unsigned)a->key_id);
    (void)snprintf(event, sizeof event, "group-%s", mcx_groupcall_note_name(a->note));
    switch (a->note) {
    case MCX_GC_NOTE_REFUSED: tell_refused(g, a); break;
    case MCX_GC_NOTE_ESTABLISHED:
        know(g, a->caller);
        ue_report(json, event, a->sentence, "{s:s, s:s, s:s, s:s, s:s, s:b}", "group", a->group, "session",
                  mcx_mcptt_session_name(a->session), "type", type, "caller", a->caller, "key_id", key_id, "secure",
                  (int)(a->key_id != 0));
        break;
    case MCX_GC_NOTE_ENDED:
        ue_report(json, event, a->sentence, "{s:s, s:s}", "group", a->group, "cause",
                  mcx_groupcall_cause_name(a->cause));
        break;
    case MCX_GC_NOTE_OFFER_REFUSED:
        ue_report(json, event, a->sentence, "{s:s, s:s, s:s, s:s, s:i}", "group", a->group, "cause",
                  mcx_groupcall_cause_name(a->cause), "reason", a->why.reason == NULL ? "" : a->why.reason, "clause",
                  a->why.clause == NULL ? "" : a->why.clause, "code", (int)a->code);
        break;
    case MCX_GC_NOTE_NOT_CHANGED:
        ue_report(json, event, a->sentence, "{s:s, s:s, s:i, s:i}", "group", a->group, "type", type, "code",
                  (int)a->code, "warning", (int)a->warning);
        break;
    default:
        ue_report(json, event, a->sentence, "{s:s, s:s, s:s}", "group", a->group, "type", type, "caller", a->caller);
        break;
    }
}

static void on_timer(void *arg)
{
    struct ue_group_timer *t = arg;
    struct mcx_groupcall_in in = { .event = MCX_GC_TIMER, .timer = t->which, .dialog = t->dialog };

    ue_group_step(t->group, &in);
}

static void timer_start(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    struct ue_group_timer *t = &g->timers[a->timer];

    t->dialog = a->dialog;
    if (mcx_timer_start(&t->timer, a->delay_ms, on_timer, t) != MCX_OK) {
        ue_complain("a timer cannot be started", MCX_E_NOMEM, NULL);
    }
}

static void act(struct ue_group *g, const struct mcx_groupcall_action *a)
{
    mcx_err err = MCX_OK;

    switch (a->act) {
    case MCX_GC_SEND_INVITE: err = ue_group_send_invite(g, a); break;
    case MCX_GC_SEND_REINVITE: err = ue_group_send_reinvite(g, a); break;
    case MCX_GC_SEND_OK: err = ue_group_send_ok(g, a); break;
    case MCX_GC_SEND_REFUSAL: err = ue_group_send_refusal(g, a); break;
    case MCX_GC_SEND_CANCEL:
    case MCX_GC_SEND_BYE: ue_group_send_hangup(g, a); break;
    case MCX_GC_LISTEN: media_listen(g, a); break;
    case MCX_GC_START_MEDIA: media_start(g, a); break;
    case MCX_GC_SET_TYPE: ue_talk_set_priority(g->talk, a->media.priority, a->media.indicator); break;
    case MCX_GC_STOP_MEDIA: media_stop(g); break;
    case MCX_GC_START_TIMER: timer_start(g, a); break;
    case MCX_GC_STOP_TIMER: mcx_timer_stop(&g->timers[a->timer].timer); break;
    case MCX_GC_TELL: tell(g, a); break;
    }
    if (err == MCX_E_STATE && a->act == MCX_GC_SEND_REINVITE) {
        later(g, (struct mcx_groupcall_in){ .event = MCX_GC_RX_FAILURE, .dialog = a->dialog, .code = 491 }); /* busy */
    } else if (err != MCX_OK) {
        ue_complain("a SIP message cannot be sent", err, NULL);
        later(g, (struct mcx_groupcall_in){ .event = MCX_GC_RX_LOST, .dialog = a->dialog });
    }
}

static bool step_one(struct ue_group *g, struct mcx_groupcall_in in)
{
    in.now = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    mcx_groupcall_set_csk(g->gc, ue_link_has_csk(&g->link));
    if (mcx_groupcall_step(g->gc, &in, &g->actions) != MCX_OK) {
        return false; /* no row: dropped */
    }
    for (size_t i = 0; i < g->actions.num; i++) {
        act(g, &g->actions.list[i]);
    }
    if (mcx_groupcall_state(g->gc) == MCX_GC_IDLE) {
        keys_take(g);
    }
    return true;
}

void ue_group_step(struct ue_group *g, const struct mcx_groupcall_in *in)
{
    if (g->stepping) {
        later(g, (struct mcx_groupcall_in){ .event = in->event, .dialog = in->dialog });
        return;
    }
    g->stepping = true;
    (void)step_one(g, *in);
    while (g->num_later > 0) {
        struct mcx_groupcall_in next = g->later[0];

        g->num_later--;
        memmove(&g->later[0], &g->later[1], g->num_later * sizeof g->later[0]);
        (void)step_one(g, next);
    }
    g->stepping = false;
}

/* ---- affiliation ---- */

static size_t affiliation_find(const struct ue_group *g, const char *group)
{
    size_t i = 0;

    while (i < g->affiliation.num_groups && strcmp(g->affiliation.group[i].group, group) != 0) {
        i++;
    }
    return i;
}

static void affiliation_drop(struct ue_group *g, size_t i)
{
    struct mcx_affiliation *a = &g->affiliation;

    (void)!mcx_groupcall_affiliate(g->gc, mcx_bytes_str(a->group[i].group), false);
    memmove(&a->group[i], &a->group[i + 1], (a->num_groups - i - 1) * sizeof a->group[0]);
    a->num_groups--;
}

static void publish(struct ue_group *g)
{
    mcx_err err = g->pub != NULL || g->affiliation.num_groups > 0 ? ue_group_publish(g) : MCX_OK;

    if (err != MCX_OK) {
        ue_complain("the affiliation cannot be published", err, NULL);
    }
}

static void affiliate(struct ue_group *g, const char *group, bool wanted)
{
    struct mcx_affiliation *a = &g->affiliation;
    size_t i = affiliation_find(g, group);

    if (wanted && i == a->num_groups) {
        if (i == MCX_GC_AFFILIATIONS_MAX || strlen(group) >= sizeof a->group[0].group) {
            refused(g, group, "too-many", "You cannot be affiliated to more groups",
                    &(struct mcx_refusal){ "too many groups", "TS 24.379 9.2.1.2" });
            return;
        }
        memset(&a->group[i], 0, sizeof a->group[i]);
        memcpy(a->group[i].group, group, strlen(group) + 1);
        a->num_groups++;
    } else if (!wanted && i < a->num_groups) {
        affiliation_drop(g, i);
    }
    publish(g);
}

static json_t *affiliated_groups(const struct ue_group *g)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < g->affiliation.num_groups; i++) {
        (void)json_array_append_new(list, json_string(g->affiliation.group[i].group));
    }
    return list;
}

void ue_group_affiliated(struct ue_group *g, uint16_t code, unsigned warning)
{
    struct mcx_affiliation *a = &g->affiliation;

    if (code == 200) {
        for (size_t i = 0; i < a->num_groups; i++) {
            (void)!mcx_groupcall_affiliate(g->gc, mcx_bytes_str(a->group[i].group), true);
        }
        ue_report(g->options->json, "affiliated", "The server knows which groups you listen to", "{s:o}", "groups",
                  affiliated_groups(g));
        return;
    }
    ue_report(g->options->json, "refused", "The server does not let you affiliate to these groups",
              "{s:o, s:s, s:s, s:s, s:i, s:i}", "groups", affiliated_groups(g), "cause", "affiliation", "reason", "",
              "clause", "TS 24.379 9.2.2.2.3", "code", (int)code, "warning", (int)warning);
    for (size_t i = a->num_groups; code != 0 && i-- > 0;) { /* what was not known before is given up */
        if (!mcx_groupcall_is_affiliated(g->gc, mcx_bytes_str(a->group[i].group))) {
            affiliation_drop(g, i);
        }
    }
}

/* ---- the user's lines ---- */

static void call(struct ue_group *g, const char *group, enum mcx_mcptt_session session, const char *how)
{
    struct mcx_groupcall_in in = {
        .event = MCX_GC_USER_CALL,
        .dialog = ++g->link.last_dialog,
        .group = mcx_bytes_str(group),
        .session = session,
        .type = strcmp(how, "emergency") == 0  ? MCX_GC_EMERGENCY
                : strcmp(how, "imminent") == 0 ? MCX_GC_IMMINENT_PERIL
                                               : MCX_GC_NORMAL,
        .request_floor = strcmp(how, "push") == 0,
    };

    ue_group_step(g, &in);
}

static void user_says(struct ue_group *g, enum mcx_groupcall_event event, enum mcx_groupcall_type type)
{
    struct mcx_groupcall_in in = { .event = event, .type = type };

    ue_group_step(g, &in);
}

static void do_affiliate(struct ue_group *g, char *const *w)
{
    affiliate(g, w[1], true);
}

static void do_deaffiliate(struct ue_group *g, char *const *w)
{
    affiliate(g, w[1], false);
}

static void do_call(struct ue_group *g, char *const *w)
{
    call(g, w[1], MCX_SESSION_PREARRANGED, w[2]);
}

static void do_join(struct ue_group *g, char *const *w)
{
    call(g, w[1], MCX_SESSION_CHAT, w[2]);
}

static void do_push(struct ue_group *g, char *const *w)
{
    (void)w;
    if (g->mute) {
        refused(g, mcx_groupcall_group(g->gc), "no-key", "There is no key to speak with; the floor is not asked for",
                &(struct mcx_refusal){ "no usable key of the group", "TS 33.180 5.7" });
        return;
    }
    ue_talk_push(g->talk);
}

static void do_release(struct ue_group *g, char *const *w)
{
    (void)w;
    ue_talk_release(g->talk);
}

static void do_position(struct ue_group *g, char *const *w)
{
    (void)w;
    ue_talk_ask_position(g->talk);
}

static void do_emergency(struct ue_group *g, char *const *w)
{
    (void)w;
    user_says(g, MCX_GC_USER_CHANGE, MCX_GC_EMERGENCY);
}

static void do_imminent(struct ue_group *g, char *const *w)
{
    (void)w;
    user_says(g, MCX_GC_USER_CHANGE, MCX_GC_IMMINENT_PERIL);
}

static void do_normal(struct ue_group *g, char *const *w)
{
    (void)w;
    user_says(g, MCX_GC_USER_CHANGE, MCX_GC_NORMAL);
}

static void do_leave(struct ue_group *g, char *const *w)
{
    (void)w;
    user_says(g, MCX_GC_USER_LEAVE, MCX_GC_NORMAL);
}

static void do_quit(struct ue_group *g, char *const *w)
{
    (void)w;
    finish(g, EXIT_DONE);
}

static const struct command {
    const char *name;
    size_t num_words; /* it needs, itself included */
    void (*run)(struct ue_group *g, char *const *words);
} commands[] = {
    { "affiliate", 2, do_affiliate }, { "deaffiliate", 2, do_deaffiliate },
    { "call", 2, do_call },           { "join", 2, do_join },
    { "push", 1, do_push },           { "release", 1, do_release },
    { "position", 1, do_position },   { "emergency", 1, do_emergency },
    { "imminent", 1, do_imminent },   { "normal", 1, do_normal },
    { "leave", 1, do_leave },         { "quit", 1, do_quit },
};

static void on_line(void *arg, char *line)
{
    struct ue_group *g = arg;
    char nothing[] = "";
    char *words[3] = { nothing, nothing, nothing };
    char *rest = NULL;
    size_t num = 0;

    for (char *w = strtok_r(line, " \t\r", &rest); w != NULL && num < 3; w = strtok_r(NULL, " \t\r", &rest)) {
        words[num++] = w;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(words[0], commands[i].name) == 0 && num >= commands[i].num_words) {
            if (!g->finishing) {
                commands[i].run(g, words);
            }
            return;
        }
    }
    if (num > 0) {
        fprintf(stderr, "mcx-ue: not a command: %s; 'mcx-ue --help' lists them\n", words[0]);
    }
}

/* ---- registration, start, run ---- */

static void write_ready_file(struct ue_group *g)
{
    char text[512];
    int n = snprintf(text, sizeof text, "{\"id\":\"%s\",\"audio_port\":%u,\"floor_port\":%u}\n", g->options->id,
                     (unsigned)ue_radio_port(g->radio), (unsigned)ue_talk_port(g->talk));

    if (n < 0 || (size_t)n >= sizeof text ||
        mcx_file_replace(g->options->ready_file, mcx_bytes(text, (size_t)n), 0644) != MCX_OK) {
        ue_complain("the ready file cannot be written", MCX_E_IO, NULL);
    }
}

static void on_registration(void *arg, uint16_t code, const struct mcx_sip_msg *response)
{
    struct ue_group *g = arg;

    if (g->finishing) {
        return;
    }
    if (code != 200) {
        ue_registration_refused(&g->link, code, response);
        finish(g, code == 0 ? EXIT_ENVIRONMENT : EXIT_REFUSED);
        return;
    }
    if (g->registered && !g->link.off) {
        return;
    }
    ue_report(g->options->json, "registered", g->registered ? "You are registered again" : "You are registered",
              "{s:s, s:s}", "id", g->options->id, "server", g->options->server);
    if (g->registered) {
        publish(g); /* a server that was started again knows of no affiliation */
        return;
    }
    g->registered = true;
    if (g->options->ready_file != NULL) {
        write_ready_file(g);
    }
}

/* A name of this client that nobody else has (TS 24.379 4.10): a random UUID (RFC 4122 4.4). */
static mcx_err client_id_make(struct ue_group *g)
{
    const struct mcx_rng rng = mcx_rng_system();
    uint8_t b[16];

    MCX_TRY(mcx_rng_fill(&rng, b, sizeof b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(g->affiliation.client_id, sizeof g->affiliation.client_id,
                   "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
                   b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return mcx_bytes_cstr(g->affiliation.mcptt_id, sizeof g->affiliation.mcptt_id, mcx_bytes_str(g->options->id));
}

static mcx_err machine_new(struct ue_group *g)
{
    const struct mcx_groupcall_config config = {
        .own_id = g->options->id,
        .keys = ue_group_keys_now(g->group_keys),
        .local_address = g->link.local_address,
        .audio_port = ue_radio_port(g->radio),
        .floor_port = ue_talk_port(g->talk),
        .amrwb = { .payload_type = AMRWB_PAYLOAD_TYPE, .mode_set = 0x1ff },
    };

    for (size_t i = 0; i < MCX_GC_NUM_TIMERS; i++) {
        g->timers[i].group = g;
        g->timers[i].which = (enum mcx_groupcall_timer)i;
    }
    return mcx_groupcall_new(&g->gc, &config);
}

static mcx_err setup(struct ue_group *g, struct mcx_refusal *why)
{
    const struct ue_radio_config radio = { .play = g->options->play,
                                           .record = g->options->record,
                                           .json = g->options->json,
                                           .address = g->link.local_address,
                                           .on_played = on_played,
                                           .on_heard = on_heard,
                                           .on_speaker = on_speaker,
                                           .arg = g };
    const struct ue_talk_config talk = {
        .address = g->link.local_address, .json = g->options->json, .on_mic = on_mic, .on_talker = on_talker, .arg = g
    };

    MCX_TRY(client_id_make(g));
    MCX_TRY(ue_link_address(&g->link, why));
    MCX_TRY(ue_radio_new(&g->radio, &radio, why));
    MCX_TRY(ue_talk_new(&g->talk, &talk));
    MCX_TRY(machine_new(g));
    MCX_TRY(ue_link_open(&g->link, ue_group_invited, why));
    ue_keys_watch(g->keys, on_fresh_keys, g);
    ue_group_keys_watch(g->group_keys, on_group_keys, g);
    MCX_TRY(ue_console_open(&g->console, on_line, g));
    MCX_TRY(ue_group_fetch_start(&g->fetch, g));
    return ue_link_register(&g->link, on_registration);
}

static void teardown(struct ue_group *g)
{
    ue_keys_unwatch(g->keys);
    ue_group_keys_unwatch(g->group_keys);
    ue_console_close(g->console);
    ue_group_fetch_stop(g->fetch);
    for (size_t i = 0; i < MCX_GC_NUM_TIMERS; i++) {
        mcx_timer_clear(&g->timers[i].timer);
    }
    ue_talk_free(g->talk);
    if (!ue_radio_free(g->radio)) {
        ue_complain("the recording could not be written completely", MCX_E_IO, NULL);
        g->exit_code = EXIT_ENVIRONMENT;
    }
    ue_link_close(&g->link);
    mcx_groupcall_free(g->gc);
}

int ue_group_run(const struct ue_options *options, struct ue_keys *keys)
{
    static struct ue_group group; /* large buffers; one radio a process */
    struct mcx_refusal why = { 0 };
    mcx_err err = MCX_OK;
    int code = EXIT_DONE;

    group = (struct ue_group){
        .options = options,
        .keys = keys,
        .link = { .options = options, .keys = keys, .owner = &group },
        .exit_code = EXIT_ENVIRONMENT,
    };
    the_group = &group;
    code = ue_group_keys_open(&group.group_keys, options);
    if (code != EXIT_DONE) {
        return code;
    }
    if (mcx_loop_open(64) != MCX_OK) {
        ue_complain("the event loop cannot be started", MCX_E_IO, NULL);
        ue_group_keys_close(group.group_keys);
        return EXIT_ENVIRONMENT;
    }
    err = setup(&group, &why);
    if (err != MCX_OK) {
        ue_complain("cannot start", err, &why);
    } else if (!group.finishing) {
        (void)!mcx_loop_run(on_signal);
    }
    teardown(&group);
    mcx_loop_close();
    ue_group_keys_close(group.group_keys);
    return group.exit_code;
}
