"""The gallery: a folder of demos' pictures with a page, index.html, that shows them in the lecture's order.

Beside its pictures each demo leaves NAME.json, with their captions, the numbers that it is about and what it said. The
page is made of those files, so demos can be made one by one and on different days.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from gocnn.atomic import write_atomically
from gocnn.demos import DEMOS, Say, Shown, make

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gocnn: from a 3×3 filter to the game of Go</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
  h1, h2 { font-weight: 600; line-height: 1.2; }
  h2 { margin-top: 4rem; border-top: 1px solid #ccc; padding-top: 1rem; }
  nav { columns: 18rem; }
  nav a { display: block; }
  blockquote { margin: 0; font-size: 1.15rem; font-style: italic; color: #555; }
  figure { margin: 1.5rem 0; }
  img { max-width: 100%; height: auto; }
  figcaption { font-size: .85rem; text-align: center; }
  pre { background: #f5f5f5; padding: .8rem 1rem; overflow-x: auto; font-size: .8rem; line-height: 1.35; }
  code { font-size: .9em; }
</style>
<h1>From a 3×3 filter to the game of Go</h1>
<p>A lecture on convolutional networks, made with one conv core. Each part is a command, <code>gocnn demo NAME</code>.</p>
<nav>
$contents
</nav>
$sections
</html>
""")


def make_into(folder: Path, name: str, say: Say = lambda line: None) -> Shown:
    """Make one demo's pictures and its NAME.json in `folder`; what it says is kept there too.

    Raises what `gocnn.demos.make` raises.
    """
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        say(line)

    shown = make(name, folder, hear)
    record = {**asdict(shown), "said": lines}
    write_atomically(folder / f"{name}.json", json.dumps(record, indent=1, ensure_ascii=False).encode())
    return shown


def write_page(folder: Path) -> Path:
    """Write index.html over all the demos that `folder` holds, and return its path.

    Raises OSError, and ValueError for a NAME.json that no demo has written.
    """
    made = [(name, _record(folder / f"{name}.json")) for name in DEMOS if (folder / f"{name}.json").exists()]
    page = _PAGE.substitute(
        contents="\n".join(f'<a href="#{name}">{escape(DEMOS[name].line)}</a>' for name, _ in made),
        sections="\n".join(_section(name, record) for name, record in made),
    )
    path = folder / "index.html"
    write_atomically(path, page.encode())
    return path


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
        [(picture["file"], picture["caption"]) for picture in record["exhibits"]], "\n".join(record["said"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: not written by a demo; delete it, or make the demo again") from error
    return dict(record)


def _section(name: str, record: dict[str, Any]) -> str:
    parts = [f'<h2 id="{name}">{escape(DEMOS[name].line)}</h2>']
    parts.append(f"<blockquote>{escape(DEMOS[name].question)}</blockquote>")
    parts.append(f"<p><code>gocnn demo {name}</code></p>")
    for picture in record["exhibits"]:
        file, caption = escape(picture["file"]), escape(picture["caption"])
        # A PNG has its caption drawn under it; an animation has no room for one.
        below = f"<figcaption>{caption}</figcaption>" if file.endswith(".gif") else ""
        parts.append(f'<figure><img src="{file}" alt="{caption}" loading="lazy">{below}</figure>')
    if record["said"]:
        parts.append(f"<pre>{escape(chr(10).join(record['said']))}</pre>")
    return f"<section>\n{chr(10).join(parts)}\n</section>"
