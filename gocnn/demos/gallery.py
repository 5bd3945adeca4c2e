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

#: The parts of the page, and which demos are in each.
PARTS: dict[str, tuple[str, ...]] = {
    "The mechanism": ("convolution", "colour", "dense", "properties", "shapes"),
    "Classification": ("digits", "shift"),
    "What the network finds, and would like to see": ("filters", "activations", "maximize", "fooled"),
    "Which pixels an answer rests on": ("saliency", "occlusion", "gradcam", "photographs"),
    "What it imagines, clears up and reads": ("dream", "style", "dehaze", "text"),
}

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gocnn: from a 3×3 filter to the game of Go</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 70rem; margin: 2rem auto;
         padding: 0 1rem; }
  h1, h2, h3 { font-weight: 600; line-height: 1.2; }
  nav h2 { font-size: 1.1rem; margin: 1.8rem 0 .6rem; }
  nav div { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; }
  nav a { border: 1px solid #ddd; border-radius: 4px; overflow: hidden; color: inherit; text-decoration: none;
          font-size: .85rem; line-height: 1.35; }
  nav a:hover, nav a:focus { border-color: #06c; }
  nav img { display: block; width: 100%; height: 7rem; object-fit: cover; object-position: top; }
  nav span { display: block; padding: .5rem .6rem; border-top: 1px solid #ddd; }
  main > h2 { margin-top: 4.5rem; border-top: 3px solid #222; padding-top: .6rem; }
  section { margin-top: 3rem; }
  blockquote { margin: 0 0 .8rem; font-size: 1.15rem; font-style: italic; color: #555; }
  figure { margin: 1.5rem 0; text-align: center; }
  figure img { max-width: 100%; height: auto; }
  figcaption { font-size: .85rem; }
  pre { background: #f5f5f5; padding: .8rem 1rem; overflow-x: auto; font-size: .8rem; line-height: 1.35; }
  code { font-size: .9em; }
  .command { font-size: .85rem; color: #555; }
</style>
</head>
<body>
<h1>From a 3×3 filter to the game of Go</h1>
<p>A lecture on convolutional networks, made with one conv core. Each part is a command, <code>gocnn demo NAME</code>,
which makes its pictures anew. A picture opens in its full size.</p>
<nav>
$contents
</nav>
<main>
$sections
</main>
</body>
</html>
""")


def make_into(folder: Path, name: str, say: Say = lambda line: None, **settings: Any) -> Shown:
    """Make one demo's pictures and its NAME.json in `folder`; what it says is kept there too.

    Takes the `settings` of `gocnn.demos.make`, and raises what it raises.
    """
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        say(line)

    shown = make(name, folder, hear, **settings)
    record = {**asdict(shown), "said": lines}
    write_atomically(folder / f"{name}.json", json.dumps(record, indent=1, ensure_ascii=False).encode())
    return shown


def write_page(folder: Path) -> Path:
    """Write index.html over all the demos that `folder` holds, and return its path.

    Raises OSError, and ValueError for a NAME.json that no demo has written.
    """
    made = {name: _record(folder / f"{name}.json") for name in DEMOS if (folder / f"{name}.json").exists()}
    contents, sections = [], []
    for part, names in PARTS.items():
        there = [name for name in names if name in made]
        if there:
            title = f"<h2>{escape(part)}</h2>"
            contents += [title, "<div>", *(_card(name, made[name]) for name in there), "</div>"]
            sections += [title, *(_section(name, made[name]) for name in there)]
    page = _PAGE.substitute(contents="\n".join(contents), sections="\n".join(sections))
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


def _card(name: str, record: dict[str, Any]) -> str:
    """A link to a demo's section, with its first picture."""
    picture = "".join(f'<img src="{escape(first["file"])}" alt="">' for first in record["exhibits"][:1])
    return f'<a href="#{name}">{picture}<span>{escape(DEMOS[name].line)}</span></a>'


def _section(name: str, record: dict[str, Any]) -> str:
    parts = [f'<h3 id="{name}">{escape(DEMOS[name].line)}</h3>']
    parts.append(f"<blockquote>{escape(DEMOS[name].question)}</blockquote>")
    parts.append(f'<p class="command"><code>gocnn demo {name}</code></p>')
    for picture in record["exhibits"]:
        file, caption = escape(picture["file"]), escape(picture["caption"])
        # A PNG has its caption drawn under it; an animation has no room for one.
        below = f"<figcaption>{caption}</figcaption>" if file.endswith(".gif") else ""
        image = f'<a href="{file}"><img src="{file}" alt="{caption}" loading="lazy"></a>'
        parts.append(f"<figure>{image}{below}</figure>")
    if record["said"]:
        parts.append(f"<pre>{escape(chr(10).join(record['said']))}</pre>")
    return f"<section>\n{chr(10).join(parts)}\n</section>"
