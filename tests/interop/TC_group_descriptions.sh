#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Session descriptions that the server refuses in a group call, of a member whose radio is tests/support/rogue_member.py:
# with a key in them, without what a call needs, or not to be read. In an INVITE and a re-INVITE: 488, and all stays as it
# was; in an answer: BYE. The log has the reason and its clause, the member nothing of it. Alice and Bob speak as ever.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 1 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on bob "$GROUP"
member_start carol carol "$CAROL"
wait_registered carol

KEY="a key in the description of a group call (TS 33.180 5.7)"
CODEC="the SDP has no AMR-WB audio that can be used (TS 26.179 4)"
CASES=("session-key=$KEY" "audio-key=$KEY" "other-name=$KEY" "crypto=$KEY" "floor-key=$KEY"
    "version=unknown SDP version (RFC 4566 5.1)" "no-description=no session description (TS 24.379 6.2.1)"
    "no-address=no address for audio or floor control (RFC 4566 5.7)" "other-codec=$CODEC" "feedback=$CODEC"
    "audio-refused=$CODEC" "malformed-codec=malformed AMR-WB format in the SDP (RFC 4867 8.2)"
    "two-ports=several ports in one m= line (RFC 4566 5.14)"
    "many-lines=the SDP has more media than are supported (RFC 4566 5.14)"
    "floor-attribute=malformed attribute of the floor control line (TS 24.380 12.1.2)")
OTHER_TYPE="other-type=another payload type than that of the call (RFC 3264 6.1)"
answers=0
declare -A LOGGED=()
invited() { # N: the answer to his N-th INVITE
    wait_field carol answer method INVITE "$1"
    jq -r 'select(.event == "answer" and .method == "INVITE") | "\(.status) \(.warning)"' "$W/log/carol.out" | tail -1
}
logged() { # EVENT N TEXT: of the N-th such event
    wait_count server "$1" "$2"
    expect "log of $1" "$(event server "$1" user): $(event server "$1" text) ($(event server "$1" clause))" "$CAROL: $3"
}
refused() { # COMMAND EVENT HOW=REASON
    LOGGED[$2]=$((${LOGGED[$2]:-0} + 1))
    answers=$((answers + 1))
    say_to carol "$1" "${3%%=*}"
    expect "$1 ${3%%=*}" "$(invited $answers)" "488 0"
    logged "$2" "${LOGGED[$2]}" "${3#*=}"
}

# ---- a call that does not come about ----
for case in "${CASES[@]}"; do refused call group-call-refused "$case"; done
expect "calls so far" "$(event server group-call-setup user) $(event bob group-established group)" "null null"

# ---- in a call: she stays in it as she was ----
say_to carol call
answers=$((answers + 1))
expect "a description as it should be" "$(invited $answers)" "200 0"
wait_event bob group-established
for case in "${CASES[@]}" "$OTHER_TYPE"; do refused reoffer group-offer-refused "$case"; done
say_to carol reoffer
answers=$((answers + 1))
expect "a new description as it should be" "$(invited $answers)" "200 0"
say_to carol push
wait_field carol floor type granted 1
wait_floor bob taken
say_to carol release
say_to carol bye
wait_event bob group-ended

# ---- called: she is out, the call goes on ----
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_on alice "$GROUP"
for case in "${CASES[@]}" "$OTHER_TYPE"; do
    number=$((${number:-0} + 1))
    say_to carol answer "${case%%=*}"
    say_to alice call "$GROUP"
    wait_count alice group-established $number
    wait_count carol out-of-call $number
    logged group-answer-refused $number "${case#*=}"
    if [ $number -eq 1 ]; then
        say_to alice push
        wait_event alice played
        say_to alice release
        wait_floor alice released
    fi
    say_to alice leave
    wait_count bob group-ended $((number + 1))
done
expect "how often she took part" "$(events server group-joined user | grep -cF "$CAROL")" 1 # as the caller

# ---- an address that this server cannot send to ----
say_to carol answer other-address
say_to alice call "$GROUP"
wait_count carol out-of-call $((number + 1))
logged media-address-unusable 1 "an address that this server cannot send to (RFC 4566 5.7)"
wait_count alice group-established $((number + 1))
say_to alice leave
wait_count bob group-ended $((number + 2))
for who in alice bob carol; do
    say_to $who quit
    expect_exit $who 0
done
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
echo "refused: ${#CASES[@]} offers, $((${#CASES[@]} + 1)) new offers and as many answers; the calls went on"
