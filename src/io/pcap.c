/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/pcap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mcx/seam.h>

#define MAGIC        0xa1b2c3d4u /* octets in the order of the writer, microseconds */
#define LINKTYPE_RAW 101u        /* packets begin with the IP header */
#define SNAPLEN      65535u

struct mcx_pcap {
    FILE *f;
};

static void put_u32(uint8_t *at, uint32_t v)
{
    memcpy(at, &v, sizeof v); /* PORTABILITY: the magic number tells readers the order */
}

mcx_err mcx_pcap_open(struct mcx_pcap **out, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    struct mcx_pcap *pcap;
    uint8_t head[24] = { 0 };

    if (f == NULL) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return MCX_E_IO;
    }
    pcap = malloc(sizeof *pcap);
    if (pcap == NULL) {
        (void)fclose(f);
        return MCX_E_NOMEM;
    }
    pcap->f = f;
    memcpy(head + 4, (const uint16_t[]){ 2, 4 }, 4); /* version */
    put_u32(head, MAGIC);
    put_u32(head + 16, SNAPLEN);
    put_u32(head + 20, LINKTYPE_RAW);
    if (fwrite(head, 1, sizeof head, f) != sizeof head || fflush(f) != 0) {
        mcx_pcap_close(pcap);
        return MCX_E_IO;
    }
    *out = pcap;
    return MCX_OK;
}

void mcx_pcap_close(struct mcx_pcap *pcap)
{
    if (pcap != NULL) {
        (void)fclose(pcap->f);
        free(pcap);
    }
}

/* One's complement sum of 16-bit words (RFC 1071). */
static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    }
    if (len % 2 != 0) {
        sum += (uint32_t)p[len - 1] << 8;
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static mcx_err write_ip4(struct mcx_wr *wr, const struct sockaddr_in *from, const struct sockaddr_in *to,
                         size_t udp_len)
{
    uint8_t *start = wr->p + wr->len;
    uint32_t sum;

    MCX_TRY(mcx_wr_u16(wr, 0x4500)); /* RFC 791 3.1 */
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)(20 + udp_len)));
    MCX_TRY(mcx_wr_u32(wr, 0));
    MCX_TRY(mcx_wr_u16(wr, 0x4011)); /* TTL 64, UDP */
    MCX_TRY(mcx_wr_u16(wr, 0));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(&from->sin_addr, 4)));
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(&to->sin_addr, 4)));
    sum = ~sum16(0, start, 20) & 0xffff;
    start[10] = (uint8_t)(sum >> 8);
    start[11] = (uint8_t)sum;
    return MCX_OK;
}

static mcx_err write_ip6(struct mcx_wr *wr, const struct sockaddr_in6 *from, const struct sockaddr_in6 *to,
                         size_t udp_len)
{
    MCX_TRY(mcx_wr_u32(wr, 0x60000000)); /* RFC 8200 3 */
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)udp_len));
    MCX_TRY(mcx_wr_u16(wr, 0x1140)); /* UDP, hop limit 64 */
    MCX_TRY(mcx_wr_put(wr, mcx_bytes(&from->sin6_addr, 16)));
    return mcx_wr_put(wr, mcx_bytes(&to->sin6_addr, 16));
}

static mcx_err write_packet(struct mcx_wr *wr, const struct sockaddr *from, const struct sockaddr *to,
                            struct mcx_bytes datagram)
{
    size_t udp_len = 8 + datagram.len;
    struct sockaddr_in f4, t4;
    struct sockaddr_in6 f6, t6;

    if (from->sa_family != to->sa_family) {
        return MCX_E_ARG;
    }
    if (from->sa_family == AF_INET) {
        memcpy(&f4, from, sizeof f4);
        memcpy(&t4, to, sizeof t4);
        MCX_TRY(write_ip4(wr, &f4, &t4, udp_len));
        MCX_TRY(mcx_wr_u16(wr, ntohs(f4.sin_port)));
        MCX_TRY(mcx_wr_u16(wr, ntohs(t4.sin_port)));
    } else {
        memcpy(&f6, from, sizeof f6);
        memcpy(&t6, to, sizeof t6);
        MCX_TRY(write_ip6(wr, &f6, &t6, udp_len));
        MCX_TRY(mcx_wr_u16(wr, ntohs(f6.sin6_port)));
        MCX_TRY(mcx_wr_u16(wr, ntohs(t6.sin6_port)));
    }
    MCX_TRY(mcx_wr_u16(wr, (uint16_t)udp_len));
    MCX_TRY(mcx_wr_u16(wr, 0)); /* no checksum (RFC 768) */
    return mcx_wr_put(wr, datagram);
}

mcx_err mcx_pcap_udp(struct mcx_pcap *pcap, const struct sockaddr *from, const struct sockaddr *to,
                     struct mcx_bytes datagram)
{
    uint64_t now = mcx_clock_unix_ms();
    uint8_t buf[4096];
    uint8_t head[16];
    struct mcx_wr wr = mcx_wr(buf, sizeof buf);

    MCX_TRY(write_packet(&wr, from, to, datagram));
    put_u32(head, (uint32_t)(now / 1000));
    put_u32(head + 4, (uint32_t)(now % 1000 * 1000));
    put_u32(head + 8, (uint32_t)wr.len);
    put_u32(head + 12, (uint32_t)wr.len);
    if (fwrite(head, 1, sizeof head, pcap->f) != sizeof head || fwrite(buf, 1, wr.len, pcap->f) != wr.len ||
        fflush(pcap->f) != 0) {
        return MCX_E_IO;
    }
    return MCX_OK;
}
