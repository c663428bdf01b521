/* SPDX-License-Identifier: Apache-2.0 */
/* Floor control messages (MCPT) and pre-established session messages (MCPC), told apart by their name. What is read can
 * be written, and reads and writes as the same octets from then on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/floor_msg.h>

#define MAX (MCX_FLOOR_MSG_MAX + MCX_MCPC_IMESSAGE_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t first[MAX];
static uint8_t second[MAX];

/* Written messages may be too long when the one that was read had long fields; else they can always be written. */
static void need(int ok)
{
    if (!ok) {
        abort();
    }
}

static void floor_message(struct mcx_bytes in)
{
    struct mcx_floor_msg msg;
    struct mcx_wr a = mcx_wr(first, sizeof first);
    struct mcx_wr b = mcx_wr(second, sizeof second);

    if (mcx_floor_read(&msg, in, NULL) != MCX_OK || mcx_floor_write(&a, &msg) != MCX_OK) {
        return;
    }
    need(a.len <= in.len && a.len <= MCX_FLOOR_MSG_MAX);
    need(mcx_floor_read(&msg, mcx_wr_done(&a), NULL) == MCX_OK && mcx_floor_write(&b, &msg) == MCX_OK);
    need(a.len == b.len && memcmp(first, second, a.len) == 0);
}

static void session_message(struct mcx_bytes in)
{
    struct mcx_mcpc_msg msg;
    struct mcx_wr a = mcx_wr(first, sizeof first);
    struct mcx_wr b = mcx_wr(second, sizeof second);

    if (mcx_mcpc_read(&msg, in, NULL) != MCX_OK || mcx_mcpc_write(&a, &msg) != MCX_OK) {
        return;
    }
    need(a.len <= in.len);
    need(mcx_mcpc_read(&msg, mcx_wr_done(&a), NULL) == MCX_OK && mcx_mcpc_write(&b, &msg) == MCX_OK);
    need(a.len == b.len && memcmp(first, second, a.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcx_bytes in = mcx_bytes(data, size);
    struct mcx_bytes name;
    struct mcx_app_field f;

    for (struct mcx_rd rd = mcx_rd(in); mcx_app_field_next(&f, &rd) == MCX_OK;) {
        need(f.padding.len < 4);
    }
    if (mcx_app_name(&name, in) == MCX_OK) {
        floor_message(in);
        session_message(in);
    }
    return 0;
}
