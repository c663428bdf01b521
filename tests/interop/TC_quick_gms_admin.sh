#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What administration of mcx-gmsd does not take: members of a wrong type are not taken for absent ones, nothing changes,
# and every refusal is a JSON object with error and reason. What docs/GMS-API.md says is what the server does.
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

# groups that are not there
for verb in add remove rekey delete show lacking ungroup; do
    refused 404 nokey $verb "{\"group\":\"sip:none@lab.example.org\",\"member\":\"$ALICE\",$who}"
    expect "reason of $verb" "$(jq -r .reason "$W/answer")" "there is no such group"
done
refused 404 nokey revoke '{"group":"sip:none@lab.example.org","key_id":"00000001"}'
refused 404 nokey lost '{"member":"sip:nobody@lab.example.org"}'
refused 404 nokey remove "{\"group\":\"$GROUP\",\"member\":\"sip:nobody@lab.example.org\"}"
refused 404 nokey revoke "{\"group\":\"$GROUP\",\"key_id\":\"00000001\"}"
refused 409 policy ungroup "{\"group\":\"$GROUP\"}"
refused 409 policy create "{\"group\":\"$GROUP\",$who}"
refused 409 policy add "{\"group\":\"$GROUP\",$who}"
# by the length that is said: a client that goes on sending may lose the answer with the connection
expect "more than 4 MiB" "$(curl -s --cacert "$W/ca.pem" -H "Authorization: Bearer $(cat "$W/gms.admin-token")" \
    -H 'Content-Length: 4194305' --data-binary '{}' -m 20 -o /dev/null -w '%{http_code}' \
    "https://127.0.0.1:$(port_of gms)/admin/v1/list")" 413

content >"$W/after"
cmp -s "$W/before" "$W/after" || fail "something has changed"
expect "and a good one" "$(post create "{$new,$who}")" 200

# docs/GMS-API.md: its verbs are those of the server and of 'mcx group', its objects have the members that come
api=$MCX_SOURCE/docs/GMS-API.md
verbs=$(sed -n '/^| Verb /,/^$/s/^| `\([a-z]*\)`.*/\1/p' "$api")
[ "$(wc -w <<<"$verbs")" -eq 13 ] || fail "verbs of docs/GMS-API.md: $verbs"
for verb in $verbs; do
    post "$verb" '{"group":7}' >"$W/log/verb"
    jq -r '.reason' "$W/answer" | grep -q "another type" || fail "$verb of docs/GMS-API.md is no verb"
    "$MCX_BIN/mcx" group --help | grep -qE "^ +$verb " || fail "$verb is not in 'mcx group --help'"
done
words() { grep -o '`[a-z_]*`' | tr -d '`' | sort | tr '\n' ' '; }
object() { sed -n "/^| Object /,/^\$/s/^| $1 | //p" "$api" | words; }
array() { sed -n "s/^| .$1. |.*array of //p" "$api" | words; }
have() { jq -r "$1 | keys | join(\" \") + \" \"" "$W/answer"; }
# its member is of a domain that nobody knows: a job that has failed
expect "a group for some of all" "$(post create '{"group":"sip:far@lab.example.org","members":["sip:x@far.example.org"]}')" 200
for _ in $(seq 200); do
    post jobs '{}' >"$W/log/jobs"
    jq -e '.jobs[] | select(.failed > 0)' "$W/answer" >"$W/log/jobs" && break
    sleep 0.1
done
expect "a job" "$(have '.jobs[0]')" "$(array jobs)"
post lacking '{"group":"sip:far@lab.example.org"}' >"$W/log/lacking"
expect "who lacks a key" "$(have '.lacking[0]')" "$(array lacking)"
post show '{"group":"sip:far@lab.example.org"}' >"$W/log/show"
expect "a group" "$(have '.groups[0]')" "$(object group)"
expect "a member" "$(have '.members[0]')" "$(object member)"
expect "a key" "$(have '.keys[0]')" "$(object key)"
for type in $(sed -n 's/.*`\(application[^`]*\)`.*/\1/p' "$api"); do
    auid=org.openmobilealliance.groups
    [ "${type##*gktp}" = "$type" ] || auid=org.3gpp.MCPTT-GKTP
    expect "a document" "$(gms_get gms alice $auid $GROUP)" 200
    grep -qi "^Content-Type: $type" "$W/alice.headers" || fail "a document is not of type $type"
done
echo ok
