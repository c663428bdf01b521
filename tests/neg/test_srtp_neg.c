/* SPDX-License-Identifier: Apache-2.0 */
/* Flipped, cut, repeated, old, forged and foreign packets are refused with the right code and move no state. */
#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS, MAP_NORESERVE */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include <mcx/srtp.h>

#include "media/srtp_packet.h"
#include "support/srtp_pair.h"

#define PAYLOAD 60
#define WINDOW  128

static struct packet sealed(struct pair *pair, uint16_t seq)
{
    struct packet plain = packet_rtp(PAIR_SSRC, seq, PAYLOAD);
    struct packet out;

    assert_int_equal(pair_protect(&out, pair, &plain), MCX_OK);
    return out;
}

static void assert_opens(struct pair *pair, const struct packet *in, uint16_t seq)
{
    struct packet plain = packet_rtp(PAIR_SSRC, seq, PAYLOAD);
    struct packet got;

    assert_int_equal(pair_unprotect(&got, pair, in), MCX_OK);
    assert_int_equal(got.len, plain.len);
    assert_memory_equal(got.p, plain.p, plain.len);
}

static void assert_refused(struct pair *pair, const struct packet *in, mcx_err want)
{
    struct packet got;

    assert_int_equal(pair_unprotect(&got, pair, in), want);
}

static void every_flipped_bit(void **state)
{
    static const struct {
        size_t mki_len;
        uint16_t rate;
    } rows[] = { { 0, 0 }, { 4, 0 }, { 8, 1 } };

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct pair pair;
        struct packet first;
        struct packet second;

        pair_init(&pair, rows[r].mki_len, rows[r].rate, 1);
        first = sealed(&pair, 100);
        second = sealed(&pair, 101);
        for (size_t bit = 0; bit < first.len * 8; bit++) {
            struct packet bad = first;
            struct packet got;

            bad.p[bit / 8] = (uint8_t)(bad.p[bit / 8] ^ 1u << bit % 8);
            assert_int_not_equal(pair_unprotect(&got, &pair, &bad), MCX_OK);
        }
        assert_opens(&pair, &first, 100);
        for (size_t bit = 0; bit < second.len * 8; bit++) { /* now with a stream that exists */
            struct packet bad = second;
            struct packet got;

            bad.p[bit / 8] = (uint8_t)(bad.p[bit / 8] ^ 1u << bit % 8);
            assert_int_not_equal(pair_unprotect(&got, &pair, &bad), MCX_OK);
        }
        assert_opens(&pair, &second, 101);
        pair_clear(&pair);
    }
}

static void every_length(void **state)
{
    struct pair pair;
    struct packet whole;

    (void)state;
    pair_init(&pair, 4, 1, 1);
    whole = sealed(&pair, 7);
    for (size_t len = 0; len < whole.len; len++) {
        struct packet bad = whole;
        struct packet got;

        bad.len = len;
        assert_int_not_equal(pair_unprotect(&got, &pair, &bad), MCX_OK);
        if (len < 12 + 16 + 4 + 4) {
            assert_refused(&pair, &bad, MCX_E_TRUNC);
        }
    }
    whole.len++; /* one more octet moves MKI and ROC */
    assert_refused(&pair, &whole, MCX_E_NOKEY);
    whole.len--;
    assert_opens(&pair, &whole, 7);
    pair_clear(&pair);
}

static void rtcp_flipped_cut_replayed(void **state)
{
    struct pair pair;
    struct packet plain = packet_rtcp(PAIR_SSRC, 12);
    struct packet first;
    struct packet got;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    assert_int_equal(pair_protect_rtcp(&first, &pair, &plain), MCX_OK);
    for (size_t bit = 0; bit < first.len * 8; bit++) {
        struct packet bad = first;

        bad.p[bit / 8] = (uint8_t)(bad.p[bit / 8] ^ 1u << bit % 8);
        assert_int_not_equal(pair_unprotect_rtcp(&got, &pair, &bad), MCX_OK);
    }
    for (size_t len = 0; len < first.len; len++) {
        struct packet bad = first;

        bad.len = len;
        assert_int_not_equal(pair_unprotect_rtcp(&got, &pair, &bad), MCX_OK);
    }
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &first), MCX_OK);
    assert_memory_equal(got.p, plain.p, plain.len);
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &first), MCX_E_REPLAY);
    pair_clear(&pair);
}

/* E = 0: refused also when somebody who has the key sends it with a good tag (RFC 7714 9.3). */
static void rtcp_unencrypted(void **state)
{
    struct pair pair;
    struct packet in = packet_rtcp(PAIR_SSRC, 12);
    struct packet got;
    struct srtp_cipher cipher;
    uint8_t nonce[SRTP_NONCE_LEN];
    uint8_t tag[SRTP_TAG_LEN];
    size_t plain_len = in.len;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    assert_int_equal(mcx_srtp_cipher_derive(&cipher, &pair.master, SRTP_LABEL_RTCP_KEY, SRTP_LABEL_RTCP_SALT), MCX_OK);
    mcx_srtcp_nonce(nonce, &cipher, PAIR_SSRC, 9);
    memcpy(in.p + plain_len, "\0\0\0\011", 4); /* the word, for the moment before the tag */
    assert_int_equal(mcx_gcm_seal(cipher.gcm, tag, tag, nonce, mcx_bytes(in.p, plain_len + 4), mcx_bytes(NULL, 0)),
                     MCX_OK);
    memmove(in.p + plain_len + SRTP_TAG_LEN, in.p + plain_len, 4);
    memcpy(in.p + plain_len, tag, SRTP_TAG_LEN);
    memcpy(in.p + plain_len + SRTP_TAG_LEN + 4, pair.mki, 4);
    in.len = plain_len + SRTP_TAG_LEN + 4 + 4;
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &in), MCX_E_POLICY);
    mcx_srtp_cipher_clear(&cipher);
    pair_clear(&pair);
}

static void rtcp_window_and_order(void **state)
{
    struct pair pair;
    struct packet plain = packet_rtcp(PAIR_SSRC, 12);
    static struct packet sent[WINDOW + 2];
    struct packet got;

    (void)state;
    pair_init(&pair, 8, 1, 1);
    for (size_t i = 0; i < WINDOW + 2; i++) {
        assert_int_equal(pair_protect_rtcp(&sent[i], &pair, &plain), MCX_OK);
    }
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &sent[WINDOW]), MCX_OK);
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &sent[0]), MCX_E_REPLAY); /* 128 behind */
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &sent[1]), MCX_OK);       /* 127 behind */
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &sent[1]), MCX_E_REPLAY);
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &sent[WINDOW + 1]), MCX_OK);
    assert_int_equal(pair_unprotect_rtcp(&got, &pair, &sent[WINDOW]), MCX_E_REPLAY);
    pair_clear(&pair);
}

static void rtp_window_edges(void **state)
{
    struct pair pair;
    static struct packet sent[WINDOW + 70];

    (void)state;
    pair_init(&pair, 4, 0, 1);
    for (uint16_t i = 0; i < WINDOW + 70; i++) {
        sent[i] = sealed(&pair, i);
    }
    assert_opens(&pair, &sent[WINDOW], WINDOW);
    assert_refused(&pair, &sent[WINDOW], MCX_E_REPLAY);
    assert_refused(&pair, &sent[0], MCX_E_REPLAY);
    assert_opens(&pair, &sent[1], 1);
    assert_refused(&pair, &sent[1], MCX_E_REPLAY);
    assert_opens(&pair, &sent[64], 64);
    assert_opens(&pair, &sent[65], 65);
    assert_opens(&pair, &sent[WINDOW + 64], WINDOW + 64); /* shift by a whole word */
    assert_refused(&pair, &sent[64], MCX_E_REPLAY);
    assert_refused(&pair, &sent[65], MCX_E_REPLAY);
    assert_refused(&pair, &sent[WINDOW], MCX_E_REPLAY);
    assert_opens(&pair, &sent[66], 66);
    assert_opens(&pair, &sent[WINDOW + 65], WINDOW + 65); /* by one */
    assert_refused(&pair, &sent[66], MCX_E_REPLAY);
    assert_opens(&pair, &sent[WINDOW + 63], WINDOW + 63);
    pair_clear(&pair);
}

static void roll_over(void **state)
{
    struct pair pair;
    struct packet a;
    struct packet b;
    struct packet c;
    struct packet late;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    a = sealed(&pair, 65533);
    late = sealed(&pair, 65535);
    b = sealed(&pair, 0); /* ROC 1 */
    c = sealed(&pair, 3);
    assert_opens(&pair, &a, 65533);
    assert_opens(&pair, &b, 0);
    assert_opens(&pair, &late, 65535); /* of ROC 0, after the wrap */
    assert_refused(&pair, &late, MCX_E_REPLAY);
    assert_refused(&pair, &a, MCX_E_REPLAY);
    assert_opens(&pair, &c, 3);
    pair_clear(&pair);
}

/* RFC 3711 3.3.1 would give ROC -1: nothing that old exists. */
static void before_the_beginning(void **state)
{
    struct pair pair;
    struct packet a;
    struct packet b;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    a = sealed(&pair, 10);
    pair_new_tx(&pair, 0);
    b = sealed(&pair, 60000);
    assert_opens(&pair, &a, 10);
    assert_refused(&pair, &b, MCX_E_REPLAY);
    pair_clear(&pair);
}

static void late_join(void **state)
{
    struct pair pair;
    struct packet in;

    (void)state;
    pair_init(&pair, 8, 1, 1); /* with the ROC in the packet */
    pair_new_tx(&pair, 7);
    in = sealed(&pair, 500);
    assert_opens(&pair, &in, 500);
    in = sealed(&pair, 501);
    assert_opens(&pair, &in, 501);
    pair_clear(&pair);

    pair_init(&pair, 4, 0, 1); /* without: only when told */
    pair_new_tx(&pair, 7);
    in = sealed(&pair, 500);
    assert_refused(&pair, &in, MCX_E_AUTH);
    mcx_srtp_rx_set_roc(pair.rx, 7);
    assert_opens(&pair, &in, 500);
    pair_clear(&pair);
}

/* R = 4: three packets of four have no ROC; the first with one opens the stream (RFC 4771 2) */
static void roc_in_every_fourth(void **state)
{
    struct pair pair;
    struct packet in;

    (void)state;
    pair_init(&pair, 8, 4, 1);
    pair_new_tx(&pair, 9);
    in = sealed(&pair, 41);
    assert_int_equal(in.len, 12 + PAYLOAD + 16 + 8);
    assert_refused(&pair, &in, MCX_E_AUTH);
    in = sealed(&pair, 44);
    assert_int_equal(in.len, 12 + PAYLOAD + 16 + 8 + 4);
    assert_opens(&pair, &in, 44);
    in = sealed(&pair, 45);
    assert_opens(&pair, &in, 45);
    pair_clear(&pair);
}

static struct packet with_roc(const struct packet *in, uint32_t roc)
{
    struct packet out = *in;

    for (size_t i = 0; i < 4; i++) {
        out.p[out.len - 4 + i] = (uint8_t)(roc >> (24 - 8 * i));
    }
    return out;
}

/* libsrtp keeps a forged ROC pending and then drops the next genuine packet: that must not happen here. */
static void forged_roc(void **state)
{
    static const uint32_t forged[] = { 0, 4, 6, 7, 0x7fffffff, 0xffffffff };
    struct pair pair;
    struct packet in;

    (void)state;
    pair_init(&pair, 8, 1, 1);
    pair_new_tx(&pair, 5);
    in = sealed(&pair, 1000);
    assert_opens(&pair, &in, 1000);
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        uint16_t seq = (uint16_t)(1001 + i);
        struct packet bad;
        struct packet got;

        in = sealed(&pair, seq);
        bad = with_roc(&in, forged[i]);
        assert_int_not_equal(pair_unprotect(&got, &pair, &bad), MCX_OK);
        assert_opens(&pair, &in, seq);
    }
    pair_clear(&pair);
}

/* A sender that jumps ahead in ROC is followed; its recorded old packets do not roll the state back. */
static void roc_jump_and_rollback(void **state)
{
    struct pair pair;
    struct packet old;
    struct packet older;
    struct packet in;

    (void)state;
    pair_init(&pair, 8, 1, 1);
    older = sealed(&pair, 200);
    old = sealed(&pair, 201);
    assert_opens(&pair, &older, 200);
    pair_new_tx(&pair, 3);
    in = sealed(&pair, 100);
    assert_opens(&pair, &in, 100);
    assert_refused(&pair, &old, MCX_E_REPLAY); /* never seen, good tag, but behind the window */
    assert_refused(&pair, &older, MCX_E_REPLAY);
    in = sealed(&pair, 101);
    assert_opens(&pair, &in, 101);
    pair_clear(&pair);
}

static void foreign_mki(void **state)
{
    struct pair pair;
    struct packet in;
    struct packet bad;
    struct mcx_bytes mki;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    in = sealed(&pair, 1);
    assert_int_equal(mcx_srtp_mki_read(&mki, packet_bytes(&in), 4, 0), MCX_OK);
    assert_true(mcx_bytes_equal(mki, pair.params.mki));
    assert_int_equal(mcx_srtp_mki_read(&mki, packet_bytes(&in), 5, 0), MCX_E_ARG);
    for (size_t i = 0; i < 4; i++) {
        bad = in;
        bad.p[bad.len - 1 - i] ^= 0x80;
        assert_refused(&pair, &bad, MCX_E_NOKEY);
    }
    assert_opens(&pair, &in, 1);
    pair_clear(&pair);
}

static void ssrc_table_bound(void **state)
{
    struct pair pair;
    struct packet plain;
    struct packet in[3];
    struct packet got;

    (void)state;
    pair_init(&pair, 4, 0, 2);
    for (uint32_t i = 0; i < 3; i++) {
        pair_new_tx(&pair, 0);
        plain = packet_rtp(PAIR_SSRC + i, 1, PAYLOAD);
        assert_int_equal(pair_protect(&in[i], &pair, &plain), MCX_OK);
    }
    for (uint32_t i = 0; i < 100; i++) { /* forged SSRCs take no room */
        struct packet bad = in[0];

        bad.p[11] = (uint8_t)i;
        if (bad.p[11] != in[0].p[11]) {
            assert_refused(&pair, &bad, MCX_E_AUTH);
        }
    }
    assert_int_equal(pair_unprotect(&got, &pair, &in[0]), MCX_OK);
    assert_int_equal(pair_unprotect(&got, &pair, &in[1]), MCX_OK);
    assert_refused(&pair, &in[2], MCX_E_POLICY);
    assert_refused(&pair, &in[1], MCX_E_REPLAY);
    pair_clear(&pair);
}

/*
 * RFC 3711 3.3.1 at its edges: after (roc, s_l) the packet seq belongs to one ROC. Sealed under that one it opens, or
 * is behind the window; sealed under a neighbour it never opens.
 */
static void roc_estimate_edges(void **state)
{
    static const struct {
        uint32_t roc;
        uint16_t s_l, seq;
        uint32_t belongs;
        mcx_err want; /* under that ROC */
    } rows[] = {
        { 1, 100, 100 + 0x7fff, 1, MCX_OK },
        { 1, 100, 100 + 0x8000, 1, MCX_OK }, /* SEQ - s_l = 2^15: same ROC */
        { 1, 0x7fff, 0xffff, 1, MCX_OK },
        { 1, 10, 65530, 0, MCX_OK },
        { 1, 100, 100 + 0x8001, 0, MCX_E_REPLAY },
        { 1, 0x8005, 5, 1, MCX_E_REPLAY }, /* s_l - 2^15 = SEQ: same ROC */
        { 1, 0x8005, 4, 2, MCX_OK },
        { 1, 0xffff, 0, 2, MCX_OK },
        { 1, 0xffff, 0x7ffe, 2, MCX_OK },
        { 1, 0xffff, 0x7fff, 1, MCX_E_REPLAY },
        { 0, 0xffff, 0, 1, MCX_OK },
        { 0xffffffff, 5, 6, 0xffffffff, MCX_OK },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint32_t other = 0; other < 3; other++) { /* the neighbours first, they move nothing; then the right one */
            static const uint32_t away[] = { 1, UINT32_MAX, 0 };
            uint32_t roc = rows[i].belongs + away[other];
            struct pair pair;
            struct packet in, got;
            mcx_err err;

            pair_init(&pair, 4, 0, 1);
            pair_new_tx(&pair, rows[i].roc);
            mcx_srtp_rx_set_roc(pair.rx, rows[i].roc);
            in = sealed(&pair, rows[i].s_l);
            assert_opens(&pair, &in, rows[i].s_l);
            pair_new_tx(&pair, roc);
            in = sealed(&pair, rows[i].seq);
            err = pair_unprotect(&got, &pair, &in);
            if (other == 2 ? err != rows[i].want : err != MCX_E_AUTH && err != MCX_E_REPLAY) {
                fail_msg("row %zu, ROC %u: %s", i, (unsigned)roc, mcx_err_name(err));
            }
            pair_clear(&pair);
        }
    }
}

/* With ROC 2^32 - 1 no packet belongs to the next one, with ROC 0 none to the one before. */
static void roc_has_ends(void **state)
{
    struct pair pair;
    struct packet in;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    pair_new_tx(&pair, UINT32_MAX);
    mcx_srtp_rx_set_roc(pair.rx, UINT32_MAX);
    in = sealed(&pair, 65535);
    assert_opens(&pair, &in, 65535);
    pair_new_tx(&pair, 0);
    in = sealed(&pair, 0);
    assert_refused(&pair, &in, MCX_E_REPLAY);
    pair_new_rx(&pair, 1);
    pair_new_tx(&pair, 0);
    in = sealed(&pair, 5);
    assert_opens(&pair, &in, 5);
    pair_new_tx(&pair, UINT32_MAX);
    in = sealed(&pair, 65535);
    assert_refused(&pair, &in, MCX_E_REPLAY);
    pair_clear(&pair);
}

static void sender_never_repeats(void **state)
{
    static const uint16_t refused[] = { 1000, 999, 0, (uint16_t)(1000 + 0x8000) };
    struct pair pair;
    struct packet plain;
    struct packet out;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    (void)sealed(&pair, 1000);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        plain = packet_rtp(PAIR_SSRC, refused[i], PAYLOAD);
        assert_int_equal(pair_protect(&out, &pair, &plain), MCX_E_STATE);
    }
    plain = packet_rtp(PAIR_SSRC + 1, 1001, PAYLOAD);
    assert_int_equal(pair_protect(&out, &pair, &plain), MCX_E_STATE);
    assert_int_equal(mcx_srtp_tx_set_roc(pair.tx, 1), MCX_E_STATE);
    (void)sealed(&pair, 1000 + 0x7fff);
    plain = packet_rtcp(PAIR_SSRC, 12);
    assert_int_equal(pair_protect_rtcp(&out, &pair, &plain), MCX_OK);
    plain = packet_rtcp(PAIR_SSRC + 1, 12);
    assert_int_equal(pair_protect_rtcp(&out, &pair, &plain), MCX_E_STATE);
    pair_clear(&pair);
}

/* RFC 3711 9.2: either limit ends the life of the master key */
static void key_lifetime(void **state)
{
    struct pair pair;
    struct packet rtp = packet_rtp(PAIR_SSRC, 0, PAYLOAD);
    struct packet rtcp = packet_rtcp(PAIR_SSRC, 12);
    struct packet out;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    pair_new_tx(&pair, UINT32_MAX);
    (void)sealed(&pair, 65534);
    (void)sealed(&pair, 65535);
    assert_int_equal(pair_protect(&out, &pair, &rtp), MCX_E_STATE);
    assert_int_equal(pair_protect_rtcp(&out, &pair, &rtcp), MCX_E_STATE);

    pair_new_tx(&pair, 0);
    assert_int_equal(mcx_srtp_tx_set_rtcp_index(pair.tx, 0x80000000), MCX_E_ARG);
    assert_int_equal(mcx_srtp_tx_set_rtcp_index(pair.tx, 0x7ffffffe), MCX_OK);
    assert_int_equal(pair_protect_rtcp(&out, &pair, &rtcp), MCX_OK);
    assert_int_equal(mcx_srtp_tx_set_rtcp_index(pair.tx, 0), MCX_E_STATE);
    assert_int_equal(pair_protect_rtcp(&out, &pair, &rtcp), MCX_OK);
    assert_int_equal(pair_unprotect_rtcp(&rtcp, &pair, &out), MCX_OK);
    assert_int_equal(pair_protect_rtcp(&out, &pair, &rtcp), MCX_E_STATE);
    assert_int_equal(pair_protect(&out, &pair, &rtp), MCX_E_STATE);
    pair_clear(&pair);
}

/* At ROC 2^32 - 1 a wrapped SEQ is not taken for ROC 0. */
static void last_index(void **state)
{
    struct pair pair;
    struct packet in;
    struct packet wrapped;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    wrapped = sealed(&pair, 0);
    mcx_srtp_rx_set_roc(pair.rx, UINT32_MAX);
    pair_new_tx(&pair, UINT32_MAX);
    in = sealed(&pair, 65535);
    assert_opens(&pair, &in, 65535);
    assert_refused(&pair, &wrapped, MCX_E_REPLAY);
    pair_clear(&pair);
}

static void in_place(void **state)
{
    struct pair pair;
    struct packet plain = packet_rtp(PAIR_SSRC, 5, PAYLOAD);
    struct packet apart;
    uint8_t buf[3 + PAIR_PACKET_MAX] = { 1, 2, 3 };
    struct mcx_wr wr = { buf, 3, sizeof buf }; /* behind what is already there */

    (void)state;
    pair_init(&pair, 8, 1, 1);
    assert_int_equal(pair_protect(&apart, &pair, &plain), MCX_OK);
    pair_new_tx(&pair, 0);
    memcpy(buf + 3, plain.p, plain.len);
    assert_int_equal(mcx_srtp_protect(pair.tx, &wr, mcx_bytes(buf + 3, plain.len)), MCX_OK);
    assert_int_equal(wr.len, 3 + apart.len);
    assert_memory_equal(buf + 3, apart.p, apart.len);
    wr.len = 3;
    assert_int_equal(mcx_srtp_unprotect(pair.rx, &wr, mcx_bytes(buf + 3, apart.len), NULL), MCX_OK);
    assert_int_equal(wr.len, 3 + plain.len);
    assert_memory_equal(buf + 3, plain.p, plain.len);
    assert_memory_equal(buf, "\1\2\3", 3);

    plain = packet_rtcp(PAIR_SSRC, 20);
    assert_int_equal(pair_protect_rtcp(&apart, &pair, &plain), MCX_OK);
    pair_new_tx(&pair, 0);
    wr.len = 3;
    memcpy(buf + 3, plain.p, plain.len);
    assert_int_equal(mcx_srtcp_protect(pair.tx, &wr, mcx_bytes(buf + 3, plain.len)), MCX_OK);
    assert_memory_equal(buf + 3, apart.p, apart.len);
    wr.len = 3;
    assert_int_equal(mcx_srtcp_unprotect(pair.rx, &wr, mcx_bytes(buf + 3, apart.len), NULL), MCX_OK);
    assert_memory_equal(buf + 3, plain.p, plain.len);
    pair_clear(&pair);
}

static void room(void **state)
{
    struct pair pair;
    struct packet plain = packet_rtp(PAIR_SSRC, 5, PAYLOAD);
    uint8_t out[PAIR_PACKET_MAX];
    uint8_t back[PAIR_PACKET_MAX];
    size_t need = plain.len + 16 + 8 + 4;
    struct mcx_wr wr = mcx_wr(out, need - 1);
    struct mcx_refusal why = { "", "" };

    (void)state;
    pair_init(&pair, 8, 1, 1);
    assert_int_equal(mcx_srtp_protect(pair.tx, &wr, packet_bytes(&plain)), MCX_E_SPACE);
    assert_int_equal(wr.len, 0);
    wr = mcx_wr(out, need);
    assert_int_equal(mcx_srtp_protect(pair.tx, &wr, packet_bytes(&plain)), MCX_OK); /* SEQ was not used up */
    assert_int_equal(wr.len, need);
    wr = mcx_wr(back, plain.len - 1);
    assert_int_equal(mcx_srtp_unprotect(pair.rx, &wr, mcx_bytes(out, need), &why), MCX_E_SPACE);
    assert_string_equal(why.reason, "the output buffer is too small");
    wr = mcx_wr(back, plain.len);
    assert_int_equal(mcx_srtp_unprotect(pair.rx, &wr, mcx_bytes(out, need), NULL), MCX_OK);
    pair_clear(&pair);
}

/* More than the provider takes at a time. Of the octets only the first are looked at: the others need no memory. */
static void cipher_failed(void **state)
{
    size_t len = (size_t)INT_MAX + 64;
    uint8_t *packet = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct mcx_wr wr = mcx_wr(packet, len);
    struct mcx_refusal why = { "", "" };
    struct pair pair;

    (void)state;
    assert_true(packet != MAP_FAILED);
    pair_init(&pair, 0, 0, 1);
    packet[0] = 0x80;
    assert_int_equal(mcx_srtp_unprotect(pair.rx, &wr, mcx_bytes(packet, len), &why), MCX_E_ARG);
    assert_string_equal(why.reason, "the cipher failed");
    assert_int_equal(wr.len, 0);
    pair_clear(&pair);
    assert_int_equal(munmap(packet, len), 0);
}

static void not_rtp(void **state)
{
    struct pair pair;
    struct packet bad = packet_rtp(PAIR_SSRC, 5, PAYLOAD);
    struct packet out;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    bad.p[0] = 0x40;
    assert_int_equal(pair_protect(&out, &pair, &bad), MCX_E_FORMAT);
    bad = packet_rtp(PAIR_SSRC, 5, 0);
    bad.p[0] = 0x81; /* a CSRC that is not there */
    assert_int_equal(pair_protect(&out, &pair, &bad), MCX_E_FORMAT);
    bad.p[0] = 0x90; /* an extension that is not there */
    assert_int_equal(pair_protect(&out, &pair, &bad), MCX_E_FORMAT);
    bad = packet_rtcp(PAIR_SSRC, 0);
    bad.len = 7;
    assert_int_equal(pair_protect_rtcp(&out, &pair, &bad), MCX_E_FORMAT);
    bad = packet_rtcp(PAIR_SSRC, 4);
    bad.p[0] = 0;
    assert_int_equal(pair_protect_rtcp(&out, &pair, &bad), MCX_E_FORMAT);
    pair_clear(&pair);
}

static void parameters(void **state)
{
    struct pair pair;
    struct mcx_srtp_params bad;
    struct mcx_srtp_tx *tx = NULL;
    struct mcx_srtp_rx *rx = NULL;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    bad = pair.params;
    bad.mki.len = 3;
    assert_int_equal(mcx_srtp_tx_new(&tx, &bad), MCX_E_ARG);
    assert_int_equal(mcx_srtp_rx_new(&rx, &bad, 1), MCX_E_ARG);
    assert_int_equal(mcx_srtp_rx_new(&rx, &pair.params, 0), MCX_E_ARG);
    assert_int_equal(mcx_srtp_rx_new(&rx, &pair.params, MCX_SRTP_SSRC_MAX + 1), MCX_E_ARG);
    mcx_srtp_tx_free(NULL);
    mcx_srtp_rx_free(NULL);
    pair_clear(&pair);
}

/* Two protected control messages in one datagram (TS 24.380 8.1.1) */
static void control_messages(void **state)
{
    struct pair pair;
    struct packet plain = packet_rtcp(PAIR_SSRC, 12);
    struct packet one;
    uint8_t datagram[2 * PAIR_PACKET_MAX];
    struct mcx_wr wr = mcx_wr(datagram, sizeof datagram);
    struct mcx_rd rd;
    struct mcx_bytes part;
    struct mcx_bytes mki;

    (void)state;
    pair_init(&pair, 4, 0, 1);
    assert_int_equal(mcx_srtcp_protect(pair.tx, &wr, packet_bytes(&plain)), MCX_OK);
    assert_int_equal(mcx_srtcp_protect(pair.tx, &wr, packet_bytes(&plain)), MCX_OK);
    rd = mcx_rd(mcx_wr_done(&wr));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mcx_srtcp_take(&part, &rd, 4), MCX_OK);
        assert_int_equal(mcx_srtcp_mki_read(&mki, part, 4), MCX_OK);
        assert_true(mcx_bytes_equal(mki, pair.params.mki));
        memcpy(one.p, part.p, part.len);
        one.len = part.len;
        assert_int_equal(pair_unprotect_rtcp(&one, &pair, &one), MCX_OK);
        assert_memory_equal(one.p, plain.p, plain.len);
    }
    assert_int_equal(rd.len, 0);
    rd = mcx_rd(mcx_bytes(datagram, wr.len / 2 - 1));
    assert_int_equal(mcx_srtcp_take(&part, &rd, 4), MCX_E_TRUNC);
    assert_int_equal(rd.len, wr.len / 2 - 1);
    pair_clear(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit),
        cmocka_unit_test(every_length),
        cmocka_unit_test(rtcp_flipped_cut_replayed),
        cmocka_unit_test(rtcp_unencrypted),
        cmocka_unit_test(rtcp_window_and_order),
        cmocka_unit_test(rtp_window_edges),
        cmocka_unit_test(roll_over),
        cmocka_unit_test(before_the_beginning),
        cmocka_unit_test(late_join),
        cmocka_unit_test(roc_in_every_fourth),
        cmocka_unit_test(forged_roc),
        cmocka_unit_test(roc_jump_and_rollback),
        cmocka_unit_test(foreign_mki),
        cmocka_unit_test(ssrc_table_bound),
        cmocka_unit_test(roc_estimate_edges),
        cmocka_unit_test(roc_has_ends),
        cmocka_unit_test(sender_never_repeats),
        cmocka_unit_test(key_lifetime),
        cmocka_unit_test(last_index),
        cmocka_unit_test(in_place),
        cmocka_unit_test(room),
        cmocka_unit_test(cipher_failed),
        cmocka_unit_test(not_rtp),
        cmocka_unit_test(parameters),
        cmocka_unit_test(control_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
