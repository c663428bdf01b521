#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mcx mikey make, open and inspect with documents as a KMS sends them: every key type makes the way there and back,
# a composed message opens to its known keys, and what must be refused is refused with exit code 1 and a reason.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 - "$dir" <<'PY'
import base64, json, os, re, subprocess, sys

work = sys.argv[1]
mcx = os.environ["MCX_BIN"] + "/mcx"
vectors = os.environ["MCX_SOURCE"] + "/tests/vectors/"
os.umask(0o077)

def sections():
    out, name = {}, None
    for line in open(vectors + "identities-kms-vectors.txt"):
        m = re.match(r"\[(.+)\]", line)
        if m:
            name = m.group(1)
            out[name] = {}
        elif name and " = " in line and line[0] != "#":
            key, value = line.rstrip("\n").split(" = ", 1)
            out[name][key] = value.removeprefix("text:").strip()
    return out

sec = sections()
NS = 'xmlns="urn:3gpp:ns:mcsecKMSInterface:1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

def save(name, text):
    path = os.path.join(work, name)
    open(path, "w").write(text)
    return path

def key_set(n):
    s = sec["keyset-%d" % n]
    content = "".join('<%s xsi:type="KeyContentType">%s</%s>' % (e, s[k], e) for e, k in
                      (("UserDecryptKey", "RSK"), ("UserSigningKeySSK", "SSK"), ("UserPubTokenPVT", "PVT")))
    uid = base64.b64encode(bytes.fromhex(s["UID"])).decode()
    return ('<KmsKeySet %s Version="1.1.0"><KmsUri>%s</KmsUri><UserUri>%s</UserUri><UserID>%s</UserID>'
            '<KeyPeriodNo>6582</KeyPeriodNo>%s</KmsKeySet>' % (NS, s["kms_uri"], s["identity"], uid, content))

cert = save("cert.xml", sec["xml"]["init"])             # KmsResponse with KmsInit
unit07 = save("unit07.xml", sec["xml"]["keyprov"])      # KmsResponse with KmsKeyProv
unit08 = save("unit08.xml", key_set(3))                 # bare KmsKeySet
gms1 = save("gms1.xml", key_set(4))

def run(args, text=""):
    p = subprocess.run([mcx, "mikey"] + args, input=text, capture_output=True, text=True)
    return p.returncode, p.stdout, p.stderr

def check(ok, what):
    if not ok:
        sys.exit("TC_quick_mikey: " + what)

def vector(name):
    out = {}
    for line in open(vectors + "mikey-imessages/" + name):
        if " = " in line and line[0] != "#":
            key, value = (x.strip() for x in line.split(" = ", 1))
            out[key] = value
    out["text"] = "mikey " + base64.b64encode(bytes.fromhex(out["message"])).decode() + "\n"
    return out

def opened(args, text):
    code, out, err = run(["open", "--cert", cert] + args, text)
    return code, json.loads(out)

# A composed message, in every form of input.
v = vector("own-1-pck-default-profile.txt")
b64 = v["text"].split()[1]
sdp = ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=key-mgmt:mikey " + b64 +
       "\r\nm=audio 5000 RTP/SAVP 97\r\nc=IN IP4 192.0.2.1\r\n")
for form in (v["text"], b64, "a=key-mgmt:mikey " + b64, sdp):
    code, o = opened(["--keys", unit08], form)
    check(code == 0 and o["status"] == "ok", "own-1 does not open: %s" % o)
check(o["type"] == "pck" and o["key"] == v["ssv"] and o["key_id"] == "1a2b3c4d" and o["rand"] == v["rand"], "own-1 keys")
check(o["initiator"] == "sip:unit07@mcx.example.net" and o["responder"] == "sip:unit08@mcx.example.net", "own-1 names")
check(o["kms_initiator"] == o["kms_responder"] == "kms1.mcx.example.net", "own-1 KMSs")
check(o["srtp"] == [{"cs_id": i, "mki": "1a2b3c4d", "master_key": v["cs%02d.master_key" % i],
                     "master_salt": v["cs%02d.master_salt" % i]} for i in (0, 1)], "own-1 SRTP")

# The GMK: mki is GMK-ID and GUK-ID.
g = vector("own-3-gmk.txt")
code, o = opened(["--keys", unit07], g["text"])
check(code == 0 and o["type"] == "gmk" and o["key_id"] == "0123cdef", "own-3")
check(o["srtp"][0]["mki"] == "0123cdef0e1f7b6c" and o["srtp"][0]["cs_id"] == 4, "own-3 mki")
check(o["key_params"]["groups"] == ["sip:group1@mcx.example.net"], "own-3 group")

# Made by the tool with the inputs of the vector: the same octets but for the signature.
T = "ed529d4000000000"
code, out, err = run(["make", "--type", "pck", "--cert", cert, "--keys", unit07, "--to", "sip:unit08@mcx.example.net",
                      "--key", v["ssv"], "--key-id", "1a2b3c4d", "--rand", v["rand"], "--time", T])
check(code == 0 and out.startswith("mikey ") and out.count("\n") == 1, "make: " + err)
made = base64.b64decode(out.split()[1])
check(made[:-129].hex() == v["message"][:-258], "make does not give the octets of own-1")
check(made[-129:].hex() != v["signature"], "the nonce of the signature is not fresh")

# Every key type, there and back.
tags = {"gmk": 0, "pck": 1, "csk": 2, "spk": 3, "mkfc": 4, "msck": 5, "mscck": 5, "musik": 6}
cs_ids = {"gmk": [4], "pck": [0, 1], "csk": [6], "spk": [6], "mkfc": [7], "msck": [7], "mscck": [7], "musik": [7]}
for t, tag in tags.items():
    for extra in ([], ["--hide-identities"], ["--explicit-policy", "--sakke-to-self"]):
        code, out, err = run(["make", "--type", t, "--cert", cert, "--keys", gms1, "--to", "sip:unit07@mcx.example.net",
                              "--time", T] + extra)
        check(code == 0, "make %s %s: %s" % (t, extra, err))
        code, o = opened(["--keys", unit07], out)
        check(code == 0 and o["type"] == ("mscck" if t == "msck" else t), "open %s: %s" % (t, o))
        check(int(o["key_id"][0], 16) == tag, "tag of %s" % t)
        check([s["cs_id"] for s in o["srtp"]] == cs_ids[t], "CS-IDs of %s" % t)
        check(o["initiator"] == ("" if "--hide-identities" in extra else "sip:gms1@mcx.example.net"), "initiator")
        check(run(["inspect"], out)[0] == 0, "inspect %s" % t)

# A key of several groups, and the revocation of one.
def gmk(*extra):
    return run(["make", "--type", "gmk", "--cert", cert, "--keys", gms1, "--to", "sip:unit07@mcx.example.net", "--time", T] +
               list(extra))

many = ["sip:fire%d@mcx.example.net" % i for i in range(16)]
code, out, err = gmk(*[x for g in many for x in ("--group", g)])
check(code == 0, "16 groups: " + err)
check(opened(["--keys", unit07], out)[1]["key_params"]["groups"] == many, "16 groups, in their order")
check(gmk(*[x for g in many + ["sip:one@too.many"] for x in ("--group", g)])[0] == 2, "17 groups")
code, out, err = gmk("--revoked")
check(code == 0, "revoked: " + err)
code, o = opened(["--keys", unit07], out)
check(code == 1 and o["status"] == "policy" and "revoked" in o["reason"], "a revoked key is opened: %s" % o)

# Refused, with a reason.
def refused(what, status, args, text):
    code, o = opened(args, text)
    check(code == 1 and o["status"] == status and o["reason"], "%s: %s %s" % (what, code, o))

flipped = bytearray(bytes.fromhex(v["message"]))
flipped[200] ^= 1
refused("flipped bit", "auth", ["--keys", unit08], "mikey " + base64.b64encode(flipped).decode())
refused("other receiver", "nokey", ["--keys", unit07], v["text"])
refused("late", "expired", ["--keys", unit08, "--time", "ed52ab5100000000"], v["text"])
refused("early", "expired", ["--keys", unit08, "--time", "ed529c1300000000"], v["text"])
refused("now", "expired", ["--keys", unit08, "--strict-time"], v["text"])
refused("other initiator", "policy", ["--keys", unit08, "--initiator", "sip:unit09@mcx.example.net"], v["text"])
refused("no base64", "format", ["--keys", unit08], "mikey " + b64.rstrip("=")[:-1])
refused("URL alphabet", "format", ["--keys", unit08], "mikey " + b64.replace("+", "-").replace("/", "_"))
refused("spaces inside", "format", ["--keys", unit08], "mikey " + b64[:40] + " " + b64[40:])
refused("cut", "trunc", ["--keys", unit08], "mikey " + b64[:400])
refused("nothing", "format", ["--keys", unit08], "")
broken = save("broken.xml", key_set(3).replace(sec["keyset-3"]["SSK"], sec["keyset-4"]["SSK"]))
refused("wrong SSK", "auth", ["--keys", broken], v["text"])
code, o = opened(["--keys", unit08, "--time", "ed52a10000000000"], v["text"])
check(code == 0, "within the skew")

code, out, err = run(["make", "--type", "pck", "--cert", cert, "--keys", unit07, "--to", "sip:unit08@mcx.example.net"])
check(code == 1 and "period" in err, "a period without key set: %d %s" % (code, err))
for args in (["make"], ["open"], ["nothing"], ["make", "--type", "xyz", "--cert", cert, "--keys", unit07, "--to", "a"]):
    check(run(args)[0] == 2, "usage %s" % args)
check(run(["open", "--cert", "/nonexistent", "--keys", unit08], v["text"])[0] == 3, "no such file")

# inspect explains a broken message up to where it breaks.
code, out, err = run(["inspect", "--json"], "mikey " + b64[:400])
o = json.loads(out)
check(code == 1 and o["status"] == "trunc" and "BROKEN" in o["fields"][-1]["meaning"], "inspect cut")
covered = 0
for f in json.loads(run(["inspect", "--json"], v["text"])[1])["fields"]:
    check(f["offset"] == covered, "inspect leaves out octets at %d" % covered)
    covered += f["length"]
check(covered == len(v["message"]) // 2, "inspect does not reach the end")
PY
