/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed form of files of keys. */
#include "keys/sealed.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>
#include <mcx/text.h>

#include "crypto/sym/sym.h"

#define MAGIC_LEN 8

mcx_err mcx_sealed_put_string(struct mcx_wr *wr, const char *s)
{
    return mcx_wr_vec16(wr, mcx_bytes_str(s));
}

mcx_err mcx_sealed_take_string(char **out, struct mcx_rd *rd)
{
    struct mcx_bytes b;
    char *s = NULL;

    MCX_TRY(mcx_rd_vec16(rd, &b));
    if (b.len == 0) {
        return MCX_OK;
    }
    if (b.len >= MCX_KMSDOC_URI_MAX || !mcx_utf8_ok(b)) {
        return MCX_E_FORMAT;
    }
    s = malloc(b.len + 1);
    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    memcpy(s, b.p, b.len);
    s[b.len] = '\0';
    *out = s;
    return MCX_OK;
}

size_t mcx_sealed_string_len(const char *s)
{
    return 2 + mcx_bytes_str(s).len;
}

static mcx_err put_head(struct mcx_wr *wr, const struct sealed_form *form, uint64_t serial, const struct mcx_rng *rng)
{
    uint8_t *nonce = NULL;

    MCX_TRY(mcx_wr_put(wr, mcx_bytes(form->magic, MAGIC_LEN)));
    MCX_TRY(mcx_wr_u16(wr, form->version));
    MCX_TRY(mcx_wr_u64(wr, serial));
    MCX_TRY(mcx_wr_space(wr, SEALED_NONCE_LEN, &nonce));
    return mcx_rng_fill(rng, nonce, SEALED_NONCE_LEN);
}

/* Ciphertext and tag after the head that `wr` holds. */
static mcx_err seal_after(struct mcx_wr *wr, struct mcx_bytes plain, const uint8_t key[MCX_STORE_KEY_LEN])
{
    struct mcx_bytes head = mcx_wr_done(wr);
    struct mcx_gcm *gcm = NULL;
    uint8_t *text = NULL;
    uint8_t *tag = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_wr_space(wr, plain.len, &text));
    MCX_TRY(mcx_wr_space(wr, MCX_GCM_TAG_LEN, &tag));
    MCX_TRY(mcx_gcm_new(&gcm, mcx_bytes(key, MCX_STORE_KEY_LEN), SEALED_NONCE_LEN));
    err = mcx_gcm_seal(gcm, text, tag, head.p + SEALED_HEAD_LEN - SEALED_NONCE_LEN, head, plain);
    mcx_gcm_free(gcm);
    return err;
}

mcx_err mcx_sealed_write(uint8_t **out, size_t *len, const struct sealed_form *form, uint64_t serial,
                         struct mcx_bytes plain, const uint8_t key[MCX_STORE_KEY_LEN], const struct mcx_rng *rng)
{
    size_t whole = SEALED_HEAD_LEN + plain.len + MCX_GCM_TAG_LEN;
    struct mcx_wr sealed = { 0 };
    mcx_err err = MCX_OK;

    if (plain.len > MCX_STORE_MAX || whole > MCX_STORE_MAX) {
        return MCX_E_SPACE;
    }
    sealed = mcx_wr(malloc(whole), whole);
    if (sealed.p == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_GO(err, put_head(&sealed, form, serial, rng));
    MCX_GO(err, seal_after(&sealed, plain, key));
    *out = sealed.p;
    *len = sealed.len;
    sealed.p = NULL;
out:
    free(sealed.p);
    return err;
}

/* The head; the cursor is left at the ciphertext. Nothing in it is trusted before the tag is. */
static mcx_err take_head(uint64_t *serial, struct mcx_bytes *nonce, struct mcx_rd *rd, const struct sealed_form *form,
                         struct mcx_refusal *why)
{
    struct mcx_bytes word;
    uint16_t version = 0;

    if (mcx_rd_take(rd, MAGIC_LEN, &word) != MCX_OK) {
        return mcx_refuse(why, MCX_E_TRUNC, form->cut, "");
    }
    if (!mcx_bytes_equal(word, mcx_bytes(form->magic, MAGIC_LEN))) {
        return mcx_refuse(why, MCX_E_FORMAT, form->other, "");
    }
    if (mcx_rd_u16(rd, &version) != MCX_OK) {
        return mcx_refuse(why, MCX_E_TRUNC, form->cut, "");
    }
    if (version != form->version) {
        return mcx_refuse(why, MCX_E_UNSUP, form->version_other, "");
    }
    if (mcx_rd_u64(rd, serial) != MCX_OK || mcx_rd_take(rd, SEALED_NONCE_LEN, nonce) != MCX_OK ||
        rd->len < MCX_GCM_TAG_LEN) {
        return mcx_refuse(why, MCX_E_TRUNC, form->cut, "");
    }
    return MCX_OK;
}

/* Into `plain` of locked memory, as long as the ciphertext. */
static mcx_err open_text(uint8_t *plain, struct mcx_bytes sealed, struct mcx_bytes nonce, struct mcx_bytes text,
                         const uint8_t key[MCX_STORE_KEY_LEN])
{
    struct mcx_gcm *gcm = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_gcm_new(&gcm, mcx_bytes(key, MCX_STORE_KEY_LEN), SEALED_NONCE_LEN));
    err = mcx_gcm_open(gcm, plain, nonce.p, mcx_bytes(sealed.p, SEALED_HEAD_LEN), text, text.p + text.len);
    mcx_gcm_free(gcm);
    return err;
}

mcx_err mcx_sealed_read(uint64_t *serial, const struct sealed_form *form, struct mcx_bytes sealed,
                        const uint8_t key[MCX_STORE_KEY_LEN], uint64_t min_serial,
                        mcx_err (*take)(void *ctx, struct mcx_rd *rd), void *ctx, struct mcx_refusal *why)
{
    struct mcx_rd rd = mcx_rd(sealed);
    struct mcx_bytes nonce = { 0 };
    struct mcx_bytes text;
    uint64_t no = 0;
    uint8_t *plain = NULL;
    mcx_err err = MCX_OK;

    if (sealed.len > MCX_STORE_MAX) {
        return mcx_refuse(why, MCX_E_SPACE, form->too_large, "");
    }
    MCX_TRY(take_head(&no, &nonce, &rd, form, why));
    text = mcx_bytes(rd.p, rd.len - MCX_GCM_TAG_LEN);
    plain = mcx_secret_alloc(text.len + 1);
    if (plain == NULL) {
        return MCX_E_NOMEM;
    }
    err = open_text(plain, sealed, nonce, text, key);
    if (err != MCX_OK) {
        err = err == MCX_E_AUTH ? mcx_refuse(why, err, form->altered, "") : err;
        goto out;
    }
    if (no < min_serial) {
        err = mcx_refuse(why, MCX_E_REPLAY, form->older, "");
        goto out;
    }
    rd = mcx_rd(mcx_bytes(plain, text.len));
    err = take(ctx, &rd);
    err = err == MCX_OK ? mcx_rd_end(&rd) : err;
    if (err != MCX_OK && err != MCX_E_NOMEM) {
        err = mcx_refuse(why, err == MCX_E_ARG ? MCX_E_FORMAT : err, form->malformed, "");
        goto out;
    }
    *serial = err == MCX_OK ? no : *serial;
out:
    mcx_secret_free(plain);
    return err;
}
