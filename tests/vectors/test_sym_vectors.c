/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, HMAC, AES-CTR, AES-GCM and key wrap against published values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sym/sym.h"
#include "support/vectors.h"

static void sha256_fips180(void **state)
{
    static const struct {
        const char *a, *b, *digest; /* two parts of one message */
    } rows[] = {
        { "", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "a", "bc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighij", "hijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_bytes parts[2] = { mcx_bytes_str(rows[i].a), mcx_bytes_str(rows[i].b) };
        struct vec want = vec_hex(rows[i].digest);
        uint8_t got[MCX_SHA256_LEN];

        assert_int_equal(mcx_sha256(got, parts, 2), MCX_OK);
        assert_memory_equal(got, want.p, sizeof got);
    }
}

/* RFC 4231 4.2 to 4.8 (case 5 is truncated there to 16 octets) */
static void hmac_rfc4231(void **state)
{
    static const struct {
        const char *key, *data, *tag;
    } rows[] = {
        { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
        { "0102030405060708090a0b0c0d0e0f10111213141516171819",
          "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
        { "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", "546573742057697468205472756e636174696f6e",
          "a3b6167473100ee06e0c796c2955552b" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec key = vec_hex(rows[i].key);
        struct vec data = vec_hex(rows[i].data);
        struct vec want = vec_hex(rows[i].tag);
        struct mcx_bytes parts[3] = { { data.p, 1 }, { NULL, 0 }, { data.p + 1, data.len - 1 } };
        uint8_t got[MCX_SHA256_LEN];

        assert_int_equal(mcx_hmac_sha256(got, vec_bytes(&key), parts, 3), MCX_OK);
        assert_memory_equal(got, want.p, want.len);
    }
}

/* RFC 4231 4.7: a key longer than the block of the hash */
static void hmac_long_key(void **state)
{
    struct mcx_bytes data = mcx_bytes_str("Test Using Larger Than Block-Size Key - Hash Key First");
    struct vec want = vec_hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    uint8_t key[131];
    uint8_t got[MCX_SHA256_LEN];

    (void)state;
    memset(key, 0xaa, sizeof key);
    assert_int_equal(mcx_hmac_sha256(got, mcx_bytes(key, sizeof key), &data, 1), MCX_OK);
    assert_memory_equal(got, want.p, sizeof got);
}

/* HMAC with an empty key over nothing: a widely printed value of the hash function's test pages. */
static void hmac_empty_key(void **state)
{
    struct vec want = vec_hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    uint8_t got[MCX_SHA256_LEN];

    (void)state;
    assert_int_equal(mcx_hmac_sha256(got, mcx_bytes(NULL, 0), NULL, 0), MCX_OK);
    assert_memory_equal(got, want.p, sizeof got);
}

static struct mcx_key key_of(const struct vec *v)
{
    struct mcx_key key;

    assert_int_equal(v->len, sizeof key.octet);
    memcpy(key.octet, v->p, sizeof key.octet);
    return key;
}

/* RFC 3711 B.2 and B.3 */
static void aes_ctr_rfc3711(void **state)
{
    static const char *const blocks[] = { "aescm.keystream_0000", "aescm.keystream_0001", "aescm.keystream_0002",
                                          "aescm.keystream_feff", "aescm.keystream_ff00", "aescm.keystream_ff01" };
    static const size_t index[] = { 0, 1, 2, 0xfeff, 0xff00, 0xff01 };
    static uint8_t stream[0xff02 * 16];
    struct vec session = vec_get("rfc3711-kdf.txt", NULL, "aescm.session_key");
    struct vec iv = vec_get("rfc3711-kdf.txt", NULL, "aescm.session_salt_shifted");
    struct vec master = vec_get("rfc3711-kdf.txt", NULL, "master_key");
    struct mcx_key key = key_of(&session);

    (void)state;
    assert_int_equal(mcx_aes128_ctr_stream(stream, sizeof stream, &key, iv.p), MCX_OK);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct vec want = vec_get("rfc3711-kdf.txt", NULL, blocks[i]);

        assert_memory_equal(stream + index[i] * 16, want.p, 16);
    }
    key = key_of(&master);
    for (size_t i = 0; i < 3; i++) { /* lengths that are no multiple of the block, too */
        static const char *const name[3] = { "cipher_key", "cipher_salt", "auth_key" };
        char iv_name[32];
        struct vec want = vec_get("rfc3711-kdf.txt", NULL, name[i]);

        (void)snprintf(iv_name, sizeof iv_name, "%s.aes_cm_iv", name[i]);
        iv = vec_get("rfc3711-kdf.txt", NULL, iv_name);
        assert_int_equal(mcx_aes128_ctr_stream(stream, want.len, &key, iv.p), MCX_OK);
        assert_memory_equal(stream, want.p, want.len);
    }
}

static struct vec gcm_vec(const char *set, const char *field)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s.%s", set, field);
    return vec_get("rfc7714-srtp-gcm.txt", NULL, name);
}

/* RFC 7714 16 and 17: the AEAD part of each packet, by one context, sealed and opened in turn */
static void gcm_rfc7714(void **state)
{
    static const char *const sets[] = { "srtp128_encrypt", "srtp128_tagonly", "srtcp128_encrypt", "srtcp128_tagonly",
                                        "srtp256_encrypt", "srtp256_tagonly", "srtcp256_encrypt", "srtcp256_tagonly" };

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct vec key = gcm_vec(sets[i], "key");
        struct vec iv = gcm_vec(sets[i], "iv");
        struct vec aad = gcm_vec(sets[i], "aad");
        struct vec text = gcm_vec(sets[i], "plaintext");
        struct vec sealed = gcm_vec(sets[i], "ciphertext");
        struct vec want = gcm_vec(sets[i], "tag");
        struct mcx_gcm *gcm = NULL;
        uint8_t buf[256];
        uint8_t tag[MCX_GCM_TAG_LEN];

        assert_int_equal(mcx_gcm_new(&gcm, vec_bytes(&key), iv.len), MCX_OK);
        for (int round = 0; round < 3; round++) {
            memcpy(buf, text.p, text.len);
            assert_int_equal(mcx_gcm_seal(gcm, buf, tag, iv.p, vec_bytes(&aad), mcx_bytes(buf, text.len)), MCX_OK);
            assert_memory_equal(buf, sealed.p, sealed.len);
            assert_memory_equal(tag, want.p, sizeof tag);
            assert_int_equal(mcx_gcm_open(gcm, buf, iv.p, vec_bytes(&aad), mcx_bytes(buf, text.len), tag), MCX_OK);
            assert_memory_equal(buf, text.p, text.len);
        }
        mcx_gcm_free(gcm);
    }
}

/* Nonce of 16 octets: the key parameters of a published I_MESSAGE (TS 33.180 8.5.4). */
static void gcm_nonce16(void **state)
{
    static const char file[] = "mikey-imessages/streamwide-v5-3-pck.txt";
    static const char clear[] = "0100000001000000000000000000000000";
    struct vec key = vec_get(file, NULL, "dpck");
    struct vec ext = vec_get(file, NULL, "ext07.data");
    struct vec want = vec_hex(clear);
    struct mcx_gcm *gcm = NULL;
    uint8_t buf[64];
    uint8_t tag[MCX_GCM_TAG_LEN];

    (void)state;
    assert_int_equal(ext.len, 35 + want.len + 16);
    assert_int_equal(mcx_gcm_new(&gcm, vec_bytes(&key), 16), MCX_OK);
    assert_int_equal(mcx_gcm_open(gcm, buf, ext.p + 12, mcx_bytes(ext.p, 32), mcx_bytes(ext.p + 35, want.len),
                                  ext.p + 35 + want.len),
                     MCX_OK);
    assert_memory_equal(buf, want.p, want.len);
    assert_int_equal(mcx_gcm_seal(gcm, buf, tag, ext.p + 12, mcx_bytes(ext.p, 32), vec_bytes(&want)), MCX_OK);
    assert_memory_equal(buf, ext.p + 35, want.len);
    assert_memory_equal(tag, ext.p + 35 + want.len, sizeof tag);
    mcx_gcm_free(gcm);
}

static void wrap_both_ways(const struct vec *kek, const struct vec *text, bool pad, const struct vec *wrapped)
{
    uint8_t buf[VEC_MAX];
    size_t len = 0;

    assert_int_equal(mcx_kw256_wrap(buf, sizeof buf, &len, kek->p, pad, vec_bytes(text)), MCX_OK);
    assert_int_equal(len, wrapped->len);
    assert_memory_equal(buf, wrapped->p, len);
    assert_int_equal(mcx_kw256_unwrap(buf, text->len, &len, kek->p, vec_bytes(wrapped)), MCX_OK);
    assert_int_equal(len, text->len);
    assert_memory_equal(buf, text->p, len);
}

static void wrap_rfc3394(void **state)
{
    static const struct {
        const char *text, *wrapped;
    } rows[] = { /* RFC 3394 4.3, 4.5, 4.6 */
                 { "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
                 { "00112233445566778899aabbccddeeff0001020304050607",
                   "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1" },
                 { "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
                   "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21" }
    };
    struct vec kek = vec_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec text = vec_hex(rows[i].text);
        struct vec wrapped = vec_hex(rows[i].wrapped);

        wrap_both_ways(&kek, &text, false, &wrapped);
    }
}

/* Key data of [keyset-2] under TrK; the forms of both RFCs for 32 octets, RFC 5649 alone for 65 and 257. */
static void wrap_trk(void **state)
{
    static const char file[] = "identities-kms-vectors.txt";
    static const struct {
        const char *text, *wrapped;
        size_t skip; /* octets of the text left out: the x_y forms have no leading 04 */
        bool pad;
    } rows[] = {
        { "SSK", "SSK_kw", 0, false },  { "SSK", "SSK_kwp", 0, true },     { "PVT", "PVT_kwp", 0, true },
        { "RSK", "RSK_kwp", 0, true },  { "PVT", "PVT_x_y_kw", 1, false }, { "RSK", "RSK_x_y_kw", 1, false },
        { "PVT", "PVT_kwp", 0, false }, /* 65 octets: RFC 5649 whether asked for or not */
    };
    struct vec kek = vec_get(file, "trk-wrap", "TrK");
    struct vec text = vec_get(file, "trk-wrap", "NewTrK");
    struct vec wrapped = vec_get(file, "trk-wrap", "NewTrK_kw");

    (void)state;
    wrap_both_ways(&kek, &text, false, &wrapped);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text = vec_get(file, "keyset-2", rows[i].text);
        wrapped = vec_get(file, "trk-wrap", rows[i].wrapped);
        text.len -= rows[i].skip;
        memmove(text.p, text.p + rows[i].skip, text.len);
        wrap_both_ways(&kek, &text, rows[i].pad, &wrapped);
    }
}

/* N = 2^15, r = 8, p = 1: computed with a scrypt written from the text of RFC 7914 in another language. */
static void passphrase_scrypt(void **state)
{
    static const struct {
        const char *passphrase, *key;
    } rows[] = {
        { "correct horse battery staple", "7a8e34241db898d59175c696538c417467a975ffe569068425f16188d3159c58" },
        { "", "28c55a40f9abd80cad20aa516b2c078bbba5c5a0ce41a3bd6281905d63eed6ae" },
    };
    uint8_t salt[16];
    uint8_t got[32];

    (void)state;
    for (size_t i = 0; i < sizeof salt; i++) {
        salt[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec want = vec_hex(rows[i].key);

        assert_int_equal(mcx_passphrase_key(got, mcx_bytes_str(rows[i].passphrase), salt), MCX_OK);
        assert_memory_equal(got, want.p, sizeof got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_fips180),    cmocka_unit_test(hmac_rfc4231),    cmocka_unit_test(hmac_long_key),
        cmocka_unit_test(hmac_empty_key),    cmocka_unit_test(aes_ctr_rfc3711), cmocka_unit_test(gcm_rfc7714),
        cmocka_unit_test(gcm_nonce16),       cmocka_unit_test(wrap_rfc3394),    cmocka_unit_test(wrap_trk),
        cmocka_unit_test(passphrase_scrypt),
    };

    return cmocka_run_group_tests_name("sym vectors", tests, NULL, NULL);
}
