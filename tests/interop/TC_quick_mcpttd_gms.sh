#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx-mcpttd at the group management server, unmodified programs: which options go together; it subscribes, and without any
# poll a member who is removed is out of the running call, and one who is added may affiliate; the subscription comes back
# with the group management server, and what was missed with it.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
GROUP=sip:north@lab.example.org
declare -A URI=([alice]=sip:alice@lab.example.org [bob]=sip:bob@lab.example.org [carol]=sip:carol@lab.example.org)
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
provision kms server "$SERVER_ID" server
gms_make gms kms sip:gms@lab.example.org
gms_start gms --mcptt-server "$SERVER_ID" --sip-listen tcp:127.0.0.1:0
for who in alice bob carol; do
    provision kms "$who" "${URI[$who]}"
    gms_token gms "$who" "${URI[$who]}"
done
gms_token gms server "$SERVER_ID"
gms_group gms create --group "$GROUP" --member "${URI[alice]}" --member "${URI[bob]}" --member "${URI[carol]}" >"$W/log/create"
gms_await gms "$GROUP"
for who in alice bob carol; do gms_fetch gms "$who" "${URI[$who]}" "$GROUP" >"$W/log/$who.groups"; done
HTTPS=$(port_of gms) SIP=$(jq .sip "$W/gms.ready")

# --- which options go together
own=(--listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" --server-id "$SERVER_ID")
url=(--gms-url "https://127.0.0.1:$HTTPS") token=(--gms-token "$W/server.gms-token") ca=(--gms-ca "$W/ca.pem")
group=(--group "$GROUP") from=(--gms-uri "$(cat "$W/gms.uri")") sip=(--gms-sip "sip:127.0.0.1:$SIP;transport=tcp")
refused() { # CODE WORDS OPTION ...: it does not start, and says so
    local code=0
    "$MCX_BIN/mcx-mcpttd" -t "${@:3}" >"$W/out" 2>"$W/err" || code=$?
    [ "$code" -eq "$1" ] && grep -q -- "$2" "$W/err" || fail "mcx-mcpttd ${*:3}: exit code $code, '$(cat "$W/err")'"
}
refused 2 "go together" "${own[@]}" "${url[@]}"
refused 2 "go together" "${own[@]}" "${group[@]}"
refused 2 "go together" "${own[@]}" "${token[@]}" "${ca[@]}" "${group[@]}"
refused 2 "go together" "${own[@]}" "${url[@]}" "${token[@]}" "${ca[@]}"
refused 2 "go together" "${own[@]}" "${url[@]}" "${ca[@]}" "${group[@]}"
refused 2 "not from both" "${own[@]}" "${url[@]}" "${token[@]}" "${ca[@]}" "${group[@]}" --group-doc "$W/north.xml"
refused 2 "each one once" "${own[@]}" "${url[@]}" "${token[@]}" "${ca[@]}" "${group[@]}" "${group[@]}"
refused 2 "--gms-sip" "${own[@]}" "${url[@]}" "${token[@]}" "${ca[@]}" "${group[@]}" "${sip[@]}"
refused 2 "--gms-sip" "${own[@]}" "${url[@]}" "${token[@]}" "${ca[@]}" "${group[@]}" "${from[@]}"
refused 2 "--gms-sip" "${own[@]}" "${sip[@]}" "${from[@]}"
refused 2 "--gms-sip" --listen tcp:127.0.0.1:0 "${url[@]}" "${token[@]}" "${ca[@]}" "${group[@]}" "${sip[@]}" "${from[@]}"
many=()
for i in $(seq 65); do many+=(--group "sip:g$i@lab.example.org"); done
refused 2 "64 groups" "${own[@]}" "${url[@]}" "${token[@]}" "${ca[@]}" "${many[@]}" "${sip[@]}" "${from[@]}"
refused 3 "gms-token" "${own[@]}" "${url[@]}" --gms-token "$W/none" "${ca[@]}" "${group[@]}"
refused 3 "gms-ca: the file of the TLS authority cannot be read" "${own[@]}" "${url[@]}" "${token[@]}" --gms-ca "$W/none" "${group[@]}"
cp "$W/server.gms-token" "$W/open.token"
chmod 644 "$W/open.token"
refused 3 "gms-token" "${own[@]}" "${url[@]}" --gms-token "$W/open.token" "${ca[@]}" "${group[@]}"
code=0 # the process that fetches, given requests that are none
echo nonsense | "$MCX_BIN/mcx-mcpttd" fetch-groups "${url[@]}" "${token[@]}" "${ca[@]}" >"$W/out" 2>"$W/err" || code=$?
[ $code -eq 3 ] && grep -q "the requests cannot be read, or the answers not be written" "$W/err" || fail "requests that are none: $code, '$(cat "$W/err")'"
all=("${own[@]}" "${url[@]}" "${token[@]}" "${ca[@]}" "${group[@]}" "${sip[@]}" "${from[@]}")
"$MCX_BIN/mcx-mcpttd" -t "${all[@]}" >"$W/out" 2>"$W/err" || fail "good options are refused: $(cat "$W/err")"

# --- without a poll
server_says() { # FILTER of jq, N times (1), at most 20 s
    local i
    for i in $(seq 200); do
        [ "$(jq -s "map(select($1)) | length" "$W/log/server.out" 2>/dev/null || echo 0)" -ge "${2:-1}" ] && return 0
        sleep 0.1
    done
    fail "the server did not say $1"
}
server_start server "${all[@]}" --gms-poll 0 --user "${URI[alice]}" --user "${URI[bob]}" --user "${URI[carol]}"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
server_says '.event == "gms-subscription" and .state == "active"'
server_says '.event == "group-changed" and (.text | startswith("3 members"))'
for who in alice bob carol; do
    radio_start "$who" "$who" "${URI[$who]}"
    radio_on "$who" "$GROUP"
done
say_to alice call "$GROUP"
for who in alice bob carol; do wait_event "$who" group-established; done
gms_group gms remove --group "$GROUP" --member "${URI[carol]}" >"$W/log/remove"
wait_event carol group-ended
server_says '.event == "gms-notified" and .groups == 1'
server_says ".event == \"group-left\" and .user == \"${URI[carol]}\" and .text == \"removed\""
say_to carol affiliate "$GROUP"
server_says ".event == \"affiliation-refused\" and .user == \"${URI[carol]}\" and .warning == 116"
expect "the others go on" "$(event bob group-ended cause)" null

# --- the group management server goes and comes back, and Carol is a member again
program_stop gms
server_says '.event == "gms-subscription" and .state == "lost"'
gms_start gms --mcptt-server "$SERVER_ID" --listen "127.0.0.1:$HTTPS" --sip-listen "tcp:127.0.0.1:$SIP"
gms_group gms add --group "$GROUP" --member "${URI[carol]}" >"$W/log/add"
server_says '.event == "gms-subscription" and .state == "active"' 2
server_says '.event == "group-changed" and (.text | startswith("3 members"))' 2
say_to carol affiliate "$GROUP"
server_says ".event == \"affiliated\" and .user == \"${URI[carol]}\"" 2
for who in alice bob carol; do say_to "$who" quit; done
echo "options; removed and added without a poll, with the group management server away in between"
