#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How an affiliation ends, between unmodified programs (TS 24.379 9.2.2.2.3, RFC 3903 4.1): one that is not renewed runs out,
# and its user leaves the running call and is called no more; renewed ones hold on; one that is taken back ends at once; who
# comes back is brought in again.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" --user "$ALICE" --user "$BOB" --user "$CAROL" --max-expires 6
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
for who in "alice=$ALICE" "bob=$BOB" "carol=$CAROL"; do
    radio_start "${who%%=*}" "${who%%=*}" "${who#*=}"
    radio_on "${who%%=*}" "$GROUP"
done
say_to alice call "$GROUP"
for who in alice bob carol; do wait_event "$who" group-established; done

kill -STOP "${PIDS[carol]}" # she renews nothing
wait_field server group-left user "$CAROL" 1
grep -l '"event":"group-ended"' "$W/log/alice.out" "$W/log/bob.out" && fail "the call does not go on without her"

say_to bob deaffiliate "$GROUP"
wait_field server deaffiliated user "$BOB" 1
wait_event bob group-ended
wait_event alice group-ended # she is alone
say_to alice call "$GROUP"
wait_event alice refused
expect "nobody is affiliated but her" "$(event alice refused code)" 480

kill -CONT "${PIDS[carol]}"
wait_event carol group-ended
wait_field server affiliated user "$CAROL" 2 # what she renews is gone (412): she says it anew
say_to alice call "$GROUP"
wait_field alice group-established group "$GROUP" 2
wait_field carol group-established group "$GROUP" 2
for who in alice bob carol; do say_to "$who" quit; expect_exit "$who" 0; done
echo "affiliation: runs out, renewed, taken back, come back"
