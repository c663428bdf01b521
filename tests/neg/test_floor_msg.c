/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed MCPT and MCPC messages, and messages that may not be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/floor_msg.h>

#include "support/vectors.h"

static const struct {
    const char *name, *hex; /* the length field is filled in unless it is ffff */
    mcx_err want;
} floor_rows[] = {
    { "version 1", "40cc0000 cafebabe 4d435054", MCX_E_FORMAT },
    { "padding bit", "a0cc0000 cafebabe 4d435054", MCX_E_FORMAT },
    { "a sender report", "80c80000 cafebabe 4d435054", MCX_E_FORMAT },
    { "another name", "80cc0000 cafebabe 4d435043", MCX_E_FORMAT },
    { "length past the end", "80ccffff cafebabe 4d435054", MCX_E_TRUNC },
    { "subtype 12", "8ccc0000 cafebabe 4d435054", MCX_E_UNSUP },
    { "subtype 13", "8dcc0000 cafebabe 4d435054", MCX_E_UNSUP },
    { "Floor Request asks for an acknowledgement", "90cc0000 cafebabe 4d435054 00020500", MCX_E_UNSUP },
    { "Floor Ack asks for one", "9acc0000 cafebabe 4d435054", MCX_E_UNSUP },
    { "Floor Revoke asks for one", "96cc0000 cafebabe 4d435054", MCX_E_UNSUP },
    { "a field past the end", "80cc0000 cafebabe 4d435054 00030500", MCX_E_TRUNC },
    { "no length", "80cc0000 cafebabe 4d435054 c000", MCX_E_TRUNC },
    { "a long length past the end", "80cc0000 cafebabe 4d435054 c0000200", MCX_E_TRUNC },
    { "no room for the padding", "80cc0000 cafebabe 4d435054 06057369 703a61", MCX_E_TRUNC },
    { "priority of 1 octet", "80cc0000 cafebabe 4d435054 00010500", MCX_E_FORMAT },
    { "priority of 6 octets", "80cc0000 cafebabe 4d435054 00060500 00000000", MCX_E_FORMAT },
    { "priority twice", "80cc0000 cafebabe 4d435054 00020500 00020500", MCX_E_FORMAT },
    { "User ID of 0 octets", "80cc0000 cafebabe 4d435054 06000000", MCX_E_FORMAT },
    { "User ID that is no UTF-8", "80cc0000 cafebabe 4d435054 0602c328", MCX_E_FORMAT },
    { "User ID with a NUL", "80cc0000 cafebabe 4d435054 06026100", MCX_E_FORMAT },
    { "cause of 1 octet", "83cc0000 cafebabe 4d435054 02010100", MCX_E_FORMAT },
    { "phrase that is no UTF-8", "83cc0000 cafebabe 4d435054 02040001 c3280000", MCX_E_FORMAT },
    { "SSRC of 4 octets", "82cc0000 cafebabe 4d435054 0e041122 33440000", MCX_E_FORMAT },
    { "Track Info without references", "80cc0000 cafebabe 4d435054 0b068004 75736572", MCX_E_FORMAT },
    { "Track Info with half a reference", "80cc0000 cafebabe 4d435054 0b088004 75736572 00010000", MCX_E_FORMAT },
    { "Track Info, type past the end", "80cc0000 cafebabe 4d435054 0b0680ff 75736572", MCX_E_FORMAT },
    { "list of users, too few", "82cc0000 cafebabe 4d435054 0f030201 61000000", MCX_E_FORMAT },
    { "list of users, octets left", "82cc0000 cafebabe 4d435054 0f040101 61620000", MCX_E_FORMAT },
    { "list of users, an empty one", "82cc0000 cafebabe 4d435054 0f020100", MCX_E_FORMAT },
    { "list of users, more than are taken", "82cc0000 cafebabe 4d435054 0f021100", MCX_E_SPACE },
    { "list of SSRCs, too few", "82cc0000 cafebabe 4d435054 10060200 11223344", MCX_E_FORMAT },
    { "location of a wrong length", "80cc0000 cafebabe 4d435054 13020300", MCX_E_FORMAT },
    { "location of an unknown type", "80cc0000 cafebabe 4d435054 13020800", MCX_E_FORMAT },
    { "list of locations, octets left", "82cc0000 cafebabe 4d435054 14030100 00000000", MCX_E_FORMAT },
    { "queued user without an SSRC", "81cc0000 cafebabe 4d435054 09026161", MCX_E_FORMAT },
    { "queue info without an SSRC", "81cc0000 cafebabe 4d435054 03020101", MCX_E_FORMAT },
    { "SSRC of a queued user alone", "81cc0000 cafebabe 4d435054 0e061122 33440000 0e061122 33440000", MCX_E_FORMAT },
    { "queued user without a place",
      "81cc0000 cafebabe 4d435054 0e061122 33440000 0e061122 33440000 09026161 0e061122 33440000 09026161 03020101",
      MCX_E_FORMAT },
    { "queued user named twice",
      "81cc0000 cafebabe 4d435054 0e061122 33440000 0e061122 33440000 09026161 09026161 03020101", MCX_E_FORMAT },
};

static struct vec with_length(const char *hex)
{
    struct vec v = vec_hex(hex);

    if (v.p[2] != 0xff) {
        v.p[3] = (uint8_t)(v.len / 4 - 1);
    }
    if (v.len % 4 != 0) { /* rows that end inside a word: say so in the header, and let it end there */
        v.p[3] = (uint8_t)(v.len / 4);
    }
    return v;
}

static void malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof floor_rows / sizeof floor_rows[0]; i++) {
        struct vec v = with_length(floor_rows[i].hex);
        struct mcx_refusal why = { "", "" };
        struct mcx_floor_msg msg;
        struct mcx_floor_msg before;
        mcx_err err;

        memset(&msg, 0x5a, sizeof msg);
        before = msg;
        err = mcx_floor_read(&msg, vec_bytes(&v), &why);
        if (err != floor_rows[i].want) {
            fail_msg("%s: %s (%s)", floor_rows[i].name, mcx_err_name(err), why.reason);
        }
        assert_string_not_equal(why.reason, "");
        assert_string_not_equal(why.clause, "");
        assert_memory_equal(&msg, &before, sizeof msg);
    }
}

static void too_many_queued(void **state)
{
    struct vec v = vec_hex("81cc0000 cafebabe 4d435054 0e061122 33440000");
    struct vec one = vec_hex("0e061122 33440000 09026161 03020101");
    struct mcx_floor_msg msg;

    (void)state;
    for (size_t i = 0; i <= MCX_FLOOR_LIST_MAX; i++) {
        v.p[3] = (uint8_t)(v.len / 4 - 1);
        assert_int_equal(mcx_floor_read(&msg, vec_bytes(&v), NULL), MCX_OK);
        assert_int_equal(msg.num_queued, i);
        memcpy(v.p + v.len, one.p, one.len);
        v.len += one.len;
    }
    v.p[3] = (uint8_t)(v.len / 4 - 1);
    assert_int_equal(mcx_floor_read(&msg, vec_bytes(&v), NULL), MCX_E_SPACE);
}

static void session_control(void **state)
{
    static const struct {
        const char *hex;
        mcx_err want;
    } rows[] = {
        { "83cc0000 cafebabe 4d435043", MCX_E_UNSUP },
        { "80cc0000 cafebabe 4d435054", MCX_E_FORMAT },
        { "80cc0000 cafebabe 4d435043 00010100", MCX_E_FORMAT },
        { "80cc0000 cafebabe 4d435043 01000000", MCX_E_FORMAT },
        { "80cc0000 cafebabe 4d435043 0103 01c328 000000", MCX_E_FORMAT },
        { "80cc0000 cafebabe 4d435043 00020102 00020102", MCX_E_FORMAT },
        { "80cc0000 cafebabe 4d435043 c0000000", MCX_E_TRUNC }, /* 192: 0 octets, and a second word for the padding */
        { "80cc0000 cafebabe 4d435043 c0000000 00", MCX_E_TRUNC },
        { "80cc0000 cafebabe 4d435043 c00005aa", MCX_E_TRUNC },
        { "80cc0000 cafebabe 4d435043 c0000000 00000000", MCX_E_FORMAT },
        { "82cc0000 cafebabe 4d435043 06010100", MCX_E_FORMAT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec v = with_length(rows[i].hex);
        struct mcx_mcpc_msg msg;
        mcx_err err = mcx_mcpc_read(&msg, vec_bytes(&v), NULL);

        if (i == 6) { /* 1 + 2 + 0 octets and one of padding: an I_MESSAGE of no octets */
            assert_int_equal(err, MCX_E_FORMAT);
            continue;
        }
        assert_int_equal(err, rows[i].want);
    }
}

static void refused_to_write(void **state)
{
    uint8_t buf[MCX_FLOOR_MSG_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_floor_msg m = { .type = MCX_FLOOR_IDLE, .present = MCX_FF(MCX_FF_PRIORITY) };
    struct mcx_mcpc_msg c = { .type = MCX_MCPC_DISCONNECT, .present = MCX_FF(MCX_PF_GROUP) };
    static char big[300];

    (void)state;
    memset(big, 'a', sizeof big);
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG); /* a field that the message may not have */
    m = (struct mcx_floor_msg){ .type = 12 };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m = (struct mcx_floor_msg){ .type = 99 };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m = (struct mcx_floor_msg){ .type = MCX_FLOOR_REQUEST, .ack_wanted = true };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m = (struct mcx_floor_msg){ .type = MCX_FLOOR_REQUEST, .present = MCX_FF(MCX_FF_USER_ID) };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG); /* empty */
    m.user_id = mcx_bytes(big, 256);
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m.user_id = mcx_bytes("\xc3\x28", 2);
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m = (struct mcx_floor_msg){ .type = MCX_FLOOR_ACK, .present = MCX_FF(MCX_FF_MESSAGE_TYPE), .acked_type = 16 };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m = (struct mcx_floor_msg){ .type = MCX_FLOOR_TAKEN, .present = MCX_FF(MCX_FF_SSRCS), .num_ssrcs = 17 };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m = (struct mcx_floor_msg){ .type = MCX_FLOOR_REQUEST,
                                .present = MCX_FF(MCX_FF_LOCATION),
                                .location = mcx_bytes("\x01\x02", 2) };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG);
    m = (struct mcx_floor_msg){ .type = MCX_FLOOR_GRANTED, .num_queued = 1, .queued = { { 1, { NULL, 0 }, 1, 1 } } };
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG); /* queued users and no SSRC of the talker */
    m.present = MCX_FF(MCX_FF_SSRC);
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_ARG); /* without a name */
    m = (struct mcx_floor_msg){ .type = MCX_FLOOR_REQUEST, .present = MCX_FF(MCX_FF_PRIORITY) };
    wr.cap = 15;
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_E_SPACE);
    assert_int_equal(wr.len, 0);
    wr.cap = 16;
    assert_int_equal(mcx_floor_write(&wr, &m), MCX_OK);
    wr.len = 0;
    assert_int_equal(mcx_mcpc_write(&wr, &c), MCX_E_ARG);
    c = (struct mcx_mcpc_msg){ .type = 3 };
    assert_int_equal(mcx_mcpc_write(&wr, &c), MCX_E_ARG);
    c = (struct mcx_mcpc_msg){ .type = MCX_MCPC_ACK, .ack_wanted = true };
    assert_int_equal(mcx_mcpc_write(&wr, &c), MCX_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed),
        cmocka_unit_test(too_many_queued),
        cmocka_unit_test(session_control),
        cmocka_unit_test(refused_to_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
