#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Timers of floor control as the operator sets them, between unmodified programs (TS 24.380 11.1.3, 11.2.3). Carol's radio is
# tests/support/rogue_member.py, which answers nothing: her grant is sent again (T20, C20), she says nothing and loses the
# floor (T1); then she speaks too long (T2), is told again and again (T8), is heard until the grace is over (T3), and speaks
# on without permission (C8); she is not to ask again for a while (T9). Nobody speaks: Floor Idle is sent again (T7, C7).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --floor-timer T2=4000 --floor-timer T3=2500 --floor-timer T4=0 --floor-timer T7=300 --floor-timer T9=60000 \
    --floor-timer T20=300 --floor-counter C7=4 --floor-counter C8=2 --floor-counter C20=3
tone "$W/alice.wav" 60
tone "$W/carol.wav" 9
radio_start alice alice "$ALICE" --play "$W/alice.wav"
member_start carol carol "$CAROL" --say "$W/carol.wav"
radio_on alice "$GROUP"
wait_registered carol
say_to alice call "$GROUP"
wait_event alice group-established
wait_event carol in-call
wait_count server group-joined 2
told() { # TYPE [CAUSE]: how often Carol was
    jq -r "select(.event == \"floor\" and .type == \"$1\") | .cause // \"\"" "$W/log/carol.out" | grep -cx "${2:-}" || true
}

say_to alice push
wait_floor alice granted
say_to carol push
wait_field carol floor type position-info 1
say_to alice release
wait_field carol floor type granted 3
wait_count server floor-idle 1
expect "Floor Granted from the queue (T20, C20), until T1" "$(told granted)" 3
wait_field carol floor type idle 1

say_to carol push
wait_field carol floor type granted 4
say_to carol speak
wait_field carol floor cause 2 1
say_to alice push
wait_floor alice queued
wait_field carol floor cause 2 2
wait_floor alice granted 2
idle=$(told idle)
expect "why" "$(event server floor-revoked cause)" 2
echo "T20, T1, T2, T8, T3: who does not answer is told again, and loses the floor"

wait_field carol floor cause 3 2
say_to carol push
wait_field carol floor cause 4 1
expect "Floor Deny: retry-after (8.2.6.2)" "$(told deny 4)" 1
expect "Floor Granted, all" "$(told granted)" 4
say_to alice release
wait_field carol floor type idle $((idle + 4))
sleep 1 # of the fifth there is none
expect "Floor Idle (T7, C7)" "$(told idle)" $((idle + 4))
for who in alice carol; do say_to $who quit; expect_exit $who 0; done
[ "$(event server group-media-closed 'drops["media: he does not hold the floor"]')" -gt 0 ] || fail "all that Carol said was passed on"
echo "C8, T9, T7: without permission she is not heard, Floor Idle has its number"
