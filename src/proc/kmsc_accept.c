/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be true of an answer of the KMS before anything of it is kept. */
#include "proc/kmsc_int.h"

#include <string.h>

#define RESPONSE "TS 33.180 D.3.1"

mcx_err mcx_kmsc_check_head(const struct mcx_kmsc *k, const struct mcx_kmsdoc *doc, struct mcx_refusal *why)
{
    if (doc->client_req_url == NULL || strcmp(doc->client_req_url, k->url) != 0) {
        return mcx_refuse(why, MCX_E_AUTH, "ClientReqUrl is not the URL that was asked", RESPONSE);
    }
    if (doc->user_uri == NULL || strcmp(doc->user_uri, k->user_uri) != 0) {
        return mcx_refuse(why, MCX_E_AUTH, "UserUri is not the user that asked", RESPONSE);
    }
    if (doc->kms_uri == NULL || strcmp(doc->kms_uri, k->kms_uri) != 0) {
        return mcx_refuse(why, MCX_E_AUTH, "KmsUri is not the KMS that was asked", RESPONSE);
    }
    if (doc->time + MCX_KMSC_TIME_TOLERANCE_S < k->request_time) {
        return mcx_refuse(why, MCX_E_REPLAY, "the answer is older than the request", RESPONSE);
    }
    return MCX_OK;
}

/* UserKeyPeriod and UserKeyOffset never change under a KmsUri in use: every UID would change (TS 33.180 F.2.1). */
static mcx_err check_period_kept(const struct mcx_kmsc *k, const struct mcx_kms_cert *cert, struct mcx_refusal *why)
{
    const struct mcx_kms_cert *held = mcx_store_find_cert(k->store, cert->kms_uri);

    if (held != NULL && (held->period.length != cert->period.length || held->period.offset != cert->period.offset)) {
        return mcx_refuse(why, MCX_E_POLICY,
                          "the key period differs from that of the certificate held for the same KmsUri",
                          "TS 33.180 F.2.1.1");
    }
    return MCX_OK;
}

static mcx_err accept_init(struct mcx_kmsc *k, const struct mcx_kmsdoc *doc, struct mcx_ntp now,
                           struct mcx_refusal *why)
{
    const struct mcx_kms_cert *cert = &doc->certs[0];
    uint64_t now_s = mcx_ntp_to_unix_ms(now) / 1000;

    if (strcmp(cert->kms_uri, k->kms_uri) != 0) {
        return mcx_refuse(why, MCX_E_AUTH, "the Root certificate is that of another KMS", "TS 33.180 D.3.2");
    }
    if (cert->revoked) {
        return mcx_refuse(why, MCX_E_EXPIRED, "the Root certificate is revoked", "TS 33.180 D.3.2.2");
    }
    if ((cert->valid_to != 0 && cert->valid_to < now_s) || cert->valid_from > now_s + MCX_KMSC_TIME_TOLERANCE_S) {
        return mcx_refuse(why, MCX_E_EXPIRED, "the Root certificate is not valid now", "TS 33.180 D.3.2.2");
    }
    MCX_TRY(check_period_kept(k, cert, why));
    MCX_TRY(mcx_keyring_add_cert(k->ring, cert, why));
    MCX_TRY(mcx_store_put_cert(k->store, cert));
    k->num_certs++;
    return MCX_OK;
}

static bool is_wanted(const struct mcx_kmsc *k, const struct mcx_kms_key_set *set, uint64_t period_no)
{
    return set->period_no == period_no && strcmp(set->user_uri, k->user_uri) == 0;
}

static mcx_err accept_keyprov(struct mcx_kmsc *k, const struct mcx_kmsdoc *doc, struct mcx_refusal *why)
{
    const struct mcx_kms_cert *cert = mcx_store_find_cert(k->store, k->kms_uri);
    uint64_t period_no = 0;
    bool found = false;

    if (cert == NULL || mcx_period_no(&period_no, &cert->period, k->asked_for.sec) != MCX_OK) {
        return mcx_refuse(why, MCX_E_NOKEY, "the time asked for lies before the first key period", "TS 33.180 F.2.1.1");
    }
    for (size_t i = 0; i < doc->num_key_sets; i++) {
        if (strcmp(doc->key_sets[i].kms_uri, k->kms_uri) != 0) {
            return mcx_refuse(why, MCX_E_AUTH, "a key set is that of another KMS", "TS 33.180 D.3.3");
        }
        if (doc->key_sets[i].open_only) {
            return mcx_refuse(why, MCX_E_FORMAT, "a key set without signing key", "TS 33.180 D.3.3");
        }
        if (doc->key_sets[i].revoked) {
            continue;
        }
        MCX_TRY(mcx_keyring_add_key_set(k->ring, &doc->key_sets[i], why));
        found = found || is_wanted(k, &doc->key_sets[i], period_no);
    }
    if (!found) {
        return mcx_refuse(why, MCX_E_NOKEY, "the KMS gave no valid key set for this user and period",
                          "TS 33.180 D.3.3");
    }
    for (size_t i = 0; i < doc->num_key_sets; i++) { /* only after all of them have passed */
        MCX_TRY(mcx_store_put_key_set(k->store, &doc->key_sets[i]));
        k->num_key_sets++;
    }
    return MCX_OK;
}

static mcx_err accept_certcache(struct mcx_kmsc *k, const struct mcx_kmsdoc *doc, struct mcx_ntp now,
                                struct mcx_refusal *why)
{
    const struct mcx_store_home home = { .kms_uri = k->kms_uri,
                                         .has_cache = true,
                                         .cache_num = doc->cache_num,
                                         .last_fetch = mcx_ntp_to_unix_ms(now) / 1000 };

    for (size_t i = 0; i < doc->num_certs; i++) {
        if (strcmp(doc->certs[i].kms_uri, k->kms_uri) != 0) {
            MCX_TRY(mcx_keyring_add_cert(k->ring, &doc->certs[i], why));
        }
    }
    for (size_t i = 0; i < doc->num_certs; i++) {
        struct mcx_kms_cert cert = doc->certs[i]; /* strings borrowed */

        cert.role = MCX_KMS_EXTERNAL; /* whatever it says: only init gives a Root certificate */
        MCX_TRY(mcx_store_put_cert(k->store, &cert));
        k->num_certs++;
    }
    return mcx_store_put_home(k->store, &home);
}

mcx_err mcx_kmsc_accept(struct mcx_kmsc *k, const struct mcx_kmsdoc *doc, struct mcx_ntp now, struct mcx_refusal *why)
{
    static const enum mcx_kmsdoc_kind want[KMSC_NUM_STEPS] = { MCX_KMSDOC_INIT, MCX_KMSDOC_KEYPROV, MCX_KMSDOC_KEYPROV,
                                                               MCX_KMSDOC_CERTCACHE };

    if (doc->kind != want[k->step]) {
        return mcx_refuse(why, MCX_E_FORMAT, "the answer carries another message than was asked for", RESPONSE);
    }
    MCX_TRY(mcx_kmsc_check_head(k, doc, why));
    switch (k->step) {
    case KMSC_INIT: return accept_init(k, doc, now, why);
    case KMSC_CERTCACHE: return accept_certcache(k, doc, now, why);
    default: return accept_keyprov(k, doc, why);
    }
}

#define PREFETCH_SHARE 10 /* the last tenth of a period, docs/DEVIATIONS.md "kms-prefetch" */

struct period {
    uint64_t no;
    uint64_t length;
    uint64_t due; /* first second of its last tenth */
    uint64_t end; /* first second of the next */
};

static mcx_err present_period(struct period *out, const struct mcx_store *store, const char *kms_uri,
                              struct mcx_ntp now)
{
    const struct mcx_kms_cert *cert = mcx_store_find_cert(store, kms_uri);
    uint64_t start = 0;

    if (cert == NULL) {
        return MCX_E_NOKEY;
    }
    out->length = cert->period.length;
    MCX_TRY(mcx_period_no(&out->no, &cert->period, now.sec));
    MCX_TRY(mcx_period_bounds(&start, &out->end, &cert->period, out->no));
    out->due = out->end - out->length / PREFETCH_SHARE;
    return MCX_OK;
}

bool mcx_kmsc_next_is_due(const struct mcx_store *store, const char *kms_uri, const char *user_uri, struct mcx_ntp now,
                          struct mcx_ntp *start)
{
    struct period p;

    if (present_period(&p, store, kms_uri, now) != MCX_OK || now.sec < p.due ||
        mcx_store_find_key_set(store, kms_uri, user_uri, p.no + 1) != NULL) {
        return false;
    }
    *start = (struct mcx_ntp){ p.end, 0 };
    return true;
}

mcx_err mcx_kmsc_next_fetch(uint64_t *at, const struct mcx_store *store, const char *kms_uri, const char *user_uri,
                            struct mcx_ntp now, const struct mcx_rng *rng)
{
    struct period p;
    uint64_t r = 0;

    MCX_TRY(present_period(&p, store, kms_uri, now));
    if (mcx_store_find_key_set(store, kms_uri, user_uri, p.no) == NULL) {
        *at = now.sec;
        return MCX_OK;
    }
    if (mcx_store_find_key_set(store, kms_uri, user_uri, p.no + 1) != NULL) { /* then before the one after */
        p.due += p.length;
        p.end += p.length;
    }
    p.due = p.due < now.sec ? now.sec : p.due;
    MCX_TRY(mcx_rng_fill(rng, &r, sizeof r));
    *at = p.due + (p.end > p.due ? r % (p.end - p.due) : 0);
    return MCX_OK;
}
