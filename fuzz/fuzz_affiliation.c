/* SPDX-License-Identifier: Apache-2.0 */
/* Affiliation documents: whatever is read can be written, and reads back the same. */
#include <mcx/mcptt.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mcx_affiliation in, out;
    static char uris[MCX_RESOURCE_MAX_ENTRIES][MCX_MCPTT_VALUE_MAX];
    static uint8_t buf[1 << 18]; /* escaping makes text up to six times as long */
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    struct mcx_refusal why;
    size_t num = 0;

    (void)mcx_resource_list_read_all(uris, &num, MCX_RESOURCE_MAX_ENTRIES, mcx_bytes(data, size), &why);
    if (mcx_affiliation_read(&in, mcx_bytes(data, size), &why) != MCX_OK) {
        return 0;
    }
    if (mcx_affiliation_write(&wr, &in) != MCX_OK || wr.len > MCX_MCPTT_INFO_MAX) {
        return 0; /* a year past 9999, or longer than what is read */
    }
    if (mcx_affiliation_read(&out, mcx_wr_done(&wr), &why) != MCX_OK || memcmp(&in, &out, sizeof in) != 0) {
        abort();
    }
    return 0;
}
