/* SPDX-License-Identifier: Apache-2.0 */
/* mcx mikey: make, open and explain I_MESSAGEs. */
#include "mcx/cmd_mikey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <mcx/kmsdoc.h>
#include <mcx/mikey.h>
#include <mcx/sdp.h>
#include <mcx/text.h>

#include "io/file.h"
#include "mcx/cmd.h"

bool mikey_add_file(const char **files, size_t *num, const char *path)
{
    if (*num == MIKEY_MAX_FILES) {
        fprintf(stderr, "mcx mikey: more than %d files of one kind\n", MIKEY_MAX_FILES);
        return false;
    }
    files[(*num)++] = path;
    return true;
}

static mcx_err read_doc(struct mcx_kmsdoc **doc, const char *path, struct mcx_refusal *why, int *code)
{
    struct mcx_file file = { 0 };
    mcx_err err = mcx_file_read(&file, path, MCX_KMSDOC_MAX, false);

    if (err != MCX_OK) {
        fprintf(stderr, "mcx mikey: cannot read %s: %s\n", path, err == MCX_E_IO ? strerror(errno) : mcx_err_name(err));
        *code = EXIT_ENVIRONMENT;
        return err;
    }
    err = mcx_kmsdoc_read(doc, mcx_bytes(file.p, file.len), NULL, why);
    if (err != MCX_OK) {
        fprintf(stderr, "mcx mikey: %s is not a usable KMS document: %s\n", path,
                why->reason != NULL ? why->reason : mcx_err_name(err));
        *code = err == MCX_E_NOMEM ? EXIT_ENVIRONMENT : EXIT_REFUSED;
    }
    mcx_file_clear(&file);
    return err;
}

static mcx_err add_file(struct mcx_keyring *ring, struct mikey_first *first, const char *path, struct mcx_refusal *why,
                        int *code)
{
    struct mcx_kmsdoc *doc = NULL;
    mcx_err err = read_doc(&doc, path, why, code);

    if (err != MCX_OK) {
        return err;
    }
    if (doc->num_certs == 0 && doc->num_key_sets == 0) {
        err = mcx_refuse(why, MCX_E_FORMAT, "a file holds neither certificate nor key set", "");
    } else {
        err = mcx_keyring_add_doc(ring, doc, why);
    }
    if (err != MCX_OK) {
        fprintf(stderr, "mcx mikey: %s: %s\n", path, why->reason != NULL ? why->reason : mcx_err_name(err));
        *code = err == MCX_E_NOMEM ? EXIT_ENVIRONMENT : EXIT_REFUSED;
    } else if (doc->num_key_sets > 0 && first->user[0] == '\0') {
        (void)snprintf(first->user, sizeof first->user, "%s", doc->key_sets[0].user_uri);
    }
    mcx_kmsdoc_free(doc);
    return err;
}

static void warn_if_readable(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        fprintf(stderr, "mcx mikey: warning: %s holds private keys and others have access to it; chmod 600\n", path);
    }
}

int mikey_ring(struct mcx_keyring **out, struct mikey_first *first, const struct mikey_files *files,
               struct mcx_refusal *why, mcx_err *err)
{
    struct mcx_keyring *ring = NULL;
    int code = EXIT_DONE;

    first->user[0] = '\0';
    if (!self_test_passes()) {
        *err = MCX_E_BUG;
        return EXIT_ENVIRONMENT;
    }
    *err = mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE); /* one operation: tables would not pay */
    if (*err != MCX_OK) {
        return EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < files->num_certs && *err == MCX_OK; i++) {
        *err = add_file(ring, first, files->certs[i], why, &code);
    }
    for (size_t i = 0; i < files->num_keys && *err == MCX_OK; i++) {
        warn_if_readable(files->keys[i]);
        *err = add_file(ring, first, files->keys[i], why, &code);
    }
    if (*err != MCX_OK) {
        mcx_keyring_free(ring);
        return code;
    }
    *out = ring;
    return EXIT_DONE;
}

static mcx_err from_sdp(uint8_t *out, size_t cap, size_t *out_len, struct mcx_bytes text, struct mcx_refusal *why)
{
    struct mcx_sdp sdp;
    size_t media = 0;

    MCX_TRY(mcx_sdp_read(&sdp, text, why));
    if (sdp.num_media == 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "the SDP has no media", "RFC 4566 5");
    }
    for (size_t i = sdp.num_media; i > 0; i--) { /* the first audio line, else the first line */
        media = mcx_bytes_is(sdp.media[i - 1].type, "audio") ? i - 1 : media;
    }
    return mcx_sdp_key_mgmt(out, cap, out_len, &sdp, media, why);
}

static bool skip_prefix(struct mcx_bytes *text, const char *prefix)
{
    size_t n = strlen(prefix);

    if (text->len < n || memcmp(text->p, prefix, n) != 0) {
        return false;
    }
    *text = mcx_bytes_trim(mcx_bytes(text->p + n, text->len - n));
    return true;
}

/* base64(1) and others write lines of 64 or 76; the input of a tool may look so, an SDP may not. */
static struct mcx_bytes without_line_ends(char *p, struct mcx_bytes text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != '\r' && text.p[i] != '\n') {
            p[len++] = (char)text.p[i];
        }
    }
    return mcx_bytes(p, len);
}

mcx_err mikey_input(uint8_t *out, size_t cap, size_t *out_len, struct mcx_refusal *why)
{
    static char buf[MIKEY_INPUT_MAX];
    size_t len = fread(buf, 1, sizeof buf, stdin);
    struct mcx_bytes text = mcx_bytes_trim(mcx_bytes(buf, len));
    mcx_err err;

    if (ferror(stdin) || len == sizeof buf) {
        return mcx_refuse(why, MCX_E_SPACE, "the input is too long or cannot be read", "");
    }
    if (text.len > 2 && memcmp(text.p, "v=", 2) == 0) {
        return from_sdp(out, cap, out_len, mcx_bytes(text.p, (size_t)(buf + len - (const char *)text.p)), why);
    }
    if (!skip_prefix(&text, "a=key-mgmt:")) {
        (void)skip_prefix(&text, "a=keymgmt:"); /* TS 24.379 4.7 */
    }
    (void)skip_prefix(&text, "mikey ");
    if (text.len == 0) {
        return mcx_refuse(why, MCX_E_FORMAT, "the input is empty", "");
    }
    err = mcx_base64_read(out, cap, out_len, without_line_ends(buf, text));
    return err == MCX_OK ? MCX_OK : mcx_refuse(why, err, "the input is not strict base64", "RFC 4648 4");
}

bool mikey_time(struct mcx_ntp *out, const char *hex)
{
    uint8_t octets[8] = { 0 };
    struct mcx_rd rd = mcx_rd(mcx_bytes(octets, sizeof octets));
    uint64_t wire = 0;

    if (mcx_hex_read_exact(octets, sizeof octets, mcx_bytes_str(hex)) != MCX_OK || mcx_rd_u64(&rd, &wire) != MCX_OK) {
        fputs("mcx mikey: --time takes 16 hex digits: NTP seconds and fraction, e.g. ed529d4000000000\n", stderr);
        return false;
    }
    *out = mcx_ntp_from_wire(wire);
    return true;
}

json_t *mikey_hex(const void *p, size_t len)
{
    char text[2 * MCX_IMESSAGE_MAX + 1];
    json_t *o = mcx_hex_write(text, sizeof text, mcx_bytes(p, len)) == MCX_OK ? json_string(text) : NULL;

    mcx_wipe(text, sizeof text);
    return o;
}

json_t *mikey_hex32(uint32_t v)
{
    char text[9];

    (void)snprintf(text, sizeof text, "%08x", v);
    return json_string(text);
}

int mikey_print(json_t *o, int exit_code)
{
    if (o == NULL || json_dumpf(o, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF || fflush(stdout) != 0) {
        fputs("mcx mikey: cannot write the result\n", stderr);
        exit_code = EXIT_ENVIRONMENT;
    }
    json_decref(o);
    return exit_code;
}

static void usage(FILE *f)
{
    fputs("usage: mcx mikey make|open|inspect [options]\n\n"
          "  make     build a signed I_MESSAGE that carries one key to one user\n"
          "  open     verify and open an I_MESSAGE with your own key set\n"
          "  inspect  explain an I_MESSAGE field by field; needs no keys, takes broken messages too\n\n"
          "'mcx mikey make --help' and so on explain the options.\n",
          f);
}

int cmd_mikey(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } subcommands[] = {
        { "make", cmd_mikey_make },
        { "open", cmd_mikey_open },
        { "inspect", cmd_mikey_inspect },
    };

    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; argc >= 2 && i < sizeof subcommands / sizeof subcommands[0]; i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    usage(stderr);
    return EXIT_USAGE;
}
