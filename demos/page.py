#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the pages of the demos.

usage: page.py FOLDER            index.html of one demo, from FOLDER/story.jsonl (written by demos/story.sh)
       page.py --index FOLDER    index.html over all demos that have a folder in FOLDER
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
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
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

def read(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as source:
        return source.read()


def story_of(folder):
    return [json.loads(line) for line in read(folder, "story.jsonl").splitlines() if line]


def first(story, key):
    return next((entry for entry in story if key in entry), {key: ""})


def figure(entry):
    name, title = entry["figure"], html.escape(entry["title"])
    return (f'<figure><figcaption><b>{title}</b>{html.escape(entry["text"])}</figcaption>'
            f'<img src="{name}.png" alt="spectrogram: {title.lower()}">'
            f'<audio controls preload="none" src="{name}.wav"></audio></figure>')


def figures(story):
    """A row of figures under each heading."""
    rows = []
    for entry in story:
        if "heading" in entry:
            rows.append((entry["heading"], []))
        elif "figure" in entry:
            rows[-1][1].append(figure(entry))
    return "".join(f'<h2>{html.escape(title)}</h2><div class="row">{"".join(row)}</div>' for title, row in rows)


def claims(story):
    return "".join(
        f'<tr><td class="{"ok" if c["ok"] else "no"}">{"checked" if c["ok"] else "FAILED"}</td>'
        f'<td>{html.escape(c["claim"])}<div class="how">{html.escape(c["how"])}</div></td></tr>'
        for c in story if "claim" in c)


def listings(story, folder):
    return "".join(
        f'<h2>{html.escape(e["title"])}</h2><p class="lead">{html.escape(e["lead"])}</p>'
        f'<pre>{html.escape(read(folder, e["listing"]))}</pre>'
        for e in story if "listing" in e)


def write(folder, title, lead, body):
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>mcx: {html.escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{html.escape(title)}</h1>
<p class="lead">{html.escape(lead)}</p>
{body}
</body></html>
"""
    with open(os.path.join(folder, "index.html"), "w", encoding="utf-8") as out:
        out.write(page)


def write_story(folder):
    story = story_of(folder)
    lines = "".join(f"<li>{html.escape(s['line'])}</li>" for s in story if "line" in s)
    write(folder, first(story, "title")["title"], first(story, "title").get("lead", ""), f"""{figures(story)}
<h2>What was checked</h2><table>{claims(story)}</table>
<h2>What happened</h2><ol>{lines}</ol>
{listings(story, folder)}
<footer>{html.escape(first(story, "footer")["footer"])} <a href="../index.html">All demos</a></footer>""")


def write_index(folder):
    rows = []
    for name in sorted(os.listdir(folder)):
        story = story_of(os.path.join(folder, name))
        if not story:
            continue
        checked = [entry["ok"] for entry in story if "claim" in entry]
        rows.append(f'<tr><td><a href="{name}/index.html">{name}</a></td><td>{html.escape(story[0]["title"])}'
                    f'<div class="how">{html.escape(story[0]["lead"])}</div></td>'
                    f'<td>{sum(checked)} of {len(checked)} claims hold</td></tr>')
    write(folder, "mcx demos", "Each page shows what was said, what crossed the network and what was heard, with every claim checked by a "
          "command that can fail.", f'<table>{"".join(rows)}</table>')


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--index":
        write_index(sys.argv[2])
    elif len(sys.argv) == 2:
        write_story(sys.argv[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
