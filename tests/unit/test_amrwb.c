/* SPDX-License-Identifier: Apache-2.0 */
/* The AMR-WB payload of RFC 4867: both forms, bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/amrwb.h>

#include "support/fake.h"
#include "support/vectors.h"

static void sizes(void **state)
{
    static const uint16_t bits[] = { 132, 177, 253, 285, 317, 365, 397, 461, 477, 40 }; /* TS 26.201 table 2 */
    size_t num = 1;

    (void)state;
    for (uint8_t ft = 0; ft < sizeof bits / sizeof bits[0]; ft++) {
        assert_int_equal(mcx_amrwb_num_bits(&num, ft), MCX_OK);
        assert_int_equal(num, bits[ft]);
    }
    for (uint8_t ft = 10; ft < 14; ft++) {
        assert_int_equal(mcx_amrwb_num_bits(&num, ft), MCX_E_UNSUP);
    }
    assert_int_equal(mcx_amrwb_num_bits(&num, 16), MCX_E_UNSUP);
    assert_int_equal(mcx_amrwb_num_bits(&num, 15), MCX_OK);
    assert_int_equal(num, 0);
}

/* CMR 4 | F FT Q 6 | bits, written out by hand from the figures of RFC 4867 4.3.5 and 4.4.5 */
static void by_hand(void **state)
{
    static const struct {
        const char *name, *hex;
        bool octet_align;
        mcx_err want;
        uint8_t cmr;
        size_t num_frames;
        uint8_t ft, last_ft;
    } rows[] = {
        /* 1111 0 1111 1 000000 */
        { "no data", "f7c0", false, MCX_OK, 15, 1, 15, 15 },
        { "no data, aligned", "f07c", true, MCX_OK, 15, 1, 15, 15 },
        /* 0001 0 1001 1 then 40 bits = abcdef0123, 6 bits padding */
        { "SID, CMR 1", "14eaf37bc048c0", false, MCX_OK, 1, 1, 9, 9 },
        { "SID, CMR 1, aligned", "104cabcdef0123", true, MCX_OK, 1, 1, 9, 9 },
        /* 1111 1 1110 1 0 1111 0 then nothing */
        { "lost and damaged no data", "ff5e", false, MCX_OK, 15, 2, 14, 15 },
        { "lost and damaged no data, aligned", "f0f478", true, MCX_OK, 15, 2, 14, 15 },
        { "reserved CMR 9 is none", "97c0", false, MCX_OK, 15, 1, 15, 15 },
        { "empty", "", false, MCX_E_TRUNC, 0, 0, 0, 0 },
        { "CMR only", "f0", true, MCX_E_TRUNC, 0, 0, 0, 0 },
        { "entry cut", "f7", false, MCX_E_TRUNC, 0, 0, 0, 0 },
        { "SID cut", "14eaf37bc048", false, MCX_E_TRUNC, 0, 0, 0, 0 },
        { "SID cut, aligned", "104cabcdef01", true, MCX_E_TRUNC, 0, 0, 0, 0 },
        { "octet behind", "f7c000", false, MCX_E_TRAILING, 0, 0, 0, 0 },
        { "octet behind, aligned", "f07c00", true, MCX_E_TRAILING, 0, 0, 0, 0 },
        { "second entry missing", "f0fc", true, MCX_E_TRUNC, 0, 0, 0, 0 },
        { "type 10", "f54000", false, MCX_E_UNSUP, 0, 0, 0, 0 },
        { "type 13, aligned", "f06c00", true, MCX_E_UNSUP, 0, 0, 0, 0 },
        { "17 frames", "f0fcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfc7c", true, MCX_E_UNSUP, 0, 0, 0, 0 },
        { "16 frames", "f0fcfcfcfcfcfcfcfcfcfcfcfcfcfcfc7c", true, MCX_OK, 15, 16, 15, 15 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec in = vec_hex(rows[i].hex);
        struct mcx_amrwb_payload got = { .cmr = 77 };
        mcx_err err = mcx_amrwb_read(&got, vec_bytes(&in), rows[i].octet_align);

        if (err != rows[i].want) {
            print_error("row '%s'\n", rows[i].name);
        }
        assert_int_equal(err, rows[i].want);
        if (err != MCX_OK) {
            assert_int_equal(got.cmr, 77);
            continue;
        }
        assert_int_equal(got.cmr, rows[i].cmr);
        assert_int_equal(got.num_frames, rows[i].num_frames);
        assert_int_equal(got.frame[0].ft, rows[i].ft);
        assert_int_equal(got.frame[got.num_frames - 1].ft, rows[i].last_ft);
        if (got.frame[0].ft == MCX_AMRWB_FT_SID) {
            assert_memory_equal(got.frame[0].bits, "\xab\xcd\xef\x01\x23\x00", 6);
        }
    }
}

static struct mcx_amrwb_payload random_payload(struct fake_rng *state)
{
    struct mcx_rng rng = fake_rng(state);
    struct mcx_amrwb_payload v;
    uint8_t draw[2 + MCX_AMRWB_NUM_FRAMES_MAX];

    memset(&v, 0, sizeof v);
    assert_int_equal(mcx_rng_fill(&rng, draw, sizeof draw), MCX_OK);
    v.cmr = draw[0] % 10 == 9 ? MCX_AMRWB_CMR_NONE : draw[0] % 10;
    v.num_frames = 1 + draw[1] % MCX_AMRWB_NUM_FRAMES_MAX;
    for (size_t i = 0; i < v.num_frames; i++) {
        struct mcx_amrwb_frame *f = &v.frame[i];
        size_t num = 0;

        f->ft = draw[2 + i] % 12;
        f->ft = f->ft > 9 ? f->ft + 4 : f->ft;
        f->quality = draw[2 + i] < 128;
        assert_int_equal(mcx_amrwb_num_bits(&num, f->ft), MCX_OK);
        assert_int_equal(mcx_rng_fill(&rng, f->bits, (num + 7) / 8), MCX_OK);
        if (num % 8 != 0) {
            f->bits[num / 8] &= (uint8_t)(0xff << (8 - num % 8));
        }
    }
    return v;
}

static void round_trip(void **state)
{
    struct fake_rng rng = { .seed = 4867 };

    (void)state;
    for (size_t i = 0; i < 400; i++) {
        struct mcx_amrwb_payload in = random_payload(&rng);
        struct mcx_amrwb_payload back;
        uint8_t buf[MCX_AMRWB_PAYLOAD_MAX];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);
        bool octet_align = i % 2 == 1;
        size_t len = 0;

        assert_int_equal(mcx_amrwb_write(&wr, &in, octet_align), MCX_OK);
        memset(&back, 0, sizeof back);
        assert_int_equal(mcx_amrwb_read(&back, mcx_wr_done(&wr), octet_align), MCX_OK);
        assert_int_equal(back.cmr, in.cmr);
        assert_int_equal(back.num_frames, in.num_frames);
        for (size_t f = 0; f < in.num_frames; f++) {
            assert_int_equal(back.frame[f].ft, in.frame[f].ft);
            assert_int_equal(back.frame[f].quality, in.frame[f].quality);
            assert_memory_equal(back.frame[f].bits, in.frame[f].bits, sizeof in.frame[f].bits);
        }
        len = wr.len;
        wr = mcx_wr(buf, len - 1);
        assert_int_equal(mcx_amrwb_write(&wr, &in, octet_align), MCX_E_SPACE);
        assert_int_equal(wr.len, 0);
    }
}

/* One frame of 23.85 kbit/s: 10 + 477 bits = 61 octets, or 2 + 60 */
static void lengths(void **state)
{
    struct mcx_amrwb_payload v = { .cmr = MCX_AMRWB_CMR_NONE, .num_frames = 1 };
    uint8_t buf[MCX_AMRWB_PAYLOAD_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    (void)state;
    v.frame[0] = (struct mcx_amrwb_frame){ .ft = MCX_AMRWB_FT_23_85, .quality = true };
    assert_int_equal(mcx_amrwb_write(&wr, &v, false), MCX_OK);
    assert_int_equal(wr.len, 61);
    wr.len = 0;
    assert_int_equal(mcx_amrwb_write(&wr, &v, true), MCX_OK);
    assert_int_equal(wr.len, 62);
    v.num_frames = 0;
    assert_int_equal(mcx_amrwb_write(&wr, &v, true), MCX_E_ARG);
    v.num_frames = MCX_AMRWB_NUM_FRAMES_MAX + 1;
    assert_int_equal(mcx_amrwb_write(&wr, &v, true), MCX_E_ARG);
    v.num_frames = 1;
    v.cmr = 9;
    assert_int_equal(mcx_amrwb_write(&wr, &v, true), MCX_E_ARG);
    v.cmr = 8;
    v.frame[0].ft = 12;
    assert_int_equal(mcx_amrwb_write(&wr, &v, true), MCX_E_ARG);
    assert_int_equal(wr.len, 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
