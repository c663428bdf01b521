/* SPDX-License-Identifier: Apache-2.0 */
/* mcx mikey open */
#include "mcx/cmd_mikey.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <mcx/mikey.h>

#include "mcx/cmd.h"

static void usage(FILE *f)
{
    fputs(
        "usage: mcx mikey open --cert CERT.xml [--cert ...] --keys KEYSET.xml [options] < MESSAGE\n\n"
        "Reads `mikey BASE64`, bare base64 or an SDP from standard input, verifies and opens the message, and prints\n"
        "one JSON object with the key: keep it to yourself. Refused: `status` is the error, `reason` says why.\n\n"
        "  --cert FILE        KmsResponse with KmsInit or KmsCertCache, or a KmsCertificate: both KMSs of the message\n"
        "  --keys FILE        KmsResponse with KmsKeyProv, or a KmsKeySet: your own\n"
        "  --initiator URI    the sender that the signalling names; must agree with the message\n"
        "  --time NTPHEX16    judge age and expiry as of this time: at most 300 s in the future and, for pck, csk\n"
        "                     and spk, 3600 s in the past. Without it: as of the message's own time stamp, so that\n"
        "                     captures open at any time\n"
        "  --strict-time      as --time, with the present time\n\n"
        "Widening what is accepted, each for a vendor that needs it (docs/DEVIATIONS.md):\n"
        "  --accept-short-sign        SIGN header left out of the signed octets\n"
        "  --accept-clear-key-params  key parameters in clear\n"
        "  --accept-role3-kms         KMS identities with role 3\n"
        "  --period-neighbours        key sets of other periods than that of the time stamp\n"
        "  --ignore-status            key status 0 does not mean revoked\n\n"
        "Exit codes: 0 opened, 1 refused, 2 usage, 3 environment.\n",
        f);
}

struct args {
    struct mikey_files files;
    struct mcx_imessage_policy policy;
    bool has_time;
    struct mcx_ntp now;
};

/* What a person does next about each family of refusals. */
static const char *next_step(mcx_err err)
{
    switch (err) {
    case MCX_E_NOKEY:
        return "compare the identities and the time that 'mcx mikey inspect' shows with UserUri, KmsUri and "
               "KeyPeriodNo "
               "in your files";
    case MCX_E_AUTH:
    case MCX_E_POINT:
        return "if the message arrived unchanged, --cert is not the certificate that its KMS has used, or --keys does "
               "not belong to it";
    case MCX_E_EXPIRED: return "--time says as of when it is judged";
    case MCX_E_POLICY: return "'mcx mikey open --help' lists what can be widened for a vendor that needs it";
    default: return "'mcx mikey inspect' shows what is there";
    }
}

static int refused(mcx_err err, const struct mcx_refusal *why)
{
    const char *reason = why->reason != NULL ? why->reason : mcx_err_name(err);
    json_t *o = json_pack("{s:s, s:s, s:s}", "status", mcx_err_name(err), "reason", reason, "clause",
                          why->clause != NULL ? why->clause : "");

    fprintf(stderr, "mcx mikey open: %s; %s\n", reason, next_step(err));
    return mikey_print(o, EXIT_REFUSED);
}

/* MKI: GMK-ID || own GUK-ID for a GMK, else the key identifier (TS 33.180 7.4.2). */
static json_t *mki_of(const struct mcx_imessage *msg)
{
    char text[17];

    if (msg->type != MCX_KEY_GMK) {
        return mikey_hex32(msg->key_id);
    }
    (void)snprintf(text, sizeof text, "%08x%08x", msg->key_id, msg->csb_id);
    return json_string(text);
}

static json_t *srtp_of(const struct mcx_imessage *msg)
{
    struct mcx_cs_ids ids = mcx_cs_ids(msg->type);
    json_t *list = json_array();

    for (size_t i = 0; i < ids.num && !msg->no_streams; i++) {
        struct mcx_srtp_master master;

        if (mcx_srtp_master_derive(&master, &msg->key, ids.id[i], msg->csb_id, mcx_bytes(msg->rand, msg->rand_len)) !=
            MCX_OK) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_pack("{s:i, s:o, s:o, s:o}", "cs_id", ids.id[i], "mki", mki_of(msg),
                                              "master_key", mikey_hex(master.key.octet, sizeof master.key.octet),
                                              "master_salt", mikey_hex(master.salt, sizeof master.salt)));
        mcx_srtp_master_clear(&master);
    }
    return list;
}

static json_t *key_params_of(const struct mcx_imessage *msg)
{
    json_t *groups;

    if (!msg->has_key_params) {
        return json_null();
    }
    groups = json_array();
    for (size_t i = 0; i < msg->num_groups; i++) {
        json_array_append_new(groups, json_string(msg->groups[i]));
    }
    return json_pack("{s:I, s:I, s:I, s:o}", "status", (json_int_t)msg->key_status, "activation",
                     (json_int_t)msg->activation, "expiry", (json_int_t)msg->expiry, "groups", groups);
}

static int opened(const struct mcx_imessage *msg)
{
    const char *type = msg->type == MCX_KEY_MSCCK ? "mscck" : mcx_key_type_name(msg->type);
    json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:b, s:i, s:o}", "status",
                          "ok", "type", type, "key", mikey_hex(msg->key.octet, sizeof msg->key.octet), "key_id",
                          mikey_hex32(msg->key_id), "rand", mikey_hex(msg->rand, msg->rand_len), "initiator",
                          msg->initiator, "responder", msg->responder, "kms_initiator", msg->kms_initiator,
                          "kms_responder", msg->kms_responder, "srtp", srtp_of(msg), "csb_id", mikey_hex32(msg->csb_id),
                          "initiator_uid", mikey_hex(msg->initiator_uid, sizeof msg->initiator_uid), "opened_by",
                          msg->own ? "initiator" : "responder", "rcc", msg->rcc, "roc_rate", msg->roc_rate,
                          "key_params", key_params_of(msg));

    return mikey_print(o, EXIT_DONE);
}

/* A group key may lie in a server for weeks; what arrives with a call may not (RFC 3830 5.4). */
static bool long_lived(uint32_t csb_id)
{
    enum mcx_key_type type;

    return mcx_key_id_type(&type, csb_id) == MCX_OK &&
           (type == MCX_KEY_GMK || type == MCX_KEY_MKFC || type == MCX_KEY_MSCCK || type == MCX_KEY_MUSIK);
}

static int open_message(struct args *a, const struct mcx_keyring *ring, struct mcx_bytes message)
{
    struct mcx_mikey_sakke_msg view;
    struct mcx_imessage msg;
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err = mcx_mikey_sakke_msg_read(&view, message, &why);
    int code;

    if (err != MCX_OK) {
        return refused(err, &why);
    }
    if (!a->has_time) {
        a->now = mcx_ntp_from_wire(view.t.value);
    }
    a->policy.past_skew_s = long_lived(view.hdr.csb_id) ? MCX_SKEW_ANY : 0;
    a->policy.accept_own = true; /* the other devices of the sender may look at it as well (TS 33.180 E.5) */
    err = mcx_imessage_open(&msg, message, ring, NULL, a->now, &a->policy, &why);
    code = err == MCX_OK ? opened(&msg) : refused(err, &why);
    mcx_imessage_clear(&msg);
    return code;
}

static int run(struct args *a)
{
    static uint8_t message[MIKEY_INPUT_MAX];
    struct mcx_keyring *ring = NULL;
    struct mikey_first first;
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err = MCX_OK;
    size_t len = 0;
    int code = mikey_ring(&ring, &first, &a->files, &why, &err);

    if (code == EXIT_REFUSED) {
        return refused(err, &why);
    }
    if (code != EXIT_DONE) {
        return code;
    }
    err = mikey_input(message, sizeof message, &len, &why);
    code = err == MCX_OK ? open_message(a, ring, mcx_bytes(message, len)) : refused(err, &why);
    mcx_keyring_free(ring);
    return code;
}

int cmd_mikey_open(int argc, char **argv)
{
    static const struct option options[] = {
        { "cert", required_argument, NULL, 'c' },
        { "keys", required_argument, NULL, 'k' },
        { "initiator", required_argument, NULL, 'i' },
        { "time", required_argument, NULL, 't' },
        { "strict-time", no_argument, NULL, 'T' },
        { "accept-short-sign", no_argument, NULL, 's' },
        { "accept-clear-key-params", no_argument, NULL, 'p' },
        { "accept-role3-kms", no_argument, NULL, '3' },
        { "period-neighbours", no_argument, NULL, 'n' },
        { "ignore-status", no_argument, NULL, 'S' },
        { "json", no_argument, NULL, 'j' }, /* it is JSON anyway */
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct args a = { 0 };
    bool ok = true;
    int c = 0;

    while (ok && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'c': ok = mikey_add_file(a.files.certs, &a.files.num_certs, optarg); break;
        case 'k': ok = mikey_add_file(a.files.keys, &a.files.num_keys, optarg); break;
        case 'i': a.policy.initiator = mcx_bytes_str(optarg); break;
        case 't': ok = a.has_time = mikey_time(&a.now, optarg); break;
        case 'T':
            a.has_time = true;
            a.now = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
            break;
        case 's': a.policy.accept_short_sign = true; break;
        case 'p': a.policy.accept_clear_key_params = true; break;
        case '3': a.policy.accept_role3_kms = true; break;
        case 'n': a.policy.period_neighbours = true; break;
        case 'S': a.policy.ignore_status = true; break;
        case 'j': break;
        case 'h': usage(stdout); return EXIT_DONE;
        default: ok = false; break;
        }
    }
    if (!ok || optind != argc || a.files.num_certs == 0 || a.files.num_keys == 0) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return run(&a);
}
