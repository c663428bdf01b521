#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody without a key sends to Bob while Alice speaks to him: her own packets again, changed, under another MKI, RTP in
# clear, cut off, noise. He hears her sample by sample; every kind is told once, with its reason and clause, and counted.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_two_users --capture "$W/wire.pcap"
tone "$W/said.wav" 3
"$MCX_BIN/mcx" audio code "$W/said.wav" "$W/coded.wav"

phone_start bob bob "$BOB" answer --record "$W/heard.wav"
wait_registered bob
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
python3 "$MCX_SOURCE/tests/support/udp_forger.py" "$W/wire.pcap" replay,flip,roc,ahead,plain,short,noise \
    --to "$(jq .audio_port "$W/bob.ready")" --count 560 --per-second 400 >"$W/log/forged.out"
expect_exit alice 0
expect_exit bob 0

"$MCX_BIN/mcx" audio compare "$W/coded.wav" "$W/heard.wav" || fail "Bob did not hear what Alice said"
sent=$(event alice media sent)
expect "packets" "$(event bob media received) $(event bob media lost) $(event bob media late)" "$sent 0 0"
expect "every forged packet is counted" "$(($(event bob media refused) + $(event bob media duplicates)))" 560

drops() { jq -rs "map(select(.event == \"$1\" and .line == \"audio\")) | $2" "$W/log/bob.out"; }
for reason in "the authentication tag is wrong;RFC 7714 8.2" "the MKI names another key;RFC 3711 3.1" \
    "the packet was seen before, or is older than the window;RFC 3711 3.3.2" "the packet is too short;RFC 7714 8.2" \
    "the version in the header is not 2;RFC 3550 5.1"; do
    expect "told of: $reason" "$(drops drop '.[] | .reason + ";" + .clause' | grep -cxF "$reason")" 1
done
expect "the kinds, at the end" "$(drops drops '[.[] | .reason] | sort')" "$(drops drop '[.[] | .reason] | sort')"
expect "all of them, by kind" "$(drops drops 'map(.count) | add')" 560
expect "nothing for Alice" "$(grep -c '"event":"drop' "$W/log/alice.out")" 0
echo "560 forged: $(drops drops 'map("\(.count) \(.reason)") | join("; ")')"
