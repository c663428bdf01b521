#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Radios stay on (RFC 5626 4.4, 4.5; RFC 6665 4.1): a connection that breaks does not end the call in it; a server that is
# killed and started again has its users, affiliations and keys back without a hand at the radios, the call that it does not
# know any more ends, and the next one is heard; a group management server that is killed is subscribed to anew, with the
# token of that moment, and its next key arrives.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 60 300
program_stop gms
# Alice's token is of a key that the group management server will not know for ever
cp "$W/kms.jwks" "$W/both.jwks"
"$MCX_BIN/mcx" token keygen --alg ES256 --out "$W/old.jwk" --jwks "$W/both.jwks" >"$W/log/old.keygen"
cp "$W/alice.gms-token" "$W/alice.good-token"
"$MCX_BIN/mcx" token issue --key "$W/old.jwk" --mcptt-id "$ALICE" --iss lab --aud mcx --scope "$GMS_SCOPE" >"$W/alice.gms-token"
gms_start gms --sip-listen tcp:127.0.0.1:0 --jwks "$W/both.jwks"
GMS=127.0.0.1:$(port_of gms) SIP=$(jq -r .sip "$W/gms.ready") PORT=$(server_port server tcp)
gms_again() { # at the same addresses, with the newer key only
    rm -f "$W/gms.ready"
    program_start gms "$MCX_BIN/mcx-gmsd" run --dir "$W/gms" --seal-key "$W/gms.seal" --store "$W/gms.store" \
        --store-key "$W/gms.store-key" --listen "$GMS" --tls-cert "$W/gms.pem" --tls-key "$W/gms.key" \
        --jwks "$W/kms.jwks" --token-iss lab --token-aud mcx --ready-file "$W/gms.ready" --fetch-window 1 \
        --urgent-window 1 --sip-listen "tcp:127.0.0.1:$SIP"
    wait_ready "$W/gms.ready"
}
relay() { # what Alice's line goes through
    rm -f "$W/relay.ready"
    program_start relay python3 "$MCX_SOURCE/tests/support/sip_tamper.py" --connect "$PORT" --listen "${1:-0}" \
        --ready-file "$W/relay.ready" pass
    wait_ready "$W/relay.ready"
}
cut() { # PROGRAM: without a farewell
    kill -9 "${PIDS[$1]}"
    wait "${PIDS[$1]}" 2>/dev/null || true
    unset "PIDS[$1]"
}
relay
radio() { # NAME URI PORT [OPTION ...]
    SERVER="sip:127.0.0.1:$3;transport=tcp"
    radio_start "$1" "$1" "$2" --gms-url "https://$GMS" --gms-uri "$(cat "$W/gms.uri")" --gms-ca "$W/ca.pem" \
        --gms-token "$W/$1.gms-token" --group "$GROUP" --gms-sip "sip:127.0.0.1:$SIP;transport=tcp" "${@:4}"
}
radio alice "$ALICE" "$(jq -r .port "$W/relay.ready")" --play "$W/alice.wav"
radio bob "$BOB" "$PORT"
for who in alice bob; do
    radio_on $who "$GROUP"
    wait_field $who gms-subscription state active 1
done

# ---- only the connection breaks: the call goes on, and the server can ask things of Alice again ----
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
say_to alice push
wait_floor alice granted
port=$(jq -r .port "$W/relay.ready")
cut relay
wait_event alice unregistered
relay "$port"
wait_count alice registered 2
say_to alice release
wait_floor alice released
say_to bob push
wait_floor bob granted
wait_floor alice taken
say_to bob release
wait_floor bob released
expect "calls that ended" "$(event alice group-ended cause) $(event bob group-ended cause)" "null null"
say_to bob leave
wait_event alice group-ended # the server says so, over the connection of now
wait_event bob group-ended
echo "a broken connection: the call went on, and its end came over the next one"

# ---- the server is killed in the call ----
say_to alice call "$GROUP"
for who in alice bob; do wait_count $who group-established 2; done
say_to alice push
wait_floor alice granted 2
cut server
for who in alice bob; do wait_event $who unregistered; done
wait_count alice unregistered 2
kill -0 "${PIDS[alice]}" "${PIDS[bob]}" || fail "a radio has ended with the server"
rm -f "$W/server.ready"
program_start server "$MCX_BIN/mcx-mcpttd" --ready-file "$W/server.ready" --json --listen "tcp:127.0.0.1:$PORT" \
    --store "$W/server.store" --store-key "$W/server.store-key" --server-id "$SERVER_ID" --group-doc "$W/north.group.xml" \
    --user "$ALICE" --user "$BOB"
wait_ready "$W/server.ready"
wait_count alice registered 3
wait_count bob registered 2
for who in alice bob; do wait_count $who group-ended 2; done # the new server knows nothing of it
wait_count alice affiliated 3
wait_count bob affiliated 2
heard=$(events bob speaker mcptt_id | wc -l)
say_to alice call "$GROUP"
for who in alice bob; do wait_count $who group-established 3; done
say_to alice push
wait_floor alice granted 3
wait_count bob speaker $((heard + 1))
expect "whom Bob hears" "$(event bob speaker mcptt_id)" "$ALICE"
say_to alice leave
for who in alice bob; do wait_count $who group-ended 3; done
echo "a killed server: registered, affiliated and heard again, by themselves"

# ---- the group management server is killed; Alice's first token will not serve any more ----
cp "$W/alice.good-token" "$W/.next" && mv "$W/.next" "$W/alice.gms-token"
for pid in $(jq -r '.pid, .serve, .queue' "$W/gms.ready"); do kill -9 "$pid" 2>/dev/null || true; done
wait "${PIDS[gms]}" 2>/dev/null || true
unset "PIDS[gms]"
for who in alice bob; do wait_field $who gms-subscription state lost 1; done
gms_again
for who in alice bob; do wait_field $who gms-subscription state active 2; done
expect "tokens that were refused" "$(events alice gms-subscription state | grep -c refused)" 0
old=$(gms_group gms show --group "$GROUP" --json | jq -r '[.keys[] | select(.state == "published")] | last | .key_id')
gms_group gms rekey --group "$GROUP" >"$W/log/rekey"
for _ in $(seq 200); do
    new=$(gms_group gms show --group "$GROUP" --json | jq -r '[.keys[] | select(.state == "published")] | last | .key_id')
    [ "$new" != "$old" ] && break
    sleep 0.1
done
for who in alice bob; do wait_key $who "$new"; done
echo "a killed group management server: its next key came by notification"

for who in alice bob; do say_to $who quit; done
for who in alice bob; do expect_exit $who 0; done

# ---- a person reads the same, without --json ----
mkfifo "$W/person.in"
exec {in}<>"$W/person.in"
SERVER="sip:127.0.0.1:$PORT;transport=tcp"
# shellcheck disable=SC2016
program_start person bash -c 'exec "${@:2}" <"$1"' radio "$W/person.in" "$MCX_BIN/mcx-ue" group --id "$BOB" \
    --server "$SERVER" --server-id "$SERVER_ID" --store "$W/bob.store" --store-key "$W/bob.store-key"
said() { # SENTENCE
    local i
    for i in $(seq 200); do
        grep -qx "$1." "$W/log/person.out" && return 0
        sleep 0.1
    done
    fail "a person does not read: $1"
}
said "You are registered"
echo "affiliate $GROUP" >&"$in"
said "The server knows which groups you listen to"
cut server
said "The server does not answer any more; it is tried again"
echo quit >&"$in"
expect_exit person 0
grep -q event "$W/log/person.out" && fail "a person reads JSON"
echo "done"
