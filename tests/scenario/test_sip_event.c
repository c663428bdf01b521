/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions and publications between two SIP stacks in one process, over loopback. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "io/loop.h"
#include "io/sip_event.h"

static struct world {
    struct mcx_sip *a, *b; /* a subscribes and publishes, b serves */
    struct mcx_sip_sub *sub;
    struct mcx_sip_pub *pub;
    struct mcx_sip_watcher *watcher;
    struct mcx_timer guard, later;
    struct mcx_sip_watch_params watch;
    uint16_t refuse; /* SUBSCRIBE, PUBLISH */
    unsigned brief;  /* so many get 423 */
    unsigned subscribes, refreshes, notifies, ended, publishes;
    bool last_refresh, tell_many;
    char states[64];  /* p, a, l, r */
    char bodies[128]; /* of NOTIFYs, in order */
    char token[64];   /* body of the last SUBSCRIBE or PUBLISH */
    char etag[MCX_SIP_ETAG_MAX];
    char pubs[128]; /* what each PUBLISH was */
    uint16_t pub_code;
    uint32_t expires;
    bool forget; /* answer the next PUBLISH that names an etag with 412 */
    bool timed_out;
    unsigned stop_after; /* NOTIFYs */
    char stop_state;
    unsigned stop_pubs;
} w;

static struct mcx_sip_content text(const char *body)
{
    return (struct mcx_sip_content){ .content_type = "text/plain", .body = mcx_bytes_str(body) };
}

static void tell(const char *body)
{
    struct mcx_sip_content c = text(body);

    assert_int_equal(mcx_sip_notify(w.watcher, &c), MCX_OK);
}

static uint16_t on_refresh(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg, bool ends)
{
    (void)arg;
    assert_ptr_equal(watcher, w.watcher);
    w.refreshes++;
    w.last_refresh = ends;
    assert_int_equal(mcx_bytes_cstr(w.token, sizeof w.token, msg->body), MCX_OK);
    if (!ends) {
        tell("again");
    }
    return 200;
}

static void on_end(void *arg, struct mcx_sip_watcher *watcher, const struct mcx_sip_msg *msg)
{
    (void)arg;
    (void)msg;
    assert_ptr_equal(watcher, w.watcher);
    w.watcher = NULL;
    w.ended++;
    mcx_loop_stop();
}

static void on_publish(const struct mcx_sip_msg *msg)
{
    struct mcx_sip_publish_view v;
    char line[32];

    assert_int_equal(mcx_sip_publish_read(&v, msg), MCX_OK);
    assert_true(mcx_bytes_is(v.event, "presence"));
    w.publishes++;
    assert_int_equal(mcx_bytes_cstr(w.token, sizeof w.token, msg->body), MCX_OK);
    snprintf(line, sizeof line, "%s%s%s ", v.if_match.len > 0 ? "m" : "n", msg->body.len > 0 ? "b" : "",
             v.expires == 0 ? "0" : "");
    strcat(w.pubs, line);
    if (w.refuse != 0) {
        assert_int_equal(mcx_sip_respond(w.b, msg, w.refuse, "No", NULL), MCX_OK);
    } else if (v.if_match.len > 0 && (w.forget || !mcx_bytes_is(v.if_match, w.etag))) {
        w.forget = false;
        assert_int_equal(mcx_sip_respond(w.b, msg, 412, "Conditional Request Failed", NULL), MCX_OK);
    } else {
        assert_int_equal(mcx_sip_publish_answer(w.b, msg, w.etag, v.expires == 0 ? 0 : 2), MCX_OK);
    }
    if (w.publishes == w.stop_pubs) {
        mcx_loop_stop();
    }
}

static bool on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    struct mcx_bytes event;

    (void)arg;
    if (mcx_bytes_is(msg->method, "PUBLISH")) {
        on_publish(msg);
        return true;
    }
    if (!mcx_bytes_is(msg->method, "SUBSCRIBE")) {
        return false;
    }
    w.subscribes++;
    assert_true(mcx_sip_event_of(msg, &event));
    assert_true(mcx_bytes_is(event, "xcap-diff"));
    assert_int_equal(mcx_bytes_cstr(w.token, sizeof w.token, msg->body), MCX_OK);
    if (w.refuse != 0) {
        assert_int_equal(mcx_sip_respond(sip, msg, w.refuse, "No", NULL), MCX_OK);
        return true;
    }
    assert_int_equal(mcx_sip_watcher_accept(&w.watcher, sip, msg, &w.watch), MCX_OK);
    if (w.watcher == NULL) {
        return true;
    }
    if (w.tell_many) {
        for (int i = 0; i < 3; i++) {
            tell(i == 0 ? "1" : i == 1 ? "2" : "3");
        }
    } else {
        tell("state");
    }
    return true;
}

static void on_notify(void *arg, const struct mcx_sip_msg *msg)
{
    char body[32];

    (void)arg;
    assert_int_equal(mcx_bytes_cstr(body, sizeof body, msg->body), MCX_OK);
    strcat(w.bodies, body);
    strcat(w.bodies, " ");
    if (++w.notifies == w.stop_after) {
        mcx_loop_stop();
    }
}

static void on_state(void *arg, enum mcx_sip_sub_state state, const struct mcx_sip_msg *msg)
{
    const char letter = "palr"[state];

    (void)arg;
    (void)msg;
    w.states[strlen(w.states)] = letter;
    if (letter == w.stop_state) {
        mcx_loop_stop();
    }
}

static void too_long(void *arg)
{
    (void)arg;
    w.timed_out = true;
    mcx_loop_stop();
}

static void open_world(enum mcx_sip_transport transport)
{
    struct mcx_sip_config a = { .agent = "a", .user = "alice", .num_listen = 1 };
    struct mcx_sip_config b = { .agent = "b", .user = "gms", .num_listen = 1, .on_request = on_request };
    struct mcx_refusal why;

    memset(&w, 0, sizeof w);
    a.listen[0] = b.listen[0] = (struct mcx_sip_listen){ transport, "127.0.0.1", 0 };
    assert_int_equal(mcx_loop_open(64), MCX_OK);
    assert_int_equal(mcx_sip_new(&w.a, &a, &why), MCX_OK);
    assert_int_equal(mcx_sip_new(&w.b, &b, &why), MCX_OK);
    w.watch = (struct mcx_sip_watch_params){ .min_expires = 1, .on_refresh = on_refresh, .on_end = on_end };
}

static void run(void)
{
    assert_int_equal(mcx_timer_start(&w.guard, 15000, too_long, NULL), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
    mcx_timer_stop(&w.guard);
    assert_false(w.timed_out);
}

static void close_world(void)
{
    mcx_timer_clear(&w.guard);
    mcx_timer_clear(&w.later);
    mcx_sip_free(w.a);
    mcx_sip_free(w.b);
    mcx_loop_close();
}

static const char *uri_of_b(enum mcx_sip_transport transport)
{
    static char uri[128];
    char addr[64];
    uint16_t port = 0;

    assert_int_equal(mcx_sip_local(w.b, transport, addr, &port), MCX_OK);
    snprintf(uri, sizeof uri, "sip:gms@%s:%u%s", addr, (unsigned)port,
             transport == MCX_SIP_TCP ? ";transport=tcp" : "");
    return uri;
}

static void subscribe(enum mcx_sip_transport transport, uint32_t expires)
{
    struct mcx_sip_subscribe p = { .uri = uri_of_b(transport),
                                   .from = "sip:alice@example.org",
                                   .event = "xcap-diff;diff-processing=aggregate",
                                   .expires = expires,
                                   .max_retry_ms = 100,
                                   .content = text("token"),
                                   .on_notify = on_notify,
                                   .on_state = on_state };

    p.content.headers = "Accept: application/xcap-diff+xml\r\n";
    assert_int_equal(mcx_sip_sub_new(&w.sub, w.a, &p), MCX_OK);
}

static void subscribe_be_told_and_leave(enum mcx_sip_transport transport)
{
    open_world(transport);
    subscribe(transport, 600);
    w.stop_after = 1;
    run();
    assert_string_equal(w.token, "token");
    assert_string_equal(w.bodies, "state ");
    assert_true(strcmp(w.states, "pa") == 0 || strcmp(w.states, "a") == 0);
    assert_int_equal(mcx_sip_num_watchers(w.b), 1);
    tell("change");
    w.stop_after = 2;
    run();
    assert_string_equal(w.bodies, "state change ");
    mcx_sip_sub_end(w.sub);
    run(); /* until on_end */
    assert_int_equal(w.ended, 1);
    assert_true(w.last_refresh);
    assert_int_equal(mcx_sip_num_watchers(w.b), 0);
    close_world();
}

static void over_tcp(void **state)
{
    (void)state;
    subscribe_be_told_and_leave(MCX_SIP_TCP);
}

static void over_udp(void **state)
{
    (void)state;
    subscribe_be_told_and_leave(MCX_SIP_UDP);
}

static void renewal_brings_a_fresh_token(void **state)
{
    struct mcx_sip_content fresh = text("fresh");

    (void)state;
    open_world(MCX_SIP_TCP);
    subscribe(MCX_SIP_TCP, 2);
    w.stop_after = 1;
    run();
    assert_int_equal(mcx_sip_sub_content(w.sub, &fresh, false), MCX_OK);
    w.stop_after = 2;
    run();
    assert_string_equal(w.bodies, "state again ");
    assert_string_equal(w.token, "fresh");
    assert_int_equal(w.subscribes, 1);
    assert_int_equal(w.refreshes, 1);
    assert_int_equal(mcx_sip_sub_content(w.sub, &fresh, true), MCX_OK); /* at once */
    w.stop_after = 3;
    run();
    assert_int_equal(w.refreshes, 2);
    close_world();
}

static void notifies_keep_their_order_and_their_bound(void **state)
{
    struct mcx_sip_content c = text("x");
    mcx_err err = MCX_OK;
    unsigned n = 0;

    (void)state;
    open_world(MCX_SIP_TCP);
    w.tell_many = true;
    subscribe(MCX_SIP_TCP, 600);
    w.stop_after = 3;
    run();
    assert_string_equal(w.bodies, "1 2 3 ");
    while (err == MCX_OK && n < 100) {
        err = mcx_sip_notify(w.watcher, &c);
        n++;
    }
    assert_int_equal(err, MCX_E_SPACE);
    assert_in_range(n, MCX_SIP_MAX_NOTIFIES + 1, MCX_SIP_MAX_NOTIFIES + 2); /* one is, or was, on its way */
    close_world();
}

static void notifier_refuses(void **state)
{
    (void)state;
    open_world(MCX_SIP_TCP);
    w.refuse = 403;
    w.stop_state = 'r';
    subscribe(MCX_SIP_TCP, 600);
    run();
    assert_string_equal(w.states, "r");
    assert_int_equal(w.subscribes, 1);
    close_world();
}

static void notifier_is_busy_then_serves(void **state)
{
    (void)state;
    open_world(MCX_SIP_TCP);
    w.refuse = 500;
    w.stop_state = 'l';
    subscribe(MCX_SIP_TCP, 600);
    run();
    w.refuse = 0;
    w.stop_state = 'a';
    run(); /* by itself, after the wait */
    assert_true(w.subscribes >= 2);
    close_world();
}

static void interval_too_brief(void **state)
{
    (void)state;
    open_world(MCX_SIP_TCP);
    w.watch.min_expires = 120;
    w.stop_state = 'a';
    subscribe(MCX_SIP_TCP, 10);
    run();
    assert_int_equal(w.subscribes, 2);
    close_world();
}

static void ended_by_the_notifier(void **state)
{
    (void)state;
    open_world(MCX_SIP_TCP);
    subscribe(MCX_SIP_TCP, 600);
    w.stop_after = 1;
    run();
    w.stop_after = 2;
    mcx_sip_watcher_end(w.watcher, "deactivated"); /* subscribe anew */
    run();
    assert_int_equal(w.subscribes, 2);
    assert_string_equal(w.bodies, "state state ");
    assert_int_equal(w.ended, 0);
    w.stop_state = 'r';
    mcx_sip_watcher_end(w.watcher, "rejected"); /* and do not come back */
    run();
    assert_int_equal(w.subscribes, 2);
    close_world();
}

static void subscriber_vanishes(void **state)
{
    (void)state;
    open_world(MCX_SIP_TCP);
    subscribe(MCX_SIP_TCP, 2);
    w.stop_after = 1;
    run();
    mcx_sip_free(w.a);
    w.a = NULL;
    run(); /* until the subscription has run out and its NOTIFY has failed */
    assert_int_equal(w.ended, 1);
    assert_int_equal(mcx_sip_num_watchers(w.b), 0);
    close_world();
}

static void on_pub(void *arg, uint16_t code, const struct mcx_sip_msg *response)
{
    (void)arg;
    (void)response;
    w.pub_code = code;
    if (code != 200 || w.stop_pubs == 0) {
        mcx_loop_stop();
    }
}

static void publish(void)
{
    struct mcx_sip_publish p = { .uri = uri_of_b(MCX_SIP_TCP),
                                 .from = "sip:alice@example.org",
                                 .event = "presence",
                                 .expires = 600,
                                 .content = text("one"),
                                 .on_state = on_pub };

    assert_int_equal(mcx_sip_pub_new(&w.pub, w.a, &p), MCX_OK);
}

static void publication_lives(void **state)
{
    struct mcx_sip_content two = text("two");

    (void)state;
    open_world(MCX_SIP_TCP);
    publish();
    w.stop_pubs = 2;
    run(); /* new, renewed without a body */
    assert_string_equal(w.pubs, "nb m ");
    w.stop_pubs = 3;
    assert_int_equal(mcx_sip_pub_content(w.pub, &two), MCX_OK); /* the answer to the second is still to come */
    run();
    assert_string_equal(w.token, "two");
    assert_string_equal(w.pubs, "nb m mb ");
    w.forget = true; /* the server lost it: 412, then all anew */
    w.stop_pubs = 5;
    run();
    assert_string_equal(w.pubs, "nb m mb m nb ");
    assert_string_equal(w.token, "two");
    w.stop_pubs = 0;
    run(); /* its answer, with the etag that the removal needs */
    w.stop_pubs = 6;
    mcx_sip_pub_end(w.pub);
    run();
    assert_string_equal(w.pubs, "nb m mb m nb m0 ");
    close_world();
}

static void publication_refused(void **state)
{
    struct mcx_sip_content two = text("two");

    (void)state;
    open_world(MCX_SIP_TCP);
    w.refuse = 403;
    publish();
    run();
    assert_int_equal(w.pub_code, 403);
    w.refuse = 0;
    assert_int_equal(mcx_sip_pub_content(w.pub, &two), MCX_OK);
    run();
    assert_int_equal(w.pub_code, 200);
    assert_string_equal(w.pubs, "nb nb ");
    mcx_sip_pub_end(w.pub);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_tcp),
        cmocka_unit_test(over_udp),
        cmocka_unit_test(renewal_brings_a_fresh_token),
        cmocka_unit_test(notifies_keep_their_order_and_their_bound),
        cmocka_unit_test(notifier_refuses),
        cmocka_unit_test(notifier_is_busy_then_serves),
        cmocka_unit_test(interval_too_brief),
        cmocka_unit_test(ended_by_the_notifier),
        cmocka_unit_test(subscriber_vanishes),
        cmocka_unit_test(publication_lives),
        cmocka_unit_test(publication_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
