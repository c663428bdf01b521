#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floor control between unmodified programs (TS 24.380 6.3.4, 6.3.5): two wait, ask for their place, one gives his up and the
# other gets the floor; who speaks too long loses it (T2, cause 2) to nobody; a silent call is released (T4, which the group
# document tells before the server's settings: table 11.1.3-1).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop server
sed -i 's|<mcpttgi:protect-media>|<mcpttgi:on-network-hang-timer>PT4S</mcpttgi:on-network-hang-timer>&|' "$W/north.group.xml"
grep -q hang-timer "$W/north.group.xml" || fail "the group document has no hang timer"
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE" --user "$BOB" --user "$CAROL" \
    --floor-timer T2=8000 --floor-timer T4=600000
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
tone "$W/long.wav" 60
for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL"; do
    radio_start "${who%%=*}" "${who%%=*}" "${who#*=}" --play "$W/long.wav"
done
for who in alice bob carol; do radio_on "$who" "$GROUP"; done
say_to alice call "$GROUP"
for who in alice bob carol; do wait_event "$who" group-established; done
place() { # NAME: its last place in the queue
    jq -rs 'map(select(.event == "floor" and .state == "queued")) | last | .position' "$W/log/$1.out"
}

say_to alice push
wait_floor alice granted
for who in bob carol; do
    wait_floor "$who" taken
    say_to "$who" push
    wait_floor "$who" queued
done
expect "the places of Bob and Carol" "$(place bob) $(place carol)" "1 2"
say_to bob release # gives his place up
wait_floor bob released
wait_floor bob taken 2
say_to carol position
wait_floor carol queued 2
expect "Carol's place, asked for" "$(place carol)" 1
say_to alice release
wait_floor carol granted
expect "Bob did not get the floor" "$(events bob floor state | grep -c granted || true)" 0
echo "queue: places told, one given up, the other served"

wait_floor carol revoked # T2
expect "why: too long (8.2.10.2)" "$(jq -rs 'map(select(.event == "floor" and .state == "revoked")) | last | .cause' "$W/log/carol.out")" 2
expect "as the server has it" "$(event server floor-revoked cause)" 2
wait_floor alice idle
echo "T2: who speaks too long is revoked"

wait_event server group-call-ended # T4
expect "why the call was released" "$(event server group-call-ended text)" "nobody has talked for long"
for who in alice bob carol; do wait_event "$who" group-ended; done
for who in alice bob carol; do say_to "$who" quit; expect_exit "$who" 0; done
echo "T4: the silent call is released"
