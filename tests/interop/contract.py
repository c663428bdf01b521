#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The automation contract of the mcx tool, held by a stranger: see TC_contract.sh and TC_quick_contract.sh.

usage: contract.py all | quick | NAME...       (environment: MCX_BIN, MCX_SOURCE)
"""
import base64
import glob
import json
import os
import secrets
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import laboratory as lab  # noqa: E402

MCX = os.environ["MCX_BIN"] + "/mcx"
VECTORS = os.environ["MCX_SOURCE"] + "/tests/vectors/"
SEC = lab.sections(VECTORS + "identities-kms-vectors.txt")
PAR = lab.Parameters(SEC)
T = 0xED529D40  # 2026-03-04T12:00:00Z, the time of the composed messages
TAGS = {"gmk": 0, "pck": 1, "csk": 2, "spk": 3, "mkfc": 4, "msck": 5, "mscck": 5, "musik": 6}
CS_IDS = {"gmk": [4], "pck": [0, 1], "csk": [6], "spk": [6], "mkfc": [7], "msck": [7], "mscck": [7], "musik": [7]}
FIELDS = ("status", "type", "key", "key_id", "rand", "initiator", "responder", "kms_initiator", "kms_responder", "srtp")

failures = []
checks = 0
work = None
saved = 0


def check(ok, what, more=""):
    global checks
    checks += 1
    if not ok:
        failures.append(what)
        print("FAILED: %s %s" % (what, str(more)[:400]))
    return ok


def run(args, text="", cwd=None):
    data = text if isinstance(text, bytes) else text.encode()
    p = subprocess.run([MCX] + args, input=data, capture_output=True, cwd=cwd, timeout=60, check=False)
    return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")


def save(text):
    global saved
    saved += 1
    path = os.path.join(work, "doc%d.xml" % saved)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def doc(tree, st=None):
    return save(lab.render(tree, st or lab.style()))


def cert_doc(kms):
    return doc(lab.certificate(kms, lab.style()))


def keys_doc(*sets):
    st = lab.style()
    if len(sets) == 1:
        return doc(lab.key_set(sets[0], st))
    body = ("KmsKeyProv", {"Version": "1.0.0"}, [lab.key_set(s, st) for s in sets])
    return doc(lab.response(body, st, sets[0].user, sets[0].kms.uri), st)


def mikey(message):
    return "mikey " + base64.b64encode(message).decode()


def opened(certs, keys, text, more=()):
    args = ["mikey", "open"]
    for c in certs:
        args += ["--cert", c]
    for k in keys:
        args += ["--keys", k]
    code, out, err = run(args + list(more), text)
    try:
        return code, json.loads(out), err
    except ValueError:
        return code, {"status": "no JSON", "reason": out}, err


def own_kms():
    kms = lab.Kms(PAR, "kms1.mcx.example.net", 604800, 345600, lab.num(SEC["kms-rfc"]["z_T"]),
                  lab.num(SEC["kms-rfc"]["KSAK"]), ["mcx.example.net"])
    return kms


def vector_set(kms, name):
    s = SEC[name]
    return lab.KeySet(kms, s["identity"], int(s.get("P5", "236")), *(bytes.fromhex(s[k]) for k in ("RSK", "SSK", "PVT")))


def message_vector(name):
    return lab.plain(VECTORS + "mikey-imessages/" + name + ".txt")


# --- uid

def check_uid():
    """Every published UID, our own reading of the hash, and options in every legal form."""
    seen = 0
    for name in SEC:
        s = SEC[name]
        if not name.startswith("uid-") and not name.startswith("keyset-"):
            continue
        args = ["--user", s["identity"], "--kms", s["kms_uri"], "--period", s["P3"], "--offset", s["P4"],
                "--period-no", s["P5"]]
        mine = lab.uid(s["identity"], s["kms_uri"], int(s["P3"]), int(s["P4"]), int(s["P5"])).hex()
        code, out, _ = run(["uid"] + args)
        seen += check(code == 0 and out == s["UID"] + "\n" == mine + "\n", name, (out, mine))
        turned = ["uid"] + ["%s=%s" % (args[i], args[i + 1]) for i in range(8, -1, -2)]
        check(run(turned)[1] == out, name + " with --option=value")
    check(seen == 16, "UIDs in the vectors", seen)
    p = lab.plain(VECTORS + "mcx-uid.txt")
    for name in sorted(k[:-4] for k in p if k.endswith(".uid")):
        def value(key, name=name):
            return p.get(name + "." + key, "")
        user, kms = (bytes.fromhex(value(k)).decode() for k in ("user_uri", "kms_uri"))
        numbers = [str(int(value(k), 16)) for k in ("key_period", "key_period_offset", "key_period_no")]
        code, out, _ = run(["uid", "--user", user, "--kms", kms, "--period", numbers[0], "--offset", numbers[1],
                            "--period-no", numbers[2]])
        check(code == 0 and out.strip() == value("uid"), "mcx-uid " + name, out)


# --- documents of many makers

STYLES = {
    "plain": {}, "lower": {"value": "hex", "user_id": "hex"}, "base64": {"value": "base64"},
    "UserID upper": {"user_id": "HEX"}, "no xsi:type": {"xsi": False}, "BOM": {"bom": True, "declaration": True},
    "prefix": {"prefix": "kms"}, "R13": {"ns": "TOBEDEFINED", "order": "R13", "xsi": False, "value": "hex"},
    "R13 prefix": {"ns": "TOBEDEFINED", "order": "R13", "xsi": False, "prefix": "ns2"},
    "no namespace": {"ns": "", "xsi": False}, "comments": {"comments": True}, "CDATA": {"cdata": True},
    "indented": {"indent": "\t", "declaration": True}, "any order": {"shuffle": True}, "folded": {"fold": 64},
    "without 04": {"value": "headless"}, "minimal": {"minimal": True}, "all": {
        "prefix": "m", "value": "base64", "user_id": "hex", "bom": True, "declaration": True, "comments": True,
        "cdata": True, "indent": "  ", "fold": 76},
}


def cert_forms(kms, st, other):
    cert = lab.certificate(kms, st)
    init = ("KmsInit", {"Version": "1.0.0"}, [cert])
    signed_init = ("KmsInit", {}, [lab.signed("SignedKmsCertificate", cert)])
    cache = ("KmsCertCache", {"Version": "1.0.0", "CacheNum": "3"}, [lab.certificate(other, st), cert])
    yield "bare", cert
    yield "signed", lab.signed("SignedKmsCertificate", cert)
    yield "init", lab.response(init, st, "sip:a@b", kms.uri)
    yield "init signed", lab.response(signed_init, st, "sip:a@b", kms.uri)
    yield "signed response", lab.signed("SignedKmsResponse", lab.response(init, st, "sip:a@b", kms.uri))
    yield "cache", lab.response(cache, st, "sip:a@b", kms.uri)


def key_forms(ks, st, other):
    prov = ("KmsKeyProv", {"Version": "1.0.0"}, [lab.key_set(ks, st)])
    two = ("KmsKeyProv", {"Version": "1.0.0"}, [lab.key_set(other, st), lab.key_set(ks, st)])
    yield "bare", lab.key_set(ks, st)
    yield "keyprov", lab.response(prov, st, ks.user, ks.kms.uri)
    yield "signed response", lab.signed("SignedKmsResponse", lab.response(prov, st, ks.user, ks.kms.uri))
    yield "two key sets", lab.response(two, st, ks.user, ks.kms.uri)


def check_documents(names=tuple(STYLES), few=False):
    """A composed message opens whatever the maker of CERT.xml and KEYSET.xml is used to write."""
    v = message_vector("own-1-pck-default-profile")
    kms = own_kms()
    elsewhere = lab.Kms(PAR, "kms9.partner.example", 2592000, 0, domains=["partner.example"])
    elsewhere.role = "External"
    mine, other = vector_set(kms, "keyset-3"), vector_set(kms, "keyset-4")
    cert, keys = cert_doc(kms), keys_doc(mine)
    for name in names:
        st = lab.style(**STYLES[name])
        for form, tree in list(cert_forms(kms, st, elsewhere))[::2 if few else 1]:
            code, o, err = opened([doc(tree, st)], [keys], "mikey " + to64(v["message"]))
            check(code == 0 and o["key"] == v["ssv"], "CERT.xml %s, %s" % (name, form), (o, err))
        for form, tree in list(key_forms(mine, st, other))[::3 if few else 1]:
            code, o, err = opened([cert], [doc(tree, st)], "mikey " + to64(v["message"]))
            check(code == 0 and o["key"] == v["ssv"], "KEYSET.xml %s, %s" % (name, form), (o, err))
    if len(names) == len(STYLES):
        published = save(SEC["xml"]["init"]), save(SEC["xml"]["keyprov"])
        code, o, _ = opened([published[0], doc(lab.certificate(elsewhere, lab.style()))], [published[1], keys],
                            "mikey " + to64(v["message"]))
        check(code == 0 and o["key"] == v["ssv"], "published documents, several files", o)


def to64(hexa):
    return base64.b64encode(bytes.fromhex(hexa)).decode()


# --- opening

def input_forms(b64):
    session = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    media = ("m=audio 5000 RTP/SAVP 97", "a=rtpmap:97 AMR-WB/16000/1")
    floor = ("m=application 5002 udp MCPTT", "a=fmtp:MCPTT mc_queueing")
    key = ("a=key-mgmt:mikey " + b64,)
    yield "mikey", "mikey " + b64
    yield "mikey, line end", "mikey " + b64 + "\n"
    yield "mikey, CRLF", "mikey " + b64 + "\r\n"
    yield "white space around", "\n \tmikey  " + b64 + " \n\n"
    yield "bare", b64
    yield "bare, line end", b64 + "\n"
    yield "bare in lines of 76", base64.encodebytes(base64.b64decode(b64)).decode()
    yield "attribute line", key[0]
    yield "attribute line, CRLF", key[0] + "\r\n"
    yield "attribute line with a space", "a=key-mgmt: mikey " + b64 + "\n"
    for name, lines in (("session level", session + key + media), ("media level", session + media + key),
                        ("media level, then floor", session + media + key + floor),
                        ("floor first", session + floor + media + key),
                        ("both levels", session + ("a=key-mgmt:mikey AAAA",) + media + key)):
        for end, sep in (("CRLF", "\r\n"), ("LF", "\n")):
            yield "SDP %s, %s" % (name, end), sep.join(lines) + sep
            yield "SDP %s, %s, last line open" % (name, end), sep.join(lines)
    yield "SDP after an empty line", "\r\n" + "\r\n".join(session + key + media) + "\r\n"


def expect_opened(what, o, want):
    for field in FIELDS:
        check(field in o, what + ": field " + field, o)
    for field, value in want.items():
        check(o.get(field) == value, "%s: %s" % (what, field), (o.get(field), value, o.get("reason")))


def srtp_list(cs_ids, key, csb_id, rand, mki):
    out = []
    for cs in cs_ids:
        k, s = lab.masters(key, cs, csb_id, rand)
        out.append({"cs_id": cs, "mki": mki, "master_key": k.hex(), "master_salt": s.hex()})
    return out


def wanted(o_type, key, csb_id, key_id, rand, names, kms_i, kms_r):
    mki = "%08x" % key_id + ("%08x" % csb_id if o_type == "gmk" else "")
    return {"status": "ok", "type": "mscck" if o_type == "msck" else o_type, "key": key.hex(),
            "key_id": "%08x" % key_id, "rand": rand.hex(), "initiator": names[0], "responder": names[1],
            "kms_initiator": kms_i, "kms_responder": kms_r,
            "srtp": srtp_list(CS_IDS[o_type], key, csb_id, rand, mki)}


def from_file(v, o_type, names):
    """What the vector file itself says, not what we compute."""
    csb = int(v["csb_id"], 16)
    key_id = int(v.get("gmk_id", v["csb_id"]), 16)
    kms = [bytes.fromhex(v[k]).decode() for k in ("idrkmsi", "idrkmsr")]
    want = wanted(o_type, bytes.fromhex(v["ssv"]), csb, key_id, bytes.fromhex(v["rand"]), names, *kms)
    for s in want["srtp"]:
        s["master_key"] = v["cs%02d.master_key" % s["cs_id"]]
        s["master_salt"] = v["cs%02d.master_salt" % s["cs_id"]]
    return want


def check_inputs(step=1):
    kms = own_kms()
    cert, keys = cert_doc(kms), keys_doc(vector_set(kms, "keyset-3"))
    v = message_vector("own-1-pck-default-profile")
    for name, text in list(input_forms(to64(v["message"])))[::step]:
        code, o, _ = opened([cert], [keys], text)
        check(code == 0 and o.get("key") == v["ssv"], "input: " + name, o)


COMPOSED = (("own-1-pck-default-profile", "pck", "keyset-2", "keyset-3"),
            ("own-2-pck-sakke-to-self", "pck", "keyset-2", "keyset-3"), ("own-3-gmk", "gmk", "keyset-4", "keyset-2"),
            ("own-4-gmk-hidden-identities", "gmk", "keyset-4", "keyset-3"), ("own-5-csk", "csk", "keyset-2", None))
STREAMWIDE = (("streamwide-v4-1-gmk", "gmk", 1, 2), ("streamwide-v4-2-csk", "csk", 2, 1),
              ("streamwide-v4-3-pck", "pck", 2, 4), ("streamwide-v5-3-pck", "pck", 2, 4))


def check_composed():
    """own-*: every field against the file; verified and opened by our own reading as well."""
    kms = own_kms()
    cert = cert_doc(kms)
    for name, o_type, sender, receiver in COMPOSED:
        v = message_vector(name)
        mine = vector_set(kms, receiver) if receiver else kms.key_set(bytes.fromhex(v["responder_uri"]).decode(), 6582)
        who = "" if "idruidi" in v else SEC[sender]["identity"]
        code, o, _ = opened([cert], [keys_doc(mine)], "mikey " + to64(v["message"]))
        check(code == 0, name, o)
        expect_opened(name, o, from_file(v, o_type, [who, mine.user]))
        _, key = lab.read(PAR, bytes.fromhex(v["message"]), mine, kms, SEC[sender]["identity"])
        check(key.hex() == v["ssv"], name + " by the second reading")
        if who == "":
            code, o, _ = opened([cert], [keys_doc(mine)], "mikey " + to64(v["message"]),
                                ["--initiator", SEC[sender]["identity"]])
            check(code == 0 and o["initiator"] == SEC[sender]["identity"], name + " with --initiator", o)


def thirdparty_kms():
    s = SEC["thirdparty-kms"]
    return lab.Kms(PAR, s["kms_uri"], 16777215, 0,
                   public=(bytes.fromhex(s["PubEncKey"]), bytes.fromhex(s["PubAuthKey"])))


def check_streamwide(thorough=True):
    """Published messages of a vendor with the key sets he published; T is years ago and no --time is given."""
    kms = thirdparty_kms()
    cert = cert_doc(kms)
    sets = {n: vector_set(kms, "thirdparty-keyset-%d" % n) for n in (1, 2, 3, 4)}
    for name, o_type, _, receiver in STREAMWIDE:
        v = message_vector(name)
        code, o, _ = opened([cert], [keys_doc(sets[receiver])], "mikey " + to64(v["message"]))
        check(code == 0, name, o)
        expect_opened(name, o, from_file(v, o_type, ["", sets[receiver].user]))
        if not thorough:
            continue
        code, o, _ = opened([cert], [keys_doc(*sets.values())], to64(v["message"]))
        check(code == 0 and o.get("responder") == sets[receiver].user, name + " among four key sets", o)
    if not thorough:
        return
    for i, o_type, receiver in ((1, "gmk", 2), (2, "csk", 1), (3, "pck", 4)):
        s = SEC["thirdparty-imessage-%d" % i]
        code, o, _ = opened([cert], [keys_doc(sets[receiver])], s["imessage_base64"])
        want = o_type.upper()
        check(code == 0 and o["key"] == s[want] and o["key_id"] == s[want + "-ID"] and o["rand"] == s[want + "-RAND"],
              "thirdparty-imessage-%d" % i, o)
    v = message_vector("streamwide-v5-4-gmk-legacy")
    code, o, _ = opened([cert], [keys_doc(sets[3])], "mikey " + to64(v["message"]))
    check(code == 1 and o["status"] == "policy" and "clear" in o["reason"], "streamwide-v5-4-gmk-legacy", o)
    code, o, _ = opened([cert], [keys_doc(sets[3])], "mikey " + to64(v["message"]), ["--accept-clear-key-params"])
    check(code == 0 and o["key"] == v["ssv"] and o["srtp"] == [], "streamwide-v5-4-gmk-legacy, widened", o)


def published_set(v, kms, no):
    """Key set of a receiver of whom the RSK alone was published: an SSK and PVT are not in the document."""
    return lab.KeySet(kms, bytes.fromhex(v["responder_uri"]).decode(), no, bytes.fromhex(v["responder_rsk"]), b"", b"")


def without_signing(tree):
    return (tree[0], tree[1], [c for c in tree[2] if c[0] not in ("UserSigningKeySSK", "UserPubTokenPVT")])


def check_published():
    """Messages of whose receivers only the RSK is public; refused by default for the reason that their files state."""
    st = lab.style()
    for name, period, no, status, words, widen in (
            ("alea-v3-1-gmk", 914544000, 4, "policy", "revoked", ["--ignore-status"]),
            ("eazon-1-pck", 315360000000, 0, "auth", "signature", ["--accept-short-sign"]),
            ("eazon-2-gmk-nonconformant", 315360000000, 0, "unsup", "PRF", None),
            ("streamwide-period-15-gmk", 2592000, 15, "nokey", "period", ["--period-neighbours"]),
            ("streamwide-period-1518-gmk", 2592000, 1518, "nokey", "period", ["--period-neighbours"]),
            ("streamwide-period-1540-gmk", 2592000, 1540, "nokey", "period", ["--period-neighbours"]),
            ("streamwide-period-1657-gmk", 2592000, 1657, "nokey", "period", ["--period-neighbours"])):
        v = message_vector(name)
        uri = bytes.fromhex(v.get("idrkmsr", v.get("idrkms", ""))).decode()
        kms = lab.Kms(PAR, uri, period, 0,
                      public=(bytes.fromhex(v["z"]), bytes.fromhex(v["kpak"])))
        mine = published_set(v, kms, no)
        check(mine.uid.hex() == v["responder_uid"], name + ": UID of the receiver")
        keys = doc(without_signing(lab.key_set(mine, st)), st)
        code, o, _ = opened([cert_doc(kms)], [keys], "mikey " + to64(v["message"]))
        check(code == 1 and o["status"] == status and words in o["reason"], name + " is refused", o)
        if widen:
            code, o, _ = opened([cert_doc(kms)], [keys], "mikey " + to64(v["message"]), widen)
            check(code == 0 and o["key"] == v["ssv"], name + " widened by " + widen[0], o)
    for name in sorted(os.path.basename(p)[:-4] for p in glob.glob(VECTORS + "mikey-imessages/*.txt")):
        v = message_vector(name)
        if "message" not in v:
            continue
        code, out, err = run(["mikey", "inspect", "--json"], "mikey " + to64(v["message"]))
        o = json.loads(out)
        check((code == 0) == (o["status"] == "ok") and code in (0, 1), name + ": inspect", err)
        spans = [(f["offset"], f["length"]) for f in o["fields"]]
        ends = [0] + [a + n for a, n in spans]
        check(all(a == e for (a, n), e in zip(spans, ends)) and ends[-1] == len(v["message"]) // 2,
              name + ": inspect covers every octet once", spans)


# --- making

def check_make(kinds=tuple(TAGS), decapsulate=True):
    """Every kind of key there and back, opened by the tool and read by our own reading."""
    kms = own_kms()
    cert = save(SEC["xml"]["init"])
    sender, mine = vector_set(kms, "keyset-2"), vector_set(kms, "keyset-3")
    sender_doc, mine_doc = keys_doc(sender), keys_doc(mine)
    for kind in kinds:
        key, rand = os.urandom(16), os.urandom(16)
        key_id = TAGS[kind] << 28 | secrets.randbelow(1 << 28)
        csb = lab.guk_id(key, key_id, mine.user) if kind == "gmk" else key_id
        args = ["--type", kind, "--to", mine.user, "--cert", cert, "--keys", sender_doc, "--key", key.hex().upper(),
                "--key-id", "%08X" % key_id, "--rand=" + rand.hex().upper(), "--time", "%08X00000000" % T]
        code, out, err = run(["mikey", "make"] + args)
        if not check(code == 0 and out.startswith("mikey ") and out.endswith("\n") and out.count("\n") == 1,
                     "make " + kind, err):
            continue
        want = wanted(kind, key, csb, key_id, rand, [sender.user, mine.user], kms.uri, kms.uri)
        code, o, _ = opened([cert], [mine_doc], out)
        expect_opened("make and open " + kind, o, want)
        code, o, _ = opened([cert], [mine_doc], out, ["--time=%08x00000000" % (T + 60)])
        check(code == 0, "make and open %s a minute later" % kind, o)
        m = lab.parse(base64.b64decode(out.split()[1], validate=True))
        check(m["csb_id"] == csb and m["rand"] == rand and m["time"] == T << 32, kind + ": header", m)
        check(PAR.verify(m["signed"], m["signature"], sender.uid, kms.kpak), kind + ": signature")
        if decapsulate:
            m, got = lab.read(PAR, base64.b64decode(out.split()[1]), mine, kms)
            check(got == key, kind + ": key by the second reading")
            check(m["parameters"] is None or m["parameters"][0] == TAGS[kind], kind + ": key parameters", m)
        check(run(["mikey", "inspect"], out)[0] == 0, "inspect " + kind)
    code, out, _ = run(["mikey", "make"] + args[:6] + ["--keys", sender_doc, "--time", "%08x00000000" % T])
    code, o, _ = opened([cert], [mine_doc], out)
    check(code == 0 and len(set(o["key"])) > 4, "random key, identifier and RAND", o)


def check_now():
    """Without --time: key sets of the present period, made by a KMS of ours."""
    kms = lab.Kms(PAR, "kms.lab.example", 86400, 3600, domains=["lab.example"])
    no = kms.period_no(int(time.time()) + lab.NTP)
    alice, bob = kms.key_set("sip:alice@lab.example", no), kms.key_set("sip:bob@lab.example", no)
    cert = cert_doc(kms)
    code, out, err = run(["mikey", "make", "--type", "pck", "--cert", cert, "--keys", keys_doc(alice), "--to", bob.user])
    check(code == 0, "make without --time", err)
    code, o, _ = opened([cert], [keys_doc(bob)], out, ["--strict-time"])
    check(code == 0 and o.get("initiator") == alice.user, "open now", o)
    several = keys_doc(kms.key_set(alice.user, no - 1), alice, kms.key_set(alice.user, no + 1))
    code, out, err = run(["mikey", "make", "--type", "csk", "--cert", cert, "--keys", several, "--to", bob.user])
    check(code == 0 and opened([cert], [keys_doc(bob)], out)[0] == 0, "key sets of three periods", err)
    old = keys_doc(kms.key_set(alice.user, no - 40))
    code, out, err = run(["mikey", "make", "--type", "pck", "--cert", cert, "--keys", old, "--to", bob.user])
    check(code == 1 and out == "" and "period" in err, "key set of another period than T", (code, err))


def check_two_domains():
    """Sender and receiver under different KMSs with different key periods, both ways, made by the tool and by us."""
    a = lab.Kms(PAR, "kms.north.example", 604800, 345600, domains=["north.example"])
    b = lab.Kms(PAR, "kms.south.example", 2592000, 7200, domains=["south.example"])
    alice, bob = a.key_set("sip:alice@north.example", a.period_no(T)), b.key_set("sip:bob@south.example", b.period_no(T))
    st = lab.style()

    def view(home, other):
        """CERT.xml of a client: KmsInit of the home KMS, KmsCertCache with the other."""
        home.role, other.role = "Root", "External"
        init = lab.response(("KmsInit", {}, [lab.certificate(home, st)]), st, "sip:x@y", home.uri)
        cache = lab.response(("KmsCertCache", {"CacheNum": "1"}, [lab.certificate(other, st)]), st, "sip:x@y", home.uri)
        return [doc(init), doc(cache)]

    of_alice, of_bob = view(a, b), view(b, a)
    args = ["mikey", "make", "--type", "pck", "--keys", keys_doc(alice), "--to", bob.user, "--time", "%08x80000000" % T]
    for c in of_alice:
        args += ["--cert", c]
    code, out, err = run(args)
    check(code == 0, "make to the other domain", err)
    code, o, _ = opened(of_bob, [keys_doc(bob)], out)
    check(code == 0 and (o.get("kms_initiator"), o.get("kms_responder")) == (a.uri, b.uri), "open in the other domain", o)
    m, key = lab.read(PAR, base64.b64decode(out.split()[1]), bob, a)
    check(key.hex() == o.get("key") and m["time"] & 0xFFFFFFFF == 0x80000000, "other domain by the second reading")
    for hidden in (False, True):
        mine = lab.make(PAR, bob, alice.user, a, 0x1ABCDEF0, bytes(4) + os.urandom(12), os.urandom(16), T, hidden)
        code, o, _ = opened(of_alice[::-1], [keys_doc(alice)], mikey(mine))
        check(code == 0 and o.get("initiator") == ("" if hidden else bob.user) and o.get("key", "")[:8] == "00000000",
              "a message of the second maker", o)
    forged = lab.make(PAR, a.key_set("sip:bob@south.example", a.period_no(T)), alice.user, a, 0x10000001, os.urandom(16),
                      os.urandom(16), T)
    code, o, _ = opened(of_alice, [keys_doc(alice)], mikey(forged))
    check(code == 1 and o["status"] == "policy", "a KMS speaks for a domain that is not its own", o)
    code, o, _ = opened(of_alice[:1], [keys_doc(alice)], mikey(mine))
    check(code == 1 and o["status"] == "nokey", "certificate of the initiator's KMS is missing", o)
    # bare certificates of two KMSs that name no domains
    a.domains, b.domains, a.role, b.role = [], [], "Root", "Root"
    bare = [cert_doc(a), cert_doc(b)]
    code, o, _ = opened(bare, [keys_doc(alice)], mikey(mine))
    check(code == 0, "two bare certificates without domains", o)
    # CERT.xml is a KmsCertCache alone, and so nothing in it is a Root
    a.role = "External"
    st = lab.style()
    cache = doc(lab.response(("KmsCertCache", {"CacheNum": "1"}, [lab.certificate(a, st)]), st, "sip:x@y", a.uri))
    carol = a.key_set("sip:carol@north.example", a.period_no(T))
    code, out, err = run(["mikey", "make", "--type", "gmk", "--cert", cache, "--keys", keys_doc(carol), "--to", alice.user,
                          "--time", "%08x00000000" % T])
    check(code == 0, "make with a KmsCertCache alone", err)
    code, o, _ = opened([cache], [keys_doc(alice)], out)
    check(code == 0, "open with a KmsCertCache alone", o)
    # the home KMS speaks for its own list and for what no other certificate claims, an External one for its list alone
    a.domains, b.domains, a.role, b.role = ["sec1.north.example"], ["south.example"], "Root", "External"
    for kms, host, want in ((a, "sec1.north.example", 0), (a, "b.sec1.north.example", 0), (a, "north.example", 0),
                            (a, "south.example", 1), (a, "b.south.example", 1), (b, "south.example", 0),
                            (b, "north.example", 1), (b, "sec1.north.example", 1), (b, "sec1.south.example.org", 1)):
        peer = kms.key_set("sip:carol@" + host, kms.period_no(T))
        mine = lab.make(PAR, peer, alice.user, a, 0x10000002, os.urandom(16), os.urandom(16), T)
        code, o, _ = opened([cert_doc(a), cert_doc(b)], [keys_doc(alice)], mikey(mine))
        check(code == want and (want == 0 or "domain" in o["reason"]), f"{kms.uri} for a user at {host}", o)


# --- refusals and usage

def check_refused():
    kms = own_kms()
    cert, bob, alice = cert_doc(kms), keys_doc(vector_set(kms, "keyset-3")), keys_doc(vector_set(kms, "keyset-2"))
    v = message_vector("own-1-pck-default-profile")
    good = bytes.fromhex(v["message"])

    def refused(what, status, text, keys=bob, more=(), certs=(cert,)):
        code, o, err = opened(certs, [keys], text, more)
        check(code == 1 and o.get("status") == status and o.get("reason"), "refused: " + what, (code, o))
        check("key" not in o and "srtp" not in o and v["ssv"] not in str(o) + err, what + " gives no key")

    for i in (0, 12, 30, 60, 300, len(good) - 100, len(good) - 1):
        bad = bytearray(good)
        bad[i] ^= 0x40
        code, o, _ = opened([cert], [bob], mikey(bytes(bad)))
        check(code == 1 and o.get("status") not in ("ok", "bug", None) and o.get("reason"), "flipped bit %d" % i, o)
    refused("the initiator's own message without extension 6", "nokey", mikey(good), alice)
    refused("nothing", "format", "")
    refused("no base64", "format", "this is no message")
    refused("octets", "format", bytes(range(256)))
    refused("SDP without key-mgmt", "nokey", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n")
    refused("cut", "trunc", mikey(good[:300]))
    refused("an octet more", "trailing", mikey(good + b"\0"))
    refused("an hour and a second late", "expired", mikey(good), more=["--time", "%08x00000000" % (T + 3601)])
    refused("too long", "space", "A" * 70000)
    refused("key set for certificate", "format", mikey(good), certs=(save("no XML"),))
    refused("DOCTYPE", "format", mikey(good), certs=(save('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),))
    other = lab.Kms(PAR, "kms2.example", 604800, 345600)
    refused("certificate of another KMS", "nokey", mikey(good), certs=(cert_doc(other),))
    impostor = lab.Kms(PAR, kms.uri, kms.period, kms.offset)
    refused("key set that does not fit the certificate", "auth", mikey(good), certs=(cert_doc(impostor),))
    self_made = message_vector("own-2-pck-sakke-to-self")
    code, o, _ = opened([cert], [alice], "mikey " + to64(self_made["message"]))
    check(code == 0 and o["key"] == self_made["ssv"] and o["initiator"] == SEC["keyset-2"]["identity"]
          and o["responder"] == SEC["keyset-3"]["identity"], "the initiator opens his own by extension 6", o)
    st = lab.style()
    partial = doc(without_signing(lab.key_set(vector_set(kms, "keyset-2"), st)), st)
    code, out, err = run(["mikey", "make", "--type", "pck", "--cert", cert, "--keys", partial, "--time",
                          "%08x00000000" % T, "--to", "sip:unit08@mcx.example.net"])
    check(code == 1 and out == "" and err, "no signing key, no message", (code, err))
    for cut in range(0, len(good), 37):
        code, out, _ = run(["mikey", "inspect", "--json"], mikey(good[:cut]) if cut else "")
        check(code == 1 and json.loads(out)["reason"], "inspect of a message cut at %d" % cut)
    for _ in range(40):
        garbage = (b"\x01\x1a\x05\x01" if secrets.randbelow(2) else b"") + os.urandom(secrets.randbelow(300) + 1)
        code, out, _ = run(["mikey", "inspect"], mikey(garbage))
        check(code in (0, 1) and out, "inspect of garbage " + garbage.hex())


def check_usage():
    """Exit codes, help and files, for every command."""
    kms = own_kms()
    cert, keys = cert_doc(kms), keys_doc(vector_set(kms, "keyset-3"))
    b64 = to64(message_vector("own-1-pck-default-profile")["message"])
    commands = [[], ["uid"], ["mikey"], ["mikey", "make"], ["mikey", "open"], ["mikey", "inspect"], ["srtp"],
                ["srtp", "protect"], ["srtp", "unprotect"], ["bench"], ["audio"], ["audio", "code"],
                ["audio", "compare"], ["token"], ["token", "keygen"], ["token", "issue"], ["token", "verify"], ["store"], ["store", "list"], ["store", "export"],
                ["kms"], ["kms", "fetch"], ["kms", "cert"]]
    for c in commands:
        code, out, err = run(c + ["--help"])
        check(code == 0 and out.startswith("usage: mcx") and err == "", "--help of %s" % c, (code, out[:80], err))
        for wrong in (["--no-such-option"], ["surplus"]):
            code, out, err = run(c + wrong)
            check(code == 2 and out == "" and err, "%s %s is a usage error" % (c, wrong), (code, out[:200], err[:100]))
        if c != ["bench"] and c != ["mikey", "inspect"]:
            code, out, err = run(c)
            check(code == 2 and out == "" and err, "%s without options" % c, (code, out[:200]))
    code, out, _ = run(["--version"])
    check(code == 0 and out.startswith("mcx "), "--version", out)
    for prog in ("mcx-kmsd", "mcx-mcpttd", "mcx-ue"):
        for opt in ("--help", "--version"):
            p = subprocess.run([os.environ["MCX_BIN"] + "/" + prog, opt], capture_output=True, timeout=20, check=False)
            check(p.returncode == 0 and p.stdout and not p.stderr, prog + " " + opt, p)
    make = ["mikey", "make", "--type", "pck", "--cert", cert, "--keys", keys, "--to", "sip:unit07@mcx.example.net"]
    for wrong in (["--type", "xck"], ["--key", "00"], ["--key-id", "2a2b3c4d"], ["--rand", "zz"], ["--time", "1"],
                  ["--time", "gg529d4000000000"]):
        code, out, err = run(make + wrong)
        check(code == 2 and out == "" and err, "make %s" % wrong, (code, out, err))
    for to in ("", "sip:a\nb@c", "a" * 2000):
        code, out, err = run(make[:-1] + [to])
        check(code == 2 and out == "" and "--to" in err, "make --to %r" % to[:10], (code, err))
    code, out, err = run(make[:5] + [cert, "--keys", cert, "--to", "sip:a@b"])
    check(code == 1 and out == "" and "key set" in err, "make with a certificate for --keys", (code, err))
    check(opened([cert], [keys], b64, ["--time", "0"])[0] == 2, "open --time 0")
    for path in ("/nonexistent/CERT.xml", work):
        code, out, err = run(["mikey", "open", "--cert", path, "--keys", keys], b64)
        check(code == 3 and path in err, "a file that cannot be read: " + path, (code, err))
        code, out, err = run(["mikey", "open", "--cert", cert, "--keys", path], b64)
        check(code == 3 and path in err, "keys that cannot be read: " + path, (code, err))
        code, out, err = run(["mikey", "make", "--cert", cert, "--keys", path, "--type", "pck", "--to", "sip:a@b"])
        check(code == 3 and path in err, "make with keys that cannot be read: " + path, (code, err))
    code, out, _ = run(["mikey", "open", "--keys", os.path.basename(keys), "--cert", "./" + os.path.basename(cert)],
                       b64, cwd=work)
    check(code == 0, "relative paths, keys first", out)
    loose = save(lab.render(lab.key_set(vector_set(kms, "keyset-3"), lab.style()), lab.style()))
    os.chmod(loose, 0o644)
    code, o, err = opened([cert], [loose], b64)
    check(code == 0 and "chmod 600" in err, "a key file that others may read is used with a warning", (o, err))
    before = set(os.listdir(work))
    opened([cert], [keys], b64)
    run(make + ["--time", "%08x00000000" % T], cwd=work)
    check(set(os.listdir(work)) == before, "nothing is written to disk")


# --- srtp

def lines(*packets):
    return "".join(p.hex() + "\n" for p in packets)


def srtp(verb, key, salt, mki, packets, *more):
    args = ["srtp", verb, "--master-key", key.hex(), "--master-salt=" + salt.hex()] + list(more)
    if mki is not None:
        args += ["--mki", mki.hex()]
    code, out, _ = run(args, lines(*packets))
    return code, out.split("\n")[:-1]


def check_srtp_vectors():
    """Published keys and packets (TS 33.180 7.4, 7.5), anchor A, V1, V2, V3; both directions."""
    a = lab.plain(VECTORS + "libsrtp-gcm.txt")
    v = lab.sections(VECTORS + "media-srtp.txt")

    def pair(what, key, salt, mki, clear, sealed, *more):
        h = bytes.fromhex
        for verb, src, dst in (("protect", clear, sealed), ("unprotect", sealed, clear)):
            code, out = srtp(verb, h(key), h(salt), h(mki) if mki else None, [h(src)], *more)
            check(code == 0 and out == [dst], "%s %s" % (verb, what), out)

    pair("anchor A", a["master_key"], a["master_salt"], "", a["rtp_packet"], a["srtp_packet"])
    pair("anchor A RTCP", a["master_key"], a["master_salt"], "", a["rtcp_packet"], a["srtcp_packet"], "--rtcp",
         "--index", "1")
    one = (v["v1"]["master_key"], v["v1"]["master_salt"], v["v1"]["mki"])
    pair("V1", *one, v["v1"]["rtp"], v["v1"]["roc0_srtp"], "--rcc")
    pair("V1 ROC 1", *one, v["v1"]["rtp"], v["v1"]["roc1_srtp"], "--roc", "1", "--rcc")
    pair("V1 RTCP", *one, v["v1"]["rtcp"], v["v1"]["index1_srtcp"], "--rtcp", "--index", "1")
    two = (v["v2"]["master_key"], v["v2"]["master_salt"], v["v2"]["mki"], v["v2"]["rtcp"])
    pair("V2 index 0", *two, v["v2"]["index0_srtcp"], "--rtcp")
    pair("V2 index 1", *two, v["v2"]["index1_srtcp"], "--rtcp", "--index=1")
    for cs in ("cs0", "cs1"):
        pair("V3 " + cs, v["v3"][cs + "_master_key"], v["v3"][cs + "_master_salt"], v["v3"]["mki"], v["v3"]["rtp"],
             v["v3"][cs + "_srtp"])


def check_srtp_own(rounds=3):
    """Random keys and packets against our own SRTP: MKI of 0, 4 and 8 octets, ROC, RCC, CSRCs, extension, wrap."""
    for _ in range(rounds):
        for mki in (None, b"", os.urandom(4), os.urandom(8)):
            key, salt, ssrc = os.urandom(16), os.urandom(12), secrets.randbelow(1 << 32)
            roc = secrets.choice((0, 1, secrets.randbelow(1 << 32)))
            for rcc in (False, True):
                mine = lab.Srtp(key, salt, mki or b"", rcc)
                clear = [lab.random_packet(ssrc, (65533 + i) & 0xFFFF, (0, 1, 60, 160, 17)[i % 5], i % 3, i % 2 == 1)
                         for i in range(3)]
                sealed = [mine.protect(p, roc) for p in clear]
                more = ["--roc", str(roc)] + (["--rcc"] if rcc else [])
                code, out = srtp("protect", key, salt, mki, clear, *more)
                check(code == 0 and out == [p.hex() for p in sealed], "protect, MKI %s, RCC %s" % (mki, rcc), out)
                code, out = srtp("unprotect", key, salt, mki, sealed, *more)
                check(code == 0 and out == [p.hex() for p in clear], "unprotect, MKI %s, RCC %s" % (mki, rcc), out)
                bad = sealed[0][:20] + bytes([sealed[0][20] ^ 1]) + sealed[0][21:]
                code, out = srtp("unprotect", key, salt, mki, [bad, sealed[0], sealed[0]], *more)
                check(code == 1 and out == ["error: auth", clear[0].hex(), "error: replay"], "flipped, good, again", out)
            mine = lab.Srtp(key, salt, mki or b"")
            index = secrets.randbelow(1 << 30)
            rtcp = struct.pack(">BBHI", 0x80, 204, 4, ssrc) + os.urandom(12)
            sealed = [mine.protect_rtcp(rtcp, index + i) for i in range(2)]
            code, out = srtp("protect", key, salt, mki, [rtcp, rtcp], "--rtcp", "--index", str(index))
            check(code == 0 and out == [p.hex() for p in sealed], "protect RTCP", out)
            code, out = srtp("unprotect", key, salt, mki, sealed, "--rtcp")
            check(code == 0 and out == [rtcp.hex()] * 2, "unprotect RTCP", out)
    key, salt = os.urandom(16), os.urandom(12)
    mine = lab.Srtp(key, salt)
    a, b = lab.random_packet(7, 65535, 20), lab.random_packet(7, 0, 20)
    want = [mine.protect(a, 5).hex(), mine.protect(b, 6).hex()]
    code, out = srtp("protect", key, salt, None, [a, b], "--roc=5")
    check(out == want, "the sequence number wraps, ROC goes on", out)
    code, out = srtp("unprotect", key, salt, None, [bytes.fromhex(w) for w in want], "--roc=5")
    check(out == [a.hex(), b.hex()], "the receiver follows the wrap", out)
    text = "\n".join(("  " + a.hex().upper() + "\r", "", b.hex()))
    code, out, _ = run(["srtp", "protect", "--master-key", key.hex().upper(), "--master-salt", salt.hex().upper(),
                        "--roc", "5"], text)
    check(out.split() == want, "upper case, blanks, an empty line, CRLF, last line open", out)
    for wrong in (["--mki", "00"], ["--mki", "xyz"], ["--roc", "-1"], ["--roc", "4294967296"], ["--index", "x"]):
        code, out, _ = run(["srtp", "protect", "--master-key", key.hex(), "--master-salt", salt.hex()] + wrong)
        check(code == 2 and out == "", "srtp %s" % wrong, out)


# --- the other commands

def check_bench():
    code, out, _ = run(["bench", "--json", "--filter", "ident"])
    o = json.loads(out)
    check(code == 0 and o["items"], "bench --json", out)
    for item in o["items"]:
        check(isinstance(item["name"], str) and item["name"].startswith("ident"), "bench --filter", item)
    code, out, _ = run(["bench", "--filter", "no such thing"])
    check(code == 2 and out == "", "bench without an item", out)


def check_token_and_store():
    key, jwks = os.path.join(work, "k.jwk"), os.path.join(work, "jwks.json")
    for alg in ("ES256", "RS256"):
        for p in (key, jwks):
            if os.path.exists(p):
                os.unlink(p)
        code, out, err = run(["token", "keygen", "--alg", alg, "--out", key, "--jwks", jwks])
        check(code == 0 and os.stat(key).st_mode & 0o077 == 0, "token keygen " + alg, err)
        with open(jwks, encoding="utf-8") as f:
            check(all("d" not in k for k in json.load(f)["keys"]), "the JWKS is public")
        code, out, err = run(["token", "issue", "--key", key, "--mcptt-id", "sip:alice@lab.example", "--iss", "i",
                              "--aud", "a"])
        check(code == 0 and out.count("\n") == 1 and out.count(".") == 2, "token issue " + alg, (out, err))
        head = json.loads(base64.urlsafe_b64decode(out.split(".")[0] + "=="))
        claims = json.loads(base64.urlsafe_b64decode(out.split(".")[1] + "=="))
        check(head["alg"] == alg and claims["mcptt_id"] == "sip:alice@lab.example" and claims["exp"] > time.time(),
              "claims " + alg, (head, claims))
    code, _, err = run(["token", "issue", "--key", "/nonexistent", "--mcptt-id", "a", "--iss", "i", "--aud", "a"])
    check(code == 3 and err, "token issue without key file", (code, err))
    seal = save("00" * 32)
    code, _, err = run(["store", "list", "--store", "/nonexistent", "--store-key", seal, "--json"])
    check(code == 3 and err, "store list without store", (code, err))
    code, _, err = run(["kms", "fetch", "--url", "https://127.0.0.1:1", "--kms-uri", "k", "--user", "u", "--token", seal,
                        "--ca", "/nonexistent", "--store", os.path.join(work, "s"), "--store-key", seal])
    check(code == 3 and err, "kms fetch without CA file", (code, err))
    check(not os.path.exists(os.path.join(work, "s")), "kms fetch leaves no store behind")


ALL = (check_uid, check_documents, check_inputs, check_composed, check_streamwide, check_published, check_make,
       check_now, check_two_domains, check_refused, check_usage, check_srtp_vectors, check_srtp_own, check_bench,
       check_token_and_store)


def quick():
    check_uid()
    check_documents(("all",), True)
    check_inputs(4)
    check_make(("pck", "gmk"), False)
    check_streamwide(False)
    check_srtp_vectors()
    check_srtp_own(1)


def main(args):
    global work
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as work:
        if args == ["quick"]:
            quick()
        else:
            for f in ALL:
                if args == ["all"] or f.__name__[6:] in args:
                    f()
    print("%d checks, %d failed" % (checks, len(failures)))
    return 1 if failures or checks == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
