/* SPDX-License-Identifier: Apache-2.0 */
#include "drops.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "ue.h"

#define SENTENCE_MAX 256

const struct mcx_refusal ue_drop_too_long = { "longer than any packet that is taken", "" };

struct ue_drops ue_drops(const char *line, bool json)
{
    return (struct ue_drops){ .line = line, .json = json };
}

static void report(const struct ue_drops *d, const char *event, const char *sentence, const struct ue_drop *kind)
{
    ue_report(d->json, event, sentence, "{s:s, s:s, s:s, s:I}", "line", d->line, "reason", kind->why.reason, "clause",
              kind->why.clause, "count", (json_int_t)kind->count);
}

static void tell_first(const struct ue_drops *d, const struct ue_drop *kind)
{
    char sentence[SENTENCE_MAX];

    (void)snprintf(sentence, sizeof sentence, "Dropped from the %s line: %s%s%s%s", d->line, kind->why.reason,
                   kind->why.clause[0] != '\0' ? " (" : "", kind->why.clause, kind->why.clause[0] != '\0' ? ")" : "");
    report(d, "drop", sentence, kind);
}

static bool same(const struct mcx_refusal *a, const struct mcx_refusal *b)
{
    return strcmp(a->reason, b->reason) == 0 && strcmp(a->clause, b->clause) == 0;
}

static struct ue_drop *kind_of(struct ue_drops *d, const struct mcx_refusal *why)
{
    size_t i = 0;

    while (i < d->num && !same(&d->kind[i].why, why)) {
        i++;
    }
    if (i < d->num || d->num > UE_DROPS_KINDS) {
        return &d->kind[i < UE_DROPS_KINDS ? i : UE_DROPS_KINDS];
    }
    d->kind[d->num++].why = i < UE_DROPS_KINDS ? *why : (struct mcx_refusal){ "other reasons", "" };
    return &d->kind[i];
}

void ue_drops_add(struct ue_drops *d, mcx_err err, const struct mcx_refusal *why)
{
    bool named = why->reason != NULL && why->reason[0] != '\0';
    const struct mcx_refusal whole = { .reason = named ? why->reason : mcx_err_name(err),
                                       .clause = why->clause != NULL ? why->clause : "" };
    struct ue_drop *kind = kind_of(d, &whole);

    if (kind->count++ == 0) {
        tell_first(d, kind);
    }
}

uint64_t ue_drops_total(const struct ue_drops *d)
{
    uint64_t total = 0;

    for (size_t i = 0; i < d->num; i++) {
        total += d->kind[i].count;
    }
    return total;
}

void ue_drops_tell(struct ue_drops *d)
{
    for (size_t i = 0; i < d->num; i++) {
        char sentence[SENTENCE_MAX];

        (void)snprintf(sentence, sizeof sentence, "Dropped from the %s line %llu times: %s", d->line,
                       (unsigned long long)d->kind[i].count, d->kind[i].why.reason);
        report(d, "drops", sentence, &d->kind[i]);
    }
    *d = ue_drops(d->line, d->json);
}
