# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# How a demo tells its story: source it after tests/support/scenario.sh. Everything goes to $out/story.jsonl, from which
# demos/page.py makes the page.
#
#   story_begin NAME TITLE LEAD        $out becomes an empty FOLDER/NAME; logs in $out/log
#   say TEXT                           one line of what happens
#   claim TEXT HOW COMMAND ...         true only if the command succeeds; the demo ends when it does not
#   heading TEXT                       the figures that follow belong together
#   figure NAME TITLE TEXT             $out/NAME.wav with its spectrogram
#   listing FILE TITLE LEAD            $out/FILE as it is
#   story_end FOOTER                   keeps the logs, writes index.html
: "${OUT:=demo-out}"

story_begin() {
    out=$(realpath -m "$OUT/$1")
    rm -rf "$out"
    mkdir -p "$out/log"
    jq -cn --arg title "$2" --arg lead "$3" '{title: $title, lead: $lead}' >"$out/story.jsonl"
    printf '\n%s\n\n' "$2"
}

say() {
    printf '   %s\n' "$*"
    jq -cn --arg line "$*" '{line: $line}' >>"$out/story.jsonl"
}

claim() {
    local text=$1 how=$2 ok=true
    shift 2
    "$@" >>"$out/log/claims" 2>&1 || ok=false
    jq -cn --arg claim "$text" --arg how "$how" --argjson ok $ok '{claim: $claim, how: $how, ok: $ok}' >>"$out/story.jsonl"
    if [ $ok = true ]; then
        printf ' ✓ %s\n' "$text"
    else
        printf ' ✗ %s\n   (%s)\n' "$text" "$how" >&2
        fail "the claim does not hold: $*"
    fi
}

heading() {
    jq -cn --arg heading "$1" '{heading: $heading}' >>"$out/story.jsonl"
}

figure() {
    sox "$out/$1.wav" -n spectrogram -x 640 -y 257 -z 90 -r -o "$out/$1.png"
    jq -cn --arg figure "$1" --arg title "$2" --arg text "$3" '{figure: $figure, title: $title, text: $text}' \
        >>"$out/story.jsonl"
}

listing() {
    jq -cn --arg listing "$1" --arg title "$2" --arg lead "$3" '{listing: $listing, title: $title, lead: $lead}' \
        >>"$out/story.jsonl"
}

story_end() {
    jq -cn --arg footer "$1" '{footer: $footer}' >>"$out/story.jsonl"
    cp "$W"/log/*.out "$W"/log/*.err "$out/log/"
    python3 demos/page.py "$out"
    printf '\nEverything is in %s; open index.html.\n' "$out"
}
