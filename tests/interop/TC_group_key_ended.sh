#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Group keys that are over (TS 33.180 E.6.9, E.6.10): a call under a revoked key, made and answered, and a key
# that expires in the middle of speech. No radio speaks under it from then on; Carol's, which keeps to no rules, does, and
# Bob hears nothing of it. With the key that the server has made meanwhile the group speaks again.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
LIFETIME=30
tone "$W/alice.wav" $((LIFETIME + 10)) 300
tone "$W/carol.wav" 0.6 600
fetch() { gms_fetch gms "$1" "$2" "$GROUP" >>"$W/log/$1.fetched"; }
last_refusal() { # NAME: cause, reason and clause
    jq -rs 'map(select(.event == "refused")) | last | "\(.cause): \(.reason) (\(.clause))"' "$W/log/$1.out"
}
wait_long() { # NAME EVENT FIELD VALUE: as wait_field, for what comes when a key ends
    local i
    for i in $(seq $((LIFETIME + 20))); do
        grep -s "\"event\":\"$2\"" "$W/log/$1.out" | grep -q "\"$3\":\"$4\"" && return 0
        sleep 1
    done
    fail "$1 did not report $2 with $3 $4"
}
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
for who in alice bob; do radio_on $who "$GROUP"; done

# ---- revoked: Alice's radio knows, Bob's does not yet ----
REVOKED="key-revoked: the key of this group is revoked (TS 33.180 E.6.9)"
first=$(event alice key key_id)
gms_group gms revoke --group "$GROUP" --key-id "$first" >"$W/log/revoke"
for _ in $(seq 50); do # until she has the message
    fetch alice "$ALICE"
    sleep 0.4
    grep -q '"status":"revoked"' "$W/log/alice.out" && break
done
wait_status alice key revoked
say_to alice call "$GROUP"
wait_field alice refused cause key-revoked 1
expect "call under a revoked key" "$(last_refusal alice)" "$REVOKED"
expect "of which the server" "$(event server group-call-setup user)" null
say_to bob call "$GROUP"
wait_field alice refused cause key-revoked 2
expect "invitation under a revoked key" "$(last_refusal alice)" "$REVOKED"
wait_event bob refused
expect "who was to be called" "$(event server group-call-setup user) $(event bob group-established group)" "$BOB null"
fetch bob "$BOB"
wait_status bob key revoked

# ---- a key with a short life ----
program_stop gms
gms_start gms --key-lifetime $LIFETIME
gms_group gms rekey --group "$GROUP" >"$W/log/rekey"
gms_await gms "$GROUP"
fetch alice "$ALICE"
fetch bob "$BOB"
for who in alice bob; do wait_status $who key active 2; done
second=$(event alice key key_id)
member_start carol carol "$CAROL" --say "$W/carol.wav"
wait_registered carol
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
wait_event carol in-call
expect "the key of the call" "$(event alice group-established key_id)" "$second"
say_to alice push
wait_field bob speaker key_id "$second" 1

# ---- and now it is over, and Alice speaks ----
for who in alice bob; do wait_long $who key status expired; done
for who in alice bob; do wait_field $who refused cause no-key 1; done
EXPIRED="the key of this group has expired (TS 33.180 E.6.10)"
expect "told to who speaks" "$(last_refusal alice)" "no-key: $EXPIRED"
wait_floor alice released
grep -q '"event":"played"' "$W/log/alice.out" && fail "the end of the key was not in the middle of the speech"
say_to alice push
wait_field alice refused cause no-key 2
expect "the floor of who cannot be heard" "$(events alice floor state | grep -c granted)" 1
say_to carol push
wait_field carol floor type granted 1
say_to carol speak
wait_event carol spoken
say_to carol release
wait_field bob drop reason "the key of this group has expired" 1
say_to alice leave
wait_event alice group-ended
say_to alice call "$GROUP"
wait_field alice refused cause key-not-valid 1
expect "call under an expired key" "$(last_refusal alice)" "key-not-valid: $EXPIRED"
say_to bob leave
wait_event bob group-ended
expect "clause of what Bob does not hear" "$(jq -r 'select(.event == "drop" and .line == "audio") | .clause' "$W/log/bob.out")" "TS 33.180 E.6.10"
expect "not heard: of Carol all, and what of Alice was under way" "$(($(event bob media received) + $(event bob media unknown_key)))" \
    $((30 + $(event alice media sent)))
[ "$(event bob media unknown_key)" -ge 30 ] || fail "Bob could open packets of Carol"
expect "refused for another reason, lost" "$(event bob media refused) $(event bob media lost)" "0 0"
expect "whom Bob has heard" "$(events bob speaker mcptt_id | sort -u)" "$ALICE"
say_to carol quit
expect_exit carol 0

# ---- the server has made another, in time: it was only not fetched ----
fetch alice "$ALICE"
fetch bob "$BOB"
for who in alice bob; do wait_status $who key active 3; done
say_to alice call "$GROUP"
for who in alice bob; do wait_count $who group-established 2; done
third=$(event alice group-established key_id)
[ "$third" != "$second" ] || fail "the key is the old one"
say_to alice push
wait_field bob speaker key_id "$third" 1
say_to alice leave
wait_count bob group-ended 2
for who in alice bob; do
    say_to $who quit
    expect_exit $who 0
done
echo "ended: revoked and expired, told in time; 30 packets of Carol unheard; the group speaks under $third"
