#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Urgent group calls between unmodified programs (TS 24.379 6.2.8.1, TS 24.380 4.1.1.4): an emergency caller pre-empts who
# speaks, the others see it in the floor indicator, it is cancelled again; imminent peril from the start becomes an
# emergency and ends; an emergency from the start. All see who has changed what; the keys stay. Who may not, is refused.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE,emergency" --user "$BOB,emergency,imminent" --user "$CAROL"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
tone "$W/alice.wav" 10 300
tone "$W/bob.wav" 3 500
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --play "$W/bob.wav"
radio_start carol carol "$CAROL"
for who in alice bob carol; do radio_on "$who" "$GROUP"; done

say_to carol call "$GROUP" emergency
wait_event carol refused
expect "who may not call so" "$(event carol refused code)" 403
say_to alice call "$GROUP"
for who in alice bob carol; do wait_event "$who" group-established; done
key=$(event alice group-established key_id)

say_to alice push
wait_floor alice granted
wait_event bob speaker
say_to bob emergency # in the call
wait_field server group-call-type text emergency 1
for who in alice carol; do
    wait_field "$who" group-type type emergency 1
    expect "who has declared it, for $who" "$(event "$who" group-type caller)" "$BOB"
done
say_to bob push
wait_floor alice revoked
expect "why, for Alice: pre-empted (TS 24.380 8.2.6.2)" "$(jq -r 'select(.event == "floor" and .state == "revoked") | .cause' "$W/log/alice.out")" 4
wait_floor bob granted
wait_field carol floor talker "$BOB" 1
expect "Carol sees that it is an emergency (bit D of the Floor Indicator, 8.2.3.15)" \
    "$(jq -s "map(select(.event == \"floor\" and .talker == \"$BOB\")) | last | .indicator / 4096 | floor % 2" "$W/log/carol.out")" 1
wait_field carol speaker mcptt_id "$BOB" 1
expect "the key is that of the normal call" "$(event carol speaker key_id)" "$key"
guk=$(event carol speaker guk_id)
say_to bob release
wait_floor bob released

say_to bob normal
wait_field server group-call-type text normal 1
for who in alice carol; do wait_field "$who" group-type type normal 1; done
say_to alice push
wait_floor alice granted 2
say_to alice release
wait_floor alice released 1
say_to bob leave
wait_event bob group-ended
say_to alice leave
wait_event carol group-ended

say_to bob call "$GROUP" imminent # from the start
wait_field alice group-established type imminent-peril 1
wait_field carol group-established type imminent-peril 1
wait_field bob group-established type imminent-peril 1
expect "key of the imminent-peril call" "$(event bob group-established key_id)" "$key"
say_to bob push
wait_floor bob granted 2
wait_field carol speaker mcptt_id "$BOB" 2
expect "Bob's own key is the same" "$(event carol speaker guk_id)" "$guk"
say_to bob release
wait_floor bob released 2
for who in bob alice; do say_to "$who" leave; done
for who in alice bob carol; do wait_count "$who" group-ended 2; done

say_to bob call "$GROUP" emergency # from the start
for who in alice carol; do wait_field "$who" group-established type emergency 1; done
wait_field bob group-established type emergency 1
expect "key of the emergency call" "$(event bob group-established key_id)" "$key"
say_to bob push
wait_floor bob granted 3
wait_field carol speaker mcptt_id "$BOB" 3
expect "Carol sees the emergency again" \
    "$(jq -s "map(select(.event == \"floor\" and .talker == \"$BOB\")) | last | .indicator / 4096 | floor % 2" "$W/log/carol.out")" 1
expect "Bob's own key in the emergency call" "$(event carol speaker guk_id)" "$guk"
say_to bob release
wait_floor bob released 3
for who in bob alice; do say_to "$who" leave; done
for who in alice bob carol; do wait_count "$who" group-ended 3; done

say_to alice call "$GROUP"
for who in alice bob carol; do wait_count "$who" group-established 4; done
say_to bob imminent # in the call, and over again
for who in alice bob carol; do wait_field "$who" group-type type imminent-peril 1; done
say_to carol normal
wait_event carol group-not-changed
say_to bob normal
for who in alice bob carol; do wait_field "$who" group-type type normal 2; done
expect "the key all the while" "$(jq -r 'select(.event == "speaker" or .event == "group-established") | .key_id' "$W/log/carol.out" | sort -u)" "$key"

all_told() { # TYPE CALLER NAME ...: the next change that these hear of
    for who in "${@:3}"; do
        wait_count "$who" group-type $((had[$who] + 1))
        expect "new type and whose it is, for $who" "$(event "$who" group-type type) $(event "$who" group-type caller)" "$1 $2"
        had[$who]=$((had[$who] + 1))
    done
}
declare -A had
for who in alice bob carol; do had[$who]=$(events "$who" group-type type | wc -l); done
say_to bob imminent
all_told imminent-peril "$BOB" alice bob carol
say_to alice emergency # she may not ask for imminent peril, but for more
all_told emergency "$ALICE" alice bob carol
heard=$(events carol speaker mcptt_id | grep -c "$ALICE")
say_to alice push
wait_floor alice granted 3
wait_field carol speaker mcptt_id "$ALICE" $((heard + 1))
expect "key of what has become an emergency" "$(event carol speaker key_id)" "$key"
say_to alice release
say_to bob imminent # less than what it is: it stays
say_to bob push # answered later than that
wait_floor bob granted 4
say_to bob release
wait_floor bob released 4
say_to carol normal
wait_count carol group-not-changed 2
expect "who may not end it" "$(event carol group-not-changed code)" 403
say_to carol leave
wait_count carol group-ended 4
say_to carol call "$GROUP" # comes back as if it were a normal call
wait_field carol group-established type emergency 2
say_to alice normal # it was imminent peril before, and is not now
all_told normal "$ALICE" alice bob carol
expect "call types that the server has set" "$(events server group-call-type text | xargs)" \
    "emergency normal imminent-peril normal imminent-peril emergency normal"
for who in bob alice carol; do say_to "$who" quit; expect_exit "$who" 0; done
echo "urgent calls: pre-empted, seen, cancelled; one key throughout"
