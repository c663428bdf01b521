/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions against raw datagrams: NOTIFYs that are not of the subscription, SUBSCRIBEs that are not of a watcher.
 */
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
#include "io/sip_event.h"

static struct world {
    struct mcx_sip *sip;
    struct mcx_sip_sub *sub;
    struct mcx_sip_watcher *watcher;
    struct mcx_watch watch;
    struct mcx_timer guard;
    uint16_t port, own;
    unsigned notifies, ended, refreshes, refusals;
    char states[32];
    char got[8192];
    char refusal[64];
    char call_id[64], tag[64]; /* of the stack under test */
    int elsewhere;             /* a socket at another address */
} w;

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

static uint16_t on_refresh(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg, bool ends)
{
    (void)arg;
    (void)watcher;
    (void)msg;
    (void)ends;
    w.refreshes++;
    return 200;
}

static void on_end(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg)
{
    (void)arg;
    (void)watcher;
    (void)msg;
    w.watcher = NULL;
    w.ended++;
}

static bool on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    const struct mcx_sip_watch_params p = { .on_refresh = on_refresh, .on_end = on_end };
    struct mcx_sip_content c = { .content_type = "text/plain", .body = mcx_bytes_str("state") };

    (void)arg;
    if (!mcx_bytes_is(msg->method, "SUBSCRIBE")) {
        return false;
    }
    assert_int_equal(mcx_sip_watcher_accept(&w.watcher, sip, msg, &p), MCX_OK);
    if (w.watcher != NULL) {
        assert_int_equal(mcx_sip_notify(w.watcher, &c), MCX_OK);
    }
    return true;
}

static int socket_at(const char *address, uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    assert_int_equal(inet_pton(AF_INET, address, &a.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void open_world(void)
{
    struct mcx_sip_config config = {
        .agent = "test", .user = "ue", .num_listen = 1, .on_request = on_request, .on_refusal = on_refusal
    };
    struct mcx_refusal why;
    uint16_t port = 0;
    char addr[64];

    memset(&w, 0, sizeof w);
    config.listen[0] = (struct mcx_sip_listen){ MCX_SIP_UDP, "127.0.0.1", 0 };
    assert_int_equal(mcx_loop_open(64), MCX_OK);
    assert_int_equal(mcx_sip_new(&w.sip, &config, &why), MCX_OK);
    assert_int_equal(mcx_sip_local(w.sip, MCX_SIP_UDP, addr, &w.port), MCX_OK);
    w.watch.fd = socket_at("127.0.0.1", &w.own);
    w.watch.ready = arrived;
    w.elsewhere = socket_at("127.0.0.2", &port);
    assert_int_equal(mcx_loop_watch(&w.watch), MCX_OK);
}

static void close_world(void)
{
    mcx_loop_unwatch(&w.watch);
    close(w.watch.fd);
    close(w.elsewhere);
    mcx_timer_clear(&w.guard);
    mcx_sip_free(w.sip);
    mcx_loop_close();
}

static void say_from(int fd, const char *text)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(w.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&a, sizeof a), (ssize_t)strlen(text));
}

static void say(const char *text)
{
    say_from(w.watch.fd, text);
}

/* Next datagram that begins so; others are passed over. */
static void hear(const char *start)
{
    for (int i = 0; i < 8; i++) {
        ssize_t n = recv(w.watch.fd, w.got, sizeof w.got - 1, 0);

        if (n < 0) {
            assert_int_equal(mcx_timer_start(&w.guard, 3000, arrived, NULL), MCX_OK);
            assert_int_equal(mcx_loop_run(NULL), MCX_OK);
            mcx_timer_stop(&w.guard);
            n = recv(w.watch.fd, w.got, sizeof w.got - 1, 0);
        }
        w.got[n < 0 ? 0 : n] = '\0';
        if (strncmp(w.got, start, strlen(start)) == 0) {
            return;
        }
    }
    fail_msg("not %s: %s", start, w.got);
}

/* Let the stack work off what it has been sent without an answer to us. */
static void settle(void)
{
    assert_int_equal(mcx_timer_start(&w.guard, 60, arrived, NULL), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
    mcx_timer_stop(&w.guard);
}

static void field(char *out, const char *start, const char *stop)
{
    const char *at = strstr(w.got, start);

    assert_non_null(at);
    at += strlen(start);
    snprintf(out, 64, "%.*s", (int)strcspn(at, stop), at);
}

/* ---- NOTIFY ---- */

static void on_notify(void *arg, const struct mcx_sip_msg *msg)
{
    (void)arg;
    (void)msg;
    w.notifies++;
}

static void on_state(void *arg, enum mcx_sip_sub_state state, const struct mcx_sip_msg *msg)
{
    (void)arg;
    (void)msg;
    w.states[strlen(w.states)] = "palr"[state];
}

/* Subscribed to us; the 200 is what the test says. */
static void subscribe(bool answer)
{
    char uri[64], cseq[64], branch[64], text[1024];
    struct mcx_sip_subscribe p = { .uri = uri,
                                   .from = "sip:alice@example.org",
                                   .event = "xcap-diff",
                                   .max_retry_ms = 60000,
                                   .on_notify = on_notify,
                                   .on_state = on_state };

    snprintf(uri, sizeof uri, "sip:gms@127.0.0.1:%u", (unsigned)w.own);
    assert_int_equal(mcx_sip_sub_new(&w.sub, w.sip, &p), MCX_OK);
    hear("SUBSCRIBE ");
    field(w.call_id, "\r\nCall-ID: ", "\r");
    field(w.tag, ">;tag=", "\r");
    field(cseq, "\r\nCSeq: ", "\r");
    field(branch, ";branch=", ";\r");
    if (answer) {
        snprintf(text, sizeof text,
                 "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=%s\r\nFrom: <sip:alice@example.org>;tag=%s\r\n"
                 "To: <%s>;tag=gms\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <%s>\r\nExpires: 600\r\n"
                 "Content-Length: 0\r\n\r\n",
                 (unsigned)w.port, branch, w.tag, uri, w.call_id, cseq, uri);
        say(text);
        settle();
        assert_string_equal(w.states, "p");
    }
}

struct notify {
    const char *call_id, *from_tag, *to_tag, *event, *state;
    unsigned cseq;
};

static const char *notify_text(struct notify n)
{
    static char text[2048];
    static unsigned branch;

    snprintf(text, sizeof text,
             "NOTIFY sip:ue@127.0.0.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKn%u\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:gms@example.org>;tag=%s\r\nTo: <sip:alice@example.org>;tag=%s\r\n"
             "Call-ID: %s\r\nCSeq: %u NOTIFY\r\nContact: <sip:gms@127.0.0.1:%u>\r\n%s%s"
             "Content-Type: text/plain\r\nContent-Length: 1\r\n\r\nx",
             (unsigned)w.port, (unsigned)w.own, ++branch, n.from_tag, n.to_tag, n.call_id, n.cseq, (unsigned)w.own,
             n.event, n.state);
    return text;
}

static struct notify good(unsigned cseq)
{
    return (struct notify){
        w.call_id, "gms", w.tag, "Event: xcap-diff\r\n", "Subscription-State: active;expires=600\r\n", cseq
    };
}

static void notify_of_nobody(void **state)
{
    struct notify n;

    (void)state;
    open_world();
    subscribe(true);
    n = good(1);
    n.call_id = "another";
    say(notify_text(n));
    hear("SIP/2.0 481");
    assert_string_equal(w.refusal, "NOTIFY outside a subscription");
    n = good(1);
    n.to_tag = "0123456789abcdef";
    say(notify_text(n));
    hear("SIP/2.0 481");
    n = good(1);
    n.from_tag = "fork"; /* a second notifier behind a fork: one subscription is one dialog here */
    say(notify_text(n));
    hear("SIP/2.0 481");
    assert_int_equal(w.notifies, 0);
    say(notify_text(good(1)));
    hear("SIP/2.0 200");
    assert_int_equal(w.notifies, 1);
    assert_string_equal(w.states, "pa");
    close_world();
}

static void notify_that_is_wrong(void **state)
{
    struct notify n;

    (void)state;
    open_world();
    subscribe(true);
    say(notify_text(good(7)));
    hear("SIP/2.0 200");
    say(notify_text(good(7))); /* another transaction with a number that was used */
    hear("SIP/2.0 500");
    assert_string_equal(w.refusal, "NOTIFY out of order");
    say(notify_text(good(6)));
    hear("SIP/2.0 500");
    n = good(8);
    n.event = "Event: presence\r\n";
    say(notify_text(n));
    hear("SIP/2.0 489");
    n.event = "Event: xcap-diffs\r\n";
    say(notify_text(n));
    hear("SIP/2.0 489");
    n.event = "";
    say(notify_text(n));
    hear("SIP/2.0 489");
    n = good(8);
    n.state = "";
    say(notify_text(n));
    hear("SIP/2.0 400");
    assert_int_equal(w.notifies, 1);
    say(notify_text(good(8))); /* nothing of it has moved the state */
    hear("SIP/2.0 200");
    assert_int_equal(w.notifies, 2);
    close_world();
}

static void notify_from_elsewhere(void **state)
{
    (void)state;
    open_world();
    subscribe(true);
    say_from(w.elsewhere, notify_text(good(1)));
    settle();
    assert_string_equal(w.refusal, "NOTIFY from elsewhere");
    assert_int_equal(w.notifies, 0);
    say(notify_text(good(1)));
    hear("SIP/2.0 200");
    assert_int_equal(w.notifies, 1);
    close_world();
}

static void notify_before_the_answer(void **state)
{
    (void)state;
    open_world();
    subscribe(false);
    say(notify_text(good(1)));
    hear("SIP/2.0 200");
    assert_string_equal(w.states, "a");
    assert_int_equal(w.notifies, 1);
    close_world();
}

static void notify_ends_it(void **state)
{
    struct notify n;

    (void)state;
    open_world();
    subscribe(true);
    n = good(1);
    n.state = "Subscription-State: terminated;reason=noresource\r\n";
    say(notify_text(n));
    hear("SIP/2.0 200");
    assert_string_equal(w.states, "par");
    say(notify_text(good(2)));
    hear("SIP/2.0 481");
    close_world();
}

/* ---- SUBSCRIBE ---- */

static const char *subscribe_text(unsigned cseq, const char *to_tag, const char *headers)
{
    static char text[2048];
    static unsigned branch;

    snprintf(text, sizeof text,
             "SUBSCRIBE sip:ue@127.0.0.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKs%u\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=1\r\nTo: <sip:gms@example.org>%s%s\r\n"
             "Call-ID: s1\r\nCSeq: %u SUBSCRIBE\r\n%sContent-Length: 0\r\n\r\n",
             (unsigned)w.port, (unsigned)w.own, ++branch, to_tag[0] != '\0' ? ";tag=" : "", to_tag, cseq, headers);
    return text;
}
#define EVENT   "Event: xcap-diff\r\n"
#define CONTACT "Contact: <sip:alice@127.0.0.1>\r\n"

static void answer_notify(const char *status)
{
    char text[2048], via[128], from[128], to[128], cseq[64], call_id[64];
    const char *at = strstr(w.got, "\r\nVia: ");

    assert_non_null(at);
    snprintf(via, sizeof via, "%.*s", (int)strcspn(at + 7, "\r"), at + 7);
    at = strstr(w.got, "\r\nFrom: ");
    snprintf(from, sizeof from, "%.*s", (int)strcspn(at + 8, "\r"), at + 8);
    at = strstr(w.got, "\r\nTo: ");
    snprintf(to, sizeof to, "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
    field(cseq, "\r\nCSeq: ", "\r");
    field(call_id, "\r\nCall-ID: ", "\r");
    snprintf(text, sizeof text,
             "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
             status, via, from, to, call_id, cseq);
    say(text);
    settle();
}

static void watch(char tag[64])
{
    char contact[64], headers[256];

    snprintf(contact, sizeof contact, "Contact: <sip:alice@127.0.0.1:%u>\r\n", (unsigned)w.own);
    snprintf(headers, sizeof headers, EVENT "%sExpires: 600\r\n", contact);
    say(subscribe_text(5, "", headers));
    hear("SIP/2.0 200");
    assert_non_null(strstr(w.got, "\r\nExpires: 600\r\n"));
    hear("NOTIFY ");
    assert_non_null(strstr(w.got, "\r\nSubscription-State: active;expires="));
    field(tag, "\r\nFrom: <sip:gms@example.org>;tag=", "\r");
}

static void subscribe_refused(void **state)
{
    static const struct {
        const char *headers, *status;
    } rows[] = {
        { EVENT CONTACT "Expires: 59\r\n", "SIP/2.0 423" },
        { EVENT "Expires: 600\r\n", "SIP/2.0 400" }, /* no Contact */
        { CONTACT, "SIP/2.0 400" },                  /* no Event */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_world();
        say(subscribe_text(1, "", rows[i].headers));
        hear(rows[i].status);
        assert_int_equal(mcx_sip_num_watchers(w.sip), 0);
        close_world();
    }
}

static void subscribe_in_the_wrong_dialog(void **state)
{
    char tag[64];

    (void)state;
    open_world();
    watch(tag);
    answer_notify("200 OK");
    say(subscribe_text(6, "0123456789abcdef", EVENT CONTACT));
    hear("SIP/2.0 481");
    say(subscribe_text(5, tag, EVENT CONTACT)); /* the number of the first */
    hear("SIP/2.0 500");
    say(subscribe_text(4, tag, EVENT CONTACT));
    hear("SIP/2.0 500");
    say(subscribe_text(6, tag, "Event: presence\r\n" CONTACT));
    hear("SIP/2.0 481");
    assert_int_equal(w.refreshes, 0);
    say(subscribe_text(7, tag, EVENT CONTACT));
    hear("SIP/2.0 200");
    assert_int_equal(w.refreshes, 1);
    close_world();
}

static void whoever_takes_no_notify_gets_no_more(void **state)
{
    char tag[64];

    (void)state;
    open_world();
    watch(tag);
    answer_notify("481 No");
    assert_int_equal(w.ended, 1);
    assert_int_equal(mcx_sip_num_watchers(w.sip), 0);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notify_of_nobody),
        cmocka_unit_test(notify_that_is_wrong),
        cmocka_unit_test(notify_from_elsewhere),
        cmocka_unit_test(notify_before_the_answer),
        cmocka_unit_test(notify_ends_it),
        cmocka_unit_test(subscribe_refused),
        cmocka_unit_test(subscribe_in_the_wrong_dialog),
        cmocka_unit_test(whoever_takes_no_notify_gets_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
