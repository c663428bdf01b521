/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tally.h"

#include <string.h>

static void clean_name(char out[MCX_TALLY_NAME], const char *name)
{
    size_t n = 0;

    for (; n < MCX_TALLY_NAME - 1 && name[n] != '\0'; n++) {
        out[n] = name[n] >= 0x20 && name[n] < 0x7f ? name[n] : '?';
    }
    out[n] = '\0';
}

uint64_t mcx_tally_add(struct mcx_tally *tally, const char *name)
{
    char clean[MCX_TALLY_NAME];

    clean_name(clean, name);
    for (size_t i = 0; i < tally->num; i++) {
        if (strcmp(tally->row[i].name, clean) == 0) {
            return ++tally->row[i].count;
        }
    }
    if (tally->num == MCX_TALLY_ROWS) {
        return ++tally->row[MCX_TALLY_ROWS].count;
    }
    memcpy(tally->row[tally->num].name, clean, sizeof clean);
    return tally->row[tally->num++].count = 1;
}

void mcx_tally_each(const struct mcx_tally *tally, void (*each)(void *arg, const char *name, uint64_t count), void *arg)
{
    for (size_t i = 0; i < tally->num; i++) {
        each(arg, tally->row[i].name, tally->row[i].count);
    }
    if (tally->row[MCX_TALLY_ROWS].count > 0) {
        each(arg, "other", tally->row[MCX_TALLY_ROWS].count);
    }
}
