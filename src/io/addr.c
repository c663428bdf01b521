/* SPDX-License-Identifier: Apache-2.0 */
#include "io/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

socklen_t mcx_addr_len(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

mcx_err mcx_addr_make(struct sockaddr_storage *out, const char *host, uint16_t port)
{
    struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, host, &a4.sin_addr) == 1) {
        memcpy(out, &a4, sizeof a4);
        return MCX_OK;
    }
    if (inet_pton(AF_INET6, host, &a6.sin6_addr) == 1) {
        memcpy(out, &a6, sizeof a6);
        return MCX_OK;
    }
    return MCX_E_ARG;
}

bool mcx_addr_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    struct sockaddr_in a4, b4;
    struct sockaddr_in6 a6, b6;

    if (a->ss_family != b->ss_family) {
        return false;
    }
    if (a->ss_family == AF_INET) {
        memcpy(&a4, a, sizeof a4);
        memcpy(&b4, b, sizeof b4);
        return a4.sin_port == b4.sin_port && a4.sin_addr.s_addr == b4.sin_addr.s_addr;
    }
    memcpy(&a6, a, sizeof a6);
    memcpy(&b6, b, sizeof b6);
    return a6.sin6_port == b6.sin6_port && memcmp(&a6.sin6_addr, &b6.sin6_addr, sizeof a6.sin6_addr) == 0;
}

/* FNV-1a over address and port. Whoever fills a chain on purpose must be a participant: others are not in the table. */
uint32_t mcx_addr_hash(const struct sockaddr_storage *a)
{
    uint8_t octets[18] = { 0 };
    uint32_t h = UINT32_C(2166136261);
    struct sockaddr_in a4;
    struct sockaddr_in6 a6;

    if (a->ss_family == AF_INET) {
        memcpy(&a4, a, sizeof a4);
        memcpy(octets, &a4.sin_addr, 4);
        memcpy(octets + 16, &a4.sin_port, 2);
    } else {
        memcpy(&a6, a, sizeof a6);
        memcpy(octets, &a6.sin6_addr, 16);
        memcpy(octets + 16, &a6.sin6_port, 2);
    }
    for (size_t i = 0; i < sizeof octets; i++) {
        h = (h ^ octets[i]) * UINT32_C(16777619);
    }
    return h;
}
