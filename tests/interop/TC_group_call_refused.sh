#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Group calls that are refused, and why, between unmodified programs: without a key, not affiliated, an unknown group, a chat
# join of a prearranged group, an emergency by who may not make one, before a call and in it. The call in progress goes on.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
DAVE=sip:dave@lab.example.org
lab_group --user "$DAVE"
provision kms dave "$DAVE"
tone "$W/alice.wav" 1 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_start dave dave "$DAVE"
radio_on bob "$GROUP"
wait_registered alice
wait_registered dave
refused() { # NAME CAUSE N: the last refusal is that one
    wait_field "$1" refused cause "$2" "$3"
    jq -rs 'map(select(.event == "refused")) | last | "\(.code) \(.warning)"' "$W/log/$1.out"
}

say_to dave call "$GROUP" # protected, and he holds no key: nothing leaves his radio
wait_field dave refused cause no-key 1
expect "why" "$(event dave refused reason) ($(event dave refused clause))" "no key of this group is held (TS 33.180 7.3.3)"
say_to alice call "$GROUP"
expect "not affiliated" "$(refused alice refused 1)" "403 120"
say_to alice affiliate sip:nowhere@lab.example.org
expect "unknown group" "$(refused alice affiliation 1)" "404 113"
say_to alice affiliate "$GROUP"
wait_event alice affiliated
say_to alice join "$GROUP"
expect "chat join of a prearranged group" "$(refused alice refused 2)" "404 117"
say_to alice call "$GROUP" emergency
expect "emergency" "$(refused alice refused 3)" "403 0"
say_to alice call "$GROUP" imminent
expect "imminent peril" "$(refused alice refused 4)" "403 0"
expect "calls at Bob so far" "$(event bob group-established group)" null

say_to alice call "sip:$(head -c 600 /dev/zero | tr '\0' n)@lab.example.org" # does not leave her radio
expect "no URI of a group" "$(refused alice internal 1)" "500 0"
expect "why" "$(event alice refused reason)" "no group to call"

say_to alice call "$GROUP"
wait_event alice group-established
wait_event bob group-established
say_to alice push
wait_floor alice granted
say_to alice emergency # in the call, while she speaks
wait_event alice group-not-changed
expect "emergency in the call" "$(event alice group-not-changed code)" 403
wait_event alice played
say_to alice release
wait_floor alice released
say_to alice leave
wait_event bob group-ended
for who in alice bob dave; do say_to $who quit; done
expect_exit bob 0
expect "type of the call, for Bob" "$(events bob group-established type)" normal
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
expect "what the server has seen of Dave" "$(jq -r "select(.user == \"$DAVE\" and (.event | startswith(\"group\"))) | .event" "$W/log/server.out")" ""
expect "refusals in the server's log" "$(events server group-call-refused code | sort | uniq -c | xargs)" "3 403 1 404"
expect "why, in the server's log" "$(jq -r 'select(.event == "group-call-refused" or .event == "affiliation-refused") | "\(.user): \(.text) (\(.clause))"' "$W/log/server.out")" \
    "$ALICE: user is not affiliated to this group (TS 24.379 4.4.2)
$ALICE: group document does not exist (TS 24.379 4.4.2)
$ALICE: the group identity indicated in the request is a prearranged group (TS 24.379 4.4.2)
$ALICE: he may not have a call of this type (TS 24.379 6.3.3.1.14)
$ALICE: he may not have a call of this type (TS 24.379 6.3.3.1.14)"
echo "refused: without a key, not affiliated, unknown, wrong kind, urgent; the call went on"
