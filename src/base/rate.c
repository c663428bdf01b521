/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rate.h"

#define WAYS      8
#define MILLI     1000
#define MINUTE_MS 60000

/* FNV-1a: spreads names over the table; no defence is built on it, a clash only shares a budget. */
static uint64_t tag_of(struct mcx_bytes name)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < name.len; i++) {
        h = (h ^ name.p[i]) * UINT64_C(1099511628211);
    }
    return h == 0 ? 1 : h;
}

static void refill(struct mcx_rate_bucket *b, uint32_t per_minute, uint64_t mono_ms)
{
    uint64_t cap = (uint64_t)per_minute * MILLI;
    uint64_t passed = mono_ms > b->last_ms ? mono_ms - b->last_ms : 0;

    passed = passed > MINUTE_MS ? MINUTE_MS : passed;
    b->milli += passed * per_minute * MILLI / MINUTE_MS;
    b->milli = b->milli > cap ? cap : b->milli;
    b->last_ms = mono_ms;
}

/* The name's bucket; else a free one; else the fullest of the set, whose owner loses least. */
static struct mcx_rate_bucket *find(struct mcx_rate *rate, uint64_t tag, uint64_t mono_ms)
{
    struct mcx_rate_bucket *set = &rate->bucket[tag % (MCX_RATE_SLOTS / WAYS) * WAYS];
    struct mcx_rate_bucket *best = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag == tag) {
            refill(&set[i], rate->per_minute, mono_ms);
            return &set[i];
        }
    }
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].tag != 0) {
            refill(&set[i], rate->per_minute, mono_ms);
        }
        if (best->tag != 0 && (set[i].tag == 0 || set[i].milli > best->milli)) {
            best = &set[i];
        }
    }
    if (best->tag == 0) {
        *best = (struct mcx_rate_bucket){ tag, mono_ms, (uint64_t)rate->per_minute * MILLI };
    }
    best->tag = tag; /* an evicted bucket keeps its level: eviction wins nobody anything */
    return best;
}

uint32_t mcx_rate_take(struct mcx_rate *rate, struct mcx_bytes name, size_t num, uint64_t mono_ms)
{
    struct mcx_rate_bucket *b = find(rate, tag_of(name), mono_ms);
    uint64_t want = (uint64_t)num * MILLI;
    uint64_t per_second = (uint64_t)rate->per_minute * MILLI / 60;

    if (b->milli >= want) {
        b->milli -= want;
        return 0;
    }
    return (uint32_t)((want - b->milli) / (per_second == 0 ? 1 : per_second) + 1);
}
