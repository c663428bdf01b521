/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and key sets in memory, each checked before it is taken in (RFC 6507 5.1.2, RFC 6508 6.1.2). */
#include "keys/keyring_int.h"

#include <stdlib.h>
#include <string.h>

#define SSK_GRACE_S 300 /* CHOICE, docs/DEVIATIONS.md "store-ssk-grace": clock skew */
#define RSK_PERIODS 2   /* CHOICE: the two periods before the present one can still be opened */

static void cert_free(struct mcx_ring_cert *cert)
{
    if (cert == NULL) {
        return;
    }
    mcx_sakke_kms_free(cert->sakke);
    mcx_eccsi_kms_free(cert->eccsi);
    mcx_kms_cert_clear(&cert->doc);
    free(cert);
}

static void signing_drop(struct mcx_ring_set *set)
{
    if (set->signing != NULL) {
        mcx_eccsi_key_clear(set->signing);
        mcx_secret_free(set->signing);
        set->signing = NULL;
    }
}

static void set_free(struct mcx_ring_set *set)
{
    if (set == NULL) {
        return;
    }
    signing_drop(set);
    mcx_sakke_rsk_free(set->rsk);
    free(set->user_uri);
    free(set);
}

mcx_err mcx_keyring_new(struct mcx_keyring **out, enum mcx_sakke_tables tables)
{
    struct mcx_keyring *ring = calloc(1, sizeof *ring);

    if (ring == NULL) {
        return MCX_E_NOMEM;
    }
    ring->tables = tables;
    *out = ring;
    return MCX_OK;
}

void mcx_keyring_free(struct mcx_keyring *ring)
{
    if (ring == NULL) {
        return;
    }
    for (size_t i = 0; i < ring->num_sets; i++) { /* an RSK refers to its certificate: sets go first */
        set_free(ring->sets[i]);
    }
    for (size_t i = 0; i < ring->num_certs; i++) {
        cert_free(ring->certs[i]);
    }
    free(ring->sets);
    free(ring->certs);
    free(ring);
}

static void remove_set(struct mcx_keyring *ring, size_t i)
{
    set_free(ring->sets[i]);
    memmove(&ring->sets[i], &ring->sets[i + 1], (ring->num_sets - i - 1) * sizeof(struct mcx_ring_set *));
    ring->num_sets--;
}

/* Key sets of a certificate that is going away cannot be used any more: its UIDs are others (TS 33.180 F.2.1). */
static void remove_cert(struct mcx_keyring *ring, size_t i)
{
    for (size_t n = ring->num_sets; n > 0; n--) {
        if (ring->sets[n - 1]->cert == ring->certs[i]) {
            remove_set(ring, n - 1);
        }
    }
    cert_free(ring->certs[i]);
    memmove(&ring->certs[i], &ring->certs[i + 1], (ring->num_certs - i - 1) * sizeof(struct mcx_ring_cert *));
    ring->num_certs--;
}

static mcx_err reserve(void **array, size_t num, size_t octets)
{
    void *bigger = realloc(*array, (num + 1) * octets);

    if (bigger == NULL) {
        return MCX_E_NOMEM;
    }
    *array = bigger;
    return MCX_OK;
}

static bool same_str(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The certificate that the new one replaces: same KMS, and the same CertUri or none (TS 33.180 5.3.5). */
static size_t find_replaced(const struct mcx_keyring *ring, const struct mcx_kms_cert *cert)
{
    for (size_t i = 0; i < ring->num_certs; i++) {
        const struct mcx_kms_cert *held = &ring->certs[i]->doc;

        if (same_str(held->kms_uri, cert->kms_uri) &&
            (held->cert_uri == NULL || cert->cert_uri == NULL || same_str(held->cert_uri, cert->cert_uri))) {
            return i;
        }
    }
    return ring->num_certs;
}

static bool root_of(const struct mcx_keyring *ring, const char *kms_uri)
{
    for (size_t i = 0; i < ring->num_certs; i++) {
        if (ring->certs[i]->doc.role == MCX_KMS_ROOT && same_str(ring->certs[i]->doc.kms_uri, kms_uri)) {
            return true;
        }
    }
    return false;
}

static mcx_err cert_check(const struct mcx_kms_cert *cert, struct mcx_refusal *why)
{
    if (cert->kms_uri == NULL || cert->kms_uri[0] == '\0' || strlen(cert->kms_uri) >= MCX_KMSDOC_URI_MAX) {
        return mcx_refuse(why, MCX_E_FORMAT, "a KMS certificate without usable KmsUri", "TS 33.180 D.3.2");
    }
    if (cert->period.length == 0 || cert->period.offset >= cert->period.length) {
        return mcx_refuse(why, MCX_E_FORMAT, "UserKeyPeriod is 0, or UserKeyOffset not less than it",
                          "TS 33.180 F.2.1.1");
    }
    return MCX_OK;
}

static bool same_keys(const struct mcx_kms_cert *a, const struct mcx_kms_cert *b)
{
    return memcmp(a->pub_enc_key, b->pub_enc_key, sizeof a->pub_enc_key) == 0 && /* public */
           memcmp(a->pub_auth_key, b->pub_auth_key, sizeof a->pub_auth_key) == 0 &&
           a->period.length == b->period.length && a->period.offset == b->period.offset;
}

/* Dates, domains and revocation may change while keys and key sets stay. */
static mcx_err cert_update(struct mcx_ring_cert *held, const struct mcx_kms_cert *cert)
{
    struct mcx_kms_cert copy;

    MCX_TRY(mcx_kms_cert_copy(&copy, cert));
    mcx_kms_cert_clear(&held->doc);
    held->doc = copy;
    return MCX_OK;
}

static mcx_err cert_new(struct mcx_ring_cert **out, const struct mcx_kms_cert *cert, enum mcx_sakke_tables tables,
                        struct mcx_refusal *why)
{
    struct mcx_ring_cert *made = calloc(1, sizeof *made);
    mcx_err err = MCX_E_NOMEM;

    if (made == NULL) {
        return err;
    }
    MCX_GO(err, mcx_kms_cert_copy(&made->doc, cert));
    MCX_GO(err, mcx_eccsi_kms_new(&made->eccsi, cert->pub_auth_key));
    MCX_GO(err, mcx_sakke_kms_new(&made->sakke, cert->pub_enc_key, tables));
    *out = made;
    return MCX_OK;
out:
    cert_free(made);
    return err == MCX_E_POINT
               ? mcx_refuse(why, err, "PubAuthKey or PubEncKey of a KMS is not a point of its curve", "TS 33.180 D.3.2")
               : err;
}

mcx_err mcx_keyring_add_cert(struct mcx_keyring *ring, const struct mcx_kms_cert *cert, struct mcx_refusal *why)
{
    struct mcx_ring_cert *made = NULL;
    void *array = ring->certs;
    size_t at;

    MCX_TRY(cert_check(cert, why));
    if (cert->role == MCX_KMS_EXTERNAL && root_of(ring, cert->kms_uri)) {
        return MCX_OK; /* what the home KMS says about itself stands */
    }
    at = find_replaced(ring, cert);
    if (at < ring->num_certs && same_keys(&ring->certs[at]->doc, cert)) {
        return cert_update(ring->certs[at], cert);
    }
    MCX_TRY(reserve(&array, ring->num_certs, sizeof(struct mcx_ring_cert *)));
    ring->certs = array;
    MCX_TRY(cert_new(&made, cert, ring->tables, why));
    if (at < ring->num_certs) {
        remove_cert(ring, at);
    }
    if (cert->role == MCX_KMS_ROOT) { /* now the home KMS itself is heard */
        for (size_t i = ring->num_certs; i > 0; i--) {
            if (ring->certs[i - 1]->doc.role == MCX_KMS_EXTERNAL &&
                same_str(ring->certs[i - 1]->doc.kms_uri, cert->kms_uri)) {
                remove_cert(ring, i - 1);
            }
        }
    }
    ring->certs[ring->num_certs++] = made;
    return MCX_OK;
}

/* ValidFrom and ValidTo may narrow the period, not leave it (TS 33.180 D.3.3). */
static mcx_err dates_check(const struct mcx_kms_key_set *set, const struct mcx_key_period *period,
                           struct mcx_refusal *why)
{
    uint64_t start, end;

    if (mcx_period_bounds(&start, &end, period, set->period_no) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "KeyPeriodNo is out of range", "TS 33.180 F.2.1.1");
    }
    if ((set->valid_from != 0 && set->valid_from + MCX_NTP_UNIX_OFFSET < start) ||
        (set->valid_from != 0 && set->valid_from + MCX_NTP_UNIX_OFFSET >= end) ||
        (set->valid_to != 0 && set->valid_to + MCX_NTP_UNIX_OFFSET < start) ||
        (set->valid_to != 0 && set->valid_to + MCX_NTP_UNIX_OFFSET > end)) {
        return mcx_refuse(why, MCX_E_EXPIRED, "the dates of a key set contradict its KeyPeriodNo", "TS 33.180 D.3.3");
    }
    return MCX_OK;
}

static const struct mcx_ring_cert *cert_for_set(const struct mcx_keyring *ring, const struct mcx_kms_key_set *set)
{
    const struct mcx_ring_cert *newest = NULL;

    for (size_t i = ring->num_certs; i > 0; i--) {
        const struct mcx_ring_cert *cert = ring->certs[i - 1];

        if (!same_str(cert->doc.kms_uri, set->kms_uri)) {
            continue;
        }
        if (same_str(cert->doc.cert_uri, set->cert_uri)) {
            return cert;
        }
        newest = newest == NULL ? cert : newest;
    }
    return newest;
}

static size_t find_set(const struct mcx_keyring *ring, const struct mcx_kms_key_set *set)
{
    for (size_t i = 0; i < ring->num_sets; i++) {
        const struct mcx_ring_set *held = ring->sets[i];

        if (held->period_no == set->period_no && same_str(held->user_uri, set->user_uri) &&
            same_str(held->cert->doc.kms_uri, set->kms_uri)) {
            return i;
        }
    }
    return ring->num_sets;
}

static mcx_err set_uid(struct mcx_ring_set *made, const struct mcx_kms_key_set *set, struct mcx_refusal *why)
{
    mcx_err err = mcx_uid(made->uid, mcx_bytes_str(set->user_uri), mcx_bytes_str(set->kms_uri), &made->cert->doc.period,
                          set->period_no);

    if (err != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "UserUri or KmsUri of a key set cannot be hashed", "TS 33.180 F.2.1.1");
    }
    if (memcmp(made->uid, set->uid, sizeof made->uid) != 0) { /* public */
        return mcx_refuse(why, MCX_E_AUTH, "UserID is not the hash of UserUri, KmsUri and key period",
                          "TS 33.180 F.2.1.1");
    }
    return MCX_OK;
}

static mcx_err set_keys(struct mcx_ring_set *made, const struct mcx_kms_key_set *set, enum mcx_sakke_tables tables,
                        struct mcx_refusal *why)
{
    struct mcx_bytes uid = mcx_bytes(made->uid, sizeof made->uid);
    mcx_err err = mcx_sakke_rsk_new(&made->rsk, set->rsk, made->cert->sakke, uid, tables);

    if (err != MCX_OK) {
        return err == MCX_E_NOMEM ? err
                                  : mcx_refuse(why, err, "UserDecryptKey does not belong to this user, KMS and period",
                                               "RFC 6508 6.1.2");
    }
    if (set->open_only) {
        return MCX_OK;
    }
    made->signing = mcx_secret_alloc(sizeof *made->signing);
    if (made->signing == NULL) {
        return MCX_E_NOMEM;
    }
    err = mcx_eccsi_key_init(made->signing, made->cert->eccsi, uid, set->ssk, set->pvt);
    if (err != MCX_OK) {
        return mcx_refuse(why, err, "UserSigningKeySSK and UserPubTokenPVT do not fit this user, KMS and period",
                          "RFC 6507 5.1.2");
    }
    return MCX_OK;
}

static mcx_err set_new(struct mcx_ring_set **out, const struct mcx_ring_cert *cert, const struct mcx_kms_key_set *set,
                       enum mcx_sakke_tables tables, struct mcx_refusal *why)
{
    struct mcx_ring_set *made = calloc(1, sizeof *made);
    mcx_err err = MCX_E_NOMEM;

    if (made == NULL) {
        return err;
    }
    made->cert = cert;
    made->period_no = set->period_no;
    made->user_uri = malloc(strlen(set->user_uri) + 1);
    if (made->user_uri == NULL) {
        goto out;
    }
    memcpy(made->user_uri, set->user_uri, strlen(set->user_uri) + 1);
    MCX_GO(err, set_uid(made, set, why));
    MCX_GO(err, set_keys(made, set, tables, why));
    *out = made;
    return MCX_OK;
out:
    set_free(made);
    return err;
}

mcx_err mcx_keyring_add_key_set(struct mcx_keyring *ring, const struct mcx_kms_key_set *set, struct mcx_refusal *why)
{
    const struct mcx_ring_cert *cert;
    struct mcx_ring_set *made = NULL;
    void *array = ring->sets;
    size_t at;

    if (set->user_uri == NULL || set->kms_uri == NULL || strlen(set->user_uri) >= MCX_KMSDOC_URI_MAX) {
        return mcx_refuse(why, MCX_E_FORMAT, "a key set without usable UserUri or KmsUri", "TS 33.180 D.3.3");
    }
    at = find_set(ring, set);
    if (set->revoked) {
        if (at < ring->num_sets) {
            remove_set(ring, at);
        }
        return mcx_refuse(why, MCX_E_EXPIRED, "the key set is revoked", "TS 33.180 D.3.3");
    }
    cert = cert_for_set(ring, set);
    if (cert == NULL) {
        return mcx_refuse(why, MCX_E_NOKEY, "no certificate of the KMS that issued the key set", "TS 33.180 D.3.3");
    }
    MCX_TRY(dates_check(set, &cert->doc.period, why));
    MCX_TRY(reserve(&array, ring->num_sets, sizeof(struct mcx_ring_set *)));
    ring->sets = array;
    MCX_TRY(set_new(&made, cert, set, ring->tables, why));
    if (at < ring->num_sets) {
        remove_set(ring, at);
    }
    ring->sets[ring->num_sets++] = made;
    return MCX_OK;
}

mcx_err mcx_keyring_add_doc(struct mcx_keyring *ring, const struct mcx_kmsdoc *doc, struct mcx_refusal *why)
{
    for (size_t i = 0; i < doc->num_certs; i++) {
        MCX_TRY(mcx_keyring_add_cert(ring, &doc->certs[i], why));
    }
    for (size_t i = 0; i < doc->num_key_sets; i++) {
        mcx_err err = mcx_keyring_add_key_set(ring, &doc->key_sets[i], why);

        if (err != MCX_OK && !doc->key_sets[i].revoked) {
            return err;
        }
    }
    return MCX_OK;
}

void mcx_keyring_expire(struct mcx_keyring *ring, struct mcx_ntp now)
{
    for (size_t i = ring->num_sets; i > 0; i--) {
        struct mcx_ring_set *set = ring->sets[i - 1];
        uint64_t now_no, start, end;

        if (mcx_period_no(&now_no, &set->cert->doc.period, now.sec) != MCX_OK ||
            mcx_period_bounds(&start, &end, &set->cert->doc.period, set->period_no) != MCX_OK) {
            continue;
        }
        if (now.sec >= SSK_GRACE_S && end < now.sec - SSK_GRACE_S) {
            signing_drop(set);
        }
        if (now_no > RSK_PERIODS && set->period_no < now_no - RSK_PERIODS) {
            remove_set(ring, i - 1);
        }
    }
}
