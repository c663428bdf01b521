#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The MCPTT server fetches group documents from the group management server, unmodified programs: a member who is removed
# there is out of the running call and gets no more packets; one who is added may take part; a deleted group has no call;
# while the group management server is away, or does not know this server, nothing changes.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
ALICE=sip:alice@lab.example.org BOB=sip:bob@lab.example.org CAROL=sip:carol@lab.example.org
GROUP=sip:north@lab.example.org STRANGE=sip:none@lab.example.org
declare -A URI=([alice]=$ALICE [bob]=$BOB [carol]=$CAROL)
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
provision kms server "$SERVER_ID" server
gms_make gms kms sip:gms@lab.example.org
gms_start gms # does not know the server yet
for who in alice bob carol; do
    provision kms "$who" "${URI[$who]}"
    gms_token gms "$who" "${URI[$who]}"
done
gms_token gms server "$SERVER_ID"
gms_group gms create --group "$GROUP" --member "$ALICE" --member "$BOB" --member "$CAROL" >"$W/log/create"
gms_await gms "$GROUP"
for who in alice bob carol; do gms_fetch gms "$who" "${URI[$who]}" "$GROUP" >"$W/log/$who.groups"; done

server_says() { # FILTER of jq, at most 20 s
    local i
    for i in $(seq 200); do
        jq -es "any(.[]; $1)" "$W/log/server.out" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    fail "the server did not say $1"
}
PORT=$(port_of gms)
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --user "$ALICE" --user "$BOB" --user "$CAROL" --group "$GROUP" --group "$STRANGE" \
    --gms-url "https://127.0.0.1:$PORT" --gms-token "$W/server.gms-token" --gms-ca "$W/ca.pem" --gms-poll 1
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
server_says '.event == "group-document-refused" and .code == 403 and .text == "this server may not read the document"'
server_says '.event == "group-document-refused" and .code == 404 and .text == "there is no such group"'
program_stop gms
server_says '.event == "group-documents-not-fetched"'
gms_start gms --listen "127.0.0.1:$PORT" --mcptt-server "$SERVER_ID"
server_says '.event == "group-changed" and (.text | startswith("3 members"))'

tone "$W/voice.wav" 12
for who in alice bob carol; do
    # shellcheck disable=SC2046
    radio_start "$who" "$who" "${URI[$who]}" $([ "$who" = alice ] && echo --play "$W/voice.wav")
    radio_on "$who" "$GROUP"
done
say_to alice call "$GROUP"
for who in alice bob carol; do wait_event "$who" group-established; done
say_to alice push
wait_floor alice granted
wait_event carol speaker
gms_group gms remove --group "$GROUP" --member "$CAROL" >"$W/log/remove"
wait_event carol group-ended
server_says ".event == \"group-left\" and .user == \"$CAROL\" and .text == \"removed\""
wait_event alice played
say_to alice release
wait_floor alice released
sent=$(jq -s 'map(select(.event == "group-media")) | last | .sent' "$W/log/server.out")
say_to carol affiliate "$GROUP"
server_says ".event == \"affiliation-refused\" and .user == \"$CAROL\" and .warning == 116"
gms_group gms add --group "$GROUP" --member "$CAROL" >"$W/log/add"
expect "documents in force: three members, two, three" "$(jq -rs 'map(select(.event == "group-changed") | .text[0:1]) | .[0:2] | join(" ")' "$W/log/server.out")" "3 2"
for _ in $(seq 200); do
    [ "$(jq -rs 'map(select(.event == "group-changed")) | length' "$W/log/server.out")" -ge 3 ] && break
    sleep 0.1
done
say_to carol affiliate "$GROUP"
server_says ".event == \"affiliated\" and .user == \"$CAROL\""
gms_group gms delete --group "$GROUP" >"$W/log/delete"
for who in alice bob; do wait_event "$who" group-ended; done
server_says '.event == "group-call-ended" and .text == "the group is no more"'
for who in alice bob carol; do say_to "$who" quit; done
total=$(jq -s 'map(select(.event == "group-media-closed")) | last | .received' "$W/log/server.out")
[ "$sent" -gt 0 ] && [ "$sent" -lt "$total" ] || fail "Carol got $sent of $total packets, not some of them"
echo "group documents: $sent of $total packets went to Carol before she was put out"
