/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KMS documents of any origin, with the transport key 00..1f at hand. What can be read and written must read again
 * and be written the same. The same octets are also taken as a request.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/kmsdoc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void document(struct mcx_bytes in, const uint8_t *trk)
{
    struct mcx_kmsdoc *doc = NULL;
    struct mcx_kmsdoc *again = NULL;
    struct mcx_refusal why = { 0 };
    char *one = NULL;
    char *two = NULL;
    size_t one_len = 0;
    size_t two_len = 0;

    if (mcx_kmsdoc_read(&doc, in, trk, &why) != MCX_OK) {
        return;
    }
    if (mcx_kmsdoc_write(&one, &one_len, doc) == MCX_OK) {
        if (mcx_kmsdoc_read(&again, mcx_bytes(one, one_len), NULL, &why) != MCX_OK ||
            mcx_kmsdoc_write(&two, &two_len, again) != MCX_OK || one_len != two_len || memcmp(one, two, one_len) != 0) {
            abort();
        }
        mcx_kmsdoc_free(again);
        mcx_kmsdoc_text_free(one, one_len);
        mcx_kmsdoc_text_free(two, two_len);
    }
    mcx_kmsdoc_free(doc);
}

static void request(struct mcx_bytes in)
{
    struct mcx_kms_request *req = NULL;
    struct mcx_kms_request *again = NULL;
    char *xml = NULL;
    size_t len = 0;

    if (mcx_kms_request_read(&req, in, NULL) != MCX_OK) {
        return;
    }
    if (mcx_kms_request_write(&xml, &len, req) == MCX_OK) {
        if (mcx_kms_request_read(&again, mcx_bytes(xml, len), NULL) != MCX_OK || again->time != req->time ||
            strcmp(again->user_uri, req->user_uri) != 0 || strcmp(again->client_req_url, req->client_req_url) != 0) {
            abort();
        }
        mcx_kms_request_free(again);
        mcx_kmsdoc_text_free(xml, len);
    }
    mcx_kms_request_free(req);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t trk[32];

    for (size_t i = 0; i < sizeof trk; i++) {
        trk[i] = (uint8_t)i;
    }
    document(mcx_bytes(data, size), trk);
    request(mcx_bytes(data, size));
    return 0;
}
