#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The key events of a group (TS 33.180 5.7, 7.3) over real sockets: shared keys, MKFC, newcomers, a lost device,
# revocation, a temporary group formed and torn down, deletion; what the client holds after each; what the server refuses, and with which code.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
FIRE=sip:fire@a.example.org POLICE=sip:police@a.example.org BOTH=sip:both@a.example.org
ALICE=sip:alice@a.example.org BOB=sip:bob@a.example.org DAVE=sip:dave@a.example.org MCPTT=sip:mcptt@a.example.org
kms_make a kms.a.example.org a.example.org
kms_start a
provision a alice $ALICE
gms_make gms a sip:gms@a.example.org
gms_start gms --mcptt-server $MCPTT --sakke-to-self
gms_token gms alice $ALICE
gms_token gms dave $DAVE
gms_token gms mcptt $MCPTT
held() { "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json; }
fetch() { gms_fetch gms alice $ALICE "$@" >"$W/log/alice.groups" 2>&1; }
refuses() { # TEXT VERB ...
    local code=0
    gms_group gms "${@:2}" >"$W/log/refused" 2>&1 || code=$?
    expect "$1" $code 1
}
settled() {
    for _ in $(seq 200); do
        [ "$(gms_group gms jobs --json | jq '.jobs | length')" = 0 ] && return 0
        sleep 0.1
    done
    fail "jobs are left"
}
keys() { gms_group gms show --group "$1" --json | jq -r --arg s "$2" '[.keys[] | select(.state == $s) | .key_id] | sort | join(" ")'; }
until_keys() { # GROUP STATE KEYS
    for _ in $(seq 150); do
        [ "$(keys "$1" "$2")" = "$3" ] && return 0
        sleep 0.1
    done
    fail "$2 keys of $1: '$(keys "$1" "$2")', not '$3'"
}

gms_group gms create --group $FIRE --member $ALICE --member $BOB --name "Fire brigade" --multicast-floor --priority 7
gms_await gms $FIRE 2
expect "MKFC for the MCPTT server" "$(gms_get gms mcptt org.3gpp.MCPTT-GKTP $FIRE)" 200
expect "his payloads" "$(grep -o 'id="[^"]*"' "$W/mcptt.xml")" "id=\"$MCPTT\""
expect "group document for the MCPTT server" "$(gms_get gms mcptt org.openmobilealliance.groups $FIRE)" 200
gms_group gms create --group $POLICE --member $DAVE --member $ALICE --share $FIRE --chat --multicast-floor
settled
expect "one key for both groups" "$(keys $POLICE published)" "$(keys $FIRE published)"
fetch $FIRE $POLICE || fail "Alice cannot take the shared keys"

gms_group gms create --group sip:clear@a.example.org --member $ALICE --clear-media --clear-floor
expect "a group in clear has no key" "$(gms_group gms show --group sip:clear@a.example.org --json | jq '.keys | length')" 0
refuses "twice" create --group $FIRE --member $ALICE
refuses "a member twice" add --group $FIRE --member $ALICE
refuses "no such group" rekey --group sip:none@a.example.org
refuses "no MKFC to share" create --group sip:x@a.example.org --member $ALICE --share sip:clear@a.example.org --multicast-floor
refuses "no such key" revoke --group $FIRE --key-id 00000001
refuses "nobody" remove --group $FIRE --member sip:nobody@a.example.org
refuses "one part" regroup --group $BOTH --part $FIRE
refuses "no temporary group" ungroup --group $FIRE

gms_group gms regroup --group $BOTH --part $FIRE --part $POLICE --name Both
gms_await gms $BOTH
temporary=$(keys $BOTH published)
fetch $FIRE $POLICE || fail "Alice cannot take the key of the temporary group"
held | grep -q "$temporary" || fail "Alice lacks the key of the temporary group"
gms_get gms alice org.openmobilealliance.groups $FIRE >/dev/null
grep -q "on-network-regrouped.*$BOTH" "$W/alice.xml" || fail "the group document does not say that it is regrouped"
refuses "part of a temporary group" delete --group $FIRE
gms_group gms ungroup --group $BOTH
gms_get gms alice org.openmobilealliance.groups $FIRE >/dev/null
grep -q on-network-regrouped "$W/alice.xml" && fail "still regrouped"

before=$(keys $POLICE published)
gms_group gms lost --member $DAVE
expect "Dave is out" "$(gms_get gms dave org.3gpp.MCPTT-GKTP $POLICE)" 403
until_keys $POLICE revoked "$before"
settled
[ -n "$(keys $POLICE published)" ] || fail "the police have no key"
expect "nor has the fire brigade, which shared it, kept the key that Dave has" "$(keys $FIRE revoked)" "$before"
expect "one key for both groups again" "$(keys $FIRE published)" "$(keys $POLICE published)"

gmk=$(gms_group gms show --group $FIRE --json | jq -r '.keys[] | select(.type == "gmk" and .state == "published") | .key_id')
gms_group gms revoke --group $FIRE --key-id "$gmk"
until_keys $FIRE published "$(keys $FIRE published | sed "s/ *$gmk *//")"
keys $FIRE revoked | grep -q "$gmk" || fail "the key is not revoked"
gms_group gms delete --group $POLICE
gms_group gms delete --group sip:clear@a.example.org
expect "deleted" "$(gms_get gms alice org.openmobilealliance.groups $POLICE)" 404
expect "what is left" "$(gms_group gms list --json | jq -r '[.groups[].group] | join(" ")')" "$FIRE"
expect "a wrong request" "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$W/ca.pem" -H "Authorization: Bearer $(cat "$W/gms.admin-token")" \
    -d 'nonsense' "https://127.0.0.1:$(port_of gms)/admin/v1/create")" 400
expect "no such verb" "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$W/ca.pem" -H "Authorization: Bearer $(cat "$W/gms.admin-token")" \
    -d '{}' "https://127.0.0.1:$(port_of gms)/admin/v1/destroy")" 404
program_stop gms
echo ok
