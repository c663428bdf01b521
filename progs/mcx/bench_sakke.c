/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SAKKE and the field below it. What is held ready, by name:
 *   sakke.encap.new          tables of P, g (constants) and of the KMS's Z; nothing about the recipient
 *   sakke.encap.cached       the same: nothing is worth keeping for a recipient; peers keep [uid]P + Z and its table
 *   sakke.encap.no_tables    no precomputation
 *   sakke.decap              tables of P, g, Z and the prepared pairing of the RSK
 *   sakke.decap.no_tables    no precomputation
 */
#include "mcx/bench.h"

#include <mcx/sakke.h>

#include "crypto/ec/curve.h"

struct sakke_state {
    struct mcx_rng rng;
    struct mcx_sakke_master master;
    struct mcx_sakke_kms *plain;
    struct mcx_sakke_kms *kms;
    struct mcx_sakke_rsk *plain_rsk;
    struct mcx_sakke_rsk *rsk;
    struct mcx_bytes uid;
    struct mcx_key ssv;
    uint8_t uid_octets[32];
    uint8_t z_t[MCX_SAKKE_POINT_LEN];
    uint8_t rsk_octets[MCX_SAKKE_POINT_LEN];
    uint8_t sed[MCX_SAKKE_SED_LEN];
    struct mcx_fp a, b;
};

static mcx_err sakke_setup(void **state)
{
    struct sakke_state *s = mcx_secret_alloc(sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    s->rng = mcx_rng_system();
    s->uid = mcx_bytes(s->uid_octets, sizeof s->uid_octets);
    s->a = mcx_ec_p.x;
    s->b = mcx_ec_p.y;
    MCX_TRY(mcx_rng_fill(&s->rng, s->uid_octets, sizeof s->uid_octets));
    MCX_TRY(mcx_rng_fill(&s->rng, &s->ssv, sizeof s->ssv));
    MCX_TRY(mcx_sakke_master_generate(&s->master, &s->rng));
    MCX_TRY(mcx_sakke_master_public(s->z_t, &s->master));
    return mcx_sakke_extract(s->rsk_octets, &s->master, s->uid);
}

static mcx_err plain_setup(void **state)
{
    struct sakke_state *s;

    MCX_TRY(sakke_setup(state));
    s = *state;
    MCX_TRY(mcx_sakke_kms_new(&s->plain, s->z_t, MCX_SAKKE_TABLES_NONE));
    MCX_TRY(mcx_sakke_rsk_new(&s->plain_rsk, s->rsk_octets, s->plain, s->uid, MCX_SAKKE_TABLES_NONE));
    return mcx_sakke_encap(s->sed, &s->ssv, s->plain, s->uid);
}

static mcx_err tables_setup(void **state)
{
    struct sakke_state *s;

    MCX_TRY(sakke_setup(state));
    s = *state;
    MCX_TRY(mcx_sakke_kms_new(&s->kms, s->z_t, MCX_SAKKE_TABLES_DEFAULT));
    MCX_TRY(mcx_sakke_rsk_new(&s->rsk, s->rsk_octets, s->kms, s->uid, MCX_SAKKE_TABLES_DEFAULT));
    return mcx_sakke_encap(s->sed, &s->ssv, s->kms, s->uid);
}

static void sakke_teardown(void *state)
{
    struct sakke_state *s = state;

    if (s != NULL) {
        mcx_sakke_rsk_free(s->plain_rsk);
        mcx_sakke_rsk_free(s->rsk);
        mcx_sakke_kms_free(s->plain);
        mcx_sakke_kms_free(s->kms);
        mcx_secret_free(s);
    }
}

static mcx_err run_mul(void *state)
{
    struct sakke_state *s = state;

    mcx_fp_mul(&s->a, &s->a, &s->b);
    return MCX_OK;
}

static mcx_err run_sqr(void *state)
{
    struct sakke_state *s = state;

    mcx_fp_sqr(&s->a, &s->a);
    return MCX_OK;
}

static mcx_err run_inv(void *state)
{
    struct sakke_state *s = state;

    mcx_fp_inv(&s->a, &s->a);
    return MCX_OK;
}

static mcx_err run_public(void *state)
{
    struct sakke_state *s = state;

    return mcx_sakke_master_public(s->z_t, &s->master);
}

static mcx_err run_extract(void *state)
{
    struct sakke_state *s = state;

    return mcx_sakke_extract(s->rsk_octets, &s->master, s->uid);
}

static mcx_err run_kms_new(void *state)
{
    struct sakke_state *s = state;
    struct mcx_sakke_kms *kms = NULL;
    mcx_err err = mcx_sakke_kms_new(&kms, s->z_t, MCX_SAKKE_TABLES_DEFAULT);

    mcx_sakke_kms_free(kms);
    return err;
}

static mcx_err validate(struct sakke_state *s, const struct mcx_sakke_kms *kms, enum mcx_sakke_tables tables)
{
    struct mcx_sakke_rsk *rsk = NULL;
    mcx_err err = mcx_sakke_rsk_new(&rsk, s->rsk_octets, kms, s->uid, tables);

    mcx_sakke_rsk_free(rsk);
    return err;
}

static mcx_err run_validate_plain(void *state)
{
    struct sakke_state *s = state;

    return validate(s, s->plain, MCX_SAKKE_TABLES_NONE);
}

static mcx_err run_validate_tables(void *state)
{
    struct sakke_state *s = state;

    return validate(s, s->kms, MCX_SAKKE_TABLES_DEFAULT);
}

/* Another SSV each time. */
static mcx_err encap(struct sakke_state *s, const struct mcx_sakke_kms *kms)
{
    uint8_t sed[MCX_SAKKE_SED_LEN];

    s->ssv.octet[0]++;
    return mcx_sakke_encap(sed, &s->ssv, kms, s->uid);
}

static mcx_err run_encap_plain(void *state)
{
    struct sakke_state *s = state;

    return encap(s, s->plain);
}

static mcx_err run_encap_tables(void *state)
{
    struct sakke_state *s = state;

    return encap(s, s->kms);
}

static mcx_err run_decap_plain(void *state)
{
    struct sakke_state *s = state;
    struct mcx_key key;

    return mcx_sakke_decap(&key, s->plain_rsk, s->sed);
}

static mcx_err run_decap_tables(void *state)
{
    struct sakke_state *s = state;
    struct mcx_key key;

    return mcx_sakke_decap(&key, s->rsk, s->sed);
}

const struct bench_item bench_sakke[] = {
    { "fp1024.mul", sakke_setup, run_mul, sakke_teardown },
    { "fp1024.sqr", sakke_setup, run_sqr, sakke_teardown },
    { "fp1024.inv", sakke_setup, run_inv, sakke_teardown },
    { "sakke.public", sakke_setup, run_public, sakke_teardown },
    { "sakke.extract", sakke_setup, run_extract, sakke_teardown },
    { "sakke.kms_new", sakke_setup, run_kms_new, sakke_teardown },
    { "sakke.validate", plain_setup, run_validate_plain, sakke_teardown },
    { "sakke.validate+tables", tables_setup, run_validate_tables, sakke_teardown },
    { "sakke.encap.new", tables_setup, run_encap_tables, sakke_teardown },
    { "sakke.encap.cached", tables_setup, run_encap_tables, sakke_teardown },
    { "sakke.encap.no_tables", plain_setup, run_encap_plain, sakke_teardown },
    { "sakke.decap", tables_setup, run_decap_tables, sakke_teardown },
    { "sakke.decap.no_tables", plain_setup, run_decap_plain, sakke_teardown },
    { NULL, NULL, NULL, NULL },
};
