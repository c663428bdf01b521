/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs during the build and prints the fixed-base tables of P and g (crypto/sakke/tables.h) as C. They are the
 * same for everybody, so they are constants of the library: no start-up time, no mutable state, pages shared by
 * all processes. tests/unit/test_sakke_ec.c checks every entry.
 */
#include <inttypes.h>
#include <stdio.h>

#include "crypto/ec/comb.h"

static struct mcx_ted_comb comb_p;
static struct mcx_pf_comb comb_g;

static void print_fp(const struct mcx_fp *a)
{
    printf("{ {");
    for (int i = 0; i < MCX_BN_LIMBS; i += 64 / MCX_LIMB_BITS) {
        uint64_t word = a->v[i];

#ifdef MCX_LIMB32
        word |= (uint64_t)a->v[i + 1] << 32;
#endif
        printf(" MCX_L64(0x%016" PRIx64 "),", word);
    }
    printf(" } },\n");
}

int main(void)
{
    struct mcx_ted p;

    mcx_ted_from_ec(&p, &mcx_ec_p);
    mcx_ted_comb_make(&comb_p, &p);
    mcx_pf_comb_make(&comb_g, &mcx_ec_g);

    printf("/* Written by cmake/gen_sakke_tables.c. */\n#include \"crypto/sakke/tables.h\"\n\n");
    printf("const struct mcx_ted_comb mcx_sakke_comb_p = { {\n");
    for (int block = 0; block < MCX_COMB_BLOCKS; block++) {
        printf("{\n");
        for (int i = 0; i < MCX_COMB_ENTRIES; i++) {
            printf("{\n");
            print_fp(&comb_p.entry[block][i].diff);
            print_fp(&comb_p.entry[block][i].sum);
            print_fp(&comb_p.entry[block][i].t2);
            printf("},\n");
        }
        printf("},\n");
    }
    printf("} };\n\nconst struct mcx_pf_comb mcx_sakke_comb_g = { {\n");
    for (int block = 0; block < MCX_COMB_BLOCKS; block++) {
        printf("{\n");
        for (int i = 0; i < MCX_COMB_ENTRIES; i++) {
            print_fp(&comb_g.entry[block][i]);
        }
        printf("},\n");
    }
    printf("} };\n");
    return fflush(stdout) == 0 ? 0 : 1;
}
