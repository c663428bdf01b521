/* SPDX-License-Identifier: Apache-2.0 */
/* KmsResponse with its messages (TS 33.180 D.3), and bare certificates and key sets. */
#include "codec/kmsdoc/kmsdoc_int.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/secret.h>
#include <mcx/text.h>

#define CLAUSE "TS 33.180 D.3.1"

void mcx_kmsdoc_free(struct mcx_kmsdoc *doc)
{
    if (doc == NULL) {
        return;
    }
    free(doc->user_uri);
    free(doc->kms_uri);
    free(doc->kms_id);
    free(doc->client_req_url);
    free(doc->error_msg);
    for (size_t i = 0; i < doc->num_certs; i++) {
        mcx_kms_cert_clear(&doc->certs[i]);
    }
    free(doc->certs);
    for (size_t i = 0; i < doc->num_key_sets; i++) {
        mcx_kms_key_set_clear(&doc->key_sets[i]);
    }
    free(doc->key_sets);
    free(doc);
}

static bool is_key_set(const struct mcx_xml_node *node)
{
    return mcx_xml_is(node, mcx_kmsdoc_ns, "KmsKeySet");
}

static mcx_err alloc_certs(struct mcx_kmsdoc *doc, size_t num)
{
    doc->certs = num == 0 ? NULL : calloc(num, sizeof *doc->certs);
    doc->num_certs = doc->certs == NULL ? 0 : num; /* all zero: ready to be cleared */
    return doc->num_certs == num ? MCX_OK : MCX_E_NOMEM;
}

static mcx_err alloc_key_sets(struct mcx_kmsdoc *doc, size_t num)
{
    doc->key_sets = num == 0 ? NULL : calloc(num, sizeof *doc->key_sets);
    doc->num_key_sets = doc->key_sets == NULL ? 0 : num;
    return doc->num_key_sets == num ? MCX_OK : MCX_E_NOMEM;
}

static size_t count(const struct mcx_xml_node *parent, bool (*is)(const struct mcx_xml_node *))
{
    size_t n = 0;

    for (const struct mcx_xml_node *c = mcx_xml_first(parent); c != NULL; c = mcx_xml_next(c)) {
        n += is(c) ? 1 : 0;
    }
    return n;
}

/* Every certificate below `parent`, signed or not. */
static mcx_err certs_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *parent, enum mcx_kms_role role,
                          struct mcx_refusal *why)
{
    size_t n = 0;

    MCX_TRY(alloc_certs(doc, count(parent, mcx_kmsdoc_is_cert)));
    for (const struct mcx_xml_node *c = mcx_xml_first(parent); c != NULL; c = mcx_xml_next(c)) {
        if (mcx_kmsdoc_is_cert(c)) {
            MCX_TRY(mcx_kmsdoc_cert_read(&doc->certs[n++], c, role, why));
        }
    }
    return MCX_OK;
}

static mcx_err init_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *node, struct mcx_refusal *why)
{
    doc->kind = MCX_KMSDOC_INIT;
    if (count(node, mcx_kmsdoc_is_cert) != 1) {
        return mcx_refuse(why, MCX_E_FORMAT, "KmsInit does not hold exactly one certificate", "TS 33.180 D.3.2");
    }
    MCX_TRY(certs_read(doc, node, MCX_KMS_ROOT, why));
    if (doc->certs[0].role != MCX_KMS_ROOT) {
        return mcx_refuse(why, MCX_E_FORMAT, "KmsInit holds a certificate whose Role is not Root", "TS 33.180 D.3.2");
    }
    return MCX_OK;
}

static mcx_err keyprov_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *node, const uint8_t *trk,
                            struct mcx_refusal *why)
{
    size_t n = 0;

    doc->kind = MCX_KMSDOC_KEYPROV;
    MCX_TRY(alloc_key_sets(doc, count(node, is_key_set)));
    for (const struct mcx_xml_node *c = mcx_xml_first(node); c != NULL; c = mcx_xml_next(c)) {
        if (is_key_set(c)) {
            MCX_TRY(mcx_kmsdoc_key_set_read(&doc->key_sets[n++], c, trk, why));
        }
    }
    return MCX_OK;
}

static mcx_err certcache_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *node, struct mcx_refusal *why)
{
    struct mcx_bytes num;

    doc->kind = MCX_KMSDOC_CERTCACHE;
    if (mcx_xml_attr(&num, node, "", "CacheNum") &&
        mcx_dec_read(&doc->cache_num, INT64_MAX, mcx_bytes_trim(num)) != MCX_OK) {
        return mcx_refuse(why, MCX_E_FORMAT, "CacheNum is not a number", CLAUSE);
    }
    return certs_read(doc, node, MCX_KMS_EXTERNAL, why);
}

/* Exactly one of the known messages; elements that are not known stand for nothing. */
static mcx_err message_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *message, const uint8_t *trk,
                            struct mcx_refusal *why)
{
    static const char *const names[] = { "KmsInit", "KmsKeyProv", "KmsCertCache" };
    const struct mcx_xml_node *found = NULL;

    for (const struct mcx_xml_node *c = mcx_xml_first(message); c != NULL; c = mcx_xml_next(c)) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (!mcx_xml_is(c, mcx_kmsdoc_ns, names[i])) {
                continue;
            }
            if (found != NULL) {
                return mcx_refuse(why, MCX_E_FORMAT, "KmsMessage holds more than one message", CLAUSE);
            }
            found = c;
        }
    }
    if (found == NULL) {
        return mcx_refuse(why, MCX_E_FORMAT, "KmsMessage holds no KmsInit, KmsKeyProv or KmsCertCache", CLAUSE);
    }
    if (strcmp(mcx_xml_name(found), "KmsInit") == 0) {
        return init_read(doc, found, why);
    }
    if (strcmp(mcx_xml_name(found), "KmsKeyProv") == 0) {
        return keyprov_read(doc, found, trk, why);
    }
    return certcache_read(doc, found, why);
}

static mcx_err error_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *node, struct mcx_refusal *why)
{
    const struct mcx_kmsdoc_elem e = { node, CLAUSE, why };
    uint64_t code = 0;

    doc->kind = MCX_KMSDOC_ERROR;
    MCX_TRY(mcx_kmsdoc_u64(&code, &e, MCX_KMSDOC_FIELD("ErrorCode"), MCX_KMSDOC_REQUIRED));
    if (code > INT_MAX) {
        return mcx_kmsdoc_bad(&e, MCX_E_FORMAT, "ErrorCode is out of range");
    }
    doc->error_code = (int)code;
    return mcx_kmsdoc_str(&doc->error_msg, &e, MCX_KMSDOC_FIELD("ErrorMsg"), MCX_KMSDOC_OPTIONAL);
}

static mcx_err response_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *node, const uint8_t *trk,
                             struct mcx_refusal *why)
{
    const struct mcx_kmsdoc_elem e = { node, CLAUSE, why };
    const struct mcx_xml_node *message = NULL;
    const struct mcx_xml_node *error = NULL;

    MCX_TRY(mcx_kmsdoc_str(&doc->user_uri, &e, MCX_KMSDOC_FIELD("UserUri"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_str(&doc->kms_uri, &e, MCX_KMSDOC_FIELD("KmsUri"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_time(&doc->time, &e, MCX_KMSDOC_FIELD("Time"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_str(&doc->kms_id, &e, MCX_KMSDOC_FIELD("KmsId"), MCX_KMSDOC_OPTIONAL));
    MCX_TRY(mcx_kmsdoc_str(&doc->client_req_url, &e, MCX_KMSDOC_FIELD("ClientReqUrl"), MCX_KMSDOC_REQUIRED));
    if (mcx_xml_child(&message, node, mcx_kmsdoc_ns, "KmsMessage") != MCX_OK ||
        mcx_xml_child(&error, node, mcx_kmsdoc_ns, "KmsError") != MCX_OK || (message == NULL) == (error == NULL)) {
        return mcx_kmsdoc_bad(&e, MCX_E_FORMAT, "KmsResponse does not hold exactly one of KmsMessage and KmsError");
    }
    return message != NULL ? message_read(doc, message, trk, why) : error_read(doc, error, why);
}

static mcx_err root_read(struct mcx_kmsdoc *doc, const struct mcx_xml_node *root, const uint8_t *trk,
                         struct mcx_refusal *why)
{
    const struct mcx_xml_node *inner = root;

    if (mcx_kmsdoc_is_cert(root)) {
        doc->kind = MCX_KMSDOC_BARE_CERT;
        MCX_TRY(alloc_certs(doc, 1));
        return mcx_kmsdoc_cert_read(&doc->certs[0], root, MCX_KMS_ROOT, why);
    }
    if (is_key_set(root)) {
        doc->kind = MCX_KMSDOC_BARE_KEY_SET;
        MCX_TRY(alloc_key_sets(doc, 1));
        return mcx_kmsdoc_key_set_read(&doc->key_sets[0], root, trk, why);
    }
    if (mcx_xml_is(root, mcx_kmsdoc_ns, "SignedKmsResponse")) { /* trust comes from TLS: README.md */
        if (mcx_xml_child(&inner, root, mcx_kmsdoc_ns, "KmsResponse") != MCX_OK || inner == NULL) {
            return mcx_refuse(why, MCX_E_FORMAT, "SignedKmsResponse does not hold one KmsResponse", CLAUSE);
        }
    }
    if (!mcx_xml_is(inner, mcx_kmsdoc_ns, "KmsResponse")) {
        return mcx_refuse(why, MCX_E_FORMAT, "the document is no KmsResponse, KmsCertificate or KmsKeySet", CLAUSE);
    }
    return response_read(doc, inner, trk, why);
}

mcx_err mcx_kmsdoc_read(struct mcx_kmsdoc **out, struct mcx_bytes xml, const uint8_t *trk, struct mcx_refusal *why)
{
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_xml *tree = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_xml_read(&tree, xml, why));
    doc = calloc(1, sizeof *doc);
    if (doc == NULL) {
        err = MCX_E_NOMEM;
        goto out;
    }
    MCX_GO(err, root_read(doc, mcx_xml_root(tree), trk, why));
    *out = doc;
    doc = NULL;
out:
    mcx_kmsdoc_free(doc);
    mcx_xml_free(tree);
    return err;
}

static void head_write(struct mcx_xml_wr *wr, const struct mcx_kmsdoc *doc)
{
    mcx_xml_wr_open(wr, "KmsResponse");
    mcx_xml_wr_attr(wr, "xmlns", MCX_KMS_NS);
    mcx_xml_wr_attr(wr, "xmlns:xsi", MCX_XML_XSI);
    mcx_xml_wr_attr(wr, "Id", "xmldoc");
    mcx_xml_wr_attr(wr, "Version", "1.0.0");
    mcx_xml_wr_elem(wr, "UserUri", doc->user_uri);
    mcx_xml_wr_elem(wr, "KmsUri", doc->kms_uri);
    mcx_kmsdoc_wr_time(wr, "Time", doc->time);
    mcx_xml_wr_elem(wr, "KmsId", doc->kms_id);
    mcx_xml_wr_elem(wr, "ClientReqUrl", doc->client_req_url);
}

static mcx_err init_write(struct mcx_xml_wr *wr, const struct mcx_kmsdoc *doc)
{
    if (doc->num_certs != 1) {
        return MCX_E_ARG;
    }
    mcx_xml_wr_open(wr, "KmsInit");
    mcx_xml_wr_attr(wr, "Version", "1.0.0");
    MCX_TRY(mcx_kmsdoc_cert_write(wr, &doc->certs[0], false));
    mcx_xml_wr_close(wr);
    return wr->err;
}

static mcx_err keyprov_write(struct mcx_xml_wr *wr, const struct mcx_kmsdoc *doc)
{
    mcx_xml_wr_open(wr, "KmsKeyProv");
    mcx_xml_wr_attr(wr, "Version", "1.0.0");
    for (size_t i = 0; i < doc->num_key_sets; i++) {
        MCX_TRY(mcx_kmsdoc_key_set_write(wr, &doc->key_sets[i], false));
    }
    mcx_xml_wr_close(wr);
    return wr->err;
}

static mcx_err certcache_write(struct mcx_xml_wr *wr, const struct mcx_kmsdoc *doc)
{
    char num[24];

    (void)snprintf(num, sizeof num, "%llu", (unsigned long long)doc->cache_num);
    mcx_xml_wr_open(wr, "KmsCertCache");
    mcx_xml_wr_attr(wr, "Version", "1.0.0");
    mcx_xml_wr_attr(wr, "CacheNum", num);
    for (size_t i = 0; i < doc->num_certs; i++) {
        MCX_TRY(mcx_kmsdoc_cert_write(wr, &doc->certs[i], false));
    }
    mcx_xml_wr_close(wr);
    return wr->err;
}

static mcx_err error_write(struct mcx_xml_wr *wr, const struct mcx_kmsdoc *doc)
{
    if (doc->error_code < 0) {
        return MCX_E_ARG;
    }
    mcx_xml_wr_open(wr, "KmsError");
    mcx_xml_wr_elem_u64(wr, "ErrorCode", (uint64_t)doc->error_code);
    mcx_xml_wr_elem(wr, "ErrorMsg", doc->error_msg == NULL ? "" : doc->error_msg);
    mcx_xml_wr_close(wr);
    return wr->err;
}

static mcx_err response_write(struct mcx_xml_wr *wr, const struct mcx_kmsdoc *doc)
{
    if (doc->user_uri == NULL || doc->kms_uri == NULL || doc->time == 0 || doc->client_req_url == NULL) {
        return MCX_E_ARG;
    }
    head_write(wr, doc);
    if (doc->kind == MCX_KMSDOC_ERROR) {
        MCX_TRY(error_write(wr, doc));
        mcx_xml_wr_close(wr);
        return wr->err;
    }
    mcx_xml_wr_open(wr, "KmsMessage");
    switch (doc->kind) {
    case MCX_KMSDOC_INIT: MCX_TRY(init_write(wr, doc)); break;
    case MCX_KMSDOC_KEYPROV: MCX_TRY(keyprov_write(wr, doc)); break;
    default: MCX_TRY(certcache_write(wr, doc)); break;
    }
    mcx_xml_wr_close(wr);
    mcx_xml_wr_close(wr);
    return wr->err;
}

mcx_err mcx_kmsdoc_write(char **xml, size_t *len, const struct mcx_kmsdoc *doc)
{
    struct mcx_xml_wr wr = { 0 };
    mcx_err err = MCX_OK;

    switch (doc->kind) {
    case MCX_KMSDOC_BARE_CERT:
        err = doc->num_certs == 1 ? mcx_kmsdoc_cert_write(&wr, &doc->certs[0], true) : MCX_E_ARG;
        break;
    case MCX_KMSDOC_BARE_KEY_SET:
        err = doc->num_key_sets == 1 ? mcx_kmsdoc_key_set_write(&wr, &doc->key_sets[0], true) : MCX_E_ARG;
        break;
    default: err = response_write(&wr, doc); break;
    }
    if (err != MCX_OK) {
        mcx_xml_wr_clear(&wr);
        return err;
    }
    return mcx_xml_wr_done(xml, len, &wr);
}

void mcx_kmsdoc_text_free(char *xml, size_t len)
{
    mcx_xml_text_free(xml, len);
}
