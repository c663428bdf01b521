/* SPDX-License-Identifier: Apache-2.0 */
/* KmsRequest (TS 33.180 D.2.2). */
#include "codec/kmsdoc/kmsdoc_int.h"

#include <stdlib.h>

#include <mcx/secret.h>

#define CLAUSE "TS 33.180 D.2.2"

void mcx_kms_request_free(struct mcx_kms_request *req)
{
    if (req == NULL) {
        return;
    }
    free(req->user_uri);
    free(req->kms_uri);
    free(req->client_id);
    free(req->device_id);
    free(req->client_req_url);
    free(req);
}

static mcx_err request_read(struct mcx_kms_request *req, const struct mcx_xml_node *root, struct mcx_refusal *why)
{
    const struct mcx_kmsdoc_elem e = { root, CLAUSE, why };

    if (mcx_xml_is(root, mcx_kmsdoc_ns, "SignedKmsRequest")) {
        return mcx_refuse(why, MCX_E_UNSUP, "signed requests are not supported", "TS 33.180 9.3.5");
    }
    if (!mcx_xml_is(root, mcx_kmsdoc_ns, "KmsRequest")) {
        return mcx_refuse(why, MCX_E_FORMAT, "the document is no KmsRequest", CLAUSE);
    }
    MCX_TRY(mcx_kmsdoc_str(&req->user_uri, &e, MCX_KMSDOC_FIELD("UserUri"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_str(&req->kms_uri, &e, MCX_KMSDOC_FIELD("KmsUri"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_time(&req->time, &e, MCX_KMSDOC_FIELD("Time"), MCX_KMSDOC_REQUIRED));
    MCX_TRY(mcx_kmsdoc_str(&req->client_id, &e, MCX_KMSDOC_FIELD("ClientId"), MCX_KMSDOC_OPTIONAL));
    MCX_TRY(mcx_kmsdoc_str(&req->device_id, &e, MCX_KMSDOC_FIELD("DeviceId"), MCX_KMSDOC_OPTIONAL));
    return mcx_kmsdoc_str(&req->client_req_url, &e, MCX_KMSDOC_FIELD("ClientReqUrl"), MCX_KMSDOC_REQUIRED);
}

mcx_err mcx_kms_request_read(struct mcx_kms_request **out, struct mcx_bytes xml, struct mcx_refusal *why)
{
    struct mcx_kms_request *req = NULL;
    struct mcx_xml *doc = NULL;
    mcx_err err = MCX_OK;

    MCX_TRY(mcx_xml_read(&doc, xml, why));
    req = calloc(1, sizeof *req);
    if (req == NULL) {
        err = MCX_E_NOMEM;
        goto out;
    }
    MCX_GO(err, request_read(req, mcx_xml_root(doc), why));
    *out = req;
    req = NULL;
out:
    mcx_kms_request_free(req);
    mcx_xml_free(doc);
    return err;
}

mcx_err mcx_kms_request_write(char **xml, size_t *len, const struct mcx_kms_request *req)
{
    struct mcx_xml_wr wr = { 0 };

    if (req->user_uri == NULL || req->kms_uri == NULL || req->client_req_url == NULL || req->time == 0) {
        return MCX_E_ARG;
    }
    mcx_xml_wr_open(&wr, "KmsRequest");
    mcx_xml_wr_attr(&wr, "xmlns", MCX_KMS_NS);
    mcx_xml_wr_attr(&wr, "Id", "xmldoc");
    mcx_xml_wr_attr(&wr, "Version", "1.1.0");
    mcx_xml_wr_elem(&wr, "UserUri", req->user_uri);
    mcx_xml_wr_elem(&wr, "KmsUri", req->kms_uri);
    mcx_kmsdoc_wr_time(&wr, "Time", req->time);
    mcx_xml_wr_elem(&wr, "ClientId", req->client_id);
    mcx_xml_wr_elem(&wr, "DeviceId", req->device_id);
    mcx_xml_wr_elem(&wr, "ClientReqUrl", req->client_req_url);
    mcx_xml_wr_close(&wr);
    return mcx_xml_wr_done(xml, len, &wr);
}
