"""Haze laid over photographs and taken off again, by the dark channel and by a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gocnn.demos import Say, Shown, hang, together
from gocnn.images import samples
from gocnn.images.dehaze import dark_channel, evaluate, haze, metrics, network, restore
from gocnn.visualize import drawing

#: Photographs that the network has not learned from -> the number of a depth map that suits them, and beta.
SCENES = {"cow": (0, 1.2), "dog": (0, 1.6), "astronaut": (2, 2.0)}
TITLES = ("the photograph", "in haze", "dark channel", "the network")
CLEAR = ("chelsea", "rocket")  # shown without any haze


def make(out: Path, say: Say) -> Shown:
    return together((_known(out, say), _clear(out, say)), ("hazed", "clear"))


def scene(name: str) -> evaluate.Scene:
    """One of `SCENES` with its depth map."""
    clean = samples.photograph(name)
    depth = haze.random_depth(np.random.default_rng(SCENES[name][0]), clean / np.float32(255))
    return evaluate.Scene(name, clean, depth)


def _known(out: Path, say: Say) -> Shown:
    """Photographs under haze that is known: what each method makes of it, and where the network sees it."""
    model = network.load()
    figure, cells = drawing.canvas(len(SCENES), len(TITLES) + 2, cell=2.0, wide=1.25)
    numbers: dict[str, Any] = {}
    for row, (name, (_, beta)) in enumerate(SCENES.items()):
        this = scene(name)
        seen = evaluate.hazed(this, beta)
        clean, through = this.clean / 255, haze.transmission(this.depth, beta)
        found = restore.restore(model, seen)
        pictures = (clean, seen / 255, dark_channel.remove(seen / np.float32(255)).picture, found.picture / 255)
        drawing.show(cells[row, 0], clean, title=TITLES[0])
        numbers[name] = {}
        for axes, picture, title in zip(cells[row, 1:], pictures[1:], TITLES[1:]):
            psnr, ssim = metrics.psnr(clean, picture), metrics.ssim(clean, picture)
            numbers[name][title] = {"psnr": round(psnr, 2), "ssim": round(ssim, 3)}
            drawing.show(axes, picture, title=f"{title}: {psnr:.1f} dB, {ssim:.2f}")
        maps = ((through, "light let through"), (found.through, "as the network sees it"))
        most = max(float(values.max()) for values, _ in maps)
        for axes, (values, title) in zip(cells[row, 4:], maps):
            axes.imshow(values, cmap=drawing.SEQUENTIAL, vmin=0, vmax=most)
            axes.set(xticks=[], yticks=[])
            axes.set_title(title, fontsize=9)
        large = haze.depth_like(found.through, *through.shape)
        numbers[name]["transmission error"] = round(float(np.abs(large - through).mean()), 3)
        told = ", ".join(f"{title} {numbers[name][title]['psnr']} dB" for title in TITLES[1:])
        say(f"{name}, beta {beta}: {told}")
    caption = (
        "Haze of known thickness over photographs that the network has not learned from, each with PSNR in dB and SSIM "
        "against the clear one. The dark channel counts on something dark in every patch: there is in grass, and the "
        "dog it tints blue. The last row is hard: in thick haze before a white wall the network takes much of the "
        "haze for paint, and what comes out is too dark. Right: the share of light that comes through, black for none."
    )
    return Shown((hang(figure, out / "dehaze.png", caption),), numbers)


def _clear(out: Path, say: Say) -> Shown:
    """What becomes of photographs that have no haze."""
    model = network.load()
    figure, cells = drawing.canvas(len(CLEAR), 3, cell=2.2, wide=1.4)
    numbers: dict[str, Any] = {}
    for row, name in enumerate(CLEAR):
        clean = samples.photograph(name)
        plain = dark_channel.remove(clean / np.float32(255)).picture
        found = restore.restore(model, clean).picture / 255
        drawing.show(cells[row, 0], clean, title="a photograph without haze")
        numbers[name] = {}
        for axes, picture, title in zip(cells[row, 1:], (plain, found), TITLES[2:]):
            psnr = metrics.psnr(clean / 255, picture)
            numbers[name][title] = round(psnr, 2)
            drawing.show(axes, picture, title=f"{title}: {psnr:.1f} dB from it")
        say(f"{name}, without haze: " + ", ".join(f"{title} {psnr} dB" for title, psnr in numbers[name].items()))
    caption = "Where there is no haze, there should be nothing to take off: the higher the PSNR, the less has changed."
    return Shown((hang(figure, out / "dehaze-clear.png", caption),), numbers)
