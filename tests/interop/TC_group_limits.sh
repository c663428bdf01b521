#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Limits on group calls at the server (TS 24.379 10.1.1.4.2, 10.1.2.4.1.1): participants of a call, calls of a user, calls of
# the server, a group that is part of a temporary one, and who has described no floor control. Joining members without keys are enough: the groups are in clear.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
D=lab.example.org
users=()
for who in alice bob carol dave; do users+=(--user "sip:$who@$D,emergency"); done
docs=()
document() { # NAME [children of list-service]
    local who
    {
        echo '<group xmlns="urn:oma:xml:poc:list-service" xmlns:x="urn:oma:xml:xdm:extensions" xmlns:m="urn:3gpp:ns:mcpttGroupInfo:1.0">'
        echo "<list-service uri='sip:$1@$D'><list>"
        for who in alice bob carol dave; do echo "<entry uri='sip:$who@$D'><m:mcptt-mcptt-id/></entry>"; done
        echo '</list><x:supported-services><x:service enabler="urn:urn-7:3gpp-service.ims.icsi.mcptt"><x:group-media>'
        echo '<m:mcptt-speech/></x:group-media></x:service></x:supported-services>'
        echo "<m:protect-media>false</m:protect-media><m:protect-floor-control-signalling>false</m:protect-floor-control-signalling>"
        echo "${2:-}</list-service></group>"
    } >"$W/$1.group.xml"
    docs+=(--group-doc "$W/$1.group.xml")
}
document called '<m:on-network-invite-members>true</m:on-network-invite-members>'
document pair '<m:on-network-max-participant-count>2</m:on-network-max-participant-count>'
for name in one two three four five; do document $name; done
document part "<m:on-network-regrouped temporary-MCPTT-group-ID='sip:whole@$D' temporary-MCPTT-group-requestor='sip:alice@$D'/>"

join() { # WHO GROUP ANSWER [WHAT THE LOG SAYS] [CHANGE ...]
    echo "sip:$1@$D sip:$1@$D group=sip:$2@$D no-list ${5:-session=chat}" >>"$W/lines"
    [ "$3" = - ] || echo "$3" >>"$W/said"
    [ -z "${4:-}" ] || case $4 in
        *")") echo "$4" ;;
        *) echo "$4 (TS 24.379 4.4.2)" ;;
    esac >>"$W/logged"
}
joined() { # NAME [OPTION ...]: all of them, at a server of its own
    server_start "$1" --listen tcp:127.0.0.1:0 "${users[@]}" "${docs[@]}" "${@:2}"
    timeout 60 python3 "$MCX_SOURCE/tests/support/sip_invite.py" "$(server_port "$1" tcp)" <"$W/lines" >"$W/answers" ||
        fail "$1: the members ended with $?"
    diff "$W/said" "$W/answers" || fail "$1: not the answers that are expected (<)"
    program_stop "$1"
    diff "$W/logged" <(jq -r 'select(.event == "group-call-refused") | "\(.text) (\(.clause))"' "$W/log/$1.out") ||
        fail "$1: not the reasons that are expected (<)"
    rm "$W/lines" "$W/said" "$W/logged"
}

join alice pair 200
join bob pair 200
join carol pair "486 122 too many participants" "too many participants"
join alice pair 200 # she comes anew
for name in one two three; do join alice $name 200; done
join alice four "486 103 maximum simultaneous MCPTT group calls reached" "maximum simultaneous MCPTT group calls reached"
join bob part "403 148 group is regrouped" "group is regrouped"
join dave four "403 100 function not allowed due to missing MCPTT service identifier" "missing MCPTT service identifier" "session=chat no-service"
join dave four 200 "" "session=chat speak"
urgent="session=prearranged emergency"
join carol called 480 "no other member can be called (TS 24.379 10.1.1.4.2)" "$urgent" # but she is affiliated by it
join dave called - "" "$urgent open" # he waits for her, who does not answer
join dave called - "the call has ended, or he called anew (TS 24.379 6.3.8.1)" "$urgent open"
join dave pair "486 122 too many participants" "too many participants"
joined limits
for reason in "he only listens in this call" "it is no RTP packet"; do
    expect "$reason" "$(jq -s --arg r "media: $reason" 'map(.drops[$r]? // 0) | add' "$W/log/limits.out")" 1
done

join alice one 200
join bob one 200
join carol two 500 "no room for it in this server (TS 24.379 10.1.1.4.2)"
joined small --max-calls 1
# files of the operator, read again and again: a group of whose document nothing is heard any more stays
group_files=()
for i in $(seq 256); do group_files+=(--group-doc "$W/many$i.xml"); done
rewrite() { # ROUND
    for i in $(seq 256); do sed "s/sip:one@/sip:many$i-$1@/" "$W/one.group.xml" >"$W/many$i.xml"; done
}
rewrite 1
server_start many --listen tcp:127.0.0.1:0 "${users[@]}" "${group_files[@]}"
for round in 2 3 4; do
    rewrite $round
    kill -HUP "${PIDS[many]}"
    wait_count many group-changed $((256 * round))
done
sed "s/sip:one@/sip:many1-5@/" "$W/one.group.xml" >"$W/many1.xml"
kill -HUP "${PIDS[many]}"
for _ in $(seq 100); do
    grep -q "there are too many groups" "$W/log/many.err" && break
    sleep 0.1
done
grep -q "there are too many groups" "$W/log/many.err" || fail "1025 groups: nothing is said: $(tail -3 "$W/log/many.err")"
program_stop many
echo "refused: one participant too many, a fifth call, a second call of the server, a group that is regrouped, media of who described no floor control"
