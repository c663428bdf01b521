/* SPDX-License-Identifier: Apache-2.0 */
/* CSKs of registrations on a fake clock: upload, expiry, replacement by the server, and what must change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <mcx/mcptt_server.h>

#include "support/fake.h"
#include "support/ring.h"

#define ALICE  "sip:alice@example.org"
#define BOB    "sip:bob@example.org"
#define SERVER "sip:mcptt@example.org"
#define FLOW   "sip:192.0.2.10:5060;transport=tcp"

static struct world {
    struct mcx_keyring *phones, *own; /* of Alice and Bob, of the server */
    struct mcx_msrv_user users[2];
    struct mcx_msrv_config config;
    struct mcx_msrv *srv;
    struct fake_rng state;
    struct mcx_rng rng;
    struct mcx_msrv_out out;
    uint64_t now;
    uint8_t message[4096];
    size_t message_len;
    struct mcx_control_key key;
} w;

static struct mcx_ntp wall(void)
{
    return (struct mcx_ntp){ .sec = RING_OWN_TIME + w.now / 1000 };
}

static void open_world(uint32_t lifetime_s)
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
                                         .csk_lifetime_s = lifetime_s,
                                         .users = w.users,
                                         .num_users = 2,
                                         .max_calls = 2 };
    w.state.seed = 7;
    w.rng = fake_rng(&w.state);
    assert_int_equal(mcx_msrv_new(&w.srv, &w.config, &w.rng), MCX_OK);
}

static void close_world(void)
{
    mcx_msrv_free(w.srv);
    mcx_keyring_free(w.phones);
    mcx_keyring_free(w.own);
    mcx_control_key_clear(&w.key);
}

static void make(const char *from)
{
    struct mcx_wr wr = mcx_wr(w.message, sizeof w.message);

    assert_int_equal(
        mcx_csk_make(&w.key, &wr, mcx_bytes_str(from), mcx_bytes_str(SERVER), wall(), w.phones, &w.rng, NULL), MCX_OK);
    w.message_len = wr.len;
}

/* REGISTER of a user with the message at hand, or without one. @return the response */
static uint16_t enrol(const char *user, bool with_csk, int64_t expires)
{
    struct mcx_msrv_sip sip = {
        .to = mcx_bytes_str(user), .source = mcx_bytes_str(FLOW), .contact = mcx_bytes_str(FLOW), .expires = expires
    };
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_REGISTER, .now_ms = w.now, .wall = wall(), .sip = &sip };

    if (with_csk) {
        sip.content_type = mcx_bytes_str(MCX_TYPE_MIKEY);
        sip.body = mcx_bytes(w.message, w.message_len);
    }
    assert_int_equal(mcx_msrv_step(w.srv, &in, &w.out), MCX_OK);
    assert_int_equal(w.out.action[0].act, MCX_MSRV_RESPOND);
    return w.out.action[0].code;
}

static void tick(void)
{
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_TICK, .now_ms = w.now, .wall = wall() };

    assert_int_equal(mcx_msrv_step(w.srv, &in, &w.out), MCX_OK);
}

static mcx_err delivered(const char *user, uint16_t code)
{
    struct mcx_msrv_sip sip = { .code = code };
    struct mcx_msrv_in in = { .event = MCX_MSRV_EV_DELIVERED, .now_ms = w.now, .wall = wall(), .user = user };

    in.sip = code != 0 ? &sip : NULL;
    return mcx_msrv_step(w.srv, &in, &w.out);
}

static uint32_t key_of(const char *user)
{
    struct mcx_channel *c = mcx_msrv_channel(w.srv, user, w.now);

    return c != NULL && mcx_channel_sender(c) != NULL ? mcx_control_key_id(mcx_channel_sender(c)) : 0;
}

static void upload_and_its_end(void **state)
{
    uint32_t first;

    (void)state;
    open_world(0);
    assert_int_equal(enrol(ALICE, false, 600), 200);
    assert_non_null(strstr(w.out.action[0].headers, MCX_TEXT_NO_CSK));
    make(ALICE);
    first = w.key.key_id;
    assert_int_equal(enrol(ALICE, true, 600), 200);
    assert_null(strstr(w.out.action[0].headers, "Warning"));
    assert_int_equal(key_of(ALICE), first);
    assert_string_equal(mcx_msrv_csk_user(w.srv, first, w.now), ALICE);
    w.now += 300000;
    assert_int_equal(enrol(ALICE, false, 600), 200); /* a renewal keeps it */
    assert_int_equal(key_of(ALICE), first);
    make(ALICE);
    assert_int_equal(enrol(ALICE, true, 600), 200); /* another one replaces it */
    assert_int_equal(key_of(ALICE), w.key.key_id);
    assert_string_equal(mcx_msrv_csk_user(w.srv, first, w.now), ALICE); /* which still opens */
    w.now += 600000;
    assert_int_equal(mcx_msrv_deadline(w.srv), w.now);
    assert_int_equal(key_of(ALICE), 0);
    tick();
    assert_int_equal(mcx_msrv_deadline(w.srv), UINT64_MAX);
    assert_null(mcx_msrv_csk_user(w.srv, first, w.now));
    make(ALICE);
    assert_int_equal(enrol(ALICE, true, 600), 200);
    assert_int_equal(enrol(ALICE, false, 0), 200); /* de-registered */
    assert_int_equal(key_of(ALICE), 0);
    close_world();
}

static void refused_uploads_change_nothing(void **state)
{
    uint32_t first;

    (void)state;
    open_world(0);
    make(ALICE);
    first = w.key.key_id;
    assert_int_equal(enrol(ALICE, true, 600), 200);
    assert_int_equal(enrol(ALICE, true, 600), 403); /* a replay */
    assert_non_null(strstr(w.out.action[0].headers, "136"));
    assert_string_equal(w.out.action[1].note, "register-refused");
    make(BOB);
    assert_int_equal(enrol(ALICE, true, 600), 403); /* Bob's */
    make(ALICE);
    w.message[w.message_len - 1] ^= 1;
    assert_int_equal(enrol(ALICE, true, 600), 403);
    make(ALICE);
    w.now += 301000;
    assert_int_equal(enrol(ALICE, true, 600), 403); /* older than a REGISTER can be */
    assert_int_equal(key_of(ALICE), first);
    assert_int_equal(mcx_msrv_deadline(w.srv), 600000); /* nor was the registration renewed */
    close_world();
}

/* One user's uploads are bounded before they reach the replay cache, and cost nobody else his. */
static void uploads_are_bounded(void **state)
{
    uint32_t last = 0;

    (void)state;
    open_world(0);
    for (int i = 0; i < 12; i++) {
        make(ALICE);
        last = w.key.key_id;
        assert_int_equal(enrol(ALICE, true, 600), 200);
    }
    make(ALICE);
    assert_int_equal(enrol(ALICE, true, 600), 403);
    assert_non_null(strstr(w.out.action[0].headers, "136"));
    assert_non_null(strstr(w.out.action[1].text, "too many CSKs"));
    assert_int_equal(key_of(ALICE), last);
    assert_int_equal(enrol(ALICE, false, 600), 200); /* a renewal is no upload */
    make(BOB);
    assert_int_equal(enrol(BOB, true, 600), 200);
    w.now += 5000;
    make(ALICE);
    assert_int_equal(enrol(ALICE, true, 600), 200);
    close_world();
}

/* A server that was started again has forgotten what it took: it takes nothing made before that. */
static void restart(void **state)
{
    (void)state;
    open_world(0);
    w.now = 100000;
    w.config.started = wall();
    w.now = 89000;
    make(ALICE);
    w.now = 110000;
    assert_int_equal(enrol(ALICE, true, 600), 403);
    assert_non_null(strstr(w.out.action[1].text, "before this program started"));
    assert_int_equal(key_of(ALICE), 0);
    w.now = 90000; /* within the grace */
    make(ALICE);
    assert_int_equal(enrol(ALICE, true, 600), 200);
    close_world();
}

static void server_replaces_it(void **state)
{
    uint32_t first;

    (void)state;
    open_world(100);
    make(ALICE);
    first = w.key.key_id;
    assert_int_equal(enrol(ALICE, true, 600), 200);
    w.now = mcx_msrv_deadline(w.srv);
    assert_int_equal(w.now, 100000);
    tick();
    assert_int_equal(w.out.num, 1);
    assert_int_equal(w.out.action[0].act, MCX_MSRV_MESSAGE);
    assert_string_equal(w.out.action[0].caller, ALICE);
    assert_string_equal(w.out.action[0].uri, FLOW);
    assert_string_equal(w.out.action[0].next_hop, FLOW);
    assert_int_equal(key_of(ALICE), first); /* until she has said that she has it */
    assert_int_equal(delivered(ALICE, 488), MCX_OK);
    assert_string_equal(w.out.action[0].note, "csk-not-taken");
    assert_int_equal(key_of(ALICE), first);
    w.now = mcx_msrv_deadline(w.srv);
    assert_int_equal(w.now, 160000);
    tick();
    assert_int_equal(delivered(ALICE, 200), MCX_OK);
    assert_string_equal(w.out.action[0].note, "csk-replaced");
    assert_int_not_equal(key_of(ALICE), first);
    assert_int_equal(mcx_msrv_deadline(w.srv), 260000);
    assert_int_equal(delivered(BOB, 200), MCX_E_STATE); /* not registered */
    assert_int_equal(delivered("sip:nobody@example.org", 200), MCX_E_STATE);
    close_world();
}

/* What the download of the last step carries, as Alice takes it. */
static uint32_t downloaded(void)
{
    const struct mcx_imessage_policy policy = { .allowed_types = UINT32_C(1) << MCX_KEY_CSK };
    struct mcx_imessage msg;
    uint32_t key_id;

    assert_int_equal(w.out.action[0].act, MCX_MSRV_MESSAGE);
    assert_int_equal(mcx_imessage_open(&msg, w.out.action[0].body, w.phones, NULL, wall(), &policy, NULL), MCX_OK);
    key_id = msg.key_id;
    mcx_imessage_clear(&msg);
    return key_id;
}

/* A client whose 200 was lost sends under the new key: it opens, whatever comes of the next try. */
static void lost_answer(void **state)
{
    static const uint16_t answers[] = { 0, 408, 503 };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint32_t key_id;

        open_world(100);
        make(ALICE);
        assert_int_equal(enrol(ALICE, true, 600), 200);
        w.now = 100000;
        tick();
        key_id = downloaded();
        assert_int_equal(delivered(ALICE, answers[i]), MCX_OK);
        assert_string_equal(w.out.action[0].note, "csk-not-taken");
        assert_string_equal(w.out.action[0].text, "no answer");
        assert_true(mcx_channel_has(mcx_msrv_channel(w.srv, ALICE, w.now), key_id));
        w.now += 60000;
        w.state.fail_at = w.state.num_calls + 1;
        tick();
        assert_string_equal(w.out.action[0].note, "csk-not-made");
        assert_true(mcx_channel_has(mcx_msrv_channel(w.srv, ALICE, w.now), key_id));
        w.now += 60000;
        tick();
        assert_int_not_equal(downloaded(), key_id);
        assert_true(mcx_channel_has(mcx_msrv_channel(w.srv, ALICE, w.now), key_id));
        close_world();
    }
}

/* ---- answers that are lost: both ends ---- */

/* A floor message from one end to the other. @return whether it was opened; without a key nothing is sent */
static bool says(struct mcx_channel *from, struct mcx_channel *to)
{
    struct mcx_control *sender = mcx_channel_sender(from);
    uint8_t plain[20], sealed[64], opened[64];
    struct mcx_wr plain_wr = mcx_wr(plain, sizeof plain);
    struct mcx_wr wr = mcx_wr(sealed, sizeof sealed);
    struct mcx_wr out = mcx_wr(opened, sizeof opened);
    struct mcx_rd rd;

    if (sender == NULL) {
        return false;
    }
    assert_int_equal(mcx_wr_u32(&plain_wr, 0x80cc0004), MCX_OK);
    assert_int_equal(mcx_wr_u32(&plain_wr, mcx_control_ssrc(sender)), MCX_OK);
    assert_int_equal(mcx_wr_put(&plain_wr, mcx_bytes("MCPT\0\2\5\0\r\2\x80\0", 12)), MCX_OK);
    assert_int_equal(mcx_control_protect(sender, &wr, mcx_wr_done(&plain_wr)), MCX_OK);
    rd = mcx_rd(mcx_wr_done(&wr));
    return mcx_channel_take(to, &out, &rd, NULL) == MCX_OK;
}

static uint32_t protects_with(struct mcx_channel *c)
{
    return mcx_control_key_id(mcx_channel_sender(c));
}

/* Alice makes a key, which opens at her from then on, and registers with it; this is the answer that she sees. */
static void alice_uploads(struct mcx_channel *alice, uint16_t code, uint16_t seen)
{
    make(ALICE);
    assert_int_equal(mcx_channel_offer(alice, &w.key, &w.rng), MCX_OK);
    assert_int_equal(enrol(ALICE, true, 600), code);
    (void)mcx_channel_answered(alice, seen);
}

static struct mcx_channel *alice_enrolled(uint32_t lifetime_s)
{
    struct mcx_channel *alice = NULL;

    open_world(lifetime_s);
    assert_int_equal(mcx_channel_new(&alice), MCX_OK);
    alice_uploads(alice, 200, 200);
    assert_int_equal(protects_with(alice), key_of(ALICE));
    assert_true(says(alice, mcx_msrv_channel(w.srv, ALICE, w.now)));
    return alice;
}

/* The server has each of the keys, and Alice is never told: whoever speaks is understood, and the first answer, or the
 * first message of the server, brings both to one key. */
static void answers_to_uploads_are_lost(void **state)
{
    static const uint16_t seen[] = { 0, 408, 503, 302 };

    (void)state;
    for (unsigned pattern = 0; pattern < 64; pattern += 3) { /* who speaks after each of three */
        struct mcx_channel *alice = alice_enrolled(0);
        struct mcx_channel *server = mcx_msrv_channel(w.srv, ALICE, w.now);

        for (unsigned n = 0; n < 3; n++) {
            unsigned who = pattern >> 2 * n & 3;

            alice_uploads(alice, 200, seen[(pattern + n) % 4]);
            if ((who & 1) != 0) {
                assert_true(says(alice, server));
            }
            if ((who & 2) != 0) {
                assert_true(says(server, alice));
                assert_int_equal(protects_with(alice), key_of(ALICE));
            }
        }
        alice_uploads(alice, 200, 200);
        assert_int_equal(protects_with(alice), key_of(ALICE));
        assert_true(says(alice, server) && says(server, alice));
        mcx_channel_free(alice);
        close_world();
    }
}

/* No key at all yet: Alice sends nothing, and certainly nothing in clear, until she knows that the server has one. */
static void the_first_answer_is_lost(void **state)
{
    struct mcx_channel *alice = NULL, *server;

    (void)state;
    open_world(0);
    assert_int_equal(mcx_channel_new(&alice), MCX_OK);
    alice_uploads(alice, 200, 0);
    server = mcx_msrv_channel(w.srv, ALICE, w.now);
    assert_null(mcx_channel_sender(alice));
    assert_false(says(alice, server));
    assert_true(says(server, alice));
    assert_int_equal(protects_with(alice), key_of(ALICE));
    assert_true(says(alice, server));
    mcx_channel_free(alice);
    close_world();
}

static void a_refused_upload_is_forgotten(void **state)
{
    struct mcx_channel *alice = alice_enrolled(0);
    struct mcx_channel *server = mcx_msrv_channel(w.srv, ALICE, w.now);
    uint32_t first = key_of(ALICE);

    (void)state;
    make(BOB); /* not hers to send */
    assert_int_equal(mcx_channel_offer(alice, &w.key, &w.rng), MCX_OK);
    assert_int_equal(enrol(ALICE, true, 600), 403);
    assert_int_equal(mcx_channel_answered(alice, 403), MCX_CHANNEL_REFUSED);
    assert_false(mcx_channel_has(alice, w.key.key_id));
    assert_int_equal(protects_with(alice), first);
    assert_true(says(alice, server) && says(server, alice));
    mcx_channel_free(alice);
    close_world();
}

/* The server's new key and Alice's meet on the way, and arrive in either order: each opens what the other sends. */
static void download_and_upload_cross(void **state)
{
    const struct mcx_imessage_policy policy = { .allowed_types = UINT32_C(1) << MCX_KEY_CSK };

    (void)state;
    for (unsigned order = 0; order < 8; order++) {
        struct mcx_channel *alice = alice_enrolled(100);
        struct mcx_channel *server = mcx_msrv_channel(w.srv, ALICE, w.now);
        struct mcx_control_key down;
        struct mcx_imessage msg;

        w.now = 100000;
        tick();
        assert_int_equal(mcx_imessage_open(&msg, w.out.action[0].body, w.phones, NULL, wall(), &policy, NULL), MCX_OK);
        assert_int_equal(mcx_control_key_of(&down, &msg), MCX_OK);
        mcx_imessage_clear(&msg);
        make(ALICE);
        assert_int_equal(mcx_channel_offer(alice, &w.key, &w.rng), MCX_OK);
        assert_int_equal(enrol(ALICE, true, 600), 200);
        if ((order & 1) != 0) {
            assert_int_equal(mcx_channel_set(alice, &down, &w.rng), MCX_OK);
        }
        if ((order & 2) != 0) {
            assert_true(says(server, alice));
        }
        (void)mcx_channel_answered(alice, 200);
        if ((order & 1) == 0) {
            assert_int_equal(mcx_channel_set(alice, &down, &w.rng), MCX_OK);
        }
        if ((order & 4) != 0) {
            assert_true(says(alice, server));
        }
        assert_int_equal(delivered(ALICE, 200), MCX_OK);
        for (int n = 0; n < 3; n++) {
            assert_true(says(alice, server) && says(server, alice));
        }
        mcx_control_key_clear(&down);
        mcx_channel_free(alice);
        close_world();
    }
}

static void failing_generator(void **state)
{
    uint32_t first;

    (void)state;
    open_world(100);
    make(ALICE);
    first = w.key.key_id;
    assert_int_equal(enrol(ALICE, true, 600), 200);
    w.now = 100000;
    w.state.fail_at = w.state.num_calls + 1;
    tick();
    assert_int_equal(w.out.num, 1);
    assert_string_equal(w.out.action[0].note, "csk-not-made");
    assert_int_equal(key_of(ALICE), first);
    make(ALICE);
    w.state.fail_at = w.state.num_calls + 1;
    assert_int_equal(enrol(ALICE, true, 600), 500); /* the server's own SSRC cannot be drawn */
    assert_int_equal(key_of(ALICE), first);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload_and_its_end),
        cmocka_unit_test(refused_uploads_change_nothing),
        cmocka_unit_test(uploads_are_bounded),
        cmocka_unit_test(restart),
        cmocka_unit_test(server_replaces_it),
        cmocka_unit_test(lost_answer),
        cmocka_unit_test(answers_to_uploads_are_lost),
        cmocka_unit_test(the_first_answer_is_lost),
        cmocka_unit_test(a_refused_upload_is_forgotten),
        cmocka_unit_test(download_and_upload_cross),
        cmocka_unit_test(failing_generator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
