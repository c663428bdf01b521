/* SPDX-License-Identifier: Apache-2.0 */
/* libsrtp opens what we seal and the reverse: with and without MKI, over a roll-over, SRTP and SRTCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <srtp2/srtp.h>

#include "support/srtp_pair.h"

#define NUM_PACKETS  1000
#define FIRST_SEQ    65000 /* SEQ wraps under way */
#define KEY_SALT_LEN (MCX_KEY_LEN + MCX_SRTP_SALT_LEN)

struct peer {
    unsigned char key_salt[KEY_SALT_LEN];
    unsigned char mki[MCX_SRTP_MKI_MAX];
    srtp_master_key_t key;
    srtp_master_key_t *keys[1];
    unsigned use_mki;
    srtp_t session;
};

static void peer_init(struct peer *peer, const struct pair *pair, srtp_ssrc_type_t direction)
{
    srtp_policy_t policy;

    memset(peer, 0, sizeof *peer);
    memset(&policy, 0, sizeof policy);
    memcpy(peer->key_salt, pair->master.key.octet, MCX_KEY_LEN);
    memcpy(peer->key_salt + MCX_KEY_LEN, pair->master.salt, MCX_SRTP_SALT_LEN);
    memcpy(peer->mki, pair->mki, sizeof peer->mki);
    peer->key.key = peer->key_salt;
    peer->key.mki_id = peer->mki;
    peer->key.mki_size = (unsigned)pair->params.mki.len;
    peer->keys[0] = &peer->key;
    peer->use_mki = pair->params.mki.len > 0;
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    policy.ssrc.type = direction;
    policy.window_size = 128;
    if (peer->use_mki) {
        policy.keys = peer->keys;
        policy.num_master_keys = 1;
    } else {
        policy.key = peer->key_salt;
    }
    assert_int_equal(srtp_create(&peer->session, &policy), srtp_err_status_ok);
}

static void assert_same(const struct packet *a, const struct packet *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->p, b->p, a->len);
}

static void srtp_both_ways(size_t mki_len)
{
    struct pair pair;
    struct peer out;
    struct peer in;

    pair_init(&pair, mki_len, 0, 1);
    peer_init(&out, &pair, ssrc_any_outbound);
    peer_init(&in, &pair, ssrc_any_inbound);
    for (uint32_t i = 0; i < NUM_PACKETS; i++) {
        struct packet plain = packet_rtp(PAIR_SSRC, (uint16_t)(FIRST_SEQ + i), i % 200);
        struct packet ours;
        struct packet theirs = plain;
        struct packet got;
        int len = (int)plain.len;

        assert_int_equal(pair_protect(&ours, &pair, &plain), MCX_OK);
        assert_int_equal(srtp_protect_mki(out.session, theirs.p, &len, out.use_mki, 0), srtp_err_status_ok);
        theirs.len = (size_t)len;
        assert_same(&ours, &theirs);
        if (i % 7 != 0) { /* some are lost, so that the receivers have to estimate */
            assert_int_equal(pair_unprotect(&got, &pair, &theirs), MCX_OK);
            assert_same(&got, &plain);
            len = (int)ours.len;
            assert_int_equal(srtp_unprotect_mki(in.session, ours.p, &len, in.use_mki), srtp_err_status_ok);
            ours.len = (size_t)len;
            assert_same(&ours, &plain);
        }
    }
    srtp_dealloc(out.session);
    srtp_dealloc(in.session);
    pair_clear(&pair);
}

static void srtp_with_and_without_mki(void **state)
{
    (void)state;
    srtp_both_ways(0);
    srtp_both_ways(4);
    srtp_both_ways(8);
}

static void srtcp_both_ways(size_t mki_len)
{
    struct pair pair;
    struct peer out;
    struct peer in;

    pair_init(&pair, mki_len, 0, 1);
    peer_init(&out, &pair, ssrc_any_outbound);
    peer_init(&in, &pair, ssrc_any_inbound);
    assert_int_equal(mcx_srtp_tx_set_rtcp_index(pair.tx, 1), MCX_OK); /* libsrtp begins with 1 */
    for (size_t i = 0; i < 100; i++) {
        struct packet plain = packet_rtcp(PAIR_SSRC, 4 * (i % 30));
        struct packet ours;
        struct packet theirs = plain;
        struct packet got;
        int len = (int)plain.len;

        assert_int_equal(pair_protect_rtcp(&ours, &pair, &plain), MCX_OK);
        assert_int_equal(srtp_protect_rtcp_mki(out.session, theirs.p, &len, out.use_mki, 0), srtp_err_status_ok);
        theirs.len = (size_t)len;
        assert_same(&ours, &theirs);
        assert_int_equal(pair_unprotect_rtcp(&got, &pair, &theirs), MCX_OK);
        assert_same(&got, &plain);
        len = (int)ours.len;
        assert_int_equal(srtp_unprotect_rtcp_mki(in.session, ours.p, &len, in.use_mki), srtp_err_status_ok);
        ours.len = (size_t)len;
        assert_same(&ours, &plain);
    }
    srtp_dealloc(out.session);
    srtp_dealloc(in.session);
    pair_clear(&pair);
}

static void srtcp_with_and_without_mki(void **state)
{
    (void)state;
    srtcp_both_ways(0);
    srtcp_both_ways(4);
    srtcp_both_ways(8);
}

/* libsrtp 2.5 does not know RCCm3: the ROC is cut off for it, and its own is read and put behind the packet. */
static void rcc_around_libsrtp(void **state)
{
    struct pair pair;
    struct peer out;
    struct peer in;

    (void)state;
    pair_init(&pair, 8, 1, 1);
    peer_init(&out, &pair, ssrc_any_outbound);
    peer_init(&in, &pair, ssrc_any_inbound);
    for (uint32_t i = 0; i < NUM_PACKETS; i++) {
        struct packet plain = packet_rtp(PAIR_SSRC, (uint16_t)(FIRST_SEQ + i), 61);
        struct packet ours;
        struct packet theirs = plain;
        struct packet got;
        uint32_t roc = 0;
        int len = (int)plain.len;

        assert_int_equal(pair_protect(&ours, &pair, &plain), MCX_OK);
        assert_int_equal(srtp_protect_mki(out.session, theirs.p, &len, 1, 0), srtp_err_status_ok);
        assert_int_equal(srtp_get_stream_roc(out.session, PAIR_SSRC, &roc), srtp_err_status_ok);
        for (size_t b = 0; b < 4; b++) {
            theirs.p[(size_t)len + b] = (uint8_t)(roc >> (24 - 8 * b));
        }
        theirs.len = (size_t)len + 4;
        assert_same(&ours, &theirs);
        if (i >= NUM_PACKETS / 2) { /* we join late, when the ROC is 0 no more: the packet tells it */
            assert_int_equal(pair_unprotect(&got, &pair, &theirs), MCX_OK);
            assert_same(&got, &plain);
        }
        len = (int)ours.len - 4;
        assert_int_equal(srtp_unprotect_mki(in.session, ours.p, &len, 1), srtp_err_status_ok);
    }
    srtp_dealloc(out.session);
    srtp_dealloc(in.session);
    pair_clear(&pair);
}

/* Both refuse the same things. */
static void both_refuse(void **state)
{
    struct pair pair;
    struct peer in;
    struct packet plain = packet_rtp(PAIR_SSRC, 100, 60);
    struct packet sealed;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    peer_init(&in, &pair, ssrc_any_inbound);
    assert_int_equal(pair_protect(&sealed, &pair, &plain), MCX_OK);
    for (size_t at = 0; at < sealed.len; at++) {
        struct packet bad = sealed;
        struct packet got;
        int len = (int)bad.len;

        bad.p[at] ^= 0x01;
        assert_int_not_equal(pair_unprotect(&got, &pair, &bad), MCX_OK);
        assert_int_not_equal(srtp_unprotect_mki(in.session, bad.p, &len, 1), srtp_err_status_ok);
    }
    for (size_t n = 0; n < 2; n++) { /* the genuine one, then its replay */
        struct packet again = sealed;
        struct packet got;
        int len = (int)again.len;

        assert_int_equal(pair_unprotect(&got, &pair, &sealed), n == 0 ? MCX_OK : MCX_E_REPLAY);
        assert_int_equal(srtp_unprotect_mki(in.session, again.p, &len, 1),
                         n == 0 ? srtp_err_status_ok : srtp_err_status_replay_fail);
    }
    srtp_dealloc(in.session);
    pair_clear(&pair);
}

static int start(void **state)
{
    (void)state;
    return srtp_init() == srtp_err_status_ok ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return srtp_shutdown() == srtp_err_status_ok ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srtp_with_and_without_mki),
        cmocka_unit_test(srtcp_with_and_without_mki),
        cmocka_unit_test(rcc_around_libsrtp),
        cmocka_unit_test(both_refuse),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
