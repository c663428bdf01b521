/* SPDX-License-Identifier: Apache-2.0 */
/* The floor participant on a fake clock: each row of its table, and random events that never open the microphone
 * without permission and never leave it without a way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/floor_participant.h>

/* ---- what happened, in words ---- */

static const char *const timer_names[MCX_FP_NUM_TIMERS] = { "T100", "T101", "T103", "T104", "T132" };

static void word_of(char *out, size_t cap, const struct mcx_fpart_action *a)
{
    switch (a->act) {
    case MCX_FP_SEND: (void)snprintf(out, cap, "%s", mcx_floor_type_name(a->msg.type)); break;
    case MCX_FP_TALK: (void)snprintf(out, cap, "talk"); break;
    case MCX_FP_STOP_TALK: (void)snprintf(out, cap, "mute"); break;
    case MCX_FP_START_TIMER: (void)snprintf(out, cap, "+%s", timer_names[a->timer]); break;
    case MCX_FP_STOP_TIMER: (void)snprintf(out, cap, "-%s", timer_names[a->timer]); break;
    case MCX_FP_TELL: (void)snprintf(out, cap, "tell:%s", mcx_fpart_note_name(a->note)); break;
    }
}

static void words_of(char *out, size_t cap, const struct mcx_fpart_out *actions)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < actions->num; i++) {
        if (i > 0) {
            out[len++] = ' ';
        }
        word_of(out + len, cap - len, &actions->action[i]);
        len += strlen(out + len);
    }
}

/* ---- events by a letter ---- */

static struct mcx_floor_msg message(enum mcx_floor_type type)
{
    struct mcx_floor_msg msg = { .type = type, .ack_wanted = type != MCX_FLOOR_REVOKE };

    if (type == MCX_FLOOR_QUEUE_POSITION_INFO) {
        msg.present = MCX_FF(MCX_FF_QUEUE_INFO);
        msg.queue_position = 3;
    }
    return msg;
}

static mcx_err step(struct mcx_fpart *part, char event, struct mcx_fpart_out *out)
{
    struct mcx_floor_msg msg = { 0 };
    struct mcx_fpart_in in = { .event = MCX_FP_RX, .msg = &msg };

    switch (event) {
    case 's': in = (struct mcx_fpart_in){ .event = MCX_FP_CALL_STARTED }; break;
    case 'i': in = (struct mcx_fpart_in){ .event = MCX_FP_CALL_STARTED, .implicit_request = true }; break;
    case 'g':
        in = (struct mcx_fpart_in){ .event = MCX_FP_CALL_STARTED, .implicit_request = true, .granted = true };
        break;
    case 'x': in = (struct mcx_fpart_in){ .event = MCX_FP_CALL_RELEASING }; break;
    case 'z': in = (struct mcx_fpart_in){ .event = MCX_FP_CALL_RELEASED }; break;
    case 'p': in = (struct mcx_fpart_in){ .event = MCX_FP_PUSH }; break;
    case 'r': in = (struct mcx_fpart_in){ .event = MCX_FP_RELEASE }; break;
    case 'a': in = (struct mcx_fpart_in){ .event = MCX_FP_ASK_POSITION }; break;
    case 'm': in = (struct mcx_fpart_in){ .event = MCX_FP_RTP }; break;
    case 'G': msg = message(MCX_FLOOR_GRANTED); break;
    case 'T': msg = message(MCX_FLOOR_TAKEN); break;
    case 'D': msg = message(MCX_FLOOR_DENY); break;
    case 'I': msg = message(MCX_FLOOR_IDLE); break;
    case 'R': msg = message(MCX_FLOOR_REVOKE); break;
    case 'Q': msg = message(MCX_FLOOR_QUEUE_POSITION_INFO); break;
    case 'N':
        msg = message(MCX_FLOOR_QUEUE_POSITION_INFO);
        msg.queue_position = MCX_QUEUE_NOT_QUEUED;
        break;
    case 'A': msg = message(MCX_FLOOR_ACK); break;
    default: /* '0' to '4': a timer */
        in = (struct mcx_fpart_in){ .event = MCX_FP_TIMER, .timer = (enum mcx_fpart_timer)(event - '0') };
        break;
    }
    return mcx_fpart_step(part, &in, out);
}

#define EVENTS "sigxzpramGTDIRQNA01234"

static struct mcx_fpart *machine(bool confirm)
{
    const struct mcx_fpart_config config = {
        .priority = 7, .queueing = true, .indicator = MCX_FI_NORMAL, .confirm_grant = confirm
    };
    struct mcx_fpart *part = NULL;

    assert_int_equal(mcx_fpart_new(&part, &config), MCX_OK);
    return part;
}

#define ACK  "floor-ack"
#define REL  "floor-release"
#define REQ  "floor-request"
#define POS  "floor-queue-position-request"
#define BACK REL " +T100"

/* One for each row of the table, in its order. */
static const struct {
    const char *before; /* events that lead there */
    char event;
    const char *want;
    bool confirm;
} rows[] = {
    { "", 's', "", false },
    { "", 'i', "+T101", false },
    { "", 'g', "tell:granted talk", false },
    /* U: has no permission */
    { "s", 'p', REQ " +T101", false },
    { "sm", 'I', "-T103 " ACK " tell:idle", false },
    { "s", 'T', ACK " +T103 tell:taken", false },
    { "s", 'm', "+T103", false },
    { "sm", '2', "tell:idle", false },
    { "s", 'D', ACK, false },
    { "s", 'G', ACK " " BACK, false },
    { "s", 'R', BACK " tell:revoked", false },
    { "s", 'N', ACK, false },
    { "s", 'Q', ACK " " BACK, false },
    { "sm", 'x', "-T103", false },
    /* U: pending request */
    { "smp", 'G', "-T101 -T103 " ACK " tell:granted talk", false },
    { "sp", 'D', "-T101 " ACK " tell:denied", false },
    { "sp", 'N', "-T101 " ACK " tell:queued", false },
    { "sp", 'Q', "-T101 " ACK " tell:queued", false },
    { "smp", 'R', "-T101 -T103 " BACK " tell:revoked", false },
    { "sp", 'T', ACK " +T103 tell:taken", false },
    { "smp", 'I', "-T103 " ACK " tell:idle", false },
    { "sp", 'm', "+T103", false },
    { "smp", '2', "tell:idle", false },
    { "sp", '1', REQ " +T101", false },
    { "sp11", '1', "tell:no-answer", false },
    { "sp", 'r', "-T101 " BACK, false },
    { "smp", 'x', "-T101 -T103", false },
    /* U: has permission */
    { "g", 'r', "mute " BACK " tell:released", false },
    { "g", 'R', "mute " BACK " tell:revoked", false },
    { "g", 'G', ACK, false },
    { "g", 'T', ACK " tell:taken", false },
    { "g", 'I', ACK, false },
    { "g", 'm', "", false },
    { "g", 'x', "mute", false },
    /* U: pending release */
    { "gr", 'p', "", false },
    { "grp", 'r', "", false },
    { "smprp", 'I', "-T100 -T103 " ACK " " REQ " +T101 tell:idle", false },
    { "gr", 'I', "-T100 " ACK " tell:idle", false },
    { "grp", 'T', "-T100 " ACK " " REQ " +T101 +T103 tell:taken", false },
    { "gr", 'T', "-T100 " ACK " +T103 tell:taken", false },
    { "grp", 'm', "-T100 " REQ " +T101 +T103", false },
    { "gr", 'm', "-T100 +T103", false },
    { "gr", '0', BACK, false },
    { "gr00p", '0', REQ " +T101 tell:no-answer", false },
    { "gr00", '0', "tell:no-answer", false },
    { "smpr", '2', "tell:idle", false },
    { "gr", 'G', ACK, false },
    { "gr", 'R', "", false },
    { "gr", 'D', ACK, false },
    { "gr", 'Q', ACK, false },
    { "gr", 'x', "-T100", false },
    /* U: queued */
    { "spQa", 'N', "-T104 " ACK " tell:queued", false },
    { "spQa", 'Q', "-T104 " ACK " tell:queued", false },
    { "spQa", 'G', "-T104 " ACK " +T132 tell:granted", true },
    { "smpQa", 'G', "-T103 -T104 " ACK " tell:granted talk", false },
    { "smpQG", 'p', "-T103 -T132 talk", true },
    { "spQG", '4', BACK " tell:released", true },
    { "spQG", 'D', "-T132 " ACK " tell:denied", true },
    { "spQG", 'R', "-T132 " BACK " tell:revoked", true },
    { "smpQG", 'I', "-T103 -T132 " ACK " tell:idle", true },
    { "spQ", 'T', ACK " +T103 tell:taken", false },
    { "spQ", 'm', "+T103", false },
    { "spQm", '2', "tell:idle", false },
    { "spQ", 'a', POS " +T104", false },
    { "spQa", '3', POS " +T104", false },
    { "spQa33", '3', BACK " tell:no-answer", false },
    { "spQG", 'r', "-T132 " BACK " tell:released", true },
    { "smpQG", 'x', "-T103 -T132", true },
    /* Releasing */
    { "sx", 'z', "", false },
};

static const char *state_name(const struct mcx_fpart *part)
{
    static const char *const names[MCX_FP_NUM_STATES] = {
        "Start-stop",        "U: has no permission", "U: pending request",
        "U: has permission", "U: pending release",   "U: queued",
        "Releasing",
    };

    return names[mcx_fpart_state(part)];
}

static void each_row(void **state)
{
    struct mcx_fpart_row row;
    size_t num = sizeof rows / sizeof rows[0];

    (void)state;
    for (size_t i = 0; i < num; i++) {
        struct mcx_fpart *part = machine(rows[i].confirm);
        struct mcx_fpart_out out;
        char words[512];

        for (const char *e = rows[i].before; *e != '\0'; e++) {
            assert_int_equal(step(part, *e, &out), MCX_OK);
        }
        assert_true(mcx_fpart_row(&row, i));
        assert_string_equal(state_name(part), row.state);
        assert_int_equal(step(part, rows[i].event, &out), MCX_OK);
        assert_int_equal(out.row, i); /* so each row has been taken: below, there is none more */
        words_of(words, sizeof words, &out);
        if (strcmp(words, rows[i].want) != 0) {
            fail_msg("row %zu, %s, %s: %s", i, row.state, row.event, words);
        }
        assert_string_equal(state_name(part), row.next);
        mcx_fpart_free(part);
    }
    assert_false(mcx_fpart_row(&row, num));
    mcx_fpart_free(NULL);
}

/* The same rows where the timer that they stop is the other one. */
static void queued_with_t104(void **state)
{
    static const struct {
        const char *events, *want;
    } cases[] = {
        { "spQaD", "-T104 " ACK " tell:denied" },
        { "spQaR", "-T104 " BACK " tell:revoked" },
        { "smpQaI", "-T103 -T104 " ACK " tell:idle" },
        { "spQar", "-T104 " BACK " tell:released" },
        { "smpQax", "-T103 -T104" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mcx_fpart *part = machine(true);
        struct mcx_fpart_out out;
        char words[512];

        for (const char *e = cases[i].events; *e != '\0'; e++) {
            assert_int_equal(step(part, *e, &out), MCX_OK);
        }
        words_of(words, sizeof words, &out);
        assert_string_equal(words, cases[i].want);
        mcx_fpart_free(part);
    }
}

struct run_out {
    const char *before;
    char first, expiry;
    const char *want; /* of the last expiry */
    const char *then; /* the state after it */
    const char *back; /* events that lead to `first` again; NULL = none */
    uint32_t sent_before;
};

static void all(struct mcx_fpart *part, const char *events)
{
    struct mcx_fpart_out out;

    for (const char *e = events; *e != '\0'; e++) {
        assert_int_equal(step(part, *e, &out), MCX_OK);
    }
}

static uint32_t count_sent(const struct mcx_fpart_out *out, enum mcx_fpart_timer timer)
{
    uint32_t sent = 0;

    for (size_t a = 0; a < out->num; a++) {
        sent += out->action[a].act == MCX_FP_SEND;
        if (out->action[a].act == MCX_FP_START_TIMER) {
            assert_int_equal(out->action[a].timer, timer);
            assert_int_equal(out->action[a].delay_ms, mcx_fpart_timer_info(timer)->default_ms);
        }
    }
    return sent;
}

static void run_one_out(struct mcx_fpart *part, const struct run_out *r)
{
    enum mcx_fpart_timer timer = (enum mcx_fpart_timer)(r->expiry - '0');
    uint32_t sent = r->sent_before;
    struct mcx_fpart_out out;
    char words[512];

    assert_int_equal(step(part, r->first, &out), MCX_OK);
    do {
        sent += count_sent(&out, timer);
        assert_true(sent <= mcx_fpart_timer_info(timer)->max_count);
        assert_int_equal(step(part, r->expiry, &out), MCX_OK);
        words_of(words, sizeof words, &out);
    } while (strcmp(words, r->want) != 0);
    assert_int_equal(sent, mcx_fpart_timer_info(timer)->max_count);
    assert_string_equal(state_name(part), r->then);
    assert_int_equal(step(part, r->expiry, &out), MCX_E_STATE); /* it does not run any more */
}

/* TS 24.380 11.1.1, 11.2.1: a message is sent as often as its counter allows and no more, each time with its timer; the
 * next one begins at 1 again. */
static void counters_to_the_limit(void **state)
{
    static const struct run_out cases[] = {
        { "g", 'r', '0', "tell:no-answer", "U: has no permission", "pG", 0 },
        { "s", 'p', '1', "tell:no-answer", "U: has no permission", "", 0 },
        { "spQ", 'a', '3', BACK " tell:no-answer", "U: pending release", "IpQ", 0 },
        { "", 'i', '1', "tell:no-answer", "U: has no permission", NULL, 1 }, /* the INVITE counts (6.2.4.2.2) */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mcx_fpart *part = machine(true);

        all(part, cases[i].before);
        run_one_out(part, &cases[i]);
        if (cases[i].back != NULL) {
            all(part, cases[i].back);
            run_one_out(part, &cases[i]);
        }
        mcx_fpart_free(part);
    }
}

static void timers_as_configured(void **state)
{
    static const struct {
        const char *events;
        enum mcx_fpart_timer timer;
    } cases[] = {
        { "gr", MCX_FP_T100 },   { "sp", MCX_FP_T101 },   { "sm", MCX_FP_T103 },
        { "spQa", MCX_FP_T104 }, { "spQG", MCX_FP_T132 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mcx_fpart_config config = { .queueing = true, .confirm_grant = true };
        struct mcx_fpart *part = NULL;
        struct mcx_fpart_out out;
        bool started = false;

        for (size_t t = 0; t < MCX_FP_NUM_TIMERS; t++) {
            config.timer_ms[t] = 100 + (uint32_t)t;
        }
        assert_int_equal(mcx_fpart_new(&part, &config), MCX_OK);
        for (const char *e = cases[i].events; *e != '\0'; e++) {
            assert_int_equal(step(part, *e, &out), MCX_OK);
        }
        for (size_t a = 0; a < out.num; a++) {
            if (out.action[a].act == MCX_FP_START_TIMER) {
                assert_int_equal(out.action[a].timer, cases[i].timer);
                assert_int_equal(out.action[a].delay_ms, 100 + (uint32_t)cases[i].timer);
                started = true;
            }
        }
        assert_true(started);
        mcx_fpart_free(part);
    }
}

/* 6.2.4.5.4: the Floor Release that answers a Floor Revoke says "dual floor" as that does, each time it is sent. */
static void release_of_dual_floor(void **state)
{
    static const uint16_t said[] = { MCX_FI_DUAL | MCX_FI_EMERGENCY, MCX_FI_NORMAL };
    static const uint16_t want[] = { MCX_FI_DUAL | MCX_FI_NORMAL, MCX_FI_NORMAL };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mcx_fpart *part = machine(false);
        struct mcx_floor_msg revoke = { .type = MCX_FLOOR_REVOKE,
                                        .present = MCX_FF(MCX_FF_INDICATOR),
                                        .indicator = said[i] };
        struct mcx_fpart_in in = { .event = MCX_FP_RX, .msg = &revoke };
        struct mcx_fpart_out out;

        assert_int_equal(step(part, 'g', &out), MCX_OK);
        assert_int_equal(mcx_fpart_step(part, &in, &out), MCX_OK);
        assert_int_equal(out.action[1].msg.type, MCX_FLOOR_RELEASE);
        assert_int_equal(out.action[1].msg.indicator, want[i]);
        assert_int_equal(step(part, '0', &out), MCX_OK);
        assert_int_equal(out.action[0].msg.indicator, want[i]);
        for (const char *e = "IpGr"; *e != '\0'; e++) {
            assert_int_equal(step(part, *e, &out), MCX_OK);
        }
        assert_int_equal(out.action[1].msg.indicator, MCX_FI_NORMAL); /* not the next one */
        mcx_fpart_free(part);
    }
}

/* 6.2.4.9.9: who may take the floor does not ask how long he has to wait. */
static void no_position_after_the_grant(void **state)
{
    struct mcx_fpart *part = machine(true);
    struct mcx_fpart_out out;

    (void)state;
    all(part, "spQG");
    assert_int_equal(step(part, 'a', &out), MCX_E_STATE);
    assert_int_equal(step(part, 'p', &out), MCX_OK);
    assert_int_equal(mcx_fpart_state(part), MCX_FP_HAS_PERMISSION);
    mcx_fpart_free(part);
}

/* Whoever presses again while his release is pending asks when it is over, once, and not if he has let go. */
static void pressed_again(void **state)
{
    static const struct {
        const char *events;
        enum mcx_fpart_state then;
    } cases[] = {
        { "grpI", MCX_FP_PENDING_REQUEST },    { "grprI", MCX_FP_NO_PERMISSION },
        { "grpprpI", MCX_FP_PENDING_REQUEST }, { "grGpRI", MCX_FP_PENDING_REQUEST },
        { "gRI", MCX_FP_NO_PERMISSION }, /* revoked: who still holds the button does not ask */
        { "grpIrI", MCX_FP_NO_PERMISSION },    { "grpIGrI", MCX_FP_NO_PERMISSION },
        { "grp000", MCX_FP_PENDING_REQUEST },  { "grpIrp", MCX_FP_PENDING_RELEASE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mcx_fpart *part = machine(false);

        all(part, cases[i].events);
        assert_int_equal(mcx_fpart_state(part), cases[i].then);
        mcx_fpart_free(part);
    }
}

/* Everything else is dropped, and changes nothing. */
static void no_row(void **state)
{
    static const char *const dropped[] = { "p",  "sr",  "sa",    "s0",  "sA",   "spp", "gp",  "gQ", "g2", "x",
                                           "xz", "grr", "grprr", "gr1", "spQp", "sxT", "sxp", "sz", "ss", "sxx" };

    (void)state;
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        struct mcx_fpart *part = machine(false);
        size_t len = strlen(dropped[i]);
        struct mcx_fpart_out out;
        enum mcx_fpart_state before;

        for (size_t j = 0; j + 1 < len; j++) {
            if (step(part, dropped[i][j], &out) != MCX_OK) {
                assert_string_equal(dropped[i], "xz"); /* "xz": both are dropped */
            }
        }
        before = mcx_fpart_state(part);
        assert_int_equal(step(part, dropped[i][len - 1], &out), MCX_E_STATE);
        assert_int_equal(out.num, 0);
        assert_int_equal(mcx_fpart_state(part), before);
        mcx_fpart_free(part);
    }
}

static void what_is_sent_and_told(void **state)
{
    struct mcx_fpart *part = machine(false);
    struct mcx_fpart_out out;
    struct mcx_floor_msg msg = { .type = MCX_FLOOR_TAKEN,
                                 .ack_wanted = true,
                                 .present = MCX_FF(MCX_FF_GRANTED_PARTY) | MCX_FF(MCX_FF_PERMISSION) |
                                            MCX_FF(MCX_FF_SSRC) | MCX_FF(MCX_FF_INDICATOR),
                                 .granted_party = mcx_bytes_str("sip:alice@example.org"),
                                 .granted_ssrc = 99,
                                 .indicator = MCX_FI_EMERGENCY };
    struct mcx_fpart_in in = { .event = MCX_FP_RX, .msg = &msg };
    uint8_t buf[MCX_FLOOR_MSG_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    assert_int_equal(step(part, 's', &out), MCX_OK);
    assert_int_equal(mcx_fpart_step(part, &in, &out), MCX_OK);
    assert_int_equal(out.action[0].msg.acked_type, MCX_FLOOR_TAKEN);
    assert_int_equal(out.action[0].msg.source, MCX_SOURCE_PARTICIPANT);
    assert_int_equal(mcx_floor_write(&wr, &out.action[0].msg), MCX_OK);
    assert_int_equal(out.action[1].delay_ms, mcx_fpart_timer_info(MCX_FP_T103)->default_ms);
    assert_true(mcx_bytes_is(out.action[2].talker, "sip:alice@example.org"));
    assert_int_equal(out.action[2].granted_ssrc, 99);
    assert_false(out.action[2].may_request);
    assert_int_equal(out.action[2].indicator, MCX_FI_EMERGENCY);
    mcx_fpart_set_priority(part, 200, MCX_FI_IMMINENT);
    assert_int_equal(step(part, 'p', &out), MCX_OK);
    assert_int_equal(out.action[0].msg.priority, 200);
    assert_int_equal(out.action[0].msg.indicator, MCX_FI_IMMINENT);
    assert_int_equal(mcx_floor_write(&wr, &out.action[0].msg), MCX_OK);
    msg =
        (struct mcx_floor_msg){ .type = MCX_FLOOR_DENY, .present = MCX_FF(MCX_FF_CAUSE), .cause = MCX_DENY_QUEUE_FULL };
    assert_int_equal(mcx_fpart_step(part, &in, &out), MCX_OK);
    assert_int_equal(out.num, 2); /* no acknowledgement, the server did not ask */
    assert_int_equal(out.action[1].cause, MCX_DENY_QUEUE_FULL);
    assert_string_equal(out.action[1].text, mcx_floor_deny_text(MCX_DENY_QUEUE_FULL));
    assert_null(mcx_fpart_timer_info((enum mcx_fpart_timer)MCX_FP_NUM_TIMERS));
    mcx_fpart_free(part);
}

/* ---- random events ---- */

struct watch {
    bool talking;
    bool running[MCX_FP_NUM_TIMERS];
};

static void follow(struct watch *w, const struct mcx_fpart_out *out)
{
    assert_true(out->num < MCX_FP_MAX_ACTIONS);
    for (size_t i = 0; i < out->num; i++) {
        const struct mcx_fpart_action *a = &out->action[i];

        if (a->act == MCX_FP_TALK || a->act == MCX_FP_STOP_TALK) {
            assert_int_equal(w->talking, a->act == MCX_FP_STOP_TALK);
            w->talking = a->act == MCX_FP_TALK;
        } else if (a->act == MCX_FP_START_TIMER) {
            assert_true(a->delay_ms > 0);
            w->running[a->timer] = true;
        } else if (a->act == MCX_FP_STOP_TIMER) {
            assert_true(w->running[a->timer]);
            w->running[a->timer] = false;
        }
    }
}

static bool fire_one(struct mcx_fpart *part, struct watch *w)
{
    struct mcx_fpart_out out;

    for (size_t t = 0; t < MCX_FP_NUM_TIMERS; t++) {
        if (w->running[t]) {
            w->running[t] = false;
            assert_int_equal(step(part, (char)('0' + t), &out), MCX_OK); /* no timer runs where nothing waits for it */
            follow(w, &out);
            return true;
        }
    }
    return false;
}

/* Silence from the network: a bounded number of expiries leads out of every state that waits for the server. */
static void assert_way_out(struct mcx_fpart *part, struct watch *w)
{
    size_t n = 0;

    while (fire_one(part, w)) {
        assert_true(++n < 20);
    }
    assert_int_not_equal(mcx_fpart_state(part), MCX_FP_PENDING_REQUEST);
    assert_int_not_equal(mcx_fpart_state(part), MCX_FP_PENDING_RELEASE);
}

static void random_events(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (size_t run = 0; run < 2000; run++) {
        struct mcx_fpart *part = machine(run % 2 == 0);
        struct watch w = { 0 };
        struct mcx_fpart_out out;

        for (size_t i = 0; i < 100; i++) {
            char event;
            mcx_err err;

            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            event = EVENTS[(seed >> 33) % (sizeof EVENTS - 1)];
            if (event == 'x' && (seed >> 60) != 0) {
                continue; /* else the calls are short */
            }
            err = step(part, event, &out);
            assert_true(err == MCX_OK || err == MCX_E_STATE);
            if (event >= '0' && event <= '4' && err == MCX_OK) {
                assert_true(w.running[event - '0']);
                w.running[event - '0'] = false;
            }
            follow(&w, &out);
            assert_int_equal(w.talking, mcx_fpart_state(part) == MCX_FP_HAS_PERMISSION);
        }
        if (run % 3 == 0) {
            assert_way_out(part, &w);
        }
        (void)step(part, 's', &out);
        follow(&w, &out);
        (void)step(part, 'x', &out);
        follow(&w, &out);
        assert_false(w.talking);
        assert_false(fire_one(part, &w));
        assert_int_equal(step(part, 'z', &out), MCX_OK);
        assert_int_equal(mcx_fpart_state(part), MCX_FP_START_STOP);
        mcx_fpart_free(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(queued_with_t104),
        cmocka_unit_test(counters_to_the_limit),
        cmocka_unit_test(timers_as_configured),
        cmocka_unit_test(release_of_dual_floor),
        cmocka_unit_test(no_position_after_the_grant),
        cmocka_unit_test(pressed_again),
        cmocka_unit_test(no_row),
        cmocka_unit_test(what_is_sent_and_told),
        cmocka_unit_test(random_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
