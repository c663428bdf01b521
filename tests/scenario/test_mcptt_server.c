/* SPDX-License-Identifier: Apache-2.0 */
/* The MCPTT server's state machine on a fake clock: whole calls, and every response of TS 24.379 11.1.1.3, 11.1.1.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <mcx/mcptt_server.h>

#include "proc/mcptt_server.h"
#include "support/fake.h"

#define ALICE    "sip:alice@a.example.org"
#define BOB      "sip:bob@b.example.org"
#define KEY_MGMT "a=key-mgmt:mikey ARoFABRCAAAAAAsCVfZ1Ag==\r\n"
#define OFFER                                                                                                          \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n" KEY_MGMT                             \
    "m=audio 49170 RTP/AVP 97\r\ni=speech\r\na=rtpmap:97 AMR-WB/16000/1\r\na=rtcp:49171\r\n"                           \
    "m=application 49180 udp MCPTT\r\na=fmtp:MCPTT mc_queueing\r\n"
#define ANSWER                                                                                                         \
    "v=0\r\no=- 2 2 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n"                                      \
    "m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 AMR-WB/16000/1\r\nm=application 0 udp MCPTT\r\n"

static struct world {
    struct mcx_msrv_user users[3];
    struct mcx_msrv_config config;
    struct mcx_msrv_authoriser auth;
    struct mcx_msrv *srv;
    struct fake_rng rng;
    struct mcx_msrv_out out;
    uint64_t now;
    struct mcx_msrv_sip invite;
    char body[8192], type[MCX_MIME_TYPE_MAX];
} w;

static void open_world(void)
{
    struct mcx_rng rng;

    memset(&w, 0, sizeof w);
    strcpy(w.users[0].mcptt_id, ALICE);
    strcpy(w.users[0].public_id, "sip:ims-alice@example.org");
    strcpy(w.users[1].mcptt_id, BOB);
    strcpy(w.users[2].mcptt_id, "sip:carol@a.example.org");
    w.users[2].max_calls = 2;
    w.config = (struct mcx_msrv_config){ .host = "pf.example.org",
                                         .controlling_psi = "sip:mcptt-cf@example.org",
                                         .users = w.users,
                                         .num_users = 3,
                                         .max_calls = 8,
                                         .no_answer_ms = 20000 };
    w.rng.seed = 7;
    w.now = 1000000;
    rng = fake_rng(&w.rng);
    assert_int_equal(mcx_msrv_new(&w.srv, &w.config, &rng), MCX_OK);
}

static void close_world(void)
{
    mcx_msrv_free(w.srv);
}

static mcx_err feed(enum mcx_msrv_event event, uint32_t call, enum mcx_msrv_side side, const struct mcx_msrv_sip *sip)
{
    struct mcx_msrv_in in = { .event = event, .now_ms = w.now, .call = call, .side = side, .sip = sip };

    return mcx_msrv_step(w.srv, &in, &w.out);
}

static const struct mcx_msrv_action *want(size_t i, enum mcx_msrv_act act)
{
    if (i >= w.out.num || w.out.action[i].act != act) {
        fail_msg("action %zu is %d, not %d", i, i < w.out.num ? (int)w.out.action[i].act : -1, (int)act);
    }
    return &w.out.action[i];
}

static void enrol(const char *public_id, const char *source)
{
    struct mcx_msrv_sip reg = { .to = mcx_bytes_str(public_id), .source = mcx_bytes_str(source), .expires = 600 };

    reg.contact = mcx_bytes_str(source);
    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_RESPOND)->code, 200);
    assert_string_equal(want(1, MCX_MSRV_NOTE)->note, "registered");
}

static void enrol_all(void)
{
    enrol("sip:ims-alice@example.org", "sip:192.0.2.10:5060");
    enrol(BOB, "sip:192.0.2.20:5060;transport=tcp");
    enrol("sip:carol@a.example.org", "sip:192.0.2.30:5060");
}

static void make_body(const char *session, const char *lists, const char *sdp)
{
    char info[512];
    struct mcx_mime mime = { .num = 0 };
    struct mcx_wr wr = mcx_wr((uint8_t *)w.body, sizeof w.body);

    if (sdp != NULL) {
        mime.part[mime.num++] =
            (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_SDP), .body = mcx_bytes_str(sdp) };
    }
    if (session != NULL) {
        snprintf(info, sizeof info,
                 "<mcpttinfo xmlns='urn:3gpp:ns:mcpttInfo:1.0'><mcptt-Params>%s</mcptt-Params></mcpttinfo>", session);
        mime.part[mime.num++] =
            (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_bytes_str(info) };
    }
    if (lists != NULL) {
        mime.part[mime.num++] = (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_RESOURCE_LISTS),
                                                        .body = mcx_bytes_str(lists),
                                                        .disposition = mcx_bytes_str("recipient-list") };
    }
    assert_int_equal(mcx_mime_write(&wr, w.type, &mime), MCX_OK);
    w.invite.content_type = mcx_bytes_str(w.type);
    w.invite.body = mcx_wr_done(&wr);
}

#define PRIVATE "<session-type>private</session-type>"
#define LIST(entries)                                                                                                  \
    "<resource-lists xmlns='urn:ietf:params:xml:ns:resource-lists'><list>" entries "</list></resource-lists>"
#define TO_BOB LIST("<entry uri='" BOB "'/>")

static void alice_calls(const char *lists)
{
    w.invite = (struct mcx_msrv_sip){ .source = mcx_bytes_str("sip:192.0.2.10:5060"),
                                      .answer_mode = mcx_bytes_str("Auto"),
                                      .service = mcx_bytes_str(MCX_MCPTT_SERVICE),
                                      .contact = mcx_bytes_str("sip:a@192.0.2.10") };
    make_body(PRIVATE, lists, OFFER);
}

static void relay_ready(uint32_t call, const struct mcx_msrv_action *open)
{
    struct mcx_msrv_line lines[MCX_SDP_MAX_MEDIA];
    struct mcx_msrv_in in = {
        .event = MCX_MSRV_EV_RELAY_READY, .now_ms = w.now, .call = call, .lines = lines, .num_lines = open->num_lines
    };

    memcpy(lines, open->lines, sizeof lines);
    for (size_t i = 0; i < in.num_lines; i++) {
        for (size_t side = 0; side < 2; side++) {
            uint16_t port = (uint16_t)(20000 + 100 * side + 2 * i);

            strcpy(lines[i].local[side].host, "198.51.100.1");
            lines[i].local[side].port = port;
            lines[i].local[side].rtcp_port = lines[i].rtcp ? (uint16_t)(port + 1) : 0;
        }
    }
    assert_int_equal(mcx_msrv_step(w.srv, &in, &w.out), MCX_OK);
}

/* INVITE of Alice up to the INVITE to Bob. */
static void set_up(uint32_t call)
{
    struct mcx_msrv_action open;

    alice_calls(TO_BOB);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, call, 0, &w.invite), MCX_OK);
    open = *want(0, MCX_MSRV_RELAY_OPEN);
    relay_ready(call, &open);
    (void)want(0, MCX_MSRV_INVITE);
}

static void answer(uint32_t call)
{
    struct mcx_msrv_sip ok = { .code = 200,
                               .content_type = mcx_bytes_str(MCX_TYPE_SDP),
                               .body = mcx_bytes_str(ANSWER) };

    assert_int_equal(feed(MCX_MSRV_EV_ANSWER, call, MCX_MSRV_CALLEE, &ok), MCX_OK);
}

static bool holds(struct mcx_bytes b, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i + n <= b.len; i++) {
        if (memcmp(b.p + i, text, n) == 0) {
            return true;
        }
    }
    return false;
}

static void whole_call(void **state)
{
    struct mcx_msrv_sip ring = { .code = 180 };
    struct mcx_msrv_sip bye = { .content_type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_bytes_str("<x/>") };
    static struct mcx_mcptt_info info;
    const struct mcx_msrv_action *a;
    struct mcx_mime mime;
    const char *sdp;

    (void)state;
    open_world();
    enrol_all();
    alice_calls(TO_BOB);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 5, 0, &w.invite), MCX_OK);
    a = want(0, MCX_MSRV_RELAY_OPEN);
    assert_int_equal(a->num_lines, 2);
    assert_true(a->lines[0].rtcp);
    assert_string_equal(a->lines[0].remote.host, "192.0.2.10");
    assert_int_equal(a->lines[0].remote.port, 49170);
    assert_int_equal(a->lines[0].remote.rtcp_port, 49171);
    assert_false(a->lines[1].rtcp);
    assert_int_equal(a->lines[1].remote.port, 49180);
    assert_false(a->floor);
    assert_string_equal(want(1, MCX_MSRV_NOTE)->note, "call-setup");
    assert_string_equal(want(2, MCX_MSRV_NOTE)->note, "floor-control-refused");
    relay_ready(5, a);

    a = want(0, MCX_MSRV_INVITE);
    assert_string_equal(a->uri, "sip:192.0.2.20:5060;transport=tcp");
    assert_string_equal(a->next_hop, "sip:192.0.2.20:5060;transport=tcp");
    assert_string_equal(a->to, BOB);
    assert_non_null(strstr(a->contact_params, ";isfocus"));
    assert_non_null(
        strstr(a->headers, "Accept-Contact: *;+g.3gpp.mcptt;require;explicit\r\nAccept-Contact: *;+g.3gpp.icsi-ref"));
    assert_non_null(strstr(a->headers, "Answer-Mode: Manual\r\n")); /* Bob's settings */
    assert_null(strstr(a->headers, "Priv-Answer-Mode"));
    assert_int_equal(mcx_mime_read(&mime, mcx_bytes_str(a->content_type), a->body, NULL), MCX_OK);
    assert_int_equal(mime.num, 2);
    assert_int_equal(mcx_mcptt_info_read(&info, mcx_mime_find(&mime, MCX_TYPE_MCPTT_INFO)->body, NULL), MCX_OK);
    assert_int_equal(info.session, MCX_SESSION_PRIVATE);
    assert_string_equal(info.calling_user.text, ALICE);
    assert_string_equal(info.request_uri.text, BOB);
    /* addresses and ports are ours, everything else is the caller's, octet for octet */
    sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n" KEY_MGMT
          "m=audio 20100 RTP/AVP 97\r\ni=speech\r\na=rtpmap:97 AMR-WB/16000/1\r\na=rtcp:20101\r\n"
          "m=application 0 udp MCPTT\r\na=fmtp:MCPTT mc_queueing\r\n"; /* neither has a CSK */
    assert_true(mcx_bytes_is(mcx_mime_find(&mime, MCX_TYPE_SDP)->body, sdp));

    assert_int_equal(feed(MCX_MSRV_EV_PROGRESS, 5, MCX_MSRV_CALLEE, &ring), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_PROGRESS)->code, 180);
    answer(5);
    a = want(0, MCX_MSRV_RELAY_PEER);
    assert_int_equal(a->side, MCX_MSRV_CALLEE);
    assert_string_equal(a->lines[0].remote.host, "192.0.2.20");
    assert_int_equal(a->lines[0].remote.rtcp_port, 6001);
    assert_int_equal(a->lines[1].remote.port, 0);
    a = want(1, MCX_MSRV_ANSWER);
    assert_true(holds(a->body, "m=audio 20000 RTP/AVP 97\r\n"));
    assert_true(holds(a->body, "c=IN IP4 198.51.100.1\r\n"));
    assert_true(holds(a->body, "m=application 0 udp MCPTT\r\n"));
    assert_string_equal(want(2, MCX_MSRV_NOTE)->note, "call-answered");
    assert_true(mcx_msrv_deadline(w.srv) == UINT64_MAX);

    assert_int_equal(feed(MCX_MSRV_EV_GONE, 5, MCX_MSRV_CALLER, &bye), MCX_OK);
    a = want(0, MCX_MSRV_HANGUP);
    assert_int_equal(a->side, MCX_MSRV_CALLEE);
    assert_true(mcx_bytes_is(a->body, "<x/>")); /* the release reason goes along */
    (void)want(1, MCX_MSRV_RELAY_CLOSE);
    assert_string_equal(want(2, MCX_MSRV_NOTE)->note, "call-ended");
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 5, MCX_MSRV_CALLEE, NULL), MCX_OK);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 5, MCX_MSRV_CALLEE, NULL), MCX_E_STATE);
    close_world();
}

/* ---- refusals ---- */

static void no_service(void)
{
    w.invite.service = mcx_bytes_str("urn:urn-7:3gpp-service.ims.icsi.mmtel");
}
static void no_info(void)
{
    make_body(NULL, TO_BOB, OFFER);
}
static void broken_info(void)
{
    make_body("<session-type>", TO_BOB, OFFER);
}
static void other_session(void)
{
    make_body("<session-type>prearranged</session-type>", TO_BOB, OFFER);
}
static void first_to_answer(void)
{
    make_body("<session-type>first-to-answer</session-type>", TO_BOB, OFFER);
}
static void encrypted(void)
{
    make_body(PRIVATE "<alert-ind type='Encrypted'><a/></alert-ind>", TO_BOB, OFFER);
}
static void no_lists(void)
{
    make_body(PRIVATE, NULL, OFFER);
}
static void empty_list(void)
{
    make_body(PRIVATE, LIST(""), OFFER);
}
static void two_entries(void)
{
    make_body(PRIVATE, LIST("<entry uri='" BOB "'/><entry uri='" BOB "'/>"), OFFER);
}
static void unknown_callee(void)
{
    make_body(PRIVATE, LIST("<entry uri='sip:zoe@a.example.org'/>"), OFFER);
}
static void herself(void)
{
    make_body(PRIVATE, LIST("<entry uri='" ALICE "'/>"), OFFER);
}
static void no_sdp(void)
{
    make_body(PRIVATE, TO_BOB, NULL);
}
static void broken_sdp(void)
{
    make_body(PRIVATE, TO_BOB, "v=1\r\n");
}
static void no_media(void)
{
    make_body(PRIVATE, TO_BOB, "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\n");
}
static void msrp(void)
{
    make_body(PRIVATE, TO_BOB, OFFER "m=message 7 TCP/MSRP *\r\n");
}
static void stranger(void)
{
    w.invite.source = mcx_bytes_str("sip:192.0.2.99:5060");
}
static void false_name(void)
{
    w.invite.preferred = mcx_bytes_str(BOB);
}
static void expired(void)
{
    w.now += 601000;
}
static void denied(void)
{
    w.users[0].deny_private_calls = true;
}
static void no_auto(void)
{
    w.users[0].deny_automatic = true;
}
static void no_manual(void)
{
    w.users[0].deny_manual = true;
    w.invite.answer_mode = mcx_bytes_str("Manual");
}
static void bad_mode(void)
{
    w.invite.answer_mode = mcx_bytes_str("perhaps");
}
static void forced(void)
{
    w.invite.priv_answer_mode = mcx_bytes_str("Auto");
}
static void not_on_list(void)
{
    static const char *const only_carol[] = { "sip:carol@a.example.org" };

    w.users[0].may_call = only_carol;
    w.users[0].num_may_call = 1;
}
static void not_callable(void)
{
    w.users[1].deny_called = true;
}
static void no_settings(void)
{
    w.users[1].no_settings = true;
}
static void overload(void)
{
    w.config.max_calls = 0;
}
static void broken_multipart(void)
{
    w.invite.content_type = mcx_bytes_str("multipart/mixed;boundary=zz");
}
static void bob_away(void)
{
    struct mcx_msrv_sip reg = { .to = mcx_bytes_str(BOB), .contact = mcx_bytes_str("*"), .expires = 0 };

    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_RESPOND)->code, 200);
}
static void bob_busy(void)
{
    struct mcx_msrv_sip inv = w.invite;

    inv.source = mcx_bytes_str("sip:192.0.2.30:5060"); /* Carol was faster */
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 1, 0, &inv), MCX_OK);
    (void)want(0, MCX_MSRV_RELAY_OPEN);
}
static void alice_busy(void)
{
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 1, 0, &w.invite), MCX_OK);
    (void)want(0, MCX_MSRV_RELAY_OPEN);
    make_body(PRIVATE, LIST("<entry uri='sip:carol@a.example.org'/>"), OFFER);
}

static const struct refusal {
    const char *name;
    void (*change)(void);
    uint16_t code;
    const char *warning;
} refusals[] = {
    /* originating participating function */
    { "overloaded", overload, 500, "" },
    { "no registration", stranger, 404, "141 user unknown to the participating function" },
    { "another's identity", false_name, 404, "141 user unknown to the participating function" },
    { "registration expired", expired, 404, "141 user unknown to the participating function" },
    { "not MCPTT", no_service, 403, "100 function not allowed due to missing MCPTT service identifier" },
    { "no mcptt-info", no_info, 403, "100 function not allowed due to missing mcptt-info" },
    { "broken mcptt-info", broken_info, 400, "" },
    { "broken multipart", broken_multipart, 400, "" },
    { "encrypted mcptt-info", encrypted, 403, "140 unable to decrypt XML content" },
    { "other session type", other_session, 403, "100 function not allowed due to unsupported session type" },
    { "first-to-answer", first_to_answer, 403, "156 user not authorised to originate a first-to-answer call" },
    { "private calls denied", denied, 403, "107 user not authorised to make private calls" },
    { "automatic denied", no_auto, 403, "125 user not authorised to make private call with automatic commencement" },
    { "manual denied", no_manual, 403, "126 user not authorised to make private call with manual commencement" },
    { "unknown commencement", bad_mode, 400, "" },
    { "forced answer", forced, 403, "143 not authorised to force auto answer" },
    { "no resource-lists", no_lists, 403, "145 unable to determine called party" },
    { "no entry", empty_list, 403, "145 unable to determine called party" },
    { "two entries", two_entries, 403, "145 unable to determine called party" },
    { "not this user", not_on_list, 403, "144 user not authorised to call this particular user" },
    { "oneself", herself, 403, "144 user not authorised to call this particular user" },
    { "caller in a call", alice_busy, 486, "124 maximum number of private calls reached" },
    /* terminating participating function */
    { "unknown callee", unknown_callee, 404, "141 user unknown to the participating function" },
    { "callee not registered", bob_away, 404, "141 user unknown to the participating function" },
    { "no settings", no_settings, 480, "146 T-PF unable to determine the service settings for the called user" },
    { "not callable", not_callable, 403, "127 user not authorised to be called in private call" },
    { "callee in a call", bob_busy, 486, "124 maximum number of private calls reached" },
    /* the offer */
    { "no SDP", no_sdp, 488, "" },
    { "broken SDP", broken_sdp, 488, "" },
    { "no media", no_media, 488, "" },
    { "media that cannot be relayed", msrp, 488, "" },
};

static void every_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *r = &refusals[i];
        char line[256] = "";
        const struct mcx_msrv_action *a;
        size_t calls;

        open_world();
        enrol_all();
        alice_calls(TO_BOB);
        r->change();
        calls = mcx_msrv_num_calls(w.srv);
        assert_int_equal(feed(MCX_MSRV_EV_INVITE, 9, 0, &w.invite), MCX_OK);
        if (r->warning[0] != '\0') {
            snprintf(line, sizeof line, "Warning: 399 pf.example.org \"%s\"\r\n", r->warning);
        }
        a = &w.out.action[0];
        if (a->act != MCX_MSRV_REJECT || a->code != r->code || strcmp(a->headers, line) != 0) {
            fail_msg("%s: action %d, %u %s", r->name, (int)a->act, (unsigned)a->code, a->headers);
        }
        assert_string_equal(want(1, MCX_MSRV_NOTE)->note, "call-refused");
        assert_int_equal(w.out.num, 2);
        assert_int_equal(mcx_msrv_num_calls(w.srv), calls); /* nothing kept */
        close_world();
    }
}

static void terminating_function_wants_isfocus(void **state)
{
    static struct msrv_hop hop;
    static const char session_id[MSRV_ID] = "0011223344556677";
    struct msrv_verdict v;

    (void)state;
    open_world();
    memset(&hop, 0, sizeof hop);
    hop.callee = &w.users[1];
    hop.callee_registered = true;
    v = msrv_tpf(&hop);
    assert_int_equal(v.code, 403);
    assert_int_equal(v.warning, MCX_WARN_ISFOCUS_NOT_ASSIGNED);
    v = msrv_cf(&hop, session_id);
    assert_int_equal(v.code, 403);
    assert_int_equal(v.warning, MCX_WARN_NO_CALLED_PARTY);
    close_world();
}

static void commencement_modes(void **state)
{
    static const struct {
        const char *answer, *priv;
        enum mcx_answer_mode settings;
        const char *sent;
    } rows[] = {
        { "Auto", "", MCX_ANSWER_AUTO, "Answer-Mode: Auto\r\n" },
        { "Automatic", "", MCX_ANSWER_AUTO, "Answer-Mode: Auto\r\n" },
        { "Auto", "", MCX_ANSWER_MANUAL, "Answer-Mode: Manual\r\n" },
        { "Manual", "", MCX_ANSWER_AUTO, "Answer-Mode: Manual\r\n" },
        { "", "", MCX_ANSWER_AUTO, "Answer-Mode: Auto\r\n" },
        { "", "", MCX_ANSWER_UNSET, "Answer-Mode: Manual\r\n" },
        { "", "Auto", MCX_ANSWER_MANUAL, "Priv-Answer-Mode: Auto\r\n" },
        { "Manual", "Auto", MCX_ANSWER_MANUAL, "Priv-Answer-Mode: Auto\r\n" },
        { "", "Manual", MCX_ANSWER_AUTO, "Priv-Answer-Mode: Manual\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_msrv_action open;

        open_world();
        w.users[0].allow_force_auto = true;
        w.users[1].answer = rows[i].settings;
        enrol_all();
        alice_calls(TO_BOB);
        w.invite.answer_mode = mcx_bytes_str(rows[i].answer);
        w.invite.priv_answer_mode = mcx_bytes_str(rows[i].priv);
        assert_int_equal(feed(MCX_MSRV_EV_INVITE, 1, 0, &w.invite), MCX_OK);
        open = *want(0, MCX_MSRV_RELAY_OPEN);
        relay_ready(1, &open);
        if (strstr(want(0, MCX_MSRV_INVITE)->headers, rows[i].sent) == NULL) {
            fail_msg("row %zu: %s", i, w.out.action[0].headers);
        }
        assert_null(strstr(strstr(w.out.action[0].headers, "Answer-Mode: ") + 5, "Answer-Mode: "));
        close_world();
    }
}

static void refusal_of_the_callee_passes_unchanged(void **state)
{
    struct mcx_msrv_sip no = { .code = 488,
                               .reason = mcx_bytes_str("Not Acceptable Here"),
                               .num_warnings = 2,
                               .content_type = mcx_bytes_str(MCX_TYPE_KMS_REDIRECT),
                               .body = mcx_bytes_str("<KmsRedirectResponse/>") };
    const struct mcx_msrv_action *a;

    (void)state;
    no.warning[0] = mcx_bytes_str("399 bob.example.org \"136 authentication of the MIKEY-SAKE I_MESSAGE failed\"");
    no.warning[1] = mcx_bytes_str("399 bob.example.org \"another\"");
    open_world();
    enrol_all();
    set_up(3);
    assert_int_equal(feed(MCX_MSRV_EV_REJECT, 3, MCX_MSRV_CALLEE, &no), MCX_OK);
    a = want(0, MCX_MSRV_REJECT);
    assert_int_equal(a->code, 488);
    assert_string_equal(a->reason, "Not Acceptable Here");
    assert_string_equal(a->headers,
                        "Warning: 399 bob.example.org \"136 authentication of the MIKEY-SAKE I_MESSAGE failed\"\r\n"
                        "Warning: 399 bob.example.org \"another\"\r\n");
    assert_string_equal(a->content_type, MCX_TYPE_KMS_REDIRECT);
    assert_true(mcx_bytes_is(a->body, "<KmsRedirectResponse/>"));
    (void)want(1, MCX_MSRV_RELAY_CLOSE);
    assert_int_equal(want(2, MCX_MSRV_NOTE)->warning, MCX_WARN_IMESSAGE_AUTHENTICATION);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    close_world();
}

static void no_answer_in_time(void **state)
{
    struct mcx_msrv_sip late = { .code = 487, .reason = mcx_bytes_str("Request Terminated") };

    (void)state;
    open_world();
    enrol_all();
    set_up(3);
    assert_int_equal(mcx_msrv_deadline(w.srv), w.now + 20000);
    w.now += 19999;
    assert_int_equal(feed(MCX_MSRV_EV_TICK, 0, 0, NULL), MCX_OK);
    assert_int_equal(w.out.num, 0);
    w.now += 1;
    assert_int_equal(feed(MCX_MSRV_EV_TICK, 0, 0, NULL), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_REJECT)->code, 480);
    assert_int_equal(want(1, MCX_MSRV_HANGUP)->side, MCX_MSRV_CALLEE);
    (void)want(2, MCX_MSRV_RELAY_CLOSE);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLER, NULL), MCX_OK); /* the refused leg says so */
    assert_int_equal(mcx_msrv_num_calls(w.srv), 1);
    assert_int_equal(feed(MCX_MSRV_EV_REJECT, 3, MCX_MSRV_CALLEE, &late), MCX_OK);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    close_world();
}

static void cancel_while_ringing(void **state)
{
    (void)state;
    open_world();
    enrol_all();
    set_up(3);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLER, NULL), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_HANGUP)->side, MCX_MSRV_CALLEE);
    answer(3); /* the callee's 200 crossed the CANCEL */
    assert_int_equal(want(0, MCX_MSRV_HANGUP)->side, MCX_MSRV_CALLEE);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLEE, NULL), MCX_OK);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    set_up(4); /* a call under way of being taken down does not make busy */
    close_world();
}

static void callee_cannot_be_reached(void **state)
{
    (void)state;
    open_world();
    enrol_all();
    set_up(3);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLEE, NULL), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_REJECT)->code, 480);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    close_world();
}

static void caller_gone_before_the_relay(void **state)
{
    (void)state;
    open_world();
    enrol_all();
    alice_calls(TO_BOB);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 3, 0, &w.invite), MCX_OK);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLER, NULL), MCX_OK);
    (void)want(0, MCX_MSRV_RELAY_CLOSE);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 3, 0, &w.invite), MCX_OK);
    assert_int_equal(feed(MCX_MSRV_EV_RELAY_FAILED, 3, 0, NULL), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_REJECT)->code, 500);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    close_world();
}

static void unusable_answer(void **state)
{
    struct mcx_msrv_sip ok = { .code = 200,
                               .content_type = mcx_bytes_str(MCX_TYPE_SDP),
                               .body = mcx_bytes_str("hello") };

    (void)state;
    open_world();
    enrol_all();
    set_up(3);
    assert_int_equal(feed(MCX_MSRV_EV_ANSWER, 3, MCX_MSRV_CALLEE, &ok), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_REJECT)->code, 500);
    assert_int_equal(want(1, MCX_MSRV_HANGUP)->side, MCX_MSRV_CALLEE);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLEE, NULL), MCX_OK);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    close_world();
}

static void longest_duration(void **state)
{
    static struct mcx_mcptt_info info;
    const struct mcx_msrv_action *a;

    (void)state;
    open_world();
    w.config.max_call_ms = 60000;
    enrol_all();
    set_up(3);
    answer(3);
    w.now += 60000;
    assert_int_equal(feed(MCX_MSRV_EV_TICK, 0, 0, NULL), MCX_OK);
    a = want(0, MCX_MSRV_HANGUP);
    assert_int_equal(mcx_mcptt_info_read(&info, a->body, NULL), MCX_OK);
    assert_int_equal(info.release, MCX_RELEASE_PRIVATE_CALL_EXPIRY);
    assert_int_equal(want(1, MCX_MSRV_HANGUP)->side, MCX_MSRV_CALLEE);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLER, NULL), MCX_OK);
    assert_int_equal(feed(MCX_MSRV_EV_GONE, 3, MCX_MSRV_CALLEE, NULL), MCX_OK);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 0);
    close_world();
}

static void emergency_uses_the_reserve(void **state)
{
    (void)state;
    open_world();
    w.config.max_calls = 1;
    enrol_all();
    alice_calls(LIST("<entry uri='sip:carol@a.example.org'/>"));
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 1, 0, &w.invite), MCX_OK);
    (void)want(0, MCX_MSRV_RELAY_OPEN);
    w.invite.source = mcx_bytes_str("sip:192.0.2.20:5060;transport=tcp");
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 2, 0, &w.invite), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_REJECT)->code, 500);
    make_body(PRIVATE "<emergency-ind type='Normal'><mcpttBoolean>true</mcpttBoolean></emergency-ind>",
              LIST("<entry uri='sip:carol@a.example.org'/>"), OFFER);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 2, 0, &w.invite), MCX_OK);
    (void)want(0, MCX_MSRV_RELAY_OPEN);
    close_world();
}

/* ---- registration ---- */

static mcx_err check_token(void *ctx, char mcptt_id[MCX_MCPTT_VALUE_MAX], struct mcx_bytes token, uint64_t now_ms,
                           struct mcx_refusal *why)
{
    (void)ctx;
    (void)now_ms;
    if (mcx_bytes_is(token, "alice-token")) {
        strcpy(mcptt_id, ALICE);
        return MCX_OK;
    }
    return mcx_refuse(why, MCX_E_AUTH, "no good", "");
}

static void registration_with_a_token(void **state)
{
    static const struct {
        const char *info, *to;
        uint16_t code;
    } rows[] = {
        { "<mcptt-access-token type='Normal'><mcpttString>alice-token</mcpttString></mcptt-access-token>",
          "sip:ims-alice@example.org", 200 },
        { "<mcptt-access-token type='Normal'><mcpttString>alice-token</mcpttString></mcptt-access-token>", BOB, 403 },
        { "<mcptt-access-token type='Normal'><mcpttString>false</mcpttString></mcptt-access-token>",
          "sip:ims-alice@example.org", 403 },
        { "", "sip:ims-alice@example.org", 403 },
        { "<mcptt-access-token type='Normal'><mcpttString>alice-token</mcpttString></mcptt-access-token>",
          "sip:zoe@example.org", 403 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_msrv_sip reg = { .to = mcx_bytes_str(rows[i].to),
                                    .contact = mcx_bytes_str("sip:a@192.0.2.1"),
                                    .source = mcx_bytes_str("sip:192.0.2.1:9"),
                                    .expires = 60 };

        open_world();
        w.auth.check = check_token;
        w.config.authoriser = &w.auth;
        make_body(rows[i].info, NULL, NULL);
        reg.content_type = w.invite.content_type;
        reg.body = w.invite.body;
        assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
        assert_int_equal(want(0, MCX_MSRV_RESPOND)->code, rows[i].code);
        if (rows[i].code == 403) {
            assert_string_equal(w.out.action[0].headers,
                                "Warning: 399 pf.example.org \"101 service authorisation failed\"\r\n");
        }
        assert_int_equal(mcx_msrv_num_bindings(w.srv, w.now), rows[i].code == 200 ? 1 : 0);
        close_world();
    }
}

static void registration_by_a_trusted_proxy(void **state)
{
    struct mcx_msrv_sip reg = { .to = mcx_bytes_str(BOB),
                                .contact = mcx_bytes_str("sip:b@192.0.2.1"),
                                .trusted = true,
                                .source = mcx_bytes_str("sip:192.0.2.5:5060"),
                                .expires = -1,
                                .num_path = 1 };
    const struct mcx_msrv_action *a;
    struct mcx_msrv_action open;

    (void)state;
    open_world();
    enrol_all();
    reg.path[0] = mcx_bytes_str("sip:192.0.2.5:5060;lr");
    reg.asserted = mcx_bytes_str(ALICE);
    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_RESPOND)->code, 403);
    reg.asserted = mcx_bytes_str(BOB);
    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
    assert_non_null(strstr(want(0, MCX_MSRV_RESPOND)->headers, "Contact: <sip:b@192.0.2.1>;expires=3600\r\n"));
    alice_calls(TO_BOB);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 1, 0, &w.invite), MCX_OK);
    open = *want(0, MCX_MSRV_RELAY_OPEN);
    relay_ready(1, &open);
    a = want(0, MCX_MSRV_INVITE);
    assert_string_equal(a->uri, "sip:b@192.0.2.1");
    assert_string_equal(a->route[0], "sip:192.0.2.5:5060;lr");
    assert_null(a->next_hop);
    /* the proxy's word counts, and nobody else's */
    w.invite.source = mcx_bytes_str("sip:192.0.2.5:5060");
    w.invite.asserted = mcx_bytes_str(BOB);
    make_body(PRIVATE, LIST("<entry uri='sip:carol@a.example.org'/>"), OFFER);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 2, 0, &w.invite), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_REJECT)->code, 404);
    w.invite.trusted = true;
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 2, 0, &w.invite), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_REJECT)->code, 486); /* known: Bob, who is being called */
    close_world();
}

static void registration_forms(void **state)
{
    struct mcx_msrv_sip reg = { .to = mcx_bytes_str(BOB), .source = mcx_bytes_str("sip:192.0.2.1:9"), .expires = 60 };

    (void)state;
    open_world();
    enrol(BOB, "sip:192.0.2.20:5060");
    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK); /* a question */
    assert_string_equal(want(0, MCX_MSRV_RESPOND)->headers, "Contact: <sip:192.0.2.20:5060>;expires=600\r\n");
    reg.contact = mcx_bytes_str("*");
    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
    assert_int_equal(want(0, MCX_MSRV_RESPOND)->code, 400); /* "*" without Expires: 0 */
    assert_int_equal(mcx_msrv_num_bindings(w.srv, w.now), 1);
    assert_int_equal(mcx_msrv_num_bindings(w.srv, w.now + 600000), 0);
    reg.expires = 0;
    reg.contact = mcx_bytes_str("sip:192.0.2.77:5060"); /* replaced long ago */
    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
    assert_int_equal(mcx_msrv_num_bindings(w.srv, w.now), 1);
    reg.contact = mcx_bytes_str("sip:192.0.2.20:5060");
    assert_int_equal(feed(MCX_MSRV_EV_REGISTER, 0, 0, &reg), MCX_OK);
    assert_int_equal(mcx_msrv_num_bindings(w.srv, w.now), 0);
    close_world();
}

static void table_is_consistent(void **state)
{
    struct mcx_msrv_row a, b;

    (void)state;
    for (size_t i = 0; mcx_msrv_row(&a, i); i++) {
        for (size_t k = i + 1; mcx_msrv_row(&b, k); k++) {
            assert_false(a.state == b.state && a.event == b.event); /* one row an event and state */
        }
    }
}

static void events_that_do_not_fit(void **state)
{
    struct mcx_msrv_sip ok = { .code = 200,
                               .content_type = mcx_bytes_str(MCX_TYPE_SDP),
                               .body = mcx_bytes_str(ANSWER) };

    (void)state;
    open_world();
    enrol_all();
    alice_calls(TO_BOB);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 3, 0, &w.invite), MCX_OK);
    assert_int_equal(feed(MCX_MSRV_EV_INVITE, 3, 0, &w.invite), MCX_E_STATE);
    assert_int_equal(feed(MCX_MSRV_EV_ANSWER, 3, MCX_MSRV_CALLEE, &ok), MCX_E_STATE);
    assert_int_equal(w.out.num, 0);
    assert_int_equal(feed(MCX_MSRV_EV_ANSWER, 4, MCX_MSRV_CALLEE, &ok), MCX_E_STATE);
    assert_int_equal(mcx_msrv_num_calls(w.srv), 1);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_call),
        cmocka_unit_test(every_refusal),
        cmocka_unit_test(terminating_function_wants_isfocus),
        cmocka_unit_test(commencement_modes),
        cmocka_unit_test(refusal_of_the_callee_passes_unchanged),
        cmocka_unit_test(no_answer_in_time),
        cmocka_unit_test(cancel_while_ringing),
        cmocka_unit_test(callee_cannot_be_reached),
        cmocka_unit_test(caller_gone_before_the_relay),
        cmocka_unit_test(unusable_answer),
        cmocka_unit_test(longest_duration),
        cmocka_unit_test(emergency_uses_the_reserve),
        cmocka_unit_test(registration_with_a_token),
        cmocka_unit_test(registration_by_a_trusted_proxy),
        cmocka_unit_test(registration_forms),
        cmocka_unit_test(table_is_consistent),
        cmocka_unit_test(events_that_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
