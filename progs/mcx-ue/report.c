/* SPDX-License-Identifier: Apache-2.0 */
/* What mcx-ue prints: events on standard output, complaints on standard error. Keys never get here. */
#include "ue.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include <mcx/text.h>

#define SENTENCE_MAX 2048

static void print_sentence(const char *sentence)
{
    char plain[SENTENCE_MAX]; /* names in it come from peers, the server among them */

    if (sentence != NULL) {
        mcx_text_plain(plain, sizeof plain, sentence);
        printf("%s.\n", plain);
        fflush(stdout);
    }
}

void ue_report(bool json, const char *event, const char *sentence, const char *fmt, ...)
{
    json_error_t error;
    json_t *object = NULL;
    va_list ap;

    va_start(ap, fmt);
    object = json_vpack_ex(&error, 0, fmt, ap); /* also where it is not printed: it takes over what "o" gives it */
    va_end(ap);
    if (!json) {
        json_decref(object);
        print_sentence(sentence);
        return;
    }
    if (object == NULL) { /* a text that is no UTF-8 */
        object = json_object();
    }
    (void)json_object_set_new(object, "event", json_string(event));
    if (sentence != NULL) {
        (void)json_object_set_new(object, "sentence", json_string(sentence));
    }
    (void)json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII); /* no C1 commands of peers on a terminal */
    putchar('\n');
    fflush(stdout);
    json_decref(object);
}

void ue_complain(const char *what, mcx_err err, const struct mcx_refusal *why)
{
    if (why != NULL && why->reason != NULL) {
        bool named = why->clause != NULL && why->clause[0] != '\0';

        fprintf(stderr, "mcx-ue: %s: %s (%s%s%s)\n", what, why->reason, mcx_err_name(err), named ? ", " : "",
                named ? why->clause : "");
    } else {
        fprintf(stderr, "mcx-ue: %s (%s)\n", what, mcx_err_name(err));
    }
}

bool ue_child_drain(const struct mcx_child *child, bool forward)
{
    uint8_t buf[4096];
    size_t len = 0;
    bool ended = mcx_child_read(child, buf, sizeof buf, &len);

    if (len > 0 && forward) {
        (void)!fwrite(buf, 1, len, stdout);
        fflush(stdout);
    }
    return ended;
}
