#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two members declare an emergency in the same moment, between unmodified programs: their re-INVITEs and those of the server
# meet (RFC 3261 14.1, 491), and in the end all three are in the same kind of call, five times over.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE,emergency,imminent" --user "$BOB,emergency,imminent" --user "$CAROL"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL"; do radio_start "${who%%=*}" "${who%%=*}" "${who#*=}"; done
for who in alice bob carol; do radio_on "$who" "$GROUP"; done

type_becomes() { # TYPE: of the last group-type event of all three
    local i who same
    for i in $(seq 300); do
        same=0
        for who in alice bob carol; do
            [ "$(event "$who" group-type type)" = "$1" ] && same=$((same + 1))
        done
        [ "$same" -eq 3 ] && return 0
        sleep 0.1
    done
    fail "not all are in a call that is $1"
}

say_to alice call "$GROUP"
for who in alice bob carol; do wait_event "$who" group-established; done
for _ in 1 2 3 4 5; do
    say_to alice emergency
    say_to bob emergency
    type_becomes emergency
    say_to alice normal
    say_to bob normal
    type_becomes normal
done
cat "$W"/log/{alice,bob,carol}.out | jq -es 'any(.event == "group-not-changed" or .event == "group-ended")' >/dev/null &&
    fail "a change was given up, or the call"
for who in alice bob carol; do say_to "$who" quit; expect_exit "$who" 0; done
echo "emergencies that cross: all agree"
