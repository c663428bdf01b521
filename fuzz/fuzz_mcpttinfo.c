/* SPDX-License-Identifier: Apache-2.0 */
/* mcptt-info and resource-lists: whatever is read can be written, and reads back the same. */
#include <mcx/mcptt.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mcx_mcptt_info info, again;
    static uint8_t buf[65536];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);
    char uri[MCX_MCPTT_VALUE_MAX];
    size_t num = 0;
    struct mcx_refusal why;

    (void)mcx_resource_list_read(uri, &num, mcx_bytes(data, size), &why);
    if (mcx_mcptt_info_read(&info, mcx_bytes(data, size), &why) == MCX_OK &&
        mcx_mcptt_info_write(&wr, &info) == MCX_OK) {
        if (mcx_mcptt_info_read(&again, mcx_wr_done(&wr), &why) != MCX_OK || again.session != info.session ||
            strcmp(again.calling_user.text, info.calling_user.text) != 0) {
            abort();
        }
    }
    return 0;
}
