/* SPDX-License-Identifier: Apache-2.0 */
/* The base layer: cursors, text, time, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <mcx/secret.h>
#include <mcx/seam.h>
#include <mcx/text.h>

static void read_past_end_leaves_cursor(void **state)
{
    static const uint8_t in[] = { 0x00, 0x04, 0xaa };
    struct mcx_rd rd = mcx_rd(mcx_bytes(in, sizeof in));
    struct mcx_bytes out = { in, 1 };
    uint64_t v = 7;

    (void)state;
    assert_int_equal(mcx_rd_vec16(&rd, &out), MCX_E_TRUNC);
    assert_int_equal(rd.len, 3);
    assert_int_equal(out.len, 1);
    assert_int_equal(mcx_rd_u40(&rd, &v), MCX_E_TRUNC);
    assert_int_equal(v, 7);
}

static void write_past_end_leaves_cursor(void **state)
{
    uint8_t buf[4];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    assert_int_equal(mcx_wr_u16(&wr, 0x0102), MCX_OK);
    assert_int_equal(mcx_wr_vec16(&wr, mcx_bytes("x", 1)), MCX_E_SPACE);
    assert_int_equal(wr.len, 2);
    assert_int_equal(mcx_wr_u40(&wr, UINT64_C(1) << 40), MCX_E_ARG);
}

static void reserved_length_is_patched(void **state)
{
    uint8_t buf[16];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    size_t mark = 0;

    (void)state;
    assert_int_equal(mcx_wr_begin16(&wr, &mark), MCX_OK);
    assert_int_equal(mcx_wr_str(&wr, "abc"), MCX_OK);
    assert_int_equal(mcx_wr_end16(&wr, mark), MCX_OK);
    assert_int_equal(wr.len, 5);
    assert_memory_equal(buf, "\x00\x03"
                             "abc",
                        5);
}

static void base64_round_trip(void **state)
{
    static const struct {
        const char *text, *base64;
    } rows[] = { { "", "" },         { "f", "Zg==" },         { "fo", "Zm8=" },        { "foo", "Zm9v" },
                 { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } }; /* RFC 4648 10 */
    char text[16];
    uint8_t octets[16];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(mcx_base64_write(text, sizeof text, mcx_bytes_str(rows[i].text)), MCX_OK);
        assert_string_equal(text, rows[i].base64);
        assert_int_equal(mcx_base64_read(octets, sizeof octets, &len, mcx_bytes_str(text)), MCX_OK);
        assert_true(mcx_bytes_is(mcx_bytes(octets, len), rows[i].text));
    }
}

static void base64_refuses(void **state)
{
    static const char *const bad[] = { "Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm-v", "Zm_v", " Zm9v",
                                       "Zm 9", "Zg==Zg==", "Zm9v\n", "Zm9v====" };
    uint8_t octets[16];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(mcx_base64_read(octets, sizeof octets, &len, mcx_bytes_str(bad[i])), MCX_E_FORMAT);
    }
}

static void hex_round_trip(void **state)
{
    uint8_t all[256];
    uint8_t back[256];
    char text[513];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
    }
    assert_int_equal(mcx_hex_write(text, sizeof text, mcx_bytes(all, 256)), MCX_OK);
    assert_int_equal(strncmp(text, "000102030405060708090a0b", 24), 0);
    assert_int_equal(mcx_hex_read(back, sizeof back, &len, mcx_bytes_str(text)), MCX_OK);
    assert_int_equal(len, 256);
    assert_memory_equal(all, back, 256);
    assert_int_equal(mcx_hex_read(back, sizeof back, &len, mcx_bytes_str("0g")), MCX_E_FORMAT);
    assert_int_equal(mcx_hex_read(back, sizeof back, &len, mcx_bytes_str("0")), MCX_E_FORMAT);
    assert_int_equal(mcx_hex_write_upper(text, 5, mcx_bytes("\xab\xcd", 2)), MCX_OK);
    assert_string_equal(text, "ABCD");
}

static void decimal_bounds(void **state)
{
    uint64_t v = 0;

    (void)state;
    assert_int_equal(mcx_dec_read(&v, UINT64_MAX, mcx_bytes_str("18446744073709551615")), MCX_OK);
    assert_true(v == UINT64_MAX);
    assert_int_equal(mcx_dec_read(&v, UINT64_MAX, mcx_bytes_str("18446744073709551616")), MCX_E_FORMAT);
    assert_int_equal(mcx_dec_read(&v, 5, mcx_bytes_str("6")), MCX_E_FORMAT);
    assert_int_equal(mcx_dec_read(&v, 5, mcx_bytes_str("5")), MCX_OK);
    assert_int_equal(mcx_dec_read(&v, 5, mcx_bytes_str("-1")), MCX_E_FORMAT);
    assert_int_equal(mcx_dec_read(&v, 5, mcx_bytes_str("")), MCX_E_FORMAT);
}

static void datetime_forms(void **state)
{
    static const struct {
        const char *text;
        mcx_err want;
        uint64_t unix_s;
    } rows[] = {
        { "1970-01-01T00:00:00Z", MCX_OK, 0 },
        { "2026-03-04T12:00:00Z", MCX_OK, 1772625600 },
        { "2026-03-04T12:00:00", MCX_OK, 1772625600 },
        { "2026-03-04T12:00:00.25Z", MCX_OK, 1772625600 },
        { "2026-03-04T14:00:00+02:00", MCX_OK, 1772625600 },
        { "2024-02-29T00:00:00Z", MCX_OK, 1709164800 },
        { "2026-02-29T00:00:00Z", MCX_E_FORMAT, 0 },
        { "2026-03-04 12:00:00Z", MCX_E_FORMAT, 0 },
        { "2026-03-04T12:00:00.Z", MCX_E_FORMAT, 0 },
        { "2026-03-04T12:00:00Zx", MCX_E_FORMAT, 0 },
        { "1960-01-01T00:00:00Z", MCX_E_FORMAT, 0 },
    };
    char text[MCX_DATETIME_LEN + 1];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t s = 0;

        assert_int_equal(mcx_datetime_read(&s, mcx_bytes_str(rows[i].text)), rows[i].want);
        assert_true(s == rows[i].unix_s);
    }
    assert_int_equal(mcx_datetime_write(text, 1772625600), MCX_OK);
    assert_string_equal(text, "2026-03-04T12:00:00Z");
}

static void ntp_eras(void **state)
{
    struct mcx_ntp t = mcx_ntp_from_unix_ms(UINT64_C(1772625600500));

    (void)state;
    assert_true(mcx_ntp_to_wire(t) == UINT64_C(0xed529d4080000000)); /* 2026-03-04T12:00:00.5Z */
    assert_true(mcx_ntp_to_unix_ms(mcx_ntp_from_wire(mcx_ntp_to_wire(t))) == UINT64_C(1772625600500));
    assert_true(mcx_ntp_from_wire(UINT64_C(0xffffffff00000000)).sec + 1 == mcx_ntp_from_wire(0).sec);
}

/* What a peer has written stays text on a terminal: ESC, and the C1 commands that xterm takes in UTF-8 too. */
static void plain_text(void **state)
{
    char out[32];

    (void)state;
    mcx_text_plain(out, sizeof out, "a\x1b[2J\r\x7f b\xc3\xbc");
    assert_string_equal(out, "a?[2J?? b\xc3\xbc");
    mcx_text_plain(out, sizeof out, "x\xc2\x9b" "31m\x9b" "1m\xe2\x82\xac\xf0\x9f\x9a\x92");
    assert_string_equal(out, "x?31m?1m\xe2\x82\xac\xf0\x9f\x9a\x92");
    mcx_text_plain(out, sizeof out, "\xc2\x80\xc2\x9f\xc2\xa0\xc3\x9b\xe2\x82 \xc0\xaf\xed\xa0\x80\xff\xc2");
    assert_string_equal(out, "??\xc2\xa0\xc3\x9b?? ???????");
    mcx_text_plain(out, 4, "abcdef");
    assert_string_equal(out, "abc");
    mcx_text_plain(out, 4, "ab\xe2\x82\xac"); /* no half of a character */
    assert_string_equal(out, "ab");
    mcx_text_plain(out, 1, "a");
    assert_string_equal(out, "");
}

/* Whatever comes in, what is shown is UTF-8 and has no control characters. */
static void plain_text_of_any_octets(void **state)
{
    char in[5] = "";
    char out[8];

    (void)state;
    for (uint32_t n = 0; n < 200000; n++) {
        uint32_t v = n * UINT32_C(2654435761);

        for (size_t i = 0; i < 4; i++) {
            in[i] = (char)(v >> (24 - 8 * i));
        }
        mcx_text_plain(out, 1 + n % sizeof out, in);
        assert_true(mcx_utf8_ok(mcx_bytes_str(out)));
        for (const char *c = out; *c != '\0'; c++) {
            assert_true((uint8_t)*c >= 0x20 && *c != 0x7f && !((uint8_t)*c == 0xc2 && (uint8_t)c[1] < 0xa0));
        }
    }
}

static void utf8_rules(void **state)
{
    (void)state;
    assert_true(mcx_utf8_ok(mcx_bytes_str("sip:b\xc3\xbc@x \xe2\x82\xac \xf0\x9f\x9a\x92")));
    assert_false(mcx_utf8_ok(mcx_bytes("a\0b", 3)));
    assert_false(mcx_utf8_ok(mcx_bytes_str("\xc0\xaf")));
    assert_false(mcx_utf8_ok(mcx_bytes_str("\xed\xa0\x80")));
    assert_false(mcx_utf8_ok(mcx_bytes_str("\xf4\x90\x80\x80")));
    assert_false(mcx_utf8_ok(mcx_bytes_str("\xe2\x82")));
}

static void secret_memory_of_many_sizes(void **state)
{
    static const size_t len[] = { 1, 16, 17, 4064, 4080, 4081, 4096, 8191, 8192, 100000 };

    (void)state;
    for (size_t i = 0; i < sizeof len / sizeof len[0]; i++) {
        uint8_t *p = mcx_secret_alloc(len[i]);

        assert_non_null(p);
        for (size_t k = 0; k < len[i]; k++) {
            assert_int_equal(p[k], 0);
            p[k] = 0xa5;
        }
        mcx_secret_free(p);
    }
    assert_null(mcx_secret_alloc(0));
    mcx_secret_free(NULL);
}

static void constant_time_compare(void **state)
{
    (void)state;
    assert_true(mcx_ct_equal("abc", "abc", 3));
    assert_false(mcx_ct_equal("abc", "abd", 3));
    assert_true(mcx_ct_is_zero_mask(0) == UINT64_MAX);
    assert_true(mcx_ct_is_zero_mask(1) == 0);
    assert_true(mcx_ct_is_zero_mask(UINT64_C(1) << 63) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_past_end_leaves_cursor), cmocka_unit_test(write_past_end_leaves_cursor),
        cmocka_unit_test(reserved_length_is_patched),  cmocka_unit_test(base64_round_trip),
        cmocka_unit_test(base64_refuses),              cmocka_unit_test(hex_round_trip),
        cmocka_unit_test(decimal_bounds),              cmocka_unit_test(datetime_forms),
        cmocka_unit_test(ntp_eras),                    cmocka_unit_test(plain_text),
        cmocka_unit_test(plain_text_of_any_octets),    cmocka_unit_test(utf8_rules),
        cmocka_unit_test(secret_memory_of_many_sizes), cmocka_unit_test(constant_time_compare),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
