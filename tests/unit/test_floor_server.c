/* SPDX-License-Identifier: Apache-2.0 */
/* The floor control server: every row of its two tables is provoked, and what the fields of its messages say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/floor.h"

#define TALK   "join 1;join 2;join 3;req 1 5"
#define REVOKE TALK ";rtp 1;req 2 10;call E;req 3 0 E" /* 3 pre-empts 1, 2 waits behind him */

/* The last line of the script is the event; `who` 0 = the arbitration. */
static const struct {
    unsigned who;
    enum { PLAIN, TEMP, GRACE } config; /* a temporary group; a long T3 */
    const char *event, *script, *want;
} cases[] = {
    /* 6.3.4.2 */
    { 0, TEMP, "call started, temporary group", "join 1", "" },
    { 0, PLAIN, "call started, implicit request", "join 1 i", "fwd=1 granted>1:30s taken*1:sip:u1@example.org" },
    { 0, PLAIN, "call started", "join 1", "idle*0" },
    /* 6.3.4.3 */
    { 0, PLAIN, "Floor Request, alone in the call", "join 1;req 1 5", "deny>1:3" },
    { 0, PLAIN, "Floor Request, receive only", "join 1;join 2 r;req 2 5", "deny>2:5" },
    { 0, PLAIN, "Floor Request, before T9", "join 1;join 2;req 1;talk 1 30000;rel 1;req 1", "deny>1:4" },
    { 0, PLAIN, "Floor Request", TALK, "fwd=1 granted>1:30s taken*1:sip:u1@example.org" },
    { 0, PLAIN, "T7, C7 below its limit", "join 1;wait 4000", "idle*0" },
    { 0, PLAIN, "T7", "join 1;wait 36000;wait 4000", "" },
    { 0, PLAIN, "T4", "join 1;wait 29999;wait 1", "inactive" },
    { 0, PLAIN, "call type", "join 1;call E", "" },
    { 0, PLAIN, "all left", "join 1;leave 1", "" },
    { 0, PLAIN, "call ends", "join 1;end", "" },
    /* 6.3.4.4 */
    { 0, PLAIN, "media", TALK ";rtp 1", "" },
    { 0, PLAIN, "Floor Request, of the talker", TALK ";rtp 1;wait 3500;req 1 5", "granted>1:26s" },
    { 0, PLAIN, "Floor Request, pre-empts", "join 1;join 2 - 255;req 1 5;req 2 200", "revoke>1:4 position>2:1/200" },
    { 0, PLAIN, "Floor Release, somebody waits", TALK ";req 2;rel 1",
      "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { 0, PLAIN, "Floor Release", TALK ";rel 1", "fwd=0 idle*0" },
    { 0, PLAIN, "talker left, somebody waits", TALK ";req 2;leave 1",
      "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { 0, PLAIN, "talker left", TALK ";leave 1", "fwd=0 idle*0" },
    { 0, PLAIN, "T1, somebody waits", TALK ";req 2;wait 4000", "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { 0, PLAIN, "T1", TALK ";wait 4000", "fwd=0 idle*0" },
    { 0, PLAIN, "T2", TALK ";talk 1 29999;wait 1", "revoke>1:2" },
    { 0, PLAIN, "talker alone", "join 1;join 2;req 1;leave 2", "revoke>1:1" },
    { 0, PLAIN, "T20, C20 below its limit", TALK ";req 2;rel 1;wait 1000", "granted>2:30s" },
    { 0, PLAIN, "T20", TALK ";req 2;rel 1;wait 2000;wait 1000", "" },
    { 0, PLAIN, "Floor Ack", TALK ";ack 1", "" },
    { 0, PLAIN, "call type", TALK ";call I", "" },
    { 0, PLAIN, "all left", "join 1 i;leave 1", "fwd=0" },
    { 0, PLAIN, "call ends", TALK ";end", "fwd=0" },
    /* 6.3.4.5 */
    { 0, PLAIN, "media", REVOKE ";rtp 1", "" },
    { 0, PLAIN, "Floor Request", REVOKE ";join 4 - 255;req 4 200 E", "position>4:1/200" },
    { 0, PLAIN, "Floor Release, somebody waits", REVOKE ";rel 1", "fwd=3 granted>3:30s taken*3:sip:u3@example.org" },
    { 0, PLAIN, "Floor Release", REVOKE ";rel 2;rel 3;rel 1", "fwd=0 idle*0" },
    { 0, PLAIN, "talker left, somebody waits", REVOKE ";leave 1", "fwd=3 granted>3:30s taken*3:sip:u3@example.org" },
    { 0, PLAIN, "talker left", REVOKE ";rel 2;rel 3;leave 1", "fwd=0 idle*0" },
    { 0, GRACE, "T1, somebody waits", REVOKE ";rtp 1;wait 3999;wait 1",
      "fwd=3 granted>3:30s taken*3:sip:u3@example.org" },
    { 0, GRACE, "T1", REVOKE ";rel 2;rel 3;rtp 1;wait 3999;wait 1", "fwd=0 idle*0" },
    { 0, PLAIN, "T3, somebody waits", REVOKE ";wait 2999;wait 1", "fwd=3 granted>3:30s taken*3:sip:u3@example.org" },
    { 0, PLAIN, "T3", REVOKE ";rel 2;rel 3;wait 2999;wait 1", "fwd=0 idle*0" },
    { 0, PLAIN, "T8", REVOKE ";wait 1000", "revoke>1:4" },
    { 0, PLAIN, "call type", REVOKE ";call N", "" },
    { 0, PLAIN, "all left", "join 1;join 2;req 1;leave 2;leave 1", "fwd=0" },
    { 0, PLAIN, "call ends", REVOKE ";end", "fwd=0" },
    /* 6.3.4.8, 6.3.4.7 */
    { 0, TEMP, "ready, somebody waits", "join 1;join 2;req 2 9;ready",
      "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { 0, TEMP, "ready", "join 1;join 2;ready", "idle*0" },
    { 0, TEMP, "call type", "join 1;call E", "" },
    { 0, TEMP, "all left", "join 1;leave 1", "" },
    { 0, TEMP, "call ends", "join 1;end", "" },
    { 0, PLAIN, "all left", "join 1;end;leave 1", "" },
    /* 6.3.5.2 */
    { 1, TEMP, "joins, first, temporary group", "join 1", "" },
    { 1, PLAIN, "joins, first, implicit request", "join 1 i", "fwd=1 granted>1:30s taken*1:sip:u1@example.org" },
    { 1, PLAIN, "joins, first", "join 1", "idle*0" },
    { 2, TEMP, "joins, initialising, implicit request, place in the queue", "join 1;join 2 i", "position>2:1/100" },
    { 2, TEMP, "joins, initialising", "join 1;join 2 iq", "" },
    { 2, PLAIN, "joins, nobody speaks, implicit request", "join 1;join 2 i",
      "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { 2, PLAIN, "joins, nobody speaks", "join 1;join 2", "idle>2" },
    { 4, PLAIN, "joins, somebody speaks, implicit request, place in the queue", TALK ";join 4 i",
      "taken>4:sip:u1@example.org position>4:1/100" },
    { 4, PLAIN, "joins, somebody speaks", TALK ";join 4", "taken>4:sip:u1@example.org" },
    /* 6.3.5.3 */
    { 2, PLAIN, "Floor Request, may have the floor", "join 1;join 2;req 2",
      "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { 1, PLAIN, "Floor Request", "join 1;req 1", "deny>1:3" },
    { 1, PLAIN, "Floor Release", "join 1;rel! 1", "ack>1 idle>1" },
    { 1, PLAIN, "media, right after his burst", TALK ";rtp 1;rel 1;wait 299;rtp 1", "" },
    { 1, PLAIN, "media", TALK ";rtp 1;rel 1;wait 300;rtp 1", "revoke>1:3" },
    { 1, PLAIN, "Floor Ack", "join 1;ack 1", "" },
    { 1, PLAIN, "leaves", "join 1;join 2;leave 1", "" },
    /* 6.3.5.4 */
    { 4, PLAIN, "Floor Request, receive only", TALK ";join 4 r 255;req 4 255", "deny>4:5" },
    { 1, PLAIN, "Floor Request, before T9", "join 1;join 2;req 1;talk 1 30000;req 2;rel 1;req 1", "deny>1:4" },
    { 4, PLAIN, "Floor Request, pre-empts", TALK ";join 4 q 255;req 4 200", "revoke>1:4" },
    { 3, PLAIN, "Floor Request, waits already", TALK ";req 2 10;req 3 5;req 3 20", "position>3:1/20" },
    { 4, PLAIN, "Floor Request, queue full", TALK ";join 4;req 2;req 3;req 4", "deny>4:7" },
    { 3, PLAIN, "Floor Request, queueing negotiated", TALK ";req 2 10;req 3 10", "position>3:2/10" },
    { 4, PLAIN, "Floor Request", TALK ";join 4 q;req 4 199", "deny>4:1" },
    { 2, PLAIN, "Floor Release", TALK ";req 2;rel! 2", "ack>2 taken>2:sip:u1@example.org" },
    { 2, PLAIN, "Floor Queue Position Request", TALK ";req 3 9;req 2 5;pos 2", "position>2:2/5" },
    { 1, PLAIN, "media, right after his burst", TALK ";rtp 1;req 2;rel 1;rtp 1", "" },
    { 2, PLAIN, "media", TALK ";rtp 2", "revoke>2:3" },
    { 2, PLAIN, "Floor Ack", TALK ";ack 2", "" },
    { 2, PLAIN, "leaves", TALK ";req 2;leave 2", "" },
    /* 6.3.5.5 */
    { 1, PLAIN, "Floor Request", TALK ";req 1", "granted>1:30s" },
    { 1, PLAIN, "Floor Release, somebody waits", TALK ";req 2;rel! 1",
      "ack>1 fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { 1, PLAIN, "Floor Release", TALK ";rel 1", "fwd=0 idle*0" },
    { 1, PLAIN, "media", TALK ";rtp 1", "" },
    { 1, PLAIN, "Floor Ack", TALK ";ack 1", "" },
    { 1, PLAIN, "leaves", TALK ";leave 1", "fwd=0 idle*0" },
    /* 6.3.5.6 */
    { 1, PLAIN, "Floor Release, somebody waits", REVOKE ";rel 1", "fwd=3 granted>3:30s taken*3:sip:u3@example.org" },
    { 1, PLAIN, "Floor Release", REVOKE ";rel 2;rel 3;rel 1", "fwd=0 idle*0" },
    { 1, PLAIN, "media", REVOKE ";rtp 1", "" },
    { 1, PLAIN, "Floor Ack", REVOKE ";ack 1", "" },
    { 1, PLAIN, "leaves", REVOKE ";leave 1", "fwd=3 granted>3:30s taken*3:sip:u3@example.org" },
    /* 6.3.5.7 */
    { 2, PLAIN, "media", TALK ";rtp 2;rtp 2", "" },
    { 2, PLAIN, "T8, he sends on", TALK ";rtp 2;rtp 2;wait 1000", "revoke>2:3" },
    { 2, PLAIN, "T8, he sends on, told often enough",
      TALK ";rtp 1;rtp 2;rtp 2;wait 1000;rtp 2;wait 1000;rtp 2;wait 1000", "" },
    { 2, PLAIN, "T8, he has stopped, nobody speaks", "join 1;join 2;rtp 2;wait 1000", "" },
    { 2, PLAIN, "T8", TALK ";rtp 2;wait 1000", "" },
    { 2, PLAIN, "Floor Release, nobody speaks", "join 1;join 2;rtp 2;rel 2", "idle>2" },
    { 2, PLAIN, "Floor Release", TALK ";req 2;rtp 2;rel 2", "taken>2:sip:u1@example.org" },
    { 2, PLAIN, "Floor Queue Position Request", TALK ";rtp 2;pos 2", "position>2:254/0" },
    { 2, PLAIN, "Floor Ack", TALK ";rtp 2;ack 2", "" },
    { 2, PLAIN, "leaves", TALK ";rtp 2;leave 2", "" },
    { 1, PLAIN, "Floor Request, nobody speaks", "join 1;rtp 1;req 1", "deny>1:3" },
    { 2, PLAIN, "Floor Request", TALK ";rtp 2;req 2 3", "position>2:1/3" },
    /* 6.3.5.10, 6.3.5.9 */
    { 1, TEMP, "Floor Request, receive only", "join 1 r;req 1", "deny>1:5" },
    { 1, TEMP, "Floor Request, waits already", "join 1;req 1;req 1", "position>1:1/0" },
    { 3, TEMP, "Floor Request, queue full", "join 1;join 2;join 3;req 1;req 2;req 3", "deny>3:7" },
    { 1, TEMP, "Floor Request, queueing negotiated", "join 1;req 1 7", "position>1:1/7" },
    { 1, TEMP, "Floor Request", "join 1 q;req 1", "deny>1:1" },
    { 1, TEMP, "Floor Release", "join 1;req 1;rel 1", "" },
    { 1, TEMP, "Floor Queue Position Request", "join 1;pos 1", "position>1:254/0" },
    { 1, TEMP, "Floor Ack", "join 1;ack 1", "" },
    { 1, TEMP, "leaves", "join 1;leave 1", "" },
    { 1, PLAIN, "Floor Ack", "join 1;end;ack 1", "" },
    { 1, PLAIN, "leaves", "join 1;end;leave 1", "" },
};
#define MAX_ROWS 200

static const char *state_of(const struct floor_bench *b, unsigned who)
{
    return who == 0 ? mcx_fsrv_state(b->srv) : mcx_fsrv_participant_state(b->srv, who);
}

/* The row for an event in the present state. */
static size_t find_row(struct mcx_fsrv_row *row, const char *state, const char *event, bool of_user)
{
    size_t i = of_user ? mcx_fsrv_num_arbitration_rows() : 0;

    for (; mcx_fsrv_row(row, i) && (of_user || i < mcx_fsrv_num_arbitration_rows()); i++) {
        if (strcmp(row->state, state) == 0 && strcmp(row->event, event) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void every_row_is_provoked(void **state)
{
    static bool seen[MAX_ROWS];
    struct mcx_fsrv_row row;
    size_t num = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mcx_fsrv_config config = floor_config();
        struct floor_bench b;
        size_t n = 0;

        config.temporary_group = cases[i].config == TEMP;
        config.timer_ms[MCX_FS_T3] = cases[i].config == GRACE ? 10000 : 0;
        floor_open(&b, &config);
        floor_script(&b, cases[i].script, true);
        n = find_row(&row, state_of(&b, cases[i].who), cases[i].event, cases[i].who != 0);
        if (n == SIZE_MAX) {
            fail_msg("no row for \"%s\" in \"%s\" (%s)", cases[i].event, state_of(&b, cases[i].who), cases[i].script);
        }
        seen[n] = true;
        floor_say(&b, strrchr(cases[i].script, ';') != NULL ? strrchr(cases[i].script, ';') + 1 : cases[i].script);
        if (!floor_took(&b, n)) {
            fail_msg("%s: not by the row for \"%s\"", cases[i].script, cases[i].event);
        }
        if (b.err != MCX_OK || strcmp(b.said, cases[i].want) != 0 ||
            strcmp(state_of(&b, cases[i].who), row.next) != 0) {
            fail_msg("%s: %s, \"%s\", now \"%s\"; expected \"%s\" and \"%s\"", cases[i].script, mcx_err_name(b.err),
                     b.said, state_of(&b, cases[i].who), cases[i].want, row.next);
        }
        floor_close(&b);
    }
    for (; mcx_fsrv_row(&row, num); num++) {
        if (!seen[num]) {
            fail_msg("row %zu is not provoked: \"%s\" in \"%s\"", num, row.event, row.state);
        }
    }
    assert_true(num < MAX_ROWS);
}

/* What comes in a state that has no row for it is discarded (6.3.4.1), and nothing has changed. */
static void what_has_no_row_is_discarded(void **state)
{
    static const char *const scripts[] = {
        "req 1", /* not in the call */
        "leave 1",
        "end",
        "ready",
        "call E",
        "join 1;join 1", /* twice */
        "join 1;ready",  /* no temporary group */
        "join 1;idle 1", /* what only a server sends */
        "join 1;granted 1",
        "join 1;pos 1",  /* nobody can wait for a floor that is free */
        TALK ";pos 1",   /* the talker does not wait */
        REVOKE ";req 1", /* what he shall do is release */
        "join 1;end;join 2",
        "join 1;end;req 1",
        "join 1;end;rtp 1",
        "join 1;end;end",
    };

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct mcx_fsrv_config config = floor_config();
        struct floor_bench b;
        char before[256], after[256];

        floor_open(&b, &config);
        floor_script(&b, scripts[i], true);
        snprintf(before, sizeof before, "%s %s %u", mcx_fsrv_state(b.srv), mcx_fsrv_participant_state(b.srv, 1),
                 (unsigned)mcx_fsrv_talker(b.srv));
        floor_say(&b, strrchr(scripts[i], ';') != NULL ? strrchr(scripts[i], ';') + 1 : scripts[i]);
        snprintf(after, sizeof after, "%s %s %u", mcx_fsrv_state(b.srv), mcx_fsrv_participant_state(b.srv, 1),
                 (unsigned)mcx_fsrv_talker(b.srv));
        if (b.err != MCX_E_STATE || b.said[0] != '\0' || strcmp(before, after) != 0) {
            fail_msg("%s: %s, \"%s\", %s, before %s", scripts[i], mcx_err_name(b.err), b.said, after, before);
        }
        floor_close(&b);
    }
}

/* Each participant's state with each message of his, each state of the arbitration with each event of the call: as the
 * tables have a row for it, or discarded. */
static const struct {
    unsigned who;
    bool temporary;
    const char *script;
} places[] = {
    { 1, true, "join 1" },                   /* U: not permitted and initiating, G: Floor Initialising */
    { 1, false, "join 1;join 2" },           /* U: not permitted and Floor Idle, G: Floor Idle */
    { 2, false, TALK },                      /* U: not permitted and Floor Taken, G: Floor Taken */
    { 1, false, TALK },                      /* U: permitted */
    { 1, false, REVOKE },                    /* U: pending Floor Revoke, G: pending Floor Revoke */
    { 2, false, TALK ";rtp 2" },             /* U: not permitted but sends media */
    { 1, false, "join 1;join 2;rtp 1" },     /* the same while nobody speaks */
    { 1, false, "join 1;join 2;req 1;end" }, /* Releasing */
    { 1, false, "join 2" },                  /* Start-stop */
};
static const struct {
    bool of_call;
    const char *line, *event;
} inputs[] = {
    { false, "req", "Floor Request" },
    { false, "rel", "Floor Release" },
    { false, "pos", "Floor Queue Position Request" },
    { false, "ack", "Floor Ack" },
    { false, "rtp", "media" },
    { false, "leave", "leaves" },
    { false, "granted", "Floor Granted" }, /* only a server sends it */
    { true, "ready", "ready" },
    { true, "call E", "call type" },
    { true, "end", "call ends" },
};

static bool is_event(const char *row, const char *event)
{
    return strncmp(row, event, strlen(event)) == 0 && (row[strlen(event)] == '\0' || row[strlen(event)] == ',');
}

static bool has_row(const char *state, const char *event, bool of_user)
{
    struct mcx_fsrv_row row;
    size_t i = of_user ? mcx_fsrv_num_arbitration_rows() : 0;

    for (; mcx_fsrv_row(&row, i) && (of_user || i < mcx_fsrv_num_arbitration_rows()); i++) {
        if (strcmp(row.state, state) == 0 && is_event(row.event, event)) {
            return true;
        }
    }
    return false;
}

static void each_state_with_each_event(size_t place, size_t input)
{
    struct mcx_fsrv_config config = floor_config();
    unsigned who = inputs[input].of_call ? 0 : places[place].who;
    struct mcx_fsrv_row row = { 0 };
    struct floor_bench b;
    char line[32], before[64];

    config.temporary_group = places[place].temporary;
    floor_open(&b, &config);
    floor_script(&b, places[place].script, false);
    snprintf(before, sizeof before, "%s", state_of(&b, who));
    snprintf(line, sizeof line, "%s %u", inputs[input].line, places[place].who);
    floor_say(&b, line);
    if (has_row(before, inputs[input].event, who != 0)) {
        assert_int_equal(b.err, MCX_OK);
        assert_true(mcx_fsrv_row(&row, b.row[0]) && strcmp(row.state, before) == 0);
        assert_true(is_event(row.event, inputs[input].event));
    } else if (b.err != MCX_E_STATE || b.said[0] != '\0' || b.num_rows != 0 || strcmp(state_of(&b, who), before) != 0) {
        fail_msg("\"%s\" in \"%s\": %s, \"%s\"", line, before, mcx_err_name(b.err), b.said);
    }
    floor_close(&b);
}

static void states_and_events_are_those_of_the_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t n = 0; n < sizeof inputs / sizeof inputs[0]; n++) {
            each_state_with_each_event(i, n);
        }
    }
}

static const struct {
    const char *name, *script, *want;
} stories[] = {
    { "the highest priority waits first, then who has waited longest",
      "join 1;join 2;join 3;req 1;req 2 5;req 3 5;req 3 6;rel 1;rel 3",
      "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { "who asks again with less stays where he was", TALK ";req 2 5;req 3 5;req 2 1;pos 2", "position>2:1/5" },
    { "nobody asks for more than he may", "join 1;join 2 - 50;req 1 60;req 2 255", "position>2:1/50" },
    { "a priority below the threshold does not pre-empt", "join 1;join 2 - 255;req 1 5;req 2 199", "position>2:1/199" },
    { "nor one that is not above the talker's", "join 1 - 255;join 2 - 255;req 1 200;req 2 200", "position>2:1/200" },
    { "emergency goes before imminent peril, and that before normal",
      "join 1;join 2;join 3;call E;req 1 0 E;req 2 90 I;req 3 1 E;pos 2", "position>2:2/90" },
    { "imminent peril pre-empts a normal talker", "join 1;join 2;call E;req 1 99;req 2 0 I",
      "revoke>1:4 position>2:1/0" },
    { "an emergency in a call that is none does not", TALK ";req 2 0 E", "position>2:1/0" },
    { "an imminent peril in an emergency call does not pre-empt an emergency",
      "join 1;join 2;call E;req 1 0 E;req 2 9 I", "position>2:1/9" },
    { "when the emergency is over its requests wait like others",
      "join 1;join 2;join 3;call E;req 1 0 E;req 2 1 E;req 3 2;call N;pos 2", "position>2:2/1" },
    { "who pre-empts finds a place in a full queue", "join 1;join 2;join 3;join 4 - 255;req 1;req 2;req 3;req 4 255",
      "revoke>1:4 position>4:1/255" },
    { "but only one does", "join 1;join 2;join 3;join 4 - 255;join 5 - 255;req 1;req 2;req 3;req 4 200;req 5 255",
      "deny>5:7" },
    { "the last one who waits is denied when the talker leaves", "join 1;join 2;req 1;req 2;leave 1",
      "fwd=0 deny>2:3 idle*0" },
    { "nobody waits any more when he has got the floor", TALK ";req 2;rel 1;rel 2", "fwd=0 idle*0" },
    { "an implicit request is none in a call that is open, when there is no queue", "join 1;join 2;req 1;join 3 iq",
      "taken>3:sip:u1@example.org" },
    { "it asks with his highest priority", TALK ";join 4 i 60", "taken>4:sip:u1@example.org position>4:1/60" },
    { "but with none that pre-empts, and pre-empts nobody", TALK ";call E;join 4 i 255",
      "taken>4:sip:u1@example.org position>4:1/199" },
    { "the same when the call begins with it", "join 1 i 255;join 2 - 255;req 2 200", "revoke>1:4 position>2:1/200" },
    { "who asks for privacy is not named", "join 1 p;join 2;req 1", "fwd=1 granted>1:30s taken*1" },
    { "Floor Granted is sent again three times in all", TALK ";req 2;rel 1;wait 3999", "granted>2:30s granted>2:30s" },
    { "not after media has come", TALK ";req 2;rel 1;rtp 2;wait 3999", "" },
    { "nor after an acknowledgement", TALK ";req 2;rel 1;ack 2;wait 3999", "" },
    { "Floor Idle is sent ten times in all", "join 1;wait 29999", "idle*0 idle*0 idle*0 idle*0 idle*0 idle*0 idle*0" },
    { "a revoked talker is heard for T3", REVOKE ";rtp 1;wait 2999", "revoke>1:4 revoke>1:4" },
    { "a talker who is silent loses the floor", TALK ";talk 1 2000;wait 3999", "fwd=0 idle*0" },
    { "who sends media and waits gets the floor in his turn", TALK ";req 2;rtp 2;rel 1",
      "fwd=2 granted>2:30s taken*2:sip:u2@example.org" },
    { "who sends media without permission is told three times", TALK ";rtp 1;talk 2 3900",
      "revoke>2:3 revoke>2:3 revoke>2:3" },
};

static void arbitration_tells_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        struct mcx_fsrv_config config = floor_config();
        struct floor_bench b;

        floor_open(&b, &config);
        floor_script(&b, stories[i].script, false);
        if (b.err != MCX_OK || strcmp(b.said, stories[i].want) != 0) {
            fail_msg("%s: %s, \"%s\", expected \"%s\"", stories[i].name, mcx_err_name(b.err), b.said, stories[i].want);
        }
        floor_close(&b);
    }
}

static struct mcx_fsrv_out out;

static void step(struct mcx_fsrv *srv, struct mcx_fsrv_in in)
{
    assert_int_equal(mcx_fsrv_step(srv, &in, &out), MCX_OK);
}

static const struct mcx_floor_msg *sent(enum mcx_floor_type type)
{
    for (size_t i = 0; i < out.num; i++) {
        if (out.action[i].act <= MCX_FS_SEND_OTHERS && out.action[i].msg.type == type) {
            return &out.action[i].msg;
        }
    }
    fail_msg("not sent");
    return NULL;
}

/* Which message has which field: TS 24.380 8.2.5 to 8.2.13. */
static void fields_are_those_of_the_clauses(void **state)
{
    struct mcx_fsrv_config config = { .queueing = true, .indicator = MCX_FI_EMERGENCY };
    struct mcx_fsrv_participant alice = { .id = 1, .mcptt_id = "sip:alice@example.org", .max_priority = 7 };
    struct mcx_fsrv_participant bob = { .id = 2, .mcptt_id = "sip:bob@example.org", .queueing = true };
    struct mcx_fsrv_participant carol = { .id = 3, .mcptt_id = "sip:carol@example.org" };
    struct mcx_floor_msg request = { .type = MCX_FLOOR_REQUEST, .present = MCX_FF(MCX_FF_PRIORITY), .priority = 9 };
    struct mcx_floor_msg release = { .type = MCX_FLOOR_RELEASE, .ack_wanted = true };
    const uint16_t indicator = MCX_FI_EMERGENCY | MCX_FI_QUEUEING;
    const struct mcx_floor_msg *m = NULL;
    struct mcx_fsrv *srv = NULL;

    (void)state;
    assert_int_equal(mcx_fsrv_new(&srv, &config), MCX_OK);
    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_JOIN, .participant = &alice });
    m = sent(MCX_FLOOR_IDLE);
    assert_int_equal(m->present, MCX_FF(MCX_FF_SEQUENCE) | MCX_FF(MCX_FF_INDICATOR));
    assert_int_equal(m->sequence, 1);
    assert_int_equal(m->indicator, indicator);
    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_JOIN, .participant = &bob });
    assert_int_equal(sent(MCX_FLOOR_IDLE)->sequence, 2);

    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_RX, .id = 1, .msg = &request });
    m = sent(MCX_FLOOR_GRANTED);
    assert_int_equal(m->present, MCX_FF(MCX_FF_DURATION) | MCX_FF(MCX_FF_PRIORITY) | MCX_FF(MCX_FF_INDICATOR));
    assert_int_equal(m->priority, 7);
    m = sent(MCX_FLOOR_TAKEN);
    assert_int_equal(m->present, MCX_FF(MCX_FF_GRANTED_PARTY) | MCX_FF(MCX_FF_PERMISSION) | MCX_FF(MCX_FF_SEQUENCE) |
                                     MCX_FF(MCX_FF_INDICATOR));
    assert_int_equal(m->permission, 1);
    assert_int_equal(m->sequence, 3);
    assert_int_equal(m->indicator, indicator);

    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_RTP, .id = 1, .ssrc = 0xcafebabe });
    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_JOIN, .participant = &carol });
    m = sent(MCX_FLOOR_TAKEN); /* in the middle of the burst its SSRC is known */
    assert_true((m->present & MCX_FF(MCX_FF_SSRC)) != 0);
    assert_int_equal(m->granted_ssrc, 0xcafebabe);
    assert_true(mcx_bytes_is(m->granted_party, "sip:alice@example.org"));

    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_RX, .id = 2, .msg = &request });
    m = sent(MCX_FLOOR_QUEUE_POSITION_INFO);
    assert_int_equal(m->present, MCX_FF(MCX_FF_QUEUE_INFO) | MCX_FF(MCX_FF_INDICATOR));
    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_RX, .id = 3, .msg = &request });
    m = sent(MCX_FLOOR_DENY);
    assert_int_equal(m->present, MCX_FF(MCX_FF_CAUSE) | MCX_FF(MCX_FF_INDICATOR));
    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_RX, .id = 2, .msg = &release });
    m = sent(MCX_FLOOR_ACK);
    assert_int_equal(m->present, MCX_FF(MCX_FF_SOURCE) | MCX_FF(MCX_FF_MESSAGE_TYPE));
    assert_int_equal(m->source, MCX_SOURCE_CONTROLLING);
    assert_int_equal(m->acked_type, MCX_FLOOR_RELEASE);

    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_CALL_TYPE, .indicator = MCX_FI_NORMAL | MCX_FI_BROADCAST });
    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_RX, .id = 3, .msg = &release });
    m = sent(MCX_FLOOR_TAKEN);
    assert_int_equal(m->permission, 0);
    assert_int_equal(m->indicator, MCX_FI_NORMAL | MCX_FI_BROADCAST | MCX_FI_QUEUEING);
    mcx_fsrv_free(srv);
}

/* Every listener of a large call is told with one action, and a look at the deadline does not walk over them. */
static void a_large_call_costs_no_more(void **state)
{
    struct mcx_fsrv_config config = floor_config();
    struct mcx_fsrv_participant p = { .mcptt_id = "sip:u@example.org", .max_priority = 9 };
    struct mcx_fsrv_in in = { .event = MCX_FS_JOIN, .participant = &p };
    struct mcx_floor_msg request = { .type = MCX_FLOOR_REQUEST };
    struct mcx_fsrv *srv = NULL;

    (void)state;
    assert_int_equal(mcx_fsrv_new(&srv, &config), MCX_OK);
    for (p.id = 1; p.id <= MCX_FSRV_MAX_PARTICIPANTS; p.id++) {
        step(srv, in);
        assert_true(out.num <= 2);
    }
    assert_int_equal(mcx_fsrv_step(srv, &in, &out), MCX_E_SPACE);
    step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_RX, .id = 1999, .msg = &request });
    assert_int_equal(mcx_fsrv_talker(srv), 1999);
    assert_true(mcx_fsrv_may_talk(srv, 1999));
    assert_false(mcx_fsrv_may_talk(srv, 1998));
    assert_int_equal(out.num, 4);
    for (uint32_t id = 1; id <= MCX_FSRV_MAX_PARTICIPANTS; id++) {
        step(srv, (struct mcx_fsrv_in){ .event = MCX_FS_LEAVE, .id = id });
        assert_true(out.num <= 4);
    }
    assert_string_equal(mcx_fsrv_state(srv), "Start-stop");
    mcx_fsrv_free(srv);
}

static void arguments_are_checked(void **state)
{
    struct mcx_fsrv_config config = { .max_queue = 251 };
    struct mcx_fsrv_participant p = { .mcptt_id = "sip:u@example.org" };
    struct mcx_fsrv_in in = { .event = MCX_FS_JOIN };
    struct mcx_fsrv *srv = NULL;

    (void)state;
    assert_int_equal(mcx_fsrv_new(&srv, &config), MCX_E_ARG);
    config.max_queue = 250;
    assert_int_equal(mcx_fsrv_new(&srv, &config), MCX_OK);
    assert_int_equal(mcx_fsrv_step(srv, &in, &out), MCX_E_ARG);
    in.participant = &p;
    assert_int_equal(mcx_fsrv_step(srv, &in, &out), MCX_E_ARG);
    assert_true(mcx_fsrv_deadline(srv) == UINT64_MAX);
    mcx_fsrv_free(srv);
    mcx_fsrv_free(NULL);
    assert_string_equal(mcx_fsrv_timer_info(MCX_FS_T20)->name, "T20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_provoked),
        cmocka_unit_test(what_has_no_row_is_discarded),
        cmocka_unit_test(states_and_events_are_those_of_the_tables),
        cmocka_unit_test(arbitration_tells_stories),
        cmocka_unit_test(fields_are_those_of_the_clauses),
        cmocka_unit_test(a_large_call_costs_no_more),
        cmocka_unit_test(arguments_are_checked),
    };

    return cmocka_run_group_tests_name("floor control server", tests, NULL, NULL);
}
