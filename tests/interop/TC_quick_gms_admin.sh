#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What administration of mcx-gmsd does not take: members of a wrong type are not taken for absent ones, nothing changes,
# and every refusal is a JSON object with error and reason (docs/GMS-API.md).
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
ALICE=sip:alice@lab.example.org GROUP=sip:north@lab.example.org
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
gms_make gms kms sip:gms@lab.example.org
gms_start gms
gms_token gms alice $ALICE
gms_group gms create --group $GROUP --member $ALICE

post() { # VERB BODY [TOKEN-FILE [METHOD]]: status, body in $W/answer
    curl -s --path-as-is --cacert "$W/ca.pem" -X "${4:-POST}" -H "Authorization: Bearer $(cat "$W/${3:-gms.admin-token}")" -d "$2" \
        -o "$W/answer" -w '%{http_code}' "https://127.0.0.1:$(port_of gms)/admin/v1/$1"
}
refused() { # STATUS ERROR VERB BODY [TOKEN-FILE [METHOD]]
    : >"$W/answer"
    expect "status of $3 $4" "$(post "${@:3}")" "$1"
    expect "error of $3 $4" "$(jq -r '.error' "$W/answer")" "$2"
    expect "reason of $3 $4" "$(jq -r '.reason | length > 0' "$W/answer")" true
}
content() {
    gms_group gms list --json
    "$MCX_BIN/mcx-gmsd" audit list --dir "$W/gms" --json
}
content >"$W/before"

new='"group":"sip:new@lab.example.org"'
who='"members":["sip:alice@lab.example.org"]'
long=$(printf 'a%.0s' $(seq 300))
for body in 'no JSON' '[]' '"text"' '{"group":1,"group":2}' "{$who}" "{$new}" \
    "{\"group\":7,$who}" "{\"group\":\"sip:a\\u0000b\",$who}" "{\"group\":\"sip:$long\",$who}" \
    "{$new,\"members\":\"$ALICE\"}" "{$new,\"members\":[]}" "{$new,\"members\":[1]}" "{$new,\"members\":[{\"name\":\"a\"}]}" \
    "{$new,\"members\":[{\"id\":\"$ALICE\",\"priority\":\"7\"}]}" "{$new,\"members\":[{\"id\":\"$ALICE\",\"priority\":256}]}" \
    "{$new,\"members\":[{\"id\":\"$ALICE\",\"receive_only\":\"no\"}]}" "{$new,\"members\":[{\"id\":\"$ALICE\",\"name\":1}]}" \
    "{$new,$who,\"protect_media\":\"true\"}" "{$new,$who,\"protect_media\":1}" "{$new,$who,\"protect_floor\":null}" \
    "{$new,$who,\"multicast_floor\":\"yes\"}" "{$new,$who,\"priority\":-1}" "{$new,$who,\"priority\":256}" \
    "{$new,$who,\"priority\":1.5}" "{$new,$who,\"max_participants\":4294967296}" "{$new,$who,\"share\":1}" \
    "{$new,$who,\"share\":\"sip:$long\"}" "{$new,$who,\"name\":[]}" "{$new,$who,\"kind\":true}" "{$new,$who,\"kind\":\"other\"}"; do
    refused 400 arg create "$body"
done
refused 400 arg add "{\"group\":\"$GROUP\",\"members\":[\"sip:bob@lab.example.org\"],\"rekey\":\"true\"}"
refused 400 arg remove "{\"group\":\"$GROUP\",\"member\":[\"$ALICE\"]}"
refused 400 arg lost '{"member":false}'
refused 400 arg revoke "{\"group\":\"$GROUP\",\"key_id\":1}"
refused 400 arg regroup "{$new,\"groups\":\"$GROUP\"}"
refused 400 arg regroup "{$new,\"groups\":[\"$GROUP\",\"sip:north@lab.example.org\\u0000x\"]}"

# who may not, and what is no verb
refused 404 nokey nothing '{}'
refused 404 nokey ../v1/list '{}'
refused 404 nokey 'list?x=1' '{}'
refused 405 unsup list '{}' gms.admin-token PUT
refused 403 policy delete "{\"group\":\"$GROUP\"}" alice.gms-token
echo nonsense >"$W/none.token"
refused 401 auth delete "{\"group\":\"$GROUP\"}" none.token
grep -q 'administration refused.*no administrator' "$W/log/gms.err" || fail "the log does not say who was no administrator"
[ "$(grep -c 'administration refused' "$W/log/gms.err")" -eq 3 ] || fail "401, 403 and 405 are not all in the log"
grep -q 'another type' "$W/log/gms.err" || fail "the log does not give the reason"

content >"$W/after"
cmp -s "$W/before" "$W/after" || fail "something has changed"
expect "and a good one" "$(post create "{$new,$who}")" 200
echo ok
