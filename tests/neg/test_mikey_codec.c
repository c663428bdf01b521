/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed MIKEY messages: each refused with its error, nothing read past the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support/mikey_parts.h"

#define OWN1 "mikey-imessages/own-1-pck-default-profile.txt"
#define OWN2 "mikey-imessages/own-2-pck-sakke-to-self.txt"
#define OWN3 "mikey-imessages/own-3-gmk.txt"
#define OWN4 "mikey-imessages/own-4-gmk-hidden-identities.txt"

static struct mikey_parts parts;

static void load(const char *file)
{
    struct vec msg = vec_get(file, NULL, "message");

    mikey_split(&parts, vec_bytes(&msg));
}

static mcx_err read_octets(struct mcx_bytes octets, struct mcx_refusal *why)
{
    struct mcx_mikey_sakke_msg m;

    return mcx_mikey_sakke_msg_read(&m, octets, why);
}

static void want_read(const char *what, mcx_err err)
{
    struct vec v = mikey_join(&parts);
    struct mcx_refusal why = { 0 };
    mcx_err got = read_octets(vec_bytes(&v), &why);

    if (got != err) {
        fail_msg("%s: %s, expected %s", what, mcx_err_name(got), mcx_err_name(err));
    }
    if (err != MCX_OK) {
        assert_non_null(why.reason);
    }
}

/* In a heap block that ends with the message, so that a sanitizer sees a read past the end. */
static void test_every_prefix(void **state)
{
    (void)state;
    for (size_t f = 0; mikey_files[f] != NULL; f++) {
        struct vec msg = vec_get(mikey_files[f], NULL, "message");

        for (size_t n = 0; n < msg.len; n++) {
            uint8_t *copy = malloc(n + 1);
            struct mcx_refusal why = { 0 };

            assert_non_null(copy);
            memcpy(copy + 1, msg.p, n);
            assert_int_not_equal(read_octets(mcx_bytes(copy + 1, n), &why), MCX_OK);
            assert_non_null(why.reason);
            free(copy);
        }
    }
}

static void test_ends(void **state)
{
    static uint8_t big[MCX_MIKEY_MSG_MAX + 1];
    struct vec v;

    (void)state;
    load(OWN1);
    v = mikey_join(&parts);
    v.p[v.len++] = 0;
    assert_int_equal(read_octets(vec_bytes(&v), NULL), MCX_E_TRAILING);
    assert_int_equal(read_octets(mcx_bytes(big, sizeof big), NULL), MCX_E_FORMAT);
}

static void test_duplicates(void **state)
{
    static const struct {
        const char *file;
        uint8_t number;
        size_t n;
        mcx_err want;
    } rows[] = {
        { OWN3, MCX_MIKEY_PL_T, 0, MCX_E_FORMAT },     { OWN3, MCX_MIKEY_PL_RAND, 0, MCX_E_FORMAT },
        { OWN3, MCX_MIKEY_PL_SAKKE, 0, MCX_E_FORMAT }, { OWN3, MCX_MIKEY_PL_IDR, 0, MCX_E_FORMAT },
        { OWN3, MCX_MIKEY_PL_IDR, 1, MCX_E_FORMAT },   { OWN3, MCX_MIKEY_PL_IDR, 2, MCX_E_FORMAT },
        { OWN3, MCX_MIKEY_PL_IDR, 3, MCX_E_FORMAT },   { OWN2, MCX_MIKEY_PL_EXT, 0, MCX_E_FORMAT },
        { OWN2, MCX_MIKEY_PL_EXT, 1, MCX_E_FORMAT },   { OWN3, MCX_MIKEY_PL_SP, 0, MCX_OK }, /* RFC 3830 6.10 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t at;

        load(rows[i].file);
        at = mikey_find(&parts, rows[i].number, rows[i].n);
        mikey_copy(&parts, at, at);
        want_read(mcx_mikey_payload_name(rows[i].number), rows[i].want);
    }
}

static void test_missing(void **state)
{
    static const uint8_t needed[] = { MCX_MIKEY_PL_T, MCX_MIKEY_PL_RAND, MCX_MIKEY_PL_SAKKE, MCX_MIKEY_PL_SIGN };

    (void)state;
    for (size_t i = 0; i < sizeof needed; i++) {
        load(OWN1);
        mikey_drop(&parts, mikey_find(&parts, needed[i], 0));
        want_read(mcx_mikey_payload_name(needed[i]), MCX_E_FORMAT);
    }
    for (size_t i = 0; i < 8; i++) {
        load(i < 4 ? OWN1 : OWN4);
        mikey_drop(&parts, mikey_find(&parts, MCX_MIKEY_PL_IDR, i % 4));
        want_read("identity missing", MCX_E_FORMAT);
    }
}

static void test_order(void **state)
{
    size_t sakke, sign;

    (void)state;
    load(OWN1); /* SAKKE first: any order, but SIGN last (RFC 3830 5.3) */
    sakke = mikey_find(&parts, MCX_MIKEY_PL_SAKKE, 0);
    mikey_copy(&parts, sakke, 0);
    mikey_drop(&parts, sakke + 1);
    want_read("SAKKE first", MCX_OK);

    load(OWN1); /* SIGN before SAKKE: what follows is behind the end */
    sign = mikey_find(&parts, MCX_MIKEY_PL_SIGN, 0);
    mikey_copy(&parts, sign, sign - 1);
    mikey_drop(&parts, sign + 1);
    want_read("SIGN not last", MCX_E_TRAILING);
}

static void test_chain(void **state)
{
    const size_t sakke = 0x96; /* its first octet names SIGN */
    struct vec v;

    (void)state;
    load(OWN1);
    v = mikey_join(&parts);
    assert_int_equal(v.p[sakke], MCX_MIKEY_PL_SIGN);
    v.p[sakke] = MCX_MIKEY_PL_LAST;
    assert_int_equal(read_octets(vec_bytes(&v), NULL), MCX_E_TRAILING);
    v.p[sakke] = 99;
    assert_int_equal(read_octets(vec_bytes(&v), NULL), MCX_E_UNSUP);
    v.p[sakke] = MCX_MIKEY_PL_KEMAC; /* has a number, but no place here */
    assert_int_equal(read_octets(vec_bytes(&v), NULL), MCX_E_UNSUP);

    load(OWN1); /* CERT is skipped */
    mikey_copy(&parts, 0, 0);
    parts.part[0].number = MCX_MIKEY_PL_CERT;
    mikey_replace(&parts, 0, "00 0003 aabbcc");
    want_read("CERT", MCX_OK);

    load(OWN1);
    for (size_t i = 0; i < 9; i++) { /* unknown extensions are skipped, up to a bound */
        want_read("extensions", MCX_OK);
        mikey_copy(&parts, 0, 0);
        parts.part[0].number = MCX_MIKEY_PL_EXT;
        mikey_replace(&parts, 0, "63 0000");
    }
    want_read("too many extensions", MCX_E_FORMAT);
}

/* Payloads with other contents; `hex` stands after the next-payload octet. */
static const struct {
    const char *name, *file;
    uint8_t number;
    size_t n;
    const char *hex;
    mcx_err want;
} changes[] = {
    { "T type 1, NTP", OWN1, MCX_MIKEY_PL_T, 0, "01 ed529d4000000000", MCX_E_UNSUP },
    { "T type 2, counter", OWN1, MCX_MIKEY_PL_T, 0, "02 00000001", MCX_E_UNSUP },
    { "T type 3", OWN1, MCX_MIKEY_PL_T, 0, "03 ed529d4000000000", MCX_E_UNSUP },
    { "RAND of 0", OWN1, MCX_MIKEY_PL_RAND, 0, "00", MCX_E_FORMAT },
    { "RAND of 15", OWN1, MCX_MIKEY_PL_RAND, 0, "0f 000102030405060708090a0b0c0d0e", MCX_E_FORMAT },
    { "RAND of 17", OWN1, MCX_MIKEY_PL_RAND, 0, "11 000102030405060708090a0b0c0d0e0f10", MCX_OK },
    { "IDR of 65535", OWN1, MCX_MIKEY_PL_IDR, 0, "01 01 ffff 7369", MCX_E_TRUNC },
    { "IDR empty", OWN1, MCX_MIKEY_PL_IDR, 0, "01 01 0000", MCX_E_FORMAT },
    { "IDR role 4", OWN1, MCX_MIKEY_PL_IDR, 0, "04 01 0001 61", MCX_E_FORMAT },
    { "IDR role 10", OWN1, MCX_MIKEY_PL_IDR, 0, "0a 01 0001 61", MCX_E_FORMAT },
    { "IDR type NAI", OWN1, MCX_MIKEY_PL_IDR, 0, "01 00 0001 61", MCX_E_UNSUP },
    { "URI as byte string", OWN1, MCX_MIKEY_PL_IDR, 0, "01 02 0001 61", MCX_E_UNSUP },
    { "one KMS as role 3", OWN1, MCX_MIKEY_PL_IDR, 2, "03 01 0001 61", MCX_E_FORMAT },
    { "UID of 31", OWN4, MCX_MIKEY_PL_IDR, 0,
      "08 01 001f 00000000000000000000000000000000000000000000000000000000000000", MCX_E_FORMAT },
    { "UID as byte string", OWN4, MCX_MIKEY_PL_IDR, 0,
      "08 02 0020 0000000000000000000000000000000000000000000000000000000000000000", MCX_OK },
    { "SP parameter past its payload", OWN3, MCX_MIKEY_PL_SP, 0, "00 00 0003 000206", MCX_E_TRUNC },
    { "SP half a parameter", OWN3, MCX_MIKEY_PL_SP, 0, "00 00 0004 00010600", MCX_E_TRUNC },
    { "SP past the end", OWN3, MCX_MIKEY_PL_SP, 0, "00 00 ffff 000106", MCX_E_TRUNC },
    { "extension 7 empty", OWN3, MCX_MIKEY_PL_EXT, 0, "07 0000", MCX_E_FORMAT },
    { "extension 6 empty", OWN2, MCX_MIKEY_PL_EXT, 0, "06 0000", MCX_E_FORMAT },
    { "extension 6 too short", OWN2, MCX_MIKEY_PL_EXT, 0, "06 0006 00 01 02 0002 aa", MCX_E_FORMAT },
    { "extension 6 too long", OWN2, MCX_MIKEY_PL_EXT, 0, "06 0007 00 01 02 0001 aabb", MCX_E_FORMAT },
    { "SIGN of 32", OWN1, MCX_MIKEY_PL_SIGN, 0, "2020 0000000000000000000000000000000000000000000000000000000000000000",
      MCX_E_FORMAT },
    { "SIGN empty", OWN1, MCX_MIKEY_PL_SIGN, 0, "2000", MCX_E_FORMAT },
    { "SIGN RSA", OWN1, MCX_MIKEY_PL_SIGN, 0, "0001 00", MCX_E_UNSUP },
    { "SIGN past the end", OWN1, MCX_MIKEY_PL_SIGN, 0, "2081 00", MCX_E_TRUNC },
};

static void test_changed_payloads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        load(changes[i].file);
        mikey_replace(&parts, mikey_find(&parts, changes[i].number, changes[i].n), changes[i].hex);
        want_read(changes[i].name, changes[i].want);
    }
    for (size_t n = 128; n <= 130; n++) {
        size_t i;

        load(OWN1);
        i = mikey_find(&parts, MCX_MIKEY_PL_SIGN, 0);
        parts.part[i].octets.p[1] = (uint8_t)n;
        parts.part[i].octets.len = 2 + n;
        want_read("SIGN length", n == 129 ? MCX_OK : MCX_E_FORMAT);
    }
}

static const struct {
    const char *name, *hex;
    mcx_err want;
} headers[] = {
    { "empty map", "01 1a 05 01 1a2b3c4d 00 01", MCX_OK },
    { "V is ignored", "01 1a 05 81 1a2b3c4d 00 01", MCX_OK },
    { "GENERIC-ID without blocks", "01 1a 05 01 1a2b3c4d 00 02", MCX_OK },
    { "SRTP-ID without blocks", "01 1a 05 01 1a2b3c4d 00 00", MCX_OK },
    { "one generic block", "01 1a 05 01 1a2b3c4d 01 02  06 00 01 00 0000 04 1a2b3c4d", MCX_OK },
    { "no SPI", "01 1a 05 01 1a2b3c4d 01 02  06 00 01 00 0000 00", MCX_OK },
    { "two generic blocks", "01 1a 05 01 1a2b3c4d 02 02  00 00 00 0000 00  01 00 02 0001 0000 00", MCX_OK },
    { "session data with ROC", "01 1a 05 01 1a2b3c4d 01 02  06 00 81 00 000a 00000000000000000000 00", MCX_OK },
    { "one SRTP-ID block", "01 1a 05 01 1a2b3c4d 01 00  00 cafebabe 00000000", MCX_OK },
    { "version 2", "02 1a 05 01 1a2b3c4d 00 01", MCX_E_UNSUP },
    { "version 0", "00 1a 05 01 1a2b3c4d 00 01", MCX_E_UNSUP },
    { "IPsec map", "01 1a 05 01 1a2b3c4d 00 07", MCX_E_UNSUP },
    { "crypto sessions and an empty map", "01 1a 05 01 1a2b3c4d 01 01", MCX_E_FORMAT },
    { "255 crypto sessions, one block", "01 1a 05 01 1a2b3c4d ff 02  06 00 01 00 0000 04 1a2b3c4d", MCX_E_TRUNC },
    { "127 policies, one there", "01 1a 05 01 1a2b3c4d 01 02  06 00 7f 00 0000 00", MCX_E_TRUNC },
    { "S without session data", "01 1a 05 01 1a2b3c4d 01 02  06 00 81 00 0000 00", MCX_E_FORMAT },
    { "S with 9 octets", "01 1a 05 01 1a2b3c4d 01 02  06 00 81 00 0009 000000000000000000 00", MCX_E_FORMAT },
    { "session data past the end", "01 1a 05 01 1a2b3c4d 01 02  06 00 01 00 ffff 00", MCX_E_TRUNC },
    { "cut in the CSB ID", "01 1a 05 01 1a2b3c", MCX_E_TRUNC },
    { "empty", "", MCX_E_TRUNC },
};

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct vec v = vec_hex(headers[i].hex);
        struct mcx_rd rd = mcx_rd(vec_bytes(&v));
        struct mcx_mikey_hdr hdr;
        uint8_t next = 0;
        mcx_err got = mcx_mikey_hdr_read(&hdr, &next, &rd);

        if (got != headers[i].want) {
            fail_msg("%s: %s", headers[i].name, mcx_err_name(got));
        }
        assert_int_equal(rd.len, got == MCX_OK ? 0 : v.len);
        if (got == MCX_OK) {
            uint8_t buf[64];
            struct mcx_wr wr = mcx_wr(buf, sizeof buf);

            assert_int_equal(mcx_mikey_hdr_write(&wr, &hdr, next), hdr.v ? MCX_E_ARG : MCX_OK);
            assert_true(hdr.v || mcx_bytes_equal(mcx_wr_done(&wr), vec_bytes(&v)));
        }
    }
}

/* The map of one Release 13 code base: #CS 0, GENERIC-ID, and nevertheless one block (RFC 6043 6.1.1). */
static void test_block_without_count(void **state)
{
    static const uint8_t block[] = { 0, 0, 1, 1, 0, 0, 0 };
    struct vec v, bad;

    (void)state;
    load(OWN1);
    parts.hdr.map_type = MCX_MIKEY_MAP_GENERIC;
    v = mikey_join(&parts);
    assert_int_equal(read_octets(vec_bytes(&v), NULL), MCX_OK);
    memcpy(bad.p, v.p, 10);
    memcpy(bad.p + 10, block, sizeof block);
    memcpy(bad.p + 10 + sizeof block, v.p + 10, v.len - 10);
    bad.len = v.len + sizeof block;
    assert_int_not_equal(read_octets(vec_bytes(&bad), NULL), MCX_OK);
}

static const struct {
    const char *name, *hex;
    mcx_err want;
    bool rcc;
    uint16_t rate;
} suites[] = {
    { "GMK profile", "000106 010110 020104 04010c 050100 060100 0d020001 120104 130100 140110", MCX_OK, true, 1 },
    { "PCK profile", "000106 010110 04010c 050100 060100 140110", MCX_OK, false, 0 },
    { "R in one octet", "000106 010110 020104 04010c 050100 060100 0d0101 120104 130100 140110", MCX_OK, true, 1 },
    { "R left out", "000106 010110 020104 04010c 050100 060100 120104 130100 140110", MCX_OK, true, 1 },
    { "R 260", "000106 010110 020104 04010c 050100 060100 0d020104 120104 130100 140110", MCX_OK, true, 260 },
    { "unknown type 99", "000106 010110 04010c 050100 060100 140110 630400000000", MCX_OK, false, 0 },
    { "R 0", "000106 010110 020104 04010c 050100 060100 0d020000 120104 130100 140110", MCX_E_UNSUP, false, 0 },
    { "AES-CM", "000101 010110 04010e 050100 060100", MCX_E_UNSUP, false, 0 },
    { "nothing said", "", MCX_E_UNSUP, false, 0 },
    { "32-octet key", "000106 010120 04010c 050100 060100 140110", MCX_E_UNSUP, false, 0 },
    { "14-octet salt", "000106 010110 04010e 050100 060100 140110", MCX_E_UNSUP, false, 0 },
    { "other PRF", "000106 010110 04010c 050101 060100 140110", MCX_E_UNSUP, false, 0 },
    { "KDR 1", "000106 010110 04010c 050100 060101 140110", MCX_E_UNSUP, false, 0 },
    { "8-octet tag", "000106 010110 04010c 050100 060100 140108", MCX_E_UNSUP, false, 0 },
    { "RCCm1", "000106 010110 020102 04010c 050100 060100 120104 140110", MCX_E_UNSUP, false, 0 },
    { "SRTP unencrypted", "000106 010110 04010c 050100 060100 070100 140110", MCX_E_UNSUP, false, 0 },
    { "a type twice", "000106 000106 010110 04010c 140110", MCX_E_FORMAT, false, 0 },
    { "empty value", "0000 010110 04010c 140110", MCX_E_FORMAT, false, 0 },
    { "two-octet algorithm", "00020006 010110 04010c 140110", MCX_E_FORMAT, false, 0 },
};

static void test_suites(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        struct vec v = vec_hex(suites[i].hex);
        struct mcx_mikey_sp sp = { .params = vec_bytes(&v) };
        struct mcx_mikey_suite suite = { 0 };
        mcx_err got = mcx_mikey_suite_read(&suite, &sp);

        if (got != suites[i].want || suite.rcc != suites[i].rcc || suite.roc_rate != suites[i].rate) {
            fail_msg("%s: %s rcc %d rate %u", suites[i].name, mcx_err_name(got), suite.rcc, suite.roc_rate);
        }
    }
    for (size_t i = 0; i < 2; i++) { /* the two profiles are also written so */
        struct vec v = vec_hex(suites[i].hex);
        struct mcx_mikey_suite suite = { suites[i].rcc, suites[i].rate };
        uint8_t buf[64];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);

        assert_int_equal(mcx_mikey_suite_write(&wr, &suite), MCX_OK);
        assert_int_equal(wr.len, v.len);
        assert_memory_equal(buf, v.p, v.len);
    }
}

static const struct {
    const char *name, *hex;
    mcx_err want;
} key_params[] = {
    { "GMK without group", "00 00000001 0000000000 0000000000 0000 0001 00", MCX_OK },
    { "CSK", "02 00000001 0000000000 0000000000 0000", MCX_OK },
    { "with IE head", "06 0011 02 00000001 0000000000 0000000000 0000", MCX_OK },
    { "a status that looks like an IE head", "00 00110000 0000000000 0000000000 0000 0001 00", MCX_OK },
    { "two groups", "00 00000001 0000000000 0000000000 0000 0009 02 7b 0001 61 7b 0001 62", MCX_OK },
    { "reserved after the groups", "00 00000001 0000000000 0000000000 0000 0001 00 0002 aabb", MCX_OK },
    { "cut in status", "00 0000", MCX_E_TRUNC },
    { "cut in expiry", "00 00000001 0000000000 00000000", MCX_E_TRUNC },
    { "text past the end", "00 00000001 0000000000 0000000000 0005 61", MCX_E_TRUNC },
    { "groups past the end", "00 00000001 0000000000 0000000000 0000 0005 01", MCX_E_TRUNC },
    { "groups without count", "00 00000001 0000000000 0000000000 0000 0000", MCX_E_TRUNC },
    { "one group announced, none there", "00 00000001 0000000000 0000000000 0000 0001 01", MCX_E_TRUNC },
    { "none announced, one there", "00 00000001 0000000000 0000000000 0000 0005 00 7b 0001 61", MCX_E_TRAILING },
    { "wrong element", "00 00000001 0000000000 0000000000 0000 0005 01 7c 0001 61", MCX_E_FORMAT },
};

static void test_key_params(void **state)
{
    struct mcx_mikey_key_params kp;

    (void)state;
    for (size_t i = 0; i < sizeof key_params / sizeof key_params[0]; i++) {
        struct vec v = vec_hex(key_params[i].hex);
        mcx_err got = mcx_mikey_key_params_read(&kp, vec_bytes(&v), 2);

        if (got != key_params[i].want) {
            fail_msg("%s: %s", key_params[i].name, mcx_err_name(got));
        }
    }
    for (size_t n = 0; n < 20; n++) { /* the clear form has 15, 17 or 20 octets */
        static const uint8_t zero[20];

        assert_int_equal(mcx_mikey_key_params_clear_read(&kp, mcx_bytes(zero, n)),
                         n == 15 || n == 17 ? MCX_OK : MCX_E_FORMAT);
    }
}

static void test_key_params_frame(void **state)
{
    struct vec data = vec_get(OWN3, NULL, "ext07.data");
    struct mcx_mikey_kp_frame frame;

    (void)state;
    for (size_t n = 0; n < data.len; n++) {
        assert_int_not_equal(mcx_mikey_kp_frame_read(&frame, mcx_bytes(data.p, n)), MCX_OK);
    }
    data.p[data.len] = 0;
    assert_int_equal(mcx_mikey_kp_frame_read(&frame, mcx_bytes(data.p, data.len + 1)), MCX_E_TRAILING);
    data.p[0] = 0x03; /* not protected */
    assert_int_equal(mcx_mikey_kp_frame_read(&frame, vec_bytes(&data)), MCX_E_FORMAT);
    data = vec_hex("43 0000000000 00000000 00 01 00000000000000000000000000000000 00000000 00 000f "
                   "000000000000000000000000000000"); /* shorter than a tag */
    assert_int_equal(mcx_mikey_kp_frame_read(&frame, vec_bytes(&data)), MCX_E_FORMAT);
}

static void test_error_message(void **state)
{
    /* HDR with data type 6, T, ERR 5, ERR 13, SIGN of one octet */
    struct vec v = vec_hex("01 06 05 01 1a2b3c4d 00 01  0c 00 ed529d4000000000  0c 05 0000  04 0d 0000  0001 00");
    struct mcx_mikey_error_msg e;

    (void)state;
    assert_int_equal(mcx_mikey_error_read(&e, vec_bytes(&v), NULL), MCX_OK);
    assert_int_equal(e.csb_id, 0x1a2b3c4d);
    assert_int_equal(e.num_errors, 2);
    assert_int_equal(e.error_no[0], 5);
    assert_int_equal(e.error_no[1], 13);
    assert_string_equal(mcx_mikey_error_name(e.error_no[1]), "unsupported message type");
    assert_int_equal(read_octets(vec_bytes(&v), NULL), MCX_E_UNSUP);
    assert_int_equal(mcx_mikey_error_read(&e, mcx_bytes(v.p, 10), NULL), MCX_E_TRUNC);
    load(OWN1);
    v = mikey_join(&parts);
    assert_int_equal(mcx_mikey_error_read(&e, vec_bytes(&v), NULL), MCX_E_UNSUP);
}

/* Strict on output. */
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        m = good;                                                                                                      \
        wr = mcx_wr(buf, sizeof buf);                                                                                  \
        change;                                                                                                        \
        assert_int_equal(mcx_mikey_sakke_msg_write(&wr, &m), MCX_E_ARG);                                               \
        assert_int_equal(wr.len, 0);                                                                                   \
    } while (0)

static void test_writer_refuses(void **state)
{
    struct vec msg = vec_get(OWN3, NULL, "message");
    struct mcx_mikey_sakke_msg good, m;
    uint8_t buf[VEC_MAX];
    struct mcx_wr wr;

    (void)state;
    assert_int_equal(mcx_mikey_sakke_msg_read(&good, vec_bytes(&msg), NULL), MCX_OK);
    REFUSED(m.hdr.v = true);
    REFUSED(m.hdr.prf = 0);
    REFUSED(m.hdr.data_type = 0);
    REFUSED(m.hdr.num_cs = 2);
    REFUSED(m.num_sp = 0);
    REFUSED(m.t.ts_type = 1);
    REFUSED(m.rand.len = 15);
    REFUSED(m.id_i.p = NULL);
    REFUSED(m.kms_r.p = NULL);
    REFUSED(m.role3_kms = true);
    REFUSED(m.sakke.params = 2);
    REFUSED(m.sign.signature.len = 32);
    REFUSED(m.sign.s_type = 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_changed_payloads),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_block_without_count),
        cmocka_unit_test(test_suites),
        cmocka_unit_test(test_key_params),
        cmocka_unit_test(test_key_params_frame),
        cmocka_unit_test(test_error_message),
        cmocka_unit_test(test_writer_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
