/* SPDX-License-Identifier: Apache-2.0 */
#include "support/kms_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <mcx/text.h>

#include "support/vectors.h"

void kms_fake_scalar(uint8_t *out, size_t len, const char *section, const char *name)
{
    char text[512];
    char padded[513];
    size_t n = 0;

    assert_true(vec_text(text, sizeof text, KMS_FAKE_VECTORS, section, name));
    n = strlen(text);
    assert_true(n <= 2 * len && 2 * len < sizeof padded);
    memset(padded, '0', 2 * len - n);
    memcpy(padded + 2 * len - n, text, n);
    assert_int_equal(mcx_hex_read_exact(out, len, mcx_bytes(padded, 2 * len)), MCX_OK);
}

struct mcx_vault *kms_fake_vault(const char *kms_uri, uint64_t period, uint64_t offset)
{
    static const uint8_t key[MCX_VAULT_SEAL_KEY_LEN] = { 7 };
    const struct mcx_vault_seal seal = { false, mcx_bytes(key, sizeof key) };
    const struct mcx_key_period p = { period, offset };
    uint8_t script[16 + MCX_SAKKE_MASTER_LEN + 32 + 12] = { 0 }; /* salt, z_T, KSAK, nonce */
    struct fake_rng state = { .script = mcx_bytes(script, sizeof script) };
    struct mcx_rng rng = fake_rng(&state);
    uint8_t buf[MCX_VAULT_SEALED_MAX];
    struct mcx_wr sealed = mcx_wr(buf, sizeof buf);
    struct mcx_vault *vault = NULL;

    kms_fake_scalar(script + 16, MCX_SAKKE_MASTER_LEN, "kms-rfc", "z_T");
    kms_fake_scalar(script + 16 + MCX_SAKKE_MASTER_LEN, 32, "kms-rfc", "KSAK");
    assert_int_equal(mcx_vault_create(&sealed, mcx_bytes_str(kms_uri), &p, &seal, &rng), MCX_OK);
    assert_int_equal(state.script.len, 0);
    assert_int_equal(mcx_vault_open(&vault, mcx_wr_done(&sealed), &seal), MCX_OK);
    return vault;
}

static mcx_err identities(void *ctx, struct mcx_kms_identities *out, const char *mcptt_id)
{
    struct kms_fake *f = ctx;

    if (f->identities_err != MCX_OK) {
        return f->identities_err;
    }
    out->num = 0;
    if (strcmp(mcptt_id, KMS_FAKE_USER) == 0) {
        strcpy(out->uri[out->num++], KMS_FAKE_USER);
        strcpy(out->uri[out->num++], KMS_FAKE_ALIAS);
    } else if (strcmp(mcptt_id, KMS_FAKE_OTHER) == 0) {
        strcpy(out->uri[out->num++], KMS_FAKE_OTHER);
    }
    return out->num == 0 ? MCX_E_NOKEY : MCX_OK;
}

static mcx_err external(void *ctx, uint64_t *cache_num, mcx_err (*each)(void *arg, struct mcx_bytes xml), void *arg)
{
    struct kms_fake *f = ctx;

    *cache_num = f->cache_num;
    for (size_t i = 0; i < f->num_external; i++) {
        MCX_TRY(each(arg, mcx_bytes_str(f->external[i])));
    }
    return MCX_OK;
}

static mcx_err audit(void *ctx, const struct mcx_kms_audit *rec, size_t num)
{
    struct kms_fake *f = ctx;

    f->num_audit_calls++;
    if (f->audit_err != MCX_OK) {
        return f->audit_err;
    }
    for (size_t i = 0; i < num; i++) {
        assert_true(f->num_audit < 64);
        assert_int_equal(strlen(rec[i].request_id), MCX_KMS_REQUEST_ID_LEN);
        (void)snprintf(f->audit_uri[f->num_audit], sizeof f->audit_uri[0], "%s", rec[i].user_uri);
        f->audit_period[f->num_audit] = rec[i].period_no;
        memcpy(f->audit_uid[f->num_audit], rec[i].uid, MCX_UID_LEN);
        f->num_audit++;
    }
    return MCX_OK;
}

static void log_write(void *ctx, const struct mcx_log_record *rec)
{
    struct kms_fake *f = ctx;

    if (rec->level > MCX_LOG_INFO) {
        f->num_refusals++;
        (void)snprintf(f->last_reason, sizeof f->last_reason, "%s", rec->why.reason == NULL ? "" : rec->why.reason);
    }
}

void kms_fake_init(struct kms_fake *f, uint32_t key_sets_per_minute)
{
    static char *domains[] = { "mcx.example.net" };
    const struct mcx_vault_public *pub = NULL;
    struct mcx_kms_config c = { .time_tolerance_s = MCX_KMS_TIME_TOLERANCE_S,
                                .key_sets_per_minute = key_sets_per_minute,
                                .refusals_per_minute = KMS_FAKE_REFUSALS };

    *f = (struct kms_fake){ .rng_state = { .seed = 1 } };
    f->vault = kms_fake_vault(KMS_FAKE_URI, 604800, 345600);
    pub = mcx_vault_public(f->vault);
    f->cert = (struct mcx_kms_cert){ .role = MCX_KMS_ROOT,
                                     .cert_uri = "cert1." KMS_FAKE_URI,
                                     .kms_uri = KMS_FAKE_URI,
                                     .period = pub->period,
                                     .domains = domains,
                                     .num_domains = 1 };
    memcpy(f->cert.pub_enc_key, pub->pub_enc_key, sizeof pub->pub_enc_key);
    memcpy(f->cert.pub_auth_key, pub->pub_auth_key, sizeof pub->pub_auth_key);
    c.vault = f->vault;
    c.root = &f->cert;
    c.store = (struct mcx_kms_store){ f, identities, external, audit };
    c.rng = fake_rng(&f->rng_state);
    c.log = (struct mcx_log){ log_write, f };
    assert_int_equal(mcx_kms_core_new(&f->core, &c), MCX_OK);
}

void kms_fake_clear(struct kms_fake *f)
{
    mcx_kms_core_free(f->core);
    mcx_vault_free(f->vault);
}

const char *kms_fake_request(const char *target, struct kms_fake_body b)
{
    static char text[4096];
    char when[MCX_DATETIME_LEN + 1];
    char url[1024];

    (void)snprintf(url, sizeof url, "https://kms1.mcx.example.net:8443%s", target);
    assert_int_equal(mcx_datetime_write(when, b.time == 0 ? KMS_FAKE_NOW : b.time), MCX_OK);
    (void)snprintf(text, sizeof text,
                   "<KmsRequest xmlns=\"" MCX_KMS_NS "\" Id=\"xmldoc\" Version=\"1.1.0\"><UserUri>%s</UserUri>"
                   "<KmsUri>%s</KmsUri><Time>%s</Time><ClientReqUrl>%s</ClientReqUrl></KmsRequest>",
                   b.user_uri == NULL ? KMS_FAKE_USER : b.user_uri, b.kms_uri == NULL ? KMS_FAKE_URI : b.kms_uri, when,
                   b.client_req_url == NULL ? url : b.client_req_url);
    return text;
}
