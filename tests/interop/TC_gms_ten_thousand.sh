#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 10,000 members are keyed with real payloads: all before the activation time, progress on request, and the memory of
# the process that keeps the queue does not grow with the number of members. MEMBERS=N for a shorter run.
. "$(dirname "$0")/../support/scenario.sh"

scenario_begin
GROUP=sip:fire@a.example.org MEMBERS=${MEMBERS:-10000} BOUND_KIB=40000
kms_make a kms.a.example.org a.example.org
kms_start a
gms_make gms a sip:gms@a.example.org
seq -f 'sip:member%.0f@a.example.org' "$MEMBERS" >"$W/members"
gms_start gms
queue=$(jq -r .queue "$W/gms.ready")
memory() { awk '/VmHWM/ { print $2 }' "/proc/$queue/status"; }

gms_group gms create --group sip:small@a.example.org --member sip:one@a.example.org
gms_await gms sip:small@a.example.org
before=$(memory)
start=$(date +%s)
gms_group gms create --group $GROUP --members "$W/members"
progress=0
for _ in $(seq 240); do
    gms_group gms jobs --json >"$W/jobs"
    [ "$(jq '.jobs | length' "$W/jobs")" = 0 ] && break
    jq -e '.jobs[0] | .done > 0 and .done < .total and .left_s > 0' "$W/jobs" >/dev/null && progress=$((progress + 1))
    sleep 1
done
expect "jobs left" "$(jq '.jobs | length' "$W/jobs")" 0
took=$(($(date +%s) - start))
[ "$progress" -gt 0 ] || fail "no progress was to be seen"
gms_group gms show --group $GROUP --json >"$W/show"
expect "state" "$(jq -r '.keys[0].state' "$W/show")" published
activation=$(date -d "$(jq -r '.keys[0].activation' "$W/show")" +%s)
[ "$activation" -ge "$((start + took - 2))" ] || fail "active $activation, before all was made"
after=$(memory)
[ "$after" -le "$BOUND_KIB" ] || fail "the queue process has used $after KiB"
[ "$((after - before))" -le 8000 ] || fail "memory grew from $before to $after KiB"
expect "lacking" "$(gms_group gms lacking --group $GROUP --json | jq '.lacking | length')" "$MEMBERS"
total=$(sed -E ':a;s/([0-9])([0-9]{3})($|,)/\1,\2\3/;ta' <<<"$MEMBERS")
grep -qE "\[$GROUP\] issue [0-9a-f]{8}: [0-9]{1,3}(,[0-9]{3})* of $total, [1-9][0-9]* s left" "$W/log/gms.err" ||
    fail "the log has no progress: $(grep -m 3 " left" "$W/log/gms.err")"
grep "of .* left" "$W/log/gms.err" | tail -2
echo "ok: $MEMBERS payloads in $took s, queue process $before KiB before, at most $after KiB"
