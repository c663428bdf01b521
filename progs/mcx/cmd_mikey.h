/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_PROGS_CMD_MIKEY_H
#define MCX_PROGS_CMD_MIKEY_H

/* Shared by the three subcommands of `mcx mikey`. */
#include <jansson.h>

#include <mcx/imessage.h>

/* Ends with a NUL that is not counted. */
#define MIKEY_INPUT_MAX 65536
#define MIKEY_MAX_FILES 16

/** --cert and --keys. */
struct mikey_files {
    const char *certs[MIKEY_MAX_FILES];
    size_t num_certs;
    const char *keys[MIKEY_MAX_FILES];
    size_t num_keys;
};
/** Note one more file. @return false, with a message, when there are too many */
bool mikey_add_file(const char **files, size_t *num, const char *path);

/** First key set that the files hold, for the default of --from. */
struct mikey_first {
    char user[MCX_KMSDOC_URI_MAX];
};

/**
 * Keyring of all files, certificates first; says on standard error what is wrong. Release with mcx_keyring_free().
 *
 * @return an exit code
 */
int mikey_ring(struct mcx_keyring **out, struct mikey_first *first, const struct mikey_files *files,
               struct mcx_refusal *why, mcx_err *err);

/** Message from standard input: `mikey BASE64`, bare base64, a key-mgmt line or an SDP. */
mcx_err mikey_input(uint8_t *out, size_t cap, size_t *out_len, struct mcx_refusal *why);

/** 16 hex digits of an NTP time stamp. */
bool mikey_time(struct mcx_ntp *out, const char *hex);
/** Lower-case hex as a JSON string. */
json_t *mikey_hex(const void *p, size_t len);
json_t *mikey_hex32(uint32_t v);
/** Print and release; exit code for an error when `o` is NULL. */
int mikey_print(json_t *o, int exit_code);

int cmd_mikey_make(int argc, char **argv);
int cmd_mikey_open(int argc, char **argv);
int cmd_mikey_inspect(int argc, char **argv);

#endif
