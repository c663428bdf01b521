/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* strdup */
/* Keys and tokens for laboratories without an identity server. */
#include "io/token.h"

#include <mcx/seam.h>
#include <mcx/secret.h>
#include <mcx/text.h>

#include <cjose/cjose.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS   2048
#define KID_OCTETS 8

void mcx_token_secret_free(char *s)
{
    if (s != NULL) {
        mcx_wipe(s, strlen(s));
    }
    free(s);
}

static const char *alg_name(enum mcx_token_alg alg)
{
    return alg == MCX_TOKEN_RS256 ? CJOSE_HDR_ALG_RS256 : CJOSE_HDR_ALG_ES256;
}

static cjose_jwk_t *new_jwk(enum mcx_token_alg alg)
{
    static const uint8_t e[] = { 0x01, 0x00, 0x01 };
    struct mcx_rng rng = mcx_rng_system();
    uint8_t kid[KID_OCTETS];
    char text[2 * KID_OCTETS + 1];
    cjose_err cerr;
    cjose_jwk_t *jwk = alg == MCX_TOKEN_RS256 ? cjose_jwk_create_RSA_random(RSA_BITS, e, sizeof e, &cerr)
                                              : cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &cerr);

    if (jwk == NULL) {
        return NULL;
    }
    if (mcx_rng_fill(&rng, kid, sizeof kid) != MCX_OK ||
        mcx_hex_write(text, sizeof text, mcx_bytes(kid, sizeof kid)) != MCX_OK ||
        !cjose_jwk_set_kid(jwk, text, strlen(text), &cerr)) {
        cjose_jwk_release(jwk);
        return NULL;
    }
    return jwk;
}

/* The public half as a member of a JWKS (RFC 7517 4). */
static json_t *public_member(cjose_jwk_t *jwk, enum mcx_token_alg alg)
{
    cjose_err cerr;
    char *text = cjose_jwk_to_json(jwk, false, &cerr);
    json_t *o = text == NULL ? NULL : json_loads(text, 0, NULL);

    free(text);
    if (o != NULL && (json_object_set_new(o, "alg", json_string(alg_name(alg))) != 0 ||
                      json_object_set_new(o, "use", json_string("sig")) != 0)) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static mcx_err jwks_with(char **out, struct mcx_bytes old, json_t *member)
{
    json_t *root = old.len == 0 ? json_pack("{s:[]}", "keys")
                                : json_loadb((const char *)old.p, old.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *keys = json_object_get(root, "keys");
    mcx_err err = MCX_OK;

    if (!json_is_array(keys)) {
        err = MCX_E_FORMAT;
    } else if (json_array_append(keys, member) != 0) {
        err = MCX_E_NOMEM;
    } else {
        *out = json_dumps(root, JSON_INDENT(2));
        err = *out == NULL ? MCX_E_NOMEM : MCX_OK;
    }
    json_decref(root);
    return err;
}

mcx_err mcx_token_keygen(char **key, char **jwks, enum mcx_token_alg alg, struct mcx_bytes old_jwks)
{
    cjose_jwk_t *jwk = new_jwk(alg);
    json_t *member = jwk == NULL ? NULL : public_member(jwk, alg);
    char *private = NULL;
    cjose_err cerr;
    mcx_err err = member == NULL ? MCX_E_NOMEM : MCX_OK;

    MCX_GO(err, err);
    private = cjose_jwk_to_json(jwk, true, &cerr);
    err = private == NULL ? MCX_E_NOMEM : MCX_OK;
    MCX_GO(err, err);
    MCX_GO(err, jwks_with(jwks, old_jwks, member));
    *key = private;
    private = NULL;
out:
    mcx_token_secret_free(private);
    json_decref(member);
    cjose_jwk_release(jwk);
    return err;
}

static char *claims_text(const struct mcx_token_issue *w)
{
    json_t *scopes = json_array();
    json_t *o = NULL;
    char *text = NULL;

    for (size_t i = 0; i < w->num_scopes; i++) {
        if (json_array_append_new(scopes, json_string(w->scopes[i])) != 0) {
            json_decref(scopes);
            return NULL;
        }
    }
    o = json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:I}", "iss", w->iss, "aud", w->aud, "mcptt_id", w->mcptt_id,
                  "client_id", "mcx", "scope", scopes, "iat", (json_int_t)w->now, "exp",
                  (json_int_t)(w->now + w->expires_in));
    text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

static mcx_err sign(char **token, cjose_jwk_t *jwk, const char *claims)
{
    cjose_err cerr;
    const char *alg = cjose_jwk_get_kty(jwk, &cerr) == CJOSE_JWK_KTY_RSA ? CJOSE_HDR_ALG_RS256 : CJOSE_HDR_ALG_ES256;
    const char *kid = cjose_jwk_get_kid(jwk, &cerr);
    cjose_header_t *header = cjose_header_new(&cerr);
    cjose_jws_t *jws = NULL;
    const char *text = NULL;
    mcx_err err = MCX_E_NOMEM;

    if (header != NULL && cjose_header_set(header, CJOSE_HDR_ALG, alg, &cerr) &&
        cjose_header_set(header, "typ", "JWT", &cerr) &&
        (kid == NULL || cjose_header_set(header, CJOSE_HDR_KID, kid, &cerr))) {
        jws = cjose_jws_sign(jwk, header, (const uint8_t *)claims, strlen(claims), &cerr);
    }
    if (jws != NULL && cjose_jws_export(jws, &text, &cerr) && (*token = strdup(text)) != NULL) {
        err = MCX_OK;
    }
    cjose_jws_release(jws);
    cjose_header_release(header);
    return err;
}

/* A private key that ES256 or RS256 can sign with. */
static bool can_sign(const cjose_jwk_t *jwk, struct mcx_bytes key)
{
    json_t *o = json_loadb((const char *)key.p, key.len, JSON_REJECT_DUPLICATES, NULL);
    const char *crv = json_string_value(json_object_get(o, "crv"));
    cjose_err cerr;
    cjose_jwk_kty_t kty = cjose_jwk_get_kty(jwk, &cerr);
    bool ok = json_object_get(o, "d") != NULL &&
              (kty == CJOSE_JWK_KTY_RSA || (kty == CJOSE_JWK_KTY_EC && crv != NULL && strcmp(crv, "P-256") == 0));

    json_decref(o);
    return ok;
}

mcx_err mcx_token_issue(char **token, struct mcx_bytes key, const struct mcx_token_issue *what, struct mcx_refusal *why)
{
    cjose_err cerr;
    bool padded = memchr(key.p, '=', key.len) != NULL; /* cjose's decoder asserts on it */
    cjose_jwk_t *jwk = padded ? NULL : cjose_jwk_import((const char *)key.p, key.len, &cerr);
    char *claims = NULL;
    mcx_err err = MCX_OK;

    if (jwk == NULL || !can_sign(jwk, key)) {
        cjose_jwk_release(jwk);
        return mcx_refuse(why, MCX_E_FORMAT, "the key file is no private RSA or P-256 JWK", "RFC 7517 4");
    }
    claims = claims_text(what);
    err = claims == NULL ? MCX_E_FORMAT : sign(token, jwk, claims);
    free(claims);
    cjose_jwk_release(jwk);
    return err;
}
