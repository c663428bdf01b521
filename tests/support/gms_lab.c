/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1 /* mkdtemp */
#include "support/gms_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const uint8_t lab_seal_key[MCX_GMS_SEAL_KEY_LEN] = { 7 };

static void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

static const char *const *names;
static size_t name_at;

static bool next_name(void *arg, struct mcx_group_member *m)
{
    (void)arg;
    if (names[name_at] == NULL) {
        return false;
    }
    *m = (struct mcx_group_member){ .mcptt_id = names[name_at++], .display_name = "" };
    return true;
}

struct mcx_gmsdb_members lab_people(const char *const *list)
{
    names = list;
    name_at = 0;
    return (struct mcx_gmsdb_members){ next_name, NULL };
}
void lab_open(struct lab *l)
{
    need(mcx_gmsdb_open(&l->db, l->path, &l->policy) == MCX_OK);
}

void lab_begin(struct lab *l)
{
    const struct mcx_rng rng = mcx_rng_system();

    *l = (struct lab){ .now_ms = UINT64_C(1700000000000), .failure = MCX_E_NOKEY };
    strcpy(l->dir, "/tmp/gmsdb.XXXXXX");
    need(mkdtemp(l->dir) != NULL);
    (void)snprintf(l->path, sizeof l->path, "%s/gms.db", l->dir);
    l->policy = (struct mcx_gmsdb_policy){ .seal_key = lab_seal_key,
                                           .rng = rng,
                                           .timing = { .fetch_window_s = WINDOW, .urgent_window_s = URGENT },
                                           .mcptt_server = { LAB_SERVER },
                                           .num_mcptt_servers = 1 };
    need(mcx_gmsdb_create(l->path, GMS, lab_seal_key, &rng) == MCX_OK);
    lab_open(l);
}

void lab_end(struct lab *l)
{
    char path[80];
    static const char *const ends[] = { "", "-wal", "-shm" };

    mcx_gmsdb_close(l->db);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", l->path, ends[i]);
        (void)unlink(path);
    }
    (void)rmdir(l->dir);
}

struct mcx_gmsdb_event lab_hand(const struct lab *l)
{
    return (struct mcx_gmsdb_event){ "sip:admin@example.org", l->now_ms };
}

void lab_group(struct lab *l, const char *uri, struct mcx_gmsdb_members m, bool mkfc, const char *share)
{
    struct mcx_group_head head = { .protect_media = true, .protect_floor = true, .multicast_floor = mkfc };
    const struct mcx_gmsdb_event ev = lab_hand(l);

    strcpy(head.uri, uri);
    need(mcx_gmsdb_group_create(l->db, &ev, &head, &m, share, NULL) == MCX_OK);
}

mcx_err lab_stub(void *arg, const struct mcx_gms_job *job)
{
    struct lab_batch *b = arg;
    struct mcx_gms_result *r = &b->result[b->num];
    char *text = b->text[b->num++];
    int n = snprintf(text, sizeof b->text[0], "%08x|%02x%02x|%02x%02x|%u|%llu|%s|%s|%s", (unsigned)job->key.key_id,
                     job->key.key.octet[0], job->key.key.octet[15], job->key.rand[0], job->key.rand[15],
                     (unsigned)job->status, (unsigned long long)job->activation, job->member, job->group[0],
                     job->num_groups > 1 ? job->group[1] : "");

    *r = (struct mcx_gms_result){ .id = job->id, .t_ms = job->t_ms };
    b->lab->made++;
    if (b->lab->unreachable != NULL && strstr(job->member, b->lab->unreachable) != NULL) {
        r->err = b->lab->failure;
        strcpy(r->reason, "no certificate");
        return MCX_OK;
    }
    strcpy(r->kms, "kms.example.org");
    r->message = mcx_bytes(text, (size_t)n);
    return MCX_OK;
}

size_t lab_work(struct lab *l, size_t max)
{
    static struct lab_batch b;
    struct mcx_gmsdb_cursor from_start = { { 0 } };

    b.lab = l;
    b.num = 0;
    need(mcx_gmsdb_jobs(l->db, &from_start, max, l->now_ms, lab_stub, &b) == MCX_OK);
    need(mcx_gmsdb_results(l->db, b.result, b.num, l->now_ms) == MCX_OK);
    return b.num;
}

void lab_note(void *arg, const struct mcx_gmsdb_news *n)
{
    struct lab *l = arg;
    size_t len = strlen(l->events);

    (void)snprintf(l->events + len, sizeof l->events - len, "%s;", n->event);
}

void lab_tick(struct lab *l)
{
    l->events[0] = '\0';
    need(mcx_gmsdb_tick(l->db, l->now_ms, NULL, 0, lab_note, l) == MCX_OK);
}

void lab_settle(struct lab *l)
{
    do {
        while (lab_work(l, BATCH) > 0) {
        }
        lab_tick(l);
    } while (lab_work(l, BATCH) > 0);
    lab_tick(l);
}

static mcx_err take(void *arg, const struct mcx_gktp *g)
{
    struct lab_seen *s = arg;
    size_t len = strlen(s->text);

    s->num++;
    (void)snprintf(s->text + len, sizeof s->text - len, "%s%s%.*s\n", g->kind == MCX_GKTP_MKFC ? "mkfc " : "",
                   g->temporary, (int)g->message.len, (const char *)g->message.p);
    return MCX_OK;
}

struct lab_seen lab_look(struct lab *l, const char *group, const char *user)
{
    char etag[MCX_GMSDB_ETAG_MAX];
    struct lab_seen s = { .num = 0 };
    char *xml = NULL;
    size_t len = 0;

    need(mcx_gmsdb_document(l->db, &xml, &len, etag, MCX_GMSDB_GKTP, group, user, strcmp(user, LAB_SERVER) == 0,
                            l->now_ms) == MCX_OK);
    need(mcx_gktp_read(mcx_bytes(xml, len), take, &s, NULL) == MCX_OK);
    free(xml);
    return s;
}

void lab_key_part(char out[32], struct lab_seen s)
{
    need(s.num == 1);
    memcpy(out, s.text, 18);
    out[18] = '\0';
}

unsigned lab_status(struct lab_seen s)
{
    return (unsigned)(s.text[19] - '0');
}
