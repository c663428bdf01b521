/* SPDX-License-Identifier: Apache-2.0 */
#include "io/doc_fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/fetch_int.h"
#include "io/http_client.h"

enum { TIMEOUT_MS = 20000, INPUT_MAX = MCX_GFOLLOW_GROUPS_MAX * MCX_DOC_REQUEST };

/* ---- between the processes ---- */

mcx_err mcx_doc_request_write(struct mcx_wr *out, const struct mcx_doc_request *request)
{
    MCX_TRY(mcx_wr_u16(out, request->index));
    MCX_TRY(mcx_wr_vec16(out, mcx_bytes_str(request->group)));
    return mcx_wr_vec8(out, mcx_bytes_str(request->etag));
}

static mcx_err read_request(struct mcx_rd *rd, uint16_t *index, char group[MCX_GROUP_URI_MAX],
                            char etag[MCX_GFOLLOW_ETAG_MAX])
{
    struct mcx_bytes text = { 0 };

    MCX_TRY(mcx_rd_u16(rd, index));
    MCX_TRY(mcx_rd_vec16(rd, &text));
    MCX_TRY(mcx_bytes_cstr(group, MCX_GROUP_URI_MAX, text));
    MCX_TRY(mcx_rd_vec8(rd, &text));
    return mcx_bytes_cstr(etag, MCX_GFOLLOW_ETAG_MAX, text);
}

mcx_err mcx_doc_answer_read(struct mcx_doc_answer *out, struct mcx_rd *rd)
{
    struct mcx_rd at = *rd;
    struct mcx_bytes etag = { 0 };
    uint32_t len = 0;

    MCX_TRY(mcx_rd_u16(&at, &out->index));
    MCX_TRY(mcx_rd_u16(&at, &out->status));
    MCX_TRY(mcx_rd_vec8(&at, &etag));
    MCX_TRY(mcx_rd_u32(&at, &len));
    MCX_TRY(mcx_bytes_cstr(out->etag, sizeof out->etag, etag));
    if (len > MCX_DOC_FETCH_MAX) {
        return MCX_E_FORMAT;
    }
    MCX_TRY(mcx_rd_take(&at, len, &out->body));
    *rd = at;
    return MCX_OK;
}

/* ---- the process ---- */

struct round {
    const struct mcx_doc_fetch *fetch;
    struct mcx_file token;
    int out;
    bool over;
};

static mcx_err write_all(int fd, struct mcx_bytes data)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.p, data.len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return MCX_E_IO;
        }
        data = mcx_bytes(data.p + n, data.len - (size_t)n);
    }
    return MCX_OK;
}

static mcx_err answer(struct round *r, uint16_t index, int status, const char *etag, struct mcx_bytes body)
{
    uint8_t head[MCX_DOC_HEAD_MAX];
    struct mcx_wr wr = mcx_wr(head, sizeof head);

    r->over = status != 200 && status != 304 && status != 403 && status != 404 && status != MCX_GFOLLOW_TOO_LONG;
    MCX_TRY(mcx_wr_u16(&wr, index));
    MCX_TRY(mcx_wr_u16(&wr, (uint16_t)status));
    MCX_TRY(mcx_wr_vec8(&wr, mcx_bytes_str(etag)));
    MCX_TRY(mcx_wr_u32(&wr, (uint32_t)body.len));
    MCX_TRY(write_all(r->out, mcx_wr_done(&wr)));
    return write_all(r->out, body);
}

static mcx_err get(struct round *r, uint16_t index, const char *group, const char *etag)
{
    char path[MCX_XCAP_PATH_MAX], url[2 * MCX_XCAP_PATH_MAX];
    struct mcx_http_reply reply = { 0 };
    struct mcx_http_call call = { .url = url,
                                  .ca_file = r->fetch->ca_file,
                                  .bearer = (const char *)r->token.p,
                                  .accept = MCX_TYPE_GROUP,
                                  .known_etag = etag,
                                  .timeout_ms = TIMEOUT_MS,
                                  .max_reply = MCX_DOC_FETCH_MAX };
    char detail[sizeof reply.detail];
    int n = 0;
    mcx_err err;

    MCX_TRY(mcx_xcap_path_write(path, sizeof path, MCX_AUID_GROUP, group));
    n = snprintf(url, sizeof url, "%s%s", r->fetch->url, path);
    if (n < 0 || (size_t)n >= sizeof url) {
        return MCX_E_ARG;
    }
    err = mcx_http_exchange(&reply, &call);
    if (err == MCX_OK) {
        err = answer(r, index, reply.status, reply.etag,
                     reply.status == 200 ? mcx_bytes(reply.body, reply.len) : mcx_bytes(NULL, 0));
    } else if (err == MCX_E_SPACE) {
        err = answer(r, index, MCX_GFOLLOW_TOO_LONG, "", mcx_bytes(NULL, 0));
    } else {
        fetch_detail(detail, sizeof detail, reply.detail);
        err = answer(r, index, 0, "", mcx_bytes_str(detail));
    }
    mcx_http_reply_clear(&reply);
    return err;
}

static mcx_err read_input(struct mcx_wr *input, int in)
{
    ssize_t n = 0;

    do {
        n = read(in, input->p + input->len, input->cap - input->len);
        input->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n < 0 ? MCX_E_IO : MCX_OK;
}

static mcx_err run(struct round *r, struct mcx_bytes requests)
{
    struct mcx_rd rd = mcx_rd(requests);

    while (!r->over && mcx_rd_end(&rd) != MCX_OK) {
        char group[MCX_GROUP_URI_MAX], etag[MCX_GFOLLOW_ETAG_MAX];
        uint16_t index = 0;

        MCX_TRY(read_request(&rd, &index, group, etag));
        MCX_TRY(get(r, index, group, etag));
    }
    return MCX_OK;
}

mcx_err mcx_doc_fetch_check(const struct mcx_doc_fetch *fetch, struct mcx_refusal *why)
{
    struct mcx_file token = { 0 };
    mcx_err err = fetch_token(&token, fetch->token_file, why);

    mcx_file_clear(&token);
    if (err == MCX_OK && access(fetch->ca_file, R_OK) != 0) {
        err = mcx_refuse(why, MCX_E_IO, "the file of the TLS authority cannot be read", "");
    }
    return err;
}

mcx_err mcx_doc_fetch_run(const struct mcx_doc_fetch *fetch, int in, int out, struct mcx_refusal *why)
{
    struct round r = { .fetch = fetch, .out = out };
    uint8_t *buf = malloc(INPUT_MAX);
    struct mcx_wr input = mcx_wr(buf, INPUT_MAX);
    mcx_err err = buf == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ? MCX_E_NOMEM : MCX_OK;

    *why = (struct mcx_refusal){ "the requests cannot be read, or the answers not be written", "" };
    if (err == MCX_OK) {
        MCX_GO(err, fetch_token(&r.token, fetch->token_file, why));
        MCX_GO(err, read_input(&input, in));
        err = run(&r, mcx_wr_done(&input));
    }
out:
    mcx_file_clear(&r.token);
    free(buf);
    curl_global_cleanup();
    return err;
}
