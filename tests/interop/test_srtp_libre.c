/* SPDX-License-Identifier: Apache-2.0 */
/* libre's SRTP opens what we seal and the reverse; it knows no MKI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "io/libre.h"
#include "support/srtp_pair.h"

#define NUM_PACKETS  600
#define FIRST_SEQ    65300 /* SEQ wraps under way */
#define KEY_SALT_LEN (MCX_KEY_LEN + MCX_SRTP_SALT_LEN)

typedef int (*step)(struct srtp *srtp, struct mbuf *mb);

static struct srtp *peer_new(const struct pair *pair)
{
    uint8_t key_salt[KEY_SALT_LEN];
    struct srtp *peer = NULL;

    memcpy(key_salt, pair->master.key.octet, MCX_KEY_LEN);
    memcpy(key_salt + MCX_KEY_LEN, pair->master.salt, MCX_SRTP_SALT_LEN);
    assert_int_equal(srtp_alloc(&peer, SRTP_AES_128_GCM, key_salt, sizeof key_salt, 0), 0);
    return peer;
}

/* One packet through one of libre's functions; its error. */
static int peer_step(struct packet *out, step function, struct srtp *peer, const struct packet *in)
{
    struct mbuf *mb = mbuf_alloc(PAIR_PACKET_MAX);
    int err;

    assert_non_null(mb);
    assert_int_equal(mbuf_write_mem(mb, in->p, in->len), 0);
    mb->pos = 0;
    err = function(peer, mb);
    if (err == 0) {
        assert_true(mb->end <= sizeof out->p);
        memcpy(out->p, mb->buf, mb->end);
        out->len = mb->end;
    }
    mem_deref(mb);
    return err;
}

static void assert_same(const struct packet *a, const struct packet *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->p, b->p, a->len);
}

static void srtp_interop(void **state)
{
    struct pair pair;
    struct srtp *out;
    struct srtp *in;

    (void)state;
    pair_init(&pair, 0, 0, 1);
    out = peer_new(&pair);
    in = peer_new(&pair);
    for (uint32_t i = 0; i < NUM_PACKETS; i++) {
        struct packet plain = packet_rtp(PAIR_SSRC, (uint16_t)(FIRST_SEQ + i), 1 + i % 200);
        struct packet ours;
        struct packet theirs;
        struct packet got;

        assert_int_equal(pair_protect(&ours, &pair, &plain), MCX_OK);
        assert_int_equal(peer_step(&theirs, srtp_encrypt, out, &plain), 0);
        assert_same(&ours, &theirs);
        assert_int_equal(pair_unprotect(&got, &pair, &theirs), MCX_OK);
        assert_same(&got, &plain);
        assert_int_equal(peer_step(&got, srtp_decrypt, in, &ours), 0);
        assert_same(&got, &plain);
    }
    mem_deref(out);
    mem_deref(in);
    pair_clear(&pair);
}

static void srtcp_interop(void **state)
{
    struct pair pair;
    struct srtp *out;
    struct srtp *in;

    (void)state;
    pair_init(&pair, 0, 0, 1);
    out = peer_new(&pair);
    in = peer_new(&pair);
    for (size_t i = 0; i < 100; i++) {
        struct packet plain = packet_rtcp(PAIR_SSRC, 4 + 4 * (i % 30));
        struct packet ours;
        struct packet theirs;
        struct packet got;

        assert_int_equal(pair_protect_rtcp(&ours, &pair, &plain), MCX_OK);
        assert_int_equal(peer_step(&theirs, srtcp_encrypt, out, &plain), 0);
        assert_int_equal(pair_unprotect_rtcp(&got, &pair, &theirs), MCX_OK);
        assert_same(&got, &plain);
        assert_int_equal(peer_step(&got, srtcp_decrypt, in, &ours), 0);
        assert_same(&got, &plain);
    }
    mem_deref(out);
    mem_deref(in);
    pair_clear(&pair);
}

static void peer_refuses(void **state)
{
    struct pair pair;
    struct srtp *in;
    struct packet plain = packet_rtp(PAIR_SSRC, 5, 60);
    struct packet sealed;
    struct packet got;

    (void)state;
    pair_init(&pair, 0, 0, 1);
    in = peer_new(&pair);
    assert_int_equal(pair_protect(&sealed, &pair, &plain), MCX_OK);
    sealed.p[20] ^= 1;
    assert_int_not_equal(peer_step(&got, srtp_decrypt, in, &sealed), 0);
    assert_int_equal(pair_unprotect(&got, &pair, &sealed), MCX_E_AUTH);
    mem_deref(in);
    pair_clear(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srtp_interop),
        cmocka_unit_test(srtcp_interop),
        cmocka_unit_test(peer_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
