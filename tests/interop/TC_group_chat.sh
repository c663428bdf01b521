#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A chat group between unmodified programs (TS 24.379 10.1.2): nobody is invited, who joins is in. Carol joins while Alice
# speaks and hears the rest at once; Bob leaves and comes back; the session ends when nobody is left.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
CHAT=sip:chat@lab.example.org
lab_chat() { # a second group, of chat, with a key of its own; the server reads its document too
    local who
    gms_group gms create --group "$CHAT" --chat --member "$ALICE" --member "$BOB" --member "$CAROL" >"$W/log/create-chat"
    gms_await gms "$CHAT"
    for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL"; do
        gms_fetch gms "${who%%=*}" "${who#*=}" "$GROUP" "$CHAT" >>"$W/log/${who%%=*}.groups"
    done
    group_document chat "$CHAT"
    program_stop server
    server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
        --server-id "$SERVER_ID" --group-doc "$W/chat.group.xml" --user "$ALICE" --user "$BOB" --user "$CAROL"
    SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
}
lab_chat
tone "$W/alice.wav" 3 300
tone "$W/bob.wav" 0.6 500

radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --play "$W/bob.wav"
radio_start carol carol "$CAROL" --record "$W/carol.heard.wav"
for who in alice bob carol; do radio_on "$who" "$CHAT"; done
for who in alice bob carol; do wait_status "$who" key active 2; done # those of both groups

say_to alice call "$CHAT" # as if it were prearranged
wait_event alice refused
expect "called as a prearranged group" "$(event alice refused code) $(event server group-call-refused text) ($(event server group-call-refused clause))" \
    "404 the group identity indicated in the request is a chat group (TS 24.379 4.4.2)"
say_to alice join "$CHAT"
wait_event alice group-established
expect "the kind of session" "$(event alice group-established session)" chat
sleep 0.3
expect "nobody is invited to a chat" "$(event bob group-established session) $(event carol group-established session)" "null null"
say_to bob join "$CHAT"
wait_event bob group-established

say_to alice push
wait_floor alice granted
wait_floor bob taken
sleep 0.5
say_to carol join "$CHAT" # in the middle of what Alice says
wait_event carol group-established
wait_event carol speaker
expect "whom Carol hears" "$(event carol speaker key_id)" "$(event alice group-established key_id)"
expect "the server tells her who speaks" "$(events carol floor talker | tail -1)" "$ALICE"

say_to bob leave
wait_event bob group-ended
expect "the others go on" "$(event alice group-ended cause) $(event carol group-ended cause)" "null null"
wait_event alice played
say_to alice release
wait_floor carol idle
say_to bob join "$CHAT"
wait_field bob group-established session chat 2 # he is back
say_to bob push
wait_floor bob granted
wait_event bob played
say_to bob release
wait_floor bob released

say_to alice leave
wait_event alice group-ended
say_to bob leave
wait_field bob group-ended group "$CHAT" 2
say_to carol leave
wait_event carol group-ended
wait_event server group-call-ended

for who in alice bob carol; do say_to "$who" quit; expect_exit "$who" 0; done
expect "lost to Carol after she came" "$(event carol media lost) $(event carol media refused) $(event carol media unknown_key)" "0 0 0"
[ "$(event carol media received)" -gt 60 ] || fail "Carol heard $(event carol media received) packets only"
[ "$(event carol media received)" -lt 170 ] || fail "Carol heard what was said before she came"
expect "whom Carol heard last" "$(event carol speaker mcptt_id)" "$BOB"
echo "chat: Carol came late and heard $(event carol media received) packets; Bob left and came back"
