#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpus of every fuzz target from the test vectors: DIR/<target>/<number>.

usage: fuzz/seeds.py DIR

A target has one function here, with its name, that yields octets. Everything comes from tests/vectors or stands
below, so the corpus is the same on every machine.
"""
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VECTORS = os.path.join(TOP, "tests", "vectors")


def values(name):
    """(key, text) of each "key = value" line of a vector file; sections are not told apart."""
    with open(os.path.join(VECTORS, name), encoding="utf-8") as lines:
        for line in lines:
            key, equal, value = line.partition(" =")
            if equal and not line.startswith(("#", "[")):
                yield key, value.strip()


def octets(name, *endings):
    """Values in hex whose key has one of the endings."""
    for key, value in values(name):
        if key.endswith(endings):
            yield bytes.fromhex(value)


def plain_rtp():
    yield from octets("rfc7714-srtp-gcm.txt", ".rtp_packet")
    yield from octets("libsrtp-gcm.txt", "rtp_packet")
    yield from octets("media-srtp.txt", "rtp")
    yield bytes.fromhex("b1e11234decafbadcafebabe00000001bede000110aa0000aabb000003")  # CSRC, extension, padding


def fuzz_rtp():
    yield from plain_rtp()


def fuzz_srtp():
    """First octet: bit 0 SRTCP, 1 MKI of 8 octets, 2 ROC in the packet, 3 in place."""
    for packet in plain_rtp():
        for choice in (0, 6, 10):
            yield bytes([choice]) + packet
    for packet in octets("rfc7714-srtp-gcm.txt", ".rtcp_packet"):
        yield b"\x01" + packet
    for packet in octets("media-srtp.txt", "rtcp", "_srtcp"):
        yield b"\x03" + packet
    for packet in octets("media-srtp.txt", "_srtp"):
        yield b"\x06" + packet


def fuzz_floor():
    """Whole MCPT and MCPC packets; the length field is filled in here."""
    yield from octets("media-srtp.txt", "rtcp")
    for fields in (
            "81 4d435054 0102001e 0e06112233440000 00020700 07020001 0e06aabbccdd0000 0905 7369703a62 00 03020109 0d028400",
            "92 4d435054 0405 7369703a61 00 05020001 08021234 0b0e 80 04 75736572 00000001 00000002 0d028080"
            "0e06112233440000 1104 74656c3a 0000 0f0c 02 05 7369703a61 04 7369703a 0000 100a 02 00 11223344 55667788"
            "1206 01 04 66697265 1308 01 00010203040506 0000 1406 03 00 05ff 0500 0000",
            "83 4d435054 020d 0001 6f7468657220616c6b 0000 00", "9a 4d435054 0a020000 0c020100", "8a 4d435054 0a020000 0c020100",
            "8e 4d435054 15020001 1605 01 03 746f6d 00 17020002", "87 4d435054 1905 7369703a61 00", "8b 4d435054 18028000",
            "90 4d435043 0106 01 7369703a67 00020102 04020001 0505 7369703a61 00 c00005 0102030405",
            "82 4d435043 06020003 0704 62757379 0000", "91 4d435043 0106 03 7369703a67"):
        octet = bytes.fromhex(fields)
        octet += bytes(-(len(octet) - 1) % 4)
        yield octet[:1] + b"\xcc" + ((len(octet) + 7) // 4 - 1).to_bytes(2, "big") + bytes.fromhex("cafebabe") + octet[1:]


def fuzz_group():
    """First octet: 0 a packet of group media, under GMK-ID 1 (with ROC) or 2; 1 sealed group keys or their contents."""
    packet = bytes.fromhex("80610007cafebabe" + "00000000" + 40 * "ab")
    yield b"\x00" + packet + bytes.fromhex("00000001" + "01c8de7b" + "00000000")
    yield b"\x00" + packet + bytes.fromhex("00000002" + "01c8de7b")
    yield b"\x00" + packet + bytes.fromhex("00000001" + "11c8de7b" + "00000007")

    def string(text):
        return len(text).to_bytes(2, "big") + text.encode()

    def key(kind, flags, key_id):
        return (bytes([kind, flags]) + 16 * b"k" + key_id.to_bytes(4, "big") + bytes.fromhex("0abe69d0") + b"\x10" +
                16 * b"r" + b"\x00\x01" + (1790000000).to_bytes(8, "big") + bytes(8) +
                (1790000000 + 2208988800).to_bytes(8, "big") + bytes(4) + string("sip:gms@example.org") +
                string("sip:alice@example.org") + b"\x02" + string("sip:fire@example.org") + string("sip:rescue@example.org"))

    info = b"\x07" + string("sip:fire@example.org") + string('"a"') + string("") + string("")
    keys = key(0, 4, 1) + key(0, 1, 2) + key(4, 6, 0x40000001)
    yield b"\x01\x00\x03" + keys + b"\x00\x01" + info
    yield b"\x01mcxgroup\x00\x01" + bytes(60)


def fuzz_amrwb():
    """First octet: bit 0 octet-aligned form."""
    for payload in ("f7c0", "14eaf37bc048c0", "ff5e", "44" + 61 * "5a"):
        yield b"\x00" + bytes.fromhex(payload)
    for payload in ("f07c", "104cabcdef0123", "f0f478", "f044" + 60 * "5a", "f0fc7c"):
        yield b"\x01" + bytes.fromhex(payload)


def fuzz_sdp():
    lines = ["v=0", "o=- 3680000001 3680000001 IN IP6 2001:db8::1", "s=-", "c=IN IP6 2001:db8::1", "t=0 0"]
    audio = ["m=audio 49170 RTP/AVP 97", "i=speech", "a=rtpmap:97 AMR-WB/16000/1",
             "a=fmtp:97 mode-set=0,2,8; mode-change-capability=2; max-red=0; octet-align=1", "a=rtcp:49171"]
    floor = ["m=application 49180 udp MCPTT", "a=fmtp:MCPTT mc_queueing;mc_priority=5;mc_implicit_request"]
    mikey = ["a=key-mgmt:mikey ARoFARorPE0AAQsA7VKdQAAAAAA="]
    for body in (lines + mikey + audio + floor, lines + audio + mikey, lines + audio[:1] + audio[2:3]):
        yield "".join(line + "\r\n" for line in body).encode()


def imessages(prefix=""):
    """Whole I_MESSAGEs of tests/vectors/mikey-imessages."""
    for name in sorted(os.listdir(os.path.join(VECTORS, "mikey-imessages"))):
        if name.startswith(prefix):
            for key, value in values(os.path.join("mikey-imessages", name)):
                if key == "message":
                    yield bytes.fromhex(value)


def fuzz_mikey():
    """First octet: 0 message, 1 key parameters, 2 their frame, 3 SP parameters, 4 header."""
    for message in imessages():
        yield b"\x00" + message
        yield b"\x04" + message[:60]
    yield b"\x00" + bytes.fromhex("010605011a2b3c4d0001" "0c00ed529d4000000000" "0c050000" "040d0000" "000100")
    for name in sorted(os.listdir(os.path.join(VECTORS, "mikey-imessages"))):
        for plain in octets(os.path.join("mikey-imessages", name), "keyparams.plaintext"):
            yield b"\x01" + plain
        for data in octets(os.path.join("mikey-imessages", name), "ext07.data"):
            yield b"\x02" + data
    yield b"\x03" + bytes.fromhex("00010601011002010404010c0501000601000d020001120104130100140110")
    yield b"\x03" + bytes.fromhex("00010601011004010c050100060100140110")


def fuzz_imessage():
    """First octet: bit 0 sign anew, bits 1 to 5 tolerances, bit 6 strict clock."""
    for message in imessages("own-"):
        for choice in (0x00, 0x41, 0x3f, 0x21):
            yield bytes([choice]) + message
    for message in imessages():
        yield b"\x1e" + message


def fuzz_group_doc():
    """First octet: 0 group document, 1 GKTP document, 2 xcap-diff, 3 resource-lists, 4 path."""
    yield (b"\x00" b'<group xmlns="urn:oma:xml:poc:list-service" xmlns:rl="urn:ietf:params:xml:ns:resource-lists"'
           b' xmlns:x="urn:oma:xml:xdm:extensions" xmlns:m="urn:3gpp:ns:mcpttGroupInfo:1.0">'
           b'<list-service uri="sip:g@example.org"><display-name>G</display-name><list><entry uri="sip:a@example.org">'
           b"<rl:display-name>A</rl:display-name><m:on-network-recvonly/><m:user-priority>7</m:user-priority></entry>"
           b'</list><x:supported-services><x:service enabler="urn:urn-7:3gpp-service.ims.icsi.mcptt"><x:group-media>'
           b"<m:mcptt-speech/></x:group-media></x:service></x:supported-services>"
           b"<m:on-network-invite-members>true</m:on-network-invite-members><m:protect-media>false</m:protect-media>"
           b"<m:on-network-hang-timer>PT1M30.5S</m:on-network-hang-timer>"
           b"<m:require-multicast-floor-control-signalling/>"
           b'<m:on-network-regrouped temporary-MCPTT-group-ID="sip:t@example.org"'
           b' temporary-MCPTT-group-requestor="sip:d@example.org"/></list-service></group>')
    yield (b"\x01" b'<m:GKTPs xmlns:m="urn:3gpp:ns:mcpttGKTP:1.0"><m:GMK-GKTPs><m:GKTP id="sip:a@example.org"'
           b' activationtime="2026-03-04T12:00:00Z">011A05fF</m:GKTP><m:on-network-regrouped-GKTPs'
           b' temporary-MCPTT-group-ID="sip:t@example.org"><m:GKTP id="a">01</m:GKTP></m:on-network-regrouped-GKTPs>'
           b'</m:GMK-GKTPs><m:MKFC-GKTPs><m:GKTP id="a">01</m:GKTP></m:MKFC-GKTPs></m:GKTPs>')
    yield (b"\x02" b'<xcap-diff xmlns="urn:ietf:params:xml:ns:xcap-diff" xcap-root="https://gms.example.org/">'
           b'<document new-etag="2" sel="org.3gpp.MCPTT-GKTP/global/byGroupID/g" previous-etag="1"/></xcap-diff>')
    yield (b"\x03" b'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>'
           b'<entry uri="org.3gpp.MCPTT-GKTP/global/byGroupID/g"/></list></resource-lists>')
    yield b"\x04" b"/org.openmobilealliance.groups/global/byGroupID/sip:a%2Fb@example.org"


def fuzz_gmc():
    """First octet: 0 group document, 1 GKTP document, 2 notification."""
    for seed in fuzz_group_doc():
        if seed[0] < 3:
            yield seed.replace(b"/g\"", b"/sip:g@example.org\"")
    head = b"\x01" b'<m:GKTPs xmlns:m="urn:3gpp:ns:mcpttGKTP:1.0"><m:GMK-GKTPs><m:GKTP id="'
    for message in imessages("own-"):
        for name in (b"sip:a@example.org", b"1"):
            yield head + name + b'">' + message.hex().encode() + b"</m:GKTP></m:GMK-GKTPs></m:GKTPs>"


def fuzz_mcpttinfo():
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<mcpttinfo xmlns="urn:3gpp:ns:mcpttInfo:1.0"><mcptt-Params>'
    tail = "</mcptt-Params></mcpttinfo>"
    yield (head + "<session-type>private</session-type>"
           '<mcptt-request-uri type="Normal"><mcpttURI>sip:bob@example.org</mcpttURI></mcptt-request-uri>'
           '<mcptt-calling-user-id type="Normal"><mcpttURI>sip:alice@example.org</mcpttURI></mcptt-calling-user-id>'
           + tail).encode()
    yield (head + '<mcptt-client-id type="Normal"><mcpttString>urn:uuid:1</mcpttString></mcptt-client-id>'
           "<emergency-ind>true</emergency-ind>" + tail).encode()
    yield (b'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list>'
           b'<entry uri="sip:bob@example.org"/></list></resource-lists>')


def fuzz_affiliation():
    head = ('<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:m="urn:3gpp:ns:mcpttPresInfo:1.0" '
            'entity="sip:alice@example.org"><tuple id="urn:uuid:1"><status>')
    tail = "</status></tuple><m:p-id>1</m:p-id></presence>"
    yield (head + '<m:affiliation group="sip:g@example.org"/>' + tail).encode()
    yield (head + '<m:affiliation group="sip:g@example.org" status="affiliated" expires="2026-03-04T12:00:00Z"/>'
           '<m:affiliation group="sip:h@example.org" status="deaffiliating"/>' + tail).encode()
    yield (b'<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="a/b"/><entry uri="c"/>'
           b'</list></resource-lists>')


def fuzz_multipart():
    part = "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n"
    info = "--b1\r\nContent-Type: application/vnd.3gpp.mcptt-info+xml\r\nContent-ID: <1@x>\r\n\r\n<a/>\r\n"
    yield ('multipart/mixed;boundary="b1"\n' + part + info + "--b1--\r\n").encode()
    yield b"application/sdp\nv=0\r\n"
    yield b'399 example.org "136 the authentication of the MIKEY-SAKKE I_MESSAGE failed"\n'


def fuzz_kmsdoc():
    documents = [text for key, text in values("identities-kms-vectors.txt") if text.startswith("<")]
    for text in documents:
        yield text.encode()
    for text in documents:
        if "KmsKeySet" in text and "EncryptedKey" not in text:
            yield text.replace(' xsi:type="KeyContentType"', "").replace("urn:3gpp:ns:mcsecKMSInterface:1.0",
                                                                         "TOBEDEFINED").encode()
            yield (text[text.index("<KmsKeySet"):text.index("</KmsKeyProv>")].replace(
                "<KmsKeySet", '<KmsKeySet xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"').encode())


def fuzz_store():
    """The plain contents of src/keys/store_format.c."""
    def string(text):
        return len(text).to_bytes(2, "big") + text.encode()

    home = string("kms.example.org") + b"\x01" + 7 * b"\0" + b"\x03" + 8 * b"\0"
    cert = (b"\0\0" + string("cert1.kms.example.org") + string("kms.example.org") + string("") + 16 * b"\0"
            + (604800).to_bytes(8, "big") + (345600).to_bytes(8, "big") + 257 * b"\x04" + 65 * b"\x04"
            + b"\x01" + string("example.org"))
    key_set = (string("kms.example.org") + string("") + string("") + string("sip:alice@example.org") + 32 * b"\x05"
               + 16 * b"\0" + (6582).to_bytes(8, "big") + 257 * b"\x06" + 32 * b"\x07" + 65 * b"\x08")
    one, none = b"\0\x01", b"\0\0"
    yield none + none + none
    yield one + home + one + cert + one + b"\0" + key_set
    yield none + one + cert + b"\0\x02" + b"\x01" + key_set + b"\x02" + key_set.replace(b"alice", b"bobby")
    yield b"mcxstore\0\x01" + 64 * b"\0"


KMS_PATH = "/keymanagement/identity/v1/"
KMS_TARGETS = ("init", "keyprov", "keyprov/sip%3Aunit07%40mcx.example.net", "certcache", "certcache/3",
               "keyprov/sip%3Aunit07%40mcx.example.net/ED529D4000000000", "cert/kms1.mcx.example.net",
               "lookup/sip%3Aunit08%40mcx.example.net", "redirect")


def fuzz_kms_target():
    for target in KMS_TARGETS:
        yield (KMS_PATH + target).encode()
        yield ("https://kms1.mcx.example.net:8443" + KMS_PATH + target).encode()


def fuzz_kms_core():
    """Request target, new line, body."""
    for target in KMS_TARGETS:
        yield (KMS_PATH + target + "\n").encode()
    for key, text in values("identities-kms-vectors.txt"):
        if key in ("req", "signed_request", "init"):
            for target in ("init", "keyprov"):
                yield (KMS_PATH + target + "\n" + text.replace("/v1/init<", "/v1/" + target + "<")).encode()


def fuzz_token():
    """First octet: 0 claims, 1 token, 2 JWKS."""
    claims = '{"mcptt_id":"sip:alice@example.org","exp":1772629200,"nbf":1,"scope":'
    for scope in ('"openid 3gpp:mcptt:key_management_server"', '["3gpp:mc:ptt_key_management_service"]'):
        yield b"\x00" + (claims + scope + "}").encode()
    yield (b"\x01eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
           b"Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")  # RFC 7515 A.3
    yield (b'\x02{"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
           b'"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}')


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for name, seeds in sorted(globals().items()):
        if not name.startswith("fuzz_"):
            continue
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        for number, seed in enumerate(seeds()):
            with open(os.path.join(folder, str(number)), "wb") as out:
                out.write(seed)
    return 0


sys.exit(main())
