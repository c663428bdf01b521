/* SPDX-License-Identifier: Apache-2.0 */
/* Which CSK protects and which ones open, while one replaces another (TS 33.180 5.4, 5.8). */
#include <mcx/channel.h>

#include <stdlib.h>

struct mcx_channel {
    struct mcx_control *now;
    bool used; /* by the peer */
    /* these open only, until the peer has used `now` */
    struct mcx_control *proven;    /* what he used last */
    struct mcx_control *before[2]; /* what he may have, the newer first */
    /* these open only, until they are accepted */
    struct mcx_control *next;
    struct mcx_control *unanswered; /* offered before `next`: the peer may have it */
};

mcx_err mcx_channel_new(struct mcx_channel **out)
{
    struct mcx_channel *channel = calloc(1, sizeof *channel);

    if (channel == NULL) {
        return MCX_E_NOMEM;
    }
    *out = channel;
    return MCX_OK;
}

void mcx_channel_free(struct mcx_channel *channel)
{
    if (channel != NULL) {
        mcx_control_free(channel->now);
        mcx_control_free(channel->proven);
        mcx_control_free(channel->before[0]);
        mcx_control_free(channel->before[1]);
        mcx_control_free(channel->next);
        mcx_control_free(channel->unanswered);
        free(channel);
    }
}

static void drop(struct mcx_control **at)
{
    mcx_control_free(*at);
    *at = NULL;
}

static struct mcx_control *find(const struct mcx_channel *channel, uint32_t key_id)
{
    struct mcx_control *const all[] = { channel->now,       channel->proven, channel->before[0],
                                        channel->before[1], channel->next,   channel->unanswered };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i] != NULL && mcx_control_key_id(all[i]) == key_id) {
            return all[i];
        }
    }
    return NULL;
}

bool mcx_channel_has(const struct mcx_channel *channel, uint32_t key_id)
{
    return find(channel, key_id) != NULL;
}

struct mcx_control *mcx_channel_sender(struct mcx_channel *channel)
{
    return channel->now;
}

/* A client and its server are one sender each way. */
static mcx_err make(struct mcx_control **out, const struct mcx_channel *channel, const struct mcx_control_key *key,
                    const struct mcx_rng *rng)
{
    if (mcx_channel_has(channel, key->key_id)) {
        return MCX_E_REPLAY; /* a second context of one key would use its nonces again */
    }
    return mcx_control_new(out, key, 1, rng);
}

/* Opens only from now on; takes it over. */
static void retire(struct mcx_channel *channel, struct mcx_control **at)
{
    if (*at != NULL) {
        drop(&channel->before[1]);
        channel->before[1] = channel->before[0];
        channel->before[0] = *at;
        *at = NULL;
    }
}

static void advance(struct mcx_channel *channel, struct mcx_control *to)
{
    if (channel->used) {
        drop(&channel->proven);
        channel->proven = channel->now;
        channel->now = NULL;
    }
    retire(channel, &channel->now);
    channel->now = to;
    channel->used = false;
}

mcx_err mcx_channel_set(struct mcx_channel *channel, const struct mcx_control_key *key, const struct mcx_rng *rng)
{
    struct mcx_control *control = NULL;

    MCX_TRY(make(&control, channel, key, rng));
    retire(channel, &channel->unanswered); /* what was offered before is overtaken, but the peer may have it */
    retire(channel, &channel->next);
    advance(channel, control);
    return MCX_OK;
}

mcx_err mcx_channel_offer(struct mcx_channel *channel, const struct mcx_control_key *key, const struct mcx_rng *rng)
{
    struct mcx_control *control = NULL;

    MCX_TRY(make(&control, channel, key, rng));
    if (channel->next != NULL) {
        drop(&channel->unanswered);
        channel->unanswered = channel->next;
    }
    channel->next = control;
    return MCX_OK;
}

static void accept_next(struct mcx_channel *channel)
{
    if (channel->next != NULL) {
        advance(channel, channel->next);
        channel->next = NULL;
        drop(&channel->unanswered);
    }
}

enum mcx_channel_answer mcx_channel_answered(struct mcx_channel *channel, unsigned code)
{
    if (code / 100 == 2) {
        accept_next(channel);
        return MCX_CHANNEL_TAKEN;
    }
    if ((code / 100 == 4 && code != 408) || code / 100 == 6) {
        drop(&channel->next);
        return MCX_CHANNEL_REFUSED;
    }
    return MCX_CHANNEL_UNANSWERED;
}

mcx_err mcx_channel_take(struct mcx_channel *channel, struct mcx_wr *out, struct mcx_rd *datagram,
                         struct mcx_refusal *why)
{
    struct mcx_control *control = NULL;
    struct mcx_bytes rest;
    uint32_t key_id = 0;
    mcx_err err = mcx_control_mki(&key_id, mcx_bytes(datagram->p, datagram->len));

    if (err == MCX_E_TRUNC) {
        return mcx_refuse(why, err, "the end of the protected message cannot be found", "TS 24.380 8.1.1");
    }
    control = err == MCX_OK ? find(channel, key_id) : NULL;
    if (control == NULL) {
        MCX_TRY(mcx_rd_take(datagram, datagram->len, &rest));
    }
    if (err != MCX_OK) {
        return mcx_refuse(why, err, "not an RTCP packet of version 2", "RFC 3550 6.4.1");
    }
    if (control == NULL) {
        return mcx_refuse(why, MCX_E_NOKEY, "no key of this channel has that identifier", "TS 33.180 9.4.6");
    }
    MCX_TRY(mcx_control_take(control, out, datagram, why));
    if (control == channel->next) {
        accept_next(channel);                    /* whoever uses it has it */
    } else if (control == channel->unanswered) { /* and the later offer is still on its way */
        channel->unanswered = NULL;
        advance(channel, control);
    }
    if (control == channel->now) {
        channel->used = true;
        drop(&channel->proven);
        drop(&channel->before[0]);
        drop(&channel->before[1]);
    }
    return MCX_OK;
}
