#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole call on loopback: KMS, server, two phones. Bob hears, sample by sample, what AMR-WB makes of what Alice
# says; both wipe their keys; a phone in a call needs less than 32 MiB.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_two_users

code=0
"$MCX_BIN/mcx-ue" call --to "$BOB" 2>"$W/log/usage" || code=$?
expect "exit code of a wrong command line" "$code" 2
tone "$W/said.wav" 1.5
"$MCX_BIN/mcx" audio code "$W/said.wav" "$W/coded.wav"

phone_start bob bob "$BOB" answer --record "$W/heard.wav"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
wait_event bob established
rss=$(awk '/VmHWM/ { print $2 }' "/proc/${PIDS[bob]}/status")
expect_exit alice 0
expect_exit bob 0

"$MCX_BIN/mcx" audio compare "$W/coded.wav" "$W/heard.wav" || fail "Bob did not hear what Alice said"
expect "the signer that Bob verified" "$(event bob verified initiator)" "$ALICE"
expect "key identifiers" "$(event alice established key_id)" "$(event bob established key_id)"
expect "purpose tag" "$(event alice established key_id | cut -c1)" 1
expect "who ended the call, for Bob" "$(event bob ended cause)" peer-hangup
expect "packets" "$(event alice media sent)" "$(event bob media received)"
for phone in alice bob; do
    expect "$phone wiped its keys" "$(event $phone idle keys_wiped)" true
    [ "$(event $phone media refused)" -eq 0 ] || fail "$phone refused media packets"
done
[ "$rss" -lt 32768 ] || fail "Bob's phone needs $rss KiB"
echo "call done, $(event bob media received) packets, $rss KiB resident at most"
