/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of the load program (--server-id): a KMS in this process, whose master secrets everybody knows, issues key sets
 * to the server, into a store (--make-store), and to each client, who makes a CSK with it when he registers.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/channel.h>
#include <mcx/eccsi.h>
#include <mcx/ident.h>
#include <mcx/keyring.h>
#include <mcx/kmsdoc.h>
#include <mcx/sakke.h>
#include <mcx/store.h>

#include "io/store_file.h"

#define KMS_URI "kms.load.example.org"

struct load_keys {
    struct mcx_kms_cert cert;
    struct mcx_sakke_master sakke;
    struct mcx_eccsi_master eccsi;
    struct mcx_keyring *ring;
    uint64_t period_no;
};

static struct mcx_ntp now(void)
{
    return mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
}

static mcx_err kms_make(struct load_keys *k, const char *domain)
{
    k->cert = (struct mcx_kms_cert){ .role = MCX_KMS_ROOT, .period = { 2592000, 0 } };
    memset(k->sakke.z + sizeof k->sakke.z - 32, 0x11, 32);
    memset(k->eccsi.ksak, 0x22, sizeof k->eccsi.ksak);
    k->cert.kms_uri = strdup(KMS_URI);
    k->cert.domains = calloc(1, sizeof *k->cert.domains);
    if (k->cert.kms_uri == NULL || k->cert.domains == NULL || (k->cert.domains[0] = strdup(domain)) == NULL) {
        return MCX_E_NOMEM;
    }
    k->cert.num_domains = 1;
    MCX_TRY(mcx_sakke_master_public(k->cert.pub_enc_key, &k->sakke));
    MCX_TRY(mcx_eccsi_master_public(k->cert.pub_auth_key, &k->eccsi));
    return mcx_period_no(&k->period_no, &k->cert.period, now().sec);
}

static mcx_err issue(struct mcx_kms_key_set *set, const struct load_keys *k, const char *user, uint64_t period_no)
{
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_bytes uid = mcx_bytes(set->uid, sizeof set->uid);

    memset(set, 0, sizeof *set);
    set->period_no = period_no;
    set->user_uri = strdup(user);
    set->kms_uri = strdup(KMS_URI);
    if (set->user_uri == NULL || set->kms_uri == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_TRY(mcx_uid(set->uid, mcx_bytes_str(user), mcx_bytes_str(KMS_URI), &k->cert.period, period_no));
    MCX_TRY(mcx_sakke_extract(set->rsk, &k->sakke, uid));
    return mcx_eccsi_extract(set->ssk, set->pvt, &k->eccsi, uid, &rng);
}

mcx_err load_keys_new(struct load_keys **out, const char *domain)
{
    struct load_keys *k = calloc(1, sizeof *k);
    mcx_err err = MCX_OK;

    if (k == NULL) {
        return MCX_E_NOMEM;
    }
    MCX_GO(err, kms_make(k, domain));
    MCX_GO(err, mcx_keyring_new(&k->ring, MCX_SAKKE_TABLES_DEFAULT));
    MCX_GO(err, mcx_keyring_add_cert(k->ring, &k->cert, NULL));
    *out = k;
    return MCX_OK;
out:
    load_keys_free(k);
    return err;
}

void load_keys_free(struct load_keys *k)
{
    if (k != NULL) {
        mcx_kms_cert_clear(&k->cert);
        mcx_keyring_free(k->ring);
        free(k);
    }
}

mcx_err load_keys_store(const struct load_keys *k, const char *server_id, const char *path, const char *key_file,
                        struct mcx_refusal *why)
{
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_kms_key_set set = { 0 };
    struct mcx_store *store = NULL;
    mcx_err err = MCX_OK;

    MCX_GO(err, mcx_store_new(&store));
    MCX_GO(err, mcx_store_put_cert(store, &k->cert));
    for (uint64_t i = 0; i < 2; i++) { /* the next period too: the run may come after its beginning */
        MCX_GO(err, issue(&set, k, server_id, k->period_no + i));
        MCX_GO(err, mcx_store_put_key_set(store, &set));
        mcx_kms_key_set_clear(&set);
    }
    err = mcx_store_file_write(path, key_file, store, &rng, why);
out:
    mcx_kms_key_set_clear(&set);
    mcx_store_free(store);
    return err;
}

mcx_err load_keys_csk(struct load_client *c, struct mcx_wr *message)
{
    const struct mcx_rng rng = mcx_rng_system();
    const struct load_keys *k = c->load->keys;
    struct mcx_control_key key = { .type = MCX_KEY_CSK };
    struct mcx_kms_key_set set = { 0 };
    mcx_err err = MCX_OK;

    if (c->channel == NULL) {
        MCX_GO(err, mcx_channel_new(&c->channel));
        MCX_GO(err, issue(&set, k, c->uri, k->period_no));
        MCX_GO(err, mcx_keyring_add_key_set(k->ring, &set, NULL));
    }
    MCX_GO(err, mcx_csk_make(&key, message, mcx_bytes_str(c->uri), mcx_bytes_str(c->load->options.server_id), now(),
                             k->ring, &rng, NULL));
    err = mcx_channel_offer(c->channel, &key, &rng);
out:
    mcx_control_key_clear(&key);
    mcx_kms_key_set_clear(&set);
    return err;
}
