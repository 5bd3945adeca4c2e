"""Words in their true boxes, as our recogniser and RapidOCR's read them.

    pip install -c constraints.txt rapidocr-onnxruntime
    python benchmarks/recognise_peers.py --count 1000

The words are cut out of scenes with fonts and photographs that our network has not seen; at most eight of one scene.
Each is cut out with several margins, in shares of its height, since each network reads best with a margin of its own.
`gocnn read` also compares two margins, and prefers likely words of a language; neither is done here. RapidOCR's
(PP-OCRv4) knows Chinese as well: its full-width characters count as the ASCII ones that they are like, and its spaces
are left out.
"""

from __future__ import annotations

import unicodedata

import click
import numpy as np
import torch

from gocnn.images.text import quads, recogniser, recognition, scenes, voting


@click.command()
@click.option("--count", default=1000, show_default=True, help="Words.")
@click.option("--margins", default="0,0.1", show_default=True, help="Shares of a word's height to cut out around it.")
@click.option("--network", help="A recogniser's file instead of the one that ships.")
def main(count: int, margins: str, network: str | None) -> None:
    """Print the shares of words that each reads right."""
    from rapidocr_onnxruntime import RapidOCR

    torch.set_num_threads(1)  # as the other
    rapid = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    model = recogniser.load(network)
    drawn = scenes.Scenes(*scenes.split("test"), seed=1_000_000)
    words: list[tuple[str, np.ndarray, np.ndarray]] = []
    index = 0
    while len(words) < count:
        scene = drawn.scene(index)
        chosen = np.random.default_rng(index).permutation(len(scene.words))[:8]
        words += [(scene.words[k].text, scene.image, scene.words[k].quad) for k in chosen]
        index += 1
    words = words[:count]
    for margin in (float(part) for part in margins.split(",")):
        cut = [quads.rectify(image, quads.offset(quad, margin * quads.sides(quad)[1]), 48) for _, image, quad in words]
        crops = [(text, crop) for (text, _, _), crop in zip(words, cut)]
        for name, narrowings in (("gocnn, one look", voting.NARROWINGS[:1]), ("gocnn", voting.NARROWINGS)):
            said = [text for text, _ in voting.read_cuts(model, [[one] for one in cut], narrowings=narrowings)]
            tell(name, margin, said, crops)
        said = []
        for crop in cut:
            result, _ = rapid(crop[..., ::-1], use_det=False, use_cls=False, use_rec=True)
            text = result[0][0] if result else ""
            said.append(unicodedata.normalize("NFKC", text).replace(" ", ""))
        tell("RapidOCR", margin, said, crops)


def tell(name: str, margin: float, said: list[str], crops: list[recognition.Crop]) -> None:
    shares = recognition.shares(said, [text for text, _ in crops])
    told = "  ".join(f"{key} {value:.3f}" for key, value in shares.items())
    click.echo(f"{name:<16} margin {margin:.2f}  {told}")


if __name__ == "__main__":
    main()
