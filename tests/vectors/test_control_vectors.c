/* SPDX-License-Identifier: Apache-2.0 */
/* Floor control under a CSK and an SPK: key, identifier and RAND to packet ([v2] and [v4] of media-srtp.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/control.h>

#include "support/fake.h"
#include "support/vectors.h"

#define MEDIA "media-srtp.txt"

static const uint8_t cafebabe[4] = { 0xca, 0xfe, 0xba, 0xbe }; /* SSRC of the packets */

static struct mcx_control *control_of(enum mcx_key_type type, const char *section, const char *key, uint32_t key_id,
                                      struct mcx_bytes ssrc)
{
    struct mcx_control_key k = { .type = type, .key_id = key_id, .rand_len = MCX_RAND_LEN };
    struct vec v = vec_get(MEDIA, section, key);
    struct vec rand = vec_get(MEDIA, section, "rand");
    struct fake_rng state = { .script = ssrc };
    struct mcx_rng rng = fake_rng(&state);
    struct mcx_control *c = NULL;

    memcpy(k.key.octet, v.p, sizeof k.key.octet);
    memcpy(k.rand, rand.p, k.rand_len);
    assert_int_equal(mcx_control_new(&c, &k, 1, &rng), MCX_OK);
    return c;
}

static void v2_csk(void **state)
{
    static const char *const sealed[] = { "index0_srtcp", "index1_srtcp" };
    static const uint8_t other[4] = { 1, 2, 3, 4 };
    struct mcx_control *tx = control_of(MCX_KEY_CSK, "v2", "csk", 0x2ddd5bf0, mcx_bytes(cafebabe, 4));
    struct mcx_control *rx = control_of(MCX_KEY_CSK, "v2", "csk", 0x2ddd5bf0, mcx_bytes(other, 4));
    struct vec plain = vec_get(MEDIA, "v2", "rtcp");

    (void)state;
    assert_int_equal(mcx_control_ssrc(tx), 0xcafebabe);
    for (size_t i = 0; i < 2; i++) {
        struct vec want = vec_get(MEDIA, "v2", sealed[i]);
        struct mcx_rd rd = mcx_rd(vec_bytes(&want));
        uint8_t buf[64];
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);

        assert_int_equal(mcx_control_protect(tx, &wr, vec_bytes(&plain)), MCX_OK);
        assert_int_equal(wr.len, want.len);
        assert_memory_equal(buf, want.p, want.len);
        wr = mcx_wr(buf, sizeof buf);
        assert_int_equal(mcx_control_take(rx, &wr, &rd, NULL), MCX_OK);
        assert_int_equal(wr.len, plain.len);
        assert_memory_equal(buf, plain.p, plain.len);
    }
    mcx_control_free(tx);
    mcx_control_free(rx);
}

/* The vector ends at the master key (and its identifier has the tag of a PCK); the packet is made by the SRTCP context,
 * which has vectors of its own. */
static void v4_spk(void **state)
{
    struct mcx_control *tx = control_of(MCX_KEY_SPK, "v4", "key", 0x1c5f7886, mcx_bytes(cafebabe, 4));
    struct mcx_srtp_master master;
    struct vec plain = vec_get(MEDIA, "v2", "rtcp");
    struct vec key = vec_get(MEDIA, "v4", "master_key");
    struct vec salt = vec_get(MEDIA, "v4", "master_salt");
    struct vec mki = vec_get(MEDIA, "v4", "csb_id");
    struct mcx_srtp_params params = { .master = &master, .mki = vec_bytes(&mki) };
    struct mcx_srtp_tx *srtp = NULL;
    uint8_t want[64];
    uint8_t got[64];
    struct mcx_wr want_wr = mcx_wr(want, sizeof want);
    struct mcx_wr got_wr = mcx_wr(got, sizeof got);

    (void)state;
    memcpy(master.key.octet, key.p, sizeof master.key.octet);
    memcpy(master.salt, salt.p, sizeof master.salt);
    assert_int_equal(mcx_srtp_tx_new(&srtp, &params), MCX_OK);
    assert_int_equal(mcx_srtcp_protect(srtp, &want_wr, vec_bytes(&plain)), MCX_OK);
    assert_int_equal(mcx_control_protect(tx, &got_wr, vec_bytes(&plain)), MCX_OK);
    assert_int_equal(got_wr.len, want_wr.len);
    assert_memory_equal(got, want, want_wr.len);
    mcx_srtp_tx_free(srtp);
    mcx_control_free(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(v2_csk), cmocka_unit_test(v4_spk) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
