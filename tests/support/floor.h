/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_TESTS_FLOOR_H
#define MCX_TESTS_FLOOR_H

/*
 * A floor control server on a fake clock, driven by lines of text:
 *
 *   join N [i][q][r][p] [MAX]  i implicit request, q no queueing, r receive only, p privacy; MAX priority, 100 if none
 *   leave N   rel N   rel! N (acknowledge)   pos N   ack N   rtp N [SSRC]   ready   end
 *   req N [PRIORITY] [E|I]     E emergency, I imminent peril
 *   call N|I|E|B               call type: normal, imminent peril, emergency, broadcast
 *   talk N MS                  media twice a second, the clock goes on
 *   wait MS                    the clock goes on, with every TICK that comes due
 *
 * What the server does comes out as text: "fwd=1", "granted>1:30s", "taken*1" (to all but 1), "deny>2:1".
 */
#include <mcx/floor_server.h>

struct floor_bench {
    struct mcx_fsrv *srv;
    uint64_t now;
    mcx_err err;     /* of the last line */
    char said[2048]; /* by the last line */
    size_t row[64];  /* taken by the last line: mcx_fsrv_row() */
    size_t num_rows;
    char log[8192]; /* all that was said, a line for each step: milliseconds since the beginning, and what */
    size_t most_actions;
};

struct mcx_fsrv_config floor_config(void);
void floor_open(struct floor_bench *b, const struct mcx_fsrv_config *config);
void floor_close(struct floor_bench *b);
/** One line. */
void floor_say(struct floor_bench *b, const char *line);
/** Whether the last line took row `n`. */
bool floor_took(const struct floor_bench *b, size_t n);
/** Lines with ';' between them; the last one may be left out. */
void floor_script(struct floor_bench *b, const char *script, bool without_last);

#endif
