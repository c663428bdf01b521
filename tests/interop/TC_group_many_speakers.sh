#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# More unknown speakers at a time than a radio derives keys for (TS 33.180 7.4.2): somebody without a key sends under two
# thousand GUK-IDs in a second while Alice speaks. Bob's radio gives up on the flood, says so, and hears every word of hers.
# Then Carol, a member who keeps to no rules, sends as seventy speakers with the group's key: more than Bob's has room for.
. "$MCX_SOURCE/tests/support/scenario.sh"
scenario_begin
lab_group --capture "$W/wire.pcap"
tone "$W/alice.wav" 3 300
"$MCX_BIN/mcx" audio code "$W/alice.wav" "$W/alice.coded.wav"
radio_start alice alice "$ALICE" --play "$W/alice.wav"
radio_start bob bob "$BOB" --record "$W/bob.wav"
for who in alice bob; do radio_on $who "$GROUP"; done
say_to alice call "$GROUP"
for who in alice bob; do wait_event $who group-established; done
say_to alice push
wait_event bob speaker
program_start flood python3 "$MCX_SOURCE/tests/support/udp_forger.py" "$W/wire.pcap" speaker --to "$(jq .audio_port "$W/bob.ready")" \
    --count 3000 --per-second 2000
wait_event alice played
program_wait flood || fail "the flood: $(cat "$W/log/flood.err")"
say_to alice release
wait_floor bob idle 2

kms_fetch kms carol "$CAROL" --save-xml "$W/carol.xml-keys" >"$W/log/save-xml" 2>&1
gms_get gms carol org.3gpp.MCPTT-GKTP "$GROUP" >"$W/log/carol.gktp"
python3 - "$W/carol.xml" "$W/carol.xml-keys" "$CAROL" "$(jq .audio_port "$W/bob.ready")" <<'PY'
import base64, json, os, re, socket, struct, subprocess, sys
gktp, keys, own, port = sys.argv[1:]
def mcx(*args, text):
    return subprocess.run([os.environ["MCX_BIN"] + "/mcx", *args], input=text, capture_output=True, text=True, check=True).stdout
message = re.search(r'GKTP id="%s"[^>]*>\s*([0-9A-Fa-f]+)' % re.escape(own), open(gktp).read()).group(1)
gmk = json.loads(mcx("mikey", "open", "--cert", keys + "/CERT.xml", "--keys", keys + "/KEYSET.xml", "--json",
                     text=base64.b64encode(bytes.fromhex(message)).decode()))
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(70):
    rtp = struct.pack(">BBHII", 0x80, 97, 1, 0, 0x1000 + i) + bytes.fromhex("f7c0")
    sealed = mcx("srtp", "protect", "--gmk", gmk["key"], "--gmk-id", gmk["key_id"], "--rand", gmk["rand"], "--user",
                 f"sip:speaker{i}@lab.example.org", "--rcc", text=rtp.hex())
    out.sendto(bytes.fromhex(sealed.strip()), ("127.0.0.1", int(port)))
PY
for _ in $(seq 100); do
    grep -qs "no room for another speaker" "$W/log/bob.out" && break
    sleep 0.1
done
say_to alice leave
wait_event bob group-ended
for who in alice bob; do
    say_to $who quit
    expect_exit $who 0
done
"$MCX_BIN/mcx" audio compare "$W/alice.coded.wav" "$W/bob.wav" >"$W/log/compare" || fail "Bob did not hear all of Alice"
others=63 # beside Alice
expect "Bob lost, and received" "$(event bob media lost) $(event bob media received)" "0 $(($(event alice media sent) + others))"
expect "Bob says of the flood" "$(jq -r 'select(.event == "drop" and .reason == "too many unknown speakers at a time") | .clause' "$W/log/bob.out")" \
    "TS 33.180 7.4.2"
expect "and of those without room" "$(jq -r 'select(.event == "drop" and .reason == "no room for another speaker") | .clause' "$W/log/bob.out")" \
    "RFC 3711 3.2.3"
echo "a flood of unknown speakers: given up, and Alice is heard; of seventy speakers 63 beside her"
