#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floor messages of a private call that must not be taken (TS 24.380 13, TS 33.180 9.4.6): somebody sits in Bob's line, so
# that what he sends comes to the server from Bob's address, and to Bob from the server's. In clear, again, changed, or out
# of Alice's mouth under Alice's key: nothing of it moves the floor, both ends say what it was, and both hear each other whole.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_session --capture "$W/wire.pcap"
tone "$W/alice.wav" 4 300
tone "$W/bob.wav" 3 500
for who in alice bob; do "$MCX_BIN/mcx" audio code "$W/$who.wav" "$W/$who.coded.wav"; done
DIRECT=$SERVER
line_start line
SERVER="sip:127.0.0.1:$(port_of line);transport=tcp"
alter line up release 1
alter line down granted 1
phone_start bob bob "$BOB" answer --play "$W/bob.wav" --record "$W/bob.heard.wav" --server-id "$SERVER_ID"
wait_registered bob
SERVER=$DIRECT
phone_start alice alice "$ALICE" call --to "$BOB" --server-id "$SERVER_ID" --play "$W/alice.wav" \
    --record "$W/alice.heard.wav" --hangup-after-play
wait_floor bob queued
forge line up clear 20
forge line up again 20
forge line down clear 20
forge line down again 20
expect "who had the floor by then" "$(events server floor-granted user)" "$ALICE"
wait_floor bob granted # and Alice has sent her Floor Release
forge line up "$W/wire.pcap" 20
expect_exit alice 0
expect_exit bob 0
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.heard.wav" || fail "Bob did not hear what Alice said"
"$MCX_BIN/mcx" audio compare "$W/bob.coded.wav" "$W/alice.heard.wav" || fail "Alice did not hear what Bob said"
expect "who had the floor" "$(events server floor-granted user | xargs)" "$ALICE $BOB"

CLEAR="a message in clear, and the call is protected"
AGAIN="the packet was seen before, or is older than the window"
CHANGED="the authentication tag is wrong"
OTHER="no key of this channel has that identifier"
drops() { event server floor-closed "drops[\"floor: $1\"]"; }
expect "at the server: in clear, again, changed, of Alice" "$(drops "$CLEAR") $(drops "$AGAIN") $(drops "$CHANGED") $(drops "$OTHER")" "20 20 1 20"
expect "its log" "$(jq -r 'select(.event == "call-dropped") | "\(.user) \(.reason) (\(.clause))"' "$W/log/server.out" | LC_ALL=C sort)" \
    "$BOB $CLEAR (TS 24.380 13)
$BOB $OTHER (TS 33.180 9.4.6)
$BOB $CHANGED (RFC 7714 8.2)
$BOB $AGAIN (RFC 3711 3.3.2)"
told() { jq -r "select(.event == \"drops\" and .line == \"floor\" and .reason == \"$1\") | \"\(.count) \(.clause)\"" "$W/log/bob.out"; }
expect "at Bob: in clear, again, changed" "$(told "the end of the protected message cannot be found"), $(told "$AGAIN"), $(told "$CHANGED")" \
    "20 TS 24.380 8.1.1, 20 RFC 3711 3.3.2, 1 RFC 7714 8.2"
echo "forged: 61 at the server from Bob's address, $(event bob media floor_refused) at Bob from the server's"
