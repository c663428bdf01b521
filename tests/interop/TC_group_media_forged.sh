#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody without a key sends to a listener and to the server while Alice speaks, and the group is re-keyed meanwhile: a
# flood of forged ROCs, sequence numbers, GMK-IDs and GUK-IDs, her own packets again, RTP in clear, noise, and floor control
# in clear, again, changed, or under another user's key. Bob hears Alice sample by sample; not one packet of hers is lost.
# Afterwards all that was said is sent to Bob once more, as a server could: he hears nothing.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --capture "$W/wire.pcap"
forge() { python3 "$MCX_SOURCE/tests/support/udp_forger.py" "$W/wire.pcap" "$@"; }
port() { jq -r ".$2_port" "$W/$1.ready"; }
dropped() { jq -rs "map(select(.event == \"counters\")) | last | .counts[\"$1\"] // 0" "$W/log/server.out"; }

tone "$W/alice.wav" 4 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on alice "$GROUP"
radio_on bob "$GROUP"
say_to alice call "$GROUP"
wait_event alice group-established
wait_event bob group-established
gms_group gms rekey --group "$GROUP" >"$W/log/rekey"
gms_await gms "$GROUP" 2
first=$(event alice group-established key_id)

say_to alice push
wait_floor alice granted
wait_floor bob taken
RTP=$(forge source --to "$(port bob audio)")
FLOOR=$(forge source --to "$(port bob floor)")
program_start media-to-bob forge roc,ahead,mki,replay,speaker,flip,plain,noise --to "$(port bob audio)" --count 1600
program_start media-to-server forge replay,ahead,plain --to "$RTP" --seen-to "$(port bob audio)" --count 300 --per-second 150
program_start floor-to-bob forge floor,replay,flip,noise --to "$(port bob floor)" --count 120 --per-second 60
program_start others-to-bob forge replay --to "$(port bob floor)" --seen-to "$(port alice floor)" --count 40 --per-second 60
program_start floor-to-server forge floor,noise --to "$FLOOR" --seen-to "$(port bob floor)" --count 120 --per-second 60
program_start again-to-server forge replay,flip --to "$FLOOR" --seen-to "$FLOOR" --count 60 --per-second 60
for who in alice bob; do # the new key, in the middle of a word
    gms_fetch gms $who "sip:$who@lab.example.org" "$GROUP" >"$W/log/$who.rekey"
done
wait_status alice key in-use
expect "who speaks meanwhile" "$(event bob floor state) $(event bob floor talker)" "taken $ALICE"
wait_event alice played
for name in media-to-bob media-to-server floor-to-bob others-to-bob floor-to-server again-to-server; do
    program_wait $name || fail "$name: $(cat "$W/log/$name.err")"
done
say_to alice release
wait_floor bob idle
expect "floor events of Bob" "$(events bob floor state | sort | uniq -c | xargs)" "2 idle 1 taken"
[ "$(event alice key key_id)" != "$first" ] || fail "Alice has not changed her key"

sleep 0.7 # Bob has played it all
forge replay --oldest --to "$(port bob audio)" --count 200 --per-second 1000 >"$W/log/again.out"
forge replay --oldest --to "$(port bob floor)" --count 20 >"$W/log/floor-again.out"
say_to alice leave
wait_event bob group-ended
for who in alice bob; do
    say_to $who quit
    expect_exit $who 0
done
kill -USR1 "${PIDS[server]}"
wait_event server counters

"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
sent=$(event alice media sent)
expect "packets of Alice" "$(event bob media received)" "$sent"
expect "lost, late, concealed" "$(event bob media lost) $(event bob media late) $(event bob media concealed)" "0 0 0"
expect "speakers for Bob" "$(events bob speaker mcptt_id | sort -u)" "$ALICE"
min() { [ "$2" -ge "$3" ] || fail "$1: $2, not $3 or more"; }
reasons() { jq -r 'select(.event == "drop" and .line == "audio") | .reason' "$W/log/bob.out"; }
for reason in "the MKI names no key of this group" "the authentication tag is wrong" "the packet was seen before, or is older than the window" \
    "the packet is too short or not RTP"; do
    expect "said once: $reason" "$(reasons | grep -cxF "$reason")" 1
done
min "under unknown keys" "$(event bob media unknown_key)" 200
min "refused" "$(event bob media refused)" 600
min "again" "$(event bob media duplicates)" 350
min "floor messages that Bob did not take" "$(event bob media floor_refused)" 175
expect "with their reasons" "$(jq -rs 'map(select(.event == "drops" and .line == "floor") | .count) | add' "$W/log/bob.out")" \
    "$(event bob media floor_refused)"
for reason in "the end of the protected message cannot be found" "no key of this channel has that identifier" \
    "the packet was seen before, or is older than the window"; do
    expect "told once: $reason" "$(jq -r 'select(.event == "drop" and .line == "floor") | .reason' "$W/log/bob.out" | grep -cx "$reason")" 1
done
min "media from elsewhere, at the server" "$(event server group-media-closed foreign)" 300
expect "passed on by the server" "$(event server group-media-closed sent)" "$sent"
min "dropped at the server's floor port" "$(dropped "floor: it came from no participant's address")" 180
echo "forged: $(event bob media refused) refused, $(event bob media unknown_key) of unknown keys, $(event bob media duplicates) again; $sent packets heard"
