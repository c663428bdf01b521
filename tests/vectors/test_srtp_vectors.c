/* SPDX-License-Identifier: Apache-2.0 */
/* Published packets and derivations: RFC 3711 B.3, RFC 7714 16 and 17, libsrtp, and those of the digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include <mcx/srtp.h>

#include "media/srtp_packet.h"
#include "support/vectors.h"

#define RFC3711 "rfc3711-kdf.txt"
#define RFC7714 "rfc7714-srtp-gcm.txt"
#define LIBSRTP "libsrtp-gcm.txt"
#define MEDIA   "media-srtp.txt"

static void assert_octets(const uint8_t *got, size_t len, const char *file, const char *section, const char *name)
{
    struct vec want = vec_get(file, section, name);

    assert_int_equal(len, want.len);
    assert_memory_equal(got, want.p, want.len);
}

static struct mcx_srtp_master master_of(const char *file, const char *section, const char *key, const char *salt)
{
    struct mcx_srtp_master m;
    struct vec k = vec_get(file, section, key);
    struct vec s = vec_get(file, section, salt);

    assert_int_equal(k.len, sizeof m.key.octet);
    assert_int_equal(s.len, sizeof m.salt);
    memcpy(m.key.octet, k.p, k.len);
    memcpy(m.salt, s.p, s.len);
    return m;
}

static void kdf_of_rfc3711(void **state)
{
    static const struct {
        enum srtp_label label;
        const char *name;
    } rows[] = { { SRTP_LABEL_RTP_KEY, "cipher_key" }, { SRTP_LABEL_RTP_SALT, "cipher_salt" }, { 1, "auth_key" } };
    struct vec key = vec_get(RFC3711, NULL, "master_key");
    struct vec salt = vec_get(RFC3711, NULL, "master_salt");
    struct mcx_key k;

    (void)state;
    memcpy(k.octet, key.p, sizeof k.octet);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec want = vec_get(RFC3711, NULL, rows[i].name);
        uint8_t got[128];

        assert_int_equal(mcx_srtp_kdf(got, want.len, &k, salt.p, rows[i].label), MCX_OK);
        assert_memory_equal(got, want.p, want.len);
    }
}

/* Session keys of a master key: derive by hand, so that the expected octets can be seen. */
static void assert_session(const struct mcx_srtp_master *m, enum srtp_label key_label, enum srtp_label salt_label,
                           const char *file, const char *section, const char *key, const char *salt)
{
    uint8_t salt14[SRTP_KDF_SALT_LEN] = { 0 };
    uint8_t got[16];
    struct srtp_cipher c;

    memcpy(salt14, m->salt, sizeof m->salt);
    assert_int_equal(mcx_srtp_kdf(got, 16, &m->key, salt14, key_label), MCX_OK);
    assert_octets(got, 16, file, section, key);
    assert_int_equal(mcx_srtp_cipher_derive(&c, m, key_label, salt_label), MCX_OK);
    assert_octets(c.salt, sizeof c.salt, file, section, salt);
    mcx_srtp_cipher_clear(&c);
}

static void session_keys(void **state)
{
    struct mcx_srtp_master m = master_of(LIBSRTP, NULL, "master_key", "master_salt");

    (void)state;
    assert_session(&m, 0, 2, LIBSRTP, NULL, "srtp.session_key", "srtp.session_salt");
    assert_session(&m, 3, 5, LIBSRTP, NULL, "srtcp.session_key", "srtcp.session_salt");
    m = master_of(MEDIA, "v1", "master_key", "master_salt");
    assert_session(&m, 0, 2, MEDIA, "v1", "srtp_key", "srtp_salt");
    assert_session(&m, 3, 5, MEDIA, "v1", "srtcp_key", "srtcp_salt");
    m = master_of(MEDIA, "v2", "master_key", "master_salt");
    assert_session(&m, 3, 5, MEDIA, "v2", "srtcp_key", "srtcp_salt");
    m = master_of(MEDIA, "v3", "cs0_master_key", "cs0_master_salt");
    assert_session(&m, 0, 2, MEDIA, "v3", "cs0_srtp_key", "cs0_srtp_salt");
    m = master_of(MEDIA, "v3", "cs1_master_key", "cs1_master_salt");
    assert_session(&m, 0, 2, MEDIA, "v3", "cs1_srtp_key", "cs1_srtp_salt");
}

/* From the key of a MIKEY message to the master key and salt of a stream (TS 33.180 7.4, RFC 3830 4.1.3) */
static void master_keys(void **state)
{
    static const struct {
        const char *section, *tgk, *out_section, *key, *salt;
        uint8_t cs_id;
        uint32_t csb_id;
    } rows[] = {
        { "v1", "gmk", "v1", "master_key", "master_salt", 4, 0x01c8de7b },
        { "v1", "gmk", "v1-others", "user2_master_key", "user2_master_salt", 4, 0x0abe69d0 },
        { "v1", "gmk", "v1-others", "user3_master_key", "user3_master_salt", 4, 0x0c449727 },
        { "v2", "csk", "v2", "master_key", "master_salt", 6, 0x2ddd5bf0 },
        { "v3", "pck", "v3", "cs0_master_key", "cs0_master_salt", 0, 0x16992638 },
        { "v3", "pck", "v3", "cs1_master_key", "cs1_master_salt", 1, 0x16992638 },
        { "v4", "key", "v4", "master_key", "master_salt", 6, 0x1c5f7886 },
        { "v5", "key", "v5", "master_key", "master_salt", 4, 0x0633f457 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec tgk = vec_get(MEDIA, rows[i].section, rows[i].tgk);
        struct vec rand = vec_get(MEDIA, rows[i].section, "rand");
        struct mcx_srtp_master got;
        struct mcx_key key;

        memcpy(key.octet, tgk.p, sizeof key.octet);
        assert_int_equal(mcx_srtp_master_derive(&got, &key, rows[i].cs_id, rows[i].csb_id, vec_bytes(&rand)), MCX_OK);
        assert_octets(got.key.octet, sizeof got.key.octet, MEDIA, rows[i].out_section, rows[i].key);
        assert_octets(got.salt, sizeof got.salt, MEDIA, rows[i].out_section, rows[i].salt);
    }
}

static void nonces(void **state)
{
    struct srtp_cipher c = { 0 };
    uint8_t nonce[SRTP_NONCE_LEN];

    (void)state;
    memcpy(c.salt, vec_get(RFC7714, NULL, "srtp128_encrypt.salt").p, sizeof c.salt);
    mcx_srtp_nonce(nonce, &c, 0x5501a0b2, 0xf17b);
    assert_octets(nonce, sizeof nonce, RFC7714, NULL, "srtp128_encrypt.iv");
    mcx_srtcp_nonce(nonce, &c, 0x4d617273, 0x5d4);
    assert_octets(nonce, sizeof nonce, RFC7714, NULL, "srtcp128_encrypt.iv");
    memcpy(c.salt, vec_get(MEDIA, "v1", "srtp_salt").p, sizeof c.salt);
    mcx_srtp_nonce(nonce, &c, 0xcafebabe, 0x1234);
    assert_octets(nonce, sizeof nonce, MEDIA, "v1", "roc0_iv");
    mcx_srtp_nonce(nonce, &c, 0xcafebabe, 0x11234);
    assert_octets(nonce, sizeof nonce, MEDIA, "v1", "roc1_iv");
    memcpy(c.salt, vec_get(MEDIA, "v1", "srtcp_salt").p, sizeof c.salt);
    mcx_srtcp_nonce(nonce, &c, 0xcafebabe, 1);
    assert_octets(nonce, sizeof nonce, MEDIA, "v1", "index1_iv");
    memcpy(c.salt, vec_get(MEDIA, "v2", "srtcp_salt").p, sizeof c.salt);
    mcx_srtcp_nonce(nonce, &c, 0xcafebabe, 0);
    assert_octets(nonce, sizeof nonce, MEDIA, "v2", "index0_iv");
    mcx_srtcp_nonce(nonce, &c, 0xcafebabe, 1);
    assert_octets(nonce, sizeof nonce, MEDIA, "v2", "index1_iv");
}

static struct srtp_cipher session_cipher(const char *key, const char *salt)
{
    struct srtp_cipher c;
    struct vec k = vec_get(RFC7714, NULL, key);
    struct vec s = vec_get(RFC7714, NULL, salt);

    assert_int_equal(mcx_srtp_cipher_init(&c, vec_bytes(&k), s.p), MCX_OK);
    return c;
}

/* RFC 7714 16.1.1, 16.1.2: from the session key */
static void srtp_of_rfc7714(void **state)
{
    struct srtp_cipher c = session_cipher("srtp128_encrypt.key", "srtp128_encrypt.salt");
    struct vec plain = vec_get(RFC7714, NULL, "srtp128_encrypt.rtp_packet");
    struct srtp_parts parts = { { plain.p, 12 }, { plain.p + 12, plain.len - 12 }, { 0 } };
    uint8_t got[128];
    uint8_t back[128];

    (void)state;
    assert_int_equal(mcx_srtp_seal(&c, got, &parts, 0x5501a0b2, 0xf17b), MCX_OK);
    assert_octets(got, plain.len + 16, RFC7714, NULL, "srtp128_encrypt.srtp_packet");
    parts = (struct srtp_parts){ { got, 12 }, { got + 12, plain.len - 12 }, { got + plain.len, 16 } };
    assert_int_equal(mcx_srtp_open(&c, back, &parts, 0x5501a0b2, 0xf17b), MCX_OK);
    assert_memory_equal(back, plain.p, plain.len);
    assert_int_equal(mcx_srtp_open(&c, back, &parts, 0x5501a0b2, 0x1f17b), MCX_E_AUTH);
    mcx_srtp_cipher_clear(&c);
}

/* RFC 7714 17.1 */
static void srtcp_of_rfc7714(void **state)
{
    struct srtp_cipher c = session_cipher("srtcp128_encrypt.key", "srtcp128_encrypt.salt");
    struct vec plain = vec_get(RFC7714, NULL, "srtcp128_encrypt.rtcp_packet");
    struct srtp_parts parts = { { plain.p, 8 }, { plain.p + 8, plain.len - 8 }, { 0 } };
    uint8_t got[128];
    uint8_t back[128];

    (void)state;
    assert_int_equal(mcx_srtcp_seal(&c, got, &parts, 0x4d617273, 0x5d4), MCX_OK);
    assert_octets(got, plain.len + 20, RFC7714, NULL, "srtcp128_encrypt.srtcp_packet");
    parts = (struct srtp_parts){ { got, 8 }, { got + 8, plain.len - 8 }, { got + plain.len, 16 } };
    assert_int_equal(mcx_srtcp_open(&c, back, &parts, 0x4d617273, 0x5d4), MCX_OK);
    assert_memory_equal(back, plain.p, plain.len);
    assert_int_equal(mcx_srtcp_open(&c, back, &parts, 0x4d617273, 0x5d5), MCX_E_AUTH);
    mcx_srtp_cipher_clear(&c);
}

/* RFC 7714 16.1.3 and 17.3: all of the packet as associated data. Our contexts never send that; the GCM must do it. */
static void tag_only_of_rfc7714(void **state)
{
    static const char *const names[] = { "srtp128_tagonly", "srtcp128_tagonly", "srtp256_tagonly", "srtcp256_tagonly" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        struct vec v[3];
        struct mcx_gcm *gcm = NULL;
        uint8_t tag[16];

        for (size_t j = 0; j < 3; j++) {
            static const char *const suffix[] = { ".key", ".iv", ".aad" };

            strcpy(name, names[i]);
            v[j] = vec_get(RFC7714, NULL, strcat(name, suffix[j]));
        }
        assert_int_equal(mcx_gcm_new(&gcm, vec_bytes(&v[0]), 12), MCX_OK);
        assert_int_equal(mcx_gcm_seal(gcm, tag, tag, v[1].p, vec_bytes(&v[2]), mcx_bytes(NULL, 0)), MCX_OK);
        strcpy(name, names[i]);
        assert_octets(tag, 16, RFC7714, NULL, strcat(name, ".tag"));
        mcx_gcm_free(gcm);
    }
}

struct whole {
    const char *file, *section, *key, *salt, *mki, *plain, *sealed;
    uint16_t roc_rate;
    uint32_t start; /* ROC, or SRTCP index */
    bool rtcp;
};

static void check_whole(const struct whole *w)
{
    struct mcx_srtp_master m = master_of(w->file, w->section, w->key, w->salt);
    struct vec mki = w->mki != NULL ? vec_get(w->file, w->section, w->mki) : (struct vec){ 0 };
    struct mcx_srtp_params params = { &m, vec_bytes(&mki), w->roc_rate };
    struct vec plain = vec_get(w->file, w->section, w->plain);
    struct vec sealed = vec_get(w->file, w->section, w->sealed);
    uint8_t buf[256];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_srtp_tx *tx = NULL;
    struct mcx_srtp_rx *rx = NULL;
    struct mcx_refusal why = { "", "" };

    assert_int_equal(mcx_srtp_tx_new(&tx, &params), MCX_OK);
    if (w->rtcp) {
        assert_int_equal(mcx_srtp_tx_set_rtcp_index(tx, w->start), MCX_OK);
        assert_int_equal(mcx_srtcp_protect(tx, &wr, vec_bytes(&plain)), MCX_OK);
    } else {
        assert_int_equal(mcx_srtp_tx_set_roc(tx, w->start), MCX_OK);
        assert_int_equal(mcx_srtp_protect(tx, &wr, vec_bytes(&plain)), MCX_OK);
    }
    assert_octets(buf, wr.len, w->file, w->section, w->sealed);
    mcx_srtp_tx_free(tx);

    wr = mcx_wr(buf, sizeof buf);
    assert_int_equal(mcx_srtp_rx_new(&rx, &params, 1), MCX_OK);
    if (w->rtcp) {
        assert_int_equal(mcx_srtcp_unprotect(rx, &wr, vec_bytes(&sealed), &why), MCX_OK);
    } else {
        if (w->roc_rate == 0) {
            mcx_srtp_rx_set_roc(rx, w->start);
        }
        assert_int_equal(mcx_srtp_unprotect(rx, &wr, vec_bytes(&sealed), &why), MCX_OK);
    }
    assert_int_equal(wr.len, plain.len);
    assert_memory_equal(buf, plain.p, plain.len);
    mcx_srtp_rx_free(rx);
}

static void whole_packets(void **state)
{
    static const struct whole rows[] = {
        { LIBSRTP, NULL, "master_key", "master_salt", NULL, "rtp_packet", "srtp_packet", 0, 0, false },
        { LIBSRTP, NULL, "master_key", "master_salt", NULL, "rtcp_packet", "srtcp_packet", 0, 1, true },
        { MEDIA, "v1", "master_key", "master_salt", "mki", "rtp", "roc0_srtp", 1, 0, false },
        { MEDIA, "v1", "master_key", "master_salt", "mki", "rtp", "roc1_srtp", 1, 1, false },
        { MEDIA, "v1", "master_key", "master_salt", "mki", "rtcp", "index1_srtcp", 1, 1, true },
        { MEDIA, "v2", "master_key", "master_salt", "mki", "rtcp", "index0_srtcp", 0, 0, true },
        { MEDIA, "v2", "master_key", "master_salt", "mki", "rtcp", "index1_srtcp", 0, 1, true },
        { MEDIA, "v3", "cs0_master_key", "cs0_master_salt", "mki", "rtp", "cs0_srtp", 0, 0, false },
        { MEDIA, "v3", "cs1_master_key", "cs1_master_salt", "mki", "rtp", "cs1_srtp", 0, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_whole(&rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kdf_of_rfc3711),  cmocka_unit_test(session_keys),     cmocka_unit_test(nonces),
        cmocka_unit_test(srtp_of_rfc7714), cmocka_unit_test(srtcp_of_rfc7714), cmocka_unit_test(tag_only_of_rfc7714),
        cmocka_unit_test(whole_packets),   cmocka_unit_test(master_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
