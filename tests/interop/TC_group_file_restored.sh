#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An old file of group keys is put back between two runs (docs/THREAT-MODEL.md): the key in it that was revoked since, or
# that the user lost with his membership or with the group, is gone again after the next fetch; a running radio does not
# take the old file at all.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
FILE=$W/alice.store.groups
states() { # key identifiers and states that Alice's file holds
    "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json |
        jq -c '[.keys[] | "\(.key_id) \(.state)"] | sort'
}
state_of() { # KEY-ID
    "$MCX_BIN/mcx" group keys --store "$W/alice.store" --store-key "$W/alice.store-key" --json |
        jq -r --arg id "$1" '[.keys[] | select(.key_id == $id) | .state] | first'
}
fetch() { # sets code
    code=0
    gms_fetch gms alice "$ALICE" "$GROUP" >"$W/log/fetch" 2>&1 || code=$?
}
current() { # the last published key of the group
    gms_group gms show --group "$GROUP" --json | jq -r '[.keys[] | select(.state == "published")] | last | .key_id'
}
await_other() { # KEY-ID: until another one is published; sets new
    local i
    for i in $(seq 200); do
        new=$(current)
        [ "$new" != "$1" ] && [ "$new" != null ] && return 0
        sleep 0.1
    done
    fail "no key after $1"
}
await_state() { # KEY-ID STATE: fetched until it has it
    local i
    for i in $(seq 100); do
        fetch
        [ "$(state_of "$1")" = "$2" ] && return 0
        sleep 0.2
    done
    fail "$1 is $(state_of "$1"), not $2"
}

# ---- revoked ----
first=$(current)
await_state "$first" active
cp -p "$FILE" "$W/old"
gms_group gms rekey --group "$GROUP" >"$W/log/rekey"
await_other "$first"
gms_group gms revoke --group "$GROUP" --key-id "$first" >"$W/log/revoke"
await_state "$first" revoked
cp -p "$FILE" "$W/now"
cp -p "$W/old" "$FILE"
expect "the old file opens" "$(state_of "$first")" active
fetch
expect "the revoked key after the next fetch" "$code $(state_of "$first")" "0 revoked"
await_state "$new" active

# a radio that runs has seen a later one
cp -p "$W/now" "$FILE"
fetch
radio_start alice alice "$ALICE"
wait_registered alice
cp -p "$W/old" "$W/.next" && touch "$W/.next" && mv "$W/.next" "$FILE"
for _ in $(seq 200); do
    grep -q 'the file of group keys is older than the one seen before' "$W/log/alice.err" && break
    sleep 0.1
done
grep -q 'those held stay in use: the file of group keys is older than the one seen before' "$W/log/alice.err" ||
    fail "the radio does not say that the file is old"
expect "what came back to the radio" "$(events alice key status | grep -c 'gone\|updated')" 0
say_to alice quit
expect_exit alice 0
# one that is started with it fetches first of all
radio_start alice alice "$ALICE" --gms-url "https://127.0.0.1:$(port_of gms)" --gms-uri "$(cat "$W/gms.uri")" \
    --gms-ca "$W/ca.pem" --gms-token "$W/alice.gms-token" --group "$GROUP"
wait_field alice key status revoked 1
expect "the revoked key after the radio's fetch" "$(state_of "$first")" revoked
say_to alice quit
expect_exit alice 0

# ---- no member any more: what the server gives out now has nothing of his keys ----
cp -p "$FILE" "$W/old"
gms_group gms remove --group "$GROUP" --member "$ALICE" >"$W/log/remove"
for _ in $(seq 100); do
    fetch
    [ "$(jq -rn --argjson s "$(states)" '$s | map(select(endswith("active"))) | length')" = 0 ] && break
    sleep 0.2
done
expect "keys of who was removed" "$(states | grep -c active)" 0
cp -p "$W/old" "$FILE"
expect "the old file opens" "$(state_of "$new")" active
fetch
expect "keys after the next fetch: refused, none in use" "$code $(states | grep -c active)" "1 0"

# ---- the group is no more ----
gms_group gms delete --group "$GROUP" >"$W/log/delete"
cp -p "$W/old" "$FILE"
fetch
expect "keys of a deleted group" "$code $(states | grep -c active)" "1 0"
echo "an old file: what was withdrawn since is gone after one fetch"
