#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx srtp with the published packets, both ways, and its refusals; mcx audio.
set -u
mcx=$MCX_BIN/mcx
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
expect() { # what, expected exit code, expected output, then: input, arguments
    local what=$1 code=$2 want=$3 input=$4 got
    shift 4
    got=$(printf '%s\n' "$input" | "$mcx" "$@" 2>"$dir/err")
    local rc=$?
    if [ "$rc" -ne "$code" ] || [ "$got" != "$want" ]; then
        printf 'FAILED: %s: exit %s, printed:\n%s\n' "$what" "$rc" "$got"
        cat "$dir/err"
        failed=1
    fi
}
value() { # section, name in tests/vectors/media-srtp.txt
    awk -v s="[$1]" -v n="$2" '/^\[/ { in_s = $0 == s } in_s && $1 == n { print $3; exit }' \
        "$MCX_SOURCE/tests/vectors/media-srtp.txt"
}

rtp=$(value v1 rtp)
group="--master-key $(value v1 master_key) --master-salt $(value v1 master_salt) --mki $(value v1 mki) --rcc"
call="--master-key $(value v3 cs0_master_key) --master-salt $(value v3 cs0_master_salt) --mki $(value v3 mki)"
gmk="--gmk $(value v1 gmk) --gmk-id 09bf9d37 --rand $(value v1 rand) --rcc"
control="--master-key $(value v2 master_key) --master-salt $(value v2 master_salt) --mki $(value v2 mki) --rtcp"
# shellcheck disable=SC2086
{
    expect "group, ROC 0" 0 "$(value v1 roc0_srtp)" "$rtp" srtp protect $group
    expect "group, ROC 1" 0 "$(value v1 roc1_srtp)" "$rtp" srtp protect $group --roc 1
    expect "group, open late" 0 "$rtp" "$(value v1 roc1_srtp)" srtp unprotect $group
    expect "private call" 0 "$(value v3 cs0_srtp)" "$rtp" srtp protect $call
    expect "private call, open" 0 "$rtp" "$(value v3 cs0_srtp)" srtp unprotect $call
    expect "private call, wrong ROC" 1 "error: auth" "$(value v3 cs0_srtp)" srtp unprotect $call --roc 1
    expect "two control messages" 0 "$(value v2 index0_srtcp)"$'\n'"$(value v2 index1_srtcp)" \
        "$(value v2 rtcp)"$'\n'"$(value v2 rtcp)" srtp protect $control
    expect "control message, index 1" 0 "$(value v2 index1_srtcp)" "$(value v2 rtcp)" srtp protect $control --index 1
    expect "control message, open, then again" 1 "$(value v2 rtcp)"$'\n'"error: replay" \
        "$(value v2 index1_srtcp)"$'\n'"$(value v2 index1_srtcp)" srtp unprotect $control
    expect "the direction of the other side" 1 "error: auth" "$(value v3 cs1_srtp)" srtp unprotect $call
    expect "no hex" 1 "error: format"$'\n'"$rtp" "xyz"$'\n'"$(value v3 cs0_srtp)" srtp unprotect $call
    expect "json" 1 '{"status":"nokey","reason":"the MKI names another key","clause":"RFC 3711 3.1"}' \
        "$(value v3 cs0_srtp | sed 's/....$/0000/')" srtp unprotect $call --json
    expect "json, good" 0 "{\"status\":\"ok\",\"packet\":\"$rtp\"}" "$(value v3 cs0_srtp)" srtp unprotect $call --json
    expect "a repeated index" 1 "$(value v3 cs0_srtp)"$'\n'"error: state" "$rtp"$'\n'"$rtp" srtp protect $call
    expect "GMK, ROC 0 and 1" 0 "$rtp"$'\n'"$rtp" "$(value v1 roc0_srtp)"$'\n'"$(value v1 roc1_srtp)" srtp unprotect $gmk
    expect "GMK, json" 0 "{\"status\":\"ok\",\"packet\":\"$rtp\",\"guk_id\":\"01c8de7b\",\"ssrc\":\"cafebabe\"}" \
        "$(value v1 roc1_srtp)" srtp unprotect $gmk --json
    expect "GMK, again" 1 "$rtp"$'\n'"error: replay" "$(value v1 roc0_srtp)"$'\n'"$(value v1 roc0_srtp)" srtp unprotect $gmk
    expect "another GMK-ID" 1 "error: nokey" "$(value v1 roc0_srtp)" srtp unprotect ${gmk/09bf9d37/09bf9d38}
    expect "another RAND" 1 "error: auth" "$(value v1 roc0_srtp)" srtp unprotect ${gmk/6819/6818}
    expect "speaker, ROC 0" 0 "$(value v1 roc0_srtp)" "$rtp" srtp protect $gmk --user sip:p25user01@etherstack.com
    expect "speaker, ROC 1, by GUK-ID" 0 "$(value v1 roc1_srtp)" "$rtp" srtp protect $gmk --guk-id 01c8de7b --roc 1
    expect "speaker, control message" 0 "$(value v1 index1_srtcp)" "$(value v1 rtcp)" \
        srtp protect $gmk --user sip:p25user01@etherstack.com --rtcp --index 1
    expect "speaker, json" 0 "{\"status\":\"ok\",\"packet\":\"$(value v1 roc0_srtp)\"}" "$rtp" \
        srtp protect $gmk --guk-id 01c8de7b --json
    without_roc=${gmk% --rcc}
    expect "another speaker without a ROC, and back" 0 "$rtp" \
        "$(echo "$rtp" | "$mcx" srtp protect $without_roc --guk-id $(value v1-others user2_csb_id))" \
        srtp unprotect $without_roc
    expect "another speaker under his key" 0 "$rtp" "$(echo "$rtp" | "$mcx" srtp protect $gmk --user sip:92100002447@att.com)" \
        srtp unprotect --master-key $(value v1-others user3_master_key) --master-salt $(value v1-others user3_master_salt) \
        --mki 09bf9d37$(value v1-others user3_csb_id) --rcc
    expect "GMK to protect, nobody's" 2 "" "" srtp protect $gmk
    expect "GMK to protect, two speakers" 2 "" "" srtp protect $gmk --guk-id 01c8de7b --user sip:p25user01@etherstack.com
    expect "GMK to protect, MKI" 2 "" "" srtp protect $gmk --guk-id 01c8de7b --mki 09bf9d3701c8de7b
    expect "GUK-ID with another tag" 2 "" "" srtp protect $gmk --guk-id 11c8de7b
    expect "speaker of no group" 2 "" "" srtp protect --user sip:p25user01@etherstack.com
    expect "speaker, to open" 2 "" "" srtp unprotect $gmk --user sip:p25user01@etherstack.com
    expect "ROC to open under a GMK" 2 "" "" srtp unprotect $gmk --roc 1
    expect "GMK with MKI" 2 "" "" srtp unprotect $gmk --mki 00000001
    expect "GMK without RAND" 2 "" "" srtp unprotect --gmk $(value v1 gmk) --gmk-id 09bf9d37
    expect "GMK-ID of a PCK" 2 "" "" srtp unprotect ${gmk/09bf9d37/19bf9d37}
    expect "no key" 2 "" "" srtp protect --mki 00000001
    expect "short key" 2 "" "" srtp protect --master-key 00 --master-salt 000102030405060708090a0b
    expect "MKI of 3 octets" 2 "" "" srtp protect ${call% *} 000001
    expect "no verb" 2 "" "" srtp
}
"$mcx" srtp --help | grep -q 'laboratories only' || { echo "FAILED: help"; failed=1; }

sox -n -r 16000 -c 1 -b 16 "$dir/spoken.wav" synth 1.5 sine 200-2000 tremolo 4 70 || exit 1
"$mcx" audio code "$dir/spoken.wav" "$dir/coded.wav" || { echo "FAILED: audio code"; failed=1; }
sox "$dir/coded.wav" "$dir/heard.wav" pad 0.06 0.1 || exit 1
expect "the same speech 60 ms later" 0 \
    '{"status":"ok","offset_frames":3,"reference_samples":24000,"recording_samples":26560,"compared_samples":24000,"equal_samples":24000}' \
    "" audio compare "$dir/coded.wav" "$dir/heard.wav" --json
"$mcx" audio compare "$dir/spoken.wav" "$dir/heard.wav" >/dev/null
[ $? -eq 1 ] || { echo "FAILED: speech that was not coded is not the same"; failed=1; }
sox "$dir/spoken.wav" -r 8000 "$dir/narrow.wav" || exit 1
"$mcx" audio code "$dir/narrow.wav" "$dir/x.wav" 2>"$dir/err"
[ $? -eq 3 ] && grep -q '16000 Hz' "$dir/err" || { echo "FAILED: 8000 Hz"; failed=1; }
exit $failed
