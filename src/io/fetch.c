/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* nanosleep */
#include "io/fetch_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mcx/text.h>

#define TOKEN_MAX 16384

void fetch_detail(char *out, size_t cap, const char *text)
{
    mcx_text_plain(out, cap, text);
}

void fetch_detail_file(char *out, size_t cap, mcx_err err, const char *path)
{
    const char *system = err == MCX_E_IO ? strerror(errno) : "";
    char text[512];

    (void)snprintf(text, sizeof text, "%s%s%s", path, system[0] == '\0' ? "" : ": ", system);
    fetch_detail(out, cap, text);
}

mcx_err fetch_token(struct mcx_file *token, const char *path, struct mcx_refusal *why)
{
    struct mcx_bytes text;
    mcx_err err = mcx_file_read(token, path, TOKEN_MAX, true);

    if (err != MCX_OK) {
        return mcx_refuse(why, err,
                          err == MCX_E_POLICY ? "the token file must belong to this user and have mode 0600"
                                              : "the token file cannot be read",
                          "");
    }
    text = mcx_bytes_trim(mcx_bytes(token->p, token->len));
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~') {
            text.len = 0;
        }
    }
    if (text.len == 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "the token file holds no access token on one line", "");
    }
    memmove(token->p, text.p, text.len);
    token->p[text.len] = '\0'; /* mcx_file_read() keeps an octet for it */
    return MCX_OK;
}

void fetch_wait(uint64_t ms)
{
    struct timespec ts = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };

    while (nanosleep(&ts, &ts) != 0 && errno == EINTR) {
    }
}
