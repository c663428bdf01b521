/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROGS_CMD_GROUP_H
#define MCX_PROGS_CMD_GROUP_H

/* Verbs of mcx group: argv[0] is the verb. Each has its help beside it. */
extern const char group_fetch_help[];
int group_fetch(int argc, char **argv);
extern const char group_admin_help[];
int group_admin(int argc, char **argv); /* every verb of docs/GMS-API.md */
extern const char group_keys_help[];
int group_keys(int argc, char **argv);

#endif
