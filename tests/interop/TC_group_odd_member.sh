#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What authenticates and is still not taken: a member with the keys of a member sends media of another payload type, octets
# that are no speech, floor messages that only a server sends or whose fields do not end; and somebody sends Alice what she
# has sent herself, speech (TS 33.180 7.4.2) and floor control. Each is told with its reason and clause. Bob hears Alice.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --capture "$W/wire.pcap"
forge_from() { python3 "$MCX_SOURCE/tests/support/udp_forger.py" "$W/wire.pcap" "$@"; }
tone "$W/alice.wav" 2 300
tone "$W/carol.wav" 0.6 600
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_on alice "$GROUP"
say_to alice call "$GROUP"
wait_event alice refused
expect "nobody else is there" "$(event alice refused code) $(event server group-call-refused text)" "480 no other member can be called"
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on bob "$GROUP"
member_start carol carol "$CAROL" --say "$W/carol.wav" --capture "$W/wire.pcap"
wait_registered carol
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
wait_count server group-joined 3
say_to alice push
wait_event alice played
say_to alice release
wait_count server floor-idle 1
RTP=$(forge_from source --to "$(jq .audio_port "$W/bob.ready")")
FLOOR=$(forge_from source --to "$(jq .floor_port "$W/bob.ready")")
say_to carol floor odd 10
say_to carol floor cut 10
wait_count carol attacked 2
say_to carol push
wait_field carol floor type granted 1
say_to carol speak count=10 type=98
wait_event carol spoken
say_to carol speak count=10 noise=1
wait_count carol spoken 2
say_to carol release
wait_count server floor-idle 2
forge_from replay --oldest --to "$(jq .audio_port "$W/alice.ready")" --seen-to "$RTP" --count 10 >"$W/log/echo"
forge_from replay --oldest --to "$(jq .floor_port "$W/alice.ready")" --seen-to "$FLOOR" --count 1 >"$W/log/floor-echo"
for who in alice bob; do wait_field $who drop line audio 1; done
wait_field alice drop line floor 1
say_to carol bye
say_to alice leave
wait_event bob group-ended
wait_event server group-media-closed
for who in alice bob carol; do
    say_to $who quit
    expect_exit $who 0
done
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
drops() { # NAME: what its lines have dropped
    jq -r 'select(.event == "drops") | "\(.line) \(.count) \(.reason) (\(.clause))"' "$W/log/$1.out" | LC_ALL=C sort
}
expect "at Bob" "$(drops bob)" "audio 10 another payload type than the one agreed on (RFC 3264 6.1)
audio 10 the speech in the packet cannot be read (RFC 4867 4.3, 4.4)"
expect "at Alice" "$(drops alice)" "audio 10 another payload type than the one agreed on (RFC 3264 6.1)
audio 10 our own speech, sent back (TS 33.180 7.4.2)
audio 10 the speech in the packet cannot be read (RFC 4867 4.3, 4.4)
floor 1 the message came back under our own SSRC (RFC 7714 9.1)"
expect "at the server" "$(jq -r 'select(.event == "group-dropped") | "\(.user) \(.reason) (\(.clause))"' "$W/log/server.out")" \
    "$CAROL the message does not fit the state of the floor (TS 24.380 6.3.4.1)
$CAROL a field goes past the end of the message (TS 24.380 8.2.3.1)"
expect "of each" "$(event server group-media-closed drops | jq -c '[.[]]')" "[10,10]"
expect "whom Bob heard" "$(events bob speaker mcptt_id)" "$ALICE"
echo "odd: 40 packets of a member and 11 of Alice's own, none taken"
