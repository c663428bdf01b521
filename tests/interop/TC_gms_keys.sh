#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A group management server that looks after its own keys (TS 33.180 5.3): it begins without any, stays up over changes
# of the key period, in each of which its groups get new keys that members take, and keeps serving while the KMS is
# away. Nobody touches it meanwhile.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
ALICE=sip:alice@lab.example.org FIRE=sip:fire@lab.example.org GMS=sip:gms@lab.example.org
P=14 # seconds of a key period
kms_make kms kms.lab.example.org lab.example.org --period $P --offset 0
kms_start kms
gms_make gms kms $GMS
rm "$W/gms.store" # what was fetched for it
gms_token gms alice $ALICE
"$MCX_BIN/mcx-kmsd" user add --dir "$W/kms" --user-uri $ALICE --mcptt-id $ALICE >>"$W/log/kms.users"
"$MCX_BIN/mcx" token issue --key "$W/kms.jwk" --mcptt-id $ALICE --iss lab --aud mcx >"$W/alice.token"
openssl rand -hex 32 >"$W/alice.store-key"
RUN=(--dir "$W/gms" --seal-key "$W/gms.seal" --store "$W/gms.store" --store-key "$W/gms.store-key" --listen 127.0.0.1:0
    --tls-cert "$W/gms.pem" --tls-key "$W/gms.key" --jwks "$W/kms.jwks")
KMS=(--kms-url "https://127.0.0.1:$(port_of kms)" --kms-uri kms.lab.example.org --kms-ca "$W/ca.pem")
gmsd() { # EXIT-CODE OPTION ...
    local code=0
    timeout 60 "$MCX_BIN/mcx-gmsd" run "${RUN[@]}" "${@:2}" >"$W/log/once.out" 2>"$W/log/once.err" || code=$?
    expect "exit code of ${*:2}" $code "$1"
}
period_now() { echo $((($(date +%s) + 2208988800) / P)); }
period_of() { echo $((($(date -d "$1" +%s) + 2208988800) / P)); }
published() { gms_group gms show --group $FIRE --json | jq -r '[.keys[] | select(.state == "published")] | last'; }
said() { # TEXT
    for _ in $(seq 400); do
        grep -q "$1" "$W/log/gms.err" && return 0
        sleep 0.1
    done
    fail "the log does not say '$1'"
}

gmsd 3
grep -q "mcx kms fetch" "$W/log/once.err" || fail "no word about the missing key store"
gmsd 2 "${KMS[@]}"
grep -q "kms-token" "$W/log/once.err" || fail "no word about the missing option"
gmsd 0 "${KMS[@]}" --kms-token "$W/gms.token" -t
[ ! -e "$W/gms.store" ] || fail "-t has fetched"
echo wrong >"$W/wrong.token"
gmsd 1 "${KMS[@]}" --kms-token "$W/wrong.token"
grep -q "own keys cannot be fetched: init: the KMS refused the request" "$W/log/once.err" || fail "no plain sentence"
[ ! -e "$W/gms.store" ] || fail "a store was made of nothing"

gms_start gms "${KMS[@]}" --kms-token "$W/gms.token"
begun=$(period_now)
gms_group gms create --group $FIRE --member $ALICE
gms_await gms $FIRE

# Alice takes a key that was made in this period or later, so she opens what is signed with keys of then
takes_key_of() { # PERIOD
    local key
    for _ in $(seq 300); do
        key=$(published)
        if [ "$(period_of "$(jq -r .created <<<"$key")")" -ge "$1" ]; then
            kms_fetch kms alice $ALICE >"$W/log/alice.fetch" 2>&1 || true
            gms_fetch gms alice $ALICE $FIRE >"$W/log/alice.groups" 2>&1 || true
            "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json >"$W/log/alice.held"
            grep -q "$(jq -r .key_id <<<"$key")" "$W/log/alice.held" && expect "cause" "$(jq -r .cause <<<"$key")" "key period" &&
                return 0
        fi
        sleep 0.1
    done
    fail "no key of period $1 or later that Alice can take: $key"
}
takes_key_of $((begun + 1))
takes_key_of $((begun + 2))

# the process that fetches is replaced when it dies
kill -KILL "$(jq .keys "$W/gms.ready")"
said "the process that fetches keys has ended; it starts again"

# the KMS is gone: told, tried again, and members are served
program_stop kms
said "own keys cannot be fetched"
said "again in"
expect "documents" "$(gms_get gms alice org.openmobilealliance.groups $FIRE)" 200
program_stop gms # with the keys of an earlier period it starts, and serves what there is
old=$(period_now)
while [ "$(period_now)" -lt $((old + 2)) ]; do sleep 0.2; done
gms_start gms "${KMS[@]}" --kms-token "$W/gms.token"
expect "documents" "$(gms_get gms alice org.openmobilealliance.groups $FIRE)" 200
said "own keys cannot be fetched"
kms_start kms --listen "127.0.0.1:${KMS[1]##*:}"
grep -c "own keys fetched" "$W/log/gms.err" >"$W/fetched" || true
for _ in $(seq 600); do
    [ "$(grep -c "own keys fetched" "$W/log/gms.err")" -gt "$(cat "$W/fetched")" ] && break
    sleep 0.1
done
[ "$(grep -c "own keys fetched" "$W/log/gms.err")" -gt "$(cat "$W/fetched")" ] || fail "the KMS is back and was not asked"
takes_key_of "$(period_now)"
grep -qF "$(cat "$W/gms.token")" "$W/log/gms.err" && fail "the token was printed"
grep -qi "$(cat "$W/gms.store-key")" "$W"/log/* && fail "the store key was printed"
program_stop gms
echo ok
