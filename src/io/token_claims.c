/* SPDX-License-Identifier: Apache-2.0 */
/* Claim checks of access tokens (RFC 7519 4.1, RFC 8725 3; TS 33.180 B.4.2.2, B.10). */
#include "io/token.h"

#include <mcx/text.h>

#include <jansson.h>
#include <string.h>

#define MAX_TIME 253402300799.0 /* 9999-12-31T23:59:59Z */

/* A NumericDate (RFC 7519 2): integer or not, never negative. */
static bool numeric_date(uint64_t *out, json_t *v)
{
    double t = json_is_number(v) ? json_number_value(v) : -1.0;

    if (!(t >= 0.0 && t <= MAX_TIME)) {
        return false;
    }
    *out = (uint64_t)t;
    return true;
}

static mcx_err check_times(uint64_t *exp, json_t *o, uint64_t skew, uint64_t now, struct mcx_refusal *why)
{
    static const char *const not_before[] = { "nbf", "iat" };
    uint64_t t = 0;

    if (!numeric_date(exp, json_object_get(o, "exp"))) {
        return mcx_refuse(why, MCX_E_FORMAT, "the token has no valid exp", "TS 33.180 B.4");
    }
    if (now >= *exp + skew) {
        return mcx_refuse(why, MCX_E_EXPIRED, "the token has expired", "RFC 7519 4.1.4");
    }
    for (size_t i = 0; i < 2; i++) {
        json_t *v = json_object_get(o, not_before[i]);

        if (v == NULL) {
            continue;
        }
        if (!numeric_date(&t, v)) {
            return mcx_refuse(why, MCX_E_FORMAT, "nbf or iat of the token is no time", "RFC 7519 2");
        }
        if (t > now + skew) {
            return mcx_refuse(why, MCX_E_EXPIRED, "the token is not valid yet", "RFC 7519 4.1.5");
        }
    }
    return MCX_OK;
}

static bool is_string(json_t *v, const char *want)
{
    const char *s = json_string_value(v);

    return s != NULL && strlen(s) == json_string_length(v) && strcmp(s, want) == 0;
}

/* A string, or one of an array of strings (RFC 7519 4.1.3). */
static bool holds(json_t *v, const char *want)
{
    if (!json_is_array(v)) {
        return is_string(v, want);
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (is_string(json_array_get(v, i), want)) {
            return true;
        }
    }
    return false;
}

static mcx_err check_parties(json_t *o, const struct mcx_token_policy *p, struct mcx_refusal *why)
{
    if (p->iss != NULL && !is_string(json_object_get(o, "iss"), p->iss)) {
        return mcx_refuse(why, MCX_E_AUTH, "the token is of another issuer", "RFC 7519 4.1.1");
    }
    if (p->aud != NULL && !holds(json_object_get(o, "aud"), p->aud)) {
        return mcx_refuse(why, MCX_E_AUTH, "the token is for another audience", "RFC 7519 4.1.3");
    }
    return MCX_OK;
}

/* One word of a list separated by spaces (RFC 6749 3.3). */
static bool word_in(const char *list, const char *want)
{
    size_t n = strlen(want);

    while (*list != '\0') {
        size_t len = strcspn(list, " ");

        if (len == n && strncmp(list, want, n) == 0) {
            return true;
        }
        list += len;
        list += strspn(list, " ");
    }
    return false;
}

static bool scope_ok(json_t *scope, const struct mcx_token_policy *p)
{
    for (size_t i = 0; i < p->num_scopes; i++) {
        const char *s = json_string_value(scope);

        if (holds(scope, p->scopes[i]) || (s != NULL && word_in(s, p->scopes[i]))) {
            return true;
        }
    }
    return false;
}

static mcx_err check_claims(struct mcx_token_claims *c, json_t *o, const struct mcx_token_policy *p, uint64_t now,
                            struct mcx_refusal *why)
{
    json_t *id = json_object_get(o, "mcptt_id");
    struct mcx_bytes text = mcx_bytes(json_string_value(id), json_string_length(id));

    MCX_TRY(check_times(&c->exp, o, p->skew_s, now, why));
    MCX_TRY(check_parties(o, p, why));
    if (text.len == 0 || !mcx_utf8_ok(text) || mcx_bytes_cstr(c->mcptt_id, sizeof c->mcptt_id, text) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "the token has no valid mcptt_id", "TS 33.180 B.4");
    }
    if (!scope_ok(json_object_get(o, "scope"), p)) {
        return mcx_refuse(why, MCX_E_POLICY, "the token has none of the scopes asked for", "TS 33.180 B.4.2.2");
    }
    return MCX_OK;
}

mcx_err mcx_token_claims_read(struct mcx_token_claims *out, const struct mcx_token_policy *policy,
                              struct mcx_bytes json, uint64_t now, struct mcx_refusal *why)
{
    json_t *o = json_loadb((const char *)json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
    struct mcx_token_claims c = { 0 };
    mcx_err err = MCX_OK;

    if (json_is_object(o)) {
        err = check_claims(&c, o, policy, now, why);
    } else {
        err = mcx_refuse(why, MCX_E_FORMAT, "the payload of the token is no JSON object", "RFC 7519 7.2");
    }
    json_decref(o);
    if (err == MCX_OK) {
        *out = c;
    }
    return err;
}
