/* SPDX-License-Identifier: Apache-2.0 */
/* The event log on standard output. Identifiers and numbers only, never octets of a message. */
#define _GNU_SOURCE
#include "mcx-mcpttd/mcpttd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *md_clean(const char *text)
{
    char *copy = strdup(text);
    json_t *value = NULL;

    if (copy == NULL) {
        return NULL;
    }
    for (char *p = copy; *p != '\0'; p++) {
        *p = *p >= 0x20 && *p < 0x7f ? *p : '?';
    }
    value = json_string(copy);
    free(copy);
    return value;
}

static void print_members(const json_t *members)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)members, key, value)
    {
        if (json_is_string(value)) {
            printf(" %s=%s", key, json_string_value(value));
        } else if (json_is_integer(value)) {
            printf(" %s=%lld", key, (long long)json_integer_value(value));
        } else {
            print_members(value);
        }
    }
}

static void print_words(const char *event, const json_t *members)
{
    printf("%s", event);
    print_members(members);
    puts("");
}

void md_journal(const struct md_settings *s, const char *event, json_t *members)
{
    json_t *object = members != NULL ? members : json_object();

    if (object == NULL) {
        return;
    }
    if (!s->json) {
        print_words(event, object);
    } else {
        (void)json_object_set_new(object, "event", json_string(event));
        (void)json_object_set_new(object, "time_ms", json_integer((json_int_t)mcx_clock_unix_ms()));
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        puts("");
    }
    (void)fflush(stdout);
    json_decref(object);
}
