/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_VECTORS_H
#define MCX_TESTS_VECTORS_H

/* Reads the vector files under tests/vectors: "name = hex" lines, '#' comments, "[section]" lines. */
#include <mcx/bytes.h>

#define VEC_MAX 8192

struct vec {
    size_t len;
    uint8_t p[VEC_MAX];
};

/** Octets of `name` (within `section`, or NULL) in tests/vectors/`file`; fails the cmocka test when absent. */
struct vec vec_get(const char *file, const char *section, const char *name);
/** As vec_get, false when there is no such line. */
int vec_find(struct vec *out, const char *file, const char *section, const char *name);
/** The raw text right of '=' (trimmed; a "text:" prefix is taken off). */
int vec_text(char *out, size_t cap, const char *file, const char *section, const char *name);
/** View of a vector. */
struct mcx_bytes vec_bytes(const struct vec *v);
/** Octets of a hex string constant (white space ignored). */
struct vec vec_hex(const char *hex);

#endif
