#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the floor of a private call refuses, between unmodified programs (TS 24.380 6.3.4, 6.3.5): without queueing Bob's
# request is denied while Alice speaks (cause 1), and taken when she has done; a burst over T2 is revoked (cause 2), the
# talker is told, stops, and goes on after the other one; a talker whom no Floor Revoke reaches speaks on, and after the
# grace (T3) nothing of that passes: Bob has the floor and is heard whole.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_session --floor-queue 0
tone "$W/alice.wav" 2 300
tone "$W/bob.wav" 0.6 500
tone "$W/long.wav" 5 300
for who in alice bob; do "$MCX_BIN/mcx" audio code "$W/$who.wav" "$W/$who.coded.wav"; done
again() { # OPTION ...
    program_stop server
    server_start server --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto" --user "$BOB,answer=auto" \
        --store "$W/server.store" --store-key "$W/server.store-key" --server-id "$SERVER_ID" "$@"
    SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
}
call() {
    phone_start bob bob "$BOB" answer --play "$W/bob.wav" --record "$W/bob.heard.wav" --server-id "$SERVER_ID"
    wait_registered bob
    phone_start alice alice "$ALICE" call --to "$BOB" --server-id "$SERVER_ID" --play "$W/alice.wav" \
        --record "$W/alice.heard.wav" --hangup-after-play
    expect_exit alice 0
    expect_exit bob 0
}
last() { # NAME STATE FIELD
    jq -rs "map(select(.event == \"floor\" and .state == \"$2\")) | last | .$3" "$W/log/$1.out"
}
without_the_floor() {
    echo "$(event server relay-closed caller_refused) $(event server relay-closed callee_refused)"
}

call
expect "why Bob is denied" "$(last bob denied cause)" 1
expect "in the queue" "$(events server floor-queued user)" ""
expect "who had the floor" "$(events server floor-granted user | xargs)" "$ALICE $BOB"
expect "who was denied" "$(events server floor-denied user | sort -u)" "$BOB"
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.heard.wav" || fail "Bob did not hear what Alice said"
"$MCX_BIN/mcx" audio compare "$W/bob.coded.wav" "$W/alice.heard.wav" || fail "Alice did not hear what Bob said"
expect "packets without the floor" "$(without_the_floor)" "0 0"
echo "without a queue: denied while the other one speaks, granted after that"

again --floor-timer T2=500
call
expect "why Alice is revoked" "$(last alice revoked cause)" 2
expect "as the server has it" "$(events server floor-revoked user | head -1) $(events server floor-revoked cause | head -1)" "$ALICE 2"
expect "who had the floor then" "$(events server floor-granted user | head -3 | xargs)" "$ALICE $BOB $ALICE"
[ "$(events alice floor state | grep -c granted)" -ge 2 ] || fail "Alice did not go on: $(events alice floor state | xargs)"
expect "all of Alice's packets, for Bob" "$(event bob media received) $(event alice media sent)" "100 100"
expect "packets without the floor" "$(without_the_floor)" "0 0"
echo "over T2: revoked, told, and it goes on after the other one"

again --floor-timer T2=1000 --floor-timer T3=200
phone_start bob bob "$BOB" answer --play "$W/bob.wav" --record "$W/bob.heard.wav" --server-id "$SERVER_ID"
wait_registered bob
line_start line
lose line down revoke 1000
SERVER="sip:127.0.0.1:$(port_of line);transport=tcp"
phone_start alice alice "$ALICE" call --to "$BOB" --server-id "$SERVER_ID" --play "$W/long.wav" \
    --record "$W/alice.heard.wav" --hangup-after-play
expect_exit alice 0
expect_exit bob 0
expect "who was revoked first" "$(events server floor-revoked user | head -1)" "$ALICE"
expect "what she was told" "$(events alice floor state | grep -c revoked || true)" 0
expect "what the server says" "$(jq -r 'select(.event == "call-dropped") | "\(.what) \(.user) \(.reason) (\(.clause))"' "$W/log/server.out")" \
    "media $ALICE he does not hold the floor (TS 24.380 6.3.5.7)"
expect "the floor after her" "$(events server floor-granted user | sed -n 2p)" "$BOB"
refused=$(event server relay-closed caller_refused)
[ "$refused" -gt 0 ] || fail "nothing of what Alice said too long was dropped"
expect "all the rest, for Bob" "$(($(event bob media received) + refused))" "$(event alice media sent)"
"$MCX_BIN/mcx" audio compare "$W/bob.coded.wav" "$W/alice.heard.wav" || fail "Alice did not hear what Bob said"
echo "over T3: $refused packets dropped, while the other one has the floor"
