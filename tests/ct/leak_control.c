/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaks on purpose: scripts/check-ct runs each case and fails when valgrind does NOT complain, so that the check
 * is known to see what it is for. "none" does the same work without a leak and must pass.
 */
#include <stdio.h>
#include <string.h>

#include <mcx/secret.h>

int main(int argc, char **argv)
{
    const char *which = argc == 2 ? argv[1] : "";
    volatile uint8_t table[256] = { 1, 2, 3 };
    struct mcx_key key = { { 5, 4, 3, 2, 1 } };
    uint8_t out = 0;

    MCX_CT_SECRET(&key, sizeof key);
    if (strcmp(which, "branch") == 0) {
        if ((key.octet[0] & 1) != 0) {
            out = table[7];
        }
    } else if (strcmp(which, "address") == 0) {
        out = table[key.octet[1]];
    } else if (strcmp(which, "none") == 0) {
        out = (uint8_t)(key.octet[0] ^ table[7]);
    } else {
        fprintf(stderr, "usage: leak_control branch|address|none\n");
        return 2;
    }
    MCX_CT_PUBLIC(&out, sizeof out); /* so that only the access itself can be reported */
    printf("%d\n", out);
    return 0;
}
