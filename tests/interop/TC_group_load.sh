# SPDX-License-Identifier: Apache-2.0
# One group of 500 listeners on one core of the server: every packet of the speaker reaches every listener, octet for octet;
# once with floor control in clear, and once with a CSK for each of the 501, under which all floor messages are opened.
# Nothing is said of time; figures are printed. LISTENERS, RATE and SECONDS_TO_SPEAK can be set from outside.
# shellcheck source=tests/support/scenario.sh
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin

LISTENERS=${LISTENERS:-500}
RATE=${RATE:-50}
SECONDS_TO_SPEAK=${SECONDS_TO_SPEAK:-5}
DOMAIN=lab.example.org

group_document() { # GROUP INVITE (true = prearranged) PROTECT (floor control)
    local i
    printf '<?xml version="1.0" encoding="UTF-8"?>\n<group xmlns="urn:oma:xml:poc:list-service"'
    printf ' xmlns:gi="urn:3gpp:ns:mcpttGroupInfo:1.0" xmlns:ox="urn:oma:xml:xdm:extensions"><list-service uri="%s"><list>\n' "$1"
    for i in $(seq 0 "$LISTENERS"); do
        printf '<entry uri="sip:u%d@%s"/>\n' "$i" "$DOMAIN"
    done
    printf '</list><invite-members>%s</invite-members><ox:supported-services>' "$2"
    printf '<ox:service enabler="urn:urn-7:3gpp-service.ims.icsi.mcptt"><ox:group-media><gi:mcptt-speech/></ox:group-media></ox:service>'
    printf '</ox:supported-services><gi:protect-floor-control-signalling>%s</gi:protect-floor-control-signalling>' "$3"
    printf '</list-service></group>\n'
}

run_load() { # NAME SECONDS [OPTION ...]: figures in $W/NAME.json; NAME is the group's
    local name=$1 code=0
    "$MCX_BIN/mcx-group-load" --server "sip:127.0.0.1:$(server_port server tcp);transport=tcp" --group "sip:$name@$DOMAIN" \
        --domain "$DOMAIN" --listeners "$LISTENERS" --rate "$RATE" --seconds "$2" --limit 300 \
        --server-pid "${PIDS[server]}" "${@:3}" >"$W/$name.json" || code=$?
    cat "$W/$name.json"
    expect "$name" "$code" 0
    expect "packets of $name" "$(jq .sent "$W/$name.json")" $((RATE * $2))
    expect "packets lost in $name" "$(jq .lost "$W/$name.json")" 0
    expect "its memory was looked at in $name" "$(jq '.server.kib_at_start > 0 and .server.kib_in_call > 0' "$W/$name.json")" true
    expect "requests sent again in $name" "$(jq '.retries <= 10' "$W/$name.json")" true
}

group_document "sip:prearranged@$DOMAIN" true false >"$W/prearranged.xml"
group_document "sip:chat@$DOMAIN" false false >"$W/chat.xml"
jq -n --arg domain "$DOMAIN" --argjson n "$LISTENERS" \
    '{user: [range(0; $n + 1) | "sip:u\(.)@\($domain),answer=auto"], "max-fds": 4096, "peer-rate": 0, "total-rate": 0}' >"$W/server.json"
server_start server --listen tcp:127.0.0.1:0 --config "$W/server.json" --group-doc "$W/prearranged.xml" --group-doc "$W/chat.xml"
if command -v taskset >/dev/null; then
    taskset -cp 0 "${PIDS[server]}" >/dev/null
fi
run_load prearranged "$SECONDS_TO_SPEAK"
run_load chat 2 --chat
program_stop server

openssl rand -hex 32 >"$W/load.store-key"
group_document "sip:keyed@$DOMAIN" true true >"$W/keyed.xml"
"$MCX_BIN/mcx-group-load" --make-store "$W/load.store" --store-key "$W/load.store-key" --server-id "$SERVER_ID" --domain "$DOMAIN"
server_start server --listen tcp:127.0.0.1:0 --config "$W/server.json" --group-doc "$W/keyed.xml" --store "$W/load.store" \
    --store-key "$W/load.store-key" --server-id "$SERVER_ID"
if command -v taskset >/dev/null; then
    taskset -cp 0 "${PIDS[server]}" >/dev/null
fi
run_load keyed "$SECONDS_TO_SPEAK" --server-id "$SERVER_ID"
expect "floor messages that did not open" "$(jq .floor_refused "$W/keyed.json")" 0
expect "each listener has opened some" "$(jq --argjson n "$LISTENERS" '.floor_messages >= $n' "$W/keyed.json")" true
echo "nothing is lost, with $((LISTENERS + 1)) CSKs too"
