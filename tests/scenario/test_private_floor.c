/* SPDX-License-Identifier: Apache-2.0 */
/* Floor control of a private call at the server: who is served, what is negotiated, who joins (TS 24.380 6.3, 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <mcx/floor_msg.h>
#include <mcx/mcptt_server.h>

#include "support/fake.h"
#include "support/ring.h"

#define ALICE  "sip:alice@example.org"
#define BOB    "sip:bob@example.org"
#define SERVER "sip:mcptt@example.org"
#define AUDIO  "m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000/1\r\n"
#define HEAD(host)                                                                                                     \
    "v=0\r\no=- 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\n" AUDIO

static const char *const sources[] = { "sip:192.0.2.10:5060", "sip:192.0.2.20:5060" };

static struct world {
    struct mcx_keyring *phones, *own;
    struct mcx_msrv_user users[2];
    struct mcx_msrv *srv;
    struct fake_rng state;
    struct mcx_rng rng;
    struct mcx_msrv_config config;
    struct mcx_msrv_out out;
    uint8_t body[4096];
} w;

static struct mcx_ntp wall(void)
{
    return (struct mcx_ntp){ .sec = RING_OWN_TIME };
}

static void feed(enum mcx_msrv_event event, enum mcx_msrv_side side, const struct mcx_msrv_sip *sip)
{
    struct mcx_msrv_in in = { .event = event, .wall = wall(), .call = 5, .side = side, .sip = sip };

    assert_int_equal(mcx_msrv_step(w.srv, &in, &w.out), MCX_OK);
}

static void enrol(size_t who, bool with_csk)
{
    const char *user = w.users[who].mcptt_id;
    struct mcx_control_key key;
    struct mcx_wr wr = mcx_wr(w.body, sizeof w.body);
    struct mcx_msrv_sip sip = { .to = mcx_bytes_str(user),
                                .source = mcx_bytes_str(sources[who]),
                                .contact = mcx_bytes_str(sources[who]),
                                .expires = 600 };

    if (with_csk) {
        assert_int_equal(mcx_csk_make(&key, &wr, mcx_bytes_str(user), mcx_bytes_str(SERVER), wall(), w.phones, &w.rng,
                                      NULL),
                         MCX_OK);
        mcx_control_key_clear(&key);
        sip.content_type = mcx_bytes_str(MCX_TYPE_MIKEY);
        sip.body = mcx_wr_done(&wr);
    }
    feed(MCX_MSRV_EV_REGISTER, 0, &sip);
    assert_int_equal(w.out.action[0].code, 200);
}

static void open_world(bool alice_has_csk, bool bob_has_csk)
{
    struct ring_kms kms = ring_kms_new("kms.example.org", MCX_KMS_ROOT, "example.org", 0);
    uint64_t period = ring_period(&kms, RING_OWN_TIME);

    memset(&w, 0, sizeof w);
    assert_int_equal(mcx_keyring_new(&w.phones, MCX_SAKKE_TABLES_DEFAULT), MCX_OK);
    assert_int_equal(mcx_keyring_new(&w.own, MCX_SAKKE_TABLES_DEFAULT), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w.phones, &kms.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w.own, &kms.cert, NULL), MCX_OK);
    ring_add(w.phones, &kms, ALICE, period);
    ring_add(w.phones, &kms, BOB, period);
    ring_add(w.own, &kms, SERVER, period);
    ring_kms_clear(&kms);
    strcpy(w.users[0].mcptt_id, ALICE);
    strcpy(w.users[1].mcptt_id, BOB);
    w.config = (struct mcx_msrv_config){ .host = "pf.example.org",
                                         .controlling_psi = "sip:cf@example.org",
                                         .server_id = SERVER,
                                         .ring = w.own,
                                         .users = w.users,
                                         .num_users = 2,
                                         .max_calls = 2 };
    w.state.seed = 7;
    w.rng = fake_rng(&w.state);
    assert_int_equal(mcx_msrv_new(&w.srv, &w.config, &w.rng), MCX_OK);
    enrol(0, alice_has_csk);
    enrol(1, bob_has_csk);
}

static void close_world(void)
{
    mcx_msrv_free(w.srv);
    mcx_keyring_free(w.phones);
    mcx_keyring_free(w.own);
}

static const struct mcx_msrv_action *find(enum mcx_msrv_act act, size_t nth)
{
    for (size_t i = 0; i < w.out.num; i++) {
        if (w.out.action[i].act == act && nth-- == 0) {
            return &w.out.action[i];
        }
    }
    return NULL;
}

static const struct mcx_msrv_action *want(enum mcx_msrv_act act)
{
    const struct mcx_msrv_action *a = find(act, 0);

    assert_non_null(a);
    return a;
}

static bool noted(const char *note, const char *text)
{
    const struct mcx_msrv_action *a;

    for (size_t i = 0; (a = find(MCX_MSRV_NOTE, i)) != NULL; i++) {
        if (strcmp(a->note, note) == 0 && strcmp(a->text, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool holds(struct mcx_bytes b, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= b.len; i++) {
        if (memcmp(b.p + i, text, strlen(text)) == 0) {
            return true;
        }
    }
    return false;
}

static void relay_ready(const struct mcx_msrv_action *open)
{
    struct mcx_msrv_line lines[MCX_SDP_MAX_MEDIA];
    struct mcx_msrv_in in = {
        .event = MCX_MSRV_EV_RELAY_READY, .wall = wall(), .call = 5, .lines = lines, .num_lines = open->num_lines
    };

    memcpy(lines, open->lines, sizeof lines);
    for (size_t i = 0; i < in.num_lines; i++) {
        for (size_t side = 0; side < 2; side++) {
            strcpy(lines[i].local[side].host, "198.51.100.1");
            lines[i].local[side].port = (uint16_t)(20000 + 100 * side + 2 * i);
        }
    }
    assert_int_equal(mcx_msrv_step(w.srv, &in, &w.out), MCX_OK);
}

/* Alice's INVITE with this floor control line, up to the INVITE to Bob; `refused`: why there is no floor control. */
static void call_with(const char *floor_line, const char *refused)
{
    static char sdp[1024];
    static char type[MCX_MIME_TYPE_MAX];
    struct mcx_wr wr = mcx_wr(w.body, sizeof w.body);
    struct mcx_mime mime = { .num = 3 };
    struct mcx_msrv_action open;
    struct mcx_msrv_sip invite = { .source = mcx_bytes_str(sources[0]),
                                   .answer_mode = mcx_bytes_str("Auto"),
                                   .service = mcx_bytes_str(MCX_MCPTT_SERVICE),
                                   .contact = mcx_bytes_str(sources[0]) };

    (void)snprintf(sdp, sizeof sdp, HEAD("192.0.2.10") "%s", floor_line);
    mime.part[0] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_SDP), .body = mcx_bytes_str(sdp) };
    mime.part[1] = (struct mcx_mime_part){
        .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO),
        .body = mcx_bytes_str("<mcpttinfo xmlns='urn:3gpp:ns:mcpttInfo:1.0'><mcptt-Params>"
                              "<session-type>private</session-type></mcptt-Params></mcpttinfo>")
    };
    mime.part[2] = (struct mcx_mime_part){
        .type = mcx_bytes_str(MCX_TYPE_RESOURCE_LISTS),
        .body = mcx_bytes_str("<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'><list>"
                              "<entry uri='" BOB "'/></list></resource-lists>"),
        .disposition = mcx_bytes_str("recipient-list")
    };
    assert_int_equal(mcx_mime_write(&wr, type, &mime), MCX_OK);
    invite.content_type = mcx_bytes_str(type);
    invite.body = mcx_wr_done(&wr);
    feed(MCX_MSRV_EV_INVITE, 0, &invite);
    if (find(MCX_MSRV_RELAY_OPEN, 0) == NULL) {
        return;
    }
    open = *want(MCX_MSRV_RELAY_OPEN);
    assert_true(open.lines[0].rtcp);
    assert_true(refused == NULL || (!open.floor && noted("floor-control-refused", refused)));
    if (open.floor) {
        assert_int_equal(open.floor_line, 1);
        assert_int_equal(open.indicator, MCX_FI_NORMAL);
    }
    relay_ready(&open);
}

static void answer_with(const char *floor_line)
{
    static char sdp[1024];
    struct mcx_msrv_sip ok = { .code = 200, .content_type = mcx_bytes_str(MCX_TYPE_SDP) };

    (void)snprintf(sdp, sizeof sdp, HEAD("192.0.2.20") "%s", floor_line);
    ok.body = mcx_bytes_str(sdp);
    feed(MCX_MSRV_EV_ANSWER, MCX_MSRV_CALLEE, &ok);
}

#define OFFERED "m=application 6002 udp MCPTT\r\na=fmtp:MCPTT mc_queueing;mc_priority=5;mc_granted;mc_implicit_request\r\n"

static void both_are_led_to_the_server(void **state)
{
    const struct mcx_msrv_action *a;

    (void)state;
    open_world(true, true);
    call_with(OFFERED, NULL);
    a = want(MCX_MSRV_INVITE);
    assert_true(holds(a->body, "m=application 20102 udp MCPTT\r\n"));
    assert_true(holds(a->body, "a=fmtp:MCPTT mc_queueing;mc_priority=5\r\n"));
    answer_with("m=application 7002 udp MCPTT\r\na=fmtp:MCPTT mc_priority=3\r\n");
    a = want(MCX_MSRV_ANSWER);
    assert_true(holds(a->body, "m=application 20002 udp MCPTT\r\n"));
    assert_true(holds(a->body, "mc_queueing;mc_priority=5;mc_implicit_request\r\n"));
    assert_false(holds(a->body, "mc_granted"));
    assert_null(find(MCX_MSRV_FLOOR_CLOSE, 0));

    feed(MCX_MSRV_EV_ACKED, MCX_MSRV_CALLER, NULL);
    a = want(MCX_MSRV_FLOOR_JOIN); /* the caller is the first */
    assert_int_equal(a->side, MCX_MSRV_CALLER);
    assert_string_equal(a->talker.mcptt_id, ALICE);
    assert_string_equal(a->talker.at.host, "192.0.2.10");
    assert_int_equal(a->talker.at.port, 6002);
    assert_int_equal(a->talker.max_priority, 5);
    assert_true(a->talker.queueing && a->talker.implicit_request);
    a = find(MCX_MSRV_FLOOR_JOIN, 1);
    assert_non_null(a);
    assert_int_equal(a->side, MCX_MSRV_CALLEE);
    assert_string_equal(a->talker.mcptt_id, BOB);
    assert_int_equal(a->talker.at.port, 7002);
    assert_int_equal(a->talker.max_priority, 3);
    assert_false(a->talker.queueing || a->talker.implicit_request);
    feed(MCX_MSRV_EV_ACKED, MCX_MSRV_CALLER, NULL);
    assert_null(find(MCX_MSRV_FLOOR_JOIN, 0)); /* once */

    feed(MCX_MSRV_EV_INACTIVE, MCX_MSRV_CALLER, NULL);
    assert_non_null(find(MCX_MSRV_HANGUP, 1));
    (void)want(MCX_MSRV_RELAY_CLOSE);
    assert_true(noted("call-ended", "nobody speaks"));
    close_world();
}

/* Neither side has more priority than the operator gives him, and nobody who is given none pre-empts (TS 24.380
 * 4.1.1.4, 14.3.3). */
static void the_operator_bounds_the_priority(void **state)
{
    static const struct {
        uint8_t alice, bob; /* of the operator, 0 = default */
        const char *offer, *to_bob, *from_bob, *to_alice;
        uint8_t max_alice, max_bob;
    } cases[] = {
        { 0, 0, "255", "254", "254", "254", 254, 254 },
        { 4, 0, "255", "254", "255", "4", 4, 254 },
        { 0, 4, "255", "4", "255", "254", 254, 4 },
        { 9, 9, "7", "7", "3", "7", 7, 3 },
        { 255, 255, "255", "255", "255", "255", 255, 255 },
    };
    char line[128];
    char fmtp[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_world(true, true);
        w.users[0].floor_priority = cases[i].alice;
        w.users[1].floor_priority = cases[i].bob;
        (void)snprintf(line, sizeof line, "m=application 6002 udp MCPTT\r\na=fmtp:MCPTT mc_priority=%s\r\n",
                       cases[i].offer);
        call_with(line, NULL);
        (void)snprintf(fmtp, sizeof fmtp, "a=fmtp:MCPTT mc_queueing;mc_priority=%s\r\n", cases[i].to_bob);
        assert_true(holds(want(MCX_MSRV_INVITE)->body, fmtp));
        (void)snprintf(line, sizeof line, "m=application 7002 udp MCPTT\r\na=fmtp:MCPTT mc_priority=%s\r\n",
                       cases[i].from_bob);
        answer_with(line);
        (void)snprintf(fmtp, sizeof fmtp, "a=fmtp:MCPTT mc_priority=%s\r\n", cases[i].to_alice);
        assert_true(holds(want(MCX_MSRV_ANSWER)->body, fmtp));
        feed(MCX_MSRV_EV_ACKED, MCX_MSRV_CALLER, NULL);
        assert_int_equal(find(MCX_MSRV_FLOOR_JOIN, 0)->talker.max_priority, cases[i].max_alice);
        assert_int_equal(find(MCX_MSRV_FLOOR_JOIN, 1)->talker.max_priority, cases[i].max_bob);
        close_world();
    }
}

static void without_queueing_none_is_agreed_to(void **state)
{
    (void)state;
    open_world(true, true);
    w.config.no_queueing = true;
    mcx_msrv_free(w.srv);
    assert_int_equal(mcx_msrv_new(&w.srv, &w.config, &w.rng), MCX_OK);
    enrol(0, true);
    enrol(1, true);
    call_with(OFFERED, NULL);
    assert_true(holds(want(MCX_MSRV_INVITE)->body, "a=fmtp:MCPTT mc_priority=5\r\n"));
    answer_with("m=application 7002 udp MCPTT\r\na=fmtp:MCPTT mc_queueing;mc_priority=5\r\n");
    assert_true(holds(want(MCX_MSRV_ANSWER)->body, "a=fmtp:MCPTT mc_priority=5;mc_implicit_request\r\n"));
    close_world();
}

static void without_a_key_the_line_is_refused(void **state)
{
    static const struct {
        bool alice, bob;
        const char *why;
    } cases[] = { { false, true, "the caller has no client-server key" },
                  { true, false, "the callee has no client-server key" },
                  { false, false, "the caller has no client-server key" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_world(cases[i].alice, cases[i].bob);
        call_with(OFFERED, cases[i].why);
        assert_true(holds(want(MCX_MSRV_INVITE)->body, "m=application 0 udp MCPTT\r\n"));
        assert_true(holds(want(MCX_MSRV_INVITE)->body, "m=audio 20100 RTP/AVP 97\r\n"));
        answer_with("m=application 7002 udp MCPTT\r\n"); /* a callee that does not heed it */
        assert_true(holds(want(MCX_MSRV_ANSWER)->body, "m=application 0 udp MCPTT\r\n"));
        feed(MCX_MSRV_EV_ACKED, MCX_MSRV_CALLER, NULL);
        assert_null(find(MCX_MSRV_FLOOR_JOIN, 0));
        close_world();
    }
}

static void the_callee_may_refuse(void **state)
{
    (void)state;
    open_world(true, true);
    call_with(OFFERED, NULL);
    answer_with("m=application 0 udp MCPTT\r\n");
    (void)want(MCX_MSRV_FLOOR_CLOSE);
    assert_true(noted("floor-control-refused", "the callee wants none"));
    assert_true(holds(want(MCX_MSRV_ANSWER)->body, "m=application 0 udp MCPTT\r\n"));
    feed(MCX_MSRV_EV_ACKED, MCX_MSRV_CALLER, NULL);
    assert_null(find(MCX_MSRV_FLOOR_JOIN, 0));
    close_world();
}

static void malformed_attributes_are_no_call(void **state)
{
    (void)state;
    open_world(true, true);
    call_with("m=application 6002 udp MCPTT\r\na=fmtp:MCPTT mc_priority=0\r\n", NULL);
    assert_int_equal(want(MCX_MSRV_REJECT)->code, 488);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    close_world();
}

static void no_line_no_floor_control(void **state)
{
    (void)state;
    open_world(true, true);
    call_with("", NULL);
    answer_with("");
    feed(MCX_MSRV_EV_ACKED, MCX_MSRV_CALLER, NULL);
    assert_int_equal(w.out.num, 0);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_led_to_the_server),
        cmocka_unit_test(the_operator_bounds_the_priority),
        cmocka_unit_test(without_queueing_none_is_agreed_to),
        cmocka_unit_test(without_a_key_the_line_is_refused),
        cmocka_unit_test(the_callee_may_refuse),
        cmocka_unit_test(malformed_attributes_are_no_call),
        cmocka_unit_test(no_line_no_floor_control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
