/* SPDX-License-Identifier: Apache-2.0 */
#include "support/mikey_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const mikey_files[] = {
    "mikey-imessages/own-1-pck-default-profile.txt",
    "mikey-imessages/own-2-pck-sakke-to-self.txt",
    "mikey-imessages/own-3-gmk.txt",
    "mikey-imessages/own-4-gmk-hidden-identities.txt",
    "mikey-imessages/own-5-csk.txt",
    "mikey-imessages/streamwide-v5-3-pck.txt",
    "mikey-imessages/streamwide-v5-4-gmk-legacy.txt",
    "mikey-imessages/streamwide-v4-1-gmk.txt",
    "mikey-imessages/streamwide-v4-2-csk.txt",
    "mikey-imessages/streamwide-v4-3-pck.txt",
    "mikey-imessages/streamwide-period-15-gmk.txt",
    "mikey-imessages/streamwide-period-1518-gmk.txt",
    "mikey-imessages/streamwide-period-1540-gmk.txt",
    "mikey-imessages/streamwide-period-1657-gmk.txt",
    "mikey-imessages/alea-v3-1-gmk.txt",
    "mikey-imessages/alea-v3-3-pck-structure-only.txt",
    "mikey-imessages/eazon-1-pck.txt",
    "mikey-imessages/eazon-2-gmk-nonconformant.txt",
    "mikey-imessages/eazon-3-pck-signature-only.txt",
    "mikey-imessages/eazon-4-pck-signature-only.txt",
    "mikey-imessages/eazon-5-pck-signature-only.txt",
    "mikey-imessages/softil-1-csk-structure-only.txt",
    NULL,
};

static void need(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "mikey_parts: %s\n", what);
        abort();
    }
}

void mikey_split(struct mikey_parts *out, struct mcx_bytes message)
{
    struct mcx_mikey_walk walk;

    memset(out, 0, sizeof *out);
    need(mcx_mikey_walk_begin(&walk, &out->hdr, message, NULL) == MCX_OK, "header");
    out->map.len = out->hdr.map.len;
    memcpy(out->map.p, out->hdr.map.p, out->map.len);
    out->hdr.map = vec_bytes(&out->map);
    while (walk.next != MCX_MIKEY_PL_LAST) {
        struct mcx_mikey_payload p;

        need(mcx_mikey_walk_next(&walk, &p, NULL) == MCX_OK, "payload");
        out->part[out->num].number = p.number;
        out->part[out->num].octets.len = p.octets.len;
        memcpy(out->part[out->num].octets.p, p.octets.p, p.octets.len);
        out->num++;
    }
    need(mcx_mikey_walk_end(&walk, NULL) == MCX_OK, "end");
}

size_t mikey_find(const struct mikey_parts *parts, uint8_t number, size_t n)
{
    for (size_t i = 0; i < parts->num; i++) {
        if (parts->part[i].number == number && n-- == 0) {
            return i;
        }
    }
    need(0, "no such payload");
    return 0;
}

void mikey_drop(struct mikey_parts *parts, size_t i)
{
    memmove(&parts->part[i], &parts->part[i + 1], (parts->num - i - 1) * sizeof parts->part[0]);
    parts->num--;
}

void mikey_copy(struct mikey_parts *parts, size_t from, size_t at)
{
    static struct vec octets;
    uint8_t number = parts->part[from].number;

    need(parts->num < sizeof parts->part / sizeof parts->part[0], "too many parts");
    octets = parts->part[from].octets;
    memmove(&parts->part[at + 1], &parts->part[at], (parts->num - at) * sizeof parts->part[0]);
    parts->part[at].number = number;
    parts->part[at].octets = octets;
    parts->num++;
}

void mikey_replace(struct mikey_parts *parts, size_t i, const char *hex)
{
    struct vec v = vec_hex(hex);
    size_t head = parts->part[i].number == MCX_MIKEY_PL_SIGN ? 0 : 1;

    memcpy(parts->part[i].octets.p + head, v.p, v.len);
    parts->part[i].octets.len = head + v.len;
}

struct vec mikey_join(const struct mikey_parts *parts)
{
    static struct vec out;
    struct mcx_wr wr = mcx_wr(out.p, sizeof out.p);
    struct mcx_mikey_hdr hdr = parts->hdr;

    hdr.v = false;
    need(mcx_mikey_hdr_write(&wr, &hdr, parts->num > 0 ? parts->part[0].number : 0) == MCX_OK, "write header");
    for (size_t i = 0; i < parts->num; i++) {
        size_t start = wr.len;

        need(mcx_wr_put(&wr, vec_bytes(&parts->part[i].octets)) == MCX_OK, "too long");
        if (parts->part[i].number != MCX_MIKEY_PL_SIGN) {
            out.p[start] = i + 1 < parts->num ? parts->part[i + 1].number : MCX_MIKEY_PL_LAST;
        }
    }
    out.len = wr.len;
    return out;
}
