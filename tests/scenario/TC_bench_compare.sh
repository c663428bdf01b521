#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench/compare runs our program and the peers that were built, and prints one JSON object. No time is judged.
set -euo pipefail
out=$("$MCX_SOURCE/bench/compare" --build "$MCX_BIN/.." --rounds 1 --inner 1 --json)
jq -e '.times.mcx["eccsi.sign"].median > 0 and .times.mcx["openssl.ecdsa.sign"].median > 0' <<<"$out" >/dev/null
jq -e '[.ratios[] | select(.over == "eccsi.sign" and .under == "openssl.ecdsa.sign" and .median > 0)] | length == 1' <<<"$out" >/dev/null
for peer in "$MCX_BIN"/peer_*; do
    [ -x "$peer" ] || continue
    name=$("$peer" --rounds 1 | jq -r .program)
    jq -e --arg n "$name" '.times[$n] | length > 0' <<<"$out" >/dev/null || { echo "FAIL: no items of $name"; exit 1; }
done
status=0
"$MCX_SOURCE/bench/compare" --build /nonexistent >/dev/null 2>&1 || status=$?
[ $status -eq 3 ] || { echo "FAIL: without programs it ends with $status"; exit 1; }
echo "compare: $(jq '.ratios | length' <<<"$out") ratios"
