/* SPDX-License-Identifier: Apache-2.0 */
/* Which KMS belongs to an identity, and which key set to a message (TS 33.180 D.3.2, F.2.1): docs/DEVIATIONS.md
 * "mikey-domain", "mikey-period-neighbours". */
#include "keys/keyring_int.h"

#include <string.h>

static bool usable(const struct mcx_kms_cert *cert, uint64_t unix_s)
{
    return !cert->revoked && (cert->valid_from == 0 || unix_s >= cert->valid_from) &&
           (cert->valid_to == 0 || unix_s <= cert->valid_to);
}

const struct mcx_ring_cert *mcx_ring_cert_of(const struct mcx_keyring *ring, struct mcx_bytes kms_uri, uint64_t unix_s)
{
    for (size_t i = ring->num_certs; i > 0; i--) {
        const struct mcx_ring_cert *cert = ring->certs[i - 1];

        if (mcx_bytes_is(kms_uri, cert->doc.kms_uri) && usable(&cert->doc, unix_s)) {
            return cert;
        }
    }
    return NULL;
}

bool mcx_ring_knows_kms(const struct mcx_keyring *ring, struct mcx_bytes kms_uri)
{
    for (size_t i = 0; i < ring->num_certs; i++) {
        if (mcx_bytes_is(kms_uri, ring->certs[i]->doc.kms_uri)) {
            return true;
        }
    }
    return false;
}

static struct mcx_bytes after(struct mcx_bytes b, size_t n)
{
    return mcx_bytes(b.p + n, b.len - n);
}

/*
 * Host of "sip:user@host;x=y", "user@host", "sip:host:5060" or a bare host. More than one '@' gives none: two
 * readers could disagree about the host of such a URI, and this one decides who may vouch for it.
 */
static struct mcx_bytes uri_domain(struct mcx_bytes uri)
{
    size_t num_at = 0;
    size_t end = 0;

    for (size_t i = 0; i < uri.len; i++) {
        num_at += uri.p[i] == '@';
    }
    if (num_at > 1) {
        return mcx_bytes(uri.p, 0);
    }
    if (num_at == 1) {
        const uint8_t *at = memchr(uri.p, '@', uri.len);

        uri = after(uri, (size_t)(at - uri.p) + 1);
    } else if (uri.len > 4 && mcx_bytes_is_nocase(mcx_bytes(uri.p, 4), "sip:")) {
        uri = after(uri, 4);
    } else if (uri.len > 5 && mcx_bytes_is_nocase(mcx_bytes(uri.p, 5), "sips:")) {
        uri = after(uri, 5);
    }
    while (end < uri.len && memchr(":;?>/", uri.p[end], 5) == NULL) {
        end++;
    }
    return mcx_bytes(uri.p, end);
}

/* Host equals the domain, or ends in a dot and the domain. */
static bool domain_fits(struct mcx_bytes host, const char *domain)
{
    size_t n = strlen(domain);

    if (n == 0 || host.len < n || !mcx_bytes_is_nocase(after(host, host.len - n), domain)) {
        return false;
    }
    return host.len == n || host.p[host.len - n - 1] == '.';
}

/* Length of the longest domain of a certificate that fits; 0 when none does. */
static size_t best_fit(const struct mcx_kms_cert *cert, struct mcx_bytes host)
{
    size_t best = 0;

    for (size_t i = 0; i < cert->num_domains; i++) {
        if (domain_fits(host, cert->domains[i]) && strlen(cert->domains[i]) > best) {
            best = strlen(cert->domains[i]);
        }
    }
    return best;
}

/* The KMS with the longest fitting domain; at equal length the home KMS goes first. */
static const struct mcx_ring_cert *claimant(const struct mcx_keyring *ring, struct mcx_bytes uri)
{
    struct mcx_bytes host = uri_domain(uri);
    const struct mcx_ring_cert *best = NULL;
    size_t best_len = 0;

    for (size_t i = 0; i < ring->num_certs; i++) {
        const struct mcx_ring_cert *cert = ring->certs[i];
        size_t len = cert->doc.revoked ? 0 : best_fit(&cert->doc, host);

        if (len > best_len || (len > 0 && len == best_len && cert->doc.role == MCX_KMS_ROOT)) {
            best = cert;
            best_len = len;
        }
    }
    return best;
}

bool mcx_keyring_claims(const struct mcx_keyring *ring, struct mcx_bytes uri)
{
    return claimant(ring, uri) != NULL;
}

static bool has_root(const struct mcx_keyring *ring)
{
    for (size_t i = 0; i < ring->num_certs; i++) {
        if (ring->certs[i]->doc.role == MCX_KMS_ROOT) {
            return true;
        }
    }
    return false;
}

/* The Root; where no document names one, the KMS that has issued our own key sets ("mikey-domain"). */
static bool is_home(const struct mcx_keyring *ring, const struct mcx_ring_cert *cert)
{
    if (cert->doc.role == MCX_KMS_ROOT) {
        return true;
    }
    for (size_t i = 0; i < ring->num_sets && !has_root(ring); i++) {
        if (ring->sets[i]->cert == cert) {
            return true;
        }
    }
    return false;
}

const struct mcx_ring_cert *mcx_ring_cert_for(const struct mcx_keyring *ring, struct mcx_bytes uri, uint64_t unix_s)
{
    const struct mcx_ring_cert *cert = claimant(ring, uri);

    for (size_t i = 0; i < ring->num_certs && cert == NULL; i++) {
        if (is_home(ring, ring->certs[i])) {
            cert = ring->certs[i];
        }
    }
    return cert == NULL ? NULL : mcx_ring_cert_of(ring, mcx_bytes_str(cert->doc.kms_uri), unix_s);
}

bool mcx_ring_is_responsible(const struct mcx_keyring *ring, const struct mcx_ring_cert *cert, struct mcx_bytes uri)
{
    const struct mcx_ring_cert *best = claimant(ring, uri);

    if (best != NULL) {
        return strcmp(best->doc.kms_uri, cert->doc.kms_uri) == 0;
    }
    return is_home(ring, cert) && uri_domain(uri).len > 0; /* the home KMS takes what nobody claims */
}

const struct mcx_ring_set *mcx_ring_set_of(const struct mcx_keyring *ring, struct mcx_bytes user_uri,
                                           struct mcx_bytes kms_uri, uint64_t period_no)
{
    for (size_t i = 0; i < ring->num_sets; i++) {
        const struct mcx_ring_set *set = ring->sets[i];

        if (set->period_no == period_no && mcx_bytes_is(user_uri, set->user_uri) &&
            (kms_uri.len == 0 || mcx_bytes_is(kms_uri, set->cert->doc.kms_uri))) {
            return set;
        }
    }
    return NULL;
}
