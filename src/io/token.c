/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* strdup */
#include "io/token.h"

#include <mcx/secret.h>

#include <cjose/cjose.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define RSA_MIN_BITS 2048 /* RFC 7518 3.3 */
#define ES256_BITS   256

const char *const mcx_token_kms_scopes[MCX_TOKEN_NUM_KMS_SCOPES] = { "3gpp:mcptt:key_management_server",
                                                                     "3gpp:mc:ptt_key_management_service" };

struct key {
    cjose_jwk_t *jwk;
    const char *alg; /* pinned: constant string */
    char *kid;       /* NULL when the key has none */
};

struct mcx_jwks {
    struct key *keys;
    size_t num;
};

void mcx_jwks_free(struct mcx_jwks *jwks)
{
    if (jwks == NULL) {
        return;
    }
    for (size_t i = 0; i < jwks->num; i++) {
        cjose_jwk_release(jwks->keys[i].jwk);
        free(jwks->keys[i].kid);
    }
    free(jwks->keys);
    free(jwks);
}

/* The one algorithm for this key, or NULL when it is for something else. */
static const char *alg_of(json_t *o)
{
    const char *kty = json_string_value(json_object_get(o, "kty"));
    const char *crv = json_string_value(json_object_get(o, "crv"));
    const char *use = json_string_value(json_object_get(o, "use"));
    const char *alg = json_string_value(json_object_get(o, "alg"));
    const char *pinned = NULL;

    if (kty != NULL && strcmp(kty, "RSA") == 0) {
        pinned = CJOSE_HDR_ALG_RS256;
    } else if (kty != NULL && strcmp(kty, "EC") == 0 && crv != NULL && strcmp(crv, "P-256") == 0) {
        pinned = CJOSE_HDR_ALG_ES256;
    }
    if (pinned == NULL || (use != NULL && strcmp(use, "sig") != 0) || (alg != NULL && strcmp(alg, pinned) != 0)) {
        return NULL;
    }
    return pinned;
}

/*
 * Base64url without padding (RFC 7515 2). Nothing else may reach cjose, whose decoder ends the process by an
 * assertion on '=' in the middle.
 */
static bool base64url_ok(struct mcx_bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.p[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
            return false;
        }
    }
    return in.len % 4 != 1;
}

/* The members of a key that cjose decodes. */
static bool members_ok(json_t *o)
{
    static const char *const names[] = { "x", "y", "n", "e" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *v = json_object_get(o, names[i]);

        if (v != NULL && (!json_is_string(v) || json_string_length(v) == 0 ||
                          !base64url_ok(mcx_bytes(json_string_value(v), json_string_length(v))))) {
            return false;
        }
    }
    return true;
}

static bool is_secret_key(json_t *o)
{
    return json_object_get(o, "d") != NULL || json_object_get(o, "k") != NULL;
}

static mcx_err add_key(struct mcx_jwks *jwks, json_t *o, struct mcx_refusal *why)
{
    const char *alg = alg_of(o);
    const char *kid = json_string_value(json_object_get(o, "kid"));
    struct key key = { .alg = alg };
    cjose_err cerr;

    if (!json_is_object(o)) {
        return mcx_refuse(why, MCX_E_FORMAT, "a key of the JWKS is no object", "RFC 7517 5.1");
    }
    if (is_secret_key(o)) {
        return mcx_refuse(why, MCX_E_FORMAT, "the JWKS holds a private or symmetric key", "RFC 7517 9.2");
    }
    if (alg == NULL) {
        return MCX_OK; /* RFC 7517 5: keys that are not understood are left out */
    }
    key.jwk = members_ok(o) ? cjose_jwk_import_json((cjose_header_t *)o, &cerr) : NULL;
    if (key.jwk == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "a key of the JWKS is broken", "RFC 7517 4");
    }
    if (cjose_jwk_get_kty(key.jwk, &cerr) == CJOSE_JWK_KTY_RSA &&
        cjose_jwk_get_keysize(key.jwk, &cerr) < RSA_MIN_BITS) {
        cjose_jwk_release(key.jwk);
        return mcx_refuse(why, MCX_E_FORMAT, "an RSA key of the JWKS is shorter than 2048 bits", "RFC 7518 3.3");
    }
    if (kid != NULL && (key.kid = strdup(kid)) == NULL) {
        cjose_jwk_release(key.jwk);
        return MCX_E_NOMEM;
    }
    jwks->keys[jwks->num++] = key;
    return MCX_OK;
}

static json_t *load_object(struct mcx_bytes json)
{
    json_t *o = json_loadb((const char *)json.p, json.len, JSON_REJECT_DUPLICATES, NULL);

    if (o != NULL && !json_is_object(o)) {
        json_decref(o);
        return NULL;
    }
    return o;
}

mcx_err mcx_jwks_read(struct mcx_jwks **out, struct mcx_bytes json, struct mcx_refusal *why)
{
    json_t *root = load_object(json);
    json_t *keys = json_object_get(root, "keys");
    struct mcx_jwks *jwks = NULL;
    mcx_err err = MCX_OK;

    if (!json_is_array(keys)) {
        json_decref(root);
        return mcx_refuse(why, MCX_E_FORMAT, "not a JWKS", "RFC 7517 5");
    }
    jwks = calloc(1, sizeof *jwks);
    err = jwks == NULL ? MCX_E_NOMEM : MCX_OK;
    MCX_GO(err, err);
    jwks->keys = calloc(json_array_size(keys) + 1, sizeof *jwks->keys);
    err = jwks->keys == NULL ? MCX_E_NOMEM : MCX_OK;
    MCX_GO(err, err);
    for (size_t i = 0; i < json_array_size(keys); i++) {
        MCX_GO(err, add_key(jwks, json_array_get(keys, i), why));
    }
    if (jwks->num == 0) {
        MCX_GO(err, mcx_refuse(why, MCX_E_NOKEY, "the JWKS has no key for RS256 or ES256", "RFC 7517 5"));
    }
    *out = jwks;
    jwks = NULL;
out:
    mcx_jwks_free(jwks);
    json_decref(root);
    return err;
}

/* The three parts of the compact form (RFC 7515 7.1), still encoded; none is empty. */
static bool split(struct mcx_bytes part[3], struct mcx_bytes token)
{
    size_t start = 0;
    size_t num = 0;

    for (size_t i = 0; i <= token.len; i++) {
        if (i < token.len && token.p[i] != '.') {
            continue;
        }
        if (num == 3) {
            return false;
        }
        part[num] = mcx_bytes(token.p + start, i - start);
        if (part[num].len == 0 || !base64url_ok(part[num])) {
            return false;
        }
        num++;
        start = i + 1;
    }
    return num == 3;
}

/* Algorithm and kid are looked at before any key is. */
static mcx_err read_header(json_t **out, struct mcx_bytes token, struct mcx_refusal *why)
{
    struct mcx_bytes part[3];
    uint8_t *text = NULL;
    size_t len = 0;
    cjose_err cerr;

    if (!split(part, token) || !cjose_base64url_decode((const char *)part[0].p, part[0].len, &text, &len, &cerr)) {
        return mcx_refuse(why, MCX_E_FORMAT, "the token is no JWS", "RFC 7515 7.1");
    }
    *out = load_object(mcx_bytes(text, len));
    free(text);
    return *out == NULL ? mcx_refuse(why, MCX_E_FORMAT, "the header of the token is no JSON object", "RFC 7515 4")
                        : MCX_OK;
}

/* The one key that fits: by kid when the token has one, else the only key of the algorithm. */
static const struct key *find_key(const struct mcx_jwks *jwks, const char *alg, const char *kid)
{
    const struct key *found = NULL;

    for (size_t i = 0; i < jwks->num; i++) {
        const struct key *k = &jwks->keys[i];

        if (strcmp(k->alg, alg) != 0 || (kid != NULL && (k->kid == NULL || strcmp(k->kid, kid) != 0))) {
            continue;
        }
        if (found != NULL) {
            return NULL; /* ambiguous */
        }
        found = k;
    }
    return found;
}

static mcx_err choose_key(const struct key **out, const struct mcx_jwks *jwks, json_t *header, struct mcx_refusal *why)
{
    const char *alg = json_string_value(json_object_get(header, "alg"));
    json_t *kid = json_object_get(header, "kid");

    if (json_object_get(header, "crit") != NULL) { /* RFC 7515 4.1.11: we understand no extension */
        return mcx_refuse(why, MCX_E_UNSUP, "the token has critical header parameters", "RFC 7515 4.1.11");
    }
    if (alg == NULL || (strcmp(alg, CJOSE_HDR_ALG_RS256) != 0 && strcmp(alg, CJOSE_HDR_ALG_ES256) != 0)) {
        return mcx_refuse(why, MCX_E_UNSUP, "the token is not signed with RS256 or ES256", "RFC 8725 3.1");
    }
    if (kid != NULL && !json_is_string(kid)) {
        return mcx_refuse(why, MCX_E_FORMAT, "kid of the token is no string", "RFC 7515 4.1.4");
    }
    *out = find_key(jwks, alg, json_string_value(kid));
    if (*out == NULL) {
        return mcx_refuse(why, MCX_E_NOKEY, "no key of the JWKS fits the token", "RFC 7515 4.1.4");
    }
    return MCX_OK;
}

/* The signed payload, owned by `jws`. */
static mcx_err verify_jws(cjose_jws_t **jws, struct mcx_bytes *payload, struct mcx_bytes token, const struct key *key,
                          struct mcx_refusal *why)
{
    uint8_t *text = NULL;
    size_t len = 0;
    cjose_err cerr;

    *jws = cjose_jws_import((const char *)token.p, token.len, &cerr);
    if (*jws == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "the token is no JWS", "RFC 7515 7.1");
    }
    if (!cjose_jws_verify(*jws, key->jwk, &cerr)) {
        return mcx_refuse(why, MCX_E_AUTH, "the signature of the token is wrong", "RFC 7515 5.2");
    }
    if (!cjose_jws_get_plaintext(*jws, &text, &len, &cerr)) {
        return mcx_refuse(why, MCX_E_FORMAT, "the token has no payload", "RFC 7515 5.2");
    }
    *payload = mcx_bytes(text, len);
    return MCX_OK;
}

mcx_err mcx_token_verify(struct mcx_token_claims *out, const struct mcx_jwks *jwks,
                         const struct mcx_token_policy *policy, struct mcx_bytes token, uint64_t now,
                         struct mcx_refusal *why)
{
    json_t *header = NULL;
    cjose_jws_t *jws = NULL;
    const struct key *key = NULL;
    struct mcx_bytes payload;
    mcx_err err = MCX_OK;

    if (token.len > MCX_TOKEN_MAX) {
        return mcx_refuse(why, MCX_E_FORMAT, "the token is too long", "");
    }
    MCX_GO(err, read_header(&header, token, why));
    MCX_GO(err, choose_key(&key, jwks, header, why));
    MCX_GO(err, verify_jws(&jws, &payload, token, key, why));
    MCX_GO(err, mcx_token_claims_read(out, policy, payload, now, why));
out:
    json_decref(header);
    cjose_jws_release(jws);
    return err;
}
