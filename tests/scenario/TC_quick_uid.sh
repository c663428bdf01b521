#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx uid prints every published UID; mcx bench runs an item; both say what is wrong with a command line.
set -u
mcx=$MCX_BIN/mcx
num=0

fail() { echo "FAIL: $*"; exit 1; }
expect() { # status, command...
    local want=$1 got
    shift
    "$@" >/dev/null 2>&1
    got=$?
    [ "$got" -eq "$want" ] || fail "'$*' ends with $got, not $want"
}

# mcx-uid.txt: hex octets; the names of a case share the part before the dot
while read -r name value; do
    case $name in
    *.user_uri) user=$(printf %b "$(sed 's/../\\x&/g' <<<"$value")") ;;
    *.kms_uri) kms=$(printf %b "$(sed 's/../\\x&/g' <<<"$value")") ;;
    *.key_period) period=$((16#$value)) ;;
    *.key_period_offset) offset=$((16#$value)) ;;
    *.key_period_no) no=$((16#$value)) ;;
    *.uid)
        got=$("$mcx" uid --user "$user" --kms "$kms" --period "$period" --offset "$offset" --period-no "$no" 2>/dev/null) ||
            fail "$name ends with $?"
        [ "$got" = "$value" ] || fail "$name is $got"
        num=$((num + 1))
        ;;
    esac
done < <(sed -n 's/^\([a-z0-9_]*\.[a-z_]*\) = /\1 /p' "$MCX_SOURCE/tests/vectors/mcx-uid.txt")
[ "$num" -eq 11 ] || fail "$num UIDs instead of 11"

ok=(--user sip:a@example.org --kms kms.example.org --period 10 --offset 0 --period-no 1)
[ "$("$mcx" uid "${ok[@]}" --json | jq -r .uid)" = "$("$mcx" uid "${ok[@]}")" ] || fail "--json differs"
expect 0 "$mcx" uid --help
expect 2 "$mcx" uid
expect 2 "$mcx" uid "${ok[@]}" more
expect 2 "$mcx" uid "${ok[@]}" --period 0
expect 2 "$mcx" uid "${ok[@]}" --period -1
expect 2 "$mcx" uid "${ok[@]}" --period-no 99999999999999999999
expect 2 "$mcx" uid "${ok[@]}" --user ""
expect 2 "$mcx" uid --user sip:a@example.org --kms kms.example.org --period 10 --offset 0

expect 0 "$mcx" bench --help
expect 2 "$mcx" bench --rounds 0
expect 2 "$mcx" bench --filter no.such.item
[ "$("$mcx" bench --json --rounds 2 --filter ident.uid | jq -r '.items[0].name')" = ident.uid ] || fail "mcx bench --json"
echo "$num UIDs"
