/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* explicit_bzero, madvise */
#include <mcx/secret.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void mcx_wipe(void *p, size_t len)
{
    if (len > 0) {
        explicit_bzero(p, len);
    }
}

void mcx_key_clear(struct mcx_key *key)
{
    mcx_wipe(key, sizeof *key);
}

bool mcx_ct_equal(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    uint64_t diff = 0;

    for (size_t i = 0; i < len; i++) {
        diff |= (uint64_t)(x[i] ^ y[i]);
    }
    diff = mcx_ct_barrier(diff);
    MCX_CT_PUBLIC(&diff, sizeof diff); /* the verdict of a comparison is what the caller acts on */
    return diff == 0;
}

uint64_t mcx_ct_is_zero_mask(uint64_t a)
{
    return mcx_ct_barrier(((a | (0 - a)) >> 63) - 1);
}

/*
 * One mapping: guard page | slack, header, data | guard page. The data ends at the upper guard, as far as
 * 16-octet alignment allows, so that a run past the end faults.
 */
struct secret_head {
    size_t map_len;
    size_t data_len;
};

#define SECRET_ALIGN 16
_Static_assert(sizeof(struct secret_head) <= SECRET_ALIGN, "the header fits before the data");

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

void *mcx_secret_alloc(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct secret_head head = { 0 };
    uint8_t *map = NULL;
    uint8_t *data = NULL;
    size_t body = 0;

    if (len == 0 || len > SIZE_MAX / 4) {
        return NULL;
    }
    head.data_len = round_up(len, SECRET_ALIGN);
    body = round_up(SECRET_ALIGN + head.data_len, page);
    head.map_len = body + 2 * page;
    map = mmap(NULL, head.map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        return NULL;
    }
    if (mprotect(map + page, body, PROT_READ | PROT_WRITE) != 0 || mlock(map + page, body) != 0 ||
        madvise(map + page, body, MADV_DONTDUMP) != 0) {
        (void)munmap(map, head.map_len);
        return NULL;
    }
    data = map + page + body - head.data_len;
    memcpy(data - SECRET_ALIGN, &head, sizeof head);
    return data;
}

void mcx_secret_free(void *p)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct secret_head head;
    uint8_t *data = p;

    if (p == NULL) {
        return;
    }
    memcpy(&head, data - SECRET_ALIGN, sizeof head);
    mcx_wipe(data, head.data_len);
    (void)munmap(data + head.data_len + page - head.map_len, head.map_len);
}
