#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Carol has stolen Bob's client-server key (TS 33.180 9.4.6): what she makes anew under it is taken neither from her own
# address, nor from a third one, nor by Alice's radio: a key of the server with one user opens nothing for another.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 2 300
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_on alice "$GROUP"
member_start bob bob "$BOB"
member_start carol carol "$CAROL"
member_start outside carol "$CAROL" # the same user, at another place: the server calls him where he registered last
for who in bob carol outside; do wait_registered $who; done
say_to alice call "$GROUP"
wait_event alice group-established
wait_event outside in-call
wait_count server group-joined 3
port=$(jq .floor "$W/log/outside.out" | grep -v null)
say_to alice push
wait_floor alice granted
say_to outside floor "$W/bob.ready" 20
say_to carol floor "$W/bob.ready" 20 "$port"
wait_event outside attacked
wait_event carol attacked
say_to carol floor "$W/bob.ready" 20 "$(jq .floor_port "$W/alice.ready")"
wait_count carol attacked 2
wait_event alice played
say_to alice release
wait_count server floor-idle 1
expect "who had the floor, who waited" "$(events server floor-granted user) $(events server floor-queued user)" "$ALICE "
say_to bob floor "$W/bob.ready" 1 # the same from Bob's own address is as good as his own
wait_field bob floor type granted 1
say_to bob bye
say_to alice leave
wait_event server group-media-closed
for who in alice bob carol outside; do
    say_to $who quit
    expect_exit $who 0
done
drops() { event server group-media-closed "drops[\"floor: $1\"]"; }
expect "from her own address, from another" "$(drops "no key of this channel has that identifier") $(drops "it came from no participant's address")" "20 20"
expect "whose it was" "$(jq -r 'select(.event == "group-dropped") | "\(.user) \(.clause)"' "$W/log/server.out" | grep -v null)" "$CAROL TS 33.180 9.4.6"
expect "at Alice's radio" "$(jq -r 'select(.event == "drops" and .line == "floor") | "\(.count) \(.reason) (\(.clause))"' "$W/log/alice.out")" \
    "20 no key of this channel has that identifier (TS 33.180 9.4.6)"
echo "stolen: 60 floor messages under Bob's key, none taken"
