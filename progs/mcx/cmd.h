/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROGS_CMD_H
#define MCX_PROGS_CMD_H

#include <stdbool.h>

/* Exit codes of every program of this project. */
enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

/** True when --help stands among the arguments: 'mcx kms --help' and 'mcx kms fetch --help' both explain. */
bool asks_help(int argc, char **argv);
/** Known answers of the cryptography; says on standard error what fails. */
bool self_test_passes(void);

int cmd_audio(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_floor(int argc, char **argv);
int cmd_group(int argc, char **argv);
int cmd_srtp(int argc, char **argv);
int cmd_kms(int argc, char **argv);
int cmd_store(int argc, char **argv);
int cmd_mikey(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_uid(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
