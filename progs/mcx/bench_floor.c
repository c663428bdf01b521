/* SPDX-License-Identifier: Apache-2.0 */
/* A Floor Request as it goes through client and server: written and protected, opened and read. */
#include "mcx/bench.h"

#include <stdlib.h>
#include <string.h>

#include <mcx/control.h>
#include <mcx/floor_msg.h>

#define DATAGRAM_MAX 64
#define NUM_MESSAGES 4096 /* opened one after the other; then a new channel takes them again */

struct floor_state {
    struct mcx_control *client;
    struct mcx_control *server;
    size_t next;
    size_t len;
    uint8_t work[DATAGRAM_MAX];
    uint8_t sealed[NUM_MESSAGES][DATAGRAM_MAX];
};

static mcx_err counting(void *ctx, uint8_t *out, size_t len)
{
    memset(out, *(const int *)ctx, len);
    return MCX_OK;
}

static mcx_err channel(struct mcx_control **out, int which)
{
    static const struct mcx_control_key key = { .type = MCX_KEY_CSK, .key_id = 0x2ddd5bf0, .rand_len = 16 };
    const struct mcx_rng rng = { counting, &which };

    return mcx_control_new(out, &key, 1, &rng);
}

static mcx_err protect_next(struct floor_state *s, uint8_t *datagram, size_t *len)
{
    const struct mcx_floor_msg msg = { .type = MCX_FLOOR_REQUEST,
                                       .ssrc = mcx_control_ssrc(s->client),
                                       .present = MCX_FF(MCX_FF_PRIORITY) | MCX_FF(MCX_FF_INDICATOR),
                                       .priority = 5,
                                       .indicator = MCX_FI_NORMAL };
    struct mcx_wr wr = mcx_wr(datagram, DATAGRAM_MAX);
    uint8_t plain[DATAGRAM_MAX];
    struct mcx_wr pw = mcx_wr(plain, sizeof plain);

    MCX_TRY(mcx_floor_write(&pw, &msg));
    MCX_TRY(mcx_control_protect(s->client, &wr, mcx_wr_done(&pw)));
    *len = wr.len;
    return MCX_OK;
}

static mcx_err setup(void **state)
{
    struct floor_state *s = calloc(1, sizeof *s);

    if (s == NULL) {
        return MCX_E_NOMEM;
    }
    *state = s;
    MCX_TRY(channel(&s->client, 1));
    MCX_TRY(channel(&s->server, 2));
    for (size_t i = 0; i < NUM_MESSAGES; i++) {
        MCX_TRY(protect_next(s, s->sealed[i], &s->len));
    }
    return MCX_OK;
}

static void teardown(void *state)
{
    struct floor_state *s = state;

    if (s != NULL) {
        mcx_control_free(s->client);
        mcx_control_free(s->server);
        free(s);
    }
}

static mcx_err run_protect(void *state)
{
    struct floor_state *s = state;
    size_t len = 0;

    return protect_next(s, s->work, &len);
}

static mcx_err run_unprotect(void *state)
{
    struct floor_state *s = state;
    struct mcx_wr wr = mcx_wr(s->work, sizeof s->work);
    struct mcx_floor_msg msg;
    struct mcx_rd rd;

    if (s->next == NUM_MESSAGES) {
        mcx_control_free(s->server);
        s->server = NULL;
        MCX_TRY(channel(&s->server, 2));
        s->next = 0;
    }
    rd = mcx_rd(mcx_bytes(s->sealed[s->next++], s->len));
    MCX_TRY(mcx_control_take(s->server, &wr, &rd, NULL));
    return mcx_floor_read(&msg, mcx_wr_done(&wr), NULL);
}

const struct bench_item bench_floor[] = {
    { "floor.protect", setup, run_protect, teardown },
    { "floor.unprotect", setup, run_unprotect, teardown },
    { NULL, NULL, NULL, NULL },
};
