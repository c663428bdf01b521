#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Phones that look after their keys: one begins without any, both stay up over a change of the key period and then
# call each other, a phone keeps its valid keys when the KMS does not answer, and no key fetched is ever printed.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
ALICE=sip:alice@lab.example.org
BOB=sip:bob@lab.example.org
P=14 # seconds of a key period
kms_make kms kms.lab.example.org lab.example.org --period $P --offset 0
kms_start kms
for user in alice bob; do
    "$MCX_BIN/mcx-kmsd" user add --dir "$W/kms" --user-uri "sip:$user@lab.example.org" \
        --mcptt-id "sip:$user@lab.example.org" >>"$W/log/kms.users"
    "$MCX_BIN/mcx" token issue --key "$W/kms.jwk" --mcptt-id "sip:$user@lab.example.org" --iss lab --aud mcx \
        >"$W/$user.token"
    openssl rand -hex 32 >"$W/$user.store-key"
done
server_start server --listen tcp:127.0.0.1:0 --user "$ALICE,answer=auto,force-auto" --user "$BOB,answer=auto"
SERVER="sip:127.0.0.1:$(server_port server tcp);transport=tcp"
KMS=(--kms-url "https://127.0.0.1:$(port_of kms)" --kms-uri kms.lab.example.org --kms-ca "$W/ca.pem")
tone "$W/said.wav" 0.4

period_now() { echo $((($(date +%s) + 2208988800) / P)); }
newest() { event "$1" keys 'periods | max'; }

code=0
"$MCX_BIN/mcx-ue" fetch --id "$ALICE" --store "$W/x" --store-key "$W/alice.store-key" --kms-uri u 2>"$W/log/usage" ||
    code=$?
expect "exit code without --kms-url" "$code" 2

# no token that the KMS takes, no keys: the phone says so and does not start
echo wrong >"$W/wrong.token"
phone_start early alice "$ALICE" answer "${KMS[@]}" --token "$W/wrong.token"
expect_exit early 1
grep -q 'keys cannot be fetched: init: the KMS refused the request' "$W/log/early.err" || fail "no plain sentence"
[ ! -e "$W/alice.store" ] || fail "a store was made of nothing"

# none of the two has a store
begun=$(period_now)
phone_start bob bob "$BOB" answer --calls 0 --record "$W/heard.wav" "${KMS[@]}" --token "$W/bob.token"
wait_registered bob
phone_start carrier alice "$ALICE" answer --calls 0 "${KMS[@]}" --token "$W/alice.token"
wait_registered carrier
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
expect_exit alice 0
expect "status of the keys" "$(event bob keys status)" ok
first=$(event bob verified key_id)

# both stay until the period has changed
while [ "$(period_now)" -lt $((begun + 2)) ]; do sleep 0.2; done
for phone in bob carrier; do
    for i in $(seq 50); do # the last tenth of such a period is one second: a busy machine may need longer
        [ "$(newest $phone)" -ge "$(period_now)" ] && break
        sleep 0.1
    done
    [ "$(newest $phone)" -ge "$(period_now)" ] || fail "$phone has no keys of this period: $(event $phone keys periods)"
    expect "$phone: complaints" "$(cat "$W/log/$phone.err")" ""
done
calls=$(grep -c '"event":"established"' "$W/log/bob.out")
now=$(period_now)
program_stop carrier
phone_start alice alice "$ALICE" call --to "$BOB" --play "$W/said.wav" --hangup-after-play
expect_exit alice 0
expect "calls after the change" "$(grep -c '"event":"established"' "$W/log/bob.out")" "$((calls + 1))"
[ "$(event bob verified key_id)" != "$first" ] || fail "the same PCK twice"
[ "$now" -gt "$begun" ] || fail "the period has not changed"

# the KMS is gone: said so, tried again, and the keys of this period still serve
program_stop kms
for i in $(seq 400); do
    [ "$(event bob keys status)" = failed ] && break
    sleep 0.1
done
expect "keys without a KMS" "$(event bob keys status)" failed
grep -q 'again in' "$W/log/bob.err" || fail "it was not tried again"
[ "$(event bob keys next_fetch)" != null ] || fail "no next try"
kill -0 "${PIDS[bob]}" || fail "the phone has ended"
program_stop bob

# what a phone prints is never a key: neither the store key, nor an SSK or RSK of what it holds
for user in alice bob; do
    grep -qi "$(cat "$W/$user.store-key")" "$W"/log/* && fail "a store key was printed"
    grep -qF "$(cat "$W/$user.token")" "$W"/log/* && fail "a token was printed"
done
grep -qE '"(ssk|rsk|key)"|UserDecryptKey|[0-9a-fA-F]{64}' "$W/log/bob.out" "$W/log/alice.out" && fail "a key was printed"
echo "keys fetched at the start and ahead of periods $((begun + 1)) and later; the call after the change was good"
