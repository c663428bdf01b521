#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The examples for vendors: built against an installed library, run with keys of a real KMS; and they refuse what is wrong.
: "${MCX_BIN:?}" "${MCX_SOURCE:?}"
# shellcheck source=../support/scenario.sh
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
cmake --install "$MCX_BIN/.." --prefix "$W/usr" >"$W/log/install"
cmake -S "$MCX_SOURCE/demos/embed" -B "$W/build" -DCMAKE_PREFIX_PATH="$W/usr" >"$W/log/configure" 2>&1
cmake --build "$W/build" >"$W/log/build" 2>&1

ALICE=sip:alice@lab.example.org BOB=sip:bob@lab.example.org GMS=sip:gms@lab.example.org GROUP=sip:north@lab.example.org
kms_make kms kms.lab.example.org lab.example.org
kms_start kms
provision kms alice "$ALICE"
provision kms bob "$BOB"
gms_make gms kms "$GMS"
as() { # URI NAME: the three arguments of a party
    echo "$1" "$W/$2.store" "$W/$2.store-key"
}
run() { # PROGRAM CODE WORDS [ARGUMENT ...]: ends with that code, and says so
    local name=$1 code=0
    "$W/build/$name" "${@:4}" >"$W/log/$name.out" 2>&1 || code=$?
    expect "exit code of $name ${*:4}" "$code" "$2"
    grep -qF "$3" "$W/log/$name.out" || fail "$name did not say '$3' but: $(cat "$W/log/$name.out")"
}
# shellcheck disable=SC2046
{
    run private_call 0 "Bob has heard Alice" $(as "$ALICE" alice) $(as "$BOB" bob)
    run private_call 1 "no call" $(as "$BOB" alice) $(as "$ALICE" bob) # neither holds keys of that name
    run private_call 2 usage
    run group_call 0 "the group has heard the speaker" "$GROUP" $(as "$GMS" gms) $(as "$ALICE" alice) $(as "$BOB" bob)
    run group_call 1 "no key set" "$GROUP" $(as "$GMS" alice) $(as "$ALICE" alice) $(as "$BOB" bob) # no keys of the server
    run group_call 1 "no speech" "$GROUP" $(as "$GMS" gms) $(as "$ALICE" alice) $(as "$BOB" alice) # a payload for another
    run group_call 2 usage
}
