#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floor messages get lost between Alice's radio and the server, both unmodified (TS 24.380 6.2.4, 11.1.1): what is not
# answered is sent again (T101, T100, T104), three times and no more (C101, C100, C104), and each time the call goes on. What
# the server says is lost too: Floor Granted, Floor Idle, Floor Taken; the end of the media tells her that the
# floor is free (T103).
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE" --user "$BOB" --user "$CAROL" \
    --floor-timer T1=12000 --floor-timer T2=600000 --floor-timer T4=600000 --floor-timer T7=600000
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
tone "$W/long.wav" 120
radio_start bob bob "$BOB" --play "$W/long.wav"
line_start line
SERVER="sip:127.0.0.1:$(port_of line);transport=tcp"
radio_start alice alice "$ALICE" --play "$W/long.wav"
for who in alice bob; do radio_on "$who" "$GROUP"; done
told() { # WHO STATE: how often
    grep '"event":"floor"' "$W/log/$1.out" | grep -c "\"state\":\"$2\"" || true
}
then_told() { # WHO STATE COMMAND ...: does it, until he is told
    local n
    n=$(told "$1" "$2")
    "${@:3}"
    wait_floor "$1" "$2" $((n + 1))
}
sent() { # TYPE N COMMAND ...: does it; Alice has sent N then, on a slow machine perhaps one more, never over the counters
    local n
    n=$(on_line line up "$1")
    "${@:3}"
    n=$(($(on_line line up "$1") - n))
    if [ "$n" -lt "$2" ] || [ "$n" -gt $(($2 > 0 ? 3 : 0)) ]; then fail "$1 sent by Alice $n times, not $2"; fi
}

# ---- the INVITE is the first Floor Request (6.2.4.2.2) ----
lose line down granted 1
sent request 1 then_told alice granted say_to alice call "$GROUP" push
for who in alice bob; do wait_event "$who" group-established; done
then_told alice idle say_to alice release
echo "T101 of the INVITE: what it asked for is asked again"

# ---- Floor Request, Floor Release: T101, T100 ----
lose line up request 2
sent request 3 then_told alice granted say_to alice push
lose line up release 2
sent release 3 then_told alice idle say_to alice release
echo "T101, T100: sent three times, the third arrived"

lose line down granted 1
sent request 2 then_told alice granted say_to alice push
expect "the floor was given once" "$(events server floor-granted user | xargs)" "$ALICE $ALICE $ALICE"
lose line down idle 1
sent release 2 then_told alice idle say_to alice release
echo "lost answers: asked again, answered again"

# pressed again before the release is answered: asked when it is
then_told alice granted say_to alice push
lose line up release 1
then_told alice released say_to alice release
sent request 1 then_told alice granted say_to alice push
then_told alice idle say_to alice release
echo "the button pressed again while the release is pending: the floor is asked for after it"

lose line up request 3
sent request 3 then_told alice no-answer say_to alice push
sent request 1 then_told alice granted say_to alice push
lose line up release 3
bob_idle=$(told bob idle)
alice_idle=$(told alice idle)
sent release 3 then_told alice no-answer say_to alice release
wait_floor bob idle $((bob_idle + 1)) # T1 of the server
wait_floor alice idle $((alice_idle + 1))
echo "C101, C100: no more than three; the floor is free again"

# ---- in the queue: T104 ----
say_to bob push
wait_floor bob granted
then_told alice queued say_to alice push
lose line up position-request 2
sent position-request 3 then_told alice queued say_to alice position
lose line up position-request 3
alice_taken=$(told alice taken)
sent position-request 3 then_told alice no-answer say_to alice position
wait_floor alice taken $((alice_taken + 1)) # the answer to her Floor Release
echo "T104, C104: the place was asked for three times, then given up"

then_told alice queued say_to alice push
lose line down granted 1
sent request 0 then_told alice granted say_to bob release
then_told alice idle say_to alice release
echo "Floor Granted after the queue, lost: the server sent it again"

# the release of her place is lost, and Bob's media ends T100 (6.2.4.6.6): what is granted to her then is given back
say_to bob push
wait_floor bob granted 2
then_told alice queued say_to alice push
granted=$(told alice granted)
lose line up release 1
then_told alice released say_to alice release
sent release 1 then_told bob idle say_to bob release
expect "Alice was given the floor" "$(events server floor-granted user | tail -n 1)" "$ALICE"
expect "she does not speak" "$(told alice granted)" "$granted"
echo "a place that could not be given up: the floor is given back"

# ---- heard, not told: T103 ----
lose line down taken 1
lose line down idle 1000
alice_taken=$(told alice taken)
alice_idle=$(told alice idle)
then_told bob granted say_to bob push
then_told bob idle say_to bob release
wait_floor alice idle $((alice_idle + 1))
expect "who speaks, was not told" "$(told alice taken)" "$alice_taken"
lose line down idle 0
then_told alice granted say_to alice push
then_told alice idle say_to alice release
echo "T103: Floor Taken and Floor Idle lost, the end of the media tells"

for who in alice bob; do say_to "$who" quit; expect_exit "$who" 0; done
