#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a running radio learns by SUBSCRIBE and NOTIFY (TS 24.481 6.3.13, RFC 5875), between unmodified
# programs and without polling: a re-key, a member added and removed, a temporary group and its end, a lost device, a
# revocation, a restarted GMS, the deletion of a group.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
SOUTH=sip:south@lab.example.org BOTH=sip:both@lab.example.org WEST=sip:west@lab.example.org
program_stop gms
gms_start gms --sip-listen tcp:127.0.0.1:0
LISTEN=127.0.0.1:$(port_of gms) SIP=$(jq -r .sip "$W/gms.ready")
gms_again() { # at the same addresses
    rm -f "$W/gms.ready"
    program_start gms "$MCX_BIN/mcx-gmsd" run --dir "$W/gms" --seal-key "$W/gms.seal" --store "$W/gms.store" \
        --store-key "$W/gms.store-key" --listen "$LISTEN" --tls-cert "$W/gms.pem" --tls-key "$W/gms.key" \
        --jwks "$W/kms.jwks" --token-iss lab --token-aud mcx --ready-file "$W/gms.ready" --fetch-window 1 \
        --urgent-window 1 --sip-listen "tcp:127.0.0.1:$SIP"
    wait_ready "$W/gms.ready"
}
group_key() { # GROUP: its published key; of several the last
    gms_group gms show --group "$1" --json | jq -r '[.keys[] | select(.state == "published")] | last | .key_id'
}
admin() { # VERB [OPTION ...]
    gms_group gms "$@" >>"$W/log/admin"
}
rekeyed() { # GROUP OLD: until it has another published key; sets $key
    local i
    for i in $(seq 200); do
        key=$(group_key "$1")
        [ "$key" != "$2" ] && [ "$key" != null ] && return 0
        sleep 0.1
    done
    fail "$1 has no new key after 20 s"
}
radio() { # NAME URI [OPTION ...]: it watches three groups, of which one is made later
    radio_start "$1" "$1" "$2" --gms-url "https://$LISTEN" --gms-uri "$(cat "$W/gms.uri")" --gms-ca "$W/ca.pem" \
        --gms-token "$W/$1.gms-token" --group "$GROUP" --group "$SOUTH" --group "$WEST" --gms-sip "sip:127.0.0.1:$SIP;transport=tcp" "${@:3}"
}
documents() { # GROUP ...: the server reads them again
    local group
    for group in "$@"; do group_document "$(name_of "$group")" "$group"; done
    [ -z "${PIDS[server]:-}" ] || kill -HUP "${PIDS[server]}"
}
name_of() { echo "${1//[:@.]/-}"; }
wait_gone() { # NAME KEY-ID [STATUS]: until it is no longer held, or has that status
    local i
    for i in $(seq 200); do
        jq -es "any(.event == \"key\" and .status == \"${3:-gone}\" and .key_id == \"$2\")" "$W/log/$1.out" >/dev/null && return 0
        sleep 0.1
    done
    fail "$1 does not say that $2 is ${3:-gone} after 20 s"
}
wait_refused() { # NAME CAUSE
    wait_field "$1" refused cause "$2" 1
}
listens() { # N GROUP: all are affiliated to it too, as the N-th publication
    for who in alice bob carol; do say_to "$who" affiliate "$2"; done
    for who in alice bob carol; do wait_count "$who" affiliated "$1"; done
}
calls=0
speak() { # GROUP KEY-ID: Alice calls and speaks, the others hear her under that key
    calls=$((calls + 1))
    say_to alice call "$1"
    for who in alice bob carol; do wait_count "$who" group-established $calls; done
    expect "the key of the call to $1" "$(event alice group-established key_id)" "$2"
    say_to alice push
    for who in bob carol; do wait_count "$who" speaker "$calls"; done
    expect "the key that Carol hears her under in $1" "$(event carol speaker key_id)" "$2"
    say_to alice release
    wait_floor alice released "$calls"
    for who in bob carol alice; do say_to "$who" leave; done
    for who in alice bob carol; do wait_count "$who" group-ended $calls; done
}

admin create --group "$SOUTH" --member "$ALICE" --member "$BOB"
gms_await gms "$SOUTH"
documents "$GROUP" "$SOUTH"
sed "s/$GROUP/$BOTH/g" "$W/$(name_of "$GROUP").group.xml" >"$W/$(name_of "$BOTH").group.xml" # until there is one
sed "s/$GROUP/$WEST/g" "$W/$(name_of "$GROUP").group.xml" >"$W/$(name_of "$WEST").group.xml"
program_stop server
server_start server --listen tcp:127.0.0.1:0 --store "$W/server.store" --store-key "$W/server.store-key" \
    --server-id "$SERVER_ID" --group-doc "$W/$(name_of "$GROUP").group.xml" --group-doc "$W/$(name_of "$SOUTH").group.xml" \
    --group-doc "$W/$(name_of "$BOTH").group.xml" --group-doc "$W/$(name_of "$WEST").group.xml" --user "$ALICE" --user "$BOB" --user "$CAROL"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
tone "$W/alice.wav" 30
radio alice "$ALICE" --play "$W/alice.wav"
radio bob "$BOB"
radio carol "$CAROL"
for who in alice bob carol; do
    radio_on "$who" "$GROUP"
    wait_field "$who" gms-subscription state active 1
done

old=$(group_key "$GROUP")
admin rekey --group "$GROUP"
rekeyed "$GROUP" "$old"
north=$key
for who in alice bob carol; do wait_key "$who" "$north"; done
speak "$GROUP" "$north"
echo "re-keyed: all three speak and hear under the new key"

admin add --group "$SOUTH" --member "$CAROL"
south=$(group_key "$SOUTH")
wait_key carol "$south"
documents "$SOUTH"
listens 2 "$SOUTH"
speak "$SOUTH" "$south"
echo "added: Carol's radio got the group and its key"

admin regroup --group "$BOTH" --part "$GROUP" --part "$SOUTH"
gms_await gms "$BOTH"
temporary=$(group_key "$BOTH")
for who in alice bob carol; do wait_key "$who" "$temporary"; done
documents "$BOTH"
listens 3 "$BOTH"
speak "$BOTH" "$temporary"
admin ungroup --group "$BOTH"
for who in alice bob carol; do wait_gone "$who" "$temporary"; done
speak "$GROUP" "$north"
speak "$SOUTH" "$south"
echo "temporary group: a key of its own, gone at its end; the old groups work again"

admin remove --group "$SOUTH" --member "$BOB"
wait_gone bob "$south"
rekeyed "$SOUTH" "$south"
south=$key
for who in alice carol; do wait_key "$who" "$south"; done
say_to bob call "$SOUTH"
wait_refused bob no-key
echo "removed: Bob has no key of the group any more, the others have another"

program_stop gms
gms_again
old=$north
admin rekey --group "$GROUP"
rekeyed "$GROUP" "$old"
north=$key
for who in alice bob carol; do wait_key "$who" "$north"; done
echo "restarted GMS: the subscriptions are made anew, all three have what was changed meanwhile"

admin lost --member "$CAROL"
wait_gone carol "$south"
wait_gone carol "$north"
say_to carol call "$GROUP"
wait_refused carol no-key
rekeyed "$GROUP" "$north"
north=$key
for who in alice bob; do wait_key "$who" "$north"; done
echo "lost: Carol's radio holds no key"

admin create --group "$WEST" --member "$ALICE" --member "$BOB"
gms_await gms "$WEST"
west=$(group_key "$WEST")
documents "$WEST"
for who in alice bob; do
    wait_key "$who" "$west"
    say_to "$who" affiliate "$WEST"
    wait_count "$who" affiliated 4
done
say_to alice call "$WEST"
wait_count bob group-established $((calls + 1))
expect "the key of a group that was made meanwhile" "$(event bob group-established key_id)" "$west"
admin revoke --group "$WEST" --key-id "$west"
for who in alice bob; do
    wait_gone "$who" "$west" revoked
    wait_field "$who" refused sentence "There is no key to speak with any more; what you say is not sent" 1 # in the call
done
say_to alice push
wait_field alice refused cause no-key 2
expect "the floor of who cannot be heard" "$(events alice floor state | grep -c granted)" "$calls"
say_to alice leave
wait_count alice group-ended $((calls + 1))
say_to alice call "$WEST"
wait_refused alice key-revoked
echo "revoked: the radio says that there is no key to speak with"

south=$(group_key "$SOUTH") # since the device was lost
wait_key alice "$south"
admin delete --group "$SOUTH"
wait_gone alice "$south"
say_to alice call "$SOUTH"
wait_field alice refused cause no-key 3
for who in alice bob carol; do say_to "$who" quit; done
expect_exit bob 0
echo "deleted: no key of the group is left"
