/* SPDX-License-Identifier: Apache-2.0 */
/* Key types, key identifiers and the GUK-ID (TS 33.180 5.2.2, 5.2.3, table G-1, F.1.3). */
#include "ident/ident_internal.h"

#include "crypto/sym/sym.h"

#define TAG_SHIFT 28
#define ID_BITS   UINT32_C(0x0fffffff) /* the part of a key identifier that is random */

static const char *const names[MCX_NUM_KEY_TYPES] = { "gmk", "pck", "csk", "spk", "mkfc", "mscck", "musik" };

const char *mcx_key_type_name(enum mcx_key_type type)
{
    return (unsigned)type < MCX_NUM_KEY_TYPES ? names[type] : NULL;
}

mcx_err mcx_key_type_read(enum mcx_key_type *out, struct mcx_bytes name)
{
    for (size_t i = 0; i < MCX_NUM_KEY_TYPES; i++) {
        if (mcx_bytes_is(name, names[i])) {
            *out = (enum mcx_key_type)i;
            return MCX_OK;
        }
    }
    if (mcx_bytes_is(name, "msck")) { /* a common way to write it */
        *out = MCX_KEY_MSCCK;
        return MCX_OK;
    }
    return MCX_E_FORMAT;
}

mcx_err mcx_key_id_type(enum mcx_key_type *out, uint32_t key_id)
{
    uint32_t tag = key_id >> TAG_SHIFT;

    if (tag >= MCX_NUM_KEY_TYPES) {
        return MCX_E_UNSUP;
    }
    *out = (enum mcx_key_type)tag;
    return MCX_OK;
}

mcx_err mcx_key_generate(struct mcx_key *key, uint32_t *key_id, enum mcx_key_type type, const struct mcx_rng *rng)
{
    uint8_t id[4] = { 0 };
    struct mcx_rd rd = mcx_rd(mcx_bytes(id, sizeof id));
    uint32_t random = 0;
    mcx_err err = MCX_OK;

    if ((unsigned)type >= MCX_NUM_KEY_TYPES) {
        return MCX_E_ARG;
    }
    MCX_GO(err, mcx_rng_fill(rng, key->octet, sizeof key->octet));
    MCX_GO(err, mcx_rng_fill(rng, id, sizeof id));
    MCX_GO(err, mcx_rd_u32(&rd, &random));
    *key_id = (uint32_t)type << TAG_SHIFT | (random & ID_BITS);
out:
    if (err != MCX_OK) {
        mcx_key_clear(key);
    }
    return err;
}

mcx_err mcx_guk_id(uint32_t *out, uint32_t id, const struct mcx_key *gmk, struct mcx_bytes user_uri)
{
    uint8_t mac[32] = { 0 };
    struct mcx_rd rd = mcx_rd(mcx_bytes(mac + 28, 4));
    uint32_t salt = 0;
    mcx_err err = MCX_OK;

    if (user_uri.len == 0) {
        return MCX_E_ARG;
    }
    MCX_GO(err, mcx_kdf(mac, gmk, 0x50, &user_uri, 1)); /* User Salt, F.1.3 */
    MCX_GO(err, mcx_rd_u32(&rd, &salt));
    *out = id ^ (salt & ID_BITS);
out:
    mcx_wipe(mac, sizeof mac);
    return err;
}
