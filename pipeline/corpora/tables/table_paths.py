"""Finding the audio files of a user's table, even if it was written on another system or in another folder.

A path is looked up as written; then with its notation translated (`table_readings`); then with another case or Unicode
form, or with an ending added; then, if its folders do not exist here, by its last parts. A path that matches more than
one file is not resolved.
"""

import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from featurize.errors import CorpusError, counted
from pipeline.corpora.folder_names import composed, list_folder
from pipeline.corpora.tables.table_readings import Kinds, from_address, name_of, readings
from pipeline.locations import PROTOCOL, Location, locate

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """The audio file of a clip."""

    location: Location
    name: PurePosixPath
    """The path that the clip id is made from."""


def find_audio_of(table: Path, texts: Sequence[str], audio_root: Path | None) -> list[Found]:
    """Find the file of every path of a table; a path without a file is returned unchanged, and rejected later.

    Args:
        table: the table; relative paths are looked up in its folder and in the project's root.
        texts: the paths as written in the table.
        audio_root: folder in which paths are looked up first, and whose subfolders are searched, or None.

    Raises:
        CorpusError: `audio_root` is not a folder, or no file exists; the message names the likely cause.
    """
    if audio_root is not None and not audio_root.is_dir():
        raise CorpusError(f"corpus.audio_root: {audio_root} is not a folder")
    finder = _Finder(table, audio_root)
    found = {text: finder.as_written(text) for text in texts}
    taken = {match[0] for match in found.values() if match}
    found |= finder.elsewhere([text for text, match in found.items() if match is None], taken)
    if texts and not any(found.values()):
        raise CorpusError(f"{table}: none of its paths ({len(found)}) exists; {finder.cause(texts[0])}")
    for kind, count in Counter(kind for match in found.values() if match for kind in match[1]).items():
        log.warning("%s: %s found %s", table, counted(count, "path"), kind)
    matches = [found[text] or (finder.bases[0] / from_address(text), ()) for text in texts]
    return [
        Found(location, name_of(text, as_is=not kinds))
        for (location, kinds), text in zip(matches, texts, strict=True)
    ]


Match = tuple[Location, Kinds]


class _Finder:
    def __init__(self, table: Path, audio_root: Path | None) -> None:
        self.table, self.audio_root = table, audio_root
        self.bases = [*([audio_root] if audio_root else []), table.parent, Path()]
        self._listing = cache(list_folder)
        self._root: dict[str, list[Path]] | None = None

    def as_written(self, text: str) -> Match | None:
        """The file of a path by its full text: as written, translated, or with another spelling."""
        if PROTOCOL.match(text) and not isinstance(address := locate(text), Path):
            return address, ()
        for reading, kinds in readings(text):
            for base in self.bases:
                if _exists(base / reading):
                    return base / reading, kinds
        for reading, kinds in readings(text):
            for base in self.bases:
                if (match := self._alike(base / reading)) is not None:
                    return match[0], (*kinds, *match[1])
        return None

    def elsewhere(self, texts: Sequence[str], taken: Set[Location]) -> dict[str, Match | None]:
        """The files of paths of another machine, by their last parts; no file is matched by two paths."""
        matches = {text: self._by_last_parts(text) for text in texts}
        claims = Counter(match[0] for match in matches.values() if match)
        return {
            text: match if match and claims[match[0]] == 1 and match[0] not in taken else None
            for text, match in matches.items()
        }

    def _by_last_parts(self, text: str) -> Match | None:
        *_, (reading, _) = readings(text)
        parts = [part for part in PurePosixPath(reading).parts if part.strip("/.")]
        foreign = reading.startswith("/") or re.match(r"[A-Za-z]:|[$%~]", reading) is not None
        kind = "by their last parts, since their folders are not there"
        for first in range(len(parts)):
            for base in self.bases:
                if base is not self.audio_root and not (foreign and len(parts) - first > 1):
                    continue
                tail = base.joinpath(*parts[first:])
                match = (tail, ()) if _exists(tail) else self._alike(tail)
                if match is not None and match[0].is_file():
                    return match[0], (kind, *match[1])
        inside = self._in_root().get(composed(parts[-1]), []) if parts else []
        return (inside[0], ("by their names in folders of corpus.audio_root",)) if len(inside) == 1 else None

    def _in_root(self) -> dict[str, list[Path]]:
        """All files of `audio_root` by name."""
        if self._root is None:
            self._root = defaultdict(list)
            for folder, _, files in os.walk(self.audio_root) if self.audio_root is not None else ():
                for file in files:
                    self._root[composed(file)].append(Path(folder) / file)
        return self._root

    def _alike(self, path: Path) -> tuple[Path, Kinds] | None:
        """The only file whose path differs from `path` in case, Unicode form or a missing ending; else None."""
        folder, parts = (Path(path.anchor), path.parts[1:]) if path.anchor else (Path(), path.parts)
        kinds: dict[str, None] = {}
        for number, part in enumerate(parts, start=1):
            if part == ".." or _exists(folder / part):
                folder = folder / part
            elif (match := self._listing(folder).match(part, last=number == len(parts))) is not None:
                folder = folder / match[0]
                kinds[match[1]] = None
            else:
                return None
        return (folder, tuple(kinds)) if kinds else None

    def cause(self, text: str) -> str:
        """Why a path probably does not exist, and what to do."""
        *_, (reading, _) = readings(text)
        tried = self.bases[0] / text
        root = "set corpus.audio_root to the folder that holds the audio"
        if self.audio_root is not None:
            root = f"check that corpus.audio_root ({self.audio_root}) is the folder that they are relative to"
        if variable := re.search(r"\$\{?\w+\}?|%\w+%", reading):
            why = f"{variable[0]} is not set; set it, or {root}"
        elif text.startswith("~"):
            why = f"~ is {Path(reading).parent if reading.startswith('~') else os.path.expanduser('~')} here; {root}"  # noqa: PTH111
        elif "\\" in text or re.match(r"[A-Za-z]:", text):
            why = f"they are paths of a Windows machine; {root}"
        elif (similar := self._listing(tried.parent).candidates(tried.name)) is not None:
            why = f"{tried.parent} holds {similar}"
        elif reading.startswith("/"):
            why = f"they are paths of another machine, or a disk is not mounted; {root}"
        elif "/" not in reading:
            why = f"they are names without a folder; {root}"
        else:
            why = f"paths are relative to the table's folder or the project's root; {root}"
        return f"the first one, {tried}, is missing: {why}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # name too long, no permission, NUL character
        return False
