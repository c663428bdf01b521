/* SPDX-License-Identifier: Apache-2.0 */
/* Whole requests to the KMS core: "target \n body". Whatever comes, there is an answer, and keys only for the user. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kms/core.h"

#define USER "sip:unit07@mcx.example.net"
#define KMS  "kms1.mcx.example.net"
#define NOW  UINT64_C(1772625600) /* 2026-03-04T12:00:00Z, as in the vectors */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static mcx_err count_up(void *ctx, uint8_t *out, size_t len)
{
    uint8_t *n = ctx;

    for (size_t i = 0; i < len; i++) {
        out[i] = (*n)++;
    }
    return MCX_OK;
}

static mcx_err identities(void *ctx, struct mcx_kms_identities *out, const char *mcptt_id)
{
    (void)ctx;
    (void)mcptt_id;
    out->num = 1;
    memcpy(out->uri[0], USER, sizeof USER);
    return MCX_OK;
}

static mcx_err external(void *ctx, uint64_t *cache_num, mcx_err (*each)(void *arg, struct mcx_bytes xml), void *arg)
{
    (void)ctx;
    (void)each;
    (void)arg;
    *cache_num = 1;
    return MCX_OK;
}

static mcx_err audit(void *ctx, const struct mcx_kms_audit *rec, size_t num)
{
    (void)ctx;
    for (size_t i = 0; i < num; i++) {
        if (strcmp(rec[i].user_uri, USER) != 0) {
            abort(); /* somebody else's keys */
        }
    }
    return MCX_OK;
}

static struct mcx_vault *vault;
static struct mcx_kms_core *core;

/* The leak check does not look into locked memory, where the vault keeps its pointers. */
static void drop_core(void)
{
    mcx_kms_core_free(core);
    mcx_vault_free(vault);
}

static struct mcx_kms_core *make_core(void)
{
    static struct mcx_kms_cert cert = { .kms_uri = KMS };
    static uint8_t n;
    static const uint8_t key[MCX_VAULT_SEAL_KEY_LEN];
    const struct mcx_vault_seal seal = { false, { key, sizeof key } };
    const struct mcx_key_period period = { 604800, 345600 };
    struct mcx_kms_config c = { .root = &cert,
                                .rng = { count_up, &n },
                                .store = { NULL, identities, external, audit },
                                .time_tolerance_s = 5,
                                .key_sets_per_minute = 2 }; /* the clock stands: two sets in all, the rest is fast */
    static uint8_t buf[MCX_VAULT_SEALED_MAX];
    struct mcx_wr sealed = mcx_wr(buf, sizeof buf);

    if (mcx_vault_create(&sealed, mcx_bytes_str(KMS), &period, &seal, &c.rng) != MCX_OK ||
        mcx_vault_open(&vault, mcx_wr_done(&sealed), &seal) != MCX_OK) {
        abort();
    }
    cert.period = period;
    memcpy(cert.pub_enc_key, mcx_vault_public(vault)->pub_enc_key, sizeof cert.pub_enc_key);
    memcpy(cert.pub_auth_key, mcx_vault_public(vault)->pub_auth_key, sizeof cert.pub_auth_key);
    c.vault = vault;
    return mcx_kms_core_new(&core, &c) == MCX_OK && atexit(drop_core) == 0 ? core : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nl = size == 0 ? NULL : memchr(data, '\n', size);
    struct mcx_kms_answer a;
    struct mcx_kms_in in = { .method = mcx_bytes_str("POST"),
                             .auth = { .present = true, .mcptt_id = USER },
                             .unix_ms = NOW * 1000 };

    if (core == NULL && (core = make_core()) == NULL) {
        abort();
    }
    if (nl == NULL) {
        return 0;
    }
    in.target = mcx_bytes(data, (size_t)(nl - data));
    in.body = mcx_bytes(nl + 1, size - in.target.len - 1);
    mcx_kms_handle(core, &a, &in);
    if (a.status < 200 || a.status > 599 ||
        (a.status == 200) != (a.xml != NULL && strstr(a.xml, "<KmsError") == NULL)) {
        abort();
    }
    mcx_kms_answer_clear(&a);
    return 0;
}
