#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floor control messages that authenticate and are malformed (TS 24.380 8.1.2, 8.2), from a member with a CSK of his own: the
# server says of each why it does not take it, nobody is granted the floor by one, and the next good request is.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --capture "$W/wire.pcap"
tone "$W/carol.wav" 0.2 600
radio_start alice alice "$ALICE"
radio_on alice "$GROUP"
member_start carol carol "$CAROL" --say "$W/carol.wav" --capture "$W/wire.pcap"
wait_registered carol
say_to alice call "$GROUP"
wait_event alice group-established
wait_count server group-joined 2
number=0
for how in version packet-type padding-bit length-short length-long length-less name subtype field-length field-twice \
    field-value e-bit other-ssrc; do
    say_to carol floor $how 1
    number=$((number + 1))
    wait_count carol attacked $number
done
say_to carol push
wait_field carol floor type granted 1
say_to carol release
wait_count server floor-idle 1
say_to carol bye
say_to alice leave
wait_event server group-media-closed
for who in alice carol; do
    say_to $who quit
    expect_exit $who 0
done
expect "the floor" "$(events server floor-granted user)" "$CAROL"
expect "refused" "$(jq -r 'select(.event == "group-dropped") | "\(.user) \(.reason) (\(.clause))"' "$W/log/server.out" | LC_ALL=C sort)" \
    "$CAROL a field has a length that it cannot have (TS 24.380 8.2.3.2)
$CAROL a field is there twice (TS 24.380 8.2.3.2)
$CAROL no key of this channel has that identifier (TS 33.180 9.4.6)
$CAROL no room for another SSRC under this key (RFC 3711 3.2.3)
$CAROL not an RTCP packet of version 2 (RFC 3550 6.4.1)
$CAROL the end of the protected message cannot be found (TS 24.380 8.1.1)
$CAROL the packet has another name (TS 24.380 8.1.2)
$CAROL the packet is not encrypted (TS 33.180 7.5.1)
$CAROL the packet type is not 204 (TS 24.380 8.1.2)
$CAROL the padding bit is set (TS 24.380 8.1.2)
$CAROL the subtype names no message (TS 24.380 8.1.4)
$CAROL the value of a field is malformed (TS 24.380 8.2.3.8)"
expect "of all" "$(event server group-media-closed floor_dropped)" $number
echo "malformed: $number floor control messages, none taken"
