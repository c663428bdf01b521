/* SPDX-License-Identifier: Apache-2.0 */
/* I_MESSAGEs that must not be accepted (RFC 3830 5.3, RFC 6507 5.2.2, RFC 6508 6.2.2): altered ones, and ones that a
 * legitimate signer made wrongly. Every refusal leaves the output wiped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "crypto/sym/sym.h"
#include "support/fake.h"
#include "support/mikey_parts.h"
#include "support/ring.h"

#define OWN1 "mikey-imessages/own-1-pck-default-profile.txt"
#define OWN2 "mikey-imessages/own-2-pck-sakke-to-self.txt"
#define OWN3 "mikey-imessages/own-3-gmk.txt"
#define OWN4 "mikey-imessages/own-4-gmk-hidden-identities.txt"
#define OWN5 "mikey-imessages/own-5-csk.txt"

static const struct mcx_ntp own_time = { RING_OWN_TIME, 0 };
static const struct mcx_imessage_policy strict;

static mcx_err try_open(struct vec message, const struct mcx_keyring *ring, struct mcx_ntp now,
                        const struct mcx_imessage_policy *policy, struct mcx_refusal *why)
{
    static const struct mcx_imessage wiped;
    struct mcx_imessage msg;
    mcx_err err = mcx_imessage_open(&msg, vec_bytes(&message), ring, NULL, now, policy, why);

    if (err != MCX_OK) {
        assert_memory_equal(&msg, &wiped, sizeof msg);
    }
    mcx_imessage_clear(&msg);
    return err;
}

static void want_refused(const char *what, struct vec message, const struct mcx_keyring *ring,
                         const struct mcx_imessage_policy *policy, mcx_err err, const char *reason)
{
    struct mcx_refusal why = { "", "" };
    mcx_err got = try_open(message, ring, own_time, policy, &why);

    if (got != err || strstr(why.reason, reason) == NULL) {
        fail_msg("%s: %s, %s", what, mcx_err_name(got), why.reason);
    }
}

/* Sign the octets again as one of our users would: what is wrong is then not the signature. */
static struct vec resign(struct vec message, int signer)
{
    struct mcx_kms_key_set set = ring_set_own(signer);
    struct mcx_kms_cert cert = ring_cert_own();
    struct mcx_eccsi_kms *kms = NULL;
    struct mcx_eccsi_key key;
    struct fake_rng state = { .seed = 5 };
    struct mcx_rng rng = fake_rng(&state);
    size_t n = message.len - MCX_ECCSI_SIG_LEN;

    assert_int_equal(mcx_eccsi_kms_new(&kms, cert.pub_auth_key), MCX_OK);
    assert_int_equal(mcx_eccsi_key_init(&key, kms, mcx_bytes(set.uid, sizeof set.uid), set.ssk, set.pvt), MCX_OK);
    assert_int_equal(mcx_eccsi_sign(message.p + n, &key, mcx_bytes(message.p, n), &rng), MCX_OK);
    mcx_eccsi_key_clear(&key);
    mcx_eccsi_kms_free(kms);
    ring_cert_clear(&cert);
    ring_set_clear(&set);
    return message;
}

static void test_every_bit(void **state)
{
    struct vec message = vec_get(OWN1, NULL, "message");
    struct mcx_keyring *ring = ring_own(1u << 3);

    (void)state;
    for (size_t bit = 0; bit < 8 * message.len; bit++) {
        struct mcx_refusal why = { "", "" };

        message.p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (try_open(message, ring, own_time, &strict, &why) == MCX_OK) {
            fail_msg("bit %zu of octet %zu changed, and the message opens", bit % 8, bit / 8);
        }
        assert_string_not_equal(why.reason, "");
        message.p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_int_equal(try_open(message, ring, own_time, &strict, NULL), MCX_OK);
    mcx_keyring_free(ring);
}

static void test_every_prefix(void **state)
{
    struct vec message = vec_get(OWN2, NULL, "message");
    struct mcx_keyring *ring = ring_own(1u << 3);
    size_t len = message.len;

    (void)state;
    for (message.len = 0; message.len < len; message.len++) {
        assert_int_not_equal(try_open(message, ring, own_time, &strict, NULL), MCX_OK);
    }
    mcx_keyring_free(ring);
}

/* r, s or PVT outside what they can be. Offsets into the signature: r 0, s 32, PVT 64. */
static void test_signature_values(void **state)
{
    static const char *const values[] = {
        "0000000000000000000000000000000000000000000000000000000000000000", /* 0 */
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", /* q */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    struct mcx_keyring *ring = ring_own(1u << 3);

    (void)state;
    for (size_t at = 0; at <= 32; at += 32) {
        for (size_t i = 0; i < 3; i++) {
            struct vec message = vec_get(OWN1, NULL, "message");
            struct vec value = vec_hex(values[i]);

            memcpy(message.p + message.len - MCX_ECCSI_SIG_LEN + at, value.p, value.len);
            want_refused("r or s", message, ring, &strict, MCX_E_AUTH, "signature");
        }
    }
    for (size_t i = 0; i < 65; i += 8) { /* PVT: first the 04, then coordinates */
        struct vec message = vec_get(OWN1, NULL, "message");

        message.p[message.len - 65 + i] ^= 1;
        want_refused("PVT", message, ring, &strict, MCX_E_AUTH, "signature");
    }
    mcx_keyring_free(ring);
}

/* KPAK of another KMS under the name of the right one. */
static void test_other_kpak(void **state)
{
    struct ring_kms fake = ring_kms_new("kms1.mcx.example.net", MCX_KMS_ROOT, NULL, 9);
    struct mcx_keyring *ring = NULL;

    (void)state;
    assert_int_equal(mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE), MCX_OK);
    assert_int_equal(mcx_keyring_add_cert(ring, &fake.cert, NULL), MCX_OK);
    ring_add(ring, &fake, "sip:unit08@mcx.example.net", 6582);
    want_refused("KPAK", vec_get(OWN1, NULL, "message"), ring, &strict, MCX_E_AUTH, "signature");
    mcx_keyring_free(ring);
    ring_kms_clear(&fake);
}

/* Encapsulated data that is wrong, under a good signature: one refusal, whatever the step (RFC 6508 6.2.2). */
static void test_sakke_data(void **state)
{
    static const struct {
        const char *name;
        size_t at, len;
        int fill;
    } rows[] = {
        { "first octet not 04", 0, 1, 0x05 }, { "Rx past p", 1, 128, 0xff },      { "Ry past p", 129, 128, 0xff },
        { "R = (0,0)", 1, 256, 0x00 },        { "not on the curve", 1, 1, 0x01 }, { "other H", 257, 16, 0x55 },
    };
    struct mcx_keyring *ring = ring_own(1u << 3);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec message = vec_get(OWN1, NULL, "message");

        memset(message.p + 0x96 + 5 + rows[i].at, rows[i].fill, rows[i].len);
        want_refused(rows[i].name, resign(message, 2), ring, &strict, MCX_E_AUTH, "the key does not open");
    }
    mcx_keyring_free(ring);
}

/* Encapsulated to somebody else, though IDRr is ours. */
static void test_sakke_for_another(void **state)
{
    struct vec message = vec_get(OWN1, NULL, "message");
    struct mcx_keyring *ring = ring_own(1u << 2);
    char *idrr = NULL;

    (void)state;
    for (size_t i = 0x45; i < 0x64; i++) { /* IDRr: unit08 becomes unit07 */
        if (memcmp(message.p + i, "unit08", 6) == 0) {
            idrr = (char *)message.p + i;
        }
    }
    assert_non_null(idrr);
    idrr[5] = '7';
    want_refused("other UID", resign(message, 2), ring, &strict, MCX_E_AUTH, "the key does not open");
    mcx_keyring_free(ring);
}

static const struct {
    const char *name, *file;
    int signer;
    uint8_t number;
    size_t n;
    const char *hex; /* of the payload after its next-payload octet */
    mcx_err want;
    const char *reason;
} changes[] = {
    { "SAKKE parameter set 2", OWN1, 2, MCX_MIKEY_PL_SAKKE, 0, "02 02 0001 04", MCX_E_UNSUP, "parameter set" },
    { "ID scheme 1", OWN1, 2, MCX_MIKEY_PL_SAKKE, 0, "01 01 0001 04", MCX_E_UNSUP, "scheme" },
    { "SAKKE data of 1", OWN1, 2, MCX_MIKEY_PL_SAKKE, 0, "01 02 0001 04", MCX_E_UNSUP, "273" },
    { "SP with AES-CM", OWN3, 4, MCX_MIKEY_PL_SP, 0, "00 00 0006 000101 010110", MCX_E_UNSUP, "policy" },
    { "SP of another protocol", OWN3, 4, MCX_MIKEY_PL_SP, 0, "00 01 0000", MCX_E_UNSUP, "policy" },
    { "SP under another number", OWN3, 4, MCX_MIKEY_PL_SP, 0, "01 00 0000", MCX_E_FORMAT, "not there" },
    { "SDP IDs", OWN3, 4, MCX_MIKEY_PL_EXT, 0, "01 000c 6d696b65793b6f74686572 00", MCX_E_POLICY, "protocols" },
    { "unknown IDRkmsi", OWN1, 2, MCX_MIKEY_PL_IDR, 2, "06 01 0003 6b6d73", MCX_E_NOKEY, "initiator's KMS" },
    { "unknown IDRkmsr", OWN1, 2, MCX_MIKEY_PL_IDR, 3, "07 01 0003 6b6d73", MCX_E_NOKEY, "responder's KMS" },
    { "IDRi with a NUL", OWN1, 2, MCX_MIKEY_PL_IDR, 0, "01 01 0003 610062", MCX_E_FORMAT, "URI" },
    { "IDRi with a line end", OWN1, 2, MCX_MIKEY_PL_IDR, 0, "01 01 0003 610a62", MCX_E_FORMAT, "URI" },
    { "IDRi not UTF-8", OWN1, 2, MCX_MIKEY_PL_IDR, 0, "01 01 0003 61ff62", MCX_E_FORMAT, "URI" },
    { "UID of nobody as initiator", OWN4, 4, MCX_MIKEY_PL_IDR, 0,
      "08 01 0020 0000000000000000000000000000000000000000000000000000000000000001", MCX_E_AUTH, "signature" },
    { "UID of nobody as responder", OWN4, 4, MCX_MIKEY_PL_IDR, 1,
      "09 01 0020 0000000000000000000000000000000000000000000000000000000000000001", MCX_E_NOKEY, "not addressed" },
    { "extension 6 of another length", OWN2, 2, MCX_MIKEY_PL_EXT, 0, "06 0006 00 01 02 0001 04", MCX_E_UNSUP, "273" },
    { "key parameters, odd layout", OWN3, 4, MCX_MIKEY_PL_EXT, 0, "07 0003 000000", MCX_E_FORMAT, "key parameters" },
    { "key parameters in clear", OWN3, 4, MCX_MIKEY_PL_EXT, 0, "07 000f 000000000100000000000000000000", MCX_E_POLICY,
      "in clear" },
    { "key parameters of another key", OWN3, 4, MCX_MIKEY_PL_EXT, 0,
      "07 0034 43 0069a81ec0 00000000 00 01 00112233445566778899aabbccddeeff 0e1f7b6c 00 0011 "
      "7995 96fb121cdb211681444064d88c3bea",
      MCX_E_AUTH, "authenticate" },
    { "key parameters, other algorithm", OWN3, 4, MCX_MIKEY_PL_EXT, 0,
      "07 0034 43 0069a81ec0 00000000 00 02 00112233445566778899aabbccddeeff 0e1f7b6c 00 0011 "
      "7995 96fb121cdb211681444064d88c3bea",
      MCX_E_UNSUP, "algorithm" },
    { "DPPK-ID is not the CSB ID", OWN3, 4, MCX_MIKEY_PL_EXT, 0,
      "07 0034 43 0069a81ec0 00000000 00 01 00112233445566778899aabbccddeeff 0e1f7b6d 00 0011 "
      "7995 96fb121cdb211681444064d88c3bea",
      MCX_E_FORMAT, "DPPK-ID" },
};

static void test_signed_but_wrong(void **state)
{
    static struct mikey_parts parts;

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct vec message = vec_get(changes[i].file, NULL, "message");
        /* own-3 goes to unit07, the others to unit08 */
        struct mcx_keyring *ring = ring_own(strcmp(changes[i].file, OWN3) == 0 ? 1u << 2 : 1u << 3);
        size_t at;

        mikey_split(&parts, vec_bytes(&message));
        at = mikey_find(&parts, changes[i].number, changes[i].n);
        mikey_replace(&parts, at, changes[i].hex);
        /* IDRi stays that of the signer in these rows, or the message is refused before the signature counts */
        want_refused(changes[i].name, resign(mikey_join(&parts), changes[i].signer), ring, &strict, changes[i].want,
                     changes[i].reason);
        mcx_keyring_free(ring);
    }
}

/* Header fields of a signed message. Offsets: CSB ID 4, the block of own-3 at 10, its SPI at 17. */
static void test_headers(void **state)
{
    static const struct {
        const char *name, *file;
        int signer;
        size_t at;
        uint8_t value;
        mcx_err want;
        const char *reason;
    } rows[] = {
        { "tag 7", OWN1, 2, 4, 0x7a, MCX_E_UNSUP, "purpose tag" },
        { "tag 15", OWN1, 2, 4, 0xfa, MCX_E_UNSUP, "purpose tag" },
        { "tag changed, key parameters stay", OWN2, 2, 4, 0x2a, MCX_E_FORMAT, "DPPK-ID" },
        { "GUK-ID changed", OWN3, 4, 7, 0x6d, MCX_E_FORMAT, "SPI" },
        { "GMK-ID in the SPI changed", OWN3, 4, 17, 0x02, MCX_E_FORMAT, "SPI" },
        { "GUK-ID in the SPI changed", OWN3, 4, 24, 0x6d, MCX_E_FORMAT, "SPI" },
        { "session of another protocol", OWN3, 4, 11, 0x01, MCX_E_UNSUP, "SRTP" },
        { "policy that is not there", OWN3, 4, 13, 0x01, MCX_E_FORMAT, "not there" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec message = vec_get(rows[i].file, NULL, "message");
        struct mcx_keyring *ring = ring_own(strcmp(rows[i].file, OWN3) == 0 ? 1u << 2 : 1u << 3);

        assert_int_not_equal(message.p[rows[i].at], rows[i].value);
        message.p[rows[i].at] = rows[i].value;
        want_refused(rows[i].name, resign(message, rows[i].signer), ring, &strict, rows[i].want, rows[i].reason);
        mcx_keyring_free(ring);
    }
}

/* #P = 0 (RFC 6043 6.1.1): one SP is obeyed; of two none is picked, the default profile applies. */
static void test_session_without_policy(void **state)
{
    static const char rate_2[] = "00 00 001f 000106 010110 020104 04010c 050100 060100 0d020002 120104 130100 140110";
    static const char rate_4[] = "01 00 001f 000106 010110 020104 04010c 050100 060100 0d020004 120104 130100 140110";
    static struct mikey_parts parts;
    struct mcx_keyring *ring = ring_own(1u << 2);
    struct vec message = vec_get(OWN3, NULL, "message");
    struct mcx_imessage msg;
    size_t sp;

    (void)state;
    mikey_split(&parts, vec_bytes(&message));
    parts.map = vec_hex("04 00 00 0000 00");
    parts.hdr.map = vec_bytes(&parts.map);
    sp = mikey_find(&parts, MCX_MIKEY_PL_SP, 0);
    for (uint16_t rate = 2; rate > 0; rate--) {
        struct vec v;

        mikey_replace(&parts, sp, rate_2);
        v = resign(mikey_join(&parts), 4);
        assert_int_equal(mcx_imessage_open(&msg, vec_bytes(&v), ring, NULL, own_time, &strict, NULL), MCX_OK);
        assert_int_equal(msg.roc_rate, rate);
        mcx_imessage_clear(&msg);
        if (rate == 2) {
            mikey_copy(&parts, sp, sp + 1);
            mikey_replace(&parts, sp + 1, rate_4);
        }
    }
    mcx_keyring_free(ring);
}

/* Key parameters sealed by the signer himself, with contents of our choice. */
static struct vec with_params(const char *plain_hex)
{
    static struct mikey_parts parts;
    struct vec message = vec_get(OWN2, NULL, "message");
    struct vec ssv = vec_get(OWN2, NULL, "ssv");
    struct vec plain = vec_hex(plain_hex);
    struct vec head = vec_get(OWN2, NULL, "keyparams.aad");
    struct vec iv = vec_get(OWN2, NULL, "keyparams.iv");
    struct mcx_key k, dpck;
    struct mcx_gcm *gcm = NULL;
    uint8_t sealed[512], tag[MCX_GCM_TAG_LEN];
    uint8_t ext[1024];
    struct mcx_wr wr = mcx_wr(ext, sizeof ext);
    size_t at;

    memcpy(k.octet, ssv.p, sizeof k.octet);
    assert_int_equal(mcx_dpck(&dpck, &k, 0x1a2b3c4d), MCX_OK);
    assert_int_equal(mcx_gcm_new(&gcm, mcx_bytes(dpck.octet, sizeof dpck.octet), 16), MCX_OK);
    assert_int_equal(mcx_gcm_seal(gcm, sealed, tag, iv.p, vec_bytes(&head), vec_bytes(&plain)), MCX_OK);
    mcx_gcm_free(gcm);
    mikey_split(&parts, vec_bytes(&message));
    at = mikey_find(&parts, MCX_MIKEY_PL_EXT, 1);
    assert_int_equal(mcx_wr_u8(&wr, MCX_MIKEY_PL_SIGN), MCX_OK);
    assert_int_equal(mcx_wr_u8(&wr, MCX_MIKEY_EXT_KEY_PARAMS), MCX_OK);
    assert_int_equal(mcx_wr_u16(&wr, (uint16_t)(head.len + 3 + plain.len + sizeof tag)), MCX_OK);
    assert_int_equal(mcx_wr_put(&wr, vec_bytes(&head)), MCX_OK);
    assert_int_equal(mcx_wr_u8(&wr, 0), MCX_OK);
    assert_int_equal(mcx_wr_u16(&wr, (uint16_t)(plain.len + sizeof tag)), MCX_OK);
    assert_int_equal(mcx_wr_put(&wr, mcx_bytes(sealed, plain.len)), MCX_OK);
    assert_int_equal(mcx_wr_put(&wr, mcx_bytes(tag, sizeof tag)), MCX_OK);
    memcpy(parts.part[at].octets.p, ext, wr.len);
    parts.part[at].octets.len = wr.len;
    return resign(mikey_join(&parts), 2);
}

#define G1 "7b000161" /* one MC group ID: "a" */
#define G4 G1 G1 G1 G1
static void test_key_params(void **state)
{
    static const struct {
        const char *name, *plain;
        mcx_err want;
        const char *reason;
    } rows[] = {
        { "good", "01 00000001 0000000000 0000000000 0000", MCX_OK, "" },
        { "with IE head", "06 0011 01 00000001 0000000000 0000000000 0000", MCX_OK, "" },
        { "other key type", "02 00000001 0000000000 0000000000 0000", MCX_E_FORMAT, "key type" },
        { "revoked", "01 00000000 0000000000 0000000000 0000", MCX_E_POLICY, "revoked" },
        { "revoked, other bit set", "01 00000002 0000000000 0000000000 0000", MCX_E_POLICY, "revoked" },
        { "expired a second ago", "01 00000001 0000000000 0069a81ebf 0000", MCX_E_EXPIRED, "expired" },
        { "expires now", "01 00000001 0000000000 0069a81ec0 0000", MCX_E_EXPIRED, "expired" },
        { "expires in a second", "01 00000001 0000000000 0069a81ec1 0000", MCX_OK, "" },
        { "starts tomorrow", "01 00000001 0069a97040 0000000000 0000", MCX_OK, "" },
        { "too short", "01 000000", MCX_E_FORMAT, "malformed" },
        { "empty", "", MCX_E_FORMAT, "malformed" },
        { "group with a NUL", "01 00000001 0000000000 0000000000 0000 0006 01 7b 0002 6100", MCX_E_FORMAT, "group" },
        { "empty group", "01 00000001 0000000000 0000000000 0000 0004 01 7b 0000", MCX_E_FORMAT, "no URI" },
        { "the same group twice", "01 00000001 0000000000 0000000000 0000 0009 02" G1 G1, MCX_OK, "" },
        { "second group is none", "01 00000001 0000000000 0000000000 0000 0008 02" G1 "7b0000", MCX_E_FORMAT,
          "no URI" },
        { "16 groups", "01 00000001 0000000000 0000000000 0000 0041 10" G4 G4 G4 G4, MCX_OK, "" },
        { "17 groups", "01 00000001 0000000000 0000000000 0000 0045 11" G4 G4 G4 G4 G1, MCX_E_UNSUP, "more MC group" },
        { "two counted, one there", "01 00000001 0000000000 0000000000 0000 0005 02" G1, MCX_E_FORMAT, "malformed" },
        { "one counted, two there", "01 00000001 0000000000 0000000000 0000 0009 01" G1 G1, MCX_E_FORMAT, "malformed" },
    };
    struct mcx_keyring *ring = ring_own(1u << 3);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_refusal why = { "", "" };
        mcx_err got = try_open(with_params(rows[i].plain), ring, own_time, &strict, &why);

        if (got != rows[i].want || strstr(why.reason, rows[i].reason) == NULL) {
            fail_msg("%s: %s, %s", rows[i].name, mcx_err_name(got), why.reason);
        }
    }
    mcx_keyring_free(ring);
}

/* Where a key of another kind may not arrive. */
static void test_allowed_types(void **state)
{
    static const char *const files[] = { OWN3, OWN1, OWN5 };
    struct mcx_keyring *rings[] = { ring_own(1u << 2), ring_own(1u << 3), ring_for(OWN5) };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (unsigned type = 0; type < MCX_NUM_KEY_TYPES; type++) {
            struct mcx_imessage_policy policy = { .allowed_types = 1u << type };

            if (type == i) { /* GMK, PCK, CSK are 0, 1, 2 */
                assert_int_equal(try_open(vec_get(files[i], NULL, "message"), rings[i], own_time, &policy, NULL),
                                 MCX_OK);
                continue;
            }
            want_refused("type", vec_get(files[i], NULL, "message"), rings[i], &policy, MCX_E_POLICY, "arrive");
        }
        mcx_keyring_free(rings[i]);
    }
}

static void test_skew(void **state)
{
    static const struct {
        int64_t late;
        uint32_t future, past;
        mcx_err want;
    } rows[] = {
        { 0, 0, 0, MCX_OK },           { 3600, 0, 0, MCX_OK },
        { 3601, 0, 0, MCX_E_EXPIRED }, { -300, 0, 0, MCX_OK },
        { -301, 0, 0, MCX_E_EXPIRED }, { 11, 0, 10, MCX_E_EXPIRED },
        { -11, 10, 0, MCX_E_EXPIRED }, { 86400 * 5, 0, MCX_SKEW_ANY, MCX_OK },
    };
    struct mcx_keyring *ring = ring_own(1u << 3);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_imessage_policy policy = { .future_skew_s = rows[i].future, .past_skew_s = rows[i].past };
        struct mcx_ntp now = { (uint64_t)((int64_t)RING_OWN_TIME + rows[i].late), 0 };

        assert_int_equal(try_open(vec_get(OWN1, NULL, "message"), ring, now, &policy, NULL), rows[i].want);
    }
    mcx_keyring_free(ring);
}

/* The signalling names somebody else, or the right one (TS 33.180 E.7). */
static void test_expected_initiator(void **state)
{
    struct mcx_imessage_policy right = { .initiator = mcx_bytes_str("sip:gms1@mcx.example.net") };
    struct mcx_imessage_policy wrong = { .initiator = mcx_bytes_str("sip:gms2@mcx.example.net") };
    struct mcx_keyring *ring = ring_own(1u << 2 | 1u << 3);
    struct vec hidden = vec_get(OWN4, NULL, "message");
    struct mcx_imessage msg;

    (void)state;
    assert_int_equal(mcx_imessage_open(&msg, vec_bytes(&hidden), ring, NULL, own_time, &right, NULL), MCX_OK);
    assert_string_equal(msg.initiator, "sip:gms1@mcx.example.net");
    mcx_imessage_clear(&msg);
    want_refused("hidden", hidden, ring, &wrong, MCX_E_AUTH, "IDRuidi");
    want_refused("open", vec_get(OWN3, NULL, "message"), ring, &wrong, MCX_E_POLICY, "expected");
    assert_int_equal(try_open(vec_get(OWN3, NULL, "message"), ring, own_time, &right, NULL), MCX_OK);
    mcx_keyring_free(ring);
}

static void test_own_messages(void **state)
{
    const struct mcx_imessage_policy own = { .accept_own = true };
    struct mcx_keyring *ring = ring_own(1u << 2);
    struct vec message = vec_get(OWN2, NULL, "message");
    struct vec ssv = vec_get(OWN2, NULL, "ssv");
    struct mcx_imessage msg;

    (void)state;
    /* Our own offer sent back to us is no call for us. */
    want_refused("reflected", message, ring, &strict, MCX_E_NOKEY, "not addressed");
    want_refused("reflected", vec_get(OWN1, NULL, "message"), ring, &own, MCX_E_NOKEY, "not addressed");
    assert_int_equal(mcx_imessage_open(&msg, vec_bytes(&message), ring, NULL, own_time, &own, NULL), MCX_OK);
    assert_true(msg.own);
    assert_memory_equal(msg.key.octet, ssv.p, MCX_KEY_LEN);
    assert_string_equal(msg.initiator, "sip:unit07@mcx.example.net");
    assert_string_equal(msg.responder, "sip:unit08@mcx.example.net");
    mcx_imessage_clear(&msg);
    mcx_keyring_free(ring);

    /* With both key sets held, extension 6 has to hold the same key. Here it is made for another one. */
    ring = ring_own(1u << 2 | 1u << 3);
    assert_int_equal(try_open(message, ring, own_time, &strict, NULL), MCX_OK);
    {
        struct mcx_kms_cert cert = ring_cert_own();
        struct mcx_kms_key_set set = ring_set_own(2);
        struct mcx_sakke_kms *kms = NULL;
        struct mcx_key other = { { 1, 2, 3 } };

        assert_int_equal(mcx_sakke_kms_new(&kms, cert.pub_enc_key, MCX_SAKKE_TABLES_NONE), MCX_OK);
        assert_int_equal(mcx_sakke_encap(message.p + 0x1ac + 4 + 5, &other, kms, mcx_bytes(set.uid, sizeof set.uid)),
                         MCX_OK);
        mcx_sakke_kms_free(kms);
        ring_set_clear(&set);
        ring_cert_clear(&cert);
    }
    want_refused("two keys", resign(message, 2), ring, &strict, MCX_E_AUTH, "extension 6");
    mcx_keyring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_signature_values),
        cmocka_unit_test(test_other_kpak),
        cmocka_unit_test(test_sakke_data),
        cmocka_unit_test(test_sakke_for_another),
        cmocka_unit_test(test_signed_but_wrong),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_session_without_policy),
        cmocka_unit_test(test_key_params),
        cmocka_unit_test(test_allowed_types),
        cmocka_unit_test(test_skew),
        cmocka_unit_test(test_expected_initiator),
        cmocka_unit_test(test_own_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
