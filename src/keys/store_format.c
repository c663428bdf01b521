/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed form of a key store, and inside it:
 *
 *   homes    number 2; each: string kms_uri | flags 1 (1 = has_cache) | cache_num 8 | last_fetch 8
 *   certs    number 2; each: role 1 | flags 1 (1 = revoked) | strings cert_uri, kms_uri, issuer | valid_from 8 |
 *            valid_to 8 | period 8 | offset 8 | Z 257 | KPAK 65 | number of domains 1, strings
 *   key sets number 2; each: flags 1 (1 = revoked, 2 = open_only) | strings kms_uri, cert_uri, issuer, user_uri |
 *            UID 32 | valid_from 8 | valid_to 8 | period_no 8 | RSK 257 | SSK 32 | PVT 65
 */
#include "keys/store_int.h"

#include <stdlib.h>

#include <mcx/secret.h>

#include "keys/sealed.h"

static const struct sealed_form form = {
    .magic = "mcxstore",
    .version = MCX_STORE_VERSION,
    .too_large = "the key store is larger than 1 MiB",
    .cut = "the key store is cut short",
    .other = "the file is no key store",
    .version_other = "the key store has another format version",
    .altered = "the key store was sealed under another key, or altered",
    .malformed = "the contents of the key store are malformed",
    .older = "the key store is older than the one seen before",
};

enum { HOME_HAS_CACHE = 1 };
enum { CERT_REVOKED = 1 };
enum { SET_REVOKED = 1, SET_OPEN_ONLY = 2 };

static mcx_err put_home(struct mcx_wr *wr, const struct mcx_store_home *home)
{
    MCX_TRY(mcx_sealed_put_string(wr, home->kms_uri));
    MCX_TRY(mcx_wr_u8(wr, home->has_cache ? HOME_HAS_CACHE : 0));
    MCX_TRY(mcx_wr_u64(wr, home->cache_num));
    return mcx_wr_u64(wr, home->last_fetch);
}

static mcx_err take_home(struct mcx_store_home *home, struct mcx_rd *rd)
{
    uint8_t flags = 0;

    MCX_TRY(mcx_sealed_take_string(&home->kms_uri, rd));
    MCX_TRY(mcx_rd_u8(rd, &flags));
    MCX_TRY(mcx_rd_u64(rd, &home->cache_num));
    MCX_TRY(mcx_rd_u64(rd, &home->last_fetch));
    home->has_cache = flags == HOME_HAS_CACHE;
    return flags > HOME_HAS_CACHE ? MCX_E_FORMAT : MCX_OK;
}

static mcx_err put_cert(struct mcx_wr *wr, const struct mcx_kms_cert *cert)
{
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)cert->role));
    MCX_TRY(mcx_wr_u8(wr, cert->revoked ? CERT_REVOKED : 0));
    MCX_TRY(mcx_sealed_put_string(wr, cert->cert_uri));
    MCX_TRY(mcx_sealed_put_string(wr, cert->kms_uri));
    MCX_TRY(mcx_sealed_put_string(wr, cert->issuer));
    MCX_TRY(mcx_wr_u64(wr, cert->valid_from));
    MCX_TRY(mcx_wr_u64(wr, cert->valid_to));
    MCX_TRY(mcx_wr_u64(wr, cert->period.length));
    MCX_TRY(mcx_wr_u64(wr, cert->period.offset));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(cert->pub_enc_key, sizeof cert->pub_enc_key)));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(cert->pub_auth_key, sizeof cert->pub_auth_key)));
    if (cert->num_domains > MCX_KMSDOC_MAX_DOMAINS) {
        return MCX_E_ARG;
    }
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)cert->num_domains));
    for (size_t i = 0; i < cert->num_domains; i++) {
        MCX_TRY(mcx_sealed_put_string(wr, cert->domains[i]));
    }
    return MCX_OK;
}

static mcx_err take_domains(struct mcx_kms_cert *cert, struct mcx_rd *rd)
{
    uint8_t num = 0;

    MCX_TRY(mcx_rd_u8(rd, &num));
    if (num > MCX_KMSDOC_MAX_DOMAINS) {
        return MCX_E_FORMAT;
    }
    if (num == 0) {
        return MCX_OK;
    }
    cert->domains = calloc(num, sizeof *cert->domains);
    if (cert->domains == NULL) {
        return MCX_E_NOMEM;
    }
    cert->num_domains = num; /* all NULL: ready to be cleared */
    for (size_t i = 0; i < num; i++) {
        MCX_TRY(mcx_sealed_take_string(&cert->domains[i], rd));
        if (cert->domains[i] == NULL) {
            return MCX_E_FORMAT;
        }
    }
    return MCX_OK;
}

static mcx_err take_cert(struct mcx_kms_cert *cert, struct mcx_rd *rd)
{
    uint8_t role = 0;
    uint8_t flags = 0;

    MCX_TRY(mcx_rd_u8(rd, &role));
    MCX_TRY(mcx_rd_u8(rd, &flags));
    if (role > MCX_KMS_EXTERNAL || flags > CERT_REVOKED) {
        return MCX_E_FORMAT;
    }
    cert->role = role == MCX_KMS_ROOT ? MCX_KMS_ROOT : MCX_KMS_EXTERNAL;
    cert->revoked = flags == CERT_REVOKED;
    MCX_TRY(mcx_sealed_take_string(&cert->cert_uri, rd));
    MCX_TRY(mcx_sealed_take_string(&cert->kms_uri, rd));
    MCX_TRY(mcx_sealed_take_string(&cert->issuer, rd));
    MCX_TRY(mcx_rd_u64(rd, &cert->valid_from));
    MCX_TRY(mcx_rd_u64(rd, &cert->valid_to));
    MCX_TRY(mcx_rd_u64(rd, &cert->period.length));
    MCX_TRY(mcx_rd_u64(rd, &cert->period.offset));
    MCX_TRY(mcx_rd_copy(rd, cert->pub_enc_key, sizeof cert->pub_enc_key));
    MCX_TRY(mcx_rd_copy(rd, cert->pub_auth_key, sizeof cert->pub_auth_key));
    return take_domains(cert, rd);
}

static mcx_err put_set(struct mcx_wr *wr, const struct mcx_kms_key_set *set)
{
    MCX_TRY(mcx_wr_u8(wr, (uint8_t)((set->revoked ? SET_REVOKED : 0) | (set->open_only ? SET_OPEN_ONLY : 0))));
    MCX_TRY(mcx_sealed_put_string(wr, set->kms_uri));
    MCX_TRY(mcx_sealed_put_string(wr, set->cert_uri));
    MCX_TRY(mcx_sealed_put_string(wr, set->issuer));
    MCX_TRY(mcx_sealed_put_string(wr, set->user_uri));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(set->uid, sizeof set->uid)));
    MCX_TRY(mcx_wr_u64(wr, set->valid_from));
    MCX_TRY(mcx_wr_u64(wr, set->valid_to));
    MCX_TRY(mcx_wr_u64(wr, set->period_no));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(set->rsk, sizeof set->rsk)));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(set->ssk, sizeof set->ssk)));
    return mcx_wr_put(wr, mcx_bytes(set->pvt, sizeof set->pvt));
}

static mcx_err take_set(struct mcx_kms_key_set *set, struct mcx_rd *rd)
{
    uint8_t flags = 0;

    MCX_TRY(mcx_rd_u8(rd, &flags));
    if (flags > (SET_REVOKED | SET_OPEN_ONLY)) {
        return MCX_E_FORMAT;
    }
    set->revoked = (flags & SET_REVOKED) != 0;
    set->open_only = (flags & SET_OPEN_ONLY) != 0;
    MCX_TRY(mcx_sealed_take_string(&set->kms_uri, rd));
    MCX_TRY(mcx_sealed_take_string(&set->cert_uri, rd));
    MCX_TRY(mcx_sealed_take_string(&set->issuer, rd));
    MCX_TRY(mcx_sealed_take_string(&set->user_uri, rd));
    MCX_TRY(mcx_rd_copy(rd, set->uid, sizeof set->uid));
    MCX_TRY(mcx_rd_u64(rd, &set->valid_from));
    MCX_TRY(mcx_rd_u64(rd, &set->valid_to));
    MCX_TRY(mcx_rd_u64(rd, &set->period_no));
    MCX_TRY(mcx_rd_copy(rd, set->rsk, sizeof set->rsk));
    MCX_TRY(mcx_rd_copy(rd, set->ssk, sizeof set->ssk));
    return mcx_rd_copy(rd, set->pvt, sizeof set->pvt);
}

static mcx_err put_all(struct mcx_wr *wr, const struct mcx_store *store)
{
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)store->num_homes));
    for (size_t i = 0; i < store->num_homes; i++) {
        MCX_TRY(put_home(wr, &store->homes[i]));
    }
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)store->num_certs));
    for (size_t i = 0; i < store->num_certs; i++) {
        MCX_TRY(put_cert(wr, &store->certs[i]));
    }
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)store->num_sets));
    for (size_t i = 0; i < store->num_sets; i++) {
        MCX_TRY(put_set(wr, &store->sets[i]));
    }
    return MCX_OK;
}

static mcx_err take_homes(struct mcx_store *store, struct mcx_rd *rd)
{
    uint16_t num = 0;

    MCX_TRY(mcx_rd_u16(rd, &num));
    for (uint16_t i = 0; i < num; i++) {
        struct mcx_store_home home = { 0 };
        mcx_err err = take_home(&home, rd);

        err = err == MCX_OK ? mcx_store_put_home(store, &home) : err;
        free(home.kms_uri);
        MCX_TRY(err);
    }
    return MCX_OK;
}

static mcx_err take_certs(struct mcx_store *store, struct mcx_rd *rd)
{
    uint16_t num = 0;

    MCX_TRY(mcx_rd_u16(rd, &num));
    for (uint16_t i = 0; i < num; i++) {
        struct mcx_kms_cert cert = { 0 };
        mcx_err err = take_cert(&cert, rd);

        err = err == MCX_OK ? mcx_store_put_cert(store, &cert) : err;
        mcx_kms_cert_clear(&cert);
        MCX_TRY(err);
    }
    return MCX_OK;
}

static mcx_err take_sets(struct mcx_store *store, struct mcx_rd *rd)
{
    uint16_t num = 0;

    MCX_TRY(mcx_rd_u16(rd, &num));
    for (uint16_t i = 0; i < num; i++) {
        struct mcx_kms_key_set set = { 0 };
        mcx_err err = take_set(&set, rd);

        err = err == MCX_OK ? mcx_store_put_key_set(store, &set) : err;
        mcx_kms_key_set_clear(&set);
        MCX_TRY(err);
    }
    return MCX_OK;
}

static mcx_err take_all(void *ctx, struct mcx_rd *rd)
{
    struct mcx_store *store = ctx;

    MCX_TRY(take_homes(store, rd));
    MCX_TRY(take_certs(store, rd));
    return take_sets(store, rd);
}

/* An upper bound of what put_all() writes; the fixed parts are counted generously. */
static size_t plain_bound(const struct mcx_store *store)
{
    size_t n = 6;

    for (size_t i = 0; i < store->num_homes; i++) {
        n += 32 + mcx_sealed_string_len(store->homes[i].kms_uri);
    }
    for (size_t i = 0; i < store->num_certs; i++) {
        const struct mcx_kms_cert *c = &store->certs[i];

        n += sizeof *c + mcx_sealed_string_len(c->cert_uri) + mcx_sealed_string_len(c->kms_uri) +
             mcx_sealed_string_len(c->issuer);
        for (size_t k = 0; k < c->num_domains; k++) {
            n += mcx_sealed_string_len(c->domains[k]);
        }
    }
    for (size_t i = 0; i < store->num_sets; i++) {
        const struct mcx_kms_key_set *s = &store->sets[i];

        n += sizeof *s + mcx_sealed_string_len(s->kms_uri) + mcx_sealed_string_len(s->cert_uri) +
             mcx_sealed_string_len(s->issuer) + mcx_sealed_string_len(s->user_uri);
    }
    return n;
}

mcx_err mcx_store_seal(uint8_t **out, size_t *len, struct mcx_store *store, const uint8_t key[MCX_STORE_KEY_LEN],
                       const struct mcx_rng *rng)
{
    size_t bound = plain_bound(store);
    struct mcx_wr plain = { 0 };
    mcx_err err = MCX_OK;

    if (bound > MCX_STORE_MAX) {
        return MCX_E_SPACE;
    }
    plain = mcx_wr(mcx_secret_alloc(bound), bound);
    if (plain.p == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_GO(err, put_all(&plain, store));
    MCX_GO(err, mcx_sealed_write(out, len, &form, store->serial + 1, mcx_wr_done(&plain), key, rng));
    store->serial++;
out:
    mcx_secret_free(plain.p);
    return err;
}

mcx_err mcx_store_open(struct mcx_store **out, struct mcx_bytes sealed, const uint8_t key[MCX_STORE_KEY_LEN],
                       uint64_t min_serial, struct mcx_refusal *why)
{
    struct mcx_store *store = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_store_new(&store));
    err = mcx_sealed_read(&store->serial, &form, sealed, key, min_serial, take_all, store, why);
    if (err != MCX_OK) {
        mcx_store_free(store);
        return err;
    }
    *out = store;
    return MCX_OK;
}
