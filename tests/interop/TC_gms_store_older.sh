#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An older key store is put in the place of the one that mcx-gmsd uses: refused, by its workers too, and what is known
# serves on.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
FIRE=sip:fire@a.example.org WATER=sip:water@a.example.org GMS=sip:gms@a.example.org
kms_make a kms.a.example.org a.example.org
kms_start a
gms_make gms a $GMS
cp "$W/gms.store" "$W/older"
kms_fetch a gms $GMS >"$W/log/gms.fetch2"
cp "$W/gms.store" "$W/newer"
serial() { "$MCX_BIN/mcx" store list --store "$W/$1" --store-key "$W/gms.store-key" --json | jq .serial; }
[ "$(serial older)" -lt "$(serial newer)" ] || fail "the second store is not newer"
put() { # STORE
    cp "$W/$1" "$W/put"
    mv "$W/put" "$W/gms.store"
}
said() { # TEXT
    for _ in $(seq 400); do
        grep -q "$1" "$W/log/gms.err" && return 0
        sleep 0.1
    done
    fail "the log does not say '$1'"
}

gms_start gms --workers 1
queue=$(jq -r .queue "$W/gms.ready")
put older
said "the key store is older than the one in use; going on with what is known"
grep -q "key store read anew" "$W/log/gms.err" && fail "the older key store was read"
gms_group gms create --group $FIRE --member sip:alice@a.example.org
gms_await gms $FIRE

kill -KILL "$(tr -d ' ' <"/proc/$queue/task/$queue/children")" # its one worker
said "the key store cannot be used.*older than the one seen before"

put newer # the one in use has the lowest serial that is taken
said "key store read anew"
gms_group gms create --group $WATER --member sip:alice@a.example.org
gms_await gms $WATER
program_stop gms
echo ok
