#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A group key before its activation time (TS 33.180 E.6.4), between unmodified programs: the radio does not call under it
# and says why; from the activation on it does, and the other one answers.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
program_stop gms
gms_start gms --fetch-window 25 # so long it stays inactive
EARLY=sip:early@lab.example.org
gms_group gms create --group "$EARLY" --member "$ALICE" --member "$BOB" >"$W/log/early"
gms_await gms "$EARLY"
for who in "alice=$ALICE" "bob=$BOB"; do gms_fetch gms "${who%%=*}" "${who#*=}" "$EARLY" >"$W/log/${who%%=*}.early"; done
group_document early "$EARLY"
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/early.group.xml" --user "$ALICE" --user "$BOB"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
for who in "alice=$ALICE" "bob=$BOB"; do
    radio_start "${who%%=*}" "${who%%=*}" "${who#*=}"
    wait_registered "${who%%=*}"
    say_to "${who%%=*}" affiliate "$EARLY"
    wait_event "${who%%=*}" affiliated
done

say_to alice call "$EARLY"
wait_event alice refused
expect "call under a key that is not active yet" "$(event alice refused cause): $(event alice refused reason) ($(event alice refused clause))" \
    "key-not-valid: the key of this group is not active yet (TS 33.180 E.6.4)"
expect "of which the server" "$(event server group-call-setup user)" null
read -r key activation < <(jq -r "select(.event == \"key\" and .groups == [\"$EARLY\"]) | \"\(.key_id) \(.activation)\"" \
    "$W/log/alice.out" | head -n 1)
for _ in $(seq 30); do # until it is active; the last event may be of the other group's key
    [ "$(date +%s)" -gt "$activation" ] && break
    sleep 1
done
for who in alice bob; do wait_key $who "$key"; done
say_to alice call "$EARLY"
for who in alice bob; do
    wait_event $who group-established
    say_to $who quit
    expect_exit $who 0
done
echo "a key that is not active yet: refused, and used from then on"
