/* SPDX-License-Identifier: Apache-2.0 */
/* One key set of the KMS: RSK, SSK and PVT made, and both equations of the client checked before release. */
#include "mcx/bench.h"

#include "kms/vault.h"

#include <stdlib.h>
#include <string.h>

struct kms_state {
    struct mcx_vault *vault;
    struct mcx_rng rng;
    struct mcx_vault_request request;
};

static void kms_teardown(void *state)
{
    struct kms_state *s = state;

    if (s != NULL) {
        mcx_vault_free(s->vault);
    }
    free(s);
}

static mcx_err kms_setup(void **state)
{
    static const uint8_t key[MCX_VAULT_SEAL_KEY_LEN] = { 1 }; /* seals throw-away secrets for this run alone */
    const struct mcx_vault_seal seal = { false, mcx_bytes(key, sizeof key) };
    const struct mcx_key_period month = { 2592000, 0 };
    uint8_t buf[MCX_VAULT_SEALED_MAX];
    struct mcx_wr sealed = mcx_wr(buf, sizeof buf);
    struct kms_state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->rng = mcx_rng_system();
    s->request.period_no = 1544;
    memcpy(s->request.user_uri, "sip:user@example.org", sizeof "sip:user@example.org");
    MCX_TRY(mcx_vault_create(&sealed, mcx_bytes_str("kms.example.org"), &month, &seal, &s->rng));
    return mcx_vault_open(&s->vault, mcx_wr_done(&sealed), &seal);
}

static mcx_err kms_issue(void *state)
{
    struct kms_state *s = state;
    struct mcx_vault_key_set set;
    mcx_err err = mcx_vault_issue(s->vault, &set, &s->request, &s->rng);

    mcx_vault_key_set_clear(&set);
    return err;
}

const struct bench_item bench_kms[] = {
    { "kms.key_set", kms_setup, kms_issue, kms_teardown },
    { NULL, NULL, NULL, NULL },
};
