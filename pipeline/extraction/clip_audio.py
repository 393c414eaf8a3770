"""The files behind a manifest's rows, ready to be decoded, whether a clip is a whole file or a part of one.

A file of which several clips are parts is fetched once, hashed once and, where its format has to be decoded from the
beginning to reach a later part (MP3, Ogg, M4A...), decoded once, into a temporary file on disk that any part can be
read from. It is dropped after the last of its clips. Each audio track has a file of its own, made when it is first
asked for: a part whose first track is silent is taken from the next one, as if the file held nothing but that part.
"""

import contextlib
import hashlib
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import soundfile

from featurize.containers.libsndfile import SEEKABLE
from featurize.decoders import decode_blocks
from featurize.errors import AudioError
from pipeline.extraction.tasks import Fields
from pipeline.locations import fetched, locate
from pipeline.span import Span, span_of

OF_CONTENT = frozenset(
    {"empty", "lfs-pointer", "undecodable", "bad-segment", "silent", "too-short", "non-finite"}
)
"""Reasons that come from a file's bytes: where these are not those of the manifest, that is the reason to give."""


class Recording:
    """A file that lies on this machine, and the part of it that is wanted."""

    def __init__(self, file: "_File", span: Span | None) -> None:
        self._file, self._span = file, span

    @property
    def path(self) -> Path:
        """The file on this machine."""
        return self._file.local

    @property
    def part(self) -> dict[str, Any]:
        """Keyword arguments of `load_audio`: which part of it, and what it is called."""
        part: dict[str, Any] = {"name": self._file.place}
        if self._span is not None:
            part |= self._span._asdict()
        if self._file.decodes:
            part["track_file"] = self._file.track
        return part

    def check(self, clip: Fields) -> None:
        """Make sure that the file is still that of the manifest.

        Raises:
            AudioError: it has changed.
        """
        if self._file.has_changed(clip, self._span):
            raise _changed(clip["path"])


class Recordings:
    """Opens the files of clips; a context, which closes those that are shared. Threads may use it together.

    Args:
        clips: all that will be opened, so that it is known how many are parts of one file.
    """

    def __init__(self, clips: Iterable[Fields]) -> None:
        uses = Counter(clip["path"] for clip in clips if span_of(clip) is not None)
        self._shared = {path: _File(path, number) for path, number in uses.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for file in self._shared.values():
            file.close()

    @contextlib.contextmanager
    def open(self, clip: Fields) -> Iterator[Recording]:
        """Open the file of one of the clips.

        Raises:
            AudioError: missing, or as `decode_blocks`; whatever is raised inside names the clip's own path.
            SerError: an address cannot be read.
        """
        path, span = clip["path"], span_of(clip)
        file = _File(path, 1) if span is None else self._shared[path]
        try:
            file.open()
            yield Recording(file, span)
        except AudioError as error:
            if error.reason in OF_CONTENT and file.has_changed(clip, span):
                raise _changed(path) from error
            raise error.of(path) from error
        except FileNotFoundError as error:
            raise AudioError("missing", "no such file", path) from error
        finally:
            file.used()


class _File:
    """A file that is open from the first of its clips to the last.

    Args:
        place: path or address.
        uses: number of clips that are parts of it.
    """

    def __init__(self, place: str, uses: int) -> None:
        self.place, self.uses, self.left = place, uses, uses
        self.local = Path(place)
        self.decodes = False
        """Whether its tracks are decoded as a whole; the parts of others are found without that."""
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._open = False
        self._tracks: dict[int, Path | AudioError] = {}
        self._sha256 = ""

    def open(self) -> None:
        with self._lock:
            if not self._open:
                self.local = self._stack.enter_context(fetched(locate(self.place)))
                self.decodes = self.uses > 1 and self.local.is_file() and not _seekable(self.local)
                self._open = True

    def track(self, number: int) -> Path:
        """A file with the samples of a track as they are: float32, all channels, its own rate.

        Raises:
            AudioError: as `decode_blocks`, each time that it is asked for.
        """
        with self._lock:
            if number not in self._tracks:
                try:
                    self._tracks[number] = self._decode(number)
                except AudioError as error:
                    self._tracks[number] = error
            found = self._tracks[number]
        if isinstance(found, AudioError):
            raise found
        return found

    def _decode(self, number: int) -> Path:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="ser-")))
        decoded = folder / f"track-{number}.w64"
        with contextlib.ExitStack() as stack:
            out: soundfile.SoundFile | None = None
            for samples, rate in decode_blocks(self.local, track=number):
                if out is None:
                    form = {"channels": len(samples), "format": "W64", "subtype": "FLOAT"}
                    out = stack.enter_context(soundfile.SoundFile(decoded, "w", rate, **form))
                out.write(samples.T)
        return decoded

    def sha256(self) -> str:
        with self._lock:
            if not self._sha256:
                with self.local.open("rb") as file:
                    self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return self._sha256

    def has_changed(self, clip: Fields, span: Span | None) -> bool:
        """Whether its bytes are not those of the manifest's row; False if they cannot be read."""
        with contextlib.suppress(OSError):
            sha256 = self.sha256()
            return sha256 != "" and (sha256 if span is None else span.digest(sha256)) != clip["sha256"]
        return False

    def used(self) -> None:
        with self._lock:
            self.left -= 1
        if self.left <= 0:
            self.close()

    def close(self) -> None:
        with self._lock:
            self._stack.close()
            self._tracks.clear()
            self._open = False


def _changed(path: str) -> AudioError:
    return AudioError("changed", "changed since the manifest was made; run `ser manifest` again", path)


def _seekable(path: Path) -> bool:
    try:
        return soundfile.info(path).subtype in SEEKABLE
    except (OSError, TypeError, RuntimeError):  # LibsndfileError is a RuntimeError
        return False
