/* SPDX-License-Identifier: Apache-2.0 */
/* multipart: first line of the input is the Content-Type, the rest the body. Views stay inside the body. */
#include <mcx/mcptt.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct mcx_bytes view, struct mcx_bytes whole)
{
    if (view.len > 0 && (view.p < whole.p || view.p + view.len > whole.p + whole.len)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *eol = size > 0 ? memchr(data, '\n', size) : NULL;
    struct mcx_bytes type, body, text;
    struct mcx_mime mime;
    struct mcx_refusal why;
    enum mcx_answer_mode mode;
    unsigned code;

    if (eol == NULL) {
        return 0;
    }
    type = mcx_bytes(data, (size_t)(eol - data));
    body = mcx_bytes(eol + 1, size - type.len - 1);
    (void)mcx_warning_read(&code, &text, type);
    (void)mcx_answer_mode_read(&mode, type);
    if (mcx_mime_read(&mime, type, body, &why) != MCX_OK) {
        return 0;
    }
    for (size_t i = 0; i < mime.num; i++) {
        inside(mime.part[i].body, body);
        inside(mime.part[i].disposition, body);
        inside(mime.part[i].id, body);
    }
    return 0;
}
