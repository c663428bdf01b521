/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_TOKEN_H
#define MCX_IO_TOKEN_H

/*
 * Access tokens (TS 33.180 B.4, B.10): JWTs (RFC 7519) in a JWS (RFC 7515) with RS256 or ES256.
 *
 * The JWS is verified by cjose with a key of a configured JWKS. The algorithm is pinned to the type of that
 * key before, so that a token cannot choose: `none` and HS* have no key at all here. Header and payload are
 * refused when a member stands twice in them. The claims are then checked by mcx_token_claims_read().
 */

#include <mcx/bytes.h>

#define MCX_TOKEN_MAX    8192 /* octets of a token */
#define MCX_TOKEN_ID_MAX 1024

/** Public keys of the identity servers. */
struct mcx_jwks;

/**
 * Read a JWKS (RFC 7517 5). Keys of other types or uses are left out; a private or symmetric key is refused.
 *
 * @retval MCX_E_FORMAT  not a JWKS, a key of it is broken, or an RSA key has fewer than 2048 bits
 * @retval MCX_E_NOKEY   no key in it is usable for RS256 or ES256
 */
MCX_MUST_CHECK mcx_err mcx_jwks_read(struct mcx_jwks **out, struct mcx_bytes json, struct mcx_refusal *why);
void mcx_jwks_free(struct mcx_jwks *jwks);

/** What a token has to say. Strings are borrowed. */
struct mcx_token_policy {
    const char *iss; /* NULL: any identity server of the JWKS */
    const char *aud; /* NULL: none is demanded */
    const char *const *scopes;
    size_t num_scopes; /* one of them has to be in the token */
    uint64_t skew_s;   /* tolerance for exp, nbf, iat */
};
/** The two attested scopes of the KMS (TS 33.180 B.4.2.2; docs/DEVIATIONS.md "kms-scope"). */
extern const char *const mcx_token_kms_scopes[];
#define MCX_TOKEN_NUM_KMS_SCOPES 2
#define MCX_TOKEN_SKEW_S         30

struct mcx_token_claims {
    char mcptt_id[MCX_TOKEN_ID_MAX];
    uint64_t exp; /* Unix seconds */
};

/**
 * Check a token for `now` (Unix seconds).
 *
 * @param[out] out  unchanged on error
 * @retval MCX_E_FORMAT   not a JWS in compact form with JSON objects in it
 * @retval MCX_E_UNSUP    an algorithm other than RS256 and ES256, or `crit`
 * @retval MCX_E_NOKEY    no key of the JWKS fits `kid` and algorithm
 * @retval MCX_E_AUTH     the signature is wrong
 * @retval MCX_E_EXPIRED  exp passed, or nbf or iat in the future
 * @retval MCX_E_POLICY   genuine and in time, but without a scope that is wanted
 */
MCX_MUST_CHECK mcx_err mcx_token_verify(struct mcx_token_claims *out, const struct mcx_jwks *jwks,
                                        const struct mcx_token_policy *policy, struct mcx_bytes token, uint64_t now,
                                        struct mcx_refusal *why);

/** The claim checks alone, on the JSON payload of a token whose signature is good. Errors as above. */
MCX_MUST_CHECK mcx_err mcx_token_claims_read(struct mcx_token_claims *out, const struct mcx_token_policy *policy,
                                             struct mcx_bytes json, uint64_t now, struct mcx_refusal *why);

/* Below: laboratories and tests, where no identity server exists. */

enum mcx_token_alg { MCX_TOKEN_ES256, MCX_TOKEN_RS256 };

/**
 * Make a key pair: `key` is the private JWK, `jwks` the set `old_jwks` (may be empty) with the public key added.
 * Both are new C strings; `key` is secret: release with mcx_token_secret_free(), `jwks` with free().
 *
 * @retval MCX_E_FORMAT  `old_jwks` is not a JWKS
 */
MCX_MUST_CHECK mcx_err mcx_token_keygen(char **key, char **jwks, enum mcx_token_alg alg, struct mcx_bytes old_jwks);
void mcx_token_secret_free(char *s);

struct mcx_token_issue {
    const char *mcptt_id;
    const char *iss;
    const char *aud;
    const char *const *scopes;
    size_t num_scopes;
    uint64_t now;
    uint64_t expires_in;
};
/** Sign a token with a private JWK; `token` is a new C string, released with mcx_token_secret_free(). */
MCX_MUST_CHECK mcx_err mcx_token_issue(char **token, struct mcx_bytes key, const struct mcx_token_issue *what,
                                       struct mcx_refusal *why);

#endif
