/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include <mcx/secret.h>

#define USER_AGENT "mcx"

void mcx_http_answer_clear(struct mcx_http_answer *answer)
{
    if (answer->body != NULL) {
        mcx_wipe(answer->body, answer->cap);
    }
    free(answer->body);
    *answer = (struct mcx_http_answer){ 0 };
}

struct sink {
    struct mcx_http_answer *answer;
    size_t max;
    mcx_err err;
};

static mcx_err grow(struct mcx_http_answer *a, size_t need, size_t max)
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

    if (n > sink->max - sink->answer->len) {
        sink->err = MCX_E_SPACE;
        return 0;
    }
    sink->err = grow(sink->answer, sink->answer->len + n, sink->max);
    if (sink->err != MCX_OK) {
        return 0;
    }
    if (n > 0) {
        memcpy(sink->answer->body + sink->answer->len, data, n);
        sink->answer->len += n;
    }
    return n;
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);

    if (longer == NULL) {
        curl_slist_free_all(list);
    }
    return longer;
}

static struct curl_slist *make_headers(const struct mcx_http_post *post)
{
    char line[128];
    struct curl_slist *list = NULL;

    (void)snprintf(line, sizeof line, "Content-Type: %s", post->content_type);
    list = append(NULL, line);
    list = list == NULL ? NULL : append(list, "Accept: application/xml");
    return list == NULL ? NULL : append(list, "Expect:"); /* no 100-continue for a kilobyte */
}

/* What never changes: TLS with verification, no redirect, no proxy, no other protocol. */
static CURLcode set_policy(CURL *curl, const struct mcx_http_post *post)
{
    CURLcode rc = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");

    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_CAINFO, post->ca_file);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_PROXY, "");
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
    return rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
}

static CURLcode set_request(CURL *curl, const struct mcx_http_post *post, struct curl_slist *headers, struct sink *sink)
{
    CURLcode rc = curl_easy_setopt(curl, CURLOPT_URL, post->url);

    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_POST, 1L);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)post->body.p);
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (post->bearer != NULL) {
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, post->bearer);
    }
    rc = rc != CURLE_OK ? rc : curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)post->max_answer);
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

mcx_err mcx_http_post(struct mcx_http_answer *out, const struct mcx_http_post *post)
{
    struct sink sink = { out, post->max_answer, MCX_OK };
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = make_headers(post);
    CURL *curl = curl_easy_init();
    long status = 0;
    CURLcode rc = CURLE_OUT_OF_MEMORY;
    mcx_err err = MCX_OK;

    if (curl != NULL && headers != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
        rc = set_policy(curl, post);
        rc = rc != CURLE_OK ? rc : set_request(curl, post, headers, &sink);
        rc = rc != CURLE_OK ? rc : curl_easy_perform(curl);
        rc = rc != CURLE_OK ? rc : curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    err = from_curl(rc, &sink);
    if (err != MCX_OK) {
        mcx_http_answer_clear(out);
        (void)snprintf(out->detail, sizeof out->detail, "%s", detail[0] != '\0' ? detail : curl_easy_strerror(rc));
    }
    out->status = (int)status;
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return err;
}
