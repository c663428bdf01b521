/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/vault.h"

#include "crypto/sym/sym.h"

#include <string.h>

#define MAGIC     "mcxvault"
#define MAGIC_LEN 8
#define VERSION   1
#define SALT_LEN  16
#define NONCE_LEN 12

enum { SEAL_KEY_FILE = 0, SEAL_PASSPHRASE = 1 };

/* Everything secret, in one piece of locked memory. */
struct masters {
    struct mcx_sakke_master sakke;
    struct mcx_eccsi_master eccsi;
};
#define MASTERS_LEN (MCX_SAKKE_MASTER_LEN + 32)
_Static_assert(sizeof(struct masters) == MASTERS_LEN, "sealed as it lies in memory: octets only, no padding");

struct mcx_vault {
    struct masters *masters;
    struct mcx_vault_public pub;
    struct mcx_sakke_kms *sakke_kms; /* for the two checks before release */
    struct mcx_eccsi_kms *eccsi_kms;
};

/* Head of the sealed form: what is bound as AAD. */
struct head {
    uint8_t kind;
    struct mcx_bytes salt;
    struct mcx_key_period period;
    struct mcx_bytes kms_uri;
};

void mcx_vault_key_set_clear(struct mcx_vault_key_set *set)
{
    mcx_wipe(set, sizeof *set);
}

static bool period_ok(const struct mcx_key_period *p)
{
    return p->length > 0 && p->offset < p->length; /* TS 33.180 F.2.1.1 */
}

/* 0x21 to 0x7e: a URI (RFC 3986 2), for which NFKC of TS 33.220 B.2.1.2 is the identity. */
static bool uri_ok(struct mcx_bytes uri)
{
    for (size_t i = 0; i < uri.len; i++) {
        if (uri.p[i] < 0x21 || uri.p[i] > 0x7e) {
            return false;
        }
    }
    return uri.len > 0 && uri.len < MCX_VAULT_URI_MAX;
}

static mcx_err head_write(struct mcx_wr *wr, const struct head *h)
{
    MCX_TRY(mcx_wr_str(wr, MAGIC));
    MCX_TRY(mcx_wr_u8(wr, VERSION));
    MCX_TRY(mcx_wr_u8(wr, h->kind));
    MCX_TRY(mcx_wr_put(wr, h->salt));
    MCX_TRY(mcx_wr_u64(wr, h->period.length));
    MCX_TRY(mcx_wr_u64(wr, h->period.offset));
    return mcx_wr_vec16(wr, h->kms_uri);
}

static mcx_err head_read(struct head *h, struct mcx_rd *rd)
{
    struct mcx_bytes magic;
    uint8_t version = 0;

    MCX_TRY(mcx_rd_take(rd, MAGIC_LEN, &magic));
    if (!mcx_bytes_is(magic, MAGIC)) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_rd_u8(rd, &version));
    MCX_TRY(mcx_rd_u8(rd, &h->kind));
    if (version != VERSION || h->kind > SEAL_PASSPHRASE) {
        return MCX_E_UNSUP;
    }
    MCX_TRY(mcx_rd_take(rd, SALT_LEN, &h->salt));
    MCX_TRY(mcx_rd_u64(rd, &h->period.length));
    MCX_TRY(mcx_rd_u64(rd, &h->period.offset));
    MCX_TRY(mcx_rd_vec16(rd, &h->kms_uri));
    return period_ok(&h->period) && uri_ok(h->kms_uri) ? MCX_OK : MCX_E_FORMAT;
}

static mcx_err gcm_of_seal(struct mcx_gcm **gcm, const struct mcx_vault_seal *seal, struct mcx_bytes salt)
{
    uint8_t key[MCX_VAULT_SEAL_KEY_LEN];
    mcx_err err = MCX_OK;

    if (!seal->is_passphrase) {
        return seal->secret.len == sizeof key ? mcx_gcm_new(gcm, seal->secret, NONCE_LEN) : MCX_E_ARG;
    }
    if (seal->secret.len == 0) {
        return MCX_E_ARG;
    }
    MCX_GO(err, mcx_passphrase_key(key, seal->secret, salt.p));
    MCX_GO(err, mcx_gcm_new(gcm, mcx_bytes(key, sizeof key), NONCE_LEN));
out:
    mcx_wipe(key, sizeof key);
    return err;
}

/* Head, nonce, ciphertext and tag behind one another. `wr` has room for all of it. */
static mcx_err seal_write(struct mcx_wr *wr, const struct head *h, const struct masters *m,
                          const struct mcx_vault_seal *seal, const struct mcx_rng *rng)
{
    size_t start = wr->len;
    struct mcx_gcm *gcm = NULL;
    uint8_t *nonce = NULL;
    uint8_t *body = NULL;
    uint8_t *tag = NULL;
    struct mcx_bytes aad;
    mcx_err err = MCX_OK;

    MCX_GO(err, head_write(wr, h));
    aad = mcx_bytes(wr->p + start, wr->len - start);
    MCX_GO(err, mcx_wr_space(wr, NONCE_LEN, &nonce));
    MCX_GO(err, mcx_wr_space(wr, MASTERS_LEN, &body));
    MCX_GO(err, mcx_wr_space(wr, MCX_GCM_TAG_LEN, &tag));
    MCX_GO(err, mcx_rng_fill(rng, nonce, NONCE_LEN));
    MCX_GO(err, gcm_of_seal(&gcm, seal, h->salt));
    MCX_GO(err, mcx_gcm_seal(gcm, body, tag, nonce, aad, mcx_bytes(m, sizeof *m)));
out:
    mcx_gcm_free(gcm);
    if (err != MCX_OK) {
        wr->len = start;
    }
    return err;
}

mcx_err mcx_vault_create(struct mcx_wr *sealed, struct mcx_bytes kms_uri, const struct mcx_key_period *period,
                         const struct mcx_vault_seal *seal, const struct mcx_rng *rng)
{
    struct masters *m = NULL;
    uint8_t salt[SALT_LEN] = { 0 };
    struct head h = { .kind = seal->is_passphrase ? SEAL_PASSPHRASE : SEAL_KEY_FILE,
                      .salt = mcx_bytes(salt, sizeof salt),
                      .period = *period,
                      .kms_uri = kms_uri };
    mcx_err err = MCX_OK;

    if (!period_ok(period) || !uri_ok(kms_uri)) {
        return MCX_E_ARG;
    }
    m = mcx_secret_alloc(sizeof *m);
    if (m == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_GO(err, mcx_rng_fill(rng, salt, sizeof salt));
    MCX_GO(err, mcx_sakke_master_generate(&m->sakke, rng));
    MCX_GO(err, mcx_eccsi_master_generate(&m->eccsi, rng));
    MCX_GO(err, seal_write(sealed, &h, m, seal, rng));
out:
    mcx_secret_free(m);
    return err;
}

/* Public keys from the master secrets, prepared for the checks. */
static mcx_err prepare(struct mcx_vault *v, const struct head *h)
{
    MCX_TRY(mcx_bytes_cstr(v->pub.kms_uri, sizeof v->pub.kms_uri, h->kms_uri));
    v->pub.period = h->period;
    MCX_TRY(mcx_sakke_master_public(v->pub.pub_enc_key, &v->masters->sakke));
    MCX_TRY(mcx_eccsi_master_public(v->pub.pub_auth_key, &v->masters->eccsi));
    MCX_TRY(mcx_sakke_kms_new(&v->sakke_kms, v->pub.pub_enc_key, MCX_SAKKE_TABLES_DEFAULT));
    return mcx_eccsi_kms_new(&v->eccsi_kms, v->pub.pub_auth_key);
}

mcx_err mcx_vault_open(struct mcx_vault **out, struct mcx_bytes sealed, const struct mcx_vault_seal *seal)
{
    struct mcx_rd rd = mcx_rd(sealed);
    struct head h = { 0 };
    struct mcx_bytes nonce;
    struct mcx_bytes body;
    struct mcx_bytes tag;
    struct mcx_gcm *gcm = NULL;
    struct mcx_vault *v = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(head_read(&h, &rd));
    struct mcx_bytes aad = mcx_bytes(sealed.p, sealed.len - rd.len);
    MCX_TRY(mcx_rd_take(&rd, NONCE_LEN, &nonce));
    MCX_TRY(mcx_rd_take(&rd, MASTERS_LEN, &body));
    MCX_TRY(mcx_rd_take(&rd, MCX_GCM_TAG_LEN, &tag));
    MCX_TRY(mcx_rd_end(&rd));
    if (seal->is_passphrase != (h.kind == SEAL_PASSPHRASE)) {
        return MCX_E_ARG;
    }
    v = mcx_secret_alloc(sizeof *v);
    if (v == NULL) {
        return MCX_E_NOMEM;
    }
    v->masters = mcx_secret_alloc(sizeof *v->masters);
    err = v->masters == NULL ? MCX_E_NOMEM : MCX_OK;
    MCX_GO(err, err);
    MCX_GO(err, gcm_of_seal(&gcm, seal, h.salt));
    MCX_GO(err, mcx_gcm_open(gcm, (uint8_t *)v->masters, nonce.p, aad, body, tag.p));
    MCX_GO(err, prepare(v, &h));
    *out = v;
    v = NULL;
out:
    mcx_gcm_free(gcm);
    mcx_vault_free(v);
    return err;
}

void mcx_vault_free(struct mcx_vault *vault)
{
    if (vault == NULL) {
        return;
    }
    mcx_secret_free(vault->masters);
    mcx_sakke_kms_free(vault->sakke_kms);
    mcx_eccsi_kms_free(vault->eccsi_kms);
    mcx_secret_free(vault);
}

const struct mcx_vault_public *mcx_vault_public(const struct mcx_vault *vault)
{
    return &vault->pub;
}

/* What the client will check (RFC 6508 6.1.2, RFC 6507 5.1.2): a miscomputed key never leaves. */
static mcx_err check_set(const struct mcx_vault *v, const struct mcx_vault_key_set *set)
{
    struct mcx_bytes uid = mcx_bytes(set->uid, sizeof set->uid);
    struct mcx_sakke_rsk *rsk = NULL;
    struct mcx_eccsi_key key = { 0 };
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_sakke_rsk_new(&rsk, set->rsk, v->sakke_kms, uid, MCX_SAKKE_TABLES_NONE));
    MCX_GO(err, mcx_eccsi_key_init(&key, v->eccsi_kms, uid, set->ssk, set->pvt));
out:
    mcx_sakke_rsk_free(rsk);
    mcx_eccsi_key_clear(&key);
    return err == MCX_E_AUTH || err == MCX_E_POINT ? MCX_E_BUG : err;
}

mcx_err mcx_vault_issue(const struct mcx_vault *vault, struct mcx_vault_key_set *out,
                        const struct mcx_vault_request *req, const struct mcx_rng *rng)
{
    const struct mcx_vault_public *pub = &vault->pub;
    const char *nul = memchr(req->user_uri, '\0', sizeof req->user_uri);
    struct mcx_bytes user = mcx_bytes(req->user_uri, nul == NULL ? 0 : (size_t)(nul - req->user_uri));
    struct mcx_bytes uid = mcx_bytes(out->uid, sizeof out->uid);
    mcx_err err = MCX_OK;

    if (!uri_ok(user)) {
        mcx_vault_key_set_clear(out);
        return MCX_E_ARG;
    }
    MCX_GO(err, mcx_uid(out->uid, user, mcx_bytes_str(pub->kms_uri), &pub->period, req->period_no));
    MCX_GO(err, mcx_sakke_extract(out->rsk, &vault->masters->sakke, uid));
    MCX_GO(err, mcx_eccsi_extract(out->ssk, out->pvt, &vault->masters->eccsi, uid, rng));
    MCX_GO(err, check_set(vault, out));
out:
    if (err != MCX_OK) {
        mcx_vault_key_set_clear(out);
    }
    return err;
}
