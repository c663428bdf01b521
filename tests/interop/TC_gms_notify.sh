#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SIP notification of changed documents: SUBSCRIBE with token and paths, NOTIFY with xcap-diff at once and at each
# change; a member who is removed is told that his documents are gone (TS 24.481 6.3.13; RFC 5875, RFC 6665).
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
GROUP=sip:fire@a.example.org ALICE=sip:alice@a.example.org BOB=sip:bob@a.example.org
kms_make a kms.a.example.org a.example.org
kms_start a
gms_make gms a sip:gms@a.example.org
gms_start gms --sip-listen tcp:127.0.0.1:0
SIP=$(jq -r .sip "$W/gms.ready")
gms_group gms create --group $GROUP --member $ALICE --member $BOB
gms_await gms $GROUP
gms_token gms alice $ALICE
gms_token gms bob $BOB
watch() { program_start "watch-$1" python3 "$MCX_SOURCE/tests/support/xcap_watch.py" "$SIP" "$2" "$3" "${4:-$GROUP}" 20 "${@:5}"; }
told() { # NAME N: until N documents were told
    for _ in $(seq 100); do
        [ "$(grep -c '^notify' "$W/log/watch-$1.out")" -ge "$2" ] && return 0
        sleep 0.1
    done
    fail "$1 was told of $(grep -c '^notify' "$W/log/watch-$1.out") documents, not of $2"
}
answered() { # NAME STATUS
    for _ in $(seq 50); do
        grep -q '^status' "$W/log/watch-$1.out" && break
        sleep 0.1
    done
    expect "answer to $1" "$(sed -n 's/^status //p' "$W/log/watch-$1.out" | head -1)" "$2"
}

watch alice $ALICE "$W/alice.gms-token"
answered alice 200
told alice 2
gms_get gms alice org.3gpp.MCPTT-GKTP $GROUP >/dev/null
grep -q "GKTP.* $(cat "$W/alice.etag") " "$W/log/watch-alice.out" || fail "the entity tag told is not that of the document"
watch bob $BOB "$W/bob.gms-token"
told bob 2

gms_group gms rekey --group $GROUP
told alice 3
tail -1 "$W/log/watch-alice.out" | grep -q "GKTP.* $(cat "$W/alice.etag")\$" || fail "the previous entity tag is missing"
gms_group gms remove --group $GROUP --member $BOB
for _ in $(seq 100); do
    [ "$(grep -c '^notify .* - ' "$W/log/watch-bob.out")" -ge 2 ] && break
    sleep 0.1
done
expect "Bob's documents are gone" "$(grep -c '^notify .* - ' "$W/log/watch-bob.out")" 2

# refusals
echo nonsense >"$W/bad.token"
watch bad $ALICE "$W/bad.token"
answered bad 403
watch event $ALICE "$W/alice.gms-token" $GROUP presence
answered event 489

# the notifier is killed: it starts again where it was
kill -9 "$(jq -r .notify "$W/gms.ready")"
for _ in $(seq 100); do
    watch again $ALICE "$W/alice.gms-token" 2>/dev/null
    sleep 0.3
    grep -q "^status 200" "$W/log/watch-again.out" && break
done
answered again 200
told again 2
program_stop gms
echo ok
