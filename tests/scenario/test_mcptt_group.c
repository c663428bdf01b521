/* SPDX-License-Identifier: Apache-2.0 */
/* Group calls at the MCPTT server on a fake clock: TS 24.379 9.2.2, 10.1.1, 10.1.2, and what is refused. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/floor_msg.h>
#include <mcx/mcptt_group.h>

#include "support/fake.h"

#define GROUP "sip:fire@example.org"
#define CHAT  "sip:talk@example.org"
enum { ALICE, BOB, CAROL, DAVE, NUM_USERS };
static const char *const names[NUM_USERS] = { "sip:alice@example.org", "sip:bob@example.org", "sip:carol@example.org",
                                              "sip:dave@example.org" };

#define SDP(port, floor, pt, fmtp)                                                                                     \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"                                       \
    "m=audio " port " RTP/AVP " pt "\r\na=rtpmap:" pt " AMR-WB/16000/1\r\n"                                             \
    "m=application " floor " udp MCPTT\r\na=fmtp:MCPTT " fmtp "\r\n"
#define OFFER SDP("4000", "4010", "97", "mc_queueing;mc_priority=5;mc_implicit_request")
#define PARTS(session, audio, floor)                                                                                   \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\n" session "t=0 0\r\nm=audio 4000 RTP/AVP 97\r\n"                       \
    audio "a=rtpmap:97 AMR-WB/16000/1\r\nm=application 4010 udp MCPTT\r\n" floor
#define ADDRESS "c=IN IP4 192.0.2.10\r\n"
#define CRYPTO  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"

/* All actions of an event with those that MORE brings. */
enum { MAX_SEEN = 4096 };
static struct world {
    struct mcx_msrv_user users[NUM_USERS];
    struct mcx_msrv_config server;
    struct mcx_msrv *srv;
    struct mcx_mgrp_config config;
    struct mcx_mgrp *grp;
    struct fake_rng rng;
    uint64_t now;
    struct seen {
        enum mcx_mgrp_act act;
        uint32_t leg, session;
        uint16_t code, indicator;
        char note[32], user[64], to[64], text[80], clause[32];
        char *body;
        struct mcx_mgrp_peer peer;
        bool protect_floor;
        enum mcx_warning warning;
    } *seen;
    size_t num;
    size_t rounds;
    char body[8192], type[MCX_MIME_TYPE_MAX];
    bool no_channel;
} w;

static void forget(void)
{
    for (size_t i = 0; i < w.num; i++) {
        free(w.seen[i].body);
    }
    w.num = 0;
}

static void keep(const struct mcx_mgrp_action *a)
{
    struct seen *s = &w.seen[w.num++];

    assert_true(w.num < MAX_SEEN);
    memset(s, 0, sizeof *s);
    s->act = a->act;
    s->leg = a->leg;
    s->session = a->session;
    s->code = a->code;
    s->indicator = a->indicator;
    s->peer = a->peer;
    s->protect_floor = a->protect_floor;
    s->warning = a->warning;
    snprintf(s->note, sizeof s->note, "%s", a->note);
    snprintf(s->user, sizeof s->user, "%s", a->act == MCX_MGRP_JOIN ? a->peer.mcptt_id : a->user);
    snprintf(s->to, sizeof s->to, "%s", a->to != NULL ? a->to : "");
    snprintf(s->text, sizeof s->text, "%s", a->text);
    snprintf(s->clause, sizeof s->clause, "%s", a->clause);
    s->body = strndup(a->body.len > 0 ? (const char *)a->body.p : "", a->body.len);
}

static mcx_err feed(struct mcx_mgrp_in *in)
{
    static struct mcx_mgrp_out out;
    struct mcx_mgrp_in more = { .event = MCX_MGRP_EV_MORE };
    mcx_err err;

    forget();
    w.rounds = 0;
    in->now_ms = more.now_ms = w.now;
    err = mcx_mgrp_step(w.grp, in, &out);
    for (;;) {
        w.rounds++;
        for (size_t i = 0; i < out.num; i++) {
            keep(&out.action[i]);
        }
        if (!out.more) {
            return err;
        }
        assert_int_equal(mcx_mgrp_step(w.grp, &more, &out), MCX_OK);
    }
}

static const struct seen *find(enum mcx_mgrp_act act, size_t n)
{
    for (size_t i = 0; i < w.num; i++) {
        if (w.seen[i].act == act && n-- == 0) {
            return &w.seen[i];
        }
    }
    return NULL;
}

static size_t count(enum mcx_mgrp_act act)
{
    size_t n = 0;

    while (find(act, n) != NULL) {
        n++;
    }
    return n;
}

static const struct seen *want(enum mcx_mgrp_act act)
{
    const struct seen *s = find(act, 0);

    if (s == NULL) {
        fail_msg("no action %d among %zu", (int)act, w.num);
    }
    return s;
}

static const struct seen *noted(const char *note)
{
    for (size_t i = 0; i < w.num; i++) {
        if (w.seen[i].act == MCX_MGRP_NOTE && strcmp(w.seen[i].note, note) == 0) {
            return &w.seen[i];
        }
    }
    fail_msg("no note %s", note);
    return NULL;
}

static bool has_channel(void *arg, const char *mcptt_id)
{
    (void)arg;
    (void)mcptt_id;
    return !w.no_channel;
}

static const char *source_of(size_t user)
{
    static char text[NUM_USERS][64];

    snprintf(text[user], sizeof text[user], "sip:192.0.2.%zu:5060", 10 + user);
    return text[user];
}

static void enrol(size_t user, int64_t expires)
{
    struct mcx_msrv_sip reg = { .to = mcx_bytes_str(names[user]),
                                .source = mcx_bytes_str(source_of(user)),
                                .contact = mcx_bytes_str(source_of(user)),
                                .expires = expires };
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_REGISTER, .now_ms = w.now, .sip = &reg };
    static struct mcx_msrv_out out;

    assert_int_equal(mcx_msrv_step(w.srv, &in, &out), MCX_OK);
}

static struct mcx_bytes document_write(const char *uri, const char *members, const char *more, bool prearranged)
{
    static char xml[262144];

    snprintf(xml, sizeof xml,
             "<group xmlns='urn:oma:xml:poc:list-service' xmlns:rl='urn:ietf:params:xml:ns:resource-lists'"
             " xmlns:oxe='urn:oma:xml:xdm:extensions' xmlns:g='urn:3gpp:ns:mcpttGroupInfo:1.0'>"
             "<list-service uri='%s'><list>%s</list><invite-members>%s</invite-members>%s"
             "<oxe:supported-services><oxe:service enabler='urn:urn-7:3gpp-service.ims.icsi.mcptt'><oxe:group-media>"
             "<g:mcptt-speech/></oxe:group-media></oxe:service></oxe:supported-services></list-service></group>",
             uri, members, prearranged ? "true" : "false", more);
    return mcx_bytes_str(xml);
}

static void document(const char *uri, const char *members, const char *more, bool prearranged)
{
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_GROUP };

    in.body = document_write(uri, members, more, prearranged);
    assert_int_equal(feed(&in), MCX_OK);
    noted("group-changed");
}

/* Fetched for GROUP, and refused. */
static void wrong_document(const char *uri, const char *members, mcx_err want_err)
{
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_GROUP, .user = GROUP };

    in.body = document_write(uri, members, "", true);
    assert_int_equal(feed(&in), want_err);
    assert_int_equal(w.num, 0);
}

#define ENTRY(uri) "<entry uri='" uri "'><g:user-priority>3</g:user-priority></entry>"
#define A          ENTRY("sip:alice@example.org")
#define B          ENTRY("sip:bob@example.org")
#define C          ENTRY("sip:carol@example.org")

static int open_world(void **state)
{
    struct mcx_rng rng;

    (void)state;
    memset(&w, 0, sizeof w);
    w.seen = calloc(MAX_SEEN, sizeof *w.seen);
    for (size_t i = 0; i < NUM_USERS; i++) {
        strcpy(w.users[i].mcptt_id, names[i]);
    }
    w.users[ALICE].allow_emergency_group = true;
    w.server = (struct mcx_msrv_config){ .host = "cf.example.org",
                                         .controlling_psi = "sip:mcptt-cf@example.org",
                                         .users = w.users,
                                         .num_users = NUM_USERS,
                                         .max_calls = 4,
                                         .no_answer_ms = 20000 };
    w.rng.seed = 3;
    w.now = 1000000;
    rng = fake_rng(&w.rng);
    assert_int_equal(mcx_msrv_new(&w.srv, &w.server, &rng), MCX_OK);
    w.config = (struct mcx_mgrp_config){
        .srv = w.srv, .server = &w.server, .max_sessions = 4, .max_group_calls = 1, .has_channel = has_channel
    };
    assert_int_equal(mcx_mgrp_new(&w.grp, &w.config, &rng), MCX_OK);
    for (size_t i = 0; i < NUM_USERS; i++) {
        enrol(i, 3600);
    }
    document(GROUP, A B C, "", true);
    document(CHAT, A B C, "", false);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    forget();
    free(w.seen);
    mcx_mgrp_free(w.grp);
    mcx_msrv_free(w.srv);
    return 0;
}

/* ---- messages ---- */

static struct mcx_msrv_sip message(size_t user, const char *info, const char *sdp)
{
    struct mcx_msrv_sip sip = { .source = mcx_bytes_str(source_of(user)),
                                .service = mcx_bytes_str(MCX_MCPTT_SERVICE),
                                .expires = -1 };
    struct mcx_mime mime = { .num = 0 };
    struct mcx_wr wr = mcx_wr((uint8_t *)w.body, sizeof w.body);
    char text[1024];

    if (sdp != NULL) {
        mime.part[mime.num++] =
            (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_SDP), .body = mcx_bytes_str(sdp) };
    }
    if (info != NULL) {
        snprintf(text, sizeof text,
                 "<mcpttinfo xmlns='urn:3gpp:ns:mcpttInfo:1.0'><mcptt-Params>%s</mcptt-Params></mcpttinfo>", info);
        mime.part[mime.num++] =
            (struct mcx_mime_part){ .type = mcx_bytes_str(MCX_TYPE_MCPTT_INFO), .body = mcx_bytes_str(text) };
    }
    if (mime.num > 0) {
        assert_int_equal(mcx_mime_write(&wr, w.type, &mime), MCX_OK);
        sip.content_type = mcx_bytes_str(w.type);
        sip.body = mcx_wr_done(&wr);
    }
    return sip;
}

static uint16_t publish(size_t user, const char *claimed, const char *const *groups, size_t num, int64_t expires)
{
    static struct mcx_affiliation list;
    static uint8_t xml[32768];
    struct mcx_wr wr = mcx_wr(xml, sizeof xml);
    struct mcx_msrv_sip sip = message(user, NULL, NULL);
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_PUBLISH, .sip = &sip };

    memset(&list, 0, sizeof list);
    snprintf(list.mcptt_id, sizeof list.mcptt_id, "%s", claimed);
    strcpy(list.client_id, "radio-1");
    for (size_t i = 0; i < num; i++) {
        snprintf(list.group[i].group, sizeof list.group[i].group, "%s", groups[i]);
    }
    list.num_groups = num;
    assert_int_equal(mcx_affiliation_write(&wr, &list), MCX_OK);
    sip.content_type = mcx_bytes_str(MCX_TYPE_PIDF);
    sip.body = mcx_wr_done(&wr);
    sip.expires = expires;
    assert_int_equal(feed(&in), MCX_OK);
    return want(MCX_MGRP_RESPOND)->code;
}

static const char *const both[] = { GROUP, CHAT };

static void affiliate(size_t user)
{
    assert_int_equal(publish(user, names[user], both, 2, 600), 200);
}

#define INFO(type, group)                                                                                              \
    "<session-type>" type "</session-type><mcptt-request-uri type=\"Normal\"><mcpttURI>" group                         \
    "</mcpttURI></mcptt-request-uri>"
#define PREARRANGED INFO("prearranged", GROUP)
#define EMERGENCY   "<emergency-ind type=\"Normal\"><mcpttBoolean>true</mcpttBoolean></emergency-ind>"
#define CALM        "<emergency-ind type=\"Normal\"><mcpttBoolean>false</mcpttBoolean></emergency-ind>"
#define PERIL       "<imminentperil-ind type=\"Normal\"><mcpttBoolean>true</mcpttBoolean></imminentperil-ind>"
#define TRUE_OF(name)  "<" name "-ind type=\"Normal\"><mcpttBoolean>true<"
#define FALSE_OF(name) "<" name "-ind type=\"Normal\"><mcpttBoolean>false<"

static uint32_t call(size_t user, const char *info, const char *sdp)
{
    struct mcx_msrv_sip sip = message(user, info, sdp);
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_INVITE, .leg = mcx_mgrp_new_leg(w.grp), .sip = &sip };

    assert_int_equal(feed(&in), MCX_OK);
    return in.leg;
}

static mcx_err media_ready(uint32_t session)
{
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_MEDIA_READY,
                              .session = session,
                              .media = { "192.0.2.1", 20000, 20002 } };

    return feed(&in);
}

static mcx_err at(enum mcx_mgrp_event event, uint32_t leg, const char *sdp, bool with_sip)
{
    struct mcx_msrv_sip sip = message(0, NULL, sdp);
    struct mcx_mgrp_in in = { .event = event, .leg = leg, .sip = with_sip ? &sip : NULL };

    return feed(&in);
}

static mcx_err answered(uint32_t leg)
{
    return at(MCX_MGRP_EV_ANSWER, leg, SDP("4100", "4110", "97", "mc_queueing;mc_priority=3"), true);
}

/* Alice calls, Bob and Carol take part. */
static uint32_t start(uint32_t legs[3])
{
    uint32_t session;

    affiliate(ALICE);
    affiliate(BOB);
    affiliate(CAROL);
    legs[0] = call(ALICE, PREARRANGED, OFFER);
    session = want(MCX_MGRP_MEDIA_OPEN)->session;
    assert_int_equal(media_ready(session), MCX_OK);
    legs[1] = find(MCX_MGRP_INVITE, 0)->leg;
    legs[2] = find(MCX_MGRP_INVITE, 1)->leg;
    assert_int_equal(answered(legs[1]), MCX_OK);
    assert_int_equal(answered(legs[2]), MCX_OK);
    assert_int_equal(at(MCX_MGRP_EV_ACKED, legs[0], NULL, true), MCX_OK);
    return session;
}

/* ---- the call ---- */

static void test_prearranged_call(void **state)
{
    uint32_t legs[3], session;
    const struct seen *s;

    (void)state;
    affiliate(ALICE);
    affiliate(BOB);
    affiliate(CAROL);
    legs[0] = call(ALICE, PREARRANGED, OFFER);
    noted("group-call-setup");
    s = want(MCX_MGRP_MEDIA_OPEN);
    assert_true(s->protect_floor);
    assert_int_equal(s->indicator, MCX_FI_NORMAL);
    session = s->session;

    assert_int_equal(media_ready(session), MCX_OK);
    assert_int_equal(count(MCX_MGRP_INVITE), 2);
    s = find(MCX_MGRP_INVITE, 0);
    assert_string_equal(s->to, names[BOB]);
    assert_non_null(strstr(s->body, "m=audio 20000 RTP/AVP 97\r\n"));
    assert_non_null(strstr(s->body, "m=application 20002 udp MCPTT\r\n"));
    assert_non_null(strstr(s->body, "a=fmtp:MCPTT mc_queueing;mc_priority=3\r\n"));
    assert_non_null(strstr(s->body, "sip:fire@example.org")); /* mcptt-calling-group-id */
    assert_non_null(strstr(s->body, "sip:alice@example.org"));
    assert_null(strstr(s->body, "key-mgmt"));
    legs[1] = s->leg;
    legs[2] = find(MCX_MGRP_INVITE, 1)->leg;
    assert_int_equal(media_ready(session), MCX_E_STATE);

    assert_int_equal(answered(legs[1]), MCX_OK); /* the first answer answers the caller */
    s = want(MCX_MGRP_JOIN);
    assert_string_equal(s->user, names[BOB]);
    assert_int_equal(s->peer.max_priority, 3);
    assert_int_equal(s->peer.rtp_port, 4100);
    assert_int_equal(s->peer.floor_port, 4110);
    assert_false(s->peer.implicit_request);
    s = want(MCX_MGRP_ANSWER);
    assert_int_equal(s->leg, legs[0]);
    assert_non_null(strstr(s->body, "m=audio 20000 RTP/AVP 97\r\n"));
    assert_non_null(strstr(s->body, "mc_queueing;mc_priority=3;mc_implicit_request\r\n")); /* TS 24.380 14.3.5 */

    assert_int_equal(answered(legs[2]), MCX_OK);
    assert_int_equal(count(MCX_MGRP_ANSWER), 0);
    assert_int_equal(at(MCX_MGRP_EV_ACKED, legs[0], NULL, true), MCX_OK);
    s = want(MCX_MGRP_JOIN);
    assert_string_equal(s->user, names[ALICE]);
    assert_true(s->peer.implicit_request);
    assert_int_equal(mcx_mgrp_num_participants(w.grp, session), 3);

    assert_int_equal(at(MCX_MGRP_EV_GONE, legs[0], NULL, true), MCX_OK); /* the initiator leaves, the call goes on */
    assert_int_equal(want(MCX_MGRP_PART)->leg, legs[0]);
    assert_int_equal(count(MCX_MGRP_MEDIA_CLOSE), 0);
    assert_int_equal(at(MCX_MGRP_EV_GONE, legs[1], NULL, true), MCX_OK); /* one remains: it ends */
    assert_int_equal(want(MCX_MGRP_HANGUP)->leg, legs[2]);
    assert_int_equal(count(MCX_MGRP_MEDIA_CLOSE), 1);
    noted("group-call-ended");
    assert_int_equal(mcx_mgrp_num_sessions(w.grp), 1);
    assert_int_equal(at(MCX_MGRP_EV_GONE, legs[2], NULL, false), MCX_OK);
    assert_int_equal(mcx_mgrp_num_sessions(w.grp), 0);
    assert_int_equal(at(MCX_MGRP_EV_GONE, legs[2], NULL, false), MCX_E_STATE);
}

/* The lower of what is offered and what the group document allows (TS 24.380 4.1.1.4, 14.3.3). */
static void test_floor_priority(void **state)
{
    static const struct {
        const char *allowed, *offer;
        const char *fmtp;
        uint8_t most;
    } cases[] = {
        { "<g:user-priority>3</g:user-priority>", "mc_queueing;mc_priority=255", "mc_queueing;mc_priority=3", 3 },
        { "<g:user-priority>9</g:user-priority>", "mc_queueing;mc_priority=7", "mc_queueing;mc_priority=7", 7 },
        { "<g:user-priority>9</g:user-priority>", "mc_queueing", "mc_queueing", 0 },
        { "", "mc_queueing;mc_priority=255", "mc_queueing", 0 },
    };
    char members[256], line[64], sdp[512];
    const struct seen *s;
    uint32_t alice, bob;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(members, sizeof members, "<entry uri='sip:alice@example.org'>%s</entry>" B, cases[i].allowed);
        document(GROUP, members, "", true);
        affiliate(ALICE);
        affiliate(BOB);
        snprintf(sdp, sizeof sdp, SDP("4000", "4010", "97", "%s"), cases[i].offer);
        alice = call(ALICE, PREARRANGED, sdp);
        assert_int_equal(media_ready(want(MCX_MGRP_MEDIA_OPEN)->session), MCX_OK);
        bob = want(MCX_MGRP_INVITE)->leg;
        assert_int_equal(answered(bob), MCX_OK);
        snprintf(line, sizeof line, "a=fmtp:MCPTT %s\r\n", cases[i].fmtp);
        assert_non_null(strstr(want(MCX_MGRP_ANSWER)->body, line));
        assert_int_equal(at(MCX_MGRP_EV_ACKED, alice, NULL, true), MCX_OK);
        s = want(MCX_MGRP_JOIN);
        assert_int_equal(s->leg, alice);
        assert_int_equal(s->peer.max_priority, cases[i].most);
        assert_int_equal(at(MCX_MGRP_EV_GONE, alice, NULL, true), MCX_OK);
        assert_int_equal(at(MCX_MGRP_EV_GONE, bob, NULL, false), MCX_OK);
    }
}

static void test_no_queueing(void **state)
{
    uint32_t bob;

    (void)state;
    w.server.no_queueing = true; /* borrowed */
    affiliate(ALICE);
    affiliate(BOB);
    (void)call(ALICE, PREARRANGED, OFFER);
    assert_int_equal(media_ready(want(MCX_MGRP_MEDIA_OPEN)->session), MCX_OK);
    bob = want(MCX_MGRP_INVITE)->leg;
    assert_non_null(strstr(want(MCX_MGRP_INVITE)->body, "a=fmtp:MCPTT mc_priority=3\r\n"));
    assert_int_equal(answered(bob), MCX_OK);
    assert_non_null(strstr(want(MCX_MGRP_ANSWER)->body, "a=fmtp:MCPTT mc_priority=3;mc_implicit_request\r\n"));
}

/* With a new call type a member may offer another priority; who is told of it by the server keeps his. */
static void test_floor_priority_in_an_emergency(void **state)
{
    static const char members[] = "<entry uri='sip:alice@example.org'><g:user-priority>200</g:user-priority></entry>" B C;
    uint32_t legs[3];
    const struct seen *s;
    struct mcx_msrv_sip sip;
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_OFFER, .sip = &sip };

    (void)state;
    document(GROUP, members, "", true);
    (void)start(legs);
    sip = message(ALICE, PREARRANGED EMERGENCY, SDP("4000", "4010", "97", "mc_queueing;mc_priority=255"));
    in.leg = legs[0];
    assert_int_equal(feed(&in), MCX_OK);
    assert_non_null(strstr(want(MCX_MGRP_ANSWER)->body, "a=fmtp:MCPTT mc_queueing;mc_priority=200\r\n"));
    s = want(MCX_MGRP_JOIN);
    assert_int_equal(s->peer.max_priority, 200);
    s = want(MCX_MGRP_OFFER);
    assert_non_null(strstr(s->body, "a=fmtp:MCPTT mc_queueing;mc_priority=3\r\n"));
}

static void test_nobody_answers(void **state)
{
    struct mcx_mgrp_in tick = { .event = MCX_MGRP_EV_TICK };
    uint32_t alice, bob;

    (void)state;
    affiliate(ALICE);
    alice = call(ALICE, PREARRANGED, OFFER);
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 480); /* nobody else is affiliated */
    assert_int_equal(mcx_mgrp_num_sessions(w.grp), 0);

    affiliate(BOB);
    alice = call(ALICE, PREARRANGED, OFFER);
    assert_int_equal(media_ready(want(MCX_MGRP_MEDIA_OPEN)->session), MCX_OK);
    bob = want(MCX_MGRP_INVITE)->leg;
    assert_int_equal(at(MCX_MGRP_EV_GONE, bob, NULL, true), MCX_OK); /* 486 */
    assert_int_equal(want(MCX_MGRP_REJECT)->leg, alice);
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 480);
    assert_string_equal(noted("group-call-refused")->user, names[ALICE]);
    assert_string_equal(noted("group-call-refused")->clause, "TS 24.379 6.3.8.1");
    assert_int_equal(mcx_mgrp_num_sessions(w.grp), 0);

    (void)call(ALICE, PREARRANGED, OFFER);
    assert_int_equal(media_ready(want(MCX_MGRP_MEDIA_OPEN)->session), MCX_OK);
    bob = want(MCX_MGRP_INVITE)->leg;
    w.now = mcx_mgrp_deadline(w.grp);
    assert_int_equal(feed(&tick), MCX_OK);
    assert_int_equal(want(MCX_MGRP_HANGUP)->leg, bob);
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 480);
    assert_int_equal(answered(bob), MCX_OK); /* crossed the CANCEL */
    assert_int_equal(want(MCX_MGRP_HANGUP)->leg, bob);
    assert_int_equal(at(MCX_MGRP_EV_GONE, bob, NULL, false), MCX_OK);
    assert_int_equal(mcx_mgrp_num_sessions(w.grp), 0);
}

static void test_media_fail(void **state)
{
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_MEDIA_FAILED };

    (void)state;
    affiliate(ALICE);
    affiliate(BOB);
    (void)call(ALICE, PREARRANGED, OFFER);
    in.session = want(MCX_MGRP_MEDIA_OPEN)->session;
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 480);
    assert_int_equal(mcx_mgrp_num_sessions(w.grp), 0);
    assert_int_equal(feed(&in), MCX_E_STATE);
}

static void test_late_entry(void **state)
{
    uint32_t alice, bob, carol, session;

    (void)state;
    affiliate(ALICE);
    affiliate(BOB);
    alice = call(ALICE, PREARRANGED, OFFER);
    session = want(MCX_MGRP_MEDIA_OPEN)->session;
    assert_int_equal(media_ready(session), MCX_OK);
    assert_int_equal(count(MCX_MGRP_INVITE), 1);
    bob = want(MCX_MGRP_INVITE)->leg;
    assert_int_equal(answered(bob), MCX_OK);
    assert_int_equal(at(MCX_MGRP_EV_ACKED, alice, NULL, true), MCX_OK);
    affiliate(CAROL); /* she comes into the running call (10.1.1.4.3) */
    carol = want(MCX_MGRP_INVITE)->leg;
    affiliate(CAROL);
    assert_int_equal(count(MCX_MGRP_INVITE), 0);
    assert_int_equal(answered(carol), MCX_OK);
    assert_int_equal(mcx_mgrp_num_participants(w.grp, session), 3);

    assert_int_equal(at(MCX_MGRP_EV_GONE, carol, NULL, true), MCX_OK); /* she leaves, and is left alone */
    affiliate(CAROL);
    assert_int_equal(count(MCX_MGRP_INVITE), 0);
    carol = call(CAROL, PREARRANGED, SDP("4000", "4010", "97", "mc_queueing")); /* and comes back herself */
    assert_int_equal(want(MCX_MGRP_ANSWER)->leg, carol);
    assert_int_equal(at(MCX_MGRP_EV_ACKED, carol, NULL, true), MCX_OK);
    assert_false(want(MCX_MGRP_JOIN)->peer.implicit_request);
    assert_int_equal(at(MCX_MGRP_EV_GONE, carol, NULL, false), MCX_OK); /* her connection broke: she is invited again */
    affiliate(CAROL);
    assert_int_equal(count(MCX_MGRP_INVITE), 1);
    carol = call(CAROL, PREARRANGED, OFFER); /* which crosses her own call */
    assert_int_equal(count(MCX_MGRP_HANGUP), 1);
    assert_int_equal(want(MCX_MGRP_ANSWER)->leg, carol);
}

static void test_chat(void **state)
{
    uint32_t alice, bob, session;

    (void)state;
    alice = call(ALICE, INFO("chat", CHAT), OFFER); /* affiliates implicitly (9.2.2.3.7) */
    noted("affiliated");
    session = want(MCX_MGRP_MEDIA_OPEN)->session;
    affiliate(CAROL);
    assert_int_equal(media_ready(session), MCX_OK);
    assert_int_equal(want(MCX_MGRP_ANSWER)->leg, alice);
    assert_int_equal(count(MCX_MGRP_INVITE), 0); /* nobody is invited into a chat */
    assert_int_equal(at(MCX_MGRP_EV_ACKED, alice, NULL, true), MCX_OK);
    bob = call(BOB, INFO("chat", CHAT), OFFER);
    assert_int_equal(want(MCX_MGRP_ANSWER)->leg, bob);
    assert_int_equal(want(MCX_MGRP_ANSWER)->session, session);
    assert_int_equal(at(MCX_MGRP_EV_GONE, alice, NULL, true), MCX_OK);
    assert_int_equal(count(MCX_MGRP_MEDIA_CLOSE), 0);
    assert_int_equal(at(MCX_MGRP_EV_GONE, bob, NULL, true), MCX_OK);
    assert_int_equal(count(MCX_MGRP_MEDIA_CLOSE), 1);
    assert_int_equal(mcx_mgrp_num_sessions(w.grp), 0);
}

static void test_inactive(void **state)
{
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_INACTIVE };
    uint32_t legs[3];

    (void)state;
    in.session = start(legs);
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(count(MCX_MGRP_HANGUP), 3);
    assert_int_equal(count(MCX_MGRP_MEDIA_CLOSE), 1);
    assert_int_equal(feed(&in), MCX_E_STATE);
    (void)call(ALICE, PREARRANGED, OFFER); /* a new call while the old one is still going */
    assert_int_equal(count(MCX_MGRP_MEDIA_OPEN), 1);
}

static void test_member_removed(void **state)
{
    uint32_t legs[3];

    (void)state;
    (void)start(legs);
    document(GROUP, A B, "", true);
    assert_int_equal(want(MCX_MGRP_PART)->leg, legs[2]); /* no more media at once, then the BYE */
    assert_int_equal(want(MCX_MGRP_HANGUP)->leg, legs[2]);
    assert_int_equal(count(MCX_MGRP_HANGUP), 1);
    (void)call(CAROL, PREARRANGED, OFFER);
    assert_int_equal(noted("group-call-refused")->warning, 116);
    assert_int_equal(publish(CAROL, names[CAROL], both, 1, 600), 403);
}

static void test_affiliation_ends(void **state)
{
    struct mcx_mgrp_in tick = { .event = MCX_MGRP_EV_TICK };
    uint32_t legs[3];

    (void)state;
    (void)start(legs);
    assert_int_equal(publish(CAROL, names[CAROL], &both[1], 1, 600), 200);
    assert_int_equal(want(MCX_MGRP_HANGUP)->leg, legs[2]);
    assert_false(mcx_mgrp_is_affiliated(w.grp, GROUP, names[CAROL], w.now));
    assert_true(mcx_mgrp_is_affiliated(w.grp, CHAT, names[CAROL], w.now));
    w.now += 300000;
    affiliate(ALICE);
    w.now += 300000; /* Bob has not renewed */
    for (int i = 0; i < 4 && count(MCX_MGRP_HANGUP) == 0; i++) {
        assert_int_equal(feed(&tick), MCX_OK);
    }
    assert_int_equal(count(MCX_MGRP_HANGUP), 2); /* and Alice would be alone */
    assert_int_equal(count(MCX_MGRP_MEDIA_CLOSE), 1);
}

/* All who are told by re-INVITE find these octets in it, and who is behind it. */
static void told_of(const char *octets, const char *by)
{
    for (size_t i = 0; i < count(MCX_MGRP_OFFER); i++) {
        assert_non_null(strstr(find(MCX_MGRP_OFFER, i)->body, octets));
        assert_non_null(strstr(find(MCX_MGRP_OFFER, i)->body, by));
    }
    assert_true(count(MCX_MGRP_OFFER) > 0);
}

static void test_emergency(void **state)
{
    struct mcx_msrv_sip sip;
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_OFFER, .sip = &sip };
    uint32_t legs[3];
    uint32_t session;

    (void)state;
    session = start(legs);
    sip = message(BOB, PREARRANGED EMERGENCY, OFFER);
    in.leg = legs[1];
    assert_int_equal(feed(&in), MCX_OK); /* Bob may not */
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 403);
    assert_non_null(strstr(want(MCX_MGRP_REJECT)->body, "false"));
    assert_int_equal(count(MCX_MGRP_CALL_TYPE), 0);

    sip = message(ALICE, PREARRANGED EMERGENCY, OFFER);
    in.leg = legs[0];
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(want(MCX_MGRP_CALL_TYPE)->indicator, MCX_FI_EMERGENCY);
    assert_int_equal(want(MCX_MGRP_CALL_TYPE)->session, session);
    assert_int_equal(want(MCX_MGRP_ANSWER)->leg, legs[0]);
    assert_int_equal(count(MCX_MGRP_OFFER), 2); /* Bob and Carol are told */
    assert_non_null(strstr(want(MCX_MGRP_OFFER)->body, "emergency-ind"));
    assert_false(want(MCX_MGRP_JOIN)->peer.implicit_request);

    sip = message(ALICE, PREARRANGED CALM, OFFER);
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(want(MCX_MGRP_CALL_TYPE)->indicator, MCX_FI_NORMAL);
    assert_int_equal(count(MCX_MGRP_OFFER), 2); /* that it is over, they are told too (6.2.8.1.13) */
    assert_non_null(strstr(want(MCX_MGRP_OFFER)->body, CALM));
    told_of(CALM, names[ALICE]);
}

/* A re-INVITE that met another one is sent again, with what holds by then (RFC 3261 14.1). */
static void test_told_again(void **state)
{
    struct mcx_msrv_sip sip;
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_OFFER, .sip = &sip };
    uint32_t legs[3];

    (void)state;
    start(legs);
    sip = message(ALICE, PREARRANGED EMERGENCY, OFFER);
    in.leg = legs[0];
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(at(MCX_MGRP_EV_UNTOLD, legs[1], NULL, false), MCX_OK);
    assert_int_equal(want(MCX_MGRP_OFFER)->leg, legs[1]);
    assert_non_null(strstr(want(MCX_MGRP_OFFER)->body, EMERGENCY));
    sip = message(ALICE, PREARRANGED CALM, OFFER);
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(at(MCX_MGRP_EV_UNTOLD, legs[1], NULL, false), MCX_OK);
    assert_non_null(strstr(want(MCX_MGRP_OFFER)->body, CALM));
    assert_int_equal(at(MCX_MGRP_EV_GONE, legs[1], NULL, true), MCX_OK);
    assert_int_equal(at(MCX_MGRP_EV_UNTOLD, legs[1], NULL, false), MCX_E_STATE);
}

/* The type changes while one is still to answer, and another's ACK is on its way: both are told afterwards. */
static void test_changed_meanwhile(void **state)
{
    struct mcx_msrv_sip sip;
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_OFFER, .sip = &sip };
    uint32_t alice, bob, carol;

    (void)state;
    affiliate(ALICE);
    affiliate(BOB);
    affiliate(CAROL);
    bob = call(BOB, PREARRANGED, OFFER);
    assert_int_equal(media_ready(want(MCX_MGRP_MEDIA_OPEN)->session), MCX_OK);
    alice = find(MCX_MGRP_INVITE, 0)->leg;
    carol = find(MCX_MGRP_INVITE, 1)->leg;
    assert_int_equal(answered(alice), MCX_OK); /* Bob has his 200 now, Carol rings */
    sip = message(ALICE, PREARRANGED EMERGENCY, OFFER);
    in.leg = alice;
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(count(MCX_MGRP_OFFER), 0);
    assert_int_equal(answered(carol), MCX_OK);
    assert_int_equal(want(MCX_MGRP_OFFER)->leg, carol);
    assert_non_null(strstr(want(MCX_MGRP_OFFER)->body, EMERGENCY));
    assert_int_equal(at(MCX_MGRP_EV_ACKED, bob, NULL, true), MCX_OK);
    assert_int_equal(want(MCX_MGRP_OFFER)->leg, bob);
    assert_int_equal(count(MCX_MGRP_OFFER), 1);
    assert_int_equal(at(MCX_MGRP_EV_ACKED, alice, NULL, true), MCX_E_STATE); /* of his re-INVITE: nothing new */
}

/* TS 24.379 10.1.1.4.4, 10.1.1.4.5: imminent peril, which becomes an emergency; its end is the end of both. */
static void test_peril_and_emergency(void **state)
{
    struct mcx_msrv_sip sip;
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_OFFER, .sip = &sip };
    uint32_t legs[3];

    (void)state;
    (void)start(legs);
    w.users[BOB].allow_imminent_group = true;
    sip = message(BOB, PREARRANGED PERIL, OFFER);
    in.leg = legs[1];
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(want(MCX_MGRP_CALL_TYPE)->indicator, MCX_FI_IMMINENT);
    told_of(TRUE_OF("imminentperil"), names[BOB]); /* by whom, although Alice has called */
    sip = message(ALICE, PREARRANGED EMERGENCY, OFFER);
    in.leg = legs[0];
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(want(MCX_MGRP_CALL_TYPE)->indicator, MCX_FI_EMERGENCY);
    told_of(TRUE_OF("emergency"), names[ALICE]);
    told_of(FALSE_OF("imminentperil"), names[ALICE]);

    sip = message(BOB, PREARRANGED PERIL, OFFER); /* less than what it is: he learns what it is */
    in.leg = legs[1];
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(count(MCX_MGRP_CALL_TYPE), 0);
    assert_non_null(strstr(want(MCX_MGRP_ANSWER)->body, TRUE_OF("emergency")));
    assert_null(strstr(want(MCX_MGRP_ANSWER)->body, TRUE_OF("imminentperil")));

    sip = message(ALICE, PREARRANGED CALM, OFFER);
    in.leg = legs[0];
    assert_int_equal(feed(&in), MCX_OK);
    assert_int_equal(want(MCX_MGRP_CALL_TYPE)->indicator, MCX_FI_NORMAL);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *what;
        size_t user;
        const char *info, *sdp;
        uint16_t code;
        unsigned warning;
        const char *clause;
    } cases[] = {
        { "no such group", ALICE, INFO("prearranged", "sip:none@example.org"), OFFER, 404, 113, "TS 24.379 4.4.2" },
        { "not a member", DAVE, PREARRANGED, OFFER, 403, 116, "TS 24.379 4.4.2" },
        { "chat of a prearranged group", ALICE, INFO("chat", GROUP), OFFER, 404, 117, "TS 24.379 4.4.2" },
        { "prearranged of a chat group", ALICE, INFO("prearranged", CHAT), OFFER, 404, 118, "TS 24.379 4.4.2" },
        { "not affiliated", CAROL, PREARRANGED, OFFER, 403, 120, "TS 24.379 4.4.2" },
        { "no SDP", ALICE, PREARRANGED, NULL, 488, 0, "TS 24.379 6.2.1" },
        { "no AMR-WB", ALICE, PREARRANGED, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                                           "m=audio 4000 RTP/AVP 0\r\n", 488, 0, "TS 26.179 4" },
        { "emergency without the right", BOB, PREARRANGED EMERGENCY, OFFER, 403, 0, "TS 24.379 6.3.3.1.14" },
        { "no mcptt-info", ALICE, NULL, OFFER, 400, 0, "TS 24.379 F.1" },
        { "no SDP that can be read", ALICE, PREARRANGED, "v=1\r\n", 488, 0, "RFC 4566 5.1" },
        { "no address", ALICE, PREARRANGED, PARTS("", "", "c=IN IP4 192.0.2.10\r\n"), 488, 0, "RFC 4566 5.7" },
        { "no address of floor control", ALICE, PREARRANGED, PARTS("", ADDRESS, ""), 488, 0, "RFC 4566 5.7" },
        { "floor attribute", ALICE, PREARRANGED, PARTS(ADDRESS, "", "a=fmtp:MCPTT mc_priority=-1\r\n"), 488, 0,
          "TS 24.380 12.1.2" },
        { "key of the session", ALICE, PREARRANGED, PARTS(ADDRESS "a=key-mgmt:mikey AQAFgM0=\r\n", "", ""), 488, 0,
          "TS 33.180 5.7" },
        { "key of the audio", ALICE, PREARRANGED, PARTS(ADDRESS, "a=key-mgmt:mikey AQAFgM0=\r\n", ""), 488, 0,
          "TS 33.180 5.7" },
        { "by its other name", ALICE, PREARRANGED, PARTS(ADDRESS, "a=keymgmt:mikey AQAFgM0=\r\n", ""), 488, 0,
          "TS 33.180 5.7" },
        { "key of RFC 4568", ALICE, PREARRANGED, PARTS(ADDRESS, CRYPTO, ""), 488, 0, "TS 33.180 5.7" },
        { "key of floor control", ALICE, PREARRANGED, PARTS(ADDRESS, "", CRYPTO), 488, 0, "TS 33.180 5.7" },
    };

    (void)state;
    affiliate(ALICE);
    affiliate(BOB);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct seen *s, *note;

        (void)call(cases[i].user, cases[i].info, cases[i].sdp);
        s = want(MCX_MGRP_REJECT);
        note = noted("group-call-refused");
        if (s->code != cases[i].code || note->warning != cases[i].warning) {
            fail_msg("%s: %u, warning %u", cases[i].what, s->code, note->warning);
        }
        if (note->text[0] == '\0' || strcmp(note->clause, cases[i].clause) != 0) {
            fail_msg("%s: %s", cases[i].what, note->clause);
        }
        assert_int_equal(mcx_mgrp_num_sessions(w.grp), 0);
    }
    w.no_channel = true; /* his floor messages could not be protected */
    (void)call(ALICE, PREARRANGED, OFFER);
    assert_int_equal(noted("group-call-refused")->warning, 100);
    assert_string_equal(noted("group-call-refused")->text, "no client-server key");
}

/* An answer that cannot be used ends his part, a re-INVITE that cannot be leaves it as it was. */
static void test_descriptions_refused(void **state)
{
    uint32_t legs[3], session;

    (void)state;
    affiliate(ALICE);
    affiliate(BOB);
    affiliate(CAROL);
    legs[0] = call(ALICE, PREARRANGED, OFFER);
    session = want(MCX_MGRP_MEDIA_OPEN)->session;
    assert_int_equal(media_ready(session), MCX_OK);
    legs[1] = find(MCX_MGRP_INVITE, 0)->leg;
    legs[2] = find(MCX_MGRP_INVITE, 1)->leg;
    assert_int_equal(answered(legs[1]), MCX_OK);
    assert_int_equal(at(MCX_MGRP_EV_ANSWER, legs[2], PARTS(ADDRESS, CRYPTO, ""), true), MCX_OK);
    assert_string_equal(noted("group-answer-refused")->clause, "TS 33.180 5.7");
    assert_string_equal(noted("group-answer-refused")->user, names[CAROL]);
    assert_int_equal(want(MCX_MGRP_HANGUP)->leg, legs[2]);
    assert_int_equal(count(MCX_MGRP_JOIN), 0);
    assert_int_equal(at(MCX_MGRP_EV_OFFER, legs[1], PARTS(ADDRESS "a=key-mgmt:mikey AQAFgM0=\r\n", "", ""), true), MCX_OK);
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 488);
    assert_string_equal(noted("group-offer-refused")->clause, "TS 33.180 5.7");
    assert_int_equal(at(MCX_MGRP_EV_OFFER, legs[1], SDP("4000", "4010", "98", ""), true), MCX_OK);
    assert_string_equal(noted("group-offer-refused")->clause, "RFC 3264 6.1");
    assert_int_equal(count(MCX_MGRP_JOIN) + count(MCX_MGRP_PART), 0);
    assert_int_equal(answered(legs[1]), MCX_E_STATE); /* he is in the call */
}

static void test_limits(void **state)
{
    uint32_t legs[3];

    (void)state;
    (void)start(legs);
    (void)call(ALICE, INFO("chat", CHAT), OFFER); /* one group call a user here */
    assert_int_equal(noted("group-call-refused")->warning, 103);
    (void)call(ALICE, PREARRANGED, SDP("4000", "4010", "98", "mc_queueing")); /* packets are not rewritten */
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 488);
    document(GROUP, A B C ENTRY("sip:dave@example.org"), "<max-participant-count>3</max-participant-count>", true);
    assert_int_equal(publish(DAVE, names[DAVE], both, 1, 600), 200);
    assert_int_equal(count(MCX_MGRP_INVITE), 0);
    (void)call(DAVE, PREARRANGED, OFFER);
    assert_int_equal(noted("group-call-refused")->warning, 122);
}

static void test_affiliation_refused(void **state)
{
    static const char *const none[] = { "sip:none@example.org" };

    (void)state;
    assert_int_equal(publish(DAVE, names[DAVE], both, 1, 600), 403);
    assert_int_equal(noted("affiliation-refused")->warning, 116);
    assert_int_equal(publish(ALICE, names[ALICE], none, 1, 600), 404);
    assert_int_equal(publish(ALICE, names[BOB], both, 1, 600), 403); /* in another's name */
    assert_false(mcx_mgrp_is_affiliated(w.grp, GROUP, names[ALICE], w.now));
    assert_false(mcx_mgrp_is_affiliated(w.grp, GROUP, names[BOB], w.now));
    affiliate(ALICE);
    assert_true(mcx_mgrp_is_affiliated(w.grp, GROUP, names[ALICE], w.now));
    assert_int_equal(publish(ALICE, names[ALICE], both, 2, 0), 200);
    assert_false(mcx_mgrp_is_affiliated(w.grp, GROUP, names[ALICE], w.now));
    assert_int_equal(publish(BOB, names[BOB], both, 2, 600), 200);
    w.now += 600000;
    assert_false(mcx_mgrp_is_affiliated(w.grp, GROUP, names[BOB], w.now));
}

/* Every bit of room in a step is used, and no action is lost: 300 members are invited in batches. */
static void test_many(void **state)
{
    enum { MANY = 300 };
    static struct mcx_msrv_user users[MANY];
    static char members[MANY * 64];
    static struct mcx_msrv_out out;
    static struct mcx_msrv_config server; /* the server keeps it until the world is closed */
    struct mcx_rng rng = fake_rng(&w.rng);
    size_t len = 0;

    (void)state;
    server = w.server;
    for (size_t i = 0; i < MANY; i++) {
        struct mcx_msrv_sip reg = { .expires = 3600 };
        struct mcx_msrv_in in = { .event = MCX_MSRV_EV_REGISTER, .now_ms = w.now, .sip = &reg };

        memset(&users[i], 0, sizeof users[i]);
        snprintf(users[i].mcptt_id, sizeof users[i].mcptt_id, "sip:u%03zu@example.org", i);
        len += (size_t)snprintf(members + len, sizeof members - len, "<entry uri='%s'/>", users[i].mcptt_id);
        if (i == 0) {
            mcx_mgrp_free(w.grp);
            mcx_msrv_free(w.srv);
            server.users = users;
            server.num_users = MANY;
            assert_int_equal(mcx_msrv_new(&w.srv, &server, &rng), MCX_OK);
            w.config.srv = w.srv;
            assert_int_equal(mcx_mgrp_new(&w.grp, &w.config, &rng), MCX_OK);
        }
        reg.to = mcx_bytes_str(users[i].mcptt_id);
        reg.contact = reg.source = mcx_bytes_str(users[i].mcptt_id);
        assert_int_equal(mcx_msrv_step(w.srv, &in, &out), MCX_OK);
    }
    document(GROUP, members, "", true);
    for (size_t i = 0; i < MANY; i++) {
        static struct mcx_affiliation list;
        static uint8_t xml[4096];
        struct mcx_wr wr = mcx_wr(xml, sizeof xml);
        struct mcx_msrv_sip sip = { .source = mcx_bytes_str(users[i].mcptt_id), .expires = 600 };
        struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_PUBLISH, .sip = &sip };

        memset(&list, 0, sizeof list);
        memcpy(list.mcptt_id, users[i].mcptt_id, sizeof list.mcptt_id);
        strcpy(list.client_id, "r");
        strcpy(list.group[0].group, GROUP);
        list.num_groups = 1;
        assert_int_equal(mcx_affiliation_write(&wr, &list), MCX_OK);
        sip.content_type = mcx_bytes_str(MCX_TYPE_PIDF);
        sip.body = mcx_wr_done(&wr);
        assert_int_equal(feed(&in), MCX_OK);
        assert_int_equal(want(MCX_MGRP_RESPOND)->code, 200);
    }
    {
        struct mcx_msrv_sip sip = message(0, PREARRANGED, OFFER);
        struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_INVITE, .sip = &sip, .leg = mcx_mgrp_new_leg(w.grp) };
        struct mcx_mgrp_in inactive = { .event = MCX_MGRP_EV_INACTIVE };

        sip.source = mcx_bytes_str(users[0].mcptt_id);
        assert_int_equal(feed(&in), MCX_OK);
        inactive.session = want(MCX_MGRP_MEDIA_OPEN)->session;
        assert_int_equal(media_ready(inactive.session), MCX_OK);
        assert_int_equal(count(MCX_MGRP_INVITE), MANY - 1);
        assert_true(w.rounds > MANY / MCX_MGRP_MAX_ACTIONS);
        assert_int_equal(feed(&inactive), MCX_OK);
        assert_int_equal(count(MCX_MGRP_HANGUP), MANY - 1);
    }
}

static void test_documents(void **state)
{
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_GROUP, .body = mcx_bytes_str("<group/>") };
    struct mcx_mgrp_in bye = { .event = MCX_MGRP_EV_GROUP_GONE, .user = GROUP };
    uint32_t legs[3];

    (void)state;
    assert_int_not_equal(feed(&in), MCX_OK);
    (void)start(legs);
    wrong_document(CHAT, A B C, MCX_E_POLICY); /* asked for one group, got that of another */
    wrong_document(GROUP, A A, MCX_E_FORMAT);
    assert_int_equal(count(MCX_MGRP_HANGUP), 0);
    assert_true(mcx_mgrp_is_affiliated(w.grp, GROUP, names[CAROL], w.now)); /* as it was */
    assert_int_equal(feed(&bye), MCX_OK);
    assert_int_equal(count(MCX_MGRP_HANGUP), 3);
    assert_int_equal(feed(&bye), MCX_E_STATE);
    (void)call(ALICE, PREARRANGED, OFFER);
    assert_int_equal(noted("group-call-refused")->warning, 113);
}

static void test_too_many_groups(void **state)
{
    struct mcx_mgrp_in in = { .event = MCX_MGRP_EV_GROUP };
    char uri[64];

    (void)state; /* two are there */
    for (size_t i = 2; i < MCX_MGRP_MAX_GROUPS; i++) {
        (void)snprintf(uri, sizeof uri, "sip:group%zu@example.org", i);
        document(uri, A B, "", true);
    }
    in.body = document_write("sip:one-more@example.org", A B, "", true);
    assert_int_equal(feed(&in), MCX_E_SPACE);
    assert_int_equal(w.num, 0);
    document(uri, A B C, "", true); /* one that is there may change */
}

static void test_no_session(void **state)
{
    (void)state;
    affiliate(ALICE);
    affiliate(BOB);
    w.rng.fail_at = w.rng.num_calls + 1;
    (void)call(ALICE, PREARRANGED, OFFER);
    assert_int_equal(want(MCX_MGRP_REJECT)->code, 500);
    assert_string_equal(noted("group-call-refused")->text, "no memory, or no random octets, for a session");
    assert_int_equal(count(MCX_MGRP_MEDIA_OPEN), 0);
    (void)call(ALICE, PREARRANGED, OFFER); /* and now it goes */
    assert_int_equal(count(MCX_MGRP_MEDIA_OPEN), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        T(test_prearranged_call), T(test_nobody_answers), T(test_media_fail),     T(test_late_entry),
        T(test_chat),             T(test_inactive),       T(test_member_removed), T(test_affiliation_ends),
        T(test_told_again),       T(test_changed_meanwhile), T(test_peril_and_emergency),
        T(test_emergency),        T(test_refusals),       T(test_limits),         T(test_affiliation_refused),
        T(test_many),             T(test_documents),      T(test_descriptions_refused), T(test_floor_priority),
        T(test_floor_priority_in_an_emergency), T(test_no_queueing),
        T(test_too_many_groups),  T(test_no_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
