#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The queue of the floor between unmodified programs (TS 24.380 4.1.1.4, 6.3.4.4): who has more priority in the group
# document waits in front; who finds it full is denied (cause 7); an emergency caller pre-empts the talker over the full
# queue (cause 4), and the others have the floor after him in their order. Without queueing a request is denied (cause 1).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
DAVE=sip:dave@lab.example.org
lab_group
provision kms dave "$DAVE"
gms_token gms dave "$DAVE"
gms_group gms add --group "$GROUP" --member "$DAVE" >"$W/log/add"
for _ in $(seq 200); do # his payload is made beside the others
    gms_get gms dave org.3gpp.MCPTT-GKTP "$GROUP" >"$W/log/dave.get"
    grep -qs "$DAVE" "$W/dave.xml" && break
    sleep 0.1
done
gms_fetch gms dave "$DAVE" "$GROUP" >"$W/log/dave.groups"
group_document north "$GROUP"
python3 - "$W/north.group.xml" "$BOB=2" "$CAROL=4" <<'END'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
for uri, priority in (word.split("=") for word in sys.argv[2:]):
    entry = re.search('<entry uri="%s">.*?</entry>' % uri, text, re.S).group()
    text = text.replace(entry, re.sub("user-priority>[0-9]+<", "user-priority>%s<" % priority, entry))
open(sys.argv[1], "w", encoding="utf-8").write(text)
END
again() { # OPTION ...
    program_stop server
    server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
        --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE" --user "$BOB" --user "$CAROL" \
        --user "$DAVE,emergency" "$@"
    SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
}
radios() {
    local who
    for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL" "dave=$DAVE"; do
        radio_start "${who%%=*}" "${who%%=*}" "${who#*=}" --play "$W/long.wav"
    done
    for who in alice bob carol dave; do radio_on "$who" "$GROUP"; done
    say_to alice call "$GROUP"
    for who in alice bob carol dave; do wait_event "$who" group-established; done
    say_to alice push
    wait_floor alice granted
    for who in bob carol dave; do wait_floor "$who" taken; done
}
quit() {
    local who
    for who in alice bob carol dave; do
        say_to "$who" quit
        expect_exit "$who" 0
    done
}
last() { # NAME STATE FIELD
    jq -rs "map(select(.event == \"floor\" and .state == \"$2\")) | last | .$3" "$W/log/$1.out"
}
tone "$W/long.wav" 60

again --floor-queue 2
radios
say_to bob push
wait_floor bob queued
say_to carol push
wait_floor carol queued
expect "Bob, when nobody else waited" "$(last bob queued position)" 1
expect "Carol, who has more priority" "$(last carol queued position)" 1
say_to bob position
wait_floor bob queued 2
expect "Bob's place now" "$(last bob queued position)" 2
say_to dave push
wait_floor dave denied
expect "why: the queue is full (TS 24.380 8.2.6.2)" "$(last dave denied cause)" 7
expect "as the server has it" "$(event server floor-denied user) $(event server floor-denied cause)" "$DAVE 7"
say_to dave emergency
wait_field server group-call-type text emergency 1
say_to dave push
wait_floor alice revoked
expect "why: pre-empted (TS 24.380 8.2.10.2)" "$(last alice revoked cause)" 4
wait_floor dave granted
say_to dave release
wait_floor carol granted
say_to carol release
wait_floor bob granted
expect "who had the floor" "$(events server floor-granted user | xargs)" "$ALICE $DAVE $CAROL $BOB"
expect "who was revoked, and why" "$(events server floor-revoked user | xargs) $(event server floor-revoked cause)" "$ALICE 4"
quit
echo "queue: by priority, denied when it is full, pre-empted over it, in its order after that"

again --floor-queue 0
radios
say_to bob push
wait_floor bob denied
expect "why: another one speaks" "$(last bob denied cause)" 1
expect "queued" "$(events server floor-queued user)" ""
say_to alice release
wait_floor bob idle
say_to bob push
wait_floor bob granted
quit
echo "without a queue: denied while another one speaks"
