/* SPDX-License-Identifier: Apache-2.0 */
/* The floor participant: table, actions and the step (TS 24.380 6.2.4). */
#include <mcx/floor_participant.h>

#include <stdlib.h>
#include <string.h>

/* Events as the table knows them: messages by their type, the last expiry of a timer with a counter apart. */
enum fp_event {
    EV_STARTED,
    EV_STARTED_REQUEST,
    EV_STARTED_GRANTED,
    EV_RELEASING,
    EV_RELEASED,
    EV_PUSH,
    EV_LET_GO,
    EV_ASK,
    EV_RTP,
    EV_GRANTED,
    EV_TAKEN,
    EV_DENY,
    EV_IDLE,
    EV_REVOKE,
    EV_POSITION,
    EV_T100,
    EV_T100_LAST,
    EV_T101,
    EV_T101_LAST,
    EV_T103,
    EV_T104,
    EV_T104_LAST,
    EV_T132,
    EV_NONE,
};

/* What a row does, in the order in which it is done. */
#define DO_MUTE     0x00001u          /* first of all */
#define DO_STOP(t)  (0x00002u << (t)) /* MCX_FP_T100 to T132 */
#define DO_STOP_ALL (DO_STOP(0) | DO_STOP(1) | DO_STOP(2) | DO_STOP(3) | DO_STOP(4))
#define DO_ACK      0x00040u /* when the server asks for it */
#define DO_REQUEST  0x00080u
#define DO_RELEASE  0x00100u
#define DO_ASK      0x00200u
#define DO_START(t) (0x00400u << (t))
#define DO_TELL     0x08000u
#define DO_TALK     0x10000u /* only on the way to U: has permission */

#define T100 MCX_FP_T100
#define T101 MCX_FP_T101
#define T103 MCX_FP_T103
#define T104 MCX_FP_T104
#define T132 MCX_FP_T132

#define GIVE_BACK (DO_RELEASE | DO_START(T100))

struct mcx_fpart {
    enum mcx_fpart_state state;
    struct mcx_fpart_config config;
    bool running[MCX_FP_NUM_TIMERS];
    uint32_t count[MCX_FP_NUM_TIMERS]; /* C100, C101, C104: messages sent */
    bool again;                        /* U: pending release: the button has been pressed again */
    uint16_t dual;                     /* MCX_FI_DUAL when the Floor Revoke said so */
};

/* Conditions. */
enum fp_if {
    IF_ALWAYS,
    IF_CONFIRM,    /* a grant after queueing waits for the user */
    IF_WAITING,    /* and it is there: T132 runs */
    IF_NOT_QUEUED, /* position 254 */
    IF_AGAIN,      /* the button has been pressed again */
    IF_MAY_ASK,    /* queueing was negotiated, and no grant waits for the user */
};

struct row {
    const char *clause; /* what follows 6.2.4.; "" = 6.2.4.1 discards it, docs/DEVIATIONS.md says why we do not */
    enum mcx_fpart_state state;
    enum fp_event event;
    enum fp_if condition;
    enum mcx_fpart_state next;
    uint32_t acts;
    enum mcx_fpart_note note; /* with DO_TELL */
    const char *what;
};

#define STOPPED MCX_FP_START_STOP
#define NONE    MCX_FP_NO_PERMISSION
#define ASKED   MCX_FP_PENDING_REQUEST
#define HAS     MCX_FP_HAS_PERMISSION
#define GIVEN   MCX_FP_PENDING_RELEASE
#define QUEUED  MCX_FP_QUEUED
#define ENDING  MCX_FP_TERMINATED
#define N(note) MCX_FP_NOTE_##note

/* Of several rows for one state and event the first whose condition holds is taken. */
static const struct row rows[] = {
    /* 6.2.4.2 */
    { "2.2", STOPPED, EV_STARTED, IF_ALWAYS, NONE, 0, 0, "" },
    { "2.2", STOPPED, EV_STARTED_REQUEST, IF_ALWAYS, ASKED, DO_START(T101), 0,
      "the INVITE was the request; T101, C101 = 1" },
    { "4.2", STOPPED, EV_STARTED_GRANTED, IF_ALWAYS, HAS, DO_TELL | DO_TALK, N(GRANTED), "microphone open" },
    /* 6.2.4.3 */
    { "3.5", NONE, EV_PUSH, IF_ALWAYS, ASKED, DO_REQUEST | DO_START(T101), 0, "Floor Request; T101, C101 = 1" },
    { "3.2", NONE, EV_IDLE, IF_ALWAYS, NONE, DO_ACK | DO_STOP(T103) | DO_TELL, N(IDLE), "stop T103" },
    { "3.3", NONE, EV_TAKEN, IF_ALWAYS, NONE, DO_ACK | DO_START(T103) | DO_TELL, N(TAKEN), "T103" },
    { "3.4", NONE, EV_RTP, IF_ALWAYS, NONE, DO_START(T103), 0, "T103 anew" },
    { "3.6", NONE, EV_T103, IF_ALWAYS, NONE, DO_TELL, N(IDLE), "the media has ended" },
    { "", NONE, EV_DENY, IF_ALWAYS, NONE, DO_ACK, 0, "too late, nobody waits for it" },
    { "", NONE, EV_GRANTED, IF_ALWAYS, GIVEN, DO_ACK | GIVE_BACK, 0, "too late: Floor Release; T100, C100 = 1" },
    { "", NONE, EV_REVOKE, IF_ALWAYS, GIVEN, GIVE_BACK | DO_TELL, N(REVOKED), "Floor Release; T100, C100 = 1" },
    { "", NONE, EV_POSITION, IF_NOT_QUEUED, NONE, DO_ACK, 0, "nobody waits for it" },
    { "", NONE, EV_POSITION, IF_ALWAYS, GIVEN, DO_ACK | GIVE_BACK, 0,
      "leave the queue: Floor Release; T100, C100 = 1" },
    { "7.2", NONE, EV_RELEASING, IF_ALWAYS, ENDING, DO_STOP_ALL, 0, "stop all timers" },
    /* 6.2.4.4 */
    { "4.2", ASKED, EV_GRANTED, IF_ALWAYS, HAS, DO_STOP(T101) | DO_STOP(T103) | DO_ACK | DO_TELL | DO_TALK, N(GRANTED),
      "stop T101, T103; microphone open" },
    { "4.4", ASKED, EV_DENY, IF_ALWAYS, NONE, DO_STOP(T101) | DO_ACK | DO_TELL, N(DENIED), "stop T101" },
    { "4.9", ASKED, EV_POSITION, IF_NOT_QUEUED, NONE, DO_STOP(T101) | DO_ACK | DO_TELL, N(QUEUED),
      "stop T101; no place" },
    { "4.9", ASKED, EV_POSITION, IF_ALWAYS, QUEUED, DO_STOP(T101) | DO_ACK | DO_TELL, N(QUEUED), "stop T101" },
    { "", ASKED, EV_REVOKE, IF_ALWAYS, GIVEN, DO_STOP(T101) | DO_STOP(T103) | GIVE_BACK | DO_TELL, N(REVOKED),
      "stop T101, T103; Floor Release; T100, C100 = 1" },
    { "4.11", ASKED, EV_TAKEN, IF_ALWAYS, ASKED, DO_ACK | DO_START(T103) | DO_TELL, N(TAKEN),
      "T103; the request stands" },
    { "", ASKED, EV_IDLE, IF_ALWAYS, ASKED, DO_ACK | DO_STOP(T103) | DO_TELL, N(IDLE),
      "stop T103; the request stands" },
    { "4.7", ASKED, EV_RTP, IF_ALWAYS, ASKED, DO_START(T103), 0, "T103 anew" },
    { "", ASKED, EV_T103, IF_ALWAYS, ASKED, DO_TELL, N(IDLE), "the media has ended" },
    { "4.5", ASKED, EV_T101, IF_ALWAYS, ASKED, DO_REQUEST | DO_START(T101), 0, "Floor Request again; T101, C101 + 1" },
    { "4.6", ASKED, EV_T101_LAST, IF_ALWAYS, NONE, DO_TELL, N(NO_ANSWER), "C101 is used up" },
    { "4.8", ASKED, EV_LET_GO, IF_ALWAYS, GIVEN, DO_STOP(T101) | GIVE_BACK, 0,
      "stop T101; Floor Release; T100, C100 = 1" },
    { "7.2", ASKED, EV_RELEASING, IF_ALWAYS, ENDING, DO_STOP_ALL, 0, "stop all timers" },
    /* 6.2.4.5 */
    { "5.3", HAS, EV_LET_GO, IF_ALWAYS, GIVEN, DO_MUTE | GIVE_BACK | DO_TELL, N(RELEASED),
      "microphone closed; Floor Release; T100, C100 = 1" },
    { "5.4", HAS, EV_REVOKE, IF_ALWAYS, GIVEN, DO_MUTE | GIVE_BACK | DO_TELL, N(REVOKED),
      "microphone closed; Floor Release; T100, C100 = 1" },
    { "5.5", HAS, EV_GRANTED, IF_ALWAYS, HAS, DO_ACK, 0, "once more" },
    { "5.8", HAS, EV_TAKEN, IF_ALWAYS, HAS, DO_ACK | DO_TELL, N(TAKEN),
      "another one speaks too (dual floor, multi-talker)" },
    { "5.7", HAS, EV_IDLE, IF_ALWAYS, HAS, DO_ACK, 0, "the other one has ended" },
    { "5.6", HAS, EV_RTP, IF_ALWAYS, HAS, 0, 0, "" },
    { "7.2", HAS, EV_RELEASING, IF_ALWAYS, ENDING, DO_MUTE | DO_STOP_ALL, 0, "microphone closed; stop all timers" },
    /* 6.2.4.6 */
    { "", GIVEN, EV_PUSH, IF_ALWAYS, GIVEN, 0, 0, "asks when the release is over" },
    { "", GIVEN, EV_LET_GO, IF_AGAIN, GIVEN, 0, 0, "does not ask" },
    { "6.4", GIVEN, EV_IDLE, IF_AGAIN, ASKED,
      DO_STOP(T100) | DO_STOP(T103) | DO_ACK | DO_REQUEST | DO_START(T101) | DO_TELL, N(IDLE),
      "stop T100, T103; Floor Request; T101, C101 = 1" },
    { "6.4", GIVEN, EV_IDLE, IF_ALWAYS, NONE, DO_STOP(T100) | DO_STOP(T103) | DO_ACK | DO_TELL, N(IDLE),
      "stop T100, T103" },
    { "6.5", GIVEN, EV_TAKEN, IF_AGAIN, ASKED,
      DO_STOP(T100) | DO_ACK | DO_REQUEST | DO_START(T101) | DO_START(T103) | DO_TELL, N(TAKEN),
      "stop T100; T103; Floor Request; T101, C101 = 1" },
    { "6.5", GIVEN, EV_TAKEN, IF_ALWAYS, NONE, DO_STOP(T100) | DO_ACK | DO_START(T103) | DO_TELL, N(TAKEN),
      "stop T100; T103" },
    { "6.6", GIVEN, EV_RTP, IF_AGAIN, ASKED, DO_STOP(T100) | DO_REQUEST | DO_START(T101) | DO_START(T103), 0,
      "stop T100; T103; Floor Request; T101, C101 = 1" },
    { "6.6", GIVEN, EV_RTP, IF_ALWAYS, NONE, DO_STOP(T100) | DO_START(T103), 0, "stop T100; T103" },
    { "6.2", GIVEN, EV_T100, IF_ALWAYS, GIVEN, GIVE_BACK, 0, "Floor Release again; T100, C100 + 1" },
    { "6.3", GIVEN, EV_T100_LAST, IF_AGAIN, ASKED, DO_REQUEST | DO_START(T101) | DO_TELL, N(NO_ANSWER),
      "C100 is used up; Floor Request; T101, C101 = 1" },
    { "6.3", GIVEN, EV_T100_LAST, IF_ALWAYS, NONE, DO_TELL, N(NO_ANSWER), "C100 is used up" },
    { "", GIVEN, EV_T103, IF_ALWAYS, GIVEN, DO_TELL, N(IDLE), "the media has ended" },
    { "6.8", GIVEN, EV_GRANTED, IF_ALWAYS, GIVEN, DO_ACK, 0, "crossed the release" },
    { "6.7", GIVEN, EV_REVOKE, IF_ALWAYS, GIVEN, 0, 0, "crossed the release" },
    { "", GIVEN, EV_DENY, IF_ALWAYS, GIVEN, DO_ACK, 0, "crossed the release" },
    { "", GIVEN, EV_POSITION, IF_ALWAYS, GIVEN, DO_ACK, 0, "crossed the release" },
    { "7.2", GIVEN, EV_RELEASING, IF_ALWAYS, ENDING, DO_STOP_ALL, 0, "stop all timers" },
    /* 6.2.4.9 */
    { "9.7", QUEUED, EV_POSITION, IF_NOT_QUEUED, NONE, DO_STOP(T104) | DO_STOP(T132) | DO_ACK | DO_TELL, N(QUEUED),
      "stop T104, T132; no place any more" },
    { "9.7", QUEUED, EV_POSITION, IF_ALWAYS, QUEUED, DO_STOP(T104) | DO_ACK | DO_TELL, N(QUEUED), "stop T104" },
    { "9.4", QUEUED, EV_GRANTED, IF_CONFIRM, QUEUED, DO_STOP(T104) | DO_ACK | DO_START(T132) | DO_TELL, N(GRANTED),
      "stop T104; T132: the user has to confirm" },
    { "9.4", QUEUED, EV_GRANTED, IF_ALWAYS, HAS, DO_STOP(T104) | DO_STOP(T103) | DO_ACK | DO_TELL | DO_TALK, N(GRANTED),
      "stop T103, T104; microphone open" },
    { "9.12", QUEUED, EV_PUSH, IF_WAITING, HAS, DO_STOP(T103) | DO_STOP(T132) | DO_TALK, 0,
      "stop T103, T132; microphone open" },
    { "9.13", QUEUED, EV_T132, IF_ALWAYS, GIVEN, GIVE_BACK | DO_TELL, N(RELEASED), "Floor Release; T100, C100 = 1" },
    { "9.5", QUEUED, EV_DENY, IF_ALWAYS, NONE, DO_STOP(T104) | DO_STOP(T132) | DO_ACK | DO_TELL, N(DENIED),
      "stop T104, T132" },
    { "", QUEUED, EV_REVOKE, IF_ALWAYS, GIVEN, DO_STOP(T104) | DO_STOP(T132) | GIVE_BACK | DO_TELL, N(REVOKED),
      "stop T104, T132; Floor Release; T100, C100 = 1" },
    { "9.8", QUEUED, EV_IDLE, IF_ALWAYS, NONE, DO_STOP(T103) | DO_STOP(T104) | DO_STOP(T132) | DO_ACK | DO_TELL,
      N(IDLE), "stop T103, T104, T132" },
    { "9.3", QUEUED, EV_TAKEN, IF_ALWAYS, QUEUED, DO_ACK | DO_START(T103) | DO_TELL, N(TAKEN), "T103" },
    { "9.2", QUEUED, EV_RTP, IF_ALWAYS, QUEUED, DO_START(T103), 0, "T103 anew" },
    { "", QUEUED, EV_T103, IF_ALWAYS, QUEUED, DO_TELL, N(IDLE), "the media has ended" },
    { "9.9", QUEUED, EV_ASK, IF_MAY_ASK, QUEUED, DO_ASK | DO_START(T104), 0,
      "Floor Queue Position Request; T104, C104 = 1" },
    { "9.10", QUEUED, EV_T104, IF_ALWAYS, QUEUED, DO_ASK | DO_START(T104), 0,
      "Floor Queue Position Request again; T104, C104 + 1" },
    { "9.11", QUEUED, EV_T104_LAST, IF_ALWAYS, GIVEN, GIVE_BACK | DO_TELL, N(NO_ANSWER),
      "C104 is used up; Floor Release; T100, C100 = 1" },
    { "9.6", QUEUED, EV_LET_GO, IF_ALWAYS, GIVEN, DO_STOP(T104) | DO_STOP(T132) | GIVE_BACK | DO_TELL, N(RELEASED),
      "stop T104, T132; Floor Release; T100, C100 = 1" },
    { "7.2", QUEUED, EV_RELEASING, IF_ALWAYS, ENDING, DO_STOP_ALL, 0, "stop all timers" },
    /* 6.2.4.8 */
    { "8.2", ENDING, EV_RELEASED, IF_ALWAYS, STOPPED, 0, 0, "" },
};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

/* Defaults: docs/DEVIATIONS.md "fpart-timers". */
static const struct mcx_fpart_timer_info timers[MCX_FP_NUM_TIMERS] = {
    [T100] = { "T100", 2000, 3, "Floor Release; C100 counts its messages" },
    [T101] = { "T101", 2000, 3, "Floor Request; C101 counts its messages, an INVITE that counts as one included" },
    [T103] = { "T103", 4000, 0, "end of RTP media; should be equal to T1 of the server" },
    [T104] = { "T104", 2000, 3, "Floor Queue Position Request; C104 counts its messages" },
    [T132] = { "T132", 2000, 0, "queued granted user action" },
};

const struct mcx_fpart_timer_info *mcx_fpart_timer_info(enum mcx_fpart_timer timer)
{
    return (unsigned)timer < MCX_FP_NUM_TIMERS ? &timers[timer] : NULL;
}

/* ---- from what happened to the event of the table ---- */

static enum fp_event event_of_message(const struct mcx_floor_msg *msg)
{
    switch (msg->type) {
    case MCX_FLOOR_GRANTED: return EV_GRANTED;
    case MCX_FLOOR_TAKEN: return EV_TAKEN;
    case MCX_FLOOR_DENY: return EV_DENY;
    case MCX_FLOOR_IDLE: return EV_IDLE;
    case MCX_FLOOR_REVOKE: return EV_REVOKE;
    case MCX_FLOOR_QUEUE_POSITION_INFO: return EV_POSITION;
    default: return EV_NONE;
    }
}

/* An expiry that crossed the stop of its timer is none. */
static enum fp_event event_of_timer(const struct mcx_fpart *part, enum mcx_fpart_timer timer)
{
    bool last;

    if ((unsigned)timer >= MCX_FP_NUM_TIMERS || !part->running[timer]) {
        return EV_NONE;
    }
    last = part->count[timer] >= timers[timer].max_count;
    switch (timer) {
    case MCX_FP_T100: return last ? EV_T100_LAST : EV_T100;
    case MCX_FP_T101: return last ? EV_T101_LAST : EV_T101;
    case MCX_FP_T103: return EV_T103;
    case MCX_FP_T104: return last ? EV_T104_LAST : EV_T104;
    case MCX_FP_T132: return EV_T132;
    }
    return EV_NONE;
}

static enum fp_event event_of_start(const struct mcx_fpart_in *in)
{
    if (!in->implicit_request) {
        return EV_STARTED;
    }
    return in->granted ? EV_STARTED_GRANTED : EV_STARTED_REQUEST;
}

static enum fp_event event_of(const struct mcx_fpart *part, const struct mcx_fpart_in *in)
{
    switch (in->event) {
    case MCX_FP_CALL_STARTED: return event_of_start(in);
    case MCX_FP_CALL_RELEASING: return EV_RELEASING;
    case MCX_FP_CALL_RELEASED: return EV_RELEASED;
    case MCX_FP_PUSH: return EV_PUSH;
    case MCX_FP_RELEASE: return EV_LET_GO;
    case MCX_FP_ASK_POSITION: return EV_ASK;
    case MCX_FP_RTP: return EV_RTP;
    case MCX_FP_RX: return in->msg != NULL ? event_of_message(in->msg) : EV_NONE;
    case MCX_FP_TIMER: return event_of_timer(part, in->timer);
    }
    return EV_NONE;
}

static bool holds(enum fp_if condition, const struct mcx_fpart *part, const struct mcx_fpart_in *in)
{
    switch (condition) {
    case IF_ALWAYS: return true;
    case IF_CONFIRM: return part->config.confirm_grant;
    case IF_WAITING: return part->running[T132];
    case IF_NOT_QUEUED:
        return (in->msg->present & MCX_FF(MCX_FF_QUEUE_INFO)) != 0 && in->msg->queue_position == MCX_QUEUE_NOT_QUEUED;
    case IF_AGAIN: return part->again;
    case IF_MAY_ASK: return part->config.queueing && !part->running[T132];
    }
    return false;
}

static const struct row *find_row(const struct mcx_fpart *part, const struct mcx_fpart_in *in)
{
    enum fp_event event = event_of(part, in);

    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].state == part->state && rows[i].event == event && holds(rows[i].condition, part, in)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- actions ---- */

/* No row adds more than seven (test). */
static struct mcx_fpart_action *add(struct mcx_fpart_out *out, enum mcx_fpart_act act)
{
    struct mcx_fpart_action *a = &out->action[out->num];

    out->num += out->num < MCX_FP_MAX_ACTIONS - 1;
    *a = (struct mcx_fpart_action){ .act = act };
    return a;
}

static void stop_timers(struct mcx_fpart *part, struct mcx_fpart_out *out, uint32_t acts)
{
    for (size_t t = 0; t < MCX_FP_NUM_TIMERS; t++) {
        if ((acts & DO_STOP(t)) != 0 && part->running[t]) {
            part->running[t] = false;
            add(out, MCX_FP_STOP_TIMER)->timer = (enum mcx_fpart_timer)t;
        }
    }
}

/* The counter goes on when the timer is started by its own expiry. */
static void start_timers(struct mcx_fpart *part, struct mcx_fpart_out *out, const struct mcx_fpart_in *in,
                         uint32_t acts)
{
    for (size_t t = 0; t < MCX_FP_NUM_TIMERS; t++) {
        uint32_t ms = part->config.timer_ms[t];
        struct mcx_fpart_action *a;

        if ((acts & DO_START(t)) == 0) {
            continue;
        }
        part->count[t] = in->event == MCX_FP_TIMER && (size_t)in->timer == t ? part->count[t] + 1 : 1;
        part->running[t] = true;
        a = add(out, MCX_FP_START_TIMER);
        a->timer = (enum mcx_fpart_timer)t;
        a->delay_ms = ms != 0 ? ms : timers[t].default_ms;
    }
}

static struct mcx_floor_msg *add_message(struct mcx_fpart_out *out, enum mcx_floor_type type, uint32_t present)
{
    struct mcx_floor_msg *msg = &add(out, MCX_FP_SEND)->msg;

    msg->type = type;
    msg->present = present;
    return msg;
}

/* The Floor Release that answers a Floor Revoke says "dual floor" when that does (6.2.4.5.4). */
static uint16_t release_indicator(struct mcx_fpart *part, const struct mcx_fpart_in *in)
{
    if (part->state != GIVEN) { /* else it is sent again */
        bool revoked = in->event == MCX_FP_RX && in->msg->type == MCX_FLOOR_REVOKE;

        part->dual = revoked ? in->msg->indicator & MCX_FI_DUAL : 0;
    }
    return part->config.indicator | part->dual;
}

static void send_messages(struct mcx_fpart *part, struct mcx_fpart_out *out, const struct mcx_fpart_in *in,
                          uint32_t acts)
{
    if ((acts & DO_ACK) != 0 && in->msg->ack_wanted) {
        struct mcx_floor_msg *ack =
            add_message(out, MCX_FLOOR_ACK, MCX_FF(MCX_FF_SOURCE) | MCX_FF(MCX_FF_MESSAGE_TYPE));

        ack->source = MCX_SOURCE_PARTICIPANT;
        ack->acked_type = (uint8_t)in->msg->type;
    }
    if ((acts & DO_REQUEST) != 0) {
        struct mcx_floor_msg *msg =
            add_message(out, MCX_FLOOR_REQUEST, MCX_FF(MCX_FF_PRIORITY) | MCX_FF(MCX_FF_INDICATOR));

        msg->priority = part->config.priority;
        msg->indicator = part->config.indicator;
    }
    if ((acts & DO_RELEASE) != 0) {
        add_message(out, MCX_FLOOR_RELEASE, MCX_FF(MCX_FF_INDICATOR))->indicator = release_indicator(part, in);
    }
    if ((acts & DO_ASK) != 0) {
        (void)add_message(out, MCX_FLOOR_QUEUE_POSITION_REQUEST, 0);
    }
}

/* What the message says of the note; members whose field is absent stay zero. */
static void tell(struct mcx_fpart_out *out, enum mcx_fpart_note note, const struct mcx_floor_msg *msg)
{
    static const struct mcx_floor_msg none;
    struct mcx_fpart_action *a = add(out, MCX_FP_TELL);

    msg = msg != NULL ? msg : &none;
    a->note = note;
    a->talker = msg->granted_party;
    a->granted_ssrc = msg->granted_ssrc;
    a->may_request = (msg->present & MCX_FF(MCX_FF_PERMISSION)) == 0 || msg->permission != 0;
    a->indicator = msg->indicator;
    a->duration_s = msg->duration;
    a->cause = msg->cause;
    a->text = "";
    if (note == MCX_FP_NOTE_DENIED) {
        a->text = mcx_floor_deny_text(msg->cause);
    } else if (note == MCX_FP_NOTE_REVOKED) {
        a->text = mcx_floor_revoke_text(msg->cause);
    }
    a->position = (msg->present & MCX_FF(MCX_FF_QUEUE_INFO)) != 0 ? msg->queue_position : MCX_QUEUE_UNKNOWN;
    a->priority = msg->queue_priority;
}

mcx_err mcx_fpart_step(struct mcx_fpart *part, const struct mcx_fpart_in *in, struct mcx_fpart_out *out)
{
    const struct row *row = find_row(part, in);

    out->num = 0;
    if (row == NULL) {
        return MCX_E_STATE;
    }
    out->row = (size_t)(row - rows);
    if (in->event == MCX_FP_TIMER) {
        part->running[in->timer] = false;
    }
    if ((row->acts & DO_MUTE) != 0) {
        add(out, MCX_FP_STOP_TALK);
    }
    stop_timers(part, out, row->acts);
    send_messages(part, out, in, row->acts);
    start_timers(part, out, in, row->acts);
    if ((row->acts & DO_TELL) != 0) {
        tell(out, row->note, in->event == MCX_FP_RX ? in->msg : NULL);
    }
    if ((row->acts & DO_TALK) != 0) {
        add(out, MCX_FP_TALK);
    }
    part->again = row->next == GIVEN && (in->event == MCX_FP_PUSH || (part->again && in->event != MCX_FP_RELEASE));
    part->state = row->next;
    return MCX_OK;
}

mcx_err mcx_fpart_new(struct mcx_fpart **out, const struct mcx_fpart_config *config)
{
    struct mcx_fpart *part = calloc(1, sizeof *part);

    if (part == NULL) {
        return MCX_E_NOMEM;
    }
    part->config = *config;
    *out = part;
    return MCX_OK;
}

void mcx_fpart_free(struct mcx_fpart *part)
{
    free(part);
}

void mcx_fpart_set_priority(struct mcx_fpart *part, uint8_t priority, uint16_t indicator)
{
    part->config.priority = priority;
    part->config.indicator = indicator;
}

enum mcx_fpart_state mcx_fpart_state(const struct mcx_fpart *part)
{
    return part->state;
}

/* ---- names ---- */

static const char *const state_names[MCX_FP_NUM_STATES] = {
    [STOPPED] = "Start-stop",    [NONE] = "U: has no permission", [ASKED] = "U: pending request",
    [HAS] = "U: has permission", [GIVEN] = "U: pending release",  [QUEUED] = "U: queued",
    [ENDING] = "Releasing",
};

static const char *const event_names[EV_NONE] = {
    [EV_STARTED] = "call started",
    [EV_STARTED_REQUEST] = "call started by an implicit request",
    [EV_STARTED_GRANTED] = "call started, floor granted",
    [EV_RELEASING] = "release, step 1",
    [EV_RELEASED] = "release, step 2",
    [EV_PUSH] = "button pressed",
    [EV_LET_GO] = "button released",
    [EV_ASK] = "user asks for his place",
    [EV_RTP] = "R: RTP media",
    [EV_GRANTED] = "R: Floor Granted",
    [EV_TAKEN] = "R: Floor Taken",
    [EV_DENY] = "R: Floor Deny",
    [EV_IDLE] = "R: Floor Idle",
    [EV_REVOKE] = "R: Floor Revoke",
    [EV_POSITION] = "R: Floor Queue Position Info",
    [EV_T100] = "T100",
    [EV_T100_LAST] = "T100, the last",
    [EV_T101] = "T101",
    [EV_T101_LAST] = "T101, the last",
    [EV_T103] = "T103",
    [EV_T104] = "T104",
    [EV_T104_LAST] = "T104, the last",
    [EV_T132] = "T132",
};

static const char *const condition_names[] = {
    [IF_ALWAYS] = "",
    [IF_CONFIRM] = "when the user has to confirm: ",
    [IF_WAITING] = "while T132 runs: ",
    [IF_NOT_QUEUED] = "position 254: ",
    [IF_AGAIN] = "after the button was pressed again: ",
    [IF_MAY_ASK] = "when queueing was negotiated and T132 does not run: ",
};

bool mcx_fpart_row(struct mcx_fpart_row *out, size_t n)
{
    if (n >= NUM_ROWS) {
        return false;
    }
    *out = (struct mcx_fpart_row){ .clause = rows[n].clause,
                                   .state = state_names[rows[n].state],
                                   .event = event_names[rows[n].event],
                                   .next = state_names[rows[n].next],
                                   .condition = condition_names[rows[n].condition],
                                   .what = rows[n].what };
    return true;
}

const char *mcx_fpart_note_name(enum mcx_fpart_note note)
{
    static const char *const names[] = {
        [N(IDLE)] = "idle",       [N(TAKEN)] = "taken",   [N(GRANTED)] = "granted",   [N(DENIED)] = "denied",
        [N(REVOKED)] = "revoked", [N(QUEUED)] = "queued", [N(RELEASED)] = "released", [N(NO_ANSWER)] = "no-answer",
    };

    return (unsigned)note < sizeof names / sizeof names[0] ? names[note] : "";
}
