#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Publications that the server refuses, each with reason and clause (TS 24.379 9.2.2.2.3): one that cannot be read, one of
# another user, one of more groups than a user may be affiliated to. What was there before stays: the call reaches her.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
# a file of a group that cannot be used: the operator reads why
sed "s#$BOB#$ALICE#" "$W/north.group.xml" >"$W/twice.group.xml"
code=0
"$MCX_BIN/mcx-mcpttd" --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/twice.group.xml" --user "$ALICE" >"$W/log/twice.out" 2>"$W/log/twice.err" || code=$?
expect "a group document with a member twice" "$code $(grep -c 'no group document that can be used: a member stands twice in the group document (TS 24.481 7.2)' "$W/log/twice.err")" "1 1"
docs=(--group-doc "$W/north.group.xml")
for i in $(seq 0 16); do
    sed "s#sip:north@#sip:g$i@#g" "$W/north.group.xml" >"$W/g$i.group.xml"
    docs+=(--group-doc "$W/g$i.group.xml")
done
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" "${docs[@]}" --user "$ALICE" --user "$BOB" --user "$CAROL"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
radio_start alice alice "$ALICE"
radio_on alice "$GROUP"
member_start carol carol "$CAROL"
wait_registered carol
last() { jq -rs 'map(select(.event == "affiliation-refused")) | last | "\(.user) \(.code) \(.warning): \(.text) (\(.clause))"' "$W/log/server.out"; }
n=0
refused() { # WHAT HOW WANT
    say_to carol publish "$2"
    n=$((n + 1))
    wait_count server affiliation-refused $n
    expect "$1" "$(last)" "$3"
}
refused "one that is cut off" cut "$CAROL 400 null: the publication cannot be read (TS 24.379 9.3.1)"
refused "of another user" other "$CAROL 403 141: user unknown to the participating function (TS 24.379 4.4.2)"
refused "with a group twice" twice "$CAROL 400 null: the publication cannot be read (TS 24.379 9.3.1)"
refused "of seventeen groups" many "$CAROL 486 102: too many simultaneous affiliations (TS 24.379 4.4.2)"
say_to alice call "$GROUP"
wait_event alice group-established
wait_field server group-joined user "$CAROL" 1
for who in alice carol; do
    say_to $who quit
    expect_exit $who 0
done
echo "publications: refused with a reason, and nothing lost"
