/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROC_SENTENCE_H
#define MCX_PROC_SENTENCE_H

#include <stddef.h>

/** `text` with "{}" replaced by `name`; what does not fit is left out. */
void proc_say(char *out, size_t cap, const char *text, const char *name);

#endif
