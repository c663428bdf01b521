/* SPDX-License-Identifier: Apache-2.0 */
/* [v1] of media-srtp.txt: the packets of the first member under the GMK, made by him and opened by the two others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/group_media.h>

#include "support/fake.h"
#include "support/group.h"
#include "support/vectors.h"

#define FILE_NAME "media-srtp.txt"

static const char *const member[] = { "sip:p25user01@etherstack.com", "sip:p25user02@etherstack.co.jp",
                                      "sip:92100002447@att.com" };
static const uint32_t guk_id[] = { 0x01c8de7b, 0x0abe69d0, 0x0c449727 };

static void v1(void **state)
{
    static const uint16_t steps[] = { 0x1234, 0x9000, 0xf000, 0x1234 };
    static const uint8_t ssrc[] = { 0xca, 0xfe, 0xba, 0xbe };
    struct fake_rng rng_state = { .script = mcx_bytes(ssrc, sizeof ssrc) };
    struct mcx_rng rng = fake_rng(&rng_state);
    struct vec rtp = vec_get(FILE_NAME, "v1", "rtp");
    struct vec want[] = { vec_get(FILE_NAME, "v1", "roc0_srtp"), vec_get(FILE_NAME, "v1", "roc1_srtp") };
    struct mcx_group_keys *keys[3];
    struct mcx_group_tx *tx = NULL;
    uint8_t buf[256];
    size_t checked = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mcx_imessage m = group_msg(member[i], GROUP_GMK_ID, 0);

        assert_int_equal(m.csb_id, guk_id[i]);
        keys[i] = group_keys_with(&m);
    }
    assert_int_equal(mcx_group_tx_new(&tx, keys[0], GROUP_FIRE, group_time(1), &rng, NULL), MCX_OK);
    assert_int_equal(mcx_group_tx_ssrc(tx), 0xcafebabe);
    assert_int_equal(mcx_group_tx_key_id(tx), GROUP_GMK_ID);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct mcx_wr wr = mcx_wr(buf, sizeof buf);

        rtp.p[2] = (uint8_t)(steps[i] >> 8);
        rtp.p[3] = (uint8_t)steps[i];
        assert_int_equal(mcx_group_tx_protect(tx, &wr, vec_bytes(&rtp)), MCX_OK);
        if (steps[i] == 0x1234) {
            assert_int_equal(wr.len, want[checked].len);
            assert_memory_equal(buf, want[checked].p, wr.len);
            checked++;
        }
    }
    assert_int_equal(checked, 2);
    for (size_t i = 0; i < 3; i++) {
        struct mcx_group_rx *rx = NULL;
        struct mcx_group_speaker speaker;

        assert_int_equal(mcx_group_rx_new(&rx, keys[i], GROUP_FIRE, NULL), MCX_OK);
        for (size_t k = i == 2 ? 1 : 0; k < 2; k++) { /* the third comes late: ROC 1 is the first he hears */
            struct mcx_wr wr = mcx_wr(buf, sizeof buf);

            assert_int_equal(mcx_group_rx_open(rx, &wr, &speaker, vec_bytes(&want[k]), group_time(1), NULL), MCX_OK);
            assert_int_equal(wr.len, rtp.len);
            assert_memory_equal(buf, rtp.p, rtp.len);
            assert_int_equal(speaker.gmk_id, GROUP_GMK_ID);
            assert_int_equal(speaker.guk_id, guk_id[0]);
            assert_int_equal(speaker.ssrc, 0xcafebabe);
        }
        mcx_group_rx_free(rx);
        mcx_group_keys_free(keys[i]);
    }
    mcx_group_tx_free(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(v1) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
