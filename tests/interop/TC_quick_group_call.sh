#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A prearranged group call between unmodified programs: KMS, GMS, server, three radios. Alice has the floor and speaks, Bob
# hears her sample by sample; he asks, waits in the queue, gets the floor, and Alice hears him; Carol switches on in the
# middle.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group

tone "$W/alice.wav" 1.5 300
tone "$W/bob.wav" 1 500
for who in alice bob; do "$MCX_BIN/mcx" audio code "$W/$who.wav" "$W/$who.coded.wav"; done

radio_start bob bob "$BOB" --play "$W/bob.wav" --record "$W/bob.heard.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav" --record "$W/alice.heard.wav"
radio_on bob "$GROUP"
radio_on alice "$GROUP"

say_to alice call "$GROUP"
wait_event alice group-established
wait_event bob group-established
expect "who called, for Bob" "$(event bob group-established caller)" "$ALICE"
expect "the key" "$(event alice group-established key_id)" "$(event bob group-established key_id)"

say_to alice push
wait_floor alice granted
wait_floor bob taken
expect "who speaks, for Bob" "$(jq -rs 'map(select(.event == "floor" and .state == "taken")) | last | .talker' "$W/log/bob.out")" "$ALICE"
say_to bob push
wait_floor bob queued
radio_start carol carol "$CAROL" # late: she is invited as soon as she is affiliated
radio_on carol "$GROUP"
wait_event carol group-established
wait_event alice played
say_to alice release
wait_floor bob granted
wait_event bob played
say_to bob release
wait_floor bob released

say_to carol quit
expect_exit carol 0
expect "whose key it was, for Carol" "$(event carol speaker mcptt_id)" "$BOB"
say_to alice leave
wait_event alice group-ended
wait_event bob group-ended
say_to alice quit
say_to bob quit
expect_exit alice 0
expect_exit bob 0

"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.heard.wav" || fail "Bob did not hear what Alice said"
"$MCX_BIN/mcx" audio compare "$W/bob.coded.wav" "$W/alice.heard.wav" || fail "Alice did not hear what Bob said"
expect "whose key it was, for Bob" "$(event bob speaker mcptt_id)" "$ALICE"
expect "whose key it was, for Alice" "$(event alice speaker mcptt_id)" "$BOB"
expect "packets of Alice" "$(event alice media sent)" "$(event bob media received)"
expect "packets of Bob" "$(event bob media sent)" "$(event alice media received)"
expect "not taken" "$(event alice media refused) $(event bob media refused) $(event bob media unknown_key)" "0 0 0"
echo "group call done: $(event bob media received) and $(event alice media received) packets"
