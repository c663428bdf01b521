/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-established sessions at the server, without sockets: who may set one up, and which calls fit it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "proc/mcptt_preest.h"
#include "support/fake.h"
#include "support/ring.h"

#define BOB    "sip:bob@example.org"
#define SERVER "sip:mcptt@example.org"
#define FLOW   "sip:192.0.2.10:5060;transport=tcp"
#define AUDIO                                                                                                          \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 30000 RTP/AVP 97\r\n"          \
    "a=rtpmap:97 AMR-WB/16000\r\n"
#define CONTROL "m=application 30002 udp MCPTT\r\n"

static struct world {
    struct mcx_keyring *phone, *own;
    struct mcx_msrv_user user;
    struct mcx_msrv_config config;
    struct mcx_msrv *srv;
    struct fake_rng state;
    struct mcx_rng rng;
    struct mcx_msrv_out out;
    struct msrv_preest_setup setup;
    struct msrv_preest_offer offer;
} w;

static void open_world(void)
{
    struct ring_kms kms = ring_kms_new("kms.example.org", MCX_KMS_ROOT, "example.org", 0);
    uint64_t period = ring_period(&kms, RING_OWN_TIME);

    memset(&w, 0, sizeof w);
    assert_int_equal(mcx_keyring_new(&w.phone, MCX_SAKKE_TABLES_DEFAULT), MCX_OK);
    assert_int_equal(mcx_keyring_new(&w.own, MCX_SAKKE_TABLES_DEFAULT), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w.phone, &kms.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(w.own, &kms.cert, NULL), MCX_OK);
    ring_add(w.phone, &kms, BOB, period);
    ring_add(w.own, &kms, SERVER, period);
    ring_kms_clear(&kms);
    strcpy(w.user.mcptt_id, BOB);
    w.config = (struct mcx_msrv_config){ .host = "pf.example.org",
                                         .controlling_psi = "sip:cf@example.org",
                                         .server_id = SERVER,
                                         .ring = w.own,
                                         .users = &w.user,
                                         .num_users = 1,
                                         .max_calls = 2 };
    w.state.seed = 7;
    w.rng = fake_rng(&w.state);
    assert_int_equal(mcx_msrv_new(&w.srv, &w.config, &w.rng), MCX_OK);
}

static void close_world(void)
{
    mcx_msrv_free(w.srv);
    mcx_keyring_free(w.phone);
    mcx_keyring_free(w.own);
}

static void enrol(bool with_csk)
{
    const struct mcx_ntp now = { .sec = RING_OWN_TIME };
    struct mcx_control_key key = { .type = MCX_KEY_CSK };
    uint8_t message[4096];
    struct mcx_wr wr = mcx_wr(message, sizeof message);
    struct mcx_msrv_sip sip = {
        .to = mcx_bytes_str(BOB), .source = mcx_bytes_str(FLOW), .contact = mcx_bytes_str(FLOW), .expires = 3600
    };
    const struct mcx_msrv_in in = { .event = MCX_MSRV_EV_REGISTER, .now_ms = 1, .wall = now, .sip = &sip };

    if (with_csk) {
        assert_int_equal(
            mcx_csk_make(&key, &wr, mcx_bytes_str(BOB), mcx_bytes_str(SERVER), now, w.phone, &w.rng, NULL), MCX_OK);
        sip.content_type = mcx_bytes_str(MCX_TYPE_MIKEY);
        sip.body = mcx_wr_done(&wr);
    }
    assert_int_equal(mcx_msrv_step(w.srv, &in, &w.out), MCX_OK);
    assert_int_equal(w.out.action[0].code, 200);
    mcx_control_key_clear(&key);
}

static struct msrv_verdict invited(const char *source, const char *service, const char *sdp)
{
    const struct mcx_msrv_sip sip = { .source = mcx_bytes_str(source),
                                      .service = mcx_bytes_str(service),
                                      .content_type = mcx_bytes_str(MCX_TYPE_SDP),
                                      .body = mcx_bytes_str(sdp) };

    return msrv_preest_read(&w.setup, w.srv, &sip, 2);
}

static void only_the_service_identity(void **state)
{
    (void)state;
    assert_true(msrv_preest_is(mcx_bytes_str("sip:pre-established@192.0.2.1")));
    assert_false(msrv_preest_is(mcx_bytes_str("sip:mcptt@192.0.2.1")));
    assert_false(msrv_preest_is(mcx_bytes_str("sip:pre-established@")));
    assert_false(msrv_preest_is(mcx_bytes_str("")));
}

static void set_up(void **state)
{
    struct mcx_sdp answer;
    struct mcx_bytes fmtp;
    char text[2048];
    struct mcx_wr wr = mcx_wr((uint8_t *)text, sizeof text);
    size_t control = 0;

    (void)state;
    open_world();
    assert_int_equal(invited(FLOW, MCX_MCPTT_SERVICE, AUDIO CONTROL).code, 404); /* not registered */
    enrol(false);
    assert_int_equal(invited(FLOW, MCX_MCPTT_SERVICE, AUDIO CONTROL).code, 403); /* no key for the channel */
    enrol(true);
    assert_int_equal(invited(FLOW, MCX_MCPTT_SERVICE, AUDIO CONTROL).code, 0);
    assert_ptr_equal(w.setup.user, &w.user);
    assert_int_equal(w.setup.audio.remote.port, 30000);
    assert_int_equal(w.setup.audio.remote.rtcp_port, 30001);
    assert_int_equal(w.setup.control.port, 30002);
    assert_string_equal(w.setup.control.host, "192.0.2.10");
    assert_int_equal(w.setup.media_line, 1);
    assert_int_equal(w.setup.control_line, 2);
    assert_int_equal(msrv_preest_answer(&wr, &w.setup, "192.0.2.1", 40000, 40002, 5), MCX_OK);
    assert_int_equal(mcx_sdp_read(&answer, mcx_wr_done(&wr), NULL), MCX_OK);
    assert_int_equal(answer.media[0].port, 40000);
    assert_true(mcx_sdp_floor(&control, &fmtp, &answer));
    assert_int_equal(answer.media[control].port, 40002);

    assert_int_equal(invited(FLOW, "", AUDIO CONTROL).code, 403);
    assert_int_equal(invited("sip:192.0.2.66:1;transport=tcp", MCX_MCPTT_SERVICE, AUDIO CONTROL).code, 404);
    assert_int_equal(invited(FLOW, MCX_MCPTT_SERVICE, AUDIO).code, 488);
    assert_int_equal(invited(FLOW, MCX_MCPTT_SERVICE, "v=0\r\n").code, 488);
    assert_int_equal(invited(FLOW, MCX_MCPTT_SERVICE, "").code, 488);
    close_world();
}

static mcx_err fits(const struct mcx_sdp_amrwb *session, const char *sdp)
{
    return msrv_preest_offer_read(&w.offer, session, mcx_bytes_str(MCX_TYPE_SDP), mcx_bytes_str(sdp));
}

static void calls_that_fit(void **state)
{
    const struct mcx_sdp_amrwb session = { .payload_type = 97, .mode_set = 0x1ff };
    const struct mcx_msrv_port local = { .host = "192.0.2.1", .port = 40004 };
    struct mcx_sdp_amrwb other = session;
    struct mcx_sdp answer;
    char text[2048];
    struct mcx_wr wr = mcx_wr((uint8_t *)text, sizeof text);

    (void)state;
    assert_int_equal(fits(&session, AUDIO), MCX_OK);
    assert_int_equal(w.offer.imessage_len, 0);
    assert_int_equal(w.offer.audio.remote.port, 30000);
    assert_int_equal(msrv_preest_offer_answer(&wr, &w.offer, &session, &local, 5), MCX_OK);
    assert_int_equal(mcx_sdp_read(&answer, mcx_wr_done(&wr), NULL), MCX_OK);
    assert_int_equal(answer.media[0].port, 40004);
    /* the I_MESSAGE as raw octets */
    assert_int_equal(fits(&session, AUDIO "a=key-mgmt:mikey AQID\r\n"), MCX_OK);
    assert_int_equal(w.offer.imessage_len, 3);
    assert_memory_equal(w.offer.imessage, "\1\2\3", 3);

    assert_int_equal(fits(&session, AUDIO CONTROL), MCX_E_UNSUP); /* with floor control */
    assert_int_equal(fits(&session, AUDIO "a=fmtp:97 octet-align=1\r\n"), MCX_E_UNSUP);
    assert_int_equal(fits(&session, AUDIO "a=fmtp:97 mode-set=0,2\r\n"), MCX_E_UNSUP);
    other.mode_set = 0x5;
    assert_int_equal(fits(&other, AUDIO "a=fmtp:97 mode-set=0,2\r\n"), MCX_OK);
    other = session;
    other.payload_type = 98;
    assert_int_equal(fits(&other, AUDIO), MCX_E_UNSUP);
    assert_int_not_equal(fits(&session, AUDIO "a=key-mgmt:mikey !\r\n"), MCX_OK);
    assert_int_not_equal(fits(&session, "v=0\r\n"), MCX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_service_identity),
        cmocka_unit_test(set_up),
        cmocka_unit_test(calls_that_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
