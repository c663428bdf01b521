#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A group across two KMS domains: made by mcx group, keyed by mcx-gmsd, fetched over XCAP, opened by each member.
# TS 24.481 6.3.3, 7.7; TS 33.180 5.7, E.1.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
ALICE=sip:alice@a.example.org BOB=sip:bob@a.example.org CAROL=sip:carol@b.example.org GROUP=sip:fire@a.example.org
kms_make a kms.a.example.org a.example.org
kms_make b kms.b.example.org b.example.org
kms_trust a b
kms_trust b a
kms_start a
kms_start b
provision a alice $ALICE
provision b carol $CAROL
gms_make gms a sip:gms@a.example.org
gms_start gms
for who in alice=$ALICE bob=$BOB carol=$CAROL mallory=sip:mallory@a.example.org; do gms_token gms "${who%%=*}" "${who#*=}"; done

gms_group gms create --group $GROUP --member $ALICE --member $BOB --member $CAROL --member sip:eve@nowhere.example.net
gms_await gms $GROUP
gms_group gms show --group $GROUP --json >"$W/show"
expect "one key" "$(jq -r '.keys | length' "$W/show")" 1
key_id=$(jq -r '.keys[0].key_id' "$W/show")

# XCAP: each sees the group, and his own payload alone
for who in alice=$ALICE carol=$CAROL; do
    user=${who%%=*} uri=${who#*=}
    expect "group document of $user" "$(gms_get gms "$user" org.openmobilealliance.groups $GROUP)" 200
    grep -q "$BOB" "$W/$user.xml" || fail "the group document lacks a member"
    expect "unchanged" "$(gms_get gms "$user" org.openmobilealliance.groups $GROUP "$(cat "$W/$user.etag")")" 304
    expect "GKTP document of $user" "$(gms_get gms "$user" org.3gpp.MCPTT-GKTP $GROUP)" 200
    expect "payloads in it" "$(grep -o "id=\"[^\"]*\"" "$W/$user.xml")" "id=\"$uri\""
done
gms_group gms lacking --group $GROUP --json >"$W/lacking"
expect "who lacks it" "$(jq -r '[.lacking[].member] | sort | join(" ")' "$W/lacking")" "$BOB sip:eve@nowhere.example.net"
expect "Bob" "$(jq -r --arg m $BOB '.lacking[] | select(.member == $m) | .reason' "$W/lacking")" "not fetched"
expect "Eve is no member of any known KMS" \
    "$(jq -r '.lacking[] | select(.member | test("eve")) | .reason == "not fetched"' "$W/lacking")" false

# the client opens it, in both domains: the same key
for who in alice=$ALICE carol=$CAROL; do
    user=${who%%=*} uri=${who#*=}
    gms_fetch gms "$user" "$uri" $GROUP >"$W/log/$user.groups"
    "$MCX_BIN/mcx" group keys --store "$W/$user.store" --store-key "$W/$user.store-key" --json >"$W/$user.keys"
    grep -q "$key_id" "$W/$user.keys" || fail "$user does not hold $key_id"
done
expect "not a member" "$(gms_get gms mallory org.3gpp.MCPTT-GKTP $GROUP)" 403
expect "no such group" "$(gms_get gms alice org.openmobilealliance.groups sip:none@a.example.org)" 404
expect "no such usage" "$(gms_get gms alice org.example.nothing $GROUP)" 404
echo nonsense >"$W/bob.gms-token"
expect "no token" "$(gms_get gms bob org.3gpp.MCPTT-GKTP $GROUP)" 401
code=0
"$MCX_BIN/mcx" group list --gms-url "https://127.0.0.1:$(port_of gms)" --token "$W/alice.gms-token" --ca "$W/ca.pem" 2>/dev/null || code=$?
expect "a member is no administrator" $code 1

# a token without the scope is not a removal: the keys stay
cp "$W/alice.gms-token" "$W/alice.good-token"
cp "$W/alice.token" "$W/alice.gms-token"
gms_fetch gms alice "$ALICE" $GROUP >"$W/log/alice.scope" 2>&1 && fail "a token without the scope is taken"
cp "$W/alice.good-token" "$W/alice.gms-token"
"$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" | grep -q "$key_id" || fail "Alice's key is gone"
for wrong in "list --gms-url http://127.0.0.1:1 --token $W/gms.admin-token --ca $W/ca.pem" \
    "rekey --gms-url https://127.0.0.1:1 --token $W/gms.admin-token --ca $W/ca.pem"; do
    code=0
    # shellcheck disable=SC2086
    "$MCX_BIN/mcx" group $wrong 2>/dev/null || code=$?
    expect "no https, or no group: a matter of usage" "$code" 2
done
code=0
said=$(gms_group gms lacking --group sip:none@a.example.org 2>&1) || code=$?
expect "lacking of no group" "$code $said" "1 mcx group: refused (HTTP 404): there is no such group"

# a member goes: 403 for him at once, and a new key for the others
gms_group gms remove --group $GROUP --member $CAROL
expect "Carol is out" "$(gms_get gms carol org.3gpp.MCPTT-GKTP $GROUP)" 403
gms_await gms $GROUP 1
sleep 0.2
for _ in $(seq 100); do
    state=$(gms_group gms show --group $GROUP --json | jq -r --arg k "$key_id" '.keys[] | select(.key_id == $k) | .state')
    [ "$state" = revoked ] && break
    sleep 0.1
done
expect "the old key" "$state" revoked

program_stop gms
"$MCX_BIN/mcx-gmsd" audit list --dir "$W/gms" --json | jq -r .event >"$W/audit"
grep -q "group created" "$W/audit" && grep -q "member removed" "$W/audit" && grep -q "new GMK" "$W/audit" || fail "audit log"
echo ok
