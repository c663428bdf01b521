/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_GMS_LAB_H
#define MCX_TESTS_GMS_LAB_H

/* The database of a group management server with a clock of its own, and a stub in the place of the workers. */
#include "io/gmsdb.h"

#define GMS        "sip:gms@example.org"
#define FIRE       "sip:fire@example.org"
#define POLICE     "sip:police@example.org"
#define BOTH       "sip:both@example.org"
#define ALICE      "sip:alice@example.org"
#define BOB        "sip:bob@example.org"
#define CAROL      "sip:carol@example.org"
#define DAVE       "sip:dave@example.org"
#define LAB_SERVER "sip:mcptt@example.org" /* of the MCPTT: gets MKFCs */
#define WINDOW     30
#define URGENT     5
#define BATCH      64

extern const uint8_t lab_seal_key[MCX_GMS_SEAL_KEY_LEN];

struct lab {
    char dir[32];
    char path[64];
    struct mcx_gmsdb_policy policy;
    struct mcx_gmsdb *db;
    uint64_t now_ms;
    const char *unreachable; /* part of the URI of members who get no payload */
    mcx_err failure;         /* theirs */
    char events[4096];       /* of the last tick */
    uint64_t made;
};
/** All of them abort when something is not as it should be. */
void lab_begin(struct lab *l);
void lab_open(struct lab *l);
void lab_end(struct lab *l);

struct mcx_gmsdb_members lab_people(const char *const *list);
#define PEOPLE(...) lab_people((const char *const[]){ __VA_ARGS__, NULL })
/** An administrator, now. */
struct mcx_gmsdb_event lab_hand(const struct lab *l);
void lab_group(struct lab *l, const char *uri, struct mcx_gmsdb_members m, bool mkfc, const char *share);

/** Payloads that tell what they were made of. */
struct lab_batch {
    struct lab *lab;
    struct mcx_gms_result result[BATCH];
    char text[BATCH][1200];
    size_t num;
};
mcx_err lab_stub(void *batch, const struct mcx_gms_job *job);
/** At most so many jobs, their results stored; returns how many. */
size_t lab_work(struct lab *l, size_t max);
/** Notes the event in `lab`. */
void lab_note(void *lab, const struct mcx_gmsdb_news *n);
void lab_tick(struct lab *l);
/** Work and ticks until nothing is left to do. */
void lab_settle(struct lab *l);

/** Payloads that a member sees, one a line as the stub wrote them. */
struct lab_seen {
    char text[4096];
    size_t num;
};
struct lab_seen lab_look(struct lab *l, const char *group, const char *user);
/** "0abcdef0|kk..|rr..|" of the one payload: identifier, key and RAND. */
void lab_key_part(char out[32], struct lab_seen s);
unsigned lab_status(struct lab_seen s);

#endif
