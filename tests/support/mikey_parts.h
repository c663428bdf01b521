/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_MIKEY_PARTS_H
#define MCX_TESTS_MIKEY_PARTS_H

/* A MIKEY message taken apart and put together again, with next-payload octets that fit: for tests that double,
 * drop, move or replace payloads. */
#include <mcx/mikey.h>

#include "support/vectors.h"

struct mikey_parts {
    struct mcx_mikey_hdr hdr; /* `map` points to the next member */
    struct vec map;
    size_t num;
    struct {
        uint8_t number;
        struct vec octets;
    } part[MCX_MIKEY_MAX_PAYLOADS + 8];
};

/** Aborts when the message cannot be walked. */
void mikey_split(struct mikey_parts *out, struct mcx_bytes message);
/** Index of the n-th (from 0) payload with this number; aborts when there is none. */
size_t mikey_find(const struct mikey_parts *parts, uint8_t number, size_t n);
void mikey_drop(struct mikey_parts *parts, size_t i);
/** Put a copy of payload `from` before payload `at`. */
void mikey_copy(struct mikey_parts *parts, size_t from, size_t at);
/** Replace the octets of payload `i` after its next-payload octet (SIGN: all of it). */
void mikey_replace(struct mikey_parts *parts, size_t i, const char *hex);
struct vec mikey_join(const struct mikey_parts *parts);

/** Names of all message files under tests/vectors/mikey-imessages, NULL at the end. */
extern const char *const mikey_files[];

#endif
