#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floor control without a client-server key (TS 24.380 13, TS 33.180 9.4.6): somebody has held back the one that Bob's radio
# sent; it says so, and neither calls a group whose floor control is protected nor answers its calls. Carol's radio keeps to no rules: the server refuses her
# call; called, she is told nothing of the floor and gets none, in clear or under a key that the server does not have. And
# a private call whose caller offers floor control and has no CSK is made without.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --capture "$W/wire.pcap"
tone "$W/alice.wav" 1 300
tone "$W/carol.wav" 0.6 600
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_on alice "$GROUP"
DIRECT=$SERVER
tap() { # SERVER OPTION ...: whoever connects now, does so through somebody
    rm -f "$W/tap.ready"
    program_start tap python3 "$MCX_SOURCE/tests/support/sip_tamper.py" --connect "$(server_port "$1" tcp)" \
        --ready-file "$W/tap.ready" "${@:2}"
    wait_ready "$W/tap.ready"
    SERVER="sip:127.0.0.1:$(jq .port "$W/tap.ready");transport=tcp"
}
tap server --in register bare
radio_start bob bob "$BOB"
radio_on bob "$GROUP"
SERVER=$DIRECT
expect "the key" "$(event bob csk status): $(event bob csk reason) ($(event bob csk clause))" \
    "lost: the server has not got the key that was sent (TS 33.180 5.4)"
grep -c "done on an REGISTER" "$W/log/tap.err" >"$W/times" # not again and again
expect "how often it was sent" "$(cat "$W/times")" 1

# ---- Bob's own radio ----
NO_CSK="no-control-key: no CSK with the server (TS 33.180 5.4)"
why() { # NAME
    jq -rs 'map(select(.event == "refused")) | last | "\(.cause): \(.reason) (\(.clause))"' "$W/log/$1.out"
}
say_to bob call "$GROUP"
wait_field bob refused cause no-control-key 1
expect "his call" "$(why bob)" "$NO_CSK"
expect "of which the server knows" "$(event server group-call-setup user) $(event server group-call-refused user)" "null null"
say_to alice call "$GROUP"
wait_field bob refused cause no-control-key 2
expect "a call to him" "$(why bob)" "$NO_CSK"
wait_event alice refused
expect "for Alice nobody answers" "$(event alice refused code)" 480
say_to bob quit
expect_exit bob 0

# ---- Carol's ----
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on bob "$GROUP"
member_start carol carol "$CAROL" --no-csk --say "$W/carol.wav"
wait_registered carol
say_to carol call
wait_field carol answer method INVITE 1
expect "her call" "$(jq -r 'select(.method == "INVITE") | "\(.status) \(.warning)"' "$W/log/carol.out")" "403 100"
expect "log" "$(event server group-call-refused user): $(event server group-call-refused text) ($(event server group-call-refused clause))" \
    "$CAROL: no client-server key (TS 24.379 4.4.2)"
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
wait_event carol in-call
wait_count server group-joined 3
say_to carol push # under a key of her own
say_to carol floor clear 20
wait_event carol attacked
say_to carol speak
wait_event carol spoken
say_to alice push
wait_floor bob taken
wait_event alice played
say_to alice release
wait_floor alice released
wait_count server floor-idle 1
say_to carol speak
wait_count carol spoken 2
sleep 0.3
say_to alice leave
say_to bob leave
wait_event server group-media-closed
for who in alice bob carol; do
    say_to $who quit
    expect_exit $who 0
done
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
expect "who had the floor" "$(events server floor-granted user)" "$ALICE"
expect "whom Bob heard" "$(events bob speaker mcptt_id)" "$ALICE"
expect "what Carol was told of the floor" "$(events carol floor type)$(events carol floor-refused reason)" ""
drops() { event server group-media-closed "drops[\"$1\"]"; }
expect "under her key" "$(drops "floor: he has no client-server key here")" 1
expect "in clear" "$(drops "floor: a message in clear, and the call is protected")" 20
expect "media" "$(drops "media: he does not hold the floor")" 60
[ "$(drops "floor: a message of ours could not be protected")" -ge 3 ] || fail "the server does not say that it cannot tell her"

# ---- a private call: somebody has written floor control into the offer of a phone that has no CSK ----
server_start private --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --user "$ALICE,answer=auto" --user "$BOB,answer=auto"
SERVER="sip:127.0.0.1:$(server_port private tcp);transport=tcp"
phone_start bob bob "$BOB" answer --server-id "$SERVER_ID" --record "$W/private.wav"
wait_registered bob
tap private text $'max-red=0\r\n=>max-red=0\r\nm=application 9 udp MCPTT\r\na=fmtp:MCPTT mc_queueing;mc_implicit_request\r\n'
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/alice.wav" --hangup-after-play
expect_exit alice 0
expect_exit bob 0
grep -q "done on an INVITE" "$W/log/tap.err" || fail "the offer was not changed"
expect "why there is no floor control" "$(event private floor-control-refused text)" "the caller has no client-server key"
expect "floor control" "$(event alice established floor_control) $(event bob established floor_control)" "false false"
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/private.wav" || fail "Bob did not hear what Alice said in the private call"
echo "without a CSK: no group call, no floor, 60 packets without it; a private call without floor control"
