"""The image sets: what ships, what the cache gives back, and what is said when it is empty."""

import numpy as np
import pytest

from gocnn.images import datasets


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GOCNN_CACHE", str(tmp_path))
    return tmp_path


def test_shipped_images_are_the_first_of_the_test_sets():
    for name, first in (("digits", [7, 2, 1, 0, 4]), ("fashion", [9, 2, 1, 1, 6])):
        images, labels = datasets.shipped(name)
        assert images.shape == (500, 28, 28) and images.dtype == np.uint8 and images.max() == 255
        assert labels.dtype == np.int64 and labels[:5].tolist() == first
        assert set(labels.tolist()) == set(range(10))


def test_the_cache_gives_back_what_was_saved():
    images, labels = datasets.shipped("digits")
    datasets.save("digits", images[:300], labels[:300], images[300:], labels[300:])
    np.testing.assert_array_equal(datasets.load("digits", "train")[0], images[:300])
    np.testing.assert_array_equal(datasets.load("digits", "test")[1], labels[300:])


def test_an_empty_cache_names_the_command():
    with pytest.raises(datasets.DataError, match="gocnn images fetch fashion"):
        datasets.load("fashion", "test")


def test_a_damaged_file_names_the_command(cache):
    (cache / "digits.safetensors").write_bytes(b"half")
    with pytest.raises(datasets.DataError, match="gocnn images fetch digits"):
        datasets.load("digits", "test")


def test_arrays_that_do_not_fit_are_refused(cache):
    images, labels = datasets.shipped("digits")
    with pytest.raises(datasets.DataError):
        datasets.save("digits", images, labels[1:], images, labels)
    assert not list(cache.iterdir())
