/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers for the start of a program: the provider's primitives, then ECCSI and SAKKE. */
#include <mcx/selftest.h>

#include <string.h>

#include <mcx/eccsi.h>
#include <mcx/sakke.h>

#include "crypto/sym/sym.h"

static mcx_err expect(const void *got, const void *want, size_t len)
{
    return memcmp(got, want, len) == 0 ? MCX_OK : MCX_E_BUG; /* published values, nothing secret */
}

/* FIPS 180-4: "abc" */
static mcx_err test_sha256(void)
{
    static const uint8_t want[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                    0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                    0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };
    struct mcx_bytes part = mcx_bytes_str("abc");
    uint8_t got[MCX_SHA256_LEN];

    MCX_TRY(mcx_sha256(got, &part, 1));
    return expect(got, want, sizeof want);
}

/* RFC 4231 4.3 */
static mcx_err test_hmac(void)
{
    static const uint8_t want[] = { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                    0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                    0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43 };
    struct mcx_bytes part = mcx_bytes_str("what do ya want for nothing?");
    uint8_t got[MCX_SHA256_LEN];

    MCX_TRY(mcx_hmac_sha256(got, mcx_bytes_str("Jefe"), &part, 1));
    return expect(got, want, sizeof want);
}

/* RFC 3711 B.2, the first block */
static mcx_err test_aes_ctr(void)
{
    static const struct mcx_key key = { { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09,
                                          0xcf, 0x4f, 0x3c } };
    static const uint8_t counter[16] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
                                         0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0x00, 0x00 };
    static const uint8_t want[] = { 0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80,
                                    0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4 };
    uint8_t got[sizeof want];

    MCX_TRY(mcx_aes128_ctr_stream(got, sizeof got, &key, counter));
    return expect(got, want, sizeof want);
}

/* RFC 7714 16.1.1, both ways, and a wrong tag */
static mcx_err gcm_both_ways(struct mcx_gcm *gcm)
{
    static const uint8_t nonce[12] = { 0x51, 0x75, 0x3c, 0x65, 0x80, 0xc2, 0x72, 0x6f, 0x20, 0x71, 0x84, 0x14 };
    static const uint8_t aad[12] = { 0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2 };
    static const char text[] = "Gallia est omnis divisa in partes tres";
    static const uint8_t sealed[] = { 0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d,
                                      0x7e, 0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5,
                                      0xf4, 0x7a, 0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33 };
    static const uint8_t want_tag[] = { 0x89, 0x9d, 0x7f, 0x27, 0xbe, 0xb1, 0x6a, 0x91,
                                        0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce };
    struct mcx_bytes a = mcx_bytes(aad, sizeof aad);
    uint8_t buf[sizeof sealed];
    uint8_t tag[MCX_GCM_TAG_LEN];

    MCX_TRY(mcx_gcm_seal(gcm, buf, tag, nonce, a, mcx_bytes(text, sizeof sealed)));
    MCX_TRY(expect(buf, sealed, sizeof sealed));
    MCX_TRY(expect(tag, want_tag, sizeof want_tag));
    MCX_TRY(mcx_gcm_open(gcm, buf, nonce, a, mcx_bytes(buf, sizeof buf), tag));
    MCX_TRY(expect(buf, text, sizeof buf));
    tag[0] ^= 1;
    return mcx_gcm_open(gcm, buf, nonce, a, mcx_bytes(sealed, sizeof sealed), tag) == MCX_E_AUTH ? MCX_OK : MCX_E_BUG;
}

static mcx_err test_aes_gcm(void)
{
    static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    struct mcx_gcm *gcm = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gcm_new(&gcm, mcx_bytes(key, sizeof key), 12));
    err = gcm_both_ways(gcm);
    mcx_gcm_free(gcm);
    return err;
}

/* RFC 3394 4.6 */
static mcx_err test_key_wrap(void)
{
    static const uint8_t kek[32] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                     0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
                                     0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f };
    static const uint8_t text[32] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
                                      0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05,
                                      0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
    static const uint8_t want[40] = { 0x28, 0xc9, 0xf4, 0x04, 0xc4, 0xb8, 0x10, 0xf4, 0xcb, 0xcc,
                                      0xb3, 0x5c, 0xfb, 0x87, 0xf8, 0x26, 0x3f, 0x57, 0x86, 0xe2,
                                      0xd8, 0x0e, 0xd3, 0x26, 0xcb, 0xc7, 0xf0, 0xe7, 0x1a, 0x99,
                                      0xf4, 0x3b, 0xfb, 0x98, 0x8b, 0x9b, 0x7a, 0x02, 0xdd, 0x21 };
    uint8_t wrapped[40];
    uint8_t back[32];
    size_t len = 0;

    MCX_TRY(mcx_kw256_wrap(wrapped, sizeof wrapped, &len, kek, false, mcx_bytes(text, sizeof text)));
    MCX_TRY(len == sizeof want ? expect(wrapped, want, sizeof want) : MCX_E_BUG);
    MCX_TRY(mcx_kw256_unwrap(back, sizeof back, &len, kek, mcx_bytes(wrapped, sizeof wrapped)));
    return len == sizeof text ? expect(back, text, sizeof text) : MCX_E_BUG;
}

mcx_err mcx_crypto_self_test(const char **which)
{
    static const struct {
        const char *name;
        mcx_err (*run)(void);
    } parts[] = {
        { "SHA-256", test_sha256 },        { "HMAC", test_hmac },
        { "AES-CTR", test_aes_ctr },       { "AES-GCM", test_aes_gcm },
        { "AES key wrap", test_key_wrap }, { "ECCSI", mcx_eccsi_self_test },
        { "SAKKE", mcx_sakke_self_test },
    };
    const char *failed = NULL;
    mcx_err err = MCX_OK;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && err == MCX_OK; i++) {
        err = parts[i].run();
        failed = err == MCX_OK ? NULL : parts[i].name;
    }
    if (which != NULL) {
        *which = failed;
    }
    return err == MCX_OK || err == MCX_E_NOMEM ? err : MCX_E_BUG;
}
