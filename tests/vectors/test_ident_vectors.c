/* SPDX-License-Identifier: Apache-2.0 */
/* UIDs, key periods, GUK-IDs and derived keys against every published value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sym/sym.h"
#include "ident/ident_internal.h"
#include "support/vectors.h"

#include <mcx/text.h>

static const char ident_file[] = "identities-kms-vectors.txt";

/* Text up to the first blank: "2592000 (decimal)" is 2592000. */
static void word(char *out, size_t cap, const char *section, const char *name)
{
    assert_true(vec_text(out, cap, ident_file, section, name));
    out[strcspn(out, " ")] = '\0';
}

static uint64_t decimal(const char *section, const char *name)
{
    char text[32];
    uint64_t v = 0;

    word(text, sizeof text, section, name);
    assert_int_equal(mcx_dec_read(&v, UINT64_MAX, mcx_bytes_str(text)), MCX_OK);
    return v;
}

static uint32_t u32(const struct vec *v)
{
    uint32_t out = 0;

    assert_true(v->len <= 4);
    for (size_t i = 0; i < v->len; i++) {
        out = out << 8 | v->p[i];
    }
    return out;
}

static uint64_t u64(const struct vec *v)
{
    uint64_t out = 0;

    assert_true(v->len <= 8);
    for (size_t i = 0; i < v->len; i++) {
        out = out << 8 | v->p[i];
    }
    return out;
}

static struct mcx_key key_of(const struct vec *v)
{
    struct mcx_key key;

    assert_int_equal(v->len, sizeof key.octet);
    memcpy(key.octet, v->p, sizeof key.octet);
    return key;
}

static void check_uid(struct mcx_bytes user, struct mcx_bytes kms, struct mcx_key_period period, uint64_t no,
                      const struct vec *want)
{
    uint8_t uid[MCX_UID_LEN];

    assert_int_equal(want->len, sizeof uid);
    assert_int_equal(mcx_uid_hash(uid, user, kms, &period, no), MCX_OK);
    assert_memory_equal(uid, want->p, sizeof uid);
    memset(uid, 0, sizeof uid);
    if (period.offset < period.length) {
        assert_int_equal(mcx_uid(uid, user, kms, &period, no), MCX_OK);
        assert_memory_equal(uid, want->p, sizeof uid);
    } else { /* [uid-6]: the hash is defined, but no KMS may use these values */
        assert_int_equal(mcx_uid(uid, user, kms, &period, no), MCX_E_ARG);
    }
}

static void uid_sections(void **state)
{
    (void)state;
    for (int i = 1; i <= 12; i++) {
        char section[16];
        char user[256];
        char kms[256];
        struct vec want;
        struct vec s;
        struct mcx_bytes part;
        struct mcx_key_period period;
        uint8_t digest[32];

        (void)snprintf(section, sizeof section, "uid-%d", i);
        want = vec_get(ident_file, section, "UID");
        s = vec_get(ident_file, section, "S");
        part = vec_bytes(&s);
        period = (struct mcx_key_period){ decimal(section, "P3"), decimal(section, "P4") };
        word(user, sizeof user, section, "identity");
        word(kms, sizeof kms, section, "kms_uri");
        assert_int_equal(mcx_sha256(digest, &part, 1), MCX_OK); /* the vector agrees with itself */
        assert_memory_equal(digest, want.p, sizeof digest);
        check_uid(mcx_bytes_str(user), mcx_bytes_str(kms), period, decimal(section, "P5"), &want);
    }
}

static struct vec field(const char *file, const char *set, const char *name)
{
    char full[64];

    (void)snprintf(full, sizeof full, "%s.%s", set, name);
    return vec_get(file, NULL, full);
}

static void uid_file(void **state)
{
    static const char *const sets[] = { "stw1", "stw2", "stw3",     "stw4",    "stw5", "ts33180_example",
                                        "stw6", "stw7", "alea_gms", "alea_u1", "eazon" };
    static const char file[] = "mcx-uid.txt";

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct vec user = field(file, sets[i], "user_uri");
        struct vec kms = field(file, sets[i], "kms_uri");
        struct vec length = field(file, sets[i], "key_period");
        struct vec offset = field(file, sets[i], "key_period_offset");
        struct vec no = field(file, sets[i], "key_period_no");
        struct vec want = field(file, sets[i], "uid");

        check_uid(vec_bytes(&user), vec_bytes(&kms), (struct mcx_key_period){ u64(&length), u64(&offset) }, u64(&no),
                  &want);
    }
}

/* The identities of the key sets, own and of another vendor */
static void uid_of_key_sets(void **state)
{
    char user[256];
    char kms[256];

    (void)state;
    for (int i = 1; i <= 4; i++) {
        char own[32];
        char other[32];
        struct vec want;

        (void)snprintf(own, sizeof own, "keyset-%d", i);
        (void)snprintf(other, sizeof other, "thirdparty-keyset-%d", i);
        want = vec_get(ident_file, own, "UID");
        word(user, sizeof user, own, "identity");
        word(kms, sizeof kms, own, "kms_uri");
        check_uid(mcx_bytes_str(user), mcx_bytes_str(kms),
                  (struct mcx_key_period){ decimal(own, "P3"), decimal(own, "P4") }, decimal(own, "P5"), &want);
        want = vec_get(ident_file, other, "UID");
        word(user, sizeof user, other, "identity");
        word(kms, sizeof kms, "thirdparty-kms", "kms_uri");
        check_uid(mcx_bytes_str(user), mcx_bytes_str(kms),
                  (struct mcx_key_period){ decimal("thirdparty-kms", "P3"), decimal("thirdparty-kms", "P4") },
                  decimal("thirdparty-kms", "P5"), &want);
    }
}

/* [key-period] case1 to case3: TIME, P5 and the two edges */
static void key_period_cases(void **state)
{
    static const struct {
        struct mcx_key_period period;
        uint64_t ntp, no, start, end; /* start and end in Unix seconds, 0 = not given */
    } rows[] = {
        { { 2592000, 0 }, 3599719634, 1388, 1388707200, 1391299200 },
        { { 2592000, 0 }, 0xD6B43232, 1389, 0, 0 },
        { { 604800, 345600 }, 0xED529D40, 6582, 1772150400, 1772755200 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t no = 0;
        uint64_t start = 0;
        uint64_t end = 0;

        assert_int_equal(mcx_period_no(&no, &rows[i].period, rows[i].ntp), MCX_OK);
        assert_int_equal(no, rows[i].no);
        assert_int_equal(mcx_period_bounds(&start, &end, &rows[i].period, no), MCX_OK);
        assert_true(start <= rows[i].ntp && rows[i].ntp < end);
        if (rows[i].start != 0) {
            assert_int_equal(start, rows[i].start + MCX_NTP_UNIX_OFFSET);
            assert_int_equal(end, rows[i].end + MCX_NTP_UNIX_OFFSET);
        }
    }
}

static void check_guk(const struct vec *gmk, const struct vec *gmk_id, struct mcx_bytes user, const struct vec *guk_id)
{
    struct mcx_key key = key_of(gmk);
    uint32_t id = 0;

    assert_int_equal(mcx_guk_id(&id, u32(gmk_id), &key, user), MCX_OK);
    assert_int_equal(id, u32(guk_id));
    assert_int_equal(mcx_guk_id(&id, u32(guk_id), &key, user), MCX_OK); /* and back */
    assert_int_equal(id, u32(gmk_id));
}

static void guk_sections(void **state)
{
    (void)state;
    for (int i = 1; i <= 5; i++) {
        char section[16];
        char user[256];
        char salt[32];
        char mac_text[65];
        struct vec gmk;
        struct vec gmk_id;
        struct vec guk_id;
        struct vec s;
        struct vec mac;
        struct mcx_bytes param;
        struct mcx_key key;
        uint8_t got[32];

        (void)snprintf(section, sizeof section, "guk-%d", i);
        gmk = vec_get(ident_file, section, "GMK");
        gmk_id = vec_get(ident_file, section, "GMK-ID");
        guk_id = vec_get(ident_file, section, "GUK-ID");
        s = vec_get(ident_file, section, "S");
        mac = vec_get(ident_file, section, "HMAC");
        word(user, sizeof user, section, "identity");
        word(salt, sizeof salt, section, "user_salt");
        check_guk(&gmk, &gmk_id, mcx_bytes_str(user), &guk_id);
        key = key_of(&gmk);
        param = mcx_bytes_str(user);
        assert_int_equal(mcx_kdf(got, &key, s.p[0], &param, 1), MCX_OK); /* the whole output, too */
        assert_memory_equal(got, mac.p, sizeof got);
        assert_int_equal(mcx_hex_write(mac_text, sizeof mac_text, vec_bytes(&mac)), MCX_OK);
        assert_string_equal(mac_text + 64 - 7, salt); /* the 28 least significant bits */
    }
}

static void check_master(const struct vec *tgk, uint8_t cs_id, uint32_t csb_id, const struct vec *rand,
                         const struct vec *want_key, const struct vec *want_salt)
{
    struct mcx_key key = key_of(tgk);
    struct mcx_srtp_master m;

    assert_int_equal(mcx_srtp_master_derive(&m, &key, cs_id, csb_id, vec_bytes(rand)), MCX_OK);
    assert_int_equal(want_key->len, sizeof m.key.octet);
    assert_int_equal(want_salt->len, sizeof m.salt);
    assert_memory_equal(m.key.octet, want_key->p, sizeof m.key.octet);
    assert_memory_equal(m.salt, want_salt->p, sizeof m.salt);
}

static void srtp_master_group(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) { /* sections that carry SRTP values */
        char section[16];
        char text[64];
        struct vec gmk;
        struct vec guk_id;
        struct vec rand;
        struct vec want_key;
        struct vec want_salt;

        (void)snprintf(section, sizeof section, "guk-%d", i);
        gmk = vec_get(ident_file, section, "GMK");
        guk_id = vec_get(ident_file, section, "GUK-ID");
        rand = vec_get(ident_file, section, "MIKEY_RAND");
        word(text, sizeof text, section, "srtp_master_key");
        want_key = vec_hex(text);
        word(text, sizeof text, section, "srtp_master_salt");
        want_salt = vec_hex(text);
        check_master(&gmk, mcx_cs_ids(MCX_KEY_GMK).id[0], u32(&guk_id), &rand, &want_key, &want_salt);
    }
}

static const char derive_file[] = "mikey-key-derivation.txt";

static void derivation_file(void **state)
{
    static const char *const masters[] = { "etherstack_s01", "etherstack_s02", "etherstack_s03",
                                           "etherstack_spk", "stw_tek",        "eazon_pc0_cs0",
                                           "eazon_pc0_cs1",  "eazon_pc1_cs0",  "eazon_pc1_cs1" };
    static const char *const guks[] = { "etherstack_s01", "etherstack_s02", "etherstack_s03", "etherstack_guk" };

    (void)state;
    for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++) {
        struct vec tgk = field(derive_file, masters[i], "tgk");
        struct vec cs_id = field(derive_file, masters[i], "cs_id");
        struct vec csb_id = field(derive_file, masters[i], "csb_id");
        struct vec rand = field(derive_file, masters[i], "rand");
        struct vec want_key = field(derive_file, masters[i], "master_key");
        struct vec want_salt = field(derive_file, masters[i], "master_salt");

        check_master(&tgk, cs_id.p[0], u32(&csb_id), &rand, &want_key, &want_salt);
    }
    for (size_t i = 0; i < sizeof guks / sizeof guks[0]; i++) {
        struct vec tgk = field(derive_file, guks[i], "tgk");
        struct vec gmk_id = field(derive_file, guks[i], "gmk_id");
        struct vec user = field(derive_file, guks[i], "user_uri");
        struct vec guk_id = field(derive_file, guks[i], "guk_id");

        check_guk(&tgk, &gmk_id, vec_bytes(&user), &guk_id);
    }
}

/* The same PRF under another constant: "encryption key" of RFC 3830 4.1.3 */
static void derivation_encryption_key(void **state)
{
    static const char *const sets[] = { "stw_encr_cs4", "stw_encr_cs0" };

    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct vec tgk = field(derive_file, sets[i], "tgk");
        struct vec cs_id = field(derive_file, sets[i], "cs_id");
        struct vec csb_id = field(derive_file, sets[i], "csb_id");
        struct vec rand = field(derive_file, sets[i], "rand");
        struct vec want = field(derive_file, sets[i], "encryption_key_15798cef");
        struct vec salt = field(derive_file, sets[i], "salt");
        struct mcx_key key = key_of(&tgk);
        struct mcx_srtp_master m;
        uint8_t label[64] = { 0x15, 0x79, 0x8c, 0xef };
        struct mcx_wr wr = mcx_wr(label, sizeof label);
        uint8_t got[16];

        wr.len = 4;
        assert_int_equal(mcx_wr_put(&wr, vec_bytes(&cs_id)), MCX_OK);
        assert_int_equal(mcx_wr_put(&wr, vec_bytes(&csb_id)), MCX_OK);
        assert_int_equal(mcx_wr_put(&wr, vec_bytes(&rand)), MCX_OK);
        assert_int_equal(mcx_mikey_prf(got, sizeof got, vec_bytes(&tgk), mcx_wr_done(&wr)), MCX_OK);
        assert_memory_equal(got, want.p, sizeof got);
        assert_int_equal(mcx_srtp_master_derive(&m, &key, cs_id.p[0], u32(&csb_id), vec_bytes(&rand)), MCX_OK);
        assert_memory_equal(m.salt, salt.p, sizeof m.salt);
    }
}

/* Keys of several blocks and outputs of several blocks: from a model written in another language. */
static void prf_many_blocks(void **state)
{
    static const struct {
        size_t key_len;
        const char *want;
    } rows[] = {
        { 16, "68066654fdb55ec9ddb8c0eea64eba54" },
        { 32, "2b4698f9ac8eb71b43e9cc847939190bf60dc81b235b8fddfca84777750f8a5d" },
        { 33, "02e15fe632768288972f67fa87800409e1e57b340fc6fee9785809c67d1af10dc0" },
        { 40, "3342929b7b1e9192cd0ae4124e8890d4b2b137f2644c09827ca1db345a1d9b79c1c77d7bb96170033044e08ea308a67a"
              "5b97ee5757ed1bbea7466674e0b6a6c9d9f0c5627ab0d8fcc654829ead5bcdac" },
        { 64, "06bcf4f8a71eace17afae6cf494d13bdf6f4ef42e5295774563a62ccfcadee843518027c83ea7ff70b9d91f99f2e1f1a"
              "efcbea35e790c8dded76a77a599dc4ab" },
        { 80, "db57436bf1088ab883786bc287acb1d267b7678024253f52ae7ec6b918640c9b9764f1acc0185a7d394f4332a04c7757"
              "9877c1e735a249499bc106035c114b1ad5ad119b69c5" },
    };
    struct vec label = vec_hex("2ad01c64 04 01c8de7b 000102030405060708090a0b0c0d0e0f");
    uint8_t key[80];
    uint8_t got[80];

    (void)state;
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct vec want = vec_hex(rows[i].want);

        assert_int_equal(mcx_mikey_prf(got, want.len, mcx_bytes(key, rows[i].key_len), vec_bytes(&label)), MCX_OK);
        assert_memory_equal(got, want.p, want.len);
    }
}

static void dpck_values(void **state)
{
    static const char imessage[] = "mikey-imessages/streamwide-v5-3-pck.txt";
    struct vec key = vec_get(derive_file, NULL, "dpck.key");
    struct vec id = vec_get(derive_file, NULL, "dpck.dppk_id");
    struct vec want = vec_get(derive_file, NULL, "dpck.dpck");
    struct mcx_key dppk = key_of(&key);
    struct mcx_key got;

    (void)state;
    assert_int_equal(mcx_dpck(&got, &dppk, u32(&id)), MCX_OK);
    assert_memory_equal(got.octet, want.p, sizeof got.octet);
    key = vec_get(imessage, NULL, "ssv");
    id = vec_get(imessage, NULL, "csb_id");
    want = vec_get(imessage, NULL, "dpck");
    dppk = key_of(&key);
    assert_int_equal(mcx_dpck(&got, &dppk, u32(&id)), MCX_OK);
    assert_memory_equal(got.octet, want.p, sizeof got.octet);
}

/* TS 33.180 F.1.4: no published value; from a model written in another language */
static void xml_keys(void **state)
{
    static const char *const want[2] = { "9008b8aa7547c3cf7576e68067875abd", "d8441b65cace37eecdc3b544574dc656" };
    struct mcx_key xpk;
    struct mcx_key got;

    (void)state;
    for (size_t i = 0; i < sizeof xpk.octet; i++) {
        xpk.octet[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < 2; i++) {
        struct vec w = vec_hex(want[i]);

        assert_int_equal(mcx_xml_key(&got, i == 1, &xpk, mcx_bytes_str("sip:alice@example.org"), 0x2ddd5bf0), MCX_OK);
        assert_memory_equal(got.octet, w.p, sizeof got.octet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uid_sections),    cmocka_unit_test(uid_file),
        cmocka_unit_test(uid_of_key_sets), cmocka_unit_test(key_period_cases),
        cmocka_unit_test(guk_sections),    cmocka_unit_test(srtp_master_group),
        cmocka_unit_test(derivation_file), cmocka_unit_test(derivation_encryption_key),
        cmocka_unit_test(prf_many_blocks), cmocka_unit_test(dpck_values),
        cmocka_unit_test(xml_keys),
    };

    return cmocka_run_group_tests_name("ident vectors", tests, NULL, NULL);
}
