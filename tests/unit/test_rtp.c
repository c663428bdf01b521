/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/rtp.h>

#include "support/fake.h"
#include "support/vectors.h"

/* V P X CC | M PT | seq | ts | ssrc, then the rest */
#define FIXED "1234 decafbad cafebabe"

static void reads_and_writes(void **state)
{
    static const struct {
        const char *name, *hex;
        mcx_err want;
        size_t hdr_len, payload_len;
        uint8_t padding;
    } rows[] = {
        { "bare header", "80 61" FIXED, MCX_OK, 12, 0, 0 },
        { "marker and payload", "80 e1" FIXED "aabbcc", MCX_OK, 12, 3, 0 },
        { "two CSRC", "82 61" FIXED "00000001 00000002 aa", MCX_OK, 20, 1, 0 },
        { "extension of one word", "90 61" FIXED "bede 0001 10aa0000 aabb", MCX_OK, 20, 2, 0 },
        { "empty extension", "90 61" FIXED "bede 0000 aabb", MCX_OK, 16, 2, 0 },
        { "CSRC, extension, padding", "b1 61" FIXED "00000001 bede 0001 10aa0000 aabb 000003", MCX_OK, 24, 2, 3 },
        { "only padding", "a0 61" FIXED "0002", MCX_OK, 12, 0, 2 },
        { "empty", "", MCX_E_TRUNC, 0, 0, 0 },
        { "11 octets", "80 61 1234 decafbad cafeba", MCX_E_TRUNC, 0, 0, 0 },
        { "version 1", "40 61" FIXED, MCX_E_FORMAT, 0, 0, 0 },
        { "version 3", "c0 61" FIXED, MCX_E_FORMAT, 0, 0, 0 },
        { "CSRC past the end", "81 61" FIXED "000000", MCX_E_TRUNC, 0, 0, 0 },
        { "extension header past the end", "90 61" FIXED "bede00", MCX_E_TRUNC, 0, 0, 0 },
        { "extension past the end", "90 61" FIXED "bede 0001 10aa00", MCX_E_TRUNC, 0, 0, 0 },
        { "padding bit without padding", "a0 61" FIXED, MCX_E_TRUNC, 0, 0, 0 },
        { "padding count 0", "a0 61" FIXED "aa00", MCX_E_FORMAT, 0, 0, 0 },
        { "padding into the header", "a0 61" FIXED "aa03", MCX_E_FORMAT, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec in = vec_hex(rows[i].hex);
        struct mcx_rtp rtp = { .pt = 0x55 };
        uint8_t buf[64];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        size_t hdr_len = 0;

        assert_int_equal(mcx_rtp_read(&rtp, vec_bytes(&in)), rows[i].want);
        if (rows[i].want != MCX_OK) {
            assert_int_equal(rtp.pt, 0x55); /* output untouched */
            continue;
        }
        assert_int_equal(rtp.seq, 0x1234);
        assert_int_equal(rtp.ts, 0xdecafbad);
        assert_int_equal(rtp.ssrc, 0xcafebabe);
        assert_int_equal(rtp.pt, 97);
        assert_int_equal(rtp.payload.len, rows[i].payload_len);
        assert_int_equal(rtp.padding, rows[i].padding);
        assert_int_equal(mcx_rtp_header_len(&hdr_len, NULL, NULL, vec_bytes(&in)), MCX_OK);
        assert_int_equal(hdr_len, rows[i].hdr_len);
        assert_int_equal(mcx_rtp_write(&wr, &rtp), MCX_OK);
        assert_int_equal(wr.len, in.len);
        assert_memory_equal(buf, in.p, in.len);
        wr = mcx_wr(buf, in.len - 1);
        assert_int_equal(mcx_rtp_write(&wr, &rtp), MCX_E_SPACE);
        assert_int_equal(wr.len, 0);
    }
}

static void refuses_to_write(void **state)
{
    static const uint8_t octets[64] = { 0 };
    const struct mcx_rtp bad[] = {
        { .pt = 128 },
        { .csrc = { octets, 3 } },
        { .csrc = { octets, 64 } },
        { .has_ext = true, .ext = { octets, 5 } },
        { .has_ext = false, .ext = { octets, 4 } },
    };
    uint8_t buf[256];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(mcx_rtp_write(&wr, &bad[i]), MCX_E_ARG);
    }
    assert_int_equal(wr.len, 0);
}

static void source(void **state)
{
    struct fake_rng state_rng = { .script = { (const uint8_t *)"\1\2\3\4\5\6\7\10\377\377", 10 } };
    struct mcx_rng rng = fake_rng(&state_rng);
    struct mcx_rtp_source src;
    struct mcx_rtp rtp;
    uint8_t buf[64];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_bytes payload = mcx_bytes("speech", 6);
    uint32_t ts = 0;

    (void)state;
    assert_int_equal(mcx_rtp_source_init(&src, 128, &rng), MCX_E_ARG);
    assert_int_equal(mcx_rtp_source_init(&src, 97, &rng), MCX_OK);
    assert_int_equal(src.seq, 0x7fff);
    ts = src.ts;
    assert_int_equal(mcx_rtp_source_write(&src, &wr, payload, 320), MCX_OK);
    assert_int_equal(mcx_rtp_read(&rtp, mcx_wr_done(&wr)), MCX_OK);
    assert_true(rtp.marker);
    assert_int_equal(rtp.ts, ts);
    assert_true(mcx_bytes_equal(rtp.payload, payload));
    wr = mcx_wr(buf, 10);
    assert_int_equal(mcx_rtp_source_write(&src, &wr, payload, 320), MCX_E_SPACE);
    wr = mcx_wr(buf, sizeof buf);
    assert_int_equal(mcx_rtp_source_write(&src, &wr, payload, 320), MCX_OK);
    assert_int_equal(mcx_rtp_read(&rtp, mcx_wr_done(&wr)), MCX_OK);
    assert_false(rtp.marker);
    assert_int_equal(rtp.seq, 0x8000);
    assert_int_equal(rtp.ts, ts + 320);
    mcx_rtp_source_pause(&src, 3200);
    wr = mcx_wr(buf, sizeof buf);
    assert_int_equal(mcx_rtp_source_write(&src, &wr, payload, 320), MCX_OK);
    assert_int_equal(mcx_rtp_read(&rtp, mcx_wr_done(&wr)), MCX_OK);
    assert_true(rtp.marker);
    assert_int_equal(rtp.ts, ts + 640 + 3200);
    assert_int_equal(mcx_rtp_source_init(&src, 97, &rng), MCX_E_RNG);
    assert_int_equal(src.ts, ts + 960 + 3200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(refuses_to_write),
        cmocka_unit_test(source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
