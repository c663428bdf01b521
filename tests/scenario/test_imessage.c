/* SPDX-License-Identifier: Apache-2.0 */
/* I_MESSAGEs between two ends on a fake clock: all key kinds, two KMS domains, period boundaries, the year 2036,
 * replay, and a group of two whose members hear each other (RFC 3830 5.4, TS 33.180 7.4.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <mcx/mikey.h>
#include <mcx/srtp.h>

#include "keys/keyring_int.h"
#include "support/fake.h"
#include "support/ring.h"

#define ALICE "sip:unit07@mcx.example.net"
#define BOB   "sip:unit08@mcx.example.net"
#define GMS   "sip:gms1@mcx.example.net"
#define CAROL "sip:carol@partner.example"
#define KMS1  "kms1.mcx.example.net"
#define KMS2  "kms.partner.example"

static const struct mcx_imessage_policy strict;
static const struct mcx_ntp now = { RING_OWN_TIME, 0 };

static struct vec make(const struct mcx_keyring *ring, struct mcx_imessage_params *p, uint64_t seed)
{
    static struct vec out;
    static uint8_t rand_octets[MCX_RAND_LEN];
    struct fake_rng state = { .seed = seed };
    struct mcx_rng rng = fake_rng(&state);
    struct mcx_wr wr = mcx_wr(out.p, sizeof out.p);
    struct mcx_refusal why = { "", "" };
    mcx_err err;

    if (p->rand.len == 0) {
        assert_int_equal(mcx_rng_fill(&rng, rand_octets, sizeof rand_octets), MCX_OK);
        p->rand = mcx_bytes(rand_octets, sizeof rand_octets);
    }
    err = mcx_imessage_make(&wr, p, ring, &rng, &why);
    if (err != MCX_OK) {
        fail_msg("make: %s %s", mcx_err_name(err), why.reason);
    }
    out.len = wr.len;
    return out;
}

static mcx_err open_one(struct mcx_imessage *msg, struct vec message, const struct mcx_keyring *ring,
                        struct mcx_replay *replay, struct mcx_ntp t, const struct mcx_imessage_policy *policy)
{
    return mcx_imessage_open(msg, vec_bytes(&message), ring, replay, t, policy, NULL);
}

static struct mcx_imessage_params call(const struct mcx_key *key, const char *from, const char *to)
{
    return (struct mcx_imessage_params){ .type = MCX_KEY_PCK,
                                         .key = key,
                                         .key_id = 0x10000001,
                                         .time = now,
                                         .from = mcx_bytes_str(from),
                                         .to = mcx_bytes_str(to) };
}

static const struct mcx_key key1 = { { 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 } }; /* leading zeros stay */

static void test_all_kinds(void **state)
{
    struct mcx_keyring *from = ring_own(1u << 4);
    struct mcx_keyring *to = ring_own(1u << 2);

    (void)state;
    for (unsigned type = 0; type < MCX_NUM_KEY_TYPES; type++) {
        for (unsigned form = 0; form < 16; form++) {
            const struct mcx_key_params kp = { .status = 3, .activation = 5, .text = mcx_bytes_str("Fire 1") };
            struct mcx_imessage_params p = call(&key1, GMS, ALICE);
            struct mcx_imessage msg;

            p.type = (enum mcx_key_type)type;
            p.key_id = (uint32_t)type << 28 | 0x0abcdef0;
            p.hide_identities = (form & 1) != 0;
            p.sakke_to_self = (form & 2) != 0;
            p.key_params = (form & 4) != 0 ? &kp : NULL;
            p.explicit_policy = (form & 8) != 0;
            assert_int_equal(open_one(&msg, make(from, &p, 1 + form), to, NULL, now, &strict), MCX_OK);
            assert_int_equal(msg.type, type);
            assert_int_equal(msg.key_id, p.key_id);
            assert_int_equal(msg.csb_id == msg.key_id, type != MCX_KEY_GMK);
            assert_memory_equal(msg.key.octet, key1.octet, MCX_KEY_LEN);
            assert_memory_equal(msg.rand, p.rand.p, MCX_RAND_LEN);
            assert_string_equal(msg.initiator, p.hide_identities ? "" : GMS);
            assert_string_equal(msg.responder, ALICE);
            assert_string_equal(msg.kms_initiator, KMS1);
            assert_int_equal(msg.has_key_params, p.key_params != NULL);
            assert_int_equal(msg.key_status, p.key_params != NULL ? 3 : 0);
            assert_int_equal(msg.rcc, type == MCX_KEY_GMK || type == MCX_KEY_MKFC);
            assert_int_equal(msg.roc_rate, msg.rcc);
            assert_false(msg.own);
            mcx_imessage_clear(&msg);
        }
    }
    mcx_keyring_free(from);
    mcx_keyring_free(to);
}

static void test_make_refuses(void **state)
{
    struct mcx_keyring *ring = ring_own(1u << 2);
    struct fake_rng rng_state = { .seed = 1 };
    struct mcx_rng rng = fake_rng(&rng_state);
    uint8_t buf[MCX_IMESSAGE_MAX];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    const uint8_t rand[MCX_RAND_LEN] = { 0 };
    const struct mcx_bytes group_uri = mcx_bytes_str("sip:g@x");
    const struct mcx_key_params group = { .status = 1, .groups = &group_uri, .num_groups = 1 };
    static char name[MCX_KMSDOC_URI_MAX];
    struct mcx_bytes uris[MCX_IMESSAGE_GROUPS_MAX + 1], long_uris[5];
    const struct mcx_bytes empty = { NULL, 0 };
    const struct mcx_key_params too_many = { .status = 1, .groups = uris, .num_groups = MCX_IMESSAGE_GROUPS_MAX + 1 };
    const struct mcx_key_params too_long = { .status = 1, .groups = long_uris, .num_groups = 5 };
    const struct mcx_key_params no_uri = { .status = 1, .groups = &empty, .num_groups = 1 };
    const struct mcx_key_params late = { .status = 1, .expiry = UINT64_C(1) << 40 };
    struct mcx_imessage_params good = call(&key1, ALICE, BOB);
    struct mcx_imessage_params p;

    (void)state;
    memset(name, 'a', sizeof name - 1);
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        uris[i] = group_uri;
        long_uris[i % 5] = mcx_bytes_str(name);
    }
    good.rand = mcx_bytes(rand, sizeof rand);
#define MAKE(err, change)                                                                                              \
    do {                                                                                                               \
        p = good;                                                                                                      \
        change;                                                                                                        \
        assert_int_equal(mcx_imessage_make(&wr, &p, ring, &rng, NULL), (err));                                         \
        assert_int_equal(wr.len, 0);                                                                                   \
    } while (0)
    MAKE(MCX_E_ARG, p.key_id = 0x20000001);
    MAKE(MCX_E_ARG, p.key_id = 0x70000001);
    MAKE(MCX_E_ARG, p.rand.len = 15);
    MAKE(MCX_E_ARG, p.to.len = 0);
    MAKE(MCX_E_ARG, p.from.len = 0);
    MAKE(MCX_E_ARG, p.key = NULL);
    MAKE(MCX_E_ARG, p.key_params = &group); /* a PCK has no groups */
    MAKE(MCX_E_ARG, p.key_params = &late);
    good.type = MCX_KEY_GMK;
    good.key_id = 1;
    MAKE(MCX_E_ARG, p.key_params = &too_many);
    MAKE(MCX_E_ARG, p.key_params = &no_uri);
    MAKE(MCX_E_ARG, p.key_params = &too_long);
    good.type = MCX_KEY_PCK;
    good.key_id = 0x10000001;
    MAKE(MCX_E_NOKEY, p.from = mcx_bytes_str(BOB));
    MAKE(MCX_E_NOKEY, p.from_kms = mcx_bytes_str(KMS2));
    MAKE(MCX_E_NOKEY, p.to_kms = mcx_bytes_str(KMS2));
    MAKE(MCX_E_NOKEY, p.time.sec += 604800);
    MAKE(MCX_E_NOKEY, p.time.sec -= 604800);
    for (size_t cap = 0; cap < 559; cap += 50) {
        wr = mcx_wr(buf, cap);
        MAKE(MCX_E_SPACE, (void)0);
    }
#undef MAKE
    {
        struct mcx_kms_cert cert = ring_cert_own();

        cert.revoked = true;
        assert_int_equal(mcx_keyring_add_cert(ring, &cert, NULL), MCX_OK);
        assert_int_equal(mcx_imessage_make(&wr, &good, ring, &rng, NULL), MCX_E_EXPIRED);
        ring_cert_clear(&cert);
    }
    mcx_keyring_free(ring);
}

/* Alice under her KMS, Carol under another with its own period length: each side by its own parameters. */
static void test_two_kms(void **state)
{
    struct ring_kms home = ring_kms_new(KMS1, MCX_KMS_ROOT, "mcx.example.net", 0);
    struct ring_kms partner = ring_kms_new(KMS2, MCX_KMS_EXTERNAL, "partner.example", 3);
    struct mcx_keyring *alice = NULL, *carol = NULL;
    struct mcx_imessage_params p = call(&key1, ALICE, CAROL);
    struct mcx_imessage msg;
    struct vec message;

    (void)state;
    partner.cert.period = (struct mcx_key_period){ 2592000, 86400 };
    assert_int_equal(mcx_keyring_new(&alice, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(alice, &home.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(alice, &partner.cert, NULL), MCX_OK);
    ring_add(alice, &home, ALICE, ring_period(&home, now.sec));
    home.cert.role = MCX_KMS_EXTERNAL;
    partner.cert.role = MCX_KMS_ROOT;
    assert_int_equal(mcx_keyring_new(&carol, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(carol, &home.cert, NULL), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(carol, &partner.cert, NULL), MCX_OK);
    ring_add(carol, &partner, CAROL, ring_period(&partner, now.sec));

    assert_int_equal(open_one(&msg, make(alice, &p, 1), carol, NULL, now, &strict), MCX_OK);
    assert_string_equal(msg.kms_initiator, KMS1);
    assert_string_equal(msg.kms_responder, KMS2);
    mcx_imessage_clear(&msg);

    /* The partner's KMS issues a key for a user of ours: it verifies, and is refused all the same. */
    ring_add(carol, &partner, BOB, ring_period(&partner, now.sec));
    ring_add(alice, &home, ALICE, ring_period(&home, now.sec));
    p = call(&key1, BOB, ALICE);
    message = make(carol, &p, 2);
    {
        struct mcx_refusal why = { "", "" };

        assert_int_equal(mcx_imessage_open(&msg, vec_bytes(&message), alice, NULL, now, &strict, &why), MCX_E_POLICY);
        assert_non_null(strstr(why.reason, "not responsible"));
    }
    p = call(&key1, CAROL, ALICE); /* and for its own user it is right */
    assert_int_equal(open_one(&msg, make(carol, &p, 3), alice, NULL, now, &strict), MCX_OK);
    mcx_imessage_clear(&msg);
    mcx_keyring_free(alice);
    mcx_keyring_free(carol);
    ring_kms_clear(&home);
    ring_kms_clear(&partner);
}

/* A message of the last second of a period is opened in the next one, with the older key sets. */
static void test_period_boundary(void **state)
{
    struct ring_kms kms = ring_kms_new(KMS1, MCX_KMS_ROOT, NULL, 0);
    uint64_t start, end;
    struct mcx_keyring *alice = ring_own(1u << 2);
    struct mcx_keyring *bob = ring_own(1u << 3);
    struct mcx_imessage_params p = call(&key1, ALICE, BOB);
    struct mcx_imessage msg;

    (void)state;
    assert_int_equal(mcx_period_bounds(&start, &end, &kms.cert.period, 6582), MCX_OK);
    for (uint64_t t = end - 1; t <= end; t++) {
        if (t == end) {
            ring_add(alice, &kms, ALICE, 6583);
            ring_add(bob, &kms, BOB, 6583);
        }
        p.time = (struct mcx_ntp){ t, 0 };
        assert_int_equal(open_one(&msg, make(alice, &p, t), bob, NULL, (struct mcx_ntp){ end + 1, 0 }, &strict),
                         MCX_OK);
        assert_memory_equal(msg.initiator_uid, alice->sets[t - (end - 1)]->uid, MCX_UID_LEN);
        mcx_imessage_clear(&msg);
    }
    mcx_keyring_free(alice);
    mcx_keyring_free(bob);
    ring_kms_clear(&kms);
}

/* Key sets of the neighbour period are tried within a day of the boundary only (docs/DEVIATIONS.md
 * "mikey-period-neighbours"). */
static void test_neighbour_period(void **state)
{
    static const struct {
        uint64_t after; /* seconds after the boundary that T claims, with keys of the period before */
        mcx_err want;
    } rows[] = { { 0, MCX_OK }, { 86399, MCX_OK }, { 86400, MCX_E_NOKEY } };
    struct ring_kms kms = ring_kms_new(KMS1, MCX_KMS_ROOT, NULL, 0);
    uint64_t start, end;

    (void)state;
    assert_int_equal(mcx_period_bounds(&start, &end, &kms.cert.period, 6582), MCX_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_keyring *alice = ring_own(0);
        struct mcx_keyring *bob = ring_own(1u << 3);
        struct mcx_imessage_params p = call(&key1, ALICE, BOB);
        struct mcx_imessage msg;
        struct vec message;
        struct mcx_mikey_sakke_msg view;

        /* Alice's clock is wrong, so her key set is that of the period before: made there, T moved, signed again. */
        ring_add(alice, &kms, ALICE, 6582);
        p.time = (struct mcx_ntp){ end - 1, 0 };
        message = make(alice, &p, 1);
        assert_int_equal(mcx_mikey_sakke_msg_read(&view, vec_bytes(&message), NULL), MCX_OK);
        {
            uint32_t t = (uint32_t)(end + rows[i].after);
            struct fake_rng rng_state = { .seed = 3 };
            struct mcx_rng rng = fake_rng(&rng_state);

            for (size_t n = 0; n < 4; n++) {
                message.p[12 + n] = (uint8_t)(t >> (24 - 8 * n));
            }
            assert_int_equal(mcx_eccsi_sign(message.p + view.signed_octets.len, alice->sets[0]->signing,
                                            mcx_bytes(message.p, view.signed_octets.len), &rng),
                             MCX_OK);
        }
        assert_int_equal(open_one(&msg, message, bob, NULL, (struct mcx_ntp){ end + rows[i].after, 0 }, &strict),
                         rows[i].want);
        mcx_imessage_clear(&msg);
        mcx_keyring_free(alice);
        mcx_keyring_free(bob);
    }
    ring_kms_clear(&kms);
}

/* 2036-02-07T06:28:16Z: the 32-bit seconds start again at 0 (RFC 3830 4.2.8). */
static void test_2036(void **state)
{
    const uint64_t wrap = UINT64_C(1) << 32;
    struct ring_kms kms = ring_kms_new(KMS1, MCX_KMS_ROOT, NULL, 0);
    struct mcx_keyring *ring = ring_own(0);
    struct mcx_imessage_params p = call(&key1, ALICE, BOB);
    struct mcx_replay *replay = NULL;
    struct mcx_imessage msg;

    (void)state;
    assert_int_equal(mcx_replay_new(&replay, 8), MCX_OK);
    ring_add(ring, &kms, ALICE, ring_period(&kms, wrap));
    ring_add(ring, &kms, BOB, ring_period(&kms, wrap));
    for (uint64_t t = wrap - 1; t <= wrap + 1; t++) { /* T goes ffffffff, 00000000, 00000001: each later than before */
        p.time = (struct mcx_ntp){ t, 0 };
        assert_int_equal(open_one(&msg, make(ring, &p, t), ring, replay, (struct mcx_ntp){ wrap, 0 }, &strict), MCX_OK);
        assert_true(msg.time.sec == t);
        mcx_imessage_clear(&msg);
    }
    p.time = (struct mcx_ntp){ wrap - 1, 1 }; /* older than the latest of this key */
    assert_int_equal(open_one(&msg, make(ring, &p, 9), ring, replay, (struct mcx_ntp){ wrap, 0 }, &strict),
                     MCX_E_REPLAY);
    mcx_replay_free(replay);
    mcx_keyring_free(ring);
    ring_kms_clear(&kms);
}

/* q - s of the signature in a message: another form of the same signature (RFC 6507 5.2.1). */
static void malleate(struct vec *message)
{
    static const uint8_t q[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                   0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
    uint8_t *s = message->p + message->len - 97;
    int borrow = 0;

    for (size_t i = 32; i > 0; i--) {
        int d = q[i - 1] - s[i - 1] - borrow;

        borrow = d < 0;
        s[i - 1] = (uint8_t)d;
    }
}

static void test_replay(void **state)
{
    struct mcx_keyring *alice = ring_own(1u << 2);
    struct mcx_keyring *bob = ring_own(1u << 3);
    struct mcx_imessage_params p = call(&key1, ALICE, BOB);
    struct mcx_replay *replay = NULL;
    struct mcx_imessage msg;
    struct vec message = make(alice, &p, 1), other, broken;

    (void)state;
    assert_int_equal(mcx_replay_new(&replay, 2), MCX_OK);
    broken = message; /* what does not verify leaves no trace in the cache */
    broken.p[broken.len - 80] ^= 1;
    assert_int_equal(open_one(&msg, broken, bob, replay, now, &strict), MCX_E_AUTH);
    assert_int_equal(open_one(&msg, message, bob, replay, now, &strict), MCX_OK);
    assert_int_equal(open_one(&msg, message, bob, replay, now, &strict), MCX_E_REPLAY);
    malleate(&message);
    assert_int_equal(open_one(&msg, message, bob, NULL, now, &strict), MCX_OK); /* verifies */
    assert_int_equal(open_one(&msg, message, bob, replay, now, &strict), MCX_E_REPLAY);

    p.time.frac = 1; /* a later message with the same PCK-ID */
    p.rand.len = 0;
    other = make(alice, &p, 2);
    assert_int_equal(open_one(&msg, other, bob, replay, now, &strict), MCX_OK);
    p.time.frac = 0; /* an earlier one */
    p.rand.len = 0;
    assert_int_equal(open_one(&msg, make(alice, &p, 3), bob, replay, now, &strict), MCX_E_REPLAY);

    p.time.frac = 2; /* full: nothing is forgotten to make room */
    p.rand.len = 0;
    other = make(alice, &p, 4);
    assert_int_equal(open_one(&msg, other, bob, replay, now, &strict), MCX_E_SPACE);
    assert_int_equal(open_one(&msg, message, bob, replay, now, &strict), MCX_E_REPLAY);
    /* Up to the last second in which the first two could be accepted again they keep their places. */
    p.time = (struct mcx_ntp){ now.sec + 3600, 0 };
    p.rand.len = 0;
    assert_int_equal(open_one(&msg, make(alice, &p, 6), bob, replay, p.time, &strict), MCX_E_SPACE);
    p.time = (struct mcx_ntp){ now.sec, 2 };
    /* An hour later the first two could not be accepted any more, and their places are free. */
    p.time.sec += 3700;
    assert_int_equal(open_one(&msg, make(alice, &p, 5), bob, replay, p.time, &strict), MCX_OK);
    mcx_imessage_clear(&msg);
    mcx_replay_free(replay);
    mcx_keyring_free(alice);
    mcx_keyring_free(bob);
}

/* A revocation counts although its key is refused: an older message cannot bring the key back. */
static void test_revoked_stays(void **state)
{
    const struct mcx_key_params revoked = { .status = 0 }, valid = { .status = 1 };
    struct mcx_keyring *gms = ring_own(1u << 4);
    struct mcx_keyring *alice = ring_own(1u << 2);
    struct mcx_imessage_params p = call(&key1, GMS, ALICE);
    struct mcx_replay *replay = NULL;
    struct mcx_imessage msg;
    struct vec old;

    (void)state;
    assert_int_equal(mcx_replay_new(&replay, 8), MCX_OK);
    p.type = MCX_KEY_GMK;
    p.key_id = 0x00000001;
    p.key_params = &valid;
    old = make(gms, &p, 1);
    p.time.sec += 1;
    p.key_params = &revoked;
    p.rand.len = 0;
    assert_int_equal(open_one(&msg, make(gms, &p, 2), alice, replay, now, &strict), MCX_E_POLICY);
    assert_int_equal(open_one(&msg, old, alice, NULL, now, &strict), MCX_OK);
    assert_int_equal(open_one(&msg, old, alice, replay, now, &strict), MCX_E_REPLAY);
    mcx_imessage_clear(&msg);
    mcx_replay_free(replay);
    mcx_keyring_free(gms);
    mcx_keyring_free(alice);
}

/* Who keeps the states of group keys sees the revocation, with the key identifier and the groups. */
static void test_revocation_seen(void **state)
{
    const struct mcx_bytes uris[] = { mcx_bytes_str("sip:fire@x"), mcx_bytes_str("sip:rescue@x") };
    const struct mcx_key_params revoked = { .status = 0, .groups = uris, .num_groups = 2 };
    const struct mcx_imessage_policy policy = { .ignore_status = true };
    struct mcx_keyring *gms = ring_own(1u << 4);
    struct mcx_keyring *alice = ring_own(1u << 2);
    struct mcx_imessage_params p = call(&key1, GMS, ALICE);
    struct mcx_imessage msg;

    (void)state;
    p.type = MCX_KEY_GMK;
    p.key_id = 0x00000001;
    p.key_params = &revoked;
    assert_int_equal(open_one(&msg, make(gms, &p, 1), alice, NULL, now, &policy), MCX_OK);
    assert_true(msg.has_key_params);
    assert_int_equal(msg.key_status, 0);
    assert_int_equal(msg.key_id, 1);
    assert_int_equal(msg.num_groups, 2);
    assert_string_equal(msg.groups[0], "sip:fire@x");
    assert_string_equal(msg.groups[1], "sip:rescue@x");
    mcx_imessage_clear(&msg);
    mcx_keyring_free(gms);
    mcx_keyring_free(alice);
}

/* A stored message is remembered as long as its key set is kept, and refused after that. */
static void test_replay_of_any_age(void **state)
{
    const struct mcx_imessage_policy any = { .past_skew_s = MCX_SKEW_ANY };
    struct mcx_keyring *alice = ring_own(1u << 2);
    struct mcx_keyring *bob = ring_own(1u << 3);
    struct mcx_imessage_params p = call(&key1, ALICE, BOB);
    struct mcx_replay *replay = NULL;
    struct mcx_imessage msg;
    struct mcx_refusal why = { "", "" };
    struct vec message = make(alice, &p, 1);

    (void)state;
    assert_int_equal(mcx_replay_new(&replay, 2), MCX_OK);
    assert_int_equal(open_one(&msg, message, bob, replay, (struct mcx_ntp){ now.sec + 604800, 0 }, &any), MCX_OK);
    assert_int_equal(open_one(&msg, message, bob, replay, (struct mcx_ntp){ now.sec + 1209600, 0 }, &any),
                     MCX_E_REPLAY);
    p.time.sec += 60;
    p.rand.len = 0;
    message = make(alice, &p, 3);
    assert_int_equal(mcx_imessage_open(&msg, vec_bytes(&message), bob, replay,
                                       (struct mcx_ntp){ now.sec + 4 * 604800, 0 }, &any, &why),
                     MCX_E_EXPIRED);
    assert_string_equal(why.reason, "older than the key periods that are kept");
    mcx_imessage_clear(&msg);
    mcx_replay_free(replay);
    mcx_keyring_free(alice);
    mcx_keyring_free(bob);
}

/* Group media of one member, opened by another: CSB ID is the GUK-ID of who transmits, taken from the MKI. */
static void hear(const struct mcx_imessage *speaker, const struct mcx_imessage *listener)
{
    const uint8_t rtp[] = { 0x80, 97, 0, 1, 0, 0, 0, 0, 0xca, 0xfe, 0xba, 0xbe, 'h', 'e', 'l', 'l', 'o' };
    uint8_t mki[8], wire[64], heard[64];
    struct mcx_wr mki_wr = mcx_wr(mki, sizeof mki), out = mcx_wr(wire, sizeof wire), in = mcx_wr(heard, sizeof heard);
    struct mcx_srtp_master sent, received;
    struct mcx_srtp_params sp = { .master = &sent, .roc_rate = speaker->roc_rate };
    struct mcx_srtp_params rp = { .master = &received, .roc_rate = listener->roc_rate };
    struct mcx_srtp_tx *tx = NULL;
    struct mcx_srtp_rx *rx = NULL;
    struct mcx_bytes seen;
    struct mcx_rd rd;
    uint32_t gmk_id, guk_id;

    assert_int_equal(mcx_wr_u32(&mki_wr, speaker->key_id), MCX_OK);
    assert_int_equal(mcx_wr_u32(&mki_wr, speaker->csb_id), MCX_OK);
    sp.mki = mcx_wr_done(&mki_wr);
    assert_int_equal(
        mcx_srtp_master_derive(&sent, &speaker->key, 4, speaker->csb_id, mcx_bytes(speaker->rand, speaker->rand_len)),
        MCX_OK);
    assert_int_equal(mcx_srtp_tx_new(&tx, &sp), MCX_OK);
    assert_int_equal(mcx_srtp_protect(tx, &out, mcx_bytes(rtp, sizeof rtp)), MCX_OK);

    assert_int_equal(mcx_srtp_mki_read(&seen, mcx_wr_done(&out), 8, listener->roc_rate), MCX_OK);
    rd = mcx_rd(seen);
    assert_int_equal(mcx_rd_u32(&rd, &gmk_id), MCX_OK);
    assert_int_equal(mcx_rd_u32(&rd, &guk_id), MCX_OK);
    assert_int_equal(gmk_id, listener->key_id);
    assert_int_not_equal(guk_id, listener->csb_id);
    assert_int_equal(
        mcx_srtp_master_derive(&received, &listener->key, 4, guk_id, mcx_bytes(listener->rand, listener->rand_len)),
        MCX_OK);
    rp.mki = seen;
    assert_int_equal(mcx_srtp_rx_new(&rx, &rp, 4), MCX_OK);
    assert_int_equal(mcx_srtp_unprotect(rx, &in, mcx_wr_done(&out), NULL), MCX_OK);
    assert_int_equal(in.len, sizeof rtp);
    assert_memory_equal(heard, rtp, sizeof rtp);
    mcx_srtp_tx_free(tx);
    mcx_srtp_rx_free(rx);
    mcx_srtp_master_clear(&sent);
    mcx_srtp_master_clear(&received);
}

static void test_group_of_two(void **state)
{
    struct mcx_keyring *gms = ring_own(1u << 4);
    struct mcx_keyring *members[] = { ring_own(1u << 2), ring_own(1u << 3) };
    const char *const names[] = { ALICE, BOB };
    const uint8_t rand[MCX_RAND_LEN] = { 7, 7, 7 };
    const struct mcx_bytes group = mcx_bytes_str("sip:group1@mcx.example.net");
    const struct mcx_key_params kp = { .status = 1, .groups = &group, .num_groups = 1 };
    struct mcx_imessage msg[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct mcx_imessage_params p = call(&key1, GMS, names[i]);

        p.type = MCX_KEY_GMK;
        p.key_id = 0x0123cdef;
        p.rand = mcx_bytes(rand, sizeof rand); /* one RAND for all messages with this GMK (RFC 3830 6.11) */
        p.time.frac = (uint32_t)i;             /* each time stamp its own (RFC 3830 5.2) */
        p.key_params = &kp;
        assert_int_equal(open_one(&msg[i], make(gms, &p, 1 + i), members[i], NULL, now, &strict), MCX_OK);
        assert_int_equal(msg[i].key_id, 0x0123cdef);
        assert_int_equal(msg[i].num_groups, 1);
        assert_string_equal(msg[i].groups[0], "sip:group1@mcx.example.net");
        assert_true(msg[i].rcc);
    }
    assert_int_not_equal(msg[0].csb_id, msg[1].csb_id);
    hear(&msg[0], &msg[1]);
    hear(&msg[1], &msg[0]);
    for (size_t i = 0; i < 2; i++) {
        mcx_imessage_clear(&msg[i]);
        mcx_keyring_free(members[i]);
    }
    mcx_keyring_free(gms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),        cmocka_unit_test(test_make_refuses),
        cmocka_unit_test(test_two_kms),          cmocka_unit_test(test_period_boundary),
        cmocka_unit_test(test_neighbour_period), cmocka_unit_test(test_2036),
        cmocka_unit_test(test_replay),           cmocka_unit_test(test_replay_of_any_age),
        cmocka_unit_test(test_group_of_two),     cmocka_unit_test(test_revoked_stays),
        cmocka_unit_test(test_revocation_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
