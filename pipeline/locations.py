"""Where files lie: on this machine, or behind any address that fsspec knows, such as s3://bucket/folder.

What has to be a file (audio to decode, a shard to map) is fetched whole into a temporary one; what is written
is finished in a temporary file and sent whole, so that nobody ever sees half of it.
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
"""How an address begins."""


class Url(str):
    """An address with as much of a path's manners as the stages need."""

    __slots__ = ()

    def __truediv__(self, name: str) -> "Url":
        return Url(f"{self.rstrip('/')}/{name}")

    @property
    def name(self) -> str:
        """What follows the last slash."""
        return self.rstrip("/").rpartition("/")[2]

    @property
    def parent(self) -> "Url":
        """What precedes it."""
        return Url(self.rstrip("/").rpartition("/")[0])

    def as_posix(self) -> str:
        """The address itself."""
        return str(self)


Location = Path | Url


def locate(text: str | Path) -> Location:
    """A path, or an address where the text begins like one (file:// is a path)."""
    if isinstance(text, Path) or (protocol := PROTOCOL.match(text)) is None:
        return Path(text)
    return Path(text.removeprefix("file://")) if protocol[1] == "file" else Url(text)


@contextlib.contextmanager
def fetched(place: Location) -> Iterator[Path]:
    """Give the file itself, or a temporary copy of what lies at an address.

    Raises:
        FileNotFoundError: nothing is there (for a path, whoever opens it finds out).
        SerError: the address cannot be read.
    """
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="ser-") as folder:
        local = Path(folder) / place.name
        system, path = _system(place)
        with _told(place):
            system.get_file(path, str(local))
        yield local


@contextlib.contextmanager
def written(place: Location) -> Iterator[Path]:
    """Give a local path to write to; what was written there is sent whole when the block ends well.

    Raises:
        SerError: the address cannot be written to.
    """
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="ser-") as folder:
        local = Path(folder) / place.name
        yield local
        send(local, place)


def send(local: Path, place: Url) -> None:
    """Send a file whole; errors as `written`."""
    system, path = _system(place)
    with _told(place):
        try:
            system.put_file(str(local), path)
        except FileNotFoundError as error:
            raise SerError(f"{place}: cannot be written ({error}); make the bucket first") from error


@contextlib.contextmanager
def opened(place: Location) -> Iterator[BinaryIO]:
    """Open for reading parts of it, without fetching the rest; errors as `fetched`."""
    if isinstance(place, Path):
        with place.open("rb") as file:
            yield file
        return
    system, path = _system(place)
    with _told(place), system.open(path, "rb", block_size=2**20) as file:
        yield file


def listed(folder: Location, pattern: str) -> list[Location]:
    """Files of a folder whose name matches, sorted; none where there is no such folder."""
    if isinstance(folder, Path):
        return [*sorted(folder.glob(pattern))]
    return [folder / name for name in sorted(sizes(folder)) if fnmatch(name, pattern)]


def sizes(folder: Url) -> dict[str, int]:
    """Names and bytes of the files of a folder; none where there is no such folder.

    Raises:
        SerError: the address cannot be read.
    """
    system, path = _system(folder)
    with _told(folder):
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
    """Make a folder; behind an address, where folders come with their files, only see that it can be reached.

    Raises:
        SerError: it cannot be made or reached.
    """
    if isinstance(folder, Url):
        sizes(folder)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SerError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error


def move(place: Location, to: Location) -> None:
    """Rename, within one folder tree; errors as `remove`."""
    if isinstance(place, Path):
        with _changing(place):
            place.replace(Path(to))
        return
    system, path = _system(place)
    with _told(place):
        system.mv(path, _system(to)[1])


def remove(place: Location) -> None:
    """Remove a file or a folder with all that is in it, if it is there.

    Raises:
        SerError: the folder around it cannot be written to, or the address cannot be reached.
    """
    if isinstance(place, Path):
        with _changing(place):
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
        return
    system, path = _system(place)
    with _told(place), contextlib.suppress(FileNotFoundError):
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
    """The file system behind an address, and the path on it."""
    from fsspec.core import url_to_fs

    try:
        return url_to_fs(str(place))  # type: ignore[no-any-return]
    except ImportError as error:
        protocol = str(place).partition("://")[0]
        raise SerError(
            f"{place}: {protocol}:// needs another package ({error}); for S3, install the extra: pip install 'ser[s3]'"
        ) from error
    except ValueError as error:
        raise SerError(f"{place}: not an address that can be read ({error})") from error


@contextlib.contextmanager
def _told(place: Location) -> Iterator[None]:
    """Turn what the clients of other machines raise into one line; what is not there stays FileNotFoundError."""
    try:
        yield
    except (SerError, FileNotFoundError):
        raise
    except PermissionError as error:
        raise SerError(f"{place}: access denied ({_line(error)}); check the credentials") from error
    except Exception as error:  # each protocol's client has errors of its own
        raise SerError(
            f"{place}: cannot be reached ({_line(error)}); check the address, the credentials and the network"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
