/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_CONTROL_H
#define MCX_TESTS_CONTROL_H

/* A client and a server with one CSK, and messages made for them. */
#include <mcx/control.h>

#define DATAGRAM_MAX 2048

struct channel {
    struct mcx_control_key key;
    struct mcx_control *client;
    struct mcx_control *server;
};
struct datagram {
    uint8_t p[DATAGRAM_MAX];
    size_t len;
};

/** Fixed key; the server takes `max_ssrc` senders. Aborts when a context cannot be made. */
void channel_init(struct channel *channel, size_t max_ssrc);
void channel_clear(struct channel *channel);
/** A plain RTCP APP message of `len` octets (12 or more, a multiple of 4) under the SSRC of `sender`. */
struct datagram channel_message(const struct mcx_control *sender, size_t len);
struct datagram channel_protect(struct mcx_control *sender, const struct datagram *plain);
/** The first message of a datagram; `got` may be NULL. */
mcx_err channel_take(struct datagram *got, struct mcx_control *receiver, const struct datagram *in);

#endif
