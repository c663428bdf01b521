/* SPDX-License-Identifier: Apache-2.0 */
/* What a key store holds, and for how long (TS 33.180 5.3.5, 5.11). */
#include "keys/store_int.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>

#define SSK_GRACE_S  300 /* clock skew after which an SSK is destroyed, docs/DEVIATIONS.md "store-ssk-grace" */
#define PERIODS_KEPT 2   /* earlier periods whose RSK is kept, docs/DEVIATIONS.md "store-periods-kept" */
#define FIRST_SETS   8   /* room for key sets in a new store */

mcx_err mcx_store_new(struct mcx_store **out)
{
    struct mcx_store *store = calloc(1, sizeof *store);

    if (store == NULL) {
        return MCX_E_NOMEM;
    }
    *out = store;
    return MCX_OK;
}

void mcx_store_free(struct mcx_store *store)
{
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < store->num_homes; i++) {
        free(store->homes[i].kms_uri);
    }
    free(store->homes);
    for (size_t i = 0; i < store->num_certs; i++) {
        mcx_kms_cert_clear(&store->certs[i]);
    }
    free(store->certs);
    for (size_t i = 0; i < store->num_sets; i++) {
        mcx_kms_key_set_clear(&store->sets[i]);
    }
    mcx_secret_free(store->sets);
    free(store);
}

/* Public names: URIs of certificates and users. */
static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct mcx_kms_cert *find_same_cert(const struct mcx_store *store, const struct mcx_kms_cert *cert)
{
    for (size_t i = 0; i < store->num_certs; i++) {
        if (same(store->certs[i].kms_uri, cert->kms_uri) && same(store->certs[i].cert_uri, cert->cert_uri)) {
            return &store->certs[i];
        }
    }
    return NULL;
}

static bool has_root_of(const struct mcx_store *store, const char *kms_uri)
{
    for (size_t i = 0; i < store->num_certs; i++) {
        if (store->certs[i].role == MCX_KMS_ROOT && same(store->certs[i].kms_uri, kms_uri)) {
            return true;
        }
    }
    return false;
}

mcx_err mcx_store_put_cert(struct mcx_store *store, const struct mcx_kms_cert *cert)
{
    struct mcx_kms_cert copy;
    struct mcx_kms_cert *slot = NULL;
    struct mcx_kms_cert *grown = NULL;

    if (cert->kms_uri == NULL) {
        return MCX_E_ARG;
    }
    if (cert->role == MCX_KMS_EXTERNAL && has_root_of(store, cert->kms_uri)) {
        return MCX_OK;
    }
    slot = find_same_cert(store, cert);
    if (slot == NULL && store->num_certs == MCX_STORE_MAX_CERTS) {
        return MCX_E_SPACE;
    }
    MCX_TRY(mcx_kms_cert_copy(&copy, cert));
    if (slot != NULL) {
        mcx_kms_cert_clear(slot);
        *slot = copy;
        return MCX_OK;
    }
    grown = realloc(store->certs, (store->num_certs + 1) * sizeof *grown); /* nothing secret in it */
    if (grown == NULL) {
        mcx_kms_cert_clear(&copy);
        return MCX_E_NOMEM;
    }
    store->certs = grown;
    store->certs[store->num_certs++] = copy;
    return MCX_OK;
}

static mcx_err grow_sets(struct mcx_store *store)
{
    size_t cap = store->cap_sets == 0 ? FIRST_SETS : 2 * store->cap_sets;
    struct mcx_kms_key_set *grown = NULL;

    if (store->num_sets < store->cap_sets) {
        return MCX_OK;
    }
    grown = mcx_secret_alloc(cap * sizeof *grown);
    if (grown == NULL) {
        return MCX_E_NOMEM;
    }
    if (store->num_sets > 0) {
        memcpy(grown, store->sets, store->num_sets * sizeof *grown);
    }
    mcx_secret_free(store->sets);
    store->sets = grown;
    store->cap_sets = cap;
    return MCX_OK;
}

static struct mcx_kms_key_set *find_key_set(const struct mcx_store *store, const char *kms_uri, const char *user_uri,
                                            uint64_t period_no)
{
    for (size_t i = 0; i < store->num_sets; i++) {
        struct mcx_kms_key_set *set = &store->sets[i];

        if (set->period_no == period_no && same(set->kms_uri, kms_uri) && same(set->user_uri, user_uri)) {
            return set;
        }
    }
    return NULL;
}

mcx_err mcx_store_put_key_set(struct mcx_store *store, const struct mcx_kms_key_set *set)
{
    struct mcx_kms_key_set *slot = NULL;

    if (set->kms_uri == NULL || set->user_uri == NULL) {
        return MCX_E_ARG;
    }
    slot = find_key_set(store, set->kms_uri, set->user_uri, set->period_no);
    if (slot == NULL) {
        if (store->num_sets == MCX_STORE_MAX_KEY_SETS) {
            return MCX_E_SPACE;
        }
        MCX_TRY(grow_sets(store));
        MCX_TRY(mcx_kms_key_set_copy(&store->sets[store->num_sets], set));
        store->num_sets++;
        return MCX_OK;
    }
    /* the copy is made beside the old one, in the locked array, so that a failure changes nothing */
    MCX_TRY(grow_sets(store));
    slot = find_key_set(store, set->kms_uri, set->user_uri, set->period_no);
    MCX_TRY(mcx_kms_key_set_copy(&store->sets[store->num_sets], set));
    mcx_kms_key_set_clear(slot);
    *slot = store->sets[store->num_sets];
    mcx_wipe(&store->sets[store->num_sets], sizeof *slot);
    return MCX_OK;
}

mcx_err mcx_store_put_home(struct mcx_store *store, const struct mcx_store_home *home)
{
    struct mcx_store_home *grown = NULL;
    char *uri = NULL;

    if (home->kms_uri == NULL) {
        return MCX_E_ARG;
    }
    for (size_t i = 0; i < store->num_homes; i++) {
        if (same(store->homes[i].kms_uri, home->kms_uri)) {
            uri = store->homes[i].kms_uri;
            store->homes[i] = *home;
            store->homes[i].kms_uri = uri;
            return MCX_OK;
        }
    }
    if (store->num_homes == MCX_STORE_MAX_HOMES) {
        return MCX_E_SPACE;
    }
    uri = malloc(strlen(home->kms_uri) + 1);
    grown = realloc(store->homes, (store->num_homes + 1) * sizeof *grown);
    store->homes = grown == NULL ? store->homes : grown;
    if (uri == NULL || grown == NULL) {
        free(uri);
        return MCX_E_NOMEM;
    }
    memcpy(uri, home->kms_uri, strlen(home->kms_uri) + 1);
    grown[store->num_homes] = *home;
    grown[store->num_homes++].kms_uri = uri;
    return MCX_OK;
}

uint64_t mcx_store_serial(const struct mcx_store *store)
{
    return store->serial;
}

size_t mcx_store_num_certs(const struct mcx_store *store)
{
    return store->num_certs;
}

size_t mcx_store_num_key_sets(const struct mcx_store *store)
{
    return store->num_sets;
}

size_t mcx_store_num_homes(const struct mcx_store *store)
{
    return store->num_homes;
}

const struct mcx_kms_cert *mcx_store_cert(const struct mcx_store *store, size_t i)
{
    return i < store->num_certs ? &store->certs[i] : NULL;
}

const struct mcx_kms_key_set *mcx_store_key_set(const struct mcx_store *store, size_t i)
{
    return i < store->num_sets ? &store->sets[i] : NULL;
}

const struct mcx_store_home *mcx_store_home(const struct mcx_store *store, size_t i)
{
    return i < store->num_homes ? &store->homes[i] : NULL;
}

const struct mcx_store_home *mcx_store_find_home(const struct mcx_store *store, const char *kms_uri)
{
    for (size_t i = 0; i < store->num_homes; i++) {
        if (same(store->homes[i].kms_uri, kms_uri)) {
            return &store->homes[i];
        }
    }
    return NULL;
}

const struct mcx_kms_cert *mcx_store_find_cert(const struct mcx_store *store, const char *kms_uri)
{
    const struct mcx_kms_cert *best = NULL;

    for (size_t i = 0; i < store->num_certs; i++) {
        const struct mcx_kms_cert *cert = &store->certs[i];

        if (!cert->revoked && same(cert->kms_uri, kms_uri) && (best == NULL || cert->valid_from > best->valid_from)) {
            best = cert;
        }
    }
    return best;
}

const struct mcx_kms_key_set *mcx_store_find_key_set(const struct mcx_store *store, const char *kms_uri,
                                                     const char *user_uri, uint64_t period_no)
{
    return find_key_set(store, kms_uri, user_uri, period_no);
}

static void drop_set(struct mcx_store *store, size_t i)
{
    mcx_kms_key_set_clear(&store->sets[i]);
    store->num_sets--;
    if (i != store->num_sets) {
        store->sets[i] = store->sets[store->num_sets];
        mcx_wipe(&store->sets[store->num_sets], sizeof store->sets[0]);
    }
}

size_t mcx_store_expire(struct mcx_store *store, struct mcx_ntp now)
{
    size_t changed = 0;
    size_t i = 0;

    while (i < store->num_sets) {
        struct mcx_kms_key_set *set = &store->sets[i];
        const struct mcx_kms_cert *cert = mcx_store_find_cert(store, set->kms_uri);
        uint64_t current = 0;
        uint64_t start = 0;
        uint64_t end = 0;

        i++;
        if (cert == NULL || mcx_period_no(&current, &cert->period, now.sec) != MCX_OK ||
            mcx_period_bounds(&start, &end, &cert->period, set->period_no) != MCX_OK) {
            continue;
        }
        if (set->period_no < current && current - set->period_no > PERIODS_KEPT) {
            drop_set(store, --i);
            changed++;
        } else if (!set->open_only && end < now.sec && now.sec - end > SSK_GRACE_S) {
            mcx_wipe(set->ssk, sizeof set->ssk);
            set->open_only = true;
            changed++;
        }
    }
    return changed;
}
