"""What is done to a picture before a network of digits or clothes sees it, and that it is said."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageOps

from gocnn.images import datasets, models, pictures


def as_picture(shade: np.ndarray) -> np.ndarray:
    return np.repeat(shade.astype(np.uint8)[..., None], 3, axis=2)


def seven(scale: int, margin: int = 0) -> np.ndarray:
    """The first shipped digit, dark on white paper, so many times larger."""
    ink = np.kron(datasets.shipped("digits")[0][0], np.ones((scale, scale), np.uint8))
    return 255 - np.pad(ink, margin)


def test_a_picture_of_the_data_set_is_taken_as_it_stands() -> None:
    for image in datasets.shipped("digits")[0][:50]:
        inputs, notes = pictures.for_digits(as_picture(image))
        assert notes == []
        assert np.allclose(inputs[0], image / 255, atol=1e-6)


def test_dark_on_light_is_inverted_and_said() -> None:
    image = datasets.shipped("digits")[0][0]
    inputs, notes = pictures.for_digits(as_picture(255 - image))
    assert notes == ["inverted (dark on light)"]
    assert np.allclose(inputs[0], image / 255, atol=1e-6)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_garment_of_the_data_set_that_touches_the_border_is_taken_as_it_stands(inverted: bool) -> None:
    for image in datasets.shipped("fashion")[0][:50]:
        inputs, notes = pictures.for_clothes(as_picture(255 - image if inverted else image))
        assert notes == ["inverted (dark on light)"] * inverted
        assert np.allclose(inputs[0], image / 255, atol=1e-6)


@pytest.mark.parametrize("scale", [1, 3, 10])
def test_a_digit_of_any_size_and_place_comes_back_as_the_data_set_has_it(scale: int) -> None:
    image = datasets.shipped("digits")[0][0] / 255
    inputs, notes = pictures.for_digits(as_picture(seven(scale, margin=40)))
    assert any(note.startswith("cropped to ") for note in notes) and notes[-1] == "centred by its mass on 28×28"
    assert np.corrcoef(inputs.ravel(), image.ravel())[0, 1] > 0.9


def test_uneven_light_is_not_ink() -> None:
    across = np.linspace(0.5, 1, 280)
    lit = seven(10) * across * np.linspace(1, 0.8, 280)[:, None]
    inputs, notes = pictures.for_digits(as_picture(lit))
    flat, _ = pictures.for_digits(as_picture(seven(10)))
    assert "uneven light evened out" in notes
    assert np.corrcoef(inputs.ravel(), flat.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("light", [1.0, np.linspace(0.5, 1, 840)])
def test_grain_is_not_ink(light: float | np.ndarray) -> None:
    grain = np.random.default_rng(0).normal(0, 8, (840, 840))
    inputs, _ = pictures.for_digits(as_picture(np.clip((seven(30) * 0.7 + 30) * light + grain, 0, 255)))
    flat, _ = pictures.for_digits(as_picture(seven(30)))
    assert np.corrcoef(inputs.ravel(), flat.ravel())[0, 1] > 0.95


def test_ink_fills_its_range_whatever_the_contrast_and_the_stroke() -> None:
    thin = np.full((400, 400), 200)
    thin[50:350, 199:202] = 160
    for prepare in (pictures.for_digits, pictures.for_clothes):
        inputs, _ = prepare(as_picture(thin))
        assert inputs.shape == (1, 28, 28) and inputs.dtype == np.float32
        assert inputs.min() == 0 and inputs.max() == 1


@pytest.mark.parametrize("name, least", [("digits", 0.98), ("fashion", 0.85)])
def test_the_shipped_networks_read_test_images_drawn_large_on_white_paper(name: str, least: float) -> None:
    images, labels = datasets.shipped(name)
    network = models.load(name)
    large = [np.pad(image, ((6, 9), (12, 3))).repeat(8, 0).repeat(8, 1) for image in images[:100]]
    inputs = np.stack([network.prepare(as_picture(245 - 0.85 * image))[0] for image in large])
    said = network.model(torch.from_numpy(inputs)).argmax(1).numpy()
    assert (said == labels[:100]).mean() >= least


def test_a_huge_picture_is_brought_down_first_and_said() -> None:
    huge = as_picture(seven(100))
    tracemalloc.start()
    inputs, notes = pictures.for_digits(huge)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert notes[0] == "resized to 1120×1120" and most < 10 * 2800**2
    plain, said = pictures.for_digits(as_picture(seven(40)))
    assert not said[0].startswith("resized") and np.corrcoef(inputs.ravel(), plain.ravel())[0, 1] > 0.99


def test_clothes_fill_the_field() -> None:
    inputs, notes = pictures.for_clothes(as_picture(seven(5, margin=20)))
    rows = np.flatnonzero(inputs[0].any(1))
    assert (rows[0], rows[-1]) == (0, 27) and notes[-1].endswith("on 28×28")


def test_a_line_is_cropped_without_enlarging_all_of_it() -> None:
    line = np.zeros((1, 10**7, 3), np.uint8)
    line[:, 5 * 10**6 - 1 : 5 * 10**6 + 1] = 200
    assert pictures.crop(line).mean() > 100


@pytest.mark.parametrize("shape", [(1, 1), (100, 100), (1, 50), (28, 28)])
def test_an_empty_picture_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(pictures.PictureError, match="one shade"):
        pictures.for_digits(as_picture(np.full(shape, 255)))


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper_shows_ink_of_either_shade(tmp_path, ink: int) -> None:
    layers = np.full((60, 60, 4), ink, np.uint8)
    layers[..., 3] = 0
    layers[10:50, 28:33, 3] = 255
    Image.fromarray(layers).save(tmp_path / "one.png")
    inputs, notes = pictures.for_digits(pictures.read(tmp_path / "one.png"))
    assert inputs[0, 14, 14] == 1 and inputs[0, 14, 3] == 0
    assert ("inverted (dark on light)" in notes) == (ink == 0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_every_mode_of_a_picture_gives_the_same_input(tmp_path, mode: str) -> None:
    dark = np.full((60, 60), 255, np.uint8)
    dark[10:50, 28:33] = 0
    if mode == "I;16":
        image = Image.fromarray(dark.astype(np.uint16) * 257)
    elif mode == "I":
        image = Image.fromarray(dark.astype(np.int32) * 257)
    else:
        image = (
            Image.fromarray(dark).convert("RGB").convert(mode)
            if mode != "F"
            else Image.fromarray(dark / np.float32(255))
        )
    image.save(tmp_path / "one.tiff")
    expected, _ = pictures.for_digits(as_picture(dark))
    inputs, _ = pictures.for_digits(pictures.read(tmp_path / "one.tiff"))
    assert np.allclose(inputs, expected, atol=0.02)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_grey_of_32_bits_is_scaled_by_its_values(tmp_path, kind: type) -> None:
    values = np.arange(60 * 60).reshape(60, 60) % 256
    Image.fromarray(values.astype(kind)).save(tmp_path / "one.tiff")
    assert np.array_equal(pictures.read(tmp_path / "one.tiff")[..., 0], values)


def test_pixels_that_are_no_finite_number_do_not_darken_the_others(tmp_path) -> None:
    depth = np.linspace(2, 5, 40 * 60, dtype=np.float32).reshape(40, 60)
    Image.fromarray(depth).save(tmp_path / "whole.tiff")
    depth[3, :3] = np.inf, -np.inf, np.nan
    Image.fromarray(depth).save(tmp_path / "holes.tiff")
    whole, holes = (pictures.read(tmp_path / name)[..., 0] for name in ("whole.tiff", "holes.tiff"))
    assert holes[3, :3].tolist() == [255, 0, 0]
    assert np.array_equal(np.delete(holes, 3, 0), np.delete(whole, 3, 0))
    Image.fromarray(depth * np.nan).save(tmp_path / "none.tiff")
    with pytest.raises(pictures.PictureError, match=r"none\.tiff: .*no pixel is a finite number"):
        pictures.read(tmp_path / "none.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_camera_was_held(tmp_path, orientation: int) -> None:
    shown = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(shown).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(pictures.read(tmp_path / "a.png"), expected)


def test_odd_tags_do_not_cost_a_picture_its_pixels(tmp_path) -> None:
    orientation = struct.pack("<HHIHxx", 0x0112, 3, 1, 6)
    unit = struct.pack("<HHI4s", 0x0128, 2, 4, b"two")  # of resolution, as a text and not as a number
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + orientation + unit + bytes(4)
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image, pytest.raises(struct.error):
        ImageOps.exif_transpose(image)
    assert pictures.read(tmp_path / "a.jpg").shape == (60, 40, 3)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_turned_tiff_is_read_row_by_row(tmp_path, kind: type, compression: str | None) -> None:
    values = np.linspace(0, np.iinfo(kind).max, 40 * 60).reshape(40, 60).astype(kind)
    Image.fromarray(values).save(tmp_path / "scan.tif", compression=compression, tiffinfo={0x0112: 6})
    shown = pictures.read(tmp_path / "scan.tif")[..., 0]
    expected = np.rot90(np.round(values / (np.iinfo(kind).max / 255)), -1)
    assert shown.shape == (60, 40) and np.abs(shown.astype(int) - expected).max() <= 1


def test_colours_with_a_profile_of_their_own_are_brought_to_srgb(tmp_path) -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = own.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "BGRs".encode("utf-16-be"))
    picture = Image.new("RGB", (8, 8), (200, 60, 30))
    picture.save(tmp_path / "plain.png")
    picture.save(tmp_path / "srgb.png", icc_profile=own)
    picture.save(tmp_path / "odd.png", icc_profile=b"no profile")
    picture.save(tmp_path / "other.png", icc_profile=swapped)
    plain, srgb, odd, other = (pictures.read(tmp_path / f"{n}.png")[0, 0] for n in ("plain", "srgb", "odd", "other"))
    assert plain.tolist() == srgb.tolist() == odd.tolist() == [200, 60, 30]
    assert np.abs(other.astype(int) - [30, 60, 200]).max() <= 2
    picture.save(tmp_path / "clear.png", icc_profile=swapped, transparency=(200, 60, 30))
    assert pictures.read(tmp_path / "clear.png")[0, 0].tolist() == [0, 0, 0], "nothing else is there: laid on black"


def test_grey_of_16_bits_is_scaled_by_its_range_and_may_be_clear(tmp_path) -> None:
    (tmp_path / "one.pgm").write_bytes(b"P5 2 1 1023\n" + struct.pack(">2H", 1023, 512))
    assert pictures.read(tmp_path / "one.pgm")[0, :, 0].tolist() == [255, 128]
    rows = b"\0" + struct.pack(">2H", 30000, 100)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head, clear = struct.pack(">2I5B", 2, 1, 16, 0, 0, 0, 0), struct.pack(">H", 30000)
    chunks = ((b"IHDR", head), (b"tRNS", clear), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    (tmp_path / "one.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks))
    assert pictures.read(tmp_path / "one.png")[0, :, 0].tolist() == [255, 0]


def test_what_is_no_picture_is_named(tmp_path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    whole = tmp_path / "whole.png"
    Image.fromarray(seven(4)).save(whole)
    (tmp_path / "half.png").write_bytes(whole.read_bytes()[:200])
    for name, reason in (
        ("missing.png", "no such file"), ("", "not a file"), ("empty.png", "an empty file"),
        ("text.png", "not a picture.*known are PNG, JPEG"), ("half.png", "a damaged picture"),
    ):  # fmt: skip
        with pytest.raises(pictures.PictureError, match=reason) as raised:
            pictures.read(tmp_path / name)
        assert name in str(raised.value) and "\n" not in str(raised.value)
