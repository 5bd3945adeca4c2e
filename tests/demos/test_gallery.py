"""The gallery's page, and `gocnn demo`: every name, a demo that fails, a damaged folder, Ctrl-C."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gocnn import demos
from gocnn.cli import main
from gocnn.demos import DEMOS, Exhibit, Say, Shown, gallery
from gocnn.visualize import drawing


def tiny(name: str, folder: Path, say: Say, **settings: object) -> Shown:
    """A demo of one small picture; `shapes` also has an animation, `fooled` fails, `maximize` is interrupted."""
    if name == "fooled":
        raise ValueError("no network 'digits'")
    if name == "maximize":
        raise KeyboardInterrupt
    say(f"{name}: 3 < 5 & <b>not bold</b>")
    caption = f'"{name}" & <its> picture'
    Image.fromarray(np.eye(3, dtype=np.uint8)).save(folder / f"{name}.png")
    exhibits = [Exhibit(f"{name}.png", caption)]
    if name == "shapes":
        frame = np.zeros((4, 4, 3), np.uint8)
        drawing.save_animation([frame, frame + 200], folder / "shapes.gif")
        exhibits.append(Exhibit("shapes.gif", "it moves"))
    return Shown(tuple(exhibits), {"answer": 42, "list": [1.5], **{key: str(value) for key, value in settings.items()}})


@pytest.fixture()
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(gallery, "make", tiny)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["demo", *arguments, "--out", str(tmp_path / "out")])

    return run


class Page(HTMLParser):
    """What a browser would see of a page: pictures, anchors, links and text; fails on tags that do not match."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "img":
            self.images.append(found)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found["href"]))
        if tag not in ("img", "meta"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_demo_has_a_module_a_line_and_a_question() -> None:
    folder = Path(demos.__file__).parent
    for name, about in DEMOS.items():
        assert (folder / f"{name}.py").exists(), name
        assert about.line[-1] in ".?" and len(about.line) < 90
        assert about.question.endswith("?")


def test_every_demo_is_in_one_part_of_the_page_in_the_lectures_order() -> None:
    assert [name for names in gallery.PARTS.values() for name in names] == list(DEMOS)


def test_list_names_all_of_them_in_order_and_makes_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["demo", "--list", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.output.splitlines()] == list(DEMOS)
    assert not (tmp_path / "out").exists()


def test_a_demo_leaves_its_pictures_its_numbers_and_a_page(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("shapes")
    assert done.exit_code == 0
    assert "shapes.png, shapes.gif" in done.stderr and "index.html: the gallery" in done.stderr
    assert done.stdout == "shapes: 3 < 5 & <b>not bold</b>\n"
    record = json.loads((tmp_path / "out" / "shapes.json").read_text(encoding="utf-8"))
    assert record["numbers"] == {"answer": 42, "list": [1.5]}
    page = Page(tmp_path / "out" / "index.html")
    assert [image["src"] for image in page.images if image.get("loading")] == ["shapes.png", "shapes.gif"]
    assert page.images[1]["alt"] == '"shapes" & <its> picture'
    assert "3 < 5 & <b>not bold</b>" in page.text and DEMOS["shapes"].question in page.text


def test_the_page_shows_all_that_the_folder_holds_in_the_lectures_order(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("shapes", "shapes")
    run("saliency", "convolution")
    page = Page(tmp_path / "out" / "index.html")
    made = ["convolution", "shapes", "saliency"]
    assert [name for name in page.ids if name in DEMOS] == made
    assert [link for link in page.links if link[1:] in DEMOS] == [f"#{name}" for name in made]
    for link in page.links:
        assert link[1:] in page.ids if link.startswith("#") else (tmp_path / "out" / link).exists()


def test_with_all_a_demo_that_fails_is_named_and_the_rest_made(run, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.delitem(DEMOS, "maximize")
    done = run("all")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "Error: fooled: no network 'digits'"
    assert {path.stem for path in (tmp_path / "out").glob("*.json")} == DEMOS.keys() - {"fooled"}
    assert "fooled" not in Page(tmp_path / "out" / "index.html").ids


def test_ctrl_c_keeps_what_is_made(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("shapes", "maximize", "saliency")
    assert done.exit_code == 130
    assert re.search(r"stopped; .*out keeps the pictures made so far", done.stderr)
    made = {"shapes.png", "shapes.gif", "shapes.json", "index.html"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == made


def test_a_file_of_filters_is_for_their_demo_alone(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("shapes", "filters", "--filters", "own.safetensors").exit_code == 0
    records = (json.loads((tmp_path / "out" / f"{name}.json").read_bytes()) for name in ("shapes", "filters"))
    assert [record["numbers"].get("model") for record in records] == [None, "own.safetensors"]
    wrong = run("shapes", "--filters", "own.safetensors")
    assert wrong.exit_code == 2 and "--filters is for the demo of that name" in wrong.stderr


def test_an_unknown_name_lists_the_right_ones(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("konvolution")
    assert done.exit_code == 2 and "konvolution" in done.stderr
    assert all(name in done.stderr for name in DEMOS)
    assert not (tmp_path / "out").exists()
    with pytest.raises(KeyError):
        demos.make("konvolution", tmp_path)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"exhibits": [{}], "said": []}', b'{"exhibits": 3', b"\xff"])
def test_a_damaged_record_is_named(run, tmp_path: Path, damage: bytes) -> None:  # type: ignore[no-untyped-def]
    run("shapes")
    record = tmp_path / "out" / "saliency.json"
    record.write_bytes(damage)
    done = run("convolution")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == f"Error: {record}: not written by a demo; delete it, or make the demo again"
    assert run("saliency").exit_code == 0  # which is the cure


def test_a_folder_that_cannot_be_made_is_one_line(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "out").write_text("a file")
    done = run("shapes")
    assert done.exit_code != 0 and "out" in done.stderr and "Traceback" not in done.stderr
