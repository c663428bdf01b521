/* SPDX-License-Identifier: Apache-2.0 */
/* The SIP layer against raw datagrams: malformed, unknown, repeated and out-of-order messages, session timers. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/sip.h"

static struct world {
    struct mcx_sip *sip;
    struct mcx_sip_call *call;
    struct mcx_watch watch;
    struct mcx_timer guard;
    uint16_t port, own;
    unsigned invites, requests, offers, closed, acked;
    enum mcx_sip_close why;
    bool answer_at_once;
    struct mcx_sip_limits limits; /* of the next world */
    char got[8192];
    char refusal[64];
    unsigned refusals;
} w;

static void on_event(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    (void)arg;
    (void)call;
    w.acked += ev->event == MCX_SIP_ACKED ? 1 : 0;
    w.offers += ev->event == MCX_SIP_OFFER ? 1 : 0;
    if (ev->event == MCX_SIP_CLOSED) {
        w.closed++;
        w.why = ev->why;
    }
}

static void on_invite(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg)
{
    (void)arg;
    (void)msg;
    w.invites++;
    w.call = call;
    mcx_sip_call_handler(call, on_event, NULL);
    if (w.answer_at_once) {
        assert_int_equal(mcx_sip_call_answer(call, NULL), MCX_OK);
    }
}

static bool on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    (void)arg;
    (void)sip;
    (void)msg;
    w.requests++;
    return false;
}

static void arrived(void *arg)
{
    (void)arg;
    mcx_loop_stop();
}

static void on_refusal(void *arg, const char *reason)
{
    (void)arg;
    w.refusals++;
    snprintf(w.refusal, sizeof w.refusal, "%s", reason);
}

static void open_world(bool answer)
{
    struct mcx_sip_config config = { .agent = "test",
                                     .user = "srv",
                                     .num_listen = 1,
                                     .on_invite = on_invite,
                                     .on_request = on_request,
                                     .on_refusal = on_refusal,
                                     .limits = w.limits };
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    struct mcx_refusal why;
    char addr[64];

    struct mcx_sip_limits limits = w.limits;

    memset(&w, 0, sizeof w);
    w.limits = limits;
    w.answer_at_once = answer;
    config.listen[0] = (struct mcx_sip_listen){ MCX_SIP_UDP, "127.0.0.1", 0 };
    assert_int_equal(mcx_loop_open(64), MCX_OK);
    assert_int_equal(mcx_sip_new(&w.sip, &config, &why), MCX_OK);
    assert_int_equal(mcx_sip_local(w.sip, MCX_SIP_UDP, addr, &w.port), MCX_OK);
    w.watch.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    w.watch.ready = arrived;
    assert_int_equal(bind(w.watch.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(w.watch.fd, (struct sockaddr *)&a, &len), 0);
    w.own = ntohs(a.sin_port);
    assert_int_equal(mcx_loop_watch(&w.watch), MCX_OK);
}

static void close_world(void)
{
    mcx_loop_unwatch(&w.watch);
    close(w.watch.fd);
    mcx_timer_clear(&w.guard);
    mcx_sip_free(w.sip);
    mcx_loop_close();
}

static void say(const char *text)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(w.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    assert_int_equal(sendto(w.watch.fd, text, strlen(text), 0, (struct sockaddr *)&a, sizeof a), (ssize_t)strlen(text));
}

/* Next datagram; "" when none comes within `ms`. */
static const char *hear(unsigned ms)
{
    ssize_t n = recv(w.watch.fd, w.got, sizeof w.got - 1, 0);

    if (n < 0) {
        assert_int_equal(mcx_timer_start(&w.guard, ms, arrived, NULL), MCX_OK);
        assert_int_equal(mcx_loop_run(NULL), MCX_OK);
        mcx_timer_stop(&w.guard);
        n = recv(w.watch.fd, w.got, sizeof w.got - 1, 0);
    }
    w.got[n < 0 ? 0 : n] = '\0';
    return w.got;
}

static void want(const char *status)
{
    char line[64];

    snprintf(line, sizeof line, "SIP/2.0 %s", status);
    if (strncmp(hear(3000), line, strlen(line)) != 0) {
        fail_msg("not %s: %s", status, w.got);
    }
}

static void want_nothing(void)
{
    if (hear(60)[0] != '\0') {
        fail_msg("unexpected: %s", w.got);
    }
}

/* A request with usual headers; `extra` are more of them, `to_tag` may be "". */
static const char *request(const char *method, unsigned cseq, const char *branch, const char *to_tag, const char *extra)
{
    static char text[4096];

    snprintf(text, sizeof text,
             "%s sip:srv@127.0.0.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
             "From: <sip:a@example.org>;tag=1\r\nTo: <sip:b@example.org>%s%s\r\nCall-ID: c1\r\nCSeq: %u %s\r\n"
             "Contact: <sip:a@127.0.0.1:%u>\r\n%sContent-Length: 0\r\n\r\n",
             method, (unsigned)w.port, (unsigned)w.own, branch, to_tag[0] != '\0' ? ";tag=" : "", to_tag, cseq,
             strcmp(method, "CANCEL") == 0 ? "CANCEL" : method, (unsigned)w.own, extra);
    return text;
}

static void take_to_tag(char tag[64])
{
    const char *to = strstr(w.got, "\r\nTo:");
    const char *at = to == NULL ? NULL : strstr(to, ";tag=");

    assert_non_null(at);
    assert_int_equal(sscanf(at + 5, "%63[^;\r\n]", tag), 1);
}

static void malformed(void **state)
{
    static const struct {
        const char *name, *text, *status; /* "" = no answer */
    } rows[] = {
        { "noise", "hello\r\n\r\n", "" },
        { "no From tag",
          "MESSAGE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKa;rport\r\nFrom: <sip:a@x>\r\n"
          "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
          "400" },
        { "CSeq of another method",
          "MESSAGE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKb;rport\r\nFrom: <sip:a@x>;tag=1\r\n"
          "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
          "400" },
        { "body cut off",
          "MESSAGE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKc;rport\r\nFrom: <sip:a@x>;tag=1\r\n"
          "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 10\r\n\r\nabc",
          "400" },
        { "unknown extension",
          "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKd;rport\r\nFrom: <sip:a@x>;tag=1\r\n"
          "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@x>\r\nRequire: timer, 100rel\r\n"
          "Content-Length: 0\r\n\r\n",
          "420" },
        { "INVITE without Contact",
          "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKe;rport\r\nFrom: <sip:a@x>;tag=1\r\n"
          "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
          "400" },
        { "session timer too short",
          "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKf;rport\r\nFrom: <sip:a@x>;tag=1\r\n"
          "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@x>\r\nSupported: timer\r\n"
          "Session-Expires: 89\r\nContent-Length: 0\r\n\r\n",
          "422" },
        { "unknown method",
          "DANCE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKg;rport\r\nFrom: <sip:a@x>;tag=1\r\n"
          "To: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 DANCE\r\nContent-Length: 0\r\n\r\n",
          "501" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1024];
        const char *mark = strstr(rows[i].text, "%u");

        open_world(true);
        if (mark != NULL) {
            snprintf(text, sizeof text, "%.*s%u%s", (int)(mark - rows[i].text), rows[i].text, (unsigned)w.own,
                     mark + 2);
        } else {
            strcpy(text, rows[i].text);
        }
        say(text);
        if (rows[i].status[0] == '\0') {
            want_nothing();
        } else {
            want(rows[i].status);
        }
        assert_int_equal(w.invites, 0);
        if (strcmp(rows[i].status, "420") == 0) {
            assert_non_null(strstr(w.got, "\r\nUnsupported: 100rel\r\n"));
        }
        if (strcmp(rows[i].status, "422") == 0) {
            assert_non_null(strstr(w.got, "\r\nMin-SE: 90\r\n"));
        }
        close_world();
    }
}

static void outside_of_dialogs(void **state)
{
    (void)state;
    open_world(true);
    say(request("BYE", 2, "x1", "zz", ""));
    want("481");
    say(request("UPDATE", 3, "x2", "zz", ""));
    want("481");
    say(request("INVITE", 4, "x3", "zz", ""));
    want("481");
    say(request("CANCEL", 5, "x4", "", ""));
    want("481");
    say(request("ACK", 6, "x5", "zz", ""));
    say(request("ACK", 6, "x6", "", ""));
    want_nothing();
    say(request("OPTIONS", 7, "x7", "", ""));
    want("200");
    assert_non_null(strstr(w.got, "\r\nAllow: INVITE"));
    say(request("MESSAGE", 8, "x8", "", ""));
    want("501");
    assert_int_equal(w.requests, 1);
    assert_int_equal(w.invites, 0);
    close_world();
}

static void call_with_its_repetitions(void **state)
{
    char tag[64];

    (void)state;
    open_world(true);
    say(request("INVITE", 1, "i1", "", "Supported: timer\r\nSession-Expires: 1800\r\n"));
    want("100");
    want("200");
    assert_non_null(strstr(w.got, "\r\nRequire: timer\r\n"));
    assert_non_null(strstr(w.got, "\r\nSession-Expires: 1800;refresher=uac\r\n"));
    take_to_tag(tag);
    want("200"); /* again, until the ACK */
    say(request("INVITE", 1, "i1", "", ""));
    want_nothing(); /* a repetition of the request makes no second call */
    assert_int_equal(w.invites, 1);
    say(request("ACK", 9, "a0", tag, "")); /* of another transaction */
    say(request("ACK", 1, "a1", tag, ""));
    say(request("ACK", 1, "a2", tag, ""));
    want_nothing();
    assert_int_equal(w.acked, 1);

    say(request("UPDATE", 2, "u1", tag, "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n"));
    want("200");
    assert_non_null(strstr(w.got, "\r\nSession-Expires: 1800;refresher=uac\r\n"));
    say(request("INVITE", 3, "r1", tag, ""));
    want("488"); /* nobody took the offer; the call goes on */
    say(request("ACK", 3, "r1", tag, ""));
    assert_int_equal(w.offers, 1);
    assert_int_equal(w.closed, 0);
    say(request("INFO", 4, "f1", tag, ""));
    want("501");
    say(request("OPTIONS", 5, "o1", tag, ""));
    want("200");
    say(request("BYE", 2, "b0", tag, "")); /* older than what was seen */
    want("500");
    assert_int_equal(w.closed, 0);
    say(request("BYE", 6, "b1", tag, ""));
    want("200");
    assert_int_equal(w.closed, 1);
    assert_int_equal(w.why, MCX_SIP_BY_BYE);
    say(request("BYE", 7, "b2", tag, ""));
    want("481");
    close_world();
}

static void cancel_before_the_answer(void **state)
{
    (void)state;
    open_world(false);
    say(request("INVITE", 1, "c1", "", ""));
    want("100");
    say(request("CANCEL", 1, "c1", "", ""));
    want("200");
    want("487");
    assert_int_equal(w.closed, 1);
    assert_int_equal(w.why, MCX_SIP_BY_CANCEL);
    say(request("ACK", 1, "c1", "", ""));
    want_nothing();
    close_world();
}

static void bye_before_the_answer(void **state)
{
    char tag[64];

    (void)state;
    open_world(false);
    say(request("INVITE", 1, "e1", "", ""));
    want("100");
    assert_int_equal(mcx_sip_call_progress(w.call, 180, "Ringing", NULL), MCX_OK);
    want("180");
    take_to_tag(tag);
    say(request("BYE", 2, "e2", tag, ""));
    want("200");
    want("487");
    assert_int_equal(w.why, MCX_SIP_BY_BYE);
    close_world();
}

static void our_bye_waits_for_the_ack(void **state)
{
    char tag[64];

    (void)state;
    open_world(true);
    say(request("INVITE", 1, "h1", "", ""));
    want("100");
    want("200");
    take_to_tag(tag);
    mcx_sip_call_hangup(w.call, NULL);
    want("200"); /* still only the repeated 200 */
    say(request("ACK", 1, "h2", tag, ""));
    if (strncmp(hear(3000), "BYE sip:a@127.0.0.1:", 20) != 0) {
        fail_msg("no BYE: %s", w.got);
    }
    assert_int_equal(w.closed, 0);
    close_world();
}

static bool exempt(void *arg, const char *source)
{
    (void)arg;
    return strncmp(source, "sip:127.0.0.1:", 14) == 0;
}

static void too_many_requests(void **state)
{
    char branch[16];
    char tag[64];

    (void)state;
    w.limits = (struct mcx_sip_limits){ .peer_per_minute = 3 };
    open_world(true);
    say(request("INVITE", 1, "i", "", ""));
    want("100");
    want("200");
    take_to_tag(tag);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(branch, sizeof branch, "m%u", i);
        say(request("MESSAGE", 2 + i, branch, "", ""));
        want("501");
    }
    for (unsigned i = 0; i < 3; i++) {
        say(request("REGISTER", 3, "r", "", ""));
        want("503");
        assert_non_null(strstr(w.got, "Retry-After: 60\r\n"));
        assert_string_equal(w.refusal, "too many requests from this address");
    }
    assert_int_equal(w.requests, 2);
    say(request("BYE", 9, "b0", "nonsense", "")); /* a dialog that is not there does not pass */
    want("503");
    assert_int_equal(w.closed, 0);
    say(request("ACK", 1, "a", tag, "")); /* the call that is there can be ended */
    say(request("BYE", 4, "b", tag, ""));
    want("200");
    assert_int_equal(w.closed, 1);
    close_world();

    w.limits = (struct mcx_sip_limits){ .peer_per_minute = 1, .all_per_minute = 2, .exempt = exempt };
    open_world(false);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(branch, sizeof branch, "n%u", i);
        say(request("MESSAGE", 2 + i, branch, "", ""));
        want(i < 2 ? "501" : "503");
    }
    assert_string_equal(w.refusal, "too many requests");
    assert_int_equal(w.refusals, 2);
    close_world();
    memset(&w.limits, 0, sizeof w.limits);
}

/* Somebody who does not know the tags of a dialog can end, change or cancel nothing. */
static void third_party(void **state)
{
    static const char *const methods[] = { "BYE", "INVITE", "UPDATE", "INFO" };
    char tag[64];
    char branch[16];

    (void)state;
    open_world(true);
    say(request("INVITE", 1, "t", "", ""));
    want("100");
    want("200");
    take_to_tag(tag);
    say(request("ACK", 1, "ta", tag, ""));
    for (unsigned i = 0; i < 4; i++) {
        snprintf(branch, sizeof branch, "tp%u", i);
        say(request(methods[i], 5 + i, branch, "0123456789abcdef", ""));
        want("481");
        assert_string_equal(w.refusal, "no such dialog");
    }
    say(request("CANCEL", 1, "nobodys", "", ""));
    want("481");
    assert_int_equal(w.closed, 0);
    assert_int_equal(w.offers, 0);
    assert_int_equal(w.invites, 1);
    say(request("BYE", 20, "tb", tag, ""));
    want("200");
    assert_int_equal(w.closed, 1);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed),
        cmocka_unit_test(outside_of_dialogs),
        cmocka_unit_test(call_with_its_repetitions),
        cmocka_unit_test(cancel_before_the_answer),
        cmocka_unit_test(bye_before_the_answer),
        cmocka_unit_test(our_bye_waits_for_the_ack),
        cmocka_unit_test(too_many_requests),
        cmocka_unit_test(third_party),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
