"""Locations of files: local paths, or URLs of any protocol that fsspec supports, such as s3://bucket/folder.

A file behind a URL is downloaded whole to a temporary file before it is read. A file to write is finished in a
temporary file and then uploaded whole, so that readers never see a partial file.
"""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, BinaryIO

from featurize.errors import SerError

PROTOCOL = re.compile(r"^([a-z][a-z0-9+.-]+)://")
"""The start of a URL."""


class Url(str):
    """A URL with the methods of `Path` that the stages use."""

    __slots__ = ()

    def __truediv__(self, name: str) -> "Url":
        return Url(f"{self.rstrip('/')}/{name}")

    @property
    def name(self) -> str:
        """The part after the last slash."""
        return self.rstrip("/").rpartition("/")[2]

    @property
    def parent(self) -> "Url":
        """The part before the last slash."""
        return Url(self.rstrip("/").rpartition("/")[0])

    def as_posix(self) -> str:
        """The URL itself."""
        return str(self)


Location = Path | Url


def locate(text: str | Path) -> Location:
    """Turn text into a URL if it starts like one, else into a path; file:// gives a path."""
    if isinstance(text, Path) or (protocol := PROTOCOL.match(text)) is None:
        return Path(text)
    return Path(text.removeprefix("file://")) if protocol[1] == "file" else Url(text)


@contextlib.contextmanager
def fetched(place: Location) -> Iterator[Path]:
    """Yield a local path, which for a URL is a temporary copy.

    Raises:
        FileNotFoundError: the URL does not exist; a local path is not checked.
        SerError: the URL cannot be read.
    """
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="ser-") as folder:
        local = Path(folder) / place.name
        system, path = _system(place)
        with _translate_errors(place):
            system.get_file(path, str(local))
        yield local


@contextlib.contextmanager
def written(place: Location) -> Iterator[Path]:
    """Yield a local path to write to; for a URL, the file is uploaded when the block ends without an error.

    Raises:
        SerError: the URL cannot be written to.
    """
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="ser-") as folder:
        local = Path(folder) / place.name
        yield local
        send(local, place)


def send(local: Path, place: Url) -> None:
    """Upload a file; errors as in `written`."""
    system, path = _system(place)
    with _translate_errors(place):
        try:
            system.put_file(str(local), path)
        except FileNotFoundError as error:
            raise SerError(f"{place}: cannot be written ({error}); make the bucket first") from error


@contextlib.contextmanager
def opened(place: Location) -> Iterator[BinaryIO]:
    """Open a file to read parts of it, without downloading the rest; errors as in `fetched`."""
    if isinstance(place, Path):
        with place.open("rb") as file:
            yield file
        return
    system, path = _system(place)
    with _translate_errors(place), system.open(path, "rb", block_size=2**20) as file:
        yield file


def listed(folder: Location, pattern: str) -> list[Location]:
    """Files of a folder whose names match, sorted; empty where there is no such folder."""
    if isinstance(folder, Path):
        return [*sorted(folder.glob(pattern))]
    return [folder / name for name in sorted(sizes(folder)) if fnmatch(name, pattern)]


def sizes(folder: Url) -> dict[str, int]:
    """Name → number of bytes of the files in a folder; empty where there is no such folder.

    Raises:
        SerError: the URL cannot be read.
    """
    system, path = _system(folder)
    with _translate_errors(folder):
        system.invalidate_cache()  # other processes write there too
        try:
            entries: list[dict[str, Any]] = system.ls(path, detail=True)
        except FileNotFoundError:
            return {}
    return {
        entry["name"].rstrip("/").rpartition("/")[2]: int(entry.get("size") or 0)
        for entry in entries
        if entry["type"] == "file"
    }


def make_folder(folder: Location) -> None:
    """Make a folder. For a URL, where folders exist only through their files, check that it can be reached.

    Raises:
        SerError: the folder cannot be made, or the URL cannot be reached.
    """
    if isinstance(folder, Url):
        sizes(folder)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SerError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error


def move(place: Location, to: Location) -> None:
    """Rename a file within one folder tree; errors as in `remove`."""
    if isinstance(place, Path):
        with _changing(place):
            place.replace(Path(to))
        return
    system, path = _system(place)
    with _translate_errors(place):
        system.mv(path, _system(to)[1])


def remove(place: Location) -> None:
    """Remove a file, or a folder with its content, if it exists.

    Raises:
        SerError: its parent folder cannot be written to, or the URL cannot be reached.
    """
    if isinstance(place, Path):
        with _changing(place):
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
        return
    system, path = _system(place)
    with _translate_errors(place), contextlib.suppress(FileNotFoundError):
        system.rm(path, recursive=True)


@contextlib.contextmanager
def _changing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SerError(
            f"{place}: cannot be moved or removed ({error.strerror}); look at the folder"
        ) from error


def _system(place: Location) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path on it."""
    from fsspec.core import url_to_fs

    try:
        return url_to_fs(str(place))  # type: ignore[no-any-return]
    except ImportError as error:
        protocol = str(place).partition("://")[0]
        raise SerError(
            f"{place}: {protocol}:// needs another package ({error}); for S3, install the extra: pip install 'ser[s3]'"
        ) from error
    except ValueError as error:
        raise SerError(f"{place}: not a URL that can be read ({error})") from error


@contextlib.contextmanager
def _translate_errors(place: Location) -> Iterator[None]:
    """Turn the exceptions of network clients into a `SerError` of one line; FileNotFoundError passes unchanged."""
    try:
        yield
    except (SerError, FileNotFoundError):
        raise
    except PermissionError as error:
        raise SerError(f"{place}: access denied ({_line(error)}); check the credentials") from error
    except Exception as error:  # each protocol's client raises other classes
        raise SerError(
            f"{place}: cannot be reached ({_line(error)}); check the URL, the credentials and the network"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
