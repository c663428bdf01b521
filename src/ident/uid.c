/* SPDX-License-Identifier: Apache-2.0 */
/* Key periods and the UID (TS 33.180 F.2.1). */
#include "ident/ident_internal.h"

#include "crypto/sym/sym.h"

static bool period_ok(const struct mcx_key_period *period)
{
    return period->length > 0 && period->offset < period->length;
}

mcx_err mcx_period_no(uint64_t *no, const struct mcx_key_period *period, uint64_t ntp_sec)
{
    if (!period_ok(period) || ntp_sec < period->offset) {
        return MCX_E_ARG;
    }
    *no = (ntp_sec - period->offset) / period->length;
    return MCX_OK;
}

mcx_err mcx_period_bounds(uint64_t *start, uint64_t *end, const struct mcx_key_period *period, uint64_t no)
{
    uint64_t room = UINT64_MAX;
    uint64_t first = 0;

    if (!period_ok(period)) {
        return MCX_E_ARG;
    }
    room = (UINT64_MAX - period->offset) / period->length; /* whole periods before the count overflows */
    if (no >= room) {
        return MCX_E_ARG;
    }
    first = period->offset + no * period->length;
    *start = first;
    *end = first + period->length;
    return MCX_OK;
}

/* One parameter Pn || Ln of S: the length follows its value (TS 33.220 B.2). */
struct param {
    uint8_t octets[8]; /* of an integer */
    uint8_t len[2];
};

static void put_param(struct mcx_bytes parts[2], struct param *store, struct mcx_bytes value)
{
    store->len[0] = (uint8_t)(value.len >> 8);
    store->len[1] = (uint8_t)value.len;
    parts[0] = value;
    parts[1] = mcx_bytes(store->len, sizeof store->len);
}

/* Big endian in the fewest octets; zero is one octet (TS 33.180 F.2.1.2). */
static void put_integer(struct mcx_bytes parts[2], struct param *store, uint64_t v)
{
    size_t at = sizeof store->octets;

    do {
        store->octets[--at] = (uint8_t)v;
        v >>= 8;
    } while (v != 0);
    put_param(parts, store, mcx_bytes(store->octets + at, sizeof store->octets - at));
}

mcx_err mcx_uid_hash(uint8_t uid[MCX_UID_LEN], struct mcx_bytes user_uri, struct mcx_bytes kms_uri,
                     const struct mcx_key_period *period, uint64_t period_no)
{
    static const uint8_t fc = 0x00; /* a placeholder of the layout; no key is involved */
    struct mcx_bytes parts[1 + 6 * 2] = { { &fc, 1 } };
    struct param store[6];

    if (user_uri.len == 0 || user_uri.len > UINT16_MAX || kms_uri.len == 0 || kms_uri.len > UINT16_MAX) {
        return MCX_E_ARG;
    }
    put_param(parts + 1, &store[0], mcx_bytes_str("MIKEY-SAKKE-UID"));
    put_param(parts + 3, &store[1], user_uri);
    put_param(parts + 5, &store[2], kms_uri);
    put_integer(parts + 7, &store[3], period->length);
    put_integer(parts + 9, &store[4], period->offset);
    put_integer(parts + 11, &store[5], period_no);
    return mcx_sha256(uid, parts, sizeof parts / sizeof parts[0]);
}

mcx_err mcx_uid(uint8_t uid[MCX_UID_LEN], struct mcx_bytes user_uri, struct mcx_bytes kms_uri,
                const struct mcx_key_period *period, uint64_t period_no)
{
    if (!period_ok(period)) {
        return MCX_E_ARG;
    }
    return mcx_uid_hash(uid, user_uri, kms_uri, period, period_no);
}
