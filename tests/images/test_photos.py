"""Photographs out of archives, and what whitening does to them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocnn.images import datasets, fetch, photos, pictures


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path / "cache"))


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return np.repeat(np.repeat(small, 8, 0), 8, 1)


def encoded(pixels: np.ndarray, kind: str = "JPEG") -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, kind)
    return data.getvalue()


def test_pictures_in_a_resource_file_are_found_by_their_lengths() -> None:
    first, second = encoded(noise(512, 640)), encoded(noise(256, 256, 1), "WEBP")
    data = (
        b"qres" + b"".join(len(part).to_bytes(4, "big") + part for part in (first, b"text", second)) + b"\xff\xd8\xff"
    )
    found = photos.collect({"usr/share/gcompris-qt/rcc/erase.rcc": data})
    assert {name: pixels.shape for name, pixels in found.items()} == {
        "erase-000": (256, 320, 3),
        "erase-001": (256, 256, 3),
    }


def test_what_is_no_photograph_is_left_out() -> None:
    files = {
        "small.jpg": encoded(noise(200, 400)),
        "long.jpg": encoded(noise(256, 800)),
        "flat.png": encoded(np.full((300, 300, 3), 9, np.uint8), "PNG"),
        "clear.png": encoded(np.dstack((noise(256, 256), noise(256, 256)[..., :1])), "PNG"),
        "broken.jpg": encoded(noise(256, 256))[:500],
        "notes.txt": b"none",
    }
    with pytest.raises(datasets.DataError, match="no photographs of 256×256"):
        photos.collect(files)
    assert list(photos.collect(files | {"good.jpg": encoded(noise(256, 400))})) == ["good-000"]


def test_what_cannot_be_read_does_not_cost_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Files(dict[str, bytes]):
        def __getitem__(self, name: str) -> bytes:
            if name == "locked.jpg":
                raise PermissionError(name)
            return super().__getitem__(name)

    opened = Image.open

    def odd(data: io.BytesIO, **options: object) -> Image.Image:
        warnings.warn("odd", Image.DecompressionBombWarning, stacklevel=2)
        if data.getvalue() == b"odd":
            raise IndexError("of a decoder")
        return opened(data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Image, "open", odd)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = photos.collect(Files({"good.jpg": encoded(noise(256, 256)), "locked.jpg": b"", "odd.jpg": b"odd"}))
    assert list(found) == ["good-000"]


def test_a_large_jpeg_is_not_decoded_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    upright = pictures.upright
    monkeypatch.setattr(pictures, "upright", lambda image: decoded.append(image.size) or upright(image))
    data = encoded(np.repeat(np.repeat(noise(264, 400), 8, 0), 8, 1))
    large, long = photos.collect({"a.jpg": data}), encoded(noise(2048, 5128))
    assert large["a-000"].shape == (256, 388, 3) and decoded == [(1600, 1056)]
    with pytest.raises(datasets.DataError):
        photos.collect({"long.jpg": long})


def test_a_bar_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    photos.collect({"a.png": encoded(noise(256, 256), "PNG")})
    assert "looking at pictures" in capsys.readouterr().err


def test_a_folder_of_pictures_goes_into_the_cache_and_comes_out(tmp_path: Path) -> None:
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    (tmp_path / "mine" / "b.png").write_bytes(encoded(noise(256, 320), "PNG"))
    (tmp_path / "mine" / "deep" / "a.png").write_bytes(encoded(noise(320, 256, 1), "PNG"))
    place, source = fetch.fetch("photos", tmp_path / "mine")
    assert place == datasets.path("photos") and source == str(tmp_path / "mine")
    found = photos.load()
    assert np.array_equal(found[0], noise(320, 256, 1)) and np.array_equal(found[1], noise(256, 320))


def test_photographs_of_one_name_are_all_kept_and_upright() -> None:
    lying = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(noise(256, 400)).save(lying, "JPEG", exif=exif)
    found = photos.collect(
        {
            "a/IMG_1.jpg": encoded(noise(256, 256, 1)),
            "b/IMG_1.jpg": encoded(noise(256, 256, 2)),
            "c.jpg": lying.getvalue(),
        }
    )
    assert len(found) == 3
    assert found["c-000"].shape == (400, 256, 3)


def test_missing_and_damaged_photographs_name_the_command() -> None:
    with pytest.raises(datasets.DataError, match="no such file; `gocnn images fetch photos`"):
        photos.load()
    place = datasets.keep(photos.NAME, {"a": noise(256, 256)})
    place.write_bytes(place.read_bytes()[:1000])
    with pytest.raises(datasets.DataError, match="fetches photographs again"):
        photos.load()
    datasets.keep(photos.NAME, {"a": noise(256, 256)[..., 0]})
    with pytest.raises(datasets.DataError, match="holds no photographs"):
        photos.load()


def test_whitening_flattens_the_spectrum_of_a_photograph() -> None:
    """Bands of frequencies up to the finest have energies within a factor of a few, where they had hundreds."""
    chelsea = pictures.read(Path(photos.__file__).parent / "samples" / "chelsea.jpg")

    def spread(planes: np.ndarray) -> float:
        power = np.square(np.abs(np.fft.fft2(planes))).sum(0)
        frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in power.shape), indexing="ij"))
        means = [power[(frequency >= low) & (frequency < 2 * low)].mean() for low in (0.0125, 0.025, 0.05, 0.1)]
        return float(max(means) / min(means))

    white = photos.whitened(chelsea)
    assert white.dtype == np.float32 and white.shape == (3, *chelsea.shape[:2])
    assert abs(white.mean()) < 0.02 and white.std() == pytest.approx(1, abs=0.05) and np.abs(white).max() <= 6
    assert spread(chelsea.transpose(2, 0, 1).astype(float)) > 20 * spread(white)


def test_whitening_keeps_grey_grey_and_refuses_one_shade() -> None:
    grey = np.repeat(noise(64, 80)[..., :1], 3, axis=2)
    white = photos.whitened(grey)
    assert np.allclose(white[0], white[1], atol=1e-4) and np.allclose(white[0], white[2], atol=1e-4)
    with pytest.raises(pictures.PictureError, match="one shade"):
        photos.whitened(np.full((40, 40, 3), 77, np.uint8))
