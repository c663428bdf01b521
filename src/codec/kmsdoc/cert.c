/* SPDX-License-Identifier: Apache-2.0 */
/* KmsCertificate (TS 33.180 D.3.2.2). */
#include "codec/kmsdoc/kmsdoc_int.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>

#define CLAUSE "TS 33.180 D.3.2.2"

void mcx_kms_cert_clear(struct mcx_kms_cert *cert)
{
    free(cert->cert_uri);
    free(cert->kms_uri);
    free(cert->issuer);
    for (size_t i = 0; i < cert->num_domains; i++) {
        free(cert->domains[i]);
    }
    free(cert->domains);
    *cert = (struct mcx_kms_cert){ 0 };
}

mcx_err mcx_kms_cert_copy(struct mcx_kms_cert *out, const struct mcx_kms_cert *cert)
{
    mcx_err err = MCX_OK;

    *out = *cert;
    out->cert_uri = out->kms_uri = out->issuer = NULL;
    out->domains = NULL;
    out->num_domains = 0;
    MCX_GO(err, mcx_kmsdoc_strdup(&out->cert_uri, cert->cert_uri));
    MCX_GO(err, mcx_kmsdoc_strdup(&out->kms_uri, cert->kms_uri));
    MCX_GO(err, mcx_kmsdoc_strdup(&out->issuer, cert->issuer));
    if (cert->num_domains > 0) {
        out->domains = calloc(cert->num_domains, sizeof *out->domains);
        if (out->domains == NULL) {
            err = MCX_E_NOMEM;
            goto out;
        }
    }
    for (size_t i = 0; i < cert->num_domains; i++) {
        MCX_GO(err, mcx_kmsdoc_strdup(&out->domains[i], cert->domains[i]));
        out->num_domains++;
    }
out:
    if (err != MCX_OK) {
        mcx_kms_cert_clear(out);
    }
    return err;
}

bool mcx_kmsdoc_is_cert(const struct mcx_xml_node *node)
{
    return mcx_xml_is(node, mcx_kmsdoc_ns, "KmsCertificate") || mcx_xml_is(node, mcx_kmsdoc_ns, "SignedKmsCertificate");
}

static mcx_err domains_read(struct mcx_kms_cert *cert, const struct mcx_kmsdoc_elem *e)
{
    static const char bad[] = "KmsDomainList is repeated, empty or too long, or a KmsDomain has a wrong value";
    const struct mcx_xml_node *list = NULL;
    const struct mcx_xml_node *d = NULL;

    if (mcx_xml_child(&list, e->node, mcx_kmsdoc_ns, "KmsDomainList") != MCX_OK) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
    }
    if (list == NULL) {
        return MCX_OK;
    }
    cert->domains = calloc(MCX_KMSDOC_MAX_DOMAINS, sizeof *cert->domains);
    if (cert->domains == NULL) {
        return MCX_E_NOMEM;
    }
    d = mcx_xml_first_of(list, mcx_kmsdoc_ns, "KmsDomain");
    for (; d != NULL; d = mcx_xml_next_of(d, mcx_kmsdoc_ns, "KmsDomain")) {
        struct mcx_bytes text = { 0 };
        char name[MCX_KMSDOC_URI_MAX];

        if (cert->num_domains == MCX_KMSDOC_MAX_DOMAINS || mcx_xml_text(&text, d) != MCX_OK ||
            mcx_bytes_cstr(name, sizeof name, mcx_bytes_trim(text)) != MCX_OK || name[0] == '\0') {
            return mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
        }
        MCX_TRY(mcx_kmsdoc_strdup(&cert->domains[cert->num_domains], name));
        cert->num_domains++;
    }
    return cert->num_domains > 0 ? MCX_OK : mcx_kmsdoc_bad(e, MCX_E_FORMAT, bad);
}

static mcx_err role_read(enum mcx_kms_role *role, const struct mcx_kmsdoc_elem *e)
{
    struct mcx_bytes text;

    if (!mcx_xml_attr(&text, e->node, "", "Role")) {
        return MCX_OK; /* by the place where the certificate stands */
    }
    if (mcx_bytes_is(text, "Root")) {
        *role = MCX_KMS_ROOT;
        return MCX_OK;
    }
    if (mcx_bytes_is(text, "External")) {
        *role = MCX_KMS_EXTERNAL;
        return MCX_OK;
    }
    return mcx_kmsdoc_bad(e, MCX_E_FORMAT, "Role is neither Root nor External");
}

static mcx_err parameters_read(struct mcx_kms_cert *cert, const struct mcx_kmsdoc_elem *e)
{
    struct mcx_bytes format;
    struct mcx_bytes text;
    uint64_t set = 1; /* absent = 1, docs/DEVIATIONS.md "kms-parameter-set" */

    MCX_TRY(mcx_kmsdoc_view(&format, e, MCX_KMSDOC_FIELD("UserIdFormat"), MCX_KMSDOC_REQUIRED));
    if (!mcx_bytes_is(format, "2")) {
        return mcx_refuse(e->why, MCX_E_UNSUP, "UserIdFormat is not 2, the hashed UID", "TS 33.180 F.2.1");
    }
    MCX_TRY(mcx_kmsdoc_u64(&set, e, MCX_KMSDOC_FIELD("ParameterSet"), MCX_KMSDOC_OPTIONAL));
    if (set != 1) {
        return mcx_refuse(e->why, MCX_E_UNSUP, "ParameterSet is not 1", "RFC 6509 appendix A");
    }
    MCX_TRY(mcx_kmsdoc_u64(&cert->period.length, e, MCX_KMSDOC_FIELD("UserKeyPeriod"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_u64(&cert->period.offset, e, MCX_KMSDOC_FIELD("UserKeyOffset"), MCX_KMSDOC_REQUIRED));
    if (cert->period.length == 0 || cert->period.offset >= cert->period.length) {
        return mcx_refuse(e->why, MCX_E_FORMAT, "UserKeyOffset is not less than UserKeyPeriod", "TS 33.180 F.2.1.1");
    }
    MCX_TRY(mcx_kmsdoc_view(&text, e, MCX_KMSDOC_FIELD("PubEncKey"), MCX_KMSDOC_REQUIRED));
    if (mcx_kmsdoc_octets(cert->pub_enc_key, MCX_KMSDOC_Z, text) != MCX_OK) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, "PubEncKey is not a point of 257 octets in hex");
    }
    MCX_TRY(mcx_kmsdoc_view(&text, e, MCX_KMSDOC_FIELD("PubAuthKey"), MCX_KMSDOC_REQUIRED));
    if (mcx_kmsdoc_octets(cert->pub_auth_key, MCX_KMSDOC_KPAK, text) != MCX_OK) {
        return mcx_kmsdoc_bad(e, MCX_E_FORMAT, "PubAuthKey is not a point of 65 octets in hex");
    }
    return MCX_OK;
}

mcx_err mcx_kmsdoc_cert_read(struct mcx_kms_cert *out, const struct mcx_xml_node *node, enum mcx_kms_role role,
                             struct mcx_refusal *why)
{
    struct mcx_kmsdoc_elem e = { node, CLAUSE, why };

    if (mcx_xml_is(node, mcx_kmsdoc_ns, "SignedKmsCertificate")) { /* trust comes from TLS: README.md */
        if (mcx_xml_child(&e.node, node, mcx_kmsdoc_ns, "KmsCertificate") != MCX_OK || e.node == NULL) {
            return mcx_refuse(why, MCX_E_FORMAT, "SignedKmsCertificate does not hold one KmsCertificate", CLAUSE);
        }
    }
    out->role = role;
    MCX_TRY(role_read(&out->role, &e));
    MCX_TRY(mcx_kmsdoc_str(&out->cert_uri, &e, MCX_KMSDOC_FIELD("CertUri"), MCX_KMSDOC_OPTIONAL));
    MCX_TRY(mcx_kmsdoc_str(&out->kms_uri, &e, MCX_KMSDOC_FIELD("KmsUri"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_str(&out->issuer, &e, MCX_KMSDOC_FIELD("Issuer"), MCX_KMSDOC_OPTIONAL));
    MCX_TRY(mcx_kmsdoc_validity(&out->valid_from, &out->valid_to, &e));
    MCX_TRY(mcx_kmsdoc_revoked(&out->revoked, &e));
    MCX_TRY(parameters_read(out, &e));
    return domains_read(out, &e);
}

mcx_err mcx_kmsdoc_cert_write(struct mcx_xml_wr *wr, const struct mcx_kms_cert *cert, bool root)
{
    if (cert->kms_uri == NULL) {
        return MCX_E_ARG;
    }
    mcx_xml_wr_open(wr, "KmsCertificate");
    if (root) {
        mcx_xml_wr_attr(wr, "xmlns", MCX_KMS_NS);
    }
    mcx_xml_wr_attr(wr, "Version", "1.1.0");
    mcx_xml_wr_attr(wr, "Role", cert->role == MCX_KMS_ROOT ? "Root" : "External");
    mcx_xml_wr_elem(wr, "CertUri", cert->cert_uri);
    mcx_xml_wr_elem(wr, "KmsUri", cert->kms_uri);
    mcx_xml_wr_elem(wr, "Issuer", cert->issuer);
    mcx_kmsdoc_wr_time(wr, "ValidFrom", cert->valid_from);
    mcx_kmsdoc_wr_time(wr, "ValidTo", cert->valid_to);
    mcx_xml_wr_elem(wr, "Revoked", cert->revoked ? "true" : "false");
    mcx_xml_wr_elem(wr, "UserIdFormat", "2");
    mcx_xml_wr_elem_u64(wr, "UserKeyPeriod", cert->period.length);
    mcx_xml_wr_elem_u64(wr, "UserKeyOffset", cert->period.offset);
    mcx_xml_wr_open(wr, "PubEncKey");
    mcx_xml_wr_hex(wr, mcx_bytes(cert->pub_enc_key, sizeof cert->pub_enc_key));
    mcx_xml_wr_close(wr);
    mcx_xml_wr_open(wr, "PubAuthKey");
    mcx_xml_wr_hex(wr, mcx_bytes(cert->pub_auth_key, sizeof cert->pub_auth_key));
    mcx_xml_wr_close(wr);
    mcx_xml_wr_elem(wr, "ParameterSet", "1");
    if (cert->num_domains > 0) {
        mcx_xml_wr_open(wr, "KmsDomainList");
        for (size_t i = 0; i < cert->num_domains; i++) {
            mcx_xml_wr_elem(wr, "KmsDomain", cert->domains[i]);
        }
        mcx_xml_wr_close(wr);
    }
    mcx_xml_wr_close(wr);
    return wr->err;
}
