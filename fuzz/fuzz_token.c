/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens. First octet: 0 claims, 1 a whole token against a fixed JWKS (none may pass), 2 a JWKS. */
#include <stdint.h>
#include <stdlib.h>

#include "io/token.h"

#define NOW UINT64_C(1772625600)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The public P-256 key of RFC 7515 A.3; its private half is printed there, but no token of it has these claims. */
static const char jwks_text[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                                "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mcx_jwks *jwks;
    static const struct mcx_token_policy policy = { .scopes = mcx_token_kms_scopes,
                                                    .num_scopes = MCX_TOKEN_NUM_KMS_SCOPES,
                                                    .skew_s = MCX_TOKEN_SKEW_S };
    struct mcx_token_claims claims = { .exp = 1 };
    struct mcx_jwks *other = NULL;
    struct mcx_bytes in = mcx_bytes(data + (size > 0), size - (size > 0));

    if (jwks == NULL && mcx_jwks_read(&jwks, mcx_bytes_str(jwks_text), NULL) != MCX_OK) {
        abort();
    }
    if (size == 0) {
        return 0;
    }
    if (data[0] % 3 == 0) {
        if (mcx_token_claims_read(&claims, &policy, in, NOW, NULL) == MCX_OK &&
            (claims.mcptt_id[0] == '\0' || claims.exp + MCX_TOKEN_SKEW_S <= NOW)) {
            abort();
        }
    } else if (data[0] % 3 == 1) {
        if (mcx_token_verify(&claims, jwks, &policy, in, NOW, NULL) == MCX_OK) {
            abort();
        }
    } else if (mcx_jwks_read(&other, in, NULL) == MCX_OK) {
        mcx_jwks_free(other);
    }
    return 0;
}
