/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group management client: any body as group document, as GKTP document, or as notification. It holds no key set,
 * so that nothing may ever be accepted. First octet: 0 group document, 1 GKTP document, 2 notification.
 */
#include <mcx/gmc.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char group_doc[] =
    "<group xmlns='urn:oma:xml:poc:list-service' xmlns:x='urn:oma:xml:xdm:extensions' "
    "xmlns:m='urn:3gpp:ns:mcpttGroupInfo:1.0'><list-service uri='sip:g@example.org'><x:supported-services>"
    "<x:service enabler='urn:urn-7:3gpp-service.ims.icsi.mcptt'><x:group-media><m:mcptt-speech/></x:group-media>"
    "</x:service></x:supported-services></list-service></group>";
static const char keys_doc[] = "<GKTPs xmlns='urn:3gpp:ns:mcpttGKTP:1.0'/>";

static void fetch(struct mcx_group_keys *keys, const struct mcx_keyring *ring, struct mcx_bytes group,
                  struct mcx_bytes gktp)
{
    static const char *const groups[] = { "sip:g@example.org" };
    const struct mcx_gmc_config config = { .url = "https://gms.example.org",
                                           .gms = "sip:gms@example.org",
                                           .user = "sip:a@example.org",
                                           .groups = groups,
                                           .num_groups = 1 };
    const struct mcx_rng rng = mcx_rng_system();
    struct mcx_gmc_in in = { .event = MCX_GMC_START, .now = { UINT64_C(0xed529d40), 0 } };
    struct mcx_gmc_out out = { 0 };
    struct mcx_gmc *gmc = NULL;

    if (mcx_gmc_new(&gmc, &config, ring, keys, &rng) != MCX_OK) {
        return;
    }
    while (mcx_gmc_step(gmc, &in, &out) == MCX_OK && out.action == MCX_GMC_GET) {
        in.event = MCX_GMC_ANSWER;
        in.status = 200;
        in.etag = "t";
        in.body = strcmp(out.accept, MCX_TYPE_GROUP) == 0 ? group : gktp;
    }
    if (out.action == MCX_GMC_GET || mcx_gmc_group(gmc, 0)->num_new != 0) {
        abort();
    }
    mcx_gmc_free(gmc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mcx_gmc_changes changes;
    static struct mcx_keyring *ring;
    struct mcx_bytes in = mcx_bytes(size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
    struct mcx_group_keys *keys = NULL;

    if (ring == NULL && mcx_keyring_new(&ring, MCX_SAKKE_TABLES_NONE) != MCX_OK) {
        return 0;
    }
    if (mcx_group_keys_new(&keys) != MCX_OK) {
        return 0;
    }
    switch (size > 0 ? data[0] : 0) {
    case 0: fetch(keys, ring, in, mcx_bytes_str(keys_doc)); break;
    case 1: fetch(keys, ring, mcx_bytes_str(group_doc), in); break;
    default:
        if (mcx_gmc_notify_read(&changes, in, keys, NULL) == MCX_OK && changes.num > MCX_GMC_GROUPS_MAX) {
            abort();
        }
        break;
    }
    if (mcx_group_keys_num(keys) != 0) {
        abort();
    }
    mcx_group_keys_free(keys);
    return 0;
}
