/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens: issue and verify, and what is refused (TS 33.180 B.4, RFC 7515, RFC 7519, RFC 8725). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjose/cjose.h>
#include <jansson.h>

#include "io/token.h"

#define NOW   UINT64_C(1772625600)
#define ALICE "sip:alice@a.example"

static char *key[2];
static char *jwks_text;
static struct mcx_jwks *jwks;
static const struct mcx_token_policy policy = { .scopes = mcx_token_kms_scopes,
                                                .num_scopes = MCX_TOKEN_NUM_KMS_SCOPES,
                                                .skew_s = MCX_TOKEN_SKEW_S };

static int make_keys(void **state)
{
    char *first = NULL;

    (void)state;
    if (mcx_token_keygen(&key[0], &first, MCX_TOKEN_ES256, mcx_bytes(NULL, 0)) != MCX_OK ||
        mcx_token_keygen(&key[1], &jwks_text, MCX_TOKEN_RS256, mcx_bytes_str(first)) != MCX_OK ||
        mcx_jwks_read(&jwks, mcx_bytes_str(jwks_text), NULL) != MCX_OK) {
        return -1;
    }
    free(first);
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    mcx_token_secret_free(key[0]);
    mcx_token_secret_free(key[1]);
    free(jwks_text);
    mcx_jwks_free(jwks);
    return 0;
}

static char *issue(const char *jwk, uint64_t now)
{
    struct mcx_token_issue what = { .mcptt_id = ALICE,
                                    .iss = "https://idms.example.org",
                                    .aud = "kms.a.example",
                                    .scopes = mcx_token_kms_scopes,
                                    .num_scopes = 2,
                                    .now = now,
                                    .expires_in = 600 };
    char *token = NULL;

    assert_int_equal(mcx_token_issue(&token, mcx_bytes_str(jwk), &what, NULL), MCX_OK);
    return token;
}

static mcx_err verify(const char *token, uint64_t now)
{
    struct mcx_token_claims c = { .exp = 5 };
    struct mcx_refusal why = { 0 };
    mcx_err err = mcx_token_verify(&c, jwks, &policy, mcx_bytes_str(token), now, &why);

    if (err == MCX_OK) {
        assert_string_equal(c.mcptt_id, ALICE);
    } else {
        assert_non_null(why.reason);
        assert_true(c.exp == 5);
    }
    return err;
}

static void both_algorithms(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *token = issue(key[i], NOW);

        assert_int_equal(verify(token, NOW), MCX_OK);
        mcx_token_secret_free(token);
    }
}

static void edges_of_time(void **state)
{
    char *token = issue(key[0], NOW);

    (void)state;
    assert_int_equal(verify(token, NOW + 600 + MCX_TOKEN_SKEW_S - 1), MCX_OK);
    assert_int_equal(verify(token, NOW + 600 + MCX_TOKEN_SKEW_S), MCX_E_EXPIRED);
    assert_int_equal(verify(token, NOW - MCX_TOKEN_SKEW_S), MCX_OK);
    assert_int_equal(verify(token, NOW - MCX_TOKEN_SKEW_S - 1), MCX_E_EXPIRED);
    mcx_token_secret_free(token);
}

static void every_changed_character(void **state)
{
    char *token = issue(key[0], NOW);
    size_t len = strlen(token);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        char old = token[i];

        token[i] = old == 'A' ? 'Q' : 'A'; /* differ in the top bits: a significant change in every place */
        assert_int_not_equal(verify(token, NOW), MCX_OK);
        token[i] = old;
    }
    for (size_t i = 0; i < len; i++) {
        char old = token[i];

        token[i] = '\0';
        assert_int_not_equal(verify(token, NOW), MCX_OK);
        token[i] = old;
    }
    assert_int_equal(verify(token, NOW), MCX_OK);
    mcx_token_secret_free(token);
}

/* header.payload.signature from JSON texts, with the signature of a real token (or none) */
static char *forge(const char *header, const char *payload, const char *real)
{
    const char *signature = real == NULL ? "" : strrchr(real, '.') + 1;
    char *h = NULL;
    char *p = NULL;
    size_t n = 0;
    char *out = NULL;
    cjose_err err;

    assert_true(cjose_base64url_encode((const uint8_t *)header, strlen(header), &h, &n, &err));
    assert_true(cjose_base64url_encode((const uint8_t *)payload, strlen(payload), &p, &n, &err));
    out = calloc(1, strlen(h) + strlen(p) + strlen(signature) + 3);
    assert_non_null(out);
    (void)sprintf(out, "%s.%s.%s", h, p, signature);
    free(h);
    free(p);
    return out;
}

static void forged_headers(void **state)
{
    static const char payload[] = "{\"mcptt_id\":\"" ALICE "\",\"exp\":1772629200,"
                                  "\"scope\":\"3gpp:mcptt:key_management_server\"}";
    static const struct {
        const char *header;
        mcx_err want;
    } rows[] = {
        { "{\"alg\":\"none\"}", MCX_E_UNSUP },
        { "{\"alg\":\"None\"}", MCX_E_UNSUP },
        { "{\"alg\":\"HS256\"}", MCX_E_UNSUP },
        { "{\"alg\":\"ES384\"}", MCX_E_UNSUP },
        { "{\"alg\":\"PS256\"}", MCX_E_UNSUP },
        { "{\"typ\":\"JWT\"}", MCX_E_UNSUP },
        { "{\"alg\":5}", MCX_E_UNSUP },
        { "{\"alg\":\"ES256\",\"crit\":[\"x\"],\"x\":1}", MCX_E_UNSUP },
        { "{\"alg\":\"ES256\",\"kid\":\"unknown\"}", MCX_E_NOKEY },
        { "{\"alg\":\"ES256\",\"kid\":7}", MCX_E_FORMAT },
        { "{\"alg\":\"ES256\",\"alg\":\"RS256\"}", MCX_E_FORMAT },
        { "[\"ES256\"]", MCX_E_FORMAT },
        { "ES256", MCX_E_FORMAT },
        { "{\"alg\":\"ES256\"}", MCX_E_AUTH },
        { "{\"alg\":\"RS256\"}", MCX_E_AUTH },
    };
    char *real = issue(key[0], NOW);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *token = forge(rows[i].header, payload, real);

        assert_int_equal(verify(token, NOW), rows[i].want);
        free(token);
        token = forge(rows[i].header, payload, NULL);
        assert_int_not_equal(verify(token, NOW), MCX_OK);
        free(token);
    }
    assert_int_equal(verify("", NOW), MCX_E_FORMAT);
    assert_int_equal(verify(".", NOW), MCX_E_FORMAT);
    assert_int_equal(verify("..", NOW), MCX_E_FORMAT);
    assert_int_equal(verify("a.b.c", NOW), MCX_E_FORMAT);
    assert_int_equal(verify("eyJh.eyJh.ab=d", NOW), MCX_E_FORMAT); /* padding: cjose's decoder asserts on it */
    assert_int_equal(verify("ey=h.eyJh.abcd", NOW), MCX_E_FORMAT);
    assert_int_equal(verify("====.====.====", NOW), MCX_E_FORMAT);
    assert_int_equal(verify("eyJh.eyJh.abcd.eyJh", NOW), MCX_E_FORMAT);
    mcx_token_secret_free(real);
}

/* RFC 7515 A.3: its signature is good, so what is wrong with it is the time; one bit less and it is the signature. */
static void published_token(void **state)
{
    static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                              "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    char token[] =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y"
        "b290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    struct mcx_jwks *j = NULL;
    struct mcx_token_claims c;

    (void)state;
    assert_int_equal(mcx_jwks_read(&j, mcx_bytes_str(set), NULL), MCX_OK);
    assert_int_equal(mcx_token_verify(&c, j, &policy, mcx_bytes_str(token), NOW, NULL), MCX_E_EXPIRED);
    token[sizeof token - 5] ^= 1;
    assert_int_equal(mcx_token_verify(&c, j, &policy, mcx_bytes_str(token), NOW, NULL), MCX_E_AUTH);
    mcx_jwks_free(j);
}

/* A key confusion: an RS256 name over the EC key's kid. */
static void key_of_other_type(void **state)
{
    json_t *set = json_loads(jwks_text, 0, NULL);
    json_t *ec = json_array_get(json_object_get(set, "keys"), 0);
    char header[256];
    char *real = issue(key[0], NOW);
    char *token = NULL;

    (void)state;
    (void)snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"%s\"}",
                   json_string_value(json_object_get(ec, "kid")));
    token = forge(header, "{}", real);
    assert_int_equal(verify(token, NOW), MCX_E_NOKEY);
    free(token);
    mcx_token_secret_free(real);
    json_decref(set);
}

static void foreign_key(void **state)
{
    char *other = NULL;
    char *other_jwks = NULL;
    char *token = NULL;

    (void)state;
    assert_int_equal(mcx_token_keygen(&other, &other_jwks, MCX_TOKEN_ES256, mcx_bytes(NULL, 0)), MCX_OK);
    token = issue(other, NOW);
    assert_int_equal(verify(token, NOW), MCX_E_NOKEY);
    mcx_token_secret_free(token);
    mcx_token_secret_free(other);
    free(other_jwks);
}

static void claims(void **state)
{
#define ID    "\"mcptt_id\":\"" ALICE "\""
#define EXP   "\"exp\":1772629200"
#define SCOPE "\"scope\":[\"openid\",\"3gpp:mc:ptt_key_management_service\"]"
#define WHO   "\"iss\":\"i\",\"aud\":[\"x\",\"a\"]"
    static const struct {
        const char *json;
        mcx_err want;
    } rows[] = {
        { "{" ID "," EXP "," SCOPE "," WHO "}", MCX_OK },
        { "{" ID "," EXP ",\"scope\":\"openid 3gpp:mcptt:key_management_server\"," WHO "}", MCX_OK },
        { "{" ID ",\"exp\":1772629200.5," SCOPE "," WHO "}", MCX_OK },
        { "{" ID "," EXP "," SCOPE ",\"iss\":\"i\",\"aud\":\"a\",\"nbf\":1772625630,\"iat\":1}", MCX_OK },
        { "{" ID "," EXP "," SCOPE ",\"iss\":\"i\",\"aud\":\"a\",\"nbf\":1772625631}", MCX_E_EXPIRED },
        { "{" ID "," EXP "," SCOPE ",\"iss\":\"i\",\"aud\":\"a\",\"iat\":1772625631}", MCX_E_EXPIRED },
        { "{" ID "," EXP "," SCOPE ",\"iss\":\"i\",\"aud\":\"a\",\"iat\":\"1\"}", MCX_E_FORMAT },
        { "{" ID "," EXP "," SCOPE ",\"iss\":\"j\",\"aud\":\"a\"}", MCX_E_AUTH },
        { "{" ID "," EXP "," SCOPE ",\"aud\":\"a\"}", MCX_E_AUTH },
        { "{" ID "," EXP "," SCOPE ",\"iss\":\"i\",\"aud\":\"b\"}", MCX_E_AUTH },
        { "{" ID "," EXP "," SCOPE ",\"iss\":\"i\"}", MCX_E_AUTH },
        { "{" ID "," EXP "," WHO "}", MCX_E_POLICY },
        { "{" ID "," EXP ",\"scope\":\"openid\"," WHO "}", MCX_E_POLICY },
        { "{" ID "," EXP ",\"scope\":\"3gpp:mcptt:key_management_serverx\"," WHO "}", MCX_E_POLICY },
        { "{" ID "," EXP ",\"scope\":{\"3gpp:mcptt:key_management_server\":1}," WHO "}", MCX_E_POLICY },
        { "{" ID "," EXP ",\"scope\":[[\"3gpp:mcptt:key_management_server\"]]," WHO "}", MCX_E_POLICY },
        { "{" EXP "," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{\"mcptt_id\":\"\"," EXP "," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{\"mcptt_id\":[\"a\"]," EXP "," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{\"mcptt_id\":\"a\\u0000b\"," EXP "," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{" ID "," ID "," EXP "," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{" ID "," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{" ID ",\"exp\":\"1772629200\"," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{" ID ",\"exp\":-1," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{" ID ",\"exp\":1e300," SCOPE "," WHO "}", MCX_E_FORMAT },
        { "{" ID ",\"exp\":1772625569," SCOPE "," WHO "}", MCX_E_EXPIRED },
        { "[]", MCX_E_FORMAT },
        { "", MCX_E_FORMAT },
        { "{", MCX_E_FORMAT },
    };
    struct mcx_token_policy p = policy;

    (void)state;
    p.iss = "i";
    p.aud = "a";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_token_claims c = { 0 };
        mcx_err err = mcx_token_claims_read(&c, &p, mcx_bytes_str(rows[i].json), NOW, NULL);

        if (err != rows[i].want) {
            print_error("%s: %s\n", rows[i].json, mcx_err_name(err));
        }
        assert_int_equal(err, rows[i].want);
    }
}

static void bad_key_sets(void **state)
{
    static const struct {
        const char *json;
        mcx_err want;
    } rows[] = {
        { "", MCX_E_FORMAT },
        { "{}", MCX_E_FORMAT },
        { "{\"keys\":[]}", MCX_E_NOKEY },
        { "{\"keys\":[7]}", MCX_E_FORMAT },
        { "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", MCX_E_FORMAT },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}]}", MCX_E_NOKEY },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}", MCX_E_FORMAT },
        { "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"zQ\",\"e\":\"AQAB\"}]}", MCX_E_FORMAT },
        { "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"z=Qz\",\"e\":\"AQAB\"}]}", MCX_E_FORMAT },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"A=AA\",\"y\":\"AAAA\"}]}", MCX_E_FORMAT },
        { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":7,\"y\":\"AAAA\"}]}", MCX_E_FORMAT },
    };
    char *set = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mcx_jwks *j = NULL;

        assert_int_equal(mcx_jwks_read(&j, mcx_bytes_str(rows[i].json), NULL), rows[i].want);
        assert_null(j);
    }
    set = calloc(1, strlen(key[0]) + 32);
    assert_non_null(set);
    (void)sprintf(set, "{\"keys\":[%s]}", key[0]); /* a private key in the set */
    struct mcx_jwks *j = NULL;

    assert_int_equal(mcx_jwks_read(&j, mcx_bytes_str(set), NULL), MCX_E_FORMAT);
    free(set);
}

static void without_kid_only_when_unambiguous(void **state)
{
    json_t *set = json_loads(jwks_text, 0, NULL);
    json_t *keys = json_object_get(set, "keys");
    char *more = NULL;
    char *other = NULL;
    char *token = issue(key[0], NOW);
    char *no_kid = NULL;
    struct mcx_jwks *j = NULL;
    struct mcx_token_claims c;

    (void)state;
    assert_int_equal(json_array_size(keys), 2);
    no_kid = forge("{\"alg\":\"ES256\"}", "{}", token);
    assert_int_equal(mcx_token_verify(&c, jwks, &policy, mcx_bytes_str(no_kid), NOW, NULL), MCX_E_AUTH); /* was tried */
    assert_int_equal(mcx_token_keygen(&other, &more, MCX_TOKEN_ES256, mcx_bytes_str(jwks_text)), MCX_OK);
    assert_int_equal(mcx_jwks_read(&j, mcx_bytes_str(more), NULL), MCX_OK);
    assert_int_equal(mcx_token_verify(&c, j, &policy, mcx_bytes_str(no_kid), NOW, NULL), MCX_E_NOKEY);
    assert_int_equal(mcx_token_verify(&c, j, &policy, mcx_bytes_str(token), NOW, NULL), MCX_OK);
    mcx_jwks_free(j);
    mcx_token_secret_free(token);
    mcx_token_secret_free(other);
    free(more);
    free(no_kid);
    json_decref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_algorithms),
        cmocka_unit_test(edges_of_time),
        cmocka_unit_test(every_changed_character),
        cmocka_unit_test(forged_headers),
        cmocka_unit_test(published_token),
        cmocka_unit_test(key_of_other_type),
        cmocka_unit_test(foreign_key),
        cmocka_unit_test(claims),
        cmocka_unit_test(bad_key_sets),
        cmocka_unit_test(without_kid_only_when_unambiguous),
    };

    return cmocka_run_group_tests_name("token", tests, make_keys, drop_keys);
}
