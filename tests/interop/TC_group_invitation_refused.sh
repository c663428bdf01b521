#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody between a radio and its server changes what the server sends: invitations to a group call, its answers to a call,
# and what it offers in a call. The radio refuses each with a reason and its clause, and goes on to work: a key in the
# description (docs/DEVIATIONS.md "gc-key-mgmt"), a description that cannot be used or read, a group that it is not
# affiliated to, a call that is none of a group, the floor that nobody asked for, media that move.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE,emergency,imminent" --user "$BOB" --user "$CAROL"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
tone "$W/alice.wav" 1 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
DIRECT=$SERVER
tap() { # NAME KIND: whoever connects now, does so through somebody
    program_start "$1" python3 "$MCX_SOURCE/tests/support/sip_tamper.py" --connect "$(server_port server tcp)" \
        --ready-file "$W/$1.ready" --in "$2" told "$W/$1.told"
    wait_ready "$W/$1.ready"
    SERVER="sip:127.0.0.1:$(jq .port "$W/$1.ready");transport=tcp"
}
changes() { # NAME OLD=>NEW: from now on
    printf 'text\n%s' "$2" >"$W/$1.told.new"
    mv "$W/$1.told.new" "$W/$1.told"
}
done_by() { grep -c "done on" "$W/log/$1.err" || true; }
why() { # NAME EVENT
    jq -rs "map(select(.event == \"$2\")) | last | \"\(.cause): \(.reason) (\(.clause))\"" "$W/log/$1.out"
}

MIKEY=$'a=key-mgmt:mikey AQAFgM0jRVYAAQAAAAAAAAAAAAALAOX0Xw==\r\n'
CRYPTO=$'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n'
SPEECH=$'i=speech\r\n' FLOOR=$' udp MCPTT\r\n'
CODEC="the SDP has no AMR-WB audio that can be used (TS 26.179 4)"
NO_FLOOR="no floor control line (TS 24.379 6.2.1)"
NO_ADDRESS="no address for audio or floor control (RFC 4566 5.7)"
MALFORMED="malformed attribute of the floor control line (TS 24.380 12.1.2)"
ORDER="audio and floor control are not the first two lines (RFC 3264 6)"
VERSION="unknown SDP version (RFC 4566 5.1)"
COMMON=("v=0=>v=1"$'\n'"$VERSION" "AMR-WB/16000=>PCMA/8000"$'\n'"$CODEC" "$FLOOR=> udp OTHER"$'\r\n\n'"$NO_FLOOR"
    $'c=IN IP4 127.0.0.1\r\n=>\n'"$NO_ADDRESS" $'mc_queueing=>mc_priority=-1\n'"$MALFORMED"
    $'m=audio=>m=text 9 RTP/AVP 96\r\nm=audio\n'"$ORDER")

# ---- answers to Alice's call: she is out at once ----
radio_start carol carol "$CAROL" # so that there is a call
radio_on carol "$GROUP"
tap to-alice answer
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_on alice "$GROUP"
times=0
answered() { # COMMAND OLD=>NEW REASON
    times=$((times + 1))
    changes to-alice "$2"
    say_to alice call "$GROUP"
    wait_count alice refused $times
    expect "answer with $2" "$(why alice refused)" "bad-answer: $3"
    expect "changed" "$(done_by to-alice)" $times
    wait_count carol group-ended $times
}
for case in "${COMMON[@]}"; do answered call "${case%$'\n'*}" "${case##*$'\n'}"; done
answered call "mc_queueing=>mc_priority=255" "more floor priority than was asked for (TS 24.380 12.1.2.2)"
answered call "mc_queueing=>mc_granted" "the floor, which was not asked for (TS 24.380 12.1.2.2)"
answered call "max-red=0=>max-red=0; octet-align=1" "the answer does not fit the codec that was offered (RFC 4867 8.3.1)"
rm "$W/to-alice.told"

# ---- invitations to Bob: Carol answers hers, so there is a call each time ----
SERVER=$DIRECT
tap to-bob invitation
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on bob "$GROUP"
ended=$times
times=0
invited() { # CODE OLD=>NEW 'CAUSE: REASON (CLAUSE)'
    times=$((times + 1))
    changes to-bob "$2"
    say_to alice call "$GROUP"
    wait_count bob refused $times
    expect "invitation with $2" "$(event bob refused code) $(why bob refused)" "$1 $3"
    expect "changed" "$(done_by to-bob)" $times
    wait_count alice group-established $times
    rm "$W/to-bob.told"
    say_to alice leave
    wait_count carol group-ended $((ended + times))
}
KEY="key-in-sdp: a key in the description of a group call (TS 33.180 5.7)"
invited 488 $'t=0 0\r\n=>t=0 0\r\n'"$MIKEY" "$KEY"
invited 488 "$SPEECH=>$SPEECH$MIKEY" "$KEY"
invited 488 "$SPEECH=>$SPEECH$CRYPTO" "$KEY"
invited 488 "$FLOOR=>$FLOOR$CRYPTO" "$KEY"
for case in "${COMMON[@]}"; do
    cause=media
    [[ $case != *"$VERSION" ]] || cause=sdp
    invited 488 "${case%$'\n'*}" "$cause: ${case##*$'\n'}"
done
invited 403 "$GROUP=>sip:south@lab.example.org" "not-affiliated: not affiliated to the group (TS 24.379 9.2.1.2)"
invited 488 "<session-type>prearranged=><session-type>private" \
    "not-a-group-call: no session-type of a group call or no mcptt-calling-group-id (TS 24.379 10.1.1.2.1.2)"

# ---- in the call: it goes on as it was ----
say_to alice call "$GROUP"
wait_event bob group-established
wait_count alice group-established $((times + 1))
changed=$(done_by to-bob)
offers=0
offered() { # OLD=>NEW 'CAUSE: REASON (CLAUSE)' COMMAND
    offers=$((offers + 1))
    changes to-bob "$1"
    say_to alice "$3"
    wait_count bob group-offer-refused $offers
    expect "offer with $1" "$(why bob group-offer-refused)" "$2"
    expect "changed" "$(done_by to-bob)" $((changed + offers))
    wait_count carol group-type $offers
    wait_count alice group-type $offers
    rm "$W/to-bob.told"
}
offered "$SPEECH=>$SPEECH$MIKEY" "$KEY" emergency
offered "c=IN IP4 127.0.0.1=>c=IN IP4 127.0.0.2" "media: media that move in a call (RFC 3264 8.3)" normal
offered "v=0=>v=1" "sdp: $VERSION" emergency
expect "type of the call, for Bob" "$(events bob group-type type)" ""
say_to alice push
wait_event alice played
say_to alice release
wait_floor alice released
say_to alice leave
say_to carol leave
wait_event bob group-ended
for who in alice bob carol; do
    say_to $who quit
    expect_exit $who 0
done
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
echo "refused: $ended answers, $times invitations, $offers offers in the call; then Bob heard every sample"
