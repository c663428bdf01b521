/* SPDX-License-Identifier: Apache-2.0 */
/* Edges of periods, sizes of integers, key types and identifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/sym/sym.h"
#include "ident/ident_internal.h"
#include "support/fake.h"

static void period_edges(void **state)
{
    static const struct mcx_key_period p = { 604800, 345600 };
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t no = 0;

    (void)state;
    assert_int_equal(mcx_period_bounds(&start, &end, &p, 6582), MCX_OK);
    assert_int_equal(end - start, p.length);
    assert_int_equal(mcx_period_no(&no, &p, start - 1), MCX_OK);
    assert_int_equal(no, 6581);
    assert_int_equal(mcx_period_no(&no, &p, start), MCX_OK); /* first second in */
    assert_int_equal(no, 6582);
    assert_int_equal(mcx_period_no(&no, &p, end - 1), MCX_OK); /* last second in */
    assert_int_equal(no, 6582);
    assert_int_equal(mcx_period_no(&no, &p, end), MCX_OK); /* next second out */
    assert_int_equal(no, 6583);
}

static void period_smallest_and_first(void **state)
{
    static const struct mcx_key_period second = { 1, 0 };
    static const struct mcx_key_period late = { 100, 99 };
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t no = 7;

    (void)state;
    assert_int_equal(mcx_period_no(&no, &second, 0), MCX_OK);
    assert_int_equal(no, 0);
    assert_int_equal(mcx_period_no(&no, &second, UINT64_MAX), MCX_OK);
    assert_int_equal(no, UINT64_MAX);
    assert_int_equal(mcx_period_bounds(&start, &end, &late, 0), MCX_OK);
    assert_int_equal(start, 99);
    assert_int_equal(end, 199);
    no = 7;
    assert_int_equal(mcx_period_no(&no, &late, 98), MCX_E_ARG); /* before the first period */
    assert_int_equal(no, 7);
}

/* Period numbers run on through the end of an NTP era (2036-02-07T06:28:16Z). */
static void period_across_era(void **state)
{
    static const struct mcx_key_period p = { 2592000, 0 };
    uint64_t before = 0;
    uint64_t after = 0;

    (void)state;
    assert_int_equal(mcx_period_no(&before, &p, UINT32_MAX), MCX_OK);
    assert_int_equal(mcx_period_no(&after, &p, (UINT64_C(1) << 32) + p.length), MCX_OK);
    assert_int_equal(before, 1657);
    assert_int_equal(after, 1658);
}

static void period_invalid(void **state)
{
    static const struct mcx_key_period bad[] = { { 0, 0 }, { 10, 10 }, { 10, 11 } };
    uint8_t uid[MCX_UID_LEN];
    uint64_t a = 1;
    uint64_t b = 2;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(mcx_period_no(&a, &bad[i], 1000), MCX_E_ARG);
        assert_int_equal(mcx_period_bounds(&a, &b, &bad[i], 1), MCX_E_ARG);
        assert_int_equal(mcx_uid(uid, mcx_bytes_str("u"), mcx_bytes_str("k"), &bad[i], 1), MCX_E_ARG);
    }
    assert_int_equal(a, 1);
    assert_int_equal(b, 2);
}

static void period_overflow(void **state)
{
    static const struct mcx_key_period p = { UINT64_C(1) << 32, 5 };
    static const struct mcx_key_period second = { 1, 0 };
    uint64_t start = 1;
    uint64_t end = 2;
    uint64_t no = 0;

    (void)state;
    assert_int_equal(mcx_period_bounds(&start, &end, &p, UINT32_MAX), MCX_E_ARG);
    assert_int_equal(mcx_period_bounds(&start, &end, &p, UINT64_MAX), MCX_E_ARG);
    assert_int_equal(start, 1);
    assert_int_equal(end, 2);
    assert_int_equal(mcx_period_bounds(&start, &end, &p, UINT32_MAX - 1), MCX_OK);
    assert_int_equal(mcx_period_no(&no, &p, end - 1), MCX_OK);
    assert_int_equal(no, UINT32_MAX - 1);
    assert_int_equal(mcx_period_bounds(&start, &end, &second, UINT64_MAX - 1), MCX_OK);
    assert_int_equal(end, UINT64_MAX);
    assert_int_equal(mcx_period_bounds(&start, &end, &second, UINT64_MAX), MCX_E_ARG);
}

/* S spelt out: zero is one octet, 255 one, 256 two, 2^64-1 eight (TS 33.180 F.2.1.2). */
static void uid_integer_sizes(void **state)
{
    static const struct {
        uint64_t v;
        uint8_t octets[10]; /* Pn || Ln */
        size_t len;
    } rows[] = {
        { 0, { 0, 0, 1 }, 3 },           { 1, { 1, 0, 1 }, 3 },
        { 255, { 255, 0, 1 }, 3 },       { 256, { 1, 0, 0, 2 }, 4 },
        { 65536, { 1, 0, 0, 0, 3 }, 5 }, { UINT64_MAX, { 255, 255, 255, 255, 255, 255, 255, 255, 0, 8 }, 10 },
    };
    static const uint8_t head[] = "\0MIKEY-SAKKE-UID\0\x0f"
                                  "a\0\1"
                                  "bc\0\2"
                                  "\xff\xff\0\2" /* P3 */
                                  "\0\0\1";      /* P4 */
    struct mcx_key_period p = { 65535, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_bytes s[2] = { { head, sizeof head - 1 }, { rows[i].octets, rows[i].len } };
        uint8_t want[32];
        uint8_t uid[MCX_UID_LEN];

        assert_int_equal(mcx_sha256(want, s, 2), MCX_OK);
        assert_int_equal(mcx_uid(uid, mcx_bytes_str("a"), mcx_bytes_str("bc"), &p, rows[i].v), MCX_OK);
        assert_memory_equal(uid, want, sizeof uid);
    }
}

/* Hashed octet for octet: case, scheme and Unicode form make other identities. */
static void uid_is_octet_exact(void **state)
{
    static const char *const uris[] = { "sip:alice@x",  "SIP:alice@x",        "alice@x",
                                        "sip:alice@x ", "sip:alic\xc3\xa9@x", "sip:alice\xcc\x81@x" };
    struct mcx_key_period p = { 10, 0 };
    uint8_t uid[6][MCX_UID_LEN];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(mcx_uid(uid[i], mcx_bytes_str(uris[i]), mcx_bytes_str("k"), &p, 1), MCX_OK);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(uid[i], uid[k], MCX_UID_LEN);
        }
    }
}

static void uid_refuses_lengths(void **state)
{
    static uint8_t big[65536];
    struct mcx_key_period p = { 10, 0 };
    struct mcx_bytes one = mcx_bytes_str("x");
    uint8_t uid[MCX_UID_LEN] = { 9 };

    (void)state;
    memset(big, 'a', sizeof big);
    assert_int_equal(mcx_uid(uid, mcx_bytes(NULL, 0), one, &p, 1), MCX_E_ARG);
    assert_int_equal(mcx_uid(uid, one, mcx_bytes(NULL, 0), &p, 1), MCX_E_ARG);
    assert_int_equal(mcx_uid(uid, mcx_bytes(big, 65536), one, &p, 1), MCX_E_ARG);
    assert_int_equal(mcx_uid(uid, one, mcx_bytes(big, 65536), &p, 1), MCX_E_ARG);
    assert_int_equal(uid[0], 9);
    assert_int_equal(mcx_uid(uid, mcx_bytes(big, 65535), one, &p, 1), MCX_OK);
}

static void key_type_names(void **state)
{
    enum mcx_key_type type = MCX_KEY_GMK;

    (void)state;
    for (int i = 0; i < MCX_NUM_KEY_TYPES; i++) {
        const char *name = mcx_key_type_name((enum mcx_key_type)i);

        assert_non_null(name);
        assert_int_equal(mcx_key_type_read(&type, mcx_bytes_str(name)), MCX_OK);
        assert_int_equal(type, i);
    }
    assert_null(mcx_key_type_name((enum mcx_key_type)7));
    assert_int_equal(mcx_key_type_read(&type, mcx_bytes_str("msck")), MCX_OK);
    assert_int_equal(type, MCX_KEY_MSCCK);
    assert_int_equal(mcx_key_type_read(&type, mcx_bytes_str("PCK")), MCX_E_FORMAT);
    assert_int_equal(mcx_key_type_read(&type, mcx_bytes_str("")), MCX_E_FORMAT);
    assert_int_equal(type, MCX_KEY_MSCCK);
}

static void key_id_tags(void **state)
{
    enum mcx_key_type type = MCX_KEY_GMK;

    (void)state;
    for (uint32_t tag = 0; tag < 16; tag++) {
        mcx_err err = mcx_key_id_type(&type, tag << 28 | 0x0abcdef);

        assert_int_equal(err, tag < 7 ? MCX_OK : MCX_E_UNSUP);
        assert_int_equal(type, tag < 7 ? tag : 6);
    }
}

static void key_generate_tags_and_rng(void **state)
{
    (void)state;
    for (int i = 0; i < MCX_NUM_KEY_TYPES; i++) {
        struct fake_rng fake = { .seed = 5 };
        struct mcx_rng rng = fake_rng(&fake);
        struct mcx_key key[2];
        uint32_t id[2] = { 0 };

        assert_int_equal(mcx_key_generate(&key[0], &id[0], (enum mcx_key_type)i, &rng), MCX_OK);
        assert_int_equal(mcx_key_generate(&key[1], &id[1], (enum mcx_key_type)i, &rng), MCX_OK);
        assert_int_equal(id[0] >> 28, i);
        assert_int_equal(id[1] >> 28, i);
        assert_int_not_equal(id[0], id[1]);
        assert_memory_not_equal(key[0].octet, key[1].octet, MCX_KEY_LEN);
    }
}

static void key_generate_rng_fails(void **state)
{
    static const struct mcx_key zero;

    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        struct fake_rng fake = { .seed = 5, .fail_at = n };
        struct mcx_rng rng = fake_rng(&fake);
        struct mcx_key key = { { 1 } };
        uint32_t id = 77;

        assert_int_equal(mcx_key_generate(&key, &id, MCX_KEY_PCK, &rng), MCX_E_RNG);
        assert_memory_equal(&key, &zero, sizeof key);
        assert_int_equal(id, 77);
    }
}

static void guk_keeps_tag_and_refuses_nobody(void **state)
{
    static const struct mcx_key gmk = { { 3 } };
    uint32_t id = 1;

    (void)state;
    assert_int_equal(mcx_guk_id(&id, 0x5fffffff, &gmk, mcx_bytes_str("sip:a@b")), MCX_OK);
    assert_int_equal(id >> 28, 5);
    id = 1;
    assert_int_equal(mcx_guk_id(&id, 2, &gmk, mcx_bytes(NULL, 0)), MCX_E_ARG);
    assert_int_equal(id, 1);
}

static void derive_refusals(void **state)
{
    static const struct mcx_key k = { { 3 } };
    static const uint8_t rand[256] = { 0 };
    struct mcx_srtp_master m = { .salt = { 1 } };
    struct mcx_key out = { { 8 } };
    uint8_t buf[4];

    (void)state;
    assert_int_equal(mcx_srtp_master_derive(&m, &k, 0, 1, mcx_bytes(rand, 0)), MCX_E_ARG);
    assert_int_equal(mcx_srtp_master_derive(&m, &k, 0, 1, mcx_bytes(rand, 256)), MCX_E_ARG);
    assert_int_equal(m.salt[0], 1);
    assert_int_equal(mcx_srtp_master_derive(&m, &k, 0, 1, mcx_bytes(rand, 255)), MCX_OK);
    assert_int_equal(mcx_xml_key(&out, false, &k, mcx_bytes(NULL, 0), 1), MCX_E_ARG);
    assert_int_equal(out.octet[0], 8);
    assert_int_equal(mcx_mikey_prf(buf, sizeof buf, mcx_bytes(rand, 0), mcx_bytes(rand, 1)), MCX_E_ARG);
    assert_int_equal(mcx_mikey_prf(buf, 0, mcx_bytes(rand, 1), mcx_bytes(rand, 1)), MCX_E_ARG);
}

static void cs_id_table(void **state)
{
    static const struct mcx_cs_ids want[MCX_NUM_KEY_TYPES] = { { 1, { 4 } }, { 2, { 0, 1 } }, { 1, { 6 } },
                                                               { 1, { 6 } }, { 1, { 7 } },    { 1, { 7 } },
                                                               { 1, { 7 } } };

    (void)state;
    for (int i = 0; i < MCX_NUM_KEY_TYPES; i++) {
        struct mcx_cs_ids got = mcx_cs_ids((enum mcx_key_type)i);

        assert_int_equal(got.num, want[i].num);
        assert_memory_equal(got.id, want[i].id, sizeof got.id);
    }
    assert_int_equal(mcx_cs_ids((enum mcx_key_type)7).num, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(period_edges),
        cmocka_unit_test(period_smallest_and_first),
        cmocka_unit_test(period_across_era),
        cmocka_unit_test(period_invalid),
        cmocka_unit_test(period_overflow),
        cmocka_unit_test(uid_integer_sizes),
        cmocka_unit_test(uid_is_octet_exact),
        cmocka_unit_test(uid_refuses_lengths),
        cmocka_unit_test(key_type_names),
        cmocka_unit_test(key_id_tags),
        cmocka_unit_test(key_generate_tags_and_rng),
        cmocka_unit_test(key_generate_rng_fails),
        cmocka_unit_test(guk_keeps_tag_and_refuses_nobody),
        cmocka_unit_test(derive_refusals),
        cmocka_unit_test(cs_id_table),
    };

    return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
