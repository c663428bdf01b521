#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each program explains itself and ends with the codes it promises; each option of --help is in its man page,
# and so are the defaults of floor control.
set -u
: "${MCX_BIN:?}" "${MCX_SOURCE:?}"
fail() { echo "FAIL: $*" >&2; exit 1; }
page() { sed -e 's/Fl -/--/g' -e 's/\\-/-/g' "$MCX_SOURCE/docs/man/$1"; }
# documented PAGE PROGRAM [SUBCOMMAND ...]
documented() {
    local file=$1 text option n=0
    shift
    text=$("$MCX_BIN/$1" "${@:2}" --help 2>/dev/null) || fail "$* --help ends with $?"
    [ -n "$text" ] || fail "$* --help says nothing on standard output"
    for option in $(grep -oE -- '--[a-z][a-z0-9-]*' <<<"$text" | sort -u); do
        case $option in --help | --version) continue ;; esac
        page "$file" | grep -qE -- "$option([^a-z0-9-]|\$)" || fail "$* $option is not in $file"
        n=$((n + 1))
    done
    echo "$*: $n options"
}
documented mcx-kmsd.8 mcx-kmsd
documented mcx-gmsd.8 mcx-gmsd
documented mcx-mcpttd.8 mcx-mcpttd
documented mcx-ue.1 mcx-ue
timers=$(sed -n '/^## Floor control server/,/^## Floor participant/s/^| \(T[0-9]*\) | \([0-9]*\)\(off\)\{0,1\}.*/\1 \2/p' "$MCX_SOURCE/docs/STATE-MACHINES.md")
[ "$(wc -l <<<"$timers")" -eq 8 ] || fail "timers of the floor control server: $timers"
while read -r name ms; do
    page mcx-mcpttd.8 | grep -qE "(^|[ ,])$name ${ms:-0} \(" || fail "$name=${ms:-0} is not in mcx-mcpttd.8"
done <<<"$timers"
for command in $("$MCX_BIN/mcx" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'); do
    page mcx.1 | grep -q "^.Ss mcx $command" || fail "mcx $command is not in mcx.1"
    case $command in
    version) ;;
    mikey) for verb in make open inspect; do documented mcx.1 mcx mikey $verb; done ;;
    *) documented mcx.1 mcx "$command" ;;
    esac
done
for program in mcx mcx-kmsd mcx-gmsd mcx-mcpttd mcx-ue; do
    "$MCX_BIN/$program" --version | grep -q '[0-9]\.[0-9]' || fail "$program --version"
    said=$("$MCX_BIN/$program" --no-such-option 2>&1 >/dev/null)
    code=$?
    [ "$code" -eq 2 ] || fail "$program --no-such-option ends with $code"
    grep -qE -- '--help|usage' <<<"$said" || fail "$program --no-such-option: '$said' does not say where to look"
done
# refused WORDS COMMAND [ARGUMENT ...]: a wrong command line ends with 2 and says what is wrong
refused() {
    said=$("$MCX_BIN/mcx" "${@:2}" 2>&1 >/dev/null)
    code=$?
    [ "$code" -eq 2 ] || fail "mcx ${*:2} ends with $code"
    grep -qF -- "$1" <<<"$said" || fail "mcx ${*:2}: '$said' and not '$1'"
}
for command in "kms fetch" "store list" "token issue" "group fetch" "group keys"; do
    read -ra words <<<"$command"
    refused "wrong option" "${words[@]}" --no-such-option
    refused "an argument too many" "${words[@]}" stray
done
refused "wrong option" store list --store
refused "--store and --store-key are needed" store list --store a
# shellcheck disable=SC2046
refused "--scope too many times" token issue $(printf -- '--scope s%s ' $(seq 17))
refused "--expires-in wants seconds" token issue --expires-in soon
if command -v groff >/dev/null; then
    for f in "$MCX_SOURCE"/docs/man/*; do
        said=$(groff -man -mdoc -Tascii -z -ww "$f" 2>&1)
        [ -z "$said" ] || fail "$f: $said"
    done
fi
echo ok
