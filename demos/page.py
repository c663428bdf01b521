#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes index.html of a demo folder from what the demo recorded in it.

usage: page.py FOLDER

Reads FOLDER/story.jsonl (one object a line: {"line": text} or {"claim": text, "how": text, "ok": bool}),
FOLDER/inspect.txt (the I_MESSAGE explained) and shows spoken, wire and heard .wav/.png side by side.
"""
import html
import json
import os
import sys

STYLE = """
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5a6878; --paper: #fbfbf9; --card: #ffffff; --edge: #d9dee4;
        --good: #1b7f4b; --bad: #b3261e; --accent: #1f4f8f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa7b5; --paper: #12161b; --card: #1a2027;
        --edge: #2c3540; --good: #58c48d; --bad: #ff8a80; --accent: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2.5rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
       font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .8rem; color: var(--accent); }
p.lead { color: var(--soft); max-width: 52rem; margin: 0; }
.three { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem; }
@media (max-width: 60rem) { .three { grid-template-columns: 1fr; } }
figure { margin: 0; padding: .9rem; background: var(--card); border: 1px solid var(--edge); border-radius: .6rem; }
figure img { width: 100%; height: auto; display: block; border-radius: .3rem; background: #000; }
figure audio { width: 100%; margin-top: .6rem; }
figcaption b { display: block; } figcaption { margin-bottom: .6rem; min-height: 4.6em; color: var(--soft); font-size: .92rem; }
figcaption b { color: var(--ink); font-size: 1.02rem; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--edge); }
td { padding: .5rem .8rem; border-top: 1px solid var(--edge); vertical-align: top; }
td:first-child { width: 5.5rem; font-weight: 600; white-space: nowrap; }
.ok { color: var(--good); } .no { color: var(--bad); }
.how { color: var(--soft); font-size: .92rem; }
ol { padding-left: 1.4rem; margin: 0; } li { margin: .2rem 0; }
pre { overflow-x: auto; padding: 1rem; background: var(--card); border: 1px solid var(--edge); border-radius: .6rem;
      font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .92rem; }
"""

FIGURES = [
    ("spoken", "Spoken", "what Alice's microphone took"),
    ("wire", "On the wire", "what a listener at the server's socket hears"),
    ("heard", "Heard", "what Bob's loudspeaker played"),
]


def read(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as source:
        return source.read()


def figure(name, title, text):
    return (f'<figure><figcaption><b>{title}</b>{html.escape(text)}</figcaption>'
            f'<img src="{name}.png" alt="spectrogram: {title.lower()}">'
            f'<audio controls preload="none" src="{name}.wav"></audio></figure>')


def main():
    folder = sys.argv[1]
    story = [json.loads(line) for line in read(folder, "story.jsonl").splitlines() if line]
    claims = "".join(
        f'<tr><td class="{"ok" if c["ok"] else "no"}">{"checked" if c["ok"] else "FAILED"}</td>'
        f'<td>{html.escape(c["claim"])}<div class="how">{html.escape(c["how"])}</div></td></tr>'
        for c in story if "claim" in c)
    lines = "".join(f"<li>{html.escape(s['line'])}</li>" for s in story if "line" in s)
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>mcx: a private call that the server cannot hear</title><style>{STYLE}</style></head><body>
<h1>A private call that the server cannot hear</h1>
<p class="lead">Two people, one key management server, one MCPTT server in the middle. The key of the call travelled inside a
signed message in the call's first request; the server relayed every packet and understood none of them.</p>
<h2>The same seconds, three times</h2>
<div class="three">{"".join(figure(*f) for f in FIGURES)}</div>
<h2>What was checked</h2><table>{claims}</table>
<h2>What happened</h2><ol>{lines}</ol>
<h2>The message that carried the key</h2>
<p class="lead">mcx mikey inspect, without any key: what everybody on the path can see of it.</p>
<pre>{html.escape(read(folder, "inspect.txt"))}</pre>
<footer>Also in this folder: capture.pcap (everything that crossed the server's media sockets), spoken.wav, heard.wav,
wire.wav, log/ (what each program said).</footer>
</body></html>
"""
    with open(os.path.join(folder, "index.html"), "w", encoding="utf-8") as out:
        out.write(page)


if __name__ == "__main__":
    main()
