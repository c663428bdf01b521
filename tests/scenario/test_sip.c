/* SPDX-License-Identifier: Apache-2.0 */
/* Two SIP stacks in one process talk over loopback: calls, refusals, cancel, registration, over UDP and TCP. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "io/loop.h"
#include "io/sip.h"

enum plan { ANSWER, REJECT, RING_ONLY, ANSWER_THEN_BYE, CHANGE, BUSY };

struct world {
    struct mcx_sip *a, *b;
    enum plan plan;
    enum mcx_sip_transport transport;
    struct mcx_sip_call *out, *in;
    unsigned progress, answered, acked, closed_out, closed_in, offers, changed, unchanged;
    enum mcx_sip_close why_out, why_in;
    uint16_t code;
    char warning[128], bye_body[64], mode[2][64], contact[256], invite_body[9000];
    size_t invite_body_len;
    char state[8];
    struct mcx_timer guard;
};

static struct mcx_sip_content text(const char *body)
{
    return (struct mcx_sip_content){ .content_type = "text/plain", .body = mcx_bytes_str(body) };
}

static void maybe_stop(struct world *w)
{
    if (w->closed_out != 0 && w->closed_in != 0) {
        mcx_loop_stop();
    }
}

static void on_out(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct world *w = arg;
    struct mcx_bytes v;
    struct mcx_sip_content bye = text("reason"), emergency = text("emergency");

    switch (ev->event) {
    case MCX_SIP_PROGRESS:
        w->progress++;
        if (w->plan == RING_ONLY) {
            mcx_sip_call_hangup(call, NULL);
        }
        break;
    case MCX_SIP_ANSWERED:
        w->answered++;
        assert_true(mcx_sip_header(ev->msg, "Contact", 0, &v));
        assert_int_equal(mcx_bytes_cstr(w->contact, sizeof w->contact, v), MCX_OK);
        if (w->plan == ANSWER) {
            mcx_sip_call_hangup(call, &bye);
        } else if (w->plan == CHANGE) {
            assert_int_equal(mcx_sip_call_reinvite(call, &emergency), MCX_OK);
            assert_int_equal(mcx_sip_call_reinvite(call, &emergency), MCX_E_STATE); /* one at a time */
        }
        break;
    case MCX_SIP_CHANGED:
        w->changed++;
        assert_true(mcx_bytes_is(ev->msg->body, "changed"));
        assert_int_equal(mcx_sip_call_reinvite(call, &emergency), MCX_OK); /* the second one is refused */
        break;
    case MCX_SIP_UNCHANGED:
        w->unchanged++;
        w->code = ev->msg->code;
        mcx_sip_call_hangup(call, NULL);
        break;
    case MCX_SIP_CLOSED:
        w->closed_out++;
        w->why_out = ev->why;
        if (ev->why == MCX_SIP_BY_REJECT) {
            w->code = ev->msg->code;
            if (mcx_sip_header(ev->msg, "Warning", 0, &v)) {
                assert_int_equal(mcx_bytes_cstr(w->warning, sizeof w->warning, v), MCX_OK);
            }
        }
        maybe_stop(w);
        break;
    default: fail();
    }
}

static void on_offer(struct world *w, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct mcx_sip_content ok = text("changed");

    assert_true(mcx_bytes_is(ev->msg->body, "emergency"));
    assert_int_equal(mcx_sip_call_reinvite(call, &ok), MCX_E_STATE); /* the peer's is open */
    if (++w->offers == 1) {
        assert_int_equal(mcx_sip_call_answer(call, &ok), MCX_OK);
    } else {
        assert_int_equal(mcx_sip_call_reject(call, 403, "Forbidden", NULL), MCX_OK);
    }
}

static void on_in(void *arg, struct mcx_sip_call *call, const struct mcx_sip_call_event *ev)
{
    struct world *w = arg;

    if (ev->event == MCX_SIP_OFFER) {
        on_offer(w, call, ev);
    }
    if (ev->event == MCX_SIP_ACKED) {
        w->acked++;
        if (w->plan == ANSWER_THEN_BYE) {
            mcx_sip_call_hangup(call, NULL);
        }
    }
    if (ev->event == MCX_SIP_CLOSED) {
        w->closed_in++;
        w->why_in = ev->why;
        if (ev->msg != NULL) {
            assert_int_equal(mcx_bytes_cstr(w->bye_body, sizeof w->bye_body, ev->msg->body), MCX_OK);
        }
        maybe_stop(w);
    }
}

static void on_invite(void *arg, struct mcx_sip_call *call, const struct mcx_sip_msg *msg)
{
    struct world *w = arg;
    struct mcx_sip_content warn = { .headers = "Warning: 399 b.example.org \"136 authentication failed\"\r\n" };
    struct mcx_sip_content ok = text("answer");
    struct mcx_bytes v;

    w->in = call;
    mcx_sip_call_handler(call, on_in, w);
    assert_true(msg->body.len <= sizeof w->invite_body);
    memcpy(w->invite_body, msg->body.p, msg->body.len);
    w->invite_body_len = msg->body.len;
    for (size_t i = 0; i < 2; i++) {
        assert_true(mcx_sip_header(msg, "Accept-Contact", i, &v));
        assert_int_equal(mcx_bytes_cstr(w->mode[i], sizeof w->mode[i], v), MCX_OK);
    }
    assert_false(mcx_sip_header(msg, "Accept-Contact", 2, &v));
    assert_true(mcx_sip_header(msg, "Priv-Answer-Mode", 0, &v));
    assert_true(mcx_bytes_is(v, "Auto"));
    ok.contact_params = ";+g.3gpp.mcptt;isfocus";
    if (w->plan == REJECT) {
        assert_int_equal(mcx_sip_call_reject(call, 488, "Not Acceptable Here", &warn), MCX_OK);
        return;
    }
    assert_int_equal(mcx_sip_call_progress(call, 180, "Ringing", NULL), MCX_OK);
    if (w->plan != RING_ONLY) {
        assert_int_equal(mcx_sip_call_answer(call, &ok), MCX_OK);
    }
}

static bool on_request(void *arg, struct mcx_sip *sip, const struct mcx_sip_msg *msg)
{
    struct world *w = arg;
    struct mcx_sip_content c = { .headers = "Contact: <sip:a@127.0.0.1>;expires=600\r\n" };
    struct mcx_bytes v;

    if (mcx_bytes_is(msg->method, "REGISTER")) {
        assert_true(mcx_bytes_is(msg->body, "token"));
        assert_true(mcx_sip_header(msg, "Contact", 0, &v));
        strcat(w->state,
               memmem(v.p, v.len, "expires=0", 9) != NULL && memmem(v.p, v.len, "expires=0;", 10) == NULL ? "u" : "r");
        if (w->plan == BUSY && strlen(w->state) == 2) {
            assert_int_equal(mcx_sip_respond(sip, msg, 503, "Service Unavailable", NULL), MCX_OK);
            return true;
        }
        c.headers = w->plan == BUSY ? "Contact: <sip:a@127.0.0.1>;expires=1\r\n" : c.headers;
        assert_int_equal(mcx_sip_respond(sip, msg, 200, "OK", &c), MCX_OK);
        return true;
    }
    return false;
}

static void too_long(void *arg)
{
    struct world *w = arg;

    w->why_out = MCX_SIP_BY_TIMEOUT;
    mcx_loop_stop();
}

static void open_world(struct world *w, enum plan plan, enum mcx_sip_transport transport)
{
    struct mcx_sip_config a = { .agent = "a", .user = "alice", .num_listen = 1, .on_invite = on_invite, .arg = w };
    struct mcx_sip_config b = a;
    struct mcx_refusal why;

    memset(w, 0, sizeof *w);
    w->plan = plan;
    w->transport = transport;
    a.listen[0] = b.listen[0] = (struct mcx_sip_listen){ transport, "127.0.0.1", 0 };
    b.user = "bob";
    b.on_request = on_request;
    assert_int_equal(mcx_loop_open(64), MCX_OK);
    assert_int_equal(mcx_sip_new(&w->a, &a, &why), MCX_OK);
    assert_int_equal(mcx_sip_new(&w->b, &b, &why), MCX_OK);
    assert_int_equal(mcx_timer_start(&w->guard, 20000, too_long, w), MCX_OK);
}

static void close_world(struct world *w)
{
    mcx_timer_clear(&w->guard);
    mcx_sip_free(w->a);
    mcx_sip_free(w->b);
    mcx_loop_close();
}

static void uri_of_b(const struct world *w, char uri[128])
{
    char addr[64];
    uint16_t port = 0;

    assert_int_equal(mcx_sip_local(w->b, w->transport, addr, &port), MCX_OK);
    snprintf(uri, 128, "sip:bob@%s:%u%s", addr, (unsigned)port, w->transport == MCX_SIP_TCP ? ";transport=tcp" : "");
}

static char big[5000];

static void call_b(struct world *w)
{
    char uri[128];
    struct mcx_sip_invite inv = {
        .uri = uri, .from = "sip:alice@example.org", .session_expires = 1800, .handler = on_out, .arg = w
    };

    memset(big, 'x', sizeof big - 1);
    uri_of_b(w, uri);
    inv.content.headers = "Accept-Contact: *;+g.3gpp.mcptt;require;explicit\r\n"
                          "Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7\";require;explicit\r\n"
                          "Priv-Answer-Mode: Auto\r\nRequire: recipient-list-invite\r\n";
    inv.content.contact_params = ";+g.3gpp.mcptt";
    inv.content.content_type = "text/plain";
    inv.content.body = mcx_bytes_str(big);
    assert_int_equal(mcx_sip_call_new(&w->out, w->a, &inv), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
}

static void caller_hangs_up(enum mcx_sip_transport transport)
{
    struct world w;

    open_world(&w, ANSWER, transport);
    call_b(&w);
    assert_int_equal(w.answered, 1);
    assert_int_equal(w.acked, 1);
    assert_int_equal(w.why_out, MCX_SIP_BY_US);
    assert_int_equal(w.why_in, MCX_SIP_BY_BYE);
    assert_string_equal(w.bye_body, "reason");
    assert_int_equal(w.invite_body_len, sizeof big - 1);
    assert_non_null(strstr(w.contact, ";+g.3gpp.mcptt;isfocus"));
    assert_non_null(strstr(w.mode[1], "icsi-ref"));
    close_world(&w);
}

static void call_over_tcp(void **state)
{
    (void)state;
    caller_hangs_up(MCX_SIP_TCP);
}

static void call_over_udp(void **state)
{
    (void)state;
    caller_hangs_up(MCX_SIP_UDP);
}

static void callee_hangs_up(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, ANSWER_THEN_BYE, MCX_SIP_TCP);
    call_b(&w);
    assert_int_equal(w.why_in, MCX_SIP_BY_US);
    assert_int_equal(w.why_out, MCX_SIP_BY_BYE);
    close_world(&w);
}

static void caller_changes_the_call(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, CHANGE, MCX_SIP_TCP);
    call_b(&w);
    assert_int_equal(w.offers, 2);
    assert_int_equal(w.changed, 1);
    assert_int_equal(w.unchanged, 1);
    assert_int_equal(w.code, 403);
    assert_int_equal(w.why_out, MCX_SIP_BY_US); /* the refusal did not end it */
    assert_int_equal(w.why_in, MCX_SIP_BY_BYE);
    close_world(&w);
}

static void callee_rejects_with_warning(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, REJECT, MCX_SIP_TCP);
    call_b(&w);
    assert_int_equal(w.why_out, MCX_SIP_BY_REJECT);
    assert_int_equal(w.code, 488);
    assert_string_equal(w.warning, "399 b.example.org \"136 authentication failed\"");
    assert_int_equal(w.why_in, MCX_SIP_BY_US);
    close_world(&w);
}

static void caller_cancels(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, RING_ONLY, MCX_SIP_TCP);
    call_b(&w);
    assert_int_equal(w.why_out, MCX_SIP_BY_REJECT);
    assert_int_equal(w.code, 487);
    assert_int_equal(w.why_in, MCX_SIP_BY_CANCEL);
    close_world(&w);
}

static void nobody_listens(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, ANSWER, MCX_SIP_TCP);
    mcx_sip_free(w.b);
    w.closed_in = 1;
    struct mcx_sip_invite inv = {
        .uri = "sip:bob@127.0.0.1:9;transport=tcp", .from = "sip:alice@example.org", .handler = on_out, .arg = &w
    };
    assert_int_equal(mcx_sip_call_new(&w.out, w.a, &inv), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
    assert_int_equal(w.why_out, MCX_SIP_BY_TRANSPORT);
    w.b = NULL;
    close_world(&w);
}

static void deregistered(void *arg)
{
    (void)arg;
    mcx_loop_stop();
}

static struct mcx_sip_reg *reg;

static void on_state(void *arg, uint16_t code, const struct mcx_sip_msg *response)
{
    (void)response;
    assert_int_equal(code, 200);
    mcx_sip_reg_end(reg, deregistered, arg);
}

static void register_and_leave(void **state)
{
    struct world w;
    char uri[128];
    struct mcx_sip_register params = {
        .registrar = uri, .aor = "sip:alice@example.org", .content = text("token"), .on_state = on_state
    };

    (void)state;
    open_world(&w, ANSWER, MCX_SIP_TCP);
    uri_of_b(&w, uri);
    params.arg = &w;
    assert_int_equal(mcx_sip_reg_new(&reg, w.a, &params), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
    assert_string_equal(w.state, "ru");
    close_world(&w);
}

static uint16_t codes[4];
static size_t num_codes;

static void on_each_state(void *arg, uint16_t code, const struct mcx_sip_msg *response)
{
    (void)response;
    codes[num_codes++] = code;
    if (num_codes == 3) {
        mcx_sip_reg_end(reg, deregistered, arg);
    }
}

/* Its renewal is refused by a server that is busy: it is tried again, and good (RFC 5626 4.5). */
static void registration_survives_a_busy_server(void **state)
{
    struct world w;
    char uri[128];
    struct mcx_sip_register params = {
        .registrar = uri, .aor = "sip:alice@example.org", .content = text("token"), .on_state = on_each_state
    };

    (void)state;
    open_world(&w, BUSY, MCX_SIP_TCP);
    uri_of_b(&w, uri);
    params.arg = &w;
    num_codes = 0;
    assert_int_equal(mcx_sip_reg_new(&reg, w.a, &params), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
    assert_int_not_equal(w.why_out, MCX_SIP_BY_TIMEOUT);
    assert_int_equal(num_codes, 3);
    assert_int_equal(codes[0], 200);
    assert_int_equal(codes[1], 503);
    assert_int_equal(codes[2], 200);
    assert_string_equal(w.state, "rrru");
    close_world(&w);
}

static void on_lost_state(void *arg, uint16_t code, const struct mcx_sip_msg *response)
{
    struct world *w = arg;

    (void)response;
    codes[num_codes++] = code;
    if (num_codes == 1) {
        mcx_sip_free(w->b);
        w->b = NULL;
    } else {
        mcx_loop_stop();
    }
}

/* Told when the connection ends, not at the renewal (RFC 5626 4.4.1). */
static void registration_sees_the_end_of_its_connection(void **state)
{
    struct world w;
    char uri[128];
    struct mcx_sip_register params = {
        .registrar = uri, .aor = "sip:alice@example.org", .content = text("token"), .on_state = on_lost_state
    };

    (void)state;
    open_world(&w, ANSWER, MCX_SIP_TCP);
    uri_of_b(&w, uri);
    params.arg = &w;
    num_codes = 0;
    assert_int_equal(mcx_sip_reg_new(&reg, w.a, &params), MCX_OK);
    assert_int_equal(mcx_loop_run(NULL), MCX_OK);
    assert_int_not_equal(w.why_out, MCX_SIP_BY_TIMEOUT);
    assert_int_equal(codes[1], 0);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_over_tcp),
        cmocka_unit_test(call_over_udp),
        cmocka_unit_test(callee_hangs_up),
        cmocka_unit_test(callee_rejects_with_warning),
        cmocka_unit_test(caller_cancels),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(register_and_leave),
        cmocka_unit_test(caller_changes_the_call),
        cmocka_unit_test(registration_survives_a_busy_server),
        cmocka_unit_test(registration_sees_the_end_of_its_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
