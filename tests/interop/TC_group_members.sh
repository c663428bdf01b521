#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may take part, between unmodified programs: Carol affiliates in the middle of a call and is brought in; the group
# document changes and she is out at once, and may neither affiliate nor call again; Dave, who was never a member, neither.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
DAVE=sip:dave@lab.example.org
lab_group --user "$DAVE"
provision kms dave "$DAVE"

server_event() { # EVENT USER: the server has logged it (at most 10 s)
    local i
    for i in $(seq 100); do
        jq -es "any(.event == \"$1\" and .user == \"$2\")" "$W/log/server.out" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    fail "the server did not log $1 of $2"
}

for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL" "dave=$DAVE"; do
    radio_start "${who%%=*}" "${who%%=*}" "${who#*=}"
done
radio_on alice "$GROUP"
radio_on bob "$GROUP"
wait_registered carol
wait_registered dave
say_to alice call "$GROUP"
wait_event bob group-established
radio_on carol "$GROUP" # late entry
wait_event carol group-established
server_event group-joined "$CAROL"

say_to dave affiliate "$GROUP"
wait_event dave refused
expect "who may not affiliate" "$(jq -r 'select(.event == "affiliation-refused") | "\(.user) \(.code) \(.warning)"' "$W/log/server.out")" \
    "$DAVE 403 116"

python3 - "$W/north.group.xml" "$CAROL" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
less = re.sub(r"<(\w+:)?entry[^>]*uri=\"%s\".*?(</(\w+:)?entry>|/>)" % re.escape(sys.argv[2]), "", text, flags=re.S)
assert less != text
open(sys.argv[1], "w").write(less)
PY
kill -HUP "${PIDS[server]}"
wait_event carol group-ended
server_event group-left "$CAROL"
expect "the others go on" "$(event bob group-ended cause)" null
say_to carol call "$GROUP"
wait_event carol refused
server_event group-call-refused "$CAROL"
expect "why Carol may not call" "$(jq -r 'select(.event == "group-call-refused") | .warning' "$W/log/server.out")" 116

expect "why, in the server's log" "$(jq -r 'select(.event | endswith("-refused")) | "\(.user): \(.text) (\(.clause))"' "$W/log/server.out")" \
    "$DAVE: user is not part of the MCPTT group (TS 24.379 4.4.2)
$CAROL: user is not part of the MCPTT group (TS 24.379 4.4.2)"

for who in carol dave; do say_to "$who" quit; done
say_to alice leave
wait_event bob group-ended
for who in alice bob; do say_to "$who" quit; done
echo "members: late entry, removal and refusals"
