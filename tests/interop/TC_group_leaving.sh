#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A re-INVITE of a member who is just leaving: after her own BYE there is no such call; after the server's, which she has not
# answered yet, the server says why it refuses (RFC 3261 14.2). Carol's radio is tests/support/rogue_member.py. The call of
# the others goes on, and Bob hears Alice.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 1 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
radio_on alice "$GROUP"
radio_on bob "$GROUP"
member_start carol carol "$CAROL"
wait_registered carol
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
wait_event carol in-call
wait_count server group-joined 3
answered() { # N: the answer to her Nth INVITE
    wait_field carol answer method INVITE "$1"
    jq -rs "map(select(.event == \"answer\" and .method == \"INVITE\")) | .[$1 - 1].status" "$W/log/carol.out"
}

# ---- her own BYE ----
say_to carol bye
wait_field carol answer method BYE 1
say_to carol reoffer
expect "re-INVITE after her own BYE" "$(answered 1)" 481
say_to carol call
expect "she calls again" "$(answered 2)" 200
wait_count server group-joined 4

# ---- the server's BYE, not answered yet: she is no member any more ----
say_to carol reoffer
expect "the control: a re-INVITE in the call" "$(answered 3)" 200
say_to carol linger
python3 - "$W/north.group.xml" "$CAROL" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
less = re.sub(r"<(\w+:)?entry[^>]*uri=\"%s\".*?(</(\w+:)?entry>|/>)" % re.escape(sys.argv[2]), "", text, flags=re.S)
assert less != text
open(sys.argv[1], "w").write(less)
PY
kill -HUP "${PIDS[server]}"
wait_event carol asked-to-leave
expect "re-INVITE while the BYE is not answered" "$(answered 4)" 488
wait_event server group-offer-refused
expect "at the server" "$(jq -r 'select(.event == "group-offer-refused") | "\(.user) \(.code) \(.text) (\(.clause))"' "$W/log/server.out")" \
    "$CAROL 488 the call is over for him (RFC 3261 14.2)"
wait_event carol out-of-call
expect "who has left" "$(jq -r 'select(.event == "group-left") | "\(.user) \(.text // "")"' "$W/log/server.out")" "$CAROL 
$CAROL removed"

# ---- the others ----
for who in alice bob; do expect "$who goes on" "$(event $who group-ended cause)" null; done
say_to alice push
wait_event alice played
say_to alice release
wait_floor alice released
say_to alice leave
wait_event bob group-ended
for who in alice bob carol; do
    say_to $who quit
    expect_exit $who 0
done
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" || fail "Bob did not hear what Alice said"
echo "leaving: 481 after her own BYE, 488 before she has answered the server's; the call went on"
