/* SPDX-License-Identifier: Apache-2.0 */
#include "support/vectors.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

#define LINE_MAX_OCTETS 32768

static _Noreturn void die(const char *what, const char *file, const char *name)
{
    fprintf(stderr, "vectors: %s: %s: %s\n", what, file, name);
    abort();
}

int vec_text(char *out, size_t cap, const char *file, const char *section, const char *name)
{
    static char line[LINE_MAX_OCTETS];
    char path[512];
    int in_section = section == NULL;
    int found = 0;
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/tests/vectors/%s", MCX_SOURCE_DIR, file);
    f = fopen(path, "r");
    if (f == NULL) {
        die("cannot open", path, name);
    }
    while (!found && fgets(line, sizeof line, f) != NULL) {
        char *eq = strstr(line, " =");
        struct mcx_bytes value;

        if (line[0] == '[') {
            size_t n = strcspn(line + 1, "]");

            in_section = section != NULL && strlen(section) == n && strncmp(line + 1, section, n) == 0;
            continue;
        }
        if (!in_section || line[0] == '#' || eq == NULL || (size_t)(eq - line) != strlen(name) ||
            strncmp(line, name, strlen(name)) != 0) {
            continue;
        }
        value = mcx_bytes_trim(mcx_bytes_str(eq + 2));
        if (value.len >= 5 && memcmp(value.p, "text:", 5) == 0) {
            value = mcx_bytes_trim(mcx_bytes(value.p + 5, value.len - 5));
        }
        if (mcx_bytes_cstr(out, cap, value) != MCX_OK) {
            die("value too long", path, name);
        }
        found = 1;
    }
    fclose(f);
    return found;
}

int vec_find(struct vec *out, const char *file, const char *section, const char *name)
{
    static char text[2 * VEC_MAX + 1];

    if (!vec_text(text, sizeof text, file, section, name)) {
        return 0;
    }
    if (mcx_hex_read(out->p, sizeof out->p, &out->len, mcx_bytes_str(text)) != MCX_OK) {
        die("not hex", file, name);
    }
    return 1;
}

struct vec vec_get(const char *file, const char *section, const char *name)
{
    struct vec v;

    if (!vec_find(&v, file, section, name)) {
        die("no such vector", file, name);
    }
    return v;
}

struct mcx_bytes vec_bytes(const struct vec *v)
{
    return mcx_bytes(v->p, v->len);
}

struct vec vec_hex(const char *hex)
{
    static char text[2 * VEC_MAX + 1];
    struct vec v;
    size_t n = 0;

    for (; *hex != '\0'; hex++) {
        if (strchr(" \t\r\n", *hex) == NULL && n + 1 < sizeof text) {
            text[n++] = *hex;
        }
    }
    if (mcx_hex_read(v.p, sizeof v.p, &v.len, mcx_bytes(text, n)) != MCX_OK) {
        die("not hex", "constant", hex);
    }
    return v;
}
