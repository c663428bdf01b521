/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include <mcx/secret.h>

#define USER_AGENT "mcx"

void mcx_http_reply_clear(struct mcx_http_reply *reply)
{
    if (reply->body != NULL) {
        mcx_wipe(reply->body, reply->cap);
    }
    free(reply->body);
    *reply = (struct mcx_http_reply){ 0 };
}

struct sink {
    struct mcx_http_reply *reply;
    size_t max;
    mcx_err err;
};

static mcx_err grow(struct mcx_http_reply *a, size_t need, size_t max)
{
    size_t cap = a->cap == 0 ? 8192 : a->cap;
    uint8_t *p = NULL;

    if (need <= a->cap) {
        return MCX_OK;
    }
    while (cap < need) {
        cap *= 2;
    }
    cap = cap > max ? max : cap;
    p = malloc(cap);
    if (p == NULL) {
        return MCX_E_NOMEM;
    }
    if (a->len > 0) {
        memcpy(p, a->body, a->len);
        mcx_wipe(a->body, a->cap);
    }
    free(a->body);
    a->body = p;
    a->cap = cap;
    return MCX_OK;
}

static size_t take_body(char *data, size_t size, size_t num, void *ctx)
{
    struct sink *sink = ctx;
    size_t n = size * num; /* libcurl: size is 1 */

    if (n > sink->max - sink->reply->len) {
        sink->err = MCX_E_SPACE;
        return 0;
    }
    sink->err = grow(sink->reply, sink->reply->len + n, sink->max);
    if (sink->err != MCX_OK) {
        return 0;
    }
    if (n > 0) {
        memcpy(sink->reply->body + sink->reply->len, data, n);
        sink->reply->len += n;
    }
    return n;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s:%s%s", name, value[0] == '\0' ? "" : " ", value);
    struct curl_slist *longer = NULL;

    if (n < 0 || (size_t)n >= sizeof line) {
        return false;
    }
    longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return false;
    }
    *list = longer;
    return true;
}

/* etagc of RFC 9110 8.8.3: no quotation mark, no white space, no control character. */
static bool is_etag(struct mcx_bytes tag)
{
    for (size_t i = 0; i < tag.len; i++) {
        if (tag.p[i] <= ' ' || tag.p[i] == '"' || tag.p[i] == 0x7f) {
            return false;
        }
    }
    return tag.len > 0 && tag.len < MCX_HTTP_ETAG_MAX;
}

static mcx_err make_headers(struct curl_slist **list, const struct mcx_http_call *call)
{
    char quoted[MCX_HTTP_ETAG_MAX + 2];
    bool ok = add_header(list, "Accept", call->accept) &&
              add_header(list, "Expect", "") && /* no 100-continue for a kilobyte */
              (call->content_type == NULL || add_header(list, "Content-Type", call->content_type));

    if (ok && call->known_etag != NULL && call->known_etag[0] != '\0') {
        if (!is_etag(mcx_bytes_str(call->known_etag))) {
            return MCX_E_ARG;
        }
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", call->known_etag);
        ok = add_header(list, "If-None-Match", quoted);
    }
    return ok ? MCX_OK : MCX_E_NOMEM;
}

/* The tag between the marks; an answer with several, or with one that is none, has none. */
static void take_etag(struct mcx_http_reply *reply, CURL *curl)
{
    struct curl_header *h = NULL;
    struct mcx_bytes tag;

    if (curl_easy_header(curl, "ETag", 0, CURLH_HEADER, -1, &h) != CURLHE_OK || h->amount != 1) {
        return;
    }
    tag = mcx_bytes_trim(mcx_bytes_str(h->value));
    if (tag.len > 2 && tag.p[0] == 'W' && tag.p[1] == '/') {
        tag = mcx_bytes(tag.p + 2, tag.len - 2);
    }
    if (tag.len < 2 || tag.p[0] != '"' || tag.p[tag.len - 1] != '"') {
        return;
    }
    tag = mcx_bytes(tag.p + 1, tag.len - 2);
    if (!is_etag(tag) || mcx_bytes_cstr(reply->etag, sizeof reply->etag, tag) != MCX_OK) {
        reply->etag[0] = '\0';
    }
}

/* What never changes: TLS with verification, no redirect, no proxy, no other protocol. */
static CURLcode set_policy(CURL *curl, const struct mcx_http_call *call)
{
    CURLcode rc = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");

    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_CAINFO, call->ca_file);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_PROXY, "");
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    return rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
}

static CURLcode set_request(CURL *curl, const struct mcx_http_call *call, struct curl_slist *headers, struct sink *sink)
{
    CURLcode rc = curl_easy_setopt(curl, CURLOPT_URL, call->url);

    if (call->content_type == NULL) {
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_POST, 1L);
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)call->body.p);
    }
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (call->bearer != NULL) {
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, call->bearer);
    }
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_reply);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    return rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
}

static mcx_err from_curl(CURLcode rc, const struct sink *sink)
{
    if (sink->err != MCX_OK) {
        return sink->err;
    }
    switch (rc) {
    case CURLE_OK: return MCX_OK;
    case CURLE_OUT_OF_MEMORY: return MCX_E_NOMEM;
    case CURLE_FILESIZE_EXCEEDED: /* it says so itself, before the first octet */ return MCX_E_SPACE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR: return MCX_E_AUTH;
    default: return MCX_E_IO;
    }
}

mcx_err mcx_http_exchange(struct mcx_http_reply *out, const struct mcx_http_call *call)
{
    struct sink sink = { out, call->max_reply, MCX_OK };
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    long status = 0;
    CURLcode rc = CURLE_OUT_OF_MEMORY;
    mcx_err err = curl == NULL ? MCX_E_NOMEM : make_headers(&headers, call);

    if (err == MCX_OK) {
        (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
        rc = set_policy(curl, call);
        rc = rc != CURLE_OK ? rc : set_request(curl, call, headers, &sink);
        rc = rc != CURLE_OK ? rc : curl_easy_perform(curl);
        rc = rc != CURLE_OK ? rc : curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        err = from_curl(rc, &sink);
    }
    if (err != MCX_OK) {
        mcx_http_reply_clear(out);
        (void)snprintf(out->detail, sizeof out->detail, "%s", detail[0] != '\0' ? detail : curl_easy_strerror(rc));
    } else {
        take_etag(out, curl);
    }
    out->status = (int)status;
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return err;
}
