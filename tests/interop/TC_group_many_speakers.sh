#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# More unknown speakers at a time than a radio derives keys for (TS 33.180 7.4.2): somebody without a key sends under two
# thousand GUK-IDs in a second while Alice speaks. Bob's radio gives up on the flood, says so, and hears every word of hers.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --capture "$W/wire.pcap"
tone "$W/alice.wav" 3 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
for who in alice bob; do radio_on $who "$GROUP"; done
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
say_to alice push
wait_event bob speaker
program_start flood python3 "$MCX_SOURCE/tests/support/udp_forger.py" "$W/wire.pcap" speaker --to "$(jq .audio_port "$W/bob.ready")" \
    --count 3000 --per-second 2000
wait_event alice played
program_wait flood || fail "the flood: $(cat "$W/log/flood.err")"
say_to alice release
wait_floor bob idle 2
say_to alice leave
wait_event bob group-ended
for who in alice bob; do
    say_to $who quit
    expect_exit $who 0
done
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" >"$W/log/compare" || fail "Bob did not hear all of Alice"
expect "Bob lost of Alice" "$(event bob media lost) $(event bob media received)" "0 $(event alice media sent)"
expect "Bob says of the flood" "$(jq -r 'select(.event == "drop" and .reason == "too many unknown speakers at a time") | .clause' "$W/log/bob.out")" \
    "TS 33.180 7.4.2"
echo "a flood of unknown speakers: given up, and Alice is heard"
