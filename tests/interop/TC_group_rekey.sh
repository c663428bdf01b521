#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Carol is removed while Alice speaks, and the group is re-keyed (TS 33.180 5.7): the key changes in the middle
# of the burst, Bob hears every sample, and Carol, whom the server still sends everything, hears nothing from then on.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group
tone "$W/alice.wav" 7 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
URL="https://127.0.0.1:$(port_of gms)"
gms_of() { # USER: options of a radio that looks every second
    echo "--gms-url $URL --gms-uri $(cat "$W/gms.uri") --gms-ca $W/ca.pem --gms-token $W/$1.gms-token --group $GROUP --gms-poll 1"
}
# shellcheck disable=SC2046
{
    radio_start alice alice "$ALICE" --play "$W/alice.wav" $(gms_of alice)
    radio_start bob bob "$BOB" --record "$W/bob.heard.wav" $(gms_of bob)
    radio_start carol carol "$CAROL"
}
for who in alice bob carol; do radio_on "$who" "$GROUP"; done
say_to alice call "$GROUP"
for who in alice bob carol; do wait_event "$who" group-established; done
old=$(event alice group-established key_id)
say_to alice push
wait_event bob speaker
wait_event carol speaker
gms_group gms remove --group "$GROUP" --member "$CAROL" >"$W/log/remove"
wait_status alice key in-use
new=$(jq -r 'select(.event == "key" and .status == "in-use") | .key_id' "$W/log/alice.out")
[ "$new" != "$old" ] || fail "the key is the old one"
wait_field bob speaker key_id "$new" 1
grep -q '"event":"played"' "$W/log/alice.out" && fail "the switch was not in the middle of the speech"
wait_event alice played
say_to alice release
wait_floor alice released
for who in bob carol alice; do say_to "$who" quit; expect_exit "$who" 0; done
sent=$(event alice media sent)
expect "packets of Alice to Bob" "$(event bob media received) of $sent" "$sent of $sent"
expect "not taken by Bob, not sent by Alice" "$(event bob media unknown_key) $(event bob media refused) $(event bob media lost) $(event alice media unsent)" "0 0 0 0"
expect "all that came to Carol" $(($(event carol media received) + $(event carol media unknown_key))) "$sent"
[ "$(event carol media unknown_key)" -gt 20 ] || fail "Carol could still open packets"
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.heard.wav" || fail "Bob did not hear every sample"
echo "re-keyed in speech: $sent packets to Bob, none lost; Carol opened $(event carol media received) and not $(event carol media unknown_key)"
