"""What `ser predict` is given: files, folders, addresses, or `-` for standard input."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from featurize.decoders import walk_audio
from featurize.errors import AudioError, Reason, SerError
from pipeline.inference.download import copy, download
from pipeline.locations import Location, Url, fetched, locate

STDIN = "-"


@dataclass(frozen=True)
class Source:
    """One recording, wherever it is."""

    name: str
    """As the output names it."""
    open: Callable[[], AbstractContextManager[Path]]
    """A context with the file: the recording itself, or a temporary copy. Raises AudioError if there is none."""


def find_sources(arguments: Iterable[str | Path]) -> Iterator[Source]:
    """Yield the recordings that arguments name, in their order, one at a time.

    A folder stands for all audio files in it, at any depth; hidden ones are left out. Every argument yields at least
    one source: what cannot be used raises its error when it is opened.
    """
    for argument in arguments:
        if argument == STDIN:
            yield Source("stdin", _standard_input)
            continue
        name = str(argument)
        if not name:  # an empty variable of a script; as a path, it would be the working directory
            yield Source("''", _failing("missing", "an empty name"))
            continue
        place = locate(argument)
        if isinstance(place, Url):
            yield Source(name, _opener(place))
        elif _is_folder(place):
            yield from _of_folder(place)
        else:
            yield Source(name, _opener(place))


def _of_folder(folder: Path) -> Iterator[Source]:
    path = None
    for path in walk_audio(folder):
        yield Source(str(folder / path), _opener(folder / path))
    if path is None:
        yield Source(str(folder), _failing("directory", "no audio file in this folder"))


def _opener(place: Location) -> Callable[[], AbstractContextManager[Path]]:
    return lambda: _opened(place)


@contextlib.contextmanager
def _opened(place: Location) -> Iterator[Path]:
    if isinstance(place, Url) and place.startswith(("http://", "https://")):
        with _temporary() as path:
            download(place, path)
            yield path
        return
    with contextlib.ExitStack() as stack:
        try:
            path = stack.enter_context(fetched(place))
        except FileNotFoundError as error:
            raise AudioError("missing", "no such file") from error
        except SerError as error:
            raise AudioError("unreadable", str(error).removeprefix(f"{place}: ")) from error
        yield path


@contextlib.contextmanager
def _standard_input() -> Iterator[Path]:
    """All of standard input in a file, since decoders jump back and forth."""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed:
        raise AudioError("unreadable", "closed; pipe an audio file into it")
    if stream.isatty():
        raise AudioError("unreadable", "a terminal; pipe an audio file into it")
    with _temporary() as path:
        try:
            copy(stream, path)
        except OSError as error:
            raise AudioError("unreadable", f"cannot be read ({error.strerror})") from error
        yield path


def _failing(reason: Reason, found: str) -> Callable[[], AbstractContextManager[Path]]:
    @contextlib.contextmanager
    def fail() -> Iterator[Path]:
        raise AudioError(reason, found)
        yield  # which makes it a generator

    return fail


@contextlib.contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ser-") as folder:
        yield Path(folder) / "recording"


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a name that is too long: opening it says so
        return False
