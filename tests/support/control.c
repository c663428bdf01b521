/* SPDX-License-Identifier: Apache-2.0 */
#include "support/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake.h"

static void need(mcx_err err, const char *what)
{
    if (err != MCX_OK) {
        fprintf(stderr, "control: %s: %s\n", what, mcx_err_name(err));
        abort();
    }
}

void channel_init(struct channel *channel, size_t max_ssrc)
{
    static const struct mcx_control_key key = {
        .type = MCX_KEY_CSK,
        .key = { { 1, 2, 3 } },
        .key_id = 0x2ddd5bf0,
        .rand = { 4, 5, 6 },
        .rand_len = 16,
    };
    struct fake_rng client = { .seed = 5 };
    struct fake_rng server = { .seed = 6 };
    struct mcx_rng rng = fake_rng(&client);

    *channel = (struct channel){ .key = key };
    need(mcx_control_new(&channel->client, &key, 1, &rng), "client");
    rng = fake_rng(&server);
    need(mcx_control_new(&channel->server, &key, max_ssrc, &rng), "server");
}

void channel_clear(struct channel *channel)
{
    mcx_control_free(channel->client);
    mcx_control_free(channel->server);
    mcx_control_key_clear(&channel->key);
}

struct datagram channel_message(const struct mcx_control *sender, size_t len)
{
    struct datagram d = { 0 };
    struct mcx_wr wr = mcx_wr(d.p, sizeof d.p);

    need(mcx_wr_u16(&wr, 0x80cc), "message");
    need(mcx_wr_u16(&wr, (uint16_t)(len / 4 - 1)), "message");
    need(mcx_wr_u32(&wr, mcx_control_ssrc(sender)), "message");
    need(mcx_wr_str(&wr, "MCPT"), "message");
    d.len = len;
    return d;
}

struct datagram channel_protect(struct mcx_control *sender, const struct datagram *plain)
{
    struct datagram d = { 0 };
    struct mcx_wr wr = mcx_wr(d.p, sizeof d.p);

    need(mcx_control_protect(sender, &wr, mcx_bytes(plain->p, plain->len)), "protect");
    d.len = wr.len;
    return d;
}

mcx_err channel_take(struct datagram *got, struct mcx_control *receiver, const struct datagram *in)
{
    struct datagram d = { 0 };
    struct mcx_wr wr = mcx_wr(d.p, sizeof d.p);
    struct mcx_rd rd = mcx_rd(mcx_bytes(in->p, in->len));
    mcx_err err = mcx_control_take(receiver, &wr, &rd, NULL);

    d.len = wr.len;
    if (got != NULL) {
        *got = d;
    }
    return err;
}
