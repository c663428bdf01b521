#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Three talkers in one call, and who comes in late at ROC 7: Alice and Bob speak with mcx-ue, Dave with a radio that is not
# ours (tests/support/rogue_member.py, here an honest one) whose stream is at ROC 6 when he begins and at ROC 7 a second
# later. Then Carol comes in and hears at once, frame by frame what a decoder makes of the rest, while somebody without a
# key floods her and Bob with forged ROCs. Bob hears Alice and Dave sample by sample; nothing is lost.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
DAVE=sip:dave@lab.example.org
lab_group --capture "$W/wire.pcap" --user "$DAVE"
provision kms dave "$DAVE"
gms_token gms dave "$DAVE"
gms_group gms add --group "$GROUP" --member "$DAVE" >"$W/log/add"
for _ in $(seq 200); do # his payload is made beside the others
    gms_get gms dave org.3gpp.MCPTT-GKTP "$GROUP" >"$W/log/dave.get"
    grep -qs "$DAVE" "$W/dave.xml" && break
    sleep 0.1
done
group_document north "$GROUP"
kill -HUP "${PIDS[server]}"
forge() { python3 "$MCX_SOURCE/tests/support/udp_forger.py" "$W/wire.pcap" "$@"; }
for who in "alice 2 300" "bob 1 500" "dave 4 800"; do
    # shellcheck disable=SC2086
    set -- $who
    tone "$W/$1.wav" "$2" "$3"
    "$MCX_BIN/mcx" audio code "$W/$1.wav" "$W/$1.coded.wav"
done
radio_start alice alice "$ALICE" --play "$W/alice.wav" --record "$W/alice.heard.wav"
radio_start bob bob "$BOB" --play "$W/bob.wav" --record "$W/bob.heard.wav"
radio_start carol carol "$CAROL" --record "$W/carol.heard.wav"
member_start dave dave "$DAVE" --say "$W/dave.wav" --roc 6 --seq 65486
radio_on alice "$GROUP"
radio_on bob "$GROUP"
wait_registered carol
wait_registered dave
say_to alice call "$GROUP"
wait_count server group-joined 3

say_to alice push # ROC 0
wait_event alice played
say_to alice release
wait_count server floor-idle 1

say_to dave push
wait_field dave floor type granted 1
program_start rocs-to-bob forge roc,ahead --to "$(jq .audio_port "$W/bob.ready")" --count 900 --per-second 300
say_to dave speak
wait_field bob speaker mcptt_id "$DAVE" 1
audio=$(jq .audio_port "$W/carol.ready")
program_start rocs-to-carol forge roc,ahead --to "$audio" --seen-to "$(jq .audio_port "$W/bob.ready")" --count 900 --per-second 300
for _ in $(seq 200); do # fifty packets are under ROC 6
    [ "$(forge rocs --to "$(jq .audio_port "$W/bob.ready")")" = 7 ] && break
    sleep 0.05
done
radio_on carol "$GROUP" # who affiliates is invited into the call
wait_field carol speaker ssrc "$(jq -r .ssrc "$W/dave.ready")" 1
wait_event dave spoken
say_to dave release
wait_count server floor-idle 2
sleep 2 # a radio that got its time late records the first one later: the two would be mixed

say_to bob push # ROC 0 again, another talker
wait_floor bob granted
wait_event bob played
say_to bob release
wait_count server floor-idle 3
for name in rocs-to-bob rocs-to-carol; do
    program_wait $name || fail "$name: $(cat "$W/log/$name.err")"
done
for who in alice bob carol; do say_to $who leave; done
wait_event carol group-ended
for who in alice bob carol dave; do
    say_to $who quit
    expect_exit $who 0
done

heard() { # TEXT REFERENCE RECORDING
    "$MCX_BIN/mcx" audio compare "$W/$2" "$W/$3" || fail "$1"
}
heard "Bob did not hear Alice" alice.coded.wav bob.heard.wav
heard "Bob did not hear Dave" dave.coded.wav bob.heard.wav
heard "Alice did not hear Dave" dave.coded.wav alice.heard.wav
heard "Alice did not hear Bob" bob.coded.wav alice.heard.wav
heard "Carol did not hear Bob" bob.coded.wav carol.heard.wav
late=$(($(event carol media received) - $(event bob media sent)))
{ [ "$late" -gt 0 ] && [ "$late" -lt 150 ]; } || fail "Carol heard $late packets of Dave"
python3 "$MCX_SOURCE/tests/support/amrwb.py" tail "$W/dave.wav" "$late" "$W/dave.rest.wav"
heard "Carol did not hear the rest of Dave" dave.rest.wav carol.heard.wav
expect "packets of Alice and Dave for Bob" "$(event bob media received)" $(($(event alice media sent) + 200))
expect "packets of Dave and Bob for Alice" "$(event alice media received)" $((200 + $(event bob media sent)))
for who in alice bob carol; do
    expect "lost, late, concealed for $who" "$(event $who media lost) $(event $who media late) $(event $who media concealed)" "0 0 0"
done
expect "speakers for Alice" "$(events alice speaker mcptt_id | xargs)" "$DAVE $BOB"
[ "$(event bob media refused)" -ge 400 ] || fail "Bob was not flooded: $(event bob media refused)"
[ "$(event carol media refused)" -ge 100 ] || fail "Carol was not flooded: $(event carol media refused)"
echo "talkers: three, ROC 0 and 7; Carol came in for the last $late packets of 200; forged: $(event bob media refused) and $(event carol media refused)"
