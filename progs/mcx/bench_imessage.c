/* SPDX-License-Identifier: Apache-2.0 */
/* A whole I_MESSAGE with a PCK, or with a GMK as a group management server sends it: made, and opened, by end-points
 * with prepared tables. */
#include "mcx/bench.h"

#include <stdlib.h>

#include <mcx/group_keys.h>

#define KMS   "kms.example.org"
#define ALICE "sip:alice@example.org"
#define BOB   "sip:bob@example.org"
#define GROUP "sip:fire@example.org"

struct imessage_state {
    struct mcx_rng rng;
    struct mcx_sakke_master sakke;
    struct mcx_eccsi_master eccsi;
    struct mcx_kms_cert cert;
    struct mcx_keyring *alice;
    struct mcx_keyring *bob;
    struct mcx_key key;
    struct mcx_ntp now;
    uint64_t period_no;
    uint8_t rand[MCX_RAND_LEN];
    struct mcx_imessage_params params;
    struct mcx_key_params key_params;
    struct mcx_imessage opened;
    uint8_t message[MCX_IMESSAGE_MAX];
    size_t message_len;
};

static mcx_err user_setup(struct imessage_state *s, struct mcx_keyring **ring, char *user)
{
    struct mcx_kms_key_set set = { .kms_uri = s->cert.kms_uri, .user_uri = user, .period_no = s->period_no };
    struct mcx_bytes uid = mcx_bytes(set.uid, sizeof set.uid);
    mcx_err err;

    MCX_GO(err, mcx_keyring_new(ring, MCX_SAKKE_TABLES_DEFAULT));
    MCX_GO(err, mcx_keyring_add_cert(*ring, &s->cert, NULL));
    MCX_GO(err, mcx_uid(set.uid, mcx_bytes_str(user), mcx_bytes_str(KMS), &s->cert.period, s->period_no));
    MCX_GO(err, mcx_sakke_extract(set.rsk, &s->sakke, uid));
    MCX_GO(err, mcx_eccsi_extract(set.ssk, set.pvt, &s->eccsi, uid, &s->rng));
    MCX_GO(err, mcx_keyring_add_key_set(*ring, &set, NULL));
out:
    mcx_wipe(&set, sizeof set);
    return err;
}

static mcx_err make_run(void *state)
{
    struct imessage_state *s = state;
    struct mcx_wr out = mcx_wr(s->message, sizeof s->message);

    MCX_TRY(mcx_imessage_make(&out, &s->params, s->alice, &s->rng, NULL));
    s->message_len = out.len;
    return MCX_OK;
}

static mcx_err open_run(void *state)
{
    static const struct mcx_imessage_policy strict;
    struct imessage_state *s = state;

    return mcx_imessage_open(&s->opened, mcx_bytes(s->message, s->message_len), s->bob, NULL, s->now, &strict, NULL);
}

/* As a client does with each payload of a GKTP document. */
static mcx_err gktp_open_run(void *state)
{
    static const struct mcx_imessage_policy policy = { .allowed_types = 1u << MCX_KEY_GMK, .ignore_status = true };
    struct imessage_state *s = state;
    struct mcx_group_keys *keys = NULL;
    enum mcx_group_key_change change;
    mcx_err err;

    MCX_TRY(mcx_imessage_open(&s->opened, mcx_bytes(s->message, s->message_len), s->bob, NULL, s->now, &policy, NULL));
    MCX_TRY(mcx_group_keys_new(&keys));
    err = mcx_group_keys_accept(keys, &change, &s->opened, ALICE, GROUP, s->now, NULL);
    mcx_group_keys_free(keys);
    return err;
}

static mcx_err setup(void **state, enum mcx_key_type type)
{
    static const struct mcx_bytes group = { (const uint8_t *)GROUP, sizeof GROUP - 1 };
    static char kms[] = KMS, alice[] = ALICE, bob[] = BOB;
    struct imessage_state *s = mcx_secret_alloc(sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->rng = mcx_rng_system();
    s->now = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    s->cert = (struct mcx_kms_cert){ .role = MCX_KMS_ROOT, .kms_uri = kms, .period = { 2592000, 0 } };
    MCX_TRY(mcx_period_no(&s->period_no, &s->cert.period, s->now.sec));
    MCX_TRY(mcx_sakke_master_generate(&s->sakke, &s->rng));
    MCX_TRY(mcx_sakke_master_public(s->cert.pub_enc_key, &s->sakke));
    MCX_TRY(mcx_eccsi_master_generate(&s->eccsi, &s->rng));
    MCX_TRY(mcx_eccsi_master_public(s->cert.pub_auth_key, &s->eccsi));
    MCX_TRY(user_setup(s, &s->alice, alice));
    MCX_TRY(user_setup(s, &s->bob, bob));
    s->params = (struct mcx_imessage_params){ .type = type,
                                              .key = &s->key,
                                              .rand = mcx_bytes(s->rand, sizeof s->rand),
                                              .time = s->now,
                                              .from = mcx_bytes_str(alice),
                                              .to = mcx_bytes_str(bob) };
    if (type == MCX_KEY_GMK) {
        s->key_params = (struct mcx_key_params){ .status = 1, .groups = &group, .num_groups = 1 };
        s->params.key_params = &s->key_params;
    }
    MCX_TRY(mcx_key_generate(&s->key, &s->params.key_id, type, &s->rng));
    return make_run(s);
}

static mcx_err imessage_setup(void **state)
{
    return setup(state, MCX_KEY_PCK);
}

static mcx_err gktp_setup(void **state)
{
    return setup(state, MCX_KEY_GMK);
}

static void imessage_teardown(void *state)
{
    struct imessage_state *s = state;

    if (s != NULL) {
        mcx_keyring_free(s->alice);
        mcx_keyring_free(s->bob);
        mcx_secret_free(s);
    }
}

const struct bench_item bench_imessage[] = {
    { "imessage.make", imessage_setup, make_run, imessage_teardown },
    { "imessage.open", imessage_setup, open_run, imessage_teardown },
    { "gktp.make", gktp_setup, make_run, imessage_teardown },
    { "gktp.open", gktp_setup, gktp_open_run, imessage_teardown },
    { NULL, NULL, NULL, NULL },
};
