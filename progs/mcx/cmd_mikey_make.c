/* SPDX-License-Identifier: Apache-2.0 */
/* mcx mikey make */
#include "mcx/cmd_mikey.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <mcx/text.h>

#include "mcx/cmd.h"

static void usage(FILE *f)
{
    fputs(
        "usage: mcx mikey make --type TYPE --cert CERT.xml [--cert ...] --keys KEYSET.xml --to URI [options]\n\n"
        "Prints `mikey BASE64`: a signed I_MESSAGE with one key for one user, as it stands in a=key-mgmt of an SDP.\n\n"
        "  --type TYPE        pck, gmk, csk, spk, mkfc, msck (or mscck), musik\n"
        "  --cert FILE        KmsResponse with KmsInit or KmsCertCache, or a KmsCertificate; the sender's KMS and\n"
        "                     that of the receiver\n"
        "  --keys FILE        KmsResponse with KmsKeyProv, or a KmsKeySet, of the sender\n"
        "  --to URI           the receiver, exactly as his KMS writes it in UserUri\n"
        "  --to-kms URI       his KMS; else the certificate whose domain list fits, else the home KMS\n"
        "  --from URI         the sender; else the first key set of --keys\n"
        "  --hide-identities  roles 8 and 9: UIDs instead of URIs (TS 33.180 E.7)\n"
        "  --sakke-to-self    the key also for other devices of the sender (TS 33.180 E.5)\n"
        "  --explicit-policy  crypto sessions and policy written out, also where a default profile would do\n"
        "  --group URI        MC group of a gmk, mkfc or musik, in the key parameters; up to 16 times\n"
        "  --expiry SECONDS   end of the key, Unix seconds, in the key parameters\n"
        "  --revoked          status 0 in the key parameters: the key may be used no longer\n\n"
        "For laboratories only: a secret on a command line is seen by everybody on the machine.\n"
        "  --key HEX          the key, 32 digits; else a random one\n"
        "  --key-id HEX       its identifier, 8 digits, the first names the type; of a gmk the GMK-ID; else random\n"
        "  --rand HEX         RAND, 32 digits; else random\n"
        "  --time NTPHEX16    time stamp, 16 digits; else now. It decides the key periods of both sides\n\n"
        "Exit codes: 0 done, 1 refused (no key set or certificate for it), 2 usage, 3 environment.\n",
        f);
}

struct args {
    struct mikey_files files;
    const char *type, *to, *to_kms, *from, *expiry, *key_id, *rand, *time;
    struct mcx_bytes groups[MCX_IMESSAGE_GROUPS_MAX];
    size_t num_groups;
    char *key; /* wiped when it has been read, so that it leaves the list of processes */
    bool hide, self, explicit_policy, revoked;
};

/* Values that the views of the parameters point to. */
struct values {
    struct mcx_key key;
    uint8_t rand[MCX_RAND_LEN];
    struct mcx_key_params kp;
    struct mikey_first first;
};

static bool bad(const char *what)
{
    fprintf(stderr, "mcx mikey make: %s; 'mcx mikey make --help' explains\n", what);
    return false;
}

static bool add_group(struct args *a, const char *uri)
{
    if (a->num_groups == MCX_IMESSAGE_GROUPS_MAX) {
        return bad("--group stands more than 16 times");
    }
    a->groups[a->num_groups++] = mcx_bytes_str(uri);
    return true;
}

static bool key_values(struct mcx_imessage_params *p, struct values *v, const struct args *a, const struct mcx_rng *rng)
{
    uint8_t id[4];
    enum mcx_key_type tag;

    if (mcx_key_generate(&v->key, &p->key_id, p->type, rng) != MCX_OK ||
        mcx_rng_fill(rng, v->rand, sizeof v->rand) != MCX_OK) {
        return bad("no random octets");
    }
    if (a->key != NULL) {
        mcx_err err = mcx_hex_read_exact(v->key.octet, sizeof v->key.octet, mcx_bytes_str(a->key));

        mcx_wipe(a->key, strlen(a->key));
        if (err != MCX_OK) {
            return bad("--key takes 32 hex digits");
        }
    }
    if (a->rand != NULL && mcx_hex_read_exact(v->rand, sizeof v->rand, mcx_bytes_str(a->rand)) != MCX_OK) {
        return bad("--rand takes 32 hex digits");
    }
    if (a->key_id != NULL) {
        if (mcx_hex_read_exact(id, sizeof id, mcx_bytes_str(a->key_id)) != MCX_OK) {
            return bad("--key-id takes 8 hex digits");
        }
        p->key_id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
        if (mcx_key_id_type(&tag, p->key_id) != MCX_OK || tag != p->type) {
            return bad("the first digit of --key-id is not that of --type (gmk 0, pck 1, csk 2, spk 3, mkfc 4, "
                       "msck 5, musik 6)");
        }
    }
    p->key = &v->key;
    p->rand = mcx_bytes(v->rand, sizeof v->rand);
    return true;
}

/* GMK, MKFC and MuSiK have key parameters in practice (TS 33.180 E.6); others only when something is to be said. */
static bool param_values(struct mcx_imessage_params *p, struct values *v, const struct args *a)
{
    bool group_key = p->type == MCX_KEY_GMK || p->type == MCX_KEY_MKFC || p->type == MCX_KEY_MUSIK;

    if (a->num_groups > 0 && !group_key) {
        return bad("--group goes with gmk, mkfc and musik");
    }
    v->kp = (struct mcx_key_params){ .status = a->revoked ? 0 : 1, .groups = a->groups, .num_groups = a->num_groups };
    if (a->expiry != NULL && mcx_dec_read(&v->kp.expiry, (UINT64_C(1) << 40) - 1, mcx_bytes_str(a->expiry)) != MCX_OK) {
        return bad("--expiry takes Unix seconds");
    }
    if (group_key || a->expiry != NULL || a->revoked) {
        p->key_params = &v->kp;
    }
    return true;
}

/* What a receiver would not take for a URI is not sent either. */
static bool uri_ok(const char *uri)
{
    for (const char *p = uri; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            return false;
        }
    }
    return uri[0] != '\0' && strlen(uri) < MCX_KMSDOC_URI_MAX && mcx_utf8_ok(mcx_bytes_str(uri));
}

static bool values(struct mcx_imessage_params *p, struct values *v, const struct args *a, const struct mcx_rng *rng)
{
    if (mcx_key_type_read(&p->type, mcx_bytes_str(a->type)) != MCX_OK) {
        return bad("--type is one of pck, gmk, csk, spk, mkfc, msck, musik");
    }
    if (!uri_ok(a->to)) {
        return bad("--to is empty, too long or no text");
    }
    p->to = mcx_bytes_str(a->to);
    p->to_kms = mcx_bytes_str(a->to_kms);
    p->hide_identities = a->hide;
    p->sakke_to_self = a->self;
    p->explicit_policy = a->explicit_policy;
    p->time = mcx_ntp_from_unix_ms(mcx_clock_unix_ms());
    p->time.frac = 0; /* whole seconds, as most senders do */
    if (a->time != NULL && !mikey_time(&p->time, a->time)) {
        return false;
    }
    return key_values(p, v, a, rng) && param_values(p, v, a);
}

static int make(const struct mcx_imessage_params *p, const struct mcx_keyring *ring, const struct mcx_rng *rng)
{
    uint8_t buf[MCX_IMESSAGE_MAX];
    char text[MCX_BASE64_LEN(MCX_IMESSAGE_MAX) + 1];
    struct mcx_wr out = mcx_wr(buf, sizeof buf);
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err = mcx_imessage_make(&out, p, ring, rng, &why);

    if (err != MCX_OK) {
        fprintf(stderr, "mcx mikey make: %s (%s)\n", why.reason != NULL ? why.reason : "a URI or value is impossible",
                mcx_err_name(err));
        return err == MCX_E_ARG ? EXIT_USAGE : err <= MCX_E_FORMAT ? EXIT_REFUSED : EXIT_ENVIRONMENT;
    }
    if (mcx_base64_write(text, sizeof text, mcx_wr_done(&out)) != MCX_OK || printf("mikey %s\n", text) < 0) {
        return EXIT_ENVIRONMENT;
    }
    return EXIT_DONE;
}

static int run(const struct args *a)
{
    struct values v = { 0 };
    struct mcx_imessage_params p = { 0 };
    struct mcx_rng rng = mcx_rng_system();
    struct mcx_keyring *ring = NULL;
    struct mcx_refusal why = { NULL, NULL };
    mcx_err err = MCX_OK;
    int code;

    if (!values(&p, &v, a, &rng)) {
        mcx_key_clear(&v.key);
        return EXIT_USAGE;
    }
    code = mikey_ring(&ring, &v.first, &a->files, &why, &err);
    if (code == EXIT_DONE && v.first.user[0] == '\0') {
        fputs("mcx mikey make: no file holds a key set; --keys takes a KmsKeyProv or a KmsKeySet\n", stderr);
        code = EXIT_REFUSED;
    } else if (code == EXIT_DONE) {
        p.from = mcx_bytes_str(a->from != NULL ? a->from : v.first.user);
        code = make(&p, ring, &rng);
    }
    mcx_key_clear(&v.key);
    mcx_keyring_free(ring);
    return code;
}

int cmd_mikey_make(int argc, char **argv)
{
    static const struct option options[] = {
        { "type", required_argument, NULL, 't' },
        { "cert", required_argument, NULL, 'c' },
        { "keys", required_argument, NULL, 'k' },
        { "to", required_argument, NULL, 'r' },
        { "to-kms", required_argument, NULL, 'R' },
        { "from", required_argument, NULL, 'f' },
        { "hide-identities", no_argument, NULL, 'H' },
        { "sakke-to-self", no_argument, NULL, 'S' },
        { "explicit-policy", no_argument, NULL, 'P' },
        { "group", required_argument, NULL, 'g' },
        { "revoked", no_argument, NULL, 'V' },
        { "expiry", required_argument, NULL, 'e' },
        { "key", required_argument, NULL, 'K' },
        { "key-id", required_argument, NULL, 'I' },
        { "rand", required_argument, NULL, 'A' },
        { "time", required_argument, NULL, 'T' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct args a = { 0 };
    bool ok = true;
    int c = 0;

    while (ok && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 't': a.type = optarg; break;
        case 'c': ok = mikey_add_file(a.files.certs, &a.files.num_certs, optarg); break;
        case 'k': ok = mikey_add_file(a.files.keys, &a.files.num_keys, optarg); break;
        case 'r': a.to = optarg; break;
        case 'R': a.to_kms = optarg; break;
        case 'f': a.from = optarg; break;
        case 'H': a.hide = true; break;
        case 'S': a.self = true; break;
        case 'P': a.explicit_policy = true; break;
        case 'V': a.revoked = true; break;
        case 'g': ok = add_group(&a, optarg); break;
        case 'e': a.expiry = optarg; break;
        case 'K': a.key = optarg; break;
        case 'I': a.key_id = optarg; break;
        case 'A': a.rand = optarg; break;
        case 'T': a.time = optarg; break;
        case 'h': usage(stdout); return EXIT_DONE;
        default: ok = false; break;
        }
    }
    if (!ok || optind != argc || a.type == NULL || a.to == NULL || a.files.num_certs == 0 || a.files.num_keys == 0) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return run(&a);
}
