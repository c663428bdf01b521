#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx floor inspect with the published messages, in clear and under a CSK, and what it refuses.
set -u
mcx=$MCX_BIN/mcx
failed=0
expect() { # what, expected exit code, expected pattern in the output, then: input, arguments
    local what=$1 code=$2 want=$3 input=$4 got
    shift 4
    got=$(printf '%s\n' "$input" | timeout 10 "$mcx" floor "$@" 2>/dev/null)
    local rc=$?
    if [ "$rc" -ne "$code" ] || ! grep -qE -- "$want" <<<"$got"; then
        printf 'FAILED: %s: exit %s, printed:\n%s\n' "$what" "$rc" "$got"
        failed=1
    fi
}
value() { # section, name in tests/vectors/media-srtp.txt
    awk -v s="[$1]" -v n="$2" '/^\[/ { in_s = $0 == s } in_s && $1 == n { print $3; exit }' \
        "$MCX_SOURCE/tests/vectors/media-srtp.txt"
}
plain=$(value v2 rtcp)
first=$(value v2 index0_srtcp)
second=$(value v2 index1_srtcp)
key="--csk $(value v2 csk) --csk-id $(value v2 mki) --rand $(value v2 rand)"
# shellcheck disable=SC2086
{
    expect "clear" 0 '^MCPT floor-request, SSRC cafebabe  \(TS 24.380 8.2.4\)$' "$plain" inspect
    expect "a field" 0 '^   13  Floor Indicator .*8000  normal  \(TS 24.380 8.2.3.15\)$' "$plain" inspect
    expect "json" 0 '"message":"floor-request".*"field":"Floor Priority","octets":"0500","meaning":"5"' "$plain" inspect --json
    expect "under the CSK" 0 'floor-request, SSRC cafebabe' "$first" inspect $key
    [ "$(printf '%s' "$first$second" | timeout 10 "$mcx" floor inspect $key | grep -c floor-request)" -eq 2 ] ||
        { echo "FAILED: two in a datagram"; failed=1; }
    expect "again" 1 'error: replay' "$first"$'\n'"$first" inspect $key
    expect "another RAND" 1 '"status":"auth"' "$first" inspect ${key/4d13/4d14} --json
    expect "clear text on a protected channel" 1 'error: trunc' "$plain" inspect $key
    expect "a protected one without the key" 1 'error: ' "$first" inspect
    expect "a denial" 0 '7: the queue is full' 83cc0003cafebabe4d43505402020007 inspect
    expect "an unknown field" 0 'unknown field, stepped over' 80cc0003cafebabe4d43505450020102 inspect
    expect "a call over a pre-established session" 0 '^MCPC connect, SSRC cafebabe, wants an ack' 90cc0003cafebabe4d43504300020102 inspect
    expect "a field twice" 1 'a field is there twice' 80cc0004cafebabe4d4350540002050000020500 inspect
    expect "no hex" 1 'not a datagram in hex' xyz inspect
    expect "half a key" 2 '' "" inspect --csk-id 2ddd5bf0
    expect "no verb" 2 '' ""
}
exit $failed
