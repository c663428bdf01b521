/* SPDX-License-Identifier: Apache-2.0 */
/* Floor control and pre-established session messages, octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/floor_msg.h>

#include "support/vectors.h"

#define SSRC "cafebabe"

static void assert_text(struct mcx_bytes got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.p, want, got.len);
}

/* Reads, and writes the same octets again. */
static struct mcx_floor_msg read_back(const struct vec *v)
{
    struct mcx_floor_msg msg;
    struct mcx_refusal why = { "", "" };
    uint8_t buf[MCX_FLOOR_MSG_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    if (mcx_floor_read(&msg, vec_bytes(v), &why) != MCX_OK) {
        fail_msg("%s (%s)", why.reason, why.clause);
    }
    assert_int_equal(msg.ssrc, 0xcafebabe);
    assert_int_equal(mcx_floor_write(&wr, &msg), MCX_OK);
    assert_int_equal(wr.len, v->len);
    assert_memory_equal(buf, v->p, wr.len);
    return msg;
}

static void floor_request(void **state)
{
    /* TS 24.380 8.2.4 to 8.2.13, and the plaintexts of [v1] and [v2] of media-srtp.txt */
    struct vec v = vec_hex("80cc0004 " SSRC " 4d435054 00020500 0d028000");
    struct mcx_floor_msg msg = read_back(&v);

    (void)state;
    assert_int_equal(msg.type, MCX_FLOOR_REQUEST);
    assert_false(msg.ack_wanted);
    assert_int_equal(msg.present, MCX_FF(MCX_FF_PRIORITY) | MCX_FF(MCX_FF_INDICATOR));
    assert_int_equal(msg.priority, 5);
    assert_int_equal(msg.indicator, MCX_FI_NORMAL);
    v = vec_get("media-srtp.txt", "v2", "rtcp");
    assert_int_equal(read_back(&v).priority, 5);
    v = vec_get("media-srtp.txt", "v1", "rtcp");
    msg = read_back(&v);
    assert_text(msg.user_id, "sip:p25user01@etherstack.com");
}

static void floor_granted(void **state)
{
    /* duration 30 s; SSRC; priority; user; queue of two; indicator */
    struct vec v = vec_hex("91cc0017 " SSRC " 4d435054 0102001e 0e06112233440000 00020700 0605 7369703a61 00 07020002"
                           "0e06aabbccdd0000 0905 7369703a62 00 03020109 0e06aabbccde0000 0905 7369703a63 00 030202ff"
                           "0d028400");
    struct mcx_floor_msg msg;

    (void)state;
    v.p[3] = (uint8_t)(v.len / 4 - 1);
    msg = read_back(&v);
    assert_int_equal(msg.type, MCX_FLOOR_GRANTED);
    assert_true(msg.ack_wanted);
    assert_int_equal(msg.duration, 30);
    assert_int_equal(msg.granted_ssrc, 0x11223344);
    assert_int_equal(msg.queue_size, 2);
    assert_int_equal(msg.num_queued, 2);
    assert_int_equal(msg.queued[0].ssrc, 0xaabbccdd);
    assert_text(msg.queued[0].user, "sip:b");
    assert_int_equal(msg.queued[0].position, 1);
    assert_int_equal(msg.queued[0].priority, 9);
    assert_text(msg.queued[1].user, "sip:c");
    assert_int_equal(msg.queued[1].position, 2);
    assert_int_equal(msg.indicator, MCX_FI_NORMAL | MCX_FI_QUEUEING);
}

static void floor_taken(void **state)
{
    /* Track Info: 2 + 4 + 8 = 14 octets */
    struct vec v = vec_hex("92cc0000 " SSRC " 4d435054 0405 7369703a61 00 05020001 08021234"
                           "0b0e 80 04 75736572 00000001 00000002 0d028080 0e06112233440000 1104 74656c3a 0000"
                           "0f0c 02 05 7369703a61 04 7369703a 0000"
                           "100a 02 00 11223344 55667788 1206 01 04 66697265 1308 01 00010203040506 0000"
                           "1406 03 00 05ff 0500");
    struct mcx_floor_msg msg;

    (void)state;
    v.p[3] = (uint8_t)(v.len / 4 - 1);
    msg = read_back(&v);
    assert_text(msg.granted_party, "sip:a");
    assert_int_equal(msg.permission, 1);
    assert_int_equal(msg.sequence, 0x1234);
    assert_int_equal(msg.track_queueing, 0x80);
    assert_text(msg.track_type, "user");
    assert_int_equal(msg.track_refs.len, 8);
    assert_int_equal(msg.indicator, MCX_FI_NORMAL | MCX_FI_MULTI);
    assert_int_equal(msg.granted_ssrc, 0x11223344);
    assert_text(msg.functional_alias, "tel:");
    assert_int_equal(msg.num_granted_users, 2);
    assert_text(msg.granted_user[1], "sip:");
    assert_int_equal(msg.num_ssrcs, 2);
    assert_int_equal(msg.list_ssrc[1], 0x55667788);
    assert_int_equal(msg.num_aliases, 1);
    assert_text(msg.alias[0], "fire");
    assert_int_equal(msg.location.len, 8);
    assert_int_equal(msg.num_locations, 3);
    assert_int_equal(msg.list_location[1].len, 2);
}

static void the_others(void **state)
{
    static const struct {
        enum mcx_floor_type type;
        const char *hex;
    } rows[] = {
        { MCX_FLOOR_DENY, "83cc0007 " SSRC " 4d435054 020c 0001 6f746865722074616c6b 0000 0d028000" },
        { MCX_FLOOR_DENY, "93cc0003 " SSRC " 4d435054 02020007" },
        { MCX_FLOOR_RELEASE, "84cc0003 " SSRC " 4d435054 0d028000" },
        { MCX_FLOOR_RELEASE, "94cc0002 " SSRC " 4d435054" },
        { MCX_FLOOR_IDLE, "85cc0004 " SSRC " 4d435054 08020001 0d028000" },
        { MCX_FLOOR_REVOKE, "86cc0004 " SSRC " 4d435054 02020004 0d021000" },
        { MCX_FLOOR_REVOKE_REQUEST, "87cc0004 " SSRC " 4d435054 1905 7369703a61 00" },
        { MCX_FLOOR_QUEUE_POSITION_REQUEST, "88cc0002 " SSRC " 4d435054" },
        { MCX_FLOOR_QUEUE_POSITION_INFO, "99cc0003 " SSRC " 4d435054 0302fe00" },
        { MCX_FLOOR_ACK, "8acc0004 " SSRC " 4d435054 0a020000 0c020100" },
        { MCX_FLOOR_MEDIA_FLOW_CONTROL, "8bcc0003 " SSRC " 4d435054 18028000" },
        { MCX_FLOOR_QUEUED, "8ecc0006 " SSRC " 4d435054 15020001 1605 01 03 746f6d 00 17020002" },
        { MCX_FLOOR_RELEASE_MULTI_TALKER, "8fcc0006 " SSRC " 4d435054 0605 7369703a61 00 0e06112233440000" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec v = vec_hex(rows[i].hex);
        struct mcx_floor_msg msg;

        v.p[3] = (uint8_t)(v.len / 4 - 1);
        msg = read_back(&v);
        assert_int_equal(msg.type, rows[i].type);
        assert_int_equal(msg.ack_wanted, v.p[0] >> 4 & 1);
    }
}

/* Steps over what it does not know, whatever the form of its length, and what has no place in the message. */
static void stepped_over(void **state)
{
    struct vec v = vec_hex("80cc0000 " SSRC " 4d435054 5003 010203 000000 c00001 aa c00003 010203 0000"
                           "08021234 00020500");
    struct mcx_floor_msg msg;

    (void)state;
    v.p[3] = (uint8_t)(v.len / 4 - 1);
    assert_int_equal(mcx_floor_read(&msg, vec_bytes(&v), NULL), MCX_OK);
    assert_int_equal(msg.present, MCX_FF(MCX_FF_PRIORITY));
    assert_int_equal(msg.sequence, 0);
}

/* Any order; padding and spare bits are ignored on input and zero on output. */
static void lenient_in_strict_out(void **state)
{
    struct vec v = vec_hex("80cc0007 " SSRC " 4d435054 0d028000 0605 7369703a61 ff 000205aa");
    struct vec want = vec_hex("80cc0006 " SSRC " 4d435054 00020500 0605 7369703a61 00 0d028000");
    struct mcx_floor_msg msg;
    uint8_t buf[64];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    v.p[3] = want.p[3] = (uint8_t)(v.len / 4 - 1);
    assert_int_equal(mcx_floor_read(&msg, vec_bytes(&v), NULL), MCX_OK);
    assert_int_equal(mcx_floor_write(&wr, &msg), MCX_OK);
    assert_int_equal(wr.len, want.len);
    assert_memory_equal(buf, want.p, want.len);
}

static void session_control(void **state)
{
    static uint8_t imessage[700];
    const struct mcx_mcpc_msg msg = { .type = MCX_MCPC_CONNECT,
                                      .ack_wanted = true,
                                      .ssrc = 7,
                                      .present = MCX_FF(MCX_PF_SESSION) | MCX_FF(MCX_PF_MEDIA_STREAMS) |
                                                 MCX_FF(MCX_PF_ANSWER_STATE) | MCX_FF(MCX_PF_INVITING_USER) |
                                                 MCX_FF(MCX_PF_IMESSAGE),
                                      .media_line = 1,
                                      .control_line = 2,
                                      .session_type = MCX_MCPC_PRIVATE,
                                      .session = mcx_bytes_str("sip:session@example.org"),
                                      .answer_state = 1,
                                      .inviting_user = mcx_bytes_str("sip:alice@example.org"),
                                      .imessage = mcx_bytes(imessage, sizeof imessage) };
    struct vec head = vec_hex("90cc00d2 00000007 4d435043 0118 01 7369703a73657373696f6e406578616d706c652e6f7267 0000");
    static uint8_t buf[2048];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_mcpc_msg got;

    (void)state;
    assert_int_equal(mcx_mcpc_write(&wr, &msg), MCX_OK);
    head.p[3] = buf[3];
    assert_memory_equal(buf, head.p, head.len);
    assert_int_equal(4 * (((size_t)buf[2] << 8 | buf[3]) + 1), wr.len);
    assert_int_equal(mcx_mcpc_read(&got, mcx_wr_done(&wr), NULL), MCX_OK);
    assert_int_equal(got.present, msg.present);
    assert_int_equal(got.control_line, 2);
    assert_int_equal(got.session_type, MCX_MCPC_PRIVATE);
    assert_text(got.session, "sip:session@example.org");
    assert_text(got.inviting_user, "sip:alice@example.org");
    assert_int_equal(got.imessage.len, sizeof imessage);
}

static void session_answers(void **state)
{
    static const char *const rows[] = {
        "92cc0000 cafebabe 4d435043 06020003",                    /* may not ask for an acknowledgement */
        "82cc0000 cafebabe 4d435043 06020003 0704 62757379 0000", /* I_MESSAGE failed */
        "91cc0000 cafebabe 4d435043 0106 03 7369703a67",          /* Disconnect */
        "80cc0000 cafebabe 4d435043 0305 7369703a67 00 02026e6f 0805 7369703a62 00",
    };
    static const mcx_err want[] = { MCX_E_UNSUP, MCX_OK, MCX_OK, MCX_OK };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec v = vec_hex(rows[i]);
        struct mcx_mcpc_msg msg;
        uint8_t buf[64];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);

        v.p[3] = (uint8_t)(v.len / 4 - 1);
        assert_int_equal(mcx_mcpc_read(&msg, vec_bytes(&v), NULL), want[i]);
        if (want[i] == MCX_OK && i != 3) {
            assert_int_equal(mcx_mcpc_write(&wr, &msg), MCX_OK);
            assert_int_equal(wr.len, v.len);
            assert_memory_equal(buf, v.p, v.len);
        }
    }
}

static void names(void **state)
{
    struct vec v = vec_hex("80cc0002 cafebabe 4d434d43");
    struct mcx_bytes name;

    (void)state;
    assert_int_equal(mcx_app_name(&name, vec_bytes(&v)), MCX_OK);
    assert_text(name, "MCMC");
    v.len = 11;
    assert_int_equal(mcx_app_name(&name, vec_bytes(&v)), MCX_E_TRUNC);
    v.len = 12;
    v.p[1] = 200;
    assert_int_equal(mcx_app_name(&name, vec_bytes(&v)), MCX_E_FORMAT);
    for (unsigned type = 0; type < 20; type++) {
        bool known = type <= 11 || type == 14 || type == 15;

        assert_int_equal(mcx_floor_type_name(type) != NULL, known);
        assert_int_equal(mcx_floor_type_clause(type) != NULL, known);
        assert_int_equal(mcx_floor_type_fields(type) == 0, !known);
        assert_int_equal(mcx_mcpc_type_name(type) != NULL, type < 3);
        assert_int_equal(mcx_mcpc_type_clause(type) != NULL, type < 3);
    }
    for (unsigned id = 0; id < 256; id++) {
        assert_int_equal(mcx_floor_field_info(id) != NULL, id <= MCX_FF_REVOKE_USER);
        assert_int_equal(mcx_mcpc_field_info(id) != NULL, id <= 8 || id == 192);
        assert_non_null(mcx_floor_deny_text(id));
        assert_non_null(mcx_floor_revoke_text(id));
    }
    assert_string_equal(mcx_floor_field_info(18)->clause, "TS 24.380 8.2.3.20");
    assert_string_not_equal(mcx_floor_deny_text(MCX_DENY_QUEUE_FULL), mcx_floor_revoke_text(MCX_REVOKE_BY_CLIENT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floor_request),   cmocka_unit_test(floor_granted),   cmocka_unit_test(floor_taken),
        cmocka_unit_test(the_others),      cmocka_unit_test(stepped_over),    cmocka_unit_test(lenient_in_strict_out),
        cmocka_unit_test(session_control), cmocka_unit_test(session_answers), cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
