/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/sentence.h"

#include <string.h>

#include <mcx/bytes.h>

void proc_say(char *out, size_t cap, const char *text, const char *name)
{
    struct mcx_wr wr = mcx_wr((uint8_t *)out, cap - 1);
    const char *gap = strstr(text, "{}");

    if (gap == NULL) {
        (void)!mcx_wr_str(&wr, text);
    } else {
        (void)!mcx_wr_put(&wr, mcx_bytes(text, (size_t)(gap - text)));
        (void)!mcx_wr_str(&wr, name);
        (void)!mcx_wr_str(&wr, gap + 2);
    }
    out[wr.len] = '\0';
}
