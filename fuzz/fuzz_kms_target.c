/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets of the KMS: what is read is bounded, has the arguments of its operation, and is equal to itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mcx/text.h>

#include "kms/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mcx_kms_target t;
    struct mcx_refusal why = { 0 };

    if (mcx_kms_target_read(&t, mcx_bytes(data, size), &why) != MCX_OK) {
        return why.reason == NULL ? (abort(), 0) : 0;
    }
    if (memchr(t.uri, '\0', sizeof t.uri) == NULL || t.has_uri != (t.uri[0] != '\0') || (t.has_time && !t.has_uri) ||
        (t.has_uri && !mcx_utf8_ok(mcx_bytes_str(t.uri))) || !mcx_kms_target_equal(&t, &t) ||
        strcmp(mcx_kms_op_name(t.op), "unknown") == 0) {
        abort();
    }
    return 0;
}
