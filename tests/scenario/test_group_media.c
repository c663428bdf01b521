/* SPDX-License-Identifier: Apache-2.0 */
/* Speakers and listeners of a group: late entry, re-keying in speech, forged MKIs and ROCs, revocation
 * (TS 33.180 7.4.2, 7.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/group_media.h>

#include "support/fake.h"
#include "support/group.h"
#include "support/srtp_pair.h"

#define ALICE "sip:alice@example.org"
#define BOB   "sip:bob@example.org"
#define CAROL "sip:carol@example.org"

static struct fake_rng rng_state = { .seed = 7 };

struct phone {
    struct mcx_group_keys *keys;
    struct mcx_group_tx *tx;
    struct mcx_group_rx *rx;
    uint16_t seq;
};

static struct phone phone_of(const struct mcx_imessage *msg, const struct mcx_group_rx_config *config)
{
    struct mcx_rng rng = fake_rng(&rng_state);
    struct phone p = { .keys = group_keys_with(msg), .seq = 100 };

    assert_int_equal(mcx_group_tx_new(&p.tx, p.keys, GROUP_FIRE, group_time(0), &rng, NULL), MCX_OK);
    assert_int_equal(mcx_group_rx_new(&p.rx, p.keys, GROUP_FIRE, config), MCX_OK);
    return p;
}

static struct phone phone_new(const char *user)
{
    struct mcx_imessage m = group_msg(user, GROUP_GMK_ID, 0);

    return phone_of(&m, NULL);
}

static void phone_clear(struct phone *p)
{
    mcx_group_tx_free(p->tx);
    mcx_group_rx_free(p->rx);
    mcx_group_keys_free(p->keys);
}

static struct packet speak(struct phone *p)
{
    struct packet plain = packet_rtp(mcx_group_tx_ssrc(p->tx), p->seq, 60);
    struct packet out = { .len = 0 };
    struct mcx_wr wr = mcx_wr(out.p, sizeof out.p);

    p->seq++;
    assert_int_equal(mcx_group_tx_protect(p->tx, &wr, packet_bytes(&plain)), MCX_OK);
    out.len = wr.len;
    return out;
}

/* Speech that nobody hears, until the roll-over counter is `roc`. */
static void advance(struct phone *p, uint32_t roc)
{
    for (uint32_t wraps = 0; wraps < roc;) {
        uint16_t before = p->seq;

        (void)speak(p);
        p->seq = (uint16_t)(p->seq + 0x6fff);
        wraps += p->seq < before;
    }
}

static mcx_err hear(struct phone *p, const struct packet *packet, int64_t now)
{
    struct packet out = { .len = 0 };
    struct mcx_wr wr = mcx_wr(out.p, sizeof out.p);
    struct mcx_group_speaker speaker = { 0 };
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err = mcx_group_rx_open(p->rx, &wr, &speaker, packet_bytes(packet), group_time(now), &why);

    assert_int_equal(wr.len > 0, err == MCX_OK);
    assert_int_equal(speaker.guk_id != 0, err == MCX_OK);
    assert_int_equal(why.reason == NULL, err == MCX_OK);
    if (err == MCX_OK) {
        struct packet want = packet_rtp(speaker.ssrc, (uint16_t)(out.p[2] << 8 | out.p[3]), 60);

        assert_int_equal(wr.len, want.len);
        assert_memory_equal(out.p, want.p, want.len);
    }
    return err;
}

static void three_at_once(void **state)
{
    const char *const users[] = { ALICE, BOB, CAROL };
    struct phone p[3];
    struct phone late;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        p[i] = phone_new(users[i]);
        advance(&p[i], i == 0 ? 0 : 7);
    }
    for (size_t n = 0; n < 200; n++) {
        struct packet packet = speak(&p[n % 3]);

        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(i == n % 3 ? MCX_OK : hear(&p[i], &packet, 1), MCX_OK);
        }
    }
    assert_int_equal(mcx_group_rx_counts(p[0].rx).speakers, 2);
    assert_int_equal(mcx_group_rx_counts(p[0].rx).derived, 2);
    assert_int_equal(mcx_group_rx_counts(p[0].rx).refused, 0);
    late = phone_new("sip:dave@example.org");
    for (size_t n = 0; n < 3; n++) {
        struct packet packet = speak(&p[n]);

        assert_int_equal(hear(&late, &packet, 1), MCX_OK);
        assert_int_equal(hear(&late, &packet, 1), MCX_E_REPLAY);
    }
    assert_int_equal(mcx_group_rx_counts(late.rx).replayed, 3);
    for (size_t i = 0; i < 3; i++) {
        phone_clear(&p[i]);
    }
    phone_clear(&late);
}

/* Alice's radio loses its coverage all day long: each time she joins again she has a new SSRC, and Bob hears her. */
static void many_joins(void **state)
{
    struct phone bob = phone_new(BOB);

    (void)state;
    for (size_t n = 0; n < 200; n++) {
        struct phone alice = phone_new(ALICE);
        struct packet packet = speak(&alice);

        assert_int_equal(hear(&bob, &packet, (int64_t)n), MCX_OK);
        assert_int_equal(hear(&bob, &packet, (int64_t)n), MCX_E_REPLAY);
        phone_clear(&alice);
    }
    assert_int_equal(mcx_group_rx_counts(bob.rx).derived, 1);
    phone_clear(&bob);
}

/* A receiver that is kept over calls takes nothing recorded in one of them; a new one cannot know. */
static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Nothing of a radio outlives it, so that each start draws all 32 bits (TS 33.180 7.5.1; docs/SOUNDNESS.md). */
static void starts_draw_an_ssrc(void **state)
{
    static const uint8_t drawn[] = { 0xff, 0x01, 0x80, 0x7e };
    struct fake_rng script = { .script = mcx_bytes(drawn, sizeof drawn) };
    struct mcx_rng rng = fake_rng(&script);
    struct mcx_imessage m = group_msg(ALICE, GROUP_GMK_ID, 0);
    struct mcx_group_keys *keys = group_keys_with(&m);
    struct mcx_group_tx *tx = NULL;
    uint32_t ssrc[1000];

    (void)state;
    assert_int_equal(mcx_group_tx_new(&tx, keys, GROUP_FIRE, group_time(0), &rng, NULL), MCX_OK);
    assert_int_equal(mcx_group_tx_ssrc(tx), 0xff01807e);
    mcx_group_tx_free(tx);
    mcx_group_keys_free(keys);
    for (size_t i = 0; i < 1000; i++) { /* with the same octets to draw from as ever, so the outcome is fixed */
        struct phone alice = phone_new(ALICE);

        ssrc[i] = mcx_group_tx_ssrc(alice.tx);
        phone_clear(&alice);
    }
    qsort(ssrc, 1000, sizeof ssrc[0], by_value);
    for (size_t i = 1; i < 1000; i++) {
        assert_true(ssrc[i] != ssrc[i - 1]);
    }
}

static struct phone phone_with_ssrc(const char *user, struct mcx_bytes ssrc)
{
    struct fake_rng script = { .script = ssrc };
    struct mcx_rng rng = fake_rng(&script);
    struct phone p = phone_new(user);

    mcx_group_tx_free(p.tx);
    assert_int_equal(mcx_group_tx_new(&p.tx, p.keys, GROUP_FIRE, group_time(0), &rng, NULL), MCX_OK);
    return p;
}

/* Two members who have drawn one SSRC under one GMK: their keys differ with their GUK-IDs, so no key stream comes
 * twice, and both are heard. */
static void equal_ssrcs(void **state)
{
    static const uint8_t drawn[] = { 0xca, 0xfe, 0xba, 0xbe };
    struct phone alice = phone_with_ssrc(ALICE, mcx_bytes(drawn, 4)),
                 carol = phone_with_ssrc(CAROL, mcx_bytes(drawn, 4));
    struct phone bob = phone_new(BOB);

    (void)state;
    assert_int_equal(mcx_group_tx_ssrc(alice.tx), mcx_group_tx_ssrc(carol.tx));
    mcx_group_rx_own(carol.rx, mcx_group_tx_ssrc(carol.tx));
    advance(&carol, 2);
    advance(&alice, 2);
    alice.seq = carol.seq = (uint16_t)(alice.seq > carol.seq ? alice.seq : carol.seq);
    for (size_t n = 0; n < 50; n++) {
        struct packet a = speak(&alice), c = speak(&carol);

        assert_int_equal(a.len, c.len);
        assert_memory_equal(a.p, c.p, 12); /* one header, one plaintext */
        for (size_t i = 12; i < 72; i += 4) {
            assert_memory_not_equal(a.p + i, c.p + i, 4);
        }
        assert_int_equal(hear(&bob, &a, 1), MCX_OK);
        assert_int_equal(hear(&bob, &c, 1), MCX_OK);
        assert_int_equal(hear(&carol, &a, 1), MCX_OK); /* not taken for her own */
        assert_int_equal(hear(&bob, &c, 1), MCX_E_REPLAY);
    }
    phone_clear(&alice);
    phone_clear(&carol);
    phone_clear(&bob);
}

static void recorded_in_an_earlier_call(void **state)
{
    struct phone bob = phone_new(BOB);
    struct phone alice = phone_new(ALICE);
    struct phone again;
    struct packet recorded[300];

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        recorded[i] = speak(&alice);
        assert_int_equal(hear(&bob, &recorded[i], 1), MCX_OK);
    }
    phone_clear(&alice);
    mcx_group_rx_renew(bob.rx, bob.keys, group_time(500)); /* the next call */
    again = phone_new(ALICE);
    recorded[0] = speak(&again);
    assert_int_equal(hear(&bob, &recorded[0], 501), MCX_OK);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(hear(&bob, &recorded[i], 502), MCX_E_REPLAY);
    }
    phone_clear(&again);
    phone_clear(&bob);
}

/* Guards the rule that all members get one RAND (TS 33.180 7.4.2). */
static void other_rand(void **state)
{
    struct mcx_imessage m = group_msg(CAROL, GROUP_GMK_ID, 0);
    struct phone alice = phone_new(ALICE);
    struct phone carol;

    (void)state;
    m.rand[7] ^= 1;
    carol = phone_of(&m, NULL);
    for (size_t n = 0; n < 20; n++) {
        struct packet packet = speak(&alice);

        assert_int_equal(hear(&carol, &packet, 1), MCX_E_AUTH);
    }
    assert_int_equal(mcx_group_rx_counts(carol.rx).refused, 20);
    assert_int_equal(mcx_group_rx_counts(carol.rx).derived, 1); /* the failure is remembered */
    phone_clear(&alice);
    phone_clear(&carol);
}

static void forged_roc(void **state)
{
    struct phone alice = phone_new(ALICE);
    struct phone bob = phone_new(BOB);
    struct packet packet;

    (void)state;
    advance(&alice, 3);
    packet = speak(&alice);
    for (uint32_t n = 1; n < 2000; n++) { /* before the first true packet, and after it */
        struct packet forged = packet;

        forged.p[forged.len - 1 - n % 4] ^= (uint8_t)(n / 4 % 255 + 1);
        assert_int_not_equal(hear(&bob, &forged, 1), MCX_OK);
        if (n == 1000) {
            assert_int_equal(hear(&bob, &packet, 1), MCX_OK);
        }
    }
    for (size_t n = 0; n < 100; n++) {
        packet = speak(&alice);
        assert_int_equal(hear(&bob, &packet, 1), MCX_OK);
    }
    assert_int_equal(mcx_group_rx_counts(bob.rx).opened, 101);
    phone_clear(&alice);
    phone_clear(&bob);
}

static void put_u32(uint8_t *p, uint32_t v)
{
    for (size_t i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

/* 50,000 forged GUK-IDs in ten seconds cost at most 1,100 derivations, and the speaker of before is heard throughout.
 */
static void forged_mki(void **state)
{
    const struct mcx_group_rx_config config = { .max_speakers = 4, .derivations_per_s = 100 };
    struct mcx_imessage m = group_msg(BOB, GROUP_GMK_ID, 0);
    struct phone alice = phone_new(ALICE);
    struct phone carol = phone_new(CAROL);
    struct phone bob = phone_of(&m, &config);
    struct packet packet = speak(&alice);
    struct packet forged = packet;
    struct mcx_group_rx_counts counts;

    (void)state;
    assert_int_equal(hear(&bob, &packet, 0), MCX_OK);
    for (uint32_t n = 0; n < 50000; n++) {
        mcx_err err;

        put_u32(forged.p + forged.len - 8, 0x05000000 + n);
        err = hear(&bob, &forged, (int64_t)(n / 5000));
        assert_true(err == MCX_E_AUTH || err == MCX_E_POLICY);
        if (n % 100 == 0) {
            packet = speak(&alice);
            assert_int_equal(hear(&bob, &packet, (int64_t)(n / 5000)), MCX_OK);
        }
    }
    counts = mcx_group_rx_counts(bob.rx);
    assert_int_equal(counts.opened, 501);
    assert_true(counts.derived <= 1100);
    assert_int_equal(counts.derived + counts.limited, 50001);
    assert_int_equal(counts.speakers, 4);
    packet = speak(&carol); /* a new speaker when it is over, and the entries of the flood make room */
    assert_int_equal(hear(&bob, &packet, 20), MCX_OK);
    packet = speak(&alice);
    assert_int_equal(hear(&bob, &packet, 20), MCX_OK);
    phone_clear(&alice);
    phone_clear(&bob);
    phone_clear(&carol);
}

static void unknown_keys(void **state)
{
    struct phone alice = phone_new(ALICE);
    struct phone bob = phone_new(BOB);
    struct packet packet = speak(&alice);

    (void)state;
    packet.p[packet.len - 12] ^= 1; /* another GMK-ID */
    assert_int_equal(hear(&bob, &packet, 1), MCX_E_NOKEY);
    packet.p[packet.len - 12] ^= 1;
    packet.p[packet.len - 8] ^= 0x10; /* the tag of the GUK-ID */
    assert_int_equal(hear(&bob, &packet, 1), MCX_E_NOKEY);
    packet.p[packet.len - 8] ^= 0x10;
    assert_int_equal(mcx_group_rx_counts(bob.rx).unknown_key, 2);
    assert_int_equal(mcx_group_rx_counts(bob.rx).derived, 0);
    for (size_t len = 0; len < 40; len++) {
        struct packet cut = packet;

        cut.len = len;
        assert_int_not_equal(hear(&bob, &cut, 1), MCX_OK);
    }
    assert_int_equal(hear(&bob, &packet, 1), MCX_OK);
    assert_int_equal(mcx_group_keys_drop_group(bob.keys, GROUP_FIRE), 1); /* he has left the group */
    packet = speak(&alice);
    assert_int_equal(hear(&bob, &packet, 1), MCX_E_NOKEY);
    phone_clear(&alice);
    phone_clear(&bob);
}

static void live_speakers_stay(void **state)
{
    const struct mcx_group_rx_config config = { .max_speakers = 2 };
    struct mcx_imessage m = group_msg(BOB, GROUP_GMK_ID, 0);
    struct phone alice = phone_new(ALICE), carol = phone_new(CAROL), dave = phone_new("sip:dave@example.org");
    struct phone bob = phone_of(&m, &config);
    struct packet packet = speak(&alice);
    struct packet of_carol = speak(&carol);
    struct packet forged;

    (void)state;
    assert_int_equal(hear(&bob, &packet, 0), MCX_OK);
    assert_int_equal(hear(&bob, &of_carol, 30), MCX_OK);
    packet = speak(&dave);
    assert_int_equal(hear(&bob, &packet, MCX_GROUP_IDLE_S - 1), MCX_E_POLICY);
    forged = packet;
    forged.p[20] ^= 1;
    assert_int_equal(hear(&bob, &forged, MCX_GROUP_IDLE_S), MCX_E_AUTH); /* takes nobody's place */
    assert_int_equal(hear(&bob, &of_carol, MCX_GROUP_IDLE_S), MCX_E_REPLAY);
    packet = speak(&dave);
    assert_int_equal(hear(&bob, &packet, MCX_GROUP_IDLE_S), MCX_OK); /* that of Alice, silent for the longest */
    assert_int_equal(hear(&bob, &of_carol, MCX_GROUP_IDLE_S), MCX_E_REPLAY);
    assert_int_equal(mcx_group_rx_counts(bob.rx).speakers, 2);
    phone_clear(&alice);
    phone_clear(&bob);
    phone_clear(&carol);
    phone_clear(&dave);
}

/* The next GMK, with a key and a RAND of its own, from `activation` on. */
static struct mcx_imessage next_gmk(const char *user, int64_t activation, bool rcc)
{
    struct mcx_imessage m = group_msg(user, 0x0a000001, 10);

    m.key.octet[0] ^= 0x55;
    m.rand[0] ^= 0x55;
    assert_int_equal(mcx_guk_id(&m.csb_id, m.key_id, &m.key, mcx_bytes_str(user)), MCX_OK);
    m.activation = (uint64_t)((int64_t)GROUP_T0 + activation);
    m.rcc = rcc;
    m.roc_rate = rcc;
    return m;
}

static void take(struct phone *p, const struct mcx_imessage *msg, int64_t now)
{
    enum mcx_group_key_change change;

    assert_int_equal(group_accept(p->keys, &change, msg, now, NULL), MCX_OK);
}

static bool renew(struct phone *p, int64_t now)
{
    bool switched = false;

    assert_int_equal(mcx_group_tx_renew(p->tx, &switched, p->keys, group_time(now), NULL), MCX_OK);
    mcx_group_rx_renew(p->rx, p->keys, group_time(now));
    return switched;
}

/* Packets leave under one key or the other, some cross on the way, the listener's clock is 40 s behind: all are heard.
 */
static void rekey(bool rcc)
{
    struct mcx_imessage first_alice = group_msg(ALICE, GROUP_GMK_ID, 0), first_bob = group_msg(BOB, GROUP_GMK_ID, 0);
    struct mcx_imessage next_alice = next_gmk(ALICE, 100, rcc), next_bob = next_gmk(BOB, 100, rcc);
    struct phone alice, bob;
    struct packet held = { .len = 0 };
    size_t heard = 0;

    first_alice.rcc = first_bob.rcc = rcc;
    first_alice.roc_rate = first_bob.roc_rate = rcc;
    alice = phone_of(&first_alice, NULL);
    bob = phone_of(&first_bob, NULL);
    alice.seq = 65500; /* a wrap of SEQ, so that the ROC is 1 at the switch */
    for (int64_t n = 0; n < 400; n++) {
        int64_t now = 90 + n / 20; /* the activation is at 100 */
        struct packet packet = { .len = 0 };

        if (n == 50) {
            take(&alice, &next_alice, now);
        }
        if (n == 60) {
            take(&bob, &next_bob, now);
            assert_false(renew(&bob, now - 40));
        }
        assert_int_equal(renew(&alice, now), n == 200);
        assert_int_equal(mcx_group_tx_key_id(alice.tx), n < 200 ? GROUP_GMK_ID : 0x0a000001);
        packet = speak(&alice);
        if (n % 5 == 4) { /* overtaken by the next one */
            held = packet;
            continue;
        }
        heard += hear(&bob, &packet, now - 40) == MCX_OK;
        if (held.len > 0) {
            heard += hear(&bob, &held, now - 40) == MCX_OK;
            held.len = 0;
        }
    }
    assert_int_equal(heard, 399);
    assert_int_equal(hear(&bob, &held, 100), MCX_OK);
    phone_clear(&alice);
    phone_clear(&bob);
}

static void rekey_in_speech(void **state)
{
    (void)state;
    rekey(true);
}

/* Without RCCm3 the listener goes on with the ROC of the SSRC. */
static void rekey_without_roc(void **state)
{
    (void)state;
    rekey(false);
}

/* Keys of one group that differ in whether, and how often, a ROC stands behind the MKI. */
static void policies_side_by_side(void **state)
{
    static const struct {
        const char *user;
        uint32_t gmk_id;
        uint16_t roc_rate;
    } speakers[] = { { ALICE, 0x0a000001, 0 }, { CAROL, 0x0a000002, 1 }, { "sip:dave@example.org", 0x0a000003, 5 } };
    struct phone bob = phone_new(BOB);
    struct phone p[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct mcx_imessage own = group_msg(speakers[i].user, speakers[i].gmk_id, 0);
        struct mcx_imessage same = group_msg(BOB, speakers[i].gmk_id, 0);

        own.roc_rate = same.roc_rate = speakers[i].roc_rate;
        own.rcc = same.rcc = speakers[i].roc_rate != 0;
        take(&bob, &same, 0);
        p[i] = phone_of(&own, NULL);
    }
    for (size_t n = 0; n < 60; n++) {
        struct packet packet = speak(&p[n % 3]);
        struct packet cut = packet;

        cut.len -= 4; /* now it seems to have the other form */
        assert_int_not_equal(hear(&bob, &cut, 1), MCX_OK);
        assert_int_equal(hear(&bob, &packet, 1), MCX_OK);
    }
    assert_int_equal(mcx_group_rx_counts(bob.rx).derived, 3);
    for (size_t i = 0; i < 3; i++) {
        phone_clear(&p[i]);
    }
    phone_clear(&bob);
}

/* A packet without a ROC whose tag ends like the identifier of another key: its own MKI is followed. */
static void tag_like_a_gmk_id(void **state)
{
    struct mcx_imessage own = group_msg(ALICE, GROUP_GMK_ID, 0), same = group_msg(BOB, GROUP_GMK_ID, 0), other;
    struct phone alice, bob;
    struct packet packet;
    const uint8_t *end = NULL;

    (void)state;
    own.rcc = same.rcc = false;
    own.roc_rate = same.roc_rate = 0;
    alice = phone_of(&own, NULL);
    bob = phone_of(&same, NULL);
    do { /* one that could be a GMK-ID, under a policy that has a ROC behind other MKIs than this one */
        packet = speak(&alice);
        end = packet.p + packet.len - 12;
    } while (end[0] >> 4 != GROUP_GMK_ID >> 28 || packet.p[3] % 2 == 0);
    other = group_msg(BOB, (uint32_t)end[0] << 24 | (uint32_t)end[1] << 16 | (uint32_t)end[2] << 8 | end[3], 0);
    other.roc_rate = 2;
    take(&bob, &other, 0);
    assert_int_equal(hear(&bob, &packet, 1), MCX_OK);
    phone_clear(&alice);
    phone_clear(&bob);
}

/* Back to the first key after the second is revoked: indices only grow, so nothing is sent twice under one nonce. */
static void key_comes_back(void **state)
{
    struct phone alice = phone_new(ALICE), bob = phone_new(BOB);
    struct mcx_imessage next = next_gmk(ALICE, 20, true), next_bob = next_gmk(BOB, 20, true);
    struct packet before = speak(&alice), between, after, plain;
    struct mcx_wr wr = mcx_wr(after.p, sizeof after.p);

    (void)state;
    assert_int_equal(hear(&bob, &before, 15), MCX_OK);
    take(&alice, &next, 15);
    take(&bob, &next_bob, 15);
    assert_true(renew(&alice, 20));
    between = speak(&alice);
    assert_int_equal(hear(&bob, &between, 20), MCX_OK);
    next.key_status = next_bob.key_status = 0;
    take(&alice, &next, 25);
    take(&bob, &next_bob, 25);
    assert_true(renew(&alice, 25));
    assert_int_equal(mcx_group_tx_key_id(alice.tx), GROUP_GMK_ID);
    plain = packet_rtp(mcx_group_tx_ssrc(alice.tx), (uint16_t)(alice.seq - 2), 60); /* SEQ of `before` */
    assert_int_equal(mcx_group_tx_protect(alice.tx, &wr, packet_bytes(&plain)), MCX_E_STATE);
    plain = packet_rtp(mcx_group_tx_ssrc(alice.tx) + 1, alice.seq, 60);
    assert_int_equal(mcx_group_tx_protect(alice.tx, &wr, packet_bytes(&plain)), MCX_E_STATE);
    plain.len = 11;
    assert_int_equal(mcx_group_tx_protect(alice.tx, &wr, packet_bytes(&plain)), MCX_E_FORMAT);
    after = speak(&alice);
    assert_int_equal(hear(&bob, &after, 25), MCX_OK);
    assert_int_equal(hear(&bob, &between, 25), MCX_E_POLICY); /* revoked meanwhile */
    phone_clear(&alice);
    phone_clear(&bob);
}

static void revoked_at_once(void **state)
{
    struct phone alice = phone_new(ALICE), bob = phone_new(BOB);
    struct packet packet = speak(&alice), plain = packet_rtp(mcx_group_tx_ssrc(alice.tx), alice.seq, 60);
    struct mcx_imessage m = group_msg(BOB, GROUP_GMK_ID, 1);
    struct mcx_wr wr;
    bool switched = false;

    (void)state;
    assert_int_equal(hear(&bob, &packet, 5), MCX_OK);
    m.key_status = 0;
    take(&bob, &m, 5);
    packet = speak(&alice);
    assert_int_equal(hear(&bob, &packet, 5), MCX_E_POLICY);
    assert_int_equal(mcx_group_rx_counts(bob.rx).speakers, 0); /* wiped, without a renewal */
    assert_int_equal(mcx_group_tx_renew(bob.tx, &switched, bob.keys, group_time(5), NULL), MCX_E_POLICY);
    wr = mcx_wr(packet.p, sizeof packet.p);
    assert_int_equal(mcx_group_tx_protect(bob.tx, &wr, packet_bytes(&plain)), MCX_E_NOKEY);
    assert_int_equal(wr.len, 0);
    phone_clear(&alice);
    phone_clear(&bob);
}

static void expired_key(void **state)
{
    struct mcx_imessage m = group_msg(BOB, GROUP_GMK_ID, 0);
    struct phone alice = phone_new(ALICE), bob;
    struct packet packet = speak(&alice);

    (void)state;
    m.expiry = GROUP_T0 + 10;
    bob = phone_of(&m, NULL);
    assert_int_equal(hear(&bob, &packet, 9), MCX_OK);
    packet = speak(&alice);
    assert_int_equal(hear(&bob, &packet, 10), MCX_E_EXPIRED);
    mcx_group_rx_renew(bob.rx, bob.keys, group_time(10));
    assert_int_equal(mcx_group_rx_counts(bob.rx).speakers, 0);
    phone_clear(&alice);
    phone_clear(&bob);
}

/* A clock that is set back before the activation: nothing is heard meanwhile, and nothing twice after it. */
static void clock_set_back(void **state)
{
    struct mcx_imessage m = group_msg(BOB, GROUP_GMK_ID, 0);
    struct phone alice = phone_new(ALICE), bob;
    struct packet packet = speak(&alice), next = speak(&alice);

    (void)state;
    m.activation = GROUP_T0;
    bob = phone_of(&m, NULL);
    assert_int_equal(hear(&bob, &packet, 5), MCX_OK);
    assert_int_equal(hear(&bob, &packet, -1 - MCX_GROUP_CLOCK_SKEW_S), MCX_E_EXPIRED);
    mcx_group_rx_renew(bob.rx, bob.keys, group_time(-1 - MCX_GROUP_CLOCK_SKEW_S));
    assert_int_equal(hear(&bob, &packet, 5), MCX_E_REPLAY);
    assert_int_equal(hear(&bob, &next, 5), MCX_OK);
    phone_clear(&alice);
    phone_clear(&bob);
}

/* What the server sends back to the speaker is refused, now and in the next call; his other device is heard. */
static void own_speech(void **state)
{
    struct mcx_rng rng = fake_rng(&rng_state);
    struct phone alice = phone_new(ALICE), other = phone_new(ALICE);
    struct packet packet = speak(&alice), next;

    (void)state;
    mcx_group_rx_own(alice.rx, mcx_group_tx_ssrc(alice.tx));
    assert_int_equal(hear(&alice, &packet, 5), MCX_E_POLICY);
    mcx_group_tx_free(alice.tx);
    assert_int_equal(mcx_group_tx_new(&alice.tx, alice.keys, GROUP_FIRE, group_time(6), &rng, NULL), MCX_OK);
    mcx_group_rx_own(alice.rx, mcx_group_tx_ssrc(alice.tx));
    next = speak(&alice);
    assert_int_equal(hear(&alice, &packet, 7), MCX_E_POLICY);
    assert_int_equal(hear(&alice, &next, 7), MCX_E_POLICY);
    assert_int_equal(mcx_group_rx_counts(alice.rx).derived, 0);
    packet = speak(&other);
    assert_int_equal(hear(&alice, &packet, 7), MCX_OK);
    assert_int_equal(mcx_group_rx_counts(alice.rx).refused, 3);
    phone_clear(&alice);
    phone_clear(&other);
}

/* Two devices of one GUK-ID, and one GUK-ID under two GMKs: streams are told apart by GMK-ID, GUK-ID and SSRC. */
static void colliding_guk_ids(void **state)
{
    struct phone one = phone_new(ALICE), two = phone_new(ALICE), bob = phone_new(BOB), other;
    struct mcx_imessage m = next_gmk(ALICE, 0, true), m_bob = next_gmk(BOB, 0, true);
    struct packet a, b, c;

    (void)state;
    assert_int_not_equal(mcx_group_tx_ssrc(one.tx), mcx_group_tx_ssrc(two.tx));
    m.csb_id = mcx_group_keys_at(one.keys, 0)->guk_id; /* the salts may happen to fit so */
    other = phone_of(&m, NULL);
    take(&bob, &m_bob, 10);
    for (size_t n = 0; n < 50; n++) {
        a = speak(&one);
        b = speak(&two);
        c = speak(&other);
        assert_int_equal(hear(&bob, &a, 10), MCX_OK);
        assert_int_equal(hear(&bob, &b, 10), MCX_OK);
        assert_int_equal(hear(&bob, &c, 10), MCX_OK);
        assert_int_equal(hear(&bob, &b, 10), MCX_E_REPLAY);
    }
    assert_int_equal(mcx_group_rx_counts(bob.rx).speakers, 2);
    phone_clear(&one);
    phone_clear(&two);
    phone_clear(&other);
    phone_clear(&bob);
}

static void no_key_no_sender(void **state)
{
    struct mcx_rng rng = fake_rng(&rng_state);
    struct fake_rng broken_state = { .seed = 0 };
    struct mcx_rng broken = fake_rng(&broken_state);
    struct mcx_imessage m = group_msg(ALICE, GROUP_GMK_ID, 0);
    struct mcx_group_keys *keys = NULL;
    struct mcx_group_tx *tx = NULL;
    struct mcx_group_rx *rx = NULL;
    const struct mcx_group_rx_config wide = { .max_speakers = MCX_GROUP_SPEAKERS_MAX + 1 };

    (void)state;
    m.activation = GROUP_T0 + 50;
    keys = group_keys_with(&m);
    assert_int_equal(mcx_group_tx_new(&tx, keys, GROUP_RESCUE, group_time(60), &rng, NULL), MCX_E_NOKEY);
    assert_int_equal(mcx_group_tx_new(&tx, keys, GROUP_FIRE, group_time(49), &rng, NULL), MCX_E_EXPIRED);
    assert_int_equal(mcx_group_tx_new(&tx, keys, "", group_time(60), &rng, NULL), MCX_E_ARG);
    assert_int_equal(mcx_group_tx_new(&tx, keys, GROUP_FIRE, group_time(60), &broken, NULL), MCX_E_RNG);
    assert_int_equal(mcx_group_rx_new(&rx, keys, "", NULL), MCX_E_ARG);
    assert_int_equal(mcx_group_rx_new(&rx, keys, GROUP_FIRE, &wide), MCX_E_ARG);
    assert_null(tx);
    assert_null(rx);
    mcx_group_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_at_once),
        cmocka_unit_test(many_joins),
        cmocka_unit_test(starts_draw_an_ssrc),
        cmocka_unit_test(equal_ssrcs),
        cmocka_unit_test(recorded_in_an_earlier_call),
        cmocka_unit_test(other_rand),
        cmocka_unit_test(forged_roc),
        cmocka_unit_test(forged_mki),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(live_speakers_stay),
        cmocka_unit_test(rekey_in_speech),
        cmocka_unit_test(rekey_without_roc),
        cmocka_unit_test(policies_side_by_side),
        cmocka_unit_test(tag_like_a_gmk_id),
        cmocka_unit_test(key_comes_back),
        cmocka_unit_test(revoked_at_once),
        cmocka_unit_test(expired_key),
        cmocka_unit_test(clock_set_back),
        cmocka_unit_test(own_speech),
        cmocka_unit_test(colliding_guk_ids),
        cmocka_unit_test(no_key_no_sender),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
