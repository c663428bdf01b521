#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two speakers at once: while Alice holds the floor and speaks, Carol (tests/support/rogue_member.py) speaks past the server,
# straight to Bob's radio, under her own GUK-ID. Bob opens both streams, packet by packet, and his recording is the one laid
# over the other, sample by sample; to him the server names Alice alone. He is told of a speaker once, not at every packet.
# Alice, to whom nobody sends, hears nothing.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 6 300
tone "$W/loud.wav" 1 600
sox -q -v 0.3 "$W/loud.wav" "$W/carol.wav"
for who in alice carol; do "$MCX_BIN/mcx" audio code "$W/$who.wav" "$W/$who.coded.wav"; done
radio_start alice alice "$ALICE" --play "$W/alice.wav" --record "$W/alice.heard.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
member_start carol carol "$CAROL" --say "$W/carol.wav"
radio_on alice "$GROUP"
radio_on bob "$GROUP"
wait_registered carol
say_to alice call "$GROUP"
wait_event bob group-established
wait_event carol in-call
wait_count server group-joined 3
FRAMES=50

say_to alice push
wait_field bob speaker mcptt_id "$ALICE" 1
say_to carol speak "to=$(jq .audio_port "$W/bob.ready")"
wait_field bob speaker ssrc "$(jq -r .ssrc "$W/carol.ready")" 1
wait_event carol spoken
expect "Alice still speaks" "$(grep -c '"event":"played"' "$W/log/alice.out")" 0
wait_event alice played
say_to alice release
wait_event server floor-idle
say_to alice leave
say_to bob leave
wait_event bob group-ended
wait_event server group-media-closed
for who in alice bob carol; do
    say_to $who quit
    expect_exit $who 0
done

python3 "$MCX_SOURCE/tests/support/amrwb.py" mixed "$W/alice.coded.wav" "$W/carol.coded.wav" "$W/bob.wav" ||
    fail "Bob did not hear both"
expect "packets for Bob" "$(event bob media received)" $(($(event alice media sent) + FRAMES))
expect "refused" "$(event bob media refused)" 0
expect "lost, late, concealed, again" "$(event bob media lost) $(event bob media late) $(event bob media concealed) $(event bob media duplicates)" "0 0 0 0"
expect "whom the server names while they speak" "$(events bob speaker claimed | sort -u | xargs)" "$ALICE"
told=$(events bob speaker guk_id | wc -l)
[ "$told" -lt $((FRAMES / 2)) ] || fail "Bob was told $told times who speaks"
expect "two GUK-IDs" "$(events bob speaker guk_id | sort -u | wc -l)" 2
expect "who had the floor" "$(events server floor-granted user | xargs)" "$ALICE"
expect "packets for Alice" "$(event alice media received)" 0
echo "two at once: $(event bob media received) packets of two GUK-IDs, none refused, both in the recording"
