#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Carol is a member who does not keep to the rules: her radio is tests/support/rogue_member.py, with the keys that she has.
# From her own address she sends floor messages in clear, again, changed and out of other users' mouths, and media without
# the floor: nothing of it moves the floor or is passed on, and the server says what it was. With the floor she speaks
# under Alice's GUK-ID: Bob's radio shows that the server names another. Then she is removed, and speaks on under the old
# key: through a server that has not been told, past one that has, and straight to Bob. He hears nothing of it.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --capture "$W/wire.pcap"
tone "$W/alice.wav" 4 300
tone "$W/carol.wav" 0.6 600
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
"$MCX_BIN/mcx" audio code "$W/carol.wav" "$W/carol.coded.wav"
gms_of() { # USER: options of a radio that looks every second
    echo "--gms-url https://127.0.0.1:$(port_of gms) --gms-uri $(cat "$W/gms.uri") --gms-ca $W/ca.pem --gms-token $W/$1.gms-token --group $GROUP --gms-poll 1"
}
# shellcheck disable=SC2046
{
    radio_start alice alice "$ALICE" --play "$W/alice.wav" $(gms_of alice)
    radio_start bob bob "$BOB" --record "$W/bob.wav" $(gms_of bob)
}
member_start carol carol "$CAROL" --say "$W/carol.wav" --capture "$W/wire.pcap"
radio_on alice "$GROUP"
radio_on bob "$GROUP"
wait_registered carol
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
wait_event carol in-call
wait_count server group-joined 3
FRAMES=30

# ---- while Alice speaks ----
say_to alice push
wait_floor alice granted
wait_floor bob taken
say_to carol push # as it should be: she waits
wait_field carol floor type position-info 1
say_to carol release
say_to carol floor clear 20
say_to carol floor again 20
say_to carol floor altered 20
say_to carol floor seen 20
wait_count carol attacked 4
say_to carol speak
wait_event carol spoken
expect "Alice speaks on" "$(grep -c '"event":"played"' "$W/log/alice.out")" 0
expect "told of her place" "$(jq -r 'select(.event == "floor") | .type' "$W/log/carol.out" | grep -c position-info)" 1
wait_event alice played
say_to alice release
wait_count server floor-idle 1
expect "whom the server named to Bob" "$(jq -r 'select(.event == "floor" and .state == "taken") | .talker' "$W/log/bob.out")" "$ALICE"
expect "who had the floor, who waited" "$(events server floor-granted user | xargs) $(events server floor-queued user | xargs)" "$ALICE $CAROL"

# ---- with the floor, as Alice ----
say_to carol push
wait_field carol floor type granted 1
say_to carol speak "as=$ALICE"
wait_field bob speaker claimed "$CAROL" 1
wait_count carol spoken 2
expect "whom Bob hears, whom the server names" "$(event bob speaker mcptt_id) $(event bob speaker claimed)" "$ALICE $CAROL"
event bob speaker sentence | grep -q "although the server names" || fail "Bob is not warned"
say_to carol release
wait_count server floor-idle 2

# ---- removed, and the server does not know it ----
gms_group gms remove --group "$GROUP" --member "$CAROL" >"$W/log/remove"
wait_status bob key revoked
say_to carol push
wait_field carol floor type granted 2
speakers=$(events bob speaker guk_id | wc -l)
say_to carol speak
wait_count carol spoken 3
say_to carol release
wait_count server floor-idle 3

# ---- and now it does ----
group_document north "$GROUP"
kill -HUP "${PIDS[server]}"
wait_event carol out-of-call
say_to carol speak # to the server
wait_count carol spoken 4
say_to carol speak "to=$(jq .audio_port "$W/bob.ready")"
wait_count carol spoken 5
sleep 0.3
say_to alice leave
say_to bob leave
wait_event bob group-ended
wait_event server group-media-closed
for who in alice bob carol; do
    say_to $who quit
    expect_exit $who 0
done

"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
"$MCX_BIN/mcx" audio compare "$W/carol.coded.wav" "$W/bob.wav" || fail "the one time that she was heard, she was not heard whole"
expect "packets that Bob heard" "$(event bob media received)" "$(($(event alice media sent) + FRAMES))"
expect "lost, late, concealed, again" "$(event bob media lost) $(event bob media late) $(event bob media concealed) $(event bob media duplicates)" "0 0 0 0"
expect "under the old key" "$(($(event bob media unknown_key) + $(event bob media refused)))" $((2 * FRAMES))
expect "speakers after that" "$(events bob speaker guk_id | wc -l)" "$speakers"
told() { jq -r "select(.event == \"$1\" and .line == \"audio\") | \"\(.count) \(.reason) (\(.clause))\"" "$W/log/bob.out"; }
expect "told by Bob's radio at once" "$(told drop)" "1 the key of this group is revoked (TS 33.180 E.6.9)"
expect "and at the end" "$(told drops)" "$((2 * FRAMES)) the key of this group is revoked (TS 33.180 E.6.9)"
drops() { event server group-media-closed "drops[\"$1\"]"; }
expect "in clear" "$(drops "floor: a message in clear, and the call is protected")" 20
expect "again" "$(drops "floor: the packet was seen before, or is older than the window")" 20
expect "altered" "$(drops "floor: the authentication tag is wrong")" 20
expect "of others" "$(drops "floor: no key of this channel has that identifier")" 20
expect "without the floor" "$(drops "media: he does not hold the floor")" $FRAMES
expect "when she was out" "$(drops "media: it came from no participant's address")" $FRAMES
dropped() { # what, of whom, by which clause
    jq -r 'select(.event == "group-dropped") | if .user then "\(.what) \(.user) \(.clause)" else "\(.what) of nobody" end' \
        "$W/log/server.out" | LC_ALL=C sort | uniq -c | sed 's/^ *//'
}
expect "one line a kind" "$(dropped)" "1 floor $CAROL RFC 3711 3.3.2
1 floor $CAROL RFC 7714 8.2
1 floor $CAROL TS 24.380 13
1 floor $CAROL TS 33.180 9.4.6
1 media of nobody
1 media $CAROL TS 24.380 6.3.5.7"
echo "rogue: 80 floor messages, $FRAMES packets without the floor and $((3 * FRAMES)) under a key she no longer has; Bob heard $(event bob media received)"
